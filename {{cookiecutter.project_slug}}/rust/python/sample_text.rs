//! Reads Python's texts without a copy, or in small ones. Only the sample needs this file.
//!
//! PyO3's `&str` would be simpler, but Python then keeps a UTF-8 copy of each text that is not
//! ASCII for as long as the text lives, and refuses lone surrogates. `tests/test_sample_text.py`
//! holds what is promised here.

use pyo3::prelude::*;
use pyo3::types::{PySlice, PyString};
use pyo3::{ffi, intern};

use crate::kernel;

/// Bytes from which the GIL is released: 0.4 ms of work. To get it back from a thread that runs
/// Python code takes 5 ms, Python's switch interval; a shorter count keeps it, and makes others
/// wait for less than that.
const RELEASE_THE_GIL_FROM: usize = 16 * 1024 * 1024;

/// Up to so many characters, a copy is quicker than the question whether they are ASCII.
const SHORT: usize = 128;

/// Characters copied at a time: 16 KiB of code points stay in the CPU's nearest cache.
const BLOCK: usize = 4096;

/// Counts the doubles in bytes where they lie; a long count lets other threads run.
pub fn count_in_bytes(py: Python<'_>, bytes: &[u8]) -> usize {
    if bytes.len() < RELEASE_THE_GIL_FROM {
        kernel::count_doubles(bytes)
    } else {
        py.detach(|| kernel::count_doubles(bytes))
    }
}

/// Counts the doubles in a `str`, whose subclasses may have methods of their own.
///
/// # Errors
///
/// What Python raises, such as `MemoryError`.
pub fn count_in_str(text: &Bound<'_, PyString>) -> PyResult<usize> {
    if text.is_exact_instance_of::<PyString>() {
        return count(text);
    }
    let plain = text
        .py()
        .get_type::<PyString>()
        .call_method1("__str__", (text,))?;
    count(plain.cast()?)
}

fn count(text: &Bound<'_, PyString>) -> PyResult<usize> {
    let py = text.py();
    let length = text.len()?;
    if length <= SHORT {
        return count_in_copy(text, &mut [0; SHORT]);
    }
    if text.call_method0(intern!(py, "isascii"))?.is_truthy()? {
        return Ok(count_in_bytes(py, text.to_str()?.as_bytes()));
    }
    // Each block ends with the first character of the next.
    let mut buffer = [0; BLOCK + 1];
    (0..length as isize)
        .step_by(BLOCK)
        .map(|start| PySlice::new(py, start, start + BLOCK as isize + 1, 1))
        .map(|range| count_in_copy(text.get_item(range)?.cast()?, &mut buffer))
        .sum()
}

/// Counts in a copy of the text's code points, which `buffer` must be long enough for.
fn count_in_copy(text: &Bound<'_, PyString>, buffer: &mut [u32]) -> PyResult<usize> {
    let (start, space) = (buffer.as_mut_ptr(), buffer.len() as isize);
    // SAFETY: Python writes no more code points than there is space for, or fails.
    let copy = unsafe { ffi::PyUnicode_AsUCS4(text.as_ptr(), start, space, 0) };
    if copy.is_null() {
        return Err(PyErr::fetch(text.py()));
    }
    Ok(kernel::count_doubles(&buffer[..text.len()?]))
}
