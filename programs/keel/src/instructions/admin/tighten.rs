use super::execute_change::hand_over;
use crate::errors::KeelError;
use crate::events::{MarketConfigured, ReserveConfigured};
use crate::state::{Change, MAX_STEPS, Market, MarketParams, Reserve, ReserveConfig, Role};
use anchor_lang::prelude::*;
use keel_risk::change::{self, AtOnce, MARKET, Parameter, RESERVE, StepBounds};

/// The accounts of `tighten` and `step`.
#[derive(Accounts)]
pub struct Tighten<'info> {
    /// Governance, guardian or risk steward.
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The target, if the change is about a reserve.
    #[account(mut)]
    pub reserve: Option<AccountLoader<'info, Reserve>>,
}

/// What somebody may change without notice.
struct Licence {
    bounds: StepBounds,
    /// Whether steps may go against the protocol.
    both_ways: bool,
    now: i64,
}

impl Licence {
    /// Looks at every parameter that changes. Returns which stepped.
    fn check<const N: usize>(
        &self,
        parameters: &[Parameter; N],
        (old, new): &([u64; N], [u64; N]),
        stepped_at: &[i64],
    ) -> Result<[bool; MAX_STEPS]> {
        let mut stepped = [false; MAX_STEPS];
        for (number, (parameter, (old, new))) in parameters.iter().zip(old.iter().zip(new)).enumerate() {
            let step = change::step_number(number).filter(|_| parameter.step.is_some());
            let last = step.and_then(|step| stepped_at.get(step)).copied().unwrap_or_default();
            match change::at_once(parameter, *old, *new, &self.bounds, self.both_ways, last, self.now) {
                Ok(Some(AtOnce::Step)) => {
                    if let Some(place) = step.and_then(|step| stepped.get_mut(step)) {
                        *place = true;
                    }
                }
                Ok(Some(AtOnce::Free) | None) => {}
                Err(error) => {
                    msg!("{} cannot go from {} to {} without notice", parameter.name, old, new);
                    return Err(KeelError::from(error).into());
                }
            }
        }
        Ok(stepped)
    }
}

impl Tighten<'_> {
    fn change(&self, change: &Change, both_ways: bool) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        let mut market = self.market.load_mut()?;
        market.require_version()?;
        if both_ways {
            self.require_role(&market, &[Role::RiskSteward])?;
        }
        let licence = Licence { bounds: market.steps.bounds(), both_ways, now };
        match change {
            // Steps are for reserves: of a market only what nobody feels changes without notice.
            Change::Market(params) if !both_ways => self.change_market(&mut market, params, &licence),
            Change::Role { role: Role::RiskSteward, to } if *to == Pubkey::default() && !both_ways => {
                self.require_role(&market, &[Role::Governance, Role::Guardian])?;
                hand_over(&mut market, self.market.key(), Role::RiskSteward, *to, now);
                Ok(())
            }
            Change::Reserve { config, .. } => {
                self.require_role(&market, &[Role::Governance, Role::Guardian, Role::RiskSteward])?;
                self.change_reserve(config, &licence)
            }
            _ => Err(KeelError::NeedsNotice.into()),
        }
    }

    fn require_role(&self, market: &Market, roles: &[Role]) -> Result<()> {
        let holds = roles.iter().any(|role| market.holder(*role) == *self.signer.key);
        require!(holds, KeelError::NotTightener);
        Ok(())
    }

    fn change_market(&self, market: &mut Market, params: &MarketParams, licence: &Licence) -> Result<()> {
        self.require_role(market, &[Role::Governance, Role::Guardian])?;
        require!(self.reserve.is_none(), KeelError::WrongTarget);
        let old = market.params();
        require!(!old.compare(params).changed().is_empty(), KeelError::NothingChanges);
        licence.check(&MARKET, &old.values(params), &[])?;
        market.configure(params)?;
        emit!(MarketConfigured { market: self.market.key() });
        Ok(())
    }

    fn change_reserve(&self, config: &ReserveConfig, licence: &Licence) -> Result<()> {
        let loader = self.reserve.as_ref().ok_or(KeelError::MissingAccount)?;
        let mut reserve = loader.load_mut()?;
        require_keys_eq!(reserve.market, self.market.key(), KeelError::WrongMarket);
        reserve.require_version()?;
        require!(reserve.config.sections_to(config) != 0, KeelError::NothingChanges);
        let values = reserve.config.values(config);
        let stepped = licence.check(&RESERVE, &values, &reserve.stepped_at)?;
        // No ramp: a threshold never changes without notice.
        reserve.reconfigure(*config, 0, licence.now)?;
        for (at, _) in reserve.stepped_at.iter_mut().zip(stepped).filter(|(_, stepped)| *stepped) {
            *at = licence.now;
        }
        emit!(ReserveConfigured { reserve: loader.key() });
        Ok(())
    }
}

/// Changes what makes the market safer and no vault feels, at once.
pub fn tighten(ctx: Context<Tighten>, change: Change) -> Result<()> {
    ctx.accounts.change(&change, false)
}

/// Moves parameters of a reserve by steps, in either direction.
pub fn step(ctx: Context<Tighten>, change: Change) -> Result<()> {
    ctx.accounts.change(&change, true)
}
