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
        *ctx.accounts.market.load_init()? = Market {
            version: LAYOUT_VERSION,
            bump: ctx.bumps.market,
            id,
            target_health_bps: params.target_health_bps,
            governance,
            guardian: params.guardian,
            risk_steward: params.risk_steward,
            price_receiver: params.price_receiver,
            min_position_micro_usd: params.min_position_micro_usd,
            restart_grace_slots: params.restart_grace_slots,
            reserved: [0; 512],
        };
        emit!(MarketCreated { market: ctx.accounts.market.key(), governance, id });
        Ok(())
    }
}
