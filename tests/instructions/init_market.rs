//! `init_market`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use bytemuck::Zeroable;
use keel::KeelError;
use keel::events::MarketCreated;
use keel::state::{LAYOUT_VERSION, Market, MarketParams};
use keel_client::{account, address, instruction};
use keel_tests::check::only_event;
use keel_tests::world::market_params;
use keel_tests::{Chain, ProgramTestChain, World};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const GOVERNANCE: usize = 1;
const MARKET: usize = 2;
const SYSTEM_PROGRAM: usize = 3;

fn stored(chain: &mut ProgramTestChain, id: u16) -> Market {
    let key = address::market(id);
    let a = chain.account(&key).unwrap();
    account::market(&key, &a.owner, &a.data).unwrap()
}

#[test]
fn effects_creates_a_market() {
    let mut chain = ProgramTestChain::new();
    let (payer, governance) = (chain.funded(), chain.funded());
    let params = market_params();
    let create = instruction::init_market(payer.pubkey(), governance.pubkey(), 513, params);
    let receipt = chain.send(&[create], &[&payer, &governance]).unwrap();

    let key = address::market(513);
    let expected = Market {
        version: LAYOUT_VERSION,
        bump: Pubkey::find_program_address(&[b"market", &[1, 2]], &keel::ID).1,
        id: 513,
        target_health_bps: params.target_health_bps,
        governance: governance.pubkey(),
        guardian: params.guardian,
        risk_steward: params.risk_steward,
        price_receiver: params.price_receiver,
        min_position_micro_usd: params.min_position_micro_usd,
        restart_grace_slots: params.restart_grace_slots,
        min_bounty_micro_usd: params.min_bounty_micro_usd,
        ..Zeroable::zeroed()
    };
    let market = stored(&mut chain, 513);
    assert_eq!(bytemuck::bytes_of(&market), bytemuck::bytes_of(&expected));
    assert_eq!(chain.account(&key).unwrap().data.len(), Market::SPACE);
    let event: MarketCreated = only_event(&receipt);
    assert_eq!((event.market, event.governance, event.id), (key, governance.pubkey(), 513));
}

#[test]
fn effects_bounds_are_inclusive_and_markets_independent() {
    let mut chain = ProgramTestChain::new();
    let payer = chain.funded();
    let params = market_params();
    let at_bounds = [
        MarketParams { target_health_bps: 10_000, min_position_micro_usd: 1, ..params },
        MarketParams { target_health_bps: 15_000, min_position_micro_usd: 1_000_000_000, ..params },
        MarketParams { restart_grace_slots: u64::MAX, guardian: Pubkey::default(), ..params },
    ];
    for (id, params) in [0, 1, u16::MAX].into_iter().zip(at_bounds) {
        let create = instruction::init_market(payer.pubkey(), payer.pubkey(), id, params);
        chain.send(&[create], &[&payer]).unwrap();
        let market = stored(&mut chain, id);
        assert_eq!(market.id, id);
        assert_eq!(market.target_health_bps, params.target_health_bps);
        assert_eq!(market.min_position_micro_usd, params.min_position_micro_usd);
        assert_eq!(market.restart_grace_slots, params.restart_grace_slots);
    }
}

/// Whoever sends lamports to the address of a future market does not keep it from being created.
#[test]
fn effects_lamports_at_the_address_do_not_block() {
    let mut chain = ProgramTestChain::new();
    let payer = chain.funded();
    chain.set_account(&address::market(0), Account { lamports: 1_000_000, ..Account::default() });
    let create = instruction::init_market(payer.pubkey(), payer.pubkey(), 0, market_params());
    chain.send(&[create], &[&payer]).unwrap();
    assert_eq!(stored(&mut chain, 0).governance, payer.pubkey());
}

#[test]
fn rejects_parameters_out_of_bounds() {
    let mut w = World::new(ProgramTestChain::new());
    let payer = w.chain.funded();
    let params = market_params();
    let cases = [
        ("health", MarketParams { target_health_bps: 9_999, ..params }, KeelError::ConfigTargetHealth),
        ("health", MarketParams { target_health_bps: 15_001, ..params }, KeelError::ConfigTargetHealth),
        ("health", MarketParams { target_health_bps: u32::MAX, ..params }, KeelError::ConfigTargetHealth),
        ("dust", MarketParams { min_position_micro_usd: 0, ..params }, KeelError::ConfigMinPosition),
        ("dust", MarketParams { min_position_micro_usd: 1_000_000_001, ..params }, KeelError::ConfigMinPosition),
        ("dust", MarketParams { min_position_micro_usd: u64::MAX, ..params }, KeelError::ConfigMinPosition),
        ("receiver", MarketParams { price_receiver: Pubkey::default(), ..params }, KeelError::ZeroAddress),
    ];
    for (case, params, expected) in cases {
        let create = instruction::init_market(payer.pubkey(), payer.pubkey(), 1, params);
        w.refuse_case(case, &create, &[&payer], expected);
        assert_eq!(w.chain.account(&address::market(1)), None);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = World::new(ProgramTestChain::new());
    let (payer, governance) = (w.chain.funded(), Keypair::new());
    let valid = instruction::init_market(payer.pubkey(), governance.pubkey(), 1, market_params());
    let one = [&payer];
    let both = [&payer, &governance];
    w.refuse_case("governance did not sign", &unsigned(&valid, GOVERNANCE), &one, ErrorCode::AccountNotSigner);
    let third = w.governance.insecure_clone();
    let unpaid = unsigned(&valid, PAYER);
    w.refuse_case("payer did not sign", &unpaid, &[&third, &governance], ErrorCode::AccountNotSigner);
    let elsewhere = with_account(&valid, MARKET, address::market(2));
    w.refuse_case("address of another id", &elsewhere, &both, ErrorCode::ConstraintSeeds);
    let nowhere = with_account(&valid, MARKET, Pubkey::new_unique());
    w.refuse_case("any address", &nowhere, &both, ErrorCode::ConstraintSeeds);
    let no_system = with_account(&valid, SYSTEM_PROGRAM, keel::ID);
    w.refuse_case("system program", &no_system, &both, ErrorCode::InvalidProgramId);
    for count in 0..4 {
        let signers: &[&Keypair] = match count {
            0 => &[&third],
            1 => &one,
            _ => &both,
        };
        w.refuse_case("accounts missing", &truncated(&valid, count), signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.chain.send(&[valid], &both).unwrap();
}

#[test]
fn rejects_a_market_that_exists() {
    let mut w = World::new(ProgramTestChain::new());
    let thief = w.chain.funded();
    let again = instruction::init_market(thief.pubkey(), thief.pubkey(), 0, market_params());
    w.refuse(&again, &[&thief], SystemError::AccountAlreadyInUse);
    assert_eq!(w.market_state().governance, w.governance.pubkey());
}
