"""The platforms that wheels can be built for; and those of this project, which wheels.txt lists."""

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
        module: The format and the processor of a compiled module, see `archives.kind_of_module`.
        newest: The newest glibc, musl or macOS that a wheel may ask for; "" on Windows.
        install_on: setup-python's name of the architecture, to install the finished wheels on that
            runner; "" where it has no Python that takes them.
        emulated: Whether the runner needs QEMU.
    """

    runner: str
    archs: str
    module: str
    newest: str = ""
    install_on: str = ""
    emulated: bool = False


PLATFORMS = {
    "manylinux_x86_64": Platform(
        runner=LINUX, archs="x86_64", module="ELF64 LSB EM_X86_64", newest="2.28", install_on="x64"
    ),
    "manylinux_i686": Platform(
        runner=LINUX, archs="i686", module="ELF32 LSB EM_386", newest="2.28"
    ),
    "manylinux_aarch64": Platform(
        runner=LINUX_ARM,
        archs="aarch64",
        module="ELF64 LSB EM_AARCH64",
        newest="2.28",
        install_on="arm64",
    ),
    "manylinux_armv7l": Platform(
        runner=LINUX, archs="armv7l", module="ELF32 LSB EM_ARM", newest="2.31", emulated=True
    ),
    "manylinux_ppc64le": Platform(
        runner=LINUX, archs="ppc64le", module="ELF64 LSB EM_PPC64", newest="2.28", emulated=True
    ),
    "manylinux_s390x": Platform(
        runner=LINUX, archs="s390x", module="ELF64 MSB EM_S390", newest="2.28", emulated=True
    ),
    "manylinux_riscv64": Platform(
        runner=LINUX, archs="riscv64", module="ELF64 LSB EM_RISCV", newest="2.39", emulated=True
    ),
    "musllinux_x86_64": Platform(
        runner=LINUX, archs="x86_64", module="ELF64 LSB EM_X86_64", newest="1.2"
    ),
    "musllinux_aarch64": Platform(
        runner=LINUX_ARM, archs="aarch64", module="ELF64 LSB EM_AARCH64", newest="1.2"
    ),
    "musllinux_ppc64le": Platform(
        runner=LINUX, archs="ppc64le", module="ELF64 LSB EM_PPC64", newest="1.2", emulated=True
    ),
    "macosx_x86_64": Platform(
        runner=MACOS_INTEL,
        archs="x86_64",
        module="Mach-O CPU_TYPE_X86_64",
        newest="10.15",
        install_on="x64",
    ),
    "macosx_arm64": Platform(
        runner=MACOS,
        archs="arm64",
        module="Mach-O CPU_TYPE_ARM64",
        newest="11.0",
        install_on="arm64",
    ),
    "win_amd64": Platform(
        runner=WINDOWS, archs="AMD64", module="PE IMAGE_FILE_MACHINE_AMD64", install_on="x64"
    ),
    "win32": Platform(
        runner=WINDOWS, archs="x86", module="PE IMAGE_FILE_MACHINE_I386", install_on="x86"
    ),
    "win_arm64": Platform(
        runner=WINDOWS_ARM, archs="ARM64", module="PE IMAGE_FILE_MACHINE_ARM64", install_on="arm64"
    ),
}
# cibuildwheel's selector for an ABI. All GIL Pythons are selected for abi3: the lowest one
# builds the wheel, and cibuildwheel tests that wheel on the others.
ABIS = {"abi3": "cp3??", "cp314t": "cp314t", "cp315t": "cp315t"}


def read_wheels(file: Path = WHEELS) -> dict[str, list[str]]:
    """Read the list of platforms.

    Returns:
        For each platform, in the order of the file, its ABIs.

    Raises:
        ValueError: The file is missing, or a line is wrong. The text names the file, the line and
            what is allowed.
    """
    if not file.exists():
        raise ValueError(f"{file.name} is missing: it belongs into {file.parent.name}/")
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not a text in UTF-8: {error}") from error
    wheels: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        platform, *abis = line.partition("#")[0].split() or [""]
        where = f"{file.name}, line {number}"
        if not platform:
            continue
        if platform not in PLATFORMS:
            raise ValueError(
                f"{where}: no platform {platform!r}; there are {', '.join(PLATFORMS)}. "
                "A new one is added to PLATFORMS in platforms.py"
            )
        if platform in wheels:
            raise ValueError(f"{where}: {platform} is there twice, give it one line")
        if not abis or len(set(abis)) < len(abis) or not set(abis) <= set(ABIS):
            given = " ".join(abis) or "nothing"
            raise ValueError(f"{where}: {given!r} are no ABIs; name each of {', '.join(ABIS)} once")
        wheels[platform] = abis
    if not wheels:
        raise ValueError(f"{file.name}: no platform is left, uncomment a line")
    return wheels
