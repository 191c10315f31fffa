//! Synapses in any order: a row and a column for each.

use aplysia_compiler::topology::{Sparse, Topology};
use ndarray::{ArrayD, Axis};

use super::room;
use crate::error::{Error, Result};
use crate::events::Side;
use crate::group::Group;
use crate::values::Values;

impl Group {
    /// A synapse from `rows[k]` to `columns[k]` for each k, in any order. The group keeps its synapses row by row, so its
    /// synaptic arrays `[nnz]` are in the order of CSR: entry s of them belongs to the synapse that stood at
    /// `coo_order()[s]`. [`Group::init_coo`] and [`Group::param_coo`] take arrays in the order of the lists.
    ///
    /// ```
    /// use aplysia::Group;
    /// let group = Group::from_coo(3, 4, &[2, 0, 0], &[0, 3, 1])?;
    /// assert_eq!(group.coo_order(), Some(&[2, 1, 0][..]));
    /// let group = group.init_coo("w", vec![0.7, 0.2, 0.1]);
    /// # let _ = group;
    /// # Ok::<(), aplysia::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the lists differ in length, a neuron does not exist, or a synapse is there twice; with the places.
    pub fn from_coo(pre: usize, post: usize, rows: &[u32], columns: &[u32]) -> Result<Self> {
        if rows.len() != columns.len() {
            let (expected, found) = (vec![rows.len()], vec![columns.len()]);
            return Err(Error::WrongShape { name: "columns".to_owned(), expected, found });
        }
        for (side, list, count) in [(Side::Pre, rows, pre), (Side::Post, columns, post)] {
            if let Some(position) = list.iter().position(|&index| index as usize >= count) {
                return Err(Error::SynapseIndex { side, position, index: list[position], count });
            }
        }
        let mut order: Vec<usize> = room(rows.len())?;
        order.extend(0..rows.len());
        order.sort_by_key(|&at| (rows[at], columns[at], at));
        let same = |at: usize, other: usize| rows[at] == rows[other] && columns[at] == columns[other];
        if let Some(pair) = order.windows(2).find(|pair| same(pair[0], pair[1])) {
            let (first, second) = (pair[0], pair[1]);
            let (row, column) = (rows[first], columns[first]);
            return Err(Error::DuplicateSynapse { row, column, first, second });
        }
        let mut indptr: Vec<u64> = room(pre.saturating_add(1))?;
        indptr.resize(pre + 1, 0);
        for &row in rows {
            indptr[row as usize + 1] += 1;
        }
        for row in 0..pre {
            indptr[row + 1] += indptr[row];
        }
        let indices = order.iter().map(|&at| columns[at]).collect();
        let sparse = Sparse::new(pre, post, indptr, indices)?;
        let mut group = Self::on(Topology::Sparse(sparse.into()));
        group.order = Some(order.into());
        Ok(group)
    }

    /// For each synapse of a group that was made with [`Group::from_coo`], where it stood in the lists; `None` for other
    /// groups.
    pub fn coo_order(&self) -> Option<&[usize]> {
        self.order.as_deref()
    }

    /// The initial value of a synaptic state or plastic variable, in the order of the lists of [`Group::from_coo`].
    #[must_use]
    pub fn init_coo(self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        let values = self.sorted(values.into());
        self.init(name, values)
    }

    /// A synaptic parameter, in the order of the lists of [`Group::from_coo`].
    #[must_use]
    pub fn param_coo(self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        let values = self.sorted(values.into());
        self.param(name, values)
    }

    /// Values in the order of the group. An array of another length is left to the check at registration.
    fn sorted(&self, values: Values) -> Values {
        let Some(order) = &self.order else { return values };
        match values {
            Values::Number(_) => values,
            Values::F32(array) => Values::F32(select(array, order)),
            Values::F64(array) => Values::F64(select(array, order)),
            Values::I64(array) => Values::I64(select(array, order)),
        }
    }
}

fn select<T: Copy>(array: ArrayD<T>, order: &[usize]) -> ArrayD<T> {
    if array.shape().first() == Some(&order.len()) { array.select(Axis(0), order) } else { array }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn lists_in_any_order_become_rows() {
        let group = Group::from_coo(3, 4, &[2, 0, 2, 0], &[3, 2, 0, 1]).unwrap();
        let Topology::Sparse(sparse) = group.topology() else { panic!("{group:?}") };
        assert_eq!((sparse.row_start(), sparse.columns()), (&[0, 2, 2, 4][..], &[1, 2, 0, 3][..]));
        assert_eq!(group.coo_order(), Some(&[3, 1, 2, 0][..]));
        let group = group.init_coo("w", array![[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]]);
        let sorted = array![[4.0, 40.0], [2.0, 20.0], [3.0, 30.0], [1.0, 10.0]];
        assert_eq!(group.inits, [("w".to_owned(), Values::from(sorted))]);
        let empty = Group::from_coo(0, 0, &[], &[]).unwrap();
        assert_eq!(empty.topology().synapses(), Some(0));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_places() {
        let error = Group::from_coo(3, 4, &[1, 0, 1], &[2, 2, 2]).unwrap_err();
        assert!(
            matches!(error, Error::DuplicateSynapse { row: 1, column: 2, first: 0, second: 2 }),
            "{error}"
        );
        let error = Group::from_coo(3, 4, &[1, 3], &[2, 2]).unwrap_err();
        assert!(
            matches!(error, Error::SynapseIndex { side: Side::Pre, position: 1, index: 3, count: 3 }),
            "{error}"
        );
        let error = Group::from_coo(3, 4, &[1, 2], &[4, 2]).unwrap_err();
        assert!(matches!(error, Error::SynapseIndex { side: Side::Post, position: 0, .. }), "{error}");
        assert!(matches!(Group::from_coo(3, 4, &[1], &[]), Err(Error::WrongShape { .. })));
        assert!(matches!(Group::from_coo(usize::MAX, 4, &[], &[]), Err(Error::NoMemory { .. })));
    }
}
