//! What the tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder for one test, below cargo's target folder.
pub fn scratch_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("cargo's target folder can be written to");
    folder
}

/// A run of the tool, with the distribution's compiler whatever else is installed.
pub fn keel_sbf_build(crate_folder: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel-sbf"));
    command.arg("build").arg(crate_folder).args(["--toolchain", "distribution", "--out"]).arg(out);
    command
}
