//! Initial health, a second time: in integers, from what the accounts hold, without the valuation that the program and
//! its clients share. Only which observation is acceptable is asked of the risk crate.

use crate::exact::{BPS_HOUR, initial_at, one};
use crate::groups;
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
        let price = worst(state, asset, side);
        match side {
            Side::Collateral => {
                let Some(price) = price else { continue };
                let factor = if groups::has_weights(state, vault, asset) {
                    one() * BPS_HOUR * reserve.config.group.max_ltv_bps
                } else {
                    let kept = one() * BPS_HOUR - initial_at(reserve, state.moment.now);
                    kept * reserve.config.collateral.max_ltv_bps
                };
                // Rounded down to native units: the fraction of a unit cannot be sold.
                let amount = shares(position.shares, state, asset, side) >> 120;
                limit += amount * price * factor;
            }
            Side::Debt => {
                // A debt without a price is one of any size.
                let Some(price) = price else { return false };
                debt += (shares(position.shares, state, asset, side) * price) >> 120;
            }
        }
    }
    limit >= debt * one() * BPS_HOUR * BPS
}

/// A dollar, in the unit of [`worst`].
pub fn dollar() -> BigInt {
    BigInt::from(10).pow(SCALE.unsigned_abs()) * BPS
}

/// What a native unit counts at for new risk: the worst of all feeds, spot and average, moved by their confidence; a minted
/// token at a dollar. `None` if a feed's price is unusable.
pub fn worst(state: &Snapshot, asset: usize, side: Side) -> Option<BigInt> {
    let reserve = &state.reserves[asset];
    if reserve.is_minted() {
        return Some(dollar() / BigInt::from(10).pow(u32::from(reserve.decimals)));
    }
    let prices = acceptable(state, asset)?.into_iter().map(|observation| price(reserve, &observation, side));
    if side == Side::Collateral { prices.min() } else { prices.max() }
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

/// Spot or average, moved against the vault by `k` times its confidence, whichever is worse; per native unit. The
/// confidence is rounded up to a unit of the price.
fn price(reserve: &Reserve, seen: &Observation, side: Side) -> BigInt {
    let k = reserve.config.oracle.confidence_multiple_bps;
    let moved = |price: i64, confidence: u64| {
        let margin = (BigInt::from(confidence) * k + (BPS - 1)) / BPS * BPS;
        let price = BigInt::from(price) * BPS;
        if side == Side::Collateral { (price - margin).max(BigInt::ZERO) } else { price + margin }
    };
    let (spot, average) = (moved(seen.price, seen.confidence), moved(seen.ema_price, seen.ema_confidence));
    let worse = if side == Side::Collateral { spot.min(average) } else { spot.max(average) };
    let power = SCALE + seen.exponent - i32::from(reserve.decimals);
    worse * BigInt::from(10).pow(u32::try_from(power).unwrap_or(0))
}
