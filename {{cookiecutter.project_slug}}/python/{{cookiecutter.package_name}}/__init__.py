"""The public names; the work is done in Rust, by the extension module `_native`."""

from ._native import (
    count_doubles,
)

__all__ = [
    "count_doubles",
]
