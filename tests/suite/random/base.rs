//! What every generated rule declares: in each domain a state, a counter, a parameter, an input and a plastic variable.

use aplysia_compiler::ir::Domain;

/// All domains, with the letter that names of that domain end in.
pub const DOMAINS: [(Domain, &str); 6] = [
    (Domain::Global, "g"),
    (Domain::PreChannel, "c"),
    (Domain::PostChannel, "d"),
    (Domain::Pre, "x"),
    (Domain::Post, "y"),
    (Domain::Synapse, "z"),
];

/// The places where statements and values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Equation,
    Initial,
    Create,
    Update,
    Modulate,
    Apply,
    Constrain,
    Call,
    Schedule,
}

/// All of them.
pub const STAGES: [Stage; 9] = [
    Stage::Equation,
    Stage::Initial,
    Stage::Create,
    Stage::Update,
    Stage::Modulate,
    Stage::Apply,
    Stage::Constrain,
    Stage::Call,
    Stage::Schedule,
];

/// The letter of a domain.
pub fn letter(domain: Domain) -> &'static str {
    DOMAINS.iter().find(|(of, _)| *of == domain).map_or("?", |(_, letter)| letter)
}

/// The declarations. Neurons' values are shared, so that every stage may read them; `tx` and `ty` are batched.
pub fn declarations() -> String {
    let mut text = String::from("solver euler;\nparam k = 0.75;\nparam list[2] = [0.25, 1.5];\n");
    for (domain, letter) in DOMAINS {
        let word = domain.word();
        let shared = if matches!(domain, Domain::Pre | Domain::Post) { "shared " } else { "" };
        text += &format!("{shared}{word} state a{letter} = uniform(-0.5, 1.5);\n");
        text += &format!("{shared}{word} state u{letter}[2] = [0.5, uniform(0, 2)];\n");
        text += &format!("{shared}{word} state n{letter}: int = 3;\n");
        text += &format!("{word} param p{letter} = 0.6;\n");
        text += &format!("{shared}{word} input i{letter} = 0.4;\n");
        text += &format!("{word} plastic w{letter} in -2 .. 2 = 0.25;\n");
    }
    text + "pre state tx = uniform(0, 1);\npost state ty = uniform(0, 1);\n"
}

/// A rule of declarations and of statements of stages.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Behind the declarations: further ones, and equations.
    pub items: String,
    /// Statements by stage; `Equation` and `Initial` have none.
    pub statements: Vec<(Stage, String)>,
}

impl Parts {
    /// Adds all of another.
    pub fn extend(&mut self, other: &Parts) {
        self.items += &other.items;
        self.statements.extend(other.statements.iter().cloned());
    }

    /// The rule's text.
    pub fn text(&self) -> String {
        let mut text = format!("rule generated {{\n{}{}", declarations(), self.items);
        for stage in STAGES {
            let own: String = self
                .statements
                .iter()
                .filter(|(of, _)| *of == stage)
                .map(|(_, statement)| format!("    {statement}\n"))
                .collect();
            if own.is_empty() {
                continue;
            }
            let head = match stage {
                Stage::Equation | Stage::Initial => continue,
                Stage::Create => "on create",
                Stage::Update => "update",
                Stage::Modulate => "modulate",
                Stage::Apply => "apply",
                Stage::Constrain => "constrain",
                Stage::Call => "on call act",
                Stage::Schedule => "every 3 steps",
            };
            text += &format!("{head} {{\n{own}}}\n");
        }
        text + "}\n"
    }
}
