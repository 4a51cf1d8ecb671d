//! A market as fetched at one moment: its reserves, its prices, the chain's time.

use crate::book::Book;
use crate::error::ClientError;
use crate::health::{self, PriceAccount, PriceAccounts};
use crate::transport::{CLOCK, Filter, LAST_RESTART_SLOT, Time, Transport};
use crate::{account, address, preview};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::{self, NO_READINGS, Reading, Readings};
use keel::state::{FeedConfig, Market, OracleConfig, PendingChange, Position, Reserve, Side, Vault};
use keel_risk::health::Totals;
use keel_risk::pool::Pool;
use keel_risk::price::{Purpose, UnitPrice};
use keel_risk::units::{Amount, Usd};
use solana_account::Account;

/// Where the market's address stands in a reserve's and a vault's account.
const MARKET_OFFSET: usize = 8 + 8;
/// Where the owner's address stands in a vault's account.
const OWNER_OFFSET: usize = MARKET_OFFSET + 32;
/// Where the market's address stands in a queued change's account.
const CHANGE_MARKET_OFFSET: usize = 8 + 16;

/// A market as fetched at one moment.
///
/// ```no_run
/// use keel_client::keel_risk::price::Purpose;
/// use keel_client::transport::Rpc;
/// use keel_client::view::{self, View};
/// use keel_client::address;
///
/// // Every vault that can be liquidated now, with the sums that the program would compute.
/// let rpc = Rpc::new("http://localhost:8899", Default::default());
/// let view = View::fetch(&rpc, &address::market(0))?;
/// for (key, vault) in view::vaults(&rpc, view.key(), None)? {
///     match view.totals(&vault, Purpose::Liquidation) {
///         Ok(totals) if !totals.is_healthy() => println!("{key} owes {:?}", totals.debt),
///         Ok(_) => {}
///         Err(error) => println!("{key} cannot be valued: {error}"),
///     }
/// }
/// # Ok::<(), keel_client::ClientError>(())
/// ```
#[derive(Clone, Debug)]
pub struct View {
    /// The market.
    pub market: Market,
    /// Its reserves and where their prices are.
    pub book: Book,
    /// The price accounts.
    pub prices: PriceAccounts,
    /// The chain's time.
    pub time: Time,
}

impl View {
    /// Fetches the market at `key` with everything that its reserves need.
    ///
    /// The price accounts of feeds that are not pinned are those of Pyth's push oracle.
    pub fn fetch(transport: &dyn Transport, key: &Pubkey) -> Result<Self, ClientError> {
        let market = market(transport, key)?;
        let mut book = Book::new(*key);
        for (_, reserve) in reserves(transport, key)? {
            book.insert(reserve, &price_accounts(&reserve.config.oracle));
        }
        let keys: Vec<Pubkey> = book.iter().flat_map(|(_, listing)| &listing.prices).copied().collect();
        let (time, accounts) = timed(transport, &keys)?;
        Ok(Self { market, book, prices: prices(keys, accounts), time })
    }

    /// The same accounts, fetched anew: in one request and at one slot, as long as they are no more than
    /// [`ACCOUNTS_PER_REQUEST`](crate::transport::ACCOUNTS_PER_REQUEST).
    pub fn refreshed(&self, transport: &dyn Transport) -> Result<Self, ClientError> {
        let mut keys = vec![*self.key()];
        keys.extend(self.book.iter().map(|(key, _)| *key));
        let listed: Vec<Pubkey> = self.book.iter().flat_map(|(_, listing)| &listing.prices).copied().collect();
        keys.extend(&listed);
        let (time, accounts) = timed(transport, &keys)?;
        let mut accounts = accounts.into_iter();
        let mut existing = |key, expected| accounts.next().flatten().ok_or(ClientError::NoAccount { key, expected });
        let fetched = existing(*self.key(), "market")?;
        let market = account::market(self.key(), &fetched.owner, &fetched.data)?;
        let mut book = Book::new(*self.key());
        for (key, listing) in self.book.iter() {
            let fetched = existing(*key, "reserve")?;
            book.insert_at(*key, account::reserve(key, &fetched.owner, &fetched.data)?, &listing.prices);
        }
        Ok(Self { market, book, prices: prices(listed, accounts), time })
    }

    /// What previews of actions start from.
    pub fn accounts(&self) -> preview::Accounts<'_> {
        let moment = self.time.moment();
        preview::Accounts { book: &self.book, market: &self.market, prices: &self.prices, moment }
    }

    /// The market's address.
    pub fn key(&self) -> &Pubkey {
        &self.book.market
    }

    /// A reserve by its address.
    pub fn reserve(&self, key: &Pubkey) -> Result<&Reserve, ClientError> {
        Ok(&self.book.listing(key)?.reserve)
    }

    /// What the feeds of a reserve say.
    pub fn readings(&self, key: &Pubkey) -> Result<Readings, ClientError> {
        let listing = self.book.listing(key)?;
        let mut readings = NO_READINGS;
        let feeds = listing.reserve.config.oracle.active_feeds().zip(&listing.prices);
        for (reading, (feed, price)) in readings.iter_mut().zip(feeds) {
            *reading = self.reading(feed, price);
        }
        Ok(readings)
    }

    /// What one price account says about a feed.
    fn reading(&self, feed: &FeedConfig, price: &Pubkey) -> Reading {
        let account = self.prices.get(price).ok_or(KeelError::MissingAccount)?;
        oracle::read(price, &account.owner, &account.data, feed, &self.market.price_receiver)
    }

    /// The price of a reserve's asset for a purpose, as the program would take it now.
    pub fn price(&self, key: &Pubkey, side: Side, purpose: Purpose) -> Result<UnitPrice, ClientError> {
        let (reserve, readings, moment) = (self.reserve(key)?, self.readings(key)?, self.time.moment());
        Ok(match purpose {
            Purpose::NewRisk => reserve.new_risk_price(&readings, side, &moment)?,
            Purpose::Liquidation => reserve.maintenance_price(&readings, side, &moment)?,
        })
    }

    /// A reserve's books, accrued to the present.
    pub fn pool(&self, key: &Pubkey) -> Result<Pool, ClientError> {
        Ok(self.reserve(key)?.accrued_pool(self.time.now)?)
    }

    /// What a position holds or owes now, native units.
    pub fn amount(&self, position: &Position, side: Side) -> Result<Amount, ClientError> {
        Ok(self.reserve(&position.reserve)?.amount(position, side, self.time.now)?)
    }

    /// What an amount of a reserve's asset is worth at the price that a liquidation would take.
    pub fn value(&self, key: &Pubkey, amount: Amount, side: Side) -> Result<Usd, ClientError> {
        let price = self.price(key, side, Purpose::Liquidation)?;
        let value = match side {
            Side::Collateral => price.value_floor(amount),
            Side::Debt => price.value_ceil(amount),
        };
        Ok(value.map_err(KeelError::from)?)
    }

    /// The sums of a vault for a purpose, as the program would compute them now.
    pub fn totals(&self, vault: &Vault, purpose: Purpose) -> Result<Totals, ClientError> {
        let moment = self.time.moment();
        Ok(health::value(&self.book, &self.market, vault, &self.prices, purpose, &moment)?.totals)
    }

    /// The worst that the sums of a vault can be within `horizon` seconds at these prices; see [`health::outlook`].
    pub fn outlook(&self, vault: &Vault, horizon: u32) -> Result<Totals, ClientError> {
        health::outlook(&self.book, &self.market, vault, &self.prices, &self.time.moment(), horizon)
    }
}

/// Accounts, and the chain's time in the same answer.
fn timed(transport: &dyn Transport, keys: &[Pubkey]) -> Result<(Time, Vec<Option<Account>>), ClientError> {
    let mut accounts = transport.accounts(&[&[CLOCK, LAST_RESTART_SLOT], keys].concat())?;
    let rest = accounts.split_off(accounts.len().min(2));
    let [Some(clock), Some(last_restart)] = accounts.as_slice() else {
        return Err(ClientError::NoAccount { key: CLOCK, expected: "sysvar" });
    };
    Ok((Time::decode(clock, last_restart)?, rest))
}

fn prices(keys: Vec<Pubkey>, accounts: impl IntoIterator<Item = Option<Account>>) -> PriceAccounts {
    let price = |(key, account): (Pubkey, Option<Account>)| {
        account.map(|account| (key, PriceAccount { owner: account.owner, data: account.data }))
    };
    keys.into_iter().zip(accounts).filter_map(price).collect()
}

/// The price account of a feed: the pinned one, or that of Pyth's push oracle.
pub fn price_account(feed: &FeedConfig) -> Pubkey {
    if feed.is_pinned() { feed.account } else { address::push_feed(&feed.feed_id, 0) }
}

/// The price accounts of a reserve's feeds.
pub fn price_accounts(oracle: &OracleConfig) -> Vec<Pubkey> {
    oracle.active_feeds().map(price_account).collect()
}

fn of_kind(discriminator: &[u8]) -> Filter {
    Filter::Bytes { offset: 0, bytes: discriminator.to_vec() }
}

fn at(offset: usize, key: &Pubkey) -> Filter {
    Filter::Bytes { offset, bytes: key.to_bytes().to_vec() }
}

/// The market at `key`.
pub fn market(transport: &dyn Transport, key: &Pubkey) -> Result<Market, ClientError> {
    let fetched = transport.account(key)?.ok_or(ClientError::NoAccount { key: *key, expected: "market" })?;
    account::market(key, &fetched.owner, &fetched.data)
}

/// All markets, by address.
pub fn markets(transport: &dyn Transport) -> Result<Vec<(Pubkey, Market)>, ClientError> {
    let found = transport.program_accounts(&keel::ID, &[of_kind(Market::DISCRIMINATOR)])?;
    found.iter().map(|(key, found)| Ok((*key, account::market(key, &found.owner, &found.data)?))).collect()
}

/// The reserves of a market, by address.
pub fn reserves(transport: &dyn Transport, market: &Pubkey) -> Result<Vec<(Pubkey, Reserve)>, ClientError> {
    let filters = [of_kind(Reserve::DISCRIMINATOR), at(MARKET_OFFSET, market)];
    let found = transport.program_accounts(&keel::ID, &filters)?;
    found.iter().map(|(key, found)| Ok((*key, account::reserve(key, &found.owner, &found.data)?))).collect()
}

/// The vault at `key`.
pub fn vault(transport: &dyn Transport, key: &Pubkey) -> Result<Vault, ClientError> {
    let fetched = transport.account(key)?.ok_or(ClientError::NoAccount { key: *key, expected: "vault" })?;
    account::vault(key, &fetched.owner, &fetched.data)
}

/// The vaults of a market, those of one owner or all, by address.
pub fn vaults(
    transport: &dyn Transport,
    market: &Pubkey,
    owner: Option<&Pubkey>,
) -> Result<Vec<(Pubkey, Vault)>, ClientError> {
    let mut filters = vec![of_kind(Vault::DISCRIMINATOR), at(MARKET_OFFSET, market)];
    filters.extend(owner.map(|owner| at(OWNER_OFFSET, owner)));
    let found = transport.program_accounts(&keel::ID, &filters)?;
    found.iter().map(|(key, found)| Ok((*key, account::vault(key, &found.owner, &found.data)?))).collect()
}

/// The queued changes of a market, by number.
pub fn changes(transport: &dyn Transport, market: &Pubkey) -> Result<Vec<PendingChange>, ClientError> {
    let filters = [of_kind(PendingChange::DISCRIMINATOR), at(CHANGE_MARKET_OFFSET, market)];
    let found = transport.program_accounts(&keel::ID, &filters)?;
    let decoded = found.iter().map(|(key, found)| account::change(key, &found.owner, &found.data));
    let mut changes = decoded.collect::<Result<Vec<_>, _>>()?;
    changes.sort_by_key(|change| change.nonce);
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn filters_look_where_the_addresses_are() {
        assert_eq!(8 + offset_of!(Vault, market), MARKET_OFFSET);
        assert_eq!(8 + offset_of!(Reserve, market), MARKET_OFFSET);
        assert_eq!(8 + offset_of!(Vault, owner), OWNER_OFFSET);
        assert_eq!(8 + offset_of!(PendingChange, market), CHANGE_MARKET_OFFSET);
    }

    #[test]
    fn a_feed_that_is_not_pinned_is_pushed_by_pyth() {
        // SOL/USD, as Pyth publishes both.
        let hex = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
        let feed_id = pyth_solana_receiver_sdk::price_update::get_feed_id_from_hex(hex).unwrap();
        let unpinned = FeedConfig { feed_id, account: Pubkey::default() };
        assert_eq!(price_account(&unpinned).to_string(), "7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
        let pinned = FeedConfig { feed_id, account: keel::ID };
        assert_eq!(price_account(&pinned), keel::ID);
    }
}
