//! What a liquidation would do to a vault, and to both reserves.

use super::{Accounts, Outcome};
use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use keel::oracle::Readings;
use keel::state::{Reserve, Side, Vault, pause};
use keel::valuation::{self, Acted};
use keel::{KeelError, Receive};
use keel_risk::health::Totals;
use keel_risk::liquidation::{self, Pair, Plan};
use keel_risk::pool::Pool;
use keel_risk::price::Purpose;
use keel_risk::units::{Amount, Quantity, Usd};

/// What a liquidation comes to.
#[derive(Clone, Debug)]
pub struct Liquidation {
    /// What is repaid and seized, native units, and the bonus.
    pub plan: Plan,
    /// What the repayment is worth, rounded up.
    pub repaid: Usd,
    /// What the seizure is worth, rounded down.
    pub seized: Usd,
    /// What the keeper receives is worth, rounded down.
    pub received: Usd,
    /// The vault's sums before.
    pub before: Totals,
    /// The same afterwards, before what nobody will repay is written off.
    pub after: Totals,
    /// The vault afterwards.
    pub vault: Vault,
    /// The reserve whose debt is repaid, afterwards.
    pub debt_reserve: Reserve,
    /// The reserve whose collateral is seized, afterwards.
    pub collateral_reserve: Reserve,
}

impl Liquidation {
    /// What the keeper receives more than it pays, dollars at the prices of the liquidation; zero when it is less.
    pub fn bounty(&self) -> Usd {
        Usd(self.received.0.sub_or_zero(self.repaid.0))
    }

    /// What the owner loses beyond the debt that is repaid: bounty and the protocol's share, dollars.
    pub fn cost(&self) -> Usd {
        Usd(self.seized.0.sub_or_zero(self.repaid.0))
    }
}

impl Accounts<'_> {
    /// What liquidating `vault` would come to: repaying at most `max_repay` native units of the debt to the reserve at `debt`,
    /// for collateral in the reserve at `collateral`, which the keeper receives in tokens or in shares.
    ///
    /// The pause after a restart of the cluster, which is counted in slots, is not looked at, nor what token accounts hold, nor
    /// whether the keeper's vault has room for shares.
    ///
    /// # Errors
    /// `Refused` with the program's error; `UnknownReserve`.
    pub fn liquidate(
        &self,
        vault: &Vault,
        debt: &Pubkey,
        collateral: &Pubkey,
        max_repay: u64,
        receive: Receive,
    ) -> Result<Liquidation, ClientError> {
        let legs = (self.leg(debt)?, self.leg(collateral)?);
        Ok(self.case(*vault, legs)?.liquidate(Amount(max_repay), self.market.min_position()?, receive)?)
    }

    fn leg<'a>(&self, key: &'a Pubkey) -> Result<Leg<'a>, ClientError> {
        let mut reserve = self.book.listing(key)?.reserve;
        let pool = reserve.accrued_pool(self.moment.now)?;
        reserve.store(&pool);
        Ok(Leg { key, reserve, pool, readings: self.readings(key)? })
    }

    /// As `case` in the program.
    fn case<'a>(&'a self, vault: Vault, (debt, collateral): (Leg<'a>, Leg<'a>)) -> Outcome<Case<'a>> {
        let moment = &self.moment;
        if debt.key == collateral.key {
            return Err(KeelError::NoSuchCollateral);
        }
        self.market.require_running(pause::LIQUIDATE, moment.now)?;
        vault.require_solvent()?;
        let debt_price = debt.reserve.traded_price(&debt.readings, Side::Debt, moment)?;
        let collateral_price = collateral.reserve.traded_price(&collateral.readings, Side::Collateral, moment)?;
        let acted = [
            Acted { key: debt.key, reserve: &debt.reserve, price: Ok(debt_price) },
            Acted { key: collateral.key, reserve: &collateral.reserve, price: Ok(collateral_price) },
        ];
        let valuation = valuation::value(&vault, &acted, &mut self.source(), Purpose::Liquidation, moment)?;
        let grouped = collateral.reserve.has_weights_in(valuation.group);
        let (owed, held) = (vault.debt(debt.key)?, vault.collateral(collateral.key)?);
        let pair = Pair {
            owed: debt.pool.debt_index.amount_owed(owed)?,
            debt_price,
            collateral: collateral.pool.supply_index.amount_of(held)?,
            collateral_price,
            collateral_factor: collateral.reserve.collateral_factor(Purpose::Liquidation, moment.now, grouped)?,
            liquid: collateral.pool.available,
        };
        Ok(Case { view: self, vault, debt, collateral, before: valuation.totals, grouped, pair })
    }
}

/// A reserve that takes part, its books accrued.
struct Leg<'a> {
    key: &'a Pubkey,
    reserve: Reserve,
    pool: Pool,
    readings: Readings,
}

struct Case<'a> {
    view: &'a Accounts<'a>,
    vault: Vault,
    debt: Leg<'a>,
    collateral: Leg<'a>,
    before: Totals,
    grouped: bool,
    pair: Pair,
}

impl Case<'_> {
    /// As `execute` in the program, and what its handler does around it.
    fn liquidate(mut self, max_repay: Amount, min_position: Usd, receive: Receive) -> Outcome<Liquidation> {
        if receive == Receive::Shares {
            self.pair.liquid = Amount::MAX;
        }
        let (before, pair) = (self.before, self.pair);
        let terms = self.collateral.reserve.bonus_terms(self.grouped);
        let plan = liquidation::plan(&before, &self.view.market.rules()?, &terms, &pair, max_repay)?;
        self.repay(plan.repay)?;
        self.seize(&plan, receive)?;
        let after = self.totals_after()?;
        let may_fall = plan.close_out || plan.repays_all || plan.seizes_all;
        if !may_fall && !after.is_healthier_than(&before) {
            return Err(KeelError::HealthNotRaised);
        }
        if after.is_bad_debt(min_position) {
            self.write_off()?;
        }
        for leg in [&mut self.debt, &mut self.collateral] {
            leg.reserve.remember_prices(&leg.readings, Purpose::Liquidation, &self.view.moment)?;
            leg.reserve.settle(leg.pool)?;
        }
        Ok(Liquidation {
            plan,
            repaid: pair.debt_price.value_ceil(plan.repay)?,
            seized: pair.collateral_price.value_floor(plan.seize)?,
            received: pair.collateral_price.value_floor(plan.to_keeper)?,
            before,
            after,
            vault: self.vault,
            debt_reserve: self.debt.reserve,
            collateral_reserve: self.collateral.reserve,
        })
    }

    /// As `repay` in the program. The ceiling of an isolated collateral that does not take part has room again; nothing of
    /// this vault depends on that.
    fn repay(&mut self, amount: Amount) -> Outcome<()> {
        let repaid = self.debt.pool.repay(Quantity::Exact(amount), self.vault.debt(self.debt.key)?)?;
        let released = self.vault.release_isolated_debt(self.debt.key, repaid.shares)?;
        let isolated = self.vault.isolated_reserve;
        if let Some(leg) = [&mut self.debt, &mut self.collateral].into_iter().find(|leg| *leg.key == isolated) {
            leg.reserve.release_isolated_debt(released);
        }
        self.vault.remove_debt(self.debt.key, repaid.shares)?;
        self.debt.reserve.let_in(repaid.amount, self.view.moment.now)
    }

    /// As `seize` in the program.
    fn seize(&mut self, plan: &Plan, receive: Receive) -> Outcome<()> {
        let Leg { key, reserve, pool, .. } = &mut self.collateral;
        let held = self.vault.collateral(key)?;
        let shares = match receive {
            Receive::Tokens => {
                reserve.let_out_unrefused(plan.to_keeper, self.view.moment.now)?;
                pool.seize(held, plan.seize, plan.to_keeper, plan.seizes_all)?.shares
            }
            Receive::Shares => pool.seize_shares(held, plan.seize, plan.to_keeper, plan.seizes_all)?.shares,
        };
        self.vault.remove_collateral(key, shares)
    }

    fn totals_after(&self) -> Outcome<Totals> {
        let owed = self.debt.pool.debt_index.amount_owed(self.vault.debt_or_zero(self.debt.key))?;
        let held = self.collateral.pool.supply_index.amount_of(self.vault.collateral_or_zero(self.collateral.key))?;
        Ok(self.pair.totals_after(&self.before, owed, held)?)
    }

    /// As `write_off` in the program.
    fn write_off(&mut self) -> Outcome<()> {
        let owed = self.vault.debt_or_zero(self.debt.key);
        if owed.is_zero() {
            return Ok(());
        }
        self.debt.pool.write_off(owed)?;
        self.vault.remove_debt(self.debt.key, owed)?;
        let held = self.vault.collateral_or_zero(self.collateral.key);
        if !held.is_zero() {
            self.collateral.pool.forfeit(held)?;
            self.vault.remove_collateral(self.collateral.key, held)?;
        }
        self.vault.flags |= Vault::INSOLVENT;
        self.vault.clear_if_resolved();
        Ok(())
    }
}
