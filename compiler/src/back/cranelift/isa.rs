//! The instruction set that code is made for.

use std::fmt;

use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};

use super::wide::Gathers;
use super::workshop::Workshops;
use super::{JitError, Routines};

/// How well Cranelift's part of a kernel is made: how often that part runs. Making it takes most of the time from a rule's text to
/// its kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Effort {
    /// Around loops that are made elsewhere, once for a block or a row: registers are found in one pass, nothing is optimised.
    #[default]
    Least,
    /// In loops of its own.
    Most,
}

/// An instruction set with its settings; made once, shared by all kernels.
#[derive(Clone)]
pub struct Isa {
    /// The same for each effort.
    targets: [OwnedTargetIsa; 2],
    runs_here: bool,
    gathers: Gathers,
    pub(super) routines: Routines,
    pub(super) workshops: Workshops,
}

impl Isa {
    /// What this machine has.
    pub fn host() -> Result<Self, JitError> {
        let mut builder =
            cranelift_native::builder().map_err(|message| JitError::Host(message.to_owned()))?;
        // With this flag the product of two widened words becomes the slow 64-bit multiplication instead of the
        // widening one. Other architectures do not know the flag, and need nothing.
        let _ = builder.set("has_avx512dq", "false");
        Ok(Self { gathers: gathers_of_host(), ..finish(builder, true)? })
    }

    /// x86-64 with SSE 4.2 and nothing newer: the same text on every machine.
    pub fn baseline() -> Result<Self, JitError> {
        x86_64(&BASELINE, cfg!(all(target_arch = "x86_64", not(windows))))
    }

    /// x86-64-v3, with AVX2 and FMA: the same text on every machine, with loops in vectors of 256 bits.
    pub fn version_3() -> Result<Self, JitError> {
        x86_64(&[&BASELINE[..], &VERSION_3].concat(), false)
    }

    /// The same, with code of the host that kernels may call. It computes the bits that the kernels would.
    #[must_use]
    pub fn with_routines(self, routines: Routines) -> Self {
        Self { routines, ..self }
    }

    /// Whether code for it may be run on this machine.
    pub fn runs_here(&self) -> bool {
        self.runs_here
    }

    /// Where it has the vectors of 256 bits of x86-64-v3, how they are gathered.
    pub(super) fn gathers(&self) -> Option<Gathers> {
        self.has_wide_vectors().then_some(self.gathers)
    }

    /// The same, but vectors are gathered in the other way.
    #[cfg(test)]
    pub(super) fn with_other_gathers(self) -> Self {
        let gathers = match self.gathers {
            Gathers::AtOnce => Gathers::LaneByLane,
            Gathers::LaneByLane => Gathers::AtOnce,
        };
        Self { gathers, ..self }
    }

    /// Whether it has the vectors of 256 bits of x86-64-v3.
    pub fn has_wide_vectors(&self) -> bool {
        let has = |flag: &str| {
            self.target().isa_flags().iter().any(|value| value.name == flag && value.as_bool() == Some(true))
        };
        self.target().name() == "x64" && has("has_avx2") && has("has_fma")
    }

    pub(super) fn target(&self) -> &dyn TargetIsa {
        &*self.targets[Effort::Most as usize]
    }

    /// For a function that is worth this effort.
    pub(super) fn owned(&self, effort: Effort) -> OwnedTargetIsa {
        self.targets[effort as usize].clone()
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isa({})", self.target().triple())
    }
}

const BASELINE: [&str; 6] =
    ["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// What x86-64-v3 adds.
const VERSION_3: [&str; 6] = ["has_avx", "has_avx2", "has_fma", "has_bmi1", "has_bmi2", "has_lzcnt"];

fn x86_64(flags: &[&str], runs_here: bool) -> Result<Isa, JitError> {
    let mut builder = cranelift_codegen::isa::lookup_by_name("x86_64-unknown-linux-gnu")
        .map_err(|error| JitError::Host(error.to_string()))?;
    for flag in flags {
        builder.enable(flag).map_err(|error| JitError::Host(format!("{flag}: {error}")))?;
    }
    finish(builder, runs_here)
}

fn finish(builder: cranelift_codegen::isa::Builder, runs_here: bool) -> Result<Isa, JitError> {
    let mut flags = settings::builder();
    for (name, value) in [
        ("enable_verifier", "false"),
        ("is_pic", "false"),
        ("unwind_info", "false"),
        ("use_colocated_libcalls", "false"),
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
    ] {
        flags.set(name, value).map_err(|error| JitError::Host(format!("{name}: {error}")))?;
    }
    let finished = |effort| {
        let values = match effort {
            Effort::Least => ["single_pass", "none"],
            Effort::Most => ["backtracking", "speed"],
        };
        let mut flags = flags.clone();
        for (name, value) in ["regalloc_algorithm", "opt_level"].into_iter().zip(values) {
            flags.set(name, value).map_err(|error| JitError::Host(format!("{name}: {error}")))?;
        }
        builder.finish(settings::Flags::new(flags)).map_err(|error| JitError::Host(error.to_string()))
    };
    let targets = [finished(Effort::Least)?, finished(Effort::Most)?];
    let gathers = Gathers::default();
    Ok(Isa { targets, runs_here, gathers, routines: Routines::default(), workshops: Workshops::default() })
}

/// What is faster on this machine.
fn gathers_of_host() -> Gathers {
    #[cfg(target_arch = "x86_64")]
    if raw_cpuid::CpuId::new().get_vendor_info().is_some_and(|vendor| vendor.as_str() == "AuthenticAMD") {
        return Gathers::LaneByLane;
    }
    Gathers::default()
}
