//! The minted token: swaps and redemptions.

use crate::model::{Model, Outcome, refuse};
use crate::terms;
use keel::KeelError;
use keel::state::{Side, pause};
use keel_risk::liquidation::Pair;
use keel_risk::pool::Pool;
use keel_risk::price::{Purpose, UnitPrice};
use keel_risk::redemption::{self, Fees};
use keel_risk::swap::Swap;
use keel_risk::units::Amount;
use keel_tests::random::VaultId;
use keel_tests::random::specs::{MINTED, SWAPPED};

impl Model {
    /// Accrues both sides of the swap, and values what it holds. The prices at which assets come in and go out.
    fn open_swap(&mut self) -> Outcome<(Swap, UnitPrice, UnitPrice)> {
        let now = self.now();
        self.require_running(pause::SWAP)?;
        let oracle = self.reserves[SWAPPED].oracle(self.moment);
        let (low, high) = (oracle.new_risk(Side::Collateral)?, oracle.new_risk(Side::Debt)?);
        let seen = oracle.acceptable(Purpose::NewRisk);
        self.reserves[SWAPPED].remember(&seen, now)?;
        self.accrued(MINTED)?;
        let pooled = self.accrued(SWAPPED)?.state.pool;
        let mut swap = self.swap_books(pooled);
        self.mark_swap(&mut swap, low)?;
        Ok((swap, low, high))
    }

    /// Both sides of the swap, the pooled one as given.
    pub fn swap_books(&self, pooled: Pool) -> Swap {
        let (minted, asset_decimals) = (&self.reserves[MINTED], self.reserves[SWAPPED].decimals);
        let held = minted.state.swap_shares;
        Swap { minted: minted.state.pool, pooled, held, token_decimals: minted.decimals, asset_decimals }
    }

    /// Values what the swap holds.
    pub fn mark_swap(&mut self, swap: &mut Swap, low: UnitPrice) -> Outcome<()> {
        let loss = swap.mark(low)?;
        if !loss.owed.is_zero() {
            self.count_loss(&loss);
        }
        Ok(())
    }

    fn close_swap(&mut self, swap: &Swap) -> Outcome<()> {
        self.reserves[MINTED].state.swap_shares = swap.held;
        self.reserves[MINTED].state.pool = swap.minted;
        self.reserves[SWAPPED].state.pool = swap.pooled;
        self.reserves[MINTED].settle()?;
        self.reserves[SWAPPED].settle()
    }

    pub fn swap_in(&mut self, user: usize, assets: Amount, min_tokens: u64) -> Outcome<()> {
        let now = self.now();
        let (mut swap, low, _) = self.open_swap()?;
        let (minted, pooled) = (self.reserves[MINTED].state.config, self.reserves[SWAPPED].state.config);
        let caps = [minted.limits.swap_cap, pooled.limits.deposit_cap].map(Amount);
        let done = swap.take_in(assets, low, minted.minted.swap_in_fee_bps, caps[0], caps[1])?;
        self.reserves[SWAPPED].let_in(assets, now)?;
        self.close_swap(&swap)?;
        if done.tokens.0 < min_tokens {
            return refuse(KeelError::OutputTooSmall);
        }
        self.take(user, SWAPPED, assets)?;
        self.pay(user, MINTED, done.tokens);
        Ok(())
    }

    pub fn swap_out(&mut self, user: usize, tokens: Amount, min_assets: u64) -> Outcome<()> {
        let now = self.now();
        let (mut swap, _, high) = self.open_swap()?;
        let fee_bps = self.reserves[MINTED].state.config.minted.swap_out_fee_bps;
        let done = swap.pay_out(tokens, high, fee_bps)?;
        self.reserves[SWAPPED].let_out(done.assets, now)?;
        self.close_swap(&swap)?;
        if done.assets.0 < min_assets {
            return refuse(KeelError::OutputTooSmall);
        }
        self.take(user, MINTED, tokens)?;
        self.pay(user, SWAPPED, done.assets);
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
        self.require_running(pause::REDEEM)?;
        let mut case = self.case(vault, debt, collateral)?;
        let terms = terms::redemptions(&self.reserves[debt].state.config);
        let state = &self.reserves[debt].state;
        let circulating = state.pool.outstanding()?.min(Amount(state.settled_tokens));
        let fees = Fees::new(&terms, &self.reserves[debt].state.redemptions, now, circulating)?;
        let high = self.reserves[collateral].oracle(self.moment).new_risk(Side::Debt)?;
        let pair = Pair { collateral_price: high, ..case.pair };
        let min_position = terms::rules(&self.params).min_position;
        let plan = redemption::plan(&case.before, min_position, &pair, max_repay, &fees)?;
        self.reserves[debt].state.redemptions = fees.after(plan.repay)?;
        self.repay_in(&mut case, debt, plan.repay)?;
        let reserve = &mut self.reserves[collateral];
        let seized = reserve.state.pool.seize(case.held, plan.seize, plan.pay, false)?;
        case.vault.remove(collateral, seized.shares.0)?;
        reserve.let_out(plan.pay, now)?;
        let (after, ..) = self.after(&case, debt, collateral)?;
        if !after.is_healthier_than(&case.before) {
            return refuse(KeelError::HealthNotRaised);
        }
        self.settle_in(&case, debt, collateral)?;
        if plan.pay.0 < min_seize {
            return refuse(KeelError::OutputTooSmall);
        }
        self.put(id, Some(case.vault));
        self.take(redeemer, debt, plan.repay)?;
        self.pay(redeemer, collateral, plan.pay);
        Ok(())
    }
}
