//! Which oracle observation is acceptable, and what it says an amount is worth.
//!
//! An observation passes through three steps, each a function here:
//!
//! 1. [`Observation::accept`]: is it fresh, ordered, positive and confident enough for this purpose?
//! 2. [`Observation::low`], [`Observation::high`], [`Observation::spot`]: the price for a side, as a [`UnitPrice`].
//! 3. [`combine`]: two oracles of one asset become one price.
//!
//! | purpose | collateral priced at | debt priced at |
//! |---|---|---|
//! | new risk (borrow, withdraw) | min(spot - k conf, ema - k ema_conf), the lower oracle | max(spot + k conf, ema + k ema_conf), the higher oracle |
//! | liquidation | spot, the higher oracle | spot, the lower oracle |

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::units::{Amount, Usd};
use crate::wide;

/// Basis points in one.
const BPS: u64 = 10_000;

/// What an oracle published: dollars per whole token, times `10^-exponent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The price, in units of `10^exponent` dollars.
    pub price: i64,
    /// Half the width of the price's confidence interval, in the same unit.
    pub confidence: u64,
    /// The exponentially weighted moving average of the price, in the same unit.
    pub ema_price: i64,
    /// That of the confidence.
    pub ema_confidence: u64,
    /// Power of ten of the unit, usually negative.
    pub exponent: i32,
    /// When it was published, Unix seconds.
    pub publish_time: i64,
    /// The slot in which it was posted to the chain.
    pub posted_slot: u64,
}

/// What an action demands of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Maximum age, in seconds.
    pub max_age: u32,
    /// Maximum of confidence / price, in basis points, for the spot price and for its average.
    pub max_confidence_bps: u32,
}

/// The moment at which a price is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds.
    pub now: i64,
    /// The slot at which the cluster last restarted; zero if it never did.
    pub last_restart_slot: u64,
}

/// How far in the future a price may have been published, in seconds: validators' clocks drift.
pub const FUTURE_TOLERANCE: i64 = 10;

impl Observation {
    /// Whether this observation may be used at `moment` under `bounds`, after one published at `last_publish_time`
    /// was accepted.
    ///
    /// Anyone can post an older update that is still valid, and would pick the one that suits them: hence the order.
    ///
    /// # Errors
    /// In the order of the checks: `PriceFromFuture`, `PriceStale`, `PriceReplayed`, `PriceBeforeRestart`,
    /// `PriceNotPositive`, `PriceLowConfidence`.
    pub fn accept(&self, bounds: &Bounds, moment: &Moment, last_publish_time: i64) -> Result<()> {
        if self.publish_time > moment.now.saturating_add(FUTURE_TOLERANCE) {
            return Err(RiskError::PriceFromFuture);
        }
        if moment.now.saturating_sub(self.publish_time) > i64::from(bounds.max_age) {
            return Err(RiskError::PriceStale);
        }
        if self.publish_time < last_publish_time {
            return Err(RiskError::PriceReplayed);
        }
        if moment.last_restart_slot != 0 && self.posted_slot <= moment.last_restart_slot {
            return Err(RiskError::PriceBeforeRestart);
        }
        let (price, ema) = (positive(self.price)?, positive(self.ema_price)?);
        if !is_confident(price, self.confidence, bounds) || !is_confident(ema, self.ema_confidence, bounds) {
            return Err(RiskError::PriceLowConfidence);
        }
        Ok(())
    }

    /// The spot price, for an asset of `decimals`.
    pub fn spot(&self, decimals: u8) -> Result<UnitPrice> {
        UnitPrice::new(u128::from(positive(self.price)?), self.exponent, decimals)
    }

    /// The lower of `price - k * confidence` for spot and average, `k` in basis points; zero if that is negative.
    pub fn low(&self, decimals: u8, k_bps: u32) -> Result<UnitPrice> {
        let below = |price: i64, confidence: u64| -> Result<u128> {
            Ok(u128::from(positive(price)?).saturating_sub(scaled_confidence(confidence, k_bps)))
        };
        let mantissa = below(self.price, self.confidence)?.min(below(self.ema_price, self.ema_confidence)?);
        UnitPrice::new(mantissa, self.exponent, decimals)
    }

    /// The higher of `price + k * confidence` for spot and average, `k` in basis points.
    pub fn high(&self, decimals: u8, k_bps: u32) -> Result<UnitPrice> {
        let above = |price: i64, confidence: u64| -> Result<u128> {
            let margin = scaled_confidence(confidence, k_bps);
            u128::from(positive(price)?).checked_add(margin).ok_or(RiskError::Overflow)
        };
        let mantissa = above(self.price, self.confidence)?.max(above(self.ema_price, self.ema_confidence)?);
        UnitPrice::new(mantissa, self.exponent, decimals)
    }
}

fn positive(price: i64) -> Result<u64> {
    match u64::try_from(price) {
        Ok(p) if p > 0 => Ok(p),
        _ => Err(RiskError::PriceNotPositive),
    }
}

/// `confidence / price <= max_confidence_bps / 10,000`, without dividing. The products stay below 2^97.
fn is_confident(price: u64, confidence: u64, bounds: &Bounds) -> bool {
    wide::mul_64(confidence, BPS) <= wide::mul_64(price, u64::from(bounds.max_confidence_bps))
}

/// `confidence * k_bps / 10,000`, rounded up, away from the price. The product stays below 2^97.
fn scaled_confidence(confidence: u64, k_bps: u32) -> u128 {
    match wide::div_small(wide::mul_64(confidence, u64::from(k_bps)), 10_000) {
        Some((quotient, remainder)) => quotient.saturating_add(u128::from(remainder != 0)),
        None => u128::MAX,
    }
}

/// Dollars per native unit, with 96 fractional bits: enough for a token worth a billionth of a dollar with nine
/// decimals (relative error below 1e-10) and for one worth four billion dollars with none.
///
/// The number stored is the exact price rounded down, so that the exact price lies in `[bits, bits + 1) / 2^96`. Where
/// rounding up is called for, `bits + 1` is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitPrice(u128);

/// 10^0 to 10^38, all that a u128 holds.
const POWERS_OF_TEN: [u128; 39] = {
    let mut table = [1u128; 39];
    let mut k = 1;
    #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated at compile time
    while k < 39 {
        table[k] = table[k - 1] * 10;
        k += 1;
    }
    table
};

impl UnitPrice {
    /// Number of fractional bits.
    pub const BITS: u32 = 96;
    /// By how many bits more than a [`Fraction`].
    const TO_FRACTION: u32 = Self::BITS - Fraction::BITS;
    /// Worth nothing.
    pub const ZERO: Self = Self(0);
    /// Worth more than anything.
    pub const MAX: Self = Self(u128::MAX);

    /// `mantissa * 10^exponent` dollars per whole token of `decimals`, rounded down.
    ///
    /// # Errors
    /// `PriceExponentOutOfRange` unless `0 <= decimals - exponent <= 38`; `Overflow` at 2^32 dollars per native unit
    /// and above.
    pub fn new(mantissa: u128, exponent: i32, decimals: u8) -> Result<Self> {
        let tens = i32::from(decimals)
            .checked_sub(exponent)
            .and_then(|tens| usize::try_from(tens).ok())
            .filter(|tens| *tens < POWERS_OF_TEN.len())
            .ok_or(RiskError::PriceExponentOutOfRange)?;
        if let Some(quotient) = Self::by_short_divisions(mantissa, tens) {
            return Ok(Self(quotient));
        }
        let power = POWERS_OF_TEN.get(tens).ok_or(RiskError::PriceExponentOutOfRange)?;
        let (high, low) = (mantissa >> (128 - Self::BITS), mantissa << Self::BITS);
        wide::div(high, low, *power).map(|(quotient, _)| Self(quotient)).ok_or(RiskError::Overflow)
    }

    /// `mantissa * 2^96 / 10^tens`, rounded down, at half the cost: by 10^9 and then by the rest of the power, each of
    /// which fits 32 bits, as floor(floor(n / a) / b) = floor(n / (a b)). `None` where the numbers are too large for
    /// that, which those of real assets are not.
    fn by_short_divisions(mantissa: u128, tens: usize) -> Option<u128> {
        const BILLION: u32 = 1_000_000_000;
        let rest_of_power = u32::try_from(*POWERS_OF_TEN.get(tens.checked_sub(9)?)?).ok()?;
        let (upper, remainder) = wide::div_small(u128::from(u64::try_from(mantissa).ok()?) << 64, BILLION)?;
        let lower = (u64::from(remainder) << 32).checked_div(u64::from(BILLION))?;
        if upper >> 96 != 0 {
            return None;
        }
        wide::div_small((upper << 32) | u128::from(lower), rest_of_power).map(|(quotient, _)| quotient)
    }

    /// The price whose 96-bit fixed-point representation is `bits`.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// `self * 2^96`, rounded down.
    pub const fn to_bits(self) -> u128 {
        self.0
    }

    fn upper(self) -> Result<u128> {
        self.0.checked_add(1).ok_or(RiskError::Overflow)
    }

    /// What `amount` is worth, never more than exactly: for collateral.
    pub fn value_floor(self, amount: Amount) -> Result<Usd> {
        let value = wide::mul_shr_floor::<{ Self::TO_FRACTION }>(u128::from(amount.0), self.0);
        value.map(|bits| Usd(Fraction::from_bits(bits))).ok_or(RiskError::Overflow)
    }

    /// What `amount` is worth, never less than exactly: for debt.
    pub fn value_ceil(self, amount: Amount) -> Result<Usd> {
        let value = wide::mul_shr_ceil::<{ Self::TO_FRACTION }>(u128::from(amount.0), self.upper()?);
        value.map(|bits| Usd(Fraction::from_bits(bits))).ok_or(RiskError::Overflow)
    }

    /// The most native units that are certainly worth no more than `value`.
    pub fn amount_floor(self, value: Usd) -> Result<Amount> {
        let (quotient, _) = Self::divide(value, self.upper()?)?;
        u64::try_from(quotient).map(Amount).map_err(|_| RiskError::Overflow)
    }

    /// The fewest native units that are certainly worth no less than `value`. Fails at a price of zero.
    pub fn amount_ceil(self, value: Usd) -> Result<Amount> {
        if self.0 == 0 {
            return Err(RiskError::DivisionByZero);
        }
        let (quotient, remainder) = Self::divide(value, self.0)?;
        let ceil = quotient.checked_add(u128::from(remainder != 0)).ok_or(RiskError::Overflow)?;
        u64::try_from(ceil).map(Amount).map_err(|_| RiskError::Overflow)
    }

    fn divide(value: Usd, price_bits: u128) -> Result<(u128, u128)> {
        const SHIFT: u32 = UnitPrice::TO_FRACTION;
        let bits = value.0.to_bits();
        wide::div(bits >> (128 - SHIFT), bits << SHIFT, price_bits).ok_or(RiskError::Overflow)
    }
}

/// Which side of a vault an asset is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Supplied: it carries debt, and is lent to others at the same time.
    Collateral,
    /// Owed.
    Debt,
}

/// What a price is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Borrow and withdraw: every doubt counts against the vault.
    NewRisk,
    /// Liquidation: spot prices, and of two oracles the one better for the owner.
    Liquidation,
}

/// The price of one observation for a side and a purpose.
pub fn price_for(
    observation: &Observation,
    side: Side,
    purpose: Purpose,
    decimals: u8,
    confidence_multiple_bps: u32,
) -> Result<UnitPrice> {
    match (purpose, side) {
        (Purpose::NewRisk, Side::Collateral) => observation.low(decimals, confidence_multiple_bps),
        (Purpose::NewRisk, Side::Debt) => observation.high(decimals, confidence_multiple_bps),
        (Purpose::Liquidation, _) => observation.spot(decimals),
    }
}

/// One price from two oracles of the same asset.
pub fn combine(a: UnitPrice, b: UnitPrice, side: Side, purpose: Purpose) -> UnitPrice {
    match (purpose, side) {
        (Purpose::NewRisk, Side::Collateral) | (Purpose::Liquidation, Side::Debt) => a.min(b),
        (Purpose::NewRisk, Side::Debt) | (Purpose::Liquidation, Side::Collateral) => a.max(b),
    }
}

/// Whether the spot prices of two oracles differ by at most `max_divergence_bps` of the lower.
///
/// # Errors
/// `PriceDivergence` when they do not.
pub fn check_divergence(a: UnitPrice, b: UnitPrice, max_divergence_bps: u32) -> Result<()> {
    let (low, high) = (a.min(b).0, a.max(b).0);
    let gap = high.saturating_sub(low);
    // Without dividing: gap * 10,000 <= low * bound, in 256 bits.
    if wide::mul(gap, u128::from(BPS)) <= wide::mul(low, u128::from(max_divergence_bps)) {
        Ok(())
    } else {
        Err(RiskError::PriceDivergence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { max_age: 60, max_confidence_bps: 200 };
    const MOMENT: Moment = Moment { now: 1_000_000, last_restart_slot: 0 };

    fn sol() -> Observation {
        Observation {
            price: 200_00000000,
            confidence: 10000000,
            ema_price: 198_00000000,
            ema_confidence: 20000000,
            exponent: -8,
            publish_time: 999_990,
            posted_slot: 77,
        }
    }

    #[test]
    fn a_good_price_is_accepted() {
        assert_eq!(sol().accept(&BOUNDS, &MOMENT, 999_990), Ok(()));
    }

    #[test]
    fn age_is_bounded_on_both_sides() {
        let at = |publish_time| Observation { publish_time, ..sol() }.accept(&BOUNDS, &MOMENT, 0);
        assert_eq!(at(1_000_000 - 60), Ok(()));
        assert_eq!(at(1_000_000 - 61), Err(RiskError::PriceStale));
        assert_eq!(at(1_000_000 + FUTURE_TOLERANCE), Ok(()));
        assert_eq!(at(1_000_000 + FUTURE_TOLERANCE + 1), Err(RiskError::PriceFromFuture));
        assert_eq!(at(i64::MIN), Err(RiskError::PriceStale));
        assert_eq!(at(i64::MAX), Err(RiskError::PriceFromFuture));
    }

    #[test]
    fn publish_times_never_go_back() {
        assert_eq!(sol().accept(&BOUNDS, &MOMENT, 999_990), Ok(()));
        assert_eq!(sol().accept(&BOUNDS, &MOMENT, 999_991), Err(RiskError::PriceReplayed));
    }

    #[test]
    fn only_prices_posted_after_a_restart_count() {
        let after = |last_restart_slot| sol().accept(&BOUNDS, &Moment { last_restart_slot, ..MOMENT }, 0);
        assert_eq!(after(76), Ok(()));
        assert_eq!(after(77), Err(RiskError::PriceBeforeRestart));
    }

    #[test]
    fn prices_are_positive() {
        for price in [0, -1, i64::MIN] {
            assert_eq!(Observation { price, ..sol() }.accept(&BOUNDS, &MOMENT, 0), Err(RiskError::PriceNotPositive));
            let ema = Observation { ema_price: price, ..sol() };
            assert_eq!(ema.accept(&BOUNDS, &MOMENT, 0), Err(RiskError::PriceNotPositive));
        }
    }

    #[test]
    fn confidence_is_bounded_for_spot_and_average() {
        let spot = |confidence| Observation { confidence, ..sol() }.accept(&BOUNDS, &MOMENT, 0);
        assert_eq!(spot(4_00000000), Ok(())); // 2 % of 200
        assert_eq!(spot(4_00000001), Err(RiskError::PriceLowConfidence));
        assert_eq!(spot(u64::MAX), Err(RiskError::PriceLowConfidence));
        let ema = |ema_confidence| Observation { ema_confidence, ..sol() }.accept(&BOUNDS, &MOMENT, 0);
        assert_eq!(ema(3_96000000), Ok(()));
        assert_eq!(ema(3_96000001), Err(RiskError::PriceLowConfidence));
    }

    #[test]
    fn new_risk_sees_the_worse_of_spot_and_average() {
        let whole = |p: UnitPrice| p.value_floor(Amount(1_000_000_000)).unwrap().0;
        let exact = |n: u64| Fraction::ratio_floor(n, 100).unwrap();
        // Collateral: min(200 - 0.1, 198 - 0.2); debt: max(200 + 0.1, 198 + 0.2).
        assert!(
            exact(19780).checked_sub(whole(sol().low(9, 10_000).unwrap())).unwrap() <= Fraction::from_bits(1 << 30)
        );
        assert!(
            exact(20010).checked_sub(whole(sol().high(9, 10_000).unwrap())).unwrap() <= Fraction::from_bits(1 << 30)
        );
        assert!(exact(20000).checked_sub(whole(sol().spot(9).unwrap())).unwrap() <= Fraction::from_bits(1 << 30));
    }

    #[test]
    fn a_confidence_wider_than_the_price_prices_collateral_at_zero() {
        let wide = Observation { confidence: u64::MAX, ..sol() };
        assert_eq!(wide.low(9, 10_000), Ok(UnitPrice::ZERO));
    }

    #[test]
    fn exponents_out_of_range_are_refused() {
        assert_eq!(UnitPrice::new(1, 1, 0), Err(RiskError::PriceExponentOutOfRange));
        assert_eq!(UnitPrice::new(1, -39, 0), Err(RiskError::PriceExponentOutOfRange));
        assert_eq!(UnitPrice::new(1, i32::MIN, 255), Err(RiskError::PriceExponentOutOfRange));
        assert_eq!(UnitPrice::new(1, i32::MAX, 0), Err(RiskError::PriceExponentOutOfRange));
        assert_eq!(UnitPrice::new(1, -38, 0), Ok(UnitPrice::ZERO));
        assert_eq!(UnitPrice::new(u128::MAX, 0, 0), Err(RiskError::Overflow));
    }

    #[test]
    fn two_oracles_combine_by_side_and_purpose() {
        let (low, high) = (UnitPrice(10), UnitPrice(20));
        for (purpose, side, expected) in [
            (Purpose::NewRisk, Side::Collateral, low),
            (Purpose::NewRisk, Side::Debt, high),
            (Purpose::Liquidation, Side::Collateral, high),
            (Purpose::Liquidation, Side::Debt, low),
        ] {
            assert_eq!(combine(low, high, side, purpose), expected);
            assert_eq!(combine(high, low, side, purpose), expected);
        }
    }

    #[test]
    fn each_use_has_its_price() {
        let price = |purpose, side| price_for(&sol(), side, purpose, 9, 10_000).unwrap();
        assert_eq!(price(Purpose::NewRisk, Side::Collateral), sol().low(9, 10_000).unwrap());
        assert_eq!(price(Purpose::NewRisk, Side::Debt), sol().high(9, 10_000).unwrap());
        assert_eq!(price(Purpose::Liquidation, Side::Collateral), sol().spot(9).unwrap());
        assert_eq!(price(Purpose::Liquidation, Side::Debt), sol().spot(9).unwrap());
    }

    #[test]
    fn divergence_is_measured_from_the_lower_price() {
        assert_eq!(check_divergence(UnitPrice(100), UnitPrice(105), 500), Ok(()));
        assert_eq!(check_divergence(UnitPrice(105), UnitPrice(100), 500), Ok(()));
        assert_eq!(check_divergence(UnitPrice(100), UnitPrice(106), 500), Err(RiskError::PriceDivergence));
        assert_eq!(check_divergence(UnitPrice(0), UnitPrice(1), u32::MAX), Err(RiskError::PriceDivergence));
        assert_eq!(check_divergence(UnitPrice(u128::MAX), UnitPrice(u128::MAX), 0), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn prices_are_exact_quotients_rounded_down(mantissa in (any::<u128>(), 0u32..128), tens in 0u8..39) {
            let mantissa = mantissa.0 >> mantissa.1;
            let exact = (BigUint::from(mantissa) << 96u32) / BigUint::from(10u32).pow(u32::from(tens));
            let expected = u128::try_from(exact).map(UnitPrice).map_err(|_| RiskError::Overflow);
            prop_assert_eq!(UnitPrice::new(mantissa, 0, tens), expected);
        }

        /// Collateral never above, debt never below the exact value, and neither far from it.
        #[test]
        fn values_round_as_named(mantissa in 1u64.., decimals in 0u8..=18, exponent in -18i32..=0, amount in any::<u64>()) {
            let k = u32::try_from(i32::from(decimals) - exponent).unwrap();
            let power = BigUint::from(10u32).pow(k);
            let Ok(price) = UnitPrice::new(u128::from(mantissa), exponent, decimals) else {
                // Only what exceeds 2^32 dollars a unit is refused.
                prop_assert!(BigUint::from(mantissa) >= &power << 32u32);
                return Ok(());
            };
            // exact value * 2^60 * power
            let exact = (BigUint::from(mantissa) * BigUint::from(amount)) << 60u32;
            let one_ulp_of_price = (BigUint::from(amount) * &power) >> 36u32; // in the same scale
            if let Ok(floor) = price.value_floor(Amount(amount)) {
                let floor = BigUint::from(floor.0.to_bits()) * &power;
                prop_assert!(floor <= exact);
                prop_assert!(&exact - &floor <= &one_ulp_of_price + &power * 2u32);
            }
            if let Ok(ceil) = price.value_ceil(Amount(amount)) {
                let ceil = BigUint::from(ceil.0.to_bits()) * &power;
                prop_assert!(ceil >= exact);
                prop_assert!(&ceil - &exact <= &one_ulp_of_price + &power * 2u32);
            }
        }

        /// Going to dollars and back never gains a unit in either direction.
        #[test]
        fn amounts_of_a_value_round_as_named(price in (any::<u128>(), 0u32..128), amount in any::<u64>()) {
            let price = UnitPrice(price.0 >> price.1);
            if let Ok(value) = price.value_floor(Amount(amount)) {
                prop_assert!(price.amount_floor(value).unwrap_or_default().0 <= amount);
            }
            if price > UnitPrice::ZERO
                && let Ok(value) = price.value_ceil(Amount(amount))
                && let Ok(back) = price.amount_ceil(value)
            {
                prop_assert!(back.0 >= amount);
            }
        }
    }
}
