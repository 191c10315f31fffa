//! Rules with their stories: each runs on every machine, in f32 and f64, with quiet and busy steps, and then tells, on
//! two by two neurons, what the language says it does.
//!
//! In `stories.txt` the stories are parted by `====`. The first line is the title. `//P NAME VALUES` sets a variable or
//! a parameter, `//S PRE POST [N]` makes N steps with the spikes 0 and 1, `//C NAME` calls, and `//? NAME VALUES` says
//! what a variable must be, worked out by hand.

use super::machines::*;
use crate::kernel::Precision;

const STORIES: &str = include_str!("stories.txt");
const SIZES: [(usize, usize); 4] = [(0, 4), (3, 0), (5, 6), (34, 40)];

fn stories() -> Vec<(&'static str, &'static str)> {
    STORIES.split("\n====\n").map(|story| (story.lines().next().unwrap_or_default(), story)).collect()
}

#[test]
fn every_machine_gives_the_same_bits() {
    for (title, text) in stories() {
        eprintln!("{title}");
        let rule = rule(text);
        for (pre, post) in SIZES {
            agree_in::<f32>(&rule, Precision::F32, &Setup::dense(pre, post));
        }
        agree_in::<f64>(&rule, Precision::F64, &Setup::dense(5, 6));
    }
}

#[test]
fn blocks_of_sums_agree() {
    // More rows than a block of a sum holds.
    let text = "rule r { plastic w in 0 .. 1 = uniform(0, 1); pre state x = 0.3; post output I; post state z;
        on pre { x += 0.1; I += w * x; dw += 0.01; } on post { dw -= 0.02; } update { z = sum[pre](w * x); } }";
    agree(&rule(text), 600, 3);
}

#[test]
fn stories_end_as_the_language_says() {
    let mut said = 0;
    for (title, text) in stories().into_iter().filter(|(_, text)| text.contains("\n//?")) {
        let rule = rule(text);
        let setup = Setup::dense(2, 2);
        let programs = programs(&rule, &setup, Precision::F64).expect("a plan");
        let mut machines = Machines::<f64>::new(&rule, &programs, &setup);
        machines.compare("creation");
        for line in text.lines() {
            let Some((command, rest)) = line.strip_prefix("//").and_then(|line| line.split_once(' ')) else {
                continue;
            };
            let words: Vec<&str> = rest.split_whitespace().collect();
            let numbers =
                || words[1..].iter().map(|word| word.parse().expect("a number")).collect::<Vec<f64>>();
            match command {
                "P" => machines.set(words[0], &numbers()),
                "C" => machines.call(words[0]),
                "S" => {
                    let spikes = |word: &str| word.chars().map(|sign| sign == '1').collect::<Vec<bool>>();
                    for _ in 0..words.get(2).map_or(1, |word| word.parse().expect("a number")) {
                        machines.step(&spikes(words[0]), &spikes(words[1]));
                    }
                }
                "?" => {
                    said += 1;
                    let (found, expected) = (machines.read(words[0]), numbers());
                    let same = |(a, b): (&f64, &f64)| {
                        a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-12 * b.abs().max(1e-3)
                    };
                    let right = found.len() == expected.len() && found.iter().zip(&expected).all(same);
                    assert!(right, "{title}: `{}` is {found:?}, not {expected:?}", words[0]);
                }
                _ => {}
            }
        }
    }
    assert!(said > 50, "only {said} values are compared");
}
