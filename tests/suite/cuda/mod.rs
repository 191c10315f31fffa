//! CUDA: the text of every rule executed on the CPU, compiled by NVRTC where it is found, and run where there is a GPU.

#[cfg(feature = "cuda")]
mod emulated;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(feature = "cuda")]
mod nvrtc;
mod quotients;
pub mod shim;
pub mod topologies;

use aplysia_compiler::back::cuda::{self, CudaKernel};
use aplysia_compiler::kernel::Kernel;
use aplysia_compiler::valid::kernel::validate;
use libtest_mimic::Trial;

use crate::machine::Case;

/// The trials.
pub fn trials() -> Vec<Trial> {
    let mut trials = shim::trials();
    trials.extend(quotients::trials());
    #[cfg(feature = "cuda")]
    trials.extend(nvrtc::trials());
    #[cfg(feature = "cuda")]
    trials.extend(emulated::trials());
    #[cfg(feature = "cuda")]
    trials.extend(gpu::trials());
    trials
}

/// The trials that need no file of the repository.
pub fn carried() -> Vec<Trial> {
    #[cfg(feature = "cuda")]
    return gpu::trials();
    #[cfg(not(feature = "cuda"))]
    Vec::new()
}

/// Every shipped rule: by itself where it changes weights by itself, else after what it works on.
pub fn cases() -> Vec<(&'static str, String)> {
    let works = |text: &String| Case::new("cases", text, None, &[]).is_ok();
    aplysia_rules::all()
        .map(|(name, text)| {
            let alone = Case::new(name, text, None, &[]);
            if alone.is_ok_and(|case| crate::differential::proposes(&case.rule)) {
                return (name, text.to_owned());
            }
            let before =
                ["stdp", "stdp + fuzzy_lr", "stdp + dale", "stdp + sign_constraint", "stdp + dale_rows"].map(
                    |parts| {
                        let imports: String =
                            parts.split(" + ").map(|part| format!("use std::{part}; ")).collect();
                        format!("{imports}use std::{name}; rule checked = {parts} + {name};")
                    },
                );
            let found = before.iter().find(|text| works(text));
            (name, found.unwrap_or(&before[0]).clone())
        })
        .collect()
}

/// The text of a kernel.
pub fn emit(kernel: &Kernel) -> Result<CudaKernel, String> {
    let info = validate(kernel).map_err(|errors| errors.join("\n"))?;
    cuda::kernel(kernel, &info).map_err(|error| error.to_string())
}
