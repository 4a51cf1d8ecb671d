use crate::errors::KeelError;
use crate::events::FlashLoan;
use crate::introspection;
use crate::state::{Market, Reserve, pause};
use crate::token::Door;
use anchor_lang::prelude::*;
use keel_risk::units::Amount;

/// The accounts of `flash_borrow` and `flash_repay`.
#[derive(Accounts)]
pub struct FlashFlow<'info> {
    /// Authority of `token_account` when tokens come back.
    pub user: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the reserve's liquidity account, or the mint of a minted reserve.
    #[account(mut)]
    pub liquidity: UncheckedAccount<'info>,
    /// CHECK: where tokens go to or come from; the token program checks mint and authority.
    #[account(mut)]
    pub token_account: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's mint.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: must be the reserve's token program.
    pub token_program: UncheckedAccount<'info>,
    /// CHECK: the instructions sysvar.
    #[account(address = introspection::ID)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> FlashFlow<'info> {
    fn validate<'a>(&'a self, reserve: &Reserve) -> Result<Door<'a, 'info>> {
        require_keys_eq!(reserve.market, self.market.key(), KeelError::WrongMarket);
        Door::new(self.reserve.as_ref(), reserve, &self.liquidity, &self.mint, &self.token_program)
    }
}

/// Lends until `flash_repay` in the same transaction, which must be there.
pub fn flash_borrow(ctx: Context<FlashFlow>, amount: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let (door, books) = {
        let mut reserve = accounts.reserve.load_mut()?;
        let door = accounts.validate(&reserve)?;
        accounts.market.load()?.require_running(pause::FLASH, now)?;
        introspection::require_flash_repayment(&accounts.instructions, accounts.reserve.as_ref().key, amount)?;
        let mut pool = reserve.accrued_pool(now)?;
        pool.flash_borrow(Amount(amount), Amount(reserve.config.limits.borrow_cap)).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        (door, reserve.tokens()?)
    };
    door.pay(&accounts.token_account, amount)?;
    door.require_backed(books)
}

/// Takes the loan and its fee back.
pub fn flash_repay(ctx: Context<FlashFlow>, amount: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let now = Clock::get()?.unix_timestamp;
    let (door, books, due) = {
        let mut reserve = accounts.reserve.load_mut()?;
        let door = accounts.validate(&reserve)?;
        let mut pool = reserve.accrued_pool(now)?;
        let due = pool.flash_repay(Amount(amount), reserve.config.flash_fee_bps).map_err(KeelError::from)?;
        reserve.settle(pool)?;
        (door, reserve.tokens()?, due)
    };
    door.take(&accounts.token_account, &accounts.user, due.0)?;
    door.require_backed(books)?;
    emit!(FlashLoan { reserve: accounts.reserve.key(), amount, fee: due.0.saturating_sub(amount) });
    Ok(())
}
