//! Which price applies, and which is remembered: the rules of the program's oracle, on the risk crate's functions.

use crate::terms;
use keel::KeelError;
use keel::oracle::Reading;
use keel::state::{LastPrice, ReserveConfig, Side};
use keel_risk::price::{self, Moment, Observation, Purpose, UnitPrice};

/// What a reserve remembers of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The last accepted observation.
    pub last: Observation,
    /// When it was challenged; 0 without a challenge.
    pub challenged_at: i64,
}

impl Feed {
    /// As in an account.
    pub fn of(last: &LastPrice) -> Self {
        let observation = Observation {
            price: last.price,
            confidence: last.confidence,
            ema_price: last.ema_price,
            ema_confidence: last.ema_confidence,
            exponent: last.exponent,
            publish_time: last.publish_time,
            posted_slot: last.posted_slot,
        };
        Self { last: observation, challenged_at: last.challenged_at }
    }

    /// Takes over what it said; an open challenge is answered.
    pub fn accept(&mut self, observation: Observation) {
        *self = Self { last: observation, challenged_at: 0 };
    }
}

/// The oracle of one reserve: its feeds, and what their price accounts hold now. A minted reserve has none, and its
/// token is owed at a dollar.
pub struct Oracle<'a> {
    pub config: &'a ReserveConfig,
    pub decimals: u8,
    pub minted: bool,
    pub feeds: &'a [Feed],
    pub readings: &'a [Reading],
    pub moment: Moment,
}

type Outcome<T> = Result<T, KeelError>;

impl Oracle<'_> {
    fn accepted(&self, feed: usize, purpose: Purpose) -> Outcome<Observation> {
        let observation = self.readings[feed]?;
        let last = self.feeds[feed].last.publish_time;
        observation.accept(&terms::bounds(self.config, purpose), &self.moment, last)?;
        Ok(observation)
    }

    fn par(&self) -> Outcome<UnitPrice> {
        Ok(UnitPrice::new(1, 0, self.decimals)?)
    }

    /// For new risk every feed counts, and two must agree.
    pub fn new_risk(&self, side: Side) -> Outcome<UnitPrice> {
        if self.minted {
            return self.par();
        }
        let terms = &self.config.oracle;
        let mut prices = vec![];
        for feed in 0..self.feeds.len() {
            let seen = self.accepted(feed, Purpose::NewRisk)?;
            let k = terms.confidence_multiple_bps;
            let price = price::price_for(&seen, side, Purpose::NewRisk, self.decimals, k)?;
            prices.push((price, seen.spot(self.decimals)?));
        }
        if let [(_, a), (_, b)] = prices[..] {
            price::check_divergence(a, b, terms.max_divergence_bps)?;
        }
        let combine = |a, b| price::combine(a, b, side, Purpose::NewRisk);
        Ok(prices.into_iter().map(|(price, _)| price).reduce(combine).unwrap())
    }

    /// In a liquidation a feed is left out only if a challenge to it went unanswered. `None` when all are.
    fn alive(&self, side: Side) -> Outcome<Option<UnitPrice>> {
        let mut prices = if self.minted { vec![self.par()?] } else { vec![] };
        for (i, feed) in self.feeds.iter().enumerate() {
            let waited = self.moment.now - feed.challenged_at;
            let dead = feed.challenged_at != 0 && waited >= i64::from(self.config.oracle.dead_after);
            match self.accepted(i, Purpose::Liquidation) {
                Ok(seen) => prices.push(seen.spot(self.decimals)?),
                Err(_) if dead => {}
                Err(error) => return Err(error),
            }
        }
        Ok(prices.into_iter().reduce(|a, b| price::combine(a, b, side, Purpose::Liquidation)))
    }

    /// For the assets that change hands, a feed must be alive.
    pub fn traded(&self, side: Side) -> Outcome<UnitPrice> {
        match self.alive(side)? {
            Some(price) => Ok(price),
            None => Err(self.accepted(0, Purpose::Liquidation).unwrap_err()),
        }
    }

    /// For the vault's other assets, the last accepted price will do.
    pub fn maintenance(&self, side: Side) -> Outcome<UnitPrice> {
        if let Some(price) = self.alive(side)? {
            return Ok(price);
        }
        let mut lasts = vec![];
        for feed in self.feeds {
            lasts.push(feed.last.spot(self.decimals)?);
        }
        Ok(lasts.into_iter().reduce(|a, b| price::combine(a, b, side, Purpose::Liquidation)).unwrap())
    }

    /// Every feed's observation that is acceptable.
    pub fn acceptable(&self, purpose: Purpose) -> Vec<(usize, Observation)> {
        (0..self.feeds.len()).filter_map(|feed| Some((feed, self.accepted(feed, purpose).ok()?))).collect()
    }

    /// The observations of all feeds, for a refresh or other feeds. For a refresh, of two feeds one may be silent that was
    /// challenged.
    pub fn all(&self, purpose: Purpose) -> Outcome<Vec<(usize, Observation)>> {
        let may_be_silent = purpose == Purpose::Liquidation && self.feeds.len() == 2;
        let mut seen = vec![];
        for (i, feed) in self.feeds.iter().enumerate() {
            match self.accepted(i, purpose) {
                Ok(observation) => {
                    observation.spot(self.decimals)?;
                    seen.push((i, observation));
                }
                Err(_) if may_be_silent && seen.len() == i && feed.challenged_at != 0 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }
}
