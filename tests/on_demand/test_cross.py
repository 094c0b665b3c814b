"""Cross-compiled wheels for other systems than this one are looked at: `nox -s cross`.

They are not built as CI builds them: Windows by MinGW instead of MSVC, macOS and musl by zig, the
standard library from Debian's sources instead of rustup's binaries. What is proved: the code
compiles there, the wheel's tag, and what the library imports and exports. test_musl.py and
test_windows.py run them.
"""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pefile
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from helpers.fixture_types import Run
from helpers.libraries import dynamic_symbols

# pyelftools' name of the processor.
MUSL = {
    "musllinux_1_2_x86_64": "x64",
    "musllinux_1_2_aarch64": "AArch64",
    "musllinux_1_2_ppc64le": "64-bit PowerPC",
}


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
            processor = elf.get_machine_arch()
        assert processor == MUSL[platform]
        assert needed == ["libc.so"]
        assert "PyInit__native" in symbols
    else:
        magic = {"macosx_11_0_arm64": 0x0100000C, "macosx_10_12_x86_64": 0x01000007}[platform]
        header = file.read_bytes()[:8]
        assert header[:4] == bytes.fromhex("cffaedfe")
        assert int.from_bytes(header[4:], "little") == magic
        assert b"_PyInit__native" in file.read_bytes()
