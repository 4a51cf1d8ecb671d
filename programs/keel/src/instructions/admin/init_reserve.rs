use crate::errors::KeelError;
use crate::events::ReserveCreated;
use crate::state::{Kind, LAYOUT_VERSION, MAX_DECIMALS, Market, Reserve, ReserveConfig};
use crate::valuation::{self, Cursor};
use crate::{seeds, token};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use keel_risk::price::Purpose;

#[derive(Accounts)]
pub struct InitReserve<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub governance: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mint::token_program = token_program)]
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(
        init,
        payer = payer,
        space = Reserve::SPACE,
        seeds = [seeds::RESERVE, market.key().as_ref(), mint.key().as_ref()],
        bump
    )]
    pub reserve: AccountLoader<'info, Reserve>,
    #[account(
        init,
        payer = payer,
        seeds = [seeds::LIQUIDITY, reserve.key().as_ref()],
        bump,
        token::mint = mint,
        token::authority = reserve,
        token::token_program = token_program
    )]
    pub liquidity: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Interface<'info, TokenInterface>,
    pub system_program: Program<'info, System>,
}

impl InitReserve<'_> {
    fn validate(&self, config: &ReserveConfig) -> Result<()> {
        require_keys_eq!(self.governance.key(), self.market.load()?.governance, KeelError::NotGovernance);
        require_gte!(MAX_DECIMALS, self.mint.decimals, KeelError::ConfigDecimals);
        token::require_plain_mint(self.mint.as_ref().as_ref())?;
        Ok(config.validate(Kind::Pooled)?)
    }

    pub fn handler(ctx: Context<Self>, config: ReserveConfig) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.validate(&config)?;
        let moment = valuation::moment(&Clock::get()?)?;
        {
            let mut reserve = accounts.reserve.load_init()?;
            reserve.version = LAYOUT_VERSION;
            reserve.bump = ctx.bumps.reserve;
            reserve.decimals = accounts.mint.decimals;
            reserve.market = accounts.market.key();
            reserve.mint = accounts.mint.key();
            reserve.token_program = accounts.token_program.key();
            reserve.liquidity = accounts.liquidity.key();
            reserve.start(Kind::Pooled, config, moment.now)?;
            // A reserve has a last accepted price from the start: it is what its collateral counts at if the feed dies.
            let receiver = valuation::receiver(&accounts.market)?;
            let readings = Cursor::new(ctx.remaining_accounts).readings(&reserve, &receiver)?;
            reserve.require_prices(&readings, Purpose::NewRisk, &moment)?;
        }
        emit!(ReserveCreated {
            market: accounts.market.key(),
            reserve: accounts.reserve.key(),
            mint: accounts.mint.key(),
        });
        Ok(())
    }
}
