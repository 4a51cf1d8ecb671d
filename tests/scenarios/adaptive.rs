//! A reserve whose rate follows demand.

use crate::support::*;
use crate::views::{initial, maintenance};
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::state::{RateConfig, Reserve};
use keel_client::instruction;
use keel_risk::Fraction;
use keel_risk::interest::{AdaptiveCurve, Rate, RateModel};
use keel_risk::pool::{Kind, Pool, RateTerms};
use keel_risk::units::{Amount, DebtShares, Quantity, SupplyShares};
use keel_tests::world::{User, refused};
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DAY: i64 = 86_400;

/// 4 % at the target of 90 %, four times that when everything is lent and a quarter of it when nothing is. The rate at
/// target moves 50-fold in e a year at most, from 0.1 to 200 %.
const RATES: RateConfig = RateConfig {
    model: RateConfig::ADAPTIVE,
    base_bps: 0,
    slope_bps: 0,
    excess_slope_bps: 0,
    optimal_utilization_bps: 9_000,
    reserve_factor_bps: 1_000,
    steepness_bps: 40_000,
    speed_bps: 500_000,
    min_at_target_bps: 10,
    max_at_target_bps: 20_000,
    initial_at_target_bps: 400,
};

/// [`RATES`] as the risk crate has them.
const TERMS: RateTerms = RateTerms {
    model: RateModel::Adaptive(AdaptiveCurve {
        optimal_utilization_bps: 9_000,
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_rate_at_target_bps: 10,
        max_rate_at_target_bps: 20_000,
        initial_rate_at_target_bps: 400,
    }),
    reserve_factor_bps: 1_000,
};

fn adaptive_usdc() -> AssetSpec {
    let mut usdc = AssetSpec::usdc();
    usdc.config.rates = RATES;
    usdc
}

/// 10,000 USDC of which a user with 100 SOL borrowed so many.
fn lent_out(dollars: u64) -> (World<LiteChain>, User, User) {
    let mut w = World::with(LiteChain::new(), &[AssetSpec::sol(), adaptive_usdc()]);
    let lender = w.supplier(USDC, w.assets[USDC].whole(10_000));
    let borrower = w.supplier(SOL, w.assets[SOL].whole(100));
    w.fund(&borrower.key(), USDC, 0);
    if dollars > 0 {
        w.borrow(&borrower, USDC, w.assets[USDC].whole(dollars)).unwrap();
    }
    (w, lender, borrower)
}

fn accrue(w: &mut World<impl Chain>) {
    let (accrue, governance) =
        (instruction::accrue_reserve(&w.book, w.assets[USDC].reserve), w.governance.insecure_clone());
    w.send(accrue, &governance).unwrap();
}

/// The rate at target and the borrow rate in force, a year.
fn rates(reserve: &Reserve) -> (f64, f64) {
    (number(reserve.rate.at_target.get()), number(reserve.rate.borrow.get()))
}

/// How far a utilization is from the target, as a part of the way to the end: negative below.
fn error(utilization: f64) -> f64 {
    if utilization > 0.9 { (utilization - 0.9) / 0.1 } else { (utilization - 0.9) / 0.9 }
}

/// Borrow rate over rate at target.
fn multiple(error: f64) -> f64 {
    if error > 0.0 { 1.0 + 3.0 * error } else { 1.0 + 0.75 * error }
}

/// Above the target the rate at target rises while nobody does anything, below it falls, at it it stands still.
#[test]
fn the_rate_follows_demand() {
    for dollars in [0, 1_000, 4_500, 8_999, 9_000, 9_001, 9_500, 10_000] {
        let (mut w, _, _) = lent_out(dollars);
        let error = error(dollars as f64 / 10_000.0);
        let (at_target, borrow) = rates(&w.reserve(USDC));
        assert!(
            (at_target - 0.04).abs() < 1e-15 && (borrow / (0.04 * multiple(error)) - 1.0).abs() < 1e-9,
            "{dollars}"
        );
        w.pass(DAY);
        accrue(&mut w);
        let drift = 50.0 * error / 365.0;
        let (risen, _) = rates(&w.reserve(USDC));
        assert!((risen / (0.04 * drift.exp()) - 1.0).abs() < 1e-9, "{dollars}: {risen}");
        // Interest is the integral of the rate over the day.
        let phi = if drift == 0.0 { 1.0 } else { drift.exp_m1() / drift };
        let growth = (0.04 * multiple(error) * phi / 365.0).exp_m1();
        let grown = if dollars == 0 { 0.0 } else { growth };
        let index = number(w.reserve(USDC).debt_index.get());
        assert!((index - 1.0 - grown).abs() < 1e-10, "{dollars}: {index}");
    }
}

/// Everything is lent for 60 days, or nothing: the rate at target stops at its bounds, and turns from there.
#[test]
fn the_rate_stays_within_its_bounds() {
    let (mut w, lender, borrower) = lent_out(10_000);
    let (least, most) = (Fraction::from_bps_ceil(10), Fraction::from_bps_ceil(20_000));
    // ln 50 / 50 of a year is 28.6 days: then it charges 800 %.
    w.pass(28 * DAY);
    accrue(&mut w);
    assert!(Fraction::from(w.reserve(USDC).rate.at_target) < most);
    w.pass(DAY);
    accrue(&mut w);
    for _ in 0..2 {
        assert_eq!(Fraction::from(w.reserve(USDC).rate.at_target), most);
        assert!((rates(&w.reserve(USDC)).1 - 8.0).abs() < 1e-9);
        w.pass(DAY);
        accrue(&mut w);
    }
    w.fund(&borrower.key(), USDC, w.assets[USDC].whole(20_000));
    w.repay(&borrower, USDC, All).unwrap();
    w.pass(DAY);
    accrue(&mut w);
    assert!((rates(&w.reserve(USDC)).0 - 2.0 * (-50.0f64 / 365.0).exp()).abs() < 1e-9);
    for _ in 0..2 {
        w.pass(60 * DAY);
        accrue(&mut w);
        assert_eq!(Fraction::from(w.reserve(USDC).rate.at_target), least);
    }
    // Somebody borrows nearly all: at once four times the rate at target, and it rises from the bottom.
    let rest = w.reserve(USDC).available;
    w.withdraw(&lender, USDC, Exact(rest - w.assets[USDC].whole(8_000))).unwrap();
    w.refresh_prices();
    w.borrow(&borrower, USDC, w.assets[USDC].whole(8_000)).unwrap();
    assert!((rates(&w.reserve(USDC)).1 - 0.004).abs() < 1e-9);
    w.pass(DAY);
    accrue(&mut w);
    assert!(rates(&w.reserve(USDC)).0 > 0.001);
}

/// The account's books and rate, word by word.
fn books(reserve: &Reserve) -> ([Fraction; 11], u64, u64, i64) {
    let r = &reserve.rate;
    let words = [
        reserve.supply_shares,
        reserve.insurance_shares,
        reserve.debt_shares,
        reserve.supply_index,
        reserve.debt_index,
        reserve.supply_growth_ratio,
        r.borrow,
        r.at_target,
        r.drift,
        r.borrow_limit,
        r.at_target_limit,
    ];
    (words.map(Fraction::from), r.falling, reserve.available, reserve.updated_at)
}

fn modelled(pool: &Pool) -> ([Fraction; 11], u64, u64, i64) {
    let Rate { borrow, at_target, drift } = pool.rate;
    let words = [
        pool.supply_shares.0,
        pool.insurance_shares.0,
        pool.debt_shares.0,
        pool.supply_index.0,
        pool.debt_index.0,
        pool.supply_growth_ratio,
        borrow,
        at_target,
        drift.yearly,
        drift.borrow_limit,
        drift.at_target_limit,
    ];
    (words, u64::from(drift.falling), pool.available.0, pool.updated_at)
}

/// Random deposits, withdrawals, loans, repayments, accruals and waits: the account is what the risk crate makes of the same,
/// to the last bit.
#[test]
fn accounts_are_what_the_risk_crate_computes() {
    let (mut rising, mut falling, mut bounded) = (0, 0, 0);
    for seed in 0..6 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut w = World::with(LiteChain::new(), &[AssetSpec::sol(), adaptive_usdc()]);
        let mut pool = Pool::new(Kind::Pooled, w.chain.clock().unix_timestamp, &TERMS).unwrap();
        assert_eq!(books(&w.reserve(USDC)), modelled(&pool));
        let (lender, borrower) = (w.supplier(USDC, 1_000_000_000), w.supplier(SOL, 100_000_000_000_000));
        for user in [&lender, &borrower] {
            w.fund(&user.key(), USDC, 1_000_000_000_000);
        }
        let mut supplied = pool.deposit(Amount(1_000_000_000), Amount::MAX).unwrap().shares;
        pool.reprice(&TERMS).unwrap();
        let mut owed = DebtShares::ZERO;
        for _ in 0..80 {
            let wait = [1, 100, 10_000, 3_000_000][rng.random_range(0..4)];
            w.pass(rng.random_range(0..=wait));
            w.refresh_prices();
            pool.accrue(w.chain.clock().unix_timestamp).unwrap();
            let amount = Amount(rng.random_range(100_000_000..1_500_000_000));
            let held = pool.supply_index.amount_of(supplied).unwrap();
            match rng.random_range(0..6) {
                0 => {
                    w.deposit(&lender, USDC, Exact(amount.0)).unwrap();
                    let shares = pool.deposit(amount, Amount::MAX).unwrap().shares;
                    supplied = SupplyShares(supplied.0.checked_add(shares.0).unwrap());
                }
                1 if held > amount && pool.available >= amount => {
                    w.withdraw(&lender, USDC, Exact(amount.0)).unwrap();
                    let shares = pool.withdraw(Quantity::Exact(amount), supplied).unwrap().shares;
                    supplied = supplied.checked_sub(shares).unwrap();
                }
                2 | 3 if !pool.available.is_zero() => {
                    let amount = amount.min(pool.available).max(Amount(1));
                    if amount.0 < 10_000_000 {
                        continue;
                    }
                    w.borrow(&borrower, USDC, amount.0).unwrap();
                    owed = owed.checked_add(pool.borrow(amount, Amount::MAX).unwrap().shares).unwrap();
                }
                4 if !owed.is_zero() => {
                    let debt = pool.debt_index.amount_owed(owed).unwrap();
                    let quantity = if amount < debt { Quantity::Exact(amount) } else { Quantity::All };
                    let spec = if amount < debt { Exact(amount.0) } else { All };
                    w.repay(&borrower, USDC, spec).unwrap();
                    owed = owed.checked_sub(pool.repay(quantity, owed).unwrap().shares).unwrap();
                }
                _ => accrue(&mut w),
            }
            pool.reprice(&TERMS).unwrap();
            assert_eq!(books(&w.reserve(USDC)), modelled(&pool), "seed {seed}");
            let Rate { at_target, drift, .. } = pool.rate;
            rising += u32::from(!drift.falling && !drift.yearly.is_zero());
            falling += u32::from(drift.falling);
            bounded +=
                u32::from(at_target == Fraction::from_bps_ceil(10) || at_target == Fraction::from_bps_ceil(20_000));
        }
    }
    assert!(rising > 50 && falling > 50 && bounded > 10, "{rising} {falling} {bounded}");
}

/// What a vault owes while the rate drifts is the same whether its debt's reserve was just accrued or is only read.
#[test]
fn a_projection_is_an_accrual() {
    for (dollars, days) in [(9_900, 3), (9_900, 40), (2_000, 3), (2_000, 40)] {
        let moved = || {
            let (mut w, _, borrower) = lent_out(dollars);
            let dai = w.list(&AssetSpec::usdc());
            w.supplier(dai, w.assets[dai].whole(100_000));
            w.fund(&borrower.key(), dai, 0);
            w.pass(days * DAY);
            w.refresh_prices();
            (w, borrower, dai)
        };
        let (mut w, borrower, dai) = moved();
        let projected = (maintenance(&mut w, &borrower), initial(&mut w, &borrower));
        assert!(number(projected.0.debt.0.to_bits()) > dollars as f64);
        let room = number(projected.1.limit.0.to_bits()) - number(projected.1.debt.0.to_bits());
        let room = (room / 1.0005 * 1e6) as u64;
        refused(w.borrow(&borrower, dai, room + 2), KeelError::Unhealthy);
        accrue(&mut w);
        assert_eq!((maintenance(&mut w, &borrower), initial(&mut w, &borrower)), projected);
        refused(w.borrow(&borrower, dai, room + 2), KeelError::Unhealthy);
        w.borrow(&borrower, dai, room - 2).unwrap();
        let (mut w, borrower, dai) = moved();
        w.borrow(&borrower, dai, room - 2).unwrap();
    }
}

/// Nobody gains by touching a reserve more often: a borrower owes the same after one accrual and after sixty, up to what the
/// series and the utilization's own growth make of it.
#[test]
fn how_often_it_is_touched_does_not_matter() {
    for (dollars, days) in [(9_500, 10), (5_000, 60), (10_000, 30)] {
        let owed_after = |touches: i64| {
            let (mut w, _, borrower) = lent_out(dollars);
            for _ in 0..touches {
                w.pass(days * DAY / touches);
                accrue(&mut w);
            }
            held_by(&mut w, &borrower)
        };
        let (once, often) = (owed_after(1), owed_after(60));
        let (interest, principal) = (once - dollars as f64, dollars as f64);
        assert!(interest > 0.0 && (once - often).abs() < 0.02 * interest, "{once} {often} of {principal}");
    }
}

/// What a user owes in dollars, as of the last accrual.
fn held_by(w: &mut World<LiteChain>, user: &User) -> f64 {
    let (reserve, vault) = (w.reserve(USDC), w.vault(&user.vault));
    let shares = vault.debt(&w.assets[USDC].reserve).unwrap();
    reserve.pool().debt_index.amount_owed(shares).unwrap().0 as f64 / 1e6
}

/// Governance exchanges the curve: interest up to then is by the old one. The adaptive one starts at its initial rate, the
/// kinked one knows no rate at target; a rate outside of new bounds moves into them at once.
#[test]
fn a_curve_may_be_exchanged() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.pass(365 * DAY);
    w.configure(USDC, |c| c.rates = RATES).unwrap();
    // 14 % of it lent for a year at an eighth of 14 %.
    let index = number(w.reserve(USDC).debt_index.get());
    assert!((index - 0.0175f64.exp()).abs() < 1e-8, "{index}");
    let (at_target, borrow) = rates(&w.reserve(USDC));
    assert!((at_target - 0.04).abs() < 1e-15 && borrow < 0.02);
    w.pass(DAY);
    accrue(&mut w);
    assert!(rates(&w.reserve(USDC)).0 < 0.036);
    w.configure(USDC, |c| (c.rates.min_at_target_bps, c.rates.initial_at_target_bps) = (1_000, 2_000)).unwrap();
    assert!((rates(&w.reserve(USDC)).0 - 0.1).abs() < 1e-15);
    w.configure(USDC, |c| (c.rates.min_at_target_bps, c.rates.max_at_target_bps) = (10, 500)).unwrap_err();
    w.configure(USDC, |c| {
        c.rates = RateConfig { initial_at_target_bps: 100, max_at_target_bps: 500, ..RATES };
    })
    .unwrap();
    assert!((rates(&w.reserve(USDC)).0 - 0.05).abs() < 1e-15);
    w.configure(USDC, |c| c.rates = AssetSpec::usdc().config.rates).unwrap();
    let (at_target, borrow) = rates(&w.reserve(USDC));
    let utilization = 14_000.0 * index / (86_000.0 + 14_000.0 * index);
    assert!(at_target == 0.0 && (borrow - 0.1 * utilization / 0.8).abs() < 1e-5, "{borrow}");
    // And starts anew, not where it was.
    w.configure(USDC, |c| c.rates = RATES).unwrap();
    assert!((rates(&w.reserve(USDC)).0 - 0.04).abs() < 1e-15);
}
