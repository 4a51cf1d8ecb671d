//! `withdraw_insurance`.

use crate::minted::{KUSD, accrue, assert_reconciled, minting, supply, surplus_and_deficit};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::InsuranceWithdrawn;
use keel_client::{address, instruction, token};
use keel_risk::Fraction;
use keel_risk::units::Amount;
use keel_tests::check::{keys, only_event};
use keel_tests::world::{User, market_params};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const GOVERNANCE: usize = 0;
const MARKET: usize = 1;
const RESERVE: usize = 2;
const LIQUIDITY: usize = 3;
const TOKEN_ACCOUNT: usize = 4;
const MINT: usize = 5;
const TOKEN_PROGRAM: usize = 6;

/// To the associated token account of governance, which [`governance_with_account`] opens.
fn build(w: &Bank, asset: usize, amount: u64) -> Instruction {
    let key = w.governance.pubkey();
    let (reserve, to) = (w.assets[asset].reserve, w.token_account(&key, asset));
    instruction::withdraw_insurance(&w.book, key, reserve, to, amount).unwrap()
}

fn governance_with_account(w: &mut Bank, asset: usize) -> Keypair {
    let governance = w.governance.insecure_clone();
    w.fund(&governance.pubkey(), asset, 0);
    governance
}

/// A borrower of 10,000 of 100,000 USDC; of that 5 % must stay insured, and 1,000 USDC are.
fn insured() -> (Bank, User, Keypair) {
    let mut usdc = AssetSpec::usdc();
    usdc.config.insurance_floor_bps = 500;
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.supplier(USDC, 100_000_000_000);
    let borrower = w.supplier(SOL, w.assets[SOL].whole(100));
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    insure(&mut w, USDC, 1_000_000_000);
    let governance = governance_with_account(&mut w, USDC);
    (w, borrower, governance)
}

#[test]
fn effects_pays_insurance_out() {
    let (mut w, borrower, governance) = insured();
    w.pass(30 * 86_400);
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let shares = expected.withdraw_insurance(Amount(123_456_789), 500).unwrap().shares;
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    let (held, suppliers) = (w.liquidity(USDC), claims_of_suppliers(&mut w));
    let before = w.snapshot(&[&borrower]);
    let receipt = w.send(build(&w, USDC, 123_456_789), &governance).unwrap();

    assert_eq!(before.changed(&mut w), keys([w.assets[USDC].reserve, w.liquidity_key(USDC)]));
    assert_eq!(w.reserve(USDC).pool(), expected);
    assert_eq!(w.balance(&governance.pubkey(), USDC), 123_456_789);
    assert_eq!(w.liquidity(USDC), held - 123_456_789);
    // Interest came first; the withdrawal took nothing from anybody else.
    assert!(claims_of_suppliers(&mut w) > suppliers);
    let event: InsuranceWithdrawn = only_event(&receipt);
    assert_eq!((event.reserve, event.amount, event.shares), (w.assets[USDC].reserve, 123_456_789, shares.0.to_bits()));
}

fn claims_of_suppliers(w: &mut Bank) -> Fraction {
    let pool = w.reserve(USDC).pool();
    pool.supply_index.claim_of(pool.supply_shares.checked_sub(pool.insurance_shares).unwrap()).unwrap()
}

/// 5 % of 10,000 stay, rounded up by a unit. With less debt, less has to.
#[test]
fn effects_down_to_the_floor_and_rejects_more() {
    let (mut w, borrower, governance) = insured();
    for amount in [500_000_000, 1_000_000_000, u64::MAX] {
        let beyond = build(&w, USDC, amount);
        w.refuse(&beyond, &[&governance], KeelError::InsuranceFloor);
    }
    w.send(build(&w, USDC, 499_999_999), &governance).unwrap();
    let one = build(&w, USDC, 1);
    w.refuse(&one, &[&governance], KeelError::InsuranceFloor);
    w.repay(&borrower, USDC, keel::AmountSpec::Exact(20)).unwrap();
    w.send(one, &governance).unwrap();
    // Without debt, all of it, and not a unit of what suppliers own.
    w.repay(&borrower, USDC, All).unwrap();
    let beyond = build(&w, USDC, 500_000_001);
    w.refuse(&beyond, &[&governance], KeelError::InsuranceFloor);
    w.send(build(&w, USDC, 500_000_000), &governance).unwrap();
    assert_eq!(w.reserve(USDC).insurance_shares.get(), 0);
    assert_eq!(w.liquidity(USDC), 100_000_000_000);
}

#[test]
fn rejects_more_than_is_liquid() {
    let (mut w, borrower, governance) = insured();
    w.configure(USDC, |c| c.insurance_floor_bps = 0).unwrap();
    w.set_price(SOL, 2_000_00);
    // 300 of the 1,000 that are insurance are there, the rest is lent with everything else.
    w.borrow(&borrower, USDC, 90_700_000_000).unwrap();
    let beyond = build(&w, USDC, 300_000_001);
    w.refuse(&beyond, &[&governance], KeelError::InsufficientLiquidity);
    w.send(build(&w, USDC, 300_000_000), &governance).unwrap();
}

/// The surplus of a minted reserve becomes tokens that never existed before.
#[test]
fn effects_mints_the_surplus_of_a_minted_reserve() {
    let (mut w, _, borrower) = minting();
    w.configure(KUSD, |c| c.insurance_floor_bps = 200).unwrap();
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    w.pass(365 * 86_400);
    // 5 % for a year, compounded.
    let (surplus, deficit) = surplus_and_deficit(&mut w);
    assert!((512_700_000..512_720_000).contains(&surplus) && deficit == 0, "{surplus}");
    let governance = governance_with_account(&mut w, KUSD);
    // 2 % of the 10,512.71 that are owed stay.
    let beyond = build(&w, KUSD, 302_470_000);
    w.refuse(&beyond, &[&governance], KeelError::InsuranceFloor);
    w.send(build(&w, KUSD, 302_440_000), &governance).unwrap();
    assert_eq!(w.balance(&governance.pubkey(), KUSD), 302_440_000);
    assert_eq!(supply(&mut w), 10_302_440_000);
    accrue(&mut w);
    assert_reconciled(&mut w);
    let (left, _) = surplus_and_deficit(&mut w);
    assert!(left.abs_diff(surplus - 302_440_000) < 100, "{left}");
}

#[test]
fn rejects_zero_and_insurance_that_is_not_there() {
    let mut w = bank();
    let governance = governance_with_account(&mut w, USDC);
    w.supplier(USDC, 1_000_000);
    for (amount, expected) in [(0, KeelError::ZeroAmount), (1, KeelError::InsuranceFloor)] {
        let withdraw = build(&w, USDC, amount);
        w.refuse(&withdraw, &[&governance], expected);
    }
    // A minted reserve that has just begun has no surplus.
    let (mut w, _, borrower) = minting();
    let governance = governance_with_account(&mut w, KUSD);
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    let withdraw = build(&w, KUSD, 1);
    w.refuse(&withdraw, &[&governance], KeelError::InsuranceFloor);
}

#[test]
fn rejects_other_than_governance() {
    let (mut w, _, governance) = insured();
    let thief = w.chain.funded();
    let mut params = market_params();
    (params.guardian, params.risk_steward) = (thief.pubkey(), thief.pubkey());
    w.send(instruction::update_market(governance.pubkey(), w.market, params), &governance).unwrap();
    let valid = build(&w, USDC, 1_000);
    let by_thief = with_account(&valid, GOVERNANCE, thief.pubkey());
    w.refuse(&by_thief, &[&thief], KeelError::NotGovernance);
    w.refuse(&unsigned(&valid, GOVERNANCE), &[&thief], ErrorCode::AccountNotSigner);
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, user, governance) = insured();
    let signers = [&governance];
    let valid = build(&w, USDC, 1_000);
    let (market, vault, reserve) = (w.market, user.vault, w.assets[USDC].reserve);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("vault", vault), ("reserve", reserve)]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &[("market", market), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    w.fund(&governance.pubkey(), SOL, 0);
    let sol_tokens = w.token_account(&governance.pubkey(), SOL);
    let own_tokens = valid.accounts[TOKEN_ACCOUNT].pubkey;
    let cases: [(&str, usize, Pubkey, KeelError); 8] = [
        ("market", MARKET, elsewhere.market, KeelError::WrongMarket),
        ("reserve of another market", RESERVE, elsewhere.reserve, KeelError::WrongMarket),
        ("other reserve", RESERVE, w.assets[SOL].reserve, KeelError::WrongLiquidityAccount),
        ("other liquidity", LIQUIDITY, w.liquidity_key(SOL), KeelError::WrongLiquidityAccount),
        (
            "liquidity of another market",
            LIQUIDITY,
            address::liquidity(&elsewhere.reserve),
            KeelError::WrongLiquidityAccount,
        ),
        ("tokens as liquidity", LIQUIDITY, own_tokens, KeelError::WrongLiquidityAccount),
        ("other mint", MINT, w.assets[SOL].mint, KeelError::WrongMint),
        ("token program", TOKEN_PROGRAM, token::TOKEN_2022_PROGRAM, KeelError::WrongTokenProgram),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(&valid, index, key), &signers, expected);
    }
    w.refuse(&with_account(&valid, TOKEN_ACCOUNT, sol_tokens), &signers, TokenError::MintMismatch);
    for index in [RESERVE, LIQUIDITY, TOKEN_ACCOUNT] {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    for count in 1..=TOKEN_PROGRAM {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &governance).unwrap();
}
