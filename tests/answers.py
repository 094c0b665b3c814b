"""The answers that the tests render with, read from the questions themselves."""

import fnmatch
import itertools
import json
import subprocess
from pathlib import Path

import surroundings

surroundings.settle_environment()  # before the first program is started, below

TEMPLATE = Path(__file__).parents[1]
PROJECT_FOLDER = TEMPLATE / "{{cookiecutter.__folder}}"
QUESTIONS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))

BACKENDS: list[str] = QUESTIONS["build_backend"]
FLOORS: list[str] = QUESTIONS["python_floor"]
LICENSES: list[str] = QUESTIONS["license"]

DEFAULTS: dict[str, str] = {
    "project_name": QUESTIONS["project_name"],
    "project_slug": "fast-doubles",
    "package_name": "fast_doubles",
    "description": QUESTIONS["description"],
    "author_name": QUESTIONS["author_name"],
    "author_email": QUESTIONS["author_email"],
    "github_owner": QUESTIONS["github_owner"],
    "build_backend": BACKENDS[0],
    "python_floor": FLOORS[0],
    "license": LICENSES[0],
}

COMBINATIONS = [
    {"build_backend": backend, "python_floor": floor, "license": license}
    for backend, floor, license in itertools.product(BACKENDS, FLOORS, LICENSES)
]


def tracked(folder: Path) -> list[Path]:
    """The files below a folder that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return [folder / name for name in names.split("\0") if name and (folder / name).exists()]


# The project's files as they stand in the template; those that are copied byte for byte.
PROJECT_FILES = {
    file.relative_to(PROJECT_FOLDER).as_posix(): file for file in tracked(PROJECT_FOLDER)
}
VERBATIM = {
    name
    for name in PROJECT_FILES
    if any(fnmatch.fnmatch(name, glob) for glob in QUESTIONS["_copy_without_render"])
}


def name_of(answers: dict[str, str]) -> str:
    """A short name for a set of answers, fit for a folder and a test's name."""
    return "-".join(answers.values()).replace(" ", "-").lower()
