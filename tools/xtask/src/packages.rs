//! What the build needs besides Rust and a C compiler, and which of it is missing.

use std::env;
use std::fs;
use std::path::Path;

/// A Debian package, and the tool by which it is recognized where there are no Debian packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: &'static str,
    pub purpose: &'static str,
    /// What has to be installed where this package does not exist.
    pub elsewhere: &'static str,
    pub compiles_bytecode: bool,
}

/// Everything else that is compiled comes with its sources: OpenSSL, zstd, lz4, blst and ring.
pub const PACKAGES: [Package; 5] = [
    Package {
        name: "rustc-web",
        purpose: "the compiler that turns the program into bitcode",
        elsewhere: BYTECODE_ELSEWHERE,
        compiles_bytecode: true,
    },
    Package {
        name: "rust-web-src",
        purpose: "the standard library's sources, compiled for Solana with it",
        elsewhere: BYTECODE_ELSEWHERE,
        compiles_bytecode: true,
    },
    Package {
        name: "llvm-22-dev",
        purpose: "LLVM, with which keel-sbf makes bytecode of the bitcode",
        elsewhere: "LLVM 22 with its shared library (LLVM_SYS_221_PREFIX names its folder)",
        compiles_bytecode: false,
    },
    Package {
        name: "make",
        purpose: "OpenSSL, which a dependency builds from its sources",
        elsewhere: "make",
        compiles_bytecode: false,
    },
    Package { name: "perl", purpose: "OpenSSL's build scripts", elsewhere: "perl", compiles_bytecode: false },
];

const BYTECODE_ELSEWHERE: &str = "Solana's own tools (`cargo build-sbf`, run once so that it has its platform tools)";

/// The packages that this machine needs: Solana's own tools make the distribution's compiler unnecessary.
pub fn needed(has_solana_tools: bool) -> Vec<Package> {
    PACKAGES.into_iter().filter(|package| !(package.compiles_bytecode && has_solana_tools)).collect()
}

/// Those of the packages that are not installed, by what `dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n'` printed.
pub fn missing(needed: &[Package], dpkg_list: &str) -> Vec<Package> {
    // Of the two letters the first is what is wanted (install, hold), the second what is: i for installed.
    let is_installed = |name: &str| {
        dpkg_list.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next().is_some_and(|status| status.get(1..2) == Some("i"))
        })
    };
    needed.iter().copied().filter(|package| !is_installed(package.name)).collect()
}

/// Whether `cargo build-sbf` is installed, with the compiler that it otherwise downloads.
pub fn has_solana_tools() -> bool {
    let Some(home) = env::var_os("HOME") else { return false };
    let Ok(versions) = fs::read_dir(Path::new(&home).join(".cache/solana")) else { return false };
    let has_compiler = versions.flatten().any(|one| one.path().join("platform-tools/rust/bin/rustc").exists());
    has_compiler && in_path("cargo-build-sbf")
}

/// Whether the tool that a package brings can be found without asking dpkg.
pub fn is_found(package: &Package) -> bool {
    match package.name {
        "rustc-web" => Path::new("/usr/bin/rustc").exists(),
        "rust-web-src" => Path::new("/usr/lib/rustlib/src/rust/library/std").exists(),
        "llvm-22-dev" => env::var_os("LLVM_SYS_221_PREFIX").is_some() || in_path("llvm-config-22"),
        tool => in_path(tool),
    }
}

pub fn in_path(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(packages: &[Package]) -> Vec<&str> {
        packages.iter().map(|package| package.name).collect()
    }

    #[test]
    fn only_what_is_installed_counts() {
        let list = "rustc-web ii \nrust-web-src rc \nllvm-22-dev un \nmake hi \nmake ii \n";
        assert_eq!(names(&missing(&needed(false), list)), ["rust-web-src", "llvm-22-dev", "perl"]);
        assert_eq!(missing(&needed(false), "").len(), PACKAGES.len());
        let all: String = PACKAGES.iter().map(|package| format!("{} ii \n", package.name)).collect();
        assert_eq!(missing(&needed(false), &all), []);
    }

    #[test]
    fn names_are_compared_whole() {
        let list = "perl-base ii \nmake-guile ii \nllvm-22-dev:i386 \nllvm-22 ii \n";
        assert_eq!(missing(&needed(false), list).len(), PACKAGES.len());
    }

    #[test]
    fn solana_tools_replace_the_distributions_compiler() {
        assert_eq!(names(&needed(true)), ["llvm-22-dev", "make", "perl"]);
        assert_eq!(names(&needed(false)).len(), PACKAGES.len());
    }

    #[test]
    fn tools_are_found_in_the_path() {
        assert!(in_path("sh"));
        assert!(!in_path("no-such-tool"));
    }
}
