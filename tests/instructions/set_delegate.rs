//! `set_delegate`, and what a delegate can do.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::DelegateSet;
use keel::state::rights::{ALL, BORROW, DEPOSIT, GROUP, PAY_ANYONE, WITHDRAW};
use keel_client::instruction::{self, Actor};
use keel_tests::check::{keys, only_event};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain};
use solana_instruction::Instruction;
use solana_signer::Signer;

const SIGNER: usize = 0;
const VAULT: usize = 1;
const FOREVER: i64 = i64::MAX;
/// Number of an asset that nobody holds yet.
const NEW: usize = 2;

fn set(w: &mut Bank, owner: &User, delegate: Pubkey, rights: u32, until: i64) {
    let set = instruction::set_delegate(owner.key(), owner.vault, delegate, rights, until);
    w.send(set, &owner.keypair).unwrap();
}

/// [`lent`] with a debt of 5,000 USDC, and somebody who has accounts for every asset and some of the new one.
fn delegated(rights: u32) -> (Bank, User, User) {
    let (mut w, _, owner) = lent();
    w.borrow(&owner, USDC, 5_000_000_000).unwrap();
    assert_eq!(w.list(&AssetSpec::usdc()), NEW);
    let delegate = w.user();
    for (asset, amount) in [(SOL, 1_000), (USDC, 1_000), (NEW, 1_000_000_000)] {
        w.fund(&delegate.key(), asset, amount);
    }
    w.fund(&owner.key(), NEW, 0);
    set(&mut w, &owner, delegate.key(), rights, FOREVER);
    (w, owner, delegate)
}

/// `delegate` acting on the vault of `owner`, paid to the account of `payee`.
fn actor(w: &Bank, owner: &User, delegate: &User, payee: &User, asset: usize) -> Actor {
    let token_account = w.token_account(&payee.key(), asset);
    Actor { user: delegate.key(), token_account, ..w.actor(owner, asset) }
}

/// Builds an action of the delegate, second, on the vault of the owner, first.
type Build = fn(&mut Bank, &User, &User) -> Instruction;

fn deposit_new(w: &mut Bank, owner: &User, delegate: &User) -> Instruction {
    instruction::deposit(&w.book, &actor(w, owner, delegate, delegate, NEW), Exact(1_000_000)).unwrap()
}

fn withdraw(w: &mut Bank, owner: &User, delegate: &User, payee: &User) -> Instruction {
    let vault = w.vault(&owner.vault);
    instruction::withdraw(&w.book, &vault, &actor(w, owner, delegate, payee, SOL), Exact(1_000_000)).unwrap()
}

fn borrow(w: &mut Bank, owner: &User, delegate: &User, payee: &User) -> Instruction {
    let vault = w.vault(&owner.vault);
    instruction::borrow(&w.book, &vault, &actor(w, owner, delegate, payee, USDC), 1_000_000).unwrap()
}

fn group(w: &mut Bank, owner: &User, delegate: &User) -> Instruction {
    let vault = w.vault(&owner.vault);
    instruction::set_efficiency_group(&w.book, delegate.key(), owner.vault, &vault, 7).unwrap()
}

#[test]
fn effects_sets_and_replaces_the_delegate() {
    let (mut w, lender, owner) = lent();
    let (first, second) = (Pubkey::new_unique(), Pubkey::new_unique());
    let mut expected = w.vault(&owner.vault);
    for (delegate, rights, until) in [(first, DEPOSIT | BORROW, 1_800_000_000), (second, ALL, -1)] {
        let before = w.snapshot(&[&lender, &owner]);
        let set = instruction::set_delegate(owner.key(), owner.vault, delegate, rights, until);
        let receipt = w.send(set, &owner.keypair).unwrap();
        assert_eq!(before.changed(&mut w), keys([owner.vault]));
        (expected.delegate, expected.delegate_rights, expected.delegate_until) = (delegate, rights, until);
        assert_eq!(bytemuck::bytes_of(&w.vault(&owner.vault)), bytemuck::bytes_of(&expected));
        let event: DelegateSet = only_event(&receipt);
        assert_eq!((event.vault, event.delegate), (owner.vault, delegate));
        assert_eq!((event.rights, event.until), (rights, until));
    }
}

#[test]
fn effects_each_right_alone_allows_exactly_its_action() {
    for right in [DEPOSIT, WITHDRAW, BORROW, GROUP, PAY_ANYONE, ALL] {
        let (mut w, owner, delegate) = delegated(right);
        let actions: [(u32, Build); 4] = [
            (DEPOSIT, deposit_new),
            (WITHDRAW, |w, o, d| withdraw(w, o, d, o)),
            (BORROW, |w, o, d| borrow(w, o, d, o)),
            (GROUP, group),
        ];
        for (needed, build) in actions {
            let action = build(&mut w, &owner, &delegate);
            if right & needed == 0 {
                let case = format!("{needed} with {right}");
                w.refuse_case(&case, &action, &[&delegate.keypair], KeelError::DelegateLacksRight);
            } else {
                w.send(action, &delegate.keypair).unwrap();
            }
        }
    }
}

/// Where it goes: what comes out is the owner's, and a new asset is the vault's.
#[test]
fn effects_a_delegate_acts_for_the_owner() {
    let (mut w, owner, delegate) = delegated(DEPOSIT | WITHDRAW | BORROW);
    let actions: [Build; 3] = [deposit_new, |w, o, d| withdraw(w, o, d, o), |w, o, d| borrow(w, o, d, o)];
    for build in actions {
        let action = build(&mut w, &owner, &delegate);
        w.send(action, &delegate.keypair).unwrap();
    }
    let vault = w.vault(&owner.vault);
    assert_eq!(vault.collateral(&w.assets[NEW].reserve).unwrap().0.floor_to_u64(), Ok(1_000_000));
    assert_eq!(w.balance(&delegate.key(), NEW), 999_000_000);
    assert_eq!(w.balance(&owner.key(), SOL), 1_000_000);
    assert_eq!(w.balance(&owner.key(), USDC), 5_001_000_000);
    // The owner needs no rights, whoever is the delegate.
    w.withdraw(&owner, NEW, All).unwrap();
    // And a delegate no more than the vault can carry.
    let vault = w.vault(&owner.vault);
    let beyond = instruction::borrow(&w.book, &vault, &actor(&w, &owner, &delegate, &owner, USDC), 10_000_000_000);
    w.refuse(&beyond.unwrap(), &[&delegate.keypair], KeelError::Unhealthy);
}

#[test]
fn effects_pays_the_owner_only_unless_trusted() {
    let (mut w, owner, delegate) = delegated(WITHDRAW | BORROW);
    let stranger = w.user();
    for asset in [SOL, USDC] {
        w.fund(&stranger.key(), asset, 0);
    }
    let wrong = KeelError::DelegatePaysOwnerOnly;
    for payee in [&delegate, &stranger] {
        for build in [withdraw, borrow] {
            let to_other = build(&mut w, &owner, &delegate, payee);
            w.refuse(&to_other, &[&delegate.keypair], wrong);
        }
    }
    let valid = withdraw(&mut w, &owner, &delegate, &owner);
    let nothing = w.chain.funded().pubkey();
    let to_nothing = with_account(&valid, flow::TOKEN_ACCOUNT, nothing);
    w.refuse(&to_nothing, &[&delegate.keypair], KeelError::NotATokenAccount);
    w.send(valid, &delegate.keypair).unwrap();
    set(&mut w, &owner, delegate.key(), WITHDRAW | BORROW | PAY_ANYONE, FOREVER);
    for build in [withdraw, borrow] {
        let to_other = build(&mut w, &owner, &delegate, &stranger);
        w.send(to_other, &delegate.keypair).unwrap();
    }
    assert_eq!((w.balance(&stranger.key(), SOL), w.balance(&stranger.key(), USDC)), (1_000_000, 1_000_000));
    // The owner pays whom it likes, all along.
    set(&mut w, &owner, delegate.key(), GROUP, FOREVER);
    let own = withdraw(&mut w, &owner, &owner, &stranger);
    w.send(own, &owner.keypair).unwrap();
}

/// Rights last up to their moment, not through it; then the delegate is told why it is refused.
#[test]
fn effects_rights_expire() {
    let (mut w, owner, delegate) = delegated(ALL);
    let until = w.chain.clock().unix_timestamp + 30;
    set(&mut w, &owner, delegate.key(), WITHDRAW, until);
    w.pass(29);
    let action = withdraw(&mut w, &owner, &delegate, &owner);
    w.send(action, &delegate.keypair).unwrap();
    w.pass(1);
    let actions: [Build; 4] = [deposit_new, group, |w, o, d| withdraw(w, o, d, o), |w, o, d| borrow(w, o, d, o)];
    for build in actions {
        let action = build(&mut w, &owner, &delegate);
        w.refuse(&action, &[&delegate.keypair], KeelError::DelegateExpired);
    }
}

/// Without a delegate, or with another one, it is a stranger again.
#[test]
fn effects_takes_rights_away() {
    let (mut w, owner, delegate) = delegated(ALL);
    for (other, rights) in [(Pubkey::default(), 0), (Pubkey::new_unique(), ALL)] {
        set(&mut w, &owner, other, rights, FOREVER);
        let action = withdraw(&mut w, &owner, &delegate, &owner);
        w.refuse(&action, &[&delegate.keypair], KeelError::NotVaultOwner);
        let action = group(&mut w, &owner, &delegate);
        w.refuse(&action, &[&delegate.keypair], KeelError::NotVaultOwner);
        let action = deposit_new(&mut w, &owner, &delegate);
        w.refuse(&action, &[&delegate.keypair], KeelError::OnlyOwnerOpensPositions);
        // As any stranger it may still add to what is there.
        let help = actor(&w, &owner, &delegate, &delegate, SOL);
        let help = instruction::deposit(&w.book, &help, Exact(10)).unwrap();
        w.send(help, &delegate.keypair).unwrap();
    }
}

/// Whatever its rights: the vault itself is the owner's.
#[test]
fn rejects_a_delegate_that_acts_on_the_vault_itself() {
    let (mut w, owner, delegate) = delegated(ALL);
    let (by, vault) = (delegate.key(), owner.vault);
    let take = instruction::accept_vault(by, vault);
    w.refuse(&take, &[&delegate.keypair], KeelError::VaultNotOffered);
    for life in [
        instruction::set_delegate(by, vault, by, ALL, FOREVER),
        instruction::set_delegate(by, vault, Pubkey::default(), 0, 0),
        instruction::offer_vault(by, vault, by),
        instruction::close_vault(by, vault),
    ] {
        w.refuse(&life, &[&delegate.keypair], KeelError::NotVaultOwner);
    }
}

#[test]
fn rejects_unknown_rights_and_none_for_somebody() {
    let mut w = bank();
    let (owner, delegate, nobody) = (w.user(), Pubkey::new_unique(), Pubkey::default());
    let cases = [(delegate, 0), (delegate, 1 << 5), (delegate, ALL | 1 << 31), (delegate, u32::MAX)];
    for (delegate, rights) in cases.into_iter().chain([(nobody, DEPOSIT), (nobody, ALL), (nobody, 1 << 5)]) {
        let set = instruction::set_delegate(owner.key(), owner.vault, delegate, rights, FOREVER);
        w.refuse_case(&format!("{rights:#b}"), &set, &[&owner.keypair], KeelError::UnknownRights);
    }
}

#[test]
fn rejects_a_delegation_inside_a_flash_loan() {
    let (mut w, owner, _) = delegated(ALL);
    let set = instruction::set_delegate(owner.key(), owner.vault, Pubkey::default(), 0, 0);
    refuse_inside_a_flash_loan(&mut w, &set, &owner, &[&owner.keypair]);
    assert_eq!(w.vault(&owner.vault).delegate, Pubkey::default());
}

#[test]
fn rejects_other_than_the_owner_and_wrong_accounts() {
    let mut w = bank();
    let (owner, thief) = (w.user(), w.chain.funded());
    let valid = instruction::set_delegate(owner.key(), owner.vault, thief.pubkey(), ALL, FOREVER);
    let by_thief = with_account(&valid, SIGNER, thief.pubkey());
    w.refuse(&by_thief, &[&thief], KeelError::NotVaultOwner);
    w.refuse(&unsigned(&valid, SIGNER), &[&thief], ErrorCode::AccountNotSigner);
    refuse_wrong_life_accounts(&mut w, &valid, &owner, VAULT);
    w.send(valid, &owner.keypair).unwrap();
}
