//! Programs of generated text, which cargo builds with `aplysia-native`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use aplysia_tests::root;
use libtest_mimic::Failed;

/// Whether there is a compiler.
pub fn has_compiler() -> bool {
    Command::new("rustc").arg("--version").output().is_ok_and(|out| out.status.success())
}

/// Builds a program of this text, unless it is there. All share what they depend on.
pub fn program(name: &str, text: &str) -> Result<PathBuf, Failed> {
    let all = root().join("target/native-modules");
    let folder = all.join(name);
    std::fs::create_dir_all(folder.join("src"))?;
    let native = root().join("runtime/native");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\naplysia-native = {{ path = {native:?} }}\n\n\
         [profile.release]\nopt-level = 2\ndebug-assertions = true\noverflow-checks = true\n\n[workspace]\n"
    );
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join("src/main.rs"), text)?;
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let built = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(["build", "--release", "--offline", "--quiet"])
        .env("CARGO_TARGET_DIR", all.join("target"))
        .env_remove("RUSTFLAGS")
        .current_dir(&folder)
        .output()?;
    match built.status.success() {
        true => Ok(all.join("target/release").join(name)),
        false => Err(String::from_utf8_lossy(&built.stderr).into_owned().into()),
    }
}

/// Writes a file unless it says so already: cargo looks at its date.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::read_to_string(path) {
        Ok(known) if known == text => Ok(()),
        _ => std::fs::write(path, text),
    }
}

/// A package of the workspace as its users build it: with no features but those that it asks for itself.
pub fn alone(package: &str) -> Result<(), Failed> {
    let built = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(["check", "--offline", "--quiet", "--package", package])
        .env_remove("RUSTFLAGS")
        .current_dir(root())
        .output()?;
    match built.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&built.stderr).into_owned().into()),
    }
}

/// What several trials need and the first of them makes.
pub type Once<T> = OnceLock<Result<T, String>>;

/// It, or why it could not be made.
pub fn once<T>(made: &'static Once<T>, make: fn() -> Result<T, Failed>) -> Result<&'static T, Failed> {
    made.get_or_init(|| make().map_err(|failed| failed.message().unwrap_or_default().to_owned()))
        .as_ref()
        .map_err(|message| message.into())
}
