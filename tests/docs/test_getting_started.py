"""docs/getting-started.md: the tutorial, from its first command to the rehearsed release."""

import re
import shlex
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Run
from helpers.pages import read
from helpers.recipe_pages import Block, blocks, edit_lines
from tools.machine import GIT, oldest_python
from tools.template import TEMPLATE

PAGE = read("getting-started.md")
TUTORIAL = list(blocks(PAGE.text[: PAGE.text.index("## From a clone of the template")]))

# What is run for a command. `uvx` would fetch the newest nox and the newest cookiecutter.
RENDER = f"cookiecutter {shlex.quote(str(TEMPLATE))} --no-input --default-config"
RUN_FOR = {
    "uvx cookiecutter ./cookiecutter-pyo3-wheel": RENDER,
    "uvx nox": f"nox --sessions lint rust tests-{oldest_python()}",
    "uvx nox -s fix": "nox -s fix",
    "uvx nox -s rust": "nox -s rust",
    "uvx nox -s rehearse": "nox -s rehearse",
    "uv run python": "uv run --quiet python -m doctest ../examples.txt",
}
# The same commands come again when there is more to test: a build less.
LEFT_OUT = {"Build and test": "uvx nox", "Look at it": "uv run python"}


def commands(block: Block) -> list[str]:
    """What a console block tells the reader to type."""
    return re.findall(r"^\$ (.*)", block.text, re.M) if block.language == "console" else []


def test_what_is_left_out_comes_again() -> None:
    typed = [(block.section, command) for block in TUTORIAL for command in commands(block)]
    for section, command in LEFT_OUT.items():
        assert [where for where, what in typed if what == command] == [section, "Add a function"]


@pytest.mark.builds
def test_tutorial_ends_with_a_rehearsed_release(
    run: Run, tmp_path: Path, scratch: Path, one_python: str
) -> None:
    folder, printed, section = tmp_path, "", ""
    variables = {"TMPDIR": str(scratch), "PATH": one_python, **QUICK, **GIT}
    examples = "".join(block.text for block in TUTORIAL if block.language == "pycon")
    (tmp_path / "examples.txt").write_text(examples, "utf-8")
    assert examples.count(">>> from") == 2
    for block in TUTORIAL:
        if block.language == "diff":
            (name,) = re.findall(r"`([\w./]+)`:$", block.above)
            edit_lines(folder / name, block.text)
        elif block.language == "text":
            for line in block.text.splitlines():
                assert line in printed.splitlines()
        for command in commands(block):
            if LEFT_OUT.get(block.section) == command:
                continue
            if command == "cd fast-doubles":
                folder = folder / "fast-doubles"
                continue
            line = RUN_FOR.get(command, command)
            fails = section != block.section and block.section == "See it fail"
            result = run("bash", "-ec", line, cwd=folder, check=not fails, **variables)
            printed, section = result.stdout, block.section
            if fails:
                assert re.search(r"finds_the_longest_run \.\.\. FAILED", printed), printed
            elif command == "uvx nox":
                assert "finds_the_longest_run ... ok" in printed
                assert re.search(r"\* tests-3\.\d+: success", printed), printed
    assert section == "Rehearse a release"
    assert run("git", "status", "--porcelain", cwd=folder).stdout == ""
