//! Two iterations of a loop, one after the other.

use iced_x86::{Code, Register};

use super::super::assign::Assigned;
use super::{END, INDEX, Line, Part, SCRATCH, Writer};

/// An iteration of more instructions is written once: what goes round the loop is little of it.
const SHORT: usize = 48;
/// Bytes of memory that come together.
const LINE: i64 = 64;

/// The iteration after an iteration, in the same registers, where a loop is so short that what goes round it counts: what stands
/// side by side in memory is one span further. A line of memory that the first has asked for is not asked for again.
pub(super) fn next_iteration(assigned: &Assigned, span: i64) -> Option<Vec<Line>> {
    let goes_on = !assigned.after.is_empty();
    if goes_on || assigned.body.len() > SHORT {
        return None;
    }
    let asked = |line: &&Line| {
        let half =
            |part: &Part| matches!(part, Part::Element { scale, .. } if i64::from(*scale) * span < LINE);
        line.code != Code::Prefetcht0_m8 || !line.parts.iter().any(half)
    };
    assigned.body.iter().filter(asked).map(|line| line.further(span)).collect()
}

impl Line {
    /// The same, so many iterations further; nothing where the index itself is calculated with.
    fn further(&self, iterations: i64) -> Option<Self> {
        let mut line = self.clone();
        for part in &mut line.parts {
            match part {
                Part::Register(INDEX | Register::ESI) => return None,
                Part::Element { index: INDEX, scale, offset, .. } => {
                    *offset += iterations * i64::from(*scale)
                }
                Part::Register(_) | Part::Memory { .. } | Part::Element { .. } | Part::Literal(_) => {}
            }
        }
        Some(line)
    }
}

impl Writer<'_> {
    /// Two iterations at a time. Of an odd number, the first is the second of a pair.
    pub(super) fn in_pairs(&mut self, assigned: &Assigned, next: &[Line], span: i32) {
        let [index, end, count] = [INDEX, END, SCRATCH].map(Part::Register);
        self.plain(Code::Mov_r64_rm64, &[count, end]);
        self.plain(Code::Sub_r64_rm64, &[count, index]);
        self.number(Code::And_rm64_imm8, SCRATCH, span);
        // Where the two jumps go is known when both iterations are there.
        let skip = self.jumps.len();
        self.jump(Code::Je_rel32_64, 0);
        self.number(Code::Add_rm64_imm8, INDEX, -span);
        let into = self.jumps.len();
        self.jump(Code::Jmp_rel32_64, 0);
        let head = self.instructions.len();
        assigned.body.iter().for_each(|line| self.line(line));
        self.jumps[into].1 = self.instructions.len();
        self.jumps[skip].1 = head;
        next.iter().for_each(|line| self.line(line));
        self.again(head, 2 * span);
    }
}
