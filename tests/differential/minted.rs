//! The minted token: swaps and redemptions.

use crate::model::{Model, Outcome, refuse};
use crate::terms;
use keel::KeelError;
use keel::state::Side;
use keel_risk::liquidation::Pair;
use keel_risk::price::{Purpose, UnitPrice};
use keel_risk::units::{Amount, Quantity};
use keel_risk::{redemption, swap};
use keel_tests::random::VaultId;
use keel_tests::random::specs::{MINTED, SWAPPED};

impl Model {
    /// Accrues both sides of the swap, and values what it holds. The prices at which assets come in and go out.
    fn open_swap(&mut self) -> Outcome<(UnitPrice, UnitPrice)> {
        let now = self.now();
        let oracle = self.reserves[SWAPPED].oracle(self.moment);
        let (low, high) = (oracle.new_risk(Side::Collateral)?, oracle.new_risk(Side::Debt)?);
        let seen = oracle.acceptable(Purpose::NewRisk);
        self.reserves[SWAPPED].remember(&seen, now)?;
        self.accrued(MINTED)?;
        self.accrued(SWAPPED)?;
        let index = self.reserves[SWAPPED].state.pool.supply_index;
        let held = index.amount_of(self.reserves[MINTED].state.swap_shares)?;
        let (from, to) = (self.reserves[SWAPPED].decimals, self.reserves[MINTED].decimals);
        let at_low = swap::tokens_for_assets(held, from, low, to)?;
        let at_par = swap::tokens_for_assets(held, from, UnitPrice::MAX, to)?;
        let loss = self.reserves[MINTED].state.pool.mark_swap(at_low, at_par)?;
        if !loss.owed.is_zero() {
            self.count_loss(&loss);
        }
        Ok((low, high))
    }

    fn close_swap(&mut self) -> Outcome<()> {
        self.reserves[MINTED].settle()?;
        self.reserves[SWAPPED].settle()
    }

    pub fn swap_in(&mut self, user: usize, assets: Amount, min_tokens: u64) -> Outcome<()> {
        let now = self.now();
        let (low, _) = self.open_swap()?;
        let config = self.reserves[MINTED].state.config;
        let (from, to) = (self.reserves[SWAPPED].decimals, self.reserves[MINTED].decimals);
        let value = swap::tokens_for_assets(assets, from, low, to)?;
        let fee = swap::fee(value, config.minted.swap_in_fee_bps)?;
        let tokens = self.reserves[MINTED].state.pool.swap_in(value, fee, Amount(config.limits.swap_cap))?;
        let pooled = &mut self.reserves[SWAPPED];
        let cap = Amount(pooled.state.config.limits.deposit_cap);
        let held = pooled.state.pool.deposit(assets, cap)?.shares;
        pooled.let_in(assets, now)?;
        let shares = &mut self.reserves[MINTED].state.swap_shares;
        *shares = shares.checked_add(held)?;
        self.close_swap()?;
        if tokens.0 < min_tokens {
            return refuse(KeelError::OutputTooSmall);
        }
        self.take(user, SWAPPED, assets)?;
        self.pay(user, MINTED, tokens);
        Ok(())
    }

    pub fn swap_out(&mut self, user: usize, tokens: Amount, min_assets: u64) -> Outcome<()> {
        let now = self.now();
        let (_, high) = self.open_swap()?;
        let config = self.reserves[MINTED].state.config;
        let (from, to) = (self.reserves[MINTED].decimals, self.reserves[SWAPPED].decimals);
        let fee = swap::fee(tokens, config.minted.swap_out_fee_bps)?;
        let paid = self.reserves[MINTED].state.pool.swap_out(tokens, fee)?;
        let assets = swap::assets_for_tokens(paid, from, high, to)?;
        let held = self.reserves[MINTED].state.swap_shares;
        let pooled = &mut self.reserves[SWAPPED];
        let change = pooled.state.pool.withdraw(Quantity::Exact(assets), held)?;
        pooled.let_out(assets, now)?;
        self.reserves[MINTED].state.swap_shares = held.checked_sub(change.shares)?;
        self.close_swap()?;
        if assets.0 < min_assets {
            return refuse(KeelError::OutputTooSmall);
        }
        self.take(user, MINTED, tokens)?;
        self.pay(user, SWAPPED, assets);
        Ok(())
    }

    pub fn redeem(
        &mut self,
        redeemer: usize,
        id: VaultId,
        debt: usize,
        collateral: usize,
        max_repay: Amount,
        min_seize: u64,
    ) -> Outcome<()> {
        let now = self.now();
        let vault = self.vault(id)?;
        self.require_past_restart()?;
        if debt == collateral {
            return refuse(KeelError::NoSuchCollateral);
        }
        if !self.reserves[debt].is_minted() {
            return refuse(KeelError::WrongReserveKind);
        }
        let mut case = self.case(vault, debt, collateral)?;
        let terms = terms::redemptions(&self.reserves[debt].state.config);
        let circulating = self.reserves[debt].state.pool.circulating()?;
        let mut base = self.reserves[debt].state.redemptions;
        let fee = base.fee(now, &terms, max_repay.min(case.pair.owed), circulating)?;
        let high = self.reserves[collateral].oracle(self.moment).new_risk(Side::Debt)?;
        let pair = Pair { collateral_price: high, ..case.pair };
        let min_position = terms::rules().min_position;
        let plan = redemption::plan(&case.before, &terms, min_position, &pair, max_repay, fee)?;
        base.redeemed(now, &terms, plan.repay, circulating)?;
        self.reserves[debt].state.redemptions = base;
        self.repay_in(&mut case, debt, collateral, plan.repay)?;
        let reserve = &mut self.reserves[collateral];
        let seized = reserve.state.pool.seize(case.held, plan.seize, plan.seize, false)?;
        case.vault.remove(collateral, seized.shares.0)?;
        reserve.let_out(plan.seize, now)?;
        let (after, ..) = self.after(&case, debt, collateral)?;
        if !after.is_healthier_than(&case.before) {
            return refuse(KeelError::HealthNotRaised);
        }
        self.settle_in(&case, debt, collateral)?;
        if plan.seize.0 < min_seize {
            return refuse(KeelError::OutputTooSmall);
        }
        self.put(id, Some(case.vault));
        self.take(redeemer, debt, plan.repay)?;
        self.pay(redeemer, collateral, plan.seize);
        Ok(())
    }
}
