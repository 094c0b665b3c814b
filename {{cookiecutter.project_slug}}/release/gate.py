"""The check before every upload: are these the files that the tag and wheels.txt promise?

Usage: python release/gate.py FOLDER [--tag vX.Y.Z] [--rehearsal]

It reads what was built, not the sources, so it fits projects of any layout. With `--rehearsal`,
platforms may be missing, and a wheel may be for this machine alone.
"""

import argparse
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from built import HERE, Built, Refused, read
from environment import call, clean, said
from plan import WHEELS, read_wheels

Set = dict[tuple[str, str], tuple[Path, Built]]  # by platform and ABI, as in wheels.txt


def read_all(folder: Path, rehearsal: bool) -> tuple[Set, list[str]]:
    """Read the files of a folder: those that are in order, and why others are not."""
    found: Set = {}
    problems = []
    for file in sorted(folder.iterdir()):
        try:
            built = read(file, rehearsal)
            if other := found.get((built.platform, built.abi)):
                raise Refused(f"is for the same platform and ABI as {other[0].name}")
            found[built.platform, built.abi] = file, built
        except Exception as error:  # whatever is wrong with it is a reason
            reasons = getattr(error, "exceptions", [error])  # packaging gives them in groups
            problems.append(f"{file.name}: {'; '.join(map(str, reasons))}")
    return found, problems


def compare(found: Set, tag: str | None, promise: set[tuple[str, str]]) -> Iterator[str]:
    """Compare the files with one another, with the tag, and with what is promised."""
    first = next((built for _, built in found.values()), None)
    for (platform, abi), (file, built) in found.items():
        if first and (built.project, built.version) != (first.project, first.version):
            yield f"{file.name} is not of {first.project} {first.version}, as others are"
        if tag and tag != f"v{built.version}":
            yield f"{file.name} has version {built.version}, the tag is {tag}"
        if platform != HERE and (platform, abi) not in promise:
            yield f"{file.name} is the ABI {abi} for {platform}, which {WHEELS.name} does not list"
        # From 3.15 on, setuptools-rust builds for one Python alone.
        version = re.fullmatch(r"cp3(\d+)", abi)
        alone = version is not None and int(version[1]) >= 15
        if platform == HERE and not alone and abi not in {listed for _, listed in promise}:
            yield f"{file.name} is the ABI {abi}, and {WHEELS.name} has no line with it"


def has_libraries(wheel: str) -> bool:
    """Whether a wheel brings libraries of its own, in a folder that ends in `.libs`."""
    with zipfile.ZipFile(wheel) as archive:
        return any(re.match(r"[^/]+\.libs/", name) for name in archive.namelist())


def complaints_of_tools(files: list[str]) -> Iterator[str]:
    """What twine, check-wheel-contents and abi3audit object to in sdists and wheels."""

    def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return call(sys.executable, "-m", tool, *arguments)

    wheels = [file for file in files if file.endswith(".whl")]
    # auditwheel and delvewheel put libraries beside the package, which W004, W009 and W010 refuse.
    repaired = [wheel for wheel in wheels if has_libraries(wheel)]
    plain = [wheel for wheel in wheels if wheel not in repaired]
    checks = [run("twine", "check", "--strict", *files)]
    for group, options in (plain, []), (repaired, ["--ignore=W004,W009,W010"]):
        if group:
            checks.append(run("check_wheel_contents", *options, *group))
    for result in checks:
        if result.returncode:
            yield said(result)
    limited = [wheel for wheel in wheels if "-abi3" in wheel]
    audit = run("abi3audit", "--report", *limited)
    try:
        reports = json.loads(audit.stdout or "{}").get("specs", {})
    except ValueError:
        yield f"abi3audit gave no report: {said(audit)}"
        return
    for wheel in limited:
        # abi3audit does not know abi3t, nor the one symbol that only abi3t has (PEP 793).
        known = ("PyModExport_",) if "-abi3.abi3t-" in wheel else ()
        if wheel not in reports:
            yield f"{Path(wheel).name}: abi3audit cannot read it: {said(audit)}"
            continue
        for found in (library["result"] for library in reports[wheel]["wheel"]):
            foreign = [name for name in found["non_abi3_symbols"] if not name.startswith(known)]
            if foreign or not found["is_abi3_baseline_compatible"]:
                newer = ", ".join(foreign + list(found["future_abi3_objects"]))
                yield f"{Path(wheel).name} is not abi3 of its floor, it uses {newer}"


def main() -> None:
    """Check a folder and print what is in it. Exits with 1 and every reason to refuse it."""
    parser = argparse.ArgumentParser("gate.py", description="Check a release before its upload.")
    parser.add_argument("folder", type=Path, help="the sdist and the wheels, nothing else")
    parser.add_argument("--tag", help="the tag of the release: v and the version")
    parser.add_argument("--rehearsal", action="store_true", help="platforms may be missing")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder: name the one that holds the files")
    clean()

    try:
        wheels = read_wheels()
    except ValueError as error:
        parser.error(str(error))

    promise = {("sdist", ""), *((platform, abi) for platform in wheels for abi in wheels[platform])}
    found, problems = read_all(options.folder, options.rehearsal)
    problems += compare(found, options.tag, promise)
    if not found:
        problems.append(f"{options.folder} holds nothing that may be uploaded")
    else:
        problems += complaints_of_tools([str(file) for file, _ in found.values()])
    for (platform, abi), (file, _) in found.items():
        print(f"  {platform:20} {abi:8} {file.name}")
    missing = sorted(promise - found.keys())
    if missing and options.rehearsal:
        platforms = ", ".join(dict.fromkeys(platform for platform, _ in missing))
        elsewhere = f"{len(missing)} of {len(promise)} files are built elsewhere"
        print(f"{elsewhere}, and not checked here: {platforms}")
    elif missing:
        problems.append(f"missing: {', '.join(' '.join(pair).strip() for pair in missing)}")
    if problems:
        sys.exit("\n".join(["Not to be uploaded:", *(f"  {problem}" for problem in problems)]))
    print(f"{len(found)} files may be uploaded.")


if __name__ == "__main__":
    main()
