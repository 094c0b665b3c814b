"""The whole release on this machine: bump, tag, build, gate, upload, install, test.

Usage: python release/rehearse.py [--part patch | --no-bump] [--wheelhouse FOLDER]

It works in a scratch clone of the last commit, with an index that lives inside this program and
listens on 127.0.0.1 alone. Neither this folder nor the world sees a change.
"""

import argparse
import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageMetadata
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver
from build import BuildBackendException, BuildException
from build.util import project_wheel_metadata
from preflight import list_todos, output, problems

PYTHON = sys.executable
# Where a proxy is set, the index in here is still asked directly.
DIRECT = {
    name: ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    for name in ("NO_PROXY", "no_proxy")
}
DONE: list[tuple[str, str]] = []  # the steps and their results, for the table


class Failed(Exception):
    """A step failed; the text says why."""


def run(cwd: Path, *command: str | Path, **variables: str) -> str:
    """Run a command in silence; return what it printed. Raises Failed with all of that."""
    words, environment = [str(word) for word in command], os.environ | DIRECT | variables
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    result = subprocess.run(
        words, cwd=cwd, env=environment, encoding="utf-8", errors="replace", **pipes
    )
    if result.returncode:
        raise Failed(f"{result.stdout}\n{' '.join(words)} ended with {result.returncode}")
    return result.stdout.strip()


def metadata(clone: Path) -> PackageMetadata:
    """What the backend says of a project, wherever that is written down. Raises Failed."""
    try:
        return project_wheel_metadata(clone, isolated=False)
    except (BuildException, BuildBackendException) as error:
        printed = getattr(getattr(error, "exception", None), "output", None) or b""
        raise Failed(f"{printed.decode(errors='replace')}\n{error}") from error


@contextmanager
def step(name: str, advice: str) -> Iterator[list[str]]:
    """Announce a step; what the block appends is its result. A failure ends the program."""
    print(f"{name} ...", end="", flush=True)
    start, results = time.monotonic(), list[str]()
    try:
        yield results
    except Failed as error:
        if left := output("git", "status", "--short"):
            advice = f"What is not committed took no part:\n{left}\n{advice}"
        sys.exit(f" FAILED\n{error}\n\nThe rehearsal stopped at: {name}. {advice}")
    DONE.append((name, "; ".join(results)))
    print(f" {time.monotonic() - start:.1f} s")


@contextmanager
def index(packages: Path, password: str) -> Iterator[str]:
    """Serve an index on a free port of 127.0.0.1, uploads by password; yield its URL."""
    app = pypiserver.app(
        roots=[packages],
        authenticate=["update"],
        auther=lambda _, given: secrets.compare_digest(given, password),
        disable_fallback=True,  # else it sends pip elsewhere for what it does not have
    )
    logging.disable()
    WSGIRequestHandler.log_message = lambda *_: None
    with make_server("127.0.0.1", 0, app) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def upload(clone: Path, url: str, password: str) -> str:
    """Send dist/ to an index with twine; return what twine printed. Raises Failed."""
    account = {"TWINE_USERNAME": "rehearsal", "TWINE_PASSWORD": password}
    command = (PYTHON, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar")
    target = (f"--config-file={os.devnull}", f"--repository-url={url}")
    return run(clone, *command, *target, *sorted(clone.glob("dist/*")), **account)


def must_refuse(status: str, what: str, clone: Path, url: str, password: str) -> None:
    """Raise Failed unless the index refuses the files with one of the HTTP statuses."""
    try:
        upload(clone, url, password)
    except Failed as error:
        if not re.search(rf"\b({status})\b", str(error)):
            raise
    else:
        raise Failed(f"the index took {what}")


def install_and_test(clone: Path, python: Path, url: str, package: str) -> str:
    """Install from the index alone and run the tests; return the name of the wheel."""
    pip = (python, "-m", "pip", "install", "--disable-pip-version-check")
    alone = ("--isolated", "--no-deps", "--only-binary=:all:", f"--index-url={url}simple/")
    printed = run(clone, *pip, *alone, package, PIP_CONFIG_FILE=os.devnull)
    run(clone, *pip, "--require-hashes", "--requirement=release/wheel-requirements.txt")
    # It is there already, so the usual index is asked for its dependencies and nothing else.
    run(clone, *pip, package)
    run(clone, python, "release/run_tests.py")
    return re.findall(r"([^\s/]+\.whl)", printed)[0]


def rehearse(scratch: Path, part: str | None, wheelhouse: Path | None) -> None:
    """Do all steps, in a folder that can be thrown away. With no part, the version is kept."""
    clone, dist, packages = scratch / "clone", scratch / "clone" / "dist", scratch / "packages"
    with step("preflight", "Mend that, and commit it.") as results:
        if found := "\n".join(problems()):
            raise Failed(found)
        results.append("toolchain, lock and versions are in order")
    with step("clone", "It takes a git repository with a commit.") as results:
        run(Path(), "git", "clone", "--quiet", "--no-local", ".", clone)
        for setting in ("commit.gpgSign=no", "tag.gpgSign=no", f"core.hooksPath={os.devnull}"):
            run(clone, "git", "config", *setting.split("="))
        for name in ("user.name", "user.email"):
            run(clone, "git", "config", name, "rehearsal")
        results.append(run(clone, "git", "log", "-1", "--format=%h %s"))
    unchanged = "Your repository is unchanged. If the tag exists, raise the version."
    with step("bump and tag", unchanged) as results:
        if part and not wheelhouse:  # its wheels were built before any bump
            run(clone, PYTHON, "-m", "bumpversion", part)
            tag = run(clone, "git", "tag", "--points-at", "HEAD")
        else:
            tag = f"v{metadata(clone)['Version']}"
        if not tag:
            raise Failed("no tag was made: look at .bumpversion.cfg")
        results.append(tag)
    with step("sdist", "Run `nox`: it has to pass first.") as results:
        run(clone, PYTHON, "-m", "build", "--sdist", "--no-isolation")
        (sdist,) = dist.glob("*.tar.gz")
        results.append(sdist.name)
        project = metadata(clone)
    with step("wheels", "Run `nox`: it has to pass first.") as results:
        if wheelhouse:
            copies = [shutil.copy(wheel, dist) for wheel in wheelhouse.glob("*.whl")]
            results.append(f"{len(copies)} of {wheelhouse}")
        else:
            options = ("--isolated", "--no-deps", "--no-build-isolation", f"--wheel-dir={dist}")
            run(clone, PYTHON, "-m", "pip", "wheel", *options, sdist)
            results += [f"{wheel.name}, from the sdist" for wheel in dist.glob("*.whl")]
    with step("gate", "CI would refuse these files too.") as results:
        gate = (PYTHON, "release/gate.py", "dist", "--rehearsal", f"--tag={tag}")
        results += run(clone, *gate).splitlines()[-2:]
    packages.mkdir()
    password = secrets.token_urlsafe()
    with index(packages, password) as url:
        with step("upload", "The index is a part of this program: look at the files.") as results:
            must_refuse("403", "a wrong password", clone, url, "wrong")
            upload(clone, url, password)
            must_refuse("400|409", "the same files twice", clone, url, password)
            results.append("taken once; refused with a wrong password, and a second time")
        minors = re.findall(r":: Python :: 3\.(\d+)", str(project.get_all("Classifier")))
        tested = []
        for minor in dict.fromkeys([*minors, str(sys.version_info.minor)]):
            environment, requirement = scratch / minor, f"{project['Name']}=={tag[1:]}"
            with step(f"install on 3.{minor}", "A user would see the same.") as results:
                make = (PYTHON, "-m", "virtualenv", "--quiet", f"--python=3.{minor}", environment)
                if subprocess.run(make, capture_output=True).returncode:
                    results.append("left out: this Python is not at hand")
                    continue
                python = next(environment.glob("bin/python"), environment / "Scripts/python.exe")
                tested.append(minor)
                results.append(install_and_test(clone, python, url, requirement))
        if not tested:
            sys.exit("The rehearsal installed nothing: virtualenv found none of these Pythons.")


def main() -> None:
    """Rehearse, and print a table. Exits with 1, the step and an advice if one fails."""
    parser = argparse.ArgumentParser("rehearse.py", description="Rehearse a release, all of it.")
    bump = parser.add_mutually_exclusive_group()
    bump.add_argument("--part", choices=["major", "minor", "patch"], default="patch")
    keep = "without bump2version: the version as it stands"
    bump.add_argument("--no-bump", dest="part", action="store_const", const=None, help=keep)
    parser.add_argument("--wheelhouse", type=Path, help="wheels of this commit, by cibuildwheel")
    options = parser.parse_args()
    if options.wheelhouse and not [*options.wheelhouse.glob("*.whl")]:
        parser.error(f"{options.wheelhouse} holds no wheel: build them with cibuildwheel first")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: sys.exit("\nstopped"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        rehearse(Path(scratch), options.part, options.wheelhouse)
    width = max(len(name) for name, _ in DONE)
    print("\n".join(["", *(f"  {name:{width}}  {result}" for name, result in DONE), ""]))
    list_todos()


if __name__ == "__main__":
    main()
