//! Which index tables there are.

use super::Count;

/// Index tables of a topology; starts are `I64`, others `I32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Sparse, `[pre + 1]`: the first synapse of each row.
    RowStart,
    /// Sparse, `[synapses]`: the postsynaptic neuron of a synapse.
    Column,
    /// Sparse, `[post + 1]`: the first entry of each column in the two tables that follow.
    ColumnStart,
    /// Sparse, `[synapses]`: the presynaptic neurons of a column, ascending.
    ColumnRow,
    /// Sparse, `[synapses]`: the synapses of a column.
    ColumnSynapse,
    /// Spatial, `[post channels]`: the first input channel of an output channel's group.
    FirstInput,
    /// Spatial, `[post channels]`: the first presynaptic neuron of an output channel's group.
    InputStart,
    /// Spatial, `[kernel]`: the input channel of a kernel index, within its group.
    KernelChannel,
    /// Spatial, `[kernel]`: how far down the kernel index looks, dilation included.
    KernelY,
    /// Spatial, `[kernel]`: how far to the right.
    KernelX,
    /// Spatial, `[kernel]`: how far both, and the channel, lie from the group's first presynaptic neuron.
    KernelOffset,
    /// Spatial, `[positions]`: the row of the image where a position begins; less than 0 in the padding.
    PositionY,
    /// Spatial, `[positions]`: the column.
    PositionX,
    /// Spatial, `[positions]`: both, as an offset into the image.
    PositionOffset,
    /// Spatial, `[pre]`: the channel of a neuron.
    PreChannel,
    /// Spatial, `[post]`: the channel of a neuron.
    PostChannel,
    /// Spatial, `[post]`: the position of a neuron in its channel.
    PostPosition,
    /// Spatial, `[pre channels]`: the first output channel of an input channel's group.
    FirstOutput,
    /// Spatial, `[pre channels]`: the first kernel index of an input channel.
    KernelStart,
    /// Spatial, `[pre + 1]`: the first entry of a presynaptic neuron in the two tables that follow, which hold for every
    /// output channel of its group.
    EntryStart,
    /// Spatial, `[entries]`: the positions that see a presynaptic neuron, ascending.
    EntryPosition,
    /// Spatial, `[entries]`: the kernel index through which they see it.
    EntryKernel,
}

impl Table {
    /// Whether its numbers are places in other arrays, which take 64 bits.
    pub fn is_wide(self) -> bool {
        matches!(self, Table::RowStart | Table::ColumnStart | Table::EntryStart)
    }

    /// Its length.
    pub fn length(self) -> Count {
        match self {
            Table::RowStart | Table::EntryStart => Count::RowEnds,
            Table::ColumnStart => Count::ColumnEnds,
            Table::Column | Table::ColumnRow | Table::ColumnSynapse => Count::Synapses,
            Table::FirstInput | Table::InputStart => Count::PostChannels,
            Table::KernelChannel | Table::KernelY | Table::KernelX | Table::KernelOffset => Count::Kernel,
            Table::PositionY | Table::PositionX | Table::PositionOffset => Count::Positions,
            Table::PreChannel => Count::Pre,
            Table::PostChannel | Table::PostPosition => Count::Post,
            Table::FirstOutput | Table::KernelStart => Count::PreChannels,
            Table::EntryPosition | Table::EntryKernel => Count::Entries,
        }
    }
}
