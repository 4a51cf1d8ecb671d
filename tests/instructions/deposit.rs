//! `deposit`.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::{Flow, Moved};
use keel::state::Side;
use keel_client::instruction::{self, Actor};
use keel_risk::Fraction;
use keel_risk::units::{Amount, SupplyShares};
use keel_tests::check::{keys, only_event, refused_with};
use keel_tests::world::refused;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::error::InstructionError;

#[test]
fn effects_takes_tokens_and_adds_shares() {
    let mut w = bank();
    let (user, bystander) = (w.user(), w.supplier(SOL, 1_000));
    w.fund(&user.key(), SOL, 5_000_000_000);
    let before = w.snapshot(&[&user, &bystander]);
    let receipt = w.deposit(&user, SOL, Exact(3_000_000_000)).unwrap();

    let (tokens, liquidity) = (w.token_account(&user.key(), SOL), w.liquidity_key(SOL));
    assert_eq!(before.changed(&mut w), keys([user.vault, w.assets[SOL].reserve, tokens, liquidity]));
    assert_eq!((w.balance(&user.key(), SOL), w.liquidity(SOL)), (2_000_000_000, 3_000_001_000));
    // The index is 1: a share for each lamport.
    let shares = Fraction::from_integer(3_000_000_000);
    let vault = w.vault(&user.vault);
    assert_eq!(vault.collateral(&w.assets[SOL].reserve), Ok(SupplyShares(shares)));
    assert_eq!(vault.occupied().count(), 1);
    let reserve = w.reserve(SOL);
    assert_eq!((reserve.available, reserve.supply_shares.get()), (3_000_001_000, 3_000_001_000 << 60));
    assert_eq!((reserve.insurance_shares.get(), reserve.debt_shares.get()), (0, 0));
    let event: Moved = only_event(&receipt);
    assert_eq!((event.flow, event.vault, event.reserve), (Flow::Deposit, user.vault, w.assets[SOL].reserve));
    assert_eq!((event.amount, event.shares), (3_000_000_000, shares.to_bits()));

    // A second deposit goes into the same slot.
    w.deposit(&user, SOL, Exact(1)).unwrap();
    let vault = w.vault(&user.vault);
    assert_eq!(vault.occupied().count(), 1);
    assert_eq!(vault.collateral(&w.assets[SOL].reserve), Ok(SupplyShares(Fraction::from_integer(3_000_000_001))));
}

#[test]
fn effects_all_is_the_balance() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), USDC, 12_345);
    let receipt = w.deposit(&user, USDC, All).unwrap();
    assert_eq!(only_event::<Moved>(&receipt).amount, 12_345);
    assert_eq!((w.balance(&user.key(), USDC), w.liquidity(USDC)), (0, 12_345));
}

#[test]
fn effects_anyone_may_add_to_what_a_vault_holds() {
    let mut w = bank();
    let (owner, friend) = (w.supplier(USDC, 5), w.user());
    w.fund(&friend.key(), USDC, 100);
    let actor = Actor::new(&w.book, friend.key(), owner.vault, w.assets[USDC].reserve).unwrap();
    let deposit = instruction::deposit(&w.book, &actor, Exact(100)).unwrap();
    w.send(deposit, &friend.keypair).unwrap();
    let reserve = w.assets[USDC].reserve;
    assert_eq!(w.vault(&owner.vault).collateral(&reserve), Ok(SupplyShares(Fraction::from_integer(105))));
    assert!(w.vault(&friend.vault).is_empty());
    assert_eq!(w.balance(&friend.key(), USDC), 0);
}

/// Dust of strangers could fill a vault's slots, or stand in the way of a loan.
#[test]
fn rejects_new_positions_by_others_than_the_owner() {
    let mut w = bank();
    let (owner, stranger) = (w.supplier(SOL, 5), w.user());
    w.fund(&stranger.key(), USDC, 100);
    let actor = Actor::new(&w.book, stranger.key(), owner.vault, w.assets[USDC].reserve).unwrap();
    let deposit = instruction::deposit(&w.book, &actor, Exact(100)).unwrap();
    w.refuse(&deposit, &[&stranger.keypair], KeelError::OnlyOwnerOpensPositions);
    // Not in a slot that was freed either.
    w.fund(&owner.key(), USDC, 1);
    w.deposit(&owner, USDC, All).unwrap();
    w.withdraw(&owner, USDC, All).unwrap();
    w.refuse(&deposit, &[&stranger.keypair], KeelError::OnlyOwnerOpensPositions);
    w.deposit(&owner, USDC, All).unwrap();
    w.send(deposit, &stranger.keypair).unwrap();
}

/// Interest up to now belongs to those who supplied before: the new shares are bought at the accrued index.
#[test]
fn effects_accrues_interest_first() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    w.pass(365 * 86_400);
    let newcomer = w.user();
    w.fund(&newcomer.key(), USDC, 1_000_000_000);
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let change = expected.deposit(Amount(1_000_000_000), Amount::MAX).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    w.deposit(&newcomer, USDC, All).unwrap();

    let reserve = w.reserve(USDC);
    assert_eq!(reserve.pool(), expected);
    let key = w.assets[USDC].reserve;
    assert_eq!(w.vault(&newcomer.vault).collateral(&key), Ok(change.shares));
    // By hand: 10 % utilization is an eighth of the way to the kink, where the rate is 10 %. In a year e^0.0125 - 1 of
    // 10,000, of which suppliers get 90 %.
    let interest = 10_000.0 * (0.0125f64.exp() - 1.0);
    let index = 1.0 + 0.9 * interest / 100_000.0;
    let bits = |f: Fraction| f.to_bits() as f64 / (1u64 << 60) as f64;
    assert!((bits(reserve.supply_index.into()) - index).abs() < 1e-9);
    assert!((bits(change.shares.0) - 1e9 / index).abs() < 10.0);
    assert!((bits(reserve.insurance_shares.into()) * index - 0.1 * interest * 1e6).abs() < 10.0);
    // The newcomer's claim is what was paid, less at most a unit; the lender has all the interest.
    let value = reserve.pool().supply_index.amount_of(change.shares).unwrap().0;
    assert!((999_999_999..=1_000_000_000).contains(&value), "{value}");
    let held = w.vault(&lender.vault).collateral(&key).unwrap();
    let claim = reserve.pool().supply_index.amount_of(held).unwrap().0 as f64;
    assert!((claim - 1e11 * index).abs() < 100.0);
}

#[test]
fn effects_needs_no_price_with_debt_or_without() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(10_000)).unwrap();
    w.set_price(SOL, 1_00);
    w.pass(100_000);
    for asset in [SOL, USDC] {
        let key = w.assets[asset].prices[0];
        w.chain.set_data(&key, &keel::ID, vec![]);
    }
    w.fund(&borrower.key(), SOL, 1);
    w.deposit(&borrower, SOL, All).unwrap();
    assert!(w.vault(&borrower.vault).has(Side::Debt));
}

#[test]
fn effects_up_to_the_cap_exactly() {
    let mut spec = AssetSpec::usdc();
    spec.config.limits.deposit_cap = 1_000;
    let mut w = World::with(ProgramTestChain::new(), &[spec]);
    let user = w.user();
    w.fund(&user.key(), 0, 2_000);
    w.deposit(&user, 0, Exact(999)).unwrap();
    let beyond = instruction::deposit(&w.book, &w.actor(&user, 0), Exact(2)).unwrap();
    w.refuse(&beyond, &[&user.keypair], KeelError::DepositCapExceeded);
    w.deposit(&user, 0, Exact(1)).unwrap();
    let one_more = instruction::deposit(&w.book, &w.actor(&user, 0), Exact(1)).unwrap();
    w.refuse(&one_more, &[&user.keypair], KeelError::DepositCapExceeded);
    assert_eq!(w.liquidity(0), 1_000);
    w.withdraw(&user, 0, Exact(1)).unwrap();
    w.deposit(&user, 0, Exact(1)).unwrap();
}

#[test]
fn effects_the_whole_supply_of_a_mint() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), USDC, u64::MAX);
    w.deposit(&user, USDC, Exact(u64::MAX)).unwrap();
    assert_eq!((w.liquidity(USDC), w.reserve(USDC).available), (u64::MAX, u64::MAX));
    let reserve = w.assets[USDC].reserve;
    assert_eq!(w.vault(&user.vault).collateral(&reserve), Ok(SupplyShares(Fraction::from_integer(u64::MAX))));
    // Whatever the token account says, the books take no more.
    let one_more = instruction::deposit(&w.book, &w.actor(&user, USDC), Exact(1)).unwrap();
    w.refuse(&one_more, &[&user.keypair], KeelError::Overflow);
    w.withdraw(&user, USDC, All).unwrap();
    assert_eq!((w.liquidity(USDC), w.balance(&user.key(), USDC)), (0, u64::MAX));
}

/// 16 assets in one vault; a seventeenth finds no slot until one is free.
#[test]
fn effects_all_slots_and_rejects_one_more() {
    let specs = vec![AssetSpec::usdc(); 17];
    let mut w = World::with(ProgramTestChain::new(), &specs);
    let user = w.user();
    for asset in 0..17 {
        w.fund(&user.key(), asset, 10);
    }
    for asset in 0..16 {
        w.deposit(&user, asset, Exact(4)).unwrap();
    }
    let vault = w.vault(&user.vault);
    for (asset, (position, side)) in vault.occupied().enumerate() {
        assert_eq!((position.reserve, side), (w.assets[asset].reserve, Side::Collateral));
    }
    let seventeenth = instruction::deposit(&w.book, &w.actor(&user, 16), Exact(4)).unwrap();
    w.refuse(&seventeenth, &[&user.keypair], KeelError::NoFreeSlot);
    // A position that exists still grows.
    w.deposit(&user, 15, Exact(1)).unwrap();
    // A freed slot is used again.
    w.withdraw(&user, 7, All).unwrap();
    w.deposit(&user, 16, Exact(4)).unwrap();
    assert_eq!(w.vault(&user.vault).positions[7].reserve, w.assets[16].reserve);
}

#[test]
fn rejects_zero() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), SOL, 0);
    for amount in [Exact(0), All] {
        let deposit = instruction::deposit(&w.book, &w.actor(&user, SOL), amount).unwrap();
        w.refuse(&deposit, &[&user.keypair], KeelError::ZeroAmount);
    }
}

#[test]
fn rejects_more_than_the_token_account_holds() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), SOL, 99);
    for amount in [100, u64::MAX] {
        let deposit = instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(amount)).unwrap();
        w.refuse(&deposit, &[&user.keypair], TokenError::InsufficientFunds);
    }
}

#[test]
fn rejects_amounts_that_overflow_the_books() {
    let mut w = bank();
    let user = w.supplier(SOL, 1);
    let deposit = instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(u64::MAX)).unwrap();
    w.refuse(&deposit, &[&user.keypair], KeelError::Overflow);
}

#[test]
fn rejects_an_asset_that_the_vault_owes() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(100)).unwrap();
    let deposit = instruction::deposit(&w.book, &w.actor(&borrower, USDC), All).unwrap();
    w.refuse(&deposit, &[&borrower.keypair], KeelError::ReserveHeldAsDebt);
    // Nor does a stranger's deposit pay a debt.
    let stranger = w.user();
    w.fund(&stranger.key(), USDC, 100);
    let actor = Actor::new(&w.book, stranger.key(), borrower.vault, w.assets[USDC].reserve).unwrap();
    let deposit = instruction::deposit(&w.book, &actor, All).unwrap();
    w.refuse(&deposit, &[&stranger.keypair], KeelError::ReserveHeldAsDebt);
}

#[test]
fn rejects_tokens_of_others() {
    let mut w = bank();
    let (user, victim) = (w.user(), w.user());
    w.fund(&user.key(), SOL, 100);
    w.fund(&victim.key(), SOL, 100);
    let valid = instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(100)).unwrap();
    let victims = w.token_account(&victim.key(), SOL);
    w.refuse(&with_account(&valid, flow::TOKEN_ACCOUNT, victims), &[&user.keypair], TokenError::OwnerMismatch);
    // Nor the reserve's own.
    w.supplier(SOL, 1_000);
    let liquidity = w.liquidity_key(SOL);
    w.refuse(&with_account(&valid, flow::TOKEN_ACCOUNT, liquidity), &[&user.keypair], TokenError::OwnerMismatch);
    // ALL reads the balance of an account that nobody has checked yet: a forged one deposits nothing.
    let tokens = w.token_account(&user.key(), SOL);
    let forged = forged(&mut w, &tokens);
    let all = instruction::deposit(&w.book, &w.actor(&user, SOL), All).unwrap();
    let all = with_account(&all, flow::TOKEN_ACCOUNT, forged);
    w.refuse(&all, &[&user.keypair], InstructionError::ExternalAccountDataModified);
    for nothing in [user.key(), Pubkey::new_unique()] {
        let all = with_account(&all, flow::TOKEN_ACCOUNT, nothing);
        w.refuse(&all, &[&user.keypair], KeelError::NotATokenAccount);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), SOL, 100);
    w.fund(&user.key(), USDC, 100);
    let valid = instruction::deposit(&w.book, &w.actor(&user, SOL), Exact(100)).unwrap();
    refuse_wrong_flow_accounts(&mut w, &valid, &user, SOL);
    w.send(valid, &user.keypair).unwrap();
}

/// Suppliers who lost everything: shares have no price.
#[test]
fn rejects_a_reserve_whose_suppliers_lost_everything() {
    let mut w = bank();
    let user = w.supplier(USDC, 1_000);
    let mut reserve = w.reserve(USDC);
    reserve.supply_index = Fraction::ZERO.into();
    w.set_reserve(USDC, &reserve);
    w.fund(&user.key(), USDC, 1_000);
    let deposit = instruction::deposit(&w.book, &w.actor(&user, USDC), All).unwrap();
    w.refuse(&deposit, &[&user.keypair], KeelError::DivisionByZero);
}

/// Accounts overwritten behind the program's back: it notices and changes nothing.
#[test]
fn rejects_books_that_do_not_hold() {
    let mut w = bank();
    let user = w.supplier(USDC, 1_000);
    w.fund(&user.key(), USDC, 1_000);
    let deposit = instruction::deposit(&w.book, &w.actor(&user, USDC), Exact(10)).unwrap();
    let sound = w.reserve(USDC);

    let mut claims_too_much = sound;
    claims_too_much.supply_index = Fraction::from_integer(2).into();
    w.set_reserve(USDC, &claims_too_much);
    w.refuse(&deposit, &[&user.keypair], KeelError::BooksBroken);
    let mut insurance_beyond_supply = sound;
    insurance_beyond_supply.insurance_shares = Fraction::from_integer(1_011).into();
    w.set_reserve(USDC, &insurance_beyond_supply);
    w.refuse(&deposit, &[&user.keypair], KeelError::BooksBroken);
    w.set_reserve(USDC, &sound);

    set_liquidity(&mut w, USDC, 999);
    w.refuse(&deposit, &[&user.keypair], KeelError::LiquidityMismatch);
    // More than the books say is no mismatch, and changes no index: nothing can be donated.
    set_liquidity(&mut w, USDC, 5_000);
    w.send(deposit, &user.keypair).unwrap();
    assert_eq!((w.liquidity(USDC), w.reserve(USDC).available), (5_010, 1_010));
    assert_eq!(Fraction::from(w.reserve(USDC).supply_index), Fraction::ONE);
    refused_with(w.withdraw(&user, USDC, Exact(1_011)), KeelError::InsufficientCollateral);
}

#[test]
fn rejects_an_insolvent_vault() {
    let mut w = bank();
    let user = w.user();
    w.fund(&user.key(), SOL, 10);
    mark_insolvent(&mut w, &user);
    refused(w.deposit(&user, SOL, All), KeelError::VaultInsolvent);
}
