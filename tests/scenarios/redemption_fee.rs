//! The fee of a redemption follows from the tokens that stay, not from those that a loan adds for a moment.

use crate::minted::start::*;
use crate::support::*;
use keel::AmountSpec::Exact;
use keel::events::Redeemed;
use keel_client::instruction::{self, Liquidation};
use keel_tests::Chain;
use keel_tests::check::events;

/// Redeems 170 of 17,000 tokens inside of a flash loan of `loan`, if there is one: what was paid at which fee, and what that
/// raised the fee by.
fn redeemed(loan: Option<u64>) -> (u64, u128, u128) {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
    let redeemer = holder(&mut w, 5_000_000_000);
    w.set_price(SOL, 170_00);
    let (key, reserve) = (redeemer.key(), w.assets[KUSD].reserve);
    let tokens = w.token_account(&key, KUSD);
    let mut instructions = vec![redeem(&mut w, &key, &borrower.vault, SOL, 170_000_000)];
    if let Some(amount) = loan {
        instructions.insert(0, instruction::flash_borrow(&w.book, key, reserve, tokens, amount).unwrap());
        instructions.push(instruction::flash_repay(&w.book, key, reserve, tokens, amount).unwrap());
    }
    let receipt = w.chain.send(&instructions, &[&redeemer.keypair]).unwrap();
    assert_reconciled(&mut w);
    let [event] = &events::<Redeemed>(&receipt)[..] else { panic!("{receipt:#?}") };
    (event.paid, event.fee, w.reserve(KUSD).minted.redemption_base.get())
}

/// A loan of all that the ceiling leaves, for which there is no fee here: with it, one in a hundred tokens would be one in
/// 5,900, at a fee of 0.51 % instead of 1 %.
#[test]
fn a_flash_loan_does_not_lower_it() {
    let alone = redeemed(None);
    assert!((number(alone.1) - 0.01).abs() < 1e-12);
    assert_eq!(redeemed(Some(983_000_000_000)), alone);
}

/// Nor does an ordinary loan of as much, taken before and repaid after in the same transaction.
#[test]
fn a_loan_around_it_does_not_lower_it() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
    let redeemer = holder(&mut w, 5_000_000_000);
    // 1.7 million dollars of collateral for 900,000 more tokens.
    let lamports = w.assets[SOL].whole(10_000);
    w.fund(&redeemer.key(), SOL, lamports);
    w.deposit(&redeemer, SOL, Exact(lamports)).unwrap();
    w.set_price(SOL, 170_00);
    let key = redeemer.key();
    let redemption = redeem(&mut w, &key, &borrower.vault, SOL, 170_000_000);
    let (vault, actor) = (w.vault(&redeemer.vault), w.actor(&redeemer, KUSD));
    let loan = instruction::borrow(&w.book, &vault, &actor, 900_000_000_000).unwrap();
    let back = instruction::repay(&w.book, &vault, &actor, Exact(900_000_000_000)).unwrap();
    let receipt = w.chain.send(&[loan, redemption, back], &[&redeemer.keypair]).unwrap();
    let [event] = &events::<Redeemed>(&receipt)[..] else { panic!("{receipt:#?}") };
    assert!((number(event.fee) - 0.01).abs() < 1e-9, "{}", number(event.fee));
}

/// Tokens that are there since a second count; those of this very second do not.
#[test]
fn tokens_count_from_the_next_second_on() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
    w.pass(1);
    w.refresh_prices();
    let redeemer = holder(&mut w, 5_000_000_000);
    w.set_price(SOL, 170_00);
    let terms = Liquidation {
        keeper: redeemer.key(),
        vault: borrower.vault,
        debt_reserve: w.assets[KUSD].reserve,
        collateral_reserve: w.assets[SOL].reserve,
        max_repay: 120_000_000,
        min_seize: 0,
    };
    let vault = w.vault(&borrower.vault);
    let redemption = instruction::redeem(&w.book, &vault, &terms).unwrap();
    // A hundredth of the 12,000 that were there before.
    let receipt = w.send(redemption.clone(), &redeemer.keypair).unwrap();
    let [event] = &events::<Redeemed>(&receipt)[..] else { panic!("{receipt:#?}") };
    assert!((number(event.fee) - 0.01).abs() < 1e-6, "{}", number(event.fee));
    w.pass(1);
    w.refresh_prices();
    w.set_price(SOL, 170_00);
    // On top of what the first raised, half of 120 in 16,880.
    let receipt = w.send(redemption, &redeemer.keypair).unwrap();
    let [event] = &events::<Redeemed>(&receipt)[..] else { panic!("{receipt:#?}") };
    let expected = 0.005 + 0.01 + 120.0 / 16_880.0 / 2.0;
    assert!((number(event.fee) - expected).abs() < 1e-5, "{} {expected}", number(event.fee));
}

/// An owner redeems from his own vault, deposits what he receives and borrows what he burned: everybody else pays the largest
/// fee for a while, and he is poorer by half of what he paid.
#[test]
fn nobody_raises_it_for_nothing() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
    w.set_price(SOL, 170_00);
    let _others = holder(&mut w, 5_000_000_000);
    w.pass(1);
    w.refresh_prices();
    let key = borrower.key();
    let own = |w: &mut Bank| (held(w, &borrower, SOL) + w.balance(&key, SOL), w.balance(&key, KUSD));
    let (sol, kusd) = own(&mut w);
    let redemption = redeem(&mut w, &key, &borrower.vault, SOL, 1_000_000_000);
    let receipt = w.send(redemption, &borrower.keypair).unwrap();
    let [event] = &events::<Redeemed>(&receipt)[..] else { panic!("{receipt:#?}") };
    w.deposit(&borrower, SOL, keel::AmountSpec::All).unwrap();
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    assert_eq!(number(w.reserve(KUSD).minted.redemption_base.get()), 0.05);
    // From 0.5 % by 1,000 of 17,000, at most to 5 %: 5 % - (4.5 %)^2 / (2 * 1,000 / 17,000) = 3.27875 %. Half of it, of 1,000
    // dollars at 170.085.
    let cost = event.seized - event.paid;
    assert!(cost.abs_diff(96_385_630) <= 1, "{cost}");
    let (sol_after, kusd_after) = own(&mut w);
    assert_eq!(kusd_after, kusd);
    assert!((sol - sol_after).abs_diff(cost) <= 1, "{}", sol - sol_after);
    assert_reconciled(&mut w);
}
