//! What a user's build holds.

use std::process::Command;

/// The packages that `aplysia` with these features is built from.
fn packages(features: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "tree",
        "--offline",
        "--package",
        "aplysia",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ]);
    command.args(features).current_dir(aplysia_tests::root());
    let out = command.output().expect("cargo");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn with_the_macro_alone_there_is_no_machine_code_generator_and_no_driver() {
    let heavy = |packages: &[String]| {
        packages.iter().any(|name| name.starts_with("cranelift") || name == "cudarc" || name == "insta")
    };
    let alone = packages(&["--no-default-features", "--features", "macros"]);
    assert!(alone.iter().any(|name| name == "aplysia-macros"), "{alone:?}");
    assert!(!heavy(&alone), "{alone:?}");
    assert!(heavy(&packages(&[])), "the default has machine code");
}
