//! LLVM's BPF back end and its options.

use std::ffi::{CStr, CString, c_char};
use std::sync::Once;

use anyhow::{Result, bail};
use llvm_sys::support::LLVMParseCommandLineOptions;
use llvm_sys::target::*;
use llvm_sys::target_machine::*;

use super::take_message;
use crate::symbols;

const TRIPLE: &CStr = c"bpfel";
const CPU: &CStr = c"v2";
const FEATURES: &CStr = c"+allows-misaligned-mem-access";

/// The stack that one function may use: SBPF v0 gives every call a frame of this size.
pub const STACK_FRAME_BYTES: i32 = 4096;

/// Switches off what LLVM does only for the Linux kernel's verifier, which makes programs longer. rustc gets them too.
pub const SPEED_OPTIONS: [&str; 2] = ["-bpf-disable-serialize-icmp", "-bpf-disable-avoid-speculation"];

/// LLVM's upstream BPF code generator, set to what SBPF v0 executes.
pub struct Machine(pub(super) LLVMTargetMachineRef);

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
pub(super) fn initialize() {
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

/// LLVM cannot go on after such an error: the verification should have refused the program before.
extern "C" fn on_fatal_error(reason: *const c_char) {
    // SAFETY: LLVM passes a string.
    let reason = unsafe { CStr::from_ptr(reason) }.to_string_lossy();
    eprintln!("keel-sbf: LLVM stopped: {}", symbols::demangle_in(&reason));
    std::process::exit(1);
}
