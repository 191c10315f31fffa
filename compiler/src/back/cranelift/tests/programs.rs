//! Every kernel of the programs of the stories, on memory with all special values: the interpreter's bits.

use super::*;
use crate::ir::BatchReduction;
use crate::kernel::{Precision, Side};
use crate::plan::program::{Action, Launch, Program, Role, ScalarSource, Section};
use crate::tests::topologies::group;
use crate::topology::{Counts, Kind, Tables, Topology};

fn scalar(source: ScalarSource, ty: Type, counts: &Counts) -> u64 {
    let real = |value: f64| match ty {
        Type::F32 => u64::from((value as f32).to_bits()),
        Type::F64 => value.to_bits(),
        Type::Bool => u64::from(value > 0.3),
        Type::I32 | Type::I64 => value as u64,
    };
    match source {
        // The length of a ring, or a delay in steps.
        ScalarSource::Prologue(_) if ty == Type::I64 => 3,
        ScalarSource::Prologue(place) => real(0.37 * (place % 5) as f64),
        ScalarSource::Time => real(7.0),
        ScalarSource::Count(of) => counts.get(of),
        ScalarSource::Step => 7,
        ScalarSource::Seed => 0x1234_5678_9abc_def0,
        ScalarSource::Run => 1,
        ScalarSource::EventCount(Side::Pre) => 2,
        ScalarSource::EventCount(Side::Post) => 3,
        ScalarSource::Constant(value) => value,
        ScalarSource::Head(_) => 1,
    }
}

fn bits_of(entry: i64, ty: Type) -> u64 {
    if ty == Type::I32 { u64::from(entry as u32) } else { entry as u64 }
}

fn launches<'a>(actions: &'a [Action], found: &mut Vec<&'a Launch>) {
    for action in actions {
        match action {
            Action::Launch(launch) => found.push(launch),
            Action::Clear(_) => {}
            Action::Choose(alternatives) => {
                alternatives.iter().for_each(|alternative| launches(&alternative.actions, found));
            }
        }
    }
}

fn check(program: &Program, isa: &Isa, topology: &Topology, batch: usize) -> usize {
    let counts = Counts::new(topology, batch).expect("a small group");
    let tables = Tables::new(topology);
    let sections = program.schedules.iter().map(|(_, section)| section);
    let sections = sections.chain(program.calls.iter().map(|(_, section)| section));
    let sections = sections.chain(program.commit.iter().map(|commit| &commit.section));
    let sections: Vec<&Section> = sections.chain([&program.create, &program.step]).collect();
    let mut found = Vec::new();
    sections.iter().for_each(|section| launches(&section.actions, &mut found));
    for launch in &found {
        let kernel = &program.kernels[launch.kernel];
        let declared = kernel.scalars.iter().zip(&launch.scalars);
        let scalars: Vec<u64> = declared.map(|((_, of), &source)| scalar(source, of.ty, &counts)).collect();
        let length = |extents: &[Extent]| -> u64 {
            let one = |extent: &Extent| match extent {
                Extent::Constant(length) => *length,
                Extent::Scalar(scalar) => scalars[scalar.index()],
            };
            extents.iter().map(one).product()
        };
        let role = |id: BufferId| program.storages[launch.buffers[id.index()]].role;
        let array = |(id, buffer): (BufferId, &Buffer)| match (buffer.kind, role(id)) {
            (BufferKind::EventList(_), _) => Array::new(buffer.ty, (0..length(&buffer.shape)).collect()),
            // The list of the neurons that spike in a batch, and its length.
            (BufferKind::Scratch, _) if buffer.ty == Type::I32 => {
                Array::new(buffer.ty, (0..length(&buffer.shape)).collect())
            }
            (BufferKind::Scratch, _) if buffer.ty == Type::I64 && buffer.shape == [Extent::Constant(1)] => {
                Array::new(buffer.ty, vec![3])
            }
            (_, Role::Index(of)) => Array::new(
                buffer.ty,
                tables.get(of).into_iter().map(|entry| bits_of(entry, buffer.ty)).collect(),
            ),
            _ => samples(buffer.ty, length(&buffer.shape) as usize, id.index() as u64 + 3),
        };
        let arrays: Vec<Array> = kernel.buffers.iter().map(array).collect();
        let blocks = length(&kernel.space.items).div_ceil(u64::from(kernel.space.per_block));
        let expected = interpret(kernel, &arrays, &scalars, blocks);
        let compiled = run_with(kernel, (isa, &JitOptions::default()), &arrays, &scalars, blocks);
        for ((id, buffer), (a, b)) in kernel.buffers.iter().zip(compiled.iter().zip(&expected)) {
            assert_same(&format!("{} {} ({id:?})", kernel.name, buffer.name), a, b);
        }
    }
    found.len()
}

/// All stories that a kind carries out; every other one in the other precision: the operations are the same.
fn compiled(kind: Kind, batch: usize) -> usize {
    let isa = Isa::host().unwrap();
    let mut checked = 0;
    for (number, (title, text)) in crate::tests::stories().into_iter().enumerate() {
        let (library, _) = crate::library::Library::load("story.rule", text, &crate::library::NoImports);
        let mut rule = library.elaborate(None, &crate::library::Settings::default()).expect(title).rule;
        rule.batch = rule.batch.or((batch > 1).then_some(BatchReduction::Sum));
        let precision = if number % 2 == 0 { Precision::F32 } else { Precision::F64 };
        let options = crate::plan::Options {
            precision,
            topology: kind,
            batched: batch > 1,
            tiles: true,
            ..crate::plan::Options::default()
        };
        let Ok(program) = crate::plan::compile(&rule, &options) else { continue };
        let topology = match kind {
            // Several vectors, and a rest.
            Kind::Dense => Topology::Dense { pre: 5, post: 37 },
            Kind::OneToOne => Topology::OneToOne { count: 37 },
            kind => group(kind, number % 2),
        };
        checked += check(&program, &isa, &topology, batch);
    }
    checked
}

#[test]
fn stories_compile_to_the_interpreter_s_bits() {
    assert!(compiled(Kind::Dense, 1) > 200);
}

#[test]
fn stories_compile_on_every_topology() {
    for kind in [Kind::OneToOne, Kind::Sparse, Kind::Conv2d, Kind::Local2d] {
        assert!(compiled(kind, 1) > 100, "{}", kind.word());
    }
}

#[test]
fn stories_compile_in_batches() {
    for kind in Kind::ALL {
        assert!(compiled(kind, 3) > 100, "{}", kind.word());
    }
}
