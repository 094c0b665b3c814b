"""What the project says of itself, in pyproject.toml, setup.cfg and tag.txt."""

import configparser
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

TAG = Path(__file__).parents[1] / "tag.txt"

# The normal form of a public version: PEP 440, appendix B.
NUMBER = r"(0|[1-9][0-9]*)"
NORMAL = re.compile(
    rf"([1-9][0-9]*!)?{NUMBER}(\.{NUMBER})*((a|b|rc){NUMBER})?(\.post{NUMBER})?(\.dev{NUMBER})?"
)


def load_toml(file: Path) -> dict[str, Any]:
    """A TOML file. Raises SystemExit, with a sentence, if it is none."""
    if not file.exists():
        sys.exit(f"{file} is missing: start this in the project's folder")
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")


def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml; empty where setup.cfg or setup.py has it all."""
    table: dict[str, Any] = load_toml(Path("pyproject.toml")).get("project", {})
    return table


def tool(name: str) -> dict[str, Any]:
    """A table below [tool] of pyproject.toml; empty if there is none."""
    table: dict[str, Any] = load_toml(Path("pyproject.toml")).get("tool", {}).get(name, {})
    return table


def from_setup_cfg(section: str, option: str) -> str:
    """An option of setup.cfg, or "". Exits with a sentence if the file cannot be read."""
    setup = configparser.RawConfigParser()
    try:
        setup.read("setup.cfg", "utf-8")
    except (configparser.Error, ValueError) as error:
        sys.exit(f"setup.cfg cannot be read: {error}")
    return setup.get(section, option, fallback="")


def requires_python() -> str:
    """`requires-python` of pyproject.toml, else `python_requires` of setup.cfg, else ""."""
    return str(project().get("requires-python", from_setup_cfg("options", "python_requires")))


def floor() -> int | None:
    """The minor version of the oldest Python that is required; None if it is not to be seen."""
    found = re.match(r">=\s*3\.(\d+)", requires_python())
    return int(found[1]) if found else None


def classifiers() -> list[str]:
    """The classifiers of pyproject.toml, or of setup.cfg."""
    older = from_setup_cfg("metadata", "classifiers").splitlines()
    return [*project().get("classifiers", filter(None, older))]


def tag_pattern() -> str:
    """The line of tag.txt, which ends in `{version}`. Exits with a sentence if it does not."""
    try:
        text = TAG.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"release/{TAG.name} cannot be read: {error}")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    pattern = " ".join(filter(None, lines))
    if not re.fullmatch(r"[\w./-]*\{version\}", pattern, re.ASCII):
        sys.exit(
            f"release/{TAG.name} says {pattern!r}: write one line that ends in {{version}}, and "
            "letters, digits, or one of ._/- before it, such as v{version}"
        )
    return pattern


def tag_of(version: object) -> str:
    """The tag of a version."""
    return tag_pattern().replace("{version}", str(version))


def version_in(tag: str) -> str | None:
    """The version that a tag names; None if it is not named as tag.txt says (PEP 440)."""
    prefix = tag_of("")
    version = tag.removeprefix(prefix)
    return version if tag.startswith(prefix) and NORMAL.fullmatch(version) else None


def numbers(version: str | None) -> list[int]:
    """The release numbers in a text, to compare: of v1.2.0rc1, or rustc 1.2.0, they are [1, 2]."""
    words = re.match(r"\D*(\d+(?:[.!]\d+)*)", version or "")
    found = [int(number) for number in re.findall(r"\d+", words[1] if words else "")]
    while found and not found[-1]:
        found.pop()
    return found
