//! The tables that become parameters of the program, and how.

use super::{Asset, Scenario};
use crate::BadInput;
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel::instructions::admin::MINTED_DECIMALS;
use keel::state::{
    CollateralConfig, DEFAULT_WINDOW, FeedConfig, GroupConfig, Kind, Limits, MarketParams, MintedConfig, OracleConfig,
    RateConfig, ReserveConfig, StepConfig, VolatilityConfig,
};
use keel_client::price_update::PYTH_RECEIVER;
use serde::Deserialize;

/// Parameters of the market.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    target_health_bps: u32,
    pub(super) min_position_usd: u64,
    min_bounty_usd: u64,
    restart_grace_slots: u64,
    /// Of every reserve.
    #[serde(default)]
    flash_fee_bps: u32,
}

/// How haircuts follow the market.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Volatility {
    min_interval: u32,
    half_life: u32,
    max_return_bps: u32,
    multiple_bps: u32,
    horizon: u32,
    up_bps_per_hour: u32,
    down_bps_per_hour: u32,
}

impl Default for Volatility {
    /// Nothing is measured and nothing moves, though the program wants to know how fast.
    fn default() -> Self {
        Self {
            min_interval: 0,
            half_life: 0,
            max_return_bps: 0,
            multiple_bps: 0,
            horizon: 0,
            up_bps_per_hour: 1,
            down_bps_per_hour: 1,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oracle {
    max_age_new_risk: u32,
    max_age_liquidation: u32,
    max_confidence_new_risk_bps: u32,
    max_confidence_liquidation_bps: u32,
    confidence_multiple_bps: u32,
    dead_after: u32,
    pub(super) ema_minutes: f64,
}

/// The market's own token, minted to whoever borrows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minted {
    /// Its name.
    pub symbol: String,
    /// Symbol of the asset that it is swapped with.
    pub swap: String,
    /// What the keeper with capital swaps in at the beginning, dollars.
    pub swapped_usd: f64,
    debt_ceiling: u64,
    swap_cap: u64,
    stability_fee_bps: u32,
    swap_in_fee_bps: u32,
    swap_out_fee_bps: u32,
    #[serde(default)]
    redemption: Redemption,
}

/// Switched off unless the scenario says otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redemption {
    max_health_bps: u32,
    min_fee_bps: u32,
    max_fee_bps: u32,
    volume_fee_bps: u32,
    half_life: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Collateral {
    haircut_bps: u32,
    max_haircut_bps: u32,
    max_ltv_bps: u32,
    liquidation_threshold_bps: u32,
    min_bonus_bps: u32,
    max_bonus_bps: u32,
    max_bonus_health_bps: u32,
    protocol_share_bps: u32,
}

/// The weights of an asset in vaults of its efficiency group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EfficiencyGroup {
    id: u32,
    max_ltv_bps: u32,
    liquidation_threshold_bps: u32,
    min_bonus_bps: u32,
    max_bonus_bps: u32,
    max_bonus_health_bps: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    base_bps: u32,
    slope_bps: u32,
    excess_slope_bps: u32,
    optimal_utilization_bps: u32,
    reserve_factor_bps: u32,
}

/// Native units of so many whole tokens.
fn cap(tokens: u64, decimals: u8) -> u64 {
    tokens.saturating_mul(10u64.saturating_pow(decimals.into()))
}

impl Volatility {
    fn config(&self) -> VolatilityConfig {
        VolatilityConfig {
            min_interval: self.min_interval,
            half_life: self.half_life,
            max_return_bps: self.max_return_bps,
            multiple_bps: self.multiple_bps,
            horizon: self.horizon,
            up_bps_per_hour: self.up_bps_per_hour,
            down_bps_per_hour: self.down_bps_per_hour,
            concentration_bps: 0,
        }
    }
}

impl Oracle {
    fn config(&self, feed: FeedConfig) -> OracleConfig {
        let mut feeds = [FeedConfig::default(); 2];
        feeds[0] = feed;
        OracleConfig {
            feeds,
            max_age_new_risk: self.max_age_new_risk,
            max_age_liquidation: self.max_age_liquidation,
            max_confidence_new_risk_bps: self.max_confidence_new_risk_bps,
            max_confidence_liquidation_bps: self.max_confidence_liquidation_bps,
            confidence_multiple_bps: self.confidence_multiple_bps,
            max_divergence_bps: 500,
            dead_after: self.dead_after,
        }
    }
}

impl Collateral {
    fn config(&self) -> CollateralConfig {
        CollateralConfig {
            base_haircut_bps: self.haircut_bps,
            max_haircut_bps: self.max_haircut_bps,
            max_ltv_bps: self.max_ltv_bps,
            liquidation_threshold_bps: self.liquidation_threshold_bps,
            min_bonus_bps: self.min_bonus_bps,
            max_bonus_bps: self.max_bonus_bps,
            max_bonus_health_bps: self.max_bonus_health_bps,
            protocol_share_bps: self.protocol_share_bps,
        }
    }
}

impl EfficiencyGroup {
    fn config(&self) -> GroupConfig {
        GroupConfig {
            id: self.id,
            max_ltv_bps: self.max_ltv_bps,
            liquidation_threshold_bps: self.liquidation_threshold_bps,
            min_bonus_bps: self.min_bonus_bps,
            max_bonus_bps: self.max_bonus_bps,
            max_bonus_health_bps: self.max_bonus_health_bps,
        }
    }
}

impl Rates {
    fn config(&self) -> RateConfig {
        RateConfig {
            base_bps: self.base_bps,
            slope_bps: self.slope_bps,
            excess_slope_bps: self.excess_slope_bps,
            optimal_utilization_bps: self.optimal_utilization_bps,
            reserve_factor_bps: self.reserve_factor_bps,
            ..RateConfig::default()
        }
    }
}

impl Minted {
    fn config(&self) -> MintedConfig {
        let r = &self.redemption;
        MintedConfig {
            swap_in_fee_bps: self.swap_in_fee_bps,
            swap_out_fee_bps: self.swap_out_fee_bps,
            redemption_max_health_bps: r.max_health_bps,
            redemption_min_fee_bps: r.min_fee_bps,
            redemption_max_fee_bps: r.max_fee_bps,
            redemption_volume_fee_bps: r.volume_fee_bps,
            redemption_half_life: r.half_life,
        }
    }
}

impl Scenario {
    /// What the market starts with. Changes need no notice: it is played through in minutes.
    pub fn market_params(&self) -> MarketParams {
        MarketParams {
            price_receiver: PYTH_RECEIVER,
            target_health_bps: self.market.target_health_bps,
            min_position_micro_usd: self.market.min_position_usd.saturating_mul(1_000_000),
            restart_grace_slots: self.market.restart_grace_slots,
            min_bounty_micro_usd: self.market.min_bounty_usd.saturating_mul(1_000_000),
            delay: 0,
            window: DEFAULT_WINDOW,
            steps: StepConfig::default(),
        }
    }

    /// What the reserve of `asset` starts with, with one feed that is pinned to `account`.
    pub fn reserve_config(&self, asset: &Asset, feed_id: [u8; 32], account: Pubkey) -> Result<ReserveConfig> {
        let volatility = asset.volatility.as_ref().unwrap_or(&self.volatility);
        let config = ReserveConfig {
            limits: Limits {
                deposit_cap: cap(asset.deposit_cap, asset.decimals),
                borrow_cap: cap(asset.borrow_cap, asset.decimals),
                hourly_outflow: u64::MAX,
                daily_outflow: u64::MAX,
                ..Limits::default()
            },
            oracle: self.oracle.config(FeedConfig { feed_id, account }),
            collateral: asset.collateral.config(),
            group: asset.group.as_ref().map(EfficiencyGroup::config).unwrap_or_default(),
            rates: asset.rates.config(),
            volatility: volatility.config(),
            flash_fee_bps: self.market.flash_fee_bps,
            ..ReserveConfig::default()
        };
        self.validated(config, Kind::Pooled, &format!("assets, {}", asset.symbol))
    }

    /// What the minted reserve starts with.
    pub fn minted_config(&self, minted: &Minted) -> Result<ReserveConfig> {
        let config = ReserveConfig {
            limits: Limits {
                borrow_cap: cap(minted.debt_ceiling, MINTED_DECIMALS),
                swap_cap: cap(minted.swap_cap, MINTED_DECIMALS),
                hourly_outflow: u64::MAX,
                daily_outflow: u64::MAX,
                ..Limits::default()
            },
            rates: RateConfig {
                base_bps: minted.stability_fee_bps,
                // Means nothing without slopes, but has to be inside of the curve.
                optimal_utilization_bps: 8_000,
                ..RateConfig::default()
            },
            minted: minted.config(),
            flash_fee_bps: self.market.flash_fee_bps,
            ..ReserveConfig::default()
        };
        self.validated(config, Kind::Minted, "minted")
    }

    fn validated(&self, config: ReserveConfig, kind: Kind, place: &str) -> Result<ReserveConfig> {
        config.validate(kind).map_err(|error| BadInput::error(format!("{}: {place}: {error}", self.name)))?;
        Ok(config)
    }
}
