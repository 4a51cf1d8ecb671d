//! Pauses.

use crate::model::{Model, Outcome, refuse};
use keel::KeelError;
use keel::state::{Market, Role, pause};

/// What the market holds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// By governance, and by the guardian: what, and until when.
    pub governance: (u32, i64),
    pub guardian: (u32, i64),
    /// When the guardian may pause again.
    pub guardian_from: i64,
    /// Up to when owners alone act, after a pause of repayments or additions.
    pub owners_until: i64,
}

impl Pause {
    /// As in an account.
    pub fn of(market: &Market) -> Self {
        Self {
            governance: (market.paused, market.paused_until),
            guardian: (market.guardian_paused, market.guardian_paused_until),
            guardian_from: market.guardian_pauses_from,
            owners_until: market.takes_from,
        }
    }
}

const DAY: u32 = 86_400;

impl Model {
    /// Refuses what is paused in every of `bits`, by either or by both together.
    pub fn require_running(&self, bits: u32) -> Outcome<()> {
        let stopped = [self.pause.governance, self.pause.guardian]
            .iter()
            .filter(|(_, until)| self.now() < *until)
            .fold(0, |stopped, (bits, _)| stopped | bits);
        let owners = if self.now() < self.pause.owners_until { pause::REDEEM | pause::LIQUIDATE } else { 0 };
        let stopped = stopped | owners;
        if stopped & bits == bits { refuse(KeelError::Paused) } else { Ok(()) }
    }

    pub fn set_pause(&mut self, signer: usize, bits: u32, seconds: u32) -> Outcome<()> {
        let (first, last) = (bits & pause::FIRST, bits & pause::LAST);
        let defenceless = |bits: u32| bits & (pause::REPAY | pause::TOP_UP) > 0;
        let unfair = defenceless(bits) && bits & pause::LIQUIDATE == 0;
        if first | last != bits || (last > 0 && first != pause::FIRST) || unfair {
            return refuse(KeelError::PauseOrder);
        }
        let ends = |pauses: &Pause, now: i64| {
            let both = [pauses.governance, pauses.guardian];
            both.into_iter().filter(|(bits, until)| defenceless(*bits) && *until > now).map(|(_, until)| until).max()
        };
        let before = ends(&self.pause, self.now());
        let (now, until) = (self.now(), self.now() + i64::from(seconds));
        let (by, roles) = (self.players[signer].0, &self.roles);
        match () {
            () if by == roles.of(Role::Governance).holder => {
                if seconds > 30 * DAY {
                    return refuse(KeelError::NotPauser);
                }
                self.pause.governance = (bits, until);
            }
            () if by != roles.of(Role::Guardian).holder => return refuse(KeelError::NotPauser),
            () if bits == 0 => self.pause.guardian.0 = 0,
            () if seconds <= 3 * DAY && now >= self.pause.guardian_from => {
                self.pause.guardian = (bits, until);
                self.pause.guardian_from = until + i64::from(3 * DAY);
            }
            () => return refuse(KeelError::NotPauser),
        }
        if let Some(end) = ends(&self.pause, now).or(before.map(|_| now)) {
            self.pause.owners_until = end + 15 * 60;
        }
        Ok(())
    }
}
