//! How long `plasticity!` works on a rule: from the text to the text of the module, in milliseconds.

use std::time::Instant;

use aplysia_compiler::back::rust::module::{Source, module};
use aplysia_compiler::library::{Library, NoImports, Settings};

fn main() {
    for name in std::env::args().skip(1) {
        let text = match std::fs::read_to_string(&name) {
            Ok(text) => text,
            Err(error) => return eprintln!("{name}: {error}"),
        };
        let mut best = f64::INFINITY;
        let mut length = 0;
        for _ in 0..20 {
            let start = Instant::now();
            let (library, _) = Library::load(&name, &text, &NoImports);
            let Ok(found) = library.elaborate(None, &Settings::default()) else {
                return eprintln!("{name} has errors, or imports others");
            };
            match module(&Source { rule: &found.rule, text: &text, native: "native" }) {
                Ok(text) => length = text.lines().count(),
                Err(_) => return eprintln!("{name} cannot be planned"),
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{name}: {best:.2} ms, {length} lines");
    }
}
