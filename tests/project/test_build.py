"""Both backends, every floor that can be built here: sdist, wheel, the project's own sessions."""

import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from helpers.builds import UNOPTIMISED, cargo_target
from helpers.fixture_types import Render, Run
from helpers.pairs import pairs
from tools.machine import python_of, pythons
from tools.template import BACKENDS, FLOORS, PYTHONS, TEMPLATE, minor

pytestmark = pytest.mark.builds

BUILDABLE_FLOORS = [floor for floor in FLOORS if floor in pythons()]

LIBRARY = "_native.pyd" if sys.platform == "win32" else "_native.abi3.so"

SDIST = {
    ".cargo/config.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "THIRD-PARTY-LICENSES.txt",
    "pyproject.toml",
    "python/fast_doubles/__init__.py",
    "python/fast_doubles/_native.pyi",
    "python/fast_doubles/py.typed",
    "release/wheel-requirements.txt",
    "rust/kernel.rs",
    "rust/lib.rs",
    "rust/python.rs",
    "rust/python/sample_text.rs",
    "tests/abi_cost.py",
    "tests/bench_fast_doubles.py",
    "tests/reference.py",
    "tests/test_fast_doubles.py",
    "tests/test_sample_text.py",
    "tests/test_packaging.py",
    "tests/test_properties.py",
}
SETUPTOOLS_SDIST = {"setup.py", "setup.cfg"}
WHEEL = {
    "fast_doubles/__init__.py",
    f"fast_doubles/{LIBRARY}",
    "fast_doubles/_native.pyi",
    "fast_doubles/py.typed",
    "fast_doubles-0.1.0.dist-info/METADATA",
    "fast_doubles-0.1.0.dist-info/RECORD",
    "fast_doubles-0.1.0.dist-info/WHEEL",
    "fast_doubles-0.1.0.dist-info/licenses/LICENSE",
    "fast_doubles-0.1.0.dist-info/licenses/THIRD-PARTY-LICENSES.txt",
}
OF_THE_BACKEND = {
    "maturin": {"fast_doubles-0.1.0.dist-info/sboms/_fast_doubles_native.cyclonedx.json"},
    "setuptools-rust": {"fast_doubles-0.1.0.dist-info/top_level.txt"},
}


# Both backends with the lowest floor.
LOWEST = [(backend, floor) for backend in BACKENDS for floor in BUILDABLE_FLOORS[:1]]
VARIANTS = dict.fromkeys([*LOWEST, *pairs(BACKENDS, BUILDABLE_FLOORS)])


@pytest.fixture(scope="module", params=VARIANTS, ids="-".join)
def variant(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A backend and a floor."""
    variant: tuple[str, str] = request.param
    return variant


@pytest.fixture(scope="module")
def backend(variant: tuple[str, str]) -> str:
    return variant[0]


@pytest.fixture(scope="module")
def floor(variant: tuple[str, str]) -> str:
    return variant[1]


@pytest.fixture(scope="module")
def project(backend: str, floor: str, render: Render, run: Run) -> Path:
    """A rendering with litter that no sdist or wheel may pick up."""
    project = render(build_backend=backend, python_floor=floor)
    for litter in (
        "python/fast_doubles/_native.abi3.so",
        "python/fast_doubles/_native.cpython-310-x86_64-linux-gnu.so",
        "build/lib.linux-x86_64-cpython-311/fast_doubles/leftover.py",
        "dist/fast_doubles-0.0.9-py3-none-any.whl",
        "notes.txt",
    ):
        (project / litter).parent.mkdir(parents=True, exist_ok=True)
        (project / litter).write_text("litter")
    run("cargo", "fetch", "--locked", cwd=project)
    return project


@pytest.fixture(scope="module")
def built(project: Path, floor: str, run: Run) -> tuple[Path, Path]:
    """The sdist, and the wheel that was built from it with no network for cargo.

    With the first floor, it is optimised as users' wheels are.
    """
    as_users_do = floor == BUILDABLE_FLOORS[0]
    run(
        *("uv", "build", f"--python={pythons()[floor]}", "--out-dir=../out"),
        cwd=project,
        CARGO_TARGET_DIR=cargo_target(floor),
        CARGO_NET_OFFLINE="true",
        **({} if as_users_do else UNOPTIMISED),
    )
    (sdist,) = (project.parent / "out").glob("*.tar.gz")
    (wheel,) = (project.parent / "out").glob("*.whl")
    return sdist, wheel


def test_sdist_holds_what_a_build_and_its_tests_need(
    built: tuple[Path, Path], backend: str
) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    names = {name for name in names if ".egg-info/" not in name}
    assert names == SDIST | (SETUPTOOLS_SDIST if backend == "setuptools-rust" else set())


def test_wheel_holds_the_package_and_nothing_else(
    built: tuple[Path, Path], backend: str, floor: str
) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        assert set(wheel.namelist()) == WHEEL | OF_THE_BACKEND[backend]
        size = wheel.getinfo(f"fast_doubles/{LIBRARY}").file_size
    if floor == BUILDABLE_FLOORS[0]:
        assert size <= 400_000
        assert built[1].stat().st_size <= 200_000


def test_wheel_is_abi3_of_the_floor(built: tuple[Path, Path], floor: str) -> None:
    interpreter = floor.replace(".", "")
    assert built[1].name.startswith(f"fast_doubles-0.1.0-cp{interpreter}-abi3-")


def test_checkers_of_the_field_find_nothing(built: tuple[Path, Path], run: Run) -> None:
    sdist, wheel = built
    run("twine", "check", "--strict", sdist, wheel, cwd=wheel.parent)
    run("check-wheel-contents", wheel, cwd=wheel.parent)
    audit = run("abi3audit", "--strict", "--verbose", wheel, cwd=wheel.parent)
    assert "0 ABI version mismatches and 0 ABI violations found" in audit.stdout


def test_wheel_passes_the_sdists_own_tests_in_a_clean_environment(
    built: tuple[Path, Path], floor: str, run: Run, tmp_path: Path
) -> None:
    """On the newest Python; the project's own session does it on each one."""
    sdist, wheel = built
    shutil.unpack_archive(sdist, tmp_path)
    (source,) = tmp_path.iterdir()
    newest = max(pythons(), key=minor)
    assert minor(newest) >= minor(floor)
    environment = tmp_path / newest
    python = python_of(environment)
    run("uv", "venv", f"--python={pythons()[newest]}", environment, cwd=tmp_path)
    run("uv", "pip", "install", f"--python={python}", wheel, "pytest", cwd=tmp_path)
    command = [python, "-m", "pytest", "--ignore=tests/test_properties.py"]
    assert " passed" in run(*command, cwd=source).stdout


def test_table_of_the_demo_is_the_readmes_except_the_figures(
    built: tuple[Path, Path], project: Path, floor: str, run: Run, tmp_path: Path
) -> None:
    wheel = built[1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    counter = TEMPLATE / "benchmarks" / "real_text.py"
    tests = project / "tests"
    printed = run(pythons()[floor], counter, wheel, tests, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    page = (TEMPLATE / "docs" / "getting-started.md").read_text("utf-8")
    (table,) = re.findall(r"```text\n(  wheel .*?)```", page, re.DOTALL)

    def words(text: str) -> str:
        text = text.replace(LIBRARY, "_native.abi3.so")
        return re.sub(r"\d[\d,.]*", "0", re.sub(r"-abi3-\w+\.whl", "-abi3.whl", text)).strip()

    assert words(printed.stdout) == words(table)


def test_the_projects_own_sessions_pass(project: Path, backend: str, floor: str, run: Run) -> None:
    """All but `bench`, which test_contributing.py runs."""
    # The Rust files are the same in all renderings.
    once = floor == BUILDABLE_FLOORS[0] and backend == BACKENDS[0]
    # Both ends of the floors are enough for the lint tools, which look at the oldest Python.
    between = floor in BUILDABLE_FLOORS[1:-1]
    sessions = [f"tests-{floor}"] if between else ["lint", "tests"]
    sessions = ["lint", "rust", "tests"] if once else sessions
    target = {"CARGO_TARGET_DIR": cargo_target(floor)}
    result = run("nox", "--sessions", *sessions, cwd=project, **target, **UNOPTIMISED)
    for session in [s for s in sessions if s != "tests"]:
        assert (
            f"{session}: success" in result.stdout or f"{session} was successful" in result.stdout
        )
    if between:
        return
    for version in PYTHONS:
        if minor(version) < minor(floor):
            assert f"tests-{version}" not in result.stdout
        elif version in pythons():
            assert f"* tests-{version}: success" in result.stdout
        else:
            assert f"* tests-{version}: skipped (Python interpreter" in result.stdout


def test_stale_lock_stops_every_build(project: Path, floor: str, run: Run, tmp_path: Path) -> None:
    changed = tmp_path / "fast-doubles"
    shutil.copytree(project, changed, ignore=shutil.ignore_patterns(".nox", "target"))
    lock = (changed / "Cargo.lock").read_text("utf-8")
    name = lock.index('name = "quickcheck"')
    (changed / "Cargo.lock").write_text(lock[: name - len("[[package]]\n")], "utf-8")
    result = run(
        *("uv", "build", "--wheel", f"--python={pythons()[floor]}", "--out-dir=../out"),
        cwd=changed,
        check=False,
        CARGO_TARGET_DIR=cargo_target(floor),
    )
    assert result.returncode != 0
    assert "--locked" in result.stdout
    assert not list(tmp_path.glob("out/*.whl"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_builds_of_one_commit_are_the_same(
    backend: str, render: Render, run: Run, tmp_path: Path
) -> None:
    floor = BUILDABLE_FLOORS[0]
    for folder, date in ("first", 1_600_000_000), ("second", 1_700_000_000):
        project = tmp_path / folder / "fast-doubles"
        shutil.copytree(render(build_backend=backend, python_floor=floor), project)
        for file in project.rglob("*"):
            os.utime(file, (date, date))
            if folder == "second" and file.is_file():
                file.chmod(file.stat().st_mode | 0o020)  # as with another umask
        run(
            *("uv", "build", f"--python={pythons()[floor]}", "--out-dir=../out"),
            cwd=project,
            CARGO_TARGET_DIR=cargo_target(floor),
            SOURCE_DATE_EPOCH="1750000000",
            # The settings of users' wheels are looked at with one backend.
            **({} if backend == BACKENDS[0] else UNOPTIMISED),
        )
    first, second = (
        {file.name: file for file in (tmp_path / folder / "out").glob("fast*")}
        for folder in ("first", "second")
    )
    assert len(first) == 2
    assert first.keys() == second.keys()
    for name in first:
        if name.endswith(".whl") and backend == "maturin":
            # Its SBOM names the folder that it was built in, here a temporary one of uv's;
            # cibuildwheel on Linux always builds in /project.
            assert differing(first[name], second[name]) <= {
                "fast_doubles-0.1.0.dist-info/RECORD",
                *OF_THE_BACKEND["maturin"],
            }
        else:
            assert first[name].read_bytes() == second[name].read_bytes(), name


def differing(first: Path, second: Path) -> set[str]:
    """The files that differ between two wheels."""
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
        assert one.namelist() == two.namelist()
        return {name for name in one.namelist() if one.read(name) != two.read(name)}
