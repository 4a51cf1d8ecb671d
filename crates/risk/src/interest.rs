//! Interest: the rate curves, the rate in force, and compounding by the continuous Taylor form.

use crate::error::Result;
use crate::exp::{exp_ceil, ln_floor, phi_ceil};
use crate::fraction::Fraction;

mod adaptive;
#[cfg(test)]
mod year;

pub use adaptive::AdaptiveCurve;
#[cfg(test)]
pub(crate) use adaptive::tests::{CURVE as ADAPTIVE, any_curve};

/// Seconds of the year in which rates are quoted: 365 days.
pub const SECONDS_PER_YEAR: u32 = 31_536_000;

const THREE: Fraction = Fraction::from_integer(3);

/// A kinked curve: yearly borrow rates, in basis points.
///
/// The rate is `base` at zero utilization, rises linearly to `base + slope` at `optimal_utilization`, and from there
/// linearly by `excess_slope` to full utilization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateCurve {
    /// Rate at zero utilization.
    pub base_bps: u32,
    /// What the rate rises up to the optimal utilization.
    pub slope_bps: u32,
    /// What it rises beyond that, at full utilization.
    pub excess_slope_bps: u32,
    /// Where the curve bends: above 0, below 10,000.
    pub optimal_utilization_bps: u32,
}

impl RateCurve {
    /// The yearly borrow rate at `utilization`, in [0, 1] (above 1 counts as 1), rounded up to within 2^-57.
    pub fn rate(&self, utilization: Fraction) -> Result<Fraction> {
        let utilization = utilization.min(Fraction::ONE);
        let optimal = Fraction::from_bps_floor(self.optimal_utilization_bps);
        let base = Fraction::from_bps_ceil(self.base_bps);
        let slope = Fraction::from_bps_ceil(self.slope_bps);
        if utilization <= optimal {
            return base.checked_add(slope.mul_ceil(utilization.div_ceil(optimal)?)?);
        }
        let excess = utilization.checked_sub(optimal)?.div_ceil(Fraction::ONE.checked_sub(optimal)?)?;
        base.checked_add(slope)?.checked_add(Fraction::from_bps_ceil(self.excess_slope_bps).mul_ceil(excess)?)
    }
}

/// How a pool's rate follows from its utilization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateModel {
    /// By utilization alone.
    Kinked(RateCurve),
    /// By utilization, around a rate that follows demand.
    Adaptive(AdaptiveCurve),
}

impl Default for RateModel {
    fn default() -> Self {
        Self::Kinked(RateCurve::default())
    }
}

impl RateModel {
    /// The highest yearly borrow rate that this can ever come to: at full utilization and, of an adaptive curve, at the
    /// largest rate at target. Never below what [`Self::reprice`] says of any utilization and any rate before, nor below
    /// what a drift makes of that.
    ///
    /// # Errors
    /// As [`Self::reprice`].
    pub fn highest_rate(&self) -> Result<Fraction> {
        match self {
            Self::Kinked(curve) => curve.rate(Fraction::ONE),
            Self::Adaptive(curve) => curve.rate(Fraction::from_bps_ceil(curve.max_rate_at_target_bps), Fraction::ONE),
        }
    }

    /// The rate that holds from now on at `utilization`, in [0, 1] (above 1 counts as 1), after `before` held.
    ///
    /// The rate at target is carried on, moved into its bounds; a pool that has none, as a new one or one that had a
    /// kinked curve, starts at the initial one. Rounded up as [`RateCurve::rate`] and [`AdaptiveCurve::rate`] are.
    ///
    /// # Errors
    /// None for terms within the bounds of [`crate::config`].
    pub fn reprice(&self, before: &Rate, utilization: Fraction) -> Result<Rate> {
        match self {
            Self::Kinked(curve) => Ok(Rate { borrow: curve.rate(utilization)?, ..Rate::ZERO }),
            Self::Adaptive(curve) => curve.reprice(before.at_target, utilization),
        }
    }
}

/// How the rate at target moves while nobody touches the pool: `d ln(rate) / dt`, up to a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// What the logarithm of the rate moves by in a year; zero when it stands still.
    pub yearly: Fraction,
    /// Downwards.
    pub falling: bool,
    /// The yearly borrow rate beyond which it does not move.
    pub borrow_limit: Fraction,
    /// The yearly rate at target beyond which it does not move.
    pub at_target_limit: Fraction,
}

impl Drift {
    /// A rate that stands still.
    pub const NONE: Self =
        Self { yearly: Fraction::ZERO, falling: false, borrow_limit: Fraction::ZERO, at_target_limit: Fraction::ZERO };

    /// What the logarithm moves by in `seconds`, rounded towards the higher rate. What does not fit is beyond any bound.
    fn over(&self, seconds: u64) -> Fraction {
        let Ok(product) = self.yearly.mul_integer(seconds) else { return Fraction::MAX };
        let quotient = if self.falling {
            product.div_small_floor(SECONDS_PER_YEAR)
        } else {
            product.div_small_ceil(SECONDS_PER_YEAR)
        };
        quotient.unwrap_or(Fraction::MAX)
    }

    fn limited(&self, rate: Fraction, limit: Fraction) -> Fraction {
        if self.falling { rate.max(limit) } else { rate.min(limit) }
    }
}

/// The rate of a pool since its last change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Yearly borrow rate at the moment up to which interest is accrued.
    pub borrow: Fraction,
    /// Yearly rate at target at that moment; zero with a kinked curve.
    pub at_target: Fraction,
    /// How both move from there; [`Drift::NONE`] with a kinked curve, at the target, and at a bound.
    pub drift: Drift,
}

impl Rate {
    /// No interest.
    pub const ZERO: Self = Self { borrow: Fraction::ZERO, at_target: Fraction::ZERO, drift: Drift::NONE };

    /// What a debt grows by in `seconds`, as a part of it: [`growth_ceil`] at the average rate. A rate that stands still
    /// costs one compounding; one that drifts, a [`phi_ceil`] and two products more; one that meets its limit on the way, a
    /// logarithm besides.
    ///
    /// # Errors
    /// `Overflow` after thousands of years at the largest rate.
    #[inline]
    pub fn growth_ceil(&self, seconds: u64) -> Result<Fraction> {
        growth_ceil(self.average_ceil(seconds)?, seconds)
    }

    /// The average of the yearly borrow rate over the next `seconds`, while it moves as [`Self::after`] says, up to its
    /// limit and no further. Rounded up, by less than 2^-55 of the highest rate in that time and 2^-58; never above the
    /// limit when rising, nor above the present rate when falling.
    ///
    /// # Errors
    /// `Overflow` for a state that no terms within the bounds of [`crate::config`] lead to.
    #[inline]
    pub fn average_ceil(&self, seconds: u64) -> Result<Fraction> {
        if self.drift.yearly.is_zero() { Ok(self.borrow) } else { self.drifting_average_ceil(seconds) }
    }

    /// Of a rate r that becomes `r e^y` or `r e^-y`: `r phi(y)` ([`phi_ceil`]).
    ///
    /// Out of line, so that a rate that stands still pays nothing for it.
    #[inline(never)]
    fn drifting_average_ceil(&self, seconds: u64) -> Result<Fraction> {
        let (y, limit) = (self.drift.over(seconds), self.drift.borrow_limit);
        let average = self.drift.limited(self.borrow.mul_ceil(phi_ceil(y, self.drift.falling)?)?, limit);
        let room = if self.drift.falling { self.borrow.sub_or_zero(limit) } else { limit.sub_or_zero(self.borrow) };
        // What an exponential moved by is its integral: r phi(y) y = |r e^y - r|.
        match y.mul_ceil(average) {
            Ok(moved) if moved <= room => Ok(average),
            _ => self.limited_average_ceil(y, average),
        }
    }

    /// The same where the rate r meets its limit l on the way, after L = |ln (l / r)| of y: the mean m up to there, which is
    /// `r phi(L)`, and l from there on, so that the average is `l + (m - l) L / y`.
    ///
    /// L is known to within 3 units in the last place, to less than it is. At L the rate is l, so that this moves the
    /// result by a square only: down by less than `5 u^2 l / y`, and only when falling. Both forms touch at y = L without
    /// crossing, so that it makes no difference which one is taken within a few units of it.
    #[cold]
    #[inline(never)]
    fn limited_average_ceil(&self, y: Fraction, unlimited: Fraction) -> Result<Fraction> {
        let (rate, limit) = (self.borrow, self.drift.borrow_limit);
        let until = ln_floor(if self.drift.falling { rate.div_floor(limit)? } else { limit.div_floor(rate)? });
        if y < until {
            return Ok(unlimited);
        }
        let mean = rate.mul_ceil(phi_ceil(until, self.drift.falling)?)?;
        if self.drift.falling {
            let above = mean.sub_or_zero(limit).mul_ceil(until.div_ceil(y)?)?;
            // y is at least one unit.
            let lost = limit.mul_ceil(Fraction::from_bits(5))?;
            return Ok(limit.checked_add(above)?.checked_add(lost)?.min(rate.max(limit)));
        }
        let below = limit.sub_or_zero(mean).mul_floor(until.div_floor(y)?)?;
        Ok(limit.sub_or_zero(below).min(unlimited))
    }

    /// The state after `seconds` at the same utilization: both rates moved by e^y, rounded up, up to their limits. How
    /// many steps it takes changes nothing but roundings, of 2^-58 a step.
    ///
    /// # Errors
    /// `Overflow` for a state that no terms within the bounds of [`crate::config`] lead to.
    pub fn after(&self, seconds: u64) -> Result<Self> {
        if self.drift.yearly.is_zero() {
            return Ok(*self);
        }
        let drift = self.drift;
        let factor = exp_ceil(drift.over(seconds), drift.falling);
        Ok(Self {
            borrow: drift.limited(self.borrow.mul_ceil(factor)?, drift.borrow_limit),
            at_target: drift.limited(self.at_target.mul_ceil(factor)?, drift.at_target_limit),
            drift,
        })
    }
}

/// `e^x - 1` for `x = rate * seconds / year`, by the Taylor series to third order, rounded up.
///
/// Source: Aave and Morpho compound the same way (Morpho `MathLib.wTaylorCompounded`). The series is below `e^x - 1` by
/// at most `x^4 / 24` of `e^x`, the debt with its interest: 2.4e-12 for a day at 100 %, 2.4e-8 for one at 1,000 %.
pub fn growth_ceil(yearly_rate: Fraction, seconds: u64) -> Result<Fraction> {
    let x = yearly_rate.mul_integer(seconds)?.div_small_ceil(SECONDS_PER_YEAR)?;
    // x + x^2 / 2 + x^3 / 6, with one division less.
    let tail = x.mul_ceil(x)?.mul_ceil(x.checked_add(THREE)?)?.div_small_ceil(6)?;
    x.checked_add(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Real;
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use proptest::prelude::*;

    const CURVE: RateCurve =
        RateCurve { base_bps: 100, slope_bps: 900, excess_slope_bps: 9_000, optimal_utilization_bps: 8_000 };

    fn near(actual: Fraction, bps: u32) {
        let exact = Fraction::from_bps_floor(bps);
        assert!(
            actual >= exact && actual.checked_sub(exact).unwrap() <= Fraction::from_bits(16),
            "{actual:?} against {exact:?}"
        );
    }

    #[test]
    fn the_curve_bends_at_optimal_utilization() {
        let at = |bps| CURVE.rate(Fraction::from_bps_floor(bps)).unwrap();
        near(at(0), 100);
        near(at(4_000), 550);
        near(at(8_000), 1_000);
        near(at(9_000), 5_500);
        near(at(10_000), 10_000);
        near(at(20_000), 10_000);
    }

    #[test]
    fn the_smallest_rates_are_rounded_up() {
        let unit = Fraction::EPSILON;
        // 4 / 3 of a unit.
        let curve = RateCurve { base_bps: 0, slope_bps: 10_000, excess_slope_bps: 0, optimal_utilization_bps: 7_500 };
        assert_eq!(curve.rate(unit), Ok(Fraction::from_bits(2)));
        let model = RateModel::Adaptive(AdaptiveCurve { max_rate_at_target_bps: 1, ..ADAPTIVE });
        assert!(Real::from(model.highest_rate().unwrap()) >= &Real::bps(1) * &Real::bps(ADAPTIVE.steepness_bps));
    }

    #[test]
    fn averages_of_a_few_units_are_rounded_up() {
        let rising = |borrow, limit| {
            let [borrow, limit] = [borrow, limit].map(Fraction::from_bits);
            let drift = Drift { yearly: Fraction::ONE, falling: false, borrow_limit: limit, at_target_limit: limit };
            Rate { borrow, at_target: borrow, drift }
        };
        // e - 1 = 1.7 units on average, and 2.7 at the end.
        let rate = rising(1, 9);
        assert_eq!(rate.average_ceil(SECONDS_PER_YEAR.into()), Ok(Fraction::from_bits(2)));
        let after = rate.after(SECONDS_PER_YEAR.into()).unwrap();
        assert_eq!([after.borrow, after.at_target], [3, 3].map(Fraction::from_bits));
        // From 50 to 100 in ln 2 of a year: 50 / ln 2 = 72.1 on average.
        let until = (Real::ln_2().to_f64() * f64::from(SECONDS_PER_YEAR)).ceil() as u64;
        assert_eq!(rising(50, 100).average_ceil(until), Ok(Fraction::from_bits(73)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn the_curve_never_falls(a in 0u64..=1 << 60, b in 0u64..=1 << 60) {
            let (a, b) = (a.min(b), a.max(b));
            let rate = |u: u64| CURVE.rate(Fraction::from_bits(u128::from(u))).unwrap();
            prop_assert!(rate(a) <= rate(b));
        }

        /// Never below the exact polynomial, and above it by a few units in the last place.
        #[test]
        fn growth_rounds_up(rate_bps in 0u32..=100_000, seconds in 0u64..=31_536_000) {
            let rate = Fraction::from_bps_floor(rate_bps);
            let actual = Ratio::from(BigUint::from(growth_ceil(rate, seconds).unwrap().to_bits()));
            let one = BigUint::from(Fraction::ONE.to_bits());
            let x = Ratio::new(BigUint::from(rate.to_bits()) * seconds, &one * SECONDS_PER_YEAR);
            let polynomial = &x + &x * &x / BigUint::from(2u32) + &x * &x * &x / BigUint::from(6u32);
            let exact = polynomial * one;
            prop_assert!(actual >= exact);
            // Each of the five roundings is off by less than one, the first magnified by the derivative (at most 61).
            prop_assert!(actual - exact <= Ratio::from(BigUint::from(256u32)));
        }
    }

    /// Known results, bit for bit: a change of them would change every pool on the chain.
    #[test]
    fn the_kinked_curve_is_what_it_was() {
        for (utilization, seconds, rate, growth) in [
            (0, 1, 11_529_215_046_068_470, 365_589_012),
            (1 << 59, 400, 76_381_049_680_203_613, 968_811_285_796),
            (922_337_203_685_477_580, 3_600, 115_292_150_460_684_698, 13_161_279_511_806),
            (1_037_629_354_146_162_304, 86_400, 634_106_827_533_765_955, 1_738_588_545_807_557),
            (1 << 60, 31_536_000, 1_152_921_504_606_846_977, 1_921_535_841_011_411_630),
        ] {
            let before = Rate { borrow: Fraction::ONE, ..Rate::ZERO };
            let state = RateModel::Kinked(CURVE).reprice(&before, Fraction::from_bits(utilization)).unwrap();
            assert_eq!(state, Rate { borrow: Fraction::from_bits(rate), ..Rate::ZERO });
            assert_eq!(state.growth_ceil(seconds), Ok(Fraction::from_bits(growth)));
            assert_eq!(state.after(seconds), Ok(state));
        }
    }

    #[test]
    fn a_model_may_be_exchanged() {
        let half = Fraction::from_bps_floor(5_000);
        let adaptive = RateModel::Adaptive(ADAPTIVE).reprice(&Rate::ZERO, half).unwrap();
        assert_eq!(adaptive.at_target, Fraction::from_bps_ceil(400));
        let kinked = RateModel::Kinked(CURVE).reprice(&adaptive, half).unwrap();
        assert_eq!(kinked, Rate { borrow: CURVE.rate(half).unwrap(), ..Rate::ZERO });
        assert_eq!(RateModel::Adaptive(ADAPTIVE).reprice(&kinked, half), Ok(adaptive));
    }

    proptest! {
        #[test]
        fn drifts_favour_suppliers(yearly in 0u128..100 << 60, falling in any::<bool>(), seconds in 0u64..1 << 32) {
            let drift = Drift { yearly: Fraction::from_bits(yearly), falling, ..Drift::NONE };
            let (product, year) = (yearly * u128::from(seconds), u128::from(SECONDS_PER_YEAR));
            let expected = if falling { product / year } else { product.div_ceil(year) };
            prop_assert_eq!(drift.over(seconds), Fraction::from_bits(expected));
        }
    }

    #[test]
    fn any_time_has_a_rate() {
        for utilization in [Fraction::ZERO, Fraction::ONE] {
            let rate = RateModel::Adaptive(ADAPTIVE).reprice(&Rate::ZERO, utilization).unwrap();
            assert_ne!(rate.drift, Drift::NONE);
            assert_eq!(rate.average_ceil(0), Ok(rate.borrow));
            assert_eq!(rate.after(0), Ok(rate));
            assert_eq!(rate.growth_ceil(0), Ok(Fraction::ZERO));
            let average = rate.average_ceil(u64::MAX).unwrap();
            assert!(average.to_bits().abs_diff(rate.drift.borrow_limit.to_bits()) < 1 << 16, "{average:?}");
            assert_eq!(rate.after(u64::MAX).unwrap().at_target, rate.drift.at_target_limit);
        }
    }

    #[test]
    fn no_time_no_interest() {
        assert_eq!(growth_ceil(Fraction::from_bps_floor(100_000), 0), Ok(Fraction::ZERO));
        assert_eq!(growth_ceil(Fraction::ZERO, u64::MAX), Ok(Fraction::ZERO));
    }
}
