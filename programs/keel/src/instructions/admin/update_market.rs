use crate::errors::KeelError;
use crate::events::MarketConfigured;
use crate::state::{Market, MarketParams};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct UpdateMarket<'info> {
    pub governance: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

impl UpdateMarket<'_> {
    pub fn handler(ctx: Context<Self>, params: MarketParams) -> Result<()> {
        let mut market = ctx.accounts.market.load_mut()?;
        require_keys_eq!(*ctx.accounts.governance.key, market.governance, KeelError::NotGovernance);
        params.validate()?;
        market.configure(&params);
        emit!(MarketConfigured { market: ctx.accounts.market.key() });
        Ok(())
    }
}
