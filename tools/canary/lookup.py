"""Every pin of every file, and its newest version."""

import json
from collections.abc import Iterator
from typing import Any

from tools import actions
from tools.canary import crate_page, newest, pins, workspace
from tools.canary.pins import THE_CANARY
from tools.canary.table import Pin
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, SETTINGS, TEMPLATE, tracked

MANIFEST = PROJECT_FOLDER / "pyproject.toml"


def look_up() -> tuple[list[Pin], dict[str, str]]:
    """Find every pin and its newest version.

    Returns:
        The pins; and the newest version of each package on PyPI, name to version.

    Raises:
        subprocess.CalledProcessError: the template cannot be rendered.
        ValueError: the page on crates has a row that cannot be read.
    """
    manifests = [
        pins.manifest_of(workspace.render(backend, FLOORS[0], "look")) for backend in BACKENDS
    ]
    wanted = {required.name for manifest in manifests for required in pins.requirements(manifest)}
    wanted.update(*(pins.python_pins(file) for file in pins.files_with_python_pins()))
    page = crate_page.rows(crate_page.PAGE.read_text("utf-8"))
    wanted.update(row.name for row in page if row.on_pypi)
    pypi = newest.on_pypi(wanted)
    found = [
        *python_tools(pypi),
        *upper_bounds(manifests, pypi),
        *rust_crates(),
        *pinned_actions(),
        *cargo_tools(),
        *npm_tools(),
        *crate_page.facts(page, pypi),
        rust(manifests[0]),
        Pin(
            "CPython",
            "cookiecutter.json",
            f"3.{SETTINGS['__newest_minor']}",
            newest.cpython(),
            THE_CANARY,
        ),
    ]
    return found, pypi


def python_tools(pypi: dict[str, str]) -> Iterator[Pin]:
    """The packages from PyPI that locks, and other files with `name==version`, pin."""
    for file in pins.files_with_python_pins():
        updater = pins.updater_of("pip", file)
        for name, version in pins.python_pins(file).items():
            yield Pin(name, workspace.short_path(file), version, pypi.get(name), updater)


def upper_bounds(manifests: list[dict[str, Any]], pypi: dict[str, str]) -> Iterator[Pin]:
    """The requirements of the project that do not take the newest version."""
    for manifest in manifests:
        for requirement, version in pins.held_back(manifest, pypi):
            bounds = f"{requirement.name}{requirement.specifier}"
            yield Pin(bounds, workspace.short_path(MANIFEST), "0", version, THE_CANARY)


def rust_crates() -> Iterator[Pin]:
    """The crates of each Cargo.lock."""
    for lock in [file for file in tracked(TEMPLATE) if file.name == "Cargo.lock"]:
        updater = pins.updater_of("cargo", lock)
        named = pins.direct_dependencies(lock.with_name("Cargo.toml"))
        resolved_today = newest.fresh_lock(lock)
        for name, version in pins.crates(lock).items():
            # A crate that the manifest names may be raised to the newest there is. The others are
            # what these lead to.
            latest: str | None = None
            if name in named:
                latest = newest.crate(name)
            elif resolved_today is not None:
                latest = resolved_today.get(name, version)
            yield Pin(name, workspace.short_path(lock), version, latest, updater)


def pinned_actions() -> Iterator[Pin]:
    """The actions of tools/actions.json, in each file that uses one."""
    latest = {action: newest.action_tag(action) for action in actions.table()}
    for file, action, release in actions.uses():
        in_workflow = file.parent.name == "workflows"
        place = file.parent if in_workflow else file
        updater = pins.updater_of("github-actions", file) if in_workflow else "bump-actions"
        yield Pin(action, workspace.short_path(place), release.tag, latest.get(action), updater)


def cargo_tools() -> Iterator[Pin]:
    """The programs that pages install from crates.io: `cargo-deny@1.2.3`."""
    for file in sorted((TEMPLATE / "docs").rglob("*.md")):
        for name, version in sorted(set(pins.CARGO_TOOL.findall(file.read_text("utf-8")))):
            yield Pin(name, workspace.short_path(file), version, newest.crate(name), THE_CANARY)


def npm_tools() -> Iterator[Pin]:
    """The packages of each package.json."""
    for file in [file for file in tracked(TEMPLATE) if file.name == "package.json"]:
        for name, version in json.loads(file.read_text("utf-8"))["dependencies"].items():
            updater = pins.updater_of("npm", file)
            # Another name for a package keeps to a major version: "npm:pyodide@314.0.7".
            package, _, version = version.removeprefix("npm:").rpartition("@")
            wanted = f"{package}@^{version.partition('.')[0]}.0.0-0" if package else name
            yield Pin(name, workspace.short_path(file), version, newest.npm(wanted), updater)


def rust(manifest: dict[str, Any]) -> Pin:
    """The Rust that builds releases, and the one that is installed."""
    toolchain = pins.pinned_rust(manifest)
    where = workspace.short_path(MANIFEST)
    return Pin("Rust (installed)", where, toolchain, newest.installed_rust(), THE_CANARY)
