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

/// Where an update's message stands: behind discriminator, write authority and level of verification, which has the number of
/// signatures behind it if it is partial.
const LEVEL: usize = 8 + 32;
/// Where price, confidence and the averages of both stand in a message.
const NUMBERS: [usize; 4] = [32, 40, 68, 76];

/// The bytes of an account that holds a price update, with the price at `bps` basis points of what it was, rounded down, and
/// its average and both confidence intervals along: what its publishers would say of another price. Bytes that are no price
/// update come out as nonsense that is none either.
///
/// Written in place: decoding updates by the receiver's code would be a tenth of what browsers load.
pub fn moved(data: &[u8], bps: u32) -> Vec<u8> {
    let mut moved = data.to_vec();
    let message = if data.get(LEVEL) == Some(&0) { LEVEL + 2 } else { LEVEL + 1 };
    for offset in NUMBERS {
        let number = moved.get_mut(message + offset..).and_then(|rest| rest.first_chunk_mut());
        let Some(number) = number.filter(|_| bps != 10_000) else { continue };
        // A negative price stays as bad as it is.
        if let Ok(said) = u64::try_from(i64::from_le_bytes(*number)) {
            let scaled = u128::from(said) * u128::from(bps) / 10_000;
            *number = i64::try_from(scaled).unwrap_or(i64::MAX).to_le_bytes();
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_moves_with_what_belongs_to_it() {
        let seen = Observation {
            price: 20_000_000_001,
            confidence: 12_000_000,
            ema_price: 19_000_000_000,
            ema_confidence: 15_000_000,
            exponent: -8,
            publish_time: 1_760_000_000,
            posted_slot: 7,
        };
        let updates = |o: &Observation| {
            let full = update([3; 32], o);
            let partial =
                PriceUpdateV2 { verification_level: VerificationLevel::Partial { num_signatures: 5 }, ..full };
            [full, partial].map(|update| encode(&update))
        };
        let at = |price, confidence, ema_price, ema_confidence| {
            updates(&Observation { price, confidence, ema_price, ema_confidence, ..seen })
        };
        let moved = |bps| updates(&seen).map(|data| super::moved(&data, bps));
        assert_eq!(moved(10_000), updates(&seen));
        assert_eq!(moved(8_000), at(16_000_000_000, 9_600_000, 15_200_000_000, 12_000_000));
        assert_eq!(moved(0), at(0, 0, 0, 0));
        let most = updates(&Observation { price: i64::MAX, ..seen }).map(|data| super::moved(&data, 20_000));
        assert_eq!(most, at(i64::MAX, 24_000_000, 38_000_000_000, 30_000_000));
        let negative = updates(&Observation { price: -5, confidence: 0, ema_price: 0, ema_confidence: 0, ..seen });
        assert_eq!(negative.clone().map(|data| super::moved(&data, 20_000)), negative);
        for length in 0..60 {
            assert_eq!(super::moved(&vec![1; length], 5_000), vec![1; length]);
        }
    }
}
