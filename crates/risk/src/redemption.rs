//! What a minted token buys of vaults near their limit: the floor of its price.
//!
//! A redeemer burns tokens and receives collateral of a vault for a dollar each, less a fee, while the vault's debt falls
//! by as many. The fee stays with the vault's owner, whose loan ends against his will.
//!
//! Burning `R` removes `R` of debt and at most `R` of collateral, that is `cf * R` of limit. Health rises exactly when
//! `cf * (1 - fee) < HF`, which [`plan`] leaves to the caller to check exactly on the sums after it. In a vault with a
//! health factor of at least 1 it holds always, as `cf < 1`.
//!
//! # The fee
//!
//! `min_fee + base`, at most `max_fee`. A redemption raises `base` by `volume_fee` times the part of all tokens that it
//! burns, and time halves it every `half_life`. It pays the fee in the middle of its own rise, so that cutting it into
//! parts pays no less. Source: Liquity's base rate, there with the fee at the end of the rise.

use crate::error::{Result, RiskError};
use crate::exp::exp2_neg;
use crate::fraction::Fraction;
use crate::health::Totals;
use crate::liquidation::Pair;
use crate::units::{Amount, Usd};

/// What governance sets of redemptions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedemptionTerms {
    /// Vaults with a health factor below this may be redeemed from, in basis points. Zero switches redemptions off.
    pub max_health_bps: u32,
    /// Least fee, in basis points of what is redeemed.
    pub min_fee_bps: u32,
    /// Largest fee.
    pub max_fee_bps: u32,
    /// By how much a redemption of all tokens would raise the fee.
    pub volume_fee_bps: u32,
    /// Seconds in which the rise halves.
    pub half_life: u32,
}

/// The part of the fee that past redemptions raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeBase {
    /// As of `at`.
    pub base: Fraction,
    /// Unix seconds.
    pub at: i64,
}

impl FeeBase {
    /// The base after its decay up to `now`. A clock that goes back decays nothing.
    pub fn decayed(&self, now: i64, terms: &RedemptionTerms) -> Result<Fraction> {
        let elapsed = u64::try_from(now.saturating_sub(self.at)).unwrap_or_default();
        if elapsed == 0 || self.base.is_zero() {
            return Ok(self.base);
        }
        let halvings = Fraction::from_integer(elapsed).div_small_floor(terms.half_life)?;
        self.base.mul_ceil(exp2_neg(halvings))
    }

    /// The fee of redeeming `amount` out of `circulating`, rounded up. [`Self::redeemed`] records it.
    pub fn fee(&self, now: i64, terms: &RedemptionTerms, amount: Amount, circulating: Amount) -> Result<Fraction> {
        let middle = self.rise(terms, amount, circulating)?.div_small_ceil(2)?;
        let fee =
            Fraction::from_bps_ceil(terms.min_fee_bps).checked_add(self.decayed(now, terms)?)?.checked_add(middle)?;
        Ok(fee.min(Fraction::from_bps_ceil(terms.max_fee_bps)))
    }

    /// Raises the base by a redemption of `amount` out of `circulating`.
    pub fn redeemed(&mut self, now: i64, terms: &RedemptionTerms, amount: Amount, circulating: Amount) -> Result<()> {
        let base = self.decayed(now, terms)?.checked_add(self.rise(terms, amount, circulating)?)?;
        // What is above the largest fee has no effect but to last longer.
        *self = Self { base: base.min(Fraction::from_bps_ceil(terms.max_fee_bps)), at: now.max(self.at) };
        Ok(())
    }

    fn rise(&self, terms: &RedemptionTerms, amount: Amount, circulating: Amount) -> Result<Fraction> {
        let part = Fraction::from_integer(amount.0).div_ceil(Fraction::from_integer(circulating.0))?;
        part.mul_ceil(Fraction::from_bps_ceil(terms.volume_fee_bps))
    }
}

/// What a redemption does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Burned, and taken off the debt.
    pub repay: Amount,
    /// Collateral that the redeemer receives.
    pub seize: Amount,
}

/// The largest redemption of `pair` with at most `max_repay` tokens, at `fee`.
///
/// `pair.collateral_price` is the one that is worse for the redeemer, and `pair.debt_price` is par. Takes what the
/// position holds and its reserve can pay, and repays what that requires, rounded up. Leaves no debt below
/// `min_position` but zero.
///
/// # Errors
/// `NotRedeemable` when the health factor is not below the threshold; `PartOfSmallPosition` when `max_repay` is a part of
/// a debt below the minimum position; `NothingToSeize` when less than one native unit would move.
pub fn plan(
    vault: &Totals,
    terms: &RedemptionTerms,
    min_position: Usd,
    pair: &Pair,
    max_repay: Amount,
    fee: Fraction,
) -> Result<Redemption> {
    let threshold = vault.debt.0.mul_floor(Fraction::from_bps_floor(terms.max_health_bps))?;
    if vault.limit.0 >= threshold {
        return Err(RiskError::NotRedeemable);
    }
    let mut repay = pair.leave_no_dust(max_repay.min(pair.owed), min_position)?;
    let paid_out = Fraction::ONE.checked_sub(fee)?;
    let ceiling = pair.collateral.min(pair.liquid);
    let worth = |repay: Amount| -> Result<Amount> {
        let value = Usd(pair.debt_price.value_floor(repay)?.0.mul_floor(paid_out)?);
        match pair.collateral_price.amount_floor(value) {
            Err(RiskError::Overflow) => Ok(Amount::MAX), // the collateral is worth next to nothing
            amount => amount,
        }
    };
    let mut seize = worth(repay)?;
    if seize > ceiling {
        let value = pair.collateral_price.value_ceil(ceiling)?.0.div_ceil(paid_out)?;
        repay = pair.leave_no_dust(pair.debt_price.amount_ceil(Usd(value))?.min(repay), min_position)?;
        seize = worth(repay)?.min(ceiling);
    }
    if repay.is_zero() || seize.is_zero() {
        return Err(RiskError::NothingToSeize);
    }
    Ok(Redemption { repay, seize })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::collateral_factor;
    use crate::price::UnitPrice;
    use proptest::prelude::*;

    const TERMS: RedemptionTerms = RedemptionTerms {
        max_health_bps: 12_000,
        min_fee_bps: 50,
        max_fee_bps: 500,
        volume_fee_bps: 10_000,
        half_life: 43_200,
    };
    const MIN_POSITION: Usd = Usd(Fraction::from_integer(10));
    const DOLLAR: u64 = 1_000_000;

    /// Collateral worth `price_cents` and a minted debt, six decimals both.
    fn world(collateral: u64, price_cents: u64, debt: u64) -> (Totals, Pair) {
        let pair = Pair {
            owed: Amount(debt),
            debt_price: UnitPrice::new(1, 0, 6).unwrap(),
            collateral: Amount(collateral),
            collateral_price: UnitPrice::new(u128::from(price_cents), -2, 6).unwrap(),
            collateral_factor: collateral_factor(Fraction::ZERO, Fraction::from_bps_floor(8_500)).unwrap(),
            liquid: Amount::MAX,
        };
        (pair.totals_after(&totals(&pair), pair.owed, pair.collateral).unwrap(), pair)
    }

    fn totals(pair: &Pair) -> Totals {
        let mut totals = Totals::default();
        totals
            .add_collateral(pair.collateral_price.value_floor(pair.collateral).unwrap(), pair.collateral_factor)
            .unwrap();
        totals.add_debt(pair.debt_price.value_ceil(pair.owed).unwrap()).unwrap();
        totals
    }

    fn fee(bps: u32) -> Fraction {
        Fraction::from_bps_ceil(bps)
    }

    #[test]
    fn a_token_buys_a_dollar_less_the_fee() {
        let (vault, pair) = world(1_200 * DOLLAR, 100, 1_000 * DOLLAR); // HF 1.02
        let done = plan(&vault, &TERMS, MIN_POSITION, &pair, Amount(100 * DOLLAR), fee(100)).unwrap();
        assert_eq!(done.repay, Amount(100 * DOLLAR));
        assert!((98_999_997..=99_000_000).contains(&done.seize.0), "{done:?}");
    }

    #[test]
    fn only_vaults_under_the_threshold_are_touched() {
        let at = |debt| {
            let (vault, pair) = world(1_200 * DOLLAR, 100, debt);
            plan(&vault, &TERMS, MIN_POSITION, &pair, Amount(DOLLAR), fee(50))
        };
        // HF 1.2, between these two: a dollar over 10^6 is not exact, and each side is rounded against the vault.
        assert_eq!(at(850 * DOLLAR - 1), Err(RiskError::NotRedeemable));
        assert!(at(850 * DOLLAR).is_ok());
        let (vault, pair) = world(1_200 * DOLLAR, 100, 1_000 * DOLLAR);
        let off = RedemptionTerms { max_health_bps: 0, ..TERMS };
        assert_eq!(plan(&vault, &off, MIN_POSITION, &pair, Amount(DOLLAR), fee(50)), Err(RiskError::NotRedeemable));
    }

    #[test]
    fn a_redemption_leaves_no_dust() {
        let (vault, pair) = world(120 * DOLLAR, 100, 100 * DOLLAR);
        let at = |max| plan(&vault, &TERMS, MIN_POSITION, &pair, Amount(max), fee(50)).map(|done| done.repay.0);
        assert_eq!(at(95 * DOLLAR), Ok(90 * DOLLAR - 1)); // ten dollars stay: a unit is worth a little less than 10^-6
        assert_eq!(at(100 * DOLLAR), Ok(100 * DOLLAR));
        let (vault, pair) = world(10 * DOLLAR, 100, 8 * DOLLAR);
        assert_eq!(
            plan(&vault, &TERMS, MIN_POSITION, &pair, Amount(7 * DOLLAR), fee(50)),
            Err(RiskError::PartOfSmallPosition)
        );
    }

    #[test]
    fn it_takes_no_more_than_there_is() {
        let (mut vault, mut pair) = world(50 * DOLLAR, 100, 1_000 * DOLLAR);
        vault.limit = Usd(Fraction::from_integer(1_050));
        let done = plan(&vault, &TERMS, MIN_POSITION, &pair, Amount::MAX, fee(100)).unwrap();
        assert!(done.seize.0 <= 50 * DOLLAR && done.seize.0 >= 50 * DOLLAR - 2, "{done:?}");
        assert!((50_505_050..50_505_060).contains(&done.repay.0), "{done:?}");
        pair.liquid = Amount(20 * DOLLAR);
        let done = plan(&vault, &TERMS, MIN_POSITION, &pair, Amount::MAX, fee(100)).unwrap();
        assert!(done.seize.0 <= 20 * DOLLAR && done.repay.0 < 21 * DOLLAR, "{done:?}");
        pair.liquid = Amount::ZERO;
        assert_eq!(plan(&vault, &TERMS, MIN_POSITION, &pair, Amount::MAX, fee(100)), Err(RiskError::NothingToSeize));
    }

    #[test]
    fn the_fee_rises_with_volume_and_halves_with_time() {
        let mut base = FeeBase { base: Fraction::ZERO, at: 1_000 };
        let all = Amount(1_000);
        assert_eq!(base.fee(1_000, &TERMS, Amount(0), all), Ok(fee(50)));
        // Two percent of all tokens: half a percent, and one for the middle of the rise.
        let near = |actual: Fraction, bps| {
            let exact = fee(bps);
            assert!(
                actual >= exact.sub_or_zero(Fraction::from_bits(8))
                    && actual <= exact.checked_add(Fraction::from_bits(8)).unwrap(),
                "{actual:?}"
            );
        };
        near(base.fee(1_000, &TERMS, Amount(20), all).unwrap(), 150);
        base.redeemed(1_000, &TERMS, Amount(20), all).unwrap();
        near(base.fee(1_000, &TERMS, Amount(0), all).unwrap(), 250);
        near(base.fee(1_000 + 43_200, &TERMS, Amount(0), all).unwrap(), 150);
        near(base.fee(1_000 + 2 * 43_200, &TERMS, Amount(0), all).unwrap(), 100);
        assert_eq!(base.fee(1_000, &TERMS, Amount(900), all), Ok(fee(500)), "the largest fee bounds it");
        near(base.fee(0, &TERMS, Amount(0), all).unwrap(), 250);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// A redemption never pays more than the burned tokens' worth less the fee, and raises the health of any vault
        /// at or above 1.
        #[test]
        fn a_redemption_never_lowers_health(
            collateral in DOLLAR..1 << 40, price in 1u64..100_000, percent in 50u64..86, max in 1u64.., shift in 0u32..50, fee_bps in 0u32..500,
        ) {
            let value = u128::from(collateral) * u128::from(price) / 100;
            let debt = u64::try_from(value * u128::from(percent) / 100).unwrap().max(1);
            let (vault, pair) = world(collateral, price, debt);
            let Ok(done) = plan(&vault, &TERMS, MIN_POSITION, &pair, Amount(max >> shift), fee(fee_bps)) else { return Ok(()) };
            let paid = pair.collateral_price.value_floor(done.seize).unwrap().0;
            let burned = pair.debt_price.value_ceil(done.repay).unwrap().0;
            prop_assert!(paid <= burned.mul_ceil(Fraction::ONE.checked_sub(fee(fee_bps)).unwrap()).unwrap());
            let after = pair
                .totals_after(&vault, pair.owed.checked_sub(done.repay).unwrap(), pair.collateral.checked_sub(done.seize).unwrap())
                .unwrap();
            prop_assert!(!vault.is_healthy() || after.is_healthier_than(&vault), "{vault:?} {after:?} {done:?}");
            let left = pair.owed.0 - done.repay.0;
            prop_assert!(left == 0 || pair.debt_price.value_ceil(Amount(left)).unwrap() >= MIN_POSITION);
        }

        /// Cutting a redemption into two never costs less in fees.
        #[test]
        fn splitting_a_redemption_never_saves(total in 2u64..1_000_000, part in 1u64..100, circulating in 1_000_000u64..10_000_000, base in 0u64..1 << 54) {
            let terms = RedemptionTerms { max_fee_bps: 9_999, ..TERMS };
            let start = FeeBase { base: Fraction::from_bits(u128::from(base)), at: 5 };
            let paid = |base: &FeeBase, amount: u64, circulating: u64| {
                let fee = base.fee(5, &terms, Amount(amount), Amount(circulating)).unwrap();
                Fraction::from_integer(amount).mul_ceil(fee).unwrap()
            };
            let whole = paid(&start, total, circulating);
            let first = (total * part / 100).max(1);
            let mut split = start;
            let mut cost = paid(&split, first, circulating);
            split.redeemed(5, &terms, Amount(first), Amount(circulating)).unwrap();
            cost = cost.checked_add(paid(&split, total - first, circulating - first)).unwrap();
            // Rounding of the middle, times the amount.
            prop_assert!(cost.checked_add(Fraction::from_bits(u128::from(total) * 4)).unwrap() >= whole);
        }
    }
}
