use super::UserFlow;
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::state::{pause, rights};
use crate::valuation;
use anchor_lang::prelude::*;
use keel_risk::price::Side;

/// Burns supply shares of the vault, rounded up, and pays tokens to the user. With debt, initial health must hold after.
pub fn withdraw<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let key = accounts.reserve.to_account_info().key;
    let (door, books, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        let door = accounts.validate(&vault, &reserve, pause::WITHDRAW, moment.now)?;
        accounts.require_payee(&vault, rights::WITHDRAW, moment.now)?;
        vault.require_solvent()?;
        let mut pool = reserve.accrued_pool(moment.now)?;
        let change = pool.withdraw(amount.into(), vault.collateral(key)?).map_err(KeelError::from)?;
        reserve.let_out(change.amount, moment.now)?;
        reserve.settle(pool)?;
        vault.remove_collateral(key, change.shares)?;
        if vault.has(Side::Debt) {
            let remaining = ctx.remaining_accounts;
            // Collateral without a usable price may leave if what stays is enough.
            let _ = accounts.require_initial_health(&vault, &mut reserve, Side::Collateral, &moment, remaining)?;
        }
        (door, reserve.tokens()?, change)
    };
    door.pay(&accounts.token_account, change.amount.0)?;
    door.require_backed(books)?;
    accounts.log(Flow::Withdraw, change.amount, change.shares.0);
    Ok(())
}
