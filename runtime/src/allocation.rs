//! Proves that `step` and `run` allocate nothing, and that a group takes the memory of its arrays: an allocator that counts, for each thread, what it is asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ndarray::Array2;

use crate::sample::stdp;
use crate::{Device, Engine, Events, Group, Inputs, Precision, Recorder, Train};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread has asked for and not given back.
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches only this thread's cell, which
// needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        LIVE.set(LIVE.get() + layout.size() as i64);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - layout.size() as i64);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs `work` and gives the number of allocations of this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[cfg(feature = "jit")]
fn device(threads: usize) -> Device {
    Device::cpu_with_threads(threads).unwrap()
}

#[test]
fn the_count_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8]))), 1);
}

#[cfg(feature = "jit")]
#[test]
fn steps_and_runs_allocate_nothing() {
    for precision in [Precision::F32, Precision::F64] {
        let mut engine = Engine::new(device(1)).unwrap();
        let id = engine.register(Group::dense(300, 200).rule(&stdp()).precision(precision)).unwrap();
        let drive = engine.input(id, "drive").unwrap();
        let values = [0.5f32; 200];
        engine.set_input(id, &drive, &values).unwrap();
        // Creation comes with the first step and is not counted.
        engine.step(&[]).unwrap();
        let stepped = allocations(|| {
            for step in 0..200u32 {
                engine.set_input(id, &drive, &values).unwrap();
                let (pre, post) = ([step % 300], [step % 200]);
                engine.step(&[(id, Events::new().pre(&pre).post(&post))]).unwrap();
            }
        });
        assert_eq!(stepped, 0);
        let pre = Array2::from_shape_fn((50, 300), |(step, neuron)| (step + neuron) % 9 == 0);
        let series = Array2::from_elem((50, 200), 0.25f64);
        let inputs = Inputs::new().group(id, Train::new().pre(pre.view()).input(drive, series.view()));
        let checks = allocations(|| engine.run(0, &Inputs::new()).unwrap());
        assert_eq!(checks, 0);
        // What a run allocates to check its arrays does not grow with its steps.
        let long = allocations(|| engine.run(50, &inputs).unwrap());
        assert!(long < 10, "{long} allocations");
        let recorder = Recorder::new(["x"]).rows(100);
        engine.record(id, &recorder).unwrap();
        let recorded = allocations(|| (0..100).for_each(|_| engine.step(&[]).unwrap()));
        assert_eq!(recorded, 0);
    }
}

/// No weight is kept twice, and looking at weights copies none.
#[cfg(feature = "jit")]
#[test]
fn a_group_takes_the_memory_of_its_arrays() {
    // Less than a large page, which does not come from the allocator.
    let (pre, post) = (500, 900);
    let weights = 4 * (pre * post) as i64;
    // Whatever belongs to neurons, to the compiled rule and to the compiler's own work.
    let slack = 256 * 1024;
    let mut engine = Engine::new(device(1)).unwrap();
    let small = engine.register(Group::dense(2, 2).rule(&stdp())).unwrap();
    engine.set_input(small, "drive", &[0.5f32]).unwrap();
    let before = LIVE.get();
    let id = engine.register(Group::dense(pre, post).rule(&stdp()).init("w", 0.5)).unwrap();
    engine.set_input(id, "drive", &[0.5f32]).unwrap();
    engine.step(&[]).unwrap();
    let taken = LIVE.get() - before;
    assert!((weights..weights + slack).contains(&taken), "{taken} bytes for {weights} of weights");
    let arrays = engine.groups[id.index].machine.memory.iter();
    let arrays: usize = arrays.map(|array| array.bytes().len()).sum();
    assert!((arrays as i64) < weights + slack);
    let before = LIVE.get();
    let view = engine.read::<f32>(id, "w").unwrap();
    assert!(LIVE.get() - before < 4096);
    assert_eq!(view[[3, 4]], 0.5);
    // What the host gives as an array is kept for `reset`, once.
    let before = LIVE.get();
    let group = Group::dense(pre, post).rule(&stdp()).init("w", Array2::from_elem((pre, post), 0.25f32));
    engine.register(group).unwrap();
    let taken = LIVE.get() - before;
    assert!((2 * weights..2 * weights + slack).contains(&taken), "{taken} bytes for {weights} of weights");
}

/// Handing work to other threads goes through rayon's queue, which allocates a block for every 63 entries; nothing
/// else is allocated.
#[cfg(feature = "jit")]
#[test]
fn threads_cost_only_the_queue() {
    let mut engine = Engine::new(device(2)).unwrap();
    let id = engine.register(Group::dense(400, 400).rule(&stdp()).plan(crate::Plan::FullPass)).unwrap();
    engine.set_input(id, "drive", &[0.5f32]).unwrap();
    engine.step(&[]).unwrap();
    let count = allocations(|| (0..126).for_each(|_| engine.step(&[]).unwrap()));
    assert!(count <= 126 / 31, "{count} allocations");
}

#[cfg(feature = "macros")]
crate::plasticity! { use std::stdp; rule pairs = stdp; }
#[cfg(feature = "macros")]
crate::plasticity! {
    topologies = [dense], batch = true;
    use std::hebbian; use std::adam; use std::normalise;
    rule optimised = hebbian + adam + normalise;
}

/// A small group goes over rows and columns, a large one leaves rows behind.
#[cfg(feature = "macros")]
#[test]
fn steps_of_modules_allocate_nothing() {
    for size in [30, 1100] {
        let mut group = pairs::Group::dense(size, size, pairs::Params::default());
        let spikes: Vec<u32> = (0..size as u32).step_by(7).collect();
        group.step(&spikes, &());
        let stepped = allocations(|| {
            for step in 0..400 {
                group.step(&spikes[step % 3..], &spikes[step % 2..]);
            }
        });
        assert_eq!(stepped, 0);
        // The arrays of the module itself are read.
        let read = allocations(|| assert_eq!(group.w().len(), size * size));
        assert_eq!(read, 0);
    }
    let topology = aplysia_native::Dense { pre: 40, post: 300 };
    let builder = optimised::Builder::new(topology, optimised::Params::default()).batch(3);
    let mut group = builder.build().unwrap();
    group.set_z_pre(0.5);
    group.set_z_post(0.25);
    group.step(&(), &());
    assert_eq!(allocations(|| (0..20).for_each(|_| group.step(&(), &()))), 0);
}
