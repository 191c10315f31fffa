use super::*;
use crate::interp::order::{lanes32, serial256};
use crate::ir::sample::{Sample, set, stdp};
use crate::math::{Stream, draw};
use crate::valid::rule::validate;

fn machine<R: Real>(rule: &Rule, pre: usize, post: usize, batch: usize) -> RuleMachine<R> {
    validate(rule).unwrap();
    let machine = RuleMachine::new(rule, Topology::Dense { pre, post }, batch, 1.0, 7).unwrap();
    validate(machine.rule()).unwrap();
    machine
}

#[test]
fn a_coincidence_gives_the_table_of_the_reference() {
    let (rule, x, y, (weight, proposal)) = stdp();
    let mut machine = machine::<f32>(&rule, 1, 1, 1);
    machine.write(x, &[0.6]).unwrap();
    machine.write(y, &[0.4]).unwrap();
    machine.write(weight, &[0.5]).unwrap();
    machine.step(&[true], &[true]).unwrap();
    let mut near = |variable, expected: f64, digits: f64| {
        let value = machine.read(variable).unwrap()[0];
        assert!((value - expected).abs() < digits, "{value} is not {expected}");
    };
    near(x, 1.57074, 5e-6);
    near(y, 1.38049, 5e-6);
    near(proposal, 0.0111415, 5e-8);
    near(weight, 0.5111415, 5e-8);
}

#[test]
fn the_bounds_clip_and_only_spiking_rows_and_columns_change() {
    let (rule, x, y, (weight, _)) = stdp();
    let mut machine = machine::<f64>(&rule, 2, 3, 1);
    machine.write(x, &[50.0, 1.0]).unwrap();
    machine.write(y, &[1.0, 100.0, 1.0]).unwrap();
    machine.write(weight, &[0.9, 0.5, 0.5, 0.5, 0.5, 0.5]).unwrap();
    machine.step(&[false, true], &[true, false, false]).unwrap();
    let weights = machine.read(weight).unwrap();
    assert_eq!(weights[0], 1.0);
    assert_eq!(&weights[1..3], [0.5, 0.5]);
    assert_eq!(weights[4], 0.0);
    let decay = (-1.0_f64 / 20.0).exp();
    assert!((weights[5] - (0.5 - 0.012 * decay)).abs() < 1e-15);
    // The new presynaptic spike counts in this step's postsynaptic one.
    assert!((weights[3] - (0.5 - 0.012 * decay + 0.01 * (decay + 1.0))).abs() < 1e-15);
}

/// `out = op[over](body)` with the body made of a synapse state and a neuron state.
fn reduction(over: Over, result: Domain, gated: bool) -> (Rule, VarId, VarId, VarId) {
    let mut sample = Sample::new("r");
    let (s, x) = (sample.state("s", Domain::Synapse), sample.state("x", Domain::Pre));
    let out = sample.output("out", result);
    let (left, right) = (sample.load(s), sample.load(x));
    let mut body = sample.multiply(left, right);
    if gated {
        let spike = sample.built_in(Builtin::PreSpike);
        body = sample.builder.gate(spike, body, sample::NOWHERE);
    }
    let total = sample.builder.reduce(ReduceOp::Sum, over, body, sample::NOWHERE);
    sample.builder.rule.update.push(set(out, AssignOp::Add, total));
    (sample.finish(), s, x, out)
}

/// Numbers whose sum depends on the order.
fn rough(count: usize) -> Vec<f64> {
    (0..count).map(|index| f64::from((index as f32 * 37.7).sin() * 10_f32.powi(index as i32 % 4))).collect()
}

#[test]
fn sums_of_products_use_one_fma_a_term_in_the_stated_order() {
    let (pre, post) = (600, 2);
    let (rule, s, x, out) = reduction(Over::Pre, Domain::Post, false);
    let mut machine = machine::<f32>(&rule, pre, post, 1);
    let (synapses, neurons) = (rough(pre * post), rough(pre));
    machine.write(s, &synapses).unwrap();
    machine.write(x, &neurons).unwrap();
    machine.step(&vec![false; pre], &[false; 2]).unwrap();
    let expected = |column: usize| {
        let terms = (0..pre).map(|row| (row, (synapses[row * post + column] as f32, neurons[row] as f32)));
        serial256(pre, terms, 0.0_f32, |sum, (a, b)| a.mul_add(b, sum), |left, right| left + right)
    };
    let sums = machine.read(out).unwrap();
    assert_eq!(sums, [f64::from(expected(0)), f64::from(expected(1))]);
    let plain: f32 = (0..pre).map(|row| synapses[row * post] as f32 * neurons[row] as f32).sum();
    assert_ne!(sums[0] as f32, plain, "the order must show in these numbers");
}

#[test]
fn the_contiguous_axis_uses_lanes() {
    let (pre, post) = (2, 100);
    let (rule, s, x, out) = reduction(Over::Post, Domain::Pre, false);
    let mut machine = machine::<f32>(&rule, pre, post, 1);
    let synapses = rough(pre * post);
    machine.write(s, &synapses).unwrap();
    machine.write(x, &[3.0, 0.1]).unwrap();
    machine.step(&[false; 2], &[false; 100]).unwrap();
    let terms = (0..post).map(|column| (column, synapses[post + column] as f32));
    let expected = lanes32(terms, 0.0_f32, |sum, term| term.mul_add(0.1, sum), |left, right| left + right);
    assert_eq!(machine.read(out).unwrap()[1], f64::from(expected));
}

#[test]
fn what_is_gated_off_adds_nothing_even_if_it_is_infinite() {
    let (rule, s, x, out) = reduction(Over::Pre, Domain::Post, true);
    let mut machine = machine::<f32>(&rule, 3, 1, 1);
    machine.write(s, &[f64::INFINITY, 2.0, f64::NAN]).unwrap();
    machine.write(x, &[1.0, 3.0, 1.0]).unwrap();
    machine.step(&[false, true, false], &[false]).unwrap();
    assert_eq!(machine.read(out).unwrap(), [6.0]);
    machine.step(&[false; 3], &[false]).unwrap();
    assert_eq!(machine.read(out).unwrap()[0].to_bits(), 0.0_f64.to_bits());
}

#[test]
fn draws_are_addressed_by_site_row_and_column() {
    let mut sample = Sample::new("r");
    let s = sample.state("s", Domain::Synapse);
    let y = sample.state("y", Domain::Post);
    let other = sample.draw(Distribution::Uniform, Domain::Post, &[0.0, 1.0]);
    let value = sample.draw(Distribution::Normal, Domain::Synapse, &[1.0, 2.0]);
    sample.builder.rule.update.push(set(s, AssignOp::Set, value));
    sample.builder.rule.variables[y].shape.batched = false;
    let body = vec![set(y, AssignOp::Set, other)];
    sample.builder.rule.calls.push(Call { name: "again".to_owned(), body, span: sample::NOWHERE });
    let mut machine = machine::<f32>(&sample.finish(), 2, 3, 1);
    machine.step(&[false; 2], &[false; 3]).unwrap();
    machine.step(&[false; 2], &[false; 3]).unwrap();
    let stream = |site, run, row, column| Stream { seed: 7, step: 2, site, run, row, column };
    let synapse =
        |row, column| f64::from(draw::<f32>(Distribution::Normal, &[1.0, 2.0], &stream(1, 0, row, column)));
    let values = machine.read(s).unwrap();
    assert_eq!(values[0], synapse(0, 0));
    assert_eq!(values[5], synapse(1, 2));
    machine.call("again").unwrap();
    let first = machine.read(y).unwrap();
    machine.call("again").unwrap();
    let post =
        |run, column| f64::from(draw::<f32>(Distribution::Uniform, &[0.0, 1.0], &stream(0, run, 0, column)));
    assert_eq!(first[2], post(0, 2));
    assert_eq!(machine.read(y).unwrap()[2], post(1, 2));
    assert!(matches!(machine.call("learn"), Err(Refusal::UnknownCall(_))));
    machine.set_draw(SiteId::from_index(0), &[0.25, 0.5, 0.75]).unwrap();
    machine.call("again").unwrap();
    assert_eq!(machine.read(y).unwrap(), [0.25, 0.5, 0.75]);
}

#[test]
fn schedules_run_in_multiples_of_their_period_and_constrain_follows() {
    let mut sample = Sample::new("r");
    let n = sample.counter("n");
    let (weight, _) = sample.plastic("w", Domain::Synapse);
    let one = sample.builder.integer(1, sample::NOWHERE);
    let (large, limit, value) = (sample.real(9.0), sample.real(2.0), sample.load(weight));
    let body = vec![set(n, AssignOp::Add, one), set(weight, AssignOp::Set, large)];
    let period = Period::Time(sample.number(3.4));
    sample.builder.rule.schedules.push(Schedule { period, body, span: sample::NOWHERE });
    let clipped = sample.binary(BinaryOp::Min, value, limit);
    sample.builder.rule.constrain.push(set(weight, AssignOp::Set, clipped));
    let mut machine = machine::<f32>(&sample.finish(), 1, 1, 1);
    for step in 1..=7 {
        machine.step(&[false], &[false]).unwrap();
        let expected = f64::from(step / 3);
        assert_eq!(machine.read(n).unwrap(), [expected], "3.4 ms are 3 steps");
        assert_eq!(machine.read(weight).unwrap(), [if step < 3 { 0.0 } else { 2.0 }]);
    }
}

#[test]
fn proposals_accumulate_until_they_are_applied() {
    let (mut rule, x, y, (weight, proposal)) = stdp();
    let every = rule.exprs.push(Expr {
        kind: ExprKind::Number(2.0),
        ty: Type::Wide,
        shape: Shape::of(Domain::Global),
    });
    rule.expr_spans.push(sample::NOWHERE);
    for when in [When::Every(Period::Steps(every)), When::Call("learn".to_owned())] {
        rule.apply_when = when.clone();
        let mut machine = machine::<f64>(&rule, 1, 1, 1);
        machine.write(weight, &[0.5]).unwrap();
        machine.write(x, &[1.0]).unwrap();
        machine.write(y, &[0.0]).unwrap();
        machine.step(&[false], &[true]).unwrap();
        let first = machine.read(proposal).unwrap()[0];
        assert!(first > 0.0);
        assert_eq!(machine.read(weight).unwrap(), [0.5]);
        machine.step(&[false], &[true]).unwrap();
        if when == When::Call("learn".to_owned()) {
            assert!(machine.read(proposal).unwrap()[0] > first);
            machine.call("learn").unwrap();
        }
        assert_eq!(machine.read(proposal).unwrap(), [0.0]);
        let decay = (-0.05_f64).exp();
        let expected = 0.5 + 0.01 * (decay + decay * decay);
        assert!((machine.read(weight).unwrap()[0] - expected).abs() < 1e-15);
    }
}

#[test]
fn a_batch_is_combined_as_the_rule_says() {
    let (mut rule, x, _, (weight, _)) = stdp();
    let refused = RuleMachine::<f32>::new(&rule, Topology::Dense { pre: 1, post: 1 }, 3, 1.0, 7);
    assert!(matches!(refused, Err(Refusal::Batch(3))));
    let decay = (-0.05_f64).exp();
    for (reduction, divisor) in [(BatchReduction::Sum, 1.0), (BatchReduction::Mean, 3.0)] {
        rule.batch = Some(reduction);
        let mut machine = machine::<f64>(&rule, 1, 1, 3);
        machine.write(x, &[1.0, 2.0, 4.0]).unwrap();
        machine.step(&[false; 3], &[true, false, true]).unwrap();
        let expected = 0.01 * 5.0 * decay / divisor;
        assert!((machine.read(weight).unwrap()[0] - expected).abs() < 1e-15);
        assert_eq!(machine.read(x).unwrap().len(), 3);
    }
}

#[test]
fn what_cannot_run_is_refused() {
    let mut sample = Sample::new("r");
    let tau = sample.neuron_param("tau", Domain::Post);
    let rule = sample.finish();
    let new = |pre, dt| RuleMachine::<f32>::new(&rule, Topology::Dense { pre, post: 4 }, 1, dt, 0);
    assert!(matches!(new(1 << 40, 1.0), Err(Refusal::TooLarge)));
    assert!(matches!(new(1, f64::NAN), Err(Refusal::Dt(_))));
    let mut machine = new(1, 1.0).unwrap();
    assert!(matches!(machine.step(&[false], &[false; 4]), Err(Refusal::Missing(name)) if name == "tau"));
    assert!(matches!(machine.set_parameter(tau, &[1.0]), Err(Refusal::Length { expected: 4, given: 1, .. })));
    machine.set_parameter(tau, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    machine.step(&[false], &[false; 4]).unwrap();
    assert!(matches!(machine.step(&[], &[false; 4]), Err(Refusal::Length { expected: 1, .. })));
}

/// `out = past(pre.spike, 2 ms)`, `trace = past(x, d)` with a delay for each neuron, after `x += 1`.
#[test]
fn the_past_is_that_of_its_place_in_the_text() {
    let mut sample = Sample::new("r");
    let (x, d) = (sample.state("x", Domain::Pre), sample.neuron_param("d", Domain::Pre));
    let [before, after, late] = ["before", "after", "late"].map(|name| sample.state(name, Domain::Pre));
    let (value, delay, longest) = (sample.load(x), sample.load(d), sample.number(3.0));
    let (two, one, zero) = (sample.number(2.0), sample.real(1.0), sample.real(0.0));
    let earlier = sample.builder.past(value, delay, longest, sample::NOWHERE);
    let spike = sample.built_in(Builtin::PreSpike);
    let spiked = sample.builder.past(spike, two, longest, sample::NOWHERE);
    let spiked = sample.builder.select(spiked, one, zero, sample::NOWHERE);
    sample.builder.rule.update.extend([
        set(before, AssignOp::Set, earlier),
        set(x, AssignOp::Add, one),
        set(after, AssignOp::Set, earlier),
        set(late, AssignOp::Set, spiked),
    ]);
    let mut machine = machine::<f32>(&sample.finish(), 2, 1, 1);
    machine.set_parameter(d, &[1.4, 9.0]).unwrap();
    machine.write(x, &[10.0, 20.0]).unwrap();
    let mut seen = Vec::new();
    for step in 1..=5 {
        machine.step(&[step == 1, false], &[false]).unwrap();
        seen.push([before, after, late].map(|variable| machine.read(variable).unwrap()));
    }
    // 1.4 ms are one step; 9 ms are cut to 3. At creation x is 10 and 20, at both places.
    assert_eq!(seen[0], [vec![10.0, 20.0], vec![10.0, 20.0], vec![0.0, 0.0]]);
    assert_eq!(seen[1], [vec![10.0, 20.0], vec![11.0, 20.0], vec![0.0, 0.0]]);
    assert_eq!(seen[2], [vec![11.0, 20.0], vec![12.0, 20.0], vec![1.0, 0.0]]);
    assert_eq!(seen[3], [vec![12.0, 20.0], vec![13.0, 21.0], vec![0.0, 0.0]]);
    assert_eq!(seen[4], [vec![13.0, 21.0], vec![14.0, 22.0], vec![0.0, 0.0]]);
}
