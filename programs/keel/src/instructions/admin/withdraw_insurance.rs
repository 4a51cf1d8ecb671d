use crate::errors::KeelError;
use crate::events::{ChangeExecuted, InsuranceWithdrawn};
use crate::state::{Change, Market, PendingChange, Reserve};
use crate::token::Door;
use anchor_lang::prelude::*;
use keel_risk::units::Amount;

#[derive(Accounts)]
pub struct WithdrawInsurance<'info> {
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = rent_payer)]
    pub pending: AccountLoader<'info, PendingChange>,
    /// CHECK: paid for the pending change, and gets it back.
    #[account(mut, address = pending.load()?.rent_payer)]
    pub rent_payer: UncheckedAccount<'info>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the reserve's liquidity account, or the mint of a minted reserve.
    #[account(mut)]
    pub liquidity: UncheckedAccount<'info>,
    /// CHECK: the one that the change names; the token program checks the mint.
    #[account(mut)]
    pub token_account: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's mint.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's token program.
    pub token_program: UncheckedAccount<'info>,
}

impl WithdrawInsurance<'_> {
    pub fn handler(ctx: Context<Self>) -> Result<()> {
        let accounts = &*ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        let pending = accounts.pending.load()?;
        let market = accounts.market.key();
        let Change::WithdrawInsurance { amount, to } = pending.ready(&market, &accounts.reserve.key(), now)? else {
            return Err(KeelError::WrongChange.into());
        };
        require_keys_eq!(accounts.token_account.key(), to, KeelError::WrongTarget);
        let (door, books, change) = {
            let mut reserve = accounts.reserve.load_mut()?;
            let door = Door::new(
                accounts.reserve.as_ref(),
                &reserve,
                &accounts.liquidity,
                &accounts.mint,
                &accounts.token_program,
            )?;
            let mut pool = reserve.accrued_pool(now)?;
            let floor = reserve.config.insurance_floor_bps;
            let change = pool.withdraw_insurance(Amount(amount), floor).map_err(KeelError::from)?;
            reserve.settle(pool)?;
            (door, reserve.tokens()?, change)
        };
        door.pay(&accounts.token_account, amount)?;
        door.require_backed(books)?;
        emit!(ChangeExecuted { market, change: accounts.pending.key(), nonce: pending.nonce });
        emit!(InsuranceWithdrawn { reserve: accounts.reserve.key(), amount, shares: change.shares.0.to_bits() });
        Ok(())
    }
}
