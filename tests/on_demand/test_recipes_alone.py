"""Each page of docs/recipes/ by itself, with both backends: `nox -s nightly`.

A page is followed in a fresh project, which passes its own nox; costs what the page says; and fails
by name when the page's line is broken.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from helpers import recipe_pages
from helpers.builds import BUILD, QUICK
from helpers.fixture_types import Render, Run
from tools.machine import oldest_python
from tools.template import BACKENDS

CHECKS = ("lint", "rust", f"tests-{oldest_python()}")
# Their wheels hold or need something that others do not: a release is rehearsed, too.
REHEARSED = ("a-command", "numpy", "python-from-rust")
# A recipe's own tools are the newest, and need not fit to the locked ones of this suite.
NEWEST = {"UV_CONSTRAINT": "", "PIP_CONSTRAINT": ""}
# As a user builds: the size of the wheel is looked at.
OPTIMISED = {"CARGO_TARGET_DIR": str(BUILD / "target-recipes")}


def crates(project: Path) -> set[str]:
    """The crates in the lock of a project."""
    return set(re.findall(r'^name = "(.+)"', (project / "Cargo.lock").read_text("utf-8"), re.M))


def kilobytes(project: Path, run: Run) -> float:
    """The size of the project's wheel."""
    folder = project / "build" / "wheel"
    run("uv", "build", "--wheel", f"--out-dir={folder}", cwd=project, **OPTIMISED)
    (wheel,) = folder.glob("*.whl")
    assert "-abi3-" in wheel.name
    return wheel.stat().st_size / 1000


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", recipe_pages.names())
def test_recipe_alone(name: str, backend: str, render: Render, run: Run) -> None:
    # It compiles for minutes, and needs the LLVM of rustc: no package of Debian or PyPI has it.
    if name == "coverage" and not shutil.which("cargo-llvm-cov"):
        pytest.skip("cargo-llvm-cov is not installed: the page says how")
    project = render(build_backend=backend)
    before = crates(project)
    small = kilobytes(project, run) if backend == "maturin" else 0
    run("git", "init", "--quiet", cwd=project)
    variables = QUICK | NEWEST
    recipe_pages.follow(
        name, project, lambda line: run("bash", "-ec", line, cwd=project, **variables)
    )
    run("git", "add", "--all", cwd=project)
    run("nox", "--session", "fix", cwd=project)
    recipe_pages.check_new_files_are_formatted(name, project)
    printed = run("nox", "--sessions", *CHECKS, cwd=project, **variables).stdout
    command = shlex.split(recipe_pages.broken_in(name).command)
    if command == ["nox"]:
        command += ["--sessions", *CHECKS[1:]]
    else:
        printed += run(*command, cwd=project, **variables).stdout
    recipe_pages.check_tests_ran(name, printed)

    cost = recipe_pages.cost(name)
    added = crates(project) - before
    assert len(added) == cost.crates, sorted(added)
    if backend == "maturin":
        grown = kilobytes(project, run) - small
        print(f"{name}: {grown:.1f} kB")
        assert grown == pytest.approx(cost.kilobytes, rel=0.2, abs=3)

    if name in REHEARSED:
        commit = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit")
        run("git", "add", "--all", cwd=project)
        run("git", *commit, "--quiet", "--message=Recipe", cwd=project)
        rehearsed = run("nox", "--session", "rehearse", cwd=project, **variables).stdout
        assert re.search(rf"install on {oldest_python()} +\S", rehearsed)

    broken = recipe_pages.broken(name, project)
    run("git", "add", "--all", cwd=project)
    printed = run(*command, cwd=project, check=False, **variables).stdout
    assert broken.test in recipe_pages.failed_tests(printed), printed
