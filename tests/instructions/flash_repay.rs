//! `flash_repay`.

use crate::flash_borrow::{Flash, refuse_wrong_flash_accounts};
use crate::minted::*;
use crate::support::*;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError;
use keel::events::FlashLoan;
use keel_tests::check::only_event;
use keel_tests::{Chain, mock_pool};
use solana_signer::Signer;

/// The fee, rounded up, is insurance with the next accrual: nobody's share price moves.
#[test]
fn effects_the_fee_is_insurance() {
    let mut f = Flash::new(1_000_000_000);
    let amount = 12_345_678_901;
    let receipt = f.w.chain.send(&[f.borrow(USDC, amount), f.repay(USDC, amount)], &[&f.user]).unwrap();
    let fee = 11_111_112; // 0.09 %: 11,111,111.0109
    let event: FlashLoan = only_event(&receipt);
    assert_eq!((event.reserve, event.amount, event.fee), (f.w.assets[USDC].reserve, amount, fee));
    assert_eq!(f.w.balance(&f.user.pubkey(), USDC), 1_000_000_000 - fee);
    assert_eq!(f.w.reserve(USDC).insurance_shares.get(), 0);
    f.w.pass(1);
    f.w.refresh_prices();
    f.w.refresh(USDC).unwrap();
    let reserve = f.w.reserve(USDC);
    assert_eq!(reserve.insurance_shares.get(), u128::from(fee) << 60);
    assert_eq!(reserve.supply_index.get(), 1 << 60);
    assert_eq!((reserve.available, f.w.liquidity(USDC)), (100_000_000_000 + fee, 100_000_000_000 + fee));
}

#[test]
fn effects_a_fee_of_whole_units_is_not_rounded() {
    let mut f = Flash::new(9_000_000);
    f.send(&[f.borrow(USDC, 10_000_000_000), f.repay(USDC, 10_000_000_000)]);
    assert_eq!(f.w.balance(&f.user.pubkey(), USDC), 0);
}

/// Of a minted reserve it is surplus.
#[test]
fn effects_the_fee_is_surplus_of_a_minted_reserve() {
    let mut f = Flash::new(0);
    let holder = holder(&mut f.w, 5_000_000_000);
    f.user = holder.keypair.insecure_clone();
    let amount = 12_345_678_901;
    f.send(&[f.borrow(KUSD, amount), f.repay(KUSD, amount)]);
    let fee = 6_172_840; // 0.05 %: 6,172,839.4505
    assert_eq!(supply(&mut f.w), 5_000_000_000 - fee);
    assert_reconciled(&mut f.w);
    let (surplus, _) = surplus_and_deficit(&mut f.w);
    // And a second's interest on 5,000 at 5 %: 7.9 units.
    assert!((fee + 7..=fee + 8).contains(&surplus), "{surplus}");
}

#[test]
fn effects_without_a_fee() {
    let mut f = Flash::new(0);
    f.w.configure(USDC, |config| config.flash_fee_bps = 0).unwrap();
    f.send(&[f.borrow(USDC, 100_000_000_000), f.repay(USDC, 100_000_000_000)]);
    assert_eq!(f.w.reserve(USDC).available, 100_000_000_000);
}

/// Somebody else may repay.
#[test]
fn effects_from_any_account() {
    let mut f = Flash::new(0);
    let amount = 10_000_000_500;
    let borrow = f.borrow(USDC, amount);
    let (borrower, payer) = (f.user.insecure_clone(), trader(&mut f.w, amount + 9_000_001));
    f.user = payer.insecure_clone();
    let repay = f.repay(USDC, amount);
    f.w.chain.send(&[borrow, repay], &[&borrower, &payer]).unwrap();
    assert_eq!(f.w.balance(&borrower.pubkey(), USDC), amount);
    assert_eq!(f.w.balance(&payer.pubkey(), USDC), 0);
}

/// Where no loan is open, where it is repaid already, and where it is of another amount.
#[test]
fn rejects_where_no_such_loan_is_open() {
    let mut f = Flash::new(1_000_000_000);
    let amount = 10_000_000_000;
    for amount in [0, 1, amount, u64::MAX] {
        f.refuse(&[f.repay(USDC, amount)], KeelError::NoFlashLoan);
        f.refuse(&[f.repay(KUSD, amount)], KeelError::NoFlashLoan);
    }
    let (borrow, repay) = (f.borrow(USDC, amount), f.repay(USDC, amount));
    f.refuse(&[borrow.clone(), repay.clone(), repay.clone()], KeelError::NoFlashLoan);
    f.refuse(&[borrow.clone(), f.repay(USDC, amount - 1), repay.clone()], KeelError::NoFlashLoan);
    f.refuse(&[borrow.clone(), f.repay(KUSD, amount), repay.clone()], KeelError::NoFlashLoan);
    f.send(&[borrow, repay]);
}

/// A program may close the loan early, but the promised repayment then finds none, and all is undone.
#[test]
fn rejects_repayments_by_other_programs_in_place_of_the_promised_one() {
    let mut f = Flash::new(1_000_000_000);
    f.w.chain.set_program(&keel_mock_pool::ID, mock_pool());
    let amount = 10_000_000_000;
    let (borrow, repay) = (f.borrow(USDC, amount), f.repay(USDC, amount));
    let nested = keel_mock_pool::forwarded(&repay);
    f.refuse(&[borrow.clone(), nested.clone()], KeelError::FlashLoanNotRepaid);
    f.refuse(&[borrow, nested, repay], KeelError::NoFlashLoan);
}

#[test]
fn rejects_paying_with_the_tokens_of_others() {
    let mut f = Flash::new(1_000_000_000);
    let victim = trader(&mut f.w, 20_000_000_000);
    let (borrow, repay) = (f.borrow(USDC, 10_000_000_000), f.repay(USDC, 10_000_000_000));
    for tokens in [f.w.token_account(&victim.pubkey(), USDC), f.w.liquidity_key(USDC)] {
        let stolen = with_account(&repay, 4, tokens);
        f.refuse(&[borrow.clone(), stolen], TokenError::OwnerMismatch);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut f = Flash::new(1_000_000_000);
    let valid = [f.borrow(USDC, 10_000_000_000), f.repay(USDC, 10_000_000_000)];
    refuse_wrong_flash_accounts(&mut f, &valid, 1);
    f.send(&valid);
}
