//! Copying, filling and comparing memory.
//!
//! Solana has system calls for these. They cost a fixed ten compute units and more only for long ranges, so short
//! ranges of a known length stay with the back end, which writes them out as loads and stores.

use anyhow::Result;

use super::Lowering;
use crate::ir::{Builder, Type, Value};

/// Up to this length a copy or fill of known length is written out.
pub const INLINE_BYTES: u64 = 64;

/// The functions that compiled code calls by name.
pub const FUNCTIONS: [&str; 5] = ["memcpy", "memmove", "memset", "memcmp", "bcmp"];

/// Gives the C memory functions a body that is a system call, in place of the loops of `compiler_builtins`.
pub(super) fn replace_memory_functions(lowering: &Lowering) -> Result<()> {
    let (pointer, i32, i64) = (lowering.pointer, lowering.i32, lowering.i64);
    let copy = copy_call(lowering)?;
    let fill = fill_call(lowering)?;
    let compare = lowering.system_call("sol_memcmp_", lowering.void, &[pointer, pointer, i64, pointer])?;
    for name in ["memcpy", "memmove"] {
        define(lowering, name, Type::function(pointer, &[pointer, pointer, i64]), |b, args| {
            b.call_function(copy, args);
            args[0]
        })?;
    }
    define(lowering, "memset", Type::function(pointer, &[pointer, i32, i64]), |b, args| {
        b.call_function(fill, &[args[0], b.zext(args[1], i64), args[2]]);
        args[0]
    })?;
    for name in ["memcmp", "bcmp"] {
        define(lowering, name, Type::function(i32, &[pointer, pointer, i64]), |b, args| {
            let result = b.alloca(i32);
            b.store(i32.int(0), result);
            b.call_function(compare, &[args[0], args[1], args[2], result]);
            b.load(i32, result)
        })?;
    }
    Ok(())
}

/// Turns a memory intrinsic into a system call. Returns whether it did.
pub(super) fn expand(lowering: &Lowering, b: &Builder, instruction: Value) -> Result<bool> {
    if !instruction.is_call() {
        return Ok(false);
    }
    let Some(name) = instruction.intrinsic() else { return Ok(false) };
    let fills = name.starts_with("llvm.memset");
    if !fills && !name.starts_with("llvm.memcpy") && !name.starts_with("llvm.memmove") || name.contains("element") {
        return Ok(false);
    }
    let length = instruction.arg(2);
    if length.const_u64().is_some_and(|bytes| bytes <= INLINE_BYTES) {
        return Ok(false);
    }
    let wide = |value: Value| if value.ty() == lowering.i64 { value } else { b.zext(value, lowering.i64) };
    let (to, second) = (instruction.arg(0), instruction.arg(1));
    if fills {
        b.call_function(fill_call(lowering)?, &[to, wide(second), wide(length)]);
    } else {
        b.call_function(copy_call(lowering)?, &[to, second, wide(length)]);
    }
    Ok(true)
}

/// `sol_memcpy_` fails on ranges that overlap, which C's memcpy called by Rust may do when they are equal.
fn copy_call(lowering: &Lowering) -> Result<Value> {
    let params = [lowering.pointer, lowering.pointer, lowering.i64];
    lowering.system_call("sol_memmove_", lowering.void, &params)
}

fn fill_call(lowering: &Lowering) -> Result<Value> {
    lowering.system_call("sol_memset_", lowering.void, &[lowering.pointer, lowering.i64, lowering.i64])
}

/// Replaces a function, if the module has it, and defines it otherwise: code generation may still call it.
fn define(lowering: &Lowering, name: &str, ty: Type, body: impl FnOnce(&Builder, &[Value]) -> Value) -> Result<()> {
    let module = lowering.module;
    let old = module.function(name);
    if let Some(old) = old {
        old.set_name("");
    }
    let new = module.add_function(name, ty)?;
    new.make_internal();
    new.add_attribute(module, "noinline");
    new.add_text_attribute(module, "no-builtins", "");
    let builder = module.start_body(new);
    let args: Vec<Value> = (0..new.param_count()).map(|index| new.param(index)).collect();
    builder.ret(body(&builder, &args));
    if let Some(old) = old {
        old.replace_all_uses(new);
        old.delete_function();
    }
    Ok(())
}
