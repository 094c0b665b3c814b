"""docs/how-to/replace-the-kernel.md, to the letter: it works, and a forgotten file is named.

The page's blocks are put into a rendered project. Then, for each of its files, all but this one.
"""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from helpers.pairs import one_of
from tools.machine import oldest_python, python_of, pythons
from tools.template import BACKENDS, PROJECT_FOLDER, TEMPLATE

pytestmark = pytest.mark.builds

PAGE = (TEMPLATE / "docs" / "how-to" / "replace-the-kernel.md").read_text("utf-8")
# The page's files, in its order, each with the block below its heading.
BLOCKS = {
    name: re.findall(r"^(`{3,4})\w+\n(.*?)^\1$", text, re.M | re.S)[0][1]
    for name, text in re.findall(r"^## \d+\. `(\S+)`$(.*?)(?=^## )", PAGE, re.M | re.S)
}
ANSWERS = dict(re.findall(r'(\w+)="([^"]+)"', re.findall(r"^\$ cookiecutter .*", PAGE, re.M)[0]))
README_EXAMPLE = re.compile(r"(^```python\n.*?^```\n)", re.M | re.S)
# Words that the sample alone uses; the page's answers keep them out of names.
SAMPLE = re.compile(r"double|aardvark|naïve|adjacent|code.point|surrogate|PyString|🦀", re.I)
# Lines in which a word of these means something else: what a `&str` takes.
ELSEWHERE = {"CONTRIBUTING.md": ("| `str`, other |", "   Hypothesis must make no lone")}
LOOKS_FOR_IT = ("Cargo.lock", "release/tools/preflight.py")  # the lock by chance
# What the page deletes.
DELETED = re.findall(r"^\$ git rm --quiet (.*)", PAGE, re.M)[0].split()


def apply(project: Path, names: Iterable[str]) -> None:
    """Put the page's blocks into a project's files, which must be there."""
    for name in names:
        file, block = project / name, BLOCKS[name]
        if name == "README.md":
            before, example, after = README_EXAMPLE.split(file.read_text("utf-8"), maxsplit=1)
            assert SAMPLE.search(example) or example == block
            block = before + block + after
        file.write_text(block, "utf-8")
    for name in DELETED:
        (project / name).unlink()


def with_sample(project: Path) -> dict[str, list[str]]:
    """The files that hold something of the sample, and the lines that do."""
    found = {}
    for file in sorted(project.rglob("*")):
        name = file.relative_to(project).as_posix()
        if file.is_file() and not name.startswith(".git/") and name not in LOOKS_FOR_IT:
            lines = [
                line
                for line in [name, *file.read_text("utf-8").splitlines()]
                if SAMPLE.search(line) and not line.startswith(ELSEWHERE.get(name, "\0"))
            ]
            if lines:
                found[name] = lines
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_page_names_every_file_of_the_sample(backend: str, render: Render) -> None:
    project = render(build_backend=backend, **ANSWERS)
    assert set(with_sample(project)) == {*BLOCKS, *DELETED}


def test_the_project_names_the_same_files(render: Render) -> None:
    text = (render(**ANSWERS) / "CONTRIBUTING.md").read_text("utf-8")
    section = text[text.index("## Change it") : text.index("| to | type |")]
    named = re.findall(r"`([\w/]+\.(?:rs|pyi?|md))`", section)
    assert named == [*list(BLOCKS)[:-1], *DELETED, "README.md"]


@pytest.mark.parametrize("backend", one_of(BACKENDS[::-1]))
def test_replaced_project_passes_and_holds_nothing_of_the_sample(
    backend: str, render: Render, run: Run
) -> None:
    folder = render(build_backend=backend, **ANSWERS)
    apply(folder, BLOCKS)
    assert with_sample(folder) == {}
    run("git", "init", "--quiet", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    (search,) = re.findall(r"^\$ (git grep .*)", PAGE, re.M)
    assert run("sh", "-c", search, cwd=folder, check=False).stdout == ""
    once = backend == BACKENDS[0]  # the Rust files and the benchmark are the same in both
    sessions = ["lint", f"tests-{oldest_python()}", *(["rust", "bench"] if once else [])]
    printed = run(
        *("nox", "--sessions", *sessions),
        cwd=folder,
        **QUICK,
    ).stdout
    if once:
        label = r"TestMovingMaximum, ten thousand numbers, \[100\]"
        assert re.search(label + r": Rust is [\d,]+ times as fast as Python", printed)


@pytest.fixture(scope="module")
def replaced(
    render: Render, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A project with the page applied, in an editable install; and the Python that has it."""
    project, environment = render(**ANSWERS), tmp_path_factory.mktemp("replaced") / "environment"
    apply(project, BLOCKS)
    python = python_of(environment)
    run("uv", "venv", f"--python={pythons()[oldest_python()]}", environment, cwd=project)
    run(
        *("uv", "pip", "install", f"--python={python}", "--editable=.", "--group=dev"),
        cwd=project,
        **QUICK,
    )
    return project, python


# What the project's sessions run; the page says which of them names a file, and how.
COMMANDS = {
    "rust": [["nox", "--session", "rust"]],
    "lint": [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["zizmor", "--offline", ".github"],
    ],
    "tests": [["pytest"], ["stubtest", "fast_peaks"]],
}


def test_commands_are_those_of_the_sessions() -> None:
    noxfile = (PROJECT_FOLDER / "noxfile.py").read_text("utf-8")
    for session in ("lint", "tests"):
        (body,) = re.findall(rf"^def {session}\(.*\n((?:    .*\n)+)", noxfile, re.M)
        called = re.findall(r'(?:session\.run\(|^        \[)"(\w+)"', body, re.M)
        assert called == [command[0] for command in COMMANDS[session]]


MESSAGES = {
    name: (session, message)
    for name, session, message in re.findall(r"^\| `(\S+)` \| `(\w+)` \| `(.+?)`", PAGE, re.M)
}


def failures(session: str, project: Path, python: Path, run: Run) -> str:
    """What the commands of a session print that fail."""
    path = {} if session == "rust" else {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    results = [
        run("env", *command, cwd=project, check=False, **QUICK, **path)
        for command in COMMANDS[session]
    ]
    return "".join(result.stdout for result in results if result.returncode)


def test_nothing_fails_when_nothing_is_forgotten(replaced: tuple[Path, Path], run: Run) -> None:
    for session in COMMANDS:
        assert failures(session, *replaced, run) == ""


@pytest.mark.parametrize("forgotten", [*BLOCKS, "tests/test_sample_text.py"])
def test_forgotten_file_is_named(
    forgotten: str, replaced: tuple[Path, Path], render: Render, run: Run
) -> None:
    project, python = replaced
    session, message = MESSAGES[forgotten]
    named = "module 'reference'" if forgotten == "tests/reference.py" else Path(forgotten).name
    assert named in message
    replacement = (project / forgotten).read_bytes() if forgotten in BLOCKS else None
    shutil.copyfile(render(**ANSWERS) / forgotten, project / forgotten)
    printed = failures(session, project, python, run)
    if replacement is None:
        (project / forgotten).unlink()
    else:
        (project / forgotten).write_bytes(replacement)
    assert message in printed, printed
    if forgotten == "rust/kernel.rs":
        assert "`moving_maximum` in module `kernel`" in printed
