//! What a number counts. A type per unit, so that a wrong sum does not compile.
//!
//! Shares and indices are written for any number of fractional bits, as [`Fixed`] is; where none is named they have those
//! of [`Fraction`].

use crate::error::{Result, RiskError};
use crate::fraction::{Fixed, Fraction};

/// An amount of a token in native units (lamports, satoshis, millionths of a USDC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that a token account can hold.
    pub const MAX: Self = Self(u64::MAX);

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`. Fails on overflow.
    pub fn checked_add(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or(RiskError::Overflow)
    }

    /// `self - other`. Fails when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self> {
        self.0.checked_sub(other.0).map(Self).ok_or(RiskError::Underflow)
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Fraction);

        quantity!(@sums $name, Fraction);
    };
    ($(#[$doc:meta])* $name:ident<$bits:ident>) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<const $bits: u32 = 60>(pub Fixed<$bits>);

        quantity!(@sums $name<$bits>, Fixed<$bits>, const $bits: u32);
    };
    (@sums $name:ty, $fixed:ty $(, $($generic:tt)*)?) => {
        impl $(<$($generic)*>)? $name {
            /// Nothing.
            pub const ZERO: Self = Self(<$fixed>::ZERO);

            /// Whether this is zero.
            pub const fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            /// `self + other`. Fails on overflow.
            pub fn checked_add(self, other: Self) -> Result<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// `self - other`. Fails when `other` is larger.
            pub fn checked_sub(self, other: Self) -> Result<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
        }
    };
}

quantity! {
    /// A claim on a reserve's supplied assets; worth [`SupplyIndex`] native units each.
    SupplyShares<F>
}
quantity! {
    /// A part of a reserve's debt; owes [`DebtIndex`] native units each.
    DebtShares<F>
}
quantity! {
    /// A value in United States dollars.
    Usd
}

/// Native units that one supply share is worth. Starts at 1; interest raises it, recorded losses lower it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SupplyIndex<const F: u32 = 60>(pub Fixed<F>);

impl<const F: u32> SupplyIndex<F> {
    /// The index of a new reserve: 1. A first deposit cannot set another.
    pub const INITIAL: Self = Self(Fixed::ONE);

    /// Shares minted for a deposit of `amount`, rounded down.
    pub fn shares_for_deposit(self, amount: Amount) -> Result<SupplyShares<F>> {
        Fixed::from_integer(amount.0).div_floor(self.0).map(SupplyShares)
    }

    /// Shares burned to pay out `amount`, rounded up.
    pub fn shares_for_withdrawal(self, amount: Amount) -> Result<SupplyShares<F>> {
        Fixed::from_integer(amount.0).div_ceil(self.0).map(SupplyShares)
    }

    /// The amount that `shares` are worth, rounded down to whole native units.
    pub fn amount_of(self, shares: SupplyShares<F>) -> Result<Amount> {
        self.claim_of(shares)?.floor_to_u64().map(Amount)
    }

    /// The claim of `shares` in native units with its fraction, rounded down.
    pub fn claim_of(self, shares: SupplyShares<F>) -> Result<Fixed<F>> {
        shares.0.mul_floor(self.0)
    }
}

/// Native units that one debt share owes. Starts at 1 and never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DebtIndex<const F: u32 = 60>(pub Fixed<F>);

impl<const F: u32> DebtIndex<F> {
    /// The index of a new reserve: 1.
    pub const INITIAL: Self = Self(Fixed::ONE);

    /// Shares minted for a loan of `amount`, rounded up.
    pub fn shares_for_borrow(self, amount: Amount) -> Result<DebtShares<F>> {
        Fixed::from_integer(amount.0).div_ceil(self.0).map(DebtShares)
    }

    /// Shares burned for a repayment of `amount`, rounded down.
    pub fn shares_for_repayment(self, amount: Amount) -> Result<DebtShares<F>> {
        Fixed::from_integer(amount.0).div_floor(self.0).map(DebtShares)
    }

    /// The amount that `shares` owe, rounded up to whole native units.
    pub fn amount_owed(self, shares: DebtShares<F>) -> Result<Amount> {
        shares.0.mul_ceil(self.0)?.ceil_to_u64().map(Amount)
    }

    /// What `shares` owe in native units with its fraction, rounded down: what the books may count as an asset.
    pub fn asset_of(self, shares: DebtShares<F>) -> Result<Fixed<F>> {
        shares.0.mul_floor(self.0)
    }
}

/// How much an action concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Exactly this amount, or the action fails.
    Exact(Amount),
    /// The whole position, whatever it is worth when the action runs.
    All,
}
