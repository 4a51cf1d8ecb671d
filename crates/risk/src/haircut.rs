//! Haircuts that move with the market, and liquidation thresholds that move with governance, neither faster than an
//! owner can react.
//!
//! ```text
//! target        = min(base + deviation + concentration_bps * supplied / depth, max)
//! maintenance   moves toward target by at most up_bps_per_hour or down_bps_per_hour
//! initial       = max(target, maintenance)
//! ```
//!
//! So new borrowing feels a change at once, and an existing vault as a ramp. Haircuts and thresholds are kept as where a
//! movement started; where it is now is computed by whoever reads it, so that an asset that nobody touches is still
//! valued right.

use crate::config::MIN_THRESHOLD_RAMP;
use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::units::Amount;
use crate::wide;

/// Basis points in one.
const BPS: u64 = 10_000;
/// Basis points per hour in one per second.
const BPS_PER_HOUR: u32 = 36_000_000;

/// What governance sets of a reserve's haircuts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HaircutTerms {
    /// Haircut in quiet markets, in basis points: the least it is aimed at.
    pub base_bps: u32,
    /// The most that it is aimed at.
    pub max_bps: u32,
    /// How fast the maintenance haircut may rise, in basis points of the value per hour.
    pub up_bps_per_hour: u32,
    /// How fast it may fall.
    pub down_bps_per_hour: u32,
    /// What deposits of `depth` add, in basis points; other deposits in proportion.
    pub concentration_bps: u32,
    /// The deposits that the market could absorb at that discount, in native units. Zero: no term for concentration.
    pub depth: Amount,
}

/// The haircuts of a reserve's collateral at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haircuts {
    /// For new risk.
    pub initial: Fraction,
    /// For liquidation.
    pub maintenance: Fraction,
}

/// The haircut that the market asks for: `base + deviation + concentration`, at most `max`.
///
/// `deviation` is [`Volatility::deviation`](crate::volatility::Volatility::deviation), `supplied` all deposits in
/// native units. Each term is rounded up; above the exact sum by less than three units in the last place. Never falls
/// when one of them rises.
///
/// # Errors
/// None in practice: `Overflow` is what the type allows.
pub fn target(deviation: Fraction, supplied: Amount, terms: &HaircutTerms) -> Result<Fraction> {
    let (base, max) = (Fraction::from_bps_ceil(terms.base_bps), Fraction::from_bps_ceil(terms.max_bps));
    // Each clipped by itself, so that no sum of absurd ones overflows.
    let concentration = concentration(supplied, terms).map_or(max, |term| term.min(max));
    Ok(base.checked_add(deviation.min(max))?.checked_add(concentration)?.min(max))
}

/// `concentration_bps * supplied / depth`, rounded up. `None` when it does not fit.
fn concentration(supplied: Amount, terms: &HaircutTerms) -> Option<Fraction> {
    if terms.concentration_bps == 0 || terms.depth.is_zero() {
        return Some(Fraction::ZERO);
    }
    let numerator = wide::mul_64(supplied.0, u64::from(terms.concentration_bps));
    let (high, low) = (numerator >> (128 - Fraction::BITS), numerator << Fraction::BITS);
    let (quotient, remainder) = wide::div(high, low, wide::mul_64(terms.depth.0, BPS))?;
    quotient.checked_add(u128::from(remainder != 0)).map(Fraction::from_bits)
}

/// Where the haircuts of a reserve are, and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Haircut {
    /// The maintenance haircut at `moved_at`.
    pub maintenance: Fraction,
    /// Where it has been moving since.
    pub target: Fraction,
    /// Unix seconds.
    pub moved_at: i64,
}

impl Haircut {
    /// At rest.
    pub const fn settled(at: Fraction, now: i64) -> Self {
        Self { maintenance: at, target: at, moved_at: now }
    }

    /// Both haircuts at `now`, without changing anything. At its target it costs a comparison.
    ///
    /// The maintenance haircut moves by exactly `rate * elapsed`, rounded down: never faster than the terms say. A
    /// clock that stands still or goes back moves nothing.
    ///
    /// # Errors
    /// None in practice: `Overflow` is what the type allows.
    pub fn at(&self, now: i64, terms: &HaircutTerms) -> Result<Haircuts> {
        let maintenance = self.maintenance_at(now, terms)?;
        Ok(Haircuts { initial: self.target.max(maintenance), maintenance })
    }

    fn maintenance_at(&self, now: i64, terms: &HaircutTerms) -> Result<Fraction> {
        if self.maintenance == self.target {
            return Ok(self.target);
        }
        let Ok(elapsed) = u64::try_from(now.saturating_sub(self.moved_at)) else {
            return Ok(self.maintenance);
        };
        if self.maintenance < self.target {
            let distance = self.target.checked_sub(self.maintenance)?;
            let (moved, _) = travel(terms.up_bps_per_hour, elapsed);
            return self.maintenance.checked_add(moved.min(distance));
        }
        let distance = self.maintenance.checked_sub(self.target)?;
        let (moved, _) = travel(terms.down_bps_per_hour, elapsed);
        self.maintenance.checked_sub(moved.min(distance))
    }

    /// Brings the maintenance haircut to `now` under the old target, then sets the new one.
    ///
    /// Call it, with the old terms, before the terms change: a new speed would otherwise apply to the past. At a clock
    /// that went back it only sets the target, so that no second is counted twice.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn advance(&mut self, now: i64, new_target: Fraction, terms: &HaircutTerms) -> Result<()> {
        self.maintenance = self.maintenance_at(now, terms)?;
        self.moved_at = self.moved_at.max(now);
        self.target = new_target;
        Ok(())
    }

    /// The most that the maintenance haircut can be at any time from `now` to `seconds` later, whatever targets are set
    /// until then under the same terms. Never below that, and above it by less than one unit in the last place.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn highest_maintenance(&self, now: i64, seconds: u32, terms: &HaircutTerms) -> Result<Fraction> {
        let present = self.maintenance_at(now, terms)?;
        // The target may have been set under a higher maximum.
        let ceiling = Fraction::from_bps_ceil(terms.max_bps).max(self.target);
        let (floor, inexact) = travel(terms.up_bps_per_hour, u64::from(seconds));
        // Up, as a movement that began before `now` may still owe what its present value was rounded down by.
        let moved = floor.checked_add(Fraction::from_bits(u128::from(inexact)))?;
        Ok(present.checked_add(moved)?.min(ceiling).max(present))
    }
}

/// `bps_per_hour * seconds` as a fraction, rounded down, and whether that lost anything. Time counts up to 136 years,
/// in which the least speed covers a hundred times the whole.
fn travel(bps_per_hour: u32, seconds: u64) -> (Fraction, bool) {
    let product = u64::from(bps_per_hour).wrapping_mul(seconds.min(u64::from(u32::MAX))); // of two halves of a word
    let (quotient, remainder) =
        wide::div_small(u128::from(product) << Fraction::BITS, BPS_PER_HOUR).unwrap_or_default();
    (Fraction::from_bits(quotient), remainder != 0)
}

/// A liquidation threshold: where it stands, or the straight line on which it falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThresholdRamp {
    /// Threshold at `started_at`, in basis points.
    pub from_bps: u32,
    /// Threshold from `started_at + duration` on. One above `from_bps` holds at once.
    pub to_bps: u32,
    /// Unix seconds.
    pub started_at: i64,
    /// Seconds.
    pub duration: u32,
}

impl ThresholdRamp {
    /// A threshold that stands still.
    pub const fn fixed(bps: u32) -> Self {
        Self { from_bps: bps, to_bps: bps, started_at: 0, duration: 0 }
    }

    /// The threshold at `now`, rounded up: in doubt the owner has it. When the ramp is over it costs two comparisons.
    pub fn at(&self, now: i64) -> Fraction {
        let Some(scaled) = self.times_duration(now) else {
            return Fraction::from_bps_ceil(self.to_bps);
        };
        // ceil(ceil(n / a) / b) = ceil(n / (a b)), with divisors of 32 bits.
        let bps = ceil_small(u128::from(scaled) << Fraction::BITS, self.duration);
        Fraction::from_bits(ceil_small(bps, 10_000))
    }

    /// The threshold at `now` in basis points, times the duration; `None` when the ramp is over.
    fn times_duration(&self, now: i64) -> Option<u64> {
        let elapsed = now.saturating_sub(self.started_at);
        if self.from_bps <= self.to_bps || elapsed >= i64::from(self.duration) {
            return None;
        }
        let fall = u64::from(self.from_bps.wrapping_sub(self.to_bps));
        // Below duration, as just compared; negative before the start.
        let fallen = fall.wrapping_mul(u64::try_from(elapsed).unwrap_or_default());
        Some(u64::from(self.from_bps).wrapping_mul(u64::from(self.duration)).wrapping_sub(fallen))
    }

    /// The threshold at `now`, rounded up to a whole basis point.
    fn bps_at(&self, now: i64) -> u32 {
        self.times_duration(now)
            .map_or(self.to_bps, |n| u32::try_from(ceil_small(u128::from(n), self.duration)).unwrap_or(self.from_bps))
    }

    /// What this becomes when at `now` the threshold is to be `to_bps`: a fall takes `duration` seconds from the
    /// present value, rounded up to a whole basis point; a rise holds at once.
    ///
    /// # Errors
    /// `ConfigRamp` when a fall would take less than [`MIN_THRESHOLD_RAMP`].
    pub fn toward(&self, to_bps: u32, now: i64, duration: u32) -> Result<Self> {
        let from_bps = self.bps_at(now);
        if to_bps >= from_bps {
            return Ok(Self::fixed(to_bps));
        }
        if duration < MIN_THRESHOLD_RAMP {
            return Err(RiskError::ConfigRamp);
        }
        Ok(Self { from_bps, to_bps, started_at: now, duration })
    }
}

/// `n / divisor`, rounded up; no caller's divisor is zero.
fn ceil_small(n: u128, divisor: u32) -> u128 {
    let (quotient, remainder) = wide::div_small(n, divisor).unwrap_or_default();
    quotient.wrapping_add(u128::from(remainder != 0)) // a remainder takes a divisor of at least 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ONE_BPS;
    use num_bigint::BigUint;
    use num_rational::Ratio;
    use proptest::prelude::*;

    const DAY: u32 = 86_400;
    const TERMS: HaircutTerms = HaircutTerms {
        base_bps: 200,
        max_bps: 4_000,
        up_bps_per_hour: 100,
        down_bps_per_hour: 25,
        concentration_bps: 500,
        depth: Amount(1_000_000),
    };

    fn bps(n: u32) -> Fraction {
        Fraction::from_bps_ceil(n)
    }

    fn exact_target(deviation: Fraction, supplied: u64, terms: &HaircutTerms) -> Ratio<BigUint> {
        let one = BigUint::from(Fraction::ONE.to_bits());
        let of_bps = |n: u32| Ratio::new(BigUint::from(n) * &one, BigUint::from(BPS));
        let mut sum = of_bps(terms.base_bps) + Ratio::from(BigUint::from(deviation.to_bits()));
        if terms.depth.0 > 0 {
            sum += of_bps(terms.concentration_bps) * Ratio::new(BigUint::from(supplied), BigUint::from(terms.depth.0));
        }
        sum.min(of_bps(terms.max_bps))
    }

    fn any_haircut() -> impl Strategy<Value = Fraction> {
        prop_oneof![(0u64..=1 << 60).prop_map(|b| Fraction::from_bits(u128::from(b))), (0u32..=ONE_BPS).prop_map(bps)]
    }

    fn any_terms() -> impl Strategy<Value = HaircutTerms> {
        (0u32..=ONE_BPS, 0u32..=ONE_BPS, 1u32..=2_500, 1u32..=50_000, 0u32..=ONE_BPS, any::<u64>(), 0u32..64).prop_map(
            |(a, b, up_bps_per_hour, down_bps_per_hour, concentration_bps, depth, shift)| HaircutTerms {
                base_bps: a.min(b),
                max_bps: a.max(b),
                up_bps_per_hour,
                down_bps_per_hour,
                concentration_bps,
                depth: Amount(depth >> shift),
            },
        )
    }

    #[test]
    fn the_target_adds_up() {
        let at = |deviation, supplied| target(deviation, Amount(supplied), &TERMS).unwrap();
        let near = |actual: Fraction, n: u32| {
            let error = actual.checked_sub(Fraction::from_bps_floor(n)).unwrap();
            assert!(error <= Fraction::from_bits(4), "{n}: {error:?}");
        };
        near(at(Fraction::ZERO, 0), 200);
        near(at(bps(300), 0), 500);
        near(at(Fraction::ZERO, 1_000_000), 700);
        near(at(Fraction::ZERO, 500_000), 450);
        near(at(bps(300), 2_000_000), 1_500);
        near(at(bps(3_799), 0), 3_999);
        assert_eq!(at(bps(3_801), 0), bps(4_000));
        assert_eq!(at(Fraction::MAX, u64::MAX), bps(4_000));
    }

    #[test]
    fn no_depth_no_concentration() {
        let terms = HaircutTerms { depth: Amount::ZERO, ..TERMS };
        assert_eq!(target(Fraction::ZERO, Amount::MAX, &terms), Ok(bps(200)));
        let terms = HaircutTerms { concentration_bps: 0, ..TERMS };
        assert_eq!(target(Fraction::ZERO, Amount::MAX, &terms), Ok(bps(200)));
    }

    #[test]
    fn absurd_terms_are_clipped_one_by_one() {
        // 2^64 times 429,497 does not fit; 2^64 times 16 does, but not its sum with a base of 20.
        for (base_bps, concentration_bps) in [(0, u32::MAX), (200_000, 160_000)] {
            let terms = HaircutTerms { base_bps, concentration_bps, depth: Amount(1), ..TERMS };
            assert_eq!(target(Fraction::ZERO, Amount::MAX, &terms), Ok(bps(4_000)));
        }
    }

    #[test]
    fn new_risk_feels_a_rise_at_once_and_vaults_as_a_ramp() {
        let mut haircut = Haircut::settled(bps(200), 1_000);
        haircut.advance(1_000, bps(700), &TERMS).unwrap();
        let at = |hours: i64| haircut.at(1_000 + hours * 3_600, &TERMS).unwrap();
        assert_eq!(at(0), Haircuts { initial: bps(700), maintenance: bps(200) });
        assert_eq!(at(2).initial, bps(700));
        assert!(at(2).maintenance <= bps(400) && at(2).maintenance >= Fraction::from_bps_floor(399));
        assert_eq!(at(5).initial, bps(700));
        assert_eq!(at(6), Haircuts { initial: bps(700), maintenance: bps(700) });
    }

    #[test]
    fn new_risk_feels_a_fall_only_as_vaults_do() {
        let mut haircut = Haircut::settled(bps(700), 1_000);
        haircut.advance(1_000, bps(200), &TERMS).unwrap();
        let at = |hours: i64| haircut.at(1_000 + hours * 3_600, &TERMS).unwrap();
        for hours in [0, 1, 10, 19, 20, 1_000] {
            assert_eq!(at(hours).initial, at(hours).maintenance);
        }
        assert_eq!(at(0).maintenance, bps(700));
        assert!(at(4).maintenance >= bps(600) && at(4).maintenance <= bps(601));
        assert_eq!(at(21).maintenance, bps(200));
    }

    #[test]
    fn a_clock_that_goes_back_moves_nothing() {
        let mut haircut = Haircut { maintenance: bps(200), target: bps(700), moved_at: 1_000 };
        for now in [i64::MIN, 0, 999, 1_000] {
            assert_eq!(haircut.at(now, &TERMS).unwrap().maintenance, bps(200));
        }
        haircut.advance(10, bps(100), &TERMS).unwrap();
        assert_eq!(haircut, Haircut { maintenance: bps(200), target: bps(100), moved_at: 1_000 });
    }

    /// Rest does not count as time to move in.
    #[test]
    fn a_new_target_starts_from_now() {
        let mut haircut = Haircut::settled(bps(200), 0);
        haircut.advance(1_000_000, bps(700), &TERMS).unwrap();
        assert_eq!(haircut.at(1_000_000, &TERMS).unwrap().maintenance, bps(200));
    }

    #[test]
    fn extremes_arrive() {
        let slow = HaircutTerms { up_bps_per_hour: 1, down_bps_per_hour: u32::MAX, ..TERMS };
        let up = Haircut { maintenance: Fraction::ZERO, target: Fraction::ONE, moved_at: i64::MIN };
        assert_eq!(up.at(i64::MAX, &slow).unwrap().maintenance, Fraction::ONE);
        // 4 * 2^62 does not fit a word.
        let fast = HaircutTerms { up_bps_per_hour: 4, ..TERMS };
        assert_eq!(Haircut { moved_at: 0, ..up }.at(1 << 62, &fast).unwrap().maintenance, Fraction::ONE);
        let down = Haircut { maintenance: Fraction::ONE, target: Fraction::ZERO, moved_at: i64::MIN };
        assert_eq!(down.at(i64::MAX, &slow).unwrap().maintenance, Fraction::ZERO);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn targets_round_up(deviation in any_haircut(), supplied in (any::<u64>(), 0u32..64), terms in any_terms()) {
            let supplied = supplied.0 >> supplied.1;
            let actual = Ratio::from(BigUint::from(target(deviation, Amount(supplied), &terms).unwrap().to_bits()));
            let exact = exact_target(deviation, supplied, &terms);
            prop_assert!(actual >= exact);
            prop_assert!(actual - exact < Ratio::from(BigUint::from(3u32)));
        }

        #[test]
        fn targets_never_fall(deviations in [any_haircut(), any_haircut()], supplied in any::<[u64; 2]>(),
            terms in any_terms())
        {
            let [a, b] = deviations;
            let [few, many] = supplied;
            let low = target(a.min(b), Amount(few.min(many)), &terms).unwrap();
            prop_assert!(low <= target(a.max(b), Amount(few.min(many)), &terms).unwrap());
            prop_assert!(low <= target(a.min(b), Amount(few.max(many)), &terms).unwrap());
            prop_assert!(low >= bps(terms.base_bps) && low <= bps(terms.max_bps));
        }

        #[test]
        fn no_target_fails(deviation in any::<u128>(), supplied in any::<u64>(), numbers in any::<[u32; 3]>(),
            depth in any::<u64>())
        {
            let [base_bps, max_bps, concentration_bps] = numbers;
            let terms = HaircutTerms { base_bps, max_bps, concentration_bps, depth: Amount(depth), ..TERMS };
            prop_assert!(target(Fraction::from_bits(deviation), Amount(supplied), &terms).unwrap() <= bps(max_bps));
        }

        /// The moved distance is the exact product, rounded down, up to the target.
        #[test]
        fn movements_round_down(from in any_haircut(), to in any_haircut(), elapsed in 0u32.., terms in any_terms()) {
            let haircut = Haircut { maintenance: from, target: to, moved_at: -5 };
            let at = haircut.at(i64::from(elapsed) - 5, &terms).unwrap();
            let rate = if to > from { terms.up_bps_per_hour } else { terms.down_bps_per_hour };
            let travelled = ((u128::from(rate) * u128::from(elapsed)) << 60) / 36_000_000;
            let moved = travelled.min(from.to_bits().abs_diff(to.to_bits()));
            prop_assert_eq!(at.maintenance.to_bits().abs_diff(from.to_bits()), moved);
            prop_assert!(at.maintenance >= from.min(to) && at.maintenance <= from.max(to));
            prop_assert_eq!(at.initial, to.max(at.maintenance));
        }

        /// Advancing with the same target on the way loses at most one unit a step, and never gains.
        #[test]
        fn steps_on_the_way_do_not_matter(from in any_haircut(), to in any_haircut(), terms in any_terms(),
            steps in proptest::collection::vec(0u32..2_000, 0..50))
        {
            let start = Haircut { maintenance: from, target: to, moved_at: 0 };
            let (mut haircut, mut now) = (start, 0i64);
            for step in &steps {
                now += i64::from(*step);
                haircut.advance(now, to, &terms).unwrap();
            }
            let once = start.at(now, &terms).unwrap().maintenance;
            let stepped = haircut.at(now, &terms).unwrap().maintenance;
            prop_assert!(once.to_bits().abs_diff(stepped.to_bits()) <= steps.len() as u128);
            if to > from {
                prop_assert!(stepped <= once);
            } else {
                prop_assert!(stepped >= once);
            }
        }

        /// `m0 + up * (t2 - t0)`, exactly, whatever the targets; the same for falls.
        #[test]
        fn no_targets_move_it_faster_than_stated(from in any_haircut(), terms in any_terms(),
            steps in proptest::collection::vec((0u32..20_000, any_haircut()), 1..30))
        {
            let (mut haircut, mut now) = (Haircut::settled(from, 0), 0i64);
            for (step, new_target) in steps {
                now += i64::from(step);
                haircut.advance(now, new_target, &terms).unwrap();
                let at = |rate: u32| (u128::from(rate) * u128::try_from(now).unwrap()) << 60;
                let (m, m0) = (haircut.maintenance.to_bits() * 36_000_000, from.to_bits() * 36_000_000);
                prop_assert!(m <= m0 + at(terms.up_bps_per_hour));
                prop_assert!(m + at(terms.down_bps_per_hour) >= m0);
            }
        }

        /// The bound of [`Haircut::highest_maintenance`] holds from the middle of a movement, and before its end too.
        #[test]
        fn the_highest_is_never_exceeded(from in any_haircut(), first in any_haircut(), before in 0u32..100_000,
            terms in any_terms(), steps in proptest::collection::vec((1u32..20_000, any_haircut()), 1..30))
        {
            let mut haircut = Haircut { maintenance: from, target: first, moved_at: 0 };
            let t0 = i64::from(before);
            let seconds: u32 = steps.iter().map(|(dt, _)| dt).sum();
            let highest = haircut.highest_maintenance(t0, seconds, &terms).unwrap();
            prop_assert!(haircut.at(t0, &terms).unwrap().maintenance <= highest);
            let mut now = t0;
            for (dt, new_target) in steps {
                now += i64::from(dt);
                prop_assert!(haircut.at(now, &terms).unwrap().maintenance <= highest);
                haircut.advance(now, new_target.min(bps(terms.max_bps)), &terms).unwrap();
            }
            // Reached, by whoever asks for the most at once.
            let mut haircut = Haircut { maintenance: from, target: first, moved_at: 0 };
            haircut.advance(t0, bps(terms.max_bps), &terms).unwrap();
            let reached = haircut.at(now, &terms).unwrap().maintenance.max(haircut.maintenance);
            prop_assert!(first > bps(terms.max_bps) || highest.checked_sub(reached).unwrap() <= Fraction::EPSILON);
        }
    }

    #[test]
    fn a_threshold_falls_in_a_straight_line() {
        let ramp = ThresholdRamp::fixed(8_500).toward(8_000, 1_000, DAY).unwrap();
        assert_eq!(ramp, ThresholdRamp { from_bps: 8_500, to_bps: 8_000, started_at: 1_000, duration: DAY });
        let day = i64::from(DAY);
        for (after, expected) in [(-1, 8_500), (0, 8_500), (day / 2, 8_250), (day, 8_000), (day + 1, 8_000)] {
            assert_eq!(ramp.at(1_000 + after), bps(expected));
        }
        assert_eq!(ramp.at(i64::MIN), bps(8_500));
        assert_eq!(ramp.at(i64::MAX), bps(8_000));
        assert!(ramp.at(1_001) < bps(8_500) && ramp.at(1_000 + day - 1) > bps(8_000));
    }

    #[test]
    fn a_threshold_rises_at_once() {
        let ramp = ThresholdRamp::fixed(8_500).toward(9_000, 1_000, 0).unwrap();
        assert_eq!(ramp.at(1_000), bps(9_000));
        assert_eq!(ThresholdRamp { from_bps: 1, to_bps: 2, started_at: 0, duration: DAY }.at(-1), bps(2));
    }

    #[test]
    fn a_fall_takes_a_day_at_least() {
        let fixed = ThresholdRamp::fixed(8_500);
        assert_eq!(fixed.toward(8_499, 0, MIN_THRESHOLD_RAMP - 1), Err(RiskError::ConfigRamp));
        assert!(fixed.toward(8_499, 0, MIN_THRESHOLD_RAMP).is_ok());
    }

    #[test]
    fn a_new_ramp_starts_where_the_old_one_is() {
        let first = ThresholdRamp::fixed(8_500).toward(8_000, 0, DAY).unwrap();
        let half = i64::from(DAY / 2);
        // Exactly on a whole basis point, and between two.
        let second = first.toward(7_000, half, DAY).unwrap();
        assert_eq!((second.from_bps, second.started_at), (8_250, half));
        assert_eq!(first.toward(7_000, half + 1, DAY).unwrap().from_bps, 8_250);
        // Up to a value that the old ramp has already passed: at once. To one still ahead of it: a fall.
        assert_eq!(first.toward(8_250, half, 0), Ok(ThresholdRamp::fixed(8_250)));
        assert_eq!(first.toward(8_249, half, 0), Err(RiskError::ConfigRamp));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn thresholds_round_up(from_bps in any::<u32>(), to_bps in any::<u32>(), duration in 1u32..,
            after in any::<u32>())
        {
            let ramp = ThresholdRamp { from_bps, to_bps, started_at: 77, duration };
            let actual = BigUint::from(ramp.at(77 + i64::from(after)).to_bits());
            let fallen = BigUint::from(from_bps.saturating_sub(to_bps)) * after.min(duration);
            let scaled = BigUint::from(from_bps.max(to_bps)) * duration - fallen;
            let divisor = BigUint::from(duration) * 10_000u32;
            prop_assert_eq!(actual, ((scaled << 60u32) + &divisor - 1u32) / divisor);
        }

        /// Chained ramps never jump down, and stay between what they came from and where they go.
        #[test]
        fn chained_ramps_never_jump_down(
            steps in proptest::collection::vec((0u32..=ONE_BPS, 0u32..3 * DAY, DAY..4 * DAY), 1..20),
        ) {
            let (mut ramp, mut now) = (ThresholdRamp::fixed(ONE_BPS), 0i64);
            for (to_bps, dt, duration) in steps {
                let earlier = ramp.at(now);
                now += i64::from(dt);
                // At most the whole in a day, and the rounding of one.
                let fastest = bps(ONE_BPS).mul_integer(u64::from(dt)).unwrap().div_small_ceil(DAY).unwrap();
                let present = ramp.at(now);
                prop_assert!(present.checked_add(fastest).unwrap().checked_add(Fraction::EPSILON).unwrap() >= earlier);
                prop_assert!(present <= earlier);
                ramp = ramp.toward(to_bps, now, duration).unwrap();
                prop_assert!(ramp.at(now) >= present);
                prop_assert!(ramp.at(now) < present.checked_add(bps(1)).unwrap().max(bps(to_bps + 1)));
                prop_assert_eq!(ramp.at(now + i64::from(duration)), bps(to_bps));
            }
        }
    }
}
