"""CPythons that no package of Debian or PyPI installs, put together from what packages carry.

`linux` makes free-threaded ones, and ones for musl; `windows` makes ones that wine runs. Each says
what in them is genuine, and what is put together. The standard library in Python is Pyodide's
where no other is installed: a few patches older, and without ssl, venv and ensurepip. `debian`
unpacks packages of Debian.
"""

import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

from helpers.fixture_types import Run

HERE = Path(__file__).parent
TOOLS = HERE / "tools.txt"
HAMMER = HERE / "hammer.py"


class CannotRun(Exception):
    """This machine cannot put the interpreter together, or not run it; the text says why."""


def require(*commands: str, packages: str) -> None:
    """Raise CannotRun if a command is missing; `packages` are those of Debian that bring them."""
    if lacks := [command for command in commands if shutil.which(command) is None]:
        raise CannotRun(f"missing: {' and '.join(lacks)} (on Debian: apt install {packages})")


def place(folder: Path, name: str) -> Path:
    """The folder of an interpreter, named by the hash of all that it is made of."""
    suffixes = (".txt", ".py", ".c", ".json", ".toml", ".lock")
    parts = [file for file in sorted(HERE.rglob("*")) if file.suffix in suffixes]
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    return folder / f"{name}-{digest[:16]}"


def version_of(abi: str) -> str:
    """The version of an ABI: "3.14" for "cp314t"."""
    digits = abi.removeprefix("cp").removesuffix("t")
    return f"{digits[0]}.{digits[1:]}"


def unpack(package: str, platform: str, abi: str, folder: Path, run: Run) -> Path:
    """Unpack a wheel of another interpreter from PyPI; pip compares its hash with PACKAGE.txt."""
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", f"--platform={platform}", "--implementation=cp"),
        *(f"--python-version={version_of(abi)}", f"--abi={abi}", f"--dest={folder}"),
        f"--requirement={HERE / f'{package}.txt'}",
        cwd=folder,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


# What Pyodide has put in place of CPython's own.
OF_PYODIDE = ("_sysconfigdata_*", "_pyodide", "pyodide", "ssl.py", "_ssl.py", "webbrowser.py")


def copy_library(version: str, to: Path, scratch: Path, run: Run) -> None:
    """Copy the standard library of a version; npm compares the checksum of the package."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, scratch)
    run("npm", "ci", "--silent", "--ignore-scripts", cwd=scratch)
    package = scratch / "node_modules" / f"pyodide-{version}"
    with zipfile.ZipFile(package / "python_stdlib.zip") as archive:
        archive.extractall(scratch / "Lib")
    shutil.copytree(scratch / "Lib", to, ignore=shutil.ignore_patterns(*OF_PYODIDE))
