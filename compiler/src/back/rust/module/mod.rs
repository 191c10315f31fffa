//! A whole rule as a Rust module: its parameters, its groups, its kernels.
//!
//! In: a finished rule and the text that declares it. Out: the text of `mod NAME { … }`, in which `native` stands for the
//! crate of that name. The module holds `Params` (a field for each parameter, in its declared unit), `Options`, `Group`
//! with a method for each variable and call, and `ITEM`, the rule as text for engines. Sections of a program become
//! straight-line code: nothing is looked up, and a step allocates nothing.
//!
//! A module has a program for each topology and precision. They share the struct `Group<R, T>` and the methods that do not
//! depend on either; `Loops<R>`, a trait of the types of topologies, leads to their sections. All that leads there is
//! generic or `#[inline]`, so that rustc compiles the loops of those groups only that a crate makes.
//!
//! Names are those of the rule; where two parts share one, the part stands in front (`stdp_x`).

mod access;
mod bodies;
mod builder;
mod exponential;
mod group;
mod launches;
mod options;
mod outline;
mod params;
mod plans;
mod programs;
mod prologue;
mod steps;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diag::{Diagnostics, did_you_mean};
use crate::ir::{ExprKind, Over, Rule, SiteId, VarId, VarKind, When};
use crate::kernel::Kernel;
use crate::library::RuleOption;
use crate::pass::delays::{AXONAL, DENDRITIC, Delays, with_delays};
use crate::plan::program::Program;
use crate::plan::{Options, PlanChoice};
use crate::topology::Kind;
use crate::valid::kernel::{KernelInfo, validate};

use super::names::identifier;
pub use options::{MOST_VARIANTS, same};
pub use outline::outline;
use plans::{Planned, Plans};
use text::Text;

/// What a module is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The finished rule.
    pub rule: &'a Rule,
    /// The text that declares it.
    pub text: &'a str,
    /// The path of `aplysia-native` where the module stands.
    pub native: &'a str,
}

/// What a module has besides the rule's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The topologies of its groups, each once.
    pub topologies: Vec<Kind>,
    /// Whether its groups may have a batch.
    pub batched: bool,
    /// Which plans groups with rows may take: dense and sparse ones without a batch. All others take `PlanChoice::Auto`, which
    /// leaves rows behind in groups that are large.
    pub plan: PlanChoice,
    /// The delays of its groups.
    pub delays: Delays,
    /// Draws whose values the host gives.
    pub draws: Vec<SiteId>,
    /// Options that are chosen when a group is made.
    pub options: Vec<OpenOption>,
    /// The rule for each combination of their values, that of the last option changing first; none where there is no such option.
    pub variants: Vec<Rule>,
}

/// An option that is chosen when a group is made.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenOption {
    /// The option.
    pub option: RuleOption,
    /// What the field of `Options` is called.
    pub field: String,
    /// The place of the value that is chosen where nothing is said.
    pub default: usize,
}

impl Default for Settings {
    /// Dense, one-to-one and sparse groups without batch and delays.
    fn default() -> Self {
        Self {
            topologies: vec![Kind::Dense, Kind::OneToOne, Kind::Sparse],
            batched: false,
            plan: PlanChoice::Auto,
            delays: Delays::default(),
            draws: Vec::new(),
            options: Vec::new(),
            variants: Vec::new(),
        }
    }
}

/// The module of a rule.
///
/// # Errors
/// Where the rule has no program on a topology of the module's.
pub fn module(source: &Source<'_>) -> Result<String, Diagnostics> {
    module_with(source, &Settings::default())
}

/// The module of a rule, as `settings` has it.
///
/// # Errors
/// Where the rule has no program on a topology, with a batch, or with the delays that are asked for.
pub fn module_with(source: &Source<'_>, settings: &Settings) -> Result<String, Diagnostics> {
    let rule = with_delays(source.rule, &settings.delays)?;
    let delayed = |rule: &Rule| with_delays(rule, &settings.delays);
    let variants = match settings.variants.as_slice() {
        [] => vec![rule.clone()],
        variants => variants.iter().map(delayed).collect::<Result<Vec<Rule>, Diagnostics>>()?,
    };
    let planned = Planned::all(&rule, &variants, &settings.draws);
    let names = variable_names(&rule);
    let plans = plans::plan(&planned, settings, &names)?;
    let Some(first) = planned.first() else { crate::ice!("a module without a rule") };
    let module = Module {
        rule: &rule,
        variants: &planned,
        planned: first,
        plans,
        names,
        topologies: &settings.topologies,
        options: &settings.options,
        printed: HashMap::new(),
        out: Text::default(),
    };
    Ok(module.write(source))
}

/// A topology as a module and its settings call it.
pub fn topology_word(kind: Kind) -> &'static str {
    plans::kind_word(kind)
}

/// The draw of a name: an address, or its last part where only one draw has it.
///
/// # Errors
/// What to say if there is none, or more than one.
pub fn find_draw(rule: &Rule, name: &str) -> Result<SiteId, String> {
    match rule.site_named(name) {
        Ok(id) => Ok(id),
        Err(found) if found.is_empty() => {
            let known = rule.sites.iter().filter_map(|(_, site)| site.address.as_deref());
            let help = did_you_mean(name, known).unwrap_or_else(|| {
                "a draw has a name where a `let` with a stated domain binds it: `let z = normal[synapse](0, 1);`".to_owned()
            });
            Err(format!("`{}` has no draw `{name}`\nhelp: {help}", rule.name))
        }
        Err(found) => {
            let all: Vec<String> = found.iter().map(|address| format!("`{address}`")).collect();
            Err(format!("`{name}` may be {}\nhelp: write one of them in full", all.join(" or ")))
        }
    }
}

/// The address of a draw.
fn draw_address(rule: &Rule, site: SiteId) -> String {
    rule.sites[site].address.clone().unwrap_or_else(|| format!("draw {}", site.index()))
}

/// What a draw is called in a module: `draw_z`, with its part where several have the name.
fn draw_name(rule: &Rule, site: SiteId) -> String {
    let address = draw_address(rule, site);
    let short = |address: &str| address.rsplit('.').next().unwrap_or_default().to_owned();
    let same = rule.sites.iter().filter_map(|(_, site)| site.address.as_deref());
    let name = match same.filter(|other| short(other) == short(&address)).count() {
        1 => short(&address),
        _ => address,
    };
    format!("draw_{}", identifier(&name))
}

/// A module that is being written.
struct Module<'a> {
    /// With its delays.
    rule: &'a Rule,
    /// All combinations of its options.
    variants: &'a [Planned],
    /// The first of them.
    planned: &'a Planned,
    plans: Plans,
    /// What the variables are called.
    names: BTreeMap<VarId, String>,
    topologies: &'a [Kind],
    options: &'a [OpenOption],
    /// The Rust module of each kernel's text.
    printed: HashMap<String, String>,
    out: Text,
}

impl Module<'_> {
    /// The program that stands for all where neither topology nor precision matters.
    fn program(&self) -> &Program {
        match self.plans.plans.first() {
            Some(plan) => &plan.program,
            None => crate::ice!("a module without a program"),
        }
    }

    fn write(mut self, source: &Source<'_>) -> String {
        if self.rule.docs.is_empty() {
            self.out.line(format!("/// The rule `{}`.", self.rule.name));
        }
        for line in &self.rule.docs {
            self.out.line(format!("/// {line}"));
        }
        allow(&mut self.out);
        self.out.open(format!("pub mod {}", identifier(&self.rule.name)));
        self.out.line(format!("use {} as native;", source.native));
        self.choices();
        self.params();
        self.group();
        self.steps();
        self.accessors();
        self.prologue();
        self.bodies();
        self.item(source);
        self.out.close();
        self.out.finish()
    }

    /// The rule as text.
    fn item(&mut self, source: &Source<'_>) {
        let chosen =
            self.options.iter().fold(0, |before, open| before * open.option.values.len() + open.default);
        let program = self.of_the_kernels_own(chosen);
        let kernels: Vec<crate::back::cuda::CudaKernel> = program
            .kernels
            .iter()
            .map(|(_, kernel)| match crate::back::cuda::kernel(kernel, &facts(kernel)) {
                Ok(kernel) => kernel,
                Err(error) => crate::ice!("{error}"),
            })
            .collect();
        let cuda = crate::back::cuda::module(&kernels);
        let ir = crate::ir::print::print(source.rule);
        self.out.line("/// The rule as text: `Rule::from_item(&ITEM)` gives an engine the same rule.");
        self.out.open("pub const ITEM: native::Item = native::Item");
        self.out.line(format!("name: {:?},", self.rule.name));
        self.out.line(format!("source: {:?},", source.text));
        self.out.line(format!("ir: {ir:?},"));
        self.out.line(format!("cuda: {cuda:?},"));
        self.out.close_with("};");
    }

    /// A program without strips and rows that lag behind, which GPUs do not have.
    fn of_the_kernels_own(&self, plan: usize) -> Program {
        let plan = &self.plans.plans[plan];
        let fills = plan.program.kernels.iter().any(|(_, kernel)| facts(kernel).fills);
        if !fills && plan.program.lazy.is_none() {
            return plan.program.clone();
        }
        let choice = match plan.options.choice {
            PlanChoice::Replay | PlanChoice::ClosedForm => PlanChoice::Auto,
            choice => choice,
        };
        let options = Options { strips: false, choice, ..plan.options.clone() };
        match crate::plan::compile(&self.variants[plan.variant].rule, &options) {
            Ok(program) => program,
            Err(_) => crate::ice!("a rule has a program with strips or rows that lag behind alone"),
        }
    }

    /// The calls of the rule, in the order of their first mention.
    fn calls(&self) -> Vec<String> {
        let mut calls: Vec<String> = Vec::new();
        let commit = match &self.rule.apply_when {
            When::Call(name) => Some(name.clone()),
            When::EveryStep | When::Every(_) => None,
        };
        for name in commit.into_iter().chain(self.rule.calls.iter().map(|call| call.name.clone())) {
            if !calls.contains(&name) {
                calls.push(name);
            }
        }
        calls
    }

    /// The sizes of `post by SIZE`, which have to divide the postsynaptic neurons.
    fn block_sizes(&self) -> Vec<u32> {
        let mut sizes: Vec<u32> = self
            .rule
            .exprs
            .iter()
            .filter_map(|(_, expr)| match expr.kind {
                ExprKind::Reduce { over: Over::PostBlocks(size), .. } => Some(size),
                _ => None,
            })
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The inputs, and whether the host must give them.
    fn inputs(&self) -> Vec<(VarId, bool)> {
        let inputs = self.rule.variables.iter().filter_map(|(id, variable)| match variable.kind {
            VarKind::Input { required } => Some((id, required)),
            VarKind::Param
            | VarKind::State
            | VarKind::Plastic { .. }
            | VarKind::Proposal { .. }
            | VarKind::Output
            | VarKind::Extern => None,
        });
        inputs.collect()
    }
}

/// What the validation of a kernel finds.
fn facts(of: &Kernel) -> KernelInfo {
    match validate(of) {
        Ok(info) => info,
        Err(errors) => crate::ice!("kernel `{}` is not valid: {}", of.name, errors.join("; ")),
    }
}

/// What the module's lines may do that people's lines should not.
fn allow(out: &mut Text) {
    out.line("#[allow(unused, non_snake_case, non_camel_case_types, uncommon_codepoints)]");
    out.line("#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]");
}

/// What the variables of a rule are called in its module: short where one part alone has a name.
pub fn variable_names(rule: &Rule) -> BTreeMap<VarId, String> {
    let short = |id: VarId| identifier(&rule.variables[id].name);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for id in rule.variables.handles() {
        *counts.entry(short(id)).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    // Methods and fields of the module's own.
    let methods = ["params", "new", "step", "try_step", "steps", "topology", "defaults", "catch_up", "shown"];
    let words = ["place_spikes", "clear_spikes", "set_params", "for_each_variable", "Self", "self", "native"];
    taken.extend(methods.into_iter().chain(words).map(str::to_owned));
    for kind in Kind::ALL {
        taken.extend(["", "_f64"].map(|suffix| format!("{}{suffix}", plans::kind_word(kind))));
    }
    let short_or_full = |id: VarId| match counts[&short(id)] {
        1 => short(id),
        _ => identifier(&rule.variables[id].address()),
    };
    let name = |id: VarId| match rule.variables[id].address().as_str() {
        AXONAL => "axonal_delay".to_owned(),
        DENDRITIC => "dendritic_delay".to_owned(),
        _ => short_or_full(id),
    };
    rule.variables.handles().map(|id| (id, fresh(name(id), &mut taken))).collect()
}

/// A name that is not taken, and can stand where a name of Rust stands.
fn fresh(name: String, taken: &mut BTreeSet<String>) -> String {
    let mut found = name.clone();
    let mut number = 1;
    while !taken.insert(found.clone()) {
        number += 1;
        found = format!("{name}_{number}");
    }
    found
}
