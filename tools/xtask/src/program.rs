//! The compiled program, and what is run with it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{Cargo, forget_running_package, output};

/// The program as bytecode.
pub struct Program {
    pub so: PathBuf,
}

impl Program {
    /// Builds it. Cargo decides whether anything has to be done.
    pub fn build(cargo: &Cargo) -> Result<Program> {
        let builder = cargo.build_binary("keel-sbf")?;
        let mut build = Command::new(builder);
        build.arg("build").arg(cargo.workspace().join("programs/keel")).current_dir(cargo.workspace());
        forget_running_package(&mut build);
        let printed = output(&mut build)?;
        let so = printed.lines().last().map(PathBuf::from).context("keel-sbf did not say where the program is")?;
        Ok(Program { so })
    }
}

/// The demo with these flags.
pub fn demo(cargo: &Cargo, program: &Program, flags: &[OsString]) -> Result<Command> {
    let mut demo = Command::new(cargo.build_binary("keel-localnet")?);
    demo.args(["demo", "--program"]).arg(&program.so).args(flags);
    Ok(demo)
}

/// The measurement of compute units with these flags. It compares with the recorded figures by itself.
pub fn bench(cargo: &Cargo, program: &Program, flags: &[OsString]) -> Result<Command> {
    let mut bench = Command::new(cargo.build_binary("bench")?);
    bench.args(flags).env("KEEL_SO", &program.so);
    Ok(bench)
}
