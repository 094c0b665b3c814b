//! The shipped kernel behind a C interface, in one library: ctypes, CFFI and SWIG all call this one.

use std::panic::catch_unwind;
use std::slice;

#[path = "../../{{cookiecutter.project_slug}}/rust/kernel.rs"]
mod kernel;

/// How many bytes of `text` equal the one before; -1 if `text` is null or the kernel panics.
///
/// # Safety
///
/// `text` must point to `length` bytes that nobody changes during the call. Nothing checks that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fast_doubles_count(text: *const u8, length: usize) -> isize {
    if text.is_null() {
        return -1;
    }
    // SAFETY: the caller promises it.
    let text = unsafe { slice::from_raw_parts(text, length) };
    catch_unwind(|| kernel::count_doubles(text)).map_or(-1, |doubles| doubles as isize)
}
