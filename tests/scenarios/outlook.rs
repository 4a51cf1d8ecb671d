//! The notice that owners get: at constant prices no vault's health falls below what was stated for the time.

use crate::support::*;
use crate::views::{fetch, maintenance, moment};
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::state::{GroupConfig, Limits, RateConfig, ReserveConfig};
use keel_client::{ClientError, health, instruction};
use keel_risk::health::Totals;
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const HOUR: i64 = 3_600;
/// A dollar with another curve, and the market's own token.
const DAI: usize = 2;
const KUSD: usize = 3;
/// A second collateral.
const GOLD: usize = 4;

/// The lowest health of a user's vault within `horizon` seconds from now.
fn outlook<C: Chain>(w: &mut World<C>, user: &User, horizon: i64) -> Result<Totals, ClientError> {
    let (prices, market, vault) = (fetch(w), w.market_state(), w.vault(&user.vault));
    let moment = moment(w);
    health::outlook(&w.book, &market, &vault, &prices, &moment, u32::try_from(horizon).unwrap())
}

fn factor(totals: &Totals) -> f64 {
    number(totals.limit.0.to_bits()) / number(totals.debt.0.to_bits())
}

#[track_caller]
fn assert_not_below(w: &mut World<impl Chain>, user: &User, stated: &Totals) {
    let now = maintenance(w, user);
    assert!(!stated.is_healthier_than(&now), "{} is below {}", factor(&now), factor(stated));
}

/// A collateral whose haircut follows volatility and deposits, at random speeds.
fn moving(mut spec: AssetSpec, rng: &mut ChaCha8Rng) -> AssetSpec {
    let config = &mut spec.config;
    config.volatility.multiple_bps = 50_000;
    config.volatility.up_bps_per_hour = rng.random_range(1..=2_500);
    config.volatility.down_bps_per_hour = rng.random_range(1..=2_500);
    config.volatility.concentration_bps = rng.random_range(0..=3_000);
    config.limits.depth = 100_000 * 10u64.pow(u32::from(spec.decimals));
    config.collateral.max_haircut_bps = rng.random_range(500..=6_000);
    spec
}

/// A lender of everything, a victim who owes three assets against two, and a whale who is free to do anything.
struct Stage {
    w: World<LiteChain>,
    victim: User,
    whale: User,
}

impl Stage {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let mut usdc = AssetSpec::usdc();
        usdc.config.rates = RateConfig {
            base_bps: rng.random_range(0..2_000),
            slope_bps: rng.random_range(0..10_000),
            excess_slope_bps: rng.random_range(0..80_000),
            ..usdc.config.rates
        };
        let mut dai = AssetSpec::new(8, 1_00);
        dai.config.rates = RateConfig {
            model: RateConfig::ADAPTIVE,
            optimal_utilization_bps: 9_000,
            reserve_factor_bps: 1_000,
            steepness_bps: 40_000,
            speed_bps: rng.random_range(1..1_000_000),
            min_at_target_bps: 10,
            max_at_target_bps: rng.random_range(1_000..20_000),
            initial_at_target_bps: 400,
            ..RateConfig::default()
        };
        let gold = moving(AssetSpec::new(6, 2_000_00), rng);
        let mut w = World::with(LiteChain::new(), &[moving(AssetSpec::sol(), rng), usdc, dai]);
        let limits =
            Limits { borrow_cap: u64::MAX, hourly_outflow: u64::MAX, daily_outflow: u64::MAX, ..Limits::default() };
        let rates = RateConfig { base_bps: 500, optimal_utilization_bps: 8_000, ..RateConfig::default() };
        w.list_minted(ReserveConfig { limits, rates, ..ReserveConfig::default() }, USDC);
        w.list(&gold);

        w.supplier(USDC, w.assets[USDC].whole(10_000_000));
        w.supplier(DAI, w.assets[DAI].whole(1_000_000));
        let whale = w.supplier(SOL, w.assets[SOL].whole(150_000));
        let victim = w.supplier(SOL, w.assets[SOL].whole(100));
        for user in [&whale, &victim] {
            (0..w.assets.len()).for_each(|asset| w.fund(&user.key(), asset, 0));
        }
        w.fund(&victim.key(), GOLD, w.assets[GOLD].whole(10));
        w.deposit(&victim, GOLD, All).unwrap();
        for asset in [SOL, GOLD] {
            w.fund(&whale.key(), asset, w.assets[asset].whole(100_000));
        }
        for asset in [USDC, DAI, KUSD] {
            let dollars = rng.random_range(100..3_500);
            w.borrow(&victim, asset, w.assets[asset].whole(dollars)).unwrap();
        }
        let mut stage = Self { w, victim, whale };
        stage.unrest(rng);
        stage
    }

    /// Prices move and come back, and a threshold begins to fall.
    fn unrest(&mut self, rng: &mut ChaCha8Rng) {
        let cents: Vec<i64> = self.w.assets.iter().map(|a| a.cents).collect();
        for _ in 0..rng.random_range(0..4) {
            self.w.pass(rng.random_range(60..400));
            for asset in [SOL, GOLD] {
                self.w.set_price(asset, cents[asset] * rng.random_range(95..=105) / 100);
                self.w.refresh(asset).unwrap();
            }
        }
        (0..cents.len()).for_each(|asset| self.w.set_price(asset, cents[asset]));
        if rng.random() {
            let to = rng.random_range(7_600..8_500);
            self.w.configure(SOL, |c| c.collateral.liquidation_threshold_bps = to).unwrap();
        }
        self.pass(rng.random_range(0..30 * HOUR));
    }

    /// Time passes, and all prices are what they were.
    fn pass(&mut self, seconds: i64) {
        self.w.pass(seconds);
        self.w.refresh_prices();
    }

    /// Something that anyone may do; whether it was possible.
    fn attack(&mut self, rng: &mut ChaCha8Rng) -> bool {
        let Self { w, victim, whale } = self;
        let collateral = [SOL, GOLD][rng.random_range(0..2)];
        let debt = [USDC, DAI, KUSD][rng.random_range(0..3)];
        let part = |whole: u64, rng: &mut ChaCha8Rng| if rng.random() { whole } else { rng.random_range(0..=whole) };
        let done = match rng.random_range(0..9) {
            0 => w.refresh(collateral),
            1 if debt != KUSD => w.refresh(debt),
            1 | 2 => {
                let asset = if rng.random() { debt } else { collateral };
                let (accrue, governance) =
                    (instruction::accrue_reserve(&w.book, w.assets[asset].reserve), w.governance.insecure_clone());
                w.send(accrue, &governance)
            }
            3 | 4 => {
                let amount = if debt == KUSD { 1_000_000_000 } else { w.reserve(debt).available };
                w.borrow(whale, debt, part(amount, rng))
            }
            5 => {
                let amount = part(w.balance(&whale.key(), debt), rng);
                w.repay(whale, debt, Exact(amount))
            }
            6 => {
                let amount = part(w.balance(&whale.key(), collateral), rng);
                w.deposit(whale, collateral, Exact(amount))
            }
            7 => w.withdraw(whale, collateral, Exact(rng.random_range(1..w.assets[collateral].whole(50_000)))),
            _ => {
                // A gift: an eighth of what the victim owes, at most.
                let reserve = w.assets[debt].reserve;
                let amount = part(held(w, victim, debt) / 8, rng);
                let actor = instruction::Actor::new(&w.book, whale.key(), victim.vault, reserve).unwrap();
                let vault = w.vault(&victim.vault);
                let repay = instruction::repay(&w.book, &vault, &actor, Exact(amount)).unwrap();
                w.send(repay, &whale.keypair)
            }
        };
        done.is_ok()
    }
}

/// What the vault of `user` owes of `asset`, in native units.
fn held(w: &mut World<LiteChain>, user: &User, asset: usize) -> u64 {
    let (vault, pool) = (w.vault(&user.vault), w.reserve(asset).pool());
    pool.debt_index.amount_owed(vault.debt_or_zero(&w.assets[asset].reserve)).unwrap().0
}

/// Others do whatever is bad for a vault: they borrow everything, deposit into its collateral, accrue and refresh whenever
/// they like, give. Its health never gets below what was stated at the start, and sometimes it gets near.
#[test]
fn no_health_falls_below_what_was_stated() {
    let (mut done, mut nearest) = (0, f64::MAX);
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut stage = Stage::random(&mut rng);
        let most = [HOUR, 24 * HOUR, 240 * HOUR][rng.random_range(0..3)];
        let horizon = rng.random_range(1..=most);
        let stated = outlook(&mut stage.w, &stage.victim, horizon).unwrap();
        let start = maintenance(&mut stage.w, &stage.victim);
        let mut left = horizon;
        for _ in 0..25 {
            done += u32::from(stage.attack(&mut rng));
            assert_not_below(&mut stage.w, &stage.victim, &stated);
            let seconds = rng.random_range(0..=left / 8).min(left);
            stage.pass(seconds);
            left -= seconds;
            assert_not_below(&mut stage.w, &stage.victim, &stated);
        }
        stage.pass(left);
        assert_not_below(&mut stage.w, &stage.victim, &stated);
        let now = maintenance(&mut stage.w, &stage.victim);
        nearest = nearest.min((factor(&now) - factor(&stated)) / (factor(&start) - factor(&stated)));
    }
    assert!(done > 500, "{done} of 1,000 attacks were possible");
    assert!(nearest < 0.2, "{nearest} of the way was left");
}

/// Without time nothing can happen, and with more of it more.
#[test]
fn a_horizon_of_zero_is_the_present() {
    for seed in 0..8 {
        let mut stage = Stage::random(&mut ChaCha8Rng::seed_from_u64(seed));
        let Stage { w, victim, .. } = &mut stage;
        let mut last = maintenance(w, victim);
        assert_eq!(outlook(w, victim, 0).unwrap(), last);
        for hours in [1, 10, 100, 1_000] {
            let lowest = outlook(w, victim, hours * HOUR).unwrap();
            assert!(last.is_healthier_than(&lowest));
            last = lowest;
        }
    }
}

/// The worst is possible: a target at its maximum from the start, and everything lent with an accrual every ten minutes.
/// What is then left of the vault is what was stated, to nine digits.
#[test]
fn the_worst_that_is_stated_can_happen() {
    let mut sol = AssetSpec::sol();
    sol.config.volatility.up_bps_per_hour = 300;
    (sol.config.volatility.concentration_bps, sol.config.limits.depth) = (10_000, 1_000_000_000_000);
    let mut w = World::with(LiteChain::new(), &[sol, AssetSpec::usdc()]);
    w.supplier(USDC, 100_000_000_000);
    let (victim, whale) = (w.supplier(SOL, 10_000_000_000), w.supplier(SOL, 20_000_000_000_000));
    for user in [&victim, &whale] {
        w.fund(&user.key(), USDC, 0);
    }
    w.configure(SOL, |c| c.collateral.max_haircut_bps = 200).unwrap();
    w.borrow(&victim, USDC, 1_000_000_000).unwrap();
    w.configure(SOL, |c| c.collateral.max_haircut_bps = 4_000).unwrap();
    let (start, stated) = (maintenance(&mut w, &victim), outlook(&mut w, &victim, 12 * HOUR).unwrap());
    let rest = w.reserve(USDC).available;
    w.borrow(&whale, USDC, rest).unwrap();
    for _ in 0..72 {
        w.pass(600);
        w.refresh_prices();
        w.refresh(USDC).unwrap();
        assert_not_below(&mut w, &victim, &stated);
    }
    let now = maintenance(&mut w, &victim);
    // 36 % more haircut, and 210 % a year for half a day.
    let expected = 0.62 * 1_700.0 / (1_000.0 * (2.1 * 12.0 / 8_760.0f64).exp());
    assert!((factor(&start) - 1.666).abs() < 1e-9 && (factor(&stated) - expected).abs() < 1e-8, "{stated:?}");
    assert!((factor(&now) / factor(&stated) - 1.0).abs() < 1e-8, "{} {}", factor(&now), factor(&stated));
}

/// SOL and its staked form in a group, and dollars beside.
fn grouped() -> (Bank, User, usize) {
    let (mut w, _, borrower) = lent();
    let staked = w.list(&AssetSpec::new(9, 220_00));
    w.supplier(staked, 1_000_000_000_000);
    w.fund(&borrower.key(), staked, 0);
    for asset in [SOL, staked] {
        w.configure(asset, |c| {
            c.group = GroupConfig {
                id: 7,
                max_ltv_bps: 8_800,
                liquidation_threshold_bps: 9_300,
                min_bonus_bps: 50,
                max_bonus_bps: 100,
                max_bonus_health_bps: 9_900,
            };
            c.volatility.concentration_bps = 10_000;
            c.limits.depth = 1_000_000_000_000;
        })
        .unwrap();
    }
    set_group(&mut w, &borrower, 7);
    (w, borrower, staked)
}

fn set_group(w: &mut Bank, user: &User, group: u32) {
    let vault = w.vault(&user.vault);
    let set = instruction::set_efficiency_group(&w.book, user.key(), user.vault, &vault, group).unwrap();
    w.send(set, &user.keypair).unwrap();
}

/// In a group no haircut counts, whatever deposits do to it; the group's threshold does, on its way down.
#[test]
fn a_groups_threshold_is_seen_coming() {
    let (mut w, borrower, staked) = grouped();
    w.borrow(&borrower, staked, 50_000_000_000).unwrap();
    w.configure(SOL, |c| (c.group.max_ltv_bps, c.group.liquidation_threshold_bps) = (7_500, 8_500)).unwrap();
    w.pass(6 * HOUR);
    w.refresh_prices();
    let stated = outlook(&mut w, &borrower, 12 * HOUR).unwrap();
    // 18 of 24 hours: 0.93 - 0.08 * 0.75.
    assert!((number(stated.limit.0.to_bits()) - 20_000.0 * 0.87).abs() < 1e-3, "{stated:?}");
    w.supplier(SOL, 10_000_000_000_000);
    for _ in 0..12 {
        w.pass(HOUR);
        w.refresh_prices();
        w.refresh(staked).unwrap();
        assert_not_below(&mut w, &borrower, &stated);
    }
    assert_eq!(maintenance(&mut w, &borrower).limit, stated.limit);
}

/// A vault of the group owes dollars, too, so that ordinary weights count. Somebody repays the dollars, and the group's come
/// into force: never lower ones, so that nobody can do harm by that.
#[test]
fn a_strangers_repayment_may_bring_a_group_into_force() {
    let (mut w, borrower, staked) = grouped();
    w.configure(SOL, |c| (c.group.max_ltv_bps, c.group.liquidation_threshold_bps) = (7_500, 8_500)).unwrap();
    w.pass(24 * HOUR);
    w.refresh_prices();
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    w.borrow(&borrower, staked, 50_000_000_000).unwrap();
    let (start, stated) = (maintenance(&mut w, &borrower), outlook(&mut w, &borrower, HOUR).unwrap());
    let stranger = w.user();
    w.fund(&stranger.key(), USDC, 1_000_000_000);
    let reserve = w.assets[USDC].reserve;
    let actor = instruction::Actor::new(&w.book, stranger.key(), borrower.vault, reserve).unwrap();
    let vault = w.vault(&borrower.vault);
    let repay = instruction::repay(&w.book, &vault, &actor, All).unwrap();
    w.send(repay, &stranger.keypair).unwrap();
    let now = maintenance(&mut w, &borrower);
    assert!(now.limit > start.limit && now.is_healthier_than(&start));
    assert_not_below(&mut w, &borrower, &stated);
}

/// Where a liquidation would be refused for a price, so is the statement.
#[test]
fn no_statement_without_the_prices_of_a_liquidation() {
    let (mut w, lender, borrower) = lent();
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    w.pass(121);
    for asset in [SOL, USDC] {
        w.refresh_prices();
        let key = w.assets[asset].prices[0];
        w.chain.set_data(&key, &Pubkey::new_unique(), vec![]);
        let result = outlook(&mut w, &borrower, HOUR);
        assert!(matches!(result, Err(ClientError::Refused(KeelError::PriceWrongOwner))), "{result:?}");
    }
    // A dead feed counts at its last price, there as here.
    w.refresh_prices();
    let key = w.assets[SOL].prices[0];
    w.chain.set_data(&key, &Pubkey::new_unique(), vec![]);
    w.challenge(SOL, 0).unwrap();
    w.pass(600);
    w.set_price(USDC, 1_00);
    assert_eq!(outlook(&mut w, &borrower, 0).unwrap(), maintenance(&mut w, &borrower));
    // Without debt there is nothing to fear.
    w.refresh_prices();
    assert_eq!(outlook(&mut w, &lender, 1_000_000 * HOUR).unwrap().health_factor(), None);
    // Three years at 1,000 % are not stated.
    w.configure(USDC, |c| c.rates.base_bps = 70_000).unwrap();
    let result = outlook(&mut w, &borrower, 40_000 * HOUR);
    assert!(matches!(result, Err(ClientError::Refused(KeelError::Overflow))), "{result:?}");
}
