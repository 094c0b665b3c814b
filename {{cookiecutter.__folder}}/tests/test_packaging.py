"""The facts that stand in more than one place of the packaging agree."""

import ast
import configparser
import importlib
import json
import re
import sys
import sysconfig
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

TEXT = Path(__file__, "../../pyproject.toml").resolve().read_text("utf-8")
PYPROJECT = tomllib.loads(TEXT)
DISTRIBUTION = distribution(PYPROJECT["project"]["name"])
FLOOR = int(re.findall(r"^>=\s*3\.(\d+)", PYPROJECT["project"]["requires-python"])[0])


def test_installed_is_the_version_of_these_sources() -> None:
    assert DISTRIBUTION.version == PYPROJECT["project"]["version"]


def test_bump_begins_at_the_version() -> None:
    config = configparser.RawConfigParser()
    if not config.read(Path(__file__, "../../.bumpversion.cfg").resolve(), "utf-8"):
        pytest.skip("not a checkout: the sdist holds no configuration of bump2version")
    hint = "set both to the last release: `uv version --bump` changes one alone, use bump2version"
    version = config["bumpversion"]["current_version"]
    assert version == PYPROJECT["project"]["version"], hint


def test_classifiers_begin_at_the_floor() -> None:
    classifiers = DISTRIBUTION.metadata.get_all("Classifier") or []
    minors = re.findall(r":: Python :: 3\.(\d+)$", "\n".join(classifiers), re.MULTILINE)
    assert [int(minor) for minor in minors] == list(range(FLOOR, FLOOR + len(minors)))


def test_stub_has_the_names_of_the_library() -> None:
    # stubtest compares more, but stops where the package imports a name that the stub lacks.
    (module,) = re.findall(r'^(?:module-name|target) = "([\w.]+)"', TEXT, re.MULTILINE)
    library = importlib.import_module(module)
    stub = Path(library.__file__ or "").with_name("_native.pyi")
    names = re.findall(r"^__all__ = (\[.*?\])", stub.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    stated = sorted(ast.literal_eval(names[0])) if names else []
    assert stated == sorted(library.__all__), f"{stub}: not the names that rust/python.rs gives"


def test_features_of_pyo3_name_the_floor() -> None:
    assert set(re.findall(r"abi3-py3(\d+)", TEXT)) <= {str(FLOOR)}


def test_wheel_is_tagged_for_the_floor() -> None:
    direct_url = json.loads(DISTRIBUTION.read_text("direct_url.json") or "{}")
    if direct_url.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install serves this interpreter alone")
    tags = re.findall(r"^Tag: (\S+?)-(\S+?)-", DISTRIBUTION.read_text("WHEEL") or "", re.MULTILINE)
    here = f"cp{sys.version_info.major}{sys.version_info.minor}"
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    allowed = [] if free_threaded else [{(f"cp3{FLOOR}", "abi3")}]
    if free_threaded or sys.version_info >= (3, 15):
        allowed.append({(here, f"{here}t" if free_threaded else here)})
    if sys.version_info >= (3, 15):
        allowed.append({("cp315", "abi3"), ("cp315", "abi3t")})
    assert set(tags) in allowed
