//! Rules inside Rust against the rule interpreter, to the bit: `plasticity!` is expanded by this very compilation.

#![forbid(unsafe_code)]
#![allow(deprecated, reason = "a rule may keep what nobody but a test reads")]
#![allow(mixed_script_confusables, reason = "a rule may call a time constant by its letter")]

mod graph;
mod oracle;
mod setups;

use aplysia::native::{Batched, Connected as _, Conv2d, Local2d, Options};
use aplysia::plasticity;
use oracle::{Oracle, convolutions, dense, one_to_one, sparse};

plasticity! { use std::stdp; rule pairs = stdp; }
plasticity! { use std::stdp_triplet; rule triplets = stdp_triplet; }
plasticity! { use std::bcm; rule sliding = bcm; }
plasticity! { use std::hebbian; use std::adam; rule optimised = hebbian + adam; }
plasticity! { use std::stdp; use std::normalise; rule normalised = stdp + normalise; }
plasticity! { use std::rstdp; rule rewarded = rstdp; }
plasticity! {
    use std::stdp; use std::rate_homeostasis; use std::fuzzy_lr; use std::dale;
    rule cortex = stdp(a_plus = 0.02) + rate_homeostasis(target = 5 Hz) + fuzzy_lr + dale;
}
plasticity! { use std::stdp; use std::rejuvenate; rule renewed = stdp + rejuvenate; }
plasticity! {
    use std::stdp; use std::fuzzy_lr; use std::crystallize;
    rule crystals = stdp + fuzzy_lr + crystallize;
}
plasticity! {
    /// Every kind of variable, schedules, units, Greek letters, the past, a commit of its own.
    rule everything {
        /// How fast.
        param τ: ms in 1 ms .. 100 ms = 15 ms;
        param gains[2] = 0.5;
        post param target: Hz = 5 Hz;
        global input dopamine = 1;
        post input v: mV;
        output total;
        post output current;
        plastic w in -1 .. 1 = 0.25;
        pre state x;
        post state rate: Hz;
        state n: int;
        batched synapse state z[2];
        dx/dt = -x / τ;
        on pre { x += 1; current += w; dw -= 0.01 * past(post.spike, 3 ms); }
        on post { dw += gains[0] * x * dopamine; rate += 1 / 100 ms; }
        update {
            rate += (target - rate) * 0.1;
            n += count[pre](pre.spike);
            z[1] = z[1] * 0.5 + pre.spike * (v / 1 mV);
            dw += 0.001 * normal(0, 1) * post.spike;
            total = n;
            current += z[0] + z[1];
        }
        apply every 3 steps;
        every 5 ms { z[0] += w; }
        on call reset { w *= gains[1]; }
    }
}

plasticity! {
    topologies = [conv2d, local2d];
    rule images {
        plastic w in 0 .. 1 = 0.5;
        pre state x;
        post state y;
        post_channel state rate;
        post input drive;
        global input dopamine = 1;
        post output current;
        dx/dt = -x / 10 ms;
        dy/dt = -y / 20 ms;
        on pre { x += 1; current += w; dw -= 0.01 * y; }
        on post { y += 1; dw += 0.02 * x * dopamine; }
        update {
            rate += 0.1 * (mean[position](drive) - rate);
            dw += 0.001 * x * drive;
        }
        modulate { dw *= 1 - rate; }
    }
}
plasticity! {
    topologies = [dense, sparse, local2d], batch = true;
    rule patterns {
        batch mean;
        plastic w in -1 .. 1 = uniform(-0.5, 0.5);
        pre state x;
        post state y;
        shared post state rate;
        batched global state total;
        global output seen;
        post input drive;
        global input dopamine = 1;
        post output current;
        dx/dt = -x / 10 ms;
        dy/dt = -y / 20 ms;
        on pre { x += 1; current += w; }
        on post { y += 1; }
        update {
            rate += 0.1 * (mean[batch](drive) - rate);
            total = sum[pre](x);
            seen = sum[batch](total);
            dw += 0.01 * x * y * dopamine;
            dw -= 0.001 * w * post.spike;
        }
        modulate { dw *= 1 - rate; }
        on call reset { w *= 0.5; }
    }
}

/// Tests that step a module's group beside the rule interpreter, on each of some topologies in both precisions.
macro_rules! agree {
    ($test:ident, $module:ident, [$($on:ident),*], inputs $inputs:tt, calls $calls:tt) => {
        mod $test {
            use super::*;

            $(
                mod $on {
                    use super::*;

                    #[test]
                    fn in_f32() {
                        agree!(@run f32, $on, new, $module, $inputs, $calls);
                    }

                    #[test]
                    fn in_f64() {
                        agree!(@run f64, $on, f64, $module, $inputs, $calls);
                    }
                }
            )*
        }
    };
    (@run $real:ty, $on:ident, $precision:ident, $module:ident, [$($input:literal $set:ident $kind:ident),*], [$($call:literal $method:ident),*]) => {
        for topology in super::$on() {
            let options = Options { dt: 0.5, seed: 7 };
            let (batch, connected) = (topology.batch(), topology.clone().into_topology());
            let builder = $module::Builder::new(topology, Default::default()).options(options);
            let mut group = agree!(@precision $precision builder).build().expect("a group");
            let mut oracle = Oracle::<$real>::new(&$module::ITEM, &connected, batch, options);
            group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
            let weights: Vec<$real> = oracle.write("w");
            group.set_w(&weights);
            for step in 1..=13 {
                $(agree!(@input oracle, group, step, $input $set $kind);)*
                let (pre, post) = oracle.step(step);
                group.step(&pre, &post);
                group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
                if step % 6 == 3 {
                    $(
                        for _ in 0..2 {
                            oracle.call($call);
                            group.$method().expect("a call");
                            group.for_each_variable(&mut |name, found| oracle.check(name, found.into()));
                        }
                    )*
                }
            }
            assert!(oracle.compared > 20, "{} comparisons", oracle.compared);
        }
    };
    (@precision new $builder:ident) => { $builder };
    (@precision f64 $builder:ident) => { $builder.f64() };
    (@input $oracle:ident, $group:ident, $step:ident, $input:literal $set:ident number) => {
        $group.$set($oracle.input($input, $step)[0]);
    };
    (@input $oracle:ident, $group:ident, $step:ident, $input:literal $set:ident list) => {
        $group.$set(&$oracle.input($input, $step));
    };
}

agree!(pairs_agree, pairs, [dense, one_to_one, sparse], inputs [], calls []);
agree!(triplets_agree, triplets, [dense], inputs [], calls []);
agree!(sliding_agrees, sliding, [dense], inputs ["x" set_x list], calls []);
agree!(
    optimised_agrees,
    optimised,
    [dense],
    inputs ["z_pre" set_z_pre list, "z_post" set_z_post list],
    calls []
);
agree!(normalised_agrees, normalised, [dense, sparse], inputs [], calls []);
agree!(rewarded_agrees, rewarded, [dense], inputs ["reward" set_reward number], calls []);
agree!(cortex_agrees, cortex, [dense, sparse], inputs [], calls ["update_rates" call_update_rates]);
agree!(renewed_agrees, renewed, [dense], inputs [], calls ["rejuvenate" call_rejuvenate]);
agree!(
    crystals_agree,
    crystals,
    [dense],
    inputs ["grad" set_grad list],
    calls ["crystallize" call_crystallize]
);
agree!(
    everything_agrees,
    everything,
    [dense, one_to_one, sparse],
    inputs ["dopamine" set_dopamine number, "v" set_v list],
    calls ["reset" call_reset]
);
agree!(
    on_images,
    images,
    [conv2d, local2d],
    inputs ["dopamine" set_dopamine number, "drive" set_drive list],
    calls []
);
agree!(
    in_batches,
    patterns,
    [dense_in_batches, sparse_in_batches, local2d_in_batches],
    inputs ["dopamine" set_dopamine number, "drive" set_drive list],
    calls ["reset" call_reset]
);

fn conv2d() -> Vec<Conv2d> {
    convolutions().into_iter().map(Conv2d).collect()
}

fn local2d() -> Vec<Local2d> {
    convolutions().into_iter().map(Local2d).collect()
}

fn dense_in_batches() -> Vec<Batched<aplysia::native::Dense>> {
    dense().into_iter().zip([3, 4, 2]).map(|(topology, batch)| Batched::new(topology, batch)).collect()
}

fn sparse_in_batches() -> Vec<Batched<aplysia::native::Sparse>> {
    sparse().into_iter().zip([3, 2, 1]).map(|(topology, batch)| Batched::new(topology, batch)).collect()
}

fn local2d_in_batches() -> Vec<Batched<Local2d>> {
    local2d().into_iter().map(|topology| Batched::new(topology, 3)).collect()
}
