//! Which risk parameters are coherent. Every bound is a named constant, so that a refusal can be looked up.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::health::collateral_factor;
use crate::liquidation::BonusTerms;
use crate::pool::RateTerms;
use crate::price::Bounds;

/// 100 % in basis points.
pub const ONE_BPS: u32 = 10_000;
/// Largest yearly rate of a curve: 1,000 %. At this rate and full utilization an index grows 2.2e4-fold in a year.
pub const MAX_RATE_BPS: u32 = 100_000;
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
    let bonus = &terms.bonus;
    if bonus.min_bps > bonus.max_bps
        || bonus.max_bps > MAX_BONUS_BPS
        || bonus.protocol_share_bps > ONE_BPS
        || bonus.max_bonus_health_bps >= ONE_BPS
    {
        return Err(RiskError::ConfigBonus);
    }
    // The factor is largest at the smallest haircut. Rounded up, so that the condition holds exactly.
    let factor = collateral_factor(Fraction::from_bps_floor(terms.base_haircut_bps), terms.liquidation_threshold_bps)?
        .checked_add(Fraction::from_bits(4))?;
    let seized = Fraction::ONE.checked_add(Fraction::from_bps_ceil(bonus.max_bps))?.mul_ceil(factor)?;
    if is_collateral && seized > Fraction::from_bps_floor(bonus.max_bonus_health_bps) {
        return Err(RiskError::ConfigBonusLowersHealth);
    }
    Ok(())
}

/// Whether rate terms are coherent.
///
/// # Errors
/// `ConfigRate`.
pub fn check_rates(terms: &RateTerms) -> Result<()> {
    let curve = &terms.curve;
    let top = [curve.base_bps, curve.slope_bps, curve.excess_slope_bps].into_iter().try_fold(0u32, u32::checked_add);
    let bends_inside = curve.optimal_utilization_bps > 0 && curve.optimal_utilization_bps < ONE_BPS;
    match top {
        Some(top) if top <= MAX_RATE_BPS && bends_inside && terms.reserve_factor_bps <= MAX_RESERVE_FACTOR_BPS => {
            Ok(())
        }
        _ => Err(RiskError::ConfigRate),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::RateCurve;

    const GOOD: CollateralTerms = CollateralTerms {
        base_haircut_bps: 200,
        max_haircut_bps: 4_000,
        max_ltv_bps: 7_500,
        liquidation_threshold_bps: 8_500,
        bonus: BonusTerms { min_bps: 200, max_bps: 1_000, max_bonus_health_bps: 9_500, protocol_share_bps: 1_000 },
    };

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
    fn a_bonus_may_not_lower_health() {
        // 1.1 * 0.98 * 0.85 = 0.9163
        let mut terms = GOOD;
        terms.bonus.max_bonus_health_bps = 9_163;
        assert_eq!(check_collateral(&terms), Err(RiskError::ConfigBonusLowersHealth));
        terms.bonus.max_bonus_health_bps = 9_164;
        assert_eq!(check_collateral(&terms), Ok(()));
    }

    #[test]
    fn rate_terms_have_bounds() {
        let good = RateTerms {
            curve: RateCurve { base_bps: 0, slope_bps: 1_000, excess_slope_bps: 9_000, optimal_utilization_bps: 8_000 },
            reserve_factor_bps: 1_000,
        };
        let check = |change: fn(&mut RateTerms)| {
            let mut terms = good;
            change(&mut terms);
            check_rates(&terms)
        };
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|t| t.curve.excess_slope_bps = 99_000), Ok(()));
        assert_eq!(check(|t| t.curve.excess_slope_bps = 99_001), Err(RiskError::ConfigRate));
        assert_eq!(check(|t| t.curve.excess_slope_bps = u32::MAX), Err(RiskError::ConfigRate));
        assert_eq!(check(|t| t.curve.optimal_utilization_bps = 0), Err(RiskError::ConfigRate));
        assert_eq!(check(|t| t.curve.optimal_utilization_bps = 10_000), Err(RiskError::ConfigRate));
        assert_eq!(check(|t| t.reserve_factor_bps = 5_000), Ok(()));
        assert_eq!(check(|t| t.reserve_factor_bps = 5_001), Err(RiskError::ConfigRate));
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
    fn target_health_is_one_or_a_little_more() {
        assert_eq!(check_target_health(9_999), Err(RiskError::ConfigTargetHealth));
        assert_eq!(check_target_health(10_000), Ok(()));
        assert_eq!(check_target_health(15_000), Ok(()));
        assert_eq!(check_target_health(15_001), Err(RiskError::ConfigTargetHealth));
    }
}
