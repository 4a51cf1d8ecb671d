//! Small debts: repaid whole or not at all, for a flat bounty at least.

use super::*;
use keel::AmountSpec::Exact;
use keel::KeelError;
use keel::events::{BadDebtRecognized, Liquidated};
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
    let params = keel::state::MarketParams { min_bounty_micro_usd: bounty, ..market_params() };
    let (governance, market) = (w.governance.insecure_clone(), w.market);
    w.send(instruction::update_market(governance.pubkey(), market, params), &governance).unwrap();
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

/// What was seized, what the keeper got, and what the protocol kept, in dollars.
fn dollars(event: &Liquidated, cents: i64) -> (f64, f64, f64) {
    let worth = |lamports: u64| lamports as f64 * cents as f64 / 1e11;
    (worth(event.seized), worth(event.to_keeper), worth(event.seized - event.to_keeper))
}

/// 0.1 SOL at 106 dollars against 9: HF = 0.98109, b = 0.02 + 0.08 * 0.01891 / 0.05. The keeper's part of that is 41 cents;
/// a dollar is what the market promises, and the rest of it comes out of what the owner has left, 1.15 dollars.
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
    let (seized, to_keeper, kept) = liquidated(1_000_000);
    near(to_keeper, 10.0);
    near(kept, protocol);
    near(seized, 10.0 + protocol);
}

/// More than the margin is never paid: the whole vault, less what the protocol gets in any case.
#[test]
fn effects_the_bounty_ends_at_the_margin() {
    let mut c = case(100_000_000, 9_000_000, 100_000_000, 106_00);
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    let (seized, _, kept) = dollars(&event, 106_00);
    assert!((seized - 10.6).abs() < 1e-6, "{seized}");
    assert!((kept - 9.0 * number(event.bonus) * 0.1).abs() < 1e-6, "{kept}");
    let (owed, held) = c.position();
    assert!(owed == 0 && held <= 1, "{held}");
    // Suppliers lost nothing.
    assert_eq!(Fraction::from(c.w.reserve(USDC).supply_index), Fraction::ONE);
}

/// Where the vault owes more, the bounty does not lower its health: 9 USDC beside 13,600 of another dollar.
#[test]
fn effects_the_bounty_does_not_lower_health() {
    let mut c = case(100_000_000_000, 9_000_000, 100_000_000, 200_00);
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
    assert!(event.health_after >= event.health_before);
    // What leaves it where it was: 9 * HF = 0.833 * seized, but for the protocol's part, which is seized first.
    assert!((number(event.health_after) - health).abs() < 1e-9);
    let (seized, to_keeper, _) = dollars(&event, 160_00);
    assert!((seized - 9.0 * health / 0.833).abs() < 1e-6, "{seized}");
    assert!(to_keeper > 9.0 + 9.0 * number(event.bonus) * 0.9);
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
    // A unit under 10 dollars is small, and a dollar is paid for it; for 10 it is what the bonus is.
    let paid = |usdc| {
        let mut c = case(100_000_000, usdc, 1_000_000, 117_00);
        let liquidate = c.all();
        let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
        assert_eq!(event.repaid, usdc);
        dollars(&event, 117_00).1 - usdc as f64 / 1e6
    };
    assert!((paid(9_999_999) - 1.0).abs() < 1e-6);
    assert!(paid(10_000_000) < 0.61, "{}", paid(10_000_000));
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
    lend_all_but(&mut c, 94_000_000);
    let liquidate = c.all();
    let event: Liquidated = only_event(&c.w.send(liquidate, &c.keeper).unwrap());
    // 0.094 SOL are 9.964 dollars: enough for the debt and its bonus, not for all of the bounty.
    assert_eq!(event.repaid, 9_000_000);
    assert!((93_999_998..=94_000_000).contains(&event.to_keeper), "{}", event.to_keeper);
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
