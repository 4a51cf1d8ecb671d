//! The bytes, and how they came about.

use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::state::{
    Change, CollateralConfig, FeedConfig, GroupConfig, Limits, Market, MarketParams, MintedConfig, OracleConfig,
    RateConfig, Reserve, ReserveConfig, Role, Slot, StepConfig, Vault, VolatilityConfig, pause, rights,
};
use keel_client::instruction::{self, Liquidation, Queued};
use keel_client::{account, price_update};
use keel_risk::price::Observation;
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use solana_signer::Signer;

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
fixture!(reserve, "6pHJQSt2qPqPQZXekznM3LqhRRKzh45hCxfikiP1PT8P", "fixtures/v1/reserve.bin");
fixture!(minted_reserve, "8Pzx6ZtuQv9cHFUxDr4gVTrqCRmFoGghg1SPGASduXd5", "fixtures/v1/minted_reserve.bin");
fixture!(vault, "GgNyVLPDxPbGsEhik44e3YuhLBx9J1UpV8mn9r92asmP", "fixtures/v1/vault.bin");

/// Layout 2. A vault's is still the first.
pub mod v2 {
    use super::{Fixture, Pubkey};

    fixture!(market, "53cceZLWyBifXRQpjxN5gJ4nty68quAkMDh7jBvCQhD7", "fixtures/v2/market.bin");
    fixture!(reserve, "Dmdor2kiwF6DBhEc9FfZykZidH8aoTAecSU1kuK7fBCY", "fixtures/v2/reserve.bin");
    fixture!(minted_reserve, "8Pzx6ZtuQv9cHFUxDr4gVTrqCRmFoGghg1SPGASduXd5", "fixtures/v2/minted_reserve.bin");
    fixture!(change, "DjzPtNJMimcUkSMyCxJQWr5WYdAgfvwZFHNzarFV8e2B", "fixtures/v2/change.bin");
}

pub fn decoded_market() -> Market {
    account::market(&market().key, &keel::ID, market().data).unwrap()
}

pub fn decoded_reserve() -> Reserve {
    account::reserve(&reserve().key, &keel::ID, reserve().data).unwrap()
}

pub fn decoded_minted_reserve() -> Reserve {
    account::reserve(&minted_reserve().key, &keel::ID, minted_reserve().data).unwrap()
}

pub fn decoded_vault() -> Vault {
    account::vault(&vault().key, &keel::ID, vault().data).unwrap()
}

/// Values that differ from each other, so that no two fields can be mistaken.
pub const PARAMS: MarketParams = MarketParams {
    price_receiver: price_update::PYTH_RECEIVER,
    target_health_bps: 10_501,
    min_position_micro_usd: 10_000_002,
    restart_grace_slots: 103,
    min_bounty_micro_usd: 1_000_004,
    delay: 172_863,
    window: 604_864,
    steps: StepConfig { cap_bps: 65, outflow_bps: 66, haircut_bps: 67, max_ltv_bps: 68, rate_bps: 69 },
};

/// To whom governance, guardian and risk steward are on offer.
pub const SUCCESSORS: [Pubkey; 3] =
    [Pubkey::new_from_array([104; 32]), Pubkey::new_from_array([105; 32]), Pubkey::new_from_array([106; 32])];

pub const DELEGATE: Pubkey = Pubkey::new_from_array([102; 32]);
pub const OFFERED_TO: Pubkey = Pubkey::new_from_array([103; 32]);

/// What the delegate may do, and until when.
pub const DELEGATION: (u32, i64) = (rights::DEPOSIT | rights::BORROW, 1_700_999_999);

/// What is paused, and for how long: in layout 1 by the guardian, in layout 2 by governance.
pub const PAUSE: (u32, u32) = (pause::SWAP | pause::FLASH, 200_005);

/// What the guardian pauses in layout 2, and for how long.
pub const GUARDIAN_PAUSE: (u32, u32) = (pause::REDEEM | pause::FLASH, 100_070);

/// The same of a pooled reserve.
pub const CONFIG: ReserveConfig = ReserveConfig {
    limits: Limits {
        deposit_cap: 1_001_000_000_000,
        borrow_cap: 1_002_000_000_000,
        hourly_outflow: 300_021_000_000,
        daily_outflow: 1_022_000_000_000,
        depth: 1_023_000_000_000,
        isolated_debt_ceiling: 1_024_000_000_000,
        swap_cap: 0,
    },
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
    volatility: VolatilityConfig {
        min_interval: 126,
        half_life: 7_227,
        max_return_bps: 1_028,
        multiple_bps: 30_029,
        horizon: 630,
        up_bps_per_hour: 131,
        down_bps_per_hour: 32,
        concentration_bps: 533,
    },
    group: GroupConfig {
        id: 34,
        max_ltv_bps: 9_035,
        liquidation_threshold_bps: 9_336,
        min_bonus_bps: 37,
        max_bonus_bps: 238,
        max_bonus_health_bps: 9_639,
    },
    rates: RateConfig {
        model: RateConfig::ADAPTIVE,
        base_bps: 16,
        slope_bps: 1_017,
        excess_slope_bps: 20_018,
        optimal_utilization_bps: 8_019,
        reserve_factor_bps: 1_020,
        steepness_bps: 40_040,
        speed_bps: 500_041,
        min_at_target_bps: 42,
        max_at_target_bps: 20_043,
        initial_at_target_bps: 444,
    },
    minted: NOT_MINTED,
    flash_fee_bps: 45,
    insurance_floor_bps: 146,
    isolated_debt: 1,
};

const NOT_MINTED: MintedConfig = MintedConfig {
    swap_in_fee_bps: 0,
    swap_out_fee_bps: 0,
    redemption_max_health_bps: 0,
    redemption_min_fee_bps: 0,
    redemption_max_fee_bps: 0,
    redemption_volume_fee_bps: 0,
    redemption_half_life: 0,
};

/// The same of a minted reserve, in which most of a pooled one's are zero.
pub fn minted_config() -> ReserveConfig {
    ReserveConfig {
        limits: Limits {
            borrow_cap: 1_047_000_000_000,
            hourly_outflow: 1_048_000_000_000,
            daily_outflow: 1_049_000_000_000,
            swap_cap: 1_050_000_000_000,
            ..Limits::default()
        },
        rates: RateConfig {
            base_bps: 551,
            optimal_utilization_bps: 8_052,
            reserve_factor_bps: 1_053,
            ..RateConfig::default()
        },
        minted: MintedConfig {
            swap_in_fee_bps: 54,
            swap_out_fee_bps: 55,
            redemption_max_health_bps: 29_056,
            redemption_min_fee_bps: 57,
            redemption_max_fee_bps: 558,
            redemption_volume_fee_bps: 10_059,
            redemption_half_life: 43_260,
        },
        group: GroupConfig { id: 61, ..GroupConfig::default() },
        flash_fee_bps: 62,
        insurance_floor_bps: 163,
        ..ReserveConfig::default()
    }
}

/// Seconds of the ramp on which the thresholds fall to those of [`CONFIG`].
pub const RAMP: u32 = 90_011;

/// Fills every field that can be filled. `usdc` is lent out, backs isolated debt, and is what the swap holds; its price
/// moves, its thresholds fall, every parameter that can step has. The minted token is swapped for, redeemed and lost. The
/// vault has a gap between its slots, a delegate, a group, and an offer. Governance and guardian have paused something,
/// every role is on offer, and a change waits. Returns what to keep, and the vault, whose layout is still the first.
pub fn act(world: &mut World<LiteChain>) -> ([(&'static str, Pubkey); 4], Pubkey) {
    let (governance, guardian) = (world.governance.insecure_clone(), world.guardian.insecure_clone());
    // Without a delay until the end.
    world.change_market(Change::Market(MarketParams { delay: 0, ..PARAMS })).unwrap();

    let mut spec = AssetSpec { feeds: 2, config: CONFIG, ..AssetSpec::usdc() };
    spec.config.oracle.feeds[0].account = Pubkey::new_unique();
    spec.config.collateral.liquidation_threshold_bps = 8_308;
    spec.config.group.liquidation_threshold_bps = 9_409;
    move_steps(&mut spec.config, |value| value - 1);
    let usdc = world.list(&spec);
    let (sol, btc) = (world.list(&AssetSpec::sol()), world.list(&AssetSpec::new(8, 60_000_00)));
    let minted = world.list_minted(minted_config(), usdc);

    let lender = world.supplier(usdc, 500_000_000_000);
    let debtor = world.supplier(sol, 1_000_000_000_000);
    world.fund(&debtor.key(), usdc, 0);
    world.borrow(&debtor, usdc, 100_000_000_001).unwrap();
    // Isolated collateral, debts in the second and third slot, of which the second is free again.
    let user = world.supplier(usdc, 50_000_000_007);
    world.fund(&user.key(), sol, 1_000_000_000);
    world.fund(&user.key(), minted, 0);
    world.borrow(&user, sol, 1_000_000_009).unwrap();
    world.borrow(&user, minted, 20_000_000_011).unwrap();
    world.repay(&user, sol, All).unwrap();
    // A loss of minted tokens: what stands behind this debt is soon worth nothing.
    let poor = world.supplier(btc, 1_000_000);
    world.fund(&poor.key(), minted, 0);
    world.borrow(&poor, minted, 300_000_013).unwrap();

    world.pass(86_400);
    for (asset, cents) in [(usdc, 1_01), (sol, 200_00), (btc, 1_00)] {
        world.set_price(asset, cents);
    }
    observe(world, usdc);
    world.resolve(&poor.vault, minted).unwrap();
    swap_and_redeem(world, usdc, minted, &user);
    world.refresh(usdc).unwrap();
    let config = ReserveConfig { oracle: world.reserve(usdc).config.oracle, ..CONFIG };
    let mut steps = config;
    move_steps(&mut steps, |value| value - 1);
    world.change_reserve(usdc, steps, RAMP, &[]).unwrap();
    step_up(world, usdc, &config);

    world.withdraw(&lender, usdc, Exact(40_000_000_017)).unwrap();
    world.pass(177);
    world.challenge(usdc, 1).unwrap();
    world.repay(&debtor, usdc, Exact(1_000_003)).unwrap();

    let delegate = instruction::set_delegate(user.key(), user.vault, DELEGATE, DELEGATION.0, DELEGATION.1);
    let offer = instruction::offer_vault(user.key(), user.vault, OFFERED_TO);
    world.chain.send(&[delegate, offer], &[&user.keypair]).unwrap();
    world.refresh_prices();
    let state = world.vault(&user.vault);
    let id = CONFIG.group.id;
    let group = instruction::set_efficiency_group(&world.book, user.key(), user.vault, &state, id).unwrap();
    world.send(group, &user.keypair).unwrap();
    for (signer, (bits, seconds)) in [(&governance, PAUSE), (&guardian, GUARDIAN_PAUSE)] {
        world.send(instruction::set_pause(signer.pubkey(), world.market, bits, seconds), signer).unwrap();
    }
    let change = govern(world, usdc);
    let accounts = [
        ("market", world.market),
        ("reserve", world.assets[usdc].reserve),
        ("minted_reserve", world.assets[minted].reserve),
        ("change", change),
    ];
    (accounts, user.vault)
}

/// Moves every parameter that can step.
fn move_steps(config: &mut ReserveConfig, to: impl Fn(u64) -> u64) {
    let slots = config.slots().into_iter().enumerate();
    for (_, slot) in slots.filter(|(number, _)| keel_risk::change::step_number(*number).is_some()) {
        match slot {
            // A pooled reserve has no swap.
            Slot::U64(value) if *value > 0 => *value = to(*value),
            Slot::U32(value) => *value = u32::try_from(to(u64::from(*value))).unwrap(),
            Slot::U64(_) | Slot::Id(_) => {}
        }
    }
}

/// The risk steward steps one parameter after the other up to `config`, a second apart.
fn step_up(world: &mut World<LiteChain>, asset: usize, config: &ReserveConfig) {
    let steward = world.risk_steward.insecure_clone();
    let (market, reserve, mut target) = (world.market, world.assets[asset].reserve, *config);
    for number in 0..keel_risk::change::RESERVE_PARAMETERS {
        let mut stepped = world.reserve(asset).config;
        match (&mut stepped.slots()[number], &target.slots()[number]) {
            (Slot::U64(old), Slot::U64(new)) if **old != **new => **old = **new,
            (Slot::U32(old), Slot::U32(new)) if **old != **new => **old = **new,
            _ => continue,
        }
        world.pass(1);
        let step = instruction::step(steward.pubkey(), market, reserve, Change::Reserve { config: stepped, ramp: 0 });
        world.send(step, &steward).unwrap();
    }
    assert_eq!(world.reserve(asset).config, *config);
}

/// Offers every role, a second apart, sets the delay, and queues a change of two sections that somebody else pays for.
fn govern(world: &mut World<LiteChain>, asset: usize) -> Pubkey {
    let (governance, payer, market) = (world.governance.insecure_clone(), world.chain.funded(), world.market);
    // Once, twice, and three times.
    for (times, (role, to)) in
        [Role::Governance, Role::Guardian, Role::RiskSteward].into_iter().zip(SUCCESSORS).enumerate()
    {
        for _ in 0..=times {
            world.change_market(Change::Role { role, to }).unwrap();
        }
        world.pass(1);
    }
    let delayed = instruction::tighten(governance.pubkey(), market, None, Change::Market(PARAMS));
    world.send(delayed, &governance).unwrap();
    let (target, change) = (world.assets[asset].reserve, waiting(world.reserve(asset).config));
    let queued = Queued { rent_payer: payer.pubkey(), ..world.next_change() };
    let queue = instruction::queue_change(governance.pubkey(), &queued, target, change);
    world.send_all(&[queue], &[&payer, &governance]).unwrap();
    queued.address()
}

/// The change that waits, of a reserve with this configuration.
pub fn waiting(mut config: ReserveConfig) -> Change {
    config.limits.deposit_cap += 1;
    config.flash_fee_bps += 1;
    Change::Reserve { config, ramp: RAMP }
}

/// Posts observations to both feeds in which no two numbers are the same.
fn observe(world: &mut World<LiteChain>, asset: usize) {
    let now = world.observation(1_01);
    let first = Observation {
        price: 101_000_001,
        confidence: 50_002,
        ema_price: 101_000_003,
        ema_confidence: 50_004,
        publish_time: now.publish_time - 5,
        posted_slot: now.posted_slot - 6,
        ..now
    };
    let second = Observation {
        price: 1_009_000_007,
        confidence: 400_008,
        ema_price: 1_009_000_009,
        ema_confidence: 400_010,
        exponent: -9,
        publish_time: now.publish_time - 11,
        posted_slot: now.posted_slot - 12,
    };
    world.post(asset, 0, &first);
    world.post(asset, 1, &second);
}

/// A redeemer mints tokens against `usdc` and burns some of them for that of `user`.
fn swap_and_redeem(world: &mut World<LiteChain>, usdc: usize, minted: usize, user: &User) {
    let redeemer = world.chain.funded();
    let key = redeemer.pubkey();
    world.fund(&key, usdc, 20_000_000_000);
    world.fund(&key, minted, 0);
    let swap = instruction::swap_in(&world.book, key, 20_000_000_000, 0).unwrap();
    world.send(swap, &redeemer).unwrap();
    let terms = Liquidation {
        keeper: key,
        vault: user.vault,
        debt_reserve: world.assets[minted].reserve,
        collateral_reserve: world.assets[usdc].reserve,
        max_repay: 1_000_000_019,
        min_seize: 0,
    };
    let state = world.vault(&user.vault);
    let redeem = instruction::redeem(&world.book, &state, &terms).unwrap();
    world.send(redeem, &redeemer).unwrap();
}
