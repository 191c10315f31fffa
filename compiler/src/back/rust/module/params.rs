//! `Params`: a field for each parameter, in its declared unit.

use super::Module;
use crate::back::rust::op;
use crate::interp::program::constant;
use crate::ir::{VarId, VarKind, Variable};
use crate::kernel::Constant;

impl Module<'_> {
    /// The parameters, in the order of the rule.
    pub(super) fn parameters(&self) -> Vec<VarId> {
        let parameters = self.rule.variables.iter().filter(|(_, variable)| variable.kind == VarKind::Param);
        parameters.map(|(id, _)| id).collect()
    }

    /// A number of the rule that no parameter decides.
    pub(super) fn constant(&self, root: crate::ir::ExprId) -> f64 {
        constant(self.rule, root, &|_, _| f64::NAN, 1.0)
    }

    /// The range of a parameter in base units.
    pub(super) fn range(&self, id: VarId) -> Option<(f64, f64)> {
        let variable = &self.rule.variables[id];
        let (lo, hi) = variable.range.filter(|_| variable.kind == VarKind::Param)?;
        Some((self.constant(lo), self.constant(hi)))
    }

    /// The defaults of a parameter in its declared unit; empty where it has none.
    fn stated(&self, variable: &Variable) -> Vec<f64> {
        if variable.init.is_empty() {
            return Vec::new();
        }
        let init = |element: usize| variable.init[element.min(variable.init.len() - 1)];
        let scale = variable.unit.scale;
        (0..variable.elements() as usize)
            .map(|element| declared(self.constant(init(element)), scale))
            .collect()
    }

    pub(super) fn params(&mut self) {
        let parameters = self.parameters();
        let fields: Vec<(String, String, Vec<f64>)> = parameters
            .iter()
            .map(|id| {
                let variable = &self.rule.variables[*id];
                let ty = variable.length.map_or("f64".to_owned(), |length| format!("[f64; {length}]"));
                (self.names[id].clone(), ty, self.stated(variable))
            })
            .collect();
        self.out.line("/// The parameters of the rule, each in its declared unit.");
        self.out.line("#[derive(Clone, Debug, PartialEq)]");
        self.out.open("pub struct Params");
        for (id, (name, ty, defaults)) in parameters.iter().zip(&fields) {
            self.documentation(*id, defaults);
            self.out.line(format!("pub {name}: {ty},"));
        }
        self.out.close();
        let required: Vec<String> = fields
            .iter()
            .filter(|(_, _, defaults)| defaults.is_empty())
            .map(|(name, ty, _)| format!("{name}: {ty}"))
            .collect();
        if required.is_empty() {
            self.out.open("impl Default for Params");
            self.out.line("/// The values that the rule states.");
            self.out.open("fn default() -> Self");
        } else {
            self.out.open("impl Params");
            self.out.line("/// The parameters that have no default, and the values that the rule states for the others.");
            self.out.open(format!("pub fn new({}) -> Self", required.join(", ")));
        }
        self.out.open("Self");
        for (name, ty, defaults) in &fields {
            let list: Vec<String> = defaults.iter().map(|&value| number(value)).collect();
            self.out.line(match list.as_slice() {
                [] => format!("{name},"),
                [one] if ty == "f64" => format!("{name}: {one},"),
                several => format!("{name}: [{}],", several.join(", ")),
            });
        }
        self.out.close();
        self.out.close();
        self.out.close();
    }

    /// The lines above a parameter.
    fn documentation(&mut self, id: VarId, defaults: &[f64]) {
        let variable = &self.rule.variables[id];
        let range = self.range(id);
        let mut facts = Vec::new();
        if !variable.unit.text.is_empty() {
            facts.push(format!("In {}.", variable.unit.text));
        }
        if variable.shape.domain != crate::ir::Domain::Global {
            facts.push(format!("One for each {}: here the value of all.", variable.shape.domain.word()));
        }
        if let Some((lo, hi)) = range {
            let scale = variable.unit.scale;
            facts.push(format!("From {} to {}.", declared(lo, scale), declared(hi, scale)));
        }
        match defaults {
            [] => facts.push("The rule states no value.".to_owned()),
            [one] => facts.push(format!("{one} where nothing is said.")),
            several => facts.push(format!("{several:?} where nothing is said.")),
        }
        let docs = variable.docs.clone();
        for line in &docs {
            self.out.line(format!("/// {line}"));
        }
        if !docs.is_empty() {
            self.out.line("///");
        }
        self.out.line(format!("/// {}", facts.join(" ")));
    }
}

/// A number of f64 as Rust.
pub(super) fn number(value: f64) -> String {
    op::literal(Constant::F64(value.to_bits()))
}

/// What the host has to give to get a number in base units: the product with the scale gives its bits, if any does.
fn declared(base: f64, scale: f64) -> f64 {
    let near = base / scale;
    let rounded = format!("{near:.12e}").parse().unwrap_or(near);
    [rounded, near, near.next_up(), near.next_down()]
        .into_iter()
        .find(|value| value * scale == base)
        .unwrap_or(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_the_number_that_was_written() {
        assert_eq!(declared(5.0 * 0.001, 0.001), 5.0);
        assert_eq!(declared(0.1 * 1000.0, 1000.0), 0.1);
        assert_eq!(declared(f64::INFINITY, 0.001), f64::INFINITY);
        for number in 1..2000 {
            let value = f64::from(number) / 7.0;
            assert_eq!(declared(value * 0.001, 0.001) * 0.001, value * 0.001);
        }
    }
}
