use super::{UserFlow, signer_of};
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::{token, valuation};
use anchor_lang::prelude::*;
use keel_risk::price::Side;

/// Burns supply shares of the vault, rounded up, and pays tokens to the user. With debt, initial health must hold after.
pub fn withdraw<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let key = accounts.reserve.to_account_info().key;
    let (tokens, signer, available, change) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        accounts.validate(&vault, &reserve)?;
        accounts.require_owner(&vault)?;
        vault.require_solvent()?;
        let mut pool = reserve.accrued_pool(moment.now)?;
        let change = pool.withdraw(amount.into(), vault.collateral(key)?).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        vault.remove_collateral(key, change.shares)?;
        if vault.has(Side::Debt) {
            let remaining = ctx.remaining_accounts;
            // Collateral without a usable price may leave if what stays is enough.
            let _ = accounts.require_initial_health(&vault, &mut reserve, Side::Collateral, &moment, remaining)?;
        }
        (accounts.tokens(&reserve), signer_of(&reserve), reserve.available, change)
    };
    let reserve = accounts.reserve.to_account_info();
    token::pay(&tokens, &accounts.liquidity, &accounts.token_account, &reserve, &signer, change.amount.0)?;
    token::require_backed(&accounts.liquidity, available)?;
    accounts.log(Flow::Withdraw, change.amount, change.shares.0);
    Ok(())
}
