"""The project's tasks: `nox` runs lint, rust and tests; `nox -l` lists them all."""

import json
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)  # those of the classifiers
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
ABLE = None if HERE in PYTHONS else PYTHONS[0]  # nox may run on a Python below the floor
PACKAGE = next(Path("python").glob("*/__init__.py")).parent.name


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style and the types of the Python files."""
    session.install(*nox.project.dependency_groups(PROJECT, "dev"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session(venv_backend="none")
def rust(session: nox.Session) -> None:
    """Check the Rust files; test the kernel, without Python."""
    clippy = ("cargo", "clippy", "--locked", "--all-targets")
    strict = ("--", "--deny", "warnings")
    session.env["PYO3_PYTHON"] = sys.executable
    session.run("cargo", "fmt", "--check")
    session.run(*clippy, "--all-features", *strict)
    session.run(*clippy, "--no-default-features", *strict)
    session.run("cargo", "test", "--locked", "--no-default-features", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Test the wheel and its type stub, on every Python at hand."""
    install_wheel(session, "test", "property", "types")
    session.run("pytest", *session.posargs)
    session.run("stubtest", PACKAGE)


@nox.session(python=ABLE, default=False)
def bench(session: nox.Session) -> None:
    """Measure how much faster than Python it is."""
    install_wheel(session, "test", "bench")
    times = Path(session.create_tmp(), "times.json")
    file = f"tests/bench_{PACKAGE}.py"
    session.run("pytest", file, f"--benchmark-json={times}", *session.posargs)
    rows = json.loads(times.read_text())["benchmarks"]
    medians = {row["name"]: row["stats"]["median"] for row in rows}
    for name, python in medians.items():
        text = name.removeprefix("test_python")
        if text != name and (rust := medians.get(f"test_rust{text}")):
            session.log(f"{text} Rust is {python / rust:,.0f} times as fast as Python")


@nox.session(default=False)
def gate(session: nox.Session) -> None:
    """Check the files of a release: `nox -s gate -- dist/ --tag v0.2.0`."""
    session.install("--require-hashes", "--requirement=release/requirements.txt")
    session.run("python", "release/gate.py", *session.posargs)


@nox.session(python=ABLE, default=False)
def rehearse(session: nox.Session) -> None:
    """Rehearse a release on this machine; nothing is published."""
    for lock in ("release/requirements.txt", "release/wheel-requirements.txt"):
        session.install("--require-hashes", f"--requirement={lock}")
    # Time to end the server and to tidy up after Ctrl-C.
    session.run("python", "release/rehearse.py", *session.posargs, interrupt_timeout=10)


WHEELS: list[Path] = []  # the one of this run, built by the first session that needs it


def install_wheel(session: nox.Session, *groups: str) -> None:
    """Install the wheel of the sources as they are now, and the tools of the groups."""
    session.install(*nox.project.dependency_groups(PROJECT, *groups))
    if not WHEELS:
        folder = Path(session.create_tmp(), "wheel")
        shutil.rmtree(folder, ignore_errors=True)
        uv = session.venv_backend == "uv"
        session.install("build[uv]" if uv else "build")
        installer = "--installer=uv" if uv else "--installer=pip"
        session.run("python", "-m", "build", "--wheel", installer, f"--outdir={folder}")
        WHEELS.extend(folder.glob("*.whl"))
    session.install("--force-reinstall", "--no-deps", str(WHEELS[0]))
