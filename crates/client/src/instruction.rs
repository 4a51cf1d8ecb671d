//! Builds every instruction of the program, with its remaining accounts in the right order.

use crate::book::Book;
use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use anchor_lang::{InstructionData, ToAccountMetas, system_program};
use keel::AmountSpec;
use keel::state::{MarketParams, ReserveConfig, Side, Vault};
use solana_instruction::{AccountMeta, Instruction};

fn build(accounts: impl ToAccountMetas, data: impl InstructionData, remaining: Vec<AccountMeta>) -> Instruction {
    let mut metas = accounts.to_account_metas(None);
    metas.extend(remaining);
    Instruction { program_id: keel::ID, accounts: metas, data: data.data() }
}

/// Creates market `id`. Signed by payer and governance.
pub fn init_market(payer: Pubkey, governance: Pubkey, id: u16, params: MarketParams) -> Instruction {
    let accounts = keel::accounts::InitMarket {
        payer,
        governance,
        market: address::market(id),
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::InitMarket { id, params }, Vec::new())
}

/// Lists `mint` in `market`. `prices` holds a price account per feed. Signed by payer and governance.
pub fn init_reserve(
    payer: Pubkey,
    governance: Pubkey,
    market: Pubkey,
    mint: Pubkey,
    token_program: Pubkey,
    config: ReserveConfig,
    prices: &[Pubkey],
) -> Instruction {
    let reserve = address::reserve(&market, &mint);
    let accounts = keel::accounts::InitReserve {
        payer,
        governance,
        market,
        mint,
        reserve,
        liquidity: address::liquidity(&reserve),
        token_program,
        system_program: system_program::ID,
    };
    let prices = prices.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect();
    build(accounts, keel::instruction::InitReserve { config }, prices)
}

/// Opens vault `index` of `owner`. Signed by payer and owner.
pub fn open_vault(payer: Pubkey, owner: Pubkey, market: Pubkey, index: u16) -> Instruction {
    let accounts = keel::accounts::OpenVault {
        payer,
        owner,
        market,
        vault: address::vault(&market, &owner, index),
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::OpenVault { index }, Vec::new())
}

/// Closes an empty vault. Signed by the owner, who receives its rent.
pub fn close_vault(owner: Pubkey, vault: Pubkey) -> Instruction {
    build(keel::accounts::CloseVault { owner, vault }, keel::instruction::CloseVault {}, Vec::new())
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

/// Repays debt of a vault. Signed by `actor.user`.
pub fn repay(book: &Book, actor: &Actor, amount: AmountSpec) -> Result<Instruction, ClientError> {
    Ok(build(actor.accounts(book)?, keel::instruction::Repay { amount }, Vec::new()))
}

/// A liquidation to build.
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

/// Liquidates `vault`, which must be as on chain when the transaction runs, with the keeper's associated token accounts.
pub fn liquidate(book: &Book, vault: &Vault, terms: &Liquidation) -> Result<Instruction, ClientError> {
    let debt = &book.listing(&terms.debt_reserve)?.reserve;
    let collateral = &book.listing(&terms.collateral_reserve)?.reserve;
    let accounts = keel::accounts::Liquidate {
        keeper: terms.keeper,
        market: book.market,
        vault: terms.vault,
        debt_reserve: terms.debt_reserve,
        collateral_reserve: terms.collateral_reserve,
        debt_liquidity: debt.liquidity,
        collateral_liquidity: collateral.liquidity,
        keeper_debt_account: token::associated_address(&terms.keeper, &debt.mint, &debt.token_program),
        keeper_collateral_account: token::associated_address(
            &terms.keeper,
            &collateral.mint,
            &collateral.token_program,
        ),
        debt_mint: debt.mint,
        collateral_mint: collateral.mint,
        debt_token_program: debt.token_program,
        collateral_token_program: collateral.token_program,
    };
    let data = keel::instruction::Liquidate { max_repay: terms.max_repay, min_seize: terms.min_seize };
    let remaining = book.remaining(vault, &[terms.debt_reserve, terms.collateral_reserve])?;
    Ok(build(accounts, data, remaining))
}

/// Accrues a reserve and stores its prices.
pub fn refresh_reserve(book: &Book, reserve: Pubkey) -> Result<Instruction, ClientError> {
    let prices = book.listing(&reserve)?.prices.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect();
    let accounts = keel::accounts::RefreshReserve { market: book.market, reserve };
    Ok(build(accounts, keel::instruction::RefreshReserve {}, prices))
}

/// Accrues a reserve without touching its prices.
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
