"""The template's tasks: `nox -s demo` and `nox -s test`; `nox -l` lists them all."""

import argparse
import re
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["test"]

ROOT = Path(__file__).parent
OLDEST_RUST = (1, 85)


@nox.session
def test(session: nox.Session) -> None:
    """Run the whole test suite; arguments go to pytest."""
    set_up(session)
    # The tests of one file share a cargo target folder, so they stay on one worker.
    session.run("pytest", "--numprocesses=auto", "--dist=loadfile", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Render, build, install, test and measure a project in build/demo/."""
    parser = argparse.ArgumentParser("nox -s demo --")
    parser.add_argument("--backend", choices=["maturin", "setuptools-rust"], default="maturin")
    parser.add_argument("--floor", choices=["3.11", "3.12", "3.13", "3.14"], default="3.11")
    options = parser.parse_args(session.posargs)

    set_up(session)
    folder = ROOT / "build" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    answers = f"build_backend={options.backend}", f"python_floor={options.floor}"
    session.run("cookiecutter", str(ROOT), "--no-input", f"--output-dir={folder}", *answers)

    project = folder / "fast-doubles"
    with session.chdir(project):
        session.run("nox", "--sessions", "lint", "rust", "tests")

    environment = folder / "environment"
    session.run(
        "uv", "venv", f"--python=>={options.floor}", "--no-python-downloads", str(environment)
    )
    python = next(environment.glob("bin/python"), environment / "Scripts" / "python.exe")
    session.run("uv", "build", "--wheel", f"--python={python}", f"--out-dir={folder}", str(project))
    wheel = next(folder.glob("*.whl"))
    session.run("uv", "pip", "install", f"--python={python}", str(wheel))
    counter = str(ROOT / "benchmarks" / "real_text.py")
    session.run(str(python), counter, str(wheel), str(project / "tests"), external=True)


@nox.session
def wheels(session: nox.Session) -> None:
    """Run the real cibuildwheel on a rendered project, for the architectures that are named.

    `nox -s wheels -- x86_64 i686 --real-images` takes cibuildwheel's own images, from a registry.
    """
    set_up(session)
    options = [word if word.startswith("-") else f"--arch={word}" for word in session.posargs]
    command = ("pytest", "--verbose", "--need-images", "tests/test_cibuildwheel.py")
    session.run(*command, *options)


@nox.session
def cross(session: nox.Session) -> None:
    """Cross-compile wheels for Windows, macOS and musl, and look into them."""
    set_up(session)
    session.run("pytest", "--verbose", "tests/on_demand/test_cross.py", *session.posargs)


@nox.session
def newest(session: nox.Session) -> None:
    """Install and test wheels on CPython 3.14 and 3.15, in a container."""
    set_up(session)
    session.run("pytest", "--verbose", "tests/on_demand/test_newest_pythons.py", *session.posargs)


def set_up(session: nox.Session) -> None:
    """Install the locked tools, on a machine with Rust."""
    require_rust(session)
    session.install("--require-hashes", "--requirement=requirements.txt")


def require_rust(session: nox.Session) -> None:
    """Stop with a plain sentence where Rust is missing or too old."""
    wanted = ".".join(map(str, OLDEST_RUST))
    if not (shutil.which("cargo") and shutil.which("rustc")):
        session.error(f"Missing: Rust {wanted} or newer (cargo and rustc). See https://rustup.rs")
    answer = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"rustc (\d+)\.(\d+)", answer)
    if version is None or tuple(map(int, version.groups())) < OLDEST_RUST:
        session.error(f"Missing: Rust {wanted} or newer; this is {answer.strip() or 'unusable'}")
