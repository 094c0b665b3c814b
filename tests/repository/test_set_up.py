"""`make demo` and `make test` say in one line what the machine lacks."""

import importlib.util
import shlex
import shutil
import stat
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.template import TEMPLATE

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def make(run: Run, tmp_path: Path) -> Callable[[str], str]:
    """Run `make demo` with some Python, in a folder that holds what make needs; its output."""
    for name in ("Makefile", "requirements.txt", "noxfile.py"):
        shutil.copy(TEMPLATE / name, tmp_path)

    def make(python: str) -> str:
        result = run("make", "demo", f"PYTHON={python}", cwd=tmp_path, check=False)
        assert result.returncode != 0
        assert not (tmp_path / ".venv").exists()
        assert "Traceback" not in result.stdout
        return result.stdout

    return make


def fake_python(folder: Path, script: str) -> str:
    """A command that behaves like this interpreter, after some lines of shell."""
    command = folder / "fake-python"
    command.write_text(f'#!/bin/sh\n{script}\nexec {shlex.quote(sys.executable)} "$@"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return str(command)


def test_no_python(make: Callable[[str], str]) -> None:
    assert "Missing: Python 3.11 or newer (no-such-python is not on the PATH" in make(
        "no-such-python"
    )


def test_old_python(make: Callable[[str], str], tmp_path: Path) -> None:
    old = fake_python(
        tmp_path,
        'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.18; exit 0;; esac',
    )
    assert f"Missing: Python 3.11 or newer ({old} is Python 3.9.18" in make(old)


def test_python_without_venv(make: Callable[[str], str], tmp_path: Path) -> None:
    bare = fake_python(tmp_path, 'case "$*" in *ensurepip*) exit 1;; esac')
    assert "apt install python3-venv" in make(bare)


class Stopped(Exception):
    pass


class Session:
    def error(self, message: str) -> None:
        raise Stopped(message)


@pytest.fixture(scope="module")
def noxfile() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("template_noxfile", TEMPLATE / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        (None, "Missing: Rust 1.85 or newer (cargo and rustc). See https://rustup.rs"),
        ("rustc 1.84.1 (abc 2025-01-27)", "Missing: Rust 1.85 or newer; this is rustc 1.84.1"),
        ("rustc 0.99.0", "Missing: Rust 1.85 or newer; this is rustc 0.99.0"),
        ("", "Missing: Rust 1.85 or newer; this is unusable"),
    ],
)
def test_no_rust_or_old_rust(
    noxfile: types.ModuleType, monkeypatch: pytest.MonkeyPatch, version: str | None, complaint: str
) -> None:
    monkeypatch.setattr(noxfile.shutil, "which", lambda _: None if version is None else "/rustc")
    answer = subprocess.CompletedProcess([], 0, stdout=version)
    monkeypatch.setattr(noxfile.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(Stopped) as stopped:
        noxfile.require_rust(Session())
    assert str(stopped.value).startswith(complaint)


@pytest.mark.parametrize("version", ["rustc 1.85.0", "rustc 1.100.3 (x)", "rustc 2.0.0-nightly"])
def test_rust_that_is_new_enough(
    noxfile: types.ModuleType, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(noxfile.shutil, "which", lambda _: "/rustc")
    answer = subprocess.CompletedProcess([], 0, stdout=version)
    monkeypatch.setattr(noxfile.subprocess, "run", lambda *_, **__: answer)
    noxfile.require_rust(Session())


def test_benchmarks_name_the_tools_that_they_lack(
    noxfile: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"gcc"}
    monkeypatch.setattr(noxfile.shutil, "which", lambda name: name if name in installed else None)
    with pytest.raises(Stopped, match=r"Missing: swig \(on Debian and Ubuntu: apt install swig\)"):
        noxfile.require_c(Session())
    installed.add("swig")
    noxfile.require_c(Session())
