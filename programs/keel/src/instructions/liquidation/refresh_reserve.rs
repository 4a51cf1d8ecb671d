use crate::errors::KeelError;
use crate::events::ReserveRefreshed;
use crate::state::{Market, Reserve};
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::price::Purpose;

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
        let pool = reserve.accrued_pool(moment.now)?;
        reserve.settle(pool)?;
        let mut prices = Cursor::new(ctx.remaining_accounts);
        if !prices.is_empty() {
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
