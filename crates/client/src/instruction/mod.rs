//! Builds every instruction of the program, with its remaining accounts in the right order.

mod governance;
mod keepers;
mod trades;
mod vaults;

pub use governance::*;
pub use keepers::*;
pub use trades::*;
pub use vaults::*;

use anchor_lang::prelude::Pubkey;
use anchor_lang::{InstructionData, ToAccountMetas};
use solana_instruction::{AccountMeta, Instruction};

fn build(accounts: impl ToAccountMetas, data: impl InstructionData, remaining: Vec<AccountMeta>) -> Instruction {
    let mut metas = accounts.to_account_metas(None);
    metas.extend(remaining);
    Instruction { program_id: keel::ID, accounts: metas, data: data.data() }
}

fn read_only(keys: &[Pubkey]) -> Vec<AccountMeta> {
    keys.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect()
}
