//! A stand-in for an exchange: swaps two tokens at the price that its pool was last told, whatever the amounts.
//!
//! For tests and for the demo, where keepers sell what they seized in the transaction that seizes it. It takes no fee,
//! and whoever is the pool's authority decides what it pays: nothing for a public chain.
//!
//! It also calls other programs with whatever it is given ([`forwarded`]), so that tests can see what Keel refuses to a caller
//! that is a program.
//!
//! [`Pair`] builds the instructions. A pool pays from its associated token accounts, which anyone creates and fills.

mod forward;
mod pair;
mod price;

use anchor_lang::prelude::*;
use anchor_spl::token_interface::{self, Mint, TokenAccount, TokenInterface, TransferChecked};
pub use forward::*;
pub use pair::{Direction, Pair, Token};
pub use price::Price;

declare_id!("MockPooL11111111111111111111111111111111111");

/// First seed of a pool's address. The mints of base and quote follow.
const POOL: &[u8] = b"pool";

#[program]
pub mod keel_mock_pool {
    use super::*;

    /// Creates the pool of two mints, with the signer `authority` as the one who sets its price.
    ///
    /// - Refuses a price with a zero (`ZeroPrice`).
    pub fn initialize(ctx: Context<Initialize>, price: Price) -> Result<()> {
        require!(price.is_valid(), PoolError::ZeroPrice);
        let Initialize { authority, base_mint, quote_mint, pool, .. } = ctx.accounts;
        let (authority, base_mint, quote_mint) = (authority.key(), base_mint.key(), quote_mint.key());
        pool.set_inner(Pool { authority, base_mint, quote_mint, price, bump: ctx.bumps.pool });
        Ok(())
    }

    /// Changes the price.
    ///
    /// - Only the pool's authority (`NotAuthority`). Refuses a price with a zero (`ZeroPrice`).
    pub fn set_price(ctx: Context<SetPrice>, price: Price) -> Result<()> {
        require!(price.is_valid(), PoolError::ZeroPrice);
        ctx.accounts.pool.price = price;
        Ok(())
    }

    /// Takes `amount_in` of one token and pays what it is worth in the other, rounded down. Which way is said by the mints.
    ///
    /// - Refuses mints that are not the pool's two (`NotThePair`), an account to pay into that is not the pool's
    ///   (`NotThePools`), and to pay less than `min_out` (`SlippageExceeded`).
    pub fn swap(ctx: Context<Swap>, amount_in: u64, min_out: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_out = accounts.pool.output(accounts.mint_in.key(), accounts.mint_out.key(), amount_in)?;
        require_gte!(amount_out, min_out, PoolError::SlippageExceeded);
        accounts.take(amount_in)?;
        accounts.pay(amount_out)
    }

    /// Calls `program` with `data` and the remaining accounts, signers as signers.
    pub fn forward<'info>(ctx: Context<'info, Forward<'info>>, data: Vec<u8>) -> Result<()> {
        Forward::handler(ctx, data)
    }
}

/// A pool, which signs for its token accounts.
#[account]
#[derive(InitSpace, Debug)]
pub struct Pool {
    pub authority: Pubkey,
    pub base_mint: Pubkey,
    pub quote_mint: Pubkey,
    pub price: Price,
    pub bump: u8,
}

impl Pool {
    fn output(&self, mint_in: Pubkey, mint_out: Pubkey, amount: u64) -> Result<u64> {
        let worth = if (mint_in, mint_out) == (self.base_mint, self.quote_mint) {
            self.price.quote_for(amount)
        } else if (mint_in, mint_out) == (self.quote_mint, self.base_mint) {
            self.price.base_for(amount)
        } else {
            return err!(PoolError::NotThePair);
        };
        Ok(worth.ok_or(PoolError::Overflow)?)
    }
}

#[derive(Accounts)]
pub struct Initialize<'info> {
    /// Pays for the pool.
    #[account(mut)]
    pub authority: Signer<'info>,
    pub base_mint: InterfaceAccount<'info, Mint>,
    pub quote_mint: InterfaceAccount<'info, Mint>,
    #[account(
        init,
        payer = authority,
        space = Pool::DISCRIMINATOR.len() + Pool::INIT_SPACE,
        seeds = [POOL, base_mint.key().as_ref(), quote_mint.key().as_ref()],
        bump
    )]
    pub pool: Account<'info, Pool>,
    pub system_program: Program<'info, System>,
}

#[derive(Accounts)]
pub struct SetPrice<'info> {
    pub authority: Signer<'info>,
    #[account(mut, has_one = authority @ PoolError::NotAuthority)]
    pub pool: Account<'info, Pool>,
}

#[derive(Accounts)]
pub struct Swap<'info> {
    pub user: Signer<'info>,
    pub pool: Account<'info, Pool>,
    pub mint_in: Box<InterfaceAccount<'info, Mint>>,
    pub mint_out: Box<InterfaceAccount<'info, Mint>>,
    /// CHECK: the token program checks mint and authority.
    #[account(mut)]
    pub source: UncheckedAccount<'info>,
    #[account(mut, constraint = vault_in.owner == pool.key() @ PoolError::NotThePools)]
    pub vault_in: Box<InterfaceAccount<'info, TokenAccount>>,
    /// CHECK: the token program checks mint and authority, which is the pool.
    #[account(mut)]
    pub vault_out: UncheckedAccount<'info>,
    /// CHECK: the user's own choice; the token program checks the mint.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    pub token_program_in: Interface<'info, TokenInterface>,
    pub token_program_out: Interface<'info, TokenInterface>,
}

impl Swap<'_> {
    fn take(&self, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.source.to_account_info(),
            mint: self.mint_in.to_account_info(),
            to: self.vault_in.to_account_info(),
            authority: self.user.to_account_info(),
        };
        let context = CpiContext::new(self.token_program_in.key(), accounts);
        token_interface::transfer_checked(context, amount, self.mint_in.decimals)
    }

    fn pay(&self, amount: u64) -> Result<()> {
        let accounts = TransferChecked {
            from: self.vault_out.to_account_info(),
            mint: self.mint_out.to_account_info(),
            to: self.destination.to_account_info(),
            authority: self.pool.to_account_info(),
        };
        let seeds: &[&[u8]] = &[POOL, self.pool.base_mint.as_ref(), self.pool.quote_mint.as_ref(), &[self.pool.bump]];
        let signer = [seeds];
        let context = CpiContext::new_with_signer(self.token_program_out.key(), accounts, &signer);
        token_interface::transfer_checked(context, amount, self.mint_out.decimals)
    }
}

/// What the program refuses.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum PoolError {
    #[msg("The price has a zero in it")]
    ZeroPrice,
    #[msg("Only the pool's authority sets its price")]
    NotAuthority,
    #[msg("The mints are not the pool's two")]
    NotThePair,
    #[msg("The account to pay into is not the pool's")]
    NotThePools,
    #[msg("The pool pays less than the least that was asked for")]
    SlippageExceeded,
    #[msg("What the pool would pay does not fit a token amount")]
    Overflow,
}
