//! The books of one pooled reserve.
//!
//! A pool holds `available` native units and is owed `debt_shares * debt_index`. Against that stand the claims of
//! suppliers, `supply_shares * supply_index`, among them those of the reserve itself: its insurance. The invariant,
//! exact in 256-bit arithmetic and checked by [`Pool::check`]:
//!
//! ```text
//! supply_shares * supply_index <= available + debt_shares * debt_index
//! ```
//!
//! Why each step keeps it:
//! - a deposit mints shares rounded down, a withdrawal burns them rounded up;
//! - a loan mints debt shares rounded up, a repayment burns them rounded down;
//! - interest raises the debt index by some d, and the supply index by d times a ratio that is rounded down from
//!   `debt_shares / supply_shares * (1 - reserve_factor)`;
//! - whatever assets exceed the claims (the reserve factor's part of interest, and roundings) become insurance shares,
//!   rounded down;
//! - a loss burns insurance and lowers the supply index, both rounded up.

use crate::error::{Result, RiskError};
use crate::fraction::Fraction;
use crate::interest::{self, RateCurve};
use crate::units::{Amount, DebtIndex, DebtShares, Quantity, SupplyIndex, SupplyShares};
use crate::wide;

/// What governance sets of a pool's interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateTerms {
    /// The borrow rate by utilization.
    pub curve: RateCurve,
    /// The part of interest that goes to the reserve's insurance, in basis points.
    pub reserve_factor_bps: u32,
}

/// The books of one pooled reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Native units in the reserve that are not lent.
    pub available: Amount,
    /// All claims on the reserve, insurance included.
    pub supply_shares: SupplyShares,
    /// Of those, the reserve's own.
    pub insurance_shares: SupplyShares,
    /// All debt to the reserve.
    pub debt_shares: DebtShares,
    /// What a supply share is worth.
    pub supply_index: SupplyIndex,
    /// What a debt share owes.
    pub debt_index: DebtIndex,
    /// Yearly rate in force since `updated_at`.
    pub borrow_rate: Fraction,
    /// How much the supply index grows for a growth of the debt index by one:
    /// `debt_shares / supply_shares * (1 - reserve_factor)`, rounded down. Kept so that a projection needs no division.
    pub supply_growth_ratio: Fraction,
    /// Unix seconds up to which interest is accrued.
    pub updated_at: i64,
}

/// Both indices at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices {
    /// What a supply share is worth.
    pub supply: SupplyIndex,
    /// What a debt share owes.
    pub debt: DebtIndex,
}

/// An amount that entered or left, and the supply shares it stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyChange {
    /// Native units moved.
    pub amount: Amount,
    /// Shares minted or burned.
    pub shares: SupplyShares,
}

/// An amount that entered or left, and the debt shares it stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtChange {
    /// Native units moved.
    pub amount: Amount,
    /// Shares minted or burned.
    pub shares: DebtShares,
}

/// What a seizure took from a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seizure {
    /// Shares that leave the vault.
    pub shares: SupplyShares,
    /// Of those, the shares that become insurance; the others are burned for the keeper's payment.
    pub insurance_shares: SupplyShares,
}

/// How a bad debt was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was owed and will not come back, native units rounded up.
    pub owed: Amount,
    /// Paid by insurance, native units rounded down.
    pub insured: Amount,
    /// Borne by all suppliers through a lower supply index, native units rounded up.
    pub socialized: Amount,
}

impl Pool {
    /// An empty pool, indices at 1.
    pub fn new(now: i64, terms: &RateTerms) -> Result<Self> {
        let mut pool = Self {
            available: Amount::ZERO,
            supply_shares: SupplyShares::ZERO,
            insurance_shares: SupplyShares::ZERO,
            debt_shares: DebtShares::ZERO,
            supply_index: SupplyIndex::INITIAL,
            debt_index: DebtIndex::INITIAL,
            borrow_rate: Fraction::ZERO,
            supply_growth_ratio: Fraction::ZERO,
            updated_at: now,
        };
        pool.reprice(terms)?;
        Ok(pool)
    }

    /// The indices as of the last accrual.
    pub fn indices(&self) -> Indices {
        Indices { supply: self.supply_index, debt: self.debt_index }
    }

    /// The indices at `now`, without changing anything: what a position is worth in a reserve that the action leaves
    /// alone. Costs one compounding and two products. A clock that stands still or goes back accrues nothing.
    pub fn project(&self, now: i64) -> Result<Indices> {
        let unchanged = self.indices();
        let Ok(elapsed) = u64::try_from(now.saturating_sub(self.updated_at)) else {
            return Ok(unchanged);
        };
        if elapsed == 0 || self.debt_shares.is_zero() {
            return Ok(unchanged);
        }
        let growth = interest::growth_ceil(self.borrow_rate, elapsed)?;
        let debt_growth = self.debt_index.0.mul_ceil(growth)?;
        let supply_growth = debt_growth.mul_floor(self.supply_growth_ratio)?;
        Ok(Indices {
            supply: SupplyIndex(self.supply_index.0.checked_add(supply_growth)?),
            debt: DebtIndex(self.debt_index.0.checked_add(debt_growth)?),
        })
    }

    /// Brings the books to `now`: both indices grow, and what the assets then exceed the claims by becomes insurance.
    /// Call before anything else changes the pool.
    pub fn accrue(&mut self, now: i64) -> Result<()> {
        if now <= self.updated_at {
            return Ok(());
        }
        let Indices { supply, debt } = self.project(now)?;
        self.supply_index = supply;
        self.debt_index = debt;
        self.updated_at = now;
        let claims = self.supply_shares.0.mul_ceil(supply.0)?;
        let surplus = self.assets()?.sub_or_zero(claims);
        if !surplus.is_zero() && !supply.0.is_zero() {
            let shares = SupplyShares(surplus.div_floor(supply.0)?);
            self.supply_shares = self.supply_shares.checked_add(shares)?;
            self.insurance_shares = self.insurance_shares.checked_add(shares)?;
        }
        Ok(())
    }

    /// Fixes the rate that applies from now on. Call after the last change of an action.
    pub fn reprice(&mut self, terms: &RateTerms) -> Result<()> {
        self.borrow_rate = terms.curve.rate(self.utilization()?)?;
        self.supply_growth_ratio = if self.supply_shares.is_zero() || self.debt_shares.is_zero() {
            Fraction::ZERO
        } else {
            let kept = Fraction::ONE.sub_or_zero(Fraction::from_bps_ceil(terms.reserve_factor_bps));
            match self.debt_shares.0.div_floor(self.supply_shares.0) {
                Ok(ratio) => ratio.mul_floor(kept)?,
                // Suppliers hold next to nothing against the debt: all interest goes to insurance.
                Err(RiskError::Overflow) => Fraction::ZERO,
                Err(other) => return Err(other),
            }
        };
        Ok(())
    }

    /// Debt / (available + debt), in [0, 1], rounded up; zero in an empty pool.
    pub fn utilization(&self) -> Result<Fraction> {
        if self.debt_shares.is_zero() {
            return Ok(Fraction::ZERO);
        }
        let owed = self.debt_shares.0.mul_ceil(self.debt_index.0)?;
        let total = owed.checked_add(Fraction::from_integer(self.available.0))?;
        owed.div_ceil(total).map(|u| u.min(Fraction::ONE))
    }

    /// Native units that the pool holds or is owed, rounded down.
    pub fn assets(&self) -> Result<Fraction> {
        self.debt_index.asset_of(self.debt_shares)?.checked_add(Fraction::from_integer(self.available.0))
    }

    /// Takes in `amount` and mints shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `DepositCapExceeded`, `DivisionByZero` when the suppliers of this reserve lost everything.
    pub fn deposit(&mut self, amount: Amount, cap: Amount) -> Result<SupplyChange> {
        require_positive(amount)?;
        let shares = self.supply_index.shares_for_deposit(amount)?;
        self.supply_shares = self.supply_shares.checked_add(shares)?;
        self.available = self.available.checked_add(amount)?;
        let supplied = self.supply_shares.0.mul_ceil(self.supply_index.0)?;
        if supplied > Fraction::from_integer(cap.0) {
            return Err(RiskError::DepositCapExceeded);
        }
        Ok(SupplyChange { amount, shares })
    }

    /// Pays out `quantity` of a position of `held` shares and burns shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `InsufficientCollateral` beyond the position, `InsufficientLiquidity` beyond what is available.
    pub fn withdraw(&mut self, quantity: Quantity, held: SupplyShares) -> Result<SupplyChange> {
        let (amount, shares) = match quantity {
            Quantity::Exact(amount) => {
                require_positive(amount)?;
                (amount, self.supply_index.shares_for_withdrawal(amount)?)
            }
            Quantity::All => (self.supply_index.amount_of(held)?, held),
        };
        if shares > held {
            return Err(RiskError::InsufficientCollateral);
        }
        self.pay_out(amount)?;
        self.supply_shares = self.supply_shares.checked_sub(shares)?;
        Ok(SupplyChange { amount, shares })
    }

    /// Lends `amount` and mints debt shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `InsufficientLiquidity`, `BorrowCapExceeded`.
    pub fn borrow(&mut self, amount: Amount, cap: Amount) -> Result<DebtChange> {
        require_positive(amount)?;
        self.pay_out(amount)?;
        let shares = self.debt_index.shares_for_borrow(amount)?;
        self.debt_shares = self.debt_shares.checked_add(shares)?;
        let owed = self.debt_shares.0.mul_ceil(self.debt_index.0)?;
        if owed > Fraction::from_integer(cap.0) {
            return Err(RiskError::BorrowCapExceeded);
        }
        Ok(DebtChange { amount, shares })
    }

    /// Takes in a repayment of `quantity` for a position of `held` debt shares and burns shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `RepaymentExceedsDebt`.
    pub fn repay(&mut self, quantity: Quantity, held: DebtShares) -> Result<DebtChange> {
        let owed = self.debt_index.amount_owed(held)?;
        let (amount, shares) = match quantity {
            Quantity::Exact(amount) if amount < owed => {
                require_positive(amount)?;
                (amount, self.debt_index.shares_for_repayment(amount)?)
            }
            Quantity::Exact(amount) if amount > owed => return Err(RiskError::RepaymentExceedsDebt),
            Quantity::Exact(_) | Quantity::All => (owed, held),
        };
        self.available = self.available.checked_add(amount)?;
        self.debt_shares = self.debt_shares.checked_sub(shares)?;
        Ok(DebtChange { amount, shares })
    }

    /// Takes `total` native units of a position of `held` shares, pays `to_keeper` of them out and turns the rest into
    /// insurance. `all` takes every share, down to the fraction of a unit.
    ///
    /// # Errors
    /// `InsufficientCollateral` when `total` exceeds the position, `InsufficientLiquidity` when `to_keeper` exceeds what
    /// is available.
    pub fn seize(&mut self, held: SupplyShares, total: Amount, to_keeper: Amount, all: bool) -> Result<Seizure> {
        let shares = if all { held } else { self.supply_index.shares_for_withdrawal(total)? };
        if shares > held {
            return Err(RiskError::InsufficientCollateral);
        }
        let burned = self.supply_index.shares_for_withdrawal(to_keeper)?;
        let insurance_shares = shares.checked_sub(burned).map_err(|_| RiskError::InsufficientCollateral)?;
        self.pay_out(to_keeper)?;
        self.supply_shares = self.supply_shares.checked_sub(burned)?;
        self.insurance_shares = self.insurance_shares.checked_add(insurance_shares)?;
        Ok(Seizure { shares, insurance_shares })
    }

    /// Turns `shares` of a vault into insurance: the rest of a vault whose debt is written off.
    pub fn forfeit(&mut self, shares: SupplyShares) -> Result<()> {
        self.insurance_shares = self.insurance_shares.checked_add(shares)?;
        Ok(())
    }

    /// Removes debt that nobody will repay. Insurance pays first; the supply index falls by the rest.
    pub fn write_off(&mut self, debt: DebtShares) -> Result<Loss> {
        let loss = debt.0.mul_ceil(self.debt_index.0)?;
        self.debt_shares = self.debt_shares.checked_sub(debt)?;
        let mut insured = Fraction::ZERO;
        if !self.supply_index.0.is_zero() {
            let needed = SupplyShares(loss.div_ceil(self.supply_index.0)?);
            let burned = needed.min(self.insurance_shares);
            self.insurance_shares = self.insurance_shares.checked_sub(burned)?;
            self.supply_shares = self.supply_shares.checked_sub(burned)?;
            insured = self.supply_index.claim_of(burned)?.min(loss);
        }
        let rest = loss.checked_sub(insured)?;
        if !rest.is_zero() && !self.supply_shares.is_zero() {
            let fall = rest.div_ceil(self.supply_shares.0)?;
            self.supply_index = SupplyIndex(self.supply_index.0.sub_or_zero(fall));
        }
        Ok(Loss {
            owed: Amount(loss.ceil_to_u64()?),
            insured: Amount(insured.floor_to_u64()?),
            socialized: Amount(rest.ceil_to_u64()?),
        })
    }

    /// The invariant at the head of this module, exactly, and that insurance is a part of the supply.
    ///
    /// # Errors
    /// `Underflow` when it is broken: the books claim more than there is.
    pub fn check(&self) -> Result<()> {
        let (claims_high, claims_low) = wide::mul(self.supply_shares.0.to_bits(), self.supply_index.0.to_bits());
        let (owed_high, owed_low) = wide::mul(self.debt_shares.0.to_bits(), self.debt_index.0.to_bits());
        let (available_high, available_low) =
            wide::mul(Fraction::from_integer(self.available.0).to_bits(), Fraction::ONE.to_bits());
        let (assets_low, carry) = owed_low.overflowing_add(available_low);
        let assets_high = owed_high
            .checked_add(available_high)
            .and_then(|high| high.checked_add(u128::from(carry)))
            .ok_or(RiskError::Overflow)?;
        let covered = (claims_high, claims_low) <= (assets_high, assets_low);
        if covered && self.insurance_shares <= self.supply_shares { Ok(()) } else { Err(RiskError::Underflow) }
    }

    fn pay_out(&mut self, amount: Amount) -> Result<()> {
        self.available = self.available.checked_sub(amount).map_err(|_| RiskError::InsufficientLiquidity)?;
        Ok(())
    }
}

fn require_positive(amount: Amount) -> Result<()> {
    if amount.is_zero() { Err(RiskError::ZeroAmount) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: RateTerms = RateTerms {
        curve: RateCurve { base_bps: 0, slope_bps: 1_000, excess_slope_bps: 20_000, optimal_utilization_bps: 8_000 },
        reserve_factor_bps: 1_000,
    };

    fn pool(supplied: u64, borrowed: u64) -> Pool {
        let mut pool = Pool::new(0, &TERMS).unwrap();
        pool.deposit(Amount(supplied), Amount::MAX).unwrap();
        if borrowed > 0 {
            pool.borrow(Amount(borrowed), Amount::MAX).unwrap();
        }
        pool.reprice(&TERMS).unwrap();
        pool
    }

    #[test]
    fn a_first_deposit_cannot_set_a_share_price() {
        let mut pool = Pool::new(0, &TERMS).unwrap();
        pool.deposit(Amount(1), Amount::MAX).unwrap();
        assert_eq!(pool.supply_index, SupplyIndex::INITIAL);
        let second = pool.deposit(Amount(1_000_000), Amount::MAX).unwrap();
        assert_eq!(second.shares.0, Fraction::from_integer(1_000_000));
    }

    #[test]
    fn interest_is_split_by_the_reserve_factor() {
        let mut pool = pool(1_000_000_000, 500_000_000);
        pool.accrue(31_536_000).unwrap();
        // 6.25 % yearly at half utilization; the third-order series of 0.0625 is 0.06449381...
        let owed = pool.debt_index.amount_owed(pool.debt_shares).unwrap().0;
        assert_eq!(owed, 532_246_908);
        let suppliers = SupplyShares(pool.supply_shares.0.checked_sub(pool.insurance_shares.0).unwrap());
        let earned = pool.supply_index.amount_of(suppliers).unwrap().0 - 1_000_000_000;
        let insured = pool.supply_index.amount_of(pool.insurance_shares).unwrap().0;
        assert_eq!(earned, 29_022_216); // nine tenths of 32,246,907
        assert_eq!(insured, 3_224_690);
    }

    #[test]
    fn caps_bind_on_the_total() {
        let mut pool = pool(1_000, 0);
        assert_eq!(pool.clone().deposit(Amount(1), Amount(1_000)), Err(RiskError::DepositCapExceeded));
        assert!(pool.clone().deposit(Amount(1), Amount(1_001)).is_ok());
        pool.borrow(Amount(10), Amount(10)).unwrap();
        assert_eq!(pool.borrow(Amount(1), Amount(10)), Err(RiskError::BorrowCapExceeded));
    }

    #[test]
    fn what_is_lent_cannot_be_withdrawn() {
        let mut pool = pool(1_000, 900);
        let held = pool.supply_shares;
        assert_eq!(pool.withdraw(Quantity::Exact(Amount(101)), held), Err(RiskError::InsufficientLiquidity));
        assert_eq!(pool.withdraw(Quantity::All, held), Err(RiskError::InsufficientLiquidity));
        assert_eq!(pool.withdraw(Quantity::Exact(Amount(100)), held).unwrap().amount, Amount(100));
        assert_eq!(pool.borrow(Amount(1), Amount::MAX), Err(RiskError::InsufficientLiquidity));
    }

    #[test]
    fn a_position_cannot_pay_more_than_it_is_worth() {
        let mut pool = pool(1_000, 0);
        let held = SupplyShares(Fraction::from_integer(10));
        assert_eq!(pool.withdraw(Quantity::Exact(Amount(11)), held), Err(RiskError::InsufficientCollateral));
        let debt = DebtShares(Fraction::from_integer(10));
        assert_eq!(pool.repay(Quantity::Exact(Amount(11)), debt), Err(RiskError::RepaymentExceedsDebt));
    }

    #[test]
    fn zero_does_nothing_and_says_so() {
        let mut pool = pool(1_000, 10);
        let (supply, debt) = (pool.supply_shares, pool.debt_shares);
        assert_eq!(pool.deposit(Amount::ZERO, Amount::MAX), Err(RiskError::ZeroAmount));
        assert_eq!(pool.borrow(Amount::ZERO, Amount::MAX), Err(RiskError::ZeroAmount));
        assert_eq!(pool.withdraw(Quantity::Exact(Amount::ZERO), supply), Err(RiskError::ZeroAmount));
        assert_eq!(pool.repay(Quantity::Exact(Amount::ZERO), debt), Err(RiskError::ZeroAmount));
    }

    #[test]
    fn insurance_pays_before_suppliers() {
        let mut pool = pool(1_000, 500);
        pool.forfeit(SupplyShares(Fraction::from_integer(200))).unwrap(); // 200 of the 1,000 are the reserve's own
        let loss = pool.write_off(DebtShares(Fraction::from_integer(150))).unwrap();
        assert_eq!(loss, Loss { owed: Amount(150), insured: Amount(150), socialized: Amount::ZERO });
        assert_eq!(pool.supply_index, SupplyIndex::INITIAL);
        let loss = pool.write_off(DebtShares(Fraction::from_integer(130))).unwrap();
        assert_eq!(loss, Loss { owed: Amount(130), insured: Amount(50), socialized: Amount(80) });
        assert_eq!(pool.supply_index.0, Fraction::ratio_floor(9, 10).unwrap()); // 80 over the 800 that remain
        assert!(pool.insurance_shares.is_zero());
        pool.check().unwrap();
    }

    #[test]
    fn a_total_loss_ends_at_an_index_of_zero_and_refuses_deposits() {
        let mut pool = pool(1_000, 1_000);
        pool.accrue(31_536_000).unwrap();
        let debt = pool.debt_shares;
        pool.write_off(debt).unwrap();
        pool.check().unwrap();
        assert!(pool.supply_index.0 <= Fraction::from_bits(1 << 12), "{:?}", pool.supply_index);
        pool.supply_index = SupplyIndex(Fraction::ZERO);
        assert_eq!(pool.deposit(Amount(1), Amount::MAX), Err(RiskError::DivisionByZero));
        pool.write_off(DebtShares::ZERO).unwrap();
    }

    #[test]
    fn the_clock_never_runs_backwards() {
        let mut pool = pool(1_000, 500);
        pool.updated_at = 100;
        let before = pool;
        pool.accrue(50).unwrap();
        assert_eq!(pool, before);
        assert_eq!(pool.project(50).unwrap(), pool.indices());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Deposit(u64),
        Withdraw(u64),
        WithdrawAll,
        Borrow(u64),
        Repay(u64),
        RepayAll,
        Wait(u32),
        Seize(u64, u64),
        WriteOff(u8),
    }

    fn steps() -> impl Strategy<Value = std::vec::Vec<Step>> {
        let amount = || (any::<u64>(), 8u32..64).prop_map(|(x, s)| x >> s);
        let step = prop_oneof![
            4 => amount().prop_map(Step::Deposit),
            2 => amount().prop_map(Step::Withdraw),
            1 => Just(Step::WithdrawAll),
            4 => amount().prop_map(Step::Borrow),
            2 => amount().prop_map(Step::Repay),
            1 => Just(Step::RepayAll),
            4 => (0u32..10_000_000).prop_map(Step::Wait),
            1 => (amount(), amount()).prop_map(|(a, b)| Step::Seize(a, b)),
            1 => any::<u8>().prop_map(Step::WriteOff),
        ];
        proptest::collection::vec(step, 1..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// One holder, any order of actions: claims stay covered, indices fall only by a loss, no share price moves
        /// through an action, and a projection equals the accrual that follows it.
        #[test]
        fn any_sequence_keeps_the_books(steps in steps()) {
            let mut pool = Pool::new(0, &TERMS).unwrap();
            let (mut supplied, mut owed) = (SupplyShares::ZERO, DebtShares::ZERO);
            for step in steps {
                let before = pool;
                let mut next = pool;
                let mut lost = false;
                let done = match step {
                    Step::Deposit(a) => next.deposit(Amount(a), Amount::MAX)
                        .map(|c| supplied = supplied.checked_add(c.shares).unwrap()),
                    Step::Withdraw(a) => next.withdraw(Quantity::Exact(Amount(a)), supplied)
                        .map(|c| supplied = supplied.checked_sub(c.shares).unwrap()),
                    Step::WithdrawAll => next.withdraw(Quantity::All, supplied)
                        .map(|c| supplied = supplied.checked_sub(c.shares).unwrap()),
                    Step::Borrow(a) => next.borrow(Amount(a), Amount::MAX)
                        .map(|c| owed = owed.checked_add(c.shares).unwrap()),
                    Step::Repay(a) => next.repay(Quantity::Exact(Amount(a)), owed)
                        .map(|c| owed = owed.checked_sub(c.shares).unwrap()),
                    Step::RepayAll => next.repay(Quantity::All, owed)
                        .map(|c| owed = owed.checked_sub(c.shares).unwrap()),
                    Step::Wait(seconds) => {
                        let now = pool.updated_at + i64::from(seconds);
                        let projected = pool.project(now).unwrap();
                        let accrued = next.accrue(now);
                        prop_assert_eq!(projected, next.indices());
                        accrued
                    }
                    Step::Seize(total, keeper) => next.seize(supplied, Amount(total), Amount(keeper.min(total)), false)
                        .map(|s| supplied = supplied.checked_sub(s.shares).unwrap()),
                    Step::WriteOff(part) => {
                        let shares = DebtShares(owed.0.mul_bps_floor(u32::from(part)).unwrap());
                        lost = true;
                        next.write_off(shares).map(|_| owed = owed.checked_sub(shares).unwrap())
                    }
                };
                if done.is_err() {
                    continue; // the caller drops a failed change, as the runtime does
                }
                next.reprice(&TERMS).unwrap();
                next.check().unwrap();
                prop_assert!(next.debt_index >= before.debt_index);
                prop_assert!(lost || next.supply_index >= before.supply_index);
                if !matches!(step, Step::Wait(_)) {
                    prop_assert!(next.supply_index <= before.supply_index);
                    prop_assert_eq!(next.debt_index, before.debt_index);
                }
                prop_assert_eq!(next.supply_shares, supplied.checked_add(next.insurance_shares).unwrap());
                prop_assert_eq!(next.debt_shares, owed);
                pool = next;
            }
        }

        /// In and out at once never pays, at any index.
        #[test]
        fn a_round_trip_never_gains(amount in 1u64..1 << 50, supplied in 1u64..1 << 50, lent in 0u64..1 << 50, wait in 0u32..100_000_000) {
            let mut pool = pool(supplied, lent.min(supplied));
            pool.accrue(i64::from(wait)).unwrap();
            let deposit = pool.deposit(Amount(amount), Amount::MAX).unwrap();
            let out = pool.supply_index.amount_of(deposit.shares).unwrap();
            prop_assert!(out.0 <= amount && amount - out.0 <= 1);
            let loan = pool.borrow(Amount(amount), Amount::MAX).unwrap();
            let owed = pool.debt_index.amount_owed(loan.shares).unwrap();
            prop_assert!(owed.0 >= amount && owed.0 - amount <= 1);
        }
    }
}
