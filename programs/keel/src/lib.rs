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
//! | [`errors`], [`events`], [`seeds`], [`constants`] | codes, what happened, addresses, bits |
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

pub mod constants;
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
use instructions::admin::{self, *};
pub use instructions::liquidation::Receive;
use instructions::liquidation::{self, *};
use instructions::user::{self, *};
use state::{Change, MarketParams, Role};

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
    ///   1,000 dollars (`ConfigMinPosition`), a flat bounty above 100 dollars (`ConfigMinBounty`), a price receiver or a
    ///   guardian of zeros (`ZeroAddress`), and a timelock or steps out of bounds (`ConfigGovernance`).
    pub fn init_market(
        ctx: Context<InitMarket>,
        id: u16,
        params: MarketParams,
        guardian: Pubkey,
        risk_steward: Pubkey,
    ) -> Result<()> {
        InitMarket::handler(ctx, id, params, guardian, risk_steward)
    }

    /// Announces a change, which can be executed when the market's delay has passed, and until its window has.
    ///
    /// - Only governance (`NotGovernance`). Anyone may pay for the account, and gets it back when that is closed.
    /// - `nonce` is the market's next number (`WrongNonce`).
    /// - Refuses what could not be executed even now: incoherent parameters (`Config...`), a change that changes nothing
    ///   (`NothingChanges`), a listing with caps (`ListingWithCaps`), a target that is not of the market (`WrongMarket`,
    ///   `WrongTarget`), an account of an older layout (`LayoutOutdated`).
    pub fn queue_change<'info>(ctx: Context<'info, QueueChange<'info>>, nonce: u64, change: Change) -> Result<()> {
        QueueChange::handler(ctx, nonce, change)
    }

    /// Makes a queued change of a market, a role or a reserve come into force.
    ///
    /// - Anyone, when its notice has passed (`ChangeTooEarly`) and before it expires (`ChangeExpired`), unless what it
    ///   replaces has changed since (`ChangeSuperseded`). Other kinds have instructions of their own (`WrongChange`).
    /// - A liquidation threshold falls along a line over the change's ramp, a day at least (`ConfigRamp`); a haircut moves
    ///   no faster than it always does; a `max_ltv` holds at once. A running ramp to the same threshold goes on.
    /// - An asset does not leave its efficiency group or give its weights there up (`ConfigGroup`).
    /// - A role is offered for the market's window; the risk steward can also be dismissed.
    /// - Remaining accounts, if a reserve gets other feeds: a price account per feed, each acceptable for new risk.
    pub fn execute_change<'info>(ctx: Context<'info, ExecuteChange<'info>>) -> Result<()> {
        ExecuteChange::handler(ctx)
    }

    /// Closes a queued change before it comes into force.
    ///
    /// - Governance or guardian, but not the guardian a change of its own role (`NotVetoer`).
    pub fn veto_change(ctx: Context<CloseChange>) -> Result<()> {
        admin::veto_change(ctx)
    }

    /// Closes a change that expired.
    ///
    /// - Anyone (`ChangeNotExpired`).
    pub fn close_expired_change(ctx: Context<CloseChange>) -> Result<()> {
        admin::close_expired_change(ctx)
    }

    /// Makes a change that is tighter and felt by no vault come into force without notice.
    ///
    /// - Of a reserve: governance, guardian or risk steward; of a market, and the dismissal of the risk steward: governance
    ///   or guardian (`NotTightener`).
    /// - Every parameter that changes must become tighter, with nothing that vaults feel (`NeedsNotice`). Base haircuts and
    ///   outflow limits become tighter only by steps (`StepTooLarge`), once a day (`StepTooSoon`).
    pub fn tighten(ctx: Context<Tighten>, change: Change) -> Result<()> {
        admin::tighten(ctx, change)
    }

    /// Moves parameters of a reserve by steps in either direction.
    ///
    /// - Only the risk steward (`NotTightener`), as far as the market allows (`StepTooLarge`), each parameter once a day
    ///   (`StepTooSoon`), and only those that have steps (`NeedsNotice`).
    pub fn step(ctx: Context<Tighten>, change: Change) -> Result<()> {
        admin::step(ctx, change)
    }

    /// Takes over a role that was offered.
    ///
    /// - Only whom it was offered to, within the offer's time (`RoleNotOffered`).
    pub fn accept_role(ctx: Context<AcceptRole>, role: Role) -> Result<()> {
        AcceptRole::handler(ctx, role)
    }

    /// Brings a market or a reserve that an earlier version of the program wrote to today's layout.
    ///
    /// - Anyone (`NothingToUpgrade`).
    pub fn upgrade_layout(ctx: Context<UpgradeLayout>) -> Result<()> {
        UpgradeLayout::handler(ctx)
    }

    /// Executes a queued listing: creates the reserve of an asset and its liquidity account, empty, with both indices at 1
    /// and caps of zero.
    ///
    /// - Anyone, as in `execute_change`.
    /// - Remaining accounts: a price account per feed, each acceptable for new risk (`Price...`): from the start there is
    ///   a last accepted price.
    /// - Refuses mints with extensions beyond metadata and groups (`Extension...`; one that this build does not know
    ///   already fails with `InvalidAccountData` when the liquidity account is sized), and more than 18 decimals
    ///   (`ConfigDecimals`).
    pub fn init_reserve<'info>(ctx: Context<'info, InitReserve<'info>>) -> Result<()> {
        InitReserve::handler(ctx)
    }

    /// Executes a queued listing of the market's own token: creates it, and the reserve that mints it to borrowers, at par
    /// with the dollar.
    ///
    /// - Anyone, as in `execute_change`; once per market (`MintedReserveExists`).
    /// - `swap_reserve` is the pooled reserve whose asset the swap takes and gives (`WrongReserveKind`).
    pub fn init_minted_reserve(ctx: Context<InitMintedReserve>) -> Result<()> {
        InitMintedReserve::handler(ctx)
    }

    /// Pauses what `bits` say for `seconds`, in place of the signer's running pause; see [`state::pause`]. What governance
    /// and guardian pause adds up: neither ends the other's pause.
    ///
    /// - Governance, for 30 days at most, or the guardian, for 3 days at most and not within 3 days after its last pause
    ///   (`NotPauser`). No bits end a pause.
    /// - Repayments, liquidations and deposits to vaults in debt are paused only with everything else, and the first and the
    ///   last of these only with liquidations (`PauseOrder`). After a pause of repayments or of such deposits nobody's
    ///   collateral is taken for another quarter of an hour: owners come first.
    pub fn set_pause(ctx: Context<SetPause>, bits: u32, seconds: u32) -> Result<()> {
        SetPause::handler(ctx, bits, seconds)
    }

    /// Executes a queued withdrawal of a reserve's insurance, or mints as much of a minted reserve's surplus.
    ///
    /// - Anyone, as in `execute_change`, to the token account that the change names (`WrongTarget`), and only what leaves
    ///   the configured part of what is owed insured (`InsuranceFloor`).
    pub fn withdraw_insurance(ctx: Context<WithdrawInsurance>) -> Result<()> {
        WithdrawInsurance::handler(ctx)
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
    ///   flat bounty at least, or what one of the minimum position would if that is less, as far as the owner's margin goes.
    /// - In shares, the collateral goes to a vault of the keeper's: `keeper_collateral_account` is that vault.
    /// - Debt that is left without collateral worth seizing is written off at once.
    /// - Waits after a cluster restart (`RestartGracePeriod`). Remaining accounts as in [`valuation`], that of an isolated
    ///   collateral to be written if the debt counts against it (`MissingAccount`).
    pub fn liquidate<'info>(
        ctx: Context<'info, Liquidate<'info>>,
        max_repay: u64,
        min_seize: u64,
        receive: Receive,
    ) -> Result<()> {
        Liquidate::handler(ctx, max_repay, min_seize, receive)
    }

    /// Burns minted tokens for a dollar of a vault's collateral each, less a fee, and takes as many off its debt: the floor
    /// of the token's price. Of the fee, which rises with volume and decays, half stays with the vault and half becomes
    /// insurance.
    ///
    /// - Anyone, from vaults with a health factor under the threshold (`NotRedeemable`), which it raises
    ///   (`HealthNotRaised`). The collateral needs a price acceptable for new risk, others as in a liquidation (`Price...`).
    /// - Refuses a debt that is not minted (`WrongReserveKind`), a part of a debt under the minimum position
    ///   (`PartOfSmallPosition`), more tokens than circulate (`InsufficientLiquidity`), more than the collateral's reserve
    ///   lets out within an hour or a day (`OutflowLimitExceeded`), and less than `min_seize` (`OutputTooSmall`).
    /// - Remaining accounts as of a liquidation.
    pub fn redeem<'info>(ctx: Context<'info, Liquidate<'info>>, max_repay: u64, min_seize: u64) -> Result<()> {
        liquidation::redeem(ctx, max_repay, min_seize)
    }

    /// Accrues interest, moves the haircut and, if price accounts are passed, stores their prices as the last accepted ones
    /// and samples them for volatility.
    ///
    /// - Anyone. Nothing requires it. Remaining accounts: none, or a price account per feed, each acceptable
    ///   (`Price...`), but that of two feeds one that is challenged may be unable to answer. An accepted price answers an
    ///   open challenge.
    /// - Of a minted reserve: none, or the pooled reserve that its swap holds (`WrongSwapReserve`). Then a loss of that is
    ///   recognized, as before every swap.
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
