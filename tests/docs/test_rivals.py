"""README.md, *Why this one, and when another*: what two of the others render, looked at.

maturin and uv are among the tools of the tests. scientific-python/cookie is not on PyPI, and the
rows on rebuilds, on the gate and on the rehearsal ask for more than a look at files.
"""

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.template import TEMPLATE

# uv takes the oldest Python from the one that it finds.
PYTHON = f"--python={sys.executable}"
COMMANDS = {
    "maturin": ("maturin", "new", "--bindings=pyo3", "project"),
    "uv": ("uv", "init", "--build-backend=maturin", "--vcs=none", PYTHON, "project"),
}


def table() -> list[list[str]]:
    """The cells of the table, line by line."""
    text = (TEMPLATE / "README.md").read_text("utf-8")
    section = text[text.index("## Why this one") : text.index("## Wheels")]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def looked_at(project: Path) -> dict[str, str]:
    """What a rendering has, in the words of the table."""
    manifest = tomllib.loads((project / "Cargo.toml").read_text("utf-8"))
    python = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    pyo3 = manifest["dependencies"]["pyo3"]
    pyo3 = {"version": pyo3, "features": []} if isinstance(pyo3, str) else pyo3
    abi3 = [feature[5:] for feature in pyo3["features"] if feature.startswith("abi3-")]
    oldest = python["project"]["requires-python"].removeprefix(">=").replace(".", "")
    workflows = "".join(file.read_text("utf-8") for file in project.rglob(".github/workflows/*"))
    texts = "".join(file.read_text("utf-8") for file in project.rglob("src/**/*") if file.is_file())
    tests = [*project.rglob("test*"), *project.rglob("bench*"), *re.findall(r"#\[test\]", texts)]
    stub = [*project.rglob("*.pyi")]
    locked = (project / "Cargo.lock").exists() and "--locked" in workflows
    floor = f"no ({abi3[0].replace('py', 'cp')})" if abi3 else "no abi3"
    if f"py{oldest}" in abi3:
        floor = "yes"
    return {
        "PyO3 in the rendering": pyo3["version"],
        "without PyO3's deprecated": "no" if "extension-module" in pyo3["features"] else "yes",
        "build backends for Rust": python["build-system"]["build-backend"],
        "abi3 for `requires-python`": floor,
        "`Cargo.lock` shipped": "yes" if locked else "no",
        "Rust tests, Python tests": "yes" if tests else "no",
        "type stub checked": "stub, not checked" if stub else "no stub",
        "a workflow that builds and publishes": "yes" if "publish" in workflows else "no",
    }


@pytest.mark.parametrize("tool", COMMANDS)
def test_what_another_renders_is_what_the_table_says(tool: str, run: Run, tmp_path: Path) -> None:
    run(*COMMANDS[tool], cwd=tmp_path)
    head, _, *rows = table()
    (column,) = [place for place, name in enumerate(head) if name.startswith(f"`{tool} ")]
    said = head[column].rpartition(" ")[2]
    assert version(tool).startswith(f"{said}."), "look at the table again, and at its date"
    for row, cell in looked_at(tmp_path / "project").items():
        (line,) = [line for line in rows if line[0].startswith(row)]
        assert line[column] == cell, line
