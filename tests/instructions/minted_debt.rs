//! Debt in the market's own token: `borrow`, `repay`, `deposit`, `resolve_bad_debt` and `withdraw_insurance` of a minted
//! reserve.

use crate::minted::*;
use crate::support::*;
use anchor_spl::token::spl_token;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::{BadDebtRecognized, InsuranceWithdrawn, Moved};
use keel::state::Side;
use keel_client::instruction;
use keel_risk::Fraction;
use keel_risk::units::DebtShares;
use keel_tests::check::{Refusal, event_among, keys, only_event};
use keel_tests::world::{User, refused};
use solana_instruction::Instruction;
use solana_signer::Signer;

const YEAR: i64 = 365 * 86_400;

fn borrow(w: &mut Bank, user: &User, amount: u64) -> Instruction {
    let vault = w.vault(&user.vault);
    instruction::borrow(&w.book, &vault, &w.actor(user, KUSD), amount).unwrap()
}

#[track_caller]
fn refuse_loan(w: &mut Bank, user: &User, amount: u64, expected: impl Into<Refusal>) {
    let borrow = borrow(w, user, amount);
    w.refuse(&borrow, &[&user.keypair], expected);
}

fn owed(w: &mut Bank, user: &User) -> u64 {
    let shares = w.vault(&user.vault).debt_or_zero(&w.assets[KUSD].reserve);
    w.reserve(KUSD).pool().debt_index.amount_owed(shares).unwrap().0
}

/// Lets time pass, and accrues the interest of the token.
fn wait(w: &mut Bank, seconds: i64) {
    w.pass(seconds - 1);
    w.refresh_prices();
    accrue(w);
}

#[test]
fn effects_borrowing_mints() {
    let (mut w, lender, borrower) = minting();
    let amount = 10_000_000_000;
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.borrow(&borrower, KUSD, amount).unwrap();
    let (tokens, mint, key) = (w.token_account(&borrower.key(), KUSD), w.assets[KUSD].mint, w.assets[KUSD].reserve);
    assert_eq!(before.changed(&mut w), keys([borrower.vault, key, mint, tokens]));
    assert_eq!((w.balance(&borrower.key(), KUSD), supply(&mut w)), (amount, amount));
    let vault = w.vault(&borrower.vault);
    assert_eq!(vault.debt(&key), Ok(DebtShares(Fraction::from_integer(amount))));
    assert_eq!(vault.occupied().map(|(_, side)| side).collect::<Vec<_>>(), [Side::Collateral, Side::Debt]);
    let reserve = w.reserve(KUSD);
    assert_eq!((reserve.available, reserve.debt_shares.get()), (0, u128::from(amount) << 60));
    // No slope: 5 % however much is owed.
    let rate = reserve.rate.borrow.get() as f64 / (1u64 << 60) as f64;
    assert!((rate - 0.05).abs() < 1e-15, "{rate}");
    assert_eq!(only_event::<Moved>(&receipt).amount, amount);
    assert_reconciled(&mut w);
}

#[test]
fn effects_repaying_burns() {
    let (mut w, lender, borrower) = minting();
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    let part = w.repay_ix(&borrower, KUSD, Exact(4_000_000_000));
    let before = w.snapshot(&[&lender, &borrower]);
    w.send(part, &borrower.keypair).unwrap();
    let (tokens, mint, key) = (w.token_account(&borrower.key(), KUSD), w.assets[KUSD].mint, w.assets[KUSD].reserve);
    assert_eq!(before.changed(&mut w), keys([borrower.vault, key, mint, tokens]));
    assert_eq!((owed(&mut w, &borrower), supply(&mut w)), (6_000_000_000, 6_000_000_000));
    // To the last unit, with the interest of a year: the borrower has to find 5 % more tokens than were
    // lent, and than there are.
    wait(&mut w, YEAR);
    let interest = owed(&mut w, &borrower) - 6_000_000_000;
    let all = w.repay_ix(&borrower, KUSD, All);
    w.refuse(&all, &[&borrower.keypair], KeelError::InsufficientLiquidity);
    let trader = swapper(&mut w, 1_000_000_000);
    let own = w.token_account(&borrower.key(), KUSD);
    w.refuse(&all, &[&borrower.keypair], spl_token::error::TokenError::InsufficientFunds);
    transfer(&mut w, &trader, KUSD, &own, interest);
    w.send(all, &borrower.keypair).unwrap();
    assert!(!w.vault(&borrower.vault).has(Side::Debt));
    assert_eq!((w.balance(&borrower.key(), KUSD), w.reserve(KUSD).debt_shares.get()), (0, 0));
    assert_eq!(supply(&mut w), w.balance(&trader.pubkey(), KUSD));
    assert_reconciled(&mut w);
}

/// 100 * 199.9 * 0.98 * 0.75 dollars of limit carry as many tokens, no matter what the swap's asset costs, and whether
/// that has a price at all.
#[test]
fn effects_a_token_is_owed_at_a_dollar() {
    let most = 14_692_649_999;
    for usdc_cents in [1, 1_00, 100_00] {
        let (mut w, _, borrower) = minting();
        w.set_price(USDC, usdc_cents);
        refuse_loan(&mut w, &borrower, most + 2, KeelError::Unhealthy);
        w.borrow(&borrower, KUSD, most).unwrap();
    }
    let (mut w, _, borrower) = minting();
    w.pass(3_600);
    w.set_price(SOL, 200_00);
    w.borrow(&borrower, KUSD, most).unwrap();
    // In a liquidation it is the same dollar: 83.3 * 176.37 is less than 14,692.65, 83.3 * 176.39 is more.
    let keeper = keeper(&mut w, KUSD, SOL, 0);
    let own = w.token_account(&keeper.pubkey(), KUSD);
    transfer(&mut w, &borrower.keypair, KUSD, &own, most);
    w.set_price(SOL, 176_39);
    refused(w.liquidate(&keeper, &borrower.vault, KUSD, SOL, u64::MAX, 0), KeelError::Healthy);
    w.set_price(SOL, 176_37);
    w.liquidate(&keeper, &borrower.vault, KUSD, SOL, u64::MAX, 0).unwrap();
    assert_reconciled(&mut w);
}

/// 5 % a year, compounded: all of it surplus. Nobody holds shares of a token that could grow.
#[test]
fn effects_the_stability_fee_is_surplus() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    wait(&mut w, YEAR);
    let owed = owed(&mut w, &borrower);
    assert!(((owed as f64 / 1e10).ln() - 0.05).abs() < 1e-6, "{owed}");
    let reserve = w.reserve(KUSD);
    let surplus = Fraction::from(reserve.insurance_shares).floor_to_u64().unwrap();
    assert_eq!(surplus, owed - 1 - 10_000_000_000);
    assert_eq!((reserve.supply_index.get(), reserve.deficit.get()), (1 << 60, 0));
    assert_eq!(supply(&mut w), 10_000_000_000);
    assert_reconciled(&mut w);
}

#[test]
fn effects_up_to_the_ceiling_exactly() {
    let (mut w, lender, borrower) = minting();
    w.configure(KUSD, |config| config.limits.borrow_cap = 10_000_000_000).unwrap();
    refuse_loan(&mut w, &borrower, 10_000_000_001, KeelError::BorrowCapExceeded);
    w.borrow(&borrower, KUSD, 9_000_000_000).unwrap();
    // The ceiling is for all vaults together. What the swap minted is under a cap of its own.
    w.fund(&lender.key(), KUSD, 0);
    swapper(&mut w, 50_000_000_000);
    refuse_loan(&mut w, &lender, 1_000_000_001, KeelError::BorrowCapExceeded);
    w.borrow(&lender, KUSD, 1_000_000_000).unwrap();
    w.repay(&lender, KUSD, Exact(20_000_000)).unwrap();
    // Interest counts.
    wait(&mut w, YEAR);
    refuse_loan(&mut w, &lender, 10_000_000, KeelError::BorrowCapExceeded);
}

/// At par the least debt is 10 tokens.
#[test]
fn effects_from_the_minimum_position_and_rejects_dust() {
    let (mut w, _, borrower) = minting();
    refuse_loan(&mut w, &borrower, 9_999_999, KeelError::PositionTooSmall);
    w.borrow(&borrower, KUSD, 10_000_000).unwrap();
}

#[test]
fn rejects_more_than_it_lets_out() {
    let (mut w, _, borrower) = minting();
    w.configure(KUSD, |config| config.limits.hourly_outflow = 1_000_000_000).unwrap();
    refuse_loan(&mut w, &borrower, 1_000_000_001, KeelError::OutflowLimitExceeded);
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    refuse_loan(&mut w, &borrower, 1_000_000, KeelError::OutflowLimitExceeded);
    w.repay(&borrower, KUSD, Exact(500_000_000)).unwrap();
    w.borrow(&borrower, KUSD, 500_000_000).unwrap();
}

/// One vault owes 5,000 USDC, at 1.0005 dollars, and tokens: both against the same collateral.
#[test]
fn effects_beside_pooled_debt() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, USDC, 5_000_000_000).unwrap();
    let most = 14_692_650_000 - 5_002_500_000;
    refuse_loan(&mut w, &borrower, most + 1, KeelError::Unhealthy);
    w.borrow(&borrower, KUSD, most - 2).unwrap();
    refused(w.borrow(&borrower, USDC, 1_000), KeelError::Unhealthy);
    refused(w.withdraw(&borrower, SOL, Exact(1_000_000)), KeelError::Unhealthy);
    let vault = w.vault(&borrower.vault);
    assert_eq!(vault.occupied().map(|(_, side)| side).collect::<Vec<_>>(), [Side::Collateral, Side::Debt, Side::Debt]);
    // Each is repaid for itself.
    w.repay(&borrower, KUSD, All).unwrap();
    assert_eq!((supply(&mut w), w.reserve(USDC).debt_shares.get()), (0, 5_000_000_000 << 60));
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    w.repay(&borrower, USDC, All).unwrap();
    w.withdraw(&borrower, SOL, All).unwrap();
}

/// The token is no collateral in its own market: not in an empty vault, not in one that owes it.
#[test]
fn rejects_deposits() {
    let (mut w, lender, borrower) = minting();
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    for amount in [Exact(1), All] {
        let deposit = instruction::deposit(&w.book, &w.actor(&borrower, KUSD), amount).unwrap();
        w.refuse(&deposit, &[&borrower.keypair], KeelError::MintedTakesNoDeposits);
    }
    w.fund(&lender.key(), KUSD, 0);
    let tokens = w.token_account(&lender.key(), KUSD);
    transfer(&mut w, &borrower.keypair, KUSD, &tokens, 1_000_000);
    let deposit = instruction::deposit(&w.book, &w.actor(&lender, KUSD), All).unwrap();
    w.refuse(&deposit, &[&lender.keypair], KeelError::MintedTakesNoDeposits);
    refused(w.withdraw(&lender, KUSD, All), KeelError::NoSuchCollateral);
}

/// Somebody destroys 1,000 tokens. The books go on counting them, so that nobody else loses by it.
#[test]
fn effects_tokens_burned_elsewhere_do_no_harm() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    let trader = swapper(&mut w, 5_000_000_500);
    let burned = 1_000_000_000;
    let (account, mint) = (w.token_account(&trader.pubkey(), KUSD), w.assets[KUSD].mint);
    let burn = spl_token::instruction::burn(&spl_token::ID, &account, &mint, &trader.pubkey(), &[], burned).unwrap();
    w.send(burn, &trader).unwrap();
    let counted = |w: &mut Bank| w.reserve(KUSD).pool().circulating().unwrap().0 - supply(w);
    assert_eq!(counted(&mut w), burned);
    let before = w.reserve(KUSD);
    assert_eq!(before.pool().circulating().unwrap().0, 10_000_000_000 + 5_000_000_500 - 5_000_001);

    wait(&mut w, 86_400);
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    w.repay(&borrower, KUSD, Exact(2_000_000_000)).unwrap();
    w.set_price(USDC, 99);
    let out = instruction::swap_out(&w.book, trader.pubkey(), 3_000_000_000, 0).unwrap();
    w.send(out, &trader).unwrap();
    w.set_price(SOL, 150_00);
    w.fund(&trader.pubkey(), SOL, 0);
    w.configure(KUSD, |config| config.minted.redemption_max_health_bps = 30_000).unwrap();
    let redemption = redeem(&mut w, &trader.pubkey(), &borrower.vault, SOL, 500_000_000);
    w.send(redemption, &trader).unwrap();
    assert_eq!(counted(&mut w), burned);
    assert_eq!(w.reserve(KUSD).invariant(), Ok(()));
    assert_eq!(w.reserve(KUSD).deficit.get(), 0);
}

#[test]
fn effects_governance_mints_surplus() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    w.configure(KUSD, |config| config.insurance_floor_bps = 100).unwrap();
    wait(&mut w, YEAR);
    let (surplus, _) = surplus_and_deficit(&mut w);
    let owed = owed(&mut w, &borrower);
    let governance = w.governance.insecure_clone();
    w.fund(&governance.pubkey(), KUSD, 0);
    let to = w.token_account(&governance.pubkey(), KUSD);
    let withdraw = |w: &mut Bank, amount| w.withdraw_insurance_ixs(KUSD, to, amount);
    // A hundredth of what is owed stays.
    let most = surplus - owed / 100 - 1;
    for (amount, expected) in [
        (0, KeelError::ZeroAmount),
        (most + 2, KeelError::InsuranceFloor),
        (surplus + 1, KeelError::InsuranceFloor),
        (u64::MAX, KeelError::InsuranceFloor),
    ] {
        let beyond = withdraw(&mut w, amount);
        w.refuse_all(&beyond, &[&governance], expected);
    }
    let mint = withdraw(&mut w, most);
    let receipt = w.send_all(&mint, &[&governance]).unwrap();
    let event: InsuranceWithdrawn = event_among(&receipt, 3);
    assert_eq!((event.amount, event.shares), (most, u128::from(most) << 60));
    assert_eq!((w.balance(&governance.pubkey(), KUSD), supply(&mut w)), (most, 10_000_000_000 + most));
    assert_reconciled(&mut w);
    let left = surplus_and_deficit(&mut w).0;
    assert!(left >= owed / 100 && left < owed / 100 + 100, "{left}");
    // Surplus, once minted, repays debt like any token.
    let own = w.token_account(&borrower.key(), KUSD);
    transfer(&mut w, &governance, KUSD, &own, most);
    w.repay(&borrower, KUSD, Exact(10_000_000_000 + most)).unwrap();
    assert_eq!(supply(&mut w), 0);
    assert_reconciled(&mut w);
}

/// The lender owes 20,000 tokens against USDC, the borrower 10,000 against SOL that is worth nothing any more. The surplus
/// of a year pays for a part, the rest is a deficit, and what the lender owes in interest fills it before there is a new
/// surplus.
#[test]
fn effects_bad_debt_is_a_deficit_that_fees_fill_first() {
    let (mut w, lender, borrower) = minting();
    w.fund(&lender.key(), KUSD, 0);
    w.borrow(&borrower, KUSD, 10_000_000_000).unwrap();
    w.borrow(&lender, KUSD, 20_000_000_000).unwrap();
    wait(&mut w, YEAR);
    w.set_price(SOL, 9);
    let (surplus, lost) = (w.reserve(KUSD).pool().insurance_shares.0.floor_to_u64().unwrap(), owed(&mut w, &borrower));
    let receipt = w.resolve(&borrower.vault, KUSD).unwrap();
    let event: BadDebtRecognized = only_event(&receipt);
    assert_eq!((event.vault, event.reserve), (borrower.vault, w.assets[KUSD].reserve));
    assert_eq!((event.owed, event.insured, event.socialized), (lost, surplus, 0));
    let missing = lost - surplus;
    assert!(event.deficit.abs_diff(missing) <= 1 && missing > 8_900_000_000, "{missing}");
    let reserve = w.reserve(KUSD);
    assert_eq!((reserve.insurance_shares.get(), reserve.supply_index.get()), (0, 1 << 60));
    // No token is worth less for it, and none disappears.
    assert_eq!(supply(&mut w), 30_000_000_000);
    assert_reconciled(&mut w);

    let governance = w.governance.insecure_clone();
    w.fund(&governance.pubkey(), KUSD, 0);
    let to = w.token_account(&governance.pubkey(), KUSD);
    let withdraw = w.withdraw_insurance_ixs(KUSD, to, 1);
    w.refuse_all(&withdraw, &[&governance], KeelError::InsuranceFloor);

    let mut before = owed(&mut w, &lender);
    let mut deficit = missing;
    let mut years = 0;
    while deficit > 0 {
        wait(&mut w, YEAR);
        years += 1;
        let now = owed(&mut w, &lender);
        let earned = now - before;
        let pool = w.reserve(KUSD).pool();
        let left = pool.deficit.floor_to_u64().unwrap();
        assert!(left.abs_diff(deficit.saturating_sub(earned)) <= 2, "{left} {deficit} {earned}");
        let surplus = pool.insurance_shares.0.floor_to_u64().unwrap();
        assert!(surplus.abs_diff(earned.saturating_sub(deficit)) <= 2, "{surplus}");
        assert_reconciled(&mut w);
        (before, deficit) = (now, left);
    }
    // 21,025 at 5 %: 8,997 in eight years.
    assert_eq!(years, 8);
    w.send_all(&withdraw, &[&governance]).unwrap();
}
