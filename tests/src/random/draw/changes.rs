//! Changes of configurations: announced, executed, vetoed, forgotten, and those that need no notice.

use crate::random::Announced;
use crate::random::action::Action;
use crate::random::arena::{Arena, Move, USERS};
use crate::random::specs::MINTED;
use anchor_lang::prelude::Pubkey;
use keel::state::{Change, Role};
use rand::Rng;
use rand::seq::IndexedRandom;

/// Changes that may be open at once.
const MOST_OPEN: usize = 12;
/// Changes after which a market counts as set up, and gets its notice.
const SET_UP: u64 = 60;
const DAY: u32 = 86_400;

impl Arena {
    pub(super) fn draw_governance(&mut self) -> Action {
        let market = &self.state.market;
        if market.delay == 0 && market.next_change >= SET_UP && self.chance(30) {
            return self.end_set_up();
        }
        let offers = &self.state.market.offers;
        if offers.iter().any(|offer| offer.until >= self.now) && self.chance(30) {
            return self.draw_acceptance_of_role();
        }
        let full = self.state.changes.len() >= MOST_OPEN;
        let ready = !self.ready().is_empty();
        match self.below(100) {
            0..48 if full || self.chance(17) => self.draw_end(),
            0..48 => self.draw_announcement(),
            48..64 => self.draw_tightening(),
            64..74 => self.draw_step(),
            74..76 => self.draw_acceptance_of_role(),
            _ if ready || self.chance(20) => self.draw_execution(),
            _ if full => self.draw_end(),
            _ => self.draw_announcement(),
        }
    }

    /// From here on, changes take a day's notice at least.
    fn end_set_up(&mut self) -> Action {
        let mut params = self.state.market.params();
        params.delay = DAY;
        Action::Tighten { signer: self.in_role(Role::Governance), target: None, change: Change::Market(params) }
    }

    /// Mostly as governance, and under the next number.
    pub(super) fn announce(&mut self, target: Option<usize>, change: Change) -> Action {
        let next = self.state.market.next_change;
        let nonce = if self.chance(97) { next } else { self.rng.random_range(0..next + 3) };
        Action::Queue { signer: self.officer(), nonce, target, change }
    }

    fn draw_announcement(&mut self) -> Action {
        match self.below(100) {
            0..14 => {
                let params = self.draw_params();
                let target = if self.chance(97) { None } else { Some(self.asset()) };
                self.announce(target, Change::Market(params))
            }
            14..28 => self.draw_payout(),
            28..36 => {
                let change = self.draw_role();
                self.announce(None, change)
            }
            _ => {
                let asset = if self.chance(15) { MINTED } else { self.asset() };
                let config = self.draw_config(asset);
                let ramp = match self.below(20) {
                    0 => 0,
                    1 => self.rng.random_range(0..DAY),
                    2..12 => DAY,
                    _ => self.rng.random_range(DAY..5 * DAY),
                };
                let target = if self.chance(98) { Some(asset) } else { None };
                self.announce(target, Change::Reserve { config, ramp })
            }
        }
    }

    /// The numbers of the changes that could be executed now.
    fn ready(&self) -> Vec<u64> {
        let ready = self.state.changes.iter().filter(|c| (c.pending.earliest..=c.pending.latest).contains(&self.now));
        ready.map(|change| change.pending.nonce).collect()
    }

    /// Any number that a change has or had.
    fn any_number(&mut self) -> u64 {
        let open: Vec<u64> = self.state.changes.iter().map(|change| change.pending.nonce).collect();
        match open.choose(&mut self.rng) {
            Some(nonce) if self.chance(90) => *nonce,
            _ => self.rng.random_range(0..=self.state.market.next_change),
        }
    }

    fn draw_execution(&mut self) -> Action {
        let nonce = match self.ready().choose(&mut self.rng) {
            Some(nonce) if self.chance(90) => *nonce,
            _ => self.any_number(),
        };
        self.draw_execution_of(nonce)
    }

    /// Mostly by the instruction that is for it.
    pub(super) fn draw_execution_of(&mut self, nonce: u64) -> Action {
        let user = if self.chance(50) { self.below(USERS) } else { self.below(self.players.len()) };
        let announced = self.announced(nonce);
        let mut target = announced.and_then(|announced| announced.target);
        let mut pays = announced.is_some_and(|a| matches!(a.change, Change::WithdrawInsurance { .. }));
        match self.below(40) {
            0 => target = if target.is_some() { None } else { Some(self.asset()) },
            1 => pays = !pays,
            _ => {}
        }
        match target {
            Some(asset) if pays => Action::WithdrawInsurance { user, nonce, asset },
            target => Action::Execute { user, nonce, target },
        }
    }

    /// The numbers of the changes of a reserve that can no longer be executed, as something else changed the same.
    fn superseded(&self) -> Vec<u64> {
        let dead = |change: &&Announced| {
            let Some(asset) = change.target else { return false };
            let mut revisions = change.pending.revisions.iter().zip(&self.state.reserves[asset].revisions).enumerate();
            revisions.any(|(section, (then, now))| change.pending.replaces(section) && then != now)
        };
        self.state.changes.iter().filter(dead).map(|change| change.pending.nonce).collect()
    }

    /// A veto by who may or may not, or the end of what nobody executed in time.
    fn draw_end(&mut self) -> Action {
        let now = self.now;
        let expired = self.state.changes.iter().find(|change| change.pending.latest < now);
        let expired = expired.map(|change| change.pending.nonce);
        let dead = self.superseded();
        let nonce = match dead.choose(&mut self.rng) {
            Some(nonce) if self.chance(80) => *nonce,
            None if expired.is_none() && self.chance(60) => return self.draw_execution(),
            _ => self.any_number(),
        };
        let close = if expired.is_some() { 75 } else { 15 };
        if self.chance(close) {
            return Action::CloseExpired { user: self.below(self.players.len()), nonce: expired.unwrap_or(nonce) };
        }
        let signer = match self.below(10) {
            0 => self.below(self.players.len()),
            1 => self.in_role(Role::RiskSteward),
            2..6 => self.in_role(Role::Governance),
            _ => self.in_role(Role::Guardian),
        };
        Action::Veto { signer, nonce }
    }

    fn draw_tightening(&mut self) -> Action {
        let signer = match self.below(20) {
            0..6 => self.in_role(Role::Governance),
            6..12 => self.in_role(Role::Guardian),
            12..18 => self.in_role(Role::RiskSteward),
            _ => self.below(USERS),
        };
        if self.chance(15) {
            let params = self.draw_tighter_params();
            let target = if self.chance(95) { None } else { Some(self.asset()) };
            return Action::Tighten { signer, target, change: Change::Market(params) };
        }
        if self.chance(4) {
            return Action::Tighten { signer, target: None, change: self.draw_role() };
        }
        let asset = self.asset();
        let config = self.draw_tighter_config(asset);
        let change = match self.below(50) {
            0 => self.state.changes.first().map_or(Change::Market(self.state.market.params()), |first| first.change),
            _ => Change::Reserve { config, ramp: 0 },
        };
        Action::Tighten { signer, target: if self.chance(98) { Some(asset) } else { None }, change }
    }

    /// A role is offered to anybody, or to nobody, which only the risk steward can be.
    fn draw_role(&mut self) -> Change {
        let role = [Role::Governance, Role::Guardian, Role::RiskSteward, Role::RiskSteward][self.below(4)];
        let nobody = if role == Role::RiskSteward { 20 } else { 5 };
        let taker = self.below(self.players.len());
        let to = if self.chance(nobody) { Pubkey::default() } else { self.players[taker].key() };
        Change::Role { role, to }
    }

    /// Mostly by whom a role is offered to.
    fn draw_acceptance_of_role(&mut self) -> Action {
        let roles = [Role::Governance, Role::Guardian, Role::RiskSteward];
        let offers = self.state.market.offers;
        let running = roles.into_iter().filter(|role| offers[role.number()].until >= self.now);
        let offered = running.filter_map(|role| Some((role, self.player_at(&offers[role.number()].to)?)));
        match offered.collect::<Vec<_>>().choose(&mut self.rng) {
            Some((role, user)) if self.chance(90) => Action::AcceptRole { user: *user, role: *role },
            _ => Action::AcceptRole { user: self.below(self.players.len()), role: roles[self.below(3)] },
        }
    }

    fn draw_step(&mut self) -> Action {
        let signer = if self.chance(90) { self.in_role(Role::RiskSteward) } else { self.below(self.players.len()) };
        let asset = self.asset();
        let config = self.draw_stepped_config(asset);
        let change = match self.below(50) {
            0 => Change::Market(self.draw_params()),
            _ => Change::Reserve { config, ramp: 0 },
        };
        Action::Step { signer, asset, change }
    }

    /// Time passes up to a moment that matters to a change: its notice passes, or it expires; or a second before or after. The
    /// more often, the more changes wait.
    pub(super) fn draw_waiting(&mut self) -> Option<Move> {
        let open = u32::try_from(self.state.changes.len()).unwrap();
        if !self.rng.random_ratio(open * 3, 1_000) {
            return None;
        }
        let waiting = |change: &&Announced| change.pending.latest >= self.now;
        let waiting: Vec<(u64, i64, i64)> = self
            .state
            .changes
            .iter()
            .filter(waiting)
            .map(|change| (change.pending.nonce, change.pending.earliest, change.pending.latest))
            .collect();
        let (nonce, earliest, latest) = *waiting.choose(&mut self.rng)?;
        let at = match self.below(20) {
            0..4 => earliest - 1,
            4..12 => earliest,
            12..16 => earliest + self.rng.random_range(1..1_000),
            16..18 => latest,
            _ => latest + 1,
        };
        let seconds = at - self.now;
        (seconds >= 0).then_some(Move::Await { nonce, seconds, publish: self.chance(85) })
    }
}
