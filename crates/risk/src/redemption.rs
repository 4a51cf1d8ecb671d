//! What a minted token buys of vaults near their limit: the floor of its price.
//!
//! A redeemer burns tokens and receives collateral of a vault for a dollar each, less a fee, while the vault's debt falls
//! by as many. Half of the fee stays with the vault's owner, whose loan ends against his will. The other half becomes
//! insurance of the collateral's reserve: who redeems from himself raises the fee for everybody, and pays that for it.
//!
//! Burning `R` removes `R` of debt and at most `(1 - fee / 2) * R` of collateral, that is `cf` times it of limit. Health
//! rises exactly when `cf * (1 - fee / 2) < HF`, which [`plan`] leaves to the caller to check exactly on the sums after
//! it. In a vault with a health factor of at least 1 it holds always, as `cf < 1`.
//!
//! # The fee
//!
//! `min_fee + base`, at most `max_fee`. Each token burned raises `base` by `volume_fee` over the tokens that exist, and
//! time halves it every `half_life`. A redemption pays for each of its tokens what the fee is by then: on the whole, the
//! fee in the middle of its own rise, or where it reaches `max_fee` on the way
//!
//! ```text
//! max_fee - (max_fee - start)^2 / (2 * rise)
//! ```
//!
//! So cutting it into parts pays no less, and an offer of more than can be redeemed pays for what is redeemed alone. Source:
//! Liquity's base rate, there with the fee at the end of the rise.

use crate::error::{Result, RiskError};
use crate::exp::exp2_neg;
use crate::fraction::Fraction;
use crate::health::Totals;
use crate::liquidation::Pair;
use crate::units::{Amount, Usd};

/// Most steps toward the repayment that takes all there is. Each leaves about `max_fee` of the way at most, so that these are
/// enough for any amount up to a fee of 25 %; usual ones need a handful.
const STEPS: u32 = 32;

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

/// What the fee of a redemption follows from at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Fees<'a> {
    terms: &'a RedemptionTerms,
    /// Decayed to that moment.
    base: FeeBase,
    circulating: Amount,
}

impl<'a> Fees<'a> {
    /// The fees at `now`, after the decay up to then, of parts of `circulating` tokens: what a loan for the moment cannot
    /// raise. A clock that goes back decays nothing.
    pub fn new(terms: &'a RedemptionTerms, base: &FeeBase, now: i64, circulating: Amount) -> Result<Self> {
        let elapsed = u64::try_from(now.saturating_sub(base.at)).unwrap_or_default();
        let mut base = *base;
        if elapsed > 0 && !base.base.is_zero() {
            let halvings = Fraction::from_integer(elapsed).div_small_floor(terms.half_life)?;
            base.base = base.base.mul_ceil(exp2_neg(halvings))?;
        }
        base.at = now.max(base.at);
        Ok(Self { terms, base, circulating })
    }

    /// The fee of redeeming `amount`, rounded up: see the head of this module. [`Self::after`] records it.
    pub fn of(&self, amount: Amount) -> Result<Fraction> {
        let max = Fraction::from_bps_ceil(self.terms.max_fee_bps);
        let start = Fraction::from_bps_ceil(self.terms.min_fee_bps).checked_add(self.base.base)?.min(max);
        let (rise, room) = (self.rise(amount)?, max.sub_or_zero(start));
        if rise <= room {
            return start.checked_add(rise.div_small_ceil(2)?);
        }
        max.checked_sub(room.div_floor(rise)?.mul_floor(room)?.div_small_floor(2)?)
    }

    /// The base after a redemption of `amount`.
    pub fn after(&self, amount: Amount) -> Result<FeeBase> {
        let base = self.base.base.checked_add(self.rise(amount)?)?;
        // What is above the largest fee has no effect but to last longer.
        Ok(FeeBase { base: base.min(Fraction::from_bps_ceil(self.terms.max_fee_bps)), ..self.base })
    }

    fn rise(&self, amount: Amount) -> Result<Fraction> {
        if self.circulating.is_zero() {
            // A part of nothing is more than any: the largest fee.
            return Ok(Fraction::from_bps_ceil(self.terms.max_fee_bps));
        }
        let part = Fraction::from_integer(amount.0).div_ceil(Fraction::from_integer(self.circulating.0))?;
        part.mul_ceil(Fraction::from_bps_ceil(self.terms.volume_fee_bps))
    }

    /// `offer`, or the repayment that takes all of the position or pays out all that is liquid if that is less, rounded up.
    ///
    /// Approaches it from below, by the fee of the repayment before: a lower repayment has a lower fee, which requires less.
    /// Where the steps come to an end is none of the offer's business, so that a larger offer redeems no less.
    fn required(&self, pair: &Pair, offer: Amount) -> Result<Amount> {
        let held = pair.collateral_price.value_ceil(pair.collateral)?.0;
        let liquid = pair.collateral_price.value_ceil(pair.liquid.min(pair.collateral))?.0;
        let mut repay = Amount::ZERO;
        for _ in 0..STEPS {
            let fee = self.of(repay)?;
            let value = held.div_ceil(part_seized(fee)?)?.min(liquid.div_ceil(part_paid(fee)?)?);
            let next = pair.debt_of(Usd(value))?;
            if next >= offer {
                return Ok(offer);
            }
            if next == repay {
                break;
            }
            repay = next;
        }
        Ok(repay)
    }
}

/// The part of what is repaid that the redeemer gets at `fee`.
fn part_paid(fee: Fraction) -> Result<Fraction> {
    Fraction::ONE.checked_sub(fee)
}

/// The part of what is repaid that leaves the vault at `fee`, rounded down.
fn part_seized(fee: Fraction) -> Result<Fraction> {
    Fraction::ONE.checked_sub(fee.div_small_ceil(2)?)
}

/// The collateral that is worth `part` of `repay`, rounded down.
fn worth(pair: &Pair, repay: Amount, part: Fraction) -> Result<Amount> {
    match pair.collateral_price.amount_floor(Usd(pair.debt_price.value_floor(repay)?.0.mul_floor(part)?)) {
        Err(RiskError::Overflow) => Ok(Amount::MAX), // the collateral is worth next to nothing
        amount => amount,
    }
}

/// What a redemption does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// Burned, and taken off the debt.
    pub repay: Amount,
    /// Collateral that leaves the vault: `repay` less half of the fee.
    pub seize: Amount,
    /// Paid to the redeemer: `repay` less the fee. The rest of `seize` becomes insurance.
    pub pay: Amount,
    /// As a part of what `repay` is worth: [`Fees::of`] `repay`.
    pub fee: Fraction,
}

/// The largest redemption of `pair` with at most `max_repay` tokens.
///
/// `pair.collateral_price` is the one that is worse for the redeemer, and `pair.debt_price` is par. Takes no more than the
/// position holds, pays no more than its reserve can, and repays what that requires, rounded up; the fee is that of what
/// is repaid. Leaves no debt below `min_position` but zero.
///
/// # Errors
/// `NotRedeemable` when the health factor is not below the threshold; `PartOfSmallPosition` when `max_repay` is a part of
/// a debt below the minimum position; `NothingToSeize` when less than one native unit would be repaid or paid.
pub fn plan(vault: &Totals, min_position: Usd, pair: &Pair, max_repay: Amount, fees: &Fees) -> Result<Redemption> {
    let threshold = vault.debt.0.mul_floor(Fraction::from_bps_floor(fees.terms.max_health_bps))?;
    if vault.limit.0 >= threshold {
        return Err(RiskError::NotRedeemable);
    }
    let most = fees.required(pair, max_repay.min(pair.owed))?;
    let repay = pair.leave_no_dust(most, min_position)?;
    let fee = fees.of(repay)?;
    let seize = worth(pair, repay, part_seized(fee)?)?.min(pair.collateral);
    let pay = worth(pair, repay, part_paid(fee)?)?.min(pair.liquid).min(seize);
    if repay.is_zero() || pay.is_zero() {
        return Err(RiskError::NothingToSeize);
    }
    Ok(Redemption { repay, seize, pay, fee })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::collateral_factor;
    use crate::liquidation::tests::{TINY, in_parts, parts, tiny};
    use crate::price::UnitPrice;
    use crate::reference::Real;
    use num_bigint::BigUint;
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

    fn bps(n: u32) -> Fraction {
        Fraction::from_bps_ceil(n)
    }

    /// A fee that does not move.
    fn flat(fee_bps: u32) -> RedemptionTerms {
        RedemptionTerms { min_fee_bps: fee_bps, max_fee_bps: fee_bps, volume_fee_bps: 0, ..TERMS }
    }

    /// The fees of `terms` after quiet times, while `circulating` tokens exist.
    fn quiet(terms: &RedemptionTerms, circulating: u64) -> Fees<'_> {
        Fees::new(terms, &FeeBase::default(), 5, Amount(circulating)).unwrap()
    }

    fn run(vault: &Totals, pair: &Pair, max: u64, terms: &RedemptionTerms) -> Result<Redemption> {
        plan(vault, MIN_POSITION, pair, Amount(max), &quiet(terms, u64::MAX))
    }

    /// Tokens of which none was there before cost the most that there is.
    #[test]
    fn a_part_of_nothing_costs_the_largest_fee() {
        let fees = quiet(&TERMS, 0);
        let max = Fraction::from_bps_ceil(TERMS.max_fee_bps);
        assert_eq!(fees.after(Amount(1)).unwrap().base, max);
        assert!(fees.of(Amount(1)).unwrap() > quiet(&TERMS, 1).of(Amount::ZERO).unwrap());
    }

    #[test]
    fn redemptions_are_rounded_against_the_redeemer() {
        // A base of one part is none after half its life.
        let base = FeeBase { base: Fraction::EPSILON, at: 0 };
        let later = Fees::new(&TERMS, &base, TERMS.half_life.into(), Amount(1)).unwrap();
        assert_eq!(later.base.base, Fraction::EPSILON);
        // Half a part of repayment is none.
        assert_eq!(worth(&tiny(), Amount(TINY / 2), Fraction::ONE), Ok(Amount::ZERO));
        // Of one part at a fee of 5 %, nothing is bought; half a part, at a fee of 1 %, takes one of repayment, so two.
        assert_eq!(worth(&tiny(), Amount(TINY), part_paid(bps(500)).unwrap()), Ok(Amount::ZERO));
        let required = |fee, pair: &Pair| quiet(&flat(fee), u64::MAX).required(pair, Amount::MAX).map(in_parts);
        let half = Amount(TINY / 2);
        // Whether it is what is there or what can be paid.
        for pair in [Pair { collateral: half, ..tiny() }, Pair { liquid: half, ..tiny() }] {
            assert_eq!([required(0, &pair), required(100, &pair)], [Ok(1), Ok(2)]);
        }
        // Half of a fee of one part is one.
        assert_eq!(part_seized(Fraction::EPSILON), part_paid(Fraction::EPSILON));
    }

    #[test]
    fn the_threshold_is_rounded_down() {
        let redeemable = |limit, debt, max_health_bps| {
            let vault = Totals { limit: Usd(limit), debt, ..Totals::default() };
            plan(&vault, parts(0), &tiny(), Amount::MAX, &quiet(&RedemptionTerms { max_health_bps, ..TERMS }, 1))
                .is_ok()
        };
        let threshold = Fraction::from_bps_floor(12_000);
        let dollar = Usd(Fraction::ONE);
        assert!(!redeemable(threshold, dollar, 12_000));
        assert!(redeemable(threshold.checked_sub(Fraction::EPSILON).unwrap(), dollar, 12_000));
        // 4.5 parts.
        assert!(redeemable(parts(3).0, parts(3), 15_000) && !redeemable(parts(4).0, parts(3), 15_000));
    }

    #[test]
    fn a_token_buys_a_dollar_less_the_fee() {
        let (vault, pair) = world(1_200 * DOLLAR, 100, 1_000 * DOLLAR); // HF 1.02
        let done = run(&vault, &pair, 100 * DOLLAR, &flat(100)).unwrap();
        assert_eq!((done.repay, done.fee), (Amount(100 * DOLLAR), bps(100)));
        assert!((98_999_997..=99_000_000).contains(&done.pay.0), "{done:?}");
        // Half a dollar to the insurance, as much to the vault.
        assert!((99_499_997..=99_500_000).contains(&done.seize.0), "{done:?}");
    }

    #[test]
    fn only_vaults_under_the_threshold_are_touched() {
        let at = |debt| {
            let (vault, pair) = world(1_200 * DOLLAR, 100, debt);
            run(&vault, &pair, DOLLAR, &flat(50))
        };
        // HF 1.2, between these two: a dollar over 10^6 is not exact, and each side is rounded against the vault.
        assert_eq!(at(850 * DOLLAR - 1), Err(RiskError::NotRedeemable));
        assert!(at(850 * DOLLAR).is_ok());
        let (vault, pair) = world(1_200 * DOLLAR, 100, 1_000 * DOLLAR);
        let off = RedemptionTerms { max_health_bps: 0, ..TERMS };
        assert_eq!(run(&vault, &pair, DOLLAR, &off), Err(RiskError::NotRedeemable));
    }

    #[test]
    fn a_redemption_leaves_no_dust() {
        let (vault, pair) = world(120 * DOLLAR, 100, 100 * DOLLAR);
        let at = |max| run(&vault, &pair, max, &flat(50)).map(|done| done.repay.0);
        assert_eq!(at(95 * DOLLAR), Ok(90 * DOLLAR - 1)); // ten dollars stay: a unit is worth a little less than 10^-6
        assert_eq!(at(100 * DOLLAR), Ok(100 * DOLLAR));
        let (vault, pair) = world(10 * DOLLAR, 100, 8 * DOLLAR);
        assert_eq!(run(&vault, &pair, 7 * DOLLAR, &flat(50)), Err(RiskError::PartOfSmallPosition));
    }

    #[test]
    fn it_takes_no_more_than_there_is() {
        let (mut vault, mut pair) = world(50 * DOLLAR, 100, 1_000 * DOLLAR);
        vault.limit = Usd(Fraction::from_integer(1_050));
        let done = run(&vault, &pair, u64::MAX, &flat(100)).unwrap();
        assert!(done.seize.0 <= 50 * DOLLAR && done.seize.0 >= 50 * DOLLAR - 2, "{done:?}");
        assert!((50_251_256..50_251_260).contains(&done.repay.0), "{done:?}"); // 50 / 0.995
        // What becomes insurance need not be paid out.
        pair.liquid = Amount(20 * DOLLAR);
        let done = run(&vault, &pair, u64::MAX, &flat(100)).unwrap();
        assert!(done.pay.0 <= 20 * DOLLAR && done.pay.0 >= 20 * DOLLAR - 2, "{done:?}");
        assert!((20_202_020..20_202_024).contains(&done.repay.0), "{done:?}"); // 20 / 0.99
        pair.liquid = Amount::ZERO;
        assert_eq!(run(&vault, &pair, u64::MAX, &flat(100)), Err(RiskError::NothingToSeize));
    }

    /// A native unit of collateral is worth ten cents: who burns a little less than buys one gets nothing, and so burns nothing,
    /// even where a unit would leave the vault.
    #[test]
    fn nobody_burns_for_nothing() {
        let (vault, pair) = world(100_000, 10_000_000, 8_000 * DOLLAR);
        let paid =
            |burned| run(&vault, &pair, burned, &flat(100)).map(|done| [done.seize, done.pay].map(|amount| amount.0));
        assert_eq!(paid(101_100), Ok([1, 1]));
        for burned in [1, 100_300, 100_700] {
            assert_eq!(paid(burned), Err(RiskError::NothingToSeize), "{burned}");
        }
    }

    /// 20 dollars at half a fee of 0.5 % and of the middle of a rise of `R / 1,000`: `R (0.9975 - R / 4,000) = 20`. An offer
    /// of all the debt pays no more than one of that.
    #[test]
    fn an_offer_pays_for_what_is_redeemed_alone() {
        let (mut vault, pair) = world(20 * DOLLAR, 100, 1_000 * DOLLAR);
        vault.limit = Usd(Fraction::from_integer(1_050));
        let fees = quiet(&TERMS, 1_000 * DOLLAR);
        let done = plan(&vault, MIN_POSITION, &pair, Amount::MAX, &fees).unwrap();
        // 2,000 * (0.9975 - sqrt(0.9975^2 - 0.02)) = 20.151904576...
        assert!((20_151_905..20_151_907).contains(&done.repay.0), "{done:?}");
        assert!((20 * DOLLAR - 1..=20 * DOLLAR).contains(&done.seize.0), "{done:?}");
        assert_eq!(done.fee, fees.of(done.repay).unwrap());
        assert_eq!(plan(&vault, MIN_POSITION, &pair, done.repay, &fees), Ok(done));
    }

    #[test]
    fn the_fee_rises_with_volume_and_halves_with_time() {
        let all = Amount(1_000);
        let at = |base: &FeeBase, now, amount| Fees::new(&TERMS, base, now, all).unwrap().of(Amount(amount)).unwrap();
        let base = FeeBase { base: Fraction::ZERO, at: 1_000 };
        assert_eq!(at(&base, 1_000, 0), bps(50));
        // Two percent of all tokens: half a percent, and one for the middle of the rise.
        let near = |actual: Fraction, exact: Fraction| {
            assert!(
                actual >= exact.sub_or_zero(Fraction::from_bits(8))
                    && actual <= exact.checked_add(Fraction::from_bits(8)).unwrap(),
                "{actual:?} {exact:?}"
            );
        };
        near(at(&base, 1_000, 20), bps(150));
        let base = Fees::new(&TERMS, &base, 1_000, all).unwrap().after(Amount(20)).unwrap();
        near(at(&base, 1_000, 0), bps(250));
        near(at(&base, 1_000 + 43_200, 0), bps(150));
        near(at(&base, 1_000 + 2 * 43_200, 0), bps(100));
        near(at(&base, 0, 0), bps(250));
        // From 2.5 % to 92.5 %: 1/36 of it on the way to 5 %, at 3.75 %, the rest at that.
        near(at(&base, 1_000, 900), bps(500).checked_sub(bps(125).div_small_floor(36).unwrap()).unwrap());
        let base = Fees::new(&TERMS, &base, 1_000, all).unwrap().after(Amount(900)).unwrap();
        assert_eq!(base, FeeBase { base: bps(500), at: 1_000 });
        assert_eq!(at(&base, 1_000, 900), bps(500), "the largest fee bounds it");
    }

    fn any_terms() -> impl Strategy<Value = RedemptionTerms> {
        (0u32..500, 0u32..2_000, 0u32..=100_000).prop_map(|(min_fee_bps, more, volume_fee_bps)| RedemptionTerms {
            min_fee_bps,
            max_fee_bps: min_fee_bps + more,
            volume_fee_bps,
            ..TERMS
        })
    }

    /// A vault with a health factor of at least 1 and a minted debt, tokens in circulation, and what raised the fee before.
    fn any_case() -> impl Strategy<Value = (Totals, Pair, RedemptionTerms, FeeBase, u64)> {
        let vault = (DOLLAR..1 << 40, 1u64..100_000, 70u64..86, 0u32..40);
        (vault, any_terms(), 0u32..2_000, 0u32..24).prop_map(
            |((collateral, price, percent, liquid), terms, raised, others)| {
                let value = u128::from(collateral) * u128::from(price) / 100;
                let debt = u64::try_from(value * u128::from(percent) / 100).unwrap().max(1);
                let (vault, mut pair) = world(collateral, price, debt);
                pair.liquid = Amount(u64::MAX >> liquid);
                (vault, pair, terms, FeeBase { base: bps(raised.min(terms.max_fee_bps)), at: 5 }, debt << (others % 8))
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        /// Never below the formula at the head of this module, and above it by the roundings of its terms.
        #[test]
        fn fees_are_rounded_up(
            min in 0u32..500, more in 0u32..9_000, volume in 1u32..20_000, base in 0u128..1 << 55, shift in 0u32..60,
            amount in 0u64..1 << 40, circulating in 1u64..1 << 40
        ) {
            let terms = RedemptionTerms { min_fee_bps: min, max_fee_bps: min + more, volume_fee_bps: volume, ..TERMS };
            let base = FeeBase { base: Fraction::from_bits(base >> shift), at: 0 };
            let fees = Fees::new(&terms, &base, 0, Amount(circulating)).unwrap();
            let rise = Real::ratio(amount, circulating) * Real::bps(volume);
            let (max, unlimited) = (Real::bps(min + more), Real::bps(min) + Real::from(base.base));
            let start = if unlimited < max { unlimited } else { max.clone() };
            let room = &max - &start;
            let two = Real::integer(2);
            let exact = if rise <= room { &start + &(&rise / &two) } else { &max - &(&(&room * &room) / &(&rise * &two)) };
            let above = exact.excess_of(fees.of(Amount(amount)).unwrap());
            let slack = Real::units(32) + Real::units(4) * (&rise + Real::ratio(amount, circulating));
            prop_assert!(above <= slack, "{:e}", above.to_f64());
            let raised = Real::from(base.base) + rise;
            let after = if raised < max { raised } else { max };
            after.excess_of(fees.after(Amount(amount)).unwrap().base);
        }

        /// A redemption never pays more than the burned tokens' worth less the fee, takes at most that less half of it, and
        /// raises the health of any vault at or above 1.
        #[test]
        fn a_redemption_never_lowers_health(
            (vault, pair, terms, base, circulating) in any_case(), max in 1u64.., shift in 0u32..50,
        ) {
            let fees = Fees::new(&terms, &base, 5, Amount(circulating)).unwrap();
            let Ok(done) = plan(&vault, MIN_POSITION, &pair, Amount(max >> shift), &fees) else { return Ok(()) };
            prop_assert!(done.repay <= Amount(max >> shift).min(pair.owed));
            prop_assert!(done.seize <= pair.collateral && done.pay <= pair.liquid.min(done.seize));
            // The fee is that of what is redeemed, whatever was offered.
            prop_assert_eq!(done.fee, fees.of(done.repay).unwrap());
            let burned = pair.debt_price.value_ceil(done.repay).unwrap().0;
            for (amount, part) in [(done.pay, part_paid(done.fee)), (done.seize, part_seized(done.fee))] {
                let value = pair.collateral_price.value_floor(amount).unwrap().0;
                prop_assert!(value <= burned.mul_ceil(part.unwrap()).unwrap(), "{done:?}");
            }
            let after = pair
                .totals_after(&vault, pair.owed.checked_sub(done.repay).unwrap(), pair.collateral.checked_sub(done.seize).unwrap())
                .unwrap();
            prop_assert!(!vault.is_healthy() || after.is_healthier_than(&vault), "{vault:?} {after:?} {done:?}");
            let left = pair.owed.0 - done.repay.0;
            prop_assert!(left == 0 || pair.debt_price.value_ceil(Amount(left)).unwrap() >= MIN_POSITION);
        }

        /// Whoever offers more gets no less, and what he offers beyond what is redeemed changes nothing.
        #[test]
        fn a_larger_offer_never_yields_less(
            (vault, pair, terms, base, circulating) in any_case(), max in 1u64.., shift in 0u32..50, more in any::<u64>(),
        ) {
            let fees = Fees::new(&terms, &base, 5, Amount(circulating)).unwrap();
            let at = |max| plan(&vault, MIN_POSITION, &pair, max, &fees);
            let offer = max >> shift;
            let Ok(done) = at(Amount(offer)) else { return Ok(()) };
            prop_assert_eq!(at(done.repay), Ok(done));
            let larger = at(Amount(offer.saturating_add(more >> shift))).unwrap();
            prop_assert!(larger.repay >= done.repay && larger.pay >= done.pay, "{done:?} {larger:?}");
            prop_assert!(larger.seize >= done.seize, "{done:?} {larger:?}");
            prop_assert!(larger.repay > done.repay || larger == done);
        }

        /// Nothing is left over by the steps toward what takes all there is, or pays all that is liquid: what it repays less a
        /// unit would do neither, but for a unit.
        #[test]
        fn all_there_is_can_be_redeemed(
            (vault, pair, terms, base, circulating) in any_case(), part in 1u64..100, lent in any::<bool>(),
        ) {
            let mut pair = pair;
            let part = Amount((pair.collateral.0 / 200 * part).max(1));
            *(if lent { &mut pair.liquid } else { &mut pair.collateral }) = part;
            let fees = Fees::new(&terms, &base, 5, Amount(circulating)).unwrap();
            let Ok(done) = plan(&vault, Usd::ZERO, &pair, Amount::MAX, &fees) else { return Ok(()) };
            let all = done.pay.0 + 1 >= pair.liquid.0 || done.seize.0 + 1 >= pair.collateral.0;
            prop_assert!(done.repay == pair.owed || all, "{done:?} {pair:?}");
            let less = Amount(done.repay.0 - 1);
            let fee = fees.of(less).unwrap();
            prop_assert!(worth(&pair, less, part_paid(fee).unwrap()).unwrap() <= pair.liquid, "{done:?}");
            prop_assert!(worth(&pair, less, part_seized(fee).unwrap()).unwrap() <= pair.collateral, "{done:?}");
        }

        /// The fee is at least the average of what the fee is by each token, exactly, and hardly more.
        #[test]
        fn fees_are_exact(terms in any_terms(), raised in 0u64..1 << 58, amount in any::<u64>(), shift in 0u32..64, circulating in 1u64..) {
            let (amount, bits) = (Amount(amount >> shift), u128::from(raised));
            let base = FeeBase { base: Fraction::from_bits(bits), at: 5 };
            let Ok(fee) = Fees::new(&terms, &base, 5, Amount(circulating)).unwrap().of(amount) else { return Ok(()) };
            // Everything times 10,000 * 2^60 * circulating.
            let one = BigUint::from(1u64 << 60);
            let of_bps = |n: u32| &one * n * circulating;
            let max = of_bps(terms.max_fee_bps);
            let start = (of_bps(terms.min_fee_bps) + BigUint::from(bits) * 10_000u32 * circulating).min(max.clone());
            let rise = &one * terms.volume_fee_bps * amount.0;
            // And times twice the rise, or two.
            let (exact, times) = if &start + &rise <= max {
                (&start * 2u32 + &rise, BigUint::from(2u32))
            } else {
                let room = &max - &start;
                (&max * &rise * 2u32 - &room * &room, &rise * 2u32)
            };
            let scale = times * 10_000u32 * circulating;
            let (low, high) = (&scale * fee.to_bits(), &scale * fee.to_bits().saturating_sub(16));
            prop_assert!(low >= exact && high <= exact, "{fee:?} {exact} {scale}");
        }

        /// Two redemptions never get more for what they burn than one of as much, at, below and above the largest fee.
        #[test]
        fn splitting_a_redemption_never_saves(
            (vault, pair, terms, base, others) in any_case(), max in 1u64.., shift in 0u32..50, part in 1u64..100,
        ) {
            let circulating = Amount(pair.owed.0.saturating_add(others));
            let fees = Fees::new(&terms, &base, 5, circulating).unwrap();
            let at_once = |max| plan(&vault, MIN_POSITION, &pair, max, &fees);
            let Ok(whole) = at_once(Amount(max >> shift)) else { return Ok(()) };
            let first = Amount((u128::from(whole.repay.0) * u128::from(part) / 100) as u64);
            let Ok(first) = at_once(first) else { return Ok(()) };
            let mut left = pair;
            left.owed = pair.owed.checked_sub(first.repay).unwrap();
            left.collateral = pair.collateral.checked_sub(first.seize).unwrap();
            left.liquid = pair.liquid.checked_sub(first.pay).unwrap();
            let after = pair.totals_after(&vault, left.owed, left.collateral).unwrap();
            let base = fees.after(first.repay).unwrap();
            let fees = Fees::new(&terms, &base, 5, circulating.checked_sub(first.repay).unwrap()).unwrap();
            let rest = whole.repay.checked_sub(first.repay).unwrap();
            let Ok(second) = plan(&after, MIN_POSITION, &left, rest, &fees) else { return Ok(()) };
            let Ok(at_once) = at_once(first.repay.checked_add(second.repay).unwrap()) else { return Ok(()) };
            // A unit, and some of the fee's last place.
            let no_more = |parts: u64, whole: Amount| parts <= whole.0 + 2 + (parts >> 54);
            prop_assert!(no_more(first.pay.0 + second.pay.0, at_once.pay), "{at_once:?} {first:?} {second:?}");
            prop_assert!(no_more(first.seize.0 + second.seize.0, at_once.seize), "{at_once:?} {first:?} {second:?}");
        }
    }
}
