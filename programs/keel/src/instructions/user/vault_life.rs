use crate::errors::KeelError;
use crate::events::{DelegateSet, VaultTransferred};
use crate::introspection;
use crate::state::{Vault, rights};
use anchor_lang::prelude::*;

/// The accounts of `set_delegate` and of both steps of a transfer.
#[derive(Accounts)]
pub struct VaultLife<'info> {
    /// The owner, or whom the vault is offered to.
    pub signer: Signer<'info>,
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the instructions sysvar.
    #[account(address = introspection::ID)]
    pub instructions: UncheckedAccount<'info>,
}

impl VaultLife<'_> {
    fn require_owner(&self, vault: &Vault) -> Result<()> {
        introspection::require_no_flash_loan(&self.instructions)?;
        require_keys_eq!(vault.owner, *self.signer.key, KeelError::NotVaultOwner);
        Ok(())
    }
}

/// Gives `delegate` some rights until a moment. The address of zeros takes them away.
pub fn set_delegate(ctx: Context<VaultLife>, delegate: Pubkey, rights: u32, until: i64) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    ctx.accounts.require_owner(&vault)?;
    let removed = delegate == Pubkey::default();
    require!(rights & !rights::ALL == 0 && removed == (rights == 0), KeelError::UnknownRights);
    vault.delegate = delegate;
    vault.delegate_rights = rights;
    vault.delegate_until = until;
    emit!(DelegateSet { vault: ctx.accounts.vault.key(), delegate, rights, until });
    Ok(())
}

/// Offers the vault to another owner. The address of zeros takes the offer back.
pub fn offer_vault(ctx: Context<VaultLife>, to: Pubkey) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    ctx.accounts.require_owner(&vault)?;
    vault.offered_to = to;
    Ok(())
}

/// Makes the signer, whom the vault is offered to, its owner. The delegate goes with the old owner.
pub fn accept_vault(ctx: Context<VaultLife>) -> Result<()> {
    introspection::require_no_flash_loan(&ctx.accounts.instructions)?;
    let mut vault = ctx.accounts.vault.load_mut()?;
    let (from, to) = (vault.owner, *ctx.accounts.signer.key);
    require_keys_eq!(vault.offered_to, to, KeelError::VaultNotOffered);
    vault.owner = to;
    vault.offered_to = Pubkey::default();
    vault.delegate = Pubkey::default();
    vault.delegate_rights = 0;
    vault.delegate_until = 0;
    emit!(VaultTransferred { vault: ctx.accounts.vault.key(), from, to });
    Ok(())
}
