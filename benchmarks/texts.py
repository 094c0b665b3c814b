"""The inputs of the benchmarks: the same random texts in every run."""

import random
import string
from functools import cache

MILLION = 1_000_000
HUGE = 100_000_000

SCRIPTS = {
    "ASCII": string.ascii_letters,  # the article's
    "Latin-1": string.ascii_lowercase + "àáâäåæçèéêëìíîïñòóôöøùúûüýþß",
    "Cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "CJK": "".join(map(chr, range(0x4E00, 0x4E80))),
    "emoji": "".join(map(chr, range(0x1F600, 0x1F640))),
}
SCRIPTS["mixed"] = "".join(SCRIPTS.values())


@cache
def text(script: str, length: int) -> str:
    """A text of `length` random characters of a script; above a million, a million repeated."""
    if length > MILLION:
        return text(script, MILLION) * (length // MILLION)
    return "".join(random.Random(script).choices(SCRIPTS[script], k=length))
