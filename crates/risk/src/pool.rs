//! The books of one reserve.
//!
//! A pool holds `available` native units and is owed `debt_shares * debt_index`. Against that stand the claims of
//! suppliers, `supply_shares * supply_index`, among them those of the reserve itself: its insurance. The invariant,
//! exact in 256-bit arithmetic and checked by [`Pool::check`]:
//!
//! ```text
//! supply_shares * supply_index <= available + debt_shares * debt_index + flash + deficit
//! ```
//!
//! A **minted** pool lends what it creates. The same books with other words: a supply share is a token in circulation
//! (its index stays 1, as nobody deposits), `insurance` is the surplus that was earned and not yet minted, `available`
//! is what the swap holds for tokens that it minted, at par, and a loss beyond the surplus is a recorded `deficit` that
//! later interest fills first.
//!
//! Why each step keeps it:
//! - a deposit mints shares rounded down, a withdrawal burns them rounded up;
//! - a loan mints debt shares rounded up, a repayment burns them rounded down;
//! - interest raises the debt index by some d, and the supply index by d times a ratio that is rounded down from
//!   `debt_shares / supply_shares * (1 - reserve_factor)`;
//! - whatever assets exceed the claims (the reserve factor's part of interest, and roundings) become insurance shares,
//!   rounded down;
//! - a loss burns insurance; the rest lowers the supply index (pooled) or is added to the deficit (minted), all rounded
//!   up;
//! - a flash loan moves an amount from `available` to `flash` and back with a fee; minted, it adds to both sides.

use crate::error::{Result, RiskError};
use crate::fraction::{Fixed, Fraction};
use crate::interest::{Rate, RateModel};
use crate::swap;
use crate::units::{Amount, DebtIndex, DebtShares, Quantity, SupplyIndex, SupplyShares};
use crate::wide;

/// What governance sets of a pool's interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateTerms {
    /// How the borrow rate follows from utilization.
    pub model: RateModel,
    /// The part of interest that goes to the reserve's insurance, in basis points.
    pub reserve_factor_bps: u32,
}

/// Where the tokens come from that a reserve lends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Suppliers' tokens.
    Pooled,
    /// Tokens that the reserve creates, owed at par.
    Minted,
}

/// The books of one reserve.
pub type Pool = Books<60>;

/// The books of one reserve, with shares and indices of `F` fractional bits. The rate has 60 of them in any case: what
/// debts grow by is rounded up to `F` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books<const F: u32> {
    /// Where the tokens come from that it lends.
    pub kind: Kind,
    /// Native units in the reserve that are not lent; of a minted pool, what its swap holds, at par.
    pub available: Amount,
    /// Lent until the end of the running transaction.
    pub flash: Amount,
    /// Native units in circulation that nothing stands behind: losses of a minted pool beyond its surplus.
    pub deficit: Fixed<F>,
    /// All claims on the reserve, insurance included.
    pub supply_shares: SupplyShares<F>,
    /// Of those, the reserve's own.
    pub insurance_shares: SupplyShares<F>,
    /// All debt to the reserve.
    pub debt_shares: DebtShares<F>,
    /// What a supply share is worth.
    pub supply_index: SupplyIndex<F>,
    /// What a debt share owes.
    pub debt_index: DebtIndex<F>,
    /// Rate in force since `updated_at`, and how it drifts.
    pub rate: Rate,
    /// How much the supply index grows for a growth of the debt index by one:
    /// `debt_shares / supply_shares * (1 - reserve_factor)`, rounded down. Kept so that a projection needs no division.
    pub supply_growth_ratio: Fixed<F>,
    /// Unix seconds up to which interest is accrued.
    pub updated_at: i64,
}

/// Both indices at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indices<const F: u32 = 60> {
    /// What a supply share is worth.
    pub supply: SupplyIndex<F>,
    /// What a debt share owes.
    pub debt: DebtIndex<F>,
}

/// An amount that entered or left, and the supply shares it stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyChange<const F: u32 = 60> {
    /// Native units moved.
    pub amount: Amount,
    /// Shares minted or burned.
    pub shares: SupplyShares<F>,
}

/// An amount that entered or left, and the debt shares it stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebtChange<const F: u32 = 60> {
    /// Native units moved.
    pub amount: Amount,
    /// Shares minted or burned.
    pub shares: DebtShares<F>,
}

/// What a seizure took from a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seizure<const F: u32 = 60> {
    /// Shares that leave the vault.
    pub shares: SupplyShares<F>,
    /// Of those, the shares that become insurance; the others are burned for the keeper's payment.
    pub insurance_shares: SupplyShares<F>,
}

/// What a seizure in shares took from a position: `shares = keeper_shares + insurance_shares`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareSeizure<const F: u32 = 60> {
    /// Shares that leave the vault.
    pub shares: SupplyShares<F>,
    /// Of those, the keeper's.
    pub keeper_shares: SupplyShares<F>,
    /// Of those, the shares that become insurance.
    pub insurance_shares: SupplyShares<F>,
}

/// How a bad debt was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What was owed and will not come back, native units rounded up.
    pub owed: Amount,
    /// Paid by insurance, native units rounded down.
    pub insured: Amount,
    /// Borne by all suppliers through a lower supply index, native units rounded up. Pooled only.
    pub socialized: Amount,
    /// Recorded as a deficit, native units rounded up. Minted only.
    pub deficit: Amount,
}

impl<const F: u32> Books<F> {
    /// An empty pool, indices at 1; with an adaptive curve, at its initial rate at target.
    pub fn new(kind: Kind, now: i64, terms: &RateTerms) -> Result<Self> {
        let mut pool = Self {
            kind,
            available: Amount::ZERO,
            flash: Amount::ZERO,
            deficit: Fixed::ZERO,
            supply_shares: SupplyShares::ZERO,
            insurance_shares: SupplyShares::ZERO,
            debt_shares: DebtShares::ZERO,
            supply_index: SupplyIndex::INITIAL,
            debt_index: DebtIndex::INITIAL,
            rate: Rate::ZERO,
            supply_growth_ratio: Fixed::ZERO,
            updated_at: now,
        };
        pool.reprice(terms)?;
        Ok(pool)
    }

    /// The indices as of the last accrual.
    pub fn indices(&self) -> Indices<F> {
        Indices { supply: self.supply_index, debt: self.debt_index }
    }

    /// The indices at `now`, without changing anything: what a position is worth in a reserve that the action leaves
    /// alone. Costs one compounding and two products, and what [`Rate::growth_ceil`] says while the rate drifts. A clock
    /// that stands still or goes back accrues nothing.
    pub fn project(&self, now: i64) -> Result<Indices<F>> {
        let (Indices { supply, debt }, rate) = (self.indices(), &self.rate);
        let elapsed = if self.debt_shares.is_zero() { 0 } else { self.elapsed(now) };
        let supply = project_supply(supply, debt, rate, self.supply_growth_ratio, elapsed)?;
        Ok(Indices { supply, debt: project_debt(debt, rate, elapsed)? })
    }

    /// Brings the books to `now`: both indices grow, as [`Self::project`] says, a drifting rate moves, and what the assets
    /// then exceed the claims by fills the deficit and becomes insurance. Call before anything else changes the pool.
    pub fn accrue(&mut self, now: i64) -> Result<()> {
        if now <= self.updated_at {
            return Ok(());
        }
        let Indices { supply, debt } = self.project(now)?;
        self.supply_index = supply;
        self.debt_index = debt;
        self.rate = self.rate.after(self.elapsed(now))?;
        self.updated_at = now;
        let (claims, assets) = (self.supply_shares.0.mul_ceil(supply.0)?, self.assets()?);
        self.deficit = self.deficit.min(claims.sub_or_zero(assets));
        let surplus = assets.sub_or_zero(claims);
        if !surplus.is_zero() && !supply.0.is_zero() {
            // After the loss of nearly everything a share is worth so little that a surplus may be more shares than fit. It
            // stays unclaimed then: interest may not hold up repayments and withdrawals.
            let shares = match surplus.div_floor(supply.0).and_then(|shares| self.supply_shares.0.checked_add(shares)) {
                Err(RiskError::Overflow) => self.supply_shares,
                shares => SupplyShares(shares?),
            };
            let insured = shares.checked_sub(self.supply_shares)?;
            self.insurance_shares = self.insurance_shares.checked_add(insured)?;
            self.supply_shares = shares;
        }
        Ok(())
    }

    /// Fixes the rate that applies from now on, and its drift. Call after the last change of an action.
    pub fn reprice(&mut self, terms: &RateTerms) -> Result<()> {
        self.rate = terms.model.reprice(&self.rate, self.utilization()?)?;
        let earns = self.kind == Kind::Pooled && !self.supply_shares.is_zero() && !self.debt_shares.is_zero();
        self.supply_growth_ratio = if !earns {
            Fixed::ZERO
        } else {
            let kept = Fixed::ONE.sub_or_zero(Fixed::from_bps_ceil(terms.reserve_factor_bps));
            match self.debt_shares.0.div_floor(self.supply_shares.0) {
                Ok(ratio) => ratio.mul_floor(kept)?,
                // Suppliers hold next to nothing against the debt: all interest goes to insurance.
                Err(RiskError::Overflow) => Fixed::ZERO,
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
        let total = owed.checked_add(Fixed::from_integer(self.available.0))?;
        owed.div_ceil(total)?.min(Fixed::ONE).to_fraction()
    }

    /// Native units that the pool holds or is owed, rounded down.
    pub fn assets(&self) -> Result<Fixed<F>> {
        let held = Fixed::from_integer(self.available.0).checked_add(Fixed::from_integer(self.flash.0))?;
        self.debt_index.asset_of(self.debt_shares)?.checked_add(held)
    }

    /// Tokens of a minted pool that exist: those minted and not yet burned.
    pub fn circulating(&self) -> Result<Amount> {
        let shares = self.supply_shares.checked_sub(self.insurance_shares)?;
        self.supply_index.amount_of(shares)
    }

    /// Of [`Self::circulating`], the tokens that are not lent until the end of the transaction. None if fewer exist than are
    /// lent: then the loan cannot be repaid, and nothing of the transaction will stay.
    pub fn outstanding(&self) -> Result<Amount> {
        Ok(Amount(self.circulating()?.0.saturating_sub(self.flash.0)))
    }

    /// Takes in `amount` and mints shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `DepositCapExceeded`, `DivisionByZero` when the suppliers of this reserve lost everything,
    /// `MintedTakesNoDeposits`.
    pub fn deposit(&mut self, amount: Amount, cap: Amount) -> Result<SupplyChange<F>> {
        require_positive(amount)?;
        if self.kind == Kind::Minted {
            return Err(RiskError::MintedTakesNoDeposits);
        }
        let shares = self.supply_index.shares_for_deposit(amount)?;
        self.supply_shares = self.supply_shares.checked_add(shares)?;
        self.available = self.available.checked_add(amount)?;
        let supplied = self.supply_shares.0.mul_ceil(self.supply_index.0)?;
        if supplied > Fixed::from_integer(cap.0) {
            return Err(RiskError::DepositCapExceeded);
        }
        Ok(SupplyChange { amount, shares })
    }

    /// Pays out `quantity` of a position of `held` shares and burns shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `InsufficientCollateral` beyond the position, `InsufficientLiquidity` beyond what is available.
    pub fn withdraw(&mut self, quantity: Quantity, held: SupplyShares<F>) -> Result<SupplyChange<F>> {
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

    /// Lends `amount`, from what is available or newly minted, and mints debt shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `InsufficientLiquidity`, `BorrowCapExceeded`.
    pub fn borrow(&mut self, amount: Amount, cap: Amount) -> Result<DebtChange<F>> {
        require_positive(amount)?;
        self.issue(amount)?;
        let shares = self.debt_index.shares_for_borrow(amount)?;
        self.debt_shares = self.debt_shares.checked_add(shares)?;
        let owed = self.debt_shares.0.mul_ceil(self.debt_index.0)?;
        if owed > Fixed::from_integer(cap.0) {
            return Err(RiskError::BorrowCapExceeded);
        }
        Ok(DebtChange { amount, shares })
    }

    /// Takes in a repayment of `quantity` for a position of `held` debt shares and burns shares for it.
    ///
    /// # Errors
    /// `ZeroAmount`, `RepaymentExceedsDebt`, `InsufficientLiquidity` when fewer tokens of a minted pool circulate.
    pub fn repay(&mut self, quantity: Quantity, held: DebtShares<F>) -> Result<DebtChange<F>> {
        let owed = self.debt_index.amount_owed(held)?;
        let (amount, shares) = match quantity {
            Quantity::Exact(amount) if amount < owed => {
                require_positive(amount)?;
                (amount, self.debt_index.shares_for_repayment(amount)?)
            }
            Quantity::Exact(amount) if amount > owed => return Err(RiskError::RepaymentExceedsDebt),
            Quantity::Exact(_) | Quantity::All => (owed, held),
        };
        self.take_in(amount)?;
        self.debt_shares = self.debt_shares.checked_sub(shares)?;
        Ok(DebtChange { amount, shares })
    }

    /// Takes `total` native units of a position of `held` shares, pays `to_keeper` of them out and turns the rest into
    /// insurance. `all` takes every share, down to the fraction of a unit.
    ///
    /// # Errors
    /// `InsufficientCollateral` when `total` exceeds the position, `InsufficientLiquidity` when `to_keeper` exceeds what
    /// is available.
    pub fn seize(&mut self, held: SupplyShares<F>, total: Amount, to_keeper: Amount, all: bool) -> Result<Seizure<F>> {
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

    /// Moves shares of a position of `held` shares to another vault instead of paying them out: `to_keeper` worth of
    /// `total` native units, the rest becomes insurance. Works however little is available.
    ///
    /// # Errors
    /// `InsufficientCollateral` when `total` exceeds the position.
    pub fn seize_shares(
        &mut self,
        held: SupplyShares<F>,
        total: Amount,
        to_keeper: Amount,
        all: bool,
    ) -> Result<ShareSeizure<F>> {
        let shares = if all { held } else { self.supply_index.shares_for_withdrawal(total)? };
        if shares > held {
            return Err(RiskError::InsufficientCollateral);
        }
        let keeper_shares = self.supply_index.shares_for_deposit(to_keeper)?.min(shares);
        let insurance_shares = shares.checked_sub(keeper_shares)?;
        self.insurance_shares = self.insurance_shares.checked_add(insurance_shares)?;
        Ok(ShareSeizure { shares, keeper_shares, insurance_shares })
    }

    /// Turns `shares` of a vault into insurance: the rest of a vault whose debt is written off.
    pub fn forfeit(&mut self, shares: SupplyShares<F>) -> Result<()> {
        self.insurance_shares = self.insurance_shares.checked_add(shares)?;
        Ok(())
    }

    /// Removes debt that nobody will repay. Insurance pays first; the rest lowers the supply index, or is recorded as a
    /// deficit of a minted pool.
    pub fn write_off(&mut self, debt: DebtShares<F>) -> Result<Loss> {
        let loss = debt.0.mul_ceil(self.debt_index.0)?;
        self.debt_shares = self.debt_shares.checked_sub(debt)?;
        self.absorb(loss)
    }

    /// Lets insurance and then everyone pay `loss` native units that the pool no longer has.
    fn absorb(&mut self, loss: Fixed<F>) -> Result<Loss> {
        let mut insured = Fixed::ZERO;
        if !self.supply_index.0.is_zero() {
            let needed = SupplyShares(loss.div_ceil(self.supply_index.0)?);
            let burned = needed.min(self.insurance_shares);
            self.insurance_shares = self.insurance_shares.checked_sub(burned)?;
            self.supply_shares = self.supply_shares.checked_sub(burned)?;
            insured = self.supply_index.claim_of(burned)?.min(loss);
        }
        let rest = loss.checked_sub(insured)?;
        let uncovered = Amount(rest.ceil_to_u64()?);
        let (socialized, deficit) = match self.kind {
            Kind::Pooled => {
                if !rest.is_zero() && !self.supply_shares.is_zero() {
                    let fall = rest.div_ceil(self.supply_shares.0)?;
                    self.supply_index = SupplyIndex(self.supply_index.0.sub_or_zero(fall));
                }
                (uncovered, Amount::ZERO)
            }
            Kind::Minted => {
                self.deficit = self.deficit.checked_add(rest)?;
                (Amount::ZERO, uncovered)
            }
        };
        Ok(Loss { owed: Amount(loss.ceil_to_u64()?), insured: Amount(insured.floor_to_u64()?), socialized, deficit })
    }

    /// Pays `amount` of insurance out, as long as `floor` basis points of what is owed stay insured.
    ///
    /// # Errors
    /// `ZeroAmount`, `InsuranceFloor`, `InsufficientLiquidity`.
    pub fn withdraw_insurance(&mut self, amount: Amount, floor_bps: u32) -> Result<SupplyChange<F>> {
        require_positive(amount)?;
        let shares = self.supply_index.shares_for_withdrawal(amount)?;
        let left = self.insurance_shares.checked_sub(shares).map_err(|_| RiskError::InsuranceFloor)?;
        let owed = self.debt_shares.0.mul_ceil(self.debt_index.0)?;
        if self.supply_index.claim_of(left)? < owed.mul_bps_ceil(floor_bps)? {
            return Err(RiskError::InsuranceFloor);
        }
        self.insurance_shares = left;
        if self.kind == Kind::Pooled {
            // A minted pool's surplus becomes tokens: the claim stays and changes hands.
            self.pay_out(amount)?;
            self.supply_shares = self.supply_shares.checked_sub(shares)?;
        }
        Ok(SupplyChange { amount, shares })
    }

    /// Lends `amount` until the end of the transaction. A minted pool lends no more than its debt ceiling leaves.
    ///
    /// # Errors
    /// `ZeroAmount`, `FlashLoanOpen` while another runs, `InsufficientLiquidity`, `BorrowCapExceeded`.
    pub fn flash_borrow(&mut self, amount: Amount, cap: Amount) -> Result<()> {
        require_positive(amount)?;
        if !self.flash.is_zero() {
            return Err(RiskError::FlashLoanOpen);
        }
        if self.kind == Kind::Minted {
            let owed = self.debt_shares.0.mul_ceil(self.debt_index.0)?;
            if owed.checked_add(Fixed::from_integer(amount.0))? > Fixed::from_integer(cap.0) {
                return Err(RiskError::BorrowCapExceeded);
            }
        }
        self.issue(amount)?;
        self.flash = amount;
        Ok(())
    }

    /// Takes back a flash loan of `amount`, and returns what is due: that and a fee, which the next accrual turns into
    /// insurance. The fee is rounded up as [`swap::fee`] is.
    ///
    /// # Errors
    /// `NoFlashLoan` unless exactly `amount` is lent.
    pub fn flash_repay(&mut self, amount: Amount, fee_bps: u32) -> Result<Amount> {
        if self.flash != amount || amount.is_zero() {
            return Err(RiskError::NoFlashLoan);
        }
        let due = amount.checked_add(swap::fee(amount, fee_bps)?)?;
        self.take_in(due)?;
        self.flash = Amount::ZERO;
        Ok(due)
    }

    /// Mints tokens against `value` that the swap took in at par, and keeps `fee` of them as surplus.
    ///
    /// # Errors
    /// `ZeroAmount` when nothing would be minted, `SwapCapExceeded`.
    pub fn swap_in(&mut self, value: Amount, fee: Amount, cap: Amount) -> Result<Amount> {
        let minted = value.checked_sub(fee)?;
        require_positive(minted)?;
        self.available = self.available.checked_add(value)?;
        if self.available > cap {
            return Err(RiskError::SwapCapExceeded);
        }
        self.supply_shares = self.supply_shares.checked_add(SupplyShares(Fixed::from_integer(minted.0)))?;
        Ok(minted)
    }

    /// Burns `amount` and releases that less `fee` of what the swap holds, at par.
    ///
    /// # Errors
    /// `ZeroAmount` when nothing would be paid, `InsufficientLiquidity` when the swap holds less.
    pub fn swap_out(&mut self, amount: Amount, fee: Amount) -> Result<Amount> {
        let paid = amount.checked_sub(fee)?;
        require_positive(paid)?;
        self.burn(amount)?;
        self.pay_out(paid)?;
        Ok(paid)
    }

    /// Values what the swap holds: at `low`, the price that is good for minting, if that is more than the books say, and
    /// at `par` if that is less. A gain becomes surplus with the next accrual, a loss burns surplus and then is a deficit.
    pub fn mark_swap(&mut self, low: Amount, par: Amount) -> Result<Loss> {
        let low = low.min(par);
        let mut loss = Amount::ZERO;
        if self.available < low {
            self.available = low;
        } else if self.available > par {
            loss = self.available.checked_sub(par)?;
            self.available = par;
        }
        self.absorb(Fixed::from_integer(loss.0))
    }

    /// The invariant at the head of this module, exactly, and that insurance is a part of the supply.
    ///
    /// # Errors
    /// `Underflow` when it is broken: the books claim more than there is.
    pub fn check(&self) -> Result<()> {
        let (claims_high, claims_low) = wide::mul(self.supply_shares.0.to_bits(), self.supply_index.0.to_bits());
        let (owed_high, owed_low) = wide::mul(self.debt_shares.0.to_bits(), self.debt_index.0.to_bits());
        let held = Fixed::from_integer(self.available.0)
            .checked_add(Fixed::from_integer(self.flash.0))?
            .checked_add(self.deficit)?;
        let (held_high, held_low) = wide::mul(held.to_bits(), Fixed::<F>::ONE.to_bits());
        let (assets_low, carry) = owed_low.overflowing_add(held_low);
        let assets_high = owed_high
            .checked_add(held_high)
            .and_then(|high| high.checked_add(u128::from(carry)))
            .ok_or(RiskError::Overflow)?;
        let covered = (claims_high, claims_low) <= (assets_high, assets_low);
        if covered && self.insurance_shares <= self.supply_shares { Ok(()) } else { Err(RiskError::Underflow) }
    }

    /// Gives out `amount`: what is available, or new tokens.
    fn issue(&mut self, amount: Amount) -> Result<()> {
        match self.kind {
            Kind::Pooled => self.pay_out(amount),
            Kind::Minted => {
                self.supply_shares = self.supply_shares.checked_add(SupplyShares(Fixed::from_integer(amount.0)))?;
                Ok(())
            }
        }
    }

    /// Takes `amount` back: it becomes available, or is burned.
    fn take_in(&mut self, amount: Amount) -> Result<()> {
        match self.kind {
            Kind::Pooled => {
                self.available = self.available.checked_add(amount)?;
                Ok(())
            }
            Kind::Minted => self.burn(amount),
        }
    }

    /// Takes `amount` out of circulation, which never reaches into the surplus.
    ///
    /// Debts grow by interest that nobody has minted, so that more may be owed than circulates: to burn that much is a
    /// request that nobody can pay, not a sign of broken books.
    fn burn(&mut self, amount: Amount) -> Result<()> {
        let left = self.supply_shares.checked_sub(SupplyShares(Fixed::from_integer(amount.0)));
        self.supply_shares =
            left.ok().filter(|left| *left >= self.insurance_shares).ok_or(RiskError::InsufficientLiquidity)?;
        Ok(())
    }

    /// Seconds since the last accrual; none when the clock went back.
    fn elapsed(&self, now: i64) -> u64 {
        u64::try_from(now.saturating_sub(self.updated_at)).unwrap_or_default()
    }

    fn pay_out(&mut self, amount: Amount) -> Result<()> {
        self.available = self.available.checked_sub(amount).map_err(|_| RiskError::InsufficientLiquidity)?;
        Ok(())
    }
}

/// The debt index `elapsed` seconds later, for those who have no [`Pool`] at hand: see [`Pool::project`].
#[inline]
pub fn project_debt<const F: u32>(index: DebtIndex<F>, rate: &Rate, elapsed: u64) -> Result<DebtIndex<F>> {
    debt_growth(index, rate, elapsed)?.checked_add(index.0).map(DebtIndex)
}

/// The supply index `elapsed` seconds later: it grows by `ratio` of what the debt index `debt` grows by.
#[inline]
pub fn project_supply<const F: u32>(
    index: SupplyIndex<F>,
    debt: DebtIndex<F>,
    rate: &Rate,
    ratio: Fixed<F>,
    elapsed: u64,
) -> Result<SupplyIndex<F>> {
    debt_growth(debt, rate, elapsed)?.mul_floor(ratio)?.checked_add(index.0).map(SupplyIndex)
}

fn debt_growth<const F: u32>(index: DebtIndex<F>, rate: &Rate, elapsed: u64) -> Result<Fixed<F>> {
    if elapsed == 0 {
        return Ok(Fixed::ZERO);
    }
    index.0.mul_ceil(Fixed::from_fraction_ceil(rate.growth_ceil(elapsed)?))
}

fn require_positive(amount: Amount) -> Result<()> {
    if amount.is_zero() { Err(RiskError::ZeroAmount) } else { Ok(()) }
}

#[cfg(test)]
mod sequences;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::{ADAPTIVE, Drift, RateCurve, any_curve};
    use proptest::prelude::*;

    pub(super) const TERMS: RateTerms = RateTerms {
        model: RateModel::Kinked(RateCurve {
            base_bps: 0,
            slope_bps: 1_000,
            excess_slope_bps: 20_000,
            optimal_utilization_bps: 8_000,
        }),
        reserve_factor_bps: 1_000,
    };
    pub(super) const ADAPTIVE_TERMS: RateTerms =
        RateTerms { model: RateModel::Adaptive(ADAPTIVE), reserve_factor_bps: 1_000 };

    fn pool(supplied: u64, borrowed: u64) -> Pool {
        pool_with(&TERMS, supplied, borrowed)
    }

    fn pool_with(terms: &RateTerms, supplied: u64, borrowed: u64) -> Pool {
        let mut pool = Pool::new(Kind::Pooled, 0, terms).unwrap();
        pool.deposit(Amount(supplied), Amount::MAX).unwrap();
        if borrowed > 0 {
            pool.borrow(Amount(borrowed), Amount::MAX).unwrap();
        }
        pool.reprice(terms).unwrap();
        pool
    }

    #[test]
    fn utilization_is_rounded_up() {
        // A debt of one part of 2^-60 at an index of a part more than one is one of two parts, and a unit is there beside.
        let debt_index = DebtIndex(Fraction::ONE.checked_add(Fraction::EPSILON).unwrap());
        let debt_shares = DebtShares(Fraction::EPSILON);
        let pool = Pool { debt_index, debt_shares, available: Amount(1), ..pool(1, 0) };
        assert_eq!(pool.utilization(), Ok(Fraction::from_bits(2)));
    }

    /// All but a thousand millionth was lost, so that a share is worth next to nothing and new suppliers hold nearly as many as
    /// there can be. What would be insurance's does not fit: that stops neither repayments nor withdrawals.
    #[test]
    fn interest_never_outgrows_the_shares() {
        let mut pool = pool(1 << 40, (1 << 40) - (1 << 10));
        pool.write_off(pool.debt_shares).unwrap();
        let supplied = pool.deposit(Amount((1 << 38) - (1 << 11)), Amount::MAX).unwrap();
        let owed = pool.borrow(Amount(1 << 37), Amount::MAX).unwrap();
        pool.reprice(&TERMS).unwrap();
        for year in 1..=10 {
            pool.accrue(year * 31_536_000).unwrap();
            pool.reprice(&TERMS).unwrap();
            pool.check().unwrap();
        }
        assert!(pool.insurance_shares.is_zero());
        let repaid = pool.repay(Quantity::All, owed.shares).unwrap();
        let withdrawn = pool.withdraw(Quantity::All, supplied.shares).unwrap();
        pool.check().unwrap();
        assert!(repaid.amount.0 > 1 << 37 && withdrawn.amount > supplied.amount);
        // Insurance takes what is left as soon as it fits.
        pool.accrue(11 * 31_536_000).unwrap();
        pool.check().unwrap();
        assert!(!pool.insurance_shares.is_zero());
    }

    #[test]
    fn an_adaptive_pool_starts_at_its_initial_rate() {
        let pool = Pool::new(Kind::Pooled, 7, &ADAPTIVE_TERMS).unwrap();
        let at_target = Fraction::from_bps_ceil(400);
        assert_eq!(pool.rate.at_target, at_target);
        assert_eq!(pool.rate.borrow, ADAPTIVE.rate(at_target, Fraction::ZERO).unwrap());
        assert!(pool.rate.drift.falling);
    }

    #[test]
    fn accruals_move_the_rate_at_target() {
        let moved = |supplied, borrowed| {
            let mut pool = pool_with(&ADAPTIVE_TERMS, supplied, borrowed);
            let before = pool.rate;
            pool.accrue(3_600).unwrap();
            assert_eq!(pool.rate, before.after(3_600).unwrap());
            pool.reprice(&ADAPTIVE_TERMS).unwrap();
            pool.rate.at_target.cmp(&before.at_target)
        };
        assert_eq!(moved(1_000_000, 950_000), core::cmp::Ordering::Greater);
        assert_eq!(moved(1_000_000, 850_000), core::cmp::Ordering::Less);
        assert_eq!(moved(1_000_000, 0), core::cmp::Ordering::Less);
        let still = pool_with(&ADAPTIVE_TERMS, 1_000_000, 900_000);
        // Utilization is rounded up, so the target is missed by a unit at most.
        assert!(still.rate.drift.yearly <= Fraction::from_bits(1_000), "{:?}", still.rate.drift);
        assert_eq!(pool(1_000, 950).rate.drift, Drift::NONE);
    }

    #[test]
    fn a_first_deposit_cannot_set_a_share_price() {
        let mut pool = Pool::new(Kind::Pooled, 0, &TERMS).unwrap();
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

    /// The whole debt, by its amount: all shares go, down to the fraction of a unit that the amount was rounded up by.
    #[test]
    fn repaying_exactly_what_is_owed_leaves_no_dust() {
        let mut pool = pool(1_000, 500);
        pool.accrue(12_345_678).unwrap();
        let held = pool.debt_shares;
        let owed = pool.debt_index.amount_owed(held).unwrap();
        assert!(pool.debt_index.shares_for_repayment(owed).unwrap() > held, "a fraction of a unit is rounded up");
        let mut whole = pool;
        assert_eq!(whole.repay(Quantity::Exact(owed), held), Ok(DebtChange { amount: owed, shares: held }));
        assert!(whole.debt_shares.is_zero());
        assert_eq!(pool.clone().repay(Quantity::All, held), Ok(DebtChange { amount: owed, shares: held }));
        let more = Quantity::Exact(Amount(owed.0 + 1));
        assert_eq!(pool.clone().repay(more, held), Err(RiskError::RepaymentExceedsDebt));
        let less = pool.repay(Quantity::Exact(Amount(owed.0 - 1)), held).unwrap();
        assert!(less.shares < held);
    }

    #[test]
    fn a_flash_loans_fee_becomes_insurance_at_the_next_accrual() {
        let mut pool = pool(1_000_000, 0);
        let before = pool;
        assert_eq!(pool.flash_repay(Amount(1), 0), Err(RiskError::NoFlashLoan));
        assert_eq!(pool.flash_repay(Amount::ZERO, 0), Err(RiskError::NoFlashLoan));
        assert_eq!(pool.flash_borrow(Amount::ZERO, Amount::MAX), Err(RiskError::ZeroAmount));
        assert_eq!(pool.clone().flash_borrow(Amount(1_000_001), Amount::MAX), Err(RiskError::InsufficientLiquidity));
        // All there is, although the borrow cap is zero: nothing is owed afterwards.
        pool.flash_borrow(Amount(1_000_000), Amount::ZERO).unwrap();
        assert_eq!((pool.available, pool.flash), (Amount::ZERO, Amount(1_000_000)));
        assert_eq!(pool.assets(), before.assets(), "what is lent out is still an asset");
        let held = pool.supply_shares;
        assert_eq!(pool.withdraw(Quantity::Exact(Amount(1)), held), Err(RiskError::InsufficientLiquidity));
        assert_eq!(pool.flash_borrow(Amount(1), Amount::MAX), Err(RiskError::FlashLoanOpen));
        assert_eq!(pool.flash_repay(Amount(999_999), 9), Err(RiskError::NoFlashLoan));
        assert_eq!(pool.flash_repay(Amount(1_000_001), 9), Err(RiskError::NoFlashLoan));
        assert_eq!(pool.flash_repay(Amount(1_000_000), 9), Ok(Amount(1_000_900)));
        assert_eq!((pool.available, pool.flash), (Amount(1_000_900), Amount::ZERO));
        // Nobody can withdraw the fee: it is nobody's until the next accrual, and the reserve's from then on.
        assert_eq!((pool.supply_shares, pool.supply_index), (held, SupplyIndex::INITIAL));
        pool.accrue(0).unwrap();
        assert!(pool.insurance_shares.is_zero());
        pool.accrue(1).unwrap();
        assert_eq!(pool.insurance_shares.0, Fraction::from_integer(900));
        assert_eq!(pool.supply_index, SupplyIndex::INITIAL);
        pool.check().unwrap();
    }

    #[test]
    fn shares_are_seized_when_nothing_is_available() {
        let mut pool = pool(1_000_000, 1_000_000);
        pool.accrue(10_000_000).unwrap();
        let held = SupplyShares(Fraction::from_integer(500_000));
        let worth = pool.supply_index.amount_of(held).unwrap();
        assert_eq!(pool.clone().seize(held, worth, Amount(1), false), Err(RiskError::InsufficientLiquidity));
        let before = pool;
        let seized = pool.seize_shares(held, Amount(100_000), Amount(90_000), false).unwrap();
        // Moved, not created: only what is insurance changes.
        assert_eq!(pool, Pool { insurance_shares: pool.insurance_shares, ..before });
        assert_eq!(pool.insurance_shares, before.insurance_shares.checked_add(seized.insurance_shares).unwrap());
        assert_eq!(seized.shares, seized.keeper_shares.checked_add(seized.insurance_shares).unwrap());
        let index = pool.supply_index;
        assert_eq!(seized.shares, index.shares_for_withdrawal(Amount(100_000)).unwrap());
        assert_eq!(seized.keeper_shares, index.shares_for_deposit(Amount(90_000)).unwrap());
        assert!(index.amount_of(seized.keeper_shares).unwrap() <= Amount(90_000), "rounded against the keeper");
        assert!(index.amount_of(seized.insurance_shares).unwrap() >= Amount(10_000));
        // Everything, down to the fraction; and no more than there is.
        let all = pool.clone().seize_shares(held, worth, worth, true).unwrap();
        assert_eq!(all.shares, held);
        assert_eq!(all.keeper_shares, index.shares_for_deposit(worth).unwrap());
        let beyond = Amount(worth.0 + 1);
        assert_eq!(pool.clone().seize_shares(held, beyond, beyond, false), Err(RiskError::InsufficientCollateral));
        assert_eq!(pool.seize_shares(held, beyond, beyond, true).unwrap().keeper_shares, held, "never more than all");
    }

    #[test]
    fn a_seizure_pays_the_keeper_and_insures_the_rest() {
        let mut pool = pool(1_000_000, 400_000);
        pool.accrue(10_000_000).unwrap();
        let (before, held) = (pool, SupplyShares(Fraction::from_integer(500_000)));
        let seized = pool.seize(held, Amount(100_000), Amount(90_000), false).unwrap();
        let burned = pool.supply_index.shares_for_withdrawal(Amount(90_000)).unwrap();
        assert_eq!(before.available.0 - pool.available.0, 90_000);
        assert_eq!(before.supply_shares.checked_sub(pool.supply_shares), Ok(burned));
        assert_eq!(seized.shares, pool.supply_index.shares_for_withdrawal(Amount(100_000)).unwrap());
        assert_eq!(seized.insurance_shares, seized.shares.checked_sub(burned).unwrap());
        pool.check().unwrap();
        let small = SupplyShares(Fraction::from_integer(10));
        assert_eq!(pool.clone().seize(small, Amount(11), Amount(1), false), Err(RiskError::InsufficientCollateral));
        assert_eq!(pool.clone().seize(small, Amount(1), Amount(2), false), Err(RiskError::InsufficientCollateral));
        assert_eq!(pool.seize(small, Amount(1), Amount(1), true).unwrap().shares, small);
    }

    #[test]
    fn the_insurance_floor_binds_exactly() {
        let insured = || {
            let mut pool = pool(1_000, 600);
            pool.forfeit(SupplyShares(Fraction::from_integer(200))).unwrap();
            pool
        };
        // A quarter of 600 stays.
        let mut pool = insured();
        assert_eq!(pool.clone().withdraw_insurance(Amount(51), 2_500), Err(RiskError::InsuranceFloor));
        let change = pool.withdraw_insurance(Amount(50), 2_500).unwrap();
        assert_eq!((change.amount, change.shares.0), (Amount(50), Fraction::from_integer(50)));
        assert_eq!((pool.available, pool.insurance_shares.0), (Amount(350), Fraction::from_integer(150)));
        assert_eq!(pool.supply_shares.0, Fraction::from_integer(950));
        pool.check().unwrap();
        assert_eq!(pool.clone().withdraw_insurance(Amount(1), 2_500), Err(RiskError::InsuranceFloor));
        assert_eq!(pool.clone().withdraw_insurance(Amount::ZERO, 0), Err(RiskError::ZeroAmount));
        // A hundredth of 600 are 6, without a fraction more.
        assert_eq!(pool.clone().withdraw_insurance(Amount(145), 100), Err(RiskError::InsuranceFloor));
        assert!(pool.clone().withdraw_insurance(Amount(144), 100).is_ok());
        // Without a floor all of it, and never the suppliers' part.
        assert_eq!(pool.clone().withdraw_insurance(Amount(151), 0), Err(RiskError::InsuranceFloor));
        assert!(pool.withdraw_insurance(Amount(150), 0).is_ok());
        // No more than is available.
        let mut lent = insured();
        lent.borrow(Amount(390), Amount::MAX).unwrap();
        assert_eq!(lent.withdraw_insurance(Amount(11), 0), Err(RiskError::InsufficientLiquidity));
    }

    #[test]
    fn a_minted_pool_by_hand() {
        let fee = RateTerms {
            model: RateModel::Kinked(RateCurve {
                base_bps: 1_000,
                slope_bps: 0,
                excess_slope_bps: 0,
                optimal_utilization_bps: 5_000,
            }),
            reserve_factor_bps: 0,
        };
        let mut pool = Pool::new(Kind::Minted, 0, &fee).unwrap();
        assert_eq!(pool.deposit(Amount(1), Amount::MAX), Err(RiskError::MintedTakesNoDeposits));
        // Nothing needs to be available, and the debt ceiling binds; a flash loan counts against it.
        assert_eq!(pool.clone().borrow(Amount(1_000_001), Amount(1_000_000)), Err(RiskError::BorrowCapExceeded));
        pool.borrow(Amount(1_000_000), Amount(1_000_000)).unwrap();
        assert_eq!(pool.flash_borrow(Amount(1), Amount(1_000_000)), Err(RiskError::BorrowCapExceeded));
        let mut lent = pool;
        lent.flash_borrow(Amount(500), Amount(1_000_500)).unwrap();
        assert_eq!((lent.circulating(), lent.outstanding()), (Ok(Amount(1_000_500)), Ok(Amount(1_000_000))));
        lent.repay(Quantity::Exact(Amount(1_000_000)), lent.debt_shares).unwrap();
        assert_eq!((lent.circulating(), lent.outstanding()), (Ok(Amount(500)), Ok(Amount::ZERO)));
        pool.reprice(&fee).unwrap();
        // A year at 10 %, by the third order: all of it is surplus, and nothing new circulates.
        pool.accrue(31_536_000).unwrap();
        assert_eq!(pool.circulating(), Ok(Amount(1_000_000)));
        let surplus = |pool: &Pool| pool.insurance_shares.0.floor_to_u64().unwrap();
        assert_eq!(surplus(&pool), 105_166);
        // It becomes tokens, as long as the floor stays: a hundredth of 1,105,167.
        assert_eq!(pool.clone().withdraw_insurance(Amount(94_116), 100), Err(RiskError::InsuranceFloor));
        pool.withdraw_insurance(Amount(94_115), 100).unwrap();
        assert_eq!((pool.circulating(), surplus(&pool)), (Ok(Amount(1_094_115)), 11_051));
        // Of a loss of 100,000 the surplus pays 11,051 and a fraction.
        let part = pool.debt_index.shares_for_repayment(Amount(100_000)).unwrap();
        let loss = pool.write_off(part).unwrap();
        assert_eq!((loss.insured, loss.socialized, loss.deficit), (Amount(11_051), Amount::ZERO, Amount(88_949)));
        assert_eq!((surplus(&pool), pool.deficit.floor_to_u64()), (0, Ok(88_948)));
        assert_eq!(pool.supply_index, SupplyIndex::INITIAL);
        // Interest fills the deficit first.
        pool.accrue(31_536_000 + 15_768_000).unwrap();
        assert_eq!((surplus(&pool), pool.deficit.floor_to_u64()), (0, Ok(37_412)));
        pool.accrue(2 * 31_536_000).unwrap();
        assert_eq!((surplus(&pool), pool.deficit), (16_765, Fraction::ZERO));
        pool.check().unwrap();
    }

    #[test]
    fn the_swap_is_capped_and_pays_what_it_holds() {
        let mut pool = Pool::new(Kind::Minted, 0, &TERMS).unwrap();
        let cap = Amount(1_000);
        assert_eq!(pool.clone().swap_in(Amount(1_001), Amount(10), cap), Err(RiskError::SwapCapExceeded));
        assert_eq!(pool.clone().swap_in(Amount(10), Amount(10), cap), Err(RiskError::ZeroAmount));
        assert_eq!(pool.swap_in(Amount(1_000), Amount(10), cap), Ok(Amount(990)));
        assert_eq!((pool.available, pool.circulating()), (Amount(1_000), Ok(Amount(990))));
        assert_eq!(pool.clone().swap_in(Amount(1), Amount::ZERO, cap), Err(RiskError::SwapCapExceeded));
        pool.accrue(1).unwrap();
        assert_eq!(pool.insurance_shares.0, Fraction::from_integer(10), "the fee");
        assert_eq!(pool.clone().swap_out(Amount(5), Amount(5)), Err(RiskError::ZeroAmount));
        assert_eq!(pool.clone().swap_out(Amount(991), Amount::ZERO), Err(RiskError::InsufficientLiquidity));
        // Tokens that a loan created leave by the swap too, up to what it holds.
        pool.borrow(Amount(500), Amount::MAX).unwrap();
        assert_eq!(pool.clone().swap_out(Amount(1_001), Amount::ZERO), Err(RiskError::InsufficientLiquidity));
        assert_eq!(pool.swap_out(Amount(1_010), Amount(10)), Ok(Amount(1_000)));
        assert_eq!((pool.available, pool.circulating()), (Amount::ZERO, Ok(Amount(480))));
        pool.accrue(2).unwrap();
        assert_eq!(pool.insurance_shares.0.floor_to_u64(), Ok(20), "both fees");
    }

    #[test]
    fn the_swap_is_valued_between_its_lower_price_and_par() {
        let held = || {
            let mut pool = Pool::new(Kind::Minted, 0, &TERMS).unwrap();
            pool.swap_in(Amount(1_000), Amount(100), Amount::MAX).unwrap();
            pool.accrue(1).unwrap();
            pool
        };
        let marked = |low, par| {
            let mut pool = held();
            let loss = pool.mark_swap(Amount(low), Amount(par)).unwrap();
            pool.check().unwrap();
            (pool.available.0, loss.insured.0, loss.deficit.0, pool)
        };
        // In between nothing happens.
        let (available, insured, deficit, pool) = marked(900, 1_100);
        assert_eq!((available, insured, deficit, pool), (1_000, 0, 0, held()));
        // A gain is surplus at the next accrual.
        let (available, _, _, mut pool) = marked(1_050, 1_100);
        assert_eq!((available, pool.insurance_shares.0), (1_050, Fraction::from_integer(100)));
        pool.accrue(2).unwrap();
        assert_eq!(pool.insurance_shares.0, Fraction::from_integer(150));
        // A loss takes the surplus of 100, and the rest is a deficit that a gain fills.
        let (available, insured, deficit, mut pool) = marked(700, 850);
        assert_eq!((available, insured, deficit), (850, 100, 50));
        pool.mark_swap(Amount(870), Amount(870)).unwrap();
        pool.accrue(2).unwrap();
        assert_eq!((pool.deficit, pool.insurance_shares), (Fraction::from_integer(30), SupplyShares::ZERO));
        pool.mark_swap(Amount(910), Amount(910)).unwrap();
        pool.accrue(3).unwrap();
        assert_eq!((pool.deficit, pool.insurance_shares.0), (Fraction::ZERO, Fraction::from_integer(10)));
        // A lower price above par, which no caller has, is par: a loss is still a loss.
        let (available, insured, deficit, _) = marked(1_200, 850);
        assert_eq!((available, insured, deficit), (850, 100, 50));
    }

    #[test]
    fn insurance_pays_before_suppliers() {
        let mut pool = pool(1_000, 500);
        pool.forfeit(SupplyShares(Fraction::from_integer(200))).unwrap(); // 200 of the 1,000 are the reserve's own
        let loss = pool.write_off(DebtShares(Fraction::from_integer(150))).unwrap();
        assert_eq!(
            loss,
            Loss { owed: Amount(150), insured: Amount(150), socialized: Amount::ZERO, deficit: Amount::ZERO }
        );
        assert_eq!(pool.supply_index, SupplyIndex::INITIAL);
        let loss = pool.write_off(DebtShares(Fraction::from_integer(130))).unwrap();
        assert_eq!(
            loss,
            Loss { owed: Amount(130), insured: Amount(50), socialized: Amount(80), deficit: Amount::ZERO }
        );
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A projection is what the accrual does, for any curve, history and moment; and the rate moves with it, within
        /// its bounds, whether or not it was fixed anew in between.
        #[test]
        fn a_projection_is_the_accrual(
            curve in any_curve(),
            supplied in 1u64..1 << 50,
            lent in 0u64..1 << 50,
            waits in proptest::array::uniform3(0u32..10_000_000),
            reprices in any::<bool>(),
        ) {
            let terms = RateTerms { model: RateModel::Adaptive(curve), reserve_factor_bps: 1_000 };
            let mut pool = pool_with(&terms, supplied, lent.min(supplied));
            for wait in waits {
                let now = pool.updated_at + i64::from(wait >> (wait % 24));
                let (before, projected) = (pool, pool.project(now).unwrap());
                pool.accrue(now).unwrap();
                prop_assert_eq!(projected, pool.indices());
                prop_assert_eq!(pool.rate, before.rate.after((now - before.updated_at) as u64).unwrap());
                prop_assert!(pool.rate.at_target >= Fraction::from_bps_ceil(curve.min_rate_at_target_bps));
                prop_assert!(pool.rate.at_target <= Fraction::from_bps_ceil(curve.max_rate_at_target_bps));
                pool.check().unwrap();
                if reprices {
                    pool.reprice(&terms).unwrap();
                }
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
