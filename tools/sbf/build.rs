//! Finds LLVM 22, which the crate links to.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PREFIX_VARIABLES: [&str; 2] = ["LLVM_SYS_221_PREFIX", "LLVM_PREFIX"];
const DEBIAN_PREFIX: &str = "/usr/lib/llvm-22";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in PREFIX_VARIABLES {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let Some(folder) = candidates().into_iter().find(|folder| has_library(folder)) else {
        println!(
            "cargo::error=keel-sbf needs LLVM 22. On Debian: apt-get install llvm-22-dev \
             (and rustc-web rust-web-src to build programs). Elsewhere set {}=/path/to/llvm-22.",
            PREFIX_VARIABLES[0]
        );
        return;
    };
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=dylib=LLVM");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
}

/// The folders that may hold LLVM's library, the most explicit first.
fn candidates() -> Vec<PathBuf> {
    let prefixes = PREFIX_VARIABLES.iter().filter_map(env::var_os).map(|prefix| Path::new(&prefix).join("lib"));
    let configured = Command::new("llvm-config-22").arg("--libdir").output().ok().filter(|out| out.status.success());
    let configured = configured.map(|out| PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
    prefixes.chain([Path::new(DEBIAN_PREFIX).join("lib")]).chain(configured).collect()
}

/// A folder of LLVM 22, not of another version that happens to be installed.
fn has_library(folder: &Path) -> bool {
    folder.join("libLLVM.so").exists() && folder.join("libLLVM.so.22.1").exists()
}
