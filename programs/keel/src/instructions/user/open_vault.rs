use crate::events::VaultOpened;
use crate::state::{MAX_POSITIONS, Market, Position, Vault};
use crate::{introspection, seeds};
use anchor_lang::prelude::*;

#[derive(Accounts)]
#[instruction(index: u16)]
pub struct OpenVault<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub owner: Signer<'info>,
    pub market: AccountLoader<'info, Market>,
    #[account(
        init,
        payer = payer,
        space = Vault::SPACE,
        seeds = [seeds::VAULT, market.key().as_ref(), owner.key().as_ref(), &index.to_le_bytes()],
        bump
    )]
    pub vault: AccountLoader<'info, Vault>,
    pub system_program: Program<'info, System>,
    /// CHECK: the instructions sysvar.
    #[account(address = introspection::ID)]
    pub instructions: UncheckedAccount<'info>,
}

impl OpenVault<'_> {
    pub fn handler(ctx: Context<Self>, index: u16) -> Result<()> {
        introspection::require_no_flash_loan(&ctx.accounts.instructions)?;
        let (market, owner) = (ctx.accounts.market.key(), ctx.accounts.owner.key());
        *ctx.accounts.vault.load_init()? = Vault {
            version: Vault::VERSION,
            bump: ctx.bumps.vault,
            index,
            flags: 0,
            market,
            owner,
            delegate: Pubkey::default(),
            offered_to: Pubkey::default(),
            isolated_reserve: Pubkey::default(),
            delegate_until: 0,
            delegate_rights: 0,
            group: 0,
            positions: [Position::default(); MAX_POSITIONS],
            reserved: [0; 128],
        };
        emit!(VaultOpened { market, vault: ctx.accounts.vault.key(), owner, index });
        Ok(())
    }
}
