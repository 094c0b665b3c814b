"""The jobs of release.yml: which of them start when, and what those that publish may do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.workflow_run import WorkflowRun
from helpers.workflows import RELEASE, load, needed, steps
from tools import actions


def test_emulation_begins_before_wheels_are_built_and_only_where_it_must() -> None:
    """Without it, no program of that processor starts; macOS and Windows have no Docker for it."""
    names = [
        step.get("uses", step.get("run", "")) for step in load(RELEASE)["jobs"]["wheels"]["steps"]
    ]
    (position,) = [n for n, name in enumerate(names) if "setup-qemu" in name]
    assert load(RELEASE)["jobs"]["wheels"]["steps"][position]["if"] == "matrix.emulated"
    (build,) = [n for n, name in enumerate(names) if "python -m cibuildwheel dist/*" in name]
    assert position < build


# The actions of the release: the tag of each, and the setting that turns off a cache that it has by
# default. A newer one may have such a cache too: look into its action.yml.
CACHES: dict[str, tuple[str, dict[str, bool]]] = {
    "actions/checkout": ("v7.0.1", {}),
    "actions/download-artifact": ("v8.0.1", {}),
    "actions/setup-python": ("v7.0.0", {}),
    "actions/upload-artifact": ("v7.0.1", {}),
    "docker/setup-qemu-action": ("v4.2.0", {"cache-image": False}),
    "pypa/gh-action-pypi-publish": ("v1.14.2", {}),
}


def test_release_path_has_no_cache() -> None:
    used = [step for step in steps(RELEASE) if "@" in step.get("uses", "")]
    assert {step["uses"].partition("@")[0] for step in used} == set(CACHES)
    for step in used:
        action = step["uses"].partition("@")[0]
        tag, expected = CACHES[action]
        settings = step.get("with", {})
        assert {name: settings[name] for name in settings if "cache" in name} == expected, step
        assert actions.table()[action].tag == tag, (
            f"has {action} a cache by default? Look into its action.yml, then change its tag above"
        )


def test_jobs_that_publish_run_no_code_of_the_project() -> None:
    jobs = load(RELEASE)["jobs"]
    for name in ("publish", "publish-to-testpypi"):
        take, send = jobs[name]["steps"]
        assert take["uses"].startswith("actions/download-artifact@")
        assert take["with"] == {"name": "release", "path": "dist"}
        assert send["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert not any("checkout" in step.get("uses", "") for step in jobs["announce"]["steps"])
    # What they take is what the gate has checked, and nothing writes to it in between.
    checks, keeps = jobs["gate"]["steps"][-2:]
    assert checks["run"].startswith("python release/tools/gate.py dist ")
    assert keeps["with"] == {"name": "release", "path": "dist/*", "if-no-files-found": "error"}
    writers = [step for step in steps(RELEASE) if step.get("with", {}).get("name") == "release"]
    assert len([step for step in writers if "upload-artifact" in step["uses"]]) == 1


def test_jobs_that_publish_have_environments_and_attest_releases_alone() -> None:
    jobs = load(RELEASE)["jobs"]
    assert jobs["publish"]["environment"] == "pypi"
    assert jobs["publish"]["steps"][1]["with"]["attestations"] is True
    assert "repository-url" not in jobs["publish"]["steps"][1]["with"]
    assert jobs["publish-to-testpypi"]["environment"] == "testpypi"
    assert jobs["publish-to-testpypi"]["steps"][1]["with"]["attestations"] is False
    assert "://test." in jobs["publish-to-testpypi"]["steps"][1]["with"]["repository-url"]


@pytest.fixture
def release_run(tmp_path: Path) -> Callable[..., WorkflowRun]:
    """A run of release.yml in which every job has succeeded but those that are named."""

    def release_run(event: str = "push", testpypi: bool = False, **results: str) -> WorkflowRun:
        run = WorkflowRun(
            file=RELEASE,
            origin=tmp_path,
            folder=tmp_path,
            python=tmp_path,
            indexes={},
            password="",
            event=event,
            inputs={"testpypi": testpypi},
        )
        run.results = dict.fromkeys(run.jobs, "success") | results
        run.outputs = {"plan": {"install": "[{}]", "index": "[{}]"}}
        return run

    return release_run


MANUALLY = {"event": "workflow_dispatch", "testpypi": True}


STARTED_BY: dict[str, dict[str, Any]] = {
    "gate": {},
    "publish": {},
    "publish-to-testpypi": MANUALLY,
    "index": {"publish-to-testpypi": "skipped"},
    "install-from-index": {"publish-to-testpypi": "skipped"},
    "announce": {"publish-to-testpypi": "skipped"},
}


@pytest.mark.parametrize("job", STARTED_BY)
def test_a_job_starts_only_where_all_before_it_went_well(
    job: str, release_run: Callable[..., WorkflowRun]
) -> None:
    event = STARTED_BY[job]
    assert release_run(**event).starts(job)
    run = release_run(**event)
    for earlier in run.ancestors(job):
        for result in ("failure", "cancelled"):
            assert not release_run(**(event | {earlier: result})).starts(job), (earlier, result)
    for earlier in {*run.jobs[job]["needs"]} & {"wheels", "gate", "publish", "index"}:
        assert not release_run(**(event | {earlier: "skipped"})).starts(job), earlier


@pytest.mark.parametrize("job", STARTED_BY)
def test_platforms_that_nothing_installs_do_not_stop_a_release(
    job: str, release_run: Callable[..., WorkflowRun]
) -> None:
    run = release_run(**STARTED_BY[job], install="skipped")
    assert run.starts(job)
    run.outputs = {"plan": {"install": "[]", "index": "[]"}}
    assert not run.starts("install")


def test_what_a_hand_started_run_uploads(release_run: Callable[..., WorkflowRun]) -> None:
    assert not release_run("push").starts("publish-to-testpypi")
    for testpypi in (False, True):
        run = release_run("workflow_dispatch", testpypi)
        assert not run.starts("publish")
        assert run.starts("publish-to-testpypi") == testpypi
        assert not release_run(**MANUALLY, publish="skipped").starts("announce")


def test_only_tags_that_can_be_versions_start_a_release() -> None:
    assert load(RELEASE)["on"]["push"] == {"tags": ["v[0-9]*"]}


def test_every_job_comes_before_the_gate_and_publishing_after_it() -> None:
    jobs = load(RELEASE)["jobs"]
    assert needed(jobs, "gate") == {"check", "sdist", "plan", "wheels", "install"}
    for name in ("publish", "publish-to-testpypi", "announce"):
        assert needed(jobs, name) >= {"gate"} | needed(jobs, "gate")
