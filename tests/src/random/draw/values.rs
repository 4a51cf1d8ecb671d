//! Which values parameters are changed to: mostly near those that the market began with, so that it goes on, and now and then
//! absurd ones.

use crate::random::arena::Arena;
use crate::random::layout::sections_between;
use crate::random::oracle::OTHER_RECEIVER;
use crate::random::specs;
use anchor_lang::prelude::Pubkey;
use keel::state::{FeedConfig, GroupConfig, MarketParams, ReserveConfig, Slot};
use keel_client::price_update::PYTH_RECEIVER;
use keel_risk::change::{self, MARKET, Meaning, Parameter, RESERVE, RESERVE_SECTIONS, Unit};
use rand::Rng;
use rand::seq::IndexedRandom;

/// The flags of [`RESERVE`] and numbers that name something, and how many values each has.
const CHOICES: [(&str, u64); 3] = [("rates.model", 2), ("terms.isolated_debt", 2), ("group.id", 4)];

impl Arena {
    /// The present configuration of an asset with a few parameters of a section or two changed, or with sections as they began.
    pub(super) fn draw_config(&mut self, asset: usize) -> ReserveConfig {
        let (mut config, first) = (self.state.reserves[asset].config, self.configs[asset]);
        // What waits to change a section is rather left to do it.
        let announced = self.state.changes.iter().filter(|change| change.target == Some(asset));
        let waiting = announced.fold(0, |sections, change| sections | change.pending.sections);
        let others: Vec<u32> = (0..8)
            .map(|section| 1 << section)
            .filter(|bit| sections_between(&config, &first) & !waiting & bit != 0)
            .collect();
        if self.chance(45)
            && let Some(section) = others.choose(&mut self.rng)
        {
            let sections = if self.chance(15) { others.iter().sum() } else { *section };
            let group = config.group.id;
            config = config.with_sections(&first, sections);
            // There is no way back out of a group.
            config.group.id = group.max(config.group.id);
            return config;
        }
        let mut section = self.section_of(asset);
        if waiting >> section & 1 == 1 {
            section = self.section_of(asset);
        }
        for _ in 0..[1, 1, 2, 3][self.below(4)] {
            self.draw_in_section(asset, section, &mut config);
        }
        if self.chance(25) {
            let section = self.section_of(asset);
            self.draw_in_section(asset, section, &mut config);
        }
        config
    }

    /// A section that the asset has a use for, or now and then any.
    fn section_of(&mut self, asset: usize) -> usize {
        let minted = [0, 5, 6, 7];
        let pooled = [0, 1, 1, 2, 2, 3, 4, 4, 5, 7];
        match self.chance(97) {
            true if self.is_minted(asset) => minted[self.below(minted.len())],
            true => pooled[self.below(pooled.len())],
            false => self.below(RESERVE_SECTIONS.len()),
        }
    }

    /// Changes a parameter of the section: any, but rather those that ramp, and what little else would reach.
    fn draw_in_section(&mut self, asset: usize, section: usize, config: &mut ReserveConfig) {
        let before: usize = RESERVE_SECTIONS.iter().take(section).sum();
        let number = match section {
            2 if self.chance(55) => number_of("collateral.liquidation_threshold_bps"),
            4 if config.group.id == 0 && !self.is_minted(asset) && self.chance(60) => {
                config.group = self.draw_group_weights();
                return;
            }
            4 if self.chance(8) => {
                // It gives its weights up, which vaults rely on.
                config.group = GroupConfig { id: config.group.id, ..GroupConfig::default() };
                return;
            }
            5 if self.chance(10) => number_of("rates.model"),
            4 if self.chance(35) => number_of("group.liquidation_threshold_bps"),
            _ => before + self.below(RESERVE_SECTIONS[section]),
        };
        if RESERVE[number].unit == Unit::Identity {
            config.oracle.feeds = self.draw_feeds(asset);
            return;
        }
        let value = self.draw_value(asset, number, config);
        set(config, number, value);
    }

    /// The weights of an asset that comes into a group: those that another has there, or none, as one that is only debt.
    fn draw_group_weights(&mut self) -> GroupConfig {
        let groups: Vec<GroupConfig> = self.configs.iter().map(|config| config.group).collect();
        let weights = *groups.choose(&mut self.rng).unwrap();
        match self.below(4) {
            0 => GroupConfig { id: weights.id, ..GroupConfig::default() },
            1 => GroupConfig { id: self.rng.random_range(1..4), ..weights },
            _ => weights,
        }
    }

    /// One feed or two of those that the asset could have, mostly of any account.
    fn draw_feeds(&mut self, asset: usize) -> [FeedConfig; 2] {
        let mut feeds = [FeedConfig::default(); 2];
        let count = if self.chance(60) { 1 } else { 2 };
        let sources: Vec<_> = self.sources[asset].choose_multiple(&mut self.rng, count).copied().collect();
        for (feed, source) in feeds.iter_mut().zip(sources) {
            let account = if self.chance(35) { source.account } else { Pubkey::default() };
            *feed = FeedConfig { feed_id: source.feed_id, account };
        }
        feeds
    }

    fn draw_value(&mut self, asset: usize, number: usize, config: &mut ReserveConfig) -> u64 {
        let parameter = &RESERVE[number];
        if is_isolation(number) && self.chance(70) {
            return get(&mut self.configs[asset].clone(), number);
        }
        if let Some((_, choices)) = CHOICES.iter().find(|(name, _)| *name == parameter.name) {
            return self.rng.random_range(0..*choices);
        }
        let (present, first) = (get(config, number), get(&mut self.configs[asset].clone(), number));
        match self.below(100) {
            0..20 => first,
            20..34 => present.saturating_add(1),
            34..46 => present.saturating_sub(1),
            46..52 => self.absurd(),
            _ if parameter.unit == Unit::Native => self.draw_used(asset, number),
            _ => self.draw_near(parameter, first),
        }
    }

    /// From 60 % to 150 % of where it began; of what began at nothing, a little.
    fn draw_near(&mut self, parameter: &Parameter, first: u64) -> u64 {
        let little = if parameter.unit == Unit::MicroUsd { 100_000_000_000 } else { 3_000 };
        let scaled = u128::from(first) * self.rng.random_range(60..150) / 100;
        if first == 0 { self.rng.random_range(0..little) } else { u64::try_from(scaled).unwrap_or(u64::MAX) }
    }

    fn absurd(&mut self) -> u64 {
        let shift = self.rng.random_range(0..64);
        [0, 1, 9_999, 10_000, 10_001, u64::from(u32::MAX), u64::MAX, self.rng.random::<u64>() >> shift][self.below(8)]
    }

    /// A limit about where it binds: from a third of what is in use to a multiple of it, or so many dollars.
    fn draw_used(&mut self, asset: usize, number: usize) -> u64 {
        let reserve = &self.state.reserves[asset];
        let pool = reserve.pool();
        let used = pool.project(self.now).and_then(|indices| match RESERVE[number].name {
            "limits.deposit_cap" | "limits.depth" => indices.supply.amount_of(pool.supply_shares),
            "limits.borrow_cap" => indices.debt.amount_owed(pool.debt_shares),
            _ => Ok(pool.available),
        });
        let used = used.map_or(0, |used| used.0);
        if used > 0 && self.chance(60) {
            return u64::try_from(u128::from(used) * self.rng.random_range(30..300) / 100).unwrap_or(u64::MAX);
        }
        let dollars = self.rng.random_range(20_000..600_000);
        self.worth(asset, dollars)
    }

    /// A configuration that mostly comes into force at once.
    pub(super) fn draw_tighter_config(&mut self, asset: usize) -> ReserveConfig {
        let mut config = self.state.reserves[asset].config;
        for _ in 0..self.rng.random_range(1..3) {
            let isolates = self.chance(15);
            let free =
                |n: &usize| RESERVE[*n].step.is_some() || (is_free(&RESERVE[*n]) && is_isolation(*n) == isolates);
            let free: Vec<usize> = (0..RESERVE.len()).filter(free).collect();
            let number = if self.chance(90) { free[self.below(free.len())] } else { self.below(RESERVE.len()) };
            let parameter = &RESERVE[number];
            let present = get(&mut config, number);
            let value = match parameter.unit {
                _ if self.chance(15) => self.draw_value(asset, number, &mut config),
                Unit::Identity => continue,
                Unit::Flag => 1,
                Unit::Native if parameter.step.is_some() && is_free(parameter) => {
                    self.draw_used(asset, number).min(present)
                }
                _ if parameter.step.is_some() && !is_free(parameter) => {
                    self.stepped(number, present, parameter.raised.meaning == Meaning::Tighter)
                }
                _ if parameter.raised.meaning == Meaning::Tighter => present + self.rng.random_range(0..20),
                Unit::MicroUsd if present == 0 => self.rng.random_range(1..100_000_000_000),
                _ => present - present / self.rng.random_range(10..100),
            };
            set(&mut config, number, value);
        }
        config
    }

    /// A configuration that the risk steward mostly may step to.
    pub(super) fn draw_stepped_config(&mut self, asset: usize) -> ReserveConfig {
        let mut config = self.state.reserves[asset].config;
        let stepping: Vec<usize> = (0..RESERVE.len()).filter(|n| RESERVE[*n].step.is_some()).collect();
        for _ in 0..self.rng.random_range(1..3) {
            let number = if self.chance(93) { stepping[self.below(stepping.len())] } else { self.below(RESERVE.len()) };
            let up = self.chance(50);
            let present = get(&mut config, number);
            let value = self.stepped(number, present, up);
            set(&mut config, number, value);
        }
        config
    }

    /// The value a step away, mostly no more than the market allows.
    fn stepped(&mut self, number: usize, present: u64, up: bool) -> u64 {
        use change::Step::{Cap, Haircut, LoanToValue, Outflow, Rate};
        let steps = &self.state.market.steps;
        let part = |bps: u32| u64::try_from(u128::from(present) * u128::from(bps) / 10_000).unwrap_or(u64::MAX);
        let most = match RESERVE[number].step {
            Some(Cap) => part(steps.cap_bps),
            Some(Outflow) => part(steps.outflow_bps),
            Some(Haircut) => steps.haircut_bps.into(),
            Some(LoanToValue) => steps.max_ltv_bps.into(),
            Some(Rate) => steps.rate_bps.into(),
            None => 1,
        };
        let by = match self.below(10) {
            0..3 => most,
            3 => most.saturating_add(1),
            _ => self.rng.random_range(0..=most),
        };
        if up { present.saturating_add(by) } else { present.saturating_sub(by) }
    }

    /// The market's parameters with one or two of them changed, or as they began.
    pub(super) fn draw_params(&mut self) -> MarketParams {
        let (mut params, mut first) = (self.state.market.params(), specs::params());
        first.delay = if params.delay == 0 { 0 } else { 86_400 };
        if self.chance(25) {
            return first;
        }
        for _ in 0..self.rng.random_range(1..3) {
            let number = self.below(MARKET.len());
            let absurd = self.absurd();
            let value = match number {
                _ if self.chance(6) => absurd,
                0 => {
                    params.price_receiver = if self.chance(50) { PYTH_RECEIVER } else { OTHER_RECEIVER };
                    continue;
                }
                5 => [0, 86_399, 86_400, 90_000, 2 * 86_400][self.below(5)],
                _ => {
                    let first = first.slots().into_iter().nth(number).and_then(|slot| slot.value()).unwrap_or(0);
                    self.draw_near(&MARKET[number], first)
                }
            };
            put(params.slots().into_iter().nth(number), value);
        }
        params
    }

    /// Parameters of the market that mostly come into force at once. No notice is longer than two days, or nothing would
    /// happen any more.
    pub(super) fn draw_tighter_params(&mut self) -> MarketParams {
        let mut params = self.state.market.params();
        match self.below(10) {
            0..3 if params.delay > 0 => {
                params.delay = (params.delay + self.rng.random_range(0..20_000)).min(2 * 86_400)
            }
            0..8 => {
                let number = 7 + self.below(5);
                let slot = params.slots().into_iter().nth(number);
                let present = slot.as_ref().and_then(Slot::value).unwrap_or(0);
                put(slot, present - present / self.rng.random_range(2..20));
            }
            _ => return self.draw_params(),
        }
        params
    }
}

/// Whether somebody may move it at once, in one direction and as far as he likes.
fn is_free(parameter: &Parameter) -> bool {
    let free = |m: &change::Move| m.meaning == Meaning::Tighter && m.effect == change::Effect::Nothing;
    free(&parameter.raised) || free(&parameter.lowered)
}

/// Whether it isolates an asset, which puts an end to much of what goes on.
fn is_isolation(number: usize) -> bool {
    ["limits.isolated_debt_ceiling", "terms.isolated_debt"].contains(&RESERVE[number].name)
}

fn number_of(name: &str) -> usize {
    RESERVE.iter().position(|parameter| parameter.name == name).unwrap()
}

fn get(config: &mut ReserveConfig, number: usize) -> u64 {
    config.slots().into_iter().nth(number).and_then(|slot| slot.value()).unwrap_or(0)
}

fn set(config: &mut ReserveConfig, number: usize, value: u64) {
    put(config.slots().into_iter().nth(number), value);
}

/// Values that do not fit are the largest that do. Identities are not drawn here.
fn put(slot: Option<Slot>, value: u64) {
    match slot {
        Some(Slot::U32(place)) => *place = u32::try_from(value).unwrap_or(u32::MAX),
        Some(Slot::U64(place)) => *place = value,
        Some(Slot::Id(_)) | None => {}
    }
}
