use crate::errors::KeelError;
use anchor_lang::prelude::*;
use keel_risk::units::Usd;
use keel_risk::{Fraction, config};

/// A market: the assets that one vault can combine, and who decides about them.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Market {
    /// [`super::LAYOUT_VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The number in this address.
    pub id: u16,
    /// Health factor that a liquidation restores, in basis points.
    pub target_health_bps: u32,
    /// Decides. Any signer: a DAO's or a multisig's address.
    pub governance: Pubkey,
    /// May pause, tighten and veto.
    pub guardian: Pubkey,
    /// May tighten, and loosen inside per-parameter bounds.
    pub risk_steward: Pubkey,
    /// The program that owns price updates. Configurable: Pyth has moved receivers before.
    pub price_receiver: Pubkey,
    /// Value in millionths of a dollar under which a position is dust.
    pub min_position_micro_usd: u64,
    /// Slots for which liquidations wait after a cluster restart.
    pub restart_grace_slots: u64,
    /// For what later versions add.
    pub reserved: [u8; 512],
}

const _: () = assert!(size_of::<Market>() == 8 + 4 * 32 + 16 + 512);
const _: () = assert!(align_of::<Market>() == 8);

/// Largest minimum position: 1,000 dollars.
pub const MAX_MIN_POSITION_MICRO_USD: u64 = 1_000_000_000;

/// What a market starts with. Field by field as in [`Market`].
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketParams {
    pub guardian: Pubkey,
    pub risk_steward: Pubkey,
    pub price_receiver: Pubkey,
    pub target_health_bps: u32,
    pub min_position_micro_usd: u64,
    pub restart_grace_slots: u64,
}

impl MarketParams {
    /// Refuses parameters under which liquidations could not work.
    pub fn validate(&self) -> Result<()> {
        require!(self.price_receiver != Pubkey::default(), KeelError::ZeroAddress);
        require!((1..=MAX_MIN_POSITION_MICRO_USD).contains(&self.min_position_micro_usd), KeelError::ConfigMinPosition);
        config::check_target_health(self.target_health_bps).map_err(KeelError::from)?;
        Ok(())
    }
}

impl Market {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// The health factor that a liquidation restores.
    pub fn target_health(&self) -> Fraction {
        Fraction::from_bps_floor(self.target_health_bps)
    }

    /// The value under which a position is dust.
    pub fn min_position(&self) -> core::result::Result<Usd, KeelError> {
        Ok(Usd(Fraction::from_integer(self.min_position_micro_usd).div_small_floor(1_000_000)?))
    }
}
