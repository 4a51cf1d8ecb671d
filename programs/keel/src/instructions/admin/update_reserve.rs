use crate::errors::KeelError;
use crate::events::ReserveConfigured;
use crate::state::{Market, Reserve, ReserveConfig};
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::price::Purpose;

#[derive(Accounts)]
pub struct UpdateReserve<'info> {
    pub governance: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

impl<'info> UpdateReserve<'info> {
    pub fn handler(ctx: Context<'info, Self>, config: ReserveConfig, ramp: u32) -> Result<()> {
        let accounts = &*ctx.accounts;
        let market = accounts.market.load()?;
        require_keys_eq!(*accounts.governance.key, market.governance, KeelError::NotGovernance);
        let moment = valuation::moment(&Clock::get()?)?;
        let mut reserve = accounts.reserve.load_mut()?;
        require_keys_eq!(reserve.market, accounts.market.key(), KeelError::WrongMarket);
        let other_feeds = reserve.config.oracle.feeds != config.oracle.feeds;
        reserve.reconfigure(config, ramp, moment.now)?;
        if other_feeds {
            // What the old feeds said last is no price of the new ones.
            let readings = Cursor::new(ctx.remaining_accounts).readings(&reserve, &market.price_receiver)?;
            reserve.require_prices(&readings, Purpose::NewRisk, &moment)?;
        }
        emit!(ReserveConfigured { reserve: accounts.reserve.key() });
        Ok(())
    }
}
