use crate::errors::KeelError;
use anchor_lang::prelude::*;
use keel_risk::Fraction;
use keel_risk::price::Side;
use keel_risk::units::{DebtShares, SupplyShares};

use super::{Reserve, Words};

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
    pub reserved: [u8; 3],
    /// The efficiency group that the asset was in when the position was last added to. An asset never leaves its group.
    pub group: u32,
    /// Of a debt against isolated collateral: what was counted against that collateral's ceiling, in millionths of a
    /// dollar.
    pub isolated_debt: u64,
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

/// What a delegate may do, as bits.
pub mod rights {
    /// Deposit, new assets included.
    pub const DEPOSIT: u32 = 1;
    /// Withdraw to a token account of the vault's owner.
    pub const WITHDRAW: u32 = 1 << 1;
    /// Borrow to a token account of the vault's owner.
    pub const BORROW: u32 = 1 << 2;
    /// Change the efficiency group.
    pub const GROUP: u32 = 1 << 3;
    /// Withdraw and borrow to any token account: whoever has this with one of those can take everything.
    pub const PAY_ANYONE: u32 = 1 << 4;
    /// All of them.
    pub const ALL: u32 = DEPOSIT | WITHDRAW | BORROW | GROUP | PAY_ANYONE;
}

/// A set of positions with one owner and one health factor.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Vault {
    /// [`Vault::VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The number in this address.
    pub index: u16,
    /// [`Vault::INSOLVENT`].
    pub flags: u32,
    /// The market.
    pub market: Pubkey,
    /// Who may do everything.
    pub owner: Pubkey,
    /// Who may do what `delegate_rights` say until `delegate_until`.
    pub delegate: Pubkey,
    /// Whom the owner offered the vault to, or zeros.
    pub offered_to: Pubkey,
    /// The reserve whose debt ceiling the debts of this vault count against, or zeros.
    pub isolated_reserve: Pubkey,
    /// Unix seconds.
    pub delegate_until: i64,
    /// [`rights`].
    pub delegate_rights: u32,
    /// The efficiency group, or 0.
    pub group: u32,
    /// The positions. A reserve appears at most once, on one side.
    pub positions: [Position; MAX_POSITIONS],
    /// For what later versions add.
    pub reserved: [u8; 128],
}

const _: () = assert!(size_of::<Position>() == 64);
const _: () = assert!(size_of::<Vault>() == 8 + 5 * 32 + 16 + MAX_POSITIONS * 64 + 128);
const _: () = assert!(align_of::<Vault>() == 8);

type Outcome<T> = core::result::Result<T, KeelError>;

impl Vault {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();
    /// Layout version that this program writes.
    pub const VERSION: u8 = 1;

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

    /// Whether `signer` is the owner, or a delegate with all of `rights` at `now`.
    ///
    /// # Errors
    /// `NotVaultOwner` for a stranger, `DelegateLacksRight` and `DelegateExpired` for the delegate.
    pub fn authorize(&self, signer: &Pubkey, rights: u32, now: i64) -> Outcome<()> {
        if *signer == self.owner {
            return Ok(());
        }
        if self.delegate == Pubkey::default() || *signer != self.delegate {
            return Err(KeelError::NotVaultOwner);
        }
        if now >= self.delegate_until {
            return Err(KeelError::DelegateExpired);
        }
        if self.delegate_rights & rights == rights { Ok(()) } else { Err(KeelError::DelegateLacksRight) }
    }

    /// The occupied slots, in slot order.
    pub fn occupied(&self) -> impl Iterator<Item = (&Position, Side)> {
        self.positions.iter().filter_map(|p| p.side().map(|side| (p, side)))
    }

    /// Whether any slot is on `side`.
    pub fn has(&self, side: Side) -> bool {
        self.occupied().any(|(_, s)| s == side)
    }

    /// Whether the weights of the vault's efficiency group count: it is in one, and so is every debt.
    pub fn is_grouped(&self) -> bool {
        self.group != 0 && self.positions.iter().all(|p| p.side != DEBT || p.group == self.group)
    }

    /// Whether no slot is occupied.
    pub fn is_empty(&self) -> bool {
        self.occupied().next().is_none()
    }

    /// Whether a first position in `reserve` may be opened: isolated collateral comes into an empty vault only, so that
    /// every debt of that vault counts against its ceiling.
    pub fn require_room_for(&self, reserve: &Reserve) -> Outcome<()> {
        if reserve.is_isolated_collateral() && !self.is_empty() {
            return Err(KeelError::IsolatedCollateralMixed);
        }
        Ok(())
    }

    /// Counts a new debt against an isolated collateral's ceiling.
    pub fn count_isolated_debt(&mut self, debt: &Pubkey, isolated: &Pubkey, counted: u64) -> Outcome<()> {
        let counts_elsewhere =
            self.isolated_reserve != *isolated && self.positions.iter().any(|p| p.isolated_debt != 0);
        if counts_elsewhere {
            return Err(KeelError::IsolatedCollateralMixed);
        }
        self.isolated_reserve = *isolated;
        let position = self.find_mut(debt).ok_or(KeelError::NoSuchDebt)?;
        position.isolated_debt = position.isolated_debt.checked_add(counted).ok_or(KeelError::Overflow)?;
        Ok(())
    }

    /// Takes the part of a debt's count away that `shares` are of all it owes, rounded down; all with the last share.
    /// Call before [`Self::remove_debt`]. Returns what the ceiling gets back.
    pub fn release_isolated_debt(&mut self, debt: &Pubkey, shares: DebtShares) -> Outcome<u64> {
        let position = self.find_mut(debt).ok_or(KeelError::NoSuchDebt)?;
        if position.isolated_debt == 0 {
            return Ok(0);
        }
        let held = position.debt_shares();
        let released = if shares >= held {
            position.isolated_debt
        } else {
            let part = shares.0.div_floor(held.0)?;
            Fraction::from_integer(position.isolated_debt).mul_floor(part)?.floor_to_u64()?
        };
        position.isolated_debt = position.isolated_debt.saturating_sub(released);
        Ok(released)
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

    /// Adds supply shares of `reserve`, whose asset is in `group`, in a new slot if need be.
    pub fn add_collateral(&mut self, reserve: &Pubkey, group: u32, shares: SupplyShares) -> Outcome<()> {
        self.add(reserve, group, COLLATERAL, shares.0, KeelError::ReserveHeldAsDebt)
    }

    /// Adds debt shares of `reserve`, whose asset is in `group`, in a new slot if need be.
    pub fn add_debt(&mut self, reserve: &Pubkey, group: u32, shares: DebtShares) -> Outcome<()> {
        self.add(reserve, group, DEBT, shares.0, KeelError::ReserveHeldAsCollateral)
    }

    /// Takes supply shares away; the slot is freed when none are left.
    pub fn remove_collateral(&mut self, reserve: &Pubkey, shares: SupplyShares) -> Outcome<()> {
        self.remove(reserve, COLLATERAL, shares.0, KeelError::NoSuchCollateral)
    }

    /// Takes debt shares away; the slot is freed when none are left.
    pub fn remove_debt(&mut self, reserve: &Pubkey, shares: DebtShares) -> Outcome<()> {
        self.remove(reserve, DEBT, shares.0, KeelError::NoSuchDebt)
    }

    fn add(&mut self, reserve: &Pubkey, group: u32, side: u8, shares: Fraction, other_side: KeelError) -> Outcome<()> {
        if let Some(position) = self.find_mut(reserve) {
            if position.side != side {
                return Err(other_side);
            }
            position.shares = Fraction::from(position.shares).checked_add(shares)?.into();
            position.group = group;
            return Ok(());
        }
        let free = self.positions.iter_mut().find(|p| p.side == 0).ok_or(KeelError::NoFreeSlot)?;
        *free = Position { reserve: *reserve, shares: shares.into(), side, group, ..Position::default() };
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
