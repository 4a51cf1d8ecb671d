//! A year of interest, in steps of any size, against the exact solution.

use super::*;
use crate::reference::Real;
use crate::units::{Amount, DebtIndex};
use proptest::prelude::*;

/// At 2 a year the rate at target meets no bound within the year, at any utilization.
const SLOW: AdaptiveCurve = AdaptiveCurve { speed_bps: 20_000, ..ADAPTIVE };
const KINKED: RateCurve =
    RateCurve { base_bps: 100, slope_bps: 900, excess_slope_bps: 9_000, optimal_utilization_bps: 8_000 };

/// The debt index after a year at a constant utilization in `steps` equal steps, and the rate at its end.
fn year(model: RateModel, utilization: Fraction, steps: u32) -> (Fraction, Rate) {
    let mut index = DebtIndex::INITIAL.0;
    let mut rate = model.reprice(&Rate::ZERO, utilization).unwrap();
    let seconds = u64::from(SECONDS_PER_YEAR / steps);
    for _ in 0..steps {
        let growth = rate.growth_ceil(seconds).unwrap();
        index = index.checked_add(index.mul_ceil(growth).unwrap()).unwrap();
        rate = model.reprice(&rate.after(seconds).unwrap(), utilization).unwrap();
    }
    (index, rate)
}

/// What the curves say, from their terms, at a utilization in basis points and for as long as no bound is met.
struct Exact {
    /// Yearly borrow rate at the start.
    borrow: Real,
    /// Yearly rate at target at the start.
    at_target: Real,
    /// Signed.
    drift: Real,
}

impl Exact {
    fn kinked(curve: &RateCurve, utilization: u32) -> Self {
        let (u, bend) = (u64::from(utilization), u64::from(curve.optimal_utilization_bps));
        let part = Real::ratio(u.min(bend), bend);
        let excess = Real::ratio(u.saturating_sub(bend), 10_000 - bend);
        let slopes = &(&Real::bps(curve.slope_bps) * &part) + &(&Real::bps(curve.excess_slope_bps) * &excess);
        Self { borrow: &Real::bps(curve.base_bps) + &slopes, at_target: Real::integer(0), drift: Real::integer(0) }
    }

    fn adaptive(curve: &AdaptiveCurve, utilization: u32) -> Self {
        let (u, target) = (u64::from(utilization), u64::from(curve.optimal_utilization_bps));
        let (one, c) = (Real::integer(1), Real::bps(curve.steepness_bps));
        let (error, slope) = if u > target {
            (Real::ratio(u - target, 10_000 - target), &c - &one)
        } else {
            (-&Real::ratio(target - u, target), &one - &(&one / &c))
        };
        let at_target = Real::bps(curve.initial_rate_at_target_bps);
        Self {
            borrow: &at_target * &(&one + &(&slope * &error)),
            at_target,
            drift: &Real::bps(curve.speed_bps) * &error,
        }
    }

    fn of(model: &RateModel, utilization: u32) -> Self {
        match model {
            RateModel::Kinked(curve) => Self::kinked(curve, utilization),
            RateModel::Adaptive(curve) => Self::adaptive(curve, utilization),
        }
    }

    /// The integral of the borrow rate over `years`, with the drift of the average.
    fn accumulated(&self, years: &Real) -> Real {
        &(&self.borrow * years) * &(&self.drift * years).phi()
    }

    fn index(&self) -> Real {
        self.accumulated(&Real::integer(1)).exp()
    }

    fn at_target(&self) -> Real {
        &self.at_target * &self.drift.exp()
    }

    /// At most what the third order leaves out of a year's index in `steps` steps, as a part of it: that of the step with
    /// the highest rate, in each.
    fn taylor_error(&self, steps: u32) -> Real {
        let highest =
            if self.drift > Real::integer(0) { &self.borrow * &self.drift.exp() } else { self.borrow.clone() };
        let x = &highest / &Real::integer(steps);
        let square = &x * &x;
        &(&(&square * &square) / &Real::integer(24)) * &Real::integer(steps)
    }
}

/// `(actual - exact) / exact`.
fn relative(actual: Fraction, exact: &Real) -> Real {
    &(&Real::from(actual) - exact) / exact
}

/// Utilizations in basis points at which no curve below meets a bound within the year.
fn cases() -> std::vec::Vec<(RateModel, u32)> {
    let kinked = [0, 1, 4_000, 8_000, 9_000, 10_000].map(|u| (RateModel::Kinked(KINKED), u));
    let slow = [0, 4_500, 8_999, 9_000, 9_001, 9_500, 10_000].map(|u| (RateModel::Adaptive(SLOW), u));
    let fast = [8_500, 8_900, 9_000, 9_010, 9_050].map(|u| (RateModel::Adaptive(ADAPTIVE), u));
    kinked.into_iter().chain(slow).chain(fast).collect()
}

#[test]
fn a_year_of_hourly_accruals_is_exact() {
    let limit = Real::ratio(1, 1_000_000_000_000u64);
    for (model, utilization) in cases() {
        let exact = Exact::of(&model, utilization);
        let (index, rate) = year(model, Fraction::from_bps_floor(utilization), 8_760);
        let off = relative(index, &exact.index());
        assert!(off.abs() < limit, "{model:?} at {utilization}: index {:e} off", off.to_f64());
        assert!(off > -&exact.taylor_error(8_760), "below the series: {:e}", off.to_f64());
        if matches!(model, RateModel::Adaptive(_)) {
            let off = relative(rate.at_target, &exact.at_target());
            assert!(off >= -&Real::two_to_minus(200), "rounded down: {:e}", off.to_f64());
            assert!(off < Real::ratio(1, 100_000_000_000u64), "rate at target {:e} off", off.to_f64());
        }
    }
}

/// The same year in 1, 12, 365 and 8,760 steps: the rate at target differs by roundings, the index by roundings and by
/// what the third order leaves out of the larger steps.
#[test]
fn how_often_a_pool_is_touched_does_not_matter() {
    for (model, utilization) in cases() {
        let exact = Exact::of(&model, utilization);
        let growth = exact.drift.exp();
        let most = if growth > Real::integer(1) { growth } else { Real::integer(1) };
        for steps in [1, 12, 365, 8_760] {
            let (index, rate) = year(model, Fraction::from_bps_floor(utilization), steps);
            // The terms' own roundings, then those of each step, magnified by what the rate grows.
            let roundings = &(&Real::two_to_minus(58) * &Real::integer(u64::from(steps) + 64)) * &most;
            let off = &Real::from(rate.at_target) - &exact.at_target();
            assert!(off >= -&Real::two_to_minus(200) && off < roundings, "{steps} steps: {:e}", off.to_f64());
            let off = relative(index, &exact.index());
            assert!(off > -&exact.taylor_error(steps), "{model:?} at {utilization}, {steps}: {:e}", off.to_f64());
            assert!(off < roundings, "{model:?} at {utilization}, {steps}: {:e}", off.to_f64());
        }
    }
}

/// What the average over `seconds` is exactly, for the state as it is: up to the moment at which the limit is met, and from
/// there.
fn exact_average(state: &Rate, seconds: u64) -> Real {
    let (borrow, limit) = (Real::from(state.borrow), Real::from(state.drift.borrow_limit));
    let years = Real::ratio(seconds, SECONDS_PER_YEAR);
    let moves = Real::from(state.drift.yearly) * &years;
    let y = if state.drift.falling { -&moves } else { moves };
    let ends_beyond = if state.drift.falling { &borrow * y.exp() < limit } else { &borrow * y.exp() > limit };
    if !ends_beyond {
        return &borrow * y.phi();
    }
    let until = ln(&(&limit / &borrow));
    &limit + (&borrow * until.phi() - &limit) * (until / y)
}

/// By Newton's step `y + x e^-y - 1`, from a double on.
fn ln(x: &Real) -> Real {
    let mut y = Real::from_f64(x.to_f64().ln());
    for _ in 0..4 {
        y = &y + x * (-&y).exp() - Real::integer(1);
    }
    y
}

/// How far the charged average is above the exact one, in units of what the documentation allows.
fn check_average(state: &Rate, seconds: u64) {
    let off = Real::from(state.average_ceil(seconds).unwrap()) - exact_average(state, seconds);
    let highest = state.borrow.max(state.after(seconds).unwrap().borrow);
    let allowed = Real::from(highest) * Real::two_to_minus(56) + Real::two_to_minus(58);
    assert!(off >= -&Real::two_to_minus(150), "{:e} below at {seconds}: {state:?}", off.to_f64());
    assert!(off <= allowed, "{:e} above at {seconds}: {state:?}", off.to_f64());
    assert!(state.average_ceil(seconds).unwrap() <= state.borrow.max(state.drift.borrow_limit));
}

/// A pool that nobody touches pays what the curve says, also when the rate meets its bound in the meantime: 685 hours up
/// and 646 down from here.
#[test]
fn a_neglected_pool_pays_what_the_curve_says() {
    for utilization in [Fraction::ONE, Fraction::ZERO] {
        let start = RateModel::Adaptive(ADAPTIVE).reprice(&Rate::ZERO, utilization).unwrap();
        for hour in (1..2_000).chain([10_000, 100_000]) {
            check_average(&start, hour * 3_600);
        }
        // Around the second at which it is met.
        let end = |seconds| start.after(seconds).unwrap().borrow == start.drift.borrow_limit;
        let met = (0..800 * 3_600).collect::<std::vec::Vec<_>>().partition_point(|seconds| !end(*seconds));
        assert!((640..690).contains(&(met / 3_600)), "{met}");
        for seconds in met - 50..met + 50 {
            check_average(&start, seconds as u64);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// What the third order leaves out of one step: at most x^4 / 24 of the index, and that much is indeed left out.
    #[test]
    fn the_series_is_off_by_the_fourth_order(rate_bps in 0u32..=100_000, seconds in 0u64..=31_536_000) {
        let rate = Fraction::from_bps_ceil(rate_bps);
        let x = &(&Real::from(rate) * &Real::integer(seconds)) / &Real::integer(SECONDS_PER_YEAR);
        let actual = Real::from(growth_ceil(rate, seconds).unwrap());
        let exact = x.exp();
        let short = &(&exact - &Real::integer(1)) - &actual;
        let square = &x * &x;
        let fourth = &(&square * &square) / &Real::integer(24);
        let roundings = &Real::two_to_minus(52) * &exact;
        prop_assert!(short <= &(&fourth * &exact) + &Real::two_to_minus(200));
        prop_assert!(short >= &fourth - &roundings);
    }

    /// The average of any state that a curve comes to: also with drifts of a few units, and next to a limit.
    #[test]
    fn averages_round_up(curve in any_curve(), u in 0u128..=1 << 60, at in 0u128..=1 << 60, seconds in 0u64..63_072_000,
        shift in 0u32..25, gap in proptest::option::of(0u128..1 << 20), slow in 0u32..60)
    {
        let bound = |bps| Fraction::from_bps_ceil(bps).to_bits();
        let (min, max) = (bound(curve.min_rate_at_target_bps), bound(curve.max_rate_at_target_bps));
        let at = match gap {
            Some(gap) if at % 2 == 0 => max.saturating_sub(gap).max(min),
            Some(gap) => (min + gap).min(max),
            None => min + (max - min).saturating_mul(at >> 30) / (1 << 30),
        };
        let mut state = curve.reprice(Fraction::from_bits(at), Fraction::from_bits(u)).unwrap();
        prop_assume!(state.drift != Drift::NONE);
        state.drift.yearly = Fraction::from_bits((state.drift.yearly.to_bits() >> slow).max(1));
        check_average(&state, seconds >> shift);
    }

    /// Where a unit in the last place is a large part of the rate, so that no other rounding hides one.
    #[test]
    fn averages_of_a_few_units_round_up(from in 1u128..400, to in 1u128..400, yearly in 1u128..1 << 63, seconds in 1u64..63_072_000) {
        prop_assume!(from != to);
        let [borrow, limit, yearly] = [from, to, yearly].map(Fraction::from_bits);
        let drift = Drift { yearly, falling: to < from, borrow_limit: limit, at_target_limit: limit };
        check_average(&Rate { borrow, at_target: borrow, drift }, seconds);
    }

    /// Two steps are one step, for any curve and any moment.
    #[test]
    fn two_steps_are_one(curve in any_curve(), u in 0u128..=1 << 60, a in 1u64..2_592_000, b in 1u64..2_592_000) {
        let start = curve.reprice(Fraction::ZERO, Fraction::from_bits(u)).unwrap();
        let (first, whole) = (start.after(a).unwrap(), start.after(a + b).unwrap());
        let second = first.after(b).unwrap();
        // The first step's rounding grows with the second, and the logarithm's own is 2^-60 each.
        let slack = 8 + 8 * (whole.at_target.to_bits() / first.at_target.to_bits() + (whole.at_target.to_bits() >> 60));
        prop_assert!(second.at_target.to_bits().abs_diff(whole.at_target.to_bits()) <= slack);
        let sum = |rate: &Rate, seconds: u64| Real::from(rate.average_ceil(seconds).unwrap()) * Real::integer(seconds);
        let (steps, once) = (sum(&start, a) + sum(&first, b), sum(&start, a + b));
        let most = Real::from(whole.borrow.max(start.borrow));
        let slack = Real::integer(a + b) * Real::two_to_minus(56) * (Real::integer(1) + most);
        let off = (steps - once).abs();
        prop_assert!(off <= slack, "{:e}", off.to_f64());
    }
}

/// A pool all of whose assets are lent stays at full utilization, so its books follow the same solution.
#[test]
fn a_pool_that_is_fully_lent_follows_the_curve() {
    use crate::pool::{Kind, Pool, RateTerms};
    for model in [RateModel::Adaptive(SLOW), RateModel::Kinked(KINKED)] {
        let terms = RateTerms { model, reserve_factor_bps: 1_000 };
        let mut pool = Pool::new(Kind::Pooled, 0, &terms).unwrap();
        pool.deposit(Amount(1_000_000_000_000), Amount::MAX).unwrap();
        pool.borrow(Amount(1_000_000_000_000), Amount::MAX).unwrap();
        pool.reprice(&terms).unwrap();
        for hour in 1..=8_760 {
            pool.accrue(hour * 3_600).unwrap();
            pool.reprice(&terms).unwrap();
            pool.check().unwrap();
        }
        let off = relative(pool.debt_index.0, &Exact::of(&model, 10_000).index());
        assert!(off.abs() < Real::ratio(1, 1_000_000_000_000u64), "{:e}", off.to_f64());
    }
}
