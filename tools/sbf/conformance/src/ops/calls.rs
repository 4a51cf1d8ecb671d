//! Calls that do not fit the registers: many arguments, wide ones, wide results, through pointers and traits.

use super::operations;
use crate::{Input, Output};

#[derive(Clone, Copy)]
struct Position {
    collateral: u128,
    debt: u64,
    index: u32,
    open: bool,
}

impl Position {
    fn draw(i: &mut Input) -> Position {
        Position { collateral: i.u128(), debt: i.u64(), index: i.u32(), open: i.bool() }
    }

    fn put(self, o: &mut Output) {
        o.put((self.collateral, self.debt, self.index));
        o.put(self.open);
    }
}

#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "that is what is tested")]
fn eight(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64, h: u64) -> u64 {
    a ^ b.rotate_left(1)
        ^ c.rotate_left(2)
        ^ d.rotate_left(3)
        ^ e.rotate_left(4)
        ^ f.rotate_left(5)
        ^ g.rotate_left(6)
        ^ h.rotate_left(7)
}

#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "that is what is tested")]
fn mixed(a: u128, b: u8, c: i128, d: bool, e: u64, f: f64, g: i16, h: u128, j: char) -> (u128, i128, u64) {
    let sum = a.wrapping_add(h).wrapping_add(u128::from(b));
    let rest = c.wrapping_sub(i128::from(g)).wrapping_mul(if d { 3 } else { -5 });
    (sum, rest, e ^ f.to_bits() ^ u64::from(u32::from(j)))
}

/// Exactly as many registers as there are, in several ways.
#[inline(never)]
fn five(a: u64, b: u128, c: u64, d: u8) -> u64 {
    a.wrapping_add(b as u64).wrapping_add((b >> 64) as u64).wrapping_mul(c | 1) ^ u64::from(d)
}

#[inline(never)]
fn returns_wide(a: u128, b: u128) -> u128 {
    a.wrapping_mul(b) ^ (a >> 3)
}

#[inline(never)]
fn returns_result(a: u128, b: u128) -> Result<u128, (u64, [u8; 3])> {
    a.checked_mul(b).ok_or((a as u64, [b as u8, 1, 2]))
}

#[inline(never)]
fn returns_struct(p: Position, by: u64) -> Position {
    Position { collateral: p.collateral.rotate_left(by as u32), debt: p.debt.wrapping_mul(by), ..p }
}

#[inline(never)]
fn returns_array(a: u64, b: u64) -> [u64; 4] {
    [a, b, a.wrapping_add(b), a ^ b]
}

#[inline(never)]
fn returns_option(a: i128, b: i128) -> Option<(i128, u64)> {
    a.checked_div(b).map(|q| (q, a.wrapping_rem(b) as u64))
}

/// By C's calling convention, in which what is wider than a register goes by pointer.
#[inline(never)]
extern "C" fn c_convention(a: u128, b: u64, c: i128, d: Wide) -> Wide {
    Wide { a: a.wrapping_add(d.a), b: b ^ d.b, c: c.wrapping_neg(), d: d.d.wrapping_add(1) }
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Wide {
    a: u128,
    b: u64,
    c: i128,
    d: u8,
}

#[inline(never)]
fn recursive(n: u32, a: u128, b: u64, c: u64, path: &mut Vec<u64>) -> u128 {
    path.push(c ^ u64::from(n));
    match n {
        0 => a,
        _ if n & 1 == 0 => recursive(n - 1, a.wrapping_mul(u128::from(b) | 1), c, b, path),
        _ => other_half(n - 1, a.wrapping_add(u128::from(c)), b, c, b ^ c, a as u64, path),
    }
}

#[inline(never)]
fn other_half(n: u32, a: u128, b: u64, c: u64, d: u64, e: u64, path: &mut Vec<u64>) -> u128 {
    if n == 0 { a ^ u128::from(d) } else { recursive(n - 1, a ^ u128::from(e), c, b ^ d, path) }
}

fn fibonacci(n: u32) -> u128 {
    if n < 2 { u128::from(n) } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

trait Rate {
    fn rate(&self, a: u128, b: i128, c: u64, d: u64, e: u8) -> Result<(u128, i128), u64>;
    fn change(&mut self, by: u128) -> u128;
    fn name(&self) -> &'static str {
        "unnamed"
    }
}

struct Linear(u128);
struct Kinked {
    low: u64,
    high: u128,
}
struct Fixed;

impl Rate for Linear {
    fn rate(&self, a: u128, b: i128, c: u64, d: u64, e: u8) -> Result<(u128, i128), u64> {
        Ok((self.0.wrapping_mul(a), b.wrapping_add(i128::from(c ^ d) << e.min(60))))
    }
    fn change(&mut self, by: u128) -> u128 {
        self.0 = self.0.wrapping_add(by);
        self.0
    }
    fn name(&self) -> &'static str {
        "linear"
    }
}

impl Rate for Kinked {
    fn rate(&self, a: u128, b: i128, c: u64, d: u64, e: u8) -> Result<(u128, i128), u64> {
        if c > self.low { Err(c.wrapping_sub(d)) } else { Ok((a ^ self.high, b >> (e & 127))) }
    }
    fn change(&mut self, by: u128) -> u128 {
        self.high ^= by;
        self.high.rotate_left(self.low as u32)
    }
}

impl Rate for Fixed {
    fn rate(&self, a: u128, _: i128, _: u64, _: u64, _: u8) -> Result<(u128, i128), u64> {
        Err(a as u64)
    }
    fn change(&mut self, by: u128) -> u128 {
        by
    }
}

type Combine = fn(u128, u128, u64, u64) -> (u128, u64);

const COMBINE: [Combine; 4] = [
    |a, b, c, d| (a.wrapping_add(b), c ^ d),
    |a, b, c, d| (a.wrapping_sub(b), c.wrapping_add(d)),
    |a, b, c, d| (a.wrapping_mul(b), c | d),
    |a, b, c, d| (a.checked_rem(b).unwrap_or(7), c & d),
];

#[inline(never)]
fn apply(f: &dyn Fn(u128, u64, u64, u64, i128) -> (u64, u128), a: u128, b: u64) -> (u64, u128) {
    f(a, b, b.rotate_left(9), !b, a as i128)
}

operations! {
    super::PANICS => |i, o| {
        let large = u64::MAX - i.u64() % 4;
        o.put(if cfg!(target_os = "solana") { large + 4 } else { large.wrapping_add(4) })
    };
    "eight arguments" => |i, o| {
        o.put(eight(i.u64(), i.u64(), i.u64(), i.u64(), i.u64(), i.u64(), i.u64(), i.u64()))
    };
    "nine arguments of mixed types" => |i, o| {
        let letter = char::from_u32(i.u32() % 0xd000).unwrap_or('?');
        o.put(mixed(i.u128(), i.u8(), i.i128(), i.bool(), i.u64(), i.f64(), i.i16(), i.u128(), letter))
    };
    "five registers of arguments" => |i, o| o.put(five(i.u64(), i.u128(), i.u64(), i.u8()));
    "u128 results" => |i, o| o.put(returns_wide(i.u128(), i.u128()));
    "Result of u128" => |i, o| {
        match returns_result(i.u128(), i.u128()) {
            Ok(value) => o.put(value),
            Err((word, bytes)) => o.put((word, bytes)),
        }
    };
    "struct results" => |i, o| returns_struct(Position::draw(i), i.u64()).put(o);
    "array results" => |i, o| o.put(returns_array(i.u64(), i.u64()));
    "Option of a tuple" => |i, o| o.put(returns_option(i.i128(), i.i128()));
    "C calling convention" => |i, o| {
        let wide = Wide { a: i.u128(), b: i.u64(), c: i.i128(), d: i.u8() };
        let back = c_convention(i.u128(), i.u64(), i.i128(), wide);
        o.put((back.a, back.b, back.c));
        o.put(back.d)
    };
    "recursion" => |i, o| {
        let mut path = Vec::new();
        o.put(recursive(i.below(30) as u32, i.u128(), i.u64(), i.u64(), &mut path));
        path.into_iter().for_each(|step| o.put(step))
    };
    "recursion in two branches" => |i, o| o.put(fibonacci(i.below(12) as u32));
    "trait objects" => |i, o| {
        let mut rates: Vec<Box<dyn Rate>> =
            vec![Box::new(Linear(i.u128())), Box::new(Kinked { low: i.u64(), high: i.u128() }), Box::new(Fixed)];
        for _ in 0..4 {
            let rate = &mut rates[i.below(3)];
            o.put(rate.change(i.u128()));
            o.put(rate.rate(i.u128(), i.i128(), i.u64(), i.u64(), i.u8()));
            o.put(rate.name());
        }
    };
    "function pointers" => |i, o| {
        let which = i.below(4);
        o.put(COMBINE[which](i.u128(), i.u128(), i.u64(), i.u64()))
    };
    "closures as trait objects" => |i, o| {
        let (x, y) = (i.u128(), i.u64());
        o.put(apply(&|a, b, c, d, e| ((a ^ x) as u64 ^ b, x.wrapping_add(e as u128) ^ u128::from(c ^ d ^ y)), i.u128(), y));
        o.put(apply(&|a, b, _, d, _| (b ^ d, a.rotate_left(7)), i.u128(), y))
    };
    "iterators" => |i, o| {
        let numbers: Vec<u128> = (0..i.below(20)).map(|_| i.u128()).collect();
        o.put(numbers.iter().filter(|x| **x & 1 == 1).map(|x| x >> 7).fold(0, u128::wrapping_add));
        o.put(numbers.windows(2).filter(|w| w[0] > w[1]).count());
        o.put(numbers.iter().copied().reduce(|a, b| a.wrapping_mul(3) ^ b))
    };
}
