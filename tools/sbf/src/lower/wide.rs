//! Integer arithmetic that a 64-bit machine without a high multiplication has to compose.
//!
//! Division of 128-bit numbers goes to `compiler_builtins`; everything else is written out, in 64-bit limbs.

use anyhow::Result;

use super::Lowering;
use crate::ir::{Builder, IntPredicate, Opcode, Type, Value};

/// One limb, in bits.
const LIMB: u32 = 64;

/// Multiplication, division and shifts. `None` leaves the instruction as it is.
pub(super) fn expand_binary(lowering: &Lowering, b: &Builder, instruction: Value, width: u32) -> Result<Option<Value>> {
    let op = instruction.opcode();
    let (x, y) = (instruction.operand(0), instruction.operand(1));
    let is_shift = matches!(op, Opcode::LLVMShl | Opcode::LLVMLShr | Opcode::LLVMAShr);
    if is_shift && y.is_const_int() {
        return Ok(None);
    }
    Ok(match (width, op) {
        (0..=64, Opcode::LLVMSDiv | Opcode::LLVMSRem) => Some(signed_division(lowering, b, instruction)),
        (0..=64, _) => None,
        (65..=127, _) => Some(widened(b, op, x, y, lowering.i128)),
        (128, Opcode::LLVMMul) => Some(b.call_function(multiply_128(lowering)?, &[x, y])),
        (128, Opcode::LLVMUDiv) => Some(lowering.runtime_call(b, "__udivti3", lowering.i128, &[x, y])),
        (128, Opcode::LLVMURem) => Some(lowering.runtime_call(b, "__umodti3", lowering.i128, &[x, y])),
        (128, Opcode::LLVMSDiv) => Some(lowering.runtime_call(b, "__divti3", lowering.i128, &[x, y])),
        (128, Opcode::LLVMSRem) => Some(lowering.runtime_call(b, "__modti3", lowering.i128, &[x, y])),
        (128, _) => Some(shift_128(lowering, b, op, x, y)),
        (_, Opcode::LLVMMul) if width.is_multiple_of(LIMB) => {
            Some(b.call_function(multiply_limbs(lowering, width)?, &[x, y]))
        }
        (_, Opcode::LLVMMul) => {
            let wide = lowering.module.int_type(width.next_multiple_of(LIMB));
            Some(widened(b, op, x, y, wide))
        }
        _ => None,
    })
}

/// The intrinsics on integers that the back end knows only for narrow ones.
pub(super) fn expand_intrinsic(lowering: &Lowering, b: &Builder, call: Value) -> Result<Option<Value>> {
    match call.intrinsic() {
        Some("llvm.fshl") => Ok(funnel_shift(b, call, true)),
        Some("llvm.fshr") => Ok(funnel_shift(b, call, false)),
        Some(_) => expand_overflow(lowering, b, call),
        None => Ok(None),
    }
}

/// `llvm.fshl` and `llvm.fshr` of 128 bits by a variable distance: what Rust's `rotate_left` becomes.
fn funnel_shift(b: &Builder, call: Value, left: bool) -> Option<Value> {
    let (upper, lower, distance) = (call.arg(0), call.arg(1), call.arg(2));
    if call.ty().int_width() != Some(128) || distance.is_const_int() {
        return None;
    }
    let last = call.ty().int(127);
    let within = b.and(distance, last);
    let rest = b.sub(last, within);
    Some(if left {
        b.or(b.shl(upper, within), b.lshr(b.lshr_by(lower, 1), rest))
    } else {
        b.or(b.shl(b.shl_by(upper, 1), rest), b.lshr(lower, within))
    })
}

/// `llvm.umul.with.overflow` and `llvm.smul.with.overflow` above 32 bits; below, the back end knows them.
fn expand_overflow(lowering: &Lowering, b: &Builder, call: Value) -> Result<Option<Value>> {
    let signed = match call.intrinsic() {
        Some("llvm.umul.with.overflow") => false,
        Some("llvm.smul.with.overflow") => true,
        _ => return Ok(None),
    };
    let narrow = call.arg(0).ty();
    let work = match narrow.int_width() {
        Some(33..=64) => lowering.i64,
        Some(65..=128) => lowering.i128,
        _ => return Ok(None),
    };
    let extend = |value| if signed { b.sext(value, work) } else { b.zext(value, work) };
    let (x, y) = (extend(call.arg(0)), extend(call.arg(1)));
    let (product, mut overflow) =
        if signed { signed_overflow(lowering, b, x, y)? } else { unsigned_overflow(lowering, b, x, y)? };
    if narrow != work {
        let fits = b.equal(extend(b.trunc(product, narrow)), product);
        overflow = b.or(overflow, b.not(fits));
    }
    let pair = b.insert(call.ty().poison(), b.trunc(product, narrow), 0);
    Ok(Some(b.insert(pair, overflow, 1)))
}

/// The operation in a wider type; the low bits of the result are the same.
fn widened(b: &Builder, op: Opcode, x: Value, y: Value, wide: Type) -> Value {
    let narrow = x.ty();
    let signed = matches!(op, Opcode::LLVMSDiv | Opcode::LLVMSRem);
    let x = if signed || op == Opcode::LLVMAShr { b.sext(x, wide) } else { b.zext(x, wide) };
    // A shift distance is unsigned whatever is shifted.
    let y = if signed { b.sext(y, wide) } else { b.zext(y, wide) };
    b.trunc(b.binary(op, x, y), narrow)
}

fn low(lowering: &Lowering, b: &Builder, x: Value) -> Value {
    b.trunc(x, lowering.i64)
}

fn high(lowering: &Lowering, b: &Builder, x: Value) -> Value {
    b.trunc(b.lshr_by(x, 64), lowering.i64)
}

fn join(lowering: &Lowering, b: &Builder, low: Value, high: Value) -> Value {
    b.or(b.zext(low, lowering.i128), b.shl_by(b.zext(high, lowering.i128), 64))
}

/// All bits the sign of `x`.
fn sign(b: &Builder, x: Value) -> Value {
    b.ashr_by(x, u64::from(x.ty().int_width().unwrap_or(1)) - 1)
}

/// `-x` where `sign` is all ones, `x` where it is zero.
fn negate_if(b: &Builder, x: Value, sign: Value) -> Value {
    b.sub(b.xor(x, sign), sign)
}

/// The full 128-bit product of two limbs, low and high, from four 32-bit products.
fn full_product(b: &Builder, x: Value, y: Value) -> (Value, Value) {
    let half = x.ty().int(0xffff_ffff);
    let (x0, x1) = (b.and(x, half), b.lshr_by(x, 32));
    let (y0, y1) = (b.and(y, half), b.lshr_by(y, 32));
    let lowest = b.mul(x0, y0);
    let middle = b.add(b.mul(x1, y0), b.lshr_by(lowest, 32));
    let other = b.add(b.mul(x0, y1), b.and(middle, half));
    let high = b.add(b.add(b.mul(x1, y1), b.lshr_by(middle, 32)), b.lshr_by(other, 32));
    (b.mul(x, y), high)
}

fn multiply_128(lowering: &Lowering) -> Result<Value> {
    let i128 = lowering.i128;
    lowering.helper("__sbf_mul128", i128, &[i128, i128], |b, args| {
        let (xl, xh) = (low(lowering, b, args[0]), high(lowering, b, args[0]));
        let (yl, yh) = (low(lowering, b, args[1]), high(lowering, b, args[1]));
        let (l, h) = full_product(b, xl, yl);
        let cross = b.add(b.mul(xl, yh), b.mul(xh, yl));
        join(lowering, b, l, b.add(h, cross))
    })
}

/// Schoolbook multiplication of numbers of more than two limbs.
fn multiply_limbs(lowering: &Lowering, width: u32) -> Result<Value> {
    let ty = lowering.module.int_type(width);
    let count = (width / LIMB) as usize;
    lowering.helper(&format!("__sbf_mul{width}"), ty, &[ty, ty], |b, args| {
        let limb = |x: Value, i: usize| b.trunc(b.lshr_by(x, i as u64 * u64::from(LIMB)), lowering.i64);
        let x: Vec<Value> = (0..count).map(|i| limb(args[0], i)).collect();
        let y: Vec<Value> = (0..count).map(|i| limb(args[1], i)).collect();
        let mut result = vec![lowering.i64.int(0); count];
        for i in 0..count {
            let mut carry = lowering.i64.int(0);
            for j in 0..count - i {
                let (l, h) = full_product(b, x[i], y[j]);
                let sum = b.add(result[i + j], l);
                let first = b.zext(b.below(sum, l), lowering.i64);
                let total = b.add(sum, carry);
                let second = b.zext(b.below(total, carry), lowering.i64);
                result[i + j] = total;
                carry = b.add(h, b.add(first, second));
            }
        }
        result
            .into_iter()
            .enumerate()
            .fold(ty.null(), |all, (i, limb)| b.or(all, b.shl_by(b.zext(limb, ty), i as u64 * u64::from(LIMB))))
    })
}

/// A shift by a distance that is known only at run time.
fn shift_128(lowering: &Lowering, b: &Builder, op: Opcode, x: Value, distance: Value) -> Value {
    let (l, h) = (low(lowering, b, x), high(lowering, b, x));
    let distance = low(lowering, b, distance);
    let last = lowering.i64.int(63);
    let crosses = b.compare(IntPredicate::LLVMIntUGT, distance, last);
    let within = b.and(distance, last);
    // What moves from one limb to the other is shifted by one and then by 63 - distance: never by 64 at once.
    let rest = b.sub(last, within);
    if op == Opcode::LLVMShl {
        let shifted = b.shl(l, within);
        let mixed = b.or(b.shl(h, within), b.lshr(b.lshr_by(l, 1), rest));
        return join(lowering, b, b.select(crosses, lowering.i64.int(0), shifted), b.select(crosses, shifted, mixed));
    }
    let arithmetic = op == Opcode::LLVMAShr;
    let mixed = b.or(b.lshr(l, within), b.shl(b.shl_by(h, 1), rest));
    let shifted = if arithmetic { b.ashr(h, within) } else { b.lshr(h, within) };
    let fill = if arithmetic { b.ashr_by(h, 63) } else { lowering.i64.int(0) };
    join(lowering, b, b.select(crosses, shifted, mixed), b.select(crosses, fill, shifted))
}

/// Signed division up to 64 bits, by the unsigned division of the absolute values.
fn signed_division(lowering: &Lowering, b: &Builder, instruction: Value) -> Value {
    let x = b.sext(instruction.operand(0), lowering.i64);
    let y = b.sext(instruction.operand(1), lowering.i64);
    let (x_sign, y_sign) = (sign(b, x), sign(b, y));
    let (x, y) = (negate_if(b, x, x_sign), negate_if(b, y, y_sign));
    let result = if instruction.opcode() == Opcode::LLVMSDiv {
        negate_if(b, b.udiv(x, y), b.xor(x_sign, y_sign))
    } else {
        negate_if(b, b.urem(x, y), x_sign)
    };
    b.trunc(result, instruction.ty())
}

/// Product and overflow of two unsigned 64-bit or 128-bit numbers.
fn unsigned_overflow(lowering: &Lowering, b: &Builder, x: Value, y: Value) -> Result<(Value, Value)> {
    if x.ty() == lowering.i64 {
        let product = b.mul(x, y);
        return Ok((product, overflowed(b, x, y, product)));
    }
    let pair = b.call_function(overflow_128(lowering)?, &[x, y]);
    Ok((b.extract(pair, 0), b.extract(pair, 1)))
}

/// Whether `product`, the low half of `x * y`, is not all of it: a division costs one compute unit.
fn overflowed(b: &Builder, x: Value, y: Value, product: Value) -> Value {
    let zero = b.equal(x, x.ty().int(0));
    let divisor = b.select(zero, x.ty().int(1), x);
    b.and(b.not(zero), b.not_equal(b.udiv(product, divisor), y))
}

fn overflow_128(lowering: &Lowering) -> Result<Value> {
    let i128 = lowering.i128;
    let pair = lowering.module.struct_type(&[i128, lowering.bool]);
    lowering.helper("__sbf_umulo128", pair, &[i128, i128], |b, args| {
        let (xl, xh) = (low(lowering, b, args[0]), high(lowering, b, args[0]));
        let (yl, yh) = (low(lowering, b, args[1]), high(lowering, b, args[1]));
        let zero = lowering.i64.int(0);
        let (l, h) = full_product(b, xl, yl);
        let x_is_small = b.equal(xh, zero);
        let both_large = b.and(b.not(x_is_small), b.not_equal(yh, zero));
        // All of it, because the wrapped product counts too; if at most one number has a high limb, one part is zero.
        let cross = b.add(b.mul(xl, yh), b.mul(xh, yl));
        let large = b.select(x_is_small, yh, xh);
        let small = b.select(x_is_small, xl, yl);
        let cross_overflows = overflowed(b, large, small, cross);
        let top = b.add(h, cross);
        let carries = b.below(top, h);
        let overflow = b.or(both_large, b.or(cross_overflows, carries));
        b.insert(b.insert(pair.poison(), join(lowering, b, l, top), 0), overflow, 1)
    })
}

/// Product and overflow of two signed numbers, from those of the absolute values.
fn signed_overflow(lowering: &Lowering, b: &Builder, x: Value, y: Value) -> Result<(Value, Value)> {
    let (x_sign, y_sign) = (sign(b, x), sign(b, y));
    let result_sign = b.xor(x_sign, y_sign);
    let (magnitude, too_large) = unsigned_overflow(lowering, b, negate_if(b, x, x_sign), negate_if(b, y, y_sign))?;
    let product = negate_if(b, magnitude, result_sign);
    // It also overflows if a nonzero product does not have the sign it should have.
    let nonzero = b.not_equal(product, product.ty().null());
    let wrong_sign = b.and(nonzero, b.not_equal(sign(b, product), result_sign));
    Ok((product, b.or(too_large, wrong_sign)))
}
