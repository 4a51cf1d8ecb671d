//! The listed assets of a market and where their prices are.

use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use keel::state::{Reserve, Side, Vault};
use solana_instruction::AccountMeta;
use std::collections::BTreeMap;

/// One listed asset: its reserve as last fetched, and the price accounts to show for its feeds.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The reserve.
    pub reserve: Reserve,
    /// One price account per feed, in the order of the feeds.
    pub prices: Vec<Pubkey>,
}

/// The listed assets of one market, by reserve address.
#[derive(Clone, Debug)]
pub struct Book {
    /// The market.
    pub market: Pubkey,
    listings: BTreeMap<Pubkey, Listing>,
}

impl Book {
    /// An empty book of `market`.
    pub fn new(market: Pubkey) -> Self {
        Self { market, listings: BTreeMap::new() }
    }

    /// Adds or replaces an asset. Pinned feeds need no entry in `prices`: their accounts stand in the reserve.
    pub fn insert(&mut self, reserve: Reserve, prices: &[Pubkey]) {
        self.insert_at(address::reserve(&self.market, &reserve.mint), reserve, prices);
    }

    /// [`Self::insert`] for whoever fetched the reserve from `key` and need not derive that.
    pub fn insert_at(&mut self, key: Pubkey, reserve: Reserve, prices: &[Pubkey]) {
        let prices = reserve
            .config
            .oracle
            .active_feeds()
            .enumerate()
            .filter_map(|(i, feed)| if feed.is_pinned() { Some(feed.account) } else { prices.get(i).copied() })
            .collect();
        self.listings.insert(key, Listing { reserve, prices });
    }

    /// Replaces the state of a reserve and leaves its price accounts as they are.
    pub fn update(&mut self, reserve: Reserve) {
        let key = address::reserve(&self.market, &reserve.mint);
        if let Some(listing) = self.listings.get_mut(&key) {
            listing.reserve = reserve;
        }
    }

    /// The asset at a reserve address.
    pub fn listing(&self, reserve: &Pubkey) -> Result<&Listing, ClientError> {
        self.listings.get(reserve).ok_or(ClientError::UnknownReserve(*reserve))
    }

    /// All assets, by reserve address.
    pub fn iter(&self) -> impl Iterator<Item = (&Pubkey, &Listing)> {
        self.listings.iter()
    }

    /// The remaining accounts of an action on `vault`: the price accounts of the reserves in `acted`, then reserve and
    /// price accounts of every other occupied slot, in slot order. The order is that of [`keel::valuation`].
    pub fn remaining(&self, vault: &Vault, acted: &[Pubkey]) -> Result<Vec<AccountMeta>, ClientError> {
        let read = |key: &Pubkey| AccountMeta::new_readonly(*key, false);
        let mut metas = Vec::new();
        for key in acted {
            metas.extend(self.listing(key)?.prices.iter().map(read));
        }
        for (position, side) in vault.occupied() {
            if acted.contains(&position.reserve) {
                continue;
            }
            let listing = self.listing(&position.reserve)?;
            // An isolated collateral's reserve counts the debts against its ceiling.
            let counts = side == Side::Collateral && listing.reserve.is_isolated_collateral();
            metas.push(if counts { AccountMeta::new(position.reserve, false) } else { read(&position.reserve) });
            metas.extend(listing.prices.iter().map(read));
        }
        Ok(metas)
    }

    /// [`Self::remaining`] of an action that repays `debt` of `vault`, and the reserve of the isolated collateral that this debt
    /// counts against, to be written, unless it is already.
    pub fn remaining_to_repay(
        &self,
        vault: &Vault,
        acted: &[Pubkey],
        debt: &Pubkey,
    ) -> Result<Vec<AccountMeta>, ClientError> {
        let mut metas = self.remaining(vault, acted)?;
        let counter = isolated_counter(vault, debt)
            .filter(|counter| !acted.contains(&counter.pubkey) && !metas.contains(counter));
        metas.extend(counter);
        Ok(metas)
    }

    /// What belongs into the market's lookup table: everything that transactions of this market name again and again.
    pub fn lookup_addresses(&self) -> Vec<Pubkey> {
        let mut addresses = vec![self.market, keel::ID, token::TOKEN_PROGRAM, token::TOKEN_2022_PROGRAM];
        for (key, listing) in &self.listings {
            addresses.extend([*key, listing.reserve.liquidity, listing.reserve.mint]);
            addresses.extend(&listing.prices);
        }
        addresses
    }
}

/// The reserve of the isolated collateral whose ceiling `debt` counts against, to be written.
pub(crate) fn isolated_counter(vault: &Vault, debt: &Pubkey) -> Option<AccountMeta> {
    let counts = vault.find(debt).is_some_and(|position| position.isolated_debt > 0);
    counts.then(|| AccountMeta::new(vault.isolated_reserve, false))
}
