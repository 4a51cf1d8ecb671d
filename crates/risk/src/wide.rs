//! Products and quotients with a 256-bit intermediate, from 64-bit multiplications and divisions.
//!
//! SBPF has no 128-bit instruction and no high half of a 64-bit product, but divides in one compute unit. What a health
//! check costs depends on the shape of these functions; the measured alternatives stand in
//! `docs/decisions/0002-wide-multiplication.md`.
//!
//! A *word* is 64 bits, a *digit* half of one. Names carry the place: `x1` is above `x0`.

const DIGIT: u32 = 32;
const DIGIT_MASK: u64 = 0xffff_ffff;

#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // keeps the low half, on purpose
pub(crate) const fn low(x: u128) -> u64 {
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

/// `(n / d, n % d)`; the callers have excluded `d == 0`.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects)]
const fn div_rem_64(n: u64, d: u64) -> (u64, u64) {
    (n / d, n % d)
}

/// `a * b`, exactly, as its high and its low word.
///
/// The low word is put together from digits, although `a * b` would be it: with that, LLVM recognizes a 128-bit
/// multiplication and calls a function for it.
#[inline(always)]
const fn mul_words(a: u64, b: u64) -> (u64, u64) {
    let (a1, a0, b1, b0) = (a >> DIGIT, a & DIGIT_MASK, b >> DIGIT, b & DIGIT_MASK);
    // A product of two digits and two more digits fit a word: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
    let p00 = a0.wrapping_mul(b0);
    let p10 = a1.wrapping_mul(b0).wrapping_add(p00 >> DIGIT);
    let p01 = a0.wrapping_mul(b1).wrapping_add(p10 & DIGIT_MASK);
    let p11 = a1.wrapping_mul(b1).wrapping_add(p10 >> DIGIT).wrapping_add(p01 >> DIGIT);
    (p11, (p01 << DIGIT) | (p00 & DIGIT_MASK))
}

/// `a * b`, exactly.
#[inline]
pub(crate) const fn mul_64(a: u64, b: u64) -> u128 {
    let (high, low) = mul_words(a, b);
    join(high, low)
}

/// `a * b / 2^64`, rounded down: the product of two numbers below 1 that have 64 fractional bits.
#[inline(always)]
pub(crate) const fn mul_high(a: u64, b: u64) -> u64 {
    mul_words(a, b).0
}

/// `a * b`, exactly, as its high word and its low 128 bits.
#[inline(always)]
pub(crate) const fn mul_by_word(a: u128, b: u64) -> (u64, u128) {
    let p0 = mul_64(low(a), b);
    if high(a) == 0 {
        return (0, p0);
    }
    // A product of two words and one more word fit 128 bits.
    let p1 = mul_64(high(a), b).wrapping_add(high(p0) as u128);
    (high(p1), join(low(p1), low(p0)))
}

/// `a * b`, exactly, as its high and its low 128 bits.
pub(crate) const fn mul(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0, b1, b0) = (high(a), low(a), high(b), low(b));
    if a1 == 0 || b1 == 0 {
        let (high, low) = if b1 == 0 { mul_by_word(a, b0) } else { mul_by_word(b, a0) };
        return (high as u128, low);
    }
    let (p00, p01, p10) = (mul_64(a0, b0), mul_64(a0, b1), mul_64(a1, b0));
    // Three terms below 2^64 cannot overflow 128 bits; nor can the high word of a product of two 128-bit numbers.
    let middle = (high(p00) as u128).wrapping_add(low(p01) as u128).wrapping_add(low(p10) as u128);
    let top = mul_64(a1, b1)
        .wrapping_add(high(p01) as u128)
        .wrapping_add(high(p10) as u128)
        .wrapping_add(high(middle) as u128);
    (top, join(low(middle), low(p00)))
}

/// `a * b / 2^SHIFT`, rounded down. `None` when it does not fit 128 bits.
#[inline]
pub(crate) const fn mul_shr_floor<const SHIFT: u32>(a: u128, b: u128) -> Option<u128> {
    mul_shr::<SHIFT>(a, b, 0)
}

/// `a * b / 2^SHIFT`, rounded up. `None` when it does not fit 128 bits.
#[inline]
pub(crate) const fn mul_shr_ceil<const SHIFT: u32>(a: u128, b: u128) -> Option<u128> {
    mul_shr::<SHIFT>(a, b, (1u64 << SHIFT).wrapping_sub(1))
}

/// `(a * b + addend) / 2^SHIFT`, rounded down; `addend` is below `2^SHIFT`.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects)] // the shift's range is asserted
const fn mul_shr<const SHIFT: u32>(a: u128, b: u128, addend: u64) -> Option<u128> {
    const { assert!(0 < SHIFT && SHIFT < 64) };
    let (x, y) = if high(b) == 0 {
        (a, low(b))
    } else if high(a) == 0 {
        (b, low(a))
    } else {
        return mul_shr_full::<SHIFT>(a, b, addend);
    };
    // (2^64 - 1)^2 + 2^63 fits 128 bits, and so does a product of two words with another word added.
    let p0 = mul_64(low(x), y).wrapping_add(addend as u128);
    if high(x) == 0 {
        return Some(p0 >> SHIFT);
    }
    let p1 = mul_64(high(x), y).wrapping_add(high(p0) as u128);
    if high(p1) >> SHIFT != 0 {
        return None;
    }
    Some((p1 << (64 - SHIFT)) | (low(p0) >> SHIFT) as u128)
}

/// [`mul_shr`] for two numbers above 64 bits, which are rare: out of line, so that the others stay small.
#[inline(never)]
#[allow(clippy::arithmetic_side_effects)] // as above
const fn mul_shr_full<const SHIFT: u32>(a: u128, b: u128, addend: u64) -> Option<u128> {
    let (upper, lower) = mul(a, b);
    // (2^128 - 1)^2 + 2^63 fits 256 bits.
    let (lower, carry) = lower.overflowing_add(addend as u128);
    let upper = upper.wrapping_add(carry as u128);
    if upper >> SHIFT != 0 {
        return None;
    }
    Some((upper << (128 - SHIFT)) | (lower >> SHIFT))
}

/// `(quotient, remainder)` of a 128-bit number by a divisor of at most 32 bits. `None` when the divisor is zero.
#[inline]
pub(crate) const fn div_small(n: u128, divisor: u32) -> Option<(u128, u32)> {
    if divisor == 0 {
        return None;
    }
    let d = divisor as u64;
    let (n1, n0) = (high(n), low(n));
    let (q, r) = if n1 == 0 {
        let (q, r) = div_rem_64(n0, d);
        (q as u128, r)
    } else {
        // Each remainder is below 2^32, so that each partial dividend fits a word.
        let (q1, r) = div_rem_64(n1, d);
        let (q01, r) = div_rem_64((r << DIGIT) | (n0 >> DIGIT), d);
        let (q00, r) = div_rem_64((r << DIGIT) | (n0 & DIGIT_MASK), d);
        (join(q1, (q01 << DIGIT) | q00), r)
    };
    #[allow(clippy::cast_possible_truncation)] // a remainder is below its 32-bit divisor
    Some((q, r as u32))
}

/// `(quotient, remainder)` of the 256-bit number `high * 2^128 + low` by `divisor`.
///
/// `None` when the divisor is zero or the quotient does not fit 128 bits. Knuth, The Art of Computer Programming,
/// volume 2, 4.3.1, algorithm D: with words as digits, and each of their quotients by the same algorithm with halves.
pub(crate) const fn div(high_part: u128, low_part: u128, divisor: u128) -> Option<(u128, u128)> {
    if high_part >= divisor {
        return None; // covers a zero divisor too
    }
    let (u3, u2, u1, u0) = (high(high_part), low(high_part), high(low_part), low(low_part));
    let (d1, d0) = (high(divisor), low(divisor));
    // Normalize: shift both so that the divisor has its top bit set. The dividend cannot lose bits, as it is below
    // divisor * 2^128.
    if d1 == 0 {
        if u2 == 0 && u1 == 0 {
            let (q, r) = div_rem_64(u0, d0);
            return Some((q as u128, r as u128));
        }
        let shift = leading_zeros(d0);
        let d = shl(d0, 0, shift);
        let (q1, r) = div_2_by_1(shl(u2, u1, shift), shl(u1, u0, shift), d);
        let (q0, r) = div_2_by_1(r, shl(u0, 0, shift), d);
        return Some((join(q1, q0), r.wrapping_shr(shift) as u128));
    }
    let shift = leading_zeros(d1);
    let (d1, d0) = (shl(d1, d0, shift), shl(d0, 0, shift));
    let (u3, u2, u1, u0) = (shl(u3, u2, shift), shl(u2, u1, shift), shl(u1, u0, shift), shl(u0, 0, shift));
    let (q1, r) = div_3_by_2(u3, u2, u1, d1, d0);
    let (q0, r) = div_3_by_2(high(r), low(r), u0, d1, d0);
    Some((join(q1, q0), r.wrapping_shr(shift)))
}

/// The high word of `(x1 * 2^64 + x0) << shift`, `shift` in 0..=63.
#[inline(always)]
const fn shl(x1: u64, x0: u64, shift: u32) -> u64 {
    x1.wrapping_shl(shift) | (x0 >> 1).wrapping_shr(63 ^ shift)
}

/// Of a byte.
const LEADING_ZEROS: [u8; 256] = {
    let mut table = [8; 256];
    let mut byte: u8 = 255;
    while byte != 0 {
        #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)] // evaluated at compile time
        {
            table[byte as usize] = byte.leading_zeros() as u8;
        }
        byte = byte.wrapping_sub(1);
    }
    table
};

/// Those of a number that is not zero. SBPF cannot count them, and `u64::leading_zeros` becomes five times as long.
#[inline(always)]
#[allow(clippy::indexing_slicing)] // a byte is below 256
pub(crate) const fn leading_zeros(mut x: u64) -> u32 {
    let mut zeros = 0u32;
    while x >> 56 == 0 && zeros < 56 {
        zeros = zeros.wrapping_add(8);
        x <<= 8;
    }
    zeros.wrapping_add(LEADING_ZEROS[(x >> 56) as usize] as u32)
}

/// `(quotient, remainder)` of `n1 * 2^64 + n0` by `d`. The top bit of `d` is set, and `n1 < d`.
#[inline(always)]
const fn div_2_by_1(n1: u64, n0: u64, d: u64) -> (u64, u64) {
    if n1 == 0 {
        return div_rem_64(n0, d);
    }
    let (q1, r) = quotient_digit(n1, n0 >> DIGIT, d);
    let (q0, r) = quotient_digit(r, n0 & DIGIT_MASK, d);
    ((q1 << DIGIT) | q0, r)
}

/// `(quotient, remainder)` of `n * 2^32 + digit` by `d`. The top bit of `d` is set, and `n < d`.
#[inline(always)]
const fn quotient_digit(n: u64, digit: u64, d: u64) -> (u64, u64) {
    let (d1, d0) = (d >> DIGIT, d & DIGIT_MASK);
    // As the top bit of d is set, the estimate is at most two too large, and at most 2^32 + 1: q * d0 fits a word.
    // q * d0 > r * 2^32 + digit says exactly that q is too large; once r * 2^32 exceeds a word, it cannot be.
    let (mut q, mut r) = div_rem_64(n, d1);
    while r <= DIGIT_MASK && q.wrapping_mul(d0) > ((r << DIGIT) | digit) {
        q = q.wrapping_sub(1);
        r = r.wrapping_add(d1);
    }
    // Modulo 2^64, where the remainder fits.
    (q, ((n << DIGIT) | digit).wrapping_sub(q.wrapping_mul(d)))
}

/// `(quotient, remainder)` of `n2 * 2^128 + n1 * 2^64 + n0` by `d1 * 2^64 + d0`. The top bit of `d1` is set, and the
/// quotient fits a word.
const fn div_3_by_2(n2: u64, n1: u64, n0: u64, d1: u64, d0: u64) -> (u64, u128) {
    if n2 == 0 && n1 < d1 {
        return (0, join(n1, n0));
    }
    // As above; n2 can only be as large as d1 if the quotient's word is all ones, or one or two less.
    let (mut q, r, exceeds) = if n2 < d1 {
        let (q, r) = div_2_by_1(n2, n1, d1);
        (q, r, false)
    } else {
        let (r, exceeds) = n1.overflowing_add(d1);
        (u64::MAX, r, exceeds)
    };
    let product = mul_64(q, d0);
    let mut rest = join(r, n0);
    // What exceeds 128 bits exceeds the product.
    if !exceeds && product > rest {
        q = q.wrapping_sub(1);
        let (sum, exceeds) = rest.overflowing_add(join(d1, d0));
        rest = sum;
        if !exceeds && product > rest {
            q = q.wrapping_sub(1);
            rest = rest.wrapping_add(join(d1, d0));
        }
    }
    (q, rest.wrapping_sub(product))
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
        fn product_with_a_word_is_exact(a in any_width(), b in any_width()) {
            let b = low(b);
            let (high, low) = mul_by_word(a, b);
            prop_assert_eq!(big(u128::from(high), low), BigUint::from(a) * b);
            let of_words = BigUint::from(super::low(a)) * b;
            prop_assert_eq!(BigUint::from(mul_high(super::low(a), b)), &of_words >> 64u32);
            prop_assert_eq!(BigUint::from(mul_64(super::low(a), b)), of_words);
        }

        #[test]
        fn shifted_products_round_as_named(a in any_width(), b in any_width()) {
            fn check<const SHIFT: u32>(a: u128, b: u128) {
                let product = BigUint::from(a) * BigUint::from(b);
                let floor = &product >> SHIFT;
                let ceil = (product + ((1u64 << SHIFT) - 1)) >> SHIFT;
                assert_eq!(mul_shr_floor::<SHIFT>(a, b), u128::try_from(floor).ok());
                assert_eq!(mul_shr_ceil::<SHIFT>(a, b), u128::try_from(ceil).ok());
            }
            check::<1>(a, b);
            check::<36>(a, b);
            check::<60>(a, b);
            check::<63>(a, b);
        }

        #[test]
        fn rounding_up_carries_into_the_upper_half(n in 65u32..94) {
            // (2^n - 1) (2^n + 1) = 2^2n - 1, all ones.
            let (a, b) = ((1u128 << n) - 1, (1u128 << n) + 1);
            prop_assert_eq!(mul_shr_floor::<60>(a, b), Some((1 << (2 * n - 60)) - 1));
            prop_assert_eq!(mul_shr_ceil::<60>(a, b), Some(1 << (2 * n - 60)));
        }

        #[test]
        fn leading_zeros_are_counted(x in any_width()) {
            if low(x) != 0 {
                prop_assert_eq!(leading_zeros(low(x)), low(x).leading_zeros());
            }
        }

        /// Divisors and remainders at the edges of words, where the estimates of quotient digits go wrong.
        #[test]
        fn quotient_is_exact_near_multiples(q in any_width(), d in any_width(), less in 0u8..3) {
            if d != 0 {
                let (high, low) = mul(q, d);
                let (low, borrow) = low.overflowing_sub(u128::from(less));
                let high = high.wrapping_sub(u128::from(borrow));
                if let Some((quotient, rest)) = div(high, low, d) {
                    prop_assert!(rest < d);
                    prop_assert_eq!(BigUint::from(quotient) * BigUint::from(d) + BigUint::from(rest), big(high, low));
                }
            }
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

    /// Every branch of the division hangs on how words compare, so: all dividends and divisors of words at the edges.
    #[test]
    fn quotient_is_exact_at_edge_words() {
        const EDGES: [u64; 9] =
            [0, 1, 2, DIGIT_MASK, DIGIT_MASK + 1, u64::MAX >> 1, (u64::MAX >> 1) + 1, u64::MAX - 1, u64::MAX];
        let pairs: std::vec::Vec<u128> =
            EDGES.iter().flat_map(|&x1| EDGES.iter().map(move |&x0| join(x1, x0))).collect();
        for &d in &pairs {
            for &high in pairs.iter().filter(|high| **high < d) {
                for &low in &pairs {
                    let (q, r) = div(high, low, d).unwrap();
                    // Exact, as q * d + r is the dividend and r < d have one solution.
                    let (product_high, product_low) = mul(q, d);
                    let (sum, carry) = product_low.overflowing_add(r);
                    assert!(r < d);
                    assert_eq!((product_high + u128::from(carry), sum), (high, low), "{high:x} {low:x} / {d:x}");
                }
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
