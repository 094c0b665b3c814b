"""All that is compared: the article's ten functions, two more opponents, and ours.

The article is "Speed up your Python using Rust" by Bruno Rocha; its functions are written again.
"""

import itertools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import fast_doubles
import numpy
import plain_c
import rust_opponents
import swig_c
from results import OURS


class Variant(NamedTuple):
    """A way to count doubles, and what it claims to handle."""

    name: str
    count: Callable[[Any], int]
    takes: tuple[type, ...] = (str, bytes)
    counts: str = "characters"  # "UTF-8 bytes": wrong for text that is not ASCII

    @property
    def label(self) -> str:
        """The name, with a mark if it is wrong for text that is not ASCII."""
        return self.name if self.counts == "characters" else f"{self.name} †"


def python_zip(text: str | bytes) -> int:
    doubles = 0
    for this, following in zip(text, text[1:], strict=False):
        if this == following:
            doubles += 1
    return doubles


def python_comprehension(text: str | bytes) -> int:
    return sum(1 for this, following in zip(text, text[1:], strict=False) if this == following)


def python_once(text: str | bytes) -> int:
    doubles = 0
    last = None
    for this in text:
        if this == last:
            doubles += 1
        last = this
    return doubles


def python_itertools(text: str | bytes) -> int:
    doubles = 0
    these, following = itertools.tee(text)
    next(following, None)
    for this, next_one in zip(these, following, strict=False):
        if this == next_one:
            doubles += 1
    return doubles


DOUBLE = re.compile(r"(.)(?=\1)", re.DOTALL)


def regex(text: str) -> int:
    return len(DOUBLE.findall(text))


def as_array(text: str | bytes) -> numpy.ndarray:
    return numpy.frombuffer(text.encode() if isinstance(text, str) else text, numpy.uint8)


def numpy_sum(text: str | bytes) -> int:
    array = as_array(text)
    return int(numpy.sum(array[:-1] == array[1:]))


def numpy_count_nonzero(text: str | bytes) -> int:
    array = as_array(text)
    return int(numpy.count_nonzero(array[:-1] == array[1:]))


VARIANTS = [
    Variant(OURS, fast_doubles.count_doubles),
    Variant("handwritten C, METH_O", plain_c.count_doubles),
    Variant("numpy, count_nonzero", numpy_count_nonzero, counts="UTF-8 bytes"),
    Variant("article: Rust, bytes once", rust_opponents.bytes_once, (str,), "UTF-8 bytes"),
    Variant("article: C through SWIG", swig_c.count_doubles, (str,), "UTF-8 bytes"),
    Variant("article: Rust, chars once", rust_opponents.chars_once, (str,)),
    Variant("article: numpy, sum", numpy_sum, counts="UTF-8 bytes"),
    Variant("article: Rust, chars twice", rust_opponents.chars_twice, (str,)),
    Variant("article: regex", regex, (str,)),
    Variant("article: Python, once", python_once),
    Variant("article: Python, comprehension", python_comprehension),
    Variant("article: Python, zip", python_zip),
    Variant("article: Python, itertools", python_itertools),
]
NAMED = {variant.name: variant for variant in VARIANTS}
