//! What is kept under `target/fuzz`.

use std::fs;
use std::path::{Path, PathBuf};

/// A failure with the text that shows it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The text.
    pub text: String,
    /// Which kind of failure: two texts with one signature are taken to fail for one reason.
    pub signature: String,
    /// What happened.
    pub message: String,
}

impl Finding {
    /// A finding of a kind.
    pub fn new(text: &str, kind: &str, message: &str) -> Self {
        Self { text: text.to_owned(), signature: signature(kind), message: message.to_owned() }
    }

    /// Whether one of its kind has been kept.
    pub fn is_known(&self) -> bool {
        self.path("txt").exists()
    }

    /// Keeps it.
    pub fn save(&self) {
        write(&self.path("rule"), &self.text);
        write(&self.path("txt"), &self.message);
    }

    fn path(&self, ending: &str) -> PathBuf {
        // FNV-1a (Fowler, Noll & Vo), so that names stay the same from run to run.
        let hash = self.signature.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        folder().join(format!("{:08x}.{ending}", hash >> 32))
    }
}

/// A message without what differs from text to text: what stands in backticks, and numbers.
pub fn signature(message: &str) -> String {
    // The place of a panic tells panics apart; its line number stays.
    let (message, place) = message.rsplit_once(" at ").unwrap_or((message, ""));
    let unquoted = message.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let kind: String =
        unquoted.chars().filter(|character| character.is_alphabetic() || *character == ' ').collect();
    let kind: Vec<&str> =
        kind.split_whitespace().filter(|word| !matches!(*word, "e" | "NaN" | "inf")).collect();
    let kind: String = kind.join(" ").chars().take(120).collect();
    if place.contains(".rs:") {
        format!("{place} {}", kind.chars().take(40).collect::<String>())
    } else {
        kind
    }
}

/// The text that a job is examining.
pub fn current(job: u64) -> PathBuf {
    folder().join(format!("current-{job}"))
}

/// What a job has counted.
pub fn statistics(job: u64) -> PathBuf {
    folder().join(format!("statistics-{job}"))
}

/// Where everything is.
pub fn folder() -> PathBuf {
    aplysia_tests::root().join("target/fuzz")
}

/// Writes a file; what cannot be kept is said.
pub fn write(path: &Path, text: &str) {
    if let Err(error) = fs::write(path, text) {
        eprintln!("{}: {error}", path.display());
    }
}
