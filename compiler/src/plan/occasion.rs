//! The occasions of a rule: creation, step, commit, schedules and calls, each as a flow that is then planned.

use super::program::{Action, Commit, Section};
use super::{Planner, section};
use crate::flow::Flow;
use crate::flow::build::FlowBuilder;
use crate::ir::{self, Block, Period, VarKind, When};

/// The planned occasions.
pub(super) struct Occasions {
    pub(super) create: Section,
    pub(super) step: Section,
    pub(super) commit: Option<Commit>,
    pub(super) schedules: Vec<(Period, Section)>,
    pub(super) calls: Vec<(String, Section)>,
}

/// Plans every occasion.
pub(super) fn plan(planner: &mut Planner<'_>) -> Occasions {
    let rule = planner.rule;
    let flow = create(planner);
    let mut create = section::plan(planner, "create", flow);
    let flow = step(planner);
    let step = section::plan(planner, "step", flow);
    // Creation ends with what `past` sees before the first step.
    if let Some((flow, rings)) = planner.looks_back.take() {
        create.actions.extend(section::plan_initial(planner, flow, rings).actions);
    }
    let commit = match &rule.apply_when {
        When::EveryStep => None,
        When::Every(period) => {
            let when = When::Every(copy_period(planner, *period));
            let flow = commit(planner);
            Some(Commit { when, section: section::plan(planner, "commit", flow) })
        }
        When::Call(name) => {
            let flow = commit(planner);
            Some(Commit { when: When::Call(name.clone()), section: section::plan(planner, "commit", flow) })
        }
    };
    let mut schedules = Vec::new();
    for (k, schedule) in rule.schedules.iter().enumerate() {
        let period = copy_period(planner, schedule.period);
        let flow = with_constrain(planner, &schedule.body);
        schedules.push((period, section::plan(planner, &format!("every_{k}"), flow)));
    }
    let mut calls = Vec::new();
    for call in &rule.calls {
        let flow = with_constrain(planner, &call.body);
        calls.push((call.name.clone(), section::plan(planner, &format!("call_{}", call.name), flow)));
    }
    // What else may write the traces of rows that lag behind says afterwards that none does.
    if let Some(anchor) = planner.anchor.take() {
        let others = schedules.iter_mut().map(|(_, section)| section);
        let others = others.chain(calls.iter_mut().map(|(_, section): &mut (String, Section)| section));
        for section in std::iter::once(&mut create).chain(others) {
            section.actions.push(Action::Launch(anchor.clone()));
        }
    }
    Occasions { create, step, commit, schedules, calls }
}

/// The flows of every occasion, before the passes.
pub(super) fn flows(planner: &Planner<'_>) -> Vec<(String, Flow)> {
    let rule = planner.rule;
    let mut flows = vec![("create".to_owned(), create(planner)), ("step".to_owned(), step(planner))];
    if rule.apply_when != When::EveryStep {
        flows.push(("commit".to_owned(), commit(planner)));
    }
    for (k, schedule) in rule.schedules.iter().enumerate() {
        flows.push((format!("every_{k}"), with_constrain(planner, &schedule.body)));
    }
    for call in &rule.calls {
        flows.push((format!("call_{}", call.name), with_constrain(planner, &call.body)));
    }
    flows
}

/// Initial values in the order written, `on create`, constrain. What the host has given stays.
fn create(planner: &Planner<'_>) -> Flow {
    let rule = planner.rule;
    let mut builder = FlowBuilder::new(rule, planner.setting());
    for (id, variable) in rule.variables.iter() {
        if planner.options.given_values.contains(&id) {
            continue;
        }
        match variable.kind {
            VarKind::State | VarKind::Plastic { .. } if variable.init.is_empty() => builder.clear(id),
            VarKind::State | VarKind::Plastic { .. } => {
                for element in 0..variable.elements() {
                    let init = *variable.init.get(element as usize).unwrap_or(&variable.init[0]);
                    builder.set(id, element, init, variable.span);
                }
            }
            // The device puts the defaults of these in place, before the host's first values.
            VarKind::Input { .. } | VarKind::Param => {}
            VarKind::Proposal { .. } | VarKind::Output | VarKind::Extern => {}
        }
    }
    builder.run(&rule.create);
    builder.run(&rule.constrain);
    builder.finish()
}

/// Integrate (already statements of `update`) and the proposals; the rest too where every step applies.
fn step(planner: &Planner<'_>) -> Flow {
    let rule = planner.rule;
    let every_step = rule.apply_when == When::EveryStep;
    let mut builder = FlowBuilder::new(rule, planner.setting());
    for (id, variable) in rule.variables.iter() {
        match variable.kind {
            VarKind::Output => builder.clear(id),
            VarKind::Proposal { .. } if every_step => builder.clear(id),
            VarKind::Proposal { .. }
            | VarKind::State
            | VarKind::Plastic { .. }
            | VarKind::Input { .. }
            | VarKind::Param
            | VarKind::Extern => {}
        }
    }
    builder.run(&rule.update);
    if every_step {
        builder.run(&rule.modulate);
        builder.run(&rule.apply);
        builder.run(&rule.constrain);
    }
    let mut flow = builder.finish();
    if every_step {
        // The proposals end with the step.
        flow.writes.retain(|write| !matches!(rule.variables[write.variable].kind, VarKind::Proposal { .. }));
    }
    flow
}

/// Modulate, apply and constrain; the proposals start again from 0.
fn commit(planner: &Planner<'_>) -> Flow {
    let rule = planner.rule;
    let mut builder = FlowBuilder::new(rule, planner.setting());
    builder.run(&rule.modulate);
    builder.run(&rule.apply);
    builder.run(&rule.constrain);
    for (id, variable) in rule.variables.iter() {
        if matches!(variable.kind, VarKind::Proposal { .. }) {
            builder.clear(id);
        }
    }
    builder.finish()
}

fn with_constrain(planner: &Planner<'_>, body: &Block) -> Flow {
    let mut builder = FlowBuilder::new(planner.rule, planner.setting());
    builder.run(body);
    builder.run(&planner.rule.constrain);
    builder.finish()
}

/// A period with its expression in the prologue.
fn copy_period(planner: &mut Planner<'_>, period: Period) -> Period {
    let mut copy = |id: ir::ExprId| {
        let mut graph = crate::flow::Graph::new();
        let mut map = std::collections::HashMap::new();
        for source in ir::operands::reachable(&planner.rule.exprs, [id]) {
            let expr = &planner.rule.exprs[source];
            let kind = expr.kind.map_operands(|operand| map[&operand]);
            let expr = ir::Expr { kind, ty: expr.ty, shape: expr.shape };
            map.insert(source, graph.add(expr, planner.rule.expr_spans[source.index()]));
        }
        planner.next_graph();
        let place = planner.prologue_result(&graph, map[&id]);
        planner.prologue_results[place]
    };
    match period {
        Period::Steps(id) => Period::Steps(copy(id)),
        Period::Time(id) => Period::Time(copy(id)),
    }
}
