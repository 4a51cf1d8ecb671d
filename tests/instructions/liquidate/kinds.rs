//! Liquidations of isolated collateral, and of minted debt.

use super::*;
use crate::minted::*;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
use keel_risk::Fraction;
use keel_tests::check::{events, keys, only_event};

/// SOL backs 20,000 dollars of debt. 14,000 USDC count with 14,007, at the price they were borrowed at, and a liquidation
/// gives back the part of that which it repays.
#[test]
fn effects_releases_the_ceiling_of_isolated_collateral() {
    let (mut w, lender, borrower) = lent();
    w.configure(SOL, |config| config.limits.isolated_debt_ceiling = 20_000_000_000).unwrap();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    assert_eq!(w.reserve(SOL).isolated_debt, 14_007_000_001);
    let next = w.supplier(SOL, 100_000_000_000);
    w.fund(&next.key(), USDC, 0);
    keel_tests::world::refused(w.borrow(&next, USDC, 10_000_000_000), KeelError::IsolatedDebtCeilingExceeded);
    w.set_price(SOL, 160_00);
    let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000_000);
    let mut c = Case { w, lender, borrower, keeper };
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    let left = 14_007e6 * (1.0 - event.repaid as f64 / 14e9);
    let (counted, vault) = (c.w.reserve(SOL).isolated_debt, c.w.vault(&c.borrower.vault));
    assert!((counted as f64 - left).abs() < 2.0, "{counted} {left}");
    assert_eq!(vault.positions.iter().map(|position| position.isolated_debt).sum::<u64>(), counted);
    // There is room for others again.
    c.w.borrow(&next, USDC, 10_000_000_000).unwrap();
    c.w.repay(&next, USDC, All).unwrap();
    assert_eq!(c.w.reserve(SOL).isolated_debt, counted);
    c.w.repay(&c.borrower, USDC, All).unwrap();
    assert_eq!(c.w.reserve(SOL).isolated_debt, 0);
}

/// A vault with 100 SOL that owes 14,000 tokens, and a keeper with 20,000.
fn owing_tokens(cents: i64) -> Case {
    let (mut w, lender, borrower) = minting();
    w.borrow(&borrower, KUSD, 14_000_000_000).unwrap();
    let holder = holder(&mut w, 20_000_000_000);
    w.set_price(SOL, cents);
    Case { w, lender, borrower, keeper: holder.keypair }
}

/// The same numbers as with USDC, but for a unit that a millionth of a dollar is not exact by: the tokens are burned.
#[test]
fn effects_minted_debt_is_burned() {
    let mut c = owing_tokens(160_00);
    let before = c.w.snapshot(&[&c.lender, &c.borrower]);
    let liquidate = c.build(KUSD, SOL, u64::MAX, 0);
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    let (kusd, mint) = (c.w.assets[KUSD].reserve, c.w.assets[KUSD].mint);
    let changed = [c.borrower.vault, c.w.assets[SOL].reserve, kusd, mint, c.w.liquidity_key(SOL)];
    assert_eq!(before.changed(&mut c.w), keys(changed));
    assert!(event.repaid.abs_diff(10_061_188_453) <= 1, "{}", event.repaid);
    assert!(event.to_keeper.abs_diff(68_360_744_943) <= 10, "{}", event.to_keeper);
    assert_eq!((event.debt_reserve, event.in_shares), (kusd, false));
    assert_eq!(supply(&mut c.w), 34_000_000_000 - event.repaid);
    assert_eq!(c.w.balance(&c.keeper.pubkey(), KUSD), 20_000_000_000 - event.repaid);
    assert_eq!(c.w.reserve(KUSD).debt_shares.get(), u128::from(34_000_000_000 - event.repaid) << 60);
    assert_reconciled(&mut c.w);
}

/// At 130 dollars 1,254.90 tokens are not covered: no supplier bears that, it is a deficit.
#[test]
fn effects_bad_minted_debt_is_a_deficit() {
    let mut c = owing_tokens(130_00);
    let liquidate = c.build(KUSD, SOL, u64::MAX, 0);
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event = events::<Liquidated>(&receipt).pop().unwrap();
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert!(event.repaid.abs_diff(12_745_098_040) <= 1, "{}", event.repaid);
    let bad = 14_000_000_000 - event.repaid;
    assert_eq!((loss.owed, loss.insured, loss.socialized, loss.deficit), (bad, 0, 0, bad));
    assert_eq!(c.w.reserve(KUSD).pool().deficit, Fraction::from_integer(bad));
    assert!(c.w.vault(&c.borrower.vault).is_empty());
    assert_reconciled(&mut c.w);
}

/// A vault that owes both is liquidated in either.
#[test]
fn effects_minted_and_pooled_debt_of_one_vault() {
    let mut c = owing_tokens(200_00);
    c.w.repay(&c.borrower, KUSD, keel::AmountSpec::Exact(7_000_000_000)).unwrap();
    c.w.borrow(&c.borrower, USDC, 7_000_000_000).unwrap();
    c.w.fund(&c.keeper.pubkey(), USDC, 10_000_000_000);
    c.w.set_price(SOL, 160_00);
    let tokens = c.build(KUSD, SOL, u64::MAX, 0);
    let first: Liquidated = only_event(&c.w.send(tokens, &c.keeper).unwrap());
    // 10,061 would restore the target, but there are 7,000.
    assert_eq!(first.repaid, 7_000_000_000);
    assert_reconciled(&mut c.w);
    let pooled = c.build(USDC, SOL, u64::MAX, 0);
    let second: Liquidated = only_event(&c.w.send(pooled, &c.keeper).unwrap());
    assert!(second.repaid > 2_000_000_000 && second.health_before == first.health_after);
    assert_reconciled(&mut c.w);
}
