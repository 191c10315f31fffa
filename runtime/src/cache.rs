//! Compiled kernels of the process, found again by what they do.
//!
//! The key is the whole kernel and nothing else: neither parameters nor sizes are part of a kernel, so changing them
//! compiles nothing. The cache keeps weak references: machine code is freed with the last group that uses it.

#[cfg(feature = "jit")]
pub(crate) use compiled::KernelCache;

#[cfg(not(feature = "jit"))]
#[derive(Default)]
pub(crate) struct KernelCache;

#[cfg(not(feature = "jit"))]
impl KernelCache {
    pub(crate) fn shared() -> std::sync::Arc<Self> {
        std::sync::Arc::default()
    }

    pub(crate) fn compilations(&self) -> u64 {
        0
    }
}

#[cfg(feature = "jit")]
mod compiled {
    use std::collections::HashMap;
    use std::collections::hash_map::DefaultHasher;
    use std::hash::{Hash as _, Hasher as _};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

    use aplysia_compiler::back::cranelift::{self, Isa, JitError, JitKernel, JitOptions};
    use aplysia_compiler::ice;
    use aplysia_compiler::kernel::Kernel;
    use aplysia_compiler::valid::kernel::validate;

    use crate::error::{Error, Result};

    /// See the module.
    #[derive(Default)]
    pub(crate) struct KernelCache {
        /// By the hash of what a kernel computes.
        known: Mutex<HashMap<u64, Vec<Known>>>,
        compilations: AtomicU64,
    }

    /// A kernel, and its code while somebody has it.
    struct Known {
        kernel: Kernel,
        code: Weak<JitKernel>,
    }

    impl KernelCache {
        /// The cache of the process.
        pub(crate) fn shared() -> Arc<Self> {
            static SHARED: OnceLock<Arc<KernelCache>> = OnceLock::new();
            SHARED.get_or_init(Arc::default).clone()
        }

        /// How many kernels have been compiled through this cache.
        pub(crate) fn compilations(&self) -> u64 {
            self.compilations.load(Ordering::Relaxed)
        }

        /// The machine code of a kernel.
        pub(crate) fn get(&self, kernel: &Kernel) -> Result<Arc<JitKernel>> {
            // The instruction set is the process's own and does not change, and the precision is in the types.
            let key = hash(kernel);
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let same = known.get(&key).into_iter().flatten().find(|known| known.kernel == *kernel);
            if let Some(code) = same.and_then(|known| known.code.upgrade()) {
                return Ok(code);
            }
            let code = compile(kernel).map_err(|error| Error::BadDevice { reason: error.to_string() })?;
            let code = Arc::new(code);
            self.compilations.fetch_add(1, Ordering::Relaxed);
            known.retain(|_, list| {
                list.retain(|known| known.code.strong_count() > 0);
                !list.is_empty()
            });
            known.entry(key).or_default().push(Known { kernel: kernel.clone(), code: Arc::downgrade(&code) });
            Ok(code)
        }
    }

    /// Equal kernels have equal hashes: that of the name and of all values, which make kernels differ.
    fn hash(kernel: &Kernel) -> u64 {
        let mut state = DefaultHasher::new();
        kernel.name.hash(&mut state);
        for (_, value) in kernel.values.iter() {
            (value.ty, &value.op).hash(&mut state);
        }
        state.finish()
    }

    fn compile(kernel: &Kernel) -> Result<JitKernel, JitError> {
        static HOST: OnceLock<Result<Isa, JitError>> = OnceLock::new();
        let isa = HOST.get_or_init(Isa::host).as_ref().map_err(JitError::clone)?;
        let info = match validate(kernel) {
            Ok(info) => info,
            Err(faults) => ice!("kernel `{}` is not valid: {}", kernel.name, faults.join("; ")),
        };
        cranelift::compile(kernel, &info, isa, &JitOptions::default())
    }
}
