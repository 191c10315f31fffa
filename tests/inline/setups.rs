//! What is said about a group before it runs: initial values, draws, delays; and what is refused.

use aplysia::compiler::ir::Domain;
use aplysia::compiler::pass::delays::{Delay, Delays};
use aplysia::native::{Connected as _, Convolution, Dense, Error, OneToOne, Options, Sparse, Value};
use aplysia::plasticity;

use crate::oracle::{Oracle, rough, sparse};

plasticity! {
    axonal_delay = 6 ms per pre, dendritic_delay = 4 ms;
    use std::stdp;
    rule late = stdp(a_plus = 0.1);
}
plasticity! {
    topologies = [dense], axonal_delay = 3 ms per synapse;
    rule each {
        plastic w = 0.5;
        post output current;
        on pre { current += w; dw += 0.1; }
    }
}
plasticity! {
    draws = [z, made.b], topologies = [dense];
    rule made {
        plastic w in 0 .. 2 = uniform(0, 1);
        post state y = 3 * mean[pre](w);
        state n: int = 4;
        shared pre state gain: mV = 2 mV;
        synapse state s;
        on create { w += 0.25; }
        update {
            let z = normal[synapse](0, 1);
            let b = bernoulli[post](0.5);
            s = z * (gain / 1 mV);
            dw += z * b;
            n += 1;
        }
    }
}
plasticity! {
    topologies = [dense, local2d];
    rule blocks {
        plastic w = 0.5;
        post state y = 1;
        post output part;
        update { part = sum[post by 4](y); dw += 0 * w; }
    }
}

plasticity! {
    options = [response, chosen.start], topologies = [dense];
    rule chosen {
        /// What a change follows.
        option response in {rectified, linear} = linear;
        option start in {at_zero, at_random, high} = high;
        param rate = 0.1;
        plastic w = match start { at_zero => 0, at_random => uniform(0, 1), high => 2 };
        pre state x;
        post state y;
        dx/dt = -x / 10 ms;
        on pre { x += 1; }
        on post { dw += rate * match response { rectified => max(x - w, 0), linear => x - w }; }
        every 4 steps { match start { at_zero => { w += 0.5; } at_random => { w -= 0.1; } high => { y += 1; } } }
    }
}

const OPTIONS: Options = Options { dt: 0.5, seed: 11 };

/// A module's builder in one of the precisions.
macro_rules! precise {
    (f32, $builder:expr) => {
        $builder
    };
    (f64, $builder:expr) => {
        $builder.f64()
    };
}

macro_rules! late_agrees {
    ($test:ident, $real:ident) => {
        #[test]
        fn $test() {
            let delays = Delays {
                axonal: Some(Delay { domain: Domain::Pre, longest_ms: 6.0 }),
                dendritic: Some(Delay { domain: Domain::Global, longest_ms: 4.0 }),
            };
            for topology in sparse() {
                let connected = topology.clone().into_topology();
                let params = late::Params { dendritic_delay: 1.5, ..Default::default() };
                let builder = precise!($real, late::Builder::new(topology, params));
                let mut group = builder.options(OPTIONS).build().expect("a group");
                let mut oracle = Oracle::<$real>::with_delays(&late::ITEM, &connected, 1, OPTIONS, &delays);
                let times: Vec<f64> = (0..connected.pre()).map(|neuron| (neuron % 13) as f64 * 0.5).collect();
                oracle.set("delay.axonal", &times);
                oracle.set("delay.dendritic", &[1.5]);
                group.set_axonal_delay(times.iter().map(|&time| time as $real).collect::<Vec<_>>());
                for step in 1..=30 {
                    let (pre, post) = oracle.step(step);
                    group.step(&pre, &post);
                    group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
                }
            }
        }
    };
}
late_agrees!(delays_of_neurons_and_of_the_group_in_f32, f32);
late_agrees!(delays_of_neurons_and_of_the_group_in_f64, f64);

#[test]
fn a_delay_of_each_synapse() {
    let mut group = each::Group::dense(1, 3, each::Params::default());
    group.set_axonal_delay([0.0, 2.0, 3.0]);
    let mut arrivals = Vec::new();
    group.step(&[0], &[false; 3]);
    for _ in 0..4 {
        arrivals.push(group.current().to_vec());
        group.step(&[false], &[false; 3]);
    }
    assert_eq!(arrivals, [[0.5, 0.0, 0.0], [0.0; 3], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]]);
    let longer = group.try_set_axonal_delay([0.0, 2.0, 3.5]);
    assert!(matches!(longer, Err(Error::OutOfRange { name: "delay.axonal", .. })), "{longer:?}");
}

macro_rules! made_agrees {
    ($test:ident, $real:ident) => {
        #[test]
        fn $test() {
            let topology = Dense { pre: 5, post: 7 };
            let reals = |salt, count| rough(salt, count).into_iter().map(|value| value as $real).collect();
            let (w, gain, z): (Vec<$real>, Vec<$real>, Vec<$real>) =
                (reals(1, 35), reals(2, 5), reals(3, 35));
            let b: Vec<bool> = (0..7).map(|neuron| neuron % 3 == 0).collect();
            let builder = precise!($real, made::Builder::new(topology, made::Params {})).options(OPTIONS);
            let builder = builder.init_w(&w).init_gain(&gain).draw_z(&z).draw_b(&b);
            let mut group = builder.build().expect("a group");
            let mut oracle = Oracle::<$real>::new(&made::ITEM, &topology.into_topology(), 1, OPTIONS);
            let wide = |values: &[$real]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
            oracle.begin("w", &wide(&w));
            oracle.begin("gain", &wide(&gain));
            oracle.draw("made.z", &wide(&z));
            oracle.draw("made.b", &b.iter().map(|&value| f64::from(u8::from(value))).collect::<Vec<_>>());
            group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
            assert_eq!(group.n(), 4);
            for step in 1..=5 {
                let (pre, post) = oracle.step(step);
                group.step(&pre, &post);
                group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
            }
            let other: Vec<$real> = reals(4, 35);
            group.set_draw_z(&other);
            oracle.draw("made.z", &wide(&other));
            let (pre, post) = oracle.step(6);
            group.step(&pre, &post);
            group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
        }
    };
}
made_agrees!(initial_values_and_draws_of_the_host_in_f32, f32);
made_agrees!(initial_values_and_draws_of_the_host_in_f64, f64);

#[test]
fn what_a_group_needs_is_asked_for() {
    let build = made::Builder::new(Dense { pre: 1, post: 2 }, made::Params {}).draw_z(0.5);
    assert_eq!(build.clone().build().err(), Some(Error::MissingInput("made.b")));
    let short = build.clone().draw_b(true).init_w([0.5]).build().err();
    assert_eq!(short, Some(Error::WrongLength { name: "w", expected: 2, found: 1 }));
    let group = build.draw_b(true).init_w([0.5, 5.0]).init_n(7).build().expect("a group");
    // `on create` adds to what the host gives, and the range of `w` holds for it.
    assert_eq!(group.w(), [0.75, 2.0]);
    assert_eq!(group.n(), 7);
}

#[test]
fn blocks_have_to_be_whole() {
    let refused = blocks::Group::try_dense(2, 6, blocks::Params {}, OPTIONS).err();
    assert_eq!(refused, Some(Error::UnevenBlocks { size: 4, channels: 6 }));
    let shape = Convolution::new(1, [2, 2], 4, [2, 2]).expect("a shape");
    assert!(blocks::Group::try_local2d(shape, blocks::Params {}, OPTIONS).is_ok());
}

/// Functions over groups need not know their topology or precision, and groups go to other threads.
#[test]
fn groups_of_all_kinds_run_in_one_function() {
    fn run<R: Value + Send, T: late::Loops<R> + Send + 'static>(mut group: late::Group<R, T>) -> Vec<f64> {
        let steps = move || {
            group.step(&[0], &[false]);
            group.step(&[false], &[0]);
            group.w().iter().map(|w| w.wide()).collect()
        };
        std::thread::spawn(steps).join().expect("two steps")
    }
    let params = late::Params::default;
    let single = run(late::Group::dense(1, 1, params()));
    assert!(single[0] > 0.5);
    assert_eq!(run(late::Group::one_to_one(1, params())), single);
    assert!((run(late::Group::dense_f64(1, 1, params()))[0] - single[0]).abs() < 1e-6);
}

#[test]
fn sizes_and_steps_are_checked() {
    let large = late::Group::try_one_to_one(usize::MAX, late::Params::default(), OPTIONS).err();
    assert_eq!(large, Some(Error::TooLarge));
    let params = late::Params { a_plus: -1.0, ..Default::default() };
    let wrong = late::Builder::new(OneToOne { count: 2 }, params).build().err();
    assert!(matches!(wrong, Some(Error::OutOfRange { value: -1.0, .. })), "{wrong:?}");
    let list = Sparse::new(2, 2, vec![0, 1, 1], vec![1]).expect("a list");
    let mut group = late::Group::sparse(list, late::Params::default());
    assert_eq!(group.topology().synapses(), Some(1));
    assert!(group.try_step(&[2], &[0]).is_err());
    group.step(&[0], &[1]);
    assert_eq!(group.steps(), 1);
}

#[test]
fn options_of_the_rule_are_chosen_when_a_group_is_made() {
    use chosen::{Group, Options as Choices, Params, Response, Start};
    let defaults = Choices::default();
    assert_eq!((defaults.response, defaults.start), (Response::Linear, Start::High));
    for (response, word) in [(Response::Rectified, "rectified"), (Response::Linear, "linear")] {
        for (start, begin) in
            [(Start::AtZero, "at_zero"), (Start::AtRandom, "at_random"), (Start::High, "high")]
        {
            let options = Choices { dt: 0.5, seed: 11, response, start };
            let topology = Dense { pre: 6, post: 9 };
            let mut group = Group::try_dense(6, 9, Params::default(), options).expect("a group");
            let rule = aplysia::Rule::from_item(&chosen::ITEM).expect("a rule");
            let rule = rule.option("response", word).and_then(|rule| rule.option("start", begin));
            let rule = rule.expect("a choice");
            let connected = topology.into_topology();
            let mut oracle = Oracle::<f32>::of_rule(&rule, &connected, 1, OPTIONS, &Delays::default());
            for step in 1..=12 {
                let (pre, post) = oracle.step(step);
                group.step(&pre, &post);
                group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
            }
        }
    }
}
