"""What the shell steps of ci.yml do, and what its last job, which branches require, lets pass."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers.fixture_types import Repository, Run
from helpers.workflows import WORKFLOWS, load
from tools.machine import GIT, pythons
from tools.template import PROJECT_FOLDER, PYTHONS

CI = load(PROJECT_FOLDER / ".github" / "workflows" / "ci.yml")
JOBS = CI["jobs"]
on_linux = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("jq"), reason="the job is for Linux, and needs jq"
)


def script(job: str, beginning: str) -> str:
    """The one step of a job in which a line begins so."""
    runs: list[str] = [step.get("run", "") for step in JOBS[job]["steps"]]
    (found,) = [run for run in runs if re.search(rf"^{re.escape(beginning)}", run, re.M)]
    return found


def test_it_runs_for_pull_requests_and_what_was_merged() -> None:
    push, manually = {"branches": ["main", "master"]}, {"workflow_dispatch": None}
    assert CI["on"] == {"push": push, "pull_request": None, **manually}


# Files that are new or changed in a pull request, and whether wheels are built for it.
PACKAGING = {
    **dict.fromkeys([".cargo/config.toml", ".github/workflows/ci.yml", "build.rs"], True),
    **dict.fromkeys(["Cargo.toml", "Cargo.lock", "pyproject.toml"], True),
    **dict.fromkeys(["setup.py", "setup.cfg"], True),
    **dict.fromkeys(["rust-toolchain.toml", "rust-toolchain", "release/wheels.txt"], True),
    **dict.fromkeys(["README.md", "tests/test_more.py", "rust/kernel.rs"], False),
    **dict.fromkeys(["python/fast_doubles/__init__.py", "docs/setup.py"], False),
}


class Plan(NamedTuple):
    """The matrices of the jobs `python` and `wheels`, and the notices about missing wheels."""

    pythons: list[dict[str, str]]
    wheels: list[dict[str, str]]
    notices: list[str]


@pytest.fixture
def plan(repository: Repository, run: Run, tmp_path: Path) -> Callable[..., Plan]:
    """Merge a pull request that changes one file; return what the job `plan` makes of it."""
    project = repository()
    checkout = JOBS["plan"]["steps"][0]["with"]

    def plan(file: str, text: str = "\n", event: str = "pull_request") -> Plan:
        def git(*words: str | Path, cwd: Path = project) -> None:
            run("git", *words, cwd=cwd, **GIT)

        def commit(file: str, text: str) -> None:
            (project / file).parent.mkdir(exist_ok=True)
            with (project / file).open("a") as opened:
                opened.write(text)
            git("add", "--all")
            git("commit", "--quiet", f"--message={file}")

        git("switch", "--quiet", "-C", "topic", "main")
        commit(file, text)
        commit("notes.txt", file)  # the last commit is not all of a pull request
        git("switch", "--quiet", "-C", "merged", "main")
        commit("Cargo.toml", f"# by someone else, for {file}\n")
        git("merge", "--quiet", "--no-ff", "--strategy-option=theirs", "topic")
        clone = tmp_path / "checkout"
        options = (f"--depth={checkout['fetch-depth']}", "--branch=merged", project.as_uri())
        git("clone", "--quiet", *options, clone, cwd=tmp_path)
        matrices, printed = [], ""
        for step in ("python", "wheels"):
            output = tmp_path / f"output of {step}"
            output.unlink(missing_ok=True)
            (shell,) = [s["run"] for s in JOBS["plan"]["steps"] if s.get("id") == step]
            variables = {"EVENT": event, "GITHUB_OUTPUT": str(output)}
            printed += run("bash", "-e", "-c", shell, cwd=clone, **variables).stdout
            name, _, matrix = output.read_text("utf-8").partition("=")
            assert name == "matrix"
            matrices.append(json.loads(matrix))
        pythons, wheels = matrices
        clone.rename(tmp_path / f"checkout of {file} {event}".replace("/", "-"))
        notices = re.findall(r"^::notice title=No wheels::(.*)", printed, re.M)
        return Plan(pythons, wheels, notices)

    return plan


@on_linux
def test_wheels_are_built_for_pull_requests_that_change_packaging(
    plan: Callable[..., Plan],
) -> None:
    """But not for what else was merged meanwhile."""
    for file, builds in PACKAGING.items():
        planned = plan(file)
        assert bool(planned.wheels) is builds, file
        assert bool(planned.notices) is not builds, file
    assert "does not change the packaging. To build them: Actions, CI," in planned.notices[0]


@on_linux
def test_wheels_are_built_when_somebody_starts_the_workflow(plan: Callable[..., Plan]) -> None:
    planned = plan("README.md", event="workflow_dispatch")
    assert planned.wheels
    assert planned.notices == []


@on_linux
def test_a_push_builds_no_wheels_and_says_why(plan: Callable[..., Plan]) -> None:
    planned = plan("setup.py", event="push")
    assert planned.wheels == []
    assert planned.notices == [
        "Pull requests that change the packaging build them, and releases do. "
        "To build them: Actions, CI, Run workflow."
    ]


@on_linux
def test_emulated_platforms_are_left_to_the_release(plan: Callable[..., Plan]) -> None:
    planned = plan("release/wheels.txt", "manylinux_s390x abi3\n")
    platforms = [job["platform"] for job in planned.wheels]
    assert "manylinux_x86_64" in platforms
    assert "manylinux_s390x" not in platforms


@on_linux
def test_a_project_with_emulated_platforms_alone_says_so(
    plan: Callable[..., Plan], tmp_path: Path
) -> None:
    (tmp_path / "fast-doubles" / "release" / "wheels.txt").write_text("manylinux_s390x abi3\n")
    planned = plan("setup.py")
    assert planned.wheels == []
    assert "need emulation" in planned.notices[0]


@on_linux
def test_every_python_is_tested_on_linux_and_two_elsewhere(plan: Callable[..., Plan]) -> None:
    planned = plan("README.md")
    tested = {(job["runner"], job["python"]) for job in planned.pythons}
    assert len(tested) == len(planned.pythons)
    ends = [PYTHONS[0], PYTHONS[-1]]
    assert tested == {
        *(("ubuntu-24.04", python) for python in PYTHONS),
        *((runner, python) for runner in ("windows-2025", "macos-15") for python in ends),
    }
    assert {job["session"] for job in planned.pythons} == {f"tests-{p}" for p in PYTHONS}


@on_linux
def test_a_project_for_one_python_tests_it_once_on_each_system(run: Run, tmp_path: Path) -> None:
    """With jq as the job calls it: its oldest Python is its newest."""
    nox = tmp_path / "nox"
    nox.write_text('#!/bin/sh\necho \'[{"session": "tests-3.15", "python": "3.15"}]\'\n')
    nox.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    output = tmp_path / "output"
    shell = script("plan", "sessions=")
    run("bash", "-e", "-c", shell, cwd=tmp_path, PATH=path, GITHUB_OUTPUT=str(output))
    runners = [job["runner"] for job in json.loads(output.read_text().partition("=")[2])]
    assert runners == ["ubuntu-24.04", "windows-2025", "macos-15"]


def test_wheels_are_built_where_the_plan_says_so() -> None:
    """The last job takes them for left out, so a condition that is never true would pass."""
    assert JOBS["plan"]["outputs"]["wheels"] == "${{ steps.wheels.outputs.matrix }}"
    assert JOBS["plan"]["outputs"]["pythons"] == "${{ steps.python.outputs.matrix }}"
    condition = JOBS["wheels"]["if"]
    assert eval(condition.replace("needs.plan.outputs.wheels", "'[{}]'"), {}) is True
    assert eval(condition.replace("needs.plan.outputs.wheels", "'[]'"), {}) is False


@on_linux
def test_the_oldest_rust_is_that_of_the_manifest(
    repository: Repository, run: Run, tmp_path: Path
) -> None:
    project = repository()
    rustup = tmp_path / "bin" / "rustup"
    rustup.parent.mkdir()
    rustup.write_text(f'#!/bin/sh\necho "$@" > {shlex.quote(str(tmp_path / "asked"))}\n')
    rustup.chmod(0o755)
    path = f"{rustup.parent}{os.pathsep}{os.environ['PATH']}"
    install = ("bash", "-e", "-c", script("oldest-rust", "rustup toolchain install"))
    run(*install, cwd=project, PATH=path, GITHUB_ENV=str(tmp_path / "variables"))
    assert (tmp_path / "asked").read_text() == "toolchain install 1.85 --profile minimal\n"
    # Without the variable, cargo is that of the runner.
    assert (tmp_path / "variables").read_text() == "RUSTUP_TOOLCHAIN=1.85\n"
    later = [step["run"] for step in JOBS["oldest-rust"]["steps"][2:]]
    assert [re.findall(r"^cargo (\w+) --locked", line) for line in later] == [["check"], ["test"]]


def test_every_session_that_nox_runs_by_itself_is_run(repository: Repository, run: Run) -> None:
    text = json.dumps(JOBS)
    listed = run("nox", "--list", cwd=repository()).stdout
    own = {name.partition("-")[0] for name in re.findall(r"^\* (\S+)", listed, re.M)}
    assert own == {"lint", "rust", "tests"}
    assert set(re.findall(r"nox (?:--list-sessions )?--session (\w+)", text)) == own


@pytest.mark.skipif(len(pythons()) == len(PYTHONS), reason="no Python is missing")
def test_a_python_that_is_missing_fails_its_job(repository: Repository, run: Run) -> None:
    """On a developer's machine, nox leaves such a session out."""
    missing = min(set(PYTHONS) - set(pythons()))
    command = script("python", "nox ").replace('"$SESSION"', f"tests-{missing}")
    result = run(*shlex.split(command), cwd=repository(), check=False)
    assert result.returncode != 0
    assert f"Python interpreter {missing} not found" in result.stdout


def test_last_job_of_ci_waits_for_all_others() -> None:
    for file in WORKFLOWS:
        if file.name == "ci.yml":
            jobs = load(file)["jobs"]
            assert list(jobs)[-1] == "pass"
            assert set(jobs["pass"]["needs"]) == set(jobs) - {"pass"}
            assert jobs["pass"]["if"] == "always()"


RESULTS = ["success", "failure", "cancelled", "skipped"]


@on_linux
@pytest.mark.parametrize("file", [f for f in WORKFLOWS if f.name == "ci.yml"], ids=["own", "its"])
def test_last_job_of_ci_passes_only_if_all_others_did(file: Path) -> None:
    job = load(file)["jobs"]["pass"]
    script, needs = job["steps"][-1]["run"], job["needs"]
    assert job["steps"][-1]["env"] == {"NEEDS": "${{ toJSON(needs) }}"}
    for names in (needs, [*needs, "one more"], ["one more", *reversed(needs)]):
        assert passes(script, dict.fromkeys(names, "success"))
        for name in names:
            for result in RESULTS[1:]:
                left_out = (name, result) == ("wheels", "skipped")
                results = dict.fromkeys(names, "success") | {name: result}
                assert passes(script, results) is left_out, (name, result)


def passes(script: str, results: dict[str, str]) -> bool:
    """Whether the last job passes when the others ended so."""
    needs = {name: {"result": result, "outputs": {}} for name, result in results.items()}
    answer = subprocess.run(
        ["bash", "-e", "-c", script],
        env={"NEEDS": json.dumps(needs), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    if "raw-output" in script:
        assert [line for line in answer.stdout.splitlines() if ": " in line] == [
            f"{name}: {result}" for name, result in results.items()
        ]
    return answer.returncode == 0
