//! `withdraw_insurance`.

use crate::governance::{give_notice, refuse_outside_the_notice};
use crate::minted::{KUSD, accrue, assert_reconciled, minting, supply, surplus_and_deficit};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::rent::Rent;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::{ChangeExecuted, InsuranceWithdrawn};
use keel::state::{Change, PendingChange, Role};
use keel_client::{address, token};
use keel_risk::Fraction;
use keel_risk::units::Amount;
use keel_tests::check::{event_among, keys};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

const MARKET: usize = 0;
const PENDING: usize = 1;
const RENT_PAYER: usize = 2;
const RESERVE: usize = 3;
const LIQUIDITY: usize = 4;
const TOKEN_ACCOUNT: usize = 5;
const MINT: usize = 6;
const TOKEN_PROGRAM: usize = 7;

/// Queued and executed, to the associated token account of governance, which [`governance_with_account`] opens.
fn build(w: &mut Bank, asset: usize, amount: u64) -> [Instruction; 2] {
    let to = w.token_account(&w.governance.pubkey(), asset);
    w.withdraw_insurance_ixs(asset, to, amount)
}

fn send(w: &mut Bank, asset: usize, amount: u64) {
    let (withdraw, governance) = (build(w, asset, amount), w.governance.insecure_clone());
    w.send_all(&withdraw, &[&governance]).unwrap();
}

/// The execution alone of what is queued.
fn queued(w: &mut Bank, amount: u64) -> Instruction {
    let ([queue, withdraw], governance) = (build(w, USDC, amount), w.governance.insecure_clone());
    w.send(queue, &governance).unwrap();
    withdraw
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
    let (withdraw, mut market) = (build(&mut w, USDC, 123_456_789), w.market_state());
    let receipt = w.send_all(&withdraw, &[&governance]).unwrap();

    assert_eq!(before.changed(&mut w), keys([w.market, w.assets[USDC].reserve, w.liquidity_key(USDC)]));
    let (nonce, change) = (market.next_change, withdraw[1].accounts[PENDING].pubkey);
    market.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&market));
    assert_eq!(w.chain.account(&change), None);
    let event: ChangeExecuted = event_among(&receipt, 3);
    assert_eq!((event.market, event.change, event.nonce), (w.market, change, nonce));
    assert_eq!(w.reserve(USDC).pool(), expected);
    assert_eq!(w.balance(&governance.pubkey(), USDC), 123_456_789);
    assert_eq!(w.liquidity(USDC), held - 123_456_789);
    // Interest came first; the withdrawal took nothing from anybody else.
    assert!(claims_of_suppliers(&mut w) > suppliers);
    let event: InsuranceWithdrawn = event_among(&receipt, 3);
    assert_eq!((event.reserve, event.amount, event.shares), (w.assets[USDC].reserve, 123_456_789, shares.0.to_bits()));
}

fn claims_of_suppliers(w: &mut Bank) -> Fraction {
    let pool = w.reserve(USDC).pool();
    pool.supply_index.claim_of(pool.supply_shares.checked_sub(pool.insurance_shares).unwrap()).unwrap()
}

/// 5 % of 10,000 stay, to the unit. With less debt, less has to.
#[test]
fn effects_down_to_the_floor_and_rejects_more() {
    let (mut w, borrower, governance) = insured();
    for amount in [500_000_001, 1_000_000_000, u64::MAX] {
        let beyond = build(&mut w, USDC, amount);
        w.refuse_all(&beyond, &[&governance], KeelError::InsuranceFloor);
    }
    send(&mut w, USDC, 500_000_000);
    let one = build(&mut w, USDC, 1);
    w.refuse_all(&one, &[&governance], KeelError::InsuranceFloor);
    w.repay(&borrower, USDC, keel::AmountSpec::Exact(20)).unwrap();
    w.send_all(&one, &[&governance]).unwrap();
    // Without debt, all of it, and not a unit of what suppliers own.
    w.repay(&borrower, USDC, All).unwrap();
    let beyond = build(&mut w, USDC, 500_000_000);
    w.refuse_all(&beyond, &[&governance], KeelError::InsuranceFloor);
    send(&mut w, USDC, 499_999_999);
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
    let beyond = build(&mut w, USDC, 300_000_001);
    w.refuse_all(&beyond, &[&governance], KeelError::InsufficientLiquidity);
    send(&mut w, USDC, 300_000_000);
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
    let beyond = build(&mut w, KUSD, 302_470_000);
    w.refuse_all(&beyond, &[&governance], KeelError::InsuranceFloor);
    send(&mut w, KUSD, 302_440_000);
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
        let withdraw = build(&mut w, USDC, amount);
        w.refuse_all(&withdraw, &[&governance], expected);
    }
    // A minted reserve that has just begun has no surplus.
    let (mut w, _, borrower) = minting();
    let governance = governance_with_account(&mut w, KUSD);
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    let withdraw = build(&mut w, KUSD, 1);
    w.refuse_all(&withdraw, &[&governance], KeelError::InsuranceFloor);
}

/// Whoever sends it: the account that is paid was announced.
#[test]
fn effects_anyone_executes_what_was_announced() {
    let (mut w, _, governance) = insured();
    give_notice(&mut w);
    let (key, stranger) = (governance.pubkey(), w.chain.funded());
    let valid = queued(&mut w, 1_000);
    w.fund(&stranger.pubkey(), USDC, 0);
    let own = w.token_account(&stranger.pubkey(), USDC);
    refuse_outside_the_notice(&mut w, &valid, &stranger);
    w.refuse(&with_account(&valid, TOKEN_ACCOUNT, own), &[&stranger], KeelError::WrongTarget);
    let before = w.chain.account(&key).unwrap().lamports;
    w.send(valid, &stranger).unwrap();
    assert_eq!((w.balance(&key, USDC), w.balance(&stranger.pubkey(), USDC)), (1_000, 0));
    let rent = Rent::default().minimum_balance(PendingChange::SPACE);
    assert_eq!(w.chain.account(&key).unwrap().lamports, before + rent);
}

/// What is there when it is executed decides, not what was there when it was queued.
#[test]
fn rejects_what_the_floor_does_not_leave_any_more() {
    let (mut w, borrower, governance) = insured();
    let (first, second) = (queued(&mut w, 499_999_999), queued(&mut w, 499_999_999));
    w.send(first, &governance).unwrap();
    w.refuse(&second, &[&governance], KeelError::InsuranceFloor);
    w.repay(&borrower, USDC, All).unwrap();
    w.send(second, &governance).unwrap();
    assert_eq!(w.balance(&governance.pubkey(), USDC), 999_999_998);
}

#[test]
fn rejects_other_changes_than_a_withdrawal_from_this_reserve() {
    let (mut w, _, governance) = insured();
    let valid = queued(&mut w, 1_000);
    let (sol, usdc, to) = (w.assets[SOL].reserve, w.assets[USDC].reserve, valid.accounts[TOKEN_ACCOUNT].pubkey);
    let mut config = w.reserve(USDC).config;
    config.flash_fee_bps += 1;
    let cases = [
        (sol, Change::WithdrawInsurance { amount: 1_000, to }, KeelError::WrongTarget),
        (w.market, Change::Role { role: Role::Guardian, to }, KeelError::WrongTarget),
        (usdc, Change::Reserve { config, ramp: 0 }, KeelError::WrongChange),
        (usdc, Change::ListMinted { config: crate::minted::config().without_caps() }, KeelError::WrongChange),
        (usdc, Change::List { config: config.without_caps() }, KeelError::WrongChange),
    ];
    for (target, change, expected) in cases {
        let other = w.queue(target, change).unwrap().address();
        w.refuse_case(&format!("{change:?}"), &with_account(&valid, PENDING, other), &[&governance], expected);
    }
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, user, governance) = insured();
    let payer = w.chain.funded();
    let signers = [&payer];
    let valid = queued(&mut w, 1_000);
    let (market, vault, reserve) = (w.market, user.vault, w.assets[USDC].reserve);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("vault", vault), ("reserve", reserve)]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &[("market", market), ("vault", vault)]);
    refuse_imposters(&mut w, &valid, &signers, PENDING, &[("market", market), ("reserve", reserve), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &user);
    let own_tokens = valid.accounts[TOKEN_ACCOUNT].pubkey;
    let cases: [(&str, usize, Pubkey, KeelError); 8] = [
        ("market", MARKET, elsewhere.market, KeelError::WrongMarket),
        ("reserve of another market", RESERVE, elsewhere.reserve, KeelError::WrongTarget),
        ("other reserve", RESERVE, w.assets[SOL].reserve, KeelError::WrongTarget),
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
    w.refuse(&with_account(&valid, RENT_PAYER, payer.pubkey()), &signers, ErrorCode::ConstraintAddress);
    for index in [PENDING, RENT_PAYER, RESERVE, LIQUIDITY, TOKEN_ACCOUNT] {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    for count in 0..=TOKEN_PROGRAM {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    // Announced to an account of another mint.
    w.fund(&governance.pubkey(), SOL, 0);
    let sol_tokens = w.token_account(&governance.pubkey(), SOL);
    let [queue, withdraw] = w.withdraw_insurance_ixs(USDC, sol_tokens, 1_000);
    w.send(queue, &governance).unwrap();
    w.refuse(&withdraw, &signers, TokenError::MintMismatch);
    w.send(valid, &payer).unwrap();
}
