//! The demo from end to end: the compiled program on an embedded chain, few users, few steps.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The compiled program; the tests are worth nothing without it.
fn program() -> PathBuf {
    match std::env::var_os("KEEL_SO") {
        Some(path) => path.into(),
        None => panic!("KEEL_SO does not name the compiled program; `cargo xtask test` builds it and sets KEEL_SO"),
    }
}

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel-localnet"));
    command.arg("demo").arg("--program").arg(program()).args(arguments);
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("not one JSON object: {error}: {text}"))
}

fn crash() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/small-crash.toml").display().to_string()
}

#[test]
fn a_small_crash_ends_solvent_and_is_repeatable() {
    let arguments = ["--scenario", &crash(), "--seed", "3", "--json"];
    let first = json(&demo(&arguments));
    assert_eq!(first["solvent"], true);
    assert_eq!(first["breaches"].as_array().unwrap().len(), 0);
    let events = first["liquidation_events"].as_array().unwrap();
    assert!(!events.is_empty());
    assert_eq!(first["liquidations"], events.len());
    for event in events {
        let (before, after) = (event["health_before"].as_f64().unwrap(), event["health_after"].as_f64());
        assert!(before < 1.0 && after.is_none_or(|after| after > before), "{event}");
        assert!(event["bounty_usd"].as_f64().unwrap() > 0.0, "{event}");
    }
    assert_eq!(first["unhealthy_vaults"], 0);
    assert_eq!(first["refused_loans"], serde_json::json!({}));
    for figure in ["bad_debt_usd", "supplied_usd", "owed_usd"] {
        assert!(first[figure].is_number(), "{figure}");
    }

    let second = json(&demo(&arguments));
    assert_eq!(second["liquidation_events"], first["liquidation_events"]);
    assert_eq!(second["assets"], first["assets"]);
}

/// A fall by 60 % between two steps: no liquidation can be in time, debt is written off, and the books still hold.
#[test]
fn bad_debt_is_written_off_and_the_books_hold() {
    let report = json(&demo(&["--scenario", &crash().replace("small-crash", "gap"), "--json"]));
    assert_eq!(report["solvent"], true);
    assert!(report["bad_debt_usd"].as_f64().unwrap() > 0.0);
    assert!(report["bad_debt_socialized_usd"].as_f64().unwrap() <= report["bad_debt_usd"].as_f64().unwrap());
    assert_eq!(report["uncovered_usd"], 0.0);
    assert_eq!(report["unhealthy_vaults"], 0);
}

#[test]
fn without_json_there_are_tables() {
    let output = demo(&["--scenario", &crash()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("SOLVENT") && text.contains("owner's loss") && text.contains("sound"), "{text}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn wrong_input_is_one_line_and_exit_code_2() {
    let refused = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keel-localnet"));
        let output = command.arg("demo").arg("--program").arg(program).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert_eq!(text.trim().lines().count(), 1, "{text}");
        assert!(output.stdout.is_empty());
        text
    };
    let text = refused(Path::new("no/such.so"), &["--users", "1"]);
    assert!(text.contains("no/such.so") && text.contains("cargo xtask build"), "{text}");
    let text = refused(Path::new(&crash()), &["--users", "1"]);
    assert!(text.contains("is not a compiled program"), "{text}");
    let text = refused(&program(), &["--scenario", "no/such.toml"]);
    assert!(text.contains("cannot read the scenario no/such.toml"), "{text}");
    let text = refused(&program(), &["--prices", &crash()]);
    assert!(text.contains("line 1") && text.contains("no column of times"), "{text}");
}
