//! What leaves a reserve within an hour and a day: counted as the books say, and never beyond its limits but by
//! liquidations.

use crate::coverage::Coverage;
use crate::exact::{bits, one};
use crate::{Done, Effects, Verdict, ensure};
use keel::events::Flow;
use keel::state::Reserve;
use keel_tests::random::specs::{MINTED, SWAPPED};
use num_bigint::BigInt;

/// Something that left a reserve or came in.
struct Movement {
    asset: usize,
    /// Negative when it came in.
    amount: i128,
    /// Whether a limit could have stopped it.
    bounded: bool,
}

fn movements(done: &Done, effects: &Effects) -> Vec<Movement> {
    let asset = |key| done.before.asset(key);
    let mut all = vec![];
    for event in &effects.moved {
        let out = matches!(event.flow, Flow::Withdraw | Flow::Borrow);
        let amount = i128::from(event.amount) * if out { 1 } else { -1 };
        all.push(Movement { asset: asset(&event.reserve), amount, bounded: true });
    }
    for event in &effects.liquidated {
        all.push(Movement { asset: asset(&event.debt_reserve), amount: -i128::from(event.repaid), bounded: false });
        if !event.in_shares {
            let amount = i128::from(event.to_keeper);
            all.push(Movement { asset: asset(&event.collateral_reserve), amount, bounded: false });
        }
    }
    for event in &effects.redeemed {
        all.push(Movement { asset: MINTED, amount: -i128::from(event.repaid), bounded: false });
        let amount = i128::from(event.paid);
        all.push(Movement { asset: asset(&event.collateral_reserve), amount, bounded: true });
    }
    for event in &effects.swapped {
        let amount = i128::from(event.assets) * if event.minted { -1 } else { 1 };
        all.push(Movement { asset: SWAPPED, amount, bounded: true });
    }
    all
}

pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let movements = movements(done, effects);
    for (asset, (before, after)) in done.before.reserves.iter().zip(&done.after().reserves).enumerate() {
        let own: Vec<&Movement> = movements.iter().filter(|movement| movement.asset == asset).collect();
        // Up to a change of the limits, what left drains at the old ones.
        if own.is_empty() && done.configured() != Some(asset) {
            ensure!(before.outflow == after.outflow, "the outflow of asset {asset} changed by nothing");
            continue;
        }
        let limits = &before.config.limits;
        let now = done.before.moment.now;
        // Less what is credit until the end of the second.
        let hour = |r: &Reserve| (bits(r.outflow.hour.into()), bits(r.outflow_credit.hour.into()));
        let day = |r: &Reserve| (bits(r.outflow.day.into()), bits(r.outflow_credit.day.into()));
        window(asset, before, after, limits.hourly_outflow, 3_600, hour, &own, now)?;
        window(asset, before, after, limits.daily_outflow, 86_400, day, &own, now)?;
        let unbounded = own.last().is_some_and(|movement| !movement.bounded && movement.amount > 0);
        if unbounded && hour(after).0 > BigInt::from(limits.hourly_outflow) * one() {
            coverage.reach("liquidation beyond an outflow limit");
        }
    }
    Ok(())
}

/// One window after the movements, against exact arithmetic.
#[allow(clippy::too_many_arguments)]
fn window(
    asset: usize,
    before: &Reserve,
    after: &Reserve,
    limit: u64,
    seconds: i64,
    level: impl Fn(&Reserve) -> (BigInt, BigInt),
    movements: &[&Movement],
    now: i64,
) -> Verdict {
    let ((old, old_credit), (new, credit)) = (level(before), level(after));
    ensure!(new == BigInt::ZERO || credit == BigInt::ZERO, "asset {asset} has a credit beside what left");
    if limit == u64::MAX {
        ensure!(new <= old, "the outflow of asset {asset} is counted without a limit");
        return Ok(());
    }
    let elapsed = (now - before.outflow.drained_at).max(0);
    let mut exact = match elapsed {
        0 => (old - old_credit) * seconds,
        _ => (old * seconds - one() * limit * elapsed).max(BigInt::ZERO),
    };
    for movement in movements {
        exact += one() * movement.amount * seconds;
    }
    let counted = (&new - credit) * seconds;
    ensure!(counted >= exact, "less than left asset {asset} counts against its limit");
    // The drained part of the limit is rounded down, in units of the limit times the last place.
    let slack = (BigInt::from(limit) + 2) * seconds;
    ensure!(counted <= exact + slack, "more than left asset {asset} counts against its limit");
    let bounded = movements.last().is_some_and(|movement| movement.bounded && movement.amount > 0);
    let within = new <= BigInt::from(limit) * one();
    ensure!(!bounded || within, "more left asset {asset} in {seconds} seconds than {limit}");
    Ok(())
}
