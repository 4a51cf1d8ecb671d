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

/// What the books of a reserve hold beyond what they owe: available + debt owed - supply claims, in native units times
/// 2^120.
pub fn slack(reserve: &Reserve) -> BigInt {
    let word = |w: keel::state::Words| BigInt::from(w.get());
    let available = BigInt::from(reserve.available) << 120;
    available + word(reserve.debt_shares) * word(reserve.debt_index)
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
