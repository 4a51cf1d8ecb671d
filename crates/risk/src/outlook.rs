//! How low the health of a vault can get while its owner does nothing and prices stand still.
//!
//! [`lowest_health`] takes a vault at a time `t0` and states the [`Totals`] that its health cannot be below until `t1`,
//! whatever others do: what notice the program gives to an owner.
//!
//! # What is assumed
//!
//! From `t0` to `t1`, the prices that liquidation uses for the vault's assets stay what they were, no collateral
//! reserve records a loss, and no configuration changes (ramps that run already are no change). The rate of a debt reserve
//! was last fixed under the model that it has, and within the year before `t0`. Others may do anything else: borrow
//! everything, deposit any amount, sample volatility at the same price, accrue interest whenever they like, or repay and
//! deposit for the vault. The vault itself is not liquidated: while the result is healthy, it cannot be.
//!
//! # Why it holds
//!
//! The result is `limit / debt` of a lowest limit and a highest debt, each reached by its own worst case.
//!
//! **Collateral.** A position is worth `floor(amount * price)`, and its amount is `floor(shares * supply index)`.
//! Without a recorded loss that index does not fall, so that neither does the value. The limit is the sum of
//! `floor(value * floor((1 - maintenance) * threshold))`, which never rises with `maintenance` and never falls with
//! `value` or `threshold`, so that it is enough to bound these:
//!
//! - *threshold*: it only falls along its ramp, so that before `t1` it is at least what it is at `t1`
//!   ([`ThresholdRamp::at`], rounded by the same rule);
//! - *maintenance*: let `M` be its value at `t0`. Every movement up is `floor(up * seconds)` at most, and the seconds
//!   of all movements after `t0` add up to `t1 - t0` at most. The one that goes on at `t0` started earlier, but
//!   `floor(a + b) <= floor(a) + ceil(b)`; for those after it `ceil(a) + floor(b) <= ceil(a + b)`. So it is at most
//!   `M + ceil(up * (t1 - t0))`. It is also never above the largest of `M`, the target in force at `t0`, and `max_bps`,
//!   the highest target that can be set ([`Haircut::highest_maintenance`]). What deposits and samples do to the target
//!   is thereby covered, without knowing it.
//!
//! **Debt.** Let `u = 2^-60` and `p(x) = 1 + x + x^2 / 2 + x^3 / 6`. Interest compounds by
//! [`Rate::growth_ceil`](crate::interest::Rate::growth_ceil), which is `p(a) - 1` for the integral `a` of the rate since
//! the last accrual, and the index then grows by `ceil(index * growth)`. The rate never exceeds `max_rate`: a kinked
//! curve's is at most that at full utilization; an adaptive one's is its rate at target times a multiple, each at most
//! that of [`RateModel::highest_rate`](crate::interest::RateModel::highest_rate), and a drift ends at the same multiple of a
//! bound of the rate at target. So `a` grows by at most `max_rate` a year.
//!
//! *An accrual that begins after `t0`* multiplies the index by at most `e^(max_rate * seconds / year + 4 u)`. Its average
//! rate is computed as a number that does not exceed `max_rate` either
//! ([`Rate::average_ceil`](crate::interest::Rate::average_ceil)). For an exact exponent x, rounded up to `x' < x + u`, the
//! roundings make this a factor of at most `p(x') + u (x' + 16) / 6`, as the index is at least 1. With `p(x) <= e^x` and
//! `e^x >= 1 + x` that is at most `e^x' (1 + 8/3 u) <= e^(x + 4 u)`. Accruals are at least a second apart, so that there
//! are at most `t1 - t0` of them.
//!
//! *The accrual that contains `t0`* was counted up to `t0` in the value given, for an integral a. Up to its end the
//! integral grows by some b, at most `max_rate` times the time, and `p(a + b) <= p(a) e^b`, as the derivative of p is at
//! most p. What the value given was rounded up by is not lost, so only the roundings at the end count: those above, and
//! those of the average of a rate that drifts, below `2^-55 * max_rate + 2^-58`, that is 324 u a year at the highest
//! rate of [`crate::config`]. A constant of 512 u covers all of that if no reserve was left alone for more than a year.
//!
//! Together the index grows by at most
//!
//! ```text
//! G = e^(max_rate * (t1 - t0) / year + 4 u (t1 - t0 + 128))
//! ```
//!
//! Without a rate it does not grow at all. What is owed is rounded up to a native unit, and a unit is worth at most
//! what [`UnitPrice::value_ceil`](crate::price::UnitPrice::value_ceil) says of it, so that a debt of `value` becomes at
//! most `ceil(G * value) + unit`. A repayment by others burns no more shares than it pays for, so that it never raises
//! what is owed.
//!
//! Both bounds only widen with time: what holds at `t1` holds before it. And both are reached, by a target at its
//! maximum from `t0` on and by full utilization with frequent compounding, up to the roundings above and, where
//! compounding is rare, the difference of `p(x)` from `e^x`. They may not be reached together: an asset that is supplied
//! earns interest, and one market event need not hit all of them.

use crate::error::{Result, RiskError};
use crate::exp::{MAX_RISING, exp_ceil};
use crate::fraction::Fraction;
use crate::haircut::{Haircut, HaircutTerms, ThresholdRamp};
use crate::health::{Totals, collateral_factor};
use crate::interest::SECONDS_PER_YEAR;
use crate::units::Usd;

/// A collateral position of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollateralExposure {
    /// What it is worth at `t0`, rounded down, at the price that liquidation uses.
    pub value: Usd,
    /// Where the reserve's haircuts are.
    pub haircut: Haircut,
    /// How they may move.
    pub terms: HaircutTerms,
    /// The liquidation threshold that applies to the vault.
    pub threshold: ThresholdRamp,
}

/// A debt position of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtExposure {
    /// What is owed at `t0`, rounded up to whole native units, at the price that liquidation uses, rounded up.
    pub value: Usd,
    /// What one native unit is worth at that price, rounded up: the fraction of a unit that interest makes a whole one.
    pub unit: Usd,
    /// The highest yearly rate that the reserve can ever charge, and no less than the one in force:
    /// [`RateModel::highest_rate`](crate::interest::RateModel::highest_rate).
    pub max_rate: Fraction,
}

/// A position of the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// What it supplied.
    Collateral(CollateralExposure),
    /// What it owes.
    Debt(DebtExposure),
}

/// The least that the limit and the most that the debt of a vault with these `positions` can be from `t0` (Unix
/// seconds) until `horizon` seconds later, if its owner does nothing. Assumptions and proof are at the head of the
/// module.
///
/// The totals' `collateral` is that of `t0`, which cannot fall. The limit is the program's formula at the worst
/// haircuts, off by their rounding alone. The debt is above `value * e^(max_rate * horizon / year)` by less than a native
/// unit, and 2^-51 and `horizon * 2^-58` of itself.
///
/// # Errors
/// `Overflow` when a debt exceeds 2^68, or grows more than e^32-fold: at 1,000 % a year that takes more than three years
/// and two months.
pub fn lowest_health(positions: impl IntoIterator<Item = Exposure>, t0: i64, horizon: u32) -> Result<Totals> {
    let t1 = t0.saturating_add(i64::from(horizon));
    let mut totals = Totals::default();
    for position in positions {
        match position {
            Exposure::Collateral(c) => {
                let maintenance = c.haircut.highest_maintenance(t0, horizon, &c.terms)?;
                totals.add_collateral(c.value, collateral_factor(maintenance, c.threshold.at(t1))?)?;
            }
            Exposure::Debt(d) => totals.add_debt(d.highest(horizon)?)?,
        }
    }
    Ok(totals)
}

impl DebtExposure {
    /// The most that can be owed `seconds` later.
    fn highest(&self, seconds: u32) -> Result<Usd> {
        if self.max_rate.is_zero() || seconds == 0 {
            return Ok(self.value);
        }
        let exponent = self.max_rate.mul_integer(u64::from(seconds))?.div_small_ceil(SECONDS_PER_YEAR)?;
        let roundings = Fraction::EPSILON.mul_integer(4)?.mul_integer(u64::from(seconds).saturating_add(128))?;
        let exponent = exponent.checked_add(roundings)?;
        if exponent > MAX_RISING {
            return Err(RiskError::Overflow);
        }
        let growth = exp_ceil(exponent, false);
        Usd(self.value.0.mul_ceil(growth)?).checked_add(self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::haircut::target;
    use crate::interest::{ADAPTIVE, RateCurve, RateModel, any_curve};
    use crate::pool::{Kind, Pool, RateTerms};
    use crate::price::UnitPrice;
    use crate::reference::Real;
    use crate::units::{Amount, DebtShares, Quantity, SupplyShares};
    use crate::volatility::{Volatility, VolatilityTerms};
    use proptest::prelude::*;
    use std::vec::Vec;

    const DAY: u32 = 86_400;
    const START: i64 = 1_800_000_000;
    const DECIMALS: u8 = 6;

    /// A reserve with everything that others can move.
    #[derive(Clone, Debug)]
    struct Reserve {
        pool: Pool,
        rates: RateTerms,
        price: UnitPrice,
        volatility: Volatility,
        volatility_terms: VolatilityTerms,
        haircut: Haircut,
        terms: HaircutTerms,
        threshold: ThresholdRamp,
    }

    impl Reserve {
        /// A million whole tokens supplied by others, half of them lent to others.
        fn new(rates: RateTerms, terms: HaircutTerms, dollars_per_token: u64) -> Self {
            let mut pool = Pool::new(Kind::Pooled, START, &rates).unwrap();
            pool.deposit(Amount(1_000_000_000_000), Amount::MAX).unwrap();
            pool.borrow(Amount(500_000_000_000), Amount::MAX).unwrap();
            pool.reprice(&rates).unwrap();
            Self {
                pool,
                rates,
                price: UnitPrice::new(u128::from(dollars_per_token), 0, DECIMALS).unwrap(),
                volatility: Volatility::UNSAMPLED,
                volatility_terms: VolatilityTerms {
                    min_interval: 60,
                    half_life: 3_600,
                    max_return_bps: 2_000,
                    multiple_bps: 30_000,
                    horizon: 3_600,
                },
                haircut: Haircut::settled(Fraction::from_bps_ceil(terms.base_bps), START),
                terms,
                threshold: ThresholdRamp::fixed(8_000),
            }
        }

        /// What every instruction on the reserve does: accrue, act, sample at the same price, set the target, reprice.
        fn act(&mut self, now: i64, action: &Action) {
            self.pool.accrue(now).unwrap();
            let part = |of: Amount, bps: u32| Amount((u128::from(of.0) * u128::from(bps) / 10_000) as u64);
            // Refusals (nothing available, nothing owed) leave the pool as it is.
            let mut pool = self.pool;
            let done = match *action {
                Action::Borrow(bps) => pool.borrow(part(pool.available, bps), Amount::MAX).is_ok(),
                Action::Repay(bps) => {
                    let owed = pool.debt_index.amount_owed(pool.debt_shares).unwrap();
                    pool.repay(Quantity::Exact(part(owed, bps / 2)), pool.debt_shares).is_ok()
                }
                Action::Deposit(amount) => pool.deposit(Amount(amount), Amount::MAX).is_ok(),
                Action::Withdraw(bps) => {
                    let amount = part(pool.available, bps);
                    pool.withdraw(Quantity::Exact(amount), pool.supply_shares).is_ok()
                }
                Action::Touch => true,
            };
            if done {
                self.pool = pool;
            }
            self.retarget(now);
            self.pool.reprice(&self.rates).unwrap();
        }

        fn retarget(&mut self, now: i64) {
            self.volatility.sample(self.price, now, &self.volatility_terms).unwrap();
            let supplied = self.pool.supply_index.amount_of(self.pool.supply_shares).unwrap();
            let deviation = self.volatility.deviation(&self.volatility_terms).unwrap();
            let new_target = target(deviation, supplied, &self.terms).unwrap();
            self.haircut.advance(now, new_target, &self.terms).unwrap();
        }

        fn supplied_value(&self, shares: SupplyShares, now: i64) -> Usd {
            self.price.value_floor(self.pool.project(now).unwrap().supply.amount_of(shares).unwrap()).unwrap()
        }

        fn owed_value(&self, shares: DebtShares, now: i64) -> Usd {
            self.price.value_ceil(self.pool.project(now).unwrap().debt.amount_owed(shares).unwrap()).unwrap()
        }
    }

    #[derive(Clone, Debug)]
    enum Action {
        Borrow(u32),
        Repay(u32),
        Deposit(u64),
        Withdraw(u32),
        Touch,
    }

    /// A vault with positions in every reserve of a list: supplied in the first ones, owed in the others.
    #[derive(Clone, Debug)]
    struct World {
        reserves: Vec<Reserve>,
        collateral: Vec<SupplyShares>,
        debt: Vec<DebtShares>,
    }

    impl World {
        fn new(mut reserves: Vec<Reserve>, supplied: &[u64], owed: &[u64]) -> Self {
            let (mut collateral, mut debt) = (Vec::new(), Vec::new());
            for (reserve, amount) in reserves.iter_mut().zip(supplied) {
                collateral.push(reserve.pool.deposit(Amount(*amount), Amount::MAX).unwrap().shares);
            }
            for (reserve, amount) in reserves.iter_mut().skip(supplied.len()).zip(owed) {
                debt.push(reserve.pool.borrow(Amount(*amount), Amount::MAX).unwrap().shares);
            }
            for reserve in &mut reserves {
                let rates = reserve.rates;
                reserve.pool.reprice(&rates).unwrap();
            }
            Self { reserves, collateral, debt }
        }

        fn lenders(&self) -> impl Iterator<Item = (&Reserve, SupplyShares)> {
            self.reserves.iter().zip(self.collateral.iter().copied())
        }

        fn borrowed(&self) -> impl Iterator<Item = (&Reserve, DebtShares)> {
            self.reserves.iter().skip(self.collateral.len()).zip(self.debt.iter().copied())
        }

        /// The vault's health for liquidation, by the program's formulas.
        fn totals(&self, now: i64) -> Totals {
            let mut totals = Totals::default();
            for (reserve, shares) in self.lenders() {
                let maintenance = reserve.haircut.at(now, &reserve.terms).unwrap().maintenance;
                let factor = collateral_factor(maintenance, reserve.threshold.at(now)).unwrap();
                totals.add_collateral(reserve.supplied_value(shares, now), factor).unwrap();
            }
            for (reserve, shares) in self.borrowed() {
                totals.add_debt(reserve.owed_value(shares, now)).unwrap();
            }
            totals
        }

        fn lowest(&self, now: i64, horizon: u32) -> Totals {
            let collateral = self.lenders().map(|(reserve, shares)| {
                Exposure::Collateral(CollateralExposure {
                    value: reserve.supplied_value(shares, now),
                    haircut: reserve.haircut,
                    terms: reserve.terms,
                    threshold: reserve.threshold,
                })
            });
            let debt = self.borrowed().map(|(reserve, shares)| {
                Exposure::Debt(DebtExposure {
                    value: reserve.owed_value(shares, now),
                    unit: reserve.price.value_ceil(Amount(1)).unwrap(),
                    max_rate: reserve.rates.model.highest_rate().unwrap(),
                })
            });
            lowest_health(collateral.chain(debt), now, horizon).unwrap()
        }
    }

    fn assert_not_below(actual: &Totals, bound: &Totals) {
        assert!(actual.limit >= bound.limit, "{actual:?} {bound:?}");
        assert!(actual.debt <= bound.debt, "{actual:?} {bound:?}");
        assert!(actual.collateral >= bound.collateral, "{actual:?} {bound:?}");
        assert!(!bound.is_healthier_than(actual));
    }

    fn any_rates() -> impl Strategy<Value = RateTerms> {
        let kinked = (0u32..=10_000, 0u32..=20_000, 0u32..=70_000, 1u32..10_000).prop_map(
            |(base_bps, slope_bps, excess_slope_bps, optimal_utilization_bps)| {
                RateModel::Kinked(RateCurve { base_bps, slope_bps, excess_slope_bps, optimal_utilization_bps })
            },
        );
        let model = prop_oneof![kinked, any_curve().prop_map(RateModel::Adaptive)];
        (model, 0u32..=5_000).prop_map(|(model, reserve_factor_bps)| RateTerms { model, reserve_factor_bps })
    }

    fn any_reserve() -> impl Strategy<Value = Reserve> {
        let terms = (0u32..=2_000, 0u32..=5_000, 1u32..=2_500, 1u32..=2_500, 0u32..=5_000, 30u32..50).prop_map(
            |(base_bps, more, up_bps_per_hour, down_bps_per_hour, concentration_bps, depth)| HaircutTerms {
                base_bps,
                max_bps: base_bps + more,
                up_bps_per_hour,
                down_bps_per_hour,
                concentration_bps,
                depth: Amount(1 << depth),
            },
        );
        (
            any_rates(),
            terms,
            1u64..10_000,
            (0u32..=8_000, 0u32..=2_000, DAY..10 * DAY, -2 * i64::from(DAY)..i64::from(DAY)),
            (0u64..1 << 60, 0u64..1 << 60),
            0u64..1 << 36,
        )
            .prop_map(
                |(rates, terms, price, (to_bps, fall, duration, started), (maintenance, target), variance)| {
                    let mut reserve = Reserve::new(rates, terms, price);
                    reserve.threshold =
                        ThresholdRamp { from_bps: to_bps + fall, to_bps, started_at: START + started, duration };
                    reserve.haircut = Haircut {
                        maintenance: Fraction::from_bits(u128::from(maintenance)),
                        target: Fraction::from_bits(u128::from(target)),
                        moved_at: START - 1_000,
                    };
                    reserve.volatility = Volatility {
                        price: reserve.price,
                        sampled_at: START,
                        variance: Fraction::from_bits(u128::from(variance)),
                    };
                    reserve
                },
            )
    }

    fn any_action() -> impl Strategy<Value = Action> {
        prop_oneof![
            (1u32..=10_000).prop_map(Action::Borrow),
            Just(Action::Borrow(10_000)),
            (1u32..=10_000).prop_map(Action::Repay),
            (1u64..1 << 50).prop_map(Action::Deposit),
            (1u32..=10_000).prop_map(Action::Withdraw),
            Just(Action::Touch),
        ]
    }

    fn any_steps(max: usize) -> impl Strategy<Value = Vec<(u32, usize, Action)>> {
        let pause = prop_oneof![0u32..=2, 0u32..=600, 0u32..=20_000];
        proptest::collection::vec((pause, 0usize..4, any_action()), 1..max)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        /// A random past, then a random adversary: the bound stated at any time holds until its end.
        #[test]
        fn nobody_gets_below_the_bound(
            reserves in [any_reserve(), any_reserve(), any_reserve(), any_reserve()],
            supplied in [0u64..1 << 40, 0u64..1 << 40], owed in [1u64..1 << 36, 1u64..1 << 36],
            past in any_steps(10), future in any_steps(40),
        ) {
            let mut world = World::new(reserves.to_vec(), &supplied, &owed.map(|n| n.max(1)));
            let mut now = START;
            for (pause, place, action) in past {
                now += i64::from(pause);
                world.reserves[place].act(now, &action);
            }
            now += 777;
            let horizon = future.iter().map(|(pause, ..)| pause).sum();
            let bound = world.lowest(now, horizon);
            assert_not_below(&world.totals(now), &bound);
            for (pause, place, action) in future {
                now += i64::from(pause);
                assert_not_below(&world.totals(now), &bound);
                world.reserves[place].act(now, &action);
                assert_not_below(&world.totals(now), &bound);
            }
        }

        /// A debt of one share, without the slack of a native unit: the index never outgrows the bound, from the middle
        /// of a compounding, however rare or frequent the others are.
        #[test]
        fn no_index_outgrows_the_bound(
            rates in any_rates(), before in 0u32..1_000_000, all_is_lent in any::<bool>(),
            steps in proptest::collection::vec(prop_oneof![1u32..=2, 1u32..1_000, 1u32..1_000_000], 1..200),
        ) {
            let mut pool = Reserve::new(rates, TERMS, 1).pool;
            if all_is_lent {
                pool.borrow(pool.available, Amount::MAX).unwrap();
            }
            pool.reprice(&rates).unwrap();
            let mut now = START + i64::from(before);
            let horizon = steps.iter().sum();
            let max_rate = rates.model.highest_rate().unwrap();
            let start = Usd(pool.project(now).unwrap().debt.0);
            let exposure = DebtExposure { value: start, unit: Usd::ZERO, max_rate };
            let Ok(Usd(bound)) = exposure.highest(horizon) else { return Ok(()) };
            for dt in steps {
                now += i64::from(dt);
                prop_assert!(pool.project(now).unwrap().debt.0 <= bound);
                pool.accrue(now).unwrap();
                pool.borrow(pool.available, Amount::MAX).ok();
                pool.reprice(&rates).unwrap();
            }
        }

        /// The longer the horizon, the lower.
        #[test]
        fn the_bound_never_rises_with_time(
            reserves in [any_reserve(), any_reserve()], horizons in [0u32..10 * DAY, 0u32..10 * DAY],
        ) {
            let world = World::new(reserves.to_vec(), &[1 << 40], &[1 << 30]);
            let [a, b] = horizons;
            let (sooner, later) = (world.lowest(START, a.min(b)), world.lowest(START, a.max(b)));
            assert_not_below(&sooner, &later);
            assert_not_below(&world.totals(START), &sooner);
            // At once, nothing can have happened.
            prop_assert_eq!(world.lowest(START, 0), world.totals(START));
        }
    }

    const RATES: RateTerms = RateTerms {
        model: RateModel::Kinked(RateCurve {
            base_bps: 0,
            slope_bps: 1_000,
            excess_slope_bps: 99_000,
            optimal_utilization_bps: 8_000,
        }),
        reserve_factor_bps: 1_000,
    };
    const FREE: RateTerms = RateTerms { model: flat(0), reserve_factor_bps: 0 };

    /// The same rate at any utilization.
    const fn flat(base_bps: u32) -> RateModel {
        RateModel::Kinked(RateCurve { base_bps, slope_bps: 0, excess_slope_bps: 0, optimal_utilization_bps: 5_000 })
    }

    const TERMS: HaircutTerms = HaircutTerms {
        base_bps: 200,
        max_bps: 4_000,
        up_bps_per_hour: 100,
        down_bps_per_hour: 50,
        concentration_bps: 1_000,
        depth: Amount(1_000_000_000_000),
    };

    /// 1,000 tokens at 100 dollars against 40,000 of a dollar token.
    fn plain_world() -> World {
        // Without interest for its suppliers, which the bound does not count on.
        let mut lent = Reserve::new(FREE, TERMS, 100);
        lent.threshold = ThresholdRamp { from_bps: 8_000, to_bps: 7_000, started_at: START - 40_000, duration: DAY };
        World::new(std::vec![lent, Reserve::new(RATES, TERMS, 1)], &[1_000_000_000], &[40_000_000_000])
    }

    /// Somebody borrows all of the debt asset and deposits the collateral until its haircut is at its maximum, and
    /// keepers accrue every `step` seconds.
    fn worst(world: &World, horizon: u32, step: u32) -> Totals {
        let mut world = world.clone();
        world.reserves[0].act(START, &Action::Deposit(1 << 45));
        assert_eq!(world.reserves[0].haircut.target, Fraction::from_bps_ceil(4_000));
        world.reserves[1].act(START, &Action::Borrow(10_000));
        for now in (step..=horizon).step_by(step as usize) {
            world.reserves[1].act(START + i64::from(now), &Action::Touch);
        }
        world.totals(START + i64::from(horizon))
    }

    #[test]
    fn the_worst_adversary_reaches_the_bound() {
        let world = plain_world();
        for (horizon, step) in [(60, 1), (3_600, 60), (DAY, 60), (3 * DAY, 600)] {
            let (bound, actual) = (world.lowest(START, horizon), worst(&world, horizon, step));
            assert_not_below(&actual, &bound);
            // The limit: the same formula at a haircut that is one unit off at most, of 100,000 dollars.
            let gap = actual.limit.0.checked_sub(bound.limit.0).unwrap();
            assert!(gap.to_bits() <= 400_000, "{gap:?}");
            // The debt: a unit, and the roundings of two millionths of a millionth.
            let unit = world.reserves[1].price.value_ceil(Amount(1)).unwrap().0.to_bits();
            let gap = bound.debt.0.checked_sub(actual.debt.0).unwrap().to_bits();
            assert!(gap <= unit + bound.debt.0.to_bits() / 500_000_000_000, "{gap}");
        }
    }

    /// That the tests above can fail: the bound for a shorter time, without the ramps or at a lower rate is beaten.
    #[test]
    fn a_weaker_bound_is_beaten() {
        let world = plain_world();
        let actual = worst(&world, DAY, 60);
        let sooner = world.lowest(START, DAY - 60);
        assert!(actual.limit < sooner.limit && actual.debt > sooner.debt);
        let mut slower = world.clone();
        slower.reserves[0].terms.up_bps_per_hour -= 1;
        if let RateModel::Kinked(curve) = &mut slower.reserves[1].rates.model {
            curve.excess_slope_bps -= 1;
        }
        let slower = slower.lowest(START, DAY);
        assert!(actual.limit < slower.limit && actual.debt > slower.debt);
    }

    /// Keepers that accrue every second round up every second: the slack for it is needed, and enough.
    #[test]
    fn accruing_every_second_stays_below() {
        let mut world = plain_world();
        // Next to no interest, so that roundings are most of it: 1 bp at full utilization.
        world.reserves[1].rates.model = flat(1);
        let rates = world.reserves[1].rates;
        world.reserves[1].pool.reprice(&rates).unwrap();
        let bound = world.lowest(START, 50_000);
        let index = world.reserves[1].pool.debt_index.0;
        for now in 1..=50_000 {
            world.reserves[1].pool.accrue(START + now).unwrap();
        }
        let totals = world.totals(START + 50_000);
        assert_not_below(&totals, &bound);
        // The same without the slack of a native unit.
        let max_rate = Fraction::from_bps_ceil(1);
        let one_share = DebtExposure { value: Usd(index), unit: Usd::ZERO, max_rate };
        assert!(world.reserves[1].pool.debt_index.0 <= one_share.highest(50_000).unwrap().0);
        let grown = world.reserves[1].pool.debt_index.0.checked_sub(index).unwrap();
        let smooth = crate::interest::growth_ceil(max_rate, 50_000).unwrap();
        assert!(grown.checked_sub(smooth).unwrap() > Fraction::from_bits(40_000), "no rounding to speak of");
    }

    /// A reserve that nobody touches while its rate drifts to its bound, in 685 hours: until then the debt grows by less
    /// than the bound, and from there on by as much, up to the order of the series.
    #[test]
    fn a_drifting_rate_meets_the_bound_and_no_more() {
        let rates = RateTerms { model: RateModel::Adaptive(ADAPTIVE), reserve_factor_bps: 0 };
        let mut pool = Reserve::new(rates, TERMS, 1).pool;
        pool.borrow(pool.available, Amount::MAX).unwrap();
        pool.reprice(&rates).unwrap();
        let max_rate = rates.model.highest_rate().unwrap();
        let index = |hours: i64| pool.project(START + hours * 3_600).unwrap().debt.0;
        for hours in 0..800 {
            for horizon in [1, 24] {
                let exposure = DebtExposure { value: Usd(index(hours)), unit: Usd::ZERO, max_rate };
                let bound = exposure.highest(horizon * 3_600).unwrap().0;
                let actual = index(hours + i64::from(horizon));
                assert!(actual <= bound, "{hours} + {horizon}: {actual:?} {bound:?}");
                let grown = |to: Fraction| to.checked_sub(index(hours)).unwrap().to_bits();
                let near = grown(actual) as f64 / grown(bound) as f64;
                assert!(hours < 685 || near > 0.995, "{hours} + {horizon}: {near}");
                assert!(hours > 600 || near < 0.9, "{hours} + {horizon}: {near}");
            }
        }
    }

    /// 80,000 of limit at 100,000 dollars, by hand.
    #[test]
    fn a_vault_by_hand() {
        let position = CollateralExposure {
            value: Usd(Fraction::from_integer(100_000)),
            haircut: Haircut::settled(Fraction::from_bps_ceil(200), START),
            terms: TERMS,
            threshold: ThresholdRamp::fixed(8_000).toward(7_500, START, 2 * DAY).unwrap(),
        };
        let debt = DebtExposure {
            value: Usd(Fraction::from_integer(50_000)),
            unit: Usd(Fraction::ratio_floor(1, 1_000_000).unwrap()),
            max_rate: Fraction::from_integer(1),
        };
        let check = |horizon: u32, limit: u64, days: u32| {
            let totals = lowest_health([Exposure::Collateral(position), Exposure::Debt(debt)], START, horizon).unwrap();
            let error = totals.limit.0.to_bits().abs_diff(Fraction::from_integer(limit).to_bits());
            assert!(error <= 400_000, "{totals:?}");
            let exact = Real::ratio(days, 365).exp() * Real::integer(50_000);
            // 4 units for each of at most 3.2e7 seconds, and one native unit.
            let allowed = &exact * Real::two_to_minus(33) + Real::ratio(1, 500_000);
            assert!(exact.excess_of(totals.debt.0) <= allowed, "{totals:?}");
        };
        check(0, 78_400, 0);
        // A day: 2 % + 24 * 1 % = 26 %; a threshold half way down; e^(1 / 365).
        check(DAY, 57_350, 1);
        // Two days: the maximum of 40 %, and the end of the ramp.
        check(2 * DAY, 45_000, 2);
        check(365 * DAY, 45_000, 365);
    }

    /// A target from before the maximum was lowered still counts.
    #[test]
    fn a_target_above_the_maximum_is_not_forgotten() {
        let haircut = Haircut {
            maintenance: Fraction::from_bps_ceil(3_900),
            target: Fraction::from_bps_ceil(5_000),
            moved_at: START,
        };
        let position = CollateralExposure {
            value: Usd(Fraction::from_integer(100)),
            haircut,
            terms: TERMS,
            threshold: ThresholdRamp::fixed(8_000),
        };
        let totals = lowest_health([Exposure::Collateral(position)], START, DAY).unwrap();
        let factor = collateral_factor(
            haircut.at(START + i64::from(DAY), &TERMS).unwrap().maintenance,
            position.threshold.at(0),
        );
        assert_eq!(totals.limit.0, position.value.0.mul_floor(factor.unwrap()).unwrap());
    }

    #[test]
    fn debt_without_a_rate_stands_still() {
        let value = Usd(Fraction::from_integer(7));
        let debt = DebtExposure { value, unit: value, max_rate: Fraction::ZERO };
        let totals = lowest_health([Exposure::Debt(debt)], START, u32::MAX).unwrap();
        assert_eq!(totals, Totals { debt: value, ..Totals::default() });
        assert_eq!(lowest_health([], START, u32::MAX), Ok(Totals::default()));
    }

    #[test]
    fn absurd_horizons_are_refused() {
        let at = |max_rate: u64, horizon: u32| {
            let debt = DebtExposure {
                value: Usd(Fraction::ONE),
                unit: Usd(Fraction::EPSILON),
                max_rate: Fraction::from_integer(max_rate),
            };
            lowest_health([Exposure::Debt(debt)], i64::MAX, horizon)
        };
        // 1,000 % a year for 3.2 years, less the allowance for roundings, which is less than a second of it.
        assert!(at(10, SECONDS_PER_YEAR / 5 * 16 - 1).is_ok());
        assert_eq!(at(10, SECONDS_PER_YEAR / 5 * 16), Err(RiskError::Overflow));
        assert_eq!(at(10, u32::MAX), Err(RiskError::Overflow));
        assert_eq!(at(u64::MAX, u32::MAX), Err(RiskError::Overflow));
        assert_eq!(at(u64::MAX, 1), Err(RiskError::Overflow));
        assert!(at(u64::MAX, 0).is_ok());
    }
}
