//! Tiles of a batched product.

use super::*;

#[test]
fn tiles() {
    let mut b = builder("tile");
    let [left, right] = ["left", "right"].map(|name| declare(&mut b, name, Type::F32, Access::Read));
    let into = declare(&mut b, "into", Type::F32, Access::Write);
    let names = ["ls", "rs", "row", "column", "rows", "columns", "depth", "stride", "start"];
    let scalars = names.map(|name| b.add_scalar(name, Type::I64));
    b.blocks(|b, _| {
        let [ls, rs, row, column, rows, columns, depth, tile_stride, tile_start] =
            scalars.map(|scalar| b.scalar(scalar));
        b.push(Stmt::Tile(TileProduct {
            left,
            right,
            into,
            strides: [ls, rs],
            origin: [row, column],
            size: [rows, columns],
            depth,
            tile_stride,
            tile_start,
        }));
    });
    let kernel = b.finish();
    let (ls, rs, row, column, stride, start) = (9, 17, 2, 3, 12, 5);
    for (rows, columns, depth) in [(0, 3, 4), (3, 0, 4), (1, 1, 0), (5, 9, 7), (7, 11, 600)] {
        let mut numbers = Numbers(7);
        let mut values =
            |count: usize| -> Vec<f32> { (0..count).map(|_| numbers.next() as i32 as f32 * 1e-9).collect() };
        let (a, c) = (values(ls * depth), values(rs * depth));
        let mut expected = Array::zeros(Type::F32, 100);
        for m in 0..rows {
            for n in 0..columns {
                let ks: Vec<usize> = (0..depth).collect();
                let mut level: Vec<f32> = ks
                    .chunks(256)
                    .map(|block| {
                        block
                            .iter()
                            .fold(0f32, |sum, k| a[k * ls + row + m].mul_add(c[k * rs + column + n], sum))
                    })
                    .collect();
                while level.len() > 1 {
                    level = level
                        .chunks(2)
                        .map(|pair| pair.iter().copied().reduce(|x, y| x + y).unwrap())
                        .collect();
                }
                let sum = level.first().copied().unwrap_or(0.0);
                expected.elements[start + m * stride + n] = u64::from(sum.to_bits());
            }
        }
        let scalars = [ls, rs, row, column, rows, columns, depth, stride, start].map(|value| value as u64);
        expect(
            &kernel,
            &[Array::f32(a), Array::f32(c), Array::zeros(Type::F32, 100)],
            &scalars,
            2,
            &expected,
        );
    }
}
