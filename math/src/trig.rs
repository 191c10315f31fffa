//! `sin` and `cos`, for every finite argument.
//!
//! The reduction multiplies the argument's mantissa with a window of the bits of 2/π that its exponent chooses, in
//! integers (Payne and Hanek 1983, doi:10.1145/1057600.1057602), so that it is exact enough however large the
//! argument. Integers of twice the width of a limb do it: limbs of 16 bits in f32, of 32 bits in f64. The window is
//! chosen by selects, which suits vectors, and the shift within a limb is a product. Measured bounds: see `math`.

use super::arith::{Arithmetic, two_to};

/// 2/π in words of 32 bits, highest first.
const TWO_OVER_PI: [u32; 39] = [
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
    0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484,
    0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b,
    0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab, 0xf0cfbc20,
];
/// How many limbs of the product are kept.
const LIMBS: usize = 6;
/// π/2 as a pair.
const HALF_PI_HIGH: (f64, f64) = (1.5707963705062866, core::f64::consts::FRAC_PI_2);
const HALF_PI_LOW: (f64, f64) = (-4.371138828673793e-08, 6.123233995736766e-17);

/// (sin r - r) / r³ and (cos r - 1 + r²/2) / r⁴ as polynomials in r² for |r| ≤ π/4.
const SIN_F32: &[f64] =
    &[-0.1666666716337204, 0.008333331905305386, -0.00019840084132738411, 2.724962087086169e-06];
const SIN_F64: &[f64] = &[
    -0.16666666666666666,
    0.008333333333333331,
    -0.0001984126984126504,
    2.7557319219320575e-06,
    -2.5052106225992886e-08,
    1.6058530596449813e-10,
    -7.586636873051462e-13,
];
const COS_F32: &[f64] =
    &[0.0416666679084301, -0.00138888880610466, 2.4800598112051375e-05, -2.7300703209220956e-07];
const COS_F64: &[f64] = &[
    0.041666666666666664,
    -0.0013888888888888887,
    2.4801587301584632e-05,
    -2.7557319221392485e-07,
    2.0876755787491765e-09,
    -1.147046031910047e-11,
    4.7458384070975117e-14,
];

/// |x| = quadrant · π/2 + r + c, with |r| ≤ π/4 about.
struct Reduced<A: Arithmetic> {
    quadrant: A::Int,
    r: A::Float,
    c: A::Float,
}

/// Limb `index` of 2/π behind two limbs of zeros.
#[inline(always)]
fn limb<A: Arithmetic>(a: &A, index: usize) -> A::Int {
    let bits = index.checked_sub(2).map_or(0, |index| {
        let half = TWO_OVER_PI
            .get(index / 2)
            .map_or(0, |&word| if index % 2 == 0 { word >> 16 } else { word & 0xffff });
        a.pick(half, TWO_OVER_PI.get(index).copied().unwrap_or(0))
    });
    a.int(bits.into())
}

/// `LIMBS` limbs of 2/π from bit `offset` on, counted behind two limbs of zeros.
#[inline(always)]
fn window<A: Arithmetic>(a: &A, offset: A::Int) -> [A::Int; LIMBS] {
    let width = limb_bits(a);
    let mask = a.int((1 << width) - 1);
    let first = a.int_shr(offset, width.trailing_zeros());
    // Halving shifts bring limb `first` to the front.
    let stages: u32 = a.pick(4, 6);
    let mut count = LIMBS + (1 << stages);
    let mut limbs = [first; LIMBS + 64];
    for (index, place) in limbs.iter_mut().enumerate().take(count) {
        *place = limb(a, index);
    }
    for stage in (0..stages).rev() {
        let step = 1usize << stage;
        let stay = a.int_equal(a.int_and(first, a.int(step as i64)), a.int(0));
        count -= step;
        for i in 0..count {
            limbs[i] = a.int_select(stay, limbs[i], limbs[i + step]);
        }
    }
    // 2^shift as an integer, by way of the float.
    let shift = a.int_and(offset, a.int(i64::from(width) - 1));
    let shifted = a.add(a.power_of_two(shift), a.real(a.magic()));
    let factor = a.int_sub(a.to_bits(shifted), a.magic_bits());
    let products: [A::Int; LIMBS + 1] = core::array::from_fn(|i| a.int_mul(limbs[i], factor));
    core::array::from_fn(|i| a.int_or(a.int_and(products[i], mask), a.int_shr(products[i + 1], width)))
}

/// Half the width of an integer.
#[inline(always)]
fn limb_bits<A: Arithmetic>(a: &A) -> u32 {
    a.pick(16, 32)
}

/// The low limbs of `mantissa` times `window`, highest first.
#[inline(always)]
fn multiply<A: Arithmetic>(a: &A, mantissa: A::Int, window: [A::Int; LIMBS]) -> [A::Int; LIMBS] {
    let width = limb_bits(a);
    let mask = a.int((1 << width) - 1);
    let factors = [a.int_and(mantissa, mask), a.int_shr(mantissa, width)];
    let mut sums = [a.int(0); LIMBS];
    for (position, factor) in factors.into_iter().enumerate() {
        let mut carry = a.int(0);
        for i in (position..LIMBS).map(|i| LIMBS - 1 - i) {
            // At most (2^width - 1)² + 2 (2^width - 1): it fits.
            let term = a.int_mul(window[i + position], factor);
            let total = a.int_add(a.int_add(term, sums[i]), carry);
            sums[i] = a.int_and(total, mask);
            carry = a.int_shr(total, width);
        }
    }
    sums
}

/// For x from ½ on, finite.
#[inline(always)]
fn reduce_large<A: Arithmetic>(a: &A, x: A::Float) -> Reduced<A> {
    let width = limb_bits(a);
    let bits = a.to_bits(x);
    let digits = a.mantissa_bits();
    let leading = a.int(1i64 << digits);
    let mantissa = a.int_or(a.int_and(bits, a.int((1i64 << digits) - 1)), leading);
    // x = mantissa · 2^e. Bits of 2/π of weight 2^-(e - 2) and more give multiples of 4 quadrants.
    let from_bias = 2 * i64::from(width) - 2 - a.bias() - i64::from(digits);
    let offset = a.int_add(a.int_shr(bits, digits), a.int(from_bias));
    let product = multiply(a, mantissa, window(a, offset));

    // The top two bits of the product are the quadrant, the rest a fraction; rounded to the nearest quadrant.
    let rounded = a.int_shr(a.int_add(product[0], a.int(1 << (width - 3))), width - 2);
    let top = a.int_sub(product[0], a.int_shl(rounded, width - 2));
    let negative = a.int_less(top, a.int(0));
    // Complementing all limbs negates, but for one unit of the last place.
    let flip = a.int_select(negative, a.int(-1), a.int(0));
    let mask = a.int((1 << width) - 1);
    let real = |limb: A::Int, position: u32| {
        // A limb is smaller than 2^(mantissa bits - 1), so adding the magic number's bits converts it.
        let scale = two_to(2 - (width * (position + 1)) as i32);
        a.mul(a.small_to_real(limb), a.real(scale))
    };
    let mut sum = real(a.int_xor(top, flip), 0);
    let mut error = a.real(0.0);
    for (limb, position) in product.into_iter().zip(0..).skip(1) {
        let limb = a.int_and(a.int_xor(limb, flip), mask);
        let (next, rest) = a.fast_two_sum(sum, real(limb, position));
        sum = next;
        error = a.add(error, rest);
    }
    let high = a.constant(HALF_PI_HIGH.0, HALF_PI_HIGH.1);
    let low = a.constant(HALF_PI_LOW.0, HALF_PI_LOW.1);
    let r = a.mul(sum, high);
    let c = a.fma(sum, high, a.neg(r));
    let c = a.add(c, a.fma(sum, low, a.mul(error, high)));
    let r = a.select(negative, a.neg(r), r);
    let c = a.select(negative, a.neg(c), c);
    Reduced { quadrant: rounded, r, c }
}

#[inline(always)]
fn reduce<A: Arithmetic>(a: &A, x: A::Float) -> Reduced<A> {
    let size = a.abs(x);
    let small = a.less(size, a.real(core::f64::consts::FRAC_PI_4));
    let large = a.and(a.not(small), a.less(size, a.real(f64::INFINITY)));
    let reduced = reduce_large(a, a.select(large, size, a.real(1.0)));
    Reduced {
        quadrant: a.int_select(small, a.int(0), reduced.quadrant),
        r: a.select(small, size, reduced.r),
        c: a.select(small, a.real(0.0), reduced.c),
    }
}

/// sin (r + c)
#[inline(always)]
fn sin_kernel<A: Arithmetic>(a: &A, r: A::Float, c: A::Float) -> A::Float {
    let z = a.mul(r, r);
    let cube = a.mul(z, r);
    let low = a.fma(a.mul(z, a.real(-0.5)), c, c);
    a.add(r, a.fma(cube, a.polynomial(z, a.pick(SIN_F32, SIN_F64)), low))
}

/// cos (r + c)
#[inline(always)]
fn cos_kernel<A: Arithmetic>(a: &A, r: A::Float, c: A::Float) -> A::Float {
    let z = a.mul(r, r);
    let half = a.mul(r, a.real(0.5));
    let main = a.fma(a.neg(half), r, a.real(1.0));
    let error = a.fma(a.neg(half), r, a.sub(a.real(1.0), main));
    let low = a.fma(a.neg(r), c, error);
    a.add(main, a.fma(a.mul(z, z), a.polynomial(z, a.pick(COS_F32, COS_F64)), low))
}

/// The sine, or the cosine, of r + quadrant · π/2.
#[inline(always)]
fn turn<A: Arithmetic>(a: &A, reduced: &Reduced<A>, quadrant: A::Int) -> A::Float {
    let even = a.int_equal(a.int_and(quadrant, a.int(1)), a.int(0));
    let sin = sin_kernel(a, reduced.r, reduced.c);
    let cos = cos_kernel(a, reduced.r, reduced.c);
    let value = a.select(even, sin, cos);
    let keep = a.int_equal(a.int_and(quadrant, a.int(2)), a.int(0));
    a.select(keep, value, a.neg(value))
}

/// `result` where x is finite, else NaN.
#[inline(always)]
fn finite_only<A: Arithmetic>(a: &A, x: A::Float, result: A::Float) -> A::Float {
    a.select(a.less(a.abs(x), a.real(f64::INFINITY)), result, a.real(f64::NAN))
}

/// Sine of radians, within 0.80 ulp; NaN for an infinite argument.
#[inline(always)]
pub(super) fn sin<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let reduced = reduce(a, x);
    let value = turn(a, &reduced, reduced.quadrant);
    let negative = a.int_less(a.to_bits(x), a.int(0));
    let result = a.select(negative, a.neg(value), value);
    let tiny = a.less(a.abs(x), a.constant(two_to(-20), two_to(-40)));
    finite_only(a, x, a.select(tiny, x, result))
}

/// Cosine of radians, within 0.80 ulp; NaN for an infinite argument.
#[inline(always)]
pub(super) fn cos<A: Arithmetic>(a: &A, x: A::Float) -> A::Float {
    let reduced = reduce(a, x);
    let value = turn(a, &reduced, a.int_add(reduced.quadrant, a.int(1)));
    finite_only(a, x, value)
}
