//! Accounts as earlier versions of the program wrote them, kept as bytes. Today's code must read the same values from
//! them, field by field, and the program must still work on them.
//!
//! A fixture is never written again. A new layout gets a new folder beside the old one, written by
//! `cargo test --test compat write_fixtures -- --ignored`.

mod binary;
mod fixtures;
mod layout;
mod layout_v2;
mod upgrade;

use anchor_lang::prelude::{Clock, Pubkey};
use fixtures::v2;
use keel::state::Change;
use keel_client::account;
use keel_client::book::Book;
use keel_client::instruction::{self, Queued};
use keel_tests::{Chain, LiteChain, World};
use solana_signer::Signer;

/// A program of today accrues reserves of that time, whose loans then owe more, moves their haircuts, and reads a vault.
#[test]
fn the_program_works_on_old_accounts() {
    let mut chain = LiteChain::new();
    let (market, vault) = (fixtures::market(), fixtures::vault());
    chain.set_data(&market.key, &keel::ID, market.data.to_vec());
    chain.set_data(&vault.key, &keel::ID, vault.data.to_vec());
    let payer = chain.funded();
    let clock = chain.clock();
    let reserves = [fixtures::reserve(), fixtures::minted_reserve(), v2::reserve(), v2::minted_reserve()];
    for reserve in reserves {
        chain.set_data(&reserve.key, &keel::ID, reserve.data.to_vec());
        let before = account::reserve(&reserve.key, &keel::ID, reserve.data).unwrap();
        let now = before.updated_at + 3_600;
        chain.set_clock(&Clock { unix_timestamp: now, ..clock });
        let accrue = instruction::accrue_reserve(&Book::new(market.key), reserve.key);
        chain.send(&[accrue], &[&payer]).unwrap();
        let stored = chain.account(&reserve.key).unwrap();
        let after = account::reserve(&reserve.key, &stored.owner, &stored.data).unwrap();
        assert_eq!(after.updated_at, now);
        assert_eq!(after.pool().indices(), before.pool().project(now).unwrap());
        assert!(after.debt_index.get() > before.debt_index.get());
        let haircuts = before.haircut().at(now, &before.config.haircut_terms()).unwrap();
        assert_eq!((after.haircut().maintenance, after.haircut.moved_at), (haircuts.maintenance, now));
        assert_eq!((after.config, after.last_prices, after.minted), (before.config, before.last_prices, before.minted));
    }
    let before = fixtures::decoded_vault();
    let owner = std::iter::repeat_with(|| chain.keypair()).take(50).find(|k| k.pubkey() == before.owner).unwrap();
    let withdrawn = instruction::offer_vault(owner.pubkey(), vault.key, Pubkey::default());
    chain.send(&[withdrawn], &[&payer, &owner]).unwrap();
    let mut expected = vault.data.to_vec();
    let offer = expected.windows(32).position(|bytes| bytes == before.offered_to.as_ref()).unwrap();
    expected[offer..offer + 32].fill(0);
    assert_eq!(chain.account(&vault.key).unwrap().data, expected);
}

/// A program of today executes a change that waited while it was deployed.
#[test]
fn the_program_executes_an_old_change() {
    let mut chain = LiteChain::new();
    for account in [v2::market(), v2::reserve(), v2::change()] {
        chain.set_data(&account.key, &keel::ID, account.data.to_vec());
    }
    let pending = account::change(&v2::change().key, &keel::ID, v2::change().data).unwrap();
    let (payer, clock) = (chain.funded(), chain.clock());
    chain.set_clock(&Clock { unix_timestamp: pending.latest, ..clock });
    let queued = Queued { market: v2::market().key, nonce: pending.nonce, rent_payer: pending.rent_payer };
    chain.send(&[instruction::execute_change(&queued, Some(v2::reserve().key), &[])], &[&payer]).unwrap();
    let reserve = |data: &[u8]| account::reserve(&v2::reserve().key, &keel::ID, data).unwrap();
    let (before, after) = (reserve(v2::reserve().data), reserve(&chain.account(&v2::reserve().key).unwrap().data));
    let Change::Reserve { config, .. } = fixtures::waiting(before.config) else { unreachable!() };
    assert_eq!((after.config, after.stepped_at), (config, before.stepped_at));
    assert_eq!(after.revisions, [6, 0, 3, 0, 2, 5, 0, 1]);
    assert_eq!(chain.account(&v2::change().key), None);
}

/// Writes the accounts of a market in which every field has a value of its own.
#[test]
#[ignore = "writes fixtures for a new layout version"]
fn write_fixtures() {
    let mut world = World::with(LiteChain::new(), &[]);
    let (accounts, vault) = fixtures::act(&mut world);
    let folder = format!("{}/compat/fixtures/v{}", env!("CARGO_MANIFEST_DIR"), keel::state::Market::VERSION);
    assert!(!std::fs::exists(&folder).unwrap(), "{folder} exists: fixtures are never written again");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, key) in accounts {
        let account = world.chain.account(&key).unwrap();
        std::fs::write(format!("{folder}/{name}.bin"), &account.data).unwrap();
        println!("{name}: {key}");
    }
    println!("governance: {}", world.governance.pubkey());
    let minted = world.assets.len() - 1;
    println!("{:#?}\n{:#?}\n{:#?}", world.market_state(), world.reserve(0), world.reserve(minted));
    println!("{:#?}", world.vault(&vault));
    let (change, data) = (accounts[3].1, world.chain.account(&accounts[3].1).unwrap().data);
    println!("{:#?}", account::change(&change, &keel::ID, &data).unwrap());
}
