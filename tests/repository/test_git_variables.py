"""No program that is started from a git hook or alias works on the repository of that hook.

git ties its hooks, aliases and `rebase --exec` to their repository by variables, which whatever
they start inherits. Each test has them name a decoy, which must be the same afterwards.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from helpers.rendering import hook
from tools import compare
from tools.machine import GIT, tied_to_a_repository, untied_environment
from tools.template import TEMPLATE

pytestmark = pytest.mark.builds  # each takes seconds, and some compile


def content(folder: Path) -> dict[str, str]:
    """The files below a folder, those of git too: path to a hash."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def decoy(run: Run, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that git sets for a repository's hooks; it stays byte for byte as it is."""
    folder = tmp_path / "decoy"
    run("git", "init", "--quiet", "--initial-branch=main", folder, cwd=tmp_path)
    (folder / "precious.txt").write_text("mine\n")
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message=Mine", cwd=folder, **GIT)
    (folder / "staged.txt").write_text("staged\n")
    run("git", "add", "--all", cwd=folder)
    os.utime(folder / "precious.txt", (1, 1))  # so that `git status` would write the index
    before = content(folder)
    assert ".git/HEAD" in before
    yield {
        "GIT_DIR": str(folder / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": str(folder / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(folder / ".git" / "objects"),
        "GIT_CONFIG": str(folder / ".git" / "config"),
        "GIT_PREFIX": "",
    }
    assert content(folder) == before


def commits(project: Path, run: Run) -> list[str]:
    """The subjects of a repository's commits, and who made them."""
    assert run("git", "rev-parse", "--show-toplevel", cwd=project).stdout.strip() == str(project)
    return run("git", "log", "--format=%an: %s", cwd=project).stdout.splitlines()


RENDER = ("cookiecutter", TEMPLATE, "--no-input", "--default-config")


def test_a_rendering_makes_a_repository_of_its_own(
    decoy: dict[str, str], run: Run, tmp_path: Path
) -> None:
    printed = run(*RENDER, "-o", tmp_path, cwd=tmp_path, **decoy, **GIT).stdout
    assert "with a first commit" in printed
    project = tmp_path / "fast-doubles"
    assert commits(project, run) == ["A. U. Thor: Start from cookiecutter-pyo3-wheel"]


def test_a_rendering_by_an_alias_of_a_linked_worktree(run: Run, tmp_path: Path) -> None:
    """The variables are git's own here."""
    origin, linked, project = (tmp_path / name for name in ("origin", "linked", "fast-doubles"))
    run("git", "init", "--quiet", "--initial-branch=main", origin, cwd=tmp_path)
    run("git", "commit", "--quiet", "--allow-empty", "--message=Mine", cwd=origin, **GIT)
    run("git", "worktree", "add", "--quiet", linked, "-b", "topic", cwd=origin)
    before = content(origin), content(linked)
    words = " ".join(f'"{word}"' for word in (*RENDER, "-o", tmp_path))
    run("git", "-c", f"alias.render=!{words}", "render", cwd=linked, **GIT)
    assert (content(origin), content(linked)) == before
    assert commits(project, run) == ["A. U. Thor: Start from cookiecutter-pyo3-wheel"]


@pytest.mark.parametrize(
    "variables",
    [
        {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "By Number",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "by@example.com",
        },
        {"GIT_CONFIG_PARAMETERS": "'user.name'='By Number' 'user.email'='by@example.com'"},
    ],
    ids=["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"],
)
def test_settings_in_variables_reach_git(
    variables: dict[str, str],
    decoy: dict[str, str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": "", "GIT_CONFIG_NOSYSTEM": "1"}
    run(*RENDER, "-o", tmp_path, cwd=tmp_path, **decoy, **nobody, **variables)
    assert commits(tmp_path / "fast-doubles", run)[0].startswith("By Number: ")
    for name, value in (decoy | variables).items():
        monkeypatch.setenv(name, value)
    for environment in (
        untied_environment(),
        hook("post_gen_project").environment(),
        dict.fromkeys(set(decoy | variables) - tied_to_a_repository()),
    ):
        assert variables.keys() <= environment.keys()
        assert not decoy.keys() & environment.keys()


@pytest.fixture
def template(run: Run, tmp_path: Path) -> Path:
    """A repository in place of the template's, with one file at v1."""
    folder = tmp_path / "tëmplate"
    run("git", "init", "--quiet", folder, cwd=tmp_path)
    (folder / "of-the-template.txt").write_text("x\n")
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message=One", cwd=folder, **GIT)
    run("git", "tag", "v1", cwd=folder)
    return folder


def test_projects_are_compared_with_the_templates_own_releases(
    decoy: dict[str, str],
    template: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    run("git", "tag", "v1", cwd=tmp_path / "decoy")
    run("git", "tag", "--delete", "v1", cwd=tmp_path / "decoy")
    for name, value in decoy.items():
        monkeypatch.setenv(name, value)
    compare.unpack(template, "v1", tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["of-the-template.txt"]


def test_comparison_says_what_git_says(
    template: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = "has no 'v2': git fetch --tags, or name one with --with"
    with pytest.raises(compare.CannotCompare, match=missing):
        compare.unpack(template, "v2", tmp_path / "out")
    with pytest.raises(compare.CannotCompare, match="It said: fatal: not a git repository"):
        compare.unpack(tmp_path, "v1", tmp_path / "out")

    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for reference in ("v1", "v2"):
        with pytest.raises(compare.CannotCompare, match="said: fatal: detected dubious .* --add"):
            compare.unpack(template, reference, tmp_path / "out")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(template))
    compare.unpack(template, "v1", tmp_path / "out")

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(compare.CannotCompare, match="git cannot be started: "):
        compare.unpack(template, "v1", tmp_path / "out")


def test_comparison_prints_names_that_the_output_cannot_hold(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "ünïcödé 🦀"
    project.mkdir()
    variables = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    result = run(
        *(sys.executable, "-m", "tools.compare", project),
        cwd=TEMPLATE,
        check=False,
        **variables,
    )
    assert result.returncode == 1
    assert "\\xfcn\\xefc\\xf6d\\xe9 \\U0001f980" in result.stdout
    assert "1 could not be compared" in result.stdout


CANARY = """
import sys
from pathlib import Path
from tools.canary import newest, trials, workspace
run = workspace.succeeds
workspace.FOLDER = Path(sys.argv[1])
newest.crate = newest.installed_rust = lambda *_: None
workspace.succeeds = lambda log, *command, **others: command[0] != "git" or run(
    log, *command, **others
)
project = workspace.render("maturin", "3.11", "projects")
(project / "newer.txt").touch()
assert trials.bring_up_to_date(project, {}, workspace.FOLDER / "log") is None
"""


def test_the_canary_commits_to_its_renderings(
    decoy: dict[str, str], run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "outer" / "canary"
    run("git", "init", "--quiet", folder.parent, cwd=tmp_path)  # so that the hook makes none
    run(sys.executable, "-c", CANARY, folder, cwd=tmp_path, PYTHONPATH=str(TEMPLATE), **decoy)
    project = folder / "projects" / "maturin-3.11" / "fast-doubles"
    assert commits(project, run) == ["A. U. Thor: Newest", "A. U. Thor: Start"]


def test_a_tests_repository_is_its_own(repository: Callable[..., Path], run: Run) -> None:
    assert commits(repository(), run) == ["A. U. Thor: Start"]


def test_the_suite_itself(decoy: dict[str, str], run: Run, tmp_path: Path) -> None:
    """Its tests that commit and tag, by the other programs too."""
    printed = run(
        *(sys.executable, "-m", "pytest", "-q", "-k", "its_own or undo"),
        *(f"--basetemp={tmp_path / 'tests'}", f"--override-ini=cache_dir={tmp_path / 'cache'}"),
        *("tests/repository/test_git_variables.py", "tests/release/test_bump.py"),
        cwd=TEMPLATE,
        **decoy,
    ).stdout
    assert " passed" in printed
