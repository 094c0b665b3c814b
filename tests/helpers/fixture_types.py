"""The types of the fixtures in conftest.py that are functions."""

import subprocess
from pathlib import Path
from typing import Protocol


class Run(Protocol):
    """Runs a command in a folder, with more environment variables."""

    def __call__(
        self, *command: str | Path, cwd: Path, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Return the process, its output in `stdout`; where it fails, the test fails with it."""


class Render(Protocol):
    """Renders the template with some answers that are not the defaults."""

    def __call__(self, **answers: str) -> Path:
        """Return the folder of the project, which is the caller's alone."""


class Repository(Protocol):
    """Renders the template as `Render` does, into a git repository."""

    def __call__(self, **answers: str) -> Path:
        """Return the folder of the project: a git repository with one commit."""


class CrossWheel(Protocol):
    """Cross-compiles a wheel with maturin."""

    def __call__(self, python: str, *arguments: str, floor: str = "3.11") -> Path:
        """Return the wheel for an interpreter, such as 3.15t, that need not be installed."""
