"""Reads a Markdown page, so that tests can do what it says: type its commands, make its edits."""

import re
from pathlib import Path

from tools.template import TEMPLATE


class Page:
    """A Markdown text: a whole page, or one of its sections."""

    def __init__(self, text: str, name: str = "the page") -> None:
        """Take a text; the name stands in the errors."""
        self.text = text
        self.name = name

    def section(self, title: str) -> "Page":
        """The section with a title of the second level, without what comes after it."""
        found = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text, re.M | re.S)
        assert len(found) == 1, f"{self.name} has {len(found)} sections {title!r}"
        return Page(found[0], f"{self.name}, {title}")

    def blocks(self, language: str) -> list[str]:
        """The code blocks in a language, in their order; fails if there is none."""
        pattern = rf"^ *```{language}\n(.*?)^ *```$"
        found = re.findall(pattern, self.text, re.MULTILINE | re.DOTALL)
        assert found, f"{self.name} has no block of {language}"
        return found

    def command_blocks(self) -> list[list[str]]:
        """What each console block tells the reader to type."""
        return [re.findall(r"^ *\$ (.*)", block, re.M) for block in self.blocks("console")]

    def commands(self) -> list[str]:
        """What the page tells the reader to type, in its order."""
        return [command for block in self.command_blocks() for command in block]

    def commands_that_begin(self, beginning: str) -> list[list[str]]:
        """The words of the commands that begin so."""
        return [line.split() for line in self.commands() if line.startswith(beginning)]

    def exports(self, word: str) -> dict[str, str]:
        """The variables that the shell block exports which holds a word."""
        (block,) = [block for block in self.blocks("sh") if word in block]
        return dict(re.findall(r"^export (\w+)=(.*)$", block, re.M))


def read(path: str | Path) -> Page:
    """A page of docs/, by its path there, or any file by its whole path."""
    file = TEMPLATE / "docs" / path
    return Page(file.read_text("utf-8"), file.name)


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs once in a file."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, (file.name, old, text.count(old))
    file.write_text(text.replace(old, new), "utf-8", newline="\n")


def hunks(diff: str) -> list[tuple[str, str]]:
    """The lines that go and those that come in their place, for each part of a diff block."""
    found = []
    for part in diff.split("\n\n"):
        halves = re.fullmatch(r"((?:-.*\n)+)((?:\+.*\n)*)", f"{part.rstrip()}\n")
        assert halves, f"no lines that go, then lines that come:\n{part}"
        old, new = (re.sub(r"^.", "", half, flags=re.M) for half in halves.groups())
        found.append((old, new))
    return found


def apply(diff: str, file: Path, *, back: bool = False) -> None:
    """Make the edits of a diff block in a file, or undo them."""
    for old, new in hunks(diff):
        edit(file, *((new, old) if back else (old, new)))
