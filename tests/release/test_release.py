"""release.yml, run on this machine from its first job: what is published, and what stops it."""

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.faults import (
    LINUX,
)
from helpers.local_index import LocalIndex
from helpers.pairs import pairs
from helpers.release_runs import (
    A_FEW_FILES,
    A_FEW_WHEELS,
    NOTHING,
    PUBLISHED,
    REFUSED,
    Project,
    assert_all_is_published,
    assert_nothing_is_published,
    assert_stopped_at,
    ended,
)
from helpers.sample_files import depend_on_tinylib
from helpers.small_wheels import PLATFORMS, make_tinylib, make_wheel
from tools.template import BACKENDS, RELEASE_FILES

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for runners are Linux's"),
]

only_maturin = pytest.mark.parametrize("backend", BACKENDS[:1], indirect=True)


@pytest.mark.parametrize(
    ("backend", "wheels"),
    pairs(BACKENDS, ["", A_FEW_WHEELS]),
    ids=lambda value: "a few wheels" if value == A_FEW_WHEELS else value or "all wheels",
    indirect=["backend"],
)
def test_a_tag_publishes_all_that_is_promised(
    backend: str,
    wheels: str,
    new_project: Callable[..., Project],
    tmp_path: Path,
    pypi: LocalIndex,
    testpypi: LocalIndex,
) -> None:
    """With the template's own list of platforms, from the first job to the last."""
    project = new_project(wheels, build_backend=backend)
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    assert run.results["install"] == "success", run.printed
    assert_all_is_published(run, pypi, files=A_FEW_FILES if wheels else RELEASE_FILES)
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


def test_a_tag_that_is_not_the_version(
    new_project: Callable[..., Project], tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    project = new_project()
    project.push("Tagged, not bumped", "refs/heads/main", "refs/tags/v0.2.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi, ref="v0.2.0").run()
    reason = "the tag is v0.2.0, but pyproject.toml has version 0.1.0"
    assert_stopped_at("check", run, reason, pypi, testpypi)
    assert set(run.results.values()) == {"failure", "skipped"}


def test_a_tag_off_the_default_branch(
    new_project: Callable[..., Project], tmp_path: Path, pypi: LocalIndex, testpypi: LocalIndex
) -> None:
    project = new_project()
    project.push("Not merged", "refs/heads/feature", "refs/tags/v0.1.0")
    run = project.workflow(tmp_path / "run", pypi, testpypi).run()
    reason = "the tag v0.1.0 is not on origin/main"
    assert_stopped_at("check", run, reason, pypi, testpypi)
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
    assert_stopped_at("check", run, reason, pypi, testpypi)


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
    assert_stopped_at("check", run, reason, pypi, testpypi)

    manually = {"event": "workflow_dispatch", "inputs": {"testpypi": True}, "ref": "main"}
    run = project.workflow(tmp_path / "manually", pypi, testpypi, **manually).run()
    assert run.results["wheels"] == "success", run.printed
    assert "is never to be uploaded: its classifier is 'Private :: Do Not Upload'" in run.printed
    assert ended(run) == REFUSED
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
