"""`nox -s compare`, and what docs/how-to/update.md says of it: projects and their release."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from helpers.fixture_types import Follow, Render, Run
from helpers.pages import edit, read
from helpers.rendering import record
from tools import compare
from tools.template import (
    DEFAULTS,
    TEMPLATE,
    verbatim_files,
)

pytestmark = pytest.mark.builds  # cruft and nox are installed into environments of their own

PAGE = read("how-to/update.md").section("Forty repositories")


@pytest.fixture(scope="module")
def fleet(
    follow: Follow, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Projects of both versions, one of them changed."""
    folder = tmp_path_factory.mktemp("fleet")
    projects = {}
    for name, tag, package in (
        ("untouched", "v0.1.0", "untouched"),
        ("changed", "v0.1.0", "another_name"),
        ("newer", "v0.2.0", "newer"),
    ):
        follow(
            f"uvx cookiecutter gh:OWNER/{template.name} --checkout {tag} --no-input "
            f"project_slug={name} package_name={package}",
            folder,
        )
        projects[name] = folder / name
    changed = projects["changed"]
    edit(changed / "noxfile.py", '"""The project\'s tasks:', '"""My tasks:')
    (changed / "release" / "tools" / "gate.py").unlink()
    (changed / "python" / "another_name" / "py.typed").write_text("partial\n", "utf-8")
    (changed / "rust" / "kernel.rs").write_text("// mine\n", "utf-8")
    (changed / "THIRD-PARTY-LICENSES.txt").write_text("of my crates\n", "utf-8")
    (changed / "README.md").write_text("mine\n", "utf-8")  # not verbatim
    return projects


def test_comparison_lists_the_verbatim_files_that_differ(
    fleet: dict[str, Path], template: Path
) -> None:
    rows, failures = compare.compare(list(fleet.values()), template)
    assert failures == 0
    assert rows == [
        ("untouched", "0.1.0", "", "as released"),
        ("changed", "0.1.0", "noxfile.py", "changed"),
        ("changed", "0.1.0", "python/another_name/py.typed", "changed"),
        ("changed", "0.1.0", "release/tools/gate.py", "missing"),
        ("newer", "0.2.0", "", "as released"),
    ]
    rows, _ = compare.compare([fleet["changed"]], template, everything=True)
    assert ("changed", "0.1.0", "rust/kernel.rs", "changed") in rows
    assert ("changed", "0.1.0", "THIRD-PARTY-LICENSES.txt", "changed") in rows
    assert len(rows) == 5


def test_comparison_with_another_version(fleet: dict[str, Path], template: Path) -> None:
    rows, _ = compare.compare([fleet["untouched"]], template, release="v0.2.0")
    assert {row[1:] for row in rows} == {
        ("0.1.0 (v0.2.0)", name, state)
        for name, state in {
            ".cargo/newer.toml": "missing",
            ".gitignore": "changed",
            "noxfile.py": "changed",
            "release/newer.txt": "missing",
        }.items()
    }


def test_comparison_knows_all_verbatim_files(template: Path, tmp_path: Path) -> None:
    compare.unpack(template, "v0.1.0", tmp_path / "release")
    files = compare.rendering(tmp_path / "release", DEFAULTS, tmp_path / "out")
    assert set(files) == {
        name.replace("{{cookiecutter.package_name}}", "fast_doubles") for name in verbatim_files()
    }


def test_the_sample_is_what_the_owner_is_asked_to_replace(render: Render) -> None:
    page = (render() / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"`((?:rust|python|tests)/\S+)`", page.split("## What to write")[0]))
    verbatim = {
        name.replace("{{cookiecutter.package_name}}", "fast_doubles") for name in verbatim_files()
    }
    sample = {glob.replace("*", "fast_doubles") for glob in compare.SAMPLE}
    assert sample == named & verbatim


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% raw %}", "{% endraw %}\"'\\ {# 🦀", "\\N{DASH}"]
)
def test_comparison_executes_no_answer(text: str, template: Path, tmp_path: Path) -> None:
    compare.unpack(template, "v0.1.0", tmp_path / "release")
    answers = DEFAULTS | {"description": text}
    compare.rendering(tmp_path / "release", answers, tmp_path / "out")
    assert record(tmp_path / "out" / "fast-doubles")["answers"] == answers


def test_a_commit_that_would_execute_answers_is_not_rendered(
    template: Path, tmp_path: Path
) -> None:
    compare.unpack(template, "v0.1.0", tmp_path / "release")
    edit(tmp_path / "release" / "cookiecutter.json", '"_extensions"', '"_no_extensions"')
    with pytest.raises(compare.CannotCompare, match="would run Jinja in the answers"):
        compare.rendering(tmp_path / "release", DEFAULTS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["package_name", "project_slug", "__spdx"])
@pytest.mark.parametrize("way", ["relative", "absolute"])
def test_a_record_that_leads_out_of_the_folder_is_refused(
    key: str, way: str, template: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "mine.txt").write_text("mine\n", "utf-8")
    # Deep enough for the folder of a package: out/fast-doubles/python/..
    path = str(victim) if way == "absolute" else f"{'../' * 12}{str(victim).lstrip('/')}"
    compare.unpack(template, "v0.1.0", tmp_path / "release")
    reason = "takes no __spdx" if key == "__spdx" else "refuses an answer"
    with pytest.raises(compare.CannotCompare, match=reason):
        compare.rendering(tmp_path / "release", DEFAULTS | {key: path}, tmp_path / "out")
    assert [file.name for file in victim.iterdir()] == ["mine.txt"]
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


RECORD = {"template": "x", "version": "0.1.0", "answers": DEFAULTS}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no .template.json"),
        ("{", ".template.json is not as rendered"),
        ("[]", ".template.json is not as rendered"),
        (json.dumps({"version": 1, "answers": {}}), ".template.json is not as rendered"),
        (json.dumps({"version": "1", "answers": {"a": 1}}), ".template.json is not as rendered"),
        (json.dumps(RECORD | {"version": "9.9.9"}), "has no 'v9.9.9': git fetch --tags"),
        (json.dumps(RECORD | {"answers": {"colour": "red"}}), "takes no colour 'red'"),
        (
            json.dumps(RECORD | {"answers": DEFAULTS | {"python_floor": "2.7"}}),
            "takes no python_floor '2.7'",
        ),
    ],
)
def test_a_project_that_cannot_be_compared_does_not_stop_the_others(
    content: str | None, reason: str, fleet: dict[str, Path], template: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / ".template.json").write_text(content, "utf-8")
    rows, failures = compare.compare([tmp_path, fleet["untouched"]], template)
    assert failures == 1
    assert reason in rows[0][3]
    assert rows[1] == ("untouched", "0.1.0", "", "as released")


def test_the_command_prints_one_table_and_its_status(render: Render, run: Run) -> None:
    """What was rendered between two releases is compared with HEAD."""
    command = (sys.executable, "-m", "tools.compare")
    assert compare.release_of("0.2.0.dev0") == "HEAD"
    result = run(*command, render(), TEMPLATE, cwd=TEMPLATE, check=False)
    assert result.returncode == 1
    titles, line, *rows = result.stdout.splitlines()
    assert titles.split() == ["project", "template", "file", "state"]
    assert set(line) == {"-", " "}
    assert rows[0].startswith("fast-doubles")
    assert "NOT compared: no .template.json" in result.stdout
    assert rows[-1].startswith("2 projects, ")
    assert "Traceback" not in result.stdout


def test_session_takes_folders_relative_to_where_it_is_called(render: Render, run: Run) -> None:
    project = render()
    noxfile = f"--noxfile={TEMPLATE / 'noxfile.py'}"
    printed = run(
        *("nox", noxfile, "--session", "compare", "--", project.name, "--with", "HEAD"),
        cwd=project.parent,
    ).stdout
    assert "NOT compared" not in printed
    assert "\n1 projects, " in printed
    assert not (project.parent / ".nox").exists()


def test_options_of_the_page_exist() -> None:
    (command,) = [c for c in PAGE.command_blocks()[0] if "nox" in c]
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    assert shlex.split(command)[:4] == ["uvx", "nox", "-s", "compare"]
    assert "\ndef compare(session" in noxfile
    source = (TEMPLATE / "tools" / "compare.py").read_text("utf-8")
    for option in re.findall(r"`(--[a-z]+)", PAGE.text):
        assert option == "--skip-apply-ask" or f'"{option}"' in source
    (shown,) = re.findall(r"```text\n(.*?)\n\n(?:.*)\n```", PAGE.text, re.S)
    titles, _, *rows = [line.split() for line in shown.splitlines()]
    cells = [
        (row[0], row[1], "", " ".join(row[2:])) if row[2] == "as" else tuple(row) for row in rows
    ]
    assert compare.table([tuple(titles), *cells]) == shown
