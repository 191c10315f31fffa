use super::*;
use crate::ir::sample::{Sample, set, stdp};

#[test]
fn the_first_rule_reads_like_the_language() {
    let expected = "\
rule stdp {
    param a_plus: wide global = 0.01;
    param a_minus: wide global = 0.012;
    param tau_plus: wide global = 20.0;
    param tau_minus: wide global = 20.0;
    plastic w: real synapse;
    proposal dw: real synapse;
    state x: real pre batched;
    state y: real post batched;
    d(x)/dt = -x / real(tau_plus);  // exact
    d(y)/dt = -y / real(tau_minus);  // exact
    update {
        let %1: bool pre batched = pre.spike;
        if %1 {
            x += real(1.0);
            dw -= real(a_minus) * y;
        }
        let %2: bool post batched = post.spike;
        if %2 {
            y += real(1.0);
            dw += real(a_plus) * x;
        }
    }
    apply {
        let %0: bool synapse = dw != real(0.0);
        if %0 {
            dw_target
        }
    }
    constrain {
        w = min(max(w, real(0.0)), real(1.0));
    }
}
"
    .replace("dw_target", "w += dw;");
    assert_eq!(print(&stdp().0), expected);
}

#[test]
fn shared_and_deep_expressions_are_numbered_and_parentheses_keep_the_grouping() {
    let mut sample = Sample::new("r");
    let x = sample.state("x", Domain::Global);
    let value = sample.load(x);
    let sum = sample.add(value, value);
    let inner = sample.binary(BinaryOp::Subtract, value, sum);
    let product = sample.multiply(sum, inner);
    let negated = sample.builder.unary(UnaryOp::Negate, product, sample::NOWHERE);
    sample.builder.rule.update.push(set(x, AssignOp::Set, negated));
    let mut deep = value;
    for _ in 0..60 {
        deep = sample.builder.unary(UnaryOp::Sqrt, deep, sample::NOWHERE);
    }
    sample.builder.rule.update.push(set(x, AssignOp::Add, deep));
    let text = print(&sample.finish());
    assert!(text.contains("        $0 = x + x;\n        x = -($0 * (x - $0));\n"), "{text}");
    assert!(text.contains("x += sqrt(") && text.contains("$1 = sqrt("), "{text}");
    assert!(text.lines().all(|line| line.len() < 200), "{text}");
}

#[test]
fn conversions_are_written_again_and_a_choice_is_an_operand_in_parentheses() {
    let mut sample = Sample::new("r");
    let x = sample.state("x", Domain::Global);
    let (value, one) = (sample.load(x), sample.real(1.0));
    let above = sample.builder.compare(Comparison::Greater, value, one, sample::NOWHERE);
    let chosen = sample.builder.select(above, one, value, sample::NOWHERE);
    let product = sample.multiply(one, chosen);
    sample.builder.rule.update.push(set(x, AssignOp::Set, product));
    let text = print(&sample.finish());
    assert!(text.contains("x = real(1.0) * (if x > real(1.0) { real(1.0) } else { x });"), "{text}");
}
