//! `offer_vault` and `accept_vault`.

use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::VaultTransferred;
use keel::state::rights;
use keel_client::instruction::{self, Actor};
use keel_tests::check::{keys, only_event};
use keel_tests::world::User;
use solana_instruction::Instruction;
use solana_signer::Signer;
use solana_system_interface::error::SystemError;

const SIGNER: usize = 0;
const VAULT: usize = 1;

fn offer(w: &mut Bank, owner: &User, to: Pubkey) {
    w.send(instruction::offer_vault(owner.key(), owner.vault, to), &owner.keypair).unwrap();
}

/// [`lent`] with a debt of 5,000 USDC of a vault with a delegate, and a user with accounts for both assets who is to have
/// the vault.
fn vault_and_heir() -> (Bank, User, User) {
    let (mut w, _, owner) = lent();
    w.borrow(&owner, USDC, 5_000_000_000).unwrap();
    let set = instruction::set_delegate(owner.key(), owner.vault, Pubkey::new_unique(), rights::ALL, i64::MAX);
    w.send(set, &owner.keypair).unwrap();
    let heir = w.user();
    for asset in [SOL, USDC] {
        w.fund(&heir.key(), asset, 0);
    }
    w.fund(&owner.key(), SOL, 0);
    (w, owner, heir)
}

/// `signer` acting on `vault` with its own token account for `asset`.
fn actor(w: &Bank, signer: &User, vault: Pubkey, asset: usize) -> Actor {
    Actor { vault, ..w.actor(signer, asset) }
}

/// What an owner does: take collateral and a loan out, change the group, name a delegate, offer the vault.
fn acts_of_an_owner(w: &mut Bank, signer: &User, vault: Pubkey) -> Vec<Instruction> {
    let state = w.vault(&vault);
    let (sol, usdc) = (actor(w, signer, vault, SOL), actor(w, signer, vault, USDC));
    vec![
        instruction::withdraw(&w.book, &state, &sol, Exact(1_000)).unwrap(),
        instruction::borrow(&w.book, &state, &usdc, 1_000).unwrap(),
        instruction::set_efficiency_group(&w.book, signer.key(), vault, &state, 7).unwrap(),
        instruction::set_delegate(signer.key(), vault, Pubkey::new_unique(), rights::GROUP, 0),
        instruction::offer_vault(signer.key(), vault, signer.key()),
    ]
}

#[test]
fn effects_an_offer_changes_nothing_but_itself() {
    let (mut w, owner, heir) = vault_and_heir();
    let mut expected = w.vault(&owner.vault);
    let before = w.snapshot(&[&owner, &heir]);
    offer(&mut w, &owner, heir.key());
    assert_eq!(before.changed(&mut w), keys([owner.vault]));
    expected.offered_to = heir.key();
    assert_eq!(bytemuck::bytes_of(&w.vault(&owner.vault)), bytemuck::bytes_of(&expected));
    // Until it is accepted, the vault is the owner's alone.
    for act in acts_of_an_owner(&mut w, &heir, owner.vault) {
        w.refuse(&act, &[&heir.keypair], KeelError::NotVaultOwner);
    }
    w.refuse(&instruction::close_vault(heir.key(), owner.vault), &[&heir.keypair], KeelError::NotVaultOwner);
    for act in acts_of_an_owner(&mut w, &owner, owner.vault) {
        w.send(act, &owner.keypair).unwrap();
    }
}

#[test]
fn effects_acceptance_changes_owner_and_takes_the_delegate_away() {
    let (mut w, owner, heir) = vault_and_heir();
    offer(&mut w, &owner, heir.key());
    let mut expected = w.vault(&owner.vault);
    assert_ne!(expected.delegate, Pubkey::default());
    let before = w.snapshot(&[&owner, &heir]);
    let receipt = w.send(instruction::accept_vault(heir.key(), owner.vault), &heir.keypair).unwrap();
    assert_eq!(before.changed(&mut w), keys([owner.vault]));
    (expected.owner, expected.offered_to) = (heir.key(), Pubkey::default());
    (expected.delegate, expected.delegate_rights, expected.delegate_until) = (Pubkey::default(), 0, 0);
    // Positions, group and address stay as they were.
    assert_eq!(bytemuck::bytes_of(&w.vault(&owner.vault)), bytemuck::bytes_of(&expected));
    let event: VaultTransferred = only_event(&receipt);
    assert_eq!((event.vault, event.from, event.to), (owner.vault, owner.key(), heir.key()));
    // An offer is taken once.
    let again = instruction::accept_vault(heir.key(), owner.vault);
    w.refuse(&again, &[&heir.keypair], KeelError::VaultNotOffered);
}

/// The old owner is a stranger, who may at most help; the new one takes everything out and the rent besides.
#[test]
fn effects_the_new_owner_acts_and_the_old_one_does_not() {
    let (mut w, owner, heir) = vault_and_heir();
    let vault = owner.vault;
    offer(&mut w, &owner, heir.key());
    w.send(instruction::accept_vault(heir.key(), vault), &heir.keypair).unwrap();
    for act in acts_of_an_owner(&mut w, &owner, vault) {
        w.refuse(&act, &[&owner.keypair], KeelError::NotVaultOwner);
    }
    for act in acts_of_an_owner(&mut w, &heir, vault) {
        w.send(act, &heir.keypair).unwrap();
    }
    let state = w.vault(&vault);
    let repay = instruction::repay(&w.book, &state, &actor(&w, &owner, vault, USDC), Exact(4_000_000_000)).unwrap();
    w.send(repay, &owner.keypair).unwrap();
    w.fund(&heir.key(), USDC, 2_000_000_000);
    let state = w.vault(&vault);
    let repay = instruction::repay(&w.book, &state, &actor(&w, &heir, vault, USDC), All).unwrap();
    w.send(repay, &heir.keypair).unwrap();
    let state = w.vault(&vault);
    let withdraw = instruction::withdraw(&w.book, &state, &actor(&w, &heir, vault, SOL), All).unwrap();
    w.send(withdraw, &heir.keypair).unwrap();
    assert_eq!(w.balance(&heir.key(), SOL), 100_000_000_000);
    w.refuse(&instruction::close_vault(owner.key(), vault), &[&owner.keypair], KeelError::NotVaultOwner);
    // The address stays taken until the new owner closes it; then the old one, whose key it is made of, may open it.
    let open = instruction::open_vault(owner.key(), owner.key(), w.market, 0);
    w.refuse(&open, &[&owner.keypair], SystemError::AccountAlreadyInUse);
    w.send(instruction::close_vault(heir.key(), vault), &heir.keypair).unwrap();
    w.send(open, &owner.keypair).unwrap();
    assert_eq!(w.vault(&vault).owner, owner.key());
}

#[test]
fn effects_an_offer_is_replaced_or_taken_back() {
    let (mut w, owner, heir) = vault_and_heir();
    let accept = instruction::accept_vault(heir.key(), owner.vault);
    w.refuse(&accept, &[&heir.keypair], KeelError::VaultNotOffered);
    for other in [Pubkey::new_unique(), Pubkey::default()] {
        offer(&mut w, &owner, heir.key());
        offer(&mut w, &owner, other);
        w.refuse(&accept, &[&heir.keypair], KeelError::VaultNotOffered);
    }
    offer(&mut w, &owner, heir.key());
    w.send(accept, &heir.keypair).unwrap();
}

#[test]
fn rejects_others_and_wrong_accounts() {
    let (mut w, owner, heir) = vault_and_heir();
    let thief = w.user();
    let give = instruction::offer_vault(owner.key(), owner.vault, heir.key());
    for to in [thief.key(), Pubkey::default()] {
        let steal = instruction::offer_vault(thief.key(), owner.vault, to);
        w.refuse(&steal, &[&thief.keypair], KeelError::NotVaultOwner);
    }
    w.refuse(&unsigned(&give, SIGNER), &[&thief.keypair], ErrorCode::AccountNotSigner);
    refuse_wrong_life_accounts(&mut w, &give, &owner, VAULT);
    w.send(give, &owner.keypair).unwrap();
    let take = instruction::accept_vault(heir.key(), owner.vault);
    // Not even the owner takes what is offered to another.
    for signer in [&thief, &owner] {
        let steal = instruction::accept_vault(signer.key(), owner.vault);
        w.refuse(&steal, &[&signer.keypair], KeelError::VaultNotOffered);
    }
    w.refuse(&unsigned(&take, SIGNER), &[&thief.keypair], ErrorCode::AccountNotSigner);
    refuse_wrong_life_accounts(&mut w, &take, &heir, VAULT);
    w.send(take, &heir.keypair).unwrap();
}

/// Either step, whoever took the loan.
#[test]
fn rejects_both_steps_inside_a_flash_loan() {
    let (mut w, owner, heir) = vault_and_heir();
    let payer = w.user();
    w.fund(&payer.key(), USDC, 0);
    let give = instruction::offer_vault(owner.key(), owner.vault, heir.key());
    refuse_inside_a_flash_loan(&mut w, &give, &owner, &[&owner.keypair]);
    assert_eq!(w.vault(&owner.vault).offered_to, heir.key());
    let take = instruction::accept_vault(heir.key(), owner.vault);
    refuse_inside_a_flash_loan(&mut w, &take, &payer, &[&payer.keypair, &heir.keypair]);
    assert_eq!(w.vault(&owner.vault).owner, heir.keypair.pubkey());
}
