//! The feeds, and what they publish.

use super::arena::{Arena, SPOT_EXPONENT};
use crate::chain::Chain;
use crate::world::Asset;
use anchor_lang::prelude::Pubkey;
use keel::state::{MAX_FEEDS, OracleConfig};
use keel_client::price_update;
use keel_risk::price::Observation;

/// What is wrong with a posted price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Confidence too wide for new risk, good enough for liquidations.
    Wide,
    /// Confidence too wide for anything.
    TooWide,
    /// The moving average is off spot by these basis points.
    AverageOff(i16),
    /// Published so many seconds ago.
    Old(u16),
    /// Published a second before the last one that the reserve accepted.
    Replayed,
    /// Published in the future.
    Future,
    /// Negative.
    Negative,
    /// Verified by too few guardians.
    Partial,
    /// Another feed's.
    WrongFeed,
    /// No price update at all.
    Malformed,
    /// Owned by another program.
    WrongOwner,
    /// Spot and average off the true price by these basis points: with a second feed, a divergence.
    Off(i16),
}

/// A feed that an asset could be priced by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its identity.
    pub feed_id: [u8; 32],
    /// Where it publishes.
    pub account: Pubkey,
}

/// Who owns price accounts after Pyth has moved to another receiver.
pub const OTHER_RECEIVER: Pubkey = Pubkey::new_from_array([77; 32]);

/// The feeds that each asset is listed with, and two more.
pub(super) fn sources(assets: &[Asset]) -> Vec<Vec<Source>> {
    let of_asset = |(number, asset): (usize, &Asset)| {
        let own = asset.feed_ids.iter().zip(&asset.prices);
        let mut all: Vec<Source> = own.map(|(id, account)| Source { feed_id: *id, account: *account }).collect();
        let marks = if all.is_empty() { 0..0 } else { 1..3u8 };
        all.extend(marks.map(|mark| {
            let number = u8::try_from(number).unwrap();
            let address = |kind: u8| std::array::from_fn(|i| [kind, mark, number][i % 3]);
            Source { feed_id: address(201), account: Pubkey::new_from_array(address(202)) }
        }));
        all
    };
    assets.iter().enumerate().map(of_asset).collect()
}

impl Arena {
    /// The price accounts of the feeds that `oracle` has for `asset`.
    pub(super) fn price_accounts(&self, asset: usize, oracle: &OracleConfig) -> Vec<Pubkey> {
        let account = |id: [u8; 32]| self.sources[asset].iter().find(|source| source.feed_id == id).unwrap().account;
        oracle.active_feeds().map(|feed| account(feed.feed_id)).collect()
    }

    /// What a sound feed of `asset` publishes now. The fifth asset's feed has a coarser exponent.
    pub fn observation(&self, asset: usize) -> Observation {
        let coarser: u32 = if asset == 4 { 2 } else { 0 };
        let price = self.spot[asset] / 10i64.pow(coarser);
        Observation {
            price,
            confidence: price.unsigned_abs() / 2_000,
            ema_price: price,
            ema_confidence: price.unsigned_abs() / 1_500,
            exponent: SPOT_EXPONENT + i32::try_from(coarser).unwrap(),
            publish_time: self.now,
            posted_slot: self.slot,
        }
    }

    /// Every feed that an asset has or may get by a queued change publishes the true price, but for the frozen one. They
    /// publish where the market looks for prices.
    pub(super) fn publish(&mut self) {
        for asset in 0..self.spot.len() {
            let update = self.observation(asset);
            let listed = &self.world.assets[asset].feed_ids;
            let frozen = self.frozen.filter(|(of, _)| *of == asset).and_then(|(_, feed)| listed.get(feed)).copied();
            for source in self.quoted(asset).into_iter().filter(|source| Some(source.feed_id) != frozen) {
                let data = price_update::encode(&price_update::update(source.feed_id, &update));
                let receiver = self.state.market.price_receiver;
                self.world.chain.set_data(&source.account, &receiver, data);
            }
        }
    }

    /// The feeds that an asset has, and then those that it may get.
    pub(super) fn quoted(&self, asset: usize) -> Vec<Source> {
        let listed = &self.world.assets[asset].feed_ids;
        let announced = self.state.changes.iter().filter(|change| change.target == Some(asset));
        let mut ids = listed.clone();
        for id in announced.flat_map(|change| &change.other_feeds) {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        ids.iter().map(|id| *self.sources[asset].iter().find(|source| source.feed_id == *id).unwrap()).collect()
    }

    pub(super) fn misprice(&mut self, asset: usize, feed: usize, fault: Fault) {
        let mut o = self.observation(asset);
        let off = |price: i64, bps: i16| price + price / 10_000 * i64::from(bps);
        match fault {
            Fault::Wide => o.confidence = o.price.unsigned_abs() / 20,
            Fault::TooWide => o.ema_confidence = o.price.unsigned_abs() / 5,
            Fault::AverageOff(bps) => o.ema_price = off(o.ema_price, bps),
            Fault::Old(seconds) => o.publish_time -= i64::from(seconds),
            Fault::Replayed => {
                // Of a feed that is yet to come, in place of the second.
                let last = &self.state.reserves[asset].last_prices[feed.min(MAX_FEEDS - 1)];
                o.publish_time = last.publish_time - 1;
            }
            Fault::Future => o.publish_time += 11,
            Fault::Negative => o.price = -o.price,
            Fault::Off(bps) => {
                o.price = off(o.price, bps);
                o.ema_price = o.price;
            }
            Fault::Partial | Fault::WrongFeed | Fault::Malformed | Fault::WrongOwner => {}
        }
        let Source { feed_id: id, account: key } = self.quoted(asset)[feed];
        let mut update = price_update::update(if fault == Fault::WrongFeed { [9; 32] } else { id }, &o);
        if fault == Fault::Partial {
            update.verification_level = price_update::VerificationLevel::Partial { num_signatures: 5 };
        }
        let owner = if fault == Fault::WrongOwner { keel::ID } else { self.state.market.price_receiver };
        let data = if fault == Fault::Malformed { vec![7; 134] } else { price_update::encode(&update) };
        self.world.chain.set_data(&key, &owner, data);
    }
}
