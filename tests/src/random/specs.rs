//! What the market of an arena lists, and under which rules.

use crate::world::{AssetSpec, market_params};
use keel::state::{
    GroupConfig, Limits, MarketParams, MintedConfig, RateConfig, ReserveConfig, StepConfig, VolatilityConfig,
};
use keel_client::token;

/// Whole tokens that a user starts with: about 200,000 dollars of each pooled asset.
pub const WEALTH: [u64; 6] = [1_000, 200_000, 3, 70, 4_000, 0];
/// Number of the asset that the swap holds.
pub const SWAPPED: usize = 1;
/// Number of the minted asset.
pub const MINTED: usize = 5;

/// The market: a small debt pays its keeper 2 dollars; the risk steward may step. It is being set up: there is no notice yet.
pub fn params() -> MarketParams {
    let steps = StepConfig { cap_bps: 2_000, outflow_bps: 1_000, haircut_bps: 50, max_ltv_bps: 100, rate_bps: 500 };
    MarketParams { min_bounty_micro_usd: 2_000_000, steps, ..market_params() }
}

/// The assets. None has the limits and rates of another:
///
/// | | |
/// |---|---|
/// | 0 | 9 decimals; a haircut that follows the market; both outflow limits; in group 1; flash loans are free |
/// | 1 | 6 decimals, a dollar; both outflow limits; in group 2 |
/// | 2 | Token-2022; a haircut that follows deposits; an outflow limit by the day |
/// | 3 | two feeds; a rate that follows demand; a haircut that follows market and deposits; in group 1 |
/// | 4 | a native unit of half a dollar; caps that bind; a low threshold; an outflow limit by the hour; only debt in group 1 |
/// | 5 | the minted one, see [`minted`]; only debt in group 2 |
///
/// With an odd `seed`, 4 is isolated as collateral and 2 as debt.
pub fn specs(seed: u64) -> [AssetSpec; 5] {
    let mut sol = AssetSpec::sol();
    sol.config.collateral.max_haircut_bps = 2_000;
    sol.config.volatility = VolatilityConfig { multiple_bps: 15_000, half_life: 7_200, ..FOLLOWS };
    sol.config.limits = Limits { hourly_outflow: whole(1_500, 9), daily_outflow: whole(4_500, 9), ..sol.config.limits };

    let mut usdc = AssetSpec::usdc();
    usdc.config.limits =
        Limits { hourly_outflow: whole(300_000, 6), daily_outflow: whole(900_000, 6), ..usdc.config.limits };

    let mut btc = AssetSpec { token_program: token::TOKEN_2022_PROGRAM, ..AssetSpec::new(8, 60_000_00) };
    btc.config.collateral.max_ltv_bps = 7_000;
    btc.config.collateral.liquidation_threshold_bps = 8_000;
    btc.config.volatility = VolatilityConfig { concentration_bps: 800, ..btc.config.volatility };
    btc.config.limits = Limits { depth: whole(6, 8), daily_outflow: whole(15, 8), ..btc.config.limits };

    let mut eth = AssetSpec { feeds: 2, ..AssetSpec::new(8, 3_000_00) };
    eth.config.collateral.max_haircut_bps = 2_500;
    eth.config.volatility = VolatilityConfig { multiple_bps: 10_000, concentration_bps: 300, ..FOLLOWS };
    eth.config.limits.depth = whole(150, 8);
    eth.config.rates =
        RateConfig { optimal_utilization_bps: 6_000, reserve_factor_bps: 1_500, ..adaptive(&eth.config.rates) };

    let mut coarse = AssetSpec::new(2, 50_00);
    coarse.config.limits =
        Limits { deposit_cap: 2_500_000, borrow_cap: 600_000, hourly_outflow: whole(5_000, 2), ..coarse.config.limits };
    coarse.config.collateral.max_ltv_bps = 4_000;
    coarse.config.collateral.liquidation_threshold_bps = 6_000;
    coarse.config.collateral.max_bonus_bps = 2_500;
    coarse.config.rates = RateConfig { base_bps: 300, reserve_factor_bps: 5_000, ..coarse.config.rates };

    sol.config.group = PAIR;
    eth.config.group = PAIR;
    coarse.config.group.id = PAIR.id;
    usdc.config.group = DOLLARS;
    if seed % 2 == 1 {
        coarse.config.limits.isolated_debt_ceiling = 60_000_000_000;
        btc.config.isolated_debt = 1;
    }
    usdc.config.flash_fee_bps = 9;
    btc.config.flash_fee_bps = 1;
    eth.config.flash_fee_bps = 100;
    coarse.config.flash_fee_bps = 30;

    let mut specs = [sol, usdc, btc, eth, coarse];
    for spec in &mut specs {
        spec.config.oracle.dead_after = 60;
        spec.config.insurance_floor_bps = 20;
        // What the other model of rates would have, so that a change of the model alone is one that works.
        let rates = &mut spec.config.rates;
        if rates.model == RateConfig::KINKED {
            *rates = RateConfig { model: rates.model, ..adaptive(rates) };
        }
    }
    specs
}

/// Rates that follow demand, and beside them those of `kinked`.
fn adaptive(kinked: &RateConfig) -> RateConfig {
    RateConfig {
        model: RateConfig::ADAPTIVE,
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_at_target_bps: 10,
        max_at_target_bps: 20_000,
        initial_at_target_bps: 400,
        ..*kinked
    }
}

/// The market's own token: its ceiling and the swap's cap bind now and then, and vaults that borrowed as much as they can
/// are open to redemption at once.
pub fn minted() -> ReserveConfig {
    ReserveConfig {
        limits: Limits {
            borrow_cap: whole(600_000, 6),
            swap_cap: whole(120_000, 6),
            hourly_outflow: whole(300_000, 6),
            daily_outflow: u64::MAX,
            ..Limits::default()
        },
        rates: RateConfig { base_bps: 2_000, optimal_utilization_bps: 5_000, ..RateConfig::default() },
        minted: MintedConfig {
            swap_in_fee_bps: 20,
            swap_out_fee_bps: 30,
            redemption_max_health_bps: 12_000,
            redemption_min_fee_bps: 50,
            redemption_max_fee_bps: 800,
            redemption_volume_fee_bps: 10_000,
            redemption_half_life: 7_200,
        },
        group: GroupConfig { id: DOLLARS.id, ..GroupConfig::default() },
        flash_fee_bps: 5,
        insurance_floor_bps: 10,
        ..ReserveConfig::default()
    }
}

/// Weights in the group of assets that move together.
const PAIR: GroupConfig = GroupConfig {
    id: 1,
    max_ltv_bps: 8_800,
    liquidation_threshold_bps: 9_200,
    min_bonus_bps: 100,
    max_bonus_bps: 300,
    max_bonus_health_bps: 9_500,
};

/// Weights of a dollar against debts in dollars.
const DOLLARS: GroupConfig = GroupConfig {
    id: 2,
    max_ltv_bps: 9_300,
    liquidation_threshold_bps: 9_600,
    min_bonus_bps: 50,
    max_bonus_bps: 150,
    max_bonus_health_bps: 9_750,
};

/// A haircut that covers what the price moves by in a quarter of an hour.
const FOLLOWS: VolatilityConfig = VolatilityConfig {
    min_interval: 60,
    half_life: 21_600,
    max_return_bps: 1_000,
    multiple_bps: 0,
    horizon: 900,
    up_bps_per_hour: 400,
    down_bps_per_hour: 100,
    concentration_bps: 0,
};

/// `n` whole tokens of so many decimals.
fn whole(n: u64, decimals: u32) -> u64 {
    n * 10u64.pow(decimals)
}
