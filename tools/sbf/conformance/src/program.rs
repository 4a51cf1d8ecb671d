//! The program: an entry point, an allocator and a panic handler, without any dependency.

use std::alloc::{GlobalAlloc, Layout};

use crate::{RETURN_BYTES, Request};

const HEAP_START: usize = 0x3_0000_0000;
/// The test gives the program as much; a transaction has to ask for more than 32 KiB.
const HEAP_BYTES: usize = 256 * 1024;

/// Hands out memory from the end of the heap downwards; the first word of the heap says how far it has come.
struct Heap;

impl Heap {
    fn position() -> *mut usize {
        HEAP_START as *mut usize
    }

    /// Where the next allocation ends.
    fn top() -> usize {
        // SAFETY: the heap is mapped and begins with zeros.
        match unsafe { *Self::position() } {
            0 => HEAP_START + HEAP_BYTES,
            top => top,
        }
    }

    fn set_top(top: usize) {
        // SAFETY: the heap is mapped.
        unsafe { *Self::position() = top };
    }
}

// SAFETY: allocations do not overlap, and lie within the heap.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = Self::top().saturating_sub(layout.size()) & !(layout.align() - 1);
        if start < HEAP_START + size_of::<usize>() {
            return std::ptr::null_mut();
        }
        Self::set_top(start);
        start as *mut u8
    }

    unsafe fn dealloc(&self, _pointer: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static HEAP: Heap = Heap;

unsafe extern "C" {
    fn sol_log_(text: *const u8, length: u64);
    fn sol_set_return_data(data: *const u8, length: u64);
}

#[unsafe(no_mangle)]
fn custom_panic(info: &core::panic::PanicInfo<'_>) {
    let text = format!("{info}");
    // SAFETY: the system call reads the text.
    unsafe { sol_log_(text.as_ptr(), text.len() as u64) };
}

/// # Safety
/// The runtime passes its serialized input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u8) -> u64 {
    // SAFETY: without accounts, the input is a zero, the length of the instruction data, and the data.
    let data = unsafe {
        if input.cast::<u64>().read() != 0 {
            return 1;
        }
        let length = input.add(8).cast::<u64>().read() as usize;
        std::slice::from_raw_parts(input.add(16), length)
    };
    let Some(request) = Request::from_bytes(data) else { return 2 };
    // What an operation allocates is gone when the next input comes. Only the output's buffer is allocated before.
    let Some(output) = request.run(|| Heap::set_top(HEAP_START + HEAP_BYTES - 2 * RETURN_BYTES)) else {
        return 3;
    };
    let hash = output.hash.to_le_bytes();
    let reply = output.bytes.as_deref().unwrap_or(&hash);
    // SAFETY: the system call reads the reply.
    unsafe { sol_set_return_data(reply.as_ptr(), reply.len() as u64) };
    0
}
