use super::*;
use crate::diag::code;
use crate::interp::rule::{RuleMachine, Topology};
use crate::ir::sample::Sample;
use crate::valid::rule::validate;

/// The values of variables after some steps of 1 ms, from the given ones.
fn run(rule: &Rule, from: &[(VarId, f64)], steps: usize) -> Vec<f64> {
    validate(rule).unwrap();
    let integrated = integrate(rule).unwrap();
    assert!(integrated.equations.is_empty());
    validate(&integrated).unwrap();
    let mut machine = RuleMachine::<f64>::new(rule, Topology::Dense { pre: 1, post: 1 }, 1, 1.0, 0).unwrap();
    for (variable, value) in from {
        machine.write(*variable, &[*value]).unwrap();
    }
    for _ in 0..steps {
        machine.step(&[false], &[false]).unwrap();
    }
    from.iter().map(|(variable, _)| machine.read(*variable).unwrap()[0]).collect()
}

/// The course of `dx/dt = f(x)` by the classical method with small steps.
fn reference(from: &[f64], time: f64, f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let steps = 4000;
    let h = time / f64::from(steps);
    let move_by =
        |x: &[f64], k: &[f64], h: f64| -> Vec<f64> { x.iter().zip(k).map(|(x, k)| x + h * k).collect() };
    let mut x = from.to_vec();
    for _ in 0..steps {
        let first = f(&x);
        let second = f(&move_by(&x, &first, h / 2.0));
        let third = f(&move_by(&x, &second, h / 2.0));
        let fourth = f(&move_by(&x, &third, h));
        for index in 0..x.len() {
            x[index] += h / 6.0 * (first[index] + 2.0 * second[index] + 2.0 * third[index] + fourth[index]);
        }
    }
    x
}

fn close(values: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(values.len(), expected.len());
    for (value, expected) in values.iter().zip(expected) {
        assert!(
            (value - expected).abs() <= tolerance * expected.abs().max(1.0),
            "{values:?}, not {expected}"
        );
    }
}

#[test]
fn a_decay_is_one_factor_as_an_author_would_write_it() {
    let mut sample = Sample::new("r");
    let (tau, x) = (sample.param("tau", 20.0), sample.state("x", Domain::Global));
    let value = sample.load(x);
    let decay = sample.decay(value, tau);
    sample.equation(x, decay, Solver::Exact);
    let rule = sample.finish();
    let factor: f64 = crate::math::evaluate(MathFn::Exp, &[-1.0 / 20.0]);
    assert_eq!(run(&rule, &[(x, 0.6)], 1), [0.6 * factor]);
    let text = print::print(&integrate(&rule).unwrap());
    assert!(text.contains("let %x: real global = x * real(exp(-dt / tau));"), "{text}");
}

#[test]
fn a_drive_is_held_and_a_rate_of_zero_is_a_ramp() {
    for tau in [20.0, f64::INFINITY] {
        let mut sample = Sample::new("r");
        let (tau_id, x) = (sample.param("tau", tau), sample.state("x", Domain::Global));
        let (value, drive) = (sample.load(x), sample.real(0.25));
        let decay = sample.decay(value, tau_id);
        let total = sample.add(decay, drive);
        sample.equation(x, total, Solver::Exact);
        let expected = reference(&[2.0], 3.0, |x| vec![-x[0] / tau + 0.25]);
        close(&run(&sample.finish(), &[(x, 2.0)], 3), &expected, 1e-13);
    }
}

/// `da/dt = -a / tau_a; db/dt = (k a - b) / tau_b [+ drive]`
fn chain(tau_a: f64, tau_b: f64, drive: Option<f64>) -> (Rule, VarId, VarId) {
    let mut sample = Sample::new("r");
    let (slow, fast) = (sample.param("tau_a", tau_a), sample.param("tau_b", tau_b));
    let (a, b) = (sample.state("a", Domain::Pre), sample.state("b", Domain::Pre));
    let (first, second, k) = (sample.load(a), sample.load(b), sample.number(3.0));
    let mut decay = sample.decay(first, slow);
    if let Some(drive) = drive {
        let drive = sample.real(drive);
        decay = sample.add(decay, drive);
    }
    sample.equation(a, decay, Solver::Exact);
    let scaled = sample.multiply(k, first);
    let difference = sample.binary(BinaryOp::Subtract, scaled, second);
    let tau = sample.load(fast);
    let value = sample.binary(BinaryOp::Divide, difference, tau);
    sample.equation(b, value, Solver::Exact);
    (sample.finish(), a, b)
}

#[test]
fn chains_are_exact_at_equal_and_nearly_equal_time_constants() {
    for (tau_a, tau_b) in
        [(5.0, 20.0), (20.0, 5.0), (10.0, 10.0), (10.0, 10.0 + 1e-9), (10.0, 10.0 - 1e-5), (0.5, 80.0)]
    {
        for drive in [None, Some(0.3)] {
            let (rule, a, b) = chain(tau_a, tau_b, drive);
            let slope = |x: &[f64]| vec![-x[0] / tau_a + drive.unwrap_or(0.0), (3.0 * x[0] - x[1]) / tau_b];
            let expected = reference(&[1.0, -0.5], 4.0, slope);
            close(&run(&rule, &[(a, 1.0), (b, -0.5)], 4), &expected, 1e-12);
        }
    }
}

#[test]
fn a_fast_member_of_a_chain_neither_overflows_nor_loses_the_slow_one() {
    for drive in [None, Some(0.0)] {
        let (rule, a, b) = chain(20.0, 1e-4, drive);
        let values = run(&rule, &[(a, 1.0), (b, 0.0)], 1);
        let decay = (-0.05_f64).exp();
        // b follows a: its rate is 10 000 in a step, a's 0.05.
        let expected = 3.0 * decay * 1e4 / (1e4 - 0.05);
        close(&values, &[decay, expected], 1e-11);
    }
}

#[test]
fn an_oscillator_is_exact() {
    let mut sample = Sample::new("r");
    let omega = sample.param("omega", 0.7);
    let (x, v) = (sample.state("x", Domain::Global), sample.state("v", Domain::Global));
    let (position, speed, omega) = (sample.load(x), sample.load(v), sample.load(omega));
    let turn = sample.multiply(omega, speed);
    sample.equation(x, turn, Solver::Exact);
    let negated = sample.builder.unary(UnaryOp::Negate, position, sample::NOWHERE);
    let back = sample.multiply(negated, omega);
    sample.equation(v, back, Solver::Exact);
    let (sine, cosine) = (0.7_f64 * 5.0).sin_cos();
    close(&run(&sample.finish(), &[(x, 1.0), (v, 0.0)], 5), &[cosine, -sine], 1e-13);
}

#[test]
fn per_neuron_rates_are_exact_alone_and_refused_in_a_system() {
    let mut sample = Sample::new("r");
    let tau = sample.neuron_param("tau", Domain::Post);
    let (x, y) = (sample.state("x", Domain::Post), sample.state("y", Domain::Post));
    let value = sample.load(x);
    let decay = sample.decay(value, tau);
    sample.equation(x, decay, Solver::Exact);
    let alone = sample.builder.rule.clone();
    let mut machine =
        RuleMachine::<f64>::new(&alone, Topology::Dense { pre: 1, post: 2 }, 1, 1.0, 0).unwrap();
    machine.set_parameter(tau, &[5.0, 50.0]).unwrap();
    machine.write(x, &[1.0, 1.0]).unwrap();
    machine.step(&[false], &[false; 2]).unwrap();
    close(&machine.read(x).unwrap(), &[(-0.2_f64).exp(), (-0.02_f64).exp()], 1e-15);
    sample.equation(y, value, Solver::Exact);
    let diagnostics = integrate(&sample.finish()).unwrap_err();
    assert_eq!(diagnostics.iter().map(|one| one.code).collect::<Vec<_>>(), [code::COUPLED_COEFFICIENTS]);
}

#[test]
fn what_is_not_linear_asks_for_a_solver() {
    for (solver, tolerance) in [
        (Solver::Exact, None),
        (Solver::Euler, Some(0.05)),
        (Solver::Rk4, Some(1e-5)),
        (Solver::ExponentialEuler, Some(0.05)),
    ] {
        let mut sample = Sample::new("r");
        let (tau, x) = (sample.param("tau", 5.0), sample.state("x", Domain::Global));
        let value = sample.load(x);
        let decay = sample.decay(value, tau);
        let square = sample.multiply(value, value);
        let scale = sample.number(0.1);
        let square = sample.multiply(scale, square);
        let total = sample.add(decay, square);
        sample.equation(x, total, solver);
        let rule = sample.finish();
        match tolerance {
            None => {
                let diagnostics = integrate(&rule).unwrap_err();
                let diagnostic = diagnostics.iter().next().unwrap();
                assert_eq!(diagnostic.code, code::NO_EXACT_STEP);
                assert_eq!(diagnostic.message, "the equation of `x` has no exact step");
                assert!(diagnostic.help[0].contains("solver euler;"));
            }
            Some(tolerance) => {
                let expected = reference(&[1.0], 4.0, |x| vec![-x[0] / 5.0 + 0.1 * x[0] * x[0]]);
                close(&run(&rule, &[(x, 1.0)], 4), &expected, tolerance);
            }
        }
    }
}

#[test]
fn rk4_advances_all_its_equations_together() {
    let mut sample = Sample::new("r");
    let (x, v) = (sample.state("x", Domain::Global), sample.state("v", Domain::Global));
    let (position, speed) = (sample.load(x), sample.load(v));
    sample.equation(x, speed, Solver::Rk4);
    let back = sample.builder.unary(UnaryOp::Negate, position, sample::NOWHERE);
    sample.equation(v, back, Solver::Rk4);
    // One step of the method with h = 1 on the circle: the Taylor polynomials of degree 4.
    let (cosine, sine) = (1.0 - 1.0 / 2.0 + 1.0 / 24.0, 1.0 - 1.0 / 6.0);
    close(&run(&sample.finish(), &[(x, 1.0), (v, 0.0)], 1), &[cosine, -sine], 1e-15);
}

#[test]
fn a_plastic_variable_gets_an_increment_of_its_proposal() {
    for solver in [Solver::Exact, Solver::ExponentialEuler] {
        let mut sample = Sample::new("r");
        let tau = sample.param("tau", 4.0);
        let (weight, proposal) = sample.plastic("w", Domain::Synapse);
        let value = sample.load(weight);
        let decay = sample.decay(value, tau);
        sample.equation(weight, decay, solver);
        sample.equation(weight, decay, solver);
        let rule = sample.finish();
        let change = 2.0 * (-0.25_f64).exp_m1();
        let values = run(&rule, &[(weight, 0.8), (proposal, 0.0)], 1);
        close(&values, &[0.8 * (1.0 + change), 0.8 * change], 1e-15);
    }
}

#[test]
fn an_exact_step_needs_exact_neighbours_and_few_of_them() {
    let (mut rule, ..) = chain(5.0, 6.0, None);
    rule.equations[0].solver = Solver::Euler;
    let diagnostics = integrate(&rule).unwrap_err();
    assert_eq!(
        diagnostics.iter().next().unwrap().message,
        "the equation of `b` has no exact step: `a` has another solver"
    );
    let mut sample = Sample::new("r");
    let states: Vec<VarId> = (0..9).map(|index| sample.state(&format!("x{index}"), Domain::Global)).collect();
    for (index, state) in states.iter().enumerate() {
        let next = sample.load(states[(index + 1) % states.len()]);
        sample.equation(*state, next, Solver::Exact);
    }
    let diagnostics = integrate(&sample.finish()).unwrap_err();
    assert!(diagnostics.iter().all(|one| one.code == code::COUPLED_TOO_MANY));
    assert_eq!(diagnostics.len(), 9);
}

#[test]
fn a_step_is_the_same_to_the_bit_whether_or_not_another_equation_reads_its_variable() {
    for drive in [None, Some(0.3)] {
        let (both, a, _) = chain(7.0, 20.0, drive);
        let mut alone = both.clone();
        alone.equations.truncate(1);
        assert_eq!(run(&both, &[(a, 0.7)], 3)[0].to_bits(), run(&alone, &[(a, 0.7)], 3)[0].to_bits());
    }
}

#[test]
fn eight_dense_equations_with_drives_are_exact_and_their_propagator_is_of_bounded_size() {
    let size = 8;
    let weight = |row: usize, column: usize| ((row * 8 + column) as f64 * 1.3).sin() * 0.3;
    let mut sample = Sample::new("r");
    let states: Vec<VarId> =
        (0..size).map(|index| sample.state(&format!("x{index}"), Domain::Global)).collect();
    for row in 0..size {
        let mut total = sample.real(0.1 * row as f64);
        for (column, state) in states.iter().enumerate() {
            let (factor, value) = (sample.number(weight(row, column)), sample.load(*state));
            let product = sample.multiply(factor, value);
            total = sample.add(total, product);
        }
        sample.equation(states[row], total, Solver::Exact);
    }
    let rule = sample.finish();
    let from: Vec<(VarId, f64)> =
        states.iter().enumerate().map(|(at, id)| (*id, 1.0 - 0.2 * at as f64)).collect();
    let start: Vec<f64> = from.iter().map(|(_, value)| *value).collect();
    let slope = |x: &[f64]| -> Vec<f64> {
        (0..size)
            .map(|row| {
                0.1 * row as f64 + (0..size).map(|column| weight(row, column) * x[column]).sum::<f64>()
            })
            .collect()
    };
    close(&run(&rule, &from, 3), &reference(&start, 3.0, slope), 1e-12);
    let count = integrate(&rule).unwrap().exprs.len();
    assert!(count < 1_000, "{count} expressions");
}

#[test]
fn a_condition_may_choose_between_rates() {
    let mut sample = Sample::new("r");
    let (up, down) = (sample.param("up", 2.0), sample.param("down", 30.0));
    let x = sample.state("x", Domain::Pre);
    let value = sample.load(x);
    let (rise, fall) = (sample.decay(value, up), sample.decay(value, down));
    let spike = sample.built_in(Builtin::PreSpike);
    let chosen = sample.builder.select(spike, rise, fall, sample::NOWHERE);
    sample.equation(x, chosen, Solver::Exact);
    let rule = sample.finish();
    let mut machine = RuleMachine::<f64>::new(&rule, Topology::Dense { pre: 2, post: 1 }, 1, 1.0, 0).unwrap();
    machine.write(x, &[1.0, 1.0]).unwrap();
    machine.step(&[true, false], &[false]).unwrap();
    close(&machine.read(x).unwrap(), &[(-0.5_f64).exp(), (-1.0_f64 / 30.0).exp()], 1e-15);
}

/// A synapse whose equation reads neurons: its intermediate values are of pairs, though it is not.
#[test]
fn intermediate_values_are_where_what_they_read_is() {
    let mut sample = Sample::new("r");
    let (x, e) = (sample.state("x", Domain::Pre), sample.state("e", Domain::Synapse));
    sample.builder.rule.variables[e].shape.batched = true;
    let (input, own) = (sample.load(x), sample.load(e));
    let square = sample.multiply(own, own);
    let span = sample::NOWHERE;
    let sum = sample.builder.reduce(ReduceOp::Sum, Over::Pre, own, span);
    let (lost, gained) = (sample.add(square, sum), sample.multiply(input, own));
    let change = sample.binary(BinaryOp::Subtract, gained, lost);
    sample.equation(e, change, Solver::Rk4);
    let rule = sample.finish();
    let found = run(&rule, &[(e, 0.5), (x, 0.25)], 1);
    let expected = reference(&[0.5, 0.25], 1.0, |v| vec![v[0] * v[1] - v[0] * v[0] - v[0], 0.0]);
    close(&found, &expected, 1e-3);
}

/// `x` decays, `y` follows `x`, `z` grows with its square and `y`, and `v` follows `z`.
fn mixed(solver: Solver) -> Vec<Solver> {
    let mut sample = Sample::new("r");
    let tau = sample.param("tau", 5.0);
    let states = ["x", "y", "z", "v"].map(|name| sample.state(name, Domain::Global));
    let [x, y, z, v] = states.map(|state| sample.load(state));
    let decays = [x, y, z, v].map(|value| sample.decay(value, tau));
    let square = sample.multiply(z, z);
    let driven = [sample.add(decays[1], x), sample.add(square, y), sample.add(decays[3], z)];
    for (state, value) in states.into_iter().zip([decays[0], driven[0], driven[1], driven[2]]) {
        sample.equation(state, value, solver);
    }
    let mut rule = sample.finish();
    settle(&mut rule);
    rule.equations.iter().map(|equation| equation.solver).collect()
}

#[test]
fn a_solver_is_for_equations_that_have_no_exact_step() {
    for solver in [Solver::Euler, Solver::ExponentialEuler] {
        assert_eq!(mixed(solver), [Solver::Exact, Solver::Exact, solver, solver]);
    }
    // The stages of z see the course of y, and those of y that of x.
    assert_eq!(mixed(Solver::Rk4), [Solver::Rk4; 4]);
    assert_eq!(mixed(Solver::Exact), [Solver::Exact; 4]);
}

#[test]
fn a_system_that_is_too_large_keeps_its_solver() {
    for (count, expected) in [(8, Solver::Exact), (9, Solver::Euler)] {
        let mut sample = Sample::new("r");
        let states: Vec<VarId> =
            (0..count).map(|index| sample.state(&format!("x{index}"), Domain::Global)).collect();
        for (index, state) in states.iter().enumerate() {
            let next = sample.load(states[(index + 1) % states.len()]);
            sample.equation(*state, next, Solver::Euler);
        }
        let mut rule = sample.finish();
        settle(&mut rule);
        assert!(rule.equations.iter().all(|equation| equation.solver == expected), "{count} equations");
    }
}
