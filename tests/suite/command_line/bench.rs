//! Measuring from the command line.

use serde_json::Value;

use super::*;

pub fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("command_line::bench::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    vec![
        trial("workloads_print_a_line_for_each_plan", workloads),
        trial("wrong_workloads_are_refused", wrong_workloads),
        trial("rules_are_measured_plan_by_plan", rules),
        trial("wrong_rules_are_refused", wrong_rules),
    ]
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn workloads() {
    let folder = folder();
    let quick = ["--steps", "3", "--rounds", "2", "--threads", "2"];
    let out = ask(folder.path(), &[&["bench", "W1-50-p05"][..], &quick].concat()).good();
    let found = lines(&out);
    let systems: Vec<&str> = found.iter().filter_map(|line| line["system"].as_str()).collect();
    assert_eq!(systems[..2], ["aplysia", "aplysia-full"], "{out}");
    assert!(systems.contains(&"aplysia-closed-form"), "{out}");
    for line in &found {
        assert_eq!(
            (&line["synapses"], &line["steps"], &line["threads"]),
            (&2500.into(), &3.into(), &2.into())
        );
        let [own, first] = [line, &found[0]].map(|line| line["checksum"].as_f64().unwrap());
        // Closed forms are equal up to rounding.
        let bound = if line["system"] == "aplysia-closed-form" { 1e-6 * first } else { 0.0 };
        assert!((own - first).abs() <= bound, "plans do not change a bit: {line}");
        assert!(line["us_per_step"].as_f64() > Some(0.0), "{line}");
    }
    let out = ask(folder.path(), &[&["bench", "W6-20", "--plan", "full"][..], &quick].concat()).good();
    assert_eq!((lines(&out).len(), &lines(&out)[0]["system"]), (1, &"aplysia-full".into()));
}

fn wrong_workloads() {
    let folder = folder();
    assert!(ask(folder.path(), &["bench", "W9-1000"]).bad(2).contains("W1-4000-p01"));
    ask(folder.path(), &["bench", "W1-50-p05", "--seconds", "0"]).bad(2);
    ask(folder.path(), &["bench", "W1-50-p05", "--rounds", "0"]).bad(2);
    ask(folder.path(), &["bench", "W1-50-p05", "--plan", "quick"]).bad(2);
}

/// A rule on two threads, as text and as JSON.
fn rules() {
    let folder = folder();
    let at = folder.path();
    let quick = ["--steps", "4", "--rounds", "1", "--pre", "40", "--post", "30", "--rate", "50Hz"];
    let out = ask(at, &[&["bench", "std::stdp"][..], &quick].concat()).good();
    for word in ["40 × 30 dense", "GB/s read and written", "auto", "full", "ns/event"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    let asked = ["--format", "json", "--plan", "full,events", "--precision", "f64"];
    let out = ask(at, &[&["bench", "std::stdp"][..], &quick, &asked].concat()).good();
    let found: Value = serde_json::from_str(&out).unwrap();
    let [full, events] = &found["plans"].as_array().unwrap()[..] else { panic!("{out}") };
    assert_eq!((&full["plan"], &events["plan"]), (&"full".into(), &"events".into()));
    // A full pass reads and writes each weight once.
    assert_eq!(full["bytes_per_step"].as_f64(), Some(40.0 * 30.0 * 16.0));
    let share = events["bytes_per_step"].as_f64().unwrap() / full["bytes_per_step"].as_f64().unwrap();
    assert!(share > 0.0 && share < 0.5, "{share}");
    assert!(full["us_per_step"].as_f64() > Some(0.0) && full["code_ms"].as_f64() > Some(0.0), "{out}");
    // Batches, other topologies, and what a rule needs.
    let given = ["--set", "alpha=0.1", "--set", "dopamine=1", "--topology", "csr", "--batch", "3"];
    ask(at, &[&["bench", "given.rule"][..], &quick, &given].concat()).bad(1);
    ask(at, &[&["bench", "given.rule"][..], &quick, &given[..6]].concat()).good();
    let patterns = ["--batch", "3", "--format", "json"];
    let out = ask(
        at,
        &[&["bench", "std::hebbian"][..], &quick, &patterns, &["--set", "z_pre=1", "--set", "z_post=0"]]
            .concat(),
    );
    let found: Value = serde_json::from_str(&out.good()).unwrap();
    assert_eq!(found["synapse_visits"].as_f64(), Some(3600.0));
}

fn wrong_rules() {
    let folder = folder();
    let at = folder.path();
    assert!(ask(at, &["bench", "given.rule"]).bad(1).contains("`alpha`"));
    assert!(ask(at, &["bench", "missing.rule"]).bad(2).contains("missing.rule"));
    std::fs::write(at.join("broken.rule"), "rule broken { plastic w; update { dv -= w; } }").unwrap();
    assert!(ask(at, &["bench", "broken.rule"]).bad(1).contains("dv"));
    assert!(ask(at, &["bench", "W1-50-p05", "--pre", "3"]).bad(2).contains("--pre"));
    assert!(ask(at, &["bench", "std::stdp", "--rate", "2000Hz"]).bad(2).contains("--rate"));
    ask(at, &["bench", "std::stdp", "--pre", "2147483648", "--post", "2147483648"]).bad(1);
}
