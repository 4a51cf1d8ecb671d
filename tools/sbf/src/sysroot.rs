//! The compiled library for the target, kept in a cache folder.
//!
//! It is built once for a machine, from the edited sources of [`crate::overlay`], and not again for every target
//! folder. The folder's name is a hash of everything that goes in, so that a change of any of it makes a new one.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::ir;
use crate::lock;
use crate::overlay;
use crate::toolchain::Distribution;
use crate::wrapper;

/// The target's name, as programs see it: `target_os = "solana"`.
pub const TARGET: &str = "sbpf-solana-solana";

/// Upstream's BPF target, with an operating system and without threads. Its objects are bitcode, because the
/// lowering has to see the whole program.
const TARGET_FILE: &str = include_str!("sbpf-solana-solana.json");

/// A crate that does nothing but make cargo build the library.
const DUMMY_MANIFEST: &str = "[package]\nname = \"library\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n[workspace]\nmembers = [\".\"]\nexclude = [\"library\"]\n";

/// The parts of a finished cache folder.
pub struct Sysroot {
    folder: PathBuf,
    /// Names this build of the library among others.
    pub key: String,
}

impl Sysroot {
    pub fn target_file(&self) -> PathBuf {
        target_file(&self.folder)
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join("sysroot")
    }

    /// The library for this compiler, built if it is not in the cache.
    pub fn ensure(distribution: &Distribution, cargo: &Path, own_links: &Path) -> Result<Sysroot> {
        let key = key(distribution)?;
        let cache = cache_folder()?;
        let sysroot = Sysroot { folder: cache.join(&key), key };
        // One builds, the others wait.
        let _lock = lock::folder(&cache)?;
        if !sysroot.folder.exists() {
            eprintln!("keel-sbf: building Rust's library for SBPF, once ({})", sysroot.folder.display());
            let unfinished = cache.join("unfinished");
            remove(&unfinished)?;
            build(distribution, cargo, own_links, &unfinished)?;
            fs::rename(&unfinished, &sysroot.folder)
                .with_context(|| format!("cannot create {}", sysroot.folder.display()))?;
        }
        Ok(sysroot)
    }
}

fn target_file(folder: &Path) -> PathBuf {
    folder.join(format!("{TARGET}.json"))
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn cache_folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("KEEL_SBF_CACHE") {
        return Ok(PathBuf::from(folder));
    }
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .context("neither KEEL_SBF_CACHE nor XDG_CACHE_HOME nor HOME is set")?;
    Ok(base.join("keel-sbf"))
}

fn key(distribution: &Distribution) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&overlay::fingerprint(&distribution.source)?);
    // These files say how the library is built.
    let how = [include_str!("sysroot.rs"), include_str!("wrapper.rs"), &ir::SPEED_OPTIONS.concat()];
    for text in [&distribution.version, TARGET_FILE, env!("CARGO_PKG_VERSION")].into_iter().chain(how) {
        hasher.write(text.as_bytes());
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn build(distribution: &Distribution, cargo: &Path, own_links: &Path, folder: &Path) -> Result<()> {
    let work = folder.join("work");
    overlay::create(&distribution.source, &work)?;
    fs::write(target_file(folder), TARGET_FILE)?;
    fs::write(work.join("Cargo.toml"), DUMMY_MANIFEST)?;
    fs::write(work.join("lib.rs"), "#![no_std]\n")?;
    let target_folder = work.join("target");
    let status = Command::new(cargo)
        .args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET, "--target-dir"])
        .arg(&target_folder)
        .current_dir(&work)
        .env("RUSTC", &distribution.rustc)
        .env("RUSTC_WRAPPER", own_links.join(wrapper_link()))
        .env("RUSTC_BOOTSTRAP", "1")
        // Without it, std marks itself as restricted, because it does not know the operating system.
        .env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1")
        // Where cargo looks for the library's sources, in place of the compiler's own.
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", work.join("library"))
        .env(wrapper::TARGET_FILE, target_file(folder))
        .env(wrapper::WORKSPACE, &work)
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove(wrapper::SYSROOT)
        .status()
        .with_context(|| format!("cannot run {}", cargo.display()))?;
    if !status.success() {
        bail!("Rust's library could not be built for SBPF");
    }
    let libraries = folder.join("sysroot/lib/rustlib").join(TARGET).join("lib");
    collect_libraries(&target_folder.join(TARGET).join("release/deps"), &libraries)?;
    remove(&work)
}

/// The name under which the wrapper is called; see `main.rs`.
pub fn wrapper_link() -> &'static str {
    "keel-sbf-rustc"
}

fn collect_libraries(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("liblibrary-") {
            fs::copy(&path, to.join(&name)).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}
