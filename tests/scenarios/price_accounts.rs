//! The program reads price updates in place: the same as the receiver's own code does.

use anchor_lang::AccountDeserialize;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::oracle;
use keel::state::FeedConfig;
use keel_client::price_update::{self, PYTH_RECEIVER, PriceUpdateV2, VerificationLevel};
use keel_risk::price::Observation;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FEED: FeedConfig = FeedConfig { feed_id: [7; 32], account: Pubkey::new_from_array([0; 32]) };

fn read(data: &[u8]) -> Result<Observation, KeelError> {
    oracle::read(&Pubkey::new_unique(), &PYTH_RECEIVER, data, &FEED, &PYTH_RECEIVER)
}

/// What the program should make of `data`, by deserializing it.
fn expected(data: &[u8]) -> Result<Observation, KeelError> {
    let update = PriceUpdateV2::try_deserialize(&mut &*data).map_err(|_| KeelError::PriceMalformed)?;
    let message = &update.price_message;
    if message.feed_id != FEED.feed_id {
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

#[test]
fn price_updates_are_read_as_the_receiver_reads_them() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut outcomes = [0u32; 2];
    for _ in 0..20_000 {
        let observation = Observation {
            price: rng.random(),
            confidence: rng.random(),
            ema_price: rng.random(),
            ema_confidence: rng.random(),
            exponent: rng.random(),
            publish_time: rng.random(),
            posted_slot: rng.random(),
        };
        let feed_id = if rng.random_ratio(1, 10) { [8; 32] } else { FEED.feed_id };
        let mut update = price_update::update(feed_id, &observation);
        update.price_message.prev_publish_time = rng.random();
        if rng.random_ratio(1, 5) {
            update.verification_level = VerificationLevel::Partial { num_signatures: rng.random() };
        }
        let mut data = price_update::encode(&update);
        match rng.random_range(0..10) {
            0 => data.truncate(rng.random_range(0..=PriceUpdateV2::LEN)),
            1 => {
                let byte = rng.random_range(0..data.len());
                data[byte] = rng.random();
            }
            _ => {}
        }
        let read = read(&data);
        assert_eq!(read, expected(&data), "{data:?}");
        outcomes[usize::from(read.is_ok())] += 1;
    }
    assert!(outcomes.iter().all(|n| *n > 4_000), "{outcomes:?}");
}
