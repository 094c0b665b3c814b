"""Usage: python report.py FOLDER, with what `nox -s benchmarks` left in the folder.

Writes the tables into docs/benchmarks.md, two charts next to it, and the figures of
docs/explanation/from-c-interfaces.md.
"""

import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cffi
import charts
import goals
import numpy
from charts import duration, ratio
from interfaces import INTERFACES, given_str
from results import OURS, Results
from texts import HUGE, MILLION, SCRIPTS
from variants import VARIANTS

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"
INTERFACES_PAGE = DOCS / "explanation" / "from-c-interfaces.md"
MEASURED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end -->)", re.DOTALL)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def comparison(results: Results, columns: dict[str, dict[str, Any]]) -> str:
    """A table of all variants: time, and how many times ours, of each column's input."""

    def cell(name: str, given: dict[str, Any]) -> str:
        try:
            own, time = results.time(OURS, **given), results.time(name, **given)
        except KeyError:  # the variant does not take such a value
            return ""
        return f"**{duration(time)}**" if name == OURS else f"{duration(time)} {ratio(time / own)}"

    def rows() -> Iterator[list[str]]:
        for variant in VARIANTS:
            cells = [cell(variant.name, given) for given in columns.values()]
            if any(cells):
                yield [variant.label, *cells]

    return table(["", *columns], rows())


def printed(*command: str) -> str:
    """The first line that is not empty of what a command prints."""
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return output.strip().splitlines()[0].strip()


def surroundings(results: Results, library: ModuleType = numpy) -> str:
    """The machine, the versions, the date; of the Python libraries, the one that is given."""
    machine = results.machine
    cpu = machine["cpu"]
    versions = [
        f"CPython {machine['python_implementation_version']}",
        printed("rustc", "--version").split(" (")[0],
        f"gcc {printed('gcc', '-dumpfullversion')}",
        printed("swig", "-version"),
        f"{library.__name__} {library.__version__}",
    ]
    return (
        f"Measured on {results.date} on {cpu['brand_raw']} ({machine['machine']}, {cpu['count']} "
        f"cores), {platform.system()}; {', '.join(versions)}.\n"
    )


def measured(results: Results) -> str:
    """All that stands between the two marks of the page."""
    texts = {script: {"script": script} for script in SCRIPTS}
    data = {"1 MB": MILLION, "10 bytes": 10, "empty": 0, "100 MB": HUGE}
    megabytes = [f"{size // MILLION} MB" for size in (MILLION, HUGE)]
    bandwidth = [
        [name, *(f"{results.bandwidth[name, size]:.1f} GB/s" for size in (MILLION, HUGE))]
        for name in ("kernel", "memchr")
    ]
    memory = [
        [
            variant.label,
            *(f"{results.grows[variant.name, script]:,}" for script in SCRIPTS),
            f"{results.peak[variant.name] / 1e6:.0f} MB",
        ]
        for variant in VARIANTS
    ]
    gil = [
        [f"{row['KiB']:,} KiB", row["situation"], f"{row['held']:.1f}", f"{row['released']:.1f}"]
        for row in results.gil
    ]
    goal_rows = [outcome.row() for outcome in goals.outcomes(results)]
    parts = [
        surroundings(results),
        "### ASCII text, and bytes\n",
        comparison(
            results,
            {
                "one million letters": {},
                "fresh": {"mode": "fresh"},
                "10 letters": {"length": 10},
                "100 million": {"length": HUGE},
            },
        ),
        comparison(
            results, {name: {"kind": "bytes", "length": size} for name, size in data.items()}
        ),
        "### One million characters of other scripts, first call on a fresh text\n",
        comparison(results, {name: {**given, "mode": "fresh"} for name, given in texts.items()}),
        "### The same, called again on the same text\n",
        comparison(results, texts),
        "### Ten characters\n",
        comparison(results, {name: {**given, "length": 10} for name, given in texts.items()}),
        "### The physical limit\n",
        table(["pure Rust, no Python", *megabytes], bandwidth),
        "### Memory\n",
        "By how many bytes a call makes a text of one million characters larger for good\n"
        "(`sys.getsizeof`), and by how much counting in 100 MB of ASCII text raises the peak.\n",
        table(["", *SCRIPTS, "peak"], memory),
        "### The GIL\n",
        "Gigabytes per second that all counting threads get through.\n",
        table(["data", "situation", "GIL held", "GIL released"], gil),
        "### Goals\n",
        table(["ratio of medians", "goal", "measured", "reached"], goal_rows),
    ]
    return "\n" + "\n".join(parts)


def interfaces(results: Results) -> str:
    """All that stands between the two marks of the page on interfaces."""
    lengths = {"10 bytes": 10, "empty": 0, "1 MB": MILLION, "100 MB": HUGE}

    def row(name: str) -> list[str]:
        times = (
            results.time(INTERFACES[name].name, kind="bytes", length=length)
            for length in lengths.values()
        )
        return [name, *map(duration, times), given_str(name)]

    rows = table(["", *lengths, "given a `str`"], map(row, INTERFACES))
    return f"\n{surroundings(results, cffi)}\n{rows}"


def write(text: str, page: Path) -> None:
    """Put a text between the two marks of a page. Exits if the marks are missing."""
    whole = page.read_text("utf-8")
    if not MEASURED.search(whole):
        sys.exit(f"{page} lacks the lines <!-- measured --> and <!-- end -->: put them back.")
    page.write_text(MEASURED.sub(lambda _: text, whole), "utf-8")


def main(folder: Path) -> None:
    results = Results(folder)
    write(measured(results), PAGE)
    write(interfaces(results), INTERFACES_PAGE)
    charts.draw(results, DOCS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
