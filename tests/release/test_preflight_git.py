"""The check before anything is built: what git tracks, and where the project comes from."""

import os
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from helpers.preflight_runs import URL, Preflight
from tools.machine import GIT

pytestmark = pytest.mark.builds


@pytest.mark.parametrize(
    "origin",
    [
        URL,
        f"{URL}.git",
        f"{URL}/",
        "git@github.com:ada/fast-doubles.git",
        "ssh://git@github.com/Ada/Fast-Doubles",
    ],
)
def test_the_origin_may_be_written_in_many_ways(
    preflight: Preflight, project: Path, run: Run, origin: str
) -> None:
    run("git", "remote", "set-url", "origin", origin, cwd=project)
    assert preflight("--tag=v0.1.0") == (0, "")


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/eve/fast-doubles",
        "git@host:ada/other.git",
        "https://github.com/ada/fast",
        "https://github.com/da/fast-doubles",
    ],
)
def test_another_origin_than_the_metadatas_is_noticed(
    preflight: Preflight, project: Path, run: Run, origin: str
) -> None:
    run("git", "remote", "set-url", "origin", origin, cwd=project)
    status, printed = preflight()
    assert status == 0
    assert f"the URL Repository of pyproject.toml is {URL}, but git's origin is {origin}" in printed
    assert "`git remote set-url origin`" in printed
    assert preflight("--tag=v0.1.0")[0] == 1
    run("git", "remote", "remove", "origin", cwd=project)
    assert "git has no remote named origin" in preflight()[1]


def test_it_takes_a_git_repository_of_its_own(
    preflight: Preflight, project: Path, run: Run
) -> None:
    (project / ".git").rename(project / "no-git")
    status, printed = preflight(crates=True, GIT_CEILING_DIRECTORIES=str(project.parent))
    assert status == 1
    assert "this is no git repository: `git init`" in printed
    run("git", "init", "--quiet", cwd=project.parent)
    status, printed = preflight()
    assert status == 1
    assert "fast-doubles/ is a folder of a repository" in printed


def test_a_submodule_is_refused_with_the_reason(
    preflight: Preflight, project: Path, run: Run, tmp_path: Path
) -> None:
    module = tmp_path / "module"
    module.mkdir()
    run("git", "init", "--quiet", cwd=module)
    run("git", "commit", "--quiet", "--allow-empty", "--message=x", cwd=module, **GIT)
    allow = ("git", "-c", "protocol.file.allow=always")
    run(*allow, "submodule", "--quiet", "add", module, "vendor/my crate", cwd=project)
    status, printed = preflight()
    assert status == 1
    assert (
        "vendor/my crate: a git submodule, which the sdist and CI's checkouts leave out" in printed
    )


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize(
    ("target", "refused"), [("rust", True), ("no-such", True), ("LICENSE", False)]
)
def test_a_link_that_an_sdist_cannot_hold_is_refused(
    preflight: Preflight, project: Path, run: Run, target: str, refused: bool
) -> None:
    (project / "a link").symlink_to(target)
    run("git", "add", "a link", cwd=project)
    status, printed = preflight()
    assert (status == 1) == refused
    assert ("a link: a symbolic link to a folder or to nothing" in printed) == refused


def test_files_of_git_lfs_are_refused(preflight: Preflight, project: Path, run: Run) -> None:
    with (project / ".gitattributes").open("a") as attributes:
        attributes.write("*.bin filter=lfs\n")
    (project / "tests" / "big one.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    run("git", "-c", "filter.lfs.clean=cat", "add", "--all", cwd=project)
    status, printed = preflight()
    assert status == 1
    assert "tests/big one.bin: of git LFS, whose files CI's checkouts leave out" in printed


def test_an_index_that_git_cannot_read_is_told_in_gits_words(
    preflight: Preflight, project: Path
) -> None:
    (project / ".git" / "index").write_bytes(b"broken")
    status, printed = preflight(crates=True)
    assert status == 1
    assert "git does not list its files: " in printed
    assert "index file" in printed


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file away")
def test_what_git_says_of_a_strangers_repository_is_passed_on(
    preflight: Preflight, project: Path
) -> None:
    os.chown(project / ".git", 12345, 12345)
    os.chown(project, 12345, 12345)
    status, printed = preflight(crates=True)
    assert status == 1
    assert "git does not read this repository: fatal: detected dubious ownership" in printed
    assert "safe.directory" in printed
    assert "git init" not in printed
    safe = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    assert preflight(**safe) == (0, "")


@pytest.mark.parametrize("label", ["Source", "source", "Repository", "REPOSITORY"])
def test_a_url_of_another_repository_is_noticed_by_its_label(
    preflight: Preflight, project: Path, label: str
) -> None:
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    assert "Repository = " in text
    text = text.replace("Repository = ", f"{label} = ").replace('/ada/fast-doubles"', '/eve/x"')
    manifest.write_text(text, "utf-8")
    assert (
        f"the URL {label} of pyproject.toml is https://github.com/eve/x, but git's"
        in preflight()[1]
    )


@pytest.mark.parametrize("label", ["Homepage", "Issues", "Documentation"])
def test_other_urls_may_be_elsewhere(preflight: Preflight, project: Path, label: str) -> None:
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    urls = f'[project.urls]\n{label} = "https://example.org/x/y"\n'
    text = text.replace("Issues = ", "Tracker = ").replace("[project.urls]\n", urls)
    manifest.write_text(text, "utf-8")
    assert "the URL" not in preflight()[1]


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_gits_variables_for_another_repository_are_not_followed(
    preflight: Preflight, variable: str, tmp_path: Path
) -> None:
    assert preflight("--tag=v0.1.0", **{variable: str(tmp_path / "elsewhere")}) == (0, "")
