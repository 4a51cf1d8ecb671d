//! Stands between cargo and rustc, and adds what compiling for SBPF needs.
//!
//! These arguments depend on the machine (folders) and must not count for cargo, which mixes all flags that it knows of
//! into the names of symbols: the program would come out different in every folder. Compilations for the host, such as
//! build scripts and procedural macros, pass unchanged.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::ir;
use crate::sysroot::TARGET;

/// What the driver tells the wrapper, in the environment.
pub const TARGET_FILE: &str = "KEEL_SBF_TARGET_FILE";
pub const SYSROOT: &str = "KEEL_SBF_SYSROOT";
pub const WORKSPACE: &str = "KEEL_SBF_WORKSPACE";
pub const LINKER: &str = "KEEL_SBF_LINKER";

/// Becomes rustc. `args` are rustc's path and its arguments.
pub fn run(args: impl Iterator<Item = OsString>) -> Result<()> {
    let mut args = args;
    let rustc = args.next().context("the wrapper was called without a compiler")?;
    let args: Vec<OsString> = args.collect();
    let mut command = Command::new(&rustc);
    match env::var_os(TARGET_FILE).and_then(|file| with_target_file(&args, &file)) {
        Some(mut args) => {
            if env::var_os(SYSROOT).is_none() {
                fix_metadata(&mut args, &package_name(|name| env::var_os(name)));
            }
            // Targets in files are an unstable feature; the program itself is to be compiled as with a stable rustc.
            command.args(args).arg("-Zunstable-options").env("RUSTC_BOOTSTRAP", "1");
            command.args(target_arguments());
        }
        None => {
            command.args(&args);
        }
    }
    Err(command.exec()).with_context(|| format!("cannot run {}", rustc.to_string_lossy()))
}

/// The arguments with the target's file in place of its name, or `None` for a compilation for another target.
fn with_target_file(args: &[OsString], file: &OsStr) -> Option<Vec<OsString>> {
    let place = args.windows(2).position(|pair| pair[0] == "--target" && pair[1] == TARGET)?;
    let mut args = args.to_vec();
    args[place + 1] = file.to_owned();
    Some(args)
}

/// Cargo derives what it mixes into the names of symbols from the place of the library's sources, which are in the
/// cache folder. The package and its version say enough: there is one of each in the library.
fn fix_metadata(args: &mut [OsString], package: &str) {
    for arg in args.iter_mut().filter(|arg| arg.as_encoded_bytes().starts_with(b"metadata=")) {
        *arg = OsString::from(format!("metadata={package}"));
    }
}

fn package_name(variable: impl Fn(&str) -> Option<OsString>) -> String {
    let text = |name: &str| variable(name).unwrap_or_default().to_string_lossy().into_owned();
    format!("{}-{}", text("CARGO_PKG_NAME"), text("CARGO_PKG_VERSION"))
}

fn target_arguments() -> Vec<OsString> {
    // Bitcode is all that the linker reads; cargo tells rustc to leave it out.
    let mut args = vec![OsString::from("-Cembed-bitcode=yes")];
    // SBPF has no vector registers: what the vectorizers make would only be taken apart again.
    args.extend(["-Cno-vectorize-loops", "-Cno-vectorize-slp"].map(OsString::from));
    args.extend(ir::SPEED_OPTIONS.iter().map(|option| OsString::from(format!("-Cllvm-args={option}"))));
    if let Some(sysroot) = env::var_os(SYSROOT) {
        args.extend([OsString::from("--sysroot"), sysroot, OsString::from("-Zallow-features=")]);
    }
    if let Some(linker) = env::var_os(LINKER) {
        args.push(concat(&["-Clinker=".as_ref(), &linker]));
    }
    args.extend(remaps(|name| env::var_os(name)));
    args
}

/// Folders of the machine end up in the messages of panics. The last one that fits counts.
fn remaps(variable: impl Fn(&str) -> Option<OsString>) -> Vec<OsString> {
    let package = format!("/{}", package_name(&variable));
    let places = [
        (variable(WORKSPACE), "/workspace".to_owned()),
        (variable("CARGO_MANIFEST_DIR"), package.clone()),
        (variable("OUT_DIR"), format!("{package}/out")),
    ];
    places
        .into_iter()
        .filter_map(|(folder, name)| Some((folder?, name)))
        .filter(|(folder, _)| Path::new(folder).is_absolute())
        .map(|(folder, name)| concat(&["--remap-path-prefix=".as_ref(), &folder, "=".as_ref(), name.as_ref()]))
        .collect()
}

fn concat(parts: &[&OsStr]) -> OsString {
    parts.iter().fold(OsString::new(), |mut all, part| {
        all.push(part);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_the_own_target_is_changed() {
        let file = OsStr::new("/cache/t.json");
        assert_eq!(
            with_target_file(&os(&["a.rs", "--target", TARGET]), file),
            Some(os(&["a.rs", "--target", "/cache/t.json"]))
        );
        assert_eq!(with_target_file(&os(&["a.rs", "--target", "x86_64-unknown-linux-gnu"]), file), None);
        assert_eq!(with_target_file(&os(&["build.rs"]), file), None);
    }

    #[test]
    fn the_library_is_named_by_package_and_version() {
        let mut args = os(&["-C", "metadata=0123", "-C", "extra-filename=-4567"]);
        fix_metadata(&mut args, "core-0.0.0");
        assert_eq!(args, os(&["-C", "metadata=core-0.0.0", "-C", "extra-filename=-4567"]));
    }

    #[test]
    fn folders_of_the_machine_get_names() {
        let variable = |name: &str| {
            Some(OsString::from(match name {
                WORKSPACE => "/home/a/keel",
                "CARGO_MANIFEST_DIR" => "/home/a/.cargo/registry/src/x/foo-1.2.3",
                "CARGO_PKG_NAME" => "foo",
                "CARGO_PKG_VERSION" => "1.2.3",
                _ => return None,
            }))
        };
        assert_eq!(
            remaps(variable),
            os(&[
                "--remap-path-prefix=/home/a/keel=/workspace",
                "--remap-path-prefix=/home/a/.cargo/registry/src/x/foo-1.2.3=/foo-1.2.3",
            ])
        );
    }
}
