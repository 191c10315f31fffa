//! Devices: what carries out the program of a group.

mod allocate;
pub(crate) mod cpu;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
pub(crate) mod executor;
pub(crate) mod interpreter;
mod lag;
pub(crate) mod launch;
pub(crate) mod memory;
mod work;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// What carries out the kernels. Whatever the device, the bits are the same.
#[derive(Clone)]
pub struct Device {
    pub(crate) mode: Mode,
    pub(crate) threads: Threads,
    /// The work of a GPU.
    #[cfg(feature = "cuda")]
    pub(crate) gpu: Option<Arc<cuda::driver::Stream>>,
}

/// How kernels are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As machine code.
    #[cfg(feature = "jit")]
    Compiled,
    /// By the kernel interpreter.
    Interpreted,
    /// On an NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda,
}

/// Which threads take part.
#[derive(Clone)]
pub(crate) enum Threads {
    /// The caller's alone.
    One,
    /// The process's pool.
    Shared,
    /// A pool of the device.
    Own(Arc<rayon::ThreadPool>),
}

impl Device {
    /// The processor, with all its threads.
    #[cfg(feature = "jit")]
    pub fn cpu() -> Self {
        Self {
            mode: Mode::Compiled,
            threads: Threads::Shared,
            #[cfg(feature = "cuda")]
            gpu: None,
        }
    }

    /// The processor, with so many threads (0: as many as it has). The number changes the time, never a bit.
    ///
    /// # Errors
    /// If the threads cannot be started.
    #[cfg(feature = "jit")]
    pub fn cpu_with_threads(threads: usize) -> Result<Self> {
        Self::cpu().with_threads(threads)
    }

    /// The kernel interpreter: slow, and checked in every access. For tests and for processors without a compiler.
    pub fn interpreter() -> Self {
        Self {
            mode: Mode::Interpreted,
            threads: Threads::One,
            #[cfg(feature = "cuda")]
            gpu: None,
        }
    }

    /// An NVIDIA GPU, counted from 0: `cuda::gpus` lists them. Each engine has a stream of its own. Steps are carried
    /// out behind the host's back; reading waits for them.
    ///
    /// # Errors
    /// If the driver, NVRTC or the GPU is missing; the error says which, and where it comes from.
    #[cfg(feature = "cuda")]
    pub fn cuda(ordinal: usize) -> Result<Self> {
        let context = cuda::driver::Context::open(ordinal)?;
        let gpu = Some(Arc::new(cuda::driver::Stream::new(&context)?));
        Ok(Self { mode: Mode::Cuda, threads: Threads::One, gpu })
    }

    /// Whether a block of a launch runs on one thread, with a cache that a tile and a row fit into.
    pub(crate) fn is_processor(&self) -> bool {
        match self.mode {
            #[cfg(feature = "jit")]
            Mode::Compiled => true,
            Mode::Interpreted => true,
            #[cfg(feature = "cuda")]
            Mode::Cuda => false,
        }
    }

    /// The same device for another engine.
    pub(crate) fn for_engine(&self) -> Result<Self> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = &self.gpu {
            let gpu = Some(Arc::new(cuda::driver::Stream::new(&gpu.context)?));
            return Ok(Self { gpu, ..self.clone() });
        }
        Ok(self.clone())
    }

    /// The same with so many threads (0: as many as the processor has).
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn with_threads(mut self, threads: usize) -> Result<Self> {
        self.threads = match threads {
            0 => Threads::Shared,
            1 => Threads::One,
            _ => Threads::own(threads)?,
        };
        Ok(self)
    }

    /// How many threads take part.
    pub fn threads(&self) -> usize {
        match &self.threads {
            Threads::One => 1,
            Threads::Shared => rayon::current_num_threads(),
            Threads::Own(pool) => pool.current_num_threads(),
        }
    }
}

impl Threads {
    pub(crate) fn own(threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("aplysia-{number}"))
            .build()
            .map_err(|error| Error::BadDevice { reason: error.to_string() })?;
        Ok(Threads::Own(Arc::new(pool)))
    }

    /// Whether there is more than one.
    pub(crate) fn many(&self) -> bool {
        match self {
            Threads::One => false,
            Threads::Shared => rayon::current_num_threads() > 1,
            Threads::Own(pool) => pool.current_num_threads() > 1,
        }
    }

    /// Runs `work` where `rayon::join` uses these threads. Inside it, further calls are free.
    pub(crate) fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Threads::One => work(),
            Threads::Shared if rayon::current_thread_index().is_some() => work(),
            Threads::Shared => rayon::join(work, || ()).0,
            Threads::Own(pool) => pool.install(work),
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            #[cfg(feature = "jit")]
            Mode::Compiled => write!(f, "cpu ({} threads)", self.threads()),
            Mode::Interpreted => f.write_str("interpreter"),
            #[cfg(feature = "cuda")]
            Mode::Cuda => match &self.gpu {
                Some(gpu) => write!(f, "cuda:{} ({})", gpu.context.ordinal, gpu.context.name),
                None => f.write_str("cuda"),
            },
        }
    }
}
