//! Isolated assets: as collateral they stand alone and back debts up to their ceiling, as debt they are the only one.

use crate::coverage::Coverage;
use crate::{Done, Verdict, ensure, health, initial};
use keel::state::{Side, Vault};
use keel_tests::random::{Action, Snapshot};
use num_bigint::BigInt;

/// At every moment: what vaults count against a ceiling is counted by its reserve, and only debts of vaults count.
pub fn counts(state: &Snapshot) -> Verdict {
    for (asset, reserve) in state.reserves.iter().enumerate() {
        let against = |vault: &&Vault| vault.isolated_reserve == state.reserve_keys[asset];
        let debts = state.vaults.iter().flatten().filter(against).flat_map(|vault| vault.occupied());
        let counted: u64 = debts.map(|(position, _)| position.isolated_debt).sum();
        let known = counted <= reserve.isolated_debt;
        ensure!(
            known,
            "debts of {counted} count against asset {asset}, whose reserve knows of {}",
            reserve.isolated_debt
        );
    }
    for (position, side) in state.vaults.iter().flatten().flat_map(|vault| vault.occupied()) {
        ensure!(side == Side::Debt || position.isolated_debt == 0, "a collateral counts against a ceiling");
    }
    Ok(())
}

/// After a loan, isolated assets stand alone, and the ceiling holds with what the loan counts for: at least its value at the
/// prices of new risk. Nothing else raises a count, and only that of the acting vault's collateral changes.
pub fn check(done: &Done, coverage: &mut Coverage) -> Verdict {
    let flow = match done.action {
        Action::Borrow(flow) => Some(flow),
        _ => None,
    };
    for (asset, (before, after)) in done.before.reserves.iter().zip(&done.after().reserves).enumerate() {
        if after.isolated_debt == before.isolated_debt {
            continue;
        }
        let vault = done.action.vault().and_then(|id| done.after().vault(id)).map(|vault| vault.isolated_reserve);
        ensure!(vault == Some(done.before.reserve_keys[asset]), "the count of asset {asset} changed by a stranger");
        let raised = after.isolated_debt > before.isolated_debt;
        // One that is isolated no longer still gives back what it counts.
        ensure!(!raised || before.is_isolated_collateral(), "asset {asset} counts a debt and has no ceiling");
        ensure!(!raised || flow.is_some(), "{} raised the count of asset {asset}", done.action.name());
        coverage.reach(if raised { "loan against an isolated collateral" } else { "isolated debt released" });
    }
    if let Action::Deposit(flow) = done.action {
        let (reserve, key) = (&done.before.reserves[flow.asset], &done.before.reserve_keys[flow.asset]);
        let old = health::vault_in(done.before, flow.vault)?;
        let alone = old.is_empty() || old.find(key).is_some();
        ensure!(alone || !reserve.is_isolated_collateral(), "isolated collateral joined others");
    }
    let Some(flow) = flow else { return Ok(()) };
    let vault = health::vault_in(done.after(), flow.vault)?;
    let assets = |of: Side| {
        let own = vault.occupied().filter(move |(_, side)| *side == of);
        own.map(|(position, _)| done.after().asset(&position.reserve)).collect::<Vec<_>>()
    };
    let (collaterals, debts) = (assets(Side::Collateral), assets(Side::Debt));
    let reserves = &done.after().reserves;
    if debts.iter().any(|asset| reserves[*asset].is_isolated_debt()) {
        ensure!(debts.len() == 1, "5: an isolated debt beside others");
        coverage.reach("loan of an isolated debt");
    }
    let Some(asset) = collaterals.iter().find(|asset| reserves[**asset].is_isolated_collateral()) else {
        return Ok(());
    };
    ensure!(collaterals.len() == 1, "5: a loan against isolated collateral beside others");
    let (old, new) = (done.before.reserves[*asset].isolated_debt, reserves[*asset].isolated_debt);
    let ceiling = reserves[*asset].config.limits.isolated_debt_ceiling;
    ensure!(new <= ceiling, "5: isolated debt of {new} above its ceiling of {ceiling}");
    let keel::AmountSpec::Exact(amount) = flow.amount else { return Err("5: a loan of no amount".into()) };
    let Some(price) = initial::worst(done.before, flow.asset, Side::Debt) else { return Err("5: no price".into()) };
    let (counted, worth) = (initial::dollar() * new.saturating_sub(old), price * amount * BigInt::from(1_000_000));
    ensure!(counted >= worth, "5: a loan worth {worth} counts for {counted} against a ceiling");
    Ok(())
}
