//! Leaky integrate-and-fire neurons with lateral inhibition and adaptive thresholds (Diehl & Cook 2015,
//! doi:10.3389/fncom.2015.00099). Currents go in, at most one spike a step comes out.

/// The time constant of the membrane, in steps of 1 ms.
const TAU_MEMBRANE: f32 = 100.0;
/// The threshold over rest, in mV, where a neuron has not adapted. A spike through a weight of 1 gives 1 mV.
const THRESHOLD: f32 = 24.0;
/// How long nobody spikes after a spike, in steps: the winner is refractory, the others are inhibited.
const PAUSE: u32 = 5;

/// A population in which a spike resets every membrane.
pub struct Neurons {
    potential: Vec<f32>,
    /// What each threshold has risen by, in mV.
    adaptation: Vec<f32>,
    leak: f32,
    pause: u32,
}

impl Neurons {
    /// So many neurons at rest, not adapted.
    pub fn new(count: usize) -> Self {
        let leak = (-1.0 / TAU_MEMBRANE).exp();
        Self { potential: vec![0.0; count], adaptation: vec![0.0; count], leak, pause: 0 }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.potential.len()
    }

    /// Back to rest, between two images. The thresholds stay.
    pub fn rest(&mut self) {
        self.potential.fill(0.0);
        self.pause = 0;
    }

    /// One step. Of the neurons over their threshold the one that is furthest over it spikes.
    pub fn step<'a>(&mut self, current: impl IntoIterator<Item = &'a f32>) -> Option<usize> {
        for (potential, current) in self.potential.iter_mut().zip(current) {
            *potential = *potential * self.leak + current;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return None;
        }
        let over = |(potential, adaptation): (&f32, &f32)| potential - (THRESHOLD + adaptation);
        let excess = self.potential.iter().zip(&self.adaptation).map(over).enumerate();
        let ready = excess.filter(|(_, excess)| *excess >= 0.0);
        let (winner, _) = ready.max_by(|a, b| a.1.total_cmp(&b.1))?;
        self.potential.fill(0.0);
        self.pause = PAUSE;
        Some(winner)
    }

    /// Raises the threshold of a neuron that has spiked, in mV.
    pub fn adapt(&mut self, neuron: usize, rise: f32) {
        self.adaptation[neuron] += rise;
    }

    /// Lets all thresholds sink towards `THRESHOLD`, to this part of their rise.
    pub fn recover(&mut self, part: f32) {
        self.adaptation.iter_mut().for_each(|adaptation| *adaptation *= part);
    }
}
