//! Texts that once broke a promise: every one goes through all stages again.

use std::path::Path;

use aplysia_tests::{files, pipeline, read, stem};
use libtest_mimic::{Failed, Trial};

/// A trial for each text of `tests/in/fuzz`.
pub fn trials() -> Vec<Trial> {
    let texts = files("tests/in/fuzz", &["rule"]).into_iter();
    texts.map(|path| Trial::test(format!("regressions::{}", stem(&path)), move || replay(&path))).collect()
}

fn replay(path: &Path) -> Result<(), Failed> {
    pipeline::examine(&read(path)).map(|_| ()).map_err(|failure| failure.to_string().into())
}
