//! What the risk crate says that no vault feels, no vault feels: random configurations, states and vaults, valued by the
//! program's own code before and after a change at the same moment.

use crate::support::{nudge, spec};
use keel::state::{Kind, Position, Reserve, ReserveConfig};
use keel_risk::Fraction;
use keel_risk::change::{RESERVE, RESERVE_PARAMETERS};
use keel_risk::health::Totals;
use keel_risk::price::{Purpose, Side, UnitPrice};
use keel_risk::units::Amount;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NOW: i64 = 1_700_000_000;

/// A reserve in which everything moves: deposits, debts and interest, a haircut and both thresholds on their way.
fn reserve(rng: &mut ChaCha8Rng) -> Reserve {
    let mut config = spec().config;
    config.oracle.feeds[0].feed_id = [7; 32];
    config.oracle.feeds[1].feed_id = [8; 32];
    let mut reserve: Reserve = bytemuck::Zeroable::zeroed();
    reserve.decimals = 6;
    let began = NOW - rng.random_range(0..200_000);
    reserve.start(Kind::Pooled, config, began).unwrap();
    let mut pool = reserve.pool();
    pool.deposit(Amount(rng.random_range(1..2_000_000)), Amount::MAX).unwrap();
    pool.borrow(Amount(rng.random_range(0..pool.available.0)), Amount::MAX).ok();
    reserve.settle(pool).unwrap();
    let bps = |n| Fraction::from_bps_ceil(n).into();
    reserve.haircut.maintenance = bps(rng.random_range(200..4_000));
    reserve.haircut.target = bps(rng.random_range(200..4_000));
    reserve.volatility.variance = Fraction::from_bits(rng.random_range(0..1 << 40)).into();
    if rng.random_bool(0.5) {
        let mut lower = reserve.config;
        lower.collateral.liquidation_threshold_bps -= rng.random_range(0..900);
        lower.group.liquidation_threshold_bps -= rng.random_range(0..300);
        reserve.reconfigure(lower, rng.random_range(86_400..200_000), began).unwrap();
    }
    reserve
}

/// Moves some parameters by any amount, coherently or not.
fn scramble(config: &ReserveConfig, rng: &mut ChaCha8Rng) -> ReserveConfig {
    let mut config = *config;
    for _ in 0..rng.random_range(1..4) {
        let number = rng.random_range(0..RESERVE_PARAMETERS);
        if RESERVE[number].unit == keel_risk::change::Unit::Identity {
            continue;
        }
        let up = rng.random_bool(0.4);
        for _ in 0..rng.random_range(1u32..=300) {
            let slot = config.slots().into_iter().nth(number).unwrap();
            if slot.value().is_some_and(|value| if up { value < 1 << 31 } else { value > 0 }) {
                nudge(slot, up);
            }
        }
    }
    config
}

/// The sums of a vault with a collateral position of `held` shares and a debt of `owed` shares, each in its reserve.
fn totals(collateral: &Reserve, debt: &Reserve, held: u64, owed: u64, group: u32) -> Totals {
    let mut totals = Totals::default();
    let price = UnitPrice::new(123, 0, 6).unwrap();
    for (reserve, shares, side) in [(collateral, held, Side::Collateral), (debt, owed, Side::Debt)] {
        let position = Position { shares: Fraction::from_integer(shares).into(), ..Position::default() };
        let amount = reserve.amount(&position, side, NOW).unwrap();
        reserve.count(&mut totals, group, side, amount, price, Purpose::Liquidation, NOW).unwrap();
    }
    totals
}

#[test]
fn what_is_called_safe_lowers_no_health() {
    let mut rng = ChaCha8Rng::seed_from_u64(20251125);
    let (mut safe, mut tightened) = (0, [false; RESERVE_PARAMETERS]);
    for _ in 0..60_000 {
        let before = reserve(&mut rng);
        let config = scramble(&before.config, &mut rng);
        let comparison = before.config.compare(&config);
        if comparison.changed().is_empty() || !comparison.ramped.is_empty() || !comparison.felt.is_empty() {
            continue;
        }
        let mut after = before;
        if after.reconfigure(config, 86_400, NOW).is_err() {
            continue;
        }
        safe += 1;
        for number in comparison.tighter.iter() {
            tightened[number] = true;
        }
        let (held, owed) = (rng.random_range(1..1_000_000), rng.random_range(1..1_000_000));
        let other = reserve(&mut rng);
        for group in [0, 1] {
            // As collateral, as debt, and as both the collateral of one vault and the debt of another.
            for (old, new) in [
                (totals(&before, &other, held, owed, group), totals(&after, &other, held, owed, group)),
                (totals(&other, &before, held, owed, group), totals(&other, &after, held, owed, group)),
            ] {
                let what = || format!("{:?}", comparison.changed().iter().map(|n| RESERVE[n].name).collect::<Vec<_>>());
                assert!(new.limit >= old.limit && new.debt <= old.debt, "{}: {old:?} {new:?}", what());
                assert!(!old.is_healthier_than(&new), "{}", what());
            }
        }
    }
    assert!(safe > 5_000, "{safe} safe changes");
    let free = RESERVE
        .iter()
        .zip(tightened)
        .filter(|(p, _)| [p.raised, p.lowered].iter().any(crate::support::is_free) && p.name != "limits.swap_cap");
    for (parameter, reached) in free {
        // A flag has one way, from its 0 to 1, and all reserves here start there.
        assert!(reached, "{} was never tightened", parameter.name);
    }
}

/// The test above notices: what is not called safe can lower health at once or soon.
#[test]
fn what_is_not_called_safe_can_lower_health() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let before = reserve(&mut rng);
    for name in ["collateral.base_haircut_bps", "volatility.concentration_bps", "collateral.liquidation_threshold_bps"]
    {
        let mut config = before.config;
        match name {
            "collateral.base_haircut_bps" => config.collateral.base_haircut_bps = 3_900,
            "volatility.concentration_bps" => config.volatility.concentration_bps = 5_000,
            _ => {
                config.collateral.liquidation_threshold_bps = 7_600;
                config.collateral.max_ltv_bps = 7_000;
            }
        }
        let mut after = before;
        after.haircut.target = Fraction::from_bps_ceil(200).into();
        after.haircut.maintenance = Fraction::from_bps_ceil(200).into();
        let mut still = after;
        after.reconfigure(config, 86_400, NOW).unwrap();
        still.reconfigure(before.config, 86_400, NOW).unwrap();
        let later = NOW + 86_400;
        let factor = |reserve: &Reserve| reserve.collateral_factor(Purpose::Liquidation, later, false).unwrap();
        assert!(factor(&after) < factor(&still), "{name}");
    }
}
