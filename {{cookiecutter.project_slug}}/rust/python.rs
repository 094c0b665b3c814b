//! The bindings: convert, release the GIL, call the kernel, map errors. No algorithm.

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use pyo3::exceptions::PyTypeError;
    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PySlice, PyString};
    use pyo3::{ffi, intern};

    use crate::kernel;

    /// Whether this is a debug build, many times slower than a release build.
    #[pymodule_export]
    const DEBUG: bool = cfg!(debug_assertions);

    /// Bytes from which the GIL is released: 0.4 ms of work. To get it back from a thread that
    /// runs Python code takes 5 ms, Python's switch interval; a shorter count keeps it, and
    /// makes others wait for less than that.
    const RELEASE_THE_GIL_FROM: usize = 16 * 1024 * 1024;

    /// Up to so many characters, a copy is quicker than the question whether they are ASCII.
    const SHORT: usize = 128;

    /// Characters copied at a time: 16 KiB of code points stay in the CPU's nearest cache.
    const BLOCK: usize = 4096;

    /// Count the adjacent pairs of equal characters in a `str`, or of equal bytes in `bytes`.
    ///
    /// A character is a Unicode code point; lone surrogates are characters too.
    /// Pairs may overlap: 'aaa' holds two.
    ///
    /// Raises TypeError if `text` is of any other type.
    #[pyfunction]
    #[pyo3(signature = (text, /))]
    fn count_doubles(text: &Bound<'_, PyAny>) -> PyResult<usize> {
        if let Ok(bytes) = text.cast::<PyBytes>() {
            Ok(in_place(text.py(), bytes.as_bytes()))
        } else if let Ok(string) = text.cast_exact::<PyString>() {
            in_string(string)
        } else if let Ok(string) = text.cast::<PyString>() {
            // The methods of a subclass may be its own: take the plain string that it holds.
            let plain = string
                .py()
                .get_type::<PyString>()
                .call_method1("__str__", (string,))?;
            in_string(plain.cast()?)
        } else {
            let given = text.get_type().fully_qualified_name()?;
            Err(PyTypeError::new_err(format!(
                "count_doubles() takes str or bytes, not {given}"
            )))
        }
    }

    fn in_place(py: Python<'_>, text: &[u8]) -> usize {
        if text.len() < RELEASE_THE_GIL_FROM {
            kernel::count_doubles(text)
        } else {
            py.detach(|| kernel::count_doubles(text))
        }
    }

    fn in_string(string: &Bound<'_, PyString>) -> PyResult<usize> {
        let py = string.py();
        let length = string.len()?;
        if length <= SHORT {
            return in_copy(string, &mut [0; SHORT]);
        }
        if string.call_method0(intern!(py, "isascii"))?.is_truthy()? {
            return Ok(in_place(py, string.to_str()?.as_bytes()));
        }
        // Not UTF-8: Python would keep that copy for as long as the string lives, and
        // lone surrogates have none. Each block ends with the first character of the next.
        let mut buffer = [0; BLOCK + 1];
        (0..length as isize)
            .step_by(BLOCK)
            .map(|start| PySlice::new(py, start, start + BLOCK as isize + 1, 1))
            .map(|range| in_copy(string.get_item(range)?.cast()?, &mut buffer))
            .sum()
    }

    /// Counts in a copy of the string's code points, which `buffer` must be long enough for.
    fn in_copy(string: &Bound<'_, PyString>, buffer: &mut [u32]) -> PyResult<usize> {
        let (start, space) = (buffer.as_mut_ptr(), buffer.len() as isize);
        // SAFETY: Python writes no more code points than there is space for, or fails.
        let copy = unsafe { ffi::PyUnicode_AsUCS4(string.as_ptr(), start, space, 0) };
        if copy.is_null() {
            return Err(PyErr::fetch(string.py()));
        }
        Ok(kernel::count_doubles(&buffer[..string.len()?]))
    }
}
