//! Governance.

use crate::support::{must, must_as, run, run_as};
use base64::Engine;
use keel_client::keel::KeelError;
use keel_client::{ClientError, view};
use keel_tests::Desk;
use solana_keypair::Keypair;
use solana_signer::Signer;

const DAY: i64 = 86_400;

/// A market that needs two days of notice.
fn with_notice() -> Desk {
    let desk = Desk::open();
    must_as(&desk, &desk.guardian, "change tighten market --set timelock.delay=2d");
    desk
}

fn is(error: &anyhow::Error, expected: KeelError) -> bool {
    error.downcast_ref::<ClientError>().is_some_and(|error| error.is(expected))
}

#[test]
fn a_change_is_announced_and_executed() {
    let desk = with_notice();
    let queued = must_as(
        &desk,
        &desk.governance,
        "change queue reserve SOL --set limits.borrow_cap=5000 --set collateral.max_ltv_bps=80%",
    );
    assert!(queued.text.contains("keel change execute"), "{}", queued.text);
    let number = must(&desk, "change list").json[0]["nonce"].as_u64().unwrap();
    let shown = must(&desk, &format!("change show {number}"));
    assert_eq!(shown.json["status"], "waiting");
    let lines = shown.json["changes"].as_array().unwrap();
    let line = |name: &str| lines.iter().find(|line| line["parameter"] == name).unwrap();
    assert_eq!(
        (line("limits.borrow_cap")["before"].as_str(), line("limits.borrow_cap")["after"].as_str()),
        (Some("none"), Some("5,000"))
    );
    assert_eq!(line("limits.borrow_cap")["meaning"], "tighter");
    assert_eq!(
        (line("collateral.max_ltv_bps")["meaning"].as_str(), line("collateral.max_ltv_bps")["effect"].as_str()),
        (Some("looser"), Some("nothing"))
    );
    assert!(shown.text.contains("can be executed in 2 d") && lines.len() == 2, "{}", shown.text);
    let error = run(&desk, &format!("change execute {number}")).unwrap_err();
    assert!(is(&error, KeelError::ChangeTooEarly), "{error:#}");
    desk.pass(2 * DAY);
    assert_eq!(must(&desk, "change list").json[0]["status"], "ready");
    must(&desk, &format!("change execute {number}"));
    let config =
        view::reserves(&*desk.chain, &desk.market).unwrap().iter().find(|(key, _)| *key == desk.sol).unwrap().1.config;
    assert_eq!((config.limits.borrow_cap, config.collateral.max_ltv_bps), (5_000_000_000_000, 8_000));
    assert!(must(&desk, "change list").text.contains("No change is queued"));
    let error = run(&desk, &format!("change show {number}")).unwrap_err();
    assert!(error.to_string().contains("none is queued"), "{error}");
}

#[test]
fn a_change_is_vetoed_or_expires() {
    let desk = with_notice();
    must_as(&desk, &desk.governance, "change queue reserve USD --set terms.flash_fee_bps=9");
    must_as(&desk, &desk.governance, "change queue market --set market.target_health_bps=110%");
    let numbers: Vec<u64> =
        must(&desk, "change list").json.as_array().unwrap().iter().map(|c| c["nonce"].as_u64().unwrap()).collect();
    let error = run(&desk, &format!("change veto {}", numbers[0])).unwrap_err();
    assert!(is(&error, KeelError::NotVetoer), "{error:#}");
    must_as(&desk, &desk.guardian, &format!("change veto {}", numbers[0]));
    assert!(must(&desk, "change close-expired").text.contains("No change has expired"));
    desk.pass(30 * DAY);
    let listed = must(&desk, "change list");
    assert_eq!((listed.json.as_array().unwrap().len(), listed.json[0]["status"].as_str()), (1, Some("expired")));
    must(&desk, "change close-expired");
    assert!(must(&desk, "change list").json.as_array().unwrap().is_empty());
}

#[test]
fn a_superseded_change_is_seen() {
    let desk = with_notice();
    must_as(&desk, &desk.governance, "change queue reserve SOL --set limits.deposit_cap=100");
    must_as(&desk, &desk.risk_steward, "change tighten reserve SOL --set limits.borrow_cap=100");
    assert_eq!(must(&desk, "change list").json[0]["status"], "superseded");
}

#[test]
fn what_loosens_needs_notice() {
    let desk = with_notice();
    let error =
        run_as(&desk, &desk.guardian, "change tighten reserve SOL --set collateral.max_ltv_bps=80%").unwrap_err();
    assert!(is(&error, KeelError::NeedsNotice), "{error:#}");
    let error =
        run_as(&desk, &desk.risk_steward, "change step reserve SOL --set collateral.max_ltv_bps=80%").unwrap_err();
    assert!(is(&error, KeelError::StepTooLarge), "{error:#}");
    let error = run(&desk, "change queue reserve SOL --set limits.deposit_cap=1").unwrap_err();
    assert!(is(&error, KeelError::NotGovernance), "{error:#}");
    for (line, says) in [
        ("change queue reserve SOL", "--set"),
        ("change queue reserve SOL --set limits.cap=1", "limits.deposit_cap"),
        ("change step market --set timelock.delay=3d", "only parameters of reserves"),
        ("change queue role guardian me", "neither an address nor nobody"),
        ("change execute 77", "there is no change 77"),
    ] {
        let error = run_as(&desk, &desk.governance, line).unwrap_err();
        assert!(error.is::<keel_cli::BadInput>() && format!("{error:#}").contains(says), "{line}: {error:#}");
    }
}

#[test]
fn a_role_changes_hands_in_two_steps() {
    let desk = Desk::open();
    let next = Keypair::new();
    desk.chain.with(|svm| svm.airdrop(&next.pubkey(), 1_000_000_000).unwrap());
    must_as(&desk, &desk.governance, &format!("change queue role guardian {}", next.pubkey()));
    let number = must(&desk, "change list").json[0]["nonce"].as_u64().unwrap();
    must(&desk, &format!("change execute {number}"));
    assert!(must(&desk, "market show").text.contains("guardian to"), "on offer");
    let error = run(&desk, "change accept-role guardian").unwrap_err();
    assert!(is(&error, KeelError::RoleNotOffered), "{error:#}");
    must_as(&desk, &next, "change accept-role guardian");
    assert_eq!(must(&desk, "market show").json["guardian"], next.pubkey().to_string());
}

#[test]
fn an_asset_is_listed_with_two_changes() {
    let desk = Desk::open();
    let config =
        view::reserves(&*desk.chain, &desk.market).unwrap().iter().find(|(key, _)| *key == desk.usd).unwrap().1.config;
    let mint = desk.create_mint(4);
    let mut file = String::new();
    for (name, value) in keel_cli::parameters::to_json(&mut config.clone()) {
        let (section, own) = name.split_once('.').unwrap();
        // Amounts in a file are whole tokens of another mint.
        let value = if own.ends_with("outflow") {
            "\"none\"".to_string()
        } else if section == "limits" {
            "\"0\"".to_string()
        } else {
            format!("\"{}\"", value.to_string().trim_matches('"'))
        };
        file.push_str(&format!("[{section}]\n{own} = {value}\n"));
    }
    let file = merge_sections(&file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.toml");
    std::fs::write(&path, file).unwrap();
    must_as(&desk, &desk.governance, &format!("change queue list {mint} --file {}", path.display()));
    let number = must(&desk, "change list").json[0]["nonce"].as_u64().unwrap();
    must(&desk, &format!("change execute {number}"));
    let shown = must(&desk, &format!("reserve show {mint}"));
    assert_eq!(
        (shown.json["decimals"].as_u64(), shown.json["config"]["limits.deposit_cap"].as_u64()),
        (Some(4), Some(0))
    );
    must_as(&desk, &desk.governance, &format!("change queue reserve {mint} --set limits.deposit_cap=12.5"));
    must(&desk, &format!("change execute {}", number + 1));
    assert_eq!(must(&desk, &format!("reserve show {mint}")).json["config"]["limits.deposit_cap"], 125_000);
}

/// Puts values of the same section together, as TOML wants them.
fn merge_sections(text: &str) -> String {
    let mut sections: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
    let mut section = "";
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else {
            sections.entry(section).or_default().push(line);
        }
    }
    sections.iter().map(|(section, lines)| format!("{section}\n{}\n", lines.join("\n"))).collect()
}

#[test]
fn a_dao_gets_its_instruction_in_base64() {
    let desk = with_notice();
    // Nobody has to be able to sign for it here.
    let line =
        format!("change queue reserve SOL --set limits.deposit_cap=100 --print-instruction --payer {}", desk.user());
    let printed = must(&desk, &line);
    let instruction = &printed.json["instructions"][0];
    assert_eq!(instruction["programId"], keel_client::keel::ID.to_string());
    let signers: Vec<&str> = instruction["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|account| account["isSigner"] == true)
        .map(|account| account["address"].as_str().unwrap())
        .collect();
    assert_eq!(signers, [desk.user().to_string(), desk.governance.pubkey().to_string()]);
    let data = base64::engine::general_purpose::STANDARD.decode(instruction["data"].as_str().unwrap()).unwrap();
    use anchor_lang::Discriminator;
    assert!(data.starts_with(keel_client::keel::instruction::QueueChange::DISCRIMINATOR));
    assert!(printed.text.contains(instruction["proposal"].as_str().unwrap()));
    assert!(must(&desk, "change list").json.as_array().unwrap().is_empty(), "nothing was sent");
    let signer =
        |line: &str| must(&desk, line).json["instructions"][0]["accounts"][0]["address"].as_str().unwrap().to_string();
    assert_eq!(signer("pause all --print-instruction"), desk.governance.pubkey().to_string());
    assert_eq!(signer("pause all --print-instruction --as guardian"), desk.guardian.pubkey().to_string());
    assert_eq!(
        signer("change step reserve SOL --set limits.borrow_cap=1 --print-instruction"),
        desk.risk_steward.pubkey().to_string()
    );
}
