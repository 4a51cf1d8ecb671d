//! How much a price moves: a variance from the program's own price samples, and the haircut term that follows from it.
//!
//! A sample is taken when an accepted price was published at least `min_interval` after the last one:
//!
//! ```text
//! r   = 2 |p1 - p0| / (p1 + p0), clipped to r_max
//! v   = r^2 / dt                                      variance per second
//! var = var + (v - var) * (1 - 2^(-dt / half_life))
//! ```
//!
//! This is the average of RiskMetrics (J.P. Morgan, Technical Document, 4th edition, 1996, 5.2) for samples at uneven
//! times: the weight of a sample depends on the seconds that it stands for, so that how often somebody samples does not
//! decide what a steady market is measured as. The symmetric return needs no logarithm, is the same up and down, and
//! differs from the logarithmic one by r^3 / 12.
//!
//! # Rounding
//!
//! Up, as a higher variance is a higher haircut: the stored variance is never below that of the formulas for the same
//! samples. Within the bounds of [`config`](crate::config) it is above by less than `2 + 1.4 / w` units in the last place
//! (2^-60), where `w` is the least weight of a sample: the average cannot fall further once `variance * w` is below one
//! unit. With a sample a minute and a half-life of a day that is a variance of 2.5e-15 per second, a deviation of 0.03
//! basis points over an hour.

use crate::error::{Result, RiskError};
use crate::exp::exp2_neg;
use crate::fraction::Fraction;
use crate::price::UnitPrice;
use crate::wide;

/// How a reserve's volatility is measured, and what it adds to the haircut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VolatilityTerms {
    /// Least time between two samples, by their publish times, in seconds.
    pub min_interval: u32,
    /// Seconds after which a sample counts half.
    pub half_life: u32,
    /// Largest return of one sample, r_max, in basis points: what one bad price can do.
    pub max_return_bps: u32,
    /// How many standard deviations the haircut covers, k, in basis points. At zero the term is off: nothing is sampled
    /// and the other fields are not read.
    pub multiple_bps: u32,
    /// For how long: the time that a liquidation may take, in seconds.
    pub horizon: u32,
}

/// The volatility of one asset, as far as it has been sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volatility {
    /// The price of the last sample.
    pub price: UnitPrice,
    /// When that was published, Unix seconds; zero before the first sample.
    pub sampled_at: i64,
    /// The variance of returns, per second.
    pub variance: Fraction,
}

impl Volatility {
    /// Without a sample: the asset counts as calm until its second one. The first leaves the variance as it is, so that
    /// a listing may start from another.
    pub const UNSAMPLED: Self = Self { price: UnitPrice::ZERO, sampled_at: 0, variance: Fraction::ZERO };

    /// Takes `price`, published at `published_at` (Unix seconds), as a sample if it is due; says whether it did.
    ///
    /// Nothing happens before `min_interval` is over, at an earlier publish time, and with a multiple of zero. The
    /// first sample only stores the price. What a price has to satisfy before it comes here is
    /// [`Observation::accept`](crate::price::Observation::accept). Changes nothing when it fails.
    ///
    /// # Errors
    /// `DivisionByZero` with a half-life of zero; `Overflow` for a variance above 2^68, which a return of at most 2
    /// within a second excludes.
    pub fn sample(&mut self, price: UnitPrice, published_at: i64, terms: &VolatilityTerms) -> Result<bool> {
        if terms.multiple_bps == 0 {
            return Ok(false);
        }
        if self.sampled_at != 0 {
            let gap = published_at.saturating_sub(self.sampled_at);
            if gap < i64::from(terms.min_interval.max(1)) {
                return Ok(false);
            }
            // Beyond 136 years it is counted as that, which errs upwards.
            let seconds = u32::try_from(gap).unwrap_or(u32::MAX);
            let r = return_ceil(self.price, price)?.min(Fraction::from_bps_ceil(terms.max_return_bps));
            let v = r.mul_ceil(r)?.div_small_ceil(seconds)?;
            self.variance = toward_ceil(self.variance, v, seconds, terms.half_life)?;
        }
        self.price = price;
        self.sampled_at = published_at;
        Ok(true)
    }

    /// `k * sqrt(variance * horizon)`, at most 1: what the price may fall while a vault is liquidated.
    ///
    /// Rounded up: never below the exact value, above it by at most 2^-31 of it and a few units in the last place.
    ///
    /// # Errors
    /// None in practice: `Overflow` is what the type allows.
    pub fn deviation(&self, terms: &VolatilityTerms) -> Result<Fraction> {
        if terms.multiple_bps == 0 || self.variance.is_zero() {
            return Ok(Fraction::ZERO);
        }
        // What does not fit has a root above 2^34, and the least multiple is 10^-4.
        let Ok(variance) = self.variance.mul_integer(u64::from(terms.horizon)) else {
            return Ok(Fraction::ONE);
        };
        let deviation = sqrt_ceil(variance).mul_ceil(Fraction::from_bps_ceil(terms.multiple_bps))?;
        Ok(deviation.min(Fraction::ONE))
    }
}

/// `2 |p1 - p0| / (p1 + p0)`, in [0, 2], rounded up; zero between two prices of zero.
fn return_ceil(p0: UnitPrice, p1: UnitPrice) -> Result<Fraction> {
    let (p0, p1) = (p0.to_bits(), p1.to_bits());
    let gap = p0.abs_diff(p1);
    if gap == 0 {
        return Ok(Fraction::ZERO);
    }
    let quotient = match p0.checked_add(p1) {
        Some(sum) => wide::div(gap >> (127 - Fraction::BITS), gap << (Fraction::BITS + 1), sum),
        // The mean always fits. Half a unit lost of it, of 2^127, is a return too high by 2^-127 of itself.
        None => wide::div(gap >> (128 - Fraction::BITS), gap << Fraction::BITS, (p0 & p1).wrapping_add((p0 ^ p1) >> 1)),
    };
    let (quotient, remainder) = quotient.ok_or(RiskError::Overflow)?;
    quotient.checked_add(u128::from(remainder != 0)).map(Fraction::from_bits).ok_or(RiskError::Overflow)
}

/// By how much, at most, the `2^(-dt / half_life)` computed in [`toward_ceil`] is off either way: [`exp2_neg`] by one
/// unit in the last place, and by less than one from rounding `dt / half_life`.
const DECAY_ERROR: Fraction = Fraction::from_bits(2);

/// `old + (new - old) * (1 - 2^(-seconds / half_life))`, rounded up: a rise with a weight not below the exact one, a
/// fall with a weight not above. Higher than exactly by less than one unit and `2 * DECAY_ERROR` of the step.
fn toward_ceil(old: Fraction, new: Fraction, seconds: u32, half_life: u32) -> Result<Fraction> {
    let decay = exp2_neg(Fraction::from_integer(u64::from(seconds)).div_small_floor(half_life)?);
    if new > old {
        let weight = Fraction::ONE.sub_or_zero(decay.sub_or_zero(DECAY_ERROR));
        return old.checked_add(new.checked_sub(old)?.mul_ceil(weight)?);
    }
    let weight = Fraction::ONE.sub_or_zero(decay.checked_add(DECAY_ERROR)?);
    old.checked_sub(old.checked_sub(new)?.mul_floor(weight)?)
}

/// The square root, rounded up: never below, above by less than 2^-31 of itself and one unit in the last place.
///
/// Only the leading 63 or 64 bits are looked at: a root of one word takes native divisions, five here, where 128 bits
/// would take a wide division at each step (docs/decisions/0002).
fn sqrt_ceil(x: Fraction) -> Fraction {
    let bits = x.to_bits();
    if bits == 0 {
        return Fraction::ZERO;
    }
    // bits = (top + what is lost) * 2^(exponent - 64), where the exponent is even and in 2 to 128.
    let (top, exponent, lost) = match (word(bits >> 64), word(bits)) {
        (0, low) => {
            let zeros = even_leading_zeros(low);
            (low.wrapping_shl(zeros), 64u32.wrapping_sub(zeros), false)
        }
        (high, low) => {
            let zeros = even_leading_zeros(high);
            let top = high.wrapping_shl(zeros) | (low >> 1).wrapping_shr(63u32.wrapping_sub(zeros));
            (top, 128u32.wrapping_sub(zeros), low.wrapping_shl(zeros) != 0)
        }
    };
    let floor = sqrt_floor_of_top(top);
    // The root of what lies above a square is at most one above that square's.
    let ceil = floor.wrapping_add(u64::from(lost || floor.wrapping_mul(floor) != top));
    // The root of x is that of bits * 2^60 in bits, so that of top times 2^(exponent / 2 - 2), which may be a half: one
    // doubling more, and half of that rounded up.
    let doubled = u128::from(ceil).wrapping_shl((exponent >> 1).wrapping_sub(1));
    Fraction::from_bits(doubled.wrapping_add(1) >> 1)
}

/// The square root of `n`, rounded down. `n` is at least 2^62.
fn sqrt_floor_of_top(n: u64) -> u64 {
    let quotient = |root: u64| n.checked_div(root).unwrap_or_default();
    // For n = m * 2^62 the first guess is (m + 1.94) / 3 * 2^31, within 7.2 % for m in [1, 4). Newton's step squares the
    // error and halves it: 2.8e-3, 4e-6, 8e-12, or 0.04 of 2^32. In integers no step goes below the root rounded down, so
    // that the last is that or one more.
    let guess = (n >> 31) / 3;
    let mut root = guess.wrapping_add(1_388_706_092);
    for _ in 0..3 {
        root = root.wrapping_add(quotient(root)) >> 1;
    }
    root.wrapping_sub(u64::from(root > quotient(root)))
}

/// The largest even number of leading zeros to shift out of a number that is not zero.
fn even_leading_zeros(mut x: u64) -> u32 {
    let mut zeros = 0u32;
    for step in [32u32, 16, 8, 4, 2] {
        if x.wrapping_shr(64u32.wrapping_sub(step)) == 0 {
            x = x.wrapping_shl(step);
            zeros = zeros.wrapping_add(step);
        }
    }
    zeros
}

#[allow(clippy::cast_possible_truncation)] // keeps the low half, on purpose
const fn word(x: u128) -> u64 {
    x as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Real;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    const HOUR: u32 = 3_600;
    const DAY: u32 = 86_400;
    const TERMS: VolatilityTerms = VolatilityTerms {
        min_interval: 60,
        half_life: 6 * HOUR,
        max_return_bps: 2_000,
        multiple_bps: 30_000,
        horizon: HOUR,
    };
    const START: i64 = 1_800_000_000;

    fn price(dollars: u64) -> UnitPrice {
        UnitPrice::from_bits(u128::from(dollars) << 80)
    }

    fn any_price() -> impl Strategy<Value = UnitPrice> {
        prop_oneof![
            (any::<u128>(), 0u32..128).prop_map(|(x, s)| UnitPrice::from_bits(x >> s)),
            (0u128..4).prop_map(UnitPrice::from_bits),
            (0u128..4).prop_map(|x| UnitPrice::from_bits(u128::MAX - x)),
        ]
    }

    fn any_fraction() -> impl Strategy<Value = Fraction> {
        (any::<u128>(), 0u32..128).prop_map(|(x, s)| Fraction::from_bits(x >> s))
    }

    fn at_rest(variance: Fraction) -> Volatility {
        Volatility { price: price(100), sampled_at: START, variance }
    }

    fn exact_return(p0: UnitPrice, p1: UnitPrice) -> Real {
        let sum = BigUint::from(p0.to_bits()) + p1.to_bits();
        if sum == BigUint::ZERO {
            return Real::integer(0);
        }
        Real::ratio(BigUint::from(p0.to_bits().abs_diff(p1.to_bits())) * 2u32, sum)
    }

    /// The formulas at the head of the module, to 256 bits.
    fn exact_sample(variance: &Real, p0: UnitPrice, p1: UnitPrice, dt: u32, terms: &VolatilityTerms) -> Real {
        let r = exact_return(p0, p1).min(Real::bps(terms.max_return_bps));
        let v = &r * &r / Real::integer(dt);
        let decay = Real::ratio(dt, terms.half_life).exp2_neg();
        variance * &decay + v * (Real::integer(1) - decay)
    }

    #[test]
    fn the_first_sample_only_stores_the_price() {
        let mut volatility = Volatility::UNSAMPLED;
        assert_eq!(volatility.deviation(&TERMS), Ok(Fraction::ZERO));
        assert_eq!(volatility.sample(price(7), START, &TERMS), Ok(true));
        assert_eq!(volatility, Volatility { price: price(7), sampled_at: START, variance: Fraction::ZERO });
    }

    #[test]
    fn samples_keep_their_distance() {
        let before = at_rest(Fraction::EPSILON);
        for published_at in [i64::MIN, 0, START - 1, START, START + 59] {
            let mut volatility = before;
            assert_eq!(volatility.sample(price(1), published_at, &TERMS), Ok(false));
            assert_eq!(volatility, before);
        }
        let mut volatility = before;
        assert_eq!(volatility.sample(price(1), START + 60, &TERMS), Ok(true));
        assert_eq!((volatility.price, volatility.sampled_at), (price(1), START + 60));
        // Not even a minimum of zero samples one moment twice.
        let mut volatility = before;
        assert_eq!(volatility.sample(price(1), START, &VolatilityTerms { min_interval: 0, ..TERMS }), Ok(false));
    }

    #[test]
    fn a_failure_changes_nothing() {
        let mut volatility = at_rest(Fraction::EPSILON);
        let terms = VolatilityTerms { half_life: 0, ..TERMS };
        assert_eq!(volatility.sample(price(1), START + 60, &terms), Err(RiskError::DivisionByZero));
        assert_eq!(volatility, at_rest(Fraction::EPSILON));
    }

    #[test]
    fn a_multiple_of_zero_switches_it_off() {
        let off = VolatilityTerms::default();
        let mut volatility = Volatility::UNSAMPLED;
        assert_eq!(volatility.sample(price(1), START, &off), Ok(false));
        assert_eq!(volatility, Volatility::UNSAMPLED);
        assert_eq!(at_rest(Fraction::MAX).deviation(&off), Ok(Fraction::ZERO));
    }

    #[test]
    fn a_move_of_one_percent_an_hour() {
        // 100 to 101 within an hour: r = 2/201, v = r^2 / 3600, and the weight 1 - 2^(-1/6) = 0.10910128.
        let mut volatility = at_rest(Fraction::ZERO);
        volatility.sample(price(101), START + 3_600, &TERMS).unwrap();
        let near = |actual: Fraction, expected: u128| {
            assert!(actual.to_bits().abs_diff(expected) <= expected / 100_000_000, "{actual:?}");
        };
        near(volatility.variance, 3_459_353_702);
        // Three deviations over an hour: 3 * sqrt(0.10910) * 0.99502 % = 0.98598 %.
        near(volatility.deviation(&TERMS).unwrap(), 11_367_628_166_243_863);
    }

    #[test]
    fn a_multiple_rounds_up() {
        // sqrt(2^-8 * 64) is exactly a half.
        let terms = VolatilityTerms { multiple_bps: 1, horizon: 64, ..TERMS };
        let deviation = at_rest(Fraction::from_bits(1 << 52)).deviation(&terms).unwrap();
        assert!(Real::ratio(1, 20_000).excess_of(deviation) <= Real::units(1));
    }

    #[test]
    fn a_jump_counts_at_most_as_the_largest_return() {
        let after = |p: UnitPrice| {
            let mut volatility = at_rest(Fraction::ZERO);
            volatility.sample(p, START + 60, &TERMS).unwrap();
            volatility.variance
        };
        // 9 to 11 is a return of exactly 20 %, which is the clip.
        assert_eq!(after(price(100)), Fraction::ZERO);
        let clipped = after(price(1_000_000));
        assert_eq!(after(UnitPrice::ZERO), clipped);
        assert_eq!(after(UnitPrice::from_bits(u128::MAX)), clipped);
        assert_eq!(after(price(123)), clipped);
        assert!(after(price(122)) < clipped);
        let exact = exact_sample(&Real::integer(0), price(9), price(11), 60, &TERMS);
        assert!(exact.excess_of(clipped) <= Real::units(3));
    }

    /// Prices that the feed did not publish for a month are one return over a month, not a month of returns.
    #[test]
    fn a_long_gap_does_not_explode() {
        for gap in [30 * i64::from(DAY), i64::from(u32::MAX), i64::MAX - START] {
            let mut volatility = at_rest(Fraction::ratio_floor(1, 1_000).unwrap());
            volatility.sample(price(200), START + gap, &TERMS).unwrap();
            let seconds = u32::try_from(gap).unwrap_or(u32::MAX);
            // The clip of 20 %, squared.
            let exact = Real::ratio(4, 100 * u64::from(seconds));
            assert!(exact.excess_of(volatility.variance) <= Real::units(4), "{gap}");
        }
    }

    #[test]
    fn a_constant_price_halves_the_variance_with_the_half_life() {
        let start = Fraction::ratio_floor(1, 1_000_000).unwrap();
        for parts in [1, 4, 60, 360] {
            let mut volatility = at_rest(start);
            for n in 1..=parts {
                let elapsed = i64::from(n * (TERMS.half_life / parts));
                volatility.sample(price(100), START + elapsed, &TERMS).unwrap();
            }
            let excess = (Real::from(start) / Real::integer(2)).excess_of(volatility.variance);
            assert!(excess <= Real::units(parts), "{parts}: {:e}", excess.to_f64());
        }
        // 200 half-lives later nothing is left that a fraction can halve.
        let mut volatility = at_rest(start);
        for n in 1..=200 {
            volatility.sample(price(100), START + n * i64::from(TERMS.half_life), &TERMS).unwrap();
        }
        assert!(volatility.variance <= Fraction::from_bits(2), "{:?}", volatility.variance);
    }

    /// What the documentation says that is left of a variance at the head of this module, at the worst terms that
    /// `config` allows and at usual ones.
    #[test]
    fn what_remains_of_a_variance_is_small() {
        for (min_interval, half_life, max_bits) in [(60, DAY, 2_200u128), (10, 30 * DAY, 400_000)] {
            let terms = VolatilityTerms { min_interval, half_life, ..TERMS };
            let mut volatility = at_rest(Fraction::from_bits(max_bits * 4));
            for n in 1..=10_000_000i64 {
                let before = volatility.variance;
                volatility.sample(price(100), START + n * i64::from(min_interval), &terms).unwrap();
                if before == volatility.variance {
                    break;
                }
            }
            assert!(volatility.variance.to_bits() < max_bits, "{:?}", volatility.variance);
        }
    }

    /// A path whose every return has the variance v for its duration measures v from the first sample on, and
    /// approaches it from elsewhere by the same exponential, whatever the intervals.
    #[test]
    fn a_steady_path_measures_the_same_however_it_is_sampled() {
        // 5 % a day.
        let v = Real::ratio(25, 10_000 * u64::from(DAY));
        let two = Real::integer(2);
        // After four half-lives: v + (3 v - v) / 16.
        let expected = (&v * Real::ratio(9, 8)).floor().to_bits();
        for intervals in
            [&[60u32][..], &[60, 75, 61, 104], &[300], &[3_600], &[21_600], &[60, 3_540, 600, 3_000], &[43_200]]
        {
            let mut volatility = at_rest((&v * Real::integer(3)).floor());
            let mut up = true;
            for dt in intervals.iter().cycle() {
                if volatility.sampled_at == START + i64::from(DAY) {
                    break;
                }
                // p1 = p0 (2 + r) / (2 - r), alternating in direction.
                let r = (&v * Real::integer(*dt)).sqrt();
                let (more, less) = (&two + &r, &two - &r);
                let ratio = if up { more / less } else { less / more };
                up = !up;
                let next = Real::from(Fraction::from_bits(volatility.price.to_bits())) * ratio;
                let next = UnitPrice::from_bits(next.floor().to_bits());
                assert_eq!(volatility.sample(next, volatility.sampled_at + i64::from(*dt), &TERMS), Ok(true));
            }
            let error = volatility.variance.to_bits().abs_diff(expected);
            assert!(error <= expected / 100_000_000, "{intervals:?}: {error} of {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn returns_round_up(p0 in any_price(), p1 in any_price()) {
            let r = return_ceil(p0, p1).unwrap();
            prop_assert!(exact_return(p0, p1).excess_of(r) <= Real::units(1));
            prop_assert!(r <= Fraction::from_integer(2));
            prop_assert_eq!(Ok(r), return_ceil(p1, p0));
        }

        #[test]
        fn nothing_overflows(p0 in any_price(), p1 in any_price(), variance in any_fraction(), gap in 1i64..,
            half_life in 1u32.., max_return_bps in any::<u32>(), horizon in any::<u32>())
        {
            let terms = VolatilityTerms { min_interval: 1, half_life, max_return_bps, multiple_bps: 1, horizon };
            let mut volatility = Volatility { price: p0, sampled_at: 1, variance };
            prop_assert_eq!(volatility.sample(p1, gap.saturating_add(1), &terms), Ok(true));
            prop_assert!(volatility.variance <= variance.max(Fraction::from_integer(5)));
            prop_assert!(volatility.deviation(&terms).unwrap() <= Fraction::ONE);
        }

        /// By itself, with numbers so large that an error of the weight shows.
        #[test]
        fn averages_round_up(old in any_fraction(), new in any_fraction(), seconds in 1u32.., half_life in 1u32..,
            shift in 0u32..32)
        {
            let (old, new) = (Fraction::from_bits(old.to_bits() >> 1), Fraction::from_bits(new.to_bits() >> 1));
            let seconds = seconds >> shift;
            let decay = Real::ratio(seconds, half_life).exp2_neg();
            let exact = Real::from(old) * &decay + Real::from(new) * (Real::integer(1) - decay);
            let gap = Real::from(Fraction::from_bits(old.to_bits().abs_diff(new.to_bits())));
            let average = toward_ceil(old, new, seconds, half_life).unwrap();
            prop_assert!(exact.excess_of(average) <= Real::units(2) + gap * Real::units(4));
        }

        #[test]
        fn roots_round_up(x in any_fraction(), square in any::<u32>()) {
            // Squares, and what is next to them, also below the bits that are looked at.
            let square = u128::from(square).pow(2);
            for x in [x.to_bits(), square, square + 1, square << 64, (square << 64) + 1].map(Fraction::from_bits) {
                let scaled = BigUint::from(x.to_bits()) << Fraction::BITS;
                let mut exact = scaled.sqrt();
                exact += u32::from(&exact * &exact != scaled);
                let root = BigUint::from(sqrt_ceil(x).to_bits());
                prop_assert!(root >= exact);
                prop_assert!(&root - &exact <= (&exact >> 31u32) + 1u32, "{} {}", root, exact);
            }
        }

        #[test]
        fn roots_of_words_are_exact(n in 1u64 << 62.., root in 1u64 << 31..1 << 32) {
            let square = root * root;
            for n in [n, square, square + 1, (square - 1).max(1 << 62), u64::MAX, 1 << 62] {
                let floor = sqrt_floor_of_top(n);
                prop_assert!(floor * floor <= n);
                prop_assert!(u128::from(floor + 1).pow(2) > u128::from(n));
            }
        }

        #[test]
        fn roots_and_deviations_never_fall(a in any_fraction(), b in any_fraction()) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(sqrt_ceil(low) <= sqrt_ceil(high));
            prop_assert!(at_rest(low).deviation(&TERMS).unwrap() <= at_rest(high).deviation(&TERMS).unwrap());
        }

        #[test]
        fn deviations_round_up(variance in 0u128..1 << 56, multiple_bps in 1u32..=200_000, horizon in 60u32..=86_400) {
            let terms = VolatilityTerms { multiple_bps, horizon, ..TERMS };
            let deviation = at_rest(Fraction::from_bits(variance)).deviation(&terms).unwrap();
            let root = (Real::from(Fraction::from_bits(variance)) * Real::integer(horizon)).sqrt();
            let exact = (root * Real::bps(multiple_bps)).min(Real::integer(1));
            prop_assert!(exact.excess_of(deviation) <= &exact * Real::two_to_minus(31) + Real::units(64));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Against the formulas in 256 bits: never below, above by no more than documented.
        #[test]
        fn a_series_measures_what_the_formulas_say(
            steps in proptest::collection::vec((10u32..200_000, 1u64..200_000, 0u32..17), 1..40),
            half_life in 60u32..=30 * DAY, max_return_bps in 1u32..=5_000,
        ) {
            let terms = VolatilityTerms { min_interval: 10, half_life, max_return_bps, ..TERMS };
            let mut volatility = at_rest(Fraction::ZERO);
            let (mut exact, mut least_weight) = (Real::integer(0), Real::integer(1));
            for (dt, change, shift) in steps {
                // By up to 10 % either way.
                let millionths = 1_000_000 - (100_000 >> shift) + (change >> shift);
                let p1 = UnitPrice::from_bits(volatility.price.to_bits() / 1_000_000 * u128::from(millionths));
                exact = exact_sample(&exact, volatility.price, p1, dt, &terms);
                volatility.sample(p1, volatility.sampled_at + i64::from(dt), &terms).unwrap();
                least_weight = least_weight.min(Real::integer(1) - Real::ratio(dt, half_life).exp2_neg());
                let allowed = Real::units(2) + Real::units(14) / (&least_weight * Real::integer(10));
                prop_assert!(exact.excess_of(volatility.variance) <= allowed);
            }
        }
    }

    /// To a millionth, for an asset that moves half a percent a day, which is less than most do.
    #[test]
    fn a_year_of_samples_stays_near_the_formulas() {
        let terms = VolatilityTerms { min_interval: 60, half_life: DAY, ..TERMS };
        let mut volatility = at_rest(Fraction::ZERO);
        let (mut exact, mut noise) = (Real::integer(0), 1u64);
        for n in 0..20_000 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let dt = 60 + ((noise >> 33) % 3_000) as u32;
            let tenths_of_bps = (noise >> 40) % 200;
            let p1 = volatility.price.to_bits() / 100_000 * u128::from(100_000 - 100 + tenths_of_bps);
            let p1 = UnitPrice::from_bits(p1);
            exact = exact_sample(&exact, volatility.price, p1, dt, &terms);
            volatility.sample(p1, volatility.sampled_at + i64::from(dt), &terms).unwrap();
            let excess = exact.excess_of(volatility.variance);
            assert!(n < 100 || excess * Real::integer(1_000_000) <= exact, "{n}");
        }
    }

    #[test]
    fn known_roots() {
        for root in [1u64, 2, 3, 10, 1_000_000] {
            assert_eq!(sqrt_ceil(Fraction::from_integer(root * root)), Fraction::from_integer(root));
        }
        assert_eq!(sqrt_ceil(Fraction::ZERO), Fraction::ZERO);
        assert_eq!(sqrt_ceil(Fraction::EPSILON), Fraction::from_bits(1 << 30));
        assert_eq!(sqrt_ceil(Fraction::MAX), Fraction::from_bits(1 << 94));
    }
}
