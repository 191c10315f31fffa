//! When the plan of events may be taken, and what the host gives.

use super::machines::*;
use crate::ir::SiteId;
use crate::kernel::Precision;
use crate::plan::program::Program;
use crate::topology::Topology;

/// How often the plan of events is taken, on every machine the same bits, and the notes.
fn taken(text: &str) -> (u64, Vec<String>) {
    agree_in::<f32>(&rule(text), Precision::F32, &Setup::dense(6, 5))
}

#[test]
fn a_clip_of_constrain_is_no_change() {
    let (taken, _) = taken(
        "rule r { param top = 0.9; plastic w in 0 .. top = 0.5; on pre { dw += 0.1; } on post { dw -= 0.2; }
            on call c { w += 3; } every 5 steps { w -= 2; } }",
    );
    assert!(taken > 0);
}

#[test]
fn a_clip_anywhere_else_is_a_change() {
    for text in [
        "rule r { plastic w; synapse state s; update { s = max(s, 0.5); } on pre { s -= 1; dw += 0.1 * s; } }",
        "rule r { plastic w; synapse state s; on pre { s -= 1; dw += 0.1 * s; } update { s = max(s, 0.5); }
            on call c { s = -5; } }",
    ] {
        let (taken, notes) = taken(text);
        assert_eq!(taken, 0, "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("`r.s` may change without a spike")), "{notes:?}");
    }
}

#[test]
fn a_bound_that_moves_by_itself_is_a_change() {
    for bound in ["max(w, 0.1 * t / 1 ms)", "min(w, 5 - step)"] {
        let text =
            format!("rule r {{ plastic w = 0.5; on pre {{ dw += 0.1; }} constrain {{ w = {bound}; }} }}");
        assert_eq!(taken(&text).0, 0, "{bound}");
    }
}

#[test]
fn a_second_pass_for_sums_keeps_the_full_plan() {
    let (taken, _) = taken(
        "rule r { plastic w in 0 .. 1 = uniform(0, 1); synapse state s = uniform(0, 1); post state y; post state z;
            update { y = sum[pre](pre.spike * s); z = sum[pre](pre.spike * (s * y)); }
            on pre { dw += 0.1; } on post { dw -= 0.05; } }",
    );
    assert_eq!(taken, 0);
}

#[test]
fn given_values_and_draws_take_the_place_of_the_written_ones() {
    let rule = rule(
        "rule r { plastic w in 0 .. 2 = uniform(0, 1); post state y = 3 * mean[pre](w); synapse state s;
            on create { w += 1; }
            update { let z = normal[synapse](0, 1); let b = bernoulli[post](0.5); s = z; dw += z * b; } }",
    );
    let w = crate::compose::find(&rule, "w").expect("a variable");
    let mut setup = Setup::dense(2, 2);
    setup.given = vec![(w, vec![0.25, 0.5, 0.75, 1.5])];
    let address = |site: &crate::ir::Site| site.address.clone().unwrap_or_default();
    let find = |name: &str| rule.sites.iter().find(|(_, site)| address(site) == name).map(|(id, _)| id);
    let (z, b): (SiteId, SiteId) = (find("r.z").expect("a draw"), find("r.b").expect("a draw"));
    setup.draws = vec![(z, vec![0.125, -0.25, 0.5, 1.0]), (b, vec![1.0, 0.0])];
    let programs = programs(&rule, &setup, Precision::F64).expect("a plan");
    let mut machines = Machines::<f64>::new(&rule, &programs, &setup);
    machines.compare("creation");
    assert_eq!(machines.read("w"), [1.25, 1.5, 1.75, 2.0]);
    assert_eq!(machines.read("y"), [1.5, 3.0]);
    machines.step(&[false; 2], &[false; 2]);
    assert_eq!(machines.read("s"), [0.125, -0.25, 0.5, 1.0]);
    assert_eq!(machines.read("w"), [1.375, 1.5, 2.0, 2.0]);
}

#[test]
fn the_past_needs_a_place_that_every_step_comes_by() {
    let text = "rule r { plastic w; shared pre state x; global state s; update { x += 1; }
        every 3 steps { s = sum[pre](past(x, 3 ms)); } }";
    let refused = programs(&rule(text), &Setup::dense(2, 2), Precision::F32).expect_err("no plan");
    let messages: Vec<String> = refused.iter().map(|diagnostic| diagnostic.message.clone()).collect();
    assert_eq!(messages, ["`past` looks back from a place that not every step comes by"]);
}

#[test]
fn products_over_the_batch_are_made_in_tiles() {
    let text = "rule r { batch sum; plastic w in -1 .. 1; pre input x; post input y; pre param a = 0.5;
        update { let h = sum[batch]((x * a) * y); dw += 0.01 * h * (1 - abs(w)); dw += x * y; dw -= 0.1 * w; } }";
    let rule = rule(text);
    // Two strips of columns and a rest, two blocks of rows; then a batch of more than one block of the order.
    for (pre, post, batch) in [(37, 300, 5), (6, 9, 300), (1, 1, 2), (0, 3, 2), (3, 0, 2)] {
        let setup = Setup::on(Topology::Dense { pre, post }, batch);
        let programs = programs(&rule, &setup, Precision::F32).expect("a plan");
        let tiles = |program: &Program| {
            let text = crate::plan::print::kernels(program);
            text.lines().filter(|line| line.trim_start().starts_with("tile ")).count()
        };
        assert_eq!(programs.iter().map(tiles).collect::<Vec<_>>(), [2, 0, 2, 2, 2]);
        agree_in::<f32>(&rule, Precision::F32, &setup);
        agree_in::<f64>(&rule, Precision::F64, &setup);
    }
}
