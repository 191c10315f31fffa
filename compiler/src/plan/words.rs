//! Words of the rule IR in the kernel IR.

use super::layout::{Layout, Where};
use super::program::{Count, Role, Size, Storage, Table};
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
        Count::PostBlocks => "n_post_blocks",
        Count::Pairs => "n_pairs",
        Count::RowEnds => "n_row_ends",
        Count::ColumnEnds => "n_column_ends",
        Count::Kernel => "n_kernel",
        Count::KernelArea => "n_kernel_area",
        Count::Positions => "n_positions",
        Count::InputHeight => "input_height",
        Count::InputWidth => "input_width",
        Count::OutputsPerGroup => "n_outputs_per_group",
        Count::Entries => "n_entries",
        Count::PanelRows => "n_panel_rows",
        Count::PanelColumns => "n_panel_columns",
    }
}

/// A count in words.
pub(super) fn count_words(count: Count) -> &'static str {
    match count {
        Count::Pre => "pre",
        Count::Post => "post",
        Count::Synapses => "synapses",
        Count::PreChannels => "pre channels",
        Count::PostChannels => "post channels",
        Count::Batch => "batch",
        Count::PreBlocks => "blocks of 256 pre",
        Count::PostBlocks => "blocks of 256 post",
        Count::Pairs => "pairs",
        Count::RowEnds => "pre + 1",
        Count::ColumnEnds => "post + 1",
        Count::Kernel => "kernel",
        Count::KernelArea => "kernel area",
        Count::Positions => "positions",
        Count::InputHeight => "input height",
        Count::InputWidth => "input width",
        Count::OutputsPerGroup => "output channels of a group",
        Count::Entries => "positions · kernel",
        Count::PanelRows => "rows of a panel",
        Count::PanelColumns => "columns of a panel",
    }
}

/// The name of a table as an array.
pub(super) fn table_name(table: Table) -> &'static str {
    match table {
        Table::RowStart => "%row_start",
        Table::Column => "%column",
        Table::ColumnStart => "%column_start",
        Table::ColumnRow => "%column_row",
        Table::ColumnSynapse => "%column_synapse",
        Table::FirstInput => "%first_input",
        Table::InputStart => "%input_start",
        Table::KernelChannel => "%kernel_channel",
        Table::KernelY => "%kernel_y",
        Table::KernelX => "%kernel_x",
        Table::KernelOffset => "%kernel_offset",
        Table::PositionY => "%position_y",
        Table::PositionX => "%position_x",
        Table::PositionOffset => "%position_offset",
        Table::PreChannel => "%pre_channel",
        Table::PostChannel => "%post_channel",
        Table::PostPosition => "%post_position",
        Table::FirstOutput => "%first_output",
        Table::KernelStart => "%kernel_start",
        Table::EntryStart => "%entry_start",
        Table::EntryPosition => "%entry_position",
        Table::EntryKernel => "%entry_kernel",
    }
}

/// What a storage holds, for a kernel.
pub(super) fn buffer_kind(storage: &Storage, rule: &ir::Rule, layout: Layout) -> BufferKind {
    let of = |shape: ir::Shape| match layout.place(shape).at {
        _ if shape.domain == ir::Domain::Synapse => BufferKind::Synapse,
        Where::Global if shape.batched && layout.batched => BufferKind::Batch,
        Where::Global => BufferKind::Global,
        Where::PreChannel => BufferKind::Channel(Side::Pre),
        Where::PostChannel => BufferKind::Channel(Side::Post),
        Where::Pre => BufferKind::Neuron(Side::Pre),
        Where::Post => BufferKind::Neuron(Side::Post),
        Where::Synapse => BufferKind::Synapse,
    };
    match storage.role {
        Role::Variable(variable) => of(rule.variables[variable].shape),
        Role::Draws(site) => of(rule.sites[site].shape),
        Role::Events(side) => BufferKind::EventList(side),
        Role::Spikes(side) => BufferKind::EventBitmap(side),
        Role::Scratch if is_partials(&storage.shape) => BufferKind::Partials,
        Role::Scratch => BufferKind::Scratch,
        Role::Index(_) => BufferKind::Index,
        Role::Ring(_) | Role::History(_) => BufferKind::DelayRing,
        Role::Carried(_) => BufferKind::Neuron(Side::Pre),
        Role::View(_) => BufferKind::Synapse,
        Role::EventHistory(side) | Role::EventCounts(side) => BufferKind::EventHistory(side),
        Role::Marks => BufferKind::Marks,
    }
}

/// Whether an array has a number for each block of a sum; panels of factors have so many for each.
fn is_partials(shape: &[Size]) -> bool {
    shape.contains(&Size::Count(Count::PreBlocks)) && !matches!(shape.last(), Some(Size::Constant(_)))
}

/// The kernel's operation.
pub(crate) fn unary(op: ir::UnaryOp) -> Unary {
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
pub(crate) fn binary(op: ir::BinaryOp) -> Binary {
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
pub(crate) fn compare(op: ir::Comparison) -> Compare {
    match op {
        ir::Comparison::Equal => Compare::Equal,
        ir::Comparison::NotEqual => Compare::NotEqual,
        ir::Comparison::Less => Compare::Less,
        ir::Comparison::LessEqual => Compare::LessEqual,
        ir::Comparison::Greater => Compare::Greater,
        ir::Comparison::GreaterEqual => Compare::GreaterEqual,
    }
}
