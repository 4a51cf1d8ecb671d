//! What vaults feel of a change: never at once. A liquidation threshold falls along a line that takes a day at least, and
//! whatever changes, no vault is nearer to its liquidation in the same second at the same prices.

use crate::coverage::Coverage;
use crate::exact::{bits, one, ratio_at_least};
use crate::{Done, Verdict, ensure};
use keel::state::{Change, RampState, Reserve, Side};
use keel_risk::price::Purpose;
use keel_tests::random::{Action, Snapshot};
use num_bigint::BigInt;

const DAY: i64 = 86_400;
/// Fastest rise of a maintenance haircut, in basis points an hour, whatever governance sets.
const FASTEST_HAIRCUT: i64 = 2_500;

/// Whether the prices of liquidations may be others after the change: which feeds count, and until when.
fn touches_prices(done: &Done) -> bool {
    // What else there is of an oracle's terms is for new risk.
    let terms = |reserve: &Reserve| {
        let oracle = &reserve.config.oracle;
        let bounds = [oracle.max_age_liquidation, oracle.max_confidence_liquidation_bps, oracle.dead_after];
        (oracle.feeds, bounds)
    };
    let mut reserves = done.before.reserves.iter().zip(&done.after().reserves);
    reserves.any(|(before, after)| terms(before) != terms(after))
        || done.before.market.price_receiver != done.after().market.price_receiver
}

/// The ordinary ramp and the group's, and where each leads to.
fn ramps(reserve: &Reserve) -> [(RampState, u32); 2] {
    let config = &reserve.config;
    [
        (reserve.threshold_ramp, config.collateral.liquidation_threshold_bps),
        (reserve.group_threshold_ramp, config.group.liquidation_threshold_bps),
    ]
}

/// The threshold, in basis points times the duration of its ramp, and that duration; of one that stands still times 1.
fn exact(ramp: &RampState, to: u32, now: i64) -> (BigInt, i64) {
    let (elapsed, duration) = (now - ramp.started_at, i64::from(ramp.duration));
    if duration == 0 || ramp.from_bps <= to || elapsed >= duration {
        return (to.into(), 1);
    }
    (BigInt::from(ramp.from_bps) * duration - BigInt::from(ramp.from_bps - to) * elapsed, duration)
}

/// Both thresholds of an asset after an instruction: what the program says is the line, rounded up, and starts where the old
/// one was; a new line takes as long as was announced, and no less than a day; one to the same threshold goes on.
pub fn check(done: &Done, asset: usize, coverage: &mut Coverage) -> Verdict {
    let (before, after, now) = (&done.before.reserves[asset], &done.after().reserves[asset], done.before.moment.now);
    let pairs = ramps(before).into_iter().zip(ramps(after)).enumerate();
    for (grouped, ((old, old_to), (new, to))) in pairs {
        let grouped = grouped == 1;
        let threshold = after.liquidation_threshold(now, grouped).map_err(|error| format!("{error:?}"))?;
        let (line, scale) = exact(&new, to, now);
        let (said, line) = (bits(threshold) * 10_000u32 * scale, line * one());
        let rounded = said >= line && said < line + BigInt::from(10_000) * scale;
        ensure!(rounded, "the threshold of asset {asset} is {threshold:?}, not on its line");
        if to == old_to {
            ensure!(old == new, "asset {asset} has another ramp to the same threshold");
            continue;
        }
        let (was, scale) = exact(&old, old_to, now);
        if BigInt::from(to) * scale >= was {
            ensure!(new.duration == 0 || new.from_bps <= to, "a raised threshold of asset {asset} ramps");
            coverage.reach("threshold raised");
            continue;
        }
        let Action::Execute { nonce, .. } = done.action else { return Err("a threshold fell without notice".into()) };
        let announced = done.before.announced(nonce).map(|announced| &announced.change);
        let Some(Change::Reserve { ramp, .. }) = announced else { return Err("a threshold fell unannounced".into()) };
        ensure!(new.started_at == now && new.duration == *ramp, "asset {asset} has another ramp than was announced");
        ensure!(i64::from(*ramp) >= DAY, "a threshold of asset {asset} falls within {ramp} seconds");
        let starts_there = BigInt::from(new.from_bps) * scale >= was && BigInt::from(new.from_bps - 1) * scale < was;
        ensure!(starts_there, "a threshold of asset {asset} begins to fall at {}", new.from_bps);
        coverage.reach(if grouped { "threshold of a group lowered" } else { "threshold lowered" });
        if old.from_bps > old_to && now - old.started_at < i64::from(old.duration) {
            coverage.reach("threshold lowered while it was falling");
        }
    }
    Ok(())
}

/// In the second of a change no vault's maintenance health is lower than before it, unless other prices count: whatever else
/// is changed, by announcement or at once. What is done without notice does not even touch prices.
pub fn health(done: &Done, coverage: &mut Coverage) -> Verdict {
    let at_once = matches!(done.action, Action::Tighten { .. } | Action::Step { .. });
    if !at_once && !matches!(done.action, Action::Execute { .. }) {
        return Ok(());
    }
    if touches_prices(done) {
        ensure!(!at_once, "other prices count without notice");
        coverage.reach("change of what prices count");
        return Ok(());
    }
    let before = done.before.vaults.iter().flatten();
    for vault in before.filter(|vault| vault.has(Side::Debt)) {
        let of = |state: &Snapshot| state.value(vault, Purpose::Liquidation).map(|value| value.totals);
        let (old, new) = match (of(done.before), of(done.after())) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(old), Err(new)) if old == new => continue,
            (old, new) => return Err(format!("a change made {new:?} of a vault's {old:?}")),
        };
        ensure!(new.debt == old.debt, "a change made debt of {:?} of {:?}", new.debt, old.debt);
        ensure!(ratio_at_least(new.limit, new.debt, old.limit, old.debt), "a change lowered health: {old:?} {new:?}");
        if old.is_healthy() {
            coverage.reach("vault that a change left as healthy as it was");
        }
    }
    Ok(())
}

/// Over any time, whatever governance does in it: a threshold falls no faster than from 100 % to nothing in a day, and the
/// haircut of liquidations rises no faster than any market may let it.
pub fn over_time(before: &Snapshot, after: &Snapshot) -> Verdict {
    let (from, to) = (before.moment.now, after.moment.now);
    for (asset, (old, new)) in before.reserves.iter().zip(&after.reserves).enumerate() {
        for grouped in [false, true] {
            let at = |reserve: &Reserve, now| reserve.liquidation_threshold(now, grouped).map(bits);
            let (Ok(was), Ok(is)) = (at(old, from), at(new, to)) else { return Err("no threshold".into()) };
            let fell: BigInt = (was - is) * DAY;
            // Each end is rounded up by less than a unit in the last place.
            ensure!(fell <= one() * (to - from) + DAY, "a threshold of asset {asset} fell too fast");
        }
        let at = |reserve: &Reserve, now| {
            reserve.haircut().at(now, &reserve.config.haircut_terms()).map(|haircuts| bits(haircuts.maintenance))
        };
        let (Ok(was), Ok(is)) = (at(old, from), at(new, to)) else { return Err("no haircut".into()) };
        let rose: BigInt = (is - was) * 10_000u32 * 3_600u32;
        // Each end is rounded down by less than a unit in the last place.
        let most = one() * FASTEST_HAIRCUT * (to - from) + BigInt::from(36_000_000u32);
        ensure!(rose <= most, "the haircut of asset {asset} rose too fast");
    }
    Ok(())
}
