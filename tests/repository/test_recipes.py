# ruff: noqa: E501
"""The recipes of CONTRIBUTING.md, performed on a copy of the repository.

Each names all the files that have to be edited: without the last edit a test fails, with all of
them the quick tests pass.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pytest

from helpers.fixture_types import Run
from helpers.pages import edit, read
from tools.template import FLOORS, PROJECT_FOLDER, PYO3, PYTHONS, TEMPLATE, minor

pytestmark = pytest.mark.builds  # a quarter of a minute each

P = PROJECT_FOLDER.name
PAGE = read(TEMPLATE / "CONTRIBUTING.md")
NEWEST, NEXT = minor(PYTHONS[-1]), minor(PYTHONS[-1]) + 1

# What a recipe does to a file: a text and the one in its place, a function, or `nox -s reference`.
WRITTEN: Final = "written by nox -s reference"
Edit = tuple[str, str] | Callable[[str], str] | Literal["written by nox -s reference"]


class Recipe(NamedTuple):
    """edits: path to what is done there, in the recipe's order; tests: what has to pass then.

    notices: the test, one of these, that fails without the last edit; left_out: tests that the
    installed tools cannot pass before they know what is new.
    """

    edits: Mapping[str, list[Edit]]
    tests: list[str]
    notices: str
    left_out: str = "nothing_else"


def add_python(text: str) -> str:
    """Put the next Python above the newest in a list of versions that are set up."""
    line = re.search(rf"^( +)3\.{NEWEST}\n", text, re.M)
    assert line
    return text.replace(line[0], f"{line[1]}3.{NEXT}\n{line[0]}", 1)


def newer_pyo3(text: str) -> str:
    """Raise the version of PyO3's crates, in a manifest or a lock."""
    raised = re.sub(rf'(pyo3 = \{{ version = )"{re.escape(PYO3)}"', r'\1"99.9"', text)
    pattern = r'(name = "pyo3[\w-]*"\nversion = )"[\d.]+"'
    raised = re.sub(pattern, r'\1"99.9.0"', raised)
    assert raised != text
    return raised


# Renderings with other floors tell nothing more here, nor do types, nor does a built package:
# PyO3 99.9 cannot be built.
TOLD_BEFORE = " or ".join(
    ["mypy", "types_are_checked", "call_of_the_start", *(f"-{floor}-" for floor in FLOORS[1:])]
)


def tree(variant: str) -> str:
    """The list of files of a rendering."""
    return (TEMPLATE / "tests" / "rendering" / "trees" / f"{variant}.txt").read_text("utf-8")


GATE = [
    f"tests/release/test_gate.py::test_{name}"
    for name in (
        "platforms_that_are_off_by_default_pass_too",
        "limits_are_those_of_cibuildwheels_images",
    )
]
MPL = "Mozilla Public License Version 2.0\n\nNot the whole text, which a licence is.\n"
QUICK = ["tests/repository/test_template.py", "tests/docs/test_readme.py"]
RENDERED = ["tests/rendering/test_combinations.py", "tests/rendering/test_record.py"]
SITE = "tests/repository/test_site.py"
REFERENCE = f"{SITE}::test_reference_says_what_the_sources_say"
README = "tests/docs/test_readme.py::test_{}"
RECIPES = {
    "Add a Python": Recipe(
        {
            "cookiecutter.json": [(f'_minor": "{NEWEST}"', f'_minor": "{NEXT}"')],
            f"{P}/release/tools/platforms.py": [(f"range(9, {NEXT})", f"range(9, {NEXT + 1})")],
            f"{P}/release/wheels.txt": [(f"cp39 to cp3{NEWEST}", f"cp39 to cp3{NEXT}")],
            ".github/workflows/ci.yml": [add_python],
            ".github/workflows/canary.yml": [add_python],
            "README.md": [
                (
                    f"for 3.{NEWEST - 1}, 3.{NEWEST - 1}t, 3.{NEWEST}, 3.{NEWEST}t and",
                    f"for 3.{NEWEST}, 3.{NEXT}, 3.{NEWEST - 1}t, 3.{NEWEST}t and",
                )
            ],
            "docs/reference/platforms.md": [WRITTEN],
        },
        [*QUICK, *RENDERED, SITE, "tests/release/test_wheel_list.py", "tests/repository/test_workflows.py"],
        REFERENCE,
        "cibuildwheel_selects or cibuildwheel_knows or floor_below or manifests_are_valid or is_missing",
    ),
    "Add a licence": Recipe(
        {
            "cookiecutter.json": [
                ('"BSD-3-Clause", "Prop', '"BSD-3-Clause", "MPL-2.0", "Prop'),
                ('      "Proprietary": "', '      "MPL-2.0": "MPL-2.0: x",\n      "Proprietary": "'),
                (
                    '  "__proprietary_file"',
                    '  "__mpl_file": "{{ {\'MPL-2.0\': \'LICENSE\'}.get(cookiecutter.license, \'\') }}",\n'
                    '  "__proprietary_file"',
                ),
            ],
            f"{P}/{{{{cookiecutter.__mpl_file}}}}": [lambda _: MPL],
            "tests/rendering/test_combinations.py": [
                ('        "Proprietary": {', '        "MPL-2.0": {"LICENSE": "Mozilla"},\n        "Proprietary": {')
            ],
            "tests/rendering/trees/maturin-mpl-2.0.txt": [
                lambda _: tree("maturin-mit")
            ],
            "tests/rendering/trees/setuptools-rust-mpl-2.0.txt": [
                lambda _: tree("setuptools-rust-mit")
            ],
            "docs/reference/questions.md": [WRITTEN],
        },
        [*QUICK, *RENDERED, SITE],
        REFERENCE,
    ),
    "Add a platform": Recipe(
        {
            f"{P}/release/tools/platforms.py": [
                (
                    '    "macosx_x86_64": P',
                    '    "musllinux_riscv64": Platform(\n        runner=LINUX, archs="riscv64",'
                    ' rust_target="riscv64gc-unknown-linux-musl", module="ELF64 LSB EM_RISCV", newest="1.2", emulated=True\n    ),\n'
                    '    "macosx_x86_64": P',
                )
            ],
            f"{P}/release/wheels.txt": [
                ("# musllinux_ppc64le  abi3\n", "# musllinux_ppc64le  abi3\n# musllinux_riscv64  abi3\n")
            ],
            "tests/helpers/small_wheels.py": [
                (
                    '    "macosx_x86_64": (',
                    '    "musllinux_riscv64": ("riscv64-linux-musl", "musllinux_1_2_riscv64"),\n'
                    '    "macosx_x86_64": (',
                )
            ],
            f"{P}/pyproject.toml": [("armv7l,riscv64,s390x", "armv7l,s390x")],
            "README.md": [("ppc64le (emulated) | i686, armv7l, riscv64", "ppc64le, riscv64 (emulated) | i686, armv7l")],
            "docs/reference/platforms.md": [WRITTEN],
        },
        [*QUICK, "tests/release/test_wheel_list.py", *GATE, SITE],
        REFERENCE,
    ),
    "Add a question": Recipe(
        {
            "cookiecutter.json": [
                ('  "license": [', '  "docs": ["no", "yes"],\n  "license": ['),
                (
                    '    "license": {\n',
                    '    "docs": {"__prompt__": "Pages?", "no": "no", "yes": "yes"},\n    "license": {\n',
                ),
            ],
            "tests/rendering/trees/maturin-mit-docs-yes.txt": [lambda _: tree("maturin-mit")],
            "tests/rendering/trees/setuptools-rust-mit-docs-yes.txt": [
                lambda _: tree("setuptools-rust-mit")
            ],
            "README.md": [("asks ten [", "asks eleven [")],
            "docs/reference/questions.md": [WRITTEN],
        },
        [
            *(*QUICK, *RENDERED, SITE),
            "tests/rendering/test_ways_to_render.py::test_enter_for_all_questions",
        ],
        REFERENCE,
    ),
    "Raise PyO3": Recipe(
        {
            f"{P}/Cargo.toml": [newer_pyo3],
            f"{P}/Cargo.lock": [newer_pyo3],
            "benchmarks/opponents/Cargo.toml": [newer_pyo3],
            "benchmarks/opponents/Cargo.lock": [newer_pyo3],
            "tests/docs/from_rust_cpython/Cargo.toml": [newer_pyo3],
            "tests/docs/from_rust_cpython/Cargo.lock": [newer_pyo3],
            "docs/explanation/from-c-interfaces.md": [
                newer_pyo3,
                (f" | PyO3 {PYO3} |", " | PyO3 99.9 |"),
            ],
            "README.md": [(f" | {PYO3} | ", " | 99.9 | ")],
        },
        [*QUICK, "tests/repository/test_benchmarks.py", "tests/docs/test_from_c_interfaces.py"],
        README.format("pyo3_is_the_version_that_is_claimed"),
        "test_both_columns_compile",
    ),
}  # fmt: skip


def perform(edits: Mapping[str, list[Edit]], copy: Path) -> None:
    """Do what a recipe says."""
    for name, changes in edits.items():
        for change in changes:
            if isinstance(change, str):
                command = [sys.executable, "-m", "tools.reference"]
                subprocess.run(command, cwd=copy, check=True)
            elif isinstance(change, tuple):
                edit(copy / name, *change)
            else:
                file = copy / name
                text = file.read_text("utf-8") if file.exists() else ""
                file.write_text(change(text), "utf-8")


def outcome(recipe: Recipe, copy: Path, run: Run) -> tuple[int, str]:
    """Run a recipe's tests in the copy; return the exit status and what was printed."""
    result = run(
        *(sys.executable, "-m", "pytest", "--quiet", "--exitfirst"),
        *(
            f"--basetemp={copy.parent / 'tests'}",
            "-k",
            f"not ({recipe.left_out} or {TOLD_BEFORE})",
        ),
        *recipe.tests,
        cwd=copy,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize("title", RECIPES)
def test_recipe_names_the_files_that_are_edited(title: str) -> None:
    recipe = re.findall(rf"^### {title}\n(.*?)(?=^##)", PAGE.text, re.M | re.S)[0]
    steps = "\n".join(re.findall(r"^\d\. (?:.|\n   )+", recipe, re.M))
    named = [
        path
        for path in re.findall(r"`([\w{.][^`\s]*[./][^`]*)`", steps)
        if "/" in path or (TEMPLATE / path).is_file()
    ]
    assert sorted(named) == sorted(RECIPES[title].edits)


@pytest.mark.parametrize("title", RECIPES)
def test_quick_tests_pass_after_a_recipe(title: str, copy: Path, run: Run) -> None:
    recipe = RECIPES[title]
    perform(recipe.edits, copy)
    status, printed = outcome(recipe, copy, run)
    assert status == 0, printed
    assert re.search(r"\d{2,} passed", printed), printed


@pytest.mark.parametrize("title", RECIPES)
def test_a_test_fails_without_the_last_step(title: str, copy: Path, run: Run) -> None:
    recipe = RECIPES[title]
    perform(dict(list(recipe.edits.items())[:-1]), copy)
    assert recipe.notices.partition("::")[0] in {test.partition("::")[0] for test in recipe.tests}
    status, printed = outcome(recipe._replace(tests=[recipe.notices]), copy, run)
    assert status == 1, printed
    assert "1 failed" in printed


def test_recipe_for_actions_is_a_session() -> None:
    """tests/repository/test_actions.py performs it."""
    assert "`nox -s bump-actions`" in PAGE.text
    assert 'name="bump-actions"' in (TEMPLATE / "noxfile.py").read_text("utf-8")
