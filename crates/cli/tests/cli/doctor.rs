//! Misconfigurations, each found, and nothing else with it.

use crate::support::labels;
use anchor_lang::prelude::Pubkey;
use keel_cli::commands::doctor::{self, Doctor, Facts, Finding, Severity, examine};
use keel_cli::context::Context;
use keel_client::address::{UPGRADEABLE_LOADER, liquidity, program_data};
use keel_client::keel::state::{Market, Reserve, Vault};
use keel_tests::Desk;
use solana_account::Account;
use solana_signer::Signer;
use std::path::PathBuf;

/// A deployment as it should be: a DAO governs with notice and can replace the program, limits are finite.
fn healthy() -> Desk {
    as_healthy(Desk::open())
}

/// An address that no key signs for.
fn dao() -> Pubkey {
    Pubkey::find_program_address(&[b"dao"], &UPGRADEABLE_LOADER).0
}

/// Puts the program under the upgradeable loader, to look at: LiteSVM keeps it under another one.
fn set_program(desk: &Desk, authority: Option<Pubkey>) {
    let key = program_data(&keel_client::keel::ID);
    let mut data = vec![3, 0, 0, 0];
    data.extend(7u64.to_le_bytes());
    data.push(u8::from(authority.is_some()));
    data.extend(authority.unwrap_or_default().to_bytes());
    data.extend(keel_tests::program());
    data.extend([0; 100]);
    let account =
        |data: Vec<u8>| Account { lamports: u64::MAX >> 8, data, owner: UPGRADEABLE_LOADER, ..Account::default() };
    let program = [&[2, 0, 0, 0][..], key.as_ref()].concat();
    desk.chain.with(|svm| {
        svm.set_account(key, account(data)).unwrap();
        svm.set_account(keel_client::keel::ID, account(program)).unwrap();
    });
}

fn findings(desk: &Desk, command: &Doctor) -> Vec<Finding> {
    let context = Context::on(Box::new(desk.chain.clone()), labels(desk));
    examine(&Facts::fetch(&context, command).unwrap())
}

/// Exactly these were found.
#[track_caller]
fn finds(desk: &Desk, expected: &[(&str, Severity)]) {
    let found = findings(desk, &Doctor { so: Some(so()), ..Doctor::default() });
    let named: Vec<(&str, Severity)> = found.iter().map(|finding| (finding.check, finding.severity)).collect();
    assert_eq!(named, expected, "{found:#?}");
    assert!(found.iter().all(|finding| !finding.what.is_empty() && !finding.advice.is_empty()));
}

fn so() -> PathBuf {
    std::env::var_os("KEEL_SO").map(PathBuf::from).unwrap()
}

#[test]
fn a_healthy_deployment_has_no_findings() {
    let desk = healthy();
    finds(&desk, &[]);
    let context = Context::on(Box::new(desk.chain.clone()), labels(&desk));
    let report = doctor::run(&context, &Doctor { so: Some(so()), ..Doctor::default() }).unwrap();
    assert!(report.is_good && report.text.contains("2 reserves and 1 vaults"), "{}", report.text);
}

#[test]
fn a_missing_guardian() {
    let desk = healthy();
    desk.edit_state(&desk.market, |market: &mut Market| market.guardian = Pubkey::default());
    finds(&desk, &[("role-missing", Severity::Critical)]);
}

#[test]
fn one_key_with_two_roles() {
    let desk = healthy();
    desk.edit_state(&desk.market, |market: &mut Market| market.risk_steward = market.guardian);
    finds(&desk, &[("roles-shared", Severity::Warning)]);
}

#[test]
fn a_keypair_that_governs() {
    let desk = healthy();
    let key = desk.governance.pubkey();
    desk.edit_state(&desk.market, |market: &mut Market| market.governance = key);
    set_program(&desk, Some(key));
    finds(&desk, &[("governance-is-keypair", Severity::Critical)]);
    let allowed = Doctor { allow_keypair: true, ..Doctor::default() };
    assert_eq!(findings(&desk, &allowed), []);
}

#[test]
fn changes_without_notice() {
    let desk = healthy();
    desk.edit_state(&desk.market, |market: &mut Market| market.delay = 0);
    finds(&desk, &[("no-notice", Severity::Critical)]);
}

#[test]
fn a_cap_without_end() {
    let desk = healthy();
    desk.edit_state(&desk.sol, |reserve: &mut Reserve| reserve.config.limits.borrow_cap = u64::MAX);
    finds(&desk, &[("cap-missing", Severity::Warning)]);
}

#[test]
fn a_price_that_is_too_old() {
    let desk = healthy();
    desk.pass(90);
    desk.post(&desk.usd, 1_00);
    finds(&desk, &[("oracle-unusable", Severity::Warning)]);
    desk.pass(40);
    desk.post(&desk.usd, 1_00);
    finds(&desk, &[("oracle-unusable", Severity::Critical)]);
}

#[test]
fn a_feed_that_is_dead() {
    let desk = healthy();
    let now = keel_client::transport::Transport::time(&*desk.chain).unwrap().now;
    desk.edit_state(&desk.sol, |reserve: &mut Reserve| reserve.last_prices[0].challenged_at = now - 600);
    finds(&desk, &[("oracle-dead", Severity::Critical)]);
}

#[test]
fn books_that_claim_too_much() {
    let desk = healthy();
    desk.edit_state(&desk.usd, |reserve: &mut Reserve| reserve.available -= 1_000);
    finds(&desk, &[("books-broken", Severity::Critical)]);
}

#[test]
fn a_token_account_that_is_short() {
    let desk = healthy();
    desk.edit(&liquidity(&desk.usd), |account| {
        let amount = u64::from_le_bytes(*account.data[64..].first_chunk().unwrap()) - 1;
        account.data[64..72].copy_from_slice(&amount.to_le_bytes());
    });
    finds(&desk, &[("liquidity-short", Severity::Critical)]);
}

#[test]
fn an_insolvent_vault() {
    let desk = healthy();
    let key = first_vault(&desk);
    desk.edit_state(&key, |vault: &mut Vault| vault.flags = Vault::INSOLVENT);
    finds(&desk, &[("vault-insolvent", Severity::Critical)]);
}

fn first_vault(desk: &Desk) -> Pubkey {
    keel_client::view::vaults(&*desk.chain, &desk.market, None).unwrap()[0].0
}

#[test]
fn a_vault_that_nobody_liquidates() {
    // Used before the program is put aside.
    let desk = Desk::open();
    crate::support::must(&desk, "vault open --deposit SOL=1 --borrow USD=140");
    let desk = as_healthy(desk);
    desk.post(&desk.sol, 165_00);
    finds(&desk, &[("vault-liquidatable", Severity::Warning)]);
    desk.post(&desk.sol, 130_00);
    finds(&desk, &[("vault-under-water", Severity::Critical)]);
}

/// [`healthy`] for a desk that was used.
fn as_healthy(desk: Desk) -> Desk {
    let dao = dao();
    desk.edit_state(&desk.market, |market: &mut Market| {
        market.governance = dao;
        market.delay = 3 * 86_400;
    });
    for reserve in [desk.sol, desk.usd] {
        desk.edit_state(&reserve, |reserve: &mut Reserve| {
            let limits = &mut reserve.config.limits;
            (limits.deposit_cap, limits.borrow_cap) = (1_000_000_000_000_000, 500_000_000_000_000);
        });
    }
    set_program(&desk, Some(dao));
    desk
}

#[test]
fn another_program() {
    let desk = healthy();
    let other = std::env::var_os("KEEL_MOCK_POOL_SO").map(PathBuf::from).unwrap();
    let found = findings(&desk, &Doctor { so: Some(other), ..Doctor::default() });
    assert_eq!(found.iter().map(|finding| finding.check).collect::<Vec<_>>(), ["program-differs"]);
}

#[test]
fn somebody_else_who_can_replace_the_program() {
    let desk = healthy();
    set_program(&desk, Some(desk.user()));
    finds(&desk, &[("upgrade-authority", Severity::Critical)]);
    let named = Doctor { upgrade_authority: Some(desk.user()), ..Doctor::default() };
    assert_eq!(findings(&desk, &named), []);
    set_program(&desk, None);
    finds(&desk, &[("program-final", Severity::Note)]);
}

#[test]
fn an_account_of_an_older_layout() {
    let desk = healthy();
    desk.edit_state(&desk.sol, |reserve: &mut Reserve| reserve.version = 1);
    finds(&desk, &[("layout-outdated", Severity::Critical)]);
}

#[test]
fn a_pause_that_runs() {
    let desk = Desk::open();
    crate::support::must_as(&desk, &desk.guardian, "pause borrow");
    finds(&as_healthy(desk), &[("paused", Severity::Warning)]);
}

#[test]
fn a_change_that_waits_and_then_expires() {
    let desk = Desk::open();
    crate::support::must_as(&desk, &desk.guardian, "change tighten market --set timelock.delay=2d");
    crate::support::must_as(&desk, &desk.governance, "change queue reserve USD --set terms.flash_fee_bps=9");
    let desk = as_healthy(desk);
    finds(&desk, &[("change-waiting", Severity::Note)]);
    let fresh =
        |desk: &Desk| [(desk.sol, 200_00), (desk.usd, 1_00)].iter().for_each(|(key, cents)| desk.post(key, *cents));
    desk.pass(2 * 86_400);
    fresh(&desk);
    finds(&desk, &[("change-ready", Severity::Warning)]);
    desk.pass(30 * 86_400);
    fresh(&desk);
    finds(&desk, &[("change-expired", Severity::Warning)]);
}
