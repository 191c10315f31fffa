//! Rewriting that never changes a bit, and what a group makes of a rule.
//!
//! `delays` is the one that changes what a rule does: it puts a group's delays into it. `integrate` turns the equations
//! of a rule into statements; `specialise` gives it the shapes of a topology; the passes of [`PIPELINE`] rewrite a flow. Equal
//! expressions are one from the start, because a graph gives them one node; hoisting of per-neuron work, splitting
//! around reductions and the choice of rows and columns (`sparsity`) happen when a flow is planned.

pub mod affine;
pub mod dead;
pub mod delays;
pub mod fold;
pub mod integrate;
pub mod sparsity;
pub mod specialise;

use crate::flow::Flow;

/// A named rewriting of a flow.
pub struct Pass {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// The rewriting.
    pub run: fn(&Flow) -> Flow,
}

/// The passes, in order. `dead` comes last, since folding leaves operands that nothing needs.
pub const PIPELINE: &[Pass] = &[
    Pass {
        name: "fold",
        description: "operations on constants, and identities that hold for every bit",
        run: fold::fold,
    },
    Pass { name: "dead", description: "drops expressions that no write needs", run: dead::dead },
];

/// Runs the pipeline; in debug builds each result is verified.
pub fn run_pipeline(flow: &Flow) -> Flow {
    let mut flow = flow.clone();
    for pass in PIPELINE {
        flow = (pass.run)(&flow);
        if cfg!(debug_assertions)
            && let Err(faults) = crate::valid::flow::validate(&flow)
        {
            crate::ice!("pass `{}` broke the flow: {}", pass.name, faults.join("; "));
        }
    }
    flow
}
