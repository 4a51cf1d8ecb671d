//! `refresh_reserve`.

use crate::minted::*;
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::{BadDebtRecognized, ReserveRefreshed};
use keel_client::instruction;
use keel_risk::Fraction;
use keel_tests::check::{events, keys, only_event};
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_signer::Signer;

const MARKET: usize = 0;
const RESERVE: usize = 1;
const REMAINING: usize = 2;

#[test]
fn effects_accrues_and_stores_prices() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.pass(365 * 86_400);
    let mut observation = w.observation(1_02);
    (observation.ema_price, observation.ema_confidence) = (1_0100_0000, 7);
    w.post(USDC, 0, &observation);
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.refresh(USDC).unwrap();

    assert_eq!(before.changed(&mut w), keys([w.assets[USDC].reserve]));
    let reserve = w.reserve(USDC);
    assert_eq!(reserve.pool(), expected);
    // By hand: 14 % utilization is a rate of 1.75 %, of which suppliers of 100,000 get 90 %.
    let number = |f: Fraction| f.to_bits() as f64 / (1u64 << 60) as f64;
    let growth = 0.0175f64.exp() - 1.0;
    assert!((number(reserve.debt_index.into()) - 1.0 - growth).abs() < 1e-8);
    assert!((number(reserve.supply_index.into()) - 1.0 - growth * 0.14 * 0.9).abs() < 1e-8);
    assert_eq!((reserve.available, w.liquidity(USDC)), (86_000_000_000, 86_000_000_000));
    // The rest of the interest is insurance.
    let insurance = number(reserve.insurance_shares.into()) * number(reserve.supply_index.into());
    assert!((insurance - growth * 0.1 * 14e9).abs() < 100.0);

    let last = reserve.last_prices[0];
    assert_eq!((last.price, last.confidence, last.exponent), (1_0200_0000, 5_1000, -8));
    assert_eq!((last.ema_price, last.ema_confidence), (1_0100_0000, 7));
    assert_eq!((last.publish_time, last.posted_slot), (observation.publish_time, observation.posted_slot));
    let event: ReserveRefreshed = only_event(&receipt);
    assert_eq!((event.reserve, event.available), (w.assets[USDC].reserve, 86_000_000_000));
    assert_eq!(event.supply_index, reserve.supply_index.get());
    assert_eq!(event.debt_index, reserve.debt_index.get());

    // A second time in the same second changes nothing.
    let before = w.snapshot(&[]);
    w.refresh(USDC).unwrap();
    assert!(before.changed(&mut w).is_empty());
}

#[test]
fn effects_without_price_accounts_only_accrues() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.challenge(USDC, 0).unwrap();
    let last = w.reserve(USDC).last_prices;
    w.pass(86_400);
    w.refresh_prices();
    let governance = w.governance.insecure_clone();
    w.send(instruction::accrue_reserve(&w.book, w.assets[USDC].reserve), &governance).unwrap();
    let reserve = w.reserve(USDC);
    assert_eq!(reserve.last_prices, last);
    assert_eq!(reserve.updated_at, w.chain.clock().unix_timestamp);
    assert!(Fraction::from(reserve.debt_index) > Fraction::ONE);
}

/// A reserve without loans grows nothing, however long it waits.
#[test]
fn effects_no_interest_without_loans() {
    let mut w = bank();
    w.supplier(USDC, 1_000);
    w.pass(10 * 365 * 86_400);
    w.refresh_prices();
    w.refresh(USDC).unwrap();
    let reserve = w.reserve(USDC);
    assert_eq!(Fraction::from(reserve.supply_index), Fraction::ONE);
    assert_eq!(Fraction::from(reserve.debt_index), Fraction::ONE);
    assert_eq!(reserve.insurance_shares.get(), 0);
}

/// Prices are judged by the bounds for liquidations, which are looser, and both bounds are inclusive.
#[test]
fn effects_takes_prices_at_the_bounds_of_liquidation() {
    let mut w = bank();
    w.pass(1_000);
    let now = w.chain.clock().unix_timestamp;
    for publish_time in [now - 120, now - 120, now + 10] {
        let mut observation = published(&mut w, 200_00, publish_time);
        // 10 % of the price.
        (observation.confidence, observation.ema_confidence) = (20_0000_0000, 20_0000_0000);
        w.post(SOL, 0, &observation);
        w.refresh(SOL).unwrap();
        assert_eq!(w.reserve(SOL).last_prices[0].publish_time, publish_time);
    }
}

#[test]
fn rejects_unusable_prices_of_either_feed() {
    let spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let mut w = World::with(ProgramTestChain::new(), &[spec]);
    let governance = w.governance.insecure_clone();
    let refresh = instruction::refresh_reserve(&w.book, w.assets[0].reserve).unwrap();
    for reason in UNUSABLE {
        for feed in 0..2 {
            spoil(&mut w, 0, feed, reason, LIQUIDATION);
            w.refuse_case(&format!("feed {feed}"), &refresh, &[&governance], reason);
            restore(&mut w);
        }
    }
    w.send(refresh, &governance).unwrap();
}

/// A price one second older than the last accepted one is refused even though it is fresh; one of the same second is not.
#[test]
fn rejects_replayed_prices() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    w.pass(100);
    w.refresh_prices();
    w.refresh(SOL).unwrap();
    let now = w.chain.clock().unix_timestamp;
    let refresh = instruction::refresh_reserve(&w.book, w.assets[SOL].reserve).unwrap();
    let older = published(&mut w, 250_00, now - 1);
    w.post(SOL, 0, &older);
    w.refuse(&refresh, &[&governance], KeelError::PriceReplayed);
    let same = published(&mut w, 250_00, now);
    w.post(SOL, 0, &same);
    w.send(refresh, &governance).unwrap();
    assert_eq!(w.reserve(SOL).last_prices[0].price, 250_0000_0000);
}

/// Of what the swap holds, 7 % are lost: 7,000 of 100,000, of which the fee of minting them pays 100. That is recognized without
/// a price and without a swap, once.
#[test]
fn effects_recognizes_what_the_swap_lost() {
    let (mut w, _, borrower) = minting();
    let trader = swapper(&mut w, 100_000_000_000);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.refresh(KUSD).unwrap();
    w.set_price(SOL, 9);
    w.resolve(&borrower.vault, USDC).unwrap();
    w.pass(365 * 86_400);
    // Accrual alone does not look at it.
    let governance = w.governance.insecure_clone();
    w.send(instruction::accrue_reserve(&w.book, w.assets[KUSD].reserve), &governance).unwrap();
    assert_eq!((w.reserve(KUSD).available, w.reserve(KUSD).deficit.get()), (100_000_000_000, 0));

    let before = w.snapshot(&[&borrower]);
    let receipt = w.refresh(KUSD).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.assets[KUSD].reserve]));
    let losses = events::<BadDebtRecognized>(&receipt);
    let [loss] = &losses[..] else { panic!("{:?}", receipt.logs) };
    assert_eq!((loss.vault, loss.reserve), (Pubkey::default(), w.assets[KUSD].reserve));
    assert!(loss.owed.abs_diff(7_000_000_000) <= 2, "{}", loss.owed);
    assert_eq!((loss.insured, loss.deficit, loss.socialized), (100_000_000, loss.owed - 100_000_000, 0));
    let minted = w.reserve(KUSD);
    assert_eq!(minted.available, 100_000_000_000 - loss.owed);
    assert_eq!(minted.deficit.get(), u128::from(loss.deficit) << 60);
    assert_reconciled(&mut w);
    assert_eq!(events::<ReserveRefreshed>(&receipt).len(), 1);

    // Neither another time nor with the next swap.
    assert!(events::<BadDebtRecognized>(&w.refresh(KUSD).unwrap()).is_empty());
    w.set_price(USDC, 99);
    let swap = instruction::swap_out(&w.book, trader.pubkey(), 1_000_000_000, 0).unwrap();
    assert!(events::<BadDebtRecognized>(&w.send(swap, &trader).unwrap()).is_empty());
    assert_reconciled(&mut w);
}

/// What the swap holds is no other reserve, of this market or of another.
#[test]
fn rejects_other_reserves_than_the_swaps() {
    let (mut w, user, _) = minting();
    let governance = w.governance.insecure_clone();
    let valid = instruction::refresh_reserve(&w.book, w.assets[KUSD].reserve).unwrap();
    let last = valid.accounts.last().unwrap();
    assert_eq!((last.pubkey, last.is_writable), (w.assets[USDC].reserve, false));
    let elsewhere = other_market(&mut w, USDC, &user);
    let forged = forged(&mut w, &last.pubkey);
    for key in [w.assets[SOL].reserve, w.assets[KUSD].reserve, elsewhere.reserve, forged, w.market] {
        w.refuse(&with_account(&valid, REMAINING, key), &[&governance], KeelError::WrongSwapReserve);
    }
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let mut w = World::with(ProgramTestChain::new(), &[spec, AssetSpec::usdc()]);
    let user = w.user();
    let governance = w.governance.insecure_clone();
    let signers = [&governance];
    let valid = instruction::refresh_reserve(&w.book, w.assets[0].reserve).unwrap();
    let (market, reserve) = (w.market, w.assets[0].reserve);
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", user.vault)]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &[("market", market), ("vault", user.vault)]);
    let elsewhere = other_market(&mut w, 0, &user);
    for (index, key) in [(MARKET, elsewhere.market), (RESERVE, elsewhere.reserve)] {
        w.refuse(&with_account(&valid, index, key), &signers, KeelError::WrongMarket);
    }
    w.refuse(&with_account(&valid, RESERVE, w.assets[1].reserve), &signers, KeelError::PriceWrongFeed);
    w.refuse(&swapped(&valid, REMAINING, REMAINING + 1), &signers, KeelError::PriceWrongFeed);
    w.refuse(&truncated(&valid, REMAINING + 1), &signers, KeelError::MissingAccount);
    w.refuse(&truncated(&valid, 1), &signers, ErrorCode::AccountNotEnoughKeys);
    w.refuse(&read_only(&valid, RESERVE), &signers, ErrorCode::ConstraintMut);
    w.send(valid, &governance).unwrap();
}

#[test]
fn rejects_books_that_do_not_hold() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    let governance = w.governance.insecure_clone();
    let refresh = instruction::refresh_reserve(&w.book, w.assets[USDC].reserve).unwrap();
    let sound = w.reserve(USDC);
    let mut unsound = sound;
    unsound.available -= 1;
    w.set_reserve(USDC, &unsound);
    w.refuse(&refresh, &[&governance], KeelError::BooksBroken);
    // Interest that does not fit: ten millennia at the highest rates.
    let mut dear = sound;
    dear.rate.borrow = Fraction::from_integer(10).into();
    w.set_reserve(USDC, &dear);
    w.pass(10_000 * 365 * 86_400);
    w.refresh_prices();
    w.refuse(&refresh, &[&governance], KeelError::Overflow);
}
