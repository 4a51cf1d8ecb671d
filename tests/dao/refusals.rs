//! Nothing is executed that was not decided, nothing before its time, nothing twice.

use crate::support::{Governed, HOLD_UP, VOTING, governed, stop_borrowing};
use keel::state::pause;
use keel_client::instruction;
use keel_tests::check::refused_with;
use keel_tests::dao::Proposal;
use keel_tests::dao::types::{DaoError, State, Vote};

/// Asserts that nothing is executed, and that the market is what it was.
#[track_caller]
fn refuse(g: &mut Governed, proposal: &Proposal, expected: DaoError) {
    let before = bytemuck::bytes_of(&g.w.market_state()).to_vec();
    refused_with(proposal.execute(&mut g.w, 0), expected);
    assert_eq!(bytemuck::bytes_of(&g.w.market_state()), before);
}

#[test]
fn defeated_proposals_are_not_executed() {
    let mut g = governed();
    let cases = [
        ("half of all votes are less than 60 %", [Some(Vote::yes()), None, None]),
        ("half is against it", [Some(Vote::Deny), Some(Vote::yes()), Some(Vote::yes())]),
        ("nobody votes", [None, None, None]),
    ];
    for (case, votes) in cases {
        let stop = stop_borrowing(&g, g.governance);
        let proposal = g.propose(&[stop]);
        g.vote(&proposal, votes);
        g.end(&proposal);
        assert_eq!(proposal.state(&mut g.w), State::Defeated, "{case}");
        g.w.pass(i64::from(HOLD_UP));
        refuse(&mut g, &proposal, DaoError::InvalidStateCannotExecuteTransaction);
    }
}

/// With every vote for it, a proposal still waits for the end of the vote, for the count, and for the hold-up time.
#[test]
fn nothing_is_executed_before_its_time() {
    let mut g = governed();
    let stop = stop_borrowing(&g, g.governance);
    let proposal = g.propose(&[stop]);
    refuse(&mut g, &proposal, DaoError::InvalidStateCannotExecuteTransaction);
    g.vote(&proposal, [Some(Vote::yes()), Some(Vote::yes()), None]);
    refused_with(proposal.vote(&mut g.w, &g.community[0], &Vote::yes()), DaoError::VoteAlreadyExists);
    // To its last second.
    g.w.pass(i64::from(VOTING));
    refused_with(proposal.finalize(&mut g.w), DaoError::CannotFinalizeVotingInProgress);
    refuse(&mut g, &proposal, DaoError::InvalidStateCannotExecuteTransaction);
    g.w.pass(1);
    refused_with(proposal.vote(&mut g.w, &g.community[2], &Vote::Deny), DaoError::ProposalVotingTimeExpired);
    refuse(&mut g, &proposal, DaoError::InvalidStateCannotExecuteTransaction);
    proposal.finalize(&mut g.w).unwrap();
    // The hold-up time runs from the end of the vote, not from the count.
    g.w.pass(i64::from(HOLD_UP) - 1);
    refuse(&mut g, &proposal, DaoError::CannotExecuteTransactionWithinHoldUpTime);
    g.w.pass(1);
    proposal.execute(&mut g.w, 0).unwrap();
    assert_eq!(g.w.market_state().paused, pause::BORROW);
}

#[test]
fn nothing_is_executed_twice() {
    let mut g = governed();
    let both =
        [stop_borrowing(&g, g.governance), instruction::set_pause(g.governance, g.w.market, pause::SWAP, 86_400)];
    let proposal = g.pass(&both);
    g.w.pass(i64::from(HOLD_UP));
    proposal.execute(&mut g.w, 0).unwrap();
    assert_eq!(proposal.state(&mut g.w), State::Executing);
    refuse(&mut g, &proposal, DaoError::TransactionAlreadyExecuted);
    proposal.execute(&mut g.w, 1).unwrap();
    assert_eq!(g.w.market_state().paused, pause::SWAP);
    assert_eq!(proposal.state(&mut g.w), State::Completed);
    refuse(&mut g, &proposal, DaoError::InvalidStateCannotExecuteTransaction);
}

/// Not even its largest holder shortens the time between a vote and its effect.
#[test]
fn the_hold_up_time_has_a_minimum() {
    let mut g = governed();
    let stop = stop_borrowing(&g, g.governance);
    let Governed { w, dao, governance, community, .. } = &mut g;
    let early = dao.propose(w, *governance, dao.community, &community[0], HOLD_UP - 1, &[stop]);
    refused_with(early.map(|_| unreachable!()), DaoError::TransactionHoldUpTimeBelowRequiredMin);
}
