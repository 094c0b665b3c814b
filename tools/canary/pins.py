"""The versions that stand in the files of the template, and who keeps them fresh."""

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from tools.canary.table import version_of
from tools.template import TEMPLATE, minor, tracked

THE_CANARY = "the canary alone"
# A program that a page installs with cargo.
CARGO_TOOL = re.compile(r"\b(cargo-[a-z-]+)@(\d+\.\d+\.\d+)")
# A package in a lock, or in a command of pip.
PYTHON_PIN = re.compile(r"(?:^|(?<=[\s\"']))([a-z0-9][a-z0-9._-]*)==([0-9][^\s;\\\"'`,]*)", re.M)
# Where `name==version` is no pin: examples in prose, made-up versions in tests.
NO_PINS = (".md", ".py", ".json")


def watched() -> set[tuple[str, str]]:
    """What Dependabot watches in the template: ecosystem and folder, "/" at the end."""
    config = yaml.safe_load((TEMPLATE / ".github" / "dependabot.yml").read_text("utf-8"))
    return {
        (update["package-ecosystem"], f"{folder.strip('/')}/".lstrip("/"))
        for update in config["updates"]
        for folder in update.get("directories", [update.get("directory")])
        if folder is not None
    }


def updater_of(ecosystem: str, file: Path) -> str:
    """Who keeps a file's pins fresh."""
    folder = f"{file.parent.relative_to(TEMPLATE).as_posix()}/".removeprefix("./")
    if ecosystem == "github-actions" and folder == ".github/workflows/":
        folder = ""  # the root stands for it
    # Cargo cannot read a manifest whose names are Jinja, and neither can Dependabot.
    readable = ecosystem != "cargo" or "{{" not in file.with_name("Cargo.toml").read_text("utf-8")
    reached = readable and (ecosystem, folder) in watched()
    return "Dependabot" if reached else THE_CANARY


def python_locks() -> list[Path]:
    """The locks of Python tools."""
    return [file for file in tracked(TEMPLATE) if file.name.endswith("requirements.txt")]


def python_pins(file: Path) -> dict[str, str]:
    """The packages from PyPI that a file pins: name to version."""
    return dict(PYTHON_PIN.findall(file.read_text("utf-8", errors="replace")))


def files_with_python_pins() -> list[Path]:
    """The files in which a package from PyPI is pinned: locks, and what makes images."""
    files = [file for file in tracked(TEMPLATE) if file.suffix not in NO_PINS]
    return [file for file in files if python_pins(file)]


def pinned_rust(manifest: dict[str, Any]) -> str:
    """The Rust that cibuildwheel builds with, in a project's manifest."""
    toolchain: str = manifest["tool"]["cibuildwheel"]["environment"]["RUSTUP_TOOLCHAIN"]
    return toolchain


def weeks_since_release(rust: str, today: date) -> int:
    """How old a release of Rust is, in weeks.

    A minor version comes out every six weeks, on a Thursday, since 1.0 in May 2015:
    https://doc.rust-lang.org/book/appendix-07-nightly-rust.html
    """
    released = date(2015, 5, 14) + timedelta(weeks=6 * minor(rust))
    return (today - released).days // 7


def crates(lock: Path) -> dict[str, str]:
    """The crates from a registry in a Cargo.lock: name to the newest version in it."""
    found: dict[str, str] = {}
    # The name of the project's own crate is Jinja inside a string, so this is TOML all the same.
    for crate in tomllib.loads(lock.read_text("utf-8"))["package"]:
        if "source" in crate:
            versions = [crate["version"], found.get(crate["name"], "0")]
            found[crate["name"]] = max(versions, key=version_of)
    return found


def requirements(manifest: dict[str, Any]) -> list[Requirement]:
    """The versions that a project's manifest asks for."""
    groups = [entry for group in manifest["dependency-groups"].values() for entry in group]
    words = [*manifest["build-system"]["requires"], *groups]
    return [Requirement(word) for word in words if isinstance(word, str)]


def held_back(manifest: dict[str, Any], newest: dict[str, str]) -> list[tuple[Requirement, str]]:
    """The requirements that do not take the newest version, and that version."""
    return [
        (wanted, newest[wanted.name])
        for wanted in requirements(manifest)
        if wanted.name in newest and not wanted.specifier.contains(newest[wanted.name])
    ]


def manifest_of(project: Path) -> dict[str, Any]:
    """The content of a project's pyproject.toml."""
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))


def direct_dependencies(manifest: Path) -> dict[str, str]:
    """The crates that a manifest names: name to the version it asks for."""
    content = tomllib.loads(manifest.read_text("utf-8"))
    tables = [content.get(key, {}) for key in ("dependencies", "dev-dependencies")]
    return {
        name: wanted if isinstance(wanted, str) else wanted["version"]
        for table in tables
        for name, wanted in table.items()
        if isinstance(wanted, str) or "version" in wanted
    }


def cargo_dependencies(project: Path) -> str:
    """The table [dependencies] of a Cargo.toml, as text."""
    text = (project / "Cargo.toml").read_text("utf-8")
    return text.partition("[dependencies]")[2].partition("\n[")[0]
