//! What an action would do to a vault, before anybody signs it.
//!
//! A preview takes the steps that the program's handler takes, with the program's own functions on copies of the fetched
//! accounts: what they compute is computed nowhere else. The order of the steps is all that stands here a second time, and
//! the tests compare what comes out with the accounts that the compiled program leaves behind, byte for byte.
//!
//! Who signs is not looked at, nor what token accounts hold.

mod least;
mod liquidation;

pub use liquidation::Liquidation;

use crate::book::Book;
use crate::error::ClientError;
use crate::health::{self, PriceAccounts};
use anchor_lang::prelude::Pubkey;
use keel::instructions::user::deposit_action;
use keel::oracle::Readings;
use keel::state::{Market, Position, Reserve, Side, Vault, pause};
use keel::valuation::{self, Acted, Source, Valuation};
use keel::{AmountSpec, KeelError};
use keel_risk::health::Totals;
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::{Amount, Usd};
use keel_risk::{Fraction, critical};

type Outcome<T> = Result<T, KeelError>;

/// What was fetched, and the moment that it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    /// The market's assets.
    pub book: &'a Book,
    /// The market.
    pub market: &'a Market,
    /// The price accounts of the assets.
    pub prices: &'a PriceAccounts,
    /// When.
    pub moment: Moment,
}

/// A user's action on a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Of an exact amount.
    Deposit,
    /// Of an amount or all.
    Withdraw,
    /// Of an exact amount.
    Borrow,
    /// Of an amount or all.
    Repay,
}

/// What an action would come to.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Native units that move.
    pub amount: Amount,
    /// The vault afterwards.
    pub vault: Vault,
    /// The reserve afterwards.
    pub reserve: Reserve,
    /// Why the program refuses all the same: what the vault would be like is known, and not allowed.
    pub refused: Option<KeelError>,
}

/// One position, as liquidation sees it.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// The reserve.
    pub reserve: Pubkey,
    /// Which side of the vault it is on.
    pub side: Side,
    /// What it comes to now, in native units: collateral rounded down, debt up.
    pub amount: Amount,
    /// Dollars per native unit.
    pub price: UnitPrice,
    /// What it is worth, rounded like the amount.
    pub value: Usd,
    /// What a dollar of it carries; zero for a debt.
    pub factor: Fraction,
    /// The price, while the others stand still, at which the vault is just healthy: the lowest one of a collateral, the
    /// highest one of a debt. `None` when the price does not matter to that or no price is good enough.
    pub critical: Option<UnitPrice>,
}

impl Accounts<'_> {
    /// What `vault` is worth for `purpose`.
    ///
    /// # Errors
    /// As [`health::value`].
    pub fn value(&self, vault: &Vault, purpose: Purpose) -> Result<Valuation, ClientError> {
        health::value(self.book, self.market, vault, self.prices, purpose, &self.moment)
    }

    /// What `vault` is worth for `purpose` if the asset of the reserve at `key` had another price.
    ///
    /// # Errors
    /// As [`health::value`].
    pub fn value_at(
        &self,
        vault: &Vault,
        key: &Pubkey,
        price: UnitPrice,
        purpose: Purpose,
    ) -> Result<Valuation, ClientError> {
        let reserve = &self.book.listing(key)?.reserve;
        Ok(self.value_acted(vault, key, reserve, Ok(price), purpose)?)
    }

    fn value_acted(
        &self,
        vault: &Vault,
        key: &Pubkey,
        reserve: &Reserve,
        price: Outcome<UnitPrice>,
        purpose: Purpose,
    ) -> Outcome<Valuation> {
        valuation::value(vault, &[Acted { key, reserve, price }], &mut self.source(), purpose, &self.moment)
    }

    fn source(&self) -> health::Fetched<'_> {
        health::Fetched { book: self.book, market: self.market, prices: self.prices }
    }

    /// What the price accounts of a reserve say.
    ///
    /// # Errors
    /// `UnknownReserve`.
    pub fn readings(&self, reserve: &Pubkey) -> Result<Readings, ClientError> {
        self.book.listing(reserve)?;
        Ok(self.source().reserve(reserve, |_, readings| Ok(*readings))?)
    }

    /// What each position of `vault` comes to now, in slot order: collateral rounded down, debt up. That takes no prices.
    ///
    /// # Errors
    /// `UnknownReserve`, and as [`Reserve::amount`].
    pub fn amounts(&self, vault: &Vault) -> Result<Vec<(Pubkey, Side, Amount)>, ClientError> {
        let amount = |(position, side): (&Position, Side)| {
            let reserve = &self.book.listing(&position.reserve)?.reserve;
            Ok((position.reserve, side, reserve.amount(position, side, self.moment.now)?))
        };
        vault.occupied().map(amount).collect()
    }

    /// The positions of `vault` in slot order, at the prices of liquidation.
    ///
    /// # Errors
    /// As [`health::value`] for liquidation.
    pub fn holdings(&self, vault: &Vault) -> Result<Vec<Holding>, ClientError> {
        let valuation = self.value(vault, Purpose::Liquidation)?;
        let (totals, moment) = (valuation.totals, &self.moment);
        let mut holdings = Vec::new();
        for (position, side) in vault.occupied() {
            holdings.push(self.source().reserve(&position.reserve, |reserve, readings| {
                let price = reserve.maintenance_price(readings, side, moment)?;
                let amount = reserve.amount(position, side, moment.now)?;
                let grouped = reserve.has_weights_in(valuation.group);
                let (value, factor, critical) = match side {
                    Side::Collateral => {
                        let value = price.value_floor(amount)?;
                        let factor = reserve.collateral_factor(Purpose::Liquidation, moment.now, grouped)?;
                        (value, factor, critical_of_collateral(totals, amount, value, factor)?)
                    }
                    Side::Debt => {
                        let value = price.value_ceil(amount)?;
                        (value, Fraction::ZERO, critical_of_debt(totals, amount, value)?)
                    }
                };
                Ok(Holding { reserve: position.reserve, side, amount, price, value, factor, critical })
            })?);
        }
        Ok(holdings)
    }

    /// What `action` on the reserve at `key` would come to.
    ///
    /// # Errors
    /// `Refused` with the program's error when the books of vault or reserve do not allow it; what the vault would be like
    /// afterwards then has no answer.
    pub fn preview(
        &self,
        vault: &Vault,
        key: &Pubkey,
        action: Action,
        amount: AmountSpec,
    ) -> Result<Preview, ClientError> {
        let reserve = self.book.listing(key)?.reserve;
        let readings = self.readings(key)?;
        let mut step = Step { view: self, key, vault: *vault, reserve, readings };
        let (amount, refused) = match action {
            Action::Deposit => step.deposit(amount)?,
            Action::Withdraw => step.withdraw(amount)?,
            Action::Borrow => step.borrow(amount)?,
            Action::Repay => step.repay(amount)?,
        };
        Ok(Preview { amount, vault: step.vault, reserve: step.reserve, refused })
    }

    /// The largest exact amount of `action` that the program accepts: at one native unit more it refuses, with the error
    /// that comes with it, or there is no more. Zero when it accepts none. A loan of less than the minimum position is
    /// refused too, and no reason to stop here.
    ///
    /// Found by halving, which finds one such amount. There is only one unless taking collateral out makes the rest worth
    /// more, by a haircut that follows deposits.
    ///
    /// # Errors
    /// `UnknownReserve`.
    pub fn largest(
        &self,
        vault: &Vault,
        key: &Pubkey,
        action: Action,
    ) -> Result<(u64, Option<KeelError>), ClientError> {
        self.book.listing(key)?;
        let refusal = |amount: u64| -> Option<KeelError> {
            let refused = match self.preview(vault, key, action, AmountSpec::Exact(amount)) {
                Ok(preview) => preview.refused,
                Err(ClientError::Refused(error)) => Some(error),
                Err(_) => Some(KeelError::MissingAccount),
            };
            refused.filter(|error| *error != KeelError::PositionTooSmall)
        };
        let (mut accepted, mut refused) = (0u64, u64::MAX);
        let Some(mut reason) = refusal(refused) else { return Ok((refused, None)) };
        while refused - accepted > 1 {
            let middle = accepted + (refused - accepted) / 2;
            match refusal(middle) {
                None => accepted = middle,
                Some(error) => (refused, reason) = (middle, error),
            }
        }
        Ok((accepted, Some(reason)))
    }
}

fn critical_of_collateral(totals: Totals, amount: Amount, value: Usd, factor: Fraction) -> Outcome<Option<UnitPrice>> {
    let mut others = totals;
    others.remove_collateral(value, factor)?;
    // Where the others carry the debt alone, no price is too low.
    Ok(critical::lowest_price(&others, amount, factor)?.filter(|price| *price != UnitPrice::ZERO))
}

fn critical_of_debt(totals: Totals, amount: Amount, value: Usd) -> Outcome<Option<UnitPrice>> {
    let mut others = totals;
    others.remove_debt(value)?;
    Ok(critical::highest_price(&others, amount))
}

/// A handler's work on copies.
struct Step<'a> {
    view: &'a Accounts<'a>,
    key: &'a Pubkey,
    vault: Vault,
    reserve: Reserve,
    readings: Readings,
}

/// What moves, and why the program refuses after all.
type Moved = Outcome<(Amount, Option<KeelError>)>;

impl Step<'_> {
    fn now(&self) -> i64 {
        self.view.moment.now
    }

    fn require_running(&self, action: u32) -> Outcome<()> {
        self.view.market.require_running(action, self.now())
    }

    /// As `deposit` in the program.
    fn deposit(&mut self, amount: AmountSpec) -> Moved {
        let AmountSpec::Exact(amount) = amount else { return Err(KeelError::ZeroAmount) };
        self.require_running(deposit_action(&self.vault, self.key))?;
        self.vault.require_solvent()?;
        if self.vault.find(self.key).is_none() {
            self.vault.require_room_for(&self.reserve)?;
        }
        let mut pool = self.reserve.accrued_pool(self.now())?;
        let change = pool.deposit(Amount(amount), Amount(self.reserve.config.limits.deposit_cap))?;
        self.reserve.let_in(change.amount, self.now())?;
        self.reserve.settle(pool)?;
        self.vault.add_collateral(self.key, self.reserve.config.group.id, change.shares)?;
        Ok((change.amount, None))
    }

    /// As `withdraw` in the program.
    fn withdraw(&mut self, amount: AmountSpec) -> Moved {
        self.require_running(pause::WITHDRAW)?;
        self.vault.require_solvent()?;
        let mut pool = self.reserve.accrued_pool(self.now())?;
        let change = pool.withdraw(amount.into(), self.vault.collateral(self.key)?)?;
        self.reserve.let_out(change.amount, self.now())?;
        self.reserve.settle(pool)?;
        self.vault.remove_collateral(self.key, change.shares)?;
        if !self.vault.has(Side::Debt) {
            return Ok((change.amount, None));
        }
        let (valuation, _) = self.value(Side::Collateral)?;
        Ok((change.amount, valuation.require_healthy().err()))
    }

    /// As `borrow` in the program.
    fn borrow(&mut self, amount: AmountSpec) -> Moved {
        let AmountSpec::Exact(amount) = amount else { return Err(KeelError::BorrowNeedsAmount) };
        self.require_running(pause::BORROW)?;
        self.vault.require_solvent()?;
        let mut pool = self.reserve.accrued_pool(self.now())?;
        let change = pool.borrow(Amount(amount), Amount(self.reserve.config.limits.borrow_cap))?;
        self.reserve.let_out(change.amount, self.now())?;
        self.reserve.settle(pool)?;
        self.vault.add_debt(self.key, self.reserve.config.group.id, change.shares)?;
        let (valuation, price) = self.value(Side::Debt)?;
        let refused = match valuation.require_healthy().and_then(|()| valuation.require_isolation()) {
            Err(error) => Some(error),
            Ok(()) => {
                let price = price?;
                let owed = pool.debt_index.amount_owed(self.vault.debt(self.key)?)?;
                let small = price.value_ceil(owed)? < self.view.market.min_position()?;
                match valuation.isolated_collateral.filter(|_| !small) {
                    Some(isolated) => self.back(&isolated, price.value_ceil(change.amount)?).err(),
                    None => small.then_some(KeelError::PositionTooSmall),
                }
            }
        };
        Ok((change.amount, refused))
    }

    /// Counts a loan against the ceiling of the vault's isolated collateral.
    fn back(&mut self, isolated: &Pubkey, lent: Usd) -> Outcome<()> {
        let listing = self.view.book.listing(isolated).map_err(|_| KeelError::MissingAccount)?;
        let counted = { listing.reserve }.back_isolated_debt(lent)?;
        self.vault.count_isolated_debt(self.key, isolated, counted)
    }

    /// As `repay` in the program.
    fn repay(&mut self, amount: AmountSpec) -> Moved {
        self.require_running(pause::REPAY)?;
        let mut pool = self.reserve.accrued_pool(self.now())?;
        let change = pool.repay(amount.into(), self.vault.debt(self.key)?)?;
        self.reserve.let_in(change.amount, self.now())?;
        self.reserve.settle(pool)?;
        // The ceiling of an isolated collateral has room again; nothing of this vault depends on that.
        self.vault.release_isolated_debt(self.key, change.shares)?;
        self.vault.remove_debt(self.key, change.shares)?;
        self.vault.clear_if_resolved();
        Ok((change.amount, None))
    }

    /// As `require_initial_health` in the program, which remembers the prices first, so that new risk feels their
    /// volatility at once.
    fn value(&mut self, side: Side) -> Outcome<(Valuation, Outcome<UnitPrice>)> {
        let moment = &self.view.moment;
        let price = self.reserve.new_risk_price(&self.readings, side, moment);
        if price.is_ok() {
            self.reserve.remember_prices(&self.readings, Purpose::NewRisk, moment)?;
        }
        let valuation = self.view.value_acted(&self.vault, self.key, &self.reserve, price, Purpose::NewRisk)?;
        Ok((valuation, price))
    }
}
