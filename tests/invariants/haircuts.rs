//! Haircuts: for liquidations they move no faster than their ramp, and they aim at what was measured.
//!
//! Of a change of the configuration, the movement up to it is as fast as the old terms say, and from it heads for the new ones.
//!
//! "The ramp" is `up_bps_per_hour` or `down_bps_per_hour` since the last movement, exactly: what is lost to rounding is
//! less than a unit in the last place, in the owner's favour on the way up.

use crate::coverage::Coverage;
use crate::exact::{BPS_HOUR, bits, maintenance_at, one};
use crate::{Done, Verdict, ensure};
use keel::state::{Reserve, VolatilityState};
use num_bigint::BigInt;

pub fn check(done: &Done, coverage: &mut Coverage) -> Verdict {
    for asset in done.assets().into_iter().filter(|asset| !done.only_challenges(*asset)) {
        let (before, after) = (&done.before.reserves[asset], &done.after().reserves[asset]);
        ramp(asset, before, after, done.before.moment.now)?;
        target(asset, after)?;
        sample(asset, before, after, done.configured() == Some(asset))?;
        let (old, new) = (before.haircut.maintenance.get(), after.haircut.maintenance.get());
        if new > old {
            coverage.reach("maintenance haircut on its way up");
        }
        if new < old {
            coverage.reach("maintenance haircut on its way down");
        }
        if after.volatility.sampled_at > before.volatility.sampled_at {
            coverage.reach("price sampled for volatility");
        }
        if new < after.haircut.target.get() {
            coverage.reach("haircut of new risk above that of liquidations");
        }
    }
    Ok(())
}

/// The maintenance haircut has moved toward the old target as fast as the old terms allow, and not past it.
fn ramp(asset: usize, before: &Reserve, after: &Reserve, now: i64) -> Verdict {
    let at = now.max(before.haircut.moved_at);
    ensure!(after.haircut.moved_at == at, "4: the haircut of asset {asset} was not moved");
    let (old, new) = (bits(before.haircut.maintenance.into()), bits(after.haircut.maintenance.into()));
    let exact = maintenance_at(before, at);
    let new_scaled = &new * BPS_HOUR;
    let (moved, allowed) = (&new_scaled - &old * BPS_HOUR, &exact - &old * BPS_HOUR);
    let ahead = if allowed >= BigInt::ZERO { moved > allowed } else { moved < allowed };
    ensure!(!ahead, "4: the haircut of asset {asset} went from {old} to {new}, faster than its ramp");
    let lag = if new_scaled > exact { &new_scaled - &exact } else { &exact - &new_scaled };
    ensure!(lag < BigInt::from(BPS_HOUR), "4: the haircut of asset {asset} is at {new}, behind its ramp");
    Ok(())
}

/// What it heads for is what volatility and deposits ask for: never less, and at most four units in the last place more.
fn target(asset: usize, reserve: &Reserve) -> Verdict {
    let config = &reserve.config;
    let of_bps = |n: u32| one() * n;
    let bps = BigInt::from(10_000);
    let mut exact = of_bps(config.collateral.base_haircut_bps) + bits(reserve.volatility.deviation.into()) * &bps;
    if config.limits.depth > 0 {
        let supplied = (bits(reserve.supply_shares.into()) * bits(reserve.supply_index.into())) >> 120;
        exact += of_bps(config.volatility.concentration_bps) * supplied / config.limits.depth;
    }
    let exact = exact.min(of_bps(config.collateral.max_haircut_bps));
    let target = bits(reserve.haircut.target.into()) * &bps;
    let sound = target >= exact && target <= exact + bps * 4;
    ensure!(sound, "4: the haircut of asset {asset} heads for {:?}", reserve.haircut.target);
    Ok(())
}

/// Volatility changes with a sample only, and samples keep their distance. A change of the configuration may count the same
/// variance as another deviation, and begins anew with another feed.
fn sample(asset: usize, before: &Reserve, after: &Reserve, configured: bool) -> Verdict {
    let (old, new) = (&before.volatility, &after.volatility);
    let first = |reserve: &Reserve| reserve.config.oracle.feeds[0].feed_id;
    let (other_feed, same_terms) = (first(before) != first(after), before.config.volatility == after.config.volatility);
    ensure!(configured || (!other_feed && same_terms), "4: asset {asset} measures volatility otherwise");
    if new.sampled_at == old.sampled_at && !other_feed {
        let deviation = if same_terms { old.deviation } else { new.deviation };
        let same = *new == VolatilityState { deviation, ..*old };
        ensure!(same, "4: volatility of asset {asset} without a sample");
        return Ok(());
    }
    if new.sampled_at == 0 {
        ensure!(after.config.volatility.multiple_bps == 0, "4: another feed of asset {asset} was not sampled");
        return Ok(());
    }
    let gap = new.sampled_at - old.sampled_at;
    let due = old.sampled_at == 0 || other_feed || gap >= i64::from(after.config.volatility.min_interval);
    ensure!(due, "4: asset {asset} was sampled twice in {gap} seconds");
    ensure!(new.sampled_at == after.last_prices[0].publish_time, "4: asset {asset} was sampled at another time");
    Ok(())
}
