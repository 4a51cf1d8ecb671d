//! Price accounts in the format of Pyth's receiver, for local chains and tests, where no guardian signs.

use anchor_lang::AccountSerialize;
use anchor_lang::prelude::Pubkey;
use keel_risk::price::Observation;
pub use pyth_solana_receiver_sdk::ID as PYTH_RECEIVER;
pub use pyth_solana_receiver_sdk::price_update::{PriceFeedMessage, PriceUpdateV2, VerificationLevel};

/// A fully verified update of feed `feed_id`.
pub fn update(feed_id: [u8; 32], observation: &Observation) -> PriceUpdateV2 {
    PriceUpdateV2 {
        write_authority: Pubkey::default(),
        verification_level: VerificationLevel::Full,
        price_message: PriceFeedMessage {
            feed_id,
            price: observation.price,
            conf: observation.confidence,
            exponent: observation.exponent,
            publish_time: observation.publish_time,
            prev_publish_time: observation.publish_time,
            ema_price: observation.ema_price,
            ema_conf: observation.ema_confidence,
        },
        posted_slot: observation.posted_slot,
    }
}

/// The bytes of an account that holds `update`, as long as the receiver makes them.
pub fn encode(update: &PriceUpdateV2) -> Vec<u8> {
    let mut data = Vec::with_capacity(PriceUpdateV2::LEN);
    // Writing to memory does not fail.
    update.try_serialize(&mut data).unwrap_or_else(|error| unreachable!("{error}"));
    data.resize(PriceUpdateV2::LEN, 0);
    data
}
