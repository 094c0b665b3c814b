"""A new version: one commit, one tag, the same from both tools; and what the README promises."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.bump_tools import TOOLS
from helpers.fixture_types import Run
from helpers.pages import read
from tools.machine import GIT

pytestmark = pytest.mark.builds  # each takes seconds, and some compile


@pytest.fixture
def project(repository: Callable[..., Path]) -> Path:
    """A rendering in a git repository."""
    return repository()


def changed_lines(project: Path, run: Run) -> dict[str, list[str]]:
    """The lines that the last commit took away and added, by file."""
    diff = run("git", "show", "--format=", "--unified=0", cwd=project).stdout
    files = re.split(r"^diff --git a/(\S+) .*\n", diff, flags=re.M)[1:]
    return {
        name: re.findall(r"^[-+](?!--|\+\+).*", text, re.M)
        for name, text in zip(files[::2], files[1::2], strict=True)
    }


# One bump after the other, and the version that each leaves.
BUMPS = [
    (["patch"], "0.1.1"),
    (["minor"], "0.2.0"),
    (["--new-version", "1.0.0rc1", "patch"], "1.0.0rc1"),
    (["serial"], "1.0.0rc2"),
    (["--new-version", "1.0.0", "patch"], "1.0.0"),
    (["patch"], "1.0.1"),
    (["major"], "2.0.0"),
    (["--new-version", "2.0.1b1", "patch"], "2.0.1b1"),
    (["patch"], "2.0.2"),
]


def test_both_tools_make_the_same_commit_and_tag(
    project: Path, bump_commands: dict[str, list[str]], run: Run
) -> None:
    # A dependency that happens to have the version of the package.
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(
        text.replace("\nclassifiers", '\ndependencies = ["other==0.1.0"]\nclassifiers')
    )
    run("git", "commit", "--quiet", "--all", "--message=A dependency", cwd=project, **GIT)
    other = project.with_name("other")
    shutil.copytree(project, other)
    old = "0.1.0"
    for arguments, version in BUMPS:
        trees = set()
        for tool, folder in zip(TOOLS, (project, other), strict=True):
            before = run("git", "rev-parse", "HEAD", cwd=folder).stdout
            run(*bump_commands[tool], *arguments, cwd=folder, **GIT)
            assert run("git", "rev-parse", "HEAD^", cwd=folder).stdout == before
            assert run("git", "status", "--porcelain", cwd=folder).stdout == ""
            assert (
                run("git", "log", "-1", "--format=%s", cwd=folder).stdout.strip()
                == f"Release {version}"
            )
            assert run("git", "tag", "--points-at", "HEAD", cwd=folder).stdout == f"v{version}\n"
            assert run("git", "cat-file", "-t", f"v{version}", cwd=folder).stdout == "tag\n"
            changes = changed_lines(folder, run)
            (title,) = [line for line in changes.pop("CHANGELOG.md") if re.match(r"\+\d", line)]
            assert re.fullmatch(rf"\+{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", title)
            comment = "  ## bump2version finds it by the line above"
            assert changes == {
                ".bumpversion.cfg": [f"-current_version = {old}", f"+current_version = {version}"],
                "pyproject.toml": [
                    f'-version = "{old}"{comment}',
                    f'+version = "{version}"{comment}',
                ],
            }
            trees.add(run("git", "rev-parse", "HEAD^{tree}", cwd=folder).stdout)
        assert len(trees) == 1
        old = version
    assert 'dependencies = ["other==0.1.0"]' in manifest.read_text("utf-8")
    changelog = (project / "CHANGELOG.md").read_text("utf-8")
    assert changelog.count("Unreleased") == 1
    assert re.findall(r"^(\S+) \(", changelog, re.M) == [version for _, version in reversed(BUMPS)]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_changelog_of_a_first_release_can_be_continued(
    tool: str, project: Path, bump_commands: dict[str, list[str]], run: Run
) -> None:
    text = (project / "release" / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^ {3}```text\n( {3}Unreleased\n.*?) {3}```$", text, re.M | re.S)
    changelog = project / "CHANGELOG.md"
    head = changelog.read_text("utf-8").partition("Unreleased")[0]
    changelog.write_text(head + re.sub("(?m)^ {3}", "", block), "utf-8")
    run("git", "commit", "--quiet", "--all", "--message=The first release", cwd=project, **GIT)
    run(*bump_commands[tool], "patch", cwd=project, **GIT)
    bumped = changelog.read_text("utf-8")
    assert re.findall(r"^(Unreleased|[\d.]+ )", bumped, re.M) == ["Unreleased", "0.1.1 ", "0.1.0 "]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tree_with_changes_is_refused(
    tool: str, project: Path, bump_commands: dict[str, list[str]], run: Run
) -> None:
    (project / "README.md").write_text("changed")
    before = run("git", "log", "--format=%H", cwd=project).stdout
    result = run(*bump_commands[tool], "patch", cwd=project, check=False, **GIT)
    assert result.returncode != 0
    assert run("git", "log", "--format=%H", cwd=project).stdout == before
    assert run("git", "status", "--porcelain", cwd=project).stdout == " M README.md\n"


def advice(project: Path, beginning: str) -> list[str]:
    """The commands in a row of the README's table of mishaps."""
    text = (project / "release" / "README.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {beginning}")]
    return re.findall(r"`(git [^`]+)`", row)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_undo_for_a_tag_that_exists(
    tool: str, project: Path, bump_commands: dict[str, list[str]], run: Run
) -> None:
    run("git", "tag", "v0.1.1", cwd=project)
    before = run("git", "rev-parse", "HEAD", cwd=project).stdout
    result = run(*bump_commands[tool], "patch", cwd=project, check=False, **GIT)
    assert result.returncode != 0
    assert run("git", "rev-parse", "HEAD", cwd=project).stdout != before  # hence the advice
    (undo,) = advice(project, "`bump2version`: the tag exists")
    run(*undo.split(), cwd=project)
    assert run("git", "rev-parse", "HEAD", cwd=project).stdout == before
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""


REFUSALS = {
    "a hook": {"core.hooksPath": "../hooks"},
    "signing": {"commit.gpgSign": "true", "gpg.program": "/no/such/program"},
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("tool", TOOLS)
def test_the_undo_for_a_commit_that_git_refused(
    tool: str, refusal: str, project: Path, bump_commands: dict[str, list[str]], run: Run
) -> None:
    hook = project.with_name("hooks") / "pre-commit"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    for key, value in REFUSALS[refusal].items():
        run("git", "config", key, value, cwd=project)
    result = run(*bump_commands[tool], "patch", cwd=project, check=False, **GIT)
    assert result.returncode != 0
    assert run("git", "tag", cwd=project).stdout == ""
    assert run("git", "status", "--porcelain", cwd=project).stdout != ""  # hence the advice
    for key in REFUSALS[refusal]:
        run("git", "config", "--unset", key, cwd=project)
    (undo,) = advice(project, "git refused the commit of a bump")
    run(*undo.split(), cwd=project)
    assert run("git", "status", "--porcelain", cwd=project).stdout == ""
    run(*bump_commands[tool], "patch", cwd=project, **GIT)
    assert run("git", "tag", cwd=project).stdout == "v0.1.1\n"


def test_the_undo_of_a_bump(project: Path, run: Run) -> None:
    before = run("git", "rev-parse", "HEAD", cwd=project).stdout
    run("bump2version", "patch", cwd=project, **GIT)
    for undo in advice(project, "bumped by mistake"):
        run(*undo.split(), cwd=project)
    assert run("git", "rev-parse", "HEAD", cwd=project).stdout == before
    assert run("git", "tag", cwd=project).stdout == ""


def break_the_configuration(project: Path, run: Run) -> None:
    config = project / ".bumpversion.cfg"
    config.write_text(config.read_text("utf-8").replace("[bumpversion]", "[bumpversion"), "utf-8")


def bump_with_uv(project: Path, run: Run) -> None:
    run("uv", "version", "--frozen", "--bump", "minor", cwd=project)


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        (break_the_configuration, "bumpversion.cfg cannot be read"),
        (bump_with_uv, "pyproject.toml has version 0.2.0, .bumpversion.cfg 0.1.0"),
    ],
)
def test_versions_out_of_step_are_noticed(
    mistake: Callable[[Path, Run], None], reason: str, project: Path, run: Run
) -> None:
    preflight = (sys.executable, "release/tools/preflight.py")
    run(*preflight, cwd=project)
    mistake(project, run)
    result = run(*preflight, cwd=project, check=False)
    assert result.returncode != 0
    assert reason in result.stdout
    assert "Traceback" not in result.stdout


@pytest.fixture
def origin(project: Path, run: Run) -> Path:
    """A bare repository, the origin of the project's."""
    origin = project.with_name("origin.git")
    run("git", "clone", "--quiet", "--bare", project, origin, cwd=project)
    run("git", "remote", "add", "origin", origin, cwd=project)
    run("git", "fetch", "--quiet", cwd=project)
    run("git", "branch", "--quiet", "--set-upstream-to=origin/main", cwd=project)
    return origin


def release_commands(project: Path, beginning: str) -> list[str]:
    """The commands of the one console block of release/README.md that begins so."""
    blocks = read(project / "release" / "README.md").command_blocks()
    (commands,) = [block for block in blocks if block[0].startswith(beginning)]
    return commands


def test_the_readmes_release_reaches_the_origin(project: Path, origin: Path, run: Run) -> None:
    commands = release_commands(project, "bump2version patch")
    for command in commands:
        run(*command.split(), cwd=project, **GIT)
    head = run("git", "rev-parse", "HEAD", cwd=project).stdout
    assert run("git", "rev-parse", "main", cwd=origin).stdout == head
    assert run("git", "rev-parse", "v0.1.1^{commit}", cwd=origin).stdout == head


def test_push_is_all_or_nothing(project: Path, origin: Path, run: Run) -> None:
    """Someone else has pushed in between: the branch is refused, and the tag with it."""
    elsewhere = origin.with_name("elsewhere")
    run("git", "clone", "--quiet", origin, elsewhere, cwd=origin)
    run("git", "commit", "--quiet", "--allow-empty", "--message=x", cwd=elsewhere, **GIT)
    run("git", "push", "--quiet", cwd=elsewhere)
    run("bump2version", "patch", cwd=project, **GIT)
    commands = release_commands(project, "bump2version patch")
    assert run(*commands[1].split(), cwd=project, check=False).returncode != 0
    assert run("git", "tag", cwd=origin).stdout == ""
    plain = [word for word in commands[1].split() if word != "--atomic"]
    assert run(*plain, cwd=project, check=False).returncode != 0
    assert run("git", "tag", cwd=origin).stdout == "v0.1.1\n"  # hence --atomic


def test_the_way_for_a_protected_branch(project: Path, origin: Path, run: Run) -> None:
    commands = release_commands(project, "git switch")
    for command in commands:
        if command == "git switch main":  # before that, the pull request is merged
            merger = origin.with_name("merger")
            run("git", "clone", "--quiet", origin, merger, cwd=origin)
            merge = (
                "git",
                "merge",
                "--quiet",
                "--no-ff",
                "--message=Merge",
                "origin/release-0.1.1",
            )
            run(*merge, cwd=merger, **GIT)
            run("git", "push", "--quiet", cwd=merger)
        run(
            *[word.strip('"') for word in re.findall(r'"[^"]+"|\S+', command)],
            cwd=project,
            **GIT,
        )
    assert run("git", "cat-file", "-t", "v0.1.1", cwd=origin).stdout == "tag\n"
    main = run("git", "rev-parse", "main", cwd=origin).stdout
    assert run("git", "rev-parse", "v0.1.1^{commit}", cwd=origin).stdout == main
