//! How long `plasticity!` works on a rule: from the text to the tokens of its module, for every shipped rule.
//!
//! `cargo bench -p aplysia-compiler --features rust --bench expand`, with `-- --quick` for a first look, and `-- NAME` for one
//! rule. Topologies and precisions are the macro's own where nothing is said. Inside rustc tokens are made by rustc's lexer;
//! here `proc_macro2` makes them.

use std::hint::black_box;
use std::time::Duration;

use aplysia_compiler::back::rust::module::{Source, module};
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};
use criterion::Criterion;
use proc_macro2::TokenStream;

/// The shipped rules.
struct Shipped;

impl Loader for Shipped {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let Import::Shipped(name) = target else { return Err(LoadError::NotFound) };
        let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
        Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() })
    }
}

/// The module's text; none where the rule waits for a part.
fn expanded(name: &str, text: &str) -> Option<String> {
    let (library, _) = Library::load(name, text, &Shipped);
    let rule = library.elaborate(None, &Settings::default()).ok()?.rule;
    module(&Source { rule: &rule, text, native: "native" }).ok()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("expand");
    group
        .sample_size(10)
        .measurement_time(Duration::from_millis(500))
        .warm_up_time(Duration::from_millis(100));
    for (name, text) in aplysia_rules::all() {
        let Some(module) = expanded(name, text) else {
            println!("{name} is there to be composed");
            continue;
        };
        println!("{name}: {} lines", module.lines().count());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let module = expanded(name, black_box(text)).unwrap_or_default();
                module.parse::<TokenStream>().map(|tokens| tokens.is_empty()).is_ok_and(|empty| !empty)
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
