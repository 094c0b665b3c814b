"""release.yml, run from wheels that are built already: no fault lets a wrong file out."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.faults import (
    ABI3_WHEEL,
    LINUX,
    Fault,
    remove,
    rename,
    replace,
    swap_the_library,
    truncate,
)
from helpers.fixture_types import Run
from helpers.local_index import LocalIndex
from helpers.release_runs import (
    A_FEW_FILES,
    NOTHING,
    PUBLISHED,
    Built,
    assert_all_is_published,
    assert_nothing_is_published,
    assert_stopped_at,
    ended,
)
from helpers.small_wheels import make_wheel
from helpers.workflow_run import CARGO, PATH, SMALL_WHEELS
from tools.template import BACKENDS

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for runners are Linux's"),
]

only_maturin = pytest.mark.parametrize("backend", BACKENDS[:1], indirect=True)


def test_files_are_dated_as_the_commit(built: Built, run: Run) -> None:
    """Whoever builds the tag again gets the same bytes."""
    asked = ("git", "log", "-1", "--format=%ct", "v0.1.0")
    date = int(run(*asked, cwd=built.project.origin).stdout)
    (sdist,) = built.run.store.glob("sdist/*")
    with tarfile.open(sdist) as archive:
        assert {member.mtime for member in archive if member.isfile()} == {date}
    with zipfile.ZipFile(built.run.store / f"wheels-{LINUX}" / ABI3_WHEEL) as wheel:
        dates = {member.date_time for member in wheel.infolist()}
    assert dates == {time.gmtime(date - date % 2)[:6]}  # zip counts in twos


@only_maturin
@pytest.mark.parametrize("send", [False, True])
def test_a_run_that_is_started_manually_never_publishes_to_pypi(
    built: Built, send: bool, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    inputs = {"testpypi": True} if send else {}
    manually = {"event": "workflow_dispatch", "inputs": inputs, "ref": "main"}
    run = built.resume("gate", tmp_path / "run", pypi, testpypi, **manually).run()
    looked = ["gate", "index", "install-from-index"] if send else ["gate"]
    assert ended(run) == NOTHING | dict.fromkeys(looked, "success"), run.printed
    assert_nothing_is_published(run, pypi)
    assert len(testpypi.files()) == (A_FEW_FILES if send else 0)


PRERELEASES = ["v1.0.0a1", "v1.0.0b2", "v1.0.0rc1", "v1.0.0.dev3"]


@only_maturin
@pytest.mark.parametrize("tag", [*PRERELEASES, "v1.0.0.post1"])
def test_a_candidate_is_marked_as_one(
    built: Built, tag: str, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("announce", tmp_path / "run", pypi, testpypi, ref=tag)
    shutil.copytree(run.store / "sdist", run.store / "release")
    run.run()
    assert run.results["announce"] == "success", run.printed
    marked = "true" if tag in PRERELEASES else "false"
    assert f"--prerelease={marked}" in (run.releases / tag / "published").read_text()


@only_maturin
def test_an_announcement_that_is_interrupted_and_run_again(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    """The first attempt left a draft, with a part of a file."""
    options = {"largest_file": {"announce": 2000}}
    run = built.resume("gate", tmp_path / "run", pypi, testpypi, **options).run()
    assert ended(run) == PUBLISHED | {"announce": "failure"}, run.printed
    assert (run.releases / "v0.1.0" / "draft").exists()
    assert_all_is_published(run.rerun(), pypi)


@only_maturin
def test_two_tags_on_one_commit(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    built.project.push("Two tags", "refs/tags/v0.3.0", "refs/heads/main")
    wrong = built.project.workflow(tmp_path / "wrong", pypi, testpypi, ref="v0.3.0").run()
    right = built.resume("install", tmp_path / "right", pypi, testpypi).run()
    assert wrong.results["check"] == "failure"
    assert_all_is_published(right, pypi)


# Faults in the artifacts.


def without_the_lock(store: Path) -> None:
    rewrite_sdist(store, lambda name, content: None if name.endswith("/Cargo.lock") else content)


def with_another_checksum(store: Path) -> None:
    def edit(name: str, content: bytes) -> bytes:
        lock = name.endswith("/Cargo.lock")
        return content.replace(b'checksum = "', b'checksum = "0000') if lock else content

    rewrite_sdist(store, edit)


def rewrite_sdist(store: Path, edit: Callable[[str, bytes], bytes | None]) -> None:
    (file,) = store.glob("sdist/*.tar.gz")
    with tarfile.open(file) as archive:
        members = {m: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
        contents = {member: source.read() for member, source in members.items() if source}
    with tarfile.open(file, "w:gz") as archive:
        for member, content in contents.items():
            if (changed := edit(member.name, content)) is not None:
                member.size = len(changed)
                archive.addfile(member, io.BytesIO(changed))


@pytest.mark.parametrize(
    ("fault", "reason", "backend"),
    [
        (without_the_lock, "because --locked was passed to prevent this", "maturin"),
        (with_another_checksum, "` changed between lock files", "setuptools-rust"),
    ],
    indirect=["backend"],
)
def test_an_sdist_that_cannot_be_built_with_its_lock(
    fault: Fault, reason: str, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("wheels", tmp_path / "run", pypi, testpypi, faults={"wheels": fault}).run()
    assert_stopped_at("wheels", run, reason, pypi, testpypi)


@only_maturin
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (remove("*-abi3-win32.whl"), "missing: win32 abi3"),
        (rename("cp311-abi3", "cp314-cp314t"), "was renamed: the tags inside are cp311-abi3"),
        (rename("x86_64", "aarch64"), "was renamed: the tags inside are cp311-abi3"),
        (
            replace(tag="cp311-cp311"),
            "is the ABI cp311 for manylinux_x86_64, which wheels.txt does not",
        ),
        (replace(version="0.0.9"), "has version 0.0.9, the tag is v0.1.0"),
        (truncate(), f"{ABI3_WHEEL}: cannot be read, BadZipFile: "),
        (swap_the_library(), "_native.abi3.so didn't match RECORD"),
        (without_the_lock, "tar.gz: holds no Cargo.lock"),
    ],
)
def test_the_gate_refuses_what_is_wrong_in_the_store(
    fault: Fault, reason: str, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("gate", tmp_path / "run", pypi, testpypi, faults={"gate": fault}).run()
    assert_stopped_at("gate", run, reason, pypi, testpypi)


def older_sources(store: Path) -> None:
    """Swap the wheel for one that was built from older sources, under the version of now."""
    with tempfile.TemporaryDirectory() as folder:
        older = Path(folder)
        shutil.copytree(store / "sdist", older / "sdist")
        rewrite_sdist(older, lambda _, content: content.replace(b"from(a == b)", b"from(a != b)"))
        (sdist,) = older.glob("sdist/*")
        selected = CARGO | {"CIBW_BUILD": f"cp3??-{LINUX}", "PATH": PATH}
        subprocess.run([*SMALL_WHEELS, sdist], cwd=older, env=os.environ | selected, check=True)
        shutil.copy(older / "wheelhouse" / ABI3_WHEEL, store / f"wheels-{LINUX}")


@pytest.mark.parametrize(
    ("fault", "reason", "backend"),
    [
        (
            swap_the_library(recorded=True),
            "does not define module export function (PyInit__native)",
            "maturin",
        ),
        (older_sources, "FAILED tests/test_fast_doubles.py", "setuptools-rust"),
    ],
    indirect=["backend"],
)
def test_a_library_of_other_sources_fails_where_it_is_installed(
    fault: Fault, reason: str, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("install", tmp_path / "run", pypi, testpypi, faults={"install": fault}).run()
    assert_stopped_at("install", run, reason, pypi, testpypi)


# Faults of the index.


@only_maturin
def test_an_upload_that_is_interrupted_and_run_again(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    pypi.takes = 3
    run = built.resume("gate", tmp_path / "run", pypi, testpypi).run()
    assert ended(run) == NOTHING | {"gate": "success", "publish": "failure"}
    assert len(pypi.files()) == 3
    assert list(run.releases.iterdir()) == []
    pypi.takes = None
    assert_all_is_published(run.rerun(), pypi)


@only_maturin
def test_an_interrupted_upload_is_not_mixed_with_files_of_another_build(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    """All jobs run again, not the failed ones alone: what is there is from another build."""
    pypi.takes = 3
    run = built.resume("gate", tmp_path / "run", pypi, testpypi).run()
    before = pypi.files()
    pypi.takes = None
    run.results["gate"] = "failure"  # it has to run again
    run.rerun()
    assert ended(run) == NOTHING | {"gate": "success", "publish": "failure"}
    assert pypi.files() == before


@only_maturin
def test_a_file_that_someone_else_has_uploaded(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    """Only what an attempt of the same run has sent may be there already."""
    (pypi.folder / ABI3_WHEEL).write_bytes(b"from elsewhere")
    run = built.resume("gate", tmp_path / "run", pypi, testpypi).run()
    assert run.results["publish"] == "failure"
    assert list(run.releases.iterdir()) == []


@only_maturin
@pytest.mark.parametrize("reason", ["wrong password", "index down"])
def test_an_index_that_takes_nothing(
    reason: str, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("gate", tmp_path / "run", pypi, testpypi)
    if reason == "wrong password":
        run.password = "wrong"
    else:
        pypi.takes = 0
    run.run()
    assert ended(run) == NOTHING | {"gate": "success", "publish": "failure"}
    assert ("403" if reason == "wrong password" else "503") in run.printed
    assert_nothing_is_published(run, pypi, testpypi)
    run.password, pypi.takes = pypi.password, None
    assert_all_is_published(run.rerun(), pypi)


def remove_one(pypi: LocalIndex) -> None:
    (pypi.folder / ABI3_WHEEL).unlink()


def change_one(pypi: LocalIndex) -> None:
    (pypi.folder / ABI3_WHEEL).write_bytes(b"from another build")


def add_one(pypi: LocalIndex) -> None:
    make_wheel(pypi.folder, LINUX, "cp313-cp313")


def answer_nothing(pypi: LocalIndex) -> None:
    pypi.shows = -1


@only_maturin
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (remove_one, f"simple/ does not show {ABI3_WHEEL}\n"),
        (change_one, f"has files of another build:\n{ABI3_WHEEL} has the SHA-256 "),
        (add_one, "was not checked by the gate: something else uploads this version too"),
        (answer_nothing, "simple/ does not answer: "),
    ],
)
def test_what_the_index_shows_is_compared_before_the_release_is_announced(
    fault: Callable[[LocalIndex], None],
    reason: str,
    built: Built,
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    faults = {"index": lambda _: fault(pypi)}
    run = built.resume("gate", tmp_path / "run", pypi, testpypi, faults=faults).run()
    assert ended(run) == NOTHING | {
        "gate": "success",
        "publish": "success",
        "index": "failure",
    }, run.printed
    assert reason in run.printed
    assert "*Re-run failed jobs* looks again" in run.printed
    assert list(run.releases.iterdir()) == []


@only_maturin
def test_what_pip_installs_from_the_index_is_tested_before_the_release_is_announced(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    """The comparison was well; then the index hands out another file."""
    faults = {"install-from-index": lambda _: change_one(pypi)}
    run = built.resume("gate", tmp_path / "run", pypi, testpypi, faults=faults).run()
    assert ended(run) == PUBLISHED | {"install-from-index": "failure", "announce": "skipped"}
    assert list(run.releases.iterdir()) == []
