//! Runs with axonal and dendritic delays: flags, one number, one for each neuron and one for each synapse.

use ndarray::{Array, IxDyn};

use super::*;

pub fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("command_line::delays::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    vec![
        trial("all_ways_of_saying_a_delay_are_equal", all_ways_are_equal),
        trial("wrong_delays_are_refused", wrong_ones_are_refused),
    ]
}

const PRE: usize = 5;
const POST: usize = 4;
const STEPS: usize = 60;

/// Spikes of both sides, and more arrays.
fn save(path: &Path, more: &[(&str, ArrayD<f64>)]) {
    let mut writer = NpzWriter::new(File::create(path).unwrap());
    for (name, neurons, salt) in [("pre.spike", PRE, 3), ("post.spike", POST, 8)] {
        let spikes = Array2::from_shape_fn((STEPS, neurons), |(step, neuron)| {
            (step * step * 7 + neuron * 13 + salt * step) % 11 < 2
        });
        writer.add_array(name, &spikes).unwrap();
    }
    for (name, array) in more {
        writer.add_array(*name, array).unwrap();
    }
    writer.finish().unwrap();
}

fn weights(at: &Path, arrays: &[(&str, ArrayD<f64>)], flags: &[&str]) -> ArrayD<f32> {
    save(&at.join("case.npz"), arrays);
    let mut words = vec!["run", "std::stdp", "--input", "case.npz", "--output", "out.npz", "--set", "w=0.5"];
    words.extend(flags);
    ask(at, &words).good();
    NpzReader::new(File::open(at.join("out.npz")).unwrap()).unwrap().by_name("w").unwrap()
}

fn all_ways_are_equal() {
    let folder = folder();
    let at = folder.path();
    let filled = |axes: &[usize], time: f64| Array::from_elem(IxDyn(axes), time);
    let expected = weights(at, &[], &["--axonal-delay", "3ms", "--dendritic-delay", "1ms"]);
    assert_ne!(expected, weights(at, &[], &[]), "delays change something");
    for (axonal, dendritic) in
        [(vec![], vec![]), (vec![PRE], vec![POST]), (vec![PRE, POST], vec![PRE, POST]), (vec![], vec![POST])]
    {
        let arrays = [("delay.axonal", filled(&axonal, 3.0)), ("delay.dendritic", filled(&dendritic, 1.0))];
        assert_eq!(expected, weights(at, &arrays, &[]), "{axonal:?} and {dendritic:?}");
    }
    let mixed = weights(at, &[("delay.axonal", filled(&[PRE], 3.0))], &["--dendritic-delay", "1ms"]);
    assert_eq!(expected, mixed);
    let none = [("delay.axonal", filled(&[PRE], 0.0)), ("delay.dendritic", filled(&[], 0.0))];
    assert_eq!(weights(at, &none, &[]), weights(at, &[], &[]), "a delay of nothing is none");
}

fn wrong_ones_are_refused() {
    let folder = folder();
    let at = folder.path();
    let words = ["run", "std::stdp", "--input", "case.npz", "--axonal-delay", "2ms"];
    save(&at.join("case.npz"), &[("delay.axonal", Array::from_elem(IxDyn(&[PRE]), 1.0))]);
    assert!(ask(at, &words).bad(2).contains("`delay.axonal`"));
    for wrong in [-1.0, 1e15, f64::INFINITY, f64::NAN] {
        save(&at.join("case.npz"), &[("delay.axonal", Array::from_elem(IxDyn(&[PRE]), wrong))]);
        let err = ask(at, &words[..4]).bad(1);
        assert!(err.contains("axonal") || err.contains("cannot be allocated"), "{wrong}: {err}");
    }
    save(&at.join("case.npz"), &[("delay.axonal", Array::from_elem(IxDyn(&[PRE + 1]), 1.0))]);
    ask(at, &words[..4]).bad(1);
    ask(at, &["run", "std::stdp", "--axonal-delay", "2mV"]).bad(2);
}
