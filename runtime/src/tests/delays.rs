//! Delays of a group, as the host gives and changes them.

use super::*;
use crate::units::ms;
use crate::{Delay, Rule};

const TEXT: &str = "rule pairs {
    plastic w;
    pre state x; post state y; post output current;
    on pre { x += 1; dw -= y; current += 1; }
    on post { y += 1; dw += x; }
}";

fn pairs(pre: usize, post: usize) -> Group {
    Group::dense(pre, post).rule(&Rule::from_source("pairs.rule", TEXT).unwrap())
}

/// The weights after presynaptic spikes in step 1 and postsynaptic ones in step 3, some steps later.
fn after(device: Device, group: Group) -> Vec<f32> {
    let (pre, post): (Vec<u32>, Vec<u32>) = ((0..2).collect(), (0..3).collect());
    let mut engine = Engine::new(device).unwrap();
    let id = engine.register(group).unwrap();
    for step in 1..=12 {
        let mut events = Events::new();
        if step == 1 {
            events = events.pre(&pre);
        }
        if step == 3 {
            events = events.post(&post);
        }
        engine.step(&[(id, events)]).unwrap();
    }
    engine.read::<f32>(id, "w").unwrap().iter().copied().collect()
}

#[test]
fn spikes_pair_when_they_reach_the_synapse() {
    for device in devices() {
        let group = || pairs(2, 3);
        // The presynaptic spike comes first, as long as it is not 3 steps late.
        assert_eq!(after(device.clone(), group()), [1.0; 6]);
        assert_eq!(after(device.clone(), group().axonal_delay(Delay::of(ms(2.0)))), [1.0; 6]);
        assert_eq!(after(device.clone(), group().axonal_delay(Delay::of(ms(3.0)))), [-1.0; 6]);
        let both = group().axonal_delay(Delay::of(ms(3.0))).dendritic_delay(Delay::of(ms(1.0)));
        assert_eq!(after(device.clone(), both), [1.0; 6]);
        let neurons = group().axonal_delay(Delay::per_neuron(array![3.0, 0.0], ms(5.0)));
        assert_eq!(after(device.clone(), neurons), [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]);
        let neurons = group()
            .axonal_delay(Delay::of(ms(4.0)))
            .dendritic_delay(Delay::per_neuron(array![1.0, 2.0, 3.0], ms(5.0)));
        assert_eq!(after(device.clone(), neurons), [-1.0, 1.0, 1.0, -1.0, 1.0, 1.0]);
        let synapses = array![[0.0, 3.0, 5.0], [2.0, 3.0, 1.0]];
        let synapses = group().axonal_delay(Delay::per_synapse(synapses, ms(5.0)));
        assert_eq!(after(device, synapses), [1.0, -1.0, -1.0, 1.0, -1.0, 1.0]);
    }
}

#[test]
fn a_delay_may_be_set_again_up_to_its_longest() {
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let delay = Delay::of(ms(1.0)).up_to(ms(3.0));
    let id = engine.register(pairs(1, 1).axonal_delay(delay)).unwrap();
    let current = |engine: &mut Engine, spike: bool| -> f32 {
        let events = if spike { Events::new().pre(&[0]) } else { Events::new() };
        engine.step(&[(id, events)]).unwrap();
        engine.read::<f32>(id, "current").unwrap()[[0]]
    };
    let heard: Vec<f32> = [true, false, false].map(|spike| current(&mut engine, spike)).to_vec();
    assert_eq!(heard, [0.0, 1.0, 0.0]);
    engine.set_param(id, "delay.axonal", 3.0).unwrap();
    // The spike of the first step is 3 steps ago again.
    let heard: Vec<f32> = [true, false, false, false].map(|spike| current(&mut engine, spike)).to_vec();
    assert_eq!(heard, [1.0, 0.0, 0.0, 1.0]);
    let error = engine.set_param(id, "delay.axonal", 3.5).unwrap_err();
    assert_eq!(error.code().id(), "E0807", "{error}");
}

#[test]
fn delays_that_do_not_fit_are_refused() {
    let refused = |group: Group| {
        let error = Engine::new(Device::interpreter()).unwrap().register(group).unwrap_err();
        (error.code().id(), error.to_string())
    };
    let (code, message) = refused(pairs(2, 3).axonal_delay(Delay::of(ms(f64::NAN))));
    assert!(code == "E0841" && message.contains("the longest axonal delay is NaN ms"), "{message}");
    let long = pairs(2, 3).dendritic_delay(Delay::per_neuron(array![1.0, 2.0, 9.0], ms(5.0)));
    assert_eq!(refused(long).0, "E0807");
    let shape = pairs(2, 3).dendritic_delay(Delay::per_neuron(array![1.0, 2.0], ms(5.0)));
    assert_eq!(refused(shape).0, "E0805");
}

#[test]
fn a_checkpoint_holds_what_is_on_its_way() {
    let delayed = || {
        group()
            .axonal_delay(Delay::of(ms(4.0)))
            .dendritic_delay(Delay::per_neuron(array![1.0, 2.0, 3.0, 0.0, 5.0], ms(5.0)))
    };
    for device in devices() {
        let (mut whole, id) = engine(device.clone(), delayed());
        advance(&mut whole, id, 0..7);
        let mut file = Vec::new();
        whole.save_to(&mut file).unwrap();
        advance(&mut whole, id, 7..15);
        let (mut resumed, again) = engine(device, delayed());
        resumed.restore_from(file.as_slice()).unwrap();
        advance(&mut resumed, again, 7..15);
        assert_eq!(weights(&mut resumed, again), weights(&mut whole, id));
        let (mut undelayed, other) = engine(Device::interpreter(), group());
        advance(&mut undelayed, other, 0..15);
        assert_ne!(weights(&mut undelayed, other), weights(&mut whole, id));
    }
}
