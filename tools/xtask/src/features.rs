//! Whether tests and tools are built with the same features.
//!
//! A development dependency can select a feature of a crate that the tools use too. The tools would then be compiled a
//! second time, from that crate up, and as `libkeel` has no hash in its file name (being a `cdylib` too), each build
//! would overwrite what the other one is linked to.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::cargo::{Cargo, output};

pub fn check(cargo: &Cargo) -> Result<()> {
    let tree = |edges| {
        let args = ["tree", "--workspace", "--prefix", "none", "--format", "{p} [{f}]", "--edges", edges];
        output(&mut cargo.command(&args)?)
    };
    let differing = only_in_first(&tree("normal,build")?, &tree("normal,build,dev")?);
    if differing.is_empty() {
        return Ok(());
    }
    let list: String = differing.iter().map(|package| format!("\n    {package}")).collect();
    bail!(
        "development dependencies give these crates more features than the tools do:{list}\nLet the root Cargo.toml ask \
         for the same features everywhere (see tools/xtask/src/features.rs)"
    )
}

fn only_in_first(first: &str, second: &str) -> Vec<String> {
    let packages = |tree| -> BTreeSet<String> {
        // A package that was shown before is marked with (*), without its dependencies.
        str::lines(tree).map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    packages(first).difference(&packages(second)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_packages_are_fine_but_not_other_features() {
        let tools = "a v1.0.0 [default]\nb v2.0.0 []\na v1.0.0 [default] (*)\n";
        assert!(only_in_first(tools, "a v1.0.0 [default] (*)\nb v2.0.0 []\nc v3.0.0 [std]\n").is_empty());
        assert_eq!(only_in_first(tools, "a v1.0.0 [default]\nb v2.0.0 [std]\n"), ["b v2.0.0 []"]);
    }
}
