use crate::errors::KeelError;
use crate::events::{BadDebtRecognized, CollateralForfeited, Liquidated};
use crate::oracle::{NO_READINGS, Readings};
use crate::state::{self, Market, Reserve, Vault, pause};
use crate::token::Door;
use crate::valuation::{self, Acted, Cursor, Others, writable_reserve};
use anchor_lang::prelude::*;
use keel_risk::health::Totals;
use keel_risk::liquidation::{self, Pair, Plan, Rules};
use keel_risk::pool::Pool;
use keel_risk::price::{Moment, Purpose, Side};
use keel_risk::units::{Amount, DebtShares, Quantity, SupplyShares};

/// How the keeper is paid.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// In tokens, as far as the reserve has them.
    Tokens,
    /// In supply shares, into a vault of the keeper's: works when everything is lent.
    Shares,
}

/// The accounts of `liquidate` and `redeem`. Remaining accounts as in [`valuation`].
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
    /// CHECK: must be the debt reserve's liquidity account, or its mint if it is minted.
    #[account(mut)]
    pub debt_liquidity: UncheckedAccount<'info>,
    /// CHECK: must be the collateral reserve's liquidity account.
    #[account(mut)]
    pub collateral_liquidity: UncheckedAccount<'info>,
    /// CHECK: where the repayment comes from; the token program checks mint and authority.
    #[account(mut)]
    pub keeper_debt_account: UncheckedAccount<'info>,
    /// CHECK: where the collateral goes. A token account, whose mint the token program checks, or the keeper's vault.
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

/// A reserve that takes part, its books accrued.
pub(super) struct Leg<'a> {
    pub key: &'a Pubkey,
    pub reserve: &'a mut Reserve,
    pub pool: Pool,
    pub readings: Readings,
}

impl<'a> Leg<'a> {
    fn new(key: &'a Pubkey, reserve: &'a mut Reserve, now: i64) -> Result<Self> {
        let pool = reserve.accrued_pool(now)?;
        reserve.store(&pool);
        Ok(Self { key, reserve, pool, readings: NO_READINGS })
    }
}

/// The vault and both reserves of a liquidation or redemption, valued at maintenance.
pub(super) struct Case<'a> {
    pub vault: &'a mut Vault,
    pub debt: Leg<'a>,
    pub collateral: Leg<'a>,
    pub before: Totals,
    /// Whether the group's weights count.
    pub grouped: bool,
    /// At maintenance prices.
    pub pair: Pair,
    pub rules: Rules,
}

impl<'a> Case<'a> {
    /// What the pair now owes and holds, and the vault's sums with it.
    pub fn totals_after(&self) -> Result<Totals> {
        let owed = self.vault.debt_or_zero(self.debt.key);
        let owed = self.debt.pool.debt_index.amount_owed(owed).map_err(KeelError::from)?;
        let held = self.vault.collateral_or_zero(self.collateral.key);
        let held = self.collateral.pool.supply_index.amount_of(held).map_err(KeelError::from)?;
        Ok(self.pair.totals_after(&self.before, owed, held).map_err(KeelError::from)?)
    }

    /// Takes `amount` off the vault's debt, and off what counts against an isolated collateral.
    pub fn repay<'info>(&mut self, amount: Amount, now: i64, remaining: &'info [AccountInfo<'info>]) -> Result<()> {
        let owed = self.vault.debt(self.debt.key)?;
        let repaid = self.debt.pool.repay(Quantity::Exact(amount), owed).map_err(KeelError::from)?;
        self.release_isolated(repaid.shares, remaining)?;
        self.vault.remove_debt(self.debt.key, repaid.shares)?;
        Ok(self.debt.reserve.let_in(repaid.amount, now)?)
    }

    /// Gives the ceiling back what `shares` of the debt counted for, whichever collateral is seized.
    fn release_isolated<'info>(&mut self, shares: DebtShares, remaining: &'info [AccountInfo<'info>]) -> Result<()> {
        let released = self.vault.release_isolated_debt(self.debt.key, shares)?;
        if released == 0 {
            return Ok(());
        }
        let isolated = self.vault.isolated_reserve;
        match [&mut self.debt, &mut self.collateral].into_iter().find(|leg| *leg.key == isolated) {
            Some(leg) => leg.reserve.release_isolated_debt(released),
            None => writable_reserve(remaining, &isolated)?.load_mut()?.release_isolated_debt(released),
        }
        Ok(())
    }

    /// Remembers the prices of both reserves, and writes their books back.
    pub fn settle(&mut self, moment: &Moment) -> Result<()> {
        for leg in [&mut self.debt, &mut self.collateral] {
            let readings = leg.readings;
            leg.reserve.remember_prices(&readings, Purpose::Liquidation, moment)?;
            leg.reserve.settle(leg.pool)?;
        }
        Ok(())
    }
}

impl<'info> Liquidate<'info> {
    /// All accounts belong together. Returns where the tokens of both reserves enter and leave.
    pub(super) fn validate<'a>(&'a self) -> Result<(Door<'a, 'info>, Door<'a, 'info>)> {
        // An asset is on one side of a vault only.
        let (debt_key, collateral_key) = (self.debt_reserve.as_ref().key, self.collateral_reserve.as_ref().key);
        require_keys_neq!(*debt_key, *collateral_key, KeelError::NoSuchCollateral);
        let (debt, collateral) = (&*self.debt_reserve.load()?, &*self.collateral_reserve.load()?);
        let market = self.market.to_account_info().key;
        for key in [&self.vault.load()?.market, &debt.market, &collateral.market] {
            require_keys_eq!(*key, *market, KeelError::WrongMarket);
        }
        let debt_door = Door::new(
            self.debt_reserve.as_ref(),
            debt,
            &self.debt_liquidity,
            &self.debt_mint,
            &self.debt_token_program,
        )?;
        let collateral_door = Door::new(
            self.collateral_reserve.as_ref(),
            collateral,
            &self.collateral_liquidity,
            &self.collateral_mint,
            &self.collateral_token_program,
        )?;
        Ok((debt_door, collateral_door))
    }

    /// Accrues both reserves, reads all prices and values the vault.
    pub(super) fn case<'a>(
        &'a self,
        vault: &'a mut Vault,
        debt: &'a mut Reserve,
        collateral: &'a mut Reserve,
        moment: &Moment,
        action: u32,
        remaining: &[AccountInfo<'info>],
    ) -> Result<Case<'a>> {
        let market = self.market.load()?;
        market.require_running(action, moment.now)?;
        vault.require_solvent()?;
        let receiver = &market.price_receiver;
        let mut debt = Leg::new(self.debt_reserve.as_ref().key, debt, moment.now)?;
        let mut collateral = Leg::new(self.collateral_reserve.as_ref().key, collateral, moment.now)?;
        let mut cursor = Cursor::new(remaining);
        debt.readings = cursor.readings(debt.reserve, receiver)?;
        collateral.readings = cursor.readings(collateral.reserve, receiver)?;
        let debt_price = debt.reserve.traded_price(&debt.readings, Side::Debt, moment)?;
        let collateral_price = collateral.reserve.traded_price(&collateral.readings, Side::Collateral, moment)?;
        let acted = [
            Acted { key: debt.key, reserve: debt.reserve, price: Ok(debt_price) },
            Acted { key: collateral.key, reserve: collateral.reserve, price: Ok(collateral_price) },
        ];
        let mut others = Others { cursor: &mut cursor, receiver };
        let valuation = valuation::value(vault, &acted, &mut others, Purpose::Liquidation, moment)?;
        let grouped = collateral.reserve.has_weights_in(valuation.group);
        let (owed, held) = (vault.debt(debt.key)?, vault.collateral(collateral.key)?);
        let pair = Pair {
            owed: debt.pool.debt_index.amount_owed(owed).map_err(KeelError::from)?,
            debt_price,
            collateral: collateral.pool.supply_index.amount_of(held).map_err(KeelError::from)?,
            collateral_price,
            collateral_factor: collateral.reserve.collateral_factor(Purpose::Liquidation, moment.now, grouped)?,
            liquid: collateral.pool.available,
        };
        let rules = market.rules()?;
        Ok(Case { vault, debt, collateral, before: valuation.totals, grouped, pair, rules })
    }

    /// Takes the collateral of `plan` from the vault, in tokens to be paid out or in shares to the keeper's vault.
    fn seize(&self, case: &mut Case, plan: &Plan, receive: Receive, now: i64) -> Result<()> {
        let (key, pool) = (case.collateral.key, &mut case.collateral.pool);
        let held = case.vault.collateral(key)?;
        let shares = match receive {
            Receive::Tokens => {
                case.collateral.reserve.let_out_unrefused(plan.to_keeper, now)?;
                pool.seize(held, plan.seize, plan.to_keeper, plan.seizes_all).map_err(KeelError::from)?.shares
            }
            Receive::Shares => {
                let seizure =
                    pool.seize_shares(held, plan.seize, plan.to_keeper, plan.seizes_all).map_err(KeelError::from)?;
                self.give_shares(case.collateral.reserve, key, seizure.keeper_shares)?;
                seizure.shares
            }
        };
        Ok(case.vault.remove_collateral(key, shares)?)
    }

    /// Adds shares to the keeper's vault. Only its owner opens a position in it.
    fn give_shares(&self, reserve: &Reserve, key: &Pubkey, shares: SupplyShares) -> Result<()> {
        require_keys_neq!(*self.keeper_collateral_account.key, *self.vault.as_ref().key, KeelError::SameVault);
        let account: AccountInfo<'info> = self.keeper_collateral_account.to_account_info();
        let mut data = account.try_borrow_mut_data()?;
        require_keys_eq!(*account.owner, crate::ID, KeelError::NotAVault);
        let vault: &mut Vault = state::view_mut(&mut data).ok_or(KeelError::NotAVault)?;
        require_keys_eq!(vault.market, self.market.key(), KeelError::WrongMarket);
        vault.require_solvent()?;
        if vault.find(key).is_none() {
            require_keys_eq!(vault.owner, *self.keeper.key, KeelError::OnlyOwnerOpensPositions);
            vault.require_room_for(reserve)?;
        }
        Ok(vault.add_collateral(key, reserve.config.group.id, shares)?)
    }

    /// Recognizes what is left of the repaid debt as bad, and makes what is left of the seized collateral insurance.
    /// Other positions follow through `resolve_bad_debt`; the owner can take none of them out.
    fn write_off(&self, case: &mut Case) -> Result<()> {
        let vault_key = self.vault.key();
        let owed = case.vault.debt_or_zero(case.debt.key);
        if owed.is_zero() {
            return Ok(());
        }
        let loss = case.debt.pool.write_off(owed).map_err(KeelError::from)?;
        case.vault.remove_debt(case.debt.key, owed)?;
        emit!(BadDebtRecognized::new(vault_key, *case.debt.key, &loss, &case.debt.pool));
        let held = case.vault.collateral_or_zero(case.collateral.key);
        if !held.is_zero() {
            case.collateral.pool.forfeit(held).map_err(KeelError::from)?;
            case.vault.remove_collateral(case.collateral.key, held)?;
            emit!(CollateralForfeited { vault: vault_key, reserve: *case.collateral.key, shares: held.0.to_bits() });
        }
        case.vault.flags |= Vault::INSOLVENT;
        case.vault.clear_if_resolved();
        Ok(())
    }

    /// Plans the liquidation and enters it in the vault and the books of both reserves.
    fn execute(
        &self,
        case: &mut Case,
        receive: Receive,
        max_repay: u64,
        now: i64,
        remaining: &'info [AccountInfo<'info>],
    ) -> Result<(Plan, Totals)> {
        if receive == Receive::Shares {
            case.pair.liquid = Amount::MAX;
        }
        let terms = case.collateral.reserve.bonus_terms(case.grouped);
        let plan = liquidation::plan(&case.before, &case.rules, &terms, &case.pair, Amount(max_repay))
            .map_err(KeelError::from)?;
        case.repay(plan.repay, now, remaining)?;
        self.seize(case, &plan, receive, now)?;
        let after = case.totals_after()?;
        let may_fall = plan.close_out || plan.repays_all || plan.seizes_all;
        require!(may_fall || after.is_healthier_than(&case.before), KeelError::HealthNotRaised);
        if after.is_bad_debt(case.rules.min_position) {
            self.write_off(case)?;
        }
        Ok((plan, after))
    }

    pub fn handler(ctx: Context<'info, Self>, max_repay: u64, min_seize: u64, receive: Receive) -> Result<()> {
        let accounts = &*ctx.accounts;
        let clock = Clock::get()?;
        let moment = valuation::moment(&clock)?;
        valuation::require_past_restart(&accounts.market, &clock, &moment)?;
        let (debt_door, collateral_door) = accounts.validate()?;
        let (plan, before, after, books) = {
            let mut vault = accounts.vault.load_mut()?;
            let (mut debt, mut collateral) =
                (accounts.debt_reserve.load_mut()?, accounts.collateral_reserve.load_mut()?);
            let remaining = ctx.remaining_accounts;
            let mut case =
                accounts.case(&mut vault, &mut debt, &mut collateral, &moment, pause::LIQUIDATE, remaining)?;
            let (plan, after) = accounts.execute(&mut case, receive, max_repay, moment.now, remaining)?;
            require_gte!(plan.to_keeper.0, min_seize, KeelError::SlippageExceeded);
            case.settle(&moment)?;
            let before = case.before;
            (plan, before, after, (debt.tokens()?, collateral.tokens()?))
        };
        debt_door.take(&accounts.keeper_debt_account, &accounts.keeper, plan.repay.0)?;
        if receive == Receive::Tokens {
            collateral_door.pay(&accounts.keeper_collateral_account, plan.to_keeper.0)?;
        }
        debt_door.require_backed(books.0)?;
        collateral_door.require_backed(books.1)?;
        emit!(Liquidated {
            vault: accounts.vault.key(),
            keeper: accounts.keeper.key(),
            debt_reserve: accounts.debt_reserve.key(),
            collateral_reserve: accounts.collateral_reserve.key(),
            repaid: plan.repay.0,
            seized: plan.seize.0,
            to_keeper: plan.to_keeper.0,
            in_shares: receive == Receive::Shares,
            bonus: plan.bonus.to_bits(),
            health_before: health_bits(&before),
            health_after: health_bits(&after),
        });
        Ok(())
    }
}

/// A health factor for an event: `u128::MAX` without debt.
pub(super) fn health_bits(totals: &Totals) -> u128 {
    totals.health_factor().map_or(u128::MAX, |h| h.to_bits())
}
