//! Words of the rule IR in the kernel IR.

use super::program::{Count, Role, Size, Storage};
use super::stage::Place;
use crate::ir;
use crate::kernel::{self, Binary, BufferKind, Compare, Side, Unary};

/// How a type is told apart in a name.
pub(super) fn type_suffix(ty: kernel::Type) -> &'static str {
    match ty {
        kernel::Type::F32 => "f32",
        kernel::Type::F64 => "f64",
        kernel::Type::I32 => "i32",
        kernel::Type::I64 => "i64",
        kernel::Type::Bool => "bool",
    }
}

/// The name of a count as a scalar.
pub(super) fn count_name(count: Count) -> &'static str {
    match count {
        Count::Pre => "n_pre",
        Count::Post => "n_post",
        Count::Synapses => "n_synapses",
        Count::PreChannels => "n_pre_channels",
        Count::PostChannels => "n_post_channels",
        Count::Batch => "n_batch",
        Count::PreBlocks => "n_pre_blocks",
        Count::Pairs => "n_pairs",
    }
}

/// What a storage holds, for a kernel.
pub(super) fn buffer_kind(storage: &Storage, rule: &ir::Rule) -> BufferKind {
    let of = |place| match place {
        Place::Global => BufferKind::Global,
        Place::Pre => BufferKind::Neuron(Side::Pre),
        Place::Post => BufferKind::Neuron(Side::Post),
        Place::Synapse => BufferKind::Synapse,
    };
    match storage.role {
        Role::Variable(variable) => of(Place::of(rule.variables[variable].shape.domain)),
        Role::Draws(site) => of(Place::of(rule.sites[site].shape.domain)),
        Role::Events(side) => BufferKind::EventList(side),
        Role::Spikes(side) => BufferKind::EventBitmap(side),
        Role::Scratch if storage.shape.first() == Some(&Size::Count(Count::PreBlocks)) => {
            BufferKind::Partials
        }
        Role::Scratch => BufferKind::Scratch,
    }
}

/// The kernel's operation.
pub(super) fn unary(op: ir::UnaryOp) -> Unary {
    match op {
        ir::UnaryOp::Negate => Unary::Negate,
        ir::UnaryOp::Not => Unary::Not,
        ir::UnaryOp::Abs => Unary::Abs,
        ir::UnaryOp::Sqrt => Unary::Sqrt,
        ir::UnaryOp::Floor => Unary::Floor,
        ir::UnaryOp::Round => Unary::Nearest,
    }
}

/// The kernel's operation.
pub(super) fn binary(op: ir::BinaryOp) -> Binary {
    match op {
        ir::BinaryOp::Add => Binary::Add,
        ir::BinaryOp::Subtract => Binary::Subtract,
        ir::BinaryOp::Multiply => Binary::Multiply,
        ir::BinaryOp::Divide => Binary::Divide,
        ir::BinaryOp::Remainder => Binary::Remainder,
        ir::BinaryOp::Min => Binary::Min,
        ir::BinaryOp::Max => Binary::Max,
        ir::BinaryOp::And => Binary::And,
        ir::BinaryOp::Or => Binary::Or,
    }
}

/// The kernel's comparison.
pub(super) fn compare(op: ir::Comparison) -> Compare {
    match op {
        ir::Comparison::Equal => Compare::Equal,
        ir::Comparison::NotEqual => Compare::NotEqual,
        ir::Comparison::Less => Compare::Less,
        ir::Comparison::LessEqual => Compare::LessEqual,
        ir::Comparison::Greater => Compare::Greater,
        ir::Comparison::GreaterEqual => Compare::GreaterEqual,
    }
}
