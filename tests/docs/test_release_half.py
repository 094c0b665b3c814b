"""docs/how-to/release-half.md: the release half in projects of another layout.

As far as no wheel has to be built for it; tests/on_demand/ has the rest.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from cibuildwheel.options import CommandLineArguments, Options

from helpers.adoption import PAGE, adopt
from helpers.fixture_types import Run
from helpers.layouts import write_layout
from tools.machine import GIT
from tools.template import BACKENDS, FLOORS, PROJECT_FOLDER, PYTHONS


@pytest.fixture(params=BACKENDS)
def adopted(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Path:
    """A project that was there before, with the release half, as the page brings it there."""
    project = write_layout(tmp_path / "your-package", request.param, run)
    adopt(project, request.param, run)
    return project


def test_preflight_and_plan_know_what_to_do_without_a_version(adopted: Path, run: Run) -> None:
    run("git", "remote", "add", "origin", "https://example.com/you/your-package", cwd=adopted)
    preflight = (sys.executable, "release/tools/preflight.py", "--tag=v9.9.9", "--branch=HEAD")
    assert run(*preflight, cwd=adopted).stdout == ""  # the gate will compare the tag
    printed = run(sys.executable, "release/tools/plan.py", cwd=adopted).stdout
    plan = dict(line.split("=", 1) for line in printed.splitlines())
    linux = [job for job in json.loads(plan["install"]) if job["platform"] == "manylinux_x86_64"]
    assert [job["python"] for job in linux] == [FLOORS[0], *PYTHONS[-2:]]
    assert "cp314t" not in plan["build"]


def test_table_for_the_free_threaded_stable_abi_can_be_copied(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    adopt(project, "maturin", run)
    (line,) = PAGE.blocks("sh")
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
    result = run(sys.executable, "release/tools/preflight.py", cwd=adopted, check=False)
    assert result.returncode == 1
    assert "Cargo.lock is not what Cargo.toml asks for" in result.stdout


def test_plan_says_where_it_looks_for_the_oldest_python(adopted: Path, run: Run) -> None:
    for name in ("pyproject.toml", "setup.cfg"):
        if (file := adopted / name).exists():
            text = file.read_text("utf-8").replace("requires-python", "x-python")
            file.write_text(text.replace("python_requires", "x_requires"), "utf-8")
    result = run(sys.executable, "release/tools/plan.py", cwd=adopted, check=False)
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

    gate = ("python", "release/tools/gate.py", tmp_path / "dist", "--rehearsal")
    (tmp_path / "dist").mkdir()
    sdist.replace(tmp_path / "dist" / sdist.name)
    assert "1 file may be uploaded." in run(*gate, "--tag=v1.4.0", cwd=adopted).stdout
    wrong = run(*gate, "--tag=v1.5.0", cwd=adopted, check=False)
    assert wrong.returncode == 1
    assert "has version 1.4.0, the tag is v1.5.0" in wrong.stdout


def test_the_pages_sessions_are_those_of_the_template() -> None:
    (sessions,) = PAGE.blocks("python")
    noxfile = (PROJECT_FOLDER / "noxfile.py").read_text("utf-8")
    assert sessions in noxfile.replace("python=BUILDER, ", "")  # defined elsewhere in that file


def test_the_pages_copies_overwrite_nothing(run: Run, tmp_path: Path) -> None:
    project = write_layout(tmp_path / "your-package", "maturin", run)
    own = {".github/workflows/release.yml": "mine\n", "release/tools/gate.py": "mine\n"}
    for name, text in own.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    scratch = tmp_path / "scratch" / "your-package"
    shutil.copytree(PROJECT_FOLDER / "release", scratch / "release")
    shutil.copytree(PROJECT_FOLDER / ".github", scratch / ".github")
    copies = [line for line in PAGE.commands() if line.startswith("cp ")]
    assert len(copies) == 3
    for line in copies:
        run("sh", "-c", line, cwd=project, check=False, **GIT)
    assert {name: (project / name).read_text() for name in own} == own
    assert (project / "release" / "tools" / "plan.py").exists()
