//! What decides the values of a state, in a form that can be compared.
//!
//! Two states have equal signatures only if they start equal and every statement that writes one has a counterpart
//! that writes the other: under the same conditions, in the same way, with a value that is made of the same parameters,
//! inputs and constants. Where that cannot be said cheaply and safely a state has no signature: it draws, or what it
//! is written with may change between the two statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ir::build::RuleBuilder;
use crate::ir::{
    AssignOp, Block, DeclaredUnit, ExprId, ExprKind, LocalId, Rule, Shape, Solver, Statement, Type, VarId,
    VarKind,
};
use crate::source::Span;

/// How many expressions may be looked at before the rest of the states are left as they are.
const MOST_VISITS: usize = 4_000_000;

/// All that must agree, but for the order of reads. Expressions are handles of the comparing [`Signatures`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signature {
    shape: Shape,
    ty: Type,
    length: Option<u32>,
    unit: DeclaredUnit,
    range: Option<(ExprId, ExprId)>,
    init: Vec<ExprId>,
    equations: Vec<(u32, Solver, ExprId)>,
    /// For each block of the rule, the statements that write the state.
    writes: Vec<Vec<Write>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Write {
    /// The conditions around it, outermost first, and whether they must hold.
    path: Vec<(ExprId, bool)>,
    element: u32,
    op: AssignOp,
    value: ExprId,
}

/// Computes signatures of one rule's states.
pub(super) struct Signatures<'a> {
    rule: &'a Rule,
    /// Gives equal expressions one handle; its last variable stands for the state itself.
    interner: RuleBuilder,
    itself: VarId,
    definitions: HashMap<LocalId, ExprId>,
    /// What each block writes.
    written: Vec<BTreeSet<VarId>>,
    /// Every assignment, by its target: block, conditions and the statement.
    assignments: BTreeMap<VarId, Vec<Assignment<'a>>>,
    visits: usize,
}

struct Assignment<'a> {
    block: usize,
    path: Vec<(ExprId, bool)>,
    statement: &'a Statement,
}

/// What an expression may read so that it has the same value at both places of the text.
#[derive(Clone, Copy)]
enum Reads<'a> {
    /// Everything is read at one moment: initial values and equations.
    Anything,
    /// In a block that writes these.
    Unwritten(&'a BTreeSet<VarId>),
}

impl<'a> Signatures<'a> {
    pub(super) fn new(rule: &'a Rule) -> Self {
        let mut interner = RuleBuilder::new("");
        interner.rule.variables = rule.variables.clone();
        let itself = interner.rule.variables.push(crate::ir::Variable {
            part: String::new(),
            name: String::new(),
            docs: Vec::new(),
            kind: VarKind::State,
            shape: Shape::of(crate::ir::Domain::Global),
            ty: Type::Real,
            length: None,
            unit: DeclaredUnit::default(),
            range: None,
            init: Vec::new(),
            span: Span::default(),
        });
        let mut signatures = Self {
            rule,
            interner,
            itself,
            definitions: HashMap::new(),
            written: Vec::new(),
            assignments: BTreeMap::new(),
            visits: 0,
        };
        for (index, block) in rule.blocks().enumerate() {
            signatures.written.push(BTreeSet::new());
            signatures.collect(index, block, &mut Vec::new());
        }
        signatures
    }

    fn collect(&mut self, index: usize, block: &'a Block, path: &mut Vec<(ExprId, bool)>) {
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    self.definitions.insert(*local, *value);
                }
                Statement::Assign { variable, .. } => {
                    self.written[index].insert(*variable);
                    let assignment = Assignment { block: index, path: path.clone(), statement };
                    self.assignments.entry(*variable).or_default().push(assignment);
                }
                Statement::If { condition, then, otherwise, .. } => {
                    for (holds, body) in [(true, then), (false, otherwise)] {
                        path.push((*condition, holds));
                        self.collect(index, body, path);
                        path.pop();
                    }
                }
            }
        }
    }

    /// The signature of a state, if it has one.
    pub(super) fn of(&mut self, state: VarId) -> Option<Signature> {
        let variable = &self.rule.variables[state];
        let mut anything = Interning::new(state, Reads::Anything);
        let init = self.all(&mut anything, &variable.init)?;
        let range = match variable.range {
            Some((low, high)) => {
                Some((self.intern(&mut anything, low, false)?, self.intern(&mut anything, high, false)?))
            }
            None => None,
        };
        let mut equations = Vec::new();
        for equation in self.rule.equations.iter().filter(|equation| equation.variable == state) {
            let value = self.intern(&mut anything, equation.value, true)?;
            equations.push((equation.element, equation.solver, value));
        }
        let mut writes = vec![Vec::new(); self.written.len()];
        // Taken out so that interning can borrow the rest.
        let assignments = self.assignments.remove(&state).unwrap_or_default();
        let complete = assignments.iter().try_for_each(|assignment| {
            writes[assignment.block].push(self.write(state, assignment)?);
            Some(())
        });
        self.assignments.insert(state, assignments);
        complete?;
        Some(Signature {
            shape: variable.shape,
            ty: variable.ty,
            length: variable.length,
            unit: variable.unit.clone(),
            range,
            init,
            equations,
            writes,
        })
    }

    fn write(&mut self, state: VarId, assignment: &Assignment<'a>) -> Option<Write> {
        let Statement::Assign { element, op, value, .. } = assignment.statement else { return None };
        let written = self.written[assignment.block].clone();
        let mut interning = Interning::new(state, Reads::Unwritten(&written));
        let mut path = Vec::new();
        for &(condition, holds) in &assignment.path {
            path.push((self.intern(&mut interning, condition, false)?, holds));
        }
        let value = self.intern(&mut interning, *value, true)?;
        Some(Write { path, element: *element, op: *op, value })
    }

    fn all(&mut self, interning: &mut Interning<'_>, ids: &[ExprId]) -> Option<Vec<ExprId>> {
        ids.iter().map(|&id| self.intern(interning, id, false)).collect()
    }

    /// The canonical handle of an expression, in which the state is a placeholder; `None` where it has none. With
    /// `itself` the expression may read the state, which it then does just before it is written.
    fn intern(&mut self, interning: &mut Interning<'_>, root: ExprId, itself: bool) -> Option<ExprId> {
        // An explicit stack of (expression, operands are done): the text's author decides how deep it gets.
        let mut stack = vec![(root, itself, false)];
        while let Some((id, itself, ready)) = stack.pop() {
            if interning.known.contains_key(&(id, itself)) {
                continue;
            }
            self.visits += 1;
            if self.visits > MOST_VISITS {
                return None;
            }
            let expr = &self.rule.exprs[id];
            let inner = itself && !matches!(expr.kind, ExprKind::Past { .. } | ExprKind::Local(_));
            let below = match &expr.kind {
                ExprKind::Local(local) => vec![*self.definitions.get(local)?],
                kind => kind.operands(),
            };
            if !ready {
                stack.push((id, itself, true));
                stack.extend(below.iter().map(|&operand| (operand, inner, false)));
                continue;
            }
            let canonical = match &expr.kind {
                ExprKind::Draw { .. } => return None,
                ExprKind::Local(_) => *interning.known.get(&(*below.first()?, inner))?,
                ExprKind::Load { variable, element } => {
                    let variable = interning.load(*variable, itself, self.itself)?;
                    let kind = ExprKind::Load { variable, element: *element };
                    self.interner.push(kind, expr.ty, expr.shape, Span::default())
                }
                kind => {
                    let known = &interning.known;
                    let kind = kind.map_operands(|id| {
                        *known.get(&(id, inner)).unwrap_or_else(|| crate::ice!("an operand was left out"))
                    });
                    self.interner.push(kind, expr.ty, expr.shape, Span::default())
                }
            };
            interning.known.insert((id, itself), canonical);
        }
        interning.known.get(&(root, itself)).copied()
    }
}

/// The expressions that have been seen for one state in one block.
struct Interning<'a> {
    state: VarId,
    reads: Reads<'a>,
    known: HashMap<(ExprId, bool), ExprId>,
}

impl<'a> Interning<'a> {
    fn new(state: VarId, reads: Reads<'a>) -> Self {
        Self { state, reads, known: HashMap::new() }
    }

    /// What a read variable is called; `None` where its value may differ between the places.
    fn load(&self, variable: VarId, itself: bool, placeholder: VarId) -> Option<VarId> {
        if variable == self.state {
            return itself.then_some(placeholder);
        }
        match self.reads {
            Reads::Anything => Some(variable),
            Reads::Unwritten(written) => (!written.contains(&variable)).then_some(variable),
        }
    }
}
