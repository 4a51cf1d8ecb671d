//! Which account fits Keel's `governance` and which pays.

use crate::support::{governed, stop_borrowing};
use keel::KeelError;
use keel::state::{Change, MarketParams};
use keel_client::instruction::{self, Queued};
use keel_tests::Chain;
use keel_tests::check::refused_with;
use keel_tests::dao::instruction::treasury;
use keel_tests::world::with_notice;
use solana_instruction::error::InstructionError;

/// The governance account has data, and the system program takes no lamports from such accounts.
#[test]
fn the_governance_account_signs_but_cannot_pay() {
    let mut g = governed();
    let governance = g.governance;
    let queued = Queued { rent_payer: governance, ..g.w.next_change() };
    let change = Change::Market(MarketParams { target_health_bps: 11_000, ..with_notice() });
    let queue = instruction::queue_change(governance, &queued, g.w.market, change);
    let proposal = g.pass(&[queue]);
    g.w.pass(86_400);
    // It has the lamports.
    let mut account = g.w.chain.account(&governance).unwrap();
    account.lamports += 1_000_000_000;
    g.w.chain.set_account(&governance, account);
    refused_with(proposal.execute(&mut g.w, 0), InstructionError::InvalidArgument);
}

/// The treasury signs like any other address, so it could be Keel's `governance` as well. It is not: what pays should
/// not also be what everything depends on.
#[test]
fn the_treasury_is_another_signer() {
    let mut g = governed();
    let payer = treasury(&g.governance);
    let own = instruction::init_market(payer, payer, 1, with_notice(), payer, payer);
    g.decide(own).unwrap();
    assert_eq!(g.w.market_state().governance, g.governance);
    let stop = stop_borrowing(&g, payer);
    refused_with(g.decide(stop), KeelError::NotPauser);
}

/// A vote of one governance account signs for no other one, not even of the same realm.
#[test]
fn a_vote_signs_for_its_own_account_only() {
    let mut g = governed();
    let stop = stop_borrowing(&g, g.governance);
    let proposal = g.alert(&stop, &[0, 1]);
    g.w.pass(1);
    refused_with(proposal.execute(&mut g.w, 0), InstructionError::PrivilegeEscalation);
}
