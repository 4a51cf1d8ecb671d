//! Keel: an over-collateralized lending and CDP program.
//!
//! A **vault** holds collateral and debt in many assets, each asset a **reserve** of one **market**. Prices come from
//! Pyth, are discounted by haircuts, and a vault whose health factor falls under 1 is liquidated by anyone, for a bounty.
//!
//! | where | what |
//! |---|---|
//! | [`instructions`] | one file per instruction |
//! | [`state`] | account layouts, their conversion to the risk crate's structs |
//! | [`valuation`] | a vault's sums from the accounts of an instruction |
//! | [`oracle`] | price accounts |
//! | [`token`] | transfers, accepted mints |
//! | [`errors`], [`events`], [`seeds`] | codes, what happened, addresses |
//!
//! All arithmetic of money is in [`keel_risk`].
#![deny(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod errors;
pub mod events;
pub mod instructions;
pub mod oracle;
pub mod seeds;
pub mod state;
pub mod token;
pub mod valuation;

use anchor_lang::prelude::*;
pub use errors::KeelError;
pub use instructions::AmountSpec;
use instructions::admin::*;
use instructions::liquidation::*;
use instructions::user::{self, *};
use state::{MarketParams, ReserveConfig};

declare_id!("KeeLLendingVauLtProtocoLVxcwrWVZweDCtZXhgsC");

#[cfg(not(feature = "no-entrypoint"))]
solana_security_txt::security_txt! {
    name: "Keel",
    project_url: "https://github.com/keel-protocol/keel",
    contacts: "link:https://github.com/keel-protocol/keel/security/advisories/new",
    policy: "https://github.com/keel-protocol/keel/blob/main/SECURITY.md",
    source_code: "https://github.com/keel-protocol/keel"
}

#[program]
pub mod keel {
    use super::*;

    /// Creates market `id` with `governance` as its authority.
    ///
    /// - Anyone may create a market and pays for it; `governance` signs, so that nobody is made responsible unasked.
    /// - Refuses a target health factor outside of [1, 1.5] (`ConfigTargetHealth`), a minimum position of zero or above
    ///   1,000 dollars (`ConfigMinPosition`) and a price receiver of zeros (`ZeroAddress`).
    pub fn init_market(ctx: Context<InitMarket>, id: u16, params: MarketParams) -> Result<()> {
        InitMarket::handler(ctx, id, params)
    }

    /// Lists an asset: creates its reserve and liquidity account, empty, with both indices at 1.
    ///
    /// - Only governance (`NotGovernance`).
    /// - Remaining accounts: a price account per feed, each acceptable for new risk (`Price...`): from the start there is
    ///   a last accepted price.
    /// - Refuses mints with extensions beyond metadata and groups (`Extension...`; one that this build does not know
    ///   already fails with `InvalidAccountData` when the liquidity account is sized), more than 18 decimals
    ///   (`ConfigDecimals`), and incoherent parameters (`Config...`).
    pub fn init_reserve<'info>(ctx: Context<'info, InitReserve<'info>>, config: ReserveConfig) -> Result<()> {
        InitReserve::handler(ctx, config)
    }

    /// Opens vault `index` of `owner`, who signs. An owner may have many.
    pub fn open_vault(ctx: Context<OpenVault>, index: u16) -> Result<()> {
        OpenVault::handler(ctx, index)
    }

    /// Closes a vault and returns its rent to the owner.
    ///
    /// - Only the owner (`NotVaultOwner`), only without positions (`VaultNotEmpty`).
    pub fn close_vault(ctx: Context<CloseVault>) -> Result<()> {
        CloseVault::handler(ctx)
    }

    /// Takes tokens from the user and adds supply shares, rounded down, to a vault: collateral that earns interest.
    ///
    /// - Anyone may deposit to what a vault already holds, only the owner a new asset (`OnlyOwnerOpensPositions`): a
    ///   stranger's dust could otherwise fill its slots. Never needs a price. ALL is the balance of the token account.
    /// - Refuses zero (`ZeroAmount`), more than the cap (`DepositCapExceeded`), an asset that the vault owes
    ///   (`ReserveHeldAsDebt`), a seventeenth position (`NoFreeSlot`), and a vault whose bad debt is being resolved
    ///   (`VaultInsolvent`).
    pub fn deposit(ctx: Context<UserFlow>, amount: AmountSpec) -> Result<()> {
        user::deposit(ctx, amount)
    }

    /// Burns supply shares of a vault, rounded up, and pays tokens out.
    ///
    /// - Only the owner (`NotVaultOwner`). Without debt no price is needed; with debt, initial health must be at least 1
    ///   after (`Unhealthy`, or why a collateral's price was unusable), and the remaining accounts are as in
    ///   [`valuation`].
    /// - Refuses zero, more than the vault holds (`InsufficientCollateral`, `NoSuchCollateral`) or the reserve can pay
    ///   (`InsufficientLiquidity`).
    pub fn withdraw<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
        user::withdraw(ctx, amount)
    }

    /// Mints debt shares to a vault, rounded up, and pays tokens out.
    ///
    /// - Only the owner (`NotVaultOwner`). Takes an exact amount (`BorrowNeedsAmount`). Remaining accounts as in
    ///   [`valuation`].
    /// - Initial health must be at least 1 after (`Unhealthy`), and the debt worth at least the minimum position
    ///   (`PositionTooSmall`). Every debt needs an acceptable price (`Price...`); collateral without one counts as zero.
    /// - Refuses zero, more than the cap (`BorrowCapExceeded`) or than is liquid (`InsufficientLiquidity`), an asset that
    ///   the vault holds (`ReserveHeldAsCollateral`), a seventeenth position (`NoFreeSlot`).
    pub fn borrow<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
        user::borrow(ctx, amount)
    }

    /// Takes tokens from the user and burns debt shares of a vault, rounded down; ALL clears the debt.
    ///
    /// - Anyone may repay for anyone. Never needs a price.
    /// - Refuses zero, more than is owed (`RepaymentExceedsDebt`), and a debt that the vault does not have
    ///   (`NoSuchDebt`).
    pub fn repay(ctx: Context<UserFlow>, amount: AmountSpec) -> Result<()> {
        user::repay(ctx, amount)
    }

    /// Repays debt of an unhealthy vault and seizes collateral worth that and a bonus; formulas in
    /// [`keel_risk::liquidation`]. The bonus less the protocol's share is the keeper's bounty.
    ///
    /// - Anyone, when the health factor at maintenance is under 1 (`Healthy`). Repays at most `max_repay`; refuses when
    ///   the keeper would receive less than `min_seize` (`SlippageExceeded`).
    /// - Debt and collateral need a live price (`Price...`); a feed of another position counts at its last accepted price
    ///   if it is dead, that is if a challenge to it went unanswered.
    /// - Health strictly rises, or a position is closed, or the vault was in the close-out zone (`HealthNotRaised`).
    /// - Debt that is left without collateral worth seizing is written off at once.
    /// - Waits after a cluster restart (`RestartGracePeriod`). Remaining accounts as in [`valuation`].
    pub fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, max_repay: u64, min_seize: u64) -> Result<()> {
        Liquidate::handler(ctx, max_repay, min_seize)
    }

    /// Accrues interest and, if price accounts are passed, stores their prices as the last accepted ones.
    ///
    /// - Anyone. Nothing requires it. Remaining accounts: none, or a price account per feed, each acceptable
    ///   (`Price...`). An accepted price answers an open challenge.
    pub fn refresh_reserve<'info>(ctx: Context<'info, RefreshReserve<'info>>) -> Result<()> {
        RefreshReserve::handler(ctx)
    }

    /// Asks for proof that feed number `feed` of a reserve is alive. Unless a price of it is accepted within
    /// `dead_after` seconds, the feed counts as dead in liquidations of vaults that hold the asset besides others.
    ///
    /// - Anyone (`NoSuchFeed` for a feed that the reserve does not have). An open challenge is not restarted.
    pub fn challenge_feed(ctx: Context<ChallengeFeed>, feed: u8) -> Result<()> {
        ChallengeFeed::handler(ctx, feed)
    }

    /// Clears one position of a vault that owes more than its collateral is worth, when that is too little to seize:
    /// a debt is paid by the reserve's insurance and, beyond it, by all its suppliers; collateral becomes insurance.
    ///
    /// - Anyone (`NoBadDebt`, `NoSuchDebt`). The first call needs prices, remaining accounts as in [`valuation`]; it marks
    ///   the vault insolvent, and the following need none.
    pub fn resolve_bad_debt<'info>(ctx: Context<'info, ResolveBadDebt<'info>>) -> Result<()> {
        ResolveBadDebt::handler(ctx)
    }
}
