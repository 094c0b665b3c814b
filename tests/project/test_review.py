"""What sp-repo-review, the field's checklist for a repository, says about a rendering."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from helpers.fixture_types import Render, Run


def review(project: Path, run: Run) -> dict[str, dict[str, Any]]:
    """Each check's name and result: True, False, or None where it does not apply."""
    # It ends with an error where a check fails; the result says which.
    printed = run("repo-review", "--format=json", ".", cwd=project, check=False).stdout
    checks: dict[str, dict[str, Any]] = json.loads(printed[printed.index("{") :])["checks"]
    return checks


def failed(checks: dict[str, dict[str, Any]]) -> set[str]:
    return {name for name, check in checks.items() if check["result"] is False}


def test_every_check_passes_or_is_ignored_for_a_reason(
    backend: str, render: Render, run: Run
) -> None:
    project = render(build_backend=backend)
    checks = review(project, run)
    assert failed(checks) == set()
    assert sum(check["result"] is True for check in checks.values()) >= 48
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    ignored = tomllib.loads(text)["tool"]["repo-review"]["ignore"]
    assert all(reason.strip() for reason in ignored.values())

    manifest.write_text(re.sub(r"\n\[tool\.repo-review.*", "\n", text, flags=re.S), "utf-8")
    assert failed(review(project, run)) == set(ignored), "ignored, and would pass"


@pytest.mark.parametrize(
    ("check", "file", "line", "instead"),
    [
        ("PP309", "pyproject.toml", 'filterwarnings = ["error"]\n', ""),
        ("MY101", "pyproject.toml", "\nstrict = true\n", "\n"),
        ("NOX202", "noxfile.py", "#!/usr/bin/env -S uv run --script\n", ""),
    ],
)
def test_a_setting_that_is_gone_is_found(
    check: str, file: str, line: str, instead: str, render: Render, run: Run
) -> None:
    project = render()
    text = (project / file).read_text("utf-8")
    assert text.count(line) == 1
    (project / file).write_text(text.replace(line, instead), "utf-8")
    assert failed(review(project, run)) == {check}
