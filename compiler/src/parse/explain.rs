//! What is wrong with a piece of text that the grammar did not take.
//!
//! The piece is parsed once more by the rule that it should have been; the place where that gives up, the token
//! there, and what the grammar would have taken instead make the message. Known slips are recognised first.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::build::Context;
use super::build::unit_help;
use super::grammar::{self, Node, Rule};
use super::scan::{Kind, Token};
use super::word;
use crate::diag::{Code, Diagnostic, code, did_you_mean};

/// Where the piece stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside rules.
    Top,
    /// In a rule.
    Rule,
    /// Between the braces of a composition.
    Composition,
    /// In a block of statements.
    Block,
}

/// Where pest gave up.
pub(super) fn error_place(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// A piece and the place in it where the grammar gave up.
struct Failure<'a> {
    place: Place,
    /// The first word of the piece, and the token behind it.
    first: &'a str,
    second: &'a str,
    /// The tokens before and at the place.
    before: Option<Token>,
    at: Option<Token>,
    /// Their texts; empty at the ends.
    left: &'a str,
    found: &'a str,
    expected: Vec<Rule>,
}

impl<'a> Context<'a> {
    /// Reports what is wrong with a `bad_…` piece.
    pub(super) fn explain(&mut self, piece: &Node<'_>, place: Place) {
        let span = self.span(piece);
        let (start, end) = (span.start as usize, span.end as usize);
        // A wrong token has been reported already, and is why the grammar gave up.
        let next = self.known.partition_point(|known| (known.start as usize) < start);
        if self.known.get(next).is_some_and(|known| (known.start as usize) < end.max(start + 1)) {
            return;
        }
        let rule = match place {
            Place::Top => Rule::only_top,
            Place::Rule | Place::Composition => Rule::only_item,
            Place::Block => Rule::only_statement,
        };
        let (at, expected) = match grammar::run(rule, &self.text[start..end]) {
            Ok(_) => (end, Vec::new()),
            Err(error) => {
                let expected = match &error.variant {
                    ErrorVariant::ParsingError { positives, .. } => positives.clone(),
                    ErrorVariant::CustomError { .. } => Vec::new(),
                };
                (start + error_place(&error), expected)
            }
        };
        let first = self.token_from(start);
        let second = first.and_then(|token| self.token_from(token.end));
        // The grammar may give up within a token: `**` is one to us and two to it.
        let within = self.token_before(at + 1).filter(|token| token.end > at);
        let at = within.or_else(|| self.token_from(at));
        let before = at.map_or(self.text.len(), |token| token.start);
        let before = self.token_before(before);
        let failure = Failure {
            place,
            first: self.token_text(first),
            second: self.token_text(second),
            before: before.filter(|token| token.start >= start),
            at,
            left: self.token_text(before.filter(|token| token.start >= start)),
            found: self.token_text(at),
            expected,
        };
        let problem = self.misplaced(&failure, first).or_else(|| self.slip(&failure));
        let problem = problem.unwrap_or_else(|| self.plain(&failure, end));
        self.report(problem);
    }

    fn token_text(&self, token: Option<Token>) -> &'a str {
        token.and_then(|token| self.text.get(token.start..token.end)).unwrap_or("")
    }

    fn at(&self, token: Option<Token>, code: Code, message: impl Into<String>) -> Diagnostic {
        let end = self.text.len();
        let (start, stop) = token.map_or((end, end), |token| (token.start, token.end));
        Diagnostic::new(code, self.span_of(start, stop), message)
    }

    /// What would be right elsewhere.
    fn misplaced(&self, failure: &Failure<'_>, first: Option<Token>) -> Option<Diagnostic> {
        let word = failure.first;
        let is_modifier = word::MODIFIERS.contains(&word) && !matches!(failure.second, "." | "::");
        let assigns = matches!(failure.second, "=" | "+=" | "-=" | "*=" | "/=");
        match failure.place {
            Place::Block => {
                if failure.found == "/"
                    && failure.left.starts_with('d')
                    && self.follows(failure.at, &["dt", "="])
                {
                    let problem =
                        self.at(failure.before, code::MISPLACED_ITEM, "an equation cannot stand in a block");
                    return Some(problem.help("move it out of the block, to the declarations of the rule"));
                }
                let handler = matches!(word, "on" | "update" | "modulate" | "constrain" | "apply" | "every");
                let other = matches!(word, "fn" | "rule" | "use" | "solver");
                if is_modifier || other || handler && !assigns {
                    let what = match () {
                        () if is_modifier => "a declaration cannot stand in a block",
                        () if handler => "a block with a head cannot stand in another block",
                        () => "this cannot stand in a block",
                    };
                    let problem = self.at(first, code::MISPLACED_ITEM, what);
                    let help = if is_modifier {
                        "declare it in the rule, or use `let` for a local name"
                    } else {
                        "close the block before it"
                    };
                    return Some(problem.help(help));
                }
            }
            Place::Rule | Place::Top | Place::Composition => {
                let statement = matches!(word, "let" | "if" | "match" | "for") || assigns && !is_modifier;
                let statement = statement && !(failure.place == Place::Rule && word == "for");
                if statement
                    && !word::GRAMMAR
                        .iter()
                        .any(|known| *known == word && !matches!(word, "let" | "if" | "match" | "for"))
                {
                    let problem =
                        self.at(first, code::STATEMENT_OUTSIDE_BLOCK, "a statement must stand in a block");
                    let help = match word {
                        "let" => {
                            "a name for the whole rule is a `const`, a `param` or a `state`; `let` belongs in a block such as `update { … }`"
                        }
                        _ => "put it into a block such as `on pre { … }` or `update { … }`",
                    };
                    return Some(problem.help(help));
                }
                let item = matches!(
                    word,
                    "on" | "update" | "modulate" | "constrain" | "apply" | "every" | "solver" | "batch"
                );
                if item && failure.place != Place::Rule {
                    let problem =
                        self.at(first, code::MISPLACED_ITEM, format!("`{word}` stands only in a rule"));
                    return Some(problem.help("move it between the braces of `rule name { … }`"));
                }
                if matches!(word, "rule" | "use") && failure.place != Place::Top {
                    let problem =
                        self.at(first, code::MISPLACED_ITEM, format!("`{word}` cannot stand in a rule"));
                    return Some(problem.help("move it out of the rule"));
                }
            }
        }
        None
    }

    /// Whether these tokens follow one.
    fn follows(&self, token: Option<Token>, texts: &[&str]) -> bool {
        let Some(token) = token else { return false };
        let mut at = token.end;
        for text in texts {
            let next = self.token_from(at);
            if self.token_text(next) != *text {
                return false;
            }
            at = next.map_or(at, |token| token.end);
        }
        true
    }

    /// The slips that people make who know other languages.
    fn slip(&self, failure: &Failure<'_>) -> Option<Diagnostic> {
        let wrong =
            |message: &str, help: &str| Some(self.at(failure.at, code::WRONG_OPERATOR, message).help(help));
        let ends_expression = failure.wants(Rule::binary) || failure.wants(Rule::semicolon);
        if matches!(failure.first, "elif" | "elseif") && failure.place == Place::Block {
            let problem = self.at(
                failure.before,
                code::WRONG_OPERATOR,
                format!("`{}` is not a word of the language", failure.first),
            );
            return Some(problem.help("write `else if`"));
        }
        match (failure.left, failure.found) {
            (_, "then") => return wrong("`then` is not a word of the language", "write `if c { … }`"),
            ("<", ">") => return wrong("`<>` is not an operator", "write `!=`"),
            (_, "=>") if ends_expression => return wrong("`=>` does not compare values", "write `>=`"),
            (_, "=") if failure.wants(Rule::binary) && self.follows(failure.at, &["<"]) => {
                return wrong("`=<` is not an operator", "write `<=`");
            }
            ("*", "*") | (_, "**") => return wrong("`**` is not an operator", "write `^` for a power"),
            (_, "&") => return wrong("`&` is not an operator", "write `&&` for \"and\""),
            (_, "|") => return wrong("`|` is not an operator", "write `||` for \"or\""),
            (_, "and") if ends_expression => return wrong("`and` is not an operator", "write `&&`"),
            (_, "or") if ends_expression => return wrong("`or` is not an operator", "write `||`"),
            ("not", _) if ends_expression => {
                return Some(
                    self.at(failure.before, code::WRONG_OPERATOR, "`not` is not an operator")
                        .help("write `!`"),
                );
            }
            (_, ":=") => return wrong("`:=` is not an operator", "write `=`"),
            (_, "++") | ("+", "+") => return wrong("`++` is not an operator", "write `+= 1`"),
            (_, "--") => return wrong("`--` is not an operator", "write `-= 1`"),
            (_, "?") => return wrong("`?` is not an operator", "write `if c { a } else { b }`"),
            (_, "==")
                if failure.wants(Rule::assign_operator)
                    || failure.wants(Rule::equals)
                    || failure.wants(Rule::value) =>
            {
                return wrong("`==` compares and does not set a value", "write `=`");
            }
            (_, "=")
                if (failure.wants(Rule::binary) || failure.wants(Rule::open_brace))
                    && !failure.wants(Rule::dots) =>
            {
                return wrong("`=` does not compare values", "write `==`");
            }
            (_, "if") if ends_expression => {
                return wrong("`if` cannot stand behind a value", "write `if c { a } else { b }`");
            }
            _ => {}
        }
        let after_number = failure.before.is_some_and(|token| token.kind == Kind::Number);
        let at_word = failure.at.is_some_and(|token| token.kind == Kind::Word);
        if after_number && at_word && !word::GRAMMAR.contains(&failure.found) {
            let problem =
                self.at(failure.at, code::UNKNOWN_UNIT, format!("`{}` is not a unit", failure.found));
            let problem = match failure.found {
                "step" => problem.help("did you mean `steps`?"),
                _ => problem,
            };
            return Some(unit_help(problem, failure.found).help("a product needs `*`"));
        }
        None
    }

    /// What remains: what the grammar would have taken.
    fn plain(&self, failure: &Failure<'_>, end: usize) -> Diagnostic {
        let at_end = failure.at.is_none_or(|token| token.start >= end);
        let found = match failure.found {
            "" => "the end of the text".to_owned(),
            _ if failure.at.is_some_and(|token| token.kind == Kind::Doc) => "a `///` comment".to_owned(),
            text => format!("`{}`", text.chars().take(40).collect::<String>()),
        };
        let reserved = self.reserved(failure);
        if let Some(problem) = reserved {
            return problem;
        }
        if failure.wants(Rule::semicolon) && !matches!(failure.found, ")" | "]") {
            let place = failure.before.map_or(end, |token| token.end);
            let what = match failure.place {
                Place::Block => "expected `;` after the statement",
                _ => "expected `;` after the declaration",
            };
            let label = if at_end {
                "a `;` is missing here".into()
            } else {
                format!("a `;` or an operator is missing before {found}")
            };
            let help = match (failure.left, failure.found) {
                ("]", "(") => Some("between the brackets stands a domain, `batch` or `position`"),
                (_, "(") => Some("a product needs `*`"),
                (_, "[") => Some("what a reduction ranges over stands before its arguments: `sum[pre](x)`"),
                _ if failure.first == "rule" => Some("put `+` between the rules of a composition"),
                _ => None,
            };
            let problem = Diagnostic::new(code::MISSING_SEMICOLON, self.span_of(place, place), what);
            return problem.label(label).maybe_help(help);
        }
        if failure.wants_value() {
            let problem = self.at(
                failure.at,
                code::EXPECTED_EXPRESSION,
                format!("expected an expression, found {found}"),
            );
            let help = match failure.found {
                "true" => Some("write `1`"),
                "false" => Some("write `0`"),
                _ => None,
            };
            return problem.maybe_help(help);
        }
        if failure.starts() {
            return self.unknown_start(failure, &found);
        }
        let (what, help) = failure.wanted();
        self.at(failure.at, code::UNEXPECTED_TOKEN, format!("expected {what}, found {found}"))
            .maybe_help(help)
    }

    /// A reserved word where a name is wanted.
    fn reserved(&self, failure: &Failure<'_>) -> Option<Diagnostic> {
        let names = [Rule::declared_name, Rule::declared_path, Rule::name, Rule::path, Rule::word];
        if !failure.expected.iter().any(|rule| names.contains(rule)) || failure.wants_value() {
            return None;
        }
        let known = |text: &str| word::GRAMMAR.contains(&text) || word::RUST.contains(&text);
        let token = if known(failure.found) {
            failure.at
        } else if known(failure.left)
            && matches!(failure.found, "=" | ":" | ";" | "[" | ",")
            && word::MODIFIERS.contains(&failure.left)
            && failure.first != failure.left
        {
            failure.before
        } else {
            return None;
        };
        let text = self.token_text(token);
        let problem =
            self.at(token, code::RESERVED_WORD, format!("`{text}` is a reserved word and cannot be a name"));
        Some(problem.help(format!("call it `{text}_` or choose another name")))
    }

    /// Nothing begins like this.
    fn unknown_start(&self, failure: &Failure<'_>, found: &str) -> Diagnostic {
        let (what, words): (&str, &[&str]) = match failure.place {
            Place::Top => ("`use`, `fn`, `const` or `rule`", &["use", "fn", "const", "rule"]),
            Place::Composition => ("a declaration", word::MODIFIERS),
            Place::Block => ("a statement", &["let", "if", "match", "for"]),
            Place::Rule => (
                "a declaration, an equation or a block",
                &[
                    "param",
                    "const",
                    "option",
                    "state",
                    "plastic",
                    "input",
                    "output",
                    "extern",
                    "update",
                    "modulate",
                    "apply",
                    "constrain",
                    "every",
                    "solver",
                    "batch",
                    "global",
                    "pre",
                    "post",
                    "synapse",
                    "shared",
                    "batched",
                    "fn",
                    "on",
                ],
            ),
        };
        let problem = self.at(failure.at, code::UNEXPECTED_ITEM, format!("expected {what}, found {found}"));
        let help = match failure.found {
            "on_pre" | "onpre" => Some("write `on pre { … }`".to_owned()),
            "on_post" | "onpost" => Some("write `on post { … }`".to_owned()),
            ";" => Some("remove the `;`".to_owned()),
            "while" | "loop" => {
                Some("a rule runs once a step; to repeat, write `for k in 0 .. 4 { … }`".to_owned())
            }
            name if failure.second == "/" => Some(format!("an equation is `d{name}/dt = …;`")),
            text => did_you_mean(text, words.iter().copied()),
        };
        problem.maybe_help(help)
    }
}

impl Failure<'_> {
    fn wants(&self, rule: Rule) -> bool {
        self.expected.contains(&rule)
    }

    fn wants_value(&self) -> bool {
        [Rule::expr, Rule::operand, Rule::primary, Rule::prefix].into_iter().any(|rule| self.wants(rule))
    }

    /// Whether the grammar gave up on the very first token.
    fn starts(&self) -> bool {
        self.before.is_none()
    }

    /// The words for what the grammar would have taken, and a way out.
    fn wanted(&self) -> (String, Option<&'static str>) {
        const WORDS: &[(Rule, &str)] = &[
            (Rule::open_brace, "`{`"),
            (Rule::block, "a block `{ … }`"),
            (Rule::close_brace, "`}`"),
            (Rule::close_paren, "`,` or `)`"),
            (Rule::close_bracket, "`]`"),
            (Rule::open_paren, "`(`"),
            (Rule::arrow, "`=>`"),
            (Rule::dots, "`..`"),
            (Rule::kw_in, "`in`"),
            (Rule::equals, "`=`"),
            (Rule::assign_operator, "`=`, `+=`, `-=`, `*=` or `/=`"),
            (Rule::kw_else, "`else`"),
            (Rule::rule_items, "`{` or `=`"),
            (Rule::on_call, "a schedule: `on call name` or `every …`"),
            (Rule::when, "a schedule: `on call name` or `every …`"),
            (Rule::on_create, "`pre`, `post`, `create` or `call`"),
            (Rule::kw_pre, "`pre`, `post`, `create` or `call`"),
            (Rule::kw_dt, "`dt`"),
            (Rule::part, "the name of a rule"),
            (Rule::unit_term, "a unit"),
            (Rule::unit_one, "a unit"),
            (Rule::integer, "a whole number"),
            (Rule::range, "a range"),
            (Rule::string, "a path or a string"),
            (Rule::parameters, "names"),
            (Rule::statement_arm, "a value of the option"),
            (Rule::expr_arm, "a value of the option"),
            (Rule::declared_path, "a name"),
            (Rule::declared_name, "a name"),
            (Rule::name, "a name"),
            (Rule::path, "a name"),
            (Rule::word, "a name"),
        ];
        let help = match self.left {
            _ if self.wants(Rule::dots) => {
                Some("a range is `lo .. hi`; the values of an option stand in braces")
            }
            ")" if self.first == "fn" && self.found == "{" => Some("a function is `fn f(x) = …;`"),
            _ if self.found == "^" => Some("write `x = x ^ …`"),
            "on" => Some("a spike handler is `on pre { … }` or `on post { … }`"),
            _ => None,
        };
        let words = WORDS.iter().find(|(rule, _)| self.wants(*rule)).map(|(_, words)| (*words).to_owned());
        (words.unwrap_or_else(|| "something else".to_owned()), help)
    }
}
