"""Cross-compiled wheels and the release programs on CPythons for Windows: `nox -s cross`.

wine runs them; helpers/interpreters/windows.py says what of the interpreters is genuine. The
wheels are built by MinGW, not by MSVC as in CI. 32-bit wine is in a container, for which root,
podman and mmdebstrap are needed.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.interpreters import CannotRun, version_of, windows
from helpers.interpreters.windows import windows_path
from tools import stand_ins
from tools.template import PROJECT_FOLDER

# The interpreters, and the wheel that each gets. No other 32-bit one: the tests take minutes there.
WHEELS = {
    "cp311-win_amd64": "cp311-abi3-win_amd64",
    "cp313-win_amd64": "cp311-abi3-win_amd64",
    "cp314-win_amd64": "cp311-abi3-win_amd64",
    "cp314t-win_amd64": "cp314-cp314t-win_amd64",
    "cp311-win32": "cp311-abi3-win32",
}
# uv's names
TARGETS = {"win_amd64": "x86_64-pc-windows-msvc", "win32": "i686-pc-windows-msvc"}
Installed = tuple[Path, str]


@pytest.fixture(scope="module", params=WHEELS)
def interpreter_tag(request: pytest.FixtureRequest) -> str:
    """The ABI and the platform of an interpreter; a test that asks for it is run with each."""
    interpreter_tag: str = request.param
    return interpreter_tag


@pytest.fixture(scope="module")
def abi(interpreter_tag: str) -> str:
    return interpreter_tag.partition("-")[0]


@pytest.fixture(scope="module")
def container(
    interpreter_tag: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> windows.Container | None:
    """Where 32-bit wine is; it shares all that the tests read and write."""
    if not interpreter_tag.endswith("-win32"):
        return None
    images: stand_ins.StandIns = request.getfixturevalue("images")
    image = request.getfixturevalue("image")(images.wine32)
    environment = {"CONTAINERS_CONF": images.environment("i686")["CONTAINERS_CONF"]}
    folders = BUILD, tmp_path_factory.getbasetemp()
    return windows.Container(image, environment, folders)


@pytest.fixture(scope="module")
def python(
    abi: str, container: windows.Container | None, run: Run
) -> Iterator[windows.WindowsPython]:
    """A CPython for Windows, under wine."""
    try:
        python = windows.put_together(abi, BUILD / "interpreters", run, container)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)
    yield python
    python.end()


@pytest.fixture(scope="module")
def python_with_tools(
    abi: str, interpreter_tag: str, python: windows.WindowsPython, render: Render, run: Run
) -> windows.WindowsPython:
    """The CPython, with the locked tools of the project's tests and of its release.

    They are in its site-packages: the release programs take no PYTHONPATH to theirs.
    """
    folder = python.root / "Lib" / "site-packages"
    shutil.rmtree(folder, ignore_errors=True)
    install = ("uv", "pip", "install", f"--target={folder}", f"--python-version={version_of(abi)}")
    target = TARGETS[interpreter_tag.partition("-")[2]]
    for_windows = (f"--python-platform={target}", "--only-binary=:all:")
    release = render() / "release"
    for lock in ("wheel-requirements.txt", "requirements.txt"):
        command = (*install, *for_windows, "--require-hashes", f"--requirement={release / lock}")
        run(*command, cwd=python.root)
    return python


@pytest.fixture(scope="module")
def installed(
    python_with_tools: windows.WindowsPython,
    cross_build: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Installed:
    """The folder into which Windows' pip has installed the package, and what pip said."""
    folder, wheels = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("wheels")
    for platform, built in (("win_amd64", "abi3"), ("win_amd64", "cp314t"), ("win32", "abi3")):
        shutil.copy(cross_build(platform, built), wheels)
    printed = python_with_tools(
        *("-m", "pip", "install", "--no-index", "--no-deps", "fast-doubles"),
        f"--find-links={windows_path(wheels)}",
        f"--target={windows_path(folder)}",
        cwd=folder,
    )
    return folder, printed


def test_wheel_is_chosen_by_pip_and_passes_the_tests(
    abi: str,
    interpreter_tag: str,
    python_with_tools: windows.WindowsPython,
    installed: Installed,
    render: Render,
) -> None:
    folder, printed = installed
    assert f"-{WHEELS[interpreter_tag]}.whl" in printed
    # As the install job of release.yml runs them: in a copy, by the shell of the system. From 3.12
    # on, Python copies files by a function that wine 8 has not.
    tests: tuple[str, ...] = ("release/tools/run_tests.py",)
    if abi != "cp311":
        tests = ("-m", "pytest", "-p", "no:cacheprovider", "--ignore=tests/test_properties.py")
    path = {"PYTHONPATH": windows_path(folder)}
    options = {"PYTEST_ADDOPTS": "--verbose"}
    printed = python_with_tools(*tests, cwd=render(), check=True, **path, **options)
    assert re.search(r"\d\d passed", printed)
    assert ("test_import_leaves_the_gil_off PASSED" in printed) == abi.endswith("t")


def test_library_that_asks_for_a_dll_that_is_not_there_is_not_imported(
    python: windows.WindowsPython, installed: Installed, tmp_path: Path
) -> None:
    broken = shutil.copytree(installed[0], tmp_path / "broken")
    library = broken / "fast_doubles" / "_native.pyd"
    if not library.exists():
        (library,) = library.parent.glob("_native*.pyd")
    code = library.read_bytes()
    changed = re.sub(rb"(?i)KERNEL32\.dll\0", b"KERNEL99.dll\0", code)
    assert changed != code
    library.write_bytes(changed)
    ask = ("-c", "import fast_doubles")
    printed = python(*ask, cwd=tmp_path, check=False, PYTHONPATH=windows_path(broken))
    assert "DLL load failed" in printed


def test_plan_and_gate_say_the_same_on_windows(
    python_with_tools: windows.WindowsPython,
    cross_build: Callable[..., Path],
    render: Render,
    run: Run,
    tmp_path: Path,
) -> None:
    project = render()
    planned = python_with_tools("release/tools/plan.py", cwd=project)
    assert planned.split() == run("python", "release/tools/plan.py", cwd=project).stdout.split()
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", "--all", cwd=project)
    dist = tmp_path / "naïve folder"  # a space, and a letter that not every code page has
    run("uv", "build", "--sdist", f"--out-dir={dist}", cwd=project)
    (dist / ".gitignore").unlink()  # uv writes it
    shutil.copy(cross_build("win_amd64"), dist)
    gate = ("release/tools/gate.py", windows_path(dist), "--rehearsal", "--tag=v0.1.0")
    printed = python_with_tools(*gate, cwd=project, check=False)
    here = run("python", "release/tools/gate.py", dist, *gate[2:], cwd=project).stdout.splitlines()
    assert here[-1] == "2 files may be uploaded."
    # There, twine complains too: wine 8 lacks a DLL, and the library of 3.14t has no ssl.
    assert set(here[:-1]) <= set(printed.splitlines())


PROJECT = """
[tool.cibuildwheel]
test-sources = ["library.pyd", "start.py"]
test-command = "python start.py"
"""
# A process that outlives the tests has a library of theirs in use.
START = """
import importlib.util, os, subprocess, sys, time

if sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("_queue", os.path.abspath("library.pyd"))
    importlib.util.module_from_spec(spec)
    open("loaded", "w").close()
    time.sleep(10)
    sys.exit()
subprocess.Popen([sys.executable, "start.py", "load"], stdout=subprocess.DEVNULL)
for _ in range(600):
    if os.path.exists("loaded"):
        break
    time.sleep(0.1)
try:
    os.remove("library.pyd")
except PermissionError:
    print("The library is in use.")
"""


@pytest.mark.parametrize("interpreter_tag", ["cp311-win_amd64", "cp311-win32"], indirect=True)
def test_library_that_is_still_in_use_does_not_fail_the_tests(
    python: windows.WindowsPython, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "start.py").write_text(START)
    shutil.copy(python.root / "DLLs" / "_queue.pyd", tmp_path / "library.pyd")
    program = PROJECT_FOLDER / "release" / "tools" / "run_tests.py"
    shutil.copy(program, tmp_path)
    printed = python("run_tests.py", cwd=tmp_path)
    assert printed.splitlines() == ["The library is in use."]
