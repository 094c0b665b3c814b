"""`.template.json`: the version and the answers that a project was rendered with."""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cookiecutter_extension
from helpers.fixture_types import Render, Run
from helpers.rendering import record
from tools.template import DEFAULTS, SETTINGS, TEMPLATE


def test_record_holds_the_version_and_every_answer(render: Render) -> None:
    assert record(render()) == {
        "template": "cookiecutter-pyo3-wheel",
        "source": None,  # rendered from a folder
        "version": SETTINGS["__template_version"],
        "answers": DEFAULTS,
    }


@pytest.mark.parametrize(
    "text", ['say "hi"', "back\\slash", "a</b>'&", "人人 🦀", "}, {", "‮right to left", "é" * 512]
)
def test_record_gives_back_the_same_answer(render: Render, text: str) -> None:
    project = render(project_name=text, project_slug="odd", description=text, author_name=text)
    answers = record(project)["answers"]
    assert [answers[key] for key in ("project_name", "description", "author_name")] == [text] * 3


SOURCES = {
    "gh:ada/wheel": "https://github.com/ada/wheel",
    "gl:group/sub/wheel": "https://gitlab.com/group/sub/wheel",
    "bb:ada/wheel": "https://bitbucket.org/ada/wheel",
    "https://github.com/ada/wheel": "https://github.com/ada/wheel",
    "https://github.com/ada/wheel.git": "https://github.com/ada/wheel",
    "https://github.com/ada/wheel/": "https://github.com/ada/wheel",
    "git+https://github.com/ada/wheel.git": "https://github.com/ada/wheel",
    "https://ada:s3cret@git.example.org:8443/ada/wheel": "https://git.example.org:8443/ada/wheel",
    "https://s3cret@github.com/ada/wheel": "https://github.com/ada/wheel",
    "http://git.example.org/wheel": "",  # no owner: not a path of two words
    "git@github.com:ada/wheel.git": "https://github.com/ada/wheel",
    "github.com:ada/wheel": "https://github.com/ada/wheel",
    "ssh://git@github.com:22/ada/wheel.git": "https://github.com/ada/wheel",
    "https://github.com/ada/wheel/archive/main.zip": "",
    "https://github.com/ada/wheel?token=s3cret": "https://github.com/ada/wheel",
    "https://github.com:port/ada/wheel": "",
    "https://[::1/ada/wheel": "",
    "https://github.com/a)[x](y/wheel": "",
    "file:///home/ada/wheel": "",
    "/home/ada/wheel": "",
    "../wheel": "",
    ".": "",
    "C:\\Users\\ada\\wheel": "",
    "own:ada/wheel": "",
    "wheel.zip": "",
    "": "",
}


@pytest.mark.parametrize(("template", "address"), SOURCES.items())
def test_source_is_a_web_address_without_secrets(template: str, address: str) -> None:
    assert cookiecutter_extension.web_address(template) == address


@given(st.text())
def test_any_template_has_an_address_that_fits_into_a_link_or_none(template: str) -> None:
    for text in (template, f"https://{template}", f"gh:{template}", f"git@{template}"):
        address = cookiecutter_extension.web_address(text)
        assert re.fullmatch(r"(https://[\w.~:/-]+)?", address, re.ASCII), address


def test_a_project_says_where_its_template_is(run: Run, tmp_path: Path) -> None:
    """Rendered by an abbreviation that the user's configuration leads to this folder."""
    config = tmp_path / "config.yaml"
    config.write_text("")
    code = (
        "import sys; from cookiecutter import repository, main;"
        "main.determine_repo_dir = lambda **_: (sys.argv[1], False);"
        "main.cookiecutter('gh:ada/wheel', no_input=True, output_dir=sys.argv[2],"
        " config_file=sys.argv[3])"
    )
    run(sys.executable, "-c", code, TEMPLATE, tmp_path, config, cwd=tmp_path)
    project = tmp_path / DEFAULTS["project_slug"]
    assert record(project)["source"] == "https://github.com/ada/wheel"
    text = (project / "CONTRIBUTING.md").read_text("utf-8")
    linked = re.findall(r"https://github\.com/ada/wheel/blob/HEAD/(docs/\S+\.md)\)", text)
    assert len(set(linked)) >= 6
    assert all((TEMPLATE / page).is_file() for page in linked)


def test_a_project_from_a_folder_names_the_pages(render: Render) -> None:
    text = (render() / "CONTRIBUTING.md").read_text("utf-8")
    assert str(TEMPLATE) not in text
    pages = re.findall(r"^\| `(docs/how-to/[\w-]+\.md)` \|", text, re.M)
    assert len(pages) == 6
    assert all((TEMPLATE / page).is_file() for page in pages)
