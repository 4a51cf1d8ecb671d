//! What holders of the minted token do: swaps and redemptions.

use crate::random::action::{Action, VaultId};
use crate::random::arena::{Arena, Move, USERS};
use crate::random::specs::{MINTED, SWAPPED};
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use rand::Rng;
use rand::seq::IndexedRandom;

impl Arena {
    /// Somebody gives minted tokens away, so that not only borrowers have some.
    pub(super) fn draw_gift(&mut self) -> Move {
        let from = self.richest(MINTED);
        let amount = self.draw_amount(self.state.wallets[from][MINTED] / 2);
        Move::Give { from, to: self.below(USERS), amount: amount.min(self.state.wallets[from][MINTED]) }
    }

    /// Who has most tokens of `asset`.
    pub(super) fn richest(&self, asset: usize) -> usize {
        (0..USERS).max_by_key(|user| self.state.wallets[*user][asset]).unwrap_or(0)
    }

    pub(super) fn draw_swap(&mut self) -> Action {
        let user = if self.chance(50) { self.richest(MINTED) } else { self.below(USERS) };
        let minted = &self.state.reserves[MINTED];
        let (held, room) = (minted.available, minted.config.limits.swap_cap.saturating_sub(minted.available));
        let wallet = self.state.wallets[user].clone();
        if self.chance(50) {
            let typical = wallet[SWAPPED].min(room).min(self.worth(SWAPPED, 40_000));
            let assets = self.draw_amount(typical);
            let min_tokens = if self.chance(80) { 0 } else { self.draw_amount(assets - assets / 400) };
            return Action::SwapIn { user, assets, min_tokens };
        }
        let tokens = self.draw_amount(wallet[MINTED].min(held));
        let min_assets = if self.chance(80) { 0 } else { self.draw_amount(tokens - tokens / 250) };
        Action::SwapOut { user, tokens, min_assets }
    }

    /// A vault with minted debt that may be redeemed from, or now and then any with debt.
    fn redeemable(&mut self) -> VaultId {
        let key = self.state.reserve_keys[MINTED];
        let threshold = u128::from(self.state.reserves[MINTED].config.minted.redemption_max_health_bps);
        let open = |vault: &Vault| {
            let owes = vault.find(&key).is_some() && !vault.is_insolvent();
            let value = owes.then(|| self.state.value(vault, Purpose::Liquidation).ok()).flatten();
            let health = value.and_then(|value| value.totals.health_factor());
            health.is_some_and(|health| health.to_bits() < (threshold << 60) / 10_000)
        };
        let fit: Vec<VaultId> = Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(open)).collect();
        match fit.choose(&mut self.rng) {
            Some(id) if self.chance(90) => *id,
            _ => self.vault_where(|vault| vault.find(&key).is_some()),
        }
    }

    pub(super) fn draw_redemption(&mut self) -> Action {
        let vault = self.redeemable();
        let debt = if self.chance(97) { MINTED } else { self.asset_of(vault, Side::Debt) };
        let collateral = self.asset_of(vault, Side::Collateral);
        let redeemer = if self.chance(60) { self.richest(MINTED) } else { self.mostly_owner(vault, 10) };
        let owed = self.position(vault, debt);
        let typical = owed.min(self.state.wallets[redeemer][MINTED]);
        let max_repay = if self.chance(20) { u64::MAX } else { self.draw_amount(typical) };
        let min_seize = if self.chance(80) { 0 } else { self.rng.random_range(0..=self.position(vault, collateral)) };
        Action::Redeem { redeemer, vault, debt, collateral, max_repay, min_seize }
    }
}
