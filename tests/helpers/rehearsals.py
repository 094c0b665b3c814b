"""What a rehearsal leaves alone, and what it prints."""

import shutil
from pathlib import Path

from helpers.fixture_types import Run

# The wheel that it builds: of the next version, with the default floor.
WHEEL = r"fast_doubles-0\.1\.1-cp311-abi3-\w+\.whl"


def state(project: Path, run: Run) -> list[str]:
    """All that a rehearsal must leave alone."""
    questions = ["rev-parse HEAD", "tag", "status --porcelain --ignored", "config --list --local"]
    return [run("git", *question.split(), cwd=project).stdout for question in questions]


def tidy(project: Path) -> None:
    """Delete what nox and Python keep, and git ignores."""
    shutil.rmtree(project / ".nox")
    for bytecode in project.rglob("__pycache__"):
        shutil.rmtree(bytecode)
