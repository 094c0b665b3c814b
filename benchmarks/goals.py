"""What the shipped kernel must reach: ratios of medians in one run, on an idle machine.

Usage: python goals.py FOLDER, with what `nox -s benchmarks` left in the folder. Prints what falls
short, and ends with status 1 if anything does.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from results import OURS, Results
from texts import HUGE, MILLION, SCRIPTS

ARTICLES_RUST = [
    "article: Rust, bytes once",
    "article: Rust, chars once",
    "article: Rust, chars twice",
]
WIDE = ["Cyrillic", "CJK", "emoji"]


class Outcome(NamedTuple):
    """A goal and what was measured; `limit` is the least allowed, or the most if `at_most`."""

    goal: str
    limit: float
    measured: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    def row(self) -> list[str]:
        """What a table says of it."""
        sign, verdict = "≤" if self.at_most else "≥", "yes" if self.reached else "**no**"
        measured = f"{self.measured:.0f}" if self.measured >= 100 else f"{self.measured:.3g}"
        return [self.goal, f"{sign} {self.limit:g}", measured, verdict]


def outcomes(results: Results) -> Iterator[Outcome]:
    """All goals, in the order of the report; where several rows count, the worst one."""
    time = results.time

    def gain(over: str, **given: Any) -> float:
        return time(over, **given) / time(OURS, **given)

    data = time(OURS, kind="bytes")
    best_rust = min(time(rust) for rust in ARTICLES_RUST)
    yield Outcome("1 MB of bytes: C through SWIG", 12, time("article: C through SWIG") / data)
    yield Outcome("1 MB of bytes: handwritten C", 4, gain("handwritten C, METH_O", kind="bytes"))
    yield Outcome("1 MB of bytes: the article's best Rust", 15, best_rust / data)
    yield Outcome("1 MB of bytes: numpy, text to encode", 2.5, time("numpy, count_nonzero") / data)
    yield Outcome("1 MB of bytes: numpy", 2, gain("numpy, count_nonzero", kind="bytes"))
    yield Outcome("1 MB of ASCII text: regex", 250, gain("article: regex"))
    yield Outcome("1 MB of ASCII text: Python, zip", 500, gain("article: Python, zip"))
    yield Outcome("time of ASCII text, in times of bytes", 1.25, time(OURS) / data, True)
    for name, least in (("Rust, chars once", 3), ("Python, zip", 50)):
        worst = min(gain(f"article: {name}", script=script, mode="fresh") for script in WIDE)
        yield Outcome(f"first call, Cyrillic, CJK, emoji: {name}", least, worst)
    short = {script: gain("article: Python, zip", script=script, length=10) for script in SCRIPTS}
    yield Outcome("10 ASCII characters: Python, zip", 3, short["ASCII"])
    yield Outcome("10 characters of any script: Python, zip", 1, min(short.values()))
    for size, share_needed in ((HUGE, 0.65), (MILLION, 0.35)):
        share = results.bandwidth["kernel", size] / results.bandwidth["memchr", size]
        yield Outcome(f"share of memchr's bandwidth, {size // MILLION} MB", share_needed, share)
    call = 1 / gain("handwritten C, METH_O", kind="bytes", length=0)
    yield Outcome("time of a call with nothing to do, in calls of C", 2.2, call, True)
    most_grown = max(results.grows[OURS, script] for script in SCRIPTS)
    yield Outcome("bytes by which a call makes a str larger", 0, most_grown, True)
    yield Outcome("MB of memory for 100 MB of ASCII text", 5, results.peak[OURS] / 1e6, True)


def main(folder: Path) -> None:
    missed = [outcome for outcome in outcomes(Results(folder)) if not outcome.reached]
    for outcome in missed:
        goal, limit, measured, _ = outcome.row()
        print(f"falls short: {goal}: {measured}, the goal is {limit}")
    if missed:
        sys.exit(f"{len(missed)} goals are missed. Was the machine idle? Then look at the kernel.")
    print("All goals are reached.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
