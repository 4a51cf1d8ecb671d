//! Products and quotients with a 256-bit intermediate, from 64-bit multiplications and divisions.
//!
//! SBPF has no 128-bit instruction, so the shape of these functions decides what a health check costs; the measured
//! alternatives stand in `docs/decisions`.

const LIMB: u32 = 32;
const LIMB_MASK: u64 = 0xffff_ffff;

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // keeps the low half, on purpose
const fn low(x: u128) -> u64 {
    x as u64
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // what is left after the shift fits
const fn high(x: u128) -> u64 {
    (x >> 64) as u64
}

#[inline(always)]
const fn join(high: u64, low: u64) -> u128 {
    ((high as u128) << 64) | low as u128
}

/// `a * b`, exactly.
#[inline(always)]
const fn mul_64(a: u64, b: u64) -> u128 {
    (a as u128).wrapping_mul(b as u128)
}

/// `a * b`, exactly, as its high and its low 128 bits.
#[inline]
pub(crate) const fn mul(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0, b1, b0) = (high(a), low(a), high(b), low(b));
    let p00 = mul_64(a0, b0);
    if a1 == 0 && b1 == 0 {
        return (0, p00);
    }
    let (p01, p10) = (mul_64(a0, b1), mul_64(a1, b0));
    // Three terms below 2^64 cannot overflow 128 bits; nor can the high word of a product of two 128-bit numbers.
    let middle = (high(p00) as u128).wrapping_add(low(p01) as u128).wrapping_add(low(p10) as u128);
    let top = mul_64(a1, b1)
        .wrapping_add(high(p01) as u128)
        .wrapping_add(high(p10) as u128)
        .wrapping_add(high(middle) as u128);
    (top, join(low(middle), low(p00)))
}

/// `(quotient, remainder)` of a 128-bit number by a divisor of at most 32 bits. `None` when the divisor is zero.
#[inline]
pub(crate) const fn div_small(n: u128, divisor: u32) -> Option<(u128, u32)> {
    if divisor == 0 {
        return None;
    }
    let d = divisor as u64;
    let limbs = [high(n) >> LIMB, high(n) & LIMB_MASK, low(n) >> LIMB, low(n) & LIMB_MASK];
    let [n3, n2, n1, n0] = limbs;
    // Each remainder is below 2^32, so that each partial dividend fits 64 bits.
    let (q3, r3) = div_rem_64(n3, d);
    let (q2, r2) = div_rem_64((r3 << LIMB) | n2, d);
    let (q1, r1) = div_rem_64((r2 << LIMB) | n1, d);
    let (q0, r0) = div_rem_64((r1 << LIMB) | n0, d);
    #[allow(clippy::cast_possible_truncation)] // a remainder is below its 32-bit divisor
    let remainder = r0 as u32;
    Some((join((q3 << LIMB) | q2, (q1 << LIMB) | q0), remainder))
}

/// `(n / d, n % d)`; the callers have excluded `d == 0`.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects)]
const fn div_rem_64(n: u64, d: u64) -> (u64, u64) {
    (n / d, n % d)
}

/// `(quotient, remainder)` of the 256-bit number `high * 2^128 + low` by `divisor`.
///
/// `None` when the divisor is zero or the quotient does not fit 128 bits. Knuth, The Art of Computer Programming,
/// volume 2, 4.3.1, algorithm D, with 32-bit digits so that every step is one 64-bit instruction.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // bounds and ranges are argued line by line
pub(crate) fn div(high_part: u128, low_part: u128, divisor: u128) -> Option<(u128, u128)> {
    if high_part >= divisor {
        return None; // covers a zero divisor too
    }
    if high_part == 0 && high(low_part) == 0 {
        let n = low(low_part);
        // A divisor over 64 bits exceeds the dividend.
        return Some(if high(divisor) == 0 {
            let (q, r) = div_rem_64(n, low(divisor));
            (q as u128, r as u128)
        } else {
            (0, low_part)
        });
    }
    // Normalize: shift both so that the divisor's highest digit has its top bit set. The dividend cannot lose bits,
    // as it is below divisor * 2^128.
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let (n_high, n_low) = if shift == 0 {
        (high_part, low_part)
    } else {
        ((high_part << shift) | (low_part >> (128 - shift)), low_part << shift)
    };
    // The divisor now has exactly four digits, the dividend eight, the quotient (as high < divisor) four.
    let v = digits(divisor);
    let mut u = [0u64; 8];
    u[..4].copy_from_slice(&digits(n_low));
    u[4..].copy_from_slice(&digits(n_high));
    let mut q = [0u64; 4];
    let mut j = 4;
    while j > 0 {
        j -= 1;
        // u[j + 4] <= v[3] always holds here, so that the estimate is at most two too large.
        let top = (u[j + 4] << LIMB) | u[j + 3];
        let mut estimate = top / v[3];
        let mut rest = top % v[3];
        while estimate > LIMB_MASK || estimate * v[2] > ((rest << LIMB) | u[j + 2]) {
            estimate -= 1;
            rest += v[3];
            if rest > LIMB_MASK {
                break;
            }
        }
        if estimate == 0 {
            continue;
        }
        // Subtract estimate * divisor; digits stay below 2^32, borrows are carried in two's complement.
        let mut carry = 0u64;
        let mut borrow = 0u64;
        let mut i = 0;
        while i < 4 {
            let product = estimate * v[i] + carry;
            carry = product >> LIMB;
            let difference = u[j + i].wrapping_sub(product & LIMB_MASK).wrapping_sub(borrow);
            u[j + i] = difference & LIMB_MASK;
            borrow = (difference >> LIMB) & 1;
            i += 1;
        }
        let difference = u[j + 4].wrapping_sub(carry).wrapping_sub(borrow);
        u[j + 4] = difference & LIMB_MASK;
        if (difference >> LIMB) & 1 == 1 {
            // One too large: add the divisor back.
            estimate -= 1;
            let mut carry = 0u64;
            let mut i = 0;
            while i < 4 {
                let sum = u[j + i] + v[i] + carry;
                u[j + i] = sum & LIMB_MASK;
                carry = sum >> LIMB;
                i += 1;
            }
            u[j + 4] = (u[j + 4] + carry) & LIMB_MASK;
        }
        q[j] = estimate;
    }
    let quotient = undigits([q[0], q[1], q[2], q[3]]);
    let remainder = undigits([u[0], u[1], u[2], u[3]]) >> shift;
    Some((quotient, remainder))
}

#[inline(always)]
const fn digits(x: u128) -> [u64; 4] {
    [low(x) & LIMB_MASK, low(x) >> LIMB, high(x) & LIMB_MASK, high(x) >> LIMB]
}

#[inline(always)]
const fn undigits(d: [u64; 4]) -> u128 {
    let [d0, d1, d2, d3] = d;
    join((d3 << LIMB) | d2, (d1 << LIMB) | d0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    /// Numbers of every width, with runs of ones and zeros, where carries and estimates go wrong.
    pub(crate) fn any_width() -> impl Strategy<Value = u128> {
        prop_oneof![
            (any::<u128>(), 0u32..128).prop_map(|(x, s)| x >> s),
            (0u32..128).prop_map(|s| u128::MAX >> s),
            (0u32..128).prop_map(|s| 1u128 << s),
            (0u32..128, 0u32..128).prop_map(|(a, b)| (u128::MAX >> a) ^ (u128::MAX >> b)),
        ]
    }

    fn big(high: u128, low: u128) -> BigUint {
        (BigUint::from(high) << 128u32) + BigUint::from(low)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn product_is_exact(a in any_width(), b in any_width()) {
            let (high, low) = mul(a, b);
            prop_assert_eq!(big(high, low), BigUint::from(a) * BigUint::from(b));
        }

        #[test]
        fn quotient_is_exact(high in any_width(), low in any_width(), d in any_width()) {
            match div(high, low, d) {
                None => prop_assert!(high >= d),
                Some((q, r)) => {
                    prop_assert!(r < d);
                    prop_assert_eq!(BigUint::from(q) * BigUint::from(d) + BigUint::from(r), big(high, low));
                }
            }
        }

        #[test]
        fn short_quotient_is_exact(n in any_width(), d in any::<u32>()) {
            match div_small(n, d) {
                None => prop_assert_eq!(d, 0),
                Some((q, r)) => prop_assert_eq!((q, u128::from(r)), (n / u128::from(d), n % u128::from(d))),
            }
        }
    }

    #[test]
    fn quotient_add_back_step() {
        // Hacker's Delight's case in which the estimate stays one too large after its correction.
        let (n_high, n_low) = (0x7fff_ffff_8000_0000_0000_0000_0000_0000, 0);
        let d = 0x8000_0000_0000_0000_0000_0000_ffff_ffff;
        let (q, r) = div(n_high, n_low, d).unwrap();
        assert_eq!(BigUint::from(q) * BigUint::from(d) + BigUint::from(r), big(n_high, n_low));
    }
}
