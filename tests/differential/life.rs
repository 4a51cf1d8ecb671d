//! What owners do with their vaults as such: delegates, other owners, efficiency groups.

use crate::model::{Model, Outcome, refuse};
use crate::vault::{Delegation, Holdings};
use keel::KeelError;
use keel::state::{Side, rights};
use keel_risk::price::Purpose;
use keel_tests::random::VaultId;

impl Model {
    /// A vault that `user` owns, while no flash loan is open.
    fn own_vault(&self, user: usize, id: VaultId) -> Outcome<Holdings> {
        let vault = self.vault(id)?;
        self.require_no_flash_loan()?;
        if user == vault.owner { Ok(vault) } else { refuse(KeelError::NotVaultOwner) }
    }

    pub fn set_delegate(
        &mut self,
        user: usize,
        id: VaultId,
        delegate: Option<usize>,
        rights: u32,
        until: i64,
    ) -> Outcome<()> {
        let mut vault = self.own_vault(user, id)?;
        let known = rights <= rights::ALL;
        if !known || delegate.is_some() != (rights > 0) {
            return refuse(KeelError::UnknownRights);
        }
        vault.delegation = Delegation { user: delegate, rights, until };
        self.put(id, Some(vault));
        Ok(())
    }

    pub fn offer(&mut self, user: usize, id: VaultId, to: Option<usize>) -> Outcome<()> {
        let vault = self.own_vault(user, id)?;
        self.put(id, Some(Holdings { offered_to: to, ..vault }));
        Ok(())
    }

    pub fn accept(&mut self, user: usize, id: VaultId) -> Outcome<()> {
        let vault = self.vault(id)?;
        self.require_no_flash_loan()?;
        if vault.offered_to != Some(user) {
            return refuse(KeelError::VaultNotOffered);
        }
        self.put(id, Some(Holdings { owner: user, offered_to: None, delegation: Delegation::default(), ..vault }));
        Ok(())
    }

    /// Every debt is then in the group that its asset is in now, and initial health must hold.
    pub fn set_group(&mut self, user: usize, id: VaultId, group: u32) -> Outcome<()> {
        let mut vault = self.vault(id)?;
        vault.authorize(user, rights::GROUP, self.now())?;
        vault.require_solvent()?;
        vault.group = group;
        if vault.has_debt() {
            for slot in vault.slots.iter_mut().flatten().filter(|slot| slot.side == Side::Debt) {
                slot.group = self.reserves[slot.asset].state.config.group.id;
            }
            let price = |asset: usize, side| self.reserves[asset].oracle(self.moment).new_risk(side);
            self.value(&vault, Purpose::NewRisk, price)?.require_healthy()?;
        }
        self.put(id, Some(vault));
        Ok(())
    }
}
