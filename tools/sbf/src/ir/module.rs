//! A module: reading, linking, optimizing and compiling it.

use std::ffi::{CStr, CString, c_void};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use llvm_sys::LLVMDiagnosticSeverity;
use llvm_sys::analysis::{LLVMVerifierFailureAction, LLVMVerifyModule};
use llvm_sys::core::*;
use llvm_sys::debuginfo::LLVMStripModuleDebugInfo;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage};
use llvm_sys::ir_reader::LLVMParseIRInContext2;
use llvm_sys::linker::LLVMLinkModules2;
use llvm_sys::prelude::*;
use llvm_sys::target_machine::{LLVMCodeGenFileType, LLVMTargetMachineEmitToMemoryBuffer};
use llvm_sys::transforms::pass_builder::*;

use super::machine::initialize;
use super::{Builder, Machine, NO_NAME, Type, Value, attribute_kind, take_message};

/// One message from LLVM's code generator.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub is_error: bool,
    pub text: String,
}

/// A module with the context it lives in.
pub struct Module {
    raw: LLVMModuleRef,
    pub(super) context: LLVMContextRef,
    /// Boxed, because LLVM keeps the address.
    diagnostics: Box<Mutex<Vec<Diagnostic>>>,
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

    pub(super) fn attribute(&self, name: &str) -> LLVMAttributeRef {
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

extern "C" fn on_diagnostic(info: LLVMDiagnosticInfoRef, list: *mut c_void) {
    // SAFETY: LLVM passes the list that `Module::own` registered, which lives as long as the context.
    unsafe {
        let list = &*list.cast::<Mutex<Vec<Diagnostic>>>();
        let is_error = LLVMGetDiagInfoSeverity(info) == LLVMDiagnosticSeverity::LLVMDSError;
        let text = take_message(LLVMGetDiagInfoDescription(info));
        list.lock().unwrap_or_else(PoisonError::into_inner).push(Diagnostic { is_error, text });
    }
}
