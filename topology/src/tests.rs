//! Connections that are refused, shapes, numbers, and tables against the definitions they stand for.

use super::*;

fn sparse() -> Topology {
    let listed = Sparse::new(3, 4, vec![0, 2, 2, 5], vec![1, 3, 0, 1, 2]).unwrap();
    Topology::Sparse(Arc::new(listed))
}

/// Two input channels of 4 × 5, four output channels in two groups, kernels of 2 × 3.
fn convolution() -> Convolution {
    let shape = Convolution::new(2, [4, 5], 4, [2, 3]).unwrap();
    shape.with([2, 1], [1, 2], [1, 2], 2).unwrap()
}

#[test]
fn lists_of_synapses_are_checked() {
    let refused = |pre, post, starts: &[u64], columns: &[u32]| {
        Sparse::new(pre, post, starts.to_vec(), columns.to_vec()).unwrap_err()
    };
    assert_eq!(refused(2, 2, &[0, 0], &[]), SparseError::RowStarts { given: 2, rows: 2 });
    assert_eq!(refused(1, 2, &[1, 1], &[0]), SparseError::RowOrder { row: 0, before: 1, after: 1 });
    assert_eq!(refused(2, 2, &[0, 2, 1], &[0]), SparseError::RowOrder { row: 1, before: 2, after: 1 });
    assert_eq!(refused(2, 2, &[0, 1, 1], &[0, 1]), SparseError::End { end: 1, given: 2 });
    assert_eq!(refused(2, 2, &[0, 0, 1], &[2]), SparseError::Column { row: 1, column: 2, post: 2 });
    assert_eq!(refused(1, 3, &[0, 2], &[2, 0]), SparseError::Unsorted { row: 0, column: 0, previous: 2 });
    assert_eq!(refused(1, 3, &[0, 2], &[2, 2]), SparseError::Duplicate { row: 0, column: 2 });
    assert_eq!(Sparse::new(0, 0, vec![0], Vec::new()).unwrap().synapses(), 0);
}

#[test]
fn convolutions_are_checked() {
    let new = Convolution::new;
    assert!(matches!(new(0, [4, 4], 1, [1, 1]), Err(ConvolutionError::Zero { .. })));
    assert!(matches!(
        new(1, [4, 4], 1, [5, 1]),
        Err(ConvolutionError::Kernel { axis: "height", span: 5, image: 4 })
    ));
    assert!(matches!(new(usize::MAX, [4, 4], 1, [1, 1]), Err(ConvolutionError::TooLarge)));
    assert!(matches!(new(1 << 20, [1 << 20, 4], 1, [1, 1]), Err(ConvolutionError::TooLarge)));
    let shape = new(2, [4, 4], 3, [1, 1]).unwrap();
    assert!(matches!(
        shape.with([1, 1], [0, 0], [1, 1], 2),
        Err(ConvolutionError::Groups { groups: 2, inputs: 2, outputs: 3 })
    ));
    assert!(matches!(shape.with([0, 1], [0, 0], [1, 1], 1), Err(ConvolutionError::Zero { .. })));
}

#[test]
fn synapses_have_the_axes_of_their_topology() {
    assert_eq!(Topology::Dense { pre: 2, post: 3 }.synapse_shape(), [2, 3]);
    assert_eq!(Topology::OneToOne { count: 4 }.synapse_shape(), [4]);
    assert_eq!(sparse().synapse_shape(), [5]);
    let shape = convolution();
    assert_eq!(shape.output_size(), [3, 5]);
    assert_eq!(Topology::Conv2d(shape).synapse_shape(), [4, 1, 2, 3]);
    assert_eq!(Topology::Local2d(shape).synapse_shape(), [4, 15, 6]);
    assert_eq!(Topology::Local2d(shape).neuron_shape(Side::Post), [4, 3, 5]);
    for topology in [sparse(), Topology::Conv2d(shape), Topology::Local2d(shape)] {
        let axes: usize = topology.synapse_shape().iter().product();
        assert_eq!(topology.synapses(), Some(axes), "{topology:?}");
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let dense = |pre, post| Topology::Dense { pre, post };
    assert!(Counts::new(&dense(1 << 31, 1), 1).is_none());
    assert!(Counts::new(&dense(usize::MAX, 2), 1).is_none());
    assert!(Counts::new(&dense(1 << 30, 1 << 30), 1 << 30).is_none());
    assert!(Counts::new(&dense(0, 5), 1).is_some());
    assert_eq!(Counts::new(&dense(300, 2), 1).unwrap().get(Count::PreBlocks), 2);
}

fn table(topology: &Topology, name: Table) -> Vec<i64> {
    Tables::new(topology).get(name)
}

/// Every table has the length that it states, whatever the topology.
#[test]
fn tables_have_their_lengths() {
    let shape = convolution();
    let sparse_tables =
        [Table::RowStart, Table::Column, Table::ColumnStart, Table::ColumnRow, Table::ColumnSynapse];
    let spatial_tables = [
        Table::FirstInput,
        Table::InputStart,
        Table::KernelChannel,
        Table::KernelY,
        Table::KernelX,
        Table::KernelOffset,
        Table::PositionY,
        Table::PositionX,
        Table::PositionOffset,
        Table::PreChannel,
        Table::PostChannel,
        Table::PostPosition,
        Table::FirstOutput,
        Table::KernelStart,
        Table::EntryStart,
    ];
    let check = |topology: &Topology, tables: &[Table]| {
        let counts = Counts::new(topology, 1).unwrap();
        for &name in tables {
            assert_eq!(table(topology, name).len() as u64, counts.get(name.length()), "{name:?}");
        }
    };
    check(&sparse(), &sparse_tables);
    check(&Topology::Conv2d(shape), &spatial_tables);
    // Pairs in the padding have room in the lists, but are not in them.
    let entries = table(&Topology::Local2d(shape), Table::EntryPosition).len() as u64;
    assert!(entries <= Counts::new(&Topology::Local2d(shape), 1).unwrap().get(Count::Entries));
}

#[test]
fn the_columns_of_a_sparse_group_are_its_rows_turned() {
    let topology = sparse();
    assert_eq!(table(&topology, Table::ColumnStart), [0, 1, 3, 4, 5]);
    assert_eq!(table(&topology, Table::ColumnRow), [2, 0, 2, 2, 0]);
    assert_eq!(table(&topology, Table::ColumnSynapse), [2, 0, 3, 4, 1]);
}

/// Input neuron by offsets, as kernels find it, and by the definition.
#[test]
fn offsets_find_the_neuron_of_a_pair() {
    let shape = convolution();
    let of = |name| table(&Topology::Conv2d(shape), name);
    let (starts, kernels, positions) =
        (of(Table::InputStart), of(Table::KernelOffset), of(Table::PositionOffset));
    let (down, right) = (of(Table::KernelY), of(Table::KernelX));
    let (y, x) = (of(Table::PositionY), of(Table::PositionX));
    let [height, width] = shape.input_size().map(|size| size as i64);
    for (output, start) in starts.into_iter().enumerate() {
        for kernel in 0..shape.kernel() {
            for position in 0..shape.positions() {
                let (row, column) = (y[position] + down[kernel], x[position] + right[kernel]);
                let inside = (0..height).contains(&row) && (0..width).contains(&column);
                let found = inside.then(|| (start + kernels[kernel] + positions[position]) as usize);
                assert_eq!(found, shape.pair(output, kernel, position).pre);
            }
        }
    }
}

/// The lists of a presynaptic neuron hold exactly the pairs that reach it.
#[test]
fn entries_are_the_pairs_turned() {
    let shape = convolution();
    let of = |name| table(&Topology::Conv2d(shape), name);
    let (starts, positions, kernels) =
        (of(Table::EntryStart), of(Table::EntryPosition), of(Table::EntryKernel));
    let first_output = of(Table::FirstOutput);
    for pre in 0..shape.pre() {
        let channel = pre / shape.input_positions();
        let output = first_output[channel] as usize;
        let listed: Vec<(i64, i64)> =
            (starts[pre] as usize..starts[pre + 1] as usize).map(|at| (positions[at], kernels[at])).collect();
        let mut expected = Vec::new();
        for position in 0..shape.positions() {
            for kernel in 0..shape.kernel() {
                if shape.pair(output, kernel, position).pre == Some(pre) {
                    expected.push((position as i64, kernel as i64));
                }
            }
        }
        assert_eq!(listed, expected, "neuron {pre}");
    }
}
