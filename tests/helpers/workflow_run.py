"""Runs a workflow on this machine: its own shell steps in their order, stand-ins for its actions.

It knows the part of GitHub's workflow language that release.yml uses; anything else is an error
(`KNOWN`). What it does was read in GitHub's documentation, and never compared with a run there:

- "Workflow syntax": `needs`, `if` with success() added where no status function stands, `strategy`
  with `include`, outputs of steps and jobs, the options of the default shell and of `shell: bash`.
- "Evaluate expressions": the operators, fromJSON, and the status functions over all jobs that one
  needs, directly or not.
- "Metadata syntax": inputs and steps of a composite action in the repository itself.
- "Re-running workflows and jobs": failed jobs and those behind them run again, results and
  artifacts of the others stay, `run_attempt` counts up.

Not stood in for: concurrency, environments and their rules, the runners' systems, identity (a
password takes its place) and attestations.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from helpers.builds import QUICK

# What `gh release` does, for a folder in place of GitHub.
GH = """
import os, pathlib, shutil, sys
_, command, tag, *words = sys.argv[1:]
# In a folder that is no checkout, gh knows of no repository.
assert (os.environ["GH_TOKEN"], os.environ["GH_REPO"]) == ("token", "ada/fast-doubles")
release = pathlib.Path(os.environ["GH_FOLDER"], tag)
if command == "view":
    sys.exit(not release.exists())
elif command == "create":
    assert "--draft" in words and "--verify-tag" in words
    release.mkdir()
    (release / "draft").write_text(" ".join(words))
elif command == "upload":
    assert (release / "draft").exists(), "a published release is frozen"
    for file in words[:-1]:
        shutil.copy(file, release)
elif command == "edit" and words == ["--draft=false"]:
    (release / "draft").rename(release / "published")
else:
    sys.exit(f"not known here: {sys.argv}")
"""
# What stands in for cibuildwheel: small_wheels.py says what it makes.
SMALL_WHEELS = [sys.executable, str(Path(__file__).with_name("small_wheels.py"))]
CIBUILDWHEEL = f"import os, sys; os.execv({sys.executable!r}, {SMALL_WHEELS!r} + sys.argv[1:])"


CARGO = {"MATURIN_NO_INSTALL_RUST": "1", **QUICK}
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # maturin is looked up


TESTPYPI = "https://test.pypi.org/legacy/"  # where the publishing action sends files

# What is understood here. (`continue-on-error` is not, nor must it ever be used.)
KNOWN = {
    "workflow": {"name", "on", "permissions", "env", "concurrency", "jobs"},
    "job": {
        *("name", "needs", "if", "runs-on", "timeout-minutes", "permissions", "environment"),
        *("strategy", "outputs", "env", "steps"),
    },
    "strategy": {"fail-fast", "matrix"},
    "step": {"name", "id", "if", "uses", "with", "run", "shell", "env"},
}

# All jobs here have one Python. What it got from locks, by the action `setup` of an earlier job or
# run, is not installed a second time.
INSTALLED: set[tuple[object, ...]] = set()


class StepFailed(Exception):
    """A step of a job failed; the text is what it printed."""


@dataclass
class WorkflowRun:
    """One run of a workflow: what started it, where its jobs work, how they ended.

    origin: the bare repository; event, ref: what started it; indexes: the URL of each index by the
    publishing action's `repository-url` ("" without one); password: what the index knows us by;
    faults: for a job's name, what happens to the store of artifacts just before it starts;
    largest_file: for a job's name, the size in bytes at which its disk is full; settings: the
    values of `vars` and `secrets`; default_branch: of the repository; variables: what the runners
    have in their environment.
    """

    file: Path
    origin: Path
    folder: Path
    python: Path
    indexes: dict[str, str]
    password: str
    event: str = "push"
    ref: str = "v0.1.0"
    inputs: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    largest_file: dict[str, int] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    default_branch: str = "main"
    variables: dict[str, str] = field(default_factory=dict)
    attempt: int = 1
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    printed: str = ""

    def __post_init__(self) -> None:
        text = self.file.read_text("utf-8").replace("\non:\n", "\n'on':\n")
        workflow = yaml.safe_load(text)
        self.jobs: dict[str, dict[str, Any]] = workflow["jobs"]
        self.env: dict[str, Any] = workflow.get("env", {})
        assert workflow.keys() <= KNOWN["workflow"]
        asked = (workflow["on"].get("workflow_dispatch") or {}).get("inputs", {})
        defaults = {name: question["default"] for name, question in asked.items()}
        self.inputs = defaults | self.inputs
        for job in self.jobs.values():
            assert job.keys() <= KNOWN["job"], job.keys() - KNOWN["job"]
            assert job.get("strategy", {}).keys() <= KNOWN["strategy"]
            for step in job["steps"]:
                assert step.keys() <= KNOWN["step"], step.keys() - KNOWN["step"]
        self.store = self.folder / "artifacts"
        self.releases = self.folder / "releases"
        for folder in (self.store, self.releases):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def simple_urls(self) -> dict[str, str]:
        """For the address of each real index's simple API, that of the one that stands for it."""
        uploads = {"": "https://pypi.org/simple/", TESTPYPI: "https://test.pypi.org/simple/"}
        return {uploads[name]: f"{url}simple/" for name, url in self.indexes.items()}

    def run(self, until: str = "") -> "WorkflowRun":
        """Run the jobs that have not ended well yet, up to one if it is named."""
        for name, job in self.jobs.items():
            if self.results.get(name) == "success":
                continue
            context = self.context(name)
            if not self.starts(name):
                self.results[name] = "skipped"
                if name == until:
                    break
                continue
            if name in self.faults:
                self.faults[name](self.store)
            try:
                for entry in self.matrix(job, context):
                    self.run_job(name, job, context | {"matrix": entry})
                self.results[name] = "success"
            except StepFailed as error:
                self.printed += f"\n[{name}] {error}"
                self.results[name] = "failure"
            if name == until:
                break
        return self

    def context(self, name: str) -> dict[str, Any]:
        """What a job sees of those that it needs, directly or not."""
        needs = self.ancestors(name)
        return {
            "needs": {
                need: {"result": self.results[need], "outputs": self.outputs.get(need, {})}
                for need in needs
            },
            "status": {self.results[need] for need in needs},
        }

    def starts(self, name: str) -> bool:
        """Whether a job runs, by its condition and the results of those that it needs."""
        condition = str(self.jobs[name].get("if", "success()"))
        condition = condition.removeprefix("${{").removesuffix("}}")
        if not re.search(r"\b(success|failure|cancelled)\(", condition):
            condition = f"success() && ({condition})"
        return bool(self.evaluate(condition, self.context(name)))

    def rerun(self) -> "WorkflowRun":
        """Run the failed jobs again, and those that waited for them."""
        self.attempt += 1
        self.faults, self.largest_file = {}, {}
        return self.run()

    def ancestors(self, name: str) -> set[str]:
        needs = set(self.jobs[name].get("needs", []))
        return needs.union(*map(self.ancestors, needs))

    def matrix(self, job: dict[str, Any], context: dict[str, Any]) -> list[dict[str, Any]]:
        """The entries of a matrix; of the installations, only the one for this machine's Linux."""
        if "strategy" not in job:
            return [{}]
        entries: list[dict[str, Any]] = self.expand(job["strategy"]["matrix"]["include"], context)
        if "python" in entries[0]:
            return [entry for entry in entries if entry["platform"] == "manylinux_x86_64"][:1]
        return entries

    def run_job(self, name: str, job: dict[str, Any], context: dict[str, Any]) -> None:
        """Run the steps of a job in an empty workspace. Raises StepFailed."""
        workspace = self.folder / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        workspace.mkdir()
        if name in ("install", "install-from-index"):  # each job has a machine of its own
            uninstall = [sys.executable, "-m", "uv", "pip", "uninstall", f"--python={self.python}"]
            subprocess.run([*uninstall, "--quiet", "fast-doubles"], check=True)
        context["steps"] = {}
        self.run_steps(name, job, job["steps"], workspace, context)
        self.outputs[name] = {
            key: self.expand(value, context) for key, value in job.get("outputs", {}).items()
        }

    def run_steps(
        self,
        name: str,
        job: dict[str, Any],
        steps: list[dict[str, Any]],
        workspace: Path,
        context: dict[str, Any],
    ) -> None:
        """Run steps of a job, or of an action that it keeps in its repository."""
        for step in steps:
            if "if" in step and not self.evaluate(step["if"], context):
                continue
            options = {
                key: self.expand(value, context) for key, value in step.get("with", {}).items()
            }
            if step.get("uses", "").startswith("$/"):
                action = yaml.safe_load((workspace / step["uses"][2:] / "action.yml").read_text())
                assert action["runs"]["using"] == "composite"
                assert options.keys() <= action["inputs"].keys()
                inputs = {key: each["default"] for key, each in action["inputs"].items()} | options
                own = context | {"inputs": inputs, "steps": {}}
                asked = (self.python, *self.locks(inputs, workspace))
                if asked not in INSTALLED:
                    self.run_steps(name, job, action["runs"]["steps"], workspace, own)
                    INSTALLED.add(asked)
                continue
            if "uses" in step:
                action = step["uses"].partition("@")[0]
                ACTIONS[action](self, workspace, options, job["permissions"])
                continue
            output = workspace.with_name("output")
            output.write_text("")
            variables = {
                key: str(self.expand(value, context))
                for key, value in (self.env | job.get("env", {}) | step.get("env", {})).items()
            }
            # The simple API of an index that stands for PyPI or TestPyPI.
            for key, value in variables.items():
                variables[key] = self.simple_urls.get(value, value)
            self.shell(name, step, workspace, variables | {"GITHUB_OUTPUT": str(output)})
            lines = output.read_text("utf-8").splitlines()
            context["steps"][step.get("id", "")] = {
                "outputs": dict(line.split("=", 1) for line in lines)
            }

    def locks(self, inputs: dict[str, str], workspace: Path) -> list[bytes]:
        """The contents of the locks that the action `setup` is to install."""
        return [
            (workspace / "release" / lock).read_bytes() for lock in inputs.get("locks", "").split()
        ]

    def shell(
        self, job: str, step: dict[str, Any], cwd: Path, variables: Mapping[str, str]
    ) -> None:
        """Run a step as the runner's default shell does. Raises StepFailed."""
        options = ["-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
        tools = self.folder / "tools"
        (tools / "cibuildwheel").mkdir(parents=True, exist_ok=True)
        (tools / "cibuildwheel" / "__init__.py").touch()
        (tools / "cibuildwheel" / "__main__.py").write_text(CIBUILDWHEEL)
        (tools / "gh.py").write_text(GH)
        words = shlex.join([sys.executable, str(tools / "gh.py")])
        (tools / "gh").write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (tools / "gh").chmod(0o755)
        environment = {
            **os.environ,
            "GITHUB_REF_NAME": self.ref,
            "GH_FOLDER": str(self.releases),
            **CARGO,
            **self.variables,
            "PATH": os.pathsep.join([str(tools), str(self.python.parent), PATH]),
            **variables,
        }
        if job == "wheels":
            environment["PYTHONPATH"] = str(tools)
        limit = self.largest_file.get(job)

        def fill_the_disk() -> None:
            if limit:
                import resource  # which Windows has not

                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        result = subprocess.run(
            ["bash", *options, "-c", step["run"]],
            cwd=cwd,
            env=environment,
            preexec_fn=fill_the_disk,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.printed += f"\n[{job}] $ {step['run']}\n{result.stdout}"
        if result.returncode:
            raise StepFailed(f"ended with {result.returncode}")

    def expand(self, value: Any, context: dict[str, Any]) -> Any:
        """Put the values of expressions into a setting."""
        pattern = r"\$\{\{(.*?)\}\}"
        if whole := re.fullmatch(pattern, str(value)):
            return self.evaluate(whole[1], context)
        if isinstance(value, str):
            return re.sub(pattern, lambda part: str(self.evaluate(part[1], context)), value)
        return value

    def evaluate(self, expression: str, context: dict[str, Any]) -> Any:
        """The value of an expression, translated to Python."""
        github = {
            "event_name": self.event,
            "ref_name": self.ref,
            "run_attempt": str(self.attempt),
            "repository": "ada/fast-doubles",
            "token": "token",
            "event": {"repository": {"default_branch": self.default_branch}},
        }
        values = {"inputs": self.inputs} | context | self.settings | {"github": github}

        def lookup(path: str) -> Any:
            value: Any = values
            for part in path.split("."):
                value = value.get(part, "")
            return value

        status = context.get("status", set())
        functions = {
            "lookup": lookup,
            "fromJSON": json.loads,
            "success": lambda: status <= {"success"},
            "failure": lambda: "failure" in status,
            "cancelled": lambda: "cancelled" in status,
        }
        name = r"\b[a-z]\w*(?:\.[\w-]+)+"
        text = re.sub(
            rf"'[^']*'|({name})",
            lambda part: f"lookup({part[1]!r})" if part[1] else part[0],
            expression,
        )
        text = text.replace("&&", " and ").replace("||", " or ")
        return eval(re.sub(r"!(?!=)", " not ", text).strip(), {"__builtins__": {}}, functions)


def check_out(run: WorkflowRun, workspace: Path, options: dict[str, Any], allowed: object) -> None:
    assert allowed == {"contents": "read"}
    depth = [] if options.get("fetch-depth") == 0 else ["--depth=1"]
    origin = ["--branch", run.ref, run.origin.as_uri(), "."]
    clone = ["git", "-c", "advice.detachedHead=false", "clone", "--quiet", *depth, *origin]
    subprocess.run(clone, cwd=workspace, check=True)
    # The metadata names the origin that GitHub has.
    url = "https://github.com/ada/fast-doubles"
    subprocess.run(["git", "remote", "set-url", "origin", url], cwd=workspace, check=True)


def upload_artifact(run: WorkflowRun, workspace: Path, options: dict[str, Any], _: object) -> None:
    files = list(workspace.glob(options["path"]))
    if not files and options["if-no-files-found"] == "error":
        raise StepFailed(f"no files were found with the path {options['path']}")
    artifact = run.store / options["name"]
    shutil.rmtree(artifact, ignore_errors=True)
    artifact.mkdir()
    for file in files:
        shutil.copy(file, artifact)


def download_artifact(
    run: WorkflowRun, workspace: Path, options: dict[str, Any], _: object
) -> None:
    artifacts = list(run.store.glob(options.get("name") or options["pattern"]))
    assert len(artifacts) == 1 or options["merge-multiple"] is True
    (workspace / options["path"]).mkdir(exist_ok=True)
    for artifact in artifacts:
        for file in artifact.iterdir():
            shutil.copy(file, workspace / options["path"])


def publish(run: WorkflowRun, workspace: Path, options: dict[str, Any], allowed: object) -> None:
    assert allowed == {"id-token": "write"}
    url = run.indexes[options.get("repository-url", "")]
    command = [
        sys.executable,
        "-m",
        "twine",
        "upload",
        "--non-interactive",
        "--disable-progress-bar",
    ]
    files = sorted((workspace / "dist").iterdir())
    if options.get("skip-existing"):  # twine itself can skip on PyPI alone
        page = urllib.request.urlopen(f"{url}packages/").read().decode()
        files = [file for file in files if f">{file.name}<" not in page]
    result = subprocess.run(
        [*command, f"--config-file={os.devnull}", f"--repository-url={url}", *files],
        env=os.environ | {"TWINE_USERNAME": "workflow", "TWINE_PASSWORD": run.password},
        capture_output=True,
        text=True,
    )
    run.printed += f"\n[twine] {result.stdout}{result.stderr}"
    if result.returncode:
        raise StepFailed("the index did not take the files")


ACTIONS: dict[str, Callable[[WorkflowRun, Path, dict[str, Any], object], None]] = {
    "actions/checkout": check_out,
    "actions/setup-python": lambda *_: None,
    "actions/upload-artifact": upload_artifact,
    "actions/download-artifact": download_artifact,
    "docker/setup-qemu-action": lambda *_: None,
    "pypa/gh-action-pypi-publish": publish,
}
