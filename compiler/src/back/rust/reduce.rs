//! Ordered reductions and tile products.

use super::op;
use super::rows::Range;
use super::write::Writer;
use crate::kernel::*;

/// What the text of a reduction is made of.
struct Parts {
    result: String,
    ty: Type,
    /// What an accumulator starts from.
    none: String,
    /// How two accumulators combine, as a closure.
    combine: String,
    index: String,
    count: String,
}

impl Writer<'_> {
    /// A reduction.
    pub fn reduce(&mut self, reduce: &Reduce) {
        let ty = self.ty(reduce.result);
        let parts = Parts {
            result: self.names.value(reduce.result).to_owned(),
            ty,
            none: op::identity(reduce.op, ty),
            combine: format!("|a, b| {}", op::combine(reduce.op, ty, "a", "b")),
            index: self.names.value(reduce.index).to_owned(),
            count: self.value(reduce.count),
        };
        match (reduce.order, reduce.slot) {
            (Order::Pairwise, _) => self.pairs(reduce, &parts),
            (_, Some(slot)) => self.stored(reduce, slot, &parts),
            (Order::Lanes32, None) => self.in_lanes(reduce, &parts),
            (Order::Serial256, None) => self.in_blocks(reduce, &parts),
        }
        self.defined.insert(reduce.result);
    }

    /// The terms from `start` on, each added to its accumulator.
    fn terms(
        &mut self,
        reduce: &Reduce,
        parts: &Parts,
        (start, count): (&str, &str),
        accumulator: &dyn Fn(&str) -> String,
    ) {
        let at = self.fresh(&format!("{}_at", parts.result), "usize");
        let range = Range { index: reduce.index, start, count, at: &at };
        let cut = self.cut_slices(&reduce.body, &range);
        self.braces(format!("for {at} in 0..{count}"), "}", |w| {
            w.define(&parts.index, format!("{start}.wrapping_add({at} as i64)"));
            w.defined.insert(reduce.index);
            w.block(&reduce.body);
            w.term(reduce, parts.ty, &accumulator(&at));
        });
        self.forget(&cut);
    }

    /// The term that the body has computed, added to an accumulator.
    fn term(&mut self, reduce: &Reduce, ty: Type, accumulator: &str) {
        let next = match reduce.term {
            Term::Product(a, b) => format!("{}.mul_add({}, {accumulator})", self.value(a), self.value(b)),
            Term::Value(value) => op::combine(reduce.op, ty, accumulator, &self.number(value, ty)),
        };
        match reduce.gate {
            None => self.line(format!("{accumulator} = {next};")),
            Some(gate) => {
                let name = self.names.fresh("next");
                self.define(&name, next);
                let gate = self.value(gate);
                self.line(format!("{accumulator} = if {gate} {{ {name} }} else {{ {accumulator} }};"));
            }
        }
    }

    /// A term in the type of the result; conditions are counted.
    fn number(&self, value: ValueId, ty: Type) -> String {
        let text = self.value(value);
        match self.ty(value) {
            Type::Bool => op::convert(Conversion::Value, Type::Bool, ty, &text),
            Type::F32 | Type::F64 | Type::I32 | Type::I64 => text,
        }
    }

    /// Whole groups, whose accumulators stay in registers, and the rest. The groups are a function of their own: where a rest
    /// follows on the same accumulators, LLVM does not make vectors of them.
    fn in_lanes(&mut self, reduce: &Reduce, parts: &Parts) {
        let mut fresh = |suffix: &str| self.names.fresh(&format!("{}_{suffix}", parts.result));
        let (lanes, count, group, start) = (fresh("lanes"), fresh("count"), fresh("group"), fresh("start"));
        let (rest, last, groups, whole) = (fresh("rest"), fresh("last"), fresh("groups"), fresh("whole"));
        self.define(&count, format!("native::count(0i64, {})", parts.count));
        let accumulator = |at: &str| format!("{lanes}[{at}]");
        let outside = self.defined.clone();
        let first = self.lines.len();
        self.line(format!("let mut {lanes} = [{}; 32];", parts.none));
        self.braces(format!("for {group} in 0..{groups}"), "}", |w| {
            w.define(&start, format!("({group} * 32) as i64"));
            w.terms(reduce, parts, (&start, "32"), &accumulator);
        });
        self.line(&lanes);
        self.defined = outside;
        let returns = format!(" -> [{}; 32]", op::type_word(parts.ty));
        let others = self.function(first, &whole, &groups, &returns);
        self.line(format!("let mut {lanes} = {whole}({count} / 32{others});"));
        self.define(&rest, format!("{count} % 32"));
        self.braces(format!("if {rest} > 0"), "}", |w| {
            w.define(&last, format!("({count} - {rest}) as i64"));
            w.terms(reduce, parts, (&last, &rest), &accumulator);
        });
        self.define(&parts.result, format!("native::halve({lanes}, {})", parts.combine));
    }

    fn in_blocks(&mut self, reduce: &Reduce, parts: &Parts) {
        let mut fresh = |suffix: &str| self.names.fresh(&format!("{}_{suffix}", parts.result));
        let (pairs, block, count) = (fresh("pairs"), fresh("block"), fresh("count"));
        let (from, width, start) = (fresh("from"), fresh("width"), fresh("start"));
        self.line(format!("let mut {pairs} = native::Pairs::new();"));
        self.define(&count, format!("native::count(0i64, {})", parts.count));
        self.braces(format!("for {from} in (0..{count}).step_by(256)"), "}", |w| {
            w.define(&width, format!("({count} - {from}).min(256)"));
            w.define(&start, format!("{from} as i64"));
            w.line(format!("let mut {block} = {};", parts.none));
            w.terms(reduce, parts, (&start, &width), &|_| block.clone());
            w.line(format!("{pairs}.push({block}, {});", parts.combine));
        });
        self.define(&parts.result, format!("{pairs}.finish({}, {})", parts.none, parts.combine));
    }

    fn pairs(&mut self, reduce: &Reduce, parts: &Parts) {
        let Parts { result, index, count, none, combine, .. } = parts;
        let head = format!("let {result} = native::pairwise({count}, {none}, {combine}, |{index}: i64|");
        self.braces(head, "});", |w| {
            w.defined.insert(reduce.index);
            w.block(&reduce.body);
            let (Term::Value(value) | Term::Product(value, _)) = reduce.term;
            let term = w.number(value, parts.ty);
            w.line(term);
        });
    }

    /// The stored terms of a longer row.
    fn stored(&mut self, reduce: &Reduce, slot: Slot, parts: &Parts) {
        let terms = self.names.fresh(&format!("{}_terms", parts.result));
        let in_blocks = reduce.order == Order::Serial256;
        self.line(match in_blocks {
            true => format!("let mut {terms} = native::StoredBlocks::new({});", parts.none),
            false => format!("let mut {terms} = [{}; 32];", parts.none),
        });
        self.braces(format!("for {} in 0i64..{}", parts.index, parts.count), "}", |w| {
            w.defined.insert(reduce.index);
            w.block(&reduce.body);
            let place = w.value(slot.index);
            if in_blocks {
                w.line(format!("{terms}.go_to({place}, {});", parts.combine));
                w.term(reduce, parts.ty, &format!("{terms}.block"));
            } else {
                w.term(reduce, parts.ty, &format!("{terms}[({place} % 32) as usize]"));
            }
        });
        let extent = self.value(slot.extent);
        self.define(
            &parts.result,
            match in_blocks {
                true => format!("{terms}.finish({extent}, {})", parts.combine),
                false => format!("native::halve({terms}, {})", parts.combine),
            },
        );
    }

    /// A tile of a product.
    pub fn tile(&mut self, tile: &TileProduct) {
        let list =
            |values: &[ValueId]| values.iter().map(|&value| self.value(value)).collect::<Vec<_>>().join(", ");
        let [left, right, into] = [tile.left, tile.right, tile.into].map(|buffer| self.names.buffer(buffer));
        self.line(format!(
            "native::tile({left}, {right}, {into}, [{}], [{}], [{}], {}, [{}]);",
            list(&tile.strides),
            list(&tile.origin),
            list(&tile.size),
            self.value(tile.depth),
            list(&[tile.tile_stride, tile.tile_start]),
        ));
    }
}
