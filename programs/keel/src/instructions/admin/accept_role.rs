use crate::errors::KeelError;
use crate::events::RoleGiven;
use crate::state::{Market, Role};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct AcceptRole<'info> {
    /// Whom the role is offered to.
    pub signer: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
}

impl AcceptRole<'_> {
    pub fn handler(ctx: Context<Self>, role: Role) -> Result<()> {
        let mut market = ctx.accounts.market.load_mut()?;
        let to = *ctx.accounts.signer.key;
        let offer = market.offers.get(role.number()).copied().unwrap_or_default();
        require_keys_eq!(offer.to, to, KeelError::RoleNotOffered);
        require_gte!(offer.until, Clock::get()?.unix_timestamp, KeelError::RoleNotOffered);
        market.give_role(role, to);
        emit!(RoleGiven { market: ctx.accounts.market.key(), role, to });
        Ok(())
    }
}
