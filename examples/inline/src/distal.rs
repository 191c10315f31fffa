//! The distal reward problem: a reward that comes seconds after a pair of spikes finds the synapse that it is for, although
//! all others have been active in between (Izhikevich, Cerebral Cortex 17, 2443 (2007), doi:10.1093/cercor/bhl152).
//!
//! 80 excitatory and 20 inhibitory neurons of Izhikevich's (IEEE Transactions on Neural Networks 14, 1569 (2003),
//! doi:10.1109/TNN.2003.820440), all connected, so that each has as many inputs as in the publication's network of 1000.
//! Whenever neuron 1 spikes within 20 ms after neuron 0, dopamine is released, 1 to 3 s later.

use crate::random::Random;

aplysia::plasticity! {
    /// Pairs of spikes make a synapse eligible; dopamine turns eligibility into change.
    rule distal_reward {
        /// Eligibility from one pair at zero delay, pre before post.
        param a_plus = 0.1;
        /// Loss of eligibility by one pair at zero delay, post before pre.
        param a_minus = 0.15;
        /// Width of both windows.
        param tau = 20 ms;
        /// Memory of the eligibility.
        param tau_c = 1 s;
        /// Dopamine that is always there.
        param tonic = 0.002;

        /// Dopamine above its tonic level.
        global input dopamine;

        /// The weight in mV.
        plastic w in 0 .. 4 = 1;

        pre state x;
        post state y;
        /// Eligibility.
        synapse state c;
        dx/dt = -x / tau;
        dy/dt = -y / tau;

        on pre { x += 1; c -= a_minus * y; }
        on post { y += 1; c += a_plus * x; }
        // As the publication's program has it: weights change every 10 ms, and all else is spikes.
        every 10 ms {
            w += (tonic + dopamine) * c;
            c *= exp(-10 ms / tau_c);
        }
    }
}

/// Excitatory neurons, whose synapses learn.
const EXCITATORY: usize = 80;
/// All neurons.
const ALL: usize = 100;
/// What an inhibitory spike does.
const INHIBITION: f64 = -1.0;
/// The synapse that is rewarded.
const REWARDED: (usize, usize) = (0, 1);
/// Dopamine of one reward.
const REWARD: f64 = 0.5;

/// Neurons of two sorts: regular spiking ones, and fast spiking ones that inhibit.
struct Neurons {
    v: [f64; ALL],
    u: [f64; ALL],
}

impl Neurons {
    /// One step of 1 ms: the neurons that spike.
    fn step(&mut self, input: &[f64; ALL], spikes: &mut Vec<usize>) {
        spikes.clear();
        for (neuron, input) in input.iter().enumerate() {
            let (a, d) = if neuron < EXCITATORY { (0.02, 8.0) } else { (0.1, 2.0) };
            let (v, u) = (&mut self.v[neuron], &mut self.u[neuron]);
            if *v >= 30.0 {
                *v = -65.0;
                *u += d;
            }
            for _ in 0..2 {
                *v += 0.5 * ((0.04 * *v + 5.0) * *v + 140.0 - *u + input);
            }
            *u += a * (0.2 * *v - *u);
            if *v >= 30.0 {
                spikes.push(neuron);
            }
        }
    }
}

/// The state of learning at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The rewarded synapse's weight in mV.
    pub rewarded: f64,
    /// The mean of all other weights.
    pub others: f64,
    /// How many rewards there have been.
    pub rewards: usize,
    /// The mean rate of the excitatory neurons since the last moment, in Hz.
    pub rate: f64,
}

/// Lets a network learn for so many seconds, and looks at it every minute. Rewards come `delay` seconds late, the first
/// number at least, the second at most.
pub fn learn(seconds: usize, delay: (f64, f64), seed: u64) -> Vec<Moment> {
    let mut random = Random::new(seed);
    let mut neurons = Neurons { v: [-65.0; ALL], u: [-13.0; ALL] };
    let mut synapses = distal_reward::Group::dense(EXCITATORY, ALL, distal_reward::Params::default());
    let (from, to) = REWARDED;
    let mut weights = synapses.w().to_vec();
    weights[from * ALL + to] = 0.0;
    synapses.set_w(&weights);
    let (mut spikes, mut input) = (Vec::new(), [0.0; ALL]);
    let (mut dopamine, mut last, mut due) = (0.0f32, usize::MAX, std::collections::VecDeque::new());
    let (mut count, mut rewards, mut moments) = (0, 0, Vec::new());
    for now in 1..=seconds * 1000 {
        input.iter_mut().for_each(|input| *input += 13.0 * (random.unit() - 0.5));
        neurons.step(&input, &mut spikes);
        input.fill(0.0);
        let excitatory = spikes.partition_point(|&neuron| neuron < EXCITATORY);
        for &neuron in &spikes {
            if neuron < EXCITATORY {
                let row = &synapses.w()[neuron * ALL..][..ALL];
                input.iter_mut().zip(row).for_each(|(input, w)| *input += f64::from(*w));
            } else {
                // Inhibition reaches the excitatory neurons.
                input[..EXCITATORY].iter_mut().for_each(|input| *input += INHIBITION);
            }
        }
        if spikes.contains(&to) && now - last.min(now) <= 20 && last < now {
            let late = delay.0 + (delay.1 - delay.0) * random.unit();
            due.push_back(now + (1000.0 * late) as usize);
        }
        if spikes.contains(&from) {
            last = now;
        }
        dopamine *= 0.995;
        let before = due.len();
        due.retain(|&moment| moment != now);
        dopamine += REWARD as f32 * (before - due.len()) as f32;
        rewards += before - due.len();
        count += excitatory;
        synapses.set_dopamine(dopamine);
        synapses.step(&spikes[..excitatory], &spikes);
        if now.is_multiple_of(60_000) {
            let all: f64 = synapses.w().iter().map(|w| f64::from(*w)).sum();
            let rewarded = f64::from(synapses.w()[from * ALL + to]);
            let others = (all - rewarded) / (EXCITATORY * ALL - 1) as f64;
            let rate = count as f64 / EXCITATORY as f64 / 60.0;
            moments.push(Moment { rewarded, others, rewards, rate });
            count = 0;
        }
    }
    moments
}
