//! What governance sets of a reserve, and its translation to the risk crate's terms.
//!
//! The structs are parts of an account and arguments of instructions. `zero_copy` describes them in the IDL, and so would
//! Anchor's `AnchorSerialize`, a second time; plain Borsh serializes alike.

use super::Outcome;
use crate::errors::KeelError;
use anchor_lang::prelude::*;
use borsh::BorshSerialize;
use keel_risk::config::{self, CollateralTerms, GroupTerms, OracleTerms};
use keel_risk::haircut::HaircutTerms;
use keel_risk::interest::{AdaptiveCurve, RateCurve, RateModel};
use keel_risk::liquidation::BonusTerms;
use keel_risk::outflow::OutflowLimits;
use keel_risk::pool::{Kind, RateTerms};
use keel_risk::price::{Bounds, Purpose};
use keel_risk::redemption::RedemptionTerms;
use keel_risk::units::Amount;
use keel_risk::volatility::VolatilityTerms;

/// Oracles of one reserve, at most.
pub const MAX_FEEDS: usize = 2;

/// One price feed of a reserve.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct FeedConfig {
    /// The feed's identity with the oracle; zeros in an unused second feed.
    pub feed_id: [u8; 32],
    /// The only price account that is accepted, such as a push feed's; zeros for any.
    pub account: Pubkey,
}

/// The oracles of a reserve and what is demanded of them. Both feeds unset for a minted reserve, which is owed at par.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct OracleConfig {
    /// The first is required, the second optional.
    pub feeds: [FeedConfig; MAX_FEEDS],
    /// Maximum age of a price for borrow and withdraw, in seconds.
    pub max_age_new_risk: u32,
    /// Maximum age of a price for a liquidation, in seconds.
    pub max_age_liquidation: u32,
    /// Maximum of confidence / price for borrow and withdraw, in basis points.
    pub max_confidence_new_risk_bps: u32,
    /// Maximum of confidence / price for a liquidation, in basis points.
    pub max_confidence_liquidation_bps: u32,
    /// Multiple of the confidence by which prices are moved for new risk, in basis points.
    pub confidence_multiple_bps: u32,
    /// Largest divergence of two feeds for new risk, in basis points of the lower.
    pub max_divergence_bps: u32,
    /// Seconds after an unanswered challenge at which a feed counts as dead.
    pub dead_after: u32,
}

/// What an asset is worth as collateral, and what its liquidation pays. Basis points.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct CollateralConfig {
    /// Discount in quiet markets.
    pub base_haircut_bps: u32,
    /// The most that volatility and concentration can raise it to.
    pub max_haircut_bps: u32,
    /// Loan to value for new risk, after the haircut.
    pub max_ltv_bps: u32,
    /// Loan to value at which a vault may be liquidated, after the haircut.
    pub liquidation_threshold_bps: u32,
    /// Liquidation bonus just under a health factor of 1.
    pub min_bonus_bps: u32,
    /// Liquidation bonus at `max_bonus_health_bps` and below.
    pub max_bonus_bps: u32,
    /// Health factor at and below which the bonus is largest.
    pub max_bonus_health_bps: u32,
    /// The part of the bonus that goes to insurance.
    pub protocol_share_bps: u32,
}

/// How the haircut follows the market.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct VolatilityConfig {
    /// Least seconds between two samples of the price.
    pub min_interval: u32,
    /// Seconds in which the weight of a sample halves.
    pub half_life: u32,
    /// Largest return that a sample counts as, in basis points.
    pub max_return_bps: u32,
    /// Standard deviations of the price over `horizon` that the haircut covers, in basis points of one.
    pub multiple_bps: u32,
    /// Seconds that a liquidation may take.
    pub horizon: u32,
    /// Fastest rise of the maintenance haircut.
    pub up_bps_per_hour: u32,
    /// Fastest fall of the maintenance haircut.
    pub down_bps_per_hour: u32,
    /// What deposits of `Limits::depth` add to the haircut; more or less in proportion.
    pub concentration_bps: u32,
}

/// The weights of an asset in vaults of its efficiency group whose every debt is in it. They replace haircut and loan to
/// value: the haircut measures moves against the dollar, which the assets of a group share. Basis points.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct GroupConfig {
    /// The group's number; 0 when the asset is in none.
    pub id: u32,
    /// Loan to value for new risk.
    pub max_ltv_bps: u32,
    /// Loan to value at which a vault may be liquidated.
    pub liquidation_threshold_bps: u32,
    /// As in [`CollateralConfig`].
    pub min_bonus_bps: u32,
    /// As in [`CollateralConfig`].
    pub max_bonus_bps: u32,
    /// As in [`CollateralConfig`].
    pub max_bonus_health_bps: u32,
}

/// The interest of a reserve. Yearly rates in basis points.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct RateConfig {
    /// [`Self::KINKED`] or [`Self::ADAPTIVE`].
    pub model: u32,
    /// Kinked: rate at zero utilization. Of a minted reserve the stability fee, with both slopes at zero.
    pub base_bps: u32,
    /// Kinked: what the rate rises up to the optimal utilization.
    pub slope_bps: u32,
    /// Kinked: what it rises beyond, at full utilization.
    pub excess_slope_bps: u32,
    /// Where the curve bends, or what the adaptive curve steers to.
    pub optimal_utilization_bps: u32,
    /// The part of interest that goes to insurance.
    pub reserve_factor_bps: u32,
    /// Adaptive: the rate at full utilization as a multiple of that at the target, and the inverse at zero.
    pub steepness_bps: u32,
    /// Adaptive: how fast the rate at the target drifts at full error, in e-folds per year.
    pub speed_bps: u32,
    /// Adaptive: least rate at the target.
    pub min_at_target_bps: u32,
    /// Adaptive: largest rate at the target.
    pub max_at_target_bps: u32,
    /// Adaptive: what the rate at the target starts at.
    pub initial_at_target_bps: u32,
}

/// How much a reserve takes on and lets out. Native units where nothing else is said.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most that may be supplied.
    pub deposit_cap: u64,
    /// Most that may be owed; of a minted reserve the debt ceiling.
    pub borrow_cap: u64,
    /// Most that may leave by withdrawals and loans at once and per hour, less what comes in; `u64::MAX` for no limit.
    pub hourly_outflow: u64,
    /// The same per day.
    pub daily_outflow: u64,
    /// What the market can absorb: the deposits at which concentration adds `concentration_bps`. 0 for no such term.
    pub depth: u64,
    /// Isolated collateral backs at most this debt, in millionths of a dollar. 0 when the asset is not isolated.
    pub isolated_debt_ceiling: u64,
    /// Most that the swap of a minted reserve may hold.
    pub swap_cap: u64,
}

/// What concerns a minted reserve alone. Basis points.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct MintedConfig {
    /// Fee for minting against the swap's asset.
    pub swap_in_fee_bps: u32,
    /// Fee for burning for the swap's asset.
    pub swap_out_fee_bps: u32,
    /// Vaults with a health factor below this may be redeemed from; 0 switches redemptions off.
    pub redemption_max_health_bps: u32,
    /// Least fee of a redemption.
    pub redemption_min_fee_bps: u32,
    /// Largest fee of a redemption.
    pub redemption_max_fee_bps: u32,
    /// By how much a redemption of all tokens would raise the fee.
    pub redemption_volume_fee_bps: u32,
    /// Seconds in which that rise halves.
    pub redemption_half_life: u32,
}

/// Everything that governance sets of a reserve.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct ReserveConfig {
    pub limits: Limits,
    pub oracle: OracleConfig,
    pub collateral: CollateralConfig,
    pub volatility: VolatilityConfig,
    pub group: GroupConfig,
    pub rates: RateConfig,
    pub minted: MintedConfig,
    /// Fee of a flash loan, in basis points of it.
    pub flash_fee_bps: u32,
    /// Governance may withdraw insurance above this part of what is owed, in basis points.
    pub insurance_floor_bps: u32,
    /// 1 when a vault that owes this asset may owe no other.
    pub isolated_debt: u32,
}

const _: () = assert!(size_of::<ReserveConfig>() == 56 + 156 + 32 + 32 + 24 + 44 + 28 + 12);

impl FeedConfig {
    /// Whether the feed is configured.
    pub fn is_set(&self) -> bool {
        self.feed_id != [0; 32]
    }

    /// Whether only one price account is accepted.
    pub fn is_pinned(&self) -> bool {
        self.account != Pubkey::default()
    }
}

impl OracleConfig {
    /// How many feeds are configured: 1 or 2, or 0 for a minted reserve.
    pub fn feed_count(&self) -> usize {
        let [first, second] = &self.feeds;
        match (first.is_set(), second.is_set()) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }

    /// The configured feeds.
    pub fn active_feeds(&self) -> impl Iterator<Item = &FeedConfig> {
        self.feeds.iter().take(self.feed_count())
    }

    /// What is demanded of a price for a purpose.
    pub fn bounds(&self, purpose: Purpose) -> Bounds {
        match purpose {
            Purpose::NewRisk => {
                Bounds { max_age: self.max_age_new_risk, max_confidence_bps: self.max_confidence_new_risk_bps }
            }
            Purpose::Liquidation => {
                Bounds { max_age: self.max_age_liquidation, max_confidence_bps: self.max_confidence_liquidation_bps }
            }
        }
    }

    fn terms(&self) -> OracleTerms {
        OracleTerms {
            new_risk: self.bounds(Purpose::NewRisk),
            liquidation: self.bounds(Purpose::Liquidation),
            confidence_multiple_bps: self.confidence_multiple_bps,
            max_divergence_bps: self.max_divergence_bps,
            dead_after: self.dead_after,
        }
    }
}

impl RateConfig {
    /// A base rate and two slopes.
    pub const KINKED: u32 = 0;
    /// A rate at the target utilization that drifts with the distance from it.
    pub const ADAPTIVE: u32 = 1;
}

impl ReserveConfig {
    /// Refuses a configuration that could not work; the conditions are in [`keel_risk::config`].
    pub fn validate(&self, kind: Kind) -> Outcome<()> {
        self.rates.check_model()?;
        config::check_rates(&self.rate_terms())?;
        config::check_fees(self.flash_fee_bps, self.insurance_floor_bps)?;
        config::check_outflow(&self.outflow_limits())?;
        if self.isolated_debt > 1 {
            return Err(KeelError::ConfigIsolation);
        }
        match kind {
            Kind::Pooled => {
                if self.oracle.feed_count() == 0 {
                    return Err(KeelError::ConfigOracle);
                }
                if self.minted != MintedConfig::default() || self.limits.swap_cap != 0 {
                    return Err(KeelError::ConfigMinted);
                }
                config::check_oracle(&self.oracle.terms())?;
                config::check_volatility(&self.volatility_terms())?;
                config::check_haircut(&self.haircut_terms())?;
                config::check_collateral(&self.collateral_terms())?;
                config::check_group(&self.group_terms(), &self.collateral_terms())?;
            }
            Kind::Minted => {
                let as_collateral = self.collateral == CollateralConfig::default()
                    && self.volatility == VolatilityConfig::default()
                    && self.group == GroupConfig { id: self.group.id, ..GroupConfig::default() }
                    && self.limits.isolated_debt_ceiling == 0
                    && self.limits.deposit_cap == 0;
                if self.oracle != OracleConfig::default() || !as_collateral {
                    return Err(KeelError::ConfigMinted);
                }
                config::check_minted_rate(&self.rate_terms())?;
                config::check_minted(
                    &self.redemption_terms(),
                    self.minted.swap_in_fee_bps,
                    self.minted.swap_out_fee_bps,
                )?;
            }
        }
        Ok(())
    }

    /// The same without caps, which is how an asset is listed.
    pub fn without_caps(&self) -> Self {
        let mut config = *self;
        (config.limits.deposit_cap, config.limits.borrow_cap, config.limits.swap_cap) = (0, 0, 0);
        config
    }

    /// The haircut, the loan to value and the bonus.
    pub fn collateral_terms(&self) -> CollateralTerms {
        let c = &self.collateral;
        CollateralTerms {
            base_haircut_bps: c.base_haircut_bps,
            max_haircut_bps: c.max_haircut_bps,
            max_ltv_bps: c.max_ltv_bps,
            liquidation_threshold_bps: c.liquidation_threshold_bps,
            bonus: self.bonus_terms(),
        }
    }

    /// The weights in the efficiency group.
    pub fn group_terms(&self) -> GroupTerms {
        let g = &self.group;
        GroupTerms {
            id: g.id,
            max_ltv_bps: g.max_ltv_bps,
            liquidation_threshold_bps: g.liquidation_threshold_bps,
            bonus: self.group_bonus_terms(),
        }
    }

    /// The liquidation bonus with ordinary weights.
    pub fn bonus_terms(&self) -> BonusTerms {
        let c = &self.collateral;
        BonusTerms {
            min_bps: c.min_bonus_bps,
            max_bps: c.max_bonus_bps,
            max_bonus_health_bps: c.max_bonus_health_bps,
            protocol_share_bps: c.protocol_share_bps,
        }
    }

    /// The liquidation bonus with the group's weights.
    pub fn group_bonus_terms(&self) -> BonusTerms {
        let g = &self.group;
        BonusTerms {
            min_bps: g.min_bonus_bps,
            max_bps: g.max_bonus_bps,
            max_bonus_health_bps: g.max_bonus_health_bps,
            protocol_share_bps: self.collateral.protocol_share_bps,
        }
    }

    /// How the price is sampled.
    pub fn volatility_terms(&self) -> VolatilityTerms {
        let v = &self.volatility;
        VolatilityTerms {
            min_interval: v.min_interval,
            half_life: v.half_life,
            max_return_bps: v.max_return_bps,
            multiple_bps: v.multiple_bps,
            horizon: v.horizon,
        }
    }

    /// Where the haircut goes, and how fast.
    pub fn haircut_terms(&self) -> HaircutTerms {
        HaircutTerms {
            base_bps: self.collateral.base_haircut_bps,
            max_bps: self.collateral.max_haircut_bps,
            up_bps_per_hour: self.volatility.up_bps_per_hour,
            down_bps_per_hour: self.volatility.down_bps_per_hour,
            concentration_bps: self.volatility.concentration_bps,
            depth: Amount(self.limits.depth),
        }
    }

    /// What may leave within an hour and a day.
    pub fn outflow_limits(&self) -> OutflowLimits {
        OutflowLimits { hourly: Amount(self.limits.hourly_outflow), daily: Amount(self.limits.daily_outflow) }
    }

    /// What redemptions cost and whom they may touch.
    pub fn redemption_terms(&self) -> RedemptionTerms {
        let m = &self.minted;
        RedemptionTerms {
            max_health_bps: m.redemption_max_health_bps,
            min_fee_bps: m.redemption_min_fee_bps,
            max_fee_bps: m.redemption_max_fee_bps,
            volume_fee_bps: m.redemption_volume_fee_bps,
            half_life: m.redemption_half_life,
        }
    }

    /// The rate model and the reserve factor.
    pub fn rate_terms(&self) -> RateTerms {
        let r = &self.rates;
        let model = if r.model == RateConfig::ADAPTIVE {
            RateModel::Adaptive(AdaptiveCurve {
                optimal_utilization_bps: r.optimal_utilization_bps,
                steepness_bps: r.steepness_bps,
                speed_bps: r.speed_bps,
                min_rate_at_target_bps: r.min_at_target_bps,
                max_rate_at_target_bps: r.max_at_target_bps,
                initial_rate_at_target_bps: r.initial_at_target_bps,
            })
        } else {
            RateModel::Kinked(RateCurve {
                base_bps: r.base_bps,
                slope_bps: r.slope_bps,
                excess_slope_bps: r.excess_slope_bps,
                optimal_utilization_bps: r.optimal_utilization_bps,
            })
        };
        RateTerms { model, reserve_factor_bps: r.reserve_factor_bps }
    }
}

impl RateConfig {
    fn check_model(&self) -> Outcome<()> {
        if self.model > Self::ADAPTIVE { Err(KeelError::ConfigRate) } else { Ok(()) }
    }
}
