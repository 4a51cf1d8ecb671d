//! Floating point in software: every operation becomes a call of `compiler_builtins`.

use anyhow::Result;

use super::Lowering;
use crate::ir::{Builder, FloatPredicate, IntPredicate, Kind, Opcode, Type, Value};

/// The intrinsics that have a function of the same meaning in the mathematics of `compiler_builtins` (f64 name).
const MATHEMATICS: &[(&str, &str)] = &[
    ("llvm.ceil", "ceil"),
    ("llvm.cos", "cos"),
    ("llvm.exp", "exp"),
    ("llvm.exp2", "exp2"),
    ("llvm.floor", "floor"),
    ("llvm.fma", "fma"),
    ("llvm.fmuladd", "fma"),
    ("llvm.log", "log"),
    ("llvm.log10", "log10"),
    ("llvm.log2", "log2"),
    ("llvm.maximum", "fmaximum"),
    ("llvm.maximumnum", "fmaximum_num"),
    ("llvm.maxnum", "fmax"),
    ("llvm.minimum", "fminimum"),
    ("llvm.minimumnum", "fminimum_num"),
    ("llvm.minnum", "fmin"),
    ("llvm.nearbyint", "rint"),
    ("llvm.pow", "pow"),
    ("llvm.rint", "rint"),
    ("llvm.round", "round"),
    ("llvm.roundeven", "roundeven"),
    ("llvm.sin", "sin"),
    ("llvm.sqrt", "sqrt"),
    ("llvm.trunc", "trunc"),
];

/// The functions that the lowering may call, which have to survive until it has run.
pub fn runtime_functions() -> Vec<String> {
    let mut names: Vec<String> =
        ["__udivti3", "__umodti3", "__divti3", "__modti3", "__extendsfdf2", "__truncdfsf2", "__powidf2", "__powisf2"]
            .map(String::from)
            .to_vec();
    names.extend(["fmod", "fmodf", "ldexp", "ldexpf"].map(String::from));
    for float in ["df", "sf"] {
        names.extend(["add", "sub", "mul", "div"].map(|op| format!("__{op}{float}3")));
        names.extend(["eq", "ne", "lt", "le", "gt", "ge", "unord"].map(|test| format!("__{test}{float}2")));
        for int in ["di", "ti"] {
            names.extend(["", "un"].map(|sign| format!("__float{sign}{int}{float}")));
            names.extend(["", "uns"].map(|sign| format!("__fix{sign}{float}{int}")));
        }
    }
    for (_, function) in MATHEMATICS {
        names.extend(["", "f"].map(|suffix| format!("{function}{suffix}")));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The value that takes the place of a floating-point instruction. `None` leaves the instruction as it is.
pub(super) fn expand(lowering: &Lowering, b: &Builder, instruction: Value) -> Result<Option<Value>> {
    let ty = instruction.ty();
    let operand = || instruction.operand(0);
    let soft_source = || operand().ty().is_soft_float();
    Ok(match instruction.opcode() {
        Opcode::LLVMFCmp if soft_source() => {
            let (x, y) = (operand(), instruction.operand(1));
            Some(compare(lowering, b, instruction.float_predicate(), x, y))
        }
        Opcode::LLVMUIToFP if ty.is_soft_float() => from_int(lowering, b, operand(), ty, false),
        Opcode::LLVMSIToFP if ty.is_soft_float() => from_int(lowering, b, operand(), ty, true),
        Opcode::LLVMFPToUI if soft_source() => to_int(lowering, b, operand(), ty, false),
        Opcode::LLVMFPToSI if soft_source() => to_int(lowering, b, operand(), ty, true),
        Opcode::LLVMFPExt if soft_source() && ty.kind() == Kind::Double => {
            Some(lowering.runtime_call(b, "__extendsfdf2", ty, &[operand()]))
        }
        Opcode::LLVMFPTrunc if soft_source() && ty.kind() == Kind::Float => {
            Some(lowering.runtime_call(b, "__truncdfsf2", ty, &[operand()]))
        }
        Opcode::LLVMCall => intrinsic(lowering, b, instruction, ty),
        op if ty.is_soft_float() => {
            arithmetic(op, ty).map(|name| lowering.runtime_call(b, &name, ty, &[operand(), instruction.operand(1)]))
        }
        _ => None,
    })
}

/// The part of a function's name in `compiler_builtins` that says the type.
fn suffix(ty: Type) -> &'static str {
    if ty.kind() == Kind::Double { "df" } else { "sf" }
}

/// The name of a C mathematics function for the type: `pow`, `powf`.
fn for_type(name: &str, ty: Type) -> String {
    if ty.kind() == Kind::Double { name.to_owned() } else { format!("{name}f") }
}

fn arithmetic(op: Opcode, ty: Type) -> Option<String> {
    let name = match op {
        Opcode::LLVMFAdd => "add",
        Opcode::LLVMFSub => "sub",
        Opcode::LLVMFMul => "mul",
        Opcode::LLVMFDiv => "div",
        Opcode::LLVMFRem => return Some(for_type("fmod", ty)),
        _ => return None,
    };
    Some(format!("__{name}{}3", suffix(ty)))
}

fn intrinsic(lowering: &Lowering, b: &Builder, call: Value, ty: Type) -> Option<Value> {
    let name = call.intrinsic()?;
    match name {
        "llvm.fptoui.sat" => return to_int_saturating(lowering, b, call.arg(0), ty, false),
        "llvm.fptosi.sat" => return to_int_saturating(lowering, b, call.arg(0), ty, true),
        _ if !ty.is_soft_float() => return None,
        "llvm.powi" => {
            let function = if ty.kind() == Kind::Double { "__powidf2" } else { "__powisf2" };
            return Some(lowering.runtime_call(b, function, ty, &call.args()));
        }
        _ => {}
    }
    let (_, function) = MATHEMATICS.iter().find(|(intrinsic, _)| *intrinsic == name)?;
    Some(lowering.runtime_call(b, &for_type(function, ty), ty, &call.args()))
}

/// The width in which `compiler_builtins` converts, and its name there.
fn conversion_width(lowering: &Lowering, width: u32) -> Option<(Type, &'static str)> {
    match width {
        0..=64 => Some((lowering.i64, "di")),
        65..=128 => Some((lowering.i128, "ti")),
        _ => None,
    }
}

fn from_int(lowering: &Lowering, b: &Builder, x: Value, ty: Type, signed: bool) -> Option<Value> {
    let (work, name) = conversion_width(lowering, x.ty().int_width()?)?;
    let (x, sign) = if signed { (b.sext(x, work), "") } else { (b.zext(x, work), "un") };
    Some(lowering.runtime_call(b, &format!("__float{sign}{name}{}", suffix(ty)), ty, &[x]))
}

/// Conversion in 64 or 128 bits: `compiler_builtins` saturates there, and gives zero for NaN.
fn to_work(lowering: &Lowering, b: &Builder, x: Value, ty: Type, signed: bool) -> Option<Value> {
    let (work, name) = conversion_width(lowering, ty.int_width()?)?;
    let sign = if signed { "" } else { "uns" };
    Some(lowering.runtime_call(b, &format!("__fix{sign}{}{name}", suffix(x.ty())), work, &[x]))
}

fn to_int(lowering: &Lowering, b: &Builder, x: Value, ty: Type, signed: bool) -> Option<Value> {
    Some(b.trunc(to_work(lowering, b, x, ty, signed)?, ty))
}

/// Rust's `as`: clamped to what the type can hold.
fn to_int_saturating(lowering: &Lowering, b: &Builder, x: Value, ty: Type, signed: bool) -> Option<Value> {
    let width = ty.int_width()?;
    if !x.ty().is_soft_float() || (65..128).contains(&width) {
        return None;
    }
    let wide = to_work(lowering, b, x, ty, signed)?;
    if width >= 64 {
        return Some(wide);
    }
    let largest = lowering.i64.int((1 << (width - u32::from(signed))) - 1);
    if !signed {
        let above = b.compare(IntPredicate::LLVMIntUGT, wide, largest);
        return Some(b.trunc(b.select(above, largest, wide), ty));
    }
    let smallest = lowering.i64.int((1_u64 << (width - 1)).wrapping_neg());
    let above = b.compare(IntPredicate::LLVMIntSGT, wide, largest);
    let clamped = b.select(above, largest, wide);
    let below = b.compare(IntPredicate::LLVMIntSLT, clamped, smallest);
    Some(b.trunc(b.select(below, smallest, clamped), ty))
}

/// A comparison. The functions return a number that stands to zero as the first operand to the second, and that makes
/// every ordered comparison with NaN false; the unordered predicates are the opposites of the ordered ones.
fn compare(lowering: &Lowering, b: &Builder, predicate: FloatPredicate, x: Value, y: Value) -> Value {
    use FloatPredicate::*;
    let test = |name: &str, to_zero: IntPredicate| {
        let result = lowering.runtime_call(b, &format!("__{name}{}2", suffix(x.ty())), lowering.i64, &[x, y]);
        b.compare(to_zero, result, result.ty().null())
    };
    let opposite = |predicate| b.not(compare(lowering, b, predicate, x, y));
    match predicate {
        LLVMRealOEQ => test("eq", IntPredicate::LLVMIntEQ),
        LLVMRealUNE => test("ne", IntPredicate::LLVMIntNE),
        LLVMRealOLT => test("lt", IntPredicate::LLVMIntSLT),
        LLVMRealOLE => test("le", IntPredicate::LLVMIntSLE),
        LLVMRealOGT => test("gt", IntPredicate::LLVMIntSGT),
        LLVMRealOGE => test("ge", IntPredicate::LLVMIntSGE),
        LLVMRealUNO => test("unord", IntPredicate::LLVMIntNE),
        LLVMRealORD => test("unord", IntPredicate::LLVMIntEQ),
        LLVMRealONE => b.and(test("unord", IntPredicate::LLVMIntEQ), test("ne", IntPredicate::LLVMIntNE)),
        LLVMRealUEQ => opposite(LLVMRealONE),
        LLVMRealUGT => opposite(LLVMRealOLE),
        LLVMRealUGE => opposite(LLVMRealOLT),
        LLVMRealULT => opposite(LLVMRealOGE),
        LLVMRealULE => opposite(LLVMRealOGT),
        LLVMRealPredicateTrue => lowering.bool.int(1),
        LLVMRealPredicateFalse => lowering.bool.int(0),
    }
}
