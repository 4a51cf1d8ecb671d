//! All accounts at one moment, copied out of LiteSVM's memory, and the value of a vault then.

use super::action::VaultId;
use super::arena::{Arena, VAULTS_EACH};
use super::changes::Announced;
use crate::world::token_amount;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle::{self, NO_READINGS, Readings};
use keel::state::{Change, Market, OracleConfig, PendingChange, Reserve, Vault};
use keel::valuation::{self, Source, Valuation};
use keel_risk::price::{Moment, Purpose};
use solana_account::{AccountSharedData, ReadableAccount};

/// Every account that the program or a token program keeps for the market, decoded and raw.
#[derive(Clone)]
pub struct Snapshot {
    /// The market.
    pub market: Market,
    /// By asset.
    pub reserves: Vec<Reserve>,
    /// Addresses of the reserves, by asset.
    pub reserve_keys: Vec<Pubkey>,
    /// What the price accounts hold, by asset.
    pub readings: Vec<Readings>,
    /// `None` where the vault is not open. In the order of [`Arena::vault_ids`].
    pub vaults: Vec<Option<Vault>>,
    /// The queued changes that are open, in the order of their numbers.
    pub changes: Vec<Announced>,
    /// Tokens by user, then asset.
    pub wallets: Vec<Vec<u64>>,
    /// Tokens in the liquidity accounts, by asset; none for a minted one, which has no such account.
    pub liquidity: Vec<u64>,
    /// Tokens that exist, by asset.
    pub supplies: Vec<u64>,
    /// All of these accounts as they are. LiteSVM shares their bytes, so that this copies none.
    pub raw: Vec<Option<AccountSharedData>>,
    /// Time and last restart.
    pub moment: Moment,
}

fn pod<T: bytemuck::AnyBitPattern>(account: &AccountSharedData) -> T {
    bytemuck::pod_read_unaligned(&account.data()[8..8 + size_of::<T>()])
}

impl Snapshot {
    /// Of no accounts at all.
    pub(super) fn empty() -> Self {
        Self {
            market: bytemuck::Zeroable::zeroed(),
            reserves: vec![],
            reserve_keys: vec![],
            readings: vec![],
            vaults: vec![],
            changes: vec![],
            wallets: vec![],
            liquidity: vec![],
            supplies: vec![],
            raw: vec![],
            moment: Moment { now: 0, last_restart_slot: 0 },
        }
    }

    /// Reads everything.
    pub fn take(arena: &Arena) -> Self {
        let db = arena.world.chain.svm.accounts_db();
        let mut raw = Vec::with_capacity(128);
        let mut get = |key: &Pubkey| -> Option<AccountSharedData> {
            let account = db.get_account(key).filter(|a| a.lamports() > 0);
            raw.push(account.clone());
            account
        };
        let market: Market = pod(&get(&arena.world.market).unwrap());
        let assets = &arena.world.assets;
        let reserve_keys: Vec<Pubkey> = assets.iter().map(|a| a.reserve).collect();
        let reserves: Vec<Reserve> = reserve_keys.iter().map(|key| pod(&get(key).unwrap())).collect();
        let held = |r: &Reserve| r.is_minted().then_some(0);
        let liquidity =
            reserves.iter().map(|r| held(r).unwrap_or_else(|| token_amount(get(&r.liquidity).unwrap().data())));
        let liquidity = liquidity.collect();
        let supplies = reserves.iter().map(|r| mint_supply(get(&r.mint).unwrap().data())).collect();
        let vaults = arena.vault_keys().map(|key| get(key).filter(|a| *a.owner() == keel::ID).map(|a| pod(&a)));
        let vaults = vaults.collect();
        let wallets = arena
            .players
            .iter()
            .map(|p| p.tokens.iter().map(|key| token_amount(get(key).unwrap().data())).collect())
            .collect();
        let pending: Vec<PendingChange> = arena.open.iter().map(|(_, key)| pod(&get(key).unwrap())).collect();
        let read = |asset: usize, config: &OracleConfig| {
            let mut readings = NO_READINGS;
            let accounts = arena.price_accounts(asset, config);
            for ((reading, feed), key) in readings.iter_mut().zip(config.active_feeds()).zip(&accounts) {
                // A feed that is not listed has not published anything yet.
                let (owner, data) =
                    db.get_account_ref(key).map_or((Pubkey::default(), &[][..]), |a| (*a.owner(), a.data()));
                *reading = oracle::read(key, &owner, data, feed, &market.price_receiver);
            }
            readings
        };
        let readings = reserves.iter().enumerate().map(|(asset, r)| read(asset, &r.config.oracle)).collect();
        let announced = |pending: PendingChange| {
            let (change, target) = (pending.change().unwrap(), reserve_keys.iter().position(|k| *k == pending.target));
            let (mut other_feeds, mut readings) = (vec![], NO_READINGS);
            if let (Change::Reserve { config, .. }, Some(asset)) = (&change, target)
                && config.oracle.feeds != reserves[asset].config.oracle.feeds
            {
                other_feeds = config.oracle.active_feeds().map(|feed| feed.feed_id).collect();
                readings = read(asset, &config.oracle);
            }
            Announced { pending, change, target, other_feeds, readings }
        };
        let changes = pending.into_iter().map(announced).collect();
        let moment = Moment { now: arena.now, last_restart_slot: arena.last_restart_slot };
        Self { market, reserves, reserve_keys, readings, vaults, changes, wallets, liquidity, supplies, raw, moment }
    }

    /// The vault, if it is open.
    pub fn vault(&self, id: VaultId) -> Option<&Vault> {
        self.vaults[id.opener * VAULTS_EACH + id.index].as_ref()
    }

    /// The open change with that number.
    pub fn announced(&self, nonce: u64) -> Option<&Announced> {
        self.changes.iter().find(|change| change.pending.nonce == nonce)
    }

    /// The asset whose reserve is at `key`.
    pub fn asset(&self, key: &Pubkey) -> usize {
        self.reserve_keys.iter().position(|k| k == key).unwrap()
    }

    /// The sums of `vault`, by the code that the program runs.
    ///
    /// # Errors
    /// As [`valuation::value`].
    pub fn value(&self, vault: &Vault, purpose: Purpose) -> Result<Valuation, KeelError> {
        valuation::value(vault, &[], &mut Accounts(self), purpose, &self.moment)
    }
}

struct Accounts<'a>(&'a Snapshot);

impl Source for Accounts<'_> {
    fn reserve<T>(
        &mut self,
        key: &Pubkey,
        then: impl FnOnce(&Reserve, &Readings) -> Result<T, KeelError>,
    ) -> Result<T, KeelError> {
        let asset = self.0.asset(key);
        then(&self.0.reserves[asset], &self.0.readings[asset])
    }
}

/// The supply in a mint's data, of either token program.
fn mint_supply(data: &[u8]) -> u64 {
    u64::from_le_bytes(data[36..44].try_into().unwrap())
}
