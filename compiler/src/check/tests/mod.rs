//! Rules from text: what is reported, and what the lowered IR is.

mod cases;
mod domains;

use super::*;
use crate::ir::{AssignOp, Distribution, ExprId, ExprKind, Shape, Statement, VarKind};
use crate::parse::parse;

/// Checks every single rule of a text.
fn check(text: &str) -> (Vec<Option<Rule>>, Diagnostics, Sources) {
    let mut sources = Sources::new();
    let id = sources.add("test.rule", text);
    let (file, mut diagnostics) = parse(&sources, id);
    let scope = collect_scope(&file, &[], &mut diagnostics);
    let mut rules = Vec::new();
    for item in &file.items {
        if let ast::Item::Rule(rule) = item
            && matches!(rule.body, ast::RuleBody::Items(_))
        {
            let settings = PartSettings { part: rule.name.text.clone(), ..PartSettings::default() };
            rules.push(lower(&sources, rule, &scope, &settings, &mut diagnostics));
        }
    }
    (rules, diagnostics, sources)
}

fn messages(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().map(|d| format!("{}: {}\n", d.code, d.message)).collect()
}

/// The only rule of a text without errors.
fn sound(text: &str) -> Rule {
    let (mut rules, diagnostics, _) = check(text);
    assert!(!diagnostics.has_errors(), "{text}\n{}", messages(&diagnostics));
    rules.pop().flatten().expect("a rule")
}

/// An expression as text, so that a test shows what it expects.
fn show(rule: &Rule, id: ExprId) -> String {
    let s = |id: &ExprId| show(rule, *id);
    match &rule.exprs[id].kind {
        ExprKind::Number(number) => format!("{number}"),
        ExprKind::Integer(number) => format!("{number}i"),
        ExprKind::Boolean(value) => format!("{value}@{}", rule.exprs[id].shape.domain.word()),
        ExprKind::Load { variable, element } => match rule.variables[*variable].length {
            Some(_) => format!("{}[{element}]", rule.variables[*variable].name),
            None => rule.variables[*variable].name.clone(),
        },
        ExprKind::Local(local) => rule.locals[*local].name.clone(),
        ExprKind::Builtin(builtin) => format!("{builtin:?}"),
        ExprKind::Unary(op, a) => format!("{op:?}({})", s(a)),
        ExprKind::Binary(op, a, b) => format!("{op:?}({}, {})", s(a), s(b)),
        ExprKind::Compare(op, a, b) => format!("{op:?}({}, {})", s(a), s(b)),
        ExprKind::Select(c, a, b) => format!("select({}, {}, {})", s(c), s(a), s(b)),
        ExprKind::Gate(c, a) => format!("gate({}, {})", s(c), s(a)),
        ExprKind::Math(f, list) => format!("{f:?}({})", list.iter().map(s).collect::<Vec<_>>().join(", ")),
        ExprKind::Exponential { place, .. } => format!("exponential[{place}]"),
        ExprKind::Convert(a) => format!("{:?}<{}>", rule.exprs[id].ty, s(a)),
        ExprKind::Draw { site, .. } => format!("draw{}", site.index()),
        ExprKind::Reduce { op, over, body } => format!("{op:?}[{over:?}]({})", s(body)),
        ExprKind::Scan { over, body } => format!("scan[{}]({})", over.word(), s(body)),
        ExprKind::Widen(a) => format!("widen({})", s(a)),
        ExprKind::Past { body, delay, longest, .. } => {
            format!("past({}, {}, {})", s(body), s(delay), s(longest))
        }
    }
}

/// A block as text, on one line.
fn block(rule: &Rule, statements: &[Statement]) -> String {
    let line = |statement: &Statement| match statement {
        Statement::Let { local, value, .. } => {
            format!("let {} = {};", rule.locals[*local].name, show(rule, *value))
        }
        Statement::Assign { variable, element, op, value, .. } => {
            let op = match op {
                AssignOp::Set => "=",
                AssignOp::Add => "+=",
                AssignOp::Subtract => "-=",
            };
            let index = if rule.variables[*variable].length.is_some() {
                format!("[{element}]")
            } else {
                String::new()
            };
            format!("{}{index} {op} {};", rule.variables[*variable].name, show(rule, *value))
        }
        Statement::If { condition, then, otherwise, .. } => {
            let other = if otherwise.is_empty() {
                String::new()
            } else {
                format!(" else {{ {} }}", block(rule, otherwise))
            };
            format!("if {} {{ {} }}{other}", show(rule, *condition), block(rule, then))
        }
    };
    statements.iter().map(line).collect::<Vec<_>>().join(" ")
}

const STDP: &str = "rule stdp {
    param a_plus = 0.01; param a_minus = 0.012; param tau_plus = 20 ms; param tau_minus = 20 ms;
    plastic w in 0 .. 1;
    pre state x; dx/dt = -x / tau_plus;
    post state y; dy/dt = -y / tau_minus;
    on pre { x += 1; dw -= a_minus * y; }
    on post { y += 1; dw += a_plus * x; }
}";

#[test]
fn pair_stdp_is_what_the_reference_says() {
    let rule = sound(STDP);
    assert_eq!(
        block(&rule, &rule.update),
        "let %0 = PreSpike; if %0 { x += Real<1>; dw -= Multiply(Real<a_minus>, y); } \
         let %1 = PostSpike; if %1 { y += Real<1>; dw += Multiply(Real<a_plus>, x); }"
    );
    assert_eq!(show(&rule, rule.equations[0].value), "Divide(Negate(x), Real<tau_plus>)");
    let names: Vec<String> = rule.variables.iter().map(|(_, variable)| variable.address()).collect();
    let expected =
        ["stdp.a_plus", "stdp.a_minus", "stdp.tau_plus", "stdp.tau_minus", "w", "dw", "stdp.x", "stdp.y"];
    assert_eq!(names, expected);
    assert_eq!(step_warnings(&rule, 1.0).len(), 0);
    assert_eq!(step_warnings(&rule, 50.0).len(), 2);
}

#[test]
fn a_spike_in_a_product_is_a_gate_and_brackets_stay() {
    let rule = sound(
        "rule r { plastic w; post state y; pre state x;
         update { dw += 2 * (x * pre.spike * (y * post.spike)); dw += post.spike / dt * 1 ms * y; dw += pre.spike; } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "dw += gate(PreSpike, gate(PostSpike, Multiply(Real<2>, Multiply(x, y)))); \
         dw += Multiply(Multiply(Divide(Real<PostSpike>, Real<Dt>), Real<1>), y); dw += Real<PreSpike>;"
    );
}

#[test]
fn transmission_becomes_a_sum_with_its_conditions_as_gates() {
    let rule = sound(
        "rule r { plastic w; post output I; synapse state c; batched global output n;
         on pre { let u = w * 2; if c > 0 { I += u; } else { I -= w; } n += 1; } }",
    );
    let text = block(&rule, &rule.update);
    assert_eq!(
        text,
        "let %0 = PreSpike; let u = Multiply(w, Real<2>); let %2 = Greater(c, Real<0>); \
         I += Sum[Pre](gate(%0, gate(%2, u))); I -= Sum[Pre](gate(%0, gate(Not(%2), w))); \
         n += Sum[Pre](gate(%0, Real<1>));"
    );
}

#[test]
fn a_neuron_adds_to_its_channel_as_a_sum_over_the_positions() {
    let rule = sound(
        "rule r { plastic w; post_channel plastic b; post input z;
            update { db += z; if post.spike { db -= 2; } db += 1; } db/dt = z / (1 ms); }",
    );
    let text = block(&rule, &rule.update);
    assert!(text.contains("db += Sum[Position](z)"), "{text}");
    assert!(text.contains("db -= Sum[Position](gate("), "{text}");
    assert!(text.contains("db += Real<1>"), "{text}");
    assert!(show(&rule, rule.equations[0].value).starts_with("Sum[Position]"));
}

#[test]
fn a_pre_value_reaches_a_post_output_through_the_synapses() {
    let rule = sound("rule r { post output I; on pre { I += 1; } }");
    assert_eq!(
        block(&rule, &rule.update),
        "let %0 = PreSpike; I += Sum[Pre](gate(true@synapse, gate(%0, Real<1>)));"
    );
}

#[test]
fn statements_inside_and_outside_of_conditions_keep_their_order() {
    let rule = sound(
        "rule r { plastic w; post output I; pre state x; dx/dt = -x / 1 ms;
         on pre { x += 1; I += w; x += 2; } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "let %0 = PreSpike; if %0 { x += Real<1>; } I += Sum[Pre](gate(%0, w)); if %0 { x += Real<2>; }"
    );
}

#[test]
fn wide_values_meet_others_once() {
    let rule = sound(
        "rule r { param beta = 0.9; param tau = 20 ms; state k: int; state x = 0;
         update { k += 1; x = (1 - beta) * x; x = exp(-dt / tau) * x; x = k * 2 + pi; } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "k += 1i; x = Multiply(Real<Subtract(1, beta)>, x); \
         x = Multiply(Real<Exp(Divide(Negate(Dt), tau))>, x); \
         x = Add(Real<Multiply(k, 2i)>, Real<3.141592653589793>);"
    );
}

#[test]
fn powers_choices_and_functions_are_written_out() {
    let rule = sound(
        "fn soft(kind, w) = match kind { none => 1, soft => w * w };
         rule r { param p = 1; option kind in {none, soft} = soft; state x; state y;
         update { x = y^3; x = y^-2; x = y^0.5; x = if p > 0 { 1 } else { 2 }; x = if y > 0 { 1 } else { 2 };
                  x = soft(kind, y + 1); x = sign(y); } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "x = Multiply(Multiply(y, y), y); x = Divide(Real<1>, Multiply(y, y)); x = Pow(y, Real<0.5>); \
         x = Real<select(Greater(p, 0), 1, 2)>; x = select(Greater(y, Real<0>), Real<1>, Real<2>); \
         x = Multiply(Add(y, Real<1>), Add(y, Real<1>)); \
         x = select(Greater(y, Real<0>), Real<1>, select(Less(y, Real<0>), Real<-1>, Real<0>));"
    );
}

#[test]
fn means_and_deviations_are_written_out() {
    let rule = sound(
        "rule r { plastic w; post_channel state m; state n: int; state s;
         update { m = mean[pre](w); s = sum[synapse](w); n = count[synapse](w > 0); } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "m = Divide(Sum[Pre](w), Real<Count[Pre](true@synapse)>); s = Sum[PreChannel](Sum[Post](w)); \
         n = Sum[PreChannel](Count[Post](Greater(w, Real<0>)));"
    );
}

#[test]
fn loops_arrays_and_constants_are_unrolled() {
    let rule = sound(
        "const n = 1 + 1;
         rule r { const c[2] = [1 ms, 3 ms]; state u[n] = 1; state s;
         for k in 0 .. n { du[k]/dt = -u[k] / c[k]; }
         update { for k in 0 .. n { s += u[k]; } s = u[n - 1]; } }",
    );
    assert_eq!(block(&rule, &rule.update), "s += u[0]; s += u[1]; s = u[1];");
    assert_eq!(show(&rule, rule.equations[1].value), "Divide(Negate(u[1]), Real<3>)");
}

#[test]
fn draws_have_sites_shapes_and_addresses() {
    let rule = sound(
        "rule r { plastic w = uniform(0, 1); post state y;
         update { let z = normal[synapse](0, 1); dw += z * 0.1; y += normal(0, 1); if bernoulli(0.5) { y = 0; } } }",
    );
    let sites: Vec<_> =
        rule.sites.iter().map(|(_, site)| (site.distribution, site.shape, site.address.clone())).collect();
    let post = Shape { batched: true, ..Shape::of(Domain::Post) };
    assert_eq!(
        sites,
        [
            (Distribution::Uniform, Shape::of(Domain::Synapse), Some("r.w".to_owned())),
            (Distribution::Normal, Shape::of(Domain::Synapse), Some("r.z".to_owned())),
            (Distribution::Normal, post, None),
            (Distribution::Bernoulli, post, None),
        ]
    );
}

#[test]
fn units_scale_to_base_units_exactly() {
    let rule = sound(
        "rule r { param f = 5 Hz; param g: nS = 2 nS; param q = 3 ms^2; post input v: mV; state x;
         update { x = f * 1 s; } }",
    );
    let default = |index: usize| {
        let (_, variable) = rule.variables.iter().nth(index).expect("declared");
        (fold::evaluate(&rule, variable.init[0]), variable.unit.text.clone(), variable.unit.dimension.clone())
    };
    assert_eq!(default(0), (Some(0.005), "Hz".to_owned(), "1/time".to_owned()));
    assert_eq!(default(1), (Some(2.0), "nS".to_owned(), "current/voltage".to_owned()));
    assert_eq!(default(2), (Some(9.0), String::new(), "time^2".to_owned()));
}

#[test]
fn settings_choose_options_defaults_names_and_domains() {
    let text = "rule r { param a = 1 ms; option o in {p, q} = p; plastic w; per w state m; state s;
                update { dw += match o { p => 1, q => 2 }; m = w; s = a / 1 ms; } }";
    let mut sources = Sources::new();
    let id = sources.add("test.rule", text);
    let (file, mut diagnostics) = parse(&sources, id);
    let scope = collect_scope(&file, &[], &mut diagnostics);
    let ast::Item::Rule(rule) = &file.items[0] else { panic!("a rule") };
    let span = Span::default();
    let mut settings = PartSettings { part: "alias".to_owned(), ..PartSettings::default() };
    settings.options.insert("o".to_owned(), ("q".to_owned(), span));
    let constant = Constant { value: 7.0, dimension: Some(Dimension::TIME) };
    settings.defaults.insert("a".to_owned(), (constant, span));
    settings.renames.insert("w".to_owned(), ("b".to_owned(), span));
    settings.domains.insert("w".to_owned(), Domain::PostChannel);
    let rule = lower(&sources, rule, &scope, &settings, &mut diagnostics).expect("sound");
    assert_eq!(block(&rule, &rule.update[..1]), "db += Real<2>;");
    let of =
        |name: &str| rule.variables.iter().find(|(_, variable)| variable.name == name).expect("declared").1;
    assert_eq!((of("m").shape.domain, of("db").shape.domain), (Domain::PostChannel, Domain::PostChannel));
    assert_eq!(
        (fold::evaluate(&rule, of("a").init[0]), of("a").address()),
        (Some(7.0), "alias.a".to_owned())
    );
    assert!(matches!(of("b").kind, VarKind::Plastic { .. }));
    settings.options.insert("o".to_owned(), ("z".to_owned(), span));
    let ast::Item::Rule(rule) = &file.items[0] else { panic!("a rule") };
    assert!(lower(&sources, rule, &scope, &settings, &mut diagnostics).is_none());
}

#[test]
fn the_past_knows_its_longest_delay() {
    let rule = sound(
        "rule r { synapse param d in 0 ms .. 20 ms = 1 ms; plastic w; post state y;
         on pre after d { dw += 1; } update { dw += past(pre.spike, 2 ms) * past(y, d); } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "let %0 = past(PreSpike, d, 20); if %0 { dw += Real<1>; } \
         dw += gate(past(PreSpike, 2, 2), past(y, d, 20));"
    );
}

#[test]
fn hostile_sizes_end_in_errors() {
    let mut text = "fn f0(x) = x + x;".to_owned();
    for number in 1..60 {
        text.push_str(&format!("fn f{number}(x) = f{0}(x) + f{0}(x);", number - 1));
    }
    text.push_str("rule r { state x; update { x = f59(x); } }");
    assert!(messages(&check(&text).1).contains("E0603"));
    let nested = "rule r { state x; update { for a in 0 .. 4000 { for b in 0 .. 4000 { } } } }";
    assert!(messages(&check(nested).1).contains("E0608"));
    let mut chain = "const c0 = 1;".to_owned();
    for number in 1..2000 {
        chain.push_str(&format!("const c{number} = c{} + 1;", number - 1));
    }
    chain.push_str("rule r { param a = c1999; state x; update { x = a; } }");
    assert!(check(&chain).1.has_errors());
    for deep in [format!("x = {}x;", "x * ".repeat(3000)), format!("x = {}x;", "x + ".repeat(3000))] {
        assert!(check(&format!("rule r {{ state x; update {{ {deep} }} }}")).1.has_errors());
    }
}

#[test]
fn the_deepest_text_is_checked_on_a_small_stack() {
    let sum = format!("x = {}x;", "x + ".repeat(250));
    let power = format!("x = {}x;", "-".repeat(50) + &"x * ".repeat(200));
    for deep in [sum, power] {
        let rule = sound(&format!("rule r {{ state x; update {{ {deep} }} }}"));
        assert_eq!(rule.update.len(), 1);
    }
}

#[test]
fn values_known_beforehand_need_no_local() {
    let rule = sound(
        "rule r { param tau = 20 ms; state x; state n: int;
         update { let k = exp(-dt / tau); let two = 2; x = k * x; n = n * two; let y = x; x = y; } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "x = Multiply(Real<Exp(Divide(Negate(Dt), tau))>, x); n = Multiply(n, 2i); let y = x; x = y;"
    );
}

#[test]
fn constants_of_arguments_are_evaluated() {
    let mut sources = Sources::new();
    let id = sources.add("test.rule", "const k = 2; const c = k * 20 ms; const bad = dt;");
    let (file, mut diagnostics) = parse(&sources, id);
    let scope = collect_scope(&file, &[], &mut diagnostics);
    let ast::Item::Const(declaration) = &file.items[1] else { panic!("a constant") };
    let value = constant(declaration.value.as_ref().expect("a value"), &scope, &mut diagnostics);
    assert_eq!(value, Some(Constant { value: 40.0, dimension: Some(Dimension::TIME) }));
    let ast::Item::Const(bad) = &file.items[2] else { panic!("a constant") };
    assert_eq!(constant(bad.value.as_ref().expect("a value"), &scope, &mut diagnostics), None);
    assert!(diagnostics.has_errors());
}

#[test]
fn functions_see_their_own_file() {
    let mut sources = Sources::new();
    let library = sources.add("library.rule", "const k = 3; fn half(x) = x / k; fn twice(x) = half(x) * 2;");
    let own = sources
        .add("own.rule", "const k = 5; fn half(x) = x; rule r { state x; update { x = twice(x) + k; } }");
    let mut diagnostics = Diagnostics::new();
    let scopes = [library, own].map(|id| parse(&sources, id).0);
    let imported = collect_scope(&scopes[0], &[], &mut diagnostics);
    let scope = collect_scope(&scopes[1], &[&imported], &mut diagnostics);
    let Some(ast::Item::Rule(rule)) = scopes[1].items.last() else { panic!("a rule") };
    let rule = lower(&sources, rule, &scope, &PartSettings::default(), &mut diagnostics).expect("sound");
    assert_eq!(block(&rule, &rule.update), "x = Add(Multiply(Divide(x, Real<3>), Real<2>), Real<5>);");
}

#[test]
fn deviations_divide_by_one_less() {
    let rule = sound(
        "rule r { post state y; post state s; update { s = std[batch](y); s = max[post](cumsum[post](y)); } }",
    );
    assert_eq!(
        block(&rule, &rule.update),
        "s = Sqrt(Divide(Sum[Batch](Multiply(Subtract(y, Divide(Sum[Batch](y), Real<BatchCount>)), \
         Subtract(y, Divide(Sum[Batch](y), Real<BatchCount>)))), Subtract(Real<BatchCount>, Real<1>))); \
         s = Max[Post](scan[post](y));"
    );
}

#[test]
fn messages_stand_alone() {
    let (_, diagnostics, _) = check(
        "rule r { param tau_plus = 20 ms; param a_plus = 1; global state n; state x;
         update { x = (tau_plus + a_plus) / 1 ms; n += pre.spike; x = taupluss; } }",
    );
    let expected = "E0401: dimension mismatch: `tau_plus` has dimension time, `a_plus` is dimensionless\n\
                    E0301: `n` is global, and `pre.spike` is a pre value\n\
                    E0203: there is no `taupluss` here\n";
    assert_eq!(messages(&diagnostics), expected);
    let helps: Vec<&str> = diagnostics.iter().flat_map(|d| d.help.iter().map(String::as_str)).collect();
    assert!(helps.contains(&"did you mean `tau_plus`?"), "{helps:?}");
    assert!(helps.contains(&"reduce it: `sum[pre](…)` or `mean[pre](…)`"), "{helps:?}");
}

#[test]
fn cases_that_are_not_chosen_are_checked_too() {
    let text = "rule r { option o in {a, b} = a; state x; update { x = match o { a => x + 1, b => z }; } }";
    let (rules, diagnostics, _) = check(text);
    assert!(rules[0].is_none());
    assert_eq!(messages(&diagnostics), "E0203: there is no `z` here\n");
    let first = diagnostics.iter().next().expect("one");
    assert!(first.help.iter().any(|help| help.contains("`o = b`")));
}
