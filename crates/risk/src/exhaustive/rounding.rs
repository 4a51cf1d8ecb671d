//! Every row of the table of roundings, over all operands of a few bits.
//!
//! Shares and indices have four fractional bits here, amounts up to eight bits and shares up to ten. What has 60 bits in
//! any case is compared over grids of operands: prices next to multiples of a fraction's last place, basis points around
//! the ends of their ranges, and so on. Results are compared as fractions of integers, without a rounding of their own.
//! Exponentials have no exact value: they stand against 256 bits in the modules that have them.

use crate::fraction::{Fixed, Fraction};
use crate::haircut::{Haircut, HaircutTerms, ThresholdRamp, target};
use crate::health::collateral_factor;
use crate::interest::{ADAPTIVE, AdaptiveCurve, RateCurve, growth_ceil};
use crate::outlook::{CollateralExposure, DebtExposure, Exposure, lowest_health};
use crate::price::UnitPrice;
use crate::units::{Amount, DebtIndex, DebtShares, SupplyIndex, SupplyShares, Usd};
use crate::volatility::{Volatility, VolatilityTerms};
use num_bigint::BigUint;

/// Four fractional bits, and the square of what they are parts of.
type Small = Fixed<4>;
const ONE: u128 = 16;
const SQUARE: u128 = 256;
/// Indices from 1/16 to 4, amounts below 2^8 and shares below 2^10 in their last place.
const INDICES: std::ops::RangeInclusive<u128> = 1..=64;
const AMOUNTS: std::ops::Range<u64> = 0..256;
const SHARES: std::ops::Range<u128> = 0..1_024;

fn small(bits: u128) -> Small {
    Small::from_bits(bits)
}

/// That `actual` is `numerator / denominator`, rounded down.
#[track_caller]
fn floor(actual: u128, numerator: u128, denominator: u128) {
    assert!(actual * denominator <= numerator && numerator < (actual + 1) * denominator, "{actual}");
}

/// That `actual` is `numerator / denominator`, rounded up.
#[track_caller]
fn ceil(actual: u128, numerator: u128, denominator: u128) {
    assert!(actual * denominator >= numerator && numerator + denominator > actual * denominator, "{actual}");
}

/// That a fraction of 60 bits is not below `numerator / denominator`, and above it by less than `units` of its last
/// place.
#[track_caller]
fn not_below(actual: Fraction, numerator: impl Into<BigUint>, denominator: impl Into<BigUint>, units: u32) {
    let (numerator, denominator) = (numerator.into() << Fraction::BITS, denominator.into());
    let actual = actual.to_bits() * &denominator;
    assert!(actual >= numerator && actual < numerator + denominator * units);
}

#[test]
fn shares_and_indices() {
    for bits in INDICES {
        let (supply, debt) = (SupplyIndex(small(bits)), DebtIndex(small(bits)));
        for amount in AMOUNTS {
            let of = u128::from(amount) * SQUARE;
            floor(supply.shares_for_deposit(Amount(amount)).unwrap().0.to_bits(), of, bits);
            ceil(supply.shares_for_withdrawal(Amount(amount)).unwrap().0.to_bits(), of, bits);
            ceil(debt.shares_for_borrow(Amount(amount)).unwrap().0.to_bits(), of, bits);
            floor(debt.shares_for_repayment(Amount(amount)).unwrap().0.to_bits(), of, bits);
        }
        for shares in SHARES {
            let worth = shares * bits;
            floor(supply.amount_of(SupplyShares(small(shares))).unwrap().0.into(), worth, SQUARE);
            floor(supply.claim_of(SupplyShares(small(shares))).unwrap().to_bits(), worth, ONE);
            ceil(debt.amount_owed(DebtShares(small(shares))).unwrap().0.into(), worth, SQUARE);
            floor(debt.asset_of(DebtShares(small(shares))).unwrap().to_bits(), worth, ONE);
        }
    }
}

/// A deposit on top of any position, and withdrawals in two parts of any size: no more comes out than went in and than
/// was there. A loan on top of any debt, repaid in two parts: no less is paid than was lent and than was owed.
#[test]
fn round_trips() {
    for bits in INDICES {
        let (supply, debt) = (SupplyIndex(small(bits)), DebtIndex(small(bits)));
        for held in (0..64).map(|shares| (SupplyShares(small(shares)), DebtShares(small(shares)))) {
            let (had, owed) = (supply.amount_of(held.0).unwrap().0, debt.amount_owed(held.1).unwrap().0);
            for amount in 1..32 {
                let deposited = supply.shares_for_deposit(Amount(amount)).unwrap();
                let supplied = held.0.checked_add(deposited).unwrap();
                assert!(supply.amount_of(supplied).unwrap().0 <= had + amount);
                let lent = debt.shares_for_borrow(Amount(amount)).unwrap();
                let borrowed = held.1.checked_add(lent).unwrap();
                assert!(debt.amount_owed(borrowed).unwrap().0 >= owed + amount);
                for part in 1..=amount {
                    if let Ok(left) = supplied.checked_sub(supply.shares_for_withdrawal(Amount(part)).unwrap()) {
                        assert!(part + supply.amount_of(left).unwrap().0 <= had + amount);
                    }
                    let left = borrowed.checked_sub(debt.shares_for_repayment(Amount(part)).unwrap()).unwrap();
                    assert!(part + debt.amount_owed(left).unwrap().0 >= owed + amount);
                }
            }
        }
    }
}

#[test]
fn fixed_point_of_any_width() {
    fn check<const F: u32>() {
        for bits in 0..4 << F {
            let x = Fixed::<F>::from_bits(bits);
            let wide = x.to_fraction().unwrap();
            assert_eq!(wide.to_bits(), bits << (60 - F));
            assert_eq!(Fixed::<F>::from_fraction_ceil(wide), x);
            if F < 60 {
                let above = wide.checked_add(Fraction::EPSILON).unwrap();
                assert_eq!(Fixed::<F>::from_fraction_ceil(above).to_bits(), bits + 1);
            }
            for other in 1..4 << F {
                let y = Fixed::<F>::from_bits(other);
                floor(x.mul_floor(y).unwrap().to_bits(), bits * other, 1 << F);
                ceil(x.mul_ceil(y).unwrap().to_bits(), bits * other, 1 << F);
                floor(x.div_floor(y).unwrap().to_bits(), bits << F, other);
                ceil(x.div_ceil(y).unwrap().to_bits(), bits << F, other);
            }
            floor(x.floor_to_u64().unwrap().into(), bits, 1 << F);
            ceil(x.ceil_to_u64().unwrap().into(), bits, 1 << F);
        }
        for bps in (0..30).chain(9_990..10_010) {
            floor(Fixed::<F>::from_bps_floor(bps).to_bits(), u128::from(bps) << F, 10_000);
            ceil(Fixed::<F>::from_bps_ceil(bps).to_bits(), u128::from(bps) << F, 10_000);
            for bits in (0..8 << F).chain([9_999, 10_000, 10_001, 20_000]) {
                let x = Fixed::<F>::from_bits(bits);
                floor(x.mul_bps_floor(bps).unwrap().to_bits(), bits * u128::from(bps), 10_000);
                ceil(x.mul_bps_ceil(bps).unwrap().to_bits(), bits * u128::from(bps), 10_000);
            }
        }
    }
    check::<1>();
    check::<4>();
    check::<7>();
    assert!(Fixed::<4>::MAX.to_fraction().is_err());
    assert_eq!(Fraction::from_fraction_ceil(Fraction::MAX), Fraction::MAX);
    assert_eq!(Fraction::MAX.to_fraction(), Ok(Fraction::MAX));
    assert_eq!(Fixed::<4>::from_fraction_ceil(Fraction::MAX).to_bits(), 1 << 72);
}

/// A price stands for anything from itself to less than one more in its last place.
#[test]
fn prices_and_values() {
    for bits in (1..64u128).flat_map(|m| ((m << 33) - 1)..=(m << 33) + 1) {
        let price = UnitPrice::from_bits(bits);
        for amount in 0..64u64 {
            let n = u128::from(amount);
            floor(price.value_floor(Amount(amount)).unwrap().0.to_bits(), n * bits, 1 << 36);
            ceil(price.value_ceil(Amount(amount)).unwrap().0.to_bits(), n * (bits + 1), 1 << 36);
        }
        for value in (0..64u128).flat_map(|m| (m << 3)..(m << 3) + 2) {
            let dollars = Usd(Fraction::from_bits(value));
            floor(price.amount_floor(dollars).unwrap().0.into(), value << 36, bits + 1);
            ceil(price.amount_ceil(dollars).unwrap().0.into(), value << 36, bits);
        }
    }
}

/// A sample a half-life after the last one, which counts exactly half, between any two prices; and deviations.
#[test]
fn variances_and_deviations() {
    let terms = VolatilityTerms {
        min_interval: 60,
        half_life: 60,
        max_return_bps: 5_000,
        multiple_bps: 30_000,
        horizon: 3_600,
    };
    for (p0, p1) in (1..24u128).flat_map(|p0| (1..24).map(move |p1| (p0, p1))) {
        for old in [0u128, 1, 2, 1 << 40] {
            let (start, variance) = (UnitPrice::from_bits(p0), Fraction::from_bits(old));
            let mut volatility = Volatility { price: start, sampled_at: 1, variance };
            assert!(volatility.sample(UnitPrice::from_bits(p1), 61, &terms).unwrap());
            // r = 2 |p1 - p0| / (p1 + p0), at most a half.
            let (gap, sum) = (2 * p0.abs_diff(p1), p0 + p1);
            let (gap, sum) = if gap * 2 > sum { (1, 2) } else { (gap, sum) };
            let square = sum * sum * 60;
            let numerator = BigUint::from(old) * square + (BigUint::from(gap * gap) << 60u32);
            not_below(volatility.variance, numerator, BigUint::from(2 * square) << 60u32, 6);
        }
    }
    for variance in (0..300u128).chain((1..60).map(|n| n << 30)) {
        let volatility = Volatility { variance: Fraction::from_bits(variance), ..Volatility::UNSAMPLED };
        for (multiple_bps, horizon) in [(1, 60), (10_000, 61), (30_001, 3_600), (200_000, 86_400)] {
            let terms = VolatilityTerms { multiple_bps, horizon, ..terms };
            let deviation = volatility.deviation(&terms).unwrap();
            let square = BigUint::from(deviation.to_bits()).pow(2) * 100_000_000u32;
            let exact = (BigUint::from(variance) * horizon * multiple_bps * multiple_bps) << 60u32;
            assert!(square >= exact || deviation == Fraction::ONE, "{variance} {multiple_bps}");
        }
    }
}

#[test]
fn haircuts_and_thresholds() {
    let terms = HaircutTerms { max_bps: 10_000, down_bps_per_hour: 1, ..HaircutTerms::default() };
    for (base_bps, concentration_bps) in [(0, 1), (1, 0), (3, 7), (200, 500)] {
        for (supplied, depth) in (0..20u64).flat_map(|supplied| (1..20).map(move |depth| (supplied, depth))) {
            for deviation in 0..3u64 {
                let terms = HaircutTerms { base_bps, concentration_bps, depth: Amount(depth), ..terms };
                let aimed = target(Fraction::from_bits(deviation.into()), Amount(supplied), &terms).unwrap();
                let fixed = u64::from(base_bps) * depth + u64::from(concentration_bps) * supplied;
                let numerator = (BigUint::from(fixed) << 60u32) + deviation * depth * 10_000;
                not_below(aimed, numerator, BigUint::from(depth * 10_000) << 60u32, 3);
            }
        }
    }
    for (speed, seconds) in [1u32, 7, 100, 2_500].into_iter().flat_map(|speed| (0..200i64).map(move |s| (speed, s))) {
        let terms = HaircutTerms { up_bps_per_hour: speed, down_bps_per_hour: speed, ..terms };
        let moved = (u128::from(speed) * seconds as u128) << 60;
        let at = |maintenance, target| {
            Haircut { maintenance, target, moved_at: 0 }.at(seconds, &terms).unwrap().maintenance.to_bits()
        };
        let half = Fraction::from_bits(1 << 59);
        floor(at(Fraction::ZERO, half), moved, 36_000_000);
        floor(half.to_bits() - at(half, Fraction::ZERO), moved, 36_000_000);
    }
    for (from, to) in (0..12u32).flat_map(|from| (0..=from).map(move |to| (from, to))) {
        for (duration, elapsed) in (1..12u32).flat_map(|d| (0..=d).map(move |e| (d, e))) {
            let ramp = ThresholdRamp { from_bps: from, to_bps: to, started_at: 5, duration };
            let bps = u128::from(from * duration - (from - to) * elapsed);
            ceil(ramp.at(5 + i64::from(elapsed)).to_bits(), bps << 60, u128::from(duration) * 10_000);
        }
    }
}

/// Limits down, debts up: the limit against the formula at the haircut that was meant to be reached, the debt against
/// `1 + x`, below any exponential.
#[test]
fn outlooks() {
    for (value, threshold, seconds) in (1..8u64)
        .flat_map(|value| [1u32, 3, 8_500, 9_999].map(|threshold| (value, threshold)))
        .flat_map(|(value, threshold)| [0u32, 1, 59, 3_600, 100_000].map(|seconds| (value, threshold, seconds)))
    {
        let terms = HaircutTerms { max_bps: 7, up_bps_per_hour: 3, ..HaircutTerms::default() };
        let position = CollateralExposure {
            value: Usd(Fraction::from_bits(value.into())),
            haircut: Haircut::settled(Fraction::ZERO, 0),
            terms,
            threshold: ThresholdRamp::fixed(threshold),
        };
        let unit = Fraction::from_bits(u128::from(value));
        let max_rate = Fraction::from_bps_ceil(threshold);
        let debt = DebtExposure { value: Usd(unit), unit: Usd(Fraction::EPSILON), max_rate };
        let totals = lowest_health([Exposure::Collateral(position), Exposure::Debt(debt)], 0, seconds).unwrap();
        let haircut = (3 * u128::from(seconds)).min(7 * 3_600);
        let exact = u128::from(value) * u128::from(threshold) * (36_000_000 - haircut);
        assert!(totals.limit.0.to_bits() * 360_000_000_000 <= exact);
        assert_eq!(totals.collateral.0.to_bits(), u128::from(value));
        let year = 31_536_000u64;
        let grown = BigUint::from(value) * (year * 10_000 + u64::from(seconds) * u64::from(threshold));
        assert!(BigUint::from(totals.debt.0.to_bits()) * year * 10_000u32 >= grown);
    }
    for (haircut, threshold) in (0..20u32).flat_map(|h| (0..20u32).map(move |t| (h, t))) {
        let (haircut_bits, threshold_bits) = (u128::from(haircut) << 56, u128::from(threshold) * 12_345);
        let factor = collateral_factor(Fraction::from_bits(haircut_bits), Fraction::from_bits(threshold_bits)).unwrap();
        floor(factor.to_bits(), (1u128 << 60).saturating_sub(haircut_bits) * threshold_bits, 1 << 60);
    }
}

#[test]
fn rates() {
    let utilizations = || (0..=64u64).map(|n| Fraction::from_bits(u128::from(n) << 54));
    for optimal_utilization_bps in [1, 3_333, 5_000, 8_001, 9_999] {
        let curve = RateCurve { base_bps: 1, slope_bps: 333, excess_slope_bps: 7_777, optimal_utilization_bps };
        let bend = u64::from(optimal_utilization_bps);
        for utilization in utilizations() {
            // In units of 1/64, of which the bend is a ten thousandth.
            let u = (utilization.to_bits() >> 54) as u64;
            let (numerator, denominator) = if u * 10_000 <= bend * 64 {
                (64 * bend + 333 * u * 10_000, 64 * bend * 10_000)
            } else {
                let (beyond, room) = (u * 10_000 - bend * 64, (10_000 - bend) * 64);
                (334 * room + 7_777 * beyond, room * 10_000)
            };
            // What the bend loses to its rounding is multiplied by the slope beyond it.
            not_below(
                curve.rate(utilization).unwrap(),
                numerator,
                denominator,
                8 + 8 * 10_000 / bend.min(10_000 - bend) as u32,
            );
        }
        let adaptive = AdaptiveCurve { optimal_utilization_bps, ..ADAPTIVE };
        for utilization in utilizations() {
            // At a rate at target of 1/8: up to four times that above, down to a quarter below.
            let u = (utilization.to_bits() >> 54) as u64;
            let (numerator, denominator) = if u * 10_000 < bend * 64 {
                (4 * bend * 64 - 3 * (bend * 64 - u * 10_000), 4 * bend * 64)
            } else {
                let (beyond, room) = (u * 10_000 - bend * 64, (10_000 - bend) * 64);
                (room + 3 * beyond, room)
            };
            let rate = adaptive.rate(Fraction::from_bits(1 << 57), utilization).unwrap();
            not_below(rate, numerator, denominator * 8, 8 + 8 * 10_000 / bend.min(10_000 - bend) as u32);
        }
    }
    for (quarters, seconds) in (0..=40u32).flat_map(|n| [1u32, 2, 59, 31_536_000].map(|seconds| (n, seconds))) {
        // x = a / b, and x + x^2 / 2 + x^3 / 6.
        let rate = Fraction::from_bits(u128::from(quarters) << 58);
        let (a, b) = (BigUint::from(quarters) * seconds, BigUint::from(4 * 31_536_000u32));
        let numerator = &a * &b * &b * 6u32 + &a * &a * &b * 3u32 + &a * &a * &a;
        not_below(growth_ceil(rate, seconds.into()).unwrap(), numerator, b.pow(3) * 6u32, 256);
    }
}
