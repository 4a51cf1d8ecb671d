//! Floating point, which SBPF does in software.

use super::operations;

/// Functions that the host's C library computes with other errors than `compiler_builtins`: both sides use the same.
#[cfg(target_os = "solana")]
mod math {
    pub fn functions(x: f64, y: f64) -> [f64; 10] {
        [x.exp(), x.exp2(), x.ln(), x.log2(), x.log10(), x.powf(y), x.sin(), x.cos(), x.tan(), x.cbrt()]
    }

    pub fn functions_f32(x: f32, y: f32) -> [f32; 6] {
        [x.exp(), x.ln(), x.log2(), x.powf(y), x.sin(), x.cos()]
    }
}

#[cfg(not(target_os = "solana"))]
mod math {
    pub fn functions(x: f64, y: f64) -> [f64; 10] {
        use libm::*;
        [exp(x), exp2(x), log(x), log2(x), log10(x), pow(x, y), sin(x), cos(x), tan(x), cbrt(x)]
    }

    pub fn functions_f32(x: f32, y: f32) -> [f32; 6] {
        use libm::*;
        [expf(x), logf(x), log2f(x), powf(x, y), sinf(x), cosf(x)]
    }
}

/// The comparisons that are true of NaN.
#[expect(clippy::neg_cmp_op_on_partial_ord, clippy::double_comparisons, reason = "each is an operation of its own")]
fn unordered(x: f64, y: f64) -> [bool; 6] {
    [!(x < y), !(x <= y), !(x > y), !(x >= y), x.is_nan() || y.is_nan(), x < y || x > y]
}

/// Which zero is the smaller one is not specified.
fn without_sign_of_zero(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x }
}

macro_rules! from_integers {
    ($i:ident, $o:ident, $float:ident) => {{
        $o.put([$i.u8() as $float, $i.u16() as $float, $i.u32() as $float, $i.u64() as $float, $i.u128() as $float]);
        $o.put([$i.i8() as $float, $i.i16() as $float, $i.i32() as $float, $i.i64() as $float, $i.i128() as $float])
    }};
}

macro_rules! to_integers {
    ($i:ident, $o:ident, $float:ident) => {{
        let x = $i.$float();
        $o.put((x as u8, x as u16, x as u32));
        $o.put((x as u64, x as u128, x as i8));
        $o.put((x as i16, x as i32, x as i64));
        $o.put(x as i128)
    }};
}

operations! {
    "f64 add" => |i, o| o.put(i.f64() + i.f64());
    "f64 sub" => |i, o| o.put(i.f64() - i.f64());
    "f64 mul" => |i, o| o.put(i.f64() * i.f64());
    "f64 div" => |i, o| o.put(i.f64() / i.f64());
    "f64 rem" => |i, o| o.put((i.f64() % i.f64(), i.f64().rem_euclid(3.5)));
    "f64 compare" => |i, o| {
        let (x, y) = (i.f64(), if i.bool() { i.f64() } else { 1.0 });
        o.put([x < y, x <= y, x > y, x >= y, x == y, x != y]);
        o.put(unordered(x, y));
        o.put((x.partial_cmp(&y), x.total_cmp(&y)))
    };
    "f64 min and max" => |i, o| {
        let (x, y) = (i.f64(), i.f64());
        o.put([x.min(y), x.max(y)].map(without_sign_of_zero));
        o.put(x.clamp(-2.5, 1e9))
    };
    "f64 signs and kinds" => |i, o| {
        let (x, y) = (i.f64(), i.f64());
        o.put([-x, x.abs(), x.copysign(y), x.signum()]);
        o.put([x.is_nan(), x.is_infinite(), x.is_finite(), x.is_normal(), x.is_subnormal(), x.is_sign_negative()])
    };
    "f64 from integers" => |i, o| from_integers!(i, o, f64);
    "f64 to integers" => |i, o| to_integers!(i, o, f64);
    "f64 to f32 and back" => |i, o| o.put((i.f64() as f32, f64::from(i.f32())));
    "f64 roots and rounding" => |i, o| {
        let x = i.f64();
        o.put([x.sqrt(), x.floor(), x.ceil(), x.round(), x.trunc(), x.round_ties_even(), x.fract()])
    };
    "f64 fused multiplication" => |i, o| o.put(i.f64().mul_add(i.f64(), i.f64()));
    "f64 powi" => |i, o| o.put(i.f64().powi(i.below(40) as i32 - 20));
    "f64 functions" => |i, o| o.put(math::functions(i.f64(), i.f64()));
    "f64 polynomial" => |i, o| {
        let x = i.f64();
        o.put([3.0, -2.5, 0.125, 7.0, 1e-3].into_iter().fold(0.0, |sum, c| sum * x + c))
    };
    "f32 arithmetic" => |i, o| {
        let (x, y) = (i.f32(), i.f32());
        o.put([x + y, x - y, x * y, x / y, x % y])
    };
    "f32 compare" => |i, o| {
        let (x, y) = (i.f32(), i.f32());
        o.put([x < y, x <= y, x > y, x >= y, x == y, x != y]);
        o.put((x.partial_cmp(&y), x.total_cmp(&y)))
    };
    "f32 from integers" => |i, o| from_integers!(i, o, f32);
    "f32 to integers" => |i, o| to_integers!(i, o, f32);
    "f32 roots and rounding" => |i, o| {
        let x = i.f32();
        o.put([x.sqrt(), x.floor(), x.ceil(), x.round(), x.trunc(), x.abs(), -x])
    };
    "f32 fused multiplication" => |i, o| o.put(i.f32().mul_add(i.f32(), i.f32()));
    "f32 functions" => |i, o| o.put(math::functions_f32(i.f32(), i.f32()));
}
