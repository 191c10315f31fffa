//! From what the host says about a group to a group of an engine: the rule is finished, delayed and planned, arrays are
//! allocated, kernels compiled, the host's values put in place.

use std::sync::Arc;

use aplysia_compiler::ir::{ExprKind, Over, Rule, VarKind};
use aplysia_compiler::plan;
use aplysia_compiler::plan::program::Program;

use crate::device::executor::Machine;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::events::Side;
use crate::group::{Group, Plan};
use crate::handle::GroupId;
use crate::names::{self, Wanted};
use crate::rule::Finished;
use crate::state::{Given, GroupState};
use crate::values::Values;

impl Engine {
    /// Compiles the group's rule and allocates its arrays.
    ///
    /// # Errors
    /// If the rule has errors, or an array, name or size does not fit it.
    pub fn register(&mut self, mut group: Group) -> Result<GroupId> {
        let rule = group.rule.as_ref().ok_or(Error::MissingRule)?.finish()?;
        let dt = group.dt.milliseconds();
        if !(dt > 0.0 && dt.is_finite()) {
            return Err(Error::BadStepLength { dt });
        }
        if group.batch == 0 {
            return Err(Error::BadBatch);
        }
        let rule = rule.with_delays(&group.compiler_delays()?)?;
        let index = self.groups.len();
        let find = |(name, values): &(String, Values), wanted| {
            Ok((names::variable(&rule.ir, index, name, wanted)?, values.clone()))
        };
        // Arrays are large, and go over as they are.
        let init = |(name, values): (String, Values)| {
            Ok((names::variable(&rule.ir, index, &name, Wanted::State)?, values))
        };
        let draw = |(name, values): (String, Values)| Ok((names::draw(&rule.ir, index, &name)?, values));
        let delays = group.delay_parameters();
        let params = group.params.iter().chain(&delays);
        let given = Given {
            params: params.map(|named| find(named, Wanted::Param)).collect::<Result<_>>()?,
            inits: std::mem::take(&mut group.inits).into_iter().map(init).collect::<Result<_>>()?,
            draws: std::mem::take(&mut group.draws).into_iter().map(draw).collect::<Result<_>>()?,
        };
        // Parameters and inputs have their values before creation runs, the defaults included.
        let own_defaults = rule.ir.variables.iter().filter_map(|(id, variable)| {
            matches!(variable.kind, VarKind::Param | VarKind::Input { .. }).then_some(id)
        });
        let options = plan::Options {
            topology: group.topology.kind(),
            batched: group.batch > 1,
            precision: group.precision.kernel(),
            given_values: given.inits.iter().map(|(variable, _)| *variable).chain(own_defaults).collect(),
            given_draws: given.draws.iter().map(|(site, _)| *site).collect(),
            choice: match group.plan {
                Plan::Auto => plan::PlanChoice::Auto,
                Plan::FullPass => plan::PlanChoice::FullPass,
                Plan::Events => plan::PlanChoice::Events,
                Plan::Replay if self.device.is_processor() => plan::PlanChoice::Replay,
                Plan::Replay => plan::PlanChoice::Auto,
                Plan::ClosedForm => plan::PlanChoice::ClosedForm,
            },
            large: self.device.is_processor() && group.topology.is_large(),
            tiles: self.device.is_processor(),
            strips: self.device.fills_strips(),
        };
        if group.plan == Plan::ClosedForm && !self.device.is_processor() {
            let what = "the plan in closed form".to_owned();
            return Err(Error::NotSupported { what, on: self.device.to_string() });
        }
        let program = self.program_of(&rule, options)?;
        let channels = group.topology.channels(Side::Post.kernel());
        if let Some(size) = uneven_blocks(&rule.ir, channels) {
            let of =
                if group.topology.kind().is_spatial() { "output channels" } else { "postsynaptic neurons" };
            let what = format!("`sum[post by {size}]`, whose blocks do not divide {channels} {of},");
            return Err(Error::NotSupported { what, on: "this group".to_owned() });
        }
        let seed = group.seed.unwrap_or_else(|| splitmix64(self.seed, index as u64));
        let machine = Machine::new(program, group.topology, group.batch, dt, seed, &self.device, &self.cache);
        let machine = machine.map_err(|error| error.of_group(index))?;
        let id = GroupId { engine: self.identity, index };
        self.groups.push(GroupState::new(id, rule.ir.clone(), machine, given)?);
        Ok(id)
    }
}

/// The program of the group registered last: many groups of one rule need one.
pub(crate) struct Planned {
    rule: Arc<Rule>,
    options: plan::Options,
    program: Arc<Program>,
}

impl Engine {
    fn program_of(&mut self, rule: &Finished, options: plan::Options) -> Result<Arc<Program>> {
        if let Some(last) = &self.planned
            && last.options == options
            && last.rule == rule.ir
        {
            return Ok(last.program.clone());
        }
        let program = plan::compile(&rule.ir, &options).map_err(|found| rule.error(&found))?;
        let program = Arc::new(program);
        self.planned = Some(Planned { rule: rule.ir.clone(), options, program: program.clone() });
        Ok(program)
    }
}

/// The output number `n` of splitmix64 started at `seed`.
pub(crate) fn splitmix64(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The size of the first blocks of a rule that do not divide the postsynaptic neurons.
fn uneven_blocks(rule: &Rule, post: usize) -> Option<u32> {
    let mut sizes = rule.exprs.iter().filter_map(|(_, expr)| {
        if let ExprKind::Reduce { over: Over::PostBlocks(size), .. } = expr.kind { Some(size) } else { None }
    });
    sizes.find(|&size| !post.is_multiple_of((size as usize).max(1)))
}

#[cfg(test)]
mod tests {
    use super::splitmix64;

    /// The first outputs for seed 1234567, as published with the generator's reference code.
    #[test]
    fn splitmix64_has_its_known_answers() {
        let outputs: Vec<u64> = (0..3).map(|n| splitmix64(1_234_567, n)).collect();
        assert_eq!(outputs, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }
}
