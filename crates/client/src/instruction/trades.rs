//! Flash loans, and the swap of the minted token.

use super::{build, read_only};
use crate::book::Book;
use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use solana_instruction::{AccountMeta, Instruction};

/// Borrows `amount` of `reserve` until the end of the transaction, in which [`flash_repay`] must follow. Signed by `user`.
pub fn flash_borrow(
    book: &Book,
    user: Pubkey,
    reserve: Pubkey,
    token_account: Pubkey,
    amount: u64,
) -> Result<Instruction, ClientError> {
    let data = keel::instruction::FlashBorrow { amount };
    Ok(build(flash_flow(book, user, reserve, token_account)?, data, Vec::new()))
}

/// Repays a flash loan of `amount` with its fee. Signed by `user`.
pub fn flash_repay(
    book: &Book,
    user: Pubkey,
    reserve: Pubkey,
    token_account: Pubkey,
    amount: u64,
) -> Result<Instruction, ClientError> {
    let data = keel::instruction::FlashRepay { amount };
    Ok(build(flash_flow(book, user, reserve, token_account)?, data, Vec::new()))
}

fn flash_flow(
    book: &Book,
    user: Pubkey,
    reserve: Pubkey,
    token_account: Pubkey,
) -> Result<keel::accounts::FlashFlow, ClientError> {
    let state = &book.listing(&reserve)?.reserve;
    Ok(keel::accounts::FlashFlow {
        user,
        market: book.market,
        reserve,
        liquidity: state.liquidity,
        token_account,
        mint: state.mint,
        token_program: state.token_program,
        instructions: keel::introspection::ID,
    })
}

/// Mints the market's token for `assets` of the swap's reserve, with the user's associated token accounts.
pub fn swap_in(book: &Book, user: Pubkey, assets: u64, min_tokens: u64) -> Result<Instruction, ClientError> {
    let (accounts, prices) = swap(book, user)?;
    Ok(build(accounts, keel::instruction::SwapIn { assets, min_tokens }, prices))
}

/// Burns `tokens` of the market's token for assets of the swap's reserve, with the user's associated token accounts.
pub fn swap_out(book: &Book, user: Pubkey, tokens: u64, min_assets: u64) -> Result<Instruction, ClientError> {
    let (accounts, prices) = swap(book, user)?;
    Ok(build(accounts, keel::instruction::SwapOut { tokens, min_assets }, prices))
}

fn swap(book: &Book, user: Pubkey) -> Result<(keel::accounts::Swap, Vec<AccountMeta>), ClientError> {
    let minted_mint = address::minted_mint(&book.market);
    let minted_reserve = address::reserve(&book.market, &minted_mint);
    let minted = &book.listing(&minted_reserve)?.reserve;
    let pooled_reserve = minted.minted.swap_reserve;
    let listing = book.listing(&pooled_reserve)?;
    let pooled = &listing.reserve;
    let accounts = keel::accounts::Swap {
        user,
        market: book.market,
        minted_reserve,
        pooled_reserve,
        minted_mint,
        pooled_liquidity: pooled.liquidity,
        user_minted_account: token::associated_address(&user, &minted.mint, &minted.token_program),
        user_pooled_account: token::associated_address(&user, &pooled.mint, &pooled.token_program),
        pooled_mint: pooled.mint,
        minted_token_program: minted.token_program,
        pooled_token_program: pooled.token_program,
    };
    Ok((accounts, read_only(&listing.prices)))
}
