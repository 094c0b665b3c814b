"""Fixtures and pytest hooks: options, how the suite starts, what its summary says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from helpers import durations, surroundings
from helpers.builds import BUILD, UNOPTIMISED
from helpers.compiler_cache import compiler_cache
from helpers.fixture_types import CrossWheel, Render, Repository, Run
from helpers.rendering import ADA, put_own_code, rendered
from tools import stand_ins
from tools.machine import GIT, oldest_python, python_of, pythons
from tools.template import BACKENDS, PROJECT_FOLDER, PYTHONS, TEMPLATE

# The expression of `nox -s quick`.
NOTHING_BUILT = "not builds"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--arch",
        action="append",
        choices=list(stand_ins.ARCHITECTURES),
        help="architecture that cibuildwheel builds for, again for more (x86_64 and i686)",
    )
    parser.addoption(
        "--need-images",
        action="store_true",
        help="fail where cibuildwheel cannot run, instead of leaving it out",
    )
    parser.addoption(
        "--free-threaded",
        action="store_true",
        help="let cibuildwheel build for free-threaded Pythons too (x86_64; some minutes)",
    )
    parser.addoption(
        "--real-images",
        action="store_true",
        help="run cibuildwheel on its own images, from a registry, instead of on stand-ins",
    )


def pytest_configure(config: pytest.Config) -> None:
    surroundings.settle_environment()
    surroundings.deliver_signals()
    set_hypothesis_home_dir(BUILD / "hypothesis")
    if config.option.markexpr == NOTHING_BUILT:
        surroundings.forbid_builds()
    elif not config.option.collectonly:
        cache = ExitStack()
        cache.enter_context(compiler_cache())
        config.add_cleanup(cache.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that build: a long one at the end leaves the other workers idle."""
    items.sort(key=lambda item: item.get_closest_marker("builds") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = sorted(set(PYTHONS) - set(pythons()))
    terminalreporter.write_sep("-", "Pythons")
    terminalreporter.write_line(f"built and tested on: {', '.join(sorted(pythons()))}")
    if missing:
        terminalreporter.write_line(f"NOT on the PATH, nothing built on: {', '.join(missing)}")
    if lacks := stand_ins.missing():
        terminalreporter.write_line(
            f"LEFT OUT, because {', '.join(lacks)} is missing: cibuildwheel itself"
        )
    results = [report for reports in terminalreporter.stats.values() for report in reports]
    reports = [result for result in results if isinstance(result, pytest.TestReport)]
    if len(reports) > 100:
        terminalreporter.write_sep("-", "Where the time went")
        for line in durations.table(reports):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the template with some answers; return the project's folder, a copy for each call."""
    renderings: dict[tuple[tuple[str, str], ...], Path] = {}

    def render(**answers: str) -> Path:
        key = tuple(sorted(answers.items()))
        if key not in renderings:
            renderings[key] = rendered(answers, tmp_path_factory.mktemp("rendering"))
        # A build leaves files behind, and the next test compares bytes.
        copy = tmp_path_factory.mktemp("copy") / renderings[key].name
        return shutil.copytree(renderings[key], copy)

    return render


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend; a test that asks for it is run with both."""
    backend: str = request.param
    return backend


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables under which builds use the locked tools, and fetch no toolchain."""
    lock = (TEMPLATE / "requirements.txt").read_text("utf-8")
    constraints = tmp_path_factory.mktemp("lock") / "constraints.txt"
    constraints.write_text("\n".join(re.findall(r"^[a-z].*==[^\\\s]+(?: ;[^\\]+)?", lock, re.M)))
    # nox names its own environment to uv: `uv run` in a project would install into that one.
    of_the_session = ("NOX", "PYTEST", "UV_PROJECT", "UV_PYTHON", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(of_the_session)}
    return kept | {
        "CARGO_TERM_COLOR": "never",
        "MATURIN_NO_INSTALL_RUST": "1",
        # By default in each project: mypy would read the standard library's types each time.
        "MYPY_CACHE_DIR": str(BUILD / "mypy"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_BUILD_CONSTRAINT": str(constraints),
        "PIP_CONSTRAINT": str(constraints),
        "PYTHONUTF8": "1",
        "UV_BUILD_CONSTRAINT": str(constraints),
        "UV_CONSTRAINT": str(constraints),
        "UV_PYTHON_DOWNLOADS": "never",
    }


@pytest.fixture(scope="session")
def run(environment: dict[str, str]) -> Run:
    """Run a command in a folder; return what it printed, or fail with all of it."""

    def run(
        *command: str | Path, cwd: Path, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if check and result.returncode != 0:
            pytest.fail(
                f"{command} ended with {result.returncode}:\n{result.stdout}", pytrace=False
            )
        return result

    return run


@pytest.fixture
def repository(render: Render, run: Run, tmp_path: Path) -> Repository:
    """Render with some answers into a git repository of its own, with one commit.

    With answers to all questions about the owner, the code is theirs too: a release refuses the
    sample.
    """

    def repository(**answers: str) -> Path:
        project = tmp_path / "fast-doubles"
        shutil.copytree(render(**answers), project, ignore=shutil.ignore_patterns(".git"))
        if ADA.keys() <= answers.keys():
            put_own_code(project)
        run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
        run("git", "add", "--all", cwd=project)
        run("git", "commit", "--quiet", "--message=Start", cwd=project, **GIT)
        return project

    return repository


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The folder for temporary files, below which cargo builds quickly.

    By its own configuration: variables for a profile or a cache do not reach a release.
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings = '[profile.release]\nlto = "off"\nopt-level = 1\ncodegen-units = 16\n'
    if cache := os.environ.get("RUSTC_WRAPPER"):
        wrapper = tmp_path / "compiler_cache.sh"
        names = [name for name in os.environ if name.startswith("SCCACHE")]
        known = "".join(f"export {name}={shlex.quote(os.environ[name])}\n" for name in names)
        wrapper.write_text(f'#!/bin/sh\n{known}exec {shlex.quote(cache)} "$@"\n')
        wrapper.chmod(0o755)
        settings += f"[build]\nrustc-wrapper = '{wrapper}'\n"
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo" / "config.toml").write_text(settings)
    return scratch


@pytest.fixture
def one_python(tmp_path: Path, environment: dict[str, str]) -> str:
    """A PATH on which no Python but the oldest is found: a rehearsal installs on each of them.

    A folder that holds another one is replaced by links to all else in it.
    """
    others = {f"python{version}" for version in pythons() if version != oldest_python()}
    folders = [Path(folder) for folder in environment["PATH"].split(os.pathsep) if folder]
    path = []
    for number, folder in enumerate(folders):
        if any((folder / name).exists() for name in others):
            links = tmp_path / "programs" / str(number)
            links.mkdir(parents=True)
            for program in folder.iterdir():
                if not re.match(r"(python|pypy)[\d.]*$", program.name) or (
                    program.name == f"python{oldest_python()}"
                ):
                    (links / program.name).symlink_to(program)
            path.append(links)
        else:
            path.append(folder)
    return os.pathsep.join(map(str, path))


@pytest.fixture(scope="module")
def runner_python(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runners' Python, with the locked tools that each job would install."""
    environment = tmp_path_factory.mktemp("runner") / "python"
    run("uv", "venv", "--seed", f"--python={sys.executable}", environment, cwd=environment.parent)
    python = python_of(environment)
    for lock in ("requirements.txt", "wheel-requirements.txt"):
        file = PROJECT_FOLDER / "release" / lock
        install = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
        run(*install, f"--requirement={file}", cwd=environment)
    return python


@pytest.fixture
def cross_wheel(render: Render, run: Run, tmp_path: Path) -> CrossWheel:
    """Cross-compile a wheel with maturin for an interpreter that need not be installed."""

    def cross_wheel(python: str, *arguments: str, floor: str = "3.11") -> Path:
        run(
            *(
                "maturin",
                "build",
                "--release",
                "--target=x86_64-unknown-linux-gnu",
                "--compatibility=linux",
            ),
            *(f"--interpreter=python{python}", f"--out={tmp_path / python}", *arguments),
            cwd=render(build_backend="maturin", python_floor=floor),
            **UNOPTIMISED,
            CARGO_TARGET_DIR=str(BUILD / "target-abi"),
            PYO3_CROSS="1",
            PYO3_CROSS_PYTHON_VERSION=python,
        )
        (wheel,) = (tmp_path / python).glob("*.whl")
        return wheel

    return cross_wheel
