"""Applies the recipes of docs/recipes/ to a rendered project.

A recipe is a page in which each heading that is a path tells what becomes of that file: a block of
`diff` edits it, any other block is the whole file. What the console blocks say is typed. The section
*See it fail* breaks one thing, and names the test that notices.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from helpers.pages import edit
from tools.template import TEMPLATE

FOLDER = TEMPLATE / "docs" / "recipes"
BREAK = "See it fail"


class Block(NamedTuple):
    """A code block of a page: the heading it stands under, its language, its text."""

    heading: str
    language: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """All code blocks of a page, in order."""
    heading = ""
    pattern = r"^## (?P<heading>.+)$|^(?P<fence>`{3,4})(?P<language>\w+)\n(?P<text>.*?)^(?P=fence)$"
    for found in re.finditer(pattern, page, re.M | re.S):
        if found["heading"]:
            heading = found["heading"]
        else:
            yield Block(heading, found["language"], found["text"])


def changes(diff: str) -> Iterator[tuple[str, str]]:
    """The text that is there and the text in its place, for each part of a diff block.

    A part ends at a line `@@`. Its lines begin with a space, `-` or `+`.
    """
    for part in re.split(r"^@@\n", diff, flags=re.M):
        lines = [line or " " for line in part.splitlines()]
        assert all(line[0] in " -+" for line in lines), f"no line of a diff:\n{part}"
        assert any(line[0] in "-+" for line in lines), f"nothing is changed:\n{part}"
        yield (
            "".join(f"{line[1:]}\n" for line in lines if line[0] != "+"),
            "".join(f"{line[1:]}\n" for line in lines if line[0] != "-"),
        )


def apply_recipe(page: str, project: Path, shell: Callable[[str], object]) -> int:
    """Do all that a page says, but for its last section.

    Args:
        page: the text of the page.
        project: the folder of a rendered project.
        shell: runs a line of a console block there.

    Returns:
        How many blocks were applied. Each one was: a block of another kind is an error.
    """
    count = 0
    for heading, language, text in blocks(page):
        if heading == BREAK:
            break
        path = re.fullmatch(r"`([\w./-]+)`", heading)
        if language == "console":
            for command in re.findall(r"^\$ (.*)", text, re.M):
                shell(command)
        elif path and language == "diff":
            for old, new in changes(text):
                edit(project / path[1], old, new)
        elif path:
            file = project / path[1]
            assert not file.exists(), f"{path[1]} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
        else:
            raise AssertionError(f"a block of {language} under {heading!r}, which is no path")
        count += 1
    return count


def break_it(page: str, project: Path) -> str:
    """Make the change of the last section; return the name of the test that must fail."""
    section = page[page.index(f"## {BREAK}\n") :]
    (path,) = re.findall(r"^In `([\w./-]+)`:$", section, re.M)
    (block,) = blocks(section)
    assert block.language == "diff"
    for old, new in changes(block.text):
        edit(project / path, old, new)
    (test,) = re.findall(r"^`nox` then names `(\w+)`", section, re.M)
    return str(test)
