//! `update_market`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::MarketConfigured;
use keel::state::{MarketParams, pause};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::market_params;
use solana_keypair::Keypair;
use solana_signer::Signer;

const GOVERNANCE: usize = 0;
const MARKET: usize = 1;

fn update(w: &mut Bank, params: MarketParams) {
    let governance = w.governance.insecure_clone();
    w.send(instruction::update_market(governance.pubkey(), w.market, params), &governance).unwrap();
}

#[test]
fn effects_sets_every_parameter_and_nothing_else() {
    let (mut w, lender, borrower) = lent();
    let governance = w.governance.insecure_clone();
    let stop = instruction::set_pause(governance.pubkey(), w.market, pause::SWAP, 1_000);
    w.send(stop, &governance).unwrap();
    let mut expected = w.market_state();
    let params = MarketParams {
        guardian: Pubkey::new_unique(),
        risk_steward: Pubkey::new_unique(),
        price_receiver: Pubkey::new_unique(),
        target_health_bps: 15_000,
        min_position_micro_usd: 1_000_000_000,
        restart_grace_slots: 7,
        min_bounty_micro_usd: 100_000_000,
    };
    let before = w.snapshot(&[&lender, &borrower]);
    let update = instruction::update_market(governance.pubkey(), w.market, params);
    let receipt = w.send(update, &governance).unwrap();

    assert_eq!(before.changed(&mut w), keys([w.market]));
    expected.guardian = params.guardian;
    expected.risk_steward = params.risk_steward;
    expected.price_receiver = params.price_receiver;
    expected.target_health_bps = 15_000;
    expected.min_position_micro_usd = 1_000_000_000;
    expected.restart_grace_slots = 7;
    expected.min_bounty_micro_usd = 100_000_000;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    assert_eq!(only_event::<MarketConfigured>(&receipt).market, w.market);
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

/// A guardian that was replaced pauses nothing any more.
#[test]
fn effects_replaces_the_guardian() {
    let mut w = bank();
    let (old, new) = (w.chain.funded(), w.chain.funded());
    for (guardian, other) in [(&old, &new), (&new, &old)] {
        update(&mut w, MarketParams { guardian: guardian.pubkey(), ..market_params() });
        let by = |guardian: &Keypair| instruction::set_pause(guardian.pubkey(), w.market, pause::BORROW, 60);
        let (by_other, by_guardian) = (by(other), by(guardian));
        w.refuse(&by_other, &[other], KeelError::NotPauser);
        w.send(by_guardian, guardian).unwrap();
        w.pass(60 + 3 * 86_400);
    }
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
    ];
    for (case, params, expected) in cases {
        let update = instruction::update_market(governance.pubkey(), w.market, params);
        w.refuse_case(case, &update, &[&governance], expected);
    }
}

#[test]
fn rejects_other_than_governance_and_wrong_accounts() {
    let mut w = bank();
    let (governance, guardian) = (w.governance.insecure_clone(), w.chain.funded());
    let params = MarketParams { guardian: guardian.pubkey(), risk_steward: guardian.pubkey(), ..market_params() };
    update(&mut w, params);
    let valid = instruction::update_market(governance.pubkey(), w.market, params);
    // Neither guardian nor steward, nor the governance of another market.
    let by_guardian = with_account(&valid, GOVERNANCE, guardian.pubkey());
    w.refuse(&by_guardian, &[&guardian], KeelError::NotGovernance);
    let create = instruction::init_market(guardian.pubkey(), guardian.pubkey(), 1, market_params());
    w.send(create, &guardian).unwrap();
    w.refuse(&by_guardian, &[&guardian], KeelError::NotGovernance);
    w.refuse(&unsigned(&valid, GOVERNANCE), &[&guardian], ErrorCode::AccountNotSigner);
    let (user, reserve) = (w.user(), w.assets[SOL].reserve);
    let others = [("reserve", reserve), ("vault", user.vault)];
    refuse_imposters(&mut w, &valid, &[&governance], MARKET, &others);
    w.refuse(&read_only(&valid, MARKET), &[&governance], ErrorCode::ConstraintMut);
    w.refuse(&truncated(&valid, 1), &[&governance], ErrorCode::AccountNotEnoughKeys);
    w.send(valid, &governance).unwrap();
}
