//! `resolve_bad_debt`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::{BadDebtRecognized, CollateralForfeited};
use keel::state::{Side, Vault};
use keel_client::instruction;
use keel_risk::Fraction;
use keel_tests::check::{keys, only_event};
use keel_tests::world::{User, refused};
use keel_tests::{AssetSpec, Chain};
use solana_instruction::Instruction;

const MARKET: usize = 0;
const VAULT: usize = 1;
const RESERVE: usize = 2;
const REMAINING: usize = 3;

/// A vault with 100 SOL, now worth 9 dollars, that owes 14,000 USDC.
fn ruined() -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 9);
    (w, lender, borrower)
}

fn build(w: &mut Bank, user: &User, asset: usize) -> Instruction {
    let vault = w.vault(&user.vault);
    instruction::resolve_bad_debt(&w.book, user.vault, &vault, w.assets[asset].reserve).unwrap()
}

#[track_caller]
fn refuse(w: &mut Bank, user: &User, asset: usize, expected: KeelError) {
    let instruction = build(w, user, asset);
    let governance = w.governance.insecure_clone();
    w.refuse(&instruction, &[&governance], expected);
}

/// The debt first: written off against insurance, then suppliers. Then the collateral: it becomes insurance.
#[test]
fn effects_writes_off_debt_then_forfeits_collateral() {
    let (mut w, lender, borrower) = ruined();
    insure(&mut w, USDC, 4_000_000_000);
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.resolve(&borrower.vault, USDC).unwrap();
    assert_eq!(before.changed(&mut w), keys([borrower.vault, w.assets[USDC].reserve]));
    let event: BadDebtRecognized = only_event(&receipt);
    assert_eq!((event.vault, event.reserve), (borrower.vault, w.assets[USDC].reserve));
    assert_eq!((event.owed, event.insured, event.socialized), (14_000_000_000, 4_000_000_000, 10_000_000_000));
    // 1 - 10,000 / 100,000.
    let usdc = w.reserve(USDC).pool();
    let fall = Fraction::ratio_floor(1, 10).unwrap().checked_add(Fraction::EPSILON).unwrap();
    assert_eq!(usdc.supply_index.0, Fraction::ONE.checked_sub(fall).unwrap());
    assert_eq!(event.supply_index, usdc.supply_index.0.to_bits());
    assert!(usdc.insurance_shares.is_zero() && usdc.debt_shares.is_zero());
    assert_eq!((usdc.available.0, w.liquidity(USDC)), (90_000_000_000, 90_000_000_000));
    let vault = w.vault(&borrower.vault);
    assert_eq!(vault.flags, Vault::INSOLVENT);
    assert!(!vault.has(Side::Debt) && vault.has(Side::Collateral));

    // The next call needs no price, even if SOL recovers.
    w.set_price(SOL, 200_00);
    let next = build(&mut w, &borrower, SOL);
    assert_eq!(next.accounts.len(), REMAINING);
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.resolve(&borrower.vault, SOL).unwrap();
    assert_eq!(before.changed(&mut w), keys([borrower.vault, w.assets[SOL].reserve]));
    let event: CollateralForfeited = only_event(&receipt);
    assert_eq!((event.vault, event.reserve), (borrower.vault, w.assets[SOL].reserve));
    assert_eq!(event.shares, 100_000_000_000 << 60);
    let sol = w.reserve(SOL).pool();
    assert_eq!(sol.insurance_shares.0, Fraction::from_integer(100_000_000_000));
    assert_eq!((sol.supply_shares, sol.available.0), (sol.insurance_shares, 100_000_000_000));
    // The vault is empty, and its owner may use it again.
    let vault = w.vault(&borrower.vault);
    assert!(vault.is_empty() && vault.flags == 0);
    w.fund(&borrower.key(), SOL, 5);
    w.deposit(&borrower, SOL, All).unwrap();
    w.withdraw(&borrower, SOL, All).unwrap();
    // The lender has 90,000 of 100,000.
    w.withdraw(&lender, USDC, All).unwrap();
    assert_eq!(w.balance(&lender.key(), USDC), 89_999_999_999);
}

/// In the other order, and with insurance enough.
#[test]
fn effects_collateral_may_go_first() {
    let (mut w, _, borrower) = ruined();
    insure(&mut w, USDC, 14_000_000_001);
    let receipt = w.resolve(&borrower.vault, SOL).unwrap();
    assert_eq!(only_event::<CollateralForfeited>(&receipt).shares, 100_000_000_000 << 60);
    assert!(w.vault(&borrower.vault).is_insolvent());
    let receipt = w.resolve(&borrower.vault, USDC).unwrap();
    let event: BadDebtRecognized = only_event(&receipt);
    assert_eq!((event.owed, event.insured, event.socialized), (14_000_000_000, 14_000_000_000, 0));
    let usdc = w.reserve(USDC).pool();
    assert_eq!((usdc.supply_index.0, usdc.insurance_shares.0), (Fraction::ONE, Fraction::ONE));
    assert!(!w.vault(&borrower.vault).is_insolvent());
}

/// Interest up to the moment is part of the loss.
#[test]
fn effects_accrues_interest_first() {
    let (mut w, _, borrower) = ruined();
    w.pass(365 * 86_400);
    w.refresh_prices();
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let owed = w.vault(&borrower.vault).debt(&w.assets[USDC].reserve).unwrap();
    let loss = expected.write_off(owed).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    let receipt = w.resolve(&borrower.vault, USDC).unwrap();
    assert_eq!(w.reserve(USDC).pool(), expected);
    let event: BadDebtRecognized = only_event(&receipt);
    assert_eq!((event.owed, event.insured, event.socialized), (loss.owed.0, loss.insured.0, loss.socialized.0));
    // 14,000 * e^0.0175; a tenth of the interest was insurance.
    let interest = 14_000.0 * (0.0175f64.exp() - 1.0);
    assert!((event.owed as f64 / 1e6 - 14_000.0 - interest).abs() < 1e-3);
    assert!((event.insured as f64 / 1e6 - interest / 10.0).abs() < 1e-3);
    assert!(event.owed.abs_diff(event.insured + event.socialized) <= 1);
}

/// Suppliers who lost everything: the index is zero, and the reserve takes no deposits any more.
#[test]
fn effects_a_total_loss() {
    let mut w = bank();
    let lender = w.supplier(USDC, 14_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 9);
    w.resolve(&borrower.vault, USDC).unwrap();
    assert_eq!(w.reserve(USDC).supply_index.get(), 0);
    w.fund(&lender.key(), USDC, 100);
    refused(w.deposit(&lender, USDC, All), KeelError::DivisionByZero);
    // The worthless position can be cleared.
    w.withdraw(&lender, USDC, All).unwrap();
    assert_eq!(w.balance(&lender.key(), USDC), 100);
    assert!(w.vault(&lender.vault).is_empty());
}

/// Several debts and collaterals, each in its own call.
#[test]
fn effects_clears_every_position() {
    let (mut w, _, borrower) = ruined();
    w.set_price(SOL, 200_00);
    let (dai, dust) = (w.list(&AssetSpec::usdc()), w.list(&AssetSpec::usdc()));
    w.supplier(dai, 1_000_000_000);
    w.fund(&borrower.key(), dai, 0);
    w.fund(&borrower.key(), dust, 500_000);
    w.deposit(&borrower, dust, All).unwrap();
    w.borrow(&borrower, dai, 100_000_000).unwrap();
    w.set_price(SOL, 9);
    let order = [dust, dai, SOL, USDC];
    for (i, asset) in order.into_iter().enumerate() {
        let vault = w.vault(&borrower.vault);
        assert_eq!((vault.occupied().count(), vault.is_insolvent()), (4 - i, i > 0));
        w.resolve(&borrower.vault, asset).unwrap();
    }
    let vault = w.vault(&borrower.vault);
    assert!(vault.is_empty() && !vault.is_insolvent());
    assert_eq!(w.reserve(dust).insurance_shares.get(), 500_000 << 60);
    assert_eq!(w.reserve(dai).debt_shares.get(), 0);
    assert!((0.9 - w.reserve(dai).supply_index.get() as f64 / (1u64 << 60) as f64).abs() < 1e-12);
}

#[test]
fn rejects_vaults_without_bad_debt() {
    // Healthy, liquidatable, underwater but with collateral worth seizing.
    for cents in [200_00, 160_00, 130_00, 11] {
        let (mut w, _, borrower) = ruined();
        w.set_price(SOL, cents);
        for asset in [USDC, SOL] {
            refuse(&mut w, &borrower, asset, KeelError::NoBadDebt);
        }
    }
    // Worth exactly the minimum position, as far as prices can say: 100 SOL at 10 cents, and a cent of a cent more.
    let (mut w, _, borrower) = ruined();
    let mut at = w.observation(10);
    (at.price, at.ema_price) = (at.price + 1, at.ema_price + 1);
    w.post(SOL, 0, &at);
    refuse(&mut w, &borrower, USDC, KeelError::NoBadDebt);
    w.set_price(SOL, 9);
    w.resolve(&borrower.vault, USDC).unwrap();
}

/// Little collateral, but worth more than the debt: its owner can repay, a keeper can liquidate.
#[test]
fn rejects_small_vaults_that_are_solvent() {
    let (mut w, _, _) = lent();
    let small = w.supplier(SOL, 100_000_000);
    w.fund(&small.key(), USDC, 0);
    w.borrow(&small, USDC, 10_000_000).unwrap();
    w.repay(&small, USDC, keel::AmountSpec::Exact(2_000_000)).unwrap();
    // 0.1 SOL at 90 dollars: 9 dollars of collateral, 7.497 of limit, 8 of debt. Unhealthy and small.
    w.set_price(SOL, 90_00);
    for asset in [USDC, SOL] {
        refuse(&mut w, &small, asset, KeelError::NoBadDebt);
    }
    // Without any debt there is none that is bad.
    w.repay(&small, USDC, All).unwrap();
    w.set_price(SOL, 1);
    refuse(&mut w, &small, SOL, KeelError::NoBadDebt);
}

#[test]
fn rejects_positions_that_the_vault_does_not_have() {
    let (mut w, lender, borrower) = ruined();
    let other = w.list(&AssetSpec::usdc());
    refuse(&mut w, &borrower, other, KeelError::NoSuchDebt);
    refuse(&mut w, &lender, SOL, KeelError::NoSuchDebt);
    w.resolve(&borrower.vault, USDC).unwrap();
    refuse(&mut w, &borrower, USDC, KeelError::NoSuchDebt);
}

#[test]
fn rejects_unusable_prices() {
    let (mut w, _, borrower) = ruined();
    for asset in [SOL, USDC] {
        for reason in UNUSABLE {
            spoil(&mut w, asset, 0, reason, LIQUIDATION);
            for resolved in [SOL, USDC] {
                refuse(&mut w, &borrower, resolved, reason);
            }
            restore(&mut w);
        }
    }
    w.resolve(&borrower.vault, USDC).unwrap();
}

/// Nothing is traded here: a feed that is dead counts at its last accepted price.
#[test]
fn effects_dead_feeds_count_at_their_last_price() {
    let (mut w, _, borrower) = ruined();
    w.refresh(SOL).unwrap();
    w.challenge(SOL, 0).unwrap();
    w.pass(599);
    w.set_price(USDC, 1_00);
    refuse(&mut w, &borrower, USDC, KeelError::PriceStale);
    w.pass(1);
    w.set_price(USDC, 1_00);
    w.resolve(&borrower.vault, USDC).unwrap();
}

#[test]
fn rejects_the_slots_after_a_cluster_restart() {
    let (mut w, _, borrower) = ruined();
    w.pass(400);
    let clock = w.chain.clock();
    w.chain.set_last_restart_slot(clock.slot - 99);
    w.refresh_prices();
    refuse(&mut w, &borrower, USDC, KeelError::RestartGracePeriod);
    w.chain.set_last_restart_slot(clock.slot - 100);
    w.resolve(&borrower.vault, USDC).unwrap();
    // A vault that is marked needs no prices, and does not wait.
    w.chain.set_last_restart_slot(clock.slot);
    w.resolve(&borrower.vault, SOL).unwrap();
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, lender, borrower) = ruined();
    let governance = w.governance.insecure_clone();
    let signers = [&governance];
    let valid = build(&mut w, &borrower, USDC);
    let (market, reserve) = (w.market, w.assets[USDC].reserve);
    let vault = borrower.vault;
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", vault)]);
    refuse_imposters(&mut w, &valid, &signers, VAULT, &[("market", market), ("reserve", reserve)]);
    refuse_imposters(&mut w, &valid, &signers, RESERVE, &[("market", market), ("vault", vault)]);
    let elsewhere = other_market(&mut w, USDC, &borrower);
    for (index, key) in [(MARKET, elsewhere.market), (VAULT, elsewhere.vault), (RESERVE, elsewhere.reserve)] {
        w.refuse(&with_account(&valid, index, key), &signers, KeelError::WrongMarket);
    }
    w.refuse(&with_account(&valid, VAULT, lender.vault), &signers, KeelError::NoBadDebt);
    for index in [VAULT, RESERVE] {
        w.refuse(&read_only(&valid, index), &signers, ErrorCode::ConstraintMut);
    }
    for count in 1..REMAINING {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    let signer = User { keypair: governance.insecure_clone(), vault };
    // USDC's price; SOL and its price. Missing, exchanged, or another reserve than the vault's.
    for count in REMAINING..REMAINING + 3 {
        w.refuse(&truncated(&valid, count), &signers, KeelError::MissingAccount);
    }
    w.refuse(&with_account(&valid, REMAINING + 1, reserve), &signers, KeelError::WrongReserve);
    w.refuse(&swapped(&valid, REMAINING, REMAINING + 2), &signers, KeelError::PriceWrongFeed);
    w.send(valid, &signer.keypair).unwrap();
}
