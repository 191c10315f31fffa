//! The element that expressions are written for: its index in every array, and the address of its draws.

use super::emit::Emitter;
use super::layout::{Place, Where};
use super::program::{ScalarSource, Table};
use super::spatial::Tap;
use super::storage::machine_type;
use crate::ir::{self, ExprId};
use crate::kernel::{self, Conversion, Random, Side, ValueId};

/// The element that expressions are written for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct At {
    /// The element of the batch.
    pub(super) batch: Option<ValueId>,
    /// The presynaptic neuron.
    pub(super) pre: Option<ValueId>,
    /// The postsynaptic neuron.
    pub(super) post: Option<ValueId>,
    /// The input channel.
    pub(super) pre_channel: Option<ValueId>,
    /// The output channel.
    pub(super) post_channel: Option<ValueId>,
    /// The synapse.
    pub(super) synapse: Option<ValueId>,
    /// What a synapse of a spatial group is, from which the neurons follow.
    pub(super) tap: Option<Tap>,
    /// Whether the presynaptic neuron exists; it does where nothing is said.
    pub(super) valid: Option<ValueId>,
}

impl At {
    /// Whether a value of `place` exists here, where that is a question.
    pub(super) fn inside(&self, place: Where) -> Option<ValueId> {
        if place == Where::Pre { self.valid } else { None }
    }
}

impl Emitter<'_, '_, '_> {
    /// The index, in an array of `place`, of the present element.
    pub(super) fn index(&mut self, place: Place, element: u32, length: u32) -> ValueId {
        let base = match place.at {
            Where::Global => None,
            Where::Pre => Some(self.pre()),
            Where::Post => self.at.post,
            Where::PreChannel => Some(self.channel(Side::Pre)),
            Where::PostChannel => Some(self.channel(Side::Post)),
            Where::Synapse => self.at.synapse,
        };
        let base = match (base, place.batched) {
            (base, true) => Some(self.in_batch(base, place.at)),
            (base, false) => base,
        };
        let base = match (base, place.at) {
            (Some(base), _) => base,
            (None, Where::Global) => return self.builder.int(i64::from(element)),
            (None, _) => crate::ice!("no index of {place:?} in this loop"),
        };
        if length == 1 {
            return base;
        }
        let length = self.builder.int(i64::from(length));
        let scaled = self.builder.mul(base, length);
        let element = self.builder.int(i64::from(element));
        self.builder.add(scaled, element)
    }

    /// The index of an element in the part of an array that belongs to the present element of the batch.
    fn in_batch(&mut self, base: Option<ValueId>, at: Where) -> ValueId {
        let Some(batch) = self.at.batch else { crate::ice!("no element of the batch in this loop") };
        let (Some(base), Some(count)) = (base, self.work.layout.count(at)) else { return batch };
        let size = self.count(count);
        let first = self.builder.mul(batch, size);
        self.builder.add(first, base)
    }

    /// The presynaptic neuron.
    pub(super) fn pre(&mut self) -> ValueId {
        if let Some(pre) = self.at.pre {
            return pre;
        }
        match self.at.tap {
            Some(tap) => self.presynaptic(tap),
            None => crate::ice!("no presynaptic neuron in this loop"),
        }
    }

    /// The channel of the present neuron or synapse.
    pub(super) fn channel(&mut self, side: Side) -> ValueId {
        let (known, neuron, table) = match side {
            Side::Pre => (self.at.pre_channel, self.at.pre, Table::PreChannel),
            Side::Post => (self.at.post_channel, self.at.post, Table::PostChannel),
        };
        if let Some(known) = known {
            return known;
        }
        if let (Side::Pre, Some(tap)) = (side, self.at.tap) {
            return self.input_channel(tap);
        }
        match neuron {
            Some(neuron) => self.look_up(table, neuron),
            None => crate::ice!("no channel in this loop"),
        }
    }

    /// An entry of a table of the topology.
    pub(super) fn look_up(&mut self, table: Table, index: ValueId) -> ValueId {
        let storage = self.work.planner.storages.table(table);
        let buffer = self.buffer(storage, kernel::Access::Read);
        let value = self.builder.load(buffer, index);
        if table.is_wide() {
            return value;
        }
        self.builder.convert(Conversion::Value, kernel::Type::I64, value)
    }

    /// The number of the step.
    pub(super) fn step(&mut self) -> ValueId {
        match self.moment {
            Some(step) => step,
            None => self.scalar_value(ScalarSource::Step, kernel::Type::I64),
        }
    }

    /// The end of the step in ms: step · dt in f64, rounded once.
    pub(super) fn time(&mut self, ty: kernel::Type) -> ValueId {
        let Some(step) = self.moment else { return self.scalar_value(ScalarSource::Time, ty) };
        let step = self.builder.convert(Conversion::Value, kernel::Type::F64, step);
        let dt = self.dt(kernel::Type::F64);
        let time = self.builder.mul(step, dt);
        if ty == kernel::Type::F64 { time } else { self.builder.convert(Conversion::Value, ty, time) }
    }

    pub(super) fn neuron_place(&self, side: Side) -> Place {
        let domain = if side == Side::Pre { ir::Domain::Pre } else { ir::Domain::Post };
        self.work.layout.place(ir::Shape::of(domain))
    }

    pub(super) fn spikes_place(&self, side: Side) -> Place {
        Place { batched: self.work.layout.batched, ..self.neuron_place(side) }
    }

    pub(super) fn draw(&mut self, id: ExprId, site: ir::SiteId, parameters: &[ExprId]) -> ValueId {
        let expr = self.work.flow.graph.get(id).clone();
        let shape = self.work.planner.rule.sites[site].shape;
        let place = self.work.layout.place(shape);
        if self.work.planner.options.given_draws.contains(&site) {
            let ty = machine_type(expr.ty, self.work.planner.options.precision);
            let storage = self.work.planner.storages.draws(site, shape, ty);
            return self.load(storage, place, 0, 1);
        }
        let zero = self.builder.int(0);
        let (row, column) = self.draw_address(shape.domain);
        let (mut row, column) = (row.unwrap_or(zero), column.unwrap_or(zero));
        if place.batched {
            let Some(batch) = self.at.batch else { crate::ice!("no element of the batch in this loop") };
            let first = match self.work.layout.draw_rows(shape.domain) {
                Some(count) => {
                    let rows = self.count(count);
                    self.builder.mul(batch, rows)
                }
                None => batch,
            };
            row = self.builder.add(first, row);
        }
        let run = self.scalar_value(ScalarSource::Run, kernel::Type::I64);
        let run = self.builder.convert(Conversion::Value, kernel::Type::I32, run);
        let random = Random {
            site: site.index() as u32,
            attempt: self.builder.word(0),
            run,
            step: self.step(),
            seed: self.scalar_value(ScalarSource::Seed, kernel::Type::I64),
            row,
            column,
        };
        let parameters: Vec<ValueId> = parameters.iter().map(|&parameter| self.value(parameter)).collect();
        let distribution = self.work.planner.rule.sites[site].distribution;
        crate::math::emit_draw(&mut self.builder, distribution, &parameters, &random)
    }

    /// The row and the column that address a draw.
    fn draw_address(&mut self, domain: ir::Domain) -> (Option<ValueId>, Option<ValueId>) {
        let plain = |domain| self.work.layout.place(ir::Shape::of(domain));
        match domain {
            ir::Domain::Global => (None, None),
            ir::Domain::Pre | ir::Domain::PreChannel => {
                let place = plain(domain);
                (Some(self.index(place, 0, 1)), None)
            }
            ir::Domain::Post | ir::Domain::PostChannel => {
                let place = plain(domain);
                (None, Some(self.index(place, 0, 1)))
            }
            ir::Domain::Synapse => match self.at.tap {
                Some(tap) => (Some(self.kernel_owner(tap)), Some(tap.kernel)),
                None => {
                    let (pre, post) = (plain(ir::Domain::Pre), plain(ir::Domain::Post));
                    (Some(self.index(pre, 0, 1)), Some(self.index(post, 0, 1)))
                }
            },
        }
    }
}
