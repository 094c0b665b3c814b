"""Fixtures of the tests of a release."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from helpers.gate_runs import FIVE_WHEELS, GATE_ALONE, Refuse
from helpers.local_index import LocalIndex
from helpers.preflight_runs import URL, WITHOUT_CRATES, Preflight
from helpers.release_programs import platforms
from helpers.release_runs import A_FEW_WHEELS, Built, Project
from helpers.rendering import ADA, put_own_code
from helpers.small_wheels import make_set
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


@pytest.fixture
def pypi(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "pypi") as index:
        yield index


@pytest.fixture
def testpypi(tmp_path: Path, pypi: LocalIndex) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "testpypi") as index:
        index.password = pypi.password
        yield index


@pytest.fixture(scope="module")
def new_project(
    render: Render, run: Run, runner_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Project]:
    """Render, perhaps with another list of platforms; push to a bare repository, tag v0.1.0."""

    def new_project(wheels: str = "", **answers: str) -> Project:
        folder = tmp_path_factory.mktemp("release")
        project = Project(folder / "fast-doubles", folder / "origin.git", runner_python, run)
        shutil.copytree(
            render(**ADA, **answers), project.clone, ignore=shutil.ignore_patterns(".git")
        )
        put_own_code(project.clone)
        # Where the index does not show all at once, that is a fault: nothing is waited for.
        program = project.clone / "release" / "tools" / "published.py"
        text = program.read_text("utf-8")
        assert "default=10" in text
        program.write_text(text.replace("default=10", "default=0"), "utf-8")
        if wheels:
            (project.clone / "release" / "wheels.txt").write_text(wheels)
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("init", "--quiet", "--bare", "--initial-branch=main", project.origin)
        project.git("remote", "add", "origin", project.origin)
        project.push("Start", "refs/heads/main", "refs/tags/v0.1.0")
        return project

    return new_project


@pytest.fixture(scope="module")
def built(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path_factory: pytest.TempPathFactory,
) -> Built:
    """One platform of each system: each job's time grows with the number of files."""
    folder = tmp_path_factory.mktemp("built")
    project = new_project(A_FEW_WHEELS, build_backend=backend)
    with LocalIndex(folder / "none") as none:
        run = project.workflow(folder / "run", none, none).run(until="wheels")
    assert run.results == dict.fromkeys(["check", "sdist", "plan", "wheels"], "success"), (
        run.printed
    )
    return Built(project, run)


@pytest.fixture
def rehearse(
    run: Run, scratch: Path, one_python: str
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run release/tools/rehearse.py in a project, with the template's own locked tools."""

    def rehearse(
        project: Path, *arguments: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return run(
            *(sys.executable, "release/tools/rehearse.py", *arguments),
            cwd=project,
            check=check,
            **{"TMPDIR": str(scratch), "PATH": one_python, **QUICK, **variables},
        )

    return rehearse


@pytest.fixture
def promised(render: Render) -> Path:
    """A rendering that promises five wheels, and these in dist/, with an sdist."""
    project = render()
    (project / "release" / "wheels.txt").write_text(FIVE_WHEELS)
    make_set(project / "dist", platforms.read_wheels(project / "release" / "wheels.txt"))
    return project


@pytest.fixture
def refuse(promised: Path, run: Run) -> Refuse:
    """Run the gate on dist/; return what it says, or fail if it passes."""

    def refuse(*arguments: str, tools: bool = True) -> str:
        program = ("release/tools/gate.py",) if tools else ("-c", GATE_ALONE)
        result = run(sys.executable, *program, "dist", *arguments, cwd=promised, check=False)
        assert result.returncode != 0, result.stdout
        assert "Traceback" not in result.stdout, result.stdout
        return result.stdout

    return refuse


@pytest.fixture
def project(repository: Callable[..., Path], run: Run) -> Path:
    """A rendering with an owner and an origin."""
    project = repository(**ADA)
    run("git", "remote", "add", "origin", f"{URL}.git", cwd=project)
    run("git", "update-ref", "refs/remotes/origin/main", "HEAD", cwd=project)
    return project


@pytest.fixture
def preflight(project: Path, run: Run) -> Preflight:
    """Run the preflight, with or without its look at the crates; its status, and what it prints."""

    def preflight(*arguments: str, crates: bool = False, **variables: str) -> tuple[int, str]:
        program = ("release/tools/preflight.py",) if crates else ("-c", WITHOUT_CRATES)
        command = (sys.executable, *program, *arguments)
        result = run(*command, cwd=project, check=False, **variables)
        assert "Traceback" not in result.stdout, result.stdout
        return result.returncode, result.stdout.strip()

    return preflight
