//! What keepers do: liquidations, bad debts, challenges.

use crate::random::action::{Action, FlowOf, VaultId};
use crate::random::arena::{Arena, USERS};
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use rand::Rng;
use rand::seq::IndexedRandom;

impl Arena {
    /// Vaults that a liquidation would not refuse as healthy.
    pub(super) fn unhealthy(&self) -> Vec<VaultId> {
        let unhealthy = |vault: &Vault| {
            vault.has(Side::Debt) && self.state.value(vault, Purpose::Liquidation).is_ok_and(|v| !v.totals.is_healthy())
        };
        Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(unhealthy)).collect()
    }

    /// Vaults that owe more than they have, and have too little to seize.
    pub(super) fn bad_debts(&self) -> Vec<VaultId> {
        let bad = |vault: &Vault| {
            let (value, min) = (self.state.value(vault, Purpose::Liquidation), self.state.market.min_position());
            matches!((value, min), (Ok(v), Ok(min)) if v.totals.is_bad_debt(min))
        };
        Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(bad)).collect()
    }

    pub(super) fn hunted_vault(&mut self) -> VaultId {
        let unhealthy = self.unhealthy();
        match unhealthy.choose(&mut self.rng) {
            Some(id) if self.chance(92) => *id,
            _ => self.vault_where(|v| v.has(Side::Debt)),
        }
    }

    pub(super) fn draw_liquidation(&mut self) -> Action {
        let vault = self.hunted_vault();
        let debt = self.asset_of(vault, Side::Debt);
        let collateral = self.asset_of(vault, Side::Collateral);
        let keeper = if self.chance(60) { self.richest(debt) } else { self.mostly_owner(vault, 15) };
        let max_repay = if self.chance(45) { u64::MAX } else { self.draw_amount(self.position(vault, debt)) };
        let min_seize = if self.chance(75) { 0 } else { self.draw_amount(self.position(vault, collateral)) };
        let into = if self.chance(25) { Some(self.draw_shares_to(keeper, vault, collateral)) } else { None };
        Action::Liquidate { keeper, vault, debt, collateral, max_repay, min_seize, into }
    }

    /// Where a keeper receives shares: mostly a vault of its own that owes nothing in the asset, and that may not hold any
    /// yet; now and then any, be it the one that is liquidated or one that is not open.
    fn draw_shares_to(&mut self, keeper: usize, liquidated: VaultId, collateral: usize) -> VaultId {
        let (key, asset) = (self.players[keeper].key(), self.state.reserve_keys[collateral]);
        let fit = |id: &VaultId| {
            let open = self.state.vault(*id).filter(|vault| vault.owner == key && *id != liquidated);
            open.is_some_and(|vault| vault.find(&asset).is_none_or(|p| p.side() == Some(Side::Collateral)))
        };
        let own: Vec<VaultId> = Self::vault_ids().filter(fit).collect();
        match own.choose(&mut self.rng) {
            Some(id) if self.chance(85) => *id,
            _ if self.chance(10) => liquidated,
            _ => self.any_vault(),
        }
    }

    pub(super) fn draw_resolution(&mut self) -> Action {
        let vault = match (self.insolvent(), self.bad_debts().choose(&mut self.rng)) {
            (Some(id), _) if self.chance(50) => id,
            (_, Some(id)) if self.chance(80) => *id,
            _ => self.hunted_vault(),
        };
        let side = if self.chance(60) { Side::Debt } else { Side::Collateral };
        Action::Resolve { user: self.below(USERS), vault, asset: self.asset_of(vault, side) }
    }

    /// A vault whose bad debt is being resolved.
    pub(super) fn insolvent(&mut self) -> Option<VaultId> {
        let marked = |id: &VaultId| self.state.vault(*id).is_some_and(Vault::is_insolvent);
        let marked: Vec<VaultId> = Self::vault_ids().filter(marked).collect();
        marked.choose(&mut self.rng).copied()
    }

    /// Its owner would like to save what is left.
    pub(super) fn draw_on_insolvent(&mut self, vault: VaultId) -> Action {
        let side = if self.chance(50) { Side::Debt } else { Side::Collateral };
        let asset = self.asset_of(vault, side);
        let amount = self.exact_or_all(self.position(vault, asset), 30);
        let owner = self.owner(vault);
        let flow = FlowOf { user: owner, vault, asset, amount, payee: owner };
        match self.below(11) {
            0..4 => Action::Resolve { user: self.below(USERS), vault, asset },
            4..7 => Action::Withdraw(FlowOf { asset: self.asset_of(vault, Side::Collateral), ..flow }),
            7 => Action::Borrow(FlowOf { asset: self.asset(), ..flow }),
            8 => Action::Deposit(self.draw_deposit_to(vault)),
            9 => {
                let (debt, collateral) = (self.asset_of(vault, Side::Debt), self.asset_of(vault, Side::Collateral));
                Action::Liquidate {
                    keeper: self.below(USERS),
                    vault,
                    debt,
                    collateral,
                    max_repay: u64::MAX,
                    min_seize: 0,
                    into: None,
                }
            }
            _ => Action::Repay(flow),
        }
    }

    pub(super) fn draw_challenge(&mut self) -> Action {
        let user = self.below(USERS);
        if let Some((asset, feed)) = self.frozen
            && self.chance(80)
        {
            return Action::Challenge { user, asset, feed: u8::try_from(feed).unwrap() };
        }
        Action::Challenge { user, asset: self.asset(), feed: self.rng.random_range(0..3) }
    }
}
