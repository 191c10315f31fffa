//! A program as text: what `explain` tells and `emit --target kernel` shows.

use std::fmt::Write as _;

use super::program::{Action, Condition, Count, Program, Role, Section, Size, Storage};
use super::words::count_words;
use crate::ir::When;

/// What the program does and why, for people.
pub fn explain(program: &Program) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} ({})", program.name, precision(program));
    for note in &program.notes {
        let _ = writeln!(out, "{}: {}", note.topic, note.text);
    }
    let _ = writeln!(out, "\nmemory");
    let _ = writeln!(out, "  {}", memory(program));
    for (_, storage) in program.storages.iter() {
        let _ = writeln!(out, "  {:<24} {:<5} {}", storage.name, type_word(storage), shape(storage));
    }
    section(&mut out, program, "create", &program.create);
    section(&mut out, program, "step", &program.step);
    if let Some(commit) = &program.commit {
        let when = match &commit.when {
            When::EveryStep => "in every step".to_string(),
            When::Every(_) => "when its period is due".to_string(),
            When::Call(name) => format!("on call {name}"),
        };
        section(&mut out, program, &format!("commit, {when}"), &commit.section);
    }
    for (k, (_, schedule)) in program.schedules.iter().enumerate() {
        section(&mut out, program, &format!("schedule {k}"), schedule);
    }
    for (name, call) in &program.calls {
        section(&mut out, program, &format!("call {name}"), call);
    }
    if let Some(lazy) = &program.lazy {
        match &lazy.view {
            Some(view) => {
                section(&mut out, program, "before somebody writes", &lazy.flush);
                section(&mut out, program, "before somebody looks", &view.section);
            }
            None => section(&mut out, program, "before somebody looks", &lazy.flush),
        }
    }
    out
}

/// All kernels of a program, in the order of the program.
pub fn kernels(program: &Program) -> String {
    let texts: Vec<String> =
        program.kernels.iter().map(|(_, kernel)| crate::kernel::print::print(kernel)).collect();
    texts.join("\n")
}

fn precision(program: &Program) -> &'static str {
    match program.precision {
        crate::kernel::Precision::F32 => "f32",
        crate::kernel::Precision::F64 => "f64",
    }
}

fn section(out: &mut String, program: &Program, title: &str, section: &Section) {
    if section.actions.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for action in &section.actions {
        self::action(out, program, action, 1);
    }
}

fn action(out: &mut String, program: &Program, action: &Action, depth: usize) {
    let indent = "  ".repeat(depth);
    match action {
        Action::Launch(launch) => {
            let kernel = &program.kernels[launch.kernel];
            let _ = writeln!(out, "{indent}{}: {}", kernel.name, kernel.docs.join("; "));
        }
        Action::Clear(storage) => {
            let _ = writeln!(out, "{indent}clear {}", program.storages[*storage].name);
        }
        Action::Choose(alternatives) => {
            for alternative in alternatives {
                let when = match alternative.condition {
                    Condition::Always => "otherwise".to_string(),
                    Condition::FewEvents { share, column_cost } if share.is_finite() => format!(
                        "where pre events · post + {column_cost} · post events · pre ≤ {share} · pre · post"
                    ),
                    Condition::FewEvents { .. } => "where nothing was written from outside".to_string(),
                };
                let _ = writeln!(out, "{indent}{when}: {}", alternative.name);
                for inner in &alternative.actions {
                    self::action(out, program, inner, depth + 1);
                }
            }
        }
    }
}

/// Bytes of each synapse and of each neuron, and of each again for every element of the batch.
fn memory(program: &Program) -> String {
    let (mut shared, mut batched) = ([0u64; 3], [0u64; 3]);
    for (_, storage) in program.storages.iter() {
        let Some(of) = counted_by(&storage.shape) else { continue };
        let constants = storage.shape.iter().map(|size| match size {
            Size::Constant(length) => *length,
            Size::Count(_) | Size::Prologue(_) => 1,
        });
        let bytes = constants.product::<u64>() * storage.ty.size() as u64;
        let in_batch = storage.shape.contains(&Size::Count(Count::Batch));
        let list = if in_batch { &mut batched } else { &mut shared };
        list[of] += bytes;
    }
    let mut texts = Vec::new();
    for (of, word) in ["a synapse", "a presynaptic neuron", "a postsynaptic neuron"].into_iter().enumerate() {
        let bytes = if texts.is_empty() { " bytes" } else { "" };
        let more = match batched[of] {
            0 => String::new(),
            more => format!(" and {more} for each element of the batch"),
        };
        texts.push(format!("{}{bytes} {word}{more}", shared[of]));
    }
    texts.join(", ")
}

/// Whether an array has a value for each synapse (0), presynaptic (1) or postsynaptic neuron (2); not what the past needs,
/// which depends on the step.
fn counted_by(shape: &[Size]) -> Option<usize> {
    let has = |count| shape.contains(&Size::Count(count));
    let looks_back = shape.iter().any(|size| matches!(size, Size::Prologue(_)));
    let others = [Count::PreBlocks, Count::RowEnds, Count::ColumnEnds, Count::Entries];
    if looks_back || others.into_iter().any(has) {
        return None;
    }
    let kernel = has(Count::Kernel) && (has(Count::PostChannels) || has(Count::Post));
    match (has(Count::Synapses) || kernel, has(Count::Pre), has(Count::Post)) {
        (true, ..) | (_, true, true) => Some(0),
        (false, true, false) => Some(1),
        (false, false, true) => Some(2),
        (false, false, false) => None,
    }
}

fn type_word(storage: &Storage) -> &'static str {
    match storage.ty {
        crate::kernel::Type::F32 => "f32",
        crate::kernel::Type::F64 => "f64",
        crate::kernel::Type::I32 => "i32",
        crate::kernel::Type::I64 => "i64",
        crate::kernel::Type::Bool => "bool",
    }
}

fn shape(storage: &Storage) -> String {
    let axes: Vec<String> = storage
        .shape
        .iter()
        .map(|size| match size {
            Size::Constant(length) => length.to_string(),
            Size::Count(count) => count_words(*count).to_string(),
            Size::Prologue(_) => "steps".to_string(),
        })
        .collect();
    let what = match storage.role {
        Role::Variable(_) => "",
        Role::Events(_) => " (events of the step)",
        Role::Spikes(_) => " (spikes of the step)",
        Role::Scratch => " (left by one launch for another)",
        Role::Draws(_) => " (draws that the host gives)",
        Role::Index(_) => " (of the topology)",
        Role::Ring(_) => " (the past)",
        Role::EventHistory(_) | Role::EventCounts(_) => " (events of the last steps)",
        Role::History(_) => " (of the last steps)",
        Role::Carried(_) => " (of rows that lag behind)",
        Role::View(_) => " (a copy, taken when somebody looks)",
        Role::Marks => " (up to which step)",
    };
    format!("[{}]{what}", axes.join(", "))
}
