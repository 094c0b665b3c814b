"""docs/explanation/from-c-interfaces.md: its code compiles, its interfaces are those measured."""

import ast
import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from helpers.builds import cargo_target
from helpers.fixture_types import Run
from helpers.pages import read
from tools.template import PROJECT_FOLDER, TEMPLATE

PAGE = read("explanation/from-c-interfaces.md")
CRATE = Path(__file__).parent / "from_rust_cpython"
MANIFEST = CRATE / "Cargo.toml"

# Run with a module of each crate: what it prints must be the same for both.
CALLS = """\
import json
import _native

def error(text):
    try:
        return _native.count(text)
    except ValueError as error:
        return [type(error).__name__, str(error)]

counter = _native.Counter(5)
print(json.dumps([
    _native.__doc__, _native.count("aab"), error(""), _native.larger(3), _native.larger(3, by=4),
    counter.add("aaa"), counter.so_far, len(counter), [c.__name__ for c in _native.Refused.__mro__],
]))
"""
PRINTED = [
    *("Counts doubles.", 1, ["ValueError", "empty"], 4, 7, 7, 7, 7),
    ["Refused", "ValueError", "Exception", "BaseException", "object"],
]


def table(text: str) -> list[list[str]]:
    r"""The rows of the one Markdown table of a text, its head first; `\|` is a | in a cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [re.split(r" *(?<!\\)\| *", line)[1:-1] for line in lines]
    assert set("".join(rows.pop(1))) <= set("-: ")
    return [[cell.replace(r"\|", "|") for cell in row] for row in rows]


TRANSLATION = table(PAGE.section("From rust-cpython to PyO3").text)


@pytest.mark.parametrize(("column", "source"), [(1, "rust_cpython.rs"), (2, "pyo3.rs")])
def test_code_of_the_table_stands_in_what_is_compiled(column: int, source: str) -> None:
    compiled = " ".join(f"{(CRATE / source).read_text()}\n{MANIFEST.read_text()}".split())
    for row in TRANSLATION[1:]:
        assert len(row) == 3
        for code in re.findall(r"`([^`]+)`", row[column]):
            assert code in compiled, row[0]
    with_code = [row for row in TRANSLATION[1:] if "`" in row[column]]
    assert len(with_code) >= 20


def test_versions_of_the_table_are_those_that_are_compiled() -> None:
    crates = tomllib.loads(MANIFEST.read_text("utf-8"))["dependencies"]
    rust_cpython, pyo3 = (crates[name]["version"] for name in ("cpython", "pyo3"))
    assert TRANSLATION[0][1:] == [f"rust-cpython {rust_cpython}", f"PyO3 {pyo3}"]
    assert f'pyo3 = {{ version = "{pyo3}"' in (PROJECT_FOLDER / "Cargo.toml").read_text("utf-8")


@pytest.mark.builds
@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info >= (3, 14),
    reason="rust-cpython was tried on Linux, with Python 3.11 to 3.13",
)
def test_both_columns_compile_and_make_the_same_module(run: Run, tmp_path: Path) -> None:
    target = cargo_target()
    run(
        *("cargo", "build", "--locked", "--lib", "--examples"),
        cwd=CRATE,
        CARGO_TARGET_DIR=target,
        PYO3_BUILD_EXTENSION_MODULE="1",
        PYO3_PYTHON=sys.executable,
        PYTHON_SYS_EXECUTABLE=sys.executable,
    )
    for library in ("libfrom_rust_cpython.so", "examples/libpyo3.so"):
        folder = tmp_path / Path(library).stem
        folder.mkdir()
        shutil.copy(Path(target, "debug", library), folder / "_native.so")
        printed = run(sys.executable, "-c", CALLS, cwd=folder).stdout
        assert json.loads(printed) == PRINTED, library


def interfaces() -> list[str]:
    """The names of the interfaces that `nox -s benchmarks` measures, in their order."""
    program = ast.parse((TEMPLATE / "benchmarks" / "interfaces.py").read_text("utf-8"))
    (names,) = [
        [ast.literal_eval(key) for key in statement.value.keys if key is not None]
        for statement in program.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict)
        if ast.unparse(statement.targets[0]) == "INTERFACES"
    ]
    return names


def test_page_has_the_marks_and_between_them_the_interfaces_that_are_measured() -> None:
    section = PAGE.section("One kernel, five interfaces")
    (measured,) = re.findall(r"\n<!-- measured -->\n(.+)\n<!-- end -->\n", section.text, re.DOTALL)
    assert "<!-- measured -->" not in PAGE.text.replace(section.text, "")
    assert re.search(r"Measured on \d{4}-\d\d-\d\d on .+; CPython .+, rustc .+, cffi ", measured)
    head, *rows = table(measured)
    assert [row[0] for row in rows] == interfaces()
    assert all(len(row) == len(head) and all(row) for row in rows)


def test_figures_bear_out_what_the_page_says_of_them() -> None:
    head, *rows = table(PAGE.section("One kernel, five interfaces").text)
    units = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3}

    def column(title: str) -> dict[str, float]:
        """The times of a column, in seconds, each with its interface."""
        times = {row[0]: row[head.index(title)].split() for row in rows}
        return {name: float(number) * units[unit] for name, (number, unit) in times.items()}

    long, short = column("1 MB"), column("10 bytes")
    assert max(long.values()) < 1.25 * min(long.values())
    (low, high), (swig,) = (
        [float(number) for number in re.findall(r"\d+", said)]
        for said in re.findall(r"(\d+ to \d+|less than \d+)\s+times", PAGE.text.replace("\n", " "))
    )
    own = short.pop("PyO3")
    assert short.pop("SWIG") < swig * own
    assert all(low * own < time < high * own for time in short.values())
    assert short["CFFI, API mode"] < short["CFFI, ABI mode"]


def test_interfaces_that_are_compared_are_those_that_are_measured() -> None:
    rows = table(PAGE.section("What each asks of you").text)
    assert [row[0] for row in rows[1:]] == interfaces()
