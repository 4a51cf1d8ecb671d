//! Values a vault from fetched accounts, with the same code that the program runs.

use crate::book::Book;
use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::{self, NO_READINGS, Readings};
use keel::state::{Market, Position, RampState, Reserve, Side, Vault};
use keel::valuation::{self, Source, Valuation};
use keel_risk::Fraction;
use keel_risk::haircut::{Haircut, HaircutTerms, ThresholdRamp};
use keel_risk::health::Totals;
use keel_risk::outlook::{CollateralExposure, DebtExposure, Exposure, lowest_health};
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::Amount;
use std::collections::HashMap;

/// A fetched price account.
#[derive(Clone, Debug)]
pub struct PriceAccount {
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its data.
    pub data: Vec<u8>,
}

/// Fetched price accounts by address.
pub type PriceAccounts = HashMap<Pubkey, PriceAccount>;

/// What a client has fetched, as the source of what an action leaves alone.
pub(crate) struct Fetched<'a> {
    pub book: &'a Book,
    pub market: &'a Market,
    pub prices: &'a PriceAccounts,
}

impl Source for Fetched<'_> {
    fn reserve<T>(
        &mut self,
        key: &Pubkey,
        then: impl FnOnce(&Reserve, &Readings) -> Result<T, KeelError>,
    ) -> Result<T, KeelError> {
        let listing = self.book.listing(key).map_err(|_| KeelError::WrongReserve)?;
        let mut readings = NO_READINGS;
        let feeds = listing.reserve.config.oracle.active_feeds().zip(&listing.prices);
        for (reading, (feed, price)) in readings.iter_mut().zip(feeds) {
            *reading = match self.prices.get(price) {
                Some(account) => oracle::read(price, &account.owner, &account.data, feed, &self.market.price_receiver),
                None => Err(KeelError::MissingAccount),
            };
        }
        then(&listing.reserve, &readings)
    }
}

/// The sums of `vault` at `moment` for `purpose`, as the program would compute them then.
///
/// # Errors
/// `Refused` with the program's own error when a price that counts is unusable.
pub fn value(
    book: &Book,
    market: &Market,
    vault: &Vault,
    prices: &PriceAccounts,
    purpose: Purpose,
    moment: &Moment,
) -> Result<Valuation, ClientError> {
    let mut source = Fetched { book, market, prices };
    Ok(valuation::value(vault, &[], &mut source, purpose, moment)?)
}

/// The least that the limit and the most that the debt of `vault` can be until `horizon` seconds after `moment`, while
/// its owner does nothing and prices stand still: what notice the program gives. [`value`] for liquidation never comes
/// below this health in that time, whatever others do; [`keel_risk::outlook`] says what is assumed and why it holds.
///
/// Where the weights of the vault's efficiency group count, no haircut does, only the ramp of the group's threshold. Where
/// they begin to count later, because somebody repays the last debt outside, health only rises: they are never lower.
///
/// # Errors
/// As [`value`] for liquidation; `Refused` with `Overflow` for horizons beyond those of [`lowest_health`].
pub fn outlook(
    book: &Book,
    market: &Market,
    vault: &Vault,
    prices: &PriceAccounts,
    moment: &Moment,
    horizon: u32,
) -> Result<Totals, ClientError> {
    let mut source = Fetched { book, market, prices };
    let group = if vault.is_grouped() { vault.group } else { 0 };
    let mut positions = Vec::new();
    for (position, side) in vault.occupied() {
        positions.push(source.reserve(&position.reserve, |reserve, readings| {
            let price = reserve.maintenance_price(readings, side, moment)?;
            exposure(group, position, side, reserve, price, moment.now)
        })?);
    }
    Ok(lowest_health(positions, moment.now, horizon).map_err(KeelError::from)?)
}

/// A position with the weights of `group`, if it has any there.
fn exposure(
    group: u32,
    position: &Position,
    side: Side,
    reserve: &Reserve,
    price: UnitPrice,
    now: i64,
) -> Result<Exposure, KeelError> {
    let (amount, config) = (reserve.amount(position, side, now)?, &reserve.config);
    Ok(match side {
        Side::Collateral => {
            let value = price.value_floor(amount)?;
            let (haircut, terms, threshold) = if reserve.has_weights_in(group) {
                let threshold = ramp(&reserve.group_threshold_ramp, config.group.liquidation_threshold_bps);
                (Haircut::settled(Fraction::ZERO, now), HaircutTerms::default(), threshold)
            } else {
                let threshold = ramp(&reserve.threshold_ramp, config.collateral.liquidation_threshold_bps);
                (reserve.haircut(), config.haircut_terms(), threshold)
            };
            Exposure::Collateral(CollateralExposure { value, haircut, terms, threshold })
        }
        Side::Debt => Exposure::Debt(DebtExposure {
            value: price.value_ceil(amount)?,
            unit: price.value_ceil(Amount(1))?,
            max_rate: config.rate_terms().model.highest_rate()?.max(reserve.rate.borrow.into()),
        }),
    })
}

fn ramp(state: &RampState, to_bps: u32) -> ThresholdRamp {
    ThresholdRamp { from_bps: state.from_bps, to_bps, started_at: state.started_at, duration: state.duration }
}
