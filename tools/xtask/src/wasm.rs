//! The previews for browsers: `crates/risk-wasm` as WebAssembly.
//!
//! Rust's library for that target is compiled from its sources, as distributions ship none, without the machinery that
//! formats panics. The crate is compiled to a static library and linked by us: rustc would export what any dependency
//! declares for JavaScript, and keep all of its code. What nothing here calls is left out so, cryptography and all.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cargo::{Cargo, forget_running_package, output, run as run_command};
use crate::packages::in_path;

const TARGET: &str = "wasm32-unknown-unknown";
/// What JavaScript calls, beside the memory.
const EXPORTS: [&str; 3] = ["keel_allocate", "keel_answer", "keel_release"];
/// Where the web app looks for it.
const FILE: &str = "app/src/risk/keel_risk.wasm";

/// Builds it for the web app. Returns the path.
pub fn build(cargo: &Cargo) -> Result<PathBuf> {
    let target_folder = cargo.target_folder()?.join("wasm");
    let linker = linker()?;
    let mut compile = cargo.command(&["rustc", "--package", "keel-risk-wasm", "--lib", "--crate-type", "staticlib"])?;
    compile
        .args(["--profile", "wasm", "--target", TARGET, "-Zbuild-std=std", "--target-dir"])
        .arg(&target_folder)
        .env("RUSTC", rustc_with_sources()?)
        // Building the library is an unstable feature of cargo's.
        .env("RUSTC_BOOTSTRAP", "1")
        // Dependencies can make keys, for which they want random numbers. Previews make none: nothing provides them.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Zunstable-options\x1f-Cpanic=immediate-abort\x1f--cfg\x1fgetrandom_backend=\"custom\"",
        )
        // A dependency makes a module of its own, which is not used.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    run_command(&mut compile)?;
    let library = target_folder.join(TARGET).join("wasm/libkeel_risk_wasm.a");
    let linked = target_folder.join("keel_risk.wasm");
    let mut link = Command::new(linker);
    link.args(["--no-entry", "--gc-sections", "--strip-all", "-o"]).arg(&linked).arg(&library);
    link.args(EXPORTS.map(|name| format!("--export={name}")));
    run_command(&mut link)?;
    let module = without_custom_sections(&fs::read(&linked)?).context("the linker wrote no WebAssembly")?;
    let file = cargo.workspace().join(FILE);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(&file, module).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// The distribution's rustc, or the one in the path, whichever has the library's sources.
fn rustc_with_sources() -> Result<PathBuf> {
    let named = env::var_os("KEEL_WASM_RUSTC").map(PathBuf::from);
    let choices = named.map_or_else(|| vec!["/usr/bin/rustc".into(), "rustc".into()], |one| vec![one]);
    choices.into_iter().find(|rustc| has_sources(rustc)).context(
        "no rustc with the sources of its library: install rustc-web and rust-web-src on Debian, elsewhere \
         `rustup component add rust-src` (KEEL_WASM_RUSTC names another)",
    )
}

/// Whether this rustc is there, with the sources of its library.
pub fn has_sources(rustc: &Path) -> bool {
    let mut command = Command::new(rustc);
    command.args(["--print", "sysroot"]).stdin(Stdio::null()).stderr(Stdio::null());
    forget_running_package(&mut command);
    let sysroot = output(&mut command).unwrap_or_default();
    !sysroot.is_empty() && Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/src/lib.rs").exists()
}

fn linker() -> Result<&'static str> {
    let found = ["wasm-ld-22", "wasm-ld"].into_iter().find(|name| in_path(name));
    found.context("LLVM's linker for WebAssembly is missing, wasm-ld: install lld-22")
}

/// A module without what only tools read: what dependencies declare for a binding generator is five times the code.
fn without_custom_sections(module: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    let mut rest = module.get(HEADER..).filter(|_| module.starts_with(b"\0asm\x01\0\0\0"))?;
    let mut kept = module.get(..HEADER)?.to_vec();
    while let Some((kind, after)) = rest.split_first() {
        let (length, contents) = leb128(after)?;
        let (_, next) = contents.split_at_checked(length)?;
        if *kind != 0 {
            kept.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(kept)
}

/// A number of seven bits a byte, the lowest first, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (mut number, mut rest) = (0usize, bytes);
    for shift in [0, 7, 14, 21, 28] {
        let (byte, after) = rest.split_first()?;
        number |= usize::from(byte & 0x7f) << shift;
        rest = after;
        if byte & 0x80 == 0 {
            return Some((number, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_are_left_out() {
        let header = b"\0asm\x01\0\0\0";
        let long = [&[0u8, 0x81, 0x01][..], &[7; 129]].concat();
        let module = [&header[..], &[1, 2, 9, 9], &long, &[3, 1, 5], &[0, 0]].concat();
        assert_eq!(without_custom_sections(&module).unwrap(), [&header[..], &[1, 2, 9, 9, 3, 1, 5]].concat());
        assert_eq!(without_custom_sections(header).unwrap(), header);
        for broken in
            [&b"\0asm"[..], b"\x7fELF\x01\0\0\0", &[&header[..], &[1, 5, 0]].concat(), &[&header[..], &[1]].concat()]
        {
            assert_eq!(without_custom_sections(broken), None);
        }
    }

    #[test]
    fn numbers_of_many_bytes() {
        assert_eq!(leb128(&[0x7f, 1]), Some((127, &[1u8][..])));
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some((624_485, &[][..])));
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[0x80; 6]), None);
    }
}
