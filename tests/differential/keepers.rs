//! What keepers do: liquidations, bad debts, prices.

use crate::model::{Model, Outcome, refuse};
use crate::terms;
use crate::vault::Holdings;
use keel::KeelError;
use keel::state::{Side, pause};
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::liquidation::{self, Pair};
use keel_risk::pool::Loss;
use keel_risk::price::{Observation, Purpose, UnitPrice};
use keel_risk::units::{Amount, DebtShares, Quantity, SupplyShares};
use keel_tests::random::VaultId;
use keel_tests::random::specs::{MINTED, SWAPPED};

/// A liquidation or redemption, valued.
pub struct Case {
    pub vault: Holdings,
    pub before: Totals,
    /// Whether the weights of the collateral's group count.
    pub grouped: bool,
    pub pair: Pair,
    pub owed: DebtShares,
    pub held: SupplyShares,
    /// What both reserves remember afterwards.
    seen: [Vec<(usize, Observation)>; 2],
}

impl Model {
    /// Accrues both reserves, and values the vault.
    pub fn case(&mut self, vault: Holdings, debt: usize, collateral: usize) -> Outcome<Case> {
        let now = self.now();
        vault.require_solvent()?;
        self.accrued(debt)?;
        self.accrued(collateral)?;
        let oracle = |asset: usize| self.reserves[asset].oracle(self.moment);
        let debt_price = oracle(debt).traded(Side::Debt)?;
        let collateral_price = oracle(collateral).traded(Side::Collateral)?;
        let value = self.value(&vault, Purpose::Liquidation, |asset, side| match asset {
            asset if asset == debt => Ok(debt_price),
            asset if asset == collateral => Ok(collateral_price),
            asset => oracle(asset).maintenance(side),
        })?;
        let grouped = self.reserves[collateral].has_weights_in(value.group);
        let owed = DebtShares(vault.shares(debt, Side::Debt)?);
        let held = SupplyShares(vault.shares(collateral, Side::Collateral)?);
        let (debt_pool, collateral_pool) = (self.reserves[debt].state.pool, self.reserves[collateral].state.pool);
        let pair = Pair {
            owed: debt_pool.debt_index.amount_owed(owed)?,
            debt_price,
            collateral: collateral_pool.supply_index.amount_of(held)?,
            collateral_price,
            collateral_factor: self.reserves[collateral].factor(Purpose::Liquidation, grouped, now)?,
            liquid: collateral_pool.available,
        };
        let seen = [debt, collateral].map(|asset| oracle(asset).acceptable(Purpose::Liquidation));
        Ok(Case { vault, before: value.totals, grouped, pair, owed, held, seen })
    }

    /// Takes `amount` off the debt of a case.
    pub fn repay_in(&mut self, case: &mut Case, debt: usize, amount: Amount) -> Outcome<()> {
        let now = self.now();
        let repaid = self.reserves[debt].state.pool.repay(Quantity::Exact(amount), case.owed)?;
        let released = case.vault.release(debt, repaid.shares.0)?;
        if let Some(isolated) = case.vault.isolated {
            self.release(isolated, released);
        }
        case.vault.remove(debt, repaid.shares.0)?;
        self.reserves[debt].let_in(amount, now)
    }

    /// The vault's sums with what is left of both positions, and their shares.
    pub fn after(&self, case: &Case, debt: usize, collateral: usize) -> Outcome<(Totals, Fraction, Fraction)> {
        let left = |asset: usize| case.vault.find(asset).map_or(Fraction::ZERO, |slot| slot.shares);
        let (owed, held) = (left(debt), left(collateral));
        let owed_after = self.reserves[debt].state.pool.debt_index.amount_owed(DebtShares(owed))?;
        let held_after = self.reserves[collateral].state.pool.supply_index.amount_of(SupplyShares(held))?;
        Ok((case.pair.totals_after(&case.before, owed_after, held_after)?, owed, held))
    }

    /// Remembers prices and settles the books of both reserves.
    pub fn settle_in(&mut self, case: &Case, debt: usize, collateral: usize) -> Outcome<()> {
        let now = self.now();
        for (asset, seen) in [debt, collateral].into_iter().zip(&case.seen) {
            self.reserves[asset].remember(seen, now)?;
            self.reserves[asset].settle()?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    pub fn liquidate(
        &mut self,
        keeper: usize,
        id: VaultId,
        debt: usize,
        collateral: usize,
        max_repay: Amount,
        min_seize: u64,
        into: Option<VaultId>,
    ) -> Outcome<()> {
        let now = self.now();
        let vault = self.vault(id)?;
        self.require_past_restart()?;
        if debt == collateral {
            return refuse(KeelError::NoSuchCollateral);
        }
        self.require_running(pause::LIQUIDATE)?;
        let mut case = self.case(vault, debt, collateral)?;
        if into.is_some() {
            case.pair.liquid = Amount::MAX;
        }
        let rules = terms::rules(&self.params);
        let bonus = terms::bonus(&self.reserves[collateral].state.config, case.grouped);
        let plan = liquidation::plan(&case.before, &rules, &bonus, &case.pair, max_repay)?;
        self.repay_in(&mut case, debt, plan.repay)?;
        let reserve = &mut self.reserves[collateral];
        let seized = if let Some(into) = into {
            let seized = reserve.state.pool.seize_shares(case.held, plan.seize, plan.to_keeper, plan.seizes_all)?;
            self.give_shares(keeper, id, into, collateral, seized.keeper_shares)?;
            seized.shares
        } else {
            reserve.let_out_unrefused(plan.to_keeper, now)?;
            reserve.state.pool.seize(case.held, plan.seize, plan.to_keeper, plan.seizes_all)?.shares
        };
        case.vault.remove(collateral, seized.0)?;

        let (after, owed, held) = self.after(&case, debt, collateral)?;
        let may_fall = plan.close_out || plan.repays_all || plan.seizes_all;
        if !may_fall && !after.is_healthier_than(&case.before) {
            return refuse(KeelError::HealthNotRaised);
        }
        if after.is_bad_debt(rules.min_position) && !owed.is_zero() {
            let loss = self.reserves[debt].write_off(owed)?;
            self.count_loss(&loss);
            case.vault.remove(debt, owed)?;
            self.reserves[collateral].state.pool.forfeit(SupplyShares(held))?;
            case.vault.remove(collateral, held)?;
            case.vault.insolvent = true;
            case.vault.clear();
        }
        if plan.to_keeper.0 < min_seize {
            return refuse(KeelError::SlippageExceeded);
        }
        self.settle_in(&case, debt, collateral)?;
        self.put(id, Some(case.vault));
        self.take(keeper, debt, plan.repay)?;
        if into.is_none() {
            self.pay(keeper, collateral, plan.to_keeper);
        }
        Ok(())
    }

    /// Adds shares to the vault at `to`. Only its owner opens a position in it, and no delegate.
    fn give_shares(
        &mut self,
        keeper: usize,
        from: VaultId,
        to: VaultId,
        asset: usize,
        shares: SupplyShares,
    ) -> Outcome<()> {
        if to == from {
            return refuse(KeelError::SameVault);
        }
        let Ok(mut vault) = self.vault(to) else { return refuse(KeelError::NotAVault) };
        vault.require_solvent()?;
        if vault.find(asset).is_none() {
            if vault.owner != keeper {
                return refuse(KeelError::OnlyOwnerOpensPositions);
            }
            self.require_room(&vault, asset)?;
        }
        vault.add(asset, self.reserves[asset].state.config.group.id, Side::Collateral, shares.0)?;
        self.put(to, Some(vault));
        Ok(())
    }

    pub fn count_loss(&mut self, loss: &Loss) {
        self.losses += 1;
        self.shared_losses += u64::from(!loss.socialized.is_zero());
    }

    pub fn refresh(&mut self, asset: usize, prices: bool) -> Outcome<()> {
        let moment = self.moment;
        self.accrued(asset)?;
        if prices && asset == MINTED {
            let mut pooled = self.reserves[SWAPPED].state.pool;
            pooled.accrue(moment.now)?;
            let mut swap = self.swap_books(pooled);
            self.mark_swap(&mut swap, UnitPrice::ZERO)?;
            self.reserves[asset].state.pool = swap.minted;
        }
        let reserve = &mut self.reserves[asset];
        reserve.settle()?;
        if prices && asset != MINTED {
            let seen = reserve.oracle(moment).all(Purpose::Liquidation)?;
            reserve.remember(&seen, moment.now)?;
        }
        Ok(())
    }

    pub fn challenge(&mut self, asset: usize, feed: usize) -> Outcome<()> {
        let now = self.moment.now;
        let feed = self.reserves[asset].feeds.get_mut(feed).ok_or(KeelError::NoSuchFeed)?;
        if feed.challenged_at == 0 {
            feed.challenged_at = now;
        }
        Ok(())
    }

    pub fn resolve(&mut self, id: VaultId, asset: usize) -> Outcome<()> {
        let mut vault = self.vault(id)?;
        self.require_running(pause::LIQUIDATE)?;
        let Some(&slot) = vault.find(asset) else { return refuse(KeelError::NoSuchDebt) };
        self.accrued(asset)?;
        if !vault.insolvent {
            self.require_past_restart()?;
            let maintenance = |asset: usize, side| self.reserves[asset].oracle(self.moment).maintenance(side);
            let value = self.value(&vault, Purpose::Liquidation, maintenance)?;
            if !value.totals.is_bad_debt(terms::rules(&self.params).min_position) {
                return refuse(KeelError::NoBadDebt);
            }
            vault.insolvent = true;
        }
        match slot.side {
            Side::Debt => {
                let loss = self.reserves[asset].write_off(slot.shares)?;
                self.count_loss(&loss);
            }
            Side::Collateral => self.reserves[asset].state.pool.forfeit(SupplyShares(slot.shares))?,
        }
        vault.remove(asset, slot.shares)?;
        vault.clear();
        self.put(id, Some(vault));
        self.reserves[asset].settle()
    }
}
