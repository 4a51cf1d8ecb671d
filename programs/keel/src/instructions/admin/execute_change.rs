use crate::errors::KeelError;
use crate::events::{ChangeExecuted, MarketConfigured, ReserveConfigured, RoleGiven, RoleOffered};
use crate::state::{Change, Market, Offer, PendingChange, Reserve, Role};
use crate::valuation::{self, Cursor};
use anchor_lang::prelude::*;
use keel_risk::price::Purpose;

/// The accounts of `execute_change`. Remaining accounts, if a reserve gets other feeds: a price account per feed.
#[derive(Accounts)]
pub struct ExecuteChange<'info> {
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    /// The target, if the change is about a reserve.
    #[account(mut)]
    pub reserve: Option<AccountLoader<'info, Reserve>>,
    #[account(mut, close = rent_payer)]
    pub pending: AccountLoader<'info, PendingChange>,
    /// CHECK: paid for the pending change, and gets it back.
    #[account(mut, address = pending.load()?.rent_payer)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl<'info> ExecuteChange<'info> {
    pub fn handler(ctx: Context<'info, Self>) -> Result<()> {
        let accounts = &*ctx.accounts;
        let moment = valuation::moment(&Clock::get()?)?;
        let mut market = accounts.market.load_mut()?;
        let pending = accounts.pending.load()?;
        let (market_key, target) = (accounts.market.key(), accounts.target());
        match pending.ready(&market_key, &target, moment.now)? {
            Change::Market(params) => {
                pending.require_current(&market.revisions())?;
                market.configure(&params)?;
                emit!(MarketConfigured { market: market_key });
            }
            Change::Role { role, to } => {
                pending.require_current(&market.revisions())?;
                hand_over(&mut market, market_key, role, to, moment.now);
            }
            Change::Reserve { config, ramp } => {
                let loader = accounts.reserve.as_ref().ok_or(KeelError::MissingAccount)?;
                let mut reserve = loader.load_mut()?;
                pending.require_current(&reserve.revisions)?;
                let config = reserve.config.with_sections(&config, pending.sections);
                let other_feeds = reserve.config.oracle.feeds != config.oracle.feeds;
                reserve.reconfigure(config, ramp, moment.now)?;
                if other_feeds {
                    // What the old feeds said last is no price of the new ones.
                    let readings = Cursor::new(ctx.remaining_accounts).readings(&reserve, &market.price_receiver)?;
                    reserve.require_prices(&readings, Purpose::NewRisk, &moment)?;
                }
                emit!(ReserveConfigured { reserve: target });
            }
            Change::List { .. } | Change::ListMinted { .. } | Change::WithdrawInsurance { .. } => {
                return Err(KeelError::WrongChange.into());
            }
        }
        emit!(ChangeExecuted { market: market_key, change: accounts.pending.key(), nonce: pending.nonce });
        Ok(())
    }

    /// What the accounts are about: the reserve, or else the market.
    fn target(&self) -> Pubkey {
        self.reserve.as_ref().map_or_else(|| self.market.key(), |reserve| reserve.key())
    }
}

/// Offers a role to somebody, who has the market's window to accept it. Nobody can only be the risk steward, and at once.
pub(super) fn hand_over(market: &mut Market, key: Pubkey, role: Role, to: Pubkey, now: i64) {
    if to == Pubkey::default() {
        market.give_role(role, to);
        emit!(RoleGiven { market: key, role, to });
        return;
    }
    let until = now.saturating_add(market.window.into());
    market.offer_role(role, Offer { to, until });
    emit!(RoleOffered { market: key, role, to, until });
}
