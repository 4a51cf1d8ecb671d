//! What a configuration means in the risk crate's terms: the model's own translation, so that a field taken for another
//! shows as a difference.

use keel::state::{RateConfig, ReserveConfig};
use keel_risk::haircut::HaircutTerms;
use keel_risk::interest::{AdaptiveCurve, RateCurve, RateModel};
use keel_risk::liquidation::{BonusTerms, Rules};
use keel_risk::outflow::OutflowLimits;
use keel_risk::pool::RateTerms;
use keel_risk::redemption::RedemptionTerms;
use keel_risk::units::{Amount, Usd};
use keel_risk::volatility::VolatilityTerms;
use keel_risk::{Fraction, price::Bounds, price::Purpose};
use keel_tests::random::specs::params;

pub fn rates(config: &ReserveConfig) -> RateTerms {
    let rates = &config.rates;
    let model = match rates.model {
        RateConfig::KINKED => RateModel::Kinked(RateCurve {
            base_bps: rates.base_bps,
            slope_bps: rates.slope_bps,
            excess_slope_bps: rates.excess_slope_bps,
            optimal_utilization_bps: rates.optimal_utilization_bps,
        }),
        _ => RateModel::Adaptive(AdaptiveCurve {
            optimal_utilization_bps: rates.optimal_utilization_bps,
            steepness_bps: rates.steepness_bps,
            speed_bps: rates.speed_bps,
            min_rate_at_target_bps: rates.min_at_target_bps,
            max_rate_at_target_bps: rates.max_at_target_bps,
            initial_rate_at_target_bps: rates.initial_at_target_bps,
        }),
    };
    RateTerms { model, reserve_factor_bps: rates.reserve_factor_bps }
}

pub fn haircut(config: &ReserveConfig) -> HaircutTerms {
    HaircutTerms {
        base_bps: config.collateral.base_haircut_bps,
        max_bps: config.collateral.max_haircut_bps,
        up_bps_per_hour: config.volatility.up_bps_per_hour,
        down_bps_per_hour: config.volatility.down_bps_per_hour,
        concentration_bps: config.volatility.concentration_bps,
        depth: Amount(config.limits.depth),
    }
}

pub fn volatility(config: &ReserveConfig) -> VolatilityTerms {
    let terms = &config.volatility;
    VolatilityTerms {
        min_interval: terms.min_interval,
        half_life: terms.half_life,
        max_return_bps: terms.max_return_bps,
        multiple_bps: terms.multiple_bps,
        horizon: terms.horizon,
    }
}

pub fn outflow(config: &ReserveConfig) -> OutflowLimits {
    OutflowLimits { hourly: Amount(config.limits.hourly_outflow), daily: Amount(config.limits.daily_outflow) }
}

/// The bonus of a liquidation that seizes this asset, with the weights of its group or the ordinary ones.
pub fn bonus(config: &ReserveConfig, grouped: bool) -> BonusTerms {
    let (own, group) = (&config.collateral, &config.group);
    let (min_bps, max_bps, max_bonus_health_bps) = if grouped {
        (group.min_bonus_bps, group.max_bonus_bps, group.max_bonus_health_bps)
    } else {
        (own.min_bonus_bps, own.max_bonus_bps, own.max_bonus_health_bps)
    };
    BonusTerms { min_bps, max_bps, max_bonus_health_bps, protocol_share_bps: own.protocol_share_bps }
}

pub fn redemptions(config: &ReserveConfig) -> RedemptionTerms {
    let terms = &config.minted;
    RedemptionTerms {
        max_health_bps: terms.redemption_max_health_bps,
        min_fee_bps: terms.redemption_min_fee_bps,
        max_fee_bps: terms.redemption_max_fee_bps,
        volume_fee_bps: terms.redemption_volume_fee_bps,
        half_life: terms.redemption_half_life,
    }
}

/// How fresh and how certain a price has to be.
pub fn bounds(config: &ReserveConfig, purpose: Purpose) -> Bounds {
    let oracle = &config.oracle;
    match purpose {
        Purpose::NewRisk => {
            Bounds { max_age: oracle.max_age_new_risk, max_confidence_bps: oracle.max_confidence_new_risk_bps }
        }
        Purpose::Liquidation => {
            Bounds { max_age: oracle.max_age_liquidation, max_confidence_bps: oracle.max_confidence_liquidation_bps }
        }
    }
}

/// What the market of the arena demands of liquidations.
pub fn rules() -> Rules {
    let params = params();
    Rules {
        target_health: Fraction::from_bps_floor(params.target_health_bps),
        min_position: micro_usd(params.min_position_micro_usd),
        min_bounty: micro_usd(params.min_bounty_micro_usd),
    }
}

/// Slots for which liquidations wait after a restart.
pub fn restart_grace() -> u64 {
    params().restart_grace_slots
}

fn micro_usd(amount: u64) -> Usd {
    Usd(Fraction::from_integer(amount).div_small_floor(1_000_000).unwrap())
}
