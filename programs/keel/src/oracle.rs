//! Reads Pyth price updates: whose account it is, which feed, how far verified. Whether a price is good enough is
//! decided by [`keel_risk::price`].

use crate::errors::KeelError;
use crate::state::{FeedConfig, MAX_FEEDS};
use anchor_lang::Discriminator;
use anchor_lang::prelude::*;
use keel_risk::price::Observation;
use pyth_solana_receiver_sdk::price_update::PriceUpdateV2;

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
    let update = Update::parse(data).ok_or(KeelError::PriceMalformed)?;
    if update.feed_id() != feed.feed_id {
        return Err(KeelError::PriceWrongFeed);
    }
    if !update.is_fully_verified {
        return Err(KeelError::PricePartiallyVerified);
    }
    Ok(update.observation())
}

/// Where `PriceUpdateV2` keeps its verification level: behind the discriminator and the write authority.
const LEVEL: usize = 8 + 32;
/// Length of the price message, and of the posted slot behind it.
const MESSAGE: usize = 32 + 8 + 8 + 4 + 8 + 8 + 8 + 8 + 8;

/// A price update, read in place: deserializing it costs three times as much, for each of up to 32 feeds. A test compares
/// it with the receiver's own code.
struct Update<'a> {
    is_fully_verified: bool,
    message: &'a [u8; MESSAGE],
}

impl<'a> Update<'a> {
    /// `None` when `data` does not hold a price update.
    fn parse(data: &'a [u8]) -> Option<Self> {
        if !data.starts_with(PriceUpdateV2::DISCRIMINATOR) {
            return None;
        }
        // Borsh: Partial { num_signatures } is variant 0, Full variant 1.
        let (is_fully_verified, rest) = match data.get(LEVEL..)?.split_first()? {
            (0, rest) => (false, rest.get(1..)?),
            (1, rest) => (true, rest),
            _ => return None,
        };
        Some(Self { is_fully_verified, message: rest.first_chunk()? })
    }

    fn field<const N: usize>(&self, offset: usize) -> [u8; N] {
        // Every offset below is inside of the message, so that this is never the default.
        self.message.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }

    fn feed_id(&self) -> [u8; 32] {
        self.field(0)
    }

    fn observation(&self) -> Observation {
        Observation {
            price: i64::from_le_bytes(self.field(32)),
            confidence: u64::from_le_bytes(self.field(40)),
            exponent: i32::from_le_bytes(self.field(48)),
            publish_time: i64::from_le_bytes(self.field(52)),
            // At 60 the publish time of the update before.
            ema_price: i64::from_le_bytes(self.field(68)),
            ema_confidence: u64::from_le_bytes(self.field(76)),
            posted_slot: u64::from_le_bytes(self.field(84)),
        }
    }
}

/// [`read`] for an account of the running instruction.
pub fn read_account(info: &AccountInfo, feed: &FeedConfig, receiver: &Pubkey) -> Reading {
    let data = info.try_borrow_data().map_err(|_| KeelError::PriceMalformed)?;
    read(info.key, info.owner, &data, feed, receiver)
}
