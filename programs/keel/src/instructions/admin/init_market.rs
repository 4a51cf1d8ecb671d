use crate::errors::KeelError;
use crate::events::MarketCreated;
use crate::seeds;
use crate::state::{Market, MarketParams};
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
    pub fn handler(
        ctx: Context<Self>,
        id: u16,
        params: MarketParams,
        guardian: Pubkey,
        risk_steward: Pubkey,
    ) -> Result<()> {
        require_keys_neq!(guardian, Pubkey::default(), KeelError::ZeroAddress);
        let governance = ctx.accounts.governance.key();
        let mut market = ctx.accounts.market.load_init()?;
        market.version = Market::VERSION;
        market.bump = ctx.bumps.market;
        market.id = id;
        market.governance = governance;
        market.guardian = guardian;
        market.risk_steward = risk_steward;
        market.configure(&params)?;
        emit!(MarketCreated { market: ctx.accounts.market.key(), governance, id });
        Ok(())
    }
}
