"""Runs of release.yml for a project that was pushed and tagged, and how they have to end."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.faults import ABI3_WHEEL, LINUX
from helpers.fixture_types import Run
from helpers.local_index import LocalIndex
from helpers.workflow_run import TESTPYPI, WorkflowRun
from tools.machine import GIT

# What the locks hold is installed already. No index answers, so nothing else can be fetched.
NO_INDEX = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/",
    "PIP_RETRIES": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}

# wheels.txt of most runs, and how many files such a release has, with its sdist.
A_FEW_WHEELS = f"{LINUX} abi3 cp314t cp315t\nmacosx_arm64 abi3\nwin32 abi3\n"
A_FEW_FILES = 6


@dataclass
class Project:
    """A rendering that was pushed to a bare repository, tagged; and its workflow's runs."""

    clone: Path
    origin: Path
    python: Path
    run: Run

    def git(self, *arguments: str | Path) -> None:
        self.run("git", *arguments, cwd=self.clone, **GIT)

    def push(self, message: str, *references: str) -> None:
        """Commit all, and push that with tags or branches of the given names."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        for reference in references:
            self.git("push", "--quiet", "--force", "origin", f"HEAD:{reference}")

    def workflow(
        self, folder: Path, pypi: LocalIndex, testpypi: LocalIndex, **options: Any
    ) -> WorkflowRun:
        """A run of release.yml that has not begun."""
        return WorkflowRun(
            file=self.clone / ".github" / "workflows" / "release.yml",
            origin=self.origin,
            folder=folder,
            python=self.python,
            indexes={"": pypi.url, TESTPYPI: testpypi.url},
            password=pypi.password,
            **{"variables": NO_INDEX, **options},
        )


@dataclass
class Built:
    """A project, and a run of its workflow whose wheels are built and not yet installed."""

    project: Project
    run: WorkflowRun

    def resume(self, job: str, folder: Path, *indexes: LocalIndex, **options: Any) -> WorkflowRun:
        """A run of the same jobs up to one, which has not begun; its store is a copy."""
        run = self.project.workflow(folder, *indexes, **options)
        shutil.copytree(self.run.store, run.store, dirs_exist_ok=True)
        before = run.ancestors(job) - {job}
        run.results = dict.fromkeys(before, "success")
        run.outputs = {name: self.run.outputs[name] for name in before if name in self.run.outputs}
        return run


def ended(run: WorkflowRun) -> dict[str, str]:
    return {job: run.results[job] for job in LAST_JOBS}


LAST_JOBS = ["gate", "publish", "index", "install-from-index", "announce"]
PUBLISHED = dict.fromkeys(LAST_JOBS, "success")
NOTHING = dict.fromkeys(LAST_JOBS, "skipped")
REFUSED = NOTHING | {"gate": "failure"}


def assert_all_is_published(
    run: WorkflowRun, index: LocalIndex, files: int = A_FEW_FILES, installed: bool = True
) -> None:
    """Exactly the files that passed the gate are on the index and in the release, and no others.

    One of them was installed from the index and tested, unless no runner can install any.
    """
    on_a_runner = {"install-from-index": "success" if installed else "skipped"}
    assert ended(run) == PUBLISHED | on_a_runner, run.printed
    assert f"has the {files} files, unchanged." in run.printed
    if installed:
        assert f"pip installed {ABI3_WHEEL}" in run.printed
    passed = {file.name: file.read_bytes() for file in (run.store / "release").iterdir()}
    assert len(passed) == files
    assert index.files() == passed
    release = {file.name: file.read_bytes() for file in (run.releases / run.ref).iterdir()}
    assert "draft" not in release
    release.pop("published")
    assert release == passed


def assert_nothing_is_published(run: WorkflowRun, *indexes: LocalIndex) -> None:
    for index in indexes:
        assert index.files() == {}, run.printed
    assert list(run.releases.iterdir()) == []


def assert_stopped_at(job: str, run: WorkflowRun, reason: str, *indexes: LocalIndex) -> None:
    """The job names the reason, no job of the upload starts, and nothing is published."""
    assert run.results[job] == "failure", run.printed
    assert reason in run.printed, run.printed
    assert ended(run) == {name: "failure" if name == job else "skipped" for name in LAST_JOBS}
    assert_nothing_is_published(run, *indexes)
