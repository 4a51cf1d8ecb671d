//! One module per command.

pub mod app_config;
pub mod change;
pub mod doctor;
pub mod market;
pub mod migrate;
pub mod parameters;
pub mod pause;
pub mod reserve;
pub mod vault;

use crate::args::Cli;
use crate::context::Context;
use crate::report::Report;
use anyhow::Result;
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at markets
    #[command(subcommand)]
    Market(market::Command),
    /// Look at a market's assets
    #[command(subcommand)]
    Reserve(reserve::Command),
    /// Look at vaults; deposit, withdraw, borrow, repay
    #[command(subcommand)]
    Vault(vault::Command),
    /// Announce, execute and veto changes of parameters, roles and listings; tighten and step without notice
    #[command(subcommand)]
    Change(change::Command),
    /// Pause what creates risk, or everything; or end a pause
    Pause(pause::Pause),
    /// Check a deployment: roles, limits, oracles, books, program, changes
    Doctor(doctor::Doctor),
    /// Deploy, set a market up, hand it over, upgrade account layouts: the numbered steps of migrations/
    Migrate(migrate::Migrate),
    /// Every parameter: unit, range, who may move it and how fast
    Parameters,
    /// Print a completion script for a shell
    ///
    /// For bash: keel completions bash > ~/.local/share/bash-completion/completions/keel
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<Report> {
    match cli.command {
        // These need no cluster.
        Command::Completions { shell } => return Ok(completions(shell)),
        Command::Parameters => return Ok(parameters::run()),
        _ => {}
    }
    run_on(&Context::new(&cli.global)?, cli.command)
}

/// Does what a command says, on a chain.
pub fn run_on(context: &Context, command: Command) -> Result<Report> {
    match command {
        Command::Market(command) => market::run(context, command),
        Command::Reserve(command) => reserve::run(context, command),
        Command::Vault(command) => vault::run(context, command),
        Command::Change(command) => change::run(context, command),
        Command::Doctor(command) => doctor::run(context, &command),
        Command::Migrate(command) => migrate::run(context, &command),
        Command::Parameters => Ok(parameters::run()),
        Command::Pause(command) => pause::run(context, command),
        Command::Completions { shell } => Ok(completions(shell)),
    }
}

fn completions(shell: Shell) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keel", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Report::new(script.clone(), script)
}
