//! Calls with more arguments than registers, and returns wider than one.
//!
//! BPF passes arguments in five registers and returns one. A function whose type needs more gets another type: what
//! does not fit is stored into a struct on the caller's stack whose address is the last argument, and a wide result is
//! written where the first argument points. The new type follows from the old one alone, so that calls through
//! pointers and through trait objects agree with the functions they reach.

use anyhow::Result;

use super::Lowering;
use crate::ir::{Builder, Kind, Module, Type, Value};

const REGISTERS: u64 = 5;

/// How a function type is passed after the lowering.
struct Shape {
    ty: Type,
    returns_by_pointer: bool,
    /// The leading parameters that stay as they are.
    kept: u32,
    /// The struct that carries the other parameters.
    spill: Option<Type>,
}

/// The registers that a value of the type takes.
fn slots(ty: Type) -> u64 {
    match ty.kind() {
        Kind::Void => 0,
        Kind::Int(width) => u64::from(width.div_ceil(64)),
        Kind::Struct => ty.fields().into_iter().map(slots).sum(),
        Kind::Array => ty.array_length() * slots(ty.element()),
        _ => 1,
    }
}

fn needs_lowering(ty: Type) -> bool {
    let params: u64 = ty.params().into_iter().map(slots).sum();
    !ty.is_vararg() && (params > REGISTERS || slots(ty.return_type()) > 1)
}

impl Shape {
    fn of(lowering: &Lowering, ty: Type) -> Shape {
        let returns_by_pointer = slots(ty.return_type()) > 1;
        let mut params = if returns_by_pointer { vec![lowering.pointer] } else { Vec::new() };
        let mut used = u64::from(returns_by_pointer);
        let total = used + ty.params().into_iter().map(slots).sum::<u64>();
        // One register is for the address of the struct, if there is one.
        let available = if total > REGISTERS { REGISTERS - 1 } else { REGISTERS };
        let mut spilled = Vec::new();
        let mut kept = 0;
        for param in ty.params() {
            if spilled.is_empty() && used + slots(param) <= available {
                used += slots(param);
                params.push(param);
                kept += 1;
            } else {
                spilled.push(param);
            }
        }
        let spill = (!spilled.is_empty()).then(|| lowering.module.struct_type(&spilled));
        params.extend(spill.map(|_| lowering.pointer));
        let result = if returns_by_pointer { lowering.void } else { ty.return_type() };
        Shape { ty: Type::function(result, &params), returns_by_pointer, kept, spill }
    }

    fn spilled_count(&self) -> u32 {
        self.spill.map_or(0, |ty| ty.fields().len() as u32)
    }
}

/// The parameter attribute `sret` means a calling convention of its own, which BPF does not have.
pub(super) fn forget_struct_returns(module: &Module) {
    for function in module.functions() {
        for index in 1..=function.param_count() {
            function.remove_param_attribute(index, "sret");
        }
        for call in function.instructions().into_iter().filter(|i| i.is_call()) {
            for index in 1..=call.args().len() as u32 {
                call.call_remove_param_attribute(index, "sret");
            }
        }
    }
}

/// Rewrites all calls, then all functions, of types that need it.
pub(super) fn lower_calls(lowering: &Lowering) -> Result<()> {
    let functions: Vec<Value> = lowering
        .module
        .functions()
        .into_iter()
        .filter(|f| !f.is_intrinsic_function() && needs_lowering(f.function_type()))
        .collect();
    for function in lowering.module.functions() {
        for call in function.instructions().into_iter().filter(|i| is_affected_call(*i)) {
            lower_call(lowering, function, call);
        }
    }
    for function in functions {
        lower_function(lowering, function)?;
    }
    Ok(())
}

fn is_affected_call(instruction: Value) -> bool {
    instruction.is_call()
        && !instruction.callee().is_inline_asm()
        && instruction.intrinsic().is_none()
        && needs_lowering(instruction.call_type())
}

fn lower_call(lowering: &Lowering, caller: Value, call: Value) {
    let module = lowering.module;
    let shape = Shape::of(lowering, call.call_type());
    let b = module.before(call);
    let mut args = Vec::new();
    let result_slot = shape.returns_by_pointer.then(|| module.stack_slot(caller, call.ty()));
    if let Some(slot) = result_slot {
        lifetime(lowering, &b, "llvm.lifetime.start", slot);
        args.push(slot);
    }
    args.extend((0..shape.kept).map(|index| call.arg(index)));
    let spill_slot = shape.spill.map(|ty| {
        let slot = module.stack_slot(caller, ty);
        lifetime(lowering, &b, "llvm.lifetime.start", slot);
        for index in 0..shape.spilled_count() {
            b.store(call.arg(shape.kept + index), b.field_address(ty, slot, index));
        }
        slot
    });
    args.extend(spill_slot);
    let new = b.call(shape.ty, call.callee(), &args);
    new.copy_call_convention(call);
    if call.call_has_attribute("noreturn") {
        new.call_add_attribute(module, "noreturn");
    }
    if let Some(slot) = spill_slot {
        lifetime(lowering, &b, "llvm.lifetime.end", slot);
    }
    let result = result_slot.map_or(new, |slot| {
        let loaded = b.load(call.ty(), slot);
        lifetime(lowering, &b, "llvm.lifetime.end", slot);
        loaded
    });
    if call.ty() != lowering.void {
        call.replace_all_uses(result);
    }
    call.erase();
}

/// Marks where a slot is in use, so that slots of different calls can share their place in the frame.
fn lifetime(lowering: &Lowering, b: &Builder, marker: &str, slot: Value) {
    b.call_function(lowering.module.intrinsic(marker, &[lowering.pointer]), &[slot]);
}

fn lower_function(lowering: &Lowering, old: Value) -> Result<()> {
    let module = lowering.module;
    let shape = Shape::of(lowering, old.function_type());
    let name = old.name();
    old.set_name("");
    let new = module.add_function(&name, shape.ty)?;
    new.copy_linkage(old);
    for attribute in ["noinline", "noreturn", "nounwind"] {
        new.copy_attribute(old, attribute);
    }
    for attribute in ["target-features", "target-cpu"] {
        new.copy_text_attribute(old, attribute);
    }
    old.replace_all_uses(new);
    if !old.is_declaration() {
        move_body(lowering, &shape, old, new);
    }
    old.delete_function();
    Ok(())
}

fn move_body(lowering: &Lowering, shape: &Shape, old: Value, new: Value) {
    let module = lowering.module;
    new.take_body(old);
    let first_param = u32::from(shape.returns_by_pointer);
    for index in 0..shape.kept {
        old.param(index).replace_all_uses(new.param(index + first_param));
    }
    let start = new.blocks().first().and_then(|entry| entry.first());
    if let (Some(ty), Some(start)) = (shape.spill, start) {
        let b = module.before(start);
        let spill = new.param(new.param_count() - 1);
        for index in 0..shape.spilled_count() {
            let param = old.param(shape.kept + index);
            if param.has_uses() {
                param.replace_all_uses(b.load(param.ty(), b.field_address(ty, spill, index)));
            }
        }
    }
    if shape.returns_by_pointer {
        for block in new.blocks() {
            if let Some(ret) = block.terminator().filter(|t| t.opcode() == crate::ir::Opcode::LLVMRet) {
                let b = module.before(ret);
                b.store(ret.operand(0), new.param(0));
                b.ret_void();
                ret.erase();
            }
        }
    }
}
