//! One vault: its slots, and what they count for.

use crate::model::{Outcome, refuse};
use keel::KeelError;
use keel::state::{MAX_POSITIONS, Side, rights};
use keel_risk::Fraction;
use keel_tests::random::FlowOf;

/// A position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub asset: usize,
    pub side: Side,
    pub shares: Fraction,
    /// The group that the asset was in when the position was last added to.
    pub group: u32,
    /// Of a debt: what counts against the ceiling of an isolated collateral.
    pub isolated_debt: u64,
}

/// Who may act for the owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delegation {
    pub user: Option<usize>,
    pub rights: u32,
    pub until: i64,
}

/// One vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdings {
    pub owner: usize,
    pub delegation: Delegation,
    pub offered_to: Option<usize>,
    pub insolvent: bool,
    pub group: u32,
    /// Whose ceiling the debts count against.
    pub isolated: Option<usize>,
    pub slots: [Option<Slot>; MAX_POSITIONS],
}

impl Holdings {
    /// A new one.
    pub fn new(owner: usize) -> Self {
        Self {
            owner,
            delegation: Delegation::default(),
            offered_to: None,
            insolvent: false,
            group: 0,
            isolated: None,
            slots: [None; MAX_POSITIONS],
        }
    }

    /// The owner may do everything, the delegate what it has the right to, until its time is over.
    pub fn authorize(&self, user: usize, right: u32, now: i64) -> Result<(), KeelError> {
        let Delegation { user: delegate, rights, until } = self.delegation;
        match user {
            user if user == self.owner => Ok(()),
            user if delegate != Some(user) => Err(KeelError::NotVaultOwner),
            _ if now >= until => Err(KeelError::DelegateExpired),
            _ if rights & right == 0 => Err(KeelError::DelegateLacksRight),
            _ => Ok(()),
        }
    }

    /// A delegate pays to the owner, unless it may pay anyone.
    pub fn require_payee(&self, flow: &FlowOf) -> Outcome<()> {
        let free = flow.user == self.owner || self.delegation.rights & rights::PAY_ANYONE != 0;
        if free || flow.payee == self.owner { Ok(()) } else { refuse(KeelError::DelegatePaysOwnerOnly) }
    }

    pub fn occupied(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().flatten()
    }

    pub fn is_empty(&self) -> bool {
        self.occupied().next().is_none()
    }

    pub fn has_debt(&self) -> bool {
        self.occupied().any(|slot| slot.side == Side::Debt)
    }

    /// The group whose weights count: the vault's, while every debt is in it; or 0.
    pub fn weighted_as(&self) -> u32 {
        let all = self.occupied().all(|slot| slot.side == Side::Collateral || slot.group == self.group);
        if all { self.group } else { 0 }
    }

    pub fn find(&self, asset: usize) -> Option<&Slot> {
        self.occupied().find(|slot| slot.asset == asset)
    }

    pub fn shares(&self, asset: usize, side: Side) -> Outcome<Fraction> {
        match self.find(asset) {
            Some(slot) if slot.side == side => Ok(slot.shares),
            _ => refuse(if side == Side::Debt { KeelError::NoSuchDebt } else { KeelError::NoSuchCollateral }),
        }
    }

    /// Adds shares of an asset that is in `group` now.
    pub fn add(&mut self, asset: usize, group: u32, side: Side, shares: Fraction) -> Outcome<()> {
        let held = self.slots.iter_mut().flatten().find(|slot| slot.asset == asset);
        match held {
            Some(slot) if slot.side == side => {
                slot.shares = slot.shares.checked_add(shares)?;
                slot.group = group;
            }
            Some(Slot { side: Side::Debt, .. }) => return refuse(KeelError::ReserveHeldAsDebt),
            Some(_) => return refuse(KeelError::ReserveHeldAsCollateral),
            None => {
                let free = self.slots.iter_mut().find(|slot| slot.is_none());
                *free.ok_or(KeelError::NoFreeSlot)? = Some(Slot { asset, side, shares, group, isolated_debt: 0 });
            }
        }
        Ok(())
    }

    pub fn remove(&mut self, asset: usize, shares: Fraction) -> Outcome<()> {
        for entry in &mut self.slots {
            if let Some(slot) = entry
                && slot.asset == asset
            {
                slot.shares = slot.shares.checked_sub(shares)?;
                if slot.shares.is_zero() {
                    *entry = None;
                }
            }
        }
        Ok(())
    }

    /// Counts a loan of `asset` against the ceiling of `isolated`.
    pub fn count(&mut self, asset: usize, isolated: usize, counted: u64) -> Outcome<()> {
        if self.isolated != Some(isolated) && self.occupied().any(|slot| slot.isolated_debt > 0) {
            return refuse(KeelError::IsolatedCollateralMixed);
        }
        self.isolated = Some(isolated);
        for slot in self.slots.iter_mut().flatten().filter(|slot| slot.asset == asset) {
            slot.isolated_debt = slot.isolated_debt.checked_add(counted).ok_or(KeelError::Overflow)?;
        }
        Ok(())
    }

    /// What `shares` of a debt no longer count for, rounded down; all with the last share.
    pub fn release(&mut self, asset: usize, shares: Fraction) -> Outcome<u64> {
        let mut slots = self.slots.iter_mut().flatten();
        let Some(slot) = slots.find(|slot| slot.asset == asset && slot.isolated_debt > 0) else { return Ok(0) };
        let released = if shares >= slot.shares {
            slot.isolated_debt
        } else {
            let part = shares.div_floor(slot.shares)?;
            Fraction::from_integer(slot.isolated_debt).mul_floor(part)?.floor_to_u64()?
        };
        slot.isolated_debt -= released;
        Ok(released)
    }

    pub fn require_solvent(&self) -> Outcome<()> {
        if self.insolvent { refuse(KeelError::VaultInsolvent) } else { Ok(()) }
    }

    /// An insolvent vault that is empty may be used again.
    pub fn clear(&mut self) {
        self.insolvent &= !self.is_empty();
    }
}
