"""release.yml, run on this machine: what is published, and that no fault lets a wrong file out."""

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
    REFUSED,
    Built,
    Project,
    assert_all_is_published,
    assert_nothing_is_published,
    assert_stopped_at_the_check,
    ended,
)
from helpers.sample_files import depend_on_tinylib
from helpers.small_wheels import PLATFORMS, entry_point, library, make_tinylib, make_wheel
from helpers.workflow_run import CARGO, PATH, SMALL_WHEELS
from tools.template import BACKENDS, RELEASE_FILES

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for runners are Linux's"),
]

only_maturin = pytest.mark.parametrize("backend", BACKENDS[:1], indirect=True)


def test_a_tag_publishes_all_that_is_promised(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    """With the template's own list of platforms, from the first job to the last."""
    project = new_project(build_backend=backend)
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    assert run.results["install"] == "success", run.printed
    assert_all_is_published(run, pypi, files=RELEASE_FILES)
    assert testpypi.files() == {}
    assert "--prerelease=false" in (run.releases / "v0.1.0" / "published").read_text()


def test_platforms_without_a_runner_are_published_without_an_installation(
    new_project: Callable[..., Project], tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    project = new_project("musllinux_x86_64 abi3")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    assert run.results["install"] == "skipped"
    assert_all_is_published(run, pypi, files=2, installed=False)


@pytest.mark.parametrize(
    ("listed", "without_abi3", "backend"),
    [
        ("cp311 cp312 cp313 pp311", True, "setuptools-rust"),
        ("abi3 cp311 cp313", False, "maturin"),
    ],
    indirect=["backend"],
)
def test_wheels_of_one_python_are_published(
    listed: str,
    without_abi3: bool,
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    """In a project without abi3, and next to abi3: there by a second run, which leaves it out."""
    project = new_project(f"{LINUX} {listed}\nwin_amd64 {listed}\n", build_backend=backend)
    if without_abi3:
        for name, before, after in (
            ("pyproject.toml", 'features = ["pyo3/abi3-py311"]', "features = []"),
            ("setup.py", 'options["bdist_wheel"] =', "unused ="),
        ):
            if (file := project.clone / name).exists():
                text = file.read_text("utf-8")
                file.write_text(text.replace(before, after), "utf-8")
        project.push("Not abi3", "refs/heads/main", "refs/tags/v0.1.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    assert ended(run) == PUBLISHED, run.printed
    abis = listed.split()
    assert len(pypi.files()) == 1 + 2 * len(abis)
    # Built from the sdist by the project's own backend, and picked by the Python that it is for.
    (wheel,) = [name for name in pypi.files() if f"-cp311-cp311-{PLATFORMS[LINUX][1]}" in name]
    with zipfile.ZipFile(run.store / "release" / wheel) as archive:
        names = archive.namelist()
    assert any(name.endswith("_native.cpython-311-x86_64-linux-gnu.so") for name in names)
    assert f"pip installed {wheel}" in run.printed
    second = run.store / f"wheels-{LINUX}-cp311-cp313"
    assert second.exists() == ("abi3" in abis)


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
def test_dependencies_come_from_the_index_and_the_package_from_the_wheels(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    """Where each wheel is installed, the index has a newer package of the same name."""
    project = new_project(f"{LINUX} abi3", build_backend=backend)
    depend_on_tinylib(project.clone)
    project.push("A dependency", "refs/heads/main", "refs/tags/v0.1.0")
    make_tinylib(testpypi.folder)
    make_wheel(testpypi.folder, LINUX, "cp311-abi3", version="99.0")
    variables = {"PIP_INDEX_URL": f"{testpypi.url}simple/"}
    run = project.workflow(tmp_path / "run", pypi, testpypi, variables=variables)
    assert run.run(until="install").results["install"] == "success", run.printed


# Faults before anything is built.


@only_maturin
def test_a_tag_that_is_not_the_version(
    built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    built.project.push("Tagged, not bumped", "refs/heads/main", "refs/tags/v0.2.0")
    run = built.project.workflow(tmp_path / "run", pypi, testpypi, ref="v0.2.0").run()
    reason = "the tag is v0.2.0, but pyproject.toml has version 0.1.0"
    assert_stopped_at_the_check(run, reason, pypi, testpypi)
    assert set(run.results.values()) == {"failure", "skipped"}


def test_a_tag_off_the_default_branch(
    new_project: Callable[..., Project], tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    project = new_project()
    project.push("Not merged", "refs/heads/feature", "refs/tags/v0.1.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    reason = "the tag v0.1.0 is not on origin/main"
    assert_stopped_at_the_check(run, reason, pypi, testpypi)
    options = {"default_branch": "feature"}  # as it is called in another repository
    run = project.workflow(tmp_path / "other", pypi, testpypi, **options).run(until="check")
    assert run.results == {"check": "success"}, run.printed
    project.push("Merged", "refs/heads/main")
    assert project.workflow(tmp_path / "again", pypi, testpypi).run(until="check").results == {
        "check": "success"
    }


def test_an_edited_lock(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    project = new_project(build_backend=backend)
    lock = project.clone / "Cargo.lock"
    text = lock.read_text("utf-8")
    lock.write_text(text[: text.index('[[package]]\nname = "quickcheck"')], "utf-8")
    project.push("Edited", "refs/heads/main", "refs/tags/v0.1.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    reason = "Cargo.lock is not what Cargo.toml asks for"
    assert_stopped_at_the_check(run, reason, pypi, testpypi)


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
    ("fault", "backend"),
    list(zip([without_the_lock, with_another_checksum], BACKENDS, strict=True)),
    indirect=["backend"],
)
def test_an_sdist_that_cannot_be_built_with_its_lock(
    fault: Fault, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("wheels", tmp_path / "run", pypi, testpypi, faults={"wheels": fault}).run()
    assert run.results["wheels"] == "failure", run.printed
    assert "lock" in run.printed
    assert ended(run) == NOTHING
    assert_nothing_is_published(run, pypi, testpypi)


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
    assert reason in run.printed
    assert ended(run) == REFUSED
    assert_nothing_is_published(run, pypi, testpypi)


def another_project(store: Path) -> None:
    """Swap the library for another project's, in a wheel that says so nowhere."""
    replace(code=lambda: library(LINUX, entry_point("PyInit__other")))(store)


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
    ("fault", "backend"),
    list(zip([another_project, older_sources], BACKENDS, strict=True)),
    indirect=["backend"],
)
def test_a_library_of_other_sources_fails_where_it_is_installed(
    fault: Fault, built: Built, tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    run = built.resume("install", tmp_path / "run", pypi, testpypi, faults={"install": fault}).run()
    assert run.results["install"] == "failure", run.printed
    assert ended(run) == NOTHING
    assert_nothing_is_published(run, pypi, testpypi)


@only_maturin
def test_a_full_disk(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    project = new_project(wheels=f"{LINUX} abi3", build_backend=backend)
    full = {"wheels": 100_000}
    run = project.workflow(tmp_path / "run", pypi, testpypi, largest_file=full).run()
    assert run.results["wheels"] == "failure", run.printed
    assert ended(run) == NOTHING
    assert_nothing_is_published(run, pypi, testpypi)
    assert_all_is_published(run.rerun(), pypi, files=2)


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


def test_a_proprietary_project_is_never_published(
    backend: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    project = new_project(f"{LINUX} abi3", build_backend=backend, license="Proprietary")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    reason = "the classifier 'Private :: Do Not Upload' of pyproject.toml"
    assert_stopped_at_the_check(run, reason, pypi, testpypi)

    manually = {"event": "workflow_dispatch", "inputs": {"testpypi": True}, "ref": "main"}
    run = project.workflow(tmp_path / "manually", pypi, testpypi, **manually).run()
    assert run.results["wheels"] == "success", run.printed
    assert "is never to be uploaded: its classifier is 'Private :: Do Not Upload'" in run.printed
    assert ended(run) == REFUSED
    assert_nothing_is_published(run, pypi, testpypi)


def test_a_dynamic_version_is_compared_with_the_tag_before_any_wheel(
    new_project: Callable[..., Project], pypi: LocalIndex, testpypi: LocalIndex, tmp_path: Path
) -> None:
    project = new_project(build_backend="maturin")
    manifest = project.clone / "pyproject.toml"
    text = manifest.read_text("utf-8")
    static = 'version = "0.1.0"  ## bump2version finds it by the line above\n'
    assert static in text
    manifest.write_text(text.replace(static, 'dynamic = ["version"]\n'), "utf-8")
    project.push("From Cargo.toml", "refs/heads/main", "refs/tags/v0.1.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    assert (run.results["check"], run.results["sdist"]) == ("success", "failure")
    assert "has version 0.0.0, the tag is v0.1.0" in run.printed
    assert run.results["wheels"] == "skipped"
