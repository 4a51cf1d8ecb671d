//! Changes of the configuration: who may make them, when, and what they leave alone.
//!
//! - Only governance announces; what it announces waits for the delay that was in force then, and is over after the window.
//!   Until it ends, nothing about it changes.
//! - What comes into force is what was announced: its sections as they are there, and all others as they were. None of the
//!   sections has changed since.
//! - Without notice becomes only tighter what no vault feels, by one of the three roles, and moves by steps what has steps:
//!   once a day, as far as the market says, and only the risk steward goes against the protocol.
//! - Nothing else changes a configuration, a number of revisions, a ramp or a market.
//! - A delay that is there is never under a day again.
//!
//! What is announced, done and meant is read here from bytes, not by the program's comparison; only what a parameter's way
//! up or down means is looked up in the risk crate's list. What vaults feel is in [`crate::thresholds`].

use crate::coverage::Coverage;
use crate::thresholds;
use crate::{Done, Effects, Verdict, ensure};
use anchor_lang::prelude::Pubkey;
use keel::state::{Change, Market, MarketParams, Offer, Reserve, ReserveConfig, Role, Side};
use keel_risk::change::{Effect, MARKET, Meaning, Parameter, RESERVE, Step};
use keel_tests::random::layout::{market_values, merged, sections_between, values};
use keel_tests::random::{Action, Announced};

const DAY: i64 = 86_400;

/// Names of the sections of a reserve, for the counts.
const SECTIONS: [&str; 8] = [
    "change of the limits",
    "change of the oracle",
    "change of the collateral's terms",
    "change of the volatility's terms",
    "change of the group's weights",
    "change of the rates",
    "change of the minted token's terms",
    "change of other terms",
];

pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let (before, after) = (done.before, done.after());
    let now = before.moment.now;
    let mut market = before.market;
    let mut configs: Vec<ReserveConfig> = before.reserves.iter().map(|reserve| reserve.config).collect();
    let mut ended = None;
    match done.action {
        Action::Queue { signer, nonce, target, change } => {
            ensure!(holds(done, signer, &[Role::Governance]), "player {signer} announced a change");
            let announced = after.announced(nonce).ok_or("what was announced is not there")?;
            queued(done, announced, target, &change)?;
            market.next_change += 1;
            coverage.reach(if market.delay > 0 { "change announced with notice" } else { "change announced at once" });
        }
        Action::Execute { nonce, target, .. } => {
            let announced = due(done, nonce)?;
            ensure!(announced.target == target, "a change of another target was executed");
            match (&announced.change, target) {
                (Change::Market(params), None) => {
                    ensure!(announced.pending.revisions[0] == market.revision, "a change of the market was superseded");
                    configure(&mut market, params);
                    coverage.reach("change of the market");
                    differ(&MARKET, market_values(&before.market.params(), params), coverage);
                }
                (Change::Role { role, to }, None) => {
                    let then = announced.pending.revisions[1 + role.number()];
                    ensure!(then == market.role_revisions[role.number()], "a change of a role was superseded");
                    ensure!(*to != Pubkey::default() || *role == Role::RiskSteward, "a role was taken from everybody");
                    offer(&mut market, *role, *to, now);
                    coverage.reach("role offered");
                }
                (Change::Reserve { config, .. }, Some(asset)) => {
                    let (sections, old) = (announced.pending.sections, &before.reserves[asset]);
                    let replaced = (0..8).filter(|section| sections >> section & 1 == 1);
                    for section in replaced {
                        let then = announced.pending.revisions[section];
                        ensure!(then == old.revisions[section], "{} was superseded", SECTIONS[section]);
                    }
                    configs[asset] = merged(&configs[asset], config, sections);
                }
                _ => return Err("a change was executed that is not about its target".into()),
            }
            timely(done, announced, coverage);
            ended = Some(nonce);
        }
        Action::WithdrawInsurance { nonce, asset, .. } => {
            let announced = due(done, nonce)?;
            let [paid] = effects.paid_out.as_slice() else { return Err("not exactly one payment of insurance".into()) };
            let Change::WithdrawInsurance { amount, .. } = announced.change else { return Err("paid, unasked".into()) };
            ensure!(announced.target == Some(asset) && paid.amount == amount, "another payment than was announced");
            timely(done, announced, coverage);
            ended = Some(nonce);
        }
        Action::Veto { signer, nonce } => {
            let of_guardian = matches!(opened(done, nonce)?.change, Change::Role { role: Role::Guardian, .. });
            let may: &[Role] = if of_guardian { &[Role::Governance] } else { &[Role::Governance, Role::Guardian] };
            ensure!(holds(done, signer, may), "player {signer} vetoed");
            ended = Some(nonce);
        }
        Action::CloseExpired { nonce, .. } => {
            let announced = opened(done, nonce)?;
            ensure!(now > announced.pending.latest, "a change was closed before it expired");
            ended = Some(nonce);
        }
        Action::Tighten { signer, target: None, change: Change::Market(params) } => {
            ensure!(holds(done, signer, &[Role::Governance, Role::Guardian]), "player {signer} tightened the market");
            without_notice(&MARKET, market_values(&market.params(), &params), &[], &market, false, now)?;
            configure(&mut market, &params);
            coverage.reach("market tightened at once");
            differ(&MARKET, market_values(&before.market.params(), &params), coverage);
        }
        Action::Tighten { signer, change: Change::Role { role, to }, .. } => {
            ensure!(holds(done, signer, &[Role::Governance, Role::Guardian]), "player {signer} dismissed the steward");
            ensure!(role == Role::RiskSteward && to == Pubkey::default(), "a role was offered without notice");
            offer(&mut market, role, to, now);
            coverage.reach("risk steward dismissed at once");
        }
        Action::AcceptRole { user, role } => {
            let (offer, by) = (market.offers[role.number()], done.arena.players[user].key());
            ensure!(offer.to == by && now <= offer.until, "player {user} took a role that is not on offer");
            give(&mut market, role, by);
            coverage.reach(match role {
                Role::Governance => "governance handed over",
                Role::Guardian => "guardian replaced",
                Role::RiskSteward => "risk steward replaced",
            });
        }
        Action::Tighten { signer, target: Some(asset), change: Change::Reserve { config, .. } } => {
            let all = [Role::Governance, Role::Guardian, Role::RiskSteward];
            ensure!(holds(done, signer, &all), "player {signer} tightened");
            at_once(done, asset, &config, false, coverage)?;
            configs[asset] = config;
        }
        Action::Step { signer, asset, change: Change::Reserve { config, .. } } => {
            ensure!(holds(done, signer, &[Role::RiskSteward]), "player {signer} stepped");
            at_once(done, asset, &config, true, coverage)?;
            configs[asset] = config;
        }
        Action::Tighten { .. } | Action::Step { .. } => return Err("a change without notice of something else".into()),
        _ => {}
    }
    if !matches!(done.action, Action::SetPause { .. }) {
        let same = bytemuck::bytes_of(&market) == bytemuck::bytes_of(&after.market);
        ensure!(same, "{} changed the market otherwise", done.action.name());
    }
    ensure!(before.market.delay == 0 || i64::from(after.market.delay) >= DAY, "the notice became shorter than a day");
    open_changes(done, ended)?;
    for (asset, config) in configs.iter().enumerate() {
        reserve(asset, &before.reserves[asset], &after.reserves[asset], config)?;
        feeds(done, asset)?;
        thresholds::check(done, asset, coverage)?;
        count(&before.reserves[asset], &after.reserves[asset], coverage);
    }
    thresholds::health(done, coverage)?;
    cover(done, coverage);
    Ok(())
}

/// What was announced is what governance sent, under the next number, and waits for the delay.
fn queued(done: &Done, announced: &Announced, target: Option<usize>, change: &Change) -> Verdict {
    let (market, now, pending) = (&done.before.market, done.before.moment.now, &announced.pending);
    ensure!(announced.change == *change && announced.target == target, "another change was announced");
    ensure!(pending.nonce == market.next_change, "a change has a number that is not the next one");
    ensure!(pending.earliest == now + i64::from(market.delay), "a notice of another length than the delay");
    ensure!(pending.latest == pending.earliest + i64::from(market.window), "a window of another length");
    let (sections, revisions) = match (change, target) {
        (Change::Reserve { config, .. }, Some(asset)) => {
            let reserve = &done.before.reserves[asset];
            (sections_between(&reserve.config, config), reserve.revisions)
        }
        (Change::Market(_), None) => (1, revisions_of(market)),
        (Change::Role { role, .. }, None) => (1 << (1 + role.number()), revisions_of(market)),
        _ => (0, [0; 8]),
    };
    ensure!(pending.sections == sections && pending.revisions == revisions, "other sections were announced");
    Ok(())
}

/// The change, which was open and whose time it is.
fn due<'a>(done: &Done<'a>, nonce: u64) -> Result<&'a Announced, String> {
    let announced = opened(done, nonce)?;
    let (now, pending) = (done.before.moment.now, &announced.pending);
    ensure!(now >= pending.earliest, "a change came into force {} seconds too early", pending.earliest - now);
    ensure!(now <= pending.latest, "a change came into force {} seconds after it expired", now - pending.latest);
    Ok(announced)
}

/// The change, which was open.
fn opened<'a>(done: &Done<'a>, nonce: u64) -> Result<&'a Announced, String> {
    done.before.announced(nonce).ok_or_else(|| "a change ended that was not open".into())
}

/// Whether a player has one of these roles.
fn holds(done: &Done, player: usize, roles: &[Role]) -> bool {
    let (market, key) = (&done.before.market, done.arena.players[player].key());
    roles.iter().any(|role| match role {
        Role::Governance => key == market.governance,
        Role::Guardian => key == market.guardian,
        Role::RiskSteward => key == market.risk_steward,
    })
}

/// The revisions of a market as a change notes them: of the parameters, then of the roles.
fn revisions_of(market: &Market) -> [u32; 8] {
    let [governance, guardian, steward] = market.role_revisions;
    [market.revision, governance, guardian, steward, 0, 0, 0, 0]
}

/// An offer lasts for the window; one to nobody is the dismissal of who has the role.
fn offer(market: &mut Market, role: Role, to: Pubkey, now: i64) {
    if to == Pubkey::default() {
        return give(market, role, to);
    }
    market.offers[role.number()] = Offer { to, until: now + i64::from(market.window) };
    market.role_revisions[role.number()] += 1;
}

fn give(market: &mut Market, role: Role, to: Pubkey) {
    match role {
        Role::Governance => market.governance = to,
        Role::Guardian => market.guardian = to,
        Role::RiskSteward => market.risk_steward = to,
    }
    market.offers[role.number()] = Offer { to: Pubkey::default(), until: 0 };
    market.role_revisions[role.number()] += 1;
}

fn configure(market: &mut Market, params: &MarketParams) {
    market.price_receiver = params.price_receiver;
    market.target_health_bps = params.target_health_bps;
    market.min_position_micro_usd = params.min_position_micro_usd;
    market.restart_grace_slots = params.restart_grace_slots;
    market.min_bounty_micro_usd = params.min_bounty_micro_usd;
    (market.delay, market.window, market.steps) = (params.delay, params.window, params.steps);
    market.revision += 1;
}

/// What was open stays open and as it was, but for the one that ended.
fn open_changes(done: &Done, ended: Option<u64>) -> Verdict {
    for announced in &done.before.changes {
        let now = done.after().announced(announced.pending.nonce);
        if Some(announced.pending.nonce) == ended {
            ensure!(now.is_none(), "change {} ended and is still there", announced.pending.nonce);
            continue;
        }
        let same = now.is_some_and(|now| bytemuck::bytes_of(&now.pending) == bytemuck::bytes_of(&announced.pending));
        ensure!(same, "change {} is no longer what was announced", announced.pending.nonce);
    }
    let opened = usize::from(matches!(done.action, Action::Queue { .. }));
    let count = done.before.changes.len() + opened - usize::from(ended.is_some());
    ensure!(done.after().changes.len() == count, "{} changes are open, not {count}", done.after().changes.len());
    Ok(())
}

/// The reserve has that configuration, and counts a revision of each section that became another.
fn reserve(asset: usize, before: &Reserve, after: &Reserve, config: &ReserveConfig) -> Verdict {
    ensure!(after.config == *config, "asset {asset} is configured as {:?}, not {config:?}", after.config);
    let changed = sections_between(&before.config, config);
    for (section, (old, new)) in before.revisions.iter().zip(&after.revisions).enumerate() {
        ensure!(*new == old + (changed >> section & 1), "asset {asset} counts {new} revisions after {old}");
    }
    Ok(())
}

/// Other feeds begin with what they say now: what the old ones said is no price of theirs.
fn feeds(done: &Done, asset: usize) -> Verdict {
    let (before, after) = (&done.before.reserves[asset], &done.after().reserves[asset]);
    if before.config.oracle.feeds == after.config.oracle.feeds {
        return Ok(());
    }
    let readings = done.after().readings[asset].iter().zip(&after.last_prices);
    for (reading, last) in readings.take(after.config.oracle.feed_count()) {
        let same = reading.is_ok_and(|seen| (seen.price, seen.publish_time) == (last.price, last.publish_time));
        ensure!(same, "asset {asset} got a feed that says {reading:?}, and remembers {last:?}");
    }
    Ok(())
}

/// Which of the parameters that have steps step, if everything that changes may change without notice.
fn without_notice(
    parameters: &[Parameter],
    [old, new]: [impl AsRef<[u64]>; 2],
    stepped_at: &[i64],
    market: &Market,
    both_ways: bool,
    now: i64,
) -> Result<Vec<bool>, String> {
    let mut steps = vec![];
    let mut places = stepped_at.iter();
    for (parameter, (old, new)) in parameters.iter().zip(old.as_ref().iter().zip(new.as_ref())) {
        let last = if parameter.step.is_some() { places.next() } else { None };
        let Some(change) = parameter.change(*old, *new) else {
            steps.extend(parameter.step.map(|_| false));
            continue;
        };
        let tighter = change.meaning == Meaning::Tighter;
        let free = tighter && change.effect == Effect::Nothing;
        steps.extend(parameter.step.map(|_| !free));
        if free {
            continue;
        }
        let (Some(kind), Some(last)) = (parameter.step, last) else {
            return Err(format!("{} went from {old} to {new} without notice", parameter.name));
        };
        ensure!(tighter || both_ways, "{} was loosened from {old} to {new} without notice", parameter.name);
        let (moved, bounds) = (i128::from(*new) - i128::from(*old), &market.steps);
        let bound = match kind {
            Step::Cap => u128::from(*old) * u128::from(bounds.cap_bps) / 10_000,
            Step::Outflow => u128::from(*old) * u128::from(bounds.outflow_bps) / 10_000,
            Step::Haircut => bounds.haircut_bps.into(),
            Step::LoanToValue => bounds.max_ltv_bps.into(),
            Step::Rate => bounds.rate_bps.into(),
        };
        ensure!(moved.unsigned_abs() <= bound, "{} stepped by {moved}, {bound} is allowed", parameter.name);
        ensure!(now - last >= DAY, "{} stepped twice in {} seconds", parameter.name, now - last);
    }
    Ok(steps)
}

/// What changes of a reserve without notice may do so, and notes its steps.
fn at_once(done: &Done, asset: usize, config: &ReserveConfig, both_ways: bool, coverage: &mut Coverage) -> Verdict {
    let (before, after, now) = (&done.before.reserves[asset], &done.after().reserves[asset], done.before.moment.now);
    let market = &done.before.market;
    let changed = values(&before.config, config);
    let steps = without_notice(&RESERVE, changed, &before.stepped_at, market, both_ways, now)?;
    for (i, (old, new)) in before.stepped_at.iter().zip(&after.stepped_at).enumerate() {
        let expected = if steps.get(i) == Some(&true) { now } else { *old };
        ensure!(*new == expected, "asset {asset} notes a step at {new}, not {expected}");
    }
    let stepped = steps.contains(&true);
    coverage.reach(match (both_ways, stepped) {
        (false, false) => "tightened at once",
        (false, true) => "tightened by a step",
        (true, _) => "step of the risk steward",
    });
    Ok(())
}

/// Counts when in its time a change came into force.
fn timely(done: &Done, announced: &Announced, coverage: &mut Coverage) {
    let (now, pending) = (done.before.moment.now, &announced.pending);
    if pending.earliest == pending.queued_at {
        return;
    }
    coverage.reach("change executed after its notice");
    if now == pending.earliest {
        coverage.reach("change executed the second its notice ended");
    }
    if now == pending.latest {
        coverage.reach("change executed in its last second");
    }
}

/// Counts the sections that became another, and the parameters.
fn count(before: &Reserve, after: &Reserve, coverage: &mut Coverage) {
    let changed = sections_between(&before.config, &after.config);
    if changed == 0 {
        return;
    }
    (0..8).filter(|section| changed >> section & 1 == 1).for_each(|section| coverage.reach(SECTIONS[section]));
    differ(&RESERVE, values(&before.config, &after.config), coverage);
}

/// Counts each parameter that became another.
fn differ(parameters: &[Parameter], [old, new]: [impl AsRef<[u64]>; 2], coverage: &mut Coverage) {
    let values = old.as_ref().iter().zip(new.as_ref());
    let changed = parameters.iter().zip(values).filter(|(_, (old, new))| old != new);
    changed.for_each(|(parameter, _)| coverage.parameter(parameter.name));
}

/// Counts what went on under limits that are below what is in use: they keep new risk out, and nothing else.
fn cover(done: &Done, coverage: &mut Coverage) {
    let now = done.before.moment.now;
    let above = |asset: usize, side: Side| {
        let reserve = &done.before.reserves[asset];
        let (pool, limits) = (reserve.pool(), &reserve.config.limits);
        pool.project(now).is_ok_and(|indices| match side {
            Side::Collateral => indices.supply.amount_of(pool.supply_shares).is_ok_and(|n| n.0 > limits.deposit_cap),
            Side::Debt => indices.debt.amount_owed(pool.debt_shares).is_ok_and(|n| n.0 > limits.borrow_cap),
        })
    };
    match done.action {
        Action::Liquidate { debt, collateral, .. }
            if above(debt, Side::Debt) || above(collateral, Side::Collateral) =>
        {
            coverage.reach("liquidation under a cap below what is in use");
        }
        Action::Withdraw(flow) if above(flow.asset, Side::Collateral) => {
            coverage.reach("withdrawal under a cap below what is in use");
        }
        Action::Repay(flow) if above(flow.asset, Side::Debt) => {
            coverage.reach("repayment under a cap below what is in use");
        }
        _ => {}
    }
}
