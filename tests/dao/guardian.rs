//! The guardian is a council of three, two of whom are enough.

use crate::support::{Governed, governed, guardian_rules, queue, stop_borrowing};
use anchor_lang::error::ErrorCode;
use keel::KeelError;
use keel::events::{ChangeClosed, PauseSet};
use keel::state::{Change, MarketParams, pause};
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::{only_event, refused_with};
use keel_tests::dao::instruction::treasury;
use keel_tests::dao::types::{DaoError, Rules, State, Threshold, Vote};
use keel_tests::world::with_notice;
use solana_instruction::Instruction;

const DAY: u32 = 86_400;

fn stop(g: &Governed, seconds: u32) -> Instruction {
    instruction::set_pause(g.guardian, g.w.market, pause::BORROW | pause::WITHDRAW, seconds)
}

#[test]
fn two_of_three_pause_at_once() {
    for pair in [[0, 1], [0, 2], [1, 2]] {
        let mut g = governed();
        let stop = stop(&g, 3 * DAY);
        let proposal = g.alert(&stop, &pair);
        // The second vote ended it.
        assert_eq!(proposal.state(&mut g.w), State::Succeeded);
        g.w.pass(1);
        let receipt = proposal.execute(&mut g.w, 0).unwrap();
        let event = only_event::<PauseSet>(&receipt);
        assert_eq!((event.by, event.paused), (g.guardian, pause::BORROW | pause::WITHDRAW));
        assert_eq!(g.w.market_state().guardian_paused, pause::BORROW | pause::WITHDRAW);
    }
}

/// What the community queued, two members of the council veto.
#[test]
fn two_of_three_veto_what_the_community_queued() {
    let mut g = governed();
    let (market, rent) = (g.w.market, treasury(&g.governance));
    let paid = g.w.chain.account(&rent).unwrap();
    let params = MarketParams { min_position_micro_usd: 1, ..with_notice() };
    let queued = g.announce(market, Change::Market(params));
    let veto = instruction::veto_change(g.guardian, &queued);
    let proposal = g.alert(&veto, &[0, 2]);
    g.w.pass(1);
    let receipt = proposal.execute(&mut g.w, 0).unwrap();
    let event = only_event::<ChangeClosed>(&receipt);
    assert_eq!((event.change, event.by, event.vetoed), (queued.address(), g.guardian, true));
    assert_eq!(g.w.chain.account(&rent).unwrap(), paid);
    g.w.pass(2 * 86_400);
    let execute = instruction::execute_change(&queued, None, &[]);
    refused_with(g.execute(execute), ErrorCode::AccountOwnedByWrongProgram);
    assert_eq!(g.w.market_state().params(), with_notice());
}

#[test]
fn one_of_three_is_not_enough() {
    let mut g = governed();
    let stop = stop(&g, 3 * DAY);
    let proposal = g.alert(&stop, &[1]);
    assert_eq!(proposal.state(&mut g.w), State::Voting);
    g.w.pass(1);
    refused_with(proposal.execute(&mut g.w, 0), DaoError::InvalidStateCannotExecuteTransaction);
    g.w.pass(3_600);
    proposal.finalize(&mut g.w).unwrap();
    assert_eq!(proposal.state(&mut g.w), State::Defeated);
    refused_with(proposal.execute(&mut g.w, 0), DaoError::InvalidStateCannotExecuteTransaction);
    assert_eq!(g.w.market_state().guardian_paused, 0);
}

/// What the council decides, Keel still measures by the guardian's powers. The proposal stays executable.
#[test]
fn a_council_has_a_guardians_powers_and_no_more() {
    let mut g = governed();
    let too_long = stop(&g, 3 * DAY + 1);
    let proposal = g.alert(&too_long, &[0, 1]);
    g.w.pass(1);
    refused_with(proposal.execute(&mut g.w, 0), KeelError::NotPauser);
    assert_eq!(proposal.state(&mut g.w), State::Succeeded);
    let (guardian, market) = (g.guardian, g.w.market);
    let params = MarketParams { target_health_bps: 11_000, ..with_notice() };
    let (change, _) = queue(&mut g, guardian, market, Change::Market(params));
    let proposal = g.alert(&change, &[1, 2]);
    g.w.pass(1);
    refused_with(proposal.execute(&mut g.w, 0), KeelError::NotGovernance);
}

/// A threshold of two thirds, rounded up to a percent, is all three.
#[test]
fn at_67_percent_two_of_three_are_not_enough() {
    let mut g = governed();
    let rules = Rules { council_threshold: Threshold::YesVotePercentage(67), ..guardian_rules() };
    let strict = g.dao.governance(&mut g.w, rules);
    let stop = stop_borrowing(&g, strict);
    let Governed { w, dao, council, .. } = &mut g;
    let proposal = dao.propose(w, strict, dao.council, &council[0], 0, &[stop]).unwrap();
    for (voter, expected) in council.iter().zip([State::Voting, State::Voting, State::Succeeded]) {
        proposal.vote(w, voter, &Vote::yes()).unwrap();
        assert_eq!(proposal.state(w), expected);
    }
}
