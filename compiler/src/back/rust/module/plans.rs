//! The programs of a module: one for each topology and precision, with what they have in common.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Settings;
use super::group::element;
use super::launches::printed;
use super::programs::{lagging, programs};
use super::prologue::{NOWHERE, Prologue};
use crate::back::rust::RustKernel;
use crate::back::rust::names::identifier;
use crate::diag::{Diagnostic, Diagnostics, code};
use crate::ir::build::RuleBuilder;
use crate::ir::{
    Comparison, Domain, ExprId, ExprKind, Period, Rule, Shape, SiteId, Type as RuleType, VarId, VarKind,
    Variable, When,
};
use crate::kernel::Precision;
use crate::plan::Options;
use crate::plan::program::{Program, Role, Storage, StorageId};
use crate::topology::Kind;

/// One program, and how it stands in the module.
pub(super) struct Plan {
    pub precision: Precision,
    pub kind: Kind,
    pub batched: bool,
    /// The number of its combination of options.
    pub variant: usize,
    /// Whether it is for groups that are large alone.
    pub large: bool,
    pub program: Program,
    /// What it was planned with.
    pub options: Options,
    /// The place of each result of its prologue among those of the module.
    pub places: Vec<usize>,
    /// Its kernels as Rust, in their order.
    pub texts: Vec<RustKernel>,
    /// The field of each of its arrays.
    fields: Vec<usize>,
}

impl Plan {
    /// The name of the Rust module of its kernels.
    pub fn module(&self) -> String {
        let batched = if self.batched { "_batched" } else { "" };
        let large = if self.large { "_large" } else { "" };
        let variant = if self.variant > 0 { format!("_{}", self.variant) } else { String::new() };
        format!("{}{batched}{large}_{}{variant}", kind_word(self.kind), self.real())
    }

    /// The type of its real numbers.
    pub fn real(&self) -> &'static str {
        match self.precision {
            Precision::F32 => "f32",
            Precision::F64 => "f64",
        }
    }

    /// The type that stands for its topology.
    pub fn topology(&self) -> String {
        let one = format!("native::{}", kind_type(self.kind));
        if self.batched { format!("native::Batched<{one}>") } else { one }
    }
}

/// The name of a constructor, and of modules.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Dense => "dense",
        Kind::OneToOne => "one_to_one",
        Kind::Sparse => "sparse",
        Kind::Conv2d => "conv2d",
        Kind::Local2d => "local2d",
    }
}

/// The type of a topology.
pub(super) fn kind_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Dense => "Dense",
        Kind::OneToOne => "OneToOne",
        Kind::Sparse => "Sparse",
        Kind::Conv2d => "Conv2d",
        Kind::Local2d => "Local2d",
    }
}

/// An array of a group; a program that has no such array leaves it empty.
pub(super) struct Field {
    pub name: String,
    pub ty: &'static str,
    pub role: Role,
    /// Whether bringing rows up to date, or showing them, may write it.
    pub lags: bool,
    /// Whether rows are brought up to date with it.
    pub reads: bool,
}

impl Field {
    /// Where it is among the arrays of a group.
    pub fn place(&self) -> String {
        format!("{}.{}", if self.lags { "rows" } else { "arrays" }, self.name)
    }
}

/// All programs of a module, and what they share.
pub(super) struct Plans {
    pub plans: Vec<Plan>,
    pub fields: Vec<Field>,
    /// What is computed when a parameter changes, for all of them.
    pub prologue: Prologue,
    pub places: Places,
    /// Whether some program leaves rows behind.
    pub lazy: bool,
    /// States of which a plan relies on that they are never negative.
    pub never_negative: BTreeSet<VarId>,
}

/// What is computed when a parameter changes besides what launches use.
#[derive(Default, PartialEq)]
pub(super) struct Places {
    /// The periods of schedules.
    pub schedules: Vec<usize>,
    /// The period of the commit.
    pub commit: Option<usize>,
    /// The defaults of inputs: the variable and a place for each element.
    pub inputs: Vec<(VarId, Vec<usize>)>,
}

/// Plans each variant of a rule on each topology in both precisions.
pub(super) fn plan(
    variants: &[Planned],
    settings: &Settings,
    names: &BTreeMap<VarId, String>,
) -> Result<Plans, Diagnostics> {
    let mut fields = Fields::default();
    let mut prologue = Prologue::default();
    let mut plans = Vec::new();
    for &kind in &settings.topologies {
        for batched in [false, true] {
            for precision in [Precision::F32, Precision::F64] {
                if batched && !settings.batched {
                    continue;
                }
                for (options, variant, program) in programs((kind, batched, precision), variants, settings)? {
                    let exprs = &program.prologue.exprs;
                    let results = program.prologue.results.iter();
                    let places = results.map(|&root| prologue.add(exprs, root)).collect();
                    let storages = program.storages.handles();
                    let rule = &variants[variant].rule;
                    let fields =
                        storages.map(|id| fields.of(&program.storages[id], precision, rule, names)).collect();
                    let texts = program.kernels.iter().map(|(_, kernel)| printed(kernel)).collect();
                    let large = options.large;
                    plans.push(Plan {
                        precision,
                        kind,
                        batched,
                        variant,
                        large,
                        program,
                        options,
                        places,
                        texts,
                        fields,
                    });
                }
            }
        }
    }
    let mut all = plans
        .iter()
        .zip(variants)
        .map(|(plan, rule)| periods(rule, &plan.program, &mut prologue))
        .collect::<Vec<Places>>()
        .into_iter();
    let places = all.next().unwrap_or_default();
    if all.any(|other| other != places) {
        let message = "the choices of an option change when the rule acts, or what an input is by default";
        let mut found = Diagnostics::new();
        found.push(
            Diagnostic::new(code::NOT_ON_TOPOLOGY, NOWHERE, message)
                .help("choose it where rules are composed: `rule my = part(option = value);`"),
        );
        return Err(found);
    }
    let mut fields = fields.all;
    for plan in &plans {
        for storage in lagging(&plan.program) {
            fields[plan.fields[storage.index()]].lags = true;
        }
        for storage in plan.program.lazy.iter().flat_map(|lazy| &lazy.reads) {
            fields[plan.fields[storage.index()]].reads = true;
        }
    }
    let lazy = || plans.iter().filter_map(|plan| plan.program.lazy.as_ref());
    let never_negative = lazy().flat_map(|lazy| lazy.never_negative.iter().copied()).collect();
    let lazy = lazy().next().is_some();
    Ok(Plans { plans, fields, prologue, places, lazy, never_negative })
}

/// Periods and the defaults of inputs, which are the same for all programs of a rule.
fn periods(rule: &Planned, program: &Program, prologue: &mut Prologue) -> Places {
    let mut period = |period: &Period| match period {
        Period::Steps(id) => prologue.add(&program.prologue.exprs, *id),
        Period::Time(id) => prologue.add_in_steps(&program.prologue.exprs, *id),
    };
    let schedules = program.schedules.iter().map(|(each, _)| period(each)).collect();
    let commit = match program.commit.as_ref().map(|commit| &commit.when) {
        Some(When::Every(each)) => Some(period(each)),
        Some(When::EveryStep | When::Call(_)) | None => None,
    };
    let rule = &rule.rule;
    let inputs = rule.variables.iter().filter(|(_, variable)| matches!(variable.kind, VarKind::Input { .. }));
    let inputs = inputs.filter(|(_, variable)| !variable.init.is_empty()).map(|(id, variable)| {
        let init = |element: usize| variable.init[element.min(variable.init.len() - 1)];
        let places =
            (0..variable.elements() as usize).map(|element| prologue.add(&rule.exprs, init(element)));
        (id, places.collect())
    });
    Places { schedules, commit, inputs: inputs.collect() }
}

impl Plans {
    /// Where an array of a program is: `arrays.x`, or `rows.w` if it lags behind.
    pub fn place(&self, plan: usize, storage: StorageId) -> String {
        self.fields[self.plans[plan].fields[storage.index()]].place()
    }

    /// The array of a program behind a field.
    pub fn storage(&self, plan: usize, field: usize) -> Option<StorageId> {
        let plan = &self.plans[plan];
        plan.program.storages.handles().find(|storage| plan.fields[storage.index()] == field)
    }

    /// The copy in which an array that lags behind is shown.
    pub fn copy(&self, field: usize) -> Option<&Field> {
        let of = |plan: &Plan| {
            let view = plan.program.lazy.as_ref()?.view.as_ref()?;
            let of = |storage: StorageId| plan.fields[storage.index()];
            view.copies.iter().find(|(own, _)| of(*own) == field).map(|(_, copy)| of(*copy))
        };
        self.plans.iter().find_map(of).map(|copy| &self.fields[copy])
    }

    /// The first field with a role.
    pub fn with_role(&self, role: Role) -> Option<&Field> {
        self.fields.iter().find(|field| field.role == role)
    }
}

/// The arrays of all programs.
#[derive(Default)]
struct Fields {
    all: Vec<Field>,
    known: HashMap<(String, &'static str), usize>,
    taken: BTreeSet<String>,
}

impl Fields {
    /// The field of an array: those of one name and type are one.
    fn of(
        &mut self,
        storage: &Storage,
        precision: Precision,
        rule: &Rule,
        names: &BTreeMap<VarId, String>,
    ) -> usize {
        let ty = element(storage.ty, precision);
        let (key, name) = match storage.role {
            Role::Variable(variable) => (storage.name.clone(), names[&variable].clone()),
            // Sites have other numbers in another variant of the rule.
            Role::Draws(site) => (super::draw_address(rule, site), super::draw_name(rule, site)),
            // What lies between launches lies nowhere else, whatever it was made for.
            Role::Scratch => {
                (format!("scratch {}", storage.name), identifier(storage.name.trim_start_matches('%')))
            }
            Role::Events(_)
            | Role::Spikes(_)
            | Role::Index(_)
            | Role::Ring(_)
            | Role::EventHistory(_)
            | Role::EventCounts(_)
            | Role::History(_)
            | Role::Carried(_)
            | Role::View(_)
            | Role::Marks => (storage.name.clone(), identifier(storage.name.trim_start_matches('%'))),
        };
        let key = (key, ty);
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let name = super::fresh(name, &mut self.taken);
        self.all.push(Field { name, ty, role: storage.role, lags: false, reads: false });
        self.known.insert(key, self.all.len() - 1);
        self.all.len() - 1
    }
}

/// A rule as it is planned: initial values give way where the host has put some in place.
pub(super) struct Planned {
    pub rule: Rule,
    /// Parameters of the module's own, in the order of `given`: not 0 where the host gives the initial values.
    pub flags: Vec<VarId>,
    /// The variables that have such a parameter.
    pub given: Vec<VarId>,
    /// The variables that begin at 0, as all arrays do, or as the host says.
    pub zero: Vec<VarId>,
    /// The draws whose values the host gives.
    pub draws: Vec<SiteId>,
}

impl Planned {
    /// All variants of a rule; `draws` are sites of the rule itself.
    pub fn all(rule: &Rule, variants: &[Rule], draws: &[SiteId]) -> Vec<Self> {
        let address = |&site: &SiteId| super::draw_address(rule, site);
        let draws: Vec<String> = draws.iter().map(address).collect();
        let one = |variant: &Rule| {
            // A draw that a variant does not make needs no values.
            let sites = draws.iter().filter_map(|draw| super::find_draw(variant, draw).ok());
            Self::new(variant, variants, sites.collect())
        };
        variants.iter().map(one).collect()
    }

    /// The rule, in which `init` is `if given { what is there } else { init }`.
    fn new(rule: &Rule, variants: &[Rule], draws: Vec<SiteId>) -> Self {
        let starts = |variable: &Variable| matches!(variable.kind, VarKind::State | VarKind::Plastic { .. });
        let zero_in = |rule: &Rule, id: VarId| rule.variables[id].init.iter().all(|&id| is_zero(rule, id));
        let chosen = rule.variables.iter().filter(|(_, variable)| starts(variable));
        let (zero, given): (Vec<_>, Vec<_>) =
            chosen.partition(|&(id, _)| variants.iter().all(|variant| zero_in(variant, id)));
        let [zero, given] = [zero, given].map(|list| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
        let mut builder = RuleBuilder::extend(rule.clone());
        let mut flags = Vec::new();
        for &id in &given {
            let of = builder.rule.variables[id].clone();
            let flag = builder.rule.variables.push(Variable {
                part: "%given".to_owned(),
                name: of.address(),
                docs: Vec::new(),
                kind: VarKind::Param,
                shape: Shape::of(Domain::Global),
                ty: RuleType::Wide,
                length: None,
                unit: crate::ir::DeclaredUnit::default(),
                range: None,
                init: Vec::new(),
                ..of.clone()
            });
            flags.push(flag);
            let (is, none) = (builder.load(flag, 0, of.span), builder.number(0.0, of.span));
            let condition = builder.compare(Comparison::NotEqual, is, none, of.span);
            if of.init.is_empty() {
                // It begins at 0 here, and elsewhere in another variant.
                builder.rule.variables[id].init = vec![builder.number(0.0, of.span)];
            }
            let of = builder.rule.variables[id].clone();
            let elements = 0..of.elements();
            let init = elements.map(|element| {
                let written = *of.init.get(element as usize).unwrap_or(&of.init[0]);
                let written = builder.convert(written, of.ty, of.span);
                let there = builder.load(id, element, of.span);
                builder.select(condition, there, written, of.span)
            });
            let init = init.collect();
            builder.rule.variables[id].init = init;
        }
        Self { rule: builder.finish(), flags, given, zero, draws }
    }
}

/// Whether a value is the number +0.
fn is_zero(rule: &Rule, id: ExprId) -> bool {
    match rule.exprs[id].kind {
        ExprKind::Number(value) => value.to_bits() == 0,
        ExprKind::Integer(value) => value == 0,
        ExprKind::Convert(of) => is_zero(rule, of),
        _ => false,
    }
}
