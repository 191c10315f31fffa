//! Settings in front of the rules: what they do, and what is wrong with them at its own token.

use std::path::Path;

use super::{expansion, modules, shown};

const RULE: &str =
    "rule r { batch sum; plastic w = 0.5; on pre { let z = normal[synapse](0, 1); dw += 0.1 * z; } }";

fn expanded(settings: &str) -> (String, proc_macro2::TokenStream) {
    let text = format!("{settings} {RULE}");
    let tokens = expansion(text.parse().expect("tokens"), Path::new(env!("CARGO_MANIFEST_DIR")));
    (text, tokens)
}

#[test]
fn a_setting_that_is_wrong_is_shown_at_its_token() {
    let cases = [
        (
            "topologys = [dense];",
            "topologys",
            "there is no setting `topologys`\nhelp: did you mean `topologies`?",
        ),
        (
            "topologies = dense;",
            "dense",
            "`topologies` lists one or more of dense, one_to_one, sparse, conv2d, local2d: `topologies = [dense, sparse]`",
        ),
        (
            "topologies = [dense, spare];",
            "spare",
            "there is no topology `spare`\nhelp: did you mean `sparse`?",
        ),
        ("batch = 4;", "4", "`batch` is `true` or `false`"),
        (
            "axonal_delay = 20;",
            "20",
            "`axonal_delay` is the longest delay, and what has one: `axonal_delay = 20 ms`, `20 ms per pre` or `20 ms per synapse`",
        ),
        (
            "dendritic_delay = 3 ms per pre;",
            "3",
            "`dendritic_delay` is the longest delay, and what has one: `dendritic_delay = 20 ms`, `20 ms per post` or `20 ms per synapse`",
        ),
        ("plan = replays;", "replays", "there is no such plan\nhelp: did you mean `replay`?"),
        (
            "plan = 3;",
            "3",
            "there is no such plan\nhelp: there are `auto`, `full`, `events`, `replay`, `closed_form`",
        ),
        ("draws = [y];", "y", "there is no draw `y`"),
        ("options = [bound];", "bound", "there is no option `bound`\nhelp: an option is declared by a rule"),
        (
            "topologies = [dense], batch = true, file = 3;",
            "3",
            "`file` is the path of a rule file: `file = \"my.rule\"`",
        ),
    ];
    for (settings, token, message) in cases {
        let (text, tokens) = expanded(settings);
        let found = shown(&tokens);
        let first = found.iter().find(|one| one.error).unwrap_or_else(|| panic!("{settings}: {found:?}"));
        assert!(first.message.starts_with(message), "{settings}: {}", first.message);
        let (start, end) = first.place.expect("a token");
        assert_eq!(&text[start..end], token, "{settings}");
    }
}

#[test]
fn settings_choose_what_a_module_has() {
    let methods = |settings: &str| {
        let (_, tokens) = expanded(settings);
        assert_eq!(shown(&tokens), [], "{settings}");
        let all: Vec<String> = modules(&tokens).remove(0).methods;
        move |name: &str| all.iter().any(|method| method == name)
    };
    let plain = methods("");
    assert!(
        plain("dense") && plain("sparse") && plain("one_to_one") && !plain("conv2d") && !plain("set_draw_z")
    );
    let other = methods("topologies = [local2d], draws = [z];");
    assert!(other("local2d_f64") && other("set_draw_z") && !other("dense"));
    let late = methods("axonal_delay = 2.5ms per pre;");
    assert!(late("set_axonal_delay"));
    let (_, tokens) = expanded("topologies = [dense], batch = true, dendritic_delay = 3 ms;");
    assert!(modules(&tokens)[0].params.contains(&"dendritic_delay".to_owned()));
    assert!(tokens.to_string().contains("Batched"));
}

#[test]
fn a_plan_is_chosen_or_is_an_error_at_its_statement() {
    let rule = "rule r { plastic w in 0 .. 1 = 0.5; pre state x; dx/dt = -x / 20 ms; \
                on pre { x += 1; dw -= 0.01; } on post { dw += 0.01 * x; } }";
    let expanded =
        |text: &str| expansion(text.parse().expect("tokens"), Path::new(env!("CARGO_MANIFEST_DIR")));
    for (plan, lags, closed) in [
        ("auto", true, false),
        ("full", false, false),
        ("events", false, false),
        ("replay", true, false),
        ("closed_form", true, true),
    ] {
        let tokens = expanded(&format!("plan = {plan}; {rule}"));
        assert_eq!(shown(&tokens), [], "{plan}");
        let text = tokens.to_string();
        assert_eq!(text.contains("Lagging"), lags, "{plan}");
        assert_eq!(text.contains("view_w"), closed, "{plan}");
    }
    let text = format!("plan = closed_form; {}", rule.replace("dw -= 0.01;", "dw -= 0.01 * w * w;"));
    let text = text.replace("dw += 0.01 * x", "dw += 0.01 * x * w * w");
    let found = shown(&expanded(&text));
    let error = found.iter().find(|one| one.error).unwrap_or_else(|| panic!("{found:?}"));
    assert!(error.message.contains("the step has no closed form"), "{}", error.message);
    let (start, end) = error.place.expect("a token");
    assert!(text[start..end].contains('w'), "{}", &text[start..end]);
}
