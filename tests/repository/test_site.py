"""The site: its pages are plain Markdown, it has all of them, and its reference is up to date."""

import re
from pathlib import Path, PurePosixPath

import pytest

from helpers.recipe_pages import blocks
from helpers.release_programs import platforms
from tools import reference
from tools.site import pages
from tools.site.project_page import project_page
from tools.template import DEFAULTS, TEMPLATE, project_files

PAGES = pages.pages()
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@by_name
def test_a_page_is_plain_markdown(page: Path) -> None:
    """GitHub shows a directive or a role of Sphinx as it is written."""
    text = page.read_text("utf-8")
    for block in blocks(text):
        text = text.replace(block.text, "")
    assert not re.search(r"^ *(`{3,}|:{3,}|~{3,}) *\{", text, re.M)
    assert not re.search(r"\{[\w-]+\}`", text)


@by_name
def test_links_lead_to_what_the_site_shows(page: Path) -> None:
    for target in pages.targets(page.read_text("utf-8")):
        assert pages.target_on_the_site(page, target)


def test_every_page_is_in_one_table_of_contents() -> None:
    listed = []
    for page, place in PAGES.items():
        if page.name == "README.md":
            text = pages.with_targets(
                page.read_text("utf-8"),
                lambda target, page=page: pages.target_on_the_site(page, target),  # type: ignore[misc]
            )
            tables = pages.tables_of_contents(page, text)
            listed += [place.parent / name for name in re.findall(r"^\S+\.md$", tables, re.M)]
    assert sorted(listed) == sorted(
        {*PAGES.values(), pages.PROJECT_PAGE} - {PurePosixPath("index.md")}
    )


@pytest.mark.parametrize(
    ("page", "target", "there"),
    [
        ("docs/how-to/update.md", "../../CHANGELOG.md", "../changelog.md"),
        ("docs/recipes/simd.md", "README.md#how-to-follow-a-page", "index.md#how-to-follow-a-page"),
        ("CONTRIBUTING.md", "docs/explanation/decisions.md", "explanation/decisions.md"),
        ("docs/README.md", "https://example.com/a.md", "https://example.com/a.md"),
        ("docs/README.md", "#a-heading", "#a-heading"),
    ],
)
def test_a_link_follows_its_page(page: str, target: str, there: str) -> None:
    assert pages.target_on_the_site(TEMPLATE / page, target) == there


@pytest.mark.parametrize("target", ["none.md", "../LICENSE", "../../outside.md", "how-to"])
def test_a_link_to_something_else_is_refused(target: str) -> None:
    with pytest.raises(pages.BrokenLink, match=f"links to {target}, which the site does not show"):
        pages.target_on_the_site(TEMPLATE / "docs" / "README.md", target)


def test_links_in_code_are_left_alone() -> None:
    text = "[a](b)\n\n````markdown\n```sh\n[c](d)\n```\n[e](f)\n````\n\n![g](h)\n"
    assert pages.targets(text) == ["b", "h"]
    changed = pages.with_targets(text, lambda target: f"{target}{target}")
    assert changed == text.replace("(b)", "(bb)").replace("(h)", "(hh)")


def test_front_page_for_language_models_leads_to_sources() -> None:
    """https://llmstxt.org: a title, a summary in a quotation, lists of links with notes."""
    title, _, quote, *_ = pages.llms_txt().splitlines()
    assert title.startswith("# ")
    assert quote.startswith("> ")
    linked = {
        target.removeprefix("_sources/").removesuffix(".txt")
        for target in pages.targets(pages.llms_txt())
    }
    wanted = {place.as_posix() for place in PAGES.values() if place.parent.name != "recipes"}
    assert linked == (wanted | {"recipes/index.md"}) - {"index.md"}


@pytest.mark.parametrize("name", reference.PAGES)
def test_reference_says_what_the_sources_say(name: str) -> None:
    file = reference.FOLDER / name
    assert file.read_text("utf-8") == reference.PAGES[name](), "run: nox -s reference"


def test_reference_has_what_it_is_made_from() -> None:
    """Each part is there, and no sentence was cut into pieces."""
    texts = {name: make() for name, make in reference.PAGES.items()}
    assert all(f"## `{key}`" in texts["questions.md"] for key in DEFAULTS)
    assert "- Windows keeps that name for a device, choose another\n" in texts["questions.md"]
    assert "| `free-threaded` | Build, install and test wheels on free" in texts["tasks.md"]
    emulated = [name for name, platform in platforms.PLATFORMS.items() if platform.emulated]
    glibc = [name for name in emulated if name.startswith("manylinux")]
    assert texts["platforms.md"].count("| `ubuntu-24.04`, emulated | glibc") == len(glibc) >= 4
    assert "- … has version …, the tag is …\n" in texts["refusals.md"]
    assert "- holds no stub, *.pyi\n" in texts["refusals.md"]
    assert "`UV_DEFAULT_INDEX`" in texts["environment.md"]


def test_page_of_a_rendered_project_holds_every_file() -> None:
    text = project_page()
    first, *_ = text.split("## With ")
    headings = re.findall(r"^## `(.+)`$", first, re.M)
    assert "rust/kernel.rs" in headings
    conditional = [name for name in project_files() if name.startswith(("{%", "{{"))]
    assert len(headings) == len(project_files()) - len(conditional) + 1  # the LICENSE
    kernel = (TEMPLATE / "{{cookiecutter.project_slug}}" / "rust" / "kernel.rs").read_text("utf-8")
    assert f"## `rust/kernel.rs`\n\n```rust\n{kernel.rstrip()}\n```\n" in first
    assert "\n`setup.py`:\n\n<details>\n<summary>setup.py, " in text
    assert "cookiecutter." not in re.sub(r"```.*?```", "", text, flags=re.S)
