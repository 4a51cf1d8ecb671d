//! Invariant 6: a refusal changes nothing, and its error is one that the instruction documents.

use crate::{Done, Verdict, ensure};
use anchor_lang::error::ErrorCode;
use anchor_spl::token::spl_token::error::TokenError;
use keel::KeelError::{self, *};
use keel_tests::Failure;
use keel_tests::check::Refusal;
use keel_tests::random::Action;
use solana_system_interface::error::SystemError;

/// Why a price may be unusable. The arena pins no feeds and publishes no odd exponents.
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

/// The program's own errors that `action` may meet in the arena: those that its documentation in the program names,
/// and `Overflow` where an amount of `u64::MAX` can cause one.
fn documented(action: &Action) -> Vec<KeelError> {
    let with_prices = |own: &[KeelError]| own.iter().chain(&PRICES).copied().collect();
    match action {
        Action::Open { .. } | Action::Accrue { .. } => vec![],
        Action::Close { .. } => vec![NotVaultOwner, VaultNotEmpty],
        Action::Deposit(_) => {
            vec![
                ZeroAmount,
                DepositCapExceeded,
                ReserveHeldAsDebt,
                VaultInsolvent,
                OnlyOwnerOpensPositions,
                MintedTakesNoDeposits,
                Overflow,
            ]
        }
        Action::Withdraw(_) => with_prices(&[
            ZeroAmount,
            NotVaultOwner,
            VaultInsolvent,
            NoSuchCollateral,
            InsufficientCollateral,
            InsufficientLiquidity,
            OutflowLimitExceeded,
            Unhealthy,
        ]),
        Action::Borrow(_) => with_prices(&[
            ZeroAmount,
            BorrowNeedsAmount,
            NotVaultOwner,
            VaultInsolvent,
            ReserveHeldAsCollateral,
            InsufficientLiquidity,
            BorrowCapExceeded,
            OutflowLimitExceeded,
            Unhealthy,
            PositionTooSmall,
        ]),
        Action::Repay(_) => vec![ZeroAmount, NoSuchDebt, RepaymentExceedsDebt, InsufficientLiquidity],
        Action::Liquidate { .. } => with_prices(&[
            Healthy,
            NoSuchDebt,
            NoSuchCollateral,
            VaultInsolvent,
            NothingToSeize,
            PartOfSmallPosition,
            InsufficientLiquidity,
            SlippageExceeded,
            HealthNotRaised,
            RestartGracePeriod,
        ]),
        Action::Redeem { .. } => with_prices(&[
            NotRedeemable,
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
        Action::SwapIn { .. } => {
            with_prices(&[ZeroAmount, SwapCapExceeded, DepositCapExceeded, OutputTooSmall, DivisionByZero, Overflow])
        }
        Action::SwapOut { .. } => {
            with_prices(&[ZeroAmount, InsufficientLiquidity, OutputTooSmall, OutflowLimitExceeded])
        }
        Action::WithdrawInsurance { .. } => vec![ZeroAmount, NotGovernance, InsuranceFloor, InsufficientLiquidity],
        Action::Refresh { .. } => PRICES.to_vec(),
        Action::Challenge { .. } => vec![NoSuchFeed],
        Action::Resolve { .. } => with_prices(&[NoBadDebt, NoSuchDebt, RestartGracePeriod]),
    }
}

/// Errors of others: Anchor's for a vault that is not open and for one reserve given twice, the token program's for
/// tokens that the user does not have, the system program's for a vault that is open already.
fn foreign(done: &Done) -> Vec<Refusal> {
    let mut errors = vec![];
    match done.action {
        Action::Open { .. } => errors.push(SystemError::AccountAlreadyInUse.into()),
        Action::Deposit(_) | Action::Repay(_) => errors.push(TokenError::InsufficientFunds.into()),
        Action::SwapIn { .. } | Action::SwapOut { .. } => errors.push(TokenError::InsufficientFunds.into()),
        Action::Liquidate { debt, collateral, .. } | Action::Redeem { debt, collateral, .. } => {
            errors.push(TokenError::InsufficientFunds.into());
            if debt == collateral {
                errors.push(ErrorCode::ConstraintDuplicateMutableAccount.into());
            }
        }
        _ => {}
    }
    if done.action.vault().is_some_and(|id| done.before.vault(id).is_none()) {
        errors.push(ErrorCode::AccountOwnedByWrongProgram.into());
    }
    errors
}

pub fn check(done: &Done, failure: &Failure) -> Verdict {
    for (before, after) in done.before.raw.iter().zip(&done.after().raw) {
        ensure!(before == after, "6: a refused instruction changed an account");
    }
    let refusal = Refusal::from(failure);
    let own = documented(&done.action).into_iter().map(Refusal::from).any(|error| error == refusal);
    let known = own || foreign(done).contains(&refusal);
    ensure!(known, "6: {refusal:?} is not documented for {}", done.action.name());
    Ok(())
}
