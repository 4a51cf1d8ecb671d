//! Users, and what they look at.

use crate::support::{must, must_as, run};
use keel_cli::hint::hint;
use keel_client::keel::KeelError;
use keel_client::{ClientError, address};
use keel_tests::Desk;

#[test]
fn a_vault_is_used_from_opening_to_closing() {
    let desk = Desk::open();
    let opened = must(&desk, "vault open --deposit SOL=10 --borrow USD=1000");
    assert!(opened.text.contains("Deposited 10 SOL. Borrowed 1000 USD."), "{}", opened.text);
    must(&desk, "vault deposit SOL 1.5");
    let shown = must(&desk, "vault health");
    assert_eq!(shown.json["positions"][0]["amount"], 11_500_000_000u64);
    assert_eq!(shown.json["positions"][1]["side"], "debt");
    assert!(shown.json["health"].as_str().unwrap().starts_with("1.9"), "{}", shown.json["health"]);
    assert!(shown.text.contains("can still borrow"), "{}", shown.text);
    must(&desk, "vault repay USD 999.5");
    must(&desk, "vault open --index 1 --deposit SOL=1 --borrow USD=10");
    must(&desk, "vault repay USD all");
    must(&desk, "vault withdraw SOL all");
    let closed = must(&desk, "vault close");
    assert!(closed.json["signature"].as_str().is_some());
    let listed = must(&desk, "vault list");
    assert_eq!(listed.json.as_array().unwrap().len(), 1, "only vault 1 is left");
    assert_eq!(listed.json[0]["index"], 1);
}

#[test]
fn a_dry_run_shows_fields_and_sends_nothing() {
    let desk = Desk::open();
    let tried = must(&desk, "vault open --deposit SOL=10 --dry-run");
    let accounts = tried.json["accounts"].as_array().unwrap();
    let vault = accounts.iter().find(|account| account["kind"] == "vault").unwrap();
    let fields = vault["changes"].as_array().unwrap();
    let owner = fields.iter().find(|field| field["field"] == "owner").unwrap();
    assert_eq!(
        (owner["before"].as_str(), owner["after"].as_str()),
        (Some("nothing"), Some(desk.user().to_string().as_str()))
    );
    assert!(!fields.iter().any(|field| field["field"] == "delegate"), "what is zero says nothing: {vault}");
    let reserve = accounts.iter().find(|account| account["account"] == desk.sol.to_string()).unwrap();
    let available = reserve["changes"].as_array().unwrap().iter().find(|field| field["field"] == "available").unwrap();
    assert_eq!((available["before"].as_str(), available["after"].as_str()), (Some("0"), Some("10000000000")));
    assert!(run(&desk, "vault health").unwrap_err().to_string().contains("has no vault 0"));
}

#[test]
fn refusals_say_what_to_do() {
    let desk = Desk::open();
    must(&desk, "vault open --deposit SOL=1");
    let error = run(&desk, "vault borrow USD 199").unwrap_err();
    assert!(error.downcast_ref::<ClientError>().unwrap().is(KeelError::Unhealthy));
    assert!(hint(&error).unwrap().contains("keel vault health"));
    // A dry run is refused by the same error.
    let error = run(&desk, "vault borrow USD 199 --dry-run").unwrap_err();
    assert!(error.downcast_ref::<ClientError>().unwrap().is(KeelError::Unhealthy));
    for (line, says) in [
        ("vault borrow USD all", "keel vault health"),
        ("vault deposit BONK 1", "it lists"),
        ("vault deposit SOL 0.0000000001", "9 decimals"),
        ("vault health --vault 7", "keel vault open"),
        ("market show --market 9", "keel market list"),
    ] {
        let error = run(&desk, line).unwrap_err();
        assert!(error.is::<keel_cli::BadInput>() && format!("{error:#}").contains(says), "{line}: {error:#}");
    }
}

#[test]
fn markets_and_assets_are_shown() {
    let desk = Desk::open();
    must(&desk, "vault open --deposit SOL=10 --borrow USD=1000");
    let market = must(&desk, "market show");
    assert_eq!(market.json["governance"], solana_signer::Signer::pubkey(&desk.governance).to_string());
    assert_eq!(market.json["parameters"]["market.target_health_bps"], 10_500);
    assert!(market.text.contains("market.target_health_bps = 105 %"), "{}", market.text);
    assert_eq!(market.json["reserves"].as_array().unwrap().len(), 2);
    assert_eq!(must(&desk, "market list").json[0]["address"], desk.market.to_string());
    let usd = must(&desk, "reserve show USD");
    assert_eq!(
        (usd.json["owed"].as_u64(), usd.json["supplied"].as_u64()),
        (Some(1_000_000_000), Some(100_000_000_000))
    );
    assert_eq!(usd.json["utilization"].as_str().unwrap()[..6], *"0.0100");
    assert_eq!(usd.json["feeds"][0]["refusedForNewRisk"], serde_json::Value::Null);
    assert!(usd.text.contains("collateral.max_ltv_bps = 75 %"), "{}", usd.text);
    desk.pass(61);
    let stale = must(&desk, "reserve show USD");
    assert_eq!(stale.json["feeds"][0]["refusedForNewRisk"], "PriceStale");
    assert_eq!(stale.json["feeds"][0]["refusedInLiquidation"], serde_json::Value::Null);
    assert_eq!(must(&desk, "reserve list").json.as_array().unwrap().len(), 2);
}

#[test]
fn pauses_are_made_and_seen() {
    let desk = Desk::open();
    let error = run(&desk, "pause borrow").unwrap_err();
    assert!(error.downcast_ref::<ClientError>().unwrap().is(KeelError::NotPauser));
    assert!(hint(&error).unwrap().contains("keel market show"));
    must_as(&desk, &desk.guardian, "pause risk --for 2d");
    let market = must(&desk, "market show");
    assert!(market.text.contains("by guardian; ends in 2 d"), "{}", market.text);
    let error = run(&desk, "vault open --deposit SOL=1").unwrap_err();
    assert!(error.downcast_ref::<ClientError>().unwrap().is(KeelError::Paused));
    must_as(&desk, &desk.guardian, "pause --lift");
    must(&desk, "vault open --deposit SOL=1");
}

#[test]
fn a_lookup_table_is_made_and_used() {
    let desk = Desk::open();
    // LiteSVM knows no old slots by itself.
    let slot = keel_client::transport::Transport::time(&*desk.chain).unwrap().slot;
    desk.chain.with(|svm| {
        use anchor_lang::compat::solana_sysvar::slot_hashes::SlotHashes;
        svm.set_sysvar(&SlotHashes::new(&[(slot - 1, Default::default())]));
    });
    let table = must(&desk, "market table").json["table"].as_str().unwrap().to_string();
    desk.pass(2);
    must(&desk, &format!("vault open --deposit SOL=1 --lookup-table {table}"));
    let vault = address::vault(&desk.market, &desk.user(), 0);
    assert!(must(&desk, &format!("vault show --vault {vault}")).text.contains("1"));
    let error = run(&desk, &format!("vault close --lookup-table {}", desk.market)).unwrap_err();
    assert!(error.to_string().contains("lookup table"), "{error}");
}

#[test]
fn completions_name_the_commands() {
    let desk = Desk::open();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(must(&desk, &format!("completions {shell}")).text.contains("doctor"), "{shell}");
    }
}
