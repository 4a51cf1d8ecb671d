//! A market on a chain whose reserves, prices and vaults are thrown anew again and again.

use anchor_lang::prelude::{Clock, Pubkey};
use anchor_lang::{Discriminator, ZeroCopy};
use keel::AmountSpec;
use keel::state::{
    CollateralConfig, GroupConfig, HaircutState, LastPrice, Limits, MintedConfig, OracleConfig, Position, RampState,
    RateConfig, Reserve, ReserveConfig, Side, Vault, VolatilityConfig, VolatilityState,
};
use keel_client::health::{PriceAccount, PriceAccounts};
use keel_client::preview::{Accounts, Action};
use keel_client::price_update::{self, PYTH_RECEIVER};
use keel_risk::Fraction;
use keel_risk::pool::Kind;
use keel_risk::price::{Moment, Observation, Purpose};
use keel_risk::units::Amount;
use keel_tests::random::specs;
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Decimals of the pooled assets and about what a whole token costs, in cents.
const ASSETS: [(u8, i64, usize); 10] = [
    (9, 200_00, 1),
    (6, 1_00, 1),
    (8, 60_000_00, 2),
    (8, 3_000_00, 2),
    (2, 50_00, 1),
    (0, 1_000_00, 1),
    (6, 1_00, 2),
    (9, 5, 1),
    (5, 12, 1),
    (6, 1_00, 1),
];
/// Number of the minted asset.
const MINTED: usize = ASSETS.len();
/// Native units that the user has of every asset.
pub const WEALTH: u64 = 1 << 62;
const DAY: i64 = 86_400;

/// The market, a user and what was thrown last.
pub struct Stage {
    pub world: World<LiteChain>,
    /// Owns the vault.
    pub user: User,
    /// Has an empty vault.
    pub keeper: User,
    pub prices: PriceAccounts,
    pub moment: Moment,
    /// Cents of a whole token of each asset.
    cents: Vec<i64>,
}

impl Stage {
    pub fn new() -> Self {
        let specs: Vec<_> = ASSETS
            .iter()
            .map(|(decimals, cents, feeds)| AssetSpec { feeds: *feeds, ..AssetSpec::new(*decimals, *cents) })
            .collect();
        let mut world = World::with(LiteChain::new(), &specs);
        world.list_minted(specs::minted(), 1);
        let (user, keeper) = (world.user(), world.user());
        for owner in [user.key(), keeper.key()] {
            for asset in 0..world.assets.len() {
                world.fund(&owner, asset, 0);
                let key = world.token_account(&owner, asset);
                set_word(&mut world.chain, &key, 64, WEALTH);
            }
        }
        let cents = ASSETS.iter().map(|asset| asset.1).chain([1_00]).collect();
        let moment = Moment { now: 0, last_restart_slot: 0 };
        Self { world, user, keeper, prices: PriceAccounts::new(), moment, cents }
    }

    /// Everything but the vaults anew.
    pub fn change(&mut self, rng: &mut ChaCha8Rng) {
        let clock = self.world.chain.clock();
        self.moment.now = 1_800_000_000 + rng.random_range(0..1_000 * DAY);
        self.world.chain.set_clock(&Clock { unix_timestamp: self.moment.now, ..clock });
        self.prices.clear();
        for asset in 0..self.world.assets.len() {
            let reserve = self.reserve(rng, asset);
            self.world.set_reserve(asset, &reserve);
            self.back(asset, &reserve);
            for feed in 0..self.world.assets[asset].prices.len() {
                self.post(rng, asset, feed);
            }
        }
    }

    /// A reserve in some state that governance and users can bring it to.
    fn reserve(&mut self, rng: &mut ChaCha8Rng, asset: usize) -> Reserve {
        let now = self.moment.now;
        let listed = self.world.reserve(asset);
        let (kind, config) = if asset == MINTED {
            (Kind::Minted, minted(rng))
        } else {
            (Kind::Pooled, pooled(rng, listed.config.oracle))
        };
        let mut reserve = Reserve { minted: listed.minted, ..listed };
        for index in [&mut reserve.supply_shares, &mut reserve.insurance_shares, &mut reserve.debt_shares] {
            *index = 0u128.into();
        }
        let mut at = now - rng.random_range(0..60 * DAY);
        reserve.start(kind, config, at).unwrap();
        // Fifty million dollars and more, of which part is lent, in some steps.
        for _ in 0..rng.random_range(1..4) {
            let mut pool = reserve.accrued_pool(at).unwrap();
            let whole = self.units(asset, rng.random_range(50_000_000..500_000_000));
            if kind == Kind::Pooled {
                pool.deposit(Amount(whole), Amount::MAX).unwrap();
            }
            // Now and then all that there is.
            let part = if rng.random_bool(0.1) { 100 } else { rng.random_range(20..95) };
            pool.borrow(Amount(whole / 100 * part), Amount::MAX).unwrap();
            if rng.random_bool(0.5) && kind == Kind::Pooled {
                let shares = pool.deposit(Amount(whole / 500), Amount::MAX).unwrap().shares;
                pool.insurance_shares = pool.insurance_shares.checked_add(shares).unwrap();
            }
            reserve.settle(pool).unwrap();
            at = rng.random_range(at..=now);
        }
        if kind == Kind::Pooled {
            self.move_about(rng, &mut reserve, asset);
        }
        reserve
    }

    /// Haircut, volatility, ramps and last prices on their way.
    fn move_about(&self, rng: &mut ChaCha8Rng, reserve: &mut Reserve, asset: usize) {
        let now = self.moment.now;
        let most = Fraction::from_bps_ceil(reserve.config.collateral.max_haircut_bps).to_bits();
        let moved_at = now - rng.random_range(0..2 * DAY);
        if rng.random_bool(0.7) {
            let [maintenance, target] = [rng.random_range(0..=most), rng.random_range(0..=most)];
            reserve.haircut = HaircutState { maintenance: maintenance.into(), target: target.into(), moved_at };
        }
        let mut ramp = |to_bps: u32| {
            let from_bps = to_bps + rng.random_range(0..=(10_000 - to_bps).min(1_500));
            RampState {
                started_at: now - rng.random_range(0..3 * DAY),
                from_bps,
                duration: rng.random_range(86_400..300_000),
            }
        };
        if reserve.config.volatility.min_interval.is_multiple_of(2) {
            reserve.threshold_ramp = ramp(reserve.config.collateral.liquidation_threshold_bps);
        }
        if reserve.config.group.liquidation_threshold_bps != 0 {
            reserve.group_threshold_ramp = ramp(reserve.config.group.liquidation_threshold_bps);
        }
        let observation = observe(self.cents[asset], now - 3_600);
        let spot = observation.spot(reserve.decimals).unwrap().to_bits();
        reserve.volatility = VolatilityState {
            price: (spot / 1_000 * rng.random_range(900..1_100)).into(),
            variance: rng.random_range(0..1u128 << 40).into(),
            deviation: rng.random_range(0..1u128 << 57).into(),
            sampled_at: now - rng.random_range(1..7_200),
        };
        for last in &mut reserve.last_prices {
            *last = LastPrice::from(observation);
            if rng.random_bool(0.05) {
                // A feed that is dead, or nearly.
                last.challenged_at = now - rng.random_range(0..1_200);
            }
        }
    }

    /// Gives the reserve the tokens that its books say.
    fn back(&mut self, asset: usize, reserve: &Reserve) {
        let key = reserve.liquidity;
        // Of a minted reserve that is the mint, whose supply stands elsewhere.
        let offset = if asset == MINTED { 36 } else { 64 };
        set_word(&mut self.world.chain, &key, offset, reserve.tokens().unwrap());
    }

    /// A price, now and then one that does not do.
    fn post(&mut self, rng: &mut ChaCha8Rng, asset: usize, feed: usize) {
        let cents = self.cents[asset] * rng.random_range(9_850..10_150) / 10_000;
        let mut o = observe(cents.max(1), self.moment.now - rng.random_range(0..60));
        o.ema_price = o.price / 1_000 * rng.random_range(970..1_030);
        o.confidence = o.price.unsigned_abs() / rng.random_range(60..5_000);
        o.ema_confidence = o.confidence;
        let mut owner = PYTH_RECEIVER;
        match rng.random_range(0..120) {
            0 => o.publish_time -= 3_600,
            1 => o.publish_time -= 70,
            2 => o.confidence = o.price.unsigned_abs() / 20,
            3 => o.price = 0,
            4 => owner = Pubkey::new_from_array([9; 32]),
            5 => o.price += o.price / 10,
            _ => {}
        }
        let a = &self.world.assets[asset];
        let data = price_update::encode(&price_update::update(a.feed_ids[feed], &o));
        let key = a.prices[feed];
        self.world.chain.set_data(&key, &owner, data.clone());
        self.prices.insert(key, PriceAccount { owner, data });
    }

    /// So many dollars of an asset, in native units.
    fn units(&self, asset: usize, dollars: u64) -> u64 {
        let decimals = u32::from(self.world.assets[asset].decimals);
        let units = u128::from(dollars) * 100 * 10u128.pow(decimals) / u128::from(self.cents[asset].unsigned_abs());
        u64::try_from(units.min(1 << 58)).unwrap().max(1)
    }

    pub fn view<'a>(&'a self, market: &'a keel::state::Market) -> Accounts<'a> {
        Accounts { book: &self.world.book, market, prices: &self.prices, moment: self.moment }
    }

    /// A vault with up to ten positions. Most owe between a fifth and more than all of what they may.
    pub fn vault(&mut self, rng: &mut ChaCha8Rng) -> Vault {
        let mut vault = self.world.vault(&self.user.vault);
        vault.positions = Default::default();
        vault.group = rng.random_range(0..3);
        vault.flags = if rng.random_bool(0.01) { Vault::INSOLVENT } else { 0 };
        let mut assets: Vec<usize> = (0..ASSETS.len()).collect();
        assets.shuffle(rng);
        let (collaterals, debts) = (rng.random_range(0..=5), rng.random_range(0..=4));
        let mut slots = Vec::new();
        let mut dollars = 0;
        for asset in assets.iter().take(collaterals) {
            let value = 10u64.pow(rng.random_range(1..7));
            let reserve = self.world.reserve(*asset);
            let pool = reserve.accrued_pool(self.moment.now).unwrap();
            let shares = pool.supply_index.shares_for_deposit(Amount(self.units(*asset, value))).unwrap();
            dollars += value;
            slots.push(position(&self.world, *asset, 1, shares.0, reserve.config.group.id));
        }
        // What all of it may carry, if it has prices.
        vault.positions[..slots.len()].copy_from_slice(&slots);
        let market = self.world.market_state();
        let limit = self
            .view(&market)
            .value(&vault, Purpose::Liquidation)
            .map_or(dollars, |valuation| valuation.totals.limit.0.floor_to_u64().unwrap());
        let mut owing: Vec<usize> = assets.iter().skip(collaterals).take(debts).copied().collect();
        if let Some(first) = owing.first_mut().filter(|_| rng.random_bool(0.3)) {
            *first = MINTED;
        }
        let percent = rng.random_range(20..160);
        for asset in &owing {
            let value = limit * percent / 100 / owing.len() as u64;
            let reserve = self.world.reserve(*asset);
            let pool = reserve.accrued_pool(self.moment.now).unwrap();
            let shares = pool.debt_index.shares_for_borrow(Amount(self.units(*asset, value))).unwrap();
            slots.push(position(&self.world, *asset, 2, shares.0, reserve.config.group.id));
        }
        self.isolate(rng, &mut vault, &mut slots);
        slots.shuffle(rng);
        // Free slots between the others.
        slots.resize(16, Position::default());
        if rng.random_bool(0.5) {
            slots.shuffle(rng);
        }
        vault.positions.copy_from_slice(&slots);
        vault.check().unwrap();
        vault
    }

    /// Counts debts against an isolated collateral that stands alone.
    fn isolate(&mut self, rng: &mut ChaCha8Rng, vault: &mut Vault, slots: &mut [Position]) {
        vault.isolated_reserve = Pubkey::default();
        let mut collaterals = slots.iter().filter(|slot| slot.side() == Some(Side::Collateral));
        let (Some(only), None) = (collaterals.next(), collaterals.next()) else { return };
        let listing = self.world.book.listing(&only.reserve).unwrap();
        if listing.reserve.is_isolated_collateral() {
            vault.isolated_reserve = only.reserve;
            for debt in slots.iter_mut().filter(|slot| slot.side() == Some(Side::Debt)) {
                debt.isolated_debt = rng.random_range(0..1_000_000_000_000);
            }
        }
    }

    /// Puts the vault on the chain.
    pub fn install(&mut self, vault: &Vault) {
        let key = self.user.vault;
        self.world.chain.set_data(&key, &keel::ID, account_data(vault));
    }

    /// An asset that the vault does not hold on `side`.
    pub fn reserve_not_held(&self, vault: &Vault, side: Side, rng: &mut ChaCha8Rng) -> usize {
        loop {
            let asset = rng.random_range(0..self.world.assets.len());
            let held = vault.find(&self.world.assets[asset].reserve).and_then(Position::side);
            if held != Some(side) {
                return asset;
            }
        }
    }

    /// An asset that the vault has on `side`.
    pub fn reserve_held(&self, vault: &Vault, side: Side, rng: &mut ChaCha8Rng) -> Option<usize> {
        let held: Vec<_> = vault.occupied().filter(|(_, s)| *s == side).map(|(p, _)| p.reserve).collect();
        let key = held.choose(rng)?;
        self.world.assets.iter().position(|asset| asset.reserve == *key)
    }

    /// A debt and a collateral of the vault.
    pub fn pair(&self, vault: &Vault, rng: &mut ChaCha8Rng) -> Option<(usize, usize)> {
        self.reserve_held(vault, Side::Debt, rng).zip(self.reserve_held(vault, Side::Collateral, rng))
    }

    /// What a keeper is ready to repay: everything, or some dollars.
    pub fn most_repaid(&self, debt: usize, rng: &mut ChaCha8Rng) -> u64 {
        if rng.random_bool(0.5) {
            u64::MAX
        } else {
            self.units(debt, 10u64.pow(rng.random_range(0..7u32).saturating_sub(2)))
        }
    }

    /// Mostly an asset with which `action` makes sense.
    pub fn fitting_reserve(&self, vault: &Vault, action: Action, rng: &mut ChaCha8Rng) -> usize {
        let any = rng.random_range(0..self.world.assets.len());
        let side = match action {
            Action::Deposit | Action::Withdraw => Side::Collateral,
            Action::Borrow | Action::Repay => Side::Debt,
        };
        let held = self.reserve_held(vault, side, rng);
        held.filter(|_| rng.random_bool(0.8)).unwrap_or(any)
    }

    pub fn amount(&self, rng: &mut ChaCha8Rng, asset: usize) -> AmountSpec {
        if rng.random_bool(0.2) {
            return AmountSpec::All;
        }
        let dollars = 10u64.pow(rng.random_range(0..7));
        AmountSpec::Exact(self.units(asset, dollars).saturating_sub(u64::from(rng.random_bool(0.1))))
    }
}

/// An account's data, discriminator and all.
pub fn account_data<T: ZeroCopy + Discriminator>(state: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(state)].concat()
}

fn position(world: &World<LiteChain>, asset: usize, side: u8, shares: Fraction, group: u32) -> Position {
    Position { reserve: world.assets[asset].reserve, shares: shares.into(), side, group, ..Position::default() }
}

fn set_word(chain: &mut LiteChain, key: &Pubkey, offset: usize, value: u64) {
    let mut account = chain.account(key).unwrap();
    account.data[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    chain.set_account(key, account);
}

fn observe(cents: i64, publish_time: i64) -> Observation {
    let price = cents * 1_000_000;
    let confidence = price.unsigned_abs() / 2_000;
    Observation {
        price,
        confidence,
        ema_price: price,
        ema_confidence: confidence,
        exponent: keel_tests::world::PRICE_EXPONENT,
        publish_time,
        posted_slot: 1_000,
    }
}

/// A configuration that governance could set.
fn pooled(rng: &mut ChaCha8Rng, oracle: OracleConfig) -> ReserveConfig {
    loop {
        let config = any_pooled(rng, oracle);
        if config.validate(Kind::Pooled).is_ok() {
            return config;
        }
    }
}

fn any_pooled(rng: &mut ChaCha8Rng, oracle: OracleConfig) -> ReserveConfig {
    let base = AssetSpec::new(0, 1).config;
    let max_ltv_bps = rng.random_range(0..9_000);
    let threshold = max_ltv_bps + rng.random_range(1..1_000);
    let base_haircut_bps = rng.random_range(0..1_500);
    let grouped = rng.random_bool(0.5);
    let mut limits = Limits { depth: 1 << rng.random_range(30..58), ..base.limits };
    if rng.random_bool(0.2) {
        limits.isolated_debt_ceiling = 10u64.pow(rng.random_range(7..13));
    }
    if rng.random_bool(0.2) {
        (limits.hourly_outflow, limits.daily_outflow) = (1 << rng.random_range(20..50), 1 << 55);
    }
    if rng.random_bool(0.1) {
        limits.borrow_cap = 1 << rng.random_range(30..60);
        limits.deposit_cap = 1 << rng.random_range(30..60);
    }
    let adaptive = RateConfig {
        model: RateConfig::ADAPTIVE,
        optimal_utilization_bps: rng.random_range(4_000..9_500),
        reserve_factor_bps: rng.random_range(0..5_000),
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_at_target_bps: 10,
        max_at_target_bps: 20_000,
        initial_at_target_bps: rng.random_range(10..2_000),
        ..RateConfig::default()
    };
    ReserveConfig {
        limits,
        oracle: OracleConfig { max_age_new_risk: 60, max_age_liquidation: 120, ..oracle },
        collateral: CollateralConfig {
            base_haircut_bps,
            max_haircut_bps: base_haircut_bps + rng.random_range(0..3_000),
            max_ltv_bps,
            liquidation_threshold_bps: threshold,
            min_bonus_bps: rng.random_range(0..300),
            max_bonus_bps: rng.random_range(300..1_200),
            ..base.collateral
        },
        volatility: VolatilityConfig {
            min_interval: rng.random_range(30..300),
            multiple_bps: rng.random_range(0..30_000),
            up_bps_per_hour: rng.random_range(1..2_500),
            down_bps_per_hour: rng.random_range(1..2_500),
            concentration_bps: rng.random_range(0..1_000),
            ..base.volatility
        },
        group: if grouped {
            GroupConfig {
                id: rng.random_range(1..3),
                max_ltv_bps: rng.random_range(max_ltv_bps..=9_950),
                liquidation_threshold_bps: rng.random_range(threshold..=9_999),
                min_bonus_bps: 50,
                max_bonus_bps: 100,
                max_bonus_health_bps: 9_900,
            }
        } else {
            GroupConfig { id: rng.random_range(0..3), ..GroupConfig::default() }
        },
        rates: if rng.random_bool(0.5) { adaptive } else { base.rates },
        isolated_debt: rng.random_bool(0.1).into(),
        ..base
    }
}

fn minted(rng: &mut ChaCha8Rng) -> ReserveConfig {
    let base = specs::minted();
    ReserveConfig {
        limits: Limits { borrow_cap: u64::MAX >> rng.random_range(0..12), hourly_outflow: u64::MAX, ..base.limits },
        rates: RateConfig { base_bps: rng.random_range(0..3_000), ..base.rates },
        minted: MintedConfig { redemption_max_health_bps: rng.random_range(10_000..20_000), ..base.minted },
        group: GroupConfig { id: rng.random_range(0..3), ..GroupConfig::default() },
        ..base
    }
}
