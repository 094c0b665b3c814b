"""What rust/python/sample_text.rs promises: any length, no copy that stays, subclasses, threads."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import reference
from {{ cookiecutter.package_name }} import count_doubles


@pytest.mark.parametrize("length", [127, 128, 129, 255, 256, 257, 4095, 4096, 4097])
@pytest.mark.parametrize("letter", ["a", "я", "🦀", b"a"])
def test_nothing_but_doubles(letter: str | bytes, length: int) -> None:
    assert count_doubles(letter * length) == length - 1


def test_huge_text() -> None:
    assert count_doubles("ab" * 5_000_000 + "b") == 1
    assert count_doubles(b"ab" * 5_000_000 + b"b") == 1
    assert count_doubles("яб" * 1_000_000 + "б") == 1


def test_subclass_is_read_as_the_text_it_holds() -> None:
    class Shouting(str):
        def isascii(self) -> bool:
            raise AssertionError("not to be asked")

        def __len__(self) -> int:
            raise AssertionError("not to be asked")

        def __str__(self) -> str:
            raise AssertionError("not to be asked")

    for text in ("aabb", "ээюю", "aabb" * 100, "ээюю" * 3000):
        assert count_doubles(Shouting(text)) == reference.count_doubles(text)


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy has no sys.getsizeof")
@pytest.mark.parametrize("text", ["naïve" * 1000, "人" * 1000, "a" * 1000])
def test_call_leaves_no_copy_in_the_string(text: str) -> None:
    fresh = "".join(text)
    size = sys.getsizeof(fresh)
    count_doubles(fresh)
    assert sys.getsizeof(fresh) == size


def test_many_threads_at_once() -> None:
    # Long enough to release the GIL; PyO3 declares the module safe without one.
    texts = ["ab" * 9_000_000 + "b" * doubles for doubles in range(2, 10)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count_doubles, texts)) == list(range(2, 10))
