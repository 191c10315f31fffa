//! Rules that pair nearest neighbours (Morrison, Diesmann & Gerstner 2008, figure 7).

use super::{Bench, Random, near};

/// A pair: the steps of its presynaptic and its postsynaptic spike, and whether it potentiates.
type Pair = (u32, u32, bool);

/// The scheme's rule, and its pairs in given trains by the definition. Of two spikes of one step the presynaptic one
/// comes first.
type Scheme = (&'static str, fn(&[u32], &[u32]) -> Vec<Pair>);

const SCHEMES: [Scheme; 3] = [
    ("stdp_nearest_symmetric", symmetric),
    ("stdp_nearest_presynaptic", presynaptic),
    ("stdp_nearest_reduced", reduced),
];

/// The last spike before a moment, or in it where `with` says so.
fn last(train: &[u32], at: u32, with: bool) -> Option<u32> {
    train.iter().copied().filter(|&spike| spike < at || with && spike == at).max()
}

/// Each presynaptic spike with the last postsynaptic one, each postsynaptic spike with the last presynaptic one.
fn symmetric(pre: &[u32], post: &[u32]) -> Vec<Pair> {
    let down = pre.iter().filter_map(|&i| Some((i, last(post, i, false)?, false)));
    let up = post.iter().filter_map(|&j| Some((last(pre, j, true)?, j, true)));
    down.chain(up).collect()
}

/// Each presynaptic spike with the last postsynaptic one and the next.
fn presynaptic(pre: &[u32], post: &[u32]) -> Vec<Pair> {
    let down = pre.iter().filter_map(|&i| Some((i, last(post, i, false)?, false)));
    let next = |i| post.iter().copied().filter(|&spike| spike >= i).min();
    let up = pre.iter().filter_map(|&i| Some((i, next(i)?, true)));
    down.chain(up).collect()
}

/// As `presynaptic`, but only spikes with none between them.
fn reduced(pre: &[u32], post: &[u32]) -> Vec<Pair> {
    let immediate = |&(i, j, up): &Pair| match up {
        true => {
            pre.iter().all(|&other| other <= i || other > j) && last(post, j, false).is_none_or(|k| k < i)
        }
        false => last(pre, i, false).is_none_or(|k| k <= j) && post.iter().all(|&k| k <= j || k >= i),
    };
    presynaptic(pre, post).into_iter().filter(immediate).collect()
}

/// A scheme's rule, and the steps of its depressing and its potentiating pairs.
type Listed<'a> = (&'a str, &'a [(u32, u32)], &'a [(u32, u32)]);

const A_PLUS: f64 = 0.005;
const A_MINUS: f64 = 0.006;
const TAU_PLUS: f64 = 17.0;
const TAU_MINUS: f64 = 34.0;

fn window((i, j, up): Pair) -> f64 {
    match up {
        true => A_PLUS * (-f64::from(j - i) / TAU_PLUS).exp(),
        false => -A_MINUS * (-f64::from(i - j) / TAU_MINUS).exp(),
    }
}

fn simulated(name: &str, pre: &[u32], post: &[u32], widths: [f64; 2]) -> f64 {
    let group = Bench::shipped(name, 1, 1).param("a_plus", A_PLUS).param("a_minus", A_MINUS);
    let group = group.param("tau_plus", widths[0]).param("tau_minus", widths[1]);
    let mut bench = Bench::new(group);
    let spikes = |train: &[u32], step| if train.contains(&step) { vec![0u32] } else { vec![] };
    for step in 0..=pre.iter().chain(post).copied().max().unwrap_or(0) {
        bench.step(&spikes(pre, step), &spikes(post, step));
    }
    bench.value("w") - 0.5
}

/// Trains with two spikes in a row on each side and one coincidence, at step 62, and their pairs, listed by hand.
pub fn pairs_by_hand() {
    let (pre, post) = ([10, 20, 30, 60, 62, 90], [25, 40, 44, 62, 100]);
    let down = [(30, 25), (60, 44), (62, 44), (90, 62)];
    let listed: [Listed; 3] = [
        ("stdp_nearest_symmetric", &down, &[(20, 25), (30, 40), (30, 44), (62, 62), (90, 100)]),
        ("stdp_nearest_presynaptic", &down, &[(10, 25), (20, 25), (30, 40), (60, 62), (62, 62), (90, 100)]),
        ("stdp_nearest_reduced", &[(30, 25), (60, 44), (90, 62)], &[(20, 25), (30, 40), (62, 62), (90, 100)]),
    ];
    for (name, down, up) in listed {
        let pairs = down.iter().map(|&(i, j)| (i, j, false)).chain(up.iter().map(|&(i, j)| (i, j, true)));
        let expected: f64 = pairs.map(window).sum();
        near(simulated(name, &pre, &post, [TAU_PLUS, TAU_MINUS]), expected, 1e-14, name);
        // With windows that do not decay, w counts the pairs.
        let counted = A_PLUS * up.len() as f64 - A_MINUS * down.len() as f64;
        near(
            simulated(name, &pre, &post, [1e12; 2]),
            counted,
            1e-10,
            &format!("the number of pairs of {name}"),
        );
    }
}

/// Random trains with many coincidences, against the schemes' definitions.
pub fn pairs_by_definition() {
    let mut random = Random(7);
    for _ in 0..20 {
        let mut train = |rate| (0..120u32).filter(|_| random.uniform() < rate).collect::<Vec<_>>();
        let (pre, post) = (train(0.2), train(0.25));
        for (name, pairs) in SCHEMES {
            let expected: f64 = pairs(&pre, &post).into_iter().map(window).sum();
            let found = simulated(name, &pre, &post, [TAU_PLUS, TAU_MINUS]);
            near(found, expected, 1e-13, &format!("{name} with {pre:?} and {post:?}"));
        }
    }
}
