"""Wheels for free-threaded Pythons, built, installed and run there: `nox -s free-threaded`.

The interpreters are put together by helpers/interpreters, which says what of them is genuine.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD, UNOPTIMISED, abi3t_arguments, cargo_target
from helpers.fixture_types import Render, Run
from helpers.interpreters import HAMMER, TOOLS, CannotRun, linux
from helpers.pages import edit
from tools.machine import oldest_python, python_of, pythons
from tools.template import BACKENDS

TAGS = {
    ("maturin", "cp314t"): "cp314-cp314t-",
    ("maturin", "cp315t"): "cp315-abi3.abi3t-",
    ("setuptools-rust", "cp314t"): "cp314-cp314t-",
    ("setuptools-rust", "cp315t"): "cp315-cp315t-",
}
Build = Callable[..., Path]
InEnvironment = Callable[..., str]


@pytest.fixture(scope="module", params=["cp314t", "cp315t"])
def abi(request: pytest.FixtureRequest) -> str:
    """Each free-threaded ABI; a test that asks for it is run with both."""
    abi: str = request.param
    return abi


@pytest.fixture(scope="module")
def interpreter(abi: str, run: Run) -> Path:
    """The interpreter of that ABI."""
    try:
        return linux.put_together(abi, "gnu", BUILD / "interpreters", run)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.fixture(scope="module")
def environment_of(
    interpreter: Path, render: Render, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The Python of an environment with the locked test tools; its pip is for the wheels."""
    folder = tmp_path_factory.mktemp("free-threaded") / "environment"
    run("uv", "venv", "--seed", f"--python={interpreter}", folder, cwd=folder.parent)
    python = python_of(folder)
    locked = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
    run(*locked, f"--requirement={TOOLS}", cwd=folder)
    return python


@pytest.fixture(scope="module")
def build(abi: str, interpreter: Path, run: Run) -> Build:
    """Build a project's wheel for the interpreter, as cibuildwheel does, into a folder."""

    def build(project: Path, folder: Path, **variables: str) -> Path:
        maturin = "maturin" in (project / "pyproject.toml").read_text("utf-8").partition("\n\n")[0]
        if maturin and abi == "cp315t":
            variables["MATURIN_PEP517_ARGS"] = " ".join(abi3t_arguments(project))
        target = cargo_target(abi)
        command = ("uv", "build", "--wheel", f"--python={interpreter}", f"--out-dir={folder}")
        run(*command, cwd=project, CARGO_TARGET_DIR=target, **variables)
        (wheel,) = folder.glob("*.whl")
        return wheel

    return build


@pytest.fixture(scope="module")
def abi3_wheel(render: Render, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The abi3 wheel, which free-threaded Pythons cannot load."""
    folder = tmp_path_factory.mktemp("abi3")
    python = pythons()[oldest_python()]
    run(
        *("uv", "build", "--wheel", f"--python={python}", f"--out-dir={folder}"),
        cwd=render(),
        CARGO_TARGET_DIR=cargo_target(),
        **UNOPTIMISED,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def pip_install(python: Path, run: Run, *words: str | Path, check: bool = True) -> str:
    """Install without an index by the interpreter's own pip; return what it says."""
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--no-index")
    return run(
        *pip, "--force-reinstall", "--no-deps", *words, cwd=python.parent, check=check
    ).stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_wheel_is_chosen_by_pip_and_passes_all_tests_without_a_gil(
    backend: str,
    abi: str,
    build: Build,
    environment_of: Path,
    abi3_wheel: Path,
    render: Render,
    run: Run,
    tmp_path: Path,
) -> None:
    project, python = render(build_backend=backend), environment_of
    wheel = build(project, tmp_path / "wheels", CARGO_PROFILE_RELEASE_LTO="off")
    assert TAGS[backend, abi] in wheel.name
    shutil.copy(abi3_wheel, wheel.parent)
    printed = pip_install(python, run, f"--find-links={wheel.parent}", "fast-doubles")
    assert wheel.name in printed  # and not the abi3 wheel next to it

    pytest_of = (python, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "--verbose")
    printed = run(*pytest_of, "tests", cwd=project).stdout
    assert "test_import_leaves_the_gil_off PASSED" in printed
    assert len(re.findall(r"^tests/test_properties\.py::\w+ PASSED", printed, re.M)) >= 3
    wheels_own = ("tests", "--ignore=tests/test_properties.py")
    parallel = ("--parallel-threads=8", "--iterations=3")
    printed = run(*pytest_of, *wheels_own, *parallel, cwd=project).stdout
    assert re.search(r"\d\d passed", printed)

    printed = run(python, "-W", "error", HAMMER, "4", cwd=tmp_path).stdout
    assert int(printed.split()[0]) > 1000
    assert " 0 wrong" in printed


def test_abi3_wheel_is_refused_by_pip(environment_of: Path, abi3_wheel: Path, run: Run) -> None:
    alone = pip_install(environment_of, run, abi3_wheel, check=False)
    assert "is not a supported wheel on this platform" in alone
    folder = f"--find-links={abi3_wheel.parent}"
    assert "No matching distribution found" in pip_install(
        environment_of, run, folder, "fast-doubles", check=False
    )


def test_module_that_needs_the_gil_is_refused_by_the_tests_of_the_project(
    build: Build, environment_of: Path, render: Render, run: Run, tmp_path: Path
) -> None:
    project, python = render(), environment_of
    edit(project / "rust" / "python.rs", "\n#[pymodule]\n", "\n#[pymodule(gil_used = true)]\n")
    pip_install(python, run, build(project, tmp_path, **UNOPTIMISED))
    command = (python, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_packaging.py")
    for variables in ({}, {"PYTHON_GIL": "0"}):  # which would hide it from a test that trusts it
        printed = run(*command, cwd=project, check=False, **variables).stdout
        assert "FAILED tests/test_packaging.py::test_import_leaves_the_gil_off" in printed


SHARED = """
static mut SHARED: Vec<u8> = Vec::new();

/// Counts in memory that all threads share, and free while others read it.
pub fn count_in_bytes(_: Python<'_>, bytes: &[u8]) -> usize {
    #[allow(static_mut_refs)]
    unsafe {
        SHARED = bytes.to_vec();
        kernel::count_doubles(&SHARED)
    }
}
"""


def test_module_that_shares_memory_without_a_lock_does_not_survive_the_hammer(
    build: Build, environment_of: Path, render: Render, run: Run, tmp_path: Path
) -> None:
    project, python = render(), environment_of
    file = project / "rust" / "python" / "sample_text.rs"
    edit(file, "pub fn count_in_bytes(", f"{SHARED}\n#[allow(dead_code)]\nfn replaced(")
    pip_install(python, run, build(project, tmp_path))
    result = run(python, HAMMER, "4", cwd=tmp_path, check=False)
    assert result.returncode != 0, result.stdout
