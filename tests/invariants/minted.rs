//! The minted token: invariants 3 and 4 of its deficit, 5 of redemptions, and what the swap exchanges at.

use crate::coverage::Coverage;
use crate::exact::{self, bits, one};
use crate::{Done, Effects, Verdict, ensure, health, initial};
use keel::events::{Redeemed, Swapped};
use keel::state::{Reserve, Side};
use keel_risk::Fraction;
use keel_risk::price::Purpose;
use keel_tests::random::specs::{MINTED, SWAPPED};
use keel_tests::random::{Action, Snapshot};
use num_bigint::BigInt;

pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    if !done.assets().contains(&MINTED) {
        return Ok(());
    }
    deficit(done, effects, coverage)?;
    for event in &effects.swapped {
        swap(done, effects, event, coverage)?;
    }
    if let Action::Refresh { asset: MINTED, .. } = done.action {
        // Without a price, so that it finds losses only.
        mark(done, effects, done.after().reserves[MINTED].available, |_| (BigInt::ZERO, false), coverage)?;
    }
    for event in &effects.redeemed {
        redemption(done, event, coverage)?;
    }
    Ok(())
}

/// Tokens per native unit of the swap's asset at par, as a numerator and a denominator.
fn par(state: &Snapshot) -> (BigInt, BigInt) {
    let ten = |asset: usize| BigInt::from(10).pow(u32::from(state.reserves[asset].decimals));
    (ten(MINTED), ten(SWAPPED))
}

/// What the books of the minted reserve earn without time passing: fees, and what the swap's holding has gained. It is
/// nobody's until the next accrual. Also what the swap's holding was valued at before anything was exchanged.
pub fn income(done: &Done, effects: &Effects) -> (BigInt, Option<u64>) {
    let Some(event) = effects.swapped.first() else { return (BigInt::ZERO, None) };
    let available = done.after().reserves[MINTED].available;
    let marked =
        if event.minted { available - event.tokens - event.fee } else { available + (event.tokens - event.fee) };
    let gain = marked.saturating_sub(done.before.reserves[MINTED].available);
    (BigInt::from(event.fee) + gain, Some(marked))
}

/// The deficit rises by recorded losses only, and falls by what the books have earned only: interest, fees, gains.
fn deficit(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let (before, after) = (&done.before.reserves[MINTED], &done.after().reserves[MINTED]);
    let now = done.before.moment.now;
    let (old, new) = (bits(before.deficit.into()), bits(after.deficit.into()));
    let mut least = old.clone();
    if now > before.updated_at {
        let due = before.pool().project(now).map_err(|error| format!("4: {error:?}"))?;
        // What the books lack, with interest and with what they earned since the last accrual.
        let owed = BigInt::from(before.debt_shares.get()) * due.debt.0.to_bits();
        let claims = BigInt::from(before.supply_shares.get()) << 60;
        let held = BigInt::from(before.available) << 120;
        let lack: BigInt = (claims - owed - held + one() - 1u32) >> 60;
        least = least.min(lack.max(BigInt::ZERO));
    }
    if least < old {
        coverage.reach("deficit of the minted token recovered in part");
        if least == BigInt::ZERO {
            coverage.reach("deficit of the minted token recovered whole");
        }
    }
    let mut most = &least + 4u32;
    for loss in effects.losses.iter().filter(|loss| loss.reserve == done.before.reserve_keys[MINTED]) {
        ensure!(loss.socialized == 0, "4: holders of the minted token shared a loss");
        ensure!(loss.owed <= loss.insured + loss.deficit + 1, "4: a part of a loss is nowhere");
        most += one() * loss.deficit;
        least += one() * loss.deficit.saturating_sub(1);
        if loss.deficit > 0 {
            coverage.reach("loss of the minted token recorded as a deficit");
        }
        if loss.insured > 0 {
            coverage.reach("loss of the minted token paid by its surplus");
        }
    }
    ensure!(new >= least && new <= most, "4: the deficit went from {old} to {new}, not {least}");
    Ok(())
}

/// What the swap exchanges at: a dollar per token, or the asset's price if that is worse for the user; both to within two
/// units. Before that its holding is valued: at most at par, and at the lower price of new risk if that is more than the
/// books said.
fn swap(done: &Done, effects: &Effects, event: &Swapped, coverage: &mut Coverage) -> Verdict {
    let (state, after) = (done.before, done.after());
    let config = &state.reserves[MINTED].config.minted;
    let (tens, unit) = par(state);
    let [low, high] = [Side::Collateral, Side::Debt].map(|side| initial::worst(state, SWAPPED, side));
    let (Some(low), Some(high)) = (low, high) else { return Err("8: swapped without a price".into()) };
    // Dollars per token, in the same unit as the prices of native units.
    let dollar = initial::dollar() / &tens;
    let tokens_of = |assets: u64| -> (BigInt, bool) {
        let at_par = BigInt::from(assets) * &tens / &unit;
        let at_price = BigInt::from(assets) * &low / &dollar;
        if at_price < at_par { (at_price, true) } else { (at_par, false) }
    };
    let fee_bps = if event.minted { config.swap_in_fee_bps } else { config.swap_out_fee_bps };
    let charged = BigInt::from(event.tokens) + if event.minted { event.fee } else { 0 };
    let fee: BigInt = (&charged * fee_bps + 9_999u32) / 10_000u32;
    ensure!(fee == BigInt::from(event.fee), "8: a fee of {} for {charged}", event.fee);
    // Of the asset, which rounding may cost the user.
    let one: BigInt = (&tens + &unit - 1u32) / &unit;
    if event.minted {
        let (exact, off_peg) = tokens_of(event.assets);
        let close = charged <= exact && charged >= &exact - &one - if off_peg { 2 } else { 0 };
        ensure!(close, "8: {charged} minted for {} assets, not {exact}", event.assets);
        coverage.reach(if off_peg { "swap in below the peg" } else { "swap in at par" });
    } else {
        let paid = BigInt::from(event.tokens - event.fee);
        let at_par: BigInt = &paid * &unit / &tens;
        let at_price: BigInt = &paid * &dollar / &high;
        let off_peg = at_price < at_par;
        let (exact, slack) = if off_peg { (at_price, 3) } else { (at_par, 1) };
        let assets = BigInt::from(event.assets);
        ensure!(assets <= exact && assets >= &exact - slack, "8: {assets} paid for {paid} tokens, not {exact}");
        coverage.reach(if off_peg { "swap out above the peg" } else { "swap out at par" });
    }
    ensure!(
        after.reserves[MINTED].available <= state.reserves[MINTED].config.limits.swap_cap || !event.minted,
        "8: cap"
    );
    let marked = income(done, effects).1.ok_or("8: no swap")?;
    mark(done, effects, marked, tokens_of, coverage)?;
    // So that rounding is never marked as a loss.
    let at_par = BigInt::from(held(after, state.moment.now)?) * &tens / &unit;
    ensure!(BigInt::from(after.reserves[MINTED].available) <= at_par, "8: the books count more than the swap holds");
    Ok(())
}

/// What the swap holds in whole units of its asset.
fn held(state: &Snapshot, now: i64) -> Result<u64, String> {
    let index = state.reserves[SWAPPED].pool().project(now).map_err(|error| format!("8: {error:?}"))?.supply;
    let shares = state.reserves[MINTED].minted.swap_shares;
    let held: BigInt = (BigInt::from(shares.get()) * index.0.to_bits()) >> 120;
    u64::try_from(held).map_err(|error| error.to_string())
}

/// What the swap holds was valued at `marked`, before anything was exchanged.
fn mark(
    done: &Done,
    effects: &Effects,
    marked: u64,
    tokens_of: impl Fn(u64) -> (BigInt, bool),
    coverage: &mut Coverage,
) -> Verdict {
    let state = done.before;
    let held = held(state, state.moment.now)?;
    let (tens, unit) = par(state);
    let at_par = BigInt::from(held) * tens / unit;
    let (at_low, off_peg) = tokens_of(held);
    let (old, marked) = (BigInt::from(state.reserves[MINTED].available), BigInt::from(marked));
    let expected = if old > at_par { at_par } else { old.clone().max(at_low) };
    let slack = if off_peg { 2 } else { 0 };
    let close = marked <= expected && (&marked + slack >= expected || marked == old);
    ensure!(close, "8: the swap's holding was valued at {marked}, not {expected}");
    let lost: u64 = effects.losses.iter().filter(|loss| loss.vault == Default::default()).map(|loss| loss.owed).sum();
    ensure!(BigInt::from(lost) == (&old - &marked).max(BigInt::ZERO), "8: the swap lost {lost}");
    if lost > 0 {
        coverage.reach("swap's holding valued lower");
    }
    if marked > old {
        coverage.reach("swap's holding valued higher");
    }
    Ok(())
}

/// 5: only under the threshold, health strictly higher, no dust left. The redeemer receives at most a dollar per token, less
/// the fee, at a price that is bad for him; the vault gives at most a dollar less half of the fee, and what it gives more
/// than he receives is insurance.
fn redemption(done: &Done, event: &Redeemed, coverage: &mut Coverage) -> Verdict {
    let Action::Redeem { vault: id, collateral, max_repay, min_seize, .. } = done.action else { return Ok(()) };
    let (old, new) = (health::vault_in(done.before, id)?, health::vault_in(done.after(), id)?);
    let before = health::value(done.before, old, Purpose::Liquidation)?;
    let after = health::value(done.after(), new, Purpose::Liquidation)?;
    let config = &done.before.reserves[MINTED].config.minted;
    ensure!(!old.is_insolvent(), "5: an insolvent vault was redeemed from");
    ensure!(event.repaid <= max_repay && event.paid >= min_seize, "5: outside of the redeemer's bounds");
    let threshold = bits(before.debt.0) * config.redemption_max_health_bps;
    ensure!(bits(before.limit.0) * 10_000u32 < threshold, "5: redeemed from a vault with {before:?}");
    ensure!(exact::healthier(&after, &before), "5: a redemption did not raise health: {before:?} {after:?}");
    let (min, max) = (config.redemption_min_fee_bps, config.redemption_max_fee_bps);
    let fee = Fraction::from_bits(event.fee);
    let sound = fee >= Fraction::from_bps_floor(min) && fee <= Fraction::from_bps_ceil(max);
    ensure!(sound, "5: a redemption fee of {fee:?}");
    let Some(high) = initial::worst(done.before, collateral, Side::Debt) else { return Err("5: no price".into()) };
    let dollar = initial::dollar() / par(done.before).0;
    let worth = dollar * event.repaid;
    let paid = &high * event.paid * one() <= &worth * (one() - bits(fee));
    ensure!(paid, "5: {} paid for {} tokens at a fee of {fee:?}", event.paid, event.repaid);
    let seized = high * event.seized * one() * 2u32 <= worth * (one() * 2u32 - bits(fee));
    ensure!(seized, "5: {} seized for {} tokens at a fee of {fee:?}", event.seized, event.repaid);
    let (old_books, new_books) = (&done.before.reserves[collateral], &done.after().reserves[collateral]);
    let mut due = old_books.pool();
    due.accrue(done.before.moment.now).map_err(|error| format!("5: {error:?}"))?;
    let insured = BigInt::from(new_books.insurance_shares.get()) - due.insurance_shares.0.to_bits();
    let lack = insured * due.supply_index.0.to_bits() - one() * one() * (BigInt::from(event.seized) - event.paid);
    ensure!(lack.magnitude() < (one() * one()).magnitude(), "5: {} seized, {} paid, {lack}", event.seized, event.paid);
    let key = &done.before.reserve_keys[MINTED];
    let owed = match new.find(key) {
        Some(position) => owed(done, position.shares)?,
        None => 0,
    };
    let rules = done.before.market.rules().map_err(|error| format!("{error:?}"))?;
    let least = rules.min_position.0.to_bits() >> 60;
    ensure!(owed == 0 || u128::from(owed) >= least * 1_000_000, "5: a redemption left a debt of {owed}");
    coverage.reach(if owed == 0 { "redemption of a whole debt" } else { "redemption of a part" });
    if before.limit < before.debt {
        coverage.reach("redemption from an unhealthy vault");
    }
    if old.occupied().filter(|(_, side)| *side == Side::Debt).count() > 1 {
        coverage.reach("redemption beside a pooled debt");
    }
    if event.seized > event.paid {
        coverage.reach("redemption that insures");
    }
    if fee > Fraction::from_bps_ceil(min + 10) {
        coverage.reach("redemption at a raised fee");
    }
    Ok(())
}

fn owed(done: &Done, shares: keel::state::Words) -> Result<u64, String> {
    let reserve: &Reserve = &done.after().reserves[MINTED];
    let exact: BigInt = BigInt::from(shares.get()) * reserve.debt_index.get() + (one() * one() - 1u32);
    let whole: BigInt = exact >> 120;
    u64::try_from(whole).map_err(|error| error.to_string())
}
