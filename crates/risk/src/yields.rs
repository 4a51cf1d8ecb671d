//! What a year at the present rate costs borrowers and brings suppliers: the figures that interfaces show.
//!
//! Nothing is decided by them. The books compound at every accrual and the rate moves with use; these say what a position
//! would grow by in a year if the rate and the use stood still and everything were compounded all the time.

use crate::error::Result;
use crate::exp::exp_ceil;
use crate::fraction::Fraction;
use crate::pool::Pool;

/// Yearly yields, as parts of the position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Yields {
    /// What a debt grows by.
    pub borrow: Fraction,
    /// What a supply grows by.
    pub supply: Fraction,
}

impl Pool {
    /// The yields at the rate in force. Rounded up, each by less than 2^-56 of itself and one.
    ///
    /// # Errors
    /// `Overflow` for books that no terms within the bounds of [`crate::config`] lead to.
    pub fn yields(&self) -> Result<Yields> {
        if self.debt_shares.is_zero() {
            // Nobody pays: a first borrower would pay the rate, its suppliers get nothing.
            return Ok(Yields { borrow: grown(self.rate.borrow)?, supply: Fraction::ZERO });
        }
        // The supply index grows by the debt index's growth times the ratio: as a part of itself by this.
        let per_supply = self.debt_index.0.mul_ceil(self.supply_growth_ratio)?;
        let supply_rate = if self.supply_index.0.is_zero() {
            Fraction::ZERO
        } else {
            self.rate.borrow.mul_ceil(per_supply.div_ceil(self.supply_index.0)?)?
        };
        Ok(Yields { borrow: grown(self.rate.borrow)?, supply: grown(supply_rate)? })
    }
}

/// `e^rate - 1`.
fn grown(rate: Fraction) -> Result<Fraction> {
    exp_ceil(rate, false).checked_sub(Fraction::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::{RateCurve, RateModel, SECONDS_PER_YEAR};
    use crate::pool::{Kind, RateTerms};
    use crate::reference::Real;
    use crate::units::{Amount, DebtIndex, SupplyIndex};
    use proptest::prelude::*;

    const TERMS: RateTerms = RateTerms {
        model: RateModel::Kinked(RateCurve {
            base_bps: 100,
            slope_bps: 900,
            excess_slope_bps: 10_000,
            optimal_utilization_bps: 8_000,
        }),
        reserve_factor_bps: 1_000,
    };

    fn pool(supplied: u64, lent: u64) -> Pool {
        let mut pool = Pool::new(Kind::Pooled, 0, &TERMS).unwrap();
        if supplied > 0 {
            pool.deposit(Amount(supplied), Amount::MAX).unwrap();
        }
        if lent > 0 {
            pool.borrow(Amount(lent), Amount::MAX).unwrap();
        }
        pool.reprice(&TERMS).unwrap();
        pool
    }

    fn close(actual: Fraction, expected: f64) {
        let actual = Real::integer(0).excess_of(actual).to_f64().abs();
        assert!((actual - expected).abs() < 1e-9, "{actual} {expected}");
    }

    #[test]
    fn a_known_pool() {
        // 80 % lent at 10 % a year; suppliers get 90 % of 80 % of that.
        let yields = pool(1_000_000_000, 800_000_000).yields().unwrap();
        close(yields.borrow, 0.1f64.exp_m1());
        close(yields.supply, (0.1 * 0.8 * 0.9f64).exp_m1());
    }

    #[test]
    fn what_is_not_lent_yields_nothing() {
        for supplied in [0, 1_000] {
            let yields = pool(supplied, 0).yields().unwrap();
            close(yields.borrow, 0.01f64.exp_m1());
            assert_eq!(yields.supply, Fraction::ZERO);
        }
        let mut minted = Pool::new(Kind::Minted, 0, &TERMS).unwrap();
        minted.borrow(Amount(1_000), Amount::MAX).unwrap();
        minted.reprice(&TERMS).unwrap();
        assert_eq!(minted.yields().unwrap().supply, Fraction::ZERO);
        let lost = Pool { supply_index: SupplyIndex(Fraction::ZERO), ..pool(1_000, 800) };
        assert_eq!(lost.yields().unwrap().supply, Fraction::ZERO);
    }

    #[test]
    fn the_supply_yield_is_rounded_up() {
        let bits = Fraction::from_bits;
        let one = Fraction::ONE;
        let three_halves = bits(one.to_bits() / 2 * 3);
        // Each time between one and two parts of 2^-60.
        for (debt_index, ratio, supply_index, rate) in [
            (one.checked_add(Fraction::EPSILON).unwrap(), 1, one, one),
            (one, 2, three_halves, one),
            (one, 1, one, three_halves),
        ] {
            let mut pool = Pool {
                debt_index: DebtIndex(debt_index),
                supply_growth_ratio: bits(ratio),
                supply_index: SupplyIndex(supply_index),
                ..pool(1_000, 800)
            };
            pool.rate.borrow = rate;
            assert_eq!(pool.yields().unwrap().supply, grown(bits(2)).unwrap());
        }
    }

    proptest! {
        /// The yields are what the books come to when they are accrued every hour while use stands still.
        #[test]
        fn the_books_grow_by_them(lent in 1u64..1_000_000_000, aged in 0i64..100_000_000) {
            let mut pool = pool(1_000_000_000, lent);
            pool.accrue(aged).unwrap();
            pool.reprice(&TERMS).unwrap();
            let (yields, rate, ratio) = (pool.yields().unwrap(), pool.rate, pool.supply_growth_ratio);
            let (debt, supply) = (pool.debt_index.0, pool.supply_index.0);
            for _ in 0..SECONDS_PER_YEAR / 3_600 {
                pool.accrue(pool.updated_at + 3_600).unwrap();
                // As long as both sides grow alike; the ratio follows the indices, the rate stands still.
                pool.rate = rate;
                let drifted = pool.debt_index.0.div_floor(debt).unwrap();
                let grown = pool.supply_index.0.div_floor(supply).unwrap();
                pool.supply_growth_ratio = ratio.mul_floor(grown).unwrap().div_floor(drifted).unwrap();
            }
            let real = |f: Fraction| Real::integer(0).excess_of(f).to_f64().abs();
            let borrow = real(pool.debt_index.0) / real(debt) - 1.0;
            let supply = real(pool.supply_index.0) / real(supply) - 1.0;
            prop_assert!((borrow - real(yields.borrow)).abs() < 1e-6 * (1.0 + borrow), "{borrow} {yields:?}");
            prop_assert!((supply - real(yields.supply)).abs() < 1e-4 * (1.0 + supply), "{supply} {yields:?}");
        }
    }
}
