"""The workflows, of the template and of the project, as they stand in the template."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.template import PROJECT_FOLDER, TEMPLATE

GITHUB = [TEMPLATE / ".github", PROJECT_FOLDER / ".github"]
WORKFLOWS = [file for folder in GITHUB for file in sorted(folder.glob("workflows/*.yml"))]
PROJECT_WORKFLOWS = [file for file in WORKFLOWS if file.is_relative_to(PROJECT_FOLDER)]
RELEASE = PROJECT_FOLDER / ".github" / "workflows" / "release.yml"


# GitHub's runners: the platforms whose programs they start, each with setup-python's name of it.
RUNNERS = {
    "ubuntu-24.04": {"manylinux_x86_64": "x64", "musllinux_x86_64": "", "manylinux_i686": ""},
    "ubuntu-24.04-arm": {"manylinux_aarch64": "arm64", "musllinux_aarch64": ""},
    "macos-15-intel": {"macosx_x86_64": "x64"},
    "macos-15": {"macosx_arm64": "arm64"},
    "windows-2025": {"win_amd64": "x64", "win32": "x86"},
    "windows-11-arm": {"win_arm64": "arm64"},
}


def load(file: Path) -> dict[str, Any]:
    """A workflow's content."""
    # YAML 1.1 reads the key `on` as true.
    content: dict[str, Any] = yaml.safe_load(
        file.read_text("utf-8").replace("\non:\n", "\n'on':\n")
    )
    return content


SETUP = PROJECT_FOLDER / ".github" / "actions" / "setup" / "action.yml"


def steps(file: Path) -> Iterator[dict[str, Any]]:
    """The steps of all jobs of a workflow, and those of the action that its jobs share."""
    for job in load(file)["jobs"].values():
        yield from job["steps"]
    if file.is_relative_to(PROJECT_FOLDER):
        yield from load(SETUP)["runs"]["steps"]


def locks(step: dict[str, Any]) -> list[str]:
    """The locks that a step installs by way of the shared action."""
    if step.get("uses") != "$/.github/actions/setup":
        return []
    default = load(SETUP)["inputs"]["locks"]["default"]
    return [f"release/{name}" for name in step.get("with", {}).get("locks", default).split()]


def needed(jobs: dict[str, dict[str, Any]], name: str) -> set[str]:
    """The jobs that one waits for, and those that these wait for."""
    needs = set(jobs[name].get("needs", []))
    return needs.union(*(needed(jobs, need) for need in needs))
