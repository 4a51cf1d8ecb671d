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
    /// SPL Governance, for the tests alone.
    pub governance: Option<PathBuf>,
}

impl Programs {
    /// Builds what the demo and the measurement need. Cargo decides whether anything has to be done.
    pub fn build(cargo: &Cargo) -> Result<Programs> {
        Builder::new(cargo)?.programs()
    }

    /// Builds all that the tests need.
    pub fn build_for_tests(cargo: &Cargo) -> Result<Programs> {
        let builder = Builder::new(cargo)?;
        let programs = builder.programs()?;
        Ok(Programs { governance: Some(builder.build("tests/programs/governance")?), ..programs })
    }

    /// The environment by which tests and tools find them.
    pub fn env(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let always = [("KEEL_SO", &*self.keel), ("KEEL_MOCK_POOL_SO", &*self.mock_pool)];
        always.into_iter().chain(self.governance.as_deref().map(|path| ("KEEL_GOVERNANCE_SO", path)))
    }
}

/// The tool that builds programs.
struct Builder<'c> {
    cargo: &'c Cargo,
    tool: PathBuf,
}

impl Builder<'_> {
    fn new(cargo: &Cargo) -> Result<Builder<'_>> {
        Ok(Builder { tool: cargo.build_binary("keel-sbf")?, cargo })
    }

    fn programs(&self) -> Result<Programs> {
        let (keel, mock_pool) = (self.build("programs/keel")?, self.build("tests/programs/mock-pool")?);
        Ok(Programs { keel, mock_pool, governance: None })
    }

    /// Builds the program in a folder of the repository.
    fn build(&self, folder: &str) -> Result<PathBuf> {
        let workspace = self.cargo.workspace();
        let mut build = Command::new(&self.tool);
        build.arg("build").arg(workspace.join(folder)).current_dir(workspace);
        // A program with a workspace of its own would be built in a folder of its own, too.
        build.envs(target_folder(&self.tool).map(|folder| ("CARGO_TARGET_DIR", folder)));
        forget_running_package(&mut build);
        program_in_output(&mut build)
    }
}

/// Where cargo put a binary: it is in `debug` there.
fn target_folder(binary: &Path) -> Option<&Path> {
    binary.parent()?.parent()
}

/// The file that keel-sbf names last.
fn program_in_output(build: &mut Command) -> Result<PathBuf> {
    let printed = output(build)?;
    printed.lines().last().map(PathBuf::from).context("keel-sbf did not say where the program is")
}

/// The demo with these flags, and the built web app in a folder.
pub fn demo(cargo: &Cargo, programs: &Programs, flags: &[OsString], app: Option<&Path>) -> Result<Command> {
    let mut demo = Command::new(cargo.build_binary("keel-localnet")?);
    demo.args(["demo", "--program"]).arg(&programs.keel).args(flags).envs(programs.env());
    if let Some(app) = app {
        demo.arg("--app").arg(app);
    }
    Ok(demo)
}

/// The measurement of compute units with these flags. It compares with the recorded figures by itself.
pub fn bench(cargo: &Cargo, programs: &Programs, flags: &[OsString]) -> Result<Command> {
    let mut bench = Command::new(cargo.build_binary("bench")?);
    bench.args(flags).envs(programs.env());
    Ok(bench)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_with_another_workspace_are_built_beside_the_tool() {
        assert_eq!(target_folder(Path::new("/t/debug/keel-sbf")), Some(Path::new("/t")));
    }

    #[test]
    fn a_program_that_was_not_built_is_not_named() {
        let programs = |governance: Option<&str>| {
            let governance = governance.map(PathBuf::from);
            Programs { keel: "k.so".into(), mock_pool: "p.so".into(), governance }
        };
        let names = |programs: &Programs| programs.env().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&programs(None)), ["KEEL_SO", "KEEL_MOCK_POOL_SO"]);
        assert_eq!(names(&programs(Some("g.so"))), ["KEEL_SO", "KEEL_MOCK_POOL_SO", "KEEL_GOVERNANCE_SO"]);
    }
}
