//! Efficiency groups: their weights count only while every debt of the vault is in the group.

use crate::coverage::Coverage;
use crate::{Done, Verdict, ensure, health, initial};
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use keel_tests::random::{Action, Snapshot};

/// Whether every debt is in the vault's group, by what the vault remembers of them: an asset may have come into a group since.
fn counts(vault: &Vault) -> bool {
    vault.group != 0 && vault.occupied().all(|(p, side)| side == Side::Collateral || p.group == vault.group)
}

/// What a vault remembers of the debts that it has just taken, or looked at anew: the groups that the assets are in now.
fn remembers(state: &Snapshot, vault: &Vault, debts: impl Fn(usize) -> bool) -> Verdict {
    for (position, side) in vault.occupied() {
        let asset = state.asset(&position.reserve);
        let group = state.reserves[asset].config.group.id;
        let sound = side == Side::Collateral || !debts(asset) || position.group == group;
        ensure!(sound, "5: asset {asset} is in group {group}, and the vault has it in {}", position.group);
    }
    Ok(())
}

/// Whether a collateral of the vault counts with the weights of its group. Some assets have none there.
pub fn has_weights(state: &Snapshot, vault: &Vault, asset: usize) -> bool {
    let group = &state.reserves[asset].config.group;
    counts(vault) && group.id == vault.group && group.liquidation_threshold_bps > 0
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
    if let Action::Borrow(flow) = done.action {
        remembers(done.after(), after, |asset| asset == flow.asset)?;
    }
    match done.action {
        Action::SetGroup { group, .. } => {
            ensure!(after.group == group, "5: the vault is in group {}, not {group}", after.group);
            remembers(done.after(), after, |_| true)?;
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
        Action::Liquidate { .. } if before.group != 0 && !counts(before) => {
            coverage.reach("liquidation of a vault with a debt outside of its group");
        }
        Action::Redeem { .. } if old => coverage.reach("redemption from a vault with the weights of a group"),
        _ => {}
    }
    Ok(())
}
