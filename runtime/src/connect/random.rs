//! Random connections, a pure function of the sizes and the seed.
//!
//! Numbers are words of the language's own stream, at a site that no rule reaches. Pairs connect with a probability by
//! geometric gaps; so many partners are chosen without replacement by Floyd's method (Bentley & Floyd 1987,
//! doi:10.1145/30401.315746).

use std::collections::BTreeSet;

use aplysia_compiler::ir::MathFn;
use aplysia_compiler::math::{self, Stream};
use aplysia_compiler::topology::SparseError;

use super::room;
use crate::error::{Error, Result};
use crate::events::Side;
use crate::group::Group;

/// Poisson trains have the two sites above it.
const SITE: u32 = u32::MAX - 2;

/// How connections are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Random {
    kind: Kind,
    seed: u64,
    autapses: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Probability(f64),
    InDegree(usize),
    OutDegree(usize),
}

impl Random {
    /// Each pair is connected with this probability, independently of all others.
    pub fn probability(probability: f64) -> Self {
        Self::of(Kind::Probability(probability))
    }

    /// Each postsynaptic neuron has so many presynaptic partners, all choices equally probable.
    pub fn in_degree(partners: usize) -> Self {
        Self::of(Kind::InDegree(partners))
    }

    /// Each presynaptic neuron has so many postsynaptic partners, all choices equally probable.
    pub fn out_degree(partners: usize) -> Self {
        Self::of(Kind::OutDegree(partners))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, seed: 0, autapses: true }
    }

    /// The seed; 0 where nothing is said.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// No neuron i is connected with neuron i, for a population that projects onto itself.
    #[must_use]
    pub fn without_autapses(self) -> Self {
        Self { autapses: false, ..self }
    }

    /// The own index, if it may not be chosen among `count`.
    fn left_out(&self, own: usize, count: usize) -> Option<usize> {
        (!self.autapses && own < count).then_some(own)
    }
}

impl Group {
    /// Random connections between `pre` and `post` neurons; synaptic arrays are `[nnz]`, row by row.
    ///
    /// ```
    /// use aplysia::{Group, Random};
    /// let group = Group::random(100, 100, Random::in_degree(10).seed(7).without_autapses())?;
    /// assert_eq!(group.topology().synapses(), Some(1000));
    /// # Ok::<(), aplysia::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the probability is none, there are fewer partners than are to be chosen, or the synapses are too many.
    pub fn random(pre: usize, post: usize, random: Random) -> Result<Self> {
        for count in [pre, post] {
            if i32::try_from(count).is_err() {
                return Err(SparseError::TooManyNeurons { count }.into());
            }
        }
        match random.kind {
            Kind::Probability(probability) => by_probability(pre, post, probability, &random),
            Kind::OutDegree(partners) => {
                let lists = chosen(Side::Pre, pre, post, partners, &random)?;
                let mut indptr = room(pre + 1)?;
                indptr.extend((0..=pre).map(|row| (row * partners) as u64));
                Self::csr(pre, post, indptr, lists)
            }
            Kind::InDegree(partners) => by_in_degree(pre, post, partners, &random),
        }
    }

    /// Each pair is connected with this probability: [`Group::random`] with [`Random::probability`].
    ///
    /// # Errors
    /// As [`Group::random`].
    pub fn random_probability(pre: usize, post: usize, probability: f64, seed: u64) -> Result<Self> {
        Self::random(pre, post, Random::probability(probability).seed(seed))
    }

    /// Each postsynaptic neuron has so many presynaptic partners: [`Group::random`] with [`Random::in_degree`].
    ///
    /// # Errors
    /// As [`Group::random`].
    pub fn fixed_in_degree(pre: usize, post: usize, partners: usize, seed: u64) -> Result<Self> {
        Self::random(pre, post, Random::in_degree(partners).seed(seed))
    }

    /// Each presynaptic neuron has so many postsynaptic partners: [`Group::random`] with [`Random::out_degree`].
    ///
    /// # Errors
    /// As [`Group::random`].
    pub fn fixed_out_degree(pre: usize, post: usize, partners: usize, seed: u64) -> Result<Self> {
        Self::random(pre, post, Random::out_degree(partners).seed(seed))
    }
}

/// 64 random bits: draw number `draw` of neuron `row`.
fn bits(seed: u64, row: usize, draw: u64) -> u64 {
    let word = |half: u64| {
        let stream = Stream { seed, step: 0, site: SITE, run: 0, row: row as u64, column: 2 * draw + half };
        u64::from(math::random_word(&stream, 0))
    };
    word(0) << 32 | word(1)
}

fn by_probability(pre: usize, post: usize, probability: f64, random: &Random) -> Result<Group> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(Error::BadProbability { probability });
    }
    let expected = probability * pre as f64 * post as f64;
    if expected > f64::from(i32::MAX) {
        return Err(SparseError::TooManySynapses { count: expected as usize }.into());
    }
    let mut indptr = room(pre + 1)?;
    // Room for nearly every outcome: five standard deviations above the mean.
    let mut indices: Vec<u32> = room((expected + 5.0 * expected.sqrt()) as usize)?;
    indptr.push(0);
    // The logarithm of the probability that a pair is not connected; 0 where none ever is.
    let silence = math::evaluate(MathFn::Log1p, &[-probability]);
    for row in 0..pre {
        let own = random.left_out(row, post);
        let mut next = 0u64;
        for draw in 0.. {
            if probability < 1.0 {
                let uniform = ((bits(random.seed, row, draw) >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0;
                // The conversion saturates, so an endless gap ends the row.
                let gap = if silence < 0.0 {
                    math::evaluate(MathFn::Ln, &[uniform]) / silence
                } else {
                    f64::INFINITY
                };
                next = next.saturating_add(gap as u64);
            }
            if next >= post as u64 {
                break;
            }
            if own != Some(next as usize) {
                indices.push(next as u32);
            }
            next += 1;
        }
        indptr.push(indices.len() as u64);
    }
    Group::csr(pre, post, indptr, indices)
}

fn by_in_degree(pre: usize, post: usize, partners: usize, random: &Random) -> Result<Group> {
    let rows = chosen(Side::Post, post, pre, partners, random)?;
    let mut indptr: Vec<u64> = room(pre + 1)?;
    indptr.resize(pre + 1, 0);
    for &row in &rows {
        indptr[row as usize + 1] += 1;
    }
    for row in 0..pre {
        indptr[row + 1] += indptr[row];
    }
    let mut next = indptr.clone();
    let mut indices = room(rows.len())?;
    indices.resize(rows.len(), 0);
    for (at, &row) in rows.iter().enumerate() {
        let place = &mut next[row as usize];
        indices[*place as usize] = (at / partners) as u32;
        *place += 1;
    }
    Group::csr(pre, post, indptr, indices)
}

/// For each of `own` neurons of a side, `partners` different ones of `count`, ascending; all in one list.
fn chosen(side: Side, own: usize, count: usize, partners: usize, random: &Random) -> Result<Vec<u32>> {
    let all = own.saturating_mul(partners);
    if i32::try_from(all).is_err() {
        return Err(SparseError::TooManySynapses { count: all }.into());
    }
    let mut list = room(all)?;
    for neuron in 0..own {
        let left_out = random.left_out(neuron, count);
        let candidates = count - usize::from(left_out.is_some());
        if partners > candidates {
            return Err(Error::BadDegree { side, neuron, partners, candidates });
        }
        let mut draw = 0;
        let mut below = |bound: usize| {
            draw += 1;
            // The high half of the product; no number is favoured by more than bound / 2^64.
            ((u128::from(bits(random.seed, neuron, draw - 1)) * bound as u128) >> 64) as u32
        };
        let mut set = BTreeSet::new();
        for last in candidates - partners..candidates {
            let candidate = below(last + 1);
            if !set.insert(candidate) {
                set.insert(last as u32);
            }
        }
        let shift = |candidate: u32| match left_out {
            Some(own) if candidate as usize >= own => candidate + 1,
            Some(_) | None => candidate,
        };
        list.extend(set.into_iter().map(shift));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::topology::{Sparse, Topology};

    use super::*;

    fn sparse(group: &Group) -> &Sparse {
        let Topology::Sparse(sparse) = group.topology() else { panic!("{group:?}") };
        sparse
    }

    fn in_degrees(sparse: &Sparse) -> Vec<usize> {
        let mut degrees = vec![0; sparse.post()];
        sparse.columns().iter().for_each(|&column| degrees[column as usize] += 1);
        degrees
    }

    #[test]
    fn pairs_connect_with_their_probability() {
        let group = Group::random_probability(400, 300, 0.05, 3).unwrap();
        let found = sparse(&group);
        // 6000 are expected, with a standard deviation of 75.5; of each column 20, with 4.4.
        assert!(found.synapses().abs_diff(6000) < 5 * 76, "{}", found.synapses());
        assert!(in_degrees(found).iter().all(|&degree| degree.abs_diff(20) < 22));
        assert_eq!(found, sparse(&Group::random_probability(400, 300, 0.05, 3).unwrap()));
        assert_ne!(found, sparse(&Group::random_probability(400, 300, 0.05, 4).unwrap()));
        let most = Group::random(400, 300, Random::probability(0.05).seed(3).without_autapses()).unwrap();
        assert!((0..300).all(|row| !sparse(&most).row(row).contains(&(row as u32))));
    }

    #[test]
    fn never_and_always() {
        assert_eq!(sparse(&Group::random_probability(5, 4, 0.0, 0).unwrap()).synapses(), 0);
        assert_eq!(sparse(&Group::random_probability(5, 4, 1.0, 0).unwrap()).synapses(), 20);
        assert_eq!(sparse(&Group::random_probability(5, 4, 1e-300, 0).unwrap()).synapses(), 0);
        assert_eq!(sparse(&Group::random_probability(0, 0, 0.5, 0).unwrap()).synapses(), 0);
        let all = Group::random(5, 4, Random::probability(1.0).without_autapses()).unwrap();
        assert_eq!(sparse(&all).synapses(), 16);
    }

    #[test]
    fn every_neuron_has_its_degree() {
        let inward = Group::fixed_in_degree(50, 80, 7, 1).unwrap();
        assert_eq!(in_degrees(sparse(&inward)), [7; 80]);
        let outward = Group::fixed_out_degree(50, 80, 7, 1).unwrap();
        assert!((0..50).all(|row| sparse(&outward).row(row).len() == 7));
        let whole = Group::random(6, 6, Random::in_degree(5).seed(2).without_autapses()).unwrap();
        let expected: Vec<u32> = (0..6).flat_map(|row| (0..6).filter(move |&column| column != row)).collect();
        assert_eq!(sparse(&whole).columns(), expected);
        let none = Group::fixed_in_degree(3, 0, 2, 1).unwrap();
        assert_eq!(sparse(&none).synapses(), 0);
    }

    /// Of 10 candidates 3 are chosen, so each partner is chosen with probability 0.3.
    #[test]
    fn choices_are_equally_probable() {
        let group = Group::fixed_out_degree(10_000, 10, 3, 5).unwrap();
        // 3000 are expected, with a standard deviation of 45.8.
        assert!(in_degrees(sparse(&group)).iter().all(|&degree| degree.abs_diff(3000) < 5 * 46));
    }

    #[test]
    fn impossible_connections_are_refused() {
        for probability in [-0.1, 1.5, f64::NAN] {
            let error = Group::random_probability(2, 2, probability, 0).unwrap_err();
            assert!(matches!(error, Error::BadProbability { .. }), "{error}");
        }
        let error = Group::fixed_in_degree(5, 2, 6, 0).unwrap_err();
        assert!(
            matches!(error, Error::BadDegree { side: Side::Post, neuron: 0, partners: 6, candidates: 5 }),
            "{error}"
        );
        let error = Group::random(5, 7, Random::out_degree(7).without_autapses()).unwrap_err();
        assert!(matches!(error, Error::BadDegree { side: Side::Pre, candidates: 6, .. }), "{error}");
        let many = [
            Group::random_probability(1 << 30, 1 << 30, 0.5, 0),
            Group::fixed_out_degree(1 << 30, 1 << 30, 1 << 20, 0),
            Group::fixed_out_degree(1 << 31, 1, 1, 0),
        ];
        assert!(many.iter().all(|group| matches!(group, Err(Error::BadSynapses { .. }))));
    }
}
