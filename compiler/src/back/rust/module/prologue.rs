//! What is computed in f64 when a parameter changes, as a kernel, so that its functions are expanded as all others are.

use std::collections::BTreeMap;

use crate::arena::Arena;
use crate::ir::{self, Builtin, Expr, ExprId, ExprKind, VarId};
use crate::kernel::build::KernelBuilder;
use crate::kernel::*;
use crate::plan::words;

/// A kernel of one block that computes numbers of parameters and `dt`.
pub(super) struct Prologue {
    builder: KernelBuilder,
    parameters: BTreeMap<(VarId, u32), ScalarId>,
    dt: Option<ScalarId>,
    outputs: Vec<ValueId>,
}

impl Prologue {
    pub(super) fn new() -> Self {
        let space = Space { kind: SpaceKind::Single, items: vec![Extent::Constant(1)], per_block: 1 };
        let mut builder = KernelBuilder::new("prologue", space);
        builder.doc("what is computed when a parameter changes");
        builder.enter();
        Self { builder, parameters: BTreeMap::new(), dt: None, outputs: Vec::new() }
    }

    /// Adds an expression; gives its place among the results.
    pub(super) fn add(&mut self, exprs: &Arena<Expr>, root: ExprId) -> usize {
        let number = self.number(exprs, root);
        self.outputs.push(number);
        self.outputs.len() - 1
    }

    /// Adds a time, divided by the length of a step.
    pub(super) fn add_in_steps(&mut self, exprs: &Arena<Expr>, root: ExprId) -> usize {
        let (number, dt) = (self.number(exprs, root), self.step_length());
        let steps = self.builder.div(number, dt);
        self.outputs.push(steps);
        self.outputs.len() - 1
    }

    fn step_length(&mut self) -> ValueId {
        let scalar = self.dt.unwrap_or_else(|| self.builder.add_scalar("dt", Type::F64));
        self.dt = Some(scalar);
        self.builder.scalar(scalar)
    }

    fn number(&mut self, exprs: &Arena<Expr>, root: ExprId) -> ValueId {
        let mut values: BTreeMap<ExprId, ValueId> = BTreeMap::new();
        for id in ir::operands::reachable(exprs, [root]) {
            let value = self.emit(exprs, id, &values);
            values.insert(id, value);
        }
        let value = values[&root];
        match self.builder.ty(value) {
            Type::F64 => value,
            Type::F32 | Type::I32 | Type::I64 | Type::Bool => {
                self.builder.convert(Conversion::Value, Type::F64, value)
            }
        }
    }

    /// How many results there are.
    pub(super) fn len(&self) -> usize {
        self.outputs.len()
    }

    /// The kernel, expanded, and what its scalars are: parameters, or `dt` where there is none.
    pub(super) fn finish(mut self) -> (Kernel, Vec<Option<(VarId, u32)>>) {
        let shape = vec![Extent::Constant(self.outputs.len() as u64)];
        let buffer = Buffer {
            name: "results".to_owned(),
            ty: Type::F64,
            access: Access::Write,
            kind: BufferKind::Scratch,
            shape,
        };
        let buffer = self.builder.buffer(buffer);
        for (place, value) in self.outputs.iter().enumerate() {
            let index = self.builder.int(place as i64);
            self.builder.store(buffer, index, *value, None);
        }
        let body = self.builder.leave();
        let index = self.builder.defined(Type::I64);
        self.builder.push(Stmt::For(Loop {
            kind: LoopKind::Blocks,
            index,
            start: None,
            end: None,
            carried: Vec::new(),
            exit: None,
            body,
        }));
        let kernel = expand::expand(&self.builder.finish());
        let scalars = kernel.scalars.handles().map(|scalar| {
            let found = self.parameters.iter().find(|(_, known)| **known == scalar);
            found.map(|(parameter, _)| *parameter)
        });
        let scalars = scalars.collect();
        (kernel, scalars)
    }

    fn emit(&mut self, exprs: &Arena<Expr>, id: ExprId, values: &BTreeMap<ExprId, ValueId>) -> ValueId {
        let expr = &exprs[id];
        let value = |operand: &ExprId| values[operand];
        match &expr.kind {
            ExprKind::Number(number) => self.builder.real(Type::F64, *number),
            ExprKind::Integer(number) => self.builder.int(*number),
            ExprKind::Boolean(condition) => self.builder.boolean(*condition),
            ExprKind::Load { variable, element } => {
                let name = format!("p{}_{element}", variable.index());
                let known = self.parameters.get(&(*variable, *element)).copied();
                let scalar = known.unwrap_or_else(|| self.builder.add_scalar(name, Type::F64));
                self.parameters.insert((*variable, *element), scalar);
                self.builder.scalar(scalar)
            }
            ExprKind::Builtin(Builtin::Dt) => self.step_length(),
            ExprKind::Unary(op, a) => self.builder.unary(words::unary(*op), value(a)),
            ExprKind::Binary(op, a, b) => self.builder.binary(words::binary(*op), value(a), value(b)),
            ExprKind::Compare(comparison, a, b) => {
                self.builder.compare(words::compare(*comparison), value(a), value(b))
            }
            ExprKind::Select(condition, a, b) => self.builder.select(value(condition), value(a), value(b)),
            ExprKind::Gate(condition, a) => {
                let zero = self.zero(self.builder.ty(value(a)));
                self.builder.select(value(condition), value(a), zero)
            }
            ExprKind::Math(function, arguments) => {
                let arguments = arguments.iter().map(value).collect();
                self.builder.op(Type::F64, Op::Math(*function, arguments))
            }
            ExprKind::Convert(a) => self.convert(value(a), expr.ty),
            ExprKind::Local(_)
            | ExprKind::Builtin(_)
            | ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Widen(_)
            | ExprKind::Past { .. } => crate::ice!("{:?} does not belong to a prologue", expr.kind),
        }
    }

    fn convert(&mut self, value: ValueId, ty: ir::Type) -> ValueId {
        let to = match ty {
            ir::Type::Wide | ir::Type::Real => Type::F64,
            ir::Type::Int => Type::I64,
            ir::Type::Bool => Type::Bool,
        };
        let from = self.builder.ty(value);
        match to {
            _ if from == to => value,
            Type::Bool => {
                let zero = self.zero(from);
                self.builder.compare(Compare::NotEqual, value, zero)
            }
            Type::F32 | Type::F64 | Type::I32 | Type::I64 => {
                self.builder.convert(Conversion::Value, to, value)
            }
        }
    }

    fn zero(&mut self, ty: Type) -> ValueId {
        match ty {
            Type::F32 | Type::F64 => self.builder.real(ty, 0.0),
            Type::I32 => self.builder.word(0),
            Type::I64 => self.builder.int(0),
            Type::Bool => self.builder.boolean(false),
        }
    }
}
