use super::UserFlow;
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::token;
use anchor_lang::prelude::*;

/// Takes tokens from the user and burns debt shares of the vault for them, rounded down; ALL clears the debt.
pub fn repay(ctx: Context<UserFlow>, amount: AmountSpec) -> Result<()> {
    let accounts = &*ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.reserve.to_account_info().key;
    let (tokens, available, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        accounts.validate(&vault, &reserve)?;
        let mut pool = reserve.accrued_pool(now)?;
        let change = pool.repay(amount.into(), vault.debt(key)?).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        vault.remove_debt(key, change.shares)?;
        vault.clear_if_resolved();
        (accounts.tokens(&reserve), reserve.available, change)
    };
    token::take(&tokens, &accounts.token_account, &accounts.liquidity, &accounts.user, change.amount.0)?;
    token::require_backed(&accounts.liquidity, available)?;
    accounts.log(Flow::Repay, change.amount, change.shares.0);
    Ok(())
}
