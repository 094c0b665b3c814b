"""Cross-compiled wheels for other systems than this one: `nox -s cross`.

They are not built as CI builds them: Windows by MinGW instead of MSVC, macOS and musl by zig, the
standard library from Debian's sources instead of rustup's binaries. What is proved: the code
compiles there, the wheel's tag, what the library imports and exports; and for musl and 64-bit
Windows that pip takes the wheel and that it passes the project's tests. Those for macOS and 32-bit
Windows are not run. Needed: the Debian packages of PACKAGES.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pefile
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from helpers.builds import BUILD, abi3t_arguments
from helpers.fixture_types import Render, Run
from helpers.interpreters import TOOLS, CannotRun, linux, version_of, windows
from helpers.libraries import dynamic_symbols
from tools.machine import python_of

PACKAGES = (
    "rustc-web cargo-web libstd-rust-web-dev rust-web-src "
    "gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 musl-tools wine wine64"
)
SOURCES = Path("/usr/lib/rustlib/src/rust/library")
BUILD_STD = ("-Z", "build-std=std,panic_abort")
ZIG = ("--zig",)

PLATFORMS = {
    "win_amd64": ("x86_64-pc-windows-gnu", ()),
    "win32": ("i686-pc-windows-gnu", ()),
    "macosx_11_0_arm64": ("aarch64-apple-darwin", ZIG),
    "macosx_10_12_x86_64": ("x86_64-apple-darwin", ZIG),
    "musllinux_1_2_x86_64": ("x86_64-unknown-linux-musl", (*ZIG, "--compatibility=musllinux_1_2")),
}


@pytest.fixture(scope="module")
def debian_rust() -> dict[str, str]:
    """The variables under which Debian's own cargo builds a standard library from source."""
    if not SOURCES.exists() or shutil.which("i686-w64-mingw32-gcc") is None:
        pytest.fail(f"needed: apt-get install {PACKAGES}", pytrace=False)
    return {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(BUILD / "target-cross")}


def start_up_objects(target: str, run: Run, folder: Path) -> str:
    """Two objects that 32-bit MinGW links and `build-std` leaves out; the flag that finds them."""
    for name in ("rsbegin", "rsend"):
        run(
            *("/usr/bin/rustc", f"--target={target}", "-O", "--emit=obj"),
            *("-o", folder / f"{name}.o", SOURCES / "rtstartup" / f"{name}.rs"),
            cwd=folder,
            RUSTC_BOOTSTRAP="1",
        )
    return f"-Lnative={folder}"


@pytest.fixture(scope="module")
def cross_build(
    debian_rust: dict[str, str],
    render: Render,
    run: Run,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, str], Path]:
    """Cross-compile the wheel of an ABI for a platform with maturin; the same one once."""
    wheels: dict[tuple[str, str], Path] = {}

    def cross_build(platform: str, abi: str = "abi3") -> Path:
        if (platform, abi) in wheels:
            return wheels[platform, abi]
        folder = tmp_path_factory.mktemp(f"{platform}-{abi}")
        project = render(build_backend="maturin")
        target, arguments = PLATFORMS[platform]
        variables = debian_rust | {"PATH": environment["PATH"].split(":")[0] + ":/usr/bin:/bin"}
        if platform == "win32":
            variables["RUSTFLAGS"] = start_up_objects(target, run, folder)
        elif platform.startswith("musl"):
            variables["RUSTFLAGS"] = "-Ctarget-feature=-crt-static"
        elif platform.startswith("macosx"):
            variables["CARGO_PROFILE_RELEASE_STRIP"] = "false"  # wants a tool that is not packaged
        if platform == "macosx_10_12_x86_64":
            variables["MACOSX_DEPLOYMENT_TARGET"] = "10.12"
        if abi != "abi3":
            version = f"{version_of(abi)}t"
            variables |= {"PYO3_CROSS": "1", "PYO3_CROSS_PYTHON_VERSION": version}
            arguments = (*arguments, f"--interpreter=python{version}")
        if abi == "cp315t":
            arguments = (*arguments, *abi3t_arguments(project))
        run(
            *("maturin", "build", "--release", f"--target={target}", f"--out={folder / 'out'}"),
            *(*arguments, *BUILD_STD),
            cwd=project,
            **variables,
        )
        (wheels[platform, abi],) = (folder / "out").glob("*.whl")
        return wheels[platform, abi]

    return cross_build


@pytest.mark.parametrize("platform", PLATFORMS)
def test_cross_compiled_wheel(
    platform: str, cross_build: Callable[[str], Path], run: Run, tmp_path: Path
) -> None:
    wheel = cross_build(platform)
    assert wheel.name == f"fast_doubles-0.1.0-cp311-abi3-{platform}.whl"

    printed = run("abi3audit", "--strict", "--report", wheel, cwd=tmp_path).stdout
    report = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    ((library,),) = [spec["wheel"] for spec in report["specs"].values()]
    assert library["result"]["non_abi3_symbols"] == []

    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if re.search(r"\.(so|pyd)$", name)]
        file = Path(archive.extract(name, tmp_path))
    assert file.name == ("_native.pyd" if platform.startswith("win") else "_native.abi3.so")
    if platform.startswith("win"):
        dll = pefile.PE(file)
        imports = {entry.dll.decode().lower() for entry in dll.DIRECTORY_ENTRY_IMPORT}
        assert "python3.dll" in imports
        assert not any(re.fullmatch(r"python3\d+\.dll", name) for name in imports)
        assert all(re.match(r"python3\.|kernel32|ntdll|msvcrt|api-ms-", name) for name in imports)
        exports = {symbol.name.decode() for symbol in dll.DIRECTORY_ENTRY_EXPORT.symbols}
        assert "PyInit__native" in exports
    elif platform.startswith("musl"):
        with file.open("rb") as opened:
            elf = ELFFile(opened)
            dynamic = elf.get_section_by_name(".dynamic")
            assert isinstance(dynamic, DynamicSection)
            needed = [tag.needed for tag in dynamic.iter_tags("DT_NEEDED")]  # type: ignore[attr-defined]
            symbols = dynamic_symbols(elf)
        assert needed == ["libc.so"]
        assert "PyInit__native" in symbols
    else:
        magic = {"macosx_11_0_arm64": 0x0100000C, "macosx_10_12_x86_64": 0x01000007}[platform]
        header = file.read_bytes()[:8]
        assert header[:4] == bytes.fromhex("cffaedfe")
        assert int.from_bytes(header[4:], "little") == magic
        assert b"_PyInit__native" in file.read_bytes()


MUSL = {"cp314": "cp311-abi3", "cp314t": "cp314-cp314t", "cp315t": "cp315-abi3.abi3t"}


@pytest.mark.parametrize("abi", MUSL)
def test_musl_wheel_is_chosen_by_pip_and_passes_the_tests(
    abi: str, cross_build: Callable[..., Path], render: Render, run: Run, tmp_path: Path
) -> None:
    try:
        interpreter = linux.put_together(abi, "musl", BUILD / "interpreters", run)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for built in ("abi3", "cp314t", "cp315t"):
        shutil.copy(cross_build("musllinux_1_2_x86_64", built), wheels)
    run("uv", "venv", "--seed", f"--python={interpreter}", "environment", cwd=tmp_path)
    python = python_of(tmp_path / "environment")
    locked = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
    run(*locked, f"--requirement={TOOLS}", cwd=tmp_path)
    pip = (python, "-m", "pip", "install", "--no-index", "--no-deps", f"--find-links={wheels}")
    printed = run(*pip, "fast-doubles", cwd=tmp_path).stdout
    assert f"-{MUSL[abi]}-musllinux_1_2_x86_64.whl" in printed
    tests = ("-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "--verbose", "tests")
    printed = run(python, *tests, cwd=render()).stdout
    assert re.search(r"\d\d passed", printed)
    assert ("test_import_leaves_the_gil_off PASSED" in printed) == abi.endswith("t")


def test_wheel_for_glibc_is_no_wheel_for_musl(render: Render, run: Run, tmp_path: Path) -> None:
    """It says musllinux, and the library wants glibc's names: the import fails."""
    interpreter = linux.put_together("cp314", "musl", BUILD / "interpreters", run)
    run("uv", "build", "--wheel", f"--out-dir={tmp_path}", cwd=render())
    (wheel,) = tmp_path.glob("*.whl")
    renamed = wheel.rename(re.sub(r"abi3-\w+", "abi3-musllinux_1_2_x86_64", str(wheel)))
    run("uv", "venv", "--seed", f"--python={interpreter}", "environment", cwd=tmp_path)
    python = python_of(tmp_path / "environment")
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", renamed, cwd=tmp_path)
    tests = run(python, "-c", "import fast_doubles", cwd=tmp_path, check=False)
    assert tests.returncode != 0
    assert re.search("libgcc_s|symbol not found", tests.stdout), tests.stdout


WINDOWS = {"cp311": "cp311-abi3", "cp313": "cp311-abi3", "cp314t": "cp314-cp314t"}


@pytest.fixture(params=WINDOWS)
def windows_python(request: pytest.FixtureRequest, run: Run) -> Iterator[windows.WindowsPython]:
    """A CPython for Windows, under wine."""
    try:
        python = windows.put_together(request.param, BUILD / "interpreters", run)
    except CannotRun as reason:
        pytest.fail(str(reason), pytrace=False)
    yield python
    python.end()


def test_windows_wheel_is_chosen_by_pip_and_passes_the_tests(
    windows_python: windows.WindowsPython,
    cross_build: Callable[..., Path],
    render: Render,
    run: Run,
    tmp_path: Path,
) -> None:
    project, packages, wheels = render(), tmp_path / "packages", tmp_path / "wheels"
    wheels.mkdir()
    for built in ("abi3", "cp314t"):
        shutil.copy(cross_build("win_amd64", built), wheels)
    abi = windows_python.root.name.partition("-")[0]
    locked = ("uv", "pip", "install", f"--target={packages}", "--require-hashes")
    for_windows = ("--python-platform=x86_64-pc-windows-msvc", "--only-binary=:all:")
    version = f"--python-version={version_of(abi)}"
    lock = f"--requirement={project / 'release' / 'wheel-requirements.txt'}"
    run(*locked, *for_windows, version, lock, cwd=tmp_path)
    run("uv", "pip", "install", f"--target={packages}", "pip", cwd=tmp_path)
    path = windows.windows_path(packages)
    installed = tmp_path / "installed"
    printed = windows_python(
        *("-m", "pip", "install", "--no-index", "--no-deps", "fast-doubles"),
        f"--find-links={windows.windows_path(wheels)}",
        f"--target={windows.windows_path(installed)}",
        cwd=tmp_path,
        PYTHONPATH=path,
    )
    assert f"-{WINDOWS[abi]}-win_amd64.whl" in printed
    path += ";" + windows.windows_path(installed)
    tests = ("-m", "pytest", "-p", "no:cacheprovider", "--verbose", "tests")
    left_out = ("--ignore=tests/test_properties.py",)
    printed = windows_python(*tests, *left_out, cwd=project, PYTHONPATH=path)
    assert re.search(r"\d\d passed", printed)
    assert ("test_import_leaves_the_gil_off PASSED" in printed) == abi.endswith("t")
