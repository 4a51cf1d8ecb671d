//! The commands of this repository: `cargo xtask help` lists them.
//!
//! Whatever these commands say goes to the error output, so that the output of what they run can be piped.

mod cargo;
mod checks;
mod packages;
mod program;
mod root;
mod setup;
mod steps;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use cargo::Cargo;
use clap::{Args, Parser, Subcommand};
use program::Program;

/// The commands of this repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the Debian packages that the build needs and that are missing
    Setup,
    /// Build the program: target/deploy/keel.so
    Build,
    /// Everything that has to pass before a change is merged
    Test(TestOptions),
    /// Measure the program's compute units and compare them with the recorded ones
    Bench(BenchOptions),
    /// Start a chain with Keel on it and play a market through
    ///
    /// The flags go to the demo as they are. `--json` prints one JSON object and nothing else to the standard output,
    /// `--prices FILE` and `--scenario FILE` replace what is played, `--serve` keeps the chain running. For all of them:
    /// `cargo xtask demo -- --help`.
    Demo {
        /// Flags of the demo
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
}

#[derive(Args)]
struct TestOptions {
    /// Seed of the random instruction sequences, to repeat a failure [default: the test's own]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length of the random instruction sequences
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    instructions: u64,
}

#[derive(Args)]
struct BenchOptions {
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Record the figures as the ones to compare with
    #[arg(long)]
    update: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let cargo = Cargo::new();
    match command {
        Command::Setup => {
            if !setup::run()? {
                eprintln!("Nothing to install.");
            }
            Ok(())
        }
        Command::Build => {
            setup::run()?;
            eprintln!("{}", Program::build(&cargo)?.so.display());
            Ok(())
        }
        Command::Test(options) => checks::run(&cargo, options.seed, options.instructions),
        Command::Bench(options) => {
            setup::run()?;
            let mut bench = checks::bench(&cargo, &Program::build(&cargo)?)?;
            bench.args(options.json.then_some("--json")).args(options.update.then_some("--update"));
            Err(cargo::become_it(bench))
        }
        Command::Demo { flags } => {
            setup::run()?;
            Err(cargo::become_it(program::demo(&cargo, &Program::build(&cargo)?, &flags)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Command {
        Cli::try_parse_from(["cargo xtask"].iter().chain(args)).unwrap().command
    }

    #[test]
    fn the_demo_gets_its_flags_as_they_are() {
        for flags in [&["--json", "--prices", "a b.csv"][..], &["--serve"], &[]] {
            let Command::Demo { flags: forwarded } = parse(&[&["demo"], flags].concat()) else { panic!() };
            assert_eq!(forwarded, flags);
        }
        let Command::Demo { flags } = parse(&["demo", "--", "--help"]) else { panic!() };
        assert_eq!(flags, ["--help"]);
    }

    #[test]
    fn the_random_test_has_a_default_length() {
        let Command::Test(options) = parse(&["test"]) else { panic!() };
        assert_eq!((options.seed, options.instructions), (None, 20_000));
        let Command::Test(options) = parse(&["test", "--seed", "7", "--instructions", "9"]) else { panic!() };
        assert_eq!((options.seed, options.instructions), (Some(7), 9));
    }
}
