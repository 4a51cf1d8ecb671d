//! Unsigned binary fixed point.
//!
//! Everything computes with [`Fraction`], of 60 fractional bits. The type is written for any number of them, and so are
//! the share accounting and the books that rest on it: of a few bits there are so few states that tests go through all
//! of them.

use crate::error::{Result, RiskError};
use crate::wide;

/// An unsigned number with `F` fractional bits, 1 to 60, in a `u128`: from 2^-F to 2^(128 - F).
///
/// Addition and subtraction are exact or fail. Multiplication and division lose bits and therefore exist only with
/// their direction in the name. Nothing saturates and nothing wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const F: u32>(u128);

/// The number that the protocol computes with: 60 fractional bits, from 2^-60 (about 8.7e-19) to 2^68 (about 2.95e20).
pub type Fraction = Fixed<60>;

impl<const F: u32> Fixed<F> {
    /// Number of fractional bits.
    pub const BITS: u32 = F;
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1.
    pub const ONE: Self = Self(1 << F);
    /// The largest representable number, just under 2^(128 - F).
    pub const MAX: Self = Self(u128::MAX);
    /// The smallest positive number, 2^-F.
    pub const EPSILON: Self = Self(1);

    /// The number `bits / 2^F`.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// `self * 2^F`, an integer.
    pub const fn to_bits(self) -> u128 {
        self.0
    }

    /// The integer `n`. Every `u64` fits.
    pub const fn from_integer(n: u64) -> Self {
        Self((n as u128) << F)
    }

    /// `x`, rounded up to `F` bits.
    pub const fn from_fraction_ceil(x: Fraction) -> Self {
        let shift = Fraction::BITS.wrapping_sub(F);
        let floor = x.0 >> shift;
        Self(floor.wrapping_add((floor << shift != x.0) as u128)) // what is lost leaves room
    }

    /// The same number with 60 bits. Fails at 2^68 and above.
    pub const fn to_fraction(self) -> Result<Fraction> {
        let shift = Fraction::BITS.wrapping_sub(F);
        let bits = self.0 << shift;
        if bits >> shift == self.0 { Ok(Fixed(bits)) } else { Err(RiskError::Overflow) }
    }

    /// `numerator / denominator`, rounded down. Fails when the denominator is zero.
    pub fn ratio_floor(numerator: u64, denominator: u64) -> Result<Self> {
        Self::from_integer(numerator).div_floor(Self::from_integer(denominator))
    }

    /// `basis_points / 10,000`, rounded down.
    pub fn from_bps_floor(basis_points: u32) -> Self {
        Self(Self::bps_parts(basis_points).0)
    }

    /// `basis_points / 10,000`, rounded up.
    pub fn from_bps_ceil(basis_points: u32) -> Self {
        let (quotient, remainder) = Self::bps_parts(basis_points);
        Self(quotient.wrapping_add(u128::from(remainder != 0))) // a u32 shifted by at most 60 leaves 36 bits of room
    }

    fn bps_parts(basis_points: u32) -> (u128, u32) {
        wide::div_small(u128::from(basis_points) << F, 10_000).unwrap_or_default()
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self + other`, exactly. Fails on overflow.
    pub fn checked_add(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or(RiskError::Overflow)
    }

    /// `self - other`, exactly. Fails when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self> {
        self.0.checked_sub(other.0).map(Self).ok_or(RiskError::Underflow)
    }

    /// `self - other`, or zero when `other` is larger: for distances that have a floor by definition.
    pub const fn sub_or_zero(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self * other`, rounded down. Fails on overflow.
    pub fn mul_floor(self, other: Self) -> Result<Self> {
        wide::mul_shr_floor::<F>(self.0, other.0).map(Self).ok_or(RiskError::Overflow)
    }

    /// `self * other`, rounded up. Fails on overflow.
    pub fn mul_ceil(self, other: Self) -> Result<Self> {
        wide::mul_shr_ceil::<F>(self.0, other.0).map(Self).ok_or(RiskError::Overflow)
    }

    /// `self * n`, exactly. Fails on overflow.
    pub fn mul_integer(self, n: u64) -> Result<Self> {
        match wide::mul_by_word(self.0, n) {
            (0, product) => Ok(Self(product)),
            _ => Err(RiskError::Overflow),
        }
    }

    /// `self / other`, rounded down. Fails on overflow and when `other` is zero.
    pub fn div_floor(self, other: Self) -> Result<Self> {
        self.div_parts(other).map(|(quotient, _)| Self(quotient))
    }

    /// `self / other`, rounded up. Fails on overflow and when `other` is zero.
    pub fn div_ceil(self, other: Self) -> Result<Self> {
        let (quotient, inexact) = self.div_parts(other)?;
        quotient.checked_add(u128::from(inexact)).map(Self).ok_or(RiskError::Overflow)
    }

    fn div_parts(self, other: Self) -> Result<(u128, bool)> {
        if other.is_zero() {
            return Err(RiskError::DivisionByZero);
        }
        let (quotient, remainder) =
            wide::div(self.0 >> 128u32.wrapping_sub(F), self.0 << F, other.0).ok_or(RiskError::Overflow)?;
        Ok((quotient, remainder != 0))
    }

    /// `self * basis_points / 10,000`, rounded down once, with no rounding of the rate. Fails on overflow.
    pub fn mul_bps_floor(self, basis_points: u32) -> Result<Self> {
        self.mul_bps_parts(basis_points).map(|(product, _)| Self(product))
    }

    /// `self * basis_points / 10,000`, rounded up once, with no rounding of the rate. Fails on overflow.
    pub fn mul_bps_ceil(self, basis_points: u32) -> Result<Self> {
        let (product, inexact) = self.mul_bps_parts(basis_points)?;
        product.checked_add(u128::from(inexact)).map(Self).ok_or(RiskError::Overflow)
    }

    fn mul_bps_parts(self, basis_points: u32) -> Result<(u128, bool)> {
        // Of `10,000 q + r` the product is `q * bps` and `r * bps / 10,000`, of which the latter fits a word.
        let (quotient, remainder) = wide::div_small(self.0, 10_000).ok_or(RiskError::DivisionByZero)?;
        let rest = u64::from(remainder).wrapping_mul(u64::from(basis_points));
        let (0, whole) = wide::mul_by_word(quotient, u64::from(basis_points)) else {
            return Err(RiskError::Overflow);
        };
        let product = whole.checked_add(u128::from(rest / 10_000)).ok_or(RiskError::Overflow)?;
        Ok((product, rest % 10_000 != 0))
    }

    /// `self / divisor`, rounded down, for small constant divisors. Fails when the divisor is zero.
    pub fn div_small_floor(self, divisor: u32) -> Result<Self> {
        wide::div_small(self.0, divisor).map(|(q, _)| Self(q)).ok_or(RiskError::DivisionByZero)
    }

    /// `self / divisor`, rounded up, for small constant divisors. Fails when the divisor is zero.
    pub fn div_small_ceil(self, divisor: u32) -> Result<Self> {
        let (quotient, remainder) = wide::div_small(self.0, divisor).ok_or(RiskError::DivisionByZero)?;
        // A remainder takes a divisor of at least 2, which halves the quotient.
        Ok(Self(quotient.wrapping_add(u128::from(remainder != 0))))
    }

    /// The largest integer not above this. Fails when it does not fit a `u64`.
    pub fn floor_to_u64(self) -> Result<u64> {
        u64::try_from(self.0 >> F).map_err(|_| RiskError::Overflow)
    }

    /// The smallest integer not below this. Fails when it does not fit a `u64`.
    pub fn ceil_to_u64(self) -> Result<u64> {
        let whole = self.0 >> F; // below 2^127: one more cannot overflow
        let inexact = whole << F != self.0;
        u64::try_from(whole.wrapping_add(u128::from(inexact))).map_err(|_| RiskError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn any_fraction() -> impl Strategy<Value = Fraction> {
        (any::<u128>(), 0u32..128).prop_map(|(x, s)| Fraction::from_bits(x >> s))
    }

    fn big(f: Fraction) -> BigUint {
        BigUint::from(f.to_bits())
    }

    /// Floor is the exact quotient, ceil the same or one more when inexact; both fail together with the exact value.
    fn check(floor: Result<Fraction>, ceil: Result<Fraction>, numerator: BigUint, denominator: BigUint) {
        let max = BigUint::from(u128::MAX);
        let (q, r) = (&numerator / &denominator, &numerator % &denominator);
        let up = if r == BigUint::ZERO { q.clone() } else { &q + 1u32 };
        assert_eq!(floor.ok().map(big), (q <= max).then_some(q));
        assert_eq!(ceil.ok().map(big), (up <= max).then_some(up));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn products_round_as_named(a in any_fraction(), b in any_fraction()) {
            check(a.mul_floor(b), a.mul_ceil(b), big(a) * big(b), big(Fraction::ONE));
        }

        #[test]
        fn products_with_integers_are_exact_or_fail(a in any_fraction(), n in any::<u64>()) {
            prop_assert_eq!(a.mul_integer(n).ok().map(Fraction::to_bits), a.to_bits().checked_mul(u128::from(n)));
        }

        #[test]
        fn quotients_round_as_named(a in any_fraction(), b in any_fraction()) {
            if b.is_zero() {
                prop_assert_eq!(a.div_floor(b), Err(RiskError::DivisionByZero));
                prop_assert_eq!(a.div_ceil(b), Err(RiskError::DivisionByZero));
            } else {
                check(a.div_floor(b), a.div_ceil(b), big(a) * big(Fraction::ONE), big(b));
            }
        }

        #[test]
        fn small_quotients_round_as_named(a in any_fraction(), d in 1u32..) {
            check(a.div_small_floor(d), a.div_small_ceil(d), big(a), BigUint::from(d));
        }

        #[test]
        fn basis_points_round_as_named(bps in any::<u32>()) {
            check(Ok(Fraction::from_bps_floor(bps)), Ok(Fraction::from_bps_ceil(bps)),
                BigUint::from(bps) * big(Fraction::ONE), BigUint::from(10_000u32));
        }

        #[test]
        fn products_with_basis_points_round_as_named(a in any_fraction(), bps in any::<u32>(), shift in 0u32..32) {
            let bps = bps >> shift;
            check(a.mul_bps_floor(bps), a.mul_bps_ceil(bps), big(a) * bps, BigUint::from(10_000u32));
        }

        #[test]
        fn integers_round_as_named(a in any_fraction()) {
            let one = big(Fraction::ONE);
            let floor = big(a) / &one;
            let ceil = (big(a) + &one - 1u32) / &one;
            prop_assert_eq!(a.floor_to_u64().ok().map(BigUint::from), u64::try_from(&floor).ok().map(BigUint::from));
            prop_assert_eq!(a.ceil_to_u64().ok().map(BigUint::from), u64::try_from(&ceil).ok().map(BigUint::from));
        }

        #[test]
        fn sums_are_exact_or_fail(a in any_fraction(), b in any_fraction()) {
            prop_assert_eq!(a.checked_add(b).ok().map(Fraction::to_bits), a.to_bits().checked_add(b.to_bits()));
            prop_assert_eq!(a.checked_sub(b).ok().map(Fraction::to_bits), a.to_bits().checked_sub(b.to_bits()));
            prop_assert_eq!(a.sub_or_zero(b), a.checked_sub(b).unwrap_or(Fraction::ZERO));
        }
    }

    #[test]
    fn division_by_zero_is_an_error() {
        assert_eq!(Fraction::ONE.div_small_floor(0), Err(RiskError::DivisionByZero));
        assert_eq!(Fraction::ONE.div_small_ceil(0), Err(RiskError::DivisionByZero));
        assert_eq!(Fraction::ratio_floor(1, 0), Err(RiskError::DivisionByZero));
    }
}
