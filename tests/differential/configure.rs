//! A reserve under another configuration: what holds at once, and what only from then on.

use crate::model::{Outcome, refuse};
use crate::oracle::Feed;
use crate::reserve::ModelReserve;
use crate::terms;
use keel::KeelError;
use keel::state::{FeedConfig, LastPrice, ReserveConfig};
use keel_risk::Fraction;
use keel_risk::config::check_bonus_raises_health;
use keel_risk::health::collateral_factor;
use keel_tests::random::layout::sections_between;

impl ModelReserve {
    /// Everything holds from `now` on: interest, haircut and what left are brought there by the old terms. A threshold that
    /// falls does so along a line that takes `ramp` seconds.
    pub fn reconfigure(&mut self, config: &ReserveConfig, ramp: u32, now: i64) -> Outcome<()> {
        terms::check_reserve(config, self.is_minted())?;
        let old = self.state.config;
        let leaves = old.group.id > 0 && config.group.id != old.group.id;
        if leaves || (old.group.liquidation_threshold_bps > 0 && config.group.liquidation_threshold_bps == 0) {
            return refuse(KeelError::ConfigGroup);
        }
        self.accrue(now)?;
        let haircut = self.state.haircut.at(now, &terms::haircut(&old))?;
        let to = [config.collateral.liquidation_threshold_bps, config.group.liquidation_threshold_bps];
        for (threshold, to_bps) in self.state.thresholds.iter_mut().zip(to) {
            if threshold.to_bps != to_bps {
                *threshold = threshold.toward(to_bps, now, ramp)?;
            }
        }
        self.state.outflow.drain(now, &terms::outflow(&old))?;
        self.retarget(now)?;
        self.refeed(&old.oracle.feeds, &config.oracle.feeds);
        let sections = sections_between(&old, config);
        for (section, revision) in self.state.revisions.iter_mut().enumerate() {
            *revision += sections >> section & 1;
        }
        self.state.config = *config;
        self.state.deviation = self.state.volatility.deviation(&terms::volatility(config))?;

        // The largest bonus raises health at what the collateral carries now, too.
        let [ordinary, grouped] = self.state.thresholds.map(|threshold| threshold.at(now));
        let least = haircut.maintenance.min(Fraction::from_bps_floor(config.collateral.base_haircut_bps));
        let factor = collateral_factor(least, ordinary)?;
        if !factor.is_zero() {
            let above = factor.checked_add(Fraction::from_bits(1))?;
            check_bonus_raises_health(&terms::bonus(config, false), above)?;
        }
        check_bonus_raises_health(&terms::bonus(config, true), grouped)?;
        self.settle()
    }

    /// Nothing is known of a feed that is new in its place, and what the first one said is not sampled against another.
    fn refeed(&mut self, old: &[FeedConfig; 2], new: &[FeedConfig; 2]) {
        let count = new.iter().filter(|feed| feed.feed_id != [0; 32]).count();
        self.feeds.resize(count, Feed::of(&LastPrice::default()));
        let another = |place: &usize| old[*place].feed_id != new[*place].feed_id;
        for place in (0..old.len()).filter(another) {
            if let Some(feed) = self.feeds.get_mut(place) {
                *feed = Feed::of(&LastPrice::default());
            }
            if place == 0 {
                self.state.volatility.sampled_at = 0;
            }
        }
    }
}
