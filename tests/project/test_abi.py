"""Which ABI each interpreter gets, from both backends: cross-compiled, or simulated."""

import io
import json
import sys
import sysconfig
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest
import setuptools
import setuptools.command.bdist_wheel  # imported here, while Python is the real one
from elftools.elf.elffile import ELFFile

from helpers.builds import BUILD, UNOPTIMISED, abi3t_arguments
from helpers.fixture_types import CrossWheel, Render, Run
from helpers.libraries import dynamic_symbols
from tools.template import FLOORS

pytestmark = pytest.mark.builds

TARGET = "x86_64-unknown-linux-gnu"
LINUX_X86_64 = pytest.mark.skipif(
    sysconfig.get_platform() != "linux-x86_64",
    reason="cross-compiles from Linux x86-64 to itself, which needs no other linker",
)


def library_in(wheel: Path) -> tuple[str, set[str]]:
    """The extension module of a wheel: its file name, and the symbols that it exports."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]
        elf = ELFFile(io.BytesIO(archive.read(name)))
        symbols = dynamic_symbols(elf, defined=True)
    return Path(name).name, symbols & {"PyInit__native", "PyModExport__native"}


@LINUX_X86_64
def test_maturin_builds_abi3t_for_free_threaded_315(
    cross_wheel: CrossWheel, render: Render, run: Run, tmp_path: Path
) -> None:
    wheel = cross_wheel("3.15t", *abi3t_arguments(render(build_backend="maturin")))
    assert wheel.name == "fast_doubles-0.1.0-cp315-abi3.abi3t-linux_x86_64.whl"
    name, symbols = library_in(wheel)
    assert name.startswith("_native.abi3t")
    assert symbols == {"PyModExport__native"}

    # abi3audit does not know the new kind of entry point; it must object to nothing else.
    printed = run("abi3audit", "--strict", "--report", wheel, cwd=tmp_path, check=False).stdout
    report = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    ((library,),) = [spec["wheel"] for spec in report["specs"].values()]
    assert library["result"]["non_abi3_symbols"] == ["PyModExport__native"]
    assert library["result"]["is_abi3_baseline_compatible"]


@LINUX_X86_64
@pytest.mark.parametrize(
    ("python", "tag", "library"),
    [
        ("3.14t", "cp314-cp314t", "_native.cpython-314t-x86_64-linux-gnu.so"),
        # Not abi3t: older Pythons would not get this wheel.
        ("3.15", "cp311-abi3", "_native.abi3.so"),
    ],
)
def test_maturin_without_the_override(
    cross_wheel: CrossWheel, python: str, tag: str, library: str
) -> None:
    wheel = cross_wheel(python)
    assert wheel.name == f"fast_doubles-0.1.0-{tag}-linux_x86_64.whl"
    assert library_in(wheel) == (library, {"PyInit__native"})


@LINUX_X86_64
@pytest.mark.parametrize(
    ("python", "entry_points"),
    [("3.14t", {"PyInit__native"}), ("3.15t", {"PyInit__native", "PyModExport__native"})],
)
def test_sources_of_setuptools_rust_compile_for_one_free_threaded_version(
    render: Render, run: Run, python: str, entry_points: set[str]
) -> None:
    target = BUILD / "target-abi"
    run(
        *("cargo", "rustc", "--lib", "--release", "--locked", "--crate-type=cdylib"),
        f"--target={TARGET}",
        cwd=render(build_backend="setuptools-rust"),
        **UNOPTIMISED,
        CARGO_TARGET_DIR=str(target),
        PYO3_CROSS="1",
        PYO3_CROSS_PYTHON_VERSION=python,
        PYO3_BUILD_EXTENSION_MODULE="1",
    )
    with (target / TARGET / "release" / "lib_fast_doubles_native.so").open("rb") as library:
        symbols = dynamic_symbols(ELFFile(library))
        assert symbols & {"PyInit__native", "PyModExport__native"} == entry_points


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize(
    ("version", "free_threaded"),
    [
        ((3, 11), False),
        ((3, 12), False),
        ((3, 13), False),
        ((3, 14), False),
        ((3, 14), True),
        ((3, 15), False),
        ((3, 15), True),
        ((3, 16), False),
    ],
)
def test_setup_asks_for_abi3_only_where_it_can_be_had(
    render: Render,
    monkeypatch: pytest.MonkeyPatch,
    floor: str,
    version: tuple[int, int],
    free_threaded: bool,
) -> None:
    project = render(build_backend="setuptools-rust", python_floor=floor)
    asked: dict[str, Any] = {}
    original = sysconfig.get_config_var
    monkeypatch.chdir(project)
    monkeypatch.setattr(setuptools, "setup", lambda **options: asked.update(options))
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    monkeypatch.setattr(
        sysconfig,
        "get_config_var",
        lambda name: int(free_threaded) if name == "Py_GIL_DISABLED" else original(name),
    )
    setup = types.ModuleType("setup")
    exec((project / "setup.py").read_text("utf-8"), setup.__dict__)
    wheel = asked["options"].get("bdist_wheel", {})
    expected = {} if free_threaded or version >= (3, 15) else {"py_limited_api": f"cp3{floor[2:]}"}
    assert wheel == expected


@pytest.mark.parametrize("requires", ["==3.12.*", "<4", "~=3.11"])
def test_setup_refuses_a_floor_that_it_cannot_read(
    render: Render, run: Run, tmp_path: Path, requires: str
) -> None:
    project = render(build_backend="setuptools-rust")
    manifest = (project / "pyproject.toml").read_text("utf-8")
    (tmp_path / "pyproject.toml").write_text(
        manifest.replace('requires-python = ">=3.11"', f'requires-python = "{requires}"')
    )
    (tmp_path / "setup.py").write_bytes((project / "setup.py").read_bytes())
    result = run(sys.executable, "-c", "import setup", cwd=tmp_path, check=False)
    assert result.returncode != 0
    assert f"requires-python is {requires!r}: begin it with '>=3.'" in result.stdout
    assert "Traceback" not in result.stdout
