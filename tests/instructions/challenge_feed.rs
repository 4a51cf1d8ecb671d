//! `challenge_feed`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::KeelError;
use keel::events::FeedChallenged;
use keel::state::LastPrice;
use keel_client::instruction;
use keel_tests::check::{keys, only_event};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};

const RESERVE: usize = 0;

fn challenged_at(w: &mut Bank, asset: usize) -> [i64; 2] {
    w.reserve(asset).last_prices.map(|last| last.challenged_at)
}

#[test]
fn effects_opens_a_challenge_to_one_feed() {
    let spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let mut w = World::with(ProgramTestChain::new(), &[spec, AssetSpec::usdc()]);
    let stranger = w.user();
    w.pass(7);
    let now = w.chain.clock().unix_timestamp;
    let before = w.snapshot(&[&stranger]);
    let prices = w.reserve(0).last_prices;
    let receipt = w.send(instruction::challenge_feed(w.assets[0].reserve, 1), &stranger.keypair).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.assets[0].reserve]));
    let expected = [prices[0], LastPrice { challenged_at: now, ..prices[1] }];
    assert_eq!(w.reserve(0).last_prices, expected);
    let event: FeedChallenged = only_event(&receipt);
    assert_eq!((event.reserve, event.feed), (w.assets[0].reserve, 1));

    w.pass(3);
    w.challenge(0, 0).unwrap();
    assert_eq!(challenged_at(&mut w, 0), [now + 3, now]);
}

/// Otherwise whoever wants to hold up a liquidation would challenge again and again.
#[test]
fn effects_an_open_challenge_is_not_restarted() {
    let mut w = bank();
    w.challenge(SOL, 0).unwrap();
    let opened = challenged_at(&mut w, SOL)[0];
    w.pass(100);
    w.challenge(SOL, 0).unwrap();
    assert_eq!(challenged_at(&mut w, SOL)[0], opened);
    w.pass(1_000);
    w.challenge(SOL, 0).unwrap();
    assert_eq!(challenged_at(&mut w, SOL)[0], opened);
}

/// Whichever instruction accepts a price answers.
#[test]
fn effects_an_accepted_price_answers() {
    let (mut w, _, borrower) = lent();
    let open = |w: &mut Bank, asset: usize| {
        w.challenge(asset, 0).unwrap();
        w.pass(10);
        w.refresh_prices();
        assert_ne!(challenged_at(w, asset)[0], 0);
    };
    open(&mut w, SOL);
    w.refresh(SOL).unwrap();
    assert_eq!(challenged_at(&mut w, SOL)[0], 0);

    open(&mut w, USDC);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    assert_eq!(challenged_at(&mut w, USDC)[0], 0);

    open(&mut w, SOL);
    w.withdraw(&borrower, SOL, keel::AmountSpec::Exact(1)).unwrap();
    assert_eq!(challenged_at(&mut w, SOL)[0], 0);

    open(&mut w, SOL);
    open(&mut w, USDC);
    w.set_price(SOL, 160_00);
    w.set_price(USDC, 1_00);
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    assert_eq!((challenged_at(&mut w, SOL)[0], challenged_at(&mut w, USDC)[0]), (0, 0));

    // What does not accept a price does not answer: a deposit, an accrual, a price too old.
    open(&mut w, SOL);
    w.fund(&borrower.key(), SOL, 1);
    w.deposit(&borrower, SOL, keel::AmountSpec::Exact(1)).unwrap();
    let governance = w.governance.insecure_clone();
    w.send(instruction::accrue_reserve(&w.book, w.assets[SOL].reserve), &governance).unwrap();
    assert_ne!(challenged_at(&mut w, SOL)[0], 0);
}

#[test]
fn rejects_feeds_that_the_reserve_does_not_have() {
    let spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let mut w = World::with(ProgramTestChain::new(), &[spec, AssetSpec::usdc()]);
    let governance = w.governance.insecure_clone();
    for (asset, feed) in [(0, 2), (0, 255), (1, 1), (1, 2)] {
        let challenge = instruction::challenge_feed(w.assets[asset].reserve, feed);
        w.refuse_case(&format!("{asset} {feed}"), &challenge, &[&governance], KeelError::NoSuchFeed);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let user = w.user();
    let governance = w.governance.insecure_clone();
    let valid = instruction::challenge_feed(w.assets[SOL].reserve, 0);
    let market = w.market;
    refuse_imposters(&mut w, &valid, &[&governance], RESERVE, &[("market", market), ("vault", user.vault)]);
    w.refuse(&read_only(&valid, RESERVE), &[&governance], ErrorCode::ConstraintMut);
    w.refuse(&truncated(&valid, 0), &[&governance], ErrorCode::AccountNotEnoughKeys);
    w.send(valid, &governance).unwrap();
}
