//! What governance announces, what comes of it, and what is done without notice.

use crate::model::{Model, Outcome, Stop, refuse};
use crate::terms;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::KeelError;
use keel::state::{Change, Market, MarketParams, ReserveConfig, Role};
use keel_risk::change::{AtOnce, MARKET, Parameter, RESERVE, at_once};
use keel_risk::units::Amount;
use keel_tests::random::Announced;
use keel_tests::random::layout::{market_values, merged, sections_between, values};
use solana_system_interface::error::SystemError;

/// A role: who has it, to whom and until when it is offered, and how often that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Office {
    pub holder: Pubkey,
    pub offered: (Pubkey, i64),
    pub revision: u32,
}

/// Governance, guardian and risk steward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offices([Office; 3]);

impl Offices {
    /// As in an account.
    pub fn of_market(market: &Market) -> Self {
        let holders = [market.governance, market.guardian, market.risk_steward];
        Self(std::array::from_fn(|i| Office {
            holder: holders[i],
            offered: (market.offers[i].to, market.offers[i].until),
            revision: market.role_revisions[i],
        }))
    }

    pub fn of(&self, role: Role) -> &Office {
        &self.0[role as usize]
    }

    fn of_mut(&mut self, role: Role) -> &mut Office {
        &mut self.0[role as usize]
    }
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// An asset's reserve, or the market.
    pub target: Option<usize>,
    pub change: Change,
    pub queued_at: i64,
    /// First and last second in which it can be executed.
    pub time: [i64; 2],
    /// What it replaces, as bits, and how often each section had changed by then.
    pub sections: u32,
    pub revisions: [u32; 8],
    pub payer: Pubkey,
}

impl Queued {
    /// As in an account.
    pub fn of(announced: &Announced) -> Self {
        let pending = &announced.pending;
        Self {
            target: announced.target,
            change: announced.change,
            queued_at: pending.queued_at,
            time: [pending.earliest, pending.latest],
            sections: pending.sections,
            revisions: pending.revisions,
            payer: pending.rent_payer,
        }
    }
}

impl Model {
    /// What could not be executed now is refused.
    pub fn queue(&mut self, signer: usize, nonce: u64, target: Option<usize>, change: &Change) -> Outcome<()> {
        if self.changes.contains_key(&nonce) {
            return Err(Stop(SystemError::AccountAlreadyInUse.into()));
        }
        if !self.holds(signer, &[Role::Governance]) {
            return refuse(KeelError::NotGovernance);
        }
        let now = self.now();
        let asset = target.ok_or(KeelError::WrongTarget);
        let (mut sections, mut revisions) = (0, [0; 8]);
        match *change {
            Change::Market(params) => {
                self.require_coherent(&params)?;
                if params == self.params {
                    return refuse(KeelError::NothingChanges);
                }
                if target.is_some() {
                    return refuse(KeelError::WrongTarget);
                }
                (sections, revisions) = (1, self.market_revisions());
            }
            Change::Role { role, to } => {
                if role != Role::RiskSteward && to == Pubkey::default() {
                    return refuse(KeelError::ZeroAddress);
                }
                if target.is_some() {
                    return refuse(KeelError::WrongTarget);
                }
                (sections, revisions) = (2 << role as u32, self.market_revisions());
            }
            Change::Reserve { config, ramp } => {
                let reserve = &self.reserves[asset?];
                sections = sections_between(&reserve.state.config, &config);
                revisions = reserve.state.revisions;
                if sections == 0 {
                    return refuse(KeelError::NothingChanges);
                }
                reserve.clone().reconfigure(&config, ramp, now)?;
            }
            Change::WithdrawInsurance { amount: 0, .. } => return refuse(KeelError::ZeroAmount),
            Change::WithdrawInsurance { .. } => asset.map(|_| ())?,
            _ => unreachable!("nobody lists an asset"),
        }
        if nonce != self.next_change {
            return refuse(KeelError::WrongNonce);
        }
        let earliest = now + i64::from(self.params.delay);
        let time = [earliest, earliest + i64::from(self.params.window)];
        let payer = self.players[signer].0;
        let queued = Queued { target, change: *change, queued_at: now, time, sections, revisions, payer };
        self.changes.insert(nonce, queued);
        self.next_change += 1;
        Ok(())
    }

    fn holds(&self, player: usize, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.of(*role).holder == self.players[player].0)
    }

    fn market_revisions(&self) -> [u32; 8] {
        let [governance, guardian, steward] = self.roles.0.map(|role| role.revision);
        [self.revision, governance, guardian, steward, 0, 0, 0, 0]
    }

    /// Offers a role for as long as the window is; to nobody, it is vacant at once.
    fn offer_role(&mut self, role: Role, to: Pubkey) {
        let until = self.now() + i64::from(self.params.window);
        let own = self.roles.of_mut(role);
        own.revision += 1;
        if to == Pubkey::default() {
            (own.holder, own.offered) = (to, (to, 0));
        } else {
            own.offered = (to, until);
        }
    }

    pub fn accept_role(&mut self, user: usize, role: Role) -> Outcome<()> {
        let (by, now) = (self.players[user].0, self.now());
        let own = self.roles.of_mut(role);
        let (to, until) = own.offered;
        if to != by || now > until {
            return refuse(KeelError::RoleNotOffered);
        }
        *own = Office { holder: by, offered: (Pubkey::default(), 0), revision: own.revision + 1 };
        Ok(())
    }

    fn waiting(&self, nonce: u64) -> Outcome<&Queued> {
        self.changes.get(&nonce).ok_or(Stop(ErrorCode::AccountOwnedByWrongProgram.into()))
    }

    /// What was announced of `target`, in its time.
    fn due(&self, nonce: u64, target: Option<usize>) -> Outcome<Queued> {
        let queued = self.waiting(nonce)?;
        let [earliest, latest] = queued.time;
        match self.now() {
            _ if queued.target != target => refuse(KeelError::WrongTarget),
            now if now < earliest => refuse(KeelError::ChangeTooEarly),
            now if now > latest => refuse(KeelError::ChangeExpired),
            _ => Ok(queued.clone()),
        }
    }

    pub fn execute(&mut self, nonce: u64, target: Option<usize>) -> Outcome<()> {
        let queued = self.due(nonce, target)?;
        let now = self.now();
        let current = |present: &[u32]| {
            let mut pairs = queued.revisions.iter().zip(present).enumerate();
            pairs.all(|(section, (then, now))| queued.sections >> section & 1 == 0 || then == now)
        };
        match (queued.change, target) {
            (Change::Market(params), _) => {
                if !current(&self.market_revisions()) {
                    return refuse(KeelError::ChangeSuperseded);
                }
                self.configure(&params)?;
            }
            (Change::Role { role, to }, _) => {
                if !current(&self.market_revisions()) {
                    return refuse(KeelError::ChangeSuperseded);
                }
                self.offer_role(role, to);
            }
            (Change::Reserve { config, ramp }, Some(asset)) => {
                let reserve = &mut self.reserves[asset];
                if !current(&reserve.state.revisions) {
                    return refuse(KeelError::ChangeSuperseded);
                }
                let config = merged(&reserve.state.config, &config, queued.sections);
                let other_feeds = config.oracle.feeds != reserve.state.config.oracle.feeds;
                reserve.reconfigure(&config, ramp, now)?;
                if other_feeds {
                    reserve.readings = self.coming[&nonce][..reserve.feeds.len()].to_vec();
                    let seen = reserve.oracle(self.moment).all(keel_risk::price::Purpose::NewRisk)?;
                    reserve.remember(&seen, now)?;
                }
            }
            _ => return refuse(KeelError::WrongChange),
        }
        self.changes.remove(&nonce);
        Ok(())
    }

    pub fn withdraw_insurance(&mut self, nonce: u64, asset: usize) -> Outcome<()> {
        let Change::WithdrawInsurance { amount, to } = self.due(nonce, Some(asset))?.change else {
            return refuse(KeelError::WrongChange);
        };
        let reserve = self.accrued(asset)?;
        let floor = reserve.state.config.insurance_floor_bps;
        reserve.state.pool.withdraw_insurance(Amount(amount), floor)?;
        reserve.settle()?;
        let payee = self.players.iter().position(|(_, tokens)| tokens[asset] == to);
        self.pay(payee.expect("a payment to nobody"), asset, Amount(amount));
        self.changes.remove(&nonce);
        Ok(())
    }

    pub fn veto(&mut self, signer: usize, nonce: u64) -> Outcome<()> {
        let of_guardian = matches!(self.waiting(nonce)?.change, Change::Role { role: Role::Guardian, .. });
        let by_guardian = !of_guardian && self.holds(signer, &[Role::Guardian]);
        if !by_guardian && !self.holds(signer, &[Role::Governance]) {
            return refuse(KeelError::NotVetoer);
        }
        self.changes.remove(&nonce);
        Ok(())
    }

    pub fn close_expired(&mut self, nonce: u64) -> Outcome<()> {
        let [_, latest] = self.waiting(nonce)?.time;
        if self.now() <= latest {
            return refuse(KeelError::ChangeNotExpired);
        }
        self.changes.remove(&nonce);
        Ok(())
    }

    pub fn tighten(&mut self, signer: usize, target: Option<usize>, change: &Change) -> Outcome<()> {
        match change {
            Change::Market(params) => {
                if !self.holds(signer, &[Role::Governance, Role::Guardian]) {
                    return refuse(KeelError::NotTightener);
                }
                if target.is_some() {
                    return refuse(KeelError::WrongTarget);
                }
                if *params == self.params {
                    return refuse(KeelError::NothingChanges);
                }
                self.licensed(&MARKET, market_values(&self.params, params), &[], false)?;
                self.configure(params)
            }
            Change::Role { role: Role::RiskSteward, to } if *to == Pubkey::default() => {
                if !self.holds(signer, &[Role::Governance, Role::Guardian]) {
                    return refuse(KeelError::NotTightener);
                }
                self.offer_role(Role::RiskSteward, *to);
                Ok(())
            }
            Change::Reserve { .. } if !self.holds(signer, &[Role::Governance, Role::Guardian, Role::RiskSteward]) => {
                refuse(KeelError::NotTightener)
            }
            Change::Reserve { config, .. } => {
                self.change_at_once(target.ok_or(KeelError::MissingAccount)?, config, false)
            }
            _ => refuse(KeelError::NeedsNotice),
        }
    }

    pub fn step_parameters(&mut self, signer: usize, asset: usize, change: &Change) -> Outcome<()> {
        if !self.holds(signer, &[Role::RiskSteward]) {
            return refuse(KeelError::NotTightener);
        }
        match change {
            Change::Reserve { config, .. } => self.change_at_once(asset, config, true),
            _ => refuse(KeelError::NeedsNotice),
        }
    }

    fn change_at_once(&mut self, asset: usize, config: &ReserveConfig, both_ways: bool) -> Outcome<()> {
        let now = self.now();
        let state = &self.reserves[asset].state;
        if sections_between(&state.config, config) == 0 {
            return refuse(KeelError::NothingChanges);
        }
        let stepped = self.licensed(&RESERVE, values(&state.config, config), &state.stepped_at, both_ways)?;
        let reserve = &mut self.reserves[asset];
        reserve.reconfigure(config, 0, now)?;
        stepped.into_iter().for_each(|place| reserve.state.stepped_at[place] = now);
        Ok(())
    }

    /// Asks the risk crate of every parameter whether it may change without notice. Which of those that have steps step.
    fn licensed(
        &self,
        parameters: &[Parameter],
        [old, new]: [impl AsRef<[u64]>; 2],
        stepped_at: &[i64],
        both_ways: bool,
    ) -> Outcome<Vec<usize>> {
        let (bounds, mut place, mut stepped) = (terms::steps(&self.params), 0, vec![]);
        for (parameter, (old, new)) in parameters.iter().zip(old.as_ref().iter().zip(new.as_ref())) {
            let last = if parameter.step.is_some() { stepped_at[place] } else { 0 };
            if at_once(parameter, *old, *new, &bounds, both_ways, last, self.now())? == Some(AtOnce::Step) {
                stepped.push(place);
            }
            place += usize::from(parameter.step.is_some());
        }
        Ok(stepped)
    }

    fn configure(&mut self, params: &MarketParams) -> Outcome<()> {
        self.require_coherent(params)?;
        self.params = *params;
        self.revision += 1;
        Ok(())
    }

    /// A notice that is there stays one.
    fn require_coherent(&self, params: &MarketParams) -> Outcome<()> {
        terms::check_market(params)?;
        if self.params.delay > 0 && params.delay == 0 { refuse(KeelError::ConfigGovernance) } else { Ok(()) }
    }
}
