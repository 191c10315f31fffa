//! The CUDA driver, as far as it is needed: what is opened here is closed when it is dropped.

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys;

use super::nvrtc::Architecture;
use crate::error::{Error, Result};

/// A GPU that is in use.
pub(crate) struct Context {
    device: sys::CUdevice,
    raw: sys::CUcontext,
    /// Which GPU, counted from 0.
    pub(crate) ordinal: usize,
    /// What its maker calls it.
    pub(crate) name: String,
    pub(crate) architecture: Architecture,
    /// How many threads it holds at once.
    pub(crate) resident: u64,
    /// What is loaded, by the hash of its text.
    pub(super) modules: Mutex<HashMap<String, Weak<Module>>>,
}

// SAFETY: the driver's handles may be used from any thread; what a thread needs is that the context is made current,
// which every call here does first.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

/// A GPU of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its number.
    pub ordinal: usize,
    /// What its maker calls it.
    pub name: String,
    /// Its compute capability.
    pub architecture: Architecture,
    /// Its memory in bytes.
    pub memory: usize,
}

/// Says which call failed.
pub(super) fn check<T>(what: &str, outcome: Result<T, DriverError>) -> Result<T> {
    outcome.map_err(|error| Error::BadDevice { reason: format!("{what}: {}", words(&error)) })
}

fn words(error: &DriverError) -> String {
    let text = error.error_string().map(|text| text.to_string_lossy().into_owned());
    format!("{} ({:?})", text.unwrap_or_else(|_| "an unknown error".to_owned()), error.0)
}

/// Runs `work` where the driver is present. What cudarc does about a symbol that an old driver lacks is to panic.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: this only tries to open the library by its names, and closes it again.
    if !unsafe { sys::is_culib_present() } {
        let reason =
            "the driver library libcuda.so was not found; it comes with the NVIDIA driver".to_owned();
        return Err(Error::BadDevice { reason });
    }
    let unusable =
        |_| Error::BadDevice { reason: "the NVIDIA driver is too old: CUDA 12 is needed".to_owned() };
    catch_unwind(AssertUnwindSafe(work)).map_err(unusable)?
}

/// The GPUs of this machine.
///
/// # Errors
/// If there is no driver, or it does not answer.
pub fn gpus() -> Result<Vec<Gpu>> {
    guarded(|| {
        check("the NVIDIA driver cannot be started", result::init())?;
        let count = check("GPUs cannot be counted", result::device::get_count())?;
        (0..count).map(|ordinal| describe(ordinal).map(|(_, gpu)| gpu)).collect()
    })
}

fn describe(ordinal: i32) -> Result<(sys::CUdevice, Gpu)> {
    let device = check("the GPU cannot be opened", result::device::get(ordinal))?;
    let name = check("the GPU has no name", result::device::get_name(device))?;
    // SAFETY: the handle is one that `get` returned.
    let memory = check("the GPU does not tell its memory", unsafe { result::device::total_mem(device) })?;
    use sys::CUdevice_attribute_enum as Of;
    let major = attribute(device, Of::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(device, Of::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let architecture = Architecture(major * 10 + minor);
    Ok((device, Gpu { ordinal: ordinal as usize, name, architecture, memory }))
}

fn attribute(device: sys::CUdevice, of: sys::CUdevice_attribute) -> Result<u32> {
    // SAFETY: the handle is one that `get` returned.
    let value =
        check("the GPU does not tell its properties", unsafe { result::device::get_attribute(device, of) })?;
    Ok(value.max(0) as u32)
}

impl Context {
    /// Opens a GPU.
    pub(crate) fn open(ordinal: usize) -> Result<Arc<Self>> {
        let gpus = gpus()?;
        if ordinal >= gpus.len() {
            let reason = match gpus.len() {
                0 => "the NVIDIA driver is there, but no GPU".to_owned(),
                count => format!("there is no GPU {ordinal}: this machine has {count}, counted from 0"),
            };
            return Err(Error::BadDevice { reason });
        }
        if let Some(reason) = super::nvrtc::missing() {
            return Err(Error::BadDevice { reason });
        }
        let (device, gpu) = describe(ordinal as i32)?;
        use sys::CUdevice_attribute_enum as Of;
        let threads = attribute(device, Of::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR)?;
        let processors = attribute(device, Of::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        // SAFETY: the handle is one that `get` returned; the context is released when this is dropped.
        let raw = check("the GPU cannot be used", unsafe { result::primary_ctx::retain(device) })?;
        Ok(Arc::new(Self {
            device,
            raw,
            ordinal,
            name: gpu.name,
            architecture: gpu.architecture,
            resident: u64::from(threads) * u64::from(processors),
            modules: Mutex::default(),
        }))
    }

    /// Makes the calling thread's calls go to this GPU.
    pub(super) fn bind(&self) -> Result<()> {
        // SAFETY: the context is retained as long as `self` lives.
        check("the GPU cannot be made current", unsafe { result::ctx::set_current(self.raw) })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: retained once in `open`. That it cannot be released changes nothing.
        let _ = unsafe { result::primary_ctx::release(self.device) };
    }
}

/// Work in order.
pub(crate) struct Stream {
    pub(crate) context: Arc<Context>,
    pub(super) raw: sys::CUstream,
}

// SAFETY: see `Context`.
unsafe impl Send for Stream {}
// SAFETY: see `Context`.
unsafe impl Sync for Stream {}

impl Stream {
    pub(crate) fn new(context: &Arc<Context>) -> Result<Self> {
        context.bind()?;
        let raw = check(
            "a stream cannot be made",
            result::stream::create(result::stream::StreamKind::NonBlocking),
        )?;
        Ok(Self { context: Arc::clone(context), raw })
    }

    /// Waits until everything that was enqueued is done.
    pub(crate) fn wait(&self) -> Result<()> {
        self.context.bind()?;
        // SAFETY: the stream lives.
        check("work on the GPU failed", unsafe { result::stream::synchronize(self.raw) })
    }

    /// Lets this stream wait for what `other` has been given so far.
    pub(super) fn after(&self, other: &Stream, event: &Event) -> Result<()> {
        // SAFETY: event and streams live.
        check("streams cannot be ordered", unsafe { result::event::record(event.0, other.raw) })?;
        let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: as above.
        check("streams cannot be ordered", unsafe { result::stream::wait_event(self.raw, event.0, flags) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream lives, and nobody uses it after this.
        let _ = self.context.bind().map(|()| unsafe { result::stream::destroy(self.raw) });
    }
}

/// A point in a stream's work.
pub(super) struct Event(pub(super) sys::CUevent);

// SAFETY: see `Context`.
unsafe impl Send for Event {}
// SAFETY: see `Context`.
unsafe impl Sync for Event {}

impl Event {
    pub(super) fn new(timed: bool) -> Result<Self> {
        let flags = if timed {
            sys::CUevent_flags::CU_EVENT_DEFAULT
        } else {
            sys::CUevent_flags::CU_EVENT_DISABLE_TIMING
        };
        Ok(Self(check("an event cannot be made", result::event::create(flags))?))
    }

    pub(super) fn record(&self, stream: &Stream) -> Result<()> {
        // SAFETY: event and stream live.
        check("an event cannot be recorded", unsafe { result::event::record(self.0, stream.raw) })
    }

    pub(super) fn wait(&self) -> Result<()> {
        // SAFETY: the event lives.
        check("work on the GPU failed", unsafe { result::event::synchronize(self.0) })
    }

    /// Milliseconds from this event to a later one; both have happened.
    pub(super) fn until(&self, later: &Event) -> Result<f32> {
        // SAFETY: both events live.
        check("the time is not known", unsafe { result::event::elapsed(self.0, later.0) })
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event lives, and nobody uses it after this.
        let _ = unsafe { result::event::destroy(self.0) };
    }
}

/// Memory of a GPU.
pub(crate) struct Bytes {
    stream: Arc<Stream>,
    pub(super) pointer: sys::CUdeviceptr,
    length: usize,
}

impl Bytes {
    /// Zeros; `name` is for the error. Never empty, so that there is a pointer.
    pub(super) fn zeroed(stream: &Arc<Stream>, length: usize, name: &str) -> Result<Self> {
        stream.context.bind()?;
        let error =
            |_| Error::NoMemory { name: format!("{name} on cuda:{}", stream.context.ordinal), bytes: length };
        // SAFETY: the memory is set to zero before anybody reads it, and freed when this is dropped.
        let pointer = unsafe { result::malloc_sync(length.max(16)) }.map_err(error)?;
        let bytes = Self { stream: Arc::clone(stream), pointer, length };
        bytes.clear(stream)?;
        Ok(bytes)
    }

    pub(super) fn clear(&self, stream: &Stream) -> Result<()> {
        // SAFETY: so many bytes were allocated.
        let outcome = unsafe { result::memset_d8_async(self.pointer, 0, self.length, stream.raw) };
        check("memory cannot be cleared", outcome)
    }

    /// Copies from the host; returns when `from` may change again.
    pub(super) fn upload(&self, from: &[u8]) -> Result<()> {
        if from.len() > self.length {
            aplysia_compiler::ice!("{} bytes for {} on the GPU", from.len(), self.length);
        }
        if from.is_empty() {
            return Ok(());
        }
        self.stream.context.bind()?;
        // SAFETY: there is room. From memory that is not pinned the driver takes a copy before it returns.
        check("data cannot be sent", unsafe {
            result::memcpy_htod_async(self.pointer, from, self.stream.raw)
        })
    }

    /// Copies from pinned memory, which stays as it is until the stream has got there.
    pub(super) fn upload_pinned(&self, from: &Pinned, length: usize) -> Result<()> {
        let bytes = from.bytes();
        if length > self.length || length > bytes.len() {
            aplysia_compiler::ice!("{length} bytes for {} on the GPU", self.length);
        }
        // SAFETY: there is room on both sides; the caller waits for an event before it changes the pinned memory.
        let outcome = unsafe { result::memcpy_htod_async(self.pointer, &bytes[..length], self.stream.raw) };
        check("data cannot be sent", outcome)
    }

    /// Copies to the host and waits.
    pub(super) fn download(&self, to: &mut [u8]) -> Result<()> {
        if to.len() > self.length {
            aplysia_compiler::ice!("{} bytes from {} on the GPU", to.len(), self.length);
        }
        self.stream.context.bind()?;
        if !to.is_empty() {
            // SAFETY: there are so many bytes, and the borrow lasts until the wait below is over.
            let outcome = unsafe { result::memcpy_dtoh_async(to, self.pointer, self.stream.raw) };
            check("data cannot be fetched", outcome)?;
        }
        self.stream.wait()
    }

    /// Copies another's bytes, all of this one's.
    pub(super) fn copy_from(&self, other: &Bytes) -> Result<()> {
        let length = self.length.min(other.length);
        // SAFETY: both have so many bytes.
        let outcome =
            unsafe { result::memcpy_dtod_async(self.pointer, other.pointer, length, self.stream.raw) };
        check("data cannot be copied", outcome)
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed`; freeing waits for work that uses it.
        let _ = self.stream.context.bind().map(|()| unsafe { result::free_sync(self.pointer) });
    }
}

/// Memory of the host that the GPU reads by itself.
pub(super) struct Pinned {
    context: Arc<Context>,
    pointer: *mut u8,
    length: usize,
}

// SAFETY: `Pinned` owns its allocation.
unsafe impl Send for Pinned {}
// SAFETY: shared references only read.
unsafe impl Sync for Pinned {}

impl Pinned {
    pub(super) fn new(context: &Arc<Context>, length: usize) -> Result<Self> {
        context.bind()?;
        let error = |_| Error::NoMemory { name: "pinned staging memory".to_owned(), bytes: length };
        // SAFETY: set to zero before anybody reads it, and freed when this is dropped.
        let pointer = unsafe { result::malloc_host(length.max(16), 0) }.map_err(error)?.cast::<u8>();
        // SAFETY: so many bytes were allocated.
        unsafe { pointer.write_bytes(0, length) };
        Ok(Self { context: Arc::clone(context), pointer, length })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: allocated and initialised in `new`; `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.pointer, self.length) }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`.
        let _ = self.context.bind().map(|()| unsafe { result::free_host(self.pointer.cast()) });
    }
}

/// Kernels on a GPU.
pub(crate) struct Module {
    context: Arc<Context>,
    raw: sys::CUmodule,
}

// SAFETY: see `Context`.
unsafe impl Send for Module {}
// SAFETY: see `Context`.
unsafe impl Sync for Module {}

impl Module {
    /// Loads PTX (a text that ends with a NUL) or machine code.
    pub(super) fn load(context: &Arc<Context>, image: &[u8]) -> Result<Self, DriverError> {
        // SAFETY: the context lives; the image is one that NVRTC made, a NUL behind it where it is a text.
        let raw = unsafe {
            result::ctx::set_current(context.raw)?;
            result::module::load_data(image.as_ptr().cast::<c_void>())?
        };
        Ok(Self { context: Arc::clone(context), raw })
    }

    pub(super) fn function(self: &Arc<Self>, name: &str) -> Result<Function> {
        let unknown = |_| Error::BadDevice { reason: format!("a kernel cannot be called `{name}`") };
        let symbol = CString::new(name).map_err(unknown)?;
        // SAFETY: the module lives, and the function keeps it alive.
        let raw = unsafe { result::module::get_function(self.raw, symbol) };
        Ok(Function {
            module: Arc::clone(self),
            raw: check(&format!("the kernel `{name}` is missing"), raw)?,
        })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: the module lives, and no function of it does any more.
        let _ = self.context.bind().map(|()| unsafe { result::module::unload(self.raw) });
    }
}

/// A kernel that can be launched.
#[derive(Clone)]
pub(crate) struct Function {
    #[expect(dead_code, reason = "keeps the module loaded")]
    module: Arc<Module>,
    raw: sys::CUfunction,
}

// SAFETY: see `Context`.
unsafe impl Send for Function {}
// SAFETY: see `Context`.
unsafe impl Sync for Function {}

impl Function {
    /// Launches it with pointers as its only arguments.
    pub(super) fn launch(
        &self,
        stream: &Stream,
        grid: u32,
        threads: u32,
        pointers: &[sys::CUdeviceptr],
    ) -> Result<(), DriverError> {
        let mut arguments: Vec<*mut c_void> =
            pointers.iter().map(|pointer| std::ptr::from_ref(pointer).cast_mut().cast()).collect();
        // SAFETY: the function takes these pointers, which the driver copies before it returns; they are of memory
        // that outlives the launch, since freeing waits.
        unsafe {
            result::launch_kernel(self.raw, (grid, 1, 1), (threads, 1, 1), 0, stream.raw, &mut arguments)
        }
    }
}

/// A step that is launched as a whole.
pub(super) struct Graph(sys::CUgraphExec);

// SAFETY: see `Context`.
unsafe impl Send for Graph {}
// SAFETY: see `Context`.
unsafe impl Sync for Graph {}

impl Graph {
    /// What `work` enqueues on `stream`, and on streams that it orders after it.
    pub(super) fn capture(stream: &Stream, work: impl FnOnce() -> Result<()>) -> Result<Self> {
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: the stream lives.
        check("a step cannot be captured", unsafe { result::stream::begin_capture(stream.raw, mode) })?;
        let outcome = work();
        // SAFETY: the capture has begun above and ends whatever came of the work.
        let captured = check("a step cannot be captured", unsafe { result::stream::end_capture(stream.raw) });
        outcome?;
        let captured = captured?;
        let flags = sys::CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
        // SAFETY: the graph was just captured, and is destroyed right after it has been made executable.
        let ready = unsafe {
            let ready = result::graph::instantiate(captured, flags);
            let _ = result::graph::destroy(captured);
            ready
        };
        Ok(Self(check("a step cannot be made ready", ready)?))
    }

    pub(super) fn launch(&self, stream: &Stream) -> Result<()> {
        // SAFETY: graph and stream live.
        check("a step cannot be launched", unsafe { result::graph::launch(self.0, stream.raw) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the graph lives, and nobody uses it after this.
        let _ = unsafe { result::graph::exec_destroy(self.0) };
    }
}
