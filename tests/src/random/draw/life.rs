//! What owners do with their vaults as such: delegates, other owners, efficiency groups.

use crate::random::action::{Action, VaultId};
use crate::random::arena::{Arena, USERS};
use anchor_lang::prelude::Pubkey;
use keel::state::{Vault, rights};
use rand::Rng;
use rand::seq::IndexedRandom;

impl Arena {
    pub(super) fn draw_vault_life(&mut self) -> Action {
        match self.below(100) {
            0..35 => self.draw_group(),
            35..65 => self.draw_delegation(),
            65..80 => self.draw_offer(),
            _ => self.draw_acceptance(),
        }
    }

    fn draw_group(&mut self) -> Action {
        let vault = self.vault_where(|_| true);
        let (user, _) = self.draw_actor(vault, 95);
        // The two groups that assets are in, one that none is in, and none.
        let group = [0, 1, 1, 1, 2, 2, 7][self.below(7)];
        Action::SetGroup { user, vault, group }
    }

    /// Rights for a while, most often several of them; now and then what there is no right for.
    fn draw_delegation(&mut self) -> Action {
        let vault = self.vault_where(|_| true);
        let user = self.mostly_owner(vault, 92);
        let delegate = if self.chance(85) { Some(self.below(USERS)) } else { None };
        let rights = match self.below(20) {
            0 => self.rng.random_range(0..64),
            _ if delegate.is_none() => 0,
            1..10 => self.rng.random_range(1..=rights::ALL),
            10..15 => rights::ALL - rights::PAY_ANYONE,
            _ => rights::ALL,
        };
        let seconds = [0, 60, 3_600, 86_400, 864_000, 8_640_000][self.below(6)];
        Action::SetDelegate { user, vault, delegate, rights, until: self.now + seconds }
    }

    fn draw_offer(&mut self) -> Action {
        let vault = self.vault_where(|_| true);
        let to = if self.chance(90) { Some(self.below(USERS)) } else { None };
        Action::Offer { user: self.mostly_owner(vault, 92), vault, to }
    }

    /// Mostly by whom a vault is offered to.
    fn draw_acceptance(&mut self) -> Action {
        let offered = |id: &VaultId| self.state.vault(*id).is_some_and(|v| v.offered_to != Pubkey::default());
        let offered: Vec<VaultId> = Self::vault_ids().filter(offered).collect();
        let vault = match offered.choose(&mut self.rng) {
            Some(id) if self.chance(95) => *id,
            _ => self.vault_where(Vault::is_empty),
        };
        let heir = self.state.vault(vault).and_then(|v| self.player_at(&v.offered_to));
        let user = heir.filter(|_| self.rng.random_ratio(9, 10)).unwrap_or_else(|| self.below(USERS));
        Action::Accept { user, vault }
    }
}
