//! The swap between the minted token and a pooled dollar asset: the ceiling of the token's price and its first floor.
//!
//! A token is a dollar. The asset counts at a dollar at most when it comes in, and at a dollar at least when it goes out;
//! beyond that at its price, lowered or raised as for new risk. So an asset that loses its peg buys fewer tokens and
//! does not run off with par.
//!
//! # What the swap holds
//!
//! What comes in is supplied to the pooled reserve. The minted pool counts what that is worth at par, in whole units of the
//! token; the invariant, which only a loss of the pooled reserve breaks, and which [`mark`] restores:
//!
//! ```text
//! available <= tokens at par for (held * supply_index, in whole units of the asset, rounded down)
//! ```
//!
//! Shares are rounded too: a deposit may be worth a unit less than was paid in, and a withdrawal may cost a unit more than
//! is paid out. The user bears that unit, which he does not get, so that rounding is never a loss.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::pool::{Books, Loss};
use crate::price::UnitPrice;
use crate::units::{Amount, Quantity, SupplyShares};

/// Both sides of the swap, accrued to the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap<const F: u32 = 60> {
    /// The token's books.
    pub minted: Books<F>,
    /// The asset's books.
    pub pooled: Books<F>,
    /// What the swap holds of the asset.
    pub held: SupplyShares<F>,
    /// Of the token.
    pub token_decimals: u8,
    /// Of the asset.
    pub asset_decimals: u8,
}

/// What was exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Of the token: minted to the user, or burned.
    pub tokens: Amount,
    /// Of the asset: paid by the user, or to him.
    pub assets: Amount,
    /// Of the token, what became surplus.
    pub fee: Amount,
}

impl<const F: u32> Swap<F> {
    /// Values what the swap holds, as [`mark`] does. Call before anything is exchanged, so that a loss of the pooled reserve
    /// is nobody's gain.
    pub fn mark(&mut self, low: UnitPrice) -> Result<Loss> {
        let held = self.pooled.supply_index.amount_of(self.held)?;
        mark(&mut self.minted, held, self.asset_decimals, low, self.token_decimals)
    }

    /// Takes `assets` in, at `low` or par a unit, and mints tokens for what the swap then holds more, less the fee.
    ///
    /// # Errors
    /// `ZeroAmount` when nothing would be minted, `SwapCapExceeded`, and those of [`Books::deposit`].
    pub fn take_in(
        &mut self,
        assets: Amount,
        low: UnitPrice,
        fee_bps: u32,
        swap_cap: Amount,
        deposit_cap: Amount,
    ) -> Result<Exchange> {
        let before = self.pooled.supply_index.amount_of(self.held)?;
        self.held = self.held.checked_add(self.pooled.deposit(assets, deposit_cap)?.shares)?;
        let gained = self.pooled.supply_index.amount_of(self.held)?.checked_sub(before)?;
        let value = tokens_for_assets(gained, self.asset_decimals, low, self.token_decimals)?;
        let fee = fee(value, fee_bps)?;
        let tokens = self.minted.swap_in(value, fee, swap_cap)?;
        Ok(Exchange { tokens, assets, fee })
    }

    /// Burns `tokens` and pays assets for them less the fee, at `high` or par a unit: no more than the swap then holds less.
    ///
    /// # Errors
    /// `ZeroAmount` when nothing would be paid, and those of [`Books::swap_out`] and [`Books::withdraw`].
    pub fn pay_out(&mut self, tokens: Amount, high: UnitPrice, fee_bps: u32) -> Result<Exchange> {
        let fee = fee(tokens, fee_bps)?;
        let paid = self.minted.swap_out(tokens, fee)?;
        let assets = assets_for_tokens(paid, self.token_decimals, high, self.asset_decimals)?;
        let index = self.pooled.supply_index;
        let left = self.held.checked_sub(index.shares_for_withdrawal(assets)?)?;
        let cost = index.amount_of(self.held)?.checked_sub(index.amount_of(left)?)?;
        // A unit more than what is paid, or none.
        let assets = assets.checked_sub(cost.checked_sub(assets)?)?;
        self.held = self.held.checked_sub(self.pooled.withdraw(Quantity::Exact(assets), self.held)?.shares)?;
        Ok(Exchange { tokens, assets, fee })
    }
}

/// Values `held`, whole units of the asset that the swap of `minted` has, at par if the books count more: a loss burns surplus
/// and then is a deficit. At `low` a unit if the books count less: a gain becomes surplus. A price of zero finds losses only.
pub fn mark<const F: u32>(
    minted: &mut Books<F>,
    held: Amount,
    asset_decimals: u8,
    low: UnitPrice,
    token_decimals: u8,
) -> Result<Loss> {
    let at = |price| tokens_for_assets(held, asset_decimals, price, token_decimals);
    minted.mark_swap(at(low)?, at(UnitPrice::MAX)?)
}

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

/// `amount * fee_bps / 10,000`, rounded up: a fee that is a whole number is that number.
pub fn fee(amount: Amount, fee_bps: u32) -> Result<Amount> {
    Fraction::from_integer(amount.0).mul_bps_ceil(fee_bps)?.ceil_to_u64().map(Amount)
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
    use crate::fraction::Fixed;
    use crate::interest::{RateCurve, RateModel};
    use crate::pool::{Kind, RateTerms};
    use crate::units::{DebtShares, SupplyIndex};
    use proptest::prelude::*;

    fn price(cents: u128) -> UnitPrice {
        UnitPrice::new(cents, -2, 6).unwrap()
    }

    const FREE: RateTerms = RateTerms {
        model: RateModel::Kinked(RateCurve {
            base_bps: 20_000,
            slope_bps: 0,
            excess_slope_bps: 0,
            optimal_utilization_bps: 5_000,
        }),
        reserve_factor_bps: 1_000,
    };

    /// A swap beside somebody who supplied and borrowed `others`, a third of it lent.
    fn swap<const F: u32>(asset_decimals: u8, others: u64) -> Swap<F> {
        let mut pooled = Books::new(Kind::Pooled, 0, &FREE).unwrap();
        pooled.deposit(Amount(others), Amount::MAX).unwrap();
        pooled.borrow(Amount(others / 3 + 1), Amount::MAX).unwrap();
        pooled.reprice(&FREE).unwrap();
        let minted = Books::new(Kind::Minted, 0, &FREE).unwrap();
        Swap { minted, pooled, held: SupplyShares::ZERO, token_decimals: 6, asset_decimals }
    }

    impl<const F: u32> Swap<F> {
        /// What the swap holds, in tokens at par.
        fn at_par(&self) -> u64 {
            let held = self.pooled.supply_index.amount_of(self.held).unwrap();
            tokens_for_assets(held, self.asset_decimals, UnitPrice::MAX, self.token_decimals).unwrap().0
        }
    }

    fn exchanges<const F: u32>(steps: &[(u8, u64, u32, u128)], fee_bps: u32, asset_decimals: u8, others: u64) {
        let mut swap = swap::<F>(asset_decimals, others);
        let unit = |cents| UnitPrice::new(cents, -2, asset_decimals).unwrap();
        for (step, amount, shift, cents) in steps {
            let (amount, now) = (Amount(amount >> shift), swap.minted.updated_at);
            let mut next = swap;
            // Whatever happened since, marking it finds no loss, unless the pooled reserve had one.
            let lost = *step == 5;
            let done = match step {
                0 | 1 => {
                    assert_eq!(next.mark(unit(*cents)).unwrap().owed, Amount::ZERO);
                    next.take_in(amount, unit(*cents), fee_bps, Amount::MAX, Amount::MAX).map(|done| {
                        assert_eq!(done.assets, amount);
                        let value = tokens_for_assets(amount, asset_decimals, unit(*cents), 6).unwrap().0;
                        let one = tokens_for_assets(Amount(1), asset_decimals, UnitPrice::MAX, 6).unwrap().0 + 1;
                        assert!((value.saturating_sub(one)..=value).contains(&(done.tokens.0 + done.fee.0)));
                    })
                }
                2 | 3 => {
                    assert_eq!(next.mark(UnitPrice::ZERO).unwrap().owed, Amount::ZERO);
                    // All that the books count, every other time.
                    let tokens = if *step == 2 { amount } else { next.minted.available };
                    let fee_bps = if *step == 2 { fee_bps } else { 0 };
                    let exact = fee(tokens, fee_bps)
                        .and_then(|fee| assets_for_tokens(tokens.checked_sub(fee)?, 6, unit(*cents), asset_decimals));
                    next.pay_out(tokens, unit(*cents), fee_bps).map(|done| {
                        let exact = exact.unwrap().0;
                        assert!((exact.saturating_sub(1)..=exact).contains(&done.assets.0));
                    })
                }
                _ => {
                    let now = now + 1 + i64::try_from(amount.0 % 3_000_000).unwrap();
                    next.minted.accrue(now).unwrap();
                    let accrued = next.pooled.accrue(now);
                    if next.pooled.supply_index.0 > Fixed::from_integer(64) {
                        continue; // where the last place of a share is worth a quarter of a unit
                    }
                    if lost && accrued.is_ok() {
                        let part = DebtShares(next.pooled.debt_shares.0.mul_bps_floor(100).unwrap());
                        next.pooled.write_off(part).unwrap();
                        let (counted, at_par) = (next.minted.available.0, next.at_par());
                        let loss = next.mark(UnitPrice::ZERO).unwrap();
                        assert_eq!(loss.owed.0, counted.saturating_sub(at_par));
                    }
                    accrued
                }
            };
            if done.is_err() {
                continue;
            }
            next.pooled.reprice(&FREE).unwrap();
            next.pooled.check().unwrap();
            next.minted.check().unwrap();
            assert!(next.minted.available.0 <= next.at_par(), "{swap:?} {step} {amount:?} {next:?}");
            swap = next;
        }
        // What is liquid of it.
        let all = swap.minted.available;
        if !all.is_zero() && swap.pooled.available >= swap.pooled.supply_index.amount_of(swap.held).unwrap() {
            swap.minted.borrow(all, Amount::MAX).unwrap();
            let paid = swap.pay_out(all, UnitPrice::ZERO, 0);
            assert!(paid.is_ok() || paid == Err(RiskError::ZeroAmount), "{paid:?}");
        }
    }

    /// At an index of 1.5, where a unit is two thirds of a share: what is deposited is worth a unit less, and what is
    /// withdrawn costs a unit more, and both are the user's.
    #[test]
    fn the_user_bears_the_unit_that_shares_are_rounded_by() {
        let mut swap = swap::<60>(6, 1_000);
        swap.pooled.supply_index = SupplyIndex(Fraction::from_bits(3 << 59));
        let par = price(100);
        let taken = swap.take_in(Amount(100), par, 0, Amount::MAX, Amount::MAX).unwrap();
        assert_eq!(taken, Exchange { tokens: Amount(99), assets: Amount(100), fee: Amount::ZERO });
        assert_eq!((swap.minted.available, swap.at_par()), (Amount(99), 99));
        assert_eq!(swap.clone().mark(par).unwrap().owed, Amount::ZERO);
        // A second time the fraction that is left makes it up.
        assert_eq!(swap.take_in(Amount(100), par, 0, Amount::MAX, Amount::MAX).unwrap().tokens, Amount(100));
        // Exactly three units, of which two and a fraction are left.
        swap.held = SupplyShares(Fraction::from_integer(2));
        swap.minted.available = Amount(3);
        let paid = swap.clone().pay_out(Amount(2), par, 0).unwrap();
        assert_eq!((paid.tokens, paid.assets), (Amount(2), Amount(1)));
        let all = swap.pay_out(Amount(3), par, 0).unwrap();
        assert_eq!((all.assets, swap.held), (Amount(3), SupplyShares::ZERO));
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
    fn what_is_worth_one_unit_within_roundings_buys_none() {
        assert_eq!(tokens_for_assets(Amount(2), 6, price(50), 6), Ok(Amount::ZERO));
        assert_eq!(assets_for_tokens(Amount(2), 6, price(200), 6), Ok(Amount::ZERO));
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

        /// In integers, and down to the last unit where the fee is one.
        #[test]
        fn fees_are_exact(amount in any::<u64>(), shift in 0u32..64, fee_bps in 0u32..=10_000) {
            let exact = |amount: u64| (u128::from(amount) * u128::from(fee_bps)).div_ceil(10_000);
            let amount = amount >> shift;
            prop_assert_eq!(fee(Amount(amount), fee_bps).map(|fee| u128::from(fee.0)), Ok(exact(amount)));
            let whole = amount / 10_000 * 10_000;
            prop_assert_eq!(fee(Amount(whole), fee_bps), Ok(Amount(whole / 10_000 * u64::from(fee_bps))));
        }

        /// Any order of exchanges, interest and losses at any decimals: only a loss of the pooled reserve is marked as one,
        /// and always before anything is exchanged; and whatever the books count can be paid out.
        #[test]
        fn rounding_is_no_loss(
            steps in proptest::collection::vec((0u8..6, any::<u64>(), 24u32..60, 50u128..150), 1..40),
            fee_bps in 0u32..30, asset_decimals in 4u8..10, first in 1u64..1 << 40, small in any::<bool>(),
        ) {
            if small { exchanges::<8>(&steps, fee_bps, asset_decimals, 10_000) } else { exchanges::<60>(&steps, fee_bps, asset_decimals, first) }
        }

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
