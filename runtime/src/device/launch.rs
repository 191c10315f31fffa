//! A launch that is bound to memory: everything looked up and checked, so that carrying it out is only filling in the
//! scalars and running the blocks.
//!
//! What is checked here, once, is what the compiled kernels rely on: every buffer of the kernel has the type of its
//! storage, and its declared shape, with the group's sizes put in, fits into the storage.

use aplysia_compiler::ice;
use aplysia_compiler::kernel::{BufferKind, Extent, Kernel, RowSet, Side as KernelSide, SpaceKind, Type};
use aplysia_compiler::plan::program::{self, Count, ScalarSource, Size};
use aplysia_compiler::topology::Counts;

use super::Threads;
use super::cpu::{self, Code};
use super::memory::Memory;
use crate::error::{Error, Result};

/// What the scalars of a launch come from.
pub(crate) struct Moment<'a> {
    pub(crate) prologue: &'a [f64],
    /// Grows with every change of the prologue; at least 1.
    pub(crate) version: u64,
    pub(crate) counts: &'a Counts,
    pub(crate) step: u64,
    /// In ms.
    pub(crate) dt: f64,
    pub(crate) seed: u64,
    pub(crate) run: u64,
    /// How many neurons of each side spike.
    pub(crate) spikes: [u64; 2],
}

/// What the lengths of a group's arrays come from.
pub(crate) struct Sizes<'a> {
    pub(crate) counts: &'a Counts,
    pub(crate) prologue: &'a [f64],
}

impl Sizes<'_> {
    /// The length of an axis.
    pub(crate) fn get(&self, size: Size) -> u64 {
        match size {
            Size::Constant(length) => length,
            Size::Count(count) => self.counts.get(count),
            Size::Prologue(place) => self.prologue(place),
        }
    }

    /// A whole number of the prologue; saturated.
    fn prologue(&self, place: usize) -> u64 {
        self.prologue[place] as u64
    }
}

/// A buffer of a launch, as kernels see it.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) pointer: *mut u8,
    pub(crate) elements: usize,
}

/// A launch that is bound to memory.
pub(crate) struct BoundLaunch {
    code: Code,
    views: Box<[View]>,
    pointers: Box<[*mut u8]>,
    slots: Box<[u64]>,
    sources: Box<[(ScalarSource, Type)]>,
    /// The slots whose values differ from step to step.
    varying: Box<[usize]>,
    /// The version of the prologue that the other slots are of.
    version: u64,
    items: Box<[Extent]>,
    per_block: u64,
    work_per_item: u64,
}

// SAFETY: the pointers are those of the group's own `Memory`s, which are `Send` and `Sync` and live as long as the
// launch; a launch is carried out through `&mut`, and only its independent blocks go to other threads.
unsafe impl Send for BoundLaunch {}
// SAFETY: as above; nothing is reached through a shared reference.
unsafe impl Sync for BoundLaunch {}

impl BoundLaunch {
    /// Binds a launch of `kernel` to the group's memory.
    pub(crate) fn new(
        launch: &program::Launch,
        kernel: &Kernel,
        code: Code,
        memory: &[Memory],
        sizes: &Sizes<'_>,
        on: &str,
    ) -> Result<Self> {
        if launch.buffers.len() != kernel.buffers.len() || launch.scalars.len() != kernel.scalars.len() {
            ice!("a launch of `{}` does not fit its kernel", kernel.name);
        }
        let arrays: Vec<&Memory> = launch.buffers.iter().map(|&id| &memory[id.index()]).collect();
        for ((_, buffer), array) in kernel.buffers.iter().zip(&arrays) {
            if let kind @ BufferKind::SpikeRing(_) = buffer.kind {
                return Err(Error::NotSupported {
                    what: format!("a buffer of kind {kind:?}"),
                    on: on.into(),
                });
            }
            let largest = |extent: &Extent| match *extent {
                Extent::Constant(length) => length,
                Extent::Scalar(scalar) => largest(launch.scalars[scalar.index()], sizes, &kernel.name),
            };
            let needed = buffer.shape.iter().map(largest).try_fold(1u64, u64::checked_mul);
            if buffer.ty != array.ty() || needed.is_none_or(|needed| needed > array.len() as u64) {
                ice!("buffer `{}` of `{}` does not fit its storage", buffer.name, kernel.name);
            }
        }
        let views: Box<[View]> =
            arrays.iter().map(|array| View { pointer: array.pointer(), elements: array.len() }).collect();
        let types = kernel.scalars.iter().map(|(_, scalar)| scalar.ty);
        Ok(Self {
            code,
            pointers: views.iter().map(|view| view.pointer).collect(),
            views,
            slots: vec![0; launch.scalars.len()].into(),
            sources: launch.scalars.iter().copied().zip(types).collect(),
            varying: (0..launch.scalars.len()).filter(|&slot| varies(launch.scalars[slot])).collect(),
            version: 0,
            items: kernel.space.items.clone().into(),
            per_block: u64::from(kernel.space.per_block).max(1),
            work_per_item: work_per_item(kernel, sizes.counts),
        })
    }

    /// Carries it out.
    pub(crate) fn run(&mut self, moment: &Moment<'_>, threads: &Threads) {
        if self.version != moment.version {
            self.version = moment.version;
            for (slot, &(source, ty)) in self.slots.iter_mut().zip(&self.sources) {
                *slot = scalar(source, ty, moment);
            }
        } else {
            for &slot in &self.varying {
                let (source, ty) = self.sources[slot];
                self.slots[slot] = scalar(source, ty, moment);
            }
        }
        let slots = &self.slots;
        let count = |extent: &Extent| match *extent {
            Extent::Constant(length) => length,
            Extent::Scalar(scalar) => slots[scalar.index()],
        };
        let items: u64 = self.items.iter().map(count).product();
        let blocks = items.div_ceil(self.per_block);
        if blocks > 0 {
            let frame = cpu::Frame { pointers: &self.pointers, views: &self.views, slots: &self.slots };
            cpu::run(&self.code, frame, blocks, self.per_block.saturating_mul(self.work_per_item), threads);
        }
    }
}

/// The greatest value of a scalar that is a length.
fn largest(source: ScalarSource, sizes: &Sizes<'_>, kernel: &str) -> u64 {
    match source {
        ScalarSource::Count(count) => sizes.counts.get(count),
        ScalarSource::EventCount(side) => sizes.counts.side(side) as u64,
        // A length that the prologue computes is made of constants and dt, so it stays.
        ScalarSource::Prologue(place) => sizes.prologue(place),
        ScalarSource::Constant(value) => value,
        ScalarSource::Step
        | ScalarSource::Time
        | ScalarSource::Seed
        | ScalarSource::Run
        | ScalarSource::Head(_) => ice!("a length of `{kernel}` is not a count"),
    }
}

/// Whether a scalar may differ though no parameter has changed.
fn varies(source: ScalarSource) -> bool {
    match source {
        ScalarSource::Prologue(_) | ScalarSource::Count(_) | ScalarSource::Constant(_) => false,
        // A checkpoint brings its own seed.
        ScalarSource::Seed
        | ScalarSource::Time
        | ScalarSource::Step
        | ScalarSource::Run
        | ScalarSource::EventCount(_)
        | ScalarSource::Head(_) => true,
    }
}

/// The value of a scalar, in the low bytes of its slot.
pub(super) fn scalar(source: ScalarSource, ty: Type, moment: &Moment<'_>) -> u64 {
    match source {
        ScalarSource::Prologue(place) => real(moment.prologue[place], ty),
        ScalarSource::Time => real(moment.step as f64 * moment.dt, ty),
        ScalarSource::Count(count) => whole(moment.counts.get(count), ty),
        ScalarSource::Step => whole(moment.step, ty),
        ScalarSource::Constant(value) => whole(value, ty),
        ScalarSource::Seed => whole(moment.seed, ty),
        ScalarSource::Run => whole(moment.run, ty),
        ScalarSource::EventCount(KernelSide::Pre) => whole(moment.spikes[0], ty),
        ScalarSource::EventCount(KernelSide::Post) => whole(moment.spikes[1], ty),
        ScalarSource::Head(place) => whole(moment.step % (moment.prologue[place] as u64).max(1), ty),
    }
}

fn real(value: f64, ty: Type) -> u64 {
    match ty {
        Type::F32 => u64::from((value as f32).to_bits()),
        Type::F64 => value.to_bits(),
        Type::I32 => u64::from((value as i32) as u32),
        Type::I64 => (value as i64) as u64,
        Type::Bool => u64::from(value != 0.0),
    }
}

fn whole(value: u64, ty: Type) -> u64 {
    match ty {
        Type::F32 => u64::from((value as i64 as f32).to_bits()),
        Type::F64 => (value as i64 as f64).to_bits(),
        Type::I32 => value & 0xffff_ffff,
        Type::I64 => value,
        Type::Bool => u64::from(value != 0),
    }
}

/// Roughly how many synapses or neurons an item touches. It decides about threads, never about a value.
fn work_per_item(kernel: &Kernel, counts: &Counts) -> u64 {
    let mut kinds = kernel.buffers.iter().map(|(_, buffer)| (buffer.kind, buffer.shape.len()));
    let synaptic = kinds.any(|(kind, axes)| match kind {
        BufferKind::Synapse => true,
        // Values of neurons, one of many steps.
        BufferKind::DelayRing | BufferKind::EventHistory(_) => false,
        _ => axes > 1,
    });
    if !synaptic {
        return 1;
    }
    let items = counts.get(match kernel.space.kind {
        SpaceKind::Single => return counts.get(Count::Synapses).max(1),
        SpaceKind::Neurons(KernelSide::Pre) => Count::Pre,
        SpaceKind::Neurons(KernelSide::Post) | SpaceKind::Columns => Count::Post,
        SpaceKind::Channels(KernelSide::Pre) => Count::PreChannels,
        SpaceKind::Channels(KernelSide::Post) => Count::PostChannels,
        SpaceKind::Rows(RowSet::All | RowSet::Active | RowSet::Touched) => Count::Pre,
        SpaceKind::Synapses | SpaceKind::Pairs | SpaceKind::Tiles => Count::Synapses,
    });
    let pairs = counts.get(Count::Synapses).saturating_mul(counts.get(Count::Pairs));
    (pairs / items.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_converted_once() {
        assert_eq!(real(0.1, Type::F32), u64::from(0.1f32.to_bits()));
        assert_eq!(real(-1.5, Type::I64), -1i64 as u64);
        assert_eq!(real(2.0, Type::Bool), 1);
        assert_eq!(whole(u64::MAX, Type::I32), 0xffff_ffff);
        assert_eq!(whole(3, Type::F64), 3f64.to_bits());
    }

    #[test]
    fn lengths_come_from_counts_and_the_prologue() {
        let topology = aplysia_compiler::topology::Topology::Dense { pre: 300, post: 2 };
        let counts = Counts::new(&topology, 1).unwrap();
        let sizes = Sizes { counts: &counts, prologue: &[0.5, 21.0] };
        let lengths = [Size::Constant(4), Size::Count(Count::PreBlocks), Size::Prologue(1)];
        assert_eq!(lengths.map(|size| sizes.get(size)), [4, 2, 21]);
    }
}
