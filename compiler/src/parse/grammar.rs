//! The parser that pest makes of `rule.pest`; nothing outside this folder sees it.

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pair;

/// The generated parser, in a module of its own because what is generated cannot be documented.
#[allow(missing_docs)]
mod generated {
    #[derive(pest_derive::Parser)]
    #[grammar = "parse/rule.pest"]
    pub(in crate::parse) struct RuleParser;
}
pub(super) use generated::Rule;

/// A pair of our grammar.
pub(super) type Node<'a> = Pair<'a, Rule>;

/// Steps that pest may take on one text. The scan bounds the work already, in proportion to the length; this
/// is the second fence. It is one number for the whole process, set once, so every parse has the same bound.
const CALL_LIMIT: usize = 400_000_000;
static CALL_LIMIT_SET: Once = Once::new();

/// Parses a whole text by one rule, which yields one pair.
pub(super) fn run(rule: Rule, text: &str) -> Result<Node<'_>, Box<Error<Rule>>> {
    CALL_LIMIT_SET.call_once(|| pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT)));
    let mut pairs = generated::RuleParser::parse(rule, text).map_err(Box::new)?;
    match pairs.next() {
        Some(pair) => Ok(pair),
        None => crate::ice!("a grammar rule yields no pair"),
    }
}
