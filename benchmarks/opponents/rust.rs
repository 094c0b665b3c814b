//! The three Rust functions of the article, written again, as its readers would today;
//! and the shipped kernel with and without the GIL, for gil.py.

use pyo3::prelude::*;

#[path = "../../{{cookiecutter.project_slug}}/rust/kernel.rs"]
mod kernel;

#[pymodule]
mod rust_opponents {
    use pyo3::prelude::*;

    use crate::kernel;

    /// "rust with double iteration": the text zipped with itself, one character on.
    #[pyfunction]
    fn chars_twice(text: &str) -> usize {
        let pairs = text.chars().zip(text.chars().skip(1));
        pairs.filter(|(this, next)| this == next).count()
    }

    /// "rust chars once": the last character is carried along.
    #[pyfunction]
    fn chars_once(text: &str) -> usize {
        once(text.chars())
    }

    /// "rust_bytes_once": the same with bytes, which is wrong for text that is not ASCII.
    #[pyfunction]
    fn bytes_once(text: &str) -> usize {
        once(text.bytes())
    }

    fn once<Unit: PartialEq>(mut units: impl Iterator<Item = Unit>) -> usize {
        let mut doubles = 0;
        if let Some(mut last) = units.next() {
            for unit in units {
                if unit == last {
                    doubles += 1;
                }
                last = unit;
            }
        }
        doubles
    }

    #[pyfunction]
    fn holding_the_gil(data: &[u8]) -> usize {
        kernel::count_doubles(data)
    }

    #[pyfunction]
    fn releasing_the_gil(py: Python<'_>, data: &[u8]) -> usize {
        py.detach(|| kernel::count_doubles(data))
    }
}
