//! The demo from end to end: the compiled program on an embedded chain, few users, few steps.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The compiled program; the tests are worth nothing without it.
fn program() -> PathBuf {
    compiled("KEEL_SO")
}

fn compiled(variable: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => panic!("{variable} does not name a compiled program; `cargo xtask test` builds it and sets {variable}"),
    }
}

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keel-localnet"));
    command.arg("demo").arg("--program").arg(program());
    command.arg("--mock-pool").arg(compiled("KEEL_MOCK_POOL_SO")).args(arguments);
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

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
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
    for repeated in ["assets", "minted", "flash_keeper", "haircuts"] {
        assert_eq!(second[repeated], first[repeated], "{repeated}");
    }
    haircuts_rise(&first["haircuts"]);
    debts_are_minted_and_pooled(&first);
    a_keeper_needs_no_capital(&first);
}

/// New loans feel the fall at once, vaults by no more than a point an hour, and neither where the price stands still.
fn haircuts_rise(tracks: &Value) {
    let [sol, usdc] = list(tracks) else { panic!("{tracks}") };
    assert_eq!((&sol["asset"], &usdc["asset"]), (&"SOL".into(), &"USDC".into()));
    let of = |track: &Value, what: &str| list(&track["points"]).iter().map(|p| number(&p[what])).collect::<Vec<_>>();
    assert_eq!(of(sol, "seconds"), [0.0, 120.0, 180.0, 300.0, 420.0, 540.0, 600.0, 720.0]);
    assert_eq!((of(sol, "price_usd")[0], of(sol, "price_usd")[7]), (200.0, 170.0));
    let (initial, maintenance) = (of(sol, "initial"), of(sol, "maintenance"));
    assert!((initial[0] - 0.03).abs() < 1e-9 && initial[6] > 0.06, "{initial:?}");
    assert!(initial[..7].windows(2).all(|pair| pair[0] < pair[1]), "{initial:?}");
    let ramp = 0.01 * 720.0 / 3600.0;
    assert!(maintenance[7] > 0.031 && maintenance[7] <= 0.03 + ramp + 1e-9, "{maintenance:?}");
    assert!(initial.iter().zip(&maintenance).all(|(initial, maintenance)| initial >= maintenance));
    assert!(of(usdc, "initial").iter().chain(&of(usdc, "maintenance")).all(|haircut| (haircut - 0.005).abs() < 1e-9));
}

/// Vaults that owe both are liquidated in either, and every token that exists has something behind it.
fn debts_are_minted_and_pooled(report: &Value) {
    let events = list(&report["liquidation_events"]);
    let both = || events.iter().filter(|event| event["user"].as_str().unwrap().ends_with("SOL for both"));
    assert!(both().any(|event| event["debt_asset"] == "USDC") && both().any(|event| event["debt_asset"] == "kUSD"));
    let minted = &report["minted"];
    assert_eq!(minted["sound"], true);
    assert_eq!(minted["circulating"], minted["mint_supply"]);
    assert_eq!(minted["deficit"], 0.0);
    let [owed, circulating, surplus, swap] =
        ["owed", "circulating", "surplus", "swap_holdings"].map(|figure| number(&minted[figure]));
    assert!(owed > 0.0 && surplus > 0.0 && swap > 0.0, "{minted}");
    assert!((owed + swap - circulating - surplus).abs() < 0.01, "{minted}");
    // What the swap holds is a claim on the pooled reserve.
    let usdc = list(&report["assets"]).iter().find(|asset| asset["asset"] == "USDC").unwrap();
    assert!(number(&usdc["claims"]) > swap && usdc["sound"] == true, "{usdc}");
}

/// One keeper pays all with flash loans, of pooled and of minted tokens, and is left with less than its bounties.
fn a_keeper_needs_no_capital(report: &Value) {
    let events = list(&report["liquidation_events"]);
    let flash: Vec<_> = events.iter().filter(|event| event["keeper"] == "flash loan").collect();
    assert!(flash.iter().any(|event| event["debt_asset"] == "USDC"));
    assert!(flash.iter().any(|event| event["debt_asset"] == "kUSD"));
    for event in events {
        assert_eq!(event["profit_usd"].is_number(), event["keeper"] == "flash loan", "{event}");
    }
    for event in &flash {
        assert!(number(&event["profit_usd"]) > 0.0 && number(&event["profit_usd"]) < number(&event["bounty_usd"]));
    }
    let keeper = &report["flash_keeper"];
    assert_eq!(keeper["liquidations"], flash.len());
    let sum: f64 = flash.iter().map(|event| number(&event["profit_usd"])).sum();
    assert!((number(&keeper["profit_usd"]) - sum).abs() < 1e-6, "{keeper}");
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

/// A loss of minted debt beyond the surplus is nobody's in particular: tokens in circulation without anything behind them.
#[test]
fn a_deficit_is_insolvency() {
    let gap = std::fs::read_to_string(crash().replace("small-crash", "gap")).unwrap();
    let minted = r#"
[minted]
symbol = "kUSD"
swap = "USDC"
debt_ceiling = 1_000_000
swap_cap = 500_000
stability_fee_bps = 500
swap_in_fee_bps = 10
swap_out_fee_bps = 10
swapped_usd = 1_000

[[users]]
name = "minting"
count = 1
collateral = ["SOL"]
borrow = "kUSD"
collateral_usd = [5_000, 10_000]
health = [1.10, 1.16]
watching = 0.0
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("minted-gap.toml");
    std::fs::write(&path, gap + minted).unwrap();
    let output = demo(&["--scenario", &path.display().to_string(), "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["solvent"], false);
    let [breach] = list(&report["breaches"]) else { panic!("{}", report["breaches"]) };
    assert!(breach.as_str().unwrap().contains("kUSD: ") && breach.as_str().unwrap().contains("deficit"), "{breach}");
    assert!(number(&report["minted"]["deficit"]) > 0.0 && report["minted"]["sound"] == false);
    assert_eq!(report["minted"]["circulating"], report["minted"]["mint_supply"]);
    assert!(number(&report["bad_debt_deficit_usd"]) > 0.0);
    assert_eq!(report["flash_keeper"], Value::Null);
}

#[test]
fn without_json_there_are_tables() {
    let output = demo(&["--scenario", &crash()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("SOLVENT") && text.contains("owner's loss") && text.contains("sound"), "{text}");
    assert!(text.contains("maintenance haircut") && text.contains("swap holds USDC"), "{text}");
    assert!(text.contains("by a keeper without capital") && text.contains("a profit of $"), "{text}");
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
    let text = refused(&program(), &["--mock-pool", "no/pool.so"]);
    assert!(text.contains("no/pool.so") && text.contains("--mock-pool"), "{text}");
    let text = refused(&program(), &["--prices", &crash()]);
    assert!(text.contains("line 1") && text.contains("no column of times"), "{text}");
}
