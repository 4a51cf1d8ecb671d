//! `execute_change`: when, what it replaces, with which accounts.

mod market;
mod reserve;
mod role;
mod sections;

use crate::governance::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::rent::Rent;
use keel::KeelError;
use keel::events::{ChangeExecuted, ReserveConfigured};
use keel::state::{Change, PendingChange, Role};
use keel_client::instruction::{self, Queued};
use keel_tests::Chain;
use keel_tests::check::{event_among, keys};
use solana_account::Account;
use solana_signer::Signer;

const MARKET: usize = 0;
const RESERVE: usize = 1;
const PENDING: usize = 2;
const RENT_PAYER: usize = 3;
/// Where the remaining accounts start.
const PRICES: usize = 4;

/// From the second in which the notice has passed to the last of the window.
#[test]
fn effects_anyone_executes_in_the_window_and_the_rent_goes_back() {
    let mut w = noticed();
    let (start, anybody) = (w.chain.clock().unix_timestamp, w.chain.funded());
    for (cap, seconds) in [(1, DELAY), (2, DELAY + WINDOW)] {
        at(&mut w, start);
        let queued = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = cap);
        at(&mut w, start + seconds);
        let governance = queued.rent_payer;
        let payer = w.chain.account(&governance).unwrap();
        let before = w.snapshot(&[]);
        let ix = execute_ix(&w, SOL, &queued);
        let receipt = w.send(ix, &anybody).unwrap();
        assert_eq!(before.changed(&mut w), keys([w.assets[SOL].reserve]));
        assert_eq!(w.reserve(SOL).config.limits.deposit_cap, cap);
        assert_eq!(w.chain.account(&queued.address()), None);
        let lamports = payer.lamports + Rent::default().minimum_balance(PendingChange::SPACE);
        assert_eq!(w.chain.account(&governance).unwrap(), Account { lamports, ..payer });
        assert_eq!(event_among::<ReserveConfigured>(&receipt, 2).reserve, w.assets[SOL].reserve);
        let event: ChangeExecuted = event_among(&receipt, 2);
        assert_eq!((event.market, event.change, event.nonce), (w.market, queued.address(), queued.nonce));
        // Once.
        let again = execute_ix(&w, SOL, &queued);
        w.refuse(&again, &[&anybody], ErrorCode::AccountOwnedByWrongProgram);
    }
}

#[test]
fn rejects_changes_before_their_notice_has_passed_and_after_they_expired() {
    let mut w = noticed();
    let (anybody, market) = (w.chain.funded(), w.market);
    let to = anybody.pubkey();
    let changes = [
        (queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 1), Some(w.assets[SOL].reserve)),
        (queue_params(&mut w, |p| p.window += 1), None),
        (w.queue(market, Change::Role { role: Role::Guardian, to }).unwrap(), None),
    ];
    let start = w.chain.clock().unix_timestamp;
    for (queued, reserve) in changes {
        at(&mut w, start);
        let ix = instruction::execute_change(&queued, reserve, &[]);
        refuse_outside_the_notice(&mut w, &ix, &anybody);
        w.send(ix, &anybody).unwrap();
    }
}

/// Nor by governance itself.
#[test]
fn rejects_execution_in_the_transaction_that_queues() {
    let mut w = noticed();
    let governance = w.governance.insecure_clone();
    let config = changed(&mut w, SOL, |c| c.limits.deposit_cap = 1);
    let both = w.change_reserve_ixs(SOL, config, 0, &[]);
    w.refuse_all(&both, &[&governance], KeelError::ChangeTooEarly);
}

/// Listings and withdrawals move tokens or create accounts, which their own instructions do.
#[test]
fn rejects_kinds_with_an_instruction_of_their_own() {
    let mut w = bank();
    let (governance, reserve) = (w.governance.insecure_clone(), w.assets[USDC].reserve);
    let listing = w.reserve(USDC).config.without_caps();
    let changes = [
        Change::List { config: listing },
        Change::ListMinted { config: crate::minted::config().without_caps() },
        Change::WithdrawInsurance { amount: 1, to: reserve },
    ];
    for change in changes {
        let queued = w.queue(reserve, change).unwrap();
        let ix = instruction::execute_change(&queued, Some(reserve), &[]);
        w.refuse_case(&format!("{change:?}"), &ix, &[&governance], KeelError::WrongChange);
    }
}

#[test]
fn rejects_another_target() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let elsewhere = other_market(&mut w, SOL, &user);
    let (sol, usdc) = (w.assets[SOL].reserve, w.assets[USDC].reserve);
    let of_reserve = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 1);
    let of_market = queue_params(&mut w, |p| p.window += 1);
    let cases = [
        ("no reserve", &of_reserve, None),
        ("other reserve", &of_reserve, Some(usdc)),
        ("the same asset of another market", &of_reserve, Some(elsewhere.reserve)),
        ("a reserve", &of_market, Some(sol)),
    ];
    for (case, queued, reserve) in cases {
        let ix = instruction::execute_change(queued, reserve, &[]);
        w.refuse_case(case, &ix, &[&governance], KeelError::WrongTarget);
    }
    for (queued, reserve) in [(of_reserve, Some(sol)), (of_market, None)] {
        let ix = instruction::execute_change(&queued, reserve, &[]);
        let other = with_account(&ix, MARKET, elsewhere.market);
        w.refuse(&other, &[&governance], KeelError::WrongMarket);
        w.send(ix, &governance).unwrap();
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let (user, payer) = (w.user(), w.chain.funded());
    let signers = [&payer];
    let queued = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 1);
    let valid = execute_ix(&w, SOL, &queued);
    let (market, reserve, vault, change) = (w.market, w.assets[SOL].reserve, user.vault, queued.address());
    let others = [("market", market), ("reserve", reserve), ("vault", vault), ("change", change)];
    let but = |name: &str| others.into_iter().filter(|(other, _)| *other != name).collect::<Vec<_>>();
    refuse_imposters(&mut w, &valid, &signers, MARKET, &but("market"));
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &but("reserve"));
    refuse_imposters(&mut w, &valid, &signers, PENDING, &but("change"));
    w.refuse(&with_account(&valid, RENT_PAYER, payer.pubkey()), &signers, ErrorCode::ConstraintAddress);
    for index in 0..PRICES {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    for count in 0..PRICES {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    w.send(valid, &payer).unwrap();
}

/// Two markets count their changes each for itself.
#[test]
fn rejects_the_change_of_another_market_with_the_same_number() {
    let mut w = bank();
    let (governance, user) = (w.governance.insecure_clone(), w.user());
    let elsewhere = other_market(&mut w, SOL, &user);
    let mut params = w.market_state().params();
    params.window += 1;
    let there = Queued { market: elsewhere.market, nonce: 1, rent_payer: governance.pubkey() };
    let queue = instruction::queue_change(governance.pubkey(), &there, there.market, Change::Market(params));
    w.send(queue, &governance).unwrap();
    let here = queue_params(&mut w, |p| p.window += 1);
    let valid = instruction::execute_change(&here, None, &[]);
    let other = with_account(&valid, PENDING, there.address());
    w.refuse(&other, &[&governance], KeelError::WrongMarket);
    w.send(valid, &governance).unwrap();
}
