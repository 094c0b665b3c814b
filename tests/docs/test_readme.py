"""README and the pages of reference are true: tree, questions, commands, links."""

import html
import json
import re
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Render, Run
from helpers.release_programs import plan, platforms
from helpers.rendering import tree_of
from helpers.workflows import PROJECT_WORKFLOWS, load
from tools import first_minute
from tools.template import DEFAULTS, PROJECT_FOLDER, QUESTIONS, SETTINGS, TEMPLATE

README = (TEMPLATE / "README.md").read_text("utf-8")
FILES = (TEMPLATE / "docs" / "reference" / "files.md").read_text("utf-8")
START = (TEMPLATE / "docs" / "getting-started.md").read_text("utf-8")
DOCUMENTS = [*TEMPLATE.glob("*.md"), *TEMPLATE.glob("docs/**/*.md")]


def test_tree_is_that_of_the_default_rendering() -> None:
    (drawing,) = re.findall(r"```text\nfast-doubles/\n(.*?)```", FILES, re.DOTALL)
    drawn: set[str] = set()
    folders: list[str] = []
    for line in drawing.splitlines():
        branch, names = re.match(r"([│├└─ ]+)(.*?)(?: {3,}|$)", line).groups()  # type: ignore[union-attr]
        del folders[len(branch) // 4 - 1 :]
        if names.endswith("/"):
            folders.append(names)
        else:
            drawn |= {"".join([*folders, name]) for name in names.split()}
    tree = tree_of(DEFAULTS)
    assert drawn == set(tree.read_text("utf-8").split())


@pytest.mark.parametrize("workflow", PROJECT_WORKFLOWS, ids=lambda file: file.name)
def test_jobs_of_a_workflow_are_those_in_the_tree(workflow: Path) -> None:
    (line,) = re.findall(rf"workflows/{workflow.name} +(.*)", FILES)
    assert line.split(" · ") == list(load(workflow)["jobs"])


def test_it_can_be_read_in_five_minutes() -> None:
    """Tables and commands count too; pictures and the addresses of links do not."""
    text = re.sub(r"!\[[^]]*\]\([^)]*\)|\]\([^)]*\)", " ", README)
    words = [word for word in text.split() if re.search(r"\w", word)]
    assert 500 < len(words) <= 1000


def test_questions_are_counted() -> None:
    """docs/reference/questions.md lists them: tests/repository/test_site.py."""
    number = {10: "ten", 11: "eleven", 12: "twelve"}[len(QUESTIONS)]
    assert f"asks {number} [questions]" in README


def test_picture_of_the_first_minute_shows_what_is_typed() -> None:
    """`nox -s first-minute` makes it from a real run."""
    drawing = (TEMPLATE / "docs" / "first-minute.svg").read_text("utf-8")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    shown = html.unescape("".join(texts)).replace("\N{NO-BREAK SPACE}", " ")
    for command in first_minute.TYPED:
        first, *others = command.split("\n")
        for line in (f"$ {first}", *(f"> {line}" for line in others)):
            assert line in shown
    for command in list(first_minute.TYPED)[:3]:
        assert re.search(rf"^\$ {re.escape(command)}( |$)", README, re.M)
    assert "Fast Doubles is ready. A git repository was made, with a first commit." in shown
    assert re.search(r"nox > \* tests-3\.\d+: success", shown)
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


PAGES = sorted((TEMPLATE / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_linked_and_has_a_test_of_its_name(page: Path) -> None:
    assert f"](docs/how-to/{page.name})" in README  # docs/README.md has every page: test_site.py
    test = TEMPLATE / "tests" / "docs" / f"test_{page.stem.replace('-', '_')}.py"
    assert f"docs/how-to/{page.name}" in test.read_text("utf-8").splitlines()[0]


def test_every_rule_of_the_architecture_names_tests_that_there_are() -> None:
    text = (TEMPLATE / "ARCHITECTURE.md").read_text("utf-8")
    rules = text[text.index("| rule | kept by |") :]
    named = re.findall(r"`(\w+/test_\w+\.py)`", rules)
    assert len(named) >= 14
    for name in named:
        assert (TEMPLATE / "tests" / name).is_file(), name


def test_commands_exist() -> None:
    makefile = (TEMPLATE / "Makefile").read_text("utf-8")
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    commands = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)
    assert commands == re.findall(r"^\$ make (\w+)", START, re.MULTILINE) == ["demo", "test"]
    for command in commands:
        assert f"\n{command}: " in makefile
        assert f"\ndef {command}(" in noxfile
    project = (PROJECT_FOLDER / "noxfile.py").read_text("utf-8")
    for session in re.findall(r"nox -s (\w+)", (PROJECT_FOLDER / "README.md").read_text("utf-8")):
        assert f"\ndef {session}(" in project


def test_oldest_cookiecutter_is_said_alike() -> None:
    said = [re.findall(r"cookiecutter must be ([\d.]+) or newer", page) for page in (README, START)]
    assert said == [["2.1"], ["2.1"]]  # tests/rendering/test_ways_to_render.py renders with it


def test_pyo3_is_the_version_that_is_claimed() -> None:
    (claimed,) = re.findall(r"\(newest: [\d.]+\) \| ([\d.]+) \|", README)
    cargo = (PROJECT_FOLDER / "Cargo.toml").read_text("utf-8")
    assert f'pyo3 = {{ version = "{claimed}"' in cargo


def test_pythons_that_install_the_wheels_are_those_of_the_plan() -> None:
    (said,) = re.findall(
        r"wheel that pip picks for ([\d.t, ]+) and the oldest Python \(Windows ARM64:\s",
        README,
    )
    abis = platforms.read_wheels()["manylinux_x86_64"]
    jobs = plan.install_matrix({"manylinux_x86_64": abis}, 12)
    pythons = {job["python"] for job in jobs}
    assert {"3.12", *re.findall(r"[\d.]+t?", said)} == pythons
    with_runners = {job["platform"] for job in plan.install_matrix(platforms.read_wheels(), 12)}
    number = {6: "six", 7: "seven", 8: "eight"}[len(with_runners)]
    assert f"{number} platforms, machines of GitHub install" in README
    on_arm = {job["python"] for job in plan.install_matrix({"win_arm64": abis}, 12)}
    assert on_arm == {python for python in pythons if not python.endswith("t")}


@pytest.mark.builds
def test_call_of_the_start_prints_what_the_page_says(render: Render, run: Run) -> None:
    """The other commands of the start are those of the tutorial, and `nox -s bench`."""
    (block,) = re.findall(r"## Start\n.*?```console\n(.*?)```", README, re.DOTALL)
    (called,) = re.findall(r"^\$ (uv run .*)\n(.*)\n", block, re.MULTILINE)
    printed = run("bash", "-ec", called[0], cwd=render(), **QUICK).stdout
    assert printed.splitlines()[-1] == called[1] == "1"


def test_limit_of_glibc_is_said_alike() -> None:
    newest = platforms.PLATFORMS["manylinux_x86_64"].newest
    page = (TEMPLATE / "docs" / "how-to" / "release-half.md").read_text("utf-8")
    assert f"for an older glibc than {newest}." in README
    assert f"| for glibc older than {newest} |" in page


def test_first_screen_has_the_commands() -> None:
    first = "\n".join(README.splitlines()[:30])
    for word in (
        "$ uvx cookiecutter ./cookiecutter-pyo3-wheel",
        "uvx nox",
        "existing-crate.md",
    ):
        assert word in first


def test_the_placeholder_for_the_owner_stands_once() -> None:
    assert README.count("OWNER") == README.count("gh:OWNER/cookiecutter-pyo3-wheel") == 1


def test_short_tree_of_the_readme_is_a_part_of_the_whole_one() -> None:
    (drawing,) = re.findall(r"```text\nfast-doubles/\n(.*?)```", README, re.DOTALL)
    names = re.findall(r"^[├└]── (\S+)", drawing, re.M)
    assert len(names) >= 7
    tree = tree_of(DEFAULTS).read_text("utf-8").split()
    for name in names:
        assert any(f"{file}/".startswith(f"{name.rstrip('/')}/") for file in tree), name


def test_readme_says_how_much_machinery_the_owner_takes_over() -> None:
    machinery = [
        *PROJECT_FOLDER.glob("release/tools/*.py"),
        *PROJECT_FOLDER.glob(".github/**/*.yml"),
    ]
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in machinery)
    (said,) = re.findall(r"about ([\d,]+) lines", README)
    assert abs(lines - int(said.replace(",", ""))) < 100, lines


def test_first_prompt_says_that_enter_is_fine() -> None:
    prompts = json.dumps(SETTINGS["__prompts__"])
    assert "Enter" in prompts
