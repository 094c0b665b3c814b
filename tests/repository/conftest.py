"""Fixtures of the tests of the repository itself."""

import shutil
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.machine import GIT
from tools.template import TEMPLATE, tracked


@pytest.fixture
def copy(tmp_path: Path, run: Run) -> Path:
    """A copy of this repository, committed."""
    copy = tmp_path / "copy"
    for file in tracked(TEMPLATE):
        (copy / file.relative_to(TEMPLATE)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy / file.relative_to(TEMPLATE))
    run("git", "init", "--quiet", "--initial-branch=main", cwd=copy)
    run("git", "add", "--all", cwd=copy)
    run("git", "commit", "--quiet", "--message=Start", cwd=copy, **GIT)
    return copy
