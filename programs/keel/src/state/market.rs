use crate::errors::KeelError;
use anchor_lang::prelude::*;
use keel_risk::liquidation::Rules;
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
    /// Value in millionths of a dollar that the repayment of a dust debt pays its keeper at least.
    pub min_bounty_micro_usd: u64,
    /// What is paused, see [`super::pause`].
    pub paused: u32,
    pub reserved_pause: u32,
    /// Unix seconds at which the pause ends by itself.
    pub paused_until: i64,
    /// Unix seconds from which the guardian may pause again.
    pub guardian_pauses_from: i64,
    /// The mint of the market's minted reserve, or zeros.
    pub minted_mint: Pubkey,
    /// For what later versions add.
    pub reserved: [u8; 512],
}

const _: () = assert!(size_of::<Market>() == 8 + 5 * 32 + 16 + 32 + 512);
const _: () = assert!(align_of::<Market>() == 8);

/// Largest minimum position: 1,000 dollars.
pub const MAX_MIN_POSITION_MICRO_USD: u64 = 1_000_000_000;

/// Largest flat bounty: 100 dollars.
pub const MAX_MIN_BOUNTY_MICRO_USD: u64 = 100_000_000;

/// What a market starts with. Field by field as in [`Market`].
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketParams {
    pub guardian: Pubkey,
    pub risk_steward: Pubkey,
    pub price_receiver: Pubkey,
    pub target_health_bps: u32,
    pub min_position_micro_usd: u64,
    pub restart_grace_slots: u64,
    pub min_bounty_micro_usd: u64,
}

impl MarketParams {
    /// Refuses parameters under which liquidations could not work.
    pub fn validate(&self) -> Result<()> {
        require!(self.price_receiver != Pubkey::default(), KeelError::ZeroAddress);
        require!((1..=MAX_MIN_POSITION_MICRO_USD).contains(&self.min_position_micro_usd), KeelError::ConfigMinPosition);
        require_gte!(MAX_MIN_BOUNTY_MICRO_USD, self.min_bounty_micro_usd, KeelError::ConfigMinBounty);
        config::check_target_health(self.target_health_bps).map_err(KeelError::from)?;
        Ok(())
    }
}

impl Market {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();

    /// Takes over what governance sets.
    pub fn configure(&mut self, params: &MarketParams) {
        self.guardian = params.guardian;
        self.risk_steward = params.risk_steward;
        self.price_receiver = params.price_receiver;
        self.target_health_bps = params.target_health_bps;
        self.min_position_micro_usd = params.min_position_micro_usd;
        self.restart_grace_slots = params.restart_grace_slots;
        self.min_bounty_micro_usd = params.min_bounty_micro_usd;
    }

    /// What liquidations have to keep to.
    pub fn rules(&self) -> core::result::Result<Rules, KeelError> {
        Ok(Rules {
            target_health: Fraction::from_bps_floor(self.target_health_bps),
            min_position: self.min_position()?,
            min_bounty: micro_usd(self.min_bounty_micro_usd)?,
        })
    }

    /// The value under which a position is dust.
    pub fn min_position(&self) -> core::result::Result<Usd, KeelError> {
        micro_usd(self.min_position_micro_usd)
    }

    /// Refuses an action of which every bit in `action` is paused at `now`.
    pub fn require_running(&self, action: u32, now: i64) -> core::result::Result<(), KeelError> {
        let paused = if now < self.paused_until { self.paused } else { 0 };
        if paused & action == action { Err(KeelError::Paused) } else { Ok(()) }
    }
}

fn micro_usd(amount: u64) -> core::result::Result<Usd, KeelError> {
    Ok(Usd(Fraction::from_integer(amount).div_small_floor(1_000_000)?))
}
