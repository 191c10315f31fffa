//! Loops as functions of their own: those that read at places which arrays name, and those over parts of rows.
//!
//! LLVM makes vectors of a loop only if it knows that what is written overlaps with nothing that is read, or can ask before: at
//! the start of each part, and not at all where places are named. It knows that of a function's arguments; slices that have
//! been cut in the same function look as if they came from anywhere.

use std::collections::HashMap;

use super::op::type_word;
use super::write::{Writer, needed, words};
use crate::kernel::*;

impl Writer<'_> {
    /// Whether a loop's body reads at such places.
    pub fn gathers(&self, body: &[Stmt]) -> bool {
        body.iter().any(|stmt| {
            let Stmt::Let(value) = stmt else { return false };
            let Op::Load(buffer, _) = self.kernel.values[*value].op else { return false };
            self.named.contains(&buffer) && !self.defined.contains(value)
        })
    }

    /// Makes a function of the lines from `first` on, the loop over an index of `number` iterations, and calls it for so many.
    /// Where these are a part's, it is called for a whole part apart, whose length rustc knows.
    pub fn set_apart(
        &mut self,
        first: usize,
        index: &str,
        number: &str,
        (count, part): (&str, Option<&str>),
    ) {
        let name = self.names.fresh(&format!("each_{index}"));
        let others = self.function(first, &name, number, "");
        match part {
            Some(part) => {
                self.braces(format!("if {part}.is_whole()"), "} else {", |w| {
                    w.line(format!("{name}(native::PART{others});"));
                });
                self.inside(|w| w.line(format!("{name}({count}{others});")));
                self.line("}");
            }
            None => self.line(format!("{name}({count}{others});")),
        }
    }

    /// Makes a function of the lines from `first` on: of a number of iterations and of what the lines mention, which is returned
    /// as arguments behind the number.
    pub fn function(&mut self, first: usize, name: &str, number: &str, returns: &str) -> String {
        let lines = needed(self.lines.split_off(first));
        let free = self.free(lines.iter().map(|line| line.text.as_str()));
        self.line("#[inline(always)]");
        self.line(format!("fn {name}("));
        self.inside(|w| {
            w.line(format!("{number}: usize,"));
            free.iter().for_each(|(name, ty)| w.line(format!("{name}: {ty},")));
        });
        self.line(format!("){returns} {{"));
        for mut line in lines {
            line.depth += 1;
            self.lines.push(line);
        }
        self.line("}");
        free.iter().map(|(name, _)| format!(", {name}")).collect()
    }

    /// The names that lines mention and do not define, as they come, with their types.
    fn free<'l>(&self, lines: impl Iterator<Item = &'l str>) -> Vec<(String, String)> {
        let values = self
            .kernel
            .values
            .handles()
            .map(|value| (self.names.value(value).to_owned(), type_word(self.ty(value)).to_owned()));
        let others = self.types.iter().map(|(name, ty)| (name.clone(), ty.clone()));
        let types: HashMap<String, String> = values.chain(self.parameters()).chain(others).collect();
        let mut free: Vec<(String, String)> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for line in lines {
            let mut before = "";
            for (prefix, word) in words(line) {
                let defines = matches!(before, "let" | "mut" | "for");
                before = word;
                let of_another = prefix.ends_with("::") || (prefix.ends_with('.') && !prefix.ends_with(".."));
                if of_another || seen.contains(&word) {
                    continue;
                }
                if let Some(ty) = types.get(word) {
                    seen.push(word);
                    if !defines {
                        free.push((word.to_owned(), ty.clone()));
                    }
                }
            }
        }
        free
    }
}
