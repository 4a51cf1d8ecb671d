//! Addresses and instructions.

use crate::{POOL, Price, accounts, instruction};
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::{InstructionData, system_program};
use anchor_spl::associated_token::get_associated_token_address_with_program_id;

/// A mint and the program that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub mint: Pubkey,
    /// SPL Token or Token-2022.
    pub program: Pubkey,
}

impl Token {
    /// The associated token account of `owner`.
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        get_associated_token_address_with_program_id(owner, &self.mint, &self.program)
    }
}

/// Which token a swap takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    BaseToQuote,
    QuoteToBase,
}

/// Two tokens, which have one pool in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub base: Token,
    pub quote: Token,
}

impl Pair {
    /// The pool's address. It owns the token accounts that the pool pays from.
    pub fn address(&self) -> Pubkey {
        let seeds = [POOL, self.base.mint.as_ref(), self.quote.mint.as_ref()];
        Pubkey::find_program_address(&seeds, &crate::ID).0
    }

    /// Creates the pool. Signed by `authority`, who pays.
    pub fn initialize(&self, authority: Pubkey, price: Price) -> Instruction {
        let accounts = accounts::Initialize {
            authority,
            base_mint: self.base.mint,
            quote_mint: self.quote.mint,
            pool: self.address(),
            system_program: system_program::ID,
        };
        build(accounts, instruction::Initialize { price })
    }

    /// Changes the price. Signed by `authority`.
    pub fn set_price(&self, authority: Pubkey, price: Price) -> Instruction {
        build(accounts::SetPrice { authority, pool: self.address() }, instruction::SetPrice { price })
    }

    /// Swaps between the associated token accounts of `user`, who signs; both must exist.
    pub fn swap(&self, user: Pubkey, direction: Direction, amount_in: u64, min_out: u64) -> Instruction {
        let (token_in, token_out) = match direction {
            Direction::BaseToQuote => (self.base, self.quote),
            Direction::QuoteToBase => (self.quote, self.base),
        };
        let pool = self.address();
        let accounts = accounts::Swap {
            user,
            pool,
            mint_in: token_in.mint,
            mint_out: token_out.mint,
            source: token_in.account_of(&user),
            vault_in: token_in.account_of(&pool),
            vault_out: token_out.account_of(&pool),
            destination: token_out.account_of(&user),
            token_program_in: token_in.program,
            token_program_out: token_out.program,
        };
        build(accounts, instruction::Swap { amount_in, min_out })
    }
}

fn build(accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction { program_id: crate::ID, accounts: accounts.to_account_metas(None), data: data.data() }
}
