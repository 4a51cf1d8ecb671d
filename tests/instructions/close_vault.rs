//! `close_vault`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use keel::AmountSpec::All;
use keel::KeelError;
use keel::events::VaultClosed;
use keel_client::instruction;
use keel_tests::Chain;
use keel_tests::check::only_event;

const OWNER: usize = 0;
const VAULT: usize = 1;

#[test]
fn effects_returns_the_rent_to_the_owner() {
    let mut w = bank();
    let (user, payer) = (w.user(), w.chain.funded());
    let rent = w.chain.account(&user.vault).unwrap().lamports;
    let before = w.chain.account(&user.key()).unwrap().lamports;
    let close = instruction::close_vault(user.key(), user.vault);
    let receipt = w.chain.send(&[close], &[&payer, &user.keypair]).unwrap();
    assert_eq!(w.chain.account(&user.vault), None);
    assert_eq!(w.chain.account(&user.key()).unwrap().lamports, before + rent);
    let event: VaultClosed = only_event(&receipt);
    assert_eq!((event.market, event.vault, event.owner), (w.market, user.vault, user.key()));
}

#[test]
fn effects_a_vault_once_emptied_closes_and_opens_again() {
    let mut w = bank();
    let user = w.supplier(SOL, 7);
    w.withdraw(&user, SOL, All).unwrap();
    w.send(instruction::close_vault(user.key(), user.vault), &user.keypair).unwrap();
    assert_eq!(w.chain.account(&user.vault), None);
    w.send(instruction::open_vault(user.key(), user.key(), w.market, 0), &user.keypair).unwrap();
    assert!(w.vault(&user.vault).is_empty());
    w.deposit(&user, SOL, All).unwrap();
}

#[test]
fn rejects_other_than_the_owner() {
    let mut w = bank();
    let user = w.user();
    let thief = w.chain.funded();
    let valid = instruction::close_vault(user.key(), user.vault);
    let by_thief = with_account(&valid, OWNER, solana_signer::Signer::pubkey(&thief));
    w.refuse(&by_thief, &[&thief], KeelError::NotVaultOwner);
    w.refuse(&unsigned(&valid, OWNER), &[&thief], ErrorCode::AccountNotSigner);
    // Governance has no say in it.
    let governance = w.governance.insecure_clone();
    let by_governance = with_account(&valid, OWNER, solana_signer::Signer::pubkey(&governance));
    w.refuse(&by_governance, &[&governance], KeelError::NotVaultOwner);
}

#[test]
fn rejects_a_vault_with_positions() {
    let (mut w, _, user) = lent();
    let close = instruction::close_vault(user.key(), user.vault);
    w.refuse(&close, &[&user.keypair], KeelError::VaultNotEmpty);
    w.borrow(&user, USDC, w.assets[USDC].whole(100)).unwrap();
    w.refuse(&close, &[&user.keypair], KeelError::VaultNotEmpty);
    w.repay(&user, USDC, All).unwrap();
    w.refuse(&close, &[&user.keypair], KeelError::VaultNotEmpty);
    w.withdraw(&user, SOL, All).unwrap();
    w.send(close, &user.keypair).unwrap();
}

#[test]
fn rejects_a_vault_inside_a_flash_loan() {
    let (mut w, _, borrower) = lent();
    let owner = w.user();
    let close = instruction::close_vault(owner.key(), owner.vault);
    // Whoever took the loan.
    refuse_inside_a_flash_loan(&mut w, &close, &borrower, &[&borrower.keypair, &owner.keypair]);
    assert_eq!(w.chain.account(&owner.vault), None);
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let user = w.user();
    let payer = w.chain.funded();
    let valid = instruction::close_vault(user.key(), user.vault);
    refuse_wrong_life_accounts(&mut w, &valid, &user, VAULT);
    w.refuse(&read_only(&valid, OWNER), &[&payer, &user.keypair], ErrorCode::ConstraintMut);
    w.send(valid, &user.keypair).unwrap();
}
