"""docs/explanation/release-security.md and the pictures: what they name is there."""

import re

import pytest

from helpers.pages import read
from helpers.workflows import RELEASE, load
from tools.template import RELEASE_FILES, RELEASE_LIST, TEMPLATE

ROWS = re.findall(
    r"^\| (.+\.) \| (.+\.) \| (.+) \|$", read("explanation/release-security.md").text, re.M
)


def test_every_row_is_read() -> None:
    lines = re.findall(r"^\| ", read("explanation/release-security.md").text, re.M)
    assert len(ROWS) == len(lines) - 2 > 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_defence_names_tests_that_are_there(row: tuple[str, str, str]) -> None:
    named = re.findall(r"`([\w/]+\.py)`: ((?:`test_\w+`(?:, )?)+)", row[2])
    assert named
    assert re.sub(r"`[^`]+`|[:;, ]", "", row[2]) == ""
    for file, tests in named:
        text = (TEMPLATE / "tests" / file).read_text("utf-8")
        for test in re.findall(r"`(\w+)`", tests):
            assert f"\ndef {test}(" in text, (file, test)


def test_picture_of_the_release_has_its_jobs_and_figures() -> None:
    picture = (TEMPLATE / "docs" / "release.svg").read_text("utf-8")
    words = re.findall(r">([^<>]+)</text>", picture)
    lines = [line for line in RELEASE_LIST.splitlines() if line and not line.startswith("#")]
    assert f"{len(lines)} platforms" in words
    assert f"{RELEASE_FILES} files," in words
    shown = {
        "check": "check",
        "sdist": "sdist",
        "wheels": f"{len(lines)} platforms",
        "install": "install",
        "gate": "gate",
        "publish": "PyPI",
        "index": "look at PyPI",
        "install-from-index": "install",
        "announce": "GitHub release",
    }
    jobs = [job for job in load(RELEASE)["jobs"] if job not in ("plan", "publish-to-testpypi")]
    assert jobs == list(shown)
    boxes = [word for word in words if word in shown.values()]
    assert boxes == list(shown.values())
