"""Reads the code blocks of a page of docs/, so that tests can do what it says."""

import re
from pathlib import Path

from answers import TEMPLATE


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in a language, in their order; fails if there is none."""
    text = Path(TEMPLATE / "docs" / page).read_text("utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no block of {language}"
    return found


def commands(page: str) -> list[str]:
    """What a page tells the user to type, in its order."""
    lines = "".join(blocks(page, "console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
