"""The how-to pages for companies: blocks are applied, commands run, all of it on 127.0.0.1."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
import yaml
from answers import BACKENDS, TEMPLATE
from cibuildwheel.options import CommandLineArguments, Options
from conftest import GIT, PYTHONS, QUICK, python_of
from local_index import LocalIndex
from small_wheels import make_sdist, make_tinylib, make_wheel
from workflow_run import SMALL_WHEELS, WorkflowRun

Render = Callable[..., Path]
Repository = Callable[..., Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

PRIVATE = "Private :: Do Not Upload"


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in a language, in their order."""
    return pages.blocks(f"how-to/{page}.md", language)


def commands(page: str, beginning: str) -> list[list[str]]:
    """The words of the console commands of a page that begin so."""
    lines = pages.commands(f"how-to/{page}.md")
    return [line.split() for line in lines if line.startswith(beginning)]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index") as index:
        yield index


# private-index.md


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
    """Put the page's job in the place that the page says; return the workflow's file."""
    file = project / ".github" / "workflows" / "release.yml"
    text = file.read_text("utf-8")
    (job,) = blocks("private-index", "yaml")
    inputs = re.search(r"    inputs:\n(      .*\n)+", text)
    assert inputs
    text = text.replace(inputs[0], "")
    start, end = text.index("  publish:\n"), text.index("  announce:\n")
    file.write_text(f"{text[:start]}{job}\n{text[end:]}", "utf-8")
    return file


def let_private_pass(project: Path, run: Run) -> None:
    """Apply the page's change for a project with the classifier `Private ::`."""
    (diff,) = blocks("private-index", "diff")
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
    original = (TEMPLATE / "{{cookiecutter.__folder}}/.github/workflows/release.yml").read_text()
    used = re.findall(r"uses: *(\S+@.*)$", text, re.M)
    assert set(used) <= set(re.findall(r"uses: *(\S+@.*)$", original, re.M))


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins for the runners are for Linux")
def test_workflow_releases_to_the_private_index(
    repository: Repository,
    index: LocalIndex,
    run: Run,
    tmp_path: Path,
) -> None:
    own = {"github_owner": "ada", "author_name": "Ada", "author_email": "ada@example.org"}
    project = repository(license="Proprietary", **own)
    with_job(project)
    let_private_pass(project, run)
    (project / "release" / "wheels.txt").write_text("manylinux_x86_64 abi3\n")
    run("git", "commit", "--quiet", "--all", "--message=A private index", cwd=project, **GIT)
    run("git", "tag", "v0.1.0", cwd=project)
    run("git", "clone", "--quiet", "--bare", project, tmp_path / "origin.git", cwd=tmp_path)
    runner = tmp_path / "runner"
    run("uv", "venv", "--seed", f"--python={sys.executable}", runner, cwd=tmp_path)
    secret = {"INDEX_PASSWORD": index.password}
    workflow = WorkflowRun(
        file=project / ".github" / "workflows" / "release.yml",
        origin=tmp_path / "origin.git",
        folder=tmp_path / "github",
        python=python_of(runner),
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
    (job,) = blocks("private-index", "yaml")
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


def test_commands_by_hand_do_the_same(
    dist: Callable[..., Path], index: LocalIndex, run: Run
) -> None:
    project = dist()
    (variables,) = commands("private-index", "export")
    account = dict(word.split("=", 1) for word in variables[1:])
    account |= {"TWINE_REPOSITORY_URL": index.url, "TWINE_PASSWORD": index.password}
    line = " && ".join(" ".join(words) for words in commands("private-index", "python -m twine"))
    (gate,) = commands("private-index", "python release/gate.py")
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
    (pip,) = commands("private-index", "python -m pip")
    (uv,) = commands("private-index", "uv pip")
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
    gate = (sys.executable, "release/gate.py", "dist")
    refused = run(*gate, cwd=project, check=False)
    assert refused.returncode == 1
    assert f"its classifier is '{PRIVATE}'" in refused.stdout
    let_private_pass(project, run)
    assert "2 files may be uploaded." in run(*gate, cwd=project).stdout
    run(sys.executable, "-m", "ruff", "check", "release", cwd=project)
    upload(project, index, index.password, run)
    assert len(index.files()) == 2


# mirror-and-proxy.md


class Mirror(LocalIndex):
    """An index that also serves crates, below /crates/; and a proxy that knows mirror.example.

    Attribute `proxied`: the addresses that were asked for as one asks a proxy.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.proxied: list[str] = []
        self.crates: dict[str, bytes] = {}

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("http://"):
            self.proxied.append(environ["PATH_INFO"])
            environ["PATH_INFO"] = re.sub(r"^http://[^/]+", "", environ["PATH_INFO"])
        if not environ["PATH_INFO"].startswith("/crates/"):
            return super().answer(environ, start)
        content = self.crates.get(environ["PATH_INFO"].removeprefix("/crates/"))
        start("404 Not Found" if content is None else "200 OK", [])
        return [content or b""]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror(tmp_path / "mirror") as mirror:
        make_tinylib(mirror.folder)
        yield mirror


def exports(page: str, word: str) -> dict[str, str]:
    """The variables that the shell block of a page exports which holds a word."""
    (block,) = [block for block in blocks(page, "sh") if word in block]
    return dict(re.findall(r"^export (\w+)=(.*)$", block, re.M))


MIRROR, PROXY = "https://mirror.example/", "http://proxy.example:3128"
QUIET = {"PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1", "PIP_CONSTRAINT": "", "UV_NO_CACHE": "1"}


def at(variables: dict[str, str], mirror: Mirror) -> dict[str, str]:
    """The page's variables, with its addresses replaced by that on 127.0.0.1."""
    urls = {MIRROR: mirror.url, PROXY: mirror.url.rstrip("/")}
    changed = variables
    for url, here in urls.items():
        changed = {key: value.replace(url, here) for key, value in changed.items()}
    return {**changed, **QUIET}


INSTALLS = {
    "pip": ("-m", "pip", "install"),
    "uv": ("-m", "uv", "pip", "install"),
}


def install_locked(tool: str, digest: str, run: Run, folder: Path, **variables: str) -> str:
    """Install tinylib by a lock with a hash, into a folder; what the tool printed."""
    lock = folder / "lock.txt"
    lock.write_text(f"tinylib==1.0 --hash=sha256:{digest}\n")
    options = ("--require-hashes", f"--requirement={lock}", f"--target={folder / tool}")
    command = (sys.executable, *INSTALLS[tool], *options)
    return run(*command, cwd=folder, check=False, **variables).stdout


@pytest.mark.parametrize("tool", INSTALLS)
def test_python_tools_take_the_mirror_and_keep_to_the_lock(
    tool: str, mirror: Mirror, run: Run, tmp_path: Path
) -> None:
    variables = at(exports("mirror-and-proxy", "PIP_INDEX_URL"), mirror)
    (wheel,) = mirror.folder.glob("*.whl")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    refused = install_locked(tool, "0" * 64, run, tmp_path, **variables)
    assert re.search(r"(?i)hash(es)? .*mismatch|do not match|mismatch", refused), refused
    assert not (tmp_path / tool / "tinylib.py").exists()
    printed = install_locked(tool, right, run, tmp_path, **variables)
    assert (tmp_path / tool / "tinylib.py").exists(), printed


@pytest.mark.parametrize("tool", INSTALLS)
def test_python_tools_take_the_proxy(tool: str, mirror: Mirror, run: Run, tmp_path: Path) -> None:
    index = exports("mirror-and-proxy", "PIP_INDEX_URL")
    plain = {key: value.replace("https:", "http:") for key, value in index.items()}
    variables = at(exports("mirror-and-proxy", "HTTPS_PROXY"), mirror) | plain
    trust = {"PIP_TRUSTED_HOST": "mirror.example"}  # as it is not https here
    (wheel,) = mirror.folder.glob("*.whl")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    printed = install_locked(tool, right, run, tmp_path, **variables, **trust)
    assert (tmp_path / tool / "tinylib.py").exists(), printed
    assert f"http://mirror.example/packages/{wheel.name}" in mirror.proxied


@pytest.fixture
def crate(mirror: Mirror, run: Run, tmp_path: Path) -> Path:
    """A crate that depends on another one, which the mirror has; with the page's configuration."""
    tiny = tmp_path / "tinycrate"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", tiny, cwd=tmp_path)
    run("cargo", "package", "--quiet", "--no-verify", cwd=tiny, CARGO_TARGET_DIR=str(tiny / "out"))
    (packed,) = tiny.glob("out/package/*.crate")
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    entry = {"name": "tinycrate", "vers": "0.1.0", "deps": [], "cksum": digest}
    mirror.crates = {
        "config.json": json.dumps({"dl": f"{mirror.url}crates/files/{{crate}}"}).encode(),
        "ti/ny/tinycrate": json.dumps(entry | {"features": {}, "yanked": False}).encode(),
        "files/tinycrate": packed.read_bytes(),
    }
    user = tmp_path / "user"
    run("cargo", "new", "--quiet", "--vcs=none", "--lib", user, cwd=tmp_path)
    with (user / "Cargo.toml").open("a") as manifest:
        manifest.write('tinycrate = "0.1"\n')
    (user / ".cargo").mkdir()
    (configuration, _) = blocks("mirror-and-proxy", "toml")
    (user / ".cargo" / "config.toml").write_text(configuration.replace(MIRROR, mirror.url))
    return user


def test_cargo_takes_the_mirror_and_the_lock_names_crates_io(
    crate: Path, mirror: Mirror, run: Run, tmp_path: Path
) -> None:
    home = {"CARGO_HOME": str(tmp_path / "cargo"), "RUSTUP_HOME": rustup_home(run, tmp_path)}
    run("cargo", "fetch", cwd=crate, **home)
    (package, _) = tomllib.loads((crate / "Cargo.lock").read_text())["package"]
    assert package["name"] == "tinycrate"
    rendered = TEMPLATE / "{{cookiecutter.__folder}}" / "Cargo.lock"
    assert f'source = "{package["source"]}"' in rendered.read_text("utf-8")
    run("cargo", "check", "--locked", "--quiet", cwd=crate, **home)
    shutil.rmtree(tmp_path / "cargo")
    mirror.crates["files/tinycrate"] += b"another"
    refused = run("cargo", "fetch", "--locked", cwd=crate, check=False, **home)
    assert refused.returncode != 0
    assert "failed to verify the checksum" in refused.stdout


def test_cargo_takes_the_proxy(crate: Path, mirror: Mirror, run: Run, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        assert name in exports("mirror-and-proxy", "HTTPS_PROXY")
    configuration = crate / ".cargo" / "config.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace(mirror.url, "http://mirror.example/"))
    here = {"dl": "http://mirror.example/crates/files/{crate}"}
    mirror.crates["config.json"] = json.dumps(here).encode()
    home = {"CARGO_HOME": str(tmp_path / "cargo"), "RUSTUP_HOME": rustup_home(run, tmp_path)}
    proxy = at(exports("mirror-and-proxy", "HTTPS_PROXY"), mirror)
    for variables in (
        {"CARGO_HTTP_PROXY": proxy["CARGO_HTTP_PROXY"]},
        {"http_proxy": proxy["http_proxy"]},
    ):
        shutil.rmtree(tmp_path / "cargo", ignore_errors=True)
        mirror.proxied.clear()
        run("cargo", "fetch", cwd=crate, **home, **variables)
        assert "http://mirror.example/crates/files/tinycrate" in mirror.proxied


def rustup_home(run: Run, folder: Path) -> str:
    """Where the toolchains are, when cargo's own folder is elsewhere."""
    if shutil.which("rustup") is None:
        return ""
    return run("rustup", "show", "home", cwd=folder).stdout.strip()


@pytest.mark.parametrize("backend", BACKENDS)
def test_variables_reach_cibuildwheels_containers(
    backend: str, render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = render(build_backend=backend)
    (_, lines) = blocks("mirror-and-proxy", "toml")
    manifest = project / "pyproject.toml"
    text = manifest.read_text("utf-8")
    variables = exports("mirror-and-proxy", "HTTPS_PROXY") | exports("mirror-and-proxy", "PIP_CERT")
    variables |= {"PIP_INDEX_URL": "https://mirror.example/simple/"}

    def inside(identifier: str) -> dict[str, str]:
        monkeypatch.chdir(project)
        arguments = CommandLineArguments.defaults()
        options = Options("linux", arguments, {"PATH": os.environ["PATH"], **variables})
        return options.build_options(identifier).environment.as_dictionary({"HOME": "", "PATH": ""})

    identifiers = [f"{abi}-manylinux_x86_64" for abi in ("cp311", "cp314t", "cp315t")]
    for identifier in identifiers:
        assert "HTTPS_PROXY" not in inside(identifier)  # hence the page
    header = "[tool.cibuildwheel.linux]\n"
    assert text.count(header) == 1
    manifest.write_text(text.replace(header, header + lines), "utf-8")
    for identifier in identifiers:
        environment = inside(identifier)
        assert {key: environment.get(key) for key in variables} == variables
        assert "RUSTUP_DIST_SERVER" not in environment
        assert "--remap-path-prefix" in environment["CARGO_BUILD_RUSTFLAGS"]


# another-ci.md


@pytest.fixture(scope="module")
def gitlab() -> dict[str, Any]:
    (text,) = blocks("another-ci", "yaml")
    return yaml.safe_load(text)


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
    (text,) = blocks("another-ci", "yaml")
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
    assert pythons["PYTHON"] == ["3.11", "3.12", "3.13", "3.14"]
    planned = subprocess.run(
        [sys.executable, "-B", "release/plan.py"], cwd=project, capture_output=True, text=True
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
    own = {"author_name": "Ada", "author_email": "ada@example.org", "github_owner": "ada"}
    project = repository(**own)
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
        "PYTHON": min(PYTHONS, key=lambda version: int(version.split(".")[1])),
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


# cargo-deny.md


def test_job_of_cargo_deny_fits_into_the_projects_workflow(
    repository: Repository, run: Run
) -> None:
    file = repository() / ".github" / "workflows" / "ci.yml"
    original = file.read_text("utf-8")
    (job,) = blocks("cargo-deny", "yaml")
    file.write_text(f"{original.rstrip()}\n\n{job}", "utf-8")
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file, cwd=TEMPLATE)
    run("zizmor", "--offline", "--persona=auditor", file, cwd=TEMPLATE)
    assert set(re.findall(r"uses: *(.*)", job)) <= set(re.findall(r"uses: *(.*)", original))
    commands = pages.commands("how-to/cargo-deny.md")
    assert [step["run"] for step in yaml.safe_load(job)["crates"]["steps"][1:]] == commands


# The tables and keys of the page, as cargo-deny 0.20.2 took them; it refuses others by name.
KEYS = {
    "graph": {"all-features"},
    "licenses": {"allow", "confidence-threshold", "private"},
    "sources": {"unknown-registry", "unknown-git", "allow-registry"},
    "advisories": {"unmaintained", "unsound", "yanked", "ignore"},
    "bans": {"multiple-versions", "wildcards"},
}


def test_deny_toml_allows_every_crate_of_the_lock(render: Render, run: Run) -> None:
    (text,) = blocks("cargo-deny", "toml")
    deny = tomllib.loads(text)
    assert {table: set(keys) for table, keys in deny.items()} == KEYS
    project = render()
    command = ("cargo", "metadata", "--locked", "--format-version=1", "--all-features")
    packages = json.loads(run(*command, cwd=project).stdout.splitlines()[-1])["packages"]
    allowed = set(deny["licenses"]["allow"])
    used = set()
    for package in packages:
        if package["source"] is None:
            continue  # the project's own
        assert f"registry+{deny['sources']['allow-registry'][0]}" == package["source"]
        terms = allows(package["license"], allowed)
        assert terms, f"{package['name']}: {package['license']}"
        used |= terms
    assert used == allowed, "allowed, and no crate has it"


def allows(expression: str, allowed: set[str]) -> set[str]:
    """The licences of an SPDX expression that are allowed and suffice; none if they do not."""
    sufficient: set[str] = set()
    for part in re.split(r" AND ", expression.replace("/", " OR ")):
        chosen = {term.strip(" ()") for term in part.split(" OR ")} & allowed
        if not chosen:
            return set()
        sufficient |= chosen
    return sufficient
