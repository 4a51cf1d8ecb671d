//! Small debts: repaid whole or not at all, for a flat bounty at least.

use super::*;
use keel::AmountSpec::{self, Exact};
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
use keel::state::{Change, MarketParams};
use keel_client::instruction::Actor;
use keel_risk::Fraction;
use keel_tests::AssetSpec;
use keel_tests::check::{events, only_event};
use keel_tests::world::market_params;

fn number(bits: u128) -> f64 {
    bits as f64 / (1u64 << 60) as f64
}

/// A vault with `sol` lamports that owes `usdc`, and a market that pays `bounty` millionths of a dollar at least. SOL
/// costs `cents`.
fn case(sol: u64, usdc: u64, bounty: u64, cents: i64) -> Case {
    let (mut w, lender, _) = lent();
    set_minima(&mut w, bounty, market_params().min_position_micro_usd);
    let borrower = w.supplier(SOL, sol);
    w.fund(&borrower.key(), USDC, 0);
    // Nobody borrows less than 10 dollars, but they may be repaid in part.
    let borrowed = usdc.max(10_000_000);
    w.borrow(&borrower, USDC, borrowed).unwrap();
    if borrowed > usdc {
        w.repay(&borrower, USDC, Exact(borrowed - usdc)).unwrap();
    }
    w.set_price(SOL, cents);
    let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000);
    Case { w, lender, borrower, keeper }
}

/// Sets the flat bounty and the minimum position, in millionths of a dollar.
fn set_minima(w: &mut Bank, bounty: u64, min_position: u64) {
    let params = MarketParams { min_bounty_micro_usd: bounty, min_position_micro_usd: min_position, ..market_params() };
    // What the market starts with is no change.
    if params != w.market_state().params() {
        w.change_market(Change::Market(params)).unwrap();
    }
}

/// What was seized, what the keeper got, and what the protocol kept, in dollars.
fn dollars(event: &Liquidated, cents: i64) -> (f64, f64, f64) {
    let worth = |lamports: u64| lamports as f64 * cents as f64 / 1e11;
    (worth(event.seized), worth(event.to_keeper), worth(event.seized - event.to_keeper))
}

/// 0.1 SOL at 106 dollars against 9: HF = 0.98109, b = 0.02 + 0.08 * 0.01891 / 0.05. The keeper's part of that is 41 cents,
/// and of 10 dollars it would be 45: that is what the market can promise at most, and what it exceeds the bonus by comes out
/// of what the owner has left, 1.15 dollars.
#[test]
fn effects_pays_the_flat_bounty_from_the_owners_margin() {
    let bonus = 0.02 + 0.08 * (1.0 - 0.833 * 10.6 / 9.0) / 0.05;
    let liquidated = |bounty| {
        let mut c = case(100_000_000, 9_000_000, bounty, 106_00);
        let liquidate = c.all();
        let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
        assert_eq!(event.repaid, 9_000_000);
        assert!((number(event.bonus) - bonus).abs() < 1e-9);
        assert_eq!(c.keeper_balances().1, event.to_keeper);
        assert_eq!(c.position(), (0, 100_000_000 - event.seized));
        let insured = c.w.reserve(SOL).insurance_shares.get();
        assert_eq!(insured, u128::from(event.seized - event.to_keeper) << 60);
        dollars(&event, 106_00)
    };
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
    let protocol = 9.0 * bonus * 0.1;
    let (seized, to_keeper, kept) = liquidated(0);
    near(seized, 9.0 * (1.0 + bonus));
    near(to_keeper, 9.0 + 9.0 * bonus * 0.9);
    near(kept, protocol);
    // Less than the keeper earns in any case changes nothing.
    assert_eq!(liquidated(400_000), (seized, to_keeper, kept));
    for (bounty, paid) in [(430_000, 0.43), (1_000_000, 10.0 * bonus * 0.9), (100_000_000, 10.0 * bonus * 0.9)] {
        let (seized, to_keeper, kept) = liquidated(bounty);
        near(to_keeper, 9.0 + paid);
        near(kept, protocol);
        near(seized, 9.0 + paid + protocol);
    }
}

/// 10.05 dollars are no small debt, and 9.99 are. Who repays the 6 cents that are between them is paid no more for the rest:
/// HF = 0.98634 before and 0.99227 after.
#[test]
fn effects_a_sliver_wins_nothing() {
    let profit = |sliver: u64| {
        let mut c = case(100_000_000, 10_050_000, 100_000_000, 119_00);
        if sliver > 0 {
            let (vault, reserve) = (c.w.vault(&c.borrower.vault), c.w.assets[USDC].reserve);
            let actor = Actor::new(&c.w.book, c.keeper.pubkey(), c.borrower.vault, reserve).unwrap();
            let repay = instruction::repay(&c.w.book, &vault, &actor, AmountSpec::Exact(sliver)).unwrap();
            c.w.send(repay, &c.keeper).unwrap();
        }
        let before = 1_000_000_000;
        let liquidate = c.all();
        c.w.send(liquidate, &c.keeper).unwrap();
        assert_eq!(c.position().0, 0);
        let (usdc, sol) = c.keeper_balances();
        sol as f64 * 119.0 / 1e9 - (before - usdc) as f64 / 1e6
    };
    let bonus = |owed: f64| 0.02 + 0.08 * (1.0 - 0.833 * 11.9 / owed) / 0.05;
    let at_once = profit(0);
    assert!((at_once - 10.05 * bonus(10.05) * 0.9).abs() < 1e-6, "{at_once}");
    for sliver in [50_001, 60_000, 100_000] {
        let cost = sliver as f64 / 1e6;
        let won = profit(sliver);
        assert!((won - (10.0 * bonus(10.05 - cost) * 0.9 - cost)).abs() < 1e-6 && won < at_once, "{won}");
    }
}

/// More than the margin is never paid, nor the part of it that would be the protocol's: where a debt of 1,000 dollars is
/// small and would pay 45, nine tenths of the 1.15 dollars that the bonus leaves.
#[test]
fn effects_the_bounty_ends_at_the_margin() {
    let mut c = case(100_000_000, 9_000_000, 100_000_000, 106_00);
    set_minima(&mut c.w, 100_000_000, 1_000_000_000);
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    let (seized, to_keeper, kept) = dollars(&event, 106_00);
    let bonus = 9.0 * number(event.bonus);
    assert!((to_keeper - (9.0 + 0.9 * 1.6)).abs() < 1e-6, "{to_keeper}");
    assert!((kept - bonus * 0.1).abs() < 1e-6, "{kept}");
    assert!((seized - (9.0 + bonus + 0.9 * (1.6 - bonus))).abs() < 1e-6, "{seized}");
    assert_eq!(c.position(), (0, 100_000_000 - event.seized));
    // Suppliers lost nothing.
    assert_eq!(Fraction::from(c.w.reserve(USDC).supply_index), Fraction::ONE);
}

/// Where the vault owes more, the bounty does not lower its health: 9 USDC beside 13,600 of another dollar, where a debt of
/// 1,000 is small.
#[test]
fn effects_the_bounty_does_not_lower_health() {
    let mut c = case(100_000_000_000, 9_000_000, 100_000_000, 200_00);
    set_minima(&mut c.w, 100_000_000, 1_000_000_000);
    let dai = c.w.list(&AssetSpec::usdc());
    c.w.supplier(dai, 100_000_000_000);
    c.w.fund(&c.borrower.key(), dai, 0);
    c.w.borrow(&c.borrower, dai, 13_600_000_000).unwrap();
    c.w.set_price(SOL, 160_00);
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    assert_eq!(event.repaid, 9_000_000);
    let health = 83.3 * 160.0 / 13_609.0;
    assert!((number(event.health_before) - health).abs() < 1e-12);
    assert!(event.health_after > event.health_before);
    // What would leave it where it was: 9 * HF = 0.833 * seized. Of what the bonus leaves of that, the keeper's part.
    let (seized, to_keeper, _) = dollars(&event, 160_00);
    let (most, with_bonus) = (9.0 * health / 0.833, 9.0 * (1.0 + number(event.bonus)));
    assert!((seized - (with_bonus + 0.9 * (most - with_bonus))).abs() < 1e-6, "{seized}");
    assert!((to_keeper - (9.0 + 0.9 * (most - 9.0))).abs() < 1e-6, "{to_keeper}");
}

/// A vault that owes more than it has leaves no margin to pay from, and the rest of its debt is bad.
#[test]
fn effects_no_bounty_without_a_margin() {
    let liquidated = |bounty| {
        let mut c = case(100_000_000, 9_000_000, bounty, 80_00);
        let liquidate = c.all();
        let receipt = c.w.send(liquidate, &c.keeper).unwrap();
        let event = events::<Liquidated>(&receipt).pop().unwrap();
        let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
        (event.repaid, event.seized, event.to_keeper, loss.owed)
    };
    let (repaid, seized, to_keeper, lost) = liquidated(100_000_000);
    assert_eq!((repaid, seized, lost), (7_843_138, 100_000_000, 9_000_000 - 7_843_138)); // 8 / 1.02
    assert_eq!(liquidated(0), (repaid, seized, to_keeper, lost));
}

/// 10 dollars and more are not small, even if they are repaid whole, because less than 10 would remain.
#[test]
fn effects_no_bounty_for_a_large_debt() {
    for bounty in [0, 100_000_000] {
        let mut c = case(200_000_000, 20_000_000, bounty, 116_00);
        let liquidate = c.all();
        let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
        // As in `effects_leaves_no_dust`.
        assert_eq!((event.repaid, event.seized), (20_000_000, 185_164_137));
    }
    // A unit under 10 dollars is small, and pays what 10 do.
    let paid = |usdc| {
        let mut c = case(100_000_000, usdc, 1_000_000, 117_00);
        let liquidate = c.all();
        let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
        assert_eq!(event.repaid, usdc);
        dollars(&event, 117_00).1 - usdc as f64 / 1e6
    };
    let bonus = 0.02 + 0.08 * (1.0 - 0.833 * 11.7 / 10.0) / 0.05;
    for usdc in [9_999_999, 10_000_000] {
        assert!((paid(usdc) - 10.0 * bonus * 0.9).abs() < 3e-6, "{}", paid(usdc));
    }
}

#[test]
fn rejects_a_part_of_a_small_debt() {
    for cents in [106_00, 90_00] {
        let mut c = case(100_000_000, 9_000_000, 1_000_000, cents);
        for part in [1, 5_000_000, 8_999_999] {
            let liquidate = c.build(USDC, SOL, part, 0);
            c.w.refuse(&liquidate, &[&c.keeper], KeelError::PartOfSmallPosition);
        }
        let whole = c.build(USDC, SOL, 9_000_000, 0);
        c.w.send(whole, &c.keeper).unwrap();
    }
}

/// 0.3 SOL at 112 dollars against 30: HF = 0.933, where all may be repaid. A keeper with 25 repays 20.
#[test]
fn effects_a_part_leaves_the_minimum_position() {
    for (max_repay, left) in [(25_000_000, 10_000_000), (29_999_999, 10_000_000), (12_000_000, 18_000_000)] {
        let mut c = case(300_000_000, 30_000_000, 100_000_000, 112_00);
        let liquidate = c.build(USDC, SOL, max_repay, 0);
        let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
        let owed = c.position().0;
        assert_eq!(event.repaid, 30_000_000 - owed);
        assert!((left..=left + 1).contains(&owed), "{owed}");
        // And no flat bounty: b = 33.6 / 30 - 1, at most 10 %.
        let (seized, ..) = dollars(&event, 112_00);
        assert!((seized - event.repaid as f64 / 1e6 * 1.1).abs() < 1e-6, "{seized}");
    }
}

/// Somebody borrows all SOL but `liquid` lamports.
fn lend_all_but(c: &mut Case, liquid: u64) {
    let other = c.w.supplier(USDC, 1_000_000_000_000);
    c.w.fund(&other.key(), SOL, 0);
    let available = c.w.reserve(SOL).available;
    c.w.borrow(&other, SOL, available - liquid).unwrap();
}

/// The bounty ends at what is liquid, too.
#[test]
fn effects_the_bounty_ends_at_what_is_liquid() {
    let mut c = case(100_000_000, 9_000_000, 100_000_000, 106_00);
    lend_all_but(&mut c, 89_000_000);
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    // 0.089 SOL are 9.434 dollars: enough for the debt and its bonus, not for all of the bounty, 45 cents.
    assert_eq!(event.repaid, 9_000_000);
    assert!((88_999_998..=89_000_000).contains(&event.to_keeper), "{}", event.to_keeper);
}

/// Who borrows the collateral's reserve empty can neither cut a small debt up nor make a small one of a large one.
#[test]
fn effects_little_liquidity_makes_no_small_debt() {
    // 0.05 SOL are worth 5.30 dollars. Only the whole debt can be repaid, for shares.
    let mut c = case(100_000_000, 9_000_000, 1_000_000, 106_00);
    lend_all_but(&mut c, 50_000_000);
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], KeelError::PartOfSmallPosition);
    let keeper = c.w.user();
    c.w.fund(&keeper.key(), USDC, 10_000_000);
    let terms = Liquidation {
        keeper: keeper.key(),
        vault: c.borrower.vault,
        debt_reserve: c.w.assets[USDC].reserve,
        collateral_reserve: c.w.assets[SOL].reserve,
        max_repay: u64::MAX,
        min_seize: 0,
    };
    let vault = c.w.vault(&c.borrower.vault);
    let whole = instruction::liquidate_for_shares(&c.w.book, &vault, &terms, keeper.vault).unwrap();
    c.w.send(whole, &keeper.keypair).unwrap();
    assert_eq!(c.position().0, 0);
    // 0.15 SOL are worth 15 dollars, which would leave about 1 of 15. 10 are left.
    let mut c = case(170_000_000, 15_000_000, 1_000_000, 100_00);
    lend_all_but(&mut c, 150_000_000);
    let liquidate = c.all();
    c.w.send(liquidate, &c.keeper).unwrap();
    let left = c.position().0;
    assert!((10_000_000..=10_000_001).contains(&left), "{left}");
}
