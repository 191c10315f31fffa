//! Who is connected to whom: the ways of saying it, each a constructor of [`crate::Group`].
//!
//! In: sizes, lists, masks, numbers of a random connectivity, the shape of a convolution. Out: groups with a checked
//! topology, or an error with the place. Every list of synapses becomes rows of ascending columns (CSR).

mod coo;
mod random;
mod spatial;

use aplysia_compiler::topology::{Sparse, Topology};
use ndarray::ArrayView2;

use crate::error::{Error, Result};
use crate::group::Group;

pub use random::Random;
pub use spatial::{Conv2d, Pair};

impl Group {
    /// Every presynaptic neuron to every postsynaptic one; synaptic arrays are `[pre, post]`.
    pub fn dense(pre: usize, post: usize) -> Self {
        Self::on(Topology::Dense { pre, post })
    }

    /// Neuron i to neuron i, `count` on each side; synaptic arrays are `[count]`.
    pub fn one_to_one(count: usize) -> Self {
        Self::on(Topology::OneToOne { count })
    }

    /// The listed synapses, row by row: `indices[indptr[i] .. indptr[i + 1]]` are the postsynaptic neurons of presynaptic
    /// neuron i, strictly ascending. Synaptic arrays are `[nnz]`, in the order of `indices`.
    ///
    /// ```
    /// use aplysia::Group;
    /// // Neuron 0 to neurons 1 and 3, neuron 2 to neuron 0.
    /// let group = Group::csr(3, 4, [0, 2, 2, 3], [1, 3, 0])?;
    /// assert_eq!(group.topology().synapses(), Some(3));
    /// # Ok::<(), aplysia::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first entry that is out of order, out of range or there twice, with its row.
    pub fn csr(
        pre: usize,
        post: usize,
        indptr: impl Into<Vec<u64>>,
        indices: impl Into<Vec<u32>>,
    ) -> Result<Self> {
        let sparse = Sparse::new(pre, post, indptr.into(), indices.into())?;
        Ok(Self::on(Topology::Sparse(sparse.into())))
    }

    /// A synapse wherever the mask `[pre, post]` is true; synaptic arrays are `[nnz]`, row by row.
    ///
    /// # Errors
    /// If there are more neurons or synapses than an index counts.
    pub fn from_mask(mask: ArrayView2<'_, bool>) -> Result<Self> {
        let (pre, post) = mask.dim();
        let (mut indptr, mut indices) = (room(pre.saturating_add(1))?, Vec::new());
        indptr.push(0);
        for row in mask.rows() {
            let there = row.iter().zip(0u32..).filter(|(there, _)| **there);
            indices.extend(there.map(|(_, column)| column));
            indptr.push(indices.len() as u64);
        }
        Self::csr(pre, post, indptr, indices)
    }
}

/// An empty list with room for so many entries.
fn room<T>(entries: usize) -> Result<Vec<T>> {
    let mut list = Vec::new();
    let bytes = entries.saturating_mul(size_of::<T>());
    let error = |_| Error::NoMemory { name: "the list of synapses".to_owned(), bytes };
    list.try_reserve_exact(entries).map_err(error)?;
    Ok(list)
}

#[cfg(test)]
mod tests {
    use aplysia_compiler::topology::SparseError;
    use ndarray::array;

    use super::*;

    fn lists(group: &Group) -> (Vec<u64>, Vec<u32>) {
        let Topology::Sparse(sparse) = group.topology() else { panic!("{group:?}") };
        (sparse.row_start().to_vec(), sparse.columns().to_vec())
    }

    #[test]
    fn a_mask_is_read_row_by_row() {
        let mask = array![[false, true, true], [false, false, false], [true, false, true]];
        let group = Group::from_mask(mask.view()).unwrap();
        assert_eq!(lists(&group), (vec![0, 2, 2, 4], vec![1, 2, 0, 2]));
        let turned = Group::from_mask(mask.t()).unwrap();
        assert_eq!(lists(&turned), (vec![0, 1, 2, 4], vec![2, 0, 0, 2]));
        let none = Group::from_mask(ndarray::Array2::from_elem((0, 3), true).view()).unwrap();
        assert_eq!((none.topology().pre(), none.topology().post()), (0, 3));
    }

    #[test]
    fn an_unsorted_row_is_named() {
        let error = Group::csr(2, 5, [0, 1, 3], [0, 4, 2]).unwrap_err();
        assert!(
            matches!(
                error,
                Error::BadSynapses { source: SparseError::Unsorted { row: 1, column: 2, previous: 4 } }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("row 1 is not sorted"), "{error}");
        assert_eq!(error.code().id(), "E0829");
    }

    #[test]
    fn too_large_is_an_error() {
        assert!(matches!(room::<u64>(usize::MAX), Err(Error::NoMemory { .. })));
    }
}
