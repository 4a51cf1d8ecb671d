//! What a reserve is like at a moment: everything that markets show.

use crate::error::ClientError;
use crate::preview::Accounts;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::{Reading, Readings};
use keel::state::{Reserve, Side};
use keel_risk::Fraction;
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::Amount;

/// A reserve, accrued to a moment. Yearly numbers are fractions of one.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Digits of the asset behind the point.
    pub decimals: u8,
    /// Whether this is the market's own token.
    pub minted: bool,
    /// Native units that are there.
    pub available: Amount,
    /// Native units that suppliers own, lent or not.
    pub supplied: Amount,
    /// Native units of insurance.
    pub insured: Amount,
    /// Native units that are owed.
    pub borrowed: Amount,
    /// The part of what is supplied that is lent.
    pub utilization: Fraction,
    /// What a loan costs, without compounding.
    pub borrow_rate: Fraction,
    /// What a debt grows by in a year at that rate.
    pub borrow_yield: Fraction,
    /// What a supply grows by in a year at that rate and utilization.
    pub supply_yield: Fraction,
    /// The haircut of new loans.
    pub initial_haircut: Fraction,
    /// The haircut of existing vaults.
    pub maintenance_haircut: Fraction,
    /// Where that is going.
    pub target_haircut: Fraction,
    /// What a dollar of it carries for new risk.
    pub new_risk_factor: Fraction,
    /// The same in a liquidation.
    pub liquidation_factor: Fraction,
    /// The same without the haircut.
    pub liquidation_threshold: Fraction,
    /// The prices that count.
    pub prices: Prices,
    /// What its price accounts say, in the order of the feeds.
    pub feeds: Vec<Result<Seen, KeelError>>,
}

/// Dollars per native unit, by side and purpose, or why there is none.
#[derive(Clone, Copy, Debug)]
pub struct Prices {
    /// Of collateral, for new risk.
    pub collateral_new_risk: Result<UnitPrice, KeelError>,
    /// Of debt, for new risk.
    pub debt_new_risk: Result<UnitPrice, KeelError>,
    /// Of collateral, in a liquidation.
    pub collateral_liquidation: Result<UnitPrice, KeelError>,
    /// Of debt, in a liquidation.
    pub debt_liquidation: Result<UnitPrice, KeelError>,
}

/// What a price account says.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Dollars per native unit.
    pub price: UnitPrice,
    /// Half the width of the confidence interval.
    pub confidence: UnitPrice,
    /// Seconds since it was published.
    pub age: u64,
}

impl Standing {
    /// Of the reserve at `key`.
    ///
    /// # Errors
    /// `UnknownReserve`; `Refused` when the books cannot be accrued.
    pub fn of(view: &Accounts, key: &Pubkey) -> Result<Self, ClientError> {
        let reserve = &view.book.listing(key)?.reserve;
        Ok(Self::compute(reserve, &view.readings(key)?, &view.moment)?)
    }

    fn compute(reserve: &Reserve, readings: &Readings, moment: &Moment) -> Result<Self, KeelError> {
        let now = moment.now;
        let pool = reserve.accrued_pool(now)?;
        let (haircut, yields) = (reserve.haircut(), pool.yields()?);
        let haircuts = haircut.at(now, &reserve.config.haircut_terms())?;
        let feeds = reserve.config.oracle.active_feeds().zip(readings);
        Ok(Self {
            decimals: reserve.decimals,
            minted: reserve.is_minted(),
            available: pool.available,
            supplied: pool.supply_index.amount_of(pool.supply_shares)?,
            insured: pool.supply_index.amount_of(pool.insurance_shares)?,
            borrowed: pool.debt_index.amount_owed(pool.debt_shares)?,
            utilization: pool.utilization()?,
            borrow_rate: pool.rate.borrow,
            borrow_yield: yields.borrow,
            supply_yield: yields.supply,
            initial_haircut: haircuts.initial,
            maintenance_haircut: haircuts.maintenance,
            target_haircut: haircut.target,
            new_risk_factor: reserve.collateral_factor(Purpose::NewRisk, now, false)?,
            liquidation_factor: reserve.collateral_factor(Purpose::Liquidation, now, false)?,
            liquidation_threshold: reserve.liquidation_threshold(now, false)?,
            prices: Prices {
                collateral_new_risk: reserve.new_risk_price(readings, Side::Collateral, moment),
                debt_new_risk: reserve.new_risk_price(readings, Side::Debt, moment),
                collateral_liquidation: reserve.maintenance_price(readings, Side::Collateral, moment),
                debt_liquidation: reserve.maintenance_price(readings, Side::Debt, moment),
            },
            feeds: feeds.map(|(_, reading)| Seen::of(*reading, reserve.decimals, now)).collect(),
        })
    }
}

impl Seen {
    fn of(reading: Reading, decimals: u8, now: i64) -> Result<Self, KeelError> {
        let seen = reading?;
        Ok(Self {
            price: seen.spot(decimals)?,
            confidence: UnitPrice::new(seen.confidence.into(), seen.exponent, decimals)?,
            // A clock that is behind the publisher's makes it new, not old.
            age: u64::try_from(now.saturating_sub(seen.publish_time)).unwrap_or(0),
        })
    }
}
