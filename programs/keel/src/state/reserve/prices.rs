//! Which price a reserve's asset has, from what its feeds say and what it remembers of them.

use super::{Outcome, Reserve};
use crate::errors::KeelError;
use crate::oracle::{Reading, Readings};
use anchor_lang::prelude::*;
use keel_risk::price::{self, Moment, Observation, Purpose, Side, UnitPrice};

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

const _: () = assert!(size_of::<LastPrice>() == 64);

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
    /// The observation of feed `i`, if it may be used for `purpose` at `moment`.
    fn accepted(&self, i: usize, reading: &Reading, purpose: Purpose, moment: &Moment) -> Outcome<Observation> {
        let observation = (*reading)?;
        let last = self.last_prices.get(i).map_or(0, |last| last.publish_time);
        observation.accept(&self.config.oracle.bounds(purpose), moment, last)?;
        Ok(observation)
    }

    /// What a minted token is owed at, whatever its market price: a dollar.
    fn par(&self) -> Outcome<Option<UnitPrice>> {
        if self.is_minted() { Ok(Some(UnitPrice::new(1, 0, self.decimals)?)) } else { Ok(None) }
    }

    /// The price for new risk: every feed must be acceptable, and two may not diverge.
    pub fn new_risk_price(&self, readings: &Readings, side: Side, moment: &Moment) -> Outcome<UnitPrice> {
        if let Some(par) = self.par()? {
            return Ok(par);
        }
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
        let mut combined = self.par()?;
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

    /// Remembers every reading that is acceptable for `purpose` as the last accepted one of its feed, and samples the
    /// first feed's for the haircut.
    pub fn remember_prices(&mut self, readings: &Readings, purpose: Purpose, moment: &Moment) -> Outcome<()> {
        for (i, reading) in readings.iter().enumerate().take(self.config.oracle.feed_count()) {
            if let Ok(observation) = self.accepted(i, reading, purpose, moment) {
                self.remember(i, observation, moment)?;
            }
        }
        Ok(())
    }

    /// Takes one acceptable price of every feed, or says which is not: for listing and for `refresh_reserve`.
    ///
    /// In the latter, of two feeds one may be silent that is challenged: the other one, which somebody who wants to be rid of it
    /// challenges as well, could otherwise not answer.
    pub fn require_prices(&mut self, readings: &Readings, purpose: Purpose, moment: &Moment) -> Outcome<()> {
        let count = self.config.oracle.feed_count();
        let mut may_be_silent = purpose == Purpose::Liquidation && count > 1;
        for (i, reading) in readings.iter().enumerate().take(count) {
            match self.accepted(i, reading, purpose, moment) {
                Ok(observation) => {
                    observation.spot(self.decimals)?;
                    self.remember(i, observation, moment)?;
                }
                Err(_) if may_be_silent && self.is_challenged(i) => may_be_silent = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn remember(&mut self, i: usize, observation: Observation, moment: &Moment) -> Outcome<()> {
        *self.last_prices.get_mut(i).ok_or(KeelError::MissingAccount)? = observation.into();
        // A price that cannot be computed with is none to measure volatility by.
        match observation.spot(self.decimals) {
            Ok(spot) if i == 0 => self.sample(spot, observation.publish_time, moment.now),
            _ => Ok(()),
        }
    }

    fn is_challenged(&self, i: usize) -> bool {
        self.last_prices.get(i).is_some_and(|last| last.challenged_at != 0)
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
}
