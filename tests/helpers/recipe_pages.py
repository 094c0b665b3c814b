"""Does what the pages of docs/recipes/ say, in a rendered project.

A block stands below the name of its file, as in "`rust/lib.rs`:". A block of `diff` edits the file;
below "`rust/person.rs`, a new file:" stands all of it. Console blocks are typed. The section
*See it fail* breaks one thing, and names the test that notices.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tools.template import TEMPLATE

FOLDER = TEMPLATE / "docs" / "recipes"
# They compile many crates, or have a session of their own: only `nox -s nightly` follows them.
HEAVY = {
    "coverage",
    "documentation",
    "logging-and-async",
    "numpy",
    "one-tag-two-registries",
    "stubs",
}
FOLLOWED = ("The change", "The test")
BROKEN = "See it fail"


def names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(page.stem for page in FOLDER.glob("*.md") if page.stem != "README")


def text_of(name: str) -> str:
    """The text of a recipe."""
    return (FOLDER / f"{name}.md").read_text("utf-8")


class Block(NamedTuple):
    """A code block: its section, the line above it, its language and its text."""

    section: str
    above: str
    language: str
    text: str


def blocks(page: str) -> Iterator[Block]:
    """All code blocks of a page, in order."""
    section = above = ""
    lines = iter(page.splitlines(keepends=True))
    for line in lines:
        if fence := re.fullmatch(r"(`{3,})(\w+)\n", line):
            inside = iter(lines.__next__, f"{fence[1]}\n")
            yield Block(section, above, fence[2], "".join(inside))
        elif line.startswith("## "):
            section = line[3:-1]
        if line.strip():
            above = line.rstrip("\n")


def changes(diff: str) -> Iterator[tuple[str, str]]:
    """The lines that are there and the lines in their place, for each part of a diff block.

    A part ends at a line `@@`. Its lines begin with a space, `-` or `+`.
    """
    for part in re.split(r"^@@\n", diff, flags=re.M):
        lines = [line if line.strip("\n") else " \n" for line in part.splitlines(keepends=True)]
        assert all(line[0] in " -+" for line in lines), f"no lines of a diff:\n{part}"
        assert any(line[0] in "-+" for line in lines), f"nothing is changed:\n{part}"
        yield (
            "".join(line[1:] for line in lines if line[0] != "+"),
            "".join(line[1:] for line in lines if line[0] != "-"),
        )


def edit_lines(file: Path, diff: str) -> None:
    """Make the edits of a diff block; the lines of each must be in the file exactly once."""
    text = file.read_text("utf-8")
    for old, new in changes(diff):
        here = f"^{re.escape(old)}"
        count = len(re.findall(f"(?={here})", text, re.M))
        assert count == 1, f"{file.name} has {count} times:\n{old}"
        text = re.sub(here, new.replace("\\", r"\\"), text, flags=re.M)
    file.write_text(text, "utf-8", newline="\n")


def follow(name: str, project: Path, shell: Callable[[str], object]) -> int:
    """Make the change of a recipe, and copy the page to the tests, which run its examples.

    Args:
        name: the recipe.
        project: the folder of a rendered project.
        shell: runs a line of a console block there.

    Returns:
        How many blocks were followed: all of *The change* and *The test*. A block of which it is
        not clear what it changes is an AssertionError.
    """
    page, count = text_of(name), 0
    for block in blocks(page):
        if block.section not in FOLLOWED:
            continue
        path = re.fullmatch(r"`([\w./-]+)`(, a new file)?:", block.above)
        if block.language == "console":
            for command in re.findall(r"^\$ (.*)", block.text, re.M):
                shell(command)
        elif path and block.language == "diff":
            edit_lines(project / path[1], block.text)
        elif path and path[2]:
            file = project / path[1]
            assert not file.exists(), f"{path[1]} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, "utf-8", newline="\n")
        else:
            raise AssertionError(
                f"{name}: what is the block of {block.language} below this?\n{block.above}"
            )
        count += 1
    (project / "tests" / f"recipe-{name}.md").write_text(page, "utf-8", newline="\n")
    return count


def new_lines(name: str) -> int:
    """How many lines a recipe adds to a project."""
    followed = [block for block in blocks(text_of(name)) if block.section in FOLLOWED]
    return sum(
        len(re.findall(r"^\+" if block.language == "diff" else r"^", block.text, re.M))
        for block in followed
        if block.language != "console"
    )


class Cost(NamedTuple):
    """What a page says that it costs: lines, crates in Cargo.lock, kB in the wheel."""

    lines: int
    crates: int
    kilobytes: int


def cost(name: str) -> Cost:
    """What the page of a recipe says that it costs."""
    numbers = r"(\d+) lines, (no crates|1 crate|\d+ crates), (\d+) kB in the wheel"
    found = re.findall(rf"^\*\*Cost:\*\* {numbers}; abi3 stays\.$", text_of(name), re.M)
    assert len(found) == 1, f"{name} has no line that begins with **Cost:**"
    lines, crates, kilobytes = found[0]
    return Cost(int(lines), int(crates.split()[0].replace("no", "0")), int(kilobytes))


class Broken(NamedTuple):
    """What *See it fail* changes, the nox command to type then, and the name that it shows."""

    path: str
    diff: str
    command: str
    test: str


def broken_in(name: str) -> Broken:
    """What *See it fail* of a recipe says."""
    page = text_of(name)
    (block,) = [block for block in blocks(page) if block.section == BROKEN]
    path = re.fullmatch(r"In `([\w./-]+)`:", block.above)
    assert path, f"{name} does not say in which file: {block.above}"
    ((command, test),) = re.findall(r"^`(nox[^`]*)` then names `(\w+)`\.$", page, re.M)
    return Broken(path[1], block.text, command, test)


def broken(name: str, project: Path) -> Broken:
    """Make the change of *See it fail*."""
    change = broken_in(name)
    edit_lines(project / change.path, change.diff)
    return change


def failed_tests(printed: str) -> set[str]:
    """The names of what failed in nox: tests of pytest and cargo, and the program stubtest."""
    patterns = (
        r"^FAILED \S+?::(\w+)",
        r"^test (?:\w+::)*(\w+) \.\.\. FAILED",
        r"^nox > Command (stubtest) .* failed",
    )
    return {name for pattern in patterns for name in re.findall(pattern, printed, re.M)}


def check_tests_ran(name: str, printed: str) -> None:
    """Fail unless the tests of a recipe passed: its files, its tests in Rust, the page itself."""
    wanted = [rf"^tests/recipe-{name}\.md \."] if ">>> " in text_of(name) else []
    for block in blocks(text_of(name)):
        path = re.match(r"`([\w./-]+)`, a new file:", block.above)
        if path and re.fullmatch(r".*/test_\w+\.py", path[1]):
            wanted.append(rf"^{re.escape(path[1])} \.")
        elif path and block.language == "rust":
            tests = re.findall(r"#\[test\]\n *fn (\w+)|quickcheck! \{\n *fn (\w+)", block.text)
            wanted += [
                rf"^test (?:\w+::)*{test} \.\.\. ok$" for pair in tests for test in pair if test
            ]
    if broken_in(name).test == "stubtest":
        wanted.append(r"^nox > stubtest ")
    assert wanted, f"{name} has no test"
    for pattern in wanted:
        assert re.search(pattern, printed, re.M), f"{name}: {pattern} did not run:\n{printed}"


def check_new_files_are_formatted(name: str, project: Path) -> None:
    """Fail unless `nox -s fix` has left the new files as they stand on the page."""
    for block in blocks(text_of(name)):
        if path := re.match(r"`([\w./-]+)`, a new file:", block.above):
            assert (project / path[1]).read_text("utf-8") == block.text, (name, path[1])
