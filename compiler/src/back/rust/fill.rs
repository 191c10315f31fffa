//! Strips of draws and of values of functions: calls of code that is there already, in the processor's vectors.

use super::write::Writer;
use crate::kernel::*;

impl Writer<'_> {
    /// A strip.
    pub fn fill(&mut self, fill: &Fill) {
        let array = self.names.buffer(fill.into).to_owned();
        let (start, count) = (self.value(fill.start), self.value(fill.count));
        let text = match &fill.with {
            Filling::Words(random) => {
                format!("native::words({array}, {start}, {count}, {});", self.draws(random))
            }
            Filling::Normals(random) => {
                format!("native::normals({array}, {start}, {count}, {});", self.draws(random))
            }
            Filling::Function(function) => {
                format!("native::function(native::MathFn::{function:?}, {array}, {start}, {count});")
            }
        };
        self.line(text);
    }

    /// Where the first draw stands.
    fn draws(&self, random: &Random) -> String {
        let Random { site, attempt, run, step, seed, row, column } = random;
        let field = |(name, value): (&str, &ValueId)| format!("{name}: {}", self.value(*value));
        let places = [
            ("attempt", attempt),
            ("run", run),
            ("step", step),
            ("seed", seed),
            ("row", row),
            ("column", column),
        ];
        format!("native::Draws {{ site: {site}, {} }}", places.map(field).join(", "))
    }
}
