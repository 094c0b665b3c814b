"""The check before every upload: are these the files that the tag and wheels.txt promise?

Usage: python release/tools/gate.py FOLDER [--tag vX.Y.Z] [--rehearsal]

It reads what was built, not the sources, so it fits projects of any layout. With `--rehearsal`,
platforms may be missing, and a wheel may be for this machine alone.
"""

import argparse
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
from archives import HERE, Archive, Refused, read
from environment import call, clean, said
from licenses import NAME as LICENSES
from platforms import WHEELS, Line, is_specific, read_lines
from project import tag_of

# A file's platform and ABI, as in wheels.txt; for the sdist, "sdist" and "".
Key = tuple[str, str]
Found = dict[Key, tuple[Path, Archive]]


def read_all(folder: Path, lines: list[Line], rehearsal: bool) -> tuple[Found, list[str]]:
    """Read the files of a folder: those that are in order, and why others are not."""
    found: Found = {}
    problems = []
    for file in sorted(folder.iterdir()):
        try:
            archive = read(file, lines, rehearsal)
            if other := found.get((archive.platform, archive.abi)):
                raise Refused(f"is for the same platform and ABI as {other[0].name}")
            found[archive.platform, archive.abi] = file, archive
        except Refused as error:
            problems.append(f"{file.name}: {error}")
        except Exception as error:  # a damaged file raises whatever its reader comes across
            problems.append(f"{file.name}: cannot be read, {type(error).__name__}: {error}")
    return found, problems


def compare(found: Found, tag: str | None, promised: set[Key]) -> Iterator[str]:
    """Compare the files with one another, with the tag, and with what is promised."""
    first = next((archive for _, archive in found.values()), None)
    listed_abis = {abi for _, abi in promised}
    for (platform, abi), (file, archive) in found.items():
        if first and (archive.project, archive.version) != (first.project, first.version):
            yield f"{file.name} is not of {first.project} {first.version}, as others are"
        if tag and tag != tag_of(archive.version):
            yield f"{file.name} has version {archive.version}, the tag is {tag}"
        if platform != HERE and (platform, abi) not in promised:
            yield (
                f"{file.name} is the ABI {abi} for {platform}, which {WHEELS.name} does not list"
                f"{way_out(abi)}"
            )
        # From 3.15 on, setuptools-rust builds for one Python alone: no mistake in a rehearsal.
        version = re.fullmatch(r"cp3(\d+)", abi)
        expected = abi in listed_abis or (version is not None and int(version[1]) >= 15)
        if platform == HERE and not expected:
            yield (
                f"{file.name} is the ABI {abi}, and {WHEELS.name} has no line with it{way_out(abi)}"
            )


def way_out(abi: str) -> str:
    """What to do where a wheel has another ABI than its line, which may be a slip of the build."""
    if abi == "abi3":
        return ": list abi3, or build without the feature abi3 and without py_limited_api"
    if is_specific(abi):
        return (
            ": it is not abi3. List it, or build abi3: maturin asks for the feature abi3-py3NN of "
            "pyo3, setuptools-rust for py_limited_api"
        )
    return ""


def licenses_in(file: Path) -> bytes:
    """The license texts of the crates that an sdist or a wheel holds."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            pattern = rf"[^/]+\.dist-info/(.*/)?{LICENSES}"
            return wheel.read(next(n for n in wheel.namelist() if re.fullmatch(pattern, n)))
    with tarfile.open(file) as sdist:
        names = [name for name in sdist.getnames() if name.endswith(f"/{LICENSES}")]
        reader = sdist.extractfile(min(names, key=len))  # the one at the top
        return reader.read() if reader else b""


def other_licenses(files: list[Path]) -> Iterator[str]:
    """Files whose texts of the crates' licenses are not those of the sdist and of the project."""
    project = WHEELS.parents[1] / LICENSES
    expected = {"the project": project.read_bytes()} if project.exists() else {}
    for file in sorted(files, key=lambda file: file.suffix == ".whl"):
        held = licenses_in(file)
        expected.setdefault(file.name, held)
        for where, text in expected.items():
            if held != text:
                yield f"{file.name} has another {LICENSES} than {where}: build both of one commit"


def run_twine(files: list[str]) -> Iterator[str]:
    """What twine objects to in sdists and wheels: metadata, and a README that PyPI cannot show."""
    checked = call(sys.executable, "-m", "twine", "check", "--strict", *files)
    if checked.returncode:
        yield said(checked)


def run_check_wheel_contents(wheels: list[str]) -> Iterator[str]:
    """What check-wheel-contents objects to in wheels: files that do not belong there."""
    repaired = [wheel for wheel in wheels if has_libraries(wheel)]
    others = [wheel for wheel in wheels if wheel not in repaired]
    # auditwheel and delvewheel put libraries next to the package, which these three codes refuse.
    for group, options in (others, []), (repaired, ["--ignore=W004,W009,W010"]):
        if group:
            checked = call(sys.executable, "-m", "check_wheel_contents", *options, *group)
            if checked.returncode:
                yield said(checked)


def has_libraries(wheel: str) -> bool:
    """Whether a wheel brings libraries of its own, in a folder that ends in `.libs`."""
    with zipfile.ZipFile(wheel) as archive:
        return any(re.match(r"[^/]+\.libs/", name) for name in archive.namelist())


def run_abi3audit(wheels: list[str]) -> Iterator[str]:
    """What abi3audit objects to in abi3 wheels: symbols that are not in the stable ABI."""
    audit = call(sys.executable, "-m", "abi3audit", "--report", *wheels)
    try:
        reports = json.loads(audit.stdout or "{}").get("specs", {})
    except ValueError:
        yield f"abi3audit gave no report: {said(audit)}"
        return
    for wheel in wheels:
        name = Path(wheel).name
        if wheel not in reports:
            yield f"{name}: abi3audit cannot read it: {said(audit)}"
            continue
        # abi3audit does not know abi3t, nor the one symbol that only abi3t has (PEP 793).
        known = ("PyModExport_",) if "-abi3.abi3t-" in name else ()
        for result in (library["result"] for library in reports[wheel]["wheel"]):
            used = result["non_abi3_symbols"]
            foreign = [symbol for symbol in used if not symbol.startswith(known)]
            if foreign or not result["is_abi3_baseline_compatible"]:
                newer = ", ".join(foreign + list(result["future_abi3_objects"]))
                yield f"{name} is not abi3 of its lowest Python: it uses {newer}"


def run_tools(files: list[Path]) -> Iterator[str]:
    """What the three tools object to in sdists and wheels."""
    names = [str(file) for file in files]
    wheels = [name for name in names if name.endswith(".whl")]
    stable = [str(file) for file in files if "-abi3" in file.name]
    yield from run_twine(names)
    yield from run_check_wheel_contents(wheels)
    yield from run_abi3audit(stable)


def main() -> None:
    """Check a folder and print what is in it. Exits with 1 and every reason to refuse it."""
    parser = argparse.ArgumentParser("gate.py", description="Check a release before its upload.")
    parser.add_argument("folder", type=Path, help="the sdist and the wheels, nothing else")
    parser.add_argument("--tag", help="the tag of the release, as tag.txt has them")
    parser.add_argument("--rehearsal", action="store_true", help="platforms may be missing")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder: name the one that holds the files")
    clean()
    try:
        lines = read_lines()
    except ValueError as error:
        parser.error(str(error))

    promised = {(line.platform, abi) for line in lines for abi in line.abis}
    promised.add(("sdist", ""))
    found, problems = read_all(options.folder, lines, options.rehearsal)
    refused = bool(problems)
    problems += compare(found, options.tag, promised)
    if not found:
        problems.append(f"{options.folder} holds nothing that may be uploaded")
    else:
        problems += other_licenses([file for file, _ in found.values()])
        problems += run_tools([file for file, _ in found.values()])
    for (platform, abi), (file, _) in found.items():
        print(f"  {platform:20} {abi:8} {file.name}")
    missing = sorted(promised - found.keys())
    names = ", ".join(" ".join(key).strip() for key in missing)
    if missing and options.rehearsal:
        platforms = ", ".join(dict.fromkeys(platform for platform, _ in missing))
        elsewhere = f"{len(missing)} of {len(promised)} files are built elsewhere"
        print(f"{elsewhere}, and not checked here: {platforms}")
    elif missing and refused:
        problems.append(f"missing, or refused above: {names}")
    elif missing:
        problems.append(f"missing: {names}")
    if problems:
        sys.exit("\n".join(["Not to be uploaded:", *(f"  {problem}" for problem in problems)]))
    print(f"{len(found)} file{'s' if len(found) > 1 else ''} may be uploaded.")


if __name__ == "__main__":
    main()
