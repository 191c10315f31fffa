//! Sums, minima and maxima of 32 accumulators.

use iced_x86::Code;

use super::inst::{Body, Carried, Input, Source, Vector};
use super::select::{LANES, Lanes, Reason, Select};
use crate::back::cranelift::vary::{Values, Varying};
use crate::kernel::*;

/// The accumulators of `Lanes32`.
const ACCUMULATORS: i64 = 32;

/// The instructions that take 32 terms to 32 accumulators, which begin as `identity` and are left in memory at the end.
pub(super) fn select(
    kernel: &Kernel,
    reduce: &Reduce,
    varying: &Varying,
    hoisted: &Values,
    identity: Constant,
) -> Result<Body, Reason> {
    let copies = ACCUMULATORS / LANES;
    let mut select = Select::new(kernel, reduce.index, (varying, hoisted), copies);
    let room = select.body.input(Input::Accumulators);
    let ty = kernel.values[reduce.result].ty;
    let initial = Source::Literal(splat(identity));
    for copy in 0..copies {
        select.copy(copy, &reduce.body)?;
        let halves = if ty.size() == 8 { 2 } else { 1 };
        let before: Vec<Vector> = (0..halves).map(|_| select.body.vector()).collect();
        let after = select.accumulate(reduce, ty, &before)?;
        for (half, (&value, next)) in before.iter().zip(after).enumerate() {
            let result = (room, 32 * (copy * halves + half as i64));
            select.body.carried.push(Carried { value, initial, next, result });
        }
    }
    Ok(select.body)
}

/// A literal in all lanes.
fn splat(constant: Constant) -> [u8; 32] {
    let bytes: Vec<u8> = match constant {
        Constant::F32(bits) => bits.to_le_bytes().repeat(8),
        Constant::I32(word) => word.to_le_bytes().repeat(8),
        Constant::F64(bits) => bits.to_le_bytes().repeat(4),
        Constant::I64(word) => word.to_le_bytes().repeat(4),
        Constant::Bool(_) => crate::ice!("a reduction does not give a condition"),
    };
    let mut literal = [0; 32];
    literal.copy_from_slice(&bytes);
    literal
}

impl Select<'_> {
    /// Accumulators with the terms that the body has just computed.
    fn accumulate(&mut self, reduce: &Reduce, ty: Type, before: &[Vector]) -> Result<Vec<Vector>, Reason> {
        let after = match reduce.term {
            Term::Product(a, b) => {
                let code = match ty {
                    Type::F32 => Code::VEX_Vfmadd231ps_ymm_ymm_ymmm256,
                    _ => Code::VEX_Vfmadd231pd_ymm_ymm_ymmm256,
                };
                let (a, b) = (self.registers(a)?, self.registers(b)?);
                (0..before.len()).map(|half| self.body.tied(code, [before[half], a[half], b[half]])).collect()
            }
            Term::Value(value) => {
                let terms = self.terms(value, ty)?;
                let op = match reduce.op {
                    ReduceOp::Sum | ReduceOp::Count => Binary::Add,
                    ReduceOp::Min => Binary::Min,
                    ReduceOp::Max => Binary::Max,
                };
                before
                    .iter()
                    .zip(terms)
                    .map(|(&before, term)| self.plain(op, ty, before, term))
                    .collect::<Result<Vec<_>, _>>()?
            }
        };
        let Some(gate) = reduce.gate else { return Ok(after) };
        let masks = match ty.size() {
            8 => self.wide(gate)?.to_vec(),
            _ => vec![self.narrow(gate)?],
        };
        let gated = (0..before.len()).map(|half| self.body.blend(masks[half], after[half], before[half]));
        Ok(gated.collect())
    }

    /// The lanes of a value as one or two vectors.
    fn registers(&mut self, value: ValueId) -> Result<Vec<Vector>, Reason> {
        Ok(match self.kernel.values[value].ty.size() {
            8 => self.two(value)?.to_vec(),
            _ => vec![self.one(value)?],
        })
    }

    /// A term in the type of its accumulator: a condition counts as 0 or 1.
    fn terms(&mut self, value: ValueId, ty: Type) -> Result<Vec<Vector>, Reason> {
        if self.kernel.values[value].ty != Type::Bool {
            return self.registers(value);
        }
        match self.convert(Conversion::Value, ty, value)? {
            Lanes::One(vector) => Ok(vec![vector]),
            Lanes::Two(pair) => Ok(pair.to_vec()),
            lanes => crate::ice!("{lanes:?} is no term"),
        }
    }
}
