//! Liquidations, redemptions, and what keeps a market up to date.

use super::{build, read_only};
use crate::book::{Book, Listing};
use crate::error::ClientError;
use crate::token;
use anchor_lang::prelude::Pubkey;
use keel::Receive;
use keel::state::Vault;
use solana_instruction::{AccountMeta, Instruction};

/// A liquidation or redemption to build.
#[derive(Clone, Copy, Debug)]
pub struct Liquidation {
    /// Signs and pays; receives the collateral.
    pub keeper: Pubkey,
    /// The vault.
    pub vault: Pubkey,
    /// The reserve whose debt is repaid.
    pub debt_reserve: Pubkey,
    /// The reserve whose collateral is seized.
    pub collateral_reserve: Pubkey,
    /// Most that is repaid, native units of the debt.
    pub max_repay: u64,
    /// Least that the keeper receives, native units of the collateral.
    pub min_seize: u64,
}

impl Liquidation {
    fn remaining(&self, book: &Book, vault: &Vault) -> Result<Vec<AccountMeta>, ClientError> {
        book.remaining_to_repay(vault, &[self.debt_reserve, self.collateral_reserve], &self.debt_reserve)
    }

    fn accounts(&self, book: &Book) -> Result<keel::accounts::Liquidate, ClientError> {
        let debt = &book.listing(&self.debt_reserve)?.reserve;
        let collateral = &book.listing(&self.collateral_reserve)?.reserve;
        let paid_to = token::associated_address(&self.keeper, &collateral.mint, &collateral.token_program);
        Ok(keel::accounts::Liquidate {
            keeper: self.keeper,
            market: book.market,
            vault: self.vault,
            debt_reserve: self.debt_reserve,
            collateral_reserve: self.collateral_reserve,
            debt_liquidity: debt.liquidity,
            collateral_liquidity: collateral.liquidity,
            keeper_debt_account: token::associated_address(&self.keeper, &debt.mint, &debt.token_program),
            keeper_collateral_account: paid_to,
            debt_mint: debt.mint,
            collateral_mint: collateral.mint,
            debt_token_program: debt.token_program,
            collateral_token_program: collateral.token_program,
        })
    }
}

/// Liquidates `vault`, which must be as on chain when the transaction runs, with the keeper's associated token accounts.
pub fn liquidate(book: &Book, vault: &Vault, terms: &Liquidation) -> Result<Instruction, ClientError> {
    let Liquidation { max_repay, min_seize, .. } = *terms;
    let data = keel::instruction::Liquidate { max_repay, min_seize, receive: Receive::Tokens };
    let remaining = terms.remaining(book, vault)?;
    Ok(build(terms.accounts(book)?, data, remaining))
}

/// [`liquidate`] with the collateral as supply shares in `keeper_vault`, a vault of the keeper's.
pub fn liquidate_for_shares(
    book: &Book,
    vault: &Vault,
    terms: &Liquidation,
    keeper_vault: Pubkey,
) -> Result<Instruction, ClientError> {
    let Liquidation { max_repay, min_seize, .. } = *terms;
    let data = keel::instruction::Liquidate { max_repay, min_seize, receive: Receive::Shares };
    let remaining = terms.remaining(book, vault)?;
    let accounts = keel::accounts::Liquidate { keeper_collateral_account: keeper_vault, ..terms.accounts(book)? };
    Ok(build(accounts, data, remaining))
}

/// Redeems minted tokens for collateral of `vault`, which must be as on chain when the transaction runs.
pub fn redeem(book: &Book, vault: &Vault, terms: &Liquidation) -> Result<Instruction, ClientError> {
    let Liquidation { max_repay, min_seize, .. } = *terms;
    let remaining = terms.remaining(book, vault)?;
    Ok(build(terms.accounts(book)?, keel::instruction::Redeem { max_repay, min_seize }, remaining))
}

/// Accrues a reserve and stores its prices, or, if it is minted, recognizes what its swap lost.
pub fn refresh_reserve(book: &Book, reserve: Pubkey) -> Result<Instruction, ClientError> {
    let Listing { reserve: state, prices } = book.listing(&reserve)?;
    let swapped = state.is_minted().then_some(state.minted.swap_reserve);
    let remaining = read_only(&[prices.as_slice(), swapped.as_slice()].concat());
    let accounts = keel::accounts::RefreshReserve { market: book.market, reserve };
    Ok(build(accounts, keel::instruction::RefreshReserve {}, remaining))
}

/// Accrues a reserve and nothing else.
pub fn accrue_reserve(book: &Book, reserve: Pubkey) -> Instruction {
    let accounts = keel::accounts::RefreshReserve { market: book.market, reserve };
    build(accounts, keel::instruction::RefreshReserve {}, Vec::new())
}

/// Asks for proof that a feed is alive.
pub fn challenge_feed(reserve: Pubkey, feed: u8) -> Instruction {
    build(keel::accounts::ChallengeFeed { reserve }, keel::instruction::ChallengeFeed { feed }, Vec::new())
}

/// Clears one position of an insolvent vault, which must be as on chain when the transaction runs.
pub fn resolve_bad_debt(
    book: &Book,
    vault_key: Pubkey,
    vault: &Vault,
    reserve: Pubkey,
) -> Result<Instruction, ClientError> {
    let accounts = keel::accounts::ResolveBadDebt { market: book.market, vault: vault_key, reserve };
    let remaining = if vault.is_insolvent() { Vec::new() } else { book.remaining(vault, &[reserve])? };
    Ok(build(accounts, keel::instruction::ResolveBadDebt {}, remaining))
}
