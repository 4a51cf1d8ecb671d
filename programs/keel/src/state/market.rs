use super::parameter::{Slot, id, note_identities, number, numbers};
use super::{ROLES, Role, pause};
use crate::errors::KeelError;
use anchor_lang::prelude::*;
use borsh::BorshSerialize;
use keel_risk::change::{self, Comparison, MARKET, MARKET_PARAMETERS, StepBounds};
use keel_risk::liquidation::Rules;
use keel_risk::units::Usd;
use keel_risk::{Fraction, config};

/// How far parameters may move without notice, in one step a day; see [`StepBounds`]. Zero for not at all.
#[zero_copy]
#[derive(BorshSerialize, AnchorDeserialize, Debug, Default, PartialEq, Eq)]
pub struct StepConfig {
    /// Caps, in basis points of what they are.
    pub cap_bps: u32,
    /// Outflow limits, in basis points of what they are.
    pub outflow_bps: u32,
    /// Base haircuts, in basis points.
    pub haircut_bps: u32,
    /// Loan to value, in basis points.
    pub max_ltv_bps: u32,
    /// Yearly rates, in basis points.
    pub rate_bps: u32,
}

/// A role that is offered to somebody.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// To whom, or zeros.
    pub to: Pubkey,
    /// Unix seconds up to which it can be accepted.
    pub until: i64,
}

/// A market: the assets that one vault can combine, and who decides about them.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Market {
    /// [`Market::VERSION`].
    pub version: u8,
    /// Bump of this address.
    pub bump: u8,
    /// The number in this address.
    pub id: u16,
    /// Health factor that a liquidation restores, in basis points.
    pub target_health_bps: u32,
    /// Decides, with notice. Any signer: a DAO's or a multisig's address.
    pub governance: Pubkey,
    /// May pause, tighten and veto.
    pub guardian: Pubkey,
    /// May tighten, and move parameters by steps. Zeros for nobody.
    pub risk_steward: Pubkey,
    /// The program that owns price updates. Configurable: Pyth has moved receivers before.
    pub price_receiver: Pubkey,
    /// Value in millionths of a dollar under which a position is dust.
    pub min_position_micro_usd: u64,
    /// Slots for which liquidations wait after a cluster restart.
    pub restart_grace_slots: u64,
    /// Value in millionths of a dollar that the repayment of a dust debt pays its keeper at least, up to what one of the
    /// minimum position pays.
    pub min_bounty_micro_usd: u64,
    /// What governance paused, see [`super::pause`].
    pub paused: u32,
    /// What the guardian paused.
    pub guardian_paused: u32,
    /// Unix seconds at which governance's pause ends by itself.
    pub paused_until: i64,
    /// Unix seconds from which the guardian may pause again.
    pub guardian_pauses_from: i64,
    /// The mint of the market's minted reserve, or zeros.
    pub minted_mint: Pubkey,
    // From here on layout 2.
    /// Unix seconds at which the guardian's pause ends by itself.
    pub guardian_paused_until: i64,
    /// Roles on offer, by [`Role::number`].
    pub offers: [Offer; ROLES],
    /// Nonce of the next queued change.
    pub next_change: u64,
    /// Seconds between the queueing of a change and its execution, at least.
    pub delay: u32,
    /// Seconds in which it can be executed from then on.
    pub window: u32,
    pub steps: StepConfig,
    /// How often the parameters changed.
    pub revision: u32,
    /// How often each role did, or was offered, by [`Role::number`].
    pub role_revisions: [u32; ROLES],
    pub reserved_revisions: u32,
    /// Unix seconds from which collateral may be taken after a pause of what owners save their vaults with; see
    /// [`Market::give_owners_time`].
    pub takes_from: i64,
    /// For what later versions add.
    pub reserved: [u8; 320],
}

const _: () = assert!(size_of::<Market>() == 8 + 5 * 32 + 16 + 32 + 8 + 120 + 8 + 8 + 24 + 16 + 8 + 320);
const _: () = assert!(align_of::<Market>() == 8);

/// Largest minimum position: 1,000 dollars.
pub const MAX_MIN_POSITION_MICRO_USD: u64 = 1_000_000_000;

/// Largest flat bounty: 100 dollars.
pub const MAX_MIN_BOUNTY_MICRO_USD: u64 = 100_000_000;

/// The window of a market that was created before there was one: a week.
pub const DEFAULT_WINDOW: u32 = 7 * 86_400;

/// What governance sets of a market. Field by field as in [`Market`].
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketParams {
    pub price_receiver: Pubkey,
    pub target_health_bps: u32,
    pub min_position_micro_usd: u64,
    pub restart_grace_slots: u64,
    pub min_bounty_micro_usd: u64,
    pub delay: u32,
    pub window: u32,
    pub steps: StepConfig,
}

impl MarketParams {
    /// Refuses parameters under which liquidations could not work.
    pub fn validate(&self) -> Result<()> {
        require!(self.price_receiver != Pubkey::default(), KeelError::ZeroAddress);
        require!((1..=MAX_MIN_POSITION_MICRO_USD).contains(&self.min_position_micro_usd), KeelError::ConfigMinPosition);
        require_gte!(MAX_MIN_BOUNTY_MICRO_USD, self.min_bounty_micro_usd, KeelError::ConfigMinBounty);
        config::check_target_health(self.target_health_bps).map_err(KeelError::from)?;
        config::check_governance(self.delay, self.window, &self.steps.bounds()).map_err(KeelError::from)?;
        Ok(())
    }

    /// Every parameter, in the order of [`MARKET`].
    pub fn slots(&mut self) -> [Slot<'_>; MARKET_PARAMETERS] {
        let steps = &mut self.steps;
        [
            id(self.price_receiver.as_mut()),
            number(&mut self.target_health_bps),
            number(&mut self.min_position_micro_usd),
            number(&mut self.restart_grace_slots),
            number(&mut self.min_bounty_micro_usd),
            number(&mut self.delay),
            number(&mut self.window),
            number(&mut steps.cap_bps),
            number(&mut steps.outflow_bps),
            number(&mut steps.haircut_bps),
            number(&mut steps.max_ltv_bps),
            number(&mut steps.rate_bps),
        ]
    }

    /// The values before and after a change to `new`, as [`change::compare`] takes them.
    pub fn values(&self, new: &Self) -> ([u64; MARKET_PARAMETERS], [u64; MARKET_PARAMETERS]) {
        let (mut old, mut other) = (*self, *new);
        let (before, mut after) = (numbers(&old.slots()), numbers(&other.slots()));
        note_identities(&MARKET, &mut after, self.price_receiver.as_ref(), new.price_receiver.as_ref());
        (before, after)
    }

    /// What a change to `new` does.
    pub fn compare(&self, new: &Self) -> Comparison {
        let (old, new) = self.values(new);
        change::compare(&MARKET, &old, &new)
    }
}

impl StepConfig {
    /// The same for the risk crate.
    pub fn bounds(&self) -> StepBounds {
        StepBounds {
            cap_bps: self.cap_bps,
            outflow_bps: self.outflow_bps,
            haircut_bps: self.haircut_bps,
            max_ltv_bps: self.max_ltv_bps,
            rate_bps: self.rate_bps,
        }
    }
}

impl Market {
    /// Account size, discriminator included.
    pub const SPACE: usize = 8 + size_of::<Self>();
    /// Layout version that this program writes.
    pub const VERSION: u8 = 2;

    /// Refuses a market that [`Self::upgrade`] was not called on.
    pub fn require_version(&self) -> core::result::Result<(), KeelError> {
        if self.version == Self::VERSION { Ok(()) } else { Err(KeelError::LayoutOutdated) }
    }

    /// Brings a market of layout 1 up to date: no delay yet, as then. False when there is nothing to do.
    pub fn upgrade(&mut self) -> bool {
        if self.version != 1 {
            return false;
        }
        self.window = DEFAULT_WINDOW;
        self.version = Self::VERSION;
        true
    }

    /// Who has `role`.
    pub fn holder(&self, role: Role) -> Pubkey {
        match role {
            Role::Governance => self.governance,
            Role::Guardian => self.guardian,
            Role::RiskSteward => self.risk_steward,
        }
    }

    /// Gives `role` to somebody and counts it as a revision: changes of the role that were queued before are superseded.
    pub fn give_role(&mut self, role: Role, to: Pubkey) {
        match role {
            Role::Governance => self.governance = to,
            Role::Guardian => self.guardian = to,
            Role::RiskSteward => self.risk_steward = to,
        }
        self.offer_role(role, Offer::default());
    }

    /// Offers `role`, in place of any earlier offer.
    pub fn offer_role(&mut self, role: Role, offer: Offer) {
        if let Some(slot) = self.offers.get_mut(role.number()) {
            *slot = offer;
        }
        if let Some(revision) = self.role_revisions.get_mut(role.number()) {
            *revision = revision.wrapping_add(1);
        }
    }

    /// How often each section changed: the parameters, then the roles.
    pub fn revisions(&self) -> [u32; 1 + ROLES] {
        let [governance, guardian, risk_steward] = self.role_revisions;
        [self.revision, governance, guardian, risk_steward]
    }

    /// The parameters in force.
    pub fn params(&self) -> MarketParams {
        MarketParams {
            price_receiver: self.price_receiver,
            target_health_bps: self.target_health_bps,
            min_position_micro_usd: self.min_position_micro_usd,
            restart_grace_slots: self.restart_grace_slots,
            min_bounty_micro_usd: self.min_bounty_micro_usd,
            delay: self.delay,
            window: self.window,
            steps: self.steps,
        }
    }

    /// Takes over what governance sets. A delay that is there stays one.
    ///
    /// # Errors
    /// As [`MarketParams::validate`]; `ConfigGovernance` for a delay of zero after another.
    pub fn configure(&mut self, params: &MarketParams) -> Result<()> {
        params.validate()?;
        require!(self.delay == 0 || params.delay != 0, KeelError::ConfigGovernance);
        self.revision = self.revision.wrapping_add(1);
        self.price_receiver = params.price_receiver;
        self.target_health_bps = params.target_health_bps;
        self.min_position_micro_usd = params.min_position_micro_usd;
        self.restart_grace_slots = params.restart_grace_slots;
        self.min_bounty_micro_usd = params.min_bounty_micro_usd;
        self.delay = params.delay;
        self.window = params.window;
        self.steps = params.steps;
        Ok(())
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
        if self.paused_at(now) & action == action { Err(KeelError::Paused) } else { Ok(()) }
    }

    /// The guardian pauses, or with no bits ends its own pause.
    ///
    /// # Errors
    /// `NotPauser` for a pause that is too long, or too soon after the last one: one pause, and then as long without.
    /// Else a guardian could hold the market for ever, three days at a time.
    pub fn guardian_pause(&mut self, bits: u32, seconds: u32, now: i64) -> core::result::Result<(), KeelError> {
        let allowed = bits == 0 || (seconds <= pause::MAX_GUARDIAN_SECONDS && now >= self.guardian_pauses_from);
        if !allowed {
            return Err(KeelError::NotPauser);
        }
        self.guardian_paused = bits;
        if bits != 0 {
            self.guardian_paused_until = now.saturating_add(i64::from(seconds));
            let rest = i64::from(pause::MAX_GUARDIAN_SECONDS);
            self.guardian_pauses_from = self.guardian_paused_until.saturating_add(rest);
        }
        Ok(())
    }

    /// What is paused at `now`, by governance or guardian, or because owners have time to act first.
    pub fn paused_at(&self, now: i64) -> u32 {
        let pauses = [
            (self.paused, self.paused_until),
            (self.guardian_paused, self.guardian_paused_until),
            (pause::LIQUIDATE | pause::REDEEM, self.takes_from),
        ];
        pauses.iter().filter(|(_, until)| now < *until).fold(0, |paused, (bits, _)| paused | bits)
    }

    /// After every change of a pause, of which `before` is what was paused until `now`: owners who could not repay or add
    /// collateral get [`pause::OWNERS_SECONDS`] for it before anybody liquidates or redeems, from the end of the last pause
    /// that keeps them from it, or from now if that has just been ended.
    pub fn give_owners_time(&mut self, before: u32, now: i64) {
        let defenceless = |bits: u32| bits & pause::DEFENCE != 0;
        let pauses = [(self.paused, self.paused_until), (self.guardian_paused, self.guardian_paused_until)];
        let last =
            pauses.iter().filter(|(bits, until)| defenceless(*bits) && now < *until).map(|(_, until)| *until).max();
        if let Some(end) = last.or(defenceless(before).then_some(now)) {
            self.takes_from = end.saturating_add(pause::OWNERS_SECONDS.into());
        }
    }
}

fn micro_usd(amount: u64) -> core::result::Result<Usd, KeelError> {
    Ok(Usd(Fraction::from_integer(amount).div_small_floor(1_000_000)?))
}
