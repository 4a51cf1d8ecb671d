//! A reserve's configuration as its bytes have it: the checks' own reading of sections and parameters, which shares nothing
//! with the program's list of slots. A field that the program takes for another shows as a difference.

use keel::state::ReserveConfig;
use keel_risk::change::RESERVE_PARAMETERS;

/// Bytes of each section, in the order of the layout.
const SECTIONS: [usize; 8] = [56, 156, 32, 32, 24, 44, 28, 12];
/// Words of 64 bits that come first.
const LIMITS: usize = 7;
/// Identities of 32 bytes that come next; after them all is 32 bits wide.
const IDENTITIES: usize = 4;

fn bytes(config: &ReserveConfig) -> [u8; size_of::<ReserveConfig>()] {
    bytemuck::cast(*config)
}

/// The sections that differ, as bits.
pub fn sections_between(old: &ReserveConfig, new: &ReserveConfig) -> u32 {
    let (old, new) = (bytes(old), bytes(new));
    let mut start = 0;
    let mut bits = 0;
    for (number, length) in SECTIONS.iter().enumerate() {
        let section = start..start + length;
        bits |= u32::from(old[section.clone()] != new[section]) << number;
        start += length;
    }
    bits
}

/// `old` with `sections` of `new`.
pub fn merged(old: &ReserveConfig, new: &ReserveConfig, sections: u32) -> ReserveConfig {
    let (mut merged, new) = (bytes(old), bytes(new));
    let mut start = 0;
    for (number, length) in SECTIONS.iter().enumerate() {
        let section = start..start + length;
        if sections >> number & 1 == 1 {
            merged[section.clone()].copy_from_slice(&new[section]);
        }
        start += length;
    }
    bytemuck::cast(merged)
}

/// The value of every parameter before and after, in the order of [`keel_risk::change::RESERVE`]: of an identity 0, and 1 if
/// it becomes another.
pub fn values(old: &ReserveConfig, new: &ReserveConfig) -> [[u64; RESERVE_PARAMETERS]; 2] {
    let (old, new) = (bytes(old), bytes(new));
    let ids = 8 * LIMITS..8 * LIMITS + 32 * IDENTITIES;
    let numbers = |bytes: &[u8]| {
        let words = bytes[..ids.start].chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        let rest = bytes[ids.end..].chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()).into());
        let all: Vec<u64> = words.chain([0; IDENTITIES]).chain(rest).collect();
        <[u64; RESERVE_PARAMETERS]>::try_from(all).unwrap()
    };
    let (before, mut after) = (numbers(&old), numbers(&new));
    for (i, (old, new)) in old[ids.clone()].chunks(32).zip(new[ids.clone()].chunks(32)).enumerate() {
        after[LIMITS + i] = u64::from(old != new);
    }
    [before, after]
}

/// The same of a market's parameters, in the order of [`keel_risk::change::MARKET`].
pub fn market_values(old: &keel::state::MarketParams, new: &keel::state::MarketParams) -> [[u64; 12]; 2] {
    let numbers = |p: &keel::state::MarketParams, receiver: u64| {
        let of_market = [p.target_health_bps.into(), p.min_position_micro_usd, p.restart_grace_slots];
        let steps = [p.steps.cap_bps, p.steps.outflow_bps, p.steps.haircut_bps, p.steps.max_ltv_bps, p.steps.rate_bps];
        let all = [receiver].into_iter().chain(of_market).chain([p.min_bounty_micro_usd]);
        let all = all.chain([p.delay, p.window].into_iter().chain(steps).map(u64::from)).collect::<Vec<_>>();
        <[u64; 12]>::try_from(all).unwrap()
    };
    [numbers(old, 0), numbers(new, u64::from(old.price_receiver != new.price_receiver))]
}
