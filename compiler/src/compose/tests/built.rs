//! Merging and finishing rules that are built by hand.

use std::collections::BTreeMap;

use crate::compose::merge::{MergePart, merge_parts};
use crate::compose::{compose, find, finish, merge, shift_files};
use crate::diag::Diagnostics;
use crate::ir::build::RuleBuilder;
use crate::ir::*;
use crate::source::{FileId, Span};

const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

fn variable(part: &str, name: &str, kind: VarKind, domain: Domain, ty: Type) -> Variable {
    Variable {
        part: part.to_owned(),
        name: name.to_owned(),
        docs: Vec::new(),
        kind,
        shape: Shape::of(domain),
        ty,
        length: None,
        unit: DeclaredUnit::default(),
        range: None,
        init: Vec::new(),
        span: NOWHERE,
    }
}

/// Declares a plastic variable with its proposal.
fn plastic(builder: &mut RuleBuilder, name: &str) -> (VarId, VarId) {
    let next = builder.rule.variables.len();
    let (w, dw) = (VarId::from_index(next), VarId::from_index(next + 1));
    let kind = VarKind::Plastic { proposal: dw };
    builder.rule.variables.push(variable("", name, kind, Domain::Synapse, Type::Real));
    let kind = VarKind::Proposal { of: w };
    builder.rule.variables.push(variable("", &format!("d{name}"), kind, Domain::Synapse, Type::Real));
    (w, dw)
}

fn state(builder: &mut RuleBuilder, part: &str, name: &str, domain: Domain) -> VarId {
    let zero = builder.number(0.0, NOWHERE);
    let zero = builder.convert(zero, Type::Real, NOWHERE);
    let mut state = variable(part, name, VarKind::State, domain, Type::Real);
    state.init.push(zero);
    builder.rule.variables.push(state)
}

fn assign(variable: VarId, op: AssignOp, value: ExprId) -> Statement {
    Statement::Assign { variable, element: 0, op, value, span: NOWHERE }
}

/// `if spike { statement }`, as `check` writes it.
fn on(builder: &mut RuleBuilder, spike: Builtin, statement: Statement) -> Vec<Statement> {
    let value = builder.builtin(spike, NOWHERE);
    let local = builder.declare("%", value);
    let condition = builder.local(local, NOWHERE);
    vec![
        Statement::Let { local, value, span: NOWHERE },
        Statement::If { condition, then: vec![statement], otherwise: Vec::new(), span: NOWHERE },
    ]
}

/// What a trace rule does in which order.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    WriteThenRead,
    ReadThenWrite,
}

/// `param tau; plastic w; pre state x; dx/dt = -x / tau; on pre { x += 1; } on post { dw += gain * x; }`
fn trace(name: &str, gain: f64, order: Order) -> Rule {
    let mut builder = RuleBuilder::new(name);
    let mut tau = variable(name, "tau", VarKind::Param, Domain::Global, Type::Wide);
    tau.init.push(builder.number(20.0, NOWHERE));
    let tau = builder.rule.variables.push(tau);
    let (_, dw) = plastic(&mut builder, "w");
    let x = state(&mut builder, name, "x", Domain::Pre);
    let load = builder.load(x, 0, NOWHERE);
    let minus = builder.unary(UnaryOp::Negate, load, NOWHERE);
    let tau = builder.load(tau, 0, NOWHERE);
    let tau = builder.convert(tau, Type::Real, NOWHERE);
    let value = builder.binary(BinaryOp::Divide, minus, tau, NOWHERE);
    builder.rule.equations.push(Equation {
        variable: x,
        element: 0,
        value,
        solver: Solver::Exact,
        span: NOWHERE,
    });
    let one = builder.number(1.0, NOWHERE);
    let one = builder.convert(one, Type::Real, NOWHERE);
    let write = on(&mut builder, Builtin::PreSpike, assign(x, AssignOp::Add, one));
    let gain = builder.number(gain, NOWHERE);
    let gain = builder.convert(gain, Type::Real, NOWHERE);
    let product = builder.binary(BinaryOp::Multiply, gain, load, NOWHERE);
    let read = on(&mut builder, Builtin::PostSpike, assign(dw, AssignOp::Add, product));
    builder.rule.update = match order {
        Order::WriteThenRead => [write, read].concat(),
        Order::ReadThenWrite => [read, write].concat(),
    };
    builder.finish()
}

/// Traces whose `tau` is the composition's own.
fn sharing(parts: Vec<Rule>) -> Rule {
    let mut own = RuleBuilder::new("c");
    let mut tau = variable("c", "tau", VarKind::Param, Domain::Global, Type::Wide);
    tau.init.push(own.number(10.0, NOWHERE));
    own.rule.variables.push(tau);
    let mut all = vec![part(own.finish(), &[])];
    all.extend(parts.into_iter().map(|rule| part(rule, &[("tau", "c.tau")])));
    let mut diagnostics = Diagnostics::new();
    let merged = merge_parts(all, "c", Vec::new(), &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    merged
}

fn part(rule: Rule, bindings: &[(&str, &str)]) -> MergePart {
    let bindings =
        bindings.iter().map(|&(name, target)| (name.to_owned(), (target.to_owned(), NOWHERE))).collect();
    MergePart { rule, span: NOWHERE, bindings, pointers: BTreeMap::new() }
}

fn codes(result: Result<Rule, Diagnostics>) -> Vec<&'static str> {
    match result {
        Ok(_) => Vec::new(),
        Err(diagnostics) => diagnostics.iter().map(|diagnostic| diagnostic.code.id()).collect(),
    }
}

fn done(result: Result<Rule, Diagnostics>) -> Rule {
    result.unwrap_or_else(|diagnostics| panic!("{diagnostics:?}"))
}

fn addresses(rule: &Rule) -> Vec<String> {
    rule.variables.iter().map(|(_, variable)| variable.address()).collect()
}

fn writes(block: &Block, id: VarId) -> usize {
    let count = |statement: &Statement| match statement {
        Statement::Let { .. } => 0,
        Statement::Assign { variable, .. } => usize::from(*variable == id),
        Statement::If { then, otherwise, .. } => writes(then, id) + writes(otherwise, id),
    };
    block.iter().map(count).sum()
}

#[test]
fn composing_is_associative() {
    let [a, b, c] = ["a", "b", "c"].map(|name| trace(name, 0.5, Order::WriteThenRead));
    let left = done(merge(vec![done(merge(vec![a.clone(), b.clone()], "ab")), c.clone()], "r"));
    let right = done(merge(vec![a.clone(), done(merge(vec![b.clone(), c.clone()], "bc"))], "r"));
    let flat = done(merge(vec![a, b, c], "r"));
    assert_eq!(left, right);
    assert_eq!(left, flat);
    assert_eq!(done(finish(left)), done(finish(right)));
}

#[test]
fn the_order_of_parts_is_the_order_of_statements() {
    let [a, b] = [trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::WriteThenRead)];
    let merged = done(compose(&[a.clone(), b.clone()]));
    assert_eq!(merged.name, "a+b");
    assert_eq!(merged.update.len(), a.update.len() + b.update.len());
    assert_eq!(addresses(&merged), ["a.tau", "w", "dw", "a.x", "b.tau", "b.x"]);
    assert_ne!(merged, done(compose(&[b, a])));
}

#[test]
fn private_parameters_keep_states_apart() {
    let parts = [trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::WriteThenRead)];
    let finished = done(finish(done(compose(&parts))));
    assert!(addresses(&finished).contains(&"a.x".to_owned()));
    assert!(addresses(&finished).contains(&"b.x".to_owned()));
}

#[test]
fn a_shared_parameter_makes_equal_states_one() {
    let merged = sharing(vec![trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::WriteThenRead)]);
    assert_eq!(addresses(&merged), ["c.tau", "w", "dw", "a.x", "b.x"]);
    let finished = done(finish(merged));
    assert_eq!(addresses(&finished), ["c.tau", "w", "dw", "a.x"]);
    let x = find(&finished, "a.x").expect("the state that remains");
    assert_eq!(find(&finished, "b.x"), Ok(x));
    assert_eq!(find(&finished, "x"), Ok(x));
    assert_eq!(find(&finished, "b.tau"), find(&finished, "c.tau"));
    assert_eq!(finished.equations.len(), 1);
    assert_eq!(writes(&finished.update, x), 1);
    let dw = find(&finished, "dw").expect("the proposal");
    assert_eq!(writes(&finished.update, dw), 2);
}

#[test]
fn a_read_before_the_write_keeps_states_apart() {
    // b reads its trace before this step's spike is in it; a's is written by then.
    let merged = sharing(vec![trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::ReadThenWrite)]);
    assert!(addresses(&done(finish(merged))).contains(&"b.x".to_owned()));
    // Two that both read first differ as well: the second reads after the first has written.
    let merged = sharing(vec![trace("a", 0.5, Order::ReadThenWrite), trace("b", 0.25, Order::ReadThenWrite)]);
    assert!(addresses(&done(finish(merged))).contains(&"b.x".to_owned()));
}

#[test]
fn another_initial_value_keeps_states_apart() {
    let mut other = trace("b", 0.25, Order::WriteThenRead);
    let x = find(&other, "x").expect("the state");
    let mut builder = RuleBuilder::extend(other);
    let half = builder.number(0.5, NOWHERE);
    let half = builder.convert(half, Type::Real, NOWHERE);
    builder.rule.variables[x].init = vec![half];
    other = builder.finish();
    let merged = sharing(vec![trace("a", 0.5, Order::WriteThenRead), other]);
    assert!(addresses(&done(finish(merged))).contains(&"b.x".to_owned()));
}

#[test]
fn a_draw_keeps_states_apart() {
    let drawn = |name: &str| {
        let rule = trace(name, 0.5, Order::WriteThenRead);
        let x = find(&rule, "x").expect("the state");
        let mut builder = RuleBuilder::extend(rule);
        let bounds = [0.0, 1.0].map(|value| builder.number(value, NOWHERE));
        let bounds = bounds.map(|value| builder.convert(value, Type::Real, NOWHERE)).to_vec();
        let shape = Shape::of(Domain::Pre);
        let site = Site { distribution: Distribution::Uniform, shape, address: None, span: NOWHERE };
        builder.rule.variables[x].init = vec![builder.draw(site, bounds)];
        builder.finish()
    };
    let finished = done(finish(sharing(vec![drawn("a"), drawn("b")])));
    assert!(addresses(&finished).contains(&"b.x".to_owned()));
    assert_eq!(finished.sites.len(), 2);
}

/// A rule with `extern pre x; on call damp { x += 1; }`.
fn outsider() -> Rule {
    let mut builder = RuleBuilder::new("outsider");
    let x = builder.rule.variables.push(variable("outsider", "x", VarKind::Extern, Domain::Pre, Type::Real));
    let one = builder.number(1.0, NOWHERE);
    let one = builder.convert(one, Type::Real, NOWHERE);
    let body = vec![assign(x, AssignOp::Add, one)];
    builder.rule.calls.push(Call { name: "damp".to_owned(), body, span: NOWHERE });
    builder.finish()
}

#[test]
fn a_write_from_outside_keeps_states_apart() {
    let mut pointing = part(outsider(), &[]);
    pointing.pointers.insert("x".to_owned(), ("a.x".to_owned(), NOWHERE));
    let both = sharing(vec![trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::WriteThenRead)]);
    let mut diagnostics = Diagnostics::new();
    let merged = merge_parts(vec![part(both, &[]), pointing], "r", Vec::new(), &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let finished = done(finish(merged));
    assert!(addresses(&finished).contains(&"b.x".to_owned()));
    assert_eq!(find(&finished, "outsider.x"), find(&finished, "a.x"));
}

#[test]
fn an_extern_is_the_only_state_of_its_name() {
    let rule = done(compose(&[trace("a", 0.5, Order::WriteThenRead), outsider()]));
    let finished = done(finish(rule));
    let x = find(&finished, "a.x").expect("the state");
    assert_eq!(writes(&finished.calls[0].body, x), 1);
    assert!(finished.variables.iter().all(|(_, variable)| variable.kind != VarKind::Extern));
    assert_eq!(codes(finish(outsider())), ["E0522"]);
    let parts = [trace("a", 0.5, Order::WriteThenRead), trace("b", 0.5, Order::WriteThenRead), outsider()];
    assert_eq!(codes(finish(done(compose(&parts)))), ["E0523"]);
    let mut other = trace("a", 0.5, Order::WriteThenRead);
    let x = find(&other, "x").expect("the state");
    other.variables[x].shape = Shape::of(Domain::Post);
    assert_eq!(codes(finish(done(compose(&[other, outsider()])))), ["E0524"]);
}

#[test]
fn calls_of_one_name_follow_each_other() {
    let mut second = outsider();
    second.name = "second".to_owned();
    second.variables[VarId::from_index(0)].part = "second".to_owned();
    let rule = done(compose(&[trace("a", 0.5, Order::WriteThenRead), outsider(), second]));
    assert_eq!(rule.calls.len(), 1);
    assert_eq!(rule.calls[0].body.len(), 2);
}

#[test]
fn one_rule_cannot_be_merged_twice() {
    let rule = trace("a", 0.5, Order::WriteThenRead);
    assert_eq!(codes(compose(&[rule.clone(), rule.clone()])), ["E0510"]);
    let both = done(compose(&[rule.clone(), trace("b", 0.5, Order::WriteThenRead)]));
    assert_eq!(codes(compose(&[both, rule])), ["E0510"]);
}

fn with_range(name: &str, range: Option<(f64, f64)>) -> Rule {
    let mut builder = RuleBuilder::new(name);
    let (w, dw) = plastic(&mut builder, "w");
    if let Some((low, high)) = range {
        builder.rule.variables[w].range = Some((builder.number(low, NOWHERE), builder.number(high, NOWHERE)));
    }
    let load = builder.load(w, 0, NOWHERE);
    builder.rule.update.push(assign(dw, AssignOp::Add, load));
    builder.finish()
}

#[test]
fn ranges_are_equal_or_stated_once() {
    let of =
        |ranges: [Option<(f64, f64)>; 2]| compose(&[with_range("a", ranges[0]), with_range("b", ranges[1])]);
    let range = |rule: Rule| {
        let (low, high) = rule.variables[VarId::from_index(0)].range.expect("a range");
        (rule.exprs[low].kind.clone(), rule.exprs[high].kind.clone())
    };
    let expected = (ExprKind::Number(0.0), ExprKind::Number(1.0));
    assert_eq!(range(done(of([None, Some((0.0, 1.0))]))), expected);
    assert_eq!(range(done(of([Some((0.0, 1.0)), None]))), expected);
    assert_eq!(range(done(of([Some((0.0, 1.0)), Some((0.0, 1.0))]))), expected);
    assert_eq!(codes(of([Some((0.0, 1.0)), Some((0.0, 2.0))])), ["E0518"]);
}

#[test]
fn finishing_writes_out_the_default_apply_and_the_clip() {
    let finished = done(finish(with_range("a", Some((0.0, 1.0)))));
    let [w, dw] = ["w", "dw"].map(|name| find(&finished, name).expect("a variable"));
    let [Statement::Let { value, .. }, Statement::If { then, otherwise, .. }] = finished.apply.as_slice()
    else {
        panic!("{:?}", finished.apply);
    };
    assert!(matches!(finished.exprs[*value].kind, ExprKind::Compare(Comparison::NotEqual, ..)));
    assert!(otherwise.is_empty());
    let [Statement::Assign { variable, op: AssignOp::Add, value, .. }] = then.as_slice() else {
        panic!("{then:?}");
    };
    assert_eq!(*variable, w);
    assert_eq!(finished.exprs[*value].kind, ExprKind::Load { variable: dw, element: 0 });

    let [Statement::Assign { variable, op: AssignOp::Set, value, .. }] = finished.constrain.as_slice() else {
        panic!("{:?}", finished.constrain);
    };
    assert_eq!(*variable, w);
    let ExprKind::Binary(BinaryOp::Min, inner, _) = finished.exprs[*value].kind else { panic!("no min") };
    let ExprKind::Binary(BinaryOp::Max, inner, _) = finished.exprs[inner].kind else { panic!("no max") };
    assert_eq!(finished.exprs[inner].kind, ExprKind::Load { variable: w, element: 0 });
    assert_eq!(finished.variables[w].init.len(), 1, "a missing initial value is 0");
}

#[test]
fn infinite_bounds_and_own_applies_are_left_alone() {
    let finished = done(finish(with_range("a", Some((0.0, f64::INFINITY)))));
    let [Statement::Assign { value, .. }] = finished.constrain.as_slice() else { panic!("no clip") };
    assert!(matches!(finished.exprs[*value].kind, ExprKind::Binary(BinaryOp::Max, ..)));
    let finished = done(finish(with_range("a", Some((f64::NEG_INFINITY, f64::INFINITY)))));
    assert!(finished.constrain.is_empty());

    let mut own = with_range("a", None);
    let w = find(&own, "w").expect("the variable");
    let Statement::Assign { value, .. } = own.update[0] else { panic!("no statement") };
    own.apply.push(assign(w, AssignOp::Set, value));
    assert_eq!(done(finish(own.clone())).apply.len(), 1);
    let mut other = own.clone();
    other.name = "b".to_owned();
    assert_eq!(codes(compose(&[own, other])), ["E0519"]);
}

#[test]
fn schedules_and_batches_must_agree() {
    let [mut a, mut b] = ["a", "b"].map(|name| with_range(name, None));
    a.apply_when = When::Call("learn".to_owned());
    a.batch = Some(BatchReduction::Sum);
    let merged = done(compose(&[b.clone(), a.clone()]));
    assert_eq!(merged.apply_when, a.apply_when);
    assert_eq!(merged.batch, Some(BatchReduction::Sum));
    b.apply_when = When::Call("rest".to_owned());
    b.batch = Some(BatchReduction::Mean);
    assert_eq!(codes(compose(&[a, b])), ["E0520", "E0521"]);
}

#[test]
fn initial_values_stand_behind_what_they_read() {
    // a declares w; b says that it starts as s, which only b declares.
    let a = with_range("a", None);
    let mut builder = RuleBuilder::new("b");
    let s = state(&mut builder, "b", "s", Domain::Synapse);
    let (w, _) = plastic(&mut builder, "w");
    builder.rule.variables[w].init = vec![builder.load(s, 0, NOWHERE)];
    let finished = done(finish(done(compose(&[a, builder.finish()]))));
    let [s, w] = ["b.s", "w"].map(|name| find(&finished, name).expect("a variable"));
    assert!(s < w);
    assert_eq!(
        finished.exprs[finished.variables[w].init[0]].kind,
        ExprKind::Load { variable: s, element: 0 }
    );
}

#[test]
fn an_address_may_be_short_where_it_is_unique() {
    let rule =
        done(compose(&[trace("a", 0.5, Order::WriteThenRead), trace("b", 0.25, Order::WriteThenRead)]));
    assert_eq!(find(&rule, "b.x").map(|id| rule.variables[id].address()), Ok("b.x".to_owned()));
    assert_eq!(find(&rule, "w").map(|id| rule.variables[id].address()), Ok("w".to_owned()));
    let error = find(&rule, "x").expect_err("two parts have an x");
    assert_eq!(error.candidates, ["a.x", "b.x"]);
    assert_eq!(error.to_string(), "`x` may be `a.x` or `b.x`");
    let error = find(&rule, "ta").expect_err("there is no ta");
    assert_eq!(error.to_string(), "the rule has no variable `ta`; did you mean `tau`?");
}

#[test]
fn files_of_spans_can_be_moved() {
    let mut rule = trace("a", 0.5, Order::WriteThenRead);
    shift_files(&mut rule, 3);
    assert!(rule.variables.iter().all(|(_, variable)| variable.span.file == FileId(3)));
    assert!(rule.expr_spans.iter().all(|span| span.file == FileId(3)));
    let Statement::If { then, .. } = &rule.update[1] else { panic!("no condition") };
    assert!(matches!(then[0], Statement::Assign { span, .. } if span.file == FileId(3)));
}
