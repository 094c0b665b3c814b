"""The newest version of each kind of pin, asked of the tools that know."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tools.actions import newest_on_host
from tools.canary import pins, workspace
from tools.canary.table import version_of
from tools.template import TEMPLATE


def on_pypi(names: Iterable[str]) -> dict[str, str]:
    """The newest version of each package that Python 3.11 takes: name to version; empty offline."""
    workspace.FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = workspace.FOLDER / "names.txt"
    wanted.write_text("\n".join(sorted(set(names))), "utf-8")
    options = ("--no-deps", "--universal", "--python-version=3.11", "--no-header", "--no-annotate")
    answer = (
        workspace.output_or_none("uv", "pip", "compile", "--quiet", "--upgrade", *options, wanted)
        or ""
    )
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", answer, re.M):
        found[name] = max(version, found.get(name, "0"), key=version_of)
    return found


def crate(name: str) -> str | None:
    """The newest version of a crate on crates.io."""
    return crate_and_pyo3(name)[0]


def crate_and_pyo3(name: str) -> tuple[str | None, str | None]:
    """The newest version of a crate on crates.io, and the PyO3 that it wants.

    Returns:
        The version; and the requirement as `cargo info` prints it, such as "0.30" or
        ">=0.26, <0.31", or "none" where PyO3 is no dependency. Both are None offline.
    """
    # Outside of a workspace: inside, the version of its lock would be shown. Only with --verbose,
    # cargo tells the dependencies.
    command = ("cargo", "info", "--verbose", "--registry=crates-io", name)
    answer = workspace.output_or_none(*command, cwd=outside()) or ""
    version = re.search(r"^version: (\S+)", answer, re.M)
    wanted = re.search(r"^[ +]+pyo3@(.+)$", answer, re.M)
    return (version[1], wanted[1] if wanted else "none") if version else (None, None)


def outside() -> Path:
    """A folder that belongs to no cargo workspace."""
    return Path(TEMPLATE.anchor)


def action_tag(action: str) -> str | None:
    """The newest release of an action, by its tags."""
    release = newest_on_host(action)
    return release.tag if release else None


def npm(name: str) -> str | None:
    """The newest version of a package on npm, or in a range of versions: "pyodide@^314.0.0-0"."""
    answer = workspace.output_or_none("npm", "view", name, "version", "--json")
    found = json.loads(answer or "[]")  # one version, or a list of them
    return max([found] if isinstance(found, str) else found, key=version_of, default=None)


def cpython() -> str | None:
    """The newest stable minor version of CPython that uv knows of."""
    answer = workspace.output_or_none("uv", "python", "list", "--only-downloads", "--offline")
    minors = re.findall(r"cpython-3\.(\d+)\.\d+-", answer or "")
    return f"3.{max(map(int, minors))}" if minors else None


def installed_rust() -> str | None:
    """The version of the Rust that is installed."""
    found = re.match(r"rustc (\S+)", workspace.output_or_none("rustc", "--version") or "")
    return found[1] if found else None


def fresh_lock(lock: Path) -> dict[str, str] | None:
    """What cargo would lock today, in versions that the manifest allows."""
    folder = workspace.FOLDER / "locks" / lock.parent.name.strip("{}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock"):
        text = lock.with_name(name).read_text("utf-8")
        (folder / name).write_text(re.sub(r"{{.*?}}", "canary", text), "utf-8")
    # Cargo looks for the sources that the manifest names, and for those of a path dependency.
    manifest = tomllib.loads((folder / "Cargo.toml").read_text("utf-8"))
    targets = [manifest.get("lib", {}), *manifest.get("example", []), *manifest.get("bin", [])]
    for source in [target["path"] for target in targets if "path" in target] or ["src/lib.rs"]:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text("", "utf-8")
    variables = {"CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "allow"}
    if workspace.output_or_none("cargo", "update", "--quiet", cwd=folder, **variables) is None:
        return None
    return pins.crates(folder / "Cargo.lock")
