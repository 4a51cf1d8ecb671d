//! What a liquidation does.

use super::*;
use keel::AmountSpec::{All, Exact};
use keel::events::{BadDebtRecognized, CollateralForfeited, Liquidated};
use keel::state::{Side, Vault};
use keel_client::token;
use keel_risk::Fraction;
use keel_risk::units::SupplyIndex;
use keel_tests::AssetSpec;
use keel_tests::check::{events, keys, only_event};

fn number(bits: u128) -> f64 {
    bits as f64 / (1u64 << 60) as f64
}

/// At 160 dollars: HF = 13,328 / 14,000 = 0.952, b = 0.02 + 0.08 * 0.048 / 0.05 = 0.0968, and
/// R = (1.05 * 14,000 - 13,328) / (1.05 - 1.0968 * 0.833) = 10,061.188452... The protocol keeps 10 % of the bonus.
#[test]
fn effects_restores_the_target_health() {
    let mut c = Case::at(160_00);
    let before = c.w.snapshot(&[&c.lender, &c.borrower]);
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();

    let (repaid, seized, to_keeper) = (10_061_188_453, 68_969_446_845, 68_360_744_943);
    let changed = [
        c.borrower.vault,
        c.w.assets[SOL].reserve,
        c.w.assets[USDC].reserve,
        c.w.liquidity_key(SOL),
        c.w.liquidity_key(USDC),
    ];
    assert_eq!(before.changed(&mut c.w), keys(changed));
    assert_eq!(c.keeper_balances(), (1_000_000_000_000 - repaid, to_keeper));
    assert_eq!(c.w.liquidity(USDC), 86_000_000_000 + repaid);
    assert_eq!(c.w.liquidity(SOL), 100_000_000_000 - to_keeper);
    assert_eq!(c.position(), (14_000_000_000 - repaid, 100_000_000_000 - seized));
    // What the keeper does not get is insurance of the seized reserve; the indices did not move.
    let (sol, usdc) = (c.w.reserve(SOL).pool(), c.w.reserve(USDC).pool());
    assert_eq!(sol.insurance_shares.0, Fraction::from_integer(seized - to_keeper));
    assert_eq!(sol.supply_shares.0, Fraction::from_integer(100_000_000_000 - to_keeper));
    assert_eq!((sol.available.0, usdc.available.0), (100_000_000_000 - to_keeper, 86_000_000_000 + repaid));
    assert_eq!(usdc.debt_shares.0, Fraction::from_integer(14_000_000_000 - repaid));
    assert!(usdc.insurance_shares.is_zero());
    for pool in [sol, usdc] {
        assert_eq!((pool.supply_index.0, pool.debt_index.0), (Fraction::ONE, Fraction::ONE));
    }
    assert!(c.price_remembered(SOL) && c.price_remembered(USDC));

    let event: Liquidated = only_event(&receipt);
    assert_eq!((event.vault, event.keeper), (c.borrower.vault, c.keeper.pubkey()));
    assert_eq!((event.debt_reserve, event.collateral_reserve), (c.w.assets[USDC].reserve, c.w.assets[SOL].reserve));
    assert_eq!((event.repaid, event.seized, event.to_keeper), (repaid, seized, to_keeper));
    assert!((number(event.bonus) - 0.0968).abs() < 1e-15);
    assert!((number(event.health_before) - 0.952).abs() < 1e-15);
    assert!((number(event.health_after) - 1.05).abs() < 1e-9 && number(event.health_after) >= 1.05);
}

#[test]
fn effects_repays_at_most_the_callers_maximum() {
    let mut c = Case::at(160_00);
    let liquidate = c.build(USDC, SOL, 1_000_000_000, 0);
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    // 1,000 * 1.0968 / 160 = 6.855 SOL; of them 1.08712 / 1.0968, rounded down, for the keeper.
    assert_eq!((event.repaid, event.seized, event.to_keeper), (1_000_000_000, 6_855_000_000, 6_794_499_999));
    assert!(number(event.health_after) > number(event.health_before));
    assert_eq!(c.position(), (13_000_000_000, 93_145_000_000));
    // One unit of debt is enough to seize something.
    let least = c.build(USDC, SOL, 1, 0);
    let receipt = c.w.send(least, &c.keeper).unwrap();
    assert_eq!(only_event::<Liquidated>(&receipt).repaid, 1);
}

/// At 150 dollars HF = 0.8925: past saving by parts. The whole debt may be repaid, at a bonus of all that the vault has
/// beyond it, 15,000 / 14,000 - 1.
#[test]
fn effects_closes_out_below_the_health_of_the_largest_bonus() {
    let mut c = Case::at(150_00);
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    assert_eq!((event.repaid, event.seized), (14_000_000_000, 99_999_999_999));
    assert!((number(event.bonus) - 1.0 / 14.0).abs() < 1e-15);
    assert_eq!(event.health_after, u128::MAX);
    // 1 + 0.9 / 14 of 1 + 1 / 14.
    assert_eq!(event.to_keeper, 99_333_333_332);
    assert_eq!(c.position(), (0, 1));
    assert!(!c.w.vault(&c.borrower.vault).has(Side::Debt));
    // The lamport that is left is the owner's.
    c.w.withdraw(&c.borrower, SOL, All).unwrap();
    assert!(c.w.vault(&c.borrower.vault).is_empty());
}

/// A part is possible in the close-out zone, too, even though health falls.
#[test]
fn effects_a_part_in_the_close_out_zone() {
    let mut c = Case::at(130_00);
    let liquidate = c.build(USDC, SOL, 5_000_000_000, 0);
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    // The smallest bonus, 2 %: 5,100 / 130 SOL.
    assert_eq!((event.repaid, event.seized), (5_000_000_000, 39_230_769_230));
    assert!(event.health_after < event.health_before);
    assert_eq!(c.position(), (9_000_000_000, 60_769_230_770));
}

/// At 130 dollars the vault owes more than it has. 13,000 / 1.02 = 12,745.098039... buy all of it; the rest of the debt
/// is bad, and as there is no insurance, all suppliers bear it.
#[test]
fn effects_writes_off_what_collateral_does_not_cover() {
    let mut c = Case::at(130_00);
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event = events::<Liquidated>(&receipt).pop().unwrap();
    let repaid = 12_745_098_040;
    assert_eq!((event.repaid, event.seized, event.to_keeper), (repaid, 100_000_000_000, 99_803_921_568));
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    let bad = 14_000_000_000 - repaid;
    assert_eq!((loss.vault, loss.reserve), (c.borrower.vault, c.w.assets[USDC].reserve));
    assert_eq!((loss.owed, loss.insured, loss.socialized), (bad, 0, bad));
    assert!(events::<CollateralForfeited>(&receipt).is_empty());
    // 1 - 1,254.90196 / 100,000.
    let usdc = c.w.reserve(USDC).pool();
    let fall = Fraction::from_integer(bad).div_ceil(Fraction::from_integer(100_000_000_000)).unwrap();
    assert_eq!(usdc.supply_index, SupplyIndex(Fraction::ONE.checked_sub(fall).unwrap()));
    assert_eq!(loss.supply_index, usdc.supply_index.0.to_bits());
    assert!((number(loss.supply_index) - 0.987_450_980_4).abs() < 1e-15);
    assert!(usdc.debt_shares.is_zero());
    // The vault is empty, and may be used again.
    let vault = c.w.vault(&c.borrower.vault);
    assert!(vault.is_empty() && !vault.is_insolvent());
    // Suppliers can take out what is left, to the last unit but one.
    c.w.withdraw(&c.lender, USDC, All).unwrap();
    let out = c.w.balance(&c.lender.key(), USDC);
    assert!((100_000_000_000 - bad - 1..=100_000_000_000 - bad).contains(&out), "{out}");
}

/// Insurance pays before suppliers do.
#[test]
fn effects_insurance_pays_bad_debt_first() {
    for (insurance, insured, socialized) in
        [(2_000_000_000, 1_254_901_960, 0), (1_000_000_000, 1_000_000_000, 254_901_960)]
    {
        let mut c = Case::at(130_00);
        insure(&mut c.w, USDC, insurance);
        let liquidate = c.all();
        let receipt = c.w.send(liquidate, &c.keeper).unwrap();
        let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
        assert_eq!((loss.owed, loss.insured, loss.socialized), (1_254_901_960, insured, socialized));
        let usdc = c.w.reserve(USDC).pool();
        assert_eq!(usdc.insurance_shares.0, Fraction::from_integer(insurance - insured));
        assert_eq!(usdc.supply_index.0 == Fraction::ONE, socialized == 0);
        c.w.withdraw(&c.lender, USDC, All).unwrap();
        let out = c.w.balance(&c.lender.key(), USDC);
        assert!((100_000_000_000 - socialized - 1..=100_000_000_000 - socialized).contains(&out), "{out}");
    }
}

/// A second collateral worth dust does not hide bad debt: the debt is written off, and what is left waits for
/// `resolve_bad_debt`, out of the owner's reach.
#[test]
fn effects_dust_does_not_hide_bad_debt() {
    let mut c = Case::at(130_00);
    let dust = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.borrower.key(), dust, 9_999_999);
    c.w.deposit(&c.borrower, dust, All).unwrap();
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let loss = events::<BadDebtRecognized>(&receipt).pop().unwrap();
    assert_eq!(loss.owed, 14_000_000_000 - events::<Liquidated>(&receipt)[0].repaid);
    let vault = c.w.vault(&c.borrower.vault);
    assert_eq!(vault.flags, Vault::INSOLVENT);
    assert_eq!(vault.occupied().map(|(p, _)| p.reserve).collect::<Vec<_>>(), [c.w.assets[dust].reserve]);
    keel_tests::world::refused(c.w.withdraw(&c.borrower, dust, All), keel::KeelError::VaultInsolvent);
    c.w.resolve(&c.borrower.vault, dust).unwrap();
    let vault = c.w.vault(&c.borrower.vault);
    assert!(vault.is_empty() && !vault.is_insolvent());
    assert_eq!(c.w.reserve(dust).pool().insurance_shares.0, Fraction::from_integer(9_999_999));
}

/// With 10 dollars of another collateral there is something left to seize: no bad debt yet.
#[test]
fn effects_collateral_worth_the_minimum_is_no_bad_debt() {
    let mut c = Case::at(130_00);
    let other = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.borrower.key(), other, 10_000_001);
    c.w.deposit(&c.borrower, other, All).unwrap();
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    assert!(events::<BadDebtRecognized>(&receipt).is_empty());
    let vault = c.w.vault(&c.borrower.vault);
    assert!(!vault.is_insolvent() && vault.has(Side::Debt));
    // The next one takes it and writes off the rest.
    let key = c.keeper.pubkey();
    c.w.fund(&key, other, 0);
    let last = c.build(USDC, other, u64::MAX, 0);
    let receipt = c.w.send(last, &c.keeper).unwrap();
    assert_eq!(events::<BadDebtRecognized>(&receipt).len(), 1);
    assert!(c.w.vault(&c.borrower.vault).is_empty());
}

/// Where less than the minimum position would remain, the whole position goes.
#[test]
fn effects_leaves_no_dust() {
    let (mut w, lender, _) = lent();
    let borrower = w.supplier(SOL, 200_000_000);
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 20_000_000).unwrap();
    // 0.2 SOL at 116 dollars: HF = 23.2 * 0.833 / 20 = 0.96628. To the target 10.77 dollars would be repaid.
    w.set_price(SOL, 116_00);
    let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000);
    let mut c = Case { w, lender, borrower, keeper };
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    assert_eq!(event.repaid, 20_000_000);
    // b = 0.02 + 0.08 * 0.03372 / 0.05 = 0.073952: 20 * 1.073952 / 116 SOL. 1.72 dollars remain, but taking them would
    // need a repayment beyond the debt.
    assert_eq!(event.seized, 185_164_137);
    assert_eq!(c.position(), (0, 14_835_863));
}

/// Interest of both reserves is accrued before the vault is valued.
#[test]
fn effects_accrues_interest_first() {
    let mut c = Case::at(168_50);
    // Healthy now, but not with the interest of half a year (1.75 % a year at 14 % utilization).
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], keel::KeelError::Healthy);
    c.w.pass(182 * 86_400);
    c.w.refresh_prices();
    let mut expected = c.w.reserve(USDC).pool();
    expected.accrue(c.w.chain.clock().unix_timestamp).unwrap();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    let usdc = c.w.reserve(USDC).pool();
    assert_eq!((usdc.debt_index, usdc.supply_index), (expected.debt_index, expected.supply_index));
    assert_eq!(usdc.available.0, expected.available.0 + event.repaid);
    let debt = 14_000.0 * (0.0175f64 * 182.0 / 365.0).exp();
    assert!((number(event.health_before) - 168.5 * 83.3 / debt).abs() < 1e-6);
    assert!((number(event.health_after) - 1.05).abs() < 1e-6);
}

/// The keeper gets no more than the collateral's reserve can pay out, and repays less.
#[test]
fn effects_limited_by_what_is_liquid() {
    let mut c = Case::at(160_00);
    // Somebody else borrowed 90 of the 100 SOL.
    let other = c.w.supplier(USDC, 1_000_000_000_000);
    c.w.fund(&other.key(), SOL, 0);
    c.w.borrow(&other, SOL, 90_000_000_000).unwrap();
    let liquidate = c.all();
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    // All 10, give or take the rounding of the keeper's part.
    assert!((9_999_999_998..=10_000_000_000).contains(&event.to_keeper), "{}", event.to_keeper);
    // 10 * 160 / 1.08712 dollars.
    assert!((event.repaid as i64 - 1_471_778_644).abs() <= 1, "{}", event.repaid);
    assert_eq!(c.w.liquidity(SOL), 10_000_000_000 - event.to_keeper);
    assert!(event.health_after > event.health_before);
}

/// The vault's other positions count, on both sides, and are only read.
#[test]
fn effects_counts_all_positions() {
    let mut c = Case::at(160_00);
    let (eth, dai) = (c.w.list(&AssetSpec::new(8, 1_000_00)), c.w.list(&AssetSpec::new(18, 1_00)));
    c.w.supplier(dai, 10_000_000_000_000_000_000);
    c.w.fund(&c.borrower.key(), eth, 100_000_000);
    c.w.fund(&c.borrower.key(), dai, 0);
    c.w.set_price(SOL, 200_00);
    c.w.deposit(&c.borrower, eth, All).unwrap();
    c.w.borrow(&c.borrower, dai, 10_000_000_000_000_000_000).unwrap();
    // Limit: 100 * 160 * 0.833 + 1,000 * 0.833 = 14,161; debt: 14,010.
    c.w.set_price(SOL, 160_00);
    let liquidate = c.all();
    c.w.refuse(&liquidate, &[&c.keeper], keel::KeelError::Healthy);
    c.w.set_price(eth, 800_00);
    let before = c.w.snapshot(&[&c.borrower, &c.lender]);
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    let event: Liquidated = only_event(&receipt);
    let health = (16_000.0 + 800.0) * 0.833 / 14_010.0;
    assert!((number(event.health_before) - health).abs() < 1e-12);
    let bonus = 0.02 + 0.08 * (1.0 - health) / 0.05;
    let repaid = (1.05 * 14_010.0 - 16_800.0 * 0.833) / (1.05 - (1.0 + bonus) * 0.833);
    assert!((event.repaid as f64 / 1e6 - repaid).abs() < 1e-5, "{} {repaid}", event.repaid);
    assert!((number(event.health_after) - 1.05).abs() < 1e-9);
    let changed = before.changed(&mut c.w);
    for asset in [eth, dai] {
        assert!(!changed.contains(&c.w.assets[asset].reserve) && !changed.contains(&c.w.liquidity_key(asset)));
    }
}

/// All 16 slots in use, each with an asset of its own: one transaction, with the market's lookup table.
#[test]
fn effects_of_a_full_vault() {
    let mut c = Case::at(200_00);
    for _ in 0..14 {
        let asset = c.w.list(&AssetSpec::usdc());
        c.w.fund(&c.borrower.key(), asset, 10_000_000);
        c.w.deposit(&c.borrower, asset, All).unwrap();
    }
    c.w.publish_table();
    c.w.set_price(SOL, 160_00);
    assert_eq!(c.w.vault(&c.borrower.vault).occupied().count(), 16);
    let receipt = c.w.liquidate(&c.keeper, &c.borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    let event: Liquidated = only_event(&receipt);
    assert!((number(event.health_before) - 0.833 * 16_140.0 / 14_000.0).abs() < 1e-12);
    assert!((number(event.health_after) - 1.05).abs() < 1e-9);
}

/// The owner may do it, too, and somebody else may receive.
#[test]
fn effects_the_owner_may_be_the_keeper() {
    let mut c = Case::at(160_00);
    c.keeper = c.borrower.keypair.insecure_clone();
    let liquidate = c.all();
    let elsewhere = c.w.user();
    c.w.fund(&elsewhere.key(), SOL, 0);
    let tokens = c.w.token_account(&elsewhere.key(), SOL);
    let liquidate = with_account(&liquidate, KEEPER_COLLATERAL, tokens);
    let receipt = c.w.send(liquidate, &c.keeper).unwrap();
    assert_eq!(c.w.balance(&elsewhere.key(), SOL), only_event::<Liquidated>(&receipt).to_keeper);
}

/// A deposit that arrives first saves the vault; `min_seize` protects the keeper from what arrives first.
#[test]
fn effects_exact_min_seize_is_enough() {
    let mut c = Case::at(160_00);
    let liquidate = c.build(USDC, SOL, u64::MAX, 68_360_744_943);
    c.w.send(liquidate, &c.keeper).unwrap();
    assert_eq!(c.keeper_balances().1, 68_360_744_943);
}

#[test]
fn effects_tokens_of_both_programs() {
    let mut w = Bank::new(keel_tests::ProgramTestChain::new());
    let spec = AssetSpec { token_program: token::TOKEN_2022_PROGRAM, ..AssetSpec::sol() };
    w.list(&spec);
    w.list(&AssetSpec::usdc());
    let lender = w.supplier(USDC, 100_000_000_000);
    let borrower = w.supplier(SOL, 100_000_000_000);
    w.fund(&borrower.key(), USDC, 0);
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 160_00);
    let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000_000);
    let mut c = Case { w, lender, borrower, keeper };
    let liquidate = c.all();
    c.w.send(liquidate, &c.keeper).unwrap();
    assert_eq!(c.keeper_balances(), (1_000_000_000_000 - 10_061_188_453, 68_360_744_943));
    c.w.repay(&c.borrower, USDC, Exact(1_000_000)).unwrap();
}
