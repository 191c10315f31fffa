//! The executable memory of a kernel: the only unsafe code of the back end.

use std::fmt;
use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError, default_libcall_names};

use super::wide::{WIDE_ALIGNMENT, WideLoops, signature as wide_signature};
use super::{Isa, JitError, internal};
use crate::kernel::Kernel;

type Entry = unsafe extern "C" fn(*const *mut u8, *const u64, u64, u64);

/// Machine code of one kernel. Clones share it; its memory is freed with the last.
///
/// The memory is writable until the code is complete and executable from then on, never both.
#[derive(Clone)]
pub struct JitKernel {
    code: Arc<Code>,
}

struct Code {
    name: String,
    entry: Entry,
    size: usize,
    /// Taken when dropped.
    module: Option<JITModule>,
}

// SAFETY: after `JitKernel::new` nobody reads or changes the module until `drop`, which has the only reference; the
// code itself is read-only memory, and freeing it is not bound to a thread.
unsafe impl Send for Code {}
// SAFETY: as above: shared access only reads `name`, `size` and `entry`, none of which ever changes.
unsafe impl Sync for Code {}

impl JitKernel {
    pub(super) fn new(
        kernel: &Kernel,
        (context, loops): (&mut Context, &WideLoops),
        isa: &Isa,
    ) -> Result<Self, JitError> {
        if !isa.runs_here() {
            return Err(JitError::Host(format!("{isa:?} is another machine's")));
        }
        let mut builder = JITBuilder::with_isa(isa.owned(loops.effort()), default_libcall_names());
        // Ours, so that nothing depends on which symbols of the C library are linked.
        builder.symbol("fmaf", fma_f32 as *const u8).symbol("fma", fma_f64 as *const u8);
        builder.symbol("floorf", floor_f32 as *const u8).symbol("floor", floor_f64 as *const u8);
        builder.symbol("nearbyintf", nearest_f32 as *const u8);
        builder.symbol("nearbyint", nearest_f64 as *const u8);
        // Owned from here on, so that an error frees the memory too.
        let mut owner = Owner(Some(JITModule::new(builder)));
        let module = owner.0.as_mut().expect("just made");
        let signature = context.func.signature.clone();
        let failed = |error: ModuleError| match error {
            ModuleError::Allocation { .. } => JitError::Memory(error.to_string()),
            other => internal(kernel, format!("{other:?}")),
        };
        let id = module.declare_function("kernel", Linkage::Export, &signature).map_err(failed)?;
        let mut size = 0;
        for (number, bytes) in loops.codes().enumerate() {
            // In the order in which the kernel counts them.
            let name = format!("loop{number}");
            let signature = wide_signature(module.target_config());
            let id = module.declare_function(&name, Linkage::Local, &signature).map_err(failed)?;
            if id.as_u32() as usize != number + 1 {
                return Err(internal(kernel, "the module counts its functions differently"));
            }
            module.define_function_bytes(id, WIDE_ALIGNMENT, bytes, &[]).map_err(failed)?;
            size += bytes.len();
        }
        module.define_function(id, context).map_err(failed)?;
        size += context.compiled_code().map_or(0, |code| code.code_buffer().len());
        module.finalize_definitions().map_err(|error| JitError::Memory(error.to_string()))?;
        let address = module.get_finalized_function(id);
        // SAFETY: the address is that of a finished function whose signature is, parameter by parameter, that of
        // `Entry`, in the default calling convention of the host.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(address) };
        Ok(Self { code: Arc::new(Code { name: kernel.name.clone(), entry, size, module: owner.0.take() }) })
    }

    /// Runs blocks `first .. end`.
    ///
    /// # Safety
    /// `pointers` holds one pointer for each buffer and `scalars` one slot for each scalar of the kernel, in its order.
    /// Each buffer is valid for every element that the kernel reads or writes in these blocks, given these scalars;
    /// no other thread writes what the call reads or touches what it writes.
    pub unsafe fn call(&self, pointers: *const *mut u8, scalars: *const u64, first: u64, end: u64) {
        // SAFETY: the caller's promise; the code lives as long as `self`.
        unsafe { (self.code.entry)(pointers, scalars, first, end) }
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.code.name
    }

    /// Bytes of machine code.
    pub fn code_size(&self) -> usize {
        self.code.size
    }
}

impl fmt::Debug for JitKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JitKernel({}, {} bytes)", self.code.name, self.code.size)
    }
}

/// A module whose code nobody has yet.
struct Owner(Option<JITModule>);

impl Drop for Owner {
    fn drop(&mut self) {
        free(self.0.take());
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        free(self.module.take());
    }
}

fn free(module: Option<JITModule>) {
    if let Some(module) = module {
        // SAFETY: both callers are dropping the only thing that could have run the code: no call is under way,
        // since a call borrows a handle, and the entry is not reachable any more.
        unsafe { module.free_memory() }
    }
}

extern "C" fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    a.mul_add(b, c)
}

extern "C" fn fma_f64(a: f64, b: f64, c: f64) -> f64 {
    a.mul_add(b, c)
}

extern "C" fn floor_f32(a: f32) -> f32 {
    a.floor()
}

extern "C" fn floor_f64(a: f64) -> f64 {
    a.floor()
}

extern "C" fn nearest_f32(a: f32) -> f32 {
    a.round_ties_even()
}

extern "C" fn nearest_f64(a: f64) -> f64 {
    a.round_ties_even()
}
