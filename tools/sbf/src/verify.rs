//! The last look at a module before code generation.
//!
//! The back end rejects what it does not know with a message that names no function, and some of it it would compile
//! wrongly. So this check knows what the back end handles and refuses everything else, by the name of the function.

use std::collections::HashSet;
use std::fmt;

use sbpf_common::syscalls::REGISTERED_SYSCALLS;

use crate::ir::{Kind, Module, Opcode, Type, Value};
use crate::lower::INLINE_BYTES;
use crate::symbols::demangle;

/// Why a function cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    pub function: String,
    pub reason: String,
}

impl Refusal {
    pub fn new(function: Value, reason: impl Into<String>) -> Self {
        Self::named(&function.name(), reason)
    }

    pub fn named(symbol: &str, reason: impl Into<String>) -> Self {
        Refusal { function: demangle(symbol), reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.function, self.reason)
    }
}

/// What has to be refused before the lowering, because the lowering would lose sight of it.
pub fn check_source(module: &Module) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for function in defined(module) {
        let tail_calls = function.instructions().into_iter().any(|i| i.is_call() && i.is_must_tail());
        if tail_calls {
            refusals.push(Refusal::new(function, "makes a guaranteed tail call (musttail), which SBPF cannot do"));
        }
    }
    refusals
}

/// What is left in the lowered module that the back end would reject or miscompile.
pub fn check_lowered(module: &Module) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for function in defined(module) {
        check_signature(function, &mut refusals);
        let entry = function.blocks().first().copied();
        for instruction in function.instructions() {
            let reason = if instruction.opcode() == Opcode::LLVMAlloca && Some(instruction.block()) != entry {
                Some("takes stack memory in a loop or a branch, which needs a frame of variable size".to_owned())
            } else {
                check_instruction(instruction)
            };
            refusals.extend(reason.map(|reason| Refusal::new(function, reason)));
        }
    }
    check_globals(module, &mut refusals);
    check_declarations(module, &mut refusals);
    let mut seen = HashSet::new();
    refusals.retain(|refusal| seen.insert(refusal.clone()));
    refusals
}

fn defined(module: &Module) -> impl Iterator<Item = Value> {
    module.functions().into_iter().filter(|f| !f.is_declaration())
}

fn check_signature(function: Value, refusals: &mut Vec<Refusal>) {
    if function.function_type().is_vararg() {
        refusals.push(Refusal::new(function, "takes a variable number of arguments"));
    }
    for index in 1..=function.param_count() {
        for attribute in ["byval", "inalloca", "preallocated", "swiftself", "swifterror", "swiftasync", "nest"] {
            if function.has_param_attribute(index, attribute) {
                refusals.push(Refusal::new(function, format!("takes an argument with the attribute {attribute}")));
            }
        }
    }
}

/// A global that the program would have to write to, or that is not there.
fn check_globals(module: &Module, refusals: &mut Vec<Refusal>) {
    for global in module.global_variables() {
        let problem = if global.is_declaration() {
            "which is not defined anywhere in the program"
        } else if global.is_thread_local() {
            "which is thread-local: a program has no threads"
        } else if !global.is_constant_global() {
            "which can be written to: SBPF loads no writable data, keep state in accounts"
        } else {
            continue;
        };
        let name = demangle(&global.name());
        for function in functions_using(global) {
            refusals.push(Refusal::new(function, format!("uses the global `{name}`, {problem}")));
        }
    }
}

/// A function that is only declared can be a system call that is called, and nothing else.
fn check_declarations(module: &Module, refusals: &mut Vec<Refusal>) {
    for callee in module.functions().into_iter().filter(|f| f.is_declaration() && !f.is_intrinsic_function()) {
        let symbol = callee.name();
        let is_system_call = REGISTERED_SYSCALLS.contains(&symbol.as_str());
        if is_system_call && callee.users().into_iter().all(|user| is_call_of(user, callee)) {
            continue;
        }
        let name = demangle(&symbol);
        for function in functions_using(callee) {
            let reason = if is_system_call {
                format!("takes the address of the system call `{name}`, which has none")
            } else {
                format!("calls `{name}`, which neither the program nor Solana's system calls define")
            };
            refusals.push(Refusal::new(function, reason));
        }
    }
}

fn is_call_of(user: Value, callee: Value) -> bool {
    user.is_instruction() && user.is_call() && user.callee() == callee && !user.args().contains(&callee)
}

/// The functions whose code leads to a value, through constants and tables if need be.
fn functions_using(value: Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![value];
    while let Some(one) = pending.pop() {
        for user in one.users() {
            if user.is_instruction() {
                let function = user.block().function();
                if !found.contains(&function) {
                    found.push(function);
                }
            } else if seen.insert(user) {
                pending.push(user);
            }
        }
    }
    found
}

/// The first type inside a type for which SBPF has neither instructions nor soft float.
fn unsupported_type(ty: Type) -> Option<Type> {
    match ty.kind() {
        Kind::Vector | Kind::OtherFloat => Some(ty),
        Kind::Struct => ty.fields().into_iter().find_map(unsupported_type),
        Kind::Array => unsupported_type(ty.element()),
        _ => None,
    }
}

fn check_instruction(instruction: Value) -> Option<String> {
    if instruction.is_call() {
        return check_call(instruction);
    }
    let operands = (0..instruction.operand_count()).map(|index| instruction.operand(index).ty());
    if let Some(ty) = std::iter::once(instruction.ty()).chain(operands).find_map(unsupported_type) {
        return Some(format!("uses the type {ty}"));
    }
    check_opcode(instruction)
}

fn check_opcode(instruction: Value) -> Option<String> {
    use Opcode::*;
    let ty = instruction.ty();
    let width = ty.int_width().unwrap_or(0);
    match instruction.opcode() {
        LLVMRet | LLVMBr | LLVMSwitch | LLVMUnreachable | LLVMFNeg | LLVMAdd | LLVMSub | LLVMAnd | LLVMOr | LLVMXor
        | LLVMGetElementPtr | LLVMTrunc | LLVMZExt | LLVMSExt | LLVMPtrToInt | LLVMPtrToAddr | LLVMIntToPtr
        | LLVMBitCast | LLVMICmp | LLVMPHI | LLVMSelect | LLVMExtractValue | LLVMInsertValue | LLVMFreeze => None,
        LLVMLoad | LLVMStore => instruction.is_atomic().then(|| "accesses memory atomically".to_owned()),
        LLVMAlloca => {
            (!instruction.operand(0).is_const_int()).then(|| "takes stack memory of variable size".to_owned())
        }
        LLVMMul | LLVMUDiv | LLVMURem => (width > 64).then(|| arithmetic(instruction, ty)),
        LLVMShl | LLVMLShr | LLVMAShr => {
            (width > 64 && !instruction.operand(1).is_const_int()).then(|| arithmetic(instruction, ty))
        }
        LLVMFCmp | LLVMFPToUI | LLVMFPToSI => Some(arithmetic(instruction, instruction.operand(0).ty())),
        _ => Some(arithmetic(instruction, ty)),
    }
}

/// The name of the operation as LLVM writes it: `sdiv`, `fadd`, `landingpad`.
fn arithmetic(instruction: Value, ty: Type) -> String {
    let name = format!("{:?}", instruction.opcode()).trim_start_matches("LLVM").to_lowercase();
    format!("uses the operation {name} on {ty}, which cannot be lowered to SBPF")
}

fn check_call(call: Value) -> Option<String> {
    if call.callee().is_inline_asm() {
        return (!call.callee().is_empty_inline_asm()).then(|| "uses inline assembly".to_owned());
    }
    let args = call.args();
    let types = std::iter::once(call.ty()).chain(args.iter().map(|arg| arg.ty()));
    let unsupported = types.clone().find_map(unsupported_type);
    if let Some(name) = call.intrinsic() {
        let known = unsupported.is_none() && check_intrinsic(name, &args);
        let ty = unsupported.or_else(|| args.first().map(|arg| arg.ty())).unwrap_or_else(|| call.ty());
        return (!known).then(|| format!("uses the LLVM intrinsic {name} on {ty}, which cannot be lowered to SBPF"));
    }
    if let Some(ty) = unsupported {
        return Some(format!("passes or returns the type {ty}"));
    }
    call.call_type().is_vararg().then(|| "passes a variable number of arguments".to_owned())
}

/// Whether the back end handles the intrinsic for these arguments.
fn check_intrinsic(name: &str, args: &[Value]) -> bool {
    let width = args.first().and_then(|arg| arg.ty().int_width()).unwrap_or(0);
    let constant = |index: usize| args.get(index).is_some_and(|arg: &Value| arg.is_const_int());
    match name {
        "llvm.assume"
        | "llvm.donothing"
        | "llvm.expect"
        | "llvm.experimental.noalias.scope.decl"
        | "llvm.invariant.end"
        | "llvm.invariant.start"
        | "llvm.lifetime.end"
        | "llvm.lifetime.start"
        | "llvm.sideeffect" => true,
        // Bit operations, which need no arithmetic on the number.
        "llvm.fabs" | "llvm.copysign" | "llvm.is.fpclass" => true,
        "llvm.abs"
        | "llvm.bitreverse"
        | "llvm.bswap"
        | "llvm.ctlz"
        | "llvm.ctpop"
        | "llvm.cttz"
        | "llvm.smax"
        | "llvm.smin"
        | "llvm.umax"
        | "llvm.umin"
        | "llvm.scmp"
        | "llvm.ucmp"
        | "llvm.sadd.sat"
        | "llvm.ssub.sat"
        | "llvm.uadd.sat"
        | "llvm.usub.sat"
        | "llvm.sadd.with.overflow"
        | "llvm.ssub.with.overflow"
        | "llvm.uadd.with.overflow"
        | "llvm.usub.with.overflow" => width <= 128,
        "llvm.fshl" | "llvm.fshr" => width <= 64 || constant(2),
        "llvm.smul.with.overflow" | "llvm.umul.with.overflow" => width <= 32,
        "llvm.memcpy" | "llvm.memcpy.inline" | "llvm.memmove" | "llvm.memset" | "llvm.memset.inline" => {
            args.get(2).and_then(|length| length.const_u64()).is_some_and(|bytes| bytes <= INLINE_BYTES)
        }
        _ => false,
    }
}
