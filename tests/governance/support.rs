//! A market whose changes need two days' notice, with reserves in which every parameter can move in both directions.

use keel::state::{
    Change, Limits, MarketParams, MintedConfig, RateConfig, ReserveConfig, StepConfig, VolatilityConfig,
};
use keel::state::{GroupConfig, Slot};
use keel_client::instruction;
use keel_risk::change::{Effect, Meaning, Move};
use keel_tests::{AssetSpec, LiteChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A world on LiteSVM.
pub type Lite = World<LiteChain>;

/// Two days.
pub const DELAY: i64 = 2 * 86_400;

/// The pooled reserve of [`noticed`].
pub const POOLED: usize = 0;
/// Its minted one.
pub const MINTED: usize = 1;

/// Parameters of the market none of which is at its bound.
pub fn params() -> MarketParams {
    MarketParams {
        delay: 2 * 86_400,
        window: 3 * 86_400,
        min_bounty_micro_usd: 1_000_000,
        steps: StepConfig { cap_bps: 7, outflow_bps: 7, haircut_bps: 7, max_ltv_bps: 7, rate_bps: 7 },
        ..keel_tests::world::market_params()
    }
}

/// An asset with two feeds and no parameter at its bound.
pub fn spec() -> AssetSpec {
    let mut spec = AssetSpec { feeds: 2, ..AssetSpec::sol() };
    let config = &mut spec.config;
    config.limits = Limits {
        deposit_cap: 1_000_000,
        borrow_cap: 1_000_000,
        hourly_outflow: 1_000_000,
        daily_outflow: 1_000_000,
        depth: 1_000_000,
        isolated_debt_ceiling: 1_000_000,
        swap_cap: 0,
    };
    config.volatility = VolatilityConfig { multiple_bps: 10_000, concentration_bps: 100, ..config.volatility };
    config.group = GroupConfig {
        id: 1,
        max_ltv_bps: 8_800,
        liquidation_threshold_bps: 9_200,
        min_bonus_bps: 100,
        max_bonus_bps: 200,
        max_bonus_health_bps: 9_500,
    };
    config.rates = RateConfig {
        model: RateConfig::KINKED,
        base_bps: 100,
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_at_target_bps: 10,
        max_at_target_bps: 5_000,
        initial_at_target_bps: 400,
        ..config.rates
    };
    (config.flash_fee_bps, config.insurance_floor_bps) = (9, 50);
    spec
}

/// The market's own token, no parameter of which is at its bound.
pub fn minted() -> ReserveConfig {
    ReserveConfig {
        limits: Limits {
            borrow_cap: 1_000_000,
            hourly_outflow: 1_000_000,
            daily_outflow: 1_000_000,
            swap_cap: 1_000_000,
            ..Limits::default()
        },
        rates: RateConfig {
            base_bps: 200,
            optimal_utilization_bps: 5_000,
            reserve_factor_bps: 100,
            ..RateConfig::default()
        },
        minted: MintedConfig {
            swap_in_fee_bps: 10,
            swap_out_fee_bps: 10,
            redemption_max_health_bps: 12_000,
            redemption_min_fee_bps: 50,
            redemption_max_fee_bps: 500,
            redemption_volume_fee_bps: 5_000,
            redemption_half_life: 43_200,
        },
        flash_fee_bps: 9,
        insurance_floor_bps: 50,
        ..ReserveConfig::default()
    }
}

/// The market: no steps are allowed, so that whatever comes into force at once is free.
pub fn noticed() -> Lite {
    let mut w = World::with(LiteChain::new(), &[spec()]);
    assert_eq!(w.list_minted(minted(), POOLED), MINTED);
    w.change_market(Change::Market(MarketParams { steps: StepConfig::default(), ..params() })).unwrap();
    w
}

/// Governance, guardian and risk steward.
pub fn roles(w: &Lite) -> [Keypair; 3] {
    [&w.governance, &w.guardian, &w.risk_steward].map(Keypair::insecure_clone)
}

/// What somebody may do at once.
pub fn is_free(change: &Move) -> bool {
    change.meaning == Meaning::Tighter && change.effect == Effect::Nothing
}

/// Moves a parameter by one: up, down, or, of an identity, to another.
pub fn nudge(slot: Slot, up: bool) {
    let by_one = |value: u64| if up { value + 1 } else { value - 1 };
    match slot {
        Slot::U32(value) => *value = u32::try_from(by_one((*value).into())).unwrap(),
        Slot::U64(value) => *value = by_one(*value),
        Slot::Id(bytes) => bytes[0] ^= if up { 1 } else { 2 },
    }
}

/// `tighten` and `step` by each role: all who could want to make a change come into force at once.
pub fn at_once(w: &Lite, asset: Option<usize>, change: Change) -> Vec<(Keypair, Instruction, bool)> {
    let reserve = asset.map(|asset| w.assets[asset].reserve);
    let mut tries = Vec::new();
    for role in roles(w) {
        let tighten = instruction::tighten(role.pubkey(), w.market, reserve, change);
        tries.push((role.insecure_clone(), tighten, false));
        if let Some(reserve) = reserve {
            tries.push((role.insecure_clone(), instruction::step(role.pubkey(), w.market, reserve, change), true));
        }
    }
    tries
}
