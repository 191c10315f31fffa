//! A rule file is part of the build: cargo compiles again when it changes, and only then.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A crate with one rule file, in a folder of its own that nobody else builds in.
struct Crate {
    folder: tempfile::TempDir,
    target: PathBuf,
}

impl Crate {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = format!(
            "[package]\nname = \"rebuilt\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             rules-in-rust = {{ package = \"aplysia-native\", path = {:?}, features = [\"macros\"] }}\n\n[workspace]\n",
            root.join("runtime/native")
        );
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a manifest");
        std::fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("the versions");
        std::fs::create_dir_all(folder.path().join("src")).expect("a folder");
        let text = "#![no_std]\n#![forbid(unsafe_code)]\n\
                    //! A crate that knows the macro by another name.\n\
                    rules_in_rust::plasticity!(file = \"rules/fading.rule\");\n\
                    /// The rule's memory.\npub fn tau() -> f64 { fading::Params::default().tau }\n";
        std::fs::write(folder.path().join("src/lib.rs"), text).expect("a text");
        // The folder of the tests of messages, in which the dependencies are there already.
        let target = root.join("target/tests/trybuild");
        Self { folder, target }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("rules").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a rule");
    }

    /// Checks the crate: whether that worked, whether anything was done, and what was said.
    fn check(&self) -> (bool, bool, String) {
        let out: Output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--message-format", "short", "-v"])
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("RUSTFLAGS")
            .current_dir(self.folder.path())
            .output()
            .expect("cargo");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        let compiled = text.lines().any(|line| line.trim_start().starts_with("Checking rebuilt"));
        (out.status.success(), compiled, text)
    }
}

#[test]
fn cargo_compiles_again_when_a_rule_file_changes() {
    let user = Crate::new();
    let rule = |tau: &str| {
        format!(
            "use \"parts/decay.rule\"; rule fading {{ param {tau} = 20 ms; plastic w; dw/dt = -w / tau; }}"
        )
    };
    let part = |rate: &str| format!("rule decay {{ plastic w; update {{ dw -= {rate} * w; }} }}");
    user.write("fading.rule", &rule("tau"));
    user.write("parts/decay.rule", &part("0.1"));
    let (works, compiled, text) = user.check();
    assert!(works && compiled, "{text}");
    let (works, compiled, text) = user.check();
    assert!(works && !compiled, "nothing has changed: {text}");
    user.write("fading.rule", &rule("taus"));
    let (works, _, text) = user.check();
    assert!(!works && text.contains("did you mean `taus`?"), "{text}");
    user.write("fading.rule", &rule("tau"));
    let (works, compiled, text) = user.check();
    assert!(works && compiled, "{text}");
    // A file that the file imports.
    user.write("parts/decay.rule", &part(""));
    let (works, _, text) = user.check();
    assert!(!works && text.contains("parts/decay.rule"), "{text}");
}
