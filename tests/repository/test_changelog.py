"""CHANGELOG.md, the version of the template and its tag: one release."""

import pytest

from helpers.fixture_types import Run
from tools.changelog import problems
from tools.template import (
    SETTINGS,
    TEMPLATE,
)


def test_changelog_knows_the_version_and_what_it_asks_of_projects() -> None:
    changelog = (TEMPLATE / "CHANGELOG.md").read_text("utf-8")
    assert problems(changelog, SETTINGS["__template_version"]) == []


def test_tag_of_the_template_is_its_version(run: Run) -> None:
    """cruft and `nox -s compare` look for the tag of the version that a project records."""
    tags = run("git", "tag", "--points-at=HEAD", "v*", cwd=TEMPLATE).stdout.split()
    assert set(tags) <= {f"v{SETTINGS['__template_version']}"}


@pytest.mark.parametrize(
    ("version", "titles", "expected"),
    [
        ("1.1.0.dev0", ["Unreleased", "1.0.0 (2026-11-21)"], 0),
        ("1.0.0", ["1.0.0 (2026-11-21)"], 0),
        ("1.1.0.dev0", ["1.0.0 (2026-11-21)"], 1),
        ("1.1.0", ["Unreleased", "1.0.0 (2026-11-21)"], 1),
        ("1.0.0.dev0", ["Unreleased", "1.1.0 (2026-11-22)", "1.0.0 (2026-11-21)"], 1),
    ],
)
def test_changelog_and_version_out_of_step_are_noticed(
    version: str, titles: list[str], expected: int
) -> None:
    for asks in ("**Existing projects:** nothing.", ""):
        changelog = "\n".join(f"## {title}\n\n{asks}\n" for title in titles)
        missing = 0 if asks else len(titles)
        assert len(problems(changelog, version)) == expected + missing
