//! Haircuts that follow the market: what is sampled and when, who feels it, and how fast.

use crate::minted::start::*;
use crate::support::*;
use crate::views::{haircuts, initial, maintenance};
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::state::{RateConfig, ReserveConfig, VolatilityConfig};
use keel_client::instruction;
use keel_risk::Fraction;
use keel_risk::haircut::{self, Haircut, HaircutTerms};
use keel_risk::price::UnitPrice;
use keel_risk::units::Amount;
use keel_risk::volatility::{Volatility, VolatilityTerms};
use keel_tests::world::{PRICE_EXPONENT, User, refused};
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_signer::Signer;

const HOUR: i64 = 3_600;

/// Ten deviations over ten minutes, a half-life of an hour, returns up to 10 %. The maintenance haircut rises by 20 % an
/// hour and falls by 0.5 %; it is 2 % at rest and 40 % at most.
fn wild(config: &mut ReserveConfig) {
    config.volatility.multiple_bps = 100_000;
    config.volatility.up_bps_per_hour = 2_000;
}

/// [`lent`] with volatility of SOL counted and sampled once, and loans of USDC that cost nothing.
fn sampled() -> (Bank, User, User) {
    let (mut w, lender, borrower) = lent();
    w.configure(SOL, wild).unwrap();
    w.configure(USDC, |c| c.rates = RateConfig { optimal_utilization_bps: 8_000, ..RateConfig::default() }).unwrap();
    w.refresh(SOL).unwrap();
    (w, lender, borrower)
}

/// SOL goes to 210 dollars and back within two minutes, which raises its target to about 26 %. All prices are fresh after.
fn shake<C: Chain>(w: &mut World<C>) {
    for cents in [210_00, 200_00] {
        w.pass(60);
        w.set_price(SOL, cents);
        w.refresh(SOL).unwrap();
    }
    w.refresh_prices();
}

/// Target and maintenance haircut as the account has them.
fn stored<C: Chain>(w: &mut World<C>, asset: usize) -> (f64, f64) {
    let haircut = w.reserve(asset).haircut;
    (number(haircut.target.get()), number(haircut.maintenance.get()))
}

/// The most USDC that 100 SOL carry at 200 dollars, at an initial haircut: the prices are 199.9 and 1.0005.
fn most(haircut: f64) -> u64 {
    (100.0 * 199.9 * 0.75 * (1.0 - haircut) / 1.0005 * 1e6) as u64
}

fn accrue(w: &mut Bank, asset: usize) {
    let (accrue, governance) =
        (instruction::accrue_reserve(&w.book, w.assets[asset].reserve), w.governance.insecure_clone());
    w.send(accrue, &governance).unwrap();
}

/// Runs `act`, with the asset's price at `cents`, 59 seconds after its last sample, which takes the price and no sample,
/// and a second later, which takes both.
#[track_caller]
fn assert_samples(w: &mut Bank, asset: usize, cents: i64, act: impl Fn(&mut Bank)) {
    let before = w.reserve(asset).volatility;
    assert_ne!(before.sampled_at, 0);
    for (seconds, due) in [(59, false), (1, true)] {
        w.pass(seconds);
        w.refresh_prices();
        w.set_price(asset, cents);
        act(w);
        let (reserve, now) = (w.reserve(asset), w.chain.clock().unix_timestamp);
        assert_eq!(reserve.last_prices[0].publish_time, now);
        if due {
            let spot = UnitPrice::new(u128::from(reserve.last_prices[0].price.unsigned_abs()), -8, reserve.decimals);
            assert_eq!(reserve.volatility.sampled_at, now);
            assert_eq!(reserve.volatility.price.get(), spot.unwrap().to_bits());
            assert!(reserve.volatility.variance.get() > 0);
        } else {
            assert_eq!(reserve.volatility, before);
        }
    }
}

#[test]
fn a_refresh_samples() {
    let (mut w, _, _) = sampled();
    assert_samples(&mut w, SOL, 202_00, |w| drop(w.refresh(SOL).unwrap()));
}

#[test]
fn a_loan_samples_what_it_takes() {
    let (mut w, _, borrower) = sampled();
    w.configure(USDC, wild).unwrap();
    w.refresh(USDC).unwrap();
    let calm = w.reserve(SOL).volatility;
    assert_samples(&mut w, USDC, 1_01, |w| drop(w.borrow(&borrower, USDC, 100_000_000).unwrap()));
    assert_eq!(w.reserve(SOL).volatility, calm, "the collateral was only read");
}

#[test]
fn a_withdrawal_in_debt_samples_what_it_takes() {
    let (mut w, _, borrower) = sampled();
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    assert_samples(&mut w, SOL, 202_00, |w| drop(w.withdraw(&borrower, SOL, Exact(1)).unwrap()));
}

#[test]
fn a_liquidation_samples_both_sides() {
    for asset in [SOL, USDC] {
        let (mut w, _, borrower) = sampled();
        w.configure(USDC, wild).unwrap();
        w.refresh(USDC).unwrap();
        w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
        let keeper = keeper(&mut w, USDC, SOL, 10_000_000_000);
        w.set_price(SOL, 160_00);
        let cents = if asset == SOL { 160_00 } else { 1_01 };
        let part = |w: &mut Bank| drop(w.liquidate(&keeper, &borrower.vault, USDC, SOL, 1_000_000_000, 0).unwrap());
        assert_samples(&mut w, asset, cents, part);
    }
}

#[test]
fn a_swap_samples_the_dollar_and_a_redemption_the_collateral() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 14_400_000_000).unwrap();
    for asset in [SOL, USDC] {
        w.configure(asset, wild).unwrap();
        w.refresh(asset).unwrap();
    }
    let trader = swapper(&mut w, 1_000_000_000);
    let key = trader.pubkey();
    w.fund(&key, USDC, 100_000_000);
    w.fund(&key, SOL, 0);
    w.pass(60);
    w.refresh_prices();
    w.refresh(USDC).unwrap();
    for (cents, out) in [(1_02, false), (1_01, true)] {
        let before = w.reserve(USDC).volatility;
        w.pass(60);
        w.refresh_prices();
        w.set_price(USDC, cents);
        let swap = if out {
            instruction::swap_out(&w.book, key, 10_000_000, 0)
        } else {
            instruction::swap_in(&w.book, key, 10_000_000, 0)
        };
        w.send(swap.unwrap(), &trader).unwrap();
        let after = w.reserve(USDC).volatility;
        assert!(after.sampled_at == before.sampled_at + 60 && after.variance.get() > before.variance.get());
    }
    w.refresh(SOL).unwrap();
    assert_samples(&mut w, SOL, 202_00, |w| {
        let redeem = redeem(w, &key, &borrower.vault, SOL, 100_000_000);
        w.send(redeem, &trader).unwrap();
    });
}

/// What needs no price samples none, and neither does an accrual.
#[test]
fn nothing_is_sampled_without_a_price() {
    let (mut w, _, borrower) = sampled();
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    w.configure(USDC, wild).unwrap();
    w.refresh(USDC).unwrap();
    let saver = w.supplier(SOL, 1_000);
    let before = [w.reserve(SOL).volatility, w.reserve(USDC).volatility];
    w.pass(1_000);
    (0..2).for_each(|asset| w.set_price(asset, w.assets[asset].cents * 2));
    w.repay(&borrower, USDC, Exact(1_000_000)).unwrap();
    w.withdraw(&saver, SOL, Exact(500)).unwrap();
    w.deposit(&saver, SOL, Exact(500)).unwrap();
    accrue(&mut w, SOL);
    accrue(&mut w, USDC);
    assert_eq!([w.reserve(SOL).volatility, w.reserve(USDC).volatility], before);
}

/// The seconds between samples are those between publications, not those between transactions.
#[test]
fn publish_times_decide_and_not_the_clock() {
    let (mut w, _, _) = sampled();
    let first = w.reserve(SOL).volatility;
    w.pass(100);
    for (published, due) in [(59, false), (60, true)] {
        let mut observation = w.observation(210_00);
        observation.publish_time = first.sampled_at + published;
        w.post(SOL, 0, &observation);
        w.refresh(SOL).unwrap();
        let sampled = w.reserve(SOL).volatility;
        assert_eq!(sampled.sampled_at, if due { first.sampled_at + 60 } else { first.sampled_at });
        assert_eq!(sampled.variance.get() > 0, due);
    }
}

/// The volatility and the haircut of a reserve on which nobody earns interest, by the risk crate alone.
struct Model {
    volatility: Volatility,
    deviation: Fraction,
    haircut: Haircut,
    supplied: Amount,
}

const VOLATILITY: VolatilityTerms =
    VolatilityTerms { min_interval: 45, half_life: 900, max_return_bps: 500, multiple_bps: 40_000, horizon: 600 };
const HAIRCUT: HaircutTerms = HaircutTerms {
    base_bps: 150,
    max_bps: 1_700,
    up_bps_per_hour: 800,
    down_bps_per_hour: 300,
    concentration_bps: 700,
    depth: Amount(1_000_000_000_000),
};

impl Model {
    fn retarget(&mut self, now: i64) {
        let target = haircut::target(self.deviation, self.supplied, &HAIRCUT).unwrap();
        self.haircut.advance(now, target, &HAIRCUT).unwrap();
    }

    fn sample(&mut self, cents: i64, now: i64) {
        let mantissa = u128::from(cents.unsigned_abs()) * 10u128.pow(PRICE_EXPONENT.unsigned_abs() - 2);
        if self.volatility.sample(UnitPrice::new(mantissa, PRICE_EXPONENT, 9).unwrap(), now, &VOLATILITY).unwrap() {
            self.deviation = self.volatility.deviation(&VOLATILITY).unwrap();
            self.retarget(now);
        }
    }

    #[track_caller]
    fn assert_equals(&self, w: &mut World<LiteChain>) {
        let Volatility { price, sampled_at, variance } = self.volatility;
        let Haircut { maintenance, target, moved_at } = self.haircut;
        let (v, h) = (w.reserve(SOL).volatility, w.reserve(SOL).haircut);
        assert_eq!((v.sampled_at, v.price.get(), v.variance), (sampled_at, price.to_bits(), variance.into()));
        assert_eq!(v.deviation, self.deviation.into());
        assert_eq!((h.moved_at, h.maintenance, h.target), (moved_at, maintenance.into(), target.into()));
    }
}

/// Random prices, waits, deposits and withdrawals: the account is the model, to the last bit.
#[test]
fn accounts_are_what_the_risk_crate_computes() {
    let mut sol = AssetSpec::sol();
    let VolatilityTerms { min_interval, half_life, max_return_bps, multiple_bps, horizon } = VOLATILITY;
    sol.config.volatility = VolatilityConfig {
        min_interval,
        half_life,
        max_return_bps,
        multiple_bps,
        horizon,
        up_bps_per_hour: HAIRCUT.up_bps_per_hour,
        down_bps_per_hour: HAIRCUT.down_bps_per_hour,
        concentration_bps: HAIRCUT.concentration_bps,
    };
    sol.config.collateral.base_haircut_bps = HAIRCUT.base_bps;
    sol.config.collateral.max_haircut_bps = HAIRCUT.max_bps;
    sol.config.limits.depth = HAIRCUT.depth.0;
    let (mut capped, mut risen, mut fallen) = (0, 0, 0);
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut w = World::with(LiteChain::new(), &[sol.clone(), AssetSpec::usdc()]);
        let now = w.chain.clock().unix_timestamp;
        let base = Fraction::from_bps_ceil(HAIRCUT.base_bps);
        let mut model = Model {
            volatility: Volatility::UNSAMPLED,
            deviation: Fraction::ZERO,
            haircut: Haircut::settled(base, now),
            supplied: Amount::ZERO,
        };
        model.sample(200_00, now); // the listing
        model.assert_equals(&mut w);
        w.supplier(USDC, 1_000_000_000_000);
        let user = w.supplier(SOL, 100_000_000_000);
        model.supplied = Amount(100_000_000_000);
        model.retarget(now);
        w.fund(&user.key(), USDC, 0);
        w.fund(&user.key(), SOL, 1_000_000_000_000);
        w.borrow(&user, USDC, 100_000_000).unwrap();
        for _ in 0..120 {
            w.pass(if rng.random_ratio(1, 8) { rng.random_range(HOUR..8 * HOUR) } else { rng.random_range(1..100) });
            let cents = w.assets[SOL].cents * rng.random_range(9_700..=10_310) / 10_000;
            w.refresh_prices();
            w.set_price(SOL, if rng.random_ratio(1, 20) { cents / 2 } else { cents }.clamp(50_00, 900_00));
            let (now, cents) = (w.chain.clock().unix_timestamp, w.assets[SOL].cents);
            let amount = rng.random_range(1..200_000_000_000);
            match rng.random_range(0..4) {
                0 if w.balance(&user.key(), SOL) >= amount => {
                    w.deposit(&user, SOL, Exact(amount)).unwrap();
                    model.supplied.0 += amount;
                    model.retarget(now);
                }
                1 if model.supplied.0 > amount + 50_000_000_000 => {
                    w.withdraw(&user, SOL, Exact(amount)).unwrap();
                    model.supplied.0 -= amount;
                    model.retarget(now);
                    model.sample(cents, now);
                }
                _ => {
                    w.refresh(SOL).unwrap();
                    model.retarget(now);
                    model.sample(cents, now);
                }
            }
            model.assert_equals(&mut w);
            let Haircut { maintenance, target, .. } = model.haircut;
            capped += u32::from(target == Fraction::from_bps_ceil(HAIRCUT.max_bps));
            risen += u32::from(maintenance < target);
            fallen += u32::from(maintenance > target);
        }
    }
    assert!(capped > 5 && risen > 50 && fallen > 50, "{capped} {risen} {fallen}");
}

/// The price is what it was, but it has moved: what 100 SOL carried two minutes ago they carry no more.
#[test]
fn new_risk_feels_volatility_at_once() {
    let (mut w, _, borrower) = sampled();
    assert_eq!(stored(&mut w, SOL), (0.02, 0.02));
    shake(&mut w);
    let (target, at_rest) = stored(&mut w, SOL);
    assert!(target > 0.25 && at_rest < 0.024, "{target} {at_rest}");
    refused(w.borrow(&borrower, USDC, most(0.02)), KeelError::Unhealthy);
    refused(w.borrow(&borrower, USDC, most(target) + 2), KeelError::Unhealthy);
    w.borrow(&borrower, USDC, most(target) - 2).unwrap();
    refused(w.withdraw(&borrower, SOL, Exact(1_000)), KeelError::Unhealthy);
}

/// A withdrawal feels the price that it brings itself.
#[test]
fn a_withdrawal_feels_its_own_sample() {
    let (mut w, _, borrower) = sampled();
    w.borrow(&borrower, USDC, most(0.02) - 1_000_000).unwrap();
    w.pass(60);
    w.refresh_prices();
    w.set_price(SOL, 205_00);
    // Worth more than before, and it may have been less: 2.5 % of price against 16 % of haircut.
    refused(w.withdraw(&borrower, SOL, Exact(1)), KeelError::Unhealthy);
    w.refresh(SOL).unwrap();
    let sampled = w.reserve(SOL).volatility;
    w.pass(1);
    w.refresh_prices();
    w.repay(&borrower, USDC, Exact(4_000_000_000)).unwrap();
    w.withdraw(&borrower, SOL, Exact(1)).unwrap();
    assert_eq!(w.reserve(SOL).volatility, sampled);
}

/// Nobody refreshes SOL while its maintenance haircut rises. A vault that is healthy up to a haircut of 3/17 can be
/// liquidated from the second on in which it gets there, and not before.
#[test]
fn an_existing_vault_feels_it_along_the_ramp() {
    let (mut w, _, borrower) = sampled();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    let keeper = keeper(&mut w, USDC, SOL, 14_000_000_000);
    let before = maintenance(&mut w, &borrower);
    // The ramp starts with the first return.
    let start = w.chain.clock().unix_timestamp + 60;
    shake(&mut w);
    let mut last = maintenance(&mut w, &borrower);
    assert!(number(before.limit.0.to_bits()) - number(last.limit.0.to_bits()) < 17_000.0 * 0.2 / 60.0 + 1e-9);
    for _ in 0..9 {
        w.pass(300);
        w.refresh_prices();
        refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
        let now = maintenance(&mut w, &borrower);
        assert_eq!((now.debt, now.collateral), (before.debt, before.collateral));
        let elapsed = w.chain.clock().unix_timestamp - start;
        let expected = 17_000.0 * (0.98 - 0.2 * elapsed as f64 / HOUR as f64);
        assert!((number(now.limit.0.to_bits()) - expected).abs() < 1e-9, "{elapsed}: {now:?}");
        assert!(last.is_healthier_than(&now));
        last = now;
    }
    // (3/17 - 0.02) / 0.2 of an hour: 2,816.47 seconds.
    for (second, healthy) in [(2_816, true), (2_817, false)] {
        let elapsed = w.chain.clock().unix_timestamp - start;
        w.pass(second - elapsed);
        w.refresh_prices();
        let result = w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0);
        if healthy { refused(result, KeelError::Healthy) } else { drop(result.unwrap()) }
    }
}

/// Calm again: the target falls at once, the maintenance haircut by 0.5 % an hour, and new risk waits for that.
#[test]
fn it_falls_back_slowly() {
    let (mut w, _, borrower) = sampled();
    shake(&mut w);
    for _ in 0..8 {
        w.pass(HOUR);
        w.refresh_prices();
        w.refresh(SOL).unwrap();
    }
    // After one hour it stood at 22.33 %, above the target. Seven hours later 3.5 % less.
    let (target, at_rest) = stored(&mut w, SOL);
    assert!((at_rest - (0.02 + 0.2 * 3_660.0 / 3_600.0 - 0.035)).abs() < 1e-9, "{at_rest}");
    assert!(target < 0.04, "{target}");
    refused(w.borrow(&borrower, USDC, most(at_rest) + 2), KeelError::Unhealthy);
    w.borrow(&borrower, USDC, most(at_rest) - 2).unwrap();
    // It does not fall below the target.
    w.pass(100 * HOUR);
    let (_, new_risk) = haircuts(&mut w, SOL);
    assert_eq!(number(new_risk.to_bits()), target);
}

/// The price doubles, or falls to a cent: the variance is that of a return of 10 %, in one sample.
#[test]
fn a_jump_counts_at_most_as_the_largest_return() {
    // v = r^2 / dt, weighted by 1 - 2^(-dt / half-life).
    let clipped = 0.1f64.powi(2) / 60.0 * (1.0 - 0.5f64.powf(1.0 / 60.0));
    for cents in [400_00, 1_000_000_00, 1] {
        let (mut w, _, _) = sampled();
        w.pass(60);
        w.set_price(SOL, cents);
        w.refresh(SOL).unwrap();
        let v = w.reserve(SOL).volatility;
        assert!((number(v.variance.get()) / clipped - 1.0).abs() < 1e-9, "{cents}");
        assert!((number(v.deviation.get()) / (10.0 * (clipped * 600.0).sqrt()) - 1.0).abs() < 1e-8, "{cents}");
        // The next return is from the new price.
        w.pass(60);
        w.refresh_prices();
        w.refresh(SOL).unwrap();
        let after = number(w.reserve(SOL).volatility.variance.get());
        assert!((after / (clipped * 0.5f64.powf(1.0 / 60.0)) - 1.0).abs() < 1e-8, "{cents}");
    }
}

/// However often somebody samples a price that stands still, an hour halves the variance.
#[test]
fn constant_prices_let_the_variance_decay() {
    for step in [60, 100, 1_800, 3_600] {
        let (mut w, _, _) = sampled();
        shake(&mut w);
        let before = w.reserve(SOL).volatility;
        for _ in 0..HOUR / step {
            w.pass(step);
            w.refresh_prices();
            w.refresh(SOL).unwrap();
        }
        let after = w.reserve(SOL).volatility;
        assert!((number(after.variance.get()) / number(before.variance.get()) - 0.5).abs() < 1e-6, "{step}");
        assert!((number(after.deviation.get()) / number(before.deviation.get()) - 0.5f64.sqrt()).abs() < 1e-6);
    }
}

/// Deposits of `depth` add 10 %, others in proportion. Who deposits raises the haircut of everybody's new risk at once, and
/// of what others owe along the ramp; who withdraws lowers it.
#[test]
fn concentration_follows_deposits() {
    let (mut w, _, borrower) = lent();
    w.configure(SOL, |c| {
        c.volatility.concentration_bps = 1_000;
        c.limits.depth = 1_000_000_000_000;
    })
    .unwrap();
    // 100 of 1,000 SOL are deposited.
    assert!((stored(&mut w, SOL).0 - 0.03).abs() < 1e-15);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    let before = maintenance(&mut w, &borrower);
    let whale = w.supplier(SOL, 700_000_000_000);
    assert!((stored(&mut w, SOL).0 - 0.1).abs() < 1e-15);
    assert_eq!(maintenance(&mut w, &borrower), before);
    refused(w.borrow(&borrower, USDC, most(0.1) - 100_000_000 + 2), KeelError::Unhealthy);
    // 1 % an hour.
    w.pass(HOUR);
    w.refresh_prices();
    let limit = number(maintenance(&mut w, &borrower).limit.0.to_bits());
    assert!((limit - 17_000.0 * 0.97).abs() < 1e-9, "{limit}");
    w.withdraw(&whale, SOL, Exact(400_000_000_000)).unwrap();
    assert!((stored(&mut w, SOL).0 - 0.06).abs() < 1e-15);
    w.withdraw(&whale, SOL, All).unwrap();
    let (target, at_rest) = stored(&mut w, SOL);
    assert!((target - 0.03).abs() < 1e-15 && (at_rest - 0.03).abs() < 1e-15, "{target} {at_rest}");
    w.borrow(&borrower, USDC, most(0.03) - 100_000_000 - 1_000).unwrap();
}

#[test]
fn the_target_stays_within_its_bounds() {
    // By concentration alone, by volatility alone, by both.
    for (depth, multiple_bps) in [(1, 0), (0, 200_000), (1, 200_000)] {
        let (mut w, _, borrower) = lent();
        w.configure(SOL, |c| {
            c.volatility.concentration_bps = 10_000;
            (c.limits.depth, c.volatility.multiple_bps) = (depth, multiple_bps);
            c.volatility.max_return_bps = 5_000;
            c.collateral.max_haircut_bps = 3_000;
        })
        .unwrap();
        w.refresh(SOL).unwrap();
        shake(&mut w);
        w.pass(60);
        w.set_price(SOL, 400_00);
        w.refresh(SOL).unwrap();
        let most = Fraction::from_bps_ceil(3_000).into();
        assert_eq!(w.reserve(SOL).haircut.target, most, "{depth} {multiple_bps}");
        w.pass(1_000 * HOUR);
        accrue(&mut w, SOL);
        assert_eq!(w.reserve(SOL).haircut.maintenance, most);
        if multiple_bps == 0 {
            // And the least is the base haircut, which is where it stands without deposits.
            w.withdraw(&borrower, SOL, All).unwrap();
            assert_eq!(w.reserve(SOL).haircut.target, Fraction::from_bps_ceil(200).into());
        }
    }
}

/// Nobody samples SOL again. Its vaults are on their way to the target and stay there, and others never notice.
#[test]
fn a_stale_target_is_reached_and_not_passed() {
    let (mut w, _, borrower) = sampled();
    let other = w.list(&AssetSpec::sol());
    let bystander = w.supplier(other, 100_000_000_000);
    w.fund(&bystander.key(), USDC, 0);
    w.borrow(&bystander, USDC, 10_000_000_000).unwrap();
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    let untouched = (maintenance(&mut w, &bystander), initial(&mut w, &bystander));
    shake(&mut w);
    let (target, _) = stored(&mut w, SOL);
    let at_target = 17_000.0 * (1.0 - target);
    let mut last = maintenance(&mut w, &borrower).limit;
    for hours in [0, 1, 2, 100, 10_000] {
        w.pass(hours * HOUR);
        w.refresh_prices();
        let limit = maintenance(&mut w, &borrower).limit;
        assert!(limit <= last && number(limit.0.to_bits()) > at_target - 1e-9);
        assert_eq!((maintenance(&mut w, &bystander), initial(&mut w, &bystander)), untouched);
        last = limit;
    }
    assert!((number(last.0.to_bits()) - at_target).abs() < 1e-9);
}

/// In the middle of a ramp, with interest on both sides: a vault carries the same whether its collateral's reserve was
/// just accrued or left alone.
#[test]
fn a_projection_is_an_accrual() {
    let moving = || {
        let (mut w, _, borrower) = lent();
        w.configure(SOL, wild).unwrap();
        w.refresh(SOL).unwrap();
        let dealer = w.supplier(USDC, 100_000_000_000);
        w.fund(&dealer.key(), SOL, 0);
        w.borrow(&dealer, SOL, 70_000_000_000).unwrap();
        shake(&mut w);
        w.pass(40 * 60 + 7);
        w.refresh_prices();
        (w, borrower)
    };
    let (mut w, borrower) = moving();
    let projected = (maintenance(&mut w, &borrower), initial(&mut w, &borrower));
    // (0.98 - 0.2 * 2,467 / 3,600) * 17,000 dollars, and the interest of two thirds of an hour.
    assert!((number(projected.0.limit.0.to_bits()) - 14_330.05).abs() < 2.0, "{projected:?}");
    // What that carries of USDC, at 1.0005 dollars: two lamports of dollars for the roundings.
    let carried = (number(projected.1.limit.0.to_bits()) / 1.0005 * 1e6) as u64;
    refused(w.borrow(&borrower, USDC, carried + 2), KeelError::Unhealthy);
    accrue(&mut w, SOL);
    assert_eq!((maintenance(&mut w, &borrower), initial(&mut w, &borrower)), projected);
    refused(w.borrow(&borrower, USDC, carried + 2), KeelError::Unhealthy);
    w.borrow(&borrower, USDC, carried - 2).unwrap();
    let (mut w, borrower) = moving();
    w.borrow(&borrower, USDC, carried - 2).unwrap();
}

/// All oracles are gone. Owners still add collateral and repay, and their deposits still count as concentration.
#[test]
fn deposits_and_repayments_never_need_a_price() {
    let (mut w, lender, borrower) = sampled();
    w.configure(SOL, |c| (c.volatility.concentration_bps, c.limits.depth) = (1_000, 1_000_000_000_000)).unwrap();
    w.configure(USDC, wild).unwrap();
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    for asset in [SOL, USDC] {
        let key = w.assets[asset].prices[0];
        w.chain.set_data(&key, &Pubkey::new_unique(), vec![]);
    }
    w.pass(1_000 * HOUR);
    w.fund(&borrower.key(), SOL, 100_000_000_000);
    w.deposit(&borrower, SOL, All).unwrap();
    assert!((stored(&mut w, SOL).0 - 0.04).abs() < 1e-15);
    w.repay(&borrower, USDC, Exact(1)).unwrap();
    w.repay(&borrower, USDC, All).unwrap();
    w.withdraw(&borrower, SOL, All).unwrap();
    w.withdraw(&lender, USDC, All).unwrap();
}

/// Governance counts fewer deviations, and then none: the target follows at once, without waiting for another sample.
#[test]
fn terms_of_volatility_hold_at_once() {
    let (mut w, _, _) = sampled();
    shake(&mut w);
    let (target, _) = stored(&mut w, SOL);
    w.configure(SOL, |c| c.volatility.multiple_bps = 50_000).unwrap();
    assert!((stored(&mut w, SOL).0 - 0.02 - (target - 0.02) / 2.0).abs() < 1e-9);
    w.configure(SOL, |c| (c.volatility.multiple_bps, c.volatility.horizon) = (100_000, 150)).unwrap();
    assert!((stored(&mut w, SOL).0 - 0.02 - (target - 0.02) / 2.0).abs() < 1e-9);
    w.configure(SOL, |c| c.volatility.multiple_bps = 0).unwrap();
    assert_eq!(stored(&mut w, SOL).0, 0.02);
}

/// Governance asks for a higher haircut, and for a higher speed. Neither is felt by a vault faster than the ramp that was
/// in force, and new risk feels the first at once.
#[test]
fn a_higher_base_haircut_is_a_ramp_too() {
    let (mut w, _, borrower) = sampled();
    w.configure(SOL, |c| c.volatility.up_bps_per_hour = 100).unwrap();
    let before = maintenance(&mut w, &borrower);
    w.configure(SOL, |c| c.collateral.base_haircut_bps = 1_200).unwrap();
    assert_eq!(maintenance(&mut w, &borrower), before);
    refused(w.borrow(&borrower, USDC, most(0.12) + 2), KeelError::Unhealthy);
    w.pass(3 * HOUR);
    w.configure(SOL, |c| c.volatility.up_bps_per_hour = 2_000).unwrap();
    let (at_rest, new_risk) = haircuts(&mut w, SOL);
    assert!((number(at_rest.to_bits()) - 0.05).abs() < 1e-12);
    assert!((number(new_risk.to_bits()) - 0.12).abs() < 1e-12);
    w.pass(900);
    assert!((number(haircuts(&mut w, SOL).0.to_bits()) - 0.1).abs() < 1e-12);
    w.refresh_prices();
    w.borrow(&borrower, USDC, most(0.12) - 2).unwrap();
}

/// A threshold falls from 85 to 60 % within a day. A vault that is healthy down to 5/7 can be liquidated after 0.542857...
/// of it, and not a second earlier.
#[test]
fn a_threshold_falls_along_a_line() {
    let (mut w, _, borrower) = lent();
    w.configure(USDC, |c| c.rates = RateConfig { optimal_utilization_bps: 8_000, ..RateConfig::default() }).unwrap();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    let keeper = keeper(&mut w, USDC, SOL, 14_000_000_000);
    w.configure(SOL, |c| (c.collateral.max_ltv_bps, c.collateral.liquidation_threshold_bps) = (5_000, 6_000)).unwrap();
    let mut passed = 0;
    for second in [0, 21_600, 43_200, 46_902] {
        w.pass(second - passed);
        passed = second;
        w.refresh_prices();
        let limit = number(maintenance(&mut w, &borrower).limit.0.to_bits());
        assert!((limit - 19_600.0 * (0.85 - 0.25 * second as f64 / 86_400.0)).abs() < 1e-9, "{second}: {limit}");
        refused(w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
    }
    w.pass(1);
    w.refresh_prices();
    w.liquidate(&keeper, &borrower.vault, USDC, SOL, u64::MAX, 0).unwrap();
    // There it stays, until governance raises it, which holds at once.
    w.pass(10 * 86_400);
    let held = held(&mut w, &borrower, SOL) as f64 / 1e9;
    for (raised, part) in [(false, 0.6), (true, 0.85)] {
        if raised {
            w.configure(SOL, |c| c.collateral.liquidation_threshold_bps = 8_500).unwrap();
        }
        w.refresh_prices();
        let limit = number(maintenance(&mut w, &borrower).limit.0.to_bits());
        assert!((limit - 196.0 * held * part).abs() < 1e-6, "{limit}");
    }
}

#[test]
fn a_threshold_takes_a_day_at_least() {
    let (mut w, _, _) = lent();
    let mut config = w.reserve(SOL).config;
    config.collateral.liquidation_threshold_bps -= 1;
    let governance = w.governance.insecure_clone();
    let short = w.change_reserve_ixs(SOL, config, 86_399, &[]);
    w.refuse_all(&short, &[&governance], KeelError::ConfigRamp);
    w.change_reserve(SOL, config, 86_400, &[]).unwrap();
}

#[test]
fn a_lower_max_ltv_holds_at_once() {
    let (mut w, _, borrower) = lent();
    let before = maintenance(&mut w, &borrower);
    w.configure(SOL, |c| c.collateral.max_ltv_bps = 5_000).unwrap();
    assert_eq!(maintenance(&mut w, &borrower), before);
    // 100 * 199.9 * 0.98 * 0.5 / 1.0005
    refused(w.borrow(&borrower, USDC, 9_790_204_898), KeelError::Unhealthy);
    w.borrow(&borrower, USDC, 9_790_204_897).unwrap();
}

/// The feed of an asset is exchanged for one that says something else. That is no return, and what was known of the
/// asset's volatility stays; from then on the new feed's prices are compared with each other.
#[test]
fn another_feed_is_no_return() {
    let (mut w, _, _) = sampled();
    shake(&mut w);
    w.pass(60);
    let before = w.reserve(SOL).volatility;
    w.assets[SOL].feed_ids[0] = [7; 32];
    w.set_price(SOL, 20_00);
    let mut config = w.reserve(SOL).config;
    config.oracle.feeds[0].feed_id = [7; 32];
    let prices = w.assets[SOL].prices.clone();
    w.change_reserve(SOL, config, 86_400, &prices).unwrap();
    let after = w.reserve(SOL).volatility;
    assert_eq!((after.variance, after.deviation), (before.variance, before.deviation));
    assert_eq!((w.reserve(SOL).last_prices[0].price, after.sampled_at), (20_0000_0000, before.sampled_at + 60));
    w.pass(60);
    w.set_price(SOL, 21_00);
    w.refresh(SOL).unwrap();
    let r = 2.0 / 41.0;
    let decay = 0.5f64.powf(1.0 / 60.0);
    let expected = number(before.variance.get()) * decay + r * r / 60.0 * (1.0 - decay);
    assert!((number(w.reserve(SOL).volatility.variance.get()) / expected - 1.0).abs() < 1e-8);
}

/// Two feeds: the first is sampled, whatever the second says, and however much later.
#[test]
fn the_first_of_two_feeds_is_sampled() {
    let mut sol = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    wild(&mut sol.config);
    let mut w = World::with(LiteChain::new(), &[sol]);
    let start = w.reserve(SOL).volatility.sampled_at;
    w.pass(120);
    for (cents, sampled) in [(200_00, 60), (201_00, 120)] {
        let mut first = w.observation(cents);
        first.publish_time = start + sampled;
        w.post(SOL, 0, &first);
        let mut second = w.observation(300_00);
        second.publish_time = start + sampled + 60;
        w.post(SOL, 1, &second);
        w.refresh(SOL).unwrap();
        let reserve = w.reserve(SOL);
        assert_eq!(reserve.last_prices.map(|last| last.publish_time), [start + sampled, start + sampled + 60]);
        assert_eq!(
            (reserve.volatility.sampled_at, reserve.volatility.variance.get() > 0),
            (start + sampled, sampled > 60)
        );
        w.pass(60);
    }
}
