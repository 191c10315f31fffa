//! From the macro's content to modules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use aplysia_compiler::ast::Item;
use aplysia_compiler::back::rust::module::outline;
use aplysia_compiler::diag::{Diagnostics, Severity, code, render};
use aplysia_compiler::library::{self, Library};
use aplysia_compiler::source::FileId;

use crate::files::Files;
use crate::modules::{Made, missing, text};
use crate::report;
use crate::settings::{Settings, settings};
use crate::tokens::Written;

/// What stands for the path of `aplysia-native` in generated text.
pub(crate) const NATIVE: &str = "APLYSIA_NATIVE";

/// Expands `plasticity!`, with rule files below `root`.
pub(crate) fn expand(input: TokenStream, root: PathBuf) -> TokenStream {
    let mut tokens = input.into_iter();
    let native = match tokens.next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group.stream(),
        _ => return whole("use `aplysia::plasticity!`"),
    };
    let mut rest: Vec<TokenTree> = tokens.collect();
    let settings = settings(&mut rest);
    let files = Files::new(root.clone());
    let content = match &settings.file {
        Some((_, span)) if !rest.is_empty() => {
            return report::error(
                "the rules are in the file: nothing follows `file = \"…\"`",
                (*span, *span),
            );
        }
        Some((path, span)) => match files.text(&PathBuf::from(path)) {
            Ok(text) => Content { name: path.clone(), text, written: Err(*span) },
            Err(error) => {
                let message = format!("{}: {error}", root.join(path).display());
                return report::error(&message, (*span, *span));
            }
        },
        None => {
            let written = Written::new(rest.into_iter().collect());
            Content { name: "plasticity!".to_owned(), text: written.text.clone(), written: Ok(written) }
        }
    };
    let (library, _) = Library::load(&content.name, &content.text, &files);
    let Modules { found, errors, texts } = modules(&library, &content, &settings);
    let mut out = settings.errors.clone();
    out.extend(content.report(&library, &found));
    out.extend(errors);
    out.extend(depends_on(&files));
    for text in texts {
        match text.parse::<TokenStream>() {
            Ok(tokens) => out.extend(with_path(tokens, &native)),
            Err(error) => out.extend(whole(&format!("internal compiler error, please report it: {error}"))),
        }
    }
    out
}

/// What becomes of the rules.
struct Modules {
    /// Everything that is wrong with them.
    found: Diagnostics,
    /// What is wrong with the settings for them.
    errors: TokenStream,
    /// The modules.
    texts: Vec<String>,
}

fn modules(library: &Library, content: &Content, settings: &Settings) -> Modules {
    let mut found = library.check();
    let mut errors = TokenStream::new();
    let broken = found.has_errors();
    let rules = library.rules();
    if rules.is_empty() && !broken && settings.errors.is_empty() {
        let none = library.elaborate(None, &library::Settings::default());
        found.append(none.err().unwrap_or_default());
    }
    let (mut seen, mut texts, mut named) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for item in &library.root().items {
        let Item::Rule(rule) = item else { continue };
        let name = &rule.name.text;
        // Two rules of one name are an error already; two modules would be another.
        if !seen.insert(name) {
            continue;
        }
        let made = if broken { None } else { Some(text(library, &content.text, name, settings, &mut named)) };
        texts.push(match made {
            Some(Ok(Made::Text(text))) => text,
            Some(Ok(Made::Errors(more))) => {
                errors.extend(more);
                outline(rule, NATIVE)
            }
            Some(Err(more)) => {
                let last = rules.last().is_some_and(|last| last.name == *name);
                // A rule that waits for another's state is there to be composed.
                let waits = more.iter().all(|one| one.code == code::EXTERN_MISSING);
                if last || !waits {
                    found.append(more);
                }
                outline(rule, NATIVE)
            }
            None => outline(rule, NATIVE),
        });
    }
    if !broken {
        errors.extend(missing(library, settings, &named));
    }
    found.sort();
    Modules { found, errors, texts }
}

/// What is expanded.
struct Content {
    name: String,
    text: String,
    /// The tokens, or the place of the path of a file.
    written: Result<Written, Span>,
}

impl Content {
    /// Diagnostics at the user's tokens; those of files as people see them on a terminal, at the path.
    fn report(&self, library: &Library, found: &Diagnostics) -> TokenStream {
        let mut out = TokenStream::new();
        for diagnostic in found.iter() {
            let place = diagnostic.primary.span;
            let tokens = match &self.written {
                Ok(written) if place.file == FileId(0) => {
                    let spans = written.spans(place.start as usize, place.end as usize);
                    report::report(
                        diagnostic.severity(),
                        &report::message(library.sources(), diagnostic),
                        spans,
                    )
                }
                Ok(_) => {
                    let text = render::render(library.sources(), diagnostic, false);
                    report::report(diagnostic.severity(), &text, (Span::call_site(), Span::call_site()))
                }
                Err(span) => {
                    let text = render::render(library.sources(), diagnostic, false);
                    report::report(diagnostic.severity(), &text, (*span, *span))
                }
            };
            out.extend(tokens);
        }
        out
    }
}

/// Makes cargo build again when a file changes.
fn depends_on(files: &Files) -> TokenStream {
    let lines = files
        .read()
        .into_iter()
        .map(|path| format!("const _: &[u8] = ::core::include_bytes!({:?});", path.to_string_lossy()));
    lines.collect::<String>().parse().unwrap_or_default()
}

/// The path in the place of the name that stands for it.
fn with_path(tokens: TokenStream, native: &TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Group(group) => {
                let mut other = Group::new(group.delimiter(), with_path(group.stream(), native));
                other.set_span(group.span());
                TokenStream::from(TokenTree::Group(other))
            }
            TokenTree::Ident(name) if name == NATIVE => native.clone(),
            other => other.into(),
        })
        .collect()
}

/// An error of the whole macro.
fn whole(message: &str) -> TokenStream {
    report::report(Severity::Error, message, (Span::call_site(), Span::call_site()))
}
