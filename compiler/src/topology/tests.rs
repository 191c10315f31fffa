//! Sizes, refusals and tables, held against the definition.

use super::*;
use crate::plan::program::{Count, Table};

fn conv(stride: usize, padding: usize, dilation: usize, groups: usize) -> Convolution {
    let shape = Convolution::new(4, [7, 6], 6, [3, 2]).unwrap();
    shape.with([stride, 1], [padding, padding], [dilation, 1], groups).unwrap()
}

#[test]
fn a_sparse_list_is_refused_with_its_row() {
    let new = |starts: &[u64], columns: &[u32]| Sparse::new(2, 3, starts.to_vec(), columns.to_vec());
    assert!(new(&[0, 2, 3], &[0, 2, 1]).is_ok());
    assert_eq!(new(&[0, 2, 3], &[2, 0, 1]), Err(SparseError::Unsorted { row: 0, column: 0, previous: 2 }));
    assert_eq!(new(&[0, 1, 3], &[2, 1, 1]), Err(SparseError::Duplicate { row: 1, column: 1 }));
    assert_eq!(new(&[0, 1, 2], &[2, 3]), Err(SparseError::Column { row: 1, column: 3, post: 3 }));
    assert_eq!(new(&[0, 2], &[0, 1]), Err(SparseError::RowStarts { given: 2, rows: 2 }));
    assert_eq!(new(&[0, 2, 1], &[0, 1]), Err(SparseError::RowOrder { row: 1, before: 2, after: 1 }));
    assert_eq!(new(&[0, 1, 3], &[0, 1]), Err(SparseError::End { end: 3, given: 2 }));
}

#[test]
fn columns_are_the_rows_transposed() {
    let sparse = Sparse::new(3, 3, vec![0, 2, 3, 5], vec![0, 2, 1, 0, 1]).unwrap();
    let topology = Topology::Sparse(Arc::new(sparse));
    assert_eq!(table(&topology, Table::ColumnStart), [0, 2, 4, 5]);
    assert_eq!(table(&topology, Table::ColumnRow), [0, 2, 1, 2, 0]);
    assert_eq!(table(&topology, Table::ColumnSynapse), [0, 3, 2, 4, 1]);
}

#[test]
fn a_convolution_is_refused_with_its_reason() {
    assert_eq!(
        Convolution::new(1, [3, 3], 1, [4, 1]),
        Err(ConvolutionError::Kernel { axis: "height", span: 4, image: 3 })
    );
    assert_eq!(
        Convolution::new(1, [0, 3], 1, [1, 1]),
        Err(ConvolutionError::Zero { what: "height of the input" })
    );
    let shape = Convolution::new(4, [3, 3], 6, [1, 1]).unwrap();
    assert_eq!(
        shape.with([1, 1], [0, 0], [1, 1], 4),
        Err(ConvolutionError::Groups { groups: 4, inputs: 4, outputs: 6 })
    );
    assert_eq!(Convolution::new(1 << 20, [1 << 20, 3], 1, [1, 1]), Err(ConvolutionError::TooLarge));
    assert!(shape.with([1, 1], [usize::MAX, 0], [1, 1], 1).is_err());
}

#[test]
fn tables_lead_to_the_pairs_of_the_definition() {
    for (stride, padding, dilation, groups) in [(1, 0, 1, 1), (2, 1, 1, 2), (1, 2, 2, 2), (3, 1, 3, 1)] {
        let shape = conv(stride, padding, dilation, groups);
        let topology = Topology::Conv2d(shape);
        let of = |name| table(&topology, name);
        let [height, width] = shape.input_size().map(|size| size as i64);
        let (start, offset, at) = (of(Table::InputStart), of(Table::KernelOffset), of(Table::PositionOffset));
        let (ky, kx) = (of(Table::KernelY), of(Table::KernelX));
        let (py, px) = (of(Table::PositionY), of(Table::PositionX));
        for output in 0..shape.outputs() {
            for k in 0..shape.kernel() {
                for p in 0..shape.positions() {
                    let inside =
                        (0..height).contains(&(py[p] + ky[k])) && (0..width).contains(&(px[p] + kx[k]));
                    let pre = start[output] + offset[k] + at[p];
                    let expected = shape.pair(output, k, p).pre.map(|pre| pre as i64);
                    assert_eq!(inside.then_some(pre), expected, "{shape:?} {output} {k} {p}");
                }
            }
        }
        let (starts, positions, kernels) =
            (of(Table::EntryStart), of(Table::EntryPosition), of(Table::EntryKernel));
        let first = of(Table::FirstOutput);
        for pre in 0..shape.pre() {
            let channel = pre / (height * width) as usize;
            let list = starts[pre] as usize..starts[pre + 1] as usize;
            assert!(positions[list.clone()].is_sorted_by(|a, b| a < b));
            for entry in list {
                let (p, k) = (positions[entry] as usize, kernels[entry] as usize);
                assert_eq!(shape.pair(first[channel] as usize, k, p).pre, Some(pre));
            }
        }
        let inside = (0..shape.groups()).map(|group| group * shape.outputs_per_group());
        let inside = inside.flat_map(|o| (0..shape.kernel()).map(move |k| (o, k)));
        let all = inside.flat_map(|(o, k)| (0..shape.positions()).map(move |p| (o, k, p)));
        let all = all.filter(|&(o, k, p)| shape.pair(o, k, p).pre.is_some()).count();
        assert_eq!(positions.len(), all);
        let counts = Counts::new(&topology, 2).unwrap();
        assert!(counts.get(Count::Entries) >= all as u64);
        assert_eq!(counts.get(Count::Pairs), shape.positions() as u64);
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    assert!(Counts::new(&Topology::Dense { pre: 1 << 31, post: 1 }, 1).is_none());
    assert!(Counts::new(&Topology::Dense { pre: 1 << 30, post: 1 << 30 }, 1 << 10).is_none());
    assert_eq!(Counts::new(&Topology::Dense { pre: 300, post: 2 }, 1).unwrap().get(Count::PreBlocks), 2);
    assert_eq!(Counts::new(&Topology::OneToOne { count: 0 }, 1).unwrap().get(Count::Synapses), 0);
}
