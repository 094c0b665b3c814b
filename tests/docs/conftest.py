"""Fixtures of the tests of pages."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.fixture_types import Follow, Run
from helpers.local_index import LocalIndex
from helpers.pages import edit
from helpers.rendering import copy_template
from tools.machine import GIT, python_of
from tools.template import PROJECT_FOLDER, PYTHONS, SETTINGS, minor


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    with LocalIndex(tmp_path / "index") as index:
        yield index


NEWEST = minor(PYTHONS[-1])
URL = "https://github.com/OWNER/cookiecutter-pyo3-wheel"


@pytest.fixture(scope="session")
def template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it is, at tag v0.1.0; and with changes of every kind, at v0.2.0."""
    clone = tmp_path_factory.mktemp("template") / "cookiecutter-pyo3-wheel"
    copy_template(clone)
    version = f'"__template_version": "{SETTINGS["__template_version"]}"'
    edit(clone / "cookiecutter.json", version, '"__template_version": "0.1.0"')
    run("git", "init", "--quiet", "--initial-branch=main", cwd=clone)

    def commit(tag: str) -> None:
        run("git", "add", "--all", cwd=clone)
        run("git", "commit", "--quiet", f"--message={tag}", cwd=clone, **GIT)
        run("git", "tag", tag, cwd=clone)

    commit("v0.1.0")
    edit(clone / "cookiecutter.json", '_version": "0.1.0"', '_version": "0.2.0"')
    edit(
        clone / "cookiecutter.json",
        f'"__newest_minor": "{NEWEST}"',
        f'"__newest_minor": "{NEWEST + 1}"',
    )
    project = clone / PROJECT_FOLDER.name
    edit(project / "noxfile.py", '"""The project\'s tasks:', '"""The newer tasks:')  # verbatim
    edit(project / ".gitignore", "/build/\n", "/build/\n/newer/\n")  # verbatim
    edit(project / "CONTRIBUTING.md", "## Ship it\n", "## Ship it, newer\n")  # Jinja
    edit(project / "pyproject.toml", 'minversion = "8.4"', 'minversion = "9.0"')  # Jinja
    (project / "release" / "newer.txt").write_text("{{ verbatim }}\n", "utf-8")
    newer_crates(clone, run)
    (project / ".cargo" / "config.toml").unlink()
    (project / ".cargo" / "newer.toml").write_text("[env]\n", "utf-8")
    commit("v0.2.0")
    return clone


def newer_crates(clone: Path, run: Run) -> None:
    """Change the crates of the template: PyO3's line in Cargo.toml, and a crate in the lock."""
    folder = clone.with_name("newer-crates")
    options = ("--no-input", "--default-config", "--accept-hooks=no", f"--output-dir={folder}")
    run("cookiecutter", clone, *options, cwd=clone)
    rendering = folder / "fast-doubles"
    for file in (clone / PROJECT_FOLDER.name / "Cargo.toml", rendering / "Cargo.toml"):
        text, count = re.subn(r'(?m)^(pyo3 = .*")(\d+\.\d+)"', r'\1\2.0"', file.read_text("utf-8"))
        assert count == 1
        file.write_text(text, "utf-8", newline="\n")
    run("cargo", "update", "libc", "--precise=0.2.180", cwd=rendering)
    lock = (rendering / "Cargo.lock").read_text("utf-8")
    assert 'name = "libc"\nversion = "0.2.180"' in lock
    lock = lock.replace("_fast_doubles_native", "_{{ cookiecutter.package_name }}_native")
    (clone / PROJECT_FOLDER.name / "Cargo.lock").write_text(lock, "utf-8", newline="\n")


@pytest.fixture(scope="session")
def cruft(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command cruft, in an environment of its own."""
    environment = tmp_path_factory.mktemp("cruft")
    lock = Path(__file__).parent / "cruft" / "requirements.txt"
    run("uv", "venv", "--clear", environment, cwd=environment)
    python = python_of(environment)
    command = ("uv", "pip", "install", f"--python={python}", "--require-hashes")
    run(*command, f"--requirement={lock}", cwd=environment)
    return str(python.with_name("cruft"))


@pytest.fixture(scope="session")
def follow(
    cruft: str, template: Path, run: Run, tmp_path_factory: pytest.TempPathFactory
) -> Follow:
    """Run a command of the page, with this repository's copy in place of the one on GitHub."""
    if sys.platform == "win32":  # its cmd knows neither `&&` in these places nor quotes like '...'
        pytest.skip("the page's commands are for a POSIX shell")
    folder = tmp_path_factory.mktemp("settings")
    config = folder / "cookiecutter.yml"
    config.write_text(f"cookiecutters_dir: {folder / 'cache'}\nreplay_dir: {folder / 'replay'}")

    def follow(command: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        python = shlex.quote(sys.executable)
        command = command.replace(URL, str(template)).replace("python3 -c", f"{python} -c")
        command = command.replace("gh:OWNER/cookiecutter-pyo3-wheel", f"git+{template.as_uri()}")
        command = command.replace("uvx cruft", cruft).replace("uvx cookiecutter", "cookiecutter")
        variables = GIT | {"COOKIECUTTER_CONFIG": str(config)}
        return run("bash", "-ec", command, cwd=cwd, check=check, **variables)

    return follow
