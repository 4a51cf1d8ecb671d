//! `keel-sbf build`: runs cargo for a program and puts the result where Anchor expects it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value as Json;

use crate::link::{debug_object_path, error_path};
use crate::lock;
use crate::sysroot::{Sysroot, TARGET, wrapper_link};
use crate::toolchain::{self, Distribution};
use crate::wrapper;

/// The name under which rustc calls this program as its linker.
pub const LINKER_LINK: &str = "keel-sbf-link";

/// Which tools to build with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The official tools if they are installed, else the distribution's.
    Auto,
    Official,
    Distribution,
}

/// What to build, and where to.
pub struct Build {
    pub crate_folder: PathBuf,
    pub out: Option<PathBuf>,
    pub toolchain: Choice,
    pub cargo_flags: Vec<OsString>,
}

/// The files that a build wrote.
pub struct Built {
    pub program: PathBuf,
    pub debug_object: PathBuf,
}

/// The package of the program, as cargo describes it.
struct Package {
    manifest: PathBuf,
    library: String,
    target_folder: PathBuf,
    workspace: PathBuf,
}

pub fn build(build: &Build) -> Result<Built> {
    let package = Package::read(&build.crate_folder)?;
    let out = build.out.clone().unwrap_or_else(|| package.target_folder.join("deploy"));
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let built = Built {
        program: out.join(format!("{}.so", package.library)),
        debug_object: out.join(format!("{}.debug.o", package.library)),
    };
    let official = match build.toolchain {
        Choice::Distribution => None,
        Choice::Auto => toolchain::find_official(),
        Choice::Official => Some(
            toolchain::find_official()
                .context("the official tools are not installed: cargo-build-sbf with its platform tools")?,
        ),
    };
    match official {
        Some(command) => build_official(&command, build, &package, &out, &built)?,
        None => build_with_distribution(build, &package, &built)?,
    }
    Ok(built)
}

impl Package {
    fn read(folder: &Path) -> Result<Package> {
        let manifest = folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().with_context(|| format!("{} does not exist", manifest.display()))?;
        let path = manifest.to_str().context("the path of the program is not valid Unicode")?;
        let args = ["metadata", "--no-deps", "--format-version", "1", "--manifest-path", path];
        let metadata: Json = serde_json::from_str(&toolchain::output(cargo(), &args)?)?;
        let target = |package: &Json| {
            let targets = package["targets"].as_array()?;
            let library = targets.iter().find(|target| is_cdylib(&target["crate_types"]))?;
            Some(library["name"].as_str()?.replace('-', "_"))
        };
        let package = metadata["packages"]
            .as_array()
            .and_then(|packages| packages.iter().find(|p| p["manifest_path"].as_str() == Some(path)))
            .with_context(|| format!("{path} is not a package"))?;
        let library = target(package)
            .with_context(|| format!("{path} has no library of the type cdylib, which a Solana program is"))?;
        let folder = |name: &str| metadata[name].as_str().map(PathBuf::from).with_context(|| format!("no {name}"));
        Ok(Package {
            library,
            target_folder: folder("target_directory")?,
            workspace: folder("workspace_root")?,
            manifest,
        })
    }
}

fn is_cdylib(crate_types: &Json) -> bool {
    crate_types.as_array().is_some_and(|types| types.iter().any(|one| one == "cdylib"))
}

/// The cargo that runs us, or the one in the path.
fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn build_official(command: &Path, build: &Build, package: &Package, out: &Path, built: &Built) -> Result<()> {
    eprintln!("keel-sbf: building with the official tools ({})", command.display());
    let status = Command::new(command)
        .arg("--manifest-path")
        .arg(&package.manifest)
        .arg("--sbf-out-dir")
        .arg(out)
        .arg("--")
        .args(&build.cargo_flags)
        .status()
        .with_context(|| format!("cannot run {}", command.display()))?;
    if !status.success() {
        bail!("cargo build-sbf failed");
    }
    // What it leaves in its target folder still has the symbols.
    for target in ["sbpf-solana-solana", "sbf-solana-solana"] {
        let unstripped = package.target_folder.join(target).join("release").join(format!("{}.so", package.library));
        if unstripped.exists() {
            copy(&unstripped, &built.debug_object)?;
            break;
        }
    }
    Ok(())
}

fn build_with_distribution(build: &Build, package: &Package, built: &Built) -> Result<()> {
    let distribution = Distribution::find()?;
    eprintln!("keel-sbf: building with {}", distribution.describe());
    // A folder of its own: another rustc's files in it would make cargo start over at every change of compiler.
    let target_folder = package.target_folder.join("sbf");
    let links = target_folder.join("keel-sbf");
    // Cargo's own lock ends with cargo, before the program has been copied.
    let _lock = lock::folder(&links)?;
    link_to_self(&links)?;
    let sysroot = Sysroot::ensure(&distribution, &cargo(), &links)?;
    let release = target_folder.join(TARGET).join("release/deps");
    let program = release.join(format!("lib{}.so", package.library));
    forget_output_of_other_tool(&program, &links.join(format!("{}.built-by", package.library)))?;
    fs::remove_file(error_path(&program)).ok();
    let artifact = run_cargo(build, package, &distribution, &sysroot, &links, &target_folder)
        .map_err(|error| fs::read_to_string(error_path(&program)).map_or(error, |text| anyhow!("{text}")))?;
    if artifact.file_name() != program.file_name() {
        bail!("cargo built {}, not {}", artifact.display(), program.display());
    }
    copy(&program, &built.program)?;
    copy(&debug_object_path(&program), &built.debug_object)
}

/// Replaces `to` at once: whoever reads it meanwhile has the old file or the new one, never a part.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let unfinished = to.with_extension(format!("unfinished-{}", process::id()));
    fs::copy(from, &unfinished)
        .and_then(|_| fs::rename(&unfinished, to))
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// The wrapper and the linker are this program, told apart by the name they are called by.
fn link_to_self(folder: &Path) -> Result<()> {
    let own = env::current_exe().context("cannot find the own program file")?;
    for name in [wrapper_link(), LINKER_LINK] {
        let link = folder.join(name);
        if fs::read_link(&link).ok().as_ref() != Some(&own) {
            fs::remove_file(&link).ok();
            symlink(&own, &link).with_context(|| format!("cannot create {}", link.display()))?;
        }
    }
    Ok(())
}

/// Cargo does not know that the linker has changed: without its output it calls it again. The stamp is the program's
/// own: when one is built by the new tool, the others still are the old one's.
fn forget_output_of_other_tool(program: &Path, stamp: &Path) -> Result<()> {
    let own = fs::read(env::current_exe()?).context("cannot read the own program file")?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&own);
    let current = format!("{:016x}", hasher.finish());
    if fs::read_to_string(stamp).ok().as_deref() != Some(&current) || !debug_object_path(program).exists() {
        fs::remove_file(program).ok();
        fs::write(stamp, current).with_context(|| format!("cannot write {}", stamp.display()))?;
    }
    Ok(())
}

/// Runs cargo and returns the path of the cdylib that it made.
fn run_cargo(
    build: &Build,
    package: &Package,
    distribution: &Distribution,
    sysroot: &Sysroot,
    links: &Path,
    target_folder: &Path,
) -> Result<PathBuf> {
    let mut cargo = Command::new(cargo());
    cargo
        .args(["build", "--release", "--lib", "--message-format=json-render-diagnostics", "--target", TARGET])
        .arg("--manifest-path")
        .arg(&package.manifest)
        .arg("--target-dir")
        .arg(target_folder)
        .args(&build.cargo_flags)
        .env("RUSTC", &distribution.rustc)
        .env("RUSTC_WRAPPER", links.join(wrapper_link()))
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        // Only a name: it makes cargo compile anew when the library is another one.
        .env("CARGO_ENCODED_RUSTFLAGS", format!("--cfg\x1fkeel_sbf_library=\"{}\"", sysroot.key))
        // The linker optimizes the whole program; doing it twice only takes longer.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_INCREMENTAL", "0")
        .env(wrapper::TARGET_FILE, sysroot.target_file())
        .env(wrapper::SYSROOT, sysroot.path())
        .env(wrapper::WORKSPACE, &package.workspace)
        .env(wrapper::LINKER, links.join(LINKER_LINK))
        .stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot run cargo")?;
    let messages = child.stdout.take().context("cargo's output cannot be read")?;
    let mut artifact = None;
    for line in BufReader::new(messages).lines() {
        artifact = artifact.or(cdylib_in_message(&line?, &package.manifest));
    }
    if !child.wait()?.success() {
        bail!("cargo build failed");
    }
    artifact.context("cargo did not report a program file")
}

/// The `.so` in one of cargo's messages, if it is the program's.
fn cdylib_in_message(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(line).ok()?;
    let is_program = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().map(Path::new) == Some(manifest)
        && is_cdylib(&message["target"]["crate_types"]);
    let files = message["filenames"].as_array().filter(|_| is_program)?;
    files.iter().filter_map(Json::as_str).find(|name| name.ends_with(".so")).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","target":{"crate_types":["cdylib","lib"]},"filenames":["/t/libp.so","/t/libp.rlib"]}"#;
        assert_eq!(cdylib_in_message(line, Path::new("/p/Cargo.toml")), Some(PathBuf::from("/t/libp.so")));
        assert_eq!(cdylib_in_message(line, Path::new("/q/Cargo.toml")), None);
        assert_eq!(cdylib_in_message("not json", Path::new("/p/Cargo.toml")), None);
    }
}
