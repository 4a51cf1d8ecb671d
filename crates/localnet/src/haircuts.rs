//! How prices and haircuts went, from the chain's own accounts at a few moments of the scenario.

use crate::market::{Snapshot, World};
use crate::{approximate, candles, risk_error};
use anyhow::Result;

/// Moments that are kept, the first and the last step among them.
const LOOKS: u32 = 8;

/// An asset at one moment. Haircuts are parts of the price.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// Seconds into the scenario.
    pub seconds: i64,
    /// The moment in the scenario, UTC.
    pub time: String,
    /// What its feed says, dollars.
    pub price_usd: f64,
    /// Where the volatility of the samples so far wants the haircut to be.
    pub target: f64,
    /// What new loans feel: the target, or the maintenance haircut while that is still higher.
    pub initial: f64,
    /// What existing vaults feel: it follows the target, no faster than the ramp lets it.
    pub maintenance: f64,
}

/// A collateral asset over the scenario.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Track {
    /// The asset.
    pub asset: String,
    /// What it was at the moments.
    pub points: Vec<Point>,
}

/// Whether to look after step `step` of `steps`.
pub fn is_due(step: u32, steps: u32) -> bool {
    (0..LOOKS).any(|look| {
        (u64::from(look) * u64::from(steps) + u64::from(LOOKS - 1) / 2) / u64::from(LOOKS - 1) == u64::from(step)
    })
}

/// Adds the present to the tracks, `elapsed` seconds into a scenario that began at `start`.
pub fn look(tracks: &mut Vec<Track>, world: &World, snapshot: &Snapshot, start: i64, elapsed: i64) -> Result<()> {
    for asset in &world.assets {
        let reserve = snapshot.reserve(&asset.reserve)?;
        if reserve.config.collateral.liquidation_threshold_bps == 0 {
            continue;
        }
        let haircut = reserve.haircut();
        let now = haircut.at(snapshot.moment.now, &reserve.config.haircut_terms()).map_err(risk_error)?;
        let point = Point {
            seconds: elapsed,
            time: candles::show_time(start + elapsed),
            price_usd: snapshot.dollars(&asset.reserve, 10u64.pow(asset.decimals.into()))?,
            target: approximate(haircut.target),
            initial: approximate(now.initial),
            maintenance: approximate(now.maintenance),
        };
        match tracks.iter_mut().find(|track| track.asset == asset.symbol) {
            Some(track) => track.points.push(point),
            None => tracks.push(Track { asset: asset.symbol.clone(), points: vec![point] }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_step_are_looked_at() {
        let looks = |steps: u32| (0..=steps).filter(|step| is_due(*step, steps)).collect::<Vec<_>>();
        assert_eq!(looks(360), [0, 51, 103, 154, 206, 257, 309, 360]);
        assert_eq!(looks(12), [0, 2, 3, 5, 7, 9, 10, 12]);
        assert_eq!(looks(2), [0, 1, 2]);
    }
}
