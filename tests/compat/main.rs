//! Accounts as earlier versions of the program wrote them, kept as bytes. Today's code must read the same values from
//! them, field by field, and the program must still work on them.
//!
//! A fixture is never written again. A new layout gets a new folder beside the old one, written by
//! `cargo test --test compat write_fixtures -- --ignored`.

mod binary;
mod fixtures;
mod layout;

use anchor_lang::prelude::Clock;
use keel_client::instruction;
use keel_tests::{Chain, LiteChain, World};
use solana_instruction::Instruction;
use solana_signer::Signer;

/// A program of today accrues a reserve of that time, whose loans then owe more.
#[test]
fn the_program_works_on_old_accounts() {
    let mut chain = LiteChain::new();
    let (market, reserve) = (fixtures::market(), fixtures::reserve());
    chain.set_data(&market.key, &keel::ID, market.data.to_vec());
    chain.set_data(&reserve.key, &keel::ID, reserve.data.to_vec());
    let before = fixtures::decoded_reserve();
    let clock = chain.clock();
    chain.set_clock(&Clock { unix_timestamp: before.updated_at + 3_600, ..clock });
    let book = keel_client::book::Book::new(market.key);
    let accrue: Instruction = instruction::accrue_reserve(&book, reserve.key);
    let payer = chain.funded();
    chain.send(&[accrue], &[&payer]).unwrap();
    let account = chain.account(&reserve.key).unwrap();
    let after = keel_client::account::reserve(&reserve.key, &account.owner, &account.data).unwrap();
    assert_eq!(after.updated_at, before.updated_at + 3_600);
    assert_eq!(after.pool().indices(), before.pool().project(after.updated_at).unwrap());
    assert!(after.debt_index.get() > before.debt_index.get());
    assert_eq!((after.config, after.last_prices), (before.config, before.last_prices));
}

/// Writes the accounts of a market in which every field has a value of its own.
#[test]
#[ignore = "writes fixtures for a new layout version"]
fn write_fixtures() {
    let mut world = World::with(LiteChain::new(), &[]);
    let accounts = fixtures::act(&mut world);
    let folder = format!("{}/compat/fixtures/v{}", env!("CARGO_MANIFEST_DIR"), keel::state::LAYOUT_VERSION);
    assert!(!std::fs::exists(&folder).unwrap(), "{folder} exists: fixtures are never written again");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, key) in accounts {
        let account = world.chain.account(&key).unwrap();
        std::fs::write(format!("{folder}/{name}.bin"), &account.data).unwrap();
        println!("{name}: {key}");
    }
    println!("governance: {}", world.governance.pubkey());
    let vault = accounts[2].1;
    println!("{:#?}\n{:#?}\n{:#?}", world.market_state(), world.reserve(0), world.vault(&vault).positions);
}
