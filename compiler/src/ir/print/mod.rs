//! A text of a rule, for people: snapshots, `emit --target ir`, messages.
//!
//! In: a rule. Out: a deterministic text close to the rule language, but explicit: declarations carry type and shape,
//! conversions are written as `real(…)`, gates, draws with their site, reductions with their axis. An expression that a
//! statement uses more than once is given a number, `$0`, before that statement; numbers start again in each statement.
//! The text is not parsed again.

#[cfg(test)]
mod tests;
mod words;

use super::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use words::*;

/// The text of a rule.
pub fn print(rule: &Rule) -> String {
    let mut printer = Printer { rule, text: String::new(), indent: 0 };
    printer.rule();
    printer.text
}

/// Deeper expressions are given a number, so that no line grows without bound.
const DEEPEST: u32 = 24;

/// How tightly an expression binds: a leaf or call is 8.
type Level = u8;

struct Printer<'r> {
    rule: &'r Rule,
    text: String,
    indent: usize,
}

/// The text of an expression that has been printed, to be put into its user's.
struct Piece {
    text: String,
    level: Level,
    depth: u32,
}

impl Printer<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.indent {
            self.text.push_str("    ");
        }
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    fn open(&mut self, head: impl AsRef<str>) {
        self.line(format!("{} {{", head.as_ref()));
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.line("}");
    }

    fn rule(&mut self) {
        let rule = self.rule;
        for doc in &rule.docs {
            self.line(format!("///{doc}"));
        }
        self.open(format!("rule {}", rule.name));
        for (_, variable) in rule.variables.iter() {
            self.variable(variable);
        }
        for (id, site) in rule.sites.iter() {
            let address = site.address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
            let (name, shape) = (distribution(site.distribution), shape(site.shape));
            self.line(format!("draw {}: {name} {shape}{address};", id.index()));
        }
        if let Some(batch) = rule.batch {
            self.line(match batch {
                BatchReduction::Sum => "batch sum;",
                BatchReduction::Mean => "batch mean;",
            });
        }
        self.apply_when();
        for equation in &rule.equations {
            self.equation(equation);
        }
        self.block("on create", &rule.create);
        self.block("update", &rule.update);
        self.block("modulate", &rule.modulate);
        self.block("apply", &rule.apply);
        self.block("constrain", &rule.constrain);
        for call in &rule.calls {
            self.open(format!("on call {}", call.name));
            self.statements(&call.body);
            self.close();
        }
        for schedule in &rule.schedules {
            let period = self.period(schedule.period);
            self.open(period);
            self.statements(&schedule.body);
            self.close();
        }
        self.close();
    }

    fn apply_when(&mut self) {
        match &self.rule.apply_when {
            When::EveryStep => {}
            When::Every(period) => {
                let period = self.period(*period);
                self.line(format!("apply {period};"));
            }
            When::Call(name) => self.line(format!("apply on call {name};")),
        }
    }

    fn period(&mut self, period: Period) -> String {
        match period {
            Period::Steps(id) => format!("every {} steps", self.expression(id)),
            Period::Time(id) => format!("every {}", self.expression(id)),
        }
    }

    fn variable(&mut self, variable: &Variable) {
        let kind = match variable.kind {
            VarKind::Param => "param",
            VarKind::State => "state",
            VarKind::Plastic { .. } => "plastic",
            VarKind::Proposal { .. } => "proposal",
            VarKind::Input { required: true } => "required input",
            VarKind::Input { required: false } => "input",
            VarKind::Output => "output",
            VarKind::Extern => "extern",
        };
        let length = variable.length.map(|length| format!("[{length}]")).unwrap_or_default();
        let (shape, ty) = (shape(variable.shape), word(variable.ty));
        let mut line = format!("{kind} {}{length}: {ty} {shape}", variable.address());
        if !variable.unit.text.is_empty() && variable.ty != Type::Int {
            let _ = write!(line, " in units of {}", variable.unit.text);
        }
        if let Some((low, high)) = variable.range {
            let (low, high) = (self.expression(low), self.expression(high));
            let _ = write!(line, " in {low} .. {high}");
        }
        let init: Vec<String> = variable.init.iter().map(|id| self.expression(*id)).collect();
        match &init[..] {
            [] => {}
            [one] => {
                let _ = write!(line, " = {one}");
            }
            several => {
                let _ = write!(line, " = [{}]", several.join(", "));
            }
        }
        self.line(line + ";");
    }

    fn equation(&mut self, equation: &Equation) {
        let solver = match equation.solver {
            Solver::Exact => "exact",
            Solver::Euler => "euler",
            Solver::Rk4 => "rk4",
            Solver::ExponentialEuler => "exponential_euler",
        };
        let value = self.expression(equation.value);
        let target = self.place(equation.variable, equation.element);
        self.line(format!("d({target})/dt = {value};  // {solver}"));
    }

    fn block(&mut self, head: &str, block: &Block) {
        if !block.is_empty() {
            self.open(head);
            self.statements(block);
            self.close();
        }
    }

    /// The depth of the recursion is that of the blocks in the text, which the parser limits.
    fn statements(&mut self, block: &Block) {
        for statement in block {
            match statement {
                Statement::Let { local, value, .. } => {
                    let value = self.expression(*value);
                    let Local { name, ty, shape: of } = &self.rule.locals[*local];
                    self.line(format!("let {name}: {} {} = {value};", word(*ty), shape(*of)));
                }
                Statement::Assign { variable, element, op, value, .. } => {
                    let op = match op {
                        AssignOp::Set => "=",
                        AssignOp::Add => "+=",
                        AssignOp::Subtract => "-=",
                    };
                    let value = self.expression(*value);
                    let target = self.place(*variable, *element);
                    self.line(format!("{target} {op} {value};"));
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let condition = self.expression(*condition);
                    self.open(format!("if {condition}"));
                    self.statements(then);
                    if !otherwise.is_empty() {
                        self.indent -= 1;
                        self.open("} else");
                        self.statements(otherwise);
                    }
                    self.close();
                }
            }
        }
    }

    fn place(&self, variable: VarId, element: u32) -> String {
        let variable = &self.rule.variables[variable];
        match variable.length {
            Some(_) => format!("{}[{element}]", variable.address()),
            None => variable.address(),
        }
    }

    /// The text of an expression; what it uses more than once stands in lines before.
    fn expression(&mut self, root: ExprId) -> String {
        let nodes = operands::reachable(&self.rule.exprs, [root]);
        let mut uses: BTreeMap<ExprId, u32> = BTreeMap::new();
        for operand in nodes.iter().flat_map(|id| self.rule.exprs[*id].kind.operands()) {
            *uses.entry(operand).or_default() += 1;
        }
        let mut pieces: BTreeMap<ExprId, Piece> = BTreeMap::new();
        let mut numbered = 0;
        for id in nodes {
            let mut piece = self.piece(id, &pieces);
            let leaf = self.is_leaf(id);
            let shared = uses.get(&id).is_some_and(|uses| *uses > 1);
            if id != root && !leaf && (shared || piece.depth > DEEPEST) {
                self.line(format!("${numbered} = {};", piece.text));
                piece = Piece { text: format!("${numbered}"), level: 8, depth: 0 };
                numbered += 1;
            }
            pieces.insert(id, piece);
        }
        pieces.remove(&root).map(|piece| piece.text).unwrap_or_default()
    }

    /// A value or a conversion of one: short enough to be written again.
    fn is_leaf(&self, id: ExprId) -> bool {
        let kind = &self.rule.exprs[id].kind;
        let inner = match kind {
            ExprKind::Convert(inner) => &self.rule.exprs[*inner].kind,
            ExprKind::Number(_)
            | ExprKind::Integer(_)
            | ExprKind::Boolean(_)
            | ExprKind::Load { .. }
            | ExprKind::Local(_)
            | ExprKind::Builtin(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Gate(..)
            | ExprKind::Math(..)
            | ExprKind::Exponential { .. }
            | ExprKind::Draw { .. }
            | ExprKind::Reduce { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Widen(_)
            | ExprKind::Past { .. } => kind,
        };
        inner.operands().is_empty()
    }

    fn piece(&self, id: ExprId, pieces: &BTreeMap<ExprId, Piece>) -> Piece {
        let expr = &self.rule.exprs[id];
        let operands = expr.kind.operands();
        let depth = 1 + operands.iter().map(|id| pieces[id].depth).max().unwrap_or(0);
        let bare = |id: &ExprId| pieces[id].text.clone();
        let at = |id: &ExprId, least: Level| {
            let piece = &pieces[id];
            if piece.level < least { format!("({})", piece.text) } else { piece.text.clone() }
        };
        let list = || operands.iter().map(bare).collect::<Vec<_>>().join(", ");
        let infix = |a: &ExprId, word: &str, b: &ExprId, level: Level| {
            // Comparisons do not group; all others group to the left.
            let left = if level == 3 { 4 } else { level };
            (format!("{} {word} {}", at(a, left), at(b, level + 1)), level)
        };
        let (text, level) = match &expr.kind {
            ExprKind::Number(value) => (number(*value), if value.is_sign_negative() { 6 } else { 8 }),
            ExprKind::Integer(value) => (format!("int {value}"), 6),
            ExprKind::Boolean(value) => (value.to_string(), 8),
            ExprKind::Load { variable, element } => (self.place(*variable, *element), 8),
            ExprKind::Local(local) => (self.rule.locals[*local].name.clone(), 8),
            ExprKind::Builtin(builtin) => (builtin_word(*builtin).to_owned(), 8),
            ExprKind::Unary(UnaryOp::Negate, a) => (format!("-{}", at(a, 7)), 6),
            ExprKind::Unary(UnaryOp::Not, a) => (format!("!{}", at(a, 7)), 6),
            ExprKind::Unary(op, a) => (format!("{}({})", unary(*op), bare(a)), 8),
            ExprKind::Binary(op, a, b) => match binary(*op) {
                (word, Some(level)) => infix(a, word, b, level),
                (word, None) => (format!("{word}({})", list()), 8),
            },
            ExprKind::Compare(op, a, b) => infix(a, comparison(*op), b, 3),
            // As an operand it stands in parentheses.
            ExprKind::Select(c, a, b) => {
                (format!("if {} {{ {} }} else {{ {} }}", bare(c), bare(a), bare(b)), 0)
            }
            ExprKind::Gate(c, a) => (format!("gate({}, {})", bare(c), bare(a)), 8),
            ExprKind::Math(function, _) => (format!("{}({})", math_word(*function), list()), 8),
            ExprKind::Exponential { place, .. } => (format!("expm1([{}])[{place}]", list()), 8),
            ExprKind::Convert(a) => (format!("{}({})", word(expr.ty), bare(a)), 8),
            ExprKind::Draw { site, .. } => {
                let name = distribution(self.rule.sites[*site].distribution);
                (format!("{name}#{}({})", site.index(), list()), 8)
            }
            ExprKind::Reduce { op, over, body } => {
                (format!("{}[{}]({})", reduce_word(*op), over_word(*over), bare(body)), 8)
            }
            ExprKind::Scan { over, body } => (format!("cumsum[{}]({})", over.word(), bare(body)), 8),
            ExprKind::Widen(a) => (format!("widen({})", bare(a)), 8),
            ExprKind::Past { body, delay, longest, .. } => {
                (format!("past({}, {} up to {})", bare(body), bare(delay), bare(longest)), 8)
            }
        };
        Piece { text, level, depth }
    }
}
