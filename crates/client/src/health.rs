//! Values a vault from fetched accounts, with the same code that the program runs.

use crate::book::Book;
use crate::error::ClientError;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::{self, NO_READINGS, Readings};
use keel::state::{Market, Reserve, Vault};
use keel::valuation::{self, Source, Valuation};
use keel_risk::price::{Moment, Purpose};
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

struct Fetched<'a> {
    book: &'a Book,
    market: &'a Market,
    prices: &'a PriceAccounts,
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
