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
    /// More is to leave the reserve than it holds, or to be burned than circulates.
    InsufficientLiquidity,
    /// The deposit would raise the reserve's supply above its cap.
    DepositCapExceeded,
    /// The loan would raise the reserve's debt above its cap.
    BorrowCapExceeded,
    /// A minted reserve lends what it creates: there is nothing to deposit.
    MintedTakesNoDeposits,
    /// A flash loan of the reserve is open.
    FlashLoanOpen,
    /// No flash loan of that amount is open.
    NoFlashLoan,
    /// The swap would hold more than its cap.
    SwapCapExceeded,
    /// Less than the floor would stay insured.
    InsuranceFloor,
    /// More is to leave than the reserve lets out within an hour or a day.
    OutflowLimitExceeded,
    /// More is to be withdrawn than the position is worth.
    InsufficientCollateral,
    /// More is to be repaid than is owed.
    RepaymentExceedsDebt,
    /// The vault is healthy and cannot be liquidated.
    Healthy,
    /// The repayment is too small to seize a single native unit.
    NothingToSeize,
    /// A debt under the minimum position is repaid whole or not at all.
    PartOfSmallPosition,
    /// The vault is healthier than redemptions may touch.
    NotRedeemable,
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
    /// The weights of an efficiency group are set without a group, or not ordered, above 100 % or below the ordinary ones.
    ConfigGroup,
    /// A fee, a half-life or the threshold of a minted reserve is out of its bounds.
    ConfigMinted,
    /// The fee of flash loans or the insurance floor is above its bound.
    ConfigFee,
    /// An outflow limit of zero.
    ConfigOutflow,
    /// The target health factor is below 1 or above its bound.
    ConfigTargetHealth,
    /// The rate curve is not increasing, its optimal utilization not inside of (0, 1), its rates at target out of order
    /// or not positive, or a rate, the steepness, the speed or the reserve factor is out of its bounds.
    ConfigRate,
    /// An oracle bound is zero or above its maximum, or the bound for new risk is looser than that for liquidation.
    ConfigOracle,
    /// A field of the volatility terms is outside of its bounds, or samples are further apart than the half-life.
    ConfigVolatility,
    /// A haircut may rise faster than its bound or not move at all, or a liquidation threshold is to fall in too short a
    /// time.
    ConfigRamp,
    /// The timelock's delay or window, or a bound of steps, is out of its bounds.
    ConfigGovernance,
    /// The change loosens something or is felt by vaults: it has to be queued.
    NeedsNotice,
    /// A parameter would move further than one step.
    StepTooLarge,
    /// A parameter moved a step less than a day ago.
    StepTooSoon,
}

/// The result of a computation of this crate.
pub type Result<T> = core::result::Result<T, RiskError>;
