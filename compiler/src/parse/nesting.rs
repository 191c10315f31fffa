//! How deep a text is nested where a scan stands: in brackets, and in conditions, of which each may hold the next without a
//! bracket, as in `if if a { … } else { … } { … }`.

/// What is open.
#[derive(Default)]
pub(super) struct Nesting {
    open: Vec<Open>,
    /// The conditions that have begun and not ended, within the innermost bracket.
    conditions: usize,
    /// The same within all brackets.
    all_conditions: usize,
}

/// A bracket that is open.
struct Open {
    at: usize,
    /// The conditions that were open around it.
    conditions: usize,
}

impl Nesting {
    /// How deep it is.
    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.all_conditions
    }

    /// Where the innermost bracket was opened.
    pub(super) fn innermost(&self) -> Option<usize> {
        self.open.last().map(|open| open.at)
    }

    /// A word that a condition follows, or what is matched.
    pub(super) fn begin_condition(&mut self) {
        self.conditions += 1;
        self.all_conditions += 1;
    }

    /// A bracket opens; with it a condition ends, unless it only stands in one: of the braces those behind `else` and `=>`.
    pub(super) fn open(&mut self, at: usize, ends_condition: bool) {
        if ends_condition && self.conditions > 0 {
            self.conditions -= 1;
            self.all_conditions -= 1;
        }
        self.open.push(Open { at, conditions: self.conditions });
        self.conditions = 0;
    }

    /// The innermost bracket closes: where it was opened, if there is one.
    pub(super) fn close(&mut self) -> Option<usize> {
        let open = self.open.pop()?;
        self.end_statement();
        self.conditions = open.conditions;
        Some(open.at)
    }

    /// A semicolon: no condition goes beyond it.
    pub(super) fn end_statement(&mut self) {
        self.all_conditions -= self.conditions;
        self.conditions = 0;
    }
}
