use crate::errors::KeelError;
use crate::events::{BadDebtRecognized, Swapped};
use crate::state::{Market, Reserve, pause};
use crate::token::Door;
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::price::{Moment, Purpose, Side, UnitPrice};
use keel_risk::swap::{self, Exchange};
use keel_risk::units::Amount;

/// The accounts of both directions of the swap between the minted token and the asset of a pooled reserve.
/// Remaining accounts: the price accounts of the pooled reserve.
#[derive(Accounts)]
pub struct Swap<'info> {
    pub user: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub minted_reserve: AccountLoader<'info, Reserve>,
    #[account(mut)]
    pub pooled_reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the minted reserve's mint.
    #[account(mut)]
    pub minted_mint: UncheckedAccount<'info>,
    /// CHECK: must be the pooled reserve's liquidity account.
    #[account(mut)]
    pub pooled_liquidity: UncheckedAccount<'info>,
    /// CHECK: the user's minted tokens; the token program checks mint and authority.
    #[account(mut)]
    pub user_minted_account: UncheckedAccount<'info>,
    /// CHECK: the user's tokens of the pooled asset; the token program checks mint and authority.
    #[account(mut)]
    pub user_pooled_account: UncheckedAccount<'info>,
    /// CHECK: must be the pooled reserve's mint.
    pub pooled_mint: UncheckedAccount<'info>,
    /// CHECK: must be the minted reserve's token program.
    pub minted_token_program: UncheckedAccount<'info>,
    /// CHECK: must be the pooled reserve's token program.
    pub pooled_token_program: UncheckedAccount<'info>,
}

/// Both reserves, their books, and what the asset counts at.
struct Sides<'a> {
    minted: &'a mut Reserve,
    pooled: &'a mut Reserve,
    books: swap::Swap,
    low: UnitPrice,
    high: UnitPrice,
}

impl<'a> Sides<'a> {
    /// Values what the swap holds before anything is exchanged, so that a loss of the pooled reserve is nobody's gain.
    fn new(
        accounts: &Swap,
        minted: &'a mut Reserve,
        pooled: &'a mut Reserve,
        moment: &Moment,
        remaining: &[AccountInfo],
    ) -> Result<Self> {
        let market = accounts.market.load()?;
        market.require_running(pause::SWAP, moment.now)?;
        let readings = Cursor::new(remaining).readings(pooled, &market.price_receiver)?;
        let low = pooled.new_risk_price(&readings, Side::Collateral, moment)?;
        let high = pooled.new_risk_price(&readings, Side::Debt, moment)?;
        pooled.remember_prices(&readings, Purpose::NewRisk, moment)?;
        let mut books = minted.swap_with(minted.accrued_pool(moment.now)?, pooled, pooled.accrued_pool(moment.now)?);
        mark(&mut books, low, accounts.minted_reserve.key())?;
        Ok(Self { minted, pooled, books, low, high })
    }

    fn settle(self) -> Result<()> {
        self.minted.minted.swap_shares = self.books.held.0.into();
        self.minted.settle(self.books.minted)?;
        Ok(self.pooled.settle(self.books.pooled)?)
    }
}

/// Values what the swap of the minted reserve at `key` holds, and tells of a loss. No vault owed it: the swap's own holding
/// lost it.
pub fn mark(books: &mut swap::Swap, low: UnitPrice, key: Pubkey) -> Result<()> {
    let loss = books.mark(low).map_err(KeelError::from)?;
    if !loss.owed.is_zero() {
        emit!(BadDebtRecognized::new(Pubkey::default(), key, &loss, &books.minted));
    }
    Ok(())
}

impl<'info> Swap<'info> {
    /// All accounts belong together. Returns where the tokens of both reserves enter and leave.
    fn validate<'a>(&'a self) -> Result<(Door<'a, 'info>, Door<'a, 'info>)> {
        let (minted, pooled) = (&*self.minted_reserve.load()?, &*self.pooled_reserve.load()?);
        require_keys_eq!(minted.market, self.market.key(), KeelError::WrongMarket);
        // Before the doors, which would only say that an account is not the liquidity of the wrong reserve.
        require!(minted.is_minted(), KeelError::WrongReserveKind);
        require_keys_eq!(minted.minted.swap_reserve, self.pooled_reserve.key(), KeelError::WrongSwapReserve);
        let minted_door = Door::new(
            self.minted_reserve.as_ref(),
            minted,
            &self.minted_mint,
            &self.minted_mint,
            &self.minted_token_program,
        )?;
        let pooled_door = Door::new(
            self.pooled_reserve.as_ref(),
            pooled,
            &self.pooled_liquidity,
            &self.pooled_mint,
            &self.pooled_token_program,
        )?;
        Ok((minted_door, pooled_door))
    }

    fn log(&self, minted: bool, done: &Exchange) {
        let Exchange { tokens, assets, fee } = *done;
        emit!(Swapped {
            user: self.user.key(),
            minted_reserve: self.minted_reserve.key(),
            pooled_reserve: self.pooled_reserve.key(),
            minted,
            tokens: tokens.0,
            assets: assets.0,
            fee: fee.0,
        });
    }
}

/// Takes assets and mints tokens for them, at a dollar each at most, less a fee.
pub fn swap_in<'info>(ctx: Context<'info, Swap<'info>>, assets: u64, min_tokens: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let (minted_door, pooled_door) = accounts.validate()?;
    let (minted_books, pooled_books, done) = {
        let (mut minted, mut pooled) = (accounts.minted_reserve.load_mut()?, accounts.pooled_reserve.load_mut()?);
        let mut sides = Sides::new(accounts, &mut minted, &mut pooled, &moment, ctx.remaining_accounts)?;
        let fee_bps = sides.minted.config.minted.swap_in_fee_bps;
        let (swap_cap, deposit_cap) = (sides.minted.config.limits.swap_cap, sides.pooled.config.limits.deposit_cap);
        let done = sides
            .books
            .take_in(Amount(assets), sides.low, fee_bps, Amount(swap_cap), Amount(deposit_cap))
            .map_err(KeelError::from)?;
        sides.pooled.let_in(done.assets, moment.now)?;
        sides.settle()?;
        (minted.tokens()?, pooled.tokens()?, done)
    };
    require_gte!(done.tokens.0, min_tokens, KeelError::OutputTooSmall);
    pooled_door.take(&accounts.user_pooled_account, &accounts.user, done.assets.0)?;
    minted_door.pay(&accounts.user_minted_account, done.tokens.0)?;
    pooled_door.require_backed(pooled_books)?;
    minted_door.require_backed(minted_books)?;
    accounts.log(true, &done);
    Ok(())
}

/// Burns tokens and pays assets for them, at a dollar each at least, less a fee.
pub fn swap_out<'info>(ctx: Context<'info, Swap<'info>>, tokens: u64, min_assets: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let (minted_door, pooled_door) = accounts.validate()?;
    let (minted_books, pooled_books, done) = {
        let (mut minted, mut pooled) = (accounts.minted_reserve.load_mut()?, accounts.pooled_reserve.load_mut()?);
        let mut sides = Sides::new(accounts, &mut minted, &mut pooled, &moment, ctx.remaining_accounts)?;
        let fee_bps = sides.minted.config.minted.swap_out_fee_bps;
        let done = sides.books.pay_out(Amount(tokens), sides.high, fee_bps).map_err(KeelError::from)?;
        sides.pooled.let_out(done.assets, moment.now)?;
        sides.settle()?;
        (minted.tokens()?, pooled.tokens()?, done)
    };
    require_gte!(done.assets.0, min_assets, KeelError::OutputTooSmall);
    minted_door.take(&accounts.user_minted_account, &accounts.user, done.tokens.0)?;
    pooled_door.pay(&accounts.user_pooled_account, done.assets.0)?;
    minted_door.require_backed(minted_books)?;
    pooled_door.require_backed(pooled_books)?;
    accounts.log(false, &done);
    Ok(())
}
