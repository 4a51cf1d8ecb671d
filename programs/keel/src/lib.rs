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
//! | [`token`] | transfers, minting, accepted mints |
//! | [`introspection`] | what else the transaction does: flash loans |
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
pub mod introspection;
pub mod oracle;
pub mod seeds;
pub mod state;
pub mod token;
pub mod valuation;

use anchor_lang::prelude::*;
pub use errors::KeelError;
pub use instructions::AmountSpec;
use instructions::admin::*;
pub use instructions::liquidation::Receive;
use instructions::liquidation::{self, *};
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
    ///   1,000 dollars (`ConfigMinPosition`), a flat bounty above 100 dollars (`ConfigMinBounty`) and a price receiver of
    ///   zeros (`ZeroAddress`).
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

    /// Creates the market's own token and the reserve that mints it to borrowers, at par with the dollar.
    ///
    /// - Only governance (`NotGovernance`), once per market (`MintedReserveExists`).
    /// - `swap_reserve` is the pooled reserve whose asset the swap takes and gives (`WrongReserveKind`).
    /// - Refuses an oracle, terms of collateral, or slopes of the stability fee (`ConfigMinted`).
    pub fn init_minted_reserve(ctx: Context<InitMintedReserve>, config: ReserveConfig) -> Result<()> {
        InitMintedReserve::handler(ctx, config)
    }

    /// Sets the parameters of a market.
    ///
    /// - Only governance (`NotGovernance`). Refuses what `init_market` refuses.
    pub fn update_market(ctx: Context<UpdateMarket>, params: MarketParams) -> Result<()> {
        UpdateMarket::handler(ctx, params)
    }

    /// Sets the parameters of a reserve.
    ///
    /// - Only governance (`NotGovernance`). Refuses what `init_reserve` refuses.
    /// - A liquidation threshold falls along a line over `ramp` seconds, a day at least (`ConfigRamp`); a haircut moves
    ///   no faster than it always does; a `max_ltv` holds at once. A running ramp starts again from where it is.
    /// - An asset does not leave its efficiency group or give its weights there up (`ConfigGroup`).
    /// - Remaining accounts, if the feeds are others: a price account per feed, each acceptable for new risk.
    pub fn update_reserve<'info>(
        ctx: Context<'info, UpdateReserve<'info>>,
        config: ReserveConfig,
        ramp: u32,
    ) -> Result<()> {
        UpdateReserve::handler(ctx, config, ramp)
    }

    /// Pauses what `bits` say for `seconds`, in place of any running pause; see [`state::pause`].
    ///
    /// - Governance, for 30 days at most, or the guardian, for 3 days at most, not while a pause runs and not within 3
    ///   days after its last one (`NotPauser`).
    /// - Repayments, liquidations and deposits to vaults in debt are paused only with everything else (`PauseOrder`).
    pub fn set_pause(ctx: Context<SetPause>, bits: u32, seconds: u32) -> Result<()> {
        SetPause::handler(ctx, bits, seconds)
    }

    /// Pays `amount` of a reserve's insurance out, or mints that much of a minted reserve's surplus.
    ///
    /// - Only governance (`NotGovernance`), and only what leaves the configured part of what is owed insured
    ///   (`InsuranceFloor`).
    pub fn withdraw_insurance(ctx: Context<WithdrawInsurance>, amount: u64) -> Result<()> {
        WithdrawInsurance::handler(ctx, amount)
    }

    /// Opens vault `index` of `owner`, who signs. An owner may have many. Not while a flash loan is open (`InFlashLoan`).
    pub fn open_vault(ctx: Context<OpenVault>, index: u16) -> Result<()> {
        OpenVault::handler(ctx, index)
    }

    /// Closes a vault and returns its rent to the owner.
    ///
    /// - Only the owner (`NotVaultOwner`), only without positions (`VaultNotEmpty`), not while a flash loan is open
    ///   (`InFlashLoan`).
    pub fn close_vault(ctx: Context<CloseVault>) -> Result<()> {
        CloseVault::handler(ctx)
    }

    /// Gives a delegate some [`state::rights`] over a vault until a moment, or takes them away.
    ///
    /// - Only the owner (`NotVaultOwner`). Refuses unknown rights, and none for somebody (`UnknownRights`).
    /// - Not while a flash loan is open (`InFlashLoan`).
    pub fn set_delegate(ctx: Context<VaultLife>, delegate: Pubkey, rights: u32, until: i64) -> Result<()> {
        user::set_delegate(ctx, delegate, rights, until)
    }

    /// Offers a vault to another owner, or takes the offer back.
    ///
    /// - Only the owner (`NotVaultOwner`), not while a flash loan is open (`InFlashLoan`).
    pub fn offer_vault(ctx: Context<VaultLife>, to: Pubkey) -> Result<()> {
        user::offer_vault(ctx, to)
    }

    /// Takes over an offered vault. The delegate loses its rights.
    ///
    /// - Only whom it was offered to (`VaultNotOffered`), not while a flash loan is open (`InFlashLoan`).
    pub fn accept_vault(ctx: Context<VaultLife>) -> Result<()> {
        user::accept_vault(ctx)
    }

    /// Puts a vault into an efficiency group, or out of any with 0. The group's weights count while every debt is in it.
    ///
    /// - Owner or delegate. With debt, initial health must be at least 1 after; remaining accounts as in [`valuation`].
    pub fn set_efficiency_group<'info>(ctx: Context<'info, SetEfficiencyGroup<'info>>, group: u32) -> Result<()> {
        SetEfficiencyGroup::handler(ctx, group)
    }

    /// Takes tokens from the user and adds supply shares, rounded down, to a vault: collateral that earns interest.
    ///
    /// - Anyone may deposit to what a vault already holds, only the owner a new asset (`OnlyOwnerOpensPositions`): a
    ///   stranger's dust could otherwise fill its slots. Never needs a price. ALL is the balance of the token account.
    /// - Isolated collateral comes into an empty vault only (`IsolatedCollateralMixed`).
    /// - Refuses zero (`ZeroAmount`), more than the cap (`DepositCapExceeded`), an asset that the vault owes
    ///   (`ReserveHeldAsDebt`), a seventeenth position (`NoFreeSlot`), a minted token (`MintedTakesNoDeposits`), and a
    ///   vault whose bad debt is being resolved (`VaultInsolvent`).
    pub fn deposit(ctx: Context<UserFlow>, amount: AmountSpec) -> Result<()> {
        user::deposit(ctx, amount)
    }

    /// Burns supply shares of a vault, rounded up, and pays tokens out.
    ///
    /// - Owner or delegate (`NotVaultOwner`, `Delegate...`). Without debt no price is needed; with debt, initial health must be at least 1
    ///   after (`Unhealthy`, or why a collateral's price was unusable), and the remaining accounts are as in
    ///   [`valuation`].
    /// - Refuses zero, more than the vault holds (`InsufficientCollateral`, `NoSuchCollateral`), the reserve can pay
    ///   (`InsufficientLiquidity`) or lets out within an hour or a day (`OutflowLimitExceeded`).
    pub fn withdraw<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
        user::withdraw(ctx, amount)
    }

    /// Mints debt shares to a vault, rounded up, and pays tokens out: a pooled reserve's, or newly minted ones.
    ///
    /// - Owner or delegate (`NotVaultOwner`, `Delegate...`). Takes an exact amount (`BorrowNeedsAmount`). Remaining accounts as in
    ///   [`valuation`].
    /// - Initial health must be at least 1 after (`Unhealthy`), and the debt worth at least the minimum position
    ///   (`PositionTooSmall`). Every debt needs an acceptable price (`Price...`); collateral without one counts as zero.
    /// - Isolated collateral must be the vault's only one (`IsolatedCollateralMixed`) and backs its own debt ceiling
    ///   (`IsolatedDebtCeilingExceeded`): its reserve is then passed writable. An isolated debt must be the vault's only
    ///   one (`IsolatedDebtMixed`).
    /// - Refuses zero, more than the cap (`BorrowCapExceeded`), than is liquid (`InsufficientLiquidity`) or than may leave
    ///   within an hour or a day (`OutflowLimitExceeded`), an asset that the vault holds (`ReserveHeldAsCollateral`), a
    ///   seventeenth position (`NoFreeSlot`).
    pub fn borrow<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
        user::borrow(ctx, amount)
    }

    /// Takes tokens from the user and burns debt shares of a vault, rounded down; ALL clears the debt.
    ///
    /// - Anyone may repay for anyone. Never needs a price.
    /// - Refuses zero, more than is owed (`RepaymentExceedsDebt`) or circulates of a minted token
    ///   (`InsufficientLiquidity`), and a debt that the vault does not have (`NoSuchDebt`).
    /// - Remaining accounts: the isolated collateral's reserve, writable, if the debt counts against its ceiling.
    pub fn repay<'info>(ctx: Context<'info, UserFlow<'info>>, amount: AmountSpec) -> Result<()> {
        user::repay(ctx, amount)
    }

    /// Lends `amount` until the end of the transaction: a later top-level `flash_repay` of the same reserve and amount must
    /// be there (`FlashLoanNotRepaid`).
    ///
    /// - Anyone, at top level (`FlashLoanNested`), one loan per reserve at a time (`FlashLoanOpen`).
    /// - Refuses more than is liquid (`InsufficientLiquidity`), or more than a minted reserve's ceiling leaves
    ///   (`BorrowCapExceeded`).
    pub fn flash_borrow(ctx: Context<FlashFlow>, amount: u64) -> Result<()> {
        user::flash_borrow(ctx, amount)
    }

    /// Takes a flash loan of `amount` and its fee, which goes to insurance (`NoFlashLoan`).
    pub fn flash_repay(ctx: Context<FlashFlow>, amount: u64) -> Result<()> {
        user::flash_repay(ctx, amount)
    }

    /// Takes assets of a pooled dollar reserve and mints tokens for them: a dollar each at most, less a fee.
    ///
    /// - Anyone, at a price acceptable for new risk (`Price...`), within the swap's cap (`SwapCapExceeded`) and the
    ///   reserve's (`DepositCapExceeded`), for no less than `min_tokens` (`OutputTooSmall`).
    pub fn swap_in<'info>(ctx: Context<'info, Swap<'info>>, assets: u64, min_tokens: u64) -> Result<()> {
        user::swap_in(ctx, assets, min_tokens)
    }

    /// Burns tokens and pays assets of what the swap holds: a dollar each at least, less a fee.
    ///
    /// - Anyone, at a price acceptable for new risk (`Price...`), as far as the swap holds any and its reserve can pay
    ///   (`InsufficientLiquidity`) and lets out (`OutflowLimitExceeded`), for no less than `min_assets` (`OutputTooSmall`).
    pub fn swap_out<'info>(ctx: Context<'info, Swap<'info>>, tokens: u64, min_assets: u64) -> Result<()> {
        user::swap_out(ctx, tokens, min_assets)
    }

    /// Repays debt of an unhealthy vault and seizes collateral worth that and a bonus; formulas in
    /// [`keel_risk::liquidation`]. The bonus less the protocol's share is the keeper's bounty.
    ///
    /// - Anyone, when the health factor at maintenance is under 1 (`Healthy`). Repays at most `max_repay`; refuses when
    ///   the keeper would receive less than `min_seize` (`SlippageExceeded`), or when fewer tokens of a minted debt
    ///   circulate (`InsufficientLiquidity`).
    /// - Debt and collateral need a live price (`Price...`); a feed of another position counts at its last accepted price
    ///   if it is dead, that is if a challenge to it went unanswered.
    /// - Health strictly rises, or a position is closed, or the vault was in the close-out zone (`HealthNotRaised`).
    /// - A debt under the minimum position is repaid whole or not at all (`PartOfSmallPosition`), and pays the market's
    ///   flat bounty at least, as far as the owner's margin goes.
    /// - In shares, the collateral goes to a vault of the keeper's: `keeper_collateral_account` is that vault.
    /// - Debt that is left without collateral worth seizing is written off at once.
    /// - Waits after a cluster restart (`RestartGracePeriod`). Remaining accounts as in [`valuation`].
    pub fn liquidate<'info>(
        ctx: Context<'info, Liquidate<'info>>,
        max_repay: u64,
        min_seize: u64,
        receive: Receive,
    ) -> Result<()> {
        Liquidate::handler(ctx, max_repay, min_seize, receive)
    }

    /// Burns minted tokens for a dollar of a vault's collateral each, less a fee, and takes as many off its debt: the floor
    /// of the token's price. The fee, which rises with volume and decays, stays with the vault.
    ///
    /// - Anyone, from vaults with a health factor under the threshold (`NotRedeemable`), which it raises
    ///   (`HealthNotRaised`). The collateral needs a price acceptable for new risk, others as in a liquidation (`Price...`).
    /// - Refuses a debt that is not minted (`WrongReserveKind`), a part of a debt under the minimum position
    ///   (`PartOfSmallPosition`), more tokens than circulate (`InsufficientLiquidity`), more than the collateral's reserve
    ///   lets out within an hour or a day (`OutflowLimitExceeded`), and less than `min_seize` (`OutputTooSmall`).
    pub fn redeem<'info>(ctx: Context<'info, Liquidate<'info>>, max_repay: u64, min_seize: u64) -> Result<()> {
        liquidation::redeem(ctx, max_repay, min_seize)
    }

    /// Accrues interest, moves the haircut and, if price accounts are passed, stores their prices as the last accepted ones
    /// and samples them for volatility.
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
