//! Known answers of the generator and of the draws, and what their numbers look like.

use crate::Distribution;
use crate::eval::Direct;
use crate::philox::philox;
use crate::{Real, Stream, draw, random_word};

const COUNT: usize = 20_000;
const SEED: u64 = 0x0123_4567_89ab_cdef;

fn stream(column: u64) -> Stream {
    Stream { seed: SEED, step: 5, site: 3, run: 1, row: 7, column }
}

#[test]
fn philox_gives_the_published_answers() {
    // Random123, file kat_vectors, lines "philox4x32 10".
    let direct = Direct::<f32>::new();
    let answers = [
        ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ];
    for (counter, key, words) in answers {
        assert_eq!(philox(&direct, counter, key), words);
    }
}

#[test]
fn a_word_is_at_its_place_in_the_counter() {
    let direct = Direct::<f32>::new();
    let key = [SEED as u32, (SEED >> 32) as u32];
    for column in [0, 1, 2, 3, 4, 1 << 33 | 6] {
        let at =
            Stream { seed: SEED, step: 1 << 40 | 9, site: 0x1_0002, run: 0x103, row: 1 << 35 | 8, column };
        let counter = [9, 2 << 16 | 4 << 8 | 3, 8, (column >> 2) as u32];
        let words = philox(&direct, counter, key);
        assert_eq!(random_word(&at, 0x104), words[column as usize % 4]);
    }
}

/// Parameters that the tests use.
const CASES: [(Distribution, &[f64]); 10] = [
    (Distribution::Uniform, &[-1.0, 3.0]),
    (Distribution::Normal, &[0.5, 2.0]),
    (Distribution::LogNormal, &[-1.0, 0.5]),
    (Distribution::Bernoulli, &[0.3]),
    (Distribution::Exponential, &[2.0]),
    (Distribution::Gamma, &[0.5, 2.0]),
    (Distribution::Gamma, &[2.5, 1.0]),
    (Distribution::Gamma, &[9.0, 0.5]),
    (Distribution::Beta, &[2.0, 3.0]),
    (Distribution::Beta, &[0.5, 0.5]),
];

fn sample<R: Real>(distribution: Distribution, parameters: &[f64]) -> Vec<f64> {
    let parameters: Vec<R> = parameters.iter().map(|&parameter| R::from_f64(parameter)).collect();
    (0..COUNT as u64).map(|column| draw(distribution, &parameters, &stream(column)).to_f64()).collect()
}

/// The regularised lower incomplete gamma function, by its series.
fn gamma_cdf(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    // Γ(shape + 1), for the halves and wholes in use.
    let mut factorial = if shape.fract() == 0.0 { 1.0 } else { std::f64::consts::PI.sqrt() };
    let mut part = if shape.fract() == 0.0 { 1.0 } else { 0.5 };
    while part <= shape {
        factorial *= part;
        part += 1.0;
    }
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= x / (shape + n);
        sum += term;
        n += 1.0;
    }
    (shape * x.ln() - x).exp() * sum / factorial
}

fn normal_cdf(z: f64) -> f64 {
    let half = 0.5 * gamma_cdf(0.5, z * z / 2.0);
    if z < 0.0 { 0.5 - half } else { 0.5 + half }
}

fn cdf(distribution: Distribution, parameters: &[f64], x: f64) -> f64 {
    let p = parameters;
    match distribution {
        Distribution::Uniform => (x - p[0]) / (p[1] - p[0]),
        Distribution::Normal => normal_cdf((x - p[0]) / p[1]),
        Distribution::LogNormal => normal_cdf((x.ln() - p[0]) / p[1]),
        Distribution::Exponential => 1.0 - (-p[0] * x).exp(),
        Distribution::Gamma => gamma_cdf(p[0], x * p[1]),
        Distribution::Beta if p[0] == 0.5 => x.sqrt().asin() * std::f64::consts::FRAC_2_PI,
        Distribution::Beta => 12.0 * (x * x / 2.0 - 2.0 * x.powi(3) / 3.0 + x.powi(4) / 4.0),
        Distribution::Bernoulli => unreachable!("not continuous"),
    }
}

fn mean_and_variance(distribution: Distribution, p: &[f64]) -> (f64, f64) {
    match distribution {
        Distribution::Uniform => ((p[0] + p[1]) / 2.0, (p[1] - p[0]).powi(2) / 12.0),
        Distribution::Normal => (p[0], p[1] * p[1]),
        Distribution::LogNormal => {
            let mean = (p[0] + p[1] * p[1] / 2.0).exp();
            (mean, mean * mean * ((p[1] * p[1]).exp() - 1.0))
        }
        Distribution::Bernoulli => (p[0], p[0] * (1.0 - p[0])),
        Distribution::Exponential => (1.0 / p[0], 1.0 / (p[0] * p[0])),
        Distribution::Gamma => (p[0] / p[1], p[0] / (p[1] * p[1])),
        Distribution::Beta => {
            let sum = p[0] + p[1];
            (p[0] / sum, p[0] * p[1] / (sum * sum * (sum + 1.0)))
        }
    }
}

fn check_moments(values: &[f64], distribution: Distribution, parameters: &[f64]) {
    let count = values.len() as f64;
    let (mean, variance) = mean_and_variance(distribution, parameters);
    let found = values.iter().sum::<f64>() / count;
    let squares: Vec<f64> = values.iter().map(|x| (x - mean).powi(2)).collect();
    let spread = squares.iter().sum::<f64>() / count;
    let fourth = squares.iter().map(|square| (square - spread).powi(2)).sum::<f64>() / count;
    let (error, of_spread) = ((variance / count).sqrt(), (fourth / count).sqrt());
    let name = format!("{distribution:?} {parameters:?}");
    assert!((found - mean).abs() < 3.5 * error, "{name}: mean {found}, not {mean}");
    assert!((spread - variance).abs() < 3.5 * of_spread, "{name}: variance {spread}, not {variance}");
}

/// The largest distance of the empirical from the true distribution function stays below the 0.1 % point.
fn check_distance(mut values: Vec<f64>, distribution: Distribution, parameters: &[f64]) {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let distance = values.iter().enumerate().fold(0f64, |worst, (rank, &x)| {
        let p = cdf(distribution, parameters, x);
        worst.max((p - rank as f64 / count).abs()).max(((rank + 1) as f64 / count - p).abs())
    });
    assert!(distance < 1.95 / count.sqrt(), "{distribution:?} {parameters:?}: distance {distance}");
}

#[test]
fn numbers_have_their_distribution() {
    for (distribution, parameters) in CASES {
        for values in [sample::<f32>(distribution, parameters), sample::<f64>(distribution, parameters)] {
            check_moments(&values, distribution, parameters);
            if distribution != Distribution::Bernoulli {
                check_distance(values, distribution, parameters);
            }
        }
    }
}

#[test]
fn neighbours_in_space_and_time_are_independent() {
    let value = |row, column, step, site| {
        let at = Stream { seed: SEED, step, site, run: 0, row, column };
        draw(Distribution::Normal, &[0.0, 1.0], &at)
    };
    let correlation = |other: &dyn Fn(u64) -> f64| {
        let sum: f64 = (0..COUNT as u64).map(|k| value(0, k, 1, 0) * other(k)).sum();
        sum / (COUNT as f64).sqrt()
    };
    for (what, z) in [
        ("column", correlation(&|k| value(0, k + 1, 1, 0))),
        ("row", correlation(&|k| value(1, k, 1, 0))),
        ("step", correlation(&|k| value(0, k, 2, 0))),
        ("site", correlation(&|k| value(0, k, 1, 1))),
    ] {
        assert!(z.abs() < 3.5, "{what}: {z} standard deviations");
    }
}

#[test]
fn the_edges_of_a_word_give_finite_numbers() {
    let direct = Direct::<f32>::new();
    let double = Direct::<f64>::new();
    for word in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        for (distribution, parameters) in CASES {
            let single: Vec<f32> = parameters.iter().map(|&x| x as f32).collect();
            let words = |_| word;
            let number = draw::number(&direct, distribution, &single, &words);
            assert!(number.is_finite(), "{distribution:?} of {word:x} is {number}");
            let number = draw::number(&double, distribution, parameters, &words);
            assert!(number.is_finite(), "{distribution:?} of {word:x} is {number}");
        }
    }
    let z = draw::normal(&double, 0);
    assert!((z - 6.337_9).abs() < 1e-3, "the outermost normal number is {z}");
}

#[test]
fn the_normal_quantile_keeps_its_precision_from_the_middle_to_the_tail() {
    // The low 31 bits m of a word, and the number that is exceeded with probability (m + ½) · 2^-32, to 17 digits.
    let quantiles: [(u32, f64); 14] = [
        (0x0000_0000, 6.337_957_754_553_789),
        (0x0000_0001, 6.166_429_517_819_75),
        (0x0000_0005, 5.957_507_662_988_573),
        (0x0000_03e8, 5.039_851_125_968_711_5),
        (0x000f_ffff, 3.487_104_231_637_228_3),
        (0x0800_0000, 1.862_731_865_767_592_2),
        (0x0999_9999, 1.780_464_341_976_798_2),
        (0x0999_9998, 1.780_464_344_824_525_5),
        (0x1333_33ff, 1.439_531_134_905_486),
        (0x2000_0000, 1.150_349_379_810_483_2),
        (0x3fff_ffff, 0.674_489_750_562_425),
        (0x6000_0000, 0.318_639_363_657_368_9),
        (0x7fff_fffe, 8.754_298_118_749_868e-10),
        (0x7fff_ffff, 2.918_099_372_916_622_5e-10),
    ];
    for (m, want) in quantiles {
        for (word, want) in [(m, want), (m | 1 << 31, -want)] {
            let double = draw::normal(&Direct::<f64>::new(), word);
            assert!((double / want - 1.0).abs() < 2e-15, "f64, {word:x}: {double:e}, not {want:e}");
            let single = f64::from(draw::normal(&Direct::<f32>::new(), word));
            assert!((single / want - 1.0).abs() < 5e-7, "f32, {word:x}: {single:e}, not {want:e}");
        }
    }
}

#[test]
fn invalid_shapes_give_nan() {
    for shape in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(draw(Distribution::Gamma, &[shape, 1.0], &stream(0)).is_nan());
        assert!(draw(Distribution::Beta, &[1.0, shape], &stream(0)).is_nan());
    }
}

#[test]
fn small_shapes_stay_in_range() {
    for column in 0..500 {
        let x = draw(Distribution::Beta, &[0.01f32, 0.01], &stream(column));
        assert!((0.0..=1.0).contains(&x), "{x}");
    }
}

#[test]
fn draws_give_their_frozen_answers() {
    let mut table = String::new();
    for (distribution, parameters) in CASES {
        let single: Vec<f32> = parameters.iter().map(|&x| x as f32).collect();
        let singles = [0, 1].map(|column| draw(distribution, &single, &stream(column)).to_bits());
        let double = draw(distribution, parameters, &stream(0)).to_bits();
        table += &format!("{distribution:?} {:08x} {:08x} {double:016x}\n", singles[0], singles[1]);
    }
    assert_eq!(table, FROZEN);
}

/// The bits of the first two numbers in f32 and of the first in f64.
const FROZEN: &str = "\
Uniform 4000483d 403fc474 40000907a5000000
Normal bf57909a 3efdaaf4 bfeaf21327104394
LogNormal 3e86aaff 3ebc23d0 3fd0d55fcfed8864
Bernoulli 00000000 00000000 0000000000000000
Exponential 3f3202e4 40601d6b 3fe6405c81e6b61a
Gamma 3c1d6dba 3da05ad0 3f83adb764d8d47a
Gamma 3fa924bc 400a73c5 3ff5249782025846
Gamma 415acce8 418a8f35 402b599ce9a155b2
Beta 3ec3c486 3e9de453 3fd87890f251bd63
Beta 3e76dbf8 3e463479 3fcedb7f7f0ee3c6
";
