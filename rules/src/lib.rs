//! The shipped rules, by name, as texts. Each file of this crate's folder declares a rule of the file's name.

/// All rules and their texts, by name.
const RULES: &[(&str, &str)] = &[("stdp", include_str!("../stdp.rule"))];

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
}
