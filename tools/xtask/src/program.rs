//! The compiled programs, and what is run with them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{Cargo, forget_running_package, output};

/// The programs as bytecode.
pub struct Programs {
    pub keel: PathBuf,
    /// An exchange, for the tests and the demo.
    pub mock_pool: PathBuf,
}

impl Programs {
    /// Builds them. Cargo decides whether anything has to be done.
    pub fn build(cargo: &Cargo) -> Result<Programs> {
        let builder = cargo.build_binary("keel-sbf")?;
        let build = |folder| build(cargo, &builder, folder);
        Ok(Programs { keel: build("programs/keel")?, mock_pool: build("tests/programs/mock-pool")? })
    }

    /// The environment by which tests and tools find them.
    pub fn env(&self) -> [(&'static str, &Path); 2] {
        [("KEEL_SO", &self.keel), ("KEEL_MOCK_POOL_SO", &self.mock_pool)]
    }
}

/// Builds the program in a folder of the workspace.
fn build(cargo: &Cargo, builder: &Path, folder: &str) -> Result<PathBuf> {
    let mut build = Command::new(builder);
    build.arg("build").arg(cargo.workspace().join(folder)).current_dir(cargo.workspace());
    forget_running_package(&mut build);
    let printed = output(&mut build)?;
    printed.lines().last().map(PathBuf::from).context("keel-sbf did not say where the program is")
}

/// The demo with these flags.
pub fn demo(cargo: &Cargo, programs: &Programs, flags: &[OsString]) -> Result<Command> {
    let mut demo = Command::new(cargo.build_binary("keel-localnet")?);
    demo.args(["demo", "--program"]).arg(&programs.keel).args(flags).envs(programs.env());
    Ok(demo)
}

/// The measurement of compute units with these flags. It compares with the recorded figures by itself.
pub fn bench(cargo: &Cargo, programs: &Programs, flags: &[OsString]) -> Result<Command> {
    let mut bench = Command::new(cargo.build_binary("bench")?);
    bench.args(flags).envs(programs.env());
    Ok(bench)
}
