use crate::errors::KeelError;
use crate::events::InsuranceWithdrawn;
use crate::state::{Market, Reserve};
use crate::token::Door;
use anchor_lang::prelude::*;
use keel_risk::units::Amount;

#[derive(Accounts)]
pub struct WithdrawInsurance<'info> {
    pub governance: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the reserve's liquidity account, or the mint of a minted reserve.
    #[account(mut)]
    pub liquidity: UncheckedAccount<'info>,
    /// CHECK: where the tokens go; the token program checks the mint.
    #[account(mut)]
    pub token_account: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's mint.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's token program.
    pub token_program: UncheckedAccount<'info>,
}

impl WithdrawInsurance<'_> {
    pub fn handler(ctx: Context<Self>, amount: u64) -> Result<()> {
        let accounts = &*ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        let (door, books, change) = {
            let mut reserve = accounts.reserve.load_mut()?;
            let market = accounts.market.load()?;
            require_keys_eq!(*accounts.governance.key, market.governance, KeelError::NotGovernance);
            require_keys_eq!(reserve.market, accounts.market.key(), KeelError::WrongMarket);
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
        emit!(InsuranceWithdrawn { reserve: accounts.reserve.key(), amount, shares: change.shares.0.to_bits() });
        Ok(())
    }
}
