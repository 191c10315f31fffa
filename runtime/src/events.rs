//! What happens in a step: spikes, as sorted lists of neurons. A whole run's worth of them is in `train`.

use std::fmt;

use aplysia_compiler::kernel;

use crate::error::{Error, Result};

/// A side of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Presynaptic.
    Pre,
    /// Postsynaptic.
    Post,
}

impl Side {
    pub(crate) const BOTH: [Side; 2] = [Side::Pre, Side::Post];

    /// The side of a kernel.
    pub(crate) fn kernel(self) -> kernel::Side {
        match self {
            Side::Pre => kernel::Side::Pre,
            Side::Post => kernel::Side::Post,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Pre => "pre",
            Side::Post => "post",
        })
    }
}

/// The spikes of one group in one step. It borrows its lists, which are ascending and without repetition.
///
/// Neurons are counted from 0; on an image, channel by channel and row by row. A group with a batch takes pairs of a batch
/// element and a neuron, sorted by element, then by neuron.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events<'a> {
    lists: [List<'a>; 2],
}

/// The spikes of a side.
#[derive(Clone, Copy, Debug)]
enum List<'a> {
    Neurons(&'a [u32]),
    Pairs(&'a [(u32, u32)]),
}

impl Default for List<'_> {
    fn default() -> Self {
        List::Neurons(&[])
    }
}

/// How many neurons a side has, for each element of the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) batch: usize,
    pub(crate) count: usize,
}

impl<'a> Events<'a> {
    /// No spikes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The presynaptic neurons that spike.
    #[must_use]
    pub fn pre(self, pre: &'a [u32]) -> Self {
        self.with(Side::Pre, List::Neurons(pre))
    }

    /// The postsynaptic neurons that spike.
    #[must_use]
    pub fn post(self, post: &'a [u32]) -> Self {
        self.with(Side::Post, List::Neurons(post))
    }

    /// The presynaptic neurons that spike in each element of the batch: pairs (element, neuron).
    #[must_use]
    pub fn pre_batched(self, pre: &'a [(u32, u32)]) -> Self {
        self.with(Side::Pre, List::Pairs(pre))
    }

    /// The postsynaptic neurons that spike in each element of the batch: pairs (element, neuron).
    #[must_use]
    pub fn post_batched(self, post: &'a [(u32, u32)]) -> Self {
        self.with(Side::Post, List::Pairs(post))
    }

    fn with(mut self, side: Side, list: List<'a>) -> Self {
        self.lists[side as usize] = list;
        self
    }

    /// The places of a side's spikes in its bitmap `[batch, neurons]`, ascending.
    pub(crate) fn places(&self, side: Side, room: Room) -> impl Iterator<Item = u32> + 'a {
        let (neurons, pairs): (&[u32], &[(u32, u32)]) = match self.lists[side as usize] {
            List::Neurons(neurons) => (neurons, &[]),
            List::Pairs(pairs) => (&[], pairs),
        };
        let pairs = pairs.iter().map(move |&(element, neuron)| element * room.count as u32 + neuron);
        neurons.iter().copied().chain(pairs)
    }

    /// Refuses what does not exist, and lists that are not strictly ascending.
    pub(crate) fn check(&self, rooms: [Room; 2]) -> Result<()> {
        for side in Side::BOTH {
            let room = rooms[side as usize];
            match self.lists[side as usize] {
                List::Neurons([]) => {}
                List::Neurons(_) if room.batch > 1 => {
                    return Err(Error::NoBatchElements { side, batch: room.batch });
                }
                List::Neurons(list) => check(side, list.iter().map(|&neuron| (0, 0, neuron)), room)?,
                List::Pairs(list) => {
                    check(side, list.iter().map(|&(element, neuron)| (0, element, neuron)), room)?;
                }
            }
        }
        Ok(())
    }
}

/// Refuses the first of a list of events (step, batch element, neuron) that does not exist, or is not after the one
/// before it.
pub(crate) fn check(side: Side, list: impl Iterator<Item = (u64, u32, u32)>, room: Room) -> Result<()> {
    let mut last = None;
    for (position, event) in list.enumerate() {
        let (step, element, neuron) = event;
        if element as usize >= room.batch {
            return Err(Error::EventElement { side, position, element, batch: room.batch });
        }
        if neuron as usize >= room.count {
            return Err(Error::EventIndex { side, position, index: neuron.into(), count: room.count });
        }
        if let Some((before, element_before, neuron_before)) = last
            && event <= (before, element_before, neuron_before)
        {
            let (index, previous) = match (step == before, element == element_before) {
                (false, _) => (step, before),
                (true, false) => {
                    let previous = element_before;
                    return Err(Error::EventElementOrder { side, position, element, previous });
                }
                (true, true) => (neuron.into(), neuron_before.into()),
            };
            return Err(Error::EventOrder { side, position, index, previous });
        }
        last = Some(event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(batch: usize, pre: usize, post: usize) -> [Room; 2] {
        [pre, post].map(|count| Room { batch, count })
    }

    #[test]
    fn ascending_lists_pass() {
        Events::new().pre(&[0, 3, 9]).post(&[1]).check(rooms(1, 10, 2)).unwrap();
        Events::new().check(rooms(1, 0, 0)).unwrap();
        Events::new().pre_batched(&[(0, 3), (0, 4), (1, 0)]).check(rooms(2, 5, 0)).unwrap();
        // One element is a batch, too.
        Events::new().pre_batched(&[(0, 3)]).check(rooms(1, 5, 0)).unwrap();
    }

    #[test]
    fn pairs_have_places_in_the_bitmap() {
        let events = Events::new().pre_batched(&[(0, 3), (1, 0), (2, 4)]).post(&[1]);
        let [pre, post] = rooms(3, 5, 2);
        assert_eq!(events.places(Side::Pre, pre).collect::<Vec<u32>>(), [3, 5, 14]);
        assert_eq!(events.places(Side::Post, post).collect::<Vec<u32>>(), [1]);
    }

    #[test]
    fn bad_lists_are_refused_with_their_place() {
        let error = Events::new().pre(&[1, 3, 3]).check(rooms(1, 10, 2)).unwrap_err();
        assert!(
            matches!(error, Error::EventOrder { side: Side::Pre, position: 2, index: 3, previous: 3 }),
            "{error}"
        );
        assert!(error.to_string().contains("is there twice"), "{error}");
        let error = Events::new().post(&[5, 1]).check(rooms(1, 10, 6)).unwrap_err();
        assert!(matches!(error, Error::EventOrder { side: Side::Post, position: 1, .. }), "{error}");
        let error = Events::new().post(&[0, 6]).check(rooms(1, 10, 6)).unwrap_err();
        assert!(matches!(error, Error::EventIndex { position: 1, index: 6, count: 6, .. }), "{error}");
    }

    #[test]
    fn elements_of_a_batch_exist_and_ascend() {
        let error = Events::new().pre(&[1]).check(rooms(3, 5, 5)).unwrap_err();
        assert!(matches!(error, Error::NoBatchElements { side: Side::Pre, batch: 3 }), "{error}");
        let error = Events::new().pre_batched(&[(0, 1), (3, 1)]).check(rooms(3, 5, 5)).unwrap_err();
        assert!(matches!(error, Error::EventElement { position: 1, element: 3, batch: 3, .. }), "{error}");
        let error = Events::new().post_batched(&[(1, 1), (0, 4)]).check(rooms(3, 5, 5)).unwrap_err();
        assert!(
            matches!(error, Error::EventElementOrder { position: 1, element: 0, previous: 1, .. }),
            "{error}"
        );
        let error = Events::new().post_batched(&[(1, 1), (1, 1)]).check(rooms(3, 5, 5)).unwrap_err();
        assert!(matches!(error, Error::EventOrder { position: 1, index: 1, previous: 1, .. }), "{error}");
    }
}
