//! Flash loans: what is lent is back, and leaves nothing behind but its fee.

use crate::coverage::Coverage;
use crate::{Done, Effects, Verdict, ensure, is_flash};
use anchor_lang::prelude::Pubkey;
use keel::state::Reserve;
use keel_risk::units::Amount;
use keel_tests::random::Action;
use num_bigint::BigInt;

/// The fees that a reserve earned: nobody's, until the next accrual makes them insurance.
pub fn fees(effects: &Effects, reserve: &Pubkey) -> BigInt {
    effects.flash.iter().filter(|loan| loan.reserve == *reserve).map(|loan| BigInt::from(loan.fee)).sum()
}

/// A successful transaction repays all that it borrowed, at the fee of the reserve, to within the unit that rounding up
/// adds. One that does nothing else leaves the reserves as an accrual would, and the fee.
pub fn check(done: &Done, effects: &Effects, coverage: &mut Coverage) -> Verdict {
    let lent: Vec<(usize, u64)> = done.actions.iter().filter_map(lent).collect();
    ensure!(effects.flash.len() == lent.len(), "a flash loan was not repaid");
    for event in &effects.flash {
        let asset = done.before.asset(&event.reserve);
        ensure!(lent.contains(&(asset, event.amount)), "a flash loan that was not borrowed was repaid");
        let exact = u128::from(event.amount) * u128::from(done.before.reserves[asset].config.flash_fee_bps);
        let fee = u128::from(event.fee) * 10_000;
        ensure!(
            fee >= exact && fee < exact + 10_000 + 1,
            "a fee of {} for {} of asset {asset}",
            event.fee,
            event.amount
        );
    }
    if lent.is_empty() {
        return Ok(());
    }
    if done.actions.iter().all(is_flash) {
        for asset in done.assets() {
            let fees: u64 =
                effects.flash.iter().filter(|e| done.before.asset(&e.reserve) == asset).map(|e| e.fee).sum();
            as_before(&done.before.reserves[asset], &done.after().reserves[asset], fees, done.before.moment.now)?;
        }
    }
    cover(done, &lent, coverage);
    Ok(())
}

fn lent(action: &Action) -> Option<(usize, u64)> {
    match *action {
        Action::FlashBorrow { asset, amount, .. } => Some((asset, amount)),
        _ => None,
    }
}

/// Nothing but the fee has changed, beside interest and the haircut, which time has moved.
fn as_before(before: &Reserve, after: &Reserve, fees: u64, now: i64) -> Verdict {
    let mut pool = before.pool();
    pool.accrue(now).map_err(|error| format!("a flash loan went through, but {error:?}"))?;
    if before.is_minted() {
        pool.supply_shares.0 = pool.supply_shares.0.sub_or_zero(keel_risk::Fraction::from_integer(fees));
    } else {
        pool.available = Amount(pool.available.0 + fees);
    }
    pool.reprice(&before.config.rate_terms()).map_err(|error| format!("{error:?}"))?;
    ensure!(after.pool() == pool, "a flash loan left {:?}, not {pool:?}", after.pool());
    let mut same = *before;
    same.store(&pool);
    same.haircut = after.haircut;
    ensure!(bytemuck::bytes_of(&same) == bytemuck::bytes_of(after), "a flash loan changed more than the books");
    Ok(())
}

fn cover(done: &Done, lent: &[(usize, u64)], coverage: &mut Coverage) {
    let inner: Vec<&Action> = done.actions.iter().filter(|action| !is_flash(action)).collect();
    coverage.reach(match inner[..] {
        [] => "flash loan around nothing",
        [Action::Liquidate { debt, .. }] if lent[0].0 == *debt => "flash loan around a liquidation that it pays for",
        [Action::Liquidate { .. }] => "flash loan around another liquidation",
        [Action::Deposit(_), Action::Borrow(_)] => "flash loan around a deposit and a loan",
        [Action::Repay(_), Action::Withdraw(_)] => "flash loan around a repayment and a withdrawal",
        _ => "flash loan around something else",
    });
    if lent.iter().any(|(asset, _)| done.before.reserves[*asset].is_minted()) {
        coverage.reach("flash loan of the minted token");
    }
    if lent.iter().any(|(asset, _)| done.before.reserves[*asset].config.flash_fee_bps == 0) {
        coverage.reach("flash loan without a fee");
    }
    if let [Action::FlashBorrow { .. }, Action::FlashBorrow { .. }, ..] = done.actions {
        coverage.reach("two flash loans at once");
    }
    let all = |(asset, amount): &(usize, u64)| *amount == done.before.reserves[*asset].available;
    if lent.iter().any(all) {
        coverage.reach("flash loan of all that is liquid");
    }
}
