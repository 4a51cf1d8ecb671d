use crate::errors::KeelError;
use crate::events::VaultClosed;
use crate::introspection;
use crate::state::Vault;
use anchor_lang::prelude::*;

#[derive(Accounts)]
pub struct CloseVault<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut, close = owner)]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the instructions sysvar.
    #[account(address = introspection::ID)]
    pub instructions: UncheckedAccount<'info>,
}

impl CloseVault<'_> {
    fn validate(&self) -> Result<()> {
        introspection::require_no_flash_loan(&self.instructions)?;
        let vault = self.vault.load()?;
        require_keys_eq!(vault.owner, self.owner.key(), KeelError::NotVaultOwner);
        require!(vault.is_empty(), KeelError::VaultNotEmpty);
        Ok(())
    }

    pub fn handler(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let market = ctx.accounts.vault.load()?.market;
        emit!(VaultClosed { market, vault: ctx.accounts.vault.key(), owner: ctx.accounts.owner.key() });
        Ok(())
    }
}
