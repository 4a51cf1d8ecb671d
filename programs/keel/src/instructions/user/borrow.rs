use super::UserFlow;
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::state::{pause, rights};
use crate::valuation::{self, writable_reserve};
use anchor_lang::prelude::*;
use keel_risk::price::Side;
use keel_risk::units::Amount;

/// Mints debt shares to the vault, rounded up, and pays tokens to the user. Initial health must hold after, and the
/// debt be worth at least the market's minimum position.
pub fn borrow<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
    let AmountSpec::Exact(amount) = amount else {
        return Err(KeelError::BorrowNeedsAmount.into());
    };
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let key = accounts.reserve.to_account_info().key;
    let (door, books, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        let door = accounts.validate(&vault, &reserve, pause::BORROW, moment.now)?;
        accounts.require_payee(&vault, rights::BORROW, moment.now)?;
        vault.require_solvent()?;
        let mut pool = reserve.accrued_pool(moment.now)?;
        let change = pool.borrow(Amount(amount), Amount(reserve.config.limits.borrow_cap)).map_err(KeelError::from)?;
        reserve.let_out(change.amount, moment.now)?;
        reserve.settle(pool)?;
        vault.add_debt(key, reserve.config.group.id, change.shares)?;
        let remaining = ctx.remaining_accounts;
        let (valuation, price) =
            accounts.require_initial_health(&vault, &mut reserve, Side::Debt, &moment, remaining)?;
        valuation.require_isolation()?;
        let price = price?;
        let owed = pool.debt_index.amount_owed(vault.debt(key)?).map_err(KeelError::from)?;
        let value = price.value_ceil(owed).map_err(KeelError::from)?;
        require!(value >= accounts.market.load()?.min_position()?, KeelError::PositionTooSmall);
        if let Some(isolated) = valuation.isolated_collateral {
            let lent = price.value_ceil(change.amount).map_err(KeelError::from)?;
            let counted = writable_reserve(remaining, &isolated)?.load_mut()?.back_isolated_debt(lent)?;
            vault.count_isolated_debt(key, &isolated, counted)?;
        }
        (door, reserve.tokens()?, change)
    };
    door.pay(&accounts.token_account, amount)?;
    door.require_backed(books)?;
    accounts.log(Flow::Borrow, change.amount, change.shares.0);
    Ok(())
}
