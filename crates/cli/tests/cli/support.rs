//! Runs a command line in process.

use anyhow::Result;
use clap::Parser;
use keel_cli::args::Cli;
use keel_cli::assets::Labels;
use keel_cli::commands;
use keel_cli::context::Context;
use keel_cli::report::Report;
use keel_tests::Desk;
use solana_keypair::Keypair;

/// The words of a command line, as a shell would split them; none of ours has quotes.
pub fn parse(line: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("keel").chain(line.split_whitespace()))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What the tests call things.
pub fn labels(desk: &Desk) -> Labels {
    Labels::new(&[(desk.usd_mint.to_string(), "USD".to_string())].into_iter().collect())
}

/// Runs a command line, signed by `signer`.
pub fn run_as(desk: &Desk, signer: &Keypair, line: &str) -> Result<Report> {
    let cli = parse(line);
    let context = Context::on(Box::new(desk.chain.clone()), labels(desk)).with(&cli.global);
    commands::run_on(&context.signing(Box::new(signer.insecure_clone())), cli.command)
}

/// Runs a command line, signed by the user.
pub fn run(desk: &Desk, line: &str) -> Result<Report> {
    run_as(desk, &desk.user, line)
}

/// [`run`] for what has no reason to fail.
pub fn must(desk: &Desk, line: &str) -> Report {
    run(desk, line).unwrap_or_else(|error| panic!("keel {line}: {error:#}"))
}

/// [`run_as`] for what has no reason to fail.
pub fn must_as(desk: &Desk, signer: &Keypair, line: &str) -> Report {
    run_as(desk, signer, line).unwrap_or_else(|error| panic!("keel {line}: {error:#}"))
}
