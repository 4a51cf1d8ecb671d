//! Who may do what: from the accounts, by rules of its own.
//!
//! - Tokens leave a vault, its group changes and a new asset comes in only by its owner, or by a delegate with the right,
//!   before it expires, and without the right to pay anyone to the owner alone.
//! - Only the owner closes a vault, names a delegate and offers it; only whom it was offered to takes it over, and then there
//!   is no delegate.
//! - Nothing changes a vault that the instructions do not name, and nothing else changes owner, delegate, offer and group.

use crate::coverage::Coverage;
use crate::{Done, Effects, Verdict, ensure};
use anchor_lang::prelude::Pubkey;
use keel::state::{Side, Vault, rights};
use keel_tests::random::{Action, Arena, FlowOf};

pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    for action in done.actions {
        let Some(vault) = action.vault().and_then(|id| done.before.vault(id)) else { continue };
        let signer = done.arena.players[action.signer()].key();
        let is_owner = signer == vault.owner;
        match action {
            Action::Withdraw(flow) => entitled(done, vault, flow, rights::WITHDRAW, coverage)?,
            Action::Borrow(flow) => entitled(done, vault, flow, rights::BORROW, coverage)?,
            Action::Deposit(flow) if vault.find(&done.before.reserve_keys[flow.asset]).is_none() => {
                entitled(
                    done,
                    vault,
                    &FlowOf { payee: done.arena.owner(flow.vault), ..*flow },
                    rights::DEPOSIT,
                    coverage,
                )?;
            }
            Action::SetGroup { .. } => has_right(done, vault, &signer, rights::GROUP, coverage)?,
            Action::Close { .. } | Action::SetDelegate { .. } | Action::Offer { .. } => {
                ensure!(is_owner, "5: {} by another than the owner", action.name());
            }
            Action::Accept { .. } => {
                ensure!(vault.offered_to == signer, "5: a vault was taken over that was not offered");
                coverage.reach(if vault.is_empty() { "transfer of an empty vault" } else { "transfer of positions" });
                if vault.has(Side::Debt) {
                    coverage.reach("transfer of a debt");
                }
            }
            _ => {}
        }
    }
    ensure!(effects.transferred.len() <= 1, "5: two transfers");
    vaults(done, coverage)
}

/// Whether `signer` is the owner, or a delegate with `right` that has not expired.
fn has_right(done: &Done, vault: &Vault, signer: &Pubkey, right: u32, coverage: &mut Coverage) -> Verdict {
    if *signer == vault.owner {
        return Ok(());
    }
    ensure!(*signer == vault.delegate, "5: a stranger acted on a vault");
    ensure!(vault.delegate_rights & right != 0, "5: a delegate without the right acted on a vault");
    ensure!(done.before.moment.now < vault.delegate_until, "5: a delegate acted after its time");
    coverage.reach(match right {
        rights::WITHDRAW => "withdrawal by a delegate",
        rights::BORROW => "loan by a delegate",
        rights::DEPOSIT => "new position by a delegate",
        _ => "change of the group by a delegate",
    });
    Ok(())
}

fn entitled(done: &Done, vault: &Vault, flow: &FlowOf, right: u32, coverage: &mut Coverage) -> Verdict {
    let signer = done.arena.players[flow.user].key();
    has_right(done, vault, &signer, right, coverage)?;
    let to_owner = done.arena.players[flow.payee].key() == vault.owner;
    if signer != vault.owner && !to_owner {
        ensure!(vault.delegate_rights & rights::PAY_ANYONE != 0, "5: a delegate paid another than the owner");
        coverage.reach("delegate who pays another than the owner");
    }
    Ok(())
}

/// Owner, delegate, offer and group of every vault are what they were, or what was asked for; vaults that are not named are
/// the same to the last byte.
fn vaults(done: &Done, coverage: &mut Coverage) -> Verdict {
    for (id, (before, after)) in Arena::vault_ids().zip(done.before.vaults.iter().zip(&done.after().vaults)) {
        let named = |action: &&Action| match action {
            Action::Liquidate { into: Some(into), .. } if *into == id => true,
            action => action.vault() == Some(id),
        };
        let Some(action) = done.actions.iter().rev().find(named) else {
            let same = match (before, after) {
                (Some(before), Some(after)) => bytemuck::bytes_of(before) == bytemuck::bytes_of(after),
                (before, after) => before.is_none() && after.is_none(),
            };
            ensure!(same, "5: vault {id:?} changed, and nobody asked for it");
            continue;
        };
        let (Some(old), Some(new)) = (before, after) else {
            let life = matches!(action, Action::Open { .. } | Action::Close { .. });
            ensure!(life, "5: vault {id:?} came or went by {}", action.name());
            if let Some(new) = after {
                let blank = new.is_empty() && new.delegate == Pubkey::default() && new.group == 0;
                ensure!(blank && new.offered_to == Pubkey::default(), "5: a vault was opened with a past");
                if done.arena.closed.contains(&id) {
                    coverage.reach("vault opened again");
                }
            }
            continue;
        };
        let mut expected = *old;
        match *action {
            Action::SetDelegate { delegate, rights, until, .. } => {
                expected.delegate = delegate.map_or(Pubkey::default(), |user| done.arena.players[user].key());
                (expected.delegate_rights, expected.delegate_until) = (rights, until);
            }
            Action::Offer { to, .. } => {
                expected.offered_to = to.map_or(Pubkey::default(), |user| done.arena.players[user].key());
            }
            Action::Accept { user, .. } => {
                expected.owner = done.arena.players[user].key();
                (expected.offered_to, expected.delegate) = Default::default();
                (expected.delegate_rights, expected.delegate_until) = Default::default();
            }
            Action::SetGroup { group, .. } => expected.group = group,
            _ => {}
        }
        // Positions, the mark of bad debt and whose ceiling counts are for other checks.
        (expected.positions, expected.flags) = (new.positions, new.flags);
        expected.isolated_reserve = new.isolated_reserve;
        ensure!(
            bytemuck::bytes_of(&expected) == bytemuck::bytes_of(new),
            "5: {} changed {id:?} otherwise",
            action.name()
        );
        if matches!(action, Action::SetDelegate { .. } | Action::Offer { .. } | Action::Accept { .. }) {
            ensure!(old.positions == new.positions && old.flags == new.flags, "5: a vault's positions changed");
        }
    }
    let mut owned = vec![0; done.arena.players.len()];
    for vault in done.after().vaults.iter().flatten() {
        if let Some(owner) = done.arena.player_at(&vault.owner) {
            owned[owner] += 1;
        }
    }
    let is_flow =
        matches!(done.action, Action::Deposit(_) | Action::Withdraw(_) | Action::Borrow(_) | Action::Repay(_));
    if is_flow && owned[done.actions[0].signer()] > 2 {
        coverage.reach("flow of an owner of three vaults or more");
    }
    Ok(())
}
