//! Diagnostics as text for people.
//!
//! In goes a [`Diagnostic`] and the texts it points into; out comes what a terminal shows, in the manner of rustc.
//! The width is fixed, so the same diagnostic always looks the same. Nothing is printed here.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Label, Severity};
use crate::source::{FileId, Source, Sources};

const WIDTH: usize = 140;

/// One diagnostic, with its source lines, without a line break at the end.
pub fn render(sources: &Sources, diagnostic: &Diagnostic, color: bool) -> String {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // A title may not hold line breaks or escape codes that come from a text.
    let message = plain(&diagnostic.message);
    let main = level.primary_title(message).id(diagnostic.code.id()).elements(snippets(sources, diagnostic));
    let mut report = vec![main];
    for help in &diagnostic.help {
        report.push(Group::with_title(Level::HELP.secondary_title(plain(help))));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(WIDTH).render(&report)
}

/// All diagnostics, each followed by an empty line.
pub fn render_all(sources: &Sources, diagnostics: &Diagnostics, color: bool) -> String {
    diagnostics.iter().map(|diagnostic| render(sources, diagnostic, color) + "\n\n").collect()
}

/// One snippet for each text that the diagnostic points into, the primary one first.
fn snippets<'a>(
    sources: &'a Sources,
    diagnostic: &'a Diagnostic,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut files: Vec<FileId> = vec![diagnostic.primary.span.file];
    for label in &diagnostic.secondary {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let mut snippets = Vec::new();
    for file in files {
        let Some((_, source)) = sources.iter().find(|(id, _)| *id == file) else { continue };
        let mut snippet = Snippet::source(source.text.as_str()).path(source.name.as_str());
        if diagnostic.primary.span.file == file {
            snippet = snippet.annotation(annotation(AnnotationKind::Primary, source, &diagnostic.primary));
        }
        for label in diagnostic.secondary.iter().filter(|label| label.span.file == file) {
            snippet = snippet.annotation(annotation(AnnotationKind::Context, source, label));
        }
        snippets.push(snippet);
    }
    snippets
}

fn annotation<'a>(
    kind: AnnotationKind,
    source: &Source,
    label: &'a Label,
) -> annotate_snippets::Annotation<'a> {
    let start = source.text.floor_char_boundary(label.span.start as usize);
    let end = source.text.ceil_char_boundary((label.span.end as usize).max(start));
    let annotation = kind.span(start..end);
    if label.message.is_empty() { annotation } else { annotation.label(label.message.as_str()) }
}

fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::code;
    use crate::source::Span;

    #[test]
    fn looks_like_rustc() {
        let mut sources = Sources::new();
        let file = sources.add("a.rule", "rule r {\n    param a = 1 < 2 < 3;\n}\n");
        let diagnostic =
            Diagnostic::new(code::COMPARISON_CHAIN, Span::new(file, 29, 30), "comparisons cannot be chained")
                .label("second")
                .also(Span::new(file, 25, 26), "first")
                .help("write `a < b && b < c`");
        let text = render(&sources, &diagnostic, false);
        let expected = "\
error[E0114]: comparisons cannot be chained
 --> a.rule:2:21
  |
2 |     param a = 1 < 2 < 3;
  |                 -   ^ second
  |                 |
  |                 first
  |
help: write `a < b && b < c`";
        assert_eq!(text.trim_end(), expected);
        assert!(render(&sources, &diagnostic, true).contains("\u{1b}["));
    }

    #[test]
    fn a_second_text_has_a_snippet_of_its_own() {
        let mut sources = Sources::new();
        let first = sources.add("a.rule", "use b;");
        let second = sources.add("b.rule", "rule b { }");
        let diagnostic = Diagnostic::new(code::UNEXPECTED_TOKEN, Span::new(first, 4, 5), "message")
            .also(Span::new(second, 5, 6), "here");
        let text = render(&sources, &diagnostic, false);
        assert!(text.contains("a.rule:1:5") && text.contains("b.rule"), "{text}");
    }

    #[test]
    fn places_behind_the_end_do_no_harm() {
        let mut sources = Sources::new();
        let file = sources.add("τ.rule", "τ");
        for (start, end) in [(0, 1), (1, 1), (1, 900), (900, 901), (2, 2)] {
            let diagnostic =
                Diagnostic::new(code::UNEXPECTED_TOKEN, Span::new(file, start, end), "message\n\u{1b}[31m");
            let text = render(&sources, &diagnostic, false);
            assert!(text.starts_with("error[E0120]: message  [31m"), "{text}");
        }
        let none = Diagnostic::new(code::UNEXPECTED_TOKEN, Span::new(FileId(7), 0, 1), "message");
        assert!(render(&sources, &none, false).contains("message"));
    }
}
