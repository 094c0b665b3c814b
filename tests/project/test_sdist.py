"""The sdist is the project: what git tracks arrives in it, and what a build needs arrives built."""

import ast
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Repository, Run
from helpers.pairs import one_of
from helpers.sample_files import MORE, add_files
from tools.machine import oldest_python
from tools.template import BACKENDS

pytestmark = pytest.mark.builds


def tracked(project: Path) -> set[str]:
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=project, capture_output=True, check=True).stdout
    return set(os.fsdecode(listed).split("\0")[:-1])


def build(project: Path, run: Run, *options: str) -> Path:
    """Build with the locked tools into a new folder; return the one file in it."""
    out = project.with_name("out")
    shutil.rmtree(out, ignore_errors=True)
    run(
        "python", "-m", "build", "--no-isolation", f"--outdir={out}", *options, cwd=project, **QUICK
    )
    (file,) = out.iterdir()
    return file


LEFT_OUT = (
    *(".bumpversion.cfg", ".gitattributes", ".github/", ".gitignore", ".template.json"),
    *("noxfile.py", "release/"),
)
OF_THE_BACKEND = {"maturin": {"PKG-INFO"}, "setuptools-rust": {"PKG-INFO", "setup.cfg"}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_sdist_holds_what_git_tracks_except_for_the_list(
    backend: str, repository: Repository, run: Run
) -> None:
    project = repository(build_backend=backend)
    # rustup reads it in every folder: the Rust that is in use, else it would fetch another.
    sysroot = Path(run("rustc", "--print=sysroot", cwd=project).stdout.strip())
    toolchain = f'[toolchain]\nchannel = "{sysroot.name}"\n'
    (project / "rust-toolchain.toml").write_text(toolchain)
    add_files(project, run)
    (project / "python" / "fast_doubles" / "note.txt").write_text("private")
    (project / "notes.txt").write_text("private")
    # A hook of git has such variables; the repository that they name is another one.
    decoy = project.with_name("decoy")
    run("git", "init", "--quiet", decoy, cwd=project.parent)
    variables = {"GIT_DIR": str(decoy / ".git"), "GIT_WORK_TREE": str(decoy)}
    if backend == "maturin":
        variables = {}  # it asks git itself, see the session `tests` of the project's noxfile.py
    command = ("python", "-m", "build", "--no-isolation", "--sdist", "--outdir=../out")
    run(*command, cwd=project, **variables)
    (sdist,) = project.with_name("out").iterdir()
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames() if ".egg-info" not in name}
        held -= {
            name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isdir()
        }
    expected = {name for name in tracked(project) if not name.startswith(LEFT_OUT)}
    assert {*MORE, "rust-toolchain.toml"} <= expected
    assert held == expected | {"release/wheel-requirements.txt"} | OF_THE_BACKEND[backend]


def test_both_backends_name_the_same_files_as_left_out(render: Callable[..., Path]) -> None:
    maturin = tomllib.loads((render() / "pyproject.toml").read_text("utf-8"))
    patterns = maturin["tool"]["maturin"]["exclude"]
    assert patterns.pop() == "!/release/wheel-requirements.txt"
    text = (render(build_backend="setuptools-rust") / "setup.py").read_text("utf-8")
    (names,) = re.findall(r"^LEFT_OUT = (\[.*?\])", text, re.MULTILINE | re.DOTALL)
    assert [re.sub(r"^/|/\*\*$", "", name) for name in patterns] == ast.literal_eval(names)
    assert 'TOOLS = "release/wheel-requirements.txt"' in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_outside_a_repository_an_sdist_is_refused(
    backend: str, render: Callable[..., Path], run: Run
) -> None:
    """It would be empty, or hold what nobody has looked at."""
    project = render(build_backend=backend)
    shutil.rmtree(project / ".git")
    command = ("python", "-m", "build", "--no-isolation", "--sdist")
    outside = {"GIT_CEILING_DIRECTORIES": str(project.parent)}
    result = run(*command, cwd=project, check=False, **outside)
    assert result.returncode != 0
    assert "fatal: not a git repository" in result.stdout
    assert not list(project.glob("dist/*"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wheel_built_in_the_folder_holds_what_git_does_not_ignore(
    backend: str, repository: Repository, run: Run
) -> None:
    project = repository(build_backend=backend)
    add_files(project, run)
    package = project / "python" / "fast_doubles"
    (package / "note.txt").write_text("not tracked, so both backends ship it")
    (package / "__pycache__").mkdir()
    for ignored in ("old.so", "_native.cpython-39-x86_64-linux-gnu.so", "__pycache__/x.pyc"):
        (package / ignored).write_text("ignored, so neither ships it")
    with zipfile.ZipFile(build(project, run, "--wheel")) as archive:
        held = {name for name in archive.namelist() if name.startswith("fast_doubles/")}
    libraries = {name for name in held if name.endswith((".so", ".pyd"))}
    assert len(libraries) == 1
    folder = "python/fast_doubles/"
    expected = {name for name in tracked(project) if name.startswith(folder)}
    assert held - libraries == {
        "fast_doubles/note.txt",
        *(name.removeprefix("python/") for name in expected),
    }


@pytest.mark.parametrize("backend", one_of(BACKENDS))
def test_the_projects_own_tests_name_what_does_not_arrive(
    backend: str, repository: Repository, run: Run, tmp_path: Path
) -> None:
    project = repository(build_backend=backend)
    add_files(project, run)
    session = f"tests-{oldest_python()}"
    # By way of the sdist: without one of the files above, nothing compiles or a test fails.
    printed = run("nox", "--sessions", session, cwd=project, **QUICK).stdout
    assert re.search(r"tests/test_data.py \.\.", printed), printed
    assert f"* {session}: success" in printed or "was successful" in printed

    folder = project / ".nox" / session.replace(".", "-")
    (sdist,) = folder.glob("tmp/dist/*.tar.gz")
    poor = tmp_path / "poor" / sdist.name
    poor.parent.mkdir()
    with tarfile.open(sdist) as old, tarfile.open(poor, "w:gz") as new:
        for member in old:
            if not member.name.endswith(("/cases.txt", "/build.rs")) and member.isfile():
                new.addfile(member, old.extractfile(member))
    (project / "python" / "fast_doubles" / "new.json").write_text("[]")
    (project / "python" / "fast_doubles" / "private.txt").write_text("private")
    run("git", "add", "python/fast_doubles/new.json", cwd=project)
    (python,) = [*folder.glob("bin/python"), *folder.glob("Scripts/python.exe")]
    tests = (python, "-m", "pytest", "tests/test_packaging.py")
    printed = run(*tests, cwd=project, check=False, SDIST=str(poor)).stdout
    assert "the sdist lacks them: ['build.rs', " in printed
    assert "'tests/data/cases.txt']" in printed
    assert "the wheel lacks them: ['python/fast_doubles/new.json']" in printed
    assert "['python/fast_doubles/private.txt']: `git add` them, or" in printed
    assert re.search(r"3 failed, \d+ passed", printed), printed

    (project / "docs" / "index.md").unlink()
    printed = run("nox", "-R", "--sessions", session, cwd=project, check=False, **QUICK).stdout
    assert "Deleted, but git still tracks it: `git add --all`\ndocs/index.md" in printed
