//! `open_vault`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_lang::solana_program::rent::Rent;
use bytemuck::Zeroable;
use keel::events::VaultOpened;
use keel::state::Vault;
use keel_client::{address, instruction};
use keel_tests::Chain;
use keel_tests::check::only_event;
use solana_account::Account;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const PAYER: usize = 0;
const OWNER: usize = 1;
const MARKET: usize = 2;
const VAULT: usize = 3;
const SYSTEM_PROGRAM: usize = 4;
const INSTRUCTIONS: usize = 5;

#[test]
fn effects_opens_an_empty_vault() {
    let mut w = bank();
    let (payer, owner) = (w.chain.funded(), w.chain.funded());
    let before = w.chain.account(&owner.pubkey());
    let open = instruction::open_vault(payer.pubkey(), owner.pubkey(), w.market, 258);
    let receipt = w.chain.send(&[open], &[&payer, &owner]).unwrap();

    let key = address::vault(&w.market, &owner.pubkey(), 258);
    let (market, user) = (w.market, owner.pubkey());
    let seeds: [&[u8]; 4] = [b"vault", market.as_ref(), user.as_ref(), &[2, 1]];
    let expected = Vault {
        version: Vault::VERSION,
        bump: Pubkey::find_program_address(&seeds, &keel::ID).1,
        index: 258,
        flags: 0,
        market: w.market,
        owner: owner.pubkey(),
        ..Zeroable::zeroed()
    };
    assert_eq!(bytemuck::bytes_of(&w.vault(&key)), bytemuck::bytes_of(&expected));
    let account = w.chain.account(&key).unwrap();
    assert_eq!(account.data.len(), Vault::SPACE);
    assert_eq!(account.lamports, Rent::default().minimum_balance(Vault::SPACE));
    // The payer paid, not the owner.
    assert_eq!(w.chain.account(&owner.pubkey()), before);
    let event: VaultOpened = only_event(&receipt);
    assert_eq!((event.market, event.vault, event.owner, event.index), (w.market, key, owner.pubkey(), 258));
}

#[test]
fn effects_an_owner_may_have_many() {
    let mut w = bank();
    let owner = w.chain.funded();
    for index in [0, 1, u16::MAX] {
        let key = address::vault(&w.market, &owner.pubkey(), index);
        // Lamports at the address do not keep it from being opened.
        w.chain.set_account(&key, Account { lamports: 1, ..Account::default() });
        let open = instruction::open_vault(owner.pubkey(), owner.pubkey(), w.market, index);
        w.send(open, &owner).unwrap();
        assert_eq!(w.vault(&key).index, index);
    }
}

#[test]
fn rejects_wrong_accounts() {
    let mut w = bank();
    let user = w.user();
    let (payer, owner) = (w.chain.funded(), w.chain.funded());
    let both = [&payer, &owner];
    let valid = instruction::open_vault(payer.pubkey(), owner.pubkey(), w.market, 1);
    w.refuse_case("owner did not sign", &unsigned(&valid, OWNER), &[&payer], ErrorCode::AccountNotSigner);
    w.refuse_case("payer did not sign", &unsigned(&valid, PAYER), &[&owner], ErrorCode::AccountNotSigner);
    let reserve = w.assets[SOL].reserve;
    refuse_imposters(&mut w, &valid, &both, MARKET, &[("reserve", reserve), ("vault", user.vault)]);
    let elsewhere = other_market(&mut w, SOL, &user);
    let cases = [
        ("address in another market", MARKET, elsewhere.market, ErrorCode::ConstraintSeeds),
        ("address of another index", VAULT, address::vault(&w.market, &owner.pubkey(), 0), ErrorCode::ConstraintSeeds),
        ("address of another owner", VAULT, address::vault(&w.market, &user.key(), 1), ErrorCode::ConstraintSeeds),
        ("any address", VAULT, Pubkey::new_unique(), ErrorCode::ConstraintSeeds),
        ("system program", SYSTEM_PROGRAM, keel::ID, ErrorCode::InvalidProgramId),
        ("instructions", INSTRUCTIONS, w.market, ErrorCode::ConstraintAddress),
    ];
    for (case, index, key, expected) in cases {
        w.refuse_case(case, &with_account(&valid, index, key), &both, expected);
    }
    for count in 2..=INSTRUCTIONS {
        w.refuse_case("missing", &truncated(&valid, count), &both, ErrorCode::AccountNotEnoughKeys);
    }
    w.chain.send(&[valid], &both).unwrap();
}

#[test]
fn rejects_a_vault_inside_a_flash_loan() {
    let (mut w, _, borrower) = lent();
    let owner = w.chain.funded();
    let open = instruction::open_vault(borrower.key(), owner.pubkey(), w.market, 0);
    // Whoever took the loan.
    refuse_inside_a_flash_loan(&mut w, &open, &borrower, &[&borrower.keypair, &owner]);
    assert!(w.vault(&address::vault(&w.market, &owner.pubkey(), 0)).is_empty());
}

#[test]
fn rejects_a_vault_that_is_open() {
    let (mut w, _, user) = lent();
    let again = instruction::open_vault(user.key(), user.key(), w.market, 0);
    w.refuse(&again, &[&user.keypair], SystemError::AccountAlreadyInUse);
}
