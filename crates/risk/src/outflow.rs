//! How much may leave a reserve within an hour and within a day.
//!
//! Each window is a bucket: what leaves raises its level, what comes in lowers it, and time drains it at the limit per
//! window. A withdrawal or a loan that would raise the level above the limit is refused; a liquidation raises it all
//! the same. There is no window boundary to wait for, and nobody has to reset anything.
//!
//! In any span of `t` seconds, at most `limit * (1 + t / window)` more leaves by withdrawals and loans than comes in: the
//! limit at once, and the limit per window thereafter. What comes in while the level is zero gives no credit, so that
//! others' deposits do not make room for a thief.

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
    /// Unix seconds up to which both are drained.
    pub drained_at: i64,
}

impl Outflow {
    /// Drains both windows up to `now`, rounded so that they are rather too full. A clock that goes back drains nothing.
    pub fn drain(&mut self, now: i64, limits: &OutflowLimits) -> Result<()> {
        if now <= self.drained_at {
            return Ok(());
        }
        let elapsed = u64::try_from(now.saturating_sub(self.drained_at)).unwrap_or(u64::MAX);
        self.hour = drained(self.hour, elapsed, limits.hourly, HOUR)?;
        self.day = drained(self.day, elapsed, limits.daily, DAY)?;
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
        let raise = |level: Fraction, limit: Amount| match limit {
            Amount::MAX => Ok(Fraction::ZERO),
            // Far above any limit a level needs no precision: capped so that it can always be raised again.
            _ => level.checked_add(Fraction::from_integer(amount.0)).map(|l| l.min(Fraction::from_integer(u64::MAX))),
        };
        self.hour = raise(self.hour, limits.hourly)?;
        self.day = raise(self.day, limits.daily)?;
        Ok(())
    }

    /// Counts what comes in: deposits and repayments.
    pub fn come_in(&mut self, amount: Amount) {
        let amount = Fraction::from_integer(amount.0);
        self.hour = self.hour.sub_or_zero(amount);
        self.day = self.day.sub_or_zero(amount);
    }
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
    fn what_comes_in_makes_room_but_gives_no_credit() {
        let mut outflow = Outflow::default();
        outflow.leave(Amount(1_000), &LIMITS).unwrap();
        outflow.come_in(Amount(400));
        outflow.leave(Amount(400), &LIMITS).unwrap();
        outflow.come_in(Amount(1_000_000));
        outflow.leave(Amount(1_000), &LIMITS).unwrap();
        assert_eq!(outflow.leave(Amount(1), &LIMITS), Err(RiskError::OutflowLimitExceeded));
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let mut outflow = Outflow::default();
        outflow.leave(Amount::MAX, &OutflowLimits::NONE).unwrap();
        outflow.drain(i64::MAX, &OutflowLimits::NONE).unwrap();
        outflow.leave(Amount::MAX, &OutflowLimits::NONE).unwrap();
        assert_eq!((outflow.hour, outflow.day), (Fraction::ZERO, Fraction::ZERO));
    }

    #[test]
    fn a_clock_that_goes_back_drains_nothing() {
        let mut outflow = Outflow { hour: Fraction::ONE, day: Fraction::ONE, drained_at: 100 };
        outflow.drain(99, &LIMITS).unwrap();
        assert_eq!(outflow, Outflow { hour: Fraction::ONE, day: Fraction::ONE, drained_at: 100 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The bound at the head of this module, for every span of any history.
        #[test]
        fn no_span_lets_out_more_than_stated(
            steps in proptest::collection::vec((0u32..8_000, 0u64..1_500, any::<bool>()), 1..40),
        ) {
            let mut outflow = Outflow { drained_at: 1, ..Outflow::default() };
            let mut now = 1i64;
            let mut history: Vec<(i64, i128)> = Vec::new(); // time, net outflow
            for (wait, amount, incoming) in steps {
                now += i64::from(wait);
                outflow.drain(now, &LIMITS).unwrap();
                if incoming {
                    outflow.come_in(Amount(amount));
                    history.push((now, -i128::from(amount)));
                } else {
                    let mut next = outflow;
                    if next.leave(Amount(amount), &LIMITS).is_ok() {
                        outflow = next;
                        history.push((now, i128::from(amount)));
                    }
                }
            }
            for (i, (from, _)) in history.iter().enumerate() {
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
            let start = Outflow { hour: Fraction::from_integer(level), day: Fraction::from_integer(level), drained_at: 0 };
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
