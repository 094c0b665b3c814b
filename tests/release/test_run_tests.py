"""release/tools/run_tests.py: the tests that cibuildwheel would run, away from the sources."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.template import PROJECT_FOLDER

RELEASE = PROJECT_FOLDER / "release"


@pytest.mark.parametrize("setting", ["text", "list"])
def test_the_tests_are_run_away_from_the_sources(run: Run, tmp_path: Path, setting: str) -> None:
    """A package next to the tests is not what they import, and their status is the program's."""
    shutil.copytree(RELEASE, tmp_path / "release", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "helper.py").touch()
    (tmp_path / "checks").mkdir()
    (tmp_path / "data.txt").write_text("x")
    code = "import pathlib; assert pathlib.Path('data.txt').read_text() == 'x'; import helper"
    (tmp_path / "checks" / "check.py").write_text(code)
    sources, command = ["checks", "data.txt"], ["python -c ''", "python -m checks.check"]
    as_text = setting == "text"
    settings = {
        "test-sources": " ".join(sources) if as_text else sources,
        "test-command": " && ".join(command) if as_text else command,
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    (tmp_path / "pyproject.toml").write_text("".join(["[tool.cibuildwheel]\n", *lines]))
    run_tests = (sys.executable, "release/tools/run_tests.py")
    result = run(*run_tests, cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert "No module named 'helper'" in result.stdout
    (tmp_path / "checks" / "check.py").write_text(code.removesuffix("; import helper"))
    assert run(*run_tests, cwd=tmp_path).stdout == ""


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "[tool.cibuildwheel] has no test-command"),
        (
            '[tool.cibuildwheel]\ntest-command = "true"\ntest-sources = ["tset"]',
            "test-sources names 'tset', which does not exist",
        ),
    ],
)
def test_what_cannot_be_tested_is_said(run: Run, tmp_path: Path, table: str, sentence: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    result = run(sys.executable, RELEASE / "tools" / "run_tests.py", cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout
