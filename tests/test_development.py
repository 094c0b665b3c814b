"""Daily life in a rendered project: quick rebuilds, editable installs, `uv run`."""

import subprocess
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from answers import BACKENDS, TEMPLATE
from conftest import BUILD, PYTHONS, python_of

Render = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

FLOOR = min(PYTHONS, key=lambda version: int(version.split(".")[1]))


@pytest.fixture(params=BACKENDS)
def project(
    request: pytest.FixtureRequest,
    render: Render,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
) -> Path:
    """A rendering, which builds over a target folder of these tests."""
    monkeypatch.setitem(environment, "CARGO_TARGET_DIR", str(BUILD / f"target-development-{FLOOR}"))
    return render(build_backend=request.param)


@pytest.fixture(scope="module")
def python(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("development") / "environment"
    run("uv", "venv", f"--python={PYTHONS[FLOOR]}", environment, cwd=TEMPLATE)
    python = python_of(environment)
    run("uv", "pip", "install", f"--python={python}", "pip", "build", cwd=TEMPLATE)
    return python


def test_isolated_rebuild_compiles_nothing(project: Path, python: Path, run: Run) -> None:
    # The isolated environments have new paths each time: PyO3 must not depend on them.
    (project / "rust" / "lib.rs").touch()
    uv = ["uv", "build", "--wheel", f"--python={python}", "--out-dir=out"]
    assert "Compiling _fast_doubles_native" in run(*uv, cwd=project).stdout
    pip = [python, "-m", "pip", "wheel", "--verbose", "--no-deps", "--wheel-dir=out", "."]
    build = [python, "-m", "build", "--wheel", "--outdir=out"]
    for command in (uv, pip, build):
        printed = run(*command, cwd=project).stdout
        assert "Compiling" not in printed
        assert "Finished `release` profile" in printed


def test_editable_install_is_a_release_build(project: Path, python: Path, run: Run) -> None:
    run(python, "-m", "pip", "install", "--no-deps", "--editable", ".", cwd=project)
    question = "from fast_doubles import _native; print(_native.__file__, _native.DEBUG)"
    file, debug = run(python, "-c", question, cwd=project.parent).stdout.split()
    assert Path(file).parent == project / "python" / "fast_doubles"
    assert debug == "False"


def test_uv_run_tests_the_sources_as_they_are(project: Path, run: Run) -> None:
    uv_run = ("uv", "run", f"--python={PYTHONS[FLOOR]}")
    assert " passed" in run(*uv_run, "pytest", cwd=project).stdout

    kernel = project / "rust" / "kernel.rs"
    kernel.write_text(kernel.read_text("utf-8").replace("u8::from(a == b)", "u8::from(a != b)"))
    question = "import fast_doubles; print(fast_doubles.count_doubles('ab'))"
    assert run(*uv_run, "python", "-c", question, cwd=project).stdout.splitlines()[-1] == "1"


def test_rendering_inside_a_workspace_is_not_drawn_into_it(project: Path, run: Run) -> None:
    (project.parent / "Cargo.toml").write_text('[workspace]\nmembers = ["*"]\n', "utf-8")
    found = run("cargo", "locate-project", "--workspace", "--message-format=plain", cwd=project)
    assert Path(found.stdout.strip()) == project / "Cargo.toml"


def test_leftovers_of_earlier_builds_stay_out_of_the_wheel(
    project: Path, python: Path, run: Run
) -> None:
    libraries = f"lib.{sysconfig.get_platform()}-cpython-{FLOOR.replace('.', '')}"
    leftover = project / "build" / libraries / "fast_doubles" / "leftover.py"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("")
    run("uv", "build", "--wheel", f"--python={python}", "--out-dir=out", cwd=project)
    (wheel,) = (project / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "fast_doubles/leftover.py" not in archive.namelist()
