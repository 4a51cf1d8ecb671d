//! Builds every instruction of the program, with its remaining accounts in the right order.

use crate::book::Book;
use crate::error::ClientError;
use crate::{address, token};
use anchor_lang::prelude::Pubkey;
use anchor_lang::{InstructionData, ToAccountMetas, system_program};
use keel::state::{MarketParams, ReserveConfig, Side, Vault};
use keel::{AmountSpec, Receive};
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

/// Creates the token and the minted reserve of `market`, whose swap holds `swap_reserve`. Signed by payer and governance.
pub fn init_minted_reserve(
    payer: Pubkey,
    governance: Pubkey,
    market: Pubkey,
    swap_reserve: Pubkey,
    config: ReserveConfig,
) -> Instruction {
    let mint = address::minted_mint(&market);
    let accounts = keel::accounts::InitMintedReserve {
        payer,
        governance,
        market,
        mint,
        reserve: address::reserve(&market, &mint),
        swap_reserve,
        token_program: token::TOKEN_PROGRAM,
        system_program: system_program::ID,
    };
    build(accounts, keel::instruction::InitMintedReserve { config }, Vec::new())
}

/// Sets the parameters of a market. Signed by governance.
pub fn update_market(governance: Pubkey, market: Pubkey, params: MarketParams) -> Instruction {
    let accounts = keel::accounts::UpdateMarket { governance, market };
    build(accounts, keel::instruction::UpdateMarket { params }, Vec::new())
}

/// Sets the parameters of a reserve; a lower liquidation threshold ramps down over `ramp` seconds. `prices` holds a price
/// account per feed if the feeds are others than before. Signed by governance.
pub fn update_reserve(
    governance: Pubkey,
    market: Pubkey,
    reserve: Pubkey,
    config: ReserveConfig,
    ramp: u32,
    prices: &[Pubkey],
) -> Instruction {
    let accounts = keel::accounts::UpdateReserve { governance, market, reserve };
    let prices = prices.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect();
    build(accounts, keel::instruction::UpdateReserve { config, ramp }, prices)
}

/// Pauses what `bits` say for `seconds`. Signed by governance or guardian.
pub fn set_pause(signer: Pubkey, market: Pubkey, bits: u32, seconds: u32) -> Instruction {
    build(keel::accounts::SetPause { signer, market }, keel::instruction::SetPause { bits, seconds }, Vec::new())
}

/// Pays insurance of a reserve to a token account. Signed by governance.
pub fn withdraw_insurance(
    book: &Book,
    governance: Pubkey,
    reserve: Pubkey,
    token_account: Pubkey,
    amount: u64,
) -> Result<Instruction, ClientError> {
    let state = &book.listing(&reserve)?.reserve;
    let accounts = keel::accounts::WithdrawInsurance {
        governance,
        market: book.market,
        reserve,
        liquidity: state.liquidity,
        token_account,
        mint: state.mint,
        token_program: state.token_program,
    };
    Ok(build(accounts, keel::instruction::WithdrawInsurance { amount }, Vec::new()))
}

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
    let counts = vault.find(&actor.reserve).is_some_and(|position| position.isolated_debt > 0);
    let remaining = if counts { vec![AccountMeta::new(vault.isolated_reserve, false)] } else { Vec::new() };
    Ok(build(actor.accounts(book)?, keel::instruction::Repay { amount }, remaining))
}

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
    Ok((accounts, listing.prices.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect()))
}

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
    let remaining = book.remaining(vault, &[terms.debt_reserve, terms.collateral_reserve])?;
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
    let remaining = book.remaining(vault, &[terms.debt_reserve, terms.collateral_reserve])?;
    let accounts = keel::accounts::Liquidate { keeper_collateral_account: keeper_vault, ..terms.accounts(book)? };
    Ok(build(accounts, data, remaining))
}

/// Redeems minted tokens for collateral of `vault`, which must be as on chain when the transaction runs.
pub fn redeem(book: &Book, vault: &Vault, terms: &Liquidation) -> Result<Instruction, ClientError> {
    let Liquidation { max_repay, min_seize, .. } = *terms;
    let remaining = book.remaining(vault, &[terms.debt_reserve, terms.collateral_reserve])?;
    Ok(build(terms.accounts(book)?, keel::instruction::Redeem { max_repay, min_seize }, remaining))
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
