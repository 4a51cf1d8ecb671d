//! What else the running transaction does, from the instructions sysvar.

use crate::errors::KeelError;
use crate::instruction;
use anchor_lang::Discriminator;
pub use anchor_lang::compat::solana_instructions_sysvar::ID;
use anchor_lang::compat::solana_instructions_sysvar::{load_current_index_checked, load_instruction_at_checked};
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::{Instruction, TRANSACTION_LEVEL_STACK_HEIGHT, get_stack_height};

/// Where the reserve stands among the accounts of `flash_borrow` and `flash_repay`.
const FLASH_RESERVE: usize = 2;

/// The instruction at `index` of the transaction, if there is one.
fn at(sysvar: &AccountInfo, index: usize) -> Option<Instruction> {
    load_instruction_at_checked(index, sysvar).ok()
}

fn is(instruction: &Instruction, discriminator: &[u8]) -> bool {
    instruction.program_id == crate::ID && instruction.data.starts_with(discriminator)
}

/// A flash loan is a top-level instruction, and one further on repays exactly it.
///
/// Only a top-level repayment counts: what another program will do cannot be read in advance.
///
/// # Errors
/// `FlashLoanNested`, `FlashLoanNotRepaid`.
pub fn require_flash_repayment(sysvar: &AccountInfo, reserve: &Pubkey, amount: u64) -> Result<()> {
    require!(get_stack_height() == TRANSACTION_LEVEL_STACK_HEIGHT, KeelError::FlashLoanNested);
    let expected = anchor_lang::InstructionData::data(&instruction::FlashRepay { amount });
    let mut index = usize::from(load_current_index_checked(sysvar)?);
    loop {
        index = index.saturating_add(1);
        let Some(candidate) = at(sysvar, index) else {
            return Err(KeelError::FlashLoanNotRepaid.into());
        };
        let same_reserve = candidate.accounts.get(FLASH_RESERVE).is_some_and(|meta| meta.pubkey == *reserve);
        if candidate.program_id == crate::ID && candidate.data == expected && same_reserve {
            return Ok(());
        }
    }
}

/// Refuses what changes hands or ends while a flash loan is open: between a top-level `flash_borrow` and its repayment.
///
/// # Errors
/// `InFlashLoan`.
pub fn require_no_flash_loan(sysvar: &AccountInfo) -> Result<()> {
    let current = usize::from(load_current_index_checked(sysvar)?);
    let mut open = 0u32;
    for index in 0..current {
        let Some(earlier) = at(sysvar, index) else { break };
        if is(&earlier, instruction::FlashBorrow::DISCRIMINATOR) {
            open = open.saturating_add(1);
        } else if is(&earlier, instruction::FlashRepay::DISCRIMINATOR) {
            open = open.saturating_sub(1);
        }
    }
    require!(open == 0, KeelError::InFlashLoan);
    Ok(())
}
