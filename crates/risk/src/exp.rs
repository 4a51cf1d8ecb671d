//! Exponentials: what a rate that drifts exponentially grows by, when it gets where, and decay with a half life.
//!
//! Source: the Taylor series of e^y, after `e^y = 2^n e^r` with r in [0, ln 2) for larger y (Muller, Elementary
//! Functions, 3rd edition, chapter 11). A projection on the chain computes one `phi` per reserve whose rate drifts, so
//! small y come first: the series runs in words with 64 fractional bits, where a step costs one word product, and takes
//! no more steps than y needs: at a drift of 5 a year two to four for seconds and minutes, five to seven for hours.
//!
//! The word arithmetic errs by at most `ERROR` units of 2^-64. Rounding adds or takes that before it drops the last
//! four bits.

use crate::error::Result;
use crate::fraction::Fraction;
use crate::wide::{self, mul_high};

/// Where [`exp_ceil`] and [`phi_ceil`] of a rising exponential stop: a larger y counts as 32, at which they exceed 10^13
/// and 10^12. The bounds of a rate at target are less than 10^5 times apart, so that it meets one long before.
pub const MAX_RISING: Fraction = Fraction::from_integer(32);

/// e^-48 is below 2^-69: every larger y has the same results in 60 bits.
const MAX_FALLING: Fraction = Fraction::from_integer(48);

/// ln 2 * 2^128, rounded down.
const LN_2: u128 = 0xB172_17F7_D1CF_79AB_C9E3_B398_03F2_F6AF;
/// ln 2, rounded down.
const LN_2_FLOOR: Fraction = Fraction::from_bits(LN_2 >> 68);
/// 1 / ln 2, rounded down.
const LOG2_E_FLOOR: Fraction = Fraction::from_bits(0x1715_4765_2B82_FE17);

/// 1 in words with 64 fractional bits.
const ONE_64: u128 = 1 << 64;
/// Most that [`power`] and [`beyond_one`] err by, in units of 2^-64, for r up to ln 2.
///
/// A step of the series drops less than one unit from its coefficient and less than one from its product, and passes
/// r times the error of the step before on: less than 2 / (1 - r) < 6.6 in all. [`beyond_one`] multiplies that by r,
/// drops less than one unit and leaves out terms of less than a half: 6.1. [`power`] multiplies by r once more and drops
/// less than one: 5.3, and r itself may be one unit too large, which e^r at most doubles.
const ERROR: u128 = 8;

/// 1 / 2!, 1 / 3!, ... 1 / 18!, times 2^64, rounded down.
const COEFFICIENTS: [u64; 17] = {
    let mut coefficients = [0; 17];
    let mut factorial = 1u64;
    let mut k = 0;
    while k < 17 {
        #[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated at compile time
        {
            factorial *= k as u64 + 2;
            coefficients[k] = wide::low(ONE_64 / factorial as u128);
            k += 1;
        }
    }
    coefficients
};

/// 1 / 3, 1 / 5, ... 1 / 37, times 2^64, rounded down.
const ODD_RECIPROCALS: [u64; 18] = {
    let mut reciprocals = [0; 18];
    let mut k = 0;
    while k < 18 {
        #[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)] // evaluated at compile time
        {
            reciprocals[k] = wide::low(ONE_64 / (2 * k as u128 + 3));
            k += 1;
        }
    }
    reciprocals
};

/// How many [`COEFFICIENTS`] leave out less than half a unit of 2^-64: with N of them that is r^(N + 1) / (N + 2)! and
/// a little. Pairs of an exclusive bound of r and N, for r up to ln 2.
const TERMS: [(u64, usize); 6] = [(1 << 43, 2), (1 << 49, 3), (1 << 52, 4), (1 << 55, 5), (1 << 58, 7), (1 << 61, 11)];

/// e^y, or e^-y when `falling`, rounded up, by at most 2^-59 relative when rising and 2^-59 absolute when falling.
///
/// Rising, a y above [`MAX_RISING`] counts as that. Falling, the result is in (0, 1] for any y.
pub fn exp_ceil(y: Fraction, falling: bool) -> Fraction {
    let (n, r) = reduce(if falling { y.min(MAX_FALLING) } else { y.min(MAX_RISING) });
    let above = power(r, falling).wrapping_add(ERROR); // below 2^66
    if falling {
        Fraction::from_bits(shift_right_ceil(above, n.wrapping_add(4))).min(Fraction::ONE)
    } else if y.is_zero() {
        Fraction::ONE
    } else {
        Fraction::from_bits(shift_right_ceil(above.wrapping_shl(n), 4)) // n is at most 46
    }
}

/// The mean of e^s, or of e^-s when `falling`, over s from 0 to y: `(e^y - 1) / y`, or `(1 - e^-y) / y`, and 1 at zero.
/// Rounded up, by at most 2^-56 relative when rising and 2^-56 absolute when falling; above 2^-12, 2^-58.
///
/// An integral over time of what grows exponentially is its first value times the time times this. Rising, a y above
/// [`MAX_RISING`] counts as that.
///
/// # Errors
/// None for any y: the result is that of a division by at least ln 2.
pub fn phi_ceil(y: Fraction, falling: bool) -> Result<Fraction> {
    if y.is_zero() {
        return Ok(Fraction::ONE);
    }
    if y < LN_2_FLOOR {
        let r = to_64(y);
        let (beyond, error) =
            if r < SHORT { (short_beyond_one(r, falling), SHORT_ERROR) } else { (beyond_one(r, falling), ERROR) };
        let (beyond, one) = (u128::from(beyond), Fraction::ONE.to_bits());
        return Ok(Fraction::from_bits(if falling {
            one.wrapping_sub(beyond.saturating_sub(error) >> 4) // at most half of one
        } else {
            one.wrapping_add(shift_right_ceil(beyond.wrapping_add(error), 4))
        }));
    }
    if falling {
        let (n, r) = reduce(y.min(MAX_FALLING));
        let below = power(r, true).wrapping_sub(ERROR); // more than half of one before
        let exp_floor = Fraction::from_bits(below.wrapping_shr(n.wrapping_add(4)));
        return Fraction::ONE.checked_sub(exp_floor)?.div_ceil(y);
    }
    let y = y.min(MAX_RISING);
    exp_ceil(y, false).checked_sub(Fraction::ONE)?.div_ceil(y)
}

/// 2^-x, to within 2^-60: the weight that is left of something after x half lives.
///
/// Exact at every integer up to 60: 1 at zero, 1/2 at one. Never above 1, never rising in x, and zero for every x above
/// 61.
pub fn exp2_neg(x: Fraction) -> Fraction {
    let Ok(n) = u32::try_from(x.to_bits() >> Fraction::BITS) else { return Fraction::ZERO };
    if n > 61 {
        return Fraction::ZERO;
    }
    // 2^-f = e^-(f ln 2). A step of x by 2^-60 lowers this by at least 5 units of 2^-64, and the roundings of two results
    // in sequence differ by less than 3: so it never rises within [n, n + 1). Before the end it is above 1/2 by 5 units
    // less an error below 4, so not at n + 1 either.
    let r = mul_high(to_64(x), wide::low(LN_2 >> 64));
    let weight = power(r, true);
    let half = 1u128.wrapping_shl(n.wrapping_add(3)); // of the last place that is kept
    Fraction::from_bits(weight.wrapping_add(half).wrapping_shr(n.wrapping_add(4)))
}

/// The natural logarithm of x, rounded down, by less than two units in the last place; zero for x up to 1.
///
/// `ln x = n ln 2 + ln m` for m in [1, 2), and `ln m = 2 artanh z` for `z = (m - 1) / (m + 1)`, below 1/3:
/// `2 (z + z^3 / 3 + z^5 / 5 + ...)`.
pub fn ln_floor(x: Fraction) -> Fraction {
    if x <= Fraction::ONE {
        return Fraction::ZERO;
    }
    let high = wide::low(x.to_bits() >> 64);
    let zeros = match high {
        0 => 64u32.wrapping_add(wide::leading_zeros(wide::low(x.to_bits()))),
        _ => wide::leading_zeros(high),
    };
    // m - 1, times 2^127; and half of m + 1, times the same and rounded up, which fits.
    let above = x.to_bits().wrapping_shl(zeros) & (u128::MAX >> 1);
    let half = (above >> 1).wrapping_add((1 << 127) | 1);
    let z = wide::div(above >> 65, above << 63, half).map_or(0, |(z, _)| wide::low(z));
    // All terms are positive and rounded down. What is dropped, in units of 2^-64: 1 from z, at a derivative below 2.3;
    // 1 from each of the three products after the sum, 2 / (1 - z^2) in the sum and 1.5 in what follows it, all of it
    // times 2 z^3 or less; 1 from the multiple of ln 2. Together less than 10, and then 16.
    let square = mul_high(z, z);
    let sum = ODD_RECIPROCALS.iter().rev().fold(0, |sum, term| mul_high(square, sum).wrapping_add(*term));
    let tail = mul_high(mul_high(z, square), sum);
    let mantissa = u128::from(z.wrapping_add(tail)).wrapping_mul(2);
    // 67 is where the top bit of 2^127 / 2^60 stands.
    let (carry, low) = wide::mul_by_word(LN_2, u64::from(67u32.wrapping_sub(zeros)));
    let whole = (u128::from(carry) << 64) | (low >> 64);
    Fraction::from_bits(whole.wrapping_add(mantissa) >> 4)
}

/// The fractional part of `x` with 64 bits.
#[inline(always)]
const fn to_64(x: Fraction) -> u64 {
    wide::low(x.to_bits() << 4)
}

/// `(n, r)` such that `y = n ln 2 + r`: r with 64 fractional bits, at least zero, and above ln 2 by 2^-50 at most. It is
/// too large by up to 2^-64. For y up to 48, where n is at most 69.
fn reduce(y: Fraction) -> (u32, u64) {
    if y < LN_2_FLOOR {
        return (0, to_64(y));
    }
    // Rounded down throughout, so n is never too large; where it is one too small, r is about ln 2 instead of zero.
    let whole = y.mul_floor(LOG2_E_FLOOR).unwrap_or_default().to_bits() >> Fraction::BITS;
    let (high, low) = wide::mul_by_word(LN_2, wide::low(whole));
    let multiple = (u128::from(high) << 64) | (low >> 64);
    (u32::try_from(whole).unwrap_or_default(), wide::low((y.to_bits() << 4).wrapping_sub(multiple)))
}

/// What [`short_beyond_one`] takes, with 64 fractional bits: y below 2^-12, 43 minutes of a drift of 50 a year.
const SHORT: u64 = 1 << 52;
/// By how many units of 2^-64 it errs at most, either way.
const SHORT_ERROR: u128 = 128;

/// `|phi(r) - 1|` to the fourth order, for r below [`SHORT`], with products of 32-bit words alone: a projection of a pool
/// that was used lately takes a quarter of the time.
///
/// The squares are of r with 44 fractional bits: r^2 is too small by up to 2 r 2^-44 < 2^-55, 513 units with its own
/// rounding, of which a sixth counts. The other terms and the fifth order are off by a few units.
#[inline]
fn short_beyond_one(r: u64, falling: bool) -> u64 {
    let q = r >> 20; // below 2^32, as all factors here
    let square = q.wrapping_mul(q) >> 24; // below 2^40
    let upper = square >> 8;
    let cube = upper.wrapping_mul(q) >> 36;
    let fourth = upper.wrapping_mul(upper) >> 48;
    let (odd, even) = ((r >> 1).wrapping_add(cube / 24), (square / 6, fourth / 120));
    if falling { odd.wrapping_sub(even.0).wrapping_sub(even.1) } else { odd.wrapping_add(even.0).wrapping_add(even.1) }
}

/// `|phi(r) - 1|` for phi as in [`phi_ceil`]; both with 64 fractional bits, r up to ln 2.
#[inline]
fn beyond_one(r: u64, falling: bool) -> u64 {
    let terms = TERMS.iter().find(|(bound, _)| r < *bound).map_or(COEFFICIENTS.len(), |(_, terms)| *terms);
    // r / 2! + r^2 / 3! + r^3 / 4! + ..., or with alternating signs, from the last coefficient on.
    let mut coefficients = COEFFICIENTS.iter().take(terms).rev();
    let mut sum = coefficients.next().copied().unwrap_or_default();
    for coefficient in coefficients {
        let product = mul_high(r, sum);
        // Below e - 2; and each coefficient is at least three times the next.
        sum = if falling { coefficient.wrapping_sub(product) } else { coefficient.wrapping_add(product) };
    }
    mul_high(r, sum)
}

/// e^r or e^-r, with 64 fractional bits, r up to ln 2: `1 + r phi(r)` or `1 - r phi(-r)`.
fn power(r: u64, falling: bool) -> u128 {
    let square = u128::from(mul_high(r, beyond_one(r, falling)));
    let r = u128::from(r);
    // Below 2 + 2^-50; above 1/2 - 2^-50.
    if falling { ONE_64.wrapping_add(square).wrapping_sub(r) } else { ONE_64.wrapping_add(square).wrapping_add(r) }
}

/// `x / 2^shift`, rounded up, for x below 2^127 and a shift from 1 to 126.
const fn shift_right_ceil(x: u128, shift: u32) -> u128 {
    let lost = 1u128.wrapping_shl(shift).wrapping_sub(1);
    x.wrapping_add(lost).wrapping_shr(shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Real;
    use proptest::prelude::*;

    /// Every size from 2^-60 to 2^12, and the edges of the tables.
    fn any_exponent() -> impl Strategy<Value = Fraction> {
        let edges = TERMS.map(|(bound, _)| u128::from(bound >> 4));
        let short = u128::from(SHORT >> 4);
        prop_oneof![
            4 => (any::<u64>(), 0u32..64).prop_map(|(x, s)| u128::from(x >> s)),
            2 => 0u128..48 << 60,
            1 => 0u128..4_096 << 60,
            2 => short / 4..short + 9,
            1 => (proptest::sample::select(edges.to_vec()), 0u128..5).prop_map(|(edge, d)| edge + d - 2),
            // Where y is a multiple of ln 2, to a few units.
            2 => (1u128..70, 0u128..9).prop_map(|(n, d)| ((n * (LN_2 >> 8)) >> 60) + d - 4),
        ]
        .prop_map(Fraction::from_bits)
    }

    #[test]
    fn below_a_multiple_of_ln_2_the_one_before_is_taken() {
        for n in 1..=69 {
            let multiple = &Real::ln_2() * &Real::integer(n);
            let (taken, rest) = reduce(multiple.floor());
            // Else what is left would be below zero.
            assert!(taken == n - 1 && u128::from(rest) <= ((LN_2 >> 64) + (1 << 14)), "{n}: {taken}, {rest}");
        }
    }

    fn signed(y: Fraction, falling: bool) -> Real {
        if falling { -&Real::from(y) } else { Real::from(y) }
    }

    /// `actual` is at least `exact`, and above it by at most `allowed`.
    fn at_least(actual: Fraction, exact: &Real, allowed: &Real) -> core::result::Result<(), TestCaseError> {
        let above = &Real::from(actual) - exact;
        prop_assert!(above >= Real::integer(0), "{} below", above.to_f64());
        prop_assert!(above <= *allowed, "{} above", above.to_f64());
        Ok(())
    }

    #[test]
    fn constants_are_rounded_down() {
        let ln_2 = Real::ln_2();
        let one = Real::integer(1);
        let is_floor = |f: Fraction, exact: &Real| {
            Real::from(f) <= *exact && Real::from(f.checked_add(Fraction::EPSILON).unwrap()) > *exact
        };
        assert!(is_floor(LN_2_FLOOR, &ln_2));
        assert!(is_floor(LOG2_E_FLOOR, &(&one / &ln_2)));
        // 2^-128 of ln 2 at a time: 60 bits, and the 68 after them.
        assert!(is_floor(Fraction::from_bits(LN_2 & ((1 << 68) - 1)), &scaled(&(&ln_2 - &LN_2_FLOOR.into()), 68)));
        assert_eq!((COEFFICIENTS[0], COEFFICIENTS[1]), (1 << 63, u64::MAX / 6));
        assert_eq!(COEFFICIENTS[16], 2_881); // 2^64 / 18! = 2881.2
    }

    fn scaled(x: &Real, bits: u32) -> Real {
        x * Real::integer(1u128 << bits)
    }

    /// What the series leaves out at the largest r for which it has that many terms.
    #[test]
    fn enough_terms_everywhere() {
        let last = (wide::low(LN_2 >> 64), COEFFICIENTS.len());
        for (bound, terms) in TERMS.into_iter().chain([last]) {
            let r = Real::ratio(bound, 1u128 << 64);
            let (mut power, mut sum) = (Real::integer(1), Real::integer(0));
            for k in 1..60u64 {
                power = &(&power * &r) / &Real::integer(k + 1);
                if k as usize > terms {
                    sum = &sum + &power;
                }
            }
            assert!(sum < Real::two_to_minus(65), "{terms} terms leave {}", sum.to_f64());
        }
    }

    #[test]
    fn known_logarithms() {
        assert_eq!(ln_floor(Fraction::ZERO), Fraction::ZERO);
        assert_eq!(ln_floor(Fraction::ONE), Fraction::ZERO);
        for n in 1..68u32 {
            let exact = &Real::ln_2() * &Real::integer(n);
            assert_eq!(ln_floor(Fraction::from_bits(1 << (60 + n))), exact.floor());
        }
        assert_eq!(ODD_RECIPROCALS[17], u64::MAX / 37);
    }

    #[test]
    fn nothing_grows_by_nothing() {
        for falling in [false, true] {
            assert_eq!(exp_ceil(Fraction::ZERO, falling), Fraction::ONE);
            assert_eq!(phi_ceil(Fraction::ZERO, falling), Ok(Fraction::ONE));
        }
    }

    #[test]
    fn any_size_has_a_result() {
        assert_eq!(exp_ceil(Fraction::MAX, false), exp_ceil(MAX_RISING, false));
        assert_eq!(phi_ceil(Fraction::MAX, false), phi_ceil(MAX_RISING, false));
        assert_eq!(exp_ceil(Fraction::MAX, true), Fraction::EPSILON);
        assert_eq!(phi_ceil(Fraction::MAX, true), Ok(Fraction::EPSILON));
        assert_eq!(phi_ceil(Fraction::from_integer(1 << 20), true), Ok(Fraction::from_bits(1 << 40)));
        assert_eq!(exp2_neg(Fraction::MAX), Fraction::ZERO);
        // e^32 and (e^32 - 1) / 32, rounded.
        assert_eq!(exp_ceil(MAX_RISING, false).floor_to_u64(), Ok(78_962_960_182_680));
        assert_eq!(phi_ceil(MAX_RISING, false).unwrap().floor_to_u64(), Ok(2_467_592_505_708));
    }

    #[test]
    fn half_lives() {
        for n in 0..=60u32 {
            assert_eq!(exp2_neg(Fraction::from_integer(n.into())), Fraction::from_bits(1 << (60 - n)));
        }
        assert_eq!(exp2_neg(Fraction::from_integer(61)), Fraction::EPSILON); // a half, rounded up
        for n in 1..=61u128 {
            let near = |d: u128| exp2_neg(Fraction::from_bits((n << 60) + d - 8));
            assert!((0..16).all(|d| near(d) >= near(d + 1)), "{n}");
        }
        assert_eq!(exp2_neg(Fraction::from_integer(62)), Fraction::ZERO);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn powers_round_up(y in any_exponent()) {
            let rising = y.min(MAX_RISING);
            let exact = signed(rising, false).exp();
            at_least(exp_ceil(y, false), &exact, &(&exact * &Real::two_to_minus(59)))?;
            at_least(exp_ceil(y, true), &signed(y, true).exp(), &Real::two_to_minus(59))?;
        }

        #[test]
        fn means_round_up(y in any_exponent()) {
            let rising = y.min(MAX_RISING);
            let exact = signed(rising, false).phi();
            let short = if y.to_bits() < u128::from(SHORT >> 4) { 56 } else { 58 };
            at_least(phi_ceil(y, false).unwrap(), &exact, &(&exact * &Real::two_to_minus(short)))?;
            at_least(phi_ceil(y, true).unwrap(), &signed(y, true).phi(), &Real::two_to_minus(short))?;
        }

        #[test]
        fn half_lives_are_exact_to_the_last_place(x in any_exponent()) {
            let exact = (-&(&Real::from(x) * &Real::ln_2())).exp();
            let off = (&Real::from(exp2_neg(x)) - &exact).abs();
            prop_assert!(off <= Real::two_to_minus(60), "{}", off.to_f64());
        }

        /// e^ln is at most x, and e^(ln + 2 units) above it.
        #[test]
        fn logarithms_round_down(x in any::<u128>(), shift in 0u32..68, near in any::<bool>()) {
            let x = (x >> shift).max(1 << 60);
            // Also next to 1 and to powers of two, from both sides.
            let x = if near { ((1 << (127 - shift)) + (x & 7)).saturating_sub(3).max(1 << 60) } else { x };
            let x = Fraction::from_bits(x);
            let ln = Real::from(ln_floor(x));
            prop_assert!(ln.exp() <= &Real::from(x) + &Real::two_to_minus(100), "{:?}", x);
            prop_assert!((ln + Real::units(2)).exp() > Real::from(x), "{:?}", x);
        }

        /// Neighbours, where only rounding could make it rise, and any two.
        #[test]
        fn decay_never_rises(x in any_exponent(), whole in 0u64..62, step in 1u128..4, other in any_exponent()) {
            for x in [x, Fraction::from_bits((u128::from(whole) << 60) | (x.to_bits() & ((1 << 60) - 1)))] {
                let next = x.checked_add(Fraction::from_bits(step)).unwrap();
                prop_assert!(exp2_neg(next) <= exp2_neg(x));
            }
            prop_assert!(exp2_neg(x.max(other)) <= exp2_neg(x.min(other)));
            prop_assert!(exp2_neg(x) <= Fraction::ONE);
        }
    }

    /// Before the last four bits are dropped, where a rise would show first: at the ends, and at the series' steps.
    #[test]
    fn decay_never_rises_within_a_half_life() {
        let starts =
            TERMS.map(|(bound, _)| u128::from(bound)).into_iter().chain([0, 1 << 62, 1 << 63, (1 << 64) - (1 << 16)]);
        for start in starts {
            // By steps of 2^-60, as r.
            let r = |step: u128| {
                mul_high((start.saturating_sub(1 << 12) + step * 16).min((1 << 64) - 1) as u64, wide::low(LN_2 >> 64))
            };
            for step in 0..4_000 {
                let (this, next) = (r(step), r(step + 1));
                assert!(next == this || power(next, true) < power(this, true), "{start} {step}");
            }
        }
    }
}
