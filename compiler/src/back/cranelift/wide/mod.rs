//! Loops over independent iterations in vectors of 256 bits.
//!
//! Cranelift's vectors have 128 bits. Where the host has AVX2 and FMA, a [`Lanes`](crate::kernel::LoopKind::Lanes) loop whose body
//! is straight becomes a function of its own, which the kernel calls for as many iterations as fill the vectors, and eight
//! iterations go through a register. Instructions are chosen one by one ([`select`]), registers by one walk over the body
//! ([`assign`]), and the bytes are ours ([`machine`], [`bytes`]). A loop that has what these lanes cannot do stays with
//! Cranelift, for a reason that the listing gives. Each lane does what the interpreter does, so the width changes no bit.

mod assign;
mod bytes;
mod call;
mod convert;
mod inst;
mod linear;
mod machine;
mod memory;
mod ops;
mod reduce;
mod select;

use cranelift_codegen::ir::{AbiParam, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};

use super::isa::Effort;
use super::vary::{Values, Varying};
use crate::kernel::{Kernel, Loop, ValueId};

pub(super) use inst::Gathers;
use inst::{Body, Input};
use machine::Code256;
pub use memory::AHEAD;
use select::Reason;

/// A loop in machine code.
pub(super) struct WideLoop {
    code: Code256,
    inputs: Vec<Input>,
    /// How many iterations go together.
    span: i64,
}

/// Bytes to which the code of a loop is aligned, for its literals.
pub(super) const WIDE_ALIGNMENT: u64 = 32;

/// The loops of a kernel.
#[derive(Default)]
pub(super) struct WideLoops {
    /// How vectors are gathered, where there may be any.
    gathers: Option<Gathers>,
    /// In the order of the kernel, with those that stay with Cranelift.
    loops: Vec<Result<WideLoop, Reason>>,
    /// What is left for Cranelift is worth this.
    effort: Effort,
}

impl WideLoops {
    /// None yet.
    pub fn new(gathers: Option<Gathers>) -> Self {
        Self { gathers, loops: Vec::new(), effort: Effort::Least }
    }

    /// A loop is left for Cranelift. A rest of iterations that fills no vector is none.
    pub fn leave_loop(&mut self) {
        self.effort = Effort::Most;
    }

    /// What is left for Cranelift is worth this.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// The machine code of each, in the order of the calls.
    pub fn codes(&self) -> impl Iterator<Item = &[u8]> {
        self.loops.iter().filter_map(|made| made.as_ref().ok()).map(|made| made.code.bytes.as_slice())
    }

    /// All as text.
    pub fn listing(&self) -> String {
        let mut text = String::new();
        let mut number = 0;
        for made in &self.loops {
            match made {
                Ok(made) => {
                    number += 1;
                    text.push_str(&format!("loop {number}, {} at once:\n{}", made.span, made.code.listing()));
                }
                Err(reason) => text.push_str(&format!("a loop four at once: {reason}\n")),
            }
        }
        text
    }
}

/// What a loop is called with: its list of inputs, its first index, and one past its last.
pub(super) fn signature(config: TargetFrontendConfig) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params = [config.pointer_type(), types::I64, types::I64].map(AbiParam::new).to_vec();
    signature
}

/// Makes a loop, or says what stands in the way. `hoisted` are the values of its body that are known before it, `assumed` is one
/// of them, or from outside, and what it is.
fn widen(
    kernel: &Kernel,
    inner: &Loop,
    varying: &Varying,
    hoisted: &Values,
    assumed: Option<(ValueId, bool)>,
    gathers: Gathers,
) -> Result<WideLoop, Reason> {
    let body = select::select(kernel, inner, varying, hoisted, assumed)?;
    made(Body { gathers, ..body })
}

/// Registers and bytes.
fn made(body: Body) -> Result<WideLoop, Reason> {
    let (body, assigned) = assign::assign(body);
    let code = machine::encode(&body, &assigned).ok_or("more vectors than the stack should hold")?;
    Ok(WideLoop { code, inputs: body.inputs, span: body.span })
}
