//! How much leaves a reserve within an hour and a day, and what no limit stops.

use crate::minted::start::*;
use crate::support::*;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::{Liquidated, Redeemed, Swapped};
use keel::state::{Change, Limits, pause};
use keel_client::instruction::{self, Liquidation};
use keel_tests::check::events;
use keel_tests::world::{User, refused};
use keel_tests::{AssetSpec, Chain, Failure, Receipt};
use solana_keypair::Keypair;
use solana_signer::Signer;

const HOUR: i64 = 3_600;

/// [`lent`] with limits on what leaves an asset, in native units.
fn limited(asset: usize, hourly: u64, daily: u64) -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    limit(&mut w, asset, hourly, daily);
    (w, lender, borrower)
}

fn limit(w: &mut Bank, asset: usize, hourly: u64, daily: u64) {
    w.configure(asset, |c| (c.limits.hourly_outflow, c.limits.daily_outflow) = (hourly, daily)).unwrap();
}

/// What the account says left within the hour and the day.
fn levels(w: &mut Bank, asset: usize) -> (f64, f64) {
    let outflow = w.reserve(asset).outflow;
    (number(outflow.hour.get()), number(outflow.day.get()))
}

#[track_caller]
fn exceeds(result: Result<Receipt, Failure>) {
    refused(result, KeelError::OutflowLimitExceeded);
}

/// Withdrawals and loans of everybody fill one window, to the last unit.
#[test]
fn withdrawals_and_loans_share_a_limit() {
    for (hourly, daily) in [(1_000_000_000, u64::MAX), (u64::MAX, 1_000_000_000), (1_000_000_000, 1_000_000_000)] {
        let (mut w, lender, borrower) = limited(USDC, hourly, daily);
        exceeds(w.withdraw(&lender, USDC, Exact(1_000_000_001)));
        exceeds(w.withdraw(&lender, USDC, All));
        exceeds(w.borrow(&borrower, USDC, 1_000_000_001));
        w.withdraw(&lender, USDC, Exact(400_000_000)).unwrap();
        exceeds(w.borrow(&borrower, USDC, 600_000_001));
        w.borrow(&borrower, USDC, 500_000_000).unwrap();
        exceeds(w.withdraw(&lender, USDC, Exact(100_000_001)));
        w.withdraw(&lender, USDC, Exact(100_000_000)).unwrap();
        exceeds(w.withdraw(&lender, USDC, Exact(1)));
        exceeds(w.borrow(&borrower, USDC, 1));
        // Another asset has a window of its own.
        w.withdraw(&borrower, SOL, Exact(10_000_000_000)).unwrap();
    }
}

/// A refused withdrawal counts nothing: who asks for too much takes no room from others.
#[test]
fn a_refusal_counts_nothing() {
    let (mut w, lender, _) = limited(USDC, 1_000, 1_000);
    let (vault, actor) = (w.vault(&lender.vault), w.actor(&lender, USDC));
    let much = instruction::withdraw(&w.book, &vault, &actor, Exact(1_001)).unwrap();
    w.refuse(&much, &[&lender.keypair], KeelError::OutflowLimitExceeded);
    w.withdraw(&lender, USDC, Exact(1_000)).unwrap();
}

/// The hour's window drains by the limit per hour: 277,777.7 units a second.
#[test]
fn the_hour_drains_with_time() {
    let (mut w, lender, _) = limited(USDC, 1_000_000_000, u64::MAX);
    w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
    w.pass(1);
    exceeds(w.withdraw(&lender, USDC, Exact(277_778)));
    w.withdraw(&lender, USDC, Exact(277_777)).unwrap();
    w.pass(1_800);
    exceeds(w.withdraw(&lender, USDC, Exact(500_000_001)));
    w.withdraw(&lender, USDC, Exact(500_000_000)).unwrap();
    // An hour later it is empty, and a year later not emptier.
    for seconds in [HOUR, 8_760 * HOUR] {
        w.pass(seconds);
        exceeds(w.withdraw(&lender, USDC, Exact(1_000_000_001)));
        w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
    }
}

/// 1,000 an hour, 3,000 a day: after three hours the day has room for 375.
#[test]
fn the_day_drains_beside_the_hour() {
    let (mut w, lender, _) = limited(USDC, 1_000_000_000, 3_000_000_000);
    for _ in 0..3 {
        w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
        w.pass(HOUR);
    }
    exceeds(w.withdraw(&lender, USDC, Exact(375_000_001)));
    w.withdraw(&lender, USDC, Exact(374_999_999)).unwrap();
    w.pass(24 * HOUR);
    w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
}

/// Deposits and repayments make room for as much again, but not for more: what came in before while nothing had left is no
/// credit.
#[test]
fn what_comes_in_makes_room_and_no_credit() {
    let (mut w, lender, borrower) = limited(USDC, 1_000_000_000, 2_000_000_000);
    w.fund(&lender.key(), USDC, 50_000_000_000);
    w.deposit(&lender, USDC, Exact(40_000_000_000)).unwrap();
    w.pass(1);
    exceeds(w.withdraw(&lender, USDC, Exact(1_000_000_001)));
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    w.deposit(&lender, USDC, Exact(300_000_000)).unwrap();
    exceeds(w.withdraw(&lender, USDC, Exact(300_000_001)));
    w.withdraw(&lender, USDC, Exact(300_000_000)).unwrap();
    w.repay(&borrower, USDC, Exact(200_000_000)).unwrap();
    exceeds(w.withdraw(&lender, USDC, Exact(200_000_001)));
    w.withdraw(&lender, USDC, Exact(200_000_000)).unwrap();
    assert_eq!(levels(&mut w, USDC), (1e9, 1e9));
    w.deposit(&lender, USDC, Exact(5_000_000_000)).unwrap();
    assert_eq!(levels(&mut w, USDC), (0.0, 0.0));
    w.pass(1);
    exceeds(w.withdraw(&lender, USDC, Exact(1_000_000_001)));
}

#[test]
fn no_limit_counts_nothing() {
    let (mut w, lender, borrower) = lent();
    w.withdraw(&lender, USDC, Exact(80_000_000_000)).unwrap();
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    assert_eq!(levels(&mut w, USDC), (0.0, 0.0));
    // So that a limit that is set counts from then on.
    limit(&mut w, USDC, u64::MAX, 1_000);
    exceeds(w.withdraw(&lender, USDC, Exact(1_001)));
    w.withdraw(&lender, USDC, Exact(1_000)).unwrap();
    assert_eq!(levels(&mut w, USDC), (0.0, 1_000.0));
}

/// A limit that is lowered counts what has left already.
#[test]
fn a_lower_limit_holds_at_once() {
    let (mut w, lender, _) = limited(USDC, 1_000_000_000, u64::MAX);
    w.withdraw(&lender, USDC, Exact(800_000_000)).unwrap();
    limit(&mut w, USDC, 400_000_000, u64::MAX);
    exceeds(w.withdraw(&lender, USDC, Exact(1)));
    // It takes an hour until 400 are drained.
    w.pass(HOUR);
    exceeds(w.withdraw(&lender, USDC, Exact(1)));
    w.pass(9);
    exceeds(w.withdraw(&lender, USDC, Exact(1_000_001)));
    w.withdraw(&lender, USDC, Exact(999_999)).unwrap();
}

/// Half an hour drained half of what left. Another limit takes over that, and changes nothing of what was drained.
#[test]
fn another_limit_does_not_reach_into_the_past() {
    for (hourly, room) in [(2_000_000_000, 1_500_000_000), (600_000_000, 100_000_000)] {
        let (mut w, lender, _) = limited(USDC, 1_000_000_000, u64::MAX);
        w.withdraw(&lender, USDC, Exact(1_000_000_000)).unwrap();
        w.pass(HOUR / 2);
        limit(&mut w, USDC, hourly, u64::MAX);
        assert_eq!(levels(&mut w, USDC), (5e8, 0.0));
        exceeds(w.withdraw(&lender, USDC, Exact(room + 1)));
        w.withdraw(&lender, USDC, Exact(room)).unwrap();
        // From here on it drains as it now says.
        w.pass(HOUR / 2);
        exceeds(w.withdraw(&lender, USDC, Exact(hourly / 2 + 1)));
        w.withdraw(&lender, USDC, Exact(hourly / 2)).unwrap();
    }
}

/// A vault with 100 SOL that owes 14,000 USDC while SOL is at 160 dollars, and its keeper.
fn unhealthy() -> (Bank, User, Keypair) {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 160_00);
    let keeper = keeper(&mut w, USDC, SOL, 14_000_000_000);
    (w, borrower, keeper)
}

/// Liquidations are never refused, and fill the window for everybody else.
#[test]
fn a_liquidation_counts_and_is_never_refused() {
    let (mut w, borrower, keeper) = unhealthy();
    let other = w.supplier(SOL, 5_000_000_000);
    limit(&mut w, SOL, 1_000_000_000, 1_000_000_000);
    limit(&mut w, USDC, 500_000_000, u64::MAX);
    w.withdraw(&other, SOL, Exact(1_000_000_000)).unwrap();
    let receipt = w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let event = events::<Liquidated>(&receipt).pop().unwrap();
    assert!(event.to_keeper > 60_000_000_000);
    let left = (event.to_keeper + 1_000_000_000) as f64;
    assert_eq!(levels(&mut w, SOL), (left, left));
    exceeds(w.withdraw(&other, SOL, Exact(1)));
    // A SOL drains in an hour.
    w.pass((event.to_keeper / 1_000_000_000) as i64 * HOUR);
    exceeds(w.withdraw(&other, SOL, Exact(1_000_000_000)));
    w.pass(HOUR + 1);
    exceeds(w.withdraw(&other, SOL, Exact(1)));
}

/// What a keeper repays makes room in the debt's reserve, and shares are nothing that left.
#[test]
fn a_liquidation_for_shares_lets_nothing_out() {
    let (mut w, borrower, keeper) = unhealthy();
    limit(&mut w, SOL, 1, 1);
    limit(&mut w, USDC, 500_000_000, u64::MAX);
    let lender = w.supplier(USDC, 1_000_000_000);
    w.withdraw(&lender, USDC, Exact(500_000_000)).unwrap();
    for_shares(&mut w, &keeper, &borrower).unwrap();
    assert_eq!((levels(&mut w, SOL), levels(&mut w, USDC)), ((0.0, 0.0), (0.0, 0.0)));
    w.withdraw(&lender, USDC, Exact(500_000_000)).unwrap();
}

/// Liquidates all that is possible, into vault 0 of the keeper, which is opened.
fn for_shares(w: &mut Bank, keeper: &Keypair, borrower: &User) -> Result<Receipt, Failure> {
    let key = keeper.pubkey();
    let into = keel_client::address::vault(&w.market, &key, 0);
    if w.chain.account(&into).is_none() {
        w.send(instruction::open_vault(key, key, w.market, 0), keeper).unwrap();
    }
    let terms = Liquidation {
        keeper: key,
        vault: borrower.vault,
        debt_reserve: w.assets[USDC].reserve,
        collateral_reserve: w.assets[SOL].reserve,
        max_repay: u64::MAX,
        min_seize: 0,
    };
    let vault = w.vault(&borrower.vault);
    let liquidate = instruction::liquidate_for_shares(&w.book, &vault, &terms, into).unwrap();
    w.send(liquidate, keeper)
}

/// Caps far below what is there, limits of one unit, and a pause of all that creates risk: liquidations go on, in tokens and
/// in shares.
#[test]
fn no_cap_and_no_other_pause_blocks_a_liquidation() {
    for shares in [false, true] {
        let (mut w, borrower, keeper) = unhealthy();
        for asset in [SOL, USDC] {
            w.configure(asset, |c| {
                c.limits = Limits { hourly_outflow: 1, daily_outflow: 1, ..Limits::default() };
            })
            .unwrap();
        }
        let governance = w.governance.insecure_clone();
        let pause = instruction::set_pause(governance.pubkey(), w.market, pause::FIRST, 86_400);
        w.send(pause, &governance).unwrap();
        refused(w.borrow(&borrower, USDC, 1), KeelError::Paused);
        refused(w.withdraw(&borrower, SOL, Exact(1)), KeelError::Paused);
        if shares {
            for_shares(&mut w, &keeper, &borrower).unwrap();
        } else {
            w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
        }
    }
}

/// A deposit cap below what is there ends deposits of that asset, also to a vault in debt, which a pause would let through. It
/// ends nothing else: its owner adds another asset, repays, and takes out what is free.
#[test]
fn a_cap_below_what_is_there_ends_deposits_of_that_asset_only() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 5_000_000_000).unwrap();
    let other = w.list(&AssetSpec::new(6, 1_00));
    for asset in [SOL, other] {
        w.fund(&borrower.key(), asset, 1_000_000_000);
    }
    for asset in [SOL, USDC] {
        let (guardian, reserve, mut config) =
            (w.guardian.insecure_clone(), w.assets[asset].reserve, w.reserve(asset).config);
        (config.limits.deposit_cap, config.limits.borrow_cap) = (1, 1);
        let change = Change::Reserve { config, ramp: 0 };
        let tighten = instruction::tighten(guardian.pubkey(), w.market, Some(reserve), change);
        w.send(tighten, &guardian).unwrap();
    }
    refused(w.deposit(&borrower, SOL, Exact(1)), KeelError::DepositCapExceeded);
    refused(w.borrow(&borrower, USDC, 20_000_000), KeelError::BorrowCapExceeded);
    w.deposit(&borrower, other, Exact(1_000_000)).unwrap();
    w.repay(&borrower, USDC, Exact(1_000_000)).unwrap();
    w.withdraw(&borrower, SOL, Exact(1_000_000)).unwrap();
}

/// A flash loan of everything, in a reserve that lets out one unit an hour.
#[test]
fn flash_loans_do_not_count() {
    let (mut w, lender, borrower) = limited(USDC, 1, 1);
    w.configure(USDC, |c| c.flash_fee_bps = 10).unwrap();
    let (key, reserve) = (borrower.key(), w.assets[USDC].reserve);
    w.fund(&key, USDC, 1_000_000_000);
    let (tokens, amount) = (w.token_account(&key, USDC), w.reserve(USDC).available);
    let flash = [
        instruction::flash_borrow(&w.book, key, reserve, tokens, amount).unwrap(),
        instruction::flash_repay(&w.book, key, reserve, tokens, amount).unwrap(),
    ];
    w.chain.send(&flash, &[&borrower.keypair]).unwrap();
    assert_eq!(levels(&mut w, USDC), (0.0, 0.0));
    w.withdraw(&lender, USDC, Exact(1)).unwrap();
    // Neither the window that is full stops it, nor does its fee make room.
    w.chain.send(&flash, &[&borrower.keypair]).unwrap();
    exceeds(w.withdraw(&lender, USDC, Exact(1)));
}

/// Nobody fills a window with tokens that he only passes through: a loan for the moment of all that may leave, deposited and
/// withdrawn, would otherwise shut a reserve for everybody else for nothing but the fee.
#[test]
fn tokens_that_pass_through_fill_no_window() {
    let (mut w, lender, borrower) = limited(USDC, 1_000_000_000, 2_000_000_000);
    let passer = w.supplier(USDC, 1);
    w.pass(1);
    w.refresh_prices();
    w.borrow(&borrower, USDC, 300_000_000).unwrap();
    w.pass(36);
    let (key, reserve, tokens) = (passer.key(), w.assets[USDC].reserve, w.token_account(&passer.key(), USDC));
    let (vault, actor) = (w.vault(&passer.vault), w.actor(&passer, USDC));
    // All that the hour has room for, and much more.
    for amount in [710_000_000, 50_000_000_000] {
        let through = [
            instruction::flash_borrow(&w.book, key, reserve, tokens, amount).unwrap(),
            instruction::deposit(&w.book, &actor, Exact(amount)).unwrap(),
            instruction::withdraw(&w.book, &vault, &actor, Exact(amount)).unwrap(),
            instruction::flash_repay(&w.book, key, reserve, tokens, amount).unwrap(),
        ];
        w.chain.send(&through, &[&passer.keypair]).unwrap();
        // 300 less what 36 seconds drained: a hundredth of the hour's limit, of the day's less than 0.84.
        let (hour, day) = levels(&mut w, USDC);
        assert!((hour - 290e6).abs() < 1.0 && (day - 299.17e6).abs() < 0.01e6, "{hour} {day}");
    }
    exceeds(w.withdraw(&lender, USDC, Exact(710_000_001)));
    w.withdraw(&lender, USDC, Exact(709_999_999)).unwrap();
    // What came in a second ago is nobody's credit.
    w.fund(&key, USDC, 5_000_000_000);
    w.deposit(&passer, USDC, Exact(5_000_000_000)).unwrap();
    w.pass(1);
    exceeds(w.withdraw(&passer, USDC, Exact(1_000_000_001)));
    w.withdraw(&passer, USDC, Exact(1_000_000_000)).unwrap();
}

/// [`minting`], where the borrower owes 14,500 tokens against 100 SOL, at a health of 1.149, and another user holds 5,000 and
/// 1,000 USDC.
fn minted() -> (Bank, User, User, User) {
    let (mut w, lender, borrower) = minting();
    w.borrow(&borrower, KUSD, 14_500_000_000).unwrap();
    let holder = holder(&mut w, 5_000_000_000);
    w.fund(&holder.key(), USDC, 1_000_000_000);
    (w, lender, borrower, holder)
}

/// A redemption is a loan's end that its owner did not ask for: what it takes out is limited like a withdrawal.
#[test]
fn a_redemption_counts() {
    let redeem = |w: &mut Bank, holder: &User, borrower: &User| {
        let redeem = redeem(w, &holder.key(), &borrower.vault, SOL, 1_000_000_000);
        w.send(redeem, &holder.keypair)
    };
    let (mut w, _, borrower, holder) = minted();
    let receipt = redeem(&mut w, &holder, &borrower).unwrap();
    let paid = events::<Redeemed>(&receipt).pop().unwrap().paid;
    let (mut w, _, borrower, holder) = minted();
    limit(&mut w, SOL, paid - 1, u64::MAX);
    exceeds(redeem(&mut w, &holder, &borrower));
    limit(&mut w, SOL, u64::MAX, paid);
    redeem(&mut w, &holder, &borrower).unwrap();
    assert_eq!(levels(&mut w, SOL), (0.0, paid as f64));
    exceeds(w.withdraw(&holder, SOL, Exact(1)));
    // The tokens came in and were burned: that is room to mint as many.
    limit(&mut w, KUSD, 500_000_000, u64::MAX);
    w.borrow(&holder, KUSD, 500_000_000).unwrap();
    exceeds(redeem(&mut w, &holder, &borrower));
    w.pass(24 * HOUR);
    w.refresh_prices();
    w.borrow(&holder, KUSD, 500_000_000).unwrap();
    exceeds(w.borrow(&holder, KUSD, 1));
    redeem(&mut w, &holder, &borrower).unwrap();
    w.borrow(&holder, KUSD, 500_000_000).unwrap();
}

/// What the swap gives out of the dollar reserve leaves it, and what it takes in makes room.
#[test]
fn a_swap_counts() {
    let (mut w, lender, _, holder) = minted();
    limit(&mut w, USDC, 500_000_000, u64::MAX);
    w.set_price(USDC, 1_01);
    let key = holder.key();
    let swap_in = |w: &Bank, assets| instruction::swap_in(&w.book, key, assets, 0).unwrap();
    let swap_out = |w: &Bank, tokens| instruction::swap_out(&w.book, key, tokens, 0).unwrap();
    w.send(swap_in(&w, 700_000_000), &holder.keypair).unwrap();
    w.pass(1);
    w.set_price(USDC, 99);
    // 0.1 % of fee: 500.5 tokens buy 499.9995 dollars.
    let receipt = w.send(swap_out(&w, 500_500_000), &holder.keypair).unwrap();
    let out = events::<Swapped>(&receipt).pop().unwrap().assets;
    assert_eq!(out, 499_999_500);
    exceeds(w.send(swap_out(&w, 1_000_000), &holder.keypair));
    exceeds(w.withdraw(&lender, USDC, Exact(501)));
    w.withdraw(&lender, USDC, Exact(500)).unwrap();
    w.set_price(USDC, 1_01);
    w.send(swap_in(&w, 100_000_000), &holder.keypair).unwrap();
    exceeds(w.withdraw(&lender, USDC, Exact(100_000_001)));
    w.withdraw(&lender, USDC, Exact(100_000_000)).unwrap();
}

/// Newly minted tokens leave their reserve like any loan, and repayments make room.
#[test]
fn minting_counts() {
    let (mut w, _, _, holder) = minted();
    limit(&mut w, KUSD, 1_000_000_000, u64::MAX);
    exceeds(w.borrow(&holder, KUSD, 1_000_000_001));
    w.borrow(&holder, KUSD, 1_000_000_000).unwrap();
    exceeds(w.borrow(&holder, KUSD, 1));
    w.repay(&holder, KUSD, Exact(10)).unwrap();
    exceeds(w.borrow(&holder, KUSD, 11));
    w.borrow(&holder, KUSD, 10).unwrap();
}
