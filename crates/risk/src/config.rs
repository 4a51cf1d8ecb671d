//! Which risk parameters are coherent. Every bound is a named constant, so that a refusal can be looked up.

use crate::change::StepBounds;
use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::haircut::HaircutTerms;
use crate::health::collateral_factor;
use crate::interest::{AdaptiveCurve, RateCurve, RateModel};
use crate::liquidation::BonusTerms;
use crate::outflow::OutflowLimits;
use crate::pool::RateTerms;
use crate::price::Bounds;
use crate::redemption::RedemptionTerms;
use crate::volatility::VolatilityTerms;

/// 100 % in basis points.
pub const ONE_BPS: u32 = 10_000;
/// Largest yearly rate of a curve: 1,000 %. At this rate and full utilization an index grows 2.2e4-fold in a year.
pub const MAX_RATE_BPS: u32 = 100_000;
/// Least steepness of an adaptive curve: 1.01. At 1 its rate would not depend on utilization.
pub const MIN_STEEPNESS_BPS: u32 = 10_100;
/// Largest steepness of an adaptive curve: 10.
pub const MAX_STEEPNESS_BPS: u32 = 100_000;
/// Largest speed of an adaptive curve, of the logarithm of its rate at target: 100 a year, which doubles it in 61 hours.
pub const MAX_SPEED_BPS: u32 = 1_000_000;
/// Largest part of interest that may go to insurance.
pub const MAX_RESERVE_FACTOR_BPS: u32 = 5_000;
/// Largest liquidation bonus: 25 %.
pub const MAX_BONUS_BPS: u32 = 2_500;
/// Largest target health factor: 1.5. A higher one would sell healthy collateral.
pub const MAX_TARGET_HEALTH_BPS: u32 = 15_000;
/// Largest age of a price for new risk, in seconds.
pub const MAX_AGE_NEW_RISK: u32 = 300;
/// Largest age of a price for a liquidation, in seconds.
pub const MAX_AGE_LIQUIDATION: u32 = 900;
/// Largest confidence / price: 20 %.
pub const MAX_CONFIDENCE_BPS: u32 = 2_000;
/// Largest multiple of the confidence that prices are moved by: 10.
pub const MAX_CONFIDENCE_MULTIPLE_BPS: u32 = 100_000;
/// Least time between a challenge to a feed and its counting as dead, in seconds: what its defenders have to answer.
pub const MIN_DEAD_AFTER: u32 = 60;
/// Most of it: for as long, an attached dead feed can hold up a liquidation.
pub const MAX_DEAD_AFTER: u32 = 3_600;
/// Largest divergence of two oracles: 20 %.
pub const MAX_DIVERGENCE_BPS: u32 = 2_000;
/// Least time between two samples of volatility, in seconds. Below it, the noise of a feed would count as movement.
pub const MIN_SAMPLE_INTERVAL: u32 = 10;
/// Most of it: one hour.
pub const MAX_SAMPLE_INTERVAL: u32 = 3_600;
/// Least half-life of the variance, in seconds.
pub const MIN_HALF_LIFE: u32 = 60;
/// Most of it: 30 days.
pub const MAX_HALF_LIFE: u32 = 30 * 86_400;
/// Largest return that one sample may be allowed to count as: 50 %.
pub const MAX_RETURN_BPS: u32 = 5_000;
/// Largest number of standard deviations in a haircut: 20.
pub const MAX_VOLATILITY_MULTIPLE_BPS: u32 = 200_000;
/// Least time that a liquidation is assumed to take, in seconds.
pub const MIN_LIQUIDATION_HORIZON: u32 = 60;
/// Most of it: one day.
pub const MAX_LIQUIDATION_HORIZON: u32 = 86_400;
/// Fastest rise of a maintenance haircut: 25 % of the value per hour. What an owner can see coming.
pub const MAX_HAIRCUT_UP_BPS_PER_HOUR: u32 = 2_500;
/// Least time that a liquidation threshold takes to fall, in seconds: one day.
pub const MIN_THRESHOLD_RAMP: u32 = 86_400;

/// Largest fee of a flash loan: 10 %.
pub const MAX_FLASH_FEE_BPS: u32 = 1_000;
/// Largest fee of a swap: 10 %.
pub const MAX_SWAP_FEE_BPS: u32 = 1_000;
/// Highest health factor under which vaults may be redeemed from: 3.
pub const MAX_REDEMPTION_HEALTH_BPS: u32 = 30_000;
/// Most that a redemption of all tokens may raise the fee by: 1,000 %.
pub const MAX_VOLUME_FEE_BPS: u32 = 100_000;
/// Least half-life of what redemptions raised the fee by: a minute.
pub const MIN_REDEMPTION_HALF_LIFE: u32 = 60;
/// Most of it: 30 days.
pub const MAX_REDEMPTION_HALF_LIFE: u32 = 2_592_000;

/// Least delay of a market's timelock, in seconds: a day. None at all is for a market that is being set up.
pub const MIN_DELAY: u32 = 86_400;
/// Most of it: 30 days.
pub const MAX_DELAY: u32 = 30 * 86_400;
/// Least time in which a change can be executed once it may be, in seconds: an hour.
pub const MIN_WINDOW: u32 = 3_600;
/// Most of it: 30 days.
pub const MAX_WINDOW: u32 = 30 * 86_400;
/// Largest step of a cap: 100 % of what it is.
pub const MAX_CAP_STEP_BPS: u32 = ONE_BPS;
/// Largest step of an outflow limit: half of what it is.
pub const MAX_OUTFLOW_STEP_BPS: u32 = ONE_BPS / 2;
/// Largest step of a haircut or a loan to value: 5 %.
pub const MAX_VALUE_STEP_BPS: u32 = 500;
/// Largest step of a yearly rate: 20 %.
pub const MAX_RATE_STEP_BPS: u32 = 2_000;

/// The discounts of a reserve's collateral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollateralTerms {
    /// Haircut in quiet markets, in basis points: the least it ever is.
    pub base_haircut_bps: u32,
    /// The most that volatility and concentration can raise it to.
    pub max_haircut_bps: u32,
    /// Loan to value for new risk, after the haircut.
    pub max_ltv_bps: u32,
    /// Loan to value at which a vault may be liquidated, after the haircut.
    pub liquidation_threshold_bps: u32,
    /// The liquidation bonus.
    pub bonus: BonusTerms,
}

/// The oracle bounds of a reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OracleTerms {
    /// For borrow and withdraw.
    pub new_risk: Bounds,
    /// For liquidation: at least as loose.
    pub liquidation: Bounds,
    /// Multiple of the confidence that prices are moved by for new risk, in basis points.
    pub confidence_multiple_bps: u32,
    /// Largest divergence of two oracles for new risk.
    pub max_divergence_bps: u32,
    /// Seconds after an unanswered challenge at which a feed counts as dead.
    pub dead_after: u32,
}

/// Whether collateral terms are coherent. An asset that is no collateral has `max_ltv` and the threshold at zero.
///
/// # Errors
/// `ConfigHaircut`, `ConfigLoanToValue`, `ConfigBonus`, `ConfigBonusLowersHealth`.
pub fn check_collateral(terms: &CollateralTerms) -> Result<()> {
    if terms.base_haircut_bps > terms.max_haircut_bps || terms.max_haircut_bps > ONE_BPS {
        return Err(RiskError::ConfigHaircut);
    }
    let is_collateral = terms.liquidation_threshold_bps > 0;
    let ordered = terms.max_ltv_bps < terms.liquidation_threshold_bps || (!is_collateral && terms.max_ltv_bps == 0);
    if !ordered || terms.liquidation_threshold_bps > ONE_BPS {
        return Err(RiskError::ConfigLoanToValue);
    }
    check_bonus(&terms.bonus)?;
    // The factor is largest at the smallest haircut. Rounded up, so that the condition holds exactly.
    let factor = collateral_factor(
        Fraction::from_bps_floor(terms.base_haircut_bps),
        Fraction::from_bps_floor(terms.liquidation_threshold_bps),
    )?
    .checked_add(Fraction::from_bits(4))?;
    if is_collateral { check_bonus_raises_health(&terms.bonus, factor) } else { Ok(()) }
}

fn check_bonus(bonus: &BonusTerms) -> Result<()> {
    if bonus.min_bps > bonus.max_bps
        || bonus.max_bps > MAX_BONUS_BPS
        || bonus.protocol_share_bps > ONE_BPS
        || bonus.max_bonus_health_bps >= ONE_BPS
    {
        return Err(RiskError::ConfigBonus);
    }
    Ok(())
}

/// Whether the largest bonus raises health above the close-out zone, when a dollar of the collateral carries `factor`.
///
/// # Errors
/// `ConfigBonusLowersHealth`.
pub fn check_bonus_raises_health(bonus: &BonusTerms, factor: Fraction) -> Result<()> {
    let seized = Fraction::ONE.checked_add(Fraction::from_bps_ceil(bonus.max_bps))?.mul_ceil(factor)?;
    if seized > Fraction::from_bps_floor(bonus.max_bonus_health_bps) {
        return Err(RiskError::ConfigBonusLowersHealth);
    }
    Ok(())
}

/// The weights of a reserve in its efficiency group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupTerms {
    /// The group's number; 0 for none.
    pub id: u32,
    /// Loan to value for new risk.
    pub max_ltv_bps: u32,
    /// Loan to value at which a vault may be liquidated.
    pub liquidation_threshold_bps: u32,
    /// The liquidation bonus.
    pub bonus: BonusTerms,
}

/// Whether a reserve's weights in its group are coherent: none without a group; else none for an asset that is only debt
/// there, or as those of any collateral, and no lower than the `ordinary` ones. The group's weights come into force when the
/// last debt outside of it is repaid, which a stranger may do: nobody's health may fall by that.
///
/// # Errors
/// `ConfigGroup`, `ConfigBonus`, `ConfigBonusLowersHealth`.
pub fn check_group(terms: &GroupTerms, ordinary: &CollateralTerms) -> Result<()> {
    let none = GroupTerms {
        id: terms.id,
        bonus: BonusTerms { protocol_share_bps: terms.bonus.protocol_share_bps, ..BonusTerms::default() },
        ..GroupTerms::default()
    };
    if *terms == none {
        return Ok(());
    }
    if terms.id == 0
        || terms.max_ltv_bps >= terms.liquidation_threshold_bps
        || terms.liquidation_threshold_bps > ONE_BPS
        || terms.max_ltv_bps < ordinary.max_ltv_bps
        || terms.liquidation_threshold_bps < ordinary.liquidation_threshold_bps
    {
        return Err(RiskError::ConfigGroup);
    }
    check_bonus(&terms.bonus)?;
    check_bonus_raises_health(&terms.bonus, Fraction::from_bps_ceil(terms.liquidation_threshold_bps))
}

/// Whether the fee of flash loans and the part of debt that stays insured are at most 10 % and 100 %.
///
/// # Errors
/// `ConfigFee`.
pub fn check_fees(flash_fee_bps: u32, insurance_floor_bps: u32) -> Result<()> {
    if flash_fee_bps <= MAX_FLASH_FEE_BPS && insurance_floor_bps <= ONE_BPS {
        Ok(())
    } else {
        Err(RiskError::ConfigFee)
    }
}

/// Whether outflow limits let anything out: stopping withdrawals is a pause's work, and a pause ends.
///
/// # Errors
/// `ConfigOutflow`.
pub fn check_outflow(limits: &OutflowLimits) -> Result<()> {
    if limits.hourly.is_zero() || limits.daily.is_zero() { Err(RiskError::ConfigOutflow) } else { Ok(()) }
}

/// Whether a minted reserve's rate is a plain fee: its utilization means nothing.
///
/// # Errors
/// `ConfigMinted`.
pub fn check_minted_rate(terms: &RateTerms) -> Result<()> {
    match &terms.model {
        RateModel::Kinked(RateCurve { slope_bps: 0, excess_slope_bps: 0, .. }) => Ok(()),
        _ => Err(RiskError::ConfigMinted),
    }
}

/// Whether the terms of a minted reserve's swap and redemptions are coherent. Redemptions are off at a health of zero.
///
/// # Errors
/// `ConfigMinted`.
pub fn check_minted(redemption: &RedemptionTerms, swap_in_fee_bps: u32, swap_out_fee_bps: u32) -> Result<()> {
    let on = redemption.max_health_bps > 0;
    let sound = redemption.max_health_bps <= MAX_REDEMPTION_HEALTH_BPS
        && redemption.min_fee_bps <= redemption.max_fee_bps
        && redemption.max_fee_bps < ONE_BPS
        && redemption.volume_fee_bps <= MAX_VOLUME_FEE_BPS
        && (!on || (MIN_REDEMPTION_HALF_LIFE..=MAX_REDEMPTION_HALF_LIFE).contains(&redemption.half_life))
        && swap_in_fee_bps <= MAX_SWAP_FEE_BPS
        && swap_out_fee_bps <= MAX_SWAP_FEE_BPS;
    if sound { Ok(()) } else { Err(RiskError::ConfigMinted) }
}

/// Whether rate terms are coherent.
///
/// # Errors
/// `ConfigRate`.
pub fn check_rates(terms: &RateTerms) -> Result<()> {
    let (coherent, optimal_utilization_bps) = match &terms.model {
        RateModel::Kinked(curve) => (is_coherent_kink(curve), curve.optimal_utilization_bps),
        RateModel::Adaptive(curve) => (is_coherent_adaptive(curve), curve.optimal_utilization_bps),
    };
    let bends_inside = optimal_utilization_bps > 0 && optimal_utilization_bps < ONE_BPS;
    if coherent && bends_inside && terms.reserve_factor_bps <= MAX_RESERVE_FACTOR_BPS {
        Ok(())
    } else {
        Err(RiskError::ConfigRate)
    }
}

fn is_coherent_kink(curve: &RateCurve) -> bool {
    let top = [curve.base_bps, curve.slope_bps, curve.excess_slope_bps].into_iter().try_fold(0u32, u32::checked_add);
    top.is_some_and(|top| top <= MAX_RATE_BPS)
}

fn is_coherent_adaptive(curve: &AdaptiveCurve) -> bool {
    // In units of 10^-8. A u32 times a u32 fits.
    let top = u64::from(curve.max_rate_at_target_bps).wrapping_mul(curve.steepness_bps.into());
    let allowed = u64::from(MAX_RATE_BPS).wrapping_mul(ONE_BPS.into());
    (MIN_STEEPNESS_BPS..=MAX_STEEPNESS_BPS).contains(&curve.steepness_bps)
        && top <= allowed
        && curve.speed_bps <= MAX_SPEED_BPS
        && curve.min_rate_at_target_bps > 0
        && curve.min_rate_at_target_bps <= curve.initial_rate_at_target_bps
        && curve.initial_rate_at_target_bps <= curve.max_rate_at_target_bps
}

/// Whether oracle terms are coherent.
///
/// # Errors
/// `ConfigOracle`.
pub fn check_oracle(terms: &OracleTerms) -> Result<()> {
    let inside = |bounds: &Bounds, max_age: u32| {
        (1..=max_age).contains(&bounds.max_age) && (1..=MAX_CONFIDENCE_BPS).contains(&bounds.max_confidence_bps)
    };
    let ordered = terms.new_risk.max_age <= terms.liquidation.max_age
        && terms.new_risk.max_confidence_bps <= terms.liquidation.max_confidence_bps;
    if inside(&terms.new_risk, MAX_AGE_NEW_RISK)
        && inside(&terms.liquidation, MAX_AGE_LIQUIDATION)
        && ordered
        && terms.confidence_multiple_bps <= MAX_CONFIDENCE_MULTIPLE_BPS
        && (1..=MAX_DIVERGENCE_BPS).contains(&terms.max_divergence_bps)
        && (MIN_DEAD_AFTER..=MAX_DEAD_AFTER).contains(&terms.dead_after)
    {
        Ok(())
    } else {
        Err(RiskError::ConfigOracle)
    }
}

/// Whether volatility terms are coherent. With a multiple of zero the term is off, and the other fields are not read.
///
/// # Errors
/// `ConfigVolatility`.
pub fn check_volatility(terms: &VolatilityTerms) -> Result<()> {
    let inside = (MIN_SAMPLE_INTERVAL..=MAX_SAMPLE_INTERVAL).contains(&terms.min_interval)
        && (MIN_HALF_LIFE..=MAX_HALF_LIFE).contains(&terms.half_life)
        && (1..=MAX_RETURN_BPS).contains(&terms.max_return_bps)
        && terms.multiple_bps <= MAX_VOLATILITY_MULTIPLE_BPS
        && (MIN_LIQUIDATION_HORIZON..=MAX_LIQUIDATION_HORIZON).contains(&terms.horizon);
    // With a half-life below the interval nearly all weight would be on one sample, which is no average.
    if terms.multiple_bps == 0 || (inside && terms.min_interval <= terms.half_life) {
        Ok(())
    } else {
        Err(RiskError::ConfigVolatility)
    }
}

/// Whether haircut terms are coherent. A depth of zero switches the term for concentration off.
///
/// # Errors
/// `ConfigHaircut` for the values, `ConfigRamp` for the speeds.
pub fn check_haircut(terms: &HaircutTerms) -> Result<()> {
    if terms.base_bps > terms.max_bps || terms.max_bps > ONE_BPS || terms.concentration_bps > ONE_BPS {
        return Err(RiskError::ConfigHaircut);
    }
    if !(1..=MAX_HAIRCUT_UP_BPS_PER_HOUR).contains(&terms.up_bps_per_hour) || terms.down_bps_per_hour == 0 {
        return Err(RiskError::ConfigRamp);
    }
    Ok(())
}

/// Whether a target health factor is one that liquidations can restore.
///
/// # Errors
/// `ConfigTargetHealth`.
pub fn check_target_health(target_health_bps: u32) -> Result<()> {
    if (ONE_BPS..=MAX_TARGET_HEALTH_BPS).contains(&target_health_bps) {
        Ok(())
    } else {
        Err(RiskError::ConfigTargetHealth)
    }
}

/// Whether a timelock leaves time to see a change coming and to execute it, and steps are steps. A delay of zero is for a
/// market that is being set up.
///
/// # Errors
/// `ConfigGovernance`.
pub fn check_governance(delay: u32, window: u32, steps: &StepBounds) -> Result<()> {
    let sound = (delay == 0 || (MIN_DELAY..=MAX_DELAY).contains(&delay))
        && (MIN_WINDOW..=MAX_WINDOW).contains(&window)
        && steps.cap_bps <= MAX_CAP_STEP_BPS
        && steps.outflow_bps <= MAX_OUTFLOW_STEP_BPS
        && steps.haircut_bps <= MAX_VALUE_STEP_BPS
        && steps.max_ltv_bps <= MAX_VALUE_STEP_BPS
        && steps.rate_bps <= MAX_RATE_STEP_BPS;
    if sound { Ok(()) } else { Err(RiskError::ConfigGovernance) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exp::{MAX_RISING, phi_ceil};
    use crate::interest::{ADAPTIVE, Rate};
    use crate::units::Amount;

    const KINKED: RateModel = RateModel::Kinked(RateCurve {
        base_bps: 0,
        slope_bps: 1_000,
        excess_slope_bps: 9_000,
        optimal_utilization_bps: 8_000,
    });

    const GOOD: CollateralTerms = CollateralTerms {
        base_haircut_bps: 200,
        max_haircut_bps: 4_000,
        max_ltv_bps: 7_500,
        liquidation_threshold_bps: 8_500,
        bonus: BonusTerms { min_bps: 200, max_bps: 1_000, max_bonus_health_bps: 9_500, protocol_share_bps: 1_000 },
    };

    /// In numbers: a test that uses the names would not see them change.
    #[test]
    fn bounds_are_these() {
        assert_eq!((MAX_HALF_LIFE, MAX_REDEMPTION_HALF_LIFE), (2_592_000, 2_592_000));
        assert_eq!((MIN_DELAY, MAX_DELAY, MIN_WINDOW, MAX_WINDOW), (86_400, 2_592_000, 3_600, 2_592_000));
        assert_eq!((MAX_CAP_STEP_BPS, MAX_OUTFLOW_STEP_BPS), (10_000, 5_000));
        assert_eq!((MAX_VALUE_STEP_BPS, MAX_RATE_STEP_BPS), (500, 2_000));
    }

    #[test]
    fn collateral_terms_have_bounds() {
        let check = |change: fn(&mut CollateralTerms)| {
            let mut terms = GOOD;
            change(&mut terms);
            check_collateral(&terms)
        };
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|t| t.base_haircut_bps = 4_001), Err(RiskError::ConfigHaircut));
        assert_eq!(check(|t| t.max_haircut_bps = 10_001), Err(RiskError::ConfigHaircut));
        assert_eq!(check(|t| t.max_haircut_bps = 10_000), Ok(()));
        assert_eq!(check(|t| t.max_ltv_bps = 8_499), Ok(()));
        assert_eq!(check(|t| t.max_ltv_bps = 8_500), Err(RiskError::ConfigLoanToValue));
        assert_eq!(check(|t| t.liquidation_threshold_bps = 10_001), Err(RiskError::ConfigLoanToValue));
        assert_eq!(check(|t| t.liquidation_threshold_bps = 0), Err(RiskError::ConfigLoanToValue));
        assert_eq!(
            check(|t| {
                t.liquidation_threshold_bps = 0;
                t.max_ltv_bps = 0;
            }),
            Ok(())
        );
        assert_eq!(check(|t| t.bonus.min_bps = 1_001), Err(RiskError::ConfigBonus));
        assert_eq!(check(|t| t.bonus.max_bps = MAX_BONUS_BPS + 1), Err(RiskError::ConfigBonus));
        assert_eq!(check(|t| t.bonus.protocol_share_bps = 10_001), Err(RiskError::ConfigBonus));
        assert_eq!(check(|t| t.bonus.max_bonus_health_bps = 10_000), Err(RiskError::ConfigBonus));
    }

    #[test]
    fn collateral_terms_at_their_bounds() {
        let check = |change: fn(&mut CollateralTerms)| {
            let mut terms = GOOD;
            change(&mut terms);
            check_collateral(&terms)
        };
        assert_eq!(check(|t| t.base_haircut_bps = t.max_haircut_bps), Ok(()));
        // Half of a threshold of 100 % is left by the haircut, and nothing of the bonus for the keeper.
        assert_eq!(
            check(|t| {
                (t.base_haircut_bps, t.max_haircut_bps, t.liquidation_threshold_bps) = (5_000, 5_000, ONE_BPS);
                (t.bonus.min_bps, t.bonus.max_bps, t.bonus.protocol_share_bps) =
                    (MAX_BONUS_BPS, MAX_BONUS_BPS, ONE_BPS);
            }),
            Ok(())
        );
    }

    #[test]
    fn a_bonus_may_not_lower_health() {
        // 1.1 * 0.98 * 0.85 = 0.9163
        let mut terms = GOOD;
        terms.bonus.max_bonus_health_bps = 9_163;
        assert_eq!(check_collateral(&terms), Err(RiskError::ConfigBonusLowersHealth));
        terms.bonus.max_bonus_health_bps = 9_164;
        assert_eq!(check_collateral(&terms), Ok(()));
        // Exactly as much as the health at which it is largest.
        let bonus = BonusTerms { max_bps: 0, max_bonus_health_bps: 9_000, ..BonusTerms::default() };
        let factor = Fraction::from_bps_floor(9_000);
        assert_eq!(check_bonus_raises_health(&bonus, factor), Ok(()));
        let more = factor.checked_add(Fraction::EPSILON).unwrap();
        assert_eq!(check_bonus_raises_health(&bonus, more), Err(RiskError::ConfigBonusLowersHealth));
    }

    #[test]
    fn a_bonus_that_only_rounding_lets_pass_is_refused() {
        let is_exact = |bps| Fraction::from_bps_floor(bps) == Fraction::from_bps_ceil(bps);
        let mut exact = 0;
        for bonus in (0..=MAX_BONUS_BPS).step_by(100) {
            for threshold in 1..ONE_BPS {
                let seized = (ONE_BPS + bonus) * threshold;
                let health = seized / ONE_BPS;
                if !seized.is_multiple_of(ONE_BPS) || health >= ONE_BPS {
                    continue;
                }
                let bonus_terms = BonusTerms { max_bps: bonus, max_bonus_health_bps: health, ..BonusTerms::default() };
                let terms =
                    GroupTerms { id: 1, max_ltv_bps: 0, liquidation_threshold_bps: threshold, bonus: bonus_terms };
                let representable = is_exact(bonus) && is_exact(threshold);
                exact += u32::from(representable);
                let expected = if representable { Ok(()) } else { Err(RiskError::ConfigBonusLowersHealth) };
                assert_eq!(check_group(&terms, &CollateralTerms::default()), expected, "{terms:?}");
            }
        }
        assert!(exact > 0);
    }

    #[test]
    fn kinked_curves_have_bounds() {
        let check = |change: fn(&mut RateCurve)| {
            let RateModel::Kinked(mut curve) = KINKED else { unreachable!() };
            change(&mut curve);
            check_rates(&RateTerms { model: RateModel::Kinked(curve), reserve_factor_bps: 1_000 })
        };
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|c| c.excess_slope_bps = 99_000), Ok(()));
        assert_eq!(check(|c| c.excess_slope_bps = 99_001), Err(RiskError::ConfigRate));
        assert_eq!(check(|c| c.excess_slope_bps = u32::MAX), Err(RiskError::ConfigRate));
        assert_eq!(check(|c| c.optimal_utilization_bps = 0), Err(RiskError::ConfigRate));
        assert_eq!(check(|c| c.optimal_utilization_bps = 10_000), Err(RiskError::ConfigRate));
    }

    #[test]
    fn adaptive_curves_have_bounds() {
        let check = |change: fn(&mut AdaptiveCurve)| {
            let mut curve = ADAPTIVE;
            change(&mut curve);
            check_rates(&RateTerms { model: RateModel::Adaptive(curve), reserve_factor_bps: 1_000 })
        };
        assert_eq!(check(|_| ()), Ok(()));
        for fine in [
            (|c| c.max_rate_at_target_bps = 25_000) as fn(&mut AdaptiveCurve), // four times that is the largest rate
            |c| c.min_rate_at_target_bps = 1,
            |c| c.min_rate_at_target_bps = 400,
            |c| c.max_rate_at_target_bps = 400,
            |c| c.steepness_bps = MIN_STEEPNESS_BPS,
            |c| {
                c.steepness_bps = MAX_STEEPNESS_BPS;
                c.max_rate_at_target_bps = 10_000;
            },
            |c| c.speed_bps = MAX_SPEED_BPS,
            |c| c.speed_bps = 0,
            |c| c.optimal_utilization_bps = 1,
            |c| c.optimal_utilization_bps = 9_999,
        ] {
            assert_eq!(check(fine), Ok(()));
        }
        for broken in [
            (|c| c.max_rate_at_target_bps = 25_001) as fn(&mut AdaptiveCurve),
            |c| c.max_rate_at_target_bps = u32::MAX,
            |c| c.max_rate_at_target_bps = 399,
            |c| c.min_rate_at_target_bps = 0,
            |c| c.min_rate_at_target_bps = 401,
            |c| c.steepness_bps = MIN_STEEPNESS_BPS - 1,
            |c| {
                c.steepness_bps = MAX_STEEPNESS_BPS + 1;
                c.max_rate_at_target_bps = 400;
            },
            |c| c.speed_bps = MAX_SPEED_BPS + 1,
            |c| c.optimal_utilization_bps = 0,
            |c| c.optimal_utilization_bps = 10_000,
        ] {
            assert_eq!(check(broken), Err(RiskError::ConfigRate));
        }
    }

    #[test]
    fn the_reserve_factor_has_a_bound() {
        for model in [RateModel::Adaptive(ADAPTIVE), KINKED] {
            let check = |reserve_factor_bps| check_rates(&RateTerms { model, reserve_factor_bps });
            assert_eq!(check(5_000), Ok(()));
            assert_eq!(check(5_001), Err(RiskError::ConfigRate));
        }
    }

    /// What the bounds promise to [`crate::interest`] and [`crate::exp`]: at the corners of the terms no rate exceeds the
    /// largest, and a drifting average reaches its limit before [`crate::exp::MAX_RISING`].
    #[test]
    fn adaptive_curves_stay_within_the_largest_rate() {
        for (steepness_bps, max) in [(MIN_STEEPNESS_BPS, 99_009), (MAX_STEEPNESS_BPS, 10_000), (40_000, 25_000)] {
            let curve = AdaptiveCurve {
                optimal_utilization_bps: 1,
                steepness_bps,
                speed_bps: MAX_SPEED_BPS,
                min_rate_at_target_bps: 1,
                max_rate_at_target_bps: max,
                initial_rate_at_target_bps: 1,
            };
            let model = RateModel::Adaptive(curve);
            check_rates(&RateTerms { model, reserve_factor_bps: 0 }).unwrap();
            let rate = model.reprice(&Rate::ZERO, Fraction::ONE).unwrap();
            let largest = Fraction::from_bps_ceil(MAX_RATE_BPS).checked_add(Fraction::from_bits(64)).unwrap();
            assert!(rate.drift.borrow_limit <= largest);
            assert!(rate.borrow.mul_ceil(phi_ceil(MAX_RISING, false).unwrap()).unwrap() > rate.drift.borrow_limit);
        }
    }

    #[test]
    fn group_terms_have_bounds() {
        let good = GroupTerms {
            id: 1,
            max_ltv_bps: 9_000,
            liquidation_threshold_bps: 9_300,
            bonus: BonusTerms { min_bps: 50, max_bps: 200, max_bonus_health_bps: 9_600, protocol_share_bps: 1_000 },
        };
        let check = |change: fn(&mut GroupTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_group(&terms, &GOOD)
        };
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|t| t.max_ltv_bps = 9_300), Err(RiskError::ConfigGroup));
        assert_eq!(check(|t| t.max_ltv_bps = 9_299), Ok(()));
        assert_eq!(check(|t| t.liquidation_threshold_bps = 10_001), Err(RiskError::ConfigGroup));
        // 100 % is a threshold, but no bonus fits above it.
        assert_eq!(check(|t| t.liquidation_threshold_bps = 10_000), Err(RiskError::ConfigBonusLowersHealth));
        assert_eq!(check(|t| t.bonus.max_bps = MAX_BONUS_BPS + 1), Err(RiskError::ConfigBonus));
        // 1.02 * 0.93 = 0.9486
        assert_eq!(check(|t| t.bonus.max_bonus_health_bps = 9_485), Err(RiskError::ConfigBonusLowersHealth));
        assert_eq!(check(|t| t.bonus.max_bonus_health_bps = 9_487), Ok(()));
        assert_eq!(check(|t| t.id = 0), Err(RiskError::ConfigGroup));
        // The ordinary weights are 75 % and 85 %.
        assert_eq!(check(|t| t.max_ltv_bps = 7_500), Ok(()));
        assert_eq!(check(|t| t.max_ltv_bps = 7_499), Err(RiskError::ConfigGroup));
        let threshold = |t: &mut GroupTerms, bps| {
            t.max_ltv_bps = 7_500;
            t.liquidation_threshold_bps = bps;
        };
        let at = |bps| {
            let mut terms = good;
            threshold(&mut terms, bps);
            check_group(&terms, &GOOD)
        };
        assert_eq!(at(8_500), Ok(()));
        assert_eq!(at(8_499), Err(RiskError::ConfigGroup));
        // In no group, and only debt in one.
        for id in [0, 1] {
            let bonus = BonusTerms { protocol_share_bps: 7, ..BonusTerms::default() };
            let none = GroupTerms { id, bonus, ..GroupTerms::default() };
            assert_eq!(check_group(&none, &GOOD), Ok(()));
        }
        assert_eq!(check(|t| (t.max_ltv_bps, t.liquidation_threshold_bps) = (0, 0)), Err(RiskError::ConfigGroup));
    }

    #[test]
    fn fees_and_outflow_limits_have_bounds() {
        assert_eq!(check_fees(MAX_FLASH_FEE_BPS, ONE_BPS), Ok(()));
        assert_eq!(check_fees(MAX_FLASH_FEE_BPS + 1, 0), Err(RiskError::ConfigFee));
        assert_eq!(check_fees(0, ONE_BPS + 1), Err(RiskError::ConfigFee));
        let limits = |hourly, daily| check_outflow(&OutflowLimits { hourly: Amount(hourly), daily: Amount(daily) });
        assert_eq!(limits(1, 1), Ok(()));
        assert_eq!(limits(0, 1), Err(RiskError::ConfigOutflow));
        assert_eq!(limits(1, 0), Err(RiskError::ConfigOutflow));
    }

    #[test]
    fn minted_terms_have_bounds() {
        let good = RedemptionTerms {
            max_health_bps: 12_000,
            min_fee_bps: 50,
            max_fee_bps: 500,
            volume_fee_bps: 5_000,
            half_life: 43_200,
        };
        let check = |change: fn(&mut RedemptionTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_minted(&terms, MAX_SWAP_FEE_BPS, MAX_SWAP_FEE_BPS)
        };
        assert_eq!(check(|_| ()), Ok(()));
        for broken in [
            (|t| t.max_health_bps = MAX_REDEMPTION_HEALTH_BPS + 1) as fn(&mut RedemptionTerms),
            |t| t.min_fee_bps = 501,
            |t| t.max_fee_bps = ONE_BPS,
            |t| t.volume_fee_bps = MAX_VOLUME_FEE_BPS + 1,
            |t| t.half_life = MIN_REDEMPTION_HALF_LIFE - 1,
            |t| t.half_life = MAX_REDEMPTION_HALF_LIFE + 1,
        ] {
            assert_eq!(check(broken), Err(RiskError::ConfigMinted));
        }
        assert_eq!(check(|t| *t = RedemptionTerms::default()), Ok(()), "redemptions may be off");
        assert_eq!(check_minted(&good, MAX_SWAP_FEE_BPS + 1, 0), Err(RiskError::ConfigMinted));
        assert_eq!(check_minted(&good, 0, MAX_SWAP_FEE_BPS + 1), Err(RiskError::ConfigMinted));
        let rate = |model| check_minted_rate(&RateTerms { model, reserve_factor_bps: 0 });
        let fee = RateCurve { base_bps: 500, slope_bps: 0, excess_slope_bps: 0, optimal_utilization_bps: 1 };
        assert_eq!(rate(RateModel::Kinked(fee)), Ok(()));
        assert_eq!(rate(RateModel::Kinked(RateCurve { slope_bps: 1, ..fee })), Err(RiskError::ConfigMinted));
        assert_eq!(rate(RateModel::Kinked(RateCurve { excess_slope_bps: 1, ..fee })), Err(RiskError::ConfigMinted));
        assert_eq!(rate(RateModel::Adaptive(ADAPTIVE)), Err(RiskError::ConfigMinted));
    }

    #[test]
    fn oracle_terms_have_bounds() {
        let good = OracleTerms {
            new_risk: Bounds { max_age: 60, max_confidence_bps: 100 },
            liquidation: Bounds { max_age: 120, max_confidence_bps: 500 },
            confidence_multiple_bps: 10_000,
            max_divergence_bps: 200,
            dead_after: 300,
        };
        let check = |change: fn(&mut OracleTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_oracle(&terms)
        };
        assert_eq!(check(|_| ()), Ok(()));
        for broken in [
            (|t| t.new_risk.max_age = 0) as fn(&mut OracleTerms),
            |t| t.new_risk.max_age = 121,
            |t| t.liquidation.max_age = MAX_AGE_LIQUIDATION + 1,
            |t| {
                t.new_risk.max_age = MAX_AGE_NEW_RISK + 1;
                t.liquidation.max_age = MAX_AGE_NEW_RISK + 1;
            },
            |t| t.new_risk.max_confidence_bps = 0,
            |t| t.new_risk.max_confidence_bps = 501,
            |t| t.liquidation.max_confidence_bps = MAX_CONFIDENCE_BPS + 1,
            |t| t.confidence_multiple_bps = MAX_CONFIDENCE_MULTIPLE_BPS + 1,
            |t| t.dead_after = MIN_DEAD_AFTER - 1,
            |t| t.dead_after = MAX_DEAD_AFTER + 1,
            |t| t.max_divergence_bps = 0,
            |t| t.max_divergence_bps = MAX_DIVERGENCE_BPS + 1,
        ] {
            assert_eq!(check(broken), Err(RiskError::ConfigOracle));
        }
    }

    #[test]
    fn volatility_terms_have_bounds() {
        let good = VolatilityTerms {
            min_interval: 60,
            half_life: 86_400,
            max_return_bps: 2_000,
            multiple_bps: 30_000,
            horizon: 3_600,
        };
        let check = |change: fn(&mut VolatilityTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_volatility(&terms)
        };
        for fine in [
            (|_| ()) as fn(&mut VolatilityTerms),
            |t| t.min_interval = MIN_SAMPLE_INTERVAL,
            |t| t.min_interval = MAX_SAMPLE_INTERVAL,
            |t| t.half_life = MIN_HALF_LIFE,
            |t| t.half_life = MAX_HALF_LIFE,
            |t| t.max_return_bps = 1,
            |t| t.max_return_bps = MAX_RETURN_BPS,
            |t| t.multiple_bps = MAX_VOLATILITY_MULTIPLE_BPS,
            |t| t.horizon = MIN_LIQUIDATION_HORIZON,
            |t| t.horizon = MAX_LIQUIDATION_HORIZON,
            |t| *t = VolatilityTerms::default(),
            |t| *t = VolatilityTerms { multiple_bps: 0, min_interval: u32::MAX, ..*t },
        ] {
            assert_eq!(check(fine), Ok(()));
        }
        for broken in [
            (|t| t.min_interval = MIN_SAMPLE_INTERVAL - 1) as fn(&mut VolatilityTerms),
            |t| t.min_interval = MAX_SAMPLE_INTERVAL + 1,
            |t| t.half_life = MIN_HALF_LIFE - 1,
            |t| t.half_life = MAX_HALF_LIFE + 1,
            |t| {
                t.min_interval = 61;
                t.half_life = 60;
            },
            |t| t.max_return_bps = 0,
            |t| t.max_return_bps = MAX_RETURN_BPS + 1,
            |t| t.multiple_bps = MAX_VOLATILITY_MULTIPLE_BPS + 1,
            |t| t.horizon = MIN_LIQUIDATION_HORIZON - 1,
            |t| t.horizon = MAX_LIQUIDATION_HORIZON + 1,
        ] {
            assert_eq!(check(broken), Err(RiskError::ConfigVolatility));
        }
    }

    #[test]
    fn haircut_terms_have_bounds() {
        let good = HaircutTerms {
            base_bps: 200,
            max_bps: 4_000,
            up_bps_per_hour: 100,
            down_bps_per_hour: 25,
            concentration_bps: 500,
            depth: Amount(1_000_000),
        };
        let check = |change: fn(&mut HaircutTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_haircut(&terms)
        };
        for fine in [
            (|_| ()) as fn(&mut HaircutTerms),
            |t| t.base_bps = 4_000,
            |t| t.max_bps = ONE_BPS,
            |t| t.concentration_bps = ONE_BPS,
            |t| t.depth = Amount::ZERO,
            |t| t.up_bps_per_hour = 1,
            |t| t.up_bps_per_hour = MAX_HAIRCUT_UP_BPS_PER_HOUR,
            |t| t.down_bps_per_hour = 1,
            |t| t.down_bps_per_hour = u32::MAX,
        ] {
            assert_eq!(check(fine), Ok(()));
        }
        assert_eq!(check(|t| t.base_bps = 4_001), Err(RiskError::ConfigHaircut));
        assert_eq!(check(|t| t.max_bps = ONE_BPS + 1), Err(RiskError::ConfigHaircut));
        assert_eq!(check(|t| t.concentration_bps = ONE_BPS + 1), Err(RiskError::ConfigHaircut));
        assert_eq!(check(|t| t.up_bps_per_hour = 0), Err(RiskError::ConfigRamp));
        assert_eq!(check(|t| t.up_bps_per_hour = MAX_HAIRCUT_UP_BPS_PER_HOUR + 1), Err(RiskError::ConfigRamp));
        assert_eq!(check(|t| t.down_bps_per_hour = 0), Err(RiskError::ConfigRamp));
    }

    #[test]
    fn timelocks_and_steps_have_bounds() {
        let none = StepBounds::default();
        for (delay, window) in [(0, MIN_WINDOW), (MIN_DELAY, MAX_WINDOW), (MAX_DELAY, MAX_WINDOW)] {
            assert_eq!(check_governance(delay, window, &none), Ok(()));
        }
        for (delay, window) in [
            (1, MIN_WINDOW),
            (MIN_DELAY - 1, MIN_WINDOW),
            (MAX_DELAY + 1, MIN_WINDOW),
            (0, MIN_WINDOW - 1),
            (0, MAX_WINDOW + 1),
        ] {
            assert_eq!(check_governance(delay, window, &none), Err(RiskError::ConfigGovernance));
        }
        let most = StepBounds {
            cap_bps: MAX_CAP_STEP_BPS,
            outflow_bps: MAX_OUTFLOW_STEP_BPS,
            haircut_bps: MAX_VALUE_STEP_BPS,
            max_ltv_bps: MAX_VALUE_STEP_BPS,
            rate_bps: MAX_RATE_STEP_BPS,
        };
        assert_eq!(check_governance(0, MIN_WINDOW, &most), Ok(()));
        for broken in [
            (|s| s.cap_bps += 1) as fn(&mut StepBounds),
            |s| s.outflow_bps += 1,
            |s| s.haircut_bps += 1,
            |s| s.max_ltv_bps += 1,
            |s| s.rate_bps += 1,
        ] {
            let mut steps = most;
            broken(&mut steps);
            assert_eq!(check_governance(0, MIN_WINDOW, &steps), Err(RiskError::ConfigGovernance));
        }
    }

    #[test]
    fn target_health_is_one_or_a_little_more() {
        assert_eq!(check_target_health(9_999), Err(RiskError::ConfigTargetHealth));
        assert_eq!(check_target_health(10_000), Ok(()));
        assert_eq!(check_target_health(15_000), Ok(()));
        assert_eq!(check_target_health(15_001), Err(RiskError::ConfigTargetHealth));
    }
}
