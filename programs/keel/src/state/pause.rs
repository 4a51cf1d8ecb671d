//! What a pause can stop, as bits.

use crate::errors::KeelError;

/// Deposits, but for additions to the collateral of a vault in debt.
pub const DEPOSIT: u32 = 1;
/// Withdrawals.
pub const WITHDRAW: u32 = 1 << 1;
/// Loans.
pub const BORROW: u32 = 1 << 2;
/// The swap of the minted token.
pub const SWAP: u32 = 1 << 3;
/// Redemptions.
pub const REDEEM: u32 = 1 << 4;
/// Flash loans.
pub const FLASH: u32 = 1 << 5;
/// Additions to the collateral of a vault in debt.
pub const TOP_UP: u32 = 1 << 6;
/// Repayments.
pub const REPAY: u32 = 1 << 7;
/// Liquidations.
pub const LIQUIDATE: u32 = 1 << 8;

/// What creates risk, or takes value out.
pub const FIRST: u32 = DEPOSIT | WITHDRAW | BORROW | SWAP | REDEEM | FLASH;
/// What takes risk away.
pub const LAST: u32 = TOP_UP | REPAY | LIQUIDATE;

/// Longest pause by the guardian, in seconds, and how long it then has to wait: 3 days.
pub const MAX_GUARDIAN_SECONDS: u32 = 3 * 86_400;
/// Longest pause by governance, in seconds: 30 days.
pub const MAX_SECONDS: u32 = 30 * 86_400;

/// What an owner saves a vault with.
pub const DEFENCE: u32 = TOP_UP | REPAY;

/// How long nobody's collateral is taken after a pause of what owners save their vaults with, in seconds: a quarter of an
/// hour to repay or add collateral in, at prices that moved meanwhile.
pub const OWNERS_SECONDS: u32 = 900;

/// Refuses unknown bits, a pause of what takes risk away that leaves running what creates it, and one of what owners save
/// their vaults with that leaves liquidations running.
pub fn check(bits: u32) -> Result<(), KeelError> {
    let known = bits & !(FIRST | LAST) == 0;
    let last_is_last = bits & LAST == 0 || bits & FIRST == FIRST;
    let nobody_is_defenceless = bits & DEFENCE == 0 || bits & LIQUIDATE != 0;
    if known && last_is_last && nobody_is_defenceless { Ok(()) } else { Err(KeelError::PauseOrder) }
}
