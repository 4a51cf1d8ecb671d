//! Invariant 6: a refusal changes nothing, and its error is one that the instruction documents.

use crate::{Done, Verdict, ensure};
use anchor_lang::error::ErrorCode;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError::{self, *};
use keel_tests::Failure;
use keel_tests::check::Refusal;
use keel_tests::random::Action;
use solana_system_interface::error::SystemError;

/// Why a price may be unusable. The arena publishes no odd exponents, and shows the accounts that feeds are pinned to.
const PRICES: [KeelError; 11] = [
    PriceWrongOwner,
    PriceWrongFeed,
    PriceMalformed,
    PricePartiallyVerified,
    PriceNotPositive,
    PriceFromFuture,
    PriceStale,
    PriceReplayed,
    PriceLowConfidence,
    PriceBeforeRestart,
    PriceDivergence,
];

/// What is wrong with a configuration.
const CONFIGS: [KeelError; 18] = [
    ConfigHaircut,
    ConfigLoanToValue,
    ConfigBonus,
    ConfigBonusLowersHealth,
    ConfigTargetHealth,
    ConfigRate,
    ConfigOracle,
    ConfigGovernance,
    ConfigMinPosition,
    ConfigMinBounty,
    ConfigVolatility,
    ConfigRamp,
    ConfigGroup,
    ConfigMinted,
    ConfigFee,
    ConfigOutflow,
    ConfigIsolation,
    NothingChanges,
];

/// The program's own errors that `action` may meet in the arena: those that its documentation in the program names,
/// and `Overflow` where an amount of `u64::MAX` can cause one.
fn documented(action: &Action) -> Vec<KeelError> {
    let with_prices = |own: &[KeelError]| own.iter().chain(&PRICES).copied().collect();
    let with_configs = |own: &[KeelError]| own.iter().chain(&CONFIGS).copied().collect();
    match action {
        Action::Queue { .. } => with_configs(&[NotGovernance, WrongNonce, WrongTarget, ZeroAmount, ZeroAddress]),
        Action::Execute { .. } => {
            let own = [WrongTarget, WrongChange, ChangeTooEarly, ChangeExpired, ChangeSuperseded];
            [&own[..], &CONFIGS, &PRICES].concat()
        }
        Action::Veto { .. } => vec![NotVetoer],
        Action::CloseExpired { .. } => vec![ChangeNotExpired],
        Action::Tighten { .. } => {
            with_configs(&[NotTightener, WrongTarget, MissingAccount, NeedsNotice, StepTooLarge, StepTooSoon])
        }
        Action::Step { .. } => with_configs(&[NotTightener, NeedsNotice, StepTooLarge, StepTooSoon]),
        Action::AcceptRole { .. } => vec![RoleNotOffered],
        Action::Accrue { .. } => vec![],
        Action::Open { .. } => vec![InFlashLoan],
        Action::Close { .. } => vec![NotVaultOwner, VaultNotEmpty, InFlashLoan],
        Action::SetDelegate { .. } => vec![NotVaultOwner, UnknownRights, InFlashLoan],
        Action::Offer { .. } => vec![NotVaultOwner, InFlashLoan],
        Action::Accept { .. } => vec![VaultNotOffered, InFlashLoan],
        Action::SetGroup { .. } => {
            with_prices(&[NotVaultOwner, DelegateLacksRight, DelegateExpired, VaultInsolvent, Unhealthy])
        }
        Action::FlashBorrow { .. } => {
            // Of a minted token without a ceiling, a loan may be more than tokens can be counted.
            let own = [Paused, FlashLoanNotRepaid, ZeroAmount, FlashLoanOpen, InsufficientLiquidity, BorrowCapExceeded];
            [&own[..], &[Overflow]].concat()
        }
        Action::FlashRepay { .. } => vec![NoFlashLoan, InsufficientLiquidity],
        Action::SetPause { .. } => vec![NotPauser, PauseOrder],
        Action::Deposit(_) => {
            vec![
                ZeroAmount,
                DepositCapExceeded,
                ReserveHeldAsDebt,
                VaultInsolvent,
                OnlyOwnerOpensPositions,
                DelegateLacksRight,
                DelegateExpired,
                IsolatedCollateralMixed,
                MintedTakesNoDeposits,
                Paused,
                Overflow,
            ]
        }
        Action::Withdraw(_) => with_prices(&[
            ZeroAmount,
            Paused,
            NotVaultOwner,
            DelegateLacksRight,
            DelegateExpired,
            DelegatePaysOwnerOnly,
            VaultInsolvent,
            NoSuchCollateral,
            InsufficientCollateral,
            InsufficientLiquidity,
            OutflowLimitExceeded,
            Unhealthy,
            // Where a shared loss has left next to nothing of a share.
            Overflow,
        ]),
        Action::Borrow(_) => with_prices(&[
            ZeroAmount,
            BorrowNeedsAmount,
            Paused,
            NotVaultOwner,
            DelegateLacksRight,
            DelegateExpired,
            DelegatePaysOwnerOnly,
            IsolatedCollateralMixed,
            IsolatedDebtMixed,
            IsolatedDebtCeilingExceeded,
            VaultInsolvent,
            ReserveHeldAsCollateral,
            InsufficientLiquidity,
            BorrowCapExceeded,
            OutflowLimitExceeded,
            Unhealthy,
            PositionTooSmall,
        ]),
        Action::Repay(_) => vec![ZeroAmount, Paused, NoSuchDebt, RepaymentExceedsDebt, InsufficientLiquidity],
        Action::Liquidate { into, .. } => {
            let mut errors = with_prices(&[
                Healthy,
                Paused,
                NoSuchDebt,
                NoSuchCollateral,
                VaultInsolvent,
                NothingToSeize,
                PartOfSmallPosition,
                InsufficientLiquidity,
                SlippageExceeded,
                HealthNotRaised,
                RestartGracePeriod,
            ]);
            if into.is_some() {
                errors.extend([
                    SameVault,
                    NotAVault,
                    OnlyOwnerOpensPositions,
                    IsolatedCollateralMixed,
                    ReserveHeldAsDebt,
                ]);
            }
            errors
        }
        Action::Redeem { .. } => with_prices(&[
            NotRedeemable,
            Paused,
            NoSuchDebt,
            NoSuchCollateral,
            WrongReserveKind,
            VaultInsolvent,
            NothingToSeize,
            PartOfSmallPosition,
            OutputTooSmall,
            InsufficientLiquidity,
            OutflowLimitExceeded,
            HealthNotRaised,
            RestartGracePeriod,
        ]),
        Action::SwapIn { .. } => with_prices(&[
            ZeroAmount,
            Paused,
            SwapCapExceeded,
            DepositCapExceeded,
            OutputTooSmall,
            DivisionByZero,
            Overflow,
        ]),
        Action::SwapOut { .. } => {
            with_prices(&[ZeroAmount, Paused, InsufficientLiquidity, OutputTooSmall, OutflowLimitExceeded])
        }
        Action::WithdrawInsurance { .. } => {
            let own = [WrongTarget, WrongChange, ChangeTooEarly, ChangeExpired];
            [&own[..], &[InsuranceFloor, InsufficientLiquidity]].concat()
        }
        Action::Refresh { .. } => PRICES.to_vec(),
        Action::Challenge { .. } => vec![NoSuchFeed],
        Action::Resolve { .. } => with_prices(&[NoBadDebt, Paused, NoSuchDebt, RestartGracePeriod]),
    }
}

/// Errors of others: Anchor's for a vault or a change that is not open and for one reserve given twice, the token program's for
/// tokens that the user does not have, the system program's for a vault that is open already.
fn foreign(done: &Done, action: &Action) -> Vec<Refusal> {
    let mut errors = vec![];
    match *action {
        Action::Open { .. } => errors.push(SystemError::AccountAlreadyInUse.into()),
        Action::Deposit(_) | Action::Repay(_) | Action::FlashRepay { .. } => {
            errors.push(TokenError::InsufficientFunds.into());
        }
        Action::Queue { nonce, .. } if done.before.announced(nonce).is_some() => {
            errors.push(SystemError::AccountAlreadyInUse.into());
        }
        Action::Execute { nonce, .. }
        | Action::WithdrawInsurance { nonce, .. }
        | Action::Veto { nonce, .. }
        | Action::CloseExpired { nonce, .. }
            if done.before.announced(nonce).is_none() =>
        {
            errors.push(ErrorCode::AccountOwnedByWrongProgram.into());
        }
        Action::SwapIn { .. } | Action::SwapOut { .. } => errors.push(TokenError::InsufficientFunds.into()),
        Action::Liquidate { debt, collateral, .. } | Action::Redeem { debt, collateral, .. } => {
            errors.push(TokenError::InsufficientFunds.into());
            if debt == collateral {
                errors.push(ErrorCode::ConstraintDuplicateMutableAccount.into());
            }
        }
        _ => {}
    }
    if action.vault().is_some_and(|id| done.before.vault(id).is_none()) {
        errors.push(ErrorCode::AccountOwnedByWrongProgram.into());
    }
    errors
}

pub fn check(done: &Done, failure: &Failure) -> Verdict {
    for (before, after) in done.before.raw.iter().zip(&done.after().raw) {
        ensure!(before == after, "6: a refused instruction changed an account");
    }
    let refusal = Refusal::from(failure);
    let action = done.stopped_at(failure);
    let Some(action) = action else { return Err(format!("6: {refusal:?} by no instruction of the program")) };
    let own = documented(action).into_iter().map(Refusal::from).any(|error| error == refusal);
    let known = own || foreign(done, action).contains(&refusal);
    ensure!(known, "6: {refusal:?} is not documented for {}", action.name());
    Ok(())
}
