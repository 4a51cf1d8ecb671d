//! How much may leave a reserve within an hour and within a day.
//!
//! Each window is a bucket: what leaves raises its level, what comes in lowers it, and time drains it at the limit per
//! window. A withdrawal or a loan that would raise the level above the limit is refused; a liquidation raises it all
//! the same. There is no window boundary to wait for, and nobody has to reset anything.
//!
//! In any span of `t` seconds, at most `limit * (1 + t / window)` more leaves by withdrawals and loans than comes in: the
//! limit at once, and the limit per window thereafter. What comes in while the level is zero gives no credit beyond the
//! second, so that others' deposits do not make room for a thief. Within the second it does: otherwise a loan for the
//! moment, deposited and withdrawn again, would fill both windows and shut the reserve for everybody else.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::units::Amount;

/// Seconds of the short window.
pub const HOUR: u32 = 3_600;
/// Seconds of the long window.
pub const DAY: u32 = 86_400;

/// The most that may leave at once and per window. [`Amount::MAX`] for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutflowLimits {
    /// Within an hour.
    pub hourly: Amount,
    /// Within a day.
    pub daily: Amount,
}

impl OutflowLimits {
    /// No limits.
    pub const NONE: Self = Self { hourly: Amount::MAX, daily: Amount::MAX };
}

/// The levels of both windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outflow {
    /// Native units that left within the hour, net and drained.
    pub hour: Fraction,
    /// The same for the day.
    pub day: Fraction,
    /// Native units that came in at `drained_at` beyond the hour's level, and have not left since.
    pub hour_credit: Fraction,
    /// The same for the day.
    pub day_credit: Fraction,
    /// Unix seconds up to which both are drained.
    pub drained_at: i64,
}

impl Outflow {
    /// Drains both windows up to `now`, rounded so that they are rather too full, and ends all credit. A clock that stands
    /// still or goes back does neither.
    pub fn drain(&mut self, now: i64, limits: &OutflowLimits) -> Result<()> {
        if now <= self.drained_at {
            return Ok(());
        }
        let elapsed = u64::try_from(now.saturating_sub(self.drained_at)).unwrap_or(u64::MAX);
        self.hour = drained(self.hour, elapsed, limits.hourly, HOUR)?;
        self.day = drained(self.day, elapsed, limits.daily, DAY)?;
        (self.hour_credit, self.day_credit) = (Fraction::ZERO, Fraction::ZERO);
        self.drained_at = now;
        Ok(())
    }

    /// Counts what leaves by a withdrawal or a loan. Call after [`Self::drain`].
    ///
    /// # Errors
    /// `OutflowLimitExceeded`.
    pub fn leave(&mut self, amount: Amount, limits: &OutflowLimits) -> Result<()> {
        self.leave_unrefused(amount, limits)?;
        let over = |level: Fraction, limit: Amount| limit != Amount::MAX && level > Fraction::from_integer(limit.0);
        if over(self.hour, limits.hourly) || over(self.day, limits.daily) {
            return Err(RiskError::OutflowLimitExceeded);
        }
        Ok(())
    }

    /// Counts what leaves by a liquidation, which no limit may stop.
    pub fn leave_unrefused(&mut self, amount: Amount, limits: &OutflowLimits) -> Result<()> {
        (self.hour, self.hour_credit) = raised(self.hour, self.hour_credit, amount, limits.hourly)?;
        (self.day, self.day_credit) = raised(self.day, self.day_credit, amount, limits.daily)?;
        Ok(())
    }

    /// Counts what comes in: deposits and repayments. Call after [`Self::drain`].
    pub fn come_in(&mut self, amount: Amount, limits: &OutflowLimits) -> Result<()> {
        (self.hour, self.hour_credit) = lowered(self.hour, self.hour_credit, amount, limits.hourly)?;
        (self.day, self.day_credit) = lowered(self.day, self.day_credit, amount, limits.daily)?;
        Ok(())
    }
}

/// Level and credit after `amount` left: of the credit first. Nothing is counted without a limit.
fn raised(level: Fraction, credit: Fraction, amount: Amount, limit: Amount) -> Result<(Fraction, Fraction)> {
    if limit == Amount::MAX {
        return Ok((Fraction::ZERO, Fraction::ZERO));
    }
    let amount = Fraction::from_integer(amount.0);
    // Far above any limit a level needs no precision: capped so that it can always be raised again.
    let level = level.checked_add(amount.sub_or_zero(credit))?.min(Fraction::from_integer(u64::MAX));
    Ok((level, credit.sub_or_zero(amount)))
}

/// Level and credit after `amount` came in: beyond the level it is credit.
fn lowered(level: Fraction, credit: Fraction, amount: Amount, limit: Amount) -> Result<(Fraction, Fraction)> {
    if limit == Amount::MAX {
        return Ok((level.sub_or_zero(Fraction::from_integer(amount.0)), Fraction::ZERO));
    }
    let amount = Fraction::from_integer(amount.0);
    let credit = credit.checked_add(amount.sub_or_zero(level))?.min(Fraction::from_integer(u64::MAX));
    Ok((level.sub_or_zero(amount), credit))
}

/// `level - limit * elapsed / window`, rounded up.
fn drained(level: Fraction, elapsed: u64, limit: Amount, window: u32) -> Result<Fraction> {
    if level.is_zero() {
        return Ok(level);
    }
    let limit = Fraction::from_integer(limit.0);
    let windows = elapsed.checked_div(u64::from(window)).ok_or(RiskError::DivisionByZero)?;
    let rest = elapsed.checked_rem(u64::from(window)).ok_or(RiskError::DivisionByZero)?;
    let Ok(whole) = limit.mul_integer(windows) else {
        return Ok(Fraction::ZERO); // more than any level
    };
    let part = limit.mul_floor(Fraction::from_integer(rest).div_small_floor(window)?)?;
    Ok(level.sub_or_zero(whole).sub_or_zero(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const LIMITS: OutflowLimits = OutflowLimits { hourly: Amount(1_000), daily: Amount(5_000) };

    #[test]
    fn the_limit_may_leave_at_once_and_again_an_hour_later() {
        let mut outflow = Outflow::default();
        outflow.drain(1_000_000, &LIMITS).unwrap();
        outflow.leave(Amount(1_000), &LIMITS).unwrap();
        assert_eq!(outflow.leave(Amount(1), &LIMITS), Err(RiskError::OutflowLimitExceeded));
        let mut outflow = Outflow { hour: Fraction::from_integer(1_000), ..outflow };
        outflow.drain(1_000_000 + 1_800, &LIMITS).unwrap();
        assert!(outflow.clone().leave(Amount(500), &LIMITS).is_ok());
        assert_eq!(outflow.clone().leave(Amount(501), &LIMITS), Err(RiskError::OutflowLimitExceeded));
        outflow.drain(1_000_000 + 3_600, &LIMITS).unwrap();
        assert!(outflow.leave(Amount(1_000), &LIMITS).is_ok());
    }

    #[test]
    fn the_day_binds_when_the_hours_do_not() {
        let mut outflow = Outflow::default();
        let mut left = 0;
        for hour in 0..24 {
            outflow.drain(1_000_000 + hour * 3_600, &LIMITS).unwrap();
            left += if outflow.clone().leave(Amount(1_000), &LIMITS).is_ok() {
                outflow.leave(Amount(1_000), &LIMITS).unwrap();
                1_000
            } else {
                0
            };
        }
        assert!((9_000..10_000).contains(&left), "{left}"); // 5,000 at once and 5,000 * 23 / 24 drained
    }

    #[test]
    fn liquidations_count_and_are_never_refused() {
        let mut outflow = Outflow::default();
        outflow.leave_unrefused(Amount(u64::MAX), &LIMITS).unwrap();
        outflow.leave_unrefused(Amount(u64::MAX), &LIMITS).unwrap();
        assert_eq!(outflow.leave(Amount(1), &LIMITS), Err(RiskError::OutflowLimitExceeded));
    }

    #[test]
    fn what_comes_in_makes_room_and_is_credit_for_the_second_only() {
        let mut outflow = Outflow::default();
        outflow.leave(Amount(1_000), &LIMITS).unwrap();
        outflow.come_in(Amount(400), &LIMITS).unwrap();
        outflow.leave(Amount(400), &LIMITS).unwrap();
        outflow.come_in(Amount(1_000_000), &LIMITS).unwrap();
        let credited = outflow;
        // 1,000,000 less the level of 1,000, and then 1,000.
        outflow.leave(Amount(1_000_000), &LIMITS).unwrap();
        assert_eq!(outflow.leave(Amount(1), &LIMITS), Err(RiskError::OutflowLimitExceeded));
        for (second, leaves) in [(-1, 1_000_000), (0, 1_000_000), (1, 1_000)] {
            let mut outflow = credited;
            outflow.drain(second, &LIMITS).unwrap();
            assert_eq!(outflow.clone().leave(Amount(leaves + 1), &LIMITS), Err(RiskError::OutflowLimitExceeded));
            outflow.leave(Amount(leaves), &LIMITS).unwrap();
        }
    }

    /// Whoever brings something in and takes it out again within the second leaves both windows as they were, in parts and at
    /// any level.
    #[test]
    fn what_passes_through_fills_nothing() {
        for level in [0, 1, 999, 1_000, 50_000] {
            let mut outflow = Outflow::default();
            outflow.leave_unrefused(Amount(level), &LIMITS).unwrap();
            let before = outflow;
            for (come, leave) in [(1, 1), (1_000, 1_000), (u64::MAX, u64::MAX)] {
                outflow.come_in(Amount(come), &LIMITS).unwrap();
                outflow.leave_unrefused(Amount(leave / 2), &LIMITS).unwrap();
                outflow.leave_unrefused(Amount(leave - leave / 2), &LIMITS).unwrap();
                assert_eq!(outflow, before, "{level} {come}");
            }
        }
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let mut outflow = Outflow::default();
        outflow.leave(Amount::MAX, &OutflowLimits::NONE).unwrap();
        outflow.come_in(Amount::MAX, &OutflowLimits::NONE).unwrap();
        assert_eq!(outflow, Outflow::default());
        outflow.drain(i64::MAX, &OutflowLimits::NONE).unwrap();
        outflow.leave(Amount::MAX, &OutflowLimits::NONE).unwrap();
        assert_eq!(outflow, Outflow { drained_at: i64::MAX, ..Outflow::default() });
    }

    #[test]
    fn a_clock_that_goes_back_drains_nothing() {
        let full = Outflow { hour: Fraction::ONE, day: Fraction::ONE, drained_at: 100, ..Outflow::default() };
        let mut outflow = full;
        outflow.drain(99, &LIMITS).unwrap();
        assert_eq!(outflow, full);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The bound at the head of this module, for every span of whole seconds of any history.
        #[test]
        fn no_span_lets_out_more_than_stated(
            steps in proptest::collection::vec((prop_oneof![Just(0), 0u32..8_000], 0u64..1_500, any::<bool>()), 1..40),
        ) {
            let mut outflow = Outflow { drained_at: 1, ..Outflow::default() };
            let mut now = 1i64;
            let mut history: Vec<(i64, i128)> = Vec::new(); // time, net outflow
            for (wait, amount, incoming) in steps {
                now += i64::from(wait);
                outflow.drain(now, &LIMITS).unwrap();
                if incoming {
                    outflow.come_in(Amount(amount), &LIMITS).unwrap();
                    history.push((now, -i128::from(amount)));
                } else {
                    let mut next = outflow;
                    if next.leave(Amount(amount), &LIMITS).is_ok() {
                        outflow = next;
                        history.push((now, i128::from(amount)));
                    }
                }
            }
            for (i, (from, _)) in history.iter().enumerate().filter(|(i, (from, _))| *i == 0 || history[i - 1].0 < *from) {
                let mut net = 0i128;
                for (to, amount) in &history[i..] {
                    net += amount;
                    let span = i128::from(to - from);
                    prop_assert!(net * 3_600 <= 1_000 * (3_600 + span), "{net} in {span} s");
                    prop_assert!(net * 86_400 <= 5_000 * (86_400 + span), "{net} in {span} s");
                }
            }
        }

        /// Draining often or seldom comes to the same, within the rounding of each step.
        #[test]
        fn draining_in_steps_is_draining_at_once(level in 0u64..u64::MAX / 2, cuts in proptest::collection::vec(1u32..2_000, 1..30)) {
            let level_of = Fraction::from_integer(level);
            let start = Outflow { hour: level_of, day: level_of, ..Outflow::default() };
            let limits = OutflowLimits { hourly: Amount(level / 2 + 1), daily: Amount(level / 2 + 1) };
            let (mut stepwise, mut at_once) = (start, start);
            let mut now = 0i64;
            for cut in &cuts {
                now += i64::from(*cut);
                stepwise.drain(now, &limits).unwrap();
            }
            at_once.drain(now, &limits).unwrap();
            prop_assert!(stepwise.day >= at_once.day);
            // Each step loses less than a unit in the last place of the ratio, times the limit.
            let tolerance = Fraction::from_bits(u128::from(limits.daily.0) * (cuts.len() as u128 + 1));
            prop_assert!(stepwise.day.checked_sub(at_once.day).unwrap() <= tolerance);
        }
    }
}
