//! Reads Pyth price updates: whose account it is, which feed, how far verified. Whether a price is good enough is
//! decided by [`keel_risk::price`].

use crate::errors::KeelError;
use crate::state::{FeedConfig, MAX_FEEDS};
use anchor_lang::prelude::*;
use keel_risk::price::Observation;
use pyth_solana_receiver_sdk::price_update::{PriceUpdateV2, VerificationLevel};

/// What a price account holds for a feed, or why it cannot be used.
pub type Reading = core::result::Result<Observation, KeelError>;

/// One reading per feed of a reserve; those of feeds that are not configured are never looked at.
pub type Readings = [Reading; MAX_FEEDS];

/// No account was given for any feed.
pub const NO_READINGS: Readings = [Err(KeelError::MissingAccount); MAX_FEEDS];

/// Reads the price update in an account's `data` for `feed`.
///
/// # Errors
/// In the order of the checks: `PriceWrongAccount` (the feed is pinned to another), `PriceWrongOwner`, `PriceMalformed`,
/// `PriceWrongFeed`, `PricePartiallyVerified`.
pub fn read(key: &Pubkey, owner: &Pubkey, data: &[u8], feed: &FeedConfig, receiver: &Pubkey) -> Reading {
    if feed.is_pinned() && feed.account != *key {
        return Err(KeelError::PriceWrongAccount);
    }
    if owner != receiver {
        return Err(KeelError::PriceWrongOwner);
    }
    let update = PriceUpdateV2::try_deserialize(&mut &*data).map_err(|_| KeelError::PriceMalformed)?;
    let message = &update.price_message;
    if message.feed_id != feed.feed_id {
        return Err(KeelError::PriceWrongFeed);
    }
    if update.verification_level != VerificationLevel::Full {
        return Err(KeelError::PricePartiallyVerified);
    }
    Ok(Observation {
        price: message.price,
        confidence: message.conf,
        ema_price: message.ema_price,
        ema_confidence: message.ema_conf,
        exponent: message.exponent,
        publish_time: message.publish_time,
        posted_slot: update.posted_slot,
    })
}

/// [`read`] for an account of the running instruction.
pub fn read_account(info: &AccountInfo, feed: &FeedConfig, receiver: &Pubkey) -> Reading {
    let data = info.try_borrow_data().map_err(|_| KeelError::PriceMalformed)?;
    read(info.key, info.owner, &data, feed, receiver)
}
