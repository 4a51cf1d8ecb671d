//! The swap between the minted token and a pooled dollar asset: the ceiling of the token's price and its first floor.
//!
//! A token is a dollar. The asset counts at a dollar at most when it comes in, and at a dollar at least when it goes out;
//! beyond that at its price, lowered or raised as for new risk. So an asset that loses its peg buys fewer tokens and
//! does not run off with par.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::price::UnitPrice;
use crate::units::Amount;

/// Tokens for `assets` that come in at no less than `low` a unit, rounded down, before the fee.
pub fn tokens_for_assets(assets: Amount, asset_decimals: u8, low: UnitPrice, token_decimals: u8) -> Result<Amount> {
    if low >= par(asset_decimals)? {
        return rescale_floor(assets, asset_decimals, token_decimals);
    }
    par(token_decimals)?.amount_floor(low.value_floor(assets)?)
}

/// Assets for `tokens` that go out at no more than `high` a unit, rounded down, after the fee.
pub fn assets_for_tokens(tokens: Amount, token_decimals: u8, high: UnitPrice, asset_decimals: u8) -> Result<Amount> {
    if high <= par(asset_decimals)? {
        return rescale_floor(tokens, token_decimals, asset_decimals);
    }
    high.amount_floor(par(token_decimals)?.value_floor(tokens)?)
}

/// `amount * fee_bps / 10,000`, rounded up, after the rate is: where it would be a whole number it may be one more.
pub fn fee(amount: Amount, fee_bps: u32) -> Result<Amount> {
    Fraction::from_integer(amount.0).mul_ceil(Fraction::from_bps_ceil(fee_bps))?.ceil_to_u64().map(Amount)
}

/// A dollar per whole token of `decimals`.
fn par(decimals: u8) -> Result<UnitPrice> {
    UnitPrice::new(1, 0, decimals)
}

/// The same number of whole tokens with other decimals, rounded down.
fn rescale_floor(amount: Amount, from: u8, to: u8) -> Result<Amount> {
    let ten = |exponent: u8| 10u128.checked_pow(u32::from(exponent)).ok_or(RiskError::Overflow);
    let scaled = if to >= from {
        u128::from(amount.0).checked_mul(ten(to.saturating_sub(from))?)
    } else {
        u128::from(amount.0).checked_div(ten(from.saturating_sub(to))?)
    };
    scaled.and_then(|n| u64::try_from(n).ok()).map(Amount).ok_or(RiskError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(cents: u128) -> UnitPrice {
        UnitPrice::new(cents, -2, 6).unwrap()
    }

    #[test]
    fn at_par_nothing_is_lost_to_rounding() {
        assert_eq!(tokens_for_assets(Amount(1_000_000), 6, price(100), 6), Ok(Amount(1_000_000)));
        assert_eq!(assets_for_tokens(Amount(1_000_000), 6, price(100), 6), Ok(Amount(1_000_000)));
        let nine = UnitPrice::new(1, 0, 9).unwrap();
        assert_eq!(tokens_for_assets(Amount(1_000_000_999), 9, nine, 6), Ok(Amount(1_000_000)));
        assert_eq!(assets_for_tokens(Amount(1_000_001), 6, nine, 9), Ok(Amount(1_000_001_000)));
    }

    #[test]
    fn nobody_gets_more_than_par() {
        assert_eq!(tokens_for_assets(Amount(1_000_000), 6, price(103), 6), Ok(Amount(1_000_000)));
        assert_eq!(assets_for_tokens(Amount(1_000_000), 6, price(97), 6), Ok(Amount(1_000_000)));
    }

    #[test]
    fn an_asset_off_its_peg_counts_at_its_price() {
        let tokens = tokens_for_assets(Amount(1_000_000), 6, price(87), 6).unwrap().0;
        assert!((869_998..=870_000).contains(&tokens), "{tokens}");
        let assets = assets_for_tokens(Amount(1_000_000), 6, price(125), 6).unwrap().0;
        assert!((799_998..=800_000).contains(&assets), "{assets}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// There and back at any pair of prices never gains.
        #[test]
        fn a_round_trip_never_gains(amount in 1u64..1 << 50, low in 1u128..200, spread in 0u128..50, decimals in 4u8..9) {
            let unit = |cents| UnitPrice::new(cents, -2, decimals).unwrap();
            let tokens = tokens_for_assets(Amount(amount), decimals, unit(low), 6).unwrap();
            let back = assets_for_tokens(tokens, 6, unit(low + spread), decimals).unwrap();
            prop_assert!(back.0 <= amount);
        }
    }
}
