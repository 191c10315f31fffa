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
    for line in &found {
        assert_eq!(
            (&line["synapses"], &line["steps"], &line["threads"]),
            (&2500.into(), &3.into(), &2.into())
        );
        assert_eq!(line["checksum"], found[0]["checksum"], "plans do not change a bit");
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
