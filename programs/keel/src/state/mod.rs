//! Account layouts, their conversion to and from the risk crate's structs, and their invariants.
//!
//! All accounts are zero-copy: read in place, without deserialization. Fields are ordered so that there is no implicit
//! padding; sizes are asserted at compile time and old bytes are kept as test fixtures.

mod change;
mod market;
mod parameter;
pub mod pause;
mod reserve;
mod vault;

pub use change::{Change, MAX_CHANGE_LEN, MAX_SECTIONS, PendingChange, ROLES, Role, has_section, revise, section_bit};
pub use market::{
    DEFAULT_WINDOW, MAX_MIN_BOUNTY_MICRO_USD, MAX_MIN_POSITION_MICRO_USD, Market, MarketParams, Offer, StepConfig,
};
pub use parameter::Slot;
pub use reserve::{
    CollateralConfig, FeedConfig, GroupConfig, HaircutState, LastPrice, Limits, MAX_DECIMALS, MAX_FEEDS, MAX_STEPS,
    MintedConfig, MintedState, OracleConfig, OutflowCredit, OutflowState, RampState, RateConfig, RateState, Reserve,
    ReserveConfig, VolatilityConfig, VolatilityState,
};
pub use vault::{MAX_POSITIONS, Position, Vault, rights};

use anchor_lang::prelude::*;
use anchor_lang::{Discriminator, ZeroCopy};
use keel_risk::Fraction;
pub use keel_risk::pool::Kind;
pub use keel_risk::price::Side;

/// The account of kind `T` in `data`, for accounts that are of one kind only in some variants of an instruction. The
/// caller checks the account's owner.
pub fn view<T: ZeroCopy + Discriminator>(data: &[u8]) -> Option<&T> {
    let (discriminator, bytes) = data.split_at_checked(T::DISCRIMINATOR.len())?;
    bytemuck::try_from_bytes(bytes).ok().filter(|_| discriminator == T::DISCRIMINATOR)
}

/// [`view`], to be changed.
pub fn view_mut<T: ZeroCopy + Discriminator>(data: &mut [u8]) -> Option<&mut T> {
    let (discriminator, bytes) = data.split_at_mut_checked(T::DISCRIMINATOR.len())?;
    bytemuck::try_from_bytes_mut(bytes).ok().filter(|_| discriminator == T::DISCRIMINATOR)
}

/// A 128-bit number as two words: the alignment of `u128` differs between the targets that compile and read accounts.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Bits 0 to 63.
    pub low: u64,
    /// Bits 64 to 127.
    pub high: u64,
}

impl Words {
    /// The number.
    pub fn get(self) -> u128 {
        (u128::from(self.high) << 64) | u128::from(self.low)
    }
}

impl From<u128> for Words {
    #[allow(clippy::cast_possible_truncation)] // the two halves, on purpose
    fn from(n: u128) -> Self {
        Self { low: n as u64, high: (n >> 64) as u64 }
    }
}

impl From<Fraction> for Words {
    fn from(f: Fraction) -> Self {
        f.to_bits().into()
    }
}

impl From<Words> for Fraction {
    fn from(words: Words) -> Self {
        Self::from_bits(words.get())
    }
}
