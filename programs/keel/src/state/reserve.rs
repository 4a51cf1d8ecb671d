use crate::errors::KeelError;
use crate::oracle::{Reading, Readings};
use anchor_lang::prelude::*;
use keel_risk::config::{self, CollateralTerms, OracleTerms};
use keel_risk::health::{Totals, collateral_factor};
use keel_risk::interest::RateCurve;
use keel_risk::liquidation::BonusTerms;
use keel_risk::pool::{Indices, Pool, RateTerms};
use keel_risk::price::{self, Bounds, Moment, Observation, Purpose, Side, UnitPrice};
use keel_risk::units::{Amount, DebtIndex, DebtShares, SupplyIndex, SupplyShares};
use keel_risk::{Fraction, RiskError};

use super::{Position, Words};

/// Oracles of one reserve, at most.
pub const MAX_FEEDS: usize = 2;
/// Most decimals of a mint: with an exponent of -12 a price can still be computed exactly.
pub const MAX_DECIMALS: u8 = 18;

/// Where an asset's liquidity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReserveKind {
    /// Suppliers' tokens.
    Pooled = 1,
}

/// One price feed of a reserve.
#[zero_copy]
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct FeedConfig {
    /// The feed's identity with the oracle; zeros in an unused second feed.
    pub feed_id: [u8; 32],
    /// The only price account that is accepted, such as a push feed's; zeros for any.
    pub account: Pubkey,
}

/// The oracles of a reserve and what is demanded of them.
#[zero_copy]
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
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
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
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

/// The interest of a reserve. Yearly rates in basis points.
#[zero_copy]
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct RateConfig {
    /// Rate at zero utilization.
    pub base_bps: u32,
    /// What the rate rises up to the optimal utilization.
    pub slope_bps: u32,
    /// What it rises beyond, at full utilization.
    pub excess_slope_bps: u32,
    /// Where the curve bends.
    pub optimal_utilization_bps: u32,
    /// The part of interest that goes to insurance.
    pub reserve_factor_bps: u32,
}

/// How much a reserve takes on. Native units.
#[zero_copy]
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most that may be supplied.
    pub deposit_cap: u64,
    /// Most that may be owed.
    pub borrow_cap: u64,
}

/// Everything that governance sets of a reserve.
#[zero_copy]
#[derive(AnchorSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct ReserveConfig {
    pub limits: Limits,
    pub oracle: OracleConfig,
    pub collateral: CollateralConfig,
    pub rates: RateConfig,
}

/// The haircuts in force. Static for now: both stay at the base haircut.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HaircutState {
    /// For borrow and withdraw.
    pub initial: Words,
    /// For liquidation.
    pub maintenance: Words,
}

/// The last observation that a reserve accepted from a feed.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LastPrice {
    pub price: i64,
    pub confidence: u64,
    pub ema_price: i64,
    pub ema_confidence: u64,
    pub publish_time: i64,
    pub posted_slot: u64,
    /// When somebody asked for proof that this feed is alive; 0 when there is no open challenge.
    pub challenged_at: i64,
    pub exponent: i32,
    pub reserved: [u8; 4],
}

/// One asset of a market.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Reserve {
    /// [`super::LAYOUT_VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// Decimals of the mint.
    pub decimals: u8,
    /// [`ReserveKind`].
    pub kind: u8,
    pub reserved_header: [u8; 4],
    pub market: Pubkey,
    pub mint: Pubkey,
    /// The program of the mint: SPL Token or Token-2022.
    pub token_program: Pubkey,
    /// The token account that holds what is not lent; its authority is this reserve.
    pub liquidity: Pubkey,
    /// Native units in the reserve that are not lent. The books, not the token account, say how many.
    pub available: u64,
    /// Unix seconds up to which interest is accrued.
    pub updated_at: i64,
    /// All claims on the reserve, insurance included. This and what follows as in [`Pool`], 60-bit fixed point.
    pub supply_shares: Words,
    pub insurance_shares: Words,
    pub debt_shares: Words,
    pub supply_index: Words,
    pub debt_index: Words,
    pub borrow_rate: Words,
    pub supply_growth_ratio: Words,
    pub haircut: HaircutState,
    pub last_prices: [LastPrice; MAX_FEEDS],
    pub config: ReserveConfig,
    /// For what later versions add: volatility, outflow windows, minted reserves.
    pub reserved: [u8; 512],
}

const _: () = assert!(size_of::<LastPrice>() == 64);
const _: () = assert!(size_of::<ReserveConfig>() == 16 + 156 + 32 + 20);
const _: () = assert!(size_of::<Reserve>() == 8 + 4 * 32 + 16 + 7 * 16 + 32 + 128 + 224 + 512);
const _: () = assert!(align_of::<Reserve>() == 8);

type Outcome<T> = core::result::Result<T, KeelError>;

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
    /// How many feeds are configured: 1 or 2.
    pub fn feed_count(&self) -> usize {
        let [_, second] = &self.feeds;
        if second.is_set() { 2 } else { 1 }
    }

    /// The configured feeds.
    pub fn active_feeds(&self) -> impl Iterator<Item = &FeedConfig> {
        self.feeds.iter().take(self.feed_count())
    }

    fn bounds(&self, purpose: Purpose) -> Bounds {
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

impl ReserveConfig {
    /// Refuses a configuration that could not work; the conditions are in [`keel_risk::config`].
    pub fn validate(&self) -> Outcome<()> {
        let [first, _] = &self.oracle.feeds;
        if !first.is_set() {
            return Err(KeelError::ConfigOracle);
        }
        config::check_oracle(&self.oracle.terms())?;
        config::check_collateral(&self.collateral_terms())?;
        config::check_rates(&self.rate_terms())?;
        Ok(())
    }

    fn collateral_terms(&self) -> CollateralTerms {
        let c = &self.collateral;
        CollateralTerms {
            base_haircut_bps: c.base_haircut_bps,
            max_haircut_bps: c.max_haircut_bps,
            max_ltv_bps: c.max_ltv_bps,
            liquidation_threshold_bps: c.liquidation_threshold_bps,
            bonus: self.bonus_terms(),
        }
    }

    /// The liquidation bonus.
    pub fn bonus_terms(&self) -> BonusTerms {
        let c = &self.collateral;
        BonusTerms {
            min_bps: c.min_bonus_bps,
            max_bps: c.max_bonus_bps,
            max_bonus_health_bps: c.max_bonus_health_bps,
            protocol_share_bps: c.protocol_share_bps,
        }
    }

    /// The rate curve and the reserve factor.
    pub fn rate_terms(&self) -> RateTerms {
        let r = &self.rates;
        RateTerms {
            curve: RateCurve {
                base_bps: r.base_bps,
                slope_bps: r.slope_bps,
                excess_slope_bps: r.excess_slope_bps,
                optimal_utilization_bps: r.optimal_utilization_bps,
            },
            reserve_factor_bps: r.reserve_factor_bps,
        }
    }
}

impl LastPrice {
    fn observation(&self) -> Observation {
        Observation {
            price: self.price,
            confidence: self.confidence,
            ema_price: self.ema_price,
            ema_confidence: self.ema_confidence,
            exponent: self.exponent,
            publish_time: self.publish_time,
            posted_slot: self.posted_slot,
        }
    }

    /// Whether a challenge stayed unanswered for `dead_after` seconds.
    fn is_dead(&self, dead_after: u32, now: i64) -> bool {
        self.challenged_at != 0 && now.saturating_sub(self.challenged_at) >= i64::from(dead_after)
    }
}

impl From<Observation> for LastPrice {
    /// An accepted observation answers any open challenge.
    fn from(o: Observation) -> Self {
        Self {
            price: o.price,
            confidence: o.confidence,
            ema_price: o.ema_price,
            ema_confidence: o.ema_confidence,
            publish_time: o.publish_time,
            posted_slot: o.posted_slot,
            challenged_at: 0,
            exponent: o.exponent,
            reserved: [0; 4],
        }
    }
}

impl Reserve {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// The books.
    pub fn pool(&self) -> Pool {
        Pool {
            available: Amount(self.available),
            supply_shares: SupplyShares(self.supply_shares.into()),
            insurance_shares: SupplyShares(self.insurance_shares.into()),
            debt_shares: DebtShares(self.debt_shares.into()),
            supply_index: SupplyIndex(self.supply_index.into()),
            debt_index: DebtIndex(self.debt_index.into()),
            borrow_rate: self.borrow_rate.into(),
            supply_growth_ratio: self.supply_growth_ratio.into(),
            updated_at: self.updated_at,
        }
    }

    /// The books, accrued to `now`: what every action that changes them starts from.
    pub fn accrued_pool(&self, now: i64) -> Outcome<Pool> {
        let mut pool = self.pool();
        pool.accrue(now)?;
        Ok(pool)
    }

    /// Writes the books back, at the rate that follows from them, after checking that they hold.
    pub fn settle(&mut self, mut pool: Pool) -> Outcome<()> {
        pool.reprice(&self.config.rate_terms())?;
        pool.check()?;
        self.store(&pool);
        Ok(())
    }

    /// Copies the books as they are.
    pub fn store(&mut self, pool: &Pool) {
        self.available = pool.available.0;
        self.updated_at = pool.updated_at;
        self.supply_shares = pool.supply_shares.0.into();
        self.insurance_shares = pool.insurance_shares.0.into();
        self.debt_shares = pool.debt_shares.0.into();
        self.supply_index = pool.supply_index.0.into();
        self.debt_index = pool.debt_index.0.into();
        self.borrow_rate = pool.borrow_rate.into();
        self.supply_growth_ratio = pool.supply_growth_ratio.into();
    }

    /// What a dollar of this collateral carries for `purpose`.
    pub fn collateral_factor(&self, purpose: Purpose) -> Outcome<Fraction> {
        let c = &self.config.collateral;
        let (haircut, loan_to_value_bps) = match purpose {
            Purpose::NewRisk => (self.haircut.initial, c.max_ltv_bps),
            Purpose::Liquidation => (self.haircut.maintenance, c.liquidation_threshold_bps),
        };
        Ok(collateral_factor(haircut.into(), loan_to_value_bps)?)
    }

    /// Adds a position in this reserve to a vault's sums, at `price`.
    ///
    /// `indices` are those at the present moment: no asset of a vault is ever valued at an un-accrued index.
    pub fn count(
        &self,
        totals: &mut Totals,
        position: &Position,
        indices: &Indices,
        price: UnitPrice,
        purpose: Purpose,
    ) -> Outcome<()> {
        match position.side() {
            Some(Side::Collateral) => {
                let amount = indices.supply.amount_of(position.supply_shares())?;
                totals.add_collateral(price.value_floor(amount)?, self.collateral_factor(purpose)?)?;
            }
            Some(Side::Debt) => {
                let amount = indices.debt.amount_owed(position.debt_shares())?;
                totals.add_debt(price.value_ceil(amount)?)?;
            }
            None => {}
        }
        Ok(())
    }

    /// The observation of feed `i`, if it may be used for `purpose` at `moment`.
    fn accepted(&self, i: usize, reading: &Reading, purpose: Purpose, moment: &Moment) -> Outcome<Observation> {
        let observation = (*reading)?;
        let last = self.last_prices.get(i).map_or(0, |last| last.publish_time);
        observation.accept(&self.config.oracle.bounds(purpose), moment, last)?;
        Ok(observation)
    }

    /// The price for new risk: every feed must be acceptable, and two may not diverge.
    pub fn new_risk_price(&self, readings: &Readings, side: Side, moment: &Moment) -> Outcome<UnitPrice> {
        let oracle = &self.config.oracle;
        let price_of = |observation: &Observation| {
            price::price_for(observation, side, Purpose::NewRisk, self.decimals, oracle.confidence_multiple_bps)
        };
        let [first, second] = readings;
        let first = self.accepted(0, first, Purpose::NewRisk, moment)?;
        let price = price_of(&first)?;
        if oracle.feed_count() == 1 {
            return Ok(price);
        }
        let second = self.accepted(1, second, Purpose::NewRisk, moment)?;
        let (spot, other_spot) = (first.spot(self.decimals)?, second.spot(self.decimals)?);
        price::check_divergence(spot, other_spot, oracle.max_divergence_bps)?;
        Ok(price::combine(price, price_of(&second)?, side, Purpose::NewRisk))
    }

    /// The price in a liquidation from the feeds that are alive. `Ok(None)` when all are dead.
    ///
    /// A feed without an acceptable price is left out only if it is dead, that is if a challenge to it went unanswered.
    /// Otherwise whoever liquidates could leave out the feed that speaks for the owner.
    fn live_price(&self, readings: &Readings, side: Side, moment: &Moment) -> Outcome<Option<UnitPrice>> {
        let oracle = &self.config.oracle;
        let mut combined: Option<UnitPrice> = None;
        for (i, (reading, last)) in readings.iter().zip(&self.last_prices).take(oracle.feed_count()).enumerate() {
            match self.accepted(i, reading, Purpose::Liquidation, moment) {
                Ok(observation) => {
                    let spot = observation.spot(self.decimals)?;
                    combined = Some(combined.map_or(spot, |c| price::combine(c, spot, side, Purpose::Liquidation)));
                }
                Err(_) if last.is_dead(oracle.dead_after, moment.now) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(combined)
    }

    /// The price in a liquidation for the assets that change hands: at least one feed is alive.
    pub fn traded_price(&self, readings: &Readings, side: Side, moment: &Moment) -> Outcome<UnitPrice> {
        let [first, _] = readings;
        self.live_price(readings, side, moment)?
            .ok_or_else(|| self.accepted(0, first, Purpose::Liquidation, moment).err().unwrap_or(KeelError::PriceStale))
    }

    /// The price in a liquidation for the vault's other assets: the last accepted one when all feeds are dead, so that
    /// an attached dead feed can neither cause nor block a liquidation.
    pub fn maintenance_price(&self, readings: &Readings, side: Side, moment: &Moment) -> Outcome<UnitPrice> {
        if let Some(price) = self.live_price(readings, side, moment)? {
            return Ok(price);
        }
        let mut combined: Option<UnitPrice> = None;
        for last in self.last_prices.iter().take(self.config.oracle.feed_count()) {
            let spot = last.observation().spot(self.decimals)?;
            combined = Some(combined.map_or(spot, |c| price::combine(c, spot, side, Purpose::Liquidation)));
        }
        combined.ok_or(KeelError::PriceNeverAccepted)
    }

    /// Remembers every reading that is acceptable for `purpose` as the last accepted one of its feed.
    pub fn remember_prices(&mut self, readings: &Readings, purpose: Purpose, moment: &Moment) {
        for (i, reading) in readings.iter().enumerate().take(self.config.oracle.feed_count()) {
            if let Ok(observation) = self.accepted(i, reading, purpose, moment)
                && let Some(last) = self.last_prices.get_mut(i)
            {
                *last = observation.into();
            }
        }
    }

    /// Takes one acceptable price of every feed, or says which is not: for listing and for `refresh_reserve`.
    pub fn require_prices(&mut self, readings: &Readings, purpose: Purpose, moment: &Moment) -> Outcome<()> {
        for (i, reading) in readings.iter().enumerate().take(self.config.oracle.feed_count()) {
            let observation = self.accepted(i, reading, purpose, moment)?;
            observation.spot(self.decimals)?;
            *self.last_prices.get_mut(i).ok_or(KeelError::MissingAccount)? = observation.into();
        }
        Ok(())
    }

    /// Opens a challenge to feed `i`, if none is open.
    pub fn challenge(&mut self, i: usize, now: i64) -> Outcome<()> {
        let count = self.config.oracle.feed_count();
        let last = self.last_prices.get_mut(i).filter(|_| i < count).ok_or(KeelError::NoSuchFeed)?;
        if last.challenged_at == 0 {
            last.challenged_at = now;
        }
        Ok(())
    }

    /// The invariant of the books. Every handler ends with [`Self::settle`], which checks it; tests check it too.
    pub fn invariant(&self) -> core::result::Result<(), RiskError> {
        self.pool().check()
    }
}
