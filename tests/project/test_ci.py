"""What the shell steps of ci.yml do, and what its last job, which branches require, lets pass."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.fixture_types import Repository, Run
from helpers.workflows import WORKFLOWS, load
from tools.machine import GIT, pythons
from tools.template import PROJECT_FOLDER, PYTHONS

CI = load(PROJECT_FOLDER / ".github" / "workflows" / "ci.yml")
JOBS = CI["jobs"]
on_linux = pytest.mark.skipif(sys.platform == "win32", reason="the job's shell is that of Linux")


def script(job: str, beginning: str) -> str:
    """The one step of a job in which a line begins so."""
    runs: list[str] = [step.get("run", "") for step in JOBS[job]["steps"]]
    (found,) = [run for run in runs if re.search(rf"^{re.escape(beginning)}", run, re.M)]
    return found


def test_it_runs_for_pull_requests_and_what_was_merged() -> None:
    push, by_hand = {"branches": ["main"]}, {"workflow_dispatch": None}
    assert CI["on"] == {"push": push, "pull_request": None, **by_hand}


# Files that are new or changed in a pull request, and whether wheels are built for it.
PACKAGING = {
    **dict.fromkeys([".cargo/config.toml", ".github/workflows/ci.yml", "build.rs"], "true"),
    **dict.fromkeys(["Cargo.toml", "Cargo.lock", "pyproject.toml"], "true"),
    **dict.fromkeys(["setup.py", "setup.cfg"], "true"),
    **dict.fromkeys(["rust-toolchain.toml", "rust-toolchain", "release/wheels.txt"], "true"),
    **dict.fromkeys(["README.md", "tests/test_more.py", "rust/kernel.rs"], "false"),
    **dict.fromkeys(["python/fast_doubles/__init__.py", "docs/setup.py"], "false"),
}


@pytest.fixture
def plan(repository: Repository, run: Run, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Merge a pull request that changes one file; return the outputs of the job `plan`."""
    project = repository()
    checkout = JOBS["plan"]["steps"][0]["with"]

    def plan(file: str, text: str = "\n", event: str = "pull_request") -> dict[str, str]:
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
        output = clone / "output"
        run(
            *("bash", "-e", "-c", script("plan", 'echo "packaging=')),
            cwd=clone,
            EVENT=event,
            GITHUB_OUTPUT=str(output),
        )
        lines = output.read_text("utf-8").splitlines()
        clone.rename(tmp_path / f"checkout of {file} {event}".replace("/", "-"))
        return dict(line.split("=", 1) for line in lines)

    return plan


@on_linux
def test_wheels_are_built_for_pull_requests_that_change_packaging(
    plan: Callable[..., dict[str, str]],
) -> None:
    """But not for what else was merged meanwhile; nor for a push, which comes after one."""
    assert {file: plan(file)["packaging"] for file in PACKAGING} == PACKAGING
    assert plan("setup.py", event="push")["packaging"] == "false"


@on_linux
def test_emulated_platforms_are_left_to_the_release(plan: Callable[..., dict[str, str]]) -> None:
    outputs = plan("release/wheels.txt", "manylinux_s390x abi3\n")
    platforms = [job["platform"] for job in json.loads(outputs["build"])]
    assert "manylinux_x86_64" in platforms
    assert "manylinux_s390x" not in platforms
    minors = [session["python"] for session in json.loads(outputs["pythons"])]
    assert minors == PYTHONS


@pytest.mark.parametrize(
    ("packaging", "build", "runs"),
    [("true", "[{}]", True), ("false", "[{}]", False), ("true", "[]", False)],
)
def test_wheels_are_built_where_the_plan_says_so(packaging: str, build: str, runs: bool) -> None:
    """The last job takes them for left out, so a condition that is never true would pass."""
    condition = JOBS["wheels"]["if"].replace("&&", "and")
    for name, value in (("packaging", packaging), ("build", build)):
        condition = condition.replace(f"needs.plan.outputs.{name}", repr(value))
        assert JOBS["plan"]["outputs"][name] == f"${{{{ steps.plan.outputs.{name} }}}}"
    assert eval(condition, {}) is runs


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
    for position, name in enumerate(needs):
        for result in RESULTS:
            results = ["success"] * len(needs)
            results[position] = result
            answer = subprocess.run(
                ["bash", "-e", "-c", script],
                env={"RESULTS": " ".join(results)},
                capture_output=True,
            )
            passes = result == "success" or (name, result) == ("wheels", "skipped")
            assert (answer.returncode == 0) is passes, (name, result)
