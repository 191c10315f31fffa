//! What the code itself must keep to: dependencies stay behind their doors, unsafe code in its few files, files short,
//! nothing left undone, no snapshot without a case.

use std::collections::BTreeSet;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::{diagnostics, files, read, root, snapshots, stem};

/// The trials.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("tidy::dependencies_stay_behind_their_doors", doors),
        Trial::test("tidy::unsafe_code_stays_in_its_files", unsafe_code),
        Trial::test("tidy::files_are_short", short),
        Trial::test("tidy::nothing_is_left_undone", undone),
        Trial::test("tidy::no_snapshot_without_a_case", orphans),
        Trial::test("tidy::architecture_matches_the_tree", architecture),
    ]
}

/// All Rust files, by their path in the repository. This file names what it looks for, and is left out.
fn sources() -> Vec<(String, String)> {
    files("", &["rs"])
        .into_iter()
        .map(|path| (shown(&path), read(&path)))
        .filter(|(path, _)| path != "tests/suite/tidy.rs")
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Code without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    lines.map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
}

fn report(found: Vec<String>) -> Result<(), Failed> {
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

fn doors() -> Result<(), Failed> {
    let doors = [
        ("pest", "compiler/src/parse/"),
        ("cranelift_", "compiler/src/back/cranelift/"),
        ("annotate_snippets", "compiler/src/diag/render"),
        ("cudarc", "runtime/src/device/cuda/"),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (name, door) in doors {
            let used =
                |line: &str| line.contains(&format!("{name}::")) || line.contains(&format!("use {name}"));
            let uses = |(_, line): &(usize, &str)| {
                used(line) || name == "cranelift_" && line.contains(name) && line.contains("::")
            };
            if !path.starts_with(door) && code(&text).any(|line| uses(&line)) {
                found.push(format!("{path} uses {name}"));
            }
        }
    }
    report(found)
}

/// The files that may hold unsafe code.
const UNSAFE: [&str; 11] = [
    "compiler/src/back/cranelift/code.rs",
    "compiler/examples/jit_speed.rs",
    "runtime/src/allocation.rs",
    "runtime/src/device/cpu.rs",
    "runtime/src/device/cuda/driver.rs",
    "runtime/src/device/cuda/nvrtc.rs",
    "runtime/src/device/interpreter.rs",
    "runtime/src/device/launch.rs",
    "runtime/src/device/memory.rs",
    "tests/fuzz/limit.rs",
    "tests/suite/hand_written.rs",
];

fn unsafe_code() -> Result<(), Failed> {
    let keyword = |line: &str| {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        words.any(|word| word == "unsafe")
    };
    let mut found = Vec::new();
    for (path, text) in sources() {
        // The back end's tests call what they have compiled.
        if UNSAFE.contains(&path.as_str()) || path.starts_with("compiler/src/back/cranelift/tests/") {
            continue;
        }
        let lines = code(&text).filter(|(_, line)| keyword(line) && !line.contains('"'));
        found.extend(lines.map(|(number, _)| format!("{path}:{number}: unsafe code")));
    }
    report(found)
}

fn short() -> Result<(), Failed> {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let tests = path.contains("/tests") || path.starts_with("tests/");
        let limit = if tests { 800 } else { 500 };
        let lines = text.lines().count();
        if lines > limit {
            found.push(format!("{path} has {lines} lines, more than {limit}"));
        }
    }
    report(found)
}

fn undone() -> Result<(), Failed> {
    let words = ["TODO", "FIXME", "XXX", "dbg!(", "todo!(", "unimplemented!(", "/root/", "/home/", "/work/"];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let left = words.iter().filter(|word| line.contains(**word));
            found.extend(left.map(|word| format!("{path}:{}: {word}", number + 1)));
        }
    }
    report(found)
}

fn orphans() -> Result<(), Failed> {
    let mut known: BTreeSet<String> =
        diagnostics::cases().iter().map(|path| format!("diag/{}", stem(path))).collect();
    known.extend(["random_words", "draws"].map(|name| format!("numbers/{name}")));
    known.insert("closed/which".to_owned());
    known.extend(snapshots::names().iter().map(|(folder, name)| format!("{folder}/{name}")));
    let mut found = Vec::new();
    for path in files("tests/snap", &["snap", "new"]) {
        let shown = shown(&path);
        let name = shown.trim_start_matches("tests/snap/").trim_end_matches(".snap");
        if !known.remove(name) {
            found.push(format!("{shown} belongs to no case"));
        }
    }
    found.extend(known.into_iter().map(|name| format!("{name} has no snapshot")));
    report(found)
}

/// Every folder that the document lists is there, and every folder of the compiler is listed.
fn architecture() -> Result<(), Failed> {
    let path = root().join("ARCHITECTURE.md");
    if !path.exists() {
        return Err("there is no ARCHITECTURE.md".into());
    }
    let text = read(&path);
    let mut found = Vec::new();
    let entries = std::fs::read_dir(root().join("compiler/src")).map_err(|error| error.to_string())?;
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !text.contains(&format!("{name}/")) && !text.contains(&format!("`{name}`")) {
            found.push(format!("compiler/src/{name} is not in ARCHITECTURE.md"));
        }
    }
    report(found)
}
