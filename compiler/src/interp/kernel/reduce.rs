//! Ordered reductions and tile products, written straight from the IR's definition of the orders.

use super::operation::{binary, fma};
use super::*;

/// What a reduction of one type does.
#[derive(Clone, Copy)]
struct Combine {
    op: ReduceOp,
    ty: Type,
}

/// A term that is not left out.
#[derive(Clone, Copy)]
enum Found {
    Value(u64),
    Product(u64, u64),
}

impl Combine {
    /// Where an accumulator starts.
    fn identity(self) -> u64 {
        let (single, double) = match self.op {
            ReduceOp::Sum | ReduceOp::Count => (0.0, 0.0),
            ReduceOp::Min => (f32::INFINITY, f64::INFINITY),
            ReduceOp::Max => (f32::NEG_INFINITY, f64::NEG_INFINITY),
        };
        match self.ty {
            Type::F32 => u64::from(single.to_bits()),
            Type::F64 => double.to_bits(),
            Type::I32 | Type::I64 | Type::Bool => 0,
        }
    }

    fn pair(self, a: u64, b: u64) -> u64 {
        let op = match self.op {
            ReduceOp::Sum | ReduceOp::Count => Binary::Add,
            ReduceOp::Min => Binary::Min,
            ReduceOp::Max => Binary::Max,
        };
        binary(op, self.ty, a, b)
    }

    fn add(self, accumulator: u64, term: Found) -> u64 {
        match term {
            Found::Value(value) => self.pair(accumulator, value),
            Found::Product(a, b) => fma(self.ty, a, b, accumulator),
        }
    }

    /// Neighbours are combined, an odd last one passes, until one is left.
    fn pairwise(self, mut level: Vec<u64>) -> u64 {
        while level.len() > 1 {
            level = level
                .chunks(2)
                .map(|two| two.iter().copied().reduce(|a, b| self.pair(a, b)).unwrap_or(0))
                .collect();
        }
        level.first().copied().unwrap_or_else(|| self.identity())
    }
}

impl<C: Cells + ?Sized> Machine<'_, '_, C> {
    pub(super) fn reduce(&mut self, reduce: &Reduce) -> Result<(), Fault> {
        let combine = Combine { op: reduce.op, ty: self.ty(reduce.result) };
        let count = self.long(reduce.count);
        let extent = reduce.slot.map_or(count, |slot| self.long(slot.extent));
        let mut last = -1;
        let result = match reduce.order {
            Order::Serial256 => {
                let mut blocks = Vec::new();
                let mut accumulator = combine.identity();
                for index in 0..count {
                    let term = self.term(reduce, index)?;
                    last = self.place(reduce, index, last, extent)?;
                    while blocks.len() < (last / 256) as usize {
                        self.step()?;
                        blocks.push(accumulator);
                        accumulator = combine.identity();
                    }
                    if let Some(term) = term {
                        accumulator = combine.add(accumulator, term);
                    }
                }
                while blocks.len() < (extent.max(0) as usize).div_ceil(256) {
                    self.step()?;
                    blocks.push(accumulator);
                    accumulator = combine.identity();
                }
                combine.pairwise(blocks)
            }
            Order::Lanes32 => {
                let mut lanes = [combine.identity(); 32];
                for index in 0..count {
                    let term = self.term(reduce, index)?;
                    last = self.place(reduce, index, last, extent)?;
                    if let Some(term) = term {
                        let lane = &mut lanes[(last % 32) as usize];
                        *lane = combine.add(*lane, term);
                    }
                }
                for half in [16, 8, 4, 2, 1] {
                    for lane in 0..half {
                        lanes[lane] = combine.pair(lanes[lane], lanes[lane + half]);
                    }
                }
                lanes[0]
            }
            Order::Pairwise => {
                let mut terms = Vec::new();
                for index in 0..count {
                    match self.term(reduce, index)? {
                        Some(Found::Value(value)) => terms.push(value),
                        Some(Found::Product(..)) | None => {
                            crate::ice!("a pairwise reduction has values without gates")
                        }
                    }
                }
                combine.pairwise(terms)
            }
        };
        self.set(reduce.result, result);
        Ok(())
    }

    fn term(&mut self, reduce: &Reduce, index: i64) -> Result<Option<Found>, Fault> {
        self.step()?;
        self.set(reduce.index, index as u64);
        self.block(&reduce.body)?;
        if reduce.gate.is_some_and(|gate| !self.holds(gate)) {
            return Ok(None);
        }
        Ok(Some(match reduce.term {
            Term::Value(value) => Found::Value(self.bits(value)),
            Term::Product(a, b) => Found::Product(self.bits(a), self.bits(b)),
        }))
    }

    /// The place of the term that the body has just computed: its slot, which must be in the row and above the last
    /// one, or its index.
    fn place(&self, reduce: &Reduce, index: i64, last: i64, extent: i64) -> Result<i64, Fault> {
        let Some(slot) = reduce.slot else { return Ok(index) };
        let slot = self.long(slot.index);
        if last < slot && slot < extent {
            return Ok(slot);
        }
        Err(Fault::Slot { kernel: self.kernel.name.clone(), slot, last, extent })
    }

    pub(super) fn tile(&mut self, tile: &TileProduct) -> Result<(), Fault> {
        let combine = Combine { op: ReduceOp::Sum, ty: self.kernel.buffers[tile.into].ty };
        let [rows, columns] = tile.size.map(|size| self.long(size));
        let [left_stride, right_stride] = tile.strides.map(|stride| self.long(stride));
        let [row, column] = tile.origin.map(|origin| self.long(origin));
        let depth = self.long(tile.depth);
        let (tile_stride, tile_start) = (self.long(tile.tile_stride), self.long(tile.tile_start));
        let place = |stride: i64, k: i64, origin: i64, offset: i64| {
            k.wrapping_mul(stride).wrapping_add(origin).wrapping_add(offset)
        };
        for m in 0..rows {
            for n in 0..columns {
                let mut blocks = Vec::new();
                let mut accumulator = combine.identity();
                for k in 0..depth {
                    self.step()?;
                    let a = self.peek(tile.left, place(left_stride, k, row, m))?;
                    let b = self.peek(tile.right, place(right_stride, k, column, n))?;
                    accumulator = combine.add(accumulator, Found::Product(a, b));
                    if k % 256 == 255 || k == depth - 1 {
                        blocks.push(accumulator);
                        accumulator = combine.identity();
                    }
                }
                self.step()?;
                self.store(tile.into, place(tile_stride, m, tile_start, n), combine.pairwise(blocks))?;
            }
        }
        let elements = |size: i64| (size.max(0) as u64).wrapping_mul(depth.max(0) as u64);
        if rows > 0 && columns > 0 {
            self.counters.loads[tile.left.index()] += elements(rows);
            self.counters.loads[tile.right.index()] += elements(columns);
        }
        Ok(())
    }
}
