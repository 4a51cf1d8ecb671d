use crate::events::FeedChallenged;
use crate::state::Reserve;
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct ChallengeFeed<'info> {
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

impl ChallengeFeed<'_> {
    pub fn handler(ctx: Context<Self>, feed: u8) -> Result<()> {
        let mut reserve = ctx.accounts.reserve.load_mut()?;
        reserve.challenge(usize::from(feed), Clock::get()?.unix_timestamp)?;
        emit!(FeedChallenged { reserve: ctx.accounts.reserve.key(), feed });
        Ok(())
    }
}
