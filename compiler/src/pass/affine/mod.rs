//! What the synapses of a row do while its presynaptic neuron is silent, as a recurrence with a closed form.
//!
//! In: the step's flow. Out: a proof, or the expression that stands in its way. The proof is one of equality up to
//! rounding, not to the bit; a group has to ask for plans that rest on it.
//!
//! # The recurrence
//! Let s be the states of a synapse (i, j) that change while neuron i is silent. They are *affine* where
//!
//! > s(t) = A(t) s(t − 1) + Σ_r x_r(t) B_r(t, j),
//!
//! with a matrix A of values of the group (parameters, inputs, the time), products x_r of states of neuron i, and vectors
//! B_r of values of neuron j. (An x_r may be the number 1.) Every state of neuron i in x_r has to decay by a factor of
//! parameters and `dt` alone, so that x_r(t) = d_r x_r(t − 1) between two spikes. A variable with bounds *saturates*: its
//! row of A is that of the identity, no other state reads it, and all that is added to it has one sign, so that one clip
//! after many steps is the same as one in each.
//!
//! # Virtual rows
//! Everything that neuron j contributes is the same for all rows up to the factor x_r. So cut the steps into blocks of
//! length b, and let a *virtual row* with x_r = 1 and s = 0 at each block's start go through the same steps:
//!
//! > V_r(t, j) = A(t) V_r(t − 1, j) + f_r(t) B_r(t, j), with f_r = d_r^(t − start) and V_r(start − 1, j) = 0.
//!
//! A row last touched at step l, in whose block e is the last step that is wanted, is then
//!
//! > s(e) = Φ s(l) + Σ_r g_r [V_r(e, j) − Φ V_r(l, j)],   Φ = A(e) … A(l + 1),   g_r = x_r(l + 1) / f_r(l + 1),
//!
//! because both recurrences are linear and differ, after l, by the factor g_r only. In later blocks V_r(l, j) is 0. V, f and
//! A are kept for some hundred steps, for all rows together; a row needs numbers of its own (Φ, g_r) and one pass over its
//! synapses for each block that it has slept through.
//!
//! # Rounding
//! The difference V_r(e) − Φ V_r(l) has the rounding errors of V_r(l), and g_r makes them larger by 1 / f_r(l + 1). Blocks
//! are therefore as long as every d_r^b stays within [0.01, 100]: two digits at most. With u the unit roundoff, the
//! error that one catching up adds to a synapse is below about 100 u · |x_r(l + 1)| · max |V_r|, some ten units in the last
//! place of the changes themselves, with no preferred sign; `reference` has the test. For a trace of time constant τ, b
//! is 4.6 τ / dt, and at most [`LONGEST_BLOCK`]. A trace so fast that d < 0.01 has blocks of one step, which is right, but
//! costs a pass for each step: a rule whose fastest trace decays within a few steps gains nothing from the plan.
//!
//! Φ, f and g are computed in f64, from coefficients whose parameters have been rounded as the rule rounds them: a product
//! of many factors then has the error of one. V itself is accumulated in f64 where A is not the identity, and kept in the
//! group's precision.

mod form;
mod read;
#[cfg(test)]
mod reference;
mod sign;
mod silent;
mod spread;

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Graph, Write};
use crate::ir::{BinaryOp, ExprId, ExprKind, Rule, Type, VarId};
use crate::kernel::Precision;
use crate::pass::sparsity::{self, Clip};
use crate::source::Span;
use form::{Algebra, Form, Monomial, Spot};
use read::Reader;
pub use sign::never_negative;
use sign::{Known, Signs};
pub use spread::spread;

/// So many states a recurrence may have: what a row needs grows with their cube.
const MOST_STATES: usize = 8;

/// The longest block of steps.
pub const LONGEST_BLOCK: u32 = 128;

/// Why there is no closed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What stands in the way: `` `w` would need … ``.
    pub reason: String,
    /// Where.
    pub span: Span,
}

/// The recurrence of a row whose presynaptic neuron is silent. Expressions belong to the graph that it was found in.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The states, in the order of the writes.
    pub states: Vec<State>,
    /// A, by row and column: global values; `None` is 0.
    pub matrix: Vec<Vec<Option<ExprId>>>,
    /// One for each x_r.
    pub drives: Vec<Drive>,
    /// States of neurons that the proof takes for never negative: no rule text makes them so, but a host might.
    pub positive: BTreeSet<VarId>,
}

/// A state of the synapse.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Which variable.
    pub variable: VarId,
    /// Which element.
    pub element: u32,
    /// What its present value is called in the graph.
    pub load: ExprId,
    /// The clips that it ends with, innermost first.
    pub clips: Vec<Clip>,
}

/// What one product of presynaptic values contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Drive {
    /// The values that x_r is the product of, each as often as it is a factor.
    pub factors: Vec<(VarId, u32)>,
    /// The factor that each of them decays by in a step, of parameters and `dt` only.
    pub decays: Vec<ExprId>,
    /// B_r, by state: values of the postsynaptic neuron or of the group; `None` is 0.
    pub inputs: Vec<Option<ExprId>>,
}

impl Affine {
    /// Whether the states stay as they are but for what is added.
    pub fn is_identity(&self, graph: &Graph, precision: Precision) -> bool {
        let one = |id: ExprId| {
            crate::pass::fold::known(graph, id, precision) == Some(crate::pass::fold::Known::Real(1.0))
        };
        self.matrix.iter().enumerate().all(|(row, entries)| {
            entries.iter().enumerate().all(|(column, entry)| match entry {
                Some(id) => row == column && one(*id),
                None => row != column,
            })
        })
    }
}

/// What the proof starts from.
pub struct Question<'a> {
    /// The rule, finished and integrated.
    pub rule: &'a Rule,
    /// All writes of the step.
    pub writes: &'a [Write],
    /// Those of synapses, each with the clips that constrain ends with.
    pub synapses: &'a [(Write, Vec<Clip>)],
    /// States that are never negative: [`never_negative`].
    pub positive: &'a BTreeSet<VarId>,
    /// The precision of the group.
    pub precision: Precision,
}

/// The recurrence of a silent row, or what stands in its way. The graph gains expressions.
///
/// # Errors
/// The first expression that is neither affine nor saturating.
pub fn closed_form(graph: &mut Graph, question: &Question<'_>) -> Result<Affine, Stop> {
    let Question { rule, synapses, precision, .. } = question;
    let roots: Vec<ExprId> = synapses.iter().map(|(write, _)| write.value).collect();
    let values = silent::silent(graph, &roots, *precision);
    let mut moving = Vec::new();
    for ((write, last_clips), value) in synapses.iter().zip(values) {
        let (inner, clips) = unclipped(graph, value);
        let here = ExprKind::Load { variable: write.variable, element: write.element };
        let same_clips = clips.is_empty() || clips == *last_clips;
        if graph.get(inner).kind == here && same_clips {
            continue;
        }
        let address = rule.variables[write.variable].address();
        if !same_clips {
            let reason = format!("`{address}` is clipped to bounds that constrain does not end with");
            return Err(Stop { reason, span: write.span });
        }
        if rule.variables[write.variable].ty != Type::Real {
            let reason = format!("`{address}` is no real number, and changes without a presynaptic spike");
            return Err(Stop { reason, span: write.span });
        }
        moving.push((*write, inner, clips));
    }
    if let Some((write, ..)) = moving.get(MOST_STATES) {
        let reason =
            format!("more than {MOST_STATES} values of a synapse change without a presynaptic spike");
        return Err(Stop { reason, span: write.span });
    }
    let spots: Vec<Spot> = moving.iter().map(|(write, ..)| (write.variable, write.element)).collect();
    let algebra = Algebra { graph, precision: *precision };
    let mut reader = Reader::new(algebra, rule, spots.clone());
    let mut forms = Vec::new();
    for (_, inner, _) in &moving {
        forms.push(reader.form(*inner)?);
    }
    let mut affine =
        Affine { states: Vec::new(), matrix: Vec::new(), drives: Vec::new(), positive: BTreeSet::new() };
    for (write, _, clips) in &moving {
        let span = write.span;
        let shape = rule.variables[write.variable].shape;
        let kind = ExprKind::Load { variable: write.variable, element: write.element };
        let load = reader.algebra.graph.add(crate::ir::Expr { kind, ty: Type::Real, shape }, span);
        affine.states.push(State {
            variable: write.variable,
            element: write.element,
            load,
            clips: clips.clone(),
        });
    }
    take_apart(&mut reader, &spots, &forms, &mut affine)?;
    decays(&mut reader, question, &mut affine)?;
    saturates(&reader, question, &moving, &forms, &mut affine)?;
    Ok(affine)
}

/// The value inside the clips to fixed bounds, and these, innermost first.
fn unclipped(graph: &Graph, value: ExprId) -> (ExprId, Vec<Clip>) {
    let (mut inner, mut clips) = (value, Vec::new());
    while let ExprKind::Binary(op @ (BinaryOp::Min | BinaryOp::Max), below, bound) = graph.get(inner).kind
        && sparsity::is_fixed(graph, bound)
    {
        clips.push((op, bound));
        inner = below;
    }
    clips.reverse();
    (inner, clips)
}

/// The matrix and the drives of linear forms.
fn take_apart(
    reader: &mut Reader<'_, '_>,
    spots: &[Spot],
    forms: &[Form],
    affine: &mut Affine,
) -> Result<(), Stop> {
    let count = spots.len();
    let mut drives: BTreeMap<Vec<Spot>, Drive> = BTreeMap::new();
    for (row, form) in forms.iter().enumerate() {
        let mut entries = vec![None; count];
        for (Monomial { states, pre }, &(coefficient, span)) in &form.terms {
            let graph = &reader.algebra.graph;
            let name = |spot: &Spot| reader.rule.variables[spot.0].address();
            let Some(state) = states.first() else {
                let drive = drives.entry(pre.clone()).or_insert_with(|| Drive {
                    factors: pre.clone(),
                    decays: Vec::new(),
                    inputs: vec![None; count],
                });
                drive.inputs[row] = Some(coefficient);
                continue;
            };
            let reason = if states.len() > 1 {
                format!("a product of `{}` with itself or another state of the synapse", name(state))
            } else if let Some(trace) = pre.first() {
                format!("`{}` changes by a factor that depends on `{}`", name(state), name(trace))
            } else if graph.get(coefficient).shape.domain != crate::ir::Domain::Global {
                format!("`{}` changes by a factor that differs between postsynaptic neurons", name(state))
            } else {
                let column = spots.iter().position(|spot| spot == state);
                let Some(column) = column else { crate::ice!("{state:?} is no state of the recurrence") };
                entries[column] = Some(coefficient);
                continue;
            };
            return Err(Stop { reason, span });
        }
        affine.matrix.push(entries);
    }
    affine.drives = drives.into_values().collect();
    Ok(())
}

/// The factors by which presynaptic values decay.
fn decays(reader: &mut Reader<'_, '_>, question: &Question<'_>, affine: &mut Affine) -> Result<(), Stop> {
    for drive in &mut affine.drives {
        for factor in drive.factors.clone() {
            let decay = decay(reader, question, factor)?;
            drive.decays.push(decay);
        }
    }
    Ok(())
}

fn decay(reader: &mut Reader<'_, '_>, question: &Question<'_>, spot: Spot) -> Result<ExprId, Stop> {
    let variable = &question.rule.variables[spot.0];
    let write = question.writes.iter().find(|write| (write.variable, write.element) == spot);
    let Some(write) = write else { return Ok(reader.algebra.graph.real(1.0, variable.span)) };
    let value = silent::silent(reader.algebra.graph, &[write.value], question.precision)[0];
    let own = Monomial { states: Vec::new(), pre: vec![spot] };
    let stop = |span: Span, how: &str| {
        let reason = format!("`{}` of a silent neuron {how}", variable.address());
        Err(Stop { reason, span })
    };
    let form = match reader.form(value) {
        Ok(form) => form,
        Err(Stop { reason, span }) => return stop(span, &format!("is not a decaying trace: {reason}")),
    };
    if let Some((_, (_, span))) = form.terms.iter().find(|(monomial, _)| **monomial != own) {
        return stop(*span, "is not only multiplied by a factor");
    }
    match form.terms.get(&own) {
        Some(&(factor, span)) => {
            if sparsity::is_fixed(reader.algebra.graph, factor) {
                Ok(factor)
            } else {
                stop(span, "decays by a factor that not only parameters decide")
            }
        }
        // It is 0 after a step.
        None => Ok(reader.algebra.graph.real(0.0, write.span)),
    }
}

/// That a clip once is a clip in every step.
fn saturates(
    reader: &Reader<'_, '_>,
    question: &Question<'_>,
    moving: &[(Write, ExprId, Vec<Clip>)],
    forms: &[Form],
    affine: &mut Affine,
) -> Result<(), Stop> {
    let graph = &reader.algebra.graph;
    for (row, (write, _, clips)) in moving.iter().enumerate() {
        if clips.is_empty() {
            continue;
        }
        let address = question.rule.variables[write.variable].address();
        for (other, entries) in affine.matrix.iter().enumerate() {
            // Which entry is not that of the identity, in its row and its column.
            let wrong = (0..entries.len()).find(|&column| match entries[column] {
                _ if row != other && row != column => false,
                Some(factor) => row != other || row != column || !reader.algebra.is_one(factor),
                None => row == other && row == column,
            });
            if let Some(column) = wrong {
                let reason = if row == other && row == column {
                    format!("`{address}` has bounds, and is not only added to")
                } else {
                    format!(
                        "`{address}` has bounds, and does not stand alone: another state reads it, or it reads one"
                    )
                };
                let read = (moving[column].0.variable, moving[column].0.element);
                let term = Monomial { states: vec![read], pre: Vec::new() };
                let span = forms[other].terms.get(&term).map_or(write.span, |(_, span)| *span);
                return Err(Stop { reason, span });
            }
        }
        let mut all = Known::Zero;
        for drive in &affine.drives {
            let Some(input) = drive.inputs[row] else { continue };
            let signs = Signs { rule: question.rule, positive: question.positive };
            let mut sign = signs.of(graph, input);
            used(graph, input, question.positive, &mut affine.positive);
            for (&spot, &decay) in drive.factors.iter().zip(&drive.decays) {
                // In one row a single trace may have any sign, as long as it keeps it.
                let keeps = signs.of(graph, decay).is_positive();
                let of_value = if keeps && affine.drives.len() == 1 {
                    Known::of_row(spot)
                } else if question.positive.contains(&spot.0) {
                    affine.positive.insert(spot.0);
                    Known::positive()
                } else if keeps {
                    Known::of_row(spot)
                } else {
                    Known::Open
                };
                sign = sign.times(of_value);
            }
            all = all.either(sign);
            if all == Known::Open {
                let reason = format!(
                    "`{address}` has bounds, and what is added to it is not proved to be of one sign"
                );
                return Err(Stop { reason, span: graph.span(input) });
            }
        }
    }
    Ok(())
}

/// Notes which states an expression reads that are taken for never negative.
fn used(graph: &Graph, root: ExprId, positive: &BTreeSet<VarId>, used: &mut BTreeSet<VarId>) {
    for id in crate::ir::operands::reachable(graph.exprs(), [root]) {
        if let ExprKind::Load { variable, .. } = graph.get(id).kind
            && positive.contains(&variable)
        {
            used.insert(variable);
        }
    }
}
