//! CUDA: the text of every rule executed on the CPU, compiled by NVRTC where it is found, and run where there is a GPU.

#[cfg(feature = "cuda")]
mod emulated;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(feature = "cuda")]
mod nvrtc;
mod shim;
mod topologies;

use aplysia_compiler::back::cuda::{self, CudaKernel};
use aplysia_compiler::kernel::Kernel;
use aplysia_compiler::valid::kernel::validate;
use libtest_mimic::Trial;

use crate::machine::Case;

/// The trials.
pub fn trials() -> Vec<Trial> {
    let mut trials = shim::trials();
    #[cfg(feature = "cuda")]
    trials.extend(nvrtc::trials());
    #[cfg(feature = "cuda")]
    trials.extend(emulated::trials());
    #[cfg(feature = "cuda")]
    trials.extend(gpu::trials());
    trials
}

/// Every shipped rule that stands alone, and what gives work to those that only change the changes of others.
fn cases() -> Vec<(&'static str, String)> {
    aplysia_rules::all()
        .map(|(name, text)| {
            let alone = Case::new(name, text, None, &[]).is_ok_and(|case| crate::differential::proposes(&case.rule));
            let text = match name {
                _ if alone => text.to_owned(),
                "crystallize" => {
                    "use std::stdp; use std::fuzzy_lr; use std::crystallize; rule c = stdp + fuzzy_lr + crystallize;"
                        .to_owned()
                }
                _ => format!("use std::stdp; use std::{name}; rule checked = stdp + {name};"),
            };
            (name, text)
        })
        .collect()
}

/// The text of a kernel.
pub fn emit(kernel: &Kernel) -> Result<CudaKernel, String> {
    let info = validate(kernel).map_err(|errors| errors.join("\n"))?;
    cuda::kernel(kernel, &info).map_err(|error| error.to_string())
}
