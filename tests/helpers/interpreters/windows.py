"""CPythons for Windows, 64 and 32 bit, which wine runs.

Genuine are python.org's DLLs and C modules, which Panda3D's wheels carry. Put together are
python.exe and python3.dll, which MinGW makes and which only hand over to the DLL, and the standard
library: this machine's own of the same version, or Pyodide's. wine is not Windows.

32-bit wine is in a container of Debian's i386: next to a 64-bit one, apt installs it only where
both architectures have the same versions of all its libraries.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pefile

from helpers.fixture_types import Run
from helpers.interpreters import copy_library, place, require, unpack, version_of
from tools.machine import pythons

MINGW = {"win_amd64": "x86_64-w64-mingw32", "win32": "i686-w64-mingw32"}
MAIN = """\
#include <wchar.h>
__declspec(dllimport) int Py_Main(int, wchar_t **);
int wmain(int argc, wchar_t **argv) { return Py_Main(argc, argv); }
"""
ENTRY = "int __stdcall DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }\n"
ENTRY_POINTS = {"win_amd64": "DllMainCRTStartup", "win32": "_DllMainCRTStartup@12"}
# wine 8 crashes in WMI as soon as `platform` asks; the rest is for tkinter and CPython's own tests.
LEFT_OUT = ("api-ms", "tcl", "tk", "_tkinter", "_test", "_wmi")


@dataclass(frozen=True)
class Container:
    """Where 32-bit wine is: an image, what podman is started with, and what it shares with us.

    environment: podman's variables; folders: those that programs in it may read and write.
    """

    image: str
    environment: dict[str, str]
    folders: tuple[Path, ...]

    def start(self, cwd: Path, variables: dict[str, str]) -> list[str]:
        """The words before a command that is to run in it."""
        return [
            *("podman", "run", "--rm", "--timeout=600", "--platform=linux/386"),
            f"--workdir={cwd}",
            *(f"--volume={folder}:{folder}" for folder in self.folders),
            *(f"--env={name}={value}" for name, value in variables.items()),
            self.image,
        ]


class WindowsPython:
    """An interpreter under wine, in a folder of its own with a prefix of wine."""

    def __init__(self, root: Path, run: Run, container: Container | None = None) -> None:
        """root: the folder of python.exe; run: runs a command; container: for 32 bit."""
        self.root = root
        self._run = run
        self._container = container
        self.environment = {
            "WINEPREFIX": str(root / "wine"),
            "WINEDEBUG": "-all",
            "LANG": "C.UTF-8",  # names of files
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def __call__(self, *words: str | Path, cwd: Path, check: bool = True, **more: str) -> str:
        """Run Python with these words; return what it prints, without a terminal's line ends."""
        # wine gives Python no standard streams where they are files.
        command = 'wine "$0" "$@" </dev/null 2>&1 | cat; exit "${PIPESTATUS[0]}"'
        python = self.root / "python.exe"
        variables = self.environment | more
        start: list[str] = []
        if self._container:
            start = self._container.start(cwd, variables)
            variables = self._container.environment
        line = ("timeout", "600", *start, "bash", "-c", command, python, *words)
        return self._run(*line, cwd=cwd, check=check, **variables).stdout

    def end(self) -> None:
        """End wine's server of this prefix; one in a container has ended with it."""
        if self._container:
            return
        environment = os.environ | self.environment
        subprocess.run(["wineserver", "-k"], env=environment, check=False)


def windows_path(path: Path) -> str:
    """A path of this machine as wine's programs see it."""
    return "Z:" + str(path).replace("/", "\\")


def put_together(
    abi: str, folder: Path, run: Run, container: Container | None = None
) -> WindowsPython:
    """Put an interpreter together, unless it is there already.

    Args:
        abi: "cp311", "cp313", "cp314" or "cp314t".
        folder: where interpreters are kept between runs.
        run: runs a command.
        container: with one, the interpreter is for 32 bit, and runs there.

    Raises:
        CannotRun: where a tool is missing.
    """
    platform = "win32" if container else "win_amd64"
    if container:
        require(f"{MINGW[platform]}-gcc", "npm", packages="gcc-mingw-w64-i686-win32 npm")
    else:
        packages = "wine wine64 gcc-mingw-w64-x86-64-win32 npm"
        require("wine", f"{MINGW[platform]}-gcc", "npm", packages=packages)
    root = place(folder, f"{abi}-{platform}")
    python = WindowsPython(root, run, container)
    if (root / "python.exe").exists():
        return started(python)
    shutil.rmtree(root, ignore_errors=True)
    scratch = root / "scratch"
    (scratch / "panda3d").mkdir(parents=True)
    libraries = unpack("panda3d", platform, abi, scratch / "panda3d", run) / "deploy_libs"
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
    core = f"python{version.replace('.', '')}{flags}"
    compile_starters(platform, core, f"python3{flags}", root, scratch, run)
    shutil.move(scratch / "python.exe", root)  # last: an interrupted run begins again
    shutil.rmtree(scratch)
    return started(python)


def started(python: WindowsPython) -> WindowsPython:
    """The interpreter, started once: at the first start, wine prints that it makes its prefix."""
    python("-c", "pass", cwd=python.root)
    return python


def compile_starters(
    platform: str, core: str, stable: str, root: Path, scratch: Path, run: Run
) -> None:
    """Compile python.exe, which calls Py_Main, and python3.dll, which forwards the stable ABI."""
    gcc, dlltool = f"{MINGW[platform]}-gcc", f"{MINGW[platform]}-dlltool"
    table = pefile.PE(root / f"{core}.dll").DIRECTORY_ENTRY_EXPORT.symbols
    names = [symbol.name.decode() for symbol in table if symbol.name]
    forwarded = [f"{name} = {core}.{name}" for name in names if name.startswith(("Py", "_Py"))]
    if platform == "win32":
        # MinGW asks for CPython's private functions with one underscore more than MSVC does.
        forwarded += [f"_{name} = {core}.{name}" for name in names if name.startswith("_Py")]
    for name, text in {
        "main.c": MAIN,
        "entry.c": ENTRY,
        "core.def": f"LIBRARY {core}.dll\nEXPORTS\nPy_Main\n",
        "stable.def": "\n".join([f"LIBRARY {stable}.dll", "EXPORTS", *forwarded, ""]),
    }.items():
        (scratch / name).write_text(text, "utf-8")
    run(dlltool, "-d", "core.def", "-l", "core.a", cwd=scratch)
    run(gcc, "-municode", "main.c", "core.a", "-o", "python.exe", cwd=scratch)
    entry = ("-shared", "-nostdlib", f"-Wl,-e,{ENTRY_POINTS[platform]}", "entry.c", "stable.def")
    run(gcc, *entry, "-o", root / f"{stable}.dll", cwd=scratch)
