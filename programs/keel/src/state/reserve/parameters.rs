//! The parameters of a reserve in the order of [`keel_risk::change::RESERVE`].

use super::ReserveConfig;
use crate::state::parameter::{Slot, id, note_identities, number, numbers};
use crate::state::{has_section, section_bit};
use keel_risk::change::{self, Comparison, RESERVE, RESERVE_PARAMETERS};

impl ReserveConfig {
    /// Every parameter, in the order of [`RESERVE`].
    pub fn slots(&mut self) -> [Slot<'_>; RESERVE_PARAMETERS] {
        let Self { limits, oracle, collateral, volatility, group, rates, minted, .. } = self;
        let [first, second] = &mut oracle.feeds;
        [
            number(&mut limits.deposit_cap),
            number(&mut limits.borrow_cap),
            number(&mut limits.hourly_outflow),
            number(&mut limits.daily_outflow),
            number(&mut limits.depth),
            number(&mut limits.isolated_debt_ceiling),
            number(&mut limits.swap_cap),
            id(&mut first.feed_id),
            id(first.account.as_mut()),
            id(&mut second.feed_id),
            id(second.account.as_mut()),
            number(&mut oracle.max_age_new_risk),
            number(&mut oracle.max_age_liquidation),
            number(&mut oracle.max_confidence_new_risk_bps),
            number(&mut oracle.max_confidence_liquidation_bps),
            number(&mut oracle.confidence_multiple_bps),
            number(&mut oracle.max_divergence_bps),
            number(&mut oracle.dead_after),
            number(&mut collateral.base_haircut_bps),
            number(&mut collateral.max_haircut_bps),
            number(&mut collateral.max_ltv_bps),
            number(&mut collateral.liquidation_threshold_bps),
            number(&mut collateral.min_bonus_bps),
            number(&mut collateral.max_bonus_bps),
            number(&mut collateral.max_bonus_health_bps),
            number(&mut collateral.protocol_share_bps),
            number(&mut volatility.min_interval),
            number(&mut volatility.half_life),
            number(&mut volatility.max_return_bps),
            number(&mut volatility.multiple_bps),
            number(&mut volatility.horizon),
            number(&mut volatility.up_bps_per_hour),
            number(&mut volatility.down_bps_per_hour),
            number(&mut volatility.concentration_bps),
            number(&mut group.id),
            number(&mut group.max_ltv_bps),
            number(&mut group.liquidation_threshold_bps),
            number(&mut group.min_bonus_bps),
            number(&mut group.max_bonus_bps),
            number(&mut group.max_bonus_health_bps),
            number(&mut rates.model),
            number(&mut rates.base_bps),
            number(&mut rates.slope_bps),
            number(&mut rates.excess_slope_bps),
            number(&mut rates.optimal_utilization_bps),
            number(&mut rates.reserve_factor_bps),
            number(&mut rates.steepness_bps),
            number(&mut rates.speed_bps),
            number(&mut rates.min_at_target_bps),
            number(&mut rates.max_at_target_bps),
            number(&mut rates.initial_at_target_bps),
            number(&mut minted.swap_in_fee_bps),
            number(&mut minted.swap_out_fee_bps),
            number(&mut minted.redemption_max_health_bps),
            number(&mut minted.redemption_min_fee_bps),
            number(&mut minted.redemption_max_fee_bps),
            number(&mut minted.redemption_volume_fee_bps),
            number(&mut minted.redemption_half_life),
            number(&mut self.flash_fee_bps),
            number(&mut self.insurance_floor_bps),
            number(&mut self.isolated_debt),
        ]
    }

    /// All numbers. On a stack frame of its own: two do not fit one.
    #[inline(never)]
    fn numbers(mut self) -> [u64; RESERVE_PARAMETERS] {
        numbers(&self.slots())
    }

    /// The values before and after a change to `new`, as [`change::compare`] takes them.
    pub fn values(&self, new: &Self) -> ([u64; RESERVE_PARAMETERS], [u64; RESERVE_PARAMETERS]) {
        let (before, mut after) = (self.numbers(), new.numbers());
        let [old, new] = [self, new].map(|config| bytemuck::bytes_of(&config.oracle.feeds));
        note_identities(&RESERVE, &mut after, old, new);
        (before, after)
    }

    /// What a change to `new` does.
    pub fn compare(&self, new: &Self) -> Comparison {
        let (old, new) = self.values(new);
        change::compare(&RESERVE, &old, &new)
    }

    /// The sections in which a change to `new` differs, as bits.
    pub fn sections_to(&self, new: &Self) -> u32 {
        let changed = self.compare(new).changed();
        changed.iter().fold(0, |sections, parameter| sections | section_bit(change::section(parameter)))
    }

    /// This configuration with `sections` from `new`.
    pub fn with_sections(&self, new: &Self, sections: u32) -> Self {
        let mut merged = *self;
        let replaces = |section| has_section(sections, section);
        if replaces(0) {
            merged.limits = new.limits;
        }
        if replaces(1) {
            merged.oracle = new.oracle;
        }
        if replaces(2) {
            merged.collateral = new.collateral;
        }
        if replaces(3) {
            merged.volatility = new.volatility;
        }
        if replaces(4) {
            merged.group = new.group;
        }
        if replaces(5) {
            merged.rates = new.rates;
        }
        if replaces(6) {
            merged.minted = new.minted;
        }
        if replaces(7) {
            merged.flash_fee_bps = new.flash_fee_bps;
            merged.insurance_floor_bps = new.insurance_floor_bps;
            merged.isolated_debt = new.isolated_debt;
        }
        merged
    }
}
