"""The look at the index after an upload: what it waits for, what it refuses, what pip installs."""

import sys
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from helpers.local_index import LocalIndex
from helpers.release_programs import environment, published
from helpers.small_wheels import make_sdist, make_wheel
from tools.machine import python_of
from tools.template import PROJECT_FOLDER

PROGRAM = PROJECT_FOLDER / "release" / "tools" / "published.py"


@pytest.fixture
def release(tmp_path: Path, pypi: LocalIndex) -> published.Release:
    """An sdist and a wheel that the index has, and so has the folder dist/."""
    dist = tmp_path / "dist"
    dist.mkdir()
    for folder in (dist, pypi.folder):
        make_sdist(folder)
        make_wheel(folder, "manylinux_x86_64", "cp311-abi3")
    for file in dist.iterdir():
        (pypi.folder / file.name).write_bytes(file.read_bytes())
    return published.Release(dist, f"{pypi.url}simple/")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "PAUSE", 0.01)


def test_a_late_index_is_waited_for(
    release: published.Release, pypi: LocalIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    pypi.shows = 5
    release.wait(minutes=1)
    waited = capsys.readouterr().out.splitlines()
    assert len(waited) == 5
    assert all(line.startswith(f"waiting: {release.index} does not show fast_") for line in waited)


def test_other_versions_are_not_compared(release: published.Release, pypi: LocalIndex) -> None:
    make_sdist(pypi.folder, version="0.0.9")
    make_wheel(pypi.folder, "manylinux_x86_64", "cp311-abi3", version="0.0.9")
    (pypi.folder / "fast_doubles-nonsense.zip").touch()
    release.wait(minutes=0)


def test_another_file_is_refused_at_once(release: published.Release, pypi: LocalIndex) -> None:
    (wheel,) = pypi.folder.glob("*.whl")
    wheel.write_bytes(b"from elsewhere")
    with pytest.raises(environment.Failed, match=f"{wheel.name} has the SHA-256 "):
        release.wait(minutes=60)


def test_an_index_that_never_shows_a_file_is_given_up(
    release: published.Release, pypi: LocalIndex
) -> None:
    (wheel,) = pypi.folder.glob("*.whl")
    wheel.unlink()
    with pytest.raises(environment.Failed, match=f"does not show {wheel.name}$"):
        release.wait(minutes=0.001)


def test_pip_is_asked_again_where_it_sees_an_older_page(
    release: published.Release,
    pypi: LocalIndex,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("uv", "venv", "--seed", f"--python={sys.executable}", tmp_path / "venv", cwd=tmp_path)
    python = python_of(tmp_path / "venv")
    pypi.shows = 1
    assert release.install(python, minutes=5).startswith("fast_doubles-0.1.0-cp311-abi3-manylinux")
    assert "waiting: " in capsys.readouterr().out


def test_pip_installs_no_file_that_the_gate_has_not_seen(
    release: published.Release, pypi: LocalIndex, run: Run, tmp_path: Path
) -> None:
    run("uv", "venv", "--seed", f"--python={sys.executable}", tmp_path / "venv", cwd=tmp_path)
    make_wheel(pypi.folder, "manylinux_x86_64", "cp311-cp311")  # pip would rather take this one
    assert "-cp311-abi3-" in release.install(python_of(tmp_path / "venv"))
    for wheel in pypi.folder.glob("*-abi3-*.whl"):
        wheel.write_bytes(b"from elsewhere")
    python = python_of(tmp_path / "venv")
    run("uv", "pip", "uninstall", f"--python={python}", "fast-doubles", cwd=tmp_path)
    with pytest.raises(environment.Failed, match="DO NOT MATCH THE HASHES"):
        release.install(python)


def test_a_folder_without_an_sdist_is_named(run: Run, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        result = run(sys.executable, "-B", PROGRAM, folder, cwd=tmp_path, check=False)
        assert result.returncode == 2
        assert f"{folder} holds 0 sdists and not one: name the folder" in result.stdout
