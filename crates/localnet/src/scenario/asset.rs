//! One asset of a scenario and its price path.

use super::params::{Collateral, EfficiencyGroup, Rates, Volatility};
use serde::Deserialize;

/// Largest price in dollars that a published number can hold.
const MAX_PRICE: f64 = 9e10;

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
    pub(super) deposit_cap: u64,
    pub(super) borrow_cap: u64,
    confidence_bps: u32,
    pub(super) follows: f64,
    /// Minutes and dollars; between them linear, before and after them constant.
    pub(crate) prices: Vec<(f64, f64)>,
    pub(super) collateral: Collateral,
    /// The efficiency group that it is in.
    pub(super) group: Option<EfficiencyGroup>,
    pub(super) rates: Rates,
    /// In place of the scenario's.
    pub(super) volatility: Option<Volatility>,
}

impl Asset {
    pub(super) fn check(&self) -> Result<(), String> {
        let require = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_string()) };
        check_symbol(&self.symbol)?;
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
        price_on(&self.prices, seconds / 60.0)
    }

    /// Whether its price is ever another one.
    pub fn moves(&self) -> bool {
        self.prices.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a != b))
    }

    /// What `price` becomes when the price that others follow is multiplied. An asset that follows by more than it can fall
    /// stops at a hundredth.
    pub fn following(&self, price: f64, multiple: f64) -> f64 {
        price * (1.0 + self.follows * (multiple - 1.0)).max(0.01)
    }

    /// Half the width of the feed's confidence interval at `price`, dollars.
    pub fn confidence(&self, price: f64) -> f64 {
        price * f64::from(self.confidence_bps) / 10_000.0
    }

    /// Native units that are worth so many dollars at the beginning.
    pub fn worth(&self, dollars: f64) -> u64 {
        self.native_units(dollars / self.price_at(0.0))
    }

    /// Native units of so many whole tokens: the size of something invented.
    pub fn native_units(&self, tokens: f64) -> u64 {
        (tokens * 10f64.powi(self.decimals.into())).clamp(0.0, 9e18) as u64
    }
}

/// The price of a path at a time: linear between its points, before and after them constant.
pub fn price_on(points: &[(f64, f64)], time: f64) -> f64 {
    let next = points.partition_point(|(earlier, _)| *earlier <= time);
    let after = points.get(next);
    let before = next.checked_sub(1).and_then(|i| points.get(i));
    match (before, after) {
        (Some((t0, p0)), Some((t1, p1))) => p0 + (p1 - p0) * (time - t0) / (t1 - t0),
        (Some((_, price)), None) | (None, Some((_, price))) => *price,
        (None, None) => 0.0,
    }
}

/// Whether a symbol fits the tables.
pub(super) fn check_symbol(symbol: &str) -> Result<(), String> {
    if symbol.is_empty() || symbol.len() > 16 { Err("symbol: must have 1 to 16 letters".into()) } else { Ok(()) }
}
