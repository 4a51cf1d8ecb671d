//! What a wallet, a bot or a tool needs to use Keel.
//!
//! | module | what it does |
//! |---|---|
//! | [`address`] | derives the program's addresses |
//! | [`account`] | decodes accounts |
//! | [`book`] | the listed assets of a market and where their prices are; orders the accounts of an instruction |
//! | [`instruction`] | builds every instruction |
//! | [`health`] | values a vault from fetched accounts, with the program's own code |
//! | [`token`] | associated token accounts, wrapped SOL |
//! | [`transaction`] | compute budget, lookup tables, versioned transactions |
//! | [`price_update`] | price accounts in Pyth's format, for local chains and tests |
//!
//! The flow: fetch the market's reserves into a [`book::Book`], fetch a vault, build instructions from both, put them
//! into a transaction with the market's lookup table.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod account;
pub mod address;
pub mod book;
pub mod error;
pub mod health;
pub mod instruction;
pub mod price_update;
pub mod token;
pub mod transaction;

pub use error::ClientError;
pub use keel;
pub use keel_risk;
