//! One statement for every operation, domain and stage.

use aplysia_compiler::ir::Domain;

use super::base::{Parts, Stage, letter};

/// An operation, by the word that `coverage` knows it by, and an expression whose root it is or that holds it.
pub struct Entry {
    /// The word.
    pub word: String,
    /// The text.
    pub expression: String,
}

/// Every operation that can be written in a domain, wherever it may stand.
pub fn entries(domain: Domain) -> Vec<Entry> {
    let l = letter(domain);
    let (a, b) = (format!("a{l}"), format!("p{l}"));
    let mut list: Vec<(String, String)> = Vec::new();
    let mut add = |word: &str, text: String| list.push((word.to_owned(), text));
    for (word, text) in [
        ("Negate:Real", "-A"),
        ("Not:Bool", "!(A < B)"),
        ("Abs:Real", "abs(A - 1)"),
        ("Sqrt:Real", "sqrt(abs(A))"),
        ("Floor:Real", "floor(3 * A)"),
        ("Round:Real", "round(2 * A)"),
        ("Add:Real", "A + B"),
        ("Subtract:Real", "A - B"),
        ("Multiply:Real", "A * B"),
        ("Divide:Real", "A / B"),
        ("Remainder:Real", "(5 * A) % B"),
        ("Min:Real", "min(A, B)"),
        ("Max:Real", "max(A, B)"),
        ("And:Bool", "A < B && B < 1"),
        ("Or:Bool", "A < B || B < A"),
        ("Equal", "A == B"),
        ("NotEqual", "A != B"),
        ("Less", "A < B"),
        ("LessEqual", "A <= B"),
        ("Greater", "A > B"),
        ("GreaterEqual", "A >= B"),
        ("Select:Real", "if A < B { A } else { 2 * B }"),
        ("Negate:Int", "-N"),
        ("Abs:Int", "abs(N - 5)"),
        ("Add:Int", "N + N"),
        ("Subtract:Int", "N - 7"),
        ("Multiply:Int", "N * N"),
        ("Min:Int", "min(N, 2)"),
        ("Max:Int", "max(N, 2)"),
        ("Select:Int", "if A < B { N } else { 9 }"),
        ("Convert:Int:Real", "N * A"),
        ("Convert:Bool:Real", "(A < B) * A"),
        ("Convert:Real:Bool", "if A { B } else { 2 }"),
        ("Exp", "exp(A)"),
        ("Ln", "ln(abs(A) + 1)"),
        ("Log2", "log2(abs(A) + 1)"),
        ("Log1p", "log1p(abs(A))"),
        ("Expm1", "expm1(A)"),
        ("Sin", "sin(A)"),
        ("Cos", "cos(A)"),
        ("Tanh", "tanh(A)"),
        ("Sigmoid", "sigmoid(A)"),
        ("Pow", "pow(abs(A), B)"),
        ("Uniform", "uniform(-1, B + 1)"),
        ("Normal", "normal(A, 0.5)"),
        ("LogNormal", "lognormal(0, abs(B))"),
        ("Bernoulli", "if bernoulli(0.4) { A } else { B }"),
        ("Exponential", "exponential(abs(B) + 0.5)"),
        ("Gamma", "gamma(abs(B) + 0.7, 2)"),
        ("Beta", "beta(abs(B) + 0.7, 1.5)"),
        ("Load:Param", "B"),
        ("Load:State", "A"),
        ("Load:Element", "U[0] + U[1]"),
        ("Load:Plastic", "W"),
        ("Load:Input", "I"),
        ("Load:Proposal", "dW"),
    ] {
        let text = text
            .replace('A', &a)
            .replace('B', &b)
            .replace('N', &format!("n{l}"))
            .replace('U', &format!("u{l}"))
            .replace('W', &format!("w{l}"))
            .replace('I', &format!("i{l}"));
        add(word, text);
    }
    of_domain(domain, &mut add);
    list.into_iter().map(|(word, expression)| Entry { word, expression }).collect()
}

/// What only some domains have.
fn of_domain(domain: Domain, add: &mut dyn FnMut(&str, String)) {
    let mut reductions = |over: &str, name: &str, body: &str, real: &str| {
        for (op, word) in [("sum", "Sum"), ("min", "Min"), ("max", "Max")] {
            add(&format!("{word}{name}"), format!("{op}[{over}]({real})"));
        }
        // Over synapses the counts of the rows are added up.
        let counted = if over == "synapse" { "Sum" } else { "Count" };
        add(&format!("{counted}{name}"), format!("count[{over}]({body})"));
        add(&format!("Sum{name}"), format!("mean[{over}]({real})"));
        add(&format!("Sum{name}"), format!("std[{over}]({real})"));
        add(&format!("Sum{name}"), format!("sum[{over}]({real} * {real})"));
    };
    match domain {
        Domain::Global => {
            reductions("pre", "Pre", "ax > px", "ax");
            reductions("post", "Post", "ay > py", "ay");
            reductions("pre_channel", "PreChannel", "ac > 0.5", "ac");
            reductions("post_channel", "PostChannel", "ad > 0.5", "ad");
            reductions("synapse", "PreChannel", "az > 0.5", "az");
            reductions("synapse", "Pre", "az > ax", "az * ax");
            for (word, text) in [
                ("Convert:Wide:Real", "k + ag"),
                ("Add:Wide", "(k + 1) * ag"),
                ("Subtract:Wide", "(1 - k) * ag"),
                ("Multiply:Wide", "(2 * k) * ag"),
                ("Divide:Wide", "(k / 3) * ag"),
                ("Exp", "exp(-k) * ag"),
                ("Load:Element", "list[1] * ag"),
                ("Step", "step + ag"),
                ("T", "t / 1 ms + ag"),
                ("Dt", "dt / 1 ms + ag"),
                ("PreCount", "pre.count * ag"),
                ("PostCount", "post.count * ag"),
                ("BatchCount", "batch.count * ag"),
                ("PairCount", "pair.count * ag"),
            ] {
                add(word, text.to_owned());
            }
        }
        Domain::PreChannel => {
            reductions("position", "Position", "ax > 0.5", "ax");
            reductions("post", "Post", "az > 0.5", "az");
        }
        Domain::PostChannel => {
            reductions("position", "Position", "ay > 0.5", "ay");
            reductions("pre", "Pre", "az > 0.5", "az");
        }
        Domain::Pre => {
            reductions("post", "Post", "az > ax", "az * ax");
            reductions("batch", "Batch", "tx > 0.5", "tx");
            add("PreIndex", "pre.index * ax".to_owned());
            add("ScanPre", "cumsum[pre](ax)".to_owned());
            add("Gate:Real", "sum[batch](pre.spike * ax)".to_owned());
            add("PreSpike", "sum[batch](pre.spike + ax)".to_owned());
        }
        Domain::Post => {
            reductions("pre", "Pre", "az > ay", "az * ay");
            reductions("batch", "Batch", "ty > 0.5", "ty");
            add("PostIndex", "post.index * ay".to_owned());
            add("ScanPost", "cumsum[post](ay)".to_owned());
            add("SumPostBlocks", "sum[post by 2](ay)".to_owned());
            add("Gate:Real", "sum[batch](post.spike * ay)".to_owned());
            add("PostSpike", "sum[batch](post.spike + ay)".to_owned());
        }
        Domain::Synapse => {
            reductions("batch", "Batch", "tx > az", "tx * az");
            add("Gate:Real", "sum[batch](pre.spike * az)".to_owned());
            add("Gate:Real", "sum[batch](az * post.spike)".to_owned());
            add("SumBatch", "sum[batch](ax + ty)".to_owned());
        }
    }
}

/// What the stage table of the language leaves out.
pub fn excluded(entry: &Entry, stage: Stage) -> bool {
    let draws = ["Uniform", "Normal", "LogNormal", "Bernoulli", "Exponential", "Gamma", "Beta"];
    let word = entry.word.as_str();
    let no_draws = matches!(stage, Stage::Equation | Stage::Constrain) && draws.contains(&word);
    let reduced_spikes = matches!(stage, Stage::Equation | Stage::Update | Stage::Modulate | Stage::Apply);
    let no_spikes = ["Gate:Real", "PreSpike", "PostSpike"].contains(&word) && !reduced_spikes;
    // Only modulate and apply read a proposal.
    let no_proposal = word == "Load:Proposal" && !matches!(stage, Stage::Modulate | Stage::Apply);
    // Initial values have no inputs.
    let no_inputs = word == "Load:Input" && stage == Stage::Initial;
    no_draws || no_spikes || no_proposal || no_inputs
}

/// A statement, or an equation or initial value, for an entry, with a target of its own.
pub fn parts(entry: &Entry, domain: Domain, stage: Stage, number: usize) -> Parts {
    let (word, shared) = match domain {
        Domain::Pre | Domain::Post => (domain.word(), "shared "),
        Domain::Global | Domain::PreChannel | Domain::PostChannel | Domain::Synapse => (domain.word(), ""),
    };
    let expression = &entry.expression;
    let name = format!("r{number}");
    let mut parts = Parts::default();
    match stage {
        Stage::Equation => {
            parts.items = format!("{shared}{word} state {name};\nd{name}/dt = tanh({expression}) / 20 ms;\n");
        }
        Stage::Initial => parts.items = format!("{shared}{word} state {name} = {expression};\n"),
        Stage::Constrain => {
            parts.items = format!("{word} plastic {name};\n");
            parts.statements.push((stage, format!("{name} = {expression};")));
        }
        Stage::Create | Stage::Update | Stage::Modulate | Stage::Apply | Stage::Call | Stage::Schedule => {
            parts.items = format!("{shared}{word} state {name};\n");
            let statement = match number % 3 {
                0 => format!("{name} = {expression};"),
                1 => format!("{name} += {expression};"),
                _ => format!("if a{} > 0.2 {{ {name} -= {expression}; }}", letter(domain)),
            };
            parts.statements.push((stage, statement));
        }
    }
    parts
}
