//! `cargo xtask mutants`: mutation testing of the risk mathematics. What is mutated and how stands in
//! `.cargo/mutants.toml`.

use std::ffi::OsString;

use anyhow::Result;

use crate::cargo::{Cargo, run as run_command};

/// The version that `.cargo/mutants.toml` is written for.
const VERSION: &str = "27.1.0";

pub fn run(cargo: &Cargo, flags: &[OsString]) -> Result<()> {
    if !cargo.has("mutants") {
        eprintln!("Installing cargo-mutants {VERSION}, which takes some minutes");
        run_command(&mut cargo.command(&["install", "cargo-mutants", "--locked", "--version", VERSION])?)?;
    }
    let mut mutants = cargo.command(&["mutants", "--package", "keel-risk", "--output", "target"])?;
    // A test that fails leaves its input behind for the next run to begin with, and nothing of a mutant is worth that.
    mutants.args(flags).env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1");
    run_command(&mut mutants)
}
