"""Does what the pages of docs/how-to/ on adopting say, to a crate or a project that exists."""

import re
from pathlib import Path

from helpers.fixture_types import Run
from helpers.pages import read
from tools.machine import GIT
from tools.template import TEMPLATE

PAGE = read("how-to/release-half.md")
CRATE_PAGE = read("how-to/existing-crate.md")
COOKIECUTTER = "uvx cookiecutter gh:OWNER/cookiecutter-pyo3-wheel"


def adopt(project: Path, backend: str, run: Run) -> list[str]:
    """Follow the page up to the commit; return the commands that are left, to look and rehearse."""
    typed = PAGE.commands()
    for line in typed[:-2]:
        line = from_here(line).replace("build_backend=maturin", f"build_backend={backend}")
        run("sh", "-c", line, cwd=project, **GIT)

    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    tests, include, licenses = PAGE.blocks("toml")
    for line in (tests if backend == "setuptools-rust" else tests + licenses).splitlines():
        text = set_value(text, line)
    if backend == "maturin":
        text = text.replace("[tool.maturin]\n", f"[tool.maturin]\n{include}")
    else:
        (licenses,) = PAGE.blocks("cfg")
        setup = project / "setup.cfg"
        setup.write_text(set_value(setup.read_text("utf-8"), licenses.rstrip()), "utf-8")
        (manifest_in,) = PAGE.blocks("text")
        (project / "MANIFEST.in").write_text(manifest_in, "utf-8")
    manifest.write_text(text, "utf-8")

    _, sessions = PAGE.blocks("python")
    (project / "noxfile.py").write_text(f"import runpy\n\nimport nox\n\n\n{sessions}", "utf-8")
    in_cargo, in_package = PAGE.blocks("ini")
    if backend == "setuptools-rust":
        in_cargo = in_cargo[: in_cargo.index("[bumpversion:file")] + in_package
    (project / ".bumpversion.cfg").write_text(in_cargo, "utf-8")
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=The release half", cwd=project, **GIT)
    return typed[-2:]


def set_value(text: str, line: str) -> str:
    """A text of settings with a line `key = value` in place of the one with that key."""
    key = line.partition(" = ")[0]
    text, count = re.subn(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
    assert count == 1, key
    return text


def from_here(line: str) -> str:
    """A command of a page, with this working copy in place of the template on its host."""
    return line.replace(COOKIECUTTER, f"cookiecutter '{TEMPLATE}' --default-config")


def move(project: Path, backend: str, run: Run) -> None:
    """Follow the page on crates where the crate is the root of its repository."""
    for line in CRATE_PAGE.commands()[:6]:
        if COOKIECUTTER in line:
            line = f"{from_here(line)} --no-input build_backend={backend}"
        run("sh", "-c", line, cwd=project, **GIT)


def call(
    project: Path,
    backend: str,
    run: Run,
    place: str = "your-crate",
    words: dict[str, str] | None = None,
    own_test: str = "",
) -> None:
    """Follow the page on crates up to its step 3, in a rendering.

    place: where the crate lies; words: words of the page's code, and what stands in their place
    for another crate than the page's, crc32fast; own_test: the Python test for it.
    """
    if place.startswith("your-crate"):
        workspace, ruff, keys = CRATE_PAGE.blocks("toml")
        insert(project / "Cargo.toml", "[workspace]", workspace)
        insert(project / "pyproject.toml", "[tool.ruff]", ruff)
        insert(project / "pyproject.toml", "cache-keys = [", keys)
    else:
        manifest = project / "pyproject.toml"
        text = manifest.read_text("utf-8")
        manifest.write_text(text.replace('sdist-generator = "git"', 'sdist-generator = "cargo"'))
    for line in CRATE_PAGE.commands()[6:-6]:
        run("sh", "-c", line.replace("--path your-crate", f"--path {place}"), cwd=project)
    kernel, bindings = CRATE_PAGE.blocks("rust")
    (stub,) = CRATE_PAGE.blocks("pyi")
    init, test = CRATE_PAGE.blocks("python")
    (example,) = CRATE_PAGE.blocks("pycon")
    package = project / "python" / "fast_doubles"
    for file, code in {
        project / "rust" / "kernel.rs": kernel,
        project / "rust" / "python.rs": bindings,
        package / "_native.pyi": stub,
        package / "__init__.py": init,
        project / "tests" / "test_fast_doubles.py": own_test or test,
    }.items():
        file.write_text(replace(code, words or {}), "utf-8")
    readme = project / "README.md"
    text = readme.read_text("utf-8")
    start = text.index(">>> ")
    sample = text[start : text.index("```\n", start)]
    readme.write_text(text.replace(sample, replace(example, words or {})), "utf-8")


def replace(text: str, words: dict[str, str]) -> str:
    for word, other in words.items():
        text = text.replace(word, other)
    return text


def insert(file: Path, table: str, setting: str) -> None:
    """Put a setting below the header of a table, or an element below the start of a list."""
    text = file.read_text("utf-8")
    header = rf"(?m)^{re.escape(table)}.*\n"
    text, count = re.subn(header, lambda line: line[0] + setting, text)
    assert count == 1, table
    file.write_text(text, "utf-8")
