"""Does what docs/how-to/release-half.md says, to a project that exists."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from answers import TEMPLATE
from conftest import GIT
from pages import blocks, commands

PAGE = "how-to/release-half.md"
Run = Callable[..., subprocess.CompletedProcess[str]]


def adopt(project: Path, backend: str, run: Run) -> list[str]:
    """Follow the page up to the commit; return the commands that are left, to look and rehearse."""
    typed = commands(PAGE)
    for line in typed[:-2]:
        line = line.replace(
            "uvx cookiecutter gh:OWNER/cookiecutter-pyo3-wheel",
            f"cookiecutter '{TEMPLATE}' --default-config",
        ).replace("build_backend=maturin", f"build_backend={backend}")
        run("sh", "-c", line, cwd=project, **GIT)

    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    tests, include = blocks(PAGE, "toml")
    for line in tests.splitlines():
        key = line.partition(" = ")[0]
        text, count = re.subn(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
        assert count == 1, key
    if backend == "maturin":
        text = text.replace("[tool.maturin]\n", f"[tool.maturin]\n{include}")
    else:
        (manifest_in,) = blocks(PAGE, "text")
        (project / "MANIFEST.in").write_text(manifest_in, "utf-8")
    manifest.write_text(text, "utf-8")

    (sessions,) = blocks(PAGE, "python")
    (project / "noxfile.py").write_text(f"import nox\n\n\n{sessions}", "utf-8")
    in_cargo, in_package = blocks(PAGE, "ini")
    if backend == "setuptools-rust":
        in_cargo = in_cargo[: in_cargo.index("[bumpversion:file")] + in_package
    (project / ".bumpversion.cfg").write_text(in_cargo, "utf-8")
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=The release half", cwd=project, **GIT)
    return typed[-2:]
