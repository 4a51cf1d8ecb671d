//! Integer arithmetic in all widths and in all of Rust's ways of treating overflow.

use super::Operation;
use crate::Input;

/// A distance that may be too far: shifts have forms for that.
fn distance(i: &mut Input) -> u32 {
    if i.below(8) == 0 { i.u32() } else { i.below(130) as u32 }
}

macro_rules! both {
    ($ty:ident) => {
        &[
            Operation {
                name: concat!(stringify!($ty), " add"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.checked_add(b), a.wrapping_add(b), a.overflowing_add(b)));
                    o.put(a.saturating_add(b));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " sub"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.checked_sub(b), a.wrapping_sub(b), a.overflowing_sub(b)));
                    o.put((a.saturating_sub(b), a.abs_diff(b)));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " mul"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.checked_mul(b), a.wrapping_mul(b), a.overflowing_mul(b)));
                    o.put(a.saturating_mul(b));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " div"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.checked_div(b), a.checked_div_euclid(b)));
                    if b != 0 {
                        o.put((a.wrapping_div(b), a.overflowing_div(b), a.saturating_div(b)));
                    }
                },
            },
            Operation {
                name: concat!(stringify!($ty), " rem"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.checked_rem(b), a.checked_rem_euclid(b)));
                    if b != 0 {
                        o.put((a.wrapping_rem(b), a.overflowing_rem(b)));
                    }
                },
            },
            Operation {
                name: concat!(stringify!($ty), " div by constants"),
                run: |i, o| {
                    let a = i.$ty();
                    o.put([a / 3, a / 7, a / 10, a / 100, a % 3, a % 7, a % 10, a % 100, a / 64, a % 64]);
                },
            },
            Operation {
                name: concat!(stringify!($ty), " shl"),
                run: |i, o| {
                    let (a, by) = (i.$ty(), distance(i));
                    o.put((a.checked_shl(by), a.wrapping_shl(by), a.overflowing_shl(by)));
                    o.put(a.unbounded_shl(by));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " shr"),
                run: |i, o| {
                    let (a, by) = (i.$ty(), distance(i));
                    o.put((a.checked_shr(by), a.wrapping_shr(by), a.overflowing_shr(by)));
                    o.put(a.unbounded_shr(by));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " rotate"),
                run: |i, o| {
                    let (a, by) = (i.$ty(), distance(i));
                    o.put((a.rotate_left(by), a.rotate_right(by), a.rotate_left(13)));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " neg"),
                run: |i, o| {
                    let a = i.$ty();
                    o.put((a.checked_neg(), a.wrapping_neg(), a.overflowing_neg()));
                    o.put(!a);
                },
            },
            Operation {
                name: concat!(stringify!($ty), " pow"),
                run: |i, o| {
                    let (a, by) = (i.$ty(), i.below(20) as u32);
                    o.put((a.checked_pow(by), a.wrapping_pow(by), a.overflowing_pow(by)));
                    o.put(a.saturating_pow(by));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " bits"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put([a.count_ones(), a.leading_zeros(), a.trailing_zeros(), a.leading_ones(), a.trailing_ones()]);
                    o.put([a.swap_bytes(), a.reverse_bits(), a & b, a | b, a ^ b, a & !b]);
                    o.put((&a.to_be_bytes()[..], &a.to_le_bytes()[..]));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " compare"),
                run: |i, o| {
                    let (a, b) = (i.$ty(), i.$ty());
                    o.put((a.cmp(&b), a.min(b), a.max(b)));
                    o.put([a < b, a <= b, a > b, a >= b, a == b, a != b]);
                    o.put(a.clamp(a.min(b), a.max(b)));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " logarithms"),
                run: |i, o| {
                    let a = i.$ty();
                    o.put((a.checked_ilog2(), a.checked_ilog10(), a.checked_ilog(3)));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " convert"),
                run: |i, o| {
                    let a = i.$ty();
                    o.put((u8::try_from(a).ok(), u16::try_from(a).ok(), u32::try_from(a).ok()));
                    o.put((u64::try_from(a).ok(), i64::try_from(a).ok(), i128::try_from(a).ok()));
                    o.put((i8::try_from(a).ok(), i32::try_from(a).ok(), u128::try_from(a).ok()));
                    o.put((a as i8, a as u32, a as i128));
                },
            },
            Operation {
                name: concat!(stringify!($ty), " sums"),
                run: |i, o| {
                    let numbers = [i.$ty(), i.$ty(), i.$ty(), i.$ty(), i.$ty(), i.$ty()];
                    o.put(numbers.iter().try_fold(0, |sum: $ty, x| sum.checked_add(*x)));
                    o.put(numbers.iter().fold(1, |product: $ty, x| product.wrapping_mul(*x)));
                    o.put((numbers.iter().min().copied(), numbers.iter().max().copied()));
                },
            },
        ]
    };
}

/// Joins tables, which closures in them keep from being built by a function.
macro_rules! tables {
    ($visibility:vis $name:ident: $($ty:ident)+) => {
        $visibility const $name: &[Operation] = {
            const TABLES: &[&[Operation]] = &[$(both!($ty)),+];
            const COUNT: usize = {
                let (mut count, mut at) = (0, 0);
                while at < TABLES.len() {
                    count += TABLES[at].len();
                    at += 1;
                }
                count
            };
            const ALL: [Operation; COUNT] = {
                let mut all = [const { Operation { name: "", run: |_, _| {} } }; COUNT];
                let (mut table, mut place) = (0, 0);
                while table < TABLES.len() {
                    let mut row = 0;
                    while row < TABLES[table].len() {
                        all[place] = Operation { name: TABLES[table][row].name, run: TABLES[table][row].run };
                        place += 1;
                        row += 1;
                    }
                    table += 1;
                }
                all
            };
            &ALL
        };
    };
}

tables!(pub(super) UNSIGNED: u8 u16 u32 u64 u128);
tables!(pub(super) SIGNED: i8 i16 i32 i64 i128);

/// A 256-bit product as the compiler makes it, which is a multiplication of that width.
fn wide_product(a: u128, b: u128, c: u128, d: u128) -> (u128, u128) {
    a.carrying_mul_add(b, c, d)
}

/// The same product by 64-bit limbs, as a program would write it.
fn limb_product(a: u128, b: u128) -> (u128, u128) {
    let (a0, a1, b0, b1) = (a as u64, (a >> 64) as u64, b as u64, (b >> 64) as u64);
    let product = |x: u64, y: u64| u128::from(x) * u128::from(y);
    let middle = product(a0, b0) >> 64;
    let first = product(a1, b0) + middle;
    let second = product(a0, b1) + u128::from(first as u64);
    let low = second << 64 | u128::from(product(a0, b0) as u64);
    (low, product(a1, b1) + (first >> 64) + (second >> 64))
}

/// `a * b / c` as fixed-point code has it.
fn mul_div(a: u128, b: u64, c: u64) -> Option<u128> {
    a.checked_mul(u128::from(b))?.checked_div(u128::from(c))
}

pub(super) const WIDE: &[Operation] = &[
    Operation {
        name: "256-bit mul",
        run: |i, o| {
            let (a, b, c, d) = (i.u128(), i.u128(), i.u128(), i.u128());
            o.put(wide_product(a, b, c, d));
            o.put(limb_product(a, b));
        },
    },
    Operation {
        name: "u64 to u128 mul",
        run: |i, o| {
            let (a, b, c) = (i.u64(), i.u64(), i.u64());
            o.put(u128::from(a) * u128::from(b));
            o.put(a.carrying_mul(b, c));
            o.put(i128::from(a as i64) * i128::from(b as i64));
        },
    },
    Operation {
        name: "carries",
        run: |i, o| {
            let (a, b, c) = (i.u64(), i.u64(), i.bool());
            o.put((a.carrying_add(b, c), a.borrowing_sub(b, c)));
            let (a, b) = (i.u128(), i.u128());
            o.put((a.carrying_add(b, c), a.borrowing_sub(b, c)));
        },
    },
    Operation {
        name: "mul then div",
        run: |i, o| {
            let (a, b, c) = (i.u128(), i.u64(), i.u64());
            o.put(mul_div(a, b, c));
            o.put(mul_div(a >> 64, b, c));
        },
    },
    Operation {
        name: "integer roots",
        run: |i, o| {
            o.put((i.u64().isqrt(), i.u128().isqrt(), i.i64().checked_isqrt()));
        },
    },
    Operation {
        name: "mixed signs",
        run: |i, o| {
            let (a, b) = (i.u128(), i.i128());
            o.put((a.checked_add_signed(b), a.wrapping_add_signed(b), a.saturating_add_signed(b)));
            o.put((b.unsigned_abs(), b.checked_abs(), b.signum()));
            let (a, b) = (i.u64(), i.i64());
            o.put((a.checked_add_signed(b), a.overflowing_add_signed(b), b.checked_sub_unsigned(a)));
        },
    },
    Operation {
        name: "powers of two and multiples",
        run: |i, o| {
            let (a, b) = (i.u128(), i.u64());
            o.put((a.checked_next_power_of_two(), b.checked_next_power_of_two(), a.is_power_of_two()));
            o.put((a.checked_next_multiple_of(u128::from(b)), b.checked_next_multiple_of(7)));
            if b != 0 {
                o.put((a.div_ceil(u128::from(b)), (a as u64).div_ceil(b)));
            }
        },
    },
];
