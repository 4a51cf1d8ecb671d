//! What the tests of exponentials, interest and volatility compare with: real numbers in 256 fractional bits.
//!
//! Each operation is off by a few units of 2^-256, an exponential by less than 2^-180 relative: nothing against the
//! 2^-60 of what is tested.

use crate::fraction::Fraction;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use std::ops::{Add, Div, Mul, Neg, Sub};

const BITS: u32 = 256;

/// A real number, `self.0 / 2^256`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Real(BigInt);

impl Real {
    pub(crate) fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Self {
        Self((numerator.into() << BITS) / denominator.into())
    }

    pub(crate) fn integer(n: impl Into<BigInt>) -> Self {
        Self::ratio(n, 1)
    }

    pub(crate) fn bps(basis_points: u32) -> Self {
        Self::ratio(basis_points, 10_000)
    }

    /// So many units in the last place of a fraction.
    pub(crate) fn units(n: impl Into<BigInt>) -> Self {
        &Self::integer(n) * &Self::two_to_minus(Fraction::BITS)
    }

    /// By how much `actual` exceeds this, below which it must not be.
    pub(crate) fn excess_of(&self, actual: Fraction) -> Self {
        let excess = &Self::from(actual) - self;
        assert!(!excess.0.is_negative(), "{actual:?} is below {self:?}");
        excess
    }

    /// The largest fraction that is not above this.
    pub(crate) fn floor(&self) -> Fraction {
        Fraction::from_bits(u128::try_from(&self.0 >> (BITS - Fraction::BITS)).unwrap())
    }

    /// 2^-n.
    pub(crate) fn two_to_minus(n: u32) -> Self {
        Self(BigInt::from(1) << (BITS - n))
    }

    pub(crate) fn sqrt(&self) -> Self {
        Self((&self.0 << BITS).sqrt())
    }

    /// 2^-self.
    pub(crate) fn exp2_neg(&self) -> Self {
        (-&(self * &Self::ln_2())).exp()
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    pub(crate) fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// e^self: the series of `self / 2^32`, squared 32 times.
    pub(crate) fn exp(&self) -> Self {
        let x = Self(&self.0 >> 32u32);
        let (mut sum, mut term) = (Self::integer(1), Self::integer(1));
        for k in 1u64.. {
            term = Self((&term * &x).0 / BigInt::from(k));
            if term.is_zero() || term.0 == BigInt::from(-1) {
                break;
            }
            sum = &sum + &term;
        }
        for _ in 0..32 {
            sum = &sum * &sum;
        }
        sum
    }

    /// The mean of e^s for s from 0 to self: `(e^self - 1) / self`, 1 at 0.
    pub(crate) fn phi(&self) -> Self {
        if self.is_zero() { Self::integer(1) } else { &(&self.exp() - &Self::integer(1)) / self }
    }

    /// ln 2, by the series of artanh(1/3) * 2.
    pub(crate) fn ln_2() -> Self {
        let (mut sum, mut power) = (Self::integer(0), Self::ratio(2, 3));
        for k in (1u64..).step_by(2) {
            if power.is_zero() {
                break;
            }
            sum = &sum + &Self(&power.0 / BigInt::from(k));
            power = Self(power.0 / BigInt::from(9));
        }
        sum
    }

    /// The double's value, exactly, for doubles from 2^-50 to 2^60.
    pub(crate) fn from_f64(x: f64) -> Self {
        Self(BigInt::from((x * 2f64.powi(64)) as i128) << (BITS - 64))
    }

    /// For what a test prints.
    pub(crate) fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap() / 2f64.powi(BITS as i32)
    }
}

impl From<Fraction> for Real {
    fn from(f: Fraction) -> Self {
        Self(BigInt::from(f.to_bits()) << (BITS - Fraction::BITS))
    }
}

/// The operator for values and references, in any combination.
macro_rules! operator {
    ($trait:ident, $method:ident, $result:expr) => {
        operator!(@ $trait, $method, $result, Real, Real);
        operator!(@ $trait, $method, $result, Real, &Real);
        operator!(@ $trait, $method, $result, &Real, Real);
        operator!(@ $trait, $method, $result, &Real, &Real);
    };
    (@ $trait:ident, $method:ident, $result:expr, $left:ty, $right:ty) => {
        impl $trait<$right> for $left {
            type Output = Real;
            fn $method(self, other: $right) -> Real {
                let of: fn(&BigInt, &BigInt) -> BigInt = $result;
                Real(of(&self.0, &other.0))
            }
        }
    };
}

operator!(Add, add, |a, b| a + b);
operator!(Sub, sub, |a, b| a - b);
operator!(Mul, mul, |a, b| (a * b) >> BITS);
operator!(Div, div, |a, b| (a << BITS) / b);

impl Neg for &Real {
    type Output = Real;
    fn neg(self) -> Real {
        Real(-&self.0)
    }
}

/// The reference against numbers from elsewhere.
#[test]
fn known_constants() {
    // The fractional bits of e (OEIS A001113) and of ln 2 (OEIS A002162).
    let bits = |x: &Real| (&x.0 >> (BITS - 96)) & ((BigInt::from(1) << 96u32) - 1);
    assert_eq!(bits(&Real::integer(1).exp()), BigInt::from(0xB7E1_5162_8AED_2A6A_BF71_5880u128));
    assert_eq!(bits(&Real::ln_2()), BigInt::from(0xB172_17F7_D1CF_79AB_C9E3_B398u128));
    assert!((&Real::ln_2().exp() - &Real::integer(2)).abs() < Real::two_to_minus(180));
    assert!((&(-&Real::ln_2()).exp() - &Real::ratio(1, 2)).abs() < Real::two_to_minus(180));
    // (e^40 - 1) / 40, to the precision of a double.
    assert!((Real::integer(40).phi().to_f64() / 5_884_631_670_925_499.6 - 1.0).abs() < 1e-12);
}
