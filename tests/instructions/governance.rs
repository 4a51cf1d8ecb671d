//! What the tests of governance share: a market whose changes need notice, and what is queued there.

use crate::support::*;
use anchor_lang::prelude::Clock;
use keel::KeelError;
use keel::state::{Change, MarketParams, ReserveConfig};
use keel_client::instruction::{self, Queued};
use keel_tests::Chain;
use keel_tests::world::with_notice;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Two days.
pub const DELAY: i64 = 2 * 86_400;
/// A day.
pub const WINDOW: i64 = 86_400;

/// [`bank`] with a delay of [`DELAY`].
pub fn noticed() -> Bank {
    let mut w = bank();
    give_notice(&mut w);
    w
}

/// Sets the delay: a longer one is tighter.
pub fn give_notice(w: &mut Bank) {
    let governance = w.governance.insecure_clone();
    let tighten = instruction::tighten(governance.pubkey(), w.market, None, Change::Market(with_notice()));
    w.send(tighten, &governance).unwrap();
}

/// The configuration of an asset with a change.
pub fn changed(w: &mut Bank, asset: usize, change: impl FnOnce(&mut ReserveConfig)) -> ReserveConfig {
    let mut config = w.reserve(asset).config;
    change(&mut config);
    config
}

/// Queues another configuration of `asset`, whose threshold ramps over a day.
pub fn queue_config(w: &mut Bank, asset: usize, change: impl FnOnce(&mut ReserveConfig)) -> Queued {
    let (config, reserve) = (changed(w, asset, change), w.assets[asset].reserve);
    w.queue(reserve, Change::Reserve { config, ramp: 86_400 }).unwrap()
}

/// Queues other parameters of the market.
pub fn queue_params(w: &mut Bank, change: impl FnOnce(&mut MarketParams)) -> Queued {
    let mut params = w.market_state().params();
    change(&mut params);
    w.queue(w.market, Change::Market(params)).unwrap()
}

/// Executes a change of `asset`'s reserve.
pub fn execute_ix(w: &Bank, asset: usize, queued: &Queued) -> Instruction {
    instruction::execute_change(queued, Some(w.assets[asset].reserve), &[])
}

/// Executes a change of `asset`'s reserve, sent by anybody.
pub fn execute(w: &mut Bank, asset: usize, queued: &Queued) {
    let anybody = w.chain.funded();
    let execute = execute_ix(w, asset, queued);
    w.send(execute, &anybody).unwrap();
}

/// Sets the time.
pub fn at(w: &mut Bank, unix_timestamp: i64) {
    let clock = w.chain.clock();
    w.chain.set_clock(&Clock { unix_timestamp, ..clock });
}

/// Asserts that `execution` of what was queued just now is refused before its notice has passed and after it expired, to
/// the second. It is the last second for it then.
#[track_caller]
pub fn refuse_outside_the_notice(w: &mut Bank, execution: &Instruction, signer: &Keypair) {
    let queued_at = w.chain.clock().unix_timestamp;
    for (seconds, expected) in [
        (0, KeelError::ChangeTooEarly),
        (DELAY - 1, KeelError::ChangeTooEarly),
        (DELAY + WINDOW + 1, KeelError::ChangeExpired),
    ] {
        at(w, queued_at + seconds);
        w.refuse_case(&format!("after {seconds} seconds"), execution, &[signer], expected);
    }
    at(w, queued_at + DELAY + WINDOW);
    w.refresh_prices();
}

/// Asserts that `asset` cannot be given this configuration at once, by nobody and by no instruction: it is not a tightening
/// and not a step, and a queued change waits.
#[track_caller]
pub fn assert_needs_notice(w: &mut Bank, case: &str, asset: usize, config: ReserveConfig) -> Queued {
    let (market, reserve) = (w.market, w.assets[asset].reserve);
    let change = Change::Reserve { config, ramp: 86_400 };
    let roles = [w.governance.insecure_clone(), w.guardian.insecure_clone(), w.risk_steward.insecure_clone()];
    let (tightening, stepping) = (refusal(w, asset, &config, false), refusal(w, asset, &config, true));
    for signer in &roles {
        let tighten = instruction::tighten(signer.pubkey(), market, Some(reserve), change);
        w.refuse_case(case, &tighten, &[signer], tightening);
    }
    for signer in &roles[..2] {
        let step = instruction::step(signer.pubkey(), market, reserve, change);
        w.refuse_case(case, &step, &[signer], KeelError::NotTightener);
    }
    let steward = &roles[2];
    let step = instruction::step(steward.pubkey(), market, reserve, change);
    w.refuse_case(case, &step, &[steward], stepping);
    let queued = w.queue(reserve, change).unwrap();
    let execute = execute_ix(w, asset, &queued);
    w.refuse_case(case, &execute, &[&roles[0]], KeelError::ChangeTooEarly);
    queued
}

/// Why a configuration cannot be had at once in a market whose steps are all zero: because it needs notice, or because a
/// parameter that could step may not.
fn refusal(w: &mut Bank, asset: usize, config: &ReserveConfig, both_ways: bool) -> KeelError {
    use keel_risk::change::{Meaning, RESERVE};
    let (old, new) = w.reserve(asset).config.values(config);
    let moves = RESERVE.iter().zip(old.iter().zip(&new));
    let mut moves = moves.filter_map(|(p, (old, new))| p.change(*old, *new).map(|change| (p, change)));
    let (parameter, change) = moves.find(|(_, change)| !is_free(change)).expect("something that is not free");
    let steps = parameter.step.is_some() && (both_ways || change.meaning == Meaning::Tighter);
    if steps { KeelError::StepTooLarge } else { KeelError::NeedsNotice }
}

fn is_free(change: &keel_risk::change::Move) -> bool {
    use keel_risk::change::{Effect, Meaning};
    change.meaning == Meaning::Tighter && change.effect == Effect::Nothing
}

/// Signs for a role.
pub fn signers(w: &Bank) -> [(&'static str, Keypair); 3] {
    [
        ("governance", w.governance.insecure_clone()),
        ("guardian", w.guardian.insecure_clone()),
        ("risk steward", w.risk_steward.insecure_clone()),
    ]
}
