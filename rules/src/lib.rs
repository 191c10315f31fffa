//! The shipped rules, by name, as texts. Each file of this crate's folder declares a rule of the file's name.

/// The files of the named rules.
macro_rules! rules {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../", $name, ".rule")))),*]
    };
}

/// All rules and their texts, by name.
const RULES: &[(&str, &str)] = rules! {
    "adam" "bcm" "bcpnn" "benna_fusi" "clip" "clopath" "conex_istdp" "conex_rstdp" "conex_spike_istdp"
    "conex_spike_rstdp" "conex_spike_stdp" "conex_stdp" "conex_traces" "cortex" "crystallize" "dale" "dale_rows"
    "dopamine" "eprop_alif" "eprop_lif" "fuzzy_lr" "graupner_brunel" "hebbian" "istdp" "l1_rates" "l1_signs"
    "l1_weights" "layer" "linear_homeostasis" "mask" "mstdp" "mstdpet" "nag" "normalise" "oja" "prior" "rate_error"
    "rate_homeostasis" "rejuvenate" "rejuvenate_lognormal" "reward_gate" "rstdp" "sgd" "sign_constraint" "stdp"
    "stdp_nearest_presynaptic" "stdp_nearest_reduced" "stdp_nearest_symmetric" "stdp_power_law" "stdp_soft"
    "stdp_triplet" "stdp_triplet_nearest" "stdp_weight_dependent" "synaptic_scaling" "traces" "tsodyks_markram"
    "updater" "urbanczik_senn" "volume_lr" "weight_decay" "weight_splitting"
};

/// The text of a shipped rule.
pub fn find(name: &str) -> Option<&'static str> {
    all().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// All shipped rules with their texts, in the order of their names.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn rules_are_sorted_and_found() {
        let names: Vec<&str> = super::all().map(|(name, _)| name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for (name, text) in super::all() {
            assert_eq!(super::find(name), Some(text));
            assert!(text.contains(&format!("rule {name} ")), "{name} is not in its file");
        }
        assert_eq!(super::find("no such rule"), None);
    }

    #[test]
    fn every_file_is_shipped() {
        let folder = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
        let files = folder.map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rule"));
        let mut names: Vec<String> =
            files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, super::all().map(|(name, _)| name.to_owned()).collect::<Vec<_>>());
    }
}
