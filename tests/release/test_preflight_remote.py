"""The check before anything is built: tags, the origin, and other workflows that upload."""

import re
from pathlib import Path

import pytest

from helpers.fixture_types import Run
from helpers.preflight_runs import Preflight
from tools.machine import GIT
from tools.template import PROJECT_FOLDER

pytestmark = pytest.mark.builds  # each takes seconds

TAG = ("--tag=v0.1.0", "--branch=HEAD")


def commit(project: Path, run: Run) -> None:
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--message=x", cwd=project, **GIT)


# Other workflows, as projects have them: what starts them, and what sends the files.
ON_A_TAG = "on:\n  push:\n    tags: ['v*']\n"
UPLOADS = {
    "the action": "- uses: pypa/gh-action-pypi-publish@release/v1",
    "maturin": "- run: maturin upload --skip-existing *",
    "maturin-action": "- uses: PyO3/maturin-action@v1\n  with:\n    command: upload\n",
    "twine": "- run: |\n    python -m twine --no-color upload dist/*",
    "uv": "- run: uv --quiet publish",
    "poetry": "- run: poetry publish --build",
    "setup.py": "- run: python setup.py sdist upload",
    "a token": "- run: make release\n  env:\n    POETRY_PYPI_TOKEN_PYPI: ${{ secrets.X }}",
    "a secret": "- uses: example/release@v1\n  with:\n    token: ${{ secrets.PYPI_API_TOKEN }}",
    "a password": "- run: make release\n  env:\n    TWINE_PASSWORD: ${{ secrets.X }}",
}


@pytest.mark.parametrize("step", UPLOADS.values(), ids=UPLOADS)
def test_another_workflow_that_uploads_is_named(
    preflight: Preflight, project: Path, run: Run, step: str
) -> None:
    workflow = project / ".github" / "workflows" / "wheels.yaml"
    steps = step.replace("\n", "\n      ")
    workflow.write_text(f"{ON_A_TAG}jobs:\n  a:\n    steps:\n      {steps}\n")
    commit(project, run)
    status, printed = preflight()
    assert status == 0
    assert re.search(r"^Before a release: .github/workflows/wheels.yaml, line \d+, sends", printed)
    status, printed = preflight(*TAG)
    assert status == 1
    assert "sends files to PyPI too" in printed
    assert "so one tag starts two releases: take that out, release.yml does it" in printed


HARMLESS = {
    "a comment": f"{ON_A_TAG}jobs: # twine upload dist/*\n  # - run: maturin upload\n",
    "the check of twine": f"{ON_A_TAG}jobs: {{a: {{steps: [run: twine check dist/*]}}}}\n",
    "a crate": f"{ON_A_TAG}jobs: {{a: {{steps: [run: cargo publish]}}}}\n",
    "every night": "on:\n  schedule: [cron: 0 0 * * *]\njobs: {a: {steps: [run: uv publish]}}\n",
    "a quoted key": "'on': [workflow_dispatch]\njobs: {a: {steps: [run: uv publish]}}\n",
    "started manually": "on: workflow_dispatch\njobs: {a: {steps: [run: twine upload dist/*]}}\n",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_workflow_that_starts_no_second_release_is_left_alone(
    preflight: Preflight, project: Path, run: Run, text: str
) -> None:
    (project / ".github" / "workflows" / "other.yml").write_text(text)
    commit(project, run)
    assert preflight(*TAG) == (0, "")


def test_a_workflow_is_read_whatever_its_name(
    preflight: Preflight, project: Path, run: Run
) -> None:
    name = "veröffentlichen 🦀.yml"
    text = f"{ON_A_TAG}jobs: {{a: {{steps: [run: uv publish]}}}}\n"
    (project / ".github" / "workflows" / name).write_text(text)
    commit(project, run)
    assert f".github/workflows/{name}, line 4, sends files to PyPI too" in preflight()[1]


def test_without_the_releases_workflow_another_may_upload(
    preflight: Preflight, project: Path, run: Run
) -> None:
    """As on another CI, which has its own: docs/how-to/another-ci.md."""
    workflow = project / ".github" / "workflows" / "release.yml"
    workflow.write_text(f"{ON_A_TAG}jobs: {{a: {{steps: [run: uv publish]}}}}\n")
    workflow.rename(workflow.with_name("own.yml"))
    commit(project, run)
    assert preflight(*TAG) == (0, "")


@pytest.mark.parametrize(
    "events",
    [
        "[release]",
        "[create]",
        "[workflow_call]",
        "\n  workflow_run:\n    types: [completed]",
        "\n  repository_dispatch:\n    types: [built]",
    ],
)
def test_a_workflow_that_follows_a_tag_by_another_event_is_named(
    preflight: Preflight, project: Path, run: Run, events: str
) -> None:
    text = f"'on': {events}\njobs: {{a: {{steps: [run: twine upload dist/*]}}}}\n"
    (project / ".github" / "workflows" / "other.yml").write_text(text)
    commit(project, run)
    assert "other.yml, line " in preflight(*TAG)[1]


def name_tags(project: Path, pattern: str) -> None:
    (project / "release" / "tag.txt").write_text(f"# tags\n\n{pattern}\n")


@pytest.mark.parametrize("pattern", ["{version}", "py-{version}", "release/v{version}"])
def test_the_lines_that_follow_the_tags_pattern_are_named(
    preflight: Preflight, project: Path, run: Run, pattern: str
) -> None:
    name_tags(project, pattern)
    prefix = pattern.removesuffix("{version}")
    status, printed = preflight()
    assert status == 1
    trigger = f'tags: ["{prefix}[0-9]*"]'
    said = rf".github/workflows/release.yml, line (\d+), starts for no tag like {prefix}1.2.3"
    (number,) = re.findall(said, printed)
    assert f"write `{trigger}`" in printed
    assert f"write `tag_name = {prefix}{{new_version}}`" in printed

    release = project / ".github" / "workflows" / "release.yml"
    lines = release.read_text("utf-8").splitlines()
    assert lines[int(number) - 1].strip().startswith("tags:")
    lines[int(number) - 1] = f"    {trigger}"
    release.write_text("\n".join(lines) + "\n", "utf-8")
    bump = project / ".bumpversion.cfg"
    text = bump.read_text("utf-8").replace("tag_name = v{", f"tag_name = {prefix}{{")
    bump.write_text(text, "utf-8")
    commit(project, run)
    assert preflight(f"--tag={prefix}0.1.0", "--branch=HEAD") == (0, "")
    status, printed = preflight(*TAG)
    assert status == 1
    assert f"has version 0.1.0, whose tag is {prefix}0.1.0 (release/tag.txt)" in printed


@pytest.mark.parametrize(
    ("trigger", "right"),
    [
        ("tags: ['v*']", True),
        ("tags:\n      - 'nightly'\n      - v[0-9]*", True),
        ('tags: ["*.*.*"]', True),
        ('tags:\n      - "[0-9]*"', False),
        ('tags: ["release-*"]', False),
        ('tags: ["release-*"]\n    branches: ["**"]', False),
    ],
)
def test_the_trigger_may_be_written_in_many_ways(
    preflight: Preflight, project: Path, trigger: str, right: bool
) -> None:
    release = project / ".github" / "workflows" / "release.yml"
    text = release.read_text("utf-8")
    changed = re.sub(r"tags: \[.*", lambda _: trigger, text, count=1)
    assert changed != text
    release.write_text(changed, "utf-8")
    assert (preflight()[0] == 0) == right


def test_bump2versions_own_tag_counts_where_its_file_names_none(
    preflight: Preflight, project: Path
) -> None:
    bump = project / ".bumpversion.cfg"
    bump.write_text(re.sub("(?m)^tag_name = .*\n", "", bump.read_text("utf-8")), "utf-8")
    assert preflight()[0] == 0
    name_tags(project, "{version}")
    assert ".bumpversion.cfg makes tags v{new_version}, but release/tag.txt" in preflight()[1]


@pytest.mark.parametrize("text", ["v", "{version}-final", "v{version}\nx", "", "v {version}"])
def test_a_pattern_that_is_none_is_refused(preflight: Preflight, project: Path, text: str) -> None:
    (project / "release" / "tag.txt").write_text(text)
    status, printed = preflight()
    assert status == 1
    assert "release/tag.txt says" in printed
    assert "write one line that ends in {version}" in printed


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        (["5.0.0"], "the last tag is 5.0.0, but a release starts for tags like v1.2.3 alone"),
        (["v1.1.0", "4.3.0", "4.10.0"], "the last tag is 4.10.0"),
        (["0.0.9", "v0.1.0"], ""),
        (["crate-5.0.0", "nightly", "latest"], ""),
        (
            ["v0.2.1"],
            "the version is 0.1.0, and the tag v0.2.1 is in its history: write 0.2.1 into",
        ),
        (["v0.9.0", "v0.10.0"], "and the tag v0.10.0 is in its history: write 0.10.0 into"),
        (["v0.0.9", "v0.1.0rc1"], ""),
    ],
)
def test_earlier_tags(
    preflight: Preflight, project: Path, run: Run, tags: list[str], complaint: str
) -> None:
    for tag in tags:
        run("git", "tag", tag, cwd=project)
    status, printed = preflight()
    assert status == 0
    assert (printed == "") == (complaint == "")
    assert complaint in printed
    assert (preflight(*TAG)[0] == 1) == bool(complaint)


def test_with_a_prefix_of_its_own_other_tags_are_of_something_else(
    preflight: Preflight, project: Path, run: Run
) -> None:
    name_tags(project, "py-{version}")
    run("git", "tag", "5.0.0", cwd=project)
    assert "5.0.0" not in preflight()[1]


def test_a_tag_on_another_branch_is_no_earlier_release(
    preflight: Preflight, project: Path, run: Run
) -> None:
    """A maintenance branch releases 0.1.x when 0.2.0 is out."""
    run("git", "commit", "--quiet", "--allow-empty", "--message=x", cwd=project, **GIT)
    run("git", "tag", "v0.2.0", cwd=project)
    run("git", "reset", "--quiet", "--keep", "HEAD~1", cwd=project)
    assert preflight(*TAG) == (0, "")


def test_the_publisher_of_release_readme_is_the_origin(
    preflight: Preflight, project: Path, run: Run
) -> None:
    """Where the metadata names no repository, as in a project that was there before."""
    manifest = project / "pyproject.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("Repository = ", "Home = "), "utf-8")
    readme = project / "release" / "README.md"
    text = readme.read_text("utf-8")
    assert "| Owner | `ada` |" in text
    readme.write_text(text.replace("| `ada` |", "| `Ada` |"), "utf-8")  # GitHub takes either
    commit(project, run)
    assert preflight(*TAG) == (0, "")
    run("git", "remote", "set-url", "origin", "git@github.com:ada/other.git", cwd=project)
    status, printed = preflight(*TAG)
    assert status == 1
    assert "release/README.md tells PyPI of the repository Ada/fast-doubles" in printed
    assert "put ada/other there, or PyPI refuses the upload" in printed
    run("git", "remote", "set-url", "origin", "https://gitlab.com/ada/other", cwd=project)
    assert preflight(*TAG) == (0, "")


def test_classifiers_below_the_floor_are_named(
    preflight: Preflight, project: Path, run: Run
) -> None:
    manifest = project / "pyproject.toml"
    older = '    "Programming Language :: Python :: 3.9",\n'
    text = manifest.read_text("utf-8").replace("classifiers = [\n", f"classifiers = [\n{older}")
    manifest.write_text(text, "utf-8")
    commit(project, run)
    said = "the classifier 'Programming Language :: Python :: 3.9' names a Python below"
    assert said in preflight()[1]
    assert said in preflight(*TAG)[1]


def test_what_can_wait_is_no_part_of_a_rehearsal(
    preflight: Preflight, project: Path, run: Run
) -> None:
    run("git", "tag", "5.0.0", cwd=project)
    assert preflight(*TAG, "--rehearsal") == (0, "")
    status, printed = preflight("--tag=0.1.0", "--branch=HEAD", "--rehearsal")
    assert status == 1
    assert "the tag is 0.1.0, but pyproject.toml has version 0.1.0, whose tag is v0.1.0" in printed


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("place", ["", "crate/"])
def test_a_lock_that_is_missing_or_ignored_is_brought_back_as_it_says(
    preflight: Preflight, project: Path, run: Run, ignored: bool, place: str
) -> None:
    if place:
        (project / "crate").mkdir()
        for name in ("Cargo.toml", "Cargo.lock", "rust"):
            run("git", "mv", name, f"{place}{name}", cwd=project)
        manifest = project / "pyproject.toml"
        text = manifest.read_text("utf-8")
        where = '[tool.maturin]\nmanifest-path = "crate/Cargo.toml"'
        manifest.write_text(text.replace("[tool.maturin]", where), "utf-8")
    run("git", "rm", "--quiet", "--force", f"{place}Cargo.lock", cwd=project)
    deeper = project / "crate" / "another" / "Cargo.toml"  # not the package's
    deeper.parent.mkdir(parents=True)
    deeper.write_text("[package]\n")
    if ignored:
        with (project / ".gitignore").open("a") as file:
            file.write("Cargo.lock\n")
    commit(project, run)
    status, printed = preflight()
    assert status == 1
    (said,) = re.findall(r"git tracks no Cargo.lock: (.*)", printed)
    assert ("take 'Cargo.lock' out of .gitignore, line " in said) == ignored
    commands = [words for words in re.findall(r"`([^`]+)`", said) if not words.startswith("Cargo")]
    assert len(commands) == 2
    if ignored:
        text = (project / ".gitignore").read_text()
        (project / ".gitignore").write_text(text.replace("Cargo.lock\n", ""))
    for command in commands:
        run(*command.split(), cwd=project)
    assert run("git", "ls-files", "*Cargo.lock", cwd=project).stdout == f"{place}Cargo.lock\n"


def test_the_template_has_one_pattern_of_tags() -> None:
    tag = (PROJECT_FOLDER / "release" / "tag.txt").read_text("utf-8").splitlines()[-1]
    bump = (PROJECT_FOLDER / ".bumpversion.cfg").read_text("utf-8")
    assert f"tag_name = {tag.replace('{version}', '{new_version}')}\n" in bump
