"""A wheel holds the code of its own sources, never another build's binary.

Cargo decides by name and by file date whether to compile. Projects of one name, or the files
of an unpacked sdist, whose dates are old, would get the library that an earlier build left in
a shared CARGO_TARGET_DIR. Each test makes a project that answers with a number of its own.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import BUILD, QUICK, UNOPTIMISED
from helpers.fixture_types import Render, Run
from helpers.pairs import pairs
from tools.machine import oldest_python, python_of, pythons
from tools.template import BACKENDS, TEMPLATE

pytestmark = pytest.mark.builds

LONG_AGO = 1_153_704_088  # the date that maturin gives to the files of an sdist


# `build` makes a wheel from an unpacked sdist as `uv build` does: once is enough.
FRONT_ENDS = ["pip wheel", "uv build", "editable"]
PAIRS = [*pairs(BACKENDS, FRONT_ENDS), ("maturin", "build")]
PAIRS += [("setuptools-rust", "pip wheel of the sdist"), ("setuptools-rust", "editable")]


def build_commands(frontend: str, python: Path, out: Path) -> list[list[str | Path]]:
    """The commands that leave a wheel in `out`, or an editable install; `build` makes an sdist.

    Except for uv, they take the backend of the environment: one that is installed for each build
    has a path of its own, for which cargo might compile again.
    """
    here = "--no-build-isolation"
    pip_wheel: list[str | Path] = [python, "-m", "pip", "wheel", here, "--no-deps"]
    pip_wheel.append(f"--wheel-dir={out}")
    build: list[str | Path] = [python, "-m", "build", "--no-isolation", f"--outdir={out}"]
    sdist = out / "fast_doubles-0.1.0.tar.gz"
    commands: dict[str, list[list[str | Path]]] = {
        "pip wheel": [[*pip_wheel, "."]],
        "pip wheel of the sdist": [
            [*build, "--sdist"],
            [*pip_wheel, sdist],
        ],
        "build": [build],
        "uv build": [["uv", "build", f"--python={python}", f"--out-dir={out}"]],
        "editable": [[python, "-m", "pip", "install", here, "--no-deps", "--editable", "."]],
    }
    return commands[frontend]


@pytest.fixture(scope="module")
def python(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the front ends and the backends."""
    environment = tmp_path_factory.mktemp("frontends") / "environment"
    python = python_of(environment)
    run("uv", "venv", f"--python={pythons()[oldest_python()]}", environment, cwd=TEMPLATE)
    tools = ("pip", "build", "maturin", "setuptools", "setuptools-rust", "wheel")
    run("uv", "pip", "install", f"--python={python}", *tools, cwd=TEMPLATE)
    return python


def answer_with(project: Path, number: int) -> None:
    """Edit the kernel: every text holds `number` doubles now."""
    signature = "pub fn count_doubles<Unit>(_: &[Unit]) -> usize"
    (project / "rust" / "kernel.rs").write_text(f"{signature} {{\n    {number}\n}}\n")


@pytest.fixture
def project(render: Render) -> Callable[..., Path]:
    """A rendering that answers with a number, all files dated long ago."""

    def project(backend: str, number: int, **answers: str) -> Path:
        project = render(build_backend=backend, **answers)
        answer_with(project, number)
        for file in project.rglob("*"):
            os.utime(file, (LONG_AGO, LONG_AGO))
        return project

    return project


@pytest.fixture
def answer(run: Run, python: Path, tmp_path: Path) -> Callable[..., int]:
    """Build a project with a front end, over a target folder that all share; ask the result."""
    target = BUILD / f"target-own-code-{oldest_python()}"

    def answer(frontend: str, project: Path, package: str = "fast_doubles") -> int:
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        for command in build_commands(frontend, python, out):
            run(
                *(str(word).replace("fast_doubles", package) for word in command),
                cwd=project,
                CARGO_TARGET_DIR=str(target),
                PIP_BUILD_CONSTRAINT="",  # refused without isolation
                **UNOPTIMISED,  # quicker, and nothing to cargo's decision
            )
        if frontend == "editable":
            where = project / "python"
        else:
            (wheel,) = out.glob("*.whl")
            where = out / "unpacked"
            shutil.unpack_archive(wheel, where, "zip")
        question = f"import {package}; print({package}.count_doubles('aaa'))"
        return int(run(python, "-c", question, cwd=tmp_path, PYTHONPATH=str(where)).stdout)

    return answer


@pytest.mark.parametrize(("backend", "frontend"), dict.fromkeys(PAIRS))
def test_builds_that_share_a_target_folder(
    frontend: str, backend: str, project: Callable[..., Path], answer: Callable[..., int]
) -> None:
    first = project(backend, 101)
    assert answer(frontend, first) == 101

    second = project(backend, 102)
    assert answer(frontend, second) == 102, "the library of another checkout"

    answer_with(second, 103)
    assert answer(frontend, second) == 103, "the library from before the edit"

    other = project(backend, 104, project_slug="other-doubles")
    assert answer(frontend, other, "other_doubles") == 104, "the library of another project"


def test_nox_tests_a_crate_in_the_folder_as_it_is_now(render: Render, run: Run) -> None:
    project = render()
    crate = project / "answers"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "answers"\nedition = "2024"\n', "utf-8")
    (project / "tests" / "test_answer.py").write_text(
        "from fast_doubles import count_doubles\n\n\n"
        "def test_answer() -> None:\n    assert count_doubles('') == 1\n",
        "utf-8",
    )
    kernel = "pub fn count_doubles<Unit>(_: &[Unit]) -> usize {\n    answers::ANSWER\n}\n"
    (project / "rust" / "kernel.rs").write_text(kernel, "utf-8")
    run("git", "init", "--quiet", cwd=project)

    def nox_says(answer: int) -> str:
        library = crate / "src" / "lib.rs"
        library.write_text(f"pub const ANSWER: usize = {answer};\n", "utf-8")
        run("cargo", "add", "--quiet", "--path=answers", cwd=project)
        run("git", "add", "--all", cwd=project)
        words = ("nox", "--session", f"tests-{oldest_python()}", "--", "tests/test_answer.py")
        return run(*words, cwd=project, check=False, **QUICK).stdout

    assert " 1 passed" in nox_says(1)
    assert "assert 2 == 1" in nox_says(2)
