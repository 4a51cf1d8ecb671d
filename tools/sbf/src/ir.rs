//! A thin layer over LLVM's C API, so that the rest of the crate reads as what it does.
//!
//! [`Type`], [`Value`] and [`Block`] are plain handles. They belong to the [`Module`] they came from and are only used
//! while it lives; an instruction or function handle is not used again after [`Value::erase`] or
//! [`Value::delete_function`]. The passes of this crate keep to that by collecting handles first and editing afterwards.

use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Mutex, Once, PoisonError};

use anyhow::{Result, bail};
use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::comdat::LLVMSetComdat;
use llvm_sys::core::*;
use llvm_sys::debuginfo::LLVMStripModuleDebugInfo;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage};
use llvm_sys::ir_reader::LLVMParseIRInContext2;
use llvm_sys::linker::LLVMLinkModules2;
use llvm_sys::prelude::*;
use llvm_sys::support::LLVMParseCommandLineOptions;
use llvm_sys::target::*;
use llvm_sys::target_machine::*;
use llvm_sys::transforms::pass_builder::*;
use llvm_sys::{
    LLVMAttributeFunctionIndex, LLVMDiagnosticSeverity, LLVMLinkage, LLVMTailCallKind, LLVMTypeKind, LLVMVisibility,
};
pub use llvm_sys::{LLVMIntPredicate as IntPredicate, LLVMOpcode as Opcode, LLVMRealPredicate as FloatPredicate};

use crate::symbols;

const TRIPLE: &CStr = c"bpfel";
const CPU: &CStr = c"v2";
const FEATURES: &CStr = c"+allows-misaligned-mem-access";
const NO_NAME: *const c_char = c"".as_ptr();

/// The stack that one function may use: SBPF v0 gives every call a frame of this size.
pub const STACK_FRAME_BYTES: i32 = 4096;

/// Switches off what LLVM does only for the Linux kernel's verifier, which makes programs longer. rustc gets them too.
pub const SPEED_OPTIONS: [&str; 2] = ["-bpf-disable-serialize-icmp", "-bpf-disable-avoid-speculation"];

/// What a type is, as far as the lowering tells types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Void,
    Int(u32),
    Float,
    Double,
    /// f16, f128 and the like, for which there is no soft float.
    OtherFloat,
    Pointer,
    Struct,
    Array,
    Vector,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type(LLVMTypeRef);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(LLVMValueRef);

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Block(LLVMBasicBlockRef);

/// One message from LLVM's code generator.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub is_error: bool,
    pub text: String,
}

/// A module with the context it lives in.
pub struct Module {
    raw: LLVMModuleRef,
    context: LLVMContextRef,
    /// Boxed, because LLVM keeps the address.
    diagnostics: Box<Mutex<Vec<Diagnostic>>>,
}

impl Type {
    pub fn kind(self) -> Kind {
        use LLVMTypeKind::*;
        // SAFETY: the handle is alive (module documentation).
        match unsafe { LLVMGetTypeKind(self.0) } {
            LLVMVoidTypeKind => Kind::Void,
            // SAFETY: as above, and the type is an integer.
            LLVMIntegerTypeKind => Kind::Int(unsafe { LLVMGetIntTypeWidth(self.0) }),
            LLVMFloatTypeKind => Kind::Float,
            LLVMDoubleTypeKind => Kind::Double,
            LLVMHalfTypeKind
            | LLVMBFloatTypeKind
            | LLVMFP128TypeKind
            | LLVMX86_FP80TypeKind
            | LLVMPPC_FP128TypeKind => Kind::OtherFloat,
            LLVMPointerTypeKind => Kind::Pointer,
            LLVMStructTypeKind => Kind::Struct,
            LLVMArrayTypeKind => Kind::Array,
            LLVMVectorTypeKind | LLVMScalableVectorTypeKind => Kind::Vector,
            _ => Kind::Other,
        }
    }

    pub fn int_width(self) -> Option<u32> {
        match self.kind() {
            Kind::Int(width) => Some(width),
            _ => None,
        }
    }

    pub fn is_soft_float(self) -> bool {
        matches!(self.kind(), Kind::Float | Kind::Double)
    }

    /// The types a struct contains.
    pub fn fields(self) -> Vec<Type> {
        // SAFETY: the handle is a live struct type; the buffer has as many places as LLVM fills.
        unsafe {
            let mut fields = vec![std::ptr::null_mut(); LLVMCountStructElementTypes(self.0) as usize];
            LLVMGetStructElementTypes(self.0, fields.as_mut_ptr());
            fields.into_iter().map(Type).collect()
        }
    }

    pub fn array_length(self) -> u64 {
        // SAFETY: the handle is a live array type.
        unsafe { LLVMGetArrayLength2(self.0) }
    }

    pub fn element(self) -> Type {
        // SAFETY: the handle is a live array or vector type.
        Type(unsafe { LLVMGetElementType(self.0) })
    }

    pub fn return_type(self) -> Type {
        // SAFETY: the handle is a live function type.
        Type(unsafe { LLVMGetReturnType(self.0) })
    }

    pub fn params(self) -> Vec<Type> {
        // SAFETY: the handle is a live function type; the buffer has as many places as LLVM fills.
        unsafe {
            let mut params = vec![std::ptr::null_mut(); LLVMCountParamTypes(self.0) as usize];
            LLVMGetParamTypes(self.0, params.as_mut_ptr());
            params.into_iter().map(Type).collect()
        }
    }

    pub fn is_vararg(self) -> bool {
        // SAFETY: the handle is a live function type.
        unsafe { LLVMIsFunctionVarArg(self.0) != 0 }
    }

    pub fn function(result: Type, params: &[Type]) -> Type {
        let mut raw: Vec<_> = params.iter().map(|t| t.0).collect();
        // SAFETY: all types are alive and of one context.
        Type(unsafe { LLVMFunctionType(result.0, raw.as_mut_ptr(), raw.len() as u32, 0) })
    }

    pub fn poison(self) -> Value {
        // SAFETY: the handle is alive.
        Value(unsafe { LLVMGetPoison(self.0) })
    }

    pub fn int(self, value: u64) -> Value {
        // SAFETY: the handle is a live integer type.
        Value(unsafe { LLVMConstInt(self.0, value, 0) })
    }

    /// A constant of an integer type of any width, from 64-bit words, the lowest first.
    pub fn int_words(self, words: &[u64]) -> Value {
        // SAFETY: the handle is a live integer type.
        Value(unsafe { LLVMConstIntOfArbitraryPrecision(self.0, words.len() as u32, words.as_ptr()) })
    }

    pub fn null(self) -> Value {
        // SAFETY: the handle is alive.
        Value(unsafe { LLVMConstNull(self.0) })
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: the handle is alive; LLVM hands over a string that is freed by `take_message`.
        f.write_str(&unsafe { take_message(LLVMPrintTypeToString(self.0)) })
    }
}

impl Value {
    pub fn ty(self) -> Type {
        // SAFETY: the handle is alive.
        Type(unsafe { LLVMTypeOf(self.0) })
    }

    pub fn name(self) -> String {
        let mut length = 0;
        // SAFETY: the handle is alive; LLVM returns a pointer to `length` bytes.
        unsafe {
            let data = LLVMGetValueName2(self.0, &mut length).cast::<u8>();
            String::from_utf8_lossy(std::slice::from_raw_parts(data, length)).into_owned()
        }
    }

    pub fn set_name(self, name: &str) {
        // SAFETY: the handle is alive; LLVM copies the bytes.
        unsafe { LLVMSetValueName2(self.0, name.as_ptr().cast(), name.len()) }
    }

    pub fn replace_all_uses(self, with: Value) {
        // SAFETY: both handles are alive.
        unsafe { LLVMReplaceAllUsesWith(self.0, with.0) }
    }

    pub fn has_uses(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { !LLVMGetFirstUse(self.0).is_null() }
    }

    /// The values that use this one: instructions, but also constants and globals.
    pub fn users(self) -> Vec<Value> {
        let mut users = Vec::new();
        // SAFETY: the handle is alive, and so are its uses while nothing is edited.
        unsafe {
            let mut one = LLVMGetFirstUse(self.0);
            while !one.is_null() {
                users.push(Value(LLVMGetUser(one)));
                one = LLVMGetNextUse(one);
            }
        }
        users
    }

    pub fn operand(self, index: u32) -> Value {
        // SAFETY: the handle is alive and LLVM checks the index in `LLVMGetNumOperands`' range.
        Value(unsafe { LLVMGetOperand(self.0, index) })
    }

    pub fn operand_count(self) -> u32 {
        // SAFETY: the handle is alive.
        unsafe { LLVMGetNumOperands(self.0) as u32 }
    }

    pub fn is_instruction(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { !LLVMIsAInstruction(self.0).is_null() }
    }

    pub fn is_constant(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { LLVMIsConstant(self.0) != 0 }
    }

    /// The value of an integer constant of at most 64 bits, or of a wider one that fits.
    pub fn const_u64(self) -> Option<u64> {
        // SAFETY: the handle is alive.
        unsafe {
            if LLVMIsAConstantInt(self.0).is_null() {
                return None;
            }
            self.ty().int_width().filter(|width| *width <= 64).map(|_| LLVMConstIntGetZExtValue(self.0))
        }
    }

    pub fn is_const_int(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { !LLVMIsAConstantInt(self.0).is_null() }
    }

    pub fn opcode(self) -> Opcode {
        // SAFETY: the handle is a live instruction.
        unsafe { LLVMGetInstructionOpcode(self.0) }
    }

    pub fn float_predicate(self) -> FloatPredicate {
        // SAFETY: the handle is a live fcmp.
        unsafe { LLVMGetFCmpPredicate(self.0) }
    }

    pub fn allocated_type(self) -> Type {
        // SAFETY: the handle is a live alloca.
        Type(unsafe { LLVMGetAllocatedType(self.0) })
    }

    pub fn is_atomic(self) -> bool {
        // SAFETY: the handle is a live instruction; LLVM answers for every kind of instruction.
        unsafe { LLVMIsAtomic(self.0) != 0 }
    }

    pub fn erase(self) {
        // SAFETY: the handle is a live instruction without uses, and is not used again.
        unsafe { LLVMInstructionEraseFromParent(self.0) }
    }

    /// The block an instruction stands in.
    pub fn block(self) -> Block {
        // SAFETY: the handle is a live instruction in a block.
        Block(unsafe { LLVMGetInstructionParent(self.0) })
    }

    // Calls ------------------------------------------------------------------------------------------------------

    pub fn is_call(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { !LLVMIsACallInst(self.0).is_null() }
    }

    pub fn call_type(self) -> Type {
        // SAFETY: the handle is a live call.
        Type(unsafe { LLVMGetCalledFunctionType(self.0) })
    }

    pub fn callee(self) -> Value {
        // SAFETY: the handle is a live call.
        Value(unsafe { LLVMGetCalledValue(self.0) })
    }

    pub fn arg(self, index: u32) -> Value {
        // SAFETY: the handle is a live call and has that many arguments.
        Value(unsafe { LLVMGetArgOperand(self.0, index) })
    }

    pub fn args(self) -> Vec<Value> {
        // SAFETY: the handle is a live call.
        let count = unsafe { LLVMGetNumArgOperands(self.0) };
        (0..count).map(|index| self.arg(index)).collect()
    }

    pub fn is_must_tail(self) -> bool {
        // SAFETY: the handle is a live call.
        unsafe { LLVMGetTailCallKind(self.0) == LLVMTailCallKind::LLVMTailCallKindMustTail }
    }

    pub fn is_inline_asm(self) -> bool {
        // SAFETY: the handle is alive.
        unsafe { !LLVMIsAInlineAsm(self.0).is_null() }
    }

    /// Whether inline assembly has no instructions: Rust's `black_box` is such.
    pub fn is_empty_inline_asm(self) -> bool {
        let mut length = 0;
        // SAFETY: the handle is alive; LLVM only looks at the length of its own text.
        self.is_inline_asm() && unsafe { !LLVMGetInlineAsmAsmString(self.0, &mut length).is_null() && length == 0 }
    }

    /// The name of the intrinsic that a call calls, without its type suffix.
    pub fn intrinsic(self) -> Option<&'static str> {
        let callee = self.callee();
        // SAFETY: the handles are alive; LLVM keeps the names of its intrinsics in a static table.
        unsafe {
            if LLVMIsAFunction(callee.0).is_null() {
                return None;
            }
            let id = LLVMGetIntrinsicID(callee.0);
            if id == 0 {
                return None;
            }
            let mut length = 0;
            let data = LLVMIntrinsicGetName(id, &mut length).cast::<u8>();
            std::str::from_utf8(std::slice::from_raw_parts(data, length)).ok()
        }
    }

    pub fn copy_call_convention(self, from: Value) {
        // SAFETY: both handles are live calls.
        unsafe { LLVMSetInstructionCallConv(self.0, LLVMGetInstructionCallConv(from.0)) }
    }

    pub fn call_has_attribute(self, name: &str) -> bool {
        // SAFETY: the handle is a live call.
        unsafe { !LLVMGetCallSiteEnumAttribute(self.0, LLVMAttributeFunctionIndex, attribute_kind(name)).is_null() }
    }

    pub fn call_add_attribute(self, module: &Module, name: &str) {
        // SAFETY: the handle is a live call of the module.
        unsafe { LLVMAddCallSiteAttribute(self.0, LLVMAttributeFunctionIndex, module.attribute(name)) }
    }

    /// `index` counts parameters from 1, as LLVM's attribute lists do.
    pub fn call_remove_param_attribute(self, index: u32, name: &str) {
        // SAFETY: the handle is a live call.
        unsafe { LLVMRemoveCallSiteEnumAttribute(self.0, index, attribute_kind(name)) }
    }

    // Functions --------------------------------------------------------------------------------------------------

    pub fn as_function(self) -> Option<Value> {
        // SAFETY: the handle is alive.
        unsafe { (!LLVMIsAFunction(self.0).is_null()).then_some(self) }
    }

    pub fn function_type(self) -> Type {
        // SAFETY: the handle is a live function.
        Type(unsafe { LLVMGlobalGetValueType(self.0) })
    }

    pub fn is_declaration(self) -> bool {
        // SAFETY: the handle is a live global.
        unsafe { LLVMIsDeclaration(self.0) != 0 }
    }

    pub fn is_intrinsic_function(self) -> bool {
        // SAFETY: the handle is a live function.
        unsafe { LLVMGetIntrinsicID(self.0) != 0 }
    }

    pub fn param(self, index: u32) -> Value {
        // SAFETY: the handle is a live function with that many parameters.
        Value(unsafe { LLVMGetParam(self.0, index) })
    }

    pub fn param_count(self) -> u32 {
        // SAFETY: the handle is a live function.
        unsafe { LLVMCountParams(self.0) }
    }

    pub fn blocks(self) -> Vec<Block> {
        let mut blocks = Vec::new();
        // SAFETY: the handle is a live function, and so are its blocks while nothing is edited.
        unsafe {
            let mut block = LLVMGetFirstBasicBlock(self.0);
            while !block.is_null() {
                blocks.push(Block(block));
                block = LLVMGetNextBasicBlock(block);
            }
        }
        blocks
    }

    pub fn instructions(self) -> Vec<Value> {
        self.blocks().into_iter().flat_map(Block::instructions).collect()
    }

    pub fn delete_function(self) {
        // SAFETY: the handle is a live function without uses, and is not used again.
        unsafe { LLVMDeleteFunction(self.0) }
    }

    /// Makes a definition private to the program, so that it goes when nothing uses it.
    pub fn make_internal(self) {
        // SAFETY: the handle is a live function.
        unsafe {
            LLVMSetVisibility(self.0, LLVMVisibility::LLVMDefaultVisibility);
            LLVMSetComdat(self.0, std::ptr::null_mut());
            LLVMSetLinkage(self.0, LLVMLinkage::LLVMInternalLinkage);
        }
    }

    /// Linkage, visibility and calling convention of another function.
    pub fn copy_linkage(self, from: Value) {
        // SAFETY: both handles are live functions.
        unsafe {
            LLVMSetFunctionCallConv(self.0, LLVMGetFunctionCallConv(from.0));
            LLVMSetVisibility(self.0, LLVMGetVisibility(from.0));
            LLVMSetLinkage(self.0, LLVMGetLinkage(from.0));
        }
    }

    pub fn add_attribute(self, module: &Module, name: &str) {
        // SAFETY: the handle is a live function of the module.
        unsafe { LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, module.attribute(name)) }
    }

    pub fn add_text_attribute(self, module: &Module, name: &str, value: &str) {
        // SAFETY: the handle is a live function of the module; LLVM copies both strings.
        unsafe {
            let attribute = LLVMCreateStringAttribute(
                module.context,
                name.as_ptr().cast(),
                name.len() as u32,
                value.as_ptr().cast(),
                value.len() as u32,
            );
            LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, attribute);
        }
    }

    pub fn copy_attribute(self, from: Value, name: &str) {
        // SAFETY: both handles are live functions of one context.
        unsafe {
            let found = LLVMGetEnumAttributeAtIndex(from.0, LLVMAttributeFunctionIndex, attribute_kind(name));
            if !found.is_null() {
                LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, found);
            }
        }
    }

    pub fn copy_text_attribute(self, from: Value, name: &str) {
        // SAFETY: both handles are live functions of one context.
        unsafe {
            let found = LLVMGetStringAttributeAtIndex(
                from.0,
                LLVMAttributeFunctionIndex,
                name.as_ptr().cast(),
                name.len() as u32,
            );
            if !found.is_null() {
                LLVMAddAttributeAtIndex(self.0, LLVMAttributeFunctionIndex, found);
            }
        }
    }

    /// `index` counts parameters from 1, as LLVM's attribute lists do.
    pub fn has_param_attribute(self, index: u32, name: &str) -> bool {
        // SAFETY: the handle is a live function.
        unsafe { !LLVMGetEnumAttributeAtIndex(self.0, index, attribute_kind(name)).is_null() }
    }

    pub fn remove_param_attribute(self, index: u32, name: &str) {
        // SAFETY: the handle is a live function.
        unsafe { LLVMRemoveEnumAttributeAtIndex(self.0, index, attribute_kind(name)) }
    }

    /// Moves the blocks of `from` into this function, which has none.
    pub fn take_body(self, from: Value) {
        for block in from.blocks() {
            // SAFETY: the block is alive and out of `from` before it is appended here.
            unsafe {
                LLVMRemoveBasicBlockFromParent(block.0);
                LLVMAppendExistingBasicBlock(self.0, block.0);
            }
        }
    }

    // Global variables -------------------------------------------------------------------------------------------

    pub fn is_constant_global(self) -> bool {
        // SAFETY: the handle is a live global variable.
        unsafe { LLVMIsGlobalConstant(self.0) != 0 }
    }

    pub fn is_thread_local(self) -> bool {
        // SAFETY: the handle is a live global variable.
        unsafe { LLVMIsThreadLocal(self.0) != 0 }
    }
}

impl Block {
    pub fn instructions(self) -> Vec<Value> {
        let mut instructions = Vec::new();
        // SAFETY: the handle is alive, and so are its instructions while nothing is edited.
        unsafe {
            let mut one = LLVMGetFirstInstruction(self.0);
            while !one.is_null() {
                instructions.push(Value(one));
                one = LLVMGetNextInstruction(one);
            }
        }
        instructions
    }

    pub fn first(self) -> Option<Value> {
        // SAFETY: the handle is alive.
        let first = unsafe { LLVMGetFirstInstruction(self.0) };
        (!first.is_null()).then_some(Value(first))
    }

    pub fn terminator(self) -> Option<Value> {
        // SAFETY: the handle is alive.
        let last = unsafe { LLVMGetBasicBlockTerminator(self.0) };
        (!last.is_null()).then_some(Value(last))
    }

    pub fn function(self) -> Value {
        // SAFETY: the handle is a live block of a function.
        Value(unsafe { LLVMGetBasicBlockParent(self.0) })
    }
}

impl Module {
    pub fn new(name: &str) -> Result<Module> {
        initialize();
        let name = CString::new(name)?;
        // SAFETY: the context is owned by the result and outlives the module in it.
        unsafe {
            let context = LLVMContextCreate();
            Ok(Self::own(context, LLVMModuleCreateWithNameInContext(name.as_ptr(), context)))
        }
    }

    /// A module from LLVM's text form.
    pub fn parse_text(text: &str) -> Result<Module> {
        initialize();
        // SAFETY: the context is owned by the result; LLVM takes the buffer, which is a copy.
        unsafe {
            let context = LLVMContextCreate();
            match parse(context, text.as_bytes(), "text") {
                Ok(raw) => Ok(Self::own(context, raw)),
                Err(error) => {
                    LLVMContextDispose(context);
                    Err(error)
                }
            }
        }
    }

    /// # Safety
    /// The module lives in the context, and both are handed over.
    unsafe fn own(context: LLVMContextRef, raw: LLVMModuleRef) -> Module {
        let diagnostics = Box::new(Mutex::new(Vec::new()));
        // SAFETY: the list is boxed, so its address holds until the context is gone.
        unsafe {
            LLVMContextSetDiagnosticHandler(context, Some(on_diagnostic), (&raw const *diagnostics).cast_mut().cast())
        };
        Module { raw, context, diagnostics }
    }

    /// Merges a module in bitcode into this one.
    pub fn link(&self, bitcode: &[u8], name: &str) -> Result<()> {
        // SAFETY: the parsed module is of this context, and `LLVMLinkModules2` takes it.
        let failed = unsafe { LLVMLinkModules2(self.raw, parse(self.context, bitcode, name)?) != 0 };
        if failed {
            bail!("{name}: {}", self.take_errors().join("; "));
        }
        Ok(())
    }

    /// Debug information only makes the program larger, and it names folders of the machine.
    pub fn strip_debug_info(&self) {
        // SAFETY: the module is alive.
        unsafe { LLVMStripModuleDebugInfo(self.raw) };
    }

    /// Runs passes given in the notation of LLVM's `opt`.
    pub fn run_passes(&self, machine: &Machine, passes: &str) -> Result<()> {
        let text = CString::new(passes)?;
        // SAFETY: module, machine and options are alive; an error message is freed once.
        unsafe {
            let options = LLVMCreatePassBuilderOptions();
            let error = LLVMRunPasses(self.raw, text.as_ptr(), machine.0, options);
            LLVMDisposePassBuilderOptions(options);
            if !error.is_null() {
                let message = LLVMGetErrorMessage(error);
                let text = CStr::from_ptr(message).to_string_lossy().into_owned();
                LLVMDisposeErrorMessage(message);
                bail!("LLVM passes {passes}: {text}");
            }
        }
        Ok(())
    }

    pub fn verify(&self) -> Result<()> {
        let mut message = std::ptr::null_mut();
        // SAFETY: the module is alive; LLVM sets the message in every case.
        unsafe {
            let broken =
                LLVMVerifyModule(self.raw, LLVMVerifierFailureAction::LLVMReturnStatusAction, &mut message) != 0;
            let text = take_message(message);
            if broken {
                bail!("the lowered module is not valid (a defect of keel-sbf): {text}");
            }
        }
        Ok(())
    }

    /// Compiles to an object file in memory.
    pub fn emit_object(&self, machine: &Machine) -> Result<Vec<u8>> {
        let mut message = std::ptr::null_mut();
        let mut buffer = std::ptr::null_mut();
        // SAFETY: module and machine are alive; the buffer is copied and freed.
        unsafe {
            let kind = LLVMCodeGenFileType::LLVMObjectFile;
            if LLVMTargetMachineEmitToMemoryBuffer(machine.0, self.raw, kind, &mut message, &mut buffer) != 0 {
                bail!("code generation: {}", take_message(message));
            }
            let bytes =
                std::slice::from_raw_parts(LLVMGetBufferStart(buffer).cast(), LLVMGetBufferSize(buffer)).to_vec();
            LLVMDisposeMemoryBuffer(buffer);
            Ok(bytes)
        }
    }

    pub fn print(&self) -> String {
        // SAFETY: the module is alive.
        unsafe { take_message(LLVMPrintModuleToString(self.raw)) }
    }

    /// What LLVM reported since the last call.
    pub fn take_diagnostics(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_errors(&self) -> Vec<String> {
        self.take_diagnostics().into_iter().filter(|d| d.is_error).map(|d| d.text).collect()
    }

    pub fn functions(&self) -> Vec<Value> {
        let mut functions = Vec::new();
        // SAFETY: the module is alive, and so are its functions while nothing is edited.
        unsafe {
            let mut one = LLVMGetFirstFunction(self.raw);
            while !one.is_null() {
                functions.push(Value(one));
                one = LLVMGetNextFunction(one);
            }
        }
        functions
    }

    pub fn global_variables(&self) -> Vec<Value> {
        let mut globals = Vec::new();
        // SAFETY: the module is alive, and so are its globals while nothing is edited.
        unsafe {
            let mut one = LLVMGetFirstGlobal(self.raw);
            while !one.is_null() {
                globals.push(Value(one));
                one = LLVMGetNextGlobal(one);
            }
        }
        globals
    }

    pub fn function(&self, name: &str) -> Option<Value> {
        // SAFETY: the module is alive.
        let found = unsafe { LLVMGetNamedFunctionWithLength(self.raw, name.as_ptr().cast(), name.len()) };
        (!found.is_null()).then_some(Value(found))
    }

    pub fn add_function(&self, name: &str, ty: Type) -> Result<Value> {
        let name = CString::new(name)?;
        // SAFETY: the module is alive and the type is of its context.
        Ok(Value(unsafe { LLVMAddFunction(self.raw, name.as_ptr(), ty.0) }))
    }

    /// The declaration of an intrinsic for the given types.
    pub fn intrinsic(&self, name: &str, types: &[Type]) -> Value {
        let mut raw: Vec<_> = types.iter().map(|t| t.0).collect();
        // SAFETY: the module is alive; the callers name intrinsics that LLVM has.
        unsafe {
            let id = LLVMLookupIntrinsicID(name.as_ptr().cast(), name.len());
            Value(LLVMGetIntrinsicDeclaration(self.raw, id, raw.as_mut_ptr(), raw.len()))
        }
    }

    pub fn void_type(&self) -> Type {
        // SAFETY: the context is alive.
        Type(unsafe { LLVMVoidTypeInContext(self.context) })
    }

    pub fn pointer_type(&self) -> Type {
        // SAFETY: the context is alive.
        Type(unsafe { LLVMPointerTypeInContext(self.context, 0) })
    }

    pub fn int_type(&self, bits: u32) -> Type {
        // SAFETY: the context is alive.
        Type(unsafe { LLVMIntTypeInContext(self.context, bits) })
    }

    pub fn struct_type(&self, fields: &[Type]) -> Type {
        let mut raw: Vec<_> = fields.iter().map(|t| t.0).collect();
        // SAFETY: the context is alive and the types are of it.
        Type(unsafe { LLVMStructTypeInContext(self.context, raw.as_mut_ptr(), raw.len() as u32, 0) })
    }

    fn attribute(&self, name: &str) -> LLVMAttributeRef {
        // SAFETY: the context is alive.
        unsafe { LLVMCreateEnumAttribute(self.context, attribute_kind(name), 0) }
    }

    /// A builder that writes before an instruction.
    pub fn before(&self, instruction: Value) -> Builder {
        let builder = self.builder();
        // SAFETY: builder and instruction are alive.
        unsafe { LLVMPositionBuilderBefore(builder.0, instruction.0) };
        builder
    }

    /// Gives a function without a body its first block, and a builder at its end.
    pub fn start_body(&self, function: Value) -> Builder {
        let builder = self.builder();
        // SAFETY: function and context are alive.
        unsafe {
            let block = LLVMAppendBasicBlockInContext(self.context, function.0, NO_NAME);
            LLVMPositionBuilderAtEnd(builder.0, block);
        }
        builder
    }

    fn builder(&self) -> Builder {
        // SAFETY: the context is alive.
        Builder(unsafe { LLVMCreateBuilderInContext(self.context) })
    }

    /// A place on the stack, reserved where the function starts.
    pub fn stack_slot(&self, function: Value, ty: Type) -> Value {
        match function.blocks().first().and_then(|entry| entry.first()) {
            Some(first) => self.before(first).alloca(ty),
            // A body that is still being written: its entry block is empty.
            None => {
                let builder = self.builder();
                if let Some(entry) = function.blocks().first() {
                    // SAFETY: builder and block are alive.
                    unsafe { LLVMPositionBuilderAtEnd(builder.0, entry.0) };
                }
                builder.alloca(ty)
            }
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        // SAFETY: the module goes before the context it lives in; both are owned.
        unsafe {
            LLVMDisposeModule(self.raw);
            LLVMContextDispose(self.context);
        }
    }
}

/// Writes instructions at one place.
pub struct Builder(LLVMBuilderRef);

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident = $build:ident;)+) => {
        $($(#[$doc])* pub fn $name(&self, a: Value, b: Value) -> Value {
            // SAFETY: the builder is positioned in a live block and the operands are alive and of one type.
            Value(unsafe { $build(self.0, a.0, b.0, NO_NAME) })
        })+
    };
}

macro_rules! cast {
    ($($name:ident = $build:ident;)+) => {
        $(pub fn $name(&self, a: Value, to: Type) -> Value {
            // SAFETY: the builder is positioned in a live block and the operand is an integer of a fitting width.
            Value(unsafe { $build(self.0, a.0, to.0, NO_NAME) })
        })+
    };
}

impl Builder {
    binary! {
        add = LLVMBuildAdd;
        sub = LLVMBuildSub;
        mul = LLVMBuildMul;
        udiv = LLVMBuildUDiv;
        urem = LLVMBuildURem;
        and = LLVMBuildAnd;
        or = LLVMBuildOr;
        xor = LLVMBuildXor;
        shl = LLVMBuildShl;
        lshr = LLVMBuildLShr;
        ashr = LLVMBuildAShr;
    }

    cast! {
        trunc = LLVMBuildTrunc;
        zext = LLVMBuildZExt;
        sext = LLVMBuildSExt;
    }

    pub fn binary(&self, opcode: Opcode, a: Value, b: Value) -> Value {
        // SAFETY: as in `binary!`.
        Value(unsafe { LLVMBuildBinOp(self.0, opcode, a.0, b.0, NO_NAME) })
    }

    pub fn not(&self, a: Value) -> Value {
        // SAFETY: as in `binary!`.
        Value(unsafe { LLVMBuildNot(self.0, a.0, NO_NAME) })
    }

    /// Shift by a constant number of bits.
    pub fn lshr_by(&self, a: Value, bits: u64) -> Value {
        self.lshr(a, a.ty().int(bits))
    }

    pub fn ashr_by(&self, a: Value, bits: u64) -> Value {
        self.ashr(a, a.ty().int(bits))
    }

    pub fn shl_by(&self, a: Value, bits: u64) -> Value {
        self.shl(a, a.ty().int(bits))
    }

    pub fn compare(&self, predicate: IntPredicate, a: Value, b: Value) -> Value {
        // SAFETY: as in `binary!`.
        Value(unsafe { LLVMBuildICmp(self.0, predicate, a.0, b.0, NO_NAME) })
    }

    pub fn equal(&self, a: Value, b: Value) -> Value {
        self.compare(IntPredicate::LLVMIntEQ, a, b)
    }

    pub fn not_equal(&self, a: Value, b: Value) -> Value {
        self.compare(IntPredicate::LLVMIntNE, a, b)
    }

    pub fn below(&self, a: Value, b: Value) -> Value {
        self.compare(IntPredicate::LLVMIntULT, a, b)
    }

    pub fn select(&self, condition: Value, yes: Value, no: Value) -> Value {
        // SAFETY: as in `binary!`.
        Value(unsafe { LLVMBuildSelect(self.0, condition.0, yes.0, no.0, NO_NAME) })
    }

    pub fn extract(&self, aggregate: Value, index: u32) -> Value {
        // SAFETY: the operand is a live aggregate with that field.
        Value(unsafe { LLVMBuildExtractValue(self.0, aggregate.0, index, NO_NAME) })
    }

    pub fn insert(&self, aggregate: Value, field: Value, index: u32) -> Value {
        // SAFETY: the operand is a live aggregate with that field.
        Value(unsafe { LLVMBuildInsertValue(self.0, aggregate.0, field.0, index, NO_NAME) })
    }

    pub fn alloca(&self, ty: Type) -> Value {
        // SAFETY: the builder is positioned in a live block.
        Value(unsafe { LLVMBuildAlloca(self.0, ty.0, NO_NAME) })
    }

    pub fn load(&self, ty: Type, from: Value) -> Value {
        // SAFETY: the operand is a live pointer.
        Value(unsafe { LLVMBuildLoad2(self.0, ty.0, from.0, NO_NAME) })
    }

    pub fn store(&self, value: Value, to: Value) {
        // SAFETY: the operands are alive, the second is a pointer.
        unsafe { LLVMBuildStore(self.0, value.0, to.0) };
    }

    pub fn field_address(&self, ty: Type, pointer: Value, index: u32) -> Value {
        // SAFETY: the type is a struct with that field, the operand a live pointer.
        Value(unsafe { LLVMBuildStructGEP2(self.0, ty.0, pointer.0, index, NO_NAME) })
    }

    pub fn call(&self, ty: Type, callee: Value, args: &[Value]) -> Value {
        let mut raw: Vec<_> = args.iter().map(|v| v.0).collect();
        // SAFETY: callee and arguments are alive and fit the function type.
        Value(unsafe { LLVMBuildCall2(self.0, ty.0, callee.0, raw.as_mut_ptr(), raw.len() as u32, NO_NAME) })
    }

    pub fn call_function(&self, function: Value, args: &[Value]) -> Value {
        self.call(function.function_type(), function, args)
    }

    pub fn ret(&self, value: Value) {
        // SAFETY: the builder is at the end of a block of a function with that return type.
        unsafe { LLVMBuildRet(self.0, value.0) };
    }

    pub fn ret_void(&self) {
        // SAFETY: the builder is at the end of a block of a function that returns nothing.
        unsafe { LLVMBuildRetVoid(self.0) };
    }

    /// The function this builder writes into.
    pub fn function(&self) -> Value {
        // SAFETY: the builder is positioned in a live block.
        Block(unsafe { LLVMGetInsertBlock(self.0) }).function()
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // SAFETY: the builder is owned.
        unsafe { LLVMDisposeBuilder(self.0) }
    }
}

/// LLVM's upstream BPF code generator, set to what SBPF v0 executes.
pub struct Machine(LLVMTargetMachineRef);

impl Machine {
    pub fn new() -> Result<Machine> {
        initialize();
        let mut target = std::ptr::null_mut();
        let mut message = std::ptr::null_mut();
        // SAFETY: the strings are static; a message is freed once.
        unsafe {
            if LLVMGetTargetFromTriple(TRIPLE.as_ptr(), &mut target, &mut message) != 0 {
                bail!("this LLVM has no BPF back end: {}", take_message(message));
            }
            let machine = LLVMCreateTargetMachine(
                target,
                TRIPLE.as_ptr(),
                CPU.as_ptr(),
                FEATURES.as_ptr(),
                LLVMCodeGenOptLevel::LLVMCodeGenLevelDefault,
                LLVMRelocMode::LLVMRelocStatic,
                LLVMCodeModel::LLVMCodeModelDefault,
            );
            Ok(Machine(machine))
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: the machine is owned.
        unsafe { LLVMDisposeTargetMachine(self.0) }
    }
}

/// Registers the BPF back end and sets its options, once in a process.
fn initialize() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let frame = CString::new(format!("-bpf-stack-size={STACK_FRAME_BYTES}")).unwrap_or_default();
        let speed = SPEED_OPTIONS.map(|option| CString::new(option).unwrap_or_default());
        let mut options = vec![
            c"keel-sbf".as_ptr(),
            frame.as_ptr(),
            c"-bpf-disable-trap-unreachable".as_ptr(),
            // SBPF has no vector registers. The pipeline for link time ignores the options of the pass builder.
            c"-vectorize-loops=false".as_ptr(),
            c"-vectorize-slp=false".as_ptr(),
        ];
        options.extend(speed.iter().map(|option| option.as_ptr()));
        // SAFETY: called once, before any other use of LLVM; the strings outlive the call.
        unsafe {
            LLVMInitializeBPFTargetInfo();
            LLVMInitializeBPFTarget();
            LLVMInitializeBPFTargetMC();
            LLVMInitializeBPFAsmPrinter();
            LLVMInitializeBPFAsmParser();
            llvm_sys::error_handling::LLVMInstallFatalErrorHandler(Some(on_fatal_error));
            LLVMParseCommandLineOptions(options.len() as i32, options.as_ptr(), std::ptr::null());
        }
    });
}

/// # Safety
/// The context is alive.
unsafe fn parse(context: LLVMContextRef, bytes: &[u8], name: &str) -> Result<LLVMModuleRef> {
    let name_text = CString::new(name)?;
    let mut raw = std::ptr::null_mut();
    let mut message = std::ptr::null_mut();
    // SAFETY: LLVM copies the bytes into a buffer, which is freed after parsing.
    unsafe {
        let buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes.as_ptr().cast(), bytes.len(), name_text.as_ptr());
        let failed = LLVMParseIRInContext2(context, buffer, &mut raw, &mut message) != 0;
        LLVMDisposeMemoryBuffer(buffer);
        if failed {
            bail!("{name}: {}", take_message(message));
        }
    }
    Ok(raw)
}

fn attribute_kind(name: &str) -> u32 {
    // SAFETY: LLVM reads `len` bytes.
    unsafe { LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len()) }
}

/// # Safety
/// The message was handed over by LLVM (or is null), and is not used again.
unsafe fn take_message(message: *mut c_char) -> String {
    if message.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeMessage(message);
        text
    }
}

extern "C" fn on_diagnostic(info: LLVMDiagnosticInfoRef, list: *mut c_void) {
    // SAFETY: LLVM passes the list that `Module::own` registered, which lives as long as the context.
    unsafe {
        let list = &*list.cast::<Mutex<Vec<Diagnostic>>>();
        let is_error = LLVMGetDiagInfoSeverity(info) == LLVMDiagnosticSeverity::LLVMDSError;
        let text = take_message(LLVMGetDiagInfoDescription(info));
        list.lock().unwrap_or_else(PoisonError::into_inner).push(Diagnostic { is_error, text });
    }
}

/// LLVM cannot go on after such an error: the verification should have refused the program before.
extern "C" fn on_fatal_error(reason: *const c_char) {
    // SAFETY: LLVM passes a string.
    let reason = unsafe { CStr::from_ptr(reason) }.to_string_lossy();
    eprintln!("keel-sbf: LLVM stopped: {}", symbols::demangle_in(&reason));
    std::process::exit(1);
}
