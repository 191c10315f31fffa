//! What an expansion declares, with errors and without.

use std::path::Path;

use super::{expansion, modules, shown};

/// A rule with all kinds of variables, in which a name can be put wrong.
fn rule(value: &str) -> String {
    format!(
        "rule r {{
            /// A time.
            param τ: ms = 20 ms;
            param match_ = 1;
            plastic w in 0 .. 1;
            pre state x;
            post input v: mV;
            post output current;
            dx/dt = -x / τ;
            on pre {{ x += match_; dw += {value} * (v / 1 mV); current += w; }}
            on call forget {{ w = 0; }}
        }}"
    )
}

#[test]
fn a_rule_with_errors_has_the_names_of_one_without() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |text: String| {
        let expanded = expansion(text.parse().expect("tokens"), folder);
        (shown(&expanded), modules(&expanded))
    };
    let (none, whole) = of(rule("x"));
    let (errors, outline) = of(rule("xs"));
    assert_eq!(none, []);
    assert!(errors.iter().any(|one| one.error && one.message.contains("did you mean `x`")), "{errors:?}");
    let ([whole], [outline]) = (whole.as_slice(), outline.as_slice()) else { panic!("one module each") };
    assert_eq!(whole.name, outline.name);
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort();
        names
    };
    assert_eq!(sorted(&whole.params), sorted(&outline.params));
    for name in ["dense", "step", "w", "set_w", "x", "v", "try_set_v", "current", "call_forget"] {
        assert!(whole.methods.iter().any(|method| method == name), "`{name}` of a rule without errors");
    }
    let missing: Vec<&String> = whole.methods.iter().filter(|name| !outline.methods.contains(name)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "of a rule with errors");
}
