"""What can be wrong with the files of a release.

Each function returns a fault: a function that changes the files in a folder, or in its subfolders.
"""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wheel.wheelfile import WheelFile

from helpers.small_wheels import entry_point, library, make_sdist, make_wheel

Fault = Callable[[Path], None]

LINUX, ABI3 = "manylinux_x86_64", "cp311-abi3"
ABI3_WHEEL = f"fast_doubles-0.1.0-{ABI3}-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"


def the_file(folder: Path, pattern: str = ABI3_WHEEL) -> Path:
    """The one file of a pattern in a folder or below it."""
    (file,) = folder.rglob(pattern)
    return file


def remove(pattern: str = ABI3_WHEEL) -> Fault:
    """A file is missing."""
    return lambda folder: the_file(folder, pattern).unlink()


def rename(old: str, new: str) -> Fault:
    """The abi3 wheel has another name."""

    def fault(folder: Path) -> None:
        file = the_file(folder)
        file.rename(file.with_name(file.name.replace(old, new)))

    return fault


def replace(
    platform: str = LINUX, tag: str = ABI3, code: Callable[[], bytes] = bytes, **wrong: Any
) -> Fault:
    """A small wheel takes the place of the abi3 wheel.

    `code` compiles its library: in the test, not where the tests are collected. The others are
    arguments of `make_wheel`.
    """

    def fault(folder: Path) -> None:
        file = the_file(folder)
        file.unlink()
        make_wheel(file.parent, platform, tag, code=code(), **wrong)

    return fault


def add(platform: str, tag: str, **wrong: Any) -> Fault:
    """One more small wheel lies next to the abi3 wheel."""

    def fault(folder: Path) -> None:
        make_wheel(the_file(folder).parent, platform, tag, **wrong)

    return fault


def sdist(**wrong: Any) -> Fault:
    """The sdist is missing or, with arguments of `make_sdist`, another one is in its place."""

    def fault(folder: Path) -> None:
        file = the_file(folder, "*.tar.gz")
        file.unlink()
        if wrong:
            make_sdist(file.parent, **wrong)

    return fault


def truncate(pattern: str = ABI3_WHEEL) -> Fault:
    """Half of a file has arrived."""

    def fault(folder: Path) -> None:
        content = the_file(folder, pattern).read_bytes()
        the_file(folder, pattern).write_bytes(content[: len(content) // 2])

    return fault


def damage_a_text() -> Fault:
    """One bit of a text in the sdist has changed; the checksum of the whole has not."""

    def fault(folder: Path) -> None:
        file = the_file(folder, "*.tar.gz")
        content = file.read_bytes()
        data = bytearray(gzip.decompress(content))
        data[data.index(b"# Fast Doubles") + 2] ^= 1
        # The last eight bytes are checksum and length of the data (RFC 1952).
        file.write_bytes(gzip.compress(data)[:-8] + content[-8:])

    return fault


def swap_the_library(recorded: bool = False) -> Fault:
    """The abi3 wheel holds another project's library; its RECORD has the hash of ours.

    Or, if it is recorded, the hash of that one: then the wheel is well made.
    """

    def fault(folder: Path) -> None:
        file = the_file(folder)
        with zipfile.ZipFile(file) as wheel:
            files = {name: wheel.read(name) for name in wheel.namelist()}
        files["fast_doubles/_native.abi3.so"] = library(LINUX, entry_point("PyInit__other"))
        with (WheelFile if recorded else zipfile.ZipFile)(file, "w") as wheel:
            for name, content in files.items():
                if not (recorded and name.endswith("/RECORD")):  # WheelFile writes it
                    wheel.writestr(name, content)

    return fault
