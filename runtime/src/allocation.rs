//! Proves that `step` and `run` allocate nothing: an allocator that counts, for each thread, what it is asked for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ndarray::Array2;

use crate::sample::stdp;
use crate::{Device, Engine, Events, Group, Inputs, Precision, Recorder, Train};

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches only this thread's cell, which
// needs no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
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
