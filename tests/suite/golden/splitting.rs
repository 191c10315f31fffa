//! bio_transformations: weight splitting, from what the layer answers and from the layer's inputs.

use super::bio::Layer;
use super::data::{Arrays, Case};
use super::plan::{Act, Plan};

/// Both ways of running a case.
pub fn plans(case: &Case, arrays: &Arrays) -> Vec<Plan> {
    vec![plan(case, arrays, false), plan(case, arrays, true)]
}

fn plan(case: &Case, arrays: &Arrays, whole: bool) -> Plan {
    let (weight, inputs) = (arrays.get("weight"), arrays.get("x"));
    let layer = Layer::new(&weight.shape);
    let input = (weight.shape.len() == 4).then(|| [inputs.shape[3], inputs.shape[4]]);
    let contacts = case.count("weight_splitting_Gamma");
    let activation = case.name("activation").expect("a case names its activation");
    let arguments = format!("contacts = {contacts}, activation = {activation}");
    let parts = if whole {
        format!("layer + weight_splitting({arguments}, y = layer.y)")
    } else {
        format!("weight_splitting({arguments})")
    };
    let text = format!("use std::layer;\nuse std::weight_splitting;\nrule case = {parts};\n");
    let mut plan = Plan::new(text, layer.topology(input));
    plan.name = if whole { "layer" } else { "answers" };
    plan.batch = inputs.shape[1];
    if whole {
        plan.initial.push(("w".to_owned(), layer.synapses(&weight.values)));
        plan.initial.push(("b".to_owned(), arrays.get("bias").values.clone()));
    }
    // The library's sums over inputs are not those of the package.
    plan.watch("z", arrays.get("out").rows(), case.is_exact("out") && !whole);
    for step in 0..case.steps() {
        let given = if whole { ("x", "x") } else { ("y", "plain") };
        let given = Act::Input(given.0.to_owned(), arrays.get(given.1).row(step));
        plan.acts.push(vec![given, plan.silent()]);
    }
    plan
}
