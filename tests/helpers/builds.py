"""How the tests build: where cargo's output goes, and with which settings."""

import os
import shlex
import sys
import tomllib
from pathlib import Path

from tools.template import TEMPLATE

# What tests write outside of temporary folders, cargo's output above all. It is kept between runs,
# and every worker has its own: two projects of one name put their library in one place.
BUILD = TEMPLATE / "build" / "tests" / os.environ.get("PYTEST_XDIST_WORKER", "alone")


def cargo_target(version: str = f"3.{sys.version_info.minor}") -> str:
    """The cargo target folder for an interpreter: in each, PyO3 is compiled once."""
    return str(BUILD / f"target-{version}")


# For builds whose library is not what is looked at: PyO3 compiles in half the time, and a change of
# the project in a tenth. (At level 0, the tests of a project would take five times as long.) Wheels
# whose library is looked at are built as users build them.
UNOPTIMISED = {
    "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
}
QUICK = UNOPTIMISED | {"CARGO_TARGET_DIR": cargo_target()}


def abi3t_arguments(project: Path) -> list[str]:
    """What cibuildwheel makes maturin build cp315t with."""
    manifest = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    (override,) = manifest["tool"]["cibuildwheel"]["overrides"]
    assert override["select"] == "cp315t-*"
    return shlex.split(override["environment"]["MATURIN_PEP517_ARGS"])
