use crate::errors::KeelError;
use anchor_lang::prelude::*;
use keel_risk::Fraction;
use keel_risk::price::Side;
use keel_risk::units::{DebtShares, SupplyShares};

use super::Words;

/// Position slots of a vault.
pub const MAX_POSITIONS: usize = 16;

/// A position in one reserve. Free when `side` is 0.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The reserve, or zeros.
    pub reserve: Pubkey,
    /// Supply shares of collateral, debt shares of debt; 60-bit fixed point.
    pub shares: Words,
    /// 0 free, 1 collateral, 2 debt.
    pub side: u8,
    /// For what later versions add.
    pub reserved: [u8; 15],
}

const COLLATERAL: u8 = 1;
const DEBT: u8 = 2;

impl Position {
    /// Which side this is on; `None` when the slot is free.
    pub fn side(&self) -> Option<Side> {
        match self.side {
            COLLATERAL => Some(Side::Collateral),
            DEBT => Some(Side::Debt),
            _ => None,
        }
    }

    /// The shares of a collateral position.
    pub fn supply_shares(&self) -> SupplyShares {
        SupplyShares(self.shares.into())
    }

    /// The shares of a debt position.
    pub fn debt_shares(&self) -> DebtShares {
        DebtShares(self.shares.into())
    }
}

/// A set of positions with one owner and one health factor.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Vault {
    /// [`super::LAYOUT_VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The number in this address.
    pub index: u16,
    /// [`Vault::INSOLVENT`].
    pub flags: u32,
    /// The market.
    pub market: Pubkey,
    /// Who may withdraw and borrow.
    pub owner: Pubkey,
    /// The positions. A reserve appears at most once, on one side.
    pub positions: [Position; MAX_POSITIONS],
    /// For what later versions add: delegate, efficiency group.
    pub reserved: [u8; 256],
}

const _: () = assert!(size_of::<Position>() == 64);
const _: () = assert!(size_of::<Vault>() == 8 + 64 + MAX_POSITIONS * 64 + 256);
const _: () = assert!(align_of::<Vault>() == 8);

type Outcome<T> = core::result::Result<T, KeelError>;

impl Vault {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Flag: bad debt was recognized while other positions remained. What is left goes to insurance and is written
    /// off by `resolve_bad_debt`; the owner can take nothing out.
    pub const INSOLVENT: u32 = 1;

    /// Whether [`Self::INSOLVENT`] is set.
    pub fn is_insolvent(&self) -> bool {
        self.flags & Self::INSOLVENT != 0
    }

    /// Refuses an insolvent vault.
    pub fn require_solvent(&self) -> Outcome<()> {
        if self.is_insolvent() { Err(KeelError::VaultInsolvent) } else { Ok(()) }
    }

    /// The occupied slots, in slot order.
    pub fn occupied(&self) -> impl Iterator<Item = (&Position, Side)> {
        self.positions.iter().filter_map(|p| p.side().map(|side| (p, side)))
    }

    /// Whether any slot is on `side`.
    pub fn has(&self, side: Side) -> bool {
        self.occupied().any(|(_, s)| s == side)
    }

    /// Whether no slot is occupied.
    pub fn is_empty(&self) -> bool {
        self.occupied().next().is_none()
    }

    fn find_mut(&mut self, reserve: &Pubkey) -> Option<&mut Position> {
        self.positions.iter_mut().find(|p| p.side != 0 && p.reserve == *reserve)
    }

    /// The position in `reserve`, if there is one.
    pub fn find(&self, reserve: &Pubkey) -> Option<&Position> {
        self.positions.iter().find(|p| p.side != 0 && p.reserve == *reserve)
    }

    /// Supply shares held in `reserve`.
    pub fn collateral(&self, reserve: &Pubkey) -> Outcome<SupplyShares> {
        match self.find(reserve) {
            Some(p) if p.side == COLLATERAL => Ok(p.supply_shares()),
            _ => Err(KeelError::NoSuchCollateral),
        }
    }

    /// Debt shares owed to `reserve`.
    pub fn debt(&self, reserve: &Pubkey) -> Outcome<DebtShares> {
        match self.find(reserve) {
            Some(p) if p.side == DEBT => Ok(p.debt_shares()),
            _ => Err(KeelError::NoSuchDebt),
        }
    }

    /// [`Self::debt`], or zero.
    pub fn debt_or_zero(&self, reserve: &Pubkey) -> DebtShares {
        self.debt(reserve).unwrap_or_default()
    }

    /// [`Self::collateral`], or zero.
    pub fn collateral_or_zero(&self, reserve: &Pubkey) -> SupplyShares {
        self.collateral(reserve).unwrap_or_default()
    }

    /// An insolvent vault whose last position is gone may be used again.
    pub fn clear_if_resolved(&mut self) {
        if self.is_empty() {
            self.flags &= !Self::INSOLVENT;
        }
    }

    /// Adds supply shares of `reserve`, in a new slot if need be.
    pub fn add_collateral(&mut self, reserve: &Pubkey, shares: SupplyShares) -> Outcome<()> {
        self.add(reserve, COLLATERAL, shares.0, KeelError::ReserveHeldAsDebt)
    }

    /// Adds debt shares of `reserve`, in a new slot if need be.
    pub fn add_debt(&mut self, reserve: &Pubkey, shares: DebtShares) -> Outcome<()> {
        self.add(reserve, DEBT, shares.0, KeelError::ReserveHeldAsCollateral)
    }

    /// Takes supply shares away; the slot is freed when none are left.
    pub fn remove_collateral(&mut self, reserve: &Pubkey, shares: SupplyShares) -> Outcome<()> {
        self.remove(reserve, COLLATERAL, shares.0, KeelError::NoSuchCollateral)
    }

    /// Takes debt shares away; the slot is freed when none are left.
    pub fn remove_debt(&mut self, reserve: &Pubkey, shares: DebtShares) -> Outcome<()> {
        self.remove(reserve, DEBT, shares.0, KeelError::NoSuchDebt)
    }

    fn add(&mut self, reserve: &Pubkey, side: u8, shares: Fraction, other_side: KeelError) -> Outcome<()> {
        if let Some(position) = self.find_mut(reserve) {
            if position.side != side {
                return Err(other_side);
            }
            position.shares = Fraction::from(position.shares).checked_add(shares)?.into();
            return Ok(());
        }
        let free = self.positions.iter_mut().find(|p| p.side == 0).ok_or(KeelError::NoFreeSlot)?;
        *free = Position { reserve: *reserve, shares: shares.into(), side, reserved: [0; 15] };
        Ok(())
    }

    fn remove(&mut self, reserve: &Pubkey, side: u8, shares: Fraction, missing: KeelError) -> Outcome<()> {
        let position = self.find_mut(reserve).filter(|p| p.side == side).ok_or(missing)?;
        let left = Fraction::from(position.shares).checked_sub(shares)?;
        if left.is_zero() {
            *position = Position::default();
        } else {
            position.shares = left.into();
        }
        Ok(())
    }

    /// Slots are well-formed: a free one is all zeros, a reserve appears once.
    pub fn check(&self) -> Outcome<()> {
        for (i, p) in self.positions.iter().enumerate() {
            let sound = match p.side {
                0 => *p == Position::default(),
                COLLATERAL | DEBT => {
                    self.positions.iter().skip(i).filter(|q| q.side != 0 && q.reserve == p.reserve).count() == 1
                }
                _ => false,
            };
            if !sound {
                return Err(KeelError::BooksBroken);
            }
        }
        Ok(())
    }
}
