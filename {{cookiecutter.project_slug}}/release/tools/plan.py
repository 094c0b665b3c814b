"""Prints the matrices of CI's jobs, as JSON: what wheels.txt lists, and where each is built.

Usage: python release/tools/plan.py [--native]
"""

import argparse
import configparser
import json
import re
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from platforms import ABIS, PLATFORMS, read_wheels

# The Pythons that take a wheel of an ABI, besides the lowest of the project.
NEWEST_PYTHONS = {"abi3": ["3.14", "3.15"], "cp314t": ["3.14t"], "cp315t": ["3.15t"]}


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
    """One job for each platform with a runner of its own, and each Python that takes a wheel.

    But for free-threaded Pythons on Windows ARM64, which setup-python fails to install
    (its issue 1241): there, cibuildwheel alone tests the wheels.
    """
    pythons = {**NEWEST_PYTHONS, "abi3": [floor, *NEWEST_PYTHONS["abi3"]]}
    return [
        {
            "platform": platform,
            "runner": PLATFORMS[platform].runner,
            "architecture": PLATFORMS[platform].install_on,
            "python": python,
        }
        for platform, abis in wheels.items()
        if PLATFORMS[platform].install_on
        for python in dict.fromkeys(python for abi in abis for python in pythons[abi])
        if (platform, python[-1]) != ("win_arm64", "t")
    ]


def index_matrix(installs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Of those jobs, the first one of each system: they install from the index."""
    first: dict[str, dict[str, str]] = {}
    for job in installs:
        first.setdefault(job["runner"].partition("-")[0], job)
    return list(first.values())


def requires_python() -> str:
    """`requires-python` of pyproject.toml, else `python_requires` of setup.cfg, else ""."""
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
    """Print `build=`, `install=` and `index=`, each with a matrix, for a job's outputs."""
    parser = argparse.ArgumentParser("plan.py", description="Print the matrices of CI's jobs.")
    parser.add_argument(
        "--native", action="store_true", help="leave out the platforms that would be emulated"
    )
    options = parser.parse_args()
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
    if options.native:
        wheels = {name: abis for name, abis in wheels.items() if not PLATFORMS[name].emulated}
    installs = install_matrix(wheels, floor[1])
    print(f"build={json.dumps(build_matrix(wheels))}")
    print(f"install={json.dumps(installs)}")
    print(f"index={json.dumps(index_matrix(installs))}")


if __name__ == "__main__":
    main()
