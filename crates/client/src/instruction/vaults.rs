//! What owners do, and what anyone does for a vault.

use super::build;
use crate::book::{Book, isolated_counter};
use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use anchor_lang::system_program;
use keel::AmountSpec;
use keel::state::{Side, Vault};
use solana_instruction::Instruction;

/// Opens vault `index` of `owner`. Signed by payer and owner.
pub fn open_vault(payer: Pubkey, owner: Pubkey, market: Pubkey, index: u16) -> Instruction {
    let accounts = keel::accounts::OpenVault {
        payer,
        owner,
        market,
        vault: address::vault(&market, &owner, index),
        system_program: system_program::ID,
        instructions: keel::introspection::ID,
    };
    build(accounts, keel::instruction::OpenVault { index }, Vec::new())
}

/// Closes an empty vault. Signed by the owner, who receives its rent.
pub fn close_vault(owner: Pubkey, vault: Pubkey) -> Instruction {
    let accounts = keel::accounts::CloseVault { owner, vault, instructions: keel::introspection::ID };
    build(accounts, keel::instruction::CloseVault {}, Vec::new())
}

fn vault_life(signer: Pubkey, vault: Pubkey) -> keel::accounts::VaultLife {
    keel::accounts::VaultLife { signer, vault, instructions: keel::introspection::ID }
}

/// Gives `delegate` [`keel::state::rights`] until a moment; zeros for none. Signed by the owner.
pub fn set_delegate(owner: Pubkey, vault: Pubkey, delegate: Pubkey, rights: u32, until: i64) -> Instruction {
    let data = keel::instruction::SetDelegate { delegate, rights, until };
    build(vault_life(owner, vault), data, Vec::new())
}

/// Offers a vault to another owner. Signed by the owner.
pub fn offer_vault(owner: Pubkey, vault: Pubkey, to: Pubkey) -> Instruction {
    build(vault_life(owner, vault), keel::instruction::OfferVault { to }, Vec::new())
}

/// Takes over an offered vault. Signed by whom it was offered to.
pub fn accept_vault(new_owner: Pubkey, vault: Pubkey) -> Instruction {
    build(vault_life(new_owner, vault), keel::instruction::AcceptVault {}, Vec::new())
}

/// Puts `vault`, which must be as on chain when the transaction runs, into an efficiency group, or out of any with 0.
/// Signed by owner or delegate.
pub fn set_efficiency_group(
    book: &Book,
    user: Pubkey,
    vault_key: Pubkey,
    vault: &Vault,
    group: u32,
) -> Result<Instruction, ClientError> {
    let accounts = keel::accounts::SetEfficiencyGroup { user, market: book.market, vault: vault_key };
    let remaining = if vault.has(Side::Debt) { book.remaining(vault, &[])? } else { Vec::new() };
    Ok(build(accounts, keel::instruction::SetEfficiencyGroup { group }, remaining))
}

/// Who acts on which vault and reserve, with which token account.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// Signs. The owner of the vault, or, for deposit and repay, anyone.
    pub user: Pubkey,
    /// The vault.
    pub vault: Pubkey,
    /// The reserve.
    pub reserve: Pubkey,
    /// Where tokens come from or go to.
    pub token_account: Pubkey,
}

impl Actor {
    /// `user` acting on a vault with the associated token account.
    pub fn new(book: &Book, user: Pubkey, vault: Pubkey, reserve: Pubkey) -> Result<Self, ClientError> {
        let state = &book.listing(&reserve)?.reserve;
        let token_account = token::associated_address(&user, &state.mint, &state.token_program);
        Ok(Self { user, vault, reserve, token_account })
    }

    fn accounts(&self, book: &Book) -> Result<keel::accounts::UserFlow, ClientError> {
        let state = &book.listing(&self.reserve)?.reserve;
        Ok(keel::accounts::UserFlow {
            user: self.user,
            market: book.market,
            vault: self.vault,
            reserve: self.reserve,
            liquidity: state.liquidity,
            token_account: self.token_account,
            mint: state.mint,
            token_program: state.token_program,
        })
    }
}

/// Deposits into a vault. Signed by `actor.user`.
pub fn deposit(book: &Book, actor: &Actor, amount: AmountSpec) -> Result<Instruction, ClientError> {
    Ok(build(actor.accounts(book)?, keel::instruction::Deposit { amount }, Vec::new()))
}

/// Withdraws from `vault`, which must be as on chain when the transaction runs. Signed by the owner.
pub fn withdraw(book: &Book, vault: &Vault, actor: &Actor, amount: AmountSpec) -> Result<Instruction, ClientError> {
    let remaining = if vault.has(Side::Debt) { book.remaining(vault, &[actor.reserve])? } else { Vec::new() };
    Ok(build(actor.accounts(book)?, keel::instruction::Withdraw { amount }, remaining))
}

/// Borrows `amount` native units for `vault`, which must be as on chain when the transaction runs. Signed by the owner.
pub fn borrow(book: &Book, vault: &Vault, actor: &Actor, amount: u64) -> Result<Instruction, ClientError> {
    let remaining = book.remaining(vault, &[actor.reserve])?;
    let data = keel::instruction::Borrow { amount: AmountSpec::Exact(amount) };
    Ok(build(actor.accounts(book)?, data, remaining))
}

/// Repays debt of `vault`, which must be as on chain when the transaction runs. Signed by `actor.user`.
pub fn repay(book: &Book, vault: &Vault, actor: &Actor, amount: AmountSpec) -> Result<Instruction, ClientError> {
    let remaining = isolated_counter(vault, &actor.reserve).into_iter().collect();
    Ok(build(actor.accounts(book)?, keel::instruction::Repay { amount }, remaining))
}
