//! Rewrites whole-program LLVM IR into what the upstream BPF back end can select for SBPF.
//!
//! The upstream back end serves the Linux kernel. It knows neither more than five argument registers nor return values
//! wider than one, neither 128-bit multiplication, division and variable shifts nor overflow-checked multiplication,
//! neither signed division nor floats. All of these are ordinary in Rust programs, so they are rewritten here, in IR,
//! before code generation: `wide` has the integers, `float` the floats, `mem` the memory functions and
//! `abi` the calls. What remains is checked by [`crate::verify`].

mod abi;
mod float;
mod mem;
mod wide;

pub use float::runtime_functions;
pub use mem::{FUNCTIONS as MEMORY_FUNCTIONS, INLINE_BYTES};

use std::cell::RefCell;

use anyhow::Result;

use crate::ir::{Builder, IntPredicate, Module, Opcode, Type, Value};
use crate::verify::Refusal;

/// Lowers every function of the module.
///
/// The result is to be optimized lightly and verified; it holds internal helpers named `__sbf_...`.
pub fn lower(module: &Module) -> Result<Vec<Refusal>> {
    let lowering = Lowering::new(module);
    mem::replace_memory_functions(&lowering)?;
    abi::forget_struct_returns(module);
    lowering.expand_all()?;
    abi::lower_calls(&lowering)?;
    Ok(lowering.refusals.into_inner())
}

/// What the parts of the lowering share.
struct Lowering<'m> {
    module: &'m Module,
    void: Type,
    pointer: Type,
    bool: Type,
    i32: Type,
    i64: Type,
    i128: Type,
    /// In a cell, so that the parts can hold the lowering while they report.
    refusals: RefCell<Vec<Refusal>>,
}

impl<'m> Lowering<'m> {
    fn new(module: &'m Module) -> Self {
        Lowering {
            module,
            void: module.void_type(),
            pointer: module.pointer_type(),
            bool: module.int_type(1),
            i32: module.int_type(32),
            i64: module.int_type(64),
            i128: module.int_type(128),
            refusals: RefCell::default(),
        }
    }

    /// Expands until nothing changes: what an expansion brings in may need expansion itself.
    fn expand_all(&self) -> Result<()> {
        loop {
            let mut changed = false;
            for function in self.module.functions() {
                for instruction in function.instructions() {
                    changed |= self.expand(instruction)?;
                }
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// Replaces one instruction if the back end does not know it.
    fn expand(&self, instruction: Value) -> Result<bool> {
        let builder = self.module.before(instruction);
        if let Some(result) = expand_kernel_marker(&builder, instruction) {
            replace(instruction, result);
            return Ok(true);
        }
        if let Some(result) = float::expand(self, &builder, instruction)? {
            replace(instruction, result);
            return Ok(true);
        }
        if let Some(result) = self.expand_integer(&builder, instruction)? {
            replace(instruction, result);
            return Ok(true);
        }
        if mem::expand(self, &builder, instruction)? || self.expand_trap(&builder, instruction)? {
            instruction.erase();
            return Ok(true);
        }
        Ok(false)
    }

    fn expand_integer(&self, builder: &Builder, instruction: Value) -> Result<Option<Value>> {
        if instruction.is_call() {
            return wide::expand_intrinsic(self, builder, instruction);
        }
        let binary = matches!(
            instruction.opcode(),
            Opcode::LLVMMul
                | Opcode::LLVMUDiv
                | Opcode::LLVMSDiv
                | Opcode::LLVMURem
                | Opcode::LLVMSRem
                | Opcode::LLVMShl
                | Opcode::LLVMLShr
                | Opcode::LLVMAShr
        );
        match instruction.ty().int_width() {
            Some(width) if binary => wide::expand_binary(self, builder, instruction, width),
            _ => Ok(None),
        }
    }

    /// A trap ends the program, which on Solana is the system call `abort`.
    fn expand_trap(&self, builder: &Builder, instruction: Value) -> Result<bool> {
        let is_trap = instruction.is_call()
            && matches!(instruction.intrinsic(), Some("llvm.trap" | "llvm.ubsantrap" | "llvm.debugtrap"));
        if is_trap {
            builder.call_function(self.system_call("abort", self.void, &[])?, &[]);
        }
        Ok(is_trap)
    }

    /// The declaration of one of Solana's system calls.
    fn system_call(&self, name: &str, result: Type, params: &[Type]) -> Result<Value> {
        match self.module.function(name) {
            Some(found) => Ok(found),
            None => self.module.add_function(name, Type::function(result, params)),
        }
    }

    /// A helper of this crate, written into the module when it is first needed.
    fn helper(
        &self,
        name: &str,
        result: Type,
        params: &[Type],
        body: impl FnOnce(&Builder, &[Value]) -> Value,
    ) -> Result<Value> {
        if let Some(found) = self.module.function(name) {
            return Ok(found);
        }
        let function = self.module.add_function(name, Type::function(result, params))?;
        function.make_internal();
        for attribute in ["noinline", "nounwind"] {
            function.add_attribute(self.module, attribute);
        }
        function.add_text_attribute(self.module, "no-builtins", "");
        let builder = self.module.start_body(function);
        let args: Vec<Value> = (0..function.param_count()).map(|index| function.param(index)).collect();
        builder.ret(body(&builder, &args));
        Ok(function)
    }

    /// Calls a function of Rust's `compiler_builtins`.
    ///
    /// Its `extern "C"` calling convention on BPF passes what is wider than a register by pointer, in both directions.
    /// A function that is not there makes the instruction's function impossible to build; a poison value takes the
    /// place of the result, so that the lowering can go on and report every such function at once.
    fn runtime_call(&self, builder: &Builder, name: &str, result: Type, args: &[Value]) -> Value {
        let Some(callee) = self.module.function(name) else {
            self.refuse(builder, format!("needs the function `{name}`, which the Rust library for SBPF does not have"));
            return result.poison();
        };
        let caller = builder.function();
        let params = callee.function_type().params();
        let mut passed = Vec::with_capacity(args.len() + 1);
        let slot = (callee.function_type().return_type() == self.void).then(|| self.module.stack_slot(caller, result));
        passed.extend(slot);
        for arg in args {
            let by_pointer = params.get(passed.len()) == Some(&self.pointer) && arg.ty() != self.pointer;
            passed.push(if by_pointer { self.spill(builder, caller, *arg) } else { *arg });
        }
        let direct = builder.call_function(callee, &passed);
        slot.map_or(direct, |slot| builder.load(result, slot))
    }

    /// Stores a value into a stack slot of the function and returns the address.
    fn spill(&self, builder: &Builder, function: Value, value: Value) -> Value {
        let slot = self.module.stack_slot(function, value.ty());
        builder.store(value, slot);
        slot
    }

    fn refuse(&self, builder: &Builder, reason: String) {
        self.refusals.borrow_mut().push(Refusal::new(builder.function(), reason));
    }
}

/// LLVM hides some comparisons from its own optimizations to please the Linux kernel's verifier.
fn expand_kernel_marker(builder: &Builder, instruction: Value) -> Option<Value> {
    if !instruction.is_call() {
        return None;
    }
    match instruction.intrinsic()? {
        "llvm.bpf.passthrough" => Some(instruction.arg(1)),
        "llvm.bpf.compare" => {
            let predicate = int_predicate(instruction.arg(0).const_u64()?)?;
            Some(builder.compare(predicate, instruction.arg(1), instruction.arg(2)))
        }
        _ => None,
    }
}

/// The predicate that LLVM stores as this number.
fn int_predicate(number: u64) -> Option<IntPredicate> {
    use IntPredicate::*;
    let all = [
        LLVMIntEQ, LLVMIntNE, LLVMIntUGT, LLVMIntUGE, LLVMIntULT, LLVMIntULE, LLVMIntSGT, LLVMIntSGE, LLVMIntSLT,
        LLVMIntSLE,
    ];
    all.into_iter().find(|predicate| *predicate as u64 == number)
}

fn replace(instruction: Value, with: Value) {
    instruction.replace_all_uses(with);
    instruction.erase();
}
