use super::*;
use crate::ir::sample::{NOWHERE, Sample, set, stdp};

/// The faults of a rule, as one text.
fn faults(change: impl FnOnce(&mut Rule)) -> String {
    let mut rule = stdp().0;
    change(&mut rule);
    validate(&rule).err().unwrap_or_default().join("\n")
}

fn push(rule: &mut Rule, kind: ExprKind, ty: Type, shape: Shape) -> ExprId {
    rule.expr_spans.push(NOWHERE);
    rule.exprs.push(Expr { kind, ty, shape })
}

const GLOBAL: Shape = Shape { domain: Domain::Global, batched: false, pair: false };

#[test]
fn the_facts_of_stdp() {
    let (rule, x, y, (weight, proposal)) = stdp();
    let info = validate(&rule).unwrap();
    let update = info.stage(Stage::Update);
    assert_eq!(update.writes, BTreeSet::from([x, y, proposal]));
    assert!(update.pre_spike && update.post_spike && update.draws.is_empty());
    assert!(!update.reads.contains(&weight) && update.reads.contains(&x));
    assert_eq!(info.stage(Stage::Equations).writes, BTreeSet::from([x, y]));
    assert_eq!(info.stage(Stage::Apply).writes, BTreeSet::from([weight]));
    assert!(info.is_read(weight) && info.is_written(weight));
    assert!(info.combines_batch && info.combines_pairs && !info.sets_pairs && !info.uses_past);
}

#[test]
fn expressions_need_spans_order_types_and_shapes() {
    assert!(faults(|rule| rule.expr_spans.clear()).contains("have 0 spans"));
    let late = |rule: &mut Rule| {
        let next = ExprId::from_index(rule.exprs.len() + 1);
        push(rule, ExprKind::Unary(UnaryOp::Negate, next), Type::Real, GLOBAL);
    };
    assert!(faults(late).contains("stands before an operand"));
    let mistyped = |rule: &mut Rule| {
        push(rule, ExprKind::Number(1.0), Type::Real, GLOBAL);
    };
    assert!(faults(mistyped).contains("is Real, should be Wide"));
    let misshaped = |rule: &mut Rule| {
        push(rule, ExprKind::Builtin(Builtin::PreSpike), Type::Bool, GLOBAL);
    };
    assert!(faults(misshaped).contains("lives in"));
    let mixed = |rule: &mut Rule| {
        let wide = push(rule, ExprKind::Number(1.0), Type::Wide, GLOBAL);
        let whole = push(rule, ExprKind::Integer(1), Type::Int, GLOBAL);
        push(rule, ExprKind::Binary(BinaryOp::Add, wide, whole), Type::Wide, GLOBAL);
        push(rule, ExprKind::Math(MathFn::Exp, vec![whole]), Type::Int, GLOBAL);
    };
    assert_eq!(faults(mixed).matches("has operands of wrong types").count(), 2);
    let back = |rule: &mut Rule| {
        let value = rule.exprs.iter().find(|(_, expr)| expr.ty == Type::Real).map(|(id, _)| id).unwrap();
        push(rule, ExprKind::Convert(value), Type::Int, rule.exprs[value].shape);
    };
    assert!(faults(back).contains("there is no conversion from Real"));
    let element = |rule: &mut Rule| {
        let variable = rule.variables.handles().next().unwrap();
        push(rule, ExprKind::Load { variable, element: 1 }, Type::Wide, GLOBAL);
    };
    assert!(faults(element).contains("is out of range"));
}

#[test]
fn variables_and_their_partners() {
    let parted = |rule: &mut Rule| {
        for (_, variable) in rule.variables.iter_mut() {
            if let VarKind::Proposal { .. } = variable.kind {
                variable.length = Some(3);
            }
        }
    };
    assert!(faults(parted).contains("`w` and its partner do not name each other"));
    let unused = |rule: &mut Rule| {
        let mut variable = rule.variables.iter().next().unwrap().1.clone();
        (variable.name, variable.ty) = ("b".to_owned(), Type::Real);
        variable.init = vec![variable.init[0]; 2];
        rule.variables.push(variable);
    };
    assert_eq!(faults(unused), "`b` is Real\n`b` has 2 initial values");
}

#[test]
fn locals_have_a_place_and_a_scope() {
    let early = |rule: &mut Rule| rule.update.swap(0, 1);
    assert!(faults(early).contains("`%1` is read outside its block"));
    let twice = |rule: &mut Rule| {
        let first = rule.update[0].clone();
        rule.update.push(first);
    };
    assert!(faults(twice).contains("`%1` is bound twice"));
    let escapes = |rule: &mut Rule| {
        let Statement::If { then, .. } = &mut rule.update[1] else { panic!("the second statement is an if") };
        let bound = then.iter().position(|statement| matches!(statement, Statement::Let { .. }));
        assert_eq!(bound, None);
        let inner = rule.update.remove(2);
        let Statement::If { then, .. } = &mut rule.update[1] else { panic!("the second statement is an if") };
        then.push(inner);
    };
    assert!(faults(escapes).contains("`%2` is read outside its block"));
}

#[test]
fn targets_are_wide_enough() {
    let mut sample = Sample::new("r");
    let (n, x, s) = (
        sample.state("n", Domain::Global),
        sample.state("x", Domain::Pre),
        sample.state("s", Domain::Synapse),
    );
    let (value, all) = (sample.load(x), sample.load(s));
    sample.builder.rule.update.extend([
        set(n, AssignOp::Add, value),
        set(x, AssignOp::Set, all),
        set(s, AssignOp::Set, value),
    ]);
    let faults = validate(&sample.finish()).unwrap_err();
    assert_eq!(
        faults,
        [
            "`n` is written with a value of pre",
            "`x` is written with a value of synapse",
            "`s` is shared and written with a batched value",
        ]
    );
}

#[test]
fn blocks_keep_to_the_stage_table() {
    let proposal = |rule: &Rule| rule.variables.handles().nth(5).unwrap();
    let weight = |rule: &Rule| rule.variables.handles().nth(4).unwrap();
    let zero = |rule: &mut Rule| {
        let zero = push(rule, ExprKind::Number(0.0), Type::Wide, GLOBAL);
        push(rule, ExprKind::Convert(zero), Type::Real, GLOBAL)
    };
    let set_in = |rule: &mut Rule, variable| {
        let value = zero(rule);
        set(variable, AssignOp::Set, value)
    };
    let update = faults(|rule| {
        let (first, second) = (set_in(rule, proposal(rule)), set_in(rule, weight(rule)));
        rule.update.extend([first, second]);
    });
    assert_eq!(update, "`dw` is written (Set) in Update\n`w` is written (Set) in Update");
    let constrain = faults(|rule| {
        let state = rule.variables.handles().nth(6).unwrap();
        let (first, second) = (set_in(rule, state), set_in(rule, proposal(rule)));
        rule.constrain.extend([first, second]);
        let parameters = vec![zero(rule); 2];
        let synapse = Shape::of(Domain::Synapse);
        let site = rule.sites.push(Site {
            distribution: Distribution::Normal,
            shape: synapse,
            address: None,
            span: NOWHERE,
        });
        let draw = push(rule, ExprKind::Draw { site, parameters }, Type::Real, synapse);
        rule.constrain.push(set(weight(rule), AssignOp::Set, draw));
    });
    assert_eq!(
        constrain,
        "`x` is written (Set) in Constrain\n`dw` is written (Set) in Constrain\nconstrain draws"
    );
    let create = faults(|rule| {
        let spike = rule.update[..2].to_vec();
        rule.update.clear();
        rule.create = spike;
    });
    assert_eq!(create, "`dw` is written (Subtract) in Create\nCreate reads spikes");
}

#[test]
fn a_state_has_one_equation_and_a_period_is_wide() {
    let twice = |rule: &mut Rule| rule.equations.push(rule.equations[0].clone());
    assert_eq!(faults(twice), "`x` has two equations");
    let period = |rule: &mut Rule| {
        let whole = push(rule, ExprKind::Integer(3), Type::Int, GLOBAL);
        rule.apply_when = When::Every(Period::Steps(whole));
    };
    assert_eq!(faults(period), "a period is not wide");
}

#[test]
fn constrain_clips_a_state_that_has_a_range_and_writes_no_other() {
    let mut sample = Sample::new("r");
    let (bounded, free) = (sample.state("bounded", Domain::Pre), sample.state("free", Domain::Pre));
    let (low, high) = (sample.number(0.0), sample.number(1.0));
    sample.builder.rule.variables[bounded].range = Some((low, high));
    for variable in [bounded, free] {
        let (value, high) = (sample.load(variable), sample.rounded(high));
        let clipped = sample.binary(BinaryOp::Min, value, high);
        sample.builder.rule.constrain.push(set(variable, AssignOp::Set, clipped));
    }
    assert_eq!(validate(&sample.finish()).unwrap_err(), ["`free` is written (Set) in Constrain"]);
}
