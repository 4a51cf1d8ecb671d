//! What a client sees of vaults and reserves, computed from fetched accounts.

use keel_client::health::{self, PriceAccount, PriceAccounts};
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::price::{Moment, Purpose};
use keel_tests::world::User;
use keel_tests::{Chain, World};

/// Fetches all reserves into the book, and all price accounts.
pub fn fetch<C: Chain>(w: &mut World<C>) -> PriceAccounts {
    let mut prices = PriceAccounts::new();
    for asset in 0..w.assets.len() {
        let reserve = w.reserve(asset);
        w.book.update(reserve);
        for key in w.assets[asset].prices.clone() {
            let account = w.chain.account(&key).unwrap();
            prices.insert(key, PriceAccount { owner: account.owner, data: account.data });
        }
    }
    prices
}

/// The present, without a restart of the cluster.
pub fn moment<C: Chain>(w: &mut World<C>) -> Moment {
    Moment { now: w.chain.clock().unix_timestamp, last_restart_slot: 0 }
}

/// The sums of a user's vault for `purpose`, now.
pub fn totals<C: Chain>(w: &mut World<C>, user: &User, purpose: Purpose) -> Totals {
    let (prices, market, vault) = (fetch(w), w.market_state(), w.vault(&user.vault));
    let moment = moment(w);
    health::value(&w.book, &market, &vault, &prices, purpose, &moment).unwrap().totals
}

/// What a liquidation would go by, now.
pub fn maintenance<C: Chain>(w: &mut World<C>, user: &User) -> Totals {
    totals(w, user, Purpose::Liquidation)
}

/// What a loan would go by, now.
pub fn initial<C: Chain>(w: &mut World<C>, user: &User) -> Totals {
    totals(w, user, Purpose::NewRisk)
}

/// The maintenance haircut of an asset now, and the one for new risk.
pub fn haircuts<C: Chain>(w: &mut World<C>, asset: usize) -> (Fraction, Fraction) {
    let (reserve, now) = (w.reserve(asset), w.chain.clock().unix_timestamp);
    let haircuts = reserve.haircut().at(now, &reserve.config.haircut_terms()).unwrap();
    (haircuts.maintenance, haircuts.initial)
}
