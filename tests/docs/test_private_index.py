"""docs/how-to/private-index.md: uploads, by the workflow and from a shell, to 127.0.0.1."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from helpers.fixture_types import Repository, Run
from helpers.local_index import LocalIndex
from helpers.pages import read
from helpers.rendering import ADA
from helpers.small_wheels import make_sdist, make_wheel
from helpers.workflow_run import WorkflowRun
from tools.machine import GIT, python_of
from tools.template import TEMPLATE

pytestmark = pytest.mark.builds

PAGE = read("how-to/private-index.md")
PRIVATE = "Private :: Do Not Upload"


@pytest.fixture
def dist(repository: Repository) -> Callable[..., Path]:
    """A rendered project with an sdist and a wheel for this machine's kind in dist/."""

    def dist(**answers: str) -> Path:
        project = repository(**answers)
        (project / "release" / "wheels.txt").write_text("manylinux_x86_64 abi3\n")
        more = f"Classifier: {PRIVATE}" if answers.get("license") == "Proprietary" else ""
        (project / "dist").mkdir()
        make_sdist(project / "dist", more=more)
        make_wheel(project / "dist", "manylinux_x86_64", "cp311-abi3", more=more)
        return project

    return dist


def with_job(project: Path) -> Path:
    """Put the page's jobs and settings in their places; return the workflow's file."""
    file = project / ".github" / "workflows" / "release.yml"
    text = file.read_text("utf-8")
    job, head, settings = PAGE.blocks("yaml")
    inputs = re.search(r"    inputs:\n(      .*\n)+", text)
    assert inputs
    text = text.replace(inputs[0], "")
    start, end = text.index("  publish:\n"), text.index("  index:\n")
    rest = text[end:].split("\n", 4)[4]
    text = f"{text[:start]}{job}\n{head}{rest}"
    start, end = text.index("env: #"), text.index("\n\nconcurrency:")
    file.write_text(text[:start] + settings.rstrip() + text[end:], "utf-8")
    return file


def let_private_pass(project: Path, run: Run) -> None:
    """Apply the page's change for a project with the classifier `Private ::`."""
    (diff,) = PAGE.blocks("diff")
    change = project.parent / "change.diff"
    change.write_text(diff, "utf-8")
    run("git", "apply", change, cwd=project)


def test_workflow_with_the_private_index_is_in_order(dist: Callable[..., Path], run: Run) -> None:
    file = with_job(dist())
    schema = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    run(*schema, file, cwd=TEMPLATE)
    run("zizmor", "--offline", "--persona=auditor", file, cwd=TEMPLATE)
    text = file.read_text("utf-8")
    assert "testpypi" not in text
    assert "id-token" not in text
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
    original = (
        TEMPLATE / "{{cookiecutter.project_slug}}/.github/workflows/release.yml"
    ).read_text()
    used = re.findall(r"uses: *(\S+@.*)$", text, re.M)
    assert set(used) <= set(re.findall(r"uses: *(\S+@.*)$", original, re.M))


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for the runners are for Linux")
def test_workflow_releases_to_the_private_index(
    repository: Repository,
    index: LocalIndex,
    run: Run,
    runner_python: Path,
    tmp_path: Path,
) -> None:
    project = repository(license="Proprietary", **ADA)
    with_job(project)
    let_private_pass(project, run)
    (project / "release" / "wheels.txt").write_text("manylinux_x86_64 abi3\n")
    run("git", "commit", "--quiet", "--all", "--message=A private index", cwd=project, **GIT)
    run("git", "tag", "v0.1.0", cwd=project)
    run("git", "clone", "--quiet", "--bare", project, tmp_path / "origin.git", cwd=tmp_path)
    secret = {"INDEX_PASSWORD": index.password, "INDEX_READ_URL": f"{index.url}simple/"}
    workflow = WorkflowRun(
        file=project / ".github" / "workflows" / "release.yml",
        origin=tmp_path / "origin.git",
        folder=tmp_path / "github",
        python=runner_python,
        indexes={},
        password="",
        settings={
            "vars": {"INDEX_URL": index.url, "INDEX_USERNAME": "ada"},
            "secrets": secret | {"INDEX_PASSWORD": "wrong"},
        },
    ).run()
    assert workflow.results["gate"] == "success", workflow.printed
    assert (workflow.results["publish"], workflow.results["announce"]) == ("failure", "skipped")
    assert index.files() == {}
    workflow.settings["secrets"] = secret
    workflow.rerun()
    assert set(workflow.results.values()) == {"success"}, workflow.printed
    gated = {file.name: file.read_bytes() for file in (workflow.store / "release").iterdir()}
    assert len(gated) == 2
    assert index.files() == gated


def upload(project: Path, index: LocalIndex, password: str, run: Run) -> str:
    """Run the last step of the page's job, with GitHub's variables filled in; what it printed."""
    job = PAGE.blocks("yaml")[0]
    step = yaml.safe_load(job)["publish"]["steps"][-1]
    values = {
        "${{ vars.INDEX_URL }}": index.url,
        "${{ vars.INDEX_USERNAME }}": "ada",
        "${{ secrets.INDEX_PASSWORD }}": password,
    }
    variables = {key: values[value] for key, value in step["env"].items()}
    return run("bash", "-euc", step["run"], cwd=project, check=False, **variables).stdout


def test_upload_takes_the_password_alone_and_each_file_once(
    dist: Callable[..., Path], index: LocalIndex, run: Run
) -> None:
    project = dist()
    assert "403" in upload(project, index, "wrong", run)
    assert index.files() == {}
    upload(project, index, index.password, run)
    assert index.files() == {file.name: file.read_bytes() for file in (project / "dist").iterdir()}
    again = upload(project, index, index.password, run)
    assert re.search(r"HTTPError: (400|409)", again), again


def test_commands_without_ci_do_the_same(
    dist: Callable[..., Path], index: LocalIndex, run: Run
) -> None:
    project = dist()
    (variables,) = PAGE.commands_that_begin("export")
    account = dict(word.split("=", 1) for word in variables[1:])
    account |= {"TWINE_REPOSITORY_URL": index.url, "TWINE_PASSWORD": index.password}
    line = " && ".join(" ".join(words) for words in PAGE.commands_that_begin("python -m twine"))
    (gate,) = PAGE.commands_that_begin("python release/tools/gate.py")
    run("bash", "-euc", f"{' '.join(gate)} && {line}", cwd=project, **account)
    assert len(index.files()) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="the wheel is for Linux")
def test_pip_and_uv_install_from_it(
    dist: Callable[..., Path], index: LocalIndex, run: Run, tmp_path: Path
) -> None:
    upload(dist(), index, index.password, run)
    run(
        "uv", "venv", "--seed", f"--python={sys.executable}", tmp_path / "environment", cwd=tmp_path
    )
    python = str(python_of(tmp_path / "environment"))
    url = {"https://index.example/simple/": f"{index.url}simple/"}
    variables = {"PIP_FIND_LINKS": "", "UV_FIND_LINKS": "", "UV_NO_CACHE": "1"}
    (pip,) = PAGE.commands_that_begin("python -m pip")
    (uv,) = PAGE.commands_that_begin("uv pip")
    for command in ([python, *pip[1:]], [*uv[:3], f"--python={python}", *uv[3:]]):
        run(*(url.get(word, word) for word in command), cwd=tmp_path, **variables)
        shown = run(python, "-m", "pip", "show", "fast-doubles", cwd=tmp_path).stdout
        assert "Version: 0.1.0" in shown
        run("uv", "pip", "uninstall", f"--python={python}", "fast-doubles", cwd=tmp_path)


def test_private_project_passes_the_gate_with_the_change_alone(
    dist: Callable[..., Path], index: LocalIndex, run: Run
) -> None:
    project = dist(license="Proprietary")
    assert PRIVATE in (project / "pyproject.toml").read_text("utf-8")
    gate = (sys.executable, "release/tools/gate.py", "dist")
    refused = run(*gate, cwd=project, check=False)
    assert refused.returncode == 1
    assert f"its classifier is '{PRIVATE}'" in refused.stdout
    let_private_pass(project, run)
    assert "2 files may be uploaded." in run(*gate, cwd=project).stdout
    run(sys.executable, "-m", "ruff", "check", "release", cwd=project)
    upload(project, index, index.password, run)
    assert len(index.files()) == 2
