//! What the reserves are like at a moment: the events carry neither prices nor rates.

use crate::IndexError;
use crate::store::wall;
use anchor_lang::prelude::Pubkey;
use keel_client::standing::Standing;
use keel_client::transport::Transport;
use keel_client::view::View;
use std::time::Duration;

/// Samples after which the market is asked whether it has other reserves.
const DISCOVER_EVERY: u32 = 30;
/// Missing samples that make a hole.
const HOLE: u32 = 3;

/// A reserve at a moment of the chain. Amounts are native units, fractions have 60 bits behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The reserve.
    pub reserve: Pubkey,
    /// Unix seconds of the chain.
    pub time: i64,
    /// Slot of the chain.
    pub slot: u64,
    /// Whether somebody looked all the time since the sample before.
    pub joined: bool,
    /// What is supplied, rounded as the program does.
    pub supplied: u64,
    /// What is borrowed.
    pub borrowed: u64,
    /// The part of what is supplied that is lent.
    pub utilization: u128,
    /// What a supply grows by in a year.
    pub supply_yield: u128,
    /// What a debt grows by in a year.
    pub borrow_yield: u128,
    /// The haircut that vaults feel.
    pub haircut: u128,
    /// Where it is going.
    pub haircut_target: u128,
    /// Dollars per native unit, 96 bits behind the point, as a liquidation would take it: of the minted token what it is
    /// owed at. `None` when no price is good enough.
    pub price: Option<u128>,
}

/// Takes samples.
pub struct Sampler {
    transport: Box<dyn Transport + Send>,
    market: Pubkey,
    view: Option<View>,
    taken: u32,
    /// When the last sample was taken, by this machine's clock: one that stands still while the machine sleeps would not
    /// see the hole.
    last: Option<i64>,
}

impl Sampler {
    /// Of a market. What the transport says should be final: a sample is never taken back.
    pub fn new(transport: Box<dyn Transport + Send>, market: Pubkey) -> Self {
        Self { transport, market, view: None, taken: 0, last: None }
    }

    /// All reserves at one slot. `period` is how often that is asked.
    ///
    /// # Errors
    /// `Source` when the node does not answer. The next sample is then behind a hole.
    pub fn sample(&mut self, period: Duration) -> Result<Vec<Sample>, IndexError> {
        let last = self.last.take();
        let view = match &self.view {
            Some(view) if !self.taken.is_multiple_of(DISCOVER_EVERY) => view.refreshed(&*self.transport)?,
            _ => View::fetch(&*self.transport, &self.market)?.refreshed(&*self.transport)?,
        };
        self.taken = self.taken.wrapping_add(1);
        let now = wall();
        let longest = i64::try_from((period * HOLE).as_secs()).unwrap_or(i64::MAX).max(1);
        let joined = last.is_some_and(|last| now.saturating_sub(last) <= longest);
        let samples = view.book.iter().map(|(reserve, _)| Ok(taken(&view, reserve, joined)?));
        let samples = samples.collect::<Result<Vec<_>, IndexError>>()?;
        (self.view, self.last) = (Some(view), Some(now));
        Ok(samples)
    }
}

fn taken(view: &View, reserve: &Pubkey, joined: bool) -> Result<Sample, keel_client::ClientError> {
    let standing = Standing::of(&view.accounts(), reserve)?;
    let price = if standing.minted { standing.prices.debt_liquidation } else { standing.prices.collateral_liquidation };
    Ok(Sample {
        reserve: *reserve,
        time: view.time.now,
        slot: view.time.slot,
        joined,
        supplied: standing.supplied.0,
        borrowed: standing.borrowed.0,
        utilization: standing.utilization.to_bits(),
        supply_yield: standing.supply_yield.to_bits(),
        borrow_yield: standing.borrow_yield.to_bits(),
        haircut: standing.maintenance_haircut.to_bits(),
        haircut_target: standing.target_haircut.to_bits(),
        price: price.ok().map(|price| price.to_bits()),
    })
}
