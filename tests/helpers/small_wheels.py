"""Small wheels and sdists of any platform, real in all that a gate reads: name, metadata, library.

The libraries come from zig's C compiler, which the lock holds for every system. They export what
Python looks for and do nothing.
"""

import io
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from wheel.wheelfile import WheelFile

# Zig's name of each platform, and the platform tag that its wheels have.
PLATFORMS = {
    "manylinux_x86_64": ("x86_64-linux-gnu", "manylinux2014_x86_64.manylinux_2_17_x86_64"),
    "manylinux_i686": ("x86-linux-gnu", "manylinux2014_i686.manylinux_2_17_i686"),
    "manylinux_aarch64": ("aarch64-linux-gnu", "manylinux_2_28_aarch64"),
    "manylinux_armv7l": ("arm-linux-gnueabihf", "manylinux_2_31_armv7l"),
    "manylinux_ppc64le": ("powerpc64le-linux-gnu", "manylinux_2_28_ppc64le"),
    "manylinux_s390x": ("s390x-linux-gnu", "manylinux_2_28_s390x"),
    "manylinux_riscv64": ("riscv64-linux-gnu", "manylinux_2_39_riscv64"),
    "musllinux_x86_64": ("x86_64-linux-musl", "musllinux_1_2_x86_64"),
    "musllinux_aarch64": ("aarch64-linux-musl", "musllinux_1_2_aarch64"),
    "musllinux_ppc64le": ("powerpc64le-linux-musl", "musllinux_1_2_ppc64le"),
    "macosx_x86_64": ("x86_64-macos", "macosx_10_12_x86_64"),
    "macosx_arm64": ("aarch64-macos", "macosx_11_0_arm64"),
    "win_amd64": ("x86_64-windows-gnu", "win_amd64"),
    "win32": ("x86-windows-gnu", "win32"),
    "win_arm64": ("aarch64-windows-gnu", "win_arm64"),
}
METADATA = """\
Metadata-Version: 2.4
Name: fast-doubles
Version: {version}
Summary: Count doubled characters in text, fast.
Requires-Python: >=3.11
License-Expression: MIT
License-File: LICENSE
License-File: THIRD-PARTY-LICENSES.txt
Description-Content-Type: text/markdown
"""


LICENSES = "THIRD-PARTY-LICENSES.txt"


def licenses_of_crates() -> bytes:
    """The license texts that every rendering holds."""
    template = Path(__file__).resolve().parents[2]
    return (template / "{{cookiecutter.project_slug}}" / LICENSES).read_bytes()


def metadata(version: str, more: str, description: str) -> bytes:
    """Core metadata, with one field more, or in place of the one of that name."""
    fields = METADATA.format(version=version)
    if more:
        fields = re.sub(rf"(?m)^{more.partition(':')[0]}: .*\n", "", fields) + f"{more}\n"
    return (f"{fields}\n{description}\n" if description else fields).encode()


@cache
def library(platform: str, code: str) -> bytes:
    """A shared library for a platform, compiled from C without any other library."""
    target, _ = PLATFORMS[platform]
    # Without a C library, Windows has nothing to start the DLL with, and imports nothing at all.
    options = ["-Wl,--no-entry"] if "windows" in target else ["-Wl,-undefined,dynamic_lookup"]
    if "linux" in target:
        options = []
    command = [sys.executable, "-m", "ziglang", "cc", f"--target={target}", "-shared", "-nostdlib"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "library")
        subprocess.run(
            [*command, *options, "-O1", "-s", "-x", "c", "-", f"-o{file}"],
            input=code.encode(),
            check=True,
        )
        return file.read_bytes()


def entry_point(name: str, uses: str = "") -> str:
    """C code of a module that exports one function, and may call another."""
    call = f"{uses}();" if uses else ""
    declared = f"void {uses}(void);" if uses else ""
    export = "#ifdef _WIN32\n__declspec(dllexport)\n#endif\n"
    return f"{declared}\n{export}void *{name}(void) {{ {call} return 0; }}\n"


def ending(platform: str, abi: str) -> str:
    """How the file of an extension module ends on a platform, for an ABI tag."""
    windows = platform.startswith("win")
    if abi.startswith("pypy"):  # the tag pypy311_pp80
        system = platform if windows else ending(platform, "cp311").removesuffix(".so")[12:]
        return f"{abi.replace('_', '-')}-{system}.{'pyd' if windows else 'so'}"
    if abi in ("abi3", "abi3.abi3t"):
        return "pyd" if windows else f"{abi.rpartition('.')[2]}.so"
    if windows:
        return f"{abi}-{platform}.pyd"
    if platform.startswith("macosx"):
        return f"cpython-{abi[2:]}-darwin.so"
    family, _, machine = platform.partition("_")
    return f"cpython-{abi[2:]}-{machine}-linux-{'musl' if family == 'musllinux' else 'gnu'}.so"


def make_wheel(
    folder: Path,
    platform: str,
    tag: str,
    *,
    version: str = "0.1.0",
    platform_tag: str = "",
    inside: str = "",
    module: str = "",
    code: bytes = b"",
    more: str = "",
    description: str = "# Fast Doubles",
    requires: str = ">=3.11",
    without: str = "",
    extra: str = "",
    licenses: bytes = b"",
) -> Path:
    """Write the wheel of a platform and a tag such as `cp311-abi3`; return its file.

    The rest makes it a wrong one: another platform tag, other tags inside, another name or other
    content of the module, more metadata, no description, a file left out or added, other license
    texts of the crates.
    """
    abi = tag.partition("-")[2]
    platform_tag = platform_tag or PLATFORMS[platform][1]
    symbol = "PyModExport__native" if "abi3t" in abi else "PyInit__native"
    info = f"fast_doubles-{version}.dist-info"
    tags = inside or "".join(
        f"Tag: {tag.partition('-')[0]}-{one}-{system}\n"
        for one in abi.split(".")
        for system in platform_tag.split(".")
    )
    files = {
        "fast_doubles/__init__.py": b"",
        "fast_doubles/_native.pyi": b"",
        "fast_doubles/py.typed": b"",
        f"fast_doubles/{module or f'_native.{ending(platform, abi)}'}": code
        or library(platform, entry_point(symbol)),
        f"{info}/licenses/LICENSE": b"MIT",
        f"{info}/licenses/{LICENSES}": licenses or licenses_of_crates(),
        f"{info}/METADATA": metadata(version, more, description).replace(
            b">=3.11", requires.encode()
        ),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n{tags}".encode(),
        **({extra: b"extra"} if extra else {}),
    }
    file = folder / f"fast_doubles-{version}-{tag}-{platform_tag}.whl"
    with WheelFile(file, "w") as wheel:
        for name, content in files.items():
            if not without or without not in name:
                wheel.writestr(name, content)
    return file


def make_sdist(
    folder: Path,
    *,
    version: str = "0.1.0",
    without: str = "",
    more: str = "",
    licenses: bytes = b"",
) -> Path:
    """Write an sdist, perhaps with a file left out or other license texts; return it."""
    top = f"fast_doubles-{version}"
    file = folder / f"{top}.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        sources = ("pyproject.toml", "Cargo.toml", "Cargo.lock", "rust/lib.rs", "LICENSE")
        for name in (*sources, "release/wheel-requirements.txt"):
            if name != without:
                archive.addfile(tarfile.TarInfo(f"{top}/{name}"), io.BytesIO())
        for name, content in {
            LICENSES: licenses or licenses_of_crates(),
            "PKG-INFO": metadata(version, more, "# Fast Doubles"),
        }.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            if name != without:
                archive.addfile(member, io.BytesIO(content))
    return file


def make_tinylib(folder: Path) -> Path:
    """Write the wheel of another package, tinylib 1.0, in pure Python; return its file."""
    file = folder / "tinylib-1.0-py3-none-any.whl"
    with WheelFile(file, "w") as wheel:
        wheel.writestr("tinylib.py", "")
        info = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("tinylib-1.0.dist-info/WHEEL", info)
        name = "Metadata-Version: 2.1\nName: tinylib\nVersion: 1.0\n"
        wheel.writestr("tinylib-1.0.dist-info/METADATA", name)
    return file


def tag(abi: str) -> str:
    """The tag of an ABI of wheels.txt, with the floor 3.11 and maturin."""
    if abi in ("abi3", "cp315t"):
        return "cp311-abi3" if abi == "abi3" else "cp315-abi3.abi3t"
    return f"{abi.removesuffix('t')}-{f'pypy{abi[2:]}_pp80' if abi.startswith('pp') else abi}"


def make_set(folder: Path, wheels: dict[str, list[str]]) -> list[Path]:
    """Write an sdist and the wheels of a list of platforms."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_sdist(folder),
        *(make_wheel(folder, name, tag(abi)) for name, abis in wheels.items() for abi in abis),
    ]


def main(sdist: Path) -> None:
    """Stand in for cibuildwheel: make in wheelhouse/ what CIBW_BUILD selects.

    For this machine, the abi3 wheel and the one of this Python are built from the sdist, by pip and
    the project's own backend, as CIBW_CONFIG_SETTINGS says; the others are small ones of the same
    version.
    """
    wheelhouse = Path("wheelhouse").resolve()
    wheelhouse.mkdir()
    version = sdist.name.removesuffix(".tar.gz").partition("-")[2]
    settings = os.environ.get("CIBW_CONFIG_SETTINGS", "")
    for selector in os.environ["CIBW_BUILD"].split():
        prefix, _, platform = selector.partition("-")
        abi = "abi3" if prefix == "cp3??" else prefix
        if abi.startswith("pp"):
            assert os.environ["CIBW_ENABLE"] == "pypy"
        here = ("abi3", f"cp3{sys.version_info.minor}")
        if abi not in here or platform != "manylinux_x86_64":
            make_wheel(wheelhouse, platform, tag(abi), version=version)
            continue
        pip = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--isolated",
            "--no-deps",
            "--no-build-isolation",
            *(f"--config-settings={setting}" for setting in shlex.split(settings)),
        ]
        subprocess.run([*pip, f"--wheel-dir={wheelhouse}", str(sdist)], check=True)
        (wheel,) = wheelhouse.glob("*-linux_x86_64.whl")
        tags = [sys.executable, "-m", "wheel", "tags", "--remove"]
        platform_tag = f"--platform-tag={PLATFORMS[platform][1]}"
        subprocess.run([*tags, platform_tag, str(wheel)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
