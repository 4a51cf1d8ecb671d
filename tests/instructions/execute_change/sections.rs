//! `execute_change`: a change replaces the sections that it announced, as they were then.

use crate::governance::*;
use crate::support::*;
use keel::KeelError;
use keel::state::{Change, GroupConfig, MarketParams, Role, StepConfig};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::world::with_notice;
use solana_signer::Signer;

/// Each was queued with the whole configuration as it was before the others: all of them are in force in the end.
#[test]
fn effects_changes_of_other_sections_do_not_disturb() {
    let mut w = noticed();
    let before = w.reserve(SOL);
    let cap = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 5);
    let rates = queue_config(&mut w, SOL, |c| c.rates.base_bps = 70);
    let both = queue_config(&mut w, SOL, |c| (c.oracle.dead_after, c.flash_fee_bps) = (700, 9));
    let (guardian, mut tight) = (w.guardian.insecure_clone(), before.config);
    tight.collateral.max_ltv_bps = 5_000;
    let tighten = Change::Reserve { config: tight, ramp: 0 };
    let tighten = instruction::tighten(guardian.pubkey(), w.market, Some(w.assets[SOL].reserve), tighten);
    w.send(tighten, &guardian).unwrap();
    w.pass(DELAY);
    for queued in [&both, &rates, &cap] {
        execute(&mut w, SOL, queued);
    }
    let mut expected = before.config;
    (expected.limits.deposit_cap, expected.rates.base_bps) = (5, 70);
    (expected.oracle.dead_after, expected.flash_fee_bps) = (700, 9);
    expected.collateral.max_ltv_bps = 5_000;
    let after = w.reserve(SOL);
    assert_eq!(after.config, expected);
    let mut revisions = before.revisions;
    for section in [0, 1, 2, 5, 7] {
        revisions[section] += 1;
    }
    assert_eq!(after.revisions, revisions);
}

/// The parameters of a market and each of its roles are a section each.
#[test]
fn effects_roles_and_parameters_of_a_market_do_not_disturb_each_other() {
    let mut w = noticed();
    let (market, to) = (w.market, w.chain.funded().pubkey());
    let roles = [Role::Governance, Role::Guardian, Role::RiskSteward];
    let offers = roles.map(|role| w.queue(market, Change::Role { role, to }).unwrap());
    let params = queue_params(&mut w, |p| p.window += 1);
    w.pass(DELAY);
    let anybody = w.chain.funded();
    for queued in [&params, &offers[2], &offers[0], &offers[1]] {
        w.send(instruction::execute_change(queued, None, &[]), &anybody).unwrap();
    }
    let state = w.market_state();
    assert!(state.offers.iter().all(|offer| offer.to == to));
    assert_eq!((state.revision, state.role_revisions), (3, [1; 3]));
}

/// Two changes of one section: the one that is executed first makes the other void, whichever was queued first.
#[test]
fn rejects_what_a_change_of_the_same_section_superseded() {
    for (first, expected) in [(0, (5, u64::MAX)), (1, (u64::MAX, 7))] {
        let mut w = noticed();
        let anybody = w.chain.funded();
        let changes = [
            queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 5),
            queue_config(&mut w, SOL, |c| c.limits.borrow_cap = 7),
        ];
        w.pass(DELAY);
        execute(&mut w, SOL, &changes[first]);
        let late = execute_ix(&w, SOL, &changes[1 - first]);
        w.refuse(&late, &[&anybody], KeelError::ChangeSuperseded);
        let limits = w.reserve(SOL).config.limits;
        assert_eq!((limits.deposit_cap, limits.borrow_cap), expected);
    }
}

/// Also when the section is again what the change saw. Whoever still wants it announces it again.
#[test]
fn rejects_a_superseded_change_for_good() {
    let mut w = bank();
    let (governance, config) = (w.governance.insecure_clone(), w.reserve(SOL).config);
    let late = queue_config(&mut w, SOL, |c| (c.limits.deposit_cap, c.flash_fee_bps) = (5, 9));
    for cap in [7, u64::MAX] {
        w.configure(SOL, |c| c.limits.borrow_cap = cap).unwrap();
    }
    assert_eq!(w.reserve(SOL).config, config);
    // One of its two sections is enough.
    let ix = execute_ix(&w, SOL, &late);
    w.refuse(&ix, &[&governance], KeelError::ChangeSuperseded);
    let again = queue_config(&mut w, SOL, |c| (c.limits.deposit_cap, c.flash_fee_bps) = (5, 9));
    execute(&mut w, SOL, &again);
}

/// What became tighter after a change was announced does not become looser by it: a tightening is a revision, as is a step.
#[test]
fn rejects_what_a_tightening_or_a_step_superseded() {
    type AtOnce = fn(&mut Bank, keel::state::ReserveConfig);
    fn tighten(w: &mut Bank, mut config: keel::state::ReserveConfig) {
        config.limits.borrow_cap = 999;
        let (guardian, reserve) = (w.guardian.insecure_clone(), w.assets[SOL].reserve);
        let change = Change::Reserve { config, ramp: 0 };
        w.send(instruction::tighten(guardian.pubkey(), w.market, Some(reserve), change), &guardian).unwrap();
    }
    fn step(w: &mut Bank, mut config: keel::state::ReserveConfig) {
        config.limits.borrow_cap = 1_100;
        let (steward, reserve) = (w.risk_steward.insecure_clone(), w.assets[SOL].reserve);
        let change = Change::Reserve { config, ramp: 0 };
        w.send(instruction::step(steward.pubkey(), w.market, reserve, change), &steward).unwrap();
    }
    for at_once in [tighten as AtOnce, step] {
        let mut w = bank();
        w.configure(SOL, |c| c.limits.borrow_cap = 1_000).unwrap();
        let steps = StepConfig { cap_bps: 1_000, ..StepConfig::default() };
        w.change_market(Change::Market(MarketParams { steps, ..with_notice() })).unwrap();
        let (late, other) = (
            queue_config(&mut w, SOL, |c| c.limits.borrow_cap = 2_000),
            queue_config(&mut w, SOL, |c| c.collateral.max_ltv_bps = 7_600),
        );
        let config = w.reserve(SOL).config;
        at_once(&mut w, config);
        let tightened = w.reserve(SOL).config.limits.borrow_cap;
        w.pass(DELAY);
        let (ix, anybody) = (execute_ix(&w, SOL, &late), w.chain.funded());
        w.refuse(&ix, &[&anybody], KeelError::ChangeSuperseded);
        execute(&mut w, SOL, &other);
        let config = w.reserve(SOL).config;
        assert_eq!((config.limits.borrow_cap, config.collateral.max_ltv_bps), (tightened, 7_600));
    }
    // The same of a market.
    let mut w = noticed();
    let late = queue_params(&mut w, |p| p.target_health_bps = 10_600);
    let guardian = w.guardian.insecure_clone();
    let longer = Change::Market(MarketParams { delay: 3 * 86_400, ..with_notice() });
    w.send(instruction::tighten(guardian.pubkey(), w.market, None, longer), &guardian).unwrap();
    w.pass(DELAY);
    w.refuse(&instruction::execute_change(&late, None, &[]), &[&guardian], KeelError::ChangeSuperseded);
}

/// Sections that each were fine where they were announced, and are not beside each other.
#[test]
fn rejects_what_has_become_incoherent() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let group = GroupConfig {
        id: 3,
        max_ltv_bps: 8_000,
        liquidation_threshold_bps: 9_000,
        min_bonus_bps: 50,
        max_bonus_bps: 200,
        max_bonus_health_bps: 9_600,
    };
    w.configure(SOL, |c| c.group = group).unwrap();
    // A group's threshold is no lower than the ordinary one.
    let raise = queue_config(&mut w, SOL, |c| c.collateral.liquidation_threshold_bps = 8_601);
    let lower = queue_config(&mut w, SOL, |c| c.group.liquidation_threshold_bps = 8_600);
    execute(&mut w, SOL, &lower);
    let ix = execute_ix(&w, SOL, &raise);
    w.refuse(&ix, &[&governance], KeelError::ConfigGroup);
}
