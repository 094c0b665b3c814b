"""What cookiecutter.json and the project's folder say: the one place where Python reads them."""

import fnmatch
import itertools
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from tools.machine import untied_environment

TEMPLATE = Path(__file__).parents[1]
PROJECT_FOLDER = TEMPLATE / "{{cookiecutter.project_slug}}"
SETTINGS: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
QUESTIONS = {key: value for key, value in SETTINGS.items() if not key.startswith("_")}

BACKENDS: list[str] = QUESTIONS["build_backend"]
FLOORS: list[str] = QUESTIONS["python_floor"]
LICENSES: list[str] = QUESTIONS["license"]


def minor(python: str) -> int:
    """The minor version of a Python: 11 for "3.11"."""
    return int(python.split(".")[1])


# The version of PyO3 that the project asks for, such as "0.30".
(PYO3,) = re.findall(
    r'^pyo3 = \{ version = "([\d.]+)"',
    (PROJECT_FOLDER / "Cargo.toml").read_text("utf-8"),
    re.MULTILINE,
)

# Every CPython that a project with the oldest floor supports.
PYTHONS = [f"3.{n}" for n in range(minor(FLOORS[0]), int(SETTINGS["__newest_minor"]) + 1)]

# The files of a release with the default list of platforms: the sdist, and each wheel of a line.
RELEASE_LIST = (PROJECT_FOLDER / "release" / "wheels.txt").read_text("utf-8")
RELEASE_FILES = 1 + sum(
    len(line.split()) - 1 for line in RELEASE_LIST.splitlines() if not line.startswith("#") and line
)

# What Enter answers to each question. The names that are made from others stand here as made.
DEFAULTS: dict[str, str] = {
    key: value[0] if isinstance(value, list) else value for key, value in QUESTIONS.items()
} | {"project_slug": "fast-doubles", "package_name": "fast_doubles"}

# The renderings that are looked at: every combination of the three great choices, and each answer
# to another choice with both backends.
OTHER_CHOICES: dict[str, list[str]] = {
    key: value
    for key, value in QUESTIONS.items()
    if isinstance(value, list) and key not in ("build_backend", "python_floor", "license")
}
COMBINATIONS: list[dict[str, str]] = [
    {"build_backend": backend, "python_floor": floor, "license": license}
    for backend, floor, license in itertools.product(BACKENDS, FLOORS, LICENSES)
] + [
    {"build_backend": backend, "python_floor": FLOORS[0], "license": LICENSES[0], key: answer}
    for key, answers in OTHER_CHOICES.items()
    for answer, backend in itertools.product(answers[1:], BACKENDS)
]


def name_of(answers: dict[str, str]) -> str:
    """A short name for a set of answers, fit for a folder and a test's name."""
    return "-".join(answers.values()).replace(" ", "-").lower()


def tracked(folder: Path) -> list[Path]:
    """The files below a folder that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(
        command, cwd=folder, env=untied_environment(), capture_output=True, text=True, check=True
    )
    return [
        folder / name for name in answer.stdout.split("\0") if name and (folder / name).exists()
    ]


@cache
def project_files() -> dict[str, Path]:
    """The project's files as they stand in the template: path in the project to the file."""
    return {file.relative_to(PROJECT_FOLDER).as_posix(): file for file in tracked(PROJECT_FOLDER)}


@cache
def verbatim_files() -> set[str]:
    """The paths, in the project, of the files that cookiecutter copies byte for byte."""
    patterns = SETTINGS["_copy_without_render"]
    return {
        name
        for name in project_files()
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    }
