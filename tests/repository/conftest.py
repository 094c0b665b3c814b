"""Fixtures of the tests of the repository itself."""

from pathlib import Path

import pytest

from helpers.fixture_types import Run
from helpers.rendering import copy_template
from tools.machine import GIT


@pytest.fixture
def copy(tmp_path: Path, run: Run) -> Path:
    """A copy of this repository, committed."""
    copy = copy_template(tmp_path / "copy")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=copy)
    run("git", "add", "--all", cwd=copy)
    run("git", "commit", "--quiet", "--message=Start", cwd=copy, **GIT)
    return copy
