use crate::errors::KeelError;
use crate::events::{BadDebtRecognized, Swapped};
use crate::state::{Market, Reserve, pause};
use crate::token::Door;
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::pool::Pool;
use keel_risk::price::{Moment, Purpose, Side, UnitPrice};
use keel_risk::swap;
use keel_risk::units::{Amount, Quantity, SupplyShares};

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

/// Both reserves, accrued, and what the asset counts at.
struct Sides<'a> {
    minted: &'a mut Reserve,
    pooled: &'a mut Reserve,
    minted_books: Pool,
    pooled_books: Pool,
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
        let (mut minted_books, pooled_books) = (minted.accrued_pool(moment.now)?, pooled.accrued_pool(moment.now)?);
        let held = pooled_books.supply_index.amount_of(swap_shares(minted)).map_err(KeelError::from)?;
        let at = |price| swap::tokens_for_assets(held, pooled.decimals, price, minted.decimals);
        let loss = minted_books
            .mark_swap(at(low).map_err(KeelError::from)?, at(UnitPrice::MAX).map_err(KeelError::from)?)
            .map_err(KeelError::from)?;
        if !loss.owed.is_zero() {
            // No vault owed this: the swap's own holding lost it.
            emit!(BadDebtRecognized::new(Pubkey::default(), accounts.minted_reserve.key(), &loss, &minted_books));
        }
        Ok(Self { minted, pooled, minted_books, pooled_books, low, high })
    }

    fn settle(self) -> Result<()> {
        self.minted.settle(self.minted_books)?;
        Ok(self.pooled.settle(self.pooled_books)?)
    }
}

fn swap_shares(minted: &Reserve) -> SupplyShares {
    SupplyShares(minted.minted.swap_shares.into())
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
}

/// Takes assets and mints tokens for them, at a dollar each at most, less a fee.
pub fn swap_in<'info>(ctx: Context<'info, Swap<'info>>, assets: u64, min_tokens: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let (minted_door, pooled_door) = accounts.validate()?;
    let (minted_books, pooled_books, tokens, fee) = {
        let (mut minted, mut pooled) = (accounts.minted_reserve.load_mut()?, accounts.pooled_reserve.load_mut()?);
        let mut sides = Sides::new(accounts, &mut minted, &mut pooled, &moment, ctx.remaining_accounts)?;
        let limits = (sides.minted.config.limits.swap_cap, sides.pooled.config.limits.deposit_cap);
        let value = swap::tokens_for_assets(Amount(assets), sides.pooled.decimals, sides.low, sides.minted.decimals)
            .map_err(KeelError::from)?;
        let fee = swap::fee(value, sides.minted.config.minted.swap_in_fee_bps).map_err(KeelError::from)?;
        let tokens = sides.minted_books.swap_in(value, fee, Amount(limits.0)).map_err(KeelError::from)?;
        let held = sides.pooled_books.deposit(Amount(assets), Amount(limits.1)).map_err(KeelError::from)?;
        let shares = swap_shares(sides.minted).checked_add(held.shares).map_err(KeelError::from)?;
        sides.minted.minted.swap_shares = shares.0.into();
        sides.pooled.let_in(Amount(assets), moment.now)?;
        sides.settle()?;
        (minted.tokens()?, pooled.tokens()?, tokens, fee)
    };
    require_gte!(tokens.0, min_tokens, KeelError::OutputTooSmall);
    pooled_door.take(&accounts.user_pooled_account, &accounts.user, assets)?;
    minted_door.pay(&accounts.user_minted_account, tokens.0)?;
    pooled_door.require_backed(pooled_books)?;
    minted_door.require_backed(minted_books)?;
    emit!(Swapped { user: accounts.user.key(), minted: true, tokens: tokens.0, assets, fee: fee.0 });
    Ok(())
}

/// Burns tokens and pays assets for them, at a dollar each at least, less a fee.
pub fn swap_out<'info>(ctx: Context<'info, Swap<'info>>, tokens: u64, min_assets: u64) -> Result<()> {
    let accounts = &*ctx.accounts;
    let moment = valuation::moment(&Clock::get()?)?;
    let (minted_door, pooled_door) = accounts.validate()?;
    let (minted_books, pooled_books, assets, fee) = {
        let (mut minted, mut pooled) = (accounts.minted_reserve.load_mut()?, accounts.pooled_reserve.load_mut()?);
        let mut sides = Sides::new(accounts, &mut minted, &mut pooled, &moment, ctx.remaining_accounts)?;
        let fee = swap::fee(Amount(tokens), sides.minted.config.minted.swap_out_fee_bps).map_err(KeelError::from)?;
        let paid = sides.minted_books.swap_out(Amount(tokens), fee).map_err(KeelError::from)?;
        let assets = swap::assets_for_tokens(paid, sides.minted.decimals, sides.high, sides.pooled.decimals)
            .map_err(KeelError::from)?;
        let held = swap_shares(sides.minted);
        let change = sides.pooled_books.withdraw(Quantity::Exact(assets), held).map_err(KeelError::from)?;
        let shares = held.checked_sub(change.shares).map_err(KeelError::from)?;
        sides.minted.minted.swap_shares = shares.0.into();
        sides.pooled.let_out(assets, moment.now)?;
        sides.settle()?;
        (minted.tokens()?, pooled.tokens()?, assets, fee)
    };
    require_gte!(assets.0, min_assets, KeelError::OutputTooSmall);
    minted_door.take(&accounts.user_minted_account, &accounts.user, tokens)?;
    pooled_door.pay(&accounts.user_pooled_account, assets.0)?;
    minted_door.require_backed(minted_books)?;
    pooled_door.require_backed(pooled_books)?;
    emit!(Swapped { user: accounts.user.key(), minted: false, tokens, assets: assets.0, fee: fee.0 });
    Ok(())
}
