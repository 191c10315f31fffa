//! Two declarations of one variable: what must agree, and what one of them adds.

use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::{DeclaredUnit, Shape, Type, VarKind, Variable};
use crate::source::Span;

/// What a variable is called in messages.
pub(super) fn kind_word(kind: VarKind) -> &'static str {
    match kind {
        VarKind::Param => "a parameter",
        VarKind::State => "a state",
        VarKind::Plastic { .. } => "a plastic variable",
        VarKind::Proposal { .. } => "the proposed change of a plastic variable",
        VarKind::Input { .. } => "an input",
        VarKind::Output => "an output",
        VarKind::Extern => "an extern",
    }
}

/// Whether the parts of a composition share variables of this kind.
pub(super) fn is_shared(kind: VarKind) -> bool {
    match kind {
        VarKind::Plastic { .. } | VarKind::Proposal { .. } | VarKind::Input { .. } | VarKind::Output => true,
        VarKind::Param | VarKind::State | VarKind::Extern => false,
    }
}

/// The first difference that keeps two declarations from being one variable, as (of the first, of the second).
pub(super) fn difference(first: &Variable, second: &Variable) -> Option<(String, String)> {
    let word = |shape: Shape| shape.domain.word().to_owned();
    if first.shape.domain != second.shape.domain {
        return Some((word(first.shape), word(second.shape)));
    }
    if first.shape.batched != second.shape.batched {
        let batched = |shape: Shape| if shape.batched { "batched" } else { "shared" }.to_owned();
        return Some((batched(first.shape), batched(second.shape)));
    }
    if first.length != second.length {
        let length = |variable: &Variable| match variable.length {
            Some(length) => format!("an array of {length}"),
            None => "a single value".to_owned(),
        };
        return Some((length(first), length(second)));
    }
    if first.ty != second.ty {
        let ty = |ty: Type| if ty == Type::Int { "an integer" } else { "a number" }.to_owned();
        return Some((ty(first.ty), ty(second.ty)));
    }
    if first.unit.dimension != second.unit.dimension {
        return Some((dimension(&first.unit), dimension(&second.unit)));
    }
    None
}

/// The units of two declarations where the host's bare numbers would mean different things; a unit that is not
/// written follows the other.
pub(super) fn unit_difference(first: &Variable, second: &Variable) -> Option<(String, String)> {
    let (a, b) = (&first.unit, &second.unit);
    let agree = a.text.is_empty() || b.text.is_empty() || a.scale.to_bits() == b.scale.to_bits();
    (!agree).then(|| (format!("in {}", a.text), format!("in {}", b.text)))
}

fn dimension(unit: &DeclaredUnit) -> String {
    if unit.dimension.is_empty() {
        "dimensionless".to_owned()
    } else {
        format!("of dimension {}", unit.dimension)
    }
}

/// Adds to `first` what only `second` states. The handles of both are of one rule, where equal expressions have one
/// handle. For kinds see [`unify_kinds`].
pub(super) fn unify_values(
    first: &mut Variable,
    second: &Variable,
    name: &str,
    place: Span,
    diagnostics: &mut Diagnostics,
) {
    let mut disagree = |what: &str| {
        let message = format!("the parts give `{name}` different {what}");
        diagnostics.push(
            Diagnostic::new(code::SHARED_VALUES, place, message)
                .also(first.span, "stated here as well")
                .help("state it in one part only, or state the same"),
        );
    };
    match (first.range, second.range) {
        (Some(a), Some(b)) if a != b => disagree("ranges"),
        (Some(_), _) | (None, None) => {}
        (None, Some(range)) => first.range = Some(range),
    }
    if first.init.is_empty() {
        first.init.clone_from(&second.init);
    } else if !second.init.is_empty() && first.init != second.init {
        disagree("initial values");
    }
    if first.docs.is_empty() {
        first.docs.clone_from(&second.docs);
    }
    if first.unit.text.is_empty() {
        first.unit = second.unit.clone();
    }
}

/// Whether two shared variables are of one kind; an input is required only where no part gives a default.
pub(super) fn unify_kinds(first: &mut VarKind, second: VarKind) -> bool {
    match (*first, second) {
        (VarKind::Input { required: a }, VarKind::Input { required: b }) => {
            *first = VarKind::Input { required: a && b };
            true
        }
        (VarKind::Plastic { .. }, VarKind::Plastic { .. })
        | (VarKind::Proposal { .. }, VarKind::Proposal { .. })
        | (VarKind::Output, VarKind::Output) => true,
        (
            VarKind::Param
            | VarKind::State
            | VarKind::Plastic { .. }
            | VarKind::Proposal { .. }
            | VarKind::Input { .. }
            | VarKind::Output
            | VarKind::Extern,
            _,
        ) => false,
    }
}
