//! What owners do with their vaults.

use crate::random::action::{Action, FlowOf, VaultId};
use crate::random::arena::Arena;
use crate::random::specs::MINTED;
use keel::AmountSpec;
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use keel_risk::units::{Amount, Usd};
use rand::Rng;
use rand::seq::IndexedRandom;

impl Arena {
    /// A vault that is not open, if there is one; then mostly something else is done instead.
    pub(super) fn draw_opening(&mut self) -> Action {
        let missing: Vec<VaultId> = Self::vault_ids().filter(|id| self.state.vault(*id).is_none()).collect();
        match missing.choose(&mut self.rng) {
            Some(id) if self.chance(95) => Action::Open { vault: *id },
            None if self.chance(90) => Action::Deposit(self.draw_deposit()),
            _ => Action::Open { vault: self.any_vault() },
        }
    }

    pub(super) fn draw_deposit(&mut self) -> FlowOf {
        let vault = self.vault_where(|_| true);
        self.draw_deposit_to(vault)
    }

    pub(super) fn draw_deposit_to(&mut self, vault: VaultId) -> FlowOf {
        if let Some(asset) = self.isolated_for(vault) {
            return self.draw_deposit_of(vault, asset);
        }
        let owes = |asset: usize| self.position_side(vault, asset) == Some(Side::Debt);
        let fit: Vec<usize> = (0..self.spot.len()).filter(|asset| *asset != MINTED && !owes(*asset)).collect();
        let asset = match fit.choose(&mut self.rng) {
            Some(asset) if self.chance(55) => *asset,
            _ => self.asset_of(vault, Side::Collateral),
        };
        self.draw_deposit_of(vault, asset)
    }

    /// An isolated collateral that should come into the vault: mostly if it is there already, so that others stay out of its
    /// way, and now and then if the vault is empty.
    fn isolated_for(&mut self, vault: VaultId) -> Option<usize> {
        let isolated = (0..self.spot.len()).find(|asset| self.state.reserves[*asset].is_isolated_collateral())?;
        let held = self.position_side(vault, isolated) == Some(Side::Collateral);
        let empty = self.state.vault(vault).is_some_and(Vault::is_empty);
        let likely = if held { self.chance(85) } else { empty && self.chance(25) };
        likely.then_some(isolated)
    }

    fn draw_deposit_of(&mut self, vault: VaultId, asset: usize) -> FlowOf {
        let (user, _) = self.draw_actor(vault, 86);
        // Everybody's second vault has hardly more than the minimum position, so that a crash leaves bad debt.
        let dollars = if vault.index == 1 { [20, 30, 60, 20_000] } else { [25, 60, 20_000, 60_000] }[self.below(4)];
        let typical = self.worth(asset, dollars).min(self.state.wallets[user][asset]);
        let amount = self.exact_or_all(typical, 2);
        FlowOf { user, vault, asset, amount, payee: user }
    }

    pub(super) fn draw_withdrawal(&mut self) -> FlowOf {
        let vault = self.vault_where(|v| v.has(Side::Collateral));
        let asset = self.asset_of(vault, Side::Collateral);
        let held = self.position(vault, asset);
        let indebted = self.state.vault(vault).is_some_and(|v| v.has(Side::Debt));
        let typical = if indebted { held.min(self.room(vault, asset, Side::Collateral)) } else { held };
        let amount = self.exact_or_all(typical, 12);
        let (user, payee) = self.draw_actor(vault, 97);
        FlowOf { user, vault, asset, amount, payee }
    }

    pub(super) fn draw_loan(&mut self) -> Action {
        let mixed = self.chance(10);
        let isolated = (0..self.spot.len()).find(|asset| self.state.reserves[*asset].is_isolated_collateral());
        let isolated = isolated.map(|asset| self.state.reserve_keys[asset]);
        let vault = self.vault_where(|v| {
            let collaterals = v.occupied().filter(|(_, side)| *side == Side::Collateral).count();
            let stands_alone = collaterals == 1 || isolated.is_none_or(|key| v.find(&key).is_none());
            collaterals > 0 && (mixed || stands_alone)
        });
        let room = |asset: usize| self.room(vault, asset, Side::Debt).min(self.lendable(asset));
        let fit = |asset: &usize| self.position_side(vault, *asset) != Some(Side::Collateral) && room(*asset) > 0;
        let group = self.state.vault(vault).map_or(0, |v| v.group);
        let members: Vec<usize> =
            (0..self.spot.len()).filter(|asset| self.state.reserves[*asset].config.group.id == group).collect();
        let within = |asset: &usize| members.contains(asset);
        let mut borrowable: Vec<usize> = (0..self.spot.len()).filter(fit).collect();
        if group != 0 && borrowable.iter().any(within) && self.chance(70) {
            borrowable.retain(within);
        } else if borrowable.contains(&MINTED) && self.chance(20) {
            borrowable = vec![MINTED];
        }
        let asset = match borrowable.choose(&mut self.rng) {
            Some(asset) if self.chance(95) => *asset,
            None if self.chance(80) => return Action::Deposit(self.draw_deposit_to(vault)),
            _ => self.asset(),
        };
        let room = self.room(vault, asset, Side::Debt).min(self.lendable(asset));
        let amount = if self.chance(99) { AmountSpec::Exact(self.draw_amount(room)) } else { AmountSpec::All };
        let (user, payee) = self.draw_actor(vault, 98);
        Action::Borrow(FlowOf { user, vault, asset, amount, payee })
    }

    /// Native units of `asset` that its reserve has to lend: of a minted one, up to its ceiling.
    pub(super) fn lendable(&self, asset: usize) -> u64 {
        let reserve = &self.state.reserves[asset];
        if !reserve.is_minted() {
            return reserve.available;
        }
        let pool = reserve.pool();
        let owed = pool.project(self.now).and_then(|indices| indices.debt.amount_owed(pool.debt_shares));
        reserve.config.limits.borrow_cap.saturating_sub(owed.map_or(0, |owed| owed.0))
    }

    /// Native units of `asset` that the vault may borrow, or withdraw if it is collateral, as far as health goes.
    pub(super) fn room(&self, vault: VaultId, asset: usize, side: Side) -> u64 {
        let state = &self.state;
        let room = || {
            let value = state.value(state.vault(vault)?, Purpose::NewRisk).ok()?.totals;
            let reserve = &state.reserves[asset];
            let price = reserve.new_risk_price(&state.readings[asset], side, &state.moment).ok()?;
            let mut room = value.limit.0.sub_or_zero(value.debt.0);
            if side == Side::Collateral {
                room =
                    room.div_floor(reserve.collateral_factor(Purpose::NewRisk, state.moment.now, false).ok()?).ok()?;
            }
            price.amount_floor(Usd(room)).ok()
        };
        room().unwrap_or(Amount(1_000)).0
    }

    pub(super) fn draw_repayment(&mut self) -> FlowOf {
        let vault = self.vault_where(|v| v.has(Side::Debt));
        let asset = self.asset_of(vault, Side::Debt);
        let owed = self.position(vault, asset);
        let amount = if self.chance(25) {
            // Down to a debt that is repaid whole or not at all, and pays its keeper the flat bounty.
            let left = self.worth(asset, 9) * self.rng.random_range(2..=9) / 9;
            AmountSpec::Exact(owed.saturating_sub(left))
        } else {
            self.exact_or_all(owed, 20)
        };
        let user = self.mostly_owner(vault, 75);
        FlowOf { user, vault, asset, amount, payee: user }
    }
}
