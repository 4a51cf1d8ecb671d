//! What is played: read from a TOML file, checked, and turned into the program's own parameter types.

mod asset;
mod params;

pub use asset::{Asset, price_on};
pub use params::{Market, Minted};

use crate::BadInput;
use crate::candles::{self, Candle};
use anyhow::{Context, Result};
use params::{Oracle, Volatility};
use serde::de::{Deserializer, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, de};
use std::fmt;
use std::path::Path;

/// The scenario that is played when none is named.
const DEFAULT: &str = include_str!("../../scenarios/2025-10-10.toml");
const DEFAULT_NAME: &str = "scenarios/2025-10-10.toml";
/// Steps of an imported price path, unless the caller says how many.
const IMPORTED_STEPS: f64 = 240.0;
/// More than this takes minutes.
const MAX_STEPS: u32 = 20_000;
const MAX_USERS: u32 = 500;
/// Prices are published in units of 10^-8 dollars.
pub const PRICE_EXPONENT: i32 = -8;

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
    #[serde(default)]
    volatility: Volatility,
    /// How the market is governed where it is served; without it changes need no notice.
    pub governance: Option<Governance>,
    /// The market's own token.
    pub minted: Option<Minted>,
    /// Where a keeper without capital sells what it seizes; without one there is no such keeper.
    pub exchange: Option<Exchange>,
    /// The assets.
    pub assets: Vec<Asset>,
    /// Groups of borrowers.
    pub users: Vec<Group>,
    /// Unix seconds of the chain's clock when it begins; from `start`.
    #[serde(skip)]
    pub start_time: i64,
}

/// Who supplies what is borrowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lenders {
    /// How many share in the supply of each asset.
    pub count: u32,
}

/// How the market is governed where it is served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governance {
    /// Seconds after the scenario from which the first queued changes can be executed.
    pub notice_seconds: u32,
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

/// Pools that swap everything for one asset, at the scenario's prices less a slippage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Symbol of that asset.
    pub quote: String,
    /// What a trade pays less than the price says.
    pub slippage_bps: u32,
    /// What each pool can pay, dollars at the beginning.
    pub depth_usd: f64,
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
    /// Symbols of what they borrow: of several assets, each in a part that is drawn per user.
    #[serde(deserialize_with = "one_or_many")]
    pub borrow: Vec<String>,
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
        require(is_amount(self.keeper.capital_usd), "keeper.capital_usd: must not be negative")?;
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
        if let Some(minted) = &self.minted {
            self.check_minted(minted).map_err(|what| format!("minted: {what}"))?;
        }
        if let Some(exchange) = &self.exchange {
            self.check_exchange(exchange).map_err(|what| format!("exchange: {what}"))?;
        }
        for group in &self.users {
            self.check_group(group).map_err(|what| format!("users, {}: {what}", group.name))?;
        }
        require(self.user_count() <= MAX_USERS, "users: more than 500 in total")
    }

    fn check_minted(&self, minted: &Minted) -> Result<(), String> {
        asset::check_symbol(&minted.symbol)?;
        if self.assets.iter().any(|asset| asset.symbol == minted.symbol) {
            return Err(format!("symbol: {} is one of the assets", minted.symbol));
        }
        self.require_asset(&minted.swap)?;
        if !is_amount(minted.swapped_usd) {
            return Err("swapped_usd: must not be negative".into());
        }
        Ok(())
    }

    fn check_exchange(&self, exchange: &Exchange) -> Result<(), String> {
        self.require_asset(&exchange.quote)?;
        if exchange.slippage_bps >= 10_000 {
            return Err("slippage_bps: must be under 10,000".into());
        }
        if !is_amount(exchange.depth_usd) || exchange.depth_usd == 0.0 {
            return Err("depth_usd: must be above zero".into());
        }
        // What a sale yields goes through the swap into the minted token.
        match &self.minted {
            Some(minted) if minted.swap != exchange.quote => {
                Err(format!("quote: must be {}, which {} is swapped with", minted.swap, minted.symbol))
            }
            _ => Ok(()),
        }
    }

    fn require_asset(&self, symbol: &str) -> Result<(), String> {
        if self.assets.iter().any(|asset| asset.symbol == symbol) {
            return Ok(());
        }
        Err(format!("there is no asset {symbol}"))
    }

    fn check_group(&self, group: &Group) -> Result<(), String> {
        for symbol in group.collateral.iter().chain(&group.borrow) {
            if self.index_of(symbol).is_none() {
                return Err(format!("there is no asset {symbol}"));
            }
        }
        if group.collateral.is_empty() || group.collateral.iter().any(|symbol| group.borrow.contains(symbol)) {
            return Err("collateral: at least one asset, and none that is borrowed".into());
        }
        if let Some(minted) = self.minted.as_ref().filter(|minted| group.collateral.contains(&minted.symbol)) {
            return Err(format!("collateral: {} is minted, and no collateral in its own market", minted.symbol));
        }
        let twice = |i: usize| group.borrow.iter().take(i).any(|symbol| Some(symbol) == group.borrow.get(i));
        if group.borrow.is_empty() || (0..group.borrow.len()).any(twice) {
            return Err("borrow: at least one asset, and none twice".into());
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
                    let moved = if asset.symbol == symbol { *price } else { asset.following(base, price / first) };
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

    /// How many loans they take.
    pub fn loan_count(&self) -> u32 {
        self.users.iter().map(|g| g.count.saturating_mul(g.borrow.len() as u32)).fold(0, u32::saturating_add)
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

    /// How long it lasts.
    pub fn minutes(&self) -> f64 {
        self.minutes
    }

    /// The prices after `seconds`, dollars, in the order of the assets.
    pub fn prices_at(&self, seconds: f64) -> Vec<f64> {
        self.assets.iter().map(|asset| asset.price_at(seconds)).collect()
    }

    /// The index of an asset; that of the minted token is behind all others.
    pub fn index_of(&self, symbol: &str) -> Option<usize> {
        let minted = self.minted.iter().map(|minted| &minted.symbol);
        self.assets.iter().map(|asset| &asset.symbol).chain(minted).position(|known| known == symbol)
    }

    /// Native units of an asset that are worth so many dollars at the beginning.
    pub fn worth(&self, symbol: &str, dollars: f64) -> Result<u64> {
        let asset = self.assets.iter().find(|asset| asset.symbol == symbol);
        Ok(asset.with_context(|| format!("there is no asset {symbol}"))?.worth(dollars))
    }

    /// Half-life of the feeds' average, seconds.
    pub fn ema_half_life(&self) -> f64 {
        self.oracle.ema_minutes * 60.0
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

fn is_amount(number: f64) -> bool {
    number.is_finite() && number >= 0.0
}

/// A list of symbols, or one without the brackets.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Symbols;
    impl<'de> Visitor<'de> for Symbols {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a symbol or a list of symbols")
        }

        fn visit_str<E: de::Error>(self, symbol: &str) -> Result<Vec<String>, E> {
            Ok(vec![symbol.into()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, symbols: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(symbols))
        }
    }
    deserializer.deserialize_any(Symbols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::Pubkey;

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
            let asset = scenario.index_of(symbol).unwrap();
            scenario.assets[asset].price_at(minute * 60.0)
        };
        assert_eq!((price("SOL", 10.0), price("SOL", 70.0)), (207.0, 177.0));
        assert!((price("BTC", 70.0) / price("BTC", 10.0) - 0.9).abs() < 0.01);
        assert!((price("ETH", 70.0) / price("ETH", 10.0) - 0.88).abs() < 0.01);
        assert_eq!((scenario.user_count(), scenario.loan_count()), (90, 104));
        assert_eq!(scenario.steps(), 360);
        assert_eq!(scenario.elapsed(1), 15);
        for asset in &scenario.assets {
            let config = scenario.reserve_config(asset, [1; 32], Pubkey::default()).unwrap();
            assert_eq!((config.volatility.multiple_bps, config.flash_fee_bps), (30_000, 5));
        }
        let config = scenario.minted_config(scenario.minted.as_ref().unwrap()).unwrap();
        assert_eq!((config.limits.borrow_cap, config.minted.swap_in_fee_bps), (5_000_000_000_000, 10));
    }

    /// What a file from before these tables says.
    #[test]
    fn a_scenario_may_mint_nothing_and_have_no_exchange() {
        let cut = |text: &str, table: &str, next: &str| {
            let (start, end) = (text.find(table).unwrap(), text.find(next).unwrap());
            format!("{}{}", &text[..start], &text[end..])
        };
        let text = cut(&cut(DEFAULT, "[volatility]", "[oracle]"), "[minted]", "[lenders]");
        let text = text.replacen("[\"USDC\", \"kUSD\"]", "[\"USDC\"]", 1);
        let scenario = Scenario::parse(&text, "s.toml").unwrap();
        assert!(scenario.minted.is_none() && scenario.exchange.is_none());
        let config = scenario.reserve_config(&scenario.assets[0], [1; 32], Pubkey::default()).unwrap();
        assert_eq!(config.volatility.multiple_bps, 0);
    }

    #[test]
    fn an_asset_may_have_its_own_volatility() {
        let own = "volatility = { min_interval = 60, half_life = 600, max_return_bps = 500, multiple_bps = 10_000, \
                   horizon = 60, up_bps_per_hour = 50, down_bps_per_hour = 50 }\nprices = [[0, 1.0]]";
        let scenario = Scenario::parse(&DEFAULT.replacen("prices = [[0, 1.0]]", own, 1), "s.toml").unwrap();
        let half_life = |symbol: &str| {
            let asset = &scenario.assets[scenario.index_of(symbol).unwrap()];
            scenario.reserve_config(asset, [1; 32], Pubkey::default()).unwrap().volatility.half_life
        };
        assert_eq!((half_life("SOL"), half_life("USDC")), (3_600, 600));
    }

    #[test]
    fn the_minted_token_stands_behind_the_assets() {
        let scenario = Scenario::load(None).unwrap();
        assert_eq!(
            (scenario.index_of("USDC"), scenario.index_of("kUSD"), scenario.index_of("DAI")),
            (Some(3), Some(4), None)
        );
        assert_eq!(scenario.worth("SOL", 412.8).unwrap(), 2_000_000_000);
        let both = scenario.users.last().unwrap();
        assert_eq!((both.borrow.len(), scenario.users[0].borrow.len()), (2, 1));
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
            refusal("minutes = 90\n", "minutes = 90\nweeks = 1\n").contains("s.toml, line 22: unknown field `weeks`")
        );
        assert!(refusal("[0, 206.4]", "[0, -206.4]").contains("assets, SOL: prices, point 1: -206.4 is not a price"));
        assert!(refusal("[5, 207.2]", "[0, 207.2]").contains("point 2: time 0 is not after"));
        assert!(refusal("minutes = 90", "minutes = 0").contains("minutes: must be above zero"));
        assert!(refusal("minutes = 90", "minutes = 90_000_000").contains("20,000 steps"));
        assert!(refusal("[[0, 1.0]]", "[]").contains("USDC: prices: at least one"));
        assert!(refusal("borrow = \"USDC\"", "borrow = \"USDT\"").contains("users, long SOL: there is no asset USDT"));
        assert!(refusal("borrow = \"USDC\"", "borrow = \"SOL\"").contains("none that is borrowed"));
        assert!(refusal("borrow = \"USDC\"", "borrow = 1").contains("a symbol or a list of symbols"));
        assert!(refusal("[\"USDC\", \"kUSD\"]", "[\"USDC\", \"USDC\"]").contains("none twice"));
        assert!(refusal("[\"USDC\", \"kUSD\"]", "[]").contains("at least one"));
        assert!(
            refusal("collateral = [\"SOL\"]", "collateral = [\"kUSD\"]").contains("kUSD is minted, and no collateral")
        );
        assert!(refusal("symbol = \"kUSD\"", "symbol = \"ETH\"").contains("minted: symbol: ETH is one of the assets"));
        assert!(refusal("swap = \"USDC\"", "swap = \"DAI\"").contains("minted: there is no asset DAI"));
        assert!(refusal("swapped_usd = 250_000", "swapped_usd = -1").contains("minted: swapped_usd: must not be"));
        assert!(refusal("quote = \"USDC\"", "quote = \"SOL\"").contains("exchange: quote: must be USDC"));
        assert!(refusal("slippage_bps = 40", "slippage_bps = 10_000").contains("exchange: slippage_bps"));
        assert!(refusal("depth_usd = 5_000_000", "depth_usd = 0").contains("exchange: depth_usd"));
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
        let text = DEFAULT.replacen("swap_in_fee_bps = 10", "swap_in_fee_bps = 2_000", 1);
        let scenario = Scenario::parse(&text, "s.toml").unwrap();
        let error = scenario.minted_config(scenario.minted.as_ref().unwrap()).unwrap_err();
        assert!(error.is::<BadInput>() && error.to_string().contains(": minted: "), "{error}");
    }

    #[test]
    fn users_are_scaled_in_proportion() {
        let mut scenario = Scenario::load(None).unwrap();
        for wanted in [1, 7, 90, 200] {
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
