use crate::errors::KeelError;
use crate::events::ChangeQueued;
use crate::seeds;
use crate::state::{
    self, Change, Kind, MAX_SECTIONS, Market, PendingChange, Reserve, ReserveConfig, Role, section_bit,
};
use anchor_lang::prelude::*;
use keel_risk::change::Comparison;

#[derive(Accounts)]
#[instruction(nonce: u64)]
pub struct QueueChange<'info> {
    /// Pays for the pending change, and gets it back when that is closed.
    #[account(mut)]
    pub payer: Signer<'info>,
    pub governance: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: what the change is about; see [`Change`]. A reserve is checked to be one of the market.
    pub target: UncheckedAccount<'info>,
    #[account(
        init,
        payer = payer,
        space = PendingChange::SPACE,
        seeds = [seeds::CHANGE, market.key().as_ref(), &nonce.to_le_bytes()],
        bump
    )]
    pub pending: AccountLoader<'info, PendingChange>,
    pub system_program: Program<'info, System>,
}

/// What a change replaces, and what that means.
#[derive(Default)]
struct Reach {
    sections: u32,
    revisions: [u32; MAX_SECTIONS],
    comparison: Comparison,
}

impl<'info> QueueChange<'info> {
    /// Refuses what could never be executed, before anybody waits for it.
    fn reach(&self, market: &Market, change: &Change) -> Result<Reach> {
        let mut reach = Reach::default();
        match change {
            Change::Market(params) => {
                // On a copy, here and below: what cannot be done now is not worth waiting for.
                let mut trial = Box::new(*market);
                trial.configure(params)?;
                reach.comparison = market.params().compare(params);
                require!(!reach.comparison.changed().is_empty(), KeelError::NothingChanges);
                reach.sections = section_bit(0);
                self.note_market(&mut reach, market)?;
            }
            Change::Role { role, to } => {
                let may_be_nobody = *role == Role::RiskSteward;
                require!(may_be_nobody || *to != Pubkey::default(), KeelError::ZeroAddress);
                reach.sections = section_bit(role.number().saturating_add(1));
                self.note_market(&mut reach, market)?;
            }
            Change::List { config } => require_zero_caps(config, Kind::Pooled)?,
            Change::ListMinted { config } => {
                require_zero_caps(config, Kind::Minted)?;
                self.reserve()?;
            }
            Change::Reserve { config, ramp } => {
                let reserve = self.reserve()?;
                reserve.require_version()?;
                reach.comparison = reserve.config.compare(config);
                reach.sections = reserve.config.sections_to(config);
                require!(reach.sections != 0, KeelError::NothingChanges);
                reach.revisions = reserve.revisions;
                reserve.clone().reconfigure(*config, *ramp, Clock::get()?.unix_timestamp)?;
            }
            Change::WithdrawInsurance { amount, .. } => {
                require!(*amount != 0, KeelError::ZeroAmount);
                self.reserve()?;
            }
        }
        Ok(reach)
    }

    fn note_market(&self, reach: &mut Reach, market: &Market) -> Result<()> {
        require_keys_eq!(self.target.key(), self.market.key(), KeelError::WrongTarget);
        for (noted, revision) in reach.revisions.iter_mut().zip(market.revisions()) {
            *noted = revision;
        }
        Ok(())
    }

    /// The target, which must be a reserve of the market.
    fn reserve(&self) -> Result<Box<Reserve>> {
        // The market is borrowed already.
        require_keys_neq!(self.target.key(), self.market.key(), KeelError::WrongTarget);
        let data = self.target.try_borrow_data()?;
        let reserve: Option<&Reserve> = state::view(&data).filter(|_| *self.target.owner == crate::ID);
        let reserve = reserve.ok_or(KeelError::WrongTarget)?;
        require_keys_eq!(reserve.market, self.market.key(), KeelError::WrongMarket);
        Ok(Box::new(*reserve))
    }

    pub fn handler(ctx: Context<'info, Self>, nonce: u64, change: Change) -> Result<()> {
        let accounts = &*ctx.accounts;
        let now = Clock::get()?.unix_timestamp;
        let mut market = accounts.market.load_mut()?;
        require_keys_eq!(*accounts.governance.key, market.governance, KeelError::NotGovernance);
        market.require_version()?;
        let reach = accounts.reach(&market, &change)?;
        let earliest = now.saturating_add(market.delay.into());
        let latest = earliest.saturating_add(market.window.into());
        require_eq!(nonce, market.next_change, KeelError::WrongNonce);
        market.next_change = nonce.checked_add(1).ok_or(KeelError::Overflow)?;
        {
            let mut pending = accounts.pending.load_init()?;
            pending.version = PendingChange::VERSION;
            pending.bump = ctx.bumps.pending;
            pending.nonce = nonce;
            pending.market = accounts.market.key();
            pending.target = accounts.target.key();
            pending.rent_payer = accounts.payer.key();
            pending.queued_at = now;
            pending.earliest = earliest;
            pending.latest = latest;
            pending.sections = reach.sections;
            pending.revisions = reach.revisions;
            pending.set_change(&change)?;
        }
        let Comparison { tighter, looser, sideways, .. } = reach.comparison;
        emit!(ChangeQueued {
            market: accounts.market.key(),
            change: accounts.pending.key(),
            target: accounts.target.key(),
            nonce,
            earliest,
            latest,
            tighter: tighter.0,
            looser: looser.0,
            sideways: sideways.0,
        });
        Ok(())
    }
}

/// A listed asset can neither be deposited nor borrowed before another change has raised its caps, with a notice of its own.
fn require_zero_caps(config: &ReserveConfig, kind: Kind) -> Result<()> {
    config.validate(kind)?;
    require!(*config == config.without_caps(), KeelError::ListingWithCaps);
    Ok(())
}
