"""What the Rust code must compute, in the plainest Python: the tests compare the two."""

from itertools import pairwise


def count_doubles(text: str | bytes) -> int:
    """Count the adjacent pairs of equal characters in a str, or of equal bytes in bytes.

    Pairs may overlap: "aaa" holds two. Characters are code points, surrogates included.
    """
    return sum(this == following for this, following in pairwise(text))
