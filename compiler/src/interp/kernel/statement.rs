//! Statements, branches and loops.

use super::*;

impl<C: Cells + ?Sized> Machine<'_, '_, C> {
    pub(super) fn block(&mut self, block: &[Stmt]) -> Result<(), Fault> {
        block.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<(), Fault> {
        self.step()?;
        match stmt {
            Stmt::Let(value) => {
                let kernel = self.kernel;
                let bits = self.op(&kernel.values[*value])?;
                self.set(*value, bits);
                Ok(())
            }
            Stmt::Store { buffer, index, value, gate } => {
                if gate.is_some_and(|gate| !self.holds(gate)) {
                    return Ok(());
                }
                self.store(*buffer, self.long(*index), self.bits(*value))
            }
            Stmt::If { condition, then, otherwise, results } => {
                let holds = self.holds(*condition);
                self.block(if holds { then } else { otherwise })?;
                for result in results {
                    let bits = self.bits(if holds { result.then } else { result.otherwise });
                    self.set(result.value, bits);
                }
                Ok(())
            }
            Stmt::For(each) => self.each(each),
            Stmt::Reduce(reduce) => self.reduce(reduce),
            Stmt::Tile(tile) => self.tile(tile),
            Stmt::Fill(_) => Err(self.not_expanded("Fill".to_string())),
            // It asks for data and changes none.
            Stmt::Fetch(_) => Ok(()),
        }
    }

    fn each(&mut self, each: &Loop) -> Result<(), Fault> {
        let (start, end) = match (each.kind, each.start, each.end) {
            (LoopKind::Blocks, _, _) => self.blocks,
            (LoopKind::Lanes | LoopKind::Serial, Some(start), Some(end)) => {
                (self.long(start), self.long(end))
            }
            (LoopKind::Lanes | LoopKind::Serial, _, _) => crate::ice!("a loop without a bound"),
        };
        let mut carried: Vec<u64> = each.carried.iter().map(|carried| self.bits(carried.initial)).collect();
        for index in start..end {
            self.step()?;
            self.set(each.index, index as u64);
            for (value, &bits) in each.carried.iter().zip(&carried) {
                self.set(value.value, bits);
            }
            self.block(&each.body)?;
            // All are taken before any is set: one may be another's value at the start.
            carried = each.carried.iter().map(|carried| self.bits(carried.next)).collect();
            if each.exit.is_some_and(|exit| self.holds(exit)) {
                break;
            }
        }
        for (value, bits) in each.carried.iter().zip(carried) {
            self.set(value.result, bits);
        }
        Ok(())
    }
}
