//! How the host says which neurons spike.

use alloc::vec::Vec;

use super::error::Error;

/// How many neurons a side has, for each element of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Elements of the batch.
    pub batch: usize,
    /// Neurons.
    pub count: usize,
}

impl Room {
    fn places(self) -> usize {
        self.batch * self.count
    }
}

/// The spikes of one side in one step: a `bool` for each neuron, or the numbers of the neurons that spike, ascending; `()`
/// where none does.
///
/// A group with a batch takes a `bool` for each neuron of each element, the elements outermost; the places of those that
/// are `true`; or pairs of an element and a neuron.
pub trait Spikes {
    /// Names each neuron that spikes.
    ///
    /// # Errors
    /// If there are more or fewer conditions than neurons, or a number is out of range or not above the one before.
    fn each(&self, side: &'static str, room: Room, found: &mut dyn FnMut(usize)) -> Result<(), Error>;
}

impl Spikes for [bool] {
    fn each(&self, side: &'static str, room: Room, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        let count = room.places();
        if self.len() != count {
            return Err(Error::WrongLength { name: side, expected: count, found: self.len() });
        }
        self.iter().enumerate().filter(|(_, spikes)| **spikes).for_each(|(neuron, _)| found(neuron));
        Ok(())
    }
}

impl Spikes for () {
    fn each(&self, _: &'static str, _: Room, _: &mut dyn FnMut(usize)) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! numbers {
    ($($ty:ident)*) => {
        $(
            impl Spikes for [$ty] {
                fn each(
                    &self,
                    side: &'static str,
                    room: Room,
                    found: &mut dyn FnMut(usize),
                ) -> Result<(), Error> {
                    let count = room.places();
                    let mut least = 0;
                    for (position, &index) in self.iter().enumerate() {
                        let place = usize::try_from(index).ok().filter(|&place| place < count);
                        let Some(place) = place else {
                            let index = i64::try_from(index).unwrap_or(i64::MAX);
                            return Err(Error::NoSuchNeuron { side, index, count });
                        };
                        if place < least {
                            return Err(Error::Unsorted { side, position });
                        }
                        least = place + 1;
                        found(place);
                    }
                    Ok(())
                }
            }
        )*
    };
}
numbers! { i32 u32 usize }

macro_rules! pairs {
    ($($ty:ident)*) => {
        $(
            impl Spikes for [($ty, $ty)] {
                fn each(
                    &self,
                    side: &'static str,
                    room: Room,
                    found: &mut dyn FnMut(usize),
                ) -> Result<(), Error> {
                    let mut least = 0;
                    for (position, &(element, index)) in self.iter().enumerate() {
                        let within = |number: $ty, count: usize| {
                            let place = usize::try_from(number).ok().filter(|&place| place < count);
                            let index = i64::try_from(number).unwrap_or(i64::MAX);
                            place.ok_or(Error::NoSuchNeuron { side, index, count })
                        };
                        let place = within(element, room.batch)? * room.count + within(index, room.count)?;
                        if place < least {
                            return Err(Error::Unsorted { side, position });
                        }
                        least = place + 1;
                        found(place);
                    }
                    Ok(())
                }
            }
        )*
    };
}
pairs! { u32 usize }

impl<T, const N: usize> Spikes for [T; N]
where
    [T]: Spikes,
{
    fn each(&self, side: &'static str, room: Room, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        self.as_slice().each(side, room, found)
    }
}

impl<T> Spikes for Vec<T>
where
    [T]: Spikes,
{
    fn each(&self, side: &'static str, room: Room, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        self.as_slice().each(side, room, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn spikes(list: &(impl Spikes + ?Sized)) -> Result<Vec<usize>, Error> {
        let mut found = Vec::new();
        list.each("pre", Room { batch: 2, count: 2 }, &mut |neuron| found.push(neuron)).map(|()| found)
    }

    #[test]
    fn spikes_are_conditions_or_numbers() {
        assert_eq!(spikes(&[false, true, false, true]), Ok(vec![1, 3]));
        assert_eq!(spikes(&[1, 3]), Ok(vec![1, 3]));
        assert_eq!(spikes(&()), Ok(vec![]));
        assert_eq!(spikes(&[3, 1]), Err(Error::Unsorted { side: "pre", position: 1 }));
        assert_eq!(spikes(&[4usize]), Err(Error::NoSuchNeuron { side: "pre", index: 4, count: 4 }));
        assert_eq!(spikes(&[-1]), Err(Error::NoSuchNeuron { side: "pre", index: -1, count: 4 }));
        assert_eq!(spikes(&[(0u32, 1), (1, 1)]), Ok(vec![1, 3]));
        assert_eq!(spikes(&[(0u32, 2)]), Err(Error::NoSuchNeuron { side: "pre", index: 2, count: 2 }));
        assert_eq!(spikes(&[(1u32, 0), (0, 1)]), Err(Error::Unsorted { side: "pre", position: 1 }));
        assert!(matches!(spikes(&vec![true]), Err(Error::WrongLength { expected: 4, found: 1, .. })));
    }
}
