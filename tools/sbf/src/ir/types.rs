//! Types, and the constants of a type.

use llvm_sys::LLVMTypeKind;
use llvm_sys::core::*;
use llvm_sys::prelude::LLVMTypeRef;

use super::{Value, take_message};

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
pub struct Type(pub(super) LLVMTypeRef);

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
