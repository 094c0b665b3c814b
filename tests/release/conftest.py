"""Fixtures of the tests of a release."""

from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.machine import python_of


@pytest.fixture(scope="session")
def bump_commands(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """How each tool is started: they share a module's name, so one lives elsewhere."""
    environment = tmp_path_factory.mktemp("bump-my-version")
    lock = Path(__file__).parent / "bump-my-version" / "requirements.txt"
    run("uv", "venv", "--clear", environment, cwd=environment)
    python = python_of(environment)
    run(
        "uv",
        "pip",
        "install",
        f"--python={python}",
        "--require-hashes",
        f"--requirement={lock}",
        cwd=environment,
    )
    return {
        "bump2version": ["bump2version"],
        "bump-my-version": [str(python.with_name("bump-my-version")), "bump"],
    }
