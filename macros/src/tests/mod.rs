//! Expansions without rustc: `proc_macro2` reads the text of a rule as rustc would, and tells the place of each token.

mod contents;
mod errors;
mod settings;

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::expand::expand;

/// The repository.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map_or_else(|| manifest.to_path_buf(), Path::to_path_buf)
}

/// The expansion of a macro with these tokens, whose files lie in a folder.
fn expansion(content: TokenStream, folder: &Path) -> TokenStream {
    let native: TokenStream = "::aplysia_native".parse().expect("a path");
    let mut tokens = TokenStream::from(TokenTree::Group(Group::new(Delimiter::Parenthesis, native)));
    tokens.extend(content);
    expand(tokens, folder.to_path_buf())
}

/// A diagnostic of an expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    error: bool,
    message: String,
    /// The bytes of the text from the first to the last token under the mark; `None` where it is the whole macro.
    place: Option<(usize, usize)>,
}

impl Shown {
    /// `E0203` of `… [E0203]`.
    fn code(&self) -> &str {
        if let Some(rest) = self.message.strip_prefix("error[").or(self.message.strip_prefix("warning[")) {
            return rest.split_once(']').map_or("", |(code, _)| code);
        }
        let first = self.message.lines().next().unwrap_or_default();
        first.rsplit_once('[').and_then(|(_, code)| code.strip_suffix(']')).unwrap_or_default()
    }
}

/// The diagnostics that rustc would show, in the order of the expansion.
fn shown(expansion: &TokenStream) -> Vec<Shown> {
    let tokens: Vec<TokenTree> = expansion.clone().into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if name == "compile_error" => {
                let Some(TokenTree::Group(group)) = tokens.get(at + 2) else {
                    panic!("`compile_error` alone")
                };
                let Some(TokenTree::Literal(literal)) = group.stream().into_iter().next() else {
                    panic!("`compile_error` without a text");
                };
                let message = crate::tokens::string(&literal.to_string()).expect("a text");
                found.push(Shown { error: true, message, place: place(name.span(), literal.span()) });
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                if let Some((message, span)) = warning(group) {
                    found.push(Shown { error: false, message, place: place(span, span) });
                }
            }
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

fn place(first: Span, last: Span) -> Option<(usize, usize)> {
    // The place of the whole macro has no text.
    first.source_text()?;
    Some((first.byte_range().start, last.byte_range().end))
}

/// The note and the place of the use of what `{ #[deprecated(note = "…")] … plasticity_warning }` declares.
fn warning(group: &Group) -> Option<(String, Span)> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let Some(TokenTree::Ident(last)) = tokens.last() else { return None };
    if last != "plasticity_warning" {
        return None;
    }
    let flat = |group: &TokenTree| match group {
        TokenTree::Group(group) => group.stream().into_iter().collect(),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    };
    let attribute: Vec<TokenTree> = flat(tokens.get(1)?);
    let note: Vec<TokenTree> = flat(attribute.get(1)?);
    crate::tokens::string(&note.last()?.to_string()).map(|text| (text, last.span()))
}

/// A module of an expansion, and what it declares by name.
struct Module {
    name: String,
    /// The fields of `Params`.
    params: Vec<String>,
    /// The public methods of `Group`, whatever its types.
    methods: Vec<String>,
}

/// The modules of an expansion, which has to be Rust.
fn modules(expansion: &TokenStream) -> Vec<Module> {
    let file: syn::File =
        syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"));
    let modules = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Mod(module) => Some(module),
        _ => None,
    });
    let modules = modules.map(|module| {
        let mut found = Module { name: module.ident.to_string(), params: Vec::new(), methods: Vec::new() };
        for item in module.content.map(|(_, items)| items).unwrap_or_default() {
            match item {
                syn::Item::Struct(of) if of.ident == "Params" => {
                    found.params.extend(of.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())));
                }
                syn::Item::Impl(of) if matches!(&*of.self_ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Group")) => {
                    found.methods.extend(of.items.iter().filter_map(|item| match item {
                        syn::ImplItem::Fn(of) if matches!(of.vis, syn::Visibility::Public(_)) => Some(of.sig.ident.to_string()),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        found
    });
    modules.collect()
}
