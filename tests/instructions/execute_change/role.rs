//! `execute_change` of a role: it is offered.

use crate::governance::*;
use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::{RoleGiven, RoleOffered};
use keel::state::{Change, Offer, Role, pause};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{event_among, keys};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn offer(w: &mut Bank, role: Role, to: &Keypair) {
    w.change_market(Change::Role { role, to: to.pubkey() }).unwrap();
}

fn accept(w: &mut Bank, role: Role, signer: &Keypair) {
    w.send(instruction::accept_role(signer.pubkey(), w.market, role), signer).unwrap();
}

/// Nobody has another role yet: it is on offer for the market's window.
#[test]
fn effects_offers_the_role_and_nothing_else() {
    for (role, number) in [(Role::Governance, 0), (Role::Guardian, 1), (Role::RiskSteward, 2)] {
        let (mut w, lender, _) = lent();
        let (to, now) = (w.chain.funded().pubkey(), w.chain.clock().unix_timestamp);
        let mut expected = w.market_state();
        let before = w.snapshot(&[&lender]);
        let receipt = w.change_market(Change::Role { role, to }).unwrap();
        assert_eq!(before.changed(&mut w), keys([w.market]));
        expected.offers[number] = Offer { to, until: now + WINDOW };
        expected.role_revisions[number] += 1;
        expected.next_change += 1;
        assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
        let event: RoleOffered = event_among(&receipt, 3);
        assert_eq!((event.market, event.role, event.to, event.until), (w.market, role, to, now + WINDOW));
    }
}

/// Nobody accepts for nobody: the risk steward is dismissed with the execution.
#[test]
fn effects_dismisses_the_risk_steward() {
    let mut w = bank();
    let (role, nobody) = (Role::RiskSteward, Pubkey::default());
    let successor = w.chain.funded();
    offer(&mut w, role, &successor);
    let mut expected = w.market_state();
    let receipt = w.change_market(Change::Role { role, to: nobody }).unwrap();
    expected.risk_steward = nobody;
    // What was on offer is not any more.
    expected.offers[2] = Offer::default();
    expected.role_revisions[2] += 1;
    expected.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&expected));
    let event: RoleGiven = event_among(&receipt, 3);
    assert_eq!((event.market, event.role, event.to), (w.market, role, nobody));
    let accept = instruction::accept_role(successor.pubkey(), w.market, role);
    w.refuse(&accept, &[&successor], KeelError::RoleNotOffered);
}

/// A guardian that was replaced pauses nothing any more.
#[test]
fn effects_replaces_the_guardian() {
    let mut w = bank();
    let (first, old, new) = (w.guardian.insecure_clone(), w.chain.funded(), w.chain.funded());
    for (guardian, other) in [(&old, &first), (&new, &old), (&old, &new)] {
        offer(&mut w, Role::Guardian, guardian);
        let by = |guardian: &Keypair| instruction::set_pause(guardian.pubkey(), w.market, pause::BORROW, 60);
        let (by_other, by_guardian) = (by(other), by(guardian));
        // An offer is not enough.
        w.refuse(&by_guardian, &[guardian], KeelError::NotPauser);
        accept(&mut w, Role::Guardian, guardian);
        w.refuse(&by_other, &[other], KeelError::NotPauser);
        w.send(by_guardian, guardian).unwrap();
        w.pass(60 + 3 * 86_400);
    }
}

/// Governance that was replaced queues nothing any more, and what it queued can be vetoed by the new one.
#[test]
fn effects_replaces_governance() {
    let mut w = bank();
    let (old, new) = (w.governance.insecure_clone(), w.chain.funded());
    let left = queue_params(&mut w, |p| p.window += 1);
    offer(&mut w, Role::Governance, &new);
    accept(&mut w, Role::Governance, &new);
    let (market, params) = (w.market, w.market_state().params());
    let change = Change::Market(keel::state::MarketParams { window: params.window + 2, ..params });
    let (by_old, _) = w.queue_ix(market, change);
    w.refuse(&by_old, &[&old], KeelError::NotGovernance);
    w.refuse(&instruction::veto_change(old.pubkey(), &left), &[&old], KeelError::NotVetoer);
    w.send(instruction::veto_change(new.pubkey(), &left), &new).unwrap();
    w.governance = new;
    w.change_market(change).unwrap();
}

/// A later offer takes the place of an earlier one.
#[test]
fn effects_a_later_offer_replaces_an_earlier_one() {
    let mut w = bank();
    let (first, second) = (w.chain.funded(), w.chain.funded());
    offer(&mut w, Role::Guardian, &first);
    offer(&mut w, Role::Guardian, &second);
    let late = instruction::accept_role(first.pubkey(), w.market, Role::Guardian);
    w.refuse(&late, &[&first], KeelError::RoleNotOffered);
    accept(&mut w, Role::Guardian, &second);
    assert_eq!(w.market_state().guardian, second.pubkey());
}

/// Offered, accepted or dismissed: changes of the role that were queued before are void.
#[test]
fn rejects_what_was_queued_before_the_role_changed() {
    let mut w = bank();
    let (market, guardian) = (w.market, w.guardian.insecure_clone());
    let (first, second) = (w.chain.funded(), w.chain.funded());
    let (one, other) = (first.pubkey(), second.pubkey());
    let refuse = |w: &mut Bank, queued| {
        w.refuse(&instruction::execute_change(&queued, None, &[]), &[&guardian], KeelError::ChangeSuperseded);
    };
    // By another offer.
    let late = w.queue(market, Change::Role { role: Role::Governance, to: one }).unwrap();
    offer(&mut w, Role::Governance, &second);
    refuse(&mut w, late);
    // By its acceptance: otherwise the predecessor's change would still name a successor.
    let late = w.queue(market, Change::Role { role: Role::Governance, to: one }).unwrap();
    accept(&mut w, Role::Governance, &second);
    refuse(&mut w, late);
    w.governance = second;
    // By a dismissal without notice.
    let late = w.queue(market, Change::Role { role: Role::RiskSteward, to: other }).unwrap();
    let dismissal = Change::Role { role: Role::RiskSteward, to: Pubkey::default() };
    w.send(instruction::tighten(guardian.pubkey(), market, None, dismissal), &guardian).unwrap();
    refuse(&mut w, late);
}
