//! Registers for the vectors of a loop.
//!
//! The body is straight, so one walk does: where no register is free, the vector whose next use is furthest gives its own up
//! (Belady 1966, doi:10.1147/sj.52.0078). Vectors that are the same in all iterations keep a register where one is left, and
//! stand in memory otherwise, from where most instructions take them as they are.

use std::collections::HashMap;

use iced_x86::Code;

use super::inst::{Body, Gathers, Inst, Operand, Shape, Source, Vector};
use super::machine::{Line, Place};

/// The vector registers.
const REGISTERS: usize = 16;

/// What a loop has become.
pub(super) struct Assigned {
    /// What comes before the loop: vectors that are the same in all iterations, or go from one to the next.
    pub before: Vec<Line>,
    /// An iteration.
    pub body: Vec<Line>,
    /// What comes after the loop: vectors that have gone from one iteration to the next.
    pub after: Vec<Line>,
    /// Literals, in the order of their numbers.
    pub literals: Vec<[u8; 32]>,
    /// How many vectors the stack holds.
    pub frame: usize,
}

struct Assign<'b> {
    body: &'b Body,
    /// Where each vector is used, and how many of these places have been passed.
    uses: Vec<Vec<usize>>,
    passed: Vec<usize>,
    registers: Vec<Option<u8>>,
    homes: Vec<Option<Place>>,
    holders: [Option<Vector>; REGISTERS],
    kept: [bool; REGISTERS],
    /// The registers of vectors that go from one iteration to the next, by what they are in the next.
    next: HashMap<Vector, (Vector, u8)>,
    lines: Vec<Line>,
    frame: usize,
}

/// Finds registers. Instructions whose results nobody uses are left out.
pub(super) fn assign(mut body: Body) -> (Body, Assigned) {
    drop_unused(&mut body);
    let uses = uses(&body);
    let vectors = body.vectors as usize;
    let mut assign = Assign {
        body: &body,
        passed: vec![0; vectors],
        registers: vec![None; vectors],
        homes: vec![None; vectors],
        holders: [None; REGISTERS],
        kept: [false; REGISTERS],
        next: HashMap::new(),
        lines: Vec::new(),
        frame: 0,
        uses,
    };
    let mut literals = assign.invariants();
    assign.carried(&mut literals);
    let before = std::mem::take(&mut assign.lines);
    for (at, inst) in body.insts.iter().enumerate() {
        assign.inst(at, inst);
    }
    assign.carry();
    let mut lines = std::mem::take(&mut assign.lines);
    let after = lines.split_off(lines.len() - body.carried.len());
    let frame = assign.frame;
    (body, Assigned { before, body: lines, after, literals, frame })
}

/// The place of a literal that is new.
fn literal(literals: &mut Vec<[u8; 32]>, bytes: [u8; 32]) -> Place {
    literals.push(bytes);
    Place::Literal(literals.len() - 1)
}

fn vector_of(operand: &Operand) -> Option<Vector> {
    match operand {
        Operand::Vector(vector) | Operand::Low(vector) => Some(*vector),
        Operand::Memory(_) | Operand::Index => None,
    }
}

fn drop_unused(body: &mut Body) {
    let mut used = vec![false; body.vectors as usize];
    for carried in &body.carried {
        used[carried.next.0 as usize] = true;
    }
    let mut kept: Vec<Inst> = Vec::with_capacity(body.insts.len());
    for inst in body.insts.drain(..).rev() {
        if inst.result.is_none_or(|(result, _)| used[result.0 as usize]) {
            for vector in inst.operands.iter().filter_map(vector_of) {
                used[vector.0 as usize] = true;
            }
            kept.push(inst);
        }
    }
    kept.reverse();
    body.insts = kept;
    body.invariants.retain(|(vector, _)| used[vector.0 as usize]);
}

fn uses(body: &Body) -> Vec<Vec<usize>> {
    let mut uses = vec![Vec::new(); body.vectors as usize];
    for (at, inst) in body.insts.iter().enumerate() {
        for vector in inst.operands.iter().filter_map(vector_of) {
            uses[vector.0 as usize].push(at);
        }
    }
    for carried in &body.carried {
        uses[carried.next.0 as usize].push(body.insts.len());
    }
    uses
}

impl Assign<'_> {
    /// Registers and places in memory of what is the same in all iterations; yields the literals.
    fn invariants(&mut self) -> Vec<[u8; 32]> {
        let invariants = self.body.invariants.clone();
        let room = REGISTERS.saturating_sub(self.most_alive() + self.body.carried.len());
        let mut order: Vec<usize> = (0..invariants.len()).collect();
        order.sort_by_key(|&number| std::cmp::Reverse(self.gain(invariants[number].0)));
        // Those without a register need one for a moment where an instruction takes no memory.
        let registers = if invariants.len() <= room { room } else { room.saturating_sub(2) };
        let mut literals = Vec::new();
        // Those that go to the stack pass through a register before it is taken for good.
        for &number in order.iter().skip(registers) {
            let (vector, source) = invariants[number];
            let home = match source {
                Source::Literal(bytes) => literal(&mut literals, bytes),
                Source::Words(_) | Source::Doubles(_) => {
                    self.fill(0, source, &mut literals);
                    self.spill(0)
                }
            };
            self.homes[vector.0 as usize] = Some(home);
        }
        for (register, &number) in order.iter().take(registers).enumerate() {
            let (vector, source) = invariants[number];
            self.fill(register as u8, source, &mut literals);
            self.holders[register] = Some(vector);
            self.kept[register] = true;
            self.registers[vector.0 as usize] = Some(register as u8);
        }
        literals
    }

    /// Registers of what goes from one iteration to the next: the last ones.
    fn carried(&mut self, literals: &mut Vec<[u8; 32]>) {
        for (number, carried) in self.body.carried.iter().enumerate() {
            let register = (REGISTERS - 1 - number) as u8;
            self.fill(register, carried.initial, literals);
            self.holders[usize::from(register)] = Some(carried.value);
            self.kept[usize::from(register)] = true;
            self.registers[carried.value.0 as usize] = Some(register);
            self.next.insert(carried.next, (carried.value, register));
        }
    }

    /// The ends of an iteration and of the loop for what goes on.
    fn carry(&mut self) {
        let mut after = Vec::new();
        for carried in &self.body.carried {
            let Some(&(_, register)) = self.next.get(&carried.next) else { continue };
            match (self.registers[carried.next.0 as usize], self.homes[carried.next.0 as usize]) {
                (Some(from), _) if from == register => {}
                (Some(from), _) => self.lines.push(Line::copy(register, from)),
                (None, Some(home)) => self.lines.push(Line::load(register, home)),
                (None, None) => crate::ice!("{:?} goes on without having been defined", carried.next),
            }
            after.push(Line::leave(carried.result, register));
        }
        self.lines.append(&mut after);
    }

    fn fill(&mut self, register: u8, source: Source, literals: &mut Vec<[u8; 32]>) {
        self.lines.push(match source {
            Source::Words(input) => Line::broadcast(register, input, 4),
            Source::Doubles(input) => Line::broadcast(register, input, 8),
            Source::Literal(bytes) => Line::load(register, literal(literals, bytes)),
        });
    }

    /// How much a register is worth: uses that cannot stand in memory would be loads of their own.
    fn gain(&self, vector: Vector) -> usize {
        let uses = &self.uses[vector.0 as usize];
        let loads = uses.iter().filter(|&&at| {
            let inst = &self.body.insts[at];
            inst.operands
                .iter()
                .enumerate()
                .any(|(place, operand)| vector_of(operand) == Some(vector) && inst.foldable != Some(place))
        });
        uses.len() + 3 * loads.count()
    }

    /// The most vectors that are alive at once, but for those that are the same in all iterations.
    fn most_alive(&self) -> usize {
        let carried = self.body.carried.iter().map(|carried| carried.value);
        let invariant: Vec<Vector> =
            self.body.invariants.iter().map(|(vector, _)| *vector).chain(carried).collect();
        let (mut alive, mut most) = (0, 0);
        for (at, inst) in self.body.insts.iter().enumerate() {
            let extra = usize::from(matches!(inst.shape, Shape::Gather { .. }));
            alive += usize::from(inst.result.is_some());
            most = most.max(alive + extra);
            let mut seen: Vec<Vector> = Vec::new();
            for vector in inst.operands.iter().filter_map(vector_of) {
                let last = self.uses[vector.0 as usize].last() == Some(&at);
                if last && !invariant.contains(&vector) && !seen.contains(&vector) {
                    seen.push(vector);
                    alive -= 1;
                }
            }
        }
        most
    }

    /// A place on the stack, to which the register's vector is written.
    fn spill(&mut self, register: u8) -> Place {
        let place = Place::Stack(self.frame);
        self.frame += 1;
        self.lines.push(Line::store(place, register));
        place
    }

    fn next_use(&self, vector: Vector) -> usize {
        let number = vector.0 as usize;
        self.uses[number].get(self.passed[number]).copied().unwrap_or(usize::MAX)
    }

    /// A register, taken from whoever needs it last, but not one of `locked`.
    fn register(&mut self, vector: Vector, locked: &[u8]) -> u8 {
        let free = (0..REGISTERS).find(|&r| self.holders[r].is_none() && !locked.contains(&(r as u8)));
        let register = free.unwrap_or_else(|| {
            (0..REGISTERS)
                .filter(|&r| !self.kept[r] && !locked.contains(&(r as u8)))
                .max_by_key(|&r| self.holders[r].map_or(usize::MAX, |vector| self.next_use(vector)))
                .unwrap_or_else(|| crate::ice!("an instruction that needs more registers than there are"))
        });
        if let Some(old) = self.holders[register] {
            self.registers[old.0 as usize] = None;
            if self.homes[old.0 as usize].is_none() {
                let home = self.spill(register as u8);
                self.homes[old.0 as usize] = Some(home);
            }
        }
        self.holders[register] = Some(vector);
        self.registers[vector.0 as usize] = Some(register as u8);
        register as u8
    }

    fn free(&mut self, vector: Vector) {
        if let Some(register) = self.registers[vector.0 as usize]
            && !self.kept[usize::from(register)]
        {
            self.holders[usize::from(register)] = None;
            self.registers[vector.0 as usize] = None;
        }
    }

    fn inst(&mut self, at: usize, inst: &Inst) {
        let mut locked: Vec<u8> = inst
            .operands
            .iter()
            .filter_map(vector_of)
            .filter_map(|vector| self.registers[vector.0 as usize])
            .collect();
        let mut places = Vec::with_capacity(inst.operands.len());
        for (number, operand) in inst.operands.iter().enumerate() {
            let Some(vector) = vector_of(operand) else {
                places.push(None);
                continue;
            };
            let place = match (self.registers[vector.0 as usize], self.homes[vector.0 as usize]) {
                (Some(register), _) => Place::Register(register),
                (None, Some(home)) if inst.foldable == Some(number) => home,
                (None, Some(home)) => {
                    let register = self.register(vector, &locked);
                    locked.push(register);
                    self.lines.push(Line::load(register, home));
                    Place::Register(register)
                }
                (None, None) => crate::ice!("{vector:?} is used before it is defined"),
            };
            places.push(Some(place));
        }
        let dying = self.pass(at, inst);
        let result = match (inst.shape, inst.result) {
            (_, None) => None,
            (Shape::Plain | Shape::Tied, Some((vector, _)))
                if let Some(register) = self.goes_on(vector, inst, &places) =>
            {
                self.holders[usize::from(register)] = Some(vector);
                self.registers[vector.0 as usize] = Some(register);
                Some(register)
            }
            (Shape::Plain, Some((vector, _))) => {
                dying.iter().for_each(|&vector| self.free(vector));
                Some(self.register(vector, &[]))
            }
            (Shape::Tied, Some((vector, _))) => Some(self.tied(vector, (inst, places[0]), &dying, &locked)),
            (Shape::Gather { .. }, Some((vector, _))) => {
                let result = self.register(vector, &locked);
                locked.push(result);
                Some(result)
            }
        };
        if let Shape::Gather { .. } = inst.shape {
            let spare = self.spare(&locked);
            match self.body.gathers {
                Gathers::AtOnce => {
                    self.lines.push(Line::ones(spare));
                    self.lines.push(Line::gather(inst, result, places[0], spare));
                }
                Gathers::LaneByLane => {
                    let indices = self.on_stack(&inst.operands[0], places[0]);
                    self.lines.extend(Line::lane_by_lane(inst, result, indices, spare));
                }
            }
        } else {
            self.lines.push(Line::of(inst, result, &places));
        }
        dying.iter().for_each(|&vector| self.free(vector));
    }

    /// The register of a vector that goes on, once nobody needs what it was before.
    fn goes_on(&self, vector: Vector, inst: &Inst, places: &[Option<Place>]) -> Option<u8> {
        let &(value, register) = self.next.get(&vector)?;
        let in_place = inst.shape != Shape::Tied || places[0] == Some(Place::Register(register));
        (in_place && self.next_use(value) == usize::MAX).then_some(register)
    }

    /// Marks the uses of an instruction as passed; the vectors that have no other.
    fn pass(&mut self, at: usize, inst: &Inst) -> Vec<Vector> {
        let mut dying = Vec::new();
        for vector in inst.operands.iter().filter_map(vector_of) {
            let number = vector.0 as usize;
            while self.uses[number].get(self.passed[number]).is_some_and(|&place| place <= at) {
                self.passed[number] += 1;
            }
            if self.passed[number] == self.uses[number].len() && !dying.contains(&vector) {
                dying.push(vector);
            }
        }
        dying
    }

    /// The register of the first operand, which is copied where somebody still needs it.
    fn tied(
        &mut self,
        result: Vector,
        (inst, first): (&Inst, Option<Place>),
        dying: &[Vector],
        locked: &[u8],
    ) -> u8 {
        let (Some(vector), Some(Place::Register(register))) = (vector_of(&inst.operands[0]), first) else {
            crate::ice!("an operand that is overwritten stands in a register")
        };
        if dying.contains(&vector) && !self.kept[usize::from(register)] {
            self.free(vector);
            self.holders[usize::from(register)] = Some(result);
            self.registers[result.0 as usize] = Some(register);
            return register;
        }
        let into = self.register(result, locked);
        self.lines.push(Line::copy(into, register));
        into
    }

    /// The place on the stack of a vector that is in a register, which it may have from earlier on.
    fn on_stack(&mut self, operand: &Operand, place: Option<Place>) -> usize {
        let (Some(vector), Some(Place::Register(register))) = (vector_of(operand), place) else {
            crate::ice!("an index stands in a register")
        };
        if let Some(Place::Stack(slot)) = self.homes[vector.0 as usize] {
            return slot;
        }
        let home = self.spill(register);
        self.homes[vector.0 as usize].get_or_insert(home);
        self.frame - 1
    }

    /// A register that holds nothing after this instruction.
    fn spare(&mut self, locked: &[u8]) -> u8 {
        // A vector that nothing uses: whoever comes next takes its register.
        let nobody = Vector(self.registers.len() as u32);
        self.registers.push(None);
        self.homes.push(None);
        self.uses.push(Vec::new());
        self.passed.push(0);
        let register = self.register(nobody, locked);
        self.free(nobody);
        register
    }
}

/// The instructions that move whole vectors.
pub(super) const MOVE: (Code, Code) = (Code::VEX_Vmovaps_ymm_ymmm256, Code::VEX_Vmovaps_ymmm256_ymm);
