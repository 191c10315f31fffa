//! What compiling one kernel leaves for the next: memory that has been allocated before.

use std::sync::{Arc, Mutex, PoisonError};

use cranelift_codegen::Context;
use cranelift_frontend::FunctionBuilderContext;

/// What a function is written and compiled in.
pub(super) struct Workshop {
    /// With the function.
    pub context: Context,
    /// Of variables and blocks while it is written.
    pub builder: FunctionBuilderContext,
}

impl Workshop {
    /// An empty one.
    pub fn new() -> Self {
        Self { context: Context::new(), builder: FunctionBuilderContext::new() }
    }
}

/// A workshop that nobody is in, if there is one: who finds none makes one, so that nobody waits.
#[derive(Clone, Default)]
pub(super) struct Workshops {
    idle: Arc<Mutex<Option<Box<Workshop>>>>,
}

impl Workshops {
    /// Takes one. It comes back by [`leave`](Self::leave), or not at all where its work has failed.
    pub fn enter(&self) -> Box<Workshop> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        idle.unwrap_or_else(|| Box::new(Workshop::new()))
    }

    /// Leaves one for the next kernel.
    pub fn leave(&self, mut workshop: Box<Workshop>) {
        workshop.context.clear();
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(workshop);
    }
}
