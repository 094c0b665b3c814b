from typing import Final

__all__ = [
    "DEBUG",
    "count_doubles",
]

DEBUG: Final[bool]

def count_doubles(text: str | bytes, /) -> int: ...
