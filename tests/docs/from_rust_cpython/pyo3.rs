//! What the right column of the page's table says, in code that compiles.
#![deny(deprecated)]

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, create_exception};

create_exception!(_native, Refused, PyValueError);

/// Counts doubles.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{Counter, Refused, count, larger};
}

#[pyfunction]
#[pyo3(signature = (text, /))]
fn count(py: Python<'_>, text: &str) -> PyResult<u64> {
    if text.is_empty() {
        return Err(PyValueError::new_err("empty"));
    }
    let text = text.as_bytes();
    Ok(py.detach(|| doubles(text)))
}

#[pyfunction]
#[pyo3(signature = (number, by = 1))]
fn larger(number: u64, by: u64) -> u64 {
    number + by
}

fn doubles(text: &[u8]) -> u64 {
    text.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

#[pyclass]
struct Counter {
    total: u64,
}

#[pymethods]
impl Counter {
    #[new]
    fn new(start: u64) -> Self {
        Counter { total: start }
    }

    fn add(&mut self, py: Python<'_>, text: &str) -> PyResult<u64> {
        self.total += count(py, text)?;
        Ok(self.total)
    }

    #[getter]
    fn so_far(&self) -> u64 {
        self.total
    }

    fn __len__(&self) -> usize {
        self.total as usize
    }
}

/// Any object: bound to `'py`, so that its methods take no `py`; unbound, to keep it.
pub fn as_object(py: Python<'_>, number: u64) -> PyResult<Bound<'_, PyAny>> {
    number.into_bound_py_any(py)
}

pub fn as_number(object: &Bound<'_, PyAny>) -> PyResult<u64> {
    object.extract()
}

pub fn upper<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object.call_method0("upper")
}

pub fn kept(object: Bound<'_, PyAny>) -> Py<PyAny> {
    object.unbind()
}

pub fn second(py: Python<'_>, object: &Py<PyAny>) -> Py<PyAny> {
    object.clone_ref(py)
}

pub fn from_any_thread() -> PyResult<u64> {
    Python::attach(|py| py.eval(c"6 * 7", None, None)?.extract())
}
