//! `repay`.

use crate::support::*;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::{Flow, Moved};
use keel::state::Side;
use keel_client::instruction::{self, Actor};
use keel_risk::Fraction;
use keel_risk::units::{Amount, DebtShares, Quantity};
use keel_tests::Chain;
use keel_tests::check::{keys, only_event};
use keel_tests::world::User;

/// [`lent`] with a loan of 10,000 USDC, still in the borrower's account.
fn indebted() -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    (w, lender, borrower)
}

#[test]
fn effects_takes_tokens_and_burns_debt() {
    let (mut w, lender, borrower) = indebted();
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.repay(&borrower, USDC, Exact(4_000_000_000)).unwrap();
    let (tokens, liquidity) = (w.token_account(&borrower.key(), USDC), w.liquidity_key(USDC));
    assert_eq!(before.changed(&mut w), keys([borrower.vault, w.assets[USDC].reserve, tokens, liquidity]));
    assert_eq!((w.balance(&borrower.key(), USDC), w.liquidity(USDC)), (6_000_000_000, 94_000_000_000));
    let key = w.assets[USDC].reserve;
    assert_eq!(w.vault(&borrower.vault).debt(&key), Ok(DebtShares(Fraction::from_integer(6_000_000_000))));
    let reserve = w.reserve(USDC);
    assert_eq!((reserve.available, reserve.debt_shares.get()), (94_000_000_000, 6_000_000_000 << 60));
    let event: Moved = only_event(&receipt);
    assert_eq!((event.flow, event.vault, event.reserve), (Flow::Repay, borrower.vault, key));
    assert_eq!((event.amount, event.shares), (4_000_000_000, 4_000_000_000 << 60));
}

/// ALL clears the debt to the last share, rounded up to a whole unit.
#[test]
fn effects_all_clears_the_debt_with_interest() {
    let (mut w, _, borrower) = indebted();
    w.pass(365 * 86_400);
    w.fund(&borrower.key(), USDC, w.assets[USDC].whole(1_000));
    let key = w.assets[USDC].reserve;
    let held = w.vault(&borrower.vault).debt(&key).unwrap();
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let change = expected.repay(Quantity::All, held).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    // By hand: e^0.0125 - 1 of 10,000 USDC in a year.
    let owed = 1e10 * 0.0125f64.exp();
    assert!((change.amount.0 as f64 - owed).abs() < 100.0, "{} {owed}", change.amount.0);

    let receipt = w.repay(&borrower, USDC, All).unwrap();
    assert_eq!(w.reserve(USDC).pool(), expected);
    assert_eq!(w.reserve(USDC).debt_shares.get(), 0);
    assert_eq!(w.balance(&borrower.key(), USDC), w.assets[USDC].whole(11_000) - change.amount.0);
    let vault = w.vault(&borrower.vault);
    assert!(!vault.has(Side::Debt) && vault.find(&key).is_none());
    assert_eq!(only_event::<Moved>(&receipt).shares, held.0.to_bits());
    // Without debt, the collateral leaves without a price.
    w.withdraw(&borrower, SOL, All).unwrap();
    assert!(w.vault(&borrower.vault).is_empty());
}

/// A part is burned at the accrued index, rounded down.
#[test]
fn effects_a_part_at_the_accrued_index() {
    let (mut w, _, borrower) = indebted();
    w.pass(100 * 86_400);
    let key = w.assets[USDC].reserve;
    let held = w.vault(&borrower.vault).debt(&key).unwrap();
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let change = expected.repay(Quantity::Exact(Amount(1_234_567_891)), held).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    w.repay(&borrower, USDC, Exact(1_234_567_891)).unwrap();
    assert_eq!(w.reserve(USDC).pool(), expected);
    let left = w.vault(&borrower.vault).debt(&key).unwrap();
    assert_eq!(left.checked_add(change.shares), Ok(held));
    assert!(change.shares.0.mul_ceil(expected.debt_index.0).unwrap() <= Fraction::from_integer(1_234_567_891));
}

/// The exact amount owed does what ALL does.
#[test]
fn effects_the_exact_whole() {
    let (mut w, _, borrower) = indebted();
    w.repay(&borrower, USDC, Exact(10_000_000_000)).unwrap();
    assert!(!w.vault(&borrower.vault).has(Side::Debt));
    assert_eq!(w.reserve(USDC).debt_shares.get(), 0);
}

#[test]
fn effects_anyone_may_repay_for_anyone() {
    let (mut w, _, borrower) = indebted();
    let friend = w.user();
    w.fund(&friend.key(), USDC, 10_000_000_000);
    let actor = Actor::new(&w.book, friend.key(), borrower.vault, w.assets[USDC].reserve).unwrap();
    let vault = w.vault(&borrower.vault);
    let repay = instruction::repay(&w.book, &vault, &actor, All).unwrap();
    w.send(repay, &friend.keypair).unwrap();
    assert_eq!((w.balance(&friend.key(), USDC), w.balance(&borrower.key(), USDC)), (0, 10_000_000_000));
    assert!(!w.vault(&borrower.vault).has(Side::Debt));
}

#[test]
fn effects_needs_no_price_and_may_leave_dust() {
    let (mut w, _, borrower) = indebted();
    w.set_price(SOL, 1);
    for asset in [SOL, USDC] {
        let key = w.assets[asset].prices[0];
        w.chain.set_data(&key, &keel::ID, vec![]);
    }
    // Neither the vault's health nor a remainder under the minimum position are in the way of a repayment.
    w.repay(&borrower, USDC, Exact(9_999_999_999)).unwrap();
    let left = w.vault(&borrower.vault).debt(&w.assets[USDC].reserve).unwrap();
    assert_eq!(left, DebtShares(Fraction::ONE));
}

/// The owner of a vault whose bad debt is being resolved can still repay; the flag goes with the last position.
#[test]
fn effects_an_insolvent_vault_may_repay() {
    let (mut w, _, borrower) = indebted();
    mark_insolvent(&mut w, &borrower);
    w.repay(&borrower, USDC, All).unwrap();
    assert!(w.vault(&borrower.vault).is_insolvent());
    w.resolve(&borrower.vault, SOL).unwrap();
    assert!(!w.vault(&borrower.vault).is_insolvent());
}

#[test]
fn rejects_zero() {
    let (mut w, _, borrower) = indebted();
    let repay = w.repay_ix(&borrower, USDC, Exact(0));
    w.refuse(&repay, &[&borrower.keypair], KeelError::ZeroAmount);
}

#[test]
fn rejects_more_than_is_owed() {
    let (mut w, _, borrower) = indebted();
    w.fund(&borrower.key(), USDC, 1);
    for amount in [10_000_000_001, u64::MAX] {
        let repay = w.repay_ix(&borrower, USDC, Exact(amount));
        w.refuse(&repay, &[&borrower.keypair], KeelError::RepaymentExceedsDebt);
    }
}

#[test]
fn rejects_a_debt_that_the_vault_does_not_have() {
    let (mut w, lender, borrower) = indebted();
    w.fund(&borrower.key(), SOL, 10);
    for (user, asset) in [(&borrower, SOL), (&lender, USDC)] {
        let repay = w.repay_ix(user, asset, All);
        w.refuse(&repay, &[&user.keypair], KeelError::NoSuchDebt);
    }
}

#[test]
fn rejects_more_than_the_token_account_holds() {
    let (mut w, _, borrower) = indebted();
    w.pass(86_400);
    // The loan does not pay its own interest.
    let repay = w.repay_ix(&borrower, USDC, All);
    w.refuse(&repay, &[&borrower.keypair], TokenError::InsufficientFunds);
}

#[test]
fn rejects_tokens_of_others() {
    let (mut w, lender, borrower) = indebted();
    w.fund(&lender.key(), USDC, 10_000_000_000);
    let repay = w.repay_ix(&borrower, USDC, All);
    let (lenders, liquidity) = (w.token_account(&lender.key(), USDC), w.liquidity_key(USDC));
    for tokens in [lenders, liquidity] {
        let stolen = with_account(&repay, flow::TOKEN_ACCOUNT, tokens);
        w.refuse(&stolen, &[&borrower.keypair], TokenError::OwnerMismatch);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, _, borrower) = indebted();
    let valid = w.repay_ix(&borrower, USDC, Exact(100));
    refuse_wrong_flow_accounts(&mut w, &valid, &borrower, USDC);
    w.send(valid, &borrower.keypair).unwrap();
}

#[test]
fn rejects_a_liquidity_account_that_fell_short() {
    let (mut w, _, borrower) = indebted();
    let full = w.liquidity(USDC);
    set_liquidity(&mut w, USDC, full - 1);
    let repay = w.repay_ix(&borrower, USDC, All);
    w.refuse(&repay, &[&borrower.keypair], KeelError::LiquidityMismatch);
}
