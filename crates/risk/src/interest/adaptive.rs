//! The adaptive curve: a kink whose height follows the demand for loans.

use super::{Drift, Rate};
use crate::config::ONE_BPS;
use crate::error::{Result, RiskError};
use crate::fraction::Fraction;

/// A curve through a *rate at target* that moves: up while more than the target is lent, down while less is.
///
/// With the error `e` of a utilization, its distance from the target as a part of the way to 1 (above it) or to 0
/// (below it), in [0, 1]:
///
/// ```text
/// borrow rate = rate at target * (1 + (C - 1) * e)      above the target: up to C times
/// borrow rate = rate at target * (1 - (1 - 1/C) * e)    below it: down to 1/C times
/// d ln(rate at target) / dt = speed * e above, -speed * e below, and 0 at a bound that it would cross
/// ```
///
/// Source: Morpho's AdaptiveCurveIrm, which averages the rate over a period by a trapezium of three points. Here the
/// average is that of the exponential: how often interest is accrued does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdaptiveCurve {
    /// The target: above 0, below 10,000.
    pub optimal_utilization_bps: u32,
    /// C, how many times the rate at target the rate at full utilization is: 40,000 for four times.
    pub steepness_bps: u32,
    /// What the logarithm of the rate at target moves by in a year at an error of 1: 500,000 for 50.
    pub speed_bps: u32,
    /// Least yearly rate at target: above 0, or it could not rise again.
    pub min_rate_at_target_bps: u32,
    /// Largest yearly rate at target.
    pub max_rate_at_target_bps: u32,
    /// Yearly rate at target from which a pool starts.
    pub initial_rate_at_target_bps: u32,
}

/// Where a utilization stands on the curve.
struct Point {
    /// Borrow rate / rate at target, rounded up.
    multiple: Fraction,
    /// Of the logarithm of the rate at target, per year; rounded towards the higher rate.
    drift: Fraction,
    /// Whether the utilization is below the target.
    below: bool,
}

impl AdaptiveCurve {
    /// The yearly borrow rate at `utilization`, in [0, 1] (above 1 counts as 1), for a yearly rate `at_target`; rounded
    /// up, for terms within the bounds of [`crate::config`] by less than
    /// `at_target * 2^-56 / min(target, 1 - target) + 2^-60`.
    ///
    /// # Errors
    /// `DivisionByZero` or `Underflow` for a target or a steepness outside of the bounds.
    pub fn rate(&self, at_target: Fraction, utilization: Fraction) -> Result<Fraction> {
        at_target.mul_ceil(self.point(utilization)?.multiple)
    }

    /// The state that holds from now on, at `utilization` as in [`Self::rate`], after one whose rate at target was
    /// `at_target`; zero stands for a pool that had none yet.
    pub(super) fn reprice(&self, at_target: Fraction, utilization: Fraction) -> Result<Rate> {
        let min = Fraction::from_bps_ceil(self.min_rate_at_target_bps);
        let max = Fraction::from_bps_ceil(self.max_rate_at_target_bps);
        let initial = Fraction::from_bps_ceil(self.initial_rate_at_target_bps);
        // A bound may have moved since, so both are looked at.
        let at_target = if at_target.is_zero() { initial } else { at_target }.max(min).min(max);
        let Point { multiple, drift, below } = self.point(utilization)?;
        let limit = if below { min } else { max };
        let drift = if drift.is_zero() || at_target == limit {
            Drift::NONE
        } else {
            Drift { yearly: drift, falling: below, borrow_limit: limit.mul_ceil(multiple)?, at_target_limit: limit }
        };
        Ok(Rate { borrow: at_target.mul_ceil(multiple)?, at_target, drift })
    }

    /// The target is rounded down, which makes the error larger above it and smaller below it: higher rates.
    fn point(&self, utilization: Fraction) -> Result<Point> {
        let utilization = utilization.min(Fraction::ONE);
        let target = Fraction::from_bps_floor(self.optimal_utilization_bps);
        // C - 1, in basis points.
        let steepness = self.steepness_bps.checked_sub(ONE_BPS).ok_or(RiskError::Underflow)?;
        if utilization < target {
            let error = target.checked_sub(utilization)?.div_floor(target)?;
            let depth = Fraction::from_integer(steepness.into()).div_small_floor(self.steepness_bps)?; // 1 - 1 / C
            let multiple = Fraction::ONE.checked_sub(depth.mul_floor(error)?)?;
            let drift = Fraction::from_bps_floor(self.speed_bps).mul_floor(error)?;
            return Ok(Point { multiple, drift, below: true });
        }
        let error = utilization.checked_sub(target)?.div_ceil(Fraction::ONE.checked_sub(target)?)?;
        let multiple = Fraction::ONE.checked_add(Fraction::from_bps_ceil(steepness).mul_ceil(error)?)?;
        let drift = Fraction::from_bps_ceil(self.speed_bps).mul_ceil(error)?;
        Ok(Point { multiple, drift, below: false })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::interest::SECONDS_PER_YEAR;
    use crate::reference::Real;
    use proptest::prelude::*;

    pub(crate) const CURVE: AdaptiveCurve = AdaptiveCurve {
        optimal_utilization_bps: 9_000,
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_rate_at_target_bps: 10,
        max_rate_at_target_bps: 20_000,
        initial_rate_at_target_bps: 400,
    };
    const AT_TARGET: Fraction = Fraction::from_bits(1 << 55); // 1/32
    const DAY: u64 = 86_400;

    fn bps(basis_points: u32) -> Fraction {
        Fraction::from_bps_floor(basis_points)
    }

    /// The state at `utilization`, from a rate at target of 1/32.
    fn at(curve: &AdaptiveCurve, utilization_bps: u32) -> Rate {
        curve.reprice(AT_TARGET, bps(utilization_bps)).unwrap()
    }

    /// Terms within the bounds of [`crate::config`].
    pub(crate) fn any_curve() -> impl Strategy<Value = AdaptiveCurve> {
        let rates = (10_100u32..=100_000).prop_flat_map(|steepness| {
            let max = crate::config::MAX_RATE_BPS * 10_000 / steepness.max(10_000);
            (Just(steepness), proptest::array::uniform3(1..=max.min(99_009)))
        });
        (1u32..10_000, 0u32..=1_000_000, rates).prop_map(|(optimal, speed, (steepness, mut rates))| {
            rates.sort_unstable();
            AdaptiveCurve {
                optimal_utilization_bps: optimal,
                steepness_bps: steepness,
                speed_bps: speed,
                min_rate_at_target_bps: rates[0],
                initial_rate_at_target_bps: rates[1],
                max_rate_at_target_bps: rates[2],
            }
        })
    }

    #[test]
    fn the_curve_runs_through_the_rate_at_target() {
        let target = bps(9_000);
        let rate = |utilization| CURVE.rate(AT_TARGET, utilization).unwrap();
        assert_eq!(rate(target), AT_TARGET);
        // One step to either side moves it by no more than its slope there: 30/32 of a unit up, 1/38 down.
        let up = rate(target.checked_add(Fraction::EPSILON).unwrap()).checked_sub(AT_TARGET).unwrap();
        let down = AT_TARGET.checked_sub(rate(target.checked_sub(Fraction::EPSILON).unwrap())).unwrap();
        assert!(up <= Fraction::from_bits(2) && down <= Fraction::from_bits(1), "{up:?} {down:?}");
        let near = |actual: Fraction, expected: u128| {
            let off = actual.to_bits() - expected;
            assert!(off <= 2, "{actual:?} is {off} above");
        };
        near(rate(Fraction::ZERO), 1 << 53); // a quarter
        near(rate(bps(4_500)), (1 << 55) / 8 * 5); // half the way to it: 5/8
        near(rate(bps(9_500)), (1 << 55) / 2 * 5); // half the way up to four times
        near(rate(Fraction::ONE), 1 << 57); // four times
        assert_eq!(rate(Fraction::MAX), rate(Fraction::ONE));
    }

    #[test]
    fn the_rate_at_target_follows_demand() {
        let drift = |utilization| {
            let drift = at(&CURVE, utilization).drift;
            (Real::from(drift.yearly).to_f64(), drift.falling)
        };
        let near = |(yearly, falling): (f64, bool), expected: f64, down: bool| {
            assert!((yearly - expected).abs() < 1e-14 && falling == down, "{yearly} against {expected}");
        };
        near(drift(10_000), 50.0, false);
        near(drift(9_500), 25.0, false);
        near(drift(4_500), 25.0, true);
        near(drift(0), 50.0, true);
        assert_eq!(at(&CURVE, 9_000).drift, Drift::NONE);
        let after = |utilization| at(&CURVE, utilization).after(DAY).unwrap().at_target;
        assert!(after(9_001) > AT_TARGET);
        assert!(after(8_999) < AT_TARGET);
        assert_eq!(after(9_000), AT_TARGET);
        assert!(after(9_500) > after(9_001) && after(4_500) < after(8_999));
    }

    #[test]
    fn half_the_speed_takes_twice_the_time() {
        let slow = AdaptiveCurve { speed_bps: 250_000, ..CURVE };
        for utilization in [0, 5_000, 9_100, 10_000] {
            let fast = at(&CURVE, utilization).after(DAY).unwrap().at_target;
            let slow = at(&slow, utilization).after(2 * DAY).unwrap().at_target;
            assert!(fast.to_bits().abs_diff(slow.to_bits()) <= 1, "{fast:?} {slow:?}");
            assert_ne!(fast, AT_TARGET);
        }
        let still = AdaptiveCurve { speed_bps: 0, ..CURVE };
        assert_eq!(at(&still, 10_000).drift, Drift::NONE);
    }

    #[test]
    fn the_rate_at_target_stays_within_its_bounds() {
        let year = u64::from(SECONDS_PER_YEAR);
        for (pushing, back, bound) in [(10_000, 8_999, 20_000), (0, 9_001, 10)] {
            let bound = Fraction::from_bps_ceil(bound);
            let there = at(&CURVE, pushing).after(year).unwrap();
            assert_eq!(there.at_target, bound);
            assert_eq!(there.borrow, CURVE.rate(bound, bps(pushing)).unwrap());
            // At the bound it stands still for as long as demand pushes outwards, and moves when demand turns.
            let held = CURVE.reprice(bound, bps(pushing)).unwrap();
            assert_eq!((held.drift, held.at_target, held.borrow), (Drift::NONE, bound, there.borrow));
            let turned = CURVE.reprice(bound, bps(back)).unwrap();
            assert!(!turned.drift.yearly.is_zero());
            assert_ne!(turned.after(DAY).unwrap().at_target, bound);
        }
    }

    #[test]
    fn new_bounds_hold_at_once() {
        let high = AdaptiveCurve { min_rate_at_target_bps: 1_000, ..CURVE };
        assert_eq!(at(&high, 9_000).at_target, Fraction::from_bps_ceil(1_000));
        let low = AdaptiveCurve { max_rate_at_target_bps: 100, ..CURVE };
        assert_eq!(at(&low, 9_000).at_target, Fraction::from_bps_ceil(100));
        // Without a rate at target, the initial one.
        assert_eq!(CURVE.reprice(Fraction::ZERO, bps(1)).unwrap().at_target, Fraction::from_bps_ceil(400));
    }

    #[test]
    fn terms_out_of_bounds_are_refused_without_a_panic() {
        let rate = |curve: AdaptiveCurve, utilization| curve.rate(AT_TARGET, utilization);
        let flat = AdaptiveCurve { steepness_bps: 9_999, ..CURVE };
        assert_eq!(rate(flat, Fraction::ZERO), Err(RiskError::Underflow));
        let full = AdaptiveCurve { optimal_utilization_bps: 10_000, ..CURVE };
        assert_eq!(rate(full, Fraction::ONE), Err(RiskError::DivisionByZero));
        let over = AdaptiveCurve { optimal_utilization_bps: 10_001, ..CURVE };
        assert!(rate(over, Fraction::ONE).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn the_rate_never_falls_in_utilization(
            curve in any_curve(), at_target in 0u128..10 << 60, a in 0u128..=1 << 60, b in 0u128..=1 << 60, step in 0u128..4,
        ) {
            let rate = |u: u128| curve.rate(Fraction::from_bits(at_target), Fraction::from_bits(u)).unwrap();
            prop_assert!(rate(a.min(b)) <= rate(a.max(b)));
            prop_assert!(rate(a) <= rate(a + step));
        }

        /// Never below the exact curve, and above it by the roundings only; so is the drift upwards, and downwards the
        /// other way around. Within C times and 1/C.
        #[test]
        fn the_rate_and_its_drift_favour_suppliers(curve in any_curve(), at_target in 0u128..10 << 60, u in 0u128..=1 << 60) {
            let (at_target, u) = (Fraction::from_bits(at_target), Fraction::from_bits(u));
            let (one, target, c) = (Real::integer(1), Real::bps(curve.optimal_utilization_bps), Real::bps(curve.steepness_bps));
            let above = Real::from(u) > target;
            let room = if above { &one - &target } else { target.clone() };
            let error = &(&Real::from(u) - &target).abs() / &room;
            let multiple = if above {
                &one + &(&(&c - &one) * &error)
            } else {
                &one - &(&(&one - &(&one / &c)) * &error)
            };
            let exact = &Real::from(at_target) * &multiple;
            let rate = curve.rate(at_target, u).unwrap();
            let narrow = if target < &one - &target { target.clone() } else { &one - &target };
            let slack = &Real::from(at_target) * &(&Real::two_to_minus(56) / &narrow);
            let above_exact = &Real::from(rate) - &exact;
            prop_assert!(above_exact >= -&Real::two_to_minus(250) && above_exact < &slack + &Real::two_to_minus(60));
            prop_assert!(Real::from(rate) >= &Real::from(at_target) / &c);
            prop_assert!(Real::from(rate) <= &(&Real::from(at_target) * &c) + &Real::two_to_minus(60));

            let state = curve.reprice(at_target, u).unwrap();
            prop_assert_eq!(state.borrow, curve.rate(state.at_target, u).unwrap());
            prop_assert!(state.at_target >= Fraction::from_bps_ceil(curve.min_rate_at_target_bps));
            prop_assert!(state.at_target <= Fraction::from_bps_ceil(curve.max_rate_at_target_bps));
            if state.drift != Drift::NONE {
                let exact = &Real::bps(curve.speed_bps) * &error;
                let above_exact = &Real::from(state.drift.yearly) - &exact;
                let towards = if state.drift.falling { -&above_exact } else { above_exact };
                let slack = &Real::integer(100) * &(&Real::two_to_minus(59) / &narrow);
                prop_assert!(towards >= -&Real::two_to_minus(240) && towards < slack);
            }
        }
    }
}
