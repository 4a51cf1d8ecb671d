//! Every refusal, each with a code of its own. Append only: bots and interfaces match on the numbers.

use anchor_lang::prelude::*;
use keel_risk::RiskError;

/// What the program refuses. The code on the wire is 6000 plus the number written here.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum KeelError {
    // Arithmetic: 0 to 9.
    #[msg("A result does not fit its type. Use a smaller amount")]
    Overflow = 0,
    #[msg("The books of a reserve would claim more than it has. Nothing was changed; please report this")]
    BooksBroken = 1,
    #[msg("Division by zero: the suppliers of this reserve lost everything, it takes no deposits")]
    DivisionByZero = 2,
    #[msg("The reserve's token account holds less than its books say. Nothing was changed; please report this")]
    LiquidityMismatch = 3,

    // Amounts and limits: 10 to 29.
    #[msg("The amount is zero")]
    ZeroAmount = 10,
    #[msg("There is less than that: the rest is lent out, or was never minted. Take less, or wait for repayments")]
    InsufficientLiquidity = 11,
    #[msg("The deposit would exceed the reserve's deposit cap")]
    DepositCapExceeded = 12,
    #[msg("The loan would exceed the reserve's borrow cap")]
    BorrowCapExceeded = 13,
    #[msg("The vault holds less than that of this asset")]
    InsufficientCollateral = 14,
    #[msg("The vault owes less than that. Repay ALL to clear the debt to the last unit")]
    RepaymentExceedsDebt = 15,
    #[msg("The vault's health factor would be under 1. Borrow or withdraw less, or deposit more")]
    Unhealthy = 16,
    #[msg("The debt would be worth less than the market's minimum position. Borrow more")]
    PositionTooSmall = 17,
    #[msg("Borrow takes an exact amount")]
    BorrowNeedsAmount = 18,
    #[msg("More would leave the reserve than it lets out within an hour or a day. Take less, or wait")]
    OutflowLimitExceeded = 19,
    #[msg("The debt against this isolated collateral would exceed its ceiling")]
    IsolatedDebtCeilingExceeded = 20,
    #[msg("The swap would hold more than its cap")]
    SwapCapExceeded = 21,
    #[msg("The swap or redemption would pay less than the minimum that was asked for")]
    OutputTooSmall = 22,
    #[msg("Less insurance would remain than governance must leave")]
    InsuranceFloor = 23,
    #[msg("This is paused at the moment; the pause ends by itself")]
    Paused = 24,
    #[msg("A minted reserve takes no deposits: its token is no collateral in its own market")]
    MintedTakesNoDeposits = 25,

    // Vaults: 30 to 49.
    #[msg("All 16 position slots of this vault are in use. Close one, or open another vault")]
    NoFreeSlot = 30,
    #[msg("This vault owes that asset; repay it before depositing it, or use another vault")]
    ReserveHeldAsDebt = 31,
    #[msg("This vault holds that asset as collateral; withdraw it before borrowing it, or use another vault")]
    ReserveHeldAsCollateral = 32,
    #[msg("The vault has no collateral in this reserve")]
    NoSuchCollateral = 33,
    #[msg("The vault has no debt in this reserve")]
    NoSuchDebt = 34,
    #[msg("The vault still has positions. Withdraw and repay ALL before closing it")]
    VaultNotEmpty = 35,
    #[msg("The signer is not the owner of the vault")]
    NotVaultOwner = 36,
    #[msg("The vault's bad debt is being resolved: only repayments and resolve_bad_debt are possible")]
    VaultInsolvent = 37,
    #[msg("Only the owner can add a new asset to a vault; others can add to what it already holds")]
    OnlyOwnerOpensPositions = 38,
    #[msg("The delegate of this vault does not have this right")]
    DelegateLacksRight = 39,
    #[msg("The delegate's rights have expired")]
    DelegateExpired = 40,
    #[msg("Unknown rights, or none; see the documentation of set_delegate")]
    UnknownRights = 41,
    #[msg("Without the right to pay anyone, a delegate pays to token accounts of the vault's owner only")]
    DelegatePaysOwnerOnly = 42,
    #[msg("The vault is not offered to this signer")]
    VaultNotOffered = 43,
    #[msg("Isolated collateral must be the vault's only collateral, and be deposited before anything is borrowed")]
    IsolatedCollateralMixed = 44,
    #[msg("An isolated debt must be the vault's only debt")]
    IsolatedDebtMixed = 45,
    #[msg("The keeper's vault is the one that is liquidated")]
    SameVault = 46,
    #[msg("The account is not a vault")]
    NotAVault = 47,

    // Accounts: 50 to 69.
    #[msg("The account belongs to another market")]
    WrongMarket = 50,
    #[msg("The mint is not the reserve's")]
    WrongMint = 51,
    #[msg("The token program is not the reserve's")]
    WrongTokenProgram = 52,
    #[msg("The token account is not the reserve's liquidity account")]
    WrongLiquidityAccount = 53,
    #[msg("The signer is not the market's governance")]
    NotGovernance = 54,
    #[msg("An account is missing: pass reserve and price accounts of every other occupied slot, in slot order")]
    MissingAccount = 55,
    #[msg("The reserve account is not that of the vault's next occupied slot")]
    WrongReserve = 56,
    #[msg("The address is all zeros")]
    ZeroAddress = 57,
    #[msg("The account is not a token account")]
    NotATokenAccount = 58,
    #[msg("The reserve is not a minted one, or is one where a pooled is needed")]
    WrongReserveKind = 59,
    #[msg("The market has a minted reserve already")]
    MintedReserveExists = 60,
    #[msg("The reserve is not the one that the swap holds")]
    WrongSwapReserve = 61,
    #[msg("The signer may not pause, or not this, for so long or so soon again")]
    NotPauser = 62,
    #[msg(
        "Repayments, liquidations and deposits to vaults in debt are paused with everything else, and not before \
         liquidations are"
    )]
    PauseOrder = 63,

    // Prices: 70 to 99.
    #[msg("The price account is not owned by the market's price receiver program")]
    PriceWrongOwner = 70,
    #[msg("The price account holds another feed")]
    PriceWrongFeed = 71,
    #[msg("The reserve accepts only one price account, and this is another")]
    PriceWrongAccount = 72,
    #[msg("The price account does not hold a price update")]
    PriceMalformed = 73,
    #[msg("The price update is not fully verified")]
    PricePartiallyVerified = 74,
    #[msg("The price is zero or negative")]
    PriceNotPositive = 75,
    #[msg("The price's exponent is out of range")]
    PriceExponentOutOfRange = 76,
    #[msg("The price was published in the future")]
    PriceFromFuture = 77,
    #[msg("The price is too old. Post a fresh update in the same transaction")]
    PriceStale = 78,
    #[msg("The price is older than the last one that this reserve accepted")]
    PriceReplayed = 79,
    #[msg("The confidence interval of the price is too wide")]
    PriceLowConfidence = 80,
    #[msg("The price was posted before the cluster's last restart")]
    PriceBeforeRestart = 81,
    #[msg("The two oracles of this asset disagree too much")]
    PriceDivergence = 82,
    #[msg("This asset never had an accepted price")]
    PriceNeverAccepted = 83,
    #[msg("The reserve has no feed of that number")]
    NoSuchFeed = 84,

    // Liquidation: 100 to 119.
    #[msg("The vault is healthy and cannot be liquidated")]
    Healthy = 100,
    #[msg("The repayment is too small to seize anything, or nothing can be paid out")]
    NothingToSeize = 101,
    #[msg("The keeper would receive less than min_seize")]
    SlippageExceeded = 102,
    #[msg("The liquidation would not raise the vault's health")]
    HealthNotRaised = 103,
    #[msg("Liquidations wait for fresh prices after a cluster restart")]
    RestartGracePeriod = 104,
    #[msg("The vault has no bad debt: its collateral can still be liquidated, or covers the debt")]
    NoBadDebt = 105,
    #[msg("A debt under the minimum position is repaid whole or not at all")]
    PartOfSmallPosition = 106,
    #[msg("The vault is healthier than redemptions may touch, or redemptions are switched off")]
    NotRedeemable = 107,
    #[msg("A flash loan of this reserve is open")]
    FlashLoanOpen = 108,
    #[msg("No flash loan of that amount is open")]
    NoFlashLoan = 109,
    #[msg("A flash loan needs a top-level flash_repay of the same reserve and amount later in the transaction")]
    FlashLoanNotRepaid = 110,
    #[msg("Flash loans are top-level instructions: other programs cannot take them")]
    FlashLoanNested = 111,
    #[msg("Not possible while a flash loan is open")]
    InFlashLoan = 112,

    // Configuration: 120 to 139.
    #[msg("A haircut is above 100 %, or the base haircut above the maximum")]
    ConfigHaircut = 120,
    #[msg("max_ltv must be below the liquidation threshold, and that at most 100 %")]
    ConfigLoanToValue = 121,
    #[msg("The bonus range, its health factor or the protocol's share is out of bounds")]
    ConfigBonus = 122,
    #[msg("With this bonus a liquidation could lower health: (1 + bonus_max) * (1 - haircut) * threshold is too high")]
    ConfigBonusLowersHealth = 123,
    #[msg("The target health factor must be between 1 and 1.5")]
    ConfigTargetHealth = 124,
    #[msg("The rate curve or the reserve factor is out of bounds")]
    ConfigRate = 125,
    #[msg("An oracle bound is out of range, or new risk is bounded looser than liquidation")]
    ConfigOracle = 126,
    #[msg("The mint has more decimals than the program can price")]
    ConfigDecimals = 127,
    #[msg("The minimum position value is out of bounds")]
    ConfigMinPosition = 128,
    #[msg("The flat minimum bounty is out of bounds")]
    ConfigMinBounty = 129,
    #[msg("A volatility parameter is out of bounds")]
    ConfigVolatility = 130,
    #[msg("A ramp rate is out of bounds, or a ramp is shorter than a day")]
    ConfigRamp = 131,
    #[msg(
        "A group's weights must be ordered, at most 100 % and no lower than the ordinary ones; an asset never leaves its group"
    )]
    ConfigGroup = 132,
    #[msg("Only a minted reserve has a swap and redemptions, with bounds; it has no oracle and is no collateral")]
    ConfigMinted = 133,
    #[msg("A fee or the insurance floor is out of bounds")]
    ConfigFee = 134,
    #[msg("An outflow limit of zero; pause withdrawals instead, or give u64::MAX for no limit")]
    ConfigOutflow = 135,
    #[msg("isolated_debt is 0 or 1")]
    ConfigIsolation = 136,

    // Token-2022 extensions: 140 to 159.
    #[msg("Mints with the extension TransferFeeConfig are not accepted")]
    ExtensionTransferFee = 140,
    #[msg("Mints with the extension TransferHook are not accepted")]
    ExtensionTransferHook = 141,
    #[msg("Mints with the extension PermanentDelegate are not accepted")]
    ExtensionPermanentDelegate = 142,
    #[msg("Mints with the extension DefaultAccountState are not accepted")]
    ExtensionDefaultAccountState = 143,
    #[msg("Mints with the extension NonTransferable are not accepted")]
    ExtensionNonTransferable = 144,
    #[msg("Mints with confidential transfers, fees or supply are not accepted")]
    ExtensionConfidential = 145,
    #[msg("Mints with the extension MintCloseAuthority are not accepted")]
    ExtensionMintCloseAuthority = 146,
    #[msg("Mints with the extension InterestBearingConfig or ScaledUiAmount are not accepted")]
    ExtensionUiAmount = 147,
    #[msg("Mints with the extension Pausable are not accepted")]
    ExtensionPausable = 148,
    #[msg("The mint has an extension that is not on the allowlist; the log names it")]
    ExtensionNotAllowed = 149,

    // Governance: 160 to 179.
    #[msg("The timelock's delay or window, or a bound of steps, is out of bounds; a delay never goes back to zero")]
    ConfigGovernance = 160,
    #[msg(
        "This change loosens something or is felt by vaults: governance has to queue it. The log names the parameter"
    )]
    NeedsNotice = 161,
    #[msg("The parameter would move further than the market allows in one step; governance can queue it")]
    StepTooLarge = 162,
    #[msg("The parameter moved a step less than a day ago; wait, or let governance queue it")]
    StepTooSoon = 163,
    #[msg("The signer may not change this without notice")]
    NotTightener = 164,
    #[msg("The notice of this change has not passed yet")]
    ChangeTooEarly = 165,
    #[msg("The change expired without being executed; queue it again")]
    ChangeExpired = 166,
    #[msg("What this change replaces has changed since it was queued; queue it again")]
    ChangeSuperseded = 167,
    #[msg("The change is about another market, reserve or mint")]
    WrongTarget = 168,
    #[msg("The change is of another kind: each kind has the instruction that executes it")]
    WrongChange = 169,
    #[msg("The change would change nothing")]
    NothingChanges = 170,
    #[msg("Only governance and the guardian veto, and not the guardian a change of its own role")]
    NotVetoer = 171,
    #[msg("The change can still be executed: only an expired one is anyone's to close")]
    ChangeNotExpired = 172,
    #[msg("The role is not offered to this signer, or not any more")]
    RoleNotOffered = 173,
    #[msg("A new reserve starts with caps of zero; raise them by a change of the reserve")]
    ListingWithCaps = 174,
    #[msg("The account has an older layout: call upgrade_layout on it first")]
    LayoutOutdated = 175,
    #[msg("The account is up to date, or of no kind that has an older layout")]
    NothingToUpgrade = 176,
    #[msg(
        "That is not the number of the market's next change; another was queued in between. Fetch the market and try again"
    )]
    WrongNonce = 177,
}

impl From<RiskError> for KeelError {
    fn from(error: RiskError) -> Self {
        match error {
            RiskError::Overflow => Self::Overflow,
            RiskError::Underflow => Self::BooksBroken,
            RiskError::DivisionByZero => Self::DivisionByZero,
            RiskError::ZeroAmount => Self::ZeroAmount,
            RiskError::InsufficientLiquidity => Self::InsufficientLiquidity,
            RiskError::OutflowLimitExceeded => Self::OutflowLimitExceeded,
            RiskError::SwapCapExceeded => Self::SwapCapExceeded,
            RiskError::InsuranceFloor => Self::InsuranceFloor,
            RiskError::MintedTakesNoDeposits => Self::MintedTakesNoDeposits,
            RiskError::FlashLoanOpen => Self::FlashLoanOpen,
            RiskError::NoFlashLoan => Self::NoFlashLoan,
            RiskError::PartOfSmallPosition => Self::PartOfSmallPosition,
            RiskError::NotRedeemable => Self::NotRedeemable,
            RiskError::ConfigVolatility => Self::ConfigVolatility,
            RiskError::ConfigRamp => Self::ConfigRamp,
            RiskError::ConfigGroup => Self::ConfigGroup,
            RiskError::ConfigMinted => Self::ConfigMinted,
            RiskError::ConfigFee => Self::ConfigFee,
            RiskError::ConfigOutflow => Self::ConfigOutflow,
            RiskError::DepositCapExceeded => Self::DepositCapExceeded,
            RiskError::BorrowCapExceeded => Self::BorrowCapExceeded,
            RiskError::InsufficientCollateral => Self::InsufficientCollateral,
            RiskError::RepaymentExceedsDebt => Self::RepaymentExceedsDebt,
            RiskError::Healthy => Self::Healthy,
            RiskError::NothingToSeize => Self::NothingToSeize,
            RiskError::PriceNotPositive => Self::PriceNotPositive,
            RiskError::PriceExponentOutOfRange => Self::PriceExponentOutOfRange,
            RiskError::PriceFromFuture => Self::PriceFromFuture,
            RiskError::PriceStale => Self::PriceStale,
            RiskError::PriceReplayed => Self::PriceReplayed,
            RiskError::PriceLowConfidence => Self::PriceLowConfidence,
            RiskError::PriceBeforeRestart => Self::PriceBeforeRestart,
            RiskError::PriceDivergence => Self::PriceDivergence,
            RiskError::ConfigHaircut => Self::ConfigHaircut,
            RiskError::ConfigLoanToValue => Self::ConfigLoanToValue,
            RiskError::ConfigBonus => Self::ConfigBonus,
            RiskError::ConfigBonusLowersHealth => Self::ConfigBonusLowersHealth,
            RiskError::ConfigTargetHealth => Self::ConfigTargetHealth,
            RiskError::ConfigRate => Self::ConfigRate,
            RiskError::ConfigOracle => Self::ConfigOracle,
            RiskError::ConfigGovernance => Self::ConfigGovernance,
            RiskError::NeedsNotice => Self::NeedsNotice,
            RiskError::StepTooLarge => Self::StepTooLarge,
            RiskError::StepTooSoon => Self::StepTooSoon,
        }
    }
}
