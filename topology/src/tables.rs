//! The index tables of a topology, from which kernels read which neurons a synapse joins.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::OnceCell;

use super::{Convolution, Sparse, Table, Topology};

/// The tables of a topology. What several of them come from is worked out once.
pub struct Tables<'a> {
    topology: &'a Topology,
    columns: OnceCell<Transposed>,
    entries: OnceCell<Entries>,
}

impl<'a> Tables<'a> {
    /// Of a topology.
    pub fn new(topology: &'a Topology) -> Self {
        Self { topology, columns: OnceCell::new(), entries: OnceCell::new() }
    }

    /// The numbers of a table, in order; empty for a table that the topology does not have.
    pub fn get(&self, table: Table) -> Vec<i64> {
        match self.topology {
            Topology::Dense { .. } | Topology::OneToOne { .. } => Vec::new(),
            Topology::Sparse(sparse) => self.of_sparse(sparse, table),
            Topology::Conv2d(shape) | Topology::Local2d(shape) => self.of_convolution(shape, table),
        }
    }

    fn of_sparse(&self, sparse: &Sparse, table: Table) -> Vec<i64> {
        match table {
            Table::RowStart => sparse.row_start().iter().map(|&start| start as i64).collect(),
            Table::Column => sparse.columns().iter().map(|&column| i64::from(column)).collect(),
            Table::ColumnStart => self.columns.get_or_init(|| transposed(sparse)).starts.clone(),
            Table::ColumnRow => self.columns.get_or_init(|| transposed(sparse)).rows.clone(),
            Table::ColumnSynapse => self.columns.get_or_init(|| transposed(sparse)).synapses.clone(),
            Table::FirstInput
            | Table::InputStart
            | Table::KernelChannel
            | Table::KernelY
            | Table::KernelX
            | Table::KernelOffset
            | Table::PositionY
            | Table::PositionX
            | Table::PositionOffset
            | Table::PreChannel
            | Table::PostChannel
            | Table::PostPosition
            | Table::FirstOutput
            | Table::KernelStart
            | Table::EntryStart
            | Table::EntryPosition
            | Table::EntryKernel => Vec::new(),
        }
    }

    fn of_convolution(&self, shape: &Convolution, table: Table) -> Vec<i64> {
        let list = |count: usize, value: &dyn Fn(usize) -> usize| {
            (0..count).map(|index| value(index) as i64).collect::<Vec<i64>>()
        };
        let signed = |count: usize, value: &dyn Fn(usize) -> i64| (0..count).map(value).collect::<Vec<i64>>();
        let [height, width] = shape.input_size();
        let [stride_y, stride_x] = shape.stride().map(|size| size as i64);
        let [padding_y, padding_x] = shape.padding().map(|size| size as i64);
        let [dilation_y, dilation_x] = shape.dilation();
        let out_width = shape.output_size()[1];
        let area = shape.kernel_size()[0] * shape.kernel_size()[1];
        let (kernel, positions, outputs) = (shape.kernel(), shape.positions(), shape.outputs());
        let y = |position: usize| (position / out_width) as i64 * stride_y - padding_y;
        let x = |position: usize| (position % out_width) as i64 * stride_x - padding_x;
        let group_of_input = |channel: usize| channel / shape.inputs_per_group();
        match table {
            Table::FirstInput => list(outputs, &|output| shape.first_input(output)),
            Table::InputStart => list(outputs, &|output| shape.first_input(output) * height * width),
            Table::KernelChannel => list(kernel, &|k| shape.tap(k)[0]),
            Table::KernelY => list(kernel, &|k| shape.tap(k)[1] * dilation_y),
            Table::KernelX => list(kernel, &|k| shape.tap(k)[2] * dilation_x),
            Table::KernelOffset => list(kernel, &|k| {
                let [channel, row, column] = shape.tap(k);
                (channel * height + row * dilation_y) * width + column * dilation_x
            }),
            Table::PositionY => signed(positions, &y),
            Table::PositionX => signed(positions, &x),
            Table::PositionOffset => signed(positions, &|p| y(p) * width as i64 + x(p)),
            Table::PreChannel => list(shape.pre(), &|neuron| neuron / (height * width)),
            Table::PostChannel => list(shape.post(), &|neuron| neuron / positions),
            Table::PostPosition => list(shape.post(), &|neuron| neuron % positions),
            Table::FirstOutput => {
                list(shape.inputs(), &|channel| group_of_input(channel) * shape.outputs_per_group())
            }
            Table::KernelStart => list(shape.inputs(), &|channel| channel % shape.inputs_per_group() * area),
            Table::EntryStart => self.entries.get_or_init(|| entry_lists(shape)).starts.clone(),
            Table::EntryPosition => self.entries.get_or_init(|| entry_lists(shape)).positions.clone(),
            Table::EntryKernel => self.entries.get_or_init(|| entry_lists(shape)).kernels.clone(),
            Table::RowStart
            | Table::Column
            | Table::ColumnStart
            | Table::ColumnRow
            | Table::ColumnSynapse => Vec::new(),
        }
    }
}

/// The synapses column by column, the rows of each column ascending.
struct Transposed {
    starts: Vec<i64>,
    rows: Vec<i64>,
    synapses: Vec<i64>,
}

fn transposed(sparse: &Sparse) -> Transposed {
    let mut starts = vec![0i64; sparse.post() + 1];
    for &column in sparse.columns() {
        starts[column as usize + 1] += 1;
    }
    for column in 0..sparse.post() {
        starts[column + 1] += starts[column];
    }
    let mut next = starts.clone();
    let (mut rows, mut synapses) = (vec![0; sparse.synapses()], vec![0; sparse.synapses()]);
    for row in 0..sparse.pre() {
        let first = sparse.row_start()[row] as usize;
        for (offset, &column) in sparse.row(row).iter().enumerate() {
            let at = &mut next[column as usize];
            rows[*at as usize] = row as i64;
            synapses[*at as usize] = (first + offset) as i64;
            *at += 1;
        }
    }
    Transposed { starts, rows, synapses }
}

/// Which positions see each presynaptic neuron, and through which kernel index.
struct Entries {
    starts: Vec<i64>,
    positions: Vec<i64>,
    kernels: Vec<i64>,
}

/// The (position, kernel index) pairs that reach each presynaptic neuron, the same for every output channel of its group,
/// positions ascending; a neuron meets a position at most once.
fn entry_lists(shape: &Convolution) -> Entries {
    let mut lists: Vec<Vec<(i64, i64)>> = vec![Vec::new(); shape.pre()];
    for group in 0..shape.groups() {
        let output = group * shape.outputs_per_group();
        for position in 0..shape.positions() {
            for kernel in 0..shape.kernel() {
                if let Some(pre) = shape.pair(output, kernel, position).pre {
                    lists[pre].push((position as i64, kernel as i64));
                }
            }
        }
    }
    let mut starts = vec![0];
    let (mut positions, mut kernels) = (Vec::new(), Vec::new());
    for list in lists {
        for (position, kernel) in list {
            positions.push(position);
            kernels.push(kernel);
        }
        starts.push(positions.len() as i64);
    }
    // What lies in the padding has no entry; the tables are as long as if nothing did.
    let length = shape.positions() * shape.kernel() * shape.groups();
    positions.resize(length, 0);
    kernels.resize(length, 0);
    Entries { starts, positions, kernels }
}

/// How many pairs of a position and a kernel index there are, over all groups, padding included: room for the lists.
pub(super) fn entries(shape: &Convolution) -> Option<u64> {
    let all =
        (shape.positions() as u64).checked_mul(shape.kernel() as u64)?.checked_mul(shape.groups() as u64)?;
    i64::try_from(all).is_ok().then_some(all)
}
