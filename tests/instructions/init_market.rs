//! `init_market`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use bytemuck::Zeroable;
use keel::KeelError;
use keel::events::MarketCreated;
use keel::state::{Market, MarketParams, StepConfig};
use keel_client::{account, address, instruction};
use keel_tests::check::only_event;
use keel_tests::world::market_params;
use keel_tests::{Chain, ProgramTestChain, World};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const GOVERNANCE: usize = 1;
const MARKET: usize = 2;
const SYSTEM_PROGRAM: usize = 3;

const GUARDIAN: Pubkey = Pubkey::new_from_array([3; 32]);
const RISK_STEWARD: Pubkey = Pubkey::new_from_array([4; 32]);

fn create(payer: &Keypair, governance: &Keypair, id: u16, params: MarketParams) -> Instruction {
    instruction::init_market(payer.pubkey(), governance.pubkey(), id, params, GUARDIAN, RISK_STEWARD)
}

fn stored(chain: &mut ProgramTestChain, id: u16) -> Market {
    let key = address::market(id);
    let a = chain.account(&key).unwrap();
    account::market(&key, &a.owner, &a.data).unwrap()
}

#[test]
fn effects_creates_a_market() {
    let mut chain = ProgramTestChain::new();
    let (payer, governance) = (chain.funded(), chain.funded());
    let steps = StepConfig { cap_bps: 1, outflow_bps: 2, haircut_bps: 3, max_ltv_bps: 4, rate_bps: 5 };
    let params = MarketParams { delay: 86_401, window: 3_601, min_bounty_micro_usd: 6, steps, ..market_params() };
    let create = create(&payer, &governance, 513, params);
    let receipt = chain.send(&[create], &[&payer, &governance]).unwrap();

    let key = address::market(513);
    let expected = Market {
        version: Market::VERSION,
        bump: Pubkey::find_program_address(&[b"market", &[1, 2]], &keel::ID).1,
        id: 513,
        target_health_bps: params.target_health_bps,
        governance: governance.pubkey(),
        guardian: GUARDIAN,
        risk_steward: RISK_STEWARD,
        price_receiver: params.price_receiver,
        min_position_micro_usd: params.min_position_micro_usd,
        restart_grace_slots: params.restart_grace_slots,
        min_bounty_micro_usd: params.min_bounty_micro_usd,
        delay: 86_401,
        window: 3_601,
        steps,
        revision: 1,
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
    let least = MarketParams {
        target_health_bps: 10_000,
        min_position_micro_usd: 1,
        restart_grace_slots: 0,
        min_bounty_micro_usd: 0,
        delay: 0,
        window: 3_600,
        ..params
    };
    let most = MarketParams {
        target_health_bps: 15_000,
        min_position_micro_usd: 1_000_000_000,
        restart_grace_slots: u64::MAX,
        min_bounty_micro_usd: 100_000_000,
        delay: 2_592_000,
        window: 2_592_000,
        steps: MOST_STEPS,
        ..params
    };
    let at_bounds = [least, most, MarketParams { delay: 86_400, ..params }];
    for (id, params) in [0, 1, u16::MAX].into_iter().zip(at_bounds) {
        let create = create(&payer, &payer, id, params);
        chain.send(&[create], &[&payer]).unwrap();
        let market = stored(&mut chain, id);
        assert_eq!((market.id, market.params()), (id, params));
    }
}

/// A market can do without a risk steward.
#[test]
fn effects_nobody_is_risk_steward() {
    let mut chain = ProgramTestChain::new();
    let payer = chain.funded();
    let (key, nobody) = (payer.pubkey(), Pubkey::default());
    chain.send(&[instruction::init_market(key, key, 0, market_params(), GUARDIAN, nobody)], &[&payer]).unwrap();
    assert_eq!(stored(&mut chain, 0).risk_steward, nobody);
}

const MOST_STEPS: StepConfig =
    StepConfig { cap_bps: 10_000, outflow_bps: 5_000, haircut_bps: 500, max_ltv_bps: 500, rate_bps: 2_000 };

/// Whoever sends lamports to the address of a future market does not keep it from being created.
#[test]
fn effects_lamports_at_the_address_do_not_block() {
    let mut chain = ProgramTestChain::new();
    let payer = chain.funded();
    chain.set_account(&address::market(0), Account { lamports: 1_000_000, ..Account::default() });
    let create = create(&payer, &payer, 0, market_params());
    chain.send(&[create], &[&payer]).unwrap();
    assert_eq!(stored(&mut chain, 0).governance, payer.pubkey());
}

#[test]
fn rejects_parameters_out_of_bounds() {
    let mut w = World::new(ProgramTestChain::new());
    let payer = w.chain.funded();
    let params = market_params();
    let steps = |change: fn(&mut StepConfig)| {
        let mut steps = MOST_STEPS;
        change(&mut steps);
        MarketParams { steps, ..market_params() }
    };
    let cases = [
        ("health", MarketParams { target_health_bps: 9_999, ..params }, KeelError::ConfigTargetHealth),
        ("health", MarketParams { target_health_bps: 15_001, ..params }, KeelError::ConfigTargetHealth),
        ("health", MarketParams { target_health_bps: u32::MAX, ..params }, KeelError::ConfigTargetHealth),
        ("dust", MarketParams { min_position_micro_usd: 0, ..params }, KeelError::ConfigMinPosition),
        ("dust", MarketParams { min_position_micro_usd: 1_000_000_001, ..params }, KeelError::ConfigMinPosition),
        ("dust", MarketParams { min_position_micro_usd: u64::MAX, ..params }, KeelError::ConfigMinPosition),
        ("bounty", MarketParams { min_bounty_micro_usd: 100_000_001, ..params }, KeelError::ConfigMinBounty),
        ("receiver", MarketParams { price_receiver: Pubkey::default(), ..params }, KeelError::ZeroAddress),
        ("delay of a second", MarketParams { delay: 1, ..params }, KeelError::ConfigGovernance),
        ("delay under a day", MarketParams { delay: 86_399, ..params }, KeelError::ConfigGovernance),
        ("delay", MarketParams { delay: 2_592_001, ..params }, KeelError::ConfigGovernance),
        ("no window", MarketParams { window: 0, ..params }, KeelError::ConfigGovernance),
        ("window under an hour", MarketParams { window: 3_599, ..params }, KeelError::ConfigGovernance),
        ("window", MarketParams { window: 2_592_001, ..params }, KeelError::ConfigGovernance),
        ("steps of caps", steps(|s| s.cap_bps += 1), KeelError::ConfigGovernance),
        ("steps of outflows", steps(|s| s.outflow_bps += 1), KeelError::ConfigGovernance),
        ("steps of haircuts", steps(|s| s.haircut_bps += 1), KeelError::ConfigGovernance),
        ("steps of loans to value", steps(|s| s.max_ltv_bps += 1), KeelError::ConfigGovernance),
        ("steps of rates", steps(|s| s.rate_bps += 1), KeelError::ConfigGovernance),
    ];
    for (case, params, expected) in cases {
        w.refuse_case(case, &create(&payer, &payer, 1, params), &[&payer], expected);
        assert_eq!(w.chain.account(&address::market(1)), None);
    }
    let key = payer.pubkey();
    let unguarded = instruction::init_market(key, key, 1, params, Pubkey::default(), RISK_STEWARD);
    w.refuse(&unguarded, &[&payer], KeelError::ZeroAddress);
    assert_eq!(w.chain.account(&address::market(1)), None);
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = World::new(ProgramTestChain::new());
    let (payer, governance) = (w.chain.funded(), Keypair::new());
    let valid = create(&payer, &governance, 1, market_params());
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
    let again = create(&thief, &thief, 0, market_params());
    w.refuse(&again, &[&thief], SystemError::AccountAlreadyInUse);
    assert_eq!(w.market_state().governance, w.governance.pubkey());
}
