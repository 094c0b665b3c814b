"""The answers that the tests render with, read from the questions themselves."""

import itertools
import json
from pathlib import Path

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


def name_of(answers: dict[str, str]) -> str:
    """A short name for a set of answers, fit for a folder and a test's name."""
    return "-".join(answers.values()).replace(" ", "-").lower()
