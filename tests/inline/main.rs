//! Rules inside Rust against the rule interpreter, to the bit: `plasticity!` is expanded by this very compilation.

#![forbid(unsafe_code)]
#![allow(mixed_script_confusables, reason = "a rule may call a time constant by its letter")]

mod oracle;

use aplysia::native::Options;
use aplysia::plasticity;
use oracle::{Oracle, SIZES};

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

/// A test that steps a module's group beside the rule interpreter.
macro_rules! agree {
    ($test:ident, $module:ident, $params:expr, inputs [$($input:literal $set:ident $kind:ident),*], calls [$($call:literal $method:ident),*]) => {
        mod $test {
            use super::*;

            #[test]
            fn in_f32() {
                agree!(@run f32, try_dense, $module, $params, [$($input $set $kind),*], [$($call $method),*]);
            }

            #[test]
            fn in_f64() {
                agree!(@run f64, try_dense_f64, $module, $params, [$($input $set $kind),*], [$($call $method),*]);
            }
        }
    };
    (@run $real:ty, $new:ident, $module:ident, $params:expr, [$($input:literal $set:ident $kind:ident),*], [$($call:literal $method:ident),*]) => {
        for (pre, post) in SIZES {
            let options = Options { dt: 0.5, seed: 7 };
            let mut group = $module::Group::$new(pre, post, $params, options).expect("a group");
            let mut oracle = Oracle::<$real>::new(&$module::ITEM, (pre, post), options);
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
    (@input $oracle:ident, $group:ident, $step:ident, $input:literal $set:ident number) => {
        $group.$set($oracle.input($input, $step)[0]);
    };
    (@input $oracle:ident, $group:ident, $step:ident, $input:literal $set:ident list) => {
        $group.$set(&$oracle.input($input, $step));
    };
}

agree!(pairs_agree, pairs, Default::default(), inputs [], calls []);
agree!(triplets_agree, triplets, Default::default(), inputs [], calls []);
agree!(sliding_agrees, sliding, Default::default(), inputs ["x" set_x list], calls []);
agree!(
    optimised_agrees,
    optimised,
    Default::default(),
    inputs ["z_pre" set_z_pre list, "z_post" set_z_post list],
    calls []
);
agree!(normalised_agrees, normalised, Default::default(), inputs [], calls []);
agree!(rewarded_agrees, rewarded, Default::default(), inputs ["reward" set_reward number], calls []);
agree!(cortex_agrees, cortex, Default::default(), inputs [], calls ["update_rates" call_update_rates]);
agree!(renewed_agrees, renewed, Default::default(), inputs [], calls ["rejuvenate" call_rejuvenate]);
agree!(
    crystals_agree,
    crystals,
    Default::default(),
    inputs ["grad" set_grad list],
    calls ["crystallize" call_crystallize]
);
agree!(
    everything_agrees,
    everything,
    Default::default(),
    inputs ["dopamine" set_dopamine number, "v" set_v list],
    calls ["reset" call_reset]
);
