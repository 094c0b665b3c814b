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


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(None, "NoneType"), (1, "int"), (["a", "a"], "list"), (bytearray(b"aa"), "bytearray")],
)
def test_other_types_are_refused_by_name(value: object, type_name: str) -> None:
    with pytest.raises(TypeError, match=rf"takes str or bytes, not {type_name}$"):
        count_doubles(value)  # type: ignore[arg-type]
