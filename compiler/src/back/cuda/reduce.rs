//! Ordered reductions and tile products: by a warp together, or by one thread where threads are on their own.

use super::op;
use super::write::Writer;
use crate::kernel::*;

impl Writer<'_> {
    /// A reduction in either place.
    pub fn reduce(&mut self, reduce: &Reduce) {
        if let (Some(slot), false) = (reduce.slot, self.alone) {
            return self.stored_in_warp(reduce, slot);
        }
        match (reduce.order, self.alone) {
            (Order::Serial256, true) if reduce.slot.is_some() => self.stored_in_thread(reduce),
            (Order::Lanes32, true) => self.lanes_in_thread(reduce),
            (Order::Serial256, true) => self.blocks_in_thread(reduce),
            (Order::Pairwise, true) => self.pairs_in_thread(reduce),
            (Order::Lanes32, false) => self.lanes_in_warp(reduce),
            (Order::Serial256, false) => self.blocks_in_warp(reduce),
            (Order::Pairwise, false) => self.pairs_in_warp(reduce),
        }
    }

    /// The text of an accumulator with the term that the body has computed.
    fn accumulate(&mut self, reduce: &Reduce, accumulator: &str) {
        let ty = self.ty(reduce.result);
        let term = match reduce.term {
            Term::Product(a, b) => {
                let word = if ty == Type::F32 { "fmaf" } else { "fma" };
                format!("{word}({}, {}, {accumulator})", self.value(a), self.value(b))
            }
            Term::Value(value) => {
                let term = match (self.ty(value), ty) {
                    (Type::Bool, _) => format!("{}({})", op::type_word(ty), self.value(value)),
                    _ => self.value(value),
                };
                match reduce.op {
                    ReduceOp::Sum | ReduceOp::Count => format!("{accumulator} + {term}"),
                    ReduceOp::Min | ReduceOp::Max => {
                        format!("{}::of({accumulator}, {term})", op::combiner(reduce.op))
                    }
                }
            }
        };
        let when = reduce.gate.map(|gate| format!("if ({}) ", self.value(gate))).unwrap_or_default();
        self.line(format!("{when}{accumulator} = {term};"));
    }

    fn term(&mut self, reduce: &Reduce, accumulator: &str) {
        self.in_thread(|w| {
            w.block(&reduce.body);
            w.accumulate(reduce, accumulator);
        });
    }

    /// Names: of the result, its type, what it starts from, of the index, of the count, and how results combine.
    fn parts(&self, reduce: &Reduce) -> Parts {
        let ty = self.ty(reduce.result);
        Parts {
            result: self.names.value(reduce.result).to_owned(),
            word: op::type_word(ty),
            none: op::identity(reduce.op, ty),
            index: self.names.value(reduce.index).to_owned(),
            count: self.value(reduce.count),
            op: op::combiner(reduce.op),
        }
    }

    fn lanes_in_thread(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let lanes = self.names.fresh(&format!("{result}_lanes"));
        self.line(format!("{word} {lanes}[32];"));
        self.line(format!("for (int at = 0; at < 32; ++at) {lanes}[at] = {none};"));
        let place = reduce.slot.map_or_else(|| index.clone(), |slot| self.value(slot.index));
        self.braces(format!("for (u64 {index} = 0; before({index}, {count}); ++{index})"), |w| {
            w.term(reduce, &format!("{lanes}[{place} % 32]"));
        });
        self.line(format!("const {word} {result} = halve<{op}>({lanes});"));
    }

    fn blocks_in_thread(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let (pairs, first, end, block) = self.block_names(&result);
        self.line(format!("Pairs<{op}, {word}> {pairs};"));
        self.braces(format!("for (u64 {first} = 0; before({first}, {count}); {first} += 256)"), |w| {
            w.line(format!("const u64 {end} = lesser({first} + 256, {count});"));
            w.line(format!("{word} {block} = {none};"));
            w.braces(format!("for (u64 {index} = {first}; before({index}, {end}); ++{index})"), |w| {
                w.term(reduce, &block);
            });
            w.line(format!("{pairs}.push({block});"));
        });
        self.line(format!("const {word} {result} = {pairs}.result({none});"));
    }

    /// The stored terms of a longer row, in the blocks of that row.
    fn stored_in_thread(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let Some(slot) = reduce.slot else { crate::ice!("a reduction without slots") };
        let (pairs, _, filled, block) = self.block_names(&result);
        self.line(format!("Pairs<{op}, {word}> {pairs};"));
        self.line(format!("{word} {block} = {none};"));
        self.line(format!("u64 {filled} = 0;"));
        self.braces(format!("for (u64 {index} = 0; before({index}, {count}); ++{index})"), |w| {
            w.in_thread(|w| {
                w.block(&reduce.body);
                let place = w.value(slot.index);
                w.line(format!(
                    "for (; {filled} < {place} / 256; ++{filled}, {block} = {none}) {pairs}.push({block});"
                ));
                w.accumulate(reduce, &block);
            });
        });
        self.last_blocks(slot, &pairs, &filled, &block, &none);
        self.line(format!("const {word} {result} = {pairs}.result({none});"));
    }

    /// The blocks of a row behind its last stored term.
    fn last_blocks(&mut self, slot: Slot, pairs: &str, filled: &str, block: &str, none: &str) {
        let extent = self.value(slot.extent);
        self.line(format!(
            "for (; before({filled} * 256, {extent}); ++{filled}, {block} = {none}) {pairs}.push({block});"
        ));
    }

    /// The same by a warp: each thread computes one of 32 terms, and all add them up in their order.
    fn stored_in_warp(&mut self, reduce: &Reduce, slot: Slot) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let (pairs, group, filled, block) = self.block_names(&result);
        let mut fresh = |suffix: &str| self.names.fresh(&format!("{result}_{suffix}"));
        let (terms, place, kept, from, at) =
            ([fresh("a"), fresh("b")], fresh("slot"), fresh("kept"), fresh("from"), fresh("at"));
        let in_blocks = reduce.order == Order::Serial256;
        if in_blocks {
            self.line(format!("Pairs<{op}, {word}> {pairs};"));
            self.line(format!("u64 {filled} = 0;"));
        }
        self.line(format!("{word} {block} = {none};"));
        let factors = match reduce.term {
            Term::Value(value) => vec![value],
            Term::Product(a, b) => vec![a, b],
        };
        self.braces(format!("for (u64 {group} = 0; before({group}, {count}); {group} += 32)"), |w| {
            let named: Vec<&String> = terms.iter().take(factors.len()).collect();
            named.iter().for_each(|term| w.line(format!("{word} {term} = {none};")));
            w.line(format!("u64 {place} = 0;"));
            w.line(format!("int {kept} = 0;"));
            w.line(format!("const u64 {index} = {group} + threadIdx.x % 32;"));
            w.braces(format!("if (before({index}, {count}))"), |w| {
                w.in_thread(|w| w.block(&reduce.body));
                for (term, &factor) in named.iter().zip(&factors) {
                    w.line(format!("{term} = {word}({});", w.value(factor)));
                }
                w.line(format!("{place} = {};", w.value(slot.index)));
                let gate = reduce.gate.map_or("1".to_owned(), |gate| format!("{} ? 1 : 0", w.value(gate)));
                w.line(format!("{kept} = {gate};"));
            });
            let head =
                format!("for (int {from} = 0; {from} < 32 && before({group} + {from}, {count}); ++{from})");
            w.braces(head, |w| {
                w.line(format!("const u64 {at} = __shfl_sync(0xffffffffu, {place}, {from});"));
                let values: Vec<String> =
                    named.iter().map(|term| format!("__shfl_sync(0xffffffffu, {term}, {from})")).collect();
                let next = match (values.as_slice(), reduce.op) {
                    ([a, b], _) => {
                        let fma = if word == "float" { "fmaf" } else { "fma" };
                        format!("{fma}({a}, {b}, {block})")
                    }
                    ([a], ReduceOp::Sum | ReduceOp::Count) => format!("{block} + {a}"),
                    ([a], _) => format!("{op}::of({block}, {a})"),
                    (_, _) => crate::ice!("a term has one or two factors"),
                };
                if in_blocks {
                    w.line(format!(
                        "for (; {filled} < {at} / 256; ++{filled}, {block} = {none}) {pairs}.push({block});"
                    ));
                }
                let next_name = w.names.fresh(&format!("{result}_next"));
                w.line(format!("const {word} {next_name} = {next};"));
                let own = if in_blocks { "" } else { " && %" };
                let own = own.replace('%', &format!("{at} % 32 == threadIdx.x % 32"));
                w.line(format!(
                    "if (__shfl_sync(0xffffffffu, {kept}, {from}) != 0{own}) {block} = {next_name};"
                ));
            });
        });
        if in_blocks {
            self.last_blocks(slot, &pairs, &filled, &block, &none);
            self.line(format!("const {word} {result} = {pairs}.result({none});"));
        } else {
            self.line(format!("const {word} {result} = halve_warp<{op}>({block});"));
        }
    }

    fn pairs_in_thread(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let (pairs, _, _, block) = self.block_names(&result);
        self.line(format!("Pairs<{op}, {word}> {pairs};"));
        self.braces(format!("for (u64 {index} = 0; before({index}, {count}); ++{index})"), |w| {
            w.whole_term(reduce, word, &block);
            w.line(format!("{pairs}.push({block});"));
        });
        self.line(format!("const {word} {result} = {pairs}.result({none});"));
    }

    /// A term of a `Pairwise`, which does not pass through an accumulator.
    fn whole_term(&mut self, reduce: &Reduce, word: &str, into: &str) {
        self.in_thread(|w| {
            w.block(&reduce.body);
            let (Term::Value(value) | Term::Product(value, _)) = reduce.term;
            w.line(format!("const {word} {into} = {word}({});", w.value(value)));
        });
    }

    fn block_names(&mut self, result: &str) -> (String, String, String, String) {
        let mut fresh = |suffix: &str| self.names.fresh(&format!("{result}_{suffix}"));
        (fresh("pairs"), fresh("first"), fresh("end"), fresh("block"))
    }

    fn lanes_in_warp(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let own = self.names.fresh(&format!("{result}_lane"));
        self.line(format!("{word} {own} = {none};"));
        let head = format!("for (u64 {index} = threadIdx.x % 32; before({index}, {count}); {index} += 32)");
        self.line("#pragma unroll 4");
        self.braces(head, |w| w.term(reduce, &own));
        self.line(format!("const {word} {result} = halve_warp<{op}>({own});"));
    }

    /// 32 blocks at a time, one for each thread of a warp.
    fn blocks_in_warp(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let (pairs, first, end, block) = self.block_names(&result);
        let group = self.names.fresh(&format!("{result}_group"));
        self.line(format!("Pairs<{op}, {word}> {pairs};"));
        self.braces(format!("for (u64 {group} = 0; before({group}, {count}); {group} += 32 * 256)"), |w| {
            w.line(format!("const u64 {first} = {group} + threadIdx.x % 32 * 256;"));
            w.line(format!("const u64 {end} = lesser({first} + 256, {count});"));
            w.line(format!("{word} {block} = {none};"));
            w.braces(format!("for (u64 {index} = {first}; before({index}, {end}); ++{index})"), |w| {
                w.term(reduce, &block);
            });
            w.line(format!("{pairs}.push(pair_warp<{op}>({block}, ({count} - {group} + 255) / 256));"));
        });
        self.line(format!("const {word} {result} = {pairs}.result({none});"));
    }

    /// 32 terms at a time, one for each thread of a warp.
    fn pairs_in_warp(&mut self, reduce: &Reduce) {
        let Parts { result, word, none, index, count, op } = self.parts(reduce);
        let (pairs, own, term, _) = self.block_names(&result);
        let group = self.names.fresh(&format!("{result}_group"));
        self.line(format!("Pairs<{op}, {word}> {pairs};"));
        self.braces(format!("for (u64 {group} = 0; before({group}, {count}); {group} += 32)"), |w| {
            w.line(format!("{word} {own} = {none};"));
            w.line(format!("const u64 {index} = {group} + threadIdx.x % 32;"));
            w.braces(format!("if (before({index}, {count}))"), |w| {
                w.whole_term(reduce, word, &term);
                w.line(format!("{own} = {term};"));
            });
            w.line(format!("{pairs}.push(pair_warp<{op}>({own}, {count} - {group}));"));
        });
        self.line(format!("const {word} {result} = {pairs}.result({none});"));
    }

    /// The elements of a tile, each by one thread.
    pub fn tile(&mut self, tile: &TileProduct) {
        let ty = self.facts.kernel.buffers[tile.into].ty;
        let (word, fma) = (op::type_word(ty), if ty == Type::F32 { "fmaf" } else { "fma" });
        let [rows, columns] = tile.size.map(|value| self.value(value));
        let [from_row, from_column] = tile.origin.map(|value| self.value(value));
        let [left_stride, right_stride] = tile.strides.map(|value| self.value(value));
        let (depth, stride, start) =
            (self.value(tile.depth), self.value(tile.tile_stride), self.value(tile.tile_start));
        let [left, right, into] =
            [tile.left, tile.right, tile.into].map(|buffer| self.names.buffer(buffer).to_owned());
        let (begin, step) = if self.alone { ("0", "1") } else { ("rank", "width") };
        let (pairs, first, end, block) = self.block_names("tile");
        let [element, row, at, k] =
            ["element", "tile_row", "tile_column", "k"].map(|name| self.names.fresh(name));
        let head = format!(
            "for (u64 {element} = {begin}; before(0, {rows}) && before({element}, {rows} * {columns}); {element} += {step})"
        );
        self.braces(head, |w| {
            w.line(format!("const u64 {row} = {element} / {columns}, {at} = {element} % {columns};"));
            w.line(format!("Pairs<Sum, {word}> {pairs};"));
            w.braces(format!("for (u64 {first} = 0; before({first}, {depth}); {first} += 256)"), |w| {
                w.line(format!("const u64 {end} = lesser({first} + 256, {depth});"));
                w.line(format!("{word} {block} = 0;"));
                w.line(format!("for (u64 {k} = {first}; before({k}, {end}); ++{k})"));
                let a = format!("{left}[{k} * {left_stride} + ({from_row} + {row})]");
                let b = format!("{right}[{k} * {right_stride} + ({from_column} + {at})]");
                w.line(format!("    {block} = {fma}({a}, {b}, {block});"));
                w.line(format!("{pairs}.push({block});"));
            });
            w.line(format!("{into}[{start} + ({row} * {stride} + {at})] = {pairs}.result(0);"));
        });
    }
}

/// What the text of a reduction is made of.
struct Parts {
    result: String,
    word: &'static str,
    none: String,
    index: String,
    count: String,
    op: &'static str,
}
