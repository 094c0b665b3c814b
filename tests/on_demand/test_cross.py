"""Cross-compiled wheels for other systems than this one: `nox -s cross`.

They are not run, and they are not built as CI builds them: Windows by MinGW instead of MSVC,
macOS and musl by zig, the standard library from Debian's sources instead of rustup's binaries.
What is proved: the code compiles there, the wheel's tag, and what the library imports and exports.
Needed: the Debian packages of PACKAGES.
"""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pefile
import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.libraries import dynamic_symbols

PACKAGES = (
    "rustc-web cargo-web libstd-rust-web-dev rust-web-src "
    "gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32"
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


@pytest.mark.parametrize("platform", PLATFORMS)
def test_cross_compiled_wheel(
    platform: str,
    debian_rust: dict[str, str],
    render: Render,
    run: Run,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    target, arguments = PLATFORMS[platform]
    variables = debian_rust | {"PATH": environment["PATH"].split(":")[0] + ":/usr/bin:/bin"}
    if platform == "win32":
        variables["RUSTFLAGS"] = start_up_objects(target, run, tmp_path)
    elif platform.startswith("musl"):
        variables["RUSTFLAGS"] = "-Ctarget-feature=-crt-static"
    elif platform.startswith("macosx"):
        variables["CARGO_PROFILE_RELEASE_STRIP"] = "false"  # wants a tool that is not packaged
    if platform == "macosx_10_12_x86_64":
        variables["MACOSX_DEPLOYMENT_TARGET"] = "10.12"
    run(
        *("maturin", "build", "--release", f"--target={target}", f"--out={tmp_path / 'out'}"),
        *(*arguments, *BUILD_STD),
        cwd=render(build_backend="maturin"),
        **variables,
    )
    (wheel,) = (tmp_path / "out").glob("*.whl")
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
