//! What the left column of the page's table says, in code that compiles.

use cpython::{
    NoArgs, ObjectProtocol, PyClone, PyErr, PyObject, PyResult, Python, PythonObject, ToPyObject,
    exc, py_class, py_exception, py_fn, py_module_initializer,
};
use std::cell::Cell;

py_module_initializer!(_native, |py, m| {
    m.add(py, "__doc__", "Counts doubles.")?;
    m.add(py, "count", py_fn!(py, count(text: &str)))?;
    m.add(py, "larger", py_fn!(py, larger(number: u64, by: u64 = 1)))?;
    m.add_class::<Counter>(py)?;
    m.add(py, "Refused", py.get_type::<Refused>())?;
    Ok(())
});

py_exception!(_native, Refused, exc::ValueError);

fn count(py: Python, text: &str) -> PyResult<u64> {
    if text.is_empty() {
        return Err(PyErr::new::<exc::ValueError, _>(py, "empty"));
    }
    let text = text.as_bytes();
    Ok(py.allow_threads(|| doubles(text)))
}

fn larger(_py: Python, number: u64, by: u64) -> PyResult<u64> {
    Ok(number + by)
}

fn doubles(text: &[u8]) -> u64 {
    text.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

py_class!(class Counter |py| {
    data total: Cell<u64>;

    def __new__(_cls, start: u64) -> PyResult<Counter> {
        Counter::create_instance(py, Cell::new(start))
    }

    def add(&self, text: &str) -> PyResult<u64> {
        self.total(py).set(self.total(py).get() + count(py, text)?);
        Ok(self.total(py).get())
    }

    @property
    def so_far(&self) -> PyResult<u64> {
        Ok(self.total(py).get())
    }

    def __len__(&self) -> PyResult<usize> {
        Ok(self.total(py).get() as usize)
    }
});

/// Any object: a reference that is counted; each call of a method takes `py`.
pub fn as_object(py: Python, number: u64) -> PyObject {
    number.to_py_object(py).into_object()
}

pub fn as_number(py: Python, object: &PyObject) -> PyResult<u64> {
    object.extract(py)
}

pub fn upper(py: Python, object: &PyObject) -> PyResult<PyObject> {
    object.call_method(py, "upper", NoArgs, None)
}

pub fn second(py: Python, object: &PyObject) -> PyResult<PyObject> {
    Ok(object.clone_ref(py))
}

pub fn from_any_thread() -> PyResult<u64> {
    let gil = Python::acquire_gil();
    let py = gil.python();
    py.eval("6 * 7", None, None)?.extract(py)
}
