"""Prints the matrices of CI's jobs, as JSON: what wheels.txt lists, and where each is built.

Usage: python release/tools/plan.py [--native]
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from platforms import CPYTHONS, PLATFORMS, Line, is_specific, read_lines
from project import floor, load_toml, requires_python, tool

# The Pythons that install the abi3 wheel, besides the lowest of the project.
NEWEST_PYTHONS = [f"3.{minor}" for minor in CPYTHONS[-2:]]
# setup-python has no older one for Windows on ARM64. cibuildwheel tests on those.
OLDEST_INSTALLED = 11
LOCK = Path("release/wheel-requirements.txt")


def problems() -> Iterator[str]:
    """Why the wheels of the list cannot be built; each sentence says the way out.

    Raises:
        ValueError: The list itself is wrong, see `platforms.read_lines`.
    """
    oldest = floor()
    if oldest is None:
        yield (
            "pyproject.toml: requires-python has to begin with '>=3.', and is "
            f"{requires_python()!r} (without it, python_requires in setup.cfg does)"
        )
        return
    if oldest not in CPYTHONS:
        yield (
            f"requires-python begins at 3.{oldest}, and cibuildwheel builds for 3.{CPYTHONS[0]} to "
            f"3.{CPYTHONS[-1]}: begin it with '>=3.{CPYTHONS[0]}' or later"
        )
    text = LOCK.read_text("utf-8") if LOCK.exists() else ""
    locked = re.search(r"--python-version[ =]3\.(\d+)", text)
    if locked and CPYTHONS[0] <= oldest < int(locked[1]):
        yield (
            f"{LOCK} is locked for 3.{locked[1]} and later, but requires-python begins at "
            f"3.{oldest}: run the command at its top, with --python-version 3.{oldest}"
        )
    lines = read_lines()
    for line in lines:
        for abi in filter(is_specific, line.abis):
            if int(abi[3:]) < oldest:
                yield (
                    f"{line.where}: {abi} is older than requires-python, which begins at "
                    f"3.{oldest}: delete the one, or lower the other"
                )
        yield from problems_of_the_image(line)
        yield from problems_of_skip(line, oldest)
    mixed = [line for line in lines if "abi3" in line.abis and any(map(is_specific, line.abis))]
    if mixed and "maturin" in backend() and not abi3_features():
        yield (
            f"{mixed[0].where}: next to abi3, a wheel for one Python is built without the stable "
            "ABI. So the feature abi3-py3NN of pyo3 has to stand in `features` of [tool.maturin], "
            "and not in Cargo.toml"
        )


def problems_of_the_image(line: Line) -> Iterator[str]:
    """An image of a later glibc or musl than the wheels of a line may ask for.

    An image that is named by its address is its owner's own affair: then the gate looks.
    """
    family, _, arch = line.platform.partition("_")
    if family not in ("manylinux", "musllinux"):
        return
    table = tool("cibuildwheel")
    in_overrides = [key for override in table.get("overrides", []) for key in override]
    settings = {**table, **table.get("linux", {})}
    keys = [f"{family}-{arch}-image"]
    if any(abi.startswith("pp") for abi in line.abis) and family == "manylinux":
        keys.append(f"{family}-pypy_{arch}-image")
    for key in keys:
        default = f"{family}_{PLATFORMS[line.platform].newest.replace('.', '_')}"
        image = str(settings.get(key, default)).replace("manylinux2014", "manylinux_2_17")
        version = re.fullmatch(rf"{family}_(\d+)_(\d+)", image)
        newest = [int(number) for number in line.newest.split(".")]
        if key in in_overrides or not version or list(map(int, version.groups())) <= newest:
            continue
        wanted = f"{family}_{line.newest.replace('.', '_')}"
        wanted = wanted.replace("manylinux_2_17", "manylinux2014")
        yield (
            f"{line.where}: the wheels of {line.name} may ask for {line.newest}, but "
            f"cibuildwheel builds them in {settings.get(key, default)}: write "
            f'`{key} = "{wanted}"` into [tool.cibuildwheel.linux], or {image}_{arch} into the line'
        )


def problems_of_skip(line: Line, oldest: int) -> Iterator[str]:
    """ABIs of a line that `skip` of [tool.cibuildwheel] leaves out, in its own notation.

    Where that leaves some of the Pythons of an abi3 wheel, they build it, and test it.
    """
    patterns = tool("cibuildwheel").get("skip", [])
    patterns = patterns.split() if isinstance(patterns, str) else patterns
    for abi in line.abis:
        names = [f"cp3{minor}" for minor in CPYTHONS if minor >= oldest] if abi == "abi3" else [abi]
        skipping = [
            [each for each in patterns if skips(each, f"{name}-{line.platform}")] for name in names
        ]
        if skipping and all(skipping):
            found = dict.fromkeys(pattern for some in skipping for pattern in some)
            yield (
                f"{line.where}: `skip` of [tool.cibuildwheel] leaves out {abi} "
                f"({', '.join(found)}): delete it there, or {abi} in the line"
            )


def skips(pattern: str, identifier: str) -> bool:
    """Whether a pattern fits a build, as cibuildwheel reads it: a shell's, with {one,other}.

    CI plans before it installs anything, so cibuildwheel itself cannot be asked.
    """
    if braces := re.search(r"\{([^{}]*)\}", pattern):
        before, after = pattern[: braces.start()], pattern[braces.end() :]
        return any(skips(f"{before}{word}{after}", identifier) for word in braces[1].split(","))
    return fnmatch(identifier, pattern)


def backend() -> str:
    """`build-backend` of pyproject.toml, or setuptools, which is meant without it (PEP 517)."""
    system = load_toml(Path("pyproject.toml")).get("build-system", {})
    return str(system.get("build-backend", "setuptools.build_meta"))


def abi3_features() -> list[str]:
    """Those of maturin's features that have abi3 in their name."""
    return [feature for feature in tool("maturin").get("features", []) if "abi3" in feature]


def without_the_stable_abi() -> dict[str, str]:
    """What a build is told (PEP 517's config_settings) to build for its own Python alone."""
    if "maturin" not in backend():
        return {"--build-option": "--py-limited-api="}
    features = [name for name in tool("maturin").get("features", []) if "abi3" not in name]
    # Without any, maturin would take those of [tool.maturin]; this one is on in any case.
    return {"build-args": f"--features {','.join(features or ['pyo3/macros'])}"}


def build_matrix(lines: list[Line], oldest: int) -> list[dict[str, str | bool]]:
    """One job for each platform: where it runs, and what cibuildwheel is to build there.

    Two jobs, where a platform has the stable ABI and others: cibuildwheel takes an abi3 wheel that
    it has built for all later Pythons, so their own wheels need a run without the stable ABI.
    """
    stable = any("abi3" in line.abis for line in lines)
    alone = shlex.join(f"{key}={value}" for key, value in without_the_stable_abi().items())
    jobs: list[dict[str, str | bool]] = []
    for line in lines:
        specific = list(filter(is_specific, line.abis)) if stable else []
        others = [abi for abi in line.abis if abi not in specific]
        for abis, settings in (others, ""), (specific, alone):
            if abis:
                name = "-".join([line.platform, *(abis if settings else [])])
                jobs.append(
                    {
                        "name": name,
                        "platform": line.platform,
                        "runner": PLATFORMS[line.platform].runner,
                        "archs": PLATFORMS[line.platform].archs,
                        "build": " ".join(selectors(abis, line.platform, oldest)),
                        "settings": settings,
                        "emulated": PLATFORMS[line.platform].emulated,
                    }
                )
    return jobs


def selectors(abis: list[str], platform: str, oldest: int) -> Iterator[str]:
    """cibuildwheel's selectors for ABIs.

    All GIL Pythons are selected for abi3: the lowest one builds the wheel, and cibuildwheel tests
    that wheel on the others.
    """
    for abi in abis:
        if abi == "abi3" and oldest < 10:
            yield f"cp3?-{platform}"
        yield f"cp3??-{platform}" if abi == "abi3" else f"{abi}-{platform}"


def install_matrix(wheels: dict[str, list[str]], oldest: int) -> list[dict[str, str]]:
    """One job for each platform with a runner of its own, and each Python that takes a wheel.

    Except what setup-python does not install: free-threaded Pythons on Windows ARM64 (its issue
    1241), PyPy on ARM64, and Pythons before 3.11. There, cibuildwheel alone tests the wheels.
    """
    return [
        {
            "platform": platform,
            "runner": PLATFORMS[platform].runner,
            "architecture": PLATFORMS[platform].install_on,
            "python": python,
        }
        for platform, abis in wheels.items()
        if PLATFORMS[platform].install_on
        for python in dict.fromkeys(python for abi in abis for python in pythons(abi, oldest))
        if (platform, python[-1]) != ("win_arm64", "t")
        if PLATFORMS[platform].install_on == "x64" or not python.startswith("pypy")
    ]


def pythons(abi: str, oldest: int) -> list[str]:
    """setup-python's names of the Pythons that are to install the wheel of an ABI."""
    if abi == "abi3":
        return [f"3.{max(oldest, OLDEST_INSTALLED)}", *NEWEST_PYTHONS]
    if int(abi[3:].removesuffix("t")) < OLDEST_INSTALLED:
        return []
    return [abi.replace("cp3", "3.").replace("pp3", "pypy3.")]


def index_matrix(installs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Of those jobs, the first one of each system: they install from the index.

    None on PyPy, where not all tools of the lock can be installed.
    """
    first: dict[str, dict[str, str]] = {}
    for job in installs:
        if not job["python"].startswith("pypy"):
            first.setdefault(job["runner"].partition("-")[0], job)
    return list(first.values())


def main() -> None:
    """Print `build=`, `install=` and `index=`, each with a matrix, for a job's outputs."""
    parser = argparse.ArgumentParser("plan.py", description="Print the matrices of CI's jobs.")
    parser.add_argument(
        "--native", action="store_true", help="leave out the platforms that would be emulated"
    )
    options = parser.parse_args()
    try:
        found = list(problems())
        lines = read_lines()
    except ValueError as error:
        sys.exit(str(error))
    oldest = floor()
    if found or oldest is None:
        sys.exit("\n".join(found))
    if options.native:
        lines = [line for line in lines if not PLATFORMS[line.platform].emulated]
    installs = install_matrix({line.platform: line.abis for line in lines}, oldest)
    print(f"build={json.dumps(build_matrix(lines, oldest))}")
    print(f"install={json.dumps(installs)}")
    print(f"index={json.dumps(index_matrix(installs))}")


if __name__ == "__main__":
    main()
