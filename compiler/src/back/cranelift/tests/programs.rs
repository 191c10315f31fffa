//! Every kernel of the programs of the stories, on memory with all special values: the interpreter's bits.

use super::*;
use crate::kernel::{Precision, Side};
use crate::plan::program::{Action, Count, Launch, Program, ScalarSource, Section};
use crate::topology::{Counts, Topology};

const PRE: usize = 5;
const POST: usize = 37;

fn count(count: Count) -> u64 {
    let topology = Topology::Dense { pre: PRE, post: POST };
    Counts::new(&topology, 1).expect("a small group").get(count)
}

fn scalar(source: ScalarSource, ty: Type) -> u64 {
    let real = |value: f64| match ty {
        Type::F32 => u64::from((value as f32).to_bits()),
        Type::F64 => value.to_bits(),
        Type::Bool => u64::from(value > 0.3),
        Type::I32 | Type::I64 => value as u64,
    };
    match source {
        ScalarSource::Prologue(place) => real(0.37 * (place % 5) as f64),
        ScalarSource::Time => real(7.0),
        ScalarSource::Count(of) => count(of),
        ScalarSource::Step => 7,
        ScalarSource::Seed => 0x1234_5678_9abc_def0,
        ScalarSource::Run => 1,
        ScalarSource::EventCount(Side::Pre) => 2,
        ScalarSource::EventCount(Side::Post) => 3,
        ScalarSource::Head(_) => 0,
    }
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

fn check(program: &Program, isa: &Isa) -> usize {
    let sections = program.schedules.iter().map(|(_, section)| section);
    let sections = sections.chain(program.calls.iter().map(|(_, section)| section));
    let sections = sections.chain(program.commit.iter().map(|commit| &commit.section));
    let sections: Vec<&Section> = sections.chain([&program.create, &program.step]).collect();
    let mut found = Vec::new();
    sections.iter().for_each(|section| launches(&section.actions, &mut found));
    for launch in &found {
        let kernel = &program.kernels[launch.kernel];
        let declared = kernel.scalars.iter().zip(&launch.scalars);
        let scalars: Vec<u64> = declared.map(|((_, of), &source)| scalar(source, of.ty)).collect();
        let length = |extents: &[Extent]| -> u64 {
            let one = |extent: &Extent| match extent {
                Extent::Constant(length) => *length,
                Extent::Scalar(scalar) => scalars[scalar.index()],
            };
            extents.iter().map(one).product()
        };
        let array = |(id, buffer): (BufferId, &Buffer)| match buffer.kind {
            BufferKind::EventList(_) => Array::new(buffer.ty, (0..length(&buffer.shape)).collect()),
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

#[test]
fn stories_compile_to_the_interpreter_s_bits() {
    let isa = Isa::host().unwrap();
    let mut checked = 0;
    for (number, (title, text)) in crate::tests::stories().into_iter().enumerate() {
        let (library, _) = crate::library::Library::load("story.rule", text, &crate::library::NoImports);
        let rule = library.elaborate(None, &crate::library::Settings::default()).expect(title).rule;
        // Every other one in the other precision: the operations are the same.
        let precision = if number % 2 == 0 { Precision::F32 } else { Precision::F64 };
        let options = crate::plan::Options { precision, ..crate::plan::Options::default() };
        checked += check(&crate::plan::compile(&rule, &options).expect(title), &isa);
    }
    assert!(checked > 200, "only {checked} launches");
}
