use crate::errors::KeelError;
use crate::events::PauseSet;
use crate::state::{Market, pause};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct SetPause<'info> {
    /// Governance or guardian.
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

impl SetPause<'_> {
    pub fn handler(ctx: Context<Self>, bits: u32, seconds: u32) -> Result<()> {
        let now = Clock::get()?.unix_timestamp;
        let by = *ctx.accounts.signer.key;
        let mut market = ctx.accounts.market.load_mut()?;
        pause::check(bits)?;
        let before = market.paused_at(now);
        let until = now.saturating_add(i64::from(seconds));
        if by == market.governance {
            require_gte!(pause::MAX_SECONDS, seconds, KeelError::NotPauser);
            market.paused = bits;
            market.paused_until = until;
        } else {
            require_keys_eq!(by, market.guardian, KeelError::NotPauser);
            market.guardian_pause(bits, seconds, now)?;
        }
        market.give_owners_time(before, now);
        emit!(PauseSet { market: ctx.accounts.market.key(), by, paused: market.paused_at(now), until });
        Ok(())
    }
}
