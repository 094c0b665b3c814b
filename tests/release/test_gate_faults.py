"""The gate refuses a release in which one thing is wrong, and says what: a table of faults."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.faults import (
    ABI3,
    LINUX,
    add,
    damage_a_text,
    remove,
    rename,
    replace,
    sdist,
    swap_the_library,
    truncate,
)
from helpers.fixture_types import Run
from helpers.gate_runs import GATE_ALONE, Refuse
from helpers.small_wheels import entry_point, library

pytestmark = pytest.mark.builds

FREE_THREADED_TAG = "cp314-cp314t"


def litter(promised: Path) -> None:
    (promised / "dist" / "notes.txt").write_text("not for users")


def compiled(platform: str, uses: str = "") -> Callable[[], bytes]:
    return lambda: library(platform, entry_point("PyInit__native", uses))


PRIVATE = "Classifier: Private :: Do Not Upload"
FAULTS = {
    "missing": (remove(), "missing: manylinux_x86_64 abi3"),
    "missing sdist": (sdist(), "missing: sdist"),
    "renamed to another ABI": (
        rename("cp311-abi3", FREE_THREADED_TAG),
        "was renamed: the tags inside are",
    ),
    "renamed to another platform": (rename("x86_64", "aarch64"), "the tags inside are cp311-abi3"),
    "renamed to another version": (
        rename("0.1.0", "0.1.1"),
        "was renamed: inside, it is fast-doubles 0.1.0",
    ),
    "renamed to another project": (rename("fast_d", "d"), "doesn't match wheel filename"),
    "two for one ABI": (
        add(LINUX, ABI3, platform_tag="manylinux_2_28_x86_64"),
        "is for the same platform and ABI as",
    ),
    "not promised": (add("win32", ABI3), "the ABI abi3 for win32, which wheels.txt does not list"),
    "version-specific": (
        replace(tag="cp311-cp311"),
        "is the ABI cp311 for manylinux_x86_64, which wheels.txt does not list",
    ),
    "wrong floor": (replace(tag="cp312-abi3"), "begins at cp312, but Requires-Python: >=3.11"),
    "other version": (replace(version="0.1.1"), "is not of fast-doubles 0.1.0"),
    "ending of another ABI": (
        replace(module="_native.cpython-311-x86_64-linux-gnu.so"),
        "where no Python with the ABI abi3 looks",
    ),
    "ending that only 3.15 knows": (
        replace(module="_native.abi3-x86_64-linux-gnu.so"),
        "where no Python with the ABI abi3 looks",
    ),
    "library of another processor": (
        replace(code=compiled("manylinux_aarch64")),
        "was not compiled for manylinux_x86_64",
    ),
    "library of another system": (
        replace(code=compiled("macosx_x86_64")),
        "was not compiled for manylinux_x86_64",
    ),
    "no library": (replace(without="_native.abi3.so"), "holds no extension module"),
    "swapped library": (swap_the_library(), r"_native.abi3.so didn't match RECORD"),
    "truncated": (truncate("*cp314t*"), "is not a zip file"),
    "truncated sdist": (truncate("*.tar.gz"), "tar.gz: "),
    "damaged sdist": (damage_a_text(), "tar.gz: cannot be read, BadGzipFile: CRC check failed"),
    "glibc too new": (
        replace(platform_tag="manylinux_2_34_x86_64"),
        "asks for manylinux_2_34_x86_64, newer than the 2.28",
    ),
    "musl too new": (
        add("musllinux_x86_64", ABI3, platform_tag="musllinux_1_3_x86_64"),
        "asks for musllinux_1_3_x86_64, newer than the 1.2",
    ),
    "macOS too new": (
        add("macosx_arm64", ABI3, platform_tag="macosx_12_0_arm64"),
        "asks for macosx_12_0_arm64, newer than the 11.0",
    ),
    "macOS too new for Intel": (
        add("macosx_x86_64", ABI3, platform_tag="macosx_11_0_x86_64"),
        "asks for macosx_11_0_x86_64, newer than the 10.15",
    ),
    "for two platforms": (
        replace(platform_tag="manylinux_2_17_x86_64.musllinux_1_1_x86_64"),
        "is for manylinux_x86_64 and musllinux_x86_64, no platform of",
    ),
    "any Linux": (replace(platform_tag="linux_x86_64"), "is for linux_x86_64, no platform of"),
    "beyond the stable ABI": (
        replace(code=compiled(LINUX, "PyUnicode_New")),
        "it uses PyUnicode_New",
    ),
    "newer than the floor": (
        replace(code=compiled(LINUX, "PyList_GetItemRef")),
        "it uses PyList_GetItemRef",
    ),
    "no license": (replace(without="licenses/LICENSE"), "holds no license"),
    "no licenses of the crates": (
        replace(without="THIRD-PARTY"),
        "holds no THIRD-PARTY-LICENSES.txt, .*`python release/tools/licenses.py` writes it",
    ),
    "other licenses of the crates": (
        replace(licenses=b"Of another day."),
        "whl has another THIRD-PARTY-LICENSES.txt than the project",
    ),
    "no stub": (replace(without=".pyi"), r"holds no stub, \*\.pyi"),
    "no py.typed": (replace(without="py.typed"), "holds no py.typed"),
    "compiled Python": (replace(extra="fast_doubles/__pycache__/x.pyc"), r"W00\d"),
    "no description": (replace(description=""), "`long_description` missing"),
    "broken metadata": (replace(more="Requires-Dist: no such thing"), "'no such thing' is invalid"),
    "sdist without a lock": (sdist(without="Cargo.lock"), "tar.gz: holds no Cargo.lock"),
    "sdist without the lock of the tools": (
        sdist(without="release/wheel-requirements.txt"),
        "tar.gz: holds no release/wheel-requirements.txt",
    ),
    "promises types": (
        replace(without="py", more="Classifier: Typing :: Typed"),
        r"holds no stub, \*\.pyi",
    ),
    "sdist without metadata": (sdist(without="PKG-INFO"), "tar.gz: holds no PKG-INFO"),
    "sdist without a manifest": (sdist(without="Cargo.toml"), "tar.gz: holds no Cargo.toml"),
    "sdist without a build": (sdist(without="pyproject.toml"), "tar.gz: holds no pyproject.toml"),
    "sdist without sources": (sdist(without="rust/lib.rs"), "tar.gz: holds no Rust sources"),
    "sdist without license": (sdist(without="LICENSE"), "tar.gz: holds no license"),
    "sdist without the licenses of the crates": (
        sdist(without="THIRD-PARTY-LICENSES.txt"),
        "tar.gz: holds no THIRD-PARTY-LICENSES.txt, .*`license-files`",
    ),
    "sdist with other licenses of the crates": (
        sdist(licenses=b"Of another day."),
        "whl has another THIRD-PARTY-LICENSES.txt than fast_doubles-0.1.0.tar.gz",
    ),
    "private wheel": (replace(more=PRIVATE), "is never to be uploaded: .*Private :: Do Not Upload"),
    "long summary": (replace(more=f"Summary: {'x' * 513}"), "has 513 characters as summary"),
    "private sdist": (sdist(more=PRIVATE), "is never to be uploaded: .*Private :: Do Not Upload"),
    "litter": (litter, "notes.txt: cannot be read, InvalidWheelFilename: "),
}


# What the gate leaves to its tools.
FOUND_BY_TOOLS = {
    "beyond the stable ABI",
    "newer than the floor",
    "compiled Python",
    "no description",
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_refused_by_name(name: str, promised: Path, refuse: Refuse) -> None:
    fault, reason = FAULTS[name]
    fault(promised)
    assert re.search(reason, refuse(tools=name in FOUND_BY_TOOLS))


def test_without_its_tools_the_gate_passes_what_is_promised(promised: Path, run: Run) -> None:
    """So no fault above is refused for another reason than its own."""
    printed = run(sys.executable, "-c", GATE_ALONE, "dist", "--tag=v0.1.0", cwd=promised).stdout
    assert "6 files may be uploaded." in printed


def test_every_reason_is_given_at_once(promised: Path, refuse: Refuse) -> None:
    FAULTS["no stub"][0](promised)
    FAULTS["sdist without a lock"][0](promised)
    printed = refuse("--tag=v9.9.9")
    missing = "missing, or refused above: "
    for reason in ("holds no stub", "holds no Cargo.lock", "the tag is v9.9.9", missing):
        assert reason in printed


@pytest.mark.parametrize("fault", ["no stub", "swapped library", "wrong floor", "private wheel"])
def test_rehearsal_refuses_the_rest(fault: str, promised: Path, refuse: Refuse) -> None:
    FAULTS[fault][0](promised)
    assert re.search(FAULTS[fault][1], refuse("--rehearsal"))
