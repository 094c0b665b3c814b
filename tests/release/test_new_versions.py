"""A version that is typed: both tools take it as it is, or refuse it before a file changes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from helpers.bump_tools import TOOLS
from helpers.fixture_types import Run
from tools.machine import GIT

pytestmark = pytest.mark.builds

Bump = Callable[..., dict[str, Any]]

# Runs in the interpreter of the tool: for each line on its input, arguments in JSON, it bumps a
# repository that is as it was in the beginning, and prints what became of it.
DRIVER = r"""
import configparser, contextlib, io, json, re, subprocess, sys, tomllib
from pathlib import Path

def git(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout

def bump(tool, words):
    if tool == "bump2version":
        from bumpversion.cli import main
        main(words)
    else:
        from bumpversion.cli import cli
        cli.main(["bump", *words], standalone_mode=False)

start = git("rev-parse", "HEAD").strip()
for line in sys.stdin:
    git("reset", "--quiet", "--hard", start)
    for tag in git("tag").splitlines():
        git("tag", "--delete", tag)
    said, failed = io.StringIO(), ""
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            bump(sys.argv[1], json.loads(line))
        except BaseException as error:
            failed = repr(error) or "failed"
    config = configparser.RawConfigParser()
    config.read(".bumpversion.cfg", "utf-8")
    print(json.dumps({
        "failed": failed,
        "said": said.getvalue(),
        "changed": git("status", "--porcelain") != "" or git("rev-parse", "HEAD").strip() != start,
        "tags": git("tag").split(),
        "message": git("log", "-1", "--format=%s").strip(),
        "config": config["bumpversion"]["current_version"],
        "manifest": Path("pyproject.toml").read_text("utf-8"),
        "changelog": re.findall(r"^(\S+) \(", Path("CHANGELOG.md").read_text("utf-8"), re.M),
    }), flush=True)
"""


@pytest.fixture(scope="module", params=TOOLS)
def tool(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bump(
    tool: str,
    bump_commands: dict[str, list[str]],
    repository: Callable[..., Path],
    environment: dict[str, str],
) -> Iterator[Bump]:
    """Give the tool arguments, in a rendering at 0.1.0; return what became of it."""
    python = Path(sys.executable)
    if tool != "bump2version":
        python = Path(bump_commands[tool][0]).with_name("python")
    with subprocess.Popen(
        [python, "-c", DRIVER, tool],
        cwd=repository(),
        env=environment | GIT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as driver:
        assert driver.stdin
        assert driver.stdout

        def bump(*words: str) -> dict[str, Any]:
            assert driver.stdin
            assert driver.stdout
            driver.stdin.write(f"{json.dumps(words)}\n")
            driver.stdin.flush()
            result: dict[str, Any] = json.loads(driver.stdout.readline())
            return result

        yield bump
        driver.stdin.close()


def is_normal(version: str) -> bool:
    try:
        return str(Version(version)) == version
    except InvalidVersion:
        return False


LIKE_VERSIONS = st.from_regex(
    r"[v ]?[0-9]{1,2}(\.[0-9]{1,2}){1,3}([-_.]?(a|b|c|rc|alpha|post|dev|final)[-_.]?[0-9]{0,2})?"
    r"(\+[a-z0-9]+)?\s?",
    fullmatch=True,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LIKE_VERSIONS | st.text(min_size=1))
@example("0.1.0")
@example("1.0.0-rc1")
@example("1.0.0rc1")
@example("1.0.0rc0")
@example("1.0.0.post1")
@example("1.0.0.post0")
@example("1.0.0final2")
@example("01.0.0")
@example("1.0.0\n")
@example("١.٠.٠")
@example("1.0")
@example("1.0.0.dev1")
def test_a_version_is_taken_as_it_is_or_refused(bump: Bump, version: str) -> None:
    result = bump(f"--new-version={version}", "patch")
    if result["changed"]:
        assert names_everywhere(result, version)
    else:
        assert result["tags"] == []


def names_everywhere(result: dict[str, Any], version: str) -> bool:
    """Whether manifest, configuration, tag, commit and changelog name a version; it is normal."""
    assert not result["failed"]
    assert is_normal(version)
    line = f'[project]\nversion = "{version}"  ## bump2version finds it by the line above\n'
    assert line in result["manifest"]
    assert result["config"] == version
    assert result["tags"] == [f"v{version}"]
    assert result["message"] == f"Release {version}"
    assert result["changelog"] == [version]
    return True


@pytest.mark.parametrize(
    "version", ["1.0.0rc1", "1.0.0a0", "2.0.0b12", "1.0.0.post1", "10.20.30", "0.0.0"]
)
def test_these_are_taken(bump: Bump, version: str) -> None:
    assert names_everywhere(bump(f"--new-version={version}", "patch"), version)


@pytest.mark.parametrize("part", ["major", "minor", "patch", "pre", "serial", "final", "build"])
def test_a_part_gives_a_normal_version_or_is_refused(bump: Bump, part: str) -> None:
    result = bump(part)
    expected = {"major": "1.0.0", "minor": "0.2.0", "patch": "0.1.1"}.get(part)
    if expected or result["changed"]:
        assert names_everywhere(result, expected or result["config"])


@pytest.mark.parametrize("tool", ["bump2version"], indirect=True)
def test_bump2version_says_what_to_type(bump: Bump, tool: str) -> None:
    """bump-my-version says nothing of the version: release/README.md has the row."""
    said = bump("--new-version=1.0.0-rc1", "patch")["said"]
    assert "write it like 1.2.3 or 1.2.3rc1 or 1.2.3.post1" in said
    assert "does not parse current version '1.0.0-rc1'" in said


def test_an_empty_version_stops_in_the_preflight(repository: Callable[..., Path], run: Run) -> None:
    """bump2version takes it for none, and writes it into the configuration all the same."""
    project = repository()
    run("bump2version", "--new-version=", "patch", cwd=project, **GIT)
    preflight = (sys.executable, "release/tools/preflight.py")
    result = run(*preflight, cwd=project, check=False)
    assert result.returncode == 1
    assert "pyproject.toml has version 0.1.1, .bumpversion.cfg none" in result.stdout
    # The way back that release/README.md names.
    run("git", "tag", "--delete", "v", cwd=project)
    run("git", "reset", "--keep", "HEAD~1", cwd=project)
    run(*preflight, cwd=project)
