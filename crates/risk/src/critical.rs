//! The prices at which a vault stops being healthy: what its owner wants to be told.
//!
//! Each answers for one asset while the prices of the others stand still. Both are exact: at the price found the vault is
//! healthy by [`Totals::is_healthy`], at the next one, a unit of 2^-96 dollars away, it is not.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::health::Totals;
use crate::price::UnitPrice;
use crate::units::{Amount, Usd};
use crate::wide;

/// By how many bits a price is finer than a value.
const SHIFT: u32 = UnitPrice::BITS - Fraction::BITS;

/// The lowest price of a collateral at which the vault is healthy: `amount` of it carries what the debt exceeds the limit
/// of the `others` by. `factor` is what a dollar of it carries. Zero when the others carry the debt alone; `None` when no
/// price is high enough.
///
/// # Errors
/// None: what does not fit is no price.
pub fn lowest_price(others: &Totals, amount: Amount, factor: Fraction) -> Result<Option<UnitPrice>> {
    let missing = others.debt.0.sub_or_zero(others.limit.0);
    if missing.is_zero() {
        return Ok(Some(UnitPrice::ZERO));
    }
    // floor(value * factor) reaches `missing` exactly when value * factor does.
    let value = match missing.div_ceil(factor) {
        Ok(value) => Usd(value),
        Err(RiskError::Overflow | RiskError::DivisionByZero) => return Ok(None),
        Err(other) => return Err(other),
    };
    // So does floor(amount * price / 2^36).
    let price = quotient(value, amount).and_then(|(floor, inexact)| floor.checked_add(u128::from(inexact)));
    Ok(price.map(UnitPrice::from_bits))
}

/// The highest price of a debt of `amount` at which the vault is healthy: the debt then uses up what the limit of the
/// vault exceeds the `others` by. `None` when even a price of zero is too much.
pub fn highest_price(others: &Totals, amount: Amount) -> Option<UnitPrice> {
    let room = Usd(others.limit.0.checked_sub(others.debt.0).ok()?);
    if amount.is_zero() {
        return Some(UnitPrice::MAX);
    }
    match quotient(room, amount) {
        // Of a debt, a price counts as the one above it.
        Some((bits, _)) => bits.checked_sub(1).map(UnitPrice::from_bits),
        // The highest price of all cannot be rounded up: nothing is worth it.
        None => Some(UnitPrice::from_bits(u128::MAX.wrapping_sub(1))),
    }
}

/// `value / amount` with the bits of a price, rounded down, and whether that lost anything. `None` when it does not fit.
fn quotient(value: Usd, amount: Amount) -> Option<(u128, bool)> {
    let bits = value.0.to_bits();
    let (quotient, remainder) = wide::div(bits >> 128u32.wrapping_sub(SHIFT), bits << SHIFT, u128::from(amount.0))?;
    Some((quotient, remainder != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn totals(limit: u128, debt: u128) -> Totals {
        let usd = |bits| Usd(Fraction::from_bits(bits));
        Totals { collateral: usd(limit), limit: usd(limit), debt: usd(debt) }
    }

    fn with_collateral(others: &Totals, amount: Amount, factor: Fraction, price: UnitPrice) -> Option<bool> {
        let mut all = *others;
        all.add_collateral(price.value_floor(amount).ok()?, factor).ok()?;
        Some(all.is_healthy())
    }

    fn with_debt(others: &Totals, amount: Amount, price: UnitPrice) -> Option<bool> {
        let mut all = *others;
        all.add_debt(price.value_ceil(amount).ok()?).ok()?;
        Some(all.is_healthy())
    }

    fn dollars(n: u64) -> u128 {
        Fraction::from_integer(n).to_bits()
    }

    /// A whole token of `decimals` at so many dollars.
    fn price(n: u64, decimals: u8) -> UnitPrice {
        UnitPrice::new(u128::from(n), 0, decimals).unwrap()
    }

    #[test]
    fn ten_tokens_against_a_thousand_dollars() {
        // Half of their value counts, and 200 dollars of limit are there already: (1000 - 200) / (10 / 2).
        let (half, ten) = (Fraction::from_bits(1 << 59), Amount(10_000_000_000));
        let found = lowest_price(&totals(dollars(200), dollars(1_000)), ten, half).unwrap().unwrap();
        assert!(found > price(160, 9) && found.to_bits() - price(160, 9).to_bits() <= 1, "{found:?}");
        // What may be owed beside 300 dollars of other debt: (1000 - 300) / 10.
        let found = highest_price(&totals(dollars(1_000), dollars(300)), ten).unwrap();
        assert!(found <= price(70, 9) && price(70, 9).to_bits() - found.to_bits() <= 1, "{found:?}");
    }

    #[test]
    fn some_vaults_have_no_such_price() {
        let (one, debt) = (Amount(1), totals(0, dollars(1)));
        assert_eq!(lowest_price(&totals(5, 5), one, Fraction::ONE), Ok(Some(UnitPrice::ZERO)));
        assert_eq!(lowest_price(&totals(6, 5), Amount::ZERO, Fraction::ZERO), Ok(Some(UnitPrice::ZERO)));
        assert_eq!(lowest_price(&debt, one, Fraction::ZERO), Ok(None));
        assert_eq!(lowest_price(&debt, Amount::ZERO, Fraction::ONE), Ok(None));
        assert_eq!(lowest_price(&totals(0, u128::MAX), one, Fraction::EPSILON), Ok(None));
        assert_eq!(lowest_price(&totals(0, u128::MAX), one, Fraction::ONE), Ok(None));
        assert_eq!(highest_price(&totals(5, 6), one), None);
        assert_eq!(highest_price(&totals(5, 6), Amount::ZERO), None);
        assert_eq!(highest_price(&totals(5, 5), one), None, "any debt is worth something");
        assert_eq!(highest_price(&totals(5, 5), Amount::ZERO), Some(UnitPrice::MAX));
        let most = highest_price(&totals(u128::MAX, 0), one).unwrap();
        assert_eq!(most.to_bits(), u128::MAX - 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn healthy_at_the_lowest_price_and_not_below(
            (limit, debt) in (0u128..1 << 100, 0u128..1 << 100),
            (amount, narrow) in (1u64.., 0u32..64),
            factor in 1u128..=1 << 60,
        ) {
            let (others, amount) = (totals(limit, debt), Amount((amount >> narrow).max(1)));
            let factor = Fraction::from_bits(factor);
            match lowest_price(&others, amount, factor).unwrap() {
                Some(found) => {
                    prop_assert!(with_collateral(&others, amount, factor, found).unwrap_or(true));
                    if let Some(below) = found.to_bits().checked_sub(1) {
                        prop_assert_eq!(with_collateral(&others, amount, factor, UnitPrice::from_bits(below)), Some(false));
                    }
                }
                None => {
                    prop_assert!(debt > limit);
                    prop_assert_ne!(with_collateral(&others, amount, factor, UnitPrice::MAX), Some(true));
                }
            }
        }

        #[test]
        fn healthy_at_the_highest_price_and_not_above(
            (limit, debt) in (0u128..1 << 100, 0u128..1 << 100),
            (amount, narrow) in (1u64.., 0u32..64),
        ) {
            let (others, amount) = (totals(limit, debt), Amount((amount >> narrow).max(1)));
            match highest_price(&others, amount) {
                Some(found) => {
                    prop_assert_eq!(with_debt(&others, amount, found), Some(true));
                    // Above it the value may not fit, which is no health either.
                    let above = UnitPrice::from_bits(found.to_bits() + 1);
                    prop_assert_ne!(with_debt(&others, amount, above), Some(true));
                }
                None => prop_assert_ne!(with_debt(&others, amount, UnitPrice::ZERO), Some(true)),
            }
        }
    }
}
