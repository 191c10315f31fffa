//! One rule's module, as the settings have it.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};

use aplysia_compiler::back::rust::module::{self, MOST_VARIANTS, OpenOption, Source, module_with};
use aplysia_compiler::diag::{Diagnostics, did_you_mean};
use aplysia_compiler::ir::Rule;
use aplysia_compiler::library::{self, Library, RuleOption};

use crate::expand::NATIVE;
use crate::report;
use crate::settings::Settings;

/// What becomes of a rule without errors of its own.
pub(crate) enum Made {
    /// The text of its module.
    Text(String),
    /// What is wrong with the settings for it.
    Errors(TokenStream),
}

/// A message and its place.
type Wrong = (String, Span);

/// The open options of a rule, and the rule for each combination of their values.
type Variants = (Vec<OpenOption>, Vec<Rule>);

/// The text of one rule's module, or what is wrong with the settings for it. What the settings name and the rule has is
/// added to `named`.
///
/// # Errors
/// Everything that is wrong with the rule.
pub(crate) fn text(
    library: &Library,
    text: &str,
    name: &str,
    settings: &Settings,
    named: &mut BTreeSet<String>,
) -> Result<Made, Diagnostics> {
    let rule = library.elaborate(Some(name), &library::Settings::default())?.rule;
    let mut wanted = settings.module.clone();
    for (draw, _) in &settings.draws {
        // Another rule of the macro may have it.
        if let Ok(site) = module::find_draw(&rule, draw) {
            named.insert(draw.clone());
            wanted.draws.push(site);
        }
    }
    match variants(library, &rule, settings, named)? {
        Ok((options, variants)) => (wanted.options, wanted.variants) = (options, variants),
        Err((message, span)) => return Ok(Made::Errors(report::error(&message, (span, span)))),
    }
    match module_with(&Source { rule: &rule, text, native: NATIVE }, &wanted) {
        Ok(text) => Ok(Made::Text(text)),
        // What is wrong with a setting alone stands in no text.
        Err(found) => match (settings.place, found.iter().find(|one| one.primary.span.file.0 == u32::MAX)) {
            (Some(span), Some(one)) => {
                Ok(Made::Errors(report::error(&report::message(library.sources(), one), (span, span))))
            }
            _ => Err(found),
        },
    }
}

/// The open options of a rule, and the rule for each combination of their values.
fn variants(
    library: &Library,
    rule: &Rule,
    settings: &Settings,
    named: &mut BTreeSet<String>,
) -> Result<Result<Variants, Wrong>, Diagnostics> {
    let all = library.options(&rule.name);
    let mut open: Vec<(OpenOption, Span)> = Vec::new();
    for (word, span) in &settings.options {
        let found: Vec<&RuleOption> =
            all.iter().filter(|option| option.name == *word || option.address() == *word).collect();
        let option = match found.as_slice() {
            [] => continue,
            [one] => *one,
            several => {
                let known: Vec<String> = several.iter().map(|one| format!("`{}`", one.address())).collect();
                let message =
                    format!("`{word}` may be {}\nhelp: write one of them in full", known.join(" or "));
                return Ok(Err((message, *span)));
            }
        };
        named.insert(word.clone());
        let same = all.iter().filter(|other| other.name == option.name).count();
        let field = if same == 1 { option.name.clone() } else { option.address() };
        let default =
            option.chosen.as_ref().and_then(|one| option.values.iter().position(|value| value == one));
        if open.iter().all(|(known, _)| known.option != *option) {
            open.push((OpenOption { option: option.clone(), field, default: default.unwrap_or(0) }, *span));
        }
    }
    let Some((_, last)) = open.last() else { return Ok(Ok((Vec::new(), Vec::new()))) };
    let count = open.iter().fold(1usize, |all, (one, _)| all.saturating_mul(one.option.values.len()));
    if count > MOST_VARIANTS {
        let message = format!(
            "the options of `{}` have {count} combinations, each with loops of its own; {MOST_VARIANTS} are the most\n\
             help: choose some of them where rules are composed: `rule my = part(option = value);`",
            rule.name
        );
        return Ok(Err((message, *last)));
    }
    let mut variants = Vec::new();
    for number in 0..count {
        let mut rest = number;
        let mut options = Vec::new();
        for (one, _) in open.iter().rev() {
            let values = &one.option.values;
            options.push((one.option.address(), values[rest % values.len()].clone()));
            rest /= values.len();
        }
        let variant = library.elaborate(Some(&rule.name), &library::Settings { options })?.rule;
        if let Err(what) = module::same(rule, &variant) {
            let (one, span) = open.iter().find(|(one, _)| one.option.values.len() > 1).unwrap_or(&open[0]);
            let message = format!(
                "the choices of `{}` change {what}: groups that differ so need modules of their own\n\
                 help: choose where rules are composed: `rule my = {}({} = {});`",
                one.option.address(),
                one.option.part,
                one.option.name,
                one.option.values.last().map_or("value", String::as_str)
            );
            return Ok(Err((message, *span)));
        }
        variants.push(variant);
    }
    Ok(Ok((open.into_iter().map(|(one, _)| one).collect(), variants)))
}

/// What the settings name and no rule of the macro has.
pub(crate) fn missing(library: &Library, settings: &Settings, named: &BTreeSet<String>) -> TokenStream {
    let rules = library.rules();
    let options: Vec<RuleOption> = rules.iter().flat_map(|rule| library.options(&rule.name)).collect();
    let options: Vec<String> = options.iter().flat_map(|one| [one.name.clone(), one.address()]).collect();
    let draws: Vec<String> = rules
        .iter()
        .filter_map(|rule| library.elaborate(Some(&rule.name), &library::Settings::default()).ok())
        .flat_map(|found| {
            found.rule.sites.iter().filter_map(|(_, site)| site.address.clone()).collect::<Vec<_>>()
        })
        .collect();
    let draw_help =
        "a draw has a name where a `let` with a stated domain binds it: `let z = normal[synapse](0, 1);`";
    let mut errors = TokenStream::new();
    for (what, names, known, otherwise) in [
        ("draw", &settings.draws, &draws, draw_help),
        (
            "option",
            &settings.options,
            &options,
            "an option is declared by a rule: `option bound in {none, hard} = none;`",
        ),
    ] {
        for (name, span) in names.iter().filter(|(name, _)| !named.contains(name)) {
            let short = |known: &String| known.rsplit('.').next() == Some(name);
            let several: Vec<String> =
                known.iter().filter(|known| short(known)).map(|one| format!("`{one}`")).collect();
            let help = match several.as_slice() {
                [] => did_you_mean(name, known.iter().map(String::as_str))
                    .unwrap_or_else(|| otherwise.to_owned()),
                several => format!("write one of {} in full", several.join(", ")),
            };
            let message = format!("there is no {what} `{name}`\nhelp: {help}");
            errors.extend(report::error(&message, (*span, *span)));
        }
    }
    errors
}
