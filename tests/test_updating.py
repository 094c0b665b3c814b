"""Projects follow the template: cruft, the record, comparing many, docs/how-to/update.md."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from answers import BACKENDS, DEFAULTS, QUESTIONS, TEMPLATE, VERBATIM, tracked
from conftest import GIT, PYTHONS, QUICK, python_of

Render = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

PAGE = (TEMPLATE / "docs" / "how-to" / "update.md").read_text("utf-8")
FOLDER = "{{cookiecutter.__folder}}"
URL = "https://github.com/OWNER/cookiecutter-pyo3-wheel"

compare = types.ModuleType("compare")
compare.__file__ = str(TEMPLATE / "compare.py")
exec((TEMPLATE / "compare.py").read_text("utf-8"), compare.__dict__)


# The record


def record(project: Path) -> dict:
    return json.loads((project / ".template.json").read_text("utf-8"))


def test_record_holds_the_version_and_every_answer(render: Render) -> None:
    assert record(render()) == {
        "template": "cookiecutter-pyo3-wheel",
        "version": QUESTIONS["__template_version"],
        "answers": DEFAULTS,
    }


@pytest.mark.parametrize(
    "text", ['say "hi"', "back\\slash", "a</b>'&", "人人 🦀", "}, {", "‮right to left", "é" * 512]
)
def test_record_gives_back_the_very_answer(render: Render, text: str) -> None:
    project = render(project_name=text, project_slug="odd", description=text, author_name=text)
    answers = record(project)["answers"]
    assert [answers[key] for key in ("project_name", "description", "author_name")] == [text] * 3


def sections(changelog: str) -> list[tuple[str, str]]:
    """The titles and texts of a changelog."""
    parts = re.split(r"^## (.+)\n", changelog, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def wrong_with_changelog(changelog: str, version: str) -> list[str]:
    """What does not fit the version of the template."""
    wrong = []
    titles = [title for title, _ in sections(changelog)]
    released = [title for title in titles if title != "Unreleased"]
    if version.endswith(".dev0"):
        if titles[0] != "Unreleased":
            wrong.append(f"{version} needs a section Unreleased at the top")
    elif not re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", titles[0]):
        wrong.append(f"the first section is {titles[0]}, the version {version}")
    if version.removesuffix(".dev0") in [title.split()[0] for title in released[1:]]:
        wrong.append(f"{version} has been released")
    for title, text in sections(changelog):
        if "**Existing projects:**" not in text:
            wrong.append(f"{title} does not say what it asks of existing projects")
    return wrong


def test_changelog_knows_the_version_and_what_it_asks_of_projects() -> None:
    changelog = (TEMPLATE / "CHANGELOG.md").read_text("utf-8")
    assert wrong_with_changelog(changelog, QUESTIONS["__template_version"]) == []


def test_tag_of_the_template_is_its_version(run: Run) -> None:
    """cruft and `nox -s compare` look for the tag of the version that a project records."""
    tags = run("git", "tag", "--points-at=HEAD", "v*", cwd=TEMPLATE).stdout.split()
    assert set(tags) <= {f"v{QUESTIONS['__template_version']}"}


@pytest.mark.parametrize(
    ("version", "titles", "expected"),
    [
        ("1.1.0.dev0", ["Unreleased", "1.0.0 (2026-11-21)"], 0),
        ("1.0.0", ["1.0.0 (2026-11-21)"], 0),
        ("1.1.0.dev0", ["1.0.0 (2026-11-21)"], 1),
        ("1.1.0", ["Unreleased", "1.0.0 (2026-11-21)"], 1),
        ("1.0.0.dev0", ["Unreleased", "1.1.0 (2026-11-22)", "1.0.0 (2026-11-21)"], 1),
    ],
)
def test_changelog_and_version_out_of_step_are_noticed(
    version: str, titles: list[str], expected: int
) -> None:
    for asks in ("**Existing projects:** nothing.", ""):
        changelog = "\n".join(f"## {title}\n\n{asks}\n" for title in titles)
        missing = 0 if asks else len(titles)
        assert len(wrong_with_changelog(changelog, version)) == expected + missing


# Two versions of this very repository


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs once."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, (file.name, old, text.count(old))
    file.write_text(text.replace(old, new), "utf-8", newline="\n")


@pytest.fixture(scope="module")
def template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it is, at tag v1.0.0; and with changes of every kind, at v1.1.0."""
    clone = tmp_path_factory.mktemp("template") / "cookiecutter-pyo3-wheel"
    for file in tracked(TEMPLATE):
        copy = clone / file.relative_to(TEMPLATE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    version = f'"__template_version": "{QUESTIONS["__template_version"]}"'
    edit(clone / "cookiecutter.json", version, '"__template_version": "1.0.0"')
    run("git", "init", "--quiet", "--initial-branch=main", cwd=clone)

    def commit(tag: str) -> None:
        run("git", "add", "--all", cwd=clone)
        run("git", "commit", "--quiet", f"--message={tag}", cwd=clone, **GIT)
        run("git", "tag", tag, cwd=clone)

    commit("v1.0.0")
    edit(clone / "cookiecutter.json", '_version": "1.0.0"', '_version": "1.1.0"')
    edit(clone / "cookiecutter.json", '"__newest_minor": "15"', '"__newest_minor": "16"')
    project = clone / FOLDER
    edit(project / "noxfile.py", '"""The project\'s tasks:', '"""The newer tasks:')  # verbatim
    edit(project / ".gitignore", "/build/\n", "/build/\n/newer/\n")  # verbatim
    edit(project / "README.md", "## Ship it\n", "## Ship it, newer\n")  # Jinja
    edit(project / "pyproject.toml", 'minversion = "8.4"', 'minversion = "9.0"')  # Jinja
    (project / "release" / "newer.txt").write_text("{{ verbatim }}\n", "utf-8")
    newer_crates(clone, run)
    (project / ".cargo" / "config.toml").unlink()
    (project / ".cargo" / "newer.toml").write_text("[env]\n", "utf-8")
    commit("v1.1.0")
    return clone


def newer_crates(clone: Path, run: Run) -> None:
    """Change the crates of the template: PyO3's line in Cargo.toml, and a crate in the lock."""
    folder = clone.with_name("newer-crates")
    options = ("--no-input", "--default-config", "--accept-hooks=no", f"--output-dir={folder}")
    run("cookiecutter", clone, *options, cwd=clone)
    rendering = folder / "fast-doubles"
    for file in (clone / FOLDER / "Cargo.toml", rendering / "Cargo.toml"):
        text, count = re.subn(r'(?m)^(pyo3 = .*")(\d+\.\d+)"', r'\1\2.0"', file.read_text("utf-8"))
        assert count == 1
        file.write_text(text, "utf-8", newline="\n")
    run("cargo", "update", "libc", "--precise=0.2.180", cwd=rendering)
    lock = (rendering / "Cargo.lock").read_text("utf-8")
    assert 'name = "libc"\nversion = "0.2.180"' in lock
    lock = lock.replace("_fast_doubles_native", "_{{ cookiecutter.package_name }}_native")
    (clone / FOLDER / "Cargo.lock").write_text(lock, "utf-8", newline="\n")


@pytest.fixture(scope="module")
def cruft(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command cruft, in an environment of its own."""
    environment = tmp_path_factory.mktemp("cruft")
    lock = Path(__file__).parent / "cruft" / "requirements.txt"
    run("uv", "venv", "--clear", environment, cwd=environment)
    python = python_of(environment)
    command = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
    run(*command, f"--requirement={lock}", cwd=environment)
    return str(python.with_name("cruft"))


@pytest.fixture(scope="module")
def follow(
    cruft: str, template: Path, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of the page, with this repository's copy in place of the one on GitHub."""
    if sys.platform == "win32":
        pytest.skip("the page's commands are for a POSIX shell")
    folder = tmp_path_factory.mktemp("settings")
    config = folder / "cookiecutter.yml"
    config.write_text(f"cookiecutters_dir: {folder / 'cache'}\nreplay_dir: {folder / 'replay'}")

    def follow(command: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        python = shlex.quote(sys.executable)
        command = command.replace(URL, str(template)).replace("python3 -c", f"{python} -c")
        command = command.replace("gh:OWNER/cookiecutter-pyo3-wheel", f"git+{template.as_uri()}")
        command = command.replace("uvx cruft", cruft).replace("uvx cookiecutter", "cookiecutter")
        variables = GIT | {"COOKIECUTTER_CONFIG": str(config)}
        return run("bash", "-ec", command, cwd=cwd, check=check, **variables)

    return follow


def commands(title: str) -> list[list[str]]:
    """The commands in each console block of a section of the page."""
    (section,) = [text for name, text in sections(PAGE) if name == title]
    return [
        re.findall(r"^\$ (.*)", block, re.M)
        for block in re.findall(r"```console\n(.*?)```", section, re.S)
    ]


def state(project: Path, run: Run) -> list[str]:
    return run("git", "status", "--porcelain", cwd=project).stdout.splitlines()


@pytest.fixture
def created(follow: Callable, tmp_path: Path) -> Path:
    """A project of the older version, made as the page says."""
    create, *others = commands("With cruft from the start")[0]
    printed = follow(f"{create} --no-input", tmp_path).stdout
    assert "rendered by cruft: no repository was made" in printed
    project = tmp_path / "fast-doubles"
    assert not (project / ".git").exists()
    for command in others[1:]:
        follow(command, project)
    return project


@pytest.fixture
def linked(follow: Callable, run: Run, template: Path, tmp_path: Path) -> Path:
    """A plain rendering of the older version, linked as the page says."""
    render = f"uvx cookiecutter gh:OWNER/{template.name} --checkout v1.0.0 --no-input"
    assert "with a first commit" in follow(render, tmp_path).stdout
    project = tmp_path / "fast-doubles"
    ask, *link = commands("Rendered with plain cookiecutter")[0]
    assert follow(ask, project).stdout == "1.0.0\n"
    for command in link:
        follow(command, project)
    assert state(project, run) == []
    return project


@pytest.fixture(params=["created", "linked"])
def project(request: pytest.FixtureRequest) -> Path:
    """A project of the older version that cruft knows, in either way."""
    return request.getfixturevalue(request.param)


def is_newer(project: Path, template: Path) -> None:
    assert (project / "noxfile.py").read_text("utf-8").startswith('"""The newer tasks:')
    assert "## Ship it, newer\n" in (project / "README.md").read_text("utf-8")
    manifest = (project / "pyproject.toml").read_text("utf-8")
    assert 'minversion = "9.0"' in manifest
    assert '"Programming Language :: Python :: 3.16",' in manifest  # from a private variable
    assert (project / "release" / "newer.txt").read_text("utf-8") == "{{ verbatim }}\n"
    assert [file.name for file in (project / ".cargo").iterdir()] == ["newer.toml"]
    assert record(project)["version"] == "1.1.0"


def test_update_without_changes_of_the_users(
    project: Path, template: Path, cruft: str, follow: Callable, run: Run
) -> None:
    check = run(cruft, "check", cwd=project, check=False, **GIT)
    assert check.returncode == 1
    # The hook's word goes to the other stream: what cruft prints here can be a patch.
    assert follow("uvx cruft diff 2>/dev/null", project).stdout == ""
    run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT)
    is_newer(project, template)
    assert [line for line in state(project, run) if line.startswith(("UU", "AA", "??"))] == []
    run("git", "commit", "--quiet", "--all", "--message=Update", cwd=project, **GIT)
    assert state(project, run) == []
    run(cruft, "check", cwd=project, **GIT)
    assert follow("uvx cruft diff 2>/dev/null", project).stdout == ""
    assert "up to date" in run(cruft, "update", "-y", cwd=project, **GIT).stdout


def users_own_changes(project: Path, run: Run) -> dict[str, str]:
    """Change files as a user would, away from what the template changes; return the contents."""
    kernel = project / "rust" / "kernel.rs"
    kernel.write_text("// mine\n" + kernel.read_text("utf-8"), "utf-8")
    edit(project / "pyproject.toml", "\nclassifiers", '\ndependencies = ["numpy"]\nclassifiers')
    edit(project / "README.md", "## What values cost\n", "## What mine cost\n")
    edit(project / "noxfile.py", "BUILT: list[Path] = []", "MINE = 1\nBUILT: list[Path] = []")
    (project / "tests" / "reference.py").unlink()
    (project / "mine.txt").write_text("mine\n", "utf-8")
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=Mine", cwd=project, **GIT)
    return {name: (project / name).read_text("utf-8") for name in ("rust/kernel.rs", "mine.txt")}


def test_update_keeps_what_the_user_changed_elsewhere(
    project: Path, template: Path, cruft: str, run: Run
) -> None:
    mine = users_own_changes(project, run)
    assert "\n-MINE = 1\n" in run(cruft, "diff", cwd=project, check=False, **GIT).stdout
    run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT)
    is_newer(project, template)
    for name, text in mine.items():
        assert (project / name).read_text("utf-8") == text
    assert 'dependencies = ["numpy"]' in (project / "pyproject.toml").read_text("utf-8")
    assert "## What mine cost\n" in (project / "README.md").read_text("utf-8")
    assert "MINE = 1\n" in (project / "noxfile.py").read_text("utf-8")
    assert not (project / "tests" / "reference.py").exists()
    assert [line for line in state(project, run) if line.startswith(("UU", "AA", "??"))] == []
    assert not list(project.rglob("*.rej"))


def test_update_shows_where_both_changed_the_same_lines(
    project: Path, cruft: str, run: Run
) -> None:
    edit(project / "README.md", "## Ship it\n", "## Ship it my way\n")
    edit(project / "noxfile.py", '"""The project\'s tasks:', '"""My tasks:')
    run("git", "commit", "--quiet", "--all", "--message=Mine", cwd=project, **GIT)
    printed = run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT).stdout
    for name, mine, theirs in (
        ("README.md", "## Ship it my way\n", "## Ship it, newer\n"),
        ("noxfile.py", '"""My tasks:', '"""The newer tasks:'),
    ):
        text = (project / name).read_text("utf-8")
        assert re.search(
            rf"^<<<<<<<.*\n{re.escape(mine)}(.|\n)*=======\n{re.escape(theirs)}(.|\n)*>>>>>>>",
            text,
            re.M,
        ), name
        assert name in printed
    unmerged = {line[3:] for line in state(project, run) if line.startswith("UU")}
    assert unmerged == {"README.md", "noxfile.py"}
    # The rest arrived all the same.
    assert 'minversion = "9.0"' in (project / "pyproject.toml").read_text("utf-8")


def test_conflicts_of_the_crates_are_mended_as_the_page_says(
    created: Path, cruft: str, follow: Callable, run: Run
) -> None:
    run("cargo", "add", "itoa@1", cwd=created)
    run("cargo", "update", "libc", "--precise=0.2.185", cwd=created)
    run("git", "commit", "--quiet", "--all", "--message=A crate", cwd=created, **GIT)
    run(cruft, "update", "--skip-apply-ask", cwd=created, **GIT)
    unmerged = {line[3:] for line in state(created, run) if line.startswith("UU")}
    assert unmerged == {"Cargo.toml", "Cargo.lock"}

    manifest = created / "Cargo.toml"
    conflict = r"<<<<<<<.*\n(itoa = .*\n)pyo3 = .*\n=======\n(pyo3 = .*\n)>>>>>>>.*\n"
    text, count = re.subn(conflict, r"\1\2", manifest.read_text("utf-8"))
    assert count == 1, text
    manifest.write_text(text, "utf-8")
    for command in commands("With cruft from the start")[1]:
        follow(command, created)
    assert not [line for line in state(created, run) if line.startswith("UU")]
    run("cargo", "metadata", "--locked", "--format-version=1", cwd=created)
    lock = (created / "Cargo.lock").read_text("utf-8")
    assert 'name = "itoa"' in lock
    assert 'name = "libc"\nversion = "0.2.185"' in lock


def test_cruft_executes_no_answer(
    follow: Callable, cruft: str, run: Run, template: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "an-answer-was-executed"
    text = f"{{{{ cycler.__init__.__globals__.os.system('touch {trap}') }}}} {{{{ 7 * 7 }}}}"
    answers = shlex.quote(json.dumps({"description": text, "author_name": text}))
    create = commands("With cruft from the start")[0][0]
    follow(f"{create} --no-input --extra-context {answers}", tmp_path)
    project = tmp_path / "fast-doubles"
    for command in commands("With cruft from the start")[0][2:]:
        follow(command, project)
    assert record(project)["answers"] == DEFAULTS | json.loads(shlex.split(answers)[0])
    assert follow("uvx cruft diff 2>/dev/null", project).stdout == ""
    run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT)
    is_newer(project, template)
    run("git", "commit", "--quiet", "--all", "--message=Update", cwd=project, **GIT)

    # The same project without cruft's file, linked as the page says.
    run("git", "rm", "--quiet", ".cruft.json", cwd=project)
    run("git", "commit", "--quiet", "--message=Unlink", cwd=project, **GIT)
    for command in commands("Rendered with plain cookiecutter")[0][1:]:
        follow(command.replace("v1.0.0", "v1.1.0"), project)
    assert follow("uvx cruft diff 2>/dev/null", project).stdout == ""
    assert record(project)["answers"] == DEFAULTS | json.loads(shlex.split(answers)[0])
    assert not trap.exists()


def test_update_refuses_a_tree_with_changes(created: Path, cruft: str, run: Run) -> None:
    (created / "README.md").write_text("changed", "utf-8")
    printed = run(cruft, "update", "-y", cwd=created, check=False, **GIT).stdout
    assert "unclean git project" in " ".join(printed.split())
    assert state(created, run) == [" M README.md"]


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("python_floor", "Raise the oldest Python"),
        ("build_backend", "Switch the backend"),
    ],
)
def test_answers_are_changed_by_cruft(
    key: str, title: str, created: Path, follow: Callable, template: Path, run: Run
) -> None:
    (command,) = commands(title)[0]
    follow(f"{command} --checkout v1.0.0", created)
    answer = json.loads(re.findall("'(.*)'", command)[0])[key]
    assert record(created)["answers"] == DEFAULTS | {key: answer}
    twin = created.parent / "twin"
    follow(
        f"uvx cookiecutter gh:OWNER/{template.name} --checkout v1.0.0 --no-input -o {twin} "
        f"{key}={answer}",
        created.parent,
    )
    other = twin / "fast-doubles"
    for file in tracked(other):
        name = file.relative_to(other)
        assert (created / name).read_bytes() == file.read_bytes(), name
    names = {file.relative_to(created) for file in tracked(created)}
    assert names - {file.relative_to(other) for file in tracked(other)} == {Path(".cruft.json")}

    # And the way back.
    run("git", "add", "--all", cwd=created)
    run("git", "commit", "--quiet", "--message=Another answer", cwd=created, **GIT)
    follow(f"{command} --checkout v1.0.0".replace(answer, DEFAULTS[key]), created)
    run("git", "add", "--all", cwd=created)
    assert run("git", "diff", "--cached", "--name-only", "HEAD~1", cwd=created).stdout in (
        "",
        ".cruft.json\n",
    )


# Edits by hand


def edits(title: str) -> list[str]:
    """The diff blocks of a section of the page."""
    (section,) = [text for name, text in sections(PAGE) if name == title]
    return re.findall(r"```diff\n(.*?)```", section, re.S)


def hunks(block: str) -> list[tuple[str, str]]:
    """The lines that go and those that come in their place, for each place in a diff block."""
    pairs = [
        re.fullmatch(r"((?:-.*\n)+)((?:\+.*\n)*)", f"{place.rstrip()}\n")
        for place in block.split("\n\n")
    ]
    return [tuple(re.sub(r"^.", "", half, flags=re.M) for half in pair.groups()) for pair in pairs]


def apply(block: str, file: Path, back: bool = False) -> None:
    for old, new in hunks(block):
        edit(file, *((new, old) if back else (old, new)))


def own_check_passes(project: Path, python: str, tag: str, run: Run) -> None:
    """Build the wheel, look at its tag, and run the project's own test of its packaging."""
    out = project.parent / "out"
    build = ("uv", "build", "--wheel", f"--python={python}", f"--out-dir={out}")
    run(*build, cwd=project, **QUICK)
    (wheel,) = out.glob("*.whl")
    assert f"-{tag}-abi3-" in wheel.name
    environment = project.parent / "environment"
    run("uv", "venv", f"--python={python}", environment, cwd=project)
    here = python_of(environment)
    run("uv", "pip", "install", f"--python={here}", wheel, "pytest", cwd=project)
    test = (here, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_packaging.py")
    assert " passed" in run(*test, cwd=project).stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_raising_the_floor_by_hand(
    backend: str, repository: Callable[..., Path], render: Render, run: Run
) -> None:
    project = repository(build_backend=backend)
    both, maturin, readme, answers = edits("Raise the oldest Python")
    apply(both, project / "pyproject.toml")
    if backend == "maturin":
        apply(maturin, project / "pyproject.toml")
    apply(readme, project / "README.md")
    apply(answers, project / ".template.json")
    twin = render(build_backend=backend, python_floor="3.13")
    for file in tracked(project):
        name = file.relative_to(project)
        assert file.read_bytes() == (twin / name).read_bytes(), name
    if "3.13" not in PYTHONS:
        pytest.skip("the edits were applied; no Python 3.13 is at hand to build with")
    own_check_passes(project, PYTHONS["3.13"], "cp313", run)


@pytest.mark.parametrize("backend", BACKENDS)
def test_switching_the_backend_by_hand(
    backend: str,
    repository: Callable[..., Path],
    render: Render,
    follow: Callable,
    run: Run,
) -> None:
    """From this backend to the other one."""
    project = repository(build_backend=backend)
    block, answers = edits("Switch the backend")
    back = backend == "setuptools-rust"
    apply(block, project / "pyproject.toml", back)
    apply(answers, project / ".template.json", back)
    if back:
        (project / "setup.py").unlink()
    else:
        for command in commands("Switch the backend")[1]:
            follow(command, project)
    (other,) = {*BACKENDS} - {backend}
    twin = render(build_backend=other)
    names = {file.relative_to(project) for file in tracked(project)}
    assert names == {file.relative_to(twin) for file in tracked(twin)}
    for name in names:
        assert (project / name).read_bytes() == (twin / name).read_bytes(), name
    version, python = min(PYTHONS.items(), key=lambda item: int(item[0].split(".")[1]))
    own_check_passes(project, python, "cp311", run)


# Forty repositories


@pytest.fixture(scope="module")
def fleet(
    follow: Callable, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Projects of both versions, one of them changed."""
    folder = tmp_path_factory.mktemp("fleet")
    projects = {}
    for name, tag, package in (
        ("untouched", "v1.0.0", "untouched"),
        ("changed", "v1.0.0", "another_name"),
        ("newer", "v1.1.0", "newer"),
    ):
        follow(
            f"uvx cookiecutter gh:OWNER/{template.name} --checkout {tag} --no-input "
            f"project_slug={name} package_name={package}",
            folder,
        )
        projects[name] = folder / name
    changed = projects["changed"]
    edit(changed / "noxfile.py", '"""The project\'s tasks:', '"""My tasks:')
    (changed / "release" / "gate.py").unlink()
    (changed / "python" / "another_name" / "py.typed").write_text("partial\n", "utf-8")
    (changed / "rust" / "kernel.rs").write_text("// mine\n", "utf-8")
    (changed / "README.md").write_text("mine\n", "utf-8")  # not verbatim
    return projects


def test_comparison_lists_the_verbatim_files_that_differ(
    fleet: dict[str, Path], template: Path
) -> None:
    rows, failures = compare.compare(list(fleet.values()), template)
    assert failures == 0
    assert rows == [
        ("untouched", "1.0.0", "", "as released"),
        ("changed", "1.0.0", "noxfile.py", "changed"),
        ("changed", "1.0.0", "python/another_name/py.typed", "changed"),
        ("changed", "1.0.0", "release/gate.py", "missing"),
        ("newer", "1.1.0", "", "as released"),
    ]
    rows, _ = compare.compare([fleet["changed"]], template, everything=True)
    assert ("changed", "1.0.0", "rust/kernel.rs", "changed") in rows
    assert len(rows) == 4


def test_comparison_with_another_version(fleet: dict[str, Path], template: Path) -> None:
    rows, _ = compare.compare([fleet["untouched"]], template, release="v1.1.0")
    assert {row[1:] for row in rows} == {
        ("1.0.0 (v1.1.0)", name, state)
        for name, state in {
            ".cargo/newer.toml": "missing",
            ".gitignore": "changed",
            "noxfile.py": "changed",
            "release/newer.txt": "missing",
        }.items()
    }


def test_comparison_knows_all_verbatim_files(template: Path, tmp_path: Path) -> None:
    compare.unpack(template, "v1.0.0", tmp_path / "release")
    files = compare.rendering(tmp_path / "release", DEFAULTS, tmp_path / "out")
    assert set(files) == {
        name.replace("{{cookiecutter.package_name}}", "fast_doubles") for name in VERBATIM
    }


def test_the_sample_is_what_the_readme_asks_to_replace(render: Render) -> None:
    readme = (render() / "README.md").read_text("utf-8")
    named = set(re.findall(r"`((?:rust|python|tests)/\S+)`", readme.split("## Ship it")[0]))
    verbatim = {name.replace("{{cookiecutter.package_name}}", "fast_doubles") for name in VERBATIM}
    sample = {glob.replace("*", "fast_doubles") for glob in compare.SAMPLE}
    assert sample == named & verbatim


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "{% raw %}", "{% endraw %}\"'\\ {# 🦀", "\\N{DASH}"]
)
def test_comparison_executes_no_answer(text: str, template: Path, tmp_path: Path) -> None:
    compare.unpack(template, "v1.0.0", tmp_path / "release")
    answers = DEFAULTS | {"description": text}
    compare.rendering(tmp_path / "release", answers, tmp_path / "out")
    assert record(tmp_path / "out" / "fast-doubles")["answers"] == answers


def test_a_commit_that_would_execute_answers_is_not_rendered(
    template: Path, tmp_path: Path
) -> None:
    compare.unpack(template, "v1.0.0", tmp_path / "release")
    (tmp_path / "release" / "verbatim_answers.py").unlink()
    with pytest.raises(compare.CannotCompare, match="would run Jinja in the answers"):
        compare.rendering(tmp_path / "release", DEFAULTS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("key", ["package_name", "project_slug", "__folder"])
@pytest.mark.parametrize("way", ["relative", "absolute"])
def test_a_record_that_leads_out_of_the_folder_is_refused(
    key: str, way: str, template: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "mine.txt").write_text("mine\n", "utf-8")
    # Deep enough for the folder of a package: out/fast-doubles/python/..
    path = str(victim) if way == "absolute" else f"{'../' * 12}{str(victim).lstrip('/')}"
    compare.unpack(template, "v1.0.0", tmp_path / "release")
    reason = "takes no __folder" if key == "__folder" else "refuses an answer"
    with pytest.raises(compare.CannotCompare, match=reason):
        compare.rendering(tmp_path / "release", DEFAULTS | {key: path}, tmp_path / "out")
    assert [file.name for file in victim.iterdir()] == ["mine.txt"]
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


RECORD = {"template": "x", "version": "1.0.0", "answers": DEFAULTS}


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
    assert rows[1] == ("untouched", "1.0.0", "", "as released")


def test_the_command_prints_one_table_and_its_status(render: Render, run: Run) -> None:
    """What was rendered between two releases is compared with HEAD."""
    command = (sys.executable, TEMPLATE / "compare.py")
    assert compare.release_of("1.1.0.dev0") == "HEAD"
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
    (fleets,) = [text for name, text in sections(PAGE) if name == "Forty repositories"]
    (command,) = [c for c in commands("Forty repositories")[0] if "nox" in c]
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    assert shlex.split(command)[:4] == ["uvx", "nox", "-s", "compare"]
    assert "\ndef compare(session" in noxfile
    source = (TEMPLATE / "compare.py").read_text("utf-8")
    for option in re.findall(r"`(--[a-z]+)", fleets):
        assert option == "--skip-apply-ask" or f'"{option}"' in source
    (shown,) = re.findall(r"```text\n(.*?)\n\n(?:.*)\n```", fleets, re.S)
    titles, _, *rows = [line.split() for line in shown.splitlines()]
    cells = [
        (row[0], row[1], "", " ".join(row[2:])) if row[2] == "as" else tuple(row) for row in rows
    ]
    assert compare.table([tuple(titles), *cells]) == shown
