//! Writing instructions.

use llvm_sys::core::*;
use llvm_sys::prelude::LLVMBuilderRef;

use super::{Block, IntPredicate, NO_NAME, Opcode, Type, Value};

/// Writes instructions at one place.
pub struct Builder(pub(super) LLVMBuilderRef);

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
