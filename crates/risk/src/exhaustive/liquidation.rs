//! All liquidations of a vault of up to a few dozen units, at prices of a few eighths of a dollar, where one unit is
//! worth far more than any rounding below it: what is lost or won by splitting shows at once.
//!
//! # What splitting can win
//!
//! A keeper who takes a vault in any number of parts, of any sizes, at any liquidity between them, ends up with no more
//! than one who takes it at once (or leaves it alone, where the units are so coarse that the bonus does not pay for their
//! rounding), and
//!
//! ```text
//! max(collateral unit, debt unit) + (collateral unit, if the protocol has a share)
//! ```
//!
//! of what the one at once lost to rounding: a unit of the seizure and a unit of the keeper's part of it are rounded down,
//! or, where the collateral is seized whole, a unit of the repayment is rounded up instead of the former. The bonus wins
//! nothing: above the close-out zone it falls as each part raises health, and inside it the ratio of collateral to debt
//! that it follows stays what it is. Nor does it pay to repay a part for nothing, at any step and of any size, to be paid
//! the flat bounty for the rest.

use crate::config::check_bonus_raises_health;
use crate::fraction::Fraction;
use crate::health::Totals;
use crate::liquidation::{BonusTerms, Pair, Plan, Rules, plan};
use crate::price::UnitPrice;
use crate::units::{Amount, Usd};
use std::vec;
use std::vec::Vec;

/// A pair of assets and the terms of their liquidation. Prices and values in eighths of a dollar.
#[derive(Clone, Copy, Debug)]
struct Case {
    collateral_price: u64,
    debt_price: u64,
    /// In sixteenths.
    factor: u64,
    terms: BonusTerms,
    target_health_bps: u32,
    min_position: u64,
    min_bounty: u64,
    /// What else the vault has: collateral, limit and debt.
    other: [u64; 3],
}

/// (price of the collateral, price of the debt): even, uneven, a unit of either worth several of the other.
const PRICES: [(u64, u64); 6] = [(8, 8), (5, 8), (8, 3), (24, 8), (8, 24), (1, 8)];

const fn terms(min_bps: u32, max_bps: u32, max_bonus_health_bps: u32, protocol_share_bps: u32) -> BonusTerms {
    BonusTerms { min_bps, max_bps, max_bonus_health_bps, protocol_share_bps }
}

/// Collateral factors in sixteenths and terms: usual ones; no bonus at all; a large one of which the protocol takes half;
/// and one from nothing up to what its factor just allows.
const TERMS: [(u64, BonusTerms); 4] = [
    (13, terms(200, 1_000, 9_500, 1_000)),
    (14, terms(0, 0, 9_000, 0)),
    (8, terms(500, 2_500, 9_900, 5_000)),
    (12, terms(0, 2_500, 9_375, 0)),
];

/// (minimum position, flat bounty): none; a minimum alone; and a bounty above any bonus of the minimum.
const MINIMA: [(u64, u64); 3] = [(0, 0), (64, 0), (80, 24)];

fn usd(eighths: u64) -> Usd {
    Usd(Fraction::from_bits(u128::from(eighths) << 57))
}

fn price(eighths: u64) -> UnitPrice {
    UnitPrice::from_bits(u128::from(eighths) << 93)
}

fn cases(prices: &[(u64, u64)], targets: &[u32], others: &[[u64; 3]]) -> Vec<Case> {
    let mut cases = Vec::new();
    for &(collateral_price, debt_price) in prices {
        for (factor, terms) in TERMS {
            check_bonus_raises_health(&terms, Fraction::from_bits(u128::from(factor) << 56)).unwrap();
            for (min_position, min_bounty) in MINIMA {
                for &target_health_bps in targets {
                    for &other in others {
                        cases.push(Case {
                            collateral_price,
                            debt_price,
                            factor,
                            terms,
                            target_health_bps,
                            min_position,
                            min_bounty,
                            other,
                        });
                    }
                }
            }
        }
    }
    cases
}

impl Case {
    fn pair(&self, collateral: u64, owed: u64) -> Pair {
        Pair {
            owed: Amount(owed),
            debt_price: price(self.debt_price),
            collateral: Amount(collateral),
            collateral_price: price(self.collateral_price),
            collateral_factor: Fraction::from_bits(u128::from(self.factor) << 56),
            liquid: Amount::MAX,
        }
    }

    fn totals(&self, pair: &Pair) -> Totals {
        let [collateral, limit, debt] = self.other.map(usd);
        let mut totals = Totals { collateral, limit, debt };
        let value = pair.collateral_price.value_floor(pair.collateral).unwrap();
        totals.add_collateral(value, pair.collateral_factor).unwrap();
        totals.add_debt(pair.debt_price.value_ceil(pair.owed).unwrap()).unwrap();
        totals
    }

    fn rules(&self) -> Rules {
        Rules {
            target_health: Fraction::from_bps_floor(self.target_health_bps),
            min_position: usd(self.min_position),
            min_bounty: usd(self.min_bounty),
        }
    }

    fn collateral_value(&self, amount: u64) -> i64 {
        (amount * self.collateral_price) as i64
    }

    fn debt_value(&self, amount: u64) -> i64 {
        (amount * self.debt_price) as i64
    }

    fn is_small(&self, owed: u64) -> bool {
        owed > 0 && owed * self.debt_price < self.min_position
    }

    /// What splitting can win: see the head of this module.
    fn rounding(&self) -> i64 {
        let keepers = if self.terms.protocol_share_bps > 0 { self.collateral_price } else { 0 };
        (self.collateral_price.max(self.debt_price) + keepers) as i64
    }

    /// What the plan promises of one liquidation.
    fn check(&self, pair: &Pair, before: &Totals, plan: &Plan, max_repay: u64) {
        let (owed, collateral) = (pair.owed.0, pair.collateral.0);
        let (repay, seize, to_keeper) = (plan.repay.0, plan.seize.0, plan.to_keeper.0);
        let context = || std::format!("{self:?} {pair:?} {plan:?}");
        assert!(repay > 0 && repay <= max_repay.min(owed), "{}", context());
        assert!(seize > 0 && seize <= collateral, "{}", context());
        assert!(to_keeper <= seize && to_keeper <= pair.liquid.0, "{}", context());
        assert_eq!((plan.repays_all, plan.seizes_all), (repay == owed, seize == collateral), "{}", context());

        // A small debt is never cut, nor does a part leave one: but for what exhausts the collateral.
        if !plan.repays_all && !plan.seizes_all {
            assert!(!self.is_small(owed) && !self.is_small(owed - repay), "{}", context());
        }
        let after = self.totals(&self.pair(collateral - seize, owed - repay));
        if !plan.close_out && !plan.repays_all && !plan.seizes_all {
            assert!(after.is_healthier_than(before), "{}", context());
        }

        // The seizure is rounded down, the repayment up; and by no more than a unit, but for what bounds it otherwise.
        let one = i128::from(1u64 << 60);
        let with_bonus = i128::from(self.debt_value(repay)) * (one + plan.bonus.to_bits() as i128);
        let value = |amount: u64| i128::from(self.collateral_value(amount)) * one;
        let flat = plan.repays_all && self.is_small(owed) && self.min_bounty > 0;
        if !flat {
            assert!(value(seize) <= with_bonus, "{}", context());
            let bounded = plan.seizes_all || to_keeper + 2 > pair.liquid.0;
            // A price stands for up to one more in its last place.
            assert!(bounded || value(seize + 1) + (1 << 20) >= with_bonus, "{}", context());
        } else if value(seize) > with_bonus {
            // Of the owner's margin, not above the flat amount, and not at the expense of health.
            assert!(after.collateral.0 >= after.debt.0, "{}", context());
            let profit = self.collateral_value(to_keeper) - self.debt_value(repay);
            assert!(profit <= self.min_bounty as i64, "{}", context());
            // Nor above the bounty on a debt of the minimum position.
            let kept = i128::from(10_000 - self.terms.protocol_share_bps);
            let of_minimum = i128::from(self.min_position) * plan.bonus.to_bits() as i128 * kept;
            assert!(i128::from(profit) * one * 10_000 <= of_minimum, "{}", context());
            assert!(plan.close_out || after.debt.is_zero() || !before.is_healthier_than(&after), "{}", context());
        }
    }

    /// All vaults with up to `most` of debt, every repayment, and every liquidity if `illiquid`; how many plans.
    ///
    /// In the order of their debt and collateral, so that what a keeper can still win after a first part is known: the
    /// most of any sequence of liquidations, for the keeper and of what leaves the vault beyond what is repaid.
    fn every_split(&self, most: u64, illiquid: bool) -> u64 {
        let (rules, mut plans) = (self.rules(), 0);
        let width = (0u64..).find(|c| self.totals(&self.pair(*c, most)).is_healthy()).unwrap() as usize;
        let mut best = vec![[0i64; 2]; (most as usize + 1) * (width + 1)];
        let at = |owed: u64, collateral: u64| owed as usize * (width + 1) + collateral as usize;
        for owed in 1..=most {
            for collateral in 0..=width as u64 {
                let mut pair = self.pair(collateral, owed);
                let totals = self.totals(&pair);
                if totals.is_healthy() {
                    assert!(plan(&totals, &rules, &self.terms, &pair, Amount::MAX).is_err());
                    break;
                }
                let (mut most, mut at_once) = ([0i64; 2], [0i64; 2]);
                for liquid in if illiquid { 0..=collateral } else { 0..=0 } {
                    pair.liquid = if illiquid && liquid < collateral { Amount(liquid) } else { Amount::MAX };
                    for max_repay in 1..=owed {
                        let Ok(plan) = plan(&totals, &rules, &self.terms, &pair, Amount(max_repay)) else { continue };
                        self.check(&pair, &totals, &plan, max_repay);
                        let paid = self.debt_value(plan.repay.0);
                        let wins = [plan.to_keeper.0, plan.seize.0].map(|amount| self.collateral_value(amount) - paid);
                        let then = best[at(owed - plan.repay.0, collateral - plan.seize.0)];
                        for n in 0..2 {
                            most[n] = most[n].max(wins[n] + then[n]);
                            if pair.liquid == Amount::MAX && max_repay == owed {
                                at_once[n] = wins[n].max(0);
                            }
                        }
                    }
                    plans += owed;
                }
                // Anyone may also repay a part without taking anything, to be rewarded for the rest.
                for sliver in 1..owed {
                    let then = best[at(owed - sliver, collateral)];
                    for n in 0..2 {
                        most[n] = most[n].max(then[n] - self.debt_value(sliver));
                    }
                }
                for n in 0..2 {
                    assert!(
                        most[n] <= at_once[n] + self.rounding(),
                        "{owed} owed, {collateral} held: {most:?} in parts, {at_once:?} at once: {self:?}"
                    );
                }
                best[at(owed, collateral)] = most;
            }
        }
        plans
    }
}

/// Every repayment of every vault, alone and beside other positions, in any number of parts.
#[test]
fn no_split_pays_more() {
    let cases = cases(&PRICES, &[10_000, 10_500, 15_000], &[[0; 3], [128, 96, 64]]);
    let most = |case: &Case| if case.collateral_price == 1 { 12 } else { 20 };
    let plans: u64 = cases.iter().map(|case| case.every_split(most(case), false)).sum();
    assert_eq!((cases.len(), plans), (432, 2_110_860));
}

/// The same while anything from nothing to everything can be paid out at each step: whoever borrows the collateral or
/// lends it decides.
#[test]
fn no_split_pays_more_at_any_liquidity() {
    let cases = cases(&PRICES[..5], &[10_500], &[[0; 3], [0, 0, 64]]);
    let most = |case: &Case| if case.debt_price == 24 { 8 } else { 12 };
    let plans: u64 = cases.iter().map(|case| case.every_split(most(case), true)).sum();
    assert_eq!((cases.len(), plans), (120, 2_061_579));
}

/// Debts around a minimum position of 80 units, of which the flat bounty would be 24: a sliver is worth little here.
#[test]
fn no_sliver_pays() {
    let cases: Vec<Case> =
        cases(&[(1, 1)], &[10_500], &[[0; 3]]).into_iter().filter(|case| case.min_bounty > 0).collect();
    let plans: u64 = cases.iter().map(|case| case.every_split(96, false)).sum();
    assert_eq!((cases.len(), plans), (4, 1_722_363));
}

/// Debts of up to 64 units, of which the usual bonus is several.
#[test]
fn no_split_of_larger_debts_pays_more() {
    let cases = cases(&[(8, 8), (5, 8), (24, 8)], &[10_500], &[[0; 3]]);
    let plans: u64 = cases.iter().map(|case| case.every_split(64, false)).sum();
    assert_eq!((cases.len(), plans), (36, 4_537_251));
}
