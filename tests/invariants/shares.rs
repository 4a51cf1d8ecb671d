//! Liquidations for shares: the shares change hands, and none is made or lost.

use crate::coverage::Coverage;
use crate::{Done, Effects, Verdict, ensure, flash, health};
use keel::state::Vault;
use keel_tests::random::Action;
use num_bigint::BigInt;

/// What leaves the vault is what the keeper's vault and the insurance receive, to the last place, and all shares are as many
/// as interest alone makes them. What the keeper receives is worth no more than the event says. No token is paid.
pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let Action::Liquidate { vault: id, collateral, into, keeper, .. } = done.action else { return Ok(()) };
    let [event] = effects.liquidated.as_slice() else { return Err("not exactly one liquidation".into()) };
    ensure!(event.in_shares == into.is_some(), "the keeper was not paid as asked for");
    let Some(into) = into else { return Ok(()) };
    ensure!(into != id, "a vault was liquidated into itself");
    let key = &done.before.reserve_keys[collateral];
    let (before, after) = (&done.before.reserves[collateral], &done.after().reserves[collateral]);
    let mut due = before.pool();
    due.accrue(done.before.moment.now).map_err(|error| format!("{error:?}"))?;
    let held = |vault: &Vault| vault.collateral_or_zero(key).0.to_bits();
    let old = [health::vault_in(done.before, id)?, health::vault_in(done.before, into)?].map(held);
    let new = [health::vault_in(done.after(), id)?, health::vault_in(done.after(), into)?].map(held);
    let Some(given) = new[1].checked_sub(old[1]) else { return Err("the keeper's vault lost shares".into()) };
    let Some(taken) = old[0].checked_sub(new[0]) else { return Err("the liquidated vault gained shares".into()) };
    let insured = after.insurance_shares.get().checked_sub(due.insurance_shares.0.to_bits());
    ensure!(insured == taken.checked_sub(given), "{taken} shares were seized, {given} given, {insured:?} insured");
    ensure!(after.supply_shares.get() == due.supply_shares.0.to_bits(), "a liquidation for shares made or lost some");
    let fees = flash::fees(effects, key);
    ensure!(BigInt::from(after.available) == fees + due.available.0, "a liquidation for shares paid tokens");
    let worth = (BigInt::from(given) * after.supply_index.get()) >> 120;
    ensure!(worth <= event.to_keeper.into(), "shares worth {worth} were given for {}", event.to_keeper);
    let new_position = health::vault_in(done.before, into)?.find(key).is_none();
    coverage.reach(match () {
        () if new_position => "liquidation for shares in a new position",
        () if done.arena.owner(into) == keeper => "liquidation for shares added to a position",
        () => "liquidation for shares in another's vault",
    });
    if before.available < event.to_keeper {
        coverage.reach("liquidation for shares that could not be paid out");
    }
    Ok(())
}
