"""`nox -r` and `nox -R` keep an environment; the wheel in it is always that of the sources."""

import subprocess
import sys

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from tools.template import BACKENDS

pytestmark = pytest.mark.builds


# The second tool: pip and uv each have rules of their own for a version that is there already.
@pytest.mark.parametrize(
    ("backend", "reuse", "tool"),
    list(zip(BACKENDS, ["-r", "-R"], ["virtualenv", "uv"], strict=True)),
)
def test_a_kept_environment_tests_the_sources_as_they_are(
    backend: str, reuse: str, tool: str, render: Render, run: Run
) -> None:
    project = render(build_backend=backend)
    kernel = project / "rust" / "kernel.rs"
    right = kernel.read_text("utf-8")
    wrong = right.replace("from(a == b)", "from(a != b)")
    assert wrong != right
    session = ("--session", f"tests-3.{sys.version_info.minor}", f"--default-venv-backend={tool}")

    def tested(*options: str) -> subprocess.CompletedProcess[str]:
        command = ("nox", *options, *session, "--", "tests/test_fast_doubles.py")
        return run(*command, cwd=project, check=False, **QUICK)

    first = tested()
    assert first.returncode == 0, first.stdout
    assert f"Creating virtual environment ({tool})" in first.stdout
    kernel.write_text(wrong, "utf-8")
    second = tested(reuse)
    assert "Reusing existing virtual environment" in second.stdout, second.stdout
    assert "FAILED tests/test_fast_doubles.py::" in second.stdout, second.stdout
    kernel.write_text(right, "utf-8")
    third = tested(reuse)
    assert third.returncode == 0, third.stdout
