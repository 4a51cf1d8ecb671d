//! From the first supplier to the last withdrawal, with interest.

use crate::support::*;
use keel::AmountSpec::{All, Exact};
use keel_client::instruction;
use keel_tests::{AssetSpec, Chain};

const DAY: i64 = 86_400;

/// The yearly rate of the test assets below the kink: a tenth, times utilization over 80 %.
fn rate(utilization: f64) -> f64 {
    0.1 * utilization / 0.8
}

#[test]
fn first_supplier_to_last_withdrawal() {
    let mut w = bank();
    let ten_thousand = w.assets[USDC].whole(10_000);
    let alice = w.supplier(USDC, ten_thousand);
    let bob = w.supplier(SOL, w.assets[SOL].whole(100));
    // What bob will owe in interest.
    w.fund(&bob.key(), USDC, w.assets[USDC].whole(2_000));

    // Bob borrows 5,000 of alice's 10,000 for 90 days.
    w.borrow(&bob, USDC, w.assets[USDC].whole(5_000)).unwrap();
    let first = (rate(0.5) * 90.0 / 365.0).exp() - 1.0;
    w.pass(90 * DAY);
    w.refresh_prices();

    // Carol supplies 10,000, bob borrows another 4,000, for 180 days.
    let carol = w.supplier(USDC, ten_thousand);
    w.borrow(&bob, USDC, w.assets[USDC].whole(4_000)).unwrap();
    let all = [&alice, &bob, &carol];
    assert_sound(&mut w, &all);
    let debt = 5_000.0 * (1.0 + first) + 4_000.0;
    let assets = 20_000.0 + 5_000.0 * first;
    let second = (rate(debt / assets) * 180.0 / 365.0).exp() - 1.0;
    w.pass(180 * DAY);

    // Bob repays all of it and leaves with his SOL, which nobody borrowed.
    w.repay(&bob, USDC, All).unwrap();
    assert_sound(&mut w, &all);
    let interest = 5_000.0 * first + debt * second;
    let paid = w.assets[USDC].whole(11_000) - w.balance(&bob.key(), USDC);
    assert!((paid as f64 / 1e6 - 9_000.0 - interest).abs() < 0.01, "{paid} {interest}");
    w.withdraw(&bob, SOL, All).unwrap();
    assert_eq!(w.balance(&bob.key(), SOL), w.assets[SOL].whole(100));

    // Suppliers get nine tenths: alice of the first part alone, of the second by shares. Her claim had grown.
    w.withdraw(&alice, USDC, All).unwrap();
    w.withdraw(&carol, USDC, All).unwrap();
    let (alices, carols) = (w.balance(&alice.key(), USDC), w.balance(&carol.key(), USDC));
    let alone = 10_000.0 + 0.9 * 5_000.0 * first;
    // The claims of suppliers and insurance grow alike on each unit.
    let claims = assets;
    let share = 0.9 * debt * second / claims;
    assert!((alices as f64 / 1e6 - alone * (1.0 + share)).abs() < 0.01, "{alices}");
    assert!((carols as f64 / 1e6 - 10_000.0 * (1.0 + share)).abs() < 0.01, "{carols}");

    // All that is left is insurance; not a unit was made or lost.
    let left = w.liquidity(USDC);
    assert_eq!(alices + carols + w.balance(&bob.key(), USDC) + left, w.assets[USDC].whole(22_000));
    let reserve = w.reserve(USDC);
    assert_eq!((reserve.available, reserve.debt_shares.get()), (left, 0));
    assert_eq!(reserve.supply_shares, reserve.insurance_shares);
    assert!((left as f64 / 1e6 - (interest - (alices + carols) as f64 / 1e6 + 20_000.0)).abs() < 0.01);
    let claim = reserve.pool().supply_index.amount_of(reserve.pool().insurance_shares).unwrap().0;
    assert!((left - 3..=left).contains(&claim), "{claim} of {left}");
    assert_sound(&mut w, &all);
    for user in all {
        w.send(instruction::close_vault(user.key(), user.vault), &user.keypair).unwrap();
        assert_eq!(w.chain.account(&user.vault), None);
    }
}

/// Whether somebody refreshes the reserve every day or nobody ever does: suppliers and borrowers see the same, up to
/// what compounding of the rate's own growth adds.
#[test]
fn refreshing_is_not_needed() {
    let owed_after = |refreshes: i64| {
        let (mut w, _, borrower) = lent();
        w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
        for _ in 0..refreshes {
            w.pass(364 / refreshes * DAY);
            w.refresh_prices();
            w.refresh(USDC).unwrap();
        }
        w.fund(&borrower.key(), USDC, w.assets[USDC].whole(1_000));
        let before = w.balance(&borrower.key(), USDC);
        w.repay(&borrower, USDC, All).unwrap();
        before - w.balance(&borrower.key(), USDC)
    };
    let (once, often) = (owed_after(1), owed_after(52));
    assert!(often > once && often - once < 1_000_000, "{once} {often}");
}

/// Deposits and withdrawals at constant prices and without interest earn nothing: not a unit in a hundred rounds.
#[test]
fn going_in_and_out_earns_nothing() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    w.pass(200 * DAY);
    let trader = w.user();
    w.fund(&trader.key(), USDC, 1_000_003);
    for amount in 1..50u64 {
        w.deposit(&trader, USDC, Exact(amount * 20_011 % 1_000_003)).unwrap();
        w.withdraw(&trader, USDC, All).unwrap();
    }
    let left = w.balance(&trader.key(), USDC);
    assert!((1_000_003 - 49..=1_000_003).contains(&left), "{left}");
}

/// All that a token account holds of an asset of 18 decimals is supplied, and interest comes on top: more is claimed than any
/// account holds, and everybody still repays and leaves.
#[test]
fn a_supply_outgrows_a_token_account() {
    let mut w = bank();
    let small = w.list(&AssetSpec::new(18, 1_00));
    let lender = w.supplier(small, u64::MAX);
    let borrower = w.supplier(SOL, 1_000_000_000);
    w.fund(&borrower.key(), small, 0);
    w.borrow(&borrower, small, 12_000_000_000_000_000_000).unwrap();
    w.pass(30 * 86_400);
    w.refresh_prices();
    w.refresh(small).unwrap();
    let pool = w.reserve(small).pool();
    assert!(number(pool.supply_shares.0.to_bits()) * number(pool.supply_index.0.to_bits()) > 1.001 * u64::MAX as f64);
    w.repay(&borrower, small, Exact(11_000_000_000_000_000_000)).unwrap();
    w.withdraw(&lender, small, Exact(17_000_000_000_000_000_000)).unwrap();
    assert_sound(&mut w, &[&lender, &borrower]);
}
