import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import reference
from {{ cookiecutter.package_name }} import count_doubles

TEXTS = {
    "empty": "",
    "one": "a",
    "ascii": "hello, aardvark",
    "overlapping": "aaa",
    "latin-1": "Æffle, naïïf, ÿÿ",
    "cyrillic": "длинношеее",
    "greek": "άλλο γράμμα",
    "hebrew": "ממלכה, שששש",
    "cjk": "人人为我，我我",
    "emoji": "😀😀 🦀🦀🦀",
    "combining": "e\u0301\u0301 ééé",
    "lone surrogates": "a\ud800\ud800b\udfff\udfff",
    "null": "\0\0\0",
    "all scripts": "ss ßß сс 人人 🦀🦀 \ud800\ud800",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_of_any_script(text: str) -> None:
    assert count_doubles(text) == reference.count_doubles(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bytes_count_bytes(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    assert count_doubles(data) == reference.count_doubles(data)


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


@pytest.mark.parametrize("text", ["naïve" * 1000, "人" * 1000, "a" * 1000])
def test_call_leaves_no_copy_in_the_string(text: str) -> None:
    fresh = "".join(text)
    size = sys.getsizeof(fresh)
    count_doubles(fresh)
    assert sys.getsizeof(fresh) == size


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(None, "NoneType"), (1, "int"), (["a", "a"], "list"), (bytearray(b"aa"), "bytearray")],
)
def test_other_types_are_refused_by_name(value: object, type_name: str) -> None:
    with pytest.raises(TypeError, match=rf"takes str or bytes, not {type_name}$"):
        count_doubles(value)  # type: ignore[arg-type]


def test_many_threads_at_once() -> None:
    # Long enough to release the GIL; PyO3 declares the module safe without one.
    texts = ["ab" * 9_000_000 + "b" * doubles for doubles in range(2, 10)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count_doubles, texts)) == list(range(2, 10))
