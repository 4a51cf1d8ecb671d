//! `cargo xtask test`: everything that has to pass before a change is merged.

use std::env;
use std::fs;

use anyhow::{Context, Result};

use crate::cargo::{Cargo, error_output, run as run_command};
use crate::features;
use crate::generate;
use crate::node::App;
use crate::program::{self, Programs};
use crate::setup;
use crate::steps::Steps;
use crate::wasm;

pub fn run(cargo: &Cargo, seed: Option<u64>, instructions: Option<u64>) -> Result<()> {
    let mut steps = Steps::default();
    let outcome = run_steps(&mut steps, cargo, seed, instructions);
    eprintln!("\n{}", steps.table());
    outcome?;
    eprintln!("cargo xtask test: everything passed");
    Ok(())
}

fn run_steps(steps: &mut Steps, cargo: &Cargo, seed: Option<u64>, instructions: Option<u64>) -> Result<()> {
    steps.run("setup", setup::run_for_tests)?;
    steps.run("format", || run_command(&mut cargo.command(&["fmt", "--all", "--check"])?))?;
    steps.run("features", || features::check(cargo))?;
    let app = steps.run("web packages", || App::install(cargo))?;
    steps.run("generated files", || generate::check(cargo, &app))?;
    let programs = steps.run("programs", || Programs::build_for_tests(cargo))?;
    steps.run("lints", || {
        run_command(&mut cargo.command(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?)
    })?;
    // What the previews answer on this machine, written by the Rust tests for those of the web app.
    let cases = cargo.target_folder()?.join("previews");
    steps.run("tests", || {
        if cases.exists() {
            fs::remove_dir_all(&cases).with_context(|| format!("cannot remove {}", cases.display()))?;
        }
        let mut tests = cargo.command(tests_of(cargo.has("nextest")))?;
        tests.envs(programs.env()).env("KEEL_PREVIEW_CASES", &cases);
        tests.envs(seed.map(|seed| ("KEEL_SEED", seed.to_string())));
        tests.envs(instructions.map(|instructions| ("KEEL_INSTRUCTIONS", instructions.to_string())));
        run_command(&mut tests)
    })?;
    steps.run("doc tests", || run_command(&mut cargo.command(&["test", "--workspace", "--doc"])?))?;
    steps.run("documentation", || {
        let mut doc = cargo.command(&["doc", "--workspace", "--no-deps"])?;
        doc.env("RUSTDOCFLAGS", deny_warnings(env::var("RUSTDOCFLAGS").ok()));
        run_command(&mut doc)
    })?;
    steps.run("previews", || wasm::build(cargo))?;
    steps.run("web lints", || run_command(&mut app.npm(&["run", "lint"])?))?;
    steps.run("web tests", || {
        run_command(app.npm(&["run", "test", "--", "--reporter=dot"])?.env("KEEL_PREVIEW_CASES", &cases))
    })?;
    steps.run("web build", || run_command(&mut app.npm(&["run", "build"])?))?;
    steps.run("web end to end", || {
        let localnet = cargo.build_binary("keel-localnet")?;
        run_command(app.npm(&["run", "e2e"])?.envs(programs.env()).env("KEEL_LOCALNET", localnet))
    })?;
    steps.run("compute units", || run_command(program::bench(cargo, &programs, &[])?.stdout(error_output()?)))
}

/// The arguments of cargo for the tests of the whole workspace, without those in the documentation.
fn tests_of(has_nextest: bool) -> &'static [&'static str] {
    if has_nextest {
        &["nextest", "run", "--workspace"]
    } else {
        eprintln!("cargo-nextest is not installed: testing with `cargo test`, which takes longer");
        &["test", "--workspace", "--lib", "--bins", "--tests"]
    }
}

fn deny_warnings(flags: Option<String>) -> String {
    flags.map_or_else(|| "-D warnings".to_owned(), |flags| format!("{flags} -D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_for_rustdoc_are_kept() {
        assert_eq!(deny_warnings(None), "-D warnings");
        assert_eq!(deny_warnings(Some("--cfg docs".to_owned())), "--cfg docs -D warnings");
    }

    #[test]
    fn all_packages_are_tested_with_either_tool() {
        assert!(tests_of(true).contains(&"--workspace") && tests_of(false).contains(&"--workspace"));
    }
}
