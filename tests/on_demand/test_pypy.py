"""The sdist on PyPy, of the next release of Debian: `nox -s newest`.

The template promises no wheels for PyPy. pip builds there what it finds: the sdist.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Render, Run
from tools import stand_ins
from tools.template import BACKENDS

SCRIPT = """
set -eu
pypy3 -m venv /tmp/environment
cd /project
pip="/tmp/environment/bin/python -m pip --disable-pip-version-check"
PATH="{cargo}:$PATH" $pip wheel --no-deps --wheel-dir=/tmp/wheels /sdist/*.tar.gz
$pip install --no-index --find-links=/tmp/wheels fast-doubles
$pip install --quiet --require-hashes --requirement=release/wheel-requirements.txt
/tmp/environment/bin/python -m pytest -rs tests --ignore=tests/test_properties.py
"""
# What the rendered tests leave out there; the rest wants git, cargo or nox.
LEFT_OUT = {
    "this Python has a GIL": 1,
    "only CPython has abi3": 1,
    "PyPy has no sys.getsizeof": 3,
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sdist_is_built_and_works_on_pypy(
    backend: str,
    images: stand_ins.StandIns,
    image: Callable[..., str],
    render: Render,
    run: Run,
    tmp_path: Path,
) -> None:
    project = render(build_backend=backend)
    run("uv", "build", "--sdist", f"--out-dir={tmp_path}", project, cwd=tmp_path)
    printed = run(
        *("podman", "run", "--rm", f"--volume={tmp_path}:/sdist:ro"),
        *(f"--volume={project}:/project:O", image(images.pypy)),
        *("sh", "-c", SCRIPT.format(cargo=images.rustup or "/usr/bin")),
        cwd=tmp_path,
        CONTAINERS_CONF=images.environment("x86_64")["CONTAINERS_CONF"],
    ).stdout
    assert re.search(
        r"filename=fast_doubles-0\.1\.0-pp311-pypy311_pp\d+-linux_x86_64\.whl", printed
    )
    assert re.search(r"\d\d passed, \d+ skipped in ", printed)
    skipped = re.findall(r"^SKIPPED \[(\d+)\] \S+: (.*)$", printed, re.MULTILINE)
    assert LEFT_OUT.items() <= {reason: int(number) for number, reason in skipped}.items()
    assert {reason for _, reason in skipped if not re.search("git|cargo|nox", reason)} == set(
        LEFT_OUT
    )
