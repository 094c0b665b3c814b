"""docs/explanation/which-crate-when.md: the canary reads all of its tables, and reports changes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tools.canary import __main__ as canary
from tools.canary import crate_page, lookup, newest, workspace
from tools.canary.crate_page import Row
from tools.canary.table import Pin

PAGE = crate_page.PAGE.read_text("utf-8")
ROWS = crate_page.rows(PAGE)
VERDICTS = dict(re.findall(r"^\| \[(.*?)\]\(.*?\) \|.*?\|.*?\| (\w+) \|", PAGE, re.M))

# What `cargo info --verbose` printed on 25 November 2026, shortened.
PYO3_LOG = """\
pyo3-log #pyo3 #python #logging
Logging bridge from pyo3 native extension to python
version: 0.13.5
rust-version: 1.74
features:
  kv = [log/kv]
dependencies:
 +arc-swap@~1
 +log@~0.4.21
 +pyo3@>=0.26, <0.31
"""
PYO3_POLARS = """\
pyo3-polars
Expression plugins and PyO3 types for polars
version: 0.28.0
rust-version: unknown
features:
  pyo3-polars-derive = [dep:pyo3-polars-derive]
dependencies:
 +polars@0.55.1
 +pyo3@0.29
 +thiserror@2
  pyo3-polars-derive@0.22.0
"""
DICT_DERIVE = """\
dict_derive #pyo3 #derive #dict
Derive macros for some PyO3 traits to convert python dicts into rust structs
version: 0.6.0
dependencies:
 +proc-macro2@1
 +quote@1
 +syn@1
"""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Let cargo answer for some crates, and nothing else answer."""
    monkeypatch.setattr(workspace, "FOLDER", tmp_path)

    def feed(**recorded: str) -> None:
        def output(*command: str | Path, **options: object) -> str | None:
            words = [str(word) for word in command]
            return recorded.get(words[-1].replace("-", "_")) if words[0] == "cargo" else None

        monkeypatch.setattr(workspace, "output_or_none", output)

    return feed


def page_with(*lines: str) -> str:
    """A page with one table of these rows."""
    head = (
        "| crate or tool | version | PyO3 | verdict | what for |\n| --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *lines, "", "The end."])


def test_every_row_of_every_table_is_read() -> None:
    """Counted otherwise than the canary does: lines that are neither title nor another table's."""
    beginnings = re.findall(r"^\| \[?([\w-]+)\b.* \|$", PAGE, re.M)
    verdicts = {"used", "built", "resolves", "refused", "broken"}
    others = {"crate", "verdict", "---"} | verdicts
    assert [row.name for row in ROWS] == [name for name in beginnings if name not in others]
    assert len(ROWS) == 25
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if row.on_pypi] == ["rustimport", "maturin", "setuptools-rust"]
    assert Row("pyo3-log", False, "0.13.5", ">=0.26, <0.31") in ROWS
    assert set(VERDICTS.values()) == verdicts


def test_refused_are_those_that_want_another_pyo3() -> None:
    """A bare "0.29" is 0.29 and its patches: cargo's rule for versions below 1."""
    pyo3 = next(row.version for row in ROWS if row.name == "pyo3")
    for row in ROWS:
        if row.pyo3 not in ("none", "-"):
            bare = re.sub(r"^(\d+\.\d+).*", r"==\1.*", row.pyo3)
            assert (VERDICTS[row.name] == "refused") == (pyo3 not in SpecifierSet(bare)), row


@pytest.mark.parametrize(
    "line",
    [
        "| numpy | 0.30.0 | 0.30.0 | used | arrays |",
        "| [numpy](https://crates.io/crates/ndarray) | 0.30.0 | 0.30.0 | used | arrays |",
        "| [numpy](https://crates.io/crates/numpy) | newest | 0.30.0 | used | arrays |",
        "| [numpy](https://crates.io/crates/numpy) | 0.30.0 | - | used | arrays |",
        "| [numpy](https://crates.io/crates/numpy) | 0.30.0 | used | arrays |",
        "| [maturin](https://pypi.org/project/maturin/) | 1.16.0 | none | used | wheels |",
    ],
)
def test_row_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="row that cannot be read") as caught:
        crate_page.rows(page_with(line))
    assert line in str(caught.value)


def test_version_and_requirement_are_read_from_what_cargo_prints(
    answers: Callable[..., None],
) -> None:
    answers(pyo3_log=PYO3_LOG, pyo3_polars=PYO3_POLARS, dict_derive=DICT_DERIVE)
    assert newest.crate_and_pyo3("pyo3-log") == ("0.13.5", ">=0.26, <0.31")
    assert newest.crate_and_pyo3("pyo3-polars") == ("0.28.0", "0.29")
    assert newest.crate_and_pyo3("dict_derive") == ("0.6.0", "none")
    assert newest.crate_and_pyo3("not-there") == (None, None)


def states(page: list[Row], pypi: dict[str, str]) -> dict[str, str]:
    """What the canary says of each fact: its name to its state."""
    return {pin.what: pin.state for pin in crate_page.facts(page, pypi)}


def test_each_change_is_reported_by_name(answers: Callable[..., None]) -> None:
    page = [
        Row("pyo3-log", False, "0.13.4", ">=0.26, <0.31"),  # stale
        Row("pyo3-polars", False, "0.28.0", "0.28"),  # another PyO3
        Row("dict_derive", False, "0.6.0", "none"),
        Row("pythonize", False, "0.29.0", "0.29"),  # no answer
        Row("maturin", True, "1.16.0", "-"),
        Row("rustimport", True, "1.7.0", "-"),  # stale
    ]
    answers(pyo3_log=PYO3_LOG, pyo3_polars=PYO3_POLARS, dict_derive=DICT_DERIVE)
    assert states(page, {"maturin": "1.16.0", "rustimport": "1.7.1"}) == {
        "pyo3-log": "behind",
        "pyo3-log: its PyO3": "current",
        "pyo3-polars": "current",
        "pyo3-polars: its PyO3": "behind",
        "dict_derive": "current",
        "dict_derive: its PyO3": "current",
        "pythonize": "not looked up",
        "pythonize: its PyO3": "not looked up",
        "maturin": "current",
        "rustimport": "behind",
    }


def test_crate_that_begins_to_want_pyo3_is_reported(answers: Callable[..., None]) -> None:
    answers(dict_derive=f"{DICT_DERIVE} +pyo3@0.30\n")
    row = Row("dict_derive", False, "0.6.0", "none")
    assert states([row], {})["dict_derive: its PyO3"] == "behind"


def test_every_fact_of_the_page_is_in_the_canarys_table(answers: Callable[..., None]) -> None:
    answers()
    found, _ = lookup.look_up()
    where = "docs/explanation/which-crate-when.md"
    named = [row.name for row in ROWS] + [f"{r.name}: its PyO3" for r in ROWS if not r.on_pypi]
    assert sorted(pin.what for pin in found if pin.where == where) == sorted(named)


def test_changes_stand_in_the_table_like_other_pins(
    answers: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers(pyo3_log=PYO3_LOG.replace("<0.31", "<0.32"))
    page = [Row("pyo3-log", False, "0.13.4", ">=0.26, <0.31")]

    def look_up() -> tuple[list[Pin], dict[str, str]]:
        return list(crate_page.facts(page, {})), {}

    monkeypatch.setattr(lookup, "look_up", look_up)
    assert canary.main(["--look"]) == 0
    cells = [[c.strip() for c in line.split("|")] for line in capsys.readouterr().out.splitlines()]
    where, updater = "docs/explanation/which-crate-when.md", "the canary alone"
    assert cells[2:4] == [
        ["", "pyo3-log", where, "0.13.4", "0.13.5", updater, "behind", ""],
        ["", "pyo3-log: its PyO3", where, ">=0.26, <0.31", ">=0.26, <0.32", updater, "behind", ""],
    ]
    assert ["0 broken, 2 behind, 0 not looked up, 0 not run."] in cells
