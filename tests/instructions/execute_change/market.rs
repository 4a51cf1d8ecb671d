//! `execute_change` of a market's parameters.

use crate::governance::*;
use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::MarketConfigured;
use keel::state::{Change, MarketParams, StepConfig, pause};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{event_among, keys};
use keel_tests::world::{market_params, with_notice};
use solana_signer::Signer;

const DAYS: u32 = 86_400;

fn update(w: &mut Bank, params: MarketParams) {
    w.change_market(Change::Market(params)).unwrap();
}

#[test]
fn effects_sets_every_parameter_and_nothing_else() {
    let (mut w, lender, borrower) = lent();
    let governance = w.governance.insecure_clone();
    let stop = instruction::set_pause(governance.pubkey(), w.market, pause::SWAP, 1_000);
    w.send(stop, &governance).unwrap();
    let mut expected = w.market_state();
    let steps = StepConfig { cap_bps: 1, outflow_bps: 2, haircut_bps: 3, max_ltv_bps: 4, rate_bps: 5 };
    let params = MarketParams {
        price_receiver: Pubkey::new_unique(),
        target_health_bps: 15_000,
        min_position_micro_usd: 1_000_000_000,
        restart_grace_slots: 7,
        min_bounty_micro_usd: 100_000_000,
        delay: 3 * DAYS,
        window: 4 * DAYS,
        steps,
    };
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.change_market(Change::Market(params)).unwrap();

    assert_eq!(before.changed(&mut w), keys([w.market]));
    expected.price_receiver = params.price_receiver;
    expected.target_health_bps = 15_000;
    expected.min_position_micro_usd = 1_000_000_000;
    expected.restart_grace_slots = 7;
    expected.min_bounty_micro_usd = 100_000_000;
    (expected.delay, expected.window, expected.steps) = (3 * DAYS, 4 * DAYS, steps);
    expected.revision += 1;
    expected.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    assert_eq!(event_among::<MarketConfigured>(&receipt, 3).market, w.market);
}

/// The minimum position and the receiver count from the next action on.
#[test]
fn effects_hold_at_once() {
    let (mut w, _, borrower) = lent();
    let loan = |w: &mut Bank, amount| {
        let vault = w.vault(&borrower.vault);
        instruction::borrow(&w.book, &vault, &w.actor(&borrower, USDC), amount).unwrap()
    };
    update(&mut w, MarketParams { min_position_micro_usd: 20_000_000, ..market_params() });
    let small = loan(&mut w, 19_000_000);
    w.refuse(&small, &[&borrower.keypair], KeelError::PositionTooSmall);
    update(&mut w, MarketParams { min_position_micro_usd: 1, ..market_params() });
    w.send(small, &borrower.keypair).unwrap();
    update(&mut w, MarketParams { price_receiver: Pubkey::new_unique(), ..market_params() });
    let more = loan(&mut w, 19_000_001);
    w.refuse(&more, &[&borrower.keypair], KeelError::PriceWrongOwner);
}

/// From two days to one: in two days. From then on what is queued waits for a day.
#[test]
fn effects_a_shorter_delay_waits_for_the_one_in_force() {
    let mut w = noticed();
    let start = w.chain.clock().unix_timestamp;
    let shorter = queue_params(&mut w, |p| p.delay = DAYS);
    let shorten = instruction::execute_change(&shorter, None, &[]);
    let anybody = w.chain.funded();
    for seconds in [i64::from(DAYS), DELAY - 1] {
        at(&mut w, start + seconds);
        w.refuse(&shorten, &[&anybody], KeelError::ChangeTooEarly);
    }
    at(&mut w, start + DELAY);
    // What was queued before keeps the notice that it was queued with.
    let before = queue_config(&mut w, SOL, |c| c.flash_fee_bps = 1);
    w.send(shorten, &anybody).unwrap();
    assert_eq!(w.market_state().delay, DAYS);
    let after = queue_config(&mut w, USDC, |c| c.flash_fee_bps = 1);
    at(&mut w, start + DELAY + i64::from(DAYS));
    let early = execute_ix(&w, SOL, &before);
    w.refuse(&early, &[&anybody], KeelError::ChangeTooEarly);
    execute(&mut w, USDC, &after);
    at(&mut w, start + 2 * DELAY);
    execute(&mut w, SOL, &before);
}

/// None at all is for setting a market up: who had notice keeps having some.
#[test]
fn rejects_a_delay_of_zero_after_another() {
    let mut w = noticed();
    let (governance, market) = (w.governance.insecure_clone(), w.market);
    let none = Change::Market(MarketParams { delay: 0, ..with_notice() });
    let (queue, _) = w.queue_ix(market, none);
    w.refuse(&queue, &[&governance], KeelError::ConfigGovernance);
    // Nor by a change that was queued when there was none yet.
    let mut w = bank();
    let (mut raised, mut zero) = (w.market_state().params(), w.market_state().params());
    (raised.delay, zero.target_health_bps) = (DAYS, 10_600);
    let (raise, late) =
        (w.queue(market, Change::Market(raised)).unwrap(), w.queue(market, Change::Market(zero)).unwrap());
    w.send(instruction::execute_change(&raise, None, &[]), &governance).unwrap();
    w.refuse(&instruction::execute_change(&late, None, &[]), &[&governance], KeelError::ChangeSuperseded);
}

#[test]
fn rejects_parameters_out_of_bounds() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let params = market_params();
    let cases = [
        ("health", MarketParams { target_health_bps: 9_999, ..params }, KeelError::ConfigTargetHealth),
        ("health", MarketParams { target_health_bps: 15_001, ..params }, KeelError::ConfigTargetHealth),
        ("dust", MarketParams { min_position_micro_usd: 0, ..params }, KeelError::ConfigMinPosition),
        ("dust", MarketParams { min_position_micro_usd: 1_000_000_001, ..params }, KeelError::ConfigMinPosition),
        ("bounty", MarketParams { min_bounty_micro_usd: 100_000_001, ..params }, KeelError::ConfigMinBounty),
        ("bounty", MarketParams { min_bounty_micro_usd: u64::MAX, ..params }, KeelError::ConfigMinBounty),
        ("receiver", MarketParams { price_receiver: Pubkey::default(), ..params }, KeelError::ZeroAddress),
        ("delay", MarketParams { delay: DAYS - 1, ..params }, KeelError::ConfigGovernance),
        ("delay", MarketParams { delay: 30 * DAYS + 1, ..params }, KeelError::ConfigGovernance),
        ("window", MarketParams { window: 3_599, ..params }, KeelError::ConfigGovernance),
        ("window", MarketParams { window: 30 * DAYS + 1, ..params }, KeelError::ConfigGovernance),
    ];
    for (case, params, expected) in cases {
        let update = w.change_market_ixs(Change::Market(params));
        w.refuse_all_case(case, &update, &[&governance], expected);
    }
}
