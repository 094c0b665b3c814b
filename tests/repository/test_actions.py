"""`nox -s bump-actions`: one table of pinned actions, and every file that repeats it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools import actions
from tools.machine import GIT
from tools.template import TEMPLATE, tracked

NEW = "2" * 40
Bump = Callable[..., subprocess.CompletedProcess[str]]


def test_every_use_of_an_action_is_the_tables() -> None:
    releases = actions.table()
    found = list(actions.uses())
    assert {action for _, action, _ in found} == set(releases)
    for file, action, release in found:
        assert release == releases[action], (
            f"{file} has {action} {release.tag}, the table {releases[action].tag}. "
            "Run: nox -s bump-actions"
        )


def test_no_action_is_used_without_a_commit_and_a_tag() -> None:
    for file in tracked(TEMPLATE):
        if file.suffix in (".yml", ".yaml", ".md"):
            for used in re.findall(r"^ *-? *uses: *(.*)$", file.read_text("utf-8"), re.MULTILINE):
                own = used.startswith("$/")  # an action of the repository itself
                assert own or actions.USES.fullmatch(used), (file, used)


@pytest.fixture
def bump(copy: Path, run: Run) -> Bump:
    """Run the program of the copy."""

    def bump(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "tools.actions", *words)
        return run(*command, cwd=copy, check=False, PYTHONPATH=str(copy), **variables)

    return bump


def change(copy: Path, name: str, tag: str, commit: str) -> None:
    """Change one workflow as Dependabot does: another commit and tag of actions/checkout."""
    file = copy / ".github" / "workflows" / name
    pin = rf"actions/checkout@{commit} # {tag}"
    text, count = re.subn(r"actions/checkout@\w+ # \S+", pin, file.read_text("utf-8"))
    assert count
    file.write_text(text, "utf-8")


def changed_lines(copy: Path, run: Run) -> list[str]:
    diff = run("git", "diff", "--unified=0", cwd=copy).stdout
    return [line for line in diff.splitlines() if re.match(r"[-+](?!(\+\+|--) )", line)]


def test_a_pull_request_of_dependabot_is_completed(copy: Path, bump: Bump, run: Run) -> None:
    change(copy, "ci.yml", "v99.0.0", NEW)
    result = bump()
    assert result.returncode == 0, result.stdout
    assert "actions/checkout v99.0.0: " in result.stdout
    assert "docs/how-to/private-index.md" in result.stdout
    lines = changed_lines(copy, run)
    new = [line for line in lines if line.startswith("+")]
    assert all(f"actions/checkout@{NEW} # v99.0.0" in line for line in new if "uses" in line)
    assert len(lines) == 2 * len(new)
    uses = [action for _, action, _ in actions.uses()].count("actions/checkout")
    assert len(new) == uses + 1  # and the table's line
    table = json.loads((copy / "tools" / "actions.json").read_text("utf-8"))
    assert table["actions/checkout"] == {"tag": "v99.0.0", "commit": NEW}
    assert "had the newest version of each action already" in bump().stdout
    assert changed_lines(copy, run) == lines


def test_nothing_is_changed_where_all_is_one_version(copy: Path, bump: Bump, run: Run) -> None:
    assert bump().returncode == 0
    assert changed_lines(copy, run) == []


def test_one_tag_with_two_commits_is_an_error(copy: Path, bump: Bump, run: Run) -> None:
    tag = actions.table()["actions/checkout"].tag
    change(copy, "ci.yml", tag, NEW)
    before = changed_lines(copy, run)
    result = bump()
    assert result.returncode == 1
    assert "tools/actions.json and " in result.stdout
    assert ".github/workflows/ci.yml: one of them is wrong" in result.stdout
    assert "Traceback" not in result.stdout
    assert changed_lines(copy, run) == before


def test_the_hosts_are_asked_for_newer_tags(
    copy: Path, bump: Bump, run: Run, tmp_path: Path
) -> None:
    """Repositories on this machine stand in for the hosts; one action has none."""
    hosts = tmp_path / "hosts"
    for action in list(actions.table())[1:]:
        host = hosts / action
        run("git", "init", "--quiet", host, cwd=tmp_path)
        run("git", "commit", "--quiet", "--allow-empty", "--message=One", cwd=host, **GIT)
        annotated = ("-a", "--message=Annotated") if "setup-python" in action else ()
        run("git", "tag", *annotated, "v100.0.0", cwd=host, **GIT)
        run("git", "tag", "v9.0.0-beta", cwd=host)
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{hosts.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }
    result = bump("--newest", **settings)
    first, *others = actions.table()
    assert result.returncode == 1
    assert f"{first}: its host did not answer" in result.stdout
    table = json.loads((copy / "tools" / "actions.json").read_text("utf-8"))
    assert table[first] == actions.table()[first]._asdict()
    for action in others:
        commit = run("git", "rev-parse", "HEAD", cwd=hosts / action).stdout.strip()
        assert table[action] == {"tag": "v100.0.0", "commit": commit}
