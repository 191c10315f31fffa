//! What groups of every rule have in common: their sizes and moments, and how the host gives numbers and spikes.

use alloc::vec::Vec;

use super::error::Error;

/// Synapses from every presynaptic to every postsynaptic neuron: `[pre, post]`, a row for each presynaptic neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dense;

/// How a group runs, whatever its rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The length of a step in ms.
    pub dt: f64,
    /// The seed of its random numbers.
    pub seed: u64,
}

impl Default for Options {
    /// Steps of 1 ms, seed 0.
    fn default() -> Self {
        Self { dt: 1.0, seed: 0 }
    }
}

/// Real numbers in memory: f32 and f64.
pub trait Value: Copy + Default + PartialEq + 'static {
    /// Rounded once.
    fn narrow(value: f64) -> Self;
    /// Exact.
    fn wide(self) -> f64;
}

impl Value for f32 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value as f32
    }
    #[inline]
    fn wide(self) -> f64 {
        self.into()
    }
}

impl Value for f64 {
    #[inline]
    fn narrow(value: f64) -> Self {
        value
    }
    #[inline]
    fn wide(self) -> f64 {
        self
    }
}

/// Numbers for the places of a variable: one for all, or one for each in row-major order.
pub trait Values<R> {
    /// The number of a place, and how many there are; `None` where one holds for all.
    fn length(&self) -> Option<usize>;
    /// The number of a place.
    fn value(&self, place: usize) -> R;
}

macro_rules! values {
    ($($ty:ident)*) => {
        $(
            impl Values<$ty> for $ty {
                #[inline]
                fn length(&self) -> Option<usize> {
                    None
                }
                #[inline]
                fn value(&self, _: usize) -> $ty {
                    *self
                }
            }
        )*
    };
}
values! { f32 f64 i64 }

macro_rules! lists {
    ($([$($generic:tt)*] $list:ty),*) => {
        $(
            impl<R: Copy, $($generic)*> Values<R> for $list {
                #[inline]
                fn length(&self) -> Option<usize> {
                    Some(self.len())
                }
                #[inline]
                fn value(&self, place: usize) -> R {
                    self[place]
                }
            }
        )*
    };
}
lists! { [] &[R], [] &Vec<R>, [const N: usize] &[R; N], [] Vec<R>, [const N: usize] [R; N] }

/// The spikes of one side in one step: a `bool` for each neuron, or the numbers of the neurons that spike, ascending.
pub trait Spikes {
    /// Names each neuron that spikes.
    ///
    /// # Errors
    /// If there are more or fewer conditions than neurons, or a number is out of range or not above the one before.
    fn each(&self, side: &'static str, count: usize, found: &mut dyn FnMut(usize)) -> Result<(), Error>;
}

impl Spikes for [bool] {
    fn each(&self, side: &'static str, count: usize, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        if self.len() != count {
            return Err(Error::WrongLength { name: side, expected: count, found: self.len() });
        }
        self.iter().enumerate().filter(|(_, spikes)| **spikes).for_each(|(neuron, _)| found(neuron));
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
                    count: usize,
                    found: &mut dyn FnMut(usize),
                ) -> Result<(), Error> {
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

impl<T, const N: usize> Spikes for [T; N]
where
    [T]: Spikes,
{
    fn each(&self, side: &'static str, count: usize, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        self.as_slice().each(side, count, found)
    }
}

impl<T> Spikes for Vec<T>
where
    [T]: Spikes,
{
    fn each(&self, side: &'static str, count: usize, found: &mut dyn FnMut(usize)) -> Result<(), Error> {
        self.as_slice().each(side, count, found)
    }
}

/// Where a group stands: its sizes, its step and what parameters make of it.
#[derive(Clone, Debug)]
pub struct Run<const N: usize> {
    /// Presynaptic neurons.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
    /// The length of a step in ms.
    pub dt: f64,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The number of the last step.
    pub step: u64,
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
    pub fn new(pre: usize, post: usize, options: &Options) -> Result<Self, Error> {
        let fits = |count: usize| i32::try_from(count).is_ok();
        let synapses = pre.checked_mul(post).filter(|&synapses| isize::try_from(synapses).is_ok());
        if !fits(pre) || !fits(post) || synapses.is_none() {
            return Err(Error::TooLarge);
        }
        let Options { dt, seed } = *options;
        if !(dt > 0.0 && dt.is_finite()) {
            return Err(Error::BadStep(dt));
        }
        Ok(Self { pre, post, dt, seed, step: 0, dirty: false, events: [0; 2], prologue: [0.0; N] })
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

/// How many blocks hold so many items.
#[inline]
pub fn blocks(items: i64, per_block: i64) -> core::ops::Range<i64> {
    let items = items.max(0);
    0..items / per_block + i64::from(items % per_block != 0)
}

/// An array of zeros, if there is memory for it.
///
/// # Errors
/// If there is none.
pub fn zeros<T: Copy + Default>(lengths: &[usize]) -> Result<Vec<T>, Error> {
    let length = lengths.iter().try_fold(1usize, |all, &length| all.checked_mul(length));
    let length = length.ok_or(Error::TooLarge)?;
    let mut array = Vec::new();
    array.try_reserve_exact(length).map_err(|_| Error::TooLarge)?;
    array.resize(length, T::default());
    Ok(array)
}

/// A parameter in base units.
///
/// # Errors
/// If it is not in its range, which is in base units.
pub fn parameter(
    name: &'static str,
    value: f64,
    scale: f64,
    range: Option<(f64, f64)>,
) -> Result<f64, Error> {
    let base = value * scale;
    let (lo, hi) = range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if value.is_nan() || base < lo || base > hi {
        return Err(Error::OutOfRange { name, value, lo: lo / scale, hi: hi / scale });
    }
    Ok(base)
}

/// Stores numbers in the declared unit of a variable, all or, on an error, none.
///
/// # Errors
/// If their number is not that of the places, or one is not a number or out of range.
pub fn store<R: Value>(
    name: &'static str,
    array: &mut [R],
    values: &impl Values<R>,
    scale: f64,
    range: Option<(f64, f64)>,
) -> Result<(), Error> {
    check(name, array.len(), values.length())?;
    for place in 0..array.len() {
        let value = values.value(place).wide();
        if value.is_nan() {
            return Err(Error::NotANumber { name, position: place });
        }
        parameter(name, value, scale, range)?;
    }
    for (place, cell) in array.iter_mut().enumerate() {
        let value = values.value(place);
        *cell = if scale == 1.0 { value } else { R::narrow(value.wide() * scale) };
    }
    Ok(())
}

/// Stores whole numbers.
///
/// # Errors
/// If their number is not that of the places.
pub fn store_whole(name: &'static str, array: &mut [i64], values: &impl Values<i64>) -> Result<(), Error> {
    check(name, array.len(), values.length())?;
    for (place, cell) in array.iter_mut().enumerate() {
        *cell = values.value(place);
    }
    Ok(())
}

fn check(name: &'static str, expected: usize, length: Option<usize>) -> Result<(), Error> {
    match length {
        Some(found) if found != expected => Err(Error::WrongLength { name, expected, found }),
        Some(_) | None => Ok(()),
    }
}

/// Values in a declared unit that is no base unit.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<'a, R> {
    values: &'a [R],
    scale: f64,
}

impl<'a, R: Value> Scaled<'a, R> {
    /// Values in base units, and how many of those a declared unit has.
    pub fn new(values: &'a [R], scale: f64) -> Self {
        Self { values, scale }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One of them, in row-major order.
    pub fn get(&self, place: usize) -> Option<R> {
        self.values.get(place).map(|value| R::narrow(value.wide() / self.scale))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = R> + 'a {
        let scale = self.scale;
        self.values.iter().map(move |value| R::narrow(value.wide() / scale))
    }

    /// All of them, as a list.
    pub fn to_vec(&self) -> Vec<R> {
        self.iter().collect()
    }
}

/// The values of a variable in memory, row by row, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Array<'a, R> {
    /// Real numbers.
    Real(&'a [R]),
    /// Whole numbers.
    Whole(&'a [i64]),
    /// Conditions.
    Condition(&'a [bool]),
}

/// A launch of a kernel, whose code is to be there for every width of vectors.
pub trait Launch {
    /// Runs it.
    fn run(self);
}

/// Runs a kernel with the widest vectors that the processor has. Widths never change a bit.
#[inline]
pub fn dispatch(launch: impl Launch) {
    struct Any<L>(L);
    impl<L: Launch> pulp::WithSimd for Any<L> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) {
            self.0.run();
        }
    }
    pulp::Arch::new().dispatch(Any(launch));
}

/// A rule as text, for an engine that compiles it again, on whichever device.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The rule's name.
    pub name: &'static str,
    /// The text that declares it.
    pub source: &'static str,
    /// The finished rule, as the compiler's own form prints it.
    pub ir: &'static str,
    /// Its kernels for a dense group in f32, as CUDA C.
    pub cuda: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn spikes(list: &(impl Spikes + ?Sized)) -> Result<Vec<usize>, Error> {
        let mut found = Vec::new();
        list.each("pre", 4, &mut |neuron| found.push(neuron)).map(|()| found)
    }

    #[test]
    fn spikes_are_conditions_or_numbers() {
        assert_eq!(spikes(&[false, true, false, true]), Ok(vec![1, 3]));
        assert_eq!(spikes(&[1, 3]), Ok(vec![1, 3]));
        assert_eq!(spikes(&[3, 1]), Err(Error::Unsorted { side: "pre", position: 1 }));
        assert_eq!(spikes(&[4usize]), Err(Error::NoSuchNeuron { side: "pre", index: 4, count: 4 }));
        assert_eq!(spikes(&[-1]), Err(Error::NoSuchNeuron { side: "pre", index: -1, count: 4 }));
        assert!(matches!(spikes(&vec![true]), Err(Error::WrongLength { expected: 4, found: 1, .. })));
    }

    #[test]
    fn numbers_are_stored_in_base_units_or_not_at_all() {
        let mut rates = [0.0f32; 2];
        assert_eq!(store("rate", &mut rates, &[5.0f32, 10.0], 0.001, None), Ok(()));
        assert_eq!(rates, [0.005, 0.01]);
        assert!(store("rate", &mut rates, &[1.0, f32::NAN], 1.0, None).is_err());
        assert!(store("rate", &mut rates, &vec![1.0f32; 3], 1.0, None).is_err());
        assert_eq!(rates, [0.005, 0.01]);
        assert_eq!(Scaled::new(&rates, 0.001).to_vec(), [5.0, 10.0]);
        assert_eq!(
            store("rate", &mut rates, &2.0f32, 1.0, Some((0.0, 1.0))),
            Err(Error::OutOfRange { name: "rate", value: 2.0, lo: 0.0, hi: 1.0 })
        );
    }

    #[test]
    fn blocks_hold_all_items() {
        assert_eq!(blocks(0, 32), 0..0);
        assert_eq!(blocks(33, 32), 0..2);
    }
}
