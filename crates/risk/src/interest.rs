//! Interest: the rate curve, and compounding by the continuous Taylor form.

use crate::error::Result;
use crate::fraction::Fraction;

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

/// `e^x - 1` for `x = rate * seconds / year`, by the Taylor series to third order, rounded up.
///
/// Source: Aave and Morpho compound the same way (Morpho `MathLib.wTaylorCompounded`). The series is below `e^x - 1` by
/// x^4 / 24: under 1e-12 relative for any rate up to 100 % compounded within the day.
pub fn growth_ceil(yearly_rate: Fraction, seconds: u64) -> Result<Fraction> {
    let x = yearly_rate.mul_integer(seconds)?.div_small_ceil(SECONDS_PER_YEAR)?;
    // x + x^2 / 2 + x^3 / 6, with one division less.
    let tail = x.mul_ceil(x)?.mul_ceil(x.checked_add(THREE)?)?.div_small_ceil(6)?;
    x.checked_add(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn no_time_no_interest() {
        assert_eq!(growth_ceil(Fraction::from_bps_floor(100_000), 0), Ok(Fraction::ZERO));
        assert_eq!(growth_ceil(Fraction::ZERO, u64::MAX), Ok(Fraction::ZERO));
    }
}
