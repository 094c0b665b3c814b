"""The template itself: where Jinja may stand, which file names, which lists and locks."""

import ast
import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from tools.template import (
    FLOORS,
    PROJECT_FOLDER,
    QUESTIONS,
    SETTINGS,
    TEMPLATE,
    minor,
    project_files,
    tracked,
    verbatim_files,
)

# The only files that hold Jinja; all others are copied as they are.
JINJA = {
    ".template.json",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "pyproject.toml",
    "release/README.md",
    "tests/bench_{{cookiecutter.package_name}}.py",
    "tests/test_sample_text.py",
    "tests/test_properties.py",
    "tests/test_{{cookiecutter.package_name}}.py",
    "{{cookiecutter.__bsd_file}}",
    "{{cookiecutter.__mit_file}}",
    "{{cookiecutter.__proprietary_file}}",
}


def test_jinja_stands_only_where_it_may() -> None:
    rendered = {
        name: file for name, file in project_files().items() if name not in verbatim_files()
    }
    with_jinja = {
        name for name, file in rendered.items() if re.search(r"{{|{%|{#", file.read_text("utf-8"))
    }
    assert with_jinja == JINJA


def test_every_verbatim_pattern_is_used() -> None:
    for glob in SETTINGS["_copy_without_render"]:
        assert any(fnmatch.fnmatch(name, glob) for name in project_files()), glob


def test_no_file_of_the_template_is_ignored_by_git() -> None:
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--", "."]
    ignored = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True).stdout
    assert ignored == ""


def test_rust_sources_hold_no_answer() -> None:
    for file in (PROJECT_FOLDER / "rust").rglob("*.rs"):
        text = file.read_text("utf-8")
        assert "cookiecutter" not in text, file
        assert "fast_doubles" not in text, file


def test_kernel_knows_no_python() -> None:
    kernel = (PROJECT_FOLDER / "rust" / "kernel.rs").read_text("utf-8")
    code = re.sub(r"//.*", "", kernel)
    assert not re.search(r"pyo3|python|Py[A-Z]", code, re.IGNORECASE)


def test_bindings_are_short_and_hold_no_algorithm() -> None:
    bindings = (PROJECT_FOLDER / "rust" / "python.rs").read_text("utf-8")
    assert not re.search(r"windows\(|chunks|zip\(|\bfor\b.* in ", bindings)
    assert "unsafe" not in bindings
    assert re.findall(r"\bconst (\w+)", bindings) == ["DEBUG"]
    assert len(bindings.splitlines()) <= 50


def test_no_source_file_is_too_long_to_find_ones_way_in() -> None:
    sources = [file for file in tracked(TEMPLATE) if file.suffix in (".py", ".rs", ".sh", ".yml")]
    lines = {
        str(file.relative_to(TEMPLATE)): len(file.read_text("utf-8").splitlines())
        for file in sources
    }
    assert len(lines) > 100
    assert {name: number for name, number in lines.items() if number > 430} == {}


def test_rust_sources_are_formatted_in_place() -> None:
    files = sorted((PROJECT_FOLDER / "rust").rglob("*.rs"))
    command = ["rustfmt", "--check", "--edition=2024", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_own_python_is_linted_formatted_and_typed(command: str, run: Run) -> None:
    """As `nox -s lint` does."""
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    assert f"session.run({str(command.split())[1:-1]})".replace("'", '"') in noxfile
    run(sys.executable, "-m", *command.split(), cwd=TEMPLATE)


def test_hooks_neither_delete_nor_download_nor_import_others_code() -> None:
    for file in (TEMPLATE / "hooks").glob("*.py"):
        source = file.read_text("utf-8").replace("{{ cookiecutter | tojson }}", "{}")
        nodes = list(ast.walk(ast.parse(source)))
        imported = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        } | {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert imported <= {
            "collections.abc",
            "json",
            "keyword",
            "os",
            "pathlib",
            "re",
            "shlex",
            "shutil",
            "subprocess",
            "sys",
            "unicodedata",
        }, file
        assert set(re.findall(r"\bos\.(\w+)", source)) <= {"environ"}, file
        assert not re.search(
            r"rmtree|unlink|remove\(|\.rmdir|\.rename|\.write|touch|shell=|eval\(|exec\(", source
        ), file


def test_answers_reach_hooks_as_data_only() -> None:
    for file in (TEMPLATE / "hooks").glob("*.py"):
        assert re.findall(r"{[{%#].*?[}%#]}", file.read_text("utf-8")) == [
            "{{ cookiecutter | tojson }}"
        ], file


@pytest.mark.parametrize("file", tracked(TEMPLATE), ids=lambda file: file.name)
def test_file_name_is_legal_on_windows(file: Path) -> None:
    name = file.relative_to(TEMPLATE).as_posix()
    assert not re.search(r'[<>:"|?*\\]', name)
    assert len(name) <= 140
    assert not file.is_symlink()


def test_every_question_has_a_prompt_and_every_choice_a_label() -> None:
    prompts = SETTINGS["__prompts__"]
    questions = QUESTIONS
    assert list(prompts) == list(questions)
    for key, value in questions.items():
        if isinstance(value, list):
            assert set(prompts[key]) == {"__prompt__", *value}


def test_an_answer_is_made_of_earlier_ones_only() -> None:
    """cookiecutter renders the defaults and the private variables in their order."""
    known: set[str] = set()
    for key, value in SETTINGS.items():
        if isinstance(value, str):
            assert set(re.findall(r"cookiecutter\.(\w+)", value)) <= known, key
        known.add(key)


LOCKED = [TEMPLATE, TEMPLATE / "benchmarks", TEMPLATE / "docs"]


@pytest.mark.parametrize("folder", LOCKED, ids=lambda path: path.name)
def test_lock_pins_every_tool_by_hash(folder: Path) -> None:
    lock = (folder / "requirements.txt").read_text("utf-8")
    wanted = re.findall(r"^[a-z0-9-]+", (folder / "requirements.in").read_text("utf-8"), re.M)
    for name in wanted:
        assert re.search(rf"^{name}==[^\n]+\\\n +--hash=sha256:", lock, re.M), name


def test_floors_end_where_both_backends_make_abi3_wheels() -> None:
    """docs/explanation/decisions.md says why."""
    (setup,) = PROJECT_FOLDER.glob("*setup.py*")
    (limit,) = re.findall(r"version_info < \(3, (\d+)\)", setup.read_text("utf-8"))
    assert max(map(minor, FLOORS)) < int(limit)


def test_oldest_rust_is_said_alike_everywhere() -> None:
    cargo = (PROJECT_FOLDER / "Cargo.toml").read_text("utf-8")
    (oldest,) = re.findall(r'rust-version = "([\d.]+)"', cargo)
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    assert f"OLDEST_RUST = ({oldest.replace('.', ', ')})" in noxfile
    said = [
        (str(file.relative_to(TEMPLATE)), version)
        for file in tracked(TEMPLATE)
        if file.suffix in (".md", ".py", ".toml", ".yml")
        for version in re.findall(
            r"\b(1\.\d\d)(?:\.0)?(?: or newer|, the oldest\b)|rust-version = \"(1\.\d\d)\"",
            file.read_text("utf-8"),
        )
    ]
    assert len({file for file, _ in said}) >= 6
    assert [
        (file, other) for file, versions in said if (other := "".join(versions)) != oldest
    ] == []


def test_cookiecutter_json_is_json_with_unique_keys() -> None:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"), object_pairs_hook=unique)
