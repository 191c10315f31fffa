//! Strips against one number after another.

use super::super::eval::Direct;
use super::super::strip::{StripReal, normals, words};
use super::super::{Stream, draw, evaluate, random_word};
use super::UNARY;
use crate::{Distribution, MathFn};

fn streams() -> impl Iterator<Item = (Stream, usize)> {
    let columns = [0, 1, 2, 3, 4, 255, 1 << 20, (1 << 34) - 3];
    let lengths = [0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1000];
    columns.into_iter().flat_map(move |column| {
        lengths.into_iter().map(move |length| {
            let seed = 0x1234_5678_9abc_def0 ^ column;
            (Stream { seed, step: 77, site: 3, run: 2, row: 12_345, column }, length)
        })
    })
}

#[test]
fn a_strip_of_words_is_one_word_after_another() {
    for (stream, length) in streams() {
        let mut found = vec![0; length];
        words(&stream, 5, &mut found);
        for (k, &word) in found.iter().enumerate() {
            let place = Stream { column: stream.column + k as u64, ..stream };
            assert_eq!(word, random_word(&place, 5), "{place:?}");
        }
    }
}

#[test]
fn a_strip_of_normal_numbers_is_one_draw_after_another() {
    fn check<R: StripReal>() {
        for (stream, length) in streams() {
            let mut found = vec![R::default(); length];
            normals(&stream, 0, &mut found);
            for (k, &number) in found.iter().enumerate() {
                let place = Stream { column: stream.column + k as u64, ..stream };
                let parameters = [R::from_f64(0.0), R::from_f64(1.0)];
                let expected = draw(Distribution::Normal, &parameters, &place);
                assert_eq!(number.to_bits64(), expected.to_bits64(), "{place:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_word_that_is_special_gives_the_same_normal_number() {
    let mut special = vec![0, 1, 2, u32::MAX, u32::MAX - 1, 1 << 31, (1 << 31) - 1, (1 << 31) + 1];
    // Where the tail begins: q = 0.075 of 2^32 parts in f64, 4 q (1 - q) = 2^-8 in f32, on either side.
    for tail in [0.075, 0.5 - 0.5 * (1.0 - 2f64.powi(-8)).sqrt()] {
        let first = (tail * 2f64.powi(32)) as u32 - 1000;
        special.extend((0..2000).flat_map(|k| [first + k, (1 << 31) + first + k, !(first + k)]));
    }
    fn check<R: StripReal>(special: &[u32]) {
        let mut found = vec![R::default(); special.len()];
        for (into, words) in found.chunks_mut(256).zip(special.chunks(256)) {
            R::normals(words, into);
        }
        for (&word, &number) in special.iter().zip(&found) {
            let expected = draw::normal(&Direct::<R>::new(), word);
            assert_eq!(number.to_bits64(), expected.to_bits64(), "{word:#x}");
        }
    }
    check::<f32>(&special);
    check::<f64>(&special);
}

#[test]
fn a_strip_of_a_function_is_one_value_after_another() {
    fn same<R: StripReal>(function: MathFn, arguments: &[R]) {
        let mut found = arguments.to_vec();
        R::function(function, &mut found);
        for (&argument, &value) in arguments.iter().zip(&found) {
            let expected = evaluate(function, &[argument]);
            let equal = value.to_bits64() == expected.to_bits64() || (value != value && expected != expected);
            assert!(equal, "{function:?} of {argument:?}: {value:?}, not {expected:?}");
        }
    }
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    };
    let special = [0.0, -0.0, 1.0, -1.0, 0.5, 88.8, -104.0, 709.9, -745.2, 1e-40, -1e-310, 1e10, 1e300];
    let limits = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, f64::MAX];
    // Strips all of whose arguments are moderate, and strips with one that is not.
    for limit in [87.0, 87.000_01, 708.0, 708.000_000_1] {
        let moderate =
            (0..600).map(|k| limit * f64::from(k % 256 - 128) / 128.0).chain([-0.0, 1e-40, -1e-310, limit]);
        let wide: Vec<f64> = moderate.collect();
        let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
        same(MathFn::Exp, &wide);
        same(MathFn::Exp, &narrow);
    }
    for function in UNARY {
        let wide: Vec<f64> = special
            .into_iter()
            .chain(limits)
            .chain((0..2000).map(|_| f64::from_bits(random())))
            .chain((0..2000).map(|k| f64::from(k) * 0.01 - 10.0))
            .collect();
        same(function, &wide);
        let narrow: Vec<f32> = wide
            .iter()
            .map(|&x| x as f32)
            .chain((0..4000).map(|_| f32::from_bits(random() as u32)))
            .collect();
        same(function, &narrow);
    }
}
