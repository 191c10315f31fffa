//! The runtime's side of a GPU without one: `tests/cuda/driver.cpp` stands for the driver and for NVRTC, and the trials of
//! `gpu` run on it in a process of their own.

use std::process::Command;

use libtest_mimic::{Failed, Trial};

use super::shim::compiler;

/// Parts of the names of trials, and whether they are run every time.
const PARTS: [(&str, bool); 9] = [
    ("gpu::trains_of_many_groups", true),
    ("gpu::saved_here_and_restored_there", true),
    ("gpu::without_room_the_engine_stays_usable", true),
    ("gpu::recordings_and_host_writes", true),
    ("gpu::rejuvenate::f32", true),
    ("gpu::topologies::normalise::f32", true),
    ("gpu::stdp::f64", false),
    ("gpu::conex_rstdp::f32", false),
    ("gpu::", false),
];

/// The trials.
pub fn trials() -> Vec<Trial> {
    let without = compiler().is_none() || !cfg!(target_os = "linux");
    PARTS
        .into_iter()
        .map(|(part, always)| {
            let title = format!("cuda::emulated::{}", part.trim_end_matches(':').replace("::", "_"));
            Trial::test(title, move || run(part)).with_ignored_flag(without || !always)
        })
        .collect()
}

fn run(part: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    std::fs::write(at.join("shim.hpp"), include_str!("../../cuda/shim.hpp"))?;
    std::fs::write(at.join("driver.cpp"), include_str!("../../cuda/driver.cpp"))?;
    let built = Command::new(compiler().ok_or("there is no C++ compiler")?)
        .args(["-std=c++20", "-O1", "-w", "-shared", "-fPIC", "-o"])
        .arg(at.join("libcuda.so.1"))
        .arg(at.join("driver.cpp"))
        .arg("-ldl")
        .output()?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned().into());
    }
    std::fs::copy(at.join("libcuda.so.1"), at.join("libnvrtc.so"))?;
    let ran = Command::new(std::env::current_exe()?)
        .args([part, "--test-threads", "1"])
        .env("LD_LIBRARY_PATH", at)
        .env("SHIM_FOLDER", at)
        .env("APLYSIA_CACHE", at.join("cache"))
        .output()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    // A trial that was ignored has not shown anything.
    if ran.status.success() && !text.contains(" 0 passed") && text.contains(" 0 ignored") {
        return Ok(());
    }
    Err(format!("{text}\n{}", String::from_utf8_lossy(&ran.stderr)).into())
}
