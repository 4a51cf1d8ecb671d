use crate::errors::KeelError;
use crate::events::ReserveRefreshed;
use crate::instructions::user::mark;
use crate::state::{Market, Reserve};
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::pool::Pool;
use keel_risk::price::{Purpose, UnitPrice};

#[derive(Accounts)]
pub struct RefreshReserve<'info> {
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

impl<'info> RefreshReserve<'info> {
    pub fn handler(ctx: Context<'info, Self>) -> Result<()> {
        let moment = valuation::moment(&Clock::get()?)?;
        let mut reserve = ctx.accounts.reserve.load_mut()?;
        require_keys_eq!(reserve.market, ctx.accounts.market.key(), KeelError::WrongMarket);
        let mut pool = reserve.accrued_pool(moment.now)?;
        let mut prices = Cursor::new(ctx.remaining_accounts);
        if reserve.is_minted() && !prices.is_empty() {
            pool = marked(&ctx, &reserve, pool, moment.now)?;
        }
        reserve.settle(pool)?;
        if !reserve.is_minted() && !prices.is_empty() {
            let readings = prices.readings(&reserve, &valuation::receiver(&ctx.accounts.market)?)?;
            reserve.require_prices(&readings, Purpose::Liquidation, &moment)?;
        }
        emit!(ReserveRefreshed {
            reserve: ctx.accounts.reserve.key(),
            supply_index: pool.supply_index.0.to_bits(),
            debt_index: pool.debt_index.0.to_bits(),
            available: pool.available.0,
            maintenance_haircut: reserve.haircut.maintenance.get(),
            haircut_target: reserve.haircut.target.get(),
        });
        Ok(())
    }
}

/// The books of a minted reserve after what its swap lost, as the pooled reserve among the remaining accounts says. That
/// needs no price: what the swap holds counts at par.
fn marked<'info>(ctx: &Context<'info, RefreshReserve<'info>>, minted: &Reserve, books: Pool, now: i64) -> Result<Pool> {
    let account = ctx.remaining_accounts.first().ok_or(KeelError::MissingAccount)?;
    require_keys_eq!(*account.key, minted.minted.swap_reserve, KeelError::WrongSwapReserve);
    let pooled = AccountLoader::<Reserve>::try_from(account)?;
    let pooled = pooled.load()?;
    let mut swap = minted.swap_with(books, &pooled, pooled.accrued_pool(now)?);
    mark(&mut swap, UnitPrice::ZERO, ctx.accounts.reserve.key())?;
    Ok(swap.minted)
}
