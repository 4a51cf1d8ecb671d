//! The commands of this repository: `cargo xtask help` lists them.
//!
//! Whatever these commands say goes to the error output, so that the output of what they run can be piped.

mod cargo;
mod checks;
mod features;
mod generate;
mod idl;
mod mutants;
mod node;
mod packages;
mod program;
mod root;
mod roundings;
mod setup;
mod steps;
mod wasm;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use cargo::Cargo;
use clap::{Args, Parser, Subcommand};
use node::App;
use program::Programs;

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
    /// Build the program, target/deploy/keel.so, and the exchange and the DAO of its tests
    Build,
    /// Everything that has to pass before a change is merged
    Test(TestOptions),
    /// Write what is generated from the program: its IDL, idl/keel.json, and the web app's client, app/src/generated
    Generate {
        /// Write nothing; fail when what is there is not what would be written
        #[arg(long)]
        check: bool,
    },
    /// Run a script of the web app, app/package.json: `dev`, `build`, `test`. Without a name, only what they need
    ///
    /// Installs the app's packages and builds the previews, app/src/risk/keel_risk.wasm.
    App {
        /// The script and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        script: Vec<OsString>,
    },
    #[command(name = idl::COMMAND, hide = true)]
    PrintIdl { program: PathBuf, target_folder: PathBuf },
    /// Measure the program's compute units and compare them with the recorded ones
    ///
    /// The flags go to the measurement as they are. `--json` prints the figures as JSON, `--update` records them as the
    /// ones to compare with. For all of them: `cargo xtask bench -- --help`.
    Bench {
        /// Flags of the measurement
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Change the risk mathematics in many small ways, and see that a test notices each
    ///
    /// Installs cargo-mutants if it is missing. Takes an hour or more; the flags go to it as they are, such as
    /// `--in-diff FILE` or `--file crates/risk/src/pool.rs`. What survives is listed in target/mutants.out/missed.txt, and
    /// explained in docs/developers/mutants.md.
    Mutants {
        /// Flags of cargo-mutants
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Turn every rounding of the risk mathematics around, one after the other, and see that a test notices each
    ///
    /// Takes about an hour. What is missed is listed at the end, and explained in docs/developers/mutants.md.
    Roundings {
        /// Only those that begin like this, such as `crates/risk/src/pool.rs` or `crates/risk/src/pool.rs:196`
        #[arg(value_name = "PLACE")]
        only: Vec<String>,
    },
    /// Start a chain with Keel on it: to be used in a browser, or to play a market crash through
    ///
    /// In a terminal it serves the web app, whose buttons move the prices. Elsewhere, and with `--no-serve`, it plays the
    /// crash and ends; `--serve` serves anyway. The flags go to the demo as they are: `--json` prints one JSON object and
    /// nothing else to the standard output, `--prices FILE` and `--scenario FILE` replace what is played. For all of
    /// them: `cargo xtask demo -- --help`.
    Demo {
        /// Flags of the demo
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
}

#[derive(Args)]
struct TestOptions {
    /// Seed of the random instruction sequences, to repeat a failure [default: each test's own]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length of the random instruction sequences [default: each test's own, 40000 for the invariants]
    #[arg(long, value_name = "N")]
    instructions: Option<u64>,
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
            if !setup::run_for_tests()? {
                eprintln!("Nothing to install.");
            }
            Ok(())
        }
        Command::Build => {
            setup::run()?;
            for (_, program) in Programs::build_for_tests(&cargo)?.env() {
                eprintln!("{}", program.display());
            }
            Ok(())
        }
        Command::Test(options) => checks::run(&cargo, options.seed, options.instructions),
        Command::Generate { check } => {
            setup::run()?;
            let app = App::install(&cargo)?;
            if check { generate::check(&cargo, &app) } else { generate::write(&cargo, &app) }
        }
        Command::App { script } => {
            setup::run()?;
            let app = App::install(&cargo)?;
            let previews = wasm::build(&cargo)?;
            if script.is_empty() {
                eprintln!("{}", previews.display());
                return Ok(());
            }
            Err(cargo::become_it(app.npm(&[&["run".into(), "--".into()], script.as_slice()].concat())?))
        }
        Command::PrintIdl { program, target_folder } => idl::print(program, &target_folder),
        Command::Bench { flags } => {
            setup::run()?;
            Err(cargo::become_it(program::bench(&cargo, &Programs::build(&cargo)?, &flags)?))
        }
        Command::Mutants { flags } => mutants::run(&cargo, &flags),
        Command::Roundings { only } => roundings::run(&cargo, &only),
        Command::Demo { flags } => {
            setup::run()?;
            let flags = node::demo_flags(flags, std::io::stdout().is_terminal());
            let app = node::app_for_demo(&cargo, &flags)?;
            Err(cargo::become_it(program::demo(&cargo, &Programs::build(&cargo)?, &flags, app.as_deref())?))
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
    fn flags_are_forwarded_as_they_are() {
        for flags in [&["--json", "--prices", "a b.csv"][..], &["--serve"], &[]] {
            let Command::Demo { flags: forwarded } = parse(&[&["demo"], flags].concat()) else { panic!() };
            assert_eq!(forwarded, flags);
            let Command::Bench { flags: forwarded } = parse(&[&["bench"], flags].concat()) else { panic!() };
            assert_eq!(forwarded, flags);
        }
        let Command::Demo { flags } = parse(&["demo", "--", "--help"]) else { panic!() };
        assert_eq!(flags, ["--help"]);
    }

    #[test]
    fn random_tests_can_be_repeated() {
        let Command::Test(options) = parse(&["test"]) else { panic!() };
        assert_eq!((options.seed, options.instructions), (None, None));
        let Command::Test(options) = parse(&["test", "--seed", "7", "--instructions", "9"]) else { panic!() };
        assert_eq!((options.seed, options.instructions), (Some(7), Some(9)));
    }
}
