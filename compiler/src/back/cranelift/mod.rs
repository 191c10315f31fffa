//! Machine code from a validated, expanded kernel.
//!
//! In goes a [`Kernel`] whose functions and random bits have been expanded; out comes a [`JitKernel`] that computes the
//! bits that the interpreter computes (any NaN equals any NaN), or the text of an intermediate stage. Lowering never
//! looks at the host: only instruction selection does, so every host gives the same results.
//!
//! A loop over independent iterations runs four at a time where all its statements allow it, with a scalar loop over
//! the rest; eight at a time where the host has the vectors and the body is straight. One that writes to places that are apart
//! runs in scalars, and short loops of scalars are written out a few times. Nothing is checked at run time: ranges are the
//! kernel's author's business.

mod access;
mod code;
mod convert;
mod form;
mod function;
mod isa;
mod lanes;
mod packed;
mod reduce;
mod routines;
mod scalar;
mod straight;
mod tile;
mod vary;
mod wide;
mod widen;
mod workshop;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_codegen::control::ControlPlane;

use crate::kernel::Kernel;
use crate::valid::kernel::KernelInfo;

use wide::WideLoops;
use workshop::Workshop;

pub use code::JitKernel;
pub use isa::Isa;
pub use routines::{DrawRoutine, FillRoutines, FunctionRoutine, Routines, TileRoutine};
pub use wide::AHEAD;

/// How a kernel is compiled. No choice changes a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JitOptions {
    /// Whether independent iterations share vector registers.
    pub simd: bool,
    /// How many vectors an iteration of a vector loop processes: 1 to 8, rounded down to a power of two.
    pub unroll: u8,
    /// Whether vectors of 256 bits are used where the host has them.
    pub wide: bool,
    /// Whether Cranelift checks the function that it is given.
    pub verify: bool,
}

impl Default for JitOptions {
    fn default() -> Self {
        Self { simd: true, unroll: 2, wide: true, verify: cfg!(debug_assertions) }
    }
}

/// Why there is no machine code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JitError {
    /// Cranelift has no back end for the host.
    #[error("no machine code for this host: {0}")]
    Host(String),
    /// The kernel still holds an operation that `expand` replaces.
    #[error("kernel `{0}` is not expanded")]
    NotExpanded(String),
    /// The operating system gave no executable memory.
    #[error("no executable memory: {0}")]
    Memory(String),
    /// A fault of our own or of Cranelift.
    #[error("internal compiler error, please report it: kernel `{kernel}`: {message}")]
    Internal {
        /// The kernel's name.
        kernel: String,
        /// What was reported.
        message: String,
    },
}

/// Compiles a kernel; `info` is what its validation found.
pub fn compile(
    kernel: &Kernel,
    info: &KernelInfo,
    isa: &Isa,
    options: &JitOptions,
) -> Result<JitKernel, JitError> {
    guarded(kernel, || {
        let mut workshop = isa.workshops.enter();
        let loops = lowered(kernel, info, isa, options, &mut workshop)?;
        let code = JitKernel::new(kernel, (&mut workshop.context, &loops), isa)?;
        isa.workshops.leave(workshop);
        Ok(code)
    })
}

/// The function before Cranelift's optimisations, as text.
pub fn clif(kernel: &Kernel, info: &KernelInfo, isa: &Isa, options: &JitOptions) -> Result<String, JitError> {
    guarded(kernel, || {
        let mut workshop = Workshop::new();
        lowered(kernel, info, isa, options, &mut workshop)?;
        Ok(workshop.context.func.display().to_string())
    })
}

/// The machine instructions, as text with symbolic labels instead of addresses; then the loops in wide vectors.
pub fn assembly(
    kernel: &Kernel,
    info: &KernelInfo,
    isa: &Isa,
    options: &JitOptions,
) -> Result<String, JitError> {
    guarded(kernel, || {
        let mut workshop = Workshop::new();
        let loops = lowered(kernel, info, isa, options, &mut workshop)?;
        workshop.context.set_disasm(true);
        let compiled = workshop
            .context
            .compile(&*isa.owned(loops.effort()), &mut ControlPlane::default())
            .map_err(|error| internal(kernel, format!("{:?}", error.inner)))?;
        let listing = compiled.vcode.clone().ok_or_else(|| internal(kernel, "no listing"))?;
        Ok(listing + &loops.listing())
    })
}

/// The loops that are made in vectors of 256 bits, as text, and the reasons why others are not.
pub fn loops(
    kernel: &Kernel,
    info: &KernelInfo,
    isa: &Isa,
    options: &JitOptions,
) -> Result<String, JitError> {
    guarded(kernel, || Ok(lowered(kernel, info, isa, options, &mut Workshop::new())?.listing()))
}

/// Writes the function of a kernel into an empty workshop; the loops that it calls.
fn lowered(
    kernel: &Kernel,
    info: &KernelInfo,
    isa: &Isa,
    options: &JitOptions,
    workshop: &mut Workshop,
) -> Result<WideLoops, JitError> {
    if !info.expanded || info.fills && !isa.routines.fills() {
        return Err(JitError::NotExpanded(kernel.name.clone()));
    }
    let loops = function::lower(kernel, isa, options, workshop);
    if options.verify {
        let function = &workshop.context.func;
        cranelift_codegen::verify_function(function, isa.target())
            .map_err(|errors| internal(kernel, format!("{errors}\n{}", function.display())))?;
    }
    Ok(loops)
}

/// Runs `work` and makes an error of a panic: Cranelift panics on some inputs that it does not support.
fn guarded<T>(kernel: &Kernel, work: impl FnOnce() -> Result<T, JitError>) -> Result<T, JitError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let message = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Err(internal(kernel, message))
    })
}

fn internal(kernel: &Kernel, message: impl Into<String>) -> JitError {
    JitError::Internal { kernel: kernel.name.clone(), message: message.into() }
}
