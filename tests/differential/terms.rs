//! What a configuration means in the risk crate's terms: the model's own translation, so that a field taken for another
//! shows as a difference.

use crate::model::{Outcome, refuse};
use keel::KeelError;
use keel::state::{GroupConfig, MarketParams, MintedConfig, OracleConfig, RateConfig, ReserveConfig};
use keel_risk::change::StepBounds;
use keel_risk::config::{self, CollateralTerms, GroupTerms, OracleTerms};
use keel_risk::haircut::HaircutTerms;
use keel_risk::interest::{AdaptiveCurve, RateCurve, RateModel};
use keel_risk::liquidation::{BonusTerms, Rules};
use keel_risk::outflow::OutflowLimits;
use keel_risk::pool::RateTerms;
use keel_risk::redemption::RedemptionTerms;
use keel_risk::units::{Amount, Usd};
use keel_risk::volatility::VolatilityTerms;
use keel_risk::{Fraction, price::Bounds, price::Purpose};

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

/// What the market demands of liquidations.
pub fn rules(params: &MarketParams) -> Rules {
    Rules {
        target_health: Fraction::from_bps_floor(params.target_health_bps),
        min_position: micro_usd(params.min_position_micro_usd),
        min_bounty: micro_usd(params.min_bounty_micro_usd),
    }
}

/// How far parameters step.
pub fn steps(params: &MarketParams) -> StepBounds {
    let steps = &params.steps;
    StepBounds {
        cap_bps: steps.cap_bps,
        outflow_bps: steps.outflow_bps,
        haircut_bps: steps.haircut_bps,
        max_ltv_bps: steps.max_ltv_bps,
        rate_bps: steps.rate_bps,
    }
}

/// Refuses parameters of a market that it cannot have: positions of more than 1,000 dollars that are dust, flat bounties of
/// more than 100.
pub fn check_market(params: &MarketParams) -> Outcome<()> {
    if params.min_position_micro_usd == 0 || params.min_position_micro_usd > 1_000_000_000 {
        return refuse(KeelError::ConfigMinPosition);
    }
    if params.min_bounty_micro_usd > 100_000_000 {
        return refuse(KeelError::ConfigMinBounty);
    }
    config::check_target_health(params.target_health_bps)?;
    Ok(config::check_governance(params.delay, params.window, &steps(params))?)
}

/// Refuses a configuration that a pooled or a minted reserve cannot have.
pub fn check_reserve(config: &ReserveConfig, minted: bool) -> Outcome<()> {
    if config.rates.model > 1 {
        return refuse(KeelError::ConfigRate);
    }
    config::check_rates(&rates(config))?;
    config::check_fees(config.flash_fee_bps, config.insurance_floor_bps)?;
    config::check_outflow(&outflow(config))?;
    if config.isolated_debt > 1 {
        return refuse(KeelError::ConfigIsolation);
    }
    if minted {
        // It is no collateral, has no feeds and takes no deposits.
        let of_debt = ReserveConfig {
            limits: keel::state::Limits { deposit_cap: 0, isolated_debt_ceiling: 0, ..config.limits },
            oracle: OracleConfig::default(),
            collateral: Default::default(),
            volatility: Default::default(),
            group: GroupConfig { id: config.group.id, ..GroupConfig::default() },
            ..*config
        };
        if of_debt != *config {
            return refuse(KeelError::ConfigMinted);
        }
        config::check_minted_rate(&rates(config))?;
        let fees = &config.minted;
        return Ok(config::check_minted(&redemptions(config), fees.swap_in_fee_bps, fees.swap_out_fee_bps)?);
    }
    if config.oracle.feeds[0].feed_id == [0; 32] {
        return refuse(KeelError::ConfigOracle);
    }
    if config.minted != MintedConfig::default() || config.limits.swap_cap > 0 {
        return refuse(KeelError::ConfigMinted);
    }
    let oracle = &config.oracle;
    config::check_oracle(&OracleTerms {
        new_risk: bounds(config, Purpose::NewRisk),
        liquidation: bounds(config, Purpose::Liquidation),
        confidence_multiple_bps: oracle.confidence_multiple_bps,
        max_divergence_bps: oracle.max_divergence_bps,
        dead_after: oracle.dead_after,
    })?;
    config::check_volatility(&volatility(config))?;
    config::check_haircut(&haircut(config))?;
    let (own, group) = (&config.collateral, &config.group);
    let ordinary = CollateralTerms {
        base_haircut_bps: own.base_haircut_bps,
        max_haircut_bps: own.max_haircut_bps,
        max_ltv_bps: own.max_ltv_bps,
        liquidation_threshold_bps: own.liquidation_threshold_bps,
        bonus: bonus(config, false),
    };
    config::check_collateral(&ordinary)?;
    let grouped = GroupTerms {
        id: group.id,
        max_ltv_bps: group.max_ltv_bps,
        liquidation_threshold_bps: group.liquidation_threshold_bps,
        bonus: bonus(config, true),
    };
    Ok(config::check_group(&grouped, &ordinary)?)
}

fn micro_usd(amount: u64) -> Usd {
    Usd(Fraction::from_integer(amount).div_small_floor(1_000_000).unwrap())
}
