//! What stands in front of the rules: `topologies = [dense, sparse], batch = true;`.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use aplysia_compiler::back::rust::module;
use aplysia_compiler::diag::did_you_mean;
use aplysia_compiler::ir::Domain;
use aplysia_compiler::pass::delays::Delay;
use aplysia_compiler::plan::PlanChoice;
use aplysia_compiler::topology::Kind;

use crate::report;
use crate::tokens::string;

/// What a macro's content says besides rules.
#[derive(Default)]
pub(crate) struct Settings {
    /// The path of a rule file, and its place.
    pub(crate) file: Option<(String, Span)>,
    /// What the modules have.
    pub(crate) module: module::Settings,
    /// Draws that the host gives, by name.
    pub(crate) draws: Vec<(String, Span)>,
    /// Options that are chosen when a group is made, by name.
    pub(crate) options: Vec<(String, Span)>,
    /// Where delays or options are stated: what is wrong with them alone stands in no text.
    pub(crate) place: Option<Span>,
    /// What is wrong with the settings, as errors at their tokens.
    pub(crate) errors: TokenStream,
}

const KNOWN: [&str; 8] =
    ["file", "topologies", "batch", "plan", "axonal_delay", "dendritic_delay", "draws", "options"];

/// The plans that groups with rows may take.
const PLANS: [(&str, PlanChoice); 5] = [
    ("auto", PlanChoice::Auto),
    ("full", PlanChoice::FullPass),
    ("events", PlanChoice::Events),
    ("replay", PlanChoice::Replay),
    ("closed_form", PlanChoice::ClosedForm),
];

/// Takes the settings off the front of the content: `NAME = …`, separated by commas, `;` behind the last.
pub(crate) fn settings(tokens: &mut Vec<TokenTree>) -> Settings {
    let mut settings = Settings::default();
    while let [TokenTree::Ident(name), TokenTree::Punct(equals), ..] = tokens.as_slice() {
        if equals.as_char() != '=' {
            break;
        }
        let (word, place) = (name.to_string(), name.span());
        let is = |token: &TokenTree, mark: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
        let end = tokens.iter().position(|token| is(token, ',') || is(token, ';')).unwrap_or(tokens.len());
        let last = tokens.get(end).is_none_or(|token| is(token, ';'));
        let value: Vec<TokenTree> =
            tokens.drain(..(end + 1).min(tokens.len())).skip(2).take(end - 2).collect();
        if let Err((message, span)) = settings.take(&word, place, &value) {
            settings.errors.extend(report::error(&message, (span, span)));
        }
        if last {
            break;
        }
    }
    settings
}

/// A message and its place.
type Wrong = (String, Span);

impl Settings {
    fn take(&mut self, name: &str, place: Span, value: &[TokenTree]) -> Result<(), Wrong> {
        let at = value.first().map_or(place, TokenTree::span);
        match name {
            "file" => {
                let path = match value {
                    [TokenTree::Literal(literal)] => string(&literal.to_string()),
                    _ => None,
                };
                let message = "`file` is the path of a rule file: `file = \"my.rule\"`";
                self.file = Some((path.ok_or((message.to_owned(), at))?, at));
            }
            "topologies" => {
                self.module.topologies = topologies(value, at)?;
            }
            "batch" => {
                self.module.batched = match value {
                    [TokenTree::Ident(word)] if *word == "true" => true,
                    [TokenTree::Ident(word)] if *word == "false" => false,
                    _ => return Err(("`batch` is `true` or `false`".to_owned(), at)),
                };
            }
            "plan" => {
                let word = match value {
                    [TokenTree::Ident(word)] => word.to_string(),
                    _ => String::new(),
                };
                let Some((_, plan)) = PLANS.iter().find(|(known, _)| *known == word) else {
                    let known = PLANS.map(|(known, _)| known);
                    let all = known.map(|known| format!("`{known}`")).join(", ");
                    let help = did_you_mean(&word, known).unwrap_or_else(|| format!("there are {all}"));
                    return Err((format!("there is no such plan\nhelp: {help}"), at));
                };
                self.module.plan = *plan;
            }
            "axonal_delay" => {
                self.module.delays.axonal = Some(delay(name, "pre", Domain::Pre, value, at)?);
                self.place = Some(at);
            }
            "dendritic_delay" => {
                self.module.delays.dendritic = Some(delay(name, "post", Domain::Post, value, at)?);
                self.place = Some(at);
            }
            "draws" => {
                let message = "`draws` lists draws whose values the host gives: `draws = [z]`";
                self.draws.extend(words(value).ok_or_else(|| (message.to_owned(), at))?);
            }
            "options" => {
                let message =
                    "`options` lists options that are chosen when a group is made: `options = [bound]`";
                self.options.extend(words(value).ok_or_else(|| (message.to_owned(), at))?);
                self.place = Some(at);
            }
            _ => {
                let help = did_you_mean(name, KNOWN);
                let known = KNOWN.map(|known| format!("`{known}`")).join(", ");
                let help = help.unwrap_or_else(|| format!("there are {known}"));
                return Err((format!("there is no setting `{name}`\nhelp: {help}"), place));
            }
        }
        Ok(())
    }
}

/// `[dense, sparse]`
fn topologies(value: &[TokenTree], at: Span) -> Result<Vec<Kind>, Wrong> {
    let known = Kind::ALL.map(|kind| (module::topology_word(kind), kind));
    let all = known.map(|(word, _)| word);
    let list = words(value).filter(|list| !list.is_empty()).ok_or_else(|| {
        let message =
            format!("`topologies` lists one or more of {}: `topologies = [dense, sparse]`", all.join(", "));
        (message, at)
    })?;
    let mut kinds: Vec<Kind> = Vec::new();
    for (word, span) in list {
        let Some((_, kind)) = known.iter().find(|(known, _)| *known == word) else {
            let help = did_you_mean(&word, all).unwrap_or_else(|| format!("there are {}", all.join(", ")));
            return Err((format!("there is no topology `{word}`\nhelp: {help}"), span));
        };
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    Ok(kinds)
}

/// `20 ms`, `20 ms per pre` or `20 ms per synapse`.
fn delay(name: &str, side: &str, domain: Domain, value: &[TokenTree], at: Span) -> Result<Delay, Wrong> {
    let form = || {
        let message = format!(
            "`{name}` is the longest delay, and what has one: `{name} = 20 ms`, `20 ms per {side}` or `20 ms per synapse`"
        );
        (message, at)
    };
    // `20 ms` or, without a space, one literal with a suffix.
    let text: Vec<String> = value.iter().map(ToString::to_string).collect();
    let (number, rest) = match text.as_slice() {
        [number, unit, rest @ ..] if unit == "ms" => (number.clone(), rest),
        [number, rest @ ..] if number.ends_with("ms") => (number.trim_end_matches("ms").to_owned(), rest),
        _ => return Err(form()),
    };
    let longest_ms = number.replace('_', "").parse().map_err(|_| form())?;
    let domain = match rest {
        [] => Domain::Global,
        [per, of] if per == "per" && of == side => domain,
        [per, of] if per == "per" && of == "synapse" => Domain::Synapse,
        _ => return Err(form()),
    };
    Ok(Delay { domain, longest_ms })
}

/// The words of `[a, b.c]`, each with its place.
fn words(value: &[TokenTree]) -> Option<Vec<(String, Span)>> {
    let [TokenTree::Group(group)] = value else { return None };
    if group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let mut found: Vec<(String, Span)> = Vec::new();
    let mut open = false;
    for token in group.stream() {
        match token {
            TokenTree::Ident(word) if open => found.last_mut()?.0.push_str(&word.to_string()),
            TokenTree::Ident(word) => {
                found.push((word.to_string(), word.span()));
                open = true;
            }
            TokenTree::Punct(mark) if mark.as_char() == '.' && open => found.last_mut()?.0.push('.'),
            TokenTree::Punct(mark) if mark.as_char() == ',' => open = false,
            _ => return None,
        }
    }
    Some(found)
}
