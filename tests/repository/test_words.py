"""CONTRIBUTING.md, *Words*: turns of phrase that readers stumbled over do not come back."""

import re
from pathlib import Path

import pytest

from tools.template import TEMPLATE, tracked

PLAINER = {
    "anew": "again",
    "at hand": "here",
    "beside": "next to",
    "but for": "except for",
    "by hand": "yourself, or manually",
    "mend": "repair",
    "not to be had": "not available",
    "the very": "the same",
}
# Texts of others, and what programs write.
LEFT_OUT = ("LICENSE", "license-texts/", "_file}}", ".lock", "requirements", "package-lock")
TEXTS = [
    file
    for file in tracked(TEMPLATE)
    if not any(part in str(file.relative_to(TEMPLATE)) for part in LEFT_OUT)
    and file.suffix in (".md", ".py", ".rs", ".yml", ".toml", ".txt", ".c", ".sh", ".in")
    and file != Path(__file__)
]


@pytest.mark.parametrize("words", PLAINER)
def test_plain_words_are_used(words: str) -> None:
    # Names of tests are words too.
    spaced = r"[\s_-]+".join(words.split())
    pattern = re.compile(rf"(?<![a-z]){spaced}(?![a-z])", re.IGNORECASE)
    found = [
        f"{file.relative_to(TEMPLATE)}: {match[0]!r}, write {PLAINER[words]!r}"
        for file in TEXTS
        for match in pattern.finditer(file.read_text("utf-8"))
    ]
    assert found == []


def test_texts_of_every_kind_are_read() -> None:
    read = {file.suffix for file in TEXTS}
    assert {".md", ".py", ".rs", ".yml", ".toml"} <= read
    assert len(TEXTS) > 200
