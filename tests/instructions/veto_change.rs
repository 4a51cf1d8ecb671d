//! `veto_change`.

use crate::governance::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::rent::Rent;
use keel::KeelError;
use keel::events::ChangeClosed;
use keel::state::{Change, PendingChange, Role};
use keel_client::instruction::{self, Queued};
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::market_params;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const PENDING: usize = 2;
const RENT_PAYER: usize = 3;

/// Queues other parameters, paid for by somebody else.
fn paid_by(w: &mut Bank, payer: &Keypair) -> Queued {
    let (governance, queued) = (w.governance.insecure_clone(), w.next_change());
    let queued = Queued { rent_payer: payer.pubkey(), ..queued };
    let mut params = w.market_state().params();
    params.window += 1;
    let queue = instruction::queue_change(governance.pubkey(), &queued, w.market, Change::Market(params));
    w.chain.send(&[queue], &[payer, &governance]).unwrap();
    queued
}

/// Before its time, in it and after it. Who paid has the rent back.
#[test]
fn effects_governance_and_guardian_close_a_change() {
    let mut w = noticed();
    let payer = w.chain.funded();
    for (_, signer) in &signers(&w)[..2] {
        for seconds in [0, DELAY, DELAY + WINDOW + 1] {
            let queued = paid_by(&mut w, &payer);
            w.pass(seconds);
            let unrefunded = w.chain.account(&payer.pubkey()).unwrap();
            let before = w.snapshot(&[]);
            let receipt = w.send(instruction::veto_change(signer.pubkey(), &queued), signer).unwrap();
            assert_eq!(before.changed(&mut w), keys([]));
            assert_eq!(w.chain.account(&queued.address()), None);
            let lamports = unrefunded.lamports + Rent::default().minimum_balance(PendingChange::SPACE);
            assert_eq!(w.chain.account(&payer.pubkey()).unwrap(), Account { lamports, ..unrefunded });
            let event: ChangeClosed = only_event(&receipt);
            assert_eq!((event.market, event.change, event.nonce), (w.market, queued.address(), queued.nonce));
            assert_eq!((event.by, event.vetoed), (signer.pubkey(), true));
            // It is gone for everybody.
            let late = instruction::execute_change(&queued, None, &[]);
            w.refuse(&late, &[signer], ErrorCode::AccountOwnedByWrongProgram);
        }
    }
}

/// Every kind, but for the one in the next test.
#[test]
fn effects_the_guardian_vetoes_every_kind() {
    let mut w = noticed();
    let (guardian, market, sol) = (w.guardian.insecure_clone(), w.market, w.assets[SOL].reserve);
    let to = guardian.pubkey();
    let config = changed(&mut w, SOL, |c| c.flash_fee_bps = 1);
    let changes = [
        (market, Change::Role { role: Role::Governance, to }),
        (market, Change::Role { role: Role::RiskSteward, to }),
        (market, Change::Role { role: Role::RiskSteward, to: Pubkey::default() }),
        (Pubkey::new_unique(), Change::List { config: config.without_caps() }),
        (sol, Change::ListMinted { config: crate::minted::config().without_caps() }),
        (sol, Change::Reserve { config, ramp: 0 }),
        (sol, Change::WithdrawInsurance { amount: 1, to }),
    ];
    for (target, change) in changes {
        let queued = w.queue(target, change).unwrap();
        w.send(instruction::veto_change(guardian.pubkey(), &queued), &guardian).unwrap();
        assert_eq!(w.chain.account(&queued.address()), None, "{change:?}");
    }
}

/// A stolen guardian key could otherwise never be replaced.
#[test]
fn rejects_the_guardians_veto_of_its_own_role() {
    let mut w = noticed();
    let (governance, guardian) = (w.governance.insecure_clone(), w.guardian.insecure_clone());
    let successor = w.chain.funded();
    let change = Change::Role { role: Role::Guardian, to: successor.pubkey() };
    let (kept, closed) = (w.queue(w.market, change).unwrap(), w.queue(w.market, change).unwrap());
    for queued in [&kept, &closed] {
        w.refuse(&instruction::veto_change(guardian.pubkey(), queued), &[&guardian], KeelError::NotVetoer);
    }
    w.send(instruction::veto_change(governance.pubkey(), &closed), &governance).unwrap();
    w.pass(DELAY);
    w.refuse(&instruction::veto_change(guardian.pubkey(), &kept), &[&guardian], KeelError::NotVetoer);
    w.send(instruction::execute_change(&kept, None, &[]), &successor).unwrap();
    w.send(instruction::accept_role(successor.pubkey(), w.market, Role::Guardian), &successor).unwrap();
    // From then on it is the successor who vetoes.
    let queued = queue_params(&mut w, |p| p.window += 1);
    w.refuse(&instruction::veto_change(guardian.pubkey(), &queued), &[&guardian], KeelError::NotVetoer);
    w.send(instruction::veto_change(successor.pubkey(), &queued), &successor).unwrap();
}

#[test]
fn rejects_everybody_else() {
    let mut w = noticed();
    let (payer, thief) = (w.chain.funded(), w.chain.funded());
    let queued = paid_by(&mut w, &payer);
    let key = thief.pubkey();
    w.send(instruction::init_market(key, key, 1, market_params(), key, key), &thief).unwrap();
    let steward = w.risk_steward.insecure_clone();
    for other in [&steward, &payer, &thief] {
        w.refuse(&instruction::veto_change(other.pubkey(), &queued), &[other], KeelError::NotVetoer);
    }
    let governance = w.governance.insecure_clone();
    let valid = instruction::veto_change(governance.pubkey(), &queued);
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = noticed();
    let (user, guardian) = (w.user(), w.guardian.insecure_clone());
    let signers = [&guardian];
    let queued = queue_params(&mut w, |p| p.window += 1);
    let valid = instruction::veto_change(guardian.pubkey(), &queued);
    refuse_wrong_accounts_of_a_closing(&mut w, &valid, &signers, &user);
    w.send(valid, &guardian).unwrap();
}

/// Asserts that none of the accounts of `valid`, a veto or the closing of an expired change, can be exchanged.
#[track_caller]
pub fn refuse_wrong_accounts_of_a_closing(
    w: &mut Bank,
    valid: &solana_instruction::Instruction,
    signers: &[&Keypair],
    user: &keel_tests::world::User,
) {
    let (market, reserve, change) = (w.market, w.assets[SOL].reserve, valid.accounts[PENDING].pubkey);
    let (reserves, vault) = (("reserve", reserve), ("vault", user.vault));
    refuse_imposters(w, valid, signers, MARKET, &[reserves, vault, ("change", change)]);
    refuse_imposters(w, valid, signers, PENDING, &[reserves, vault, ("market", market)]);
    let elsewhere = other_market(w, SOL, user);
    w.refuse(&with_account(valid, MARKET, elsewhere.market), signers, KeelError::WrongMarket);
    w.refuse(&with_account(valid, RENT_PAYER, user.key()), signers, ErrorCode::ConstraintAddress);
    for index in [PENDING, RENT_PAYER] {
        w.refuse(&read_only(valid, index), signers, ErrorCode::ConstraintMut);
    }
    for count in MARKET..=RENT_PAYER {
        w.refuse(&truncated(valid, count), signers, ErrorCode::AccountNotEnoughKeys);
    }
}
