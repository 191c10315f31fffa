//! `aplysia devices`: the processor, the GPUs, and what is missing for these.

use std::fmt::Write as _;

use aplysia::Device;
use serde_json::json;

use crate::arguments::{DevicesArguments, Format};
use crate::report::{self, Outcome};

/// Shows the devices.
///
/// # Errors
/// If they cannot be printed.
pub fn run(arguments: &DevicesArguments) -> Outcome {
    let (gpus, missing) = gpus();
    let threads = Device::cpu().threads();
    match arguments.format {
        Format::Text => {
            let mut out =
                format!("cpu          {threads} threads\ninterpreter  slow, and checked in every access\n");
            for gpu in &gpus {
                let _ = writeln!(
                    out,
                    "{:<12} {}, {:.1} GiB, sm_{}",
                    gpu.device, gpu.name, gpu.gibibytes, gpu.architecture
                );
            }
            for reason in &missing {
                let _ = writeln!(out, "cuda         not here: {reason}");
            }
            report::print(&out)
        }
        Format::Json => {
            let gpus = gpus.iter().map(|gpu| {
                json!({
                    "device": gpu.device,
                    "name": gpu.name,
                    "gibibytes": gpu.gibibytes,
                    "architecture": format!("sm_{}", gpu.architecture),
                })
            });
            let gpus: Vec<_> = gpus.collect();
            report::print_json(&json!({"cpu": {"threads": threads}, "cuda": gpus, "missing": missing}))
        }
    }
}

/// A GPU, for people.
struct Shown {
    device: String,
    name: String,
    gibibytes: f64,
    architecture: u32,
}

/// The GPUs, and why there are none, or why they cannot be used.
#[cfg(feature = "cuda")]
fn gpus() -> (Vec<Shown>, Vec<String>) {
    let mut missing = Vec::new();
    let gpus = aplysia::cuda::gpus().unwrap_or_else(|error| {
        missing.push(error.to_string());
        Vec::new()
    });
    missing.extend(aplysia::cuda::missing());
    let gpus = gpus.into_iter().map(|gpu| Shown {
        device: format!("cuda:{}", gpu.ordinal),
        name: gpu.name,
        gibibytes: gpu.memory as f64 / f64::from(1u32 << 30),
        architecture: gpu.architecture.0,
    });
    (gpus.collect(), missing)
}

#[cfg(not(feature = "cuda"))]
fn gpus() -> (Vec<Shown>, Vec<String>) {
    (Vec::new(), vec!["this program was built without CUDA".to_owned()])
}
