"""The wheels on CPython 3.14 and 3.15, from the next release of Debian: `nox -s newest`.

pip chooses from all wheels of a release. On 3.15 that is the abi3t wheel, if there is one, which
was cross-compiled: there is no free-threaded Python here, and this one has a GIL.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD, abi3t_arguments
from helpers.fixture_types import Render, Run
from tools import stand_ins
from tools.machine import oldest_python, pythons
from tools.template import PYTHONS


@pytest.fixture
def install_and_test(
    images: stand_ins.StandIns, image: Callable[..., str], run: Run
) -> Callable[..., str]:
    """Install the package from a folder of wheels in the container, and run its tests."""

    def install_and_test(python: str, wheels: Path, project: Path) -> str:
        script = f"""
            set -eu
            python{python} -m venv /tmp/environment
            cd /project
            pip="/tmp/environment/bin/python -m pip --disable-pip-version-check"
            $pip install --no-index --find-links /wheels fast-doubles
            $pip install --quiet --require-hashes --requirement release/wheel-requirements.txt
            /tmp/environment/bin/python -m pytest -rs tests --ignore=tests/test_properties.py
        """
        return run(
            *("podman", "run", "--rm", f"--volume={wheels}:/wheels:ro"),
            *(f"--volume={project}:/project:O", image(images.newest_pythons), "sh", "-c", script),
            cwd=wheels,
            CONTAINERS_CONF=images.environment("x86_64")["CONTAINERS_CONF"],
        ).stdout

    return install_and_test


def assert_passed(printed: str) -> None:
    """All tests passed but those that want a Python without a GIL, git, cargo or nox."""
    assert re.search(r"\d\d passed, \d skipped in ", printed), printed
    reasons = re.findall(r"^SKIPPED \[\d+\] \S+: (.*)$", printed, re.MULTILINE)
    assert reasons
    assert [one for one in reasons if not re.search("has a GIL|git|cargo|nox", one)] == []


@pytest.mark.parametrize("python", PYTHONS[-2:])
@pytest.mark.parametrize("backend", ["maturin", "setuptools-rust"])
def test_abi3_wheel_of_the_lowest_floor(
    backend: str,
    python: str,
    render: Render,
    run: Run,
    install_and_test: Callable[..., str],
    tmp_path: Path,
) -> None:
    project = render(build_backend=backend, python_floor=oldest_python())
    run(
        *(
            "uv",
            "build",
            "--wheel",
            f"--python={pythons()[oldest_python()]}",
            f"--out-dir={tmp_path}",
            project,
        ),
        cwd=tmp_path,
        CARGO_TARGET_DIR=str(BUILD / "target-newest"),
    )
    printed = install_and_test(python, tmp_path, project)
    assert f"-cp{oldest_python().replace('.', '')}-abi3-" in printed
    assert_passed(printed)


@pytest.mark.parametrize("python", PYTHONS[-2:])
def test_wheel_of_floor_314(
    python: str,
    render: Render,
    cross_wheel: Callable[..., Path],
    install_and_test: Callable[..., str],
) -> None:
    wheel = cross_wheel("3.14", floor="3.14")
    printed = install_and_test(python, wheel.parent, render(python_floor="3.14"))
    assert "-cp314-abi3-" in printed
    assert_passed(printed)


def test_pip_prefers_the_abi3t_wheel_on_315_and_it_works(
    render: Render,
    cross_wheel: Callable[..., Path],
    install_and_test: Callable[..., str],
    tmp_path: Path,
) -> None:
    project = render(build_backend="maturin")
    wheels = tmp_path / "all"
    wheels.mkdir()
    shutil.copy(cross_wheel("3.14"), wheels)
    shutil.copy(cross_wheel("3.15t", *abi3t_arguments(project)), wheels)
    assert len(list(wheels.iterdir())) == 2
    printed = install_and_test("3.15", wheels, project)
    assert "-cp315-abi3.abi3t-" in printed
    assert_passed(printed)
    printed = install_and_test("3.14", wheels, project)
    assert "-cp311-abi3-" in printed
    assert_passed(printed)
