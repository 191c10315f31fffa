//! Shipped rules against closed forms and publications: each check is a number with its tolerance and source.
//!
//! What the rules should do is computed here in plain f64, from the equations as published, without the compiler.

mod bayes;
mod calcium;
mod clopath;
mod consolidation;
mod dendritic;
mod eprop;
mod florian;
mod homeostasis;
mod modulation;
mod nearest;
mod optimise;
mod pairs;
mod rates;
mod reward;
mod short_term;
mod triplet;
mod weight_dependence;

use aplysia::GroupId;
use aplysia::prelude::*;
use libtest_mimic::Trial;

/// The checks by name, as `rules/README.md` calls them.
const CHECKS: &[(&str, fn())] = &[
    ("stdp_window", pairs::stdp_window),
    ("stdp_coincidence", pairs::stdp_coincidence),
    ("stdp_soft_fixed_point", pairs::stdp_soft_fixed_point),
    ("istdp_target_rate", pairs::istdp_target_rate),
    ("triplet_equations", triplet::equations),
    ("triplet_frequency", triplet::frequency),
    ("rstdp_closed_form", reward::rstdp_closed_form),
    ("rstdp_first_step", reward::rstdp_first_step),
    ("rate_homeostasis_equations", homeostasis::rate_equations),
    ("rate_homeostasis_target", homeostasis::rate_target),
    ("linear_homeostasis_closed_form", homeostasis::linear_closed_form),
    ("normalise_sum", homeostasis::normalise_sum),
    ("oja_principal_component", rates::oja_principal_component),
    ("bcm_selectivity", rates::bcm_selectivity),
    ("hebbian_product", rates::hebbian_product),
    ("hebbian_convolution", rates::hebbian_convolution),
    ("adam_reference", optimise::adam_reference),
    ("sgd_step", optimise::sgd_step),
    ("nag_reference", optimise::nag_reference),
    ("l1_weights_sum", optimise::l1_weights_sum),
    ("traces_closed_form", pairs::traces_closed_form),
    ("exact_traces_in_conex_stdp", pairs::exact_traces_in_conex_stdp),
    ("prior_factors", optimise::prior_factors),
    ("weight_decay_exact", optimise::weight_decay_exact),
    ("fuzzy_lr_moments", modulation::fuzzy_lr_moments),
    ("dale_signs", modulation::dale_signs),
    ("mask_holds", modulation::mask_holds),
    ("cortex_is_its_parts", modulation::cortex_is_its_parts),
    ("volume_lr_statistics", modulation::volume_lr_statistics),
    ("nearest_pairs_by_hand", nearest::pairs_by_hand),
    ("nearest_pairs_by_definition", nearest::pairs_by_definition),
    ("power_law_spike_by_spike", weight_dependence::power_law_spike_by_spike),
    ("power_law_fixed_point", weight_dependence::power_law_fixed_point),
    ("tsodyks_markram_spike_by_spike", short_term::spike_by_spike),
    ("tsodyks_markram_steady_state", short_term::steady_state),
    ("stdp_exponents_spike_by_spike", weight_dependence::exponents_spike_by_spike),
    ("stdp_exponents_at_their_ends", weight_dependence::exponents_at_their_ends),
    ("benna_fusi_propagator", consolidation::propagator),
    ("benna_fusi_conservation", consolidation::conservation),
    ("benna_fusi_power_law", consolidation::power_law),
    ("clopath_voltage_clamp", clopath::voltage_clamp),
    ("clopath_homeostasis", clopath::homeostasis),
    ("clopath_delay", clopath::delay),
    ("clopath_pairing_frequency", clopath::pairing_frequency),
    ("graupner_brunel_curves", calcium::curves),
    ("graupner_brunel_step_by_step", calcium::step_by_step),
    ("graupner_brunel_bistability", calcium::bistability),
    ("graupner_brunel_noise", calcium::noise),
    ("bcpnn_traces", bayes::traces),
    ("bcpnn_periodic", bayes::periodic),
    ("mstdp_recurrences", florian::published_recurrences),
    ("mstdp_one_pair", florian::one_pair),
    ("urbanczik_senn_sums", dendritic::sums_over_spikes),
    ("urbanczik_senn_rest", dendritic::rests_where_predicted),
    ("eprop_lif_gradient", eprop::lif_gradient),
    ("eprop_alif_gradient", eprop::alif_gradient),
    ("eprop_batch_gradient", eprop::batch_gradient),
    ("eprop_by_hand", eprop::by_hand),
    ("synaptic_scaling_equations", homeostasis::scaling_equations),
    ("synaptic_scaling_target", homeostasis::scaling_target),
];

/// All checks.
pub fn trials() -> Vec<Trial> {
    let trial = |(name, check): (&str, fn())| {
        let run = move || {
            check();
            Ok(())
        };
        Trial::test(format!("analytic::{name}"), run)
    };
    let table = ("every_rule_is_checked", every_rule_is_checked as fn());
    CHECKS.iter().copied().chain([table]).map(trial).collect()
}

/// The tables of the library have a row for every shipped rule, and what they name is here: checks of this module, and
/// `golden::` with the beginning of the names of cases.
fn every_rule_is_checked() {
    let table = aplysia_tests::read(&aplysia_tests::root().join("rules/README.md"));
    for (name, _) in aplysia_rules::all() {
        let row = table.lines().find(|line| line.starts_with(&format!("| [{name}]({name}.rule) |")));
        let row = row.unwrap_or_else(|| panic!("rules/README.md has no row for `{name}`"));
        let column = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let named: Vec<&str> = column.split(", ").map(|check| check.trim_matches('`')).collect();
        for check in named {
            let here = CHECKS.iter().any(|(known, _)| *known == check);
            assert!(here || is_golden(check), "`{name}`: there is no check `{check}`");
        }
    }
    for check in table.split('`').filter(|word| word.starts_with("golden::")) {
        assert!(is_golden(check), "there is no case `{check}`");
    }
}

fn is_golden(check: &str) -> bool {
    let beginning = check.strip_prefix("golden::");
    beginning.is_some_and(|beginning| crate::golden::names().iter().any(|name| name.starts_with(beginning)))
}

/// An engine with one group.
struct Bench {
    engine: Engine,
    group: GroupId,
}

impl Bench {
    /// A group on the CPU.
    fn new(group: Group) -> Self {
        let mut engine = Engine::new(Device::cpu()).unwrap();
        let group = engine.register(group).unwrap_or_else(|error| panic!("{error}"));
        Self { engine, group }
    }

    /// A group of one shipped rule in f64.
    fn shipped(name: &str, pre: usize, post: usize) -> Group {
        Group::dense(pre, post).rule(&Rule::shipped(name).unwrap()).precision(Precision::F64)
    }

    /// One step with these neurons spiking.
    fn step(&mut self, pre: &[u32], post: &[u32]) {
        self.engine.step(&[(self.group, Events::new().pre(pre).post(post))]).unwrap();
    }

    /// All values of a variable, in row-major order.
    fn values(&mut self, name: &str) -> Vec<f64> {
        let values = self.engine.read::<f64>(self.group, name).unwrap_or_else(|error| panic!("{error}"));
        values.iter().copied().collect()
    }

    /// The value of a variable that has only one.
    fn value(&mut self, name: &str) -> f64 {
        let values = self.values(name);
        assert_eq!(values.len(), 1, "{name} has {} values", values.len());
        values[0]
    }

    fn input(&mut self, name: &str, values: &[f64]) {
        self.engine.set_input(self.group, name, values).unwrap();
    }
}

/// Fails where two numbers differ by more than `tolerance`.
#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} instead of {expected} (difference {:e}, tolerance {tolerance:e})",
        found - expected
    );
}

/// The indices of what holds.
fn which(count: usize, mut holds: impl FnMut(usize) -> bool) -> Vec<u32> {
    (0..count).filter(|&index| holds(index)).map(|index| index as u32).collect()
}

/// Random numbers of the tests' own: splitmix64 (Steele et al. 2014, doi:10.1145/2714064.2660195).
struct Random(u64);

impl Random {
    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}
