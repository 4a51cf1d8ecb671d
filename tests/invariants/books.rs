//! Invariants 1 to 4 and 8: the books of the reserves.

use crate::exact::{self, bits, one};
use crate::{Done, Effects, Verdict, ensure, flash, minted};
use keel::state::{Reserve, Side};
use keel_risk::Fraction;
use keel_tests::random::Snapshot;
use keel_tests::random::specs::{MINTED, SWAPPED};
use num_bigint::BigInt;

/// What holds at every moment, for every reserve:
/// 1. its token account has at least what it calls available, and what is available and owed covers all claims,
///    exactly, insurance being one of them;
/// 2. the shares of all vaults on each side, insurance and what the swap holds added, are its totals, exactly;
/// 8. the tokens of users and of the liquidity account are all that exist; of a minted token, they are what the books say
///    circulates, and its supply index never moves.
///
/// No flash loan outlives its transaction, and only a minted reserve has a deficit.
pub fn sums(state: &Snapshot) -> Verdict {
    for (asset, reserve) in state.reserves.iter().enumerate() {
        let backed = reserve.is_minted() || state.liquidity[asset] >= reserve.available;
        ensure!(backed, "1: asset {asset} has {} of {} available", state.liquidity[asset], reserve.available);
        ensure!(reserve.invariant().is_ok(), "1: asset {asset} owes more than it has");
        let key = &state.reserve_keys[asset];
        ensure!(reserve.flash == 0, "1: a flash loan of asset {asset} is open");
        let (mut supplied, mut owed) = (reserve.insurance_shares.get(), 0);
        if asset == SWAPPED {
            supplied += state.reserves[MINTED].minted.swap_shares.get();
        }
        if reserve.is_minted() {
            supplied += u128::from(state.supplies[asset]) << 60;
            let fixed = reserve.supply_index.get() == 1 << 60 && reserve.supply_growth_ratio.get() == 0;
            ensure!(fixed, "4: the supply index of the minted token moves");
            ensure!(reserve.tokens().is_ok_and(|n| n == state.supplies[asset]), "8: not all minted tokens circulate");
        } else {
            ensure!(reserve.deficit.get() == 0, "1: asset {asset} has a deficit");
        }
        for position in state.vaults.iter().flatten().filter_map(|vault| vault.find(key)) {
            match position.side() {
                Some(Side::Collateral) => supplied += position.shares.get(),
                _ => owed += position.shares.get(),
            }
        }
        ensure!(supplied == reserve.supply_shares.get(), "2: supply shares of asset {asset} do not add up");
        ensure!(owed == reserve.debt_shares.get(), "2: debt shares of asset {asset} do not add up");
        let held: u64 = state.wallets.iter().map(|wallet| wallet[asset]).sum();
        let tokens = held + state.liquidity[asset];
        ensure!(tokens == state.supplies[asset], "8: {tokens} of {} tokens of {asset}", state.supplies[asset]);
    }
    for vault in state.vaults.iter().flatten() {
        ensure!(vault.check().is_ok(), "2: a vault's slots are not well-formed");
    }
    Ok(())
}

/// What an instruction may do to each reserve.
pub fn reserves(done: &Done, effects: &Effects) -> Verdict {
    let touched = done.assets();
    let changes = done.before.reserves.iter().zip(&done.after().reserves);
    for (asset, (before, after)) in changes.enumerate() {
        if !touched.contains(&asset) {
            // Loans and repayments of other assets count against the ceiling of an isolated collateral.
            let same = Reserve { isolated_debt: before.isolated_debt, ..*after };
            ensure!(bytemuck::bytes_of(before) == bytemuck::bytes_of(&same), "asset {asset} changed");
            continue;
        }
        let key = &done.before.reserve_keys[asset];
        let mut losses = effects.losses.iter().filter(|loss| loss.reserve == *key).peekable();
        let (loss, socialized) = (losses.peek().is_some(), losses.any(|loss| loss.socialized > 0));
        if done.only_challenges(asset) {
            ensure!(after.pool() == before.pool(), "4: a challenge changed the books of asset {asset}");
            continue;
        }
        if effects.paid_out.iter().any(|paid| paid.reserve == *key) {
            insured(after)?;
        }
        indices(asset, before, after, socialized, done.before.moment.now)?;
        let mut income = if asset == MINTED { minted::income(done, effects).0 } else { BigInt::ZERO };
        income += flash::fees(effects, key);
        drift(asset, before, after, loss, income * one() * one())?;
    }
    Ok(())
}

/// After a payment of insurance the configured part of what is owed stays insured, exactly.
fn insured(reserve: &Reserve) -> Verdict {
    let insured = bits(reserve.insurance_shares.into()) * bits(reserve.supply_index.into());
    let owed = bits(reserve.debt_shares.into()) * bits(reserve.debt_index.into());
    let floor = reserve.config.insurance_floor_bps;
    ensure!(insured * 10_000u32 >= owed * floor, "insurance under its floor was paid out");
    Ok(())
}

/// 4: the debt index never falls, the supply index only with a loss that suppliers share, and neither moves by anything
/// else than interest: with no time between, by nothing.
fn indices(asset: usize, before: &Reserve, after: &Reserve, socialized: bool, now: i64) -> Verdict {
    let (supply, debt) = (after.supply_index.get(), after.debt_index.get());
    let due = before.pool().project(now).map_err(|error| format!("4: asset {asset}: {error:?}"))?;
    let (supply_due, debt_due) = (due.supply.0.to_bits(), due.debt.0.to_bits());
    ensure!(debt >= before.debt_index.get(), "4: the debt index of asset {asset} fell");
    ensure!(supply_due >= before.supply_index.get(), "4: interest lowered the supply index of asset {asset}");
    if before.updated_at >= now {
        ensure!(debt_due == before.debt_index.get(), "4: debt of asset {asset} grew in no time");
        ensure!(supply_due == before.supply_index.get(), "4: supply of asset {asset} grew in no time");
    }
    ensure!(after.updated_at == now.max(before.updated_at), "4: asset {asset} was not accrued");
    ensure!(debt == debt_due, "4: the debt index of asset {asset} is {debt}, interest makes it {debt_due}");
    if socialized {
        ensure!(supply < supply_due, "4: a shared loss left the supply index of asset {asset}");
    } else {
        ensure!(supply == supply_due, "4: the supply index of asset {asset} is {supply}, not {supply_due}");
    }
    Ok(())
}

/// 3: what the reserve has beyond what it owes only grows, and stays bounded.
///
/// With time, it becomes insurance: at most a few units in the last place are left. Without time, an instruction adds
/// no more than its `income`, a native unit (an amount rounded to a whole one) and the roundings of shares, and takes
/// nothing away, unless a loss exceeds all claims, which then are zero.
fn drift(asset: usize, before: &Reserve, after: &Reserve, loss: bool, income: BigInt) -> Verdict {
    let (old, new) = (exact::slack(before), exact::slack(after));
    let unit = one() * one();
    let last_places = bits(after.supply_index.into()) + bits(after.debt_index.into()) + one();
    // A shared loss rounds the index, and with it every share.
    let roundings = last_places * BigInt::from(4) + bits(before.supply_shares.into());
    let wiped_out = Fraction::from(after.supply_index).is_zero() || Fraction::from(after.supply_shares).is_zero();
    ensure!(new >= BigInt::ZERO, "3: claims on asset {asset} exceed its assets");
    if after.updated_at > before.updated_at {
        let bound = &income + &unit + &roundings;
        ensure!(wiped_out || new <= bound, "3: asset {asset} keeps {new} that are nobody's, after interest");
    } else {
        let bound = &old + &income + &unit + &roundings;
        ensure!(wiped_out || new <= bound, "3: the drift of asset {asset} grew from {old} to {new}");
        ensure!(new >= &old + &income || (loss && wiped_out), "3: the drift of asset {asset} fell from {old} to {new}");
    }
    Ok(())
}
