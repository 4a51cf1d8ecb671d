//! What the officers do, and what others try in their place.

use crate::random::action::Action;
use crate::random::arena::{Arena, GOVERNANCE, GUARDIAN, STEWARD, USERS};
use crate::random::specs::MINTED;
use keel::state::{Change, Role, pause};
use rand::Rng;

impl Arena {
    /// Who has the role, or had it first.
    pub(super) fn in_role(&self, role: Role) -> usize {
        self.holder(role).unwrap_or([GOVERNANCE, GUARDIAN, STEWARD][role.number()])
    }

    /// Mostly governance.
    pub(super) fn officer(&mut self) -> usize {
        if self.chance(93) { self.in_role(Role::Governance) } else { self.below(self.players.len()) }
    }

    /// What there is of an asset's insurance above the floor, and who is to get it.
    pub(super) fn draw_payout(&mut self) -> Action {
        let asset = if self.chance(40) { MINTED } else { self.asset() };
        let reserve = &self.state.reserves[asset];
        let pool = reserve.pool();
        let amounts = pool.project(self.now).and_then(|indices| {
            Ok((indices.supply.amount_of(pool.insurance_shares)?, indices.debt.amount_owed(pool.debt_shares)?))
        });
        let (insured, owed) = amounts.map_or((0, 0), |(insured, owed)| (insured.0, owed.0));
        let floor = u128::from(owed) * u128::from(reserve.config.insurance_floor_bps) / 10_000;
        let room = insured.saturating_sub(u64::try_from(floor).unwrap()).saturating_sub(1);
        let amount = self.draw_amount(room);
        let payee = self.officer();
        let to = self.players[payee].tokens[asset];
        self.announce(Some(asset), Change::WithdrawInsurance { amount, to })
    }

    /// Who set a running pause ends it.
    pub(super) fn lift(&mut self) -> Action {
        let by_guardian = self.now < self.state.market.guardian_paused_until && self.state.market.guardian_paused != 0;
        let role = if by_guardian { Role::Guardian } else { Role::Governance };
        Action::SetPause { signer: self.in_role(role), bits: 0, seconds: 0 }
    }

    /// Something is paused, by whom it may concern or not, and mostly in the order that the program demands.
    pub(super) fn draw_pause(&mut self) -> Action {
        let signer = match self.below(10) {
            0..5 => self.in_role(Role::Governance),
            5..9 => self.in_role(Role::Guardian),
            _ => self.below(USERS),
        };
        let bits = match self.below(10) {
            0..2 => 1 << self.rng.random_range(0..6),
            2..4 => self.rng.random_range(0..=pause::FIRST),
            4..8 => pause::FIRST | pause::LIQUIDATE | (self.rng.random_range(0..4) << 6),
            8 => pause::FIRST | pause::LAST,
            _ => self.rng.random_range(0..1 << 10),
        };
        let most =
            if signer == self.in_role(Role::Governance) { pause::MAX_SECONDS } else { pause::MAX_GUARDIAN_SECONDS };
        let seconds = match self.below(20) {
            0 => most,
            1 => most + 1,
            2..5 => self.rng.random_range(0..=most),
            _ => self.rng.random_range(0..600),
        };
        Action::SetPause { signer, bits, seconds }
    }
}
