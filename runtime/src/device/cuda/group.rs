//! A group's arrays and launches on a GPU.
//!
//! The arrays live there. Each has a counterpart of the host, which is brought up to date when the host looks at it, and
//! sent over before the next launch where the host has changed it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aplysia_compiler::back::cuda::{self, CudaKernel};
use aplysia_compiler::ice;
use aplysia_compiler::kernel::{Access, Extent, Kernel, Type};
use aplysia_compiler::plan::program::{self, Action, Program, ScalarSource, Section};
use aplysia_compiler::valid::kernel::validate;

use super::cache;
use super::driver::{Bytes, Function, Module, Stream};
use crate::device::launch::{Moment, Sizes, scalar};
use crate::device::memory::Memory;
use crate::error::{Error, Result};

/// Which of an array's two sides is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newer {
    Neither,
    Host,
    Gpu,
}

/// A group's arrays on a GPU, and its kernels.
pub(crate) struct OnGpu {
    pub(super) stream: Arc<Stream>,
    pub(super) arrays: Vec<Bytes>,
    newer: Vec<Newer>,
    /// The arrays that some kernel writes, or that are cleared.
    written: BTreeSet<usize>,
    /// The scalars of all launches, on the GPU and as they will be there next.
    pub(super) slots: Bytes,
    pub(super) image: Vec<u64>,
    taken: AtomicUsize,
    module: Arc<Module>,
    kernels: Vec<CudaKernel>,
}

/// A launch that is bound to memory.
pub(crate) struct Launch {
    name: String,
    function: Function,
    threads: u32,
    grid: u32,
    pointers: Box<[u64]>,
    first_slot: usize,
    sources: Box<[(ScalarSource, Type)]>,
    items: Box<[Extent]>,
    per_block: u64,
}

impl OnGpu {
    /// Allocates the arrays as those of the host are, and compiles the kernels.
    pub(crate) fn new(program: &Program, memory: &[Memory], stream: &Arc<Stream>) -> Result<Self> {
        let mut kernels = Vec::with_capacity(program.kernels.len());
        for (_, kernel) in program.kernels.iter() {
            let info = match validate(kernel) {
                Ok(info) => info,
                Err(faults) => ice!("kernel `{}` is not valid: {}", kernel.name, faults.join("; ")),
            };
            let text = cuda::kernel(kernel, &info);
            kernels.push(text.map_err(|error| Error::BadDevice { reason: error.to_string() })?);
        }
        stream.context.bind()?;
        let module = cache::module(&stream.context, &cuda::module(&kernels))?;
        let mut arrays = Vec::with_capacity(memory.len());
        for (array, (_, storage)) in memory.iter().zip(program.storages.iter()) {
            arrays.push(Bytes::zeroed(stream, array.bytes_len(), &storage.name)?);
        }
        let newer = program.storages.iter().map(|(_, storage)| match storage.role {
            program::Role::Index(_) => Newer::Host,
            program::Role::Variable(_)
            | program::Role::Events(_)
            | program::Role::Spikes(_)
            | program::Role::Scratch
            | program::Role::Draws(_)
            | program::Role::Ring(_)
            | program::Role::EventHistory(_)
            | program::Role::EventCounts(_)
            | program::Role::History(_)
            | program::Role::Carried(_)
            | program::Role::View(_)
            | program::Role::Marks => Newer::Neither,
        });
        let mut needs = Needs::default();
        let commit = program.commit.as_ref().map(|commit| &commit.section);
        let sections = [&program.create, &program.step].into_iter().chain(commit);
        let sections = sections.chain(program.schedules.iter().map(|(_, section)| section));
        for section in sections.chain(program.calls.iter().map(|(_, section)| section)) {
            needs.section(program, section);
        }
        Ok(Self {
            newer: newer.collect(),
            arrays,
            written: needs.written,
            slots: Bytes::zeroed(stream, needs.slots * 8, "the scalars")?,
            image: vec![0; needs.slots],
            taken: AtomicUsize::new(0),
            stream: Arc::clone(stream),
            module,
            kernels,
        })
    }

    /// Binds a launch.
    pub(crate) fn bind(
        &self,
        launch: &program::Launch,
        kernel: &Kernel,
        sizes: &Sizes<'_>,
    ) -> Result<Launch> {
        let text = &self.kernels[launch.kernel.index()];
        for (at, storage) in launch.buffers.iter().enumerate() {
            if launch.buffers[..at].contains(storage) {
                ice!("`{}` has an array twice, which its kernel takes for two", kernel.name);
            }
        }
        let first_slot = self.taken.fetch_add(launch.scalars.len() + 1, Ordering::Relaxed);
        let mut pointers: Vec<u64> =
            launch.buffers.iter().map(|storage| self.arrays[storage.index()].pointer).collect();
        pointers.push(self.slots.pointer + first_slot as u64 * 8);
        let length = |extent: &Extent| match *extent {
            Extent::Constant(length) => length,
            Extent::Scalar(scalar) => match launch.scalars[scalar.index()] {
                ScalarSource::Count(count) => sizes.counts.get(count),
                ScalarSource::EventCount(side) => sizes.counts.side(side) as u64,
                ScalarSource::Prologue(place) => sizes.get(program::Size::Prologue(place)),
                ScalarSource::Constant(value) => value,
                ScalarSource::Step
                | ScalarSource::Time
                | ScalarSource::Seed
                | ScalarSource::Run
                | ScalarSource::Head(_) => 1,
            },
        };
        let items: u64 = kernel.space.items.iter().map(length).fold(1, u64::saturating_mul);
        let per_block = u64::from(kernel.space.per_block).max(1);
        let elements = kernel
            .buffers
            .iter()
            .map(|(_, buffer)| buffer.shape.iter().map(length).fold(1, u64::saturating_mul));
        let elements = elements.max().unwrap_or(1);
        let types = kernel.scalars.iter().map(|(_, scalar)| scalar.ty);
        Ok(Launch {
            name: kernel.name.clone(),
            function: self.module.function(&text.symbol)?,
            threads: text.threads,
            grid: text.grid(items.div_ceil(per_block), elements, self.stream.context.resident),
            pointers: pointers.into(),
            first_slot,
            sources: launch.scalars.iter().copied().zip(types).collect(),
            items: kernel.space.items.clone().into(),
            per_block,
        })
    }

    /// Brings the host's side of an array up to date.
    pub(crate) fn fetch(&mut self, storage: usize, memory: &mut Memory) -> Result<()> {
        if self.newer[storage] == Newer::Gpu {
            self.arrays[storage].download(memory.bytes_mut())?;
            self.newer[storage] = Newer::Neither;
        }
        Ok(())
    }

    /// Notes that the host has changed its side of an array.
    pub(crate) fn changed(&mut self, storage: usize) {
        self.newer[storage] = Newer::Host;
    }

    /// Sends what the host has changed.
    pub(super) fn send(&mut self, memory: &[Memory]) -> Result<()> {
        for (storage, newer) in self.newer.iter_mut().enumerate() {
            if *newer == Newer::Host {
                self.arrays[storage].upload(memory[storage].bytes())?;
                *newer = Newer::Neither;
            }
        }
        Ok(())
    }

    /// Bytes of its arrays.
    pub(super) fn bytes(&self) -> usize {
        self.arrays.iter().map(Bytes::length).sum()
    }

    /// Notes that kernels have run.
    pub(super) fn ran(&mut self) {
        for &storage in &self.written {
            self.newer[storage] = Newer::Gpu;
        }
    }

    /// Sends the scalars of all launches.
    pub(super) fn send_slots(&self) -> Result<()> {
        let bytes: Vec<u8> = self.image.iter().flat_map(|slot| slot.to_le_bytes()).collect();
        self.slots.upload(&bytes)
    }

    pub(super) fn clear(&self, storage: usize, stream: &Stream) -> Result<()> {
        self.arrays[storage].clear(stream)
    }
}

impl Launch {
    /// Writes the scalars and the number of blocks into the image of the slots.
    pub(super) fn fill(&self, moment: &Moment<'_>, image: &mut [u64]) {
        let own = &mut image[self.first_slot..][..=self.sources.len()];
        for (slot, &(source, ty)) in own.iter_mut().zip(&self.sources) {
            *slot = scalar(source, ty, moment);
        }
        let items = self.items.iter().map(|extent| match *extent {
            Extent::Constant(length) => length,
            Extent::Scalar(scalar) => own[scalar.index()],
        });
        let items: u64 = items.product();
        own[self.sources.len()] = items.div_ceil(self.per_block);
    }

    pub(super) fn enqueue(&self, stream: &Stream) -> Result<()> {
        let outcome = self.function.launch(stream, self.grid, self.threads, &self.pointers);
        outcome.map_err(|error| Error::BadDevice {
            reason: format!(
                "the kernel `{}` cannot be launched with {} thread blocks of {} threads: {error}",
                self.name, self.grid, self.threads
            ),
        })
    }
}

/// What all launches of a program need together.
#[derive(Default)]
struct Needs {
    slots: usize,
    written: BTreeSet<usize>,
}

impl Needs {
    fn section(&mut self, program: &Program, section: &Section) {
        self.actions(program, &section.actions);
    }

    fn actions(&mut self, program: &Program, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Launch(launch) => {
                    self.slots += launch.scalars.len() + 1;
                    let buffers = program.kernels[launch.kernel].buffers.iter();
                    let written =
                        buffers.zip(&launch.buffers).filter(|((_, buffer), _)| buffer.access != Access::Read);
                    self.written.extend(written.map(|(_, storage)| storage.index()));
                }
                Action::Clear(storage) => {
                    self.written.insert(storage.index());
                }
                Action::Choose(alternatives) => {
                    alternatives.iter().for_each(|alternative| self.actions(program, &alternative.actions));
                }
            }
        }
    }
}
