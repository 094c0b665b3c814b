"""The facts that stand in more than one place of the packaging agree."""

import ast
import configparser
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "pyproject.toml").read_text("utf-8")
PYPROJECT = tomllib.loads(TEXT)
DISTRIBUTION = distribution(PYPROJECT["project"]["name"])
(MODULE,) = re.findall(r'^(?:module-name|target) = "([\w.]+)"', TEXT, re.MULTILINE)
PACKAGE = MODULE.partition(".")[0]
LICENSES = "THIRD-PARTY-LICENSES.txt"
FLOOR = int(re.findall(r"^>=\s*3\.(\d+)", PYPROJECT["project"]["requires-python"])[0])


def test_installed_is_the_version_of_these_sources() -> None:
    assert DISTRIBUTION.version == PYPROJECT["project"]["version"]


def test_bump_begins_at_the_version() -> None:
    config = configparser.RawConfigParser()
    if not config.read(ROOT / ".bumpversion.cfg", "utf-8"):
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
    library = importlib.import_module(MODULE)
    stub = Path(library.__file__ or "").with_name("_native.pyi")
    names = re.findall(r"^__all__ = (\[.*?\])", stub.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    stated = sorted(ast.literal_eval(names[0])) if names else []
    assert stated == sorted(library.__all__), f"{stub}: not the names that rust/python.rs gives"


def test_python_finds_one_library() -> None:
    # Python loads the first one. A library of another backend may hide the one of the last build.
    name = MODULE.rpartition(".")[2]
    sources = ROOT.joinpath("python", *MODULE.split("."))
    loaded = Path(importlib.import_module(MODULE).__file__ or "")
    for folder in (loaded.parent, sources.parent):
        files = [folder / f"{name}{suffix}" for suffix in EXTENSION_SUFFIXES]
        found = [str(file) for file in files if file.exists()]
        assert len(found) <= 1, (
            f"Python loads the first of {' and '.join(found)}: delete all of them (in a checkout: "
            "`git clean -dX --force python`) and build again, with `pip install -e .` or "
            f"`uv sync --inexact --reinstall-package {PYPROJECT['project']['name']}`"
        )


def test_wheel_holds_the_license_texts_of_its_crates() -> None:
    text = DISTRIBUTION.read_text(f"licenses/{LICENSES}") or ""
    listed = re.findall(r"^  (\S+):", text, re.MULTILINE)
    sections = re.split(r"^={80}\n((?:.+\n)+?)-{80}\n", text, flags=re.MULTILINE)[1:]
    with_text = {
        name
        for names, own in zip(sections[::2], sections[1::2], strict=True)
        for name in re.findall(r"[\w-]+", names if own.strip() else "")
    }
    hint = f"`nox -s fix` writes {LICENSES}; `license-files` in pyproject.toml names it"
    assert "std" in listed, hint
    assert set(listed) == with_text, hint
    if (ROOT / LICENSES).exists():  # not with the tests of an installed wheel
        assert text == (ROOT / LICENSES).read_text("utf-8"), "not built of these sources"


def test_license_texts_are_those_of_the_linked_crates() -> None:
    program = ROOT / "release" / "tools" / "licenses.py"
    if not program.exists() or shutil.which("cargo") is None:
        pytest.skip("a checkout and cargo tell which crates are linked")
    command = [sys.executable, str(program), "--check"]
    process = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8")
    assert process.returncode == 0, process.stderr


def test_features_of_pyo3_name_the_floor() -> None:
    assert set(re.findall(r"abi3-py3(\d+)", TEXT)) <= {str(FLOOR)}


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_import_leaves_the_gil_off() -> None:
    # PYTHON_GIL=0 would hide that the module turns it on.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
    code = f"import sys, {PACKAGE}; sys.exit(sys._is_gil_enabled())"
    hint = "`#[pymodule(gil_used = true)]`, or a crate that needs the GIL?"
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 0, hint


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython has abi3")
def test_wheel_is_tagged_for_the_floor() -> None:
    direct_url = json.loads(DISTRIBUTION.read_text("direct_url.json") or "{}")
    if direct_url.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install serves this interpreter alone")
    tags = re.findall(r"^Tag: (\S+?)-(\S+?)-", DISTRIBUTION.read_text("WHEEL") or "", re.MULTILINE)
    here = f"cp{sys.version_info.major}{sys.version_info.minor}"
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    allowed = [] if free_threaded else [{(f"cp3{FLOOR}", "abi3")}]
    # Next to the tests of an installed wheel there is no list; then the gate looks.
    wheels = ROOT / "release" / "wheels.txt"
    lines = wheels.read_text("utf-8").splitlines() if wheels.exists() else [here]
    listed = any(here in line.partition("#")[0].split() for line in lines)
    if free_threaded or listed or sys.version_info >= (3, 15):
        allowed.append({(here, f"{here}t" if free_threaded else here)})
    if sys.version_info >= (3, 15):
        allowed.append({("cp315", "abi3"), ("cp315", "abi3t")})
    assert set(tags) in allowed


def git(*options: str) -> list[str]:
    """The files that `git ls-files` lists; skips the test where git does not track this folder."""
    # git sets variables such as GIT_DIR for its hooks: they may name another repository.
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG_")
    }

    def listed(*words: str) -> list[str]:
        command = ["git", "ls-files", "-z", *words]
        try:
            process = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE)
        except FileNotFoundError:
            return []
        return os.fsdecode(process.stdout).split("\0")[:-1]

    if not listed("pyproject.toml"):
        pytest.skip("git does not track this folder, so nothing says what belongs to the project")
    return listed(*options)


def left_out() -> list[str]:
    """The files and folders that are named as left out of the sdist."""
    if "maturin" in PYPROJECT["tool"]:
        patterns = PYPROJECT["tool"]["maturin"]["exclude"]
        return [re.sub(r"^/|/\*\*$", "", name) for name in patterns if name[0] != "!"]
    (names,) = re.findall(
        r"^LEFT_OUT = (\[.*?\])", (ROOT / "setup.py").read_text("utf-8"), re.M | re.S
    )
    return list(ast.literal_eval(names))


def test_sdist_holds_what_git_tracks() -> None:
    if not (sdist := os.environ.get("SDIST")):
        pytest.skip("the session `tests` of nox builds an sdist to look at")
    with tarfile.open(sdist) as archive:
        members = {member.name.partition("/")[2]: member for member in archive}
    # With a crate next to this folder, the folder is one of those in the sdist.
    held = members | {name.removeprefix(f"{ROOT.name}/"): m for name, m in members.items()}
    named = tuple(f"{name}/" for name in left_out())
    expected = [name for name in git() if not f"{name}/".startswith(named)]
    missing = sorted({*expected, "release/wheel-requirements.txt"} - held.keys())
    assert expected
    assert not missing, f"git tracks them, but the sdist lacks them: {missing}"
    entries = git("--stage", "--", "tests")
    programs = [entry.split("\t")[1] for entry in entries if entry.startswith("100755")]
    lost = [name for name in programs if name in expected and not held[name].mode & 0o100]
    assert not lost, f"not executable in the sdist, so start them by their interpreter: {lost}"


def test_wheel_holds_all_files_of_the_package() -> None:
    held = {file.as_posix() for file in DISTRIBUTION.files or []}
    if not any(name.startswith(f"{PACKAGE}/") for name in held):
        pytest.skip("an editable install holds no files")
    missing = [
        name for name in git("--", f"python/{PACKAGE}") if name.removeprefix("python/") not in held
    ]
    assert not missing, f"git tracks them, but the wheel lacks them: {missing}"


def test_no_file_of_the_package_is_unknown_to_git() -> None:
    new = git("--others", "--exclude-standard", "--", "python")
    hint = "`git add` them, or name them in .gitignore: a build in this folder ships them"
    assert not new, f"{new}: {hint}"
    both = git("--cached", "--ignored", "--exclude-standard", "--", "python")
    assert not both, f"{both}: tracked, but .gitignore names them, so a build here lacks them"
