"""Reads wheels.txt, the list of platforms. As a program, prints CI's matrices as JSON.

Usage: python release/plan.py [--native]
"""

import configparser
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

WHEELS = Path(__file__).parent / "wheels.txt"


@dataclass(frozen=True)
class Platform:
    """Where a platform's wheels are built, and what they must be like.

    runner: label of the hosted runner; archs: cibuildwheel's name of the architecture;
    newest: the glibc, musl or macOS that a wheel may ask for at most; header: how a library for
    it begins (a pattern: format, word size, processor); tested: the architecture of the Pythons
    that install the collected wheels on that runner, or "" where no such runner exists;
    emulated: whether the runner needs QEMU.
    """

    runner: str
    archs: str
    newest: str
    header: bytes
    tested: str = ""
    emulated: bool = False


def elf(bits: int, machine: int, order: Literal["little", "big"] = "little") -> bytes:
    """How an ELF library begins: its word size and, 13 bytes on, the processor (e_machine)."""
    return rb"\x7fELF" + bytes([bits // 32]) + b".{13}" + re.escape(machine.to_bytes(2, order))


LINUX, ARM, EMULATED = "ubuntu-24.04", "ubuntu-24.04-arm", True
PLATFORMS = {
    "manylinux_x86_64": Platform(LINUX, "x86_64", "2.28", elf(64, 62), "x64"),
    "manylinux_i686": Platform(LINUX, "i686", "2.28", elf(32, 3)),
    "manylinux_aarch64": Platform(ARM, "aarch64", "2.28", elf(64, 183), "arm64"),
    "manylinux_armv7l": Platform(LINUX, "armv7l", "2.31", elf(32, 40), "", EMULATED),
    "manylinux_ppc64le": Platform(LINUX, "ppc64le", "2.28", elf(64, 21), "", EMULATED),
    "manylinux_s390x": Platform(LINUX, "s390x", "2.28", elf(64, 22, "big"), "", EMULATED),
    "manylinux_riscv64": Platform(LINUX, "riscv64", "2.39", elf(64, 243), "", EMULATED),
    "musllinux_x86_64": Platform(LINUX, "x86_64", "1.2", elf(64, 62)),
    "musllinux_aarch64": Platform(ARM, "aarch64", "1.2", elf(64, 183)),
    "macosx_x86_64": Platform("macos-15-intel", "x86_64", "10.15", rb"\xcf\xfa\xed\xfe\x07", "x64"),
    "macosx_arm64": Platform("macos-15", "arm64", "11.0", rb"\xcf\xfa\xed\xfe\x0c", "arm64"),
    "win_amd64": Platform("windows-2025", "AMD64", "", rb"MZ.*?PE\0\0\x64\x86", "x64"),
    "win32": Platform("windows-2025", "x86", "", rb"MZ.*?PE\0\0\x4c\x01", "x86"),
    "win_arm64": Platform("windows-11-arm", "ARM64", "", rb"MZ.*?PE\0\0\x64\xaa", "arm64"),
}
# cibuildwheel's selector for an ABI. All GIL Pythons are selected for abi3: the lowest one
# builds the wheel, and cibuildwheel tests that wheel on the others.
ABIS = {"abi3": "cp3??", "cp314t": "cp314t", "cp315t": "cp315t"}


def read_wheels(file: Path = WHEELS) -> dict[str, list[str]]:
    """Read the list of platforms.

    Returns:
        For each platform, in the order of the file, its ABIs.

    Raises:
        ValueError: the file is missing, or a line is wrong; the text names the file, the line
            and what is allowed.
    """
    if not file.exists():
        raise ValueError(f"{file.name} is missing: it belongs into {file.parent.name}/")
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is no text in UTF-8: {error}") from error
    wheels: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        platform, *abis = line.partition("#")[0].split() or [""]
        where = f"{file.name}, line {number}"
        if not platform:
            continue
        if platform not in PLATFORMS:
            raise ValueError(f"{where}: no platform {platform!r}; there are {', '.join(PLATFORMS)}")
        if platform in wheels:
            raise ValueError(f"{where}: {platform} stands twice, give it one line")
        if not abis or len(set(abis)) < len(abis) or not set(abis) <= set(ABIS):
            given = " ".join(abis) or "nothing"
            raise ValueError(f"{where}: {given!r} are no ABIs; name each of {', '.join(ABIS)} once")
        wheels[platform] = abis
    if not wheels:
        raise ValueError(f"{file.name}: no platform is left, uncomment a line")
    return wheels


def build_matrix(wheels: dict[str, list[str]]) -> list[dict[str, str | bool]]:
    """One job for each platform: where it runs, and what cibuildwheel is to build there."""
    return [
        {
            "platform": platform,
            "runner": PLATFORMS[platform].runner,
            "archs": PLATFORMS[platform].archs,
            "build": " ".join(f"{ABIS[abi]}-{platform}" for abi in abis),
            "emulated": PLATFORMS[platform].emulated,
        }
        for platform, abis in wheels.items()
    ]


def install_matrix(wheels: dict[str, list[str]], floor: str) -> list[dict[str, str]]:
    """One job for each platform with a runner of its own, and each Python that picks a wheel.

    But for free-threaded Pythons on Windows ARM64, which setup-python fails to install
    (its issue 1241): there, cibuildwheel alone tests the wheels.
    """
    pythons = {"abi3": [floor, "3.14", "3.15"], "cp314t": ["3.14t"], "cp315t": ["3.15t"]}
    return [
        {
            "platform": platform,
            "runner": PLATFORMS[platform].runner,
            "architecture": PLATFORMS[platform].tested,
            "python": python,
        }
        for platform, abis in wheels.items()
        if PLATFORMS[platform].tested
        for python in dict.fromkeys(python for abi in abis for python in pythons[abi])
        if (platform, python[-1]) != ("win_arm64", "t")
    ]


def requires_python() -> str:
    """`requires-python` of pyproject.toml; where it is not there, the like of setup.cfg; or ""."""
    setup = configparser.RawConfigParser()
    try:
        setup.read("setup.cfg", "utf-8")
    except (configparser.Error, ValueError) as error:
        sys.exit(f"setup.cfg cannot be read: {error}")
    older = setup.get("options", "python_requires", fallback="")
    file = Path("pyproject.toml")
    if not file.exists():
        sys.exit(f"{file} is missing: start this in the project's folder")
    try:
        project = tomllib.loads(file.read_text("utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        sys.exit(f"{file}: {error}")
    return str(project.get("requires-python", older))


def main() -> None:
    """Print `build=` and `install=`, each with a matrix as JSON, for a job's outputs.

    With `--native`, platforms that would be emulated are left out.
    """
    floor = re.match(r">=\s*(3\.\d+)", requires_python())
    if floor is None:
        sys.exit(
            "pyproject.toml: requires-python has to begin with '>=3.', and is "
            f"{requires_python()!r} (without it, python_requires in setup.cfg does)"
        )
    try:
        wheels = read_wheels()
    except ValueError as error:
        sys.exit(str(error))
    if "--native" in sys.argv[1:]:
        wheels = {name: abis for name, abis in wheels.items() if not PLATFORMS[name].emulated}
    print(f"build={json.dumps(build_matrix(wheels))}")
    print(f"install={json.dumps(install_matrix(wheels, floor[1]))}")


if __name__ == "__main__":
    main()
