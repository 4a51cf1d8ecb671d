//! The program's IDL, by Anchor's own builder.
//!
//! With the feature `idl-build` Anchor's macros add tests that print parts of the IDL; the builder runs them and puts the
//! parts together. It calls the `cargo` in the path, and mistakes rustup's variable for a toolchain to install. So it runs
//! in a process of its own, with our cargo first in the path and without that variable.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result, anyhow};

use crate::cargo::{Cargo, forget_running_package, output};

/// The hidden command of this program that prints the IDL.
pub const COMMAND: &str = "print-idl";

/// The IDL, as text.
pub fn build(cargo: &Cargo) -> Result<String> {
    let mut printer = Command::new(env::current_exe().context("cannot find the own program file")?);
    // By their paths: without the variables that describe the package, it only knows where it was compiled.
    printer.arg(COMMAND).arg(cargo.workspace().join("programs/keel")).arg(cargo.target_folder()?.join("idl"));
    printer.current_dir(cargo.workspace()).env_remove("RUSTUP_TOOLCHAIN").env("PATH", path_with(cargo)?);
    forget_running_package(&mut printer);
    output(&mut printer).context("the IDL could not be built")
}

/// The path in which our cargo and the rustc beside it come first.
fn path_with(cargo: &Cargo) -> Result<std::ffi::OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = cargo.program().parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&path)))?)
}

/// Builds and prints the IDL: what [`COMMAND`] does.
///
/// The target folder is one of its own: the feature and the builder's flags would make the dependencies compile anew,
/// back and forth.
pub fn print(program: PathBuf, target_folder: &Path) -> Result<()> {
    let target = target_folder.to_str().context("the target folder's path is not valid Unicode")?;
    let args = ["--lib", "--target-dir", target].map(str::to_owned);
    let idl = IdlBuilder::new().program_path(program).cargo_args(args.to_vec()).build().map_err(|error| {
        anyhow!("{error}. `cargo test -p keel --lib --features idl-build __anchor_private_print_idl` shows why")
    })?;
    println!("{}", serde_json::to_string_pretty(&idl)?);
    Ok(())
}
