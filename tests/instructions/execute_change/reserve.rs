//! `execute_change` of a reserve's configuration.

use super::PRICES;
use crate::minted::{KUSD, minting};
use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::events::{Liquidated, ReserveConfigured};
use keel::state::{CollateralConfig, GroupConfig, LastPrice, RampState, RateConfig, ReserveConfig};
use keel_client::price_update;
use keel_risk::Fraction;
use keel_tests::check::{event_among, keys, only_event, refused_with};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, ProgramTestChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;

const DAY: u32 = 86_400;

/// Queues and executes a change of `asset` with the price accounts in `prices`.
fn build(
    w: &mut Bank,
    asset: usize,
    ramp: u32,
    prices: &[Pubkey],
    change: impl FnOnce(&mut ReserveConfig),
) -> [Instruction; 2] {
    let mut config = w.reserve(asset).config;
    change(&mut config);
    w.change_reserve_ixs(asset, config, ramp, prices)
}

fn update(w: &mut Bank, asset: usize, ramp: u32, change: impl FnOnce(&mut ReserveConfig)) {
    let (update, governance) = (build(w, asset, ramp, &[], change), w.governance.insecure_clone());
    w.send_all(&update, &[&governance]).unwrap();
    let state = w.reserve(asset);
    w.book.update(state);
}

/// An account with a price of a feed that no asset has yet.
fn new_feed(w: &mut Bank, cents: i64) -> Pubkey {
    let (key, seen) = (Pubkey::new_unique(), w.observation(cents));
    let data = price_update::encode(&price_update::update(NEW_FEED, &seen));
    w.chain.set_data(&key, &price_update::PYTH_RECEIVER, data);
    key
}

const NEW_FEED: [u8; 32] = [9; 32];

fn now(w: &mut Bank) -> i64 {
    w.chain.clock().unix_timestamp
}

fn bps(n: u32) -> Fraction {
    Fraction::from_bps_ceil(n)
}

/// A vault with 100 SOL at 180 dollars that owes 14,000 USDC, which earn no interest, and a keeper. Its limit is
/// 18,000 * (1 - haircut) * threshold.
fn indebted() -> (Bank, User, Keypair) {
    let mut usdc = AssetSpec::usdc();
    usdc.config.rates = RateConfig { optimal_utilization_bps: 8_000, ..RateConfig::default() };
    let mut w = World::with(ProgramTestChain::new(), &[AssetSpec::sol(), usdc]);
    w.supplier(USDC, w.assets[USDC].whole(100_000));
    let user = w.supplier(SOL, w.assets[SOL].whole(100));
    w.fund(&user.key(), USDC, 0);
    w.borrow(&user, USDC, 14_000_000_000).unwrap();
    w.set_price(SOL, 180_00);
    let keeper = keeper(&mut w, USDC, SOL, 14_000_000_000);
    (w, user, keeper)
}

/// Asserts that the vault cannot be liquidated `seconds` from now, and can be one later.
#[track_caller]
fn assert_liquidatable_after(w: &mut Bank, user: &User, keeper: &Keypair, seconds: i64) -> Liquidated {
    w.pass(seconds);
    w.refresh_prices();
    let early = w.liquidate(keeper, &user.vault, USDC, SOL, u64::MAX, 0);
    refused_with(early, KeelError::Healthy);
    w.pass(1);
    only_event(&w.liquidate(keeper, &user.vault, USDC, SOL, u64::MAX, 0).unwrap())
}

#[test]
fn effects_sets_the_configuration_and_nothing_else() {
    let (mut w, lender, borrower) = lent();
    let governance = w.governance.insecure_clone();
    let mut expected = w.reserve(SOL);
    let before = w.snapshot(&[&lender, &borrower]);
    let change = |c: &mut ReserveConfig| {
        (c.limits.deposit_cap, c.limits.borrow_cap, c.limits.depth) = (1, 2, 3);
        (c.limits.hourly_outflow, c.limits.daily_outflow, c.limits.isolated_debt_ceiling) = (4, 5, 6);
        (c.oracle.max_age_new_risk, c.oracle.max_age_liquidation, c.oracle.dead_after) = (7, 8, 99);
        (c.collateral.max_ltv_bps, c.collateral.min_bonus_bps, c.collateral.max_bonus_bps) = (10, 11, 12);
        (c.volatility.up_bps_per_hour, c.volatility.down_bps_per_hour) = (13, 14);
        (c.rates.base_bps, c.rates.slope_bps, c.rates.reserve_factor_bps) = (0, 15, 16);
        (c.flash_fee_bps, c.insurance_floor_bps, c.isolated_debt) = (17, 18, 1);
    };
    change(&mut expected.config);
    // No threshold on its way, no other haircut, no other books. All sections but those of the group and of minted tokens.
    for section in [0, 1, 2, 3, 5, 7] {
        expected.revisions[section] += 1;
    }
    let mut market = w.market_state();
    let update = build(&mut w, SOL, 0, &[], change);
    let receipt = w.send_all(&update, &[&governance]).unwrap();
    assert_eq!(before.changed(&mut w), keys([w.market, w.assets[SOL].reserve]));
    assert_eq!(bytemuck::bytes_of(&w.reserve(SOL)), bytemuck::bytes_of(&expected));
    market.next_change += 1;
    assert_eq!(bytemuck::bytes_of(&w.market_state()), bytemuck::bytes_of(&market));
    assert_eq!(event_among::<ReserveConfigured>(&receipt, 3).reserve, w.assets[SOL].reserve);
}

#[test]
fn effects_accrues_at_the_old_rate_first() {
    let (mut w, _, borrower) = lent();
    w.borrow(&borrower, USDC, 14_000_000_000).unwrap();
    w.pass(30 * 86_400);
    let mut expected = w.reserve(USDC).pool();
    expected.accrue(now(&mut w)).unwrap();
    update(&mut w, USDC, 0, |c| (c.rates.base_bps, c.rates.reserve_factor_bps) = (50_000, 5_000));
    let reserve = w.reserve(USDC);
    expected.reprice(&reserve.config.rate_terms()).unwrap();
    assert_eq!(reserve.pool(), expected);
    // 1.75 % for a month and no more, then 500 % and as much.
    let number = |f: Fraction| f.to_bits() as f64 / (1u64 << 60) as f64;
    assert!((number(reserve.debt_index.into()) - (0.0175f64 * 30.0 / 365.0).exp()).abs() < 1e-6);
    assert!((number(reserve.rate.borrow.into()) - 5.0175).abs() < 1e-4);
}

/// From 85 % to 78 % in 100,000 seconds: the vault, which needs 14,000 / 17,640, falls under it in the 80,499th.
#[test]
fn effects_a_lower_threshold_falls_along_a_line() {
    let (mut w, user, keeper) = indebted();
    let start = now(&mut w);
    update(&mut w, SOL, 100_000, |c| c.collateral.liquidation_threshold_bps = 7_800);
    let reserve = w.reserve(SOL);
    assert_eq!(reserve.config.collateral.liquidation_threshold_bps, 7_800);
    assert_eq!(reserve.threshold_ramp, RampState { started_at: start, from_bps: 8_500, duration: 100_000 });
    for (seconds, expected) in [(-1, 8_500), (0, 8_500), (10_000, 8_430), (50_000, 8_150), (100_000, 7_800)] {
        assert_eq!(reserve.liquidation_threshold(start + seconds, false), Ok(bps(expected)), "{seconds}");
    }
    assert_eq!(reserve.liquidation_threshold(start + 1_000_000, false), Ok(bps(7_800)));
    // New risk is not concerned: what may be borrowed depends on the loan to value alone.
    assert_liquidatable_after(&mut w, &user, &keeper, 80_498);
}

/// A second change takes over where the first is, and takes its own time from there.
#[test]
fn effects_a_threshold_on_its_way_is_never_raised_nor_hurried() {
    let (mut w, _, _) = indebted();
    update(&mut w, SOL, 100_000, |c| c.collateral.liquidation_threshold_bps = 7_800);
    w.pass(50_000);
    let middle = now(&mut w);
    update(&mut w, SOL, 2 * DAY, |c| c.collateral.liquidation_threshold_bps = 7_600);
    let reserve = w.reserve(SOL);
    assert_eq!(reserve.threshold_ramp, RampState { started_at: middle, from_bps: 8_150, duration: 2 * DAY });
    let day = reserve.liquidation_threshold(middle + i64::from(DAY), false).unwrap();
    assert_eq!(day, bps(7_875));
    // A change that leaves the threshold alone leaves it on its way, whatever ramp it names.
    w.pass(i64::from(DAY));
    for (cap, ramp) in [(1, 0), (2, DAY - 1), (3, DAY), (4, 10 * DAY)] {
        let at = now(&mut w);
        assert_eq!(w.reserve(SOL).liquidation_threshold(at, false), Ok(day));
        update(&mut w, SOL, ramp, |c| c.limits.deposit_cap = cap);
        assert_eq!(w.reserve(SOL).threshold_ramp, reserve.threshold_ramp);
        assert_eq!(w.reserve(SOL).liquidation_threshold(at, false), Ok(day));
    }
    assert_eq!(w.reserve(SOL).liquidation_threshold(middle + 2 * i64::from(DAY), false), Ok(bps(7_600)));
}

#[test]
fn effects_a_higher_threshold_holds_at_once() {
    let (mut w, user, keeper) = indebted();
    update(&mut w, SOL, 0, |c| c.collateral.liquidation_threshold_bps = 8_600);
    let at = now(&mut w);
    assert_eq!(w.reserve(SOL).liquidation_threshold(at, false), Ok(bps(8_600)));
    // It ends a fall, whatever the ramp.
    update(&mut w, SOL, DAY, |c| c.collateral.liquidation_threshold_bps = 7_800);
    w.pass(i64::from(DAY) + 1);
    w.refresh_prices();
    update(&mut w, SOL, 0, |c| c.collateral.liquidation_threshold_bps = 8_000);
    assert_eq!(w.reserve(SOL).threshold_ramp.duration, 0);
    refused_with(w.liquidate(&keeper, &user.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
}

#[test]
fn effects_a_lower_loan_to_value_holds_at_once_for_new_risk_only() {
    let (mut w, user, keeper) = indebted();
    w.set_price(SOL, 200_00);
    update(&mut w, SOL, 0, |c| c.collateral.max_ltv_bps = 100);
    refused_with(w.borrow(&user, USDC, 1), KeelError::Unhealthy);
    refused_with(w.withdraw(&user, SOL, keel::AmountSpec::Exact(1)), KeelError::Unhealthy);
    refused_with(w.liquidate(&keeper, &user.vault, USDC, SOL, u64::MAX, 0), KeelError::Healthy);
    update(&mut w, SOL, 0, |c| c.collateral.max_ltv_bps = 7_500);
    w.borrow(&user, USDC, 1).unwrap();
}

/// From 2 % to 10 % at 1 % an hour: the vault falls under 1 at 1 - 14,000 / 15,300, that is after 23,388.2 seconds. New
/// risk feels the whole at once.
#[test]
fn effects_a_higher_base_haircut_reaches_vaults_as_fast_as_any() {
    let (mut w, user, keeper) = indebted();
    let start = now(&mut w);
    update(&mut w, SOL, 0, |c| c.collateral.base_haircut_bps = 1_000);
    let reserve = w.reserve(SOL);
    let terms = reserve.config.haircut_terms();
    for (hours, expected) in [(0, 200), (1, 300), (4, 600), (8, 1_000), (100, 1_000)] {
        let haircuts = reserve.haircut().at(start + hours * 3_600, &terms).unwrap();
        let off = haircuts.maintenance.to_bits().abs_diff(bps(expected).to_bits());
        assert!(off < 8, "{hours}: {haircuts:?}");
        assert_eq!(haircuts.initial, bps(1_000));
    }
    w.set_price(SOL, 200_00);
    // 100 * 199.9 * 0.9 * 0.75 / 1.0005 = 13,486.5, and 14,000 are owed.
    refused_with(w.borrow(&user, USDC, 1), KeelError::Unhealthy);
    w.set_price(SOL, 180_00);
    assert_liquidatable_after(&mut w, &user, &keeper, 23_388);
}

/// Another speed holds for the way that is left, not for the one behind.
#[test]
fn effects_another_speed_of_haircuts_does_not_reach_into_the_past() {
    let (mut w, _, _) = indebted();
    update(&mut w, SOL, 0, |c| c.collateral.base_haircut_bps = 3_000);
    w.pass(3_600);
    update(&mut w, SOL, 0, |c| c.volatility.up_bps_per_hour = 2_500);
    let (reserve, at) = (w.reserve(SOL), now(&mut w));
    let maintenance_at = |at| reserve.haircut().at(at, &reserve.config.haircut_terms()).unwrap().maintenance;
    assert!(maintenance_at(at).to_bits().abs_diff(bps(300).to_bits()) < 8);
    assert!(maintenance_at(at + 360).to_bits().abs_diff(bps(550).to_bits()) < 8);
    // And back down, at half a percent an hour.
    update(&mut w, SOL, 0, |c| c.collateral.base_haircut_bps = 200);
    let reserve = w.reserve(SOL);
    let later = reserve.haircut().at(at + 3_600, &reserve.config.haircut_terms()).unwrap();
    assert!(later.maintenance.to_bits().abs_diff(bps(250).to_bits()) < 8);
    assert_eq!(later.initial, later.maintenance);
}

/// What the samples add to the haircut follows their terms at once; without a multiple it is nothing.
#[test]
fn effects_other_terms_of_volatility_count_for_the_samples_taken() {
    let mut sol = AssetSpec::sol();
    sol.config.volatility.multiple_bps = 30_000;
    let mut w = World::with(ProgramTestChain::new(), &[sol]);
    w.pass(600);
    w.set_price(SOL, 202_00);
    w.refresh(SOL).unwrap();
    let target = |w: &mut Bank| Fraction::from(w.reserve(SOL).haircut.target).sub_or_zero(bps(200)).to_bits();
    let three = target(&mut w);
    assert!(three > bps(50).to_bits());
    update(&mut w, SOL, 0, |c| c.volatility.multiple_bps = 60_000);
    assert!(target(&mut w).abs_diff(2 * three) < 1 << 30);
    update(&mut w, SOL, 0, |c| c.volatility.horizon *= 4);
    assert!(target(&mut w).abs_diff(4 * three) < 1 << 31);
    update(&mut w, SOL, 0, |c| c.volatility.multiple_bps = 0);
    assert_eq!(target(&mut w), 0);
}

/// A reserve gets a second feed, and loses it again.
#[test]
fn effects_other_feeds_bring_their_prices() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    w.challenge(SOL, 0).unwrap();
    let (old, challenged) = (w.assets[SOL].prices[0], w.reserve(SOL).last_prices[0]);
    assert_ne!(challenged.challenged_at, 0);
    w.pass(1_000);
    w.refresh_prices();
    // The same feeds: no price is asked for, none is remembered, the challenge stays.
    update(&mut w, SOL, 0, |c| c.limits.deposit_cap = 7);
    assert_eq!(w.reserve(SOL).last_prices[0], challenged);

    let second = new_feed(&mut w, 201_00);
    let add = build(&mut w, SOL, 0, &[old, second], |c| c.oracle.feeds[1].feed_id = NEW_FEED);
    w.send_all(&add, &[&governance]).unwrap();
    let last = w.reserve(SOL).last_prices;
    let at = now(&mut w);
    assert_eq!((last[0].price, last[0].publish_time, last[0].challenged_at), (200_0000_0000, at, 0));
    assert_eq!((last[1].price, last[1].publish_time), (201_0000_0000, at));

    // The second alone: the first's number is now of no meaning.
    let only = build(&mut w, SOL, 0, &[second], |c| {
        (c.oracle.feeds[0].feed_id, c.oracle.feeds[1]) = (NEW_FEED, Default::default());
    });
    w.send_all(&only, &[&governance]).unwrap();
    let last = w.reserve(SOL).last_prices;
    assert_eq!(last[0].price, 201_0000_0000);
    assert_eq!(last[1], LastPrice::default());
}

/// When the old feed said something last is no bound for the new one; a feed that stays is still bound by its own.
#[test]
fn effects_other_feeds_are_not_compared_with_the_old_ones() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let at = now(&mut w);
    let ahead = published(&mut w, 200_00, at + 10);
    w.post(SOL, 0, &ahead);
    w.refresh(SOL).unwrap();
    let price = w.assets[SOL].prices[0];
    // The same feed, now pinned: an earlier price of it is a replayed one.
    w.set_price(SOL, 200_00);
    let pinned = build(&mut w, SOL, 0, &[price], |c| c.oracle.feeds[0].account = price);
    w.refuse_all(&pinned, &[&governance], KeelError::PriceReplayed);
    let other = new_feed(&mut w, 200_00);
    let change = build(&mut w, SOL, 0, &[other], |c| c.oracle.feeds[0].feed_id = NEW_FEED);
    w.send_all(&change, &[&governance]).unwrap();
    assert_eq!(w.reserve(SOL).last_prices[0].publish_time, at);
}

/// The way from one feed's price to another's is no movement of the market.
#[test]
fn effects_another_feed_is_not_volatile() {
    let mut sol = AssetSpec::sol();
    sol.config.volatility.multiple_bps = 30_000;
    let mut w = World::with(ProgramTestChain::new(), &[sol]);
    let governance = w.governance.insecure_clone();
    let sampled = w.reserve(SOL).volatility;
    w.pass(600);
    let other = new_feed(&mut w, 100_00);
    let change = build(&mut w, SOL, 0, &[other], |c| c.oracle.feeds[0].feed_id = NEW_FEED);
    w.send_all(&change, &[&governance]).unwrap();
    let reserve = w.reserve(SOL);
    assert_eq!((reserve.volatility.variance, reserve.volatility.deviation), Default::default());
    assert_eq!(reserve.volatility.sampled_at, sampled.sampled_at + 600);
    assert_eq!(reserve.volatility.price.get(), sampled.price.get() / 2);
}

/// The fee and ceiling of a minted token, and of an asset that is no collateral.
#[test]
fn effects_reserves_that_are_no_collateral() {
    let (mut w, _, borrower) = minting();
    w.borrow(&borrower, KUSD, 1_000_000_000).unwrap();
    w.pass(365 * 86_400);
    let mut expected = w.reserve(KUSD).pool();
    expected.accrue(now(&mut w)).unwrap();
    update(&mut w, KUSD, 0, |c| (c.rates.base_bps, c.limits.borrow_cap) = (900, 1));
    let reserve = w.reserve(KUSD);
    expected.reprice(&reserve.config.rate_terms()).unwrap();
    assert_eq!((reserve.pool(), reserve.config.limits.borrow_cap), (expected, 1));

    let mut spec = AssetSpec::usdc();
    spec.config.collateral = CollateralConfig::default();
    let plain = w.list(&spec);
    update(&mut w, plain, 0, |c| c.limits.borrow_cap = 1);
    assert_eq!(w.reserve(plain).config.limits.borrow_cap, 1);
}

const GROUP: GroupConfig = GroupConfig {
    id: 3,
    max_ltv_bps: 9_000,
    liquidation_threshold_bps: 9_300,
    min_bonus_bps: 50,
    max_bonus_bps: 200,
    max_bonus_health_bps: 9_600,
};

#[test]
fn effects_an_asset_joins_a_group_and_its_threshold_there_falls_along_a_line() {
    let mut w = bank();
    update(&mut w, SOL, 0, |c| c.group = GROUP);
    let start = now(&mut w);
    assert_eq!(w.reserve(SOL).liquidation_threshold(start, true), Ok(bps(9_300)));
    update(&mut w, SOL, DAY, |c| c.group.liquidation_threshold_bps = 9_100);
    let reserve = w.reserve(SOL);
    assert_eq!(reserve.group_threshold_ramp, RampState { started_at: start, from_bps: 9_300, duration: DAY });
    assert_eq!(reserve.threshold_ramp.duration, 0);
    assert_eq!(reserve.liquidation_threshold(start + i64::from(DAY) / 2, true), Ok(bps(9_200)));
    assert_eq!(reserve.liquidation_threshold(start, false), Ok(bps(8_500)));
}

#[test]
fn rejects_an_asset_that_leaves_its_group() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    update(&mut w, SOL, 0, |c| c.group = GROUP);
    for group in [GroupConfig::default(), GroupConfig { id: 4, ..GROUP }] {
        let leave = build(&mut w, SOL, DAY, &[], |c| c.group = group);
        w.refuse_all(&leave, &[&governance], KeelError::ConfigGroup);
    }
    // Its weights may fall, down to the ordinary ones and no further: they come into force when a stranger repays the last
    // debt outside of the group, and nobody's health may fall by that.
    let ordinary = GroupConfig { max_ltv_bps: 7_500, liquidation_threshold_bps: 8_500, ..GROUP };
    for lower in [
        GroupConfig { max_ltv_bps: 7_499, ..ordinary },
        GroupConfig { max_ltv_bps: 7_500, liquidation_threshold_bps: 8_499, ..ordinary },
        GroupConfig { id: GROUP.id, ..GroupConfig::default() },
    ] {
        let lower = build(&mut w, SOL, DAY, &[], |c| c.group = lower);
        w.refuse_all(&lower, &[&governance], KeelError::ConfigGroup);
    }
    update(&mut w, SOL, DAY, |c| c.group = ordinary);
}

/// Nor on the way there: a threshold of the group that falls faster than the ordinary one would pass below it.
#[test]
fn rejects_weights_of_a_group_that_fall_below_the_ordinary_ones_on_the_way() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    update(&mut w, SOL, 0, |c| c.group = GROUP);
    update(&mut w, SOL, 10 * DAY, |c| {
        (c.collateral.max_ltv_bps, c.collateral.liquidation_threshold_bps) = (6_000, 7_500);
    });
    let lower = GroupConfig { max_ltv_bps: 7_400, liquidation_threshold_bps: 7_500, ..GROUP };
    for ramp in [DAY, 10 * DAY - 1] {
        let lower = build(&mut w, SOL, ramp, &[], |c| c.group = lower);
        w.refuse_all(&lower, &[&governance], KeelError::ConfigGroup);
    }
    // At no time of ten days is it below: 9,300 to 7,500 beside 8,500 to 7,500.
    update(&mut w, SOL, 10 * DAY, |c| c.group = lower);
    // Nor may the ordinary one stay behind.
    w.pass(2 * i64::from(DAY));
    let slower = build(&mut w, SOL, 30 * DAY, &[], |c| c.collateral.liquidation_threshold_bps = 7_499);
    w.refuse_all(&slower, &[&governance], KeelError::ConfigGroup);
    update(&mut w, SOL, 8 * DAY, |c| c.collateral.liquidation_threshold_bps = 7_499);
}

/// Thresholds fall in a day at least; a change to them without the time is refused.
#[test]
fn rejects_ramps_shorter_than_a_day() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    update(&mut w, SOL, 0, |c| c.group = GROUP);
    for ramp in [0, 1, DAY - 1] {
        let lower = build(&mut w, SOL, ramp, &[], |c| c.collateral.liquidation_threshold_bps = 8_499);
        w.refuse_all(&lower, &[&governance], KeelError::ConfigRamp);
        let lower = build(&mut w, SOL, ramp, &[], |c| c.group.liquidation_threshold_bps = 9_299);
        w.refuse_all(&lower, &[&governance], KeelError::ConfigRamp);
    }
    update(&mut w, SOL, DAY, |c| c.collateral.liquidation_threshold_bps = 8_499);
}

/// A bonus that would do at the threshold or haircut of the new configuration, but not on the way there.
#[test]
fn rejects_a_bonus_that_lowers_health_while_a_ramp_runs() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    // 1.24 * 0.98 * 0.85 = 1.033 now, 1.24 * 0.98 * 0.76 = 0.9236 in the end, and 0.95 is the bound.
    let falling = |c: &mut ReserveConfig| {
        (c.collateral.liquidation_threshold_bps, c.collateral.max_bonus_bps) = (7_600, 2_400);
    };
    let early = build(&mut w, SOL, DAY, &[], falling);
    w.refuse_all(&early, &[&governance], KeelError::ConfigBonusLowersHealth);
    // 1.24 * 0.85 * 0.9 = 0.9486.
    let discounted =
        |c: &mut ReserveConfig| (c.collateral.base_haircut_bps, c.collateral.max_bonus_bps) = (1_000, 2_400);
    let early = build(&mut w, SOL, 0, &[], discounted);
    w.refuse_all(&early, &[&governance], KeelError::ConfigBonusLowersHealth);
    update(&mut w, SOL, DAY, |c| c.collateral.liquidation_threshold_bps = 7_600);
    w.pass(i64::from(DAY) / 2);
    let early = build(&mut w, SOL, DAY, &[], falling);
    w.refuse_all(&early, &[&governance], KeelError::ConfigBonusLowersHealth);
    w.pass(i64::from(DAY) / 2);
    update(&mut w, SOL, DAY, falling);

    // The same in a group: 1.03 * 0.93 = 0.9579, and 0.96 is the bound; 1.05 * 0.91 = 0.9555.
    update(&mut w, USDC, 0, |c| c.group = GROUP);
    let falling = |c: &mut ReserveConfig| (c.group.liquidation_threshold_bps, c.group.max_bonus_bps) = (9_100, 500);
    let early = build(&mut w, USDC, DAY, &[], falling);
    w.refuse_all(&early, &[&governance], KeelError::ConfigBonusLowersHealth);
    update(&mut w, USDC, DAY, |c| c.group.liquidation_threshold_bps = 9_100);
    w.pass(i64::from(DAY));
    update(&mut w, USDC, 0, falling);
}

#[test]
fn rejects_incoherent_parameters() {
    use KeelError::*;
    type Change = fn(&mut ReserveConfig);
    let cases: [(&str, Change, KeelError); 44] = [
        ("no feed", |c| c.oracle.feeds[0].feed_id = [0; 32], ConfigOracle),
        ("age", |c| c.oracle.max_age_liquidation = 901, ConfigOracle),
        ("confidence", |c| c.oracle.max_confidence_new_risk_bps = 0, ConfigOracle),
        ("divergence", |c| c.oracle.max_divergence_bps = 2_001, ConfigOracle),
        ("dead too early", |c| c.oracle.dead_after = 59, ConfigOracle),
        ("haircuts reversed", |c| c.collateral.base_haircut_bps = 4_001, ConfigHaircut),
        ("haircut", |c| c.collateral.max_haircut_bps = 10_001, ConfigHaircut),
        ("concentration", |c| c.volatility.concentration_bps = 10_001, ConfigHaircut),
        ("ltv = threshold", |c| c.collateral.max_ltv_bps = 8_500, ConfigLoanToValue),
        ("threshold", |c| c.collateral.liquidation_threshold_bps = 10_001, ConfigLoanToValue),
        ("bonus", |c| c.collateral.max_bonus_bps = 2_501, ConfigBonus),
        ("protocol's share", |c| c.collateral.protocol_share_bps = 10_001, ConfigBonus),
        ("bonus lowers health", |c| c.collateral.max_bonus_health_bps = 9_163, ConfigBonusLowersHealth),
        ("rates", |c| c.rates.excess_slope_bps = 99_001, ConfigRate),
        ("kink", |c| c.rates.optimal_utilization_bps = 10_000, ConfigRate),
        ("rate model", |c| c.rates.model = 2, ConfigRate),
        ("adaptive without a rate", |c| c.rates.model = 1, ConfigRate),
        ("reserve factor", |c| c.rates.reserve_factor_bps = 5_001, ConfigRate),
        ("sample interval", |c| volatile(c, |v| v.min_interval = 9), ConfigVolatility),
        ("longest interval", |c| volatile(c, |v| v.min_interval = 3_601), ConfigVolatility),
        ("half-life", |c| volatile(c, |v| v.half_life = 59), ConfigVolatility),
        ("longest half-life", |c| volatile(c, |v| v.half_life = 2_592_001), ConfigVolatility),
        ("half-life < interval", |c| volatile(c, |v| (v.min_interval, v.half_life) = (61, 60)), ConfigVolatility),
        ("return", |c| volatile(c, |v| v.max_return_bps = 0), ConfigVolatility),
        ("largest return", |c| volatile(c, |v| v.max_return_bps = 5_001), ConfigVolatility),
        ("multiple", |c| volatile(c, |v| v.multiple_bps = 200_001), ConfigVolatility),
        ("horizon", |c| volatile(c, |v| v.horizon = 59), ConfigVolatility),
        ("longest horizon", |c| volatile(c, |v| v.horizon = 86_401), ConfigVolatility),
        ("haircuts stand still", |c| c.volatility.up_bps_per_hour = 0, ConfigRamp),
        ("haircuts rise too fast", |c| c.volatility.up_bps_per_hour = 2_501, ConfigRamp),
        ("haircuts never fall", |c| c.volatility.down_bps_per_hour = 0, ConfigRamp),
        ("weights without a group", |c| c.group.max_ltv_bps = 1, ConfigGroup),
        ("group's ltv = threshold", |c| c.group = GroupConfig { max_ltv_bps: 9_300, ..GROUP }, ConfigGroup),
        ("group's threshold", |c| c.group = GroupConfig { liquidation_threshold_bps: 10_001, ..GROUP }, ConfigGroup),
        ("group's bonus", |c| c.group = GroupConfig { min_bonus_bps: 201, ..GROUP }, ConfigBonus),
        ("and health", |c| c.group = GroupConfig { max_bonus_bps: 400, ..GROUP }, ConfigBonusLowersHealth),
        ("flash fee", |c| c.flash_fee_bps = 1_001, ConfigFee),
        ("insurance floor", |c| c.insurance_floor_bps = 10_001, ConfigFee),
        ("hourly outflow", |c| c.limits.hourly_outflow = 0, ConfigOutflow),
        ("daily outflow", |c| c.limits.daily_outflow = 0, ConfigOutflow),
        ("isolation", |c| c.isolated_debt = 2, ConfigIsolation),
        ("a swap", |c| c.limits.swap_cap = 1, ConfigMinted),
        ("redemptions", |c| c.minted.redemption_max_health_bps = 1, ConfigMinted),
        ("a swap's fee", |c| c.minted.swap_in_fee_bps = 1, ConfigMinted),
    ];
    let mut w = bank();
    let (governance, price) = (w.governance.insecure_clone(), w.assets[SOL].prices[0]);
    for (case, change, expected) in cases {
        let update = build(&mut w, SOL, DAY, &[price], change);
        w.refuse_all_case(case, &update, &[&governance], expected);
    }
    let fine = build(&mut w, SOL, DAY, &[], |c| volatile(c, |v| (v.min_interval, v.half_life) = (60, 60)));
    w.send_all(&fine, &[&governance]).unwrap();
}

/// Switches the term for volatility on, and then changes it.
fn volatile(config: &mut ReserveConfig, change: impl FnOnce(&mut keel::state::VolatilityConfig)) {
    config.volatility.multiple_bps = 30_000;
    change(&mut config.volatility);
}

/// A reserve stays of its kind.
#[test]
fn rejects_terms_of_a_pooled_reserve_for_a_minted_one() {
    let (mut w, _, _) = minting();
    let governance = w.governance.insecure_clone();
    let changes: [fn(&mut ReserveConfig); 5] = [
        |c| c.oracle.feeds[0].feed_id = [1; 32],
        |c| c.collateral.liquidation_threshold_bps = 8_000,
        |c| c.limits.deposit_cap = 1,
        |c| c.rates.slope_bps = 1,
        |c| c.group = GROUP,
    ];
    for change in changes {
        let update = build(&mut w, KUSD, DAY, &[], change);
        w.refuse_all(&update, &[&governance], KeelError::ConfigMinted);
    }
    update(&mut w, KUSD, 0, |c| c.group.id = 3);
}

#[test]
fn rejects_unusable_prices_of_other_feeds() {
    let mut w = bank();
    let governance = w.governance.insecure_clone();
    let (price, other) = (w.assets[SOL].prices[0], w.assets[USDC].prices[0]);
    // Pinned to the account that it already comes from: another feed to the program.
    let without = build(&mut w, SOL, 0, &[], |c| c.oracle.feeds[0].account = price);
    w.refuse_all(&without, &[&governance], KeelError::MissingAccount);
    let pinned = build(&mut w, SOL, 0, &[price], |c| c.oracle.feeds[0].account = price);
    let [queue, execute] = pinned.clone();
    let elsewhere = [queue, with_account(&execute, PRICES, other)];
    w.refuse_all(&elsewhere, &[&governance], KeelError::PriceWrongAccount);
    for reason in UNUSABLE {
        spoil(&mut w, SOL, 0, reason, NEW_RISK);
        w.refuse_all_case(&format!("{reason:?}"), &pinned, &[&governance], reason);
        restore(&mut w);
    }
    // The bounds are the new configuration's.
    w.pass(30);
    let strict = build(&mut w, SOL, 0, &[price], |c| {
        (c.oracle.feeds[0].account, c.oracle.max_age_new_risk) = (price, 29);
    });
    w.refuse_all(&strict, &[&governance], KeelError::PriceStale);
    w.send_all(&pinned, &[&governance]).unwrap();
}
