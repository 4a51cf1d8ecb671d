use crate::errors::KeelError;
use crate::events::LayoutUpgraded;
use crate::state::{self, Market, Reserve};
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct UpgradeLayout<'info> {
    /// CHECK: a market or a reserve, which its discriminator says.
    #[account(mut, owner = crate::ID)]
    pub account: UncheckedAccount<'info>,
}

impl UpgradeLayout<'_> {
    pub fn handler(ctx: Context<Self>) -> Result<()> {
        let account = &ctx.accounts.account;
        let mut data = account.try_borrow_mut_data()?;
        let upgraded = match state::view_mut::<Market>(&mut data) {
            Some(market) => market.upgrade(),
            None => state::view_mut::<Reserve>(&mut data).is_some_and(Reserve::upgrade),
        };
        require!(upgraded, KeelError::NothingToUpgrade);
        emit!(LayoutUpgraded { account: account.key() });
        Ok(())
    }
}
