//! NVRTC: from CUDA C to PTX or to the machine code of one architecture, without a driver and without a GPU.
//!
//! The library is looked for when it is needed. The options are those under which the generated text computes the bits
//! of the other back ends: no contraction, no flushing of subnormals, division and square root correctly rounded.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::nvrtc::{result, sys};

use crate::error::{Error, Result};

/// What the bits depend on.
const OPTIONS: [&str; 5] =
    ["--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true", "--std=c++17"];

/// A generation of GPUs, by its compute capability: 80 for 8.0, 90 for 9.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Architecture(pub u32);

impl Default for Architecture {
    /// 8.0: its PTX runs on every later GPU.
    fn default() -> Self {
        Self(80)
    }
}

/// Machine code, and what the assembler said of registers and spills.
#[derive(Clone, Debug)]
pub struct Binary {
    /// A cubin.
    pub code: Vec<u8>,
    /// The log of the assembler.
    pub log: String,
}

/// Why NVRTC cannot be used; nothing where it can.
pub fn missing() -> Option<String> {
    // SAFETY: this only tries to open the library by its names, and closes it again.
    let present = unsafe { sys::is_culib_present() };
    (!present).then(|| {
        "the library libnvrtc.so was not found; it is part of the CUDA toolkit (/usr/local/cuda/lib64) and of the \
         Python package nvidia-cuda-nvrtc; add its folder to LD_LIBRARY_PATH"
            .to_owned()
    })
}

/// The version of NVRTC, as `13.0`.
///
/// # Errors
/// If the library is missing.
pub fn version() -> Result<String> {
    guarded(|| {
        let (mut major, mut minor) = (0, 0);
        // SAFETY: the library is present; both pointers are to live integers.
        unsafe { sys::nvrtcVersion(&mut major, &mut minor) }.result().map_err(|error| fault(&error))?;
        Ok(format!("{major}.{minor}"))
    })
}

/// The PTX of a text.
///
/// # Errors
/// If the library is missing or the text has errors.
pub fn ptx(text: &str, architecture: Architecture) -> Result<String> {
    guarded(|| {
        let program = Program::new(text)?;
        program.compile(&[format!("--gpu-architecture=compute_{}", architecture.0)])?;
        // SAFETY: the program is alive and was compiled.
        let bytes = unsafe { result::get_ptx(program.0) }.map_err(|error| fault(&error))?;
        Ok(string(&bytes))
    })
}

/// The machine code of a text.
///
/// # Errors
/// If the library is missing or the text has errors.
pub fn binary(text: &str, architecture: Architecture) -> Result<Binary> {
    guarded(|| {
        let program = Program::new(text)?;
        let target = format!("--gpu-architecture=sm_{}", architecture.0);
        program.compile(&[target, "--ptxas-options=-v".to_owned()])?;
        let mut size = 0;
        // SAFETY: the program is alive and was compiled; the pointer is to a live integer.
        unsafe { sys::nvrtcGetCUBINSize(program.0, &mut size) }.result().map_err(|error| fault(&error))?;
        let mut code = vec![0u8; size];
        // SAFETY: as above, and the buffer has the size that the library asked for.
        unsafe { sys::nvrtcGetCUBIN(program.0, code.as_mut_ptr().cast()) }
            .result()
            .map_err(|error| fault(&error))?;
        Ok(Binary { code, log: program.log() })
    })
}

/// Runs `work` where the library is present. What cudarc does about a symbol that an old library lacks is to panic.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    if let Some(reason) = missing() {
        return Err(Error::BadDevice { reason });
    }
    let unusable = |_| Error::BadDevice { reason: "libnvrtc.so is too old or damaged".to_owned() };
    catch_unwind(AssertUnwindSafe(work)).map_err(unusable)?
}

fn fault(error: &result::NvrtcError) -> Error {
    Error::BadDevice { reason: format!("NVRTC: {error:?}") }
}

fn string(bytes: &[c_char]) -> String {
    let bytes: Vec<u8> = bytes.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text in the compiler.
struct Program(sys::nvrtcProgram);

impl Program {
    fn new(text: &str) -> Result<Self> {
        let text =
            CString::new(text).map_err(|_| Error::BadDevice { reason: "a NUL in CUDA C".to_owned() })?;
        let name: &CStr = c"aplysia.cu";
        Ok(Self(result::create_program(&text, Some(name)).map_err(|error| fault(&error))?))
    }

    fn compile(&self, own: &[String]) -> Result<()> {
        let options: Vec<&str> = OPTIONS.iter().copied().chain(own.iter().map(String::as_str)).collect();
        // SAFETY: the program is alive.
        let outcome = unsafe { result::compile_program(self.0, &options) };
        outcome.map_err(|error| Error::BadDevice { reason: format!("NVRTC: {error:?}\n{}", self.log()) })
    }

    fn log(&self) -> String {
        // SAFETY: the program is alive.
        unsafe { result::get_program_log(self.0) }.map(|log| string(&log)).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the program is alive, and nobody uses it after this. That it cannot be freed changes nothing.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}
