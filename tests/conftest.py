"""Fixtures: renderings, the interpreters at hand, and the environment that builds run in."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import stand_ins
import surroundings
from answers import FLOORS, TEMPLATE
from cookiecutter.main import cookiecutter
from hypothesis.configuration import set_hypothesis_home_dir

# What tests write outside of temporary folders, cargo's output above all. It is kept between runs,
# and every worker has its own: two projects of one name put their library in one place.
BUILD = TEMPLATE / "build" / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "alone")

Render = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


def pythons_at_hand() -> dict[str, str]:
    """The interpreters on the PATH: minor version ("3.11") to the executable's path."""
    question = "import sys; print(sys.executable)"
    found = {}
    for version in [*FLOORS, "3.15"]:
        # pyenv has a command for every version, which fails for those not switched on.
        if command := shutil.which(f"python{version}"):
            answer = subprocess.run([command, "-c", question], capture_output=True, text=True)
            if answer.returncode == 0:
                found[version] = answer.stdout.strip()
    found.setdefault(f"3.{sys.version_info.minor}", sys._base_executable)  # type: ignore[attr-defined]
    return found


PYTHONS = pythons_at_hand()


def cargo_target(version: str = f"3.{sys.version_info.minor}") -> str:
    """The cargo target folder for an interpreter: in each, PyO3 is compiled once."""
    return str(BUILD / f"target-{version}")


# For builds whose library is not what is looked at: a quarter of the time.
QUICK = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_TARGET_DIR": cargo_target()}


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
        "--real-images",
        action="store_true",
        help="run cibuildwheel on its own images, from a registry, instead of on stand-ins",
    )


def pytest_configure(config: pytest.Config) -> None:
    surroundings.deliver_signals()
    set_hypothesis_home_dir(BUILD / "hypothesis")
    config.option.arch = config.option.arch or ["x86_64", "i686"]


def python_of(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    windows = sys.platform == "win32"
    return environment / "Scripts" / "python.exe" if windows else environment / "bin" / "python"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = sorted({*FLOORS, "3.15"} - set(PYTHONS))
    terminalreporter.write_sep("-", "Pythons")
    terminalreporter.write_line(f"built and tested on: {', '.join(sorted(PYTHONS))}")
    if missing:
        terminalreporter.write_line(f"NOT at hand, so nothing was built on: {', '.join(missing)}")
    if lacks := stand_ins.missing():
        terminalreporter.write_line(
            f"LEFT OUT, for want of {', '.join(lacks)}: cibuildwheel itself"
        )


def rendered(answers: dict[str, str], folder: Path, *, hooks: bool = True) -> Path:
    """Render the template into a folder, with cookiecutter's own settings; the project's folder."""
    return Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=str(folder),
            default_config=True,
            accept_hooks=hooks,
        )
    )


def hook(name: str) -> types.ModuleType:
    """A hook as a module, without answers."""
    module = types.ModuleType(name)
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8")
    exec(source.replace("{{ cookiecutter | tojson }}", "{}"), module.__dict__)
    return module


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


# Who commits, whatever the machine's own settings are.
GIT = {
    "GIT_AUTHOR_NAME": "A. U. Thor",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "A. U. Thor",
    "GIT_COMMITTER_EMAIL": "author@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@pytest.fixture
def repository(render: Render, run: Run, tmp_path: Path) -> Callable[..., Path]:
    """Render with some answers into a git repository of its own, with one commit."""

    def repository(**answers: str) -> Path:
        project = tmp_path / "fast-doubles"
        shutil.copytree(render(**answers), project, ignore=shutil.ignore_patterns(".git"))
        run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
        run("git", "add", "--all", cwd=project)
        run("git", "commit", "--quiet", "--message=Start", cwd=project, **GIT)
        return project

    return repository


def abi3t_arguments(project: Path) -> list[str]:
    """What cibuildwheel makes maturin build cp315t with."""
    manifest = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    (override,) = manifest["tool"]["cibuildwheel"]["overrides"]
    assert override["select"] == "cp315t-*"
    return shlex.split(override["environment"]["MATURIN_PEP517_ARGS"])


@pytest.fixture
def cross_wheel(render: Render, run: Run, tmp_path: Path) -> Callable[..., Path]:
    """Cross-compile a wheel with maturin for an interpreter that is not at hand."""

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
            CARGO_TARGET_DIR=str(BUILD / "target-abi"),
            PYO3_CROSS="1",
            PYO3_CROSS_PYTHON_VERSION=python,
        )
        (wheel,) = (tmp_path / python).glob("*.whl")
        return wheel

    return cross_wheel
