"""The tables of docs/explanation/which-crate-when.md, and what crates.io and PyPI say today."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.canary import newest, workspace
from tools.canary.pins import THE_CANARY
from tools.canary.table import NOT_LOOKED_UP, Pin
from tools.template import TEMPLATE

PAGE = TEMPLATE / "docs" / "explanation" / "which-crate-when.md"
TITLES = "| crate or tool | version | PyO3 |"
NOTHING = "-"  # in the column PyO3: the index of PyPI knows no crates
ROW = re.compile(
    r"\| \[(?P<name>[\w-]+)\]\(https://(?P<index>crates\.io/crates|pypi\.org/project)/(?P=name)/?\)"
    r" \| (?P<version>\d[^ |]*) \| (?P<pyo3>[^|]+?) \| [^|]+ \| [^|]+ \|"
)


class Row(NamedTuple):
    """What the page says of a crate, or of a package on PyPI."""

    name: str
    on_pypi: bool
    version: str
    pyo3: str  # the PyO3 that it wants, as cargo prints it; "none"; or "-" for a package on PyPI


class Wanted(Pin):
    """A requirement that stands in a file. It has no order: another one is a newer one."""

    @property
    def state(self) -> str:
        """ "current", "behind" where the two differ, or "not looked up"."""
        if self.newest is None:
            return NOT_LOOKED_UP
        return "current" if self.pinned == self.newest else "behind"


def rows(page: str) -> list[Row]:
    """Read each row of each table on crates: of those whose first titles are TITLES.

    Raises:
        ValueError: a row is not of the form of ROW, or a dash does not stand where PyPI is linked.
    """
    found = []
    for table in re.findall(rf"^{re.escape(TITLES)}.*\n\|[-| ]+\|\n((?:\|.*\n)*)", page, re.M):
        for line in table.splitlines():
            row = ROW.fullmatch(line)
            if row is None or (row["pyo3"] == NOTHING) != (row["index"] == "pypi.org/project"):
                raise ValueError(f"{PAGE.name} has a row that cannot be read: {line}")
            on_pypi = row["index"] == "pypi.org/project"
            found.append(Row(row["name"], on_pypi, row["version"], row["pyo3"]))
    return found


def facts(page: Iterable[Row], pypi: dict[str, str]) -> Iterator[Pin]:
    """Each version and each requirement of the page, and those of today.

    Args:
        page: the rows.
        pypi: the newest version of each package on PyPI, name to version.
    """
    where = workspace.short_path(PAGE)
    for row in page:
        if row.on_pypi:
            yield Pin(row.name, where, row.version, pypi.get(row.name), THE_CANARY)
            continue
        version, wanted = newest.crate_and_pyo3(row.name)
        yield Pin(row.name, where, row.version, version, THE_CANARY)
        yield Wanted(f"{row.name}: its PyO3", where, row.pyo3, wanted, THE_CANARY)
