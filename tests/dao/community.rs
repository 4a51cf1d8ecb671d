//! What the community decides happens, and the governance account signs it.

use crate::support::{Governed, HOLD_UP, community_rules, governed, queue};
use keel::AmountSpec::Exact;
use keel::KeelError;
use keel::events::{ChangeQueued, MarketConfigured, PauseSet};
use keel::state::{Change, MarketParams, Role, pause};
use keel_client::instruction;
use keel_tests::bank::{SOL, USDC};
use keel_tests::check::{events, keys, only_event, refused_with};
use keel_tests::dao::instruction::treasury;
use keel_tests::dao::types::{State, Vote};
use keel_tests::world::with_notice;
use keel_tests::{AssetSpec, Chain};
use solana_signer::Signer;

#[test]
fn a_vote_creates_the_market() {
    let mut g = governed();
    let market = g.w.market_state();
    assert_eq!((market.governance, market.guardian), (g.governance, g.guardian));
}

#[test]
fn a_vote_pauses() {
    let mut g = governed();
    let stop = instruction::set_pause(g.governance, g.w.market, pause::BORROW, 30 * 86_400);
    let receipt = g.decide(stop).unwrap();
    let event = only_event::<PauseSet>(&receipt);
    assert_eq!((event.market, event.by, event.paused), (g.w.market, g.governance, pause::BORROW));
    let market = g.w.market_state();
    assert_eq!((market.paused, market.paused_until), (pause::BORROW, event.until));
}

/// A vote queues a change, anybody executes it after the market's own delay, and the treasury gets its rent back.
#[test]
fn a_vote_changes_the_market() {
    let mut g = governed();
    let params = MarketParams { target_health_bps: 11_000, min_position_micro_usd: 20_000_000, ..with_notice() };
    let (market, governance, rent) = (g.w.market, g.governance, treasury(&g.governance));
    let (queue, queued) = queue(&mut g, governance, market, Change::Market(params));
    let proposal = g.pass(&[queue]);
    g.w.pass(86_400);
    let (before, paid) = (g.w.snapshot_of([market, g.governance, g.guardian]), g.w.chain.account(&rent).unwrap());
    let receipt = proposal.execute(&mut g.w, 0).unwrap();
    assert_eq!(before.changed(&mut g.w), keys([market]), "the number of the next change");
    let event = only_event::<ChangeQueued>(&receipt);
    let now = g.w.chain.clock().unix_timestamp;
    assert_eq!((event.change, event.earliest), (queued.address(), now + 2 * 86_400));
    assert_eq!(proposal.state(&mut g.w), State::Completed);
    assert_eq!(g.w.market_state().params(), with_notice());

    let execute = instruction::execute_change(&queued, None, &[]);
    g.w.pass(2 * 86_400 - 1);
    refused_with(g.execute(execute.clone()), KeelError::ChangeTooEarly);
    g.w.pass(1);
    let receipt = g.execute(execute).unwrap();
    assert_eq!(events::<MarketConfigured>(&receipt).len(), 1);
    assert_eq!(g.w.market_state().params(), params);
    assert_eq!(g.w.chain.account(&rent).unwrap(), paid);
}

/// The largest change fits a proposal, the treasury pays its rent, and the market works.
#[test]
fn votes_list_assets() {
    let mut g = governed();
    for spec in [AssetSpec::sol(), AssetSpec { feeds: 2, ..AssetSpec::usdc() }] {
        let mint = g.w.create_mint(spec.decimals, &spec.token_program);
        let config = g.w.announce(&spec, mint);
        let asset = g.w.assets.len() - 1;
        let (reserve, prices) = (g.w.assets[asset].reserve, g.w.assets[asset].prices.clone());
        let queued = g.announce(mint, Change::List { config: config.without_caps() });
        g.w.pass(2 * 86_400);
        g.w.refresh_prices();
        let payer = g.w.chain.funded();
        let list = instruction::init_reserve(payer.pubkey(), &queued, mint, spec.token_program, &prices);
        g.w.send(list, &payer).unwrap();
        // Its caps are a second vote, and a second delay.
        let queued = g.announce(reserve, Change::Reserve { config, ramp: 0 });
        g.w.pass(2 * 86_400);
        g.execute(instruction::execute_change(&queued, Some(reserve), &[])).unwrap();
        assert_eq!(g.w.listed(), asset);
    }
    g.w.refresh_prices();
    let lender = g.w.supplier(USDC, 100_000_000_000);
    let borrower = g.w.supplier(SOL, 10_000_000_000);
    g.w.fund(&borrower.key(), USDC, 0);
    g.w.borrow(&borrower, USDC, 500_000_000).unwrap();
    assert_eq!(g.w.balance(&borrower.key(), USDC), 500_000_000);
    g.w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
}

/// The market is handed over from one of the DAO's accounts to another. Accepting takes a vote as well, which lasts longer
/// than an offer stands: it has to be taken before.
#[test]
fn votes_hand_the_market_over() {
    let mut g = governed();
    let successor = g.dao.governance(&mut g.w, community_rules());
    let market = g.w.market;
    let Governed { w, dao, community, .. } = &mut g;
    let accept = instruction::accept_role(successor, market, Role::Governance);
    let acceptance = dao.propose(w, successor, dao.community, &community[0], HOLD_UP, &[accept]).unwrap();
    for voter in &community[..2] {
        acceptance.vote(w, voter, &Vote::yes()).unwrap();
    }
    g.end(&acceptance);
    g.w.pass(i64::from(HOLD_UP));
    refused_with(acceptance.execute(&mut g.w, 0), KeelError::RoleNotOffered);

    let queued = g.announce(market, Change::Role { role: Role::Governance, to: successor });
    g.w.pass(2 * 86_400);
    g.execute(instruction::execute_change(&queued, None, &[])).unwrap();
    assert_eq!(g.w.market_state().governance, g.governance);
    acceptance.execute(&mut g.w, 0).unwrap();
    assert_eq!(g.w.market_state().governance, successor);
}
