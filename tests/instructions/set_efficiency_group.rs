//! `set_efficiency_group`, and what a group's weights do.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::{GroupSet, Liquidated};
use keel::state::GroupConfig;
use keel_client::instruction;
use keel_tests::check::{keys, only_event, refused_with};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_signer::Signer;

const SIGNER: usize = 0;
const MARKET: usize = 1;
const VAULT: usize = 2;
const REMAINING: usize = 3;

/// Number of staked SOL among the assets: 220 dollars, in the group of SOL.
const STAKED: usize = 2;

/// Against ordinary 75 and 85 %, with a haircut of 2 %, and a bonus of 2 to 10 %.
const GROUP: GroupConfig = GroupConfig {
    id: 3,
    max_ltv_bps: 9_000,
    liquidation_threshold_bps: 9_300,
    min_bonus_bps: 50,
    max_bonus_bps: 200,
    max_bonus_health_bps: 9_600,
};

/// The most SOL that 100 staked SOL carry outside of the group: 100 * 219.89 * 0.98 * 0.75 / 200.1. Prices are less and
/// plus one confidence interval of 5 basis points.
const MOST_OUTSIDE: u64 = 80_769_190_404;
/// And in it: 100 * 219.89 * 0.9 / 200.1.
const MOST_INSIDE: u64 = 98_901_049_475;

/// SOL and staked SOL in the group, USDC outside of it, all with something to lend, and a user with 100 staked SOL.
fn staked() -> (Bank, User) {
    let in_group = |mut spec: AssetSpec| {
        spec.config.group = GROUP;
        spec
    };
    let specs = [in_group(AssetSpec::sol()), AssetSpec::usdc(), in_group(AssetSpec::new(9, 220_00))];
    let mut w = World::with(ProgramTestChain::new(), &specs);
    w.supplier(SOL, w.assets[SOL].whole(1_000));
    w.supplier(USDC, w.assets[USDC].whole(100_000));
    let user = w.supplier(STAKED, w.assets[STAKED].whole(100));
    for asset in [SOL, USDC, STAKED] {
        w.fund(&user.key(), asset, 0);
    }
    (w, user)
}

fn build(w: &mut Bank, user: &User, group: u32) -> Instruction {
    let vault = w.vault(&user.vault);
    instruction::set_efficiency_group(&w.book, user.key(), user.vault, &vault, group).unwrap()
}

fn set(w: &mut Bank, user: &User, group: u32) {
    let set = build(w, user, group);
    w.send(set, &user.keypair).unwrap();
}

#[track_caller]
fn refuse(w: &mut Bank, user: &User, group: u32, expected: KeelError) {
    let set = build(w, user, group);
    w.refuse(&set, &[&user.keypair], expected);
}

/// Asserts that `most` more of `asset` can be borrowed, and borrows it.
#[track_caller]
fn borrow_at_most(w: &mut Bank, user: &User, asset: usize, most: u64) {
    refused_with(w.borrow(user, asset, most + 1), KeelError::Unhealthy);
    w.borrow(user, asset, most).unwrap();
}

#[test]
fn effects_sets_the_group_and_nothing_else() {
    let (mut w, user) = staked();
    // Without debt no price is needed.
    w.pass(10_000);
    let mut expected = w.vault(&user.vault);
    for group in [3, u32::MAX, 3, 3, 0] {
        let before = w.snapshot(&[&user]);
        let changes = expected.group != group;
        expected.group = group;
        let set = build(&mut w, &user, group);
        assert_eq!(set.accounts.len(), REMAINING);
        let receipt = w.send(set, &user.keypair).unwrap();
        assert_eq!(before.changed(&mut w), if changes { keys([user.vault]) } else { keys([]) });
        assert_eq!(bytemuck::bytes_of(&w.vault(&user.vault)), bytemuck::bytes_of(&expected));
        let event: GroupSet = only_event(&receipt);
        assert_eq!((event.vault, event.group), (user.vault, group));
    }
}

#[test]
fn effects_raises_what_can_be_borrowed() {
    let (mut w, user) = staked();
    // Another group's number does nothing.
    set(&mut w, &user, 4);
    borrow_at_most(&mut w, &user, SOL, MOST_OUTSIDE);
    set(&mut w, &user, 3);
    borrow_at_most(&mut w, &user, SOL, MOST_INSIDE - MOST_OUTSIDE);
    refused_with(w.withdraw(&user, STAKED, Exact(1_000)), KeelError::Unhealthy);
}

/// Collateral of another asset carries beside the group's what it always does: 10,000 * 0.9995 * 0.98 * 0.75 dollars.
#[test]
fn effects_other_collateral_counts_with_its_ordinary_weights() {
    let (mut w, user) = staked();
    w.fund(&user.key(), USDC, 10_000_000_000);
    w.deposit(&user, USDC, All).unwrap();
    set(&mut w, &user, 3);
    // (19,790.1 + 7,346.325) / 200.1
    borrow_at_most(&mut w, &user, SOL, 135_614_317_841);
}

/// A debt outside of the group: ordinary weights for everything, until it is gone.
#[test]
fn effects_one_debt_outside_switches_the_weights_off() {
    let (mut w, user) = staked();
    set(&mut w, &user, 3);
    w.borrow(&user, SOL, 90_000_000_000).unwrap();
    refused_with(w.borrow(&user, USDC, 10_000_000), KeelError::Unhealthy);
    w.repay(&user, SOL, Exact(40_000_000_000)).unwrap();
    // (16,161.915 - 50 * 200.1) / 1.0005
    borrow_at_most(&mut w, &user, USDC, 6_153_838_080);
    refused_with(w.borrow(&user, SOL, 100_000), KeelError::Unhealthy);
    w.repay(&user, USDC, All).unwrap();
    borrow_at_most(&mut w, &user, SOL, MOST_INSIDE - 50_000_000_000);
}

/// An asset that joins a group after it was borrowed is outside of it, until more is borrowed or the vault asks again.
#[test]
fn effects_a_debt_whose_asset_joins_the_group_later() {
    for asks in [false, true] {
        let (mut w, user) = staked();
        let late = w.list(&AssetSpec::sol());
        w.supplier(late, 1_000_000_000_000);
        w.fund(&user.key(), late, 0);
        set(&mut w, &user, 3);
        w.borrow(&user, late, 50_000_000_000).unwrap();
        w.configure(late, |c| c.group = GROUP).unwrap();
        refused_with(w.borrow(&user, SOL, 40_000_000_000), KeelError::Unhealthy);
        if asks {
            set(&mut w, &user, 3);
            borrow_at_most(&mut w, &user, SOL, MOST_INSIDE - 50_000_000_000);
        } else {
            borrow_at_most(&mut w, &user, late, MOST_INSIDE - 50_000_000_000);
        }
    }
}

/// With more debt than ordinary weights carry a vault stays in its group; with less it may leave, or go to another.
#[test]
fn rejects_leaving_with_too_much_debt() {
    let (mut w, user) = staked();
    set(&mut w, &user, 3);
    w.borrow(&user, SOL, MOST_OUTSIDE + 1).unwrap();
    for group in [0, 4] {
        refuse(&mut w, &user, group, KeelError::Unhealthy);
    }
    set(&mut w, &user, 3);
    w.repay(&user, SOL, Exact(2)).unwrap();
    for group in [4, 3, 0] {
        set(&mut w, &user, group);
    }
}

/// 21,000 dollars owe 19,780.21: far too much outside of the group (17,493), and inside a health of 0.98735. From there
/// its bonus is 0.5 % + 1.5 % * (1 - 0.98735) / 0.04, and its threshold is restored.
#[test]
fn effects_liquidates_by_the_terms_of_the_group() {
    let (mut w, user) = staked();
    set(&mut w, &user, 3);
    w.borrow(&user, SOL, MOST_INSIDE).unwrap();
    let keeper = keeper(&mut w, SOL, STAKED, 100_000_000_000);
    // 93 % of 21,270 are 19,781.1; outside, 83.3 % would be far too little.
    w.set_price(STAKED, 212_70);
    refused_with(w.liquidate(&keeper, &user.vault, SOL, STAKED, u64::MAX, 0), KeelError::Healthy);
    w.set_price(STAKED, 210_00);
    let event: Liquidated = only_event(&w.liquidate(&keeper, &user.vault, SOL, STAKED, u64::MAX, 0).unwrap());
    let number = |bits: u128| bits as f64 / (1u64 << 60) as f64;
    let (debt, limit) = (MOST_INSIDE as f64 * 200e-9, 21_000.0 * 0.93);
    let health = limit / debt;
    assert!((number(event.health_before) - health).abs() < 1e-9);
    let bonus = 0.005 + 0.015 * (1.0 - health) / 0.04;
    assert!((number(event.bonus) - bonus).abs() < 1e-9);
    let repaid = (1.05 * debt - limit) / (1.05 - (1.0 + bonus) * 0.93) / 200e-9;
    assert!((event.repaid as f64 - repaid).abs() < 2.0, "{} {repaid}", event.repaid);
    let seized = repaid * 200.0 / 210.0 * (1.0 + bonus);
    assert!((event.seized as f64 - seized).abs() < 2.0, "{} {seized}", event.seized);
    // A tenth of the bonus is the protocol's, as ever.
    let kept = seized / (1.0 + bonus) * bonus / 10.0;
    assert!(((event.seized - event.to_keeper) as f64 - kept).abs() < 2.0);
    assert!((number(event.health_after) - 1.05).abs() < 1e-9);
}

/// Seized from a vault of the group, collateral outside of it goes by its own terms.
#[test]
fn effects_liquidates_other_collateral_by_its_own_terms() {
    let (mut w, user) = staked();
    w.fund(&user.key(), USDC, 10_000_000_000);
    w.deposit(&user, USDC, All).unwrap();
    set(&mut w, &user, 3);
    w.borrow(&user, SOL, 130_000_000_000).unwrap();
    let keeper = keeper(&mut w, SOL, USDC, 130_000_000_000);
    w.set_price(STAKED, 180_00);
    // 16,740 + 8,330 against 26,000: 0.96423. A bonus of 2 % + 8 % * 0.03577 / 0.05 = 7.723 % for USDC, but the owner's
    // margin is only 28,000 / 26,000 - 1 = 7.692 %.
    let event: Liquidated = only_event(&w.liquidate(&keeper, &user.vault, SOL, USDC, 1_000_000_000, 0).unwrap());
    let number = |bits: u128| bits as f64 / (1u64 << 60) as f64;
    let health = 25_070.0 / 26_000.0;
    assert!((number(event.health_before) - health).abs() < 1e-9);
    let bonus = (0.02 + 0.08 * (1.0 - health) / 0.05_f64).min(28_000.0 / 26_000.0 - 1.0);
    assert!((number(event.bonus) - bonus).abs() < 1e-9);
    assert!((event.seized as f64 - 200e6 * (1.0 + bonus)).abs() < 2.0);
    // Their factor: 0.98 * 0.85.
    let after = (25_070.0 - 200.0 * (1.0 + bonus) * 0.833) / 25_800.0;
    assert!((number(event.health_after) - after).abs() < 1e-8);
}

/// The same debt and prices with a dollar of debt outside: the ordinary threshold, and the ordinary bonus.
#[test]
fn effects_liquidates_by_ordinary_terms_while_a_debt_is_outside() {
    let (mut w, user) = staked();
    set(&mut w, &user, 3);
    w.borrow(&user, SOL, 80_000_000_000).unwrap();
    w.borrow(&user, USDC, 100_000_000).unwrap();
    let keeper = keeper(&mut w, SOL, STAKED, 100_000_000_000);
    w.set_price(STAKED, 192_00);
    // 19,200 * 0.98 * 0.85 = 15,993.6 against 16,100; in the group it would be 17,856.
    let event: Liquidated = only_event(&w.liquidate(&keeper, &user.vault, SOL, STAKED, 1_000_000_000, 0).unwrap());
    let number = |bits: u128| bits as f64 / (1u64 << 60) as f64;
    let health = 15_993.6 / 16_100.0;
    assert!((number(event.health_before) - health).abs() < 1e-9);
    assert!((number(event.bonus) - 0.02 - 0.08 * (1.0 - health) / 0.05).abs() < 1e-9);
    // Without that dollar it is healthy again.
    w.repay(&user, USDC, Exact(100_000_000)).unwrap();
    refused_with(w.liquidate(&keeper, &user.vault, SOL, STAKED, u64::MAX, 0), KeelError::Healthy);
}

/// A loan, like any other, needs prices, and says which it lacks. Without a use for the collateral it needs none of it.
#[test]
fn rejects_unusable_prices_of_a_vault_in_debt() {
    let (mut w, user) = staked();
    w.borrow(&user, SOL, 1_000_000_000).unwrap();
    for reason in UNUSABLE {
        for asset in [SOL, STAKED] {
            spoil(&mut w, asset, 0, reason, NEW_RISK);
            refuse(&mut w, &user, 3, reason);
            restore(&mut w);
        }
    }
    w.fund(&user.key(), USDC, 1_000_000_000);
    w.deposit(&user, USDC, All).unwrap();
    spoil(&mut w, STAKED, 0, KeelError::PriceStale, NEW_RISK);
    set(&mut w, &user, 3);
}

#[test]
fn rejects_an_insolvent_vault() {
    let (mut w, user) = staked();
    mark_insolvent(&mut w, &user);
    refuse(&mut w, &user, 3, KeelError::VaultInsolvent);
}

#[test]
fn rejects_strangers_and_wrong_accounts() {
    let (mut w, user) = staked();
    let thief = w.chain.funded();
    w.borrow(&user, SOL, 1_000_000_000).unwrap();
    w.fund(&user.key(), USDC, 1_000);
    w.deposit(&user, USDC, All).unwrap();
    let valid = build(&mut w, &user, 3);
    let by_thief = with_account(&valid, SIGNER, thief.pubkey());
    w.refuse(&by_thief, &[&thief], KeelError::NotVaultOwner);
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    let (market, reserve) = (w.market, w.assets[SOL].reserve);
    let signers = [&user.keypair];
    refuse_imposters(&mut w, &valid, &signers, MARKET, &[("reserve", reserve), ("vault", user.vault)]);
    refuse_imposters(&mut w, &valid, &signers, VAULT, &[("reserve", reserve), ("market", market)]);
    let elsewhere = other_market(&mut w, SOL, &user);
    w.refuse(&with_account(&valid, MARKET, elsewhere.market), &signers, KeelError::WrongMarket);
    w.refuse(&with_account(&valid, VAULT, elsewhere.vault), &signers, KeelError::WrongMarket);
    w.refuse(&read_only(&valid, VAULT), &signers, ErrorCode::ConstraintMut);
    for count in 1..REMAINING {
        w.refuse(&truncated(&valid, count), &signers, ErrorCode::AccountNotEnoughKeys);
    }
    // The debt's reserve is looked for among all, the others follow the slots.
    let (debt, forged) = (REMAINING + 2, forged(&mut w, &reserve));
    for key in [forged, market, valid.accounts[REMAINING].pubkey] {
        w.refuse(&with_account(&valid, debt, key), &signers, KeelError::MissingAccount);
    }
    refuse_wrong_remaining(&mut w, &valid, &user, REMAINING, &[0, 4]);
}
