//! `keel`: one binary for users, governance and operators.
//!
//! | module | what it does |
//! |---|---|
//! | [`args`] | the command line |
//! | [`config`] | the Solana command line's configuration: cluster, keypair, labels |
//! | [`signers`] | keypair files, seed phrases, hardware wallets |
//! | [`context`] | what every command needs: the chain, the signer, the market |
//! | [`assets`] | which asset a name means |
//! | [`amount`] | amounts, rates and times as people write them |
//! | [`parameters`] | parameters by their names, as people write them |
//! | [`proposal`] | instructions for a DAO |
//! | [`report`] | what a command says: text for people, JSON for programs |
//! | [`difference`] | accounts before and after a transaction, field by field |
//! | [`hint`] | what to do about an error |
//! | [`commands`] | one module per command |
//!
//! The chain is behind [`keel_client::transport::Transport`], so that tests run every command in process.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod amount;
pub mod args;
pub mod assets;
pub mod commands;
pub mod config;
pub mod context;
pub mod difference;
pub mod hint;
pub mod parameters;
pub mod proposal;
pub mod report;
pub mod signers;

use args::Cli;
use clap::Parser;
use std::process::ExitCode;

/// What the user got wrong: ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(String);

impl BadInput {
    /// An error whose exit code is 2.
    pub fn error(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self(message.into()))
    }
}

/// Parses the command line, does what it says, prints the result. 0: done and good. 1: refused, failed, or done with a bad
/// result. 2: the input is wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    match commands::run(cli) {
        Ok(report) => {
            report.print(json);
            if report.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            hint::print(&error, json);
            ExitCode::from(if error.is::<BadInput>() { 2 } else { 1 })
        }
    }
}
