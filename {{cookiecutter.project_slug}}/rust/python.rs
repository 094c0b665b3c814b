//! The bindings: what Python sees. They convert, call the kernel and map errors. No algorithm.

use pyo3::prelude::*;

mod sample_text;

#[pymodule]
mod _native {
    use pyo3::exceptions::PyTypeError;
    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PyString};

    use super::sample_text;

    /// Whether this is a debug build, many times slower than a release build.
    #[pymodule_export]
    const DEBUG: bool = cfg!(debug_assertions);

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
            Ok(sample_text::count_in_bytes(text.py(), bytes.as_bytes()))
        } else if let Ok(string) = text.cast::<PyString>() {
            sample_text::count_in_str(string)
        } else {
            let given = text.get_type().fully_qualified_name()?;
            Err(PyTypeError::new_err(format!(
                "count_doubles() takes str or bytes, not {given}"
            )))
        }
    }
}
