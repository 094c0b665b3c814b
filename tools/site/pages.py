"""The pages of the site: where each of them goes, and how their links follow.

In the repository the pages are plain Markdown, which GitHub shows. docs/README.md is the front page
there, and on the site; its lists are the site's table of contents.
"""

import os
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path, PurePosixPath

from tools.template import TEMPLATE, tracked

DOCS = TEMPLATE / "docs"
BUILT_SITE = TEMPLATE / "build" / "site" / "html"
# Pages of the repository's top folder that the site shows too.
OF_THE_TOP = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

FRONT_PAGE = PurePosixPath("index.md")
PROJECT_PAGE = PurePosixPath("reference/project.md")
# Pages that no file of the repository holds, each with the section that lists it.
MADE_BY_THE_BUILD = {PROJECT_PAGE: "Reference"}

# A code block, which stays as it is; or the target of a link or of a picture.
TARGETS = re.compile(
    r"^ *(?P<fence>`{3,})[^`\n]*\n.*?^ *(?P=fence) *$|\]\((?P<target>[^()\s]+)\)", re.M | re.S
)


class BrokenLink(Exception):
    """A link that leads to nothing that the site has."""


@cache
def pages() -> dict[Path, PurePosixPath]:
    """The Markdown files that the site shows, each with its place there."""
    files = [file for file in tracked(DOCS) if file.suffix == ".md"]
    return {file: place_of(file) for file in [*files, *(TEMPLATE / name for name in OF_THE_TOP)]}


def place_of(file: Path) -> PurePosixPath:
    """The place on the site of a file of the repository: docs/ is its top, a README an index."""
    if not file.is_relative_to(DOCS):
        return PurePosixPath("index.md" if file.name == "README.md" else file.name.lower())
    place = PurePosixPath(file.relative_to(DOCS).as_posix())
    return place.with_name("index.md") if place.name == "README.md" else place


def with_targets(text: str, change: Callable[[str], str]) -> str:
    """A page with other targets in its links and pictures; its code blocks stay."""

    def replace(match: re.Match[str]) -> str:
        return f"]({change(match['target'])})" if match["target"] else match[0]

    return TARGETS.sub(replace, text)


def targets(text: str) -> list[str]:
    """The targets of the links and pictures of a page, in their order."""
    return [match["target"] for match in TARGETS.finditer(text) if match["target"]]


def target_on_the_site(page: Path, target: str) -> str:
    """The target of a link as it is on the site.

    Args:
        page: The file that holds the link.
        target: The link's target there, such as `../update.md#switch` or a URL.

    Raises:
        BrokenLink: It is a file that the site does not show.
    """
    path, hash_sign, heading = target.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return target
    file = (page.parent / path).resolve()
    shown = file in pages() or file == TEMPLATE / "README.md" or file.is_relative_to(DOCS)
    if not file.is_file() or not shown:
        raise BrokenLink(
            f"{page.relative_to(TEMPLATE)} links to {target}, which the site does not show: "
            "link to a page, or write the file's name as code"
        )
    relative = os.path.relpath(place_of(file), place_of(page).parent)
    return f"{PurePosixPath(Path(relative).as_posix())}{hash_sign}{heading}"


def sections(text: str) -> list[tuple[str, str]]:
    """The titles and the texts of a page's sections. The first one has no title."""
    parts = re.split(r"^## (.+)\n", text, flags=re.M)
    return [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]


def listed_by(place: PurePosixPath) -> PurePosixPath:
    """The index whose table of contents lists a page: that of its folder, or the front page."""
    index = place.with_name("index.md")
    return index if index != place and index in pages().values() else FRONT_PAGE


def tables_of_contents(page: Path, text: str) -> str:
    """The tables of contents that Sphinx makes the sidebar of: one for each section with links.

    Args:
        page: A README.md.
        text: What it holds, with the links as they are on the site.
    """
    index, shown = place_of(page), {*pages().values()} - {FRONT_PAGE}
    tables = []
    for title, section in sections(text):
        linked = [
            PurePosixPath(os.path.normpath(index.parent / target)) for target in targets(section)
        ]
        entries = [place for place in linked if place in shown and listed_by(place) == index]
        if index == FRONT_PAGE:
            entries += [place for place in MADE_BY_THE_BUILD if MADE_BY_THE_BUILD[place] == title]
        if entries and (title or index != FRONT_PAGE):
            names = [place.relative_to(index.parent).as_posix() for place in dict.fromkeys(entries)]
            caption = [f":caption: {title}"] if index == FRONT_PAGE else []
            tables.append("\n".join(["```{toctree}", ":hidden:", *caption, "", *names, "```\n"]))
    return "\n".join(tables)


def write_pages(folder: Path) -> None:
    """Write all pages and pictures into a folder, as Sphinx is to read them.

    Raises:
        BrokenLink: A page links to what the site does not show.
    """
    for page, place in pages().items():
        text = with_targets(page.read_text("utf-8"), partial(target_on_the_site, page))
        if page.name == "README.md":
            text += f"\n{tables_of_contents(page, text)}"
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8", newline="\n")
    for picture in (file for file in tracked(DOCS) if file.suffix == ".svg"):
        (folder / picture.relative_to(DOCS)).write_bytes(picture.read_bytes())


def llms_txt() -> str:
    """The front page for language models: https://llmstxt.org. Its links lead to the Markdown."""
    page = DOCS / "README.md"

    def source(target: str) -> str:
        target = target_on_the_site(page, target)
        return target if ":" in target else f"_sources/{target.partition('#')[0]}.txt"

    return with_targets(page.read_text("utf-8"), source)
