"""`.template.json`: the version and the answers that a project was rendered with."""

import pytest

from helpers.fixture_types import Render
from helpers.rendering import record
from tools.template import (
    DEFAULTS,
    SETTINGS,
)


def test_record_holds_the_version_and_every_answer(render: Render) -> None:
    assert record(render()) == {
        "template": "cookiecutter-pyo3-wheel",
        "version": SETTINGS["__template_version"],
        "answers": DEFAULTS,
    }


@pytest.mark.parametrize(
    "text", ['say "hi"', "back\\slash", "a</b>'&", "人人 🦀", "}, {", "‮right to left", "é" * 512]
)
def test_record_gives_back_the_very_answer(render: Render, text: str) -> None:
    project = render(project_name=text, project_slug="odd", description=text, author_name=text)
    answers = record(project)["answers"]
    assert [answers[key] for key in ("project_name", "description", "author_name")] == [text] * 3
