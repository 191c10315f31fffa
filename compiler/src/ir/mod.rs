//! The rule IR: what a checked and composed rule means, as plain data.
//!
//! # Values
//! Every expression has a [`Type`], a [`Shape`] (the domain it lives in, and whether there is one value for each
//! element of the batch) and is pure: it may be evaluated anywhere between the statement before it and the
//! statement it belongs to, any number of times. A value of a wider domain (one that has fewer elements)
//! broadcasts into a narrower one without a node of its own. A type never changes silently: [`ExprKind::Convert`]
//! is the only way from one to another.
//!
//! * `Wide` is a number made only of literals, constants, `dt` and global parameters. It is computed in f64, with
//!   our own functions, when a parameter changes, and rounded once where it meets another value.
//! * `Real` is a number in the group's precision, f32 or f64. Each operation rounds once, to nearest even; nothing
//!   is reassociated or contracted.
//! * `Int` is a 64-bit integer that wraps: `step`, counts, indices and `int` states.
//! * `Bool` is a condition. As a number it is 0 or 1.
//!
//! # Statements
//! A statement runs once for each element of its target's shape. It computes the values of all elements before it
//! writes any, and is complete before the next begins. A condition is evaluated once for all elements, before its
//! block. A [`Statement::Let`] is evaluated where it stands.
//!
//! # One step
//! 1. `dw` of every plastic variable is set to 0 (where changes are applied in every step; else after the apply).
//! 2. [`Rule::equations`] advance together, from the values before the step, and add the plastic ones to `dw`.
//! 3. [`Rule::update`], [`Rule::modulate`], [`Rule::apply`], [`Rule::constrain`], each in order.
//! 4. [`Rule::schedules`] that are due.
//!
//! `on pre { S }` is already `update { if pre.spike { S } }`, a sum over synapses that the author wrote as an
//! increment of an output is an explicit [`ExprKind::Reduce`], and a factor `pre.spike` or `post.spike` of a product
//! is an [`ExprKind::Gate`]. Units are gone: all is in ms, mV, pA, nS and pF. Options, `match`, functions and `for`
//! are gone too. Spans stand beside the nodes, in [`Rule::expr_spans`] and in the statements.

pub mod build;
mod expr;
pub mod operands;
pub mod print;
#[cfg(test)]
pub(crate) mod sample;
mod stmt;

pub use expr::*;
pub use stmt::*;

use std::collections::BTreeSet;

use crate::arena::{Arena, Handle};
use crate::source::Span;

/// A variable of a rule.
pub type VarId = Handle<Variable>;
/// An expression of a rule.
pub type ExprId = Handle<Expr>;
/// A `let`.
pub type LocalId = Handle<Local>;
/// A textual occurrence of a draw.
pub type SiteId = Handle<Site>;

/// A checked rule, alone or composed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its documentation, a line each.
    pub docs: Vec<String>,
    /// All variables: first by part, then in the order written.
    pub variables: Arena<Variable>,
    /// All expressions; an operand always stands before the expression that uses it.
    pub exprs: Arena<Expr>,
    /// The place of each expression in the text, by its index.
    pub expr_spans: Vec<Span>,
    /// All `let`s.
    pub locals: Arena<Local>,
    /// All draws, in the order of the composed text; the index is the site's number in the random stream.
    pub sites: Arena<Site>,
    /// The differential equations.
    pub equations: Vec<Equation>,
    /// `on create`, after the initial values.
    pub create: Block,
    /// The proposals: `on pre`, `on post` and `update`, in the order written.
    pub update: Block,
    /// The rewriting of the proposals.
    pub modulate: Block,
    /// From `dw` to `w`, one for each plastic variable that a rule applies by itself; the others use the default,
    /// `if dw != 0 { w += dw; }`, which `compose::finish` has written out here.
    pub apply: Block,
    /// The constraints, the clips to the declared ranges (written out by `compose::finish`) last.
    pub constrain: Block,
    /// `on call NAME { … }`.
    pub calls: Vec<Call>,
    /// `every N steps { … }`.
    pub schedules: Vec<Schedule>,
    /// When modulate, apply and constrain run.
    pub apply_when: When,
    /// How increments are combined over the batch, if the rule says.
    pub batch: Option<BatchReduction>,
    /// Further addresses (`istdp.x`) of variables that composing has kept once: equal states, shared parameters and
    /// states that another part reads as `extern`.
    pub aliases: Vec<(String, VarId)>,
}

impl Rule {
    /// All blocks of statements: those of a creation and of a step in their order, then what is called or scheduled.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let calls = self.calls.iter().map(|call| &call.body);
        let schedules = self.schedules.iter().map(|schedule| &schedule.body);
        let stages = [&self.create, &self.update, &self.modulate, &self.apply, &self.constrain];
        stages.into_iter().chain(calls).chain(schedules)
    }

    /// The parameters that the constraints read; a change of one concerns every synapse.
    pub fn parameters_of_constrain(&self) -> BTreeSet<VarId> {
        let mut roots = Vec::new();
        let mut open: Vec<&Block> = vec![&self.constrain];
        while let Some(block) = open.pop() {
            for statement in block {
                match statement {
                    Statement::Let { value, .. } | Statement::Assign { value, .. } => roots.push(*value),
                    Statement::If { condition, then, otherwise, .. } => {
                        roots.push(*condition);
                        open.extend([then, otherwise]);
                    }
                }
            }
        }
        let reached = operands::reachable(&self.exprs, roots);
        let loads = reached.into_iter().filter_map(|id| match self.exprs[id].kind {
            ExprKind::Load { variable, .. } => Some(variable),
            _ => None,
        });
        loads.filter(|&variable| self.variables[variable].kind == VarKind::Param).collect()
    }

    /// The draw of a name: its address, or the last part of the address where only one draw has it.
    ///
    /// # Errors
    /// The addresses that the name may stand for: none, or more than one.
    pub fn site_named(&self, name: &str) -> Result<SiteId, Vec<&str>> {
        let addressed = || self.sites.iter().filter_map(|(id, site)| Some((id, site.address.as_deref()?)));
        if let Some((id, _)) = addressed().find(|(_, address)| *address == name) {
            return Ok(id);
        }
        let short = |address: &str| address.rsplit('.').next() == Some(name);
        let found: Vec<(SiteId, &str)> = addressed().filter(|(_, address)| short(address)).collect();
        match found[..] {
            [(id, _)] => Ok(id),
            _ => Err(found.into_iter().map(|(_, address)| address).collect()),
        }
    }
}

/// Statements in order.
pub type Block = Vec<Statement>;

/// Where a value lives: one for the group, for each neuron, for each synapse …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// One for the group.
    Global,
    /// One for each input channel of a convolution; elsewhere for each presynaptic neuron.
    PreChannel,
    /// One for each output channel of a convolution; elsewhere for each postsynaptic neuron.
    PostChannel,
    /// One for each presynaptic neuron.
    Pre,
    /// One for each postsynaptic neuron.
    Post,
    /// One for each synapse.
    Synapse,
}

impl Domain {
    /// Whether a value of `self` can be read, broadcast, in an expression of `other`.
    pub fn broadcasts_to(self, other: Domain) -> bool {
        self.join(other) == other
    }

    /// The smallest domain that holds both.
    pub fn join(self, other: Domain) -> Domain {
        use Domain::*;
        match (self, other) {
            (a, b) if a == b => a,
            (Global, x) | (x, Global) => x,
            (PreChannel, Pre) | (Pre, PreChannel) => Pre,
            (PostChannel, Post) | (Post, PostChannel) => Post,
            _ => Synapse,
        }
    }

    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            Domain::Global => "global",
            Domain::PreChannel => "pre_channel",
            Domain::PostChannel => "post_channel",
            Domain::Pre => "pre",
            Domain::Post => "post",
            Domain::Synapse => "synapse",
        }
    }
}

/// Domain and batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Where the value lives.
    pub domain: Domain,
    /// Whether there is one for each element of the batch.
    pub batched: bool,
    /// Whether it is a value of a (pre, post) pair: a synapse value that reads a neuron's. On a topology that
    /// shares no weights this is the same as a value of the synapse.
    pub pair: bool,
}

impl Shape {
    /// A value of a domain, not batched, not of a pair.
    pub fn of(domain: Domain) -> Self {
        Self { domain, batched: false, pair: false }
    }

    /// Whether a value may differ between the uses of a shared synapse: a neuron's does, and what reads one.
    pub fn differs_by_pair(self) -> bool {
        self.pair || matches!(self.domain, Domain::Pre | Domain::Post)
    }

    /// The shape of an expression that reads both. Two sides that meet make a value of a pair.
    pub fn join(self, other: Shape) -> Shape {
        let neuron = |domain| matches!(domain, Domain::Pre | Domain::Post);
        let domain = self.domain.join(other.domain);
        let pair = self.pair
            || other.pair
            || (domain == Domain::Synapse && (neuron(self.domain) || neuron(other.domain)));
        Shape { domain, batched: self.batched || other.batched, pair }
    }
}

/// What an expression's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// f64, of literals, constants, `dt` and global parameters only.
    Wide,
    /// f32 or f64, as the group has it.
    Real,
    /// i64, wrapping.
    Int,
    /// A condition.
    Bool,
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// The part that declares it: the rule's name, or the alias; empty for `plastic`, `input` and `output`, which
    /// the parts share.
    pub part: String,
    /// Its name within the part.
    pub name: String,
    /// Its documentation.
    pub docs: Vec<String>,
    /// What it is for.
    pub kind: VarKind,
    /// Where it lives; a declared `pre`, `post`, `batched` or `shared` decides about the batch.
    pub shape: Shape,
    /// `Wide` for a global parameter, `Int` for `: int`, `Real` else.
    pub ty: Type,
    /// The length of an array, innermost; `None` for a plain variable.
    pub length: Option<u32>,
    /// The declared unit.
    pub unit: DeclaredUnit,
    /// `in lo .. hi`: `Wide` expressions. For parameters and `past` they are constants.
    pub range: Option<(ExprId, ExprId)>,
    /// The initial value or default. For a parameter a `Wide` expression of constants; for states and plastics any
    /// expression that a creation may use; for an array one for each element or one for all.
    pub init: Vec<ExprId>,
    /// Where it is declared.
    pub span: Span,
}

impl Variable {
    /// `stdp.x`, or `w` where the parts share it.
    pub fn address(&self) -> String {
        if self.part.is_empty() { self.name.clone() } else { format!("{}.{}", self.part, self.name) }
    }

    /// How many elements it has at one place.
    pub fn elements(&self) -> u32 {
        self.length.unwrap_or(1)
    }
}

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VarKind {
    /// Set by the host between steps.
    Param,
    /// Persistent.
    State,
    /// Trainable; the variable that holds its proposed change.
    Plastic {
        /// `dw`
        proposal: VarId,
    },
    /// The proposed change of a plastic variable.
    Proposal {
        /// `w`
        of: VarId,
    },
    /// Given by the host in each step.
    Input {
        /// Whether the host must give it, because there is no default.
        required: bool,
    },
    /// Zeroed at the start of each step and read by the host after it.
    Output,
    /// A state of another rule, not yet found; `compose::finish` leaves none.
    Extern,
}

/// What the host's bare numbers mean.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredUnit {
    /// As written, `mV` or `1/ms`; empty where there is none.
    pub text: String,
    /// A number in the declared unit times `scale` is one in base units.
    pub scale: f64,
    /// The dimension, as text (`time`, `1/time`, `voltage`), for messages and `explain`.
    pub dimension: String,
}

impl Default for DeclaredUnit {
    fn default() -> Self {
        Self { text: String::new(), scale: 1.0, dimension: String::new() }
    }
}
