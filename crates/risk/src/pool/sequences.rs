//! The books after any order of actions.

use super::tests::{ADAPTIVE_TERMS, TERMS};
use super::*;
use crate::interest::RateCurve;
use proptest::prelude::*;
use std::vec;
use std::vec::Vec;

fn any_amount() -> impl Strategy<Value = u64> {
    (any::<u64>(), 8u32..64).prop_map(|(x, s)| x >> s)
}

/// By how much the assets and the deficit exceed the claims, exactly, in units of 2^-120.
fn slack(pool: &Pool) -> i128 {
    let wide = |a: Fraction, b: Fraction| wide::mul(a.to_bits(), b.to_bits());
    let held = Fraction::from_integer(pool.available.0 + pool.flash.0).checked_add(pool.deficit).unwrap();
    let (claims, owed, held) = (
        wide(pool.supply_shares.0, pool.supply_index.0),
        wide(pool.debt_shares.0, pool.debt_index.0),
        wide(held, Fraction::ONE),
    );
    let (low, carry) = owed.1.overflowing_add(held.1);
    let (low, borrow) = low.overflowing_sub(claims.1);
    let high = owed.0 as i128 + held.0 as i128 + i128::from(carry) - claims.0 as i128 - i128::from(borrow);
    // What is not small is nonsense, and so is what is below zero.
    if high == 0 && low >> 127 == 0 { low as i128 } else { i128::MAX }
}

/// A flash loan, with what may go wrong on the way; the fee that was paid.
fn flash(pool: &mut Pool, amount: u64, fee_bps: u32, cap: Amount) -> Result<u64> {
    let before = *pool;
    pool.flash_borrow(Amount(amount), cap)?;
    pool.check().unwrap();
    let moved = before.available.0 - pool.available.0;
    assert_eq!((pool.flash, moved), (Amount(amount), if pool.kind == Kind::Pooled { amount } else { 0 }));
    assert_eq!(pool.clone().flash_borrow(Amount(1), Amount::MAX), Err(RiskError::FlashLoanOpen));
    for wrong in [amount - 1, amount + 1] {
        assert_eq!(pool.clone().flash_repay(Amount(wrong), fee_bps), Err(RiskError::NoFlashLoan));
    }
    let due = pool.flash_repay(Amount(amount), fee_bps)?;
    assert_eq!(pool.flash, Amount::ZERO);
    let fee = due.0 - amount;
    assert_eq!(u128::from(fee), (u128::from(amount) * u128::from(fee_bps)).div_ceil(10_000));
    assert_eq!(fee_bps == 0, fee == 0);
    Ok(fee)
}

#[derive(Clone, Debug)]
enum Pooled {
    Deposit(u64),
    Withdraw(u64),
    WithdrawAll,
    Borrow(u64),
    Repay(u64),
    RepayAll,
    Wait(u32),
    Seize(u64, u64),
    SeizeShares(u64, u64),
    WriteOff(u8),
    Forfeit(u64),
    Flash(u64, u32),
    WithdrawInsurance(u64, u32),
}

fn any_pooled() -> impl Strategy<Value = Vec<Pooled>> {
    let step = prop_oneof![
        4 => any_amount().prop_map(Pooled::Deposit),
        2 => any_amount().prop_map(Pooled::Withdraw),
        1 => Just(Pooled::WithdrawAll),
        4 => any_amount().prop_map(Pooled::Borrow),
        2 => any_amount().prop_map(Pooled::Repay),
        1 => Just(Pooled::RepayAll),
        4 => (0u32..10_000_000).prop_map(Pooled::Wait),
        1 => (any_amount(), any_amount()).prop_map(|(a, b)| Pooled::Seize(a, b)),
        1 => (any_amount(), any_amount()).prop_map(|(a, b)| Pooled::SeizeShares(a, b)),
        1 => any::<u8>().prop_map(Pooled::WriteOff),
        1 => any_amount().prop_map(Pooled::Forfeit),
        1 => (any_amount(), 0u32..=1_000).prop_map(|(a, fee)| Pooled::Flash(a, fee)),
        1 => (any_amount(), 0u32..=10_000).prop_map(|(a, floor)| Pooled::WithdrawInsurance(a, floor)),
    ];
    proptest::collection::vec(step, 1..60)
}

#[derive(Clone, Debug)]
enum Minted {
    Borrow(u64),
    Repay(u64),
    RepayAll,
    Wait(u32),
    WriteOff(u8),
    Flash(u64, u32),
    SwapIn(u64, u32),
    SwapOut(u64, u32),
    /// Percent of what the swap holds: the lower price, and by how much par is above it.
    Mark(u64, u64),
    WithdrawInsurance(u64, u32),
}

fn any_minted() -> impl Strategy<Value = Vec<Minted>> {
    let step = prop_oneof![
        4 => any_amount().prop_map(Minted::Borrow),
        2 => any_amount().prop_map(Minted::Repay),
        1 => Just(Minted::RepayAll),
        4 => (1u32..10_000_000).prop_map(Minted::Wait),
        2 => any::<u8>().prop_map(Minted::WriteOff),
        1 => (any_amount(), 0u32..=1_000).prop_map(|(a, fee)| Minted::Flash(a, fee)),
        2 => (any_amount(), 0u32..=1_000).prop_map(|(a, fee)| Minted::SwapIn(a, fee)),
        2 => (any_amount(), 0u32..=1_000).prop_map(|(a, fee)| Minted::SwapOut(a, fee)),
        2 => (50u64..120, 0u64..60).prop_map(|(low, more)| Minted::Mark(low, more)),
        1 => (any_amount(), 0u32..=10_000).prop_map(|(a, floor)| Minted::WithdrawInsurance(a, floor)),
    ];
    proptest::collection::vec(step, 1..60)
}

/// The stability fee of a minted pool.
const FEE: RateTerms = RateTerms {
    model: RateModel::Kinked(RateCurve {
        base_bps: 500,
        slope_bps: 0,
        excess_slope_bps: 0,
        optimal_utilization_bps: 5_000,
    }),
    reserve_factor_bps: 0,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One holder, any order of actions: claims stay covered, and after an accrual tightly; indices fall only by a loss,
    /// no share price moves through an action, and a projection equals the accrual that follows it.
    #[test]
    fn any_sequence_keeps_the_books(
        steps in any_pooled(),
        terms in proptest::sample::select(vec![TERMS, ADAPTIVE_TERMS]),
    ) {
        let mut pool = Pool::new(Kind::Pooled, 0, &terms).unwrap();
        let (mut supplied, mut owed) = (SupplyShares::ZERO, DebtShares::ZERO);
        for step in steps {
            let before = pool;
            let mut next = pool;
            let mut lost = false;
            let done = match step {
                Pooled::Deposit(a) => next.deposit(Amount(a), Amount::MAX)
                    .map(|c| supplied = supplied.checked_add(c.shares).unwrap()),
                Pooled::Withdraw(a) => next.withdraw(Quantity::Exact(Amount(a)), supplied)
                    .map(|c| supplied = supplied.checked_sub(c.shares).unwrap()),
                Pooled::WithdrawAll => next.withdraw(Quantity::All, supplied)
                    .map(|c| supplied = supplied.checked_sub(c.shares).unwrap()),
                Pooled::Borrow(a) => next.borrow(Amount(a), Amount::MAX)
                    .map(|c| owed = owed.checked_add(c.shares).unwrap()),
                Pooled::Repay(a) => next.repay(Quantity::Exact(Amount(a)), owed)
                    .map(|c| owed = owed.checked_sub(c.shares).unwrap()),
                Pooled::RepayAll => next.repay(Quantity::All, owed)
                    .map(|c| owed = owed.checked_sub(c.shares).unwrap()),
                Pooled::Wait(seconds) => {
                    let now = pool.updated_at + i64::from(seconds);
                    let projected = pool.project(now).unwrap();
                    let accrued = next.accrue(now);
                    prop_assert_eq!(projected, next.indices());
                    accrued
                }
                Pooled::Seize(total, keeper) => next.seize(supplied, Amount(total), Amount(keeper.min(total)), false)
                    .map(|s| supplied = supplied.checked_sub(s.shares).unwrap()),
                Pooled::SeizeShares(total, keeper) => next
                    .seize_shares(supplied, Amount(total), Amount(keeper.min(total)), false)
                    // The keeper is the holder too.
                    .map(|s| supplied = supplied.checked_sub(s.insurance_shares).unwrap()),
                Pooled::WriteOff(part) => {
                    let shares = DebtShares(owed.0.mul_bps_floor(u32::from(part)).unwrap());
                    lost = true;
                    next.write_off(shares).map(|_| owed = owed.checked_sub(shares).unwrap())
                }
                Pooled::Forfeit(bits) => {
                    let shares = SupplyShares(Fraction::from_bits(u128::from(bits))).min(supplied);
                    next.forfeit(shares).map(|()| supplied = supplied.checked_sub(shares).unwrap())
                }
                Pooled::Flash(a, fee_bps) => flash(&mut next, a, fee_bps, Amount::ZERO).map(|_| ()),
                Pooled::WithdrawInsurance(a, floor_bps) => next.withdraw_insurance(Amount(a), floor_bps).map(|_| ()),
            };
            if done.is_err() {
                continue; // the caller drops a failed change, as the runtime does
            }
            next.reprice(&terms).unwrap();
            next.check().unwrap();
            prop_assert!(next.debt_index >= before.debt_index);
            prop_assert!(lost || next.supply_index >= before.supply_index);
            if matches!(step, Pooled::Wait(1..)) {
                // A share's worth of one unit, the rounding of the claims and that of the assets.
                let most = next.supply_index.0.to_bits() + (2 << 60);
                prop_assert!(next.supply_index.0.is_zero() || slack(&next) as u128 <= most, "{:?}", next);
            } else {
                prop_assert!(next.supply_index <= before.supply_index);
                prop_assert_eq!(next.debt_index, before.debt_index);
            }
            prop_assert_eq!(next.supply_shares, supplied.checked_add(next.insurance_shares).unwrap());
            prop_assert_eq!(next.debt_shares, owed);
            prop_assert_eq!(next.deficit, Fraction::ZERO);
            pool = next;
        }
    }

    /// A minted pool: what circulates is what was issued less what was burned, to the unit; claims are covered, with the
    /// deficit; a loss takes the surplus and then is a deficit, and nothing is surplus before the deficit is filled.
    #[test]
    fn any_sequence_keeps_the_books_of_a_minted_pool(steps in any_minted()) {
        let mut pool = Pool::new(Kind::Minted, 0, &FEE).unwrap();
        let (mut circulating, mut owed) = (0u64, DebtShares::ZERO);
        for step in steps {
            let before = pool;
            let mut next = pool;
            let mut loss = Fraction::ZERO;
            let done = match step {
                Minted::Borrow(a) => next.borrow(Amount(a), Amount::MAX).map(|c| {
                    owed = owed.checked_add(c.shares).unwrap();
                    circulating += a;
                }),
                Minted::Repay(_) | Minted::RepayAll => {
                    let quantity = if let Minted::Repay(a) = step { Quantity::Exact(Amount(a)) } else { Quantity::All };
                    next.repay(quantity, owed).map(|c| {
                        owed = owed.checked_sub(c.shares).unwrap();
                        circulating -= c.amount.0; // nobody can burn what does not circulate
                    })
                }
                Minted::Wait(seconds) => {
                    let now = pool.updated_at + i64::from(seconds);
                    let projected = pool.project(now).unwrap();
                    let accrued = next.accrue(now);
                    prop_assert_eq!(projected, next.indices());
                    accrued
                }
                Minted::WriteOff(part) => {
                    let shares = DebtShares(owed.0.mul_bps_floor(u32::from(part) * 40).unwrap());
                    loss = shares.0.mul_ceil(pool.debt_index.0).unwrap();
                    next.write_off(shares).map(|_| owed = owed.checked_sub(shares).unwrap())
                }
                Minted::Flash(a, fee_bps) => {
                    let ceiling = Amount(a + pool.debt_index.amount_owed(owed).unwrap().0);
                    if a > 0 {
                        let short = Amount(ceiling.0 - 1);
                        prop_assert_eq!(next.clone().flash_borrow(Amount(a), short), Err(RiskError::BorrowCapExceeded));
                    }
                    flash(&mut next, a, fee_bps, ceiling).map(|fee| circulating -= fee)
                }
                Minted::SwapIn(value, fee_bps) => {
                    let fee = crate::swap::fee(Amount(value), fee_bps).unwrap();
                    next.swap_in(Amount(value), fee, Amount::MAX).map(|minted| circulating += minted.0)
                }
                Minted::SwapOut(amount, fee_bps) => {
                    let fee = crate::swap::fee(Amount(amount), fee_bps).unwrap();
                    next.swap_out(Amount(amount), fee).map(|paid| {
                        assert_eq!(paid.0, before.available.0 - next.available.0);
                        circulating -= amount;
                    })
                }
                Minted::Mark(low, more) => {
                    let percent = |n: u64| Amount((u128::from(pool.available.0) * u128::from(n) / 100) as u64);
                    let (low, par) = (percent(low), percent(low + more));
                    loss = Fraction::from_integer(pool.available.0.saturating_sub(par.0));
                    let done = next.mark_swap(low, par).map(|_| ());
                    prop_assert_eq!(next.available, pool.available.max(low).min(par));
                    done
                }
                Minted::WithdrawInsurance(a, floor_bps) => {
                    next.withdraw_insurance(Amount(a), floor_bps).map(|_| circulating += a)
                }
            };
            if done.is_err() {
                continue;
            }
            next.reprice(&FEE).unwrap();
            next.check().unwrap();
            prop_assert_eq!(next.supply_index, SupplyIndex::INITIAL);
            prop_assert_eq!(next.circulating(), Ok(Amount(circulating)));
            let whole = next.supply_shares.checked_sub(next.insurance_shares).unwrap();
            prop_assert_eq!(whole.0, Fraction::from_integer(circulating), "to the fraction of a unit");
            prop_assert_eq!(next.debt_shares, owed);
            if let Minted::Wait(_) = step {
                prop_assert!(next.deficit <= before.deficit);
                prop_assert!(next.insurance_shares == before.insurance_shares || next.deficit.is_zero());
                prop_assert!(slack(&next) <= 2 << 60, "{:?}", next);
            } else {
                let burned = before.insurance_shares.0.sub_or_zero(next.insurance_shares.0);
                let risen = next.deficit.checked_sub(before.deficit).unwrap();
                if let Minted::WithdrawInsurance(a, _) = step {
                    prop_assert_eq!((burned, risen), (Fraction::from_integer(a), Fraction::ZERO));
                } else {
                    prop_assert_eq!(burned.checked_add(risen).unwrap(), loss);
                    prop_assert!(risen.is_zero() || next.insurance_shares.is_zero());
                    prop_assert!(next.insurance_shares <= before.insurance_shares);
                }
            }
            pool = next;
        }
    }
}
