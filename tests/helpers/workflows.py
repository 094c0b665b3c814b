"""The workflows, of the template and of the project, as they stand in the template."""

from pathlib import Path

import yaml

from tools.template import PROJECT_FOLDER, TEMPLATE

GITHUB = [TEMPLATE / ".github", PROJECT_FOLDER / ".github"]
WORKFLOWS = [file for folder in GITHUB for file in sorted(folder.glob("workflows/*.yml"))]
PROJECT_WORKFLOWS = [file for file in WORKFLOWS if file.is_relative_to(PROJECT_FOLDER)]
RELEASE = PROJECT_FOLDER / ".github" / "workflows" / "release.yml"


def load(file: Path) -> dict:
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load(file.read_text("utf-8").replace("\non:\n", "\n'on':\n"))
