"""CPythons for 64-bit Windows, which wine runs.

Genuine are python.org's DLLs and C modules, which Panda3D's wheels carry. Put together are
python.exe and python3.dll, which MinGW makes and which only hand over to the DLL, and the standard
library: this machine's own of the same version, or Pyodide's. wine is not Windows.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pefile

from helpers.fixture_types import Run
from helpers.interpreters import copy_library, place, require, unpack, version_of
from tools.machine import pythons

GCC, DLLTOOL = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-dlltool"
MAIN = """\
#include <wchar.h>
__declspec(dllimport) int Py_Main(int, wchar_t **);
int wmain(int argc, wchar_t **argv) { return Py_Main(argc, argv); }
"""
ENTRY = "int DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }\n"
# wine 8 crashes in WMI as soon as `platform` asks; the rest is for tkinter and CPython's own tests.
LEFT_OUT = ("api-ms", "tcl", "tk", "_tkinter", "_test", "_wmi")


class WindowsPython:
    """An interpreter under wine, in a folder of its own with a prefix of wine."""

    def __init__(self, root: Path, run: Run) -> None:
        """root: the folder of python.exe; run: runs a command."""
        self.root = root
        self._run = run
        self.environment = {
            "WINEPREFIX": str(root / "wine"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def __call__(self, *words: str | Path, cwd: Path, check: bool = True, **more: str) -> str:
        """Run Python with these words; return what it prints, without a terminal's line ends."""
        # wine gives Python no standard streams where they are files.
        command = 'wine "$0" "$@" </dev/null 2>&1 | cat; exit "${PIPESTATUS[0]}"'
        python = self.root / "python.exe"
        line = ("timeout", "600", "bash", "-c", command, python, *words)
        return self._run(*line, cwd=cwd, check=check, **self.environment, **more).stdout

    def end(self) -> None:
        """End wine's server of this prefix."""
        environment = os.environ | self.environment
        subprocess.run(["wineserver", "-k"], env=environment, check=False)


def windows_path(path: Path) -> str:
    """A path of this machine as wine's programs see it."""
    return "Z:" + str(path).replace("/", "\\")


def put_together(abi: str, folder: Path, run: Run) -> WindowsPython:
    """Put an interpreter together, unless it is there already.

    Args:
        abi: "cp311", "cp313", "cp314" or "cp314t".
        folder: where interpreters are kept between runs.
        run: runs a command.

    Raises:
        CannotRun: where a tool is missing.
    """
    require("wine", GCC, DLLTOOL, "npm", packages="wine wine64 gcc-mingw-w64-x86-64-win32 npm")
    root = place(folder, f"{abi}-windows")
    if (root / "python.exe").exists():
        return started(root, run)
    shutil.rmtree(root, ignore_errors=True)
    scratch = root / "scratch"
    (scratch / "panda3d").mkdir(parents=True)
    libraries = unpack("panda3d", "win_amd64", abi, scratch / "panda3d", run) / "deploy_libs"
    version, flags = version_of(abi), "t" * abi.endswith("t")
    if own := pythons().get(version):
        question = "import sysconfig; print(sysconfig.get_path('stdlib'))"
        library = Path(run(own, "-c", question, cwd=root).stdout.strip())
        skipped = ("site-packages", "lib-dynload", "__pycache__", "test", "idlelib", "tkinter")
        linux = ("_sysconfig*_linux*", "sitecustomize.py", "EXTERNALLY-MANAGED", "config-*")
        ignore = shutil.ignore_patterns(*skipped, *linux)
        shutil.copytree(library, root / "Lib", ignore=ignore)
    else:
        copy_library(version, root / "Lib", scratch, run)
    (root / "DLLs").mkdir()
    for file in libraries.iterdir():
        free_threaded = re.search(r"\.cp\d+t-", file.name) is not None
        wanted = file.suffix != ".pyd" or free_threaded == bool(flags)
        if wanted and not file.name.startswith(LEFT_OUT):
            of_python = file.name.lower().startswith(("python", "vcruntime"))
            shutil.copy(file, root if of_python else root / "DLLs")
    compile_starters(f"python{version.replace('.', '')}{flags}", flags, root, scratch, run)
    shutil.move(scratch / "python.exe", root)  # last: an interrupted run begins again
    shutil.rmtree(scratch)
    return started(root, run)


def started(root: Path, run: Run) -> WindowsPython:
    """The interpreter, started once: at the first start, wine prints that it makes its prefix."""
    python = WindowsPython(root, run)
    python("-c", "pass", cwd=root)
    return python


def compile_starters(core: str, flags: str, root: Path, scratch: Path, run: Run) -> None:
    """Compile python.exe, which calls Py_Main, and python3.dll, which forwards the stable ABI."""
    table = pefile.PE(root / f"{core}.dll").DIRECTORY_ENTRY_EXPORT.symbols
    names = [symbol.name.decode() for symbol in table if symbol.name]
    forwarded = [f"{name} = {core}.{name}" for name in names if name.startswith(("Py", "_Py"))]
    stable = f"python3{flags}"
    for name, text in {
        "main.c": MAIN,
        "entry.c": ENTRY,
        "core.def": f"LIBRARY {core}.dll\nEXPORTS\nPy_Main\n",
        "stable.def": "\n".join([f"LIBRARY {stable}.dll", "EXPORTS", *forwarded, ""]),
    }.items():
        (scratch / name).write_text(text, "utf-8")
    run(DLLTOOL, "-d", "core.def", "-l", "core.a", cwd=scratch)
    run(GCC, "-municode", "main.c", "core.a", "-o", "python.exe", cwd=scratch)
    entry = ("-shared", "-nostdlib", "-e", "DllMainCRTStartup", "entry.c", "stable.def")
    run(GCC, *entry, "-o", root / f"{stable}.dll", cwd=scratch)
