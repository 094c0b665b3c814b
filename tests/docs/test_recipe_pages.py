"""The pages of docs/recipes/: all light ones in one project, as they are and with a line broken.

`nox -s nightly` follows each page by itself, with both backends, and the heavy ones too.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import recipe_pages
from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from helpers.pages import read
from helpers.recipe_pages import FOLLOWED, HEAVY, blocks
from tools.machine import oldest_python
from tools.template import TEMPLATE

NAMES = recipe_pages.names()
LIGHT = [name for name in NAMES if name not in HEAVY]
Prepare = Callable[[str, list[str]], Path]


@pytest.fixture
def prepare(render: Render, run: Run) -> Prepare:
    """Follow recipes in a fresh rendering with a backend, and let git track the result."""

    def prepare(backend: str, names: list[str]) -> Path:
        project = render(build_backend=backend)
        run("git", "init", "--quiet", cwd=project)
        for name in names:
            steps = recipe_pages.follow(
                name, project, lambda line: run("bash", "-ec", line, cwd=project, **QUICK)
            )
            wanted = [b for b in blocks(recipe_pages.text_of(name)) if b.section in FOLLOWED]
            assert steps == len(wanted) > 0, name
        run("git", "add", "--all", cwd=project)
        return project

    return prepare


@pytest.mark.builds
def test_all_light_recipes_pass_in_one_project(prepare: Prepare, run: Run) -> None:
    project = prepare("maturin", LIGHT)
    run("nox", "--session", "fix", cwd=project)
    for name in LIGHT:
        recipe_pages.check_new_files_are_formatted(name, project)
    sessions = ("lint", "rust", f"tests-{oldest_python()}")
    printed = run("nox", "--sessions", *sessions, cwd=project, **QUICK).stdout
    for name in LIGHT:
        recipe_pages.check_tests_ran(name, printed)


@pytest.mark.builds
def test_every_broken_line_of_a_light_recipe_fails_by_name(prepare: Prepare, run: Run) -> None:
    project = prepare("setuptools-rust", LIGHT[::-1])
    names = {recipe_pages.broken(name, project).test for name in LIGHT}
    assert len(names) == len(LIGHT)
    run("git", "add", "--all", cwd=project)
    sessions = ("rust", f"tests-{oldest_python()}")
    printed = run("nox", "--sessions", *sessions, cwd=project, check=False, **QUICK).stdout
    assert names <= recipe_pages.failed_tests(printed), printed


@pytest.mark.builds  # cargo may ask crates.io
@pytest.mark.parametrize("name", sorted(HEAVY))
def test_blocks_of_a_heavy_recipe_fit_the_project_of_today(
    name: str, render: Render, run: Run
) -> None:
    """Nightly runs what they lead to; here, each line that they name has to be there once."""
    project = render(build_backend="maturin")

    def shell(line: str) -> None:
        if line.startswith(("cargo add", "mkdir", "mv")):
            run("bash", "-ec", line, cwd=project)

    wanted = [block for block in blocks(recipe_pages.text_of(name)) if block.section in FOLLOWED]
    assert recipe_pages.follow(name, project, shell) == len(wanted) > 0
    run("ruff", "check", "--select=F821", cwd=project)  # names that the project has no more


ROW = re.compile(r"^\| (\S.+) \| (?:\[([\w-]+)\]\(\2\.md\)|`docs/recipes/([\w-]+)\.md`) \|$", re.M)


def questions(text: str) -> dict[str, str]:
    """The question that leads to each recipe, in a table of an index."""
    return {name or path: question for question, name, path in ROW.findall(text)}


def test_index_and_projects_ask_the_same_question_for_each_recipe(render: Render) -> None:
    index = questions(read("recipes/README.md").text)
    assert sorted(index) == NAMES
    assert questions((render() / "CONTRIBUTING.md").read_text("utf-8")) == index


def test_readme_counts_the_recipes() -> None:
    readme = (TEMPLATE / "README.md").read_text("utf-8")
    assert "classes, errors, NumPy, threads, async, a command, coverage and nine more" in readme
    assert "sixteen complete changes" in read("README.md").text
    assert len(NAMES) == 7 + 9


@pytest.mark.parametrize("name", NAMES)
def test_page_has_its_sections_and_counts_its_lines(name: str) -> None:
    page = recipe_pages.text_of(name)
    headings = re.findall(r"^## (.+)$", page, re.M)
    wanted = ["The change", "The test", "What goes wrong without it", "See it fail"]
    assert [heading for heading in headings if heading in wanted] == wanted
    cost = recipe_pages.cost(name)
    assert cost.lines == recipe_pages.new_lines(name)
    followed = [block.text for block in blocks(page) if block.section in FOLLOWED]
    test = recipe_pages.broken_in(name).test
    assert test == "stubtest" or any(f" {test}(" in text for text in followed)


@pytest.mark.parametrize("name", NAMES)
def test_every_code_block_of_a_page_is_read(name: str) -> None:
    page = recipe_pages.text_of(name)
    for block in blocks(page):
        fence = "````" if "```" in block.text else "```"
        whole = f"{fence}{block.language}\n{block.text}{fence}\n"
        assert whole in page
        page = page.replace(whole, "", 1)
    assert not re.search("^```", page, re.M), "a fence without a language?"


@pytest.mark.parametrize("name", [name for name in NAMES if ">>> " in recipe_pages.text_of(name)])
def test_examples_of_a_page_end_with_an_empty_line(name: str) -> None:
    for block in blocks(recipe_pages.text_of(name)):
        assert block.language != "pycon" or block.text.endswith("\n\n"), "doctest reads the fence"


def test_followed_blocks_must_say_what_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe_pages, "FOLDER", tmp_path)
    (tmp_path / "tests").mkdir()
    (tmp_path / "file").write_text("one\ntwo\ntwo\n", "utf-8")
    page = "## The change\n\n{above}\n\n```{language}\n{text}```\n"
    for above, language, text, message in [
        ("A file:", "diff", "-one\n", "what is the block of"),
        ("`file`:", "python", "one\n", "what is the block of"),
        ("`file`, a new file:", "python", "one\n", "is there already"),
        ("`file`:", "diff", " two\n+three\n", "2 times:\ntwo"),
        ("`file`:", "diff", " none\n+three\n", "0 times:\nnone"),
        ("`file`:", "diff", " one\n", "nothing is changed"),
        ("`file`:", "diff", "one\n+two\n", "no lines of a diff"),
    ]:
        (tmp_path / "page.md").write_text(page.format(above=above, language=language, text=text))
        with pytest.raises(AssertionError, match=message):
            recipe_pages.follow("page", tmp_path, pytest.fail)
