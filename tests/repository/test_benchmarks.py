"""The benchmarks compare like with like, and their check sees a goal that is missed."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools.template import PROJECT_FOLDER, TEMPLATE

BENCHMARKS = TEMPLATE / "benchmarks"
OPPONENTS = tomllib.loads((BENCHMARKS / "opponents" / "Cargo.toml").read_text("utf-8"))
CARGO = (PROJECT_FOLDER / "Cargo.toml").read_text("utf-8").replace("{{ ", "").replace(" }}", "")
PROJECT = tomllib.loads(CARGO)

ARTICLE = ["Rust, bytes once", "Rust, chars once", "Rust, chars twice", "C through SWIG", "regex"]
OTHERS = ["handwritten C, METH_O", "numpy, count_nonzero", "article: Python, zip"]
SCRIPTS = ["ASCII", "Latin-1", "Cyrillic", "CJK", "emoji", "mixed"]
OURS = "this template's wheel"


def test_opponents_in_rust_are_compiled_like_the_rendered_package() -> None:
    assert OPPONENTS["profile"]["release"] == PROJECT["profile"]["release"]
    assert (
        OPPONENTS["dependencies"]["pyo3"]["version"] == PROJECT["dependencies"]["pyo3"]["version"]
    )
    ours, theirs = (
        re.findall(r'name = "pyo3"\nversion = "([\d.]+)"', lock.read_text("utf-8"))
        for lock in (PROJECT_FOLDER / "Cargo.lock", BENCHMARKS / "opponents" / "Cargo.lock")
    )
    assert ours == theirs != []


def test_locks_of_tests_and_benchmarks_can_be_installed_together() -> None:
    pin = re.compile(r"^([a-z][\w-]*)==([^\s\\;]+)", re.M)
    tests, benchmarks = (
        dict(pin.findall((folder / "requirements.txt").read_text("utf-8")))
        for folder in (TEMPLATE, BENCHMARKS)
    )
    shared = tests.keys() & benchmarks.keys()
    assert {name: tests[name] for name in shared} == {name: benchmarks[name] for name in shared}


def test_page_has_the_marks_between_which_it_is_written() -> None:
    page = (TEMPLATE / "docs" / "benchmarks.md").read_text("utf-8")
    assert re.search(r"\n<!-- measured -->\n.+\n<!-- end -->\n", page, re.DOTALL)


def run_of(folder: Path, times_slower: float) -> Path:
    """A run in which all others take `times_slower` times as long as ours, which takes 1 s."""

    def row(variant: str, script: str, length: int, kind: str, mode: str) -> dict[str, Any]:
        names = ("variant", "script", "length", "kind", "mode", "calls", "grows")
        median = 1.0 if variant == OURS else times_slower
        info = dict(zip(names, (variant, script, length, kind, mode, 1, 0), strict=True))
        return {"extra_info": info, "stats": {"median": median}}

    rows = [
        row(variant, script, length, kind, mode)
        for variant in [OURS, *OTHERS, *(f"article: {name}" for name in ARTICLE)]
        for script in SCRIPTS
        for length in (0, 10, 1_000_000)
        for kind in ("str", "bytes")
        for mode in ("fresh", "repeated")
    ]
    times = {"machine_info": {}, "datetime": "2026-11-21T12:00:00", "benchmarks": rows}
    (folder / "times.json").write_text(json.dumps(times))
    (folder / "memory.json").write_text(json.dumps({OURS: 0}))
    (folder / "gil.json").write_text("[]")
    for name in ("kernel", "memchr"):
        for size in ("1000000", "100000000"):
            file = folder / "criterion" / "bandwidth" / name / size / "new" / "estimates.json"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps({"median": {"point_estimate": int(size) / 40}}))
    return folder


@pytest.mark.parametrize(
    ("times_slower", "missed"),
    [(1000, []), (499, ["zip"]), (14, ["Rust", "regex", "zip", "zip"])],
)
def test_check_names_the_goals_that_are_missed(
    times_slower: float, missed: list[str], tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-B",
        str(BENCHMARKS / "goals.py"),
        str(run_of(tmp_path, times_slower)),
    ]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    lines = [line for line in result.stdout.splitlines() if line.startswith("falls short: ")]
    assert len(lines) == len(missed)
    for line, word in zip(lines, missed, strict=True):
        assert word in line
    assert result.returncode == bool(missed), result.stderr
