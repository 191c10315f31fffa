//! How the program speaks: results on standard output, what is wrong on standard error, and the exit code.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use aplysia_compiler::diag::{Code, Diagnostic, Diagnostics, code, did_you_mean, render};
use aplysia_compiler::source::{Sources, Span};

/// The result of everything that a command does.
pub type Outcome<T = ()> = Result<T, Failure>;

/// A rule or its data have errors.
const EXIT_ERRORS: u8 = 1;
/// The command line is wrong, or a file cannot be read or written.
const EXIT_USAGE: u8 = 2;

/// Why a command stops.
#[derive(Debug)]
pub enum Failure {
    /// A rule has errors, and they have been shown.
    Shown,
    /// A file could not be read, and that has been shown.
    ShownFile,
    /// Nobody reads standard output any more.
    Closed,
    /// To be shown.
    Message(Box<Message>),
}

/// What is wrong where no text of a rule is to be shown.
#[derive(Debug)]
pub struct Message {
    code: Option<Code>,
    text: String,
    help: Vec<String>,
    exit: u8,
    /// Whether the text has been rendered already.
    rendered: bool,
}

impl Failure {
    /// Data that do not fit.
    pub fn data(code: Code, text: impl Into<String>) -> Self {
        Self::new(Some(code), text.into(), EXIT_ERRORS)
    }

    /// A command line that cannot be carried out.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::new(None, text.into(), EXIT_USAGE)
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::new(Some(code::FILE_ERROR), format!("{}: {reason}", path.display()), EXIT_USAGE)
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Failure::Message(message) = &mut self {
            message.help.push(help.into());
        }
        self
    }

    /// Adds the nearest known name, where there is one.
    #[must_use]
    pub fn nearest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match did_you_mean(name, known) {
            Some(help) => self.help(help),
            None => self,
        }
    }

    fn new(code: Option<Code>, text: String, exit: u8) -> Self {
        Failure::Message(Box::new(Message { code, text, help: Vec::new(), exit, rendered: false }))
    }
}

impl From<aplysia::Error> for Failure {
    fn from(error: aplysia::Error) -> Self {
        let exit = if matches!(error, aplysia::Error::File { .. }) { EXIT_USAGE } else { EXIT_ERRORS };
        let rendered = matches!(error, aplysia::Error::Rule { .. });
        let (code, text) = (Some(error.code()), error.to_string());
        Failure::Message(Box::new(Message { code, text, help: Vec::new(), exit, rendered }))
    }
}

/// Shows what is left to show, and gives the exit code.
pub fn conclude(failure: &Failure) -> u8 {
    match failure {
        Failure::Shown => EXIT_ERRORS,
        Failure::ShownFile => EXIT_USAGE,
        Failure::Closed => 0,
        Failure::Message(message) => {
            show(&rendered(message, colored()));
            message.exit
        }
    }
}

fn rendered(message: &Message, color: bool) -> String {
    if message.rendered {
        return format!("{}\n", message.text);
    }
    if let Some(code) = message.code {
        let mut diagnostic = Diagnostic::new(code, Span::default(), message.text.as_str());
        diagnostic.help.clone_from(&message.help);
        return render::render(&Sources::new(), &diagnostic, color) + "\n";
    }
    let (red, bold, plain) = if color { ("\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[0m") } else { ("", "", "") };
    let mut text = format!("{red}error{plain}{bold}: {}{plain}\n", message.text);
    for help in &message.help {
        text.push_str(&format!("{bold}help{plain}: {help}\n"));
    }
    text
}

/// Shows diagnostics with their places.
pub fn diagnostics(sources: &Sources, found: &Diagnostics) {
    show(&render::render_all(sources, found, colored()));
}

/// Shows what is wrong with a rule, and is the failure.
pub fn refused(sources: &Sources, found: &Diagnostics) -> Failure {
    diagnostics(sources, found);
    Failure::Shown
}

/// Writes to standard error. That nobody reads it is no reason to stop.
pub fn show(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output.
///
/// # Errors
/// Where it is closed, which ends the program quietly, or cannot be written.
pub fn print(text: &str) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::file(Path::new("standard output"), error),
    })
}

/// Writes a JSON value to standard output.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &serde_json::Value) -> Outcome {
    print(&format!("{value:#}\n"))
}

/// Whether messages are coloured.
fn colored() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(failure: Failure) -> Message {
        match failure {
            Failure::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_with_a_code_look_like_diagnostics() {
        let failure = Failure::data(code::WRONG_SHAPE, "`w` has the wrong shape").help("transpose it");
        let message = message(failure);
        assert_eq!(message.exit, EXIT_ERRORS);
        let text = rendered(&message, false);
        assert!(text.starts_with("error[E0805]: `w` has the wrong shape"), "{text}");
        assert!(text.contains("help: transpose it"), "{text}");
    }

    #[test]
    fn messages_without_a_code_do_too() {
        let message = message(Failure::usage("no").nearest("crystalize", ["crystallize", "w"]));
        assert_eq!(message.exit, EXIT_USAGE);
        assert_eq!(rendered(&message, false), "error: no\nhelp: did you mean `crystallize`?\n");
        assert!(rendered(&message, true).contains("\u{1b}[1;31merror"));
    }

    #[test]
    fn files_are_the_callers_concern() {
        let source = io::Error::other("gone");
        let error = aplysia::Error::File { path: "x".into(), source };
        assert_eq!(message(error.into()).exit, EXIT_USAGE);
        assert_eq!(message(aplysia::Error::MissingRule.into()).exit, EXIT_ERRORS);
    }
}
