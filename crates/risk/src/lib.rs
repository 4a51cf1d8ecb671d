//! The risk mathematics of Keel.
//!
//! Plain numbers in, plain numbers out: this crate knows nothing of Solana, reads no clock and allocates nothing.
//! The program, the client library and every tool compute health, interest and liquidations with the functions here,
//! so that there is one answer to "is this vault healthy" and one place to audit it.
//!
//! | module | what it answers |
//! |---|---|
//! | [`fraction`] | unsigned fixed point with 60 fractional bits, every lossy operation with its direction in the name |
//! | [`units`] | what a number counts: native amounts, shares, indices, dollars, basis points |
//! | [`price`] | which oracle observation is acceptable, and what it says an amount is worth |
//! | [`exp`] | exponentials: what a drifting rate grows by, decay with a half life |
//! | [`interest`] | the rate curves, the rate in force and continuous compounding |
//! | [`pool`] | the books of one reserve: deposits, loans, interest, insurance, losses, minted tokens, flash loans |
//! | [`outflow`] | how much may leave a reserve within an hour and a day |
//! | [`volatility`] | how much a price moves, from the program's own samples |
//! | [`haircut`] | discounts that follow it, and thresholds that fall, no faster than owners can react |
//! | [`health`] | what a set of positions is worth against what it owes |
//! | [`critical`] | at which prices a vault stops being healthy |
//! | [`outlook`] | how low the health of a vault can get while prices stand still |
//! | [`liquidation`] | how much may be repaid and seized, and who gets the bonus |
//! | [`redemption`] | what a minted token buys of vaults near their limit |
//! | [`swap`] | what the minted token and a pooled dollar asset exchange at |
//! | [`yields`] | what a year at the present rate comes to |
//! | [`config`] | which risk parameters are coherent |
//! | [`change`] | what a change of them means, and whether it needs notice |
//!
//! # Rounding
//!
//! Every lossy step favours the protocol, that is the suppliers, over whoever acts. The two marked *for the owner* are
//! exceptions: there the protocol has promised owners a speed. Tests go through every row for all operands of a few bits
//! (`exhaustive.rs`), and through all books, all sequences of two users' actions and all liquidations of that size.
//!
//! | quantity | direction | where |
//! |---|---|---|
//! | supply shares minted for a deposit | floor | [`units::SupplyIndex::shares_for_deposit`] |
//! | amount paid for supply shares | floor | [`units::SupplyIndex::amount_of`] |
//! | supply shares burned for an amount | ceil | [`units::SupplyIndex::shares_for_withdrawal`] |
//! | debt shares minted for an amount | ceil | [`units::DebtIndex::shares_for_borrow`] |
//! | amount owed for debt shares | ceil | [`units::DebtIndex::amount_owed`] |
//! | debt shares burned for a repayment | floor | [`units::DebtIndex::shares_for_repayment`] |
//! | collateral value | floor | [`price::UnitPrice::value_floor`] |
//! | debt value | ceil | [`price::UnitPrice::value_ceil`] |
//! | variance and deviation of a price | ceil | [`volatility`] |
//! | haircut that is aimed at | ceil | [`haircut::target`] |
//! | movement toward it, up and down | floor, *for the owner* | [`haircut::Haircut::at`] |
//! | falling liquidation threshold | ceil, *for the owner* | [`haircut::ThresholdRamp::at`] |
//! | lowest limit / highest debt of an outlook | floor / ceil | [`outlook::lowest_health`] |
//! | borrow rate, rate at target | ceil | [`interest::RateModel::reprice`], [`interest::Rate::after`] |
//! | debt index growth | ceil | [`interest::Rate::growth_ceil`] |
//! | supply index growth | floor | [`pool::Pool::project`] |
//! | collateral seized for a repayment | floor | [`liquidation::plan`] |
//! | repayment required for a seizure | ceil | [`liquidation::plan`] |
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::float_arithmetic,
        clippy::inconsistent_digit_grouping,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

#[cfg(test)]
extern crate std;

pub mod change;
pub mod config;
pub mod critical;
pub mod error;
#[cfg(test)]
mod exhaustive;
pub mod exp;
pub mod fraction;
pub mod haircut;
pub mod health;
pub mod interest;
pub mod liquidation;
pub mod outflow;
pub mod outlook;
pub mod pool;
pub mod price;
pub mod redemption;
#[cfg(test)]
mod reference;
pub mod swap;
pub mod units;
pub mod volatility;
mod wide;
pub mod yields;

pub use error::{Result, RiskError};
pub use fraction::{Fixed, Fraction};
