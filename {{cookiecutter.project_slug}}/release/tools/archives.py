"""What an sdist or a wheel is, read from the file alone; refused if it contradicts itself."""

import gzip
import io
import re
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pefile
from elftools.elf.elffile import ELFFile
from installer.sources import WheelFile
from licenses import NAME as LICENSES
from packaging.metadata import Metadata
from packaging.tags import Tag, parse_tag, platform_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from platforms import PLATFORMS, WHEELS, Line

OF_CRATES = (
    f"{LICENSES}, the license texts of its crates: `python release/tools/licenses.py` writes it, "
    "`license-files` in pyproject.toml has to name it, and git to track it"
)
# The platform of a wheel that was built here and runs here, but is for no line of wheels.txt:
# linux_x86_64, or a newer manylinux. It is rehearsed, and never published.
HERE = "this machine"

# What the names of extension modules end with, after the first dot: the endings that
# interpreters look for (PEP 3149; for abi3t, PEP 803). All others have the ABI in them.
MODULE_ENDINGS = {"abi3": r"(abi3\.so|pyd)", "abi3t": r"(abi3t(-[\w-]+)?\.so|(abi3t\.)?pyd)"}
MODULE_ENDING = {
    "cp": r"(cpython-{0}-[\w-]+\.so|cp{0}-\w+\.pyd)",
    "pp": r"pypy{0}-pp\d+-[\w-]+\.(so|pyd)",
}

# The first bytes of a Mach-O file for one 64-bit processor, and the processors (mach/machine.h).
MACH_O_MAGIC = struct.pack("<I", 0xFEEDFACF)
MACH_O_PROCESSORS = {0x01000007: "CPU_TYPE_X86_64", 0x0100000C: "CPU_TYPE_ARM64"}


class Refused(ValueError):
    """A file must not be uploaded; the text says why."""


@dataclass(frozen=True)
class Archive:
    """What a file is: its project and version; its platform and ABI, as in wheels.txt."""

    project: str
    version: Version
    platform: str = "sdist"
    abi: str = ""


def read(file: Path, lines: list[Line], rehearsal: bool) -> Archive:
    """Read a file. In a rehearsal, a wheel may be for this machine alone.

    Args:
        file: The sdist or the wheel.
        lines: Those of wheels.txt, which may name the newest system that a wheel asks for.
        rehearsal: Whether it is one.

    Raises:
        Refused: It must not be uploaded. Archives that are broken raise errors of their own.
    """
    if file.name.endswith(".tar.gz"):
        return read_sdist(file)
    newest = {name: platform.newest for name, platform in PLATFORMS.items()}
    newest |= {line.platform: line.newest for line in lines}
    return read_wheel(file, newest, rehearsal)


def read_sdist(file: Path) -> Archive:
    """Read an sdist (PEP 625), see `read`."""
    project, version = parse_sdist_filename(file.name)
    # tarfile would stop before the checksum at the end.
    whole = io.BytesIO(gzip.decompress(file.read_bytes()))
    with tarfile.open(fileobj=whole) as archive:
        names = [member.name for member in archive if member.isfile()]
        for name in ("PKG-INFO", "pyproject.toml", "Cargo.toml", "Cargo.lock"):
            require(name, rf"/{re.escape(name)}$", names)
        # cibuildwheel builds from the sdist, and installs the locked tools from there.
        tools = "release/wheel-requirements.txt"
        require(tools, rf"^[^/]+/{re.escape(tools)}$", names)
        require("Rust sources, *.rs", r"\.rs$", names)
        require("license", r"(?i)^[^/]+/(licen[cs]e|copying)[^/]*$", names)
        require(OF_CRATES, rf"^[^/]+/{LICENSES}$", names)
        pkg_info = archive.extractfile(f"{file.name.removesuffix('.tar.gz')}/PKG-INFO")
        read_metadata(pkg_info.read().decode() if pkg_info else "", project, version)
    return Archive(project, version)


def read_wheel(file: Path, newest: dict[str, str], rehearsal: bool) -> Archive:
    """Read a wheel (PEP 427), see `read`; `newest` has the limit of each platform."""
    project, version, _, tags = parse_wheel_filename(file.name)
    with zipfile.ZipFile(file) as archive:
        wheel = WheelFile(archive)
        metadata = read_metadata(wheel.read_dist_info("METADATA"), project, version)
        wheel.validate_record()
        inside = message_from_string(wheel.read_dist_info("WHEEL")).get_all("Tag") or []
        names = archive.namelist()
        # Not the libraries that auditwheel puts next to the package, in a folder *.libs.
        modules = [name for name in names if re.search(r"^(?!.*\.libs/).*\.(so|pyd)$", name)]
        kinds = {name: kind_of_module(archive.read(name)) for name in modules}
    if {tag for text in inside for tag in parse_tag(text)} != tags:
        raise Refused(f"was renamed: the tags inside are {', '.join(inside)}")
    require("license", r"(?i)\.dist-info/(.*/)?(licen[cs]e|copying)[^/]*$", names)
    require(OF_CRATES, rf"\.dist-info/(.*/)?{LICENSES}$", names)
    typed = "Typing :: Typed" in (metadata.classifiers or [])
    if typed or any(re.search(r"\.pyi$|/py\.typed$", name) for name in names):
        require("stub, *.pyi", r"\.pyi$", names)
        require("py.typed", r"/py\.typed$", names)
    require("extension module", "", modules)

    abi = abi_of(tags, str(metadata.requires_python))
    try:
        platform = platform_of(tags, newest)
    except Refused:
        # For another Python of this machine, perhaps, of which wheels.txt lists a wheel too.
        if not rehearsal or {tag.platform for tag in tags}.isdisjoint(platform_tags()):
            raise
        platform = HERE
    ending = MODULE_ENDINGS.get(abi) or MODULE_ENDING[abi[:2]].format(abi[2:])
    for name, kind in kinds.items():
        if not re.fullmatch(ending, Path(name).name.partition(".")[2]):
            raise Refused(f"holds {name}, where no Python with the ABI {abi} looks")
        if platform != HERE and kind != PLATFORMS[platform].module:
            raise Refused(f"holds {name}, which was not compiled for {platform}: it is {kind}")
    return Archive(project, version, platform, "cp315t" if abi == "abi3t" else abi)


def require(what: str, pattern: str, names: list[str]) -> None:
    """Raise Refused if the pattern is found in no name."""
    if not any(re.search(pattern, name) for name in names):
        raise Refused(f"holds no {what}")


def read_metadata(text: str, project: str, version: Version) -> Metadata:
    """Parse core metadata.

    Raises:
        Refused: PyPI takes no such metadata, it is another project's or version's, or private.
    """
    try:
        metadata = Metadata.from_email(text)
    except ExceptionGroup as wrong:
        reasons = "; ".join(map(str, wrong.exceptions))
        raise Refused(f"has metadata that PyPI refuses: {reasons}") from wrong
    if (canonicalize_name(metadata.name), metadata.version) != (project, version):
        raise Refused(f"was renamed: inside, it is {metadata.name} {metadata.version}")
    if len(metadata.summary or "") > 512:
        raise Refused(f"has {len(metadata.summary or '')} characters as summary; PyPI takes 512")
    for classifier in metadata.classifiers or []:
        if classifier.startswith("Private ::"):
            raise Refused(f"is never to be uploaded: its classifier is {classifier!r}")
    return metadata


def kind_of_module(module: bytes) -> str:
    """The format of a compiled module and its processor, as `platforms.PLATFORMS` has them."""
    if module.startswith(b"\x7fELF"):
        library = ELFFile(io.BytesIO(module))
        order = "LSB" if library.little_endian else "MSB"
        return f"ELF{library.elfclass} {order} {library['e_machine']}"
    if module.startswith(b"MZ"):
        machine = pefile.PE(data=module, fast_load=True).FILE_HEADER.Machine
        return f"PE {pefile.MACHINE_TYPE.get(machine, hex(machine))}"
    if module.startswith(MACH_O_MAGIC) and len(module) >= 8:
        (processor,) = struct.unpack_from("<I", module, offset=4)
        return f"Mach-O {MACH_O_PROCESSORS.get(processor, hex(processor))}"
    return f"no library: it begins with {module[:4]!r}"


def abi_of(tags: frozenset[Tag], requires_python: str) -> str:
    """The ABI of a wheel; abi3t, too, where its tags are abi3.abi3t (PEP 803).

    Raises:
        Refused: It has several, or is abi3 of another Python than the lowest that is required, or
            it is for one Python and has the ABI of another.
    """
    abis = {tag.abi for tag in tags}
    # PyPy's tags have its own version too: pp311-pypy311_pp80.
    abi = re.sub(r"^pypy(\d+)_pp\d+$", r"pp\1", " and ".join(sorted(abis)))
    abi = "abi3t" if abis == {"abi3", "abi3t"} else abi
    interpreters = " and ".join(sorted({tag.interpreter for tag in tags}))
    if abi not in ("abi3", "abi3t") and (
        abi[:2] not in MODULE_ENDING or interpreters != abi.removesuffix("t")
    ):
        raise Refused(f"is for {interpreters} and has the ABI {abi}, which do not fit together")
    if abi == "abi3":
        lowest = re.search(r"(>=|~=|==)\s*3\.(\d+)", requires_python)
        if lowest is None or interpreters != f"cp3{lowest[2]}":
            raise Refused(f"begins at {interpreters}, but Requires-Python: {requires_python}")
    return abi


def platform_of(tags: frozenset[Tag], newest: dict[str, str]) -> str:
    """The platform of wheels.txt that a wheel is for.

    Raises:
        Refused: There is none, or the wheel asks its users for too new a system.
    """
    platforms = set()
    for tag in {tag.platform for tag in tags}:
        # As manylinux_2_28_x86_64. Older names, as manylinux2014_x86_64, stand next to those.
        match = re.fullmatch(r"(manylinux|musllinux|macosx)(?:\d*|_(\d+)_(\d+))_(\D\w+)", tag)
        platforms.add(platform := f"{match[1]}_{match[4]}" if match else tag)
        asked = Version(f"{match[2]}.{match[3]}") if match and match[2] else Version("0")
        if platform in PLATFORMS and asked > Version(newest[platform] or "0"):
            raise Refused(
                f"asks for {tag}, newer than the {newest[platform]} that its line of "
                f"{WHEELS.name} or platforms.py allows"
            )
    if len(platforms) != 1 or not platforms <= set(PLATFORMS):
        raise Refused(f"is for {' and '.join(sorted(platforms))}, no platform of {WHEELS.name}")
    return platforms.pop()
