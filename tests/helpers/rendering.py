"""Renders the template, and lists what came out."""

import json
import shutil
import types
from pathlib import Path
from typing import Any

from tools import rendering
from tools.template import DEFAULTS, OTHER_CHOICES, PROJECT_FOLDER, TEMPLATE, tracked

# The answers of an owner who has put in what is their own.
ADA = {
    "author_name": "Ada",
    "author_email": "ada@example.org",
    "github_owner": "ada",
    "description": "Count twin letters.",
}
# The name that tells that a file is still the sample's.
SAMPLE = "count_doubles"


def put_own_code(project: Path) -> None:
    """Leave nothing of the sample in a project: its function gets another name everywhere."""
    for name, content in files(project).items():
        if SAMPLE.encode() in content and name != "release/tools/preflight.py":
            (project / name).write_bytes(content.replace(SAMPLE.encode(), b"count_twins"))


def rendered(answers: dict[str, str], folder: Path, *, hooks: bool = True) -> Path:
    """Render this template into a folder; the project's folder."""
    return rendering.rendered(TEMPLATE, answers, folder, hooks=hooks)


def copy_template(folder: Path) -> Path:
    """Copy the template's files into a folder as they are now, without what git ignores."""
    for file in tracked(TEMPLATE):
        copy = folder / file.relative_to(TEMPLATE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return folder


def tree_of(answers: dict[str, str]) -> Path:
    """The file that lists what a rendering with some answers holds; its names are the defaults'."""
    given = DEFAULTS | answers
    others = [f"{key}-{given[key]}" for key in OTHER_CHOICES if given[key] != DEFAULTS[key]]
    words = [answers["build_backend"], answers["license"], *others]
    variant = "-".join(words).replace(" ", "-").lower()
    return TEMPLATE / "tests" / "rendering" / "trees" / f"{variant}.txt"


def holds_an_owner(license_text: str) -> bool:
    """Whether a rendered licence must name its owner: most do, some are one text for all."""
    texts = PROJECT_FOLDER.glob("{{cookiecutter.__*_file}}")
    return license_text not in {file.read_text("utf-8") for file in texts}


def files(project: Path) -> dict[str, bytes]:
    """The rendered files, without git's own: path in the project to content."""
    return {
        file.relative_to(project).as_posix(): file.read_bytes()
        for file in sorted(project.rglob("*"))
        if file.is_file() and file.relative_to(project).parts[0] != ".git"
    }


def hook(name: str) -> types.ModuleType:
    """A hook as a module, without answers."""
    module = types.ModuleType(name)
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8")
    exec(source.replace("{{ cookiecutter | tojson }}", "{}"), module.__dict__)
    return module


def record(project: Path) -> dict[str, Any]:
    """What a project's `.template.json` says: the template, its version, the answers."""
    content: dict[str, Any] = json.loads((project / ".template.json").read_text("utf-8"))
    return content
