"""Every combination of answers: which files are rendered, and that each is well formed."""

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression
from validate_pyproject.api import Validator

from helpers.fixture_types import Render, Run
from helpers.rendering import files, holds_an_owner, rendered, tree_of
from tools.template import (
    BACKENDS,
    COMBINATIONS,
    FLOORS,
    LICENSES,
    PROJECT_FOLDER,
    PYTHONS,
    TEMPLATE,
    minor,
    name_of,
    verbatim_files,
)


@pytest.fixture(scope="module")
def look_at(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render with some answers, once for all tests, which only read; without git's own files."""

    @cache
    def look_at(**answers: str) -> Path:
        return rendered(answers, tmp_path_factory.mktemp("rendering"), hooks=False)

    return look_at


every_combination = pytest.mark.parametrize("answers", COMBINATIONS, ids=name_of)


@cache
def validator() -> Validator:
    """It compiles its schemas once: half a second."""
    return Validator()


def pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))


@every_combination
def test_tree_is_the_agreed_one(look_at: Render, answers: dict[str, str]) -> None:
    snapshot = tree_of(answers)
    tree = "\n".join(files(look_at(**answers))) + "\n"
    if os.environ.get("WRITE_TREES"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(tree, "utf-8")
    assert tree == snapshot.read_text("utf-8"), "if this is meant, write them: WRITE_TREES=1"


@every_combination
def test_nothing_is_left_unrendered(look_at: Render, answers: dict[str, str]) -> None:
    for name, content in files(look_at(**answers)).items():
        if not name.startswith(".github/"):  # has `${{ }}` of its own
            assert not re.search(rb"cookiecutter[.]|{%|{#", content), name
        assert b"\r" not in content, name
        if name != ".bumpversion.cfg":  # bump2version writes empty lines of a value as a tab
            assert not re.search(rb"[ \t]+$", content, re.M), name
        assert content == b"" or content.endswith(b"\n"), name
        assert not content.endswith(b"\n\n"), name


@every_combination
def test_verbatim_files_are_copied_to_the_byte(look_at: Render, answers: dict[str, str]) -> None:
    project = look_at(**answers)
    for name in verbatim_files():
        rendered = name.replace("{{cookiecutter.package_name}}", "fast_doubles")
        assert (project / rendered).read_bytes() == (PROJECT_FOLDER / name).read_bytes(), name


@every_combination
def test_manifests_are_valid(look_at: Render, answers: dict[str, str]) -> None:
    project = look_at(**answers)
    manifest = pyproject(project)
    validator()(manifest)
    floor = answers["python_floor"]

    assert manifest["project"]["requires-python"] == f">={floor}"
    versions = [c for c in manifest["project"]["classifiers"] if ":: Python :: 3." in c]
    assert versions == [
        f"Programming Language :: Python :: {python}"
        for python in PYTHONS
        if minor(python) >= minor(floor)
    ]
    assert "Programming Language :: Python :: Free Threading" in manifest["project"]["classifiers"]
    features = re.findall(r"abi3-py3(\d+)", (project / "pyproject.toml").read_text("utf-8"))
    # maturin's feature, and once more in the override for cp315t.
    expected = [str(minor(floor))] * 2 if answers["build_backend"] == "maturin" else []
    assert features == expected

    cargo = tomllib.loads((project / "Cargo.toml").read_text("utf-8"))
    lock = tomllib.loads((project / "Cargo.lock").read_text("utf-8"))
    assert cargo["package"]["name"] == "_fast_doubles_native"
    assert "_fast_doubles_native" in [package["name"] for package in lock["package"]]
    assert cargo["package"]["publish"] is False
    assert "extension-module" not in (project / "Cargo.toml").read_text("utf-8")


@every_combination
def test_license_is_real(look_at: Render, answers: dict[str, str]) -> None:
    project = look_at(**answers)
    manifest = pyproject(project)["project"]
    texts = {file.name: file.read_text("utf-8") for file in project.glob("LICENSE*")}
    words = {
        "MIT": {"LICENSE": "Permission is hereby granted, free of charge"},
        "Apache-2.0": {"LICENSE": "Version 2.0, January 2004"},
        "MIT OR Apache-2.0": {
            "LICENSE-MIT": "Permission is hereby granted, free of charge",
            "LICENSE-APACHE": "Version 2.0, January 2004",
        },
        "BSD-3-Clause": {"LICENSE": "Neither the name of the copyright holder"},
        "Proprietary": {"LICENSE": "All rights reserved"},
    }[answers["license"]]
    assert texts.keys() == words.keys()
    for name, word in words.items():
        assert word in texts[name]
        if holds_an_owner(texts[name]):
            assert "Copyright (c) Your Name" in texts[name]
        assert f"/blob/main/{name})" in (project / "README.md").read_text("utf-8")

    private = answers["license"] == "Proprietary"
    expected = "LicenseRef-Proprietary" if private else answers["license"]
    assert manifest["license"] == canonicalize_license_expression(expected)
    assert ("Private :: Do Not Upload" in manifest["classifiers"]) is private


def test_types_are_checked_strictly_in_all_python_files(render: Render, run: Run) -> None:
    project = render()
    names = ["noxfile.py", "python/fast_doubles/__init__.py", "tests/reference.py"]
    names += ["release/tools/plan.py"]
    for name in names:
        with (project / name).open("a") as file:
            file.write("\n\ndef untyped(value):\n    return value\n")
    printed = run("mypy", cwd=project, check=False).stdout
    assert set(re.findall(r"^(\S+):\d+: error: .*\[no-untyped-def\]", printed, re.M)) == set(names)


def test_links_of_the_readme_work_on_pypi_too(look_at: Render) -> None:
    for license in LICENSES:
        project = look_at(license=license)
        repository = pyproject(project)["project"]["urls"]["Repository"]
        links = re.findall(r"\]\((.*?)\)", (project / "README.md").read_text("utf-8"))
        assert len(links) >= 4
        for link in links:
            assert link.startswith(f"{repository}/"), link
            _, blob, name = link.partition("/blob/main/")
            assert link == f"{repository}/issues" or (blob and (project / name).is_file()), link


def test_links_of_the_owners_pages_lead_somewhere(look_at: Render) -> None:
    for backend in BACKENDS:
        project = look_at(build_backend=backend)
        for page in ("CONTRIBUTING.md", "release/README.md"):
            text = (project / page).read_text("utf-8")
            links = re.findall(r"\]\((?!https://)(.*?)\)", text)
            assert links
            for link in links:
                assert (project / page).parent.joinpath(link).exists(), link


def test_the_top_folder_is_no_fuller_than_it_was(look_at: Render) -> None:
    """Seventeen entries, CONTRIBUTING.md and THIRD-PARTY-LICENSES.txt; and setup.py."""
    for backend, entries in {"maturin": 19, "setuptools-rust": 20}.items():
        project = look_at(build_backend=backend)
        assert len({name.partition("/")[0] for name in files(project)}) <= entries


def test_examples_of_the_readme_are_tests(render: Render, run: Run) -> None:
    project = render()
    listed = run("pytest", "--collect-only", "--quiet", cwd=project, check=False).stdout
    assert "README.md::README.md" in listed


def test_a_mark_that_is_misspelt_or_outdated_fails(render: Render, run: Run) -> None:
    """Else a slip in `xfail` or `skipif` leaves a test out, and nobody sees it."""
    project = render()
    for mark, reason in (("xfial", "'xfial' not found in `markers`"), ("xfail", "XPASS(strict)")):
        file = project / "tests" / "test_marks.py"
        file.write_text(f"import pytest\n\n\n@pytest.mark.{mark}\ndef test_it():\n    pass\n")
        result = run("pytest", file, cwd=project, check=False)
        assert result.returncode != 0
        assert reason in result.stdout


def test_all_renderings_pass_their_own_linter(look_at: Render) -> None:
    projects = [look_at(**answers) for answers in COMBINATIONS]
    for command in (["check"], ["format", "--check"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *projects],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("license", LICENSES)
def test_backends_differ_only_where_they_must(look_at: Render, floor: str, license: str) -> None:
    maturin, setuptools = (
        files(look_at(build_backend=backend, python_floor=floor, license=license))
        for backend in BACKENDS
    )
    assert set(setuptools) - set(maturin) == {"setup.py"}
    assert set(maturin) <= set(setuptools)
    differing = {name for name in maturin if maturin[name] != setuptools[name]}
    assert differing == {"pyproject.toml", ".template.json"}  # the latter records the answers
    assert setuptools[".template.json"] == maturin[".template.json"].replace(
        b'"build_backend": "maturin"', b'"build_backend": "setuptools-rust"'
    )

    def after_the_backend_block(content: bytes) -> bytes:
        return content[content.index(b"[project]\n") :]

    assert after_the_backend_block(maturin["pyproject.toml"]) == after_the_backend_block(
        setuptools["pyproject.toml"]
    )


def test_same_answers_give_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for number in ("1", "2"):
        command = ["cookiecutter", TEMPLATE, "--no-input", f"--output-dir={tmp_path / number}"]
        run(*command, cwd=tmp_path)
    first, second = (files(tmp_path / number / "fast-doubles") for number in ("1", "2"))
    assert first == second
    assert len(first) > 20


@pytest.mark.parametrize(
    "text",
    [
        "it's",
        'say "hi"',
        "back\\slash",
        "C:\\new\\table",
        "Ünïcödé ☃",
        "人人 🦀🦀",
        "100 % {braces}",
        "a # b",
        "<b> & </b>",
    ],
)
def test_ordinary_text_comes_out_as_it_was_given(render: Render, text: str) -> None:
    project = render(project_name=text, project_slug="odd", description=text, author_name=text)
    manifest = pyproject(project)["project"]
    assert manifest["description"] == text
    assert manifest["authors"][0]["name"] == text
    assert f"Copyright (c) {text}\n" in (project / "LICENSE").read_text("utf-8")


@pytest.mark.parametrize("name", ["aardvark", "fast_doubles", "owl_tally", "zz", "_private"])
def test_cargo_finds_nothing_to_change_in_the_lock(render: Render, name: str) -> None:
    project = render(project_slug=name.strip("_"), package_name=name)
    before = (project / "Cargo.lock").read_bytes()
    command = ["cargo", "metadata", "--format-version=1"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    assert (project / "Cargo.lock").read_bytes() == before


def test_a_rendering_belongs_to_the_test_that_asked_for_it(render: Render) -> None:
    (render() / "litter").touch()
    assert not (render() / "litter").exists()
