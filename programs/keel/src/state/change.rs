//! What governance can change, and the changes that wait for their notice to pass.

use super::{MarketParams, ReserveConfig};
use crate::errors::KeelError;
use anchor_lang::prelude::*;

type Outcome<T> = core::result::Result<T, KeelError>;

/// Who has a say in a market.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Queues changes. Any signer: a DAO's or a multisig's address.
    Governance,
    /// Pauses, tightens and vetoes.
    Guardian,
    /// Tightens, and moves parameters by steps.
    RiskSteward,
}

/// Number of roles.
pub const ROLES: usize = 3;

impl Role {
    /// Its place in lists of one per role.
    pub fn number(self) -> usize {
        match self {
            Self::Governance => 0,
            Self::Guardian => 1,
            Self::RiskSteward => 2,
        }
    }
}

/// A change of one market or reserve, or of what they consist of.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // it lives in an account or on the stack of one handler
pub enum Change {
    /// The parameters of the market.
    Market(MarketParams),
    /// Offers a role, which its taker accepts with `accept_role`. To the address of zeros: dismisses the risk steward.
    Role { role: Role, to: Pubkey },
    /// Lists an asset: its mint is the target. Executed by `init_reserve`.
    List { config: ReserveConfig },
    /// Creates the market's own token; the pooled reserve that its swap holds is the target. Executed by
    /// `init_minted_reserve`.
    ListMinted { config: ReserveConfig },
    /// The configuration of a reserve, which is the target. A lower liquidation threshold ramps down over `ramp` seconds.
    Reserve { config: ReserveConfig, ramp: u32 },
    /// Pays insurance of a reserve, which is the target, to a token account. Executed by `withdraw_insurance`.
    WithdrawInsurance { amount: u64, to: Pubkey },
}

/// Sections of a configuration, at most: a market has one of parameters and one per role, a reserve as
/// [`keel_risk::change::RESERVE_SECTIONS`] says.
pub const MAX_SECTIONS: usize = 8;

/// Largest encoded [`Change`].
pub const MAX_CHANGE_LEN: usize = 512;

/// A queued change. Closed when it is executed, vetoed or, after it expired, by anyone; its address never comes back.
#[account(zero_copy)]
#[derive(Debug)]
pub struct PendingChange {
    /// [`PendingChange::VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    pub reserved_header: [u8; 2],
    /// Length of the encoded change.
    pub len: u32,
    /// The number in this address, rising with each change of a market.
    pub nonce: u64,
    pub market: Pubkey,
    /// The market, reserve or mint that it is about; see [`Change`].
    pub target: Pubkey,
    /// Paid for this account, and gets it back.
    pub rent_payer: Pubkey,
    /// Unix seconds.
    pub queued_at: i64,
    /// Unix seconds from which it can be executed.
    pub earliest: i64,
    /// Unix seconds up to which it can be executed.
    pub latest: i64,
    /// The sections of the target's configuration that it replaces, as bits.
    pub sections: u32,
    pub reserved_sections: u32,
    /// How often each section of the target had changed when it was queued.
    pub revisions: [u32; MAX_SECTIONS],
    /// The encoded [`Change`], then zeros.
    pub payload: [u8; MAX_CHANGE_LEN],
    /// For what later versions add.
    pub reserved: [u8; 64],
}

const _: () = assert!(size_of::<PendingChange>() == 8 + 8 + 3 * 32 + 24 + 8 + 32 + MAX_CHANGE_LEN + 64);
const _: () = assert!(align_of::<PendingChange>() == 8);

impl PendingChange {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();
    /// Layout version that this program writes.
    pub const VERSION: u8 = 1;

    /// The change.
    pub fn change(&self) -> Result<Change> {
        let encoded = usize::try_from(self.len).ok().and_then(|len| self.payload.get(..len));
        Ok(Change::try_from_slice(encoded.ok_or(KeelError::WrongChange)?)?)
    }

    /// Stores the change.
    pub fn set_change(&mut self, change: &Change) -> Result<()> {
        let mut rest = self.payload.as_mut_slice();
        change.serialize(&mut rest)?;
        let len = MAX_CHANGE_LEN.saturating_sub(rest.len());
        self.len = u32::try_from(len).map_err(|_| KeelError::Overflow)?;
        Ok(())
    }

    /// The change, if it is one of `market` about `target`, its notice has passed and it has not expired.
    ///
    /// # Errors
    /// `WrongMarket`, `WrongTarget`, `ChangeTooEarly`, `ChangeExpired`.
    pub fn ready(&self, market: &Pubkey, target: &Pubkey, now: i64) -> Result<Change> {
        require_keys_eq!(self.market, *market, KeelError::WrongMarket);
        require_keys_eq!(self.target, *target, KeelError::WrongTarget);
        require_gte!(now, self.earliest, KeelError::ChangeTooEarly);
        require_gte!(self.latest, now, KeelError::ChangeExpired);
        self.change()
    }

    /// Whether none of the sections that it replaces has changed since it was queued.
    ///
    /// # Errors
    /// `ChangeSuperseded`.
    pub fn require_current(&self, revisions: &[u32]) -> Outcome<()> {
        let mut pairs = self.revisions.iter().zip(revisions).enumerate();
        let superseded = pairs.any(|(section, (then, now))| self.replaces(section) && then != now);
        if superseded { Err(KeelError::ChangeSuperseded) } else { Ok(()) }
    }

    /// Whether it replaces that section.
    pub fn replaces(&self, section: usize) -> bool {
        has_section(self.sections, section)
    }
}

/// Whether `section` is among `sections`.
pub fn has_section(sections: u32, section: usize) -> bool {
    sections & section_bit(section) != 0
}

/// The bit of a section.
pub fn section_bit(section: usize) -> u32 {
    u32::try_from(section).ok().and_then(|section| 1u32.checked_shl(section)).unwrap_or_default()
}

/// Counts a revision of each of `sections`.
pub fn revise(revisions: &mut [u32], sections: u32) {
    for (section, revision) in revisions.iter_mut().enumerate() {
        if has_section(sections, section) {
            *revision = revision.wrapping_add(1);
        }
    }
}
