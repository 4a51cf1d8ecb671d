use super::Liquidate;
use super::liquidate::health_bits;
use crate::errors::KeelError;
use crate::events::Redeemed;
use crate::state::pause;
use crate::valuation;
use anchor_lang::prelude::*;
use keel_risk::liquidation::Pair;
use keel_risk::price::Side;
use keel_risk::redemption::{self, Fees};
use keel_risk::units::Amount;

/// Burns minted tokens for collateral of a vault near its limit, a dollar each less the fee, and takes as many off its debt.
/// Half of the fee becomes insurance. The accounts are those of a liquidation.
pub fn redeem<'info>(ctx: Context<'info, Liquidate<'info>>, max_repay: u64, min_seize: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let clock = Clock::get()?;
    let moment = valuation::moment(&clock)?;
    valuation::require_past_restart(&accounts.market, &clock, &moment)?;
    let (debt_door, collateral_door) = accounts.validate()?;
    let (plan, before, after, books) = {
        let mut vault = accounts.vault.load_mut()?;
        let (mut debt, mut collateral) = (accounts.debt_reserve.load_mut()?, accounts.collateral_reserve.load_mut()?);
        require!(debt.is_minted(), KeelError::WrongReserveKind);
        let mut case =
            accounts.case(&mut vault, &mut debt, &mut collateral, &moment, pause::REDEEM, ctx.remaining_accounts)?;
        let terms = case.debt.reserve.config.redemption_terms();
        let circulating = case.debt.reserve.redeemable_tokens(&case.debt.pool)?;
        let base = case.debt.reserve.redemption_base();
        let fees = Fees::new(&terms, &base, moment.now, circulating).map_err(KeelError::from)?;
        // The owner gives collateral away: it counts at what is worse for the redeemer, as for new risk.
        let high = case.collateral.reserve.new_risk_price(&case.collateral.readings, Side::Debt, &moment)?;
        let pair = Pair { collateral_price: high, ..case.pair };
        let plan = redemption::plan(&case.before, case.rules.min_position, &pair, Amount(max_repay), &fees)
            .map_err(KeelError::from)?;
        let base = fees.after(plan.repay).map_err(KeelError::from)?;
        case.debt.reserve.minted.redemption_base = base.base.into();
        case.debt.reserve.minted.redemption_at = base.at;

        case.repay(plan.repay, moment.now, ctx.remaining_accounts)?;
        let held = case.vault.collateral(case.collateral.key)?;
        let seized = case.collateral.pool.seize(held, plan.seize, plan.pay, false).map_err(KeelError::from)?;
        case.vault.remove_collateral(case.collateral.key, seized.shares)?;
        case.collateral.reserve.let_out(plan.pay, moment.now)?;
        let after = case.totals_after()?;
        require!(after.is_healthier_than(&case.before), KeelError::HealthNotRaised);
        case.settle(&moment)?;
        let before = case.before;
        (plan, before, after, (debt.tokens()?, collateral.tokens()?))
    };
    require_gte!(plan.pay.0, min_seize, KeelError::OutputTooSmall);
    debt_door.take(&accounts.keeper_debt_account, &accounts.keeper, plan.repay.0)?;
    collateral_door.pay(&accounts.keeper_collateral_account, plan.pay.0)?;
    debt_door.require_backed(books.0)?;
    collateral_door.require_backed(books.1)?;
    emit!(Redeemed {
        vault: accounts.vault.key(),
        redeemer: accounts.keeper.key(),
        collateral_reserve: accounts.collateral_reserve.key(),
        repaid: plan.repay.0,
        seized: plan.seize.0,
        paid: plan.pay.0,
        fee: plan.fee.to_bits(),
        health_before: health_bits(&before),
        health_after: health_bits(&after),
    });
    Ok(())
}
