"""Brings every `uses:` line to one version of its action: `nox -s bump-actions`.

tools/actions.json is the table of the actions that may be used, each with one tag and the commit of
that tag. A pull request of Dependabot changes the workflows alone. This program takes the newer
version from there into the table, and writes the table's versions into every other file: the
workflows of the project, the pages, the tests. With --newest it asks the hosts for newer tags
first.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from tools.machine import untied_environment
from tools.template import TEMPLATE, tracked

TABLE = TEMPLATE / "tools" / "actions.json"
USES = re.compile(r"(?P<action>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40}) # (?P<tag>v\d+\.\d+\.\d+)")
NAMED_TAG = re.compile(r"^([0-9a-f]{40})\trefs/tags/(v\d+\.\d+\.\d+)(\^\{\})?$", re.MULTILINE)


class Release(NamedTuple):
    """A version of an action: its tag, and the commit that the tag names."""

    tag: str
    commit: str

    @property
    def version(self) -> Version:
        """The tag as a version, to compare with others."""
        return Version(self.tag)


class Disagreement(Exception):
    """One tag stands with two commits; the text names the places."""


def table() -> dict[str, Release]:
    """Read tools/actions.json: action to its release."""
    content = json.loads(TABLE.read_text("utf-8"))
    return {action: Release(**release) for action, release in content.items()}


def write_table(releases: dict[str, Release]) -> None:
    """Write tools/actions.json, a line for each action, in order."""
    lines = [
        f"  {json.dumps(action)}: {json.dumps(release._asdict())}"
        for action, release in sorted(releases.items())
    ]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8", newline="\n")


def uses(folder: Path = TEMPLATE) -> Iterator[tuple[Path, str, Release]]:
    """Find every pinned action: the file, the action, its release."""
    for file in tracked(folder):
        if file.suffix in (".yml", ".yaml", ".md", ".py"):
            for found in USES.finditer(file.read_text("utf-8")):
                yield file, found["action"], Release(found["tag"], found["commit"])


def newest_in_files(releases: dict[str, Release]) -> dict[str, Release]:
    """The newest release of each action in the table and in all files.

    Raises:
        Disagreement: a tag stands with two commits.
    """
    seen = {(action, release.tag): (release, TABLE) for action, release in releases.items()}
    newest = dict(releases)
    for file, action, release in uses():
        known, where = seen.setdefault((action, release.tag), (release, file))
        if known != release:
            raise Disagreement(
                f"{action} {release.tag} is {known.commit} in {where.relative_to(TEMPLATE)} and "
                f"{release.commit} in {file.relative_to(TEMPLATE)}: one of them is wrong. "
                f"`git ls-remote --tags https://github.com/{action}` says which."
            )
        newest[action] = max(newest.get(action, release), release, key=lambda item: item.version)
    return newest


def newest_on_host(action: str) -> Release | None:
    """Ask an action's host for its newest tag; None where the host does not answer."""
    command = ["git", "ls-remote", "--tags", f"https://github.com/{action}"]
    variables = untied_environment() | {"GIT_TERMINAL_PROMPT": "0"}
    try:
        answer = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    commits: dict[str, str] = {}
    for commit, tag, peeled in NAMED_TAG.findall(answer.stdout):
        # An annotated tag has two lines: the second, with ^{}, names the commit.
        if peeled or tag not in commits:
            commits[tag] = commit
    if not commits:
        return None
    newest = max(commits, key=Version)
    return Release(newest, commits[newest])


def rewrite(releases: dict[str, Release]) -> dict[str, list[Path]]:
    """Write the table's releases into all files; return the changed files of each action."""
    changed: dict[str, list[Path]] = {}
    for file in sorted({file for file, action, release in uses() if release != releases[action]}):

        def pinned(found: re.Match[str], file: Path = file) -> str:
            action = found["action"]
            release = releases[action]
            if release != (found["tag"], found["commit"]):
                changed.setdefault(action, []).append(file)
            return f"{action}@{release.commit} # {release.tag}"

        text = file.read_text("utf-8")
        file.write_text(USES.sub(pinned, text), "utf-8", newline="\n")
    return changed


def main(words: list[str] | None = None) -> int:
    """Bring all to one version, say what was changed; return the exit status."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser("nox -s bump-actions --", description=about)
    parser.add_argument("--newest", action="store_true", help="ask the hosts for newer tags first")
    options = parser.parse_args(words)
    before = table()
    try:
        releases = newest_in_files(before)
    except Disagreement as error:
        print(error, file=sys.stderr)
        return 1
    silent = []
    if options.newest:
        for action, release in releases.items():
            newest = newest_on_host(action)
            if newest is None:
                silent.append(action)
            elif newest.version > release.version:
                releases[action] = newest
    write_table(releases)
    for action, files in rewrite(releases).items():
        names = ", ".join(sorted({file.relative_to(TEMPLATE).as_posix() for file in files}))
        print(f"{action} {releases[action].tag}: {len(files)} places in {names}")
    for action in sorted(releases.keys() - before.keys()):
        print(f"{action} is new in the table: look at what it does before you use it")
    for action in silent:
        print(f"{action}: its host did not answer, so newer tags were not looked up")
    if releases == before:
        print("The table had the newest version of each action already.")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
