//! `borrow`.

use crate::support::*;
use anchor_lang::InstructionData;
use anchor_lang::prelude::Pubkey;
use keel::events::{Flow, Moved};
use keel::state::{Side, Vault};
use keel::{AmountSpec, KeelError};
use keel_client::instruction::{self, Actor};
use keel_risk::Fraction;
use keel_risk::units::{Amount, DebtShares};
use keel_tests::check::{Refusal, keys, only_event};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;

fn build(w: &mut Bank, user: &User, asset: usize, amount: u64) -> Instruction {
    let vault = w.vault(&user.vault);
    instruction::borrow(&w.book, &vault, &w.actor(user, asset), amount).unwrap()
}

#[track_caller]
fn refuse(w: &mut Bank, user: &User, asset: usize, amount: u64, expected: impl Into<Refusal>) {
    let instruction = build(w, user, asset, amount);
    w.refuse(&instruction, &[&user.keypair], expected);
}

/// The most that 100 SOL carry: 100 * 199.9 * 0.98 * 0.75 dollars of limit, at 1.0005 dollars a USDC. 199.9 and 1.0005
/// are the prices less and plus one confidence interval of 5 basis points.
const MOST: u64 = 14_685_307_346;

#[test]
fn effects_mints_debt_and_pays_tokens() {
    let (mut w, lender, borrower) = lent();
    let amount = w.assets[USDC].whole(10_000);
    w.pass(30);
    w.set_price(USDC, 1_01);
    let now = w.chain.clock().unix_timestamp;
    let before = w.snapshot(&[&lender, &borrower]);
    let receipt = w.borrow(&borrower, USDC, amount).unwrap();

    let (tokens, liquidity) = (w.token_account(&borrower.key(), USDC), w.liquidity_key(USDC));
    assert_eq!(before.changed(&mut w), keys([borrower.vault, w.assets[USDC].reserve, tokens, liquidity]));
    assert_eq!((w.balance(&borrower.key(), USDC), w.liquidity(USDC)), (amount, w.assets[USDC].whole(90_000)));
    let (vault, key) = (w.vault(&borrower.vault), w.assets[USDC].reserve);
    assert_eq!(vault.debt(&key), Ok(DebtShares(Fraction::from_integer(amount))));
    assert_eq!(vault.occupied().map(|(_, side)| side).collect::<Vec<_>>(), [Side::Collateral, Side::Debt]);
    let reserve = w.reserve(USDC);
    assert_eq!(reserve.available, w.assets[USDC].whole(90_000));
    assert_eq!(reserve.debt_shares.get(), u128::from(amount) << 60);
    assert_eq!(reserve.supply_shares.get(), u128::from(w.assets[USDC].whole(100_000)) << 60);
    // 10 % utilization is an eighth of the way to the kink, where the rate is 10 %: 1.25 %. Suppliers get 90 % of it.
    let bits = |f: Fraction| f.to_bits() as f64 / (1u64 << 60) as f64;
    assert!((bits(reserve.rate.borrow.into()) - 0.0125).abs() < 1e-15);
    assert!((bits(reserve.supply_growth_ratio.into()) - 0.09).abs() < 1e-15);
    let last = reserve.last_prices[0];
    assert_eq!((last.price, last.publish_time), (1_0100_0000, now));
    let event: Moved = only_event(&receipt);
    assert_eq!((event.flow, event.vault, event.reserve), (Flow::Borrow, borrower.vault, key));
    assert_eq!((event.amount, event.shares), (amount, u128::from(amount) << 60));
}

/// A second loan is minted at the accrued index, rounded up.
#[test]
fn effects_accrues_interest_first() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(1_000)).unwrap();
    w.pass(30 * 86_400);
    w.refresh_prices();
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(w.chain.clock().unix_timestamp).unwrap();
    let change = expected.borrow(Amount(333_333_333), Amount::MAX).unwrap();
    expected.reprice(&w.reserve(USDC).config.rate_terms()).unwrap();
    let key = w.assets[USDC].reserve;
    let first = w.vault(&borrower.vault).debt(&key).unwrap();
    let receipt = w.borrow(&borrower, USDC, 333_333_333).unwrap();
    assert_eq!(w.reserve(USDC).pool(), expected);
    assert_eq!(w.vault(&borrower.vault).debt(&key), Ok(first.checked_add(change.shares).unwrap()));
    assert_eq!(only_event::<Moved>(&receipt).shares, change.shares.0.to_bits());
    // What is owed for them is what was paid out, or one unit more.
    let owed = expected.debt_index.amount_owed(change.shares).unwrap().0;
    assert!((333_333_333..=333_333_334).contains(&owed), "{owed}");
}

#[test]
fn effects_up_to_initial_health_and_rejects_unhealthy() {
    let (mut w, _, borrower) = lent();
    let beyond = build(&mut w, &borrower, USDC, MOST + 1);
    w.refuse(&beyond, &[&borrower.keypair], KeelError::Unhealthy);
    w.borrow(&borrower, USDC, MOST).unwrap();
    refuse(&mut w, &borrower, USDC, 1, KeelError::Unhealthy);
    // A user without collateral borrows nothing at all.
    let poor = w.user();
    w.fund(&poor.key(), USDC, 0);
    refuse(&mut w, &poor, USDC, 10_000_000, KeelError::Unhealthy);
}

/// Confidence and the moving average both count against the vault: the lower price of collateral, the higher of debt.
#[test]
fn effects_prices_with_confidence_and_average() {
    let (mut w, _, borrower) = lent();
    let calm = w.observation(200_00);
    // Spot 200 +- 3, average 190 +- 1: collateral at 189. Spot 1, average 1.02 +- 0.01: debt at 1.03.
    let mut sol = calm;
    (sol.confidence, sol.ema_price, sol.ema_confidence) = (3_0000_0000, 190_0000_0000, 1_0000_0000);
    w.post(SOL, 0, &sol);
    let mut usdc = w.observation(1_00);
    (usdc.ema_price, usdc.ema_confidence) = (1_0200_0000, 100_0000);
    w.post(USDC, 0, &usdc);
    // 100 * 189 * 0.735 / 1.03 = 13,486.893203...
    refuse(&mut w, &borrower, USDC, 13_486_893_204, KeelError::Unhealthy);
    w.borrow(&borrower, USDC, 13_486_893_203).unwrap();
}

#[test]
fn effects_up_to_the_cap_exactly() {
    let mut usdc = AssetSpec::usdc();
    usdc.config.limits.borrow_cap = 50_000_000;
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.supplier(USDC, 1_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 49_000_000).unwrap();
    let beyond = build(&mut w, &borrower, USDC, 1_000_001);
    w.refuse(&beyond, &[&borrower.keypair], KeelError::BorrowCapExceeded);
    w.borrow(&borrower, USDC, 1_000_000).unwrap();
    refuse(&mut w, &borrower, USDC, 1, KeelError::BorrowCapExceeded);
    // The cap is on what is owed, interest included.
    w.repay(&borrower, USDC, AmountSpec::Exact(1)).unwrap();
    w.pass(365 * 86_400);
    w.refresh_prices();
    refuse(&mut w, &borrower, USDC, 1, KeelError::BorrowCapExceeded);
}

#[test]
fn effects_all_that_is_liquid_and_rejects_more() {
    let mut w = bank();
    w.supplier(USDC, 100_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    for amount in [100_000_001, u64::MAX] {
        let beyond = build(&mut w, &borrower, USDC, amount);
        w.refuse(&beyond, &[&borrower.keypair], KeelError::InsufficientLiquidity);
    }
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    assert_eq!((w.liquidity(USDC), w.reserve(USDC).available), (0, 0));
    refuse(&mut w, &borrower, USDC, 1, KeelError::InsufficientLiquidity);
}

/// The debt is worth at least the minimum position, 10 dollars, after the loan: at a price of 1.0005.
#[test]
fn effects_from_the_minimum_position_and_rejects_dust() {
    let (mut w, _, borrower) = lent();
    // 10 / 1.0005 = 9.995002...
    for dust in [1, 9_995_002] {
        let too_small = build(&mut w, &borrower, USDC, dust);
        w.refuse(&too_small, &[&borrower.keypair], KeelError::PositionTooSmall);
    }
    w.borrow(&borrower, USDC, 9_995_003).unwrap();
    // It is the whole debt that counts.
    w.borrow(&borrower, USDC, 1).unwrap();
}

#[test]
fn rejects_zero() {
    let (mut w, _, borrower) = lent();
    refuse(&mut w, &borrower, USDC, 0, KeelError::ZeroAmount);
}

#[test]
fn rejects_all() {
    let (mut w, _, borrower) = lent();
    let mut all = build(&mut w, &borrower, USDC, 1);
    all.data = keel::instruction::Borrow { amount: AmountSpec::All }.data();
    w.refuse(&all, &[&borrower.keypair], KeelError::BorrowNeedsAmount);
    // Nor anything that is no amount.
    for data in [&all.data[..8], &all.data[..9], &[1, 2, 3][..]] {
        let expected = match data.len() {
            8 => anchor_lang::error::ErrorCode::InstructionDidNotDeserialize,
            9 => continue, // ALL itself
            _ => anchor_lang::error::ErrorCode::InstructionFallbackNotFound,
        };
        let garbled = Instruction { data: data.to_vec(), ..all.clone() };
        w.refuse(&garbled, &[&borrower.keypair], expected);
    }
}

#[test]
fn rejects_an_asset_that_the_vault_holds() {
    let (mut w, _, borrower) = lent();
    w.supplier(SOL, 1_000_000_000);
    let held = build(&mut w, &borrower, SOL, 1_000_000_000);
    w.refuse(&held, &[&borrower.keypair], KeelError::ReserveHeldAsCollateral);
}

#[test]
fn rejects_a_seventeenth_position() {
    let specs = vec![AssetSpec::usdc(); 17];
    let mut w = World::with(ProgramTestChain::new(), &specs);
    w.supplier(16, 1_000_000_000);
    let user = w.user();
    w.fund(&user.key(), 16, 0);
    for asset in 0..16 {
        w.fund(&user.key(), asset, 1_000_000_000);
        w.deposit(&user, asset, AmountSpec::All).unwrap();
    }
    w.publish_table();
    let beyond = build(&mut w, &user, 16, 100_000_000);
    w.refuse(&beyond, &[&user.keypair], KeelError::NoFreeSlot);
    w.withdraw(&user, 3, AmountSpec::All).unwrap();
    // 15 collaterals and one debt: all valued in one transaction.
    w.borrow(&user, 16, 100_000_000).unwrap();
    assert_eq!(w.vault(&user.vault).positions[3].reserve, w.assets[16].reserve);
}

#[test]
fn rejects_other_than_the_owner() {
    let (mut w, _, victim) = lent();
    let thief = w.user();
    w.fund(&thief.key(), USDC, 0);
    let actor = Actor::new(&w.book, thief.key(), victim.vault, w.assets[USDC].reserve).unwrap();
    let vault: Vault = w.vault(&victim.vault);
    let steal = instruction::borrow(&w.book, &vault, &actor, 10_000_000).unwrap();
    w.refuse(&steal, &[&thief.keypair], KeelError::NotVaultOwner);
    let unsigned = unsigned(&with_account(&steal, flow::USER, victim.key()), flow::USER);
    w.refuse(&unsigned, &[&thief.keypair], anchor_lang::error::ErrorCode::AccountNotSigner);
}

#[test]
fn rejects_unusable_prices_of_the_debt() {
    let (mut w, _, borrower) = lent();
    let amount = w.assets[USDC].whole(100);
    for reason in UNUSABLE {
        spoil(&mut w, USDC, 0, reason, NEW_RISK);
        refuse(&mut w, &borrower, USDC, amount, reason);
        restore(&mut w);
    }
    w.borrow(&borrower, USDC, amount).unwrap();
    // The same for a debt that the instruction does not touch.
    let other = w.list(&AssetSpec::usdc());
    w.supplier(other, 1_000_000_000);
    w.fund(&borrower.key(), other, 0);
    for reason in UNUSABLE {
        spoil(&mut w, USDC, 0, reason, NEW_RISK);
        refuse(&mut w, &borrower, other, 100_000_000, reason);
        restore(&mut w);
    }
    w.borrow(&borrower, other, 100_000_000).unwrap();
}

/// Collateral without a usable price counts as zero: refused with the reason if it is needed, ignored if it is not.
#[test]
fn rejects_unusable_prices_of_collateral_that_is_needed() {
    let (mut w, _, borrower) = lent();
    let amount = w.assets[USDC].whole(100);
    for reason in UNUSABLE {
        spoil(&mut w, SOL, 0, reason, NEW_RISK);
        refuse(&mut w, &borrower, USDC, amount, reason);
        restore(&mut w);
    }
    let second = w.list(&AssetSpec::usdc());
    w.fund(&borrower.key(), second, 1_000_000_000);
    w.deposit(&borrower, second, AmountSpec::All).unwrap();
    for reason in UNUSABLE {
        spoil(&mut w, SOL, 0, reason, NEW_RISK);
        w.borrow(&borrower, USDC, 20_000_000).unwrap();
        restore(&mut w);
    }
}

/// A feed that is pinned to one account: the same update elsewhere is not accepted.
#[test]
fn rejects_other_accounts_than_the_pinned_one() {
    let mut usdc = AssetSpec::usdc();
    usdc.config.oracle.feeds[0].account = Pubkey::new_unique();
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.supplier(USDC, 1_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    let pinned = w.assets[USDC].prices[0];
    assert_eq!(w.reserve(USDC).config.oracle.feeds[0].account, pinned);
    let valid = build(&mut w, &borrower, USDC, 100_000_000);
    assert_eq!(valid.accounts[flow::REMAINING].pubkey, pinned);
    let (copy, data) = (Pubkey::new_unique(), w.chain.account(&pinned).unwrap().data);
    w.chain.set_data(&copy, &keel_client::price_update::PYTH_RECEIVER, data);
    let elsewhere = with_account(&valid, flow::REMAINING, copy);
    w.refuse(&elsewhere, &[&borrower.keypair], KeelError::PriceWrongAccount);
    w.send(valid, &borrower.keypair).unwrap();
}

/// Two feeds: both must be acceptable, and they may not diverge.
#[test]
fn rejects_diverging_feeds() {
    let usdc = AssetSpec { feeds: 2, ..AssetSpec::usdc() };
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.supplier(USDC, 1_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    let mut high = w.observation(1_00);
    (high.price, high.ema_price) = (1_0300_0001, 1_0300_0001);
    for feed in 0..2 {
        w.set_price(USDC, 1_00);
        w.post(USDC, feed, &high);
        refuse(&mut w, &borrower, USDC, 100_000_000, KeelError::PriceDivergence);
    }
    // Just under 3 % of the lower is still accepted.
    (high.price, high.ema_price) = (1_0299_9999, 1_0299_9999);
    w.post(USDC, 1, &high);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    for reason in UNUSABLE {
        for feed in 0..2 {
            spoil(&mut w, USDC, feed, reason, NEW_RISK);
            refuse(&mut w, &borrower, USDC, 100_000_000, reason);
            restore(&mut w);
        }
    }
}

#[test]
fn rejects_values_that_overflow() {
    // A token without decimals at 4 billion dollars: a few of them are worth more than can be written down.
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::new(0, 1_00), AssetSpec::usdc()]);
    w.supplier(USDC, 1_000_000_000);
    let borrower = w.supplier(0, u64::MAX);
    w.fund(&borrower.key(), USDC, 0);
    let mut dear = w.observation(1_00);
    (dear.price, dear.ema_price, dear.exponent) = (4_000_000_000, 4_000_000_000, 0);
    w.post(0, 0, &dear);
    refuse(&mut w, &borrower, USDC, 100_000_000, KeelError::Overflow);
}

#[test]
fn rejects_wrong_accounts() {
    let (mut w, _, borrower) = lent();
    let valid = build(&mut w, &borrower, USDC, 100_000_000);
    refuse_wrong_flow_accounts(&mut w, &valid, &borrower, USDC);
    w.send(valid, &borrower.keypair).unwrap();
}

#[test]
fn rejects_remaining_accounts_that_do_not_follow_the_slots() {
    let (mut w, _, borrower) = lent();
    let (third, fourth) = (w.list(&AssetSpec::usdc()), w.list(&AssetSpec { feeds: 2, ..AssetSpec::usdc() }));
    for asset in [third, fourth] {
        w.fund(&borrower.key(), asset, 1_000);
        w.deposit(&borrower, asset, AmountSpec::All).unwrap();
    }
    // USDC's price; SOL and its price; the third and its price; the fourth and its two.
    let valid = build(&mut w, &borrower, USDC, 100_000_000);
    assert_eq!(valid.accounts.len(), flow::REMAINING + 8);
    refuse_wrong_remaining(&mut w, &valid, &borrower, flow::REMAINING, &[1, 3, 5]);
    // The price of another asset in the place of the debt's.
    let (own, other) = (flow::REMAINING, flow::REMAINING + 2);
    w.refuse(&swapped(&valid, own, other), &[&borrower.keypair], KeelError::PriceWrongFeed);
    w.send(valid, &borrower.keypair).unwrap();
}

#[test]
fn rejects_an_insolvent_vault() {
    let (mut w, _, borrower) = lent();
    mark_insolvent(&mut w, &borrower);
    refuse(&mut w, &borrower, USDC, 100_000_000, KeelError::VaultInsolvent);
}

#[test]
fn rejects_a_liquidity_account_that_fell_short() {
    let (mut w, _, borrower) = lent();
    let full = w.liquidity(USDC);
    set_liquidity(&mut w, USDC, full - 1);
    refuse(&mut w, &borrower, USDC, 100_000_000, KeelError::LiquidityMismatch);
}
