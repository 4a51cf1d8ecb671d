//! Invariant 5: health after a loan, a withdrawal and a liquidation, and when a debt may be written off.
//!
//! Health is computed from the accounts, outside of the program, by the valuation that clients use; where two of them
//! are compared, by exact integers. Initial health is computed a second time, independently, by [`crate::initial`].

use crate::coverage::Coverage;
use crate::exact::{self, bits, healthier, one};
use crate::{Done, Effects, Verdict, ensure, groups, initial};
use keel::events::Liquidated;
use keel::state::{Side, Vault};
use keel_risk::Fraction;
use keel_risk::health::Totals;
use keel_risk::price::{Purpose, UnitPrice};
use keel_risk::units::{Amount, Usd};
use keel_tests::random::{Action, FlowOf, Snapshot, VaultId};

pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let before = done.action.vault().and_then(|id| done.before.vault(id));
    let insolvent = before.is_some_and(Vault::is_insolvent);
    match done.action {
        Action::Deposit(_) => ensure!(!insolvent, "5: a deposit into an insolvent vault"),
        Action::Withdraw(flow) | Action::Borrow(flow) => {
            ensure!(!insolvent, "5: something left an insolvent vault");
            new_risk(done, &flow)?;
        }
        Action::Liquidate { vault, .. } => {
            ensure!(!insolvent, "5: an insolvent vault was liquidated");
            liquidation(done, effects, vault, coverage)?;
        }
        Action::Resolve { vault, .. } => resolution(done, effects, vault, insolvent, coverage)?,
        _ => {}
    }
    Ok(())
}

pub fn vault_in(state: &Snapshot, id: VaultId) -> Result<&Vault, String> {
    state.vault(id).ok_or_else(|| "5: the vault is gone".into())
}

pub fn value(state: &Snapshot, vault: &Vault, purpose: Purpose) -> Result<Totals, String> {
    match state.value(vault, purpose) {
        Ok(valuation) => Ok(valuation.totals),
        Err(error) => Err(format!("5: it went through, but a client cannot value the vault: {error:?}")),
    }
}

/// After a loan or a withdrawal the vault owes nothing, or its initial health is at least 1.
fn new_risk(done: &Done, flow: &FlowOf) -> Verdict {
    let state = done.after();
    let vault = vault_in(state, flow.vault)?;
    if vault.has(Side::Debt) {
        let totals = value(state, vault, Purpose::NewRisk)?;
        ensure!(exact::ratio_at_least(totals.limit, totals.debt, ONE, ONE), "5: initial health under 1: {totals:?}");
        ensure!(initial::is_healthy(state, vault), "5: initial health under 1 in exact arithmetic: {totals:?}");
    }
    Ok(())
}

const ONE: Usd = Usd(Fraction::ONE);

/// The traded assets of a liquidation: what a native unit of each is worth, rounded up.
struct Units {
    debt_price: UnitPrice,
    collateral_price: UnitPrice,
    debt: Usd,
    collateral: Usd,
}

impl Units {
    fn of(state: &Snapshot, debt: usize, collateral: usize) -> Result<Self, String> {
        let price = |asset: usize, side| {
            let traded = state.reserves[asset].traded_price(&state.readings[asset], side, &state.moment);
            traded.map_err(|error| format!("5: liquidated without a price: {error:?}"))
        };
        let (debt_price, collateral_price) = (price(debt, Side::Debt)?, price(collateral, Side::Collateral)?);
        let unit = |price: UnitPrice| price.value_ceil(Amount(1)).map_err(|error| format!("{error:?}"));
        Ok(Self { debt: unit(debt_price)?, collateral: unit(collateral_price)?, debt_price, collateral_price })
    }

    /// Whether `after / debt after` is at least `before / debt before`, but for one native unit of each asset.
    fn not_lower(&self, after: Usd, debt_after: Usd, before: Usd, debt_before: Usd) -> bool {
        let after = Usd(after.0.checked_add(self.collateral.0).unwrap_or(Fraction::MAX));
        let debt_after = Usd(debt_after.0.sub_or_zero(self.debt.0));
        exact::ratio_at_least(after, debt_after, before, debt_before)
    }
}

/// What must hold after a liquidation, with `C`, `L`, `D` collateral, limit and debt of the vault, `b` the bonus and
/// `cf` the factor of the seized collateral:
///
/// - health was under 1;
/// - what was seized is worth at most what was repaid and the bonus, and that is at most the reserve's largest; or it pays
///   the flat bounty for a small debt, see [`flat_bounty`];
/// - above the close-out zone: health is strictly higher. If a position was closed whole, a native unit of each asset
///   may have been rounded away, and health is not lower but for that;
/// - in the close-out zone: `C / D` is not lower, but for such a unit, unless `C < D * (1 + b_min)`: then there is no
///   margin that could pay the least bonus. And health is not lower either unless `(1 + b) * cf > L / D`: unless, that
///   is, the vault holds collateral of several kinds and the keeper takes one with a higher factor than the rest.
///
/// Where the rest was written off at once, the vault is insolvent or empty, and has less than the minimum left.
fn liquidation(done: &Done, effects: &Effects, id: VaultId, coverage: &mut Coverage) -> Verdict {
    let Action::Liquidate { debt, collateral, max_repay, min_seize, .. } = done.action else { return Ok(()) };
    let [event] = effects.liquidated.as_slice() else { return Err("5: no event of a liquidation".into()) };
    let (old, new) = (vault_in(done.before, id)?, vault_in(done.after(), id)?);
    let before = value(done.before, old, Purpose::Liquidation)?;
    let after = value(done.after(), new, Purpose::Liquidation)?;
    let units = Units::of(done.before, debt, collateral)?;
    let grouped = groups::has_weights(done.before, old, collateral);
    let terms = done.before.reserves[collateral].bonus_terms(grouped);
    let bonus = Fraction::from_bits(event.bonus);

    ensure!(before.limit < before.debt, "5: a healthy vault was liquidated: {before:?}");
    let health = before.health_factor().ok_or("5: no health factor")?;
    ensure!(event.health_before == health.to_bits(), "5: the event tells another health before");
    ensure!(event.repaid <= max_repay && event.to_keeper >= min_seize, "5: outside of the keeper's bounds");
    ensure!(event.to_keeper <= event.seized, "5: the keeper received more than was seized");
    ensure!(bonus <= Fraction::from_bps_ceil(terms.max_bps), "5: the bonus is above the maximum");
    let paid = units.debt_price.value_ceil(Amount(event.repaid)).map_err(|e| format!("{e:?}"))?;
    let taken = units.collateral_price.value_floor(Amount(event.seized)).map_err(|e| format!("{e:?}"))?;
    let worth = bits(paid.0) * (one() + bits(bonus));

    let close_out = health <= Fraction::from_bps_floor(terms.max_bonus_health_bps);
    let closed_debt = new.find(&done.before.reserve_keys[debt]).is_none();
    let closed_collateral = new.find(&done.before.reserve_keys[collateral]).is_none();
    coverage.liquidation(done, effects, id, close_out, closed_debt, closed_collateral);
    let flat = bits(taken.0) * one() > worth;
    if flat {
        ensure!(closed_debt, "5: seized {taken:?} for {paid:?} at a bonus of {bonus:?}");
        flat_bounty(done, event, &units, paid, &after)?;
        coverage.reach("liquidation with the flat bounty");
    }

    if !effects.losses.is_empty() {
        let min = done.before.market.min_position();
        ensure!(effects.losses[0].owed > 0 && effects.losses.len() == 1, "5: a loss of nothing, or two of them");
        ensure!(new.is_insolvent() || new.is_empty(), "5: debt was written off, and the vault goes on");
        ensure!(min.is_ok_and(|min| after.collateral < min), "5: debt was written off beside {after:?}");
        return Ok(());
    }
    let not_lower = units.not_lower(after.limit, after.debt, before.limit, before.debt);
    if close_out && flat {
        return Ok(());
    }
    if !close_out {
        let rose = healthier(&after, &before) || ((closed_debt || closed_collateral) && not_lower);
        ensure!(rose, "5: health did not rise: {before:?} {after:?}");
        return Ok(());
    }
    let least = one() + bits(Fraction::from_bps_floor(terms.min_bps));
    let margin = bits(before.collateral.0) * one() >= bits(before.debt.0) * &least;
    let covered = units.not_lower(after.collateral, after.debt, before.collateral, before.debt);
    ensure!(!margin || covered, "5: C / D fell in a close-out: {before:?} {after:?}");
    let factor =
        done.before.reserves[collateral].collateral_factor(Purpose::Liquidation, done.before.moment.now, grouped);
    let factor = factor.map_err(|error| format!("{error:?}"))?;
    let lowers = (one() + bits(bonus)) * bits(factor) * bits(before.debt.0) > bits(before.limit.0) * one() * one();
    ensure!(lowers || not_lower, "5: health fell in a close-out: {before:?} {after:?}");
    Ok(())
}

/// Beyond the bonus, a debt of less than the minimum position that was repaid whole pays its keeper the flat bounty, no more
/// than one of the minimum position would, and that out of the owner's margin: the vault still has as much as it owes, but
/// for a unit rounded away.
fn flat_bounty(done: &Done, event: &Liquidated, units: &Units, paid: Usd, after: &Totals) -> Verdict {
    let share = done.before.reserves[done.before.asset(&event.collateral_reserve)].config.collateral.protocol_share_bps;
    let rules = done.before.market.rules().map_err(|error| format!("{error:?}"))?;
    ensure!(paid < rules.min_position, "5: a flat bounty for a debt of {paid:?}");
    let received = units.collateral_price.value_floor(Amount(event.to_keeper)).map_err(|e| format!("{e:?}"))?;
    let bounty = received.0.sub_or_zero(paid.0);
    ensure!(bounty <= rules.min_bounty.0, "5: the flat bounty came to {bounty:?}");
    let of_minimum = bits(rules.min_position.0) * event.bonus * (10_000 - share);
    ensure!(bits(bounty) * one() * 10_000 <= of_minimum, "5: {bounty:?} for a small debt, more than for the minimum");
    let left = after.collateral.checked_add(units.collateral).map_err(|error| format!("{error:?}"))?;
    ensure!(left >= after.debt, "5: suppliers paid the flat bounty: {after:?}");
    Ok(())
}

/// A vault whose position is cleared was insolvent already, or had bad debt: unhealthy, its collateral worth less than
/// its debt and less than the minimum position. Afterwards it is marked, until it is empty.
fn resolution(done: &Done, effects: &Effects, id: VaultId, marked: bool, coverage: &mut Coverage) -> Verdict {
    let (old, new) = (vault_in(done.before, id)?, vault_in(done.after(), id)?);
    if !marked {
        let totals = value(done.before, old, Purpose::Liquidation)?;
        let min = done.before.market.min_position().map_err(|error| format!("{error:?}"))?;
        let bad = totals.limit < totals.debt && totals.collateral < totals.debt && totals.collateral < min;
        ensure!(bad, "5: resolved without bad debt: {totals:?}");
    }
    ensure!(new.is_insolvent() != new.is_empty(), "5: the vault's mark is wrong");
    ensure!(effects.losses.len() + effects.forfeits.len() == 1, "5: not exactly one position was cleared");
    coverage.losses(effects);
    Ok(())
}
