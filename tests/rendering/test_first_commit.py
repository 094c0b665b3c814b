"""The repository that the hook makes: its commit, whose hooks it leaves alone, what git says."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.template import TEMPLATE

pytestmark = pytest.mark.builds  # each takes seconds, and some compile

USER = "[user]\nname = Test\nemail = test@example.com\n"


def rendered(run: Run, folder: Path, config: str = USER, **variables: str) -> tuple[Path, str]:
    """Render into a folder, with a text as git's configuration; the project and the output."""
    file = folder / "gitconfig"
    file.write_text(config)
    printed = run(
        *(Path(sys.executable).parent / "cookiecutter", TEMPLATE, "--no-input", "--default-config"),
        *("-o", folder),
        cwd=folder,
        GIT_CONFIG_GLOBAL=str(file),
        GIT_CONFIG_NOSYSTEM="1",
        **variables,
    ).stdout
    return folder / "fast-doubles", printed


def test_rendering_is_a_clean_repository_with_one_commit(run: Run, tmp_path: Path) -> None:
    project, printed = rendered(run, tmp_path)
    assert "with a first commit" in printed
    assert "cd fast-doubles\n    nox " in printed
    assert run("git", "branch", "--show-current", cwd=project).stdout == "main\n"
    assert run("git", "rev-list", "--count", "HEAD", cwd=project).stdout == "1\n"
    assert run("git", "status", "--porcelain", "--ignored", cwd=project).stdout == ""


def test_files_that_the_user_ignores_elsewhere_are_committed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ignored").write_text("release/\n*.lock\n")
    config = f"{USER}[core]\nexcludesFile = {tmp_path / 'ignored'}\n"
    project, printed = rendered(run, tmp_path, config)
    assert "with a first commit" in printed
    tracked = run("git", "ls-files", cwd=project).stdout.splitlines()
    assert {"Cargo.lock", "release/tools/gate.py"} <= set(tracked)


def test_unknown_user_gets_a_repository_without_commit(run: Run, tmp_path: Path) -> None:
    project, printed = rendered(run, tmp_path, "[user]\nuseConfigOnly = true\n")
    assert "git does not know your name yet" in printed
    assert "git said: fatal: no email was given and auto-detection is disabled" in printed
    assert run("git", "rev-parse", "HEAD", cwd=project, check=False).returncode != 0
    assert "?? " not in run("git", "status", "--porcelain", cwd=project).stdout


def test_surrounding_repository_is_left_alone(run: Run, tmp_path: Path) -> None:
    run("git", "init", "--quiet", cwd=tmp_path)
    project, printed = rendered(run, tmp_path)
    assert "inside a git repository" in printed
    assert not (project / ".git").exists()
    assert run("git", "status", "--porcelain", cwd=tmp_path).stdout.startswith("??")


def test_surrounding_repository_of_another_owner_is_one_too(run: Run, tmp_path: Path) -> None:
    run("git", "init", "--quiet", cwd=tmp_path)
    project, printed = rendered(run, tmp_path, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "No repository was made, because git said: fatal: detected dubious own" in printed
    assert "--add safe.directory" in printed
    assert not (project / ".git").exists()


def test_without_git_the_files_are_rendered_all_the_same(run: Run, tmp_path: Path) -> None:
    project, printed = rendered(run, tmp_path, PATH=str(tmp_path))
    assert "git is not installed" in printed
    assert not (project / ".git").exists()
    assert (project / "pyproject.toml").exists()


def test_a_configuration_that_git_cannot_read(run: Run, tmp_path: Path) -> None:
    project, printed = rendered(run, tmp_path, "no configuration")
    assert "git said: fatal: bad config line 1 in file" in printed
    assert (project / "pyproject.toml").exists()


posix = pytest.mark.skipif(sys.platform == "win32", reason="stands in by a shell script")


@posix
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("rev-parse --is-inside-work-tree", "No repository was made, because git said: "),
        ("init", "No repository was made: `git init` said: "),
        ("add", "nothing committed: `git add --all` and `git commit` are yours. git said: "),
        ("commit", "nothing committed: `git commit` is yours. git said: "),
    ],
)
@pytest.mark.parametrize(
    ("printed", "last"),
    [
        ("error: no space left\nfatal: cannot write\n", "fatal: cannot write"),
        (
            "fatal: locked\n\nOne more runs.\nhint: wait\nusage\n",
            "fatal: locked One more runs. ",
        ),
        (
            "first\nSchwerwiegend: \\377\\360\\237\\246\\200\n\n",
            "Schwerwiegend: \\ufffd\\U0001f980",
        ),
    ],
    ids=["plain", "with advice", "in another language"],
)
def test_what_git_says_is_passed_on(
    command: str, said: str, printed: str, last: str, run: Run, tmp_path: Path
) -> None:
    """Where it fails, and whatever the output can hold; the project stays."""
    tools = tmp_path / "bin"
    tools.mkdir()
    fails = f"printf '{printed}' >&2; exit 128"
    (tools / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" {command} "*) {fails};; esac\n'
        f'exec "{shutil.which("git")}" "$@"\n'
    )
    (tools / "git").chmod(0o755)
    variables = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONIOENCODING": "ascii"}
    project, output = rendered(run, tmp_path, PYTHONUTF8="0", **variables)
    assert f"{said}{last}" in output
    assert "usage" not in output
    assert (project / "pyproject.toml").exists()


@posix
@pytest.mark.parametrize("way", ["hooksPath", "templateDir", "fsmonitor"])
def test_hooks_and_signing_of_the_user_are_left_alone(way: str, run: Run, tmp_path: Path) -> None:
    names = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-index-change")
    hooks, ran = tmp_path / "template" / "hooks", tmp_path / "ran"
    hooks.mkdir(parents=True)
    for name in (*names, "reference-transaction", "fsmonitor"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{ran}'\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings = {
        "hooksPath": f"[core]\nhooksPath = {hooks}\n",
        "templateDir": f"[init]\ntemplateDir = {hooks.parent}\n",
        "fsmonitor": f"[core]\nfsmonitor = {hooks / 'fsmonitor'}\n",
    }
    signing = "[commit]\ngpgSign = true\n[gpg]\nprogram = false\n"
    project, printed = rendered(run, tmp_path, f"{USER}{signing}{settings[way]}")
    assert "with a first commit" in printed
    assert not ran.exists()
    if way == "templateDir":  # for the commits to come, they are there
        assert (project / ".git" / "hooks" / "pre-commit").exists()
