use super::UserFlow;
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::state::pause;
use crate::valuation::writable_reserve;
use anchor_lang::prelude::*;

/// Takes tokens from the user and burns debt shares of the vault for them, rounded down; ALL clears the debt.
pub fn repay<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
    let accounts = &*ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.reserve.to_account_info().key;
    let (door, books, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        let door = accounts.validate(&vault, &reserve, pause::REPAY, now)?;
        let mut pool = reserve.accrued_pool(now)?;
        let change = pool.repay(amount.into(), vault.debt(key)?).map_err(KeelError::from)?;
        reserve.let_in(change.amount, now)?;
        reserve.settle(pool)?;
        let released = vault.release_isolated_debt(key, change.shares)?;
        if released > 0 {
            let isolated = writable_reserve(ctx.remaining_accounts, &vault.isolated_reserve)?;
            isolated.load_mut()?.release_isolated_debt(released);
        }
        vault.remove_debt(key, change.shares)?;
        vault.clear_if_resolved();
        (door, reserve.tokens()?, change)
    };
    door.take(&accounts.token_account, &accounts.user, change.amount.0)?;
    door.require_backed(books)?;
    accounts.log(Flow::Repay, change.amount, change.shares.0);
    Ok(())
}
