//! Calls of other programs: for what those allow at the top of a transaction only.

use crate::{accounts, instruction as data};
use anchor_lang::InstructionData;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::{AccountMeta, Instruction};
use anchor_lang::solana_program::program::invoke;

/// Remaining accounts: those of the instruction to call, as they are to be passed on.
#[derive(Accounts)]
pub struct Forward<'info> {
    /// CHECK: whatever is to be called.
    pub program: UncheckedAccount<'info>,
}

impl<'info> Forward<'info> {
    pub(crate) fn handler(ctx: Context<'info, Self>, data: Vec<u8>) -> Result<()> {
        let meta = |info: &AccountInfo| AccountMeta {
            pubkey: info.key(),
            is_signer: info.is_signer,
            is_writable: info.is_writable,
        };
        let accounts = ctx.remaining_accounts.iter().map(meta).collect();
        let called = Instruction { program_id: ctx.accounts.program.key(), accounts, data };
        Ok(invoke(&called, ctx.remaining_accounts)?)
    }
}

/// `called`, not by the transaction but by this program. Signed by whoever signs `called`.
pub fn forwarded(called: &Instruction) -> Instruction {
    let mut metas = accounts::Forward { program: called.program_id }.to_account_metas(None);
    metas.extend(called.accounts.iter().cloned());
    let data = data::Forward { data: called.data.clone() }.data();
    Instruction { program_id: crate::ID, accounts: metas, data }
}
