//! Whole texts: one for each branch of each diagnostic, the sketches of the reference, and broken ones.

use std::path::Path;

use super::*;

#[test]
fn the_sketches_of_the_reference_are_accepted() {
    let (rules, diagnostics, _) = check(SKETCHES);
    assert!(!diagnostics.has_errors(), "{}", messages(&diagnostics));
    assert!(rules.len() >= 14 && rules.iter().all(Option::is_some));
}

/// Whatever is left out, doubled or exchanged: an answer, not a panic, and no rule beside an error.
#[test]
fn broken_rules_get_answers() {
    let mut words: Vec<String> = vec![STDP.to_owned(), SKETCHES.to_owned()];
    words.extend(cases("err", &["E03", "E04", "E07"]).into_iter().map(|(_, text)| text));
    let mut random = 12345u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) as usize % below.max(1)
    };
    let spaced = |text: &str| -> Vec<String> {
        let mut spaced = String::new();
        for letter in text.chars() {
            match letter {
                '(' | ')' | '[' | ']' | '{' | '}' | ';' | ',' => spaced.extend([' ', letter, ' ']),
                _ => spaced.push(letter),
            }
        }
        spaced.split_whitespace().map(str::to_owned).collect()
    };
    let texts: Vec<Vec<String>> = words.iter().map(|text| spaced(text)).collect();
    let mut lowered = 0;
    for round in 0..1500 {
        let mut tokens = texts[next(texts.len())].clone();
        if tokens.len() > 400 {
            let start = next(tokens.len() - 300);
            tokens = tokens[start..start + 300].to_vec();
            tokens.splice(0..0, ["rule".to_owned(), "q".to_owned(), "{".to_owned()]);
        }
        for _ in 0..1 + round % 4 {
            let place = next(tokens.len());
            let other = tokens[next(tokens.len())].clone();
            match next(3) {
                0 => tokens[place] = other,
                1 => tokens.insert(place, other),
                _ if tokens.len() > 1 => drop(tokens.remove(place)),
                _ => {}
            }
        }
        let (rules, diagnostics, _) = check(&tokens.join(" "));
        lowered += rules.iter().flatten().count();
        assert!(diagnostics.has_errors() || rules.iter().all(Option::is_some));
    }
    assert!(lowered > 0);
}

/// The case files of a folder with the codes that begin so.
fn cases(folder: &str, prefixes: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/in").join(folder);
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&root).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            cases.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
    cases.sort();
    cases
}

#[test]
fn every_case_reports_its_code_and_nothing_else() {
    let errors = cases("err", &["E02", "E03", "E04", "E06", "E07"]);
    let warnings = cases("warn", &["W01"]);
    let mut seen = Vec::new();
    let mut wrong = String::new();
    for (name, text) in errors.iter().chain(&warnings) {
        let (rules, mut diagnostics, _) = check(text);
        for rule in rules.iter().flatten() {
            diagnostics.append(step_warnings(rule, 1.0));
        }
        let wanted = &name[..5];
        let found: Vec<&str> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.code.id())
            .filter(|code| wanted.starts_with('W') || !code.starts_with('W'))
            .collect();
        if found.is_empty() || found.iter().any(|code| *code != wanted) {
            wrong.push_str(&format!("{name}:\n{}", messages(&diagnostics)));
        }
        seen.push(wanted.to_owned());
    }
    assert!(wrong.is_empty(), "{wrong}");
    for code in code::all() {
        let ours =
            ["E02", "E03", "E04", "E06", "E07", "W01"].iter().any(|prefix| code.id().starts_with(prefix));
        assert!(!ours || seen.iter().any(|seen| seen == code.id()), "{code} has no case");
    }
}

const SKETCHES: &str = r#"
fn bound(kind, w, lo, hi) = match kind { none => 1, hard => (w > lo) && (w < hi), soft => (w - lo) * (hi - w) };
rule conex_stdp {
    param a_plus; param a_minus; param w_min = 0; param w_max = 1;
    option positive_bound in {none, hard, soft} = none;
    option negative_bound in {none, hard, soft} = none;
    plastic w;
    pre input pre_trace; post input post_trace;
    update {
        dw += pre_trace * post.spike * a_plus  * bound(positive_bound, w, w_min, w_max);
        dw -= pre.spike * post_trace * a_minus * bound(negative_bound, w, w_min, w_max);
    }
    modulate { dw /= pair.count; }
}
rule reward_gate {
    param tau_c; global input dopamine;
    plastic w; synapse state c;
    modulate { c += -c / tau_c + dw;  dw = c * dopamine; }
}
rule normalise { param norm = 1; plastic w; constrain { let s = sum[pre](w); w *= norm / (if s == 0 { 1 } else { s }); } }
rule istdp {
    param lr = 1e-5; param alpha;
    option sign in {inhibitory, excitatory} = inhibitory;
    plastic w; pre input pre_trace; post input post_trace;
    update {
        let s = match sign { inhibitory => -1, excitatory => 1 };
        dw += lr * (pre.spike * (alpha - post_trace) * s + pre_trace * post.spike);
    }
}
rule linear_homeostasis {
    param lambda; post param target; plastic w; post state r; global state n;
    update {
        n += 1;  r += (post.spike - r) / n;
        dw += lambda * mean[batch](mean[position]((target - r) / target));
    }
}
rule hebbian {
    param pre_wght = 1; param post_wght = 1; param w_bound = 1; param sign_value = 1;
    plastic w; post_channel plastic b; pre input z_pre; post input z_post;
    update {
        let h = sum[batch]((z_pre * pre_wght) * (z_post * post_wght));
        dw += sign_value * (if w_bound > 0 { h * (w_bound - abs(w)) } else { h });
        db += sign_value * sum[batch](z_post * post_wght);
    }
}
rule prior {
    param lambda; param ratio = 0.5; option kind in {l2, l1, elastic_net} = l2; plastic w;
    update { dw -= lambda * match kind { l2 => w, l1 => sign(w), elastic_net => sign(w) * ratio + w * (1 - ratio) / 2 }; }
}
rule adam {
    param eta = 0.001; param beta1 = 0.9; param beta2 = 0.999; param eps = 1e-8;
    plastic w; per w state m; per w state v; global state k;
    apply {
        k += 1;
        m = beta1 * m + (1 - beta1) * dw;  v = beta2 * v + (1 - beta2) * dw^2;
        w += eta * (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps);
    }
}
rule fuzzy_lr { param nu = 0.16; plastic w; synapse state eta = uniform(1 - nu, 1 + nu); modulate { dw *= eta; } }
rule volume_lr {
    param base_lr = 0.1; param stability = 2; param variability = 0.2; plastic w;
    modulate { let mu = base_lr * exp(-stability * (abs(w) / (abs(w) + 1)));  dw *= abs(normal(mu, variability * mu)); }
}
rule crystallize {
    param threshold = 4.5e-5; param dampening = 0.6; plastic w; extern synapse eta; synapse input grad;
    on call crystallize { if abs(grad) / abs(w) < threshold || abs(grad) > mean[synapse](abs(w)) { eta *= dampening; } }
}
rule rejuvenate {
    param dre = 8; plastic w;
    on call rejuvenate { let m = max[synapse](abs(w)); if abs(normal(0, m / dre + 1e-13)) > abs(w) { w = uniform(-m, m); } }
}
rule dale {
    plastic w; pre_channel state polarity = if bernoulli(0.5) { 1 } else { -1 };
    on create { w = abs(w) * polarity; }
    constrain { w = max(w * polarity, 0) * polarity; }
}
rule split { const n = 2; plastic w; pre input x; post output z; update { z = sum[post by n](tanh(sum[pre](w * x))); } }
"#;
