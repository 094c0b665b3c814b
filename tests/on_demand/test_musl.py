"""Cross-compiled musllinux wheels on CPythons for musl, with a GIL and without: `nox -s cross`.

helpers/interpreters/linux.py says what of the interpreters is genuine. Alpine itself is not run.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.interpreters import TOOLS, CannotRun, linux
from tools.machine import python_of

MUSL = {"cp314": "cp311-abi3", "cp314t": "cp314-cp314t", "cp315t": "cp315-abi3.abi3t"}


@pytest.mark.parametrize("abi", MUSL)
def test_musl_wheel_is_chosen_by_pip_and_passes_the_tests(
    abi: str, cross_build: Callable[..., Path], render: Render, run: Run, tmp_path: Path
) -> None:
    try:
        interpreter = linux.put_together(abi, "musl", BUILD / "interpreters", run)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for built in ("abi3", "cp314t", "cp315t"):
        shutil.copy(cross_build("musllinux_1_2_x86_64", built), wheels)
    run("uv", "venv", "--seed", f"--python={interpreter}", "environment", cwd=tmp_path)
    python = python_of(tmp_path / "environment")
    locked = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
    run(*locked, f"--requirement={TOOLS}", cwd=tmp_path)
    pip = (python, "-m", "pip", "install", "--no-index", "--no-deps", f"--find-links={wheels}")
    printed = run(*pip, "fast-doubles", cwd=tmp_path).stdout
    assert f"-{MUSL[abi]}-musllinux_1_2_x86_64.whl" in printed
    tests = ("-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "--verbose", "tests")
    printed = run(python, *tests, cwd=render()).stdout
    assert re.search(r"\d\d passed", printed)
    assert ("test_import_leaves_the_gil_off PASSED" in printed) == abi.endswith("t")


def test_wheel_for_glibc_is_no_wheel_for_musl(render: Render, run: Run, tmp_path: Path) -> None:
    """It says musllinux, and the library wants glibc's names: the import fails."""
    interpreter = linux.put_together("cp314", "musl", BUILD / "interpreters", run)
    run("uv", "build", "--wheel", f"--out-dir={tmp_path}", cwd=render())
    (wheel,) = tmp_path.glob("*.whl")
    renamed = wheel.rename(re.sub(r"abi3-\w+", "abi3-musllinux_1_2_x86_64", str(wheel)))
    run("uv", "venv", "--seed", f"--python={interpreter}", "environment", cwd=tmp_path)
    python = python_of(tmp_path / "environment")
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", renamed, cwd=tmp_path)
    tests = run(python, "-c", "import fast_doubles", cwd=tmp_path, check=False)
    assert tests.returncode != 0
    assert re.search("libgcc_s|symbol not found", tests.stdout), tests.stdout
