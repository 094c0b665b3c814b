"""Which variables and settings of git a release sees: what a machine needs, and no others."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Repository, Run
from helpers.hostile_settings import HOSTILE, located
from helpers.release_programs import environment, rehearse
from tools.machine import GIT
from tools.template import TEMPLATE


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], bool]:
    """Whether a release sees a variable that is set."""

    def passed(name: str) -> bool:
        monkeypatch.setenv(name, "something")
        return name not in environment.left_out()

    return passed


@pytest.mark.parametrize("name", [*HOSTILE, *located(Path())])
def test_what_breaks_a_step_is_left_out(passed: Callable[[str], bool], name: str) -> None:
    """One by one: all at once, as in the rehearsal, one may hide what another does."""
    assert not passed(name)


def test_what_ties_git_to_a_repository_is_left_out(
    passed: Callable[[str], bool], run: Run, tmp_path: Path
) -> None:
    names = run("git", "rev-parse", "--local-env-vars", cwd=tmp_path).stdout.split()
    settings = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}  # these name no repository
    assert {name for name in names if passed(name)} == settings


def test_what_the_page_on_mirrors_and_proxies_sets_is_seen(passed: Callable[[str], bool]) -> None:
    page = TEMPLATE / "docs" / "how-to" / "mirror-and-proxy.md"
    names = set(re.findall(r"\bexport (\w+)=", page.read_text("utf-8")))
    assert len(names) > 8
    assert {name for name in names if not passed(name)} == set()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ("PATH HOME TMPDIR TEMP", "no program is found, or has a place for its files"),
        ("CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN", "another Rust is found, or none"),
        ("CARGO_TARGET_DIR", "everything is compiled again"),
        ("SYSTEMROOT COMSPEC PATHEXT", "on Windows, Python has no sockets and starts no program"),
        ("APPDATA LOCALAPPDATA USERPROFILE PROGRAMFILES(X86)", "no caches, and no Visual Studio"),
        ("MACOSX_DEPLOYMENT_TARGET SDKROOT DEVELOPER_DIR", "wheels are for the newest macOS alone"),
        ("GIT_CONFIG_GLOBAL GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0", "CI's `safe.directory` is lost"),
        ("UV_PYTHON_DOWNLOADS UV_CACHE_DIR PIP_CACHE_DIR", "everything is fetched again"),
    ],
)
def test_what_a_machine_needs_is_seen(
    passed: Callable[[str], bool], names: str, reason: str
) -> None:
    for name in names.split():
        assert passed(name), f"without {name}, {reason}"


def logging_hooks(folder: Path, status: int = 0) -> Path:
    """A folder with every hook that git may start on a developer's machine; each logs its name."""
    folder.mkdir()
    for name in re.findall(r"[\w-]+", HOOKS):
        (folder / name).write_text(f'#!/bin/sh\necho {name} >> "{folder}.log"\nexit {status}\n')
        (folder / name).chmod(0o755)
    return folder


HOOKS = """
applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg
commit-msg post-commit pre-rebase post-checkout post-merge pre-push reference-transaction
post-rewrite post-index-change
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the hooks are shell scripts")
def test_all_hooks_of_a_bump_and_a_push_are_named(
    repository: Repository, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal starts none of them, so it says which would run."""
    project = repository()
    run("git", "clone", "--quiet", "--bare", project, tmp_path / "origin.git", cwd=tmp_path)
    run("git", "remote", "add", "origin", tmp_path / "origin.git", cwd=project)
    hooks = logging_hooks(tmp_path / "hooks")
    run("git", "config", "core.hooksPath", hooks, cwd=project)
    run("bump2version", "patch", cwd=project, **GIT)
    run("git", "push", "--quiet", "--atomic", "origin", "main", "v0.1.1", cwd=project)
    started = set((tmp_path / "hooks.log").read_text().split())
    monkeypatch.chdir(project)
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    (sentence,) = rehearse.not_rehearsed()
    named = sentence.removeprefix("git runs ").partition(" of ")[0].split(", ")
    assert started == set(named)


@pytest.mark.skipif(sys.platform == "win32", reason="the hooks are shell scripts")
def test_hooks_and_settings_of_the_owner_reach_no_clone(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    """Of a shallow checkout, too. The backend does not exist, so it ends where it would build."""
    project = repository()
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(re.sub("(?m)^build-backend = .*", 'build-backend = "no_such"', text))
    run("git", "commit", "--quiet", "--all", "--message=No backend", cwd=project, **GIT)
    run(
        "git", "clone", "--quiet", "--depth=1", project.as_uri(), tmp_path / "shallow", cwd=tmp_path
    )
    settings = tmp_path / "gitconfig"
    hooks = logging_hooks(tmp_path / "hooks", status=1)
    settings.write_text(f"[core]\nhooksPath = {hooks}\n[clone]\nrejectShallow = true\n")
    command = (sys.executable, "release/tools/rehearse.py")
    variables = {"GIT_CONFIG_GLOBAL": str(settings)}
    result = run(*command, cwd=tmp_path / "shallow", check=False, **variables)
    assert "The rehearsal stopped at: sdist." in result.stdout
    assert not (tmp_path / "hooks.log").exists()
