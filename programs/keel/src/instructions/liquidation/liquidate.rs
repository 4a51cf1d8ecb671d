use crate::errors::KeelError;
use crate::events::{BadDebtRecognized, CollateralForfeited, Liquidated};
use crate::instructions::user::signer_of;
use crate::state::{Market, Reserve, Vault};
use crate::token::{self, TokenAccounts};
use crate::valuation::{self, Acted, Cursor, Others};
use anchor_lang::prelude::*;
use keel_risk::health::Totals;
use keel_risk::liquidation::{self, Pair, Plan};
use keel_risk::pool::Pool;
use keel_risk::price::{Moment, Purpose, Side};
use keel_risk::units::{Amount, Quantity};

#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Pays the debt and receives the collateral.
    pub keeper: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    #[account(mut)]
    pub debt_reserve: AccountLoader<'info, Reserve>,
    #[account(mut)]
    pub collateral_reserve: AccountLoader<'info, Reserve>,
    /// CHECK: must be the debt reserve's liquidity account.
    #[account(mut)]
    pub debt_liquidity: UncheckedAccount<'info>,
    /// CHECK: must be the collateral reserve's liquidity account.
    #[account(mut)]
    pub collateral_liquidity: UncheckedAccount<'info>,
    /// CHECK: where the repayment comes from; the token program checks mint and authority.
    #[account(mut)]
    pub keeper_debt_account: UncheckedAccount<'info>,
    /// CHECK: where the collateral goes; the token program checks the mint.
    #[account(mut)]
    pub keeper_collateral_account: UncheckedAccount<'info>,
    /// CHECK: must be the debt reserve's mint.
    pub debt_mint: UncheckedAccount<'info>,
    /// CHECK: must be the collateral reserve's mint.
    pub collateral_mint: UncheckedAccount<'info>,
    /// CHECK: must be the debt reserve's token program.
    pub debt_token_program: UncheckedAccount<'info>,
    /// CHECK: must be the collateral reserve's token program.
    pub collateral_token_program: UncheckedAccount<'info>,
}

/// What a liquidation did, and the vault's sums around it.
struct Outcome {
    plan: Plan,
    before: Totals,
    after: Totals,
}

/// A reserve that takes part, its books accrued.
struct Leg<'a> {
    key: &'a Pubkey,
    reserve: &'a mut Reserve,
    pool: Pool,
}

impl<'a> Leg<'a> {
    fn new(key: &'a Pubkey, reserve: &'a mut Reserve, now: i64) -> Result<Self> {
        let pool = reserve.accrued_pool(now)?;
        reserve.store(&pool);
        Ok(Self { key, reserve, pool })
    }
}

impl<'info> Liquidate<'info> {
    fn validate(&self, vault: &Vault, debt: &Reserve, collateral: &Reserve) -> Result<()> {
        let market = self.market.to_account_info().key;
        for key in [&vault.market, &debt.market, &collateral.market] {
            require_keys_eq!(*key, *market, KeelError::WrongMarket);
        }
        require_keys_eq!(*self.debt_liquidity.key, debt.liquidity, KeelError::WrongLiquidityAccount);
        require_keys_eq!(*self.collateral_liquidity.key, collateral.liquidity, KeelError::WrongLiquidityAccount);
        require_keys_eq!(*self.debt_mint.key, debt.mint, KeelError::WrongMint);
        require_keys_eq!(*self.collateral_mint.key, collateral.mint, KeelError::WrongMint);
        require_keys_eq!(*self.debt_token_program.key, debt.token_program, KeelError::WrongTokenProgram);
        require_keys_eq!(*self.collateral_token_program.key, collateral.token_program, KeelError::WrongTokenProgram);
        Ok(vault.require_solvent()?)
    }

    /// Values the vault, plans the liquidation and enters it in the vault and the books of both reserves.
    fn execute(
        &self,
        vault: &mut Vault,
        debt: &mut Leg,
        collateral: &mut Leg,
        moment: &Moment,
        remaining: &[AccountInfo<'info>],
        max_repay: u64,
    ) -> Result<Outcome> {
        let market = self.market.load()?;
        let receiver = &market.price_receiver;
        let mut cursor = Cursor::new(remaining);
        let debt_readings = cursor.readings(debt.reserve, receiver)?;
        let collateral_readings = cursor.readings(collateral.reserve, receiver)?;
        let debt_price = debt.reserve.traded_price(&debt_readings, Side::Debt, moment)?;
        let collateral_price = collateral.reserve.traded_price(&collateral_readings, Side::Collateral, moment)?;
        let acted = [
            Acted { key: debt.key, reserve: debt.reserve, price: Ok(debt_price) },
            Acted { key: collateral.key, reserve: collateral.reserve, price: Ok(collateral_price) },
        ];
        let mut others = Others { cursor: &mut cursor, receiver };
        let before = valuation::value(vault, &acted, &mut others, Purpose::Liquidation, moment)?.totals;

        let (owed_shares, held_shares) = (vault.debt(debt.key)?, vault.collateral(collateral.key)?);
        let pair = Pair {
            owed: debt.pool.debt_index.amount_owed(owed_shares).map_err(KeelError::from)?,
            debt_price,
            collateral: collateral.pool.supply_index.amount_of(held_shares).map_err(KeelError::from)?,
            collateral_price,
            collateral_factor: collateral.reserve.collateral_factor(Purpose::Liquidation)?,
            liquid: collateral.pool.available,
        };
        let terms = collateral.reserve.config.bonus_terms();
        let (target, min_position) = (market.target_health(), market.min_position()?);
        let plan = liquidation::plan(&before, target, min_position, &terms, &pair, Amount(max_repay))
            .map_err(KeelError::from)?;

        let repaid = debt.pool.repay(Quantity::Exact(plan.repay), owed_shares).map_err(KeelError::from)?;
        let seized =
            collateral.pool.seize(held_shares, plan.seize, plan.to_keeper, plan.seizes_all).map_err(KeelError::from)?;
        vault.remove_debt(debt.key, repaid.shares)?;
        vault.remove_collateral(collateral.key, seized.shares)?;
        debt.reserve.remember_prices(&debt_readings, Purpose::Liquidation, moment);
        collateral.reserve.remember_prices(&collateral_readings, Purpose::Liquidation, moment);

        let owed = debt.pool.debt_index.amount_owed(vault.debt_or_zero(debt.key)).map_err(KeelError::from)?;
        let held = vault.collateral_or_zero(collateral.key);
        let held = collateral.pool.supply_index.amount_of(held).map_err(KeelError::from)?;
        let after = pair.totals_after(&before, owed, held).map_err(KeelError::from)?;
        let may_fall = plan.close_out || plan.repays_all || plan.seizes_all;
        require!(may_fall || after.is_healthier_than(&before), KeelError::HealthNotRaised);
        if after.is_bad_debt(min_position) {
            self.write_off(vault, debt, collateral)?;
        }
        Ok(Outcome { plan, before, after })
    }

    /// Recognizes what is left of the repaid debt as bad, and makes what is left of the seized collateral insurance.
    /// Other positions follow through `resolve_bad_debt`; the owner can take none of them out.
    fn write_off(&self, vault: &mut Vault, debt: &mut Leg, collateral: &mut Leg) -> Result<()> {
        let vault_key = self.vault.key();
        let owed = vault.debt_or_zero(debt.key);
        if owed.is_zero() {
            return Ok(());
        }
        let loss = debt.pool.write_off(owed).map_err(KeelError::from)?;
        vault.remove_debt(debt.key, owed)?;
        emit!(BadDebtRecognized::new(vault_key, *debt.key, &loss, &debt.pool));
        let held = vault.collateral_or_zero(collateral.key);
        if !held.is_zero() {
            collateral.pool.forfeit(held).map_err(KeelError::from)?;
            vault.remove_collateral(collateral.key, held)?;
            emit!(CollateralForfeited { vault: vault_key, reserve: *collateral.key, shares: held.0.to_bits() });
        }
        vault.flags |= Vault::INSOLVENT;
        vault.clear_if_resolved();
        Ok(())
    }

    pub fn handler(ctx: Context<'info, Self>, max_repay: u64, min_seize: u64) -> Result<()> {
        let accounts = &*ctx.accounts;
        let clock = Clock::get()?;
        let moment = valuation::moment(&clock)?;
        valuation::require_past_restart(&accounts.market, &clock, &moment)?;
        let (debt_info, collateral_info) =
            (accounts.debt_reserve.to_account_info(), accounts.collateral_reserve.to_account_info());
        let (outcome, debt_tokens, collateral_tokens, signer, debt_available, collateral_available) = {
            let mut vault = accounts.vault.load_mut()?;
            require_keys_neq!(*debt_info.key, *collateral_info.key, KeelError::NoSuchCollateral);
            let (mut debt, mut collateral) =
                (accounts.debt_reserve.load_mut()?, accounts.collateral_reserve.load_mut()?);
            accounts.validate(&vault, &debt, &collateral)?;
            let mut debt_leg = Leg::new(debt_info.key, &mut debt, moment.now)?;
            let mut collateral_leg = Leg::new(collateral_info.key, &mut collateral, moment.now)?;
            let outcome = accounts.execute(
                &mut vault,
                &mut debt_leg,
                &mut collateral_leg,
                &moment,
                ctx.remaining_accounts,
                max_repay,
            )?;
            require_gte!(outcome.plan.to_keeper.0, min_seize, KeelError::SlippageExceeded);
            let (debt_pool, collateral_pool) = (debt_leg.pool, collateral_leg.pool);
            debt.settle(debt_pool)?;
            collateral.settle(collateral_pool)?;
            let tokens = |mint, program, decimals| TokenAccounts { mint, program, decimals };
            (
                outcome,
                tokens(&*accounts.debt_mint, &*accounts.debt_token_program, debt.decimals),
                tokens(&*accounts.collateral_mint, &*accounts.collateral_token_program, collateral.decimals),
                signer_of(&collateral),
                debt.available,
                collateral.available,
            )
        };
        let Outcome { plan, before, after } = outcome;
        token::take(
            &debt_tokens,
            &accounts.keeper_debt_account,
            &accounts.debt_liquidity,
            &accounts.keeper,
            plan.repay.0,
        )?;
        token::pay(
            &collateral_tokens,
            &accounts.collateral_liquidity,
            &accounts.keeper_collateral_account,
            &collateral_info,
            &signer,
            plan.to_keeper.0,
        )?;
        token::require_backed(&accounts.debt_liquidity, debt_available)?;
        token::require_backed(&accounts.collateral_liquidity, collateral_available)?;
        let health = |totals: &Totals| totals.health_factor().map_or(u128::MAX, |h| h.to_bits());
        emit!(Liquidated {
            vault: accounts.vault.key(),
            keeper: accounts.keeper.key(),
            debt_reserve: *debt_info.key,
            collateral_reserve: *collateral_info.key,
            repaid: plan.repay.0,
            seized: plan.seize.0,
            to_keeper: plan.to_keeper.0,
            bonus: plan.bonus.to_bits(),
            health_before: health(&before),
            health_after: health(&after),
        });
        Ok(())
    }
}
