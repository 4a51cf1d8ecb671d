use crate::events::MarketCreated;
use crate::seeds;
use crate::state::{LAYOUT_VERSION, Market, MarketParams};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(id: u16)]
pub struct InitMarket<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub governance: Signer<'info>,
    #[account(init, payer = payer, space = Market::SPACE, seeds = [seeds::MARKET, &id.to_le_bytes()], bump)]
    pub market: AccountLoader<'info, Market>,
    pub system_program: Program<'info, System>,
}

impl InitMarket<'_> {
    pub fn handler(ctx: Context<Self>, id: u16, params: MarketParams) -> Result<()> {
        params.validate()?;
        let governance = ctx.accounts.governance.key();
        let mut market = ctx.accounts.market.load_init()?;
        market.version = LAYOUT_VERSION;
        market.bump = ctx.bumps.market;
        market.id = id;
        market.governance = governance;
        market.configure(&params);
        emit!(MarketCreated { market: ctx.accounts.market.key(), governance, id });
        Ok(())
    }
}
