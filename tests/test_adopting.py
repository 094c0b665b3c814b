"""The release half in projects of another layout, and a crate that was there before.

As far as no wheel has to be built for it; tests/on_demand/ has the rest.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from adoption import PAGE, adopt, call, move
from answers import BACKENDS, PROJECT_FOLDER
from cibuildwheel.options import CommandLineArguments, Options
from conftest import GIT
from layouts import write_layout
from pages import blocks, commands

Run = Callable[..., subprocess.CompletedProcess[str]]

RELEASE = PROJECT_FOLDER / "release"


@pytest.fixture(params=BACKENDS)
def adopted(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Path:
    """A project that was there before, with the release half, as the page brings it there."""
    project = write_layout(tmp_path / "your-package", request.param, run)
    adopt(project, request.param, run)
    return project


def test_preflight_and_plan_know_what_to_do_without_a_version(adopted: Path, run: Run) -> None:
    run("git", "remote", "add", "origin", "https://example.com/you/your-package", cwd=adopted)
    preflight = (sys.executable, "release/preflight.py", "--tag=v9.9.9", "--branch=HEAD")
    assert run(*preflight, cwd=adopted).stdout == ""  # the gate will compare the tag
    printed = run(sys.executable, "release/plan.py", cwd=adopted).stdout
    plan = dict(line.split("=", 1) for line in printed.splitlines())
    linux = [job for job in json.loads(plan["install"]) if job["platform"] == "manylinux_x86_64"]
    assert [job["python"] for job in linux] == ["3.11", "3.14", "3.15"]
    assert "cp314t" not in plan["build"]


def test_table_for_the_free_threaded_stable_abi_can_be_copied(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    adopt(project, "maturin", run)
    (line,) = blocks(PAGE, "sh")
    run("sh", "-c", line, cwd=project)
    monkeypatch.chdir(project)
    options = Options("linux", CommandLineArguments.defaults(), {"PATH": os.environ["PATH"]})

    def inside(identifier: str) -> dict[str, str]:
        environment = options.build_options(f"{identifier}-manylinux_x86_64").environment
        return environment.as_dictionary({"HOME": "", "PATH": ""})

    assert "pyo3/abi3t-py315" in inside("cp315t")["MATURIN_PEP517_ARGS"]
    assert "RUSTUP_TOOLCHAIN" in inside("cp315t")
    assert "MATURIN_PEP517_ARGS" not in inside("cp311")


def test_what_the_preflight_asks_of_the_crate_in_its_folder(adopted: Path, run: Run) -> None:
    manifest = adopted / "crate" / "Cargo.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("1.4.0", "1.4.1"), "utf-8")
    result = run(sys.executable, "release/preflight.py", cwd=adopted, check=False)
    assert result.returncode == 1
    assert "Cargo.lock is not what Cargo.toml asks for" in result.stdout


def test_plan_says_where_it_looks_for_the_oldest_python(adopted: Path, run: Run) -> None:
    for name in ("pyproject.toml", "setup.cfg"):
        if (file := adopted / name).exists():
            text = file.read_text("utf-8").replace("requires-python", "x-python")
            file.write_text(text.replace("python_requires", "x_requires"), "utf-8")
    result = run(sys.executable, "release/plan.py", cwd=adopted, check=False)
    assert result.returncode == 1
    assert "requires-python has to begin with '>=3.', and is ''" in result.stdout
    assert "Traceback" not in result.stdout


def test_the_sdist_holds_what_wheels_are_built_and_tested_with(
    adopted: Path, run: Run, tmp_path: Path
) -> None:
    run("python", "-m", "build", "--sdist", "--no-isolation", f"--outdir={tmp_path}", cwd=adopted)
    (sdist,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path / "unpacked")
    (root,) = (tmp_path / "unpacked").iterdir()
    for name in ("release/wheel-requirements.txt", "checks/test_vowels.py", "crate/src/lib.rs"):
        assert (root / name).read_bytes() == (adopted / name).read_bytes()

    gate = ("python", "release/gate.py", tmp_path / "dist", "--rehearsal")
    (tmp_path / "dist").mkdir()
    sdist.replace(tmp_path / "dist" / sdist.name)
    assert "1 files may be uploaded." in run(*gate, "--tag=v1.4.0", cwd=adopted).stdout
    wrong = run(*gate, "--tag=v1.5.0", cwd=adopted, check=False)
    assert wrong.returncode == 1
    assert "has version 1.4.0, the tag is v1.5.0" in wrong.stdout


@pytest.mark.parametrize("setting", ["text", "list"])
def test_the_tests_are_run_away_from_the_sources(run: Run, tmp_path: Path, setting: str) -> None:
    """A package beside the tests is not what they import, and their status is the program's."""
    shutil.copytree(RELEASE, tmp_path / "release", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "beside.py").touch()
    (tmp_path / "checks").mkdir()
    (tmp_path / "data.txt").write_text("x")
    code = "import pathlib; assert pathlib.Path('data.txt').read_text() == 'x'; import beside"
    (tmp_path / "checks" / "check.py").write_text(code)
    sources, command = ["checks", "data.txt"], ["python -c ''", "python -m checks.check"]
    if setting == "text":
        sources, command = " ".join(sources), " && ".join(command)
    table = f"[tool.cibuildwheel]\ntest-sources = {json.dumps(sources)}\n"
    (tmp_path / "pyproject.toml").write_text(f"{table}test-command = {json.dumps(command)}\n")
    run_tests = (sys.executable, "release/run_tests.py")
    result = run(*run_tests, cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert "No module named 'beside'" in result.stdout
    (tmp_path / "checks" / "check.py").write_text(code.removesuffix("; import beside"))
    assert run(*run_tests, cwd=tmp_path).stdout == ""


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("", "[tool.cibuildwheel] has no test-command"),
        (
            '[tool.cibuildwheel]\ntest-command = "true"\ntest-sources = ["tset"]',
            "test-sources names 'tset', which does not exist",
        ),
    ],
)
def test_what_cannot_be_tested_is_said(run: Run, tmp_path: Path, table: str, sentence: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    result = run(sys.executable, RELEASE / "run_tests.py", cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout


def test_the_pages_sessions_are_those_of_the_template() -> None:
    (sessions,) = blocks(PAGE, "python")
    noxfile = (PROJECT_FOLDER / "noxfile.py").read_text("utf-8")
    assert sessions in noxfile.replace("python=BUILDER, ", "")  # defined elsewhere in that file


def test_the_pages_copies_overwrite_nothing(run: Run, tmp_path: Path) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    own = {".github/workflows/release.yml": "mine\n", "release/gate.py": "mine\n"}
    for name, text in own.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    scratch = tmp_path / "scratch" / "your-package"
    shutil.copytree(PROJECT_FOLDER / "release", scratch / "release")
    shutil.copytree(PROJECT_FOLDER / ".github", scratch / ".github")
    copies = [line for line in commands(PAGE) if line.startswith("cp ")]
    assert len(copies) == 2
    for line in copies:
        run("sh", "-c", line, cwd=project, check=False, **GIT)
    assert {name: (project / name).read_text() for name in own} == own
    assert (project / "release" / "plan.py").exists()


CRATE = {
    "Cargo.toml": """\
[package]
name = "crc32fast"
version = "1.2.3"
edition = "2021"
license = "MIT"
""",
    "src/lib.rs": """\
/// The CRC-32 checksum, bit by bit.
pub fn hash(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 * (sum & 1)))
    })
}
""",
    "README.md": "# The crate",
    "LICENSE": "MIT, as it is here",
    ".gitignore": "/target",
    ".github/workflows/ci.yml": "name: The crate's CI",
    "a file with spaces": "",
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_crate_at_the_root_of_its_repository(backend: str, run: Run, tmp_path: Path) -> None:
    project = tmp_path / "your-repository"
    for name, content in CRATE.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content, "utf-8")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=The crate", cwd=project, **GIT)
    (project / "target").mkdir()
    (project / "target" / "output").touch()

    move(project, backend, run)
    log = run("git", "log", "--format=%s", cwd=project).stdout
    assert log == "Move the crate into a folder\nThe crate\n"
    for name, content in CRATE.items():
        assert (project / "your-crate" / name).read_text("utf-8") == content
    assert run("git", "status", "--porcelain", "your-crate", "target", cwd=project).stdout == ""
    added = run("git", "status", "--porcelain", cwd=project).stdout
    assert set(re.findall(r"^..", added, re.M)) == {"??"}, added
    assert "?? .github/\n" in added

    call(project, backend, run)
    kernel = ("cargo", "test", "--locked", "--no-default-features")
    target = {"CARGO_TARGET_DIR": str(tmp_path / "target")}
    assert "1 passed" in run(*kernel, cwd=project, **target).stdout
    lint = (sys.executable, "-m", "ruff", "check", "--no-cache")
    run(*lint, cwd=project)
    of_that_name = project / "python" / "your-crate"
    of_that_name.mkdir()
    (of_that_name / "module.py").write_text("import os\n")
    assert "F401" in run(*lint, cwd=project, check=False).stdout
    shutil.rmtree(of_that_name)
    run("git", "add", "--all", cwd=project)
    build = ("-m", "build", "--sdist", "--no-isolation", f"--outdir={tmp_path / 'dist'}")
    run(sys.executable, *build, cwd=project, **target)
    (sdist,) = (tmp_path / "dist").iterdir()
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"your-crate/Cargo.toml", "your-crate/src/lib.rs", "rust/kernel.rs"} <= names
