//! All books of two fractional bits with every action on them, and all sequences of two users' actions with four.
//!
//! Value is counted exactly, in units of `2^-2F`: `surplus` is what a pool has beyond its claims. As an action moves
//! tokens between its user and the pool and changes nobody else's shares, a surplus that does not fall is the same as a
//! user who does not gain, and a surplus that rises by less than a unit or a share's last place is a user who loses no
//! more than that to rounding.

use crate::fraction::{Fixed, Fraction};
use crate::interest::{RateCurve, RateModel};
use crate::pool::{Books, Kind, RateTerms};
use crate::units::{Amount, DebtIndex, DebtShares, Quantity, SupplyIndex, SupplyShares};

const YEAR: u64 = 31_536_000;

const fn terms(reserve_factor_bps: u32) -> RateTerms {
    let flat = RateCurve { base_bps: 0, slope_bps: 0, excess_slope_bps: 0, optimal_utilization_bps: 5_000 };
    RateTerms { model: RateModel::Kinked(flat), reserve_factor_bps }
}

fn supply<const F: u32>(bits: u64) -> SupplyShares<F> {
    SupplyShares(Fixed::from_bits(bits.into()))
}

fn debt<const F: u32>(bits: u64) -> DebtShares<F> {
    DebtShares(Fixed::from_bits(bits.into()))
}

/// A product of two numbers, or one in native units, in units of `2^-2F`.
fn product<const F: u32>(a: Fixed<F>, b: Fixed<F>) -> i64 {
    (a.to_bits() * b.to_bits()) as i64
}

fn units<const F: u32>(amount: u64) -> i64 {
    (amount << (2 * F)) as i64
}

fn claims<const F: u32>(books: &Books<F>, shares: SupplyShares<F>) -> i64 {
    product(shares.0, books.supply_index.0)
}

fn owed<const F: u32>(books: &Books<F>, shares: DebtShares<F>) -> i64 {
    product(shares.0, books.debt_index.0)
}

/// What there is beyond the claims.
fn surplus<const F: u32>(books: &Books<F>) -> i64 {
    let held = units::<F>(books.available.0 + books.flash.0);
    held + owed(books, books.debt_shares) + product(books.deficit, Fixed::ONE) - claims(books, books.supply_shares)
}

/// A pool with these numbers, shares and indices in their last place.
fn books<const F: u32>(
    available: u64,
    [supply_shares, insurance, debt_shares]: [u64; 3],
    [supply_index, debt_index]: [u64; 2],
) -> Books<F> {
    let mut books = Books::new(Kind::Pooled, 0, &terms(0)).unwrap();
    books.available = Amount(available);
    books.supply_shares = supply(supply_shares);
    books.insurance_shares = supply(insurance);
    books.debt_shares = debt(debt_shares);
    books.supply_index = SupplyIndex(Fixed::from_bits(supply_index.into()));
    books.debt_index = DebtIndex(Fixed::from_bits(debt_index.into()));
    books
}

/// The books after an action, if it was not refused: they hold, no index moved, and the surplus rose by at least nothing
/// and less than `most`.
fn rounded<const F: u32>(before: &Books<F>, after: &Books<F>, most: i64) {
    assert_eq!(after.check(), Ok(()), "{before:?} {after:?}");
    assert_eq!(after.indices(), before.indices());
    let risen = surplus(after) - surplus(before);
    assert!((0..most.max(1)).contains(&risen), "{risen} of {most}: {before:?} {after:?}");
}

/// Every action on one state.
struct Actions<const F: u32> {
    before: Books<F>,
    /// What can be withdrawn, seized and forfeited: all but insurance.
    free: u64,
    /// The value of the last place of a supply share and of a debt share.
    supply_place: i64,
    debt_place: i64,
    count: u64,
}

const MOST: u64 = 3;

impl<const F: u32> Actions<F> {
    fn new(before: Books<F>) -> Self {
        let free = before.supply_shares.checked_sub(before.insurance_shares).unwrap().0.to_bits() as u64;
        let (supply_place, debt_place) = (before.supply_index.0.to_bits() as i64, before.debt_index.0.to_bits() as i64);
        Self { before, free, supply_place, debt_place, count: 0 }
    }

    fn all(&mut self) {
        for amount in 1..=MOST {
            self.deposit(amount);
            self.borrow(amount);
            self.flash(amount);
            self.withdraw_insurance(amount);
            for held in 0..=self.free {
                self.withdraw(Quantity::Exact(Amount(amount)), held);
            }
            for held in 0..=self.before.debt_shares.0.to_bits() as u64 {
                self.repay(Quantity::Exact(Amount(amount)), held);
            }
        }
        for held in 0..=self.free {
            self.withdraw(Quantity::All, held);
            self.forfeit(held);
            for total in 0..=MOST {
                for keeper in 0..=MOST {
                    self.seize(held, total, keeper, false);
                    self.seize(held, total, keeper, true);
                }
            }
        }
        for shares in 0..=self.before.debt_shares.0.to_bits() as u64 {
            self.repay(Quantity::All, shares);
            self.write_off(shares);
        }
        for growth in [0, 1, 2, 5] {
            for reserve_factor_bps in [0, 1_000, 5_000] {
                self.accrue(growth, reserve_factor_bps);
            }
        }
    }

    fn deposit(&mut self, amount: u64) {
        self.count += 1;
        let mut after = self.before;
        let Ok(change) = after.deposit(Amount(amount), Amount::MAX) else {
            assert_eq!(self.supply_place, 0, "{:?}", self.before);
            return;
        };
        rounded(&self.before, &after, self.supply_place);
        assert_eq!(after.available.0, self.before.available.0 + amount);
        assert_eq!(after.supply_shares, self.before.supply_shares.checked_add(change.shares).unwrap());
        // The cap binds on what all shares are worth.
        for cap in 0..6 {
            let fits = claims(&after, after.supply_shares) <= units::<F>(cap);
            assert_eq!(self.before.clone().deposit(Amount(amount), Amount(cap)).is_ok(), fits);
        }
    }

    fn withdraw(&mut self, quantity: Quantity, held: u64) {
        self.count += 1;
        let (mut after, held) = (self.before, supply(held));
        let worth = claims(&self.before, held);
        let result = after.withdraw(quantity, held);
        let (asked, most) = match quantity {
            Quantity::Exact(amount) => (amount.0, self.supply_place),
            Quantity::All => (worth as u64 >> (2 * F), units::<F>(1)),
        };
        let allowed = units::<F>(asked) <= worth && asked <= self.before.available.0;
        assert_eq!(result.is_ok(), allowed, "{quantity:?} {held:?} {:?}", self.before);
        if let Ok(change) = result {
            rounded(&self.before, &after, most);
            assert_eq!((change.amount.0, after.available.0), (asked, self.before.available.0 - asked));
            assert_eq!(after.supply_shares, self.before.supply_shares.checked_sub(change.shares).unwrap());
            assert!(change.shares <= held && (quantity != Quantity::All || change.shares == held));
        }
    }

    fn borrow(&mut self, amount: u64) {
        self.count += 1;
        let mut after = self.before;
        let result = after.borrow(Amount(amount), Amount::MAX);
        assert_eq!(result.is_ok(), amount <= self.before.available.0);
        let Ok(change) = result else { return };
        rounded(&self.before, &after, self.debt_place);
        assert_eq!(after.available.0, self.before.available.0 - amount);
        assert_eq!(after.debt_shares, self.before.debt_shares.checked_add(change.shares).unwrap());
        for cap in 0..6 {
            let fits = owed(&after, after.debt_shares) <= units::<F>(cap);
            assert_eq!(self.before.clone().borrow(Amount(amount), Amount(cap)).is_ok(), fits);
        }
    }

    fn repay(&mut self, quantity: Quantity, held: u64) {
        self.count += 1;
        let (mut after, held) = (self.before, debt(held));
        let whole = (owed(&self.before, held) as u64).div_ceil(1 << (2 * F));
        let result = after.repay(quantity, held);
        let (asked, most) = match quantity {
            Quantity::Exact(amount) if amount.0 < whole => (amount.0, self.debt_place),
            Quantity::Exact(amount) => (amount.0, units::<F>(1)),
            Quantity::All => (whole, units::<F>(1)),
        };
        assert_eq!(result.is_ok(), asked <= whole, "{quantity:?} {held:?} {:?}", self.before);
        if let Ok(change) = result {
            rounded(&self.before, &after, most);
            assert_eq!((change.amount.0, after.available.0), (asked, self.before.available.0 + asked));
            assert_eq!(after.debt_shares, self.before.debt_shares.checked_sub(change.shares).unwrap());
            assert!(change.shares <= held && (asked < whole || change.shares == held));
        }
    }

    /// In tokens and in shares: what leaves the vault is worth what is asked at least, what the keeper gets is worth it at
    /// most, and the rest is insurance.
    fn seize(&mut self, held: u64, total: u64, to_keeper: u64, all: bool) {
        self.count += 2;
        let (before, held) = (&self.before, supply(held));
        let worth = claims(before, held);
        let insured = |after: &Books<F>| after.insurance_shares.checked_sub(before.insurance_shares).unwrap();
        let context = || std::format!("{held:?} {total} {to_keeper} {all} {before:?}");

        let mut after = *before;
        if let Ok(seized) = after.seize(held, Amount(total), Amount(to_keeper), all) {
            rounded(before, &after, self.supply_place);
            assert_eq!(after.available.0, before.available.0 - to_keeper);
            assert_eq!(insured(&after), seized.insurance_shares);
            let burned = before.supply_shares.checked_sub(after.supply_shares).unwrap();
            assert_eq!(seized.shares, burned.checked_add(seized.insurance_shares).unwrap(), "{}", context());
            assert!(seized.shares <= held && claims(before, burned) >= units::<F>(to_keeper), "{}", context());
            assert!(if all { seized.shares == held } else { claims(before, seized.shares) >= units::<F>(total) });
        } else {
            let beyond = self.supply_place == 0 || units::<F>(to_keeper) > worth || to_keeper > before.available.0;
            assert!(beyond || (!all && (units::<F>(total) > worth || to_keeper > total)), "{}", context());
        }

        let mut after = *before;
        if let Ok(seized) = after.seize_shares(held, Amount(total), Amount(to_keeper), all) {
            rounded(before, &after, 1);
            assert_eq!((after.available, after.supply_shares), (before.available, before.supply_shares));
            assert_eq!(insured(&after), seized.insurance_shares);
            assert_eq!(seized.shares, seized.keeper_shares.checked_add(seized.insurance_shares).unwrap());
            assert!(seized.shares <= held && claims(before, seized.keeper_shares) <= units::<F>(to_keeper));
            assert!(if all { seized.shares == held } else { claims(before, seized.shares) >= units::<F>(total) });
        } else {
            assert!(self.supply_place == 0 || (!all && units::<F>(total) > worth), "{}", context());
        }
    }

    fn forfeit(&mut self, held: u64) {
        self.count += 1;
        let mut after = self.before;
        after.forfeit(supply(held)).unwrap();
        rounded(&self.before, &after, 1);
        assert_eq!(after.insurance_shares.0.to_bits(), self.before.insurance_shares.0.to_bits() + u128::from(held));
    }

    fn flash(&mut self, amount: u64) {
        for fee_bps in [0, 1, 5_000] {
            self.count += 1;
            let mut after = self.before;
            let lent = after.flash_borrow(Amount(amount), Amount::ZERO);
            assert_eq!(lent.is_ok(), amount <= self.before.available.0);
            if lent.is_ok() {
                rounded(&self.before, &after, 1);
                let due = after.flash_repay(Amount(amount), fee_bps).unwrap().0;
                assert_eq!(due - amount, (amount * u64::from(fee_bps)).div_ceil(10_000));
                rounded(&self.before, &after, units::<F>(due - amount) + 1);
                assert_eq!(after.available.0, self.before.available.0 + due - amount);
            }
        }
    }

    fn withdraw_insurance(&mut self, amount: u64) {
        for floor_bps in [0, 2_500, 5_000, 10_000] {
            self.count += 1;
            let mut after = self.before;
            let result = after.withdraw_insurance(Amount(amount), floor_bps);
            if let Ok(change) = result {
                rounded(&self.before, &after, self.supply_place);
                assert_eq!(after.available.0, self.before.available.0 - amount);
                let left = self.before.insurance_shares.checked_sub(change.shares).unwrap();
                assert_eq!(after.insurance_shares, left);
                let floor = owed(&after, after.debt_shares) * i64::from(floor_bps);
                assert!(claims(&after, left) * 10_000 >= floor, "{:?}", self.before);
            } else {
                // One unit less than is insured beyond the floor, and what each of them is rounded by.
                let insured = claims(&self.before, self.before.insurance_shares);
                let floor = owed(&self.before, self.before.debt_shares) * i64::from(floor_bps) / 10_000;
                let roundings = self.supply_place + 3 * (1 << F);
                let short = insured < units::<F>(amount) + floor + roundings;
                assert!(short || amount > self.before.available.0, "{amount} {floor_bps} {:?}", self.before);
            }
        }
    }

    /// Insurance pays first, and then all suppliers: the claims fall by the loss at least, and not below nothing.
    fn write_off(&mut self, shares: u64) {
        self.count += 1;
        let (before, mut after) = (&self.before, self.before);
        let lost = owed(before, debt(shares));
        let loss = after.write_off(debt(shares)).unwrap();
        assert_eq!(after.check(), Ok(()), "{before:?} {after:?}");
        assert_eq!(after.debt_index, before.debt_index);
        assert_eq!(after.debt_shares, before.debt_shares.checked_sub(debt(shares)).unwrap());
        assert_eq!((after.available, after.deficit), (before.available, Fixed::ZERO));
        assert!(after.supply_index <= before.supply_index);
        let insurance = claims(before, before.insurance_shares);
        let burned = claims(before, before.insurance_shares) - claims(before, after.insurance_shares);
        // What insurance can pay in whole places, nobody else pays.
        let place = 1 << F;
        assert!(burned < lost + place + self.supply_place.max(1), "{before:?} {after:?}");
        if insurance >= lost + place + self.supply_place {
            assert_eq!((after.supply_index, loss.socialized), (before.supply_index, Amount::ZERO));
        }
        assert!(after.supply_index == before.supply_index || after.insurance_shares.is_zero());
        // The claims of all fell by the loss, up to a place of the loss, of the insurance and of the index for each share.
        let fallen = claims(before, before.supply_shares) - claims(&after, after.supply_shares);
        let each = after.supply_shares.0.to_bits() as i64;
        assert!(fallen >= lost.min(claims(before, before.supply_shares)), "{before:?} {after:?}");
        assert!(fallen < lost + 2 * place + self.supply_place.max(1) + each, "{before:?} {after:?}");
        assert_eq!(loss.owed.0, (lost as u64).div_ceil(1 << (2 * F)));
        // In whole units: the loss rounded up, what insurance paid rounded down.
        assert!((loss.owed.0..loss.owed.0 + 2).contains(&(loss.insured.0 + loss.socialized.0 + 1)), "{loss:?}");
    }

    /// The debt index grows by the rate, rounded up; the supply index by its part of that, rounded down; and what is left
    /// is insurance, up to less than a share's last place and the roundings of both sums.
    fn accrue(&mut self, growth: u64, reserve_factor_bps: u32) {
        self.count += 1;
        let mut before = self.before;
        before.reprice(&terms(reserve_factor_bps)).unwrap();
        // A rate at which a second counts for so many places, and the higher orders.
        before.rate.borrow = Fraction::from_bits(u128::from(growth) << (60 - F)).mul_integer(YEAR).unwrap();
        let grown = Fixed::<F>::from_fraction_ceil(before.rate.growth_ceil(1).unwrap()).to_bits() as i64;
        let mut after = before;
        after.accrue(1).unwrap();
        assert_eq!(after.check(), Ok(()), "{before:?} {after:?}");
        assert_eq!(before.project(1).unwrap(), after.indices());
        assert_eq!((after.deficit, after.available), (Fixed::ZERO, before.available));
        let (old_debt, new_debt) = (before.debt_index.0.to_bits() as i64, after.debt_index.0.to_bits() as i64);
        let (old_supply, new_supply) = (before.supply_index.0.to_bits() as i64, after.supply_index.0.to_bits() as i64);
        if before.debt_shares.is_zero() {
            assert_eq!(after.indices(), before.indices());
        } else {
            let exact = old_debt * grown;
            let by = (new_debt - old_debt) << F;
            assert!(by >= exact && by < exact + (1 << F), "{before:?} {after:?}");
        }
        let (debt_shares, all) = (before.debt_shares.0.to_bits() as i64, before.supply_shares.0.to_bits() as i64);
        let earned = (new_debt - old_debt) * debt_shares * i64::from(10_000 - reserve_factor_bps);
        assert!(new_supply >= old_supply && (new_supply - old_supply) * all * 10_000 <= earned);
        let insured = after.insurance_shares.checked_sub(before.insurance_shares).unwrap();
        assert_eq!(after.supply_shares, before.supply_shares.checked_add(insured).unwrap());
        assert!(new_supply == 0 || surplus(&after) < new_supply + (2 << F), "{before:?} {after:?}");
    }
}

/// Every state of a pool whose numbers fit four bits, two of them fractional, that holds.
#[test]
fn every_action_on_every_state() {
    const TOP: u64 = 8;
    let (mut states, mut actions) = (0u64, 0);
    for (supply_index, debt_index) in (0..=TOP).flat_map(|s| (4..=TOP).map(move |d| (s, d))) {
        for (supply_shares, debt_shares) in (0..=TOP).flat_map(|s| (0..=TOP).map(move |d| (s, d))) {
            for (insurance, available) in (0..=supply_shares).flat_map(|i| (0..=2).map(move |a| (i, a))) {
                let state = books::<2>(available, [supply_shares, insurance, debt_shares], [supply_index, debt_index]);
                if state.check().is_ok() {
                    let mut every = Actions::new(state);
                    every.all();
                    states += 1;
                    actions += every.count;
                }
            }
        }
    }
    assert_eq!((states, actions), (41_608, 12_822_960));
}

/// What a minted pool does otherwise: a share is a token, and a loss beyond the surplus is a deficit.
fn every_minted_action<const F: u32>(before: &Books<F>, debt_place: i64) -> u64 {
    let circulating = before.supply_shares.0.to_bits() - before.insurance_shares.0.to_bits();
    let issued = |after: &Books<F>| {
        let now = after.supply_shares.0.to_bits() - after.insurance_shares.0.to_bits();
        (now as i64 - circulating as i64) << F
    };
    let mut count = 0;
    let mut act = |most: i64, issues: i64, action: &dyn Fn(&mut Books<F>) -> bool| {
        count += 1;
        let mut after = *before;
        if action(&mut after) {
            rounded(before, &after, most);
            assert_eq!(issued(&after), issues, "{before:?} {after:?}");
            assert_eq!(after.deficit, before.deficit);
        }
    };
    for amount in 1..=MOST {
        act(debt_place, units::<F>(amount), &|b| b.borrow(Amount(amount), Amount::MAX).is_ok());
        for fee in 0..=amount {
            let (paid, fees) = (units::<F>(amount - fee), units::<F>(fee));
            act(fees + 1, paid, &|b| b.swap_in(Amount(amount), Amount(fee), Amount::MAX).is_ok());
            act(fees + 1, -units::<F>(amount), &|b| b.swap_out(Amount(amount), Amount(fee)).is_ok());
        }
        act(1, 0, &|b| b.flash_borrow(Amount(amount), Amount::MAX).is_ok() && b.flash_repay(Amount(amount), 0).is_ok());
        act(1, units::<F>(amount), &|b| b.withdraw_insurance(Amount(amount), 0).is_ok());
        for held in 0..=before.debt_shares.0.to_bits() as u64 {
            let most = debt_place.max(units::<F>(1));
            let exactly = Quantity::Exact(Amount(amount));
            act(most, -units::<F>(amount), &|b| b.repay(exactly, debt(held)).is_ok());
        }
    }
    let mut lose = |lost: i64, after: &Books<F>| {
        count += 1;
        assert_eq!(after.check(), Ok(()), "{before:?} {after:?}");
        assert_eq!((after.supply_index, issued(after)), (SupplyIndex::INITIAL, 0));
        let burned = product(before.insurance_shares.0, Fixed::ONE) - product(after.insurance_shares.0, Fixed::ONE);
        let risen = product(after.deficit, Fixed::ONE) - product(before.deficit, Fixed::ONE);
        assert!((lost..lost + (1 << F)).contains(&(burned + risen)), "{before:?} {after:?}");
        assert!(risen == 0 || after.insurance_shares.is_zero(), "{before:?} {after:?}");
    };
    for shares in 0..=before.debt_shares.0.to_bits() as u64 {
        let mut after = *before;
        after.write_off(debt(shares)).unwrap();
        lose(owed(before, debt(shares)), &after);
    }
    for (low, par) in (0..=MOST).flat_map(|low| (low..=MOST).map(move |par| (low, par))) {
        let mut after = *before;
        after.mark_swap(Amount(low), Amount(par)).unwrap();
        assert_eq!(after.available.0, before.available.0.max(low).min(par));
        lose(units::<F>(before.available.0.saturating_sub(par)), &after);
    }
    for growth in [0, 1, 2, 5] {
        count += 1;
        let (mut before, mut after) = (*before, *before);
        before.rate.borrow = Fraction::from_bits(u128::from(growth as u64) << (60 - F)).mul_integer(YEAR).unwrap();
        after.rate = before.rate;
        after.accrue(1).unwrap();
        assert_eq!((after.check(), after.supply_index), (Ok(()), SupplyIndex::INITIAL), "{before:?} {after:?}");
        assert!(after.deficit <= before.deficit && issued(&after) == 0);
        assert!(after.insurance_shares == before.insurance_shares || after.deficit.is_zero());
        assert!(surplus(&after) < 1 << F, "nothing is left over: {before:?} {after:?}");
    }
    count
}

#[test]
fn every_action_on_every_state_of_a_minted_pool() {
    const TOP: u64 = 8;
    let (mut states, mut actions) = (0u64, 0);
    for (debt_index, debt_shares) in (4..=TOP).flat_map(|i| (0..=TOP).map(move |d| (i, d))) {
        for (deficit, available) in (0..=TOP).flat_map(|l| (0..=2).map(move |a| (l, a))) {
            // Tokens are whole.
            for (tokens, insurance) in (0..=4u64).flat_map(|t| (0..=TOP).map(move |i| (t, i))) {
                let shares = [tokens * 4 + insurance, insurance, debt_shares];
                let mut state = books::<2>(available, shares, [4, debt_index]);
                state.kind = Kind::Minted;
                state.deficit = Fixed::from_bits(deficit.into());
                if state.check().is_ok() {
                    states += 1;
                    actions += every_minted_action(&state, debt_index as i64);
                }
            }
        }
    }
    assert_eq!((states, actions), (32_738, 2_092_590));
}

/// A user's tokens, and shares on both sides.
#[derive(Clone, Copy, Debug)]
struct User<const F: u32> {
    tokens: i64,
    supplied: SupplyShares<F>,
    owed: DebtShares<F>,
}

impl<const F: u32> User<F> {
    fn wealth(&self, books: &Books<F>) -> i64 {
        self.tokens + claims(books, self.supplied) - owed(books, self.owed)
    }

    /// The nth action, if it is not refused; [`User::ACTIONS`] of them.
    fn act(&mut self, books: &mut Books<F>, n: usize) -> Option<()> {
        let amount = Amount([1, 3][n % 2]);
        let paid = match n {
            0 | 1 => {
                let change = books.deposit(amount, Amount::MAX).ok()?;
                self.supplied = self.supplied.checked_add(change.shares).ok()?;
                units::<F>(change.amount.0)
            }
            2..=4 => {
                let quantity = if n == 4 { Quantity::All } else { Quantity::Exact(amount) };
                let change = books.withdraw(quantity, self.supplied).ok()?;
                self.supplied = self.supplied.checked_sub(change.shares).ok()?;
                -units::<F>(change.amount.0)
            }
            5 | 6 => {
                let change = books.borrow(amount, Amount::MAX).ok()?;
                self.owed = self.owed.checked_add(change.shares).ok()?;
                -units::<F>(change.amount.0)
            }
            _ => {
                let quantity = if n == 9 { Quantity::All } else { Quantity::Exact(amount) };
                let change = books.repay(quantity, self.owed).ok()?;
                self.owed = self.owed.checked_sub(change.shares).ok()?;
                units::<F>(change.amount.0)
            }
        };
        self.tokens -= paid;
        Some(())
    }

    const ACTIONS: usize = 10;
}

/// Goes on with every action of either user, `depth` times; how many were taken.
fn every_sequence<const F: u32>(books: &Books<F>, users: [User<F>; 2], depth: u32) -> u64 {
    let mut taken = 0;
    for (actor, n) in (0..2).flat_map(|actor| (0..User::<F>::ACTIONS).map(move |n| (actor, n))) {
        let (mut after, mut next) = (*books, users);
        if next[actor].act(&mut after, n).is_none() {
            continue;
        }
        let wealth = |users: &[User<F>; 2], books: &Books<F>| [users[0].wealth(books), users[1].wealth(books)];
        let (before, now) = (wealth(&users, books), wealth(&next, &after));
        assert!(now[actor] <= before[actor], "{books:?} {users:?} {n}");
        assert_eq!(now[1 - actor], before[1 - actor], "{books:?} {users:?} {n}");
        // What one loses, all others have: nothing is created.
        assert_eq!(now[actor] + surplus(&after), before[actor] + surplus(books), "{books:?} {users:?} {n}");
        assert_eq!(after.check(), Ok(()));
        taken += 1;
        if depth > 1 {
            taken += every_sequence(&after, next, depth - 1);
        }
    }
    taken
}

/// Deposits, withdrawals, loans and repayments of two users in any order, at all indices up to 3, in a pool in which a
/// third has both supplied and borrowed.
#[test]
fn two_users_in_any_order() {
    let mut taken = 0;
    for (supply_index, debt_index) in (1..=48).flat_map(|s| (16..=48).map(move |d| (s, d))) {
        let pool = books::<4>(6, [40, 8, 130], [supply_index, debt_index]);
        let user = User { tokens: 0, supplied: SupplyShares::ZERO, owed: DebtShares::ZERO };
        taken += every_sequence(&pool, [user; 2], 3);
    }
    assert!(taken > 3_000_000, "{taken}");
}
