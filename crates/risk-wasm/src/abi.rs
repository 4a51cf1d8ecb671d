//! The functions that JavaScript calls.
//!
//! The caller allocates memory for a request, writes it, and gets the address of the answer: its length as `u32`, then its
//! text. It releases the answer; the request is used up.

use crate::answer;

/// Memory for a request of `length` bytes. The caller writes all of it.
#[unsafe(no_mangle)]
pub extern "C" fn keel_allocate(length: usize) -> *mut u8 {
    Box::into_raw(vec![0u8; length].into_boxed_slice()).cast()
}

/// Answers a request.
///
/// # Safety
/// `request` comes from [`keel_allocate`] with the same `length`, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keel_answer(request: *mut u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    let request = unsafe { owned(request, length) };
    let text = answer(&request);
    // A text beyond 4 GiB does not fit the memory of WebAssembly.
    let length = u32::try_from(text.len()).unwrap_or_default();
    Box::into_raw([&length.to_le_bytes(), text.as_slice()].concat().into_boxed_slice()).cast()
}

/// Releases an answer.
///
/// # Safety
/// `answer` comes from [`keel_answer`], and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keel_release(answer: *mut u8) {
    // SAFETY: the caller's promise; an answer begins with its length.
    unsafe {
        let length = usize::try_from(answer.cast::<u32>().read_unaligned().to_le()).unwrap_or_default();
        drop(owned(answer, length.saturating_add(4)));
    }
}

/// # Safety
/// `start` is a boxed slice of `length` bytes that nobody else uses.
unsafe fn owned(start: *mut u8, length: usize) -> Box<[u8]> {
    // SAFETY: the caller's promise.
    unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(start, length)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_in_and_answers_come_out() {
        for request in [&b""[..], b"nonsense"] {
            let memory = keel_allocate(request.len());
            // SAFETY: as documented at each of the functions.
            unsafe {
                memory.copy_from_nonoverlapping(request.as_ptr(), request.len());
                let result = keel_answer(memory, request.len());
                let length = result.cast::<u32>().read_unaligned() as usize;
                let text = core::slice::from_raw_parts(result.add(4), length);
                assert_eq!(text, answer(request));
                keel_release(result);
            }
        }
    }
}
