//! Initial health, a second time: in integers, from what the accounts hold, without the valuation that the program and
//! its clients share. Only which observation is acceptable is asked of the risk crate.

use keel::state::{Reserve, Side, Vault};
use keel_risk::price::{Bounds, Observation};
use keel_tests::random::Snapshot;
use num_bigint::BigInt;

const BPS: u32 = 10_000;
/// Dollars are counted in units of `10^-SCALE`.
const SCALE: i32 = 30;

/// Whether the vault owes no more than its collateral carries, everything at the prices of new risk and exact: the
/// program rounds limits down and debts up, so that what it lets through holds here with room to spare.
pub fn is_healthy(state: &Snapshot, vault: &Vault) -> bool {
    let (mut limit, mut debt) = (BigInt::ZERO, BigInt::ZERO);
    for (position, side) in vault.occupied() {
        let asset = state.asset(&position.reserve);
        let reserve = &state.reserves[asset];
        let observations = acceptable(state, asset);
        match side {
            Side::Collateral => {
                let Some(observations) = observations else { continue };
                let price = observations.iter().map(|o| price(reserve, o, side)).min();
                let terms = &reserve.config.collateral;
                let factor = BigInt::from(BPS - terms.base_haircut_bps) * terms.max_ltv_bps;
                // Rounded down to native units: the fraction of a unit cannot be sold.
                let amount = shares(position.shares, state, asset, side) >> 120;
                limit += amount * price.unwrap_or_default() * factor;
            }
            Side::Debt => {
                // A debt without a price is one of any size.
                let Some(observations) = observations else { return false };
                let price = observations.iter().map(|o| price(reserve, o, side)).max();
                debt += (shares(position.shares, state, asset, side) * price.unwrap_or_default()) >> 120;
            }
        }
    }
    limit >= debt * BPS * BPS
}

/// Shares times index, times 2^120; with interest up to the present.
fn shares(shares: keel::state::Words, state: &Snapshot, asset: usize, side: Side) -> BigInt {
    let Ok(indices) = state.reserves[asset].pool().project(state.moment.now) else { return BigInt::ZERO };
    let index = match side {
        Side::Collateral => indices.supply.0,
        Side::Debt => indices.debt.0,
    };
    BigInt::from(shares.get()) * index.to_bits()
}

/// One observation per feed, if all are acceptable for new risk.
fn acceptable(state: &Snapshot, asset: usize) -> Option<Vec<Observation>> {
    let reserve = &state.reserves[asset];
    let oracle = &reserve.config.oracle;
    let bounds = Bounds { max_age: oracle.max_age_new_risk, max_confidence_bps: oracle.max_confidence_new_risk_bps };
    let feeds = state.readings[asset].iter().zip(&reserve.last_prices).take(oracle.feed_count());
    feeds
        .map(|(reading, last)| {
            let observation = (*reading).ok()?;
            observation.accept(&bounds, &state.moment, last.publish_time).ok().map(|()| observation)
        })
        .collect()
}

/// Spot or average, moved against the vault by `k` times its confidence, whichever is worse; per native unit.
fn price(reserve: &Reserve, seen: &Observation, side: Side) -> BigInt {
    let k = reserve.config.oracle.confidence_multiple_bps;
    let moved = |price: i64, confidence: u64| {
        let (price, margin) = (BigInt::from(price) * BPS, BigInt::from(confidence) * k);
        if side == Side::Collateral { (price - margin).max(BigInt::ZERO) } else { price + margin }
    };
    let (spot, average) = (moved(seen.price, seen.confidence), moved(seen.ema_price, seen.ema_confidence));
    let worse = if side == Side::Collateral { spot.min(average) } else { spot.max(average) };
    let power = SCALE + seen.exponent - i32::from(reserve.decimals);
    worse * BigInt::from(10).pow(u32::try_from(power).unwrap_or(0))
}
