//! Efficiency groups: their weights count only while every debt of the vault is in the group.

use crate::coverage::Coverage;
use crate::{Done, Verdict, ensure, health, initial};
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use keel_tests::random::{Action, Snapshot};

/// Whether every debt is in the vault's group, by what the reserves of the debts say. No asset of the arena changes its
/// group, so that this is what the vault remembers, too.
fn counts(state: &Snapshot, vault: &Vault) -> bool {
    let of = |reserve| state.reserves[state.asset(reserve)].config.group.id;
    vault.group != 0 && vault.occupied().all(|(p, side)| side == Side::Collateral || of(&p.reserve) == vault.group)
}

/// Whether a collateral of the vault counts with the weights of its group. Some assets have none there.
pub fn has_weights(state: &Snapshot, vault: &Vault, asset: usize) -> bool {
    let group = &state.reserves[asset].config.group;
    counts(state, vault) && group.id == vault.group && group.liquidation_threshold_bps > 0
}

/// After a change of the group, too, initial health is at least 1; that after loans and withdrawals is checked with them.
/// Counts the vaults for which a group mattered.
pub fn check(done: &Done, coverage: &mut Coverage) -> Verdict {
    let Some((before, after)) = done.action.vault().and_then(|id| done.before.vault(id).zip(done.after().vault(id)))
    else {
        return Ok(());
    };
    let weighted = |state: &Snapshot, vault: &Vault| {
        let mut held = vault.occupied().filter(|(_, side)| *side == Side::Collateral);
        held.any(|(p, _)| has_weights(state, vault, state.asset(&p.reserve)))
    };
    let (old, new) = (weighted(done.before, before), weighted(done.after(), after));
    match done.action {
        Action::SetGroup { group, .. } => {
            ensure!(after.group == group, "5: the vault is in group {}, not {group}", after.group);
            if after.has(Side::Debt) {
                let totals = health::value(done.after(), after, Purpose::NewRisk)?;
                let healthy = totals.is_healthy() && initial::is_healthy(done.after(), after);
                ensure!(healthy, "5: initial health under 1 after a change of the group: {totals:?}");
                coverage.reach("change of the group of a vault in debt");
            }
        }
        Action::Borrow(_) if new => coverage.reach("loan with the weights of a group"),
        Action::Borrow(_) if old && !new => coverage.reach("loan that ends the weights of a group"),
        Action::Withdraw(_) if new && after.has(Side::Debt) => coverage.reach("withdrawal with the weights of a group"),
        Action::Repay(_) if new && !old => coverage.reach("repayment that brings the weights of a group back"),
        Action::Liquidate { collateral, .. } if has_weights(done.before, before, collateral) => {
            coverage.reach("liquidation of collateral with the weights of its group");
        }
        Action::Liquidate { .. } if before.group != 0 && !counts(done.before, before) => {
            coverage.reach("liquidation of a vault with a debt outside of its group");
        }
        Action::Redeem { .. } if old => coverage.reach("redemption from a vault with the weights of a group"),
        _ => {}
    }
    Ok(())
}
