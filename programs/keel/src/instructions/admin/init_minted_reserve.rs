use crate::errors::KeelError;
use crate::events::{ChangeExecuted, ReserveCreated};
use crate::state::{Change, Kind, Market, PendingChange, Reserve};
use crate::{seeds, token};
use anchor_lang::prelude::*;
use anchor_spl::token::Token;

/// Decimals of every minted token.
pub const MINTED_DECIMALS: u8 = 6;

#[derive(Accounts)]
pub struct InitMintedReserve<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = rent_payer)]
    pub pending: AccountLoader<'info, PendingChange>,
    /// CHECK: paid for the pending change, and gets it back.
    #[account(mut, address = pending.load()?.rent_payer)]
    pub rent_payer: UncheckedAccount<'info>,
    /// CHECK: the minted token, created here. Nobody can freeze it, and only the reserve mints.
    #[account(mut, seeds = [seeds::MINT, market.key().as_ref()], bump)]
    pub mint: UncheckedAccount<'info>,
    #[account(
        init,
        payer = payer,
        space = Reserve::SPACE,
        seeds = [seeds::RESERVE, market.key().as_ref(), mint.key().as_ref()],
        bump
    )]
    pub reserve: AccountLoader<'info, Reserve>,
    /// The pooled reserve whose asset the swap takes and gives.
    pub swap_reserve: AccountLoader<'info, Reserve>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl InitMintedReserve<'_> {
    fn validate(&self) -> Result<()> {
        let (market, swap) = (self.market.load()?, self.swap_reserve.load()?);
        require_keys_eq!(market.minted_mint, Pubkey::default(), KeelError::MintedReserveExists);
        require_keys_eq!(swap.market, self.market.key(), KeelError::WrongMarket);
        require!(!swap.is_minted(), KeelError::WrongReserveKind);
        Ok(())
    }

    pub fn handler(ctx: Context<Self>) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.validate()?;
        let now = Clock::get()?.unix_timestamp;
        let (mint, market) = (accounts.mint.key(), accounts.market.key());
        let pending = accounts.pending.load()?;
        let Change::ListMinted { config } = pending.ready(&market, &accounts.swap_reserve.key(), now)? else {
            return Err(KeelError::WrongChange.into());
        };
        config.validate(Kind::Minted)?;
        let seeds: &[&[u8]] = &[seeds::MINT, market.as_ref(), &[ctx.bumps.mint]];
        token::create_mint(
            &accounts.mint,
            MINTED_DECIMALS,
            &accounts.reserve.key(),
            &accounts.payer,
            &accounts.token_program,
            seeds,
        )?;
        accounts.market.load_mut()?.minted_mint = mint;
        {
            let mut reserve = accounts.reserve.load_init()?;
            reserve.version = Reserve::VERSION;
            reserve.bump = ctx.bumps.reserve;
            reserve.decimals = MINTED_DECIMALS;
            reserve.market = market;
            reserve.mint = mint;
            reserve.token_program = accounts.token_program.key();
            reserve.liquidity = mint;
            reserve.minted.swap_reserve = accounts.swap_reserve.key();
            reserve.start(Kind::Minted, config, now)?;
        }
        emit!(ReserveCreated { market, reserve: accounts.reserve.key(), mint });
        emit!(ChangeExecuted { market, change: accounts.pending.key(), nonce: pending.nonce });
        Ok(())
    }
}
