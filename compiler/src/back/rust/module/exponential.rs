//! The exponential of a small matrix as loops of a kernel: the operations of `math::matrix` in their order.

use crate::kernel::build::KernelBuilder;
use crate::kernel::{BufferId, Conversion, Type, ValueId};
use crate::math::matrix::{DEGREE, SQUARINGS, size};

/// How many numbers of room [`emit`] needs for a matrix of so many entries.
pub(crate) fn room(entries: usize) -> usize {
    3 * entries
}

/// Writes the exponential into a kernel: `buffer`, from `start` on, is its room, and holds the result afterwards at the
/// same place, in rows.
pub(crate) fn emit(builder: &mut KernelBuilder, buffer: BufferId, start: usize, matrix: &[ValueId]) {
    let size = size(matrix.len()) as i64;
    let [result, scaled, next] = [0, 1, 2].map(|part| (start + part * matrix.len()) as i64);
    let scale = builder.real(Type::F64, f64::from(-(SQUARINGS as i32)).exp2());
    for (place, entry) in matrix.iter().enumerate() {
        let entry = builder.mul(*entry, scale);
        let at = builder.int(scaled + place as i64);
        builder.store(buffer, at, entry, None);
    }
    let zero = builder.real(Type::F64, 0.0);
    let [first, count] = [0, size * size].map(|number| builder.int(number));
    builder.serial(first, count, |builder, place| {
        let at = moved(builder, place, result);
        builder.store(buffer, at, zero, None);
    });
    let rounds = builder.int(i64::from(DEGREE));
    builder.serial(first, rounds, |builder, round| {
        let left = builder.sub(rounds, round);
        let divisor = builder.convert(Conversion::Value, Type::F64, left);
        each_entry(builder, size, |builder, row, column, place| {
            let product = product_loop(builder, size, |builder, inner| {
                let a = element(builder, buffer, scaled, size, [row, inner]);
                let a = builder.div(a, divisor);
                (a, element(builder, buffer, result, size, [inner, column]))
            });
            let at = moved(builder, place, scaled);
            let own = builder.load(buffer, at);
            let own = builder.div(own, divisor);
            let sum = builder.add(own, product);
            let at = moved(builder, place, next);
            builder.store(buffer, at, sum, None);
        });
        copy(builder, buffer, next, result, size);
    });
    let rounds = builder.int(i64::from(SQUARINGS));
    builder.serial(first, rounds, |builder, _| {
        each_entry(builder, size, |builder, row, column, place| {
            let square = product_loop(builder, size, |builder, inner| {
                let a = element(builder, buffer, result, size, [row, inner]);
                (a, element(builder, buffer, result, size, [inner, column]))
            });
            let at = moved(builder, place, result);
            let own = builder.load(buffer, at);
            let twice = builder.add(own, own);
            let sum = builder.add(twice, square);
            let at = moved(builder, place, next);
            builder.store(buffer, at, sum, None);
        });
        copy(builder, buffer, next, result, size);
    });
}

fn moved(builder: &mut KernelBuilder, place: ValueId, by: i64) -> ValueId {
    let by = builder.int(by);
    builder.add(place, by)
}

fn each_entry(
    builder: &mut KernelBuilder,
    size: i64,
    body: impl FnOnce(&mut KernelBuilder, ValueId, ValueId, ValueId),
) {
    let [first, end] = [0, size].map(|number| builder.int(number));
    builder.serial(first, end, |builder, row| {
        builder.serial(first, end, |builder, column| {
            let place = place(builder, size, [row, column]);
            body(builder, row, column, place);
        });
    });
}

fn place(builder: &mut KernelBuilder, size: i64, [row, column]: [ValueId; 2]) -> ValueId {
    let width = builder.int(size);
    let start = builder.mul(row, width);
    builder.add(start, column)
}

fn element(
    builder: &mut KernelBuilder,
    buffer: BufferId,
    matrix: i64,
    size: i64,
    entry: [ValueId; 2],
) -> ValueId {
    let place = place(builder, size, entry);
    let at = moved(builder, place, matrix);
    builder.load(buffer, at)
}

/// The sum of the products, ascending, each product rounded.
fn product_loop(
    builder: &mut KernelBuilder,
    size: i64,
    factors: impl FnOnce(&mut KernelBuilder, ValueId) -> (ValueId, ValueId),
) -> ValueId {
    let [first, end] = [0, size].map(|number| builder.int(number));
    let zero = builder.real(Type::F64, 0.0);
    let total = builder.carry(first, end, &[zero], |builder, inner, total| {
        let (a, b) = factors(builder, inner);
        let product = builder.mul(a, b);
        (vec![builder.add(total[0], product)], None)
    });
    total[0]
}

fn copy(builder: &mut KernelBuilder, buffer: BufferId, from: i64, to: i64, size: i64) {
    let [first, count] = [0, size * size].map(|number| builder.int(number));
    builder.serial(first, count, |builder, place| {
        let at = moved(builder, place, from);
        let value = builder.load(buffer, at);
        let at = moved(builder, place, to);
        builder.store(buffer, at, value, None);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::kernel::{Array, run};
    use crate::kernel::*;
    use crate::math::matrix::exponential_less_one;
    use crate::valid::kernel::validate;

    #[test]
    fn loops_of_a_kernel_give_the_same_bits() {
        let mut state = 7u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 * 2f64.powi(-53)
        };
        for size in [1, 2, 3, 5, 9, 16] {
            let mut matrix: Vec<f64> = (0..size * size)
                .map(|_| (uniform() - 0.7) * 0.3)
                .map(|entry| if entry > 0.05 { 0.0 } else { entry })
                .collect();
            matrix[0] *= 1e3;
            let needed = room(matrix.len());
            let start = 5;
            let space = Space { kind: SpaceKind::Single, items: vec![Extent::Constant(1)], per_block: 1 };
            let mut builder = KernelBuilder::new("probe", space);
            let scalars: Vec<ScalarId> =
                (0..matrix.len()).map(|k| builder.add_scalar(format!("m{k}"), Type::F64)).collect();
            let buffer = builder.buffer(Buffer {
                name: "room".into(),
                ty: Type::F64,
                access: Access::ReadWrite,
                kind: BufferKind::Scratch,
                shape: vec![Extent::Constant((start + needed) as u64)],
            });
            builder.blocks(|builder, _| {
                let entries: Vec<ValueId> = scalars.iter().map(|scalar| builder.scalar(*scalar)).collect();
                emit(builder, buffer, start, &entries);
            });
            let kernel = builder.finish();
            if let Err(errors) = validate(&kernel) {
                panic!("{}", errors.join("\n"));
            }
            let slots: Vec<u64> = matrix.iter().map(|entry| entry.to_bits()).collect();
            let mut array = Array::F64(vec![1e300; start + needed]);
            run(&kernel, &mut [&mut array], &slots, 0..1).expect("no fault");
            let Array::F64(cells) = array else { panic!("an array of another type") };
            let found: Vec<u64> =
                cells[start..start + matrix.len()].iter().map(|cell| cell.to_bits()).collect();
            let expected: Vec<u64> =
                exponential_less_one(&matrix).iter().map(|entry| entry.to_bits()).collect();
            assert_eq!(found, expected, "size {size}");
            assert!(expected.iter().all(|bits| f64::from_bits(*bits).is_finite()));
            assert!(cells[..start].iter().all(|cell| *cell == 1e300));
        }
    }
}
