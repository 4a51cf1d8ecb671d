//! Token accounts, and SOL as a token.

use anchor_lang::prelude::Pubkey;
use anchor_spl::associated_token::{get_associated_token_address_with_program_id, spl_associated_token_account};
use anchor_spl::token::spl_token;
use solana_instruction::Instruction;

/// SPL Token.
pub const TOKEN_PROGRAM: Pubkey = anchor_spl::token::ID;
/// Token-2022.
pub const TOKEN_2022_PROGRAM: Pubkey = anchor_spl::token_2022::ID;
/// Creates associated token accounts.
pub const ASSOCIATED_TOKEN_PROGRAM: Pubkey = anchor_spl::associated_token::ID;
/// The mint of wrapped SOL.
pub const WRAPPED_SOL: Pubkey = spl_token::native_mint::ID;

/// The associated token account of `owner`.
pub fn associated_address(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    get_associated_token_address_with_program_id(owner, mint, token_program)
}

/// Creates the associated token account of `owner` unless it exists.
pub fn create_associated(payer: &Pubkey, owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Instruction {
    spl_associated_token_account::instruction::create_associated_token_account_idempotent(
        payer,
        owner,
        mint,
        token_program,
    )
}

/// Turns `lamports` of `owner` into wrapped SOL: to put before a deposit or a repayment of SOL.
pub fn wrap_sol(owner: &Pubkey, lamports: u64) -> Vec<Instruction> {
    let account = associated_address(owner, &WRAPPED_SOL, &TOKEN_PROGRAM);
    vec![
        create_associated(owner, owner, &WRAPPED_SOL, &TOKEN_PROGRAM),
        solana_system_interface::instruction::transfer(owner, &account, lamports),
        sync_native(&account),
    ]
}

fn sync_native(account: &Pubkey) -> Instruction {
    // The builder fails only for a program that is not a token program.
    spl_token::instruction::sync_native(&TOKEN_PROGRAM, account).unwrap_or_else(|_| unreachable!("SPL Token"))
}

/// Turns all wrapped SOL of `owner` back into lamports: to put after a withdrawal or a loan of SOL.
pub fn unwrap_sol(owner: &Pubkey) -> Instruction {
    let account = associated_address(owner, &WRAPPED_SOL, &TOKEN_PROGRAM);
    spl_token::instruction::close_account(&TOKEN_PROGRAM, &account, owner, owner, &[])
        .unwrap_or_else(|_| unreachable!("SPL Token"))
}
