use crate::errors::KeelError;
use crate::events::ReserveCreated;
use crate::state::{Kind, LAYOUT_VERSION, Market, Reserve, ReserveConfig};
use crate::{seeds, token};
use anchor_lang::prelude::*;
use anchor_spl::token::Token;

/// Decimals of every minted token.
pub const MINTED_DECIMALS: u8 = 6;

#[derive(Accounts)]
pub struct InitMintedReserve<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub governance: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
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
    fn validate(&self, config: &ReserveConfig) -> Result<()> {
        let (market, swap) = (self.market.load()?, self.swap_reserve.load()?);
        require_keys_eq!(self.governance.key(), market.governance, KeelError::NotGovernance);
        require_keys_eq!(market.minted_mint, Pubkey::default(), KeelError::MintedReserveExists);
        require_keys_eq!(swap.market, self.market.key(), KeelError::WrongMarket);
        require!(!swap.is_minted(), KeelError::WrongReserveKind);
        Ok(config.validate(Kind::Minted)?)
    }

    pub fn handler(ctx: Context<Self>, config: ReserveConfig) -> Result<()> {
        let accounts = &ctx.accounts;
        accounts.validate(&config)?;
        let mint = accounts.mint.key();
        let market = accounts.market.key();
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
            reserve.version = LAYOUT_VERSION;
            reserve.bump = ctx.bumps.reserve;
            reserve.decimals = MINTED_DECIMALS;
            reserve.market = accounts.market.key();
            reserve.mint = mint;
            reserve.token_program = accounts.token_program.key();
            reserve.liquidity = mint;
            reserve.minted.swap_reserve = accounts.swap_reserve.key();
            reserve.start(Kind::Minted, config, Clock::get()?.unix_timestamp)?;
        }
        emit!(ReserveCreated { market: accounts.market.key(), reserve: accounts.reserve.key(), mint });
        Ok(())
    }
}
