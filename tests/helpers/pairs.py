"""Which backend is tested with what: each value in some pair; in `nox -s nightly`, each pair."""

import os
from collections.abc import Sequence
from itertools import product

ALL_PAIRS = os.environ.get("ALL_PAIRS") == "1"


def pairs(backends: Sequence[str], others: Sequence[str]) -> list[tuple[str, str]]:
    """Each of both lists at least once, the backends in turn; with ALL_PAIRS=1 all pairs.

    The first pair is that of the first ones.
    """
    if ALL_PAIRS:
        return list(product(backends, others))
    length = max(len(backends), len(others)) if others else 0
    return [(backends[i % len(backends)], others[i % len(others)]) for i in range(length)]


def one_of(backends: Sequence[str]) -> Sequence[str]:
    """The last backend, where what is tested is hardly the backend's; with ALL_PAIRS=1 all."""
    return backends if ALL_PAIRS else backends[-1:]
