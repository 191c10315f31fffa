//! Which variables a statement may write, by the stage it stands in.

use super::context::{Binding, Checker, Stage, Symbol};
use crate::ast::{AssignOperator, Path};
use crate::diag::{Diagnostic, code, did_you_mean};
use crate::ir::{self, VarId, VarKind};
use crate::source::Span;

impl Checker<'_> {
    /// The variable that an assignment names, if it can be written at all.
    pub fn target(&mut self, path: &Path) -> Option<VarId> {
        let name = path.dotted();
        let refuse = |c: &mut Self, what: &str, help: &str| {
            let message = format!("`{name}` is {what} and cannot be written");
            c.report(Diagnostic::new(code::NOT_WRITABLE, path.span, message).help(help));
            None
        };
        match self.environment.find(&name) {
            Some((_, Binding::Poison, _)) => return None,
            Some(_) => return refuse(self, "a local name", "declare a state for what changes"),
            None => {}
        }
        match self.symbols.get(&name) {
            Some(Symbol::Variable(variable)) => {
                let variable = *variable;
                match self.builder.rule.variables[variable].kind {
                    VarKind::Param => refuse(self, "a parameter, which the host sets,", "declare a state"),
                    VarKind::Input { .. } => {
                        refuse(self, "an input, which the host gives,", "declare a state")
                    }
                    VarKind::State
                    | VarKind::Plastic { .. }
                    | VarKind::Proposal { .. }
                    | VarKind::Output
                    | VarKind::Extern => Some(variable),
                }
            }
            Some(Symbol::Constant(_)) => refuse(self, "a constant", "declare a state for what changes"),
            Some(Symbol::Option(_)) => refuse(self, "an option", "options are chosen in a composition"),
            Some(Symbol::Poison) => None,
            None => {
                let fixed = ["dt", "t", "step", "pi", "inf"];
                if fixed.contains(&name.as_str()) || name.starts_with("pre.") || name.starts_with("post.") {
                    return refuse(self, "a built-in value", "declare a state for what changes");
                }
                let known = self.symbols.keys().map(String::as_str);
                let help = did_you_mean(&name, known);
                let message = format!("there is no `{name}` here");
                self.report(Diagnostic::new(code::UNKNOWN_NAME, path.span, message).maybe_help(help));
                None
            }
        }
    }

    /// The cells of the stage table.
    pub fn may_write(&mut self, variable: VarId, operator: AssignOperator, span: Span) -> bool {
        use Stage::*;
        let Self { builder, stage, .. } = &*self;
        let ir::Variable { kind, name, .. } = &builder.rule.variables[variable];
        let increment = matches!(operator, AssignOperator::Add | AssignOperator::Subtract);
        let (allowed, help) = match kind {
            VarKind::Proposal { .. } if *stage == Update && !increment => {
                let message = format!("`{name}` can only be added to here: other rules add to it as well");
                let help = "use `+=` or `-=`, or rewrite the sum of all proposals in `modulate`";
                self.report(Diagnostic::new(code::PROPOSAL_ADDS, span, message).help(help));
                return false;
            }
            VarKind::Proposal { of } => (
                matches!(stage, Update | Modulate),
                format!("write `{}` itself, or propose in `update`", builder.rule.variables[*of].name),
            ),
            VarKind::Plastic { proposal } => (
                matches!(stage, Apply | Constrain | Create | Call | Every),
                format!(
                    "propose a change, `{} += …`; `apply` and `constrain` write `{name}`",
                    builder.rule.variables[*proposal].name
                ),
            ),
            VarKind::State | VarKind::Extern => (
                matches!(stage, Update | Modulate | Apply | Create | Call | Every),
                "write it in `update`, `modulate` or `apply`".to_owned(),
            ),
            VarKind::Output => (*stage == Update, "write it in `on pre`, `on post` or `update`".to_owned()),
            VarKind::Param | VarKind::Input { .. } => (false, String::new()),
        };
        if !allowed {
            let what = super::path::kind_words(*kind);
            let message = format!("`{name}`, {what}, cannot be written in {}", stage.words());
            self.report(Diagnostic::new(code::STAGE_WRITE, span, message).help(help));
        }
        allowed
    }
}
