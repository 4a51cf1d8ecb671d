//! The bytes, and how they came about.

use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::state::{
    CollateralConfig, FeedConfig, Limits, Market, OracleConfig, RateConfig, Reserve, ReserveConfig, Vault,
};
use keel_client::account;
use keel_risk::price::Observation;
use keel_tests::{AssetSpec, LiteChain, World};

/// An account's address and data.
pub struct Fixture {
    pub key: Pubkey,
    pub data: &'static [u8],
}

macro_rules! fixture {
    ($name:ident, $key:literal, $file:literal) => {
        pub fn $name() -> Fixture {
            Fixture { key: Pubkey::from_str_const($key), data: include_bytes!($file) }
        }
    };
}

fixture!(market, "53cceZLWyBifXRQpjxN5gJ4nty68quAkMDh7jBvCQhD7", "fixtures/v1/market.bin");
fixture!(reserve, "Dmdor2kiwF6DBhEc9FfZykZidH8aoTAecSU1kuK7fBCY", "fixtures/v1/reserve.bin");
fixture!(vault, "2NXVxzDjm67MbxWfvUBpN1hVj6b1N7ja4na6YW6zeFAB", "fixtures/v1/vault.bin");

pub fn decoded_market() -> Market {
    account::market(&market().key, &keel::ID, market().data).unwrap()
}

pub fn decoded_reserve() -> Reserve {
    account::reserve(&reserve().key, &keel::ID, reserve().data).unwrap()
}

pub fn decoded_vault() -> Vault {
    account::vault(&vault().key, &keel::ID, vault().data).unwrap()
}

/// Values that differ from each other, so that no two fields can be mistaken.
pub const CONFIG: ReserveConfig = ReserveConfig {
    limits: Limits { deposit_cap: 1_001_000_000_000, borrow_cap: 1_002_000_000_000 },
    oracle: OracleConfig {
        feeds: [FeedConfig { feed_id: [0; 32], account: Pubkey::new_from_array([0; 32]) }; 2],
        max_age_new_risk: 61,
        max_age_liquidation: 122,
        max_confidence_new_risk_bps: 203,
        max_confidence_liquidation_bps: 1_004,
        confidence_multiple_bps: 10_005,
        max_divergence_bps: 306,
        dead_after: 607,
    },
    collateral: CollateralConfig {
        base_haircut_bps: 208,
        max_haircut_bps: 4_009,
        max_ltv_bps: 7_010,
        liquidation_threshold_bps: 8_011,
        min_bonus_bps: 212,
        max_bonus_bps: 1_013,
        max_bonus_health_bps: 9_514,
        protocol_share_bps: 1_015,
    },
    rates: RateConfig {
        base_bps: 16,
        slope_bps: 1_017,
        excess_slope_bps: 20_018,
        optimal_utilization_bps: 8_019,
        reserve_factor_bps: 1_020,
    },
};

/// Lists three assets and uses them: loans that have earned interest, an open challenge, a vault with a gap between its
/// slots. Returns what to keep.
pub fn act(world: &mut World<LiteChain>) -> [(&'static str, Pubkey); 3] {
    let mut spec = AssetSpec { feeds: 2, config: CONFIG, ..AssetSpec::usdc() };
    spec.config.oracle.feeds[0].account = Pubkey::new_unique();
    let usdc = world.list(&spec);
    let (sol, btc) = (world.list(&AssetSpec::sol()), world.list(&AssetSpec::new(8, 60_000_00)));
    let lender = world.supplier(usdc, 500_000_000_000);
    let user = world.supplier(btc, 100_000_000);
    for (asset, amount) in [(sol, 1_000_000_000_000), (usdc, 1_000_000_000)] {
        world.fund(&user.key(), asset, amount);
    }
    world.deposit(&user, sol, Exact(1_000_000_000_000)).unwrap();
    let observation = Observation {
        price: 99_900_001,
        confidence: 40_002,
        ema_price: 99_900_003,
        ema_confidence: 40_004,
        publish_time: 1_700_000_001,
        posted_slot: 996,
        ..world.observation(1_00)
    };
    world.post(usdc, 1, &observation);
    world.borrow(&user, usdc, 100_000_000_001).unwrap();
    world.withdraw(&user, btc, All).unwrap();
    world.pass(86_400);
    world.set_price(usdc, 1_01);
    world.challenge(usdc, 1).unwrap();
    world.repay(&user, usdc, Exact(1_000_003)).unwrap();
    assert_ne!(user.vault, lender.vault);
    [("market", world.market), ("reserve", world.assets[usdc].reserve), ("vault", user.vault)]
}
