//! The bindings: convert, release the GIL, call the kernel, map errors. No algorithm.

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use pyo3::exceptions::PyTypeError;
    use pyo3::intern;
    use pyo3::prelude::*;
    use pyo3::types::{PyBytes, PySlice, PyString};

    use crate::kernel;

    /// Whether this is a debug build, many times slower than a release build.
    #[pymodule_export]
    const DEBUG: bool = cfg!(debug_assertions);

    /// Bytes from which the GIL is released: shorter texts are done before another
    /// thread could profit.
    const RELEASE_THE_GIL_FROM: usize = 256 * 1024;

    /// Code points converted at a time: their UTF-32 copy stays in the CPU's cache.
    const CODE_POINTS: usize = 16 * 1024;

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
        } else if let Ok(string) = text.cast::<PyString>() {
            in_string(string)
        } else {
            let given = text.get_type().fully_qualified_name()?;
            Err(PyTypeError::new_err(format!(
                "count_doubles() takes str or bytes, not {given}"
            )))
        }
    }

    fn in_place(py: Python<'_>, text: &[u8]) -> usize {
        if text.len() < RELEASE_THE_GIL_FROM {
            kernel::count_doubles::<1>(text)
        } else {
            py.detach(|| kernel::count_doubles::<1>(text))
        }
    }

    /// The methods called are those of `str` itself: a subclass may have overridden them.
    fn in_string(string: &Bound<'_, PyString>) -> PyResult<usize> {
        let py = string.py();
        let str_type = py.get_type::<PyString>();
        let is_ascii = str_type.call_method1(intern!(py, "isascii"), (string,))?;
        if is_ascii.is_truthy()? {
            return Ok(in_place(py, string.to_str()?.as_bytes()));
        }
        // Not UTF-8: Python would keep that copy for as long as the string lives, and
        // lone surrogates have none. Each block ends with the first character of the next.
        let length = str_type.call_method1(intern!(py, "__len__"), (string,))?;
        (0..length.extract()?)
            .step_by(CODE_POINTS)
            .map(|start| {
                let range = PySlice::new(py, start, start + CODE_POINTS as isize + 1, 1);
                let block = str_type.call_method1(intern!(py, "__getitem__"), (string, range))?;
                let utf32 = str_type.call_method1(
                    intern!(py, "encode"),
                    (
                        block,
                        intern!(py, "utf-32-le"),
                        intern!(py, "surrogatepass"),
                    ),
                )?;
                Ok(kernel::count_doubles::<4>(
                    utf32.cast::<PyBytes>()?.as_bytes(),
                ))
            })
            .sum()
    }
}
