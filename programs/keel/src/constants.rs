//! Bits that clients need beside the layouts of accounts and arguments: as constants they are in the IDL.

use crate::state::{pause, rights};
use anchor_lang::prelude::*;

// See `rights`.
#[constant]
pub const RIGHT_DEPOSIT: u32 = rights::DEPOSIT;
#[constant]
pub const RIGHT_WITHDRAW: u32 = rights::WITHDRAW;
#[constant]
pub const RIGHT_BORROW: u32 = rights::BORROW;
#[constant]
pub const RIGHT_GROUP: u32 = rights::GROUP;
#[constant]
pub const RIGHT_PAY_ANYONE: u32 = rights::PAY_ANYONE;

// See `pause`.
#[constant]
pub const PAUSE_DEPOSIT: u32 = pause::DEPOSIT;
#[constant]
pub const PAUSE_WITHDRAW: u32 = pause::WITHDRAW;
#[constant]
pub const PAUSE_BORROW: u32 = pause::BORROW;
#[constant]
pub const PAUSE_SWAP: u32 = pause::SWAP;
#[constant]
pub const PAUSE_REDEEM: u32 = pause::REDEEM;
#[constant]
pub const PAUSE_FLASH: u32 = pause::FLASH;
#[constant]
pub const PAUSE_TOP_UP: u32 = pause::TOP_UP;
#[constant]
pub const PAUSE_REPAY: u32 = pause::REPAY;
#[constant]
pub const PAUSE_LIQUIDATE: u32 = pause::LIQUIDATE;
