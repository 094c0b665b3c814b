"""What an sdist or a wheel is, read from the file alone; refused if it contradicts itself."""

import re
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from installer.sources import WheelFile
from packaging.metadata import Metadata
from packaging.tags import Tag, parse_tag, sys_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from plan import PLATFORMS, WHEELS

HERE = "this machine"  # the platform of a wheel that fits here and is not for wheels.txt


class Refused(ValueError):
    """A file must not be uploaded; the text says why."""


@dataclass(frozen=True)
class Built:
    """What a file is: its project and version; its platform and ABI, as in wheels.txt."""

    project: str
    version: Version
    platform: str = "sdist"
    abi: str = ""


def read(file: Path, rehearsal: bool) -> Built:
    """Read a file. In a rehearsal, a wheel may be for this machine alone.

    Raises:
        Refused: it must not be uploaded. Archives that are broken raise errors of their own.
    """
    return read_sdist(file) if file.name.endswith(".tar.gz") else read_wheel(file, rehearsal)


def read_sdist(file: Path) -> Built:
    """Read an sdist (PEP 625), see `read`."""
    project, version = parse_sdist_filename(file.name)
    with tarfile.open(file) as archive:
        names = [member.name for member in archive if member.isfile()]
        for name in ("PKG-INFO", "pyproject.toml", "Cargo.toml", "Cargo.lock"):
            require(name, rf"/{re.escape(name)}$", names)
        # cibuildwheel builds from the sdist, and installs the locked tools from there.
        tools = "release/wheel-requirements.txt"
        require(tools, rf"^[^/]+/{re.escape(tools)}$", names)
        require("Rust sources, *.rs", r"\.rs$", names)
        require("license", r"(?i)/(licen[cs]e|copying)", names)
        pkg_info = archive.extractfile(f"{file.name.removesuffix('.tar.gz')}/PKG-INFO")
        read_metadata(pkg_info.read().decode() if pkg_info else "", project, version)
    return Built(project, version)


def read_wheel(file: Path, rehearsal: bool) -> Built:
    """Read a wheel (PEP 427), see `read`."""
    project, version, _, tags = parse_wheel_filename(file.name)
    with zipfile.ZipFile(file) as archive:
        wheel = WheelFile(archive)
        metadata = read_metadata(wheel.read_dist_info("METADATA"), project, version)
        wheel.validate_record()
        inside = message_from_string(wheel.read_dist_info("WHEEL")).get_all("Tag") or []
        names = archive.namelist()
        modules = [name for name in names if re.search(r"^(?!.*\.libs/).*\.(so|pyd)$", name)]
        headers = {name: archive.read(name)[:8192] for name in modules}
    if {tag for text in inside for tag in parse_tag(text)} != tags:
        raise Refused(f"was renamed: the tags inside are {', '.join(inside)}")
    require("license", r"(?i)\.dist-info/(.*/)?(licen[cs]e|copying)", names)
    promised = metadata.classifiers or []
    if "Typing :: Typed" in promised or any(re.search(r"\.pyi$|/py\.typed$", n) for n in names):
        require("stub, *.pyi", r"\.pyi$", names)
        require("py.typed", r"/py\.typed$", names)
    require("extension module", "", modules)

    interpreter, abi = max((tag.interpreter, tag.abi) for tag in tags)  # of abi3.abi3t, abi3t
    lowest = re.search(r"(>=|~=|==)\s*3\.(\d+)", str(metadata.requires_python))
    if abi == "abi3" and interpreter != f"cp3{lowest and lowest[2]}":
        raise Refused(f"begins at {interpreter}, but Requires-Python: {metadata.requires_python}")
    # The names that interpreters look for: PEP 3149, for abi3t PEP 803.
    endings = {"abi3": r"abi3\.so|pyd", "abi3t": r"abi3t(-[\w-]+)?\.so|(abi3t\.)?pyd"}
    ending = endings.get(abi, rf"cpython-{abi[2:]}-[\w-]+\.so|{abi}-\w+\.pyd")
    try:
        platform = platform_of(tags)
    except Refused:
        if not rehearsal or tags.isdisjoint(sys_tags()):
            raise
        platform = HERE
    for name, header in headers.items():
        if not re.fullmatch(ending, Path(name).name.partition(".")[2]):
            raise Refused(f"holds {name}, where no Python with the ABI {abi} looks")
        if platform != HERE and not re.match(PLATFORMS[platform].header, header, re.DOTALL):
            raise Refused(f"holds {name}, which was not compiled for {platform}")
    return Built(project, version, platform, "cp315t" if abi == "abi3t" else abi)


def require(what: str, pattern: str, names: list[str]) -> None:
    """Raise Refused if the pattern is found in no name."""
    if not any(re.search(pattern, name) for name in names):
        raise Refused(f"holds no {what}")


def read_metadata(text: str, project: str, version: Version) -> Metadata:
    """Parse core metadata.

    Raises Refused if it is another project's or version's, if PyPI takes no such summary, or if it
    is private.
    """
    metadata = Metadata.from_email(text)
    if (canonicalize_name(metadata.name), metadata.version) != (project, version):
        raise Refused(f"was renamed: inside, it is {metadata.name} {metadata.version}")
    if len(metadata.summary or "") > 512:
        raise Refused(f"has {len(metadata.summary or '')} characters as summary; PyPI takes 512")
    for classifier in metadata.classifiers or []:
        if classifier.startswith("Private ::"):
            raise Refused(f"is never to be uploaded: its classifier is {classifier!r}")
    return metadata


def platform_of(tags: frozenset[Tag]) -> str:
    """The platform of wheels.txt that a wheel is for.

    Raises Refused if there is none, or if the wheel asks its users for too new a system.
    """
    platforms = set()
    for tag in {tag.platform for tag in tags}:
        # Names like manylinux2014_x86_64 stand beside the newer kind, for old installers.
        match = re.fullmatch(r"(manylinux|musllinux|macosx)(?:\d*|_(\d+)_(\d+))_(\D\w+)", tag)
        platforms.add(platform := f"{match[1]}_{match[4]}" if match else tag)
        if match and match[2] and platform in PLATFORMS:
            newest = PLATFORMS[platform].newest
            if Version(f"{match[2]}.{match[3]}") > Version(newest):
                raise Refused(f"asks for {tag}, newer than the {newest} of plan.py")
    if len(platforms) != 1 or not platforms <= set(PLATFORMS):
        raise Refused(f"is for {' and '.join(sorted(platforms))}, no platform of {WHEELS.name}")
    return platforms.pop()
