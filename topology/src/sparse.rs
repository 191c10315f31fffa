//! Listed synapses, row by row (CSR): the rows are presynaptic neurons.

use alloc::vec::Vec;
use core::fmt;

/// Synapses in rows, the columns of each row strictly ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sparse {
    post: usize,
    row_start: Vec<u64>,
    column: Vec<u32>,
}

/// Why a list of synapses is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SparseError {
    /// A side has more neurons than an index counts.
    TooManyNeurons {
        /// How many.
        count: usize,
    },
    /// There are more synapses than an index counts.
    TooManySynapses {
        /// How many.
        count: usize,
    },
    /// `indptr` has another length than rows + 1.
    RowStarts {
        /// How many there are.
        given: usize,
        /// How many rows.
        rows: usize,
    },
    /// `indptr` does not begin with 0, or goes down.
    RowOrder {
        /// The row whose end is wrong.
        row: usize,
        /// Where it begins.
        before: u64,
        /// Where it ends.
        after: u64,
    },
    /// `indptr` ends elsewhere than `indices`.
    End {
        /// The last entry of `indptr`.
        end: u64,
        /// How many indices there are.
        given: usize,
    },
    /// A column that does not exist.
    Column {
        /// The presynaptic neuron.
        row: usize,
        /// The postsynaptic neuron that does not exist.
        column: u32,
        /// How many there are.
        post: usize,
    },
    /// The columns of a row are not ascending.
    Unsorted {
        /// The presynaptic neuron.
        row: usize,
        /// The column that comes too late.
        column: u32,
        /// The one before it.
        previous: u32,
    },
    /// A synapse is there twice.
    Duplicate {
        /// The presynaptic neuron.
        row: usize,
        /// The postsynaptic neuron.
        column: u32,
    },
}

impl fmt::Display for SparseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyNeurons { count } => {
                write!(f, "{count} neurons are more than the 2^31 - 1 that a sparse group can have")
            }
            Self::TooManySynapses { count } => {
                write!(f, "{count} synapses are more than the 2^31 - 1 that a sparse group can have")
            }
            Self::RowStarts { given, rows } => {
                write!(f, "indptr has {given} entries, where {rows} presynaptic neurons need {}", rows + 1)
            }
            Self::RowOrder { row, before, after } => {
                write!(
                    f,
                    "indptr goes from {before} to {after} at row {row}: it begins with 0 and never goes down"
                )
            }
            Self::End { end, given } => write!(f, "indptr ends at {end}, and there are {given} indices"),
            Self::Column { row, column, post } => {
                write!(f, "row {row} has column {column}, where there are {post} postsynaptic neurons")
            }
            Self::Unsorted { row, column, previous } => {
                write!(f, "row {row} is not sorted: column {column} comes after {previous}")
            }
            Self::Duplicate { row, column } => {
                write!(f, "the synapse from {row} to {column} is there twice")
            }
        }
    }
}

impl core::error::Error for SparseError {}

impl Sparse {
    /// Row i holds the synapses `row_start[i] .. row_start[i + 1]` of presynaptic neuron i; `column` has their
    /// postsynaptic neurons, strictly ascending in each row.
    ///
    /// # Errors
    /// The first entry that is not so, with its row.
    pub fn new(pre: usize, post: usize, row_start: Vec<u64>, column: Vec<u32>) -> Result<Self, SparseError> {
        for count in [pre, post] {
            if i32::try_from(count).is_err() {
                return Err(SparseError::TooManyNeurons { count });
            }
        }
        if i32::try_from(column.len()).is_err() {
            return Err(SparseError::TooManySynapses { count: column.len() });
        }
        if row_start.len() != pre + 1 {
            return Err(SparseError::RowStarts { given: row_start.len(), rows: pre });
        }
        if row_start[0] != 0 {
            return Err(SparseError::RowOrder { row: 0, before: row_start[0], after: row_start[0] });
        }
        for (row, ends) in row_start.windows(2).enumerate() {
            if ends[1] < ends[0] {
                return Err(SparseError::RowOrder { row, before: ends[0], after: ends[1] });
            }
        }
        if row_start[pre] != column.len() as u64 {
            return Err(SparseError::End { end: row_start[pre], given: column.len() });
        }
        let sparse = Self { post, row_start, column };
        for row in 0..pre {
            sparse.check_row(row)?;
        }
        Ok(sparse)
    }

    fn check_row(&self, row: usize) -> Result<(), SparseError> {
        let mut previous = None;
        for &column in self.row(row) {
            if column as usize >= self.post {
                return Err(SparseError::Column { row, column, post: self.post });
            }
            match previous {
                Some(previous) if column == previous => return Err(SparseError::Duplicate { row, column }),
                Some(previous) if column < previous => {
                    return Err(SparseError::Unsorted { row, column, previous });
                }
                Some(_) | None => previous = Some(column),
            }
        }
        Ok(())
    }

    /// Presynaptic neurons.
    pub fn pre(&self) -> usize {
        self.row_start.len() - 1
    }

    /// Postsynaptic neurons.
    pub fn post(&self) -> usize {
        self.post
    }

    /// Synapses.
    pub fn synapses(&self) -> usize {
        self.column.len()
    }

    /// Where each row begins, and the end of the last.
    pub fn row_start(&self) -> &[u64] {
        &self.row_start
    }

    /// The postsynaptic neurons of all synapses.
    pub fn columns(&self) -> &[u32] {
        &self.column
    }

    /// The postsynaptic neurons of a row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.column[self.row_start[row] as usize..self.row_start[row + 1] as usize]
    }
}
