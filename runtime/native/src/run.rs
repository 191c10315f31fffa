//! Where a group stands: its sizes and moments.

use aplysia_topology::{Count, Counts, Side, Topology};

use super::error::Error;
use super::group::Options;
use super::spikes::Room;

/// Where a group stands: its sizes, its step and what parameters make of it.
#[derive(Clone, Debug)]
pub struct Run<const N: usize> {
    /// Presynaptic neurons.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
    /// How the neurons are connected.
    pub topology: Topology,
    counts: Counts,
    /// The length of a step in ms.
    pub dt: f64,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The number of the last step.
    pub step: u64,
    /// The number of the combination of the rule's options.
    pub variant: usize,
    /// There are so many synapses that rows are left behind, where nothing else was asked for.
    pub large: bool,
    /// The host wrote something that constrain concerns.
    pub dirty: bool,
    /// How many neurons of each side spike in this step.
    pub events: [usize; 2],
    /// What is computed when a parameter changes.
    pub prologue: [f64; N],
}

impl<const N: usize> Run<N> {
    /// Before the first step.
    ///
    /// # Errors
    /// If the sizes do not fit, or the length of a step is no positive number.
    pub fn new(topology: &Topology, batch: usize, options: &Options) -> Result<Self, Error> {
        let Options { dt, seed } = *options;
        if !(dt > 0.0 && dt.is_finite()) {
            return Err(Error::BadStep(dt));
        }
        if batch == 0 {
            return Err(Error::NoBatch);
        }
        let counts =
            Counts::new(topology, batch).ok_or(Error::TooLarge)?.with_panel(super::tile::panel_size());
        Ok(Self {
            pre: topology.pre(),
            post: topology.post(),
            topology: topology.clone(),
            counts,
            dt,
            seed,
            step: 0,
            variant: 0,
            large: topology.is_large(),
            dirty: false,
            events: [0; 2],
            prologue: [0.0; N],
        })
    }

    /// A number of the topology.
    #[inline]
    pub fn count(&self, count: Count) -> usize {
        self.counts.get(count) as usize
    }

    /// The neurons of a side.
    pub fn room(&self, side: Side) -> Room {
        Room { batch: self.count(Count::Batch), count: self.counts.side(side) }
    }

    /// Whether blocks of so many postsynaptic neurons, or output channels, are whole.
    ///
    /// # Errors
    /// If they are not.
    pub fn divides(&self, size: u32) -> Result<(), Error> {
        let channels = self.topology.channels(Side::Post);
        if channels.is_multiple_of((size as usize).max(1)) {
            Ok(())
        } else {
            Err(Error::UnevenBlocks { size, channels })
        }
    }

    /// Whether the events of this step are so few that their rows and columns cost less than so large a share of a full
    /// pass, a synapse of a column counted as `column_cost` ones of a row, and nothing was written in between.
    #[inline]
    pub fn few_events(&self, share: f64, column_cost: f64) -> bool {
        let [pre_events, post_events] = self.events.map(|count| count as f64);
        let (pre, post) = (self.pre as f64, self.post as f64);
        !self.dirty && pre_events * post + column_cost * post_events * pre <= share * pre * post
    }

    /// Whether a period, a result of the prologue in steps, ends with this step.
    #[inline]
    pub fn is_due(&self, place: usize) -> bool {
        // A conversion from float to integer saturates: an infinite period is never due.
        self.step.is_multiple_of((nearest(self.prologue[place]) as u64).max(1))
    }

    /// A length that the prologue computes.
    ///
    /// # Errors
    /// If it is no length.
    pub fn length(&self, place: usize) -> Result<usize, Error> {
        let length = self.prologue[place];
        if (0.0..1e12).contains(&length) { Ok(length as usize) } else { Err(Error::TooLarge) }
    }
}

/// To the nearest whole number, halves to even.
fn nearest(value: f64) -> f64 {
    super::Real::round_ties_even(value)
}
