//! A thin layer over LLVM's C API, so that the rest of the crate reads as what it does.
//!
//! [`Type`], [`Value`] and [`Block`] are plain handles. They belong to the [`Module`] they came from and are only used
//! while it lives; an instruction or function handle is not used again after [`Value::erase`] or
//! [`Value::delete_function`]. The passes of this crate keep to that by collecting handles first and editing afterwards.

mod builder;
mod machine;
mod module;
mod types;
mod value;

use std::ffi::{CStr, c_char};

use llvm_sys::core::{LLVMDisposeMessage, LLVMGetEnumAttributeKindForName};
pub use llvm_sys::{LLVMIntPredicate as IntPredicate, LLVMOpcode as Opcode, LLVMRealPredicate as FloatPredicate};

pub use builder::Builder;
pub use machine::{Machine, SPEED_OPTIONS, STACK_FRAME_BYTES};
pub use module::{Diagnostic, Module};
pub use types::{Kind, Type};
pub use value::{Block, Value};

const NO_NAME: *const c_char = c"".as_ptr();

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
