//! Standard normal numbers: the inverse of the distribution function.
//!
//! The sign is the top bit of a word, the tail probability q = (m + ½) · 2^-32 comes from the other 31, so the tail keeps
//! its relative precision and ends at 6.3 standard deviations.
//!
//! f64: Wichura's rational functions (AS 241, 1988, doi:10.2307/2347330).
//!
//! f32: z = x G(y) with x = 1 - 2 q and y = -log2(4 q (1 - q)), the variable in which Giles (Approximating the erfinv
//! function, GPU Computing Gems 2, 2011) has found the inverse to be nearly a polynomial; in the middle x is small and y has no
//! need to be precise relative to itself. G is a minimax polynomial (Remez, relative) in y up to 8, which 99.8 % of all
//! numbers are, and in √(y - 3) beyond, up to 31. Nothing is divided, and there is no root but in the tail. Measured over
//! all words: 2.8e-7 of the number at most, 6.3e-8 in the mean square; AS 241's PPND7 in f32 has 3.9e-7 and 8.6e-8.

use super::arith::{Arithmetic, two_to};
use super::log;
use crate::Precision;

/// -log2(1 + f) / f for 1 + f from √½ to √2, within 3e-7 of the logarithm.
const LOG2: &[f64] = &[
    -1.442699670791626,
    0.7213758230209351,
    -0.48046624660491943,
    0.3589631915092468,
    -0.2972504496574402,
    0.27268660068511963,
    -0.17065849900245667,
];
/// G in y, from 0 to 8, within 2.2e-8.
const CENTRE: &[f64] = &[
    1.2533141374588013,
    0.2274339348077774,
    0.007844864390790462,
    -0.0010962900705635548,
    -4.3949868995696306e-05,
    1.1063793863286264e-05,
    3.852439363072335e-07,
    -1.8099220255862747e-07,
    1.4086839250637695e-08,
    -3.7841252353842947e-10,
];
/// Where the centre ends.
const FAR: f64 = 8.0;
/// G in √(y - 3) - 3.5, for y from 8 to 31, within 3.1e-8.
const TAIL: &[f64] = &[
    4.363020896911621,
    1.0608259439468384,
    0.03403044119477272,
    -0.0087947528809309,
    0.0023264705669134855,
    -0.0006906245835125446,
    0.00017709836538415402,
    -3.76650774569498e-07,
    -2.0576939277816564e-05,
    4.962742423231248e-06,
];

/// Numerator and denominator in 0.425² - (½ - q)², for q ≥ 0.075.
const CENTRE_F64: [&[f64]; 2] = [
    &[
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    &[
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
/// Numerator and denominator in √(-ln q) - 1.6, for smaller q.
const TAIL_F64: [&[f64]; 2] = [
    &[
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    &[
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

/// A standard normal number.
#[inline(always)]
pub fn normal<A: Arithmetic>(a: &A, word: A::Word) -> A::Float {
    match a.precision() {
        Precision::F32 => {
            let (f, whole) = log_parts(a, word);
            let y = depth(a, f, whole);
            let factor = a.select(a.less(y, a.real(FAR)), centre(a, y), tail(a, y));
            of_factor(a, word, factor)
        }
        Precision::F64 => {
            let place = Tail::new(a, word);
            let centre = place.centre(a);
            let far = place.magnitude(a);
            signed(a, word, a.select(place.is_far(a), far, centre))
        }
    }
}

/// In f32: f and k with q (1 - q) = 2^-(k + 2) (1 + f).
#[inline(always)]
pub(super) fn log_parts<A: Arithmetic>(a: &A, word: A::Word) -> (A::Float, A::Float) {
    let m = a.word_to_real(a.word_and(word, a.word(u32::MAX >> 1)));
    let q = a.fma(m, a.real(two_to(-32)), a.real(two_to(-33)));
    let bits = a.to_bits(a.fma(a.neg(q), q, q));
    let half_root = a.int(core::f32::consts::FRAC_1_SQRT_2.to_bits().into());
    let k = a.int_sar(a.int_sub(bits, half_root), a.mantissa_bits());
    let m = a.real_from_bits(a.int_sub(bits, a.int_shl(k, a.mantissa_bits())));
    // k comes as what is added to a number whose last bit is 1; 2 less than that number is exact, too.
    let shifted = a.real_from_bits(a.int_add(k, a.magic_bits()));
    (a.sub(m, a.real(1.0)), a.sub(a.real(a.magic() - 2.0), shifted))
}

/// In f32: y, from 0 in the middle to 31.
#[inline(always)]
pub(super) fn depth<A: Arithmetic>(a: &A, f: A::Float, whole: A::Float) -> A::Float {
    a.fma(f, a.polynomial(f, LOG2), whole)
}

/// In f32: G(y) for y < 8.
#[inline(always)]
pub(super) fn centre<A: Arithmetic>(a: &A, y: A::Float) -> A::Float {
    a.polynomial(y, CENTRE)
}

/// In f32: G(y) for y ≥ 8.
#[inline(always)]
pub(super) fn tail<A: Arithmetic>(a: &A, y: A::Float) -> A::Float {
    a.polynomial(a.sub(a.sqrt(a.sub(y, a.real(3.0))), a.real(3.5)), TAIL)
}

/// In f32: x G(y), with the sign of the word.
#[inline(always)]
pub(super) fn of_factor<A: Arithmetic>(a: &A, word: A::Word, factor: A::Float) -> A::Float {
    let rest = a.word_and(a.word_xor(word, a.word(u32::MAX)), a.word(u32::MAX >> 1));
    let x = a.fma(a.word_to_real(rest), a.real(two_to(-31)), a.real(two_to(-32)));
    signed(a, word, a.mul(x, factor))
}

/// Where a number of f32 belongs to the tail.
#[inline(always)]
pub(super) fn is_far(y: f32) -> bool {
    y >= FAR as f32
}

/// Where a normal number in f64 stands among all.
pub(super) struct Tail<F> {
    /// The probability of a number farther out on its side.
    q: F,
    /// ½ - q
    distance: F,
}

impl<F: Copy> Tail<F> {
    /// Of the number that a word stands for.
    #[inline(always)]
    pub(super) fn new<A: Arithmetic<Float = F>>(a: &A, word: A::Word) -> Self {
        // 2 m + 1, and its distance from the middle in the same unit: both keep their relative precision.
        let odd = a.word_or(a.word_shl(word, 1), a.word(1));
        let unit = a.real(two_to(-33));
        let q = a.mul(a.word_to_real(odd), unit);
        let distance = a.word_add(a.word_xor(odd, a.word(u32::MAX)), a.word(1));
        let distance = a.mul(a.word_to_real(distance), unit);
        Self { q, distance }
    }

    /// Whether it belongs to the tail.
    #[inline(always)]
    pub(super) fn is_far<A: Arithmetic<Float = F>>(&self, a: &A) -> A::Cond {
        a.less(a.real(0.425), self.distance)
    }

    /// Its magnitude, if it belongs to the centre.
    #[inline(always)]
    pub(super) fn centre<A: Arithmetic<Float = F>>(&self, a: &A) -> F {
        let r = a.fma(a.neg(self.distance), self.distance, a.real(0.180625));
        a.mul(self.distance, ratio(a, r, CENTRE_F64))
    }

    /// Its magnitude, if it belongs to the tail.
    #[inline(always)]
    pub(super) fn magnitude<A: Arithmetic<Float = F>>(&self, a: &A) -> F {
        let r = a.sub(a.sqrt(a.neg(log::ln(a, self.q))), a.real(1.6));
        ratio(a, r, TAIL_F64)
    }
}

#[inline(always)]
fn ratio<A: Arithmetic>(a: &A, x: A::Float, [numerator, denominator]: [&[f64]; 2]) -> A::Float {
    a.div(a.polynomial(x, numerator), a.polynomial(x, denominator))
}

/// The sign is the first bit of the word.
#[inline(always)]
pub(super) fn signed<A: Arithmetic>(a: &A, word: A::Word, magnitude: A::Float) -> A::Float {
    let positive = a.word_equal(a.word_shr(word, 31), a.word(0));
    a.select(positive, magnitude, a.neg(magnitude))
}
