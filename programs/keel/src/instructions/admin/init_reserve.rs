use crate::errors::KeelError;
use crate::events::{ChangeExecuted, ReserveCreated};
use crate::state::{Change, Kind, MAX_DECIMALS, Market, PendingChange, Reserve};
use crate::valuation::{self, Cursor};
use crate::{seeds, token};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};
use keel_risk::price::Purpose;

#[derive(Accounts)]
pub struct InitReserve<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = rent_payer)]
    pub pending: AccountLoader<'info, PendingChange>,
    /// CHECK: paid for the pending change, and gets it back.
    #[account(mut, address = pending.load()?.rent_payer)]
    pub rent_payer: UncheckedAccount<'info>,
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
    fn validate(&self) -> Result<()> {
        require_gte!(MAX_DECIMALS, self.mint.decimals, KeelError::ConfigDecimals);
        token::require_plain_mint(self.mint.as_ref().as_ref())
    }

    pub fn handler(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.validate()?;
        let moment = valuation::moment(&Clock::get()?)?;
        let pending = accounts.pending.load()?;
        let market = accounts.market.key();
        let Change::List { config } = pending.ready(&market, &accounts.mint.key(), moment.now)? else {
            return Err(KeelError::WrongChange.into());
        };
        config.validate(Kind::Pooled)?;
        {
            let mut reserve = accounts.reserve.load_init()?;
            reserve.version = Reserve::VERSION;
            reserve.bump = ctx.bumps.reserve;
            reserve.decimals = accounts.mint.decimals;
            reserve.market = market;
            reserve.mint = accounts.mint.key();
            reserve.token_program = accounts.token_program.key();
            reserve.liquidity = accounts.liquidity.key();
            reserve.start(Kind::Pooled, config, moment.now)?;
            // A reserve has a last accepted price from the start: it is what its collateral counts at if the feed dies.
            let receiver = valuation::receiver(&accounts.market)?;
            let readings = Cursor::new(ctx.remaining_accounts).readings(&reserve, &receiver)?;
            reserve.require_prices(&readings, Purpose::NewRisk, &moment)?;
        }
        emit!(ReserveCreated { market, reserve: accounts.reserve.key(), mint: accounts.mint.key() });
        emit!(ChangeExecuted { market, change: accounts.pending.key(), nonce: pending.nonce });
        Ok(())
    }
}
