//! An embedded Solana chain with Keel on it, and a market crash played through it.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`scenario`] | what is played: assets, price paths, users, keeper; read from a file and checked |
//! | [`candles`] | historical prices from CSV files |
//! | [`chain`] | the chain: start, program, clock, accounts, transactions |
//! | [`market`] | mints, price accounts, the market and its reserves |
//! | [`exchange`] | pools that pay the scenario's prices less a slippage |
//! | [`users`] | people with vaults, some of whom react when their health falls |
//! | [`keeper`] | finds unhealthy vaults and liquidates them, with capital and with flash loans |
//! | [`haircuts`] | how prices and haircuts went |
//! | [`solvency`] | whether what is owed to suppliers is there, from the chain's own accounts |
//! | [`report`] | the tables and the JSON |
//! | [`demo`] | puts these together |
//! | [`governance`] | the delay of a served market, and the changes that wait for it |
//! | [`index`] | the chain's history, for the web app |
//! | [`serve`] | keeps the chain running for wallets and interfaces |
//! | [`web`] | serves the web app, its configuration, a faucet and price scenarios |
//! | [`inbox`] | what the web app asks of the thread that moves the chain |
//! | [`script`] | price scenarios for a served chain |
//!
//! Amounts on chain are integers, and everything that decides about money is the program's own code through
//! [`keel_client`]. Floats appear where prices are invented, where the size of a user is drawn, and in the report.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod candles;
pub mod chain;
pub mod cli;
pub mod demo;
pub mod exchange;
pub mod governance;
pub mod haircuts;
pub mod inbox;
pub mod index;
pub mod keeper;
pub mod market;
pub mod report;
pub mod scenario;
pub mod script;
pub mod serve;
pub mod solvency;
pub mod users;
pub mod web;

/// Something that the caller gave is wrong: exit code 2. The text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

impl BadInput {
    /// An error for `anyhow` from a text.
    pub fn error(text: impl Into<String>) -> anyhow::Error {
        Self(text.into()).into()
    }
}

/// A fixed-point number as a float, for reports.
pub fn approximate(fraction: keel_client::keel_risk::Fraction) -> f64 {
    fraction.to_bits() as f64 / (1u64 << keel_client::keel_risk::Fraction::BITS) as f64
}

/// The program's words for an error of the risk crate.
pub fn risk_error(error: keel_client::keel_risk::RiskError) -> anyhow::Error {
    anyhow::anyhow!("{}", keel::KeelError::from(error))
}
