use super::UserFlow;
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::token;
use anchor_lang::prelude::*;
use keel_risk::units::Amount;

/// Takes tokens from the user, mints supply shares for them rounded down, adds these to the vault.
pub fn deposit(ctx: Context<UserFlow>, amount: AmountSpec) -> Result<()> {
    let accounts = &*ctx.accounts;
    let amount = match amount {
        AmountSpec::Exact(amount) => amount,
        AmountSpec::All => token::balance(&accounts.token_account)?,
    };
    let now = Clock::get()?.unix_timestamp;
    let key = accounts.reserve.to_account_info().key;
    let (tokens, available, shares) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        accounts.validate(&vault, &reserve)?;
        vault.require_solvent()?;
        // Otherwise anyone could fill the slots of a vault, or put dust of an asset into it just before it is borrowed.
        let opens = vault.find(key).is_none();
        require!(!opens || vault.owner == *accounts.user.key, KeelError::OnlyOwnerOpensPositions);
        let mut pool = reserve.accrued_pool(now)?;
        let change =
            pool.deposit(Amount(amount), Amount(reserve.config.limits.deposit_cap)).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        vault.add_collateral(key, change.shares)?;
        (accounts.tokens(&reserve), reserve.available, change.shares)
    };
    token::take(&tokens, &accounts.token_account, &accounts.liquidity, &accounts.user, amount)?;
    token::require_backed(&accounts.liquidity, available)?;
    accounts.log(Flow::Deposit, Amount(amount), shares.0);
    Ok(())
}
