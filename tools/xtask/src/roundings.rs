//! `cargo xtask roundings`: turns every rounding of the risk mathematics around, one after the other, and sees that a test
//! notices. cargo-mutants changes operators and bodies, but not what this crate says in names: `_floor` and `_ceil`.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{Cargo, output};

const CRATE: &str = "crates/risk/src";
/// Where the tests of a file begin, which are not turned around.
const TESTS: &str = "mod tests {";
/// What stands before a file that is all tests.
const TEST_FILE: &str = "#[cfg(test)]\nmod ";

/// A call of a function that rounds, and where in its file.
struct Rounding {
    file: PathBuf,
    line: usize,
    name: String,
    range: Range<usize>,
    other: String,
}

impl Rounding {
    /// Place and change, for people.
    fn what(&self, workspace: &Path) -> String {
        let Self { file, line, name, other, .. } = self;
        format!("{}:{line}: {name} -> {other}", file.strip_prefix(workspace).unwrap_or(file).display())
    }
}

/// All of them, or those whose place and change begin like one of `only`: `crates/risk/src/pool.rs:196`.
pub fn run(cargo: &Cargo, only: &[String]) -> Result<()> {
    let copy = cargo.workspace().join("target/roundings");
    copy_tracked(cargo, &copy)?;
    let mut roundings = find(&copy)?;
    roundings.retain(|rounding| only.is_empty() || only.iter().any(|start| rounding.what(&copy).starts_with(start)));
    if !passes(&copy, true)? || !passes(&copy, false)? {
        bail!("the tests fail before anything is changed");
    }
    let mut missed = Vec::new();
    for (i, rounding) in roundings.iter().enumerate() {
        let Rounding { file, other, .. } = rounding;
        let what = rounding.what(&copy);
        let original = fs::read_to_string(file)?;
        let mut changed = original.clone();
        changed.replace_range(rounding.range.clone(), other);
        fs::write(file, changed)?;
        // Most are noticed without the long tests.
        let survives = passes(&copy, true)? && passes(&copy, false)?;
        fs::write(file, original)?;
        eprintln!(
            "{:>4}/{} {} {what}",
            i.saturating_add(1),
            roundings.len(),
            if survives { "MISSED" } else { "caught" }
        );
        if survives {
            missed.push(what);
        }
    }
    println!("{} roundings, {} missed", roundings.len(), missed.len());
    missed.iter().for_each(|what| println!("{what}"));
    Ok(())
}

/// Copies the workspace as it is, without what git ignores.
fn copy_tracked(cargo: &Cargo, to: &Path) -> Result<()> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(cargo.workspace());
    for file in output(&mut list)?.lines() {
        let (from, to) = (cargo.workspace().join(file), to.join(file));
        if !from.is_file() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file has a folder")?)?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}

/// Whether the tests of the crate pass: all, or those that are quick.
fn passes(workspace: &Path, quick: bool) -> Result<bool> {
    let mut test = Command::new("cargo");
    test.args(["test", "--quiet", "--package", "keel-risk", "--lib", "--profile", "mutants", "--"]);
    if quick {
        test.args(["--skip", "exhaustive::", "--skip", "a_year", "--skip", "outlook::"]);
    }
    test.current_dir(workspace).env("CARGO_TARGET_DIR", workspace.join("target"));
    test.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1").stdout(Stdio::null()).stderr(Stdio::null());
    Ok(test.status().context("cannot run cargo")?.success())
}

/// Every call, outside of the tests, of a function that has a counterpart.
fn find(workspace: &Path) -> Result<Vec<Rounding>> {
    let mut files = Vec::new();
    collect(&workspace.join(CRATE), &mut files)?;
    let sources: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|file| fs::read_to_string(&file).map(|source| (file, source)))
        .collect::<Result<_, _>>()?;
    let defined: BTreeSet<String> = sources.iter().flat_map(|(_, source)| definitions(source)).collect();
    let test_files: BTreeSet<String> = sources.iter().flat_map(|(_, source)| test_files(source)).collect();
    let mut roundings = Vec::new();
    for (file, source) in sources.iter().filter(|(file, _)| !is_among(file, &test_files)) {
        for (line, name, range) in calls(source) {
            let other = counterpart(&name);
            if let Some(other) = other.filter(|other| defined.contains(other)) {
                roundings.push(Rounding { file: file.clone(), line, name, range, other });
            }
        }
    }
    Ok(roundings)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// The modules of `source` that are files of tests.
fn test_files(source: &str) -> Vec<String> {
    let names = source.split(TEST_FILE).skip(1).map(|rest| rest.chars().take_while(|c| is_name(*c)).collect());
    names.filter(|name: &String| source.contains(&format!("{TEST_FILE}{name};"))).collect()
}

/// Whether `file` is one of these modules, or in the folder of one.
fn is_among(file: &Path, modules: &BTreeSet<String>) -> bool {
    let module = file.with_extension("");
    module.iter().any(|part| modules.contains(part.to_string_lossy().as_ref()))
}

fn counterpart(name: &str) -> Option<String> {
    let swapped = |from, to| name.strip_suffix(from).map(|stem| format!("{stem}{to}"));
    swapped("_floor", "_ceil").or_else(|| swapped("_ceil", "_floor"))
}

fn definitions(source: &str) -> Vec<String> {
    let names = source.split("fn ").skip(1).map(|rest| rest.chars().take_while(|c| is_name(*c)).collect());
    names.filter(|name: &String| counterpart(name).is_some()).collect()
}

/// Line, name and place of each call of a function that says how it rounds.
fn calls(source: &str) -> Vec<(usize, String, Range<usize>)> {
    let body = source.split(TESTS).next().unwrap_or_default();
    let mut calls = Vec::new();
    let mut start = 0;
    for (number, line) in body.split_inclusive('\n').enumerate() {
        if !line.trim_start().starts_with("//") {
            for (open, _) in line.match_indices('(') {
                let name_start = line[..open].rfind(|c| !is_name(c)).map_or(0, |before| before + 1);
                let (before, name) = (&line[..name_start], &line[name_start..open]);
                if counterpart(name).is_some() && !before.ends_with("fn ") {
                    calls.push((number + 1, name.to_owned(), start + name_start..start + open));
                }
            }
        }
        start += line.len();
    }
    calls
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_and_definitions_comments_and_tests_are_not() {
        let source =
            "fn a_floor(x: u8) {}\n// b_floor(1)\n    x.mul_ceil(y)?.div_floor(z); plain(1)\nmod tests {\nc_ceil(1)\n";
        let found: Vec<_> = calls(source).into_iter().map(|(line, name, range)| (line, name, &source[range])).collect();
        let names = [(3, "mul_ceil"), (3, "div_floor")];
        assert_eq!(found, names.map(|(line, name)| (line, name.to_owned(), name)));
        assert_eq!(definitions(source), ["a_floor"]);
    }

    #[test]
    fn counterparts_round_the_other_way() {
        assert_eq!(counterpart("mul_floor").as_deref(), Some("mul_ceil"));
        assert_eq!(counterpart("from_bps_ceil").as_deref(), Some("from_bps_floor"));
        assert_eq!(counterpart("floor"), None);
    }

    #[test]
    fn the_risk_crate_has_roundings() {
        let roundings = find(Cargo::new().workspace()).unwrap();
        assert!(roundings.iter().any(|r| r.file.ends_with("crates/risk/src/liquidation.rs")));
        assert!(roundings.iter().all(|r| r.name != r.other && !r.range.is_empty()));
        assert!(!roundings.iter().any(|r| r.file.ends_with("exhaustive/books.rs") || r.file.ends_with("year.rs")));
    }
}
