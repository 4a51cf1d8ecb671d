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
        let mut market = ctx.accounts.market.load_mut()?;
        pause::check(bits)?;
        let until = now.saturating_add(i64::from(seconds));
        if *ctx.accounts.signer.key == market.governance {
            require_gte!(pause::MAX_SECONDS, seconds, KeelError::NotPauser);
        } else {
            require_keys_eq!(*ctx.accounts.signer.key, market.guardian, KeelError::NotPauser);
            require_gte!(pause::MAX_GUARDIAN_SECONDS, seconds, KeelError::NotPauser);
            // One pause, and then as long without: else a guardian could hold the market for ever, three days at a time.
            require!(now >= market.guardian_pauses_from, KeelError::NotPauser);
            require!(bits != 0 && now >= market.paused_until, KeelError::NotPauser);
            market.guardian_pauses_from = until.saturating_add(i64::from(pause::MAX_GUARDIAN_SECONDS));
        }
        market.paused = bits;
        market.paused_until = until;
        emit!(PauseSet { market: ctx.accounts.market.key(), by: *ctx.accounts.signer.key, paused: bits, until });
        Ok(())
    }
}
