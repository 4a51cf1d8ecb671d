//! The command line.

use crate::commands::Command;
use anchor_lang::prelude::Pubkey;
use clap::{Args, Parser, ValueEnum};
use keel_client::keel::state::Role;
use solana_commitment_config::CommitmentConfig;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Keel's command line, for users, governance and operators
///
/// Exit code 0 when it is done and good, 1 when it was refused, failed or found something bad, 2 when the input is wrong.
#[derive(Debug, Parser)]
#[command(name = "keel", version, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The cluster: a node's URL, or mainnet-beta, testnet, devnet, localhost or their first letters [default: as configured
    /// for the Solana command line]
    #[arg(short, long, global = true, value_name = "URL_OR_MONIKER")]
    pub url: Option<String>,
    /// Who signs and pays: a keypair file, - for the standard input, prompt:, or usb://ledger [default: as configured for the
    /// Solana command line]
    #[arg(short, long, global = true, value_name = "KEYPAIR")]
    pub keypair: Option<String>,
    /// The Solana command line's configuration [default: ~/.config/solana/cli/config.yml]
    #[arg(short = 'C', long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How sure an answer has to be: processed, confirmed or finalized
    #[arg(long, global = true, value_name = "LEVEL")]
    pub commitment: Option<CommitmentConfig>,
    /// The market: its number or its address
    #[arg(short, long, global = true, value_name = "ID_OR_ADDRESS", default_value = "0")]
    pub market: MarketRef,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Send nothing; show what would change, field by field
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Send nothing; print the instruction for a proposal of the DAO that has the role
    #[arg(long, global = true, conflicts_with = "dry_run")]
    pub print_instruction: bool,
    /// Who signs the printed instruction [default: governance; for veto and tighten the guardian, for step the risk steward]
    #[arg(long = "as", global = true, value_name = "ROLE", requires = "print_instruction")]
    pub role: Option<RoleName>,
    /// Who pays in the printed instruction: the DAO's treasury [default: the DAO]
    #[arg(long, global = true, value_name = "ADDRESS", requires = "print_instruction")]
    pub payer: Option<Pubkey>,
    /// What to pay for priority, in millionths of a lamport per compute unit [default: what most others paid lately]
    #[arg(long, global = true, value_name = "MICRO_LAMPORTS")]
    pub priority_fee: Option<u64>,
    /// A lookup table that makes transactions shorter
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub lookup_table: Option<Pubkey>,
}

/// A role, as the command line writes it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleName {
    /// Queues changes
    Governance,
    /// Pauses, tightens, vetoes
    Guardian,
    /// Tightens, and moves parameters by steps
    RiskSteward,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Governance => Self::Governance,
            RoleName::Guardian => Self::Guardian,
            RoleName::RiskSteward => Self::RiskSteward,
        }
    }
}

/// A market, by its number or its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketRef {
    /// Its number.
    Id(u16),
    /// Its address.
    Key(Pubkey),
}

impl FromStr for MarketRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse().map(Self::Key).map_err(|_| "neither a number from 0 to 65535 nor an address".into())
    }
}

impl fmt::Display for MarketRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Key(key) => key.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_coherent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn markets_have_numbers_and_addresses() {
        assert_eq!("7".parse(), Ok(MarketRef::Id(7)));
        let key = keel_client::address::market(7);
        assert_eq!(key.to_string().parse(), Ok(MarketRef::Key(key)));
        let refused = Err("neither a number from 0 to 65535 nor an address".to_owned());
        assert_eq!("70000".parse::<MarketRef>(), refused);
        assert_eq!(MarketRef::Id(7).to_string(), "7");
    }
}
