use super::{UserFlow, deposit_action};
use crate::errors::KeelError;
use crate::events::Flow;
use crate::instructions::AmountSpec;
use crate::state::rights;
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
    let (door, books, shares) = {
        let (mut vault, mut reserve) = (accounts.vault.load_mut()?, accounts.reserve.load_mut()?);
        let door = accounts.validate(&vault, &reserve, deposit_action(&vault, key), now)?;
        vault.require_solvent()?;
        if vault.find(key).is_none() {
            // Otherwise anyone could fill the slots of a vault, or put dust of an asset into it before it is borrowed.
            let by_owner = vault.authorize(accounts.user.key, rights::DEPOSIT, now);
            by_owner.map_err(|e| if e == KeelError::NotVaultOwner { KeelError::OnlyOwnerOpensPositions } else { e })?;
            vault.require_room_for(&reserve)?;
        }
        let mut pool = reserve.accrued_pool(now)?;
        let change =
            pool.deposit(Amount(amount), Amount(reserve.config.limits.deposit_cap)).map_err(KeelError::from)?;
        reserve.let_in(change.amount, now)?;
        reserve.settle(pool)?;
        vault.add_collateral(key, reserve.config.group.id, change.shares)?;
        (door, reserve.tokens()?, change.shares)
    };
    door.take(&accounts.token_account, &accounts.user, amount)?;
    door.require_backed(books)?;
    accounts.log(Flow::Deposit, Amount(amount), shares.0);
    Ok(())
}
