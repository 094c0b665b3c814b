"""The platforms that wheels can be built for; and those of this project, which wheels.txt lists."""

import re
from dataclasses import dataclass
from pathlib import Path

WHEELS = Path(__file__).parents[1] / "wheels.txt"

# Labels of GitHub's hosted runners.
LINUX, LINUX_ARM = "ubuntu-24.04", "ubuntu-24.04-arm"
MACOS, MACOS_INTEL = "macos-15", "macos-15-intel"
WINDOWS, WINDOWS_ARM = "windows-2025", "windows-11-arm"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where a platform's wheels are built, and what they must be like.

    Attributes:
        runner: The label of the runner.
        archs: cibuildwheel's name of the architecture.
        rust_target: Rust's name of the platform.
        module: The format and the processor of a compiled module, see `archives.kind_of_module`.
        newest: The newest glibc, musl or macOS that a wheel may ask for; "" on Windows.
        install_on: setup-python's name of the architecture, to install the finished wheels on that
            runner; "" where it has no Python that takes them.
        emulated: Whether the runner needs QEMU.
        pypy: Whether cibuildwheel has a PyPy for it.
    """

    runner: str
    archs: str
    rust_target: str
    module: str
    newest: str = ""
    install_on: str = ""
    emulated: bool = False
    pypy: bool = False


PLATFORMS = {
    "manylinux_x86_64": Platform(
        runner=LINUX,
        archs="x86_64",
        rust_target="x86_64-unknown-linux-gnu",
        module="ELF64 LSB EM_X86_64",
        newest="2.28",
        install_on="x64",
        pypy=True,
    ),
    "manylinux_i686": Platform(
        runner=LINUX,
        archs="i686",
        rust_target="i686-unknown-linux-gnu",
        module="ELF32 LSB EM_386",
        newest="2.28",
        pypy=True,
    ),
    "manylinux_aarch64": Platform(
        runner=LINUX_ARM,
        archs="aarch64",
        rust_target="aarch64-unknown-linux-gnu",
        module="ELF64 LSB EM_AARCH64",
        newest="2.28",
        install_on="arm64",
        pypy=True,
    ),
    "manylinux_armv7l": Platform(
        runner=LINUX,
        archs="armv7l",
        rust_target="armv7-unknown-linux-gnueabihf",
        module="ELF32 LSB EM_ARM",
        newest="2.31",
        emulated=True,
    ),
    "manylinux_ppc64le": Platform(
        runner=LINUX,
        archs="ppc64le",
        rust_target="powerpc64le-unknown-linux-gnu",
        module="ELF64 LSB EM_PPC64",
        newest="2.28",
        emulated=True,
    ),
    "manylinux_s390x": Platform(
        runner=LINUX,
        archs="s390x",
        rust_target="s390x-unknown-linux-gnu",
        module="ELF64 MSB EM_S390",
        newest="2.28",
        emulated=True,
    ),
    "manylinux_riscv64": Platform(
        runner=LINUX,
        archs="riscv64",
        rust_target="riscv64gc-unknown-linux-gnu",
        module="ELF64 LSB EM_RISCV",
        newest="2.39",
        emulated=True,
    ),
    "musllinux_x86_64": Platform(
        runner=LINUX,
        archs="x86_64",
        rust_target="x86_64-unknown-linux-musl",
        module="ELF64 LSB EM_X86_64",
        newest="1.2",
    ),
    "musllinux_aarch64": Platform(
        runner=LINUX_ARM,
        archs="aarch64",
        rust_target="aarch64-unknown-linux-musl",
        module="ELF64 LSB EM_AARCH64",
        newest="1.2",
    ),
    "musllinux_ppc64le": Platform(
        runner=LINUX,
        archs="ppc64le",
        rust_target="powerpc64le-unknown-linux-musl",
        module="ELF64 LSB EM_PPC64",
        newest="1.2",
        emulated=True,
    ),
    "macosx_x86_64": Platform(
        runner=MACOS_INTEL,
        archs="x86_64",
        rust_target="x86_64-apple-darwin",
        module="Mach-O CPU_TYPE_X86_64",
        newest="10.15",
        install_on="x64",
        pypy=True,
    ),
    "macosx_arm64": Platform(
        runner=MACOS,
        archs="arm64",
        rust_target="aarch64-apple-darwin",
        module="Mach-O CPU_TYPE_ARM64",
        newest="11.0",
        install_on="arm64",
        pypy=True,
    ),
    "win_amd64": Platform(
        runner=WINDOWS,
        archs="AMD64",
        rust_target="x86_64-pc-windows-msvc",
        module="PE IMAGE_FILE_MACHINE_AMD64",
        install_on="x64",
        pypy=True,
    ),
    "win32": Platform(
        runner=WINDOWS,
        archs="x86",
        rust_target="i686-pc-windows-msvc",
        module="PE IMAGE_FILE_MACHINE_I386",
        install_on="x86",
    ),
    "win_arm64": Platform(
        runner=WINDOWS_ARM,
        archs="ARM64",
        rust_target="aarch64-pc-windows-msvc",
        module="PE IMAGE_FILE_MACHINE_ARM64",
        install_on="arm64",
    ),
}
# The minor versions of CPython and of PyPy that cibuildwheel builds for.
CPYTHONS, FREE_THREADED, PYPYS = range(9, 16), (14, 15), (11, 12)
# The ABIs of a line: the stable one, and those of one Python each.
ABIS = ["abi3", *(f"cp3{minor}" for minor in CPYTHONS)]
ABIS += [*(f"cp3{minor}t" for minor in FREE_THREADED), *(f"pp3{minor}" for minor in PYPYS)]


@dataclass(frozen=True)
class Line:
    """A line of wheels.txt.

    Attributes:
        where: The file and the number of the line, for a message.
        name: The platform as it is written, perhaps with a version: manylinux_2_17_x86_64.
        platform: The same without a version, as in PLATFORMS.
        newest: The newest glibc, musl or macOS that its wheels may ask for.
        abis: The ABIs.
    """

    where: str
    name: str
    platform: str
    newest: str
    abis: list[str]


def is_specific(abi: str) -> bool:
    """Whether an ABI is that of one Python with a GIL, which may have the stable one as well."""
    return re.fullmatch(r"[cp]p3\d+", abi) is not None


def read_lines(file: Path = WHEELS) -> list[Line]:
    """Read the list of platforms, in the order of the file.

    Raises:
        ValueError: The file is missing, or a line is wrong. The text names the file, the line and
            what is allowed.
    """
    if not file.exists():
        raise ValueError(f"{file.name} is missing: it belongs into {file.parent.name}/")
    try:
        texts = file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not a text in UTF-8: {error}") from error
    lines: list[Line] = []
    for number, text in enumerate(texts, start=1):
        name, *abis = text.partition("#")[0].split() or [""]
        where = f"{file.name}, line {number}"
        if not name:
            continue
        # As in tags: PEP 600, and PEP 656 for musl. manylinux2014 is another word for 2_17.
        spelled = name.replace("manylinux2014", "manylinux_2_17")
        version = re.match(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_", spelled)
        platform = spelled.replace(version[0], f"{version[1]}_") if version else spelled
        if platform not in PLATFORMS:
            raise ValueError(
                f"{where}: no platform {name!r}; there are {', '.join(PLATFORMS)}. "
                "A new one is added to PLATFORMS in platforms.py"
            )
        if any(line.platform == platform for line in lines):
            raise ValueError(f"{where}: {platform} is there twice, give it one line")
        allowed = [abi for abi in ABIS if PLATFORMS[platform].pypy or not abi.startswith("pp")]
        if not abis or len(set(abis)) < len(abis) or not set(abis) <= set(allowed):
            given = " ".join(abis) or "nothing"
            raise ValueError(
                f"{where}: {given!r} are no ABIs for {platform}; name each of "
                f"{', '.join(allowed)} once"
            )
        newest = f"{version[2]}.{version[3]}" if version else PLATFORMS[platform].newest
        lines.append(Line(where, name, platform, newest, abis))
    if not lines:
        raise ValueError(f"{file.name}: no platform is left, uncomment a line")
    return lines


def read_wheels(file: Path = WHEELS) -> dict[str, list[str]]:
    """For each platform of the list, its ABIs. Raises ValueError, see `read_lines`."""
    return {line.platform: line.abis for line in read_lines(file)}
