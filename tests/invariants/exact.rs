//! Exact arithmetic for the checks, independent of the fixed point that it checks.

use keel::state::Reserve;
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::units::Usd;
use num_bigint::BigInt;

/// 2^60, the one of [`Fraction`].
pub fn one() -> BigInt {
    BigInt::from(Fraction::ONE.to_bits())
}

/// A fraction, times 2^60.
pub fn bits(fraction: Fraction) -> BigInt {
    BigInt::from(fraction.to_bits())
}

/// What the books of a reserve hold beyond what they owe: available + flash + debt owed + deficit - supply claims, in native
/// units times 2^120.
pub fn slack(reserve: &Reserve) -> BigInt {
    let word = |w: keel::state::Words| BigInt::from(w.get());
    let held = (BigInt::from(reserve.available) + reserve.flash) << 120;
    held + (word(reserve.deficit) << 60) + word(reserve.debt_shares) * word(reserve.debt_index)
        - word(reserve.supply_shares) * word(reserve.supply_index)
}

/// Whether `a / b >= c / d`, where a zero denominator means infinity.
pub fn ratio_at_least(a: Usd, b: Usd, c: Usd, d: Usd) -> bool {
    b.is_zero() || (!d.is_zero() && bits(a.0) * bits(d.0) >= bits(c.0) * bits(b.0))
}

/// Whether health `after` is strictly above that `before`.
pub fn healthier(after: &Totals, before: &Totals) -> bool {
    !ratio_at_least(before.limit, before.debt, after.limit, after.debt)
}

/// Basis points per hour in one per second, and basis points in one: what haircuts are scaled by to be exact.
pub const BPS_HOUR: u64 = 36_000_000;

/// The maintenance haircut at `now`, exactly: 2^60 times [`BPS_HOUR`] is one.
pub fn maintenance_at(reserve: &Reserve, now: i64) -> BigInt {
    let haircut = &reserve.haircut;
    let scaled = |words: keel::state::Words| BigInt::from(words.get()) * BPS_HOUR;
    let (from, to) = (scaled(haircut.maintenance), scaled(haircut.target));
    let travel = |bps_per_hour: u32| one() * bps_per_hour * (now - haircut.moved_at).max(0);
    if from < to {
        (from + travel(reserve.config.volatility.up_bps_per_hour)).min(to)
    } else {
        (from - travel(reserve.config.volatility.down_bps_per_hour)).max(to)
    }
}

/// The haircut of new risk at `now`, in the same unit.
pub fn initial_at(reserve: &Reserve, now: i64) -> BigInt {
    maintenance_at(reserve, now).max(BigInt::from(reserve.haircut.target.get()) * BPS_HOUR)
}
