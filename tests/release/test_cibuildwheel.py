"""The real cibuildwheel builds a rendered project, with the project's own configuration.

It runs on stand-ins (stand_ins.py). Three things differ from CI then: the image, the selection
(the interpreters that the image has), and cibuildwheel's own tools, which are its newest instead
of its pinned ones. `nox -s wheels` adds free-threaded interpreters, see helpers/interpreters. With
`--real-images`, for a machine that reaches a registry, nothing differs.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipapp
import zipfile
from itertools import product
from pathlib import Path

import cibuildwheel
import pytest

from helpers.builds import BUILD
from helpers.fixture_types import Render, Run
from helpers.interpreters import CannotRun, linux, version_of
from helpers.sample_files import add_files
from tools import stand_ins
from tools.machine import pythons
from tools.template import BACKENDS

pytestmark = pytest.mark.builds

FREE_THREADED = ("cp314t", "cp315t")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each architecture and each backend once; all pairs for `nox -s wheels` and with `--arch`."""
    if "wheelhouse" in metafunc.fixturenames:
        option = metafunc.config.getoption
        architectures = option("arch") or ["x86_64", "i686"]
        pairs = list(product(architectures, BACKENDS))
        if not (option("arch") or option("need_images")):
            pairs = list(zip(architectures, BACKENDS, strict=True))
        metafunc.parametrize("arch, wheelhouse", pairs, indirect=["wheelhouse"], scope="module")


@pytest.fixture(scope="module")
def real_images(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("real_images"))


@pytest.fixture(scope="module")
def free_threaded(arch: str, real_images: bool, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The free-threaded ABIs that get wheels: the stand-ins have them on x86_64, on demand."""
    on_demand = bool(request.config.getoption("free_threaded"))
    return FREE_THREADED if real_images or (on_demand and arch == "x86_64") else ()


@pytest.fixture(scope="module")
def free_threaded_pythons(
    free_threaded: tuple[str, ...], real_images: bool, run: Run
) -> dict[str, str]:
    """Interpreters for the stand-ins: "3.14t" to the executable."""
    found = {}
    for abi in () if real_images else free_threaded:
        try:
            executable = linux.put_together(abi, "gnu", BUILD / "interpreters", run)
            linux.add_ssl(executable, run)  # pip asks an index before the build
        except CannotRun as reason:
            pytest.fail(str(reason), pytrace=False)
        found[f"{version_of(abi)}t"] = str(executable)
    return found


@pytest.fixture(scope="module")
def selection(
    arch: str,
    real_images: bool,
    free_threaded_pythons: dict[str, str],
    cache: Path,
    request: pytest.FixtureRequest,
) -> dict[str, str]:
    """The variables that say what cibuildwheel builds, and on which image.

    Where a registry is reached, these are the ones that CI sets, and nothing else.
    """
    if real_images:
        build = f"cp3??-manylinux_{arch} cp314t-manylinux_{arch} cp315t-manylinux_{arch}"
        return {"CIBW_BUILD": build}
    if lacks := stand_ins.missing():
        left_out = f"no images to run cibuildwheel on: this machine lacks {', '.join(lacks)}"
        if request.config.getoption("need_images"):
            pytest.fail(left_out)
        pytest.skip(left_out)  # images need root and Debian's tools; the summary says so too
    folder = BUILD / "stand-ins"
    folder.mkdir(parents=True, exist_ok=True)
    images = stand_ins.StandIns(folder, pythons() | free_threaded_pythons)
    try:
        image = images.image(arch)
    except RuntimeError as reason:
        pytest.fail(str(reason), pytrace=False)
    interpreters = images.interpreters(arch)
    environment = images.environment(arch)
    return {
        "CIBW_BUILD": " ".join(f"{name}-manylinux_{arch}" for name in interpreters),
        f"CIBW_MANYLINUX_{arch.upper()}_IMAGE": image,
        "CIBW_CACHE_PATH": str(cache),
        "CIBW_CONTAINER_ENGINE": "podman",
        "CIBW_DEPENDENCY_VERSIONS": "latest",
        "CONTAINERS_CONF": environment["CONTAINERS_CONF"],
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
    }


@pytest.fixture(scope="module")
def cache() -> Path:
    """cibuildwheel's cache, with the virtualenv that it would fetch from a code host."""
    folder = BUILD / "cibuildwheel-cache"
    resources = Path(cibuildwheel.__file__).parent / "resources" / "virtualenv.toml"
    wanted = tomllib.loads(resources.read_text("utf-8"))["default"]["version"]
    app = folder / f"virtualenv-{wanted}.pyz"
    if not app.exists():
        packages = folder / "packages"
        command = [sys.executable, "-m", "pip", "install", "--quiet", f"--target={packages}"]
        subprocess.run([*command, f"virtualenv=={wanted}"], check=True)
        zipapp.create_archive(packages, app, main="virtualenv.__main__:run_with_catch")
    return folder


@pytest.fixture(scope="module")
def wheelhouse(
    arch: str,
    request: pytest.FixtureRequest,
    selection: dict[str, str],
    render: Render,
    run: Run,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Path], str]:
    """The wheels that cibuildwheel made of the sdist, and all that it printed."""
    folder = tmp_path_factory.mktemp(f"cibuildwheel-{arch}")
    project = render(build_backend=request.param)
    # What a build needs of the project has to arrive in the container, its flags for rustc too.
    add_files(project, run, commit=False)
    if arch != "x86_64":  # there, it is compiled as users' wheels are: half of the time
        with (project / ".cargo" / "config.toml").open("a", encoding="utf-8") as file:
            file.write('\n[profile.release]\nlto = "off"\nopt-level = 1\ncodegen-units = 16\n')
    run("uv", "build", "--sdist", f"--out-dir={folder}", project, cwd=folder)
    (sdist,) = folder.glob("*.tar.gz")

    printed = run(
        *(sys.executable, "-m", "cibuildwheel", "--platform=linux", f"--archs={arch}"),
        *("--output-dir=wheelhouse", sdist),
        cwd=folder,
        **selection,
    ).stdout
    (folder / "cibuildwheel.log").write_text(printed, "utf-8")
    return sorted(folder.glob("wheelhouse/*")), printed


def test_one_abi3_wheel_is_built_repaired_and_audited(
    wheelhouse: tuple[list[Path], str], arch: str, free_threaded: tuple[str, ...]
) -> None:
    wheels, printed = wheelhouse
    assert len(wheels) == 1 + len(free_threaded)
    (wheel,) = [wheel for wheel in wheels if "-cp311-abi3-" in wheel.name]
    assert re.fullmatch(
        rf"fast_doubles-0\.1\.0-cp311-abi3-manylinux_2_\d\d_{arch}(\.manylinux\d+_{arch})?\.whl",
        wheel.name,
    )
    assert "auditwheel repair -w /tmp/cibuildwheel/repaired_wheel" in printed
    (report,) = re.findall(r'^{"specs": .*}$', printed, re.MULTILINE)
    ((library,),) = [spec["wheel"] for spec in json.loads(report)["specs"].values()]
    assert library["result"]["is_abi3"]
    assert library["result"]["baseline"] == "3.11"
    assert library["result"]["non_abi3_symbols"] == []


def test_each_free_threaded_python_gets_a_wheel_of_its_own(
    wheelhouse: tuple[list[Path], str],
    arch: str,
    free_threaded: tuple[str, ...],
    request: pytest.FixtureRequest,
) -> None:
    maturin = "maturin" in request.node.name
    tags = {"cp314t": "cp314-cp314t", "cp315t": "cp315-abi3.abi3t" if maturin else "cp315-cp315t"}
    names = [wheel.name for wheel in wheelhouse[0] if "-cp311-abi3-" not in wheel.name]
    assert len(names) == len(free_threaded)
    for abi, name in zip(free_threaded, sorted(names), strict=True):
        assert name.startswith(f"fast_doubles-0.1.0-{tags[abi]}-manylinux_2_")
        assert name.endswith(f"_{arch}.whl")


def test_wheel_is_tested_on_every_interpreter(
    wheelhouse: tuple[list[Path], str],
    selection: dict[str, str],
    free_threaded: tuple[str, ...],
    real_images: bool,
) -> None:
    _, printed = wheelhouse
    sections = re.split(r"Building (cp\d+t?)-manylinux_\w+ wheel", printed)
    built, tested = sections[1::2], sections[2::2]
    assert built[0] == selection["CIBW_BUILD"].partition("-")[0] or real_images
    assert len(built) == len(selection["CIBW_BUILD"].split()) or real_images
    assert tuple(name for name in built if name[-1] == "t") == free_threaded
    for name, section in zip(built, tested, strict=True):
        # Left out are git's tests and, with a GIL, the one that wants none; not those of the data.
        skipped = 5 if name in free_threaded else 6
        assert re.search(rf"\d+ passed, {skipped} skipped in ", section), section
        assert "tests/test_data.py .." in section
    reused = [section for name, section in zip(built, tested, strict=True) if name[-1] != "t"]
    assert all("Found previously built wheel" in section for section in reused[1:])
    assert "hypothesis" not in printed.lower()


def test_nothing_floats_in_the_build(wheelhouse: tuple[list[Path], str]) -> None:
    _, printed = wheelhouse
    assert "--require-hashes" in printed
    assert "Creating isolated environment" not in printed


def test_library_holds_no_path_of_the_building_machine(
    wheelhouse: tuple[list[Path], str],
) -> None:
    for wheel in wheelhouse[0]:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(".so")]
            library = archive.read(name)
        for path in (b"/root/", b"/project/", b"/home/", b"/tmp/"):
            assert path not in library
