//! Prices that fall too fast: who pays.

use crate::support::*;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
use keel_tests::AssetSpec;
use keel_tests::check::events;
use keel_tests::world::refused;
use solana_signer::Signer;

/// Interest has built up insurance, which is not enough: suppliers share the rest by what they hold, and the market goes
/// on at the lower index.
#[test]
fn suppliers_share_what_insurance_does_not_cover() {
    let (mut w, alice, borrower) = lent();
    let bob = w.supplier(USDC, w.assets[USDC].whole(300_000));
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    insure(&mut w, USDC, 500_000_000);
    w.set_price(SOL, 130_00);
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    let receipt = w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    // 14,000 less 13,000 / 1.02.
    assert_eq!((loss.owed, loss.insured, loss.socialized), (1_254_901_960, 500_000_000, 754_901_960));
    assert_sound(&mut w, &[&alice, &bob, &borrower]);
    assert!(held(&mut w, &alice, USDC).abs_diff(100_000_000_000 - 754_901_960 / 4) <= 1);
    assert!(held(&mut w, &bob, USDC).abs_diff(300_000_000_000 - 754_901_960 / 4 * 3) <= 1);

    // Carol comes after the loss and bears none of it.
    let carol = w.supplier(USDC, w.assets[USDC].whole(1_000));
    assert!(held(&mut w, &carol, USDC) >= 999_999_999);
    let debtor = w.supplier(SOL, w.assets[SOL].whole(10));
    w.fund(&debtor.key(), USDC, 0);
    w.borrow(&debtor, USDC, w.assets[USDC].whole(500)).unwrap();
    let all = [&alice, &bob, &carol, &borrower, &debtor];
    assert_sound(&mut w, &all);
    w.repay(&debtor, USDC, All).unwrap();
    for user in [&alice, &bob, &carol] {
        w.withdraw(user, USDC, All).unwrap();
    }
    assert!(w.liquidity(USDC) <= 3, "{}", w.liquidity(USDC));
    assert_sound(&mut w, &all);
}

/// Two debts, two collaterals, one of them dust. The liquidation takes the larger collateral and writes off what it did
/// not cover; the other debt and the dust are resolved one by one. The owner can only repay meanwhile.
#[test]
fn dust_and_a_second_debt_are_resolved_one_by_one() {
    let (mut w, lender, borrower) = lent();
    let (dai, dust) = (w.list(&AssetSpec::usdc()), w.list(&AssetSpec::new(6, 1_00)));
    let other = w.supplier(dai, w.assets[dai].whole(50_000));
    w.fund(&borrower.key(), dust, 9_000_000);
    w.deposit(&borrower, dust, All).unwrap();
    w.fund(&borrower.key(), dai, 0);
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    w.borrow(&borrower, dai, w.assets[dai].whole(4_000)).unwrap();
    // 10,000 dollars of SOL and 9 of dust against 14,000.
    w.set_price(SOL, 100_00);
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    w.fund(&keeper.pubkey(), dust, 0);
    let receipt = w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    // 10,000 / 1.02 repaid: 196.078431... USDC are lost.
    assert_eq!(events::<Liquidated>(&receipt)[0].repaid, 9_803_921_569);
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert_eq!((loss.reserve, loss.owed, loss.insured), (w.assets[USDC].reserve, 196_078_431, 0));

    let vault = w.vault(&borrower.vault);
    assert!(vault.is_insolvent());
    assert_eq!(vault.occupied().count(), 2);
    w.fund(&borrower.key(), SOL, 1_000_000_000);
    refused(w.deposit(&borrower, SOL, All), KeelError::VaultInsolvent);
    refused(w.withdraw(&borrower, dust, All), KeelError::VaultInsolvent);
    refused(w.borrow(&borrower, dai, w.assets[dai].whole(100)), KeelError::VaultInsolvent);
    refused(w.liquidate(&keeper, &borrower.vault, dai, dust, u64::MAX, 0), KeelError::VaultInsolvent);
    w.repay(&borrower, dai, keel::AmountSpec::Exact(1_000_000_000)).unwrap();

    let receipt = w.resolve(&borrower.vault, dai).unwrap();
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert_eq!((loss.owed, loss.socialized), (3_000_000_000, 3_000_000_000));
    w.resolve(&borrower.vault, dust).unwrap();
    assert_eq!(w.reserve(dust).insurance_shares.get(), 9_000_000 << 60);
    let vault = w.vault(&borrower.vault);
    assert!(vault.is_empty() && !vault.is_insolvent());
    assert_sound(&mut w, &[&lender, &other, &borrower]);
    // 3,000 of 50,000.
    assert!(held(&mut w, &other, dai).abs_diff(47_000_000_000) <= 1);
    // The vault starts anew.
    w.deposit(&borrower, SOL, All).unwrap();
    w.withdraw(&borrower, SOL, All).unwrap();
}

/// Nobody liquidates while SOL falls to nothing: `resolve_bad_debt` alone clears the vault, from insurance in full.
#[test]
fn insurance_pays_for_a_vault_that_nobody_liquidated() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    insure(&mut w, USDC, 20_000_000_000);
    w.set_price(SOL, 5);
    w.resolve(&borrower.vault, SOL).unwrap();
    w.resolve(&borrower.vault, USDC).unwrap();
    assert_sound(&mut w, &[&lender, &borrower]);
    assert_eq!(held(&mut w, &lender, USDC), 100_000_000_000);
    assert_eq!(w.reserve(USDC).insurance_shares.get(), 6_000_000_000 << 60);
    w.withdraw(&lender, USDC, All).unwrap();
    assert_eq!((w.balance(&lender.key(), USDC), w.liquidity(USDC)), (100_000_000_000, 6_000_000_000));
}

/// The owner cannot keep anything by splitting: a vault whose collateral is under the minimum but above its debt is no
/// bad debt, and a keeper takes it whole.
#[test]
fn a_small_vault_is_liquidated_whole() {
    let (mut w, lender, unused) = lent();
    let small = w.supplier(SOL, 100_000_000);
    w.fund(&small.key(), USDC, 0);
    w.borrow(&small, USDC, 10_000_000).unwrap();
    // 11 dollars against 10: HF = 9.163 / 10.
    w.set_price(SOL, 110_00);
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000);
    let receipt = w.liquidate(&keeper, &small.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let event = events::<Liquidated>(&receipt).pop().unwrap();
    assert_eq!(event.repaid, 10_000_000);
    // The bonus is 10 %: all of it, up to a lamport.
    assert!(event.seized >= 99_999_999, "{}", event.seized);
    assert!(events::<BadDebtRecognized>(&receipt).is_empty());
    assert_eq!(w.reserve(USDC).debt_shares.get(), 0);
    let key = keeper.pubkey();
    assert_eq!(w.balance(&key, SOL), event.to_keeper);
    assert_sound(&mut w, &[&lender, &unused, &small]);
}
