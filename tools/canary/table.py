"""The table of the canary: pins and trials, what is broken first, then what is behind."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

TITLES = ("what", "where", "pinned", "newest", "kept fresh by", "state")
NOT_LOOKED_UP = "not looked up"


@dataclass(frozen=True)
class Pin:
    """A version that stands in a file: where, which, and the newest one, or None if unknown."""

    what: str
    where: str
    pinned: str
    newest: str | None
    updater: str  # "Dependabot", or who else sees to it

    @property
    def state(self) -> str:
        """ "current", "behind" or "not looked up"; versions compare as PyPI's do."""
        if self.newest is None:
            return NOT_LOOKED_UP
        return "behind" if version_of(self.pinned) < version_of(self.newest) else "current"


@dataclass(frozen=True)
class Trial:
    """What was run with everything at its newest, and how it ended."""

    what: str
    state: str  # "passed", "BROKEN: ..." or "not run: ..."

    @property
    def broken(self) -> bool:
        """Whether it failed."""
        return self.state.startswith("BROKEN")

    @property
    def left_out(self) -> bool:
        """Whether it was not run."""
        return self.state.startswith("not run")


def version_of(version: str) -> Version:
    """A version that can be compared: of PyPI, of crates.io or a tag ("v4.2.0", "1.0.0+build")."""
    try:
        return Version(version)
    except InvalidVersion:  # crates: 0.1.0-rc.1+wasi.2
        numbers = re.match(r"v?(\d+(?:\.\d+)*)", version)
        if numbers is None:
            raise ValueError(
                f"{version!r} is no version: it does not begin with a number"
            ) from None
        return Version(numbers[1])


def layout(pins: Iterable[Pin], trials: Iterable[Trial]) -> str:
    """Lay out one Markdown table: what is broken first, then what is behind, then the rest.

    Pins that are current are told by their number for each file, not one by one.
    """
    trials = sorted(trials, key=lambda trial: not trial.broken)
    rows = [(trial.what, "rendered again", "", "all of it", "", trial.state) for trial in trials]
    merged: dict[tuple[str, str, str | None, str, str], list[str]] = {}
    current: dict[tuple[str, str], int] = {}
    for pin in pins:
        if pin.state == "current":
            current[pin.where, pin.updater] = current.get((pin.where, pin.updater), 0) + 1
        else:
            key = (pin.what, pin.pinned, pin.newest, pin.updater, pin.state)
            merged.setdefault(key, []).append(pin.where)
    for (what, pinned, newest, updater, state), places in sorted(
        merged.items(), key=lambda item: (item[0][4] != "behind", item[0][0], item[0][3])
    ):
        where = ", ".join(dict.fromkeys(places))
        rows.append((what, where, pinned, newest or "?", updater, state))
    for (where, updater), count in sorted(current.items()):
        rows.append((f"{count} pinned", where, "", "", updater, "current"))
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(TITLES, *cells, strict=True)]
    lines = [TITLES, ["-" * width for width in widths], *cells]
    return "\n".join(
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
