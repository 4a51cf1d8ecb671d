use crate::errors::KeelError;
use crate::events::ChangeClosed;
use crate::state::{Change, Market, PendingChange, Role};
use anchor_lang::prelude::*;

/// The accounts of `veto_change` and `close_expired_change`.
#[derive(Accounts)]
pub struct CloseChange<'info> {
    /// Vetoes: governance or guardian. An expired change is anyone's to close.
    pub signer: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(mut, close = rent_payer)]
    pub pending: AccountLoader<'info, PendingChange>,
    /// CHECK: paid for the pending change, and gets it back.
    #[account(mut, address = pending.load()?.rent_payer)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseChange<'_> {
    /// Whether the signer may veto: a guardian whose key was stolen could otherwise never be replaced.
    fn require_vetoer(&self, pending: &PendingChange) -> Result<()> {
        let market = self.market.load()?;
        if *self.signer.key == market.governance {
            return Ok(());
        }
        require_keys_eq!(*self.signer.key, market.guardian, KeelError::NotVetoer);
        let own_role = matches!(pending.change()?, Change::Role { role: Role::Guardian, .. });
        require!(!own_role, KeelError::NotVetoer);
        Ok(())
    }

    fn close(&self, vetoed: bool) -> Result<()> {
        let pending = self.pending.load()?;
        require_keys_eq!(pending.market, self.market.key(), KeelError::WrongMarket);
        if vetoed {
            self.require_vetoer(&pending)?;
        } else {
            require_gt!(Clock::get()?.unix_timestamp, pending.latest, KeelError::ChangeNotExpired);
        }
        let (market, change) = (pending.market, self.pending.key());
        emit!(ChangeClosed { market, change, nonce: pending.nonce, by: *self.signer.key, vetoed });
        Ok(())
    }
}

/// Closes a change before it is executed.
pub fn veto_change(ctx: Context<CloseChange>) -> Result<()> {
    ctx.accounts.close(true)
}

/// Closes a change that can no longer be executed.
pub fn close_expired_change(ctx: Context<CloseChange>) -> Result<()> {
    ctx.accounts.close(false)
}
