//! Seeded faults: each is put into a rule or a program between planning and running, and the comparison must see it.

use aplysia_compiler::ir::{ExprKind, Statement};
use aplysia_compiler::kernel::{Block, LoopKind, Precision, Stmt};
use aplysia_compiler::plan::program::{Action, Program};
use aplysia_compiler::plan::{self, PlanChoice};
use libtest_mimic::{Failed, Trial};

use crate::differential::{Seen, expected};
use crate::machine::planned::{Planned, options};
use crate::machine::script::{Script, script};
use crate::machine::{Case, compare, trace};

/// One trial a fault.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("faults::wrong_row_proof", wrong_row_proof),
        Trial::test("faults::double_apply", double_apply),
        Trial::test("faults::swapped_trace_order", swapped_trace_order),
        Trial::test("faults::stale_read", stale_read),
        Trial::test("faults::wrong_draw_site", wrong_draw_site),
    ]
}

/// Pairs of spikes with exact traces; a coincidence counts as pre before post.
const STDP: &str = "rule stdp {
    param a = 0.01; param b = 0.012; param tau = 20 ms;
    plastic w in 0 .. 1 = 0.5;
    pre state x; post state y;
    dx/dt = -x / tau; dy/dt = -y / tau;
    on pre { x += 1; dw -= b * y; }
    on post { y += 1; dw += a * x; }
}";

const NOISY: &str = "rule noisy {
    plastic w = 0.5;
    update { dw += 0.1 * normal[synapse](0, 1); dw -= 0.3 * w * normal[synapse](0, 1); }
}";

/// The program of a rule runs against the rule interpreter: without the fault they agree, with it they do not.
fn must_be_caught(
    text: &str,
    choice: PlanChoice,
    fault: impl FnOnce(&Case, &Script, &mut Program),
) -> Result<(), Failed> {
    let case = Case::must("fault", text);
    let script = script(&case.rule, (33, 40), Precision::F32, 14, 2);
    let expected = expected(&case, &script, &mut Seen::default())?;
    let mut program = plan::compile(&case.rule, &options(&script, choice)).map_err(|_| "not planned")?;
    let run = |program: &Program| {
        let mut machine = Planned::new(&case.rule, program, &script, 1);
        let found = trace(&case.rule, &mut machine, &script)?;
        compare(&case.rule, &expected, &found)
    };
    run(&program).map_err(|error| format!("before the fault: {error}"))?;
    let sound = program.clone();
    fault(&case, &script, &mut program);
    if program == sound {
        return Err("the fault changed nothing".into());
    }
    match run(&program) {
        Ok(()) => Err("the fault was not seen".into()),
        Err(_) => Ok(()),
    }
}

/// The plan believes that only rows of spiking neurons change.
fn wrong_row_proof() -> Result<(), Failed> {
    must_be_caught(STDP, PlanChoice::Events, |_, _, program| {
        for (_, kernel) in program.kernels.iter_mut() {
            if kernel.name.contains("event") {
                drop_serial_loops(&mut kernel.body);
            }
        }
    })
}

/// Takes out every loop over a list of events inside a row.
fn drop_serial_loops(block: &mut Block) {
    block.retain(|statement| !matches!(statement, Stmt::For(inner) if inner.kind == LoopKind::Serial));
    for statement in block {
        match statement {
            Stmt::If { then, otherwise, .. } => {
                drop_serial_loops(then);
                drop_serial_loops(otherwise);
            }
            Stmt::For(inner) => drop_serial_loops(&mut inner.body),
            Stmt::Let(_)
            | Stmt::Store { .. }
            | Stmt::Reduce(_)
            | Stmt::Tile(_)
            | Stmt::Fill(_)
            | Stmt::Fetch(_) => {}
        }
    }
}

fn double_apply() -> Result<(), Failed> {
    must_be_caught(STDP, PlanChoice::FullPass, |_, _, program| {
        let last = program.step.actions.last().cloned();
        program.step.actions.extend(last);
    })
}

fn swapped_trace_order() -> Result<(), Failed> {
    must_be_caught(STDP, PlanChoice::Auto, |case, script, program| {
        let mut swapped = case.rule.clone();
        let ifs: Vec<usize> = (0..swapped.update.len())
            .filter(|&place| matches!(swapped.update[place], Statement::If { .. }))
            .collect();
        // A handler is its condition's `let` and the `if`.
        let (first, second) = (ifs[0], ifs[1]);
        swapped.update.swap(first, second);
        swapped.update.swap(first - 1, second - 1);
        *program =
            plan::compile(&swapped, &options(script, PlanChoice::Auto)).expect("the other order is a rule");
    })
}

/// The synapses are computed before the traces are.
fn stale_read() -> Result<(), Failed> {
    must_be_caught(STDP, PlanChoice::FullPass, |_, _, program| {
        let launches = program.step.actions.iter().filter(|action| matches!(action, Action::Launch(_)));
        assert!(launches.count() > 1, "the traces and the synapses are one launch");
        program.step.actions.rotate_right(1);
    })
}

fn wrong_draw_site() -> Result<(), Failed> {
    must_be_caught(NOISY, PlanChoice::FullPass, |case, script, program| {
        let mut wrong = case.rule.clone();
        let sites: Vec<_> = wrong.sites.handles().collect();
        for (_, expr) in wrong.exprs.iter_mut() {
            if let ExprKind::Draw { site, .. } = &mut expr.kind {
                *site = sites[1 - site.index()];
            }
        }
        *program = plan::compile(&wrong, &options(script, PlanChoice::FullPass))
            .expect("the other sites are a rule");
    })
}
