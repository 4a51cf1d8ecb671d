//! Programs that cannot be built are refused, by the name of the function, before they could be built wrongly.

use keel_sbf::ir::Module;
use keel_sbf::link::compile;

/// Lowers and compiles a text module and returns the message it is refused with.
fn refusal(text: &str) -> String {
    let module = Module::parse_text(text).expect("the test's module is valid");
    match compile(&module, &["entrypoint"]) {
        Ok(_) => panic!("the module was built"),
        Err(error) => format!("{error:#}"),
    }
}

fn assert_refused(text: &str, words: &[&str]) {
    let message = refusal(text);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in the message: {message}");
    }
}

fn compiles(text: &str) -> Vec<u8> {
    let module = Module::parse_text(text).expect("the test's module is valid");
    compile(&module, &["entrypoint"]).unwrap_or_else(|error| panic!("{error:#}"))
}

/// LLVM has no saturating multiplication of this name; code that calls it calls something undefined.
#[test]
fn saturating_multiplication() {
    assert_refused(
        "declare i64 @llvm.umul.sat.i64(i64, i64)
         define i64 @entrypoint(i64 %a, i64 %b) {
           %r = call i64 @llvm.umul.sat.i64(i64 %a, i64 %b)
           ret i64 %r
         }",
        &["`entrypoint`", "llvm.umul.sat.i64"],
    );
}

#[test]
fn fixed_point_multiplication() {
    assert_refused(
        "declare i64 @llvm.umul.fix.sat.i64(i64, i64, i32)
         define i64 @_ZN4keel6health17h0123456789abcdefE(i64 %a, i64 %b) noinline {
           %r = call i64 @llvm.umul.fix.sat.i64(i64 %a, i64 %b, i32 32)
           ret i64 %r
         }
         define i64 @entrypoint(i64 %a) {
           %r = call i64 @_ZN4keel6health17h0123456789abcdefE(i64 %a, i64 %a)
           ret i64 %r
         }",
        &["`keel::health`", "llvm.umul.fix.sat"],
    );
}

#[test]
fn vectors() {
    assert_refused(
        "define i64 @entrypoint(ptr %p) {
           %v = load <4 x i32>, ptr %p
           %w = mul <4 x i32> %v, %v
           store <4 x i32> %w, ptr %p
           ret i64 0
         }",
        &["`entrypoint`", "<4 x i32>"],
    );
}

#[test]
fn variable_arguments_taken() {
    assert_refused(
        "declare void @llvm.va_start.p0(ptr)
         define i64 @entrypoint(i64 %n, ...) {
           %list = alloca ptr
           call void @llvm.va_start.p0(ptr %list)
           %r = va_arg ptr %list, i64
           ret i64 %r
         }",
        &["`entrypoint`", "variable number of arguments"],
    );
}

#[test]
fn variable_arguments_passed() {
    assert_refused(
        "define i64 @entrypoint(ptr %f, i64 %n) {
           %r = call i64 (i64, ...) %f(i64 %n, i64 %n)
           ret i64 %r
         }",
        &["`entrypoint`", "passes a variable number of arguments"],
    );
}

#[test]
fn guaranteed_tail_calls() {
    assert_refused(
        "define i64 @entrypoint(ptr %f) {
           %r = musttail call i64 %f(ptr %f)
           ret i64 %r
         }",
        &["`entrypoint`", "musttail"],
    );
}

#[test]
fn large_frames() {
    assert_refused(
        "declare i64 @sol_log_(ptr, i64)
         define i64 @_ZN4keel4sort17h0123456789abcdefE() noinline {
           %buffer = alloca [5000 x i8]
           %r = call i64 @sol_log_(ptr %buffer, i64 5000)
           ret i64 %r
         }
         define i64 @entrypoint(ptr %p) {
           %r = call i64 @_ZN4keel4sort17h0123456789abcdefE()
           ret i64 %r
         }",
        &["`keel::sort`", "stack frame of 50", "SBPF has 4096"],
    );
}

#[test]
fn undefined_functions() {
    assert_refused(
        "declare i64 @sol_not_there(i64)
         define i64 @entrypoint(i64 %n) {
           %r = call i64 @sol_not_there(i64 %n)
           ret i64 %r
         }",
        &["`entrypoint`", "`sol_not_there`", "neither the program nor Solana's system calls"],
    );
}

#[test]
fn addresses_of_system_calls() {
    assert_refused(
        "declare i64 @sol_log_(ptr, i64)
         define i64 @entrypoint(ptr %p) {
           store ptr @sol_log_, ptr %p
           ret i64 0
         }",
        &["`entrypoint`", "address of the system call `sol_log_`"],
    );
}

#[test]
fn writable_globals() {
    assert_refused(
        "@_ZN4keel5COUNT17h0123456789abcdefE = internal global i64 0
         define i64 @entrypoint(i64 %n) {
           %old = load i64, ptr @_ZN4keel5COUNT17h0123456789abcdefE
           %new = add i64 %old, %n
           store i64 %new, ptr @_ZN4keel5COUNT17h0123456789abcdefE
           ret i64 %old
         }",
        &["`entrypoint`", "`keel::COUNT`", "can be written to"],
    );
}

#[test]
fn undefined_globals() {
    assert_refused(
        "@missing = external constant i64
         define i64 @entrypoint() {
           %r = load i64, ptr @missing
           ret i64 %r
         }",
        &["`entrypoint`", "`missing`", "not defined"],
    );
}

#[test]
fn inline_assembly() {
    assert_refused(
        "define i64 @entrypoint(i64 %n) {
           %r = call i64 asm sideeffect \"r0 = r1\", \"=r,r\"(i64 %n)
           ret i64 %r
         }",
        &["`entrypoint`", "inline assembly"],
    );
}

#[test]
fn floats_of_other_widths() {
    assert_refused(
        "define i64 @entrypoint(ptr %p) {
           %x = load half, ptr %p
           %y = fadd half %x, %x
           store half %y, ptr %p
           ret i64 0
         }",
        &["`entrypoint`", "half"],
    );
}

/// Soft float is in Rust's library; a module without it cannot add.
#[test]
fn floats_without_the_library() {
    assert_refused(
        "define double @entrypoint(double %x, double %y) {
           %z = fadd double %x, %y
           ret double %z
         }",
        &["`entrypoint`", "`__adddf3`"],
    );
}

#[test]
fn stack_memory_of_variable_size() {
    assert_refused(
        "declare i64 @sol_log_(ptr, i64)
         define i64 @entrypoint(i64 %n) {
           %p = alloca i8, i64 %n
           %r = call i64 @sol_log_(ptr %p, i64 %n)
           ret i64 %r
         }",
        &["`entrypoint`", "stack memory of variable size"],
    );
}

#[test]
fn division_of_more_than_128_bits() {
    assert_refused(
        "define i64 @entrypoint(ptr %p) {
           %x = load i256, ptr %p
           %y = udiv i256 %x, 1000003
           store i256 %y, ptr %p
           ret i64 0
         }",
        &["`entrypoint`", "udiv", "i256"],
    );
}

#[test]
fn arguments_by_value_in_memory() {
    assert_refused(
        "declare i64 @sol_log_(ptr, i64)
         define i64 @f(ptr byval([16 x i8]) %p, i64 %n) noinline {
           %r = call i64 @sol_log_(ptr %p, i64 %n)
           ret i64 %r
         }
         define i64 @entrypoint(ptr %p, ptr %g) {
           store ptr @f, ptr %g
           ret i64 0
         }",
        &["`f`", "byval"],
    );
}

/// What looks as if it had to be refused, but is lowered: odd widths, wide sums, wide constant shifts, atomics.
#[test]
fn unusual_but_lowered() {
    compiles(
        "define i64 @entrypoint(ptr %p, ptr %q, i64 %n) {
           %a = load i96, ptr %p
           %b = load i96, ptr %q
           %product = mul i96 %a, %b
           %distance = zext i64 %n to i96
           %shifted = lshr i96 %product, %distance
           store i96 %shifted, ptr %p
           %c = load i256, ptr %p
           %d = load i256, ptr %q
           %sum = add i256 %c, %d
           %wide = mul i256 %sum, %d
           %high = lshr i256 %wide, 128
           store i256 %high, ptr %q
           %old = atomicrmw add ptr %p, i64 %n seq_cst
           fence seq_cst
           %swap = cmpxchg ptr %q, i64 %n, i64 0 seq_cst seq_cst
           %is = extractvalue { i64, i1 } %swap, 1
           %r = zext i1 %is to i64
           %all = add i64 %r, %old
           ret i64 %all
         }",
    );
}
