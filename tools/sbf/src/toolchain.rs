//! Which compiler builds the program: the official tools, or the distribution's packages.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

const PACKAGES: &str = "on Debian: apt-get install rustc-web rust-web-src llvm-22-dev";
/// rustc's bitcode can be read by an LLVM of the same major version.
const LLVM_MAJOR: &str = "22";

/// The distribution's rustc with the sources of its library.
pub struct Distribution {
    pub rustc: PathBuf,
    /// What `rustc -vV` prints.
    pub version: String,
    /// `.../lib/rustlib/src/rust`
    pub source: PathBuf,
}

impl Distribution {
    pub fn find() -> Result<Distribution> {
        let rustc = env::var_os("KEEL_SBF_RUSTC").map_or_else(|| PathBuf::from("/usr/bin/rustc"), PathBuf::from);
        let version = output(&rustc, &["-vV"]).with_context(|| {
            format!("the distribution's rustc is missing ({PACKAGES}; KEEL_SBF_RUSTC names another)")
        })?;
        let llvm = version.lines().find_map(|line| line.strip_prefix("LLVM version: ")).unwrap_or("unknown");
        if llvm.split('.').next() != Some(LLVM_MAJOR) {
            bail!("{} has LLVM {llvm}, but LLVM {LLVM_MAJOR} is needed ({PACKAGES})", rustc.display());
        }
        let sysroot = output(&rustc, &["--print", "sysroot"])?;
        let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        if !source.join("library/std/src/lib.rs").exists() {
            bail!("{} has no library sources ({PACKAGES})", source.display());
        }
        Ok(Distribution { rustc, version, source })
    }

    /// One line to name it by.
    pub fn describe(&self) -> String {
        let first = self.version.lines().next().unwrap_or("rustc");
        format!("{} ({first})", self.rustc.display())
    }
}

/// The official `cargo build-sbf`, if it could work without downloading anything.
pub fn find_official() -> Option<PathBuf> {
    let command = in_path("cargo-build-sbf")?;
    platform_tools_installed().then_some(command)
}

fn in_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// `cargo build-sbf` unpacks its compiler to `~/.cache/solana/<version>/platform-tools`.
fn platform_tools_installed() -> bool {
    let Some(home) = env::var_os("HOME") else { return false };
    let Ok(versions) = fs::read_dir(Path::new(&home).join(".cache/solana")) else { return false };
    versions.flatten().any(|version| version.path().join("platform-tools/rust/bin/rustc").exists())
}

/// The standard output of a program that has to succeed.
pub fn output(program: impl AsRef<OsStr>, args: &[&str]) -> Result<String> {
    let name = program.as_ref().to_string_lossy().into_owned();
    let out = Command::new(program).args(args).output().with_context(|| format!("cannot run {name}"))?;
    if !out.status.success() {
        bail!("{name} {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    }
    String::from_utf8(out.stdout).with_context(|| format!("the output of {name} is not text"))
}
