//! What is played: read from a TOML file, checked, and turned into the program's own parameter types.

use crate::BadInput;
use crate::candles::{self, Candle};
use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use keel::state::{CollateralConfig, FeedConfig, Limits, MarketParams, OracleConfig, RateConfig, ReserveConfig};
use keel_client::price_update::PYTH_RECEIVER;
use serde::Deserialize;
use std::path::Path;

/// The scenario that is played when none is named.
const DEFAULT: &str = include_str!("../scenarios/2025-10-10.toml");
const DEFAULT_NAME: &str = "scenarios/2025-10-10.toml";
/// Steps of an imported price path, unless the caller says how many.
const IMPORTED_STEPS: f64 = 240.0;
/// More than this takes minutes.
const MAX_STEPS: u32 = 20_000;
const MAX_USERS: u32 = 500;
/// Prices are published in units of 10^-8 dollars.
pub const PRICE_EXPONENT: i32 = -8;
/// Largest price in dollars that a published number can hold.
const MAX_PRICE: f64 = 9e10;

/// What is played.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// For the report.
    pub name: String,
    /// One line about it.
    pub summary: String,
    start: String,
    minutes: f64,
    steps_per_hour: u32,
    /// Parameters of the market.
    pub market: Market,
    oracle: Oracle,
    /// Who supplies what is borrowed.
    pub lenders: Lenders,
    /// Who liquidates.
    pub keeper: Keeper,
    /// What users do about a falling health.
    pub reactions: Reactions,
    /// The assets.
    pub assets: Vec<Asset>,
    /// Groups of borrowers.
    pub users: Vec<Group>,
    /// Unix seconds of the chain's clock when it begins; from `start`.
    #[serde(skip)]
    pub start_time: i64,
}

/// Parameters of the market.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    target_health_bps: u32,
    min_position_usd: u64,
    restart_grace_slots: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Oracle {
    max_age_new_risk: u32,
    max_age_liquidation: u32,
    max_confidence_new_risk_bps: u32,
    max_confidence_liquidation_bps: u32,
    confidence_multiple_bps: u32,
    dead_after: u32,
    ema_minutes: f64,
}

/// Who supplies what is borrowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lenders {
    /// How many share in the supply of each asset.
    pub count: u32,
}

/// Who liquidates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeper {
    /// What the keeper begins with in each asset, dollars.
    pub capital_usd: f64,
    /// How often it refreshes every reserve.
    pub refresh_minutes: f64,
}

/// What users do about a falling health.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reactions {
    /// Range of the health at which somebody wants to act.
    pub act_below: [f64; 2],
    /// The chance, in a minute, that they do.
    pub chance_per_minute: f64,
    /// The part of the debt that is repaid.
    pub repay_bps: u32,
    /// The part of the collateral that is added.
    pub deposit_bps: u32,
    /// How often one user acts, at most.
    pub times: u32,
}

/// One asset: its parameters and what its price does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its name, unique.
    pub symbol: String,
    /// Decimals of its mint.
    pub decimals: u8,
    /// Whether it is SOL: lamports, wrapped.
    #[serde(default)]
    pub native: bool,
    /// What the lenders supply, whole tokens.
    pub supplied: f64,
    deposit_cap: u64,
    borrow_cap: u64,
    confidence_bps: u32,
    follows: f64,
    /// Minutes and dollars; between them linear, before and after them constant.
    prices: Vec<(f64, f64)>,
    collateral: Collateral,
    rates: Rates,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collateral {
    haircut_bps: u32,
    max_haircut_bps: u32,
    max_ltv_bps: u32,
    liquidation_threshold_bps: u32,
    min_bonus_bps: u32,
    max_bonus_bps: u32,
    max_bonus_health_bps: u32,
    protocol_share_bps: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    base_bps: u32,
    slope_bps: u32,
    excess_slope_bps: u32,
    optimal_utilization_bps: u32,
    reserve_factor_bps: u32,
}

/// A group of borrowers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// For the report.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Symbols of what they deposit, equal parts by value.
    pub collateral: Vec<String>,
    /// Symbol of what they borrow.
    pub borrow: String,
    /// Range of what they deposit, dollars; drawn evenly by order of magnitude.
    pub collateral_usd: [f64; 2],
    /// Range of their health factor, at maintenance, after they borrowed.
    pub health: [f64; 2],
    /// The part of them that may react.
    pub watching: f64,
}

/// What the caller changes of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Number of users, in the proportions of the groups; for more of them the lenders supply more.
    pub users: Option<u32>,
    /// Steps in an hour of the scenario.
    pub steps_per_hour: Option<u32>,
}

impl Scenario {
    /// The scenario in a file, or the default one.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Self::parse(DEFAULT, DEFAULT_NAME) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| BadInput::error(format!("cannot read the scenario {name}: {error}")))?;
        Self::parse(&text, &name)
    }

    /// Parses and checks a scenario; `name` is the file's in errors.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let mut scenario: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
            let line = line.map(|n| format!(", line {n}")).unwrap_or_default();
            BadInput::error(format!("{name}{line}: {}", error.message().replace('\n', " ")))
        })?;
        scenario.check().map_err(|what| BadInput::error(format!("{name}: {what}")))?;
        Ok(scenario)
    }

    fn check(&mut self) -> Result<(), String> {
        let require = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
        self.start_time = candles::parse_time(&self.start)
            .filter(|t| (1_577_836_800..4_102_444_800).contains(t))
            .ok_or_else(|| format!("start: \"{}\" is not a time between 2020 and 2100", self.start))?;
        require(self.minutes.is_finite() && self.minutes > 0.0, "minutes: must be above zero")?;
        require(self.steps_per_hour > 0, "steps_per_hour: must be above zero")?;
        require(
            self.steps() <= MAX_STEPS,
            "minutes and steps_per_hour: together more than 20,000 steps; use a shorter time or fewer steps",
        )?;
        require(self.market.min_position_usd > 0, "market.min_position_usd: must be above zero")?;
        require(self.oracle.ema_minutes > 0.0, "oracle.ema_minutes: must be above zero")?;
        require((1..=50).contains(&self.lenders.count), "lenders.count: must be from 1 to 50")?;
        require(
            self.keeper.capital_usd.is_finite() && self.keeper.capital_usd >= 0.0,
            "keeper.capital_usd: must not be negative",
        )?;
        require(self.keeper.refresh_minutes > 0.0, "keeper.refresh_minutes: must be above zero")?;
        let reactions = &self.reactions;
        range(&reactions.act_below, "reactions.act_below")?;
        require(is_part(reactions.chance_per_minute), "reactions.chance_per_minute: must be from 0 to 1")?;
        require(
            reactions.repay_bps <= 10_000 && reactions.deposit_bps <= 10_000,
            "reactions.repay_bps, reactions.deposit_bps: must be at most 10,000",
        )?;
        require(!self.assets.is_empty(), "assets: at least one is needed")?;
        for (i, asset) in self.assets.iter().enumerate() {
            asset.check().map_err(|what| format!("assets, {}: {what}", asset.symbol))?;
            let earlier = self.assets.get(..i).unwrap_or_default();
            require(
                earlier.iter().all(|other| other.symbol != asset.symbol),
                &format!("assets: {} stands there twice", asset.symbol),
            )?;
            require(
                !asset.native || earlier.iter().all(|other| !other.native),
                "assets: only one can be native, it is SOL",
            )?;
        }
        for group in &self.users {
            self.check_group(group).map_err(|what| format!("users, {}: {what}", group.name))?;
        }
        require(self.user_count() <= MAX_USERS, "users: more than 500 in total")
    }

    fn check_group(&self, group: &Group) -> Result<(), String> {
        for symbol in group.collateral.iter().chain([&group.borrow]) {
            if !self.assets.iter().any(|a| a.symbol == *symbol) {
                return Err(format!("there is no asset {symbol}"));
            }
        }
        if group.collateral.is_empty() || group.collateral.contains(&group.borrow) {
            return Err("collateral: at least one asset, and none that is borrowed".into());
        }
        range(&group.collateral_usd, "collateral_usd")?;
        range(&group.health, "health")?;
        if group.health[0] < 1.0 {
            return Err("health: nobody can borrow to a health under 1".into());
        }
        if !is_part(group.watching) {
            return Err("watching: must be from 0 to 1".into());
        }
        Ok(())
    }

    /// Changes what the caller wants to be changed.
    pub fn apply(&mut self, overrides: &Overrides) -> Result<()> {
        if let Some(steps) = overrides.steps_per_hour {
            self.steps_per_hour = steps;
            if steps == 0 || self.steps() > MAX_STEPS {
                return Err(BadInput::error(format!(
                    "--steps-per-hour {steps}: must be above zero, and at most {MAX_STEPS} steps in all; \
                     this scenario lasts {:.1} hours",
                    self.minutes / 60.0
                )));
            }
        }
        if let Some(users) = overrides.users {
            if users == 0 || users > MAX_USERS {
                return Err(BadInput::error(format!("--users {users}: must be from 1 to {MAX_USERS}")));
            }
            self.scale_users(users);
        }
        Ok(())
    }

    /// Sets the number of users, in the proportions of the groups: the largest remainders are rounded up. More users
    /// find as much more to borrow.
    fn scale_users(&mut self, wanted: u32) {
        let total = u64::from(self.user_count().max(1));
        for asset in &mut self.assets {
            asset.supplied *= (f64::from(wanted) / total as f64).max(1.0);
        }
        let share = |count: u32| u64::from(count) * u64::from(wanted);
        let mut order: Vec<usize> = (0..self.users.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(self.users.get(*i).map_or(0, |g| share(g.count) % total)));
        let whole: u64 = self.users.iter().map(|g| share(g.count) / total).sum();
        let mut left = u64::from(wanted).saturating_sub(whole);
        let up: Vec<bool> = {
            let mut up = vec![false; self.users.len()];
            for i in order {
                if left > 0 {
                    up[i] = true;
                    left -= 1;
                }
            }
            up
        };
        for (group, up) in self.users.iter_mut().zip(up) {
            group.count = u32::try_from(share(group.count) / total).unwrap_or(0) + u32::from(up);
        }
    }

    /// Replaces the price path of `symbol` with historical ones; the other assets follow by their `follows`. Returns
    /// the window that is played.
    pub fn import(&mut self, symbol: &str, window: &[Candle], steps_per_hour: Option<u32>) -> Result<()> {
        let path = candles::path(window);
        let (Some((_, first)), Some((last, _)), Some(candle)) = (path.first(), path.last(), window.first()) else {
            return Err(BadInput::error("the price window is empty"));
        };
        let known: Vec<String> = self.assets.iter().map(|a| a.symbol.clone()).collect();
        if !known.iter().any(|s| s == symbol) {
            return Err(BadInput::error(format!(
                "--asset {symbol}: the scenario has no such asset, only {}",
                known.join(", ")
            )));
        }
        for asset in &mut self.assets {
            let base = asset.price_at(0.0);
            asset.prices = path
                .iter()
                .map(|(time, price)| {
                    let moved = if asset.symbol == symbol {
                        *price
                    } else {
                        // An asset that follows by more than it can fall stops at a hundredth.
                        base * (1.0 + asset.follows * (price / first - 1.0)).max(0.01)
                    };
                    (time / 60.0, moved)
                })
                .collect();
            asset.check().map_err(|what| BadInput::error(format!("the imported prices of {symbol}: {what}")))?;
        }
        self.start_time = candle.time;
        self.minutes = last / 60.0;
        let default = (IMPORTED_STEPS / (last / 3600.0)).ceil().clamp(1.0, f64::from(self.steps_per_hour));
        self.steps_per_hour = default as u32;
        self.name = format!("{} with historical {symbol}", self.name);
        self.summary = format!(
            "{symbol} from {} to {} UTC",
            candles::show_time(candle.time),
            candles::show_time(window.last().map_or(candle.time, |c| c.time))
        );
        self.apply(&Overrides { users: None, steps_per_hour })
    }

    /// How many users there are in all groups.
    pub fn user_count(&self) -> u32 {
        self.users.iter().map(|g| g.count).fold(0, u32::saturating_add)
    }

    /// Number of steps of the clock.
    pub fn steps(&self) -> u32 {
        (self.minutes / 60.0 * f64::from(self.steps_per_hour)).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
    }

    /// Seconds between two steps.
    pub fn step_seconds(&self) -> f64 {
        3600.0 / f64::from(self.steps_per_hour)
    }

    /// Seconds from the beginning to step `step`.
    pub fn elapsed(&self, step: u32) -> i64 {
        (f64::from(step) * self.step_seconds()).round() as i64
    }

    /// The index of an asset.
    pub fn asset(&self, symbol: &str) -> Option<usize> {
        self.assets.iter().position(|a| a.symbol == symbol)
    }

    /// Half-life of the feeds' average, seconds.
    pub fn ema_half_life(&self) -> f64 {
        self.oracle.ema_minutes * 60.0
    }

    /// What the market starts with; `authority` has all roles.
    pub fn market_params(&self, authority: Pubkey) -> MarketParams {
        MarketParams {
            guardian: authority,
            risk_steward: authority,
            price_receiver: PYTH_RECEIVER,
            target_health_bps: self.market.target_health_bps,
            min_position_micro_usd: self.market.min_position_usd.saturating_mul(1_000_000),
            restart_grace_slots: self.market.restart_grace_slots,
        }
    }

    /// What the reserve of `asset` starts with, with one feed that is pinned to `account`.
    pub fn reserve_config(&self, asset: &Asset, feed_id: [u8; 32], account: Pubkey) -> Result<ReserveConfig> {
        let (oracle, c, r) = (&self.oracle, &asset.collateral, &asset.rates);
        let mut feeds = [FeedConfig::default(); 2];
        feeds[0] = FeedConfig { feed_id, account };
        let cap = |tokens: u64| tokens.saturating_mul(10u64.saturating_pow(asset.decimals.into()));
        let config = ReserveConfig {
            limits: Limits { deposit_cap: cap(asset.deposit_cap), borrow_cap: cap(asset.borrow_cap) },
            oracle: OracleConfig {
                feeds,
                max_age_new_risk: oracle.max_age_new_risk,
                max_age_liquidation: oracle.max_age_liquidation,
                max_confidence_new_risk_bps: oracle.max_confidence_new_risk_bps,
                max_confidence_liquidation_bps: oracle.max_confidence_liquidation_bps,
                confidence_multiple_bps: oracle.confidence_multiple_bps,
                max_divergence_bps: 500,
                dead_after: oracle.dead_after,
            },
            collateral: CollateralConfig {
                base_haircut_bps: c.haircut_bps,
                max_haircut_bps: c.max_haircut_bps,
                max_ltv_bps: c.max_ltv_bps,
                liquidation_threshold_bps: c.liquidation_threshold_bps,
                min_bonus_bps: c.min_bonus_bps,
                max_bonus_bps: c.max_bonus_bps,
                max_bonus_health_bps: c.max_bonus_health_bps,
                protocol_share_bps: c.protocol_share_bps,
            },
            rates: RateConfig {
                base_bps: r.base_bps,
                slope_bps: r.slope_bps,
                excess_slope_bps: r.excess_slope_bps,
                optimal_utilization_bps: r.optimal_utilization_bps,
                reserve_factor_bps: r.reserve_factor_bps,
            },
        };
        config
            .validate()
            .map_err(|error| BadInput::error(format!("{}: assets, {}: {error}", self.name, asset.symbol)))?;
        Ok(config)
    }
}

impl Asset {
    fn check(&self) -> Result<(), String> {
        let require = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
        require(!self.symbol.is_empty() && self.symbol.len() <= 16, "symbol: must have 1 to 16 letters")?;
        require(self.decimals <= 12, "decimals: must be at most 12")?;
        require(!self.native || self.decimals == 9, "decimals: SOL has 9")?;
        require(self.supplied.is_finite() && self.supplied >= 0.0, "supplied: must not be negative")?;
        require(self.follows.is_finite() && (-3.0..=3.0).contains(&self.follows), "follows: must be from -3 to 3")?;
        require(!self.prices.is_empty(), "prices: at least one is needed")?;
        for (i, (time, price)) in self.prices.iter().enumerate() {
            let point = format!("prices, point {}", i + 1);
            require(time.is_finite() && *time >= 0.0, &format!("{point}: time {time} is negative"))?;
            require(
                price.is_finite() && *price > 1e-6 && *price < MAX_PRICE,
                &format!("{point}: {price} is not a price above zero"),
            )?;
            let before = i.checked_sub(1).and_then(|j| self.prices.get(j));
            require(
                before.is_none_or(|(earlier, _)| earlier < time),
                &format!("{point}: time {time} is not after that of the point before"),
            )?;
        }
        Ok(())
    }

    /// The price after `seconds`, dollars.
    pub fn price_at(&self, seconds: f64) -> f64 {
        let minutes = seconds / 60.0;
        let next = self.prices.partition_point(|(time, _)| *time <= minutes);
        let after = self.prices.get(next);
        let before = next.checked_sub(1).and_then(|i| self.prices.get(i));
        match (before, after) {
            (Some((t0, p0)), Some((t1, p1))) => p0 + (p1 - p0) * (minutes - t0) / (t1 - t0),
            (Some((_, price)), None) | (None, Some((_, price))) => *price,
            (None, None) => 0.0,
        }
    }

    /// Half the width of the feed's confidence interval at `price`, dollars.
    pub fn confidence(&self, price: f64) -> f64 {
        price * f64::from(self.confidence_bps) / 10_000.0
    }

    /// Native units of so many whole tokens: the size of something invented.
    pub fn native_units(&self, tokens: f64) -> u64 {
        (tokens * 10f64.powi(self.decimals.into())).clamp(0.0, 9e18) as u64
    }
}

fn range([low, high]: &[f64; 2], name: &str) -> Result<(), String> {
    if low.is_finite() && high.is_finite() && *low > 0.0 && low <= high {
        Ok(())
    } else {
        Err(format!("{name}: must be two numbers above zero, the smaller first"))
    }
}

fn is_part(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(from: &str, to: &str) -> String {
        assert!(DEFAULT.contains(from), "{from}");
        let error = Scenario::parse(&DEFAULT.replacen(from, to, 1), "s.toml").unwrap_err();
        assert!(error.is::<BadInput>());
        let text = error.to_string();
        assert!(text.starts_with("s.toml"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        text
    }

    #[test]
    fn the_default_is_the_crash_that_it_names() {
        let scenario = Scenario::load(None).unwrap();
        let price = |symbol: &str, minute: f64| {
            let asset = scenario.asset(symbol).unwrap();
            scenario.assets[asset].price_at(minute * 60.0)
        };
        assert_eq!((price("SOL", 10.0), price("SOL", 70.0)), (207.0, 177.0));
        assert!((price("BTC", 70.0) / price("BTC", 10.0) - 0.9).abs() < 0.01);
        assert!((price("ETH", 70.0) / price("ETH", 10.0) - 0.88).abs() < 0.01);
        assert_eq!(scenario.user_count(), 76);
        assert_eq!(scenario.steps(), 360);
        assert_eq!(scenario.elapsed(1), 15);
        for asset in &scenario.assets {
            scenario.reserve_config(asset, [1; 32], Pubkey::default()).unwrap();
        }
    }

    #[test]
    fn prices_are_linear_between_points() {
        let scenario = Scenario::load(None).unwrap();
        let sol = &scenario.assets[0];
        assert_eq!(sol.price_at(-1.0), 206.4);
        assert!((sol.price_at(150.0) - 206.8).abs() < 1e-9);
        assert_eq!(sol.price_at(1e9), 190.8);
        assert_eq!(sol.native_units(1.5), 1_500_000_000);
    }

    #[test]
    fn a_bad_file_is_refused_with_its_place() {
        assert!(refusal("summary =", "sumary =").contains("unknown field `sumary`"));
        assert!(
            refusal("minutes = 90\n", "minutes = 90\nweeks = 1\n").contains("s.toml, line 18: unknown field `weeks`")
        );
        assert!(refusal("[0, 206.4]", "[0, -206.4]").contains("assets, SOL: prices, point 1: -206.4 is not a price"));
        assert!(refusal("[5, 207.2]", "[0, 207.2]").contains("point 2: time 0 is not after"));
        assert!(refusal("minutes = 90", "minutes = 0").contains("minutes: must be above zero"));
        assert!(refusal("minutes = 90", "minutes = 90_000_000").contains("20,000 steps"));
        assert!(refusal("[[0, 1.0]]", "[]").contains("USDC: prices: at least one"));
        assert!(refusal("borrow = \"USDC\"", "borrow = \"USDT\"").contains("users, long SOL: there is no asset USDT"));
        assert!(refusal("borrow = \"USDC\"", "borrow = \"SOL\"").contains("none that is borrowed"));
        assert!(refusal("health = [1.10, 1.24]", "health = [1.24, 1.10]").contains("the smaller first"));
        assert!(refusal("health = [1.10, 1.24]", "health = [0.9, 1.10]").contains("under 1"));
        assert!(refusal("watching = 0.25 ", "watching = 35 ").contains("from 0 to 1"));
        assert!(refusal("start = \"2025-10-10T20:10:00Z\"", "start = \"soon\"").contains("\"soon\" is not a time"));
        assert!(refusal("symbol = \"BTC\"", "symbol = \"SOL\"").contains("stands there twice"));
        assert!(refusal("decimals = 9", "decimals = \"nine\"").contains("line"));
    }

    #[test]
    fn incoherent_risk_parameters_are_the_programs_to_refuse() {
        let text = DEFAULT.replacen("max_ltv_bps = 7_500", "max_ltv_bps = 8_300", 1);
        let scenario = Scenario::parse(&text, "s.toml").unwrap();
        let error = scenario.reserve_config(&scenario.assets[0], [1; 32], Pubkey::default()).unwrap_err();
        assert!(error.to_string().contains("SOL: max_ltv must be below the liquidation threshold"), "{error}");
    }

    #[test]
    fn users_are_scaled_in_proportion() {
        let mut scenario = Scenario::load(None).unwrap();
        for wanted in [1, 7, 76, 200] {
            scenario.apply(&Overrides { users: Some(wanted), steps_per_hour: None }).unwrap();
            assert_eq!(scenario.user_count(), wanted);
        }
        assert!(scenario.apply(&Overrides { users: Some(0), steps_per_hour: None }).unwrap_err().is::<BadInput>());
        assert!(scenario.apply(&Overrides { users: None, steps_per_hour: Some(0) }).is_err());
    }

    #[test]
    fn imported_prices_move_the_others_along() {
        let candle = |time, close| Candle { time, open: close, high: close, low: close, close };
        let window = [candle(1_700_000_000, 100.0), candle(1_700_003_600, 80.0)];
        let mut scenario = Scenario::load(None).unwrap();
        scenario.import("SOL", &window, None).unwrap();
        assert_eq!(scenario.start_time, 1_700_000_000);
        assert_eq!(scenario.assets[0].price_at(3600.0), 80.0);
        assert!((scenario.assets[1].price_at(3600.0) / 117_000.0 - 0.86).abs() < 1e-9);
        assert_eq!(scenario.assets[3].price_at(3600.0), 1.0);
        assert_eq!(scenario.steps(), 240);
        assert!(scenario.import("DOGE", &window, None).unwrap_err().to_string().contains("only SOL, BTC, ETH, USDC"));
    }
}
