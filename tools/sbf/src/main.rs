//! The command line. See the library for what it does.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use keel_sbf::{driver, link, profile, sysroot, wrapper};

/// Builds Solana programs with the packages of a Linux distribution
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Build the program in a folder
    Build {
        /// The folder of the program's Cargo.toml
        crate_dir: PathBuf,
        /// Where the program goes [default: target/deploy of the workspace]
        #[arg(long)]
        out: Option<PathBuf>,
        /// The tools to build with
        #[arg(long, value_enum, default_value = "auto")]
        toolchain: driver::Choice,
        /// More flags for cargo
        #[arg(last = true)]
        cargo_flags: Vec<OsString>,
    },
    /// Link bitcode to a program, with the arguments of rustc
    Link {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Show where the compute units of traced transactions go, by function
    Profile {
        /// The object with symbols that `build` wrote
        #[arg(long)]
        program: PathBuf,
        /// The functions to show of every trace
        #[arg(long, default_value_t = 20)]
        top: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// The traces that LiteSVM wrote
        #[arg(required = true)]
        traces: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keel-sbf: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The links that `build` makes to this program carry a role in their name, because cargo and rustc only take a path.
fn run() -> Result<()> {
    let mut args = env::args_os();
    let own_name = args.next().unwrap_or_default();
    let own_name = Path::new(&own_name).file_name().unwrap_or_default();
    if own_name == driver::LINKER_LINK {
        link::run_as_linker(args)
    } else if own_name == sysroot::wrapper_link() {
        wrapper::run(args)
    } else {
        run_command(Cli::parse().command)
    }
}

fn run_command(command: Action) -> Result<()> {
    match command {
        Action::Build { crate_dir, out, toolchain, cargo_flags } => {
            let built = driver::build(&driver::Build { crate_folder: crate_dir, out, toolchain, cargo_flags })?;
            println!("{}", built.program.display());
        }
        Action::Link { args } => link::run_as_linker(args.into_iter())?,
        Action::Profile { program, top, json, traces } => {
            print!("{}", profile::run(&profile::Profile { program, traces, top, json })?);
        }
    }
    Ok(())
}
