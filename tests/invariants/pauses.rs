//! Pauses: what is paused stops, nothing else does, and what takes risk away is the last to stop.

use crate::coverage::Coverage;
use crate::{Done, Verdict, ensure};
use keel::KeelError;
use keel::state::{Market, Side, pause};
use keel_tests::check::Refusal;
use keel_tests::random::Action;

/// What owners save their vaults with.
const DEFENCE: u32 = pause::TOP_UP | pause::REPAY;

/// What runs as long as one of these does. `None` for what no pause stops.
fn bits(done: &Done, action: &Action) -> Option<u32> {
    Some(match action {
        Action::Deposit(flow) => {
            let key = done.before.reserve_keys[flow.asset];
            let tops_up = done.before.vault(flow.vault).is_some_and(|v| v.has(Side::Debt) && v.find(&key).is_some());
            if tops_up { pause::DEPOSIT | pause::TOP_UP } else { pause::DEPOSIT }
        }
        Action::Withdraw(_) => pause::WITHDRAW,
        Action::Borrow(_) => pause::BORROW,
        Action::Repay(_) => pause::REPAY,
        Action::SwapIn { .. } | Action::SwapOut { .. } => pause::SWAP,
        Action::Redeem { .. } => pause::REDEEM,
        Action::FlashBorrow { .. } => pause::FLASH,
        Action::Liquidate { .. } | Action::Resolve { .. } => pause::LIQUIDATE,
        _ => return None,
    })
}

/// What is paused at the time of an instruction, by governance or by the guardian.
fn paused(done: &Done) -> u32 {
    let (market, now) = (&done.before.market, done.before.moment.now);
    let by_governance = if now < market.paused_until { market.paused } else { 0 };
    let by_guardian = if now < market.guardian_paused_until { market.guardian_paused } else { 0 };
    let for_owners = if now < market.takes_from { pause::LIQUIDATE | pause::REDEEM } else { 0 };
    by_governance | by_guardian | for_owners
}

pub fn check(done: &Done, coverage: &mut Coverage) -> Verdict {
    let paused = paused(done);
    let stopped = |action: &Action| bits(done, action).is_some_and(|bits| paused & bits == bits);
    match &done.result {
        Ok(_) => {
            let through = done.actions.iter().find(|action| stopped(action));
            ensure!(through.is_none(), "{through:?} went through a pause of {paused:b}");
            let last = done.actions.iter().filter_map(|action| bits(done, action)).any(|bits| bits & pause::LAST != 0);
            if paused & pause::FIRST == pause::FIRST && last {
                coverage.reach("what takes risk away while all that creates it is paused");
            }
            let market_before = &done.before.market;
            let set = market_before.paused | market_before.guardian_paused;
            let owners_first = done.before.moment.now < market_before.takes_from;
            if set != 0 && (paused == 0 || owners_first) && !matches!(done.action, Action::SetPause { .. }) {
                coverage.reach("success after a pause that ended by itself");
            }
            market(done, coverage)
        }
        Err(failure) if Refusal::from(*failure) == KeelError::Paused.into() => {
            let action = done.stopped_at(failure);
            let Some(action) = action else { return Err("no instruction was paused".into()) };
            ensure!(stopped(action), "{} was refused by a pause of {paused:b}", action.name());
            if bits(done, action).is_some_and(|bits| bits & pause::LAST != 0) {
                let first = paused & pause::FIRST == pause::FIRST;
                let owners_first = done.before.moment.now < done.before.market.takes_from;
                ensure!(first || owners_first, "{} was paused before what creates risk", action.name());
                coverage.reach("pause of what takes risk away");
            }
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// A pause changes nothing else of the market, and is one that its officer may set: the guardian none soon
/// after its last one, nobody one that stops the last things first, and neither ends the other's.
fn market(done: &Done, coverage: &mut Coverage) -> Verdict {
    let (before, after) = (&done.before.market, &done.after().market);
    let now = done.before.moment.now;
    let mut expected = *before;
    // What else may change a market is for the check of configurations.
    let Action::SetPause { signer, bits, seconds } = done.action else { return Ok(()) };
    let until = now + i64::from(seconds);
    let known = bits & !(pause::FIRST | pause::LAST) == 0;
    ensure!(known && (bits & pause::LAST == 0 || bits & pause::FIRST == pause::FIRST), "a pause of {bits:b}");
    ensure!(bits & DEFENCE == 0 || bits & pause::LIQUIDATE != 0, "liquidations without a defence: {bits:b}");
    let by = done.arena.players[signer].key();
    match () {
        () if by == before.governance => {
            ensure!(seconds <= 30 * 86_400, "governance paused for {seconds} seconds");
            (expected.paused, expected.paused_until) = (bits, until);
            coverage.reach(if bits == 0 { "pause lifted by governance" } else { "pause by governance" });
        }
        () if by != before.guardian => return Err(format!("player {signer} paused")),
        () if bits == 0 => {
            expected.guardian_paused = 0;
            coverage.reach("pause lifted by the guardian");
        }
        () => {
            ensure!(seconds <= 3 * 86_400, "the guardian paused for {seconds} seconds");
            ensure!(now >= before.guardian_pauses_from, "the guardian paused again too soon");
            (expected.guardian_paused, expected.guardian_paused_until) = (bits, until);
            expected.guardian_pauses_from = until + 3 * 86_400;
            coverage.reach("pause by the guardian");
        }
    }
    // Whoever could not act has a quarter of an hour from the moment at which he can.
    let defenceless = |bits: u32, until: i64| bits & DEFENCE != 0 && now < until;
    let by_either = |market: &Market| {
        let pauses = [(market.paused, market.paused_until), (market.guardian_paused, market.guardian_paused_until)];
        pauses.into_iter().filter(|(bits, until)| defenceless(*bits, *until)).map(|(_, until)| until).max()
    };
    match (by_either(before), by_either(&expected)) {
        (_, Some(end)) => expected.takes_from = end + 900,
        (Some(_), None) => expected.takes_from = now + 900,
        (None, None) => {}
    }
    if expected.takes_from != before.takes_from {
        coverage.reach("time for owners after a pause");
    }
    ensure!(bytemuck::bytes_of(&expected) == bytemuck::bytes_of(after), "a pause changed something else");
    Ok(())
}
