"""A page with every file of a rendered project, made of the template when the site is built."""

import re
from difflib import unified_diff
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from tools.rendering import rendered
from tools.template import BACKENDS, TEMPLATE

LANGUAGES = {
    ".md": "markdown",
    ".py": "python",
    ".pyi": "python",
    ".rs": "rust",
    ".toml": "toml",
    ".lock": "toml",
    ".yml": "yaml",
    ".cfg": "ini",
    ".json": "json",
    ".diff": "diff",
}
FOLDED = 120  # lines of a file that is shown when its name is clicked

INTRODUCTION = """# A rendered project

This page was made by rendering the template with the default answers. It shows all {count} files,
with {lines:,} lines; {locks:,} of them are locks. [The files of a project](files.md) says in a line
what each is for. Files of more than {folded} lines open when their name is clicked.
"""


def files(project: Path) -> dict[str, str]:
    """The text of each file of a project, by its path: those at the top first, then the folders."""
    found = [file for file in project.rglob("*") if file.is_file()]
    names = sorted((file.relative_to(project) for file in found), key=lambda name: name.parts)
    names.sort(key=lambda name: len(name.parts) > 1)
    return {name.as_posix(): (project / name).read_text("utf-8") for name in names}


def is_lock(name: str) -> bool:
    """Whether a file is a lock, which nobody reads."""
    return name.endswith(("Cargo.lock", "requirements.txt"))


def block(name: str, text: str) -> str:
    """A file as a code block, with a fence that the file does not hold; folded if it is long."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    language = LANGUAGES.get(PurePosixPath(name).suffix, "text")
    code = f"{fence}{language}\n{text.rstrip()}\n{fence}"
    if len(text.splitlines()) <= FOLDED:
        return code
    summary = f"{name}, {len(text.splitlines()):,} lines"
    return f"<details>\n<summary>{summary}</summary>\n\n{code}\n\n</details>"


def tree(names: list[str]) -> str:
    """The paths as a list in which each leads to its file."""
    return "\n".join(f"- [`{name}`](#{heading_id(name)})" for name in names)


def heading_id(title: str) -> str:
    """The id of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def project_page() -> str:
    """The page, in Markdown.

    The template is rendered with its default answers, once with each backend.
    """
    with TemporaryDirectory() as scratch:
        first, *others = (
            files(
                rendered(TEMPLATE, {"build_backend": backend}, Path(scratch, backend), hooks=False)
            )
            for backend in BACKENDS
        )
    lines = {name: len(text.splitlines()) for name, text in first.items()}
    locks = sum(count for name, count in lines.items() if is_lock(name))
    parts = [
        INTRODUCTION.format(
            count=len(first), lines=sum(lines.values()), locks=locks, folded=FOLDED
        ),
        tree([*first]),
    ]
    parts += [f"## `{name}`\n\n{block(name, text)}" for name, text in first.items()]
    for backend, other in zip(BACKENDS[1:], others, strict=True):
        parts.append(f"## With {backend}\n\nThese files are other ones:")
        for name in sorted(other):
            if other[name] != first.get(name):
                before = first.get(name, "").splitlines()
                change = unified_diff(before, other[name].splitlines(), lineterm="", n=2)
                shown = "\n".join([*change][2:])
                whole = block(name, other[name])
                parts.append(
                    f"`{name}`:\n\n" + (block("x.diff", shown) if name in first else whole)
                )
    return "\n\n".join(parts) + "\n"
