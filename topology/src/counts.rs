//! The numbers of a topology that launches and arrays are sized by.

use super::{Side, Topology};

/// Rows of a block of a sum over the pre axis.
const SUM_BLOCK: u64 = 256;

/// Numbers that the group's topology gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Count {
    /// Presynaptic neurons.
    Pre,
    /// Postsynaptic neurons.
    Post,
    /// Synapses.
    Synapses,
    /// Input channels.
    PreChannels,
    /// Output channels.
    PostChannels,
    /// Elements of the batch.
    Batch,
    /// Blocks of 256 presynaptic neurons: ceil(pre / 256).
    PreBlocks,
    /// Blocks of 256 postsynaptic neurons: ceil(post / 256).
    PostBlocks,
    /// (pre, post) pairs of a synapse.
    Pairs,
    /// Presynaptic neurons and one.
    RowEnds,
    /// Postsynaptic neurons and one.
    ColumnEnds,
    /// Synapses of a kernel: input channels of a group · height · width.
    Kernel,
    /// Synapses of a kernel for one input channel: height · width.
    KernelArea,
    /// Positions of an output channel.
    Positions,
    /// Rows of the input image.
    InputHeight,
    /// Columns of the input image.
    InputWidth,
    /// Output channels of a group.
    OutputsPerGroup,
    /// Entries of the lists of positions that see a presynaptic neuron.
    Entries,
    /// Rows of a panel of factors of a deep product over the batch: what suits the processor. No result depends on it.
    PanelRows,
    /// Columns of such a panel.
    PanelColumns,
}

/// The numbers of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pre: u64,
    post: u64,
    synapses: u64,
    pre_channels: u64,
    post_channels: u64,
    batch: u64,
    kernel: u64,
    kernel_area: u64,
    positions: u64,
    pairs: u64,
    input_height: u64,
    input_width: u64,
    outputs_per_group: u64,
    entries: u64,
    panel: [u64; 2],
}

impl Counts {
    /// Rows and columns of a panel of factors, where nothing is known about the processor.
    pub const PANEL: [usize; 2] = [16, 32];
    /// The most rows that a panel may have.
    pub const PANEL_ROWS: usize = 16;

    /// Of a topology and a batch; `None` where a number does not fit.
    pub fn new(topology: &Topology, batch: usize) -> Option<Self> {
        let (pre, post) = (topology.pre(), topology.post());
        // Event lists and kernels count neurons in 31 bits.
        let fits = |count: usize| i32::try_from(count).is_ok();
        let synapses = topology.synapses().filter(|&synapses| isize::try_from(synapses).is_ok())?;
        let batched = [pre, post, synapses]
            .into_iter()
            .all(|count| count.checked_mul(batch).is_some_and(|all| isize::try_from(all).is_ok()));
        if !fits(pre) || !fits(post) || !fits(batch) || !batched {
            return None;
        }
        let shape = match topology {
            Topology::Conv2d(shape) | Topology::Local2d(shape) => Some(shape),
            Topology::Dense { .. } | Topology::OneToOne { .. } | Topology::Sparse(_) => None,
        };
        let of = |value: fn(&super::Convolution) -> usize| shape.map_or(1, |shape| value(shape) as u64);
        let pairs = match topology {
            Topology::Conv2d(shape) => shape.positions() as u64,
            Topology::Dense { .. }
            | Topology::OneToOne { .. }
            | Topology::Sparse(_)
            | Topology::Local2d(_) => 1,
        };
        Some(Self {
            pre: pre as u64,
            post: post as u64,
            synapses: synapses as u64,
            pre_channels: topology.channels(Side::Pre) as u64,
            post_channels: topology.channels(Side::Post) as u64,
            batch: batch as u64,
            kernel: of(super::Convolution::kernel),
            kernel_area: of(|shape| shape.kernel_size()[0] * shape.kernel_size()[1]),
            positions: of(super::Convolution::positions),
            pairs,
            input_height: of(|shape| shape.input_size()[0]),
            input_width: of(|shape| shape.input_size()[1]),
            outputs_per_group: of(super::Convolution::outputs_per_group),
            entries: shape.map_or(Some(1), super::tables::entries)?,
            panel: Self::PANEL.map(|length| length as u64),
        })
    }

    /// With panels of factors of so many rows, and of so many columns.
    ///
    /// # Panics
    /// If these are more than [`Counts::PANEL_ROWS`], or no part of a block of 256 columns.
    #[must_use]
    pub fn with_panel(self, [rows, columns]: [usize; 2]) -> Self {
        assert!((1..=Self::PANEL_ROWS).contains(&rows), "a panel of {rows} rows");
        assert!(columns > 0 && 256 % columns == 0, "a panel of {columns} columns");
        Self { panel: [rows as u64, columns as u64], ..self }
    }

    /// One of them.
    pub fn get(&self, count: Count) -> u64 {
        match count {
            Count::Pre => self.pre,
            Count::Post => self.post,
            Count::Synapses => self.synapses,
            Count::PreChannels => self.pre_channels,
            Count::PostChannels => self.post_channels,
            Count::Batch => self.batch,
            Count::PreBlocks => self.pre.div_ceil(SUM_BLOCK),
            Count::PostBlocks => self.post.div_ceil(SUM_BLOCK),
            Count::Pairs => self.pairs,
            Count::RowEnds => self.pre + 1,
            Count::ColumnEnds => self.post + 1,
            Count::Kernel => self.kernel,
            Count::KernelArea => self.kernel_area,
            Count::Positions => self.positions,
            Count::InputHeight => self.input_height,
            Count::InputWidth => self.input_width,
            Count::OutputsPerGroup => self.outputs_per_group,
            Count::Entries => self.entries,
            Count::PanelRows => self.panel[0],
            Count::PanelColumns => self.panel[1],
        }
    }

    /// Neurons of a side.
    pub fn side(&self, side: Side) -> usize {
        match side {
            Side::Pre => self.pre as usize,
            Side::Post => self.post as usize,
        }
    }
}
