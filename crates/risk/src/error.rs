//! Why a computation was refused.

/// What this crate refuses. Each has one meaning; the program gives each a documented code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskError {
    /// A result does not fit its type.
    Overflow,
    /// A subtraction went below zero where the books say that it cannot.
    Underflow,
    /// A division by zero, for example by the index of a reserve whose suppliers lost everything.
    DivisionByZero,
    /// A quantity of zero, where only a positive one does anything.
    ZeroAmount,
    /// More is to leave the reserve than it holds.
    InsufficientLiquidity,
    /// The deposit would raise the reserve's supply above its cap.
    DepositCapExceeded,
    /// The loan would raise the reserve's debt above its cap.
    BorrowCapExceeded,
    /// More is to be withdrawn than the position is worth.
    InsufficientCollateral,
    /// More is to be repaid than is owed.
    RepaymentExceedsDebt,
    /// The vault is healthy and cannot be liquidated.
    Healthy,
    /// The repayment is too small to seize a single native unit.
    NothingToSeize,
    /// The price or its moving average is zero or negative.
    PriceNotPositive,
    /// The exponent of the price, with the decimals of the asset, is outside of what can be computed exactly.
    PriceExponentOutOfRange,
    /// The price was published after `now`, beyond the tolerance.
    PriceFromFuture,
    /// The price is older than the action allows.
    PriceStale,
    /// An older price than the last accepted one.
    PriceReplayed,
    /// The confidence interval is wider than the action allows.
    PriceLowConfidence,
    /// The price was posted before the cluster last restarted.
    PriceBeforeRestart,
    /// Two oracles of one asset disagree by more than is allowed.
    PriceDivergence,
    /// A haircut above 100 %, or a base haircut above the maximum.
    ConfigHaircut,
    /// `max_ltv` is not below the liquidation threshold, or the threshold is above 100 %.
    ConfigLoanToValue,
    /// The bonus range is reversed or above its bound, or the protocol's share above 100 %.
    ConfigBonus,
    /// `(1 + bonus_max) * (1 - haircut) * liquidation_threshold` exceeds the health factor of the maximum bonus:
    /// a liquidation could lower health.
    ConfigBonusLowersHealth,
    /// The target health factor is below 1 or above its bound.
    ConfigTargetHealth,
    /// The rate curve is not increasing, or a rate or the reserve factor is above its bound.
    ConfigRate,
    /// An oracle bound is zero or above its maximum, or the bound for new risk is looser than that for liquidation.
    ConfigOracle,
}

/// The result of a computation of this crate.
pub type Result<T> = core::result::Result<T, RiskError>;
