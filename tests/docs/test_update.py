"""docs/how-to/update.md: cruft, the two ways to link a project, and every edit without cruft."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import QUICK
from helpers.fixture_types import Follow, Render, Run
from helpers.pages import apply, edit, read
from helpers.rendering import record
from tools.machine import GIT, oldest_python, python_of, pythons
from tools.template import BACKENDS, DEFAULTS, PYTHONS, minor, tracked

pytestmark = pytest.mark.builds

PAGE = read("how-to/update.md")


def state(project: Path, run: Run) -> list[str]:
    return run("git", "status", "--porcelain", cwd=project).stdout.splitlines()


@pytest.fixture
def created(follow: Follow, tmp_path: Path) -> Path:
    """A project of the older version, made as the page says."""
    create, *others = PAGE.section("With cruft from the start").command_blocks()[0]
    printed = follow(f"{create} --no-input", tmp_path).stdout
    assert "rendered by cruft: no repository was made" in printed
    project = tmp_path / "fast-doubles"
    assert not (project / ".git").exists()
    for command in others[1:]:
        follow(command, project)
    return project


@pytest.fixture
def linked(follow: Follow, run: Run, template: Path, tmp_path: Path) -> Path:
    """A plain rendering of the older version, linked as the page says."""
    render = f"uvx cookiecutter gh:OWNER/{template.name} --checkout v0.1.0 --no-input"
    assert "with a first commit" in follow(render, tmp_path).stdout
    project = tmp_path / "fast-doubles"
    ask, *link = PAGE.section("Rendered with plain cookiecutter").command_blocks()[0]
    assert follow(ask, project).stdout == "0.1.0\n"
    for command in link:
        follow(command, project)
    assert state(project, run) == []
    return project


@pytest.fixture(params=["created", "linked"])
def project(request: pytest.FixtureRequest) -> Path:
    """A project of the older version that cruft knows, in either way."""
    project: Path = request.getfixturevalue(request.param)
    return project


def is_newer(project: Path, template: Path) -> None:
    assert '"""The newer tasks:' in (project / "noxfile.py").read_text("utf-8")
    assert "## Ship it, newer\n" in (project / "CONTRIBUTING.md").read_text("utf-8")
    manifest = (project / "pyproject.toml").read_text("utf-8")
    assert 'minversion = "9.0"' in manifest
    assert (
        f'"Programming Language :: Python :: 3.{minor(PYTHONS[-1]) + 1}",' in manifest
    )  # from a private variable
    assert (project / "release" / "newer.txt").read_text("utf-8") == "{{ verbatim }}\n"
    assert [file.name for file in (project / ".cargo").iterdir()] == ["newer.toml"]
    assert record(project)["version"] == "0.2.0"


def test_update_without_changes_of_the_users(
    project: Path, template: Path, cruft: str, follow: Follow, run: Run
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
    edit(project / "CONTRIBUTING.md", "## What values cost\n", "## What mine cost\n")
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
    assert "## What mine cost\n" in (project / "CONTRIBUTING.md").read_text("utf-8")
    assert "MINE = 1\n" in (project / "noxfile.py").read_text("utf-8")
    assert not (project / "tests" / "reference.py").exists()
    assert [line for line in state(project, run) if line.startswith(("UU", "AA", "??"))] == []
    assert not list(project.rglob("*.rej"))


def test_update_shows_where_both_changed_the_same_lines(
    project: Path, cruft: str, run: Run
) -> None:
    edit(project / "CONTRIBUTING.md", "## Ship it\n", "## Ship it my way\n")
    edit(project / "noxfile.py", '"""The project\'s tasks:', '"""My tasks:')
    run("git", "commit", "--quiet", "--all", "--message=Mine", cwd=project, **GIT)
    printed = run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT).stdout
    for name, mine, theirs in (
        ("CONTRIBUTING.md", "## Ship it my way\n", "## Ship it, newer\n"),
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
    assert unmerged == {"CONTRIBUTING.md", "noxfile.py"}
    # The rest arrived all the same.
    assert 'minversion = "9.0"' in (project / "pyproject.toml").read_text("utf-8")


def test_conflicts_of_the_crates_are_mended_as_the_page_says(
    created: Path, cruft: str, follow: Follow, run: Run
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
    for command in PAGE.section("With cruft from the start").command_blocks()[1]:
        follow(command, created)
    assert not [line for line in state(created, run) if line.startswith("UU")]
    run("cargo", "metadata", "--locked", "--format-version=1", cwd=created)
    lock = (created / "Cargo.lock").read_text("utf-8")
    assert 'name = "itoa"' in lock
    assert 'name = "libc"\nversion = "0.2.185"' in lock


def test_cruft_executes_no_answer(
    follow: Follow, cruft: str, run: Run, template: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "an-answer-was-executed"
    text = f"{{{{ cycler.__init__.__globals__.os.system('touch {trap}') }}}} {{{{ 7 * 7 }}}}"
    answers = shlex.quote(json.dumps({"description": text, "author_name": text}))
    create = PAGE.section("With cruft from the start").command_blocks()[0][0]
    follow(f"{create} --no-input --extra-context {answers}", tmp_path)
    project = tmp_path / "fast-doubles"
    for command in PAGE.section("With cruft from the start").command_blocks()[0][2:]:
        follow(command, project)
    assert record(project)["answers"] == DEFAULTS | json.loads(shlex.split(answers)[0])
    assert follow("uvx cruft diff 2>/dev/null", project).stdout == ""
    run(cruft, "update", "--skip-apply-ask", cwd=project, **GIT)
    is_newer(project, template)
    run("git", "commit", "--quiet", "--all", "--message=Update", cwd=project, **GIT)

    # The same project without cruft's file, linked as the page says.
    run("git", "rm", "--quiet", ".cruft.json", cwd=project)
    run("git", "commit", "--quiet", "--message=Unlink", cwd=project, **GIT)
    for command in PAGE.section("Rendered with plain cookiecutter").command_blocks()[0][1:]:
        follow(command.replace("v0.1.0", "v0.2.0"), project)
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
    key: str, title: str, created: Path, follow: Follow, template: Path, run: Run
) -> None:
    (command,) = PAGE.section(title).command_blocks()[0]
    follow(f"{command} --checkout v0.1.0", created)
    answer = json.loads(re.findall("'(.*)'", command)[0])[key]
    assert record(created)["answers"] == DEFAULTS | {key: answer}
    twin = created.parent / "twin"
    follow(
        f"uvx cookiecutter gh:OWNER/{template.name} --checkout v0.1.0 --no-input -o {twin} "
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
    follow(f"{command} --checkout v0.1.0".replace(answer, DEFAULTS[key]), created)
    run("git", "add", "--all", cwd=created)
    assert run("git", "diff", "--cached", "--name-only", "HEAD~1", cwd=created).stdout in (
        "",
        ".cruft.json\n",
    )


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
def test_raising_the_floor_without_cruft(
    backend: str, repository: Callable[..., Path], render: Render, run: Run
) -> None:
    project = repository(build_backend=backend)
    both, maturin, contributing, readme, answers = PAGE.section("Raise the oldest Python").blocks(
        "diff"
    )
    apply(both, project / "pyproject.toml")
    if backend == "maturin":
        apply(maturin, project / "pyproject.toml")
    apply(contributing, project / "CONTRIBUTING.md")
    apply(readme, project / "README.md")
    apply(answers, project / ".template.json")
    twin = render(build_backend=backend, python_floor="3.13")
    for file in tracked(project):
        name = file.relative_to(project)
        assert file.read_bytes() == (twin / name).read_bytes(), name
    if "3.13" not in pythons():  # the page's new floor: an older Python cannot build it
        pytest.skip("the edits were applied; no Python 3.13 is on the PATH to build with")
    own_check_passes(project, pythons()["3.13"], "cp313", run)


@pytest.mark.parametrize("backend", BACKENDS)
def test_switching_the_backend_without_cruft(
    backend: str,
    repository: Callable[..., Path],
    render: Render,
    follow: Follow,
    run: Run,
) -> None:
    """From this backend to the other one."""
    project = repository(build_backend=backend)
    block, answers = PAGE.section("Switch the backend").blocks("diff")
    back = backend == "setuptools-rust"
    apply(block, project / "pyproject.toml", back=back)
    apply(answers, project / ".template.json", back=back)
    if back:
        (project / "setup.py").unlink()
    else:
        for command in PAGE.section("Switch the backend").command_blocks()[1]:
            follow(command, project)
    (other,) = {*BACKENDS} - {backend}
    twin = render(build_backend=other)
    names = {file.relative_to(project) for file in tracked(project)}
    assert names == {file.relative_to(twin) for file in tracked(twin)}
    for name in names:
        assert (project / name).read_bytes() == (twin / name).read_bytes(), name
    own_check_passes(project, pythons()[oldest_python()], "cp311", run)
