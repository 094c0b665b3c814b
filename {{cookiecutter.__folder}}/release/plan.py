"""Reads wheels.txt, the list of platforms. As a program, prints CI's matrices as JSON.

Usage: python release/plan.py [--native]
"""

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

WHEELS = Path(__file__).parent / "wheels.txt"


@dataclass(frozen=True)
class Platform:
    """Where a platform's wheels are built.

    runner: label of the hosted runner; archs: cibuildwheel's name of the architecture;
    emulated: whether the runner needs QEMU; tested: the architecture of the Pythons that
    install the collected wheels on that runner, or "" where no such runner exists.
    """

    runner: str
    archs: str
    tested: str = ""
    emulated: bool = False


PLATFORMS = {
    "manylinux_x86_64": Platform("ubuntu-24.04", "x86_64", tested="x64"),
    "manylinux_i686": Platform("ubuntu-24.04", "i686"),
    "manylinux_aarch64": Platform("ubuntu-24.04-arm", "aarch64", tested="arm64"),
    "manylinux_armv7l": Platform("ubuntu-24.04", "armv7l", emulated=True),
    "manylinux_ppc64le": Platform("ubuntu-24.04", "ppc64le", emulated=True),
    "manylinux_s390x": Platform("ubuntu-24.04", "s390x", emulated=True),
    "manylinux_riscv64": Platform("ubuntu-24.04", "riscv64", emulated=True),
    "musllinux_x86_64": Platform("ubuntu-24.04", "x86_64"),
    "musllinux_aarch64": Platform("ubuntu-24.04-arm", "aarch64"),
    "macosx_x86_64": Platform("macos-15-intel", "x86_64", tested="x64"),
    "macosx_arm64": Platform("macos-15", "arm64", tested="arm64"),
    "win_amd64": Platform("windows-2025", "AMD64", tested="x64"),
    "win32": Platform("windows-2025", "x86", tested="x86"),
    "win_arm64": Platform("windows-11-arm", "ARM64", tested="arm64"),
}
# cibuildwheel's selector for an ABI. All GIL Pythons are selected for abi3: the lowest one
# builds the wheel, and cibuildwheel tests that wheel on the others.
ABIS = {"abi3": "cp3??", "cp314t": "cp314t", "cp315t": "cp315t"}


def read_wheels(file: Path = WHEELS) -> dict[str, list[str]]:
    """Read the list of platforms.

    Returns:
        For each platform, in the order of the file, its ABIs.

    Raises:
        ValueError: a line is wrong; the text names the file, the line and what is allowed.
    """
    wheels: dict[str, list[str]] = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
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
    """One job for each platform with a runner of its own, and each Python that picks a wheel."""
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
    ]


def main() -> None:
    """Print `build=` and `install=`, each with a matrix as JSON, for a job's outputs.

    With `--native`, platforms that would be emulated are left out.
    """
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    floor = re.match(r">=\s*(3\.\d+)", project["requires-python"])
    if floor is None:
        sys.exit("pyproject.toml: requires-python has to begin with '>=3.'")
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
