//! Diagnostics as rustc shows them: errors at the user's own tokens, all at once, and warnings.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use aplysia_compiler::diag::{Diagnostic, Severity};
use aplysia_compiler::source::Sources;

/// What a diagnostic says, with its notes and ways out.
pub(crate) fn message(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let mut text = format!("{} [{}]", diagnostic.message, diagnostic.code.id());
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    for label in labels.filter(|label| !label.message.is_empty()) {
        // rustc shows one place; the others are named.
        let there = sources.slice(label.span);
        let named = there.is_empty() || there.contains('\n') || label.message.contains(there);
        text.push_str("\nnote: ");
        if !named {
            text.push_str(&format!("`{there}` "));
        }
        text.push_str(&label.message);
    }
    for help in &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

/// A diagnostic from the first to the last of some tokens.
pub(crate) fn report(severity: Severity, message: &str, spans: (Span, Span)) -> TokenStream {
    match severity {
        Severity::Error => error(message, spans),
        Severity::Warning => warning(message, spans),
    }
}

/// `::core::compile_error! { "…" }`, which rustc shows from the first to the last token.
pub(crate) fn error(message: &str, (first, last): (Span, Span)) -> TokenStream {
    let mut literal = Literal::string(message);
    literal.set_span(last);
    let mut group = Group::new(Delimiter::Brace, TokenTree::from(literal).into());
    group.set_span(last);
    let mut tokens: Vec<TokenTree> = path(first);
    tokens.push(punct('!', Spacing::Alone, first));
    tokens.push(group.into());
    tokens.into_iter().collect()
}

/// `::core::compile_error`
fn path(span: Span) -> Vec<TokenTree> {
    let colons = || [punct(':', Spacing::Joint, span), punct(':', Spacing::Alone, span)];
    let mut tokens: Vec<TokenTree> = colons().into();
    tokens.push(Ident::new("core", span).into());
    tokens.extend(colons());
    tokens.push(Ident::new("compile_error", span).into());
    tokens
}

fn punct(mark: char, spacing: Spacing, span: Span) -> TokenTree {
    let mut punct = Punct::new(mark, spacing);
    punct.set_span(span);
    punct.into()
}

/// A use of something deprecated, whose note is the message: the one warning that a stable macro can give.
fn warning(message: &str, (first, _): (Span, Span)) -> TokenStream {
    let text = format!(
        "const _: () = {{ #[deprecated(note = {message:?})] #[allow(non_upper_case_globals)] \
         const plasticity_warning: () = (); APLYSIA_HERE }};"
    );
    let Ok(tokens) = text.parse::<TokenStream>() else { return TokenStream::new() };
    placed(tokens, first)
}

/// The same tokens, in which one name gets the user's place.
fn placed(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let mut other = Group::new(group.delimiter(), placed(group.stream(), span));
                other.set_span(group.span());
                TokenTree::Group(other)
            }
            TokenTree::Ident(name) if name == "APLYSIA_HERE" => {
                Ident::new("plasticity_warning", span.resolved_at(Span::call_site())).into()
            }
            other => other,
        })
        .collect()
}
