"""docs/how-to/another-ci.md: GitLab's jobs, played one after the other on this machine."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.builds import QUICK
from helpers.fixture_types import Render, Repository, Run
from helpers.local_index import LocalIndex
from helpers.pages import read
from helpers.rendering import ADA
from helpers.workflow_run import SMALL_WHEELS
from tools.machine import GIT, oldest_python
from tools.template import FLOORS

pytestmark = pytest.mark.builds

PAGE = read("how-to/another-ci.md")


@pytest.fixture(scope="module")
def gitlab() -> dict[str, Any]:
    (text,) = PAGE.blocks("yaml")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


JOBS = ["lint", "rust", "tests", "preflight", "sdist", "wheels", "gate", "publish"]
# What is not run: it installs onto the runner. CI's own jobs and the images' makers see to that.
NOT_RUN = {
    "curl --proto =https --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal "
    '--component rustfmt,clippy --default-toolchain "$RUST"',
    'export PATH="$HOME/.cargo/bin:$PATH"',
    "python -m pip install --require-hashes --requirement release/requirements.txt",
    "python -m pip install --require-hashes --requirement release/wheel-requirements.txt",
    "apt-get update && apt-get install --yes docker-cli",
}


def test_gitlab_file_keeps_to_the_schema(tmp_path: Path, run: Run) -> None:
    (text,) = PAGE.blocks("yaml")
    check = ("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", ".gitlab-ci.yml")
    (tmp_path / ".gitlab-ci.yml").write_text(text)
    run(*check, cwd=tmp_path)
    (tmp_path / ".gitlab-ci.yml").write_text(
        text.replace("    - nox --session lint", "    lint: 1")
    )
    assert run(*check, cwd=tmp_path, check=False).returncode != 0


def test_gitlab_file_says_what_the_project_says(gitlab: dict[str, Any], render: Render) -> None:
    project = render()
    text = (project / "pyproject.toml").read_text("utf-8")
    assert f'RUSTUP_TOOLCHAIN = "{gitlab["variables"]["RUST"]}"' in text
    (pythons,) = gitlab["tests"]["parallel"]["matrix"]
    assert pythons["PYTHON"] == FLOORS
    planned = subprocess.run(
        [sys.executable, "-B", "release/tools/plan.py"], cwd=project, capture_output=True, text=True
    ).stdout
    jobs = json.loads(re.findall(r"^build=(.*)", planned, re.M)[0])
    wanted = {
        (job["platform"], job["archs"], job["build"])
        for job in jobs
        if "linux" in job["platform"] and job["archs"] in ("x86_64", "i686")
    }
    assert wanted == set(wheel_jobs(gitlab))


def wheel_jobs(gitlab: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The platform, the architecture and the selectors of each job of GitLab's matrix."""
    for row in gitlab["wheels"]["parallel"]["matrix"]:
        platforms = row["PLATFORM"] if isinstance(row["PLATFORM"], list) else [row["PLATFORM"]]
        for platform in platforms:
            selectors = gitlab["wheels"]["variables"]["CIBW_BUILD"].replace("$PLATFORM", platform)
            yield platform, row["ARCHS"], selectors


def script(gitlab: dict[str, Any], job: str) -> list[str]:
    """All lines of a job, those before it first."""
    parent = gitlab[job].get("extends")
    before = gitlab[parent] if parent else gitlab["default"]
    return [*before["before_script"], *gitlab[job]["script"]]


@pytest.mark.skipif(sys.platform != "linux", reason="the jobs are for Linux")
def test_gitlab_jobs_run(
    gitlab: dict[str, Any],
    repository: Repository,
    index: LocalIndex,
    run: Run,
    tmp_path: Path,
) -> None:
    assert [name for name in gitlab if name in JOBS] == JOBS
    assert {name for name in gitlab if "script" in (gitlab[name] or {})} == set(JOBS)
    project = repository(**ADA)
    wheels = list(wheel_jobs(gitlab))
    (project / "release" / "wheels.txt").write_text(
        "".join(f"{platform} abi3 cp314t cp315t\n" for platform, _, _ in wheels)
    )
    run("git", "commit", "--quiet", "--all", "--message=Platforms", cwd=project, **GIT)
    run("git", "tag", "v0.1.0", cwd=project)
    origin = tmp_path / "ada" / "fast-doubles.git"
    run("git", "clone", "--quiet", "--bare", project, origin, cwd=project)
    (tmp_path / "stand-in").mkdir()
    stand_in = f"import os, sys; os.execv({sys.executable!r}, {SMALL_WHEELS!r} + sys.argv[1:])"
    (tmp_path / "stand-in" / "cibuildwheel.py").write_text(stand_in)
    predefined = QUICK | {
        "CI_COMMIT_TAG": "v0.1.0",
        "CI_DEFAULT_BRANCH": "main",
        "PIP_FIND_LINKS": "",
        "PYTHON": oldest_python(),
    }
    left_out = set()

    def play(job: str, **variables: str) -> None:
        """Run a job in a clone of its own, with the artifacts that GitLab hands to it."""
        workspace, store = tmp_path / "workspace", tmp_path / "artifacts"
        shutil.rmtree(workspace, ignore_errors=True)
        run("git", "clone", "--quiet", "--branch=v0.1.0", origin, workspace, cwd=tmp_path, **GIT)
        earlier = gitlab["stages"][: gitlab["stages"].index(gitlab[job]["stage"])]
        usual = [name for name in JOBS if gitlab[name]["stage"] in earlier]
        for needed in gitlab[job].get("needs", usual):
            if (store / needed).exists():
                shutil.copytree(store / needed, workspace, dirs_exist_ok=True)
        for line in script(gitlab, job):
            if line in NOT_RUN:
                left_out.add(line)
            else:
                run(
                    *("bash", "-euo", "pipefail", "-c", line),
                    cwd=workspace,
                    **predefined,
                    **variables,
                )
        for pattern in gitlab[job].get("artifacts", {}).get("paths", []):
            for file in workspace.glob(pattern):
                kept = store / job / file.relative_to(workspace)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, kept)

    for job in ("lint", "rust", "tests", "preflight", "sdist"):
        play(job)
    for _, archs, selectors in wheels:
        place = {"PYTHONPATH": str(tmp_path / "stand-in"), "CIBW_BUILD": selectors}
        play("wheels", CIBW_ARCHS=archs, **place)
    play("gate")
    assert set(gitlab["publish"]["variables"]) == {
        "TWINE_REPOSITORY_URL", "TWINE_USERNAME", "TWINE_PASSWORD",
    }  # fmt: skip
    account = {"TWINE_USERNAME": "gitlab-ci-token", "TWINE_PASSWORD": index.password}
    play("publish", TWINE_REPOSITORY_URL=index.url, **account)
    assert len(index.files()) == 1 + 3 * len(wheels)
    assert left_out == NOT_RUN
