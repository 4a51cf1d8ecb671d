//! `close_expired_change`.

use crate::governance::*;
use crate::support::*;
use crate::veto_change::refuse_wrong_accounts_of_a_closing;
use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::rent::Rent;
use keel::KeelError;
use keel::events::ChangeClosed;
use keel::state::{Change, PendingChange, Role};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use solana_account::Account;
use solana_signer::Signer;

#[test]
fn effects_anyone_closes_what_has_expired_and_the_rent_goes_back() {
    let mut w = noticed();
    let anybody = w.chain.funded();
    let queued = queue_params(&mut w, |p| p.window += 1);
    w.pass(DELAY + WINDOW + 1);
    let unrefunded = w.chain.account(&queued.rent_payer).unwrap();
    let before = w.snapshot(&[]);
    let receipt = w.send(instruction::close_expired_change(anybody.pubkey(), &queued), &anybody).unwrap();
    assert_eq!(before.changed(&mut w), keys([]));
    assert_eq!(w.chain.account(&queued.address()), None);
    let lamports = unrefunded.lamports + Rent::default().minimum_balance(PendingChange::SPACE);
    assert_eq!(w.chain.account(&queued.rent_payer).unwrap(), Account { lamports, ..unrefunded });
    let event: ChangeClosed = only_event(&receipt);
    assert_eq!((event.market, event.change, event.nonce), (w.market, queued.address(), queued.nonce));
    assert_eq!((event.by, event.vetoed), (anybody.pubkey(), false));
}

/// A superseded change expires like any, and the guardian may close what it may not veto.
#[test]
fn effects_closes_what_nobody_could_execute_or_veto() {
    let mut w = noticed();
    let guardian = w.guardian.insecure_clone();
    let void = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 5);
    let other = queue_config(&mut w, SOL, |c| c.limits.deposit_cap = 6);
    let own = w.queue(w.market, Change::Role { role: Role::Guardian, to: w.governance.pubkey() }).unwrap();
    w.pass(DELAY);
    execute(&mut w, SOL, &other);
    w.pass(WINDOW + 1);
    for queued in [void, own] {
        w.send(instruction::close_expired_change(guardian.pubkey(), &queued), &guardian).unwrap();
        assert_eq!(w.chain.account(&queued.address()), None);
    }
}

/// To the second, and nobody: not even governance, which can veto.
#[test]
fn rejects_what_has_not_expired() {
    let mut w = noticed();
    let start = w.chain.clock().unix_timestamp;
    let queued = queue_params(&mut w, |p| p.window += 1);
    for seconds in [0, DELAY, DELAY + WINDOW] {
        at(&mut w, start + seconds);
        for (_, signer) in signers(&w) {
            let close = instruction::close_expired_change(signer.pubkey(), &queued);
            w.refuse(&close, &[&signer], KeelError::ChangeNotExpired);
        }
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = noticed();
    let (user, anybody) = (w.user(), w.chain.funded());
    let queued = queue_params(&mut w, |p| p.window += 1);
    w.pass(DELAY + WINDOW + 1);
    w.refresh_prices();
    let valid = instruction::close_expired_change(anybody.pubkey(), &queued);
    refuse_wrong_accounts_of_a_closing(&mut w, &valid, &[&anybody], &user);
    let governance = w.governance.insecure_clone();
    w.refuse(&unsigned(&valid, 0), &[&governance], ErrorCode::AccountNotSigner);
    w.send(valid, &anybody).unwrap();
}
