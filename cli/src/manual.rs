//! `aplysia completions` and `aplysia man`, both made from the command line's own description.

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::report::{self, Failure, Outcome};

/// Prints a completion script.
///
/// # Errors
/// Where standard output cannot be written.
pub fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "aplysia", &mut script);
    report::print(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program or of a command.
///
/// # Errors
/// Where there is no such command.
pub fn page(name: Option<&str>) -> Outcome {
    let mut program = Arguments::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let known: Vec<String> =
                    program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
                let failure = Failure::usage(format!("there is no command `{name}`"));
                return Err(failure.nearest(name, known.iter().map(String::as_str)));
            }
        },
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::usage(format!("the page cannot be written: {error}")))?;
    report::print(&String::from_utf8_lossy(&page))
}
