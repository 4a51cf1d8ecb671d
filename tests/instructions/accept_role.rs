//! `accept_role`.

use crate::governance::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::KeelError;
use keel::events::RoleGiven;
use keel::state::{Change, Market, Offer, Role};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use solana_keypair::Keypair;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const ROLES: [Role; 3] = [Role::Governance, Role::Guardian, Role::RiskSteward];

/// Offers a role in a market without a delay.
fn offer(w: &mut Bank, role: Role, to: &Keypair) {
    w.change_market(Change::Role { role, to: to.pubkey() }).unwrap();
}

/// What is left of a market when a role changes hands.
fn given(mut market: Market, role: Role, to: &Keypair) -> Market {
    match role {
        Role::Governance => market.governance = to.pubkey(),
        Role::Guardian => market.guardian = to.pubkey(),
        Role::RiskSteward => market.risk_steward = to.pubkey(),
    }
    market.offers[role.number()] = Offer::default();
    market.role_revisions[role.number()] += 1;
    market
}

/// In the last second of the offer too, and of each role alone.
#[test]
fn effects_gives_the_role_and_nothing_else() {
    for seconds in [0, WINDOW] {
        let (mut w, lender, _) = lent();
        let takers = ROLES.map(|role| {
            let taker = w.chain.funded();
            offer(&mut w, role, &taker);
            taker
        });
        w.pass(seconds);
        for (role, taker) in ROLES.into_iter().zip(&takers) {
            let (before, expected) = (w.snapshot(&[&lender]), given(w.market_state(), role, taker));
            let receipt = w.send(instruction::accept_role(taker.pubkey(), w.market, role), taker).unwrap();
            assert_eq!(before.changed(&mut w), keys([w.market]));
            assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
            let event: RoleGiven = only_event(&receipt);
            assert_eq!((event.market, event.role, event.to), (w.market, role, taker.pubkey()));
        }
    }
}

/// The offer counts from the execution of the change, not from when that was queued.
#[test]
fn rejects_an_offer_that_expired() {
    let mut w = noticed();
    let (start, taker) = (w.chain.clock().unix_timestamp, w.chain.funded());
    let queued = w.queue(w.market, Change::Role { role: Role::Guardian, to: taker.pubkey() }).unwrap();
    let accept = instruction::accept_role(taker.pubkey(), w.market, Role::Guardian);
    w.refuse(&accept, &[&taker], KeelError::RoleNotOffered);
    let executed = start + DELAY + WINDOW;
    at(&mut w, executed);
    w.send(instruction::execute_change(&queued, None, &[]), &taker).unwrap();
    at(&mut w, executed + WINDOW + 1);
    w.refuse(&accept, &[&taker], KeelError::RoleNotOffered);
    at(&mut w, executed + WINDOW);
    w.send(accept, &taker).unwrap();
}

#[test]
fn rejects_whoever_it_was_not_offered_to() {
    let mut w = bank();
    let (taker, thief) = (w.chain.funded(), w.chain.funded());
    let everybody =
        [w.governance.insecure_clone(), w.guardian.insecure_clone(), w.risk_steward.insecure_clone(), thief];
    for role in ROLES {
        // Nothing is on offer, not even to whom has the role.
        for other in everybody.iter().chain([&taker]) {
            let accept = instruction::accept_role(other.pubkey(), w.market, role);
            w.refuse(&accept, &[other], KeelError::RoleNotOffered);
        }
    }
    offer(&mut w, Role::Guardian, &taker);
    for other in &everybody {
        let accept = instruction::accept_role(other.pubkey(), w.market, Role::Guardian);
        w.refuse(&accept, &[other], KeelError::RoleNotOffered);
    }
    // One role is no other, and an offer is one of one market.
    for role in [Role::Governance, Role::RiskSteward] {
        let accept = instruction::accept_role(taker.pubkey(), w.market, role);
        w.refuse(&accept, &[&taker], KeelError::RoleNotOffered);
    }
    let valid = instruction::accept_role(taker.pubkey(), w.market, Role::Guardian);
    let user = w.user();
    let elsewhere = other_market(&mut w, SOL, &user);
    w.refuse(&with_account(&valid, MARKET, elsewhere.market), &[&taker], KeelError::RoleNotOffered);
    w.send(valid.clone(), &taker).unwrap();
    // Once: whom it is taken from again cannot take it back.
    w.refuse(&valid, &[&taker], KeelError::RoleNotOffered);
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let (user, taker, governance) = (w.user(), w.chain.funded(), w.governance.insecure_clone());
    offer(&mut w, Role::Governance, &taker);
    let valid = instruction::accept_role(taker.pubkey(), w.market, Role::Governance);
    let (reserve, change) = (w.assets[SOL].reserve, queue_params(&mut w, |p| p.window += 1).address());
    let others = [("reserve", reserve), ("vault", user.vault), ("change", change)];
    refuse_imposters(&mut w, &valid, &[&taker], MARKET, &others);
    w.refuse(&read_only(&valid, MARKET), &[&taker], ErrorCode::ConstraintMut);
    w.refuse(&unsigned(&valid, SIGNER), &[&governance], ErrorCode::AccountNotSigner);
    w.refuse(&truncated(&valid, MARKET), &[&taker], ErrorCode::AccountNotEnoughKeys);
    w.send(valid, &taker).unwrap();
}
