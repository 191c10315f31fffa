//! What a group of a module may be besides dense: other topologies, batches, delays. Each rule is compiled for one of them.

use aplysia_compiler::ir::{BatchReduction, Domain, ExprKind, Over, Rule};
use aplysia_compiler::pass::delays::{Delay, Delays, with_delays};
use aplysia_compiler::topology::{Convolution, ConvolutionError, Kind, Topology};
use libtest_mimic::Failed;

use crate::cuda::topologies::topology;
use crate::machine::Case;

/// A form of groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// The topology.
    pub kind: Kind,
    /// Elements of the batch.
    pub batch: usize,
    /// Whether its groups have delays.
    pub delayed: bool,
}

/// What the modules of all rules are compiled for.
pub const DENSE: Form = Form { kind: Kind::Dense, batch: 1, delayed: false };

/// What they are compiled for in turn.
pub const OTHERS: [Form; 11] = [
    Form { kind: Kind::Sparse, ..DENSE },
    Form { kind: Kind::OneToOne, ..DENSE },
    Form { batch: 3, ..DENSE },
    Form { delayed: true, ..DENSE },
    Form { kind: Kind::Conv2d, ..DENSE },
    Form { kind: Kind::Sparse, batch: 3, ..DENSE },
    Form { kind: Kind::Local2d, ..DENSE },
    Form { kind: Kind::OneToOne, batch: 3, ..DENSE },
    Form { kind: Kind::Conv2d, batch: 3, ..DENSE },
    Form { kind: Kind::Sparse, delayed: true, ..DENSE },
    Form { kind: Kind::Local2d, batch: 3, ..DENSE },
];

/// What an expression gives, and its text.
macro_rules! with_text {
    ($($text:tt)*) => {
        ($($text)*, stringify!($($text)*))
    };
}

/// A convolution, and how a program writes it.
fn convolution() -> (Result<Convolution, ConvolutionError>, &'static str) {
    with_text!(Convolution::new(2, [5, 6], 3, [3, 2]).and_then(|shape| shape.with([1, 2], [1, 0], [1, 1], 1)))
}

impl Form {
    /// The rule as groups of this form have it; none where they cannot have it.
    pub fn case(self, rule: &Rule) -> Option<Case> {
        let blocks = |(_, expr): (_, &aplysia_compiler::ir::Expr)| {
            matches!(expr.kind, ExprKind::Reduce { over: Over::PostBlocks(_), .. })
        };
        if self.kind != Kind::Dense && rule.exprs.iter().any(blocks) {
            return None;
        }
        let mut rule = rule.clone();
        if self.batch > 1 && rule.batch.is_none() {
            rule.batch = Some(BatchReduction::Mean);
        }
        if self.delayed {
            let delay = |domain| Some(Delay { domain, longest_ms: 5.0 });
            let delays = Delays { axonal: delay(Domain::Pre), dendritic: delay(Domain::Global) };
            rule = with_delays(&rule, &delays).ok()?;
        }
        Some(Case { open: rule.clone(), rule })
    }

    /// A group's topology; the size is that of dense ones.
    pub fn topology(self, (pre, post): (usize, usize)) -> Result<Topology, Failed> {
        Ok(match self.kind {
            Kind::Dense => Topology::Dense { pre, post },
            Kind::OneToOne | Kind::Sparse => topology(self.kind)?,
            Kind::Conv2d => Topology::Conv2d(convolution().0?),
            Kind::Local2d => Topology::Local2d(convolution().0?),
        })
    }

    /// How a program makes it, of `pre` and `post` and what [`Form::words`] gives.
    pub fn text(self) -> String {
        let shape = || {
            format!(
                "{{ use native::Convolution; {}.expect(\"a shape\") }}",
                convolution().1.replace('\n', " ")
            )
        };
        match self.kind {
            Kind::Dense => "native::Dense { pre, post }".to_owned(),
            Kind::OneToOne => "native::OneToOne { count: pre }".to_owned(),
            Kind::Sparse => "input.sparse(pre, post)".to_owned(),
            Kind::Conv2d => format!("native::Conv2d({})", shape()),
            Kind::Local2d => format!("native::Local2d({})", shape()),
        }
    }

    /// What a program reads to make it.
    pub fn words(topology: &Topology) -> Vec<u64> {
        let Topology::Sparse(sparse) = topology else { return Vec::new() };
        let mut words = vec![sparse.row_start().len() as u64];
        words.extend(sparse.row_start());
        words.push(sparse.columns().len() as u64);
        words.extend(sparse.columns().iter().map(|&column| u64::from(column)));
        words
    }
}
