//! What a set of positions is worth against what it owes.

use crate::error::Result;
use crate::fraction::Fraction;
use crate::units::Usd;
use crate::wide;

/// `(1 - haircut) * loan_to_value`, rounded down: the dollars of limit that a dollar of collateral carries.
///
/// With `max_ltv` and the initial haircut it bounds new risk; with the liquidation threshold and the maintenance haircut
/// it is the `cf` of the liquidation formulas.
pub fn collateral_factor(haircut: Fraction, loan_to_value: Fraction) -> Result<Fraction> {
    Fraction::ONE.sub_or_zero(haircut).mul_floor(loan_to_value)
}

/// The sums of a vault: collateral and limit rounded down, debt rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// What all collateral is worth, before any discount.
    pub collateral: Usd,
    /// What may be owed against it: the sum of value * collateral factor.
    pub limit: Usd,
    /// What is owed.
    pub debt: Usd,
}

impl Totals {
    /// Counts collateral worth `value`.
    pub fn add_collateral(&mut self, value: Usd, factor: Fraction) -> Result<()> {
        self.collateral = self.collateral.checked_add(value)?;
        self.limit = self.limit.checked_add(Usd(value.0.mul_floor(factor)?))?;
        Ok(())
    }

    /// Takes back what [`Self::add_collateral`] counted for the same value and factor.
    pub fn remove_collateral(&mut self, value: Usd, factor: Fraction) -> Result<()> {
        self.collateral = self.collateral.checked_sub(value)?;
        self.limit = self.limit.checked_sub(Usd(value.0.mul_floor(factor)?))?;
        Ok(())
    }

    /// Counts a debt worth `value`.
    pub fn add_debt(&mut self, value: Usd) -> Result<()> {
        self.debt = self.debt.checked_add(value)?;
        Ok(())
    }

    /// Takes back what [`Self::add_debt`] counted.
    pub fn remove_debt(&mut self, value: Usd) -> Result<()> {
        self.debt = self.debt.checked_sub(value)?;
        Ok(())
    }

    /// Whether the health factor is at least 1. A vault without debt is healthy.
    pub fn is_healthy(&self) -> bool {
        self.limit >= self.debt
    }

    /// `limit / debt`, rounded down. `None` without debt: infinite, or too large to represent.
    pub fn health_factor(&self) -> Option<Fraction> {
        self.limit.0.div_floor(self.debt.0).ok()
    }

    /// Whether the health factor is strictly above that of `other`, exactly. Without debt it is infinite.
    pub fn is_healthier_than(&self, other: &Self) -> bool {
        wide::mul(self.limit.0.to_bits(), other.debt.0.to_bits())
            > wide::mul(other.limit.0.to_bits(), self.debt.0.to_bits())
            || (self.debt.is_zero() && !other.debt.is_zero())
    }

    /// Whether debt is left that no liquidation will pay: the vault is unhealthy, owes more than all its collateral is
    /// worth, and that collateral is worth less than the minimum position value, so that nobody is paid to seize it.
    /// A second collateral worth dust cannot hide it.
    pub fn is_bad_debt(&self, min_position: Usd) -> bool {
        !self.is_healthy() && self.collateral < self.debt && self.collateral < min_position
    }
}

/// The sums of a vault that may be in an efficiency group. The group's weights count only while every debt is in the
/// group, which is known after the last position: until then both sums are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    ordinary: Totals,
    group_limit: Usd,
    grouped: bool,
}

impl Sums {
    /// Nothing yet, of a vault that is `in_group` or not.
    pub fn new(in_group: bool) -> Self {
        Self { ordinary: Totals::default(), group_limit: Usd::ZERO, grouped: in_group }
    }

    /// Counts collateral worth `value`, with its factor in the group if it has one.
    pub fn add_collateral(&mut self, value: Usd, factor: Fraction, group_factor: Option<Fraction>) -> Result<()> {
        let before = self.ordinary.limit;
        self.ordinary.add_collateral(value, factor)?;
        if self.grouped {
            let added = match group_factor {
                Some(factor) => Usd(value.0.mul_floor(factor)?),
                None => self.ordinary.limit.checked_sub(before)?,
            };
            self.group_limit = self.group_limit.checked_add(added)?;
        }
        Ok(())
    }

    /// Counts a debt worth `value`.
    pub fn add_debt(&mut self, value: Usd, in_group: bool) -> Result<()> {
        self.grouped &= in_group;
        self.ordinary.add_debt(value)
    }

    /// Whether the group's weights count.
    pub fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// The sums with the weights that count.
    pub fn totals(&self) -> Totals {
        if self.grouped { Totals { limit: self.group_limit, ..self.ordinary } } else { self.ordinary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(n: u64) -> Usd {
        Usd(Fraction::from_integer(n))
    }

    #[test]
    fn a_groups_weights_count_while_every_debt_is_in_it() {
        let usd = |n| Usd(Fraction::from_integer(n));
        let half = Fraction::from_bits(1 << 59);
        let sums = |in_group, debts: &[bool]| {
            let mut sums = Sums::new(in_group);
            sums.add_collateral(usd(100), half, Some(Fraction::ONE)).unwrap();
            sums.add_collateral(usd(100), half, None).unwrap();
            debts.iter().for_each(|in_group| sums.add_debt(usd(10), *in_group).unwrap());
            (sums.is_grouped(), sums.totals().limit)
        };
        assert_eq!(sums(true, &[]), (true, usd(150)));
        assert_eq!(sums(true, &[true, true]), (true, usd(150)));
        assert_eq!(sums(true, &[true, false]), (false, usd(100)));
        assert_eq!(sums(true, &[false, true]), (false, usd(100)));
        assert_eq!(sums(false, &[true]), (false, usd(100)));
    }

    #[test]
    fn limits_and_health_are_rounded_down() {
        let unit = Usd(Fraction::EPSILON);
        let third = Fraction::from_bits(Fraction::ONE.to_bits() / 3);
        let totals = Totals { limit: usd(1), debt: usd(3), ..Totals::default() };
        assert_eq!(totals.health_factor(), Some(third));
        let mut sums = Sums::new(true);
        let less_than_one = Fraction::from_bits(Fraction::ONE.to_bits() - 1);
        sums.add_collateral(unit, less_than_one, Some(less_than_one)).unwrap();
        assert_eq!((sums.is_grouped(), sums.totals().limit), (true, Usd::ZERO));
    }

    #[test]
    fn nothing_is_healthier_than_its_equal() {
        let totals = |limit, debt| Totals { limit: usd(limit), debt: usd(debt), ..Totals::default() };
        for (one, two) in [(totals(3, 4), totals(3, 4)), (totals(3, 4), totals(6, 8)), (totals(1, 0), totals(2, 0))] {
            assert!(!one.is_healthier_than(&two) && !two.is_healthier_than(&one), "{one:?} {two:?}");
        }
        assert!(totals(6, 7).is_healthier_than(&totals(3, 4)) && totals(0, 0).is_healthier_than(&totals(9, 1)));
    }

    #[test]
    fn health_is_limit_over_debt() {
        let mut totals = Totals::default();
        assert!(totals.is_healthy());
        assert_eq!(totals.health_factor(), None);
        let factor = collateral_factor(Fraction::from_bps_floor(1_000), Fraction::from_bps_floor(8_000)).unwrap();
        totals.add_collateral(usd(1_000), factor).unwrap();
        totals.add_debt(usd(600)).unwrap();
        assert!(totals.is_healthy());
        let health = totals.health_factor().unwrap();
        assert!(health < Fraction::from_bps_floor(12_000) && health > Fraction::from_bps_floor(11_999));
        totals.add_debt(usd(120)).unwrap();
        assert!(!totals.is_healthy(), "a factor rounded down does not carry the exact limit");
    }

    #[test]
    fn exactly_one_is_healthy() {
        let mut totals = Totals::default();
        totals.add_collateral(usd(100), Fraction::ONE).unwrap();
        totals.add_debt(usd(100)).unwrap();
        assert!(totals.is_healthy());
        totals.add_debt(Usd(Fraction::EPSILON)).unwrap();
        assert!(!totals.is_healthy());
    }

    #[test]
    fn a_full_haircut_carries_nothing() {
        assert_eq!(collateral_factor(Fraction::ONE, Fraction::ONE), Ok(Fraction::ZERO));
        assert_eq!(collateral_factor(Fraction::MAX, Fraction::ONE), Ok(Fraction::ZERO));
        assert_eq!(collateral_factor(Fraction::ZERO, Fraction::ONE), Ok(Fraction::ONE));
    }

    #[test]
    fn bad_debt_needs_all_three_conditions() {
        let totals =
            |collateral, limit, debt| Totals { collateral: usd(collateral), limit: usd(limit), debt: usd(debt) };
        assert!(totals(9, 8, 20).is_bad_debt(usd(10)));
        assert!(totals(0, 0, 1).is_bad_debt(usd(10)));
        assert!(!totals(10, 8, 20).is_bad_debt(usd(10)), "worth seizing");
        assert!(!totals(9, 8, 9).is_bad_debt(usd(10)), "covered");
        assert!(!totals(9, 8, 8).is_bad_debt(usd(10)), "healthy");
        assert!(!totals(0, 0, 0).is_bad_debt(usd(10)), "owes nothing");
    }

    proptest! {
        #[test]
        fn comparison_agrees_with_the_factor(a in any::<[u64; 4]>()) {
            let [l1, d1, l2, d2] = a;
            let one = Totals { collateral: usd(l1), limit: usd(l1), debt: usd(d1.max(1)) };
            let two = Totals { collateral: usd(l2), limit: usd(l2), debt: usd(d2.max(1)) };
            let exact = u128::from(l1) * u128::from(d2.max(1)) > u128::from(l2) * u128::from(d1.max(1));
            prop_assert_eq!(one.is_healthier_than(&two), exact);
        }

        #[test]
        fn removing_restores(values in proptest::collection::vec((0u128..1 << 100, 0u128..=1 << 60), 1..10)) {
            let mut totals = Totals::default();
            let values: std::vec::Vec<_> =
                values.into_iter().map(|(v, f)| (Usd(Fraction::from_bits(v)), Fraction::from_bits(f))).collect();
            for (value, factor) in &values {
                totals.add_collateral(*value, *factor).unwrap();
                totals.add_debt(*value).unwrap();
                prop_assert!(totals.limit <= totals.collateral);
            }
            for (value, factor) in &values {
                totals.remove_collateral(*value, *factor).unwrap();
                totals.remove_debt(*value).unwrap();
            }
            prop_assert_eq!(totals, Totals::default());
        }
    }
}
