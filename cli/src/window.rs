//! `aplysia window`: what one pair of spikes does to a synapse, by their distance in time.
//!
//! Each distance has a group of one synapse of its own, at rest before the pair. Positive distances are those where the
//! presynaptic spike comes first.

use std::fmt::Write as _;
use std::path::Path;

use aplysia::units::ms;
use aplysia::{Device, Engine, Group, GroupId, Inputs, Rule, Train};
use aplysia_compiler::arena::Arena;
use aplysia_compiler::diag::code;
use aplysia_compiler::interp::wide;
use aplysia_compiler::ir::{self, Expr, ExprId, ExprKind, VarId, VarKind, operands};
use aplysia_compiler::plan::{Options, Topology as Kind};
use ndarray::{ArrayD, IxDyn};
use serde_json::json;

use crate::arguments::{Format, WindowArguments};
use crate::emit;
use crate::given::{self, Settings, Wanted, short_name};
use crate::quantity::Quantity;
use crate::report::{self, Failure, Outcome};
use crate::run::{Output, execute, number};
use crate::text::{self, Opened};

/// How many distances there may be.
const MOST_POINTS: f64 = 2001.0;
/// How many steps all groups together may take.
const MOST_STEPS: f64 = 2e8;
/// The size of the picture.
const COLUMNS: usize = 81;
/// Above the line, and below it.
const ROWS: usize = 8;

/// Shows the window.
///
/// # Errors
/// Where the rule has errors, or what it is given does not fit.
pub fn run(arguments: &WindowArguments) -> Outcome {
    let opened = text::open(&arguments.rule)?;
    let rule = &opened.rule;
    let options = Options { precision: emit::precision(arguments.precision), ..Options::default() };
    emit::program(&opened, &options)?;
    let settings = given::settings(rule, &arguments.settings)?;
    given::require(rule, Kind::Dense, 1, &ids(&settings.params), &ids(&settings.inputs))?;
    let protocol = Protocol::new(arguments)?;
    let curve = measure(&opened, arguments, &settings, &protocol)?;
    if let Some(path) = &arguments.output {
        save(path, &curve)?;
    }
    match arguments.format {
        Format::Text => report::print(&curve.text()),
        Format::Json => report::print_json(&json!({
            "rule": curve.rule, "variable": curve.variable, "unit": curve.unit, "initial": curve.initial,
            "change_without_spikes": curve.rest,
            "delta_t_ms": curve.points.iter().map(|point| point.0).collect::<Vec<f64>>(),
            "change": curve.points.iter().map(|point| point.1).collect::<Vec<f64>>(),
        })),
    }
}

fn ids<T>(list: &[(VarId, T)]) -> Vec<VarId> {
    list.iter().map(|(id, _)| *id).collect()
}

/// When the spikes are.
struct Protocol {
    /// From one distance to the next, in steps.
    stride: u64,
    /// How many distances there are on each side of 0.
    half: u64,
    dt: f64,
}

impl Protocol {
    fn new(arguments: &WindowArguments) -> Outcome<Self> {
        let dt = arguments.dt;
        let spacing = arguments.spacing.unwrap_or_else(|| dt.max(arguments.range / 100.0));
        let stride = (spacing / dt).round().max(1.0);
        let half = (arguments.range / (stride * dt) + 1e-9).floor();
        let points = 2.0 * half + 1.0;
        if half < 1.0 {
            return Err(Failure::usage("the range is shorter than the spacing of the curve"));
        }
        if points > MOST_POINTS || points * half * stride * 3.0 > MOST_STEPS {
            let text = format!("{points} points of {} steps each are too many", half * stride * 3.0);
            return Err(Failure::usage(text)
                .help("choose a longer `--dt`, a wider `--spacing` or a shorter `--range`"));
        }
        Ok(Self { stride: stride as u64, half: half as u64, dt })
    }

    /// The distances in steps.
    fn distances(&self) -> impl Iterator<Item = i64> {
        let (half, stride) = (self.half as i64, self.stride as i64);
        (-half..=half).map(move |at| at * stride)
    }

    /// The step of the postsynaptic spike, counted from 0.
    fn post(&self) -> u64 {
        self.half * self.stride
    }

    /// So many steps are taken: the last spike, and as long again.
    fn steps(&self) -> u64 {
        3 * self.half * self.stride + 1
    }
}

/// A window.
struct Curve {
    rule: String,
    variable: String,
    unit: String,
    initial: f64,
    /// The change without spikes.
    rest: f64,
    /// Distance in ms, change.
    points: Vec<(f64, f64)>,
}

fn measure(
    opened: &Opened,
    arguments: &WindowArguments,
    settings: &Settings,
    protocol: &Protocol,
) -> Outcome<Curve> {
    let rule = &opened.rule;
    let variable = chosen(rule, arguments.variable.as_deref())?;
    let name = rule.variables[variable].address();
    let mut engine = Engine::new(Device::cpu_with_threads(1)?)?;
    let group = group(opened, variable, arguments, settings)?;
    let distances: Vec<i64> = protocol.distances().collect();
    // The last synapse gets no spikes.
    let mut synapses = Vec::new();
    for _ in 0..=distances.len() {
        let synapse = engine.register(group.clone())?;
        for (id, list) in &settings.inputs {
            engine.set_input(synapse, &rule.variables[*id].address(), list)?;
        }
        synapses.push(synapse);
    }
    let before = values(&mut engine, &synapses, &name)?;
    let post = [protocol.post()];
    let pre: Vec<[u64; 1]> =
        distances.iter().map(|&distance| [post[0].saturating_add_signed(-distance)]).collect();
    let mut inputs = Inputs::new();
    for (synapse, pre) in synapses.iter().zip(&pre) {
        inputs = inputs.group(*synapse, Train::new().pre_events(pre, &[0]).post_events(&post, &[0]));
    }
    engine.run(protocol.steps(), &inputs)?;
    let after = values(&mut engine, &synapses, &name)?;
    let mut changes: Vec<f64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
    let rest = changes.pop().unwrap_or(0.0);
    let times = distances.iter().map(|&distance| distance as f64 * protocol.dt);
    let points: Vec<(f64, f64)> = times.zip(changes).collect();
    if let Some((at, _)) = points.iter().find(|(_, change)| !change.is_finite()) {
        let text = format!("the change of `{name}` at {at} ms is not finite");
        return Err(Failure::data(code::NOT_A_NUMBER, text).help("start elsewhere with `--initial`"));
    }
    Ok(Curve {
        rule: rule.name.clone(),
        variable: short_name(rule, variable),
        unit: rule.variables[variable].unit.text.clone(),
        initial: before[0],
        rest,
        points,
    })
}

/// The group of one synapse that every distance gets.
fn group(
    opened: &Opened,
    variable: VarId,
    arguments: &WindowArguments,
    settings: &Settings,
) -> Outcome<Group> {
    let rule = &opened.rule;
    let address = |id: VarId| rule.variables[id].address();
    let mut group = Group::dense(1, 1)
        .rule(&Rule::from_ir(opened.open.clone()))
        .dt(ms(arguments.dt))
        .precision(execute::precision(arguments.precision))
        .seed(arguments.seed);
    for (id, values) in &settings.params {
        group = group.param(address(*id), values.clone());
    }
    for (id, values) in settings.inits.iter().filter(|(id, _)| *id != variable) {
        group = group.init(address(*id), values.clone());
    }
    if let Some(initial) = initial(rule, variable, arguments, settings)? {
        group = group.init(address(variable), initial);
    }
    Ok(group)
}

/// The present values of a variable; of an array, of its first element.
fn values(engine: &mut Engine, synapses: &[GroupId], name: &str) -> Outcome<Vec<f64>> {
    let mut values = Vec::new();
    for &synapse in synapses {
        values.push(engine.read::<f64>(synapse, name)?.iter().next().copied().unwrap_or(0.0));
    }
    Ok(values)
}

fn chosen(rule: &ir::Rule, name: Option<&str>) -> Outcome<VarId> {
    if let Some(name) = name {
        return given::variable(rule, name, Wanted::Plastic);
    }
    let plastic =
        rule.variables.iter().find(|(_, variable)| matches!(variable.kind, VarKind::Plastic { .. }));
    plastic.map(|(id, _)| id).ok_or_else(|| {
        Failure::data(code::UNKNOWN_IN_GROUP, format!("rule `{}` has no plastic variable", rule.name))
    })
}

/// Where the variable starts: as asked, else the middle of a finite range, else as the rule says.
fn initial(
    rule: &ir::Rule,
    variable: VarId,
    arguments: &WindowArguments,
    settings: &Settings,
) -> Outcome<Option<aplysia::Values>> {
    let declared = &rule.variables[variable];
    if let Some(text) = &arguments.initial {
        let value = Quantity::parse(text).and_then(|quantity| quantity.declared(&declared.unit));
        let value = value.map_err(|reason| Failure::usage(format!("`--initial {text}`: {reason}")))?;
        return Ok(Some(value.into()));
    }
    if let Some((_, values)) = settings.inits.iter().find(|(id, _)| *id == variable) {
        return Ok(Some(values.clone()));
    }
    let Some((lo, hi)) = declared.range else { return Ok(None) };
    let ends = [lo, hi].map(|end| bound(rule, end, settings, arguments.dt));
    Ok(match ends {
        [Some(lo), Some(hi)] if lo.is_finite() && hi.is_finite() => {
            Some(((lo / 2.0 + hi / 2.0) / declared.unit.scale).into())
        }
        _ => None,
    })
}

/// The end of a range, in base units: an expression of constants and parameters.
fn bound(rule: &ir::Rule, root: ExprId, settings: &Settings, dt: f64) -> Option<f64> {
    let mut arena: Arena<Expr> = Arena::new();
    let mut places = std::collections::HashMap::new();
    let mut params = Vec::new();
    for id in operands::reachable(&rule.exprs, [root]) {
        let expr = &rule.exprs[id];
        if let ExprKind::Load { variable, .. } = expr.kind {
            params.push((variable, parameter(rule, variable, settings, dt)?));
        }
        let kind = expr.kind.map_operands(|operand| places[&operand]);
        places.insert(id, arena.push(Expr { kind, ty: expr.ty, shape: expr.shape }));
    }
    let value =
        |id: VarId, _| params.iter().find(|(known, _)| *known == id).map_or(f64::NAN, |(_, value)| *value);
    wide::evaluate(&arena, &value, dt).last().map(|value| value.number())
}

/// A plain global parameter, in base units.
fn parameter(rule: &ir::Rule, id: VarId, settings: &Settings, dt: f64) -> Option<f64> {
    let declared = &rule.variables[id];
    match settings.params.iter().find(|(known, _)| *known == id) {
        Some((_, aplysia::Values::Number(value))) => Some(value * declared.unit.scale),
        Some(_) => None,
        // A default is made of constants only, so this goes no deeper.
        None => declared.init.first().and_then(|&init| bound(rule, init, &Settings::default(), dt)),
    }
}

impl Curve {
    fn text(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        let mut out = format!(
            "{}: change of {}, from {}{unit}, after one pair of spikes\n\n",
            self.rule,
            self.variable,
            number(self.initial)
        );
        out.push_str(&picture(&self.points));
        let extreme = |better: fn(f64, f64) -> bool| {
            self.points.iter().fold(
                (0.0, 0.0),
                |best, &(at, change)| {
                    if better(change, best.1) { (at, change) } else { best }
                },
            )
        };
        out.push('\n');
        for (word, (at, change)) in
            [("largest increase", extreme(|a, b| a > b)), ("largest decrease", extreme(|a, b| a < b))]
        {
            if change != 0.0 {
                let _ = writeln!(out, "{word} {:+.6e}{unit} at {at:+} ms", change);
            }
        }
        if self.rest != 0.0 {
            let _ = writeln!(out, "without spikes it changes by {:+.6e}{unit} in the same time", self.rest);
        }
        out
    }
}

/// Bars up and down from a middle line.
fn picture(points: &[(f64, f64)]) -> String {
    let most = points.iter().map(|(_, change)| change.abs()).fold(0.0, f64::max);
    // Of the points that share a column the largest is shown.
    let mut columns = [0.0f64; COLUMNS];
    let last = points.len().saturating_sub(1).max(1);
    for (at, (_, change)) in points.iter().enumerate() {
        let column = &mut columns[(at * (COLUMNS - 1) + last / 2) / last];
        if change.abs() > column.abs() {
            *column = *change;
        }
    }
    let height = |change: f64| if most > 0.0 { change / most * (ROWS * 2) as f64 } else { 0.0 };
    let label = |text: String| format!("{text:>11} ");
    let mut out = String::new();
    for row in (0..ROWS).rev() {
        let name = if row == ROWS - 1 { format!("{most:+.3e}") } else { String::new() };
        let cells = columns.map(|change| cell(height(change), row, '▄'));
        let _ = writeln!(out, "{}│{}", label(name), cells.iter().collect::<String>().trim_end());
    }
    let _ = writeln!(out, "{}┼{}", label("0".to_owned()), "─".repeat(COLUMNS));
    for row in 0..ROWS {
        let name = if row == ROWS - 1 { format!("{:+.3e}", -most) } else { String::new() };
        let cells = columns.map(|change| cell(-height(change), row, '▀'));
        let _ = writeln!(out, "{}│{}", label(name), cells.iter().collect::<String>().trim_end());
    }
    let ends = points.first().zip(points.last()).map_or((0.0, 0.0), |(first, last)| (first.0, last.0));
    let (left, right) = (format!("{} ms", ends.0), format!("{:+} ms", ends.1));
    let middle = "t post - t pre";
    let room = (COLUMNS + 1).saturating_sub(left.chars().count() + right.chars().count() + middle.len());
    let _ = writeln!(
        out,
        "{}{left}{}{middle}{}{right}",
        label(String::new()),
        " ".repeat(room / 2),
        " ".repeat(room - room / 2)
    );
    out
}

/// The cell of a bar in a row that is two half cells high; `tip` is half a cell.
fn cell(halves: f64, row: usize, tip: char) -> char {
    // A change that is too small for half a cell is still seen.
    let halves = if halves > 0.0 { halves.round().max(1.0) as usize } else { 0 };
    match halves.saturating_sub(row * 2) {
        0 => ' ',
        1 => tip,
        _ => '█',
    }
}

fn save(path: &Path, curve: &Curve) -> Outcome {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "csv" => {
            let mut text = format!("delta_t_ms,change_{}\n", curve.variable);
            for (at, change) in &curve.points {
                let _ = writeln!(text, "{at},{change:?}");
            }
            std::fs::write(path, text).map_err(|error| Failure::file(path, error))
        }
        "npz" => {
            let column =
                |values: Vec<f64>| ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).unwrap_or_default();
            let mut output = Output::create(path)?;
            output.add("delta_t".to_owned(), &column(curve.points.iter().map(|point| point.0).collect()))?;
            output
                .add(curve.variable.clone(), &column(curve.points.iter().map(|point| point.1).collect()))?;
            output.close()
        }
        _ => Err(Failure::usage(format!("{}: the curve is written as .csv or .npz", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_their_height() {
        let points: Vec<(f64, f64)> = (-40..=40).map(|at| (f64::from(at), f64::from(at))).collect();
        let text = picture(&points);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2 * ROWS + 2);
        assert!(lines[0].contains("+4.000e1") && lines[2 * ROWS].contains("-4.000e1"), "{text}");
        assert!(lines[0].ends_with('█') && lines[2 * ROWS].contains('█'), "{text}");
        // Just above the line every positive point is seen, and nothing else.
        let seen = |line: &str| line.chars().filter(|letter| "█▄▀".contains(*letter)).count();
        assert_eq!((seen(lines[ROWS - 1]), seen(lines[ROWS + 1])), (40, 40), "{text}");
        assert!(picture(&[]).contains("ms") && picture(&[(0.0, 0.0)]).contains('┼'));
    }
}
