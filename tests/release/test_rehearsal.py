"""`nox -s rehearse`: a release, rehearsed on one machine, for both backends; and how it fails."""

import contextlib
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import small_wheels
from helpers.builds import QUICK, cargo_target
from helpers.fixture_types import Repository, Run
from helpers.local_index import LocalIndex
from helpers.pages import read
from helpers.pairs import one_of
from helpers.rehearsals import WHEEL, state, tidy
from helpers.sample_files import add_files, depend_on_tinylib
from helpers.small_wheels import PLATFORMS, make_sdist, make_tinylib, make_wheel
from tools.machine import GIT, oldest_python, pythons
from tools.template import BACKENDS, FLOORS, PYTHONS, RELEASE_FILES

pytestmark = pytest.mark.builds

STEPS = ["preflight", "clone", "bump and tag", "preflight after it", "sdist", "gate, sdist"]
STEPS += ["wheels", "gate", "upload", "index"]


# One backend with a floor above the Python that nox may run on.
@pytest.mark.parametrize(("position", "backend"), list(enumerate(BACKENDS)))
def test_it_passes_as_a_session(
    position: int, backend: str, repository: Repository, run: Run, scratch: Path
) -> None:
    usable = [floor for floor in FLOORS if floor in pythons()] or FLOORS[-1:]
    floor = usable[min(position, len(usable) - 1)]
    wheel = WHEEL.replace("311", floor.replace(".", ""))
    project = repository(build_backend=backend, python_floor=floor)
    add_files(project, run)
    (project / "notes.txt").write_text("not committed")
    before = state(project, run)
    # nox has its environments in the project, not in TMPDIR.
    target = {"TMPDIR": str(scratch), "CARGO_TARGET_DIR": cargo_target(floor)}
    printed = run("nox", "-s", "rehearse", cwd=project, **target).stdout
    for name in STEPS:
        assert re.search(rf"^{name} \.\.\. [\d.]+ s$", printed, re.M), printed
    table = printed[printed.index("\n\n") :]
    assert re.search(r"clone .*; NOT committed, so not rehearsed: .*notes\.txt", table)
    assert re.search(r"bump and tag +v0\.1\.1", table)
    assert re.search(rf"wheels +{wheel}, from the sdist", table)
    assert "accepted; rightly refused: a wrong password, and a second upload" in table
    assert re.search(
        rf"\d+ of {RELEASE_FILES} files are built elsewhere, and not checked here: macosx_arm64",
        table,
    )
    for version in PYTHONS:
        if int(version[2:]) < int(floor[2:]):
            assert f"install on {version}" not in table
            continue
        result = wheel if version in pythons() else "left out: this Python is not installed"
        assert re.search(rf"install on {version} +{result}", table)
    assert "Before a release: 'Your Name' is in LICENSE, pyproject.toml: " in printed
    tidy(project)
    assert state(project, run) == before


@pytest.mark.parametrize("backend", one_of(BACKENDS))  # test_release.py has the other
def test_wheels_of_one_python_are_rehearsed_where_that_python_is(
    backend: str,
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    run: Run,
) -> None:
    project = repository(build_backend=backend)
    if (setup := project / "setup.py").exists():  # as in other projects: builds share a folder
        text = setup.read_text("utf-8")
        own_folder = '{"build": {"build_base": build_folder.name}}'
        assert own_folder in text
        setup.write_text(text.replace(own_folder, "{}"), "utf-8")
    abi = f"cp{oldest_python().replace('.', '')}"
    (project / "release" / "wheels.txt").write_text(f"manylinux_x86_64 abi3 {abi} cp315 pp311\n")
    run("git", "commit", "--quiet", "--all", "--message=Another list", cwd=project, **GIT)
    printed = rehearse(project, "--no-bump").stdout
    wheel = rf"fast_doubles-0\.1\.0-{abi}-{abi}-\w+\.whl"
    (built,) = re.findall(r"^  wheels +(.*)$", printed, re.M)
    assert re.search(wheel, built)
    assert re.search(r"fast_doubles-0\.1\.0-cp311-abi3-\w+\.whl", built)
    assert "cp315" not in built
    assert re.search(rf"install on {oldest_python()} +{wheel}", printed)


def without_rust(project: Path) -> None:
    manifest = project / "Cargo.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('rust-version = "1.85"', 'rust-version = "1.999"'), "utf-8")


def broken_rust(project: Path) -> None:
    (project / "rust" / "kernel.rs").write_text("fn {")


def broken_behaviour(project: Path) -> None:
    kernel = project / "rust" / "kernel.rs"
    kernel.write_text(kernel.read_text("utf-8").replace("from(a == b)", "from(a != b)"), "utf-8")


def no_license(project: Path) -> None:
    (project / "LICENSE").unlink()


def no_bump_configuration(project: Path) -> None:
    (project / ".bumpversion.cfg").unlink()


def forgotten_file(project: Path) -> None:
    library = project / "rust" / "lib.rs"
    library.write_text(f"{library.read_text('utf-8')}mod extra;\n", "utf-8")
    (project / "rust" / "extra.rs").touch()


FAULTS = {
    "a file not committed": (forgotten_file, "wheels", "took no part:\n?? rust/extra.rs"),
    "Rust too old": (without_rust, "preflight", "older than the 1.999 of Cargo.toml"),
    "no configuration": (no_bump_configuration, "bump and tag", "--new-version"),
    "Rust does not compile": (broken_rust, "wheels", "kernel.rs"),
    "no license": (no_license, "gate, sdist", "holds no license"),
    "tests fail": (
        broken_behaviour,
        f"install on {oldest_python()}",
        "FAILED tests/test_fast_doubles.py",
    ),
}


@pytest.mark.parametrize(("fault", "step", "reason"), FAULTS.values(), ids=FAULTS)
def test_it_stops_at_the_step_that_fails(
    fault: Callable[[Path], None],
    step: str,
    reason: str,
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    run: Run,
    scratch: Path,
) -> None:
    project = repository()
    fault(project)
    run("git", "commit", "--quiet", "--all", "--message=A fault", cwd=project, **GIT)
    result = rehearse(project, check=False)
    assert result.returncode == 1, result.stdout
    assert reason in result.stdout
    assert f"\nThe rehearsal stopped at: {step}. " in result.stdout
    assert "Traceback" not in result.stdout
    assert list(scratch.iterdir()) == []


def test_a_proxy_is_not_asked_for_the_index(
    repository: Repository, rehearse: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    dead = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    pip = {"PIP_RETRIES": "0", "PIP_INDEX_URL": "http://example.invalid/"}
    result = rehearse(repository(), check=False, **dead, **pip)
    assert re.search(r"^upload \.\.\. [\d.]+ s$", result.stdout, re.M), result.stdout
    assert (
        f"The rehearsal stopped at: install on {oldest_python()}." in result.stdout
    )  # by the other index


def test_a_proprietary_project_stops_at_the_gate(
    repository: Repository, rehearse: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    result = rehearse(repository(license="Proprietary"), check=False)
    assert result.returncode == 1
    assert "is never to be uploaded: its classifier is 'Private :: Do Not Upload'" in result.stdout
    assert "The rehearsal stopped at: gate, sdist." in result.stdout


def test_a_proprietary_project_passes_with_the_change_of_the_page(
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    run: Run,
    tmp_path: Path,
) -> None:
    project = repository(license="Proprietary")
    (diff,) = read("how-to/private-index.md").blocks("diff")
    (tmp_path / "change.diff").write_text(diff, "utf-8")
    run("git", "apply", tmp_path / "change.diff", cwd=project)
    run("git", "commit", "--quiet", "--all", "--message=A private index", cwd=project, **GIT)
    printed = rehearse(project).stdout
    assert re.search(rf"install on {oldest_python()} +{WHEEL}", printed)
    # `rehearse` hides the other Pythons of this machine, so that all rehearsals are quick.
    assert len(re.findall(r"install on 3\.\d+ +left out: ", printed)) == len(PYTHONS) - 1


def test_dependencies_come_from_the_usual_index_and_the_package_never(
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    run: Run,
    tmp_path: Path,
) -> None:
    """Someone has put a newer package of the same name on the index that pip is told to use."""
    project = repository()
    depend_on_tinylib(project)
    run("git", "commit", "--quiet", "--all", "--message=A dependency", cwd=project, **GIT)
    with LocalIndex(tmp_path / "usual") as usual:
        make_tinylib(usual.folder)
        for version in ("0.1.1", "99.0"):
            make_sdist(usual.folder, version=version)
            for platform in ("linux_x86_64", PLATFORMS["manylinux_x86_64"][1]):
                wheel = make_wheel(
                    usual.folder,
                    "manylinux_x86_64",
                    "cp311-abi3",
                    version=version,
                    platform_tag=platform,
                )
                # A build number: of two wheels of one version, pip would take this one.
                wheel.rename(wheel.with_name(wheel.name.replace("-cp311", "-1-cp311")))
        printed = rehearse(project, PIP_EXTRA_INDEX_URL=f"{usual.url}simple/").stdout
    assert re.search(rf"install on 3\.1\d +{WHEEL}", printed)


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="of the stand-in's wheels, the one that is installed is for x86_64 Linux",
)
def test_wheels_of_cibuildwheel_can_be_rehearsed(
    repository: Repository,
    rehearse: Callable[..., subprocess.CompletedProcess[str]],
    run: Run,
    tmp_path: Path,
) -> None:
    project = repository(build_backend="setuptools-rust")
    wheelhouse = tmp_path / "wheelhouse"
    sdist = ("python", "-m", "build", "--sdist", "--no-isolation", f"--outdir={tmp_path}")
    run(*sdist, cwd=project)
    (made,) = tmp_path.glob("*.tar.gz")
    platforms = "cp3??-manylinux_x86_64 cp314t-win32"
    run(
        sys.executable,
        small_wheels.__file__,
        made,
        cwd=tmp_path,
        CIBW_BUILD=platforms,
        **QUICK,
    )
    printed = rehearse(project, f"--wheelhouse={wheelhouse}").stdout
    assert re.search(r"bump and tag +v0\.1\.0", printed)
    assert re.search(r"wheels +2 of ", printed)
    assert f"{RELEASE_FILES - 3} of {RELEASE_FILES} files are built elsewhere" in printed
    assert re.search(r"install on 3\.1\d +fast_doubles-0\.1\.0-cp311-abi3-manylinux", printed)
    result = rehearse(project, f"--wheelhouse={tmp_path / 'none'}", check=False)
    assert result.returncode == 2
    assert f"{tmp_path / 'none'} holds no wheel" in result.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who listens")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_can_be_stopped(
    how: signal.Signals, repository: Repository, environment: dict[str, str], scratch: Path
) -> None:
    """While its index is up: afterwards nobody listens, and nothing is left in scratch folders."""
    project = repository()
    program = subprocess.Popen(
        [sys.executable, "-u", "release/tools/rehearse.py"],
        cwd=project,
        env=environment | {"TMPDIR": str(scratch), **QUICK},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        encoding="utf-8",
    )
    assert program.stdout
    printed = ""
    while "install on" not in printed:
        printed += program.stdout.read(1) or pytest.fail(printed)
    ports = listening(program.pid)
    assert len(ports) == 1
    os.kill(program.pid, how)
    program.wait(timeout=30)
    assert program.returncode != 0
    for port in ports:
        with contextlib.closing(socket.socket()) as connection:
            assert connection.connect_ex(("127.0.0.1", port)) != 0
    if how != signal.SIGKILL:
        assert list(scratch.iterdir()) == []
        assert "Traceback" not in program.stdout.read()


def listening(pid: int) -> list[int]:
    """The ports on which a process listens; it must be 127.0.0.1 alone."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
    ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in inodes:
                address, port = words[1].split(":")
                assert (table, address) == ("tcp", "0100007F")
                ports.append(int(port, 16))
    return ports


@pytest.mark.parametrize("floor", FLOORS)
def test_session_takes_a_python_that_the_package_supports(
    floor: str, repository: Repository, run: Run
) -> None:
    """nox itself may run on an older one, on which pip refuses the package."""
    command = ("nox", "--list-sessions", "--json", "--sessions", "rehearse")
    (session,) = json.loads(run(*command, cwd=repository(python_floor=floor)).stdout)
    able = sys.version_info >= tuple(map(int, floor.split(".")))
    assert session["python"] == (None if able else floor)
