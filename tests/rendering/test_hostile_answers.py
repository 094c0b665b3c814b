"""Any answer is refused in one plain sentence, or comes out as it was given; none is executed.

HOSTILE_EXAMPLES=2000 looks at more than the usual 100: `nox -s nightly`.
"""

import ast
import doctest
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import parseaddr
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pyproject_hooks import BuildBackendHookCaller, quiet_subprocess_runner

from helpers.builds import QUICK
from helpers.fixture_types import Run
from helpers.hostile_texts import (
    EXECUTABLE,
    TRAP,
    WORST,
    accepted_answers,
    hostile_answers,
    joined,
    printable,
)
from helpers.rendering import files, holds_an_owner, hook, rendered, tree_of
from tools.template import (
    BACKENDS,
    DEFAULTS,
    PROJECT_FOLDER,
    QUESTIONS,
    TEMPLATE,
    project_files,
    verbatim_files,
)

pytestmark = pytest.mark.builds

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "100"))


def settled(examples: int, *, shrink: bool = True) -> settings:
    """Hypothesis' settings: no deadline on a busy machine."""
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[phase for phase in Phase if shrink or phase is not Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


HOOK = hook("pre_gen_project")


def complaints(answers: dict[str, str]) -> list[str]:
    """What the hook says about some answers."""
    return list(HOOK.complaints(DEFAULTS | answers))


@pytest.fixture(autouse=True)
def nothing_is_executed() -> Iterator[None]:
    TRAP.unlink(missing_ok=True)
    yield
    assert not TRAP.exists(), "an answer was executed"


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are a POSIX shell's")
def test_an_executed_answer_would_be_seen() -> None:
    subprocess.run(f"touch {TRAP}", shell=True, check=True)
    assert TRAP.exists()
    TRAP.unlink()


def test_any_answer_is_refused_or_right(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    outcomes: Counter[str] = Counter()
    monkeypatch.chdir(tmp_path)

    @settled(EXAMPLES)
    @example(answers=WORST)
    @given(answers=hostile_answers)
    def refused_or_right(answers: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            refusals = complaints(answers)
            capfd.readouterr()
            try:
                project = rendered(answers, Path(folder))
            except FailedHookException:
                outcomes["refused"] += 1
                errors = capfd.readouterr().err
                assert refusals
                keys = [sentence.split()[0] for sentence in refusals]
                assert len(set(keys)) == len(keys), "more than one sentence about an answer"
                for sentence in refusals:
                    assert f"cookiecutter-pyo3-wheel: {sentence}\n" in errors
                    assert sentence.isprintable()
                    assert sentence.endswith(".")
                assert os.listdir(folder) == []
            else:
                outcomes["rendered"] += 1
                assert not refusals
                assert os.listdir(folder) == [answers["project_slug"]]
                assert_right(project, DEFAULTS | answers)
        assert not TRAP.exists(), "an answer was executed"
        assert os.listdir(tmp_path) == []

    refused_or_right()
    print(outcomes)
    assert outcomes["rendered"] > EXAMPLES / 4, outcomes
    assert outcomes["refused"] > EXAMPLES / 20, outcomes


@settled(EXAMPLES)
@given(text=st.one_of(joined, st.text(printable, min_size=1)).map(str.strip).filter(bool))
def test_any_line_of_text_is_accepted(text: str) -> None:
    assert complaints({"project_name": text, "author_name": text}) == []
    assert complaints({"description": text[:512].strip()}) == []


def test_every_printable_character_is_accepted() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    kinds = ("Cc", "Zl", "Zp", "Cs")
    text = "".join(c for c in characters if unicodedata.category(c) not in kinds)
    assert len(text) > 1_100_000
    assert complaints({"project_name": text.strip(), "author_name": text.strip()}) == []
    for start in range(0, len(text), 500):
        assert complaints({"description": f"'{text[start : start + 500]}'"}) == []


def assert_right(project: Path, answers: dict[str, str]) -> None:
    """Whether every file of a rendering is well formed and holds exactly the answers."""
    package = answers["package_name"]
    rendered_files = files(project)
    tree = tree_of(answers).read_text("utf-8")
    assert set(rendered_files) == set(tree.replace("fast_doubles", package).split())
    for name in verbatim_files():
        path = name.replace("{{cookiecutter.package_name}}", package)
        assert rendered_files[path] == project_files()[name].read_bytes(), name

    assert json.loads(rendered_files[".template.json"])["answers"] == answers
    parsed = {}
    for name, content in rendered_files.items():
        text = content.decode()
        assert "\r" not in text, name
        if name.endswith(".py"):
            ast.parse(text, name)
        elif name.endswith((".yml", ".yaml")):
            yaml.safe_load(text)
        elif name.endswith((".toml", ".lock")):
            parsed[name] = tomllib.loads(text)

    manifest = parsed["pyproject.toml"]
    metadata = manifest["project"]
    assert metadata["name"] == answers["project_slug"]
    assert metadata["description"] == answers["description"]
    author = {"name": answers["author_name"], "email": answers["author_email"]}
    assert metadata["authors"] == [author]
    url = f"https://github.com/{answers['github_owner']}/{answers['project_slug']}"
    assert metadata["urls"]["Repository"] == url
    tool = manifest["tool"]
    if answers["build_backend"] == "maturin":
        assert tool["maturin"]["module-name"] == f"{package}._native"
    else:
        assert tool["setuptools-rust"]["ext-modules"][0]["target"] == f"{package}._native"
    assert parsed["Cargo.toml"]["package"]["name"] == f"_{package}_native"
    assert f"_{package}_native" in [crate["name"] for crate in parsed["Cargo.lock"]["package"]]

    assert shown(rendered_files["README.md"].decode()) == (
        answers["project_name"],
        answers["description"],
    )
    heading = MarkdownIt("commonmark").parse(rendered_files["release/README.md"].decode())[1]
    assert [part.type for part in heading.children or []] == ["text", "code_inline", "text"]
    assert (heading.children or [])[1].content == answers["project_slug"]
    for name, count in {"README.md": 3, "CHANGELOG.md": 0, "release/README.md": 0}.items():
        assert len(doctest.DocTestParser().get_examples(rendered_files[name].decode())) == count, (
            name
        )
    for name in rendered_files:
        if name.startswith("LICENSE") and holds_an_owner(rendered_files[name].decode()):
            copyright = re.escape(f"Copyright (c) {answers['author_name']}")
            line = rf"^{copyright}(\. All rights reserved\.)?$"
            assert re.search(line, rendered_files[name].decode(), re.MULTILINE), name


def shown(readme: str) -> tuple[str, ...]:
    """The first heading and the first paragraph as a reader sees them, who must see plain text."""
    seen = []
    for dialect in ("commonmark", "gfm-like"):
        tokens = MarkdownIt(dialect, {"linkify": False}).parse(readme)
        kinds = ["heading_open", "inline", "heading_close"]
        kinds += ["paragraph_open", "inline", "paragraph_close", "fence"]
        assert [token.type for token in tokens[:7]] == kinds, dialect
        texts = []
        for inline in (tokens[1], tokens[4]):
            assert {part.type for part in inline.children or []} <= {"text"}, dialect
            texts.append("".join(part.content for part in inline.children or []))
        seen.append(tuple(texts))
    assert seen[0] == seen[1]
    return seen[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_metadata_of_a_wheel_gives_the_answers_back(
    environment: dict[str, str],
    render: Callable[..., Path],
    run: Run,
    tmp_path: Path,
    backend: str,
) -> None:
    run("cargo", "fetch", "--locked", cwd=render(build_backend=backend))
    environment = environment | {"CARGO_NET_OFFLINE": "true"}

    @settled(EXAMPLES // 4, shrink=False)  # half a second each
    @example(answers=WORST)
    @example(answers=WORST | {"author_name": "Two  spaces"})
    @example(answers=WORST | {"author_name": "Two  @spaces"})
    @given(answers=accepted_answers.filter(lambda answers: not complaints(answers)))
    def given_back(answers: dict[str, str]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            project = rendered(answers | {"build_backend": backend}, Path(folder), hooks=False)
            system = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["build-system"]

            def runner(cmd: Any, cwd: Any = None, extra_environ: Any = None) -> None:
                quiet_subprocess_runner(cmd, cwd, environment | dict(extra_environ or {}))

            caller = BuildBackendHookCaller(str(project), system["build-backend"], runner=runner)
            name = caller.prepare_metadata_for_build_wheel(folder, _allow_fallback=False)
            assert_metadata(PathDistribution(Path(folder, name)), project, DEFAULTS | answers)
        assert not TRAP.exists(), "an answer was executed"

    given_back()


def assert_metadata(wheel: Distribution, project: Path, answers: dict[str, str]) -> None:
    """Whether importlib.metadata gives back the answers that it knows."""
    assert wheel.metadata["Name"] == answers["project_slug"]
    assert wheel.metadata["Summary"] == answers["description"]
    name, address = parseaddr(wheel.metadata["Author-email"])
    # To a reader of addresses, several spaces between two words may be one (RFC 5322, 2.2.3):
    # they are, unless the name is quoted, for a character like @.
    assert re.sub(" +", " ", name) == re.sub(" +", " ", answers["author_name"])
    assert address == answers["author_email"]
    readme = (project / "README.md").read_text("utf-8")
    assert wheel.metadata["Description"].rstrip("\n") == readme.rstrip("\n")
    url = f"https://github.com/{answers['github_owner']}/{answers['project_slug']}"
    assert f"Repository, {url}" in (wheel.metadata.get_all("Project-URL") or [])


SHORTEST = {"project_slug": "a", "package_name": "f"}
LONGEST = {"project_slug": "x" * 64, "package_name": "y" * 64}


@pytest.mark.parametrize(
    ("backend", "names"),
    [("maturin", {}), ("setuptools-rust", {}), ("maturin", LONGEST), ("setuptools-rust", SHORTEST)],
    ids=["maturin-worst", "setuptools-rust-worst", "maturin-longest", "setuptools-rust-shortest"],
)
def test_worst_answers_build_and_pass_the_tests_of_the_project(
    run: Run, tmp_path: Path, backend: str, names: dict[str, str]
) -> None:
    answers = WORST | names
    project = rendered(answers | {"build_backend": backend}, tmp_path, hooks=False)
    command = ("-m", "build", "--wheel", "--no-isolation", f"--outdir={tmp_path}")
    run(sys.executable, *command, cwd=project, **QUICK)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (information,) = installed.glob("*.dist-info")
    assert_metadata(PathDistribution(information), project, answers)

    shutil.rmtree(project / "python")
    tests = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    printed = run(*tests, cwd=project, PYTHONPATH=str(installed), PYTHONDONTWRITEBYTECODE="1")
    assert (
        "README.md" in run(*tests, "-v", "README.md", cwd=project, PYTHONPATH=str(installed)).stdout
    )
    assert " passed" in printed.stdout


JINJA = [
    ["{{ 7*7 }}", "{% raw %}", "{{ nothing }}"],
    ["{#", "{% if", "{{ cookiecutter.__repository }}"],
    EXECUTABLE[:3],
    [PROJECT_FOLDER.name] * 3,
]


@pytest.mark.parametrize("texts", JINJA, ids=["harmless", "broken", "executable", "of the folder"])
@pytest.mark.parametrize("way", ["command line", "prompts", "user config", "replay"])
def test_jinja_in_an_answer_comes_out_as_it_is(
    environment: dict[str, str], tmp_path: Path, texts: list[str], way: str
) -> None:
    answers = DEFAULTS | dict(
        zip(("project_name", "description", "author_name"), texts, strict=True)
    )
    config = tmp_path / "config.yml"
    user = {"replay_dir": str(tmp_path / "replay"), "cookiecutters_dir": str(tmp_path / "clones")}
    config.write_text(
        yaml.safe_dump(user | ({"default_context": answers} if way == "user config" else {}))
    )

    def cookiecutter(*words: str, typed: str = "") -> None:
        command = ["cookiecutter", str(TEMPLATE), f"--config-file={config}", *words]
        result = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=typed,
            capture_output=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stdout + result.stderr

    words = [f"{name}={answer}" for name, answer in answers.items()]
    if way == "prompts":
        choices = {key: "1" for key, value in QUESTIONS.items() if isinstance(value, list)}
        cookiecutter("-o", "out", typed="\n".join((answers | choices).values()) + "\n")
    elif way == "replay":
        cookiecutter("--no-input", "-o", "before", *words)
        cookiecutter("--replay", "-o", "out")
    else:
        cookiecutter("--no-input", "-o", "out", *(words if way == "command line" else []))
    assert_right(tmp_path / "out" / "fast-doubles", answers)
