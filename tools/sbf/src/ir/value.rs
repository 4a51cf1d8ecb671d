//! Values: instructions, functions, globals and constants; and the blocks that instructions stand in.

use llvm_sys::comdat::LLVMSetComdat;
use llvm_sys::core::*;
use llvm_sys::prelude::{LLVMBasicBlockRef, LLVMValueRef};
use llvm_sys::{LLVMAttributeFunctionIndex, LLVMLinkage, LLVMTailCallKind, LLVMVisibility};

use super::{FloatPredicate, Module, Opcode, Type, attribute_kind};

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(pub(super) LLVMValueRef);

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Block(pub(super) LLVMBasicBlockRef);

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
