//! Falling prices: liquidations restore vaults, close them out, and suppliers lose nothing.

use crate::support::*;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::Liquidated;
use keel_risk::Fraction;
use keel_tests::check::only_event;
use keel_tests::world::refused;

/// SOL falls by half in steps of 4 dollars. Keepers act at each; the vault never leaves the zone where every
/// liquidation restores the target, and its owner takes home what is left.
#[test]
fn a_slow_crash_is_survived() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    let keeper = keeper(&mut w, USDC, SOL, 100_000_000_000);
    let mut liquidations = 0;
    for step in 1..=25 {
        w.pass(60);
        w.set_price(SOL, 200_00 - step * 4_00);
        w.set_price(USDC, 1_00);
        if let Ok(receipt) = w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0) {
            liquidations += 1;
            let event: Liquidated = only_event(&receipt);
            assert!(number(event.health_before) > 0.95 && number(event.health_before) < 1.0);
            assert!((number(event.health_after) - 1.05).abs() < 1e-6);
        }
        refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
        assert_sound(&mut w, &[&lender, &borrower]);
    }
    assert!(liquidations >= 5, "{liquidations}");
    // 100 dollars: half of the value is gone, but nothing of the lender's.
    w.fund(&borrower.key(), USDC, w.assets[USDC].whole(1_000));
    w.repay(&borrower, USDC, All).unwrap();
    w.withdraw(&borrower, SOL, All).unwrap();
    w.withdraw(&lender, USDC, All).unwrap();
    assert!(w.balance(&lender.key(), USDC) >= w.assets[USDC].whole(100_000));
    assert!(w.balance(&borrower.key(), SOL) > w.assets[SOL].whole(1));
    assert_sound(&mut w, &[&lender, &borrower]);
}

/// Many keepers with little capital each restore the target together, and none is paid for what another did.
#[test]
fn many_small_keepers_restore_the_target() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    w.set_price(SOL, 160_00);
    let (mut repaid, mut bonus, mut rounds) = (0, u128::MAX, 0);
    loop {
        let keeper = keeper(&mut w, USDC, SOL, 1_500_000_000);
        match w.liquidate(&keeper, &borrower.vault, USDC, SOL, w.assets[USDC].whole(1_500), 0) {
            Ok(receipt) => {
                let event: Liquidated = only_event(&receipt);
                assert!(event.health_after > event.health_before);
                assert!(event.bonus < bonus, "the bonus falls as health rises");
                (repaid, bonus, rounds) = (repaid + event.repaid, event.bonus, rounds + 1);
            }
            Err(failure) => {
                assert_eq!(failure.code(), Some(KeelError::Healthy.into()));
                break;
            }
        }
    }
    assert!(rounds > 3);
    // Splitting pays less bonus, so that health is restored earlier than by one keeper who repays 10,061.188453.
    assert!(repaid < 10_061_188_453, "{repaid}");
    assert_eq!(held(&mut w, &borrower, USDC), 14_000_000_000 - repaid);
    assert_sound(&mut w, &[&lender, &borrower]);
}

/// A gap into the close-out zone: two keepers take the vault apart, the debt is paid in full, and the bonus is all that
/// the owner had left.
#[test]
fn a_gap_into_the_close_out_zone_costs_suppliers_nothing() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    // C / D = 15,000 / 14,000.
    w.set_price(SOL, 150_00);
    let first = keeper(&mut w, USDC, SOL, 6_000_000_000);
    let event: Liquidated =
        only_event(&w.liquidate(&first, &borrower.vault, USDC, SOL, w.assets[USDC].whole(6_000), 0).unwrap());
    assert_eq!(event.repaid, 6_000_000_000);
    let second = keeper(&mut w, USDC, SOL, 8_000_000_000);
    let last: Liquidated = only_event(&w.liquidate(&second, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap());
    assert_eq!(last.repaid, 8_000_000_000);
    // C / D does not change, nor does the bonus.
    assert!((number(event.bonus) - 1.0 / 14.0).abs() < 1e-15 && (number(last.bonus) - 1.0 / 14.0).abs() < 1e-9);
    assert_eq!(Fraction::from(w.reserve(USDC).supply_index), Fraction::ONE);
    assert_eq!((w.liquidity(USDC), w.reserve(USDC).debt_shares.get()), (100_000_000_000, 0));
    assert!(held(&mut w, &borrower, SOL) <= 2);
    w.withdraw(&lender, USDC, All).unwrap();
    assert_eq!(w.balance(&lender.key(), USDC), 100_000_000_000);
    assert_sound(&mut w, &[&lender, &borrower]);
}

/// The owner has time: at each moment before the price arrives, more collateral saves the vault.
#[test]
fn a_deposit_or_a_repayment_in_time_saves_the_vault() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(14_000)).unwrap();
    w.set_price(SOL, 160_00);
    let keeper = keeper(&mut w, USDC, SOL, 14_000_000_000);
    // 14,000 / 133.28 = 105.0420... SOL carry the debt.
    w.fund(&borrower.key(), SOL, 5_100_000_000);
    w.deposit(&borrower, SOL, All).unwrap();
    refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
    // At 155 dollars 105.1 SOL carry 13,570.
    w.set_price(SOL, 155_00);
    w.repay(&borrower, USDC, keel::AmountSpec::Exact(431_000_000)).unwrap();
    refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
    w.set_price(SOL, 154_00);
    w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
}
