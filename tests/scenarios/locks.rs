//! Which accounts instructions lock for writing: users of different assets never wait for each other.

use crate::support::*;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel_client::instruction::{self, Liquidation};
use keel_tests::AssetSpec;
use keel_tests::check::keys;
use keel_tests::world::User;
use solana_instruction::Instruction;
use solana_signer::Signer;
use std::collections::BTreeSet;

fn writable(instruction: &Instruction) -> BTreeSet<Pubkey> {
    instruction.accounts.iter().filter(|meta| meta.is_writable).map(|meta| meta.pubkey).collect()
}

/// All four instructions of `user` on an asset.
fn flows(w: &mut Bank, user: &User, asset: usize) -> [Instruction; 4] {
    let (vault, actor) = (w.vault(&user.vault), w.actor(user, asset));
    [
        instruction::deposit(&w.book, &actor, Exact(1)).unwrap(),
        instruction::withdraw(&w.book, &vault, &actor, Exact(1)).unwrap(),
        instruction::borrow(&w.book, &vault, &actor, 1).unwrap(),
        instruction::repay(&w.book, &vault, &actor, All).unwrap(),
    ]
}

/// Two users who each hold and owe what the other does: while they act on different assets, no writable account is
/// common, even though each reads what the other writes.
#[test]
fn users_of_different_assets_have_no_lock_in_common() {
    let (mut w, _, first) = lent();
    let dai = w.list(&AssetSpec::usdc());
    w.supplier(dai, 100_000_000_000);
    let second = w.supplier(SOL, 100_000_000_000);
    w.fund(&second.key(), USDC, 0);
    for user in [&first, &second] {
        w.fund(&user.key(), dai, 0);
        w.borrow(user, USDC, 1_000_000_000).unwrap();
        w.borrow(user, dai, 1_000_000_000).unwrap();
    }
    let assets = [SOL, USDC, dai];
    for a in assets {
        for b in assets {
            for one in flows(&mut w, &first, a) {
                let of_one = writable(&one);
                let expected = [first.vault, w.assets[a].reserve, w.liquidity_key(a), w.token_account(&first.key(), a)];
                assert_eq!(of_one, keys(expected));
                for other in flows(&mut w, &second, b) {
                    let common: BTreeSet<Pubkey> = of_one.intersection(&writable(&other)).copied().collect();
                    let shared = if a == b { keys([w.assets[a].reserve, w.liquidity_key(a)]) } else { keys([]) };
                    assert_eq!(common, shared, "{a} {b}");
                }
            }
        }
    }
}

/// A liquidation locks the two reserves that change hands, and no others of the vault.
#[test]
fn a_liquidation_locks_only_what_changes_hands() {
    let (mut w, _, user) = lent();
    let (dai, extra) = (w.list(&AssetSpec::usdc()), w.list(&AssetSpec::usdc()));
    w.supplier(dai, 100_000_000_000);
    w.fund(&user.key(), dai, 0);
    w.fund(&user.key(), extra, 1_000_000_000);
    w.deposit(&user, extra, All).unwrap();
    w.borrow(&user, USDC, 10_000_000_000).unwrap();
    w.borrow(&user, dai, 4_000_000_000).unwrap();
    let keeper = keeper(&mut w, USDC, SOL, 1_000_000_000);
    let terms = Liquidation {
        keeper: keeper.pubkey(),
        vault: user.vault,
        debt_reserve: w.assets[USDC].reserve,
        collateral_reserve: w.assets[SOL].reserve,
        max_repay: u64::MAX,
        min_seize: 0,
    };
    let vault = w.vault(&user.vault);
    let liquidate = instruction::liquidate(&w.book, &vault, &terms).unwrap();
    let expected = [
        user.vault,
        w.assets[USDC].reserve,
        w.assets[SOL].reserve,
        w.liquidity_key(USDC),
        w.liquidity_key(SOL),
        w.token_account(&keeper.pubkey(), USDC),
        w.token_account(&keeper.pubkey(), SOL),
    ];
    assert_eq!(writable(&liquidate), keys(expected));
    let read: BTreeSet<Pubkey> = liquidate.accounts.iter().map(|meta| meta.pubkey).collect();
    assert!(read.contains(&w.assets[dai].reserve) && read.contains(&w.assets[extra].reserve));
    // The market and the prices are written by nobody.
    assert!(!writable(&liquidate).contains(&w.market));
    let resolve = instruction::resolve_bad_debt(&w.book, user.vault, &vault, w.assets[dai].reserve).unwrap();
    assert_eq!(writable(&resolve), keys([user.vault, w.assets[dai].reserve]));
    let refresh = instruction::refresh_reserve(&w.book, w.assets[dai].reserve).unwrap();
    assert_eq!(writable(&refresh), keys([w.assets[dai].reserve]));
    assert_eq!(writable(&instruction::challenge_feed(w.assets[dai].reserve, 0)), keys([w.assets[dai].reserve]));
}
