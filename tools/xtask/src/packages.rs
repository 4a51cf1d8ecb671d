//! What the build needs besides Rust and a C compiler, and which of it is missing.

use std::env;
use std::fs;
use std::path::Path;

use crate::wasm;

/// A Debian package, and the tool by which it is recognized where there are no Debian packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    pub name: &'static str,
    pub purpose: &'static str,
    /// What has to be installed where this package does not exist.
    pub elsewhere: &'static str,
    pub compiles_bytecode: bool,
    /// Whether nothing but the tests needs it.
    pub only_tests: bool,
}

/// Everything else that is compiled comes with its sources: OpenSSL, zstd, lz4, blst, ring and libusb.
pub const PACKAGES: [Package; 8] = [
    Package {
        name: "rustc-web",
        purpose: "the compiler that turns the program into bitcode, and the previews into WebAssembly",
        elsewhere: BYTECODE_ELSEWHERE,
        compiles_bytecode: true,
        only_tests: false,
    },
    Package {
        name: "rust-web-src",
        purpose: "the standard library's sources, compiled for both with it",
        elsewhere: BYTECODE_ELSEWHERE,
        compiles_bytecode: true,
        only_tests: false,
    },
    Package {
        name: "llvm-22-dev",
        purpose: "LLVM, with which keel-sbf makes bytecode of the bitcode",
        elsewhere: "LLVM 22 with its shared library (LLVM_SYS_221_PREFIX names its folder)",
        compiles_bytecode: false,
        only_tests: false,
    },
    Package {
        name: "lld-22",
        purpose: "wasm-ld, the linker of the previews in WebAssembly",
        elsewhere: "wasm-ld of LLVM",
        compiles_bytecode: false,
        only_tests: false,
    },
    Package {
        name: "make",
        purpose: "OpenSSL, which a dependency builds from its sources",
        elsewhere: "make",
        compiles_bytecode: false,
        only_tests: false,
    },
    Package {
        name: "perl",
        purpose: "OpenSSL's build scripts",
        elsewhere: "perl",
        compiles_bytecode: false,
        only_tests: false,
    },
    Package {
        name: "chromium",
        purpose: "the browser in which the web app is tested",
        elsewhere: "Chromium (KEEL_CHROMIUM names its program)",
        compiles_bytecode: false,
        only_tests: true,
    },
    Package {
        name: NODE_SOURCE,
        purpose: "Python's package installer, which brings Node.js for the web app where there is none or an old one",
        elsewhere: "Node.js 20.19 or newer with npm",
        compiles_bytecode: false,
        only_tests: true,
    },
];

/// Debian's own Node.js is too old.
const NODE_SOURCE: &str = "python3-venv";

const BYTECODE_ELSEWHERE: &str = "Solana's own tools (`cargo build-sbf`, run once so that it has its platform tools), and \
                                  the sources of Rust's library (`rustup component add rust-src`)";

/// What decides which packages are needed.
#[derive(Clone, Copy)]
pub struct Situation {
    /// Other tools for both targets are there: the distribution's compiler is unnecessary.
    pub has_other_tools: bool,
    /// Node.js is there, and new enough.
    pub has_node: bool,
    /// Not only to build, but also to test.
    pub tests: bool,
}

/// The packages that are needed.
pub fn needed(situation: Situation) -> Vec<Package> {
    let Situation { has_other_tools, has_node, tests } = situation;
    let is_needed = |package: &Package| {
        let replaced = (package.compiles_bytecode && has_other_tools) || (package.name == NODE_SOURCE && has_node);
        !replaced && (tests || !package.only_tests)
    };
    PACKAGES.into_iter().filter(is_needed).collect()
}

/// Whether Solana's own tools and a rustc with the sources of its library are there.
pub fn has_other_tools() -> bool {
    has_solana_tools() && wasm::has_sources(Path::new("rustc"))
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
fn has_solana_tools() -> bool {
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
        "lld-22" => in_path("wasm-ld-22") || in_path("wasm-ld"),
        NODE_SOURCE => in_path("python3"),
        "chromium" => env::var_os("KEEL_CHROMIUM").is_some() || in_path("chromium"),
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

    const BUILD: Situation = Situation { has_other_tools: false, has_node: false, tests: false };
    const ALL: Situation = Situation { tests: true, ..BUILD };

    fn names(packages: &[Package]) -> Vec<&str> {
        packages.iter().map(|package| package.name).collect()
    }

    #[test]
    fn only_what_is_installed_counts() {
        let list = "rustc-web ii \nrust-web-src rc \nllvm-22-dev un \nmake hi \nmake ii \n";
        assert_eq!(names(&missing(&needed(BUILD), list)), ["rust-web-src", "llvm-22-dev", "lld-22", "perl"]);
        assert_eq!(missing(&needed(ALL), "").len(), PACKAGES.len());
        let all: String = PACKAGES.iter().map(|package| format!("{} ii \n", package.name)).collect();
        assert_eq!(missing(&needed(ALL), &all), []);
    }

    #[test]
    fn names_are_compared_whole() {
        let list = "perl-base ii \nmake-guile ii \nllvm-22-dev:i386 \nllvm-22 ii \n";
        assert_eq!(missing(&needed(ALL), list).len(), PACKAGES.len());
    }

    #[test]
    fn other_tools_replace_the_distributions_compiler() {
        let situation = Situation { has_other_tools: true, ..BUILD };
        assert_eq!(names(&needed(situation)), ["llvm-22-dev", "lld-22", "make", "perl"]);
        assert_eq!(names(&needed(ALL)).len(), PACKAGES.len());
    }

    #[test]
    fn only_tests_need_a_browser_and_node() {
        for package in ["chromium", NODE_SOURCE] {
            assert!(names(&needed(ALL)).contains(&package));
            assert!(!names(&needed(BUILD)).contains(&package));
        }
        assert!(!names(&needed(Situation { has_node: true, ..ALL })).contains(&NODE_SOURCE));
    }

    #[test]
    fn tools_are_found_in_the_path() {
        assert!(in_path("sh"));
        assert!(!in_path("no-such-tool"));
    }
}
